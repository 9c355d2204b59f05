/* SPDX-License-Identifier: Apache-2.0 */
/* One frame is open and gathers; a full one, or the open one when nothing is on its way to the log, is handed
 * to the writer. Frames are done in any order, but told of in theirs. */
#include "node/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/writer.h"
#include "proto/id.h"
#include "proto/map.h"

enum {
	FRAME_SAMPLES = PACKED_REFUSALS_MAX, /* then all that are refused are named */
	FLYING_MAX = 32,
	RETRY_MS = 250,
	BUDGET_BASE = 64 * 1024,
	BUDGET_SAMPLE = 128,
	REASON_BYTES = 160,
};

struct series {
	const char *twin, *property;
	uint32_t number, handle; /* handle 0: not known */
	char key[];              /* TWIN, a line's end, PROPERTY; behind it the twin */
};

/* What will not be stored, to be told of in its place. */
struct refusal_noted {
	uint64_t token;
	uint32_t series;
	char reason[REASON_BYTES];
};

enum frame_state { FRAME_READY, FRAME_FLYING, FRAME_DONE };

struct frame {
	struct frame *next;
	struct feed *feed; /* NULL: it is gone */
	struct arena *arena;
	struct buf bytes;
	enum frame_state state;
	uint32_t n;       /* samples */
	uint64_t *tokens; /* one for each */
	uint32_t *series;
	struct refusal_noted *noted; /* besides */
	size_t n_noted, noted_size;
	uint64_t upto; /* the last token that is named in it */
	uint64_t n_durable;
	unsigned int rounds; /* so many times it goes to the writer, but once without its samples */
	bool again;          /* without them */
};

struct feed {
	struct engine *engine;
	struct feed_options opt;
	char *source;
	struct map by_name;     /* key -> series */
	struct series **series; /* by number */
	uint32_t n_series, series_size;
	struct packed_writer columns; /* of the open frame */
	struct frame *open;           /* NULL: nothing gathers */
	struct frame *head, **tail;   /* ready, flying, done: oldest first */
	size_t n_ready, n_flying;
	size_t waiting, waiting_bytes;
	uint64_t missed; /* a mark for which there was no memory; 0: none */
	bool is_full;
	bool failing; /* the store takes nothing: later again */
	bool closed;
	uv_timer_t turn;
};

static void turn_soon(struct feed *f, uint64_t after_ms);

/* ---- Frames ----------------------------------------------------------------------------------------------
 */

static void frame_free(struct frame *f)
{
	if (!f)
		return;
	arena_free(f->arena);
	buf_fini(&f->bytes);
	free(f->tokens);
	free(f->series);
	free(f->noted);
	free(f);
}

DEFINE_SCOPED(frame, frame_free)

static int frame_new(struct frame **ret)
{
	SCOPED(scope_frame) struct frame *f = calloc(1, sizeof *f);

	if (!f)
		return FAIL(-ENOMEM);
	f->tokens = malloc(FRAME_SAMPLES * sizeof *f->tokens);
	f->series = malloc(FRAME_SAMPLES * sizeof *f->series);
	if (!f->tokens || !f->series)
		return FAIL(-ENOMEM);
	*ret = MOVE(f);
	return 0;
}

static int open_frame(struct feed *f)
{
	if (f->open)
		return 0;
	TRY(frame_new(&f->open));
	f->open->feed = f;
	packed_writer_clear(&f->columns);
	return 0;
}

/* The open frame waits for the writer from here on. */
static int close_frame(struct feed *f)
{
	struct frame *const fr = f->open;
	const struct packed_id id = {.incarnation = store_incarnation(f->engine->store)};

	if (f->columns.n > 0)
		TRY(packed_finish(&f->columns, &id, &fr->bytes));
	fr->n = f->columns.n;
	fr->state = fr->n > 0 || fr->rounds > 0 ? FRAME_READY : FRAME_DONE;
	f->n_ready += fr->state == FRAME_READY;
	f->waiting_bytes += fr->bytes.len;
	*f->tail = fr;
	f->tail = &fr->next;
	f->open = NULL;
	return 0;
}

static int note_refusal(struct frame *fr, uint64_t token, uint32_t series, const char *reason)
{
	if (fr->n_noted == fr->noted_size) {
		const size_t size = fr->noted_size ? 2 * fr->noted_size : 8;
		struct refusal_noted *more = realloc(fr->noted, size * sizeof *more);
		if (!more)
			return FAIL(-ENOMEM);
		fr->noted = more;
		fr->noted_size = size;
	}
	struct refusal_noted *n = &fr->noted[fr->n_noted++];
	*n = (struct refusal_noted){.token = token, .series = series};
	snprintf(n->reason, sizeof n->reason, "%s", reason);
	return 0;
}

