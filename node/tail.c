/* SPDX-License-Identifier: Apache-2.0 */
/* Tail - the adapter kind `tail`: a CSV file that grows. Looking for new lines, which waits for the disk, is
 * done by the pool; a batch of lines is stored before the next one is looked for.
 *
 *     LOOKING --lines--> STORING --durable--> LOOKING        LOOKING --nothing--> RESTING --every--> LOOKING
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/adapter.h"
#include "node/tail_file.h"
#include "node/tail_map.h"
#include "proto/clock.h"
#include "proto/twin.h"
#include "proto/unit.h"

enum { MAP_BYTES = 16 << 20, HEADER_BYTES = 1 << 20, LINE_BYTES = 1 << 20 };

struct tail {
	struct adapter *adapter;
	json_t *config;
	struct arena *arena, *header, *scratch; /* the map; names in the header; one line */
	struct tail_map map;
	struct tail_file *file;
	struct feed *feed;
	uv_timer_t timer;
	uv_work_t work;
	uint64_t token;
	struct tail_batch batch;
	struct tail_line line;
	struct err_note note;
	int result;
	bool looking, closing, header_fits, timer_open;
};

static void tail_free(struct tail *t)
{
	feed_free(t->feed);
	tail_file_free(t->file);
	arena_free(t->scratch);
	arena_free(t->header);
	arena_free(t->arena);
	json_decref(t->config);
	free(t);
}

DEFINE_SCOPED(tail, tail_free)

/* ---- Lines -----------------------------------------------------------------------------------------------
 */

static void bury(struct tail *t, struct bytes line, int code, const struct err_note *why)
{
	adapter_dead(t->adapter, t->map.file, line, why->text[0] ? why->text : err_text(code));
}

/* As the property's type; without one, a number or a text, which the store will refuse by name. */
static int value_of(struct tail *t, const struct tail_column *c, const struct property_def *wants,
		    const char *text, struct value *ret, struct err_note *note)
{
	double number, scale = 1, offset = 0;

	TRY(value_parse(t->scratch, wants ? wants->type : VALUE_TEXT, text, ret, note));
	if (!value_number(ret, &number) || ret->type == VALUE_BOOL)
		return 0;
	if (c->unit)
		TRY(unit_convert(c->unit, wants->unit, &scale, &offset, note));
	if (c->scale == 1 && c->offset == 0 && scale == 1 && offset == 0)
		return 0;
	*ret = (struct value){.type = VALUE_DOUBLE, .real = (number * c->scale + c->offset) * scale + offset};
	return 0;
}

static int put_cell(struct tail *t, const struct tail_column *c, int64_t t_ns, struct err_note *note)
{
	const char *text = tail_text(&t->line, &c->cell);
	struct sample s = {.t_ns = t_ns, .sigma = NAN};
	char twin[TWIN_ID_MAX + 1];
	uint32_t series;

	if (!text || text[0] == '\0') /* nothing was measured */
		return 0;
	TRY(tail_twin(&t->map, &t->line, c->twin, twin, note));
	/* names come out of the file: the feed keeps those of twins alone */
	if (!store_twin(adapter_engine(t->adapter)->store, twin))
		return FAIL_SAY(note, ERR_REFUSED, "there is no twin %s here", twin);
	TRY(feed_series(t->feed, twin, c->property, &series, note));
	TRY(value_of(t, c, feed_wants(t->feed, series), text, &s.value, note));
	return feed_put(t->feed, series, &s, t->token);
}

/* Lines that came together without a time of their own keep their order. */
static void take_line(struct tail *t, struct bytes line, int64_t arrived_ns)
{
	struct err_note why = {0};
	int64_t t_ns = arrived_ns;

	arena_reset(t->scratch);
	char *text = arena_text(t->scratch, line);
	int r = text ? tail_cut(text, t->map.separator, &t->line, &why) : -ENOMEM;
	if (r == 0 && t->map.has_time)
		r = tail_line_time(&t->map, &t->line, &t_ns, &why);
	if (r < 0) {
		bury(t, line, r, &why);
		return;
	}
	for (size_t i = 0; i < t->map.n_columns; i++) {
		why.text[0] = '\0';
		r = put_cell(t, &t->map.columns[i], t_ns, &why);
		if (r < 0)
			bury(t, line, r, &why);
	}
}

static void take_lines(struct tail *t)
{
	const char *at = (const char *)t->batch.lines.data, *stop = at + t->batch.lines.len;
	int64_t t_ns = t->batch.t_ns;

	t->token++;
	for (const char *end; at < stop; at = end + 1, t_ns++) {
		end = memchr(at, '\n', (size_t)(stop - at));
		const struct bytes line = {(const uint8_t *)at, (size_t)(end - at)};
		if (line.len == 0 || (line.len == 1 && *at == '\r'))
			continue;
		adapter_count(t->adapter, COUNT_MESSAGES, 1);
		take_line(t, line, t_ns);
	}
	feed_mark(t->feed, t->token);
}

/* ---- Looking ---------------------------------------------------------------------------------------------
 */

static void look(struct tail *t);

static void on_rested(uv_timer_t *timer)
{
	look(timer->data);
}

