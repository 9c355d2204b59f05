/* SPDX-License-Identifier: Apache-2.0 */
/* Control - what the command line, importers and adapters say to their node: a request, answered by one or
 * more parts (protobuf in one ZeroMQ frame each, ipc:// with file permissions; DESIGN 10).
 *
 * One request and one answer type for all operations; which fields an operation uses stands beside its name.
 * Changes are absolute (create-or-replace), so a request that is sent twice does no harm.
 */
#pragma once

#include "proto/command.h"
#include "proto/message.h"
#include "proto/op.h"
#include "proto/report.h"

enum control_op {
	CONTROL_STATUS = 1, /* -> status, alarms */
	CONTROL_CHANGE,     /* ops, atomic, dry_run -> n_changed, n_unchanged, refused, notes */
	CONTROL_TWIN_GET, /* twin, property?, as_of? -> twins[0], row, values, relations, memberships; foreign
			     twins too, but not as_of; as_of: no row, and the life-cycle up to then */
	CONTROL_TWIN_LIST, /* prefix?, tag?, kind?, after?, limit -> twins, more */
	CONTROL_TWIN_FIND, /* alias, after? -> twins, more */
	CONTROL_TYPE_LIST, /* -> types as they take effect */
	CONTROL_TYPE_GET,  /* name -> types[0] as it takes effect, types[1] as it was declared */
	CONTROL_REL_LIST,  /* twin?, as_of?, after?, limit -> relations, memberships, more */
	CONTROL_VIEW,      /* question -> view parts */
	CONTROL_HISTORY,   /* twin, property, from_ns, to_ns, limit, step_ns? -> samples (step_ns: buckets),
			      unit, more, coarse_until_ns */
	CONTROL_POLICY_PUBLISH, /* blob: encoded signed_blob of a policy_doc -> text */
	CONTROL_POLICY_CHECK,   /* text: policy source -> text: findings; code */
	CONTROL_POLICY_SHOW, /* limit: an earlier epoch, 0: the one held -> text: source, n_changed: epoch */
	CONTROL_POLICY_WHY,  /* org, name: role?, right, twin, property -> allowed, text: explanation */
	CONTROL_PEERS,       /* -> peers */
	CONTROL_ORG_SHOW,    /* -> orgs */
	CONTROL_ORG_TRUST,   /* blob: encoded bundle, text: fingerprint -> text */
	CONTROL_SERIES,      /* names -> handles (0: none such), incarnation, credit */
	CONTROL_INGEST,      /* blob: packed frame -> n_changed, n_unchanged, refused (index 0), credit */
	CONTROL_READ,        /* handles -> blob: packed frame of the present values */
	CONTROL_BACKUP,      /* text: directory to make -> parts with progress, then text */
	CONTROL_POLICY_WHO,  /* twin, property? -> grants */
	CONTROL_POLICY_DIFF, /* text: policy source, blob: source to compare with (empty: the one in force) ->
				effects, n_changed: own twins looked at; parts with progress before */
	CONTROL_AUDIT, /* from_ns or after? (where the page before said) -> blob: audit_page, text: where the
			  next one begins, more */
	CONTROL_NODE_INVITE,  /* blob: invitations of one, text: where it is enrolled ("": as configured) ->
				 blob: the token as text */
	CONTROL_NODE_INVITES, /* -> blob: invitations */
	CONTROL_NODE_APPROVE, /* name, text: the words that were compared */
	CONTROL_NODE_REFUSE,  /* name */
	CONTROL_ORG_END,      /* org -> text; when it is answered what was held of it is gone */
	CONTROL_PERSON_RENEW, /* of whom the request is -> blob: the credential as the organisation's
				 directory has it, perhaps the one shown; ERR_ABSENT by a node that has no
				 directory */
	CONTROL_SUMMARIES,    /* prefix?, after?, limit -> summaries, more */
	CONTROL_FORKS,        /* -> forks */
	CONTROL_FORK_CHOOSE,  /* name: ORG/NODE, text: incarnation, 16 hexadecimal digits -> text, forks */
	CONTROL_MESH, /* step_ns: how long to wait -> text: the organisation, reports: of every own node, also
			 those that did not answer */
	CONTROL_FIND, /* question (where, show, after, limit; offline, fresh, deadline): -> view parts:
			 members in order of ids, counts.members: all that were found; more; sources, problems
		       */
	CONTROL_WATCH, /* question -> for ever: per event view parts, the last one with `watch`; renewed by
			  the same request with handles[0] = watch.number and handles[1] = the lower 32
			  bits of the last event taken, or it ends */
	CONTROL_COMMAND_SEND,   /* blob: encoded signed_blob of a command, or, of whoever may open the socket
				   and   for a twin of this node, the command alone (text "unsigned"); step_ns:
				   how long   to wait for it to end -> commands[0] with every step as it becomes
				   known, the   last one when it has ended or time is up */
	CONTROL_COMMAND_PERMIT, /* blob: encoded signed_blob of a permit; name: twin it is about (its owner
				   may be another own node) -> commands[0] */
	CONTROL_COMMANDS,     /* blob: id? (16 bytes), twin?, after?, limit -> commands: newest first, more */
	CONTROL_ADAPTER_PUT,  /* name, text: its configuration (JSON), dry_run -> text: what it would do */
	CONTROL_ADAPTER_DROP, /* name */
	CONTROL_ADAPTERS,     /* name? -> adapters; of one also text: its configuration */
	CONTROL_ADAPTER_TRY,  /* name or text: configuration, prefix: topic, blob: payload -> samples as
				 text, one JSON object a line; letters: what could not be mapped */
	CONTROL_LETTERS,      /* name?, after?, limit -> letters, newest first, more */
	CONTROL_ATTACH,       /* name: of a program that stands for assets, prefix: twins it stands for,
				 text: what it says of its counters -> for ever: orders; a second one of that
				 name ends the first; renewed like a watch (limit: seconds it lasts at most) */
	CONTROL_ATTACHED,     /* name, words: what became of orders -> n_changed */
	CONTROL_TWIN_ALARMS,  /* prefix?, after?, limit -> twin_alarms: by twin, of own twins and of rows
				 held; more, text: after which twin the next page begins */
	N_CONTROL_OPS,
};

