/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with the node itself is an alarm, for as long as it is. The parts it is asked of are not
 * there
 * (--wrap). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/alarms.h"
#include "node/audit.h"
#include "node/border.h"
#include "node/door.h"
#include "node/gossip.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "tests/lib/must.h"

static struct engine engine;
static struct trust trust;
static struct credential self = {.org = "acme", .node = "n1", .roles = ROLE_BORDER};
static struct credential nodes[2];
static struct partner bolt = {.org.manifest.org = "bolt"};
static struct arena *a;
static struct alarm_info *list;
static size_t n;
static const char *store, *audit, *door;
static uint64_t rotten;
static bool closed, sees_own, sees_bolt, dials_bolt;
static int64_t now_ns;

int64_t __wrap_engine_wall_ns(void);
int64_t __wrap_engine_mono_ns(void);
const char *__wrap_writer_trouble(const struct writer *w);
const char *__wrap_journal_trouble(const struct journal *j);
const char *__wrap_door_trouble(struct door *d);
int __wrap_border_check(const struct engine *e, struct err_note *note);
void __wrap_store_health(const struct store *s, struct store_health *ret);
bool __wrap_gossip_sees(const struct gossip *g, const char *org);
bool __wrap_gossip_dials(const struct gossip *g, const struct org *org);

int64_t __wrap_engine_wall_ns(void)
{
	return 1000 * NS_PER_S + now_ns;
}

int64_t __wrap_engine_mono_ns(void)
{
	return now_ns;
}

const char *__wrap_writer_trouble(const struct writer *w)
{
	(void)w;
	return store;
}

const char *__wrap_journal_trouble(const struct journal *j)
{
	(void)j;
	return audit;
}

const char *__wrap_door_trouble(struct door *d)
{
	(void)d;
	return door;
}

int __wrap_border_check(const struct engine *e, struct err_note *note)
{
	(void)e;
	return closed ? FAIL_SAY(note, ERR_REFUSED, "something newer may be kept from it") : 0;
}

void __wrap_store_health(const struct store *s, struct store_health *ret)
{
	(void)s;
	*ret = (struct store_health){.rotten = rotten};
}

bool __wrap_gossip_sees(const struct gossip *g, const char *org)
{
	(void)g;
	return strcmp(org, "acme") == 0 ? sees_own : sees_bolt;
}

bool __wrap_gossip_dials(const struct gossip *g, const struct org *org)
{
	(void)g, (void)org;
	return dials_bolt;
}

static void set_up(void)
{
	must(arena_new(&a, 1 << 20) == 0);
	engine = (struct engine){.trust = &trust, .door = (struct door *)&engine};
	trust = (struct trust){.self = &self, .partners = {&bolt}, .n_partners = 1};
	trust.own.org.nodes = nodes;
	trust.own.org.n_nodes = 2;
	must(alarms_new(&engine.alarms) == 0);
	store = audit = door = NULL;
	rotten = 0;
	closed = false;
	sees_own = sees_bolt = dials_bolt = true;
	now_ns = 60 * NS_PER_S;
}

static void tear_down(void)
{
	alarms_free(engine.alarms);
	arena_free(a);
	engine.alarms = NULL;
	a = NULL;
}

TestSuite(alarms_watch, .init = set_up, .fini = tear_down);

static void look(size_t want)
{
	alarms_watch(&engine);
	must(alarms_list(engine.alarms, a, &list, &n) == 0);
	cr_assert(eq(sz, n, want));
}

static void expect_one(const char *kind, const char *about)
{
	look(1);
	cr_expect_str_eq(list[0].kind, kind);
	cr_expect_str_eq(list[0].about, about);
}

Test(alarms_watch, a_node_that_is_well_has_none)
{
	look(0);
	cr_expect(alarms_worst(engine.alarms) == NULL);
}

Test(alarms_watch, each_trouble_is_one_while_it_lasts)
{
	store = "disk full";
	expect_one("store", "");
	store = NULL;
	audit = "disk full";
	expect_one("audit", "");
	audit = NULL;
	door = "not locked";
	expect_one("door", "");
	door = NULL;
	rotten = 3;
	expect_one("history", "");
	rotten = 0;
	closed = true;
	expect_one("border", "");
	cr_expect_str_eq(
		alarms_worst(engine.alarms),
		"other organisations are not served, the border is closed: something newer may be kept "
		"from it");
	self.roles = ROLE_OWNER;
	look(0);
	self.roles = ROLE_BORDER;
	closed = false;
	snprintf(trust.policy_problem.text, sizeof trust.policy_problem.text, "line 3");
	expect_one("policy", "");
}

Test(alarms_watch, nobody_connected_is_one_but_not_just_after_the_start)
{
	sees_own = false;
	expect_one("apart", "");
	now_ns = 10 * NS_PER_S;
	look(0);
	now_ns = 60 * NS_PER_S;
	trust.own.org.n_nodes = 1;
	look(0);
}

Test(alarms_watch, a_partner_that_this_node_dials_and_cannot_reach_is_one)
{
	sees_bolt = false;
	expect_one("apart", "bolt");
	dials_bolt = false; /* the other borders do */
	look(0);
}
