/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/packed.h"
#include "tools/client_private.h"

enum { TRIES = 3 };

/* The series of one request that the node has, in the order they were named. */
struct reading {
	const uint32_t *series;
	size_t n;
	uint32_t handles[SERIES_NAMES_MAX], places[SERIES_NAMES_MAX];
	size_t n_handles;
};

static int take_values(const struct client *c, const struct reading *q, const struct packed *p,
		       struct sample *ret)
{
	if (p->n != q->n_handles)
		return FAIL(ERR_MALFORMED);
	for (size_t i = 0; i < p->n; i++) {
		const uint32_t place = q->places[i];
		if (packed_u32(p->series, i) != q->handles[i])
			return FAIL(ERR_MALFORMED);
		TRY(packed_sample(p, i, c->names.items[q->series[place]].type, NULL, &ret[place]));
	}
	return 0;
}

/* 1: the handles were of another incarnation. */
static int ask_values(struct client *c, struct reading *q, struct arena *a, struct sample *ret,
		      struct err_note *note)
{
	struct control_request request = {
		.op = CONTROL_READ, .handles = q->handles, .n_handles = q->n_handles};
	struct control_answer answer;
	struct packed p;

	TRY(client_ask(c, &request, a, &answer, note));
	if (answer.code < 0)
		return FAIL_SAY(note, answer.code, "%s",
				answer.text && *answer.text ? answer.text : err_text(answer.code));
	TRY(packed_check(answer.blob, &p));
	return p.incarnation != c->names.incarnation ? 1 : take_values(c, q, &p, ret);
}

static int read_some(struct client *c, struct reading *q, struct arena *a, struct sample *ret,
		     struct err_note *note)
{
	int r = 1;

	for (int i = 0; r == 1 && i < TRIES; i++) {
		TRY(client_resolve(c, q->series, q->n, note));
		q->n_handles = 0;
		for (size_t k = 0; k < q->n; k++) {
			const uint32_t handle = c->names.items[q->series[k]].handle;
			ret[k] = (struct sample){.sigma = NAN};
			if (handle == 0)
				continue;
			q->handles[q->n_handles] = handle;
			q->places[q->n_handles++] = (uint32_t)k;
		}
		r = q->n_handles > 0 ? ask_values(c, q, a, ret, note) : 0;
		if (r == 1)
			client_forget_handles(c);
	}
	return r == 1 ? FAIL_SAY(note, ERR_REFUSED, "the node's incarnation changes all the time") : r;
}

int client_read_values(struct client *c, const uint32_t *series, size_t n, struct arena *a,
		       struct sample *ret, struct err_note *note)
{
	struct reading *q = arena_take(a, sizeof *q);

	if (!q)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i += q->n) {
		q->series = series + i;
		q->n = n - i < SERIES_NAMES_MAX ? n - i : SERIES_NAMES_MAX;
		TRY(read_some(c, q, a, ret + i, note));
	}
	return 0;
}
