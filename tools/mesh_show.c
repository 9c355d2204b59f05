/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/mesh_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tools/print.h"
#include "tools/report_show.h"

enum { COLUMNS_MAX = 12, MISSING_MAX = 100 };

const struct peer_info *report_peer(const struct node_report *r, const char *org, const char *node)
{
	for (size_t i = 0; i < r->n_peers; i++)
		if (strcmp(r->peers[i].node, node) == 0 && strcmp(r->peers[i].org, org) == 0)
			return &r->peers[i];
	return NULL;
}

const struct origin_info *report_origin(const struct node_report *r, const char *origin)
{
	for (size_t i = 0; i < r->n_origins; i++)
		if (strcmp(r->origins[i].origin, origin) == 0)
			return &r->origins[i];
	return NULL;
}

bool peer_is_seen(const struct peer_info *p)
{
	return p && strcmp(p->state, "connected") == 0;
}

static uint64_t lacks(const struct origin_info *o)
{
	return o->offered > o->seq ? o->offered - o->seq : 0;
}

static bool is_behind(const struct origin_info *o)
{
	return strcmp(o->state, "own") != 0 && strcmp(o->state, "held") != 0;
}

/* ---- The nodes -------------------------------------------------------------------------------------------
 */

/* What a table says of one node. */
struct sum {
	size_t n_seen, n_own, n_partners, n_behind;
	int64_t oldest_ns; /* of the origins of which an age is known */
	uint64_t bytes_in, bytes_out;
};

static struct sum sum_of(const struct mesh_show *m, const struct node_report *r)
{
	struct sum s = {0};

	for (size_t i = 0; i < r->n_peers; i++) {
		const struct peer_info *p = &r->peers[i];
		const bool own = strcmp(p->org, m->org) == 0;
		s.n_own += own;
		s.n_seen += own && peer_is_seen(p);
		s.n_partners += !own && peer_is_seen(p);
		s.bytes_in += p->bytes_in;
		s.bytes_out += p->bytes_out;
	}
	for (size_t i = 0; i < r->n_origins; i++) {
		s.n_behind += is_behind(&r->origins[i]);
		if (r->origins[i].age_ns > s.oldest_ns)
			s.oldest_ns = r->origins[i].age_ns;
	}
	return s;
}

static void node_row(const struct mesh_show *m, const struct node_report *r, struct table *t)
{
	struct arena *a = m->arena;
	const struct sum s = sum_of(m, r);

	if (!r->answered) {
		const char *known = r->known_ns < 0 ? "never heard" : report_heard_words(a, r->known_ns);
		table_row(t,
			  (const char *[]){r->node, "silent", known, "-", "-", "-", "-", "-", "-", r->why});
		return;
	}
	table_row(t,
		  (const char *[]){r->node, r->roles, arena_print(a, "%zu of %zu", s.n_seen, s.n_own),
				   human_count(a, s.n_partners), human_count(a, r->n_origins),
				   human_count(a, s.n_behind), report_age_words(a, s.oldest_ns),
				   report_size_words(a, s.bytes_in), report_size_words(a, s.bytes_out),
				   r->n_alarms > 0 ? arena_print(a, "%s alarms", human_count(a, r->n_alarms))
						   : "-"});
}

static void print_nodes(const struct mesh_show *m)
{
	struct table t = {.arena = m->arena, .n_columns = 10};

	table_row(&t, (const char *[]){"NODE", "ROLES", "SEES", "PARTNERS", "ORIGINS", "BEHIND", "OLDEST",
				       "IN", "OUT", "NOTES"});
	for (size_t i = 0; i < m->n; i++)
		node_row(m, &m->reports[i], &t);
	table_print(&t, stdout);
}

/* ---- Who sees whom, and holds what: a matrix of few, a list of what is missing of many -------------------
 */

/* The peers that are not own nodes and of which some node speaks, each once. */
static size_t partners_of(const struct mesh_show *m, const struct peer_info **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; j < m->reports[i].n_peers && n < COLUMNS_MAX; j++) {
			const struct peer_info *p = &m->reports[i].peers[j];
			size_t k = 0;
			while (k < n &&
			       (strcmp(ret[k]->org, p->org) != 0 || strcmp(ret[k]->node, p->node) != 0))
				k++;
			if (k == n && strcmp(p->org, m->org) != 0 && peer_is_seen(p))
				ret[n++] = p;
		}
	return n;
}

static const char *seen_cell(struct arena *a, const struct node_report *r, const char *org, const char *node)
{
	const struct peer_info *p = report_peer(r, org, node);

	if (!r->answered)
		return "?";
	return !p ? "" : peer_is_seen(p) ? report_age_words(a, p->heard_ns) : "-";
}

