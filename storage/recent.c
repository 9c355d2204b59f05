/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/recent.h"

#include <assert.h>
#include <stdlib.h>

#include "storage/chunk.h"

enum {
	BLOCKS_MAX = UINT32_MAX / BLOCK_SLOTS - 1, /* so that numbers stay unique */
	NOTES_LOOKED_AT = 8,
	MORE_MAX = 256 * 1024, /* bytes of text in a chunk, and one text more */
	PREFETCH = 16,
};

static void block_free(struct slot_block *b)
{
	buf_fini(&b->more);
	buf_fini(&b->notes);
	free(b);
}

void recent_fini(struct recent *r)
{
	for (size_t i = 0; i < r->all.n; i++)
		block_free(r->all.blocks[i]);
	for (size_t i = 0; i < r->spare.n; i++)
		free(r->spare.blocks[i]);
	free(r->all.blocks);
	free(r->spare.blocks);
	free(r->frozen.blocks);
	*r = (struct recent){0};
}

/* ---- Adding -----------------------------------------------------------------------------------------------
 */

/* Room for n blocks in a list. */
static int make_room(struct slot_view *v, size_t *size, size_t n)
{
	const size_t more = n > 2 * *size ? n : 2 * *size;

	if (n <= *size)
		return 0;
	if (n > BLOCKS_MAX)
		return FAIL(-ENOMEM);
	struct slot_block **blocks = realloc(v->blocks, more * sizeof(struct slot_block *));
	if (!blocks)
		return FAIL(-ENOMEM);
	v->blocks = blocks;
	*size = more;
	return 0;
}

int recent_reserve(struct recent *r, size_t n)
{
	const size_t blocks = n / BLOCK_SLOTS + 2; /* freezing closes one, the first has a slot less */

	TRY(make_room(&r->all, &r->size, r->all.n + blocks));
	TRY(make_room(&r->spare, &r->spare_size, blocks));
	while (r->spare.n < blocks) {
		struct slot_block *b = malloc(sizeof *b);
		if (!b)
			return FAIL(-ENOMEM);
		r->spare.blocks[r->spare.n++] = b;
	}
	return 0;
}

size_t recent_bytes(const struct recent *r)
{
	return r->n * (sizeof(struct slot) + 2 * sizeof(uint64_t)); /* see history_write() */
}

static int begin_block(struct recent *r)
{
	TRY(make_room(&r->all, &r->size, r->all.n + 1));
	struct slot_block *b = r->spare.n > 0 ? r->spare.blocks[--r->spare.n] : malloc(sizeof *b);
	if (!b)
		return FAIL(-ENOMEM);
	b->first = r->next;
	b->n = 0;
	b->more = b->notes = (struct buf){0};
	if (b->first == 0)
		b->slots[b->n++] = (struct slot){0}; /* number 0 is nobody's */
	r->next += BLOCK_SLOTS;
	r->all.blocks[r->all.n++] = b;
	r->closed = false;
	return 0;
}

static bool is_full(const struct recent *r)
{
	return r->closed || r->all.n == 0 || r->all.blocks[r->all.n - 1]->n == BLOCK_SLOTS;
}

/* The block that the next slot goes into. */
static int open_block(struct recent *r, struct slot_block **ret)
{
	if (__builtin_expect(is_full(r), 0))
		TRY(begin_block(r));
	*ret = r->all.blocks[r->all.n - 1];
	return 0;
}

static void push(struct recent *r, struct slot_block *b, uint32_t series, uint32_t *chain, struct slot slot)
{
	slot.series = series;
	slot.before = *chain;
	*chain = b->first + b->n;
	b->slots[b->n++] = slot;
	r->n++;
}

static int put_more(struct slot_block *b, const void *data, size_t len, size_t *ret_place)
{
	const size_t place = b->more.len;

	if (place + len >= COLUMN_NONE)
		return FAIL(-ENOMEM);
	buf_put(&b->more, (struct bytes){data, len});
	if (b->more.failed) {
		b->more.failed = false;
		b->more.len = place;
		return FAIL(-ENOMEM);
	}
	*ret_place = place;
	return 0;
}

static const char *text_at(const struct slot_block *b, uint64_t place)
{
	return (const char *)b->more.data + place;
}

static struct slot_note note_at(const struct slot_block *b, size_t i)
{
	struct slot_note note;

	memcpy(&note, b->notes.data + i * sizeof note, sizeof note);
	return note;
}

static bool same_source(const struct slot_block *b, const struct slot_note *note, const char *source)
{
	if (note->source == COLUMN_NONE)
		return !source;
	return source && strcmp(text_at(b, note->source), source) == 0;
}

