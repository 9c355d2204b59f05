/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/duo.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "proto/packed.h"
#include "tests/bench/process.h"
#include "tools/bulk.h"

enum { ARENA_BYTES = 64 << 20, OPS_PER_REQUEST = 5000, FRAME_SAMPLES = 5000, ID_SIZE = 64, WINDOW = 16 };

static const char *id_of(size_t twin, char ret[ID_SIZE])
{
	snprintf(ret, ID_SIZE, FLEET_ORG "/plant-%02zu/line-%03zu/machine-%07zu", twin % 20, twin % 1000,
		 twin);
	return ret;
}

/* No frame may be on its way. */
static int ask(struct duo *d, size_t node, struct control_request *r, struct control_answer *ret)
{
	struct client *c = fleet_client(&d->fleet, node);
	struct err_note note = {0};

	arena_reset(d->arena);
	if (!c)
		return -1;
	if (client_ask(c, r, d->arena, ret, &note) < 0)
		return bench_say(d->bench, "%s", note.text);
	return ret->code < 0 ? bench_say(d->bench, "the node says: %s", ret->text) : 0;
}

/* ---- Twins ------------------------------------------------------------------------------------------------
 */

static void on_refused(void *ctx, const struct mark *mark, const struct refusal *refusal)
{
	const struct duo *d = ctx;

	(void)mark;
	bench_say(d->bench, "refused: %s", refusal->reason);
}

static int add_type(struct bulk *b, struct err_note *note)
{
	static struct property_def properties[] = {
		{.name = "power", .type = VALUE_DOUBLE, .unit = "kW", .min = NAN, .max = NAN, .kpi = true},
		{.name = "heat", .type = VALUE_DOUBLE, .unit = "K", .min = NAN, .max = NAN, .kpi = true}};
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "machine",
				       .parent = "",
				       .version = 1,
				       .kind = KIND_ASSET,
				       .properties = properties,
				       .n_properties = 2}};

	TRY(bulk_add(b, &op, (struct mark){0}, note));
	return bulk_drain(b, note);
}

static int add_twins(const struct duo *d, struct bulk *b, struct err_note *note)
{
	char id[ID_SIZE];

	TRY(add_type(b, note));
	for (size_t i = 0; i < d->n_twins; i++) {
		const struct op op = {.kind = OP_TWIN,
				      .twin = {.id = arena_copy(bulk_arena(b), id_of(i, id)),
					       .type = "machine",
					       .kind = KIND_ASSET,
					       .name = ""}};
		TRY(bulk_add(b, &op, (struct mark){0}, note));
	}
	return bulk_drain(b, note);
}

static int make_twins(struct duo *d)
{
	SCOPED(bulk_fini)
	struct bulk b = {.client = fleet_client(&d->fleet, DUO_OWNER),
			 .refused = on_refused,
			 .ctx = d,
			 .ops_max = OPS_PER_REQUEST};
	struct err_note note = {0};

	if (!b.client || bulk_init(&b) < 0 || add_twins(d, &b, &note) < 0)
		return bench_say(d->bench, "twins cannot be made: %s", note.text);
	if (b.n_changed != d->n_twins + 1)
		return bench_say(d->bench, "%" PRIu64 " of %zu twins were made", b.n_changed, d->n_twins);
	return 0;
}

/* Handles of `n` series from twin `first` on; of the second KPI they go nowhere but into its first samples.
 */
static int open_series(struct duo *d, size_t first, size_t n, const char *property, uint32_t *handles)
{
	struct control_request r = {.op = CONTROL_SERIES, .n_names = n};
	struct control_answer answer;
	SCOPED(scope_arena) struct arena *a = NULL;
	char id[ID_SIZE];

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(d->bench, "out of memory");
	r.names = arena_take_array(a, n, sizeof *r.names);
	for (size_t i = 0; i < n; i++) {
		r.names[i].twin = arena_copy(a, id_of(first + i, id));
		r.names[i].property = property;
	}
	if (ask(d, DUO_OWNER, &r, &answer) < 0)
		return -1;
	d->incarnation = answer.incarnation;
	for (size_t i = 0; i < n; i++)
		if (i >= answer.n_handles || answer.handles[i] == 0)
			return bench_say(d->bench, "no handle for %s", r.names[i].twin);
	memcpy(handles, answer.handles, n * sizeof *handles);
	return 0;
}

