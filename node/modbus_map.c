/* SPDX-License-Identifier: Apache-2.0 */
#include "node/modbus_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "proto/unit.h"

static const char *const tables[] = {"coil", "discrete", "input", "holding", NULL};
static const char *const forms[] = {"uint16", "int16",   "uint32",  "int32",
				    "int64",  "float32", "float64", NULL};
static const char *const orders[] = {"high-first", "low-first", NULL};
static const uint32_t form_words[] = {1, 1, 2, 2, 4, 2, 4};

bool modbus_is_bits(int table)
{
	return table == MODBUS_COIL || table == MODBUS_DISCRETE;
}

uint32_t modbus_size(const struct modbus_place *p)
{
	return modbus_is_bits(p->table) ? 1 : form_words[p->form];
}

const char *modbus_place_text(const struct modbus_place *p, char *ret, size_t size)
{
	snprintf(ret, size, "%s %d of device %d", tables[p->table], (int)p->address, (int)p->device);
	return ret;
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

/* The words as one number, the high word first. */
static uint64_t join(const struct modbus_place *p, const uint16_t *words)
{
	const uint32_t n = modbus_size(p);
	uint64_t bits = 0;

	for (uint32_t i = 0; i < n; i++)
		bits = bits << 16 | words[p->order == 0 ? i : n - 1 - i];
	return bits;
}

static void split(const struct modbus_place *p, uint64_t bits, uint16_t *words)
{
	const uint32_t n = modbus_size(p);

	for (uint32_t i = 0; i < n; i++)
		words[p->order == 0 ? n - 1 - i : i] = (uint16_t)(bits >> 16 * i);
}

static double float_of(uint64_t bits, bool is_double)
{
	const uint32_t low = (uint32_t)bits;
	float single;
	double real;

	memcpy(&single, &low, sizeof single);
	memcpy(&real, &bits, sizeof real);
	return is_double ? real : (double)single;
}

static int64_t integer_of(int form, uint64_t bits)
{
	switch ((enum modbus_form)form) {
	case MODBUS_INT16: return (int16_t)(uint16_t)bits;
	case MODBUS_INT32: return (int32_t)(uint32_t)bits;
	case MODBUS_UINT16:
	case MODBUS_UINT32:
	case MODBUS_INT64:
	case MODBUS_FLOAT32:
	case MODBUS_FLOAT64: break;
	}
	return (int64_t)bits;
}

static bool is_float(const struct modbus_place *p)
{
	return !modbus_is_bits(p->table) && (p->form == MODBUS_FLOAT32 || p->form == MODBUS_FLOAT64);
}

struct value modbus_decode(const struct modbus_place *p, const uint16_t *words)
{
	const uint64_t bits = join(p, words);
	const bool plain = p->scale == 1 && p->offset == 0;

	if (modbus_is_bits(p->table))
		return (struct value){.type = VALUE_BOOL, .boolean = bits != 0};
	if (!is_float(p) && plain)
		return (struct value){.type = VALUE_INT64, .integer = integer_of(p->form, bits)};
	const double raw =
		is_float(p) ? float_of(bits, p->form == MODBUS_FLOAT64) : (double)integer_of(p->form, bits);
	const double real = raw * p->scale + p->offset;
	return isfinite(real) ? (struct value){.type = VALUE_DOUBLE, .real = real}
			      : (struct value){.type = VALUE_NONE};
}

static bool fits(const struct modbus_place *p, double raw)
{
	static const double least[] = {0,        INT16_MIN, 0, INT32_MIN, -0x1p63, -3.4028234663852886e38,
				       -INFINITY};
	static const double below[] = {0x1p16, 0x1p15, 0x1p32, 0x1p31, 0x1p63, 3.4028235e38, INFINITY};

	if (modbus_is_bits(p->table))
		return raw == 0 || raw == 1;
	return isfinite(raw) && raw >= least[p->form] && raw < below[p->form];
}

int modbus_encode(const struct modbus_place *p, double value, uint16_t words[MODBUS_WORDS_MAX],
		  struct err_note *note)
{
	const double exact = (value - p->offset) / p->scale, raw = is_float(p) ? exact : nearbyint(exact);
	const float single = (float)raw;
	uint64_t bits = 0;
	uint32_t low;
	char where[64];

	if (!fits(p, raw))
		return FAIL_SAY(note, ERR_REFUSED, "%g does not fit into %s, %s", value,
				modbus_is_bits(p->table) ? "a bit" : forms[p->form],
				modbus_place_text(p, where, sizeof where));
	memcpy(&low, &single, sizeof low);
	if (p->form == MODBUS_FLOAT64)
		memcpy(&bits, &raw, sizeof bits);
	else
		bits = is_float(p) ? low : raw < 0 ? (uint64_t)(int64_t)raw : (uint64_t)raw;
	split(p, bits, words);
	return 0;
}

/* ---- The configuration -----------------------------------------------------------------------------------
 */

#define PLACE_KEYS(T, place) \
	{.name = "device", .type = SETTING_INT, SETTING_IN(T, place.device), .min = 0, .max = 255}, \
		{.name = "table", .type = SETTING_WORD, SETTING_IN(T, place.table), .words = tables}, \
		{.name = "address", \
		 .type = SETTING_INT, \
		 SETTING_IN(T, place.address), \
		 .required = true, \
		 .max = 65535}, \
		{.name = "type", .type = SETTING_WORD, SETTING_IN(T, place.form), .words = forms}, \
		{.name = "words", .type = SETTING_WORD, SETTING_IN(T, place.order), .words = orders}, \
		{.name = "scale", .type = SETTING_NUMBER, SETTING_IN(T, place.scale)}, \
	{ \
		.name = "offset", .type = SETTING_NUMBER, SETTING_IN(T, place.offset) \
	}
#define EVERY_MIN 1e7     /* 10 ms */
#define EVERY_MAX 8.64e13 /* a day */

struct map_keys {
	struct modbus_map map;
	const json_t *registers, *commands;
};

static const struct setting map_keys[] = {
	{.name = "host",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct map_keys, map.host),
	 .required = true,
	 .min = 1,
	 .max = 253},
	{.name = "port", .type = SETTING_INT, SETTING_IN(struct map_keys, map.port), .min = 1, .max = 65535},
	{.name = "timeout",
	 .type = SETTING_DURATION,
	 SETTING_IN(struct map_keys, map.timeout_ns),
	 .min = 1e7,
	 .max = 6e10},
	{.name = "every",
	 .type = SETTING_DURATION,
	 SETTING_IN(struct map_keys, map.every_ns),
	 .min = EVERY_MIN,
	 .max = EVERY_MAX},
	{.name = "registers",
	 .type = SETTING_LIST,
	 SETTING_IN(struct map_keys, registers),
	 .required = true,
	 .min = 1,
	 .max = MODBUS_REGISTERS_MAX},
	{.name = "commands", .type = SETTING_LIST, SETTING_IN(struct map_keys, commands), .max = 1000},
	{0}};