static bool same_sigma(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Most samples carry the note of one of those just before them. */
static int put_note(struct slot_block *b, double sigma, const char *source, uint32_t *ret)
{
	const size_t n = b->notes.len / sizeof(struct slot_note);
	struct slot_note note = {.sigma = sigma, .source = COLUMN_NONE};
	size_t place;

	for (size_t i = n; i > 0 && n - i < NOTES_LOOKED_AT; i--) {
		const struct slot_note old = note_at(b, i - 1);
		if (!same_source(b, &old, source))
			continue;
		note.source = old.source;
		if (same_sigma(old.sigma, sigma)) {
			*ret = (uint32_t)i;
			return 0;
		}
	}
	if (source && note.source == COLUMN_NONE) {
		TRY(put_more(b, source, strlen(source) + 1, &place));
		note.source = (uint32_t)place;
	}
	buf_put(&b->notes, (struct bytes){(const uint8_t *)&note, sizeof note});
	if (b->notes.failed) {
		b->notes.failed = false;
		return FAIL(-ENOMEM);
	}
	*ret = (uint32_t)n + 1;
	return 0;
}

int recent_add_number(struct recent *r, uint32_t series, uint32_t *chain, const struct slot *number,
		      const char *source)
{
	struct slot slot = *number;
	struct slot_block *b;

	TRY(open_block(r, &b));
	slot.note = 0;
	if (source && *source)
		TRY(put_note(b, (double)NAN, source, &slot.note));
	push(r, b, series, chain, slot);
	return 0;
}

static int put_value(struct slot_block *b, const struct value *v, uint64_t *ret)
{
	size_t place = 0;

	switch (v->type) {
	case VALUE_NONE: assert(false); break;
	case VALUE_BOOL:
	case VALUE_INT64:
	case VALUE_DOUBLE: *ret = value_bits(v); return 0;
	case VALUE_TEXT:
	case VALUE_ENUM: TRY(put_more(b, v->text, strlen(v->text) + 1, &place)); break;
	case VALUE_POSITION: TRY(put_more(b, &v->position, sizeof v->position, &place)); break;
	}
	*ret = place;
	return 0;
}

int recent_add(struct recent *r, uint32_t series, uint32_t *chain, const struct sample *s)
{
	struct slot slot = {
		.t_ns = s->t_ns,
		.type = (uint8_t)s->value.type,
		.quality = (uint8_t)s->quality,
	};
	struct slot_block *b;

	TRY(open_block(r, &b));
	if ((s->source && *s->source) || !isnan(s->sigma))
		TRY(put_note(b, s->sigma, s->source && *s->source ? s->source : NULL, &slot.note));
	TRY(put_value(b, &s->value, &slot.bits));
	push(r, b, series, chain, slot);
	return 0;
}

/* ---- Freezing ---------------------------------------------------------------------------------------------
 */

int recent_freeze(struct recent *r)
{
	struct slot_block **blocks = malloc((r->all.n + 1) * sizeof(struct slot_block *));

	if (!blocks)
		return FAIL(-ENOMEM);
	if (r->all.n > 0)
		memcpy(blocks, r->all.blocks, r->all.n * sizeof(struct slot_block *));
	free(r->frozen.blocks);
	r->frozen = (struct slot_view){blocks, r->all.n};
	r->closed = true;
	return 0;
}

static uint32_t block_samples(const struct slot_block *b)
{
	return b->n - (b->first == 0);
}

void recent_thaw(struct recent *r, bool drop)
{
	const size_t n = drop ? r->frozen.n : 0;

	for (size_t i = 0; i < n; i++) {
		r->n -= block_samples(r->all.blocks[i]);
		block_free(r->all.blocks[i]);
	}
	r->all.n -= n;
	if (r->all.n > 0)
		memmove(r->all.blocks, r->all.blocks + n, r->all.n * sizeof(struct slot_block *));
	free(r->frozen.blocks);
	r->frozen = (struct slot_view){0};
}

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

/* The slot with that number if it is there and of that series: 1 and its rank. */
static bool find(const struct recent *r, uint32_t series, uint32_t number, uint32_t *ret_rank)
{
	if (r->all.n == 0)
		return false;
	const uint32_t rank = number - r->all.blocks[0]->first;
	if (rank / BLOCK_SLOTS >= r->all.n || rank % BLOCK_SLOTS >= r->all.blocks[rank / BLOCK_SLOTS]->n)
		return false;
	*ret_rank = rank;
	return slot_view_at(&r->all, rank)->series == series;
}

/* The samples of a series, the one that came last first. */
struct chain_walk {
	const struct recent *r;
	uint32_t series, number, rank;
	bool begun;
};

static const struct slot *chain_next(struct chain_walk *w)
{
	uint32_t rank;

	if (!find(w->r, w->series, w->number, &rank) || (w->begun && rank >= w->rank))
		return NULL;
	w->begun = true;
	w->rank = rank;
	const struct slot *slot = slot_view_at(&w->r->all, rank);
	w->number = slot->before;
	return slot;
}

struct ref_list {
	struct slot_ref *refs;
	size_t n, size;
};

static int add_ref(struct ref_list *l, struct slot_ref ref)
{
	if (l->n == l->size) {
		const size_t size = l->size ? 2 * l->size : 64;
		struct slot_ref *refs = realloc(l->refs, size * sizeof *refs);
		if (!refs)
			return FAIL(-ENOMEM);
		l->refs = refs;
		l->size = size;
	}
	l->refs[l->n++] = ref;
	return 0;
}

static int collect(struct chain_walk w, int64_t from_ns, int64_t to_ns, struct ref_list *l)
{
	const struct slot *slot;

	while ((slot = chain_next(&w)))
		if (slot->t_ns >= from_ns && slot->t_ns <= to_ns)
			TRY(add_ref(l, (struct slot_ref){slot->t_ns, w.rank}));
	return 0;
}

static int by_time_then_arrival(const void *a, const void *b)
{
	const struct slot_ref *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

size_t slot_refs_sort(struct slot_ref *refs, size_t n)
{
	size_t kept = 0, i = 1;

	while (i < n && refs[i - 1].t_ns < refs[i].t_ns)
		i++;
	if (i >= n)
		return n;
	qsort(refs, n, sizeof *refs, by_time_then_arrival);
	for (i = 0; i < n; i++)
		if (i + 1 == n || refs[i + 1].t_ns != refs[i].t_ns)
			refs[kept++] = refs[i];
	return kept;
}

int recent_collect(const struct recent *r, uint32_t series, uint32_t chain, int64_t from_ns, int64_t to_ns,
		   struct slot_ref **ret, size_t *ret_n)
{
	struct ref_list l = {0};
	const int result =
		collect((struct chain_walk){.r = r, .series = series, .number = chain}, from_ns, to_ns, &l);

	if (result < 0) {
		free(l.refs);
		return result;
	}
	for (size_t i = 0; i < l.n / 2; i++) {
		const struct slot_ref ref = l.refs[i];
		l.refs[i] = l.refs[l.n - 1 - i];
		l.refs[l.n - 1 - i] = ref;
	}
	*ret_n = slot_refs_sort(l.refs, l.n);
	*ret = l.refs;
	return 0;
}

static void get_value(const struct slot_block *b, const struct slot *slot, struct value *ret)
{
	const enum value_type type = (enum value_type)slot->type;

	*ret = (struct value){.type = type};
	if (type == VALUE_TEXT || type == VALUE_ENUM)
		ret->text = text_at(b, slot->bits);
	else if (type == VALUE_POSITION)
		memcpy(&ret->position, b->more.data + slot->bits, sizeof ret->position);
	else
		*ret = value_of_bits(type, slot->bits);
}

struct sample slot_view_get(const struct slot_view *v, uint32_t rank)
{
	const struct slot_block *b = v->blocks[rank / BLOCK_SLOTS];
	const struct slot *slot = &b->slots[rank % BLOCK_SLOTS];
	struct sample s = {.t_ns = slot->t_ns, .quality = (enum quality)slot->quality, .sigma = (double)NAN};

	get_value(b, slot, &s.value);
	if (slot->note > 0) {
		const struct slot_note note = note_at(b, slot->note - 1);
		s.sigma = note.sigma;
		s.source = note.source != COLUMN_NONE ? text_at(b, note.source) : NULL;
	}
	return s;
}

int recent_at(const struct recent *r, uint32_t series, uint32_t chain, int64_t at_ns, struct sample *ret)
{
	struct chain_walk w = {.r = r, .series = series, .number = chain};
	const struct slot *slot, *best = NULL;
	uint32_t rank = 0;

	while ((slot = chain_next(&w))) {
		if (slot->t_ns > at_ns || (best && slot->t_ns <= best->t_ns))
			continue;
		best = slot;
		rank = w.rank;
	}
	if (!best)
		return 0;
	*ret = slot_view_get(&r->all, rank);
	return 1;
}

/* Nothing but good numbers: most series. */
static bool are_plain(const struct slot_view *v, const struct slot_ref *refs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct slot *slot = slot_view_at(v, refs[i].rank);
		if (i + PREFETCH < n)
			__builtin_prefetch(slot_view_at(v, refs[i + PREFETCH].rank));
		if (slot->note != 0 || slot->quality != QUALITY_GOOD ||
		    (slot->type != VALUE_DOUBLE && slot->type != VALUE_INT64 && slot->type != VALUE_BOOL))
			return false;
	}
	return true;
}

static void fill_plain(const struct slot_view *v, const struct slot_ref *refs, size_t n, struct column *c)
{
	c->type = (enum value_type)slot_view_at(v, refs[0].rank)->type;
	for (size_t i = 0; i < n; i++) {
		c->t_ns[i] = refs[i].t_ns;
		c->bits[i] = slot_view_at(v, refs[i].rank)->bits;
	}
	c->n = n;
}

int slot_view_fill(const struct slot_view *v, const struct slot_ref *refs, size_t n, struct column *c,
		   size_t *ret)
{
	const size_t most = n < CHUNK_SAMPLES_MAX ? n : CHUNK_SAMPLES_MAX;

	TRY(column_reserve(c, most));
	if (are_plain(v, refs, most)) {
		fill_plain(v, refs, most, c);
		*ret = most;
		return 0;
	}
	for (*ret = 0; *ret < most && c->more.len < MORE_MAX; (*ret)++) {
		const struct sample s = slot_view_get(v, refs[*ret].rank);
		TRY(column_add(c, &s));
	}
	return 0;
}
