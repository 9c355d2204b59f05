/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_packed to begin with: frames with and without each column. */
#include "proto/packed.h"
#include "tests/fuzz/seed.h"

static const struct sample plain[] = {
	{.t_ns = 1300000000000000000, .value = {.type = VALUE_DOUBLE, .real = 20.5}, .sigma = NAN},
	{.t_ns = 1300000001000000000, .value = {.type = VALUE_INT64, .integer = -3}, .sigma = NAN},
	{.t_ns = 1300000001000000000, .value = {.type = VALUE_BOOL, .boolean = true}, .sigma = NAN},
};
static const struct sample texts[] = {
	{.t_ns = 1, .value = {.type = VALUE_TEXT, .text = "Presse \xc3\xbc 7"}, .sigma = NAN},
	{.t_ns = 2, .value = {.type = VALUE_ENUM, .text = "on"}, .sigma = NAN},
	{.t_ns = 3, .value = {.type = VALUE_POSITION, .position = {52.5, 13.4, 34}}, .sigma = NAN},
};
static const struct sample rare[] = {
	{.t_ns = -1,
	 .value = {.type = VALUE_DOUBLE, .real = INFINITY},
	 .quality = QUALITY_BAD,
	 .sigma = 0.5,
	 .source = "adapter-1"},
	{.t_ns = INT64_MAX, .value = {.type = VALUE_NONE}, .sigma = NAN, .source = "adapter-1"},
};
static const struct seed {
	const char *name;
	const struct sample *samples;
	size_t n;
} seeds[] = {{"empty", plain, 0}, {"plain", plain, 3}, {"texts", texts, 3}, {"rare", rare, 2}};

static int make(const struct seed *seed, struct buf *out)
{
	SCOPED(packed_writer_fini) struct packed_writer w = {0};

	for (size_t i = 0; i < seed->n; i++)
		TRY(packed_put(&w, (uint32_t)i + 1, &seed->samples[i]));
	return packed_finish(&w, &(struct packed_id){0x1122334455667788, 7, 0x99aabbccddeeff00}, out);
}

int seed_all(const char *directory)
{
	for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		TRY(make(&seeds[i], &b));
		TRY(seed_save(directory, seeds[i].name, &b));
	}
	return 0;
}