/* ---- Changing ---------------------------------------------------------------------------------------------
 */

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int send_frame(struct duo *d, struct packed_writer *w)
{
	SCOPED(buf_fini) struct buf frame = {0};
	struct client *c = fleet_client(&d->fleet, DUO_OWNER);
	const struct packed_id id = {d->session, ++d->n_frames, d->incarnation};
	struct err_note note = {0};

	if (!c || packed_finish(w, &id, &frame) < 0)
		return bench_say(d->bench, "a frame cannot be packed");
	struct control_request r = {.op = CONTROL_INGEST, .blob = buf_bytes(&frame)};
	if (client_send(c, &r, &note) < 0)
		return bench_say(d->bench, "not sent: %s", note.text);
	packed_writer_clear(w);
	d->underway++;
	return duo_await_acks(d, WINDOW);
}

static int put(struct duo *d, struct packed_writer *w, uint32_t handle, double value)
{
	const struct sample s = {
		.t_ns = wall_ns(), .value = {.type = VALUE_DOUBLE, .real = value}, .sigma = NAN};

	return packed_put(w, handle, &s) == 0 ? 0 : bench_say(d->bench, "a sample cannot be packed");
}

/* The second KPI has a value too, and does not change. */
static int begin_values(struct duo *d)
{
	SCOPED(packed_writer_fini) struct packed_writer w = {0};
	SCOPED(scope_free) uint32_t *second = calloc(SERIES_NAMES_MAX, sizeof *second);

	for (size_t first = 0; second && first < d->n_twins; first += SERIES_NAMES_MAX) {
		const size_t left = d->n_twins - first, n = left < SERIES_NAMES_MAX ? left : SERIES_NAMES_MAX;
		if (open_series(d, first, n, "power", d->handles + first) < 0 ||
		    open_series(d, first, n, "heat", second) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (put(d, &w, second[i], 273.15) < 0 || put(d, &w, d->handles[first + i], 0) < 0)
				return -1;
		if (send_frame(d, &w) < 0 || duo_await_acks(d, 0) < 0)
			return -1;
	}
	return second ? 0 : bench_say(d->bench, "out of memory");
}

size_t duo_twin(const struct duo *d, const struct duo_change *c, size_t i)
{
	const size_t step = d->n_twins / c->n;

	return (c->first + i * (step > 0 ? step : 1)) % d->n_twins;
}

int duo_send(struct duo *d, const struct duo_change *c)
{
	SCOPED(packed_writer_fini) struct packed_writer w = {0};

	for (size_t i = 0; i < c->n; i++) {
		const size_t twin = duo_twin(d, c, i);
		if (put(d, &w, d->handles[twin], (double)++d->changes[twin]) < 0)
			return -1;
		if ((w.n == FRAME_SAMPLES || i + 1 == c->n) && send_frame(d, &w) < 0)
			return -1;
	}
	return 0;
}

int duo_await_acks(struct duo *d, unsigned left)
{
	struct control_answer answer;
	struct err_note note = {0};

	while (d->underway > left) {
		arena_reset(d->arena);
		if (client_receive(fleet_client(&d->fleet, DUO_OWNER), d->arena, &answer, &note) < 0)
			return bench_say(d->bench, "%s", note.text);
		if (answer.code < 0 || answer.n_refused > 0)
			return bench_say(d->bench, "samples were not taken: %s",
					 answer.code < 0 ? answer.text : answer.refused[0].reason);
		d->underway--;
	}
	return 0;
}

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

/* NULL: it has none. */
static const struct row *summary(struct duo *d, size_t node, size_t twin)
{
	char id[ID_SIZE];
	struct control_request r = {.op = CONTROL_SUMMARIES, .prefix = id_of(twin, id), .limit = 1};
	struct control_answer answer;

	return ask(d, node, &r, &answer) == 0 && answer.n_summaries == 1 ? &answer.summaries[0].row : NULL;
}

int64_t duo_shown(struct duo *d, size_t twin)
{
	const struct row *row = summary(d, DUO_HOLDER, twin);
	const struct kpi *kpi = row ? row_kpi(row, "power") : NULL;

	return kpi && kpi->sample.value.type == VALUE_DOUBLE ? (int64_t)kpi->sample.value.real : -1;
}

int duo_await_shown(struct duo *d, size_t twin, double within_s)
{
	const double until_s = bench_now_s() + within_s;

	while (duo_shown(d, twin) != (int64_t)d->changes[twin]) {
		if (!process_runs(&d->fleet.nodes[DUO_HOLDER].pid))
			return bench_say(d->bench, "the holder has ended");
		if (bench_now_s() > until_s)
			return bench_say(d->bench, "twin %zu is not shown as it is after %.0f s", twin,
					 within_s);
	}
	return 0;
}

int duo_check(struct duo *d, const struct duo_change *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const size_t twin = duo_twin(d, c, i);
		if (duo_shown(d, twin) != (int64_t)d->changes[twin])
			return bench_say(d->bench, "twin %zu is not shown as it is", twin);
	}
	return 0;
}

