/* SPDX-License-Identifier: Apache-2.0 */
/* What a node knows that could stand in a command line. Each offers its words; a node that does not answer is
 * passed over. */
#pragma once

#include <stdio.h>

#include "tools/verb.h"

struct completion {
	struct context line; /* the words before */
	const char *current; /* the one that is begun, perhaps "" */
	FILE *out;
	size_t n;
	bool silent; /* the node has not answered: not asked again */
};

/* A word, if it begins as the current one does. */
void completion_offer(struct completion *c, const char *word);

/* Ids by segment, as of files: what is below a twin is offered once it is begun. */
void complete_twins(struct completion *c);
void complete_views(struct completion *c);
void complete_twins_and_views(struct completion *c);
/* Of the twin named before, as far as it is known; else of all types. */
void complete_properties(struct completion *c);
void complete_rollups(struct completion *c); /* behind the colon */
void complete_types(struct completion *c);
void complete_orgs(struct completion *c);
/* Of the twin named before. */
void complete_alarms(struct completion *c);
void complete_operations(struct completion *c);
void complete_commands(struct completion *c); /* ids */
