/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a sample:
 *
 *     put --series unknown--> waiting --resolve--+
 *      |                                         v
 *      +--series known-----------------------> filling --full--> ready --credit--> sent --answer--> free
 *                                                                  ^                |
 *                                                                  +--hung up, stale handles, no room
 *
 * A frame is packed with our own numbers of its series; the node's handles take their place whenever it is
 * sent, so that a frame outlives the incarnation in which it was packed. It keeps its number for good: a node
 * that has taken it already says so.
 */
#include <stdlib.h>
#include <time.h>

#include <sodium.h>

#include "proto/clock.h"
#include "proto/packed.h"
#include "proto/words.h"
#include "tools/client_private.h"

enum { N_FRAMES = CLIENT_WINDOW + 1, WAITING_BYTES = 4 << 20, CREDIT_UNSTATED = 4 };
#define PAUSE_NS (200 * NS_PER_MS) /* between two tries to reach the node */

enum frame_state { FRAME_FREE, FRAME_FILLING, FRAME_READY, FRAME_SENT };

struct frame {
	enum frame_state state;
	struct packed_writer samples; /* series: our own numbers */
	uint64_t *index;              /* of each sample, as the caller counts */
	uint64_t lowest;              /* of them; those that waited for their series come behind later ones */
	size_t size;
	uint64_t number, request; /* request: id of the one it went with */
	uint64_t incarnation;     /* whose handles it went with */
	uint64_t refused_by;      /* incarnation that did not take its handles; 0: none */
	bool again;               /* it was sent before, and perhaps taken */
};

struct waiting {
	uint32_t series;
	uint64_t index;
	struct sample sample; /* texts in the arena */
};

struct client_ingest {
	struct client_ingest_options options;
	struct client_tally tally;
	uint64_t session, next_number;
	struct frame frames[N_FRAMES], *filling;
	size_t n_sent;
	struct waiting waiting[CLIENT_WAITING_MAX];
	uint32_t waiting_series[CLIENT_WAITING_MAX];
	size_t n_waiting;
	struct arena *texts;   /* of those that wait */
	struct arena *answers; /* emptied for every part */
	int64_t trouble_ns;    /* since when the node takes nothing; 0: it does */
	int64_t pause_until_ns;
	bool stale; /* the node says our handles are */
	int code;   /* of an answer that no new try can mend */
	struct err_note note;
};

/* ---- life */

static void begin_filling(struct client_ingest *in, struct frame *f)
{
	packed_writer_clear(&f->samples);
	f->state = FRAME_FILLING;
	f->number = in->next_number++;
	f->request = 0;
	f->refused_by = 0;
	f->again = false;
	in->filling = f;
}

int client_ingest_begin(struct client *c, const struct client_ingest_options *opt, struct err_note *note)
{
	struct client_ingest *in = calloc(1, sizeof *in);

	if (!in || sodium_init() < 0) {
		free(in);
		return FAIL_SAY(note, -ENOMEM, "%s", err_text(-ENOMEM));
	}
	in->options = *opt;
	if (in->options.frame_samples == 0)
		in->options.frame_samples = CLIENT_FRAME_SAMPLES;
	if (in->options.retry_ns == 0)
		in->options.retry_ns = c->timeout_ns;
	randombytes_buf(&in->session, sizeof in->session);
	in->next_number = 1;
	client_ingest_free(c->ingest);
	c->ingest = in;
	TRY(arena_new(&in->texts, SIZE_MAX));
	TRY(arena_new(&in->answers, SIZE_MAX));
	begin_filling(in, &in->frames[0]);
	return 0;
}

void client_ingest_free(struct client_ingest *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < N_FRAMES; i++) {
		packed_writer_fini(&in->frames[i].samples);
		free(in->frames[i].index);
	}
	arena_free(in->texts);
	arena_free(in->answers);
	free(in);
}

struct client_tally client_tally(const struct client *c)
{
	return c->ingest->tally;
}

static void refuse(struct client_ingest *in, uint64_t index, const char *reason)
{
	in->tally.n_refused++;
	if (in->options.refused)
		in->options.refused(in->options.ctx, index, reason);
}

