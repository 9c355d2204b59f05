/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sparkplug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/sparkplug_private.h"
#include "proto/clock.h"

enum { LEVELS = 5, REASON_SIZE = 200 };

static const char prefix[] = "spBv1.0/";

enum kind { NBIRTH, DBIRTH, NDATA, DDATA, NDEATH, DDEATH, N_KINDS };
static const char *const kinds[] = {"NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"};

/* One message being taken. */
struct taken {
	struct spark_host *host;
	const struct spark_message *in;
	struct arena *arena;
	enum kind kind;
	const char *group, *name, *device; /* "": of the node itself */
	struct sparkplug_payload payload;
	struct spark_node *node;
};

bool spark_is_topic(const char *topic)
{
	return strncmp(topic, prefix, sizeof prefix - 1) == 0;
}

void spark_rebirth(int64_t now_ns, struct buf *out)
{
	struct sparkplug_metric m = {.name = "Node Control/Rebirth",
				     .datatype = SPARKPLUG_BOOLEAN,
				     .has_time = true,
				     .t_ns = now_ns,
				     .field = SPARKPLUG_TRUTH,
				     .truth = true};

	sparkplug_encode(
		&(struct sparkplug_payload){.has_time = true, .t_ns = now_ns, .metrics = &m, .n_metrics = 1},
		out);
}

static void fault(const struct taken *t, const char *reason)
{
	t->in->sink.fault(t->in->sink.ctx, reason);
}

/* ---- Nodes -----------------------------------------------------------------------------------------------
 */

static struct spark_node *make_node(const struct taken *t, const char *key)
{
	struct spark_host *h = t->host;
	struct spark_node *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->group = strdup(t->group);
	n->name = strdup(t->name);
	n->key = strdup(key);
	if (!n->group || !n->name || !n->key || map_put(&h->nodes, n->key, n) < 0) {
		spark_node_free(h, n);
		return NULL;
	}
	h->n_nodes++;
	return n;
}

static bool find_node(struct taken *t)
{
	const char *key = arena_print(t->arena, "%s/%s", t->group, t->name);
	char reason[REASON_SIZE];

	if (key && (strlen(key) > SPARKPLUG_NAME_MAX || strlen(t->device) > SPARKPLUG_NAME_MAX)) {
		fault(t, "the names in its topic are too long");
		return false;
	}
	t->node = key ? map_get(&t->host->nodes, key) : NULL;
	if (t->node)
		return true;
	if (t->host->n_nodes < HOST_NODES_MAX && key)
		t->node = make_node(t, key);
	if (!t->node) {
		snprintf(reason, sizeof reason, "there are more than %d edge nodes, or no memory is left",
			 HOST_NODES_MAX);
		fault(t, reason);
	}
	return t->node;
}

static void ask(const struct taken *t)
{
	struct spark_node *n = t->node;

	if (n->was_asked && t->in->mono_ms - n->asked_ms < HOST_ASK_MS)
		return;
	n->was_asked = true;
	n->asked_ms = t->in->mono_ms;
	t->in->sink.ask(t->in->sink.ctx, n->group, n->name);
}

