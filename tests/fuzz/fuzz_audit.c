/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an entry, as records and as a page of the audit. What is accepted has one form only: it comes
 * out of its own encoding byte by byte as it went in. */
#include <stdint.h>

#include "proto/audit.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(struct arena *a, struct bytes in)
{
	SCOPED(buf_fini) struct buf again = {0};
	struct audit_entry e;

	const int r = audit_entry_decode(a, in, &e);
	must(r == 0 || r == ERR_MALFORMED || r == ERR_VERSION || r == -ENOMEM);
	if (r < 0)
		return;
	audit_entry_encode(&e, &again);
	must(buf_check(&again) == 0 && bytes_equal(buf_bytes(&again), in) && in.len <= AUDIT_ENTRY_MAX);
}

static void check_records(struct arena *a, struct bytes in)
{
	SCOPED(buf_fini) struct buf again = {0};
	struct audit_record record;
	struct bytes rest = in;
	int r;

	while ((r = audit_record_next(&rest, &record)) > 0) {
		audit_record_put(record.kind, record.body, &again);
		check_entry(a, record.body);
	}
	must(r == 0 || r == ERR_MALFORMED);
	must(bytes_start_with(in, buf_bytes(&again)) && (r < 0 || again.len == in.len));
}

static void check_page(struct arena *a, struct bytes in)
{
	SCOPED(buf_fini) struct buf again = {0};
	struct audit_page p;

	if (audit_page_decode(a, in, &p) < 0)
		return;
	audit_page_encode(&p, &again);
	must(bytes_equal(buf_bytes(&again), in));
	check_records(a, p.records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct bytes in = {data, size};

	must(arena_new(&a, 1 << 20) == 0);
	check_entry(a, in);
	check_records(a, in);
	check_page(a, in);
	return 0;
}
