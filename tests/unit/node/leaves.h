/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves - for tests of what leaves the node (wire.h): twins with something to hide from volt, policies that
 * hide it, and the search for it in what was sent.
 */
#pragma once

#include "tests/unit/node/wire.h"

/* plant/ is shared as far as it is open, of `bare` that it is there; `history`: one more line on plant/. */
#define LEAVES_SOME(history) \
	"share \"some\"\n to org volt\n twins plant/**\n allow discover, summary\n" \
	" allow read open/*\n" history \
	" redact open/token as token\n until 2100-01-01\n" \
	"share \"bare\"\n to org volt\n twins bare\n allow discover\n until 2100-01-01\n" \
	"never \"secrets\"\n to everyone-else\n twins **\n deny summary, read, history, watch of " \
	"secret/**\n"
#define LEAVES_ALL(history) \
	"share \"all\"\n to org volt\n twins **\n allow discover, summary\n allow read **\n" history \
	" until 2100-01-01\n"

/* A type with open/level in m, open/word, open/token, and `more` (at most 3; their bounds are filled in). */
void leaves_put_type(const char *name, const struct property_def *more, size_t n);
void leaves_put_twin(const char *id, const char *type, const char *name, const char *tag);
void leaves_put_text(const char *id, const char *property, int64_t t_ns, const char *text);

/* ---- A scene, of finds and of views */

enum { LEAVES_MARKS = 8, LEAVES_SHOWN = 5 };
/* In what volt may not see under LEAVES_SOME, and nowhere else. */
extern const char *const leaves_marks[LEAVES_MARKS];
/* All properties, to be shown. */
extern const char *const leaves_shown[LEAVES_SHOWN];

void leaves_set_up(void);              /* twins, and no policy; its end is wire_tear_down() */
void leaves_begin(const char *policy); /* the peers join */
size_t leaves_times_sent(uint32_t session, const char *text);
/* No mark was sent there. */
void leaves_expect_clean(uint32_t session);
/* To a border of ours, that asks for a partner: it puts in the tokens. */
void leaves_expect_only_tokens(uint32_t session);
