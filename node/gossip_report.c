/* SPDX-License-Identifier: Apache-2.0 */
/* What is held of which origin, and how it stands to what is offered: for `holon mesh`. */
#include "node/gossip_private.h"

#include "proto/id.h"

static const char *state_word(enum mesh_stream_state state)
{
	static const char *const words[] = {
		[MESH_STREAM_LEVEL] = "held",      [MESH_STREAM_BEHIND] = "behind",
		[MESH_STREAM_PULLING] = "pulling", [MESH_STREAM_REPAIRING] = "repairing",
		[MESH_STREAM_STOPPED] = "stopped",
	};

	return words[state];
}

static int64_t age_of(const struct gossip *g, const char *origin)
{
	const int64_t age_ns = gossip_age(g, origin);

	return age_ns == INT64_MAX ? -1 : age_ns;
}

static int push(struct arena *a, struct origin_info **list, size_t *n, const struct origin_info *what)
{
	struct origin_info *place = arena_push(a, list, n, sizeof *place);

	if (!place)
		return FAIL(-ENOMEM);
	*place = *what;
	place->origin = arena_copy(a, what->origin);
	return place->origin ? 0 : FAIL(-ENOMEM);
}

static int push_own(const struct gossip *g, struct arena *a, struct origin_info **list, size_t *n)
{
	const struct engine *e = g->engine;
	struct store_position *at = arena_take(a, sizeof *at);

	if (!at)
		return FAIL(-ENOMEM);
	if (!(e->trust->self->roles & ROLE_OWNER))
		return 0;
	store_position(e->store, at);
	return push(a, list, n,
		    &(struct origin_info){.origin = e->origin,
					  .state = "own",
					  .n_rows = at->n_twins,
					  .seq = at->seq,
					  .offered = at->seq});
}

static uint64_t held_seq(const struct origin *o)
{
	struct cursor c;

	return o && cursor_decode(o->cursor, &c) == 0 ? c.seq : 0; /* a partner's is sealed */
}

static int push_offered(const struct gossip *g, struct arena *a, struct origin_info **list, size_t *n)
{
	struct mesh_stream_stats s = {0};

	for (const char *after = NULL; mesh_stream_next(g->mesh, 0, after, &s); after = s.origin) {
		const struct origin *o = store_origin(g->engine->store, s.origin);
		TRY(push(a, list, n,
			 &(struct origin_info){.origin = s.origin,
					       .state = state_word(s.state),
					       .n_rows = o ? o->n_rows : 0,
					       .seq = held_seq(o),
					       .offered = s.offered,
					       .age_ns = age_of(g, s.origin)}));
	}
	return 0;
}

static bool is_listed(const struct origin_info *list, size_t n, const char *origin)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].origin, origin) == 0)
			return true;
	return false;
}

int gossip_origins(const struct gossip *g, struct arena *a, struct origin_info **ret, size_t *ret_n)
{
	const char *after = "";

	*ret = NULL;
	*ret_n = 0;
	TRY(push_own(g, a, ret, ret_n));
	TRY(push_offered(g, a, ret, ret_n));
	for (const struct origin *o; (o = store_origin_next(g->engine->store, after)); after = o->name)
		if (!is_listed(*ret, *ret_n, o->name))
			TRY(push(a, ret, ret_n,
				 &(struct origin_info){.origin = o->name,
						       .state = "held",
						       .n_rows = o->n_rows,
						       .seq = held_seq(o),
						       .age_ns = age_of(g, o->name)}));
	return 0;
}
