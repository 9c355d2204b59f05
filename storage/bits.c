/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bits.h"

/* A group of 8 numbers takes `width` bytes, so every group begins at a byte and the places of its numbers are
 * constants of the width: one loop per width, made by the macro below, without a branch. */

static inline uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline uint64_t mask_of(unsigned width)
{
	return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

/* Number i of a group; of more than 57 bits it may reach into a ninth byte. */
static inline uint64_t number_at(const uint8_t *group, unsigned i, unsigned width)
{
	const unsigned bit = i * width, shift = bit % 8;
	uint64_t v = load(group + bit / 8) >> shift;

	if (shift + width > 64)
		v |= (uint64_t)group[bit / 8 + 8] << (64 - shift);
	return v & mask_of(width);
}

typedef void unpack_fn(const uint8_t *in, size_t n_groups, uint64_t *ret);

#define UNPACK(width) \
	static void unpack_##width(const uint8_t *in, size_t n_groups, uint64_t *ret) \
	{ \
		for (; n_groups > 0; n_groups--, in += (width), ret += BITS_GROUP) { \
			ret[0] = number_at(in, 0, (width)); \
			ret[1] = number_at(in, 1, (width)); \
			ret[2] = number_at(in, 2, (width)); \
			ret[3] = number_at(in, 3, (width)); \
			ret[4] = number_at(in, 4, (width)); \
			ret[5] = number_at(in, 5, (width)); \
			ret[6] = number_at(in, 6, (width)); \
			ret[7] = number_at(in, 7, (width)); \
		} \
	}

/* clang-format off */
#define TENS(X) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) \
	X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32) X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) X(41) \
	X(42) X(43) X(44) X(45) X(46) X(47) X(48) X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56) X(57) X(58) \
	X(59) X(60) X(61) X(62) X(63) X(64)
#define WIDTHS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) TENS(X)
#define NAME(width) unpack_##width,
/* clang-format on */

WIDTHS(UNPACK)

static unpack_fn *const unpack[] = {WIDTHS(NAME)};

/* Groups behind each of which there are bytes enough for its last numbers to be loaded. */
enum { SLACK = 9 };
static size_t groups_inside(size_t len, size_t n_groups, unsigned width)
{
	const size_t safe = len > SLACK ? (len - SLACK) / width : 0;

	return safe < n_groups ? safe : n_groups;
}

void bits_unpack(struct bytes in, size_t n, unsigned width, uint64_t *ret)
{
	const size_t n_groups = (n + BITS_GROUP - 1) / BITS_GROUP;

	if (width == 0) {
		memset(ret, 0, n_groups * BITS_GROUP * sizeof *ret);
		return;
	}
	const size_t inside = groups_inside(in.len, n_groups, width);
	unpack[width](in.data, inside, ret);
	for (size_t g = inside; g < n_groups; g++) {
		uint8_t copy[64 + SLACK] = {0};
		const size_t rest = in.len - g * width;
		memcpy(copy, in.data + g * width, rest < width ? rest : width);
		unpack[width](copy, 1, ret + g * BITS_GROUP);
	}
}

static void store(uint8_t *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	memcpy(p, &v, sizeof v);
}

void bits_pack(const uint64_t *v, size_t n, unsigned width, struct buf *out)
{
	const size_t len = bits_bytes(n, width);
	uint8_t *p = len > 0 ? buf_extend(out, len) : NULL;
	uint64_t pending = 0;
	unsigned n_pending = 0;

	if (!p)
		return;
	const uint8_t *end = p + len;
	for (size_t i = 0; i < n; i++) {
		const uint64_t x = v[i] & mask_of(width);
		pending |= x << n_pending;
		n_pending += width;
		if (n_pending < 64)
			continue;
		store(p, pending);
		p += sizeof pending;
		n_pending -= 64;
		pending = n_pending > 0 ? x >> (width - n_pending) : 0;
	}
	for (; p < end; pending >>= 8)
		*p++ = (uint8_t)pending;
}
