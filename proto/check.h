/* SPDX-License-Identifier: Apache-2.0 */
/* Check - private to proto/: what the checks of twins and of types share. `of` names what a thing belongs to;
 * all fail with ERR_REFUSED and a note. */
#pragma once

#include "proto/twin.h"

/* A text for people: UTF-8 of bounded length. */
MUST_CHECK int check_text(const char *text, size_t max, const char *what, const char *of,
			  struct err_note *note);
MUST_CHECK int check_count(size_t n, size_t max, const char *what, const char *of, struct err_note *note);
/* The text at place i must not stand before it already. */
MUST_CHECK int check_new(const char *const *texts, size_t i, const char *what, const char *of,
			 struct err_note *note);
MUST_CHECK int check_kind(enum kind kind, const char *of, struct err_note *note);

/* Say of each property whether it is made of another one, by its name. In a type as it takes effect every
 * such name is made, for type_def_extend() lets nobody declare it. */
void type_def_mark_made(struct type_def *t);
