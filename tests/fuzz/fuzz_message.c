/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as each of the encoded objects: refused, or an object that encodes and decodes to the same bytes
 * for ever after. All of it within the budget that a node gives. */
#include "proto/limits.h"
#include "tests/lib/must.h"
#include "tests/unit/proto/codecs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union any_object object;

static void encode(const struct codec *c, struct buf *out)
{
	buf_clear(out);
	c->encode(&object, out);
	must(buf_check(out) == 0);
}

static void try_as(const struct codec *c, struct bytes in)
{
	const size_t budget = DECODE_BUDGET_BASE + DECODE_BUDGET_FACTOR * in.len;
	SCOPED(scope_arena) struct arena *small = NULL;
	SCOPED(scope_arena) struct arena *ample = NULL;
	SCOPED(buf_fini) struct buf first = {0};
	SCOPED(buf_fini) struct buf second = {0};

	must(arena_new(&small, budget) == 0);
	const int r = c->decode(small, in, &object);
	must(r == 0 || r == ERR_MALFORMED || r == -ENOMEM);
	must(arena_used(small) <= budget);
	if (r < 0)
		return;
	encode(c, &first);
	must(arena_new(&ample, SIZE_MAX) == 0);
	must(c->decode(ample, buf_bytes(&first), &object) == 0);
	encode(c, &second);
	must(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < n_codecs; i++)
		try_as(codecs[i], (struct bytes){data, size});
	return 0;
}
