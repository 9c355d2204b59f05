/* SPDX-License-Identifier: Apache-2.0 */
/* What visibility keeps beside what egress says of every twin and partner anew, over random policies, twins,
 * relations and edits. The slow way is the specification: it knows neither classes nor sets. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

enum { N_IDS = 28, N_OWN = 18, N_ORGS = 5, STEPS = 400 };

static const char *const orgs[N_ORGS] = {"volt", "harbor", "bolt", "tram", "mill"};
static struct partner more[N_ORGS];
static char ids[N_IDS][32];
static uint64_t state;
static bool pending; /* what is followed or edited later in this step may matter to what came before */

/* What a partner sees of a twin, or saw last. */
struct ref {
	bool ever;
	uint64_t mask, digest, place;
	uint32_t face;
	struct row_version version;
	char origin[32];
};

static struct ref refs[N_ORGS][N_IDS];

static unsigned below(unsigned n)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % n);
}

static const char *one_of(const char *const *words, unsigned n)
{
	return words[below(n)];
}

/* ---- Random worlds ---------------------------------------------------------------------------------------
 */

static const struct limits hot = {.at = {NAN, NAN, NAN, 2}, .rate_warning = NAN, .rate_alarm = NAN};

static void put_types(void)
{
	static const char *const names[] = {"line", "pump"}, *const first[] = {"rating"};

	for (int i = 0; i < 2; i++) {
		struct property_def p[] = {{.name = first[0],
					    .type = VALUE_DOUBLE,
					    .unit = "1",
					    .min = NAN,
					    .max = NAN,
					    .kpi = true},
					   {.name = "meta/serial",
					    .type = VALUE_TEXT,
					    .unit = "",
					    .min = NAN,
					    .max = NAN,
					    .kpi = true},
					   {.name = "state/heat",
					    .type = VALUE_DOUBLE,
					    .unit = "1",
					    .min = NAN,
					    .max = NAN,
					    .kpi = true,
					    .limits = &hot}};
		const struct op op = {
			.kind = OP_TYPE,
			.type = {.name = names[i], .version = 1, .properties = p, .n_properties = 3}};
		world_put(&op, 1);
	}
}

static void set_up(void)
{
	world_set_up();
	for (int i = 2; i < N_ORGS; i++) {
		more[i].org.manifest.org = orgs[i];
		world.trust->partners[world.trust->n_partners++] = &more[i];
	}
	for (int i = 0; i < N_IDS; i++)
		snprintf(ids[i], sizeof ids[i], "acme/p%d/l%d/t%d", i % 2, i % 3, i);
	memset(refs, 0, sizeof refs);
	put_types();
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
}

TestSuite(visibility_random, .init = set_up, .fini = world_tear_down, .timeout = 300);

static void random_twin(void)
{
	static const char *const types[] = {"line", "pump"}, *const words[] = {"tie", "hot", "spare", "own"};
	const char *tags[2] = {one_of(words, 4), one_of(words, 4)};
	const unsigned n = below(3);
	const struct op op = {.kind = OP_TWIN,
			      .twin = {.id = ids[below(N_OWN)],
				       .type = one_of(types, 2),
				       .name = "",
				       .tags = tags,
				       .n_tags = n == 2 && strcmp(tags[0], tags[1]) == 0 ? 1 : n}};

	world_put(&op, 1);
}

static const char *living(void)
{
	const char *id = ids[below(N_OWN)];

	return store_twin(world.store, id) ? id : NULL;
}

static void random_value(void)
{
	static int64_t t_ns;
	const char *id = living();
	struct sample s = {.t_ns = ++t_ns, .value = {.type = VALUE_DOUBLE, .real = below(3)}, .sigma = NAN};

	if (id && store_twin(world.store, id)->type) {
		const struct op op = {
			.kind = OP_SAMPLES,
			.samples = {.twin = id, .property = "state/heat", .samples = &s, .n = 1}};
		world_put(&op, 1);
	}
}

