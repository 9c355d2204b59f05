/* SPDX-License-Identifier: Apache-2.0 */
#include "node/modbus_map.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "tests/lib/must.h"

static struct arena *arena;
static struct err_note note;
static struct modbus_map map;
static json_t *config;

static void set_up(void)
{
	must(arena_new(&arena, 1 << 20) == 0);
}

static void tear_down(void)
{
	arena_free(arena);
	arena = NULL;
	json_decref(config);
	config = NULL;
}

TestSuite(modbus_map, .init = set_up, .fini = tear_down);

/* Single quotes for double ones. */
static int read_map(const char *text)
{
	char *json = arena_copy(arena, text);

	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_decref(config);
	config = NULL;
	cr_assert(setting_parse("m", json, strlen(json), &config, &note) == 0, "%s", note.text);
	return modbus_map_read(arena, "m", config, &map, &note);
}

#define DEVICE "{'host': '127.0.0.1', 'registers': ["
#define AT(rest) "{'twin': 'acme/p', 'property': 'a', " rest "}"

static void refuses(const char *text, const char *want)
{
	note.text[0] = '\0';
	cr_expect(eq(int, read_map(text), ERR_REFUSED), "%s", text);
	cr_expect(strcmp(note.text, want) == 0, "is:        %s\nshould be: %s", note.text, want);
}

Test(modbus_map, registers_side_by_side_are_read_at_once)
{
	const char *text = DEVICE AT("'address': 12, 'type': 'float32'") "," AT("'address': 10, 'type': 'uint32'") ","
		AT("'address': 15") "," AT("'address': 3, 'table': 'coil'") "," AT("'address': 4, 'table': 'coil'") ","
		AT("'address': 14, 'every': '5s'") "," AT("'address': 10, 'device': 2") "]}";

	cr_assert(read_map(text) == 0, "%s", note.text);
	cr_assert(eq(sz, map.n_spans, 5));
	/* coils 3 and 4; 10..13 together; 15 apart for the gap; 14 for its interval; device 2 */
	static const struct modbus_span want[] = {{.device = 1, .address = 3, .n = 2},
						  {.device = 1, .address = 10, .n = 4},
						  {.device = 1, .address = 15, .n = 1},
						  {.device = 1, .address = 14, .n = 1},
						  {.device = 2, .address = 10, .n = 1}};
	for (size_t i = 0; i < 5; i++) {
		const struct modbus_span *s = &map.spans[i];
		cr_expect(s->device == want[i].device && s->address == want[i].address && s->n == want[i].n,
			  "%zu: device %d address %d n %u", i, (int)s->device, (int)s->address, s->n);
	}
	cr_expect(map.spans[3].every_ns == INT64_C(5000000000) && map.port == 502);
}

Test(modbus_map, no_span_is_longer_than_the_protocol_allows)
{
	json_t *list = json_array();

	for (int i = 0; i < 300; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:i}", "twin", "acme/p", "property", "a", "address", i));
	config = json_pack("{s:s, s:o}", "host", "h", "registers", list);
	cr_assert(modbus_map_read(arena, "m", config, &map, &note) == 0, "%s", note.text);
	cr_assert(eq(sz, map.n_spans, 3));
	for (size_t i = 0; i < 3; i++)
		cr_expect(le(u32, map.spans[i].n, MODBUS_SPAN_WORDS));
	cr_expect(map.spans[2].first == 240 && map.spans[2].count == 60);
}

Test(modbus_map, what_makes_no_sense_is_refused_by_its_key)
{
	refuses("{'registers': []}", "m: the key 'host' is missing");
	refuses(DEVICE AT("'address': 65535, 'type': 'int32'") "]}",
		"m: registers[0]: the value ends beyond address 65535");
	refuses(DEVICE AT("'address': 1, 'scale': 0") "]}", "m: registers[0]: scale must not be 0");
	refuses(DEVICE AT("'address': 1, 'table': 'input', 'write': true") "]}",
		"m: registers[0]: input cannot be written: only holding and coil");
	refuses(DEVICE AT("'address': 1, 'states': [1]") "]}",
		"m: registers[0].states[0]: it must be a text");
	refuses(DEVICE AT("'address': 1") "], 'commands': [{'twin': 'acme/p', 'operation': 'go', 'address': 2}]}",
		"m: commands[0]: give either value or argument");
	cr_expect(eq(int, read_map(DEVICE AT("'address': 1, 'unit': 'furlongs per'") "]}"), ERR_REFUSED));
	cr_expect(eq(int, read_map(DEVICE AT("'address': 1, 'colour': 1") "]}"), ERR_REFUSED));
	cr_expect(eq(int, read_map(DEVICE AT("'address': 70000") "]}"), ERR_REFUSED));
}

