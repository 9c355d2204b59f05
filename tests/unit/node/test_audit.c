/* SPDX-License-Identifier: Apache-2.0 */
#include "node/audit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/engine.h"
#include "node/record.h"
#include "security/audit_check.h"
#include "storage/audit.h"
#include "tests/lib/disk.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

static struct config config;
static struct credential self = {.org = "acme", .node = "n1"};
static struct trust trust = {.self = &self};
static struct engine engine;
static struct journal *journal;
static struct arena *arena;
static bool stopped;
static int told_times, told;

static void open_journal(void)
{
	struct err_note note = {0};

	stopped = false;
	must(journal_open(&journal, &engine, &note) == 0);
}

static void begin(void)
{
	must(keys_init() == 0);
	config_defaults(&config);
	snprintf(config.dir, sizeof config.dir, "%s", tmpdir_make());
	must(sign_key_new(&trust.sign) == 0);
	engine = (struct engine){.config = &config, .trust = &trust};
	must(uv_loop_init(&engine.loop) == 0);
	must(arena_new(&arena, SIZE_MAX) == 0);
	disk_watch(config.dir, NULL, NULL);
	open_journal();
}

static void on_stopped(struct engine *e)
{
	must(e == &engine);
	stopped = true;
}

static void close_journal(void)
{
	journal_stop(journal, on_stopped);
	uv_run(&engine.loop, UV_RUN_DEFAULT);
	must(stopped);
	journal_free(journal);
	journal = NULL;
}

static void end(void)
{
	disk_watch(NULL, NULL, NULL);
	if (journal)
		close_journal();
	must(uv_loop_close(&engine.loop) == 0);
	sign_key_free(trust.sign);
	trust.sign = NULL;
	arena_free(arena);
	arena = NULL;
	tmpdir_remove();
}

TestSuite(journal, .init = begin, .fini = end);

static void on_told(void *ctx, int code)
{
	(void)ctx;
	told_times++;
	told = code;
}

static int note_and_wait(const char *subject)
{
	told_times = 0;
	must(journal_note_then(journal, &(struct audit_entry){.kind = AUDIT_ADMIN, .subject = subject},
			       on_told, NULL) == 0);
	uv_run(&engine.loop, UV_RUN_DEFAULT);
	cr_assert(eq(int, told_times, 1));
	return told;
}

/* All records on disk. */
static void read_disk(struct buf *ret)
{
	SCOPED(scope_audit_log) struct audit_log *log = NULL;
	uint64_t first, next = 0;
	char dir[600];

	snprintf(dir, sizeof dir, "%s/audit", config.dir);
	must(audit_log_open(&log, &(struct audit_options){.dir = dir}, NULL) == 0);
	must(audit_log_read(log, 0, SIZE_MAX / 2, ret, &first, &next) == AUDIT_LOG_END);
}

/* Everything on disk is verified; entries of the kind (with that subject, unless NULL), and the sum of their
 * counts.
 */
static size_t found(enum audit_kind kind, const char *subject, uint64_t *ret_sum)
{
	const struct public_key key = sign_key_public(trust.sign);
	SCOPED(audit_check_fini) struct audit_check check = {.key = checkpoint_key_of("acme", "n1", &key)};
	SCOPED(buf_fini) struct buf b = {0};
	struct err_note note = {0};
	struct audit_record r;
	size_t n = 0;

	*ret_sum = 0;
	read_disk(&b);
	for (struct bytes rest = buf_bytes(&b); audit_record_next(&rest, &r) > 0;) {
		struct audit_entry e;
		cr_assert(eq(int, audit_check_record(&check, &r, &note), 0), "%s", note.text);
		if (r.kind != AUDIT_RECORD_ENTRY)
			continue;
		must(audit_entry_decode(arena, r.body, &e) == 0);
		if (e.kind != kind || (subject && strcmp(e.subject, subject) != 0))
			continue;
		n++;
		*ret_sum += e.count;
	}
	cr_assert(eq(u64, check.covered, check.tree.n), "the last checkpoint covers everything");
	return n;
}

Test(journal, what_is_told_to_be_written_is_on_the_disk)
{
	uint64_t sum;

	cr_assert(eq(int, note_and_wait("one"), 0));
	disk_fail((struct disk_fault){.calls = ~0u, .times = -1, .error = EIO}); /* nothing more gets there */
	close_journal();
	disk_fail((struct disk_fault){.after = -1});
	open_journal();
	close_journal();
	cr_expect(eq(sz, found(AUDIT_ADMIN, "one", &sum), 1));
	cr_expect(eq(sz, found(AUDIT_NODE, "ended", &sum), 1));
}

