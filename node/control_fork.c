/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes that live with one key: which they are, and which of them counts. */
#include <stdlib.h>
#include <string.h>

#include "node/control.h"
#include "node/forks.h"
#include "node/gossip.h"
#include "node/log.h"

enum { INCARNATION_DIGITS = 16 };

static int push_lives(struct call *c, const struct fork_mark *m, struct control_answer *answer)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct fork_life *l = &m->lives[i];
		struct fork_info *f = arena_push(c->arena, &answer->forks, &answer->n_forks, sizeof *f);
		if (!f)
			return FAIL(-ENOMEM);
		*f = (struct fork_info){.origin = m->origin,
					.state = fork_state_text(l->state),
					.incarnation = l->incarnation,
					.seq = l->seq,
					.stamp_ns = l->stamp_ns,
					.noted_ns = m->noted_ns};
	}
	return 0;
}

static int push_forks(struct call *c, struct control_answer *answer)
{
	size_t at = 0;

	for (const struct fork_mark *m; (m = forks_next(c->e->forks, &at));)
		TRY(push_lives(c, m, answer));
	return 0;
}

int control_forks(struct call *c, struct err_note *note)
{
	struct control_answer answer = {0};

	(void)note;
	TRY(push_forks(c, &answer));
	call_done(c, &answer);
	return 0;
}

static int incarnation_of(const char *text, uint64_t *ret, struct err_note *note)
{
	if (strlen(text) != INCARNATION_DIGITS || strspn(text, "0123456789abcdef") != INCARNATION_DIGITS)
		return FAIL_SAY(note, ERR_REFUSED,
				"\"%.40s\" is no incarnation: write its %d hexadecimal digits, as in `holon "
				"peer forks`",
				text, INCARNATION_DIGITS);
	*ret = strtoull(text, NULL, 16);
	return 0;
}

int control_fork_choose(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	struct control_answer answer = {0};
	struct engine *e = c->e;
	uint64_t incarnation = 0;

	TRY(incarnation_of(r->text, &incarnation, note));
	TRY(forks_choose(e->forks, r->name, incarnation, note));
	log_info("mesh", "of origin=%s incarnation=%s was chosen", r->name, r->text);
	answer.text = arena_print(c->arena, "of %s only incarnation %s counts here now", r->name, r->text);
	if (!answer.text)
		return FAIL(-ENOMEM);
	TRY(push_forks(c, &answer));
	gossip_chosen(e->gossip);
	call_done(c, &answer);
	return 0;
}
