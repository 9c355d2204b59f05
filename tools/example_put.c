/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest program that brings samples in: build it against the client library (tools/client.h).
 *
 *	example_put ENDPOINT TWIN PROPERTY NUMBER...
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "tools/client.h"

static void on_refused(void *ctx, uint64_t index, const char *reason)
{
	(void)ctx;
	fprintf(stderr, "sample %" PRIu64 ": %s\n", index, reason);
}

static int put_all(int n_numbers, char *argv[], struct err_note *note)
{
	SCOPED(scope_client) struct client *c = NULL;
	struct timespec now;

	TRY(client_open(&c, argv[1], 5 * NS_PER_S, note));
	TRY(client_ingest_begin(c, &(struct client_ingest_options){.refused = on_refused}, note));
	for (int i = 0; i < n_numbers; i++) {
		clock_gettime(CLOCK_REALTIME, &now);
		const struct sample s = {.t_ns = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec,
					 .value = {.type = VALUE_DOUBLE, .real = strtod(argv[4 + i], NULL)},
					 .sigma = NAN};
		TRY(client_put(c, argv[2], argv[3], &s, note));
	}
	TRY(client_flush(c, note)); /* what it has not refused is on the node's disk now */
	printf("%" PRIu64 " stored\n", client_tally(c).n_stored);
	return 0;
}

int main(int argc, char *argv[])
{
	struct err_note note = {0};

	if (argc < 5) {
		fprintf(stderr, "usage: example_put ENDPOINT TWIN PROPERTY NUMBER...\n");
		return 2;
	}
	const int r = put_all(argc - 4, argv, &note);
	if (r < 0)
		fprintf(stderr, "example_put: %s\n", *note.text ? note.text : err_text(r));
	return r < 0;
}
