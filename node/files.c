/* SPDX-License-Identifier: Apache-2.0 */
#include "node/files.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>

struct files {
	DIR *dir; /* of our descriptors; NULL: this system does not show them */
};

void files_raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur == l.rlim_max)
		return;
	l.rlim_cur = l.rlim_max;
	ignore(setrlimit(RLIMIT_NOFILE, &l)); /* then it stays as it is, and is shown so */
}

uint64_t files_most(void)
{
	struct rlimit l = {0};

	return getrlimit(RLIMIT_NOFILE, &l) == 0 ? l.rlim_cur : 0;
}

int files_new(struct files **ret)
{
	struct files *f = calloc(1, sizeof *f);

	if (!f)
		return FAIL(-ENOMEM);
	f->dir = opendir("/proc/self/fd");
	*ret = f;
	return 0;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	if (f->dir)
		closedir(f->dir);
	free(f);
}

void files_count(struct files *f, struct files_count *ret)
{
	const struct dirent *d;

	*ret = (struct files_count){.most = files_most()};
	if (!f->dir)
		return;
	rewinddir(f->dir);
	while ((d = readdir(f->dir)))
		ret->open += d->d_name[0] != '.';
}
