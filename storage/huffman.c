/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/huffman.h"

#include <stdlib.h>

#include "storage/record.h"

enum { SYMBOLS = 256, LENGTH_MAX = 11, TABLE = 1 << LENGTH_MAX, STREAMS = 4 };

static uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* ---- Codes ------------------------------------------------------------------------------------------------
 */

struct node {
	uint32_t count;
	uint16_t symbol; /* leaves */
	uint16_t parent; /* once joined */
};

static int by_count(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return (x->symbol > y->symbol) - (x->symbol < y->symbol);
}

/* The rarer of the next leaf and the next joined node. */
static size_t take_rarest(const struct node *nodes, size_t *leaf, size_t n_leaves, size_t *joined, size_t n)
{
	if (*joined >= n || (*leaf < n_leaves && nodes[*leaf].count <= nodes[*joined].count))
		return (*leaf)++;
	return (*joined)++;
}

/* Lengths of the leaves, rarest first; n at least 2. */
static void tree_lengths(struct node *nodes, size_t n_leaves, uint8_t *length)
{
	uint8_t depth[2 * SYMBOLS];
	size_t leaf = 0, joined = n_leaves, n = n_leaves;

	while (n < 2 * n_leaves - 1) {
		const size_t a = take_rarest(nodes, &leaf, n_leaves, &joined, n);
		const size_t b = take_rarest(nodes, &leaf, n_leaves, &joined, n);
		nodes[n] = (struct node){.count = nodes[a].count + nodes[b].count};
		nodes[a].parent = nodes[b].parent = (uint16_t)n++;
	}
	depth[n - 1] = 0;
	for (size_t i = n - 1; i-- > 0;) {
		depth[i] = (uint8_t)(depth[nodes[i].parent] + 1);
		if (i < n_leaves)
			length[i] = depth[i];
	}
}

/* Few bytes are decoded sooner than a table of 2^11 is filled. */
static uint8_t longest_of(size_t n_bytes)
{
	return n_bytes < 4096 ? LENGTH_MAX - 2 : LENGTH_MAX;
}

/* Cut to `most`, then make the rarest that are shorter longer until the codes fit. */
static void limit_lengths(uint8_t *length, size_t n, uint8_t most)
{
	const uint32_t whole = 1U << most;
	uint32_t used = 0;

	for (size_t i = 0; i < n; i++) {
		length[i] = length[i] > most ? most : length[i];
		used += whole >> length[i];
	}
	for (size_t i = 0; used > whole; i = i + 1 < n ? i + 1 : 0)
		if (length[i] < most)
			used -= whole >> ++length[i];
	for (size_t i = n; i-- > 0;) /* room that is left goes to the most frequent */
		while (length[i] > 1 && used + (whole >> length[i]) <= whole)
			used += whole >> length[i]--;
}

static void choose_lengths(const uint32_t count[SYMBOLS], uint8_t most, uint8_t ret[SYMBOLS])
{
	struct node nodes[2 * SYMBOLS];
	uint8_t length[SYMBOLS] = {1};
	size_t n = 0;

	memset(ret, 0, SYMBOLS);
	for (size_t s = 0; s < SYMBOLS; s++)
		if (count[s] > 0)
			nodes[n++] = (struct node){.count = count[s], .symbol = (uint16_t)s};
	qsort(nodes, n, sizeof *nodes, by_count);
	if (n > 1) {
		tree_lengths(nodes, n, length);
		limit_lengths(length, n, most);
	}
	for (size_t i = 0; i < n; i++)
		ret[nodes[i].symbol] = length[i];
}

/* The last `length` of 16 bits, the other way round. */
static uint16_t reversed(unsigned code, unsigned length)
{
	code = (code & 0x5555U) << 1 | (code >> 1 & 0x5555U);
	code = (code & 0x3333U) << 2 | (code >> 2 & 0x3333U);
	code = (code & 0x0f0fU) << 4 | (code >> 4 & 0x0f0fU);
	code = (code & 0x00ffU) << 8 | (code >> 8 & 0x00ffU);
	return (uint16_t)(code >> (16 - length));
}

/* The code of each symbol, its first bit lowest. False: the lengths leave room or need more than there is
 * (one single symbol may). */
static bool make_codes(const uint8_t length[SYMBOLS], uint16_t ret[SYMBOLS])
{
	unsigned next[LENGTH_MAX + 2] = {0}, of_length[LENGTH_MAX + 1] = {0}, used = 0;

	for (size_t s = 0; s < SYMBOLS; s++)
		of_length[length[s]]++;
	for (unsigned l = 1; l <= LENGTH_MAX; l++) {
		used += of_length[l] << (LENGTH_MAX - l);
		next[l + 1] = (next[l] + of_length[l]) << 1;
	}
	if (used != TABLE && (of_length[0] != SYMBOLS - 1 || of_length[1] != 1))
		return false;
	for (size_t s = 0; s < SYMBOLS; s++)
		ret[s] = length[s] > 0 ? reversed(next[length[s]]++, length[s]) : 0;
	return true;
}

