/* SPDX-License-Identifier: Apache-2.0 */
/* policy-edit: a border with a million twins of its own, 100 partner organisations and 300 rules. One edit
 * takes the shares of 20,000 twins from ten partners and gives them to ten others: from the text of the new
 * policy to the moment at which the store of every partner holds what the border's head for it says.
 *
 * In one process and one thread, one thing after the other: the border (store, policy, visibility, serve,
 * mesh core, signed heads) and, at the other end of each session, the mesh core and a store of the partner
 * (far_border.h), which syncs what it takes. There the partners are machines of their own: [20k] is what the
 * border was busy plus what the slowest of them did, [20k-serial] all of it one after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/serve.h"
#include "proto/clock.h"
#include "security/keys.h"
#include "tests/bench/bench.h"
#include "tests/bench/far_border.h"

enum {
	TWINS = 1000000,
	QUICK_TWINS = 20000,
	AREAS = 500,
	PARTNERS = 100,
	AREA_RULES = 269, /* and ten that move, twenty by tag, one never */
	TAG_RULES = 20,
	MOVED = 10,
	BATCH_OPS = 20000,
	ROUNDS = 5,
};

struct bench_border {
	const struct bench_options *opt;
	char place[256];
	int n_twins;
	struct config config;
	struct trust trust;
	struct credential self;
	struct partner partners[PARTNERS];
	char names[PARTNERS][16];
	struct engine engine;
	struct mesh *mesh;
	struct far_border *readers;
	int n_readers;
	uint64_t to[PARTNERS], others[PARTNERS]; /* bytes sent: all, and all but heads */
	bool edited;                             /* the ten that were given the shares have them */
	double busy_s, busy_cpu_s;               /* of the border */
	double readers_s[PARTNERS];              /* of each reader */
};

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t wall_ns(void)
{
	return 1700000000 * NS_PER_S;
}

static int64_t now_ns(void)
{
	return (int64_t)(bench_now_s() * 1e9);
}

/* ---- Twins -----------------------------------------------------------------------------------------------
 */

static int put(struct store *s, struct batch *b)
{
	TRY(store_reserve(s, b));
	TRY(store_write(s, b));
	return store_apply(s, b, wall_ns());
}

static int stage(struct store *s, struct batch *b, const struct op *op)
{
	struct err_note note = {0};
	const int r = store_stage(s, b, op, wall_ns(), NULL, &note);

	return r == STORE_REFUSED ? bench_say("policy-edit", "%s", note.text) : r < 0 ? r : 0;
}

static const char *id_of(const struct bench_border *w, int twin, char ret[64])
{
	const int per_area = w->n_twins / AREAS;

	snprintf(ret, 64, "acme/plant%d/area%03d/machine%07d", twin / per_area % 10, twin / per_area, twin);
	return ret;
}

static int put_type(struct store *s)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	struct property_def p[] = {{.name = "state/power",
				    .type = VALUE_DOUBLE,
				    .unit = "kW",
				    .min = NAN,
				    .max = NAN,
				    .kpi = true},
				   {.name = "state/speed",
				    .type = VALUE_DOUBLE,
				    .unit = "1/s",
				    .min = NAN,
				    .max = NAN,
				    .kpi = true}};
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "machine", .version = 1, .properties = p, .n_properties = 2}};

	TRY(batch_new(&b));
	TRY(stage(s, b, &op));
	return put(s, b);
}

static int stage_value(struct store *s, struct batch *b, const char *id, double value, int64_t t_ns)
{
	struct sample sample = {.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = value}, .sigma = NAN};
	const struct op op = {.kind = OP_SAMPLES,
			      .samples = {.twin = id, .property = "state/power", .samples = &sample, .n = 1}};

	return stage(s, b, &op);
}

static int put_twins(struct bench_border *w, int from, int to)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	char id[64], tag[16];
	const char *tags[] = {tag};

	TRY(batch_new(&b));
	for (int i = from; i < to; i++) {
		snprintf(tag, sizeof tag, "tie%d", i % (TAG_RULES * 50));
		const struct op op = {.kind = OP_TWIN,
				      .twin = {.id = id_of(w, i, id),
					       .type = "machine",
					       .name = "",
					       .tags = tags,
					       .n_tags = i % 50 == 0}};
		TRY(stage(w->engine.store, b, &op));
		TRY(stage_value(w->engine.store, b, id, i, wall_ns() - NS_PER_S));
	}
	return put(w->engine.store, b);
}

static int checkpoint(struct store *s)
{
	struct checkpoint *c = NULL;

	TRY(checkpoint_begin(s, &c));
	const int r = checkpoint_write(c);
	checkpoint_end(s, c, r == 0);
	return r;
}

