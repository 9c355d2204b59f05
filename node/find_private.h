/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a find share:
 *
 *   find.c         its life, and putting the answer together
 *   find_scan.c    looking at own twins and held rows
 *   find_member.c  a twin or row as a member of the answer
 *   find_others.c  asking other nodes, judging what they say
 */
#pragma once

#include "node/find.h"
#include "node/matcher.h"

enum { FIND_BYTES_MAX = 64 << 20, FIND_SCRATCH_BYTES = 4 << 20, FIND_RUN = 256 };

/* The first ids of those that are found, rising. */
struct find_page {
	char (*room)[TWIN_ID_MAX + 1];
	char **ids; /* into room */
	size_t n, limit;
};

/* Who else has twins: a node of the own organisation, or a partner. */
struct find_source {
	const char *org, *node; /* node "" of a partner */
	enum { SOURCE_ASKED, SOURCE_ANSWERED, SOURCE_CACHED, SOURCE_LOST } state;
};

enum find_stage {
	FIND_IDS,    /* own twins in order of ids until the page is full */
	FIND_STORED, /* all of them, to be counted */
	FIND_TEXTS,  /* those with a text */
	FIND_WAIT,   /* for others */
	FIND_ROWS,   /* held rows of who did not answer */
	FIND_END,
};

struct find {
	struct engine *e;
	uv_idle_t idle;
	bool is_beginning, has_begun;
	struct arena *arena, *scratch;
	struct audience to;
	struct view_question q; /* its texts in the arena */
	struct matcher matcher;
	enum find_stage stage;
	const char *text; /* FIND_TEXTS: of the property of this slot */
	size_t slot;
	uint32_t place; /* FIND_STORED, FIND_TEXTS */
	char at[TWIN_ID_MAX + 1];
	struct find_page own, rows;
	struct view_counts own_counts, row_counts;
	struct find_source *sources;
	size_t n_sources;
	size_t n_waiting;
	struct view_part part; /* what others said, and in the end the answer */
	bool has_more;         /* of others */
	int64_t deadline_ns;   /* monotonic */
	int failed;
	view_fn *done;
	void *ctx;
};

bool find_counts(const struct find *f); /* all that are found, not only those returned */
MUST_CHECK int find_problem(struct find *f, const char *text);

/* ---- find_scan.c */
MUST_CHECK int find_scan_begin(struct find *f);
/* Some milliseconds of it: 1: go on, 0: this stage is over. */
MUST_CHECK int find_scan(struct find *f, int64_t until_ns);
MUST_CHECK int find_page_init(struct find_page *p, size_t limit, struct arena *a);
void find_page_put(struct find_page *p, const char *id);

/* ---- find_member.c */
/* STORE_ABSENT: it is not there any more, or not selected. */
MUST_CHECK int find_own_member(struct find *f, const char *id, struct view_member *ret);
MUST_CHECK int find_row_member(struct find *f, const char *id, struct view_member *ret);
/* A member that another node of ours answered with, as it may go on to the partner who asks. */
MUST_CHECK int find_pass_member(struct find *f, const struct view_member *m, struct view_member *ret);
MUST_CHECK int find_copy_member(struct arena *a, const struct view_member *m, struct view_member *ret);

/* ---- find_others.c */
MUST_CHECK int find_others_begin(struct find *f);
/* Is this origin's row to be looked at? */
bool find_wants_row(const struct find *f, const struct origin *origin);
/* Sources of the answer, of those who did not give their own. */
MUST_CHECK int find_add_sources(struct find *f);
void find_advance(struct find *f);