static void random_alarm(void)
{
	static const char *const stands[] = {"active high-alarm", "acknowledged high-alarm: seen",
					     "active stale", "cleared stale"};
	static int64_t t_ns;
	const char *id = living();
	struct sample s = {
		.t_ns = ++t_ns, .value = {.type = VALUE_TEXT, .text = one_of(stands, 4)}, .sigma = NAN};

	if (id && store_twin(world.store, id)->type)
		world_put(&(struct op){.kind = OP_SAMPLES,
				       .by_node = true,
				       .samples = {id, "alarm/state/heat", &s, 1}},
			  1);
}

static void random_relation(void)
{
	static const char *const hierarchies[] = {"contains", "feeds"};
	const char *from = living(), *to = living();
	const struct relation r = {.type = one_of(hierarchies, 2),
				   .from = from,
				   .to = to,
				   .valid_from_ns = TIME_MIN,
				   .valid_to_ns = TIME_MAX};
	const struct op op = {.kind = below(3) ? OP_RELATION : OP_RELATION_DELETE, .relation = r};

	if (from && to && from != to)
		world_put(&op, 1);
}

static void random_end(void)
{
	const struct op op = {.kind = OP_TWIN_DELETE, .id = living()};

	if (op.id)
		world_put(&op, 1);
}

/* A row of another node of acme, as it would be relayed. */
static void random_row(void)
{
	static const char *const words[] = {"tie", "hot"};
	static uint64_t seq[2];
	static int64_t stamp_ns = 100;
	const unsigned node = below(2);
	const char *tags[] = {one_of(words, 2)};
	struct kpi kpi = {.property = "rating",
			  .unit = "1",
			  .sample = {.value = {.type = VALUE_DOUBLE, .real = below(3)}}};
	struct row_alarm alarms[] = {{below(2) ? "state/heat" : "own", HEALTH_ALARM,
				      below(2) ? ALARM_ACTIVE : ALARM_ACKNOWLEDGED, "high-alarm", below(2)},
				     {"rating", HEALTH_WARNING, ALARM_ACTIVE, "stale", 5}};
	struct row_parent parents[] = {
		{"contains", below(4) ? ids[below(N_IDS)] : "tram/depot", CONFIRM_CONFIRMED}};
	const struct row row = {.id = ids[N_OWN + below(N_IDS - N_OWN)],
				.version.stamp_ns = ++stamp_ns,
				.seq = ++seq[node],
				.mask = ROW_MASK_ALL,
				.deleted = below(8) == 0,
				.type = below(2) ? "line" : "",
				.name = "",
				.kpis = &kpi,
				.n_kpis = below(2),
				.parents = parents,
				.n_parents = below(2),
				.tags = tags,
				.n_tags = below(2),
				.alarms = alarms,
				.n_alarms = below(3)};
	SCOPED(buf_fini) struct buf b = {0};

	row_encode(&row, &b);
	must(buf_check(&b) == 0);
	struct bytes encoded = buf_bytes(&b);
	const struct op op = {.kind = OP_ROWS,
			      .rows = {.origin = node ? "acme/a" : "acme/b",
				       .rows = &encoded,
				       .n = 1,
				       .cursor = bytes_of_text("c")}};
	world_put(&op, 1);
}

static void random_subject(struct buf *b)
{
	static const char *const who[] = {"org volt", "org harbor", "org bolt",     "org tram",
					  "org mill", "group some", "everyone-else"};

	buf_print(b, " to %s", one_of(who, 7));
	if (below(3) == 0)
		buf_print(b, ", %s", one_of(who, 6));
}

static void random_twins(struct buf *b)
{
	static const char *const what[] = {
		"**",      "p0/**",     "p1/**",     "*/l1/**", "p0/l2/*",   "p1/l1/t7",          "tag tie",
		"tag hot", "type line", "type pump", "*/*/t3",  "tag spare", "p0/l0/**, tag own", "p1/l2/**"};
	static const char *const with[] = {
		"", "", "", " with tag tie", " with type line", " with tag hot and type pump"};

	buf_put_text(b, "\n twins ");
	if (below(3) > 0) /* many conditions come and go */
		buf_print(b, "p%u/l%u/t%u, ", below(3), below(4), below(N_IDS));
	buf_print(b, "%s%s\n", one_of(what, 14), one_of(with, 6));
}

