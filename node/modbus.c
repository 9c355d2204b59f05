/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus - the adapter kind `modbus`: registers of devices are properties, orders are written to registers.
 * What waits for a device is on the line's own thread (modbus_line.h); units and types are dealt with here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/adapter.h"
#include "node/modbus_line.h"
#include "proto/twin.h"
#include "proto/unit.h"

enum { MAP_BYTES = 64 << 20, SOURCE_BYTES = 96 };

struct modbus {
	struct adapter *adapter;
	json_t *config;
	struct arena *arena;
	struct modbus_map map;
	uint32_t *series; /* of each register */
	struct feed *feed;
	struct modbus_line *line;
	struct backoff backoff;
	uint64_t token;
	bool connected, closing;
};

static void modbus_free_all(struct modbus *m)
{
	feed_free(m->feed);
	arena_free(m->arena);
	json_decref(m->config);
	free(m);
}

static void scope_modbus_all(struct modbus **m)
{
	if (*m)
		modbus_free_all(*m);
}

/* ---- Readings --------------------------------------------------------------------------------------------
 */

/* 1 and 0 unless the units differ; a unit that does not fit is told of with every sample. */
static int convert(const struct modbus_register *r, const struct property_def *wants, struct value *v,
		   struct err_note *note)
{
	double number, scale, offset;

	if (!r->unit || !wants || !value_number(v, &number))
		return 0;
	TRY(unit_convert(r->unit, wants->unit, &scale, &offset, note));
	if (scale != 1 || offset != 0)
		*v = (struct value){.type = VALUE_DOUBLE, .real = number * scale + offset};
	return 0;
}

/* ERR_REFUSED with a note: a number for which there is no word. */
static int name_state(const struct modbus_register *r, struct value *v, struct err_note *note)
{
	double number;

	if (!r->states || !value_number(v, &number))
		return 0;
	if (!(number >= 0 && number < (double)r->n_states) || number != nearbyint(number))
		return FAIL_SAY(note, ERR_REFUSED, "%g has no word in states", number);
	*v = (struct value){.type = VALUE_TEXT, .text = r->states[(size_t)number]};
	return 0;
}

static void put(struct modbus *m, size_t i, const uint16_t *words, int64_t t_ns)
{
	const struct modbus_register *r = &m->map.registers[i];
	struct sample s = {.t_ns = t_ns, .value = modbus_decode(&r->place, words), .sigma = NAN};
	struct err_note why = {0};
	char source[SOURCE_BYTES];

	s.quality = s.value.type == VALUE_NONE ? QUALITY_BAD : QUALITY_GOOD;
	int code = name_state(r, &s.value, &why);
	if (code == 0)
		code = convert(r, feed_wants(m->feed, m->series[i]), &s.value, &why);
	if (code == 0)
		code = feed_put(m->feed, m->series[i], &s, m->token);
	if (code < 0)
		adapter_dead(m->adapter, modbus_place_text(&r->place, source, sizeof source),
			     (struct bytes){0}, why.text[0] ? why.text : err_text(code));
}

static void on_read(void *ctx, const struct modbus_span *span, const uint16_t *words, int64_t t_ns)
{
	struct modbus *m = ctx;

	if (m->closing)
		return;
	adapter_count(m->adapter, COUNT_MESSAGES, 1);
	m->token++;
	for (size_t i = span->first; i < span->first + span->count; i++)
		put(m, i, words + (m->map.registers[i].place.address - span->address), t_ns);
	feed_mark(m->feed, m->token);
	if (feed_is_full(m->feed))
		modbus_line_pause(m->line, true);
}

static void on_denied(void *ctx, const struct modbus_span *span, const char *why)
{
	struct modbus *m = ctx;
	char source[SOURCE_BYTES];

	if (!m->closing)
		adapter_dead(m->adapter,
			     modbus_place_text(&m->map.registers[span->first].place, source, sizeof source),
			     (struct bytes){0}, why);
}

/* Nothing is acknowledged to a device. */
static void on_durable(void *ctx, uint64_t upto, uint64_t n_samples)
{
	const struct modbus *m = ctx;

	(void)upto;
	adapter_count(m->adapter, COUNT_SAMPLES, n_samples);
}

static void on_refused(void *ctx, uint64_t token, const char *twin, const char *property, const char *reason)
{
	struct modbus *m = ctx;
	char source[TWIN_ID_MAX + PROPERTY_MAX + 2];

	(void)token;
	snprintf(source, sizeof source, "%s %s", twin, property);
	adapter_count(m->adapter, COUNT_REFUSED, 1);
	adapter_dead(m->adapter, source, (struct bytes){0}, reason);
}

