/* SPDX-License-Identifier: Apache-2.0 */
/* Store - the twin store of one node: types, twins, relations, values, history, rows of other origins.
 *
 * Log-structured (DESIGN 4). Every change is an op; a batch of ops is appended to the log and fsync'd as one
 * LMDB commit (group commit), and only then shows in the table, is acknowledged or published. The other
 * environments are written behind, by checkpoints; what they do not hold yet is in the log:
 *
 *     ops --stage--> batch --write--> log --apply--> table (memory) --checkpoint--> state, history, remote
 *
 * Directory:  log/   ring of small environments: seq -> batch
 *             state/ types, twins, relations, memberships, current values, change index, meta
 *             history/ runs: environments of chunks, each written once, see storage/history.h
 *             remote/  rows of other origins with their cursors
 *             trust/   own environment, see storage/trust_store.h
 * Every stored value: format version (1 byte), BLAKE2b-64 over key and value, value.
 *
 * Owner:   node/; one per process and directory. A second process is refused (lock file).
 *
 * Threads: the loop's, except two that may run beside it and beside each other: one for store_write(), one
 * for checkpoint_write(), store_merge_step(), store_scrub_step() and backup_step(). They share nothing that
 * changes: a commit touches the log only, of which a checkpoint drops nothing before its end, on the loop; a
 * checkpoint writes what its begin took, into environments that nobody else opens. At most one batch is
 * between store_write() and store_apply(), at most one checkpoint between its begin and end.
 *
 * Views:   pointers to twins, rows and their parts stay good until the next store_apply().
 */
#pragma once

#include "proto/message.h"
#include "proto/op.h"
#include "proto/scope.h"
#include "storage/points.h"

struct store;

struct store_options {
	const char *dir;        /* made if absent (0700) */
	size_t limit_bytes;     /* ceiling of each environment: address space, not disk; 0: 64 GiB */
	const char *org, *node; /* whose store this is: kept in it, and must match at the next open */
	uint64_t fresh_id;      /* random: the incarnation id if the store is new */
	/* What makes a checkpoint due: so much log, or so much time; 0: 32 MiB, one minute. */
	size_t checkpoint_bytes;
	int64_t checkpoint_every_ns;
	size_t memory_bytes; /* for samples that are not written behind, and writing them; 0: 256 MiB */
	bool squeeze_log;    /* spend time in store_write() on writing less: for flash memory */
	int64_t now_ns;      /* wall clock; the hybrid clock starts above it and above all stored stamps */
};

/* ERR_CORRUPT, ERR_VERSION (a newer format), ERR_REFUSED (second process, other organisation or node),
 * -errno; the note says which file and what to do. Replays the log. */
MUST_CHECK int store_open(struct store **ret, const struct store_options *opt, struct err_note *note);
/* ERR_REFUSED when a process has the store in this directory open; never beside a store_open(). */
MUST_CHECK int store_check_idle(const char *dir, struct err_note *note);
void store_close(struct store *s); /* NULL is fine; does not checkpoint: opening replays */

/* ---- Changing --------------------------------------------------------------------------------------------
 */

struct batch;

MUST_CHECK int batch_new(struct batch **ret);
void batch_free(struct batch *b); /* NULL is fine */
size_t batch_ops(const struct batch *b);
size_t batch_bytes(const struct batch *b);

/* Check an op against the table and take it (encoded, copied) into the batch.
 *   0               staged
 *   STORE_UNCHANGED it would change nothing: not staged
 *   STORE_REFUSED   the note says why (unknown type or twin, wrong type of value, illegal id, wrong owner,
 *                   life-cycle step not allowed, type in use with other properties, ...): not staged
 * The table does not show staged ops, but the checks see those of the same batch (and of a batch written and
 * not yet applied there can be none: stage only when nothing is between write and apply), so a type, its
 * twins, their relations and samples may come in one batch. In OP_SAMPLES all samples are checked; the first
 * bad one refuses the op and ret_bad (may be NULL) is its index; many that are older than the present value
 * are taken without looking whether they are stored, for merging them twice does no harm. NaN and infinite
 * numbers are taken with quality bad. `now_ns` refuses samples more than 5 minutes ahead. */
