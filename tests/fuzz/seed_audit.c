/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_audit to begin with: an entry of each sort, records, a page. */
#include <stdio.h>

#include "proto/audit.h"
#include "tests/fuzz/seed.h"

static const struct audit_entry entries[] = {
	{.kind = AUDIT_NODE, .is_plain = true, .time_ns = 1, .node = "n1", .org = "acme", .subject = "began"},
	{.kind = AUDIT_POLICY,
	 .salt = {0, 1, 0xff},
	 .time_ns = INT64_MAX,
	 .person = "uid 1000",
	 .subject = "published",
	 .text = "epoch 7"},
	{.kind = AUDIT_READ,
	 .time_ns = 1700000000000000000,
	 .count = 3000000000,
	 .partner = "bolt",
	 .rule = "Stra\xc3\x9f"
		 "e 3",
	 .twin = "acme/line3/press7",
	 .property = "state/temperature"},
	{.kind = AUDIT_DENIED, .time_ns = -1, .count = UINT64_MAX, .partner = "volt"},
};
enum { N_ENTRIES = sizeof entries / sizeof entries[0] };

int seed_all(const char *directory)
{
	SCOPED(buf_fini) struct buf entry = {0}, records = {0}, page = {0};

	for (size_t i = 0; i < N_ENTRIES; i++) {
		char name[16];
		snprintf(name, sizeof name, "entry%zu", i);
		buf_clear(&entry);
		audit_entry_encode(&entries[i], &entry);
		TRY(seed_save(directory, name, &entry));
		audit_record_put(AUDIT_RECORD_ENTRY, buf_bytes(&entry), &records);
	}
	audit_record_put(AUDIT_RECORD_CHECKPOINT, BYTES("acme/n1\n4\nAAAA\n"), &records);
	TRY(seed_save(directory, "records", &records));
	audit_page_encode(
		&(struct audit_page){
			.first = 0, .total = 4, .key = "acme/n1+00", .records = buf_bytes(&records)},
		&page);
	return seed_save(directory, "page", &page);
}
