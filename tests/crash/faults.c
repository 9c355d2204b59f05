/* SPDX-License-Identifier: Apache-2.0 */
/* Every call that the store and LMDB make to the disk fails once, and from some call on all of them do: what
 * was asked is refused with a clean error, reading goes on, and when the fault is gone it works again without
 * a restart. Nothing acknowledged is lost, and a batch that was refused is there wholly or not at all if the
 * process ends then.
 *
 *	faults [--every N]      only every Nth call
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/crash/life.h"
#include "tests/crash/place.h"
#include "tests/lib/disk.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { TRIES_UNDER_FAULT = 2, LIMIT_BYTES = 16 << 20 };
enum {
	MAKES = 1 << DISK_CREATE | 1 << DISK_MKDIR | 1 << DISK_RENAME,
	WRITES = 1 << DISK_WRITE | 1 << DISK_RESIZE,
	SYNCS = 1 << DISK_SYNC,
	OPENS = 1 << DISK_OPEN | 1 << DISK_CREATE,
	ALL = (1 << N_DISK_CALLS) - 1,
};

static const struct {
	const char *name;
	struct disk_fault fault;
} kinds[] = {
	{"an I/O error", {.calls = ALL, .times = 1, .error = EIO}},
	{"an I/O error after the fact", {.calls = WRITES | SYNCS, .times = 1, .error = EIO, .late = true}},
	{"I/O errors from then on", {.calls = ALL, .times = -1, .error = EIO}},
	{"a full disk", {.calls = MAKES | WRITES, .times = -1, .error = ENOSPC}},
	{"a disk that is full when it syncs", {.calls = SYNCS, .times = -1, .error = ENOSPC, .late = true}},
	{"a write that is cut short", {.calls = 1 << DISK_WRITE, .times = 1}},
	{"too many open files", {.calls = OPENS, .times = -1, .error = EMFILE}},
	{"no address space", {.calls = 1 << DISK_MAP, .times = 1, .error = ENOMEM}},
};

/* What is done, in this order. */
static const char script[] = "bbcbbCbrbbccbrcb";

struct run {
	const struct ledger *expected; /* of a run without faults; NULL: this is that run */
	struct life life;
	uint64_t seed;
	size_t done;     /* batches */
	bool failed;     /* a call did */
	bool unreadable; /* what is not open yet, as no file can be opened */
	bool doubted;    /* the next batch was refused: after a restart it may be there */
	const char *kind;
	long call;
	int complaints;
};

static void complain(struct run *r, const char *what, const char *more)
{
	r->complaints++;
	printf("FAILED: %s at call %ld, batch %zu: %s%s\n", r->kind, r->call, r->done, what, more);
}

static bool is_content(const struct run *r, size_t batch, const char *content)
{
	return batch < r->expected->n && strcmp(r->expected->entries[batch].content, content) == 0;
}

/* Reading goes on, and shows what was acknowledged. */
static void check_content(struct run *r)
{
	int code;

	if (!r->expected)
		return;
	SCOPED(scope_free) char *content = life_content(&code);
	if (!content && r->unreadable)
		return;
	if (!content)
		complain(r, "reading: ", err_text(code));
	else if (!is_content(r, r->done, content))
		complain(r, "what is there is not what was acknowledged: ", content);
}

/* ---- Steps: 0 or what was refused -------------------------------------------------------------------------
 */

static int open_step(struct run *r)
{
	int code = world_try_open("acme", "north");

	if (code < 0 && !world.note.text[0])
		complain(r, "no word on why it does not open: ", err_text(code));
	TRY(code);
	if (!r->expected)
		return 0;
	SCOPED(scope_free) char *content = life_content(&code);
	TRY(code);
	if (r->doubted && is_content(r, r->done + 1, content))
		r->done++;
	r->doubted = false;
	return 0;
}

static void close_store(void)
{
	store_close(world.store);
	world.store = NULL;
}

static int reopen_step(struct run *r)
{
	close_store();
	return open_step(r);
}

/* The same batch again when it was refused, whatever happened between: time and chance hang on its number. */
static int batch_step(struct run *r)
{
	r->life.random = r->seed + r->done;
	world.now_ns = NOW + (int64_t)r->done * NS_PER_MS;
	const int code = r->done == 0 ? life_found(&r->life) : life_batch(&r->life);

	r->doubted = code < 0;
	r->done += code == 0;
	return code;
}

static int checkpoint_step(struct run *r)
{
	(void)r;
	return life_checkpoint();
}

/* A checkpoint whose writing fails leaves what it would have written to the next. */
static int checkpoint_twice_step(struct run *r)
{
	struct checkpoint *c;

	(void)r;
	TRY(checkpoint_begin(world.store, &c));
	const int code = checkpoint_write(c);
	checkpoint_end(world.store, c, false);
	TRY(code);
	return life_checkpoint();
}

