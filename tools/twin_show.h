/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that show twins. */
#pragma once

#include "tools/verb.h"

extern const struct flag twin_list_flags[], twin_find_flags[], twin_get_flags[];

enum status twin_list_run(struct context *ctx, int argc, char *const argv[]);
enum status twin_get_run(struct context *ctx, int argc, char *const argv[]);
enum status twin_find_run(struct context *ctx, int argc, char *const argv[]);
enum status twin_summaries_run(struct context *ctx, int argc, char *const argv[]); /* twin_summaries.c */

/* Of properties with transitions the words that may follow the present one; the member `steps`. Nothing of a
 * twin that has none (the answer has the type only if it has). */
struct json;
void steps_text(const struct control_answer *answer);
void show_steps(struct json *j, const struct control_answer *answer);
