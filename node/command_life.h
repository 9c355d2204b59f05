/* SPDX-License-Identifier: Apache-2.0 */
/* Command life - which step of a command follows what happens (proto/command.h draws it). */
#pragma once

#include "proto/command.h"

enum life_event {
	LIFE_PERMIT,   /* somebody confirms it */
	LIFE_REFUSE,   /* somebody who could have */
	LIFE_ACCEPTED, /* the asset says so */
	LIFE_DONE,
	LIFE_FAILED,
	LIFE_DEADLINE, /* is over */
	N_LIFE_EVENTS,
};

/* COMMAND_NONE: nothing follows. Of one that timed out DONE and FAILED are a further step, which leaves it
 * timed out. */
enum command_state command_next(enum command_state state, enum life_event event);
/* Is there anything that brings it from one state to the other? From COMMAND_NONE: can it begin so? */
bool command_may_follow(enum command_state before, enum command_state after);