struct register_keys {
	struct modbus_register r;
	const json_t *states;
};

static const struct setting register_keys[] = {
	PLACE_KEYS(struct register_keys, r.place),
	{.name = "twin", .type = SETTING_TEXT, SETTING_IN(struct register_keys, r.twin), .required = true},
	{.name = "property",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct register_keys, r.property),
	 .required = true},
	{.name = "unit", .type = SETTING_TEXT, SETTING_IN(struct register_keys, r.unit), .max = 63},
	{.name = "states",
	 .type = SETTING_LIST,
	 SETTING_IN(struct register_keys, states),
	 .min = 1,
	 .max = MODBUS_STATES_MAX},
	{.name = "every",
	 .type = SETTING_DURATION,
	 SETTING_IN(struct register_keys, r.every_ns),
	 .min = EVERY_MIN,
	 .max = EVERY_MAX},
	{.name = "write", .type = SETTING_BOOL, SETTING_IN(struct register_keys, r.writes)},
	{0}};

struct write_keys {
	struct modbus_write w;
};

static const struct setting write_keys[] = {
	PLACE_KEYS(struct write_keys, w.place),
	{.name = "twin", .type = SETTING_TEXT, SETTING_IN(struct write_keys, w.twin), .required = true},
	{.name = "operation",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct write_keys, w.operation),
	 .required = true},
	{.name = "argument", .type = SETTING_TEXT, SETTING_IN(struct write_keys, w.argument), .min = 1},
	{.name = "value", .type = SETTING_NUMBER, SETTING_IN(struct write_keys, w.value)},
	{0}};

static const struct modbus_place any_place = {
	.device = 1, .table = MODBUS_HOLDING, .form = MODBUS_UINT16, .scale = 1};

static int check_place(const struct setting_at *at, const struct modbus_place *p, bool writes,
		       struct err_note *note)
{
	if (p->address + modbus_size(p) > 65536)
		return setting_fail(at, note, "the value ends beyond address 65535");
	if (p->scale == 0)
		return setting_fail(at, note, "scale must not be 0");
	if (writes && p->table != MODBUS_HOLDING && p->table != MODBUS_COIL)
		return setting_fail(at, note, "%s cannot be written: only holding and coil",
				    tables[p->table]);
	return 0;
}

static int check_names(const struct setting_at *at, const char *twin, const char *name, const char *what,
		       struct err_note *note)
{
	struct err_note why = {0};
	int r = id_check_twin(twin, &why);

	if (r == 0)
		r = id_check_name(name, what, &why);
	return r < 0 ? setting_blame(at, ERR_REFUSED, &why, note) : 0;
}

static int read_states(struct arena *a, const struct setting_at *up, const json_t *list,
		       struct modbus_register *r, struct err_note *note)
{
	const struct setting_at at = setting_key(up, "states");

