/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a chunk: refused, or samples in the order of time that come back from a chunk of their own,
 * bit for bit, however hard that one was looked for. */
#include "storage/chunk.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t first_ns = 1300000000000000000;

static bool same_text(const struct column *a, uint64_t i, const struct column *b, uint64_t k)
{
	return strcmp((const char *)a->more.data + i, (const char *)b->more.data + k) == 0;
}

static bool same_value(const struct column *a, const struct column *b, size_t i)
{
	enum { POSITION_BYTES = 24 };

	if (a->type == VALUE_TEXT || a->type == VALUE_ENUM)
		return same_text(a, a->bits[i], b, b->bits[i]);
	if (a->type == VALUE_POSITION)
		return memcmp(a->more.data + a->bits[i], b->more.data + b->bits[i], POSITION_BYTES) == 0;
	return a->bits[i] == b->bits[i];
}

static void compare(const struct column *a, const struct column *b)
{
	must(a->n == b->n && a->type == b->type);
	for (size_t i = 0; i < a->n; i++) {
		const struct sample x = column_get(a, i), y = column_get(b, i);
		must(x.t_ns == y.t_ns && x.quality == y.quality && same_value(a, b, i));
		must(memcmp(&x.sigma, &y.sigma, sizeof x.sigma) == 0 || (isnan(x.sigma) && isnan(y.sigma)));
		must(!x.source == !y.source && (!x.source || strcmp(x.source, y.source) == 0));
	}
}

static void write_anew(const struct column *c, enum chunk_effort effort)
{
	SCOPED(buf_fini) struct buf out = {0};
	SCOPED(column_fini) struct column back = {0};
	struct chunk_info info;

	chunk_encode(c, 0, c->n, effort, &out);
	must(buf_check(&out) == 0);
	must(chunk_decode(buf_bytes(&out), first_ns, &back) == 0);
	compare(c, &back);
	must(chunk_inspect(buf_bytes(&out), first_ns, &info) == 0 && info.n == c->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPED(column_fini) struct column c = {0};
	const int r = chunk_decode((struct bytes){data, size}, first_ns, &c);

	must(r == 0 || r == ERR_CORRUPT || r == ERR_VERSION);
	must(r == 0 ? c.n > 0 && c.n <= CHUNK_SAMPLES_MAX : c.n == 0);
	for (size_t i = 1; i < c.n; i++)
		must(c.t_ns[i - 1] < c.t_ns[i]);
	if (r < 0)
		return 0;
	write_anew(&c, CHUNK_FAST);
	write_anew(&c, CHUNK_SMALL);
	return 0;
}
