/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"

#include "proto/id.h"
#include "proto/words.h"

/* ---- whole messages */

void pb_pack(const ProtobufCMessage *m, struct buf *out)
{
	const size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *p = buf_extend(out, n);

	if (p)
		protobuf_c_message_pack(m, p);
}

struct source {
	struct arena *arena;
	bool dry;
};

/* One byte more than asked for: arena memory is zeroed, so it ends every text. */
static void *take(void *data, size_t size)
{
	struct source *s = data;
	void *p = size < SIZE_MAX ? arena_take(s->arena, size + 1) : NULL;

	s->dry = s->dry || !p;
	return p;
}

static void give_back(void *data, void *p)
{
	(void)data, (void)p; /* the arena goes as a whole */
}

int pb_unpack(struct arena *a, pb_descriptor *d, struct bytes in, void *ret)
{
	struct source source = {.arena = a};
	ProtobufCAllocator allocator = {.alloc = take, .free = give_back, .allocator_data = &source};
	ProtobufCMessage *m = protobuf_c_message_unpack(d, &allocator, in.len, in.data);

	if (!m)
		return FAIL(source.dry ? -ENOMEM : ERR_MALFORMED);
	*(ProtobufCMessage **)ret = m;
	return 0;
}

void *pb_new(struct arena *a, pb_descriptor *d)
{
	void *m = arena_take(a, d->sizeof_message);

	if (m)
		protobuf_c_message_init(d, m);
	return m;
}

int pb_list(struct arena *a, pb_descriptor *d, size_t n, void *ret_field, size_t *ret_n)
{
	void **list = arena_take_array(a, n, sizeof *list);
	uint8_t *items = arena_take_array(a, n, d->sizeof_message);

	if (!list || !items)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		list[i] = items + i * d->sizeof_message;
		protobuf_c_message_init(d, list[i]);
	}
	*(void ***)ret_field = list;
	*ret_n = n;
	return 0;
}

/* ---- to the generated form */

pb_data bytes_to_pb(struct bytes b)
{
	/* protobuf-c only reads it, its struct just does not say so. */
	return (pb_data){.data = (uint8_t *)(uintptr_t)b.data, .len = b.len};
}

pb_data text_to_pb(const char *text)
{
	return bytes_to_pb(bytes_of_text(text));
}

static int list_of_data(struct arena *a, size_t n, pb_data **ret, size_t *ret_n)
{
	*ret = arena_take_array(a, n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	*ret_n = n;
	return 0;
}

int texts_to_pb(struct arena *a, const char *const *texts, size_t n, pb_data **ret, size_t *ret_n)
{
	TRY(list_of_data(a, n, ret, ret_n));
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = text_to_pb(texts[i]);
	return 0;
}

int blobs_to_pb(struct arena *a, const struct bytes *blobs, size_t n, pb_data **ret, size_t *ret_n)
{
	TRY(list_of_data(a, n, ret, ret_n));
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = bytes_to_pb(blobs[i]);
	return 0;
}

/* ---- from the generated form */

int malformed_unless(bool good)
{
	return good ? 0 : FAIL(ERR_MALFORMED);
}

int blob_from_pb(pb_data b, size_t max, struct bytes *ret)
{
	TRY(malformed_unless(b.len <= max));
	*ret = (struct bytes){b.data, b.len};
	return 0;
}

int fixed_from_pb(pb_data b, void *ret, size_t size)
{
	TRY(malformed_unless(b.len == size));
	memcpy(ret, b.data, size);
	return 0;
}

int blobs_from_pb(struct arena *a, const pb_data *list, size_t n, size_t max, struct bytes **ret)
{
	*ret = arena_take_array(a, n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(blob_from_pb(list[i], max, &(*ret)[i]));
	return 0;
}

int raw_from_pb(pb_data b, size_t max, const char **ret)
{
	TRY(malformed_unless(b.len <= max && (b.len == 0 || !memchr(b.data, 0, b.len))));
	*ret = b.len > 0 ? (const char *)b.data : "";
	return 0;
}

int text_from_pb(pb_data b, size_t max, const char **ret)
{
	TRY(raw_from_pb(b, max, ret));
	return malformed_unless(text_is_clean((struct bytes){b.data, b.len}));
}

int sentence_from_pb(pb_data b, size_t max, const char **ret)
{
	TRY(raw_from_pb(b, max, ret));
	text_mend((char *)b.data, b.len);
	return 0;
}

typedef int (*text_fn)(pb_data b, size_t max, const char **ret);

static int list_from_pb(struct arena *a, const pb_data *list, size_t n, size_t max, text_fn convert,
			const char ***ret)
{
	*ret = arena_take_array(a, n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(convert(list[i], max, &(*ret)[i]));
	return 0;
}

int texts_from_pb(struct arena *a, const pb_data *list, size_t n, size_t max, const char ***ret)
{
	return list_from_pb(a, list, n, max, text_from_pb, ret);
}

int sentences_from_pb(struct arena *a, const pb_data *list, size_t n, size_t max, const char ***ret)
{
	return list_from_pb(a, list, n, max, sentence_from_pb, ret);
}

/* ---- words */

bool word_is_org(struct bytes word)
{
	return id_is_segment(word, ORG_NAME_MAX);
}

bool word_is_node(struct bytes word)
{
	return id_is_segment(word, NODE_NAME_MAX);
}

bool word_is_person(struct bytes word)
{
	return id_is_segment(word, PERSON_NAME_MAX);
}

bool word_is_tag(struct bytes word)
{
	return id_is_segment(word, TAG_MAX);
}

bool word_is_origin(struct bytes word)
{
	const uint8_t *slash = word.len > 0 ? memchr(word.data, '/', word.len) : NULL;

	if (!slash)
		return false;
	const size_t n = (size_t)(slash - word.data);
	return word_is_org((struct bytes){word.data, n}) &&
	       word_is_node((struct bytes){slash + 1, word.len - n - 1});
}

int word_from_pb(pb_data b, word_fn is, const char **ret)
{
	TRY(malformed_unless(is((struct bytes){b.data, b.len})));
	*ret = (const char *)b.data;
	return 0;
}

int word_or_none_from_pb(pb_data b, word_fn is, const char **ret)
{
	*ret = "";
	return b.len > 0 ? word_from_pb(b, is, ret) : 0;
}
