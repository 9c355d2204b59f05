/* SPDX-License-Identifier: Apache-2.0 */
/* Saved view - a twin of kind system-of-systems and type `saved-view` whose KPI `question` is the question of
 * a view as text (proto/view_text.h): who may see it, how it gets round and what it was before is as of any
 * twin.
 */
#pragma once

#include "proto/view.h"
#include "tools/verb.h"

#define SAVED_VIEW_TYPE "saved-view"
#define SAVED_VIEW_PROPERTY "question"

/* The id that a person means: of a word without a slash ORG/views/WORD, ORG being the node's. */
enum status saved_view_id(struct context *ctx, const char *word, const char **ret);

/* What the node holds of a twin, asking no other but in a person's name; *ret NULL: nothing, or not for whom
 * this is asked. */
enum status saved_view_row(struct context *ctx, const char *id, const struct row **ret);
static inline bool row_is_saved_view(const struct row *row)
{
	return row && !row->deleted && strcmp(row->type, SAVED_VIEW_TYPE) == 0;
}
/* The question in its summary; NULL: there is none, or not for us. */
const char *saved_view_question(const struct row *row);

/* cmd_view_saved.c */
extern const struct flag view_save_flags[];
enum status view_save_run(struct context *ctx, int argc, char *const argv[]);
enum status view_list_run(struct context *ctx, int argc, char *const argv[]);
enum status view_show_run(struct context *ctx, int argc, char *const argv[]);
enum status view_rm_run(struct context *ctx, int argc, char *const argv[]);