static void random_rule(struct buf *b, unsigned number)
{
	static const char *const allow[] = {"allow discover",
					    "allow discover, summary",
					    "allow read state/**",
					    "allow read meta/serial, rating",
					    "allow discover, summary\n allow read meta/*",
					    "allow read state/**, rating, alarm/**"};
	static const char *const deny[] = {"deny summary of alarm/rating",
					   "deny read of alarm/**",
					   "deny discover",
					   "deny summary",
					   "deny read of state/heat",
					   "deny summary of rating",
					   "deny read of meta/*"};
	static const char *const redact[] = {"", "", " redact meta/serial as token\n",
					     " redact state/* as token\n", " redact rating as drop\n"};
	static const char *const until[] = {"2100-01-01", "2100-01-01", "1970-01-01T00:20:00Z"};
	const bool never = below(4) == 0;

	buf_print(b, "%s \"r%u\"\n", never ? "never" : "share", number);
	random_subject(b);
	random_twins(b);
	if (never)
		buf_print(b, " %s\n", one_of(deny, 7));
	else
		buf_print(b, " %s\n%s until %s\n", one_of(allow, 6), one_of(redact, 5), one_of(until, 3));
}

static struct buf rules[8];

static void random_policy(void)
{
	SCOPED(buf_fini) struct buf b = {0};
	const unsigned changed = below(8);

	buf_put_text(&b, " org bolt = B\n org tram = T\n org mill = M\n group some = volt, bolt, mill\n");
	for (unsigned i = 0; i < 8; i++) {
		if (i == changed || i == (changed + 3) % 8) {
			buf_clear(&rules[i]);
			if (below(4) > 0)
				random_rule(&rules[i], i);
		}
		buf_put(&b, buf_bytes(&rules[i]));
	}
	buf_put_u8(&b, 0);
	must(buf_check(&b) == 0);
	world_policy((const char *)b.data);
	cr_assert(eq(int, visibility_edit(world.visibility), 0));
}

/* ---- The slow way ----------------------------------------------------------------------------------------
 */

static const char *origin_now(const char *id)
{
	const struct remote_row *r = store_twin(world.store, id) ? NULL : store_row(world.store, id);

	return r ? r->origin->name : "acme/n1";
}

static struct ref decide(int org, const char *id, const struct ref *before, bool *ret_moved)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct audience to = audience_of(orgs[org]);
	struct ref now = *before;
	struct row full, row;

	must(arena_new(&a, 1 << 20) == 0);
	const int r = egress_full_row(&world.egress, id, a, &full);
	const char *origin = r == 0 ? origin_now(id) : before->origin;
	if (strcmp(origin, before->origin) != 0) {
		snprintf(now.origin, sizeof now.origin, "%s", origin);
		now.mask = 0;
	}
	const uint64_t mask = r == 0 ? egress_mask(&world.egress, &to, &full) : 0;
	*ret_moved = false;
	if (mask == 0) {
		*ret_moved = now.mask != 0;
		now.mask = 0;
		return now;
	}
	must(egress_row(&world.egress, &to, &full, mask, a, &row) == 0);
	uint64_t digest;
	must(egress_digest(&row, &digest) == 0);
	*ret_moved = now.mask == 0 || now.digest != digest;
	if (*ret_moved)
		now.version = full.version;
	now.ever = true;
	now.mask = mask;
	now.digest = digest;
	now.face = row.mask;
	return now;
}

