/* SPDX-License-Identifier: Apache-2.0 */
/* Commands from inside - what the files commands*.c share.
 *
 *     commands.c         the list of those that have not ended, their steps, timers
 *     commands_keep.c    records: made durable, told to who waits
 *     commands_owner.c   taken, confirmed, handed over
 *     commands_admit.c   who may: signatures, policy, rates, permits given beforehand
 *     commands_send.c    sent from here to another owner
 *     commands_relay.c   questions of peers: for an owner here or behind this border
 *
 * A record in memory is ahead of the one on disk: steps up to n_durable are what is told and acted on.
 */
#pragma once

#include "node/command_life.h"
#include "node/commands.h"
#include "proto/map.h"
#include "security/command.h"
#include "security/policy.h"

enum {
	LIVE_BYTES = 256 * 1024, /* of the memory of one */
	OPEN_OF_ORG_MAX = 256,   /* that have not ended, of one organisation */
	SENT_OPEN_MAX = 1024,
	WAITERS_MAX = 4096,
	RECENT_MAX = 1024,          /* that were allowed, of one organisation: for rates */
	COMMANDS_A_DAY_MAX = 10000, /* records of one other organisation */
	STANDING_MAX = 256,         /* permits given beforehand and not used up */
	RECORDS_KEPT = 100000,      /* at least so many, and at least so long: */
	RECORDS_KEPT_DAYS = 90,
	RECORDS_MAX = 2 * RECORDS_KEPT, /* never more, whatever their age */
	RECORDS_BYTES_MAX = 512 << 20,
};

/* One that has not ended, or whose last steps are not durable. */
struct live {
	struct live *next;
	char key[COMMAND_ID_TEXT_SIZE];
	struct arena *arena;
	struct command_record record; /* in the arena, as the command: room for COMMAND_STEPS_MAX steps */
	struct command command;
	uint8_t hash[32];
	size_t n_durable, n_writing;      /* steps; 0: none is being written */
	struct standing_permit *standing; /* used up a little with the first step */
	bool busy;                        /* being done by the node itself, or asked of the owner */
	bool gone;                        /* not in the list any more */
	bool unsure;                      /* an owner may have taken it, whoever says no now */
	int64_t again_ns, pause_ns;       /* monotonic: when it is handed over or asked again */
	char why[256];                    /* it could not be handed over */
};

struct waiter {
	struct waiter *next;
	uint8_t id[COMMAND_ID_BYTES];
	size_t seen;      /* steps */
	int64_t until_ns; /* monotonic */
	bool follow;      /* every step, not only the next one */
	bool foreign;     /* of another organisation */
	command_fn *done;
	void *ctx;
};

struct standing_permit {
	struct standing_permit *next;
	struct arena *arena;
	uint8_t id[COMMAND_ID_BYTES];
	struct command_record record;
	struct permit permit;
};

/* What an organisation was allowed lately. */
struct recent {
	char org[ORG_NAME_MAX + 1]; /* "": free */
	struct {
		uint64_t what; /* hash of twin and operation */
		int64_t t_ns;
	} done[RECENT_MAX];
	size_t n;       /* ever */
	int64_t day_ns; /* when the day began of which ... */
	size_t n_of_day;
};

/* What commands have done, for status and tests. */
#define COMMAND_COUNTERS(X) \
	X(COMMANDS_TAKEN, "commands taken") \
	X(COMMANDS_AGAIN, "commands that came again") \
	X(COMMANDS_REFUSED, "commands refused") \
	X(COMMANDS_UNTRUSTED, "commands and permits not signed by who they say") \
	X(COMMANDS_LATE, "commands after their deadline") \
	X(COMMANDS_TIMED_OUT, "commands that timed out") \
	X(COMMANDS_STRANGE, "words on no command") \
	X(PERMITS_REFUSED, "permits refused")
enum command_counter {
#define X(name, text) name,
	COMMAND_COUNTERS(X)
#undef X
		N_COMMAND_COUNTERS
};

struct commands {
	struct engine *e;
	struct commands_ports ports;
	struct live *list;
	struct map by_id;
	struct waiter *waiters;
	size_t n_waiters;
	struct standing_permit *standing;
	struct recent *recent[PARTNERS_MAX + 1];
	uint64_t counts[N_COMMAND_COUNTERS];
	int64_t retired_ns; /* monotonic */
	uv_timer_t timer;
	void (*on_stopped)(struct engine *e);
	bool stopping;
};