/* ---- answers */

static struct frame *frame_of_request(struct client_ingest *in, uint64_t request)
{
	for (size_t i = 0; i < N_FRAMES; i++)
		if (in->frames[i].state == FRAME_SENT && in->frames[i].request == request)
			return &in->frames[i];
	return NULL;
}

static void take_acknowledgement(struct client_ingest *in, struct frame *f, const struct control_answer *part)
{
	const uint64_t n = f->samples.n, told = part->n_changed + part->n_unchanged + part->n_refused;

	in->tally.n_stored += part->n_changed;
	in->tally.n_unchanged += part->n_unchanged;
	for (size_t i = 0; i < part->n_refused; i++)
		if (part->refused[i].sample < n)
			refuse(in, f->index[part->refused[i].sample], part->refused[i].reason);
	/* what an answer does not tell: of a frame taken before all, of a bad one what is beyond its list */
	if (told < n && f->again)
		in->tally.n_unchanged += n - told;
	else if (told < n)
		in->tally.n_refused += n - told;
	f->state = FRAME_FREE;
	in->trouble_ns = 0;
}

/* Disk full and the like pass; what the node cannot read, or does not know, it will not the next time. */
static bool is_passing(int code)
{
	return code == ERR_FULL || code == ERR_UNREACHABLE || (code > ERR_CORRUPT && code != -EINVAL);
}

static void take_failure(struct client_ingest *in, struct frame *f, const struct control_answer *part)
{
	f->state = FRAME_READY;
	f->refused_by = part->code == ERR_REFUSED ? f->incarnation : 0;
	in->stale |= part->code == ERR_REFUSED;
	in->pause_until_ns = is_passing(part->code) ? client_now_ns() + PAUSE_NS : 0;
	ignore(err_say(&in->note, 0, "%s", part->text && *part->text ? part->text : err_text(part->code)));
	if (in->trouble_ns == 0)
		in->trouble_ns = client_now_ns();
	if (part->code != ERR_REFUSED && !is_passing(part->code))
		in->code = part->code;
	else if (client_now_ns() - in->trouble_ns > in->options.retry_ns)
		in->code = part->code;
}

void client_ingest_take(struct client *c, const struct control_answer *part)
{
	struct frame *f = c->ingest ? frame_of_request(c->ingest, part->id) : NULL;

	if (!f || !part->last)
		return;
	c->ingest->n_sent--;
	c->credit = part->credit > 0 ? part->credit : c->credit;
	if (part->code < 0)
		take_failure(c->ingest, f, part);
	else
		take_acknowledgement(c->ingest, f, part);
}

/* ---- sending */

static struct frame *oldest_ready(struct client_ingest *in)
{
	struct frame *oldest = NULL;

	for (size_t i = 0; i < N_FRAMES; i++) {
		struct frame *f = &in->frames[i];
		if (f->state == FRAME_READY && (!oldest || f->number < oldest->number))
			oldest = f;
	}
	return oldest;
}

/* Put handles into the place of our own numbers. */
static void put_handles(const struct client *c, const struct frame *f, uint8_t *column)
{
	for (uint32_t i = 0; i < f->samples.n; i++) {
		const struct named_series *s = &c->names.items[packed_u32(column, i)];
		const uint32_t handle = s->known && f->number >= s->since ? s->handle : 0;
		memcpy(column + 4 * (size_t)i, &handle, sizeof handle);
	}
}

static int send_frame(struct client *c, struct frame *f, struct err_note *note)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct control_request request = {.op = CONTROL_INGEST};
	struct packed p;

	TRY(client_resolve(c, (const uint32_t *)(const void *)f->samples.series.data, f->samples.n, note));
	if (f->refused_by == c->names.incarnation) { /* then it was not for its handles */
		f->refused_by = 0;
		return FAIL_SAY(note, ERR_REFUSED, "%s", c->ingest->note.text);
	}
	const struct packed_id id = {c->ingest->session, f->number, c->names.incarnation};
	TRY(packed_finish(&f->samples, &id, &b));
	TRY(packed_check(buf_bytes(&b), &p));
	put_handles(c, f, b.data + (p.series - b.data));
	request.blob = buf_bytes(&b);
	TRY(client_send(c, &request, note));
	f->request = request.id;
	f->incarnation = id.incarnation;
	f->state = FRAME_SENT;
	c->ingest->n_sent++;
	return 0;
}