enum { STORE_UNCHANGED = 1, STORE_REFUSED = 2, STORE_ABSENT = 3 };
MUST_CHECK int store_stage(struct store *s, struct batch *b, const struct op *op, int64_t now_ns,
			   size_t *ret_bad, struct err_note *note);

/* What a changed type, if staged now, does to the twins that there are: of each type that changes with it and
 * has twins, itself first. Nothing for a type that is new, the same or refused. Looks at all twins when
 * properties go. */
struct type_effect {
	const char *text; /* "type press has 12 twins; 1 property added (torque)" */
	uint64_t n_twins;
	uint64_t n_lost; /* their values that cannot be reached any more: their property goes, or measures
			    something else */
};
MUST_CHECK int store_type_effects(struct store *s, struct batch *b, const struct type_def *next,
				  struct arena *a, struct type_effect **ret, size_t *ret_n);

/* Many samples by their series numbers. Each is taken or refused on its own: a frame is never refused as a
 * whole but for ERR_MALFORMED, or ERR_REFUSED when its incarnation is not the present one (open the series
 * anew). A frame whose session and number were taken before (also before a restart) is acknowledged and
 * changes nothing; what of it was refused is refused again. Samples that would change nothing (the present
 * value again, at the same time) are counted as unchanged; older ones are taken as they are: merging them
 * twice does no harm. */
struct packed;
struct packed_refusal {
	uint32_t index;
	enum sample_refusal reason;
};
struct packed_result {
	uint64_t n_taken, n_unchanged, n_refused;
	bool again;                     /* the frame was taken before */
	struct packed_refusal *refused; /* the first PACKED_REFUSALS_MAX, in the arena */
	size_t n_listed;
};
MUST_CHECK int store_stage_packed(struct store *s, struct batch *b, const struct packed *frame,
				  int64_t now_ns, struct arena *a, struct packed_result *ret);

/* The first sample of an OP_SAMPLES, at or behind the place `from`, that staging it would refuse:
 * STORE_REFUSED with its place and a note, or 0 when there is none. So all bad ones are found in one pass. */
MUST_CHECK int store_check_samples(struct store *s, struct batch *b, const struct op *op, int64_t now_ns,
				   size_t from, size_t *ret_bad, struct err_note *note);

/* A place in a batch, and back to it: everything staged after it is taken out again (all-or-nothing
 * requests). */
size_t batch_mark(const struct batch *b);
void batch_rewind(struct batch *b, size_t mark);

/* Before a batch is written: have the memory that applying it will take, so that nothing becomes durable that
 * cannot be shown. -ENOMEM: nothing has changed. On the thread that applies. */
MUST_CHECK int store_reserve(struct store *s, struct batch *b);
/* Memory is short: from here on less of it is for what is not written behind. False when there is nothing of
 * that; else a checkpoint is due, and gives some back. */
bool store_save_memory(struct store *s);

/* Append the batch to the log and fsync. ERR_FULL, -ENOSPC, -EIO, ...: nothing of it is kept, it may be tried
 * again, reading goes on. An empty batch is done at once. */
MUST_CHECK int store_write(struct store *s, struct batch *b);

/* Show a written batch in the table and give every changed twin its sequence number and stamp. Only after
 * store_write() succeeded; cannot fail but for memory (-ENOMEM: close and open the store). */
MUST_CHECK int store_apply(struct store *s, struct batch *b, int64_t now_ns);

/* Write-behind: begin takes a snapshot of what is dirty, take brings it together, a piece of well below a
 * millisecond at a time (0: call again, 1: that was all), while the store goes on changing; write puts it
 * into the environments in big sorted transactions, end drops the log before it. `due` looks at the log's
 * length and age. write is for another thread, the others for the one that applies; without changes between
 * begin and write there need be no take. */
struct checkpoint;
bool checkpoint_due(const struct store *s, int64_t now_ns);
/* How much has not been written behind, in the log or in memory, in units of what makes a checkpoint due:
 * above BACKLOG_MAX nothing more should be staged. */
#define BACKLOG_MAX 4.0
double checkpoint_backlog(const struct store *s);
MUST_CHECK int checkpoint_begin(struct store *s, struct checkpoint **ret);
MUST_CHECK int checkpoint_take(struct checkpoint *c);
MUST_CHECK int checkpoint_write(struct checkpoint *c);
void checkpoint_end(struct store *s, struct checkpoint *c, bool written); /* frees c */

