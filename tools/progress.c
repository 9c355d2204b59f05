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

static void show_bar(const struct progress *p)
{
	const size_t filled = p->done < p->total ? p->done * WIDTH / p->total : WIDTH;
	char bar[WIDTH + 1];

	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[WIDTH] = '\0';
	fprintf(stderr, " [%s] %3zu %%", bar, filled * 100 / WIDTH);
}

/* `1.25 M lines, 310 k/s` */
static void show_rate(const struct progress *p)
{
	static const char *const scales[] = {"", " k", " M", " G"};
	const int64_t ms = p->shown_ms > p->began_ms ? p->shown_ms - p->began_ms : 1;
	double numbers[] = {(double)p->n_counted, (double)p->n_counted * 1000 / (double)ms};
	size_t scale[] = {0, 0};

	for (size_t i = 0; i < 2; i++)
		for (; numbers[i] >= 1000 && scale[i] < 3; scale[i]++)
			numbers[i] /= 1000;
	fprintf(stderr, " %.4g%s %s, %.3g%s/s\033[K", numbers[0], scales[scale[0]], p->counted, numbers[1],
		scales[scale[1]]);
}

static void show(const struct progress *p)
{
	fprintf(stderr, "\r%-10s", p->what);
	if (p->total > 0)
		show_bar(p);
	if (p->counted)
		show_rate(p);
	fflush(stderr);
}

void progress_start(struct progress *p, const char *what, size_t total, bool quiet)
{
	*p = (struct progress){
		.what = what, .total = total, .began_ms = now_ms(), .on = !quiet && isatty(STDERR_FILENO)};
}

void progress_add(struct progress *p, size_t n)
{
	p->done += n;
	if (!p->on || now_ms() - p->shown_ms < EVERY_MS)
		return;
	p->shown_ms = now_ms();
	show(p);
}

void progress_hide(struct progress *p)
{
	if (p->on && p->shown_ms > 0)
		fputs("\r\033[K", stderr);
	p->shown_ms = 0;
}

void progress_stop(struct progress *p)
{
	progress_hide(p);
	p->on = false;
}
