/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a payload of Sparkplug B: sparkplug_payload SEQ METRIC..., where SEQ is `-` for none and a metric
 * NAME,ALIAS,TYPE,VALUE[,MS]: NAME and ALIAS may be empty, TYPE is the number of the specification, VALUE a
 * number (in two's complement), a truth, a text or `null`; MS makes it a historical one of that time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/clock.h"
#include "proto/sparkplug.h"
#include "tests/lib/must.h"

enum { METRICS = 64, PARTS = 5 };

static void read_value(const char *text, uint32_t type, struct sparkplug_metric *ret)
{
	ret->is_null = strcmp(text, "null") == 0;
	if (type == SPARKPLUG_FLOAT || type == SPARKPLUG_DOUBLE) {
		ret->field = SPARKPLUG_REAL;
		ret->real = strtod(text, NULL);
	} else if (type == SPARKPLUG_BOOLEAN) {
		ret->field = SPARKPLUG_TRUTH;
		ret->truth = strcmp(text, "true") == 0;
	} else if (type == SPARKPLUG_STRING) {
		ret->field = SPARKPLUG_WORDS;
		ret->words = text;
	} else {
		ret->field = SPARKPLUG_BITS;
		ret->bits = (uint64_t)strtoll(text, NULL, 10);
	}
}

static void read_metric(char *text, struct sparkplug_metric *ret)
{
	char *part[PARTS] = {0}, *rest = text;
	size_t n = 0;

	while (rest && n < PARTS) {
		part[n++] = rest;
		rest = strchr(rest, ',');
		if (rest)
			*rest++ = '\0';
	}
	must(n >= 4);
	const uint32_t type = (uint32_t)strtoul(part[2], NULL, 10);
	*ret = (struct sparkplug_metric){.name = part[0],
					 .has_alias = part[1][0],
					 .alias = strtoull(part[1], NULL, 10),
					 .datatype = part[0][0] ? type : 0};
	if (n > 4) {
		ret->has_time = ret->is_historical = true;
		ret->t_ns = strtoll(part[4], NULL, 10) * NS_PER_MS;
	}
	read_value(part[3], type, ret);
}

int main(int argc, char **argv)
{
	SCOPED(buf_fini) struct buf out = {0};
	struct sparkplug_metric metrics[METRICS];
	struct sparkplug_payload p = {.has_time = true, .metrics = metrics};
	struct timespec now;

	must(argc >= 2 && argc - 2 <= METRICS);
	must(clock_gettime(CLOCK_REALTIME, &now) == 0);
	p.t_ns = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
	p.has_seq = strcmp(argv[1], "-") != 0;
	p.seq = p.has_seq ? strtoull(argv[1], NULL, 10) : 0;
	for (int i = 2; i < argc; i++)
		read_metric(argv[i], &metrics[p.n_metrics++]);
	sparkplug_encode(&p, &out);
	must(buf_check(&out) == 0);
	return fwrite(buf_bytes(&out).data, 1, buf_bytes(&out).len, stdout) == buf_bytes(&out).len ? 0 : 1;
}
