/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "storage/table.h"

static bool has_step(const struct life_step *steps, size_t n, const struct life_step *step)
{
	for (size_t i = 0; i < n; i++)
		if (steps[i].state == step->state && steps[i].since_ns == step->since_ns)
			return true;
	return false;
}

static int add_step(const char *id, const struct life_step *step, struct life_step *steps, size_t *n,
		    struct err_note *note)
{
	const struct life_step *last = &steps[*n - 1];
	char since[TIME_TEXT_SIZE];

	if (step->since_ns <= last->since_ns)
		return FAIL_SAY(note, ERR_REFUSED, "%s is %s since %s: its life-cycle takes only later steps",
				id, life_cycle_text(last->state), time_text(last->since_ns, since));
	if (step->state == last->state)
		return 0;
	if (!life_cycle_may(last->state, step->state))
		return FAIL_SAY(note, ERR_REFUSED, "%s is %s and cannot go to %s", id,
				life_cycle_text(last->state), life_cycle_text(step->state));
	if (*n == LIFE_STEPS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%s has the most life-cycle steps there can be, %d", id,
				LIFE_STEPS_MAX);
	steps[(*n)++] = *step;
	return 0;
}

int life_join(const struct twin_def *held, const struct twin_def *given, struct life_step *ret, size_t *ret_n,
	      struct err_note *note)
{
	const struct twin_def *base = held ? held : given;
	size_t n = 0;

	while (n < base->n_life && n < LIFE_STEPS_MAX) {
		ret[n] = base->life[n];
		n++;
	}
	if (n == 0)
		ret[n++] = (struct life_step){LIFE_OPERATING, TIME_MIN};
	for (size_t i = 0; held && i < given->n_life; i++)
		if (!has_step(ret, n, &given->life[i]))
			TRY(add_step(given->id, &given->life[i], ret, &n, note));
	*ret_n = n;
	return 0;
}
