/* SPDX-License-Identifier: Apache-2.0 */
#include "node/border.h"

#include "node/audit.h"
#include "node/door.h"
#include "node/fresh.h"
#include "node/gossip.h"
#include "node/log.h"
#include "node/record.h"
#include "proto/clock.h"

static int check_clock(const struct engine *e, struct err_note *note)
{
	const int64_t back_ns = clock_back_ns(&e->trust->clock);
	char back[DURATION_TEXT_SIZE];

	if (back_ns <= CLOCK_BACK_MAX_S * NS_PER_S)
		return 0;
	return FAIL_SAY(
		note, ERR_REFUSED,
		"the clock of this machine was set back by %s: set it right; if it is right now, stop "
		"the node and start it again after holond --forget-clock",
		duration_text(back_ns, back));
}

/* What was to be seen under an earlier policy, or of an earlier row, is not what may be seen. */
static int check_visibility(const struct engine *e, struct err_note *note)
{
	if (!e->visibility || visibility_is_settled(e->visibility))
		return 0;
	return FAIL_SAY(note, ERR_REFUSED,
			"what the others may see could not be computed, it is tried again: is there too "
			"little memory?");
}

int border_check(const struct engine *e, struct err_note *note)
{
	TRY(journal_check(e->journal, note));
	TRY(check_clock(e, note));
	TRY(check_visibility(e, note));
	if (e->door)
		TRY(door_check(e->door, note));
	return e->fresh ? fresh_check(e->fresh, note) : 0;
}

bool border_is_open(const struct engine *e)
{
	return border_check(e, NULL) == 0;
}

void border_watch(struct engine *e)
{
	struct err_note why = {0};
	const bool closed = border_check(e, &why) < 0;

	if (!(e->trust->self->roles & ROLE_BORDER) || closed == e->border_is_closed)
		return;
	e->border_is_closed = closed;
	record_admin(e->journal, closed ? "border closed" : "border open again", why.text);
	if (closed)
		log_warn("border", "closed, other organisations are not served: %s", why.text);
	else
		log_info("border", "open again");
	gossip_changed(e->gossip);
}
