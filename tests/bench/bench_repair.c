/* SPDX-License-Identifier: Apache-2.0 */
/* A holder's store lacks so many rows of a million behind its own cursor, and nothing changes: what goes over
 * its sessions, both ways, from its start until it holds them again, without the rows themselves. */
#include <math.h>
#include <stdio.h>

#include "storage/batch.h"
#include "storage/store.h"
#include "tests/bench/duo.h"

enum { TWINS = 1000000, QUICK_TWINS = 20000, WITHIN_S = 300, PATH_BYTES = 256, TAKEN_BYTES = 512 << 20 };

static int retract(const char *id, struct arena *a, struct bytes *ret)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct row row = {.id = id, .deleted = true, .type = "", .name = ""};

	row_encode(&row, &b);
	TRY(buf_check(&b));
	char *copy = arena_text(a, buf_bytes(&b));
	*ret = (struct bytes){(const uint8_t *)copy, b.len};
	return copy ? 0 : -ENOMEM;
}

/* Every so-manieth row that is held, and what they take. */
static int pick(const struct store *s, const struct origin *o, size_t n, struct arena *a, struct op_rows *op,
		double *ret_bytes)
{
	const size_t step = o->n_rows / n;
	const char *after = "";
	size_t at = 0;

	for (const struct remote_row *r; op->n < n && (r = store_row_next(s, FLEET_ORG "/", after));
	     after = r->id) {
		if (r->origin != o || at++ % step != 0)
			continue;
		struct bytes *place = arena_push(a, &op->rows, &op->n, sizeof *place);
		if (!place)
			return -ENOMEM;
		TRY(retract(r->id, a, place));
		*ret_bytes += (double)r->encoded.len;
	}
	return 0;
}

static int take_rows(struct store *s, size_t n, struct arena *a, double *ret_bytes)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	const struct origin *o = store_origin_next(s, "");
	struct err_note note = {0};

	if (!o || o->n_rows < n)
		return ERR_ABSENT;
	struct op op = {.kind = OP_ROWS,
			.rows = {.origin = arena_copy(a, o->name), .repair = true, .cursor = o->cursor}};
	TRY(pick(s, o, n, a, &op.rows, ret_bytes));
	TRY(batch_new(&b));
	TRY(store_stage(s, b, &op, 0, NULL, &note));
	TRY(store_write(s, b));
	return store_apply(s, b, 0);
}

/* Of the holder that does not run. */
static int damage(const struct duo *d, size_t n, double *ret_bytes)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_store) struct store *s = NULL;
	const char *name = d->fleet.nodes[DUO_HOLDER].name;
	struct err_note note = {0};
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s/store", d->fleet.dir, name);
	const struct store_options opt = {.dir = path, .org = FLEET_ORG, .node = name, .fresh_id = 1};
	*ret_bytes = 0;
	int r = arena_new(&a, TAKEN_BYTES);
	if (r == 0)
		r = store_open(&s, &opt, &note);
	if (r == 0)
		r = take_rows(s, n, a, ret_bytes);
	return r < 0 ? bench_say("repair", "the holder's store: %s %s", err_text(r), note.text) : 0;
}

static double said_and_heard(struct duo *d)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct peer_info *peers;
	double sum = 0;
	size_t n;

	if (arena_new(&a, 1 << 20) < 0 || fleet_peers(&d->fleet, DUO_HOLDER, a, &peers, &n) < 0)
		return NAN;
	for (size_t i = 0; i < n; i++)
		sum += (double)(peers[i].bytes_in + peers[i].bytes_out);
	return sum;
}

static int await_all(struct duo *d)
{
	const double until_s = bench_now_s() + WITHIN_S;
	int64_t held;

	while ((held = duo_held(d)) != (int64_t)d->n_twins) {
		if (held < 0 || bench_now_s() > until_s)
			return bench_say("repair", "the holder has %lld rows", (long long)held);
		bench_pause_ms(20);
	}
	bench_pause_ms(200); /* the pull behind the repair */
	return 0;
}

static int once(const struct bench_options *opt, struct duo *d, const char *name, size_t n)
{
	double rows;

	fleet_kill(&d->fleet, DUO_HOLDER);
	client_close(d->fleet.nodes[DUO_HOLDER].client);
	d->fleet.nodes[DUO_HOLDER].client = NULL;
	if (damage(d, n, &rows) < 0 || duo_launch(d, DUO_HOLDER) < 0)
		return -1;
	if (duo_held(d) == (int64_t)d->n_twins)
		return bench_say("repair", "nothing is missing");
	if (duo_await_session(d, WITHIN_S) < 0 || await_all(d) < 0)
		return -1;
	bench_result(opt, "repair", name, said_and_heard(d) - rows, "bytes");
	return 0;
}

static int measure(const struct bench_options *opt, struct duo *d)
{
	if (duo_launch(d, DUO_HOLDER) < 0 || duo_await_session(d, WITHIN_S) < 0 || await_all(d) < 0 ||
	    once(opt, d, "100", 100) < 0)
		return -1;
	return once(opt, d, "10k", 10000);
}

static int run(const struct bench_options *opt)
{
	struct duo d = {.bench = "repair", .n_twins = opt->quick ? QUICK_TWINS : TWINS};
	int r = duo_init(&d, opt);

	if (r == 0)
		r = measure(opt, &d);
	duo_fini(&d);
	return r;
}

const struct bench bench_repair = {
	"repair", "a holder lacks so many of a million: what finding them costs: [100] [10k]", run};
