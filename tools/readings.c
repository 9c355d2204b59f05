/* SPDX-License-Identifier: Apache-2.0 */
/* A frame's refusal is one of few reasons. What a person wants to read ("-1 is below the minimum 0") the node
 * says when it is asked to change this one sample, dry. */
#include "tools/readings.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_KEPT = 1 << 16, ASK_MAX = 500 };

_Static_assert((CLIENT_WINDOW + 1) * CLIENT_FRAME_SAMPLES + CLIENT_WAITING_MAX < N_KEPT,
	       "what may be refused is in the ring");

struct kept {
	struct mark mark;
	struct reading reading; /* texts in the block */
	char *block;
	size_t size;
	char reason[200]; /* of a refusal */
};

static void on_refused(void *ctx, uint64_t index, const char *reason)
{
	struct readings *r = ctx;
	struct kept *kept = &r->kept[index % N_KEPT];

	if (r->n_refusals % ASK_MAX == 0) {
		struct kept *more = realloc(r->refusals, (r->n_refusals + ASK_MAX) * sizeof *more);
		if (!more) {
			r->failed = -ENOMEM;
			return;
		}
		r->refusals = more;
	}
	struct kept *refusal = &r->refusals[r->n_refusals++];
	*refusal = *kept;
	ignore(snprintf(refusal->reason, sizeof refusal->reason, "%s", reason)); /* too long is cut */
	kept->block = NULL; /* it went with the refusal */
	kept->size = 0;
}

int readings_init(struct readings *r, struct client *client, readings_refused_fn *refused, void *ctx,
		  struct err_note *note)
{
	return readings_init_live(r, client, 0, refused, ctx, note);
}

int readings_init_live(struct readings *r, struct client *client, int64_t retry_ns,
		       readings_refused_fn *refused, void *ctx, struct err_note *note)
{
	const struct client_ingest_options opt = {.refused = on_refused, .ctx = r, .retry_ns = retry_ns};

	*r = (struct readings){.client = client, .refused = refused, .ctx = ctx};
	r->kept = calloc(N_KEPT, sizeof *r->kept);
	return r->kept ? client_ingest_begin(client, &opt, note) : FAIL(-ENOMEM);
}

static void free_refusals(struct kept *refusals, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(refusals[i].block);
	free(refusals);
}

void readings_fini(struct readings *r)
{
	free_refusals(r->refusals, r->n_refusals);
	for (size_t i = 0; r->kept && i < N_KEPT; i++)
		free(r->kept[i].block);
	free(r->kept);
	*r = (struct readings){0};
}

/* ---- what may be refused is kept until it no longer can */

