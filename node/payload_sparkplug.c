/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of Sparkplug B by their names. */
#include <string.h>

#include "node/payload.h"
#include "node/sparkplug.h"
#include "node/value_json.h"

static void put_metric(const struct taking *k, struct payload_value *v, const struct spark_value *m)
{
	struct record_time at = {.t_ns = m->t_ns, .quality = m->quality};
	json_t *j = value_to_json(&m->value);

	if (!m->is_historical)
		payload_judge_clock(k, &at);
	if (j)
		payload_put(k, v, j, NULL, NAN, &at);
	else
		payload_fault(k, "no memory is left for it");
	json_decref(j);
}

/* Without `values`: every metric that is a property of the twin; others are common. */
static void take_all(const struct taking *k, const struct spark_word *w)
{
	for (size_t i = 0; i < w->n_values; i++) {
		struct payload_value v = {.property = w->values[i].name,
					  .from = w->values[i].name,
					  .scale = {.scale = 1, .unit = ""}};
		if (k->sink->wants(k->sink->ctx, v.property))
			put_metric(k, &v, &w->values[i]);
	}
}

void payload_take_word(struct payload_map *m, const struct topic_variables *v, const struct spark_word *w,
		       struct arena *a, const struct payload_sink *sink)
{
	const struct taking k = {.map = m, .variables = v, .arena = a, .sink = sink};

	if (m->n_values == 0)
		take_all(&k, w);
	for (size_t i = 0; i < m->n_values; i++) {
		struct payload_value *one = &m->values[i];
		bool found = !w->is_birth || one->optional;
		for (size_t j = 0; j < w->n_values; j++) {
			if (strcmp(w->values[j].name, one->from) != 0)
				continue;
			put_metric(&k, one, &w->values[j]);
			found = true;
		}
		if (!found)
			payload_fault(&k, "the birth has no value of the metric '%.80s'", one->from);
	}
}