/* Frames of another incarnation must all be answered before the first goes out with new handles: what is
 * refused for its handles may then go again in the order of the numbers. */
static bool may_send(const struct client *c)
{
	const struct client_ingest *in = c->ingest;
	const uint32_t credit = c->credit > 0 ? c->credit : CREDIT_UNSTATED;

	return in->n_sent < credit && in->n_sent < CLIENT_WINDOW && !(in->stale && in->n_sent > 0) &&
	       client_now_ns() >= in->pause_until_ns;
}

static int send_ready(struct client *c, struct err_note *note)
{
	struct frame *f;

	while (may_send(c) && (f = oldest_ready(c->ingest))) {
		if (c->ingest->stale)
			client_forget_handles(c);
		c->ingest->stale = false;
		TRY(send_frame(c, f, note));
	}
	return 0;
}

/* ---- trouble */

static void sleep_ns(int64_t ns)
{
	nanosleep(&(struct timespec){ns / NS_PER_S, ns % NS_PER_S}, NULL);
}

/* Nobody knows what became of the frames that are on their way: all go again. */
static void take_back(struct client_ingest *in)
{
	for (size_t i = 0; i < N_FRAMES; i++)
		if (in->frames[i].state == FRAME_SENT) {
			in->frames[i].state = FRAME_READY;
			in->frames[i].again = true;
		}
	in->n_sent = 0;
}

/* Nothing waits for the node any more: the next trouble is another one. */
static void end_trouble(struct client_ingest *in)
{
	if (in->n_sent == 0 && !oldest_ready(in) && in->n_waiting == 0)
		in->trouble_ns = 0;
}

/* The note says already what is wrong. */
static int reach_again(struct client *c, struct err_note *note)
{
	struct client_ingest *in = c->ingest;
	int r = ERR_UNREACHABLE;

	take_back(in);
	if (in->trouble_ns == 0)
		in->trouble_ns = client_now_ns();
	while (r == ERR_UNREACHABLE && client_now_ns() - in->trouble_ns < in->options.retry_ns) {
		r = client_reconnect(c, note);
		if (r == ERR_UNREACHABLE)
			sleep_ns(PAUSE_NS);
	}
	if (r == ERR_UNREACHABLE)
		in->trouble_ns = 0; /* the next call tries again for as long */
	else
		end_trouble(in);
	return r;
}

/* One look at the connection: send what may be sent, take one part of an answer. With `wait` it waits for
 * one; a node that does not answer in time has hung up. CLIENT_NOTHING: none was there. */
static int step(struct client *c, bool wait, struct err_note *note)
{
	struct client_ingest *in = c->ingest;
	const int64_t now_ns = client_now_ns();
	struct control_answer part;
	int64_t until_ns = wait ? now_ns + c->timeout_ns : now_ns;

	TRY(send_ready(c, note));
	if (wait && in->n_sent == 0) /* the store pauses */
		until_ns = in->pause_until_ns;
	arena_reset(in->answers);
	const int r = client_await_part(c, until_ns, in->answers, &part, note);
	if (r == 0)
		client_ingest_take(c, &part);
	if (r == CLIENT_NOTHING && wait && in->n_sent > 0)
		return FAIL_SAY(note, ERR_UNREACHABLE, "no answer from %s", c->endpoint);
	return r;
}

/* The same, across any number of connections. */
static int step_on(struct client *c, bool wait, struct err_note *note)
{
	struct client_ingest *in = c->ingest;
	const int r = step(c, wait, note);

	if (r == ERR_UNREACHABLE)
		return reach_again(c, note);
	if (r >= 0 && in->code < 0) {
		const int code = in->code;
		in->code = 0; /* the next call tries again */
		in->trouble_ns = 0;
		return FAIL_SAY(note, code, "%s", in->note.text);
	}
	return r;
}

