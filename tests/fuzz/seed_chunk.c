/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_chunk to begin with: a chunk of each type, and numbers that call for each encoding.
 */
#include "storage/chunk.h"
#include "tests/fuzz/seed.h"

enum { N = 200 };
static const int64_t first_ns = 1300000000000000000;
static const char *const words[] = {"open", "closed", "half", NULL};

static struct value real(double v)
{
	return (struct value){.type = VALUE_DOUBLE, .real = v};
}

static struct value constant(int64_t i)
{
	return real((double)(i - i));
}

static struct value decimal(int64_t i)
{
	return real((double)(i * i % 53) / 10);
}

static struct value walk(int64_t i)
{
	return real((double)(1000 * i + i * i % 7) / 1000);
}

static struct value odd(int64_t i)
{
	return real(i % 50 == 3 ? (double)NAN : (double)(i % 11));
}

static struct value single(int64_t i)
{
	return real((double)((float)(i * 37 % 101) / 1000.0F));
}

static struct value irrational(int64_t i)
{
	return real(sqrt((double)i));
}

static struct value few(int64_t i)
{
	return real(sqrt((double)(i * i % 7)));
}

static struct value integer(int64_t i)
{
	return (struct value){.type = VALUE_INT64, .integer = i * i * i - 12345};
}

static struct value boolean(int64_t i)
{
	return (struct value){.type = VALUE_BOOL, .boolean = i % 13 < 5};
}

static struct value text(int64_t i)
{
	return (struct value){.type = VALUE_TEXT, .text = words[i * i % 3]};
}

static struct value position(int64_t i)
{
	return (struct value){.type = VALUE_POSITION,
			      .position = {50 + (double)i / 1000, 8.5, i % 2 ? (double)NAN : 112}};
}

static const struct seed {
	const char *name;
	struct value (*value)(int64_t i);
	bool is_rich; /* uneven times, qualities, uncertainties, sources */
} seeds[] = {
	{"constant", constant, false}, {"decimal", decimal, false},  {"walk", walk, false},
	{"odd", odd, false},           {"single", single, false},    {"irrational", irrational, false},
	{"few", few, false},           {"integer", integer, false},  {"boolean", boolean, false},
	{"text", text, true},          {"position", position, true}, {"rich", decimal, true},
};

static int make(const struct seed *seed, struct column *c)
{
	for (int64_t i = 0; i < N; i++) {
		const struct sample s = {
			.t_ns = first_ns + 1000000000 * i + (seed->is_rich ? i * i % 17 : 0),
			.value = seed->value(i),
			.quality = seed->is_rich && i % 9 == 2 ? QUALITY_BAD : QUALITY_GOOD,
			.sigma = seed->is_rich && i % 3 ? 0.5 : (double)NAN,
			.source = seed->is_rich ? words[i / 60 % 4] : NULL,
		};
		TRY(column_add(c, &s));
	}
	return 0;
}

int seed_all(const char *directory)
{
	for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
		SCOPED(column_fini) struct column c = {0};
		SCOPED(buf_fini) struct buf b = {0};
		TRY(make(&seeds[i], &c));
		chunk_encode(&c, 0, c.n, CHUNK_SMALL, &b);
		TRY(seed_save(directory, seeds[i].name, &b));
	}
	return 0;
}
