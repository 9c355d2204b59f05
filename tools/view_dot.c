/* SPDX-License-Identifier: Apache-2.0 */
/* The language of Graphviz: a box for each member, coloured by its health, dashed where it did not answer
 * for itself. The certificate is the title. */
#include "tools/view_show.h"

#define NONE SIZE_MAX

/* Within quotes; what would end them comes out as '?'. */
static void put_quoted(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? '?' : *text, out);
}

static void put_member(const struct shown_view *v, const struct view_member *m, FILE *out)
{
	static const char *const colours[N_HEALTHS] = {[HEALTH_UNKNOWN] = "gray",
						       [HEALTH_GOOD] = "darkgreen",
						       [HEALTH_WARNING] = "orange",
						       [HEALTH_ALARM] = "red"};
	const struct view_question *q = v->question;

	fputs("  \"", out);
	put_quoted(m->id, out);
	fputs("\" [label=\"", out);
	put_quoted(m->id, out);
	if (*m->name) {
		fputs("\\n", out);
		put_quoted(m->name, out);
	}
	for (size_t i = 0; i < q->n_rollups && m->rollups; i++) {
		const char *spec = rollup_spec_text(v->arena, &q->rollups[i]);
		fputs("\\n", out);
		put_quoted(spec ? spec : "", out);
		fputc(' ', out);
		put_quoted(view_rollup_words(v->arena, &q->rollups[i], &m->rollups[i]), out);
	}
	fprintf(out, "\", color=%s%s];\n", colours[m->health],
		m->state == MEMBER_LIVE ? "" : ", style=dashed");
}

void view_dot(const struct shown_view *v, FILE *out)
{
	size_t depth = 0;

	fputs("digraph view {\n  rankdir=LR;\n  node [shape=box];\n  label=\"", out);
	put_quoted(view_certificate_text(v->arena, v->view), out);
	fputs("\";\n", out);
	for (size_t i = v->root_member; i != NONE; i = view_next(v, i, &depth, SIZE_MAX)) {
		put_member(v, &v->view->members[i], out);
		if (v->parent[i] == NONE)
			continue;
		fputs("  \"", out);
		put_quoted(v->view->members[v->parent[i]].id, out);
		fputs("\" -> \"", out);
		put_quoted(v->view->members[i].id, out);
		fputs("\";\n", out);
	}
	fputs("}\n", out);
}