/* ---- packing */

static struct frame *free_frame(struct client_ingest *in)
{
	for (size_t i = 0; i < N_FRAMES; i++)
		if (in->frames[i].state == FRAME_FREE)
			return &in->frames[i];
	return NULL;
}

/* The frame being filled goes to those that wait for credit, and another one takes its place. */
static int next_frame(struct client *c, struct err_note *note)
{
	struct client_ingest *in = c->ingest;
	struct frame *f;
	int r;

	if (in->filling && in->filling->samples.n == 0)
		return 0;
	if (in->filling)
		in->filling->state = FRAME_READY;
	in->filling = NULL;
	r = step_on(c, false, note);
	TRY(r);
	while (!(f = free_frame(in)))
		TRY(step_on(c, true, note));
	begin_filling(in, f);
	return 0;
}

static int note_index(struct frame *f, uint64_t index)
{
	if (f->samples.n > f->size) {
		const size_t size = 2 * f->size > 1024 ? 2 * f->size : 1024;
		uint64_t *more = realloc(f->index, size * sizeof *more);
		if (!more) {
			f->samples.n--; /* it is not in the frame */
			return FAIL(-ENOMEM);
		}
		f->index = more;
		f->size = size;
	}
	f->index[f->samples.n - 1] = index;
	f->lowest = f->samples.n == 1 || index < f->lowest ? index : f->lowest;
	return 0;
}

static void refuse_type(struct client_ingest *in, const struct named_series *s, const struct value *v,
			uint64_t index)
{
	struct err_note why;

	ignore(err_say(&why, 0, "property '%.80s' is of type %s, the value is %s", s->property,
		       value_type_text(s->type), value_type_text(v->type))); /* words only */
	refuse(in, index, why.text);
}

/* The value as the type of the series. False: it was refused. */
static bool fit(struct client_ingest *in, const struct named_series *at, struct sample *s, uint64_t index)
{
	const struct value given = s->value;

	if (at->handle == 0) {
		refuse(in, index, sample_refusal_text(SAMPLE_NO_SERIES));
		return false;
	}
	if (given.type == at->type || given.type == VALUE_NONE)
		return true;
	value_fit(&s->value, at->type);
	if (s->value.type == at->type)
		return true;
	refuse_type(in, at, &given, index);
	return false;
}

/* A sample of a series that the node was asked for. First room is made, for that may take long and bring news
 * of the series; when it fails, the sample was not taken. */
static int put_known(struct client *c, uint32_t series, const struct sample *s, uint64_t index,
		     struct err_note *note)
{
	struct client_ingest *in = c->ingest;
	struct sample fitted = *s;
	int r = PACKED_FULL;

	if (in->filling && in->filling->samples.n < in->options.frame_samples) {
		if (!fit(in, &c->names.items[series], &fitted, index))
			return 0;
		r = packed_put(&in->filling->samples, series, &fitted);
	}
	if (r == PACKED_FULL || r == PACKED_OTHER) {
		TRY(next_frame(c, note));
		fitted = *s;
		if (!fit(in, &c->names.items[series], &fitted, index))
			return 0;
		r = packed_put(&in->filling->samples, series, &fitted);
	}
	if (r == ERR_MALFORMED) {
		refuse(in, index, "the text or the source is too long");
		return 0;
	}
	TRY(r);
	return note_index(in->filling, index);
}

/* ---- waiting for handles */

static int resolve_waiting(struct client *c, struct err_note *note)
{
	struct client_ingest *in = c->ingest;
	int r;

	while ((r = client_resolve(c, in->waiting_series, in->n_waiting, note)) == ERR_UNREACHABLE)
		TRY(reach_again(c, note));
	return r;
}

