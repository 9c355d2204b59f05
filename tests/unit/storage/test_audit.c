/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/audit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/audit_segment.h"
#include "tests/lib/disk.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

enum { SMALL = AUDIT_SEGMENT_MIN };

static char dir[128], segment[160], spare[160];
static struct audit_log *audit;
static struct err_note note;

static int try_open(void)
{
	audit_log_close(audit);
	audit = NULL;
	return audit_log_open(&audit, &(struct audit_options){.dir = dir, .segment_bytes = SMALL}, &note);
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/audit", tmpdir_make());
	snprintf(segment, sizeof segment, "%s/0000000001.log", dir);
	snprintf(spare, sizeof spare, "%s/spare", dir);
	disk_watch(dir, NULL, NULL);
	must(try_open() == 0);
}

static void end(void)
{
	disk_watch(NULL, NULL, NULL);
	audit_log_close(audit);
	audit = NULL;
	tmpdir_remove();
}

TestSuite(audit_log, .init = begin, .fini = end);

/* `n` entries "entry K" beginning with K = first, `bytes` long, and a checkpoint if so wanted. */
static int put(unsigned first, unsigned n, size_t bytes, bool checkpoint, int64_t time_ns)
{
	SCOPED(buf_fini) struct buf b = {0};

	for (unsigned i = 0; i < n; i++) {
		char text[2048] = "";
		snprintf(text, sizeof text, "entry %u ", first + i);
		const size_t len = strlen(text) > bytes ? strlen(text) : bytes;
		audit_record_put(AUDIT_RECORD_ENTRY, (struct bytes){(uint8_t *)text, len}, &b);
	}
	if (checkpoint)
		audit_record_put(AUDIT_RECORD_CHECKPOINT, BYTES("checkpoint"), &b);
	return audit_log_commit(audit, &(struct audit_group){.records = buf_bytes(&b),
							     .n_entries = n,
							     .has_checkpoint = checkpoint,
							     .time_ns = time_ns});
}

static void put_well(unsigned first, unsigned n)
{
	cr_assert(eq(int, put(first, n, 0, false, 0), 0));
}

/* All of the log, page by page: the entries must be 0.. in order. How many there are; checkpoints are
 * counted. */
static unsigned read_all(size_t page_bytes, unsigned *ret_checkpoints)
{
	uint64_t from = 0, first;
	unsigned n = 0;
	int r = 0;

	*ret_checkpoints = 0;
	while (r == 0) {
		SCOPED(buf_fini) struct buf b = {0};
		struct audit_record record;
		char expected[32];
		r = audit_log_read(audit, from, page_bytes, &b, &first, &from);
		cr_assert(ge(int, r, 0));
		cr_assert(b.len == 0 || first == n, "the page begins with entry %lu, not %u", first, n);
		for (struct bytes rest = buf_bytes(&b); audit_record_next(&rest, &record) > 0;) {
			*ret_checkpoints += record.kind == AUDIT_RECORD_CHECKPOINT;
			if (record.kind != AUDIT_RECORD_ENTRY)
				continue;
			snprintf(expected, sizeof expected, "entry %u ", n++);
			cr_assert(bytes_start_with(record.body, bytes_of_text(expected)), "entry %u", n - 1);
		}
		cr_assert(eq(u64, from, n));
	}
	return n;
}

static unsigned count(void)
{
	unsigned checkpoints;

	return read_all(1 << 20, &checkpoints);
}

Test(audit_log, what_was_committed_is_there_after_opening_again)
{
	put_well(0, 3);
	put_well(3, 1);
	cr_assert(eq(int, try_open(), 0));
	cr_expect(eq(u64, audit_log_entries(audit), 4));
	cr_expect(eq(uint, count(), 4));
	put_well(4, 2);
	cr_expect(eq(uint, count(), 6));
	cr_expect(eq(int, audit_log_room(audit), AUDIT_ROOMY));
}

Test(audit_log, nothing_is_acknowledged_before_it_is_synced)
{
	const long before = disk_calls(DISK_SYNC);

	put_well(0, 5);
	cr_expect(eq(int, (int)(disk_calls(DISK_SYNC) - before), 1));
}

