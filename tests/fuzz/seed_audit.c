/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_audit to begin with: an entry of each sort, records, a page. */
#include <stdio.h>

#include "proto/audit.h"

static const struct audit_entry entries[] = {
	{.kind = AUDIT_NODE, .time_ns = 1, .node = "n1", .org = "acme", .subject = "began"},
	{.kind = AUDIT_POLICY,
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

static int save(const char *directory, const char *name, const struct buf *b)
{
	char path[512];

	TRY(buf_check(b));
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *f = fopen(path, "wb");
	if (!f)
		return FAIL(-errno);
	const bool whole = fwrite(b->data, 1, b->len, f) == b->len;
	return fclose(f) == 0 && whole ? 0 : FAIL(-EIO);
}

static int write_all(const char *directory)
{
	SCOPED(buf_fini) struct buf entry = {0}, records = {0}, page = {0};

	for (size_t i = 0; i < N_ENTRIES; i++) {
		char name[16];
		snprintf(name, sizeof name, "entry%zu", i);
		buf_clear(&entry);
		audit_entry_encode(&entries[i], &entry);
		TRY(save(directory, name, &entry));
		audit_record_put(AUDIT_RECORD_ENTRY, buf_bytes(&entry), &records);
	}
	audit_record_put(AUDIT_RECORD_CHECKPOINT, BYTES("acme/n1\n4\nAAAA\n"), &records);
	TRY(save(directory, "records", &records));
	audit_page_encode(
		&(struct audit_page){
			.first = 0, .total = 4, .key = "acme/n1+00", .records = buf_bytes(&records)},
		&page);
	return save(directory, "page", &page);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seed_audit DIRECTORY\n");
		return 2;
	}
	const int r = write_all(argv[1]);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[1], err_text(r));
	return r < 0 ? 1 : 0;
}