/* ---- Bits -------------------------------------------------------------------------------------------------
 */

struct bit_writer {
	uint8_t *at;
	uint64_t bits;
	unsigned n;
};

/* There is room for 8 bytes more than come to be written; length at most 32. */
static void put_bits(struct bit_writer *w, uint64_t bits, unsigned length)
{
	w->bits |= bits << w->n;
	w->n += length;
	while (w->n >= 8) {
		*w->at++ = (uint8_t)w->bits;
		w->bits >>= 8;
		w->n -= 8;
	}
}

static void end_bits(struct bit_writer *w)
{
	if (w->n > 0)
		*w->at++ = (uint8_t)w->bits;
	w->bits = 0;
	w->n = 0;
}

/* Behind the end there are zeros; `over` counts the bytes of them. */
struct bit_reader {
	const uint8_t *at, *end;
	uint64_t bits;
	unsigned n, over;
};

static void fill_bits(struct bit_reader *r)
{
	for (; r->n <= 56; r->n += 8) {
		if (r->at < r->end)
			r->bits |= (uint64_t)*r->at++ << r->n;
		else
			r->over++;
	}
}

static unsigned take_bits(struct bit_reader *r, unsigned length)
{
	fill_bits(r);
	const unsigned v = (unsigned)(r->bits & ((1U << length) - 1));
	r->bits >>= length;
	r->n -= length;
	return v;
}

/* Were no more bits taken than there were, and all bytes begun? */
static bool bits_ended(const struct bit_reader *r)
{
	return r->at == r->end && r->n >= 8 * r->over && r->n - 8 * r->over < 8;
}

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

static void put_length(struct bit_writer *w, unsigned length, unsigned before)
{
	if (length == before)
		put_bits(w, 0, 1);
	else if (length == before + 1)
		put_bits(w, 1, 2);
	else if (length + 1 == before)
		put_bits(w, 3, 3);
	else
		put_bits(w, 7 | length << 3, 7);
}

static unsigned largest(const uint8_t length[SYMBOLS])
{
	unsigned s = SYMBOLS - 1;

	while (s > 0 && length[s] == 0)
		s--;
	return s;
}

static void put_lengths(const uint8_t length[SYMBOLS], struct buf *out)
{
	uint8_t bytes[SYMBOLS + 8];
	struct bit_writer w = {.at = bytes};
	const unsigned last = largest(length);
	unsigned before = LENGTH_MAX;

	for (unsigned s = 0; s <= last; s++) {
		put_length(&w, length[s], before);
		before = length[s];
	}
	end_bits(&w);
	buf_put_u8(out, (uint8_t)last);
	buf_put(out, (struct bytes){bytes, (size_t)(w.at - bytes)});
}

static struct bytes stream_of(struct bytes in, size_t k)
{
	const size_t each = (in.len + STREAMS - 1) / STREAMS;
	const size_t from = k * each < in.len ? k * each : in.len;

	return (struct bytes){in.data + from, in.len - from < each ? in.len - from : each};
}

static size_t put_stream(struct bytes in, const uint8_t *length, const uint16_t *code, uint8_t *to)
{
	struct bit_writer w = {.at = to};

	for (size_t i = 0; i < in.len; i++)
		put_bits(&w, code[in.data[i]], length[in.data[i]]);
	end_bits(&w);
	return (size_t)(w.at - to);
}

void huffman_encode(struct bytes in, struct buf *out)
{
	uint32_t count[SYMBOLS] = {0};
	uint8_t length[SYMBOLS];
	uint16_t code[SYMBOLS];
	SCOPED(buf_fini) struct buf streams = {0};

	for (size_t i = 0; i < in.len; i++)
		count[in.data[i]]++;
	choose_lengths(count, longest_of(in.len), length);
	make_codes(length, code);
	put_lengths(length, out);
	const size_t most = in.len * LENGTH_MAX / 8 + 8 * STREAMS;
	uint8_t *p = buf_extend(&streams, most);
	if (!p) {
		out->failed = true;
		return;
	}
	uint8_t *at = p;
	for (size_t k = 0; k < STREAMS; k++) {
		const size_t len = put_stream(stream_of(in, k), length, code, at);
		if (k + 1 < STREAMS)
			record_put_varint(out, len);
		at += len;
	}
	buf_put(out, (struct bytes){p, (size_t)(at - p)});
}

/* ---- Decoding ---------------------------------------------------------------------------------------------
 */