/* ---- The own twins ---------------------------------------------------------------------------------------
 */

struct edge;

/* A type as the table holds it. */
struct type {
	struct type_def def;      /* as it takes effect: see type_def_extend() */
	struct type_def declared; /* as it was given */
	size_t n_standings;
	const uint16_t *standings; /* places in def.properties of what says how alarms stand */
	uint16_t members_place;    /* that of `health/members`, if there is a rule */
	size_t n_kpis;
	uint16_t kpis[KPIS_MAX]; /* places in def.properties */
	const uint8_t *watched;  /* of each property, storage/bands.h; NULL: nothing of it is judged */
};

/* A twin as the table holds it: read-only outside storage/. */
struct twin {
	const char *id;
	enum kind kind;
	bool deleted;            /* tombstone: only id, seq and version mean anything */
	const struct type *type; /* NULL: none */
	const struct edge *out;  /* relations from here, newest first */
	const struct edge *in;   /* relations to here from own twins */
	uint64_t seq;            /* of its latest change that shows in its row */
	struct row_version version;
};

/* What a twin is, put together out of the table; texts and arrays are the table's. A tombstone has an id
 * only. */
struct twin_def store_twin_def(const struct twin *t);

/* The present value of a property (a place in the type's definition); type VALUE_NONE: never measured, or the
 * type has no such place. */
struct sample store_value(const struct store *s, const struct twin *t, size_t property);

/* The number of the series in which the samples of a property are kept; 0: the type has no such place. Given
 * with the twin, never used again for anything else within one incarnation. */
uint32_t store_series(const struct store *s, const struct twin *t, size_t property);
/* And back: NULL when there is no such series (any more). */
const struct twin *store_series_owner(const struct store *s, uint32_t series, size_t *ret_property);

/* A relation; the other end may be another organisation's twin, then its pointer is NULL. */
struct edge {
	struct relation relation;
	const struct twin *from, *to;
	const struct edge *next_out, *next_in;
};

const struct twin *store_twin(const struct store *s, const char *id); /* NULL: absent or deleted */
const struct type *store_type(const struct store *s, const char *name);
/* Twins that carry an alias, in id order: call with the last one to go on, NULL to begin; NULL at the end. */
const struct twin *store_twin_by_alias(const struct store *s, const char *alias, const struct twin *after);
/* Living twins in id order, the first one behind `after` ("" to begin) that begins with prefix. NULL: the
 * end. */
const struct twin *store_twin_next(const struct store *s, const char *prefix, const char *after);
/* As many of them at once as there is room for, in id order behind `after` ("" to begin); 0: the end. */
size_t store_twins(const struct store *s, const char *after, const struct twin **ret, size_t room);
/* The same in the order in which they lie in memory, which is quicker; *at starts at 0. A twin that is there
 * from the first call to the last is met once. */
size_t store_twins_stored(const struct store *s, uint32_t *at, const struct twin **ret, size_t room);
/* Own twins with a property whose present value is this text or word: the first series at or behind `from`
 * (0 to begin) of one; 0: the end. What is rare is found without looking at all. */
uint32_t store_series_with_text(const struct store *s, const char *text, uint32_t from);
const struct type *store_type_next(const struct store *s, const char *after);
/* Relations whose `from` is not one of the own twins cannot exist: the owner of `from` owns the relation.
 * Relations to the twin `to` (perhaps foreign) from own twins: NULL, or the first; go on by next_in. */
const struct edge *store_edges_to(const struct store *s, const char *to);
/* The word on a membership claimed by another organisation. STORE_ABSENT when none was given. */
int store_membership(const struct store *s, const char *hierarchy, const char *parent, const char *child,
		     struct membership *ret);
/* Memberships of a child, in order; NULL to begin, NULL at the end. */
const struct membership *store_membership_next(const struct store *s, const char *child,
					       const struct membership *after);

/* Twins in the order of their latest change: the first with seq > after, deleted ones too; NULL at the head.
 */
const struct twin *store_change_next(const struct store *s, uint64_t after_seq);

