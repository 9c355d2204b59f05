/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a packed frame: malformed, or every sample of it can be read as any type or is malformed, and
 * what was read and written anew reads the same. */
#include "proto/packed.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct sample *a, const struct sample *b)
{
	return a->t_ns == b->t_ns && a->quality == b->quality && value_equal(&a->value, &b->value) &&
	       (a->sigma == b->sigma || (isnan(a->sigma) && isnan(b->sigma)));
}

/* Copy the samples that can be read as this type. */
static void copy(const struct packed *p, enum value_type type, struct packed_writer *w, uint32_t *places)
{
	struct sample s;

	for (size_t i = 0; i < p->n; i++) {
		const int r = packed_sample(p, i, type, NULL, &s);
		must(r == 0 || r == ERR_MALFORMED);
		if (r < 0 || packed_put(w, packed_u32(p->series, i), &s) != 0)
			continue;
		places[w->n - 1] = (uint32_t)i;
	}
}

static void compare(const struct packed *p, enum value_type type, struct bytes frame, const uint32_t *places)
{
	struct packed again;
	struct sample a, b;

	must(packed_check(frame, &again) == 0);
	must(again.session == p->session && again.number == p->number);
	for (size_t i = 0; i < again.n; i++) {
		must(packed_sample(p, places[i], type, NULL, &a) == 0);
		must(packed_sample(&again, i, type, NULL, &b) == 0);
		must(same(&a, &b));
		must(packed_u32(again.series, i) == packed_u32(p->series, places[i]));
	}
}

static void try_as(const struct packed *p, enum value_type type)
{
	static uint32_t places[PACKED_SAMPLES_MAX];
	SCOPED(packed_writer_fini) struct packed_writer w = {0};
	SCOPED(buf_fini) struct buf frame = {0};
	const struct packed_id id = {p->session, p->number, p->incarnation};

	copy(p, type, &w, places);
	must(packed_finish(&w, &id, &frame) == 0);
	compare(p, type, buf_bytes(&frame), places);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packed p;
	const int r = packed_check((struct bytes){data, size}, &p);

	must(r == 0 || r == ERR_MALFORMED);
	if (r < 0)
		return 0;
	must(p.n <= PACKED_SAMPLES_MAX && p.source.len <= SOURCE_MAX);
	for (int type = VALUE_BOOL; type <= VALUE_POSITION; type++)
		try_as(&p, (enum value_type)type);
	return 0;
}
