/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/chunk_integer.h"

#include <assert.h>

#include "storage/bits.h"
#include "storage/huffman.h"

enum predictor { LEVEL, STEP, BEND, XOR, N_PREDICTORS };
enum packing { BLOCKS, CODED, N_PACKINGS };
enum { ESCAPE = 255, SYMBOLS = 256, CODED_MIN = 32 /* samples */, SHIFT_MAX = 56 };

static const char *const names[N_PACKINGS][N_PREDICTORS] = {
	{"level", "step", "bend", "xor"},
	{"level+huffman", "step+huffman", "bend+huffman", "xor+huffman"},
};

const char *integers_encoding_text(uint8_t form)
{
	const unsigned predictor = form & 15, packing = form >> 4;

	return predictor < N_PREDICTORS && packing < N_PACKINGS ? names[packing][predictor] : "?";
}

/* ---- Predictors -------------------------------------------------------------------------------------------
 */

/* What a predictor leaves of an array, and what it began with. */
struct model {
	enum predictor predictor;
	uint64_t base, centre;
};

static uint64_t least(const uint64_t *v, size_t n)
{
	int64_t least = (int64_t)v[0];

	for (size_t i = 1; i < n; i++)
		least = (int64_t)v[i] < least ? (int64_t)v[i] : least;
	return (uint64_t)least;
}

/* Into n sorted ones. */
static void insert(int64_t *sorted, size_t n, int64_t v)
{
	for (; n > 0 && sorted[n - 1] > v; n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = v;
}

/* The median of some steps: regular times have it in common. */
static uint64_t typical_step(const uint64_t *v, size_t n)
{
	enum { LOOK_AT = 15 };
	int64_t steps[LOOK_AT];
	const size_t every = n > LOOK_AT ? (n - 1) / LOOK_AT : 1;
	size_t k = 0;

	for (size_t i = 1; i < n && k < LOOK_AT; i += every)
		insert(steps, k++, (int64_t)(v[i] - v[i - 1]));
	return k > 0 ? (uint64_t)steps[k / 2] : 0;
}

static uint64_t common_zeros(const uint64_t *v, size_t n)
{
	uint64_t any = 0;

	for (size_t i = 1; i < n; i++)
		any |= v[i] ^ v[i - 1];
	return any ? (uint64_t)__builtin_ctzll(any) : 0;
}

static struct model make_model(enum predictor p, const uint64_t *v, size_t n)
{
	struct model m = {.predictor = p};

	switch (p) {
	case LEVEL: m.base = least(v, n); break;
	case STEP:
		m.centre = typical_step(v, n);
		m.base = v[0] - m.centre;
		break;
	case BEND:
		m.centre = n > 1 ? v[1] - v[0] : 0;
		m.base = v[0] - m.centre;
		break;
	case XOR:
		m.centre = common_zeros(v, n);
		m.base = v[0];
		break;
	case N_PREDICTORS: break;
	}
	return m;
}

static void predict(const struct model *m, const uint64_t *v, size_t n, uint64_t *r)
{
	uint64_t last = m->base;

	r[0] = 0;
	if (m->predictor == LEVEL) {
		for (size_t i = 0; i < n; i++)
			r[i] = v[i] - last;
	} else if (m->predictor == STEP) {
		for (size_t i = 1; i < n; i++)
			r[i] = zigzag(v[i] - v[i - 1] - m->centre);
	} else if (m->predictor == BEND) {
		last = m->centre;
		for (size_t i = 1; i < n; i++) {
			r[i] = zigzag(v[i] - v[i - 1] - last);
			last = v[i] - v[i - 1];
		}
	} else {
		for (size_t i = 1; i < n; i++)
			r[i] = (v[i] ^ v[i - 1]) >> m->centre;
	}
}

/* The other way, in place; goes on where the block before ended. */
static void restore(struct integer_reader *s, uint64_t *v, size_t n)
{
	uint64_t last = s->last, centre = s->centre;

	if (s->predictor == LEVEL) {
		for (size_t i = 0; i < n; i++)
			v[i] += last;
		return;
	}
	if (s->predictor == STEP) {
		for (size_t i = 0; i < n; i++)
			v[i] = unzigzag(v[i]) + centre;
		for (size_t i = 0; i < n; i++)
			v[i] = last += v[i];
	} else if (s->predictor == BEND) {
		for (size_t i = 0; i < n; i++) {
			centre += unzigzag(v[i]);
			v[i] = last += centre;
		}
	} else {
		for (size_t i = 0; i < n; i++)
			v[i] = last ^= v[i] << centre;
	}
	s->last = last;
	s->centre = centre;
}

/* ---- Packing in blocks ------------------------------------------------------------------------------------
 */

static unsigned block_width(const uint64_t *r, size_t n)
{
	uint64_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= r[i];
	return bits_width(any);
}

static size_t block_at(size_t i, size_t n)
{
	return n - i < INTEGER_BLOCK ? n - i : INTEGER_BLOCK;
}

/* The bits that any residual of a block has, by predictor: predict() for all of them at once. */
static void block_bits(const struct model models[N_PREDICTORS], const uint64_t *v, size_t i, size_t end,
		       uint64_t any[N_PREDICTORS])
{
	const uint64_t least = models[LEVEL].base, step = models[STEP].centre, shift = models[XOR].centre;
	uint64_t bits[N_PREDICTORS] = {i == 0 ? v[0] - least : 0};
	uint64_t before = i > 1 ? v[i - 1] - v[i - 2] : models[BEND].centre;

	for (size_t k = i > 0 ? i : 1; k < end; k++) {
		const uint64_t now = v[k] - v[k - 1];
		bits[LEVEL] |= v[k] - least;
		bits[STEP] |= zigzag(now - step);
		bits[BEND] |= zigzag(now - before);
		bits[XOR] |= v[k] ^ v[k - 1];
		before = now;
	}
	bits[XOR] >>= shift;
	memcpy(any, bits, sizeof bits);
}

/* What put_blocks() would need. */
static void blocks_costs(const struct model models[N_PREDICTORS], const uint64_t *v, size_t n,
			 size_t cost[N_PREDICTORS])
{
	uint64_t any[N_PREDICTORS];

	for (size_t i = 0; i < n; i += INTEGER_BLOCK) {
		const size_t m = block_at(i, n);
		block_bits(models, v, i, i + m, any);
		for (unsigned p = 0; p < N_PREDICTORS; p++)
			cost[p] += 1 + bits_bytes(m, bits_width(any[p]));
	}
}

static void put_blocks(const uint64_t *r, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i += INTEGER_BLOCK) {
		const unsigned width = block_width(r + i, block_at(i, n));

		buf_put_u8(out, (uint8_t)width);
		bits_pack(r + i, block_at(i, n), width, out);
	}
}