Test(audit_log, segments_follow_each_other)
{
	unsigned checkpoints;

	for (unsigned i = 0; i < 100; i++)
		cr_assert(eq(int, put(i, 1, 1000, i % 10 == 9, i), 0));
	cr_expect(gt(u64, audit_log_bytes(audit), 10 * SMALL));
	cr_expect(eq(uint, read_all(1 << 20, &checkpoints), 100));
	cr_expect(eq(uint, checkpoints, 10));
	cr_expect(eq(uint, read_all(3000, &checkpoints), 100));
	cr_expect(eq(uint, read_all(1, &checkpoints), 100));
	cr_assert(eq(int, try_open(), 0));
	cr_expect(eq(uint, count(), 100));
}

Test(audit_log, reading_begins_with_the_group_that_has_the_entry)
{
	SCOPED(buf_fini) struct buf b = {0};
	uint64_t first, next;

	for (unsigned i = 0; i < 40; i += 4)
		cr_assert(eq(int, put(i, 4, 500, false, 0), 0));
	cr_assert(ge(int, audit_log_read(audit, 22, 1, &b, &first, &next), 0));
	cr_expect(first == 20 && next == 24);
	buf_clear(&b);
	cr_assert(eq(int, audit_log_read(audit, 40, 1, &b, &first, &next), AUDIT_LOG_END));
	cr_expect(first == 40 && next == 40 && b.len == 0);
	cr_assert(eq(int, audit_log_read(audit, 1000, 1, &b, &first, &next), AUDIT_LOG_END));
	cr_expect(eq(sz, b.len, 0));
}

/* Where the one before the next page stands at the end of a segment, it begins there. */
Test(audit_log, no_page_passes_a_checkpoint_over)
{
	for (unsigned i = 0; i < 40; i++) {
		cr_assert(eq(int, put(i, 1, 700 + 10 * i, false, 0), 0));
		cr_assert(eq(int, put(i, 0, 0, true, 0), 0));
	}
	for (unsigned i = 1; i < 40; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		uint64_t first, next;
		cr_assert(ge(int, audit_log_read(audit, i, 1, &b, &first, &next), 0));
		cr_assert(eq(int, b.data[0], AUDIT_RECORD_CHECKPOINT), "page from entry %u", i);
		cr_assert(eq(u64, first, i));
	}
}

Test(audit_log, a_time_is_found)
{
	uint64_t n;

	for (unsigned i = 0; i < 60; i++)
		cr_assert(eq(int, put(i, 1, 700, false, 1000 + 10 * i), 0));
	for (unsigned i = 0; i < 60; i++) {
		cr_assert(eq(int, audit_log_find_time(audit, 1000 + 10 * i, &n), 0));
		cr_assert(eq(u64, n, i));
		cr_assert(eq(int, audit_log_find_time(audit, 1000 + 10 * i - 9, &n), 0));
		cr_assert(eq(u64, n, i));
	}
	cr_assert(eq(int, audit_log_find_time(audit, 5000, &n), 0));
	cr_expect(eq(u64, n, 60));
	for (unsigned i = 60; i < 90; i++)
		cr_assert(eq(int, put(i, 1, 700, false, 3), 0)); /* the clock went back */
	cr_assert(eq(int, audit_log_find_time(audit, 1590, &n), 0));
	cr_expect(eq(u64, n, 59));
}

Test(audit_log, the_last_checkpoint_is_found_in_an_older_segment_too)
{
	uint64_t n;

	cr_expect(eq(int, audit_log_checkpoint(audit, &n), AUDIT_LOG_ABSENT));
	cr_assert(eq(int, put(0, 2, 0, true, 0), 0));
	cr_assert(eq(int, put(2, 3, 0, true, 0), 0));
	for (unsigned i = 5; i < 60; i++)
		cr_assert(eq(int, put(i, 1, 1000, false, 0), 0));
	for (int again = 0; again < 2; again++) {
		cr_assert(eq(int, audit_log_checkpoint(audit, &n), 0));
		cr_expect(eq(u64, n, 2));
		cr_assert(eq(int, try_open(), 0));
	}
}

