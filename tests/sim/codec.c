/* SPDX-License-Identifier: Apache-2.0 */
/* Nine tenths of a run would be protobuf and BLAKE2b, which have tests of their own. So the linker puts these
 * functions between their callers and the real ones (--wrap): a plain copy of the fields, and a hash that
 * mixes well enough for who does not attack it. A stand-in's form begins with a byte no protobuf message
 * begins with; what it cannot express goes to the real one.
 */
#include "tests/sim/world.h"

enum { MARK = 0x07 }; /* field 0, which protobuf does not have */

void __real_head_encode(const struct head *h, struct buf *out);
int __real_head_decode(struct arena *a, struct bytes in, struct head *ret);
void __real_row_encode(const struct row *r, struct buf *out);
int __real_row_decode(struct arena *a, struct bytes in, struct row *ret);
void __real_signed_blob_encode(const struct signed_blob *b, struct buf *out);
int __real_signed_blob_decode(struct arena *a, struct bytes in, struct signed_blob *ret);
struct hash128 __real_hash128(const char *domain, struct bytes a, struct bytes b);
uint64_t __real_hash64(const char *domain, struct bytes a, struct bytes b);
void __wrap_head_encode(const struct head *h, struct buf *out);
int __wrap_head_decode(struct arena *a, struct bytes in, struct head *ret);
void __wrap_row_encode(const struct row *r, struct buf *out);
int __wrap_row_decode(struct arena *a, struct bytes in, struct row *ret);
void __wrap_signed_blob_encode(const struct signed_blob *b, struct buf *out);
int __wrap_signed_blob_decode(struct arena *a, struct bytes in, struct signed_blob *ret);
struct hash128 __wrap_hash128(const char *domain, struct bytes a, struct bytes b);
uint64_t __wrap_hash64(const char *domain, struct bytes a, struct bytes b);

static bool is_real = true; /* the functions below have no other way to know */

void codec_use(bool real)
{
	is_real = real;
}

/* ---- Hashes -----------------------------------------------------------------------------------------------
 */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
	return h ^ h >> 29;
}

static uint64_t mix_bytes(uint64_t h, struct bytes b)
{
	size_t i = 0;
	uint64_t v = 0;

	for (; b.len - i >= sizeof v; i += sizeof v) {
		memcpy(&v, b.data + i, sizeof v);
		h = mix(h, v);
	}
	v = b.len;
	if (b.len > i)
		memcpy(&v, b.data + i, b.len - i);
	return mix(mix(h, v), b.len);
}

uint64_t __wrap_hash64(const char *domain, struct bytes a, struct bytes b)
{
	if (is_real)
		return __real_hash64(domain, a, b);
	const uint64_t h = mix_bytes((uint8_t)domain[0] + 256u * (uint8_t)domain[1], a);
	return b.len > 0 ? mix_bytes(h, b) : h;
}

struct hash128 __wrap_hash128(const char *domain, struct bytes a, struct bytes b)
{
	struct hash128 ret;

	if (is_real)
		return __real_hash128(domain, a, b);
	const uint64_t low = __wrap_hash64(domain, a, b), high = mix(low, UINT64_C(0x6c62272e07bb0142));
	memcpy(ret.b, &high, sizeof high);
	memcpy(ret.b + sizeof high, &low, sizeof low);
	return ret;
}

/* ---- Forms ------------------------------------------------------------------------------------------------
 */

static void put(struct buf *out, const void *what, size_t size)
{
	buf_put(out, (struct bytes){what, size});
}

static void put_text(struct buf *out, const char *text)
{
	const uint32_t n = (uint32_t)strlen(text) + 1;

	put(out, &n, sizeof n);
	put(out, text, n);
}

/* The next `size` bytes; NULL: there are not so many. */
static const uint8_t *get(struct bytes *in, size_t size)
{
	const uint8_t *p = in->data;

	if (in->len < size)
		return NULL;
	in->data += size;
	in->len -= size;
	return p;
}

static bool get_into(struct bytes *in, void *ret, size_t size)
{
	const uint8_t *p = get(in, size);

	if (p)
		memcpy(ret, p, size);
	return p != NULL;
}

static bool get_text(struct arena *a, struct bytes *in, const char **ret)
{
	uint32_t n;
	const uint8_t *p = get_into(in, &n, sizeof n) && n > 0 ? get(in, n) : NULL;
	char *text = p ? arena_take(a, n) : NULL;

	if (!text)
		return false;
	memcpy(text, p, n);
	*ret = text;
	return text[n - 1] == '\0';
}

static bool is_stand_in(struct bytes in)
{
	return in.len > 0 && in.data[0] == MARK;
}