static int put_all(struct bench_border *w)
{
	TRY(put_type(w->engine.store));
	for (int i = 0; i < w->n_twins; i += BATCH_OPS) {
		TRY(put_twins(w, i, i + BATCH_OPS < w->n_twins ? i + BATCH_OPS : w->n_twins));
		if (checkpoint_due(w->engine.store, wall_ns()))
			TRY(checkpoint(w->engine.store));
	}
	return 0;
}

/* ---- The policy ------------------------------------------------------------------------------------------
 */

static void put_share(struct buf *b, const char *title, int number, int partner, const char *twins)
{
	buf_print(b,
		  "share \"%s %d\"\n to org partner%d\n twins %s\n allow discover, summary\n"
		  " allow read state/speed\n until 2200-01-01\n",
		  title, number, partner, twins);
}

static void write_policy(bool edited, struct buf *b)
{
	char twins[64];

	buf_put_text(b, "policy acme\n");
	for (int i = 0; i < PARTNERS; i++)
		buf_print(b, "org partner%d = X\n", i);
	buf_put_text(b, "never \"recipes\"\n to everyone-else\n twins **\n deny read of recipe/**\n");
	for (int i = 0; i < AREA_RULES; i++) {
		snprintf(twins, sizeof twins, "plant%d/area%03d/**", (MOVED + i) % 10, MOVED + i);
		put_share(b, "area", i, i % PARTNERS, twins);
	}
	for (int i = 0; i < TAG_RULES; i++) {
		snprintf(twins, sizeof twins, "tag tie%d", i * 50);
		put_share(b, "ties", i, 5 * i % PARTNERS, twins);
	}
	for (int i = 0; i < MOVED; i++) {
		snprintf(twins, sizeof twins, "plant%d/area%03d/**", i % 10, i);
		put_share(b, "moved", i, edited ? MOVED + i : i, twins);
	}
	buf_put_u8(b, 0);
}

static int set_policy(struct bench_border *w, bool edited)
{
	SCOPED(buf_fini) struct buf text = {0};
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct policy_options options = {.own_org = "acme", .now_ns = wall_ns()};
	struct policy_finding *findings;
	struct policy *p = NULL;
	struct err_note note = {0};
	size_t n;

	write_policy(edited, &text);
	TRY(buf_check(&text));
	TRY(arena_new(&a, 64 << 20));
	if (policy_parse((const char *)text.data, &options, &p, a, &findings, &n, &note) < 0)
		return bench_say("policy-edit", "%s", note.text);
	policy_free(w->trust.policy);
	w->trust.policy = p;
	w->trust.policy_doc.epoch++;
	w->edited = edited;
	return 0;
}

/* ---- The border ------------------------------------------------------------------------------------------
 */

static int open_trust(struct bench_border *w)
{
	w->self = (struct credential){.org = "acme", .node = "n1", .roles = ROLE_OWNER | ROLE_BORDER};
	w->trust = (struct trust){.self = &w->self, .clock = {.wall_ns = wall_ns}};
	w->trust.own.org.manifest.org = "acme";
	TRY(sign_key_new(&w->trust.sign));
	TRY(secret32_new(&w->trust.cursor_key));
	for (int i = 0; i < PARTNERS; i++) {
		snprintf(w->names[i], sizeof w->names[i], "partner%d", i);
		w->partners[i].org.manifest.org = w->names[i];
		w->trust.partners[w->trust.n_partners++] = &w->partners[i];
	}
	return 0;
}

static int open_border(struct bench_border *w)
{
	char dir[300];
	struct err_note note = {0};
	const struct store_options store = {.dir = dir,
					    .org = "acme",
					    .node = "n1",
					    .fresh_id = 7,
					    .checkpoint_every_ns = 3600 * NS_PER_S,
					    .now_ns = wall_ns()};

	snprintf(dir, sizeof dir, "%s/border", w->place);
	config_defaults(&w->config);
	TRY(open_trust(w));
	w->engine = (struct engine){.config = &w->config, .trust = &w->trust};
	snprintf(w->engine.origin, sizeof w->engine.origin, "acme/n1");
	if (store_open(&w->engine.store, &store, &note) < 0)
		return bench_say("policy-edit", "%s", note.text);
	w->engine.egress = (struct egress){.trust = &w->trust, .store = w->engine.store};
	const struct mesh_options mesh = {.org = "acme",
					  .node = "n1",
					  .seed = 99,
					  .silence_ns = 3600 * NS_PER_S,
					  .heads_every_ns = 3600 * NS_PER_S,
					  .ping_every_ns = 3600 * NS_PER_S,
					  .publish_every_ns = 1,
					  .port = serve_port(&w->engine)};
	TRY(mesh_new(&w->mesh, &mesh));
	return visibility_new(&w->engine.visibility, &w->engine.egress);
}

