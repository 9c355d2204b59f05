/* SPDX-License-Identifier: Apache-2.0 */
#include "node/visibility_private.h"
#include "proto/id.h"

enum { SLOTS_SPARE = 64 }; /* conditions of earlier policies are kept, for a policy often comes back */

static const struct outcome nobody;

const struct outcome *class_outcome(const struct subject *s)
{
	return s->class && s->class->outcome ? s->class->outcome : &nobody;
}

/* ---- Traits ----------------------------------------------------------------------------------------------
 */

static bool same_kpis(const struct traits *t, const struct row *full)
{
	bool same = t->n_kpis == full->n_kpis;

	for (size_t i = 0; same && i < full->n_kpis; i++)
		same = strcmp(t->kpis[i].property, full->kpis[i].property) == 0;
	return same;
}

static bool same_alarms(const struct traits *t, const struct row *full)
{
	bool same = t->n_alarms == full->n_alarms;

	for (size_t i = 0; same && i < full->n_alarms; i++)
		same = strcmp(t->alarms[i].name, full->alarms[i].name) == 0;
	return same;
}

static bool traits_fit(const struct traits *t, const struct row *full)
{
	bool same = strcmp(t->type, full->type) == 0 && t->n_tags == full->n_tags;

	for (size_t i = 0; same && i < full->n_tags; i++)
		same = strcmp(t->tags[i], full->tags[i]) == 0;
	return same && same_kpis(t, full) && same_alarms(t, full);
}

static void put_line(struct buf *b, const char *word)
{
	buf_put_text(b, word);
	buf_put_u8(b, '\n');
}

static int traits_key(const struct row *full, struct buf *b)
{
	put_line(b, full->type);
	for (size_t i = 0; i < full->n_tags; i++)
		put_line(b, full->tags[i]);
	put_line(b, "");
	for (size_t i = 0; i < full->n_kpis; i++)
		put_line(b, full->kpis[i].property);
	put_line(b, "");
	for (size_t i = 0; i < full->n_alarms; i++)
		put_line(b, full->alarms[i].name);
	buf_put_u8(b, 0);
	return buf_check(b);
}

static void traits_free(struct traits *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t->slots);
	free(t);
}
DEFINE_SCOPED(traits, traits_free)

static int copy_traits(struct traits *t, const struct row *full)
{
	TRY(arena_new(&t->arena, SIZE_MAX));
	t->n_tags = full->n_tags;
	t->n_kpis = full->n_kpis;
	t->n_alarms = full->n_alarms;
	t->tags = arena_take_array(t->arena, full->n_tags, sizeof *t->tags);
	t->kpis = arena_take_array(t->arena, full->n_kpis, sizeof *t->kpis);
	t->alarms = arena_take_array(t->arena, full->n_alarms, sizeof *t->alarms);
	t->type = arena_copy(t->arena, full->type);
	if (!t->tags || !t->kpis || !t->alarms || !t->type)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < full->n_tags; i++)
		if (!(t->tags[i] = arena_copy(t->arena, full->tags[i])))
			return FAIL(-ENOMEM);
	for (size_t i = 0; i < full->n_kpis; i++)
		if (!(t->kpis[i].property = arena_copy(t->arena, full->kpis[i].property)))
			return FAIL(-ENOMEM);
	for (size_t i = 0; i < full->n_alarms; i++)
		if (!(t->alarms[i].name = arena_copy(t->arena, full->alarms[i].name)))
			return FAIL(-ENOMEM);
	return 0;
}

static int traits_get(struct visibility *v, const struct row *full, struct traits **ret)
{
	SCOPED(buf_fini) struct buf key = {0};

	TRY(traits_key(full, &key));
	*ret = map_get(&v->traits, (const char *)key.data);
	if (*ret)
		return 0;
	SCOPED(scope_traits) struct traits *t = calloc(1, sizeof *t + key.len);
	if (!t)
		return FAIL(-ENOMEM);
	memcpy(t->key, key.data, key.len);
	TRY(copy_traits(t, full));
	TRY(map_put(&v->traits, t->key, t));
	*ret = MOVE(t);
	return 0;
}