/* ---- Telling ---------------------------------------------------------------------------------------------
 */

static void tell_refused(struct feed *f, const struct frame *fr)
{
	for (size_t i = 0; i < fr->n_noted && !f->closed; i++) {
		const struct refusal_noted *n = &fr->noted[i];
		const struct series *s = f->series[n->series];
		f->opt.refused(f->opt.ctx, n->token, s->twin, s->property, n->reason);
	}
}

/* What is done and has nothing before it that is not. */
static void tell(struct feed *f)
{
	uint64_t upto = 0, n_samples = 0;
	bool any = false;

	while (f->head && f->head->state == FRAME_DONE) {
		struct frame *fr = f->head;
		f->head = fr->next;
		if (!f->head)
			f->tail = &f->head;
		f->waiting -= fr->n + fr->n_noted;
		f->waiting_bytes -= fr->bytes.len;
		tell_refused(f, fr);
		upto = fr->upto;
		n_samples += fr->n_durable;
		any = true;
		frame_free(fr);
	}
	if (any && !f->closed)
		f->opt.done(f->opt.ctx, upto, n_samples);
	if (f->closed || !f->is_full || f->waiting > FEED_WAITING_MAX / 2 ||
	    f->waiting_bytes > FEED_BYTES_MAX / 2)
		return;
	f->is_full = false;
	if (f->opt.room)
		f->opt.room(f->opt.ctx);
}

/* ---- Writing ---------------------------------------------------------------------------------------------
 */

/* -ENOMEM: it is written again, which does no harm, and told of then. */
static int take_result(struct frame *fr, const struct write_result *result)
{
	const size_t n_noted = fr->n_noted;

	for (size_t i = 0; i < result->n_refused; i++) {
		const uint32_t at = result->refused[i].sample;
		const int r = note_refusal(fr, fr->tokens[at], fr->series[at], result->refused[i].reason);
		if (r < 0) {
			fr->n_noted = n_noted;
			return r;
		}
	}
	fr->feed->waiting += fr->n_noted - n_noted;
	fr->n_durable = fr->n - result->n_refused;
	return 0;
}

/* Nothing that can be put right by trying again. */
static bool is_for_good(int code)
{
	return code == ERR_MALFORMED || code == ERR_REFUSED;
}

/* A frame that is not taken as a whole: that is told of each of its samples, too. */
static int take_no(struct frame *fr, const struct write_result *result)
{
	const char *reason = result->note.text[0] ? result->note.text : err_text(result->code);
	const size_t n_noted = fr->n_noted;

	for (uint32_t i = 0; i < fr->n; i++)
		if (note_refusal(fr, fr->tokens[i], fr->series[i], reason) < 0) {
			fr->n_noted = n_noted;
			return FAIL(-ENOMEM);
		}
	fr->feed->waiting += fr->n;
	return 0;
}

static void on_written(void *ctx, const struct write_result *result)
{
	struct frame *fr = ctx;
	struct feed *f = fr->feed;
	int r = result->code;

	if (!f) {
		frame_free(fr);
		return;
	}
	f->n_flying--;
	if (r == 0 && !fr->again)
		r = take_result(fr, result);
	if (is_for_good(r)) {
		engine_log_failure("feed", "a frame of samples was not taken", r, &result->note);
		r = take_no(fr, result);
	}
	arena_free(fr->arena);
	fr->arena = NULL;
	fr->again |= r == 0;
	if (r == 0 && fr->rounds > 0)
		fr->rounds--;
	fr->state = r == 0 && fr->rounds == 0 ? FRAME_DONE : FRAME_READY;
	f->n_ready += fr->state == FRAME_READY;
	f->failing = r != 0;
	turn_soon(f, r == 0 ? 0 : RETRY_MS);
}

static int submit(struct feed *f, struct frame *fr)
{
	struct packed *p = NULL;

	TRY(arena_new(&fr->arena, BUDGET_BASE + BUDGET_SAMPLE * (size_t)fr->n));
	if (fr->n > 0 && !fr->again) {
		p = arena_take(fr->arena, sizeof *p);
		if (!p)
			return FAIL(-ENOMEM);
		TRY(packed_check(buf_bytes(&fr->bytes), p));
	}
	fr->state = FRAME_FLYING; /* it may be done before writer_submit() returns */
	f->n_flying++;
	f->n_ready--;
	const int r = writer_submit(f->engine->writer, &(struct write_request){.arena = fr->arena,
									       .arena_is_lent = true,
									       .frame = p,
									       .done = on_written,
									       .ctx = fr});
	if (r < 0) {
		fr->state = FRAME_READY;
		f->n_flying--;
		f->n_ready++;
	}
	return r;
}

