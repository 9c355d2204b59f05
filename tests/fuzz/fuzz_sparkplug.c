/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a payload of Sparkplug B: malformed, or within its bounds; what was read is the same when
 * written and read again. */
#include <string.h>

#include "proto/clock.h"
#include "proto/sparkplug.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_metric(const struct sparkplug_metric *m, const struct sparkplug_metric *again)
{
	struct value v;

	must(strlen(m->name) <= SPARKPLUG_NAME_MAX);
	must(strcmp(m->name, again->name) == 0 && m->has_alias == again->has_alias &&
	     m->alias == again->alias);
	must(m->has_time == again->has_time && m->t_ns == again->t_ns && m->is_null == again->is_null);
	if (!sparkplug_value(m, m->datatype, &v))
		return;
	must(v.type != VALUE_NONE);
	must(m->field == again->field);
	if (m->field == SPARKPLUG_BITS)
		must(m->bits == again->bits);
	if (m->field == SPARKPLUG_WORDS)
		must(strcmp(m->words, again->words) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf out = {0};
	struct sparkplug_payload p, again;

	must(arena_new(&a, 1 << 24) == 0);
	const int r = sparkplug_decode(a, (struct bytes){data, size}, &p);
	must(r == 0 || r == ERR_MALFORMED || r == -ENOMEM);
	if (r < 0)
		return 0;
	must(p.seq < SPARKPLUG_SEQ_END && p.n_metrics <= SPARKPLUG_METRICS_MAX);
	sparkplug_encode(&p, &out);
	must(buf_check(&out) == 0);
	const int r2 = sparkplug_decode(a, buf_bytes(&out), &again);
	must(r2 == 0 || r2 == -ENOMEM);
	if (r2 < 0)
		return 0;
	must(again.n_metrics == p.n_metrics && again.seq == p.seq && again.t_ns == p.t_ns);
	for (size_t i = 0; i < p.n_metrics; i++)
		check_metric(&p.metrics[i], &again.metrics[i]);
	return 0;
}
