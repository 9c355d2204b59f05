/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* syscall() */
#include "node/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_DOMAIN
#define SO_DOMAIN 39
#endif

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

/* Stands before the one of the C library, for all that this process has loaded. libzmq 4.3.4 ends the process
 * when it is called at a Unix socket and this process has no descriptor left, but waits when the system has
 * none: what it is told is the latter. A reserve cannot do it: the threads of libzmq take what is given back
 * for whoever is at another door. The label keeps the C library's own declaration out of the way. */
int files_accept(int socket, void *address, void *len, int flags) __asm__("accept4");

__attribute__((used, visibility("default"))) int files_accept(int socket, void *address, void *len, int flags)
{
	const int fd = (int)syscall(SYS_accept4, socket, address, len, flags);
	int domain = 0;
	socklen_t size = sizeof domain;

	if (fd >= 0 || errno != EMFILE)
		return fd;
	ignore(getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size));
	errno = domain == AF_UNIX ? ENFILE : EMFILE;
	return -1;
}