/* ---- commands.c */
struct live *live_find(const struct commands *cs, const uint8_t id[COMMAND_ID_BYTES]);
/* Into the list, from an encoded record. */
MUST_CHECK int live_load(struct commands *cs, struct bytes record, bool durable, struct live **ret);
void live_drop(struct commands *cs, struct live *l);
enum command_state live_state(const struct live *l);
struct step_said {
	enum command_state state;
	const char *who, *text;
	struct bytes permit, permit_person;
};
/* The next step, with a receipt if this node is the owner. -ENOMEM; ERR_FULL: there are too many. */
MUST_CHECK int live_step(struct commands *cs, struct live *l, const struct step_said *said);
/* As the owner: what happened, and the step that follows, if any does; it is made durable. */
bool live_happens(struct commands *cs, struct live *l, enum life_event event, const struct step_said *said);
size_t commands_open_of(const struct commands *cs, const char *org);
size_t commands_open_sent(const struct commands *cs);

/* ---- commands_keep.c */
/* Write what is not durable yet; then it is told and acted on (owner_act(), sent_act()). */
void live_keep(struct commands *cs, struct live *l);
/* `done` when more than `seen` steps are durable, perhaps at once. It is called once; with `follow` for every
 * step. */
MUST_CHECK int commands_wait(struct commands *cs, const struct waiter *w);
void commands_tell(struct commands *cs, const struct live *l);
/* Nothing comes of it: who waits is told why. */
void commands_fail(struct commands *cs, const uint8_t id[COMMAND_ID_BYTES], int code, const char *text);
void commands_expire(struct commands *cs);
/* Old records go. */
void commands_retire(struct commands *cs);
MUST_CHECK int standing_keep(struct commands *cs, struct standing_permit *s, command_fn *done, void *ctx);
/* What of a record may be shown to another organisation. */
struct command_record record_shown(const struct command_record *r,
				   struct command_step steps[COMMAND_STEPS_MAX]);

/* ---- commands_admit.c */
struct taken {
	struct arena *arena;
	struct command command;
	struct person person; /* empty when nobody signed */
	bool foreign;
	struct bytes blob, credential;
};
/* Signature, person, node, times: nothing of it is believed else. ERR_UNTRUSTED, ERR_MALFORMED, ERR_REFUSED,
 * ERR_DENIED with a note. */
MUST_CHECK int admit_command(struct commands *cs, const struct command_in *in, struct taken *ret,
			     struct err_note *note);
/* The same without its times: of one that is asked about again. */
MUST_CHECK int admit_word(struct commands *cs, const struct command_in *in, struct taken *ret,
			  struct err_note *note);
/* As the owner or its border: may they? ret->confirm_role "" for nobody. ERR_DENIED, ERR_ABSENT with a note.
 */
MUST_CHECK int admit_policy(struct commands *cs, const struct taken *t, struct policy_bounds *ret,
			    struct err_note *note);
/* The same of one that was taken: its person, organisation and policy may have changed. ERR_DENIED,
 * ERR_UNTRUSTED with a note. */
MUST_CHECK int admit_still(struct commands *cs, const struct live *l, struct policy_bounds *ret,
			   struct err_note *note);
/* That it is not known means that it is new, of what was issued then. ERR_REFUSED with a note. */
MUST_CHECK int admit_new(const struct commands *cs, int64_t issued_ns, struct err_note *note);
/* Within its rate, and the organisation within its share; counted. ERR_REFUSED with a note. */
MUST_CHECK int admit_rate(struct commands *cs, const struct taken *t, const struct policy_bounds *b,
			  struct err_note *note);
void admit_recall(struct commands *cs, const struct command *c, int64_t t_ns, bool allowed);
/* A permit given beforehand that is good for it; NULL: none. */
struct standing_permit *admit_standing(struct commands *cs, const struct taken *t, const char *role);
MUST_CHECK int standing_load(struct commands *cs, const uint8_t id[COMMAND_ID_BYTES], struct bytes record);
void standing_free(struct standing_permit *s);
MUST_CHECK int admit_permit(struct commands *cs, const struct command_in *in, struct arena *a,
			    struct permit *ret, struct person *ret_person, struct err_note *note);

/* ---- commands_owner.c */
struct waiter waiter_of(const struct commands *cs, const struct command_in *in, command_fn *done, void *ctx);
/* commands_take(), for who may want every step. */
MUST_CHECK int owner_take(struct commands *cs, const struct command_in *in, struct waiter *w,
			  struct err_note *note);
void owner_act(struct commands *cs, struct live *l);
void owner_tick(struct commands *cs, struct live *l);

/* ---- commands_send.c */
void sent_act(struct commands *cs, struct live *l);
void sent_tick(struct commands *cs, struct live *l);
/* Over which session the owner of a twin is reached; NULL: none. */
const struct session *commands_route(struct engine *e, const char *twin);

/* ---- commands_ports.c */
extern const struct commands_ports commands_ports_of_node;

/* In the audit. */
void commands_audit(const struct commands *cs, const struct live *l, const struct command_step *step);