/* What an asset says of a command that it was handed. */
struct command_word {
	uint8_t id[COMMAND_ID_BYTES];
	enum command_state state; /* COMMAND_ACCEPTED, COMMAND_DONE, COMMAND_FAILED */
	const char *text;         /* "" for none */
};

/* A connection to machines, see node/adapter.h. */
struct counter {
	const char *name; /* `samples`, `dead-letters`, ... */
	uint64_t value;
};
struct adapter_info {
	const char *name, *kind;  /* kind: "mqtt", "modbus", "tail", "program" */
	const char *state, *text; /* "connected", "connecting", "waiting", "stopped"; why */
	int64_t since_ns;
	struct counter *counters;
	size_t n_counters;
};

/* What an adapter could not make a sample of; the same again from the same source is counted. */
struct dead_letter {
	int64_t t_ns; /* the last time */
	const char *adapter, *source, *reason;
	struct bytes payload; /* its beginning */
	uint64_t count;
};

struct twin_alarm {
	const char *twin, *origin; /* ORG/NODE */
	struct row_alarm alarm;
	const char *who;  /* acknowledged or shelved it, "" for nobody; own twins only, as what follows */
	int64_t until_ns; /* shelved; 0: not */
	const char *text; /* of the alarm_def, or what the limit is and what the value was */
};

/* What an adapter is to bring to an asset: a command, or a desired value. */
struct order {
	bool is_command;
	uint8_t id[COMMAND_ID_BYTES]; /* of the command: an asset does the same id once */
	const char *twin, *operation; /* or the property, without `desired/` */
	struct argument *arguments;
	size_t n_arguments;
	struct sample desired;
	int64_t deadline_ns; /* wall clock; 0: none. Nothing is handed over after it */
	const char *person;  /* who wants it: ORG/NAME, or ORG/NODE */
};