static void rest(struct tail *t)
{
	uv_timer_start(&t->timer, on_rested, (uint64_t)(t->map.every_ns / NS_PER_MS), 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct tail *t = handle->data;
	struct adapter *a = t->adapter;

	tail_free(t);
	adapter_closed(a);
}

static void end_if_idle(struct tail *t)
{
	if (!t->looking)
		uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

static void say_passed_over(struct tail *t)
{
	if (t->batch.lost)
		adapter_dead(t->adapter, t->map.file, (struct bytes){0},
			     "the file that was read last is gone, perhaps with lines that were not read");
	if (t->batch.too_long)
		adapter_dead(t->adapter, t->map.file, (struct bytes){0}, "a line is longer than 64 KiB");
}

/* Without its columns no line is taken: they wait until the file or the configuration is put right. */
static int check_header(struct tail *t)
{
	if (t->batch.new_file)
		t->header_fits = false;
	if (!t->map.has_header || t->header_fits)
		return 0;
	arena_reset(t->header);
	TRY(tail_map_header(&t->map, t->header, t->batch.header, &t->note));
	t->header_fits = true;
	return 0;
}

static void go_on(struct tail *t)
{
	say_passed_over(t);
	if (t->result == 0)
		t->result = check_header(t);
	if (t->result < 0) {
		adapter_is(t->adapter, ADAPTER_WAITING, t->note.text[0] ? t->note.text : err_text(t->result));
		rest(t);
		return;
	}
	adapter_is(t->adapter, ADAPTER_CONNECTED, NULL);
	if (t->result == TAIL_NOTHING)
		rest(t);
	else
		take_lines(t); /* on_durable() goes on */
}

static void do_look(uv_work_t *work)
{
	struct tail *t = work->data;

	t->note.text[0] = '\0';
	t->batch = (struct tail_batch){0};
	t->result = tail_file_next(t->file, engine_wall_ns(), &t->batch, &t->note);
}

static void on_looked(uv_work_t *work, int status)
{
	struct tail *t = work->data;

	t->looking = false;
	if (t->closing || status < 0)
		end_if_idle(t);
	else
		go_on(t);
}

static void look(struct tail *t)
{
	t->looking = true;
	t->work.data = t;
	uv_queue_work(&adapter_engine(t->adapter)->loop, &t->work, do_look, on_looked);
}

static void on_durable(void *ctx, uint64_t upto, uint64_t n_samples)
{
	struct tail *t = ctx;

	adapter_count(t->adapter, COUNT_SAMPLES, n_samples);
	if (upto != t->token || t->looking || t->closing)
		return;
	tail_file_stored(t->file);
	look(t);
}

static void on_refused(void *ctx, uint64_t token, const char *twin, const char *property, const char *reason)
{
	struct tail *t = ctx;
	char source[TWIN_ID_MAX + PROPERTY_MAX + 2];

	(void)token;
	snprintf(source, sizeof source, "%s %s", twin, property);
	adapter_count(t->adapter, COUNT_REFUSED, 1);
	adapter_dead(t->adapter, source, (struct bytes){0}, reason);
}

/* ---- Opening and closing ---------------------------------------------------------------------------------
 */

static int open_file(struct tail *t)
{
	const char *path = adapter_path(t->adapter, t->arena, t->map.file);
	const char *name = arena_print(t->arena, "%s.tail", adapter_name(t->adapter));
	const char *record = name ? adapter_path(t->adapter, t->arena, name) : NULL;

	if (!path || !record)
		return FAIL(-ENOMEM);
	const struct tail_options opt = {
		.path = path, .record = record, .has_header = t->map.has_header, .from_end = t->map.from_end};
	return tail_file_new(&t->file, &opt);
}

static int open_feed(struct tail *t)
{
	const struct feed_options opt = {
		.source = adapter_name(t->adapter), .done = on_durable, .refused = on_refused, .ctx = t};

	return feed_new(&t->feed, adapter_engine(t->adapter), &opt);
}

static int tail_open(struct adapter *a, const json_t *config, bool dry, void **ret, struct err_note *note)
{
	SCOPED(scope_tail) struct tail *t = calloc(1, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	t->adapter = a;
	t->config = json_deep_copy(config);
	if (!t->config)
		return FAIL(-ENOMEM);
	TRY(arena_new(&t->arena, MAP_BYTES));
	TRY(arena_new(&t->header, HEADER_BYTES));
	TRY(arena_new(&t->scratch, LINE_BYTES));
	TRY(tail_map_read(t->arena, adapter_name(a), t->config, &t->map, note));
	if (!dry) {
		TRY(open_file(t));
		TRY(open_feed(t));
		uv_timer_init(&adapter_engine(a)->loop, &t->timer);
		t->timer.data = t;
		t->timer_open = true;
		look(t);
	}
	*ret = MOVE(t);
	return 0;
}

static void tail_close(void *self)
{
	struct tail *t = self;
	struct adapter *a = t->adapter;

	t->closing = true;
	feed_free(MOVE(t->feed));
	if (t->timer_open) {
		end_if_idle(t);
		return;
	}
	tail_free(t);
	adapter_closed(a);
}

const struct adapter_kind adapter_tail = {.name = "tail", .open = tail_open, .close = tail_close};
