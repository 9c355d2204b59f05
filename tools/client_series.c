/* SPDX-License-Identifier: Apache-2.0 */
/* The names of series, the numbers that this process gave them, and the handles that the node gave them. */
#include "tools/client_private.h"

#include <stdlib.h>

#include "proto/clock.h"
#include "proto/id.h"

enum { KEY_SIZE = TWIN_ID_MAX + 1 + PROPERTY_MAX + 1, TRIES = 3 };
#define ASK_AGAIN_NS NS_PER_S /* for a series that the node does not have: it may have been made since */

/* A blank is in no name. False: too long to be names. */
static bool make_key(const char *twin, const char *property, char key[KEY_SIZE])
{
	const size_t n = strlen(twin), m = strlen(property);

	if (n > TWIN_ID_MAX || m > PROPERTY_MAX)
		return false;
	memcpy(key, twin, n);
	key[n] = ' ';
	memcpy(key + n + 1, property, m + 1);
	return true;
}

static uint32_t find(const struct client *c, const char *key)
{
	return (uint32_t)(uintptr_t)map_get(&c->names.by_name, key); /* 1 + place */
}

/* Both names and the key lie behind each other in one block. */
static int name_new(struct named_series *s, const char *twin, const char *key)
{
	const size_t n = strlen(twin), len = strlen(key);
	char *block = malloc(2 * (len + 1));

	if (!block)
		return FAIL(-ENOMEM);
	memcpy(block, key, len + 1);
	memcpy(block + len + 1, key, len + 1);
	block[n] = '\0';
	*s = (struct named_series){.twin = block, .property = block + n + 1};
	return 0;
}

static const char *key_of(const struct named_series *s)
{
	return s->property + strlen(s->property) + 1;
}

static int make_room(struct client_names *names)
{
	const size_t size = names->size > 0 ? 2 * names->size : 64;

	if (names->n < names->size)
		return 0;
	if (names->n >= UINT32_MAX / 2)
		return FAIL(-ENOMEM);
	struct named_series *items = realloc(names->items, size * sizeof *items);
	if (!items)
		return FAIL(-ENOMEM);
	names->items = items;
	names->size = size;
	return 0;
}

static int add(struct client_names *names, const char *twin, const char *key, uint32_t *ret)
{
	TRY(make_room(names));
	struct named_series *s = &names->items[names->n];
	TRY(name_new(s, twin, key));
	const int r = map_put(&names->by_name, key_of(s), (void *)(uintptr_t)(names->n + 1));
	if (r < 0) {
		free(s->twin);
		return r;
	}
	*ret = (uint32_t)names->n++;
	return 0;
}

int client_series(struct client *c, const char *twin, const char *property, uint32_t *ret,
		  struct err_note *note)
{
	char key[KEY_SIZE];
	const uint32_t place = make_key(twin, property, key) ? find(c, key) : 0;

	if (place > 0) {
		*ret = place - 1;
		return 0;
	}
	TRY(id_check_twin(twin, note));
	TRY(id_check_name(property, "property", note));
	return add(&c->names, twin, key, ret);
}

enum value_type client_series_type(const struct client *c, uint32_t series)
{
	const struct named_series *s = &c->names.items[series];

	return s->handle > 0 ? s->type : VALUE_NONE;
}

void client_names_fini(struct client_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i].twin);
	free(names->items);
	map_fini(&names->by_name);
	*names = (struct client_names){0};
}

/* ---- handles */

void client_forget_handles(struct client *c)
{
	for (size_t i = 0; i < c->names.n; i++)
		c->names.items[i].known = false;
}

static bool must_ask(const struct named_series *s)
{
	return !s->asked && (!s->known || (s->handle == 0 && client_now_ns() - s->asked_ns > ASK_AGAIN_NS));
}

static void learn(struct client *c, struct named_series *s, uint32_t handle, enum value_type type)
{
	if (s->type != VALUE_NONE && type != VALUE_NONE && type != s->type)
		client_ingest_retype(c, s);
	s->handle = type == VALUE_NONE ? 0 : handle;
	s->type = type == VALUE_NONE ? s->type : type;
	s->asked_ns = client_now_ns();
	s->known = true;
}

/* The series of one request, and its answer. */
struct asking {
	struct series_name names[SERIES_NAMES_MAX];
	uint32_t places[SERIES_NAMES_MAX];
	size_t n;
};

static int learn_all(struct client *c, const struct asking *q, const struct control_answer *answer,
		     struct err_note *note)
{
	if (answer->code < 0)
		return FAIL_SAY(note, answer->code, "%s",
				answer->text && *answer->text ? answer->text : err_text(answer->code));
	if (answer->n_handles != q->n || answer->incarnation == 0)
		return FAIL_SAY(note, ERR_MALFORMED, "the answer of %s does not fit the question",
				c->endpoint);
	if (answer->incarnation != c->names.incarnation)
		client_forget_handles(c);
	c->names.incarnation = answer->incarnation;
	c->credit = answer->credit > 0 ? answer->credit : c->credit;
	for (size_t i = 0; i < q->n; i++)
		learn(c, &c->names.items[q->places[i]], answer->handles[i], answer->handle_types[i]);
	return 0;
}

static int ask_names(struct client *c, struct asking *q, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_request request = {.op = CONTROL_SERIES, .names = q->names, .n_names = q->n};
	struct control_answer answer;
	int r = arena_new(&a, SIZE_MAX);

	for (size_t i = 0; i < q->n; i++) {
		const struct named_series *s = &c->names.items[q->places[i]];
		q->names[i] = (struct series_name){s->twin, s->property};
	}
	if (r == 0)
		r = client_ask(c, &request, a, &answer, note);
	for (size_t i = 0; i < q->n; i++)
		c->names.items[q->places[i]].asked = false;
	return r < 0 ? r : learn_all(c, q, &answer, note);
}

static int ask_unknown(struct client *c, const uint32_t *series, size_t n, struct err_note *note)
{
	SCOPED(scope_free) struct asking *q = NULL;

	for (size_t i = 0; i < n;) {
		if (!q && !must_ask(&c->names.items[series[i]])) {
			i++; /* most often nothing is to be asked at all */
			continue;
		}
		if (!q && !(q = malloc(sizeof *q)))
			return FAIL(-ENOMEM);
		for (q->n = 0; i < n && q->n < SERIES_NAMES_MAX; i++) {
			struct named_series *s = &c->names.items[series[i]];
			if (!must_ask(s))
				continue;
			s->asked = true;
			q->places[q->n++] = series[i];
		}
		if (q->n > 0)
			TRY(ask_names(c, q, note));
	}
	return 0;
}

static bool all_known(const struct client *c, const uint32_t *series, size_t n)
{
	size_t i = 0;

	while (i < n && c->names.items[series[i]].known)
		i++;
	return i == n;
}

/* A node that began another incarnation between two requests made the answer to the first one worthless. */
int client_resolve(struct client *c, const uint32_t *series, size_t n, struct err_note *note)
{
	for (int i = 0; i < TRIES; i++) {
		TRY(ask_unknown(c, series, n, note));
		if (all_known(c, series, n))
			return 0;
	}
	return FAIL_SAY(note, ERR_REFUSED, "the node at %s begins anew all the time", c->endpoint);
}