static void close_border(struct bench_border *w)
{
	for (int i = 0; i < w->n_readers; i++)
		far_border_close(&w->readers[i]);
	free(w->readers);
	mesh_free(w->mesh);
	visibility_free(w->engine.visibility);
	store_close(w->engine.store);
	policy_free(w->trust.policy);
	sign_key_free(w->trust.sign);
	secret32_free(w->trust.cursor_key);
	bench_remove(w->place);
}

static int deliver(struct bench_border *w, const struct mesh_action *a)
{
	SCOPED(buf_fini) struct buf b = {0};
	const int to = (int)a->session - 1;

	if (a->kind == MESH_CLOSE || a->kind == MESH_ALARM)
		return bench_say("policy-edit", "the border: %s", a->text ? a->text : "");
	if (a->kind != MESH_SEND)
		return 0;
	message_encode(&a->message, &b);
	TRY(buf_check(&b));
	w->to[to] += b.len;
	w->others[to] += a->message.kind == MESSAGE_HEADS ? 0 : b.len;
	const double began = bench_now_s(), cpu = cpu_s();
	TRY(far_border_take(&w->readers[to], b.data, b.len));
	const double took = bench_now_s() - began;
	w->readers_s[to] += took;
	w->busy_s -= took;
	w->busy_cpu_s -= cpu_s() - cpu;
	return 0;
}

static int border_step(struct bench_border *w, const struct mesh_event *e)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct mesh_todo todo = {0};
	const double began = bench_now_s(), cpu = cpu_s();

	TRY(arena_new(&a, 64 << 20));
	todo.arena = a;
	TRY(mesh_step(w->mesh, e, now_ns(), &todo));
	for (size_t i = 0; i < todo.n; i++)
		TRY(deliver(w, &todo.actions[i]));
	w->busy_s += bench_now_s() - began;
	w->busy_cpu_s += cpu_s() - cpu;
	for (size_t i = 0; i < todo.n; i++)
		if (todo.actions[i].kind == MESH_RESUME)
			TRY(border_step(w, &(struct mesh_event){.kind = MESH_RESUMED,
								.session = todo.actions[i].session,
								.message = &todo.actions[i].message,
								.token = todo.actions[i].token}));
	return 0;
}

/* One frame of a reader; 1: there was one. */
static int hand_on(struct bench_border *w, int from)
{
	struct far_border *r = &w->readers[from];
	SCOPED(scope_free) struct far_frame *f = r->out;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct message m;

	if (!f)
		return 0;
	r->out = f->next;
	if (!r->out)
		r->out_end = &r->out;
	TRY(arena_new(&a, DECODE_BUDGET_BASE + f->len * DECODE_BUDGET_FACTOR));
	TRY(message_decode(a, (struct bytes){f->data, f->len}, &m));
	TRY(border_step(
		w, &(struct mesh_event){.kind = MESH_FRAME, .session = (uint32_t)from + 1, .message = &m}));
	return 1;
}

/* Until nobody has anything to say. */
static int pump(struct bench_border *w)
{
	for (int busy = 1; busy;) {
		busy = 0;
		for (int i = 0; i < w->n_readers; i++) {
			const int r = hand_on(w, i);
			TRY(r);
			busy |= r;
		}
	}
	return 0;
}

static bool agrees(const struct bench_border *w, int partner)
{
	const struct fingerprint held = far_border_held(&w->readers[partner], w->engine.origin);
	struct fingerprint seen;
	int64_t stamp_ns;

	visibility_view(w->engine.visibility, w->names[partner], w->engine.origin, &seen, &stamp_ns);
	return fingerprint_equal(&held, &seen);
}

static int check_agreement(const struct bench_border *w)
{
	for (int i = 0; i < PARTNERS; i++)
		if (!agrees(w, i))
			return bench_say("policy-edit", "partner%d does not hold what it may see", i);
	return 0;
}

static int connect_all(struct bench_border *w)
{
	const struct public_key key = sign_key_public(w->trust.sign);

	w->readers = calloc(PARTNERS, sizeof *w->readers);
	if (!w->readers)
		return FAIL(-ENOMEM);
	for (int i = 0; i < PARTNERS; i++) {
		w->n_readers++;
		TRY(far_border_open(&w->readers[i], i, w->place, &key));
		TRY(far_border_connect(&w->readers[i], "acme", "n1"));
		TRY(border_step(w,
				&(struct mesh_event){
					.kind = MESH_UP,
					.session = (uint32_t)i + 1,
					.peer = {.org = w->names[i], .node = "b1", .roles = ROLE_BORDER}}));
		TRY(pump(w));
	}
	return check_agreement(w);
}

/* ---- What is measured ------------------------------------------------------------------------------------
 */

