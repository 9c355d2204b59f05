/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reports.h"

#include <stdio.h>

#include "node/alarms.h"
#include "node/asks.h"
#include "node/gossip.h"
#include "node/memory.h"

enum { REPORT_BYTES = 4 << 20, ITEM_BYTES = 128 };

/* ---- This node -------------------------------------------------------------------------------------------
 */

int report_here(struct engine *e, struct arena *a, struct node_report *ret)
{
	const struct trust *t = e->trust;

	*ret = (struct node_report){.node = t->self->node,
				    .answered = true,
				    .why = "",
				    .roles = roles_text(a, t->self->roles),
				    .version = HOLON_VERSION,
				    .uptime_ns = engine_mono_ns() - e->started_ns,
				    .resident_bytes = memory_resident()};
	if (!ret->roles)
		return FAIL(-ENOMEM);
	gossip_counts(e->gossip, &ret->counts);
	TRY(gossip_peers(e->gossip, a, &ret->peers, &ret->n_peers));
	TRY(gossip_origins(e->gossip, a, &ret->origins, &ret->n_origins));
	return alarms_list(e->alarms, a, &ret->alarms, &ret->n_alarms);
}

static size_t peer_bytes(const struct peer_info *p)
{
	return ITEM_BYTES + strlen(p->org) + strlen(p->node) + strlen(p->endpoint) + strlen(p->roles) +
	       strlen(p->kicked);
}

bool report_part(const struct node_report *whole, struct report_place *place, struct node_report *ret)
{
	const struct report_place from = *place;
	size_t bytes = 0;

	if (from.begun && from.peer == whole->n_peers && from.origin == whole->n_origins)
		return false;
	*ret = from.begun ? (struct node_report){.node = whole->node,
						 .answered = true,
						 .why = "",
						 .roles = "",
						 .version = ""}
			  : *whole;
	while (place->peer < whole->n_peers && bytes < FRAME_FILL)
		bytes += peer_bytes(&whole->peers[place->peer++]);
	while (place->origin < whole->n_origins && bytes < FRAME_FILL)
		bytes += ITEM_BYTES + strlen(whole->origins[place->origin++].origin);
	ret->peers = whole->n_peers > 0 ? &whole->peers[from.peer] : NULL;
	ret->n_peers = place->peer - from.peer;
	ret->origins = whole->n_origins > 0 ? &whole->origins[from.origin] : NULL;
	ret->n_origins = place->origin - from.origin;
	place->begun = true;
	return true;
}

/* ---- All of them -----------------------------------------------------------------------------------------
 */

/* A round of questions; freed with the last answer. */
struct round {
	struct engine *e;
	size_t n_open; /* answers awaited, and one while the questions go out */
	report_fn *each;
	void (*done)(void *ctx);
	void *ctx;
};

/* One node that was asked. */
struct asked {
	struct round *round;
	char node[NODE_NAME_MAX + 1];
};

static void end_one(struct round *r)
{
	if (--r->n_open > 0)
		return;
	r->done(r->ctx);
	free(r);
}

/* Since anything was heard of a node, from itself or through others. */
static int64_t known_ns(const struct engine *e, const char *node)
{
	const char *org = e->trust->self->org;
	const struct session *s = gossip_find(e->gossip, org, node);
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];

	snprintf(origin, sizeof origin, "%s/%s", org, node);
	const int64_t age_ns = gossip_age(e->gossip, origin);
	const int64_t heard_ns = s ? engine_mono_ns() - s->heard_ns : INT64_MAX;
	const int64_t least_ns = heard_ns < age_ns ? heard_ns : age_ns;
	return least_ns == INT64_MAX ? -1 : least_ns;
}

static void tell_silent(const struct round *r, const char *node, const char *why)
{
	r->each(r->ctx, &(struct node_report){.node = node,
					      .why = why,
					      .known_ns = known_ns(r->e, node),
					      .roles = "",
					      .version = ""});
}

/* The parts as one. */
static int join(struct arena *a, const struct answer *parts, size_t n, struct node_report *ret)
{
	*ret = parts[0].report;
	ret->peers = NULL;
	ret->origins = NULL;
	ret->n_peers = ret->n_origins = 0;
	for (size_t i = 0; i < n; i++) {
		const struct node_report *part = &parts[i].report;
		for (size_t j = 0; j < part->n_peers; j++) {
			struct peer_info *p = arena_push(a, &ret->peers, &ret->n_peers, sizeof *p);
			if (!p)
				return FAIL(-ENOMEM);
			*p = part->peers[j];
		}
		for (size_t j = 0; j < part->n_origins; j++) {
			struct origin_info *o = arena_push(a, &ret->origins, &ret->n_origins, sizeof *o);
			if (!o)
				return FAIL(-ENOMEM);
			*o = part->origins[j];
		}
	}
	return 0;
}

static void on_answer(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	SCOPED(scope_free) struct asked *asked = ctx;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct round *r = asked->round;
	struct node_report whole;

	if (code == 0 && (n == 0 || !parts[0].report.node))
		code = ERR_MALFORMED;
	if (code == 0)
		code = arena_new(&a, REPORT_BYTES);
	if (code == 0)
		code = join(a, parts, n, &whole);
	if (code < 0) {
		tell_silent(r, asked->node, text[0] ? text : err_text(code));
	} else {
		whole.node = asked->node; /* it speaks for itself alone */
		whole.answered = true;
		r->each(r->ctx, &whole);
	}
	end_one(r);
}

static const char *ask_one(struct round *r, const struct credential *to, int64_t timeout_ns)
{
	const struct question q = {.kind = QUESTION_MESH, .asker = "", .twin = "", .property = ""};
	const struct session *over = gossip_find(r->e->gossip, to->org, to->node);
	SCOPED(scope_free) struct asked *asked = calloc(1, sizeof *asked);
	uint64_t id;

	if (!over)
		return "not connected to the node that was asked";
	if (!(over->features & FEATURE_MESH))
		return "its release does not know the question";
	if (!asked)
		return err_text(-ENOMEM);
	asked->round = r;
	snprintf(asked->node, sizeof asked->node, "%s", to->node);
	r->n_open++;
	const int code = asks_send(r->e->asks, over->id, &q, timeout_ns, on_answer, asked, &id);
	if (code < 0) {
		r->n_open--;
		return err_text(code);
	}
	asked = NULL;
	return NULL;
}

static int tell_self(const struct round *r)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct node_report here;

	TRY(arena_new(&a, REPORT_BYTES));
	TRY(report_here(r->e, a, &here));
	r->each(r->ctx, &here);
	return 0;
}

int reports_ask(struct engine *e, int64_t timeout_ns, report_fn *each, void (*done)(void *ctx), void *ctx)
{
	struct round *r = calloc(1, sizeof *r);
	const struct org *org = &e->trust->own.org;

	if (!r)
		return FAIL(-ENOMEM);
	*r = (struct round){.e = e, .n_open = 1, .each = each, .done = done, .ctx = ctx};
	const int code = tell_self(r);
	if (code < 0) {
		free(r);
		return code;
	}
	for (size_t i = 0; i < org->n_nodes; i++) {
		const struct credential *to = &org->nodes[i];
		if (memcmp(to->curve.b, e->trust->self->curve.b, KEY_BYTES) == 0)
			continue;
		const char *why = ask_one(r, to, timeout_ns);
		if (why)
			tell_silent(r, to->node, why);
	}
	end_one(r);
	return 0;
}
