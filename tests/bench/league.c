/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/league.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "security/org.h"
#include "tests/bench/process.h"
#include "tools/bulk.h"

enum {
	PATH_BYTES = 176,
	ARENA_BYTES = 64 << 20,
	ANSWER_WITHIN_S = 60,
	OPS_PER_REQUEST = 5000,
	BRANCHES = 10
};
enum { PERIOD = 997, LAUNCH_WITHIN_S = 180, LOOK_MS = 50 };

static const struct {
	const char *org;
	size_t n;
} orgs[LEAGUE_ORGS] = {{"acme", 4}, {"bolt", 3}, {"volt", 3}};

static struct rollup_spec rollups[LEAGUE_ROLLUPS] = {{.fn = ROLLUP_SUM, .property = "power"},
						     {.fn = ROLLUP_MIN, .property = "power"},
						     {.fn = ROLLUP_MAX, .property = "power"},
						     {.fn = ROLLUP_WORST_HEALTH, .property = ""}};

static size_t n_orgs(const struct league *l)
{
	return l->lone ? 2 : LEAGUE_ORGS;
}

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void org_path(const struct league *l, const char *org, const char *file, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%s/org%s", l->dir, org, file);
}

static void node_path(const struct league *l, const struct league_node *n, const char *file,
		      char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%s/n%zu%s", l->dir, n->org, n->number, file);
}

/* ---- Founding --------------------------------------------------------------------------------------------
 */

static int found(struct league *l, const char *org)
{
	char dir[PATH_BYTES];
	struct err_note note = {0};

	snprintf(dir, sizeof dir, "%s/%s", l->dir, org);
	if (mkdir(dir, 0700) < 0)
		return bench_say(l->bench, "%s cannot be made", dir);
	org_path(l, org, "", dir);
	const struct org_dir_options opt = {
		.dir = dir, .name = org, .passphrase = BYTES("holon-bench"), .now_ns = wall_ns()};
	return org_dir_init(&opt, &note) < 0 ? bench_say(l->bench, "%s", note.text) : 0;
}

static int add_node(struct league *l, struct league_node *n)
{
	char org[PATH_BYTES], dir[PATH_BYTES], name[16], own[64], border[64] = "";
	struct err_note note = {0};

	org_path(l, n->org, "", org);
	node_path(l, n, "", dir);
	snprintf(name, sizeof name, "n%zu", n->number);
	snprintf(own, sizeof own, "tcp://%s:%u", n->host, l->own_port);
	if (n->number == 0)
		snprintf(border, sizeof border, "tcp://%s:%u", n->host, l->border_port);
	const struct node_options opt = {.org_dir = org,
					 .node_dir = dir,
					 .name = name,
					 .roles = ROLE_OWNER | (n->number == 0 ? ROLE_BORDER : 0),
					 .endpoint = own,
					 .border_endpoint = border,
					 .now_ns = wall_ns()};
	return org_dir_add_node(&opt, &note) < 0 ? bench_say(l->bench, "%s", note.text) : 0;
}

static int read_bundle(const struct league *l, const char *org, struct arena *a, struct bytes *ret)
{
	struct err_note note = {0};
	char path[PATH_BYTES];

	org_path(l, org, "/bundle", path);
	return file_read(a, path, FRAME_OWN_MAX, ret, &note) < 0 ? bench_say(l->bench, "%s", note.text) : 0;
}

/* The bundle with all of them. */
static int tell(const struct league *l, const struct league_node *n)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct err_note note = {0};
	struct bytes bundle;
	char path[PATH_BYTES];

	node_path(l, n, "/bundle", path);
	if (arena_new(&a, ARENA_BYTES) < 0 || read_bundle(l, n->org, a, &bundle) < 0)
		return -1;
	return file_write(path, bundle, false, &note) < 0 ? bench_say(l->bench, "%s", note.text) : 0;
}

int league_init(struct league *l, const struct bench_options *opt)
{
	size_t at = 0;

	l->holond = opt->holond;
	l->own_port = free_port();
	do
		l->border_port = free_port();
	while (l->border_port == l->own_port);
	if (bench_place(opt, l->dir, sizeof l->dir) < 0)
		return bench_say(l->bench, "no directory can be made in %s", opt->place);
	for (size_t i = 0; i < n_orgs(l); i++) {
		if (found(l, orgs[i].org) < 0)
			return -1;
		for (size_t k = 0; k < (l->lone ? 1 : orgs[i].n); k++) {
			struct league_node *n = &l->nodes[at++];
			*n = (struct league_node){.org = orgs[i].org, .number = k};
			snprintf(n->host, sizeof n->host, "127.0.3.%zu", at);
			if (add_node(l, n) < 0)
				return -1;
		}
	}
	for (size_t i = 0; i < league_nodes(l); i++)
		if (tell(l, &l->nodes[i]) < 0)
			return -1;
	return 0;
}