static void submit_ready(struct feed *f)
{
	for (struct frame *fr = f->head; fr && f->n_ready > 0 && f->n_flying < FLYING_MAX; fr = fr->next) {
		if (fr->state != FRAME_READY)
			continue;
		const int r = submit(f, fr);
		if (r < 0) {
			arena_free(fr->arena);
			fr->arena = NULL;
			f->failing = true;
			turn_soon(f, RETRY_MS);
			return;
		}
	}
}

static void on_turn(uv_timer_t *t)
{
	struct feed *f = t->data;

	f->failing = false;
	if (f->missed && open_frame(f) == 0) {
		f->open->upto = f->missed > f->open->upto ? f->missed : f->open->upto;
		f->missed = 0;
	}
	const bool sealed = !f->open || f->n_flying > 0 || f->n_ready > 0 || close_frame(f) == 0;
	if (!sealed || f->missed)
		turn_soon(f, RETRY_MS);
	submit_ready(f);
	tell(f);
}

static void turn_soon(struct feed *f, uint64_t after_ms)
{
	if (f->failing && after_ms == 0)
		return; /* the timer runs already */
	if (!uv_is_active((uv_handle_t *)&f->turn) || after_ms > 0)
		uv_timer_start(&f->turn, on_turn, after_ms, 0);
}

/* ---- Life ------------------------------------------------------------------------------------------------
 */

int feed_new(struct feed **ret, struct engine *e, const struct feed_options *opt)
{
	struct feed *f = calloc(1, sizeof *f);

	if (!f)
		return FAIL(-ENOMEM);
	f->source = strdup(opt->source);
	if (!f->source) {
		free(f);
		return FAIL(-ENOMEM);
	}
	f->engine = e;
	f->opt = *opt;
	f->tail = &f->head;
	uv_timer_init(&e->loop, &f->turn);
	f->turn.data = f;
	*ret = f;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct feed *f = h->data;

	for (uint32_t i = 0; i < f->n_series; i++)
		free(f->series[i]);
	free(f->series);
	map_fini(&f->by_name);
	packed_writer_fini(&f->columns);
	free(f->source);
	free(f);
}

/* Frames on their way to the log are the writer's until they are written. */
void feed_free(struct feed *f)
{
	if (!f || f->closed)
		return;
	f->closed = true;
	frame_free(f->open);
	f->open = NULL;
	for (struct frame *fr = f->head, *next; fr; fr = next) {
		next = fr->next;
		fr->feed = NULL;
		if (fr->state != FRAME_FLYING)
			frame_free(fr);
	}
	f->head = NULL;
	f->tail = &f->head;
	uv_close((uv_handle_t *)&f->turn, on_closed);
}

/* ---- Series ----------------------------------------------------------------------------------------------
 */

static struct series *series_new(const char *twin, const char *property)
{
	const size_t twin_len = strlen(twin), property_len = strlen(property);
	struct series *s = calloc(1, sizeof *s + 2 * (twin_len + 1) + property_len + 1);

	if (!s)
		return NULL;
	memcpy(s->key, twin, twin_len);
	s->key[twin_len] = '\n';
	memcpy(s->key + twin_len + 1, property, property_len);
	s->property = s->key + twin_len + 1;
	s->twin = memcpy(s->key + twin_len + property_len + 2, twin, twin_len);
	return s;
}

static int add_series(struct feed *f, struct series *s)
{
	if (f->n_series == f->series_size) {
		const uint32_t size = f->series_size ? 2 * f->series_size : 64;
		struct series **more = realloc(f->series, size * sizeof(struct series *));
		if (!more)
			return FAIL(-ENOMEM);
		f->series = more;
		f->series_size = size;
	}
	s->number = f->n_series;
	TRY(map_put(&f->by_name, s->key, s));
	f->series[f->n_series++] = s;
	return 0;
}