int64_t duo_row_bytes(struct duo *d, const struct duo_change *c)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	int64_t sum = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct row *row = summary(d, DUO_OWNER, duo_twin(d, c, i));
		buf_clear(&encoded);
		if (row)
			row_encode(row, &encoded);
		if (!row || buf_check(&encoded) < 0)
			return bench_say(d->bench, "the owner has no twin %zu", duo_twin(d, c, i));
		sum += (int64_t)encoded.len;
	}
	return sum;
}

int64_t duo_bytes_in(struct duo *d, size_t node)
{
	struct peer_info *peers;
	size_t n;
	uint64_t sum = 0;

	arena_reset(d->arena);
	if (fleet_peers(&d->fleet, node, d->arena, &peers, &n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		sum += peers[i].bytes_in;
	return (int64_t)sum;
}

int64_t duo_held(struct duo *d)
{
	struct control_request r = {.op = CONTROL_STATUS};
	struct control_answer answer;

	return ask(d, DUO_HOLDER, &r, &answer) < 0 ? -1 : (int64_t)answer.status.n_remote_rows;
}

/* ---- Coming and going -------------------------------------------------------------------------------------
 */

int duo_launch(struct duo *d, size_t node)
{
	return fleet_launch(&d->fleet, node) == 0 && fleet_client(&d->fleet, node) ? 0 : -1;
}

int duo_await_session(struct duo *d, double within_s)
{
	const double until_s = bench_now_s() + within_s;
	int n;

	while ((n = fleet_connected(&d->fleet, DUO_HOLDER)) == 0)
		if (bench_now_s() > until_s)
			return bench_say(d->bench, "no session after %.0f s", within_s);
	return n < 0 ? -1 : 0;
}

int duo_init(struct duo *d, const struct bench_options *opt)
{
	d->fleet.bench = d->bench;
	d->fleet.n = N_DUO;
	d->session = (uint64_t)wall_ns();
	d->handles = calloc(d->n_twins, sizeof *d->handles);
	d->changes = calloc(d->n_twins, sizeof *d->changes);
	if (!d->handles || !d->changes || arena_new(&d->arena, ARENA_BYTES) < 0)
		return bench_say(d->bench, "out of memory");
	if (fleet_init(&d->fleet, opt) < 0 || fleet_tell_all(&d->fleet) < 0 || duo_launch(d, DUO_OWNER) < 0)
		return -1;
	return make_twins(d) < 0 ? -1 : begin_values(d);
}

void duo_fini(struct duo *d)
{
	fleet_fini(&d->fleet);
	free(d->handles);
	free(d->changes);
	arena_free(d->arena);
}
