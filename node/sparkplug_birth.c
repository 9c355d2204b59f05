/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "node/sparkplug_private.h"

/* ---- One metric ------------------------------------------------------------------------------------------
 */

static void forget_text(struct spark_host *h, struct spark_metric *m)
{
	if (m->text)
		h->n_bytes -= strlen(m->text) + 1;
	free(m->text);
	m->text = NULL;
	m->last = (struct value){.type = VALUE_NONE};
}

static char *keep_text(struct spark_host *h, const char *text)
{
	const size_t n = strlen(text) + 1;
	char *copy = h->n_bytes + n <= HOST_BYTES_MAX ? strdup(text) : NULL;

	h->n_bytes += copy ? n : 0;
	return copy;
}

void spark_remember(struct spark_host *h, struct spark_metric *m, const struct value *v, enum quality quality)
{
	forget_text(h, m);
	m->quality = quality;
	if (v->type == VALUE_TEXT) {
		m->text = keep_text(h, v->text);
		if (!m->text)
			return;
	}
	m->last = *v;
	if (m->text)
		m->last.text = m->text;
}

/* ---- One device ------------------------------------------------------------------------------------------
 */

static void forget_metrics(struct spark_host *h, struct spark_device *d)
{
	for (size_t i = 0; i < d->n_metrics; i++) {
		struct spark_metric *m = &d->metrics[i];
		forget_text(h, m);
		if (m->name)
			h->n_bytes -= strlen(m->name) + 1;
		free(m->name);
	}
	map_fini(&d->by_name);
	d->by_name = (struct map){0};
	h->n_metrics -= d->n_metrics;
	free(d->metrics);
	d->metrics = NULL;
	d->n_metrics = d->n_with_alias = 0;
}

void spark_node_free(struct spark_host *h, struct spark_node *n)
{
	if (!n)
		return;
	for (struct spark_device *d = n->first, *next; d; d = next) {
		next = d->next;
		forget_metrics(h, d);
		free(d->name);
		free(d);
		h->n_devices--;
	}
	map_fini(&n->devices);
	free(n->group);
	free(n->name);
	free(n->key);
	free(n);
}

struct spark_device *spark_device_of(const struct spark_node *n, const char *name)
{
	return map_get(&n->devices, name);
}

static int add_device(struct spark_host *h, struct spark_node *n, const char *name, struct spark_device **ret,
		      struct err_note *note)
{
	*ret = spark_device_of(n, name);
	if (*ret)
		return 0;
	if (h->n_devices >= HOST_DEVICES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "there are more than %d devices", HOST_DEVICES_MAX);
	struct spark_device *d = calloc(1, sizeof *d);
	if (d)
		d->name = strdup(name);
	if (!d || !d->name || map_put(&n->devices, d->name, d) < 0) {
		free(d ? d->name : NULL);
		free(d);
		return FAIL(-ENOMEM);
	}
	d->next = n->first;
	n->first = d;
	h->n_devices++;
	*ret = d;
	return 0;
}

/* ---- Births ----------------------------------------------------------------------------------------------
 */

static int by_alias(const void *a, const void *b)
{
	const struct spark_metric *x = a, *y = b;

	if (x->has_alias != y->has_alias)
		return x->has_alias ? -1 : 1;
	return (x->alias > y->alias) - (x->alias < y->alias);
}

static int copy_metrics(struct spark_host *h, struct spark_device *d, const struct sparkplug_payload *p,
			struct err_note *note)
{
	if (h->n_metrics + p->n_metrics > HOST_METRICS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "there are more than %d metrics", HOST_METRICS_MAX);
	d->metrics = calloc(p->n_metrics + 1, sizeof *d->metrics);
	if (!d->metrics)
		return FAIL(-ENOMEM);
	d->n_metrics = p->n_metrics;
	h->n_metrics += p->n_metrics;
	for (size_t i = 0; i < p->n_metrics; i++) {
		const struct sparkplug_metric *from = &p->metrics[i];
		struct spark_metric *m = &d->metrics[i];
		m->name = keep_text(h, from->name);
		if (!m->name)
			return FAIL_SAY(note, ERR_REFUSED, "there is no room for its names");
		m->has_alias = from->has_alias;
		m->alias = from->alias;
		m->datatype = from->datatype;
		d->n_with_alias += from->has_alias;
	}
	return 0;
}

static int index_metrics(struct spark_device *d, struct err_note *note)
{
	if (d->n_metrics > 0)
		qsort(d->metrics, d->n_metrics, sizeof *d->metrics, by_alias);
	for (size_t i = 0; i < d->n_metrics; i++) {
		struct spark_metric *m = &d->metrics[i];
		if (!m->name[0])
			return FAIL_SAY(note, ERR_REFUSED, "a metric of its birth has no name");
		if (i > 0 && m->has_alias && m[-1].alias == m->alias)
			return FAIL_SAY(note, ERR_REFUSED, "two metrics of its birth have the alias %llu",
					(unsigned long long)m->alias);
		TRY(map_put(&d->by_name, m->name, m));
	}
	return 0;
}

int spark_birth(struct spark_host *h, struct spark_node *n, const char *device,
		const struct sparkplug_payload *p, struct err_note *note)
{
	struct spark_device *d;

	TRY(add_device(h, n, device, &d, note));
	d->is_alive = false;
	forget_metrics(h, d);
	int r = copy_metrics(h, d, p, note);
	if (r == 0)
		r = index_metrics(d, note);
	if (r < 0)
		forget_metrics(h, d);
	d->is_alive = r == 0;
	return r;
}

struct spark_metric *spark_metric_of(const struct spark_device *d, const struct sparkplug_metric *m,
				     bool alias_counts)
{
	const struct spark_metric key = {.has_alias = true, .alias = m->alias};

	if (m->name[0])
		return map_get(&d->by_name, m->name);
	if (!alias_counts || !m->has_alias || d->n_with_alias == 0)
		return NULL;
	return bsearch(&key, d->metrics, d->n_with_alias, sizeof key, by_alias);
}
