/* SPDX-License-Identifier: Apache-2.0 */
/* In process: an audit of a million entries with a checkpoint every thousand is read from disk and verified:
 * checksums of the groups, the tree over all entries, the root and signature of every checkpoint. */
#include <stdio.h>

#include "security/audit_check.h"
#include "storage/audit.h"
#include "tests/bench/bench.h"

enum { ENTRIES = 1000000, ENTRIES_QUICK = 20000, GROUP = 1000, PAGE_BYTES = 1 << 20 };

struct signer {
	struct sign_key *secret;
	struct checkpoint_key key;
	struct merkle tree;
};

/* What most entries are: the count of a minute. */
static void put_entry(struct signer *s, unsigned i, struct buf *records, struct buf *entry)
{
	char twin[64];

	snprintf(twin, sizeof twin, "acme/plant1/line%u/press%u", i / 100 % 10, i % 100);
	buf_clear(entry);
	audit_entry_encode(&(struct audit_entry){.kind = AUDIT_READ,
						 .time_ns = INT64_C(1700000000000000000) + i,
						 .count = 1 + i % 50,
						 .node = "north",
						 .org = "acme",
						 .subject = "read",
						 .partner = "bolt",
						 .rule = "line 3 with bolt",
						 .twin = twin,
						 .property = "state/temperature"},
			   entry);
	audit_record_put(AUDIT_RECORD_ENTRY, buf_bytes(entry), records);
	const struct merkle_hash leaf = merkle_leaf(buf_bytes(entry));
	merkle_append(&s->tree, &leaf);
}

static int write_group(struct audit_log *log, struct signer *s, unsigned first)
{
	SCOPED(buf_fini) struct buf records = {0}, entry = {0}, text = {0};

	for (unsigned i = 0; i < GROUP; i++)
		put_entry(s, first + i, &records, &entry);
	const struct merkle_hash root = merkle_root(&s->tree);
	checkpoint_sign(s->secret, &s->key, s->tree.n, &root, &text);
	audit_record_put(AUDIT_RECORD_CHECKPOINT, buf_bytes(&text), &records);
	TRY(buf_check(&records));
	return audit_log_commit(log, &(struct audit_group){.records = buf_bytes(&records),
							   .n_entries = GROUP,
							   .has_checkpoint = true,
							   .time_ns = first});
}

static int verify(struct audit_log *log, struct audit_check *check, struct err_note *note)
{
	uint64_t from = 0, first;
	int r = 0;

	while (r == 0) {
		SCOPED(buf_fini) struct buf page = {0};
		struct audit_record record;
		r = audit_log_read(log, from, PAGE_BYTES, &page, &first, &from);
		TRY(r);
		int more;
		for (struct bytes rest = buf_bytes(&page); (more = audit_record_next(&rest, &record)) > 0;)
			TRY(audit_check_record(check, &record, note));
		TRY(more);
	}
	return 0;
}

static int measure(const struct bench_options *opt, struct audit_log *log, struct signer *s,
		   struct err_note *note)
{
	struct audit_check check = {.key = s->key};
	const unsigned n = opt->quick ? ENTRIES_QUICK : ENTRIES;
	double began = bench_now_s();

	for (unsigned i = 0; i < n; i += GROUP)
		TRY(write_group(log, s, i));
	bench_result(opt, "audit-write", "1000", n / (bench_now_s() - began), "entries/s");
	began = bench_now_s();
	TRY(verify(log, &check, note));
	const double took_s = bench_now_s() - began;
	if (check.covered != n)
		return FAIL_SAY(note, ERR_CORRUPT, "%llu of %u entries were verified",
				(unsigned long long)check.covered, n);
	bench_result(opt, "audit-verify", opt->quick ? "20k" : "1M", took_s, "s");
	return 0;
}

static int run(const struct bench_options *opt)
{
	SCOPED(scope_audit_log) struct audit_log *log = NULL;
	struct err_note note = {0};
	struct signer s = {0};
	char place[512] = "", dir[600];

	if (keys_init() < 0 || sign_key_new(&s.secret) < 0 || bench_place(opt, place, sizeof place) < 0)
		return -1;
	const struct public_key public = sign_key_public(s.secret);
	s.key = checkpoint_key_of("acme", "north", &public);
	snprintf(dir, sizeof dir, "%s/audit", place);
	int r = audit_log_open(&log, &(struct audit_options){.dir = dir}, &note);
	if (r == 0)
		r = measure(opt, log, &s, &note);
	sign_key_free(s.secret);
	bench_remove(place);
	return r < 0 ? bench_say("audit-verify", "%s", note.text[0] ? note.text : err_text(r)) : 0;
}

const struct bench bench_audit = {"audit-verify", "an audit of a million entries, from disk", run};
