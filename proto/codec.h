/* SPDX-License-Identifier: Apache-2.0 */
/* Codec - private to proto/: between our plain structs and the types protobuf-c generated from holon.proto.
 *
 * x_to_pb() builds the generated form in an arena, borrowing texts and bytes from x; -ENOMEM.
 * x_from_pb() checks everything and builds x, borrowing texts and bytes from the generated form;
 * ERR_MALFORMED, -ENOMEM. What protobuf-c decodes for us lies in the arena with a NUL behind every field of
 * bytes, so such a field is a text as it stands.
 */
#pragma once

#include "proto/arena.h"
#include "proto/buf.h"
#include "proto/holon.pb-c.h"
#include "proto/op.h"
#include "proto/trust.h"
#include "proto/view.h"

#define PB(message) Holon__V1__##message
#define PB_DESCRIPTOR(message) holon__v1__##message##__descriptor

typedef const ProtobufCMessageDescriptor pb_descriptor;
typedef ProtobufCBinaryData pb_data;

/* The whole of a message. pb_unpack() leaves a PB(...) * in *ret. */
void pb_pack(const ProtobufCMessage *m, struct buf *out);
MUST_CHECK int pb_unpack(struct arena *a, pb_descriptor *d, struct bytes in, void *ret);

/* An initialised message; NULL without memory. */
void *pb_new(struct arena *a, pb_descriptor *d);
/* n of them, left as a repeated field wants them: PB(...) ** in *ret_field, n in *ret_n. */
MUST_CHECK int pb_list(struct arena *a, pb_descriptor *d, size_t n, void *ret_field, size_t *ret_n);

/* ---- to the generated form */

pb_data bytes_to_pb(struct bytes b);
pb_data text_to_pb(const char *text); /* NULL is "" */
MUST_CHECK int texts_to_pb(struct arena *a, const char *const *texts, size_t n, pb_data **ret, size_t *ret_n);
MUST_CHECK int blobs_to_pb(struct arena *a, const struct bytes *blobs, size_t n, pb_data **ret,
			   size_t *ret_n);

/* ---- from the generated form: ERR_MALFORMED unless it is what the name says */

/* The failure of a check on something that a peer sent. */
MUST_CHECK int malformed_unless(bool good);

MUST_CHECK int blob_from_pb(pb_data b, size_t max, struct bytes *ret);
MUST_CHECK int fixed_from_pb(pb_data b, void *ret, size_t size); /* exactly so many bytes */
MUST_CHECK int blobs_from_pb(struct arena *a, const pb_data *list, size_t n, size_t max, struct bytes **ret);

/* Texts. raw: anything without a NUL inside; text: UTF-8; sentence: for people only, what is not UTF-8
 * becomes
 * '?' (a note that was cut in the middle of a letter must not cost the answer). */
MUST_CHECK int raw_from_pb(pb_data b, size_t max, const char **ret);
MUST_CHECK int text_from_pb(pb_data b, size_t max, const char **ret);
MUST_CHECK int sentence_from_pb(pb_data b, size_t max, const char **ret);
MUST_CHECK int texts_from_pb(struct arena *a, const pb_data *list, size_t n, size_t max, const char ***ret);
MUST_CHECK int sentences_from_pb(struct arena *a, const pb_data *list, size_t n, size_t max,
				 const char ***ret);

/* Words with a form (id.h). */
typedef bool (*word_fn)(struct bytes word);
bool word_is_org(struct bytes word);
bool word_is_node(struct bytes word);
bool word_is_person(struct bytes word); /* also the name of a role that an organisation defines */
bool word_is_tag(struct bytes word);
bool word_is_origin(struct bytes word); /* ORG/NODE */
MUST_CHECK int word_from_pb(pb_data b, word_fn is, const char **ret);
MUST_CHECK int word_or_none_from_pb(pb_data b, word_fn is, const char **ret); /* also "" */

/* Twin id prefixes of a credential. */
MUST_CHECK int prefixes_from_pb(struct arena *a, const pb_data *list, size_t n, const char ***ret,
				size_t *ret_n);

/* An enum that starts at 0 and has n values. protobuf-c lets any number pass. */
#define ENUM_FROM_PB(value, n, ret) \
	__extension__({ \
		const bool enum_good = (value) >= 0 && (unsigned)(value) < (unsigned)(n); \
		if (enum_good) \
			*(ret) = (__typeof__(*(ret)))(value); \
		malformed_unless(enum_good); \
	})