static int next_block(struct integer_reader *s, size_t n, uint64_t *ret)
{
	const unsigned width = s->at < s->end ? *s->at : UINT8_MAX;

	if (width > 64 || bits_bytes(n, width) > (size_t)(s->end - s->at) - 1)
		return FAIL(ERR_CORRUPT);
	s->at++;
	bits_unpack((struct bytes){s->at, (size_t)(s->end - s->at)}, n, width, ret);
	s->at += bits_bytes(n, width);
	return s->place + n < s->n || s->at == s->end ? 0 : FAIL(ERR_CORRUPT);
}

/* ---- Packing with an entropy stage ------------------------------------------------------------------------
 */

static bool is_escape(uint64_t r, unsigned shift)
{
	return r >> shift >= ESCAPE;
}

/* The least shift that leaves few residuals with more than a byte above it. */
static unsigned least_shift(const uint64_t *r, size_t n)
{
	size_t of_width[65] = {0};
	size_t above = 0;
	unsigned width = 64;

	for (size_t i = 0; i < n; i++)
		of_width[bits_width(r[i])]++;
	for (; width > 8 && above + of_width[width] <= n / 128; width--)
		above += of_width[width];
	return width > 8 ? width - 8 : 0;
}

/* log2(n) of n > 0, within a hundredth: a parabola between the powers of two. */
static double nearly_log2(uint32_t n)
{
	const int whole = 31 - __builtin_clz(n);
	const double m = (double)n / (double)(1U << whole);

	return whole + (2 - m / 3) * m - 5.0 / 3;
}