void league_fini(struct league *l)
{
	for (size_t i = 0; i < LEAGUE_NODES; i++) {
		client_close(l->nodes[i].client);
		l->nodes[i].client = NULL;
		process_kill(l->nodes[i].pid);
		l->nodes[i].pid = 0;
	}
	bench_remove(l->dir);
}

/* ---- Running ---------------------------------------------------------------------------------------------
 */

static int start(struct league *l, struct league_node *n)
{
	char path[PATH_BYTES], log[PATH_BYTES], listen[96];
	const char *argv[8] = {l->holond, "--dir", path};
	const struct process_options how = {.log = log};

	node_path(l, n, "", path);
	node_path(l, n, ".log", log);
	if (n->number == 0 && l->border_listen > 0) {
		snprintf(listen, sizeof listen, "listen.border=tcp://%s:%u", n->host, l->border_listen);
		argv[3] = "--set";
		argv[4] = listen;
	}
	return process_start(argv, &how, &n->pid) < 0 ? bench_say(l->bench, "%s did not start", l->holond)
						      : 0;
}

static int open_client(struct league *l, struct league_node *n)
{
	char path[PATH_BYTES], endpoint[PATH_BYTES + 8];
	const double until_s = bench_now_s() + ANSWER_WITHIN_S;
	struct err_note note = {0};

	node_path(l, n, "/control", path);
	snprintf(endpoint, sizeof endpoint, "ipc://%s", path);
	while (client_open(&n->client, endpoint, ANSWER_WITHIN_S * NS_PER_S, &note) < 0) {
		if (!process_runs(&n->pid) || bench_now_s() > until_s)
			return bench_say(l->bench, "%s/n%zu: %s", n->org, n->number, note.text);
		bench_pause_ms(LOOK_MS);
	}
	return 0;
}

static int ask(const struct league *l, const struct league_node *n, struct control_request *r,
	       struct arena *a, struct control_answer *ret)
{
	struct err_note note = {0};

	if (client_ask(n->client, r, a, ret, &note) < 0)
		return bench_say(l->bench, "%s/n%zu: %s", n->org, n->number, note.text);
	return ret->code < 0 ? bench_say(l->bench, "%s/n%zu says: %s", n->org, n->number, ret->text) : 0;
}

/* ---- Trust -----------------------------------------------------------------------------------------------
 */

static int fingerprint(const struct league *l, const char *org, struct arena *a, char ret[FINGERPRINT_SIZE])
{
	struct err_note note = {0};
	char path[PATH_BYTES];
	struct org o;

	org_path(l, org, "", path);
	if (org_dir_load(a, path, wall_ns(), &o, &note) < 0)
		return bench_say(l->bench, "%s", note.text);
	org_fingerprint(org, &o.manifest.root, ret);
	return 0;
}

static int trust_others(struct league *l, struct league_node *n)
{
	for (size_t i = 0; i < n_orgs(l); i++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		char print[FINGERPRINT_SIZE];
		struct control_request r = {.op = CONTROL_ORG_TRUST, .text = print};
		struct control_answer answer;
		if (strcmp(orgs[i].org, n->org) == 0)
			continue;
		if (arena_new(&a, ARENA_BYTES) < 0 || fingerprint(l, orgs[i].org, a, print) < 0 ||
		    read_bundle(l, orgs[i].org, a, &r.blob) < 0 || ask(l, n, &r, a, &answer) < 0)
			return -1;
	}
	return 0;
}

/* Everything, to everybody. */
static int share(struct league *l, struct league_node *border)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf text = {0}, blob = {0};
	char print[FINGERPRINT_SIZE], dir[PATH_BYTES];
	struct control_request r = {.op = CONTROL_POLICY_PUBLISH};
	struct control_answer answer;
	struct err_note note = {0};

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(l->bench, "out of memory");
	buf_print(&text, "policy %s\n", border->org);
	for (size_t i = 0; i < n_orgs(l); i++) {
		if (strcmp(orgs[i].org, border->org) == 0)
			continue;
		if (fingerprint(l, orgs[i].org, a, print) < 0)
			return -1;
		buf_print(&text, " org %s = %s\n", orgs[i].org, print);
	}
	for (size_t i = 0; i < n_orgs(l); i++)
		if (strcmp(orgs[i].org, border->org) != 0)
			buf_print(
				&text,
				" share \"all with %s\"\n  to org %s\n  twins **\n  allow discover, summary\n"
				"  allow read power\n  until 2100-01-01\n",
				orgs[i].org, orgs[i].org);
	buf_put_u8(&text, 0);
	org_path(l, border->org, "", dir);
	if (buf_check(&text) < 0 ||
	    org_dir_sign_policy(dir, 1, (const char *)text.data, wall_ns(), &blob, &note) < 0)
		return bench_say(l->bench, "%s", note.text);
	r.blob = buf_bytes(&blob);
	return ask(l, border, &r, a, &answer);
}

