/* SPDX-License-Identifier: Apache-2.0 */
/* Codecs - every encoded object behind one interface, and objects in which every field has a value. */
#pragma once

#include "proto/control.h"
#include "proto/join.h"

struct codec {
	const char *name;
	size_t size; /* of the object */
	void (*encode)(const void *object, struct buf *out);
	int (*decode)(struct arena *a, struct bytes in, void *ret);
};

union any_object {
	struct twin_def twin_def;
	struct type_def type_def;
	struct relation relation;
	struct membership membership;
	struct row row;
	struct op op;
	struct signed_blob signed_blob;
	struct manifest manifest;
	struct credential credential;
	struct bundle bundle;
	struct policy_doc policy_doc;
	struct person person;
	struct revocations revocations;
	struct freshness freshness;
	struct join_token join_token;
	struct join_request join_request;
	struct join_answer join_answer;
	struct join_ask join_ask;
	struct join_reply join_reply;
	struct invitations invitations;
	struct head head;
	struct message message;
	struct control_request control_request;
	struct control_answer control_answer;
};

struct example {
	const struct codec *codec;
	const void *object;
};

extern const struct codec *const codecs[];
extern const size_t n_codecs;
extern const struct example examples[];
extern const size_t n_examples;

/* The parts, for tests that break one of them. */
extern struct twin_def full_twin;
extern struct type_def full_type;
extern struct relation full_relation;
extern struct membership full_membership;
extern struct row full_row;
extern struct manifest full_manifest;
extern struct credential full_credential;
extern struct bundle full_bundle;
extern struct policy_doc full_policy;
extern struct person full_person;
extern struct revocations full_revocations;
extern struct freshness full_freshness;
extern struct agreement full_agreement;
extern struct errand full_errand;
extern struct message full_trust;
extern struct join_token full_token;
extern struct join_request full_join;
extern struct join_answer full_join_answer;
extern struct join_ask full_join_ask;
extern struct join_reply full_join_reply;
extern struct invitations full_invitations;
extern struct head full_head;
extern struct message full_hello, full_heads, full_pull, full_rows, full_reset, full_repair, full_sums,
	full_reach, full_view_question, full_find_question, full_series_question, full_history_question,
	full_view_answer, full_read_answer, full_mesh_question, full_mesh_answer, full_command_question,
	full_command_answer; /* the last two: command_objects.c */
extern struct control_request full_request;
extern struct control_answer full_answer;
