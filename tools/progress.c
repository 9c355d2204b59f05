/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 40, EVERY_MS = 100 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void show(struct progress *p)
{
	const size_t filled = p->total > 0 ? p->done * WIDTH / p->total : 0;
	char bar[WIDTH + 1];

	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[WIDTH] = '\0';
	fprintf(stderr, "\r%-10s [%s] %3zu %%", p->what, bar, p->total > 0 ? p->done * 100 / p->total : 0);
	fflush(stderr);
}

void progress_start(struct progress *p, const char *what, size_t total, bool quiet)
{
	*p = (struct progress){.what = what, .total = total, .on = !quiet && isatty(STDERR_FILENO)};
}

void progress_add(struct progress *p, size_t n)
{
	p->done += n;
	if (!p->on || now_ms() - p->shown_ms < EVERY_MS)
		return;
	p->shown_ms = now_ms();
	show(p);
}

void progress_stop(struct progress *p)
{
	if (p->on && p->shown_ms > 0)
		fputs("\r\033[K", stderr);
	p->on = false;
}