struct round {
	double serial_s; /* one after the other */
	double border_s, border_cpu_s;
	double decide_cpu_s; /* the policy compiled, visibility computed */
	double slowest_s;    /* what the slowest reader did itself */
	uint64_t others;     /* bytes to those who see no difference, beside heads */
	uint64_t moved;
};

static int edit(struct bench_border *w, struct round *ret)
{
	struct visibility_size before, after;

	visibility_size(w->engine.visibility, &before);
	memset(w->others, 0, sizeof w->others);
	memset(w->readers_s, 0, sizeof w->readers_s);
	w->busy_s = w->busy_cpu_s = 0;
	const double began = bench_now_s(), cpu = cpu_s();
	TRY(set_policy(w, !w->edited));
	TRY(visibility_edit(w->engine.visibility));
	ret->border_s = bench_now_s() - began;
	ret->decide_cpu_s = cpu_s() - cpu;
	TRY(border_step(w, &(struct mesh_event){.kind = MESH_CHANGED}));
	TRY(pump(w));
	ret->serial_s = bench_now_s() - began;
	ret->border_s += w->busy_s;
	ret->border_cpu_s = ret->decide_cpu_s + w->busy_cpu_s;
	ret->slowest_s = 0;
	for (int i = 0; i < PARTNERS; i++)
		ret->slowest_s = w->readers_s[i] > ret->slowest_s ? w->readers_s[i] : ret->slowest_s;
	visibility_size(w->engine.visibility, &after);
	ret->moved = after.n_decided - before.n_decided;
	ret->others = 0;
	for (int i = 2 * MOVED; i < PARTNERS; i++)
		ret->others += w->others[i];
	return check_agreement(w);
}

static int follow(struct bench_border *w, double *ret_us)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	const int n = w->n_twins / 50;
	char id[64];

	TRY(batch_new(&b));
	for (int i = 0; i < n; i++)
		TRY(stage_value(w->engine.store, b, id_of(w, i * 50, id), i + 0.5, wall_ns()));
	TRY(put(w->engine.store, b));
	const double cpu = cpu_s();
	TRY(visibility_follow(w->engine.visibility));
	*ret_us = (cpu_s() - cpu) * 1e6 / n;
	return 0;
}

static int edits(struct bench_border *w)
{
	double total[ROUNDS], serial[ROUNDS], border[ROUNDS], decide[ROUNDS];
	struct round round = {0};
	uint64_t others = 0;

	for (int i = 0; i < ROUNDS; i++) {
		TRY(edit(w, &round));
		total[i] = round.border_s + round.slowest_s;
		serial[i] = round.serial_s;
		border[i] = round.border_cpu_s;
		decide[i] = round.decide_cpu_s;
		others += round.others;
	}
	bench_result(w->opt, "policy-edit", "20k", bench_quantile(total, ROUNDS, 0.5), "s");
	bench_result(w->opt, "policy-edit", "20k-bytes-others", (double)others, "bytes");
	bench_result(w->opt, "policy-edit", "20k-serial", bench_quantile(serial, ROUNDS, 0.5), "s");
	bench_result(w->opt, "policy-edit", "20k-border-cpu", bench_quantile(border, ROUNDS, 0.5), "s");
	bench_result(w->opt, "policy-edit", "20k-decide-cpu", bench_quantile(decide, ROUNDS, 0.5), "s");
	bench_result(w->opt, "policy-edit", "20k-twins", (double)round.moved, "twins");
	return 0;
}

static int measure(struct bench_border *w)
{
	struct visibility_size size;
	double follow_us = 0;

	TRY(put_all(w));
	TRY(set_policy(w, false));
	const double cpu = cpu_s();
	TRY(visibility_sweep(w->engine.visibility));
	bench_result(w->opt, "policy-edit", "start-cpu", cpu_s() - cpu, "s");
	TRY(connect_all(w));
	TRY(edits(w));
	TRY(follow(w, &follow_us));
	visibility_size(w->engine.visibility, &size);
	bench_result(w->opt, "policy-edit", "follow-cpu", follow_us, "us/twin");
	bench_result(w->opt, "policy-edit", "bytes-per-twin", (double)size.bytes / (double)size.n_twins,
		     "bytes");
	return 0;
}

static int run(const struct bench_options *opt)
{
	struct bench_border *w = calloc(1, sizeof *w);

	if (!w)
		return bench_say("policy-edit", "out of memory");
	w->opt = opt;
	w->n_twins = opt->quick ? QUICK_TWINS : TWINS;
	int r = bench_place(opt, w->place, sizeof w->place);
	if (r == 0 && (keys_init() < 0 || open_border(w) < 0 || measure(w) < 0))
		r = bench_say("policy-edit", "it could not be measured");
	close_border(w);
	free(w);
	return r;
}

const struct bench bench_edit = {
	"policy-edit", "20,000 of 1 M twins change hands among 100 partners, in process, without sockets",
	run};