int feed_series(struct feed *f, const char *twin, const char *property, uint32_t *ret, struct err_note *note)
{
	char key[TWIN_ID_MAX + PROPERTY_MAX + 2];

	if (!id_is_twin(bytes_of_text(twin)))
		return FAIL_SAY(note, ERR_REFUSED, "'%.100s' cannot be the id of a twin", twin);
	if (!id_is_name(bytes_of_text(property)))
		return FAIL_SAY(note, ERR_REFUSED, "'%.100s' cannot be the name of a property", property);
	snprintf(key, sizeof key, "%s\n%s", twin, property);
	struct series *s = map_get(&f->by_name, key);
	if (!s && f->n_series == FEED_SERIES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "an adapter has at most %d series", FEED_SERIES_MAX);
	if (!s) {
		s = series_new(twin, property);
		const int r = s ? add_series(f, s) : FAIL(-ENOMEM);
		if (r < 0) {
			free(s);
			return r;
		}
	}
	*ret = s->number;
	return 0;
}

static const struct property_def *find_property(struct feed *f, struct series *s)
{
	const struct store *store = f->engine->store;
	size_t place;
	const struct twin *t = s->handle ? store_series_owner(store, s->handle, &place) : NULL;

	if (t)
		return &t->type->def.properties[place];
	t = store_twin(store, s->twin);
	const struct property_def *p =
		t && t->type ? type_property(&t->type->def, s->property, &place) : NULL;
	s->handle = p ? store_series(store, t, place) : 0;
	return s->handle ? p : NULL;
}

const struct property_def *feed_wants(struct feed *f, uint32_t series)
{
	return find_property(f, f->series[series]);
}

/* ---- Putting ---------------------------------------------------------------------------------------------
 */

static int put_column(struct feed *f, uint32_t series, const struct sample *s, uint64_t token)
{
	int r;

	TRY(open_frame(f));
	if (f->columns.n == FRAME_SAMPLES)
		r = PACKED_FULL;
	else
		r = packed_put(&f->columns, f->series[series]->handle, s);
	if (r > 0) {
		const uint64_t upto = f->open->upto;
		if (upto == token)
			f->open->upto = token - 1; /* the rest of it comes in the next frame */
		r = close_frame(f);
		if (r < 0)
			f->open->upto = upto;
		TRY(r);
		TRY(open_frame(f));
		r = packed_put(&f->columns, f->series[series]->handle, s);
	}
	TRY(r);
	f->open->tokens[f->columns.n - 1] = token;
	f->open->series[f->columns.n - 1] = series;
	return 0;
}

/* Why it cannot be stored; NULL: it may. */
static const char *find_fault(struct feed *f, struct series *s, const struct property_def *p,
			      const struct sample *sample, char ret[REASON_BYTES])
{
	if (!p && store_twin(f->engine->store, s->twin))
		snprintf(ret, REASON_BYTES, "the twin has no such property");
	else if (!p)
		snprintf(ret, REASON_BYTES, "there is no such twin here");
	else if (property_is_nodes_own(p))
		snprintf(ret, REASON_BYTES, "%s", sample_refusal_text(SAMPLE_NODES_OWN));
	else if (sample->value.type != p->type)
		snprintf(ret, REASON_BYTES, "it is %s, the property is %s",
			 value_type_text(sample->value.type), value_type_text(p->type));
	else
		return NULL;
	return ret;
}

int feed_put(struct feed *f, uint32_t series, const struct sample *given, uint64_t token)
{
	struct series *const s = f->series[series];
	const struct property_def *p = find_property(f, s);
	struct sample sample = *given;
	char reason[REASON_BYTES];

	if (p)
		value_fit(&sample.value, p->type);
	if (!sample.source)
		sample.source = f->source;
	const char *fault = find_fault(f, s, p, &sample, reason);
	const int r = fault ? 0 : put_column(f, series, &sample, token);
	if (r == ERR_MALFORMED)
		fault = "its text is too long";
	else
		TRY(r);
	if (fault) {
		TRY(open_frame(f));
		TRY(note_refusal(f->open, token, series, fault));
	}
	f->waiting++;
	if (f->waiting >= FEED_WAITING_MAX || f->waiting_bytes >= FEED_BYTES_MAX)
		f->is_full = true;
	feed_mark(f, token);
	return 0;
}

void feed_mark(struct feed *f, uint64_t token)
{
	if (open_frame(f) == 0)
		f->open->upto = token;
	else
		f->missed = token; /* tried again */
	turn_soon(f, 0);
}

/* The writer keeps to the order in which it is asked. Twice: what is being written may have to be before what
 * was said of the same thing since is asked for (commands_keep.c). */
void feed_mark_behind(struct feed *f, uint64_t token)
{
	enum { ROUNDS = 2 };

	if (open_frame(f) == 0)
		f->open->rounds = ROUNDS;
	feed_mark(f, token);
}

bool feed_is_full(const struct feed *f)
{
	return f->is_full;
}
