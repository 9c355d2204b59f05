/* SPDX-License-Identifier: Apache-2.0 */
#include "node/forks.h"

#include <inttypes.h>
#include <stdio.h>

#define KEYS "fork/"

enum {
	FORMAT = 1,
	LIFE_BYTES = 25,
	KEY_SIZE = ORG_NAME_MAX + NODE_NAME_MAX + 16,
	SCRATCH_BYTES = 256 * 1024,
};

struct forks {
	struct trust_store *store;
	struct fork_mark *marks;
	size_t n;
};

const char *fork_state_text(enum fork_state s)
{
	static const char *const texts[] = {
		[FORK_OPEN] = "undecided", [FORK_CHOSEN] = "chosen", [FORK_REFUSED] = "refused"};

	return s < N_FORK_STATES ? texts[s] : "";
}

/* ---- Looking ---------------------------------------------------------------------------------------------
 */

static struct fork_mark *find(const struct forks *f, const char *origin)
{
	for (size_t i = 0; f && i < f->n; i++)
		if (strcmp(f->marks[i].origin, origin) == 0)
			return &f->marks[i];
	return NULL;
}

static bool is_open(const struct fork_mark *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->lives[i].state == FORK_OPEN)
			return true;
	return false;
}

static const struct fork_life *life(const struct fork_mark *m, uint64_t incarnation)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->lives[i].incarnation == incarnation)
			return &m->lives[i];
	return NULL;
}

bool forks_counts(const struct forks *f, const char *origin, uint64_t incarnation)
{
	const struct fork_mark *m = find(f, origin);
	const struct fork_life *l = m ? life(m, incarnation) : NULL;

	return !m || (!is_open(m) && (!l || l->state != FORK_REFUSED));
}

bool forks_is_open(const struct forks *f, const char *origin)
{
	const struct fork_mark *m = find(f, origin);

	return m && is_open(m);
}

const struct fork_mark *forks_next(const struct forks *f, size_t *at)
{
	return f && *at < f->n ? &f->marks[(*at)++] : NULL;
}

const struct fork_mark *forks_first_open(const struct forks *f)
{
	for (size_t i = 0; f && i < f->n; i++)
		if (is_open(&f->marks[i]))
			return &f->marks[i];
	return NULL;
}

/* ---- Stored form -----------------------------------------------------------------------------------------
 */

static int save(const struct forks *f, const struct fork_mark *m)
{
	SCOPED(buf_fini) struct buf b = {0};
	char key[KEY_SIZE];

	buf_put_u8(&b, FORMAT);
	buf_put_u64(&b, (uint64_t)m->noted_ns);
	for (size_t i = 0; i < m->n; i++) {
		buf_put_u64(&b, m->lives[i].incarnation);
		buf_put_u64(&b, m->lives[i].seq);
		buf_put_u64(&b, (uint64_t)m->lives[i].stamp_ns);
		buf_put_u8(&b, (uint8_t)m->lives[i].state);
	}
	TRY(buf_check(&b));
	snprintf(key, sizeof key, KEYS "%s", m->origin);
	return trust_store_put(f->store, key, buf_bytes(&b));
}

static int mark_of(struct bytes value, struct fork_mark *ret)
{
	const uint8_t *p = value.data;

	if (value.len < 9 || p[0] != FORMAT || (value.len - 9) % LIFE_BYTES != 0 ||
	    (value.len - 9) / LIFE_BYTES > FORK_LIVES_MAX)
		return FAIL(ERR_CORRUPT);
	ret->noted_ns = (int64_t)get_u64(p + 1);
	ret->n = (value.len - 9) / LIFE_BYTES;
	p += 9;
	for (size_t i = 0; i < ret->n; i++, p += LIFE_BYTES) {
		if (p[24] >= N_FORK_STATES)
			return FAIL(ERR_CORRUPT);
		ret->lives[i] = (struct fork_life){.incarnation = get_u64(p),
						   .seq = get_u64(p + 8),
						   .stamp_ns = (int64_t)get_u64(p + 16),
						   .state = (enum fork_state)p[24]};
	}
	return 0;
}

