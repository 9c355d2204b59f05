/* SPDX-License-Identifier: Apache-2.0 */
/* Bits rot in the files of a closed store: opening or reading says which file is damaged, or everything is as
 * it was (the bit meant nothing). Never a wrong value, and never the end of the process.
 *
 *	rot [--times N] [--seed S]
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/history.h"
#include "storage/store_private.h"
#include "tests/crash/life.h"
#include "tests/crash/place.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { BATCHES = 60, LIMIT_BYTES = 16 << 20, FILES_MAX = 64, PAGE = 4096, TIMES_DEFAULT = 3000 };

enum outcome { SAME, TOLD, SCRUBBED, WRONG, NOT_SAID_WHERE, FAILED_OTHERWISE, DIED, N_OUTCOMES };
static const char *const outcome_texts[N_OUTCOMES] = {
	"as before",           "told",          "found by the scrub",    "wrong content",
	"told, but not where", "another error", "the end of the process"};

static struct {
	char path[256];
	size_t size;
} files[FILES_MAX];
static size_t n_files;

static int note_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type == FTW_F && st->st_size > 0 && strstr(path, "data.mdb")) {
		must(n_files < FILES_MAX && strlen(path) < sizeof files[0].path);
		snprintf(files[n_files].path, sizeof files[0].path, "%s", path);
		files[n_files++].size = (size_t)st->st_size;
	}
	return 0;
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return *state >> 33;
}

/* One piece of damage. */
struct damage {
	const char *path;
	off_t at;
	size_t len;
	uint8_t was[PAGE], is[PAGE];
};

/* A bit, a byte of a page's head, a sector of zeros: what disks and cables do. */
static struct damage think_of(uint64_t *random)
{
	const size_t i = next_random(random) % n_files;
	struct damage d = {
		.path = files[i].path, .len = 1, .at = (off_t)(next_random(random) % files[i].size)};
	const int fd = open(d.path, O_RDONLY);

	switch (next_random(random) % 4) {
	case 0:
	case 1: d.at = d.at / PAGE * PAGE + (off_t)(next_random(random) % 160); break; /* heads, meta pages */
	case 2: d.at = d.at / 512 * 512, d.len = 512; break;
	default: break;
	}
	must(fd >= 0 && pread(fd, d.was, d.len, d.at) == (ssize_t)d.len);
	close(fd);
	if (d.len == 1)
		d.is[0] = d.was[0] ^ (uint8_t)(1 << next_random(random) % 8);
	return d;
}

static void write_at(const struct damage *d, const uint8_t *bytes)
{
	const int fd = open(d->path, O_WRONLY);

	must(fd >= 0 && pwrite(fd, bytes, d->len, d->at) == (ssize_t)d->len && close(fd) == 0);
}

static bool is_told(int r)
{
	return r == ERR_CORRUPT || r == ERR_VERSION;
}

/* A record of the history whose key rotted is missing where it was; only the scrub looks at all of them. */
static bool scrub_finds_it(void)
{
	struct history_health health;
	int r = 0;

	while (r == 0)
		r = history_scrub_step(world.store->history);
	history_health(world.store->history, &health);
	return r == 1 && health.rotten > 0 && health.first_rotten[0] != '\0';
}

static enum outcome look(const char *expected)
{
	int r = world_try_open("acme", "north");

	if (r < 0)
		return !is_told(r)                          ? FAILED_OTHERWISE
		       : strstr(world.note.text, world.dir) ? TOLD
							    : NOT_SAID_WHERE;
	SCOPED(scope_free) char *content = life_content(&r);
	enum outcome o = SAME;
	if (!content)
		o = is_told(r) ? TOLD : FAILED_OTHERWISE;
	else if (strcmp(content, expected) != 0)
		o = scrub_finds_it() ? SCRUBBED : WRONG;
	store_close(world.store);
	return o;
}

/* In a process of its own: it may end it. */
static enum outcome suffer(const char *expected)
{
	int status;

	fflush(NULL);
	const pid_t child = fork();
	must(child >= 0);
	if (child == 0) {
		alarm(20);                               /* not for ever, either */
		must(freopen("/dev/null", "w", stderr)); /* what LMDB says of it */
		_exit((int)look(expected));
	}
	must(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : DIED;
}

static char *make_store(uint64_t seed)
{
	struct life l = {.random = seed, .batches = BATCHES};
	int r;

	life_live(&l);
	must(life_batch(&l) == 0);
	must(life_batch(&l) == 0);
	char *content = life_content(&r);
	must(content);
	store_close(world.store);
	world.store = NULL;
	ledger_fini(&l.ledger);
	must(nftw(world.dir, note_file, 8, FTW_PHYS) == 0 && n_files >= 4);
	return content;
}

static int rot(uint64_t seed, int times)
{
	int counts[N_OUTCOMES] = {0}, bad = 0;
	SCOPED(scope_free) char *expected = make_store(seed);

	for (int i = 0; i < times; i++) {
		const struct damage d = think_of(&seed);
		write_at(&d, d.is);
		const enum outcome o = suffer(expected);
		write_at(&d, d.was);
		counts[o]++;
		if (o <= SCRUBBED)
			continue;
		if (bad++ < 20)
			printf("FAILED: %zu bytes at %" PRId64 " of %s, 0x%02x to 0x%02x: %s\n", d.len,
			       (int64_t)d.at, strstr(d.path, "store/"), d.was[0], d.is[0], outcome_texts[o]);
	}
	printf("%zu files:", n_files);
	for (int o = 0; o < N_OUTCOMES; o++)
		printf("%s %d %s", o ? "," : "", counts[o], outcome_texts[o]);
	printf("\n");
	return bad;
}

int main(int argc, char *argv[])
{
	static char store[PLACE_BYTES];
	uint64_t seed = 1;
	int times = TIMES_DEFAULT;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--times") == 0)
			times = (int)strtol(argv[i + 1], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			seed = strtoul(argv[i + 1], NULL, 10);
		else
			return fprintf(stderr, "usage: rot [--times N] [--seed S]\n"), 2;
	}
	must(arena_new(&world.arena, SIZE_MAX) == 0);
	place_make();
	world.dir = place_path(store, "store");
	world.now_ns = NOW;
	world.limit_bytes = LIMIT_BYTES;
	const int bad = rot(seed, times);
	arena_free(world.arena);
	place_remove();
	return bad > 0;
}