struct number {
	int form;
	double value;
	uint16_t words[4]; /* the high one first */
};

Test(modbus_map, numbers_come_back_as_they_went)
{
	static const struct number numbers[] = {
		{MODBUS_UINT16, 65535, {0xffff}},
		{MODBUS_INT16, -2, {0xfffe}},
		{MODBUS_UINT32, 4294967295.0, {0xffff, 0xffff}},
		{MODBUS_UINT32, 65536, {1, 0}},
		{MODBUS_INT32, -65537, {0xfffe, 0xffff}},
		{MODBUS_INT64, -4294967296.0, {0xffff, 0xffff, 0, 0}},
		{MODBUS_FLOAT32, 1.5, {0x3fc0, 0}},
		{MODBUS_FLOAT64, -0.1, {0xbfb9, 0x9999, 0x9999, 0x999a}},
	};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		for (int order = 0; order < 2; order++) {
			const struct number *n = &numbers[i];
			const struct modbus_place p = {
				.table = MODBUS_HOLDING, .form = n->form, .order = order, .scale = 1};
			const uint32_t size = modbus_size(&p);
			uint16_t words[MODBUS_WORDS_MAX] = {0};
			double back = 0;
			cr_assert(modbus_encode(&p, n->value, words, &note) == 0, "%zu: %s", i, note.text);
			for (uint32_t k = 0; k < size; k++)
				cr_expect(words[order == 0 ? k : size - 1 - k] == n->words[k],
					  "%zu word %u: %x", i, k, words[k]);
			const struct value v = modbus_decode(&p, words);
			cr_expect(value_number(&v, &back) && back == n->value, "%zu: %g", i, back);
		}
}

Test(modbus_map, what_does_not_fit_is_not_written)
{
	static const struct number numbers[] = {
		{MODBUS_UINT16, -1, {0}},        {MODBUS_UINT16, 65535.5, {0}},
		{MODBUS_INT16, 32768, {0}},      {MODBUS_INT32, -2147483649.0, {0}},
		{MODBUS_INT64, 0x1p63, {0}},     {MODBUS_FLOAT32, 1e39, {0}},
		{MODBUS_FLOAT64, INFINITY, {0}}, {MODBUS_UINT32, NAN, {0}},
	};
	uint16_t words[MODBUS_WORDS_MAX];

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		const struct modbus_place p = {.table = MODBUS_HOLDING, .form = numbers[i].form, .scale = 1};
		cr_expect(eq(int, modbus_encode(&p, numbers[i].value, words, &note), ERR_REFUSED), "%zu", i);
	}
	const struct modbus_place coil = {.table = MODBUS_COIL, .scale = 1};
	cr_expect(eq(int, modbus_encode(&coil, 2, words, &note), ERR_REFUSED));
}

Test(modbus_map, scaled_numbers_are_rounded_and_no_number_is_no_value)
{
	const struct modbus_place p = {
		.table = MODBUS_HOLDING, .form = MODBUS_INT16, .scale = 0.1, .offset = -40};
	const struct modbus_place f = {.table = MODBUS_INPUT, .form = MODBUS_FLOAT32, .scale = 1};
	uint16_t words[MODBUS_WORDS_MAX] = {0};

	cr_assert(modbus_encode(&p, 21.44, words, &note) == 0);
	cr_expect(eq(int, words[0], 614));
	const struct value v = modbus_decode(&p, words);
	cr_expect(v.type == VALUE_DOUBLE && fabs(v.real - 21.4) < 1e-9);
	words[0] = 0x7fc0;
	words[1] = 0;
	cr_expect(modbus_decode(&f, words).type == VALUE_NONE);
}
