/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves of repairs: sums over what a partner sees and nothing else, and questions about the partner's
 * own twins. See test_egress_messages.c. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/trees.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/wire.h"

#define POLICY "share \"s\"\n to org volt\n twins plant\n allow discover, summary\n until 2100-01-01\n"
#define HIDDEN "zq-hidden"

static void put(const char *id)
{
	world_put(&(struct op){.kind = OP_TWIN,
			       .twin = {.id = id, .kind = KIND_ASSET, .type = "", .name = HIDDEN}},
		  1);
	must(visibility_follow(world.visibility) == 0);
	trees_free(world.trees);
	world.trees = NULL;
}

static void set_up(void)
{
	wire_set_up();
	wire_features = FEATURE_REPAIR;
	world_policy(POLICY);
	must(visibility_sweep(world.visibility) == 0);
	put("acme/plant");
	put("acme/" HIDDEN);
	wire_join(WIRE_VOLT);
}

static void tear_down(void)
{
	trees_free(world.trees);
	world.trees = NULL;
	wire_tear_down();
}

TestSuite(leaves, .init = set_up, .fini = tear_down, .timeout = 60);

/* Of that kind something went to volt, and nothing in it names what is hidden. */
static void expect_clean(enum message_kind kind)
{
	cr_assert(wire_last(WIRE_VOLT, kind) != NULL);
	for (size_t i = 0; i < wire_n_sent; i++) {
		const struct bytes f = wire_sent[i].frame;
		for (size_t at = 0; wire_sent[i].kind == kind && at + sizeof HIDDEN - 1 <= f.len; at++)
			cr_assert(memcmp(f.data + at, HIDDEN, sizeof HIDDEN - 1) != 0, "%zu", i);
	}
}

static const struct sums *sums(void)
{
	uint16_t all = 0;
	static uint64_t id;

	wire_hear(WIRE_VOLT,
		  &(struct message){.kind = MESSAGE_REPAIR,
				    .repair = {.id = ++id, .origin = "acme/n1", .prefixes = &all, .n = 1}});
	const struct sent *s = wire_last(WIRE_VOLT, MESSAGE_SUMS);
	cr_assert(s && s->message.sums.id == id, "it is answered at once");
	return &s->message.sums;
}

Test(leaves, sums_do_not_move_with_what_is_hidden)
{
	const struct sums *before = sums();
	size_t n = 0;

	put("acme/" HIDDEN "-2");
	const struct sums *after = sums();
	cr_assert(eq(sz, before->n, 256));
	for (size_t i = 0; i < 256; i++) {
		cr_expect(eq(u64, before->sums[i], after->sums[i]));
		n += after->sums[i] != 0;
	}
	cr_expect(eq(sz, n, 1), "of the one twin that is shown");
	expect_clean(MESSAGE_SUMS);
}

Test(leaves, rows_of_a_repair_have_what_is_shared)
{
	const uint16_t shown = (uint16_t)tree_prefix(row_key("acme/plant"), 16),
		       hidden = (uint16_t)tree_prefix(row_key("acme/" HIDDEN), 16);
	uint16_t both[] = {shown < hidden ? shown : hidden, shown < hidden ? hidden : shown};
	struct message m = {.kind = MESSAGE_REPAIR,
			    .repair = {.id = 9, .origin = "acme/n1", .depth = 16, .prefixes = both, .n = 2}};

	wire_hear(WIRE_VOLT, &m);
	const struct sent *s = wire_last(WIRE_VOLT, MESSAGE_ROWS);
	cr_assert(s && s->message.rows.repair && s->message.rows.leaves == 2);
	cr_expect(eq(sz, s->message.rows.n, 1));
	cr_expect(eq(sz, s->message.rows.n_gone, 0));
}

/* The other organisation's stream is repaired by its name, its cursor and hashes of its own rows. */
Test(leaves, repair_names_what_the_partner_offered)
{
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	SCOPED(buf_fini) struct buf payload = {0}, encoded = {0};
	struct credential gate = {.org = "volt", .node = "gate", .roles = ROLE_OWNER | ROLE_BORDER};
	struct partner *volt = world.trust->partners[0];
	struct incarnation lineage = {.id = 5};
	struct head_notice notice = {0};
	const struct head head = {.origin = "volt/gate",
				  .lineage = &lineage,
				  .n_lineage = 1,
				  .fingerprint = {.count = 2},
				  .epoch = 1};
	const struct row row = {.id = "volt/a", .mask = ROW_MASK_DISCOVER, .type = "", .name = ""};

	must(sign_key_new(&key) == 0);
	gate.sign = sign_key_public(key);
	volt->org.nodes = &gate;
	volt->org.n_nodes = 1;
	head_encode(&head, &payload);
	sign_blob(key, SIGN_HEAD, buf_bytes(&payload), &notice.head);
	row_encode(&row, &encoded);
	struct bytes one = buf_bytes(&encoded);
	world_put(&(struct op){.kind = OP_ROWS,
			       .rows = {.origin = "volt/gate", .rows = &one, .n = 1, .cursor = BYTES("c")}},
		  1);
	wire_hear(WIRE_VOLT, &(struct message){.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}});
	const struct sent *pull = wire_last(WIRE_VOLT, MESSAGE_PULL);
	cr_assert(pull != NULL);
	wire_hear(WIRE_VOLT, &(struct message){.kind = MESSAGE_RESET,
					       .reset = {pull->message.pull.id, "volt/gate", RESET_LINEAGE}});
	volt->org.n_nodes = 0;
	expect_clean(MESSAGE_REPAIR);
	const struct repair *r = &wire_last(WIRE_VOLT, MESSAGE_REPAIR)->message.repair;
	cr_expect_str_eq(r->origin, "volt/gate");
	cr_expect(eq(sz, r->n_entries, 0));
}