static void check_pair(int org, int twin, struct fingerprint *sums)
{
	struct ref *ref = &refs[org][twin];
	struct shown shown;
	bool moved;
	struct ref now = decide(org, ids[twin], ref, &moved);
	const bool found = visibility_shown(world.visibility, orgs[org], ids[twin], &shown);

	cr_assert(eq(int, found, now.ever), "%s %s", orgs[org], ids[twin]);
	if (!found)
		return;
	if (pending && shown.place > ref->place) {
		now.version = shown.version; /* it may have gone and come back within the step */
		moved = true;
	}
	cr_assert(eq(u64, shown.mask, now.mask), "%s %s", orgs[org], ids[twin]);
	cr_assert(eq(i64, shown.version.stamp_ns, now.version.stamp_ns), "%s %s", orgs[org], ids[twin]);
	if (moved)
		cr_assert(gt(u64, shown.place, ref->place), "%s %s has a new place", orgs[org], ids[twin]);
	else if (strcmp(now.origin, ref->origin) == 0)
		cr_assert(eq(u64, shown.place, ref->place), "%s %s stays where it was", orgs[org], ids[twin]);
	*ref = now;
	ref->place = shown.place;
	if (now.mask == 0)
		return;
	cr_assert(eq(u32, shown.face, now.face));
	const struct hash128 h = row_hash(ids[twin], now.version, now.face);
	fingerprint_add(&sums[now.origin[5] == 'a' ? 0 : now.origin[5] == 'b' ? 1 : 2], &h);
}

/* Each twin once, at the end what moved last, and nothing that is not shown. */
static size_t check_order(const char *org, const char *origin)
{
	struct visibility_walk w = visibility_walk(world.visibility, org, origin, 0);
	uint64_t last = 0;
	size_t n = 0;

	for (struct shown s, again; visibility_walk_next(&w, &s); n++) {
		cr_assert(gt(u64, s.latest, last));
		cr_assert(le(u64, s.place, s.latest));
		cr_assert(visibility_shown(world.visibility, org, s.id, &again));
		cr_assert(eq(u64, again.place, s.place));
		last = s.latest;
	}
	cr_assert(le(u64, last, visibility_end(world.visibility, origin)));
	return n;
}

static void check_all(void)
{
	static const char *const origins[] = {"acme/a", "acme/b", "acme/n1"};

	for (int org = 0; org < N_ORGS; org++) {
		struct fingerprint sums[3] = {0}, sum;
		size_t n = 0, seen = 0;
		int64_t stamp_ns;
		for (int twin = 0; twin < N_IDS; twin++) {
			check_pair(org, twin, sums);
			seen += refs[org][twin].mask != 0;
		}
		for (int o = 0; o < 3; o++) {
			visibility_view(world.visibility, orgs[org], origins[o], &sum, &stamp_ns);
			cr_assert(fingerprint_equal(&sum, &sums[o]), "%s of %s", origins[o], orgs[org]);
			n += check_order(orgs[org], origins[o]);
		}
		cr_assert(ge(sz, n, seen));
	}
}

static void step(void)
{
	static void (*const happen[])(void) = {random_twin,  random_twin,     random_value,
					       random_alarm, random_relation, random_relation,
					       random_end,   random_row,      random_row};
	const unsigned n = 1 + below(4);

	pending = false;
	if (below(3) == 0) {
		random_policy();
	} else if (below(20) == 0) {
		cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	} else {
		for (unsigned i = 0; i < n; i++)
			happen[below(9)]();
		/* now and then an edit comes before what changed is followed */
		const bool edit_first = below(6) == 0;
		pending = edit_first || n > 1; /* a child may be followed before its parent */
		if (edit_first)
			random_policy();
		else
			cr_assert(eq(int, visibility_follow(world.visibility), 0));
	}
	check_all();
}

static void run(uint64_t seed)
{
	state = seed;
	for (int i = 0; i < STEPS; i++)
		step();
	for (int i = 0; i < 8; i++)
		buf_fini(&rules[i]);
}

Test(visibility_random, it_keeps_what_deciding_anew_gives_1)
{
	run(1);
}
Test(visibility_random, it_keeps_what_deciding_anew_gives_2)
{
	run(2);
}
Test(visibility_random, it_keeps_what_deciding_anew_gives_3)
{
	run(3);
}
Test(visibility_random, it_keeps_what_deciding_anew_gives_4)
{
	run(4);
}
