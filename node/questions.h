/* SPDX-License-Identifier: Apache-2.0 */
/* Questions - what peers ask of this node: answered here, or handed to the owner behind this border (DESIGN
 * 7).
 *
 * Who asks is the session's organisation; only a node of the own organisation may name another (a border on
 * behalf of the partner in front of it). Policy is checked where the data is and again at the border it
 * leaves by.
 */
#pragma once

#include "node/gossip.h"

void questions_on_question(struct engine *e, const struct session *from, const struct question *q);