	if (!list)
		return 0;
	r->n_states = json_array_size(list);
	r->states = arena_take_array(a, r->n_states, sizeof *r->states);
	if (!r->states)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < r->n_states; i++) {
		const struct setting_at item = setting_item(&at, i);
		r->states[i] = json_string_value(item.json);
		if (!r->states[i])
			return setting_fail(&item, note, "it must be a text");
	}
	return 0;
}

static int read_register(struct arena *a, const struct setting_at *at, int64_t every_ns,
			 struct modbus_register *ret, struct err_note *note)
{
	struct register_keys k = {.r = {.place = any_place, .every_ns = every_ns}};
	struct err_note why = {0};

	TRY(setting_read(at, register_keys, &k, note));
	TRY(check_place(at, &k.r.place, k.r.writes, note));
	TRY(check_names(at, k.r.twin, k.r.property, "property", note));
	if (k.r.unit && unit_check(k.r.unit, &why) < 0)
		return setting_blame(at, ERR_UNIT, &why, note);
	TRY(read_states(a, at, k.states, &k.r, note));
	*ret = k.r;
	return 0;
}

static int read_write(const struct setting_at *at, struct modbus_write *ret, struct err_note *note)
{
	struct write_keys k = {.w = {.place = any_place}};

	TRY(setting_read(at, write_keys, &k, note));
	TRY(check_place(at, &k.w.place, true, note));
	TRY(check_names(at, k.w.twin, k.w.operation, "operation", note));
	if ((k.w.argument != NULL) == (json_object_get(at->json, "value") != NULL))
		return setting_fail(at, note, "give either value or argument");
	*ret = k.w;
	return 0;
}

static int by_place(const void *x, const void *y)
{
	const struct modbus_register *a = x, *b = y;
	const int64_t order[] = {a->place.device - b->place.device, a->place.table - b->place.table,
				 a->every_ns - b->every_ns, a->place.address - b->place.address};

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (order[i] != 0)
			return order[i] < 0 ? -1 : 1;
	return 0;
}

/* Does it lie at the end of the span, or within, and may be read with it? What is between registers is not
 * read: a device may refuse it. */
static bool joins(const struct modbus_span *s, const struct modbus_register *r)
{
	const int64_t most = modbus_is_bits(s->table) ? MODBUS_SPAN_BITS : MODBUS_SPAN_WORDS;

	return s->device == r->place.device && s->table == r->place.table && s->every_ns == r->every_ns &&
	       r->place.address <= s->address + s->n &&
	       r->place.address + modbus_size(&r->place) - s->address <= most;
}

static int make_spans(struct arena *a, struct modbus_map *m)
{
	qsort(m->registers, m->n_registers, sizeof m->registers[0], by_place);
	for (size_t i = 0; i < m->n_registers; i++) {
		const struct modbus_register *r = &m->registers[i];
		struct modbus_span *s = m->n_spans > 0 ? &m->spans[m->n_spans - 1] : NULL;
		if (!s || !joins(s, r)) {
			s = arena_push(a, &m->spans, &m->n_spans, sizeof *s);
			if (!s)
				return FAIL(-ENOMEM);
			*s = (struct modbus_span){.device = r->place.device,
						  .address = r->place.address,
						  .every_ns = r->every_ns,
						  .table = r->place.table,
						  .first = i};
		}
		const uint32_t end = (uint32_t)(r->place.address - s->address) + modbus_size(&r->place);
		s->n = end > s->n ? end : s->n;
		s->count++;
	}
	return 0;
}

int modbus_map_read(struct arena *a, const char *name, const json_t *config, struct modbus_map *ret,
		    struct err_note *note)
{
	const struct setting_at at = {.key = name, .json = config};
	struct map_keys k = {.map = {.port = 502, .timeout_ns = NS_PER_S, .every_ns = NS_PER_S}};
	struct modbus_map *m = &k.map;

	TRY(setting_read(&at, map_keys, &k, note));
	const struct setting_at registers = setting_key(&at, "registers"),
				commands = setting_key(&at, "commands");
	m->n_registers = json_array_size(k.registers);
	m->n_writes = k.commands ? json_array_size(k.commands) : 0;
	m->registers = arena_take_array(a, m->n_registers, sizeof *m->registers);
	m->writes = arena_take_array(a, m->n_writes + 1, sizeof *m->writes);
	if (!m->registers || !m->writes)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->n_registers; i++) {
		const struct setting_at item = setting_item(&registers, i);
		TRY(read_register(a, &item, m->every_ns, &m->registers[i], note));
	}
	for (size_t i = 0; i < m->n_writes; i++) {
		const struct setting_at item = setting_item(&commands, i);
		TRY(read_write(&item, &m->writes[i], note));
	}
	TRY(make_spans(a, m));
	*ret = *m;
	return 0;
}
