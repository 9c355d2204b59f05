/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/node/wire.h"

#include <stdio.h>

#include "node/asks.h"
#include "node/fresh.h"
#include "node/gossip.h"
#include "node/inside.h"
#include "node/spread.h"
#include "node/spread_port.h"
#include "node/views.h"
#include "proto/clock.h"
#include "tests/lib/must.h"

struct sent wire_sent[WIRE_SENT_MAX];
size_t wire_n_sent;
struct arena *wire_arena;
uint64_t wire_features;
uint32_t wire_deaf;

static const char *const orgs[] = {[WIRE_VOLT] = "volt",
				   [WIRE_OWN] = "acme",
				   [WIRE_HARBOR] = "harbor",
				   [WIRE_VOLT_AGAIN] = "volt",
				   [WIRE_OWN_AGAIN] = "acme"};
static uint64_t frames[sizeof orgs / sizeof *orgs];
static struct transport_handler handler;

int __wrap_transport_send(struct transport *t, uint32_t session, struct bytes frame);
void __wrap_transport_close(struct transport *t, uint32_t session);

void wire_take(uint32_t session, struct bytes frame)
{
	struct sent *s = &wire_sent[wire_n_sent++];
	uint8_t *copy = arena_take(wire_arena, frame.len);

	must(copy && wire_n_sent < WIRE_SENT_MAX);
	memcpy(copy, frame.data, frame.len);
	*s = (struct sent){.session = session, .frame = {copy, frame.len}};
	must(message_decode(wire_arena, s->frame, &s->message) == 0);
	s->kind = s->message.kind;
}

int __wrap_transport_send(struct transport *t, uint32_t session, struct bytes frame)
{
	(void)t;
	if (session == wire_deaf)
		return ERR_UNREACHABLE;
	wire_take(session, frame);
	return 0;
}

void __wrap_transport_close(struct transport *t, uint32_t session)
{
	(void)t, (void)session;
}

/* Nobody is dialled, and nobody was cut. */
const char *__wrap_transport_link_state(const struct transport *t, const struct curve_key *key);
uint64_t __wrap_transport_kicks(const struct transport *t, const struct curve_key *key,
				enum transport_kick *ret_last);

const char *__wrap_transport_link_state(const struct transport *t, const struct curve_key *key)
{
	(void)t, (void)key;
	return "";
}

uint64_t __wrap_transport_kicks(const struct transport *t, const struct curve_key *key,
				enum transport_kick *ret_last)
{
	(void)t, (void)key, (void)ret_last;
	return 0;
}

/* Here everybody is who he says. */
int __wrap_spread_verify_hello(void *ctx, uint32_t session, const struct hello *h);

int __wrap_spread_verify_hello(void *ctx, uint32_t session, const struct hello *h)
{
	(void)ctx, (void)session, (void)h;
	return 0;
}

void wire_set_up(void)
{
	struct err_note note = {0};

	world_set_up();
	must(keys_init() == 0);
	must(arena_new(&wire_arena, 256 << 20) == 0);
	must(sign_key_new(&world.trust->sign) == 0);
	world.trust->credential = BYTES("credential of acme/n1");
	must(trust_store_open(&world.trust->store, arena_print(wire_arena, "%s/trust", world_dir), &note) ==
	     0);
	must(asks_start(&world.asks, &world) == 0);
	must(views_start(&world.views, &world) == 0);
	must(inside_start(&world) == 0);
	must(spread_start(&world) == 0);
	must(gossip_start(&world.gossip, &world) == 0);
	handler = gossip_handler(&world);
	wire_n_sent = 0;
	wire_features = 0;
	wire_deaf = 0;
	memset(frames, 0, sizeof frames);
}

static void on_stopped(struct engine *e)
{
	(void)e;
}

void wire_tear_down(void)
{
	world.stopping = true;
	gossip_stop(world.gossip);
	asks_stop(world.asks, on_stopped);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	gossip_free(world.gossip);
	spread_free(world.spread);
	fresh_free(world.fresh);
	views_free(world.views);
	asks_free(world.asks);
	trust_store_close(world.trust->store);
	sign_key_free(world.trust->sign);
	arena_free(wire_arena);
	world_tear_down();
}

void wire_join(uint32_t session)
{
	const bool own = strcmp(orgs[session], "acme") == 0;
	struct roster_entry entry = {.own = own, .roles = ROLE_OWNER | ROLE_BORDER};
	const struct transport_peer peer = {.entry = &entry, .endpoint = ""};

	snprintf(entry.org, sizeof entry.org, "%s", orgs[session]);
	snprintf(entry.node, sizeof entry.node, own ? "n2" : "gate");
	handler.on_up(handler.ctx, session, &peer);
	wire_hear(session,
		  &(struct message){.kind = MESSAGE_HELLO,
				    .hello = {.protocol_min = PROTOCOL_MIN,
					      .protocol_max = PROTOCOL_MAX,
					      .features = FEATURE_TRUST | FEATURE_MESH | wire_features,
					      .org = entry.org,
					      .node = entry.node,
					      .credential = BYTES("credential of a peer")}});
	gossip_changed(world.gossip); /* the next step: heads go behind what is said of trust */
}

void wire_hear_raw(uint32_t session, struct bytes frame)
{
	handler.on_frame(handler.ctx, session, frame);
}

void wire_hear(uint32_t session, struct message *m)
{
	SCOPED(buf_fini) struct buf frame = {0};

	m->nonce = 1000 + session;
	m->frame = ++frames[session];
	message_encode(m, &frame);
	must(buf_check(&frame) == 0);
	wire_hear_raw(session, buf_bytes(&frame));
}

void wire_lose(uint32_t session)
{
	frames[session]++;
}

bool wire_is_own(const struct sent *s)
{
	return strcmp(orgs[s->session], "acme") == 0;
}

const struct sent *wire_last(uint32_t session, enum message_kind kind)
{
	for (size_t i = wire_n_sent; i-- > 0;)
		if (wire_sent[i].session == session && wire_sent[i].kind == kind)
			return &wire_sent[i];
	return NULL;
}

void wire_offer(uint32_t session)
{
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	struct credential gate = {.org = "volt", .node = "gate", .roles = ROLE_OWNER | ROLE_BORDER};
	struct partner *volt = world.trust->partners[0];
	struct incarnation lineage = {.id = 5};
	const struct head head = {.origin = "volt/gate",
				  .lineage = &lineage,
				  .n_lineage = 1,
				  .fingerprint = {.count = 1},
				  .epoch = 1};
	SCOPED(buf_fini) struct buf payload = {0};
	struct head_notice notice = {0};

	must(sign_key_new(&key) == 0);
	gate.sign = sign_key_public(key);
	volt->org.nodes = &gate;
	volt->org.n_nodes = 1;
	head_encode(&head, &payload);
	sign_blob(key, SIGN_HEAD, buf_bytes(&payload), &notice.head);
	wire_hear(session, &(struct message){.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}});
	volt->org.n_nodes = 0;
}
