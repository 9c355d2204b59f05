/* SPDX-License-Identifier: Apache-2.0 */
/* The power goes away at any moment of a store's life: every call that changes files is recorded, directories
 * are made as a crash could leave them (tests/lib/image.h), and the store is opened on each. All that was
 * acknowledged must be there, and of the batch in flight all or nothing; and the store must go on.
 *
 *	crash [--images N] [--seed S]         that many different images; lives begin with seed S
 *	crash --lost                          each kind of sync in turn is one that the disk never did: it
 *must be noticed
 */
#define _DEFAULT_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/life.h"
#include "tests/crash/place.h"
#include "tests/lib/image.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum {
	BATCHES = 40,           /* of a life */
	VARIANTS = 6,           /* images of one moment */
	GO_ON_EVERY = 8,        /* of so many images one is written to */
	AGAIN_EVERY = 250,      /* and on one the power goes away again */
	LOST_IMAGES = 4000,     /* so many find any lost sync */
	LIMIT_BYTES = 16 << 20, /* of address space */
};

/* A sync that the disk never does. */
struct lost {
	const char *name;
	const char *begins, *ends; /* of the path that is synced; NULL: none is lost */
	bool direct;
};

static const struct lost losable[] = {
	{"the name of the store's directory", "", "", false},
	{"the names in the store's directory", "store", "store", false},
	{"the names of the log's environments", "store/log", "store/log", false},
	{"the files of an environment that is made", "store/", ".new", false},
	{"the batches of the log", "store/log/0", "data.mdb", false},
	{"the commits of the log", "store/log/0", "data.mdb", true},
	{"the content of state/", "store/state/", "data.mdb", false},
	{"the commits of state/", "store/state/", "data.mdb", true},
	{"the commits of remote/", "store/remote/", "data.mdb", true},
	{"the names of the history's runs", "store/history", "store/history", false},
	{"the content of the history's runs", "store/history/", "data.mdb", false},
	{"the commits of the history's runs", "store/history/", "data.mdb", true},
};

/* Shared with the process that does the work: it may die of what it finds. */
struct report {
	uint64_t life;
	size_t cut, images, events;
	uint64_t variant;
	char wrong[4096];
};

struct recording {
	struct disk_event *events;
	size_t n;
	struct ledger ledger;
};

/* Hashes of the images that were looked at, with what was expected of them. */
struct seen {
	uint64_t *hashes;
	size_t n, size;
};

static struct report *report;

/* ---- Recording --------------------------------------------------------------------------------------------
 */

static void record(void *ctx, const struct disk_event *e)
{
	struct recording *r = ctx;

	r->events = realloc(r->events, (r->n + 1) * sizeof *r->events);
	must(r->events);
	r->events[r->n] = *e;
	if (e->call == DISK_WRITE) {
		void *data = malloc(e->len + 1);
		must(data);
		memcpy(data, e->data, e->len);
		r->events[r->n].data = data;
	}
	r->n++;
}

static void recording_fini(struct recording *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->events[i].call == DISK_WRITE) {
			const void *data = r->events[i].data;
			void *owned;
			memcpy(&owned, &data, sizeof owned);
			free(owned);
		}
	free(r->events);
	ledger_fini(&r->ledger);
}

static void world_at(const char *name)
{
	static char dir[PLACE_BYTES];

	world.dir = place_path(dir, name);
	world.store = NULL;
	world.now_ns = NOW;
	world.limit_bytes = LIMIT_BYTES;
}

static void close_store(void)
{
	store_close(world.store);
	world.store = NULL;
}

static void record_life(uint64_t seed, struct recording *ret)
{
	struct life l = {.random = seed, .batches = BATCHES, .calls = &ret->n};
	char dir[PLACE_BYTES];

	*ret = (struct recording){0};
	world_at("live/store");
	must(mkdir(place_path(dir, "live"), 0700) == 0);
	disk_watch(dir, record, ret);
	life_live(&l);
	close_store();
	disk_watch(NULL, NULL, NULL);
	place_empty("live");
	ret->ledger = l.ledger;
}

/* ---- Looking at an image ----------------------------------------------------------------------------------
 */

static bool wrong(const char *what, const char *more, const char *expected, const char *found)
{
	snprintf(report->wrong, sizeof report->wrong, "%s%s%s%s%s%s", what, more, expected[0] ? "\n--- " : "",
		 expected, found[0] ? "\n--- but there is\n" : "", found);
	return false;
}

