/* SPDX-License-Identifier: Apache-2.0 */
/* Commands, permits, receipts and records: what one decodes, encodes to bytes that decode to the same. */
#include "proto/limits.h"
#include "tests/lib/must.h"
#include "tests/unit/proto/command_objects.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_as(const struct command_codec *c, struct bytes in)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf first = {0};
	SCOPED(buf_fini) struct buf second = {0};
	union any_command object;

	must(arena_new(&a, DECODE_BUDGET_BASE + 2 * DECODE_BUDGET_FACTOR * in.len) == 0);
	const int r = c->decode(a, in, &object);
	must(r == 0 || r == ERR_MALFORMED || r == -ENOMEM);
	if (r < 0)
		return;
	c->encode(&object, &first);
	must(buf_check(&first) == 0);
	SCOPED(scope_arena) struct arena *ample = NULL;
	must(arena_new(&ample, SIZE_MAX) == 0);
	must(c->decode(ample, buf_bytes(&first), &object) == 0);
	c->encode(&object, &second);
	must(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < N_COMMAND_CODECS; i++)
		try_as(&command_codecs[i], (struct bytes){data, size});
	return 0;
}
