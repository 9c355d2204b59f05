/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of one organisation that know nobody but themselves and one other, started together: how long until
 * each is connected with all, by its own word. Beside it as many agents of serf that are told to join one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "security/keys.h"
#include "security/org.h"
#include "tests/bench/fleet.h"
#include "tests/bench/peer_serf.h"

enum { NODES = 40, QUICK_NODES = 5, WITHIN_S = 60, ARENA_BYTES = 8 << 20 };

static bool is_of(struct arena *a, const struct signed_blob *s, const char *one, const char *other)
{
	struct credential c;

	return credential_decode(a, s->payload, &c) == 0 &&
	       (strcmp(c.node, one) == 0 || strcmp(c.node, other) == 0);
}

/* It knows itself and node 0. */
static int leave_alone(struct arena *a, const struct bytes all, const struct fleet *f, size_t node)
{
	SCOPED(buf_fini) struct buf out = {0};
	struct err_note note = {0};
	struct bundle b;
	char path[160];
	size_t n = 0;

	if (bundle_decode(a, all, &b) < 0)
		return bench_say(f->bench, "the bundle does not read");
	for (size_t i = 0; i < b.n_credentials; i++)
		if (is_of(a, &b.credentials[i], f->nodes[0].name, f->nodes[node].name))
			b.credentials[n++] = b.credentials[i];
	b.n_credentials = n;
	bundle_encode(&b, &out);
	snprintf(path, sizeof path, "%s/%s/bundle", f->dir, f->nodes[node].name);
	if (buf_check(&out) < 0 || file_write(path, buf_bytes(&out), false, &note) < 0)
		return bench_say(f->bench, "%s", note.text);
	return 0;
}

static int isolate(const struct fleet *f)
{
	struct err_note note = {0};
	char path[160];

	snprintf(path, sizeof path, "%s/bundle", f->org);
	for (size_t i = 1; i < f->n; i++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct bytes all;
		if (arena_new(&a, ARENA_BYTES) < 0)
			return bench_say(f->bench, "out of memory");
		if (file_read(a, path, FRAME_OWN_MAX, &all, &note) < 0)
			return bench_say(f->bench, "%s", note.text);
		if (leave_alone(a, all, f, i) < 0)
			return -1;
	}
	return 0;
}

/* NaN after saying why. */
static double join(const struct bench_options *opt, size_t n)
{
	SCOPED(fleet_fini) struct fleet fleet = {.bench = "join", .n = n};

	if (fleet_init(&fleet, opt) < 0 || isolate(&fleet) < 0 || fleet_tell(&fleet, 0) < 0)
		return NAN;
	const double began_s = bench_now_s();
	if (fleet_launch_all(&fleet) < 0 || fleet_settle(&fleet, WITHIN_S) < 0)
		return NAN;
	return bench_now_s() - began_s;
}

static int run(const struct bench_options *opt)
{
	const size_t n = opt->quick ? QUICK_NODES : NODES;
	char name[16];

	snprintf(name, sizeof name, "%zu", n);
	const double s = join(opt, n);
	if (isnan(s))
		return -1;
	bench_figure(opt, "join", name, s, "s", SERF_PEER, peer_serf_join(opt, n, WITHIN_S));
	return 0;
}

const struct bench bench_join = {
	"join", "nodes that know one of theirs, until all are connected with all: join [40]", run};