/* The bytes that put_coded() would need, nearly. */
static size_t coded_cost(const uint64_t *r, size_t n, unsigned shift)
{
	enum { OF_ESCAPE = 10, OF_HEAD = 10 };
	const double of_rarest = nearly_log2((uint32_t)n);
	uint32_t count[SYMBOLS] = {0};
	double bits = (double)n * shift;

	for (size_t i = 0; i < n; i++)
		count[is_escape(r[i], shift) ? ESCAPE : r[i] >> shift]++;
	for (size_t i = 0; i < SYMBOLS; i++) {
		if (count[i] == 0)
			continue;
		const double each = of_rarest - nearly_log2(count[i]);
		bits += 2 + (double)count[i] * (each > 1 ? each : 1);
	}
	return (size_t)(bits / 8) + (size_t)OF_ESCAPE * count[ESCAPE] + OF_HEAD;
}

/* Fewer symbols cost less to tell, more say more: it depends on how many samples there are. */
static unsigned choose_shift(const uint64_t *r, size_t n, enum chunk_effort effort, size_t *ret_cost)
{
	const unsigned least = least_shift(r, n), end = least + (effort == CHUNK_SMALL ? 4 : 1);
	unsigned best = least;

	*ret_cost = SIZE_MAX;
	for (unsigned shift = least; shift < end && shift <= SHIFT_MAX; shift++) {
		const size_t cost = coded_cost(r, n, shift);
		if (cost < *ret_cost)
			best = shift;
		*ret_cost = cost < *ret_cost ? cost : *ret_cost;
	}
	return best;
}

static void put_escapes(const uint64_t *r, size_t n, unsigned shift, struct buf *out)
{
	size_t count = 0, last = 0;

	for (size_t i = 0; i < n; i++)
		count += is_escape(r[i], shift);
	record_put_varint(out, count);
	for (size_t i = 0; i < n; i++) {
		if (!is_escape(r[i], shift))
			continue;
		record_put_varint(out, i - last);
		record_put_varint(out, r[i]);
		last = i;
	}
}

static void put_coded(const uint64_t *r, size_t n, unsigned shift, struct buf *out)
{
	uint8_t high[CHUNK_SAMPLES_MAX];
	uint8_t last = 0;

	buf_put_u8(out, (uint8_t)shift);
	bits_pack(r, n, shift, out);
	put_escapes(r, n, shift, out);
	for (size_t i = 0; i < n; i++) /* what stands in the place of an escape adds no symbol */
		last = high[i] = is_escape(r[i], shift) ? last : (uint8_t)(r[i] >> shift);
	huffman_encode((struct bytes){high, n}, out);
}

static int begin_coded(struct integer_reader *s)
{
	struct record_reader r = record_reader((struct bytes){s->at, (size_t)(s->end - s->at)});

	s->shift = record_u8(&r);
	if (s->shift > SHIFT_MAX)
		return FAIL(ERR_CORRUPT);
	s->low = record_bytes(&r, bits_bytes(s->n, s->shift));
	s->n_escapes = record_varint(&r);
	if (r.failed || s->n_escapes > s->n)
		return FAIL(ERR_CORRUPT);
	s->escapes = r;
	for (size_t i = 0; i < 2 * s->n_escapes; i++)
		record_varint(&r);
	const struct bytes packed = record_rest(&r);
	if (r.failed)
		return FAIL(ERR_CORRUPT);
	TRY(huffman_decode(packed, s->n, s->high));
	s->next_escape = record_varint(&s->escapes);
	return 0;
}

static void next_coded(struct integer_reader *s, size_t n, uint64_t *ret)
{
	const size_t skip = bits_bytes(s->place, s->shift); /* whole blocks are whole bytes */
	const uint8_t *high = s->high + s->place;
	const unsigned shift = s->shift;

	bits_unpack((struct bytes){s->low.data + skip, s->low.len - skip}, n, shift, ret);
	for (size_t i = 0; i < n; i++)
		ret[i] |= (uint64_t)high[i] << shift;
	while (s->n_escapes > 0 && s->next_escape < s->place + n) {
		const uint64_t residual = record_varint(&s->escapes);
		if (s->next_escape >= s->place)
			ret[s->next_escape - s->place] = residual;
		s->next_escape += --s->n_escapes > 0 ? record_varint(&s->escapes) : 0;
	}
}

