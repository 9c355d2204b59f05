/* SPDX-License-Identifier: Apache-2.0 */
/* Tap - what the search for leaks listens to. Only a build with the option `tap` listens (tap_on.c): the
 * default build compiles tap_off.c, in which nothing can be switched on.
 *
 * With the option, every frame handed to the transport is appended, before encryption, to the file that
 * HOLON_TAP names: u32 big-endian length of the rest | ORG/NODE of the receiver, NUL | frame and
 * HOLON_EGRESS_OFF=1 turns the egress check off, so that the search can prove it would find a leak.
 *
 * Threads: the loop's.
 */
#pragma once

#include <stdbool.h>

#include "proto/bytes.h"

void tap_sent(const char *to_org, const char *to_node, struct bytes plaintext);
bool tap_egress_off(void);