struct store_position {
	struct incarnation lineage[LINEAGE_MAX]; /* oldest first; the last is the present one */
	size_t n_lineage;
	uint64_t seq;     /* head: of the latest applied change */
	int64_t stamp_ns; /* hybrid clock of it */
	uint64_t floor;   /* deletions up to there are not known any more: their tombstones were collected */
	uint64_t n_twins, n_types, n_relations, n_series;
};
void store_position(const struct store *s, struct store_position *ret);
/* Over the own twins as they are: what their head says. The first time all of them are looked at, from then
 * on those that changed in between. */
struct fingerprint store_fingerprint(struct store *s);
uint64_t store_disk_bytes(const struct store *s);  /* all environments; asks the file system */
uint64_t store_incarnation(const struct store *s); /* id of the present one */

/* ---- What is to be judged --------------------------------------------------------------------------------
 * Samples that became the present value since the last store_forget_notes() and left the band of their
 * series, in the order in which they were applied (storage/bands.h). None before store_watch(). */
struct band;
struct band_note;
void store_watch(struct store *s);
const struct band_note *store_notes(const struct store *s, size_t *ret_n);
/* Some had no room: everything is to be judged by its present value. */
bool store_notes_lost(const struct store *s);
void store_forget_notes(struct store *s);
/* The band of a series from here on; NULL: that of its definition. */
void store_set_band(struct store *s, uint32_t series, const struct band *band);
const struct band *store_band(const struct store *s, uint32_t series); /* NULL: it has none of its own */
/* How often what types say has changed. */
uint64_t store_types_changed(const struct store *s);

/* ---- History ---------------------------------------------------------------------------------------------
 */

/* The last sample at or before a time. STORE_ABSENT when there is none. Text goes into the arena. */
MUST_CHECK int store_value_at(struct store *s, const struct twin *t, size_t property, int64_t at_ns,
			      struct arena *a, struct sample *ret);

/* What is known as of each of n times, which do not fall: one pass over the history of the property, however
 * many there are. STORE_ABSENT when there is no such place. Equal samples share their texts, which go into
 * the arena. */
MUST_CHECK int store_points(struct store *s, const struct twin *t, size_t property, const int64_t *t_ns,
			    size_t n, struct arena *a, struct point *ret);

/* Raw samples with from <= t <= to, oldest first, piece by piece: history_next() in storage/history.h.
 * STORE_ABSENT when there is no such place; else *ret is to be freed. */
struct history_reader;
MUST_CHECK int store_history_read(struct store *s, const struct twin *t, size_t property, int64_t from_ns,
				  int64_t to_ns, struct history_reader **ret);

/* Is this very sample stored? */
MUST_CHECK int store_history_holds(struct store *s, const struct twin *t, size_t property,
				   const struct sample *sample, bool *ret);

/* At most `limit` samples with from <= t <= to, oldest first; ret_more: there are more. ERR_CORRUPT when a
 * chunk is damaged (it is never served). */
MUST_CHECK int store_history(struct store *s, const struct twin *t, size_t property, int64_t from_ns,
			     int64_t to_ns, size_t limit, struct arena *a, struct sample **ret, size_t *ret_n,
			     bool *ret_more);

/* What stretches of step_ns amount to, aligned to multiples of it, that have any sample with from <= t <= to;
 * oldest first, at most `limit`. More: go on at the last one's t_ns + step_ns. NaN and samples of quality bad
 * are in n_bad only; mean, sd, min, max and last are NaN where n is 0. Numbers and bools only (ERR_REFUSED).
 * ERR_CORRUPT when a chunk is damaged. */
struct store_range {
	int64_t from_ns, to_ns, step_ns;
	size_t limit;
};
struct store_buckets {
	struct history_bucket *buckets; /* in the arena */
	size_t n;
	bool more;
};
MUST_CHECK int store_buckets(struct store *s, const struct twin *t, size_t property,
			     const struct store_range *range, struct arena *a, struct store_buckets *ret);

/* From when on raw samples are there; TIME_MIN: none has expired. */
MUST_CHECK int store_raw_since(struct store *s, const struct twin *t, size_t property, int64_t *ret_ns);