/* Numbers go round. One that comes again, because the broker had no acknowledgement, tells where to go on. */
static void count(const struct taken *t)
{
	struct spark_node *n = t->node;
	const bool is_next = t->payload.has_seq && (t->in->again || t->payload.seq == n->next_seq);

	if (t->kind == NBIRTH || !n->is_born || t->kind == NDEATH)
		return;
	n->next_seq = (uint8_t)(t->payload.seq + 1);
	n->is_born = is_next;
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

static void say(const struct taken *t, const char *device, const struct spark_value *values, size_t n)
{
	const struct spark_word w = {.topic = arena_print(t->arena, "%s%s/%s/%s%s%s", prefix, t->group,
							  kinds[t->kind], t->name, device[0] ? "/" : "",
							  device),
				     .is_birth = t->kind == NBIRTH || t->kind == DBIRTH,
				     .values = values,
				     .n_values = n};

	if (w.topic)
		t->in->sink.word(t->in->sink.ctx, &w);
	else
		fault(t, "no memory is left for it");
}

static int64_t time_of(const struct taken *t, const struct sparkplug_metric *m)
{
	return m->has_time ? m->t_ns : t->payload.has_time ? t->payload.t_ns : t->in->now_ns;
}

/* A null says that what was there is not known any more. False: nothing is to be said. */
static bool value_of(const struct taken *t, const struct sparkplug_metric *m, struct spark_metric *born,
		     struct spark_value *ret)
{
	const uint32_t type = m->datatype || !born ? m->datatype : born->datatype;

	*ret = (struct spark_value){.name = born ? born->name : m->name,
				    .t_ns = time_of(t, m),
				    .is_historical = m->is_historical,
				    .quality = m->quality};
	if (m->is_null && !m->is_historical && born && born->last.type != VALUE_NONE) {
		/* Of its own: what follows in the message may put another text in its place. */
		ret->quality = QUALITY_UNCERTAIN;
		return value_copy(t->arena, &born->last, &ret->value) == 0;
	}
	if (!sparkplug_value(m, type, &ret->value))
		return false;
	if (born && !m->is_historical)
		spark_remember(t->host, born, &ret->value, m->quality);
	return true;
}

/* Known is what the birth has, and what says name and type itself. */
static void take_values(const struct taken *t)
{
	const struct sparkplug_payload *p = &t->payload;
	struct spark_device *d = spark_device_of(t->node, t->device);
	struct spark_value *values = arena_take_array(t->arena, p->n_metrics, sizeof *values);
	const bool is_known = t->node->is_born && d && d->is_alive;
	size_t n = 0, n_strange = 0;

	if (!values) {
		fault(t, "no memory is left for it");
		return;
	}
	for (size_t i = 0; i < p->n_metrics; i++) {
		const struct sparkplug_metric *m = &p->metrics[i];
		struct spark_metric *born = d ? spark_metric_of(d, m, is_known) : NULL;
		if (!born && (!m->name[0] || m->datatype == SPARKPLUG_UNKNOWN))
			n_strange++;
		else
			n += value_of(t, m, born, &values[n]);
	}
	if (n_strange > 0 || !is_known)
		ask(t);
	if (n_strange > 0)
		fault(t, is_known ? "it has metrics that are not in the birth"
				  : "the birth of its node or device is not known: the node is asked for it");
	say(t, t->device, values, n);
}

/* ---- Births and deaths -----------------------------------------------------------------------------------
 */

/* The number of the node's life; a death of an earlier one is of no account. False: it does not say. */
static bool bd_seq_of(const struct sparkplug_payload *p, uint64_t *ret)
{
	for (size_t i = 0; i < p->n_metrics; i++)
		if (strcmp(p->metrics[i].name, "bdSeq") == 0 && p->metrics[i].field == SPARKPLUG_BITS) {
			*ret = p->metrics[i].bits;
			return true;
		}
	return false;
}

static void take_birth(const struct taken *t)
{
	struct spark_node *n = t->node;
	struct err_note note = {0};

	const int r = spark_birth(t->host, n, t->device, &t->payload, &note);
	if (t->kind == NBIRTH) {
		n->is_born = r == 0;
		n->next_seq = (uint8_t)(t->payload.seq + 1);
		n->has_bd_seq = bd_seq_of(&t->payload, &n->bd_seq);
		for (struct spark_device *d = n->first; d; d = d->next)
			d->is_alive = d->is_alive && !d->name[0]; /* they are born anew */
	}
	if (r < 0)
		fault(t, note.text[0] ? note.text : err_text(r));
	else
		take_values(t);
}

/* What it said last, uncertain from now on. */
static void end_device(const struct taken *t, struct spark_device *d)
{
	struct spark_value *values = arena_take_array(t->arena, d->n_metrics, sizeof *values);
	size_t n = 0;

	if (!values) {
		fault(t, "no memory is left for it");
		return;
	}
	for (size_t i = 0; i < d->n_metrics; i++) {
		const struct spark_metric *m = &d->metrics[i];
		if (m->last.type != VALUE_NONE)
			values[n++] = (struct spark_value){
				.name = m->name,
				.t_ns = t->in->now_ns,
				.quality = m->quality == QUALITY_GOOD ? QUALITY_UNCERTAIN : m->quality,
				.value = m->last};
	}
	d->is_alive = false;
	say(t, d->name, values, n);
}

static void take_node_death(const struct taken *t)
{
	struct spark_node *n = t->node;
	uint64_t bd_seq;

	if (n->has_bd_seq && bd_seq_of(&t->payload, &bd_seq) && bd_seq != n->bd_seq)
		return;
	n->is_born = false;
	for (struct spark_device *d = n->first; d; d = d->next)
		if (d->is_alive)
			end_device(t, d);
}

static void take_device_death(const struct taken *t)
{
	struct spark_device *d = spark_device_of(t->node, t->device);

	if (d && d->is_alive)
		end_device(t, d);
}

/* ---- Messages --------------------------------------------------------------------------------------------
 */

/* spBv1.0/GROUP/TYPE/NODE[/DEVICE]. False: not for us (commands, states of hosts). */
static bool read_topic(struct taken *t)
{
	char *rest = arena_copy(t->arena, t->in->topic), *level[LEVELS] = {0};
	size_t n = 0, kind = 0;

	while (rest && n < LEVELS) {
		level[n++] = rest;
		rest = strchr(rest, '/');
		if (rest)
			*rest++ = '\0';
	}
	if (n < LEVELS - 1 || rest)
		return false;
	while (kind < N_KINDS && strcmp(level[2], kinds[kind]) != 0)
		kind++;
	t->kind = (enum kind)kind;
	t->group = level[1];
	t->name = level[3];
	t->device = level[4] ? level[4] : "";
	return kind < N_KINDS && (kinds[kind][0] == 'D') == (n == LEVELS);
}

void spark_host_take(struct spark_host *h, const struct spark_message *m, struct arena *a)
{
	static void (*const takes[])(const struct taken *t) = {
		[NBIRTH] = take_birth, [DBIRTH] = take_birth,      [NDATA] = take_values,
		[DDATA] = take_values, [NDEATH] = take_node_death, [DDEATH] = take_device_death};
	struct taken t = {.host = h, .in = m, .arena = a};

	if (!read_topic(&t))
		return;
	if (sparkplug_decode(a, m->payload, &t.payload) < 0) {
		fault(&t, "it is no payload of Sparkplug B");
		return;
	}
	if (!find_node(&t))
		return;
	count(&t);
	takes[t.kind](&t);
}

/* ---- Life ------------------------------------------------------------------------------------------------
 */

int spark_host_new(struct spark_host **ret)
{
	struct spark_host *h = calloc(1, sizeof *h);

	if (!h)
		return FAIL(-ENOMEM);
	*ret = h;
	return 0;
}

void spark_host_free(struct spark_host *h)
{
	size_t at = 0;

	if (!h)
		return;
	for (struct map_entry *e; (e = map_next(&h->nodes, &at));)
		spark_node_free(h, e->value);
	map_fini(&h->nodes);
	free(h);
}