/* The last entry that was acknowledged by this call. */
static size_t acknowledged(const struct ledger *l, size_t cut)
{
	size_t i = 0;

	while (i + 1 < l->n && l->entries[i + 1].acknowledged <= cut)
		i++;
	return i;
}

static bool agrees(const struct ledger *l, size_t cut, const char *content)
{
	const size_t i = acknowledged(l, cut);

	if (strcmp(l->entries[i].content, content) == 0)
		return true;
	if (i + 1 < l->n && l->entries[i + 1].begun < cut && strcmp(l->entries[i + 1].content, content) == 0)
		return true;
	return wrong("what is there is neither what was acknowledged nor that and the batch in flight", "",
		     l->entries[i].content, content);
}

static bool content_agrees(const struct ledger *l, size_t cut)
{
	int r;
	SCOPED(scope_free) char *content = life_content(&r);

	return content ? agrees(l, cut, content) : wrong("reading it: ", err_text(r), "", "");
}

/* Batches and checkpoints after the crash last, too. */
static bool goes_on(uint64_t seed)
{
	struct life l = {.random = seed};
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		r = i == 1 ? life_checkpoint() : life_batch(&l);
	if (r == 0) {
		close_store();
		r = world_try_open("acme", "north");
	}
	SCOPED(scope_free) char *content = r == 0 ? life_content(&r) : NULL;
	const char *expected = l.ledger.n ? l.ledger.entries[l.ledger.n - 1].content : "";
	const bool same = content && strcmp(content, expected) == 0;
	if (!same)
		wrong("going on: ", r < 0 ? err_text(r) : "what was written is not there", expected,
		      content ? content : "");
	ledger_fini(&l.ledger);
	return same;
}

/* Open the store on an image, and compare. */
static bool look_at(const struct ledger *l, size_t cut, const char *place)
{
	world_at(place);
	world.now_ns += NS_PER_S;
	const int r = world_try_open("acme", "north");
	if (r < 0)
		return wrong("opening it: ", world.note.text[0] ? world.note.text : err_text(r), "", "");
	return content_agrees(l, cut);
}

/* The power goes away a second time, while the store is opened again or goes on. */
static bool falls_again(const struct ledger *l, size_t cut, uint64_t seed)
{
	char dir[PLACE_BYTES], again[PLACE_BYTES];
	SCOPED(scope_image) struct image *im = image_load(place_path(dir, "image"));
	struct recording r = {0};
	struct life life = {.random = seed, .calls = &r.n};

	disk_watch(dir, record, &r);
	bool good = look_at(l, cut, "image/store");
	if (good) {
		life_note(&life); /* what was seen once stays */
		must(life_batch(&life) == 0 && life_checkpoint() == 0 && life_batch(&life) == 0);
	}
	close_store();
	disk_watch(NULL, NULL, NULL);
	r.ledger = life.ledger;
	for (size_t i = 0; i < r.n && good; i++) {
		image_feed(im, &r.events[i], false);
		image_make(im, i % 8 < 4 ? i % 8 : seed + i, place_path(again, "again"));
		report->images++;
		good = look_at(&r.ledger, i + 1, "again/store");
		close_store();
		place_empty("again");
	}
	recording_fini(&r);
	return good;
}

static bool examine(const struct recording *r, struct image *im, uint64_t seed)
{
	char dir[PLACE_BYTES];
	bool good;

	image_make(im, seed, place_path(dir, "image"));
	if (report->images % AGAIN_EVERY == 0) {
		good = falls_again(&r->ledger, report->cut, seed);
	} else {
		good = look_at(&r->ledger, report->cut, "image/store");
		if (good && report->images % GO_ON_EVERY == 0)
			good = goes_on(seed);
	}
	close_store();
	place_empty("image");
	return good;
}

/* ---- All images -------------------------------------------------------------------------------------------
 */

static bool is_new(struct seen *s, uint64_t hash)
{
	if (s->n * 2 >= s->size) {
		struct seen bigger = {.size = s->size ? s->size * 2 : 1024};
		bigger.hashes = calloc(bigger.size, sizeof *bigger.hashes);
		must(bigger.hashes);
		for (size_t i = 0; i < s->size; i++)
			if (s->hashes[i])
				is_new(&bigger, s->hashes[i]);
		free(s->hashes);
		*s = bigger;
	}
	hash |= 1;
	for (size_t i = hash % s->size;; i = (i + 1) % s->size) {
		if (s->hashes[i] == hash)
			return false;
		if (s->hashes[i] == 0) {
			s->hashes[i] = hash;
			s->n++;
			return true;
		}
	}
}