/* Upkeep of the history, between checkpoints. Merging applies retention and keeps the number of runs small:
 * begin and end belong to the loop, steps to the thread that writes checkpoints; other steps and checkpoints
 * may come between, batches be written and applied meanwhile.
 *
 *     begin: STORE_UNCHANGED (nothing to merge), or 0: then steps, 0: call again, 1: merged, and durable
 *     unless the last checkpoint failed: then with the next one;
 *     end(true) after 1, end(false) after a failure or to give up.
 *
 * A scrub looks at checksums, some MiB a step, on the same thread: 0: call again, 1: all of it was seen. */
MUST_CHECK int store_merge_begin(struct store *s);
MUST_CHECK int store_merge_step(struct store *s);
void store_merge_end(struct store *s, bool merged);
MUST_CHECK int store_scrub_step(struct store *s);

struct store_health {
	uint64_t n_runs, n_chunks, backlog_samples, log_bytes;
	uint64_t scrubbed, rotten; /* chunks, since opening */
	char first_rotten[160];    /* where; "" for none */
};
void store_health(const struct store *s, struct store_health *ret);

/* ---- Rows of other origins -------------------------------------------------------------------------------
 */

/* A row as it was received, with what is asked of it often already decoded. */
struct remote_row {
	const char *id;
	const struct origin *origin;
	struct row_version version;
	uint64_t seq; /* 0: crossed a border */
	uint32_t mask;
	struct bytes encoded; /* row_decode() gives the rest */
	bool is_parent;       /* other rows name it, in some hierarchy */
	void *user;
};

/* What is held of one origin. */
struct origin {
	const char *name;               /* ORG/NODE */
	struct bytes cursor;            /* behind the last row held */
	struct bytes head;              /* encoded signed head last reached, empty before */
	struct fingerprint fingerprint; /* over what is held: compare with the head's */
	uint64_t n_rows, max_seq;
	int64_t stamp_ns; /* newest version held */
	uint64_t floor;   /* up to there deletions are not known: tombstones were collected, or never came */
};

/* Tombstones of an origin, the own one or one that is held, are kept until they are older than that, or as
 * many newer ones are there. Up to which sequence number may they go, for an OP_COLLECTION that is not too
 * long? 0: none. */
enum { GRAVES_AT_ONCE = 2000 }; /* a few milliseconds */
struct graves_kept {
	int64_t since_ns; /* hybrid clock */
	uint64_t most;
};
uint64_t store_graves_over(const struct store *s, const char *origin, const struct graves_kept *kept);

const struct origin *store_origin(const struct store *s, const char *name);
const struct origin *store_origin_next(const struct store *s, const char *after); /* "" to begin */
const struct remote_row *store_row(const struct store *s, const char *id);
/* Rows of an origin in the order of their sequence numbers (inside the organisation), the first behind
 * `after`, tombstones too; NULL at the end. */
const struct remote_row *store_row_change_next(const struct store *s, const char *origin, uint64_t after_seq);
/* Rows in id order, behind `after`, beginning with prefix. */
const struct remote_row *store_row_next(const struct store *s, const char *prefix, const char *after);
/* As many of them at once as there is room for, tombstones left out; 0: the end. */
size_t store_rows(const struct store *s, const char *after, const struct remote_row **ret, size_t room);
/* Rows that name `parent` in `hierarchy`, whatever the word on it: one, or the one after `after`; in no
 * order. */
const struct remote_row *store_row_child_next(const struct store *s, const char *hierarchy,
					      const char *parent, const struct remote_row *after);

/* ---- Records of commands ----------------------------------------------------------------------------------
 */

/* As OP_COMMAND put it. Good until the next store_apply(). */
struct store_command {
	uint8_t id[COMMAND_ID_BYTES];
	struct bytes record;
};
const struct store_command *store_command(const struct store *s, const uint8_t id[COMMAND_ID_BYTES]);
/* The newest (`after` NULL), then each that came before it for the first time; NULL: the end. */
const struct store_command *store_command_next(const struct store *s, const struct store_command *after);
/* The one that came first of all, and each that came after another; NULL: there is none. */
const struct store_command *store_command_oldest(const struct store *s);
const struct store_command *store_command_newer(const struct store_command *c);
size_t store_commands(const struct store *s, size_t *ret_bytes); /* how many, and how long */

DEFINE_SCOPED(store, store_close)
DEFINE_SCOPED(batch, batch_free)