Test(audit_log, a_group_that_is_too_large_is_refused_and_nothing_is_broken)
{
	cr_expect(eq(int, put(0, 5, 1000, false, 0), -EMSGSIZE));
	cr_expect(eq(int, audit_log_room(audit), AUDIT_ROOMY));
	put_well(0, 1);
}

/* ---- Crashes ---------------------------------------------------------------------------------------------
 */

static void load(const char *path, uint8_t *to, size_t size)
{
	const int fd = open(path, O_RDONLY);

	must(fd >= 0 && pread(fd, to, size, 0) == (ssize_t)size);
	close(fd);
}

static void save(const char *path, const uint8_t *from, size_t size)
{
	const int fd = open(path, O_WRONLY);

	must(fd >= 0 && pwrite(fd, from, size, 0) == (ssize_t)size);
	close(fd);
}

/* Every way to lose the rest of the last write: from byte `cut` on it is zeros, or up to byte `cut`. */
Test(audit_log, a_group_cut_at_any_byte_is_there_whole_or_not_at_all)
{
	static uint8_t before[SMALL], after[SMALL], image[SMALL];
	size_t from = SMALL, to = 0;

	put_well(0, 3);
	load(segment, before, SMALL);
	cr_assert(eq(int, put(3, 4, 0, true, 7), 0));
	load(segment, after, SMALL);
	for (size_t i = 0; i < SMALL; i++)
		if (before[i] != after[i]) {
			from = i < from ? i : from;
			to = i + 1;
		}
	cr_assert(gt(sz, to - from, 100));
	for (size_t cut = from; cut <= to; cut++)
		for (int head_lost = 0; head_lost < 2; head_lost++) {
			memcpy(image, head_lost ? after : before, SMALL);
			memcpy(image + from, (head_lost ? before : after) + from, cut - from);
			const bool is_whole = memcmp(image, after, SMALL) == 0;
			save(segment, image, SMALL);
			cr_assert(eq(int, try_open(), 0), "cut at %zu: %s", cut - from, note.text);
			cr_assert(eq(u64, audit_log_entries(audit), is_whole ? 7 : 3), "cut at %zu",
				  cut - from);
			load(segment, image, SMALL);
			cr_assert(is_whole || memcmp(image, before, SMALL) == 0,
				  "cut at %zu: something is left", cut);
			if (is_whole || cut % 16 != 0)
				continue;
			put_well(3, 1);
			cr_assert(eq(uint, count(), 4));
		}
}

Test(audit_log, damage_before_the_last_group_is_no_torn_write)
{
	static uint8_t image[SMALL];

	put_well(0, 3);
	put_well(3, 3);
	load(segment, image, SMALL);
	image[SEGMENT_HEAD + GROUP_HEAD + 7] ^= 1;
	save(segment, image, SMALL);
	cr_expect(eq(int, try_open(), ERR_CORRUPT));
	cr_expect(strstr(note.text, "0000000001.log") && strstr(note.text, "byte 48"), "%s", note.text);
}

Test(audit_log, damage_in_an_older_segment_is_told_when_it_is_read)
{
	static uint8_t image[SMALL];
	SCOPED(buf_fini) struct buf b = {0};
	uint64_t first, next;

	for (unsigned i = 0; i < 20; i++)
		cr_assert(eq(int, put(i, 1, 1000, true, 0), 0));
	load(segment, image, SMALL);
	image[SMALL / 2] ^= 1;
	save(segment, image, SMALL);
	cr_assert(eq(int, try_open(), 0));
	cr_expect(eq(int, audit_log_read(audit, 0, 1 << 20, &b, &first, &next), ERR_CORRUPT));
}

Test(audit_log, a_head_that_is_damaged_or_newer_is_named)
{
	static uint8_t image[SMALL];

	load(segment, image, SMALL);
	image[20] ^= 1;
	save(segment, image, SMALL);
	cr_expect(eq(int, try_open(), ERR_CORRUPT));
	image[20] ^= 1;
	image[13] = '2';
	save(segment, image, SMALL);
	cr_expect(eq(int, try_open(), ERR_VERSION));
}

