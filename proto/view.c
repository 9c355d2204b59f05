/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/view.h"

#include "proto/words.h"

static const char *const state_words[N_MEMBER_STATES] = {"live", "cached", "unreachable", "unconfirmed",
							 "absent"};

const char *member_state_text(enum member_state state)
{
	return word_at(state_words, N_MEMBER_STATES, state);
}
