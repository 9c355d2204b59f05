/* SPDX-License-Identifier: Apache-2.0 */
#include "node/command_life.h"

enum command_state command_next(enum command_state state, enum life_event event)
{
	static const uint8_t next[N_COMMAND_STATES][N_LIFE_EVENTS] = {
		[COMMAND_PENDING] = {[LIFE_PERMIT] = COMMAND_CONFIRMED,
				     [LIFE_REFUSE] = COMMAND_REFUSED,
				     [LIFE_DEADLINE] = COMMAND_TIMED_OUT},
		[COMMAND_CONFIRMED] = {[LIFE_ACCEPTED] = COMMAND_ACCEPTED,
				       [LIFE_DONE] = COMMAND_DONE,
				       [LIFE_FAILED] = COMMAND_FAILED,
				       [LIFE_DEADLINE] = COMMAND_TIMED_OUT},
		[COMMAND_ACCEPTED] = {[LIFE_DONE] = COMMAND_DONE,
				      [LIFE_FAILED] = COMMAND_FAILED,
				      [LIFE_DEADLINE] = COMMAND_TIMED_OUT},
		[COMMAND_TIMED_OUT] = {[LIFE_DONE] = COMMAND_TIMED_OUT, [LIFE_FAILED] = COMMAND_TIMED_OUT},
	};

	return state < N_COMMAND_STATES && event < N_LIFE_EVENTS ? (enum command_state)next[state][event]
								 : COMMAND_NONE;
}

bool command_may_follow(enum command_state before, enum command_state after)
{
	if (before == COMMAND_NONE)
		return after == COMMAND_PENDING || after == COMMAND_CONFIRMED || after == COMMAND_REFUSED;
	for (enum life_event event = 0; event < N_LIFE_EVENTS; event++)
		if (command_next(before, event) == after)
			return after != COMMAND_NONE;
	return false;
}