static void on_room(void *ctx)
{
	struct modbus *m = ctx;

	modbus_line_pause(m->line, false);
}

/* ---- The connection --------------------------------------------------------------------------------------
 */

static void on_connected(void *ctx)
{
	struct modbus *m = ctx;

	m->connected = true;
	if (m->closing)
		return;
	adapter_count(m->adapter, COUNT_CONNECTS, 1);
	adapter_is(m->adapter, ADAPTER_CONNECTED, NULL);
}

static uint64_t on_lost(void *ctx, const char *why)
{
	struct modbus *m = ctx;

	m->connected = false;
	if (m->closing)
		return 0;
	adapter_count(m->adapter, COUNT_LOST, 1);
	adapter_is(m->adapter, ADAPTER_WAITING, why);
	return backoff_next(&m->backoff, adapter_engine(m->adapter));
}

static void on_line_closed(void *ctx)
{
	struct modbus *m = ctx;
	struct adapter *a = m->adapter;

	modbus_free_all(m);
	adapter_closed(a);
}

/* ---- Orders ----------------------------------------------------------------------------------------------
 */

static void say_word(struct modbus *m, const uint8_t id[COMMAND_ID_BYTES], enum command_state state,
		     const char *text)
{
	struct command_word word = {.state = state, .text = text};

	memcpy(word.id, id, sizeof word.id);
	adapter_word(m->adapter, &word);
}

/* The device has acknowledged what was written: more than that it does not tell. */
static void say_written(struct modbus *m, const struct modbus_job *job)
{
	say_word(m, job->id, COMMAND_ACCEPTED, "");
	say_word(m, job->id, COMMAND_DONE, "");
}

static void on_done(void *ctx, const struct modbus_job *job, enum modbus_job_end how, const char *why)
{
	struct modbus *m = ctx;
	char source[SOURCE_BYTES];

	if (m->closing)
		return;
	if (how == MODBUS_EXPIRED)
		adapter_count(m->adapter, COUNT_EXPIRED, 1);
	else if (job->is_command && how == MODBUS_WRITTEN)
		say_written(m, job);
	else if (job->is_command)
		say_word(m, job->id, COMMAND_FAILED, why);
	else if (how == MODBUS_NOT_WRITTEN)
		adapter_dead(m->adapter, modbus_place_text(&job->writes[0].place, source, sizeof source),
			     (struct bytes){0}, why);
}

static int add_write(struct modbus_job *job, const struct modbus_place *place, double value,
		     struct err_note *note)
{
	if (job->n == MODBUS_JOB_WRITES)
		return FAIL_SAY(note, ERR_REFUSED, "it writes more than %d registers", MODBUS_JOB_WRITES);
	job->writes[job->n].place = *place;
	TRY(modbus_encode(place, value, job->writes[job->n].words, note));
	job->n++;
	return 0;
}

/* Bools are 0 and 1, words their place in `states`. */
static int number_of(const struct value *v, const struct modbus_register *r, double *ret,
		     struct err_note *note)
{
	if (value_number(v, ret))
		return 0;
	for (size_t i = 0; r && (v->type == VALUE_TEXT || v->type == VALUE_ENUM) && i < r->n_states; i++)
		if (strcmp(r->states[i], v->text) == 0) {
			*ret = (double)i;
			return 0;
		}
	return FAIL_SAY(note, ERR_REFUSED, "a value of type %s has no number for a register",
			value_type_text(v->type));
}

static int add_argument(const struct modbus_write *w, const struct order *order, struct modbus_job *job,
			struct err_note *note)
{
	double value = w->value;

	if (w->argument) {
		size_t i = 0;
		while (i < order->n_arguments && strcmp(order->arguments[i].name, w->argument) != 0)
			i++;
		if (i == order->n_arguments)
			return FAIL_SAY(note, ERR_REFUSED, "there is no argument %.80s", w->argument);
		TRY(number_of(&order->arguments[i].value, NULL, &value, note));
	}
	return add_write(job, &w->place, value, note);
}

static int add_desired(const struct modbus *m, size_t i, const struct order *order, struct modbus_job *job,
		       struct err_note *note)
{
	const struct modbus_register *r = &m->map.registers[i];
	const struct property_def *has = feed_wants(m->feed, m->series[i]);
	double value, scale = 1, offset = 0;