/* ---- Twins -----------------------------------------------------------------------------------------------
 */

static double power_of(size_t node, size_t twin)
{
	return (double)((node * 31 + twin) % PERIOD) + 0.5;
}

/* Number 0 is that of the node itself. */
static const char *id_of(struct arena *a, const struct league_node *n, size_t twin)
{
	return twin == 0 ? arena_print(a, "%s/n%zu", n->org, n->number)
			 : arena_print(a, "%s/n%zu/m%zu", n->org, n->number, twin);
}

static void on_refused(void *ctx, const struct mark *mark, const struct refusal *refusal)
{
	const struct league *l = ctx;

	(void)mark;
	bench_say(l->bench, "refused: %s", refusal->reason);
}

static struct op relation_op(const char *from, const char *to)
{
	return (struct op){.kind = OP_RELATION,
			   .relation = {.type = "contains",
					.from = from,
					.to = to,
					.valid_from_ns = TIME_MIN,
					.valid_to_ns = TIME_MAX}};
}

static int add_twin(struct bulk *b, const struct league_node *n, size_t node, size_t i, struct err_note *note)
{
	struct arena *a = bulk_arena(b);
	struct sample *s = arena_take(a, sizeof *s);
	const struct op twin = {
		.kind = OP_TWIN,
		.twin = {.id = id_of(a, n, i), .type = "machine", .kind = KIND_ASSET, .name = ""}};

	if (!s)
		return FAIL(-ENOMEM);
	*s = (struct sample){
		.t_ns = wall_ns(), .value = {.type = VALUE_DOUBLE, .real = power_of(node, i)}, .sigma = NAN};
	TRY(bulk_add(b, &twin, (struct mark){0}, note));
	const struct op value = {
		.kind = OP_SAMPLES,
		.samples = {.twin = id_of(a, n, i), .property = "power", .samples = s, .n = 1}};
	TRY(bulk_add(b, &value, (struct mark){0}, note));
	if (i == 0)
		return 0;
	const struct op relation = relation_op(id_of(a, n, (i - 1) / BRANCHES), id_of(a, n, i));
	return bulk_add(b, &relation, (struct mark){0}, note);
}

static int add_twins(struct league *l, struct bulk *b, size_t node, struct err_note *note)
{
	static struct property_def power = {
		.name = "power", .type = VALUE_DOUBLE, .unit = "kW", .min = NAN, .max = NAN, .kpi = true};
	const struct op type = {.kind = OP_TYPE,
				.type = {.name = "machine",
					 .parent = "",
					 .version = 1,
					 .kind = KIND_ASSET,
					 .properties = &power,
					 .n_properties = 1}};

	TRY(bulk_add(b, &type, (struct mark){0}, note));
	TRY(bulk_drain(b, note));
	for (size_t i = 0; i < l->n_twins; i++)
		TRY(add_twin(b, &l->nodes[node], node, i, note));
	return bulk_drain(b, note);
}

static int make_twins(struct league *l, size_t node)
{
	SCOPED(bulk_fini)
	struct bulk b = {
		.client = l->nodes[node].client, .refused = on_refused, .ctx = l, .ops_max = OPS_PER_REQUEST};
	struct err_note note = {0};

	if (bulk_init(&b) < 0 || add_twins(l, &b, node, &note) < 0 || b.n_refused > 0)
		return bench_say(l->bench, "twins cannot be made: %s", note.text);
	return 0;
}

/* ---- The hierarchy ---------------------------------------------------------------------------------------
 */

/* 1: not yet, for a node of the own organisation is not heard of. */
static int join(struct league *l, const struct league_node *n, const struct op *op)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct op copy = *op;
	struct control_request r = {.op = CONTROL_CHANGE, .ops = &copy, .n_ops = 1};
	struct control_answer answer;

	if (arena_new(&a, ARENA_BYTES) < 0 || ask(l, n, &r, a, &answer) < 0)
		return -1;
	return answer.n_refused > 0;
}