static void traits_drop(struct visibility *v, struct traits *t)
{
	if (!t || --t->n_users > 0)
		return;
	map_remove(&v->traits, t->key);
	traits_free(t);
}

/* Which conditions the tags and the type meet. */
static int traits_look(struct visibility *v, struct traits *t)
{
	if (t->round == v->traits_round)
		return 0;
	if (!t->slots)
		t->slots = malloc((t->n_tags + 1) * sizeof *t->slots); /* a word is one condition at most */
	if (!t->slots)
		return FAIL(-ENOMEM);
	t->n_slots = 0;
	if (v->index) {
		condition_index_find(v->index, BY_TYPE, t->type, t->slots, &t->n_slots);
		for (size_t i = 0; i < t->n_tags; i++)
			condition_index_find(v->index, BY_TAG, t->tags[i], t->slots, &t->n_slots);
	}
	t->round = v->traits_round;
	return 0;
}

/* ---- Classes ---------------------------------------------------------------------------------------------
 */

/* Conditions that a twin meets, in order, each once. */
struct slots {
	uint32_t *list;
	size_t n;
};

static void slots_fini(struct slots *s)
{
	free(s->list);
}

/* Room for what a class and a row can meet. */
static int slots_new(const struct visibility *v, struct slots *ret)
{
	ret->n = 0;
	ret->list = malloc((2 * v->n_conditions + TAGS_MAX + 1) * sizeof *ret->list);
	return ret->list ? 0 : FAIL(-ENOMEM);
}

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void slots_sort(struct slots *s)
{
	size_t kept = 0;

	if (s->n > 1)
		qsort(s->list, s->n, sizeof *s->list, by_number);
	for (size_t i = 0; i < s->n; i++)
		if (kept == 0 || s->list[kept - 1] != s->list[i])
			s->list[kept++] = s->list[i];
	s->n = kept;
}

static void class_free(struct twin_class *c)
{
	if (!c)
		return;
	free(c->outcome);
	free(c->before);
	free(c->slots);
	free(c);
}
DEFINE_SCOPED(twin_class, class_free)

static int class_key(const struct visibility *v, const struct traits *t, const struct slots *slots,
		     struct buf *b)
{
	buf_print(b, "%x ", v->numbering);
	for (size_t i = 0; i < t->n_kpis; i++)
		put_line(b, t->kpis[i].property);
	put_line(b, "");
	for (size_t i = 0; i < t->n_alarms; i++)
		put_line(b, t->alarms[i].name);
	for (size_t i = 0; i < slots->n; i++)
		buf_print(b, " %x", slots->list[i]);
	buf_put_u8(b, 0);
	return buf_check(b);
}

static int class_get(struct visibility *v, const struct traits *t, const struct slots *slots,
		     struct twin_class **ret)
{
	SCOPED(buf_fini) struct buf key = {0};

	TRY(class_key(v, t, slots, &key));
	*ret = map_get(&v->classes, (const char *)key.data);
	if (*ret)
		return 0;
	SCOPED(scope_twin_class) struct twin_class *c = calloc(1, sizeof *c + key.len);
	if (!c)
		return FAIL(-ENOMEM);
	memcpy(c->key, key.data, key.len);
	c->slots = malloc((slots->n + 1) * sizeof *c->slots);
	if (!c->slots)
		return FAIL(-ENOMEM);
	memcpy(c->slots, slots->list, slots->n * sizeof *c->slots);
	c->n_slots = slots->n;
	TRY(map_put(&v->classes, c->key, c));
	*ret = MOVE(c);
	return 0;
}

static void class_drop(struct visibility *v, struct twin_class *c)
{
	map_remove(&v->classes, c->key);
	class_free(c);
}

static void unlink_member(struct subject *s)
{
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	s->class->n--;
	s->class = NULL;
}

static void link_member(struct subject *s, struct twin_class *c)
{
	s->next = c->first;
	s->back = &c->first;
	if (s->next)
		s->next->back = &s->next;
	c->first = s;
	c->n++;
	s->class = c;
}

/* ---- What the policy says of a class ----------------------------------------------------------------------
 */