static const char *append(char **at, const char *text)
{
	const size_t size = text ? strlen(text) + 1 : 0;
	const char *copy = *at;

	if (!text)
		return NULL;
	memcpy(*at, text, size);
	*at += size;
	return copy;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static int keep(struct kept *k, const struct reading *reading, struct mark mark)
{
	const struct value *v = &reading->sample.value;
	const bool is_text = v->type == VALUE_TEXT || v->type == VALUE_ENUM;
	const size_t size = text_size(reading->twin) + text_size(reading->property) +
			    text_size(reading->sample.source) + (is_text ? text_size(v->text) : 0);
	char *at;

	if (size > k->size) {
		at = realloc(k->block, size);
		if (!at)
			return FAIL(-ENOMEM);
		k->block = at;
		k->size = size;
	}
	at = k->block;
	k->mark = mark;
	k->reading = *reading;
	k->reading.twin = append(&at, reading->twin);
	k->reading.property = append(&at, reading->property);
	k->reading.sample.source = append(&at, reading->sample.source);
	if (is_text)
		k->reading.sample.value.text = append(&at, v->text);
	return 0;
}

/* ---- reporting */

static int by_line(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return (x->mark.line > y->mark.line) - (x->mark.line < y->mark.line);
}

/* The reasons that frames have; others are sentences already, some of them about what no request may say. */
static bool is_terse(const char *reason)
{
	int i = 0;

	while (i < N_SAMPLE_REFUSALS && strcmp(sample_refusal_text((enum sample_refusal)i), reason) != 0)
		i++;
	return i < N_SAMPLE_REFUSALS;
}

/* The sample as the client would have sent it. */
static struct op op_of(struct client *c, struct kept *k)
{
	struct reading *reading = &k->reading;
	uint32_t series;

	if (client_series(c, reading->twin, reading->property, &series, NULL) == 0)
		value_fit(&reading->sample.value, client_series_type(c, series));
	return (struct op){.kind = OP_SAMPLES,
			   .samples = {reading->twin, reading->property, &reading->sample, 1}};
}

/* Put the node's sentence into the place of the reason, where it has one. */
static int word(struct readings *r, struct kept *refusals, size_t n, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_request request = {.op = CONTROL_CHANGE, .dry_run = true};
	struct control_answer answer;
	struct kept *asked[ASK_MAX];

	TRY(arena_new(&a, SIZE_MAX));
	request.ops = arena_take_array(a, n, sizeof *request.ops);
	if (!request.ops)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		if (!is_terse(refusals[i].reason))
			continue;
		asked[request.n_ops] = &refusals[i];
		request.ops[request.n_ops++] = op_of(r->client, &refusals[i]);
	}
	if (request.n_ops == 0)
		return 0;
	TRY(client_ask(r->client, &request, a, &answer, note));
	for (size_t i = 0; i < answer.n_refused; i++)
		if (answer.refused[i].index < request.n_ops)
			ignore(snprintf(asked[answer.refused[i].index]->reason, sizeof asked[0]->reason, "%s",
					answer.refused[i].reason)); /* too long is cut */
	return 0;
}

/* While questions are on their way, answers to frames may refuse more: those make the next list. */
static void report(struct readings *r)
{
	struct err_note note = {0};
	struct kept *refusals = r->refusals;
	const size_t n = r->n_refusals;
	bool worded = true;

	r->refusals = NULL;
	r->n_refusals = 0;
	qsort(refusals, n, sizeof *refusals, by_line);
	for (size_t i = 0; i < n; i += ASK_MAX) {
		const size_t some = n - i < ASK_MAX ? n - i : ASK_MAX;
		/* Better words are not worth the ingest: without them the reasons are told as they are. A
		 * node that went away is noticed, and reached again, by whoever sends next. */
		worded = worded && word(r, refusals + i, some, &note) == 0;
		for (size_t k = i; k < i + some; k++)
			r->refused(r->ctx, &refusals[k].mark, refusals[k].reason);
	}
	free_refusals(refusals, n);
}

static int settle(struct readings *r, size_t at_least)
{
	if (r->failed < 0)
		return FAIL(r->failed);
	if (r->n_refusals >= at_least)
		report(r);
	return 0;
}

int readings_put(struct readings *r, const struct reading *reading, struct mark mark, struct err_note *note)
{
	const uint64_t index = client_tally(r->client).n_put;

	TRY(keep(&r->kept[index % N_KEPT], reading, mark));
	TRY(client_put(r->client, reading->twin, reading->property, &reading->sample, note));
	return settle(r, ASK_MAX);
}

int readings_flush(struct readings *r, struct err_note *note)
{
	TRY(client_flush(r->client, note));
	return settle(r, 1);
}

int readings_push(struct readings *r, struct err_note *note)
{
	TRY(client_push(r->client, note));
	return settle(r, 1);
}

int readings_poll(struct readings *r, struct err_note *note)
{
	TRY(client_poll(r->client, note));
	return settle(r, 1);
}

unsigned readings_durable(const struct readings *r, unsigned last)
{
	const uint64_t settled = client_settled(r->client);

	return settled == client_tally(r->client).n_put ? last : r->kept[settled % N_KEPT].mark.line - 1;
}

bool readings_pending(const struct readings *r)
{
	const struct client_tally t = client_tally(r->client);

	return t.n_put > t.n_stored + t.n_unchanged + t.n_refused;
}