Test(journal, the_tree_goes_on_where_it_ended)
{
	uint64_t sum;

	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 700; k++)
			journal_note(journal, &(struct audit_entry){.kind = AUDIT_KICK});
		cr_assert(eq(int, note_and_wait("one"), 0));
		if (i % 2 == 0)
			close_journal();
		if (i % 2 == 0)
			open_journal();
	}
	close_journal();
	cr_expect(eq(sz, found(AUDIT_KICK, NULL, &sum), 3500));
}

Test(journal, equal_reads_are_counted_and_different_ones_kept_apart)
{
	uint64_t sum;

	for (int i = 0; i < 10; i++) {
		journal_count(journal,
			      &(struct journal_read){
				      .partner = "bolt", .what = "read", .twin = "acme/a", .property = "x"});
		journal_count(journal,
			      &(struct journal_read){
				      .partner = "bolt", .what = "read", .twin = "acme/a", .property = "y"});
		journal_count(journal, &(struct journal_read){.partner = "bolt",
							      .person = "bolt/eve",
							      .what = "read",
							      .twin = "acme/a",
							      .property = "x"});
		journal_deny(journal, "volt");
	}
	close_journal();
	cr_expect(eq(sz, found(AUDIT_READ, "read", &sum), 3));
	cr_expect(eq(u64, sum, 30));
	cr_expect(eq(sz, found(AUDIT_DENIED, NULL, &sum), 1));
	cr_expect(eq(u64, sum, 10));
}

static int settle(void)
{
	told_times = 0;
	must(journal_settle(journal, on_told, NULL) == 0);
	uv_run(&engine.loop, UV_RUN_DEFAULT);
	cr_assert(eq(int, told_times, 1));
	return told;
}

/* Told while a group is being written, once that and what was counted is on the disk. */
Test(journal, whoever_reads_need_not_wait_for_the_minute)
{
	uint64_t sum;

	journal_note(journal, &(struct audit_entry){.kind = AUDIT_KICK});
	journal_deny(journal, "volt");
	cr_assert(eq(int, settle(), 0));
	disk_fail((struct disk_fault){.calls = ~0u, .times = -1, .error = EIO}); /* nothing more gets there */
	cr_expect(eq(int, settle(), 0), "there was nothing to write");
	close_journal();
	disk_fail((struct disk_fault){.after = -1});
	open_journal();
	close_journal();
	cr_expect(eq(sz, found(AUDIT_DENIED, NULL, &sum), 1));
}

Test(journal, of_too_many_twins_the_sum_is_exact)
{
	enum { TWINS = 3 * AUDIT_COUNTERS_MAX };
	uint64_t sum;

	for (int i = 0; i < TWINS; i++) {
		char twin[32];
		snprintf(twin, sizeof twin, "acme/a%d", i);
		journal_count(journal,
			      &(struct journal_read){.partner = "bolt", .what = "summary", .twin = twin});
	}
	close_journal();
	cr_expect(eq(sz, found(AUDIT_READ, NULL, &sum), AUDIT_COUNTERS_MAX + 1));
	cr_expect(eq(u64, sum, TWINS));
}

/* Flooding: refusals of one partner are one entry a minute, however many. */
Test(journal, a_million_refusals_take_one_entry)
{
	uint64_t sum;

	for (int i = 0; i < 1000000; i++)
		journal_deny(journal, "bolt");
	close_journal();
	cr_expect(eq(sz, found(AUDIT_DENIED, NULL, &sum), 1));
	cr_expect(eq(u64, sum, 1000000));
}

Test(journal, while_nothing_can_be_written_partners_are_not_served)
{
	struct err_note note;
	uint64_t sum;

	uv_run(&engine.loop, UV_RUN_DEFAULT);
	cr_expect(journal_can_serve(journal) && !journal_trouble(journal));
	disk_fail((struct disk_fault){.calls = 1u << DISK_SYNC, .times = -1, .error = EIO});
	cr_assert(eq(int, note_and_wait("one"), -EIO));
	cr_expect(not(journal_can_serve(journal)));
	cr_expect(journal_trouble(journal) != NULL);
	cr_expect(eq(int, journal_check(journal, &note), ERR_REFUSED));
	cr_assert(eq(int, note_and_wait("two"), -EIO)); /* at once: nobody knows how long it will take */
	journal_tick(journal);
	uv_run(&engine.loop, UV_RUN_DEFAULT);
	cr_expect(not(journal_can_serve(journal)));
	disk_fail((struct disk_fault){.after = -1});
	journal_tick(journal);
	uv_run(&engine.loop, UV_RUN_DEFAULT);
	cr_expect(journal_can_serve(journal) && journal_check(journal, &note) == 0);
	close_journal();
	cr_expect(eq(sz, found(AUDIT_ADMIN, "one", &sum), 1));
	cr_expect(eq(sz, found(AUDIT_ADMIN, "two", &sum), 1));
}