	TRY(number_of(&order->desired.value, r, &value, note));
	if (r->unit && has && !r->states)
		TRY(unit_convert(has->unit, r->unit, &scale, &offset, note));
	return add_write(job, &r->place, value * scale + offset, note);
}

/* False in *ret_any: it is not one of ours. */
static int make_job(const struct modbus *m, const struct order *order, struct modbus_job *job, bool *ret_any,
		    struct err_note *note)
{
	*ret_any = false;
	for (size_t i = 0; order->is_command && i < m->map.n_writes; i++) {
		const struct modbus_write *w = &m->map.writes[i];
		if (strcmp(w->twin, order->twin) != 0 || strcmp(w->operation, order->operation) != 0)
			continue;
		*ret_any = true;
		TRY(add_argument(w, order, job, note));
	}
	for (size_t i = 0; !order->is_command && i < m->map.n_registers; i++) {
		const struct modbus_register *r = &m->map.registers[i];
		if (!r->writes || strcmp(r->twin, order->twin) != 0 ||
		    strcmp(r->property, order->operation) != 0)
			continue;
		*ret_any = true;
		TRY(add_desired(m, i, order, job, note));
	}
	return 0;
}

static int modbus_order(void *self, const struct order *order, struct err_note *note)
{
	struct modbus *m = self;
	struct modbus_job job = {.is_command = order->is_command, .deadline_ns = order->deadline_ns};
	struct err_note why = {0};
	bool any;

	memcpy(job.id, order->id, sizeof job.id);
	const int r = make_job(m, order, &job, &any, &why);
	if (!any)
		return ERR_ABSENT;
	if (r < 0)
		snprintf(job.refused, sizeof job.refused, "%s", why.text[0] ? why.text : err_text(r));
	if (!m->connected || m->closing)
		return err_say(note, ERR_UNREACHABLE, "%s: %.80s is not connected", adapter_name(m->adapter),
			       m->map.host);
	if (!modbus_line_write(m->line, &job))
		return err_say(note, ERR_UNREACHABLE, "%s: too many orders wait for %.80s",
			       adapter_name(m->adapter), m->map.host);
	return 0;
}

/* ---- Opening and closing ---------------------------------------------------------------------------------
 */

static int open_feed(struct modbus *m, struct err_note *note)
{
	const struct feed_options opt = {.source = adapter_name(m->adapter),
					 .done = on_durable,
					 .refused = on_refused,
					 .room = on_room,
					 .ctx = m};

	TRY(feed_new(&m->feed, adapter_engine(m->adapter), &opt));
	m->series = arena_take_array(m->arena, m->map.n_registers, sizeof *m->series);
	if (!m->series)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->map.n_registers; i++)
		TRY(feed_series(m->feed, m->map.registers[i].twin, m->map.registers[i].property,
				&m->series[i], note));
	return 0;
}

static int modbus_open(struct adapter *a, const json_t *config, bool dry, void **ret, struct err_note *note)
{
	SCOPED(scope_modbus_all) struct modbus *m = calloc(1, sizeof *m);

	if (!m)
		return FAIL(-ENOMEM);
	m->adapter = a;
	m->config = json_deep_copy(config);
	if (!m->config)
		return FAIL(-ENOMEM);
	TRY(arena_new(&m->arena, MAP_BYTES));
	TRY(modbus_map_read(m->arena, adapter_name(a), m->config, &m->map, note));
	if (dry) {
		*ret = MOVE(m);
		return 0;
	}
	TRY(open_feed(m, note));
	const struct modbus_line_options opt = {.map = &m->map,
						.read = on_read,
						.denied = on_denied,
						.connected = on_connected,
						.lost = on_lost,
						.done = on_done,
						.closed = on_line_closed,
						.ctx = m};
	TRY(modbus_line_open(&m->line, &adapter_engine(a)->loop, &opt));
	adapter_is(a, ADAPTER_CONNECTING, NULL);
	*ret = MOVE(m);
	return 0;
}

static void modbus_close_all(void *self)
{
	struct modbus *m = self;

	m->closing = true;
	feed_free(MOVE(m->feed));
	if (m->line)
		modbus_line_close(m->line);
	else
		on_line_closed(m);
}

const struct adapter_kind adapter_modbus = {
	.name = "modbus", .open = modbus_open, .close = modbus_close_all, .order = modbus_order};