/* A series by what it measures. */
struct series_name {
	const char *twin, *property;
};

struct control_request {
	uint64_t id; /* echoed in every part of the answer */
	enum control_op op;
	const char *twin, *property, *name, *prefix, *tag, *alias; /* "" for none */
	const char *after, *org, *right, *text;
	bool has_kind;
	enum kind kind;
	int64_t from_ns, to_ns;
	uint32_t limit;
	struct bytes blob;
	struct bytes person, errand; /* signed_blobs of a person of the node's organisation and the errand
					given to this node; empty: whoever may open the socket */
	struct op *ops;
	size_t n_ops;
	bool atomic;               /* all or nothing */
	bool dry_run;              /* say what would change */
	struct series_name *names; /* at most SERIES_NAMES_MAX */
	size_t n_names;
	uint32_t *handles; /* at most SERIES_NAMES_MAX */
	size_t n_handles;
	int64_t step_ns;
	bool has_as_of;
	int64_t as_of_ns;
	struct view_question question;
	struct command_word *words; /* at most COMMAND_WORDS_MAX */
	size_t n_words;
};
enum { COMMAND_WORDS_MAX = 1000 };

struct refusal {
	uint32_t index;  /* of the op in the request */
	uint32_t sample; /* of the sample in an OP_SAMPLES op; UINT32_MAX: the op as a whole */
	const char *reason;
};

/* What a change does besides: of a type, to the twins there are. */
struct change_note {
	uint32_t index; /* of the op in the request */
	const char *text;
	bool loses; /* values that twins have can no longer be reached */
};

struct org_info {
	const char *name, *fingerprint, *words;
	const char *trusted_by; /* "organisation", "node": by this one alone; "": it is the own one */
	bool own;
	uint32_t manifest_version;
	uint64_t policy_epoch; /* highest seen */
	int64_t valid_until_ns;
	const char **nodes; /* "NODE ROLES ENDPOINT" */
	size_t n_nodes;
};

/* What was counted, in words: "commands refused". */
struct named_count {
	const char *name;
	uint64_t n;
};

struct node_status {
	const char *org, *node, *roles, *version, *state; /* state: "serving", "degraded: ..." */
	uint64_t incarnation, seq, epoch, n_twins, n_types, n_relations, n_series, n_remote_rows, n_peers;
	uint64_t malformed_frames, refused_handshakes, refused_frames;
	int64_t uptime_ns, credential_until_ns;
	uint64_t store_bytes, resident_bytes;
	uint64_t log_bytes, backlog_samples; /* not yet behind a checkpoint */
	uint64_t samples_taken, samples_refused, commits, commit_p99_ns;
	uint64_t n_runs, n_chunks, rotten_chunks, scrubbed_chunks;
	const char *border;              /* "open", "closed: ...", "none": the node is no border */
	int64_t fresh_until_ns;          /* TIME_MAX: no node has the role admin; 0: none was heard */
	int64_t clock_back_ns;           /* the clock stands so far behind the highest time stored */
	uint64_t held_handshakes, kicks; /* kept out by a limit; connections that were cut */
	uint64_t open_files, most_files;
	const char *self_test; /* of the doors: "passed", "not yet", or what was wrong */
	struct mesh_counts mesh;
	uint64_t alarms_left_out;   /* because as many of their kind stand */
	struct named_count *counts; /* of commands, desired values and alarms */
	size_t n_counts;
};

/* What a partner may have of a twin, and the rule that grants it longest. */
struct policy_grant {
	const char *who;              /* ORG or ORG/ROLE */
	const char *right, *property; /* "" for none */
	bool token;                   /* in place of the value */
	uint32_t line;
	const char *rule; /* its title */
	int64_t until_ns;
};