void __wrap_head_encode(const struct head *h, struct buf *out)
{
	if (is_real) {
		__real_head_encode(h, out);
		return;
	}
	const uint64_t n = h->n_lineage;
	buf_put_u8(out, MARK);
	put(out, &n, sizeof n);
	put(out, h->lineage, n * sizeof *h->lineage);
	put(out, &h->seq, sizeof h->seq);
	put(out, h->fingerprint.sum.b, sizeof h->fingerprint.sum.b);
	put(out, &h->fingerprint.count, sizeof h->fingerprint.count);
	put(out, &h->epoch, sizeof h->epoch);
	put(out, &h->stamp_ns, sizeof h->stamp_ns);
	put_text(out, h->origin);
}

static bool get_lineage(struct arena *a, struct bytes *in, struct head *ret)
{
	uint64_t n;

	if (!get_into(in, &n, sizeof n) || n > LINEAGE_MAX)
		return false;
	ret->n_lineage = n;
	ret->lineage = arena_take_array(a, n, sizeof *ret->lineage);
	return ret->lineage && get_into(in, ret->lineage, n * sizeof *ret->lineage);
}

int __wrap_head_decode(struct arena *a, struct bytes in, struct head *ret)
{
	if (!is_stand_in(in))
		return __real_head_decode(a, in, ret);
	*ret = (struct head){0};
	in = (struct bytes){in.data + 1, in.len - 1};
	const bool good = get_lineage(a, &in, ret) && get_into(&in, &ret->seq, sizeof ret->seq) &&
			  get_into(&in, ret->fingerprint.sum.b, sizeof ret->fingerprint.sum.b) &&
			  get_into(&in, &ret->fingerprint.count, sizeof ret->fingerprint.count) &&
			  get_into(&in, &ret->epoch, sizeof ret->epoch) &&
			  get_into(&in, &ret->stamp_ns, sizeof ret->stamp_ns) &&
			  get_text(a, &in, &ret->origin);
	return good && in.len == 0 ? 0 : ERR_MALFORMED;
}

/* What of a row the simulation uses. */
struct short_row {
	struct row_version version;
	uint64_t seq;
	uint32_t mask;
	uint32_t deleted;
};

void __wrap_row_encode(const struct row *r, struct buf *out)
{
	if (is_real || r->n_kpis > 0 || r->n_parents > 0 || r->n_tags > 0) {
		__real_row_encode(r, out);
		return;
	}
	struct short_row s;
	memset(&s, 0, sizeof s); /* padding, too: equal rows are equal bytes */
	s.version.lineage = r->version.lineage;
	s.version.stamp_ns = r->version.stamp_ns;
	s.seq = r->seq;
	s.mask = r->mask;
	s.deleted = r->deleted;
	buf_put_u8(out, MARK);
	put(out, &s, sizeof s);
	put_text(out, r->id);
	put_text(out, r->type);
	put_text(out, r->name);
}

int __wrap_row_decode(struct arena *a, struct bytes in, struct row *ret)
{
	struct short_row s;

	if (!is_stand_in(in))
		return __real_row_decode(a, in, ret);
	in = (struct bytes){in.data + 1, in.len - 1};
	if (!get_into(&in, &s, sizeof s))
		return ERR_MALFORMED;
	*ret = (struct row){.version = s.version, .seq = s.seq, .mask = s.mask, .deleted = s.deleted != 0};
	const bool good =
		get_text(a, &in, &ret->id) && get_text(a, &in, &ret->type) && get_text(a, &in, &ret->name);
	return good && in.len == 0 ? 0 : ERR_MALFORMED;
}

void __wrap_signed_blob_encode(const struct signed_blob *b, struct buf *out)
{
	if (is_real) {
		__real_signed_blob_encode(b, out);
		return;
	}
	buf_put_u8(out, MARK);
	put(out, b->key.b, sizeof b->key.b);
	put(out, b->signature, sizeof b->signature);
	buf_put(out, b->payload);
}

int __wrap_signed_blob_decode(struct arena *a, struct bytes in, struct signed_blob *ret)
{
	if (!is_stand_in(in))
		return __real_signed_blob_decode(a, in, ret);
	in = (struct bytes){in.data + 1, in.len - 1};
	if (!get_into(&in, ret->key.b, sizeof ret->key.b) ||
	    !get_into(&in, ret->signature, sizeof ret->signature))
		return ERR_MALFORMED;
	ret->payload = (struct bytes){(const uint8_t *)arena_text(a, in), in.len};
	return ret->payload.data ? 0 : -ENOMEM;
}