static int pack_waiting(struct client *c, struct err_note *note)
{
	struct client_ingest *in = c->ingest;
	size_t done = 0;
	int r = 0;

	if (in->n_waiting == 0)
		return 0;
	TRY(resolve_waiting(c, note));
	for (; r == 0 && done < in->n_waiting; done += r == 0) {
		const struct waiting *w = &in->waiting[done];
		r = put_known(c, w->series, &w->sample, w->index, note);
	}
	in->n_waiting -= done;
	memmove(in->waiting, in->waiting + done, in->n_waiting * sizeof in->waiting[0]);
	memmove(in->waiting_series, in->waiting_series + done, in->n_waiting * sizeof in->waiting_series[0]);
	if (in->n_waiting == 0)
		arena_reset(in->texts);
	end_trouble(in);
	return r;
}

static int keep_waiting(struct client_ingest *in, uint32_t series, const struct sample *s, uint64_t index)
{
	struct waiting *w = &in->waiting[in->n_waiting];

	*w = (struct waiting){series, index, *s};
	TRY(value_copy(in->texts, &s->value, &w->sample.value));
	if (s->source) {
		w->sample.source = arena_copy(in->texts, s->source);
		if (!w->sample.source)
			return FAIL(-ENOMEM);
	}
	in->waiting_series[in->n_waiting++] = series;
	return 0;
}

static bool is_in_doubt(const struct named_series *s)
{
	return !s->known || s->handle == 0;
}

int client_put_series(struct client *c, uint32_t series, const struct sample *s, struct err_note *note)
{
	struct client_ingest *in = c->ingest;

	if (in->n_waiting == CLIENT_WAITING_MAX || arena_used(in->texts) > WAITING_BYTES)
		TRY(pack_waiting(c, note));
	const uint64_t index = in->tally.n_put;
	if (is_in_doubt(&c->names.items[series]))
		TRY(keep_waiting(in, series, s, index));
	else
		TRY(put_known(c, series, s, index, note));
	in->tally.n_put++;
	return 0;
}

int client_put(struct client *c, const char *twin, const char *property, const struct sample *s,
	       struct err_note *note)
{
	struct err_note why = {{0}};
	uint32_t series;
	const int r = client_series(c, twin, property, &series, &why);

	if (r == ERR_REFUSED) {
		refuse(c->ingest, c->ingest->tally.n_put++, why.text);
		return 0;
	}
	TRY(r);
	return client_put_series(c, series, s, note);
}

void client_ingest_retype(struct client *c, struct named_series *s)
{
	struct client_ingest *in = c->ingest;

	if (!in)
		return;
	if (in->filling && in->filling->samples.n > 0) {
		in->filling->state = FRAME_READY;
		in->filling = NULL;
	}
	s->since = in->filling ? in->filling->number : in->next_number;
}

int client_poll(struct client *c, struct err_note *note)
{
	int r;

	while ((r = step_on(c, false, note)) == 0)
		;
	return r < 0 ? r : 0;
}

int client_flush(struct client *c, struct err_note *note)
{
	struct client_ingest *in = c->ingest;

	TRY(pack_waiting(c, note));
	TRY(next_frame(c, note));
	while (in->n_sent > 0 || oldest_ready(in)) {
		const int r = step_on(c, true, note);
		TRY(r);
	}
	return 0;
}

int client_push(struct client *c, struct err_note *note)
{
	TRY(pack_waiting(c, note));
	return next_frame(c, note);
}

/* One frame stays for what waits for its series, and one for what does not fit the frame being filled. */
bool client_has_room(const struct client *c, size_t n)
{
	const struct client_ingest *in = c->ingest;
	size_t n_free = 0;

	for (size_t i = 0; i < N_FRAMES; i++)
		n_free += in->frames[i].state == FRAME_FREE;
	return (n + in->n_waiting) / in->options.frame_samples + 2 <= n_free;
}

uint64_t client_settled(const struct client *c)
{
	const struct client_ingest *in = c->ingest;
	uint64_t settled = in->n_waiting > 0 ? in->waiting[0].index : in->tally.n_put;

	for (size_t i = 0; i < N_FRAMES; i++) {
		const struct frame *f = &in->frames[i];
		if (f->state != FRAME_FREE && f->samples.n > 0 && f->lowest < settled)
			settled = f->lowest;
	}
	return settled;
}