/* What the next bits, as many as the longest code has, begin with: length of the code, symbol << 8. */
struct table {
	uint16_t entry[TABLE];
	unsigned mask;
};

static int make_table(const uint8_t length[SYMBOLS], struct table *table)
{
	uint16_t code[SYMBOLS];
	unsigned longest = 0;

	if (!make_codes(length, code))
		return FAIL(ERR_CORRUPT);
	for (unsigned s = 0; s < SYMBOLS; s++)
		longest = length[s] > longest ? length[s] : longest;
	table->mask = (1U << longest) - 1;
	memset(table->entry, 0, (table->mask + 1) * sizeof *table->entry);
	for (unsigned s = 0; s < SYMBOLS; s++)
		for (unsigned i = code[s]; length[s] > 0 && i <= table->mask; i += 1U << length[s])
			table->entry[i] = (uint16_t)(length[s] | s << 8);
	return 0;
}

static int read_lengths(struct record_reader *in, uint8_t length[SYMBOLS])
{
	const unsigned last = record_u8(in);
	struct bit_reader r = {.at = in->at, .end = in->end};
	unsigned before = LENGTH_MAX;

	memset(length, 0, SYMBOLS);
	for (unsigned s = 0; s <= last; s++) {
		if (take_bits(&r, 1)) {
			if (!take_bits(&r, 1))
				before++;
			else if (!take_bits(&r, 1))
				before--;
			else
				before = take_bits(&r, 4);
		}
		if (before > LENGTH_MAX)
			return FAIL(ERR_CORRUPT);
		length[s] = (uint8_t)before;
	}
	if (in->failed || r.n < 8 * r.over)
		return FAIL(ERR_CORRUPT);
	in->at = r.at - (r.n - 8 * r.over) / 8; /* whole bytes were fetched that are not of the lengths */
	return 0;
}

static inline void take_symbol(struct bit_reader *r, const struct table *table, uint8_t *ret)
{
	const unsigned entry = table->entry[r->bits & table->mask], length = entry & 63;

	*ret = (uint8_t)(entry >> 8);
	r->bits >>= length;
	r->n -= length;
}

/* Five symbols of each stream per turn, which 56 bits are enough for, while 8 bytes can be loaded. Returns
 * how many were decoded of each. */
static size_t decode_side_by_side(struct bit_reader *stream, const struct table *table, size_t n, size_t each,
				  uint8_t *ret)
{
	enum { AT_ONCE = 5 };
	struct bit_reader s[STREAMS];
	size_t i = 0;

	memcpy(s, stream, sizeof s);
	for (; i + AT_ONCE <= n; i += AT_ONCE) {
		for (size_t k = 0; k < STREAMS; k++)
			if (s[k].end - s[k].at < 8)
				n = 0;
		if (n == 0)
			break;
		for (size_t k = 0; k < STREAMS; k++) {
			s[k].bits |= load(s[k].at) << s[k].n;
			s[k].at += (63 - s[k].n) / 8;
			s[k].n |= 56;
		}
		for (size_t j = 0; j < AT_ONCE; j++)
			for (size_t k = 0; k < STREAMS; k++)
				take_symbol(&s[k], table, ret + k * each + i + j);
	}
	memcpy(stream, s, sizeof s);
	return i;
}

static int decode_rest(struct bit_reader *r, const struct table *table, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fill_bits(r);
		take_symbol(r, table, ret + i);
	}
	return bits_ended(r) ? 0 : FAIL(ERR_CORRUPT);
}

int huffman_decode(struct bytes in, size_t n, uint8_t *ret)
{
	struct record_reader r = record_reader(in);
	uint8_t length[SYMBOLS];
	struct table table;
	struct bit_reader stream[STREAMS] = {0};
	size_t len[STREAMS];

	TRY(read_lengths(&r, length));
	TRY(make_table(length, &table));
	for (size_t k = 0; k + 1 < STREAMS; k++)
		len[k] = record_varint(&r);
	for (size_t k = 0; k < STREAMS; k++) {
		const struct bytes b = k + 1 < STREAMS ? record_bytes(&r, len[k]) : record_rest(&r);
		if (r.failed)
			return FAIL(ERR_CORRUPT);
		stream[k] = (struct bit_reader){.at = b.data, .end = b.data + b.len};
	}
	const size_t shortest = stream_of((struct bytes){ret, n}, STREAMS - 1).len;
	const size_t each = stream_of((struct bytes){ret, n}, 0).len;
	const size_t done = decode_side_by_side(stream, &table, shortest, each, ret);
	for (size_t k = 0; k < STREAMS; k++) {
		const size_t all = stream_of((struct bytes){ret, n}, k).len;
		TRY(decode_rest(&stream[k], &table, ret + k * each + done, all - done));
	}
	return 0;
}
