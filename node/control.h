/* SPDX-License-Identifier: Apache-2.0 */
/* Control - the node's own door: requests of the command line, importers and adapters over ipc:// (DESIGN
 * 10).
 *
 * One ROUTER at DIR/control; whoever may open the socket file (0600) acts for the organisation. If it is
 * configured another one over TCP, encrypted, for those whose keys are configured too (control_port.c). Each
 * operation is one row in the table of control.c and one handler in control_*.c; a handler answers with at
 * least one part, the last one marked, now or later.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/audience.h"
#include "node/audit.h"
#include "node/engine.h"
#include "proto/control.h"
#include "proto/packed.h"

MUST_CHECK int control_start(struct control **ret, struct engine *e, struct err_note *note);
void control_stop(struct control *c, void (*done)(struct engine *e));
void control_free(struct control *c); /* NULL is fine */

enum { CALL_PERSON_SIZE = 128 }; /* ORG/NAME, or what else is known */

/* A request being answered: the handler's until it calls call_done() or call_fail(), once. */
struct call {
	struct engine *e;
	struct control *control;
	struct door *door;   /* it came in by */
	struct arena *arena; /* holds the request; answers may be built in it */
	struct control_request request;
	struct audience to;            /* for whom: the own organisation, perhaps a person of it */
	struct buf peer;               /* routing id to answer to */
	char person[CALL_PERSON_SIZE]; /* who asks, when it is audited; else "" */
	struct buf held;               /* the answer, until what was done is written down */
};

/* Send a part; the last one ends the call and frees it. */
void call_part(struct call *c, const struct control_answer *part);
void call_done(struct call *c, const struct control_answer *last);
/* Send a part, not the last. False: the client is gone, or too much waits for it already. */
bool call_try_part(struct call *c, const struct control_answer *part);
/* End without an answer: the client is gone, or another call of its stands in. */
void call_drop(struct call *c);
/* By the same connection? */
bool call_is_from(const struct call *c, const struct call *other);
/* End with a failure; an empty note is worded by the code. */
void call_fail(struct call *c, int code, const struct err_note *note);

/* control_port.c: a bound ROUTER that only configured keys get into; `ret_endpoint` is where really. */
MUST_CHECK int control_port_open(struct engine *e, void **ret, char ret_endpoint[256], struct err_note *note);
/* A frame from there whose sender our handler let in. */
bool control_port_admitted(void *message);

/* Handlers. One that returns <0 has not ended the call: the table does, with the note. */
typedef int call_fn(struct call *c, struct err_note *note);
call_fn control_status, control_peers;                                          /* control_status.c */
call_fn control_change, control_twin_get, control_twin_list, control_twin_find; /* control_twin.c */
call_fn control_type_list, control_type_get, control_rel_list, control_history; /* control_list.c */
call_fn control_series, control_ingest, control_read;                           /* control_series.c */
call_fn control_backup;                                                         /* control_backup.c */
call_fn control_view;                                                           /* control_view.c */
call_fn control_watch;                                                          /* control_watch.c */
call_fn control_policy_publish, control_policy_check, control_policy_show, control_policy_why,
	control_policy_who;                                   /* control_policy.c */
call_fn control_policy_diff;                                  /* control_policy_diff.c */
call_fn control_org_show, control_org_trust, control_org_end; /* control_org.c */
call_fn control_node_invite, control_node_invites, control_node_approve,
	control_node_refuse;                                            /* control_join.c */
call_fn control_person_renew;                                           /* control_person.c */
call_fn control_audit;                                                  /* control_audit.c */
call_fn control_forks, control_fork_choose;                             /* control_fork.c */
call_fn control_summaries;                                              /* control_summaries.c */
call_fn control_twin_alarms;                                            /* control_alarms.c */
call_fn control_find;                                                   /* control_find.c */
call_fn control_command_send, control_command_permit, control_commands; /* control_command.c */
call_fn control_adapter_put, control_adapter_drop, control_adapters, control_adapter_try,
	control_letters;                  /* control_adapter.c */
call_fn control_mesh;                     /* control_mesh.c */
call_fn control_attach, control_attached; /* attach.c */

/* control_audit.c: at the start of a request: who it is, if it is one that is audited (person is set).
 * ERR_REFUSED with a note when it could not be. At its end: write it down; `done` is called with the call. */
typedef struct zmq_msg_t zmq_msg_t; /* of <zmq.h> */
MUST_CHECK int control_audit_begin(struct call *c, zmq_msg_t *frame, bool is_remote, struct err_note *note);
MUST_CHECK int control_audit_end(struct call *c, const struct control_answer *answer, journal_fn *done);

/* control_find.c: the `where` of a call's question: parsed, and refused (ERR_REFUSED, ERR_UNIT with a note
 * that names the column) when it fits none of the own types that have its properties, before anybody is
 * asked. */
MUST_CHECK int control_where(const struct call *c, struct err_note *note);
/* control_view.c: whether the question of a call is one of a view. ERR_REFUSED with a note. */
MUST_CHECK int control_view_check(const struct call *c, struct err_note *note);
/* Is its root not there, or not shared? And the sentence for it. */
bool control_view_is_absent(const struct view_part *view);
void control_view_absent(const char *root, struct err_note *note);

/* Changes are refused (ERR_REFUSED with a note) by a node that owns no twins. */
MUST_CHECK int control_check_owner(const struct call *c, struct err_note *note);

/* Ends the call in `ctx` with what became of its changes: the write_fn of every request that writes. */
struct write_result;
void control_written(void *ctx, const struct write_result *result);

/* A frame to answer with, of one request at a time: clear it first. */
struct packed_writer *control_frame(struct control *control);

/* Append a twin's relations and memberships to an answer. -ENOMEM. */
MUST_CHECK int control_push_relations(struct call *c, const struct twin *t, struct control_answer *answer);
