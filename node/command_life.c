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
