/* SPDX-License-Identifier: Apache-2.0 */
/* The self-test while the node serves: it finds a door open that is, and none that is not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/unit/node/net.h"
#include "tests/unit/node/rawcurve.h"

#define ANY_PORT "tcp://127.0.0.1:*"

static struct host a, b, bolt; /* a listens */
static struct roster *all;
static int n_proofs;
static enum transport_proof proof;
static struct err_note found;

static void set_up(void)
{
	net_start();
	host_init(&a, "acme", "a", true, ROLE_OWNER | ROLE_BORDER);
	host_init(&b, "acme", "b", true, ROLE_OWNER);
	host_init(&bolt, "bolt", "edge", false, ROLE_BORDER);
	all = roster_of(&a, &b, &bolt, NULL);
	net_publish(all);
	a.apart = true;
	cr_assert(eq(int, host_open(&a, all, ANY_PORT, ANY_PORT, NULL), 0));
}

static void tear_down(void)
{
	roster_unref(all);
	all = NULL;
	host_fini(&a);
	host_fini(&b);
	host_fini(&bolt);
	net_stop();
}

TestSuite(proof, .init = set_up, .fini = tear_down, .timeout = 60);

static void on_proof(void *ctx, enum transport_proof p, const struct err_note *what)
{
	(void)ctx;
	n_proofs++;
	proof = p;
	found = *what;
}

static void prove(void)
{
	n_proofs = 0;
	cr_assert(eq(int, transport_prove(a.t, on_proof, NULL), 0));
	cr_expect(eq(int, transport_prove(a.t, on_proof, NULL), -EBUSY));
	for (int i = 0; i < 4 && n_proofs == 0; i++)
		net_until(&n_proofs, 1);
	cr_assert(eq(int, n_proofs, 1));
}

Test(proof, doors_that_are_locked_are_found_so_and_nobody_notices)
{
	prove();
	cr_expect(eq(int, proof, PROOF_LOCKED), "%s", found.text);
	cr_expect(eq(int, a.ups + a.downs + a.frames + a.kicks, 0));
	prove();
	cr_expect(eq(int, proof, PROOF_LOCKED), "%s", found.text);
}

Test(proof, a_flood_that_uses_up_all_limits_is_not_in_its_way)
{
	const struct zap_limits none_left = {
		.address_rate = 1, .address_burst = 1, .total_rate = 10, .key_rate = 60, .key_burst = 60};
	struct raw r;

	host_close(&a);
	a.apart = false;
	cr_assert(eq(int, host_open(&a, all, ANY_PORT, ANY_PORT, NULL), 0));
	zap_set_limits(net_zap, &none_left);
	for (int i = 0; i < 3; i++) {
		struct curve_pair *stranger = NULL;
		must(curve_pair_new(&stranger) == 0);
		cr_expect(eq(int,
			     raw_connect(&r, transport_border_endpoint(a.t), &a.entry.key, stranger, NULL, 0),
			     i == 0 ? RAW_REFUSED : RAW_CUT));
		raw_close(&r);
		curve_pair_free(stranger);
	}
	prove();
	cr_expect(eq(int, proof, PROOF_LOCKED), "%s", found.text);
}

Test(proof, a_handler_that_lets_everybody_in_is_found_out)
{
	net_rogue_start("v1:acme/b:00");
	prove();
	cr_expect(eq(int, proof, PROOF_OPEN));
	cr_expect(strstr(found.text, "a stranger's key was let in") != NULL, "%s", found.text);
	net_rogue_stop();
}

Test(proof, without_a_handler_nobody_is_let_in_and_that_is_said)
{
	zap_stop(net_zap);
	net_zap = NULL;
	prove();
	cr_expect(eq(int, proof, PROOF_UNSURE));
	cr_expect(strstr(found.text, "no handler refused") != NULL, "%s", found.text);
}

Test(proof, a_transport_that_closes_does_not_wait_for_it)
{
	const uint64_t began = uv_hrtime();

	zap_stop(net_zap);
	net_zap = NULL;
	cr_assert(eq(int, transport_prove(a.t, on_proof, NULL), 0));
	n_proofs = 0;
	host_close(&a);
	cr_expect(eq(int, n_proofs, 0));
	cr_expect(lt(u64, uv_hrtime() - began, UINT64_C(2500000000)), "else it waits for the verdict, 3 s");
}

Test(proof, a_border_that_is_closed_ends_its_sessions_and_no_others)
{
	struct raw partner, own, again;

	cr_assert(eq(int,
		     raw_connect(&partner, transport_border_endpoint(a.t), &a.entry.key, bolt.keys, NULL, 0),
		     RAW_ADMITTED));
	cr_assert(raw_send(&partner, BYTES("hello"), false));
	cr_assert(net_until(&a.frames, 1));
	const uint32_t there = a.session;
	cr_assert(eq(int, raw_connect(&own, transport_own_endpoint(a.t), &a.entry.key, b.keys, NULL, 0),
		     RAW_ADMITTED));
	cr_assert(raw_send(&own, BYTES("hello"), false));
	cr_assert(net_until(&a.frames, 2));
	char endpoint[256];
	snprintf(endpoint, sizeof endpoint, "%s", transport_border_endpoint(a.t));
	transport_close_border(a.t);
	transport_close_border(a.t);
	cr_expect(eq(int, a.downs, 1));
	cr_expect(eq(u32, a.down, there));
	cr_expect_str_eq(transport_border_endpoint(a.t), "");
	cr_expect(raw_is_cut(&partner));
	cr_assert(raw_send(&own, BYTES("still here"), false));
	cr_expect(net_until(&a.frames, 3));
	net_run_ms(200);
	cr_expect(not(raw_try_open(&again, endpoint)), "nobody listens there");
	prove();
	cr_expect(eq(int, proof, PROOF_LOCKED), "%s", found.text);
	raw_close(&partner);
	raw_close(&own);
}