static struct sight *sight_of(struct outcome *o, uint64_t mask)
{
	for (size_t i = 0; !(mask & EGRESS_TOKENS) && i < o->n; i++)
		if (o->sights[i].mask == mask)
			return &o->sights[i];
	o->sights[o->n] = (struct sight){.mask = mask};
	return &o->sights[o->n++];
}

/* Any of its twins speaks for the class; no partner has two sights. */
static int decide_class(const struct visibility *v, const struct twin_class *c, struct outcome **ret)
{
	const struct traits *t = c->first->traits;
	const struct row row = {.id = c->first->id,
				.type = t->type,
				.kpis = t->kpis,
				.n_kpis = t->n_kpis,
				.alarms = t->alarms,
				.n_alarms = t->n_alarms,
				.tags = t->tags,
				.n_tags = t->n_tags};
	struct outcome *o = calloc(1, sizeof *o + v->n_partners * sizeof o->sights[0]);

	if (!o)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < v->n_partners; i++) {
		const struct audience to = audience_of(v->partners[i]);
		const uint64_t mask = partner_set_has(&v->trusted, i) ? egress_mask(v->egress, &to, &row) : 0;
		if (mask == 0)
			continue;
		partner_set_add(&sight_of(o, mask)->set, i);
		partner_set_add(&o->all, i);
	}
	*ret = realloc(o, sizeof *o + o->n * sizeof o->sights[0]);
	if (!*ret)
		*ret = o;
	return 0;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	bool same = a->n == b->n && partner_set_equal(&a->all, &b->all);

	for (size_t i = 0; same && i < a->n; i++)
		same = a->sights[i].mask == b->sights[i].mask &&
		       partner_set_equal(&a->sights[i].set, &b->sights[i].set);
	return same;
}

/* ---- Which class a twin is in -----------------------------------------------------------------------------
 */

static int slots_of(struct visibility *v, const struct subject *s, struct traits *t, struct slots *ret)
{
	TRY(traits_look(v, t));
	TRY(slots_new(v, ret));
	if (v->index)
		condition_index_find(v->index, BY_PATH, id_local(s->id), ret->list, &ret->n);
	if (t->n_slots > 0)
		memcpy(ret->list + ret->n, t->slots, t->n_slots * sizeof *t->slots);
	ret->n += t->n_slots;
	slots_sort(ret);
	return 0;
}

static int join_class(struct visibility *v, struct subject *s, struct traits *t)
{
	SCOPED(slots_fini) struct slots slots = {0};
	struct twin_class *c;

	TRY(slots_of(v, s, t, &slots));
	TRY(class_get(v, t, &slots, &c));
	c->n++; /* it may be the one that is left */
	class_leave(v, s);
	c->n--;
	s->traits = t;
	t->n_users++;
	link_member(s, c);
	return c->outcome ? 0 : decide_class(v, c, &c->outcome);
}

bool class_fits(const struct subject *s, const struct row *full)
{
	return s->class && s->class->outcome && traits_fit(s->traits, full);
}

int class_set(struct visibility *v, struct subject *s, const struct row *full)
{
	struct traits *t;

	if (class_fits(s, full))
		return 0;
	TRY(traits_get(v, full, &t));
	t->n_users++; /* it must not go with the twin's old class, if it is the same */
	const int r = join_class(v, s, t);
	traits_drop(v, t);
	return r;
}

void class_leave(struct visibility *v, struct subject *s)
{
	struct twin_class *c = s->class;

	if (!c)
		return;
	unlink_member(s);
	traits_drop(v, s->traits);
	s->traits = NULL;
	if (c->n == 0)
		class_drop(v, c);
}

/* ---- Edits -----------------------------------------------------------------------------------------------
 */

/* A twin that went over to another class, and what was decided of the one it left. */
struct moved {
	struct subject *subject;
	struct twin_class *from;
};

struct moves {
	struct moved *list;
	size_t n, size;
};

static void moves_fini(struct moves *m)
{
	free(m->list);
}

static int push_move(struct moves *m, struct subject *s)
{
	if (m->n == m->size) {
		const size_t size = m->size ? m->size * 2 : 1024;
		struct moved *list = realloc(m->list, size * sizeof *list);
		if (!list)
			return FAIL(-ENOMEM);
		m->list = list;
		m->size = size;
	}
	m->list[m->n++] = (struct moved){s, s->class};
	return 0;
}