/* What a change of policy gives and takes of one right of a partner: twins, or twins with a property. */
struct policy_effect {
	const char *who, *right;
	uint64_t n_gained, n_lost;
	const char **gained, **lost; /* the first of them */
	size_t n_gained_shown, n_lost_shown;
};

/* What a node knows of a twin: the row its owner publishes, or what is held of another owner's. */
struct twin_summary {
	const char *origin; /* ORG/NODE */
	struct row row;
};

/* One of the incarnations of an origin that lived with one key. */
struct fork_info {
	const char *origin, *state; /* "undecided", "chosen", "refused" */
	uint64_t incarnation, seq;  /* seq, stamp: of the newest head of it that was heard */
	int64_t stamp_ns, noted_ns;
};

struct work_done {
	uint64_t done, total; /* bytes; total 0: not known yet */
	const char *what;
};

/* The end of an event of CONTROL_WATCH. `view` of its parts has the members that changed (`gone`: those that
 * are not returned any more), and in the last one totals, cells, counts, sources and problems as they are. */
struct watch_event {
	uint32_t number; /* of the watch, never 0; 0: no event */
	bool whole;      /* all members are in it: what was there before is void */
	uint64_t event;  /* 1, 2, ...; 0: nothing has changed, a sign of life */
	int64_t t_ns;    /* wall clock of the node */
};

struct control_answer {
	uint64_t id;
	bool last;
	int32_t code;     /* 0 or ERR_* */
	const char *text; /* a sentence to a failure, or the text asked for */
	uint64_t n_changed, n_unchanged;
	struct refusal *refused;
	size_t n_refused;
	struct change_note *notes;
	size_t n_notes;
	struct twin_def *twins;
	size_t n_twins;
	struct row row; /* id NULL when none */
	struct kpi *values;
	size_t n_values;
	struct type_def *types;
	size_t n_types;
	struct relation *relations;
	size_t n_relations;
	struct membership *memberships;
	size_t n_memberships;
	struct sample *samples;
	size_t n_samples;
	const char *unit;
	bool more;
	bool has_view;
	struct view_part view;
	struct peer_info *peers;
	size_t n_peers;
	struct org_info *orgs;
	size_t n_orgs;
	bool allowed;
	uint32_t *handles;
	size_t n_handles;
	enum value_type *handle_types; /* one per handle; VALUE_NONE: none such */
	uint64_t incarnation;          /* whose handles these are: goes into every frame */
	uint32_t credit; /* requests that may be on their way without an answer; 0: not stated */
	struct bytes blob;
	struct history_bucket *buckets;
	size_t n_buckets;
	bool has_coarse_until;
	int64_t coarse_until_ns; /* no raw samples before this time: their retention is over */
	struct policy_grant *grants;
	size_t n_grants;
	struct policy_effect *effects;
	size_t n_effects;
	struct twin_summary *summaries;
	size_t n_summaries;
	struct fork_info *forks;
	size_t n_forks;
	struct work_done done; /* what NULL: none */
	struct alarm_info *alarms;
	size_t n_alarms;
	struct node_report *reports;
	size_t n_reports;
	bool has_status;
	struct node_status status;
	struct watch_event watch;
	struct bytes *commands; /* encoded command_records */
	size_t n_commands;
	struct adapter_info *adapters;
	size_t n_adapters;
	struct dead_letter *letters;
	size_t n_letters;
	struct twin_alarm *twin_alarms;
	size_t n_twin_alarms;
	struct order *orders;
	size_t n_orders;
};

void control_request_encode(const struct control_request *r, struct buf *out);
MUST_CHECK int control_request_decode(struct arena *a, struct bytes in, struct control_request *ret);
/* The id of a request that does not decode, so that it can be answered all the same; 0 when it has none. */
uint64_t control_request_id(struct arena *a, struct bytes in);
void control_answer_encode(const struct control_answer *r, struct buf *out);
MUST_CHECK int control_answer_decode(struct arena *a, struct bytes in, struct control_answer *ret);