Test(audit_log, half_a_spare_is_made_anew)
{
	struct stat st;

	audit_log_close(audit);
	audit = NULL;
	must(truncate(spare, 100) == 0);
	cr_assert(eq(int, try_open(), 0));
	cr_assert(eq(int, stat(spare, &st), 0));
	cr_expect(eq(sz, (size_t)st.st_size, SMALL));
	cr_expect(eq(int, audit_log_room(audit), AUDIT_ROOMY));
}

/* ---- A disk that is full, or fails -----------------------------------------------------------------------
 */

static void disk_is_full(bool full)
{
	disk_fail((struct disk_fault){
		.calls = 1u << DISK_RESIZE, .after = full ? 0 : -1, .times = full ? -1 : 0, .error = ENOSPC});
}

Test(audit_log, a_full_disk_is_told_before_it_bites_and_forgotten_when_there_is_room)
{
	unsigned n = 0;

	disk_is_full(true);
	for (; audit_log_room(audit) == AUDIT_ROOMY; n++)
		cr_assert(eq(int, put(n, 1, 1000, false, 0), 0));
	cr_expect(eq(int, audit_log_room(audit), AUDIT_LOW));
	const unsigned told = n;
	while (put(n, 1, 1000, false, 0) == 0)
		n++;
	cr_expect(ge(uint, n, told + 5), "a segment's worth of room was left");
	cr_expect(eq(int, audit_log_room(audit), AUDIT_NONE));
	cr_expect(eq(int, put(n, 1, 1000, false, 0), ERR_FULL));
	cr_expect(lt(int, audit_log_reserve(audit), 0));
	cr_expect(eq(uint, count(), n));
	disk_is_full(false);
	cr_assert(eq(int, put(n, 1, 1000, false, 0), 0));
	cr_expect(eq(int, audit_log_room(audit), AUDIT_ROOMY));
	cr_expect(eq(uint, count(), n + 1));
}

Test(audit_log, what_failed_is_not_acknowledged_and_may_be_given_again)
{
	static const enum disk_call calls[] = {DISK_WRITE, DISK_SYNC};
	unsigned n = 0;

	for (size_t i = 0; i < 2; i++) {
		disk_fail((struct disk_fault){.calls = 1u << calls[i], .times = 2, .error = EIO});
		cr_assert(eq(int, put(n, 3, 0, false, 0), -EIO));
		cr_expect(eq(int, audit_log_room(audit), AUDIT_NONE));
		cr_expect(eq(u64, audit_log_entries(audit), n));
		cr_assert(eq(int, put(n, 2, 0, false, 0), -EIO));
		cr_assert(eq(int, put(n, 1, 0, false, 0), 0)); /* shorter than what may stand there */
		n++;
		cr_expect(eq(int, audit_log_room(audit), AUDIT_ROOMY));
		cr_assert(eq(int, try_open(), 0));
		cr_expect(eq(uint, count(), n));
		put_well(n++, 1);
	}
}

/* Whatever call fails first, and those after it: what was acknowledged is there when the log is opened again.
 */
Test(audit_log, no_failing_call_costs_what_was_acknowledged)
{
	bool failed = true;

	for (long after = 0; failed; after++) {
		unsigned n = (unsigned)audit_log_entries(audit);
		disk_fail((struct disk_fault){.calls = ~0u, .after = after, .times = 3, .error = EIO});
		for (int i = 0; i < 12; i++)
			n += put(n, 1, 1000, false, 0) == 0;
		failed = disk_failures() > 0;
		disk_fail((struct disk_fault){.after = -1});
		cr_assert(eq(uint, count(), n), "after %ld calls", after);
		cr_assert(eq(int, try_open(), 0), "after %ld calls: %s", after, note.text);
		const unsigned found = count(); /* what failed last may be there, whole */
		cr_assert(found == n || found == n + 1, "after %ld calls, opened again", after);
	}
}