static void forget_conditions(struct visibility *v)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->slots, &at));)
		free((char *)(uintptr_t)e->key);
	map_fini(&v->slots);
	free(v->conditions);
	v->conditions = NULL;
	v->n_conditions = 0;
	v->numbering++;
}

/* Its key in the map is also its text, behind a letter that says by what. */
static int add_condition(struct visibility *v, const struct condition *c)
{
	SCOPED(buf_fini) struct buf key = {0};

	buf_put_u8(&key, (uint8_t)('0' + c->by));
	buf_put_text(&key, c->text);
	buf_put_u8(&key, 0);
	TRY(buf_check(&key));
	if (map_get(&v->slots, (const char *)key.data))
		return 0;
	struct condition *list = realloc(v->conditions, (v->n_conditions + 1) * sizeof *list);
	if (!list)
		return FAIL(-ENOMEM);
	v->conditions = list;
	TRY(map_put(&v->slots, (const char *)key.data, v));
	list[v->n_conditions++] = (struct condition){c->by, (const char *)MOVE(key.data) + 1};
	return 0;
}

static int add_conditions(struct visibility *v, const struct condition *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TRY(add_condition(v, &list[i]));
	return 0;
}

/* *ret_first: where the new ones begin; 0: all are. */
static int learn_conditions(struct visibility *v, size_t *ret_first)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct condition *list;
	size_t n;

	TRY(arena_new(&a, SIZE_MAX));
	TRY(policy_conditions(v->egress->trust->policy, a, &list, &n));
	*ret_first = v->n_conditions;
	TRY(add_conditions(v, list, n));
	if (v->n_conditions > 2 * n + SLOTS_SPARE) {
		forget_conditions(v);
		*ret_first = 0;
		TRY(add_conditions(v, list, n));
	}
	if (*ret_first == v->n_conditions && v->index)
		return 0;
	condition_index_free(MOVE(v->index));
	v->traits_round++;
	return condition_index_new(&v->index, v->conditions, v->n_conditions);
}

/* The conditions from `first` on are new: those that this twin meets, behind what its class says of the
 * others. False: none. */
static int meet_new(struct visibility *v, const struct condition_index *fresh, size_t first,
		    const struct subject *s, struct slots *slots)
{
	struct traits *t = s->traits;
	size_t n = 0;

	slots->n = first > 0 ? s->class->n_slots : 0;
	condition_index_find(fresh, BY_PATH, id_local(s->id), slots->list + slots->n, &n);
	for (size_t i = 0; i < n; i++)
		slots->list[slots->n + i] += (uint32_t)first;
	TRY(traits_look(v, t));
	for (size_t i = 0; i < t->n_slots; i++)
		if (t->slots[i] >= first)
			slots->list[slots->n + n++] = t->slots[i];
	if (n == 0 && first > 0)
		return 0;
	if (slots->n > 0)
		memcpy(slots->list, s->class->slots, slots->n * sizeof *slots->list);
	slots->n += n;
	slots_sort(slots);
	return 1;
}

/* The class that twins of one class go to, if they meet the same: many come one after the other. */
struct memo {
	const struct twin_class *from;
	struct twin_class *to;
};

static bool memo_fits(const struct memo *m, const struct subject *s, const struct slots *slots)
{
	return m->from == s->class && m->to->n_slots == slots->n &&
	       memcmp(m->to->slots, slots->list, slots->n * sizeof *slots->list) == 0;
}

struct reclassing {
	const struct condition_index *fresh;
	size_t first;
	struct slots slots;
	struct memo memo;
	struct moves *moves;
};

static int reclass(struct visibility *v, struct subject *s, struct reclassing *r)
{
	struct twin_class *to;

	const int met = meet_new(v, r->fresh, r->first, s, &r->slots);
	TRY(met);
	if (met == 0)
		return 0;
	if (!memo_fits(&r->memo, s, &r->slots)) {
		TRY(class_get(v, s->traits, &r->slots, &to));
		r->memo = (struct memo){s->class, to};
	}
	to = r->memo.to;
	if (to == s->class)
		return 0;
	TRY(push_move(r->moves, s));
	unlink_member(s);
	link_member(s, to);
	return 0;
}