static int join_soon(struct league *l, const struct league_node *n, const struct op *op)
{
	const double until_s = bench_now_s() + LAUNCH_WITHIN_S;
	int r;

	while ((r = join(l, n, op)) > 0) {
		if (bench_now_s() > until_s)
			return bench_say(l->bench, "%s/n%zu does not hear of its fellows", n->org, n->number);
		bench_pause_ms(LOOK_MS);
	}
	return r;
}

static int join_all(struct league *l)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct league_node *above = NULL;

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(l->bench, "out of memory");
	for (size_t i = 0; i < LEAGUE_NODES; i++) {
		const struct league_node *n = &l->nodes[i];
		struct op op = relation_op(n->number > 0 ? id_of(a, above, 0) : LEAGUE_ROOT, id_of(a, n, 0));
		above = n->number == 0 ? n : above;
		if (i > 0 && join_soon(l, n->number > 0 ? above : &l->nodes[0], &op) < 0)
			return -1;
		if (i == 0)
			continue;
		/* also inside an organisation: a summary tells of its place only what its owner knows */
		op = (struct op){.kind = OP_MEMBERSHIP,
				 .membership = {.hierarchy = "contains",
						.parent = n->number > 0 ? id_of(a, above, 0) : LEAGUE_ROOT,
						.child = id_of(a, n, 0),
						.state = CONFIRM_CONFIRMED,
						.since_ns = TIME_MIN}};
		if (join_soon(l, n, &op) < 0)
			return -1;
	}
	return 0;
}

int league_launch(struct league *l)
{
	for (size_t i = 0; i < league_nodes(l); i++)
		if (start(l, &l->nodes[i]) < 0)
			return -1;
	for (size_t i = 0; i < league_nodes(l); i++)
		if (open_client(l, &l->nodes[i]) < 0 || trust_others(l, &l->nodes[i]) < 0 ||
		    ((!l->lone || i == 0) && make_twins(l, i) < 0))
			return -1;
	for (size_t i = 0; i < league_nodes(l); i++)
		if (l->nodes[i].number == 0 && share(l, &l->nodes[i]) < 0)
			return -1;
	return !l->lone && join_all(l) < 0 ? -1 : league_await(l, LAUNCH_WITHIN_S);
}

/* ---- Asking ----------------------------------------------------------------------------------------------
 */

int league_ask(struct league *l, const struct league_view *how, struct arena *a, struct view_part *ret,
	       double *ret_ms)
{
	struct view_root root = {.id = LEAGUE_ROOT, .parent = ""};
	struct control_request r = {.op = CONTROL_VIEW,
				    .question = {.roots = &root,
						 .n_roots = 1,
						 .hierarchy = "contains",
						 .rollups = rollups,
						 .n_rollups = LEAGUE_ROLLUPS,
						 .offline = how->offline,
						 .deadline_ns = how->deadline_ns}};
	struct control_answer answer;

	arena_reset(a);
	const double began_s = bench_now_s();
	if (ask(l, &l->nodes[l->lone ? 1 : 0], &r, a, &answer) < 0)
		return -1;
	*ret_ms = (bench_now_s() - began_s) * 1e3;
	*ret = answer.view;
	return 0;
}

bool league_is_right(const struct league *l, const struct view_part *view)
{
	double right = 0, found;

	for (size_t i = 0; i < league_members(l) / l->n_twins; i++)
		for (size_t k = 0; k < l->n_twins; k++)
			right += power_of(i, k); /* halves: exact */
	return view->n_rollups == LEAGUE_ROLLUPS && view->rollups &&
	       rollup_value(&view->rollups[0], &rollups[0], &found) && found == right &&
	       view->counts.members == league_members(l);
}

int league_await(struct league *l, double within_s)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const double until_s = bench_now_s() + within_s;
	struct view_part view;
	double ms;

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(l->bench, "out of memory");
	do {
		if (league_ask(l, &(struct league_view){.deadline_ns = 5 * NS_PER_S}, a, &view, &ms) < 0)
			return -1;
		if (view_is_clean(&view) && league_is_right(l, &view))
			return 0;
		bench_pause_ms(LOOK_MS);
	} while (bench_now_s() < until_s);
	return bench_say(l->bench, "after %.0f s the view has %llu of %zu members, %llu of them live: %s",
			 within_s, (unsigned long long)view.counts.members, league_members(l),
			 (unsigned long long)view.counts.live, view.n_problems > 0 ? view.problems[0] : "");
}