static int add(struct forks *f, const char *origin, struct fork_mark **ret)
{
	struct fork_mark *grown = realloc(f->marks, (f->n + 1) * sizeof *grown);

	if (!grown)
		return FAIL(-ENOMEM);
	f->marks = grown;
	*ret = &grown[f->n++];
	memset(*ret, 0, sizeof **ret);
	snprintf((*ret)->origin, sizeof(*ret)->origin, "%s", origin);
	return 0;
}

static int load(struct forks *f)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char after[KEY_SIZE] = "";
	struct fork_mark *m;
	struct bytes value;
	const char *key;
	int r;

	TRY(arena_new(&a, SCRATCH_BYTES));
	while ((r = trust_store_next(f->store, a, KEYS, after, &key, &value)) == 0) {
		snprintf(after, sizeof after, "%s", key);
		TRY(add(f, key + strlen(KEYS), &m));
		TRY(mark_of(value, m));
		arena_reset(a);
	}
	return r < 0 ? r : 0;
}

int forks_open(struct forks **ret, struct trust_store *store)
{
	SCOPED(scope_forks) struct forks *f = calloc(1, sizeof *f);

	if (!f)
		return FAIL(-ENOMEM);
	f->store = store;
	TRY(load(f));
	*ret = MOVE(f);
	return 0;
}

void forks_close(struct forks *f)
{
	if (!f)
		return;
	free(f->marks);
	free(f);
}

/* ---- Finding and deciding --------------------------------------------------------------------------------
 */

static int life_of(struct bytes encoded, struct fork_life *ret)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct signed_blob blob;
	struct head h;

	TRY(arena_new(&a, SCRATCH_BYTES));
	TRY(signed_blob_decode(a, encoded, &blob));
	TRY(head_decode(a, blob.payload, &h));
	*ret = (struct fork_life){.incarnation = h.n_lineage > 0 ? h.lineage[h.n_lineage - 1].id : 0,
				  .seq = h.seq,
				  .stamp_ns = h.stamp_ns};
	return 0;
}

/* Room for one more: what was refused longest ago says the least. */
static void make_room(struct fork_mark *m)
{
	if (m->n < FORK_LIVES_MAX)
		return;
	memmove(m->lives, m->lives + 1, --m->n * sizeof m->lives[0]);
}

static void put_life(struct fork_mark *m, const struct fork_life *l)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->lives[i].incarnation == l->incarnation) {
			m->lives[i] = *l;
			return;
		}
	make_room(m);
	m->lives[m->n++] = *l;
}

/* An empty mark, should it not get durable, says nothing. */
static int replace(struct forks *f, const struct fork_mark *next)
{
	struct fork_mark *held = find(f, next->origin);

	if (!held)
		TRY(add(f, next->origin, &held));
	TRY(save(f, next));
	*held = *next;
	return 0;
}

int forks_note(struct forks *f, const char *origin, const struct bytes heads[2], int64_t now_ns)
{
	const struct fork_mark *held = find(f, origin);
	struct fork_mark next = {.noted_ns = now_ns};
	struct fork_life lives[2];

	TRY(life_of(heads[0], &lives[0]));
	TRY(life_of(heads[1], &lives[1]));
	if (lives[0].incarnation == lives[1].incarnation)
		return FORKS_SAME;
	if (held) {
		next = *held;
		next.noted_ns = now_ns;
	}
	snprintf(next.origin, sizeof next.origin, "%s", origin);
	for (size_t i = 0; i < 2; i++) {
		const struct fork_life *l = life(&next, lives[i].incarnation);
		if (l && l->state == FORK_REFUSED)
			return FORKS_SAME;
	}
	put_life(&next, &lives[0]);
	put_life(&next, &lives[1]);
	return replace(f, &next);
}

int forks_choose(struct forks *f, const char *origin, uint64_t incarnation, struct err_note *note)
{
	const struct fork_mark *held = find(f, origin);
	struct fork_mark next;

	if (!held)
		return FAIL_SAY(note, ERR_ABSENT,
				"of %s nothing is to be decided here: see `holon peer forks`", origin);
	if (!life(held, incarnation))
		return FAIL_SAY(note, ERR_ABSENT,
				"%s has no incarnation %016" PRIx64 ": see `holon peer forks`", origin,
				incarnation);
	next = *held;
	for (size_t i = 0; i < next.n; i++)
		next.lives[i].state = next.lives[i].incarnation == incarnation ? FORK_CHOSEN : FORK_REFUSED;
	return replace(f, &next);
}
