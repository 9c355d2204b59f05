/* SPDX-License-Identifier: Apache-2.0 */
/* The mesh for other programs: JSON, and the language of Graphviz. */
#include <stdio.h>
#include <string.h>

#include "tools/json.h"
#include "tools/mesh_show.h"
#include "tools/report_show.h"

/* ---- JSON ------------------------------------------------------------------------------------------------
 */

static void origin_json(struct json *j, const struct origin_info *o)
{
	json_open(j, NULL, '{');
	json_text(j, "origin", o->origin);
	json_text(j, "state", o->state);
	json_count(j, "rows", o->n_rows);
	json_count(j, "seq", o->seq);
	json_count(j, "offered", o->offered);
	report_duration_json(j, "age_s", o->age_ns);
	json_close(j);
}

static void node_json(struct json *j, const struct node_report *r)
{
	json_open(j, NULL, '{');
	json_text(j, "node", r->node);
	json_bool(j, "answered", r->answered);
	json_text(j, "why", r->why);
	report_duration_json(j, "known_s", r->known_ns);
	json_text(j, "roles", r->roles);
	json_text(j, "version", r->version);
	json_seconds(j, "uptime_s", r->uptime_ns);
	json_count(j, "resident_bytes", r->resident_bytes);
	report_counts_json(j, &r->counts);
	json_open(j, "peers", '[');
	for (size_t i = 0; i < r->n_peers; i++)
		report_peer_json(j, &r->peers[i]);
	json_close(j);
	json_open(j, "origins", '[');
	for (size_t i = 0; i < r->n_origins; i++)
		origin_json(j, &r->origins[i]);
	json_close(j);
	report_alarms_json(j, r->alarms, r->n_alarms);
	json_close(j);
}

void mesh_show_json(const struct mesh_show *m)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_text(&j, "org", m->org);
	json_open(&j, "nodes", '[');
	for (size_t i = 0; i < m->n; i++)
		node_json(&j, &m->reports[i]);
	json_close(&j);
	json_close(&j);
}

/* ---- Graphviz --------------------------------------------------------------------------------------------
 */

/* Within quotes; what would end them comes out as '?'. */
static void put_label(const char *text)
{
	for (; *text; text++)
		putchar(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? '?' : *text);
}

static void quoted(const char *org, const char *node)
{
	putchar('"');
	put_label(org);
	putchar('/');
	put_label(node);
	putchar('"');
}

static void draw_node(const struct mesh_show *m, const struct node_report *r)
{
	fputs("    ", stdout);
	quoted(m->org, r->node);
	printf(" [label=\"%s\\n", r->node);
	put_label(r->answered ? r->roles : "silent");
	printf("\"%s];\n", r->answered ? "" : ", style=dashed, color=red");
}

/* An own node without a session is drawn too: that is what one looks for. */
static void draw_link(const struct mesh_show *m, const struct node_report *r, const struct peer_info *p)
{
	const bool own = strcmp(p->org, m->org) == 0, seen = peer_is_seen(p);

	if (!seen && !own)
		return;
	fputs("  ", stdout);
	quoted(m->org, r->node);
	fputs(" -> ", stdout);
	quoted(p->org, p->node);
	if (seen)
		printf(" [label=\"lag %s, age %s\\nin %s\"%s];\n", report_lag_words(m->arena, p),
		       report_age_words(m->arena, p->age_ns), report_size_words(m->arena, p->bytes_in),
		       p->n_behind > 0 ? ", color=orange" : "");
	else
		puts(" [style=dashed, color=red];");
}

void mesh_show_dot(const struct mesh_show *m)
{
	puts("digraph mesh {\n  node [shape=box];");
	printf("  subgraph \"cluster_%s\" {\n    label=\"%s\";\n", m->org, m->org);
	for (size_t i = 0; i < m->n; i++)
		draw_node(m, &m->reports[i]);
	puts("  }");
	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; j < m->reports[i].n_peers; j++)
			draw_link(m, &m->reports[i], &m->reports[i].peers[j]);
	puts("}");
}