/* ---- Choice -----------------------------------------------------------------------------------------------
 */

static void put_form(const struct model *m, enum packing packing, struct buf *out)
{
	buf_put_u8(out, (uint8_t)(m->predictor | (unsigned)packing << 4));
	record_put_varint(out, zigzag(m->base));
	record_put_varint(out, zigzag(m->centre));
}

/* One way to write an array, and about how many bytes it takes. */
struct plan {
	struct model model;
	enum packing packing;
	unsigned shift;
	size_t cost;
};

static void keep_cheaper(struct plan *best, const struct plan *other)
{
	if (other->cost < best->cost)
		*best = *other;
}

/* May another predictor than the one that packs best be the one to code? Only one that packs nearly as well.
 */
static bool may_be_coded(size_t cost, size_t best, enum chunk_effort effort)
{
	return cost == best || (effort == CHUNK_SMALL && cost - best <= best / 4);
}

/* `r` is room for n residuals. */
static struct plan choose_plan(const uint64_t *v, size_t n, enum chunk_effort effort, uint64_t *r)
{
	struct plan plans[N_PREDICTORS], blocks = {.cost = SIZE_MAX}, coded = blocks;
	struct model models[N_PREDICTORS];
	size_t costs[N_PREDICTORS] = {0};

	for (unsigned p = 0; p < N_PREDICTORS; p++)
		models[p] = make_model((enum predictor)p, v, n);
	blocks_costs(models, v, n, costs);
	for (unsigned p = 0; p < N_PREDICTORS; p++) {
		plans[p] = (struct plan){.model = models[p], .packing = BLOCKS, .cost = costs[p]};
		keep_cheaper(&blocks, &plans[p]);
	}
	for (unsigned p = 0; p < N_PREDICTORS && n >= CODED_MIN; p++) {
		if (!may_be_coded(plans[p].cost, blocks.cost, effort))
			continue;
		predict(&plans[p].model, v, n, r);
		plans[p].packing = CODED;
		plans[p].shift = choose_shift(r, n, effort, &plans[p].cost);
		keep_cheaper(&coded, &plans[p]);
	}
	/* Blocks decode faster: what the other saves is to be worth it. */
	return coded.cost < blocks.cost - blocks.cost / 32 ? coded : blocks;
}

void integers_encode(const uint64_t *v, size_t n, enum chunk_effort effort, struct buf *out)
{
	assert(n > 0 && n <= CHUNK_SAMPLES_MAX);
	uint64_t r[CHUNK_SAMPLES_MAX];
	const struct plan plan = choose_plan(v, n, effort, r);

	predict(&plan.model, v, n, r);
	put_form(&plan.model, plan.packing, out);
	if (plan.packing == CODED)
		put_coded(r, n, plan.shift, out);
	else
		put_blocks(r, n, out);
}

/* ---- Reading ----------------------------------------------------------------------------------------------
 */

int integer_reader_begin(struct integer_reader *s, struct bytes in, size_t n)
{
	struct record_reader r = record_reader(in);
	const uint8_t form = record_u8(&r);

	assert(n <= CHUNK_SAMPLES_MAX);
	s->predictor = form & 15;
	s->packing = form >> 4;
	s->last = unzigzag(record_varint(&r));
	s->centre = unzigzag(record_varint(&r));
	s->place = 0;
	s->n = n;
	s->at = r.at;
	s->end = r.end;
	if (r.failed || s->predictor >= N_PREDICTORS || s->packing >= N_PACKINGS)
		return FAIL(ERR_CORRUPT);
	if (s->predictor == XOR && s->centre > 63)
		return FAIL(ERR_CORRUPT);
	return s->packing == CODED ? begin_coded(s) : 0;
}

int integer_reader_next(struct integer_reader *s, uint64_t *ret)
{
	const size_t n = block_at(s->place, s->n);

	if (s->packing == CODED)
		next_coded(s, n, ret);
	else
		TRY(next_block(s, n, ret));
	restore(s, ret, n);
	s->place += n;
	return 0;
}
