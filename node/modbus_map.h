/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus map - which registers of which devices are which properties, and which operations write what: the
 * configuration of a Modbus adapter (holon-adapters(7)), and values from and to 16-bit words. Pure: no
 * connection, no clock.
 *
 * Views: texts are those of the JSON document, which must outlive the map; lists are in the arena.
 */
#pragma once

#include "node/setting.h"
#include "proto/arena.h"
#include "proto/value.h"

enum modbus_table { MODBUS_COIL, MODBUS_DISCRETE, MODBUS_INPUT, MODBUS_HOLDING };
enum modbus_form {
	MODBUS_UINT16,
	MODBUS_INT16,
	MODBUS_UINT32,
	MODBUS_INT32,
	MODBUS_INT64,
	MODBUS_FLOAT32,
	MODBUS_FLOAT64
};

enum {
	MODBUS_WORDS_MAX = 4,    /* of one value */
	MODBUS_SPAN_WORDS = 120, /* read at once: the protocol has 125 */
	MODBUS_SPAN_BITS = 1968, /* 2000 */
	MODBUS_STATES_MAX = 64,  /* words of one property */
	MODBUS_REGISTERS_MAX = 10000,
};

/* Where a number lies, and how: value = scale * what is there + offset. */
struct modbus_place {
	int64_t device, address; /* address: from 0, as it goes over the wire */
	int table, form;         /* enum modbus_table, enum modbus_form */
	int order;               /* 0: the high word first; 1: the low word first */
	double scale, offset;
};

struct modbus_register {
	struct modbus_place place;
	const char *twin, *property;
	const char *unit;    /* of the value; NULL: the property's own */
	const char **states; /* NULL, or: the number is a place in this list of words */
	size_t n_states;
	int64_t every_ns;
	bool writes; /* desired values of the property are written here */
};

/* One register that an operation writes: `value`, or the argument of that name. */
struct modbus_write {
	struct modbus_place place;
	const char *twin, *operation, *argument;
	double value;
};

/* Registers that lie side by side and are read at once. */
struct modbus_span {
	int64_t device, address, every_ns;
	int table;
	uint32_t n;          /* words, or bits */
	size_t first, count; /* of map.registers */
};

struct modbus_map {
	const char *host;
	int64_t port, timeout_ns, every_ns;
	struct modbus_register *registers; /* in the order of spans */
	struct modbus_write *writes;
	struct modbus_span *spans;
	size_t n_registers, n_writes, n_spans;
};

/* ERR_REFUSED with a note that names the key. `name`: of the adapter. */
MUST_CHECK int modbus_map_read(struct arena *a, const char *name, const json_t *config,
			       struct modbus_map *ret, struct err_note *note);

bool modbus_is_bits(int table);
/* How many words, or bits, a value takes. */
uint32_t modbus_size(const struct modbus_place *p);
/* What is there as a value: an integer where nothing is scaled; VALUE_NONE: it is no number (NaN). */
struct value modbus_decode(const struct modbus_place *p, const uint16_t *words);
/* The words for a value. ERR_REFUSED with a note: it does not fit. */
MUST_CHECK int modbus_encode(const struct modbus_place *p, double value, uint16_t words[MODBUS_WORDS_MAX],
			     struct err_note *note);
/* "holding 100 of device 1" */
const char *modbus_place_text(const struct modbus_place *p, char *ret, size_t size);