typedef int step_fn(struct run *r);

static step_fn *step_of(char c)
{
	switch (c) {
	case 'b': return batch_step;
	case 'c': return checkpoint_step;
	case 'C': return checkpoint_twice_step;
	default: return reopen_step;
	}
}

/* ---- Runs -------------------------------------------------------------------------------------------------
 */

static void lift_fault(struct run *r)
{
	r->failed |= disk_failures() > 0;
	r->unreadable = false;
	disk_fail((struct disk_fault){.after = -1});
}

/* Until it works: some times under the fault, then without, and every other time there is a restart before.
 */
static void persist(struct run *r, step_fn *step)
{
	const size_t done = r->done;
	int code = step(r);

	for (int i = 0; code < 0 && i < TRIES_UNDER_FAULT; i++) {
		if (world.store)
			check_content(r);
		code = step(r);
	}
	if (code >= 0)
		return;
	lift_fault(r);
	if (r->call % 2 && reopen_step(r) < 0)
		complain(r, "not opened after the fault: ", world.note.text);
	if (step == batch_step && r->done > done)
		return; /* it was in doubt, and came with the restart */
	code = step(r);
	if (code < 0)
		complain(r,
			 "refused after the fault: ", world.note.text[0] ? world.note.text : err_text(code));
}

static int count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	must(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void live(struct run *r)
{
	const int files = count_files();
	size_t batches = 0;

	persist(r, reopen_step);
	if (!r->expected)
		life_note(&r->life);
	for (size_t i = 0; script[i] && r->complaints == 0; i++) {
		batches += script[i] == 'b';
		if (script[i] != 'b' || r->done < batches) /* else it came with a restart */
			persist(r, step_of(script[i]));
		check_content(r);
	}
	lift_fault(r);
	if (r->complaints == 0 && reopen_step(r) < 0)
		complain(r, "not opened at the end: ", world.note.text);
	if (r->complaints == 0)
		check_content(r);
	close_store();
	if (count_files() != files)
		complain(r, "files are left open", "");
}

static void begin(char dir[PLACE_BYTES])
{
	static char store[PLACE_BYTES];

	must(mkdir(place_path(dir, "disk"), 0700) == 0);
	world.dir = place_path(store, "disk/store");
	world.store = NULL;
	world.now_ns = NOW;
	world.limit_bytes = LIMIT_BYTES;
	disk_watch(dir, NULL, NULL);
}

static void end(void)
{
	disk_watch(NULL, NULL, NULL);
	place_empty("disk");
}

/* The run without faults, and how many calls of each kind it makes. */
static struct ledger reference(uint64_t seed)
{
	char dir[PLACE_BYTES];
	struct run r = {.seed = seed, .kind = "no fault"};

	begin(dir);
	live(&r);
	must(r.complaints == 0);
	printf("without faults:");
	for (enum disk_call c = 0; c < N_DISK_CALLS; c++)
		printf(" %ld %s", disk_calls(c), disk_call_text(c));
	printf("\n");
	for (enum disk_call c = 0; c < N_DISK_CALLS; c++)
		must(disk_calls(c) > 0); /* or the interposer does not see LMDB */
	end();
	return r.life.ledger;
}

/* Let the call with this number fail. False: there are not so many. */
static bool fail_at(const struct ledger *expected, uint64_t seed, size_t kind, long call, int *complaints)
{
	char dir[PLACE_BYTES];
	struct run r = {.expected = expected, .seed = seed, .kind = kinds[kind].name, .call = call};
	struct disk_fault fault = kinds[kind].fault;

	begin(dir);
	fault.after = call;
	r.unreadable = fault.calls & 1 << DISK_OPEN;
	disk_fail(fault);
	live(&r);
	ledger_fini(&r.life.ledger);
	end();
	*complaints += r.complaints;
	return r.failed;
}

int main(int argc, char *argv[])
{
	const uint64_t seed = 1;
	long every = 1, runs = 0;
	int complaints = 0;

	if (argc == 3 && strcmp(argv[1], "--every") == 0)
		every = strtol(argv[2], NULL, 10);
	else if (argc != 1 || every < 1)
		return fprintf(stderr, "usage: faults [--every N]\n"), 2;
	must(arena_new(&world.arena, SIZE_MAX) == 0);
	place_make();
	struct ledger expected = reference(seed);
	for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
		long call = 0;
		while (complaints < 10 && fail_at(&expected, seed, kind, call, &complaints)) {
			call += every;
			runs++;
		}
		printf("%s: at each of %ld calls\n", kinds[kind].name, call);
	}
	printf("%ld runs, %d complaints\n", runs, complaints);
	ledger_fini(&expected);
	arena_free(world.arena);
	place_remove();
	return complaints > 0 || runs == 0;
}