static int reclass_all(struct visibility *v, size_t first, struct moves *moves)
{
	SCOPED(scope_condition_index) struct condition_index *fresh = NULL;
	struct reclassing r = {.first = first, .moves = moves};
	int result = 0;

	TRY(condition_index_new(&fresh, v->conditions + first, v->n_conditions - first));
	r.fresh = fresh;
	TRY(slots_new(v, &r.slots));
	for (struct subjects_block *b = v->blocks; b && result == 0; b = b->next)
		for (size_t at = 0; at < b->used && result == 0;) {
			struct subject *s = (struct subject *)(void *)(b->data + at);
			at += s->size;
			if (s->class)
				result = reclass(v, s, &r);
		}
	slots_fini(&r.slots);
	return result;
}

/* Decide anew about every class, and keep what was decided before where it differs. */
static int decide_classes(struct visibility *v)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->classes, &at));) {
		struct twin_class *c = e->value;
		struct outcome *o = NULL;
		if (c->n == 0)
			continue;
		TRY(decide_class(v, c, &o));
		if (!c->outcome) {
			c->outcome = o;
			continue;
		}
		if (same_outcome(c->outcome, o)) {
			free(o);
			continue;
		}
		free(c->before);
		c->before = c->outcome;
		c->outcome = o;
	}
	return 0;
}

static const struct outcome *outcome_before(const struct twin_class *c)
{
	const struct outcome *o = c->before ? c->before : c->outcome;

	return o ? o : &nobody;
}

static int tell_moved(struct visibility *v, const struct moves *m, class_fn *fn)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct outcome *before = outcome_before(m->list[i].from);
		if (!same_outcome(before, class_outcome(m->list[i].subject)))
			TRY(fn(v, m->list[i].subject, before));
	}
	return 0;
}

static int tell_members(struct visibility *v, class_fn *fn)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->classes, &at));) {
		const struct twin_class *c = e->value;
		for (struct subject *s = c->before ? c->first : NULL; s; s = s->next)
			TRY(fn(v, s, c->before));
	}
	return 0;
}

/* Classes without twins go; what was decided before is forgotten. */
static void settle(struct visibility *v)
{
	SCOPED(scope_free)
	struct twin_class **empty = malloc((v->classes.n + 1) * sizeof(struct twin_class *));
	size_t at = 0, n = 0;

	for (struct map_entry *e; (e = map_next(&v->classes, &at));) {
		struct twin_class *c = e->value;
		free(c->before);
		c->before = NULL;
		if (c->n == 0 && empty)
			empty[n++] = c;
	}
	for (size_t i = 0; i < n; i++)
		class_drop(v, empty[i]);
}

/* After a failure nobody knows which twins are behind what is decided of their classes. */
static int tell_all(struct visibility *v, class_fn *fn)
{
	for (struct subjects_block *b = v->blocks; b; b = b->next)
		for (size_t at = 0; at < b->used;) {
			struct subject *s = (struct subject *)(void *)(b->data + at);
			at += s->size;
			if (s->class)
				TRY(fn(v, s, &nobody));
		}
	return 0;
}

static int edit(struct visibility *v, bool whole, struct moves *moves, class_fn *fn)
{
	size_t first = 0;

	if (whole)
		forget_conditions(v);
	TRY(learn_conditions(v, &first));
	if (first < v->n_conditions || whole)
		TRY(reclass_all(v, first, moves));
	TRY(decide_classes(v));
	if (whole)
		return tell_all(v, fn);
	TRY(tell_moved(v, moves, fn));
	return tell_members(v, fn);
}

int classes_edit(struct visibility *v, bool whole, class_fn *fn)
{
	SCOPED(moves_fini) struct moves moves = {0};

	const int r = edit(v, whole, &moves, fn);
	settle(v);
	return r;
}

void classes_fini(struct visibility *v)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->classes, &at));)
		class_free(e->value);
	map_fini(&v->classes);
	at = 0;
	for (struct map_entry *e; (e = map_next(&v->traits, &at));)
		traits_free(e->value);
	map_fini(&v->traits);
	condition_index_free(v->index);
	forget_conditions(v);
}
