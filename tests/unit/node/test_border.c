/* SPDX-License-Identifier: Apache-2.0 */
#include "node/border.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/fresh.h"
#include "node/serve.h"
#include "node/visibility_private.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

#define START (1000 * NS_PER_S)
#define TTL (900 * NS_PER_S)
#define DAY (86400 * NS_PER_S)
#define SHARE "share \"ties\"\n to org volt\n twins tag tie-volt\n allow discover, summary\n until %s\n"

static struct arena *a;
static struct mesh_port port;
static struct sign_key *admin;
static struct credential admin_credential;
static struct err_note note;
static int64_t wall_ns;

static int64_t wall_clock(void)
{
	return wall_ns;
}

static void tell_nobody(void *ctx, const struct signed_blob *statement, uint32_t except)
{
	(void)ctx, (void)statement, (void)except;
}

static void share_until(const char *day)
{
	world_policy(arena_print(a, SHARE, day));
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
}

/* The organisation names an admin node, which this node is not. */
static void bind_by_an_admin(void)
{
	struct org *own = &world.trust->own.org;

	must(sign_key_new(&admin) == 0);
	admin_credential = (struct credential){.org = "acme",
					       .node = "hq",
					       .sign = sign_key_public(admin),
					       .roles = ROLE_ADMIN,
					       .not_before_ns = 0,
					       .not_after_ns = START + DAY};
	own->nodes = &admin_credential;
	own->n_nodes = 1;
	must(fresh_new(&world.fresh, &(struct fresh_options){
					     .trust = world.trust, .ttl_ns = TTL, .tell = tell_nobody}) == 0);
}

static void set_up(void)
{
	world_set_up();
	wall_ns = START;
	world.trust->clock.wall_ns = wall_clock;
	cr_assert(eq(int, arena_new(&a, 8 << 20), 0));
	cr_assert(eq(int, sign_key_new(&world.trust->sign), 0));
	port = serve_port(&world);
	world_type("line", "rating", NULL, "MVA");
	world_twin("acme/l1", "line", "tie-volt");
	share_until("1980-01-01");
}

static void tear_down(void)
{
	fresh_free(world.fresh);
	world.fresh = NULL;
	sign_key_free(admin);
	admin = NULL;
	sign_key_free(world.trust->sign);
	arena_free(a);
	world_tear_down();
}

TestSuite(border, .init = set_up, .fini = tear_down, .timeout = 60);

static int pull(const char *org, struct bytes cursor, struct rows *ret)
{
	const struct pull p = {.id = 1, .origin = "acme/n1", .cursor = cursor, .credit = 1};

	*ret = (struct rows){0};
	return port.rows(port.ctx, org, &p, a, ret);
}

static bool serves(const char *org)
{
	struct head_notice head;
	struct rows rows;
	const int r = pull(org, (struct bytes){0}, &rows), h = port.head(port.ctx, org, "acme/n1", a, &head);

	cr_expect(eq(int, h == 0, r == 0), "heads and rows go together: %d, %d", h, r);
	return r == 0;
}

static void hear_of(uint64_t epoch)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct signed_blob blob;
	const struct freshness f = {.org = "acme", .at_ns = wall_ns, .ttl_ns = TTL, .policy_epoch = epoch};

	must(org_sign_freshness(admin, &f, &encoded) == 0);
	must(signed_blob_decode(a, buf_bytes(&encoded), &blob) == 0);
	cr_assert(eq(int, fresh_take(world.fresh, 1, &blob, &note), 0), "%s", note.text);
}

static uint64_t epoch_here(void)
{
	return world.trust->policy_doc.epoch;
}

Test(border, an_organisation_without_an_admin_node_serves_as_ever)
{
	cr_expect(serves("volt"));
	cr_expect(border_is_open(&world));
}

Test(border, a_border_that_does_not_hear_of_its_admins_serves_its_own_organisation_only)
{
	bind_by_an_admin();
	cr_expect(not(serves("volt")));
	cr_expect(serves(""));
	hear_of(epoch_here());
	cr_expect(serves("volt"));
	wall_ns += TTL;
	cr_expect(not(serves("volt")));
	cr_expect(serves(""));
	cr_expect(eq(int, border_check(&world, &note), ERR_REFUSED));
	cr_expect(strstr(note.text, "role admin") != NULL, "%s", note.text);
}

Test(border, new_data_does_not_go_out_under_a_policy_that_is_known_to_be_old)
{
	bind_by_an_admin();
	hear_of(epoch_here());
	cr_assert(serves("volt"));
	wall_ns++;
	hear_of(epoch_here() + 1); /* which takes the tie back; the owner writes what it would not share */
	world_value("acme/l1", "rating", 5, 42);
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	cr_expect(not(serves("volt")));
	cr_expect(serves(""));
	world_policy("share \"none\"\n to org volt\n twins nothing\n allow discover\n until 1980-01-01\n");
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	struct rows rows;
	cr_assert(eq(int, pull("volt", (struct bytes){0}, &rows), 0), "with the policy it serves again");
	for (size_t i = 0; i < rows.n; i++) {
		struct row row;
		cr_assert(eq(int, row_decode(a, rows.rows[i], &row), 0));
		cr_expect(row.deleted, "and takes back what was seen");
	}
}

Test(border, what_could_not_be_computed_is_not_served_as_it_was)
{
	cr_assert(serves("volt"));
	world.visibility->unsettled = true;
	cr_expect(not(serves("volt")));
	cr_expect(serves(""));
	cr_assert(eq(int, visibility_edit(world.visibility), 0));
	cr_expect(serves("volt"));
	world.visibility->behind = true;
	cr_expect(not(serves("volt")));
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
	cr_expect(serves("volt"));
}

Test(border, a_clock_that_was_set_back_closes_it)
{
	world.trust->clock.floor_ns = START + CLOCK_BACK_MAX_S * NS_PER_S;
	cr_expect(serves("volt"), "a little is setting it right");
	world.trust->clock.floor_ns++;
	cr_expect(not(serves("volt")));
	cr_expect(serves(""));
	cr_expect(eq(int, border_check(&world, &note), ERR_REFUSED));
	cr_expect(strstr(note.text, "forget-clock") != NULL, "%s", note.text);
}

Test(border, a_share_that_ends_while_a_partner_reads_sends_it_no_more)
{
	struct rows rows;
	struct row row;
	struct shown shown;

	share_until("1970-01-02");
	cr_assert(eq(int, pull("volt", (struct bytes){0}, &rows), 0));
	cr_assert(eq(sz, rows.n, 1));
	const struct bytes cursor = rows.cursor;
	wall_ns = policy_next_end(world.trust->policy, wall_ns);
	world_value("acme/l1", "rating", 5, 42);
	cr_assert(eq(int, visibility_sweep(world.visibility), 0)); /* as the engine does then */
	cr_assert(eq(int, pull("volt", cursor, &rows), 0));
	cr_assert(eq(sz, rows.n, 1));
	cr_assert(eq(int, row_decode(a, rows.rows[0], &row), 0));
	cr_expect(row.deleted, "instead of the next value it gets a retraction");
	wall_ns -= DAY / 2;
	world.trust->clock.floor_ns = wall_ns + DAY / 2;
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	cr_assert(visibility_shown(world.visibility, "volt", "acme/l1", &shown));
	cr_expect(eq(u32, shown.mask, 0), "nor when the clock goes back");
}
