/* SPDX-License-Identifier: Apache-2.0 */
/* Order JSON - how programs that stand for assets are told of orders, and how they answer (holon-adapter(1)):
 *
 *     {"command": ID, "twin": .., "operation": .., "arguments": {..}, "deadline": TIME, "person": ORG/NAME}
 *     {"desired": PROPERTY, "twin": .., "value": .., "t": TIME, "deadline": TIME, "person": ..}
 *     {"command": ID, "state": "accepted" | "done" | "failed", "text": ..}          the answer
 */
#pragma once

#include "proto/control.h"
#include "tools/jsonin.h"

/* A line with its newline; to be freed. -ENOMEM. */
MUST_CHECK int order_to_json(const struct order *order, char **ret, size_t *ret_len);
/* Is the line an answer, and not a reading? */
bool word_is_json(const json_t *line);
/* Text is borrowed from the document. ERR_REFUSED with a note. */
MUST_CHECK int word_of_json(const struct spot *s, struct command_word *ret, struct err_note *note);