Test(journal, what_there_is_no_memory_for_is_counted_and_told)
{
	uint64_t sum;

	uv_run(&engine.loop, UV_RUN_DEFAULT);
	disk_fail((struct disk_fault){.calls = 1u << DISK_SYNC, .times = -1, .error = EIO});
	for (int i = 0; i < 60000; i++) {
		journal_note(journal,
			     &(struct audit_entry){.kind = AUDIT_KICK, .text = "some text of some length"});
		if (i == 0)
			uv_run(&engine.loop, UV_RUN_DEFAULT);
	}
	disk_fail((struct disk_fault){.after = -1});
	journal_tick(journal);
	uv_run(&engine.loop, UV_RUN_DEFAULT);
	journal_tick(journal);
	uv_run(&engine.loop, UV_RUN_DEFAULT);
	cr_expect(journal_can_serve(journal));
	close_journal();
	const size_t kicks = found(AUDIT_KICK, NULL, &sum);
	cr_expect(eq(sz, found(AUDIT_NODE, "lost entries", &sum), 1));
	cr_expect(eq(u64, kicks + sum, 60000));
	cr_expect(gt(u64, sum, 0));
}

/* ---- A proof of one entry tells nothing of its neighbours ------------------------------------------------
 */

enum { LEAVES_MAX = 8 };

/* The entries on disk as they were written, and the hash of each. */
static size_t read_leaves(struct bytes entries[LEAVES_MAX], struct merkle_hash leaves[LEAVES_MAX],
			  struct buf *b)
{
	struct audit_record r;
	size_t n = 0;

	read_disk(b);
	for (struct bytes rest = buf_bytes(b); n < LEAVES_MAX && audit_record_next(&rest, &r) > 0;) {
		if (r.kind != AUDIT_RECORD_ENTRY)
			continue;
		entries[n] = r.body;
		leaves[n++] = merkle_leaf(r.body);
	}
	return n;
}

/* Who has the proof tries what the neighbour may say. All of it is known but the text; is the hash beside the
 * path that of one of the words, with this salt? */
static bool dictionary_finds(const struct audit_entry *neighbour, const uint8_t salt[AUDIT_SALT_BYTES],
			     const struct merkle_proof *p)
{
	static const char *const words[] = {"dismissed", "promoted", "the truth", "nothing"};

	for (int plain = 0; plain < 2; plain++)
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
			SCOPED(buf_fini) struct buf b = {0};
			struct audit_entry guess = *neighbour;
			guess.is_plain = plain;
			guess.text = words[i];
			memcpy(guess.salt, salt, sizeof guess.salt);
			audit_entry_encode(&guess, &b);
			must(buf_check(&b) == 0);
			const struct merkle_hash leaf = merkle_leaf(buf_bytes(&b));
			for (size_t k = 0; k < p->n; k++)
				if (merkle_same(&leaf, &p->hashes[k]))
					return true;
		}
	return false;
}

Test(journal, the_hash_of_a_neighbour_cannot_be_guessed)
{
	SCOPED(buf_fini) struct buf b = {0};
	static const uint8_t zeroes[AUDIT_SALT_BYTES];
	struct bytes entries[LEAVES_MAX];
	struct merkle_hash leaves[LEAVES_MAX];
	struct audit_entry proven, neighbour;
	struct merkle_proof p;

	journal_note(journal, &(struct audit_entry){.kind = AUDIT_ADMIN, .subject = "note", .text = "mine"});
	journal_note(journal,
		     &(struct audit_entry){.kind = AUDIT_ADMIN, .subject = "note", .text = "the truth"});
	journal_note(journal, &(struct audit_entry){.kind = AUDIT_ADMIN, .subject = "note", .text = "mine"});
	close_journal();
	const size_t n = read_leaves(entries, leaves, &b); /* began, mine, the truth, mine, ended */
	cr_assert(eq(sz, n, 5));
	must(audit_entry_decode(arena, entries[3], &proven) == 0);
	must(audit_entry_decode(arena, entries[2], &neighbour) == 0);
	merkle_prove(leaves, n, 3, &p);
	cr_assert(merkle_same(&p.hashes[0], &leaves[2]), "the proof shows the neighbour's hash");
	cr_expect(not(dictionary_finds(&neighbour, zeroes, &p)));
	cr_expect(not(dictionary_finds(&neighbour, proven.salt, &p)));
	cr_expect(dictionary_finds(&neighbour, neighbour.salt, &p), "the dictionary has the word");
}

/* ---- What is recorded of trust ---------------------------------------------------------------------------
 */