static bool ends_with(const char *text, const char *end)
{
	const size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_lost(const struct lost *lost, const struct disk_event *e)
{
	if (!lost->name || e->call != DISK_SYNC || e->direct != lost->direct)
		return false;
	if (!lost->begins[0] || strcmp(lost->begins, lost->ends) == 0)
		return strcmp(e->path, lost->begins) == 0;
	return strncmp(e->path, lost->begins, strlen(lost->begins)) == 0 && ends_with(e->path, lost->ends);
}

/* Until there were enough images, or something is wrong. */
static bool look_at_life(uint64_t life, const struct lost *lost, struct seen *seen, size_t images)
{
	SCOPED(scope_image) struct image *im = image_new();
	struct recording r;
	bool good = true;

	report->life = life;
	record_life(life, &r);
	report->events += r.n;
	for (size_t i = 0; i < r.n && good && report->images < images; i++) {
		image_feed(im, &r.events[i], is_lost(lost, &r.events[i]));
		report->cut = i + 1;
		for (uint64_t v = 0; v < VARIANTS && good && report->images < images; v++) {
			report->variant = v < 4 ? v : life << 32 | (uint64_t)i << 8 | v;
			const uint64_t expected = life << 32 | acknowledged(&r.ledger, i + 1);
			if (!is_new(seen, image_hash(im, report->variant) + expected))
				continue;
			report->images++;
			good = examine(&r, im, report->variant);
		}
	}
	recording_fini(&r);
	return good;
}

static int work(uint64_t seed, const struct lost *lost, size_t images)
{
	struct seen seen = {0};
	bool good = true;

	must(arena_new(&world.arena, SIZE_MAX) == 0);
	while (good && report->images < images)
		good = look_at_life(seed++, lost, &seen, images);
	free(seen.hashes);
	arena_free(world.arena);
	world.arena = NULL;
	return good ? 0 : 1;
}

/* In a process of its own. True if all images were good. */
static bool try(uint64_t seed, const struct lost *lost, size_t images)
{
	int status;

	memset(report, 0, sizeof *report);
	fflush(NULL);
	const pid_t child = fork();
	must(child >= 0);
	if (child == 0)
		exit(work(seed, lost, images));
	must(waitpid(child, &status, 0) == child);
	place_empty("again");
	place_empty("image");
	place_empty("live");
	if (WIFSIGNALED(status))
		snprintf(report->wrong, sizeof report->wrong, "it ended with signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void print_wrong(void)
{
	printf("life %" PRIu64 ", call %zu, variant %#" PRIx64 ", image %zu: %s\n", report->life, report->cut,
	       report->variant, report->images, report->wrong);
}

static int check_losses(uint64_t seed)
{
	int unnoticed = 0;

	for (size_t i = 0; i < sizeof losable / sizeof losable[0]; i++) {
		const bool noticed = !try(seed, &losable[i], LOST_IMAGES);
		unnoticed += !noticed;
		printf("%s: lost syncs of %s, %zu images\n", noticed ? "ok, noticed" : "NOT NOTICED",
		       losable[i].name, report->images);
		if (noticed)
			print_wrong();
	}
	return unnoticed;
}

static int check_images(uint64_t seed, size_t images)
{
	const bool good = try(seed, &(struct lost){0}, images);

	if (!good)
		print_wrong();
	printf("%s: %zu images of lives %" PRIu64 " to %" PRIu64 ", %zu calls\n", good ? "ok" : "FAILED",
	       report->images, seed, report->life, report->events);
	return good ? 0 : 1;
}

int main(int argc, char *argv[])
{
	size_t images = 10000;
	uint64_t seed = 1;
	bool lost = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--lost") == 0)
			lost = true;
		else if (strcmp(argv[i], "--images") == 0 && i + 1 < argc)
			images = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoul(argv[++i], NULL, 10);
		else
			return fprintf(stderr, "usage: crash [--images N] [--seed S] [--lost]\n"), 2;
	}
	report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(report != MAP_FAILED);
	place_make();
	const int bad = lost ? check_losses(seed) : check_images(seed, images);
	place_remove();
	return bad > 0;
}
