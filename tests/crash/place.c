/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "tests/crash/place.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/must.h"

static char place[64];

void place_make(void)
{
	snprintf(place, sizeof place, "%s/holon-crash-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(place));
}

const char *place_path(char ret[PLACE_BYTES], const char *name)
{
	snprintf(ret, PLACE_BYTES, "%s/%s", place, name);
	return ret;
}

static int drop(const char *name, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(name);
}

void place_empty(const char *name)
{
	char path[PLACE_BYTES];

	nftw(place_path(path, name), drop, 8, FTW_DEPTH | FTW_PHYS);
}

void place_remove(void)
{
	nftw(place, drop, 8, FTW_DEPTH | FTW_PHYS);
}