static void print_links(const struct mesh_show *m)
{
	const struct peer_info *partners[COLUMNS_MAX];
	const char *cells[2 * COLUMNS_MAX + 1] = {"SEES"};
	const size_t n_partners = partners_of(m, partners);
	struct table t = {.arena = m->arena, .n_columns = 1 + m->n + n_partners};

	for (size_t c = 0; c < m->n; c++)
		cells[1 + c] = m->reports[c].node;
	for (size_t c = 0; c < n_partners; c++)
		cells[1 + m->n + c] = arena_print(m->arena, "%s/%s", partners[c]->org, partners[c]->node);
	table_row(&t, cells);
	for (size_t i = 0; i < m->n; i++) {
		const struct node_report *r = &m->reports[i];
		cells[0] = r->node;
		for (size_t c = 0; c < m->n; c++)
			cells[1 + c] = c == i ? "." : seen_cell(m->arena, r, m->org, m->reports[c].node);
		for (size_t c = 0; c < n_partners; c++)
			cells[1 + m->n + c] = seen_cell(m->arena, r, partners[c]->org, partners[c]->node);
		table_row(&t, cells);
	}
	puts("\nWho sees whom: how long ago the node of the row last heard the one of the column; - no "
	     "session, "
	     "? silent");
	table_print(&t, stdout);
}

static const char *held_cell(struct arena *a, const struct node_report *r, const struct origin_info *o)
{
	if (!r->answered)
		return "?";
	if (!o)
		return "-";
	if (strcmp(o->state, "own") == 0)
		return arena_print(a, "own, %s", human_count(a, o->n_rows));
	if (!is_behind(o))
		return report_age_words(a, o->age_ns);
	return arena_print(a, "%s, %s behind", o->state,
			   o->offered > 0 ? human_count(a, lacks(o)) : "unknown");
}

/* Every origin that some node speaks of, each once. */
static size_t origins_of(const struct mesh_show *m, const char **ret, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; j < m->reports[i].n_origins && n < most; j++) {
			const char *origin = m->reports[i].origins[j].origin;
			size_t k = 0;
			while (k < n && strcmp(ret[k], origin) != 0)
				k++;
			if (k == n)
				ret[n++] = origin;
		}
	return n;
}

static void print_held(const struct mesh_show *m, const char *const *origins, size_t n)
{
	const char *cells[COLUMNS_MAX + 1] = {"HOLDS"};
	struct table t = {.arena = m->arena, .n_columns = 1 + n};

	memcpy(cells + 1, origins, n * sizeof *cells);
	table_row(&t, cells);
	for (size_t i = 0; i < m->n; i++) {
		const struct node_report *r = &m->reports[i];
		cells[0] = r->node;
		for (size_t c = 0; c < n; c++)
			cells[1 + c] = held_cell(m->arena, r, report_origin(r, origins[c]));
		table_row(&t, cells);
	}
	puts("\nWho holds what: how long ago the origin vouched for it, or how far it is behind");
	table_print(&t, stdout);
}

/* Nodes say it: their words are cleaned like anybody's. */
static void say_line(const char *text)
{
	print_clean(stdout, text ? text : "");
	putchar('\n');
}

static void say_missing(const struct mesh_show *m, const struct node_report *r, size_t *left)
{
	for (size_t i = 0; i<m->n && * left> 0; i++) {
		const struct peer_info *p = report_peer(r, m->org, m->reports[i].node);
		if (!p || peer_is_seen(p))
			continue;
		say_line(arena_print(m->arena, "%s does not see %s: %s", r->node, p->node, p->state));
		(*left)--;
	}
	for (size_t i = 0; i<r->n_origins && * left> 0; i++) {
		const struct origin_info *o = &r->origins[i];
		if (!is_behind(o))
			continue;
		say_line(arena_print(m->arena, "%s: %s %s", r->node, o->origin, held_cell(m->arena, r, o)));
		(*left)--;
	}
}

static void print_missing(const struct mesh_show *m)
{
	size_t left = MISSING_MAX;

	putchar('\n');
	for (size_t i = 0; i < m->n; i++)
		say_missing(m, &m->reports[i], &left);
	if (left == MISSING_MAX)
		puts("Every node that answered sees every other, and holds what it is offered.");
	if (left == 0)
		puts("... and more: see --json");
}

void mesh_show_text(const struct mesh_show *m)
{
	const char *origins[COLUMNS_MAX + 1];
	const size_t n_origins = origins_of(m, origins, COLUMNS_MAX + 1);
	size_t n_answered = 0;

	for (size_t i = 0; i < m->n; i++)
		n_answered += m->reports[i].answered;
	printf("%s: %zu of %zu nodes answered\n", m->org, n_answered, m->n);
	print_nodes(m);
	if (m->n <= COLUMNS_MAX)
		print_links(m);
	if (m->n <= COLUMNS_MAX && n_origins > 0 && n_origins <= COLUMNS_MAX)
		print_held(m, origins, n_origins);
	else
		print_missing(m);
	for (size_t i = 0; i < m->n; i++)
		if (m->reports[i].n_alarms > 0) {
			printf("\n%s:\n", m->reports[i].node);
			report_alarms_text(m->arena, m->reports[i].alarms, m->reports[i].n_alarms);
		}
}