/* A repeated field of messages from an array of ours, and back, one by one with `convert`. */
#define LIST_TO_PB(a, message, items, n, convert, field, ret_n) \
	__extension__({ \
		int list_r = pb_list((a), &PB_DESCRIPTOR(message), (n), (field), (ret_n)); \
		for (size_t list_i = 0; list_r == 0 && list_i < (n); list_i++) \
			list_r = convert((a), &(items)[list_i], (*(field))[list_i]); \
		list_r; \
	})
#define LIST_FROM_PB(a, field, n_field, convert, ret, ret_n) \
	__extension__({ \
		int list_r = 0; \
		*(ret) = arena_take_array((a), (n_field), sizeof **(ret)); \
		*(ret_n) = (n_field); \
		if (!*(ret)) \
			list_r = FAIL(-ENOMEM); \
		for (size_t list_i = 0; list_r == 0 && list_i < (n_field); list_i++) \
			list_r = convert((a), (field)[list_i], &(*(ret))[list_i]); \
		list_r; \
	})

/* A submessage of its own memory. */
#define ONE_TO_PB(a, message, item, convert, field) \
	__extension__({ \
		*(field) = pb_new((a), &PB_DESCRIPTOR(message)); \
		*(field) ? convert((a), (item), *(field)) : FAIL(-ENOMEM); \
	})

/* The public pair of an object out of its private one. */
#define DEFINE_ENCODER(object, Message, message) \
	void object##_encode(const struct object *o, struct buf *out) \
	{ \
		SCOPED(scope_arena) struct arena *a = NULL; \
		PB(Message) pb; \
		protobuf_c_message_init(&PB_DESCRIPTOR(message), &pb); \
		if (arena_new(&a, SIZE_MAX) < 0 || object##_to_pb(a, o, &pb) < 0) \
			out->failed = true; \
		else \
			pb_pack(&pb.base, out); \
	}
#define DEFINE_CODEC(object, Message, message) \
	DEFINE_ENCODER(object, Message, message) \
	int object##_decode(struct arena *a, struct bytes in, struct object *ret) \
	{ \
		PB(Message) * pb; \
		struct object o; \
		memset(&o, 0, sizeof o); \
		TRY(pb_unpack(a, &PB_DESCRIPTOR(message), in, &pb)); \
		TRY(object##_from_pb(a, pb, &o)); \
		*ret = o; \
		return 0; \
	}

/* ---- what several messages contain */

#define SHARED_CODEC(object, Message) \
	MUST_CHECK int object##_to_pb(struct arena *a, const struct object *o, PB(Message) * pb); \
	MUST_CHECK int object##_from_pb(struct arena *a, const PB(Message) * pb, struct object * ret)

SHARED_CODEC(sample, Sample);
SHARED_CODEC(kpi, Kpi);
SHARED_CODEC(type_def, TypeDef);
SHARED_CODEC(twin_def, TwinDef);
SHARED_CODEC(relation, Relation);
SHARED_CODEC(membership, Membership);
SHARED_CODEC(row, Row);
SHARED_CODEC(row_alarm, RowAlarm);
SHARED_CODEC(op, Op);
SHARED_CODEC(signed_blob, SignedBlob);
SHARED_CODEC(view_question, ViewQuestion);
SHARED_CODEC(view_part, ViewPart);
struct peer_info;
SHARED_CODEC(peer_info, PeerInfo);
struct alarm_info;
SHARED_CODEC(alarm_info, AlarmInfo);
struct mesh_counts;
SHARED_CODEC(mesh_counts, MeshCounts);
struct node_report;
SHARED_CODEC(node_report, NodeReport);
struct history_bucket;
SHARED_CODEC(history_bucket, HistoryBucket);
struct argument;
SHARED_CODEC(argument, Argument);
struct command_word;
SHARED_CODEC(command_word, CommandWord);
struct adapter_info;
SHARED_CODEC(adapter_info, AdapterInfo);
struct dead_letter;
SHARED_CODEC(dead_letter, DeadLetter);
struct twin_alarm;
SHARED_CODEC(twin_alarm, TwinAlarm);
struct order;
SHARED_CODEC(order, Order);
