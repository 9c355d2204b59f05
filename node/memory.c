/* SPDX-License-Identifier: Apache-2.0 */
#include "node/memory.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATH_BYTES = 512, LINE_BYTES = 512 };

/* A number in a file; "max" and a file that is not there are no limit. */
static size_t number_in(const char *path)
{
	FILE *f = fopen(path, "re");
	uintmax_t n;

	if (!f)
		return SIZE_MAX;
	const int found = fscanf(f, "%" SCNuMAX, &n);
	fclose(f);
	return found == 1 && n < SIZE_MAX ? (size_t)n : SIZE_MAX;
}

static size_t limit_at(bool second, const char *group)
{
	char file[PATH_BYTES];
	const int n = snprintf(file, sizeof file, "/sys/fs/cgroup%s%s/memory.%s", second ? "" : "/memory",
			       group, second ? "max" : "limit_in_bytes");

	return n > 0 && (size_t)n < sizeof file ? number_in(file) : SIZE_MAX;
}

/* "0::/path" of version 2, or "5:memory:/path" of version 1. */
static size_t limit_of_group(char *line)
{
	char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return SIZE_MAX;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	const bool second = strcmp(controllers, ":") == 0;
	if (!second && strcmp(controllers, ":memory") != 0)
		return SIZE_MAX;
	/* in a container its own group is the root of what can be seen */
	const size_t own = limit_at(second, path), root = limit_at(second, "");
	return own < root ? own : root;
}

static size_t limit_of_groups(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	size_t least = SIZE_MAX;
	char line[LINE_BYTES];

	while (f && fgets(line, sizeof line, f)) {
		const size_t limit = limit_of_group(line);
		least = limit < least ? limit : least;
	}
	if (f)
		fclose(f);
	return least;
}

size_t memory_limit(void)
{
	const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	const size_t groups = limit_of_groups();
	size_t least = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
	struct rlimit data;

	if (getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur < least)
		least = (size_t)data.rlim_cur;
	return groups < least ? groups : least;
}

/* The C library keeps freed memory between what is still in use: after a checkpoint, of many threads. */
void memory_give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* Resident pages times page size, from /proc/self/statm; 0 where there is none. */
uint64_t memory_resident(void)
{
	unsigned long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