static size_t n_of(enum audit_kind kind, const char *subject)
{
	uint64_t sum;

	return found(kind, subject, &sum);
}

Test(journal, what_is_refused_again_and_again_is_told_once_and_counted)
{
	const struct actor actor = {.org = "bolt", .node = "b1"};
	const struct err_note note = {"manifest of bolt expired"};
	uint64_t sum;

	const struct actor before = journal_act_as(journal, &actor);
	for (int i = 0; i < 100000; i++)
		record_refused(journal, AUDIT_TRUST, "bundle", ERR_UNTRUSTED, &note);
	journal_act_as(journal, &before);
	for (int i = 0; i < 1000; i++)
		record_refused_of(journal, "bolt", "b2", "frame", ERR_MALFORMED, NULL);
	close_journal();
	cr_expect(eq(sz, found(AUDIT_TRUST, "refused bundle", &sum), 2));
	cr_expect(eq(u64, sum, 100000));
	cr_expect(eq(sz, found(AUDIT_LIMIT, "refused frame", &sum), 2));
	cr_expect(eq(u64, sum, 1000));
}

Test(journal, refusals_of_many_sorts_take_few_entries)
{
	enum { SORTS = 5000 };
	uint64_t sum;

	for (int i = 0; i < SORTS; i++) {
		char node[16];
		snprintf(node, sizeof node, "n%d", i);
		record_refused_of(journal, "bolt", node, "frame", ERR_MALFORMED, NULL);
		record_refused_of(journal, "bolt", node, "frame", ERR_MALFORMED, NULL);
	}
	close_journal();
	const size_t n = found(AUDIT_LIMIT, NULL, &sum);
	cr_expect(le(sz, n, 2 * AUDIT_BOUNDED_MAX + 2), "%zu entries", n);
	cr_expect(eq(u64, sum, 2 * SORTS));
}

static struct credential node_of(const char *name, uint8_t serial, uint8_t key)
{
	return (struct credential){
		.org = "bolt", .node = name, .serial = {{serial}}, .curve = {{key}}, .not_after_ns = serial};
}

Test(journal, a_bundle_is_told_by_what_is_new_in_it)
{
	struct credential old[] = {node_of("stays", 1, 1), node_of("renewed", 2, 2), node_of("gone", 3, 3),
				   node_of("rekeyed", 4, 4)};
	struct credential new[] = {node_of("stays", 1, 1), node_of("renewed", 12, 2), node_of("added", 13, 5),
				   node_of("rekeyed", 14, 6)};
	struct revoked revoked[] = {
		{.kind = REVOKED_NODE, .node = "gone", .reason = "stolen"},
		{.kind = REVOKED_SERIAL, .node = "", .serial = {{3}}, .reason = "stolen"}};
	struct org before = {.manifest = {.org = "bolt", .version = 1}, .nodes = old, .n_nodes = 4};
	struct org after = {.manifest = {.org = "bolt", .version = 2}, .nodes = new, .n_nodes = 4};

	before.revocations = (struct revocations){.seq = 1, .entries = revoked, .n_entries = 1};
	after.revocations = (struct revocations){.seq = 2, .entries = revoked, .n_entries = 2};
	record_org(journal, &before, &after, false);
	record_org(journal, &after, &after, false);
	record_expired(journal, &after, false, 12, 13);
	close_journal();
	cr_expect(eq(sz, n_of(AUDIT_MANIFEST, "taken"), 1));
	cr_expect(eq(sz, n_of(AUDIT_CREDENTIAL, "renewed"), 1));
	cr_expect(eq(sz, n_of(AUDIT_CREDENTIAL, "issued"), 1));
	cr_expect(eq(sz, n_of(AUDIT_CREDENTIAL, "issued with new keys"), 1));
	cr_expect(eq(sz, n_of(AUDIT_CREDENTIAL, "gone"), 1));
	cr_expect(eq(sz, n_of(AUDIT_CREDENTIAL, "expired"), 1));
	cr_expect(eq(sz, n_of(AUDIT_CREDENTIAL, NULL), 5));
	cr_expect(eq(sz, n_of(AUDIT_REVOCATION, "revoked"), 1));
}

Test(journal, a_fork_is_kept_with_both_heads)
{
	static uint8_t bytes[1000];
	const struct bytes heads[2] = {{bytes, sizeof bytes}, {bytes, 10}};

	record_fork(journal, "acme/n2", "why", heads);
	cr_expect(journal_trouble(journal) == NULL, "it can be written: that is an alarm of another kind");
	close_journal();
	cr_expect(eq(sz, n_of(AUDIT_TRUST, "fork"), 1));
	cr_expect(eq(sz, n_of(AUDIT_TRUST, "fork evidence"), 3), "1,000 bytes take two entries");
}
