/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/audit_show.h"

#include "proto/clock.h"
#include "tools/json.h"
#include "tools/print.h"

static void entry_json(uint64_t n, const struct audit_entry *e)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_count(&j, "entry", n);
	json_time(&j, "t", e->time_ns);
	json_text(&j, "kind", audit_kind_text(e->kind));
	json_count(&j, "count", e->count);
#define X(name, max) json_text(&j, #name, e->name);
	AUDIT_TEXTS(X)
#undef X
	json_close(&j);
}

static void print_part(const char *before, const char *text, const char *after)
{
	if (!text[0])
		return;
	fputs(before, stdout);
	print_clean(stdout, text);
	fputs(after, stdout);
}

/* NUMBER TIME KIND PERSON: what, whose, how often. */
void audit_show_entry(uint64_t n, const struct audit_entry *e, bool json)
{
	char time[TIME_TEXT_SIZE];

	if (json) {
		entry_json(n, e);
		return;
	}
	printf("%llu %s %s", (unsigned long long)n, time_text(e->time_ns, time), audit_kind_text(e->kind));
	print_part(" ", e->subject, "");
	print_part(" ", e->twin, "");
	print_part(" ", e->property, "");
	print_part(" partner=", e->partner, "");
	print_part(" rule=\"", e->rule, "\"");
	print_part(" by=\"", e->person, "\"");
	if (e->count > 0)
		printf(" count=%llu", (unsigned long long)e->count);
	print_part(": ", e->text, "");
	putchar('\n');
}

/* ---- Who saw ---------------------------------------------------------------------------------------------
 */

struct audit_saw_item {
	const char *partner, *person, *what, *property, *rule;
	uint64_t n;
	int64_t first_ns, last_ns;
};

/* Summaries and views may have had the property in them: they count for each. Reads of twins that are not
 * named (there were too many in that minute) may have been of this one. */
static bool concerns(const struct audit_saw *s, const struct audit_entry *e)
{
	if (e->kind != AUDIT_READ || e->time_ns < s->since_ns)
		return false;
	if (!e->twin[0])
		return true;
	return strcmp(e->twin, s->twin) == 0 &&
	       (!s->property || !e->property[0] || strcmp(e->property, s->property) == 0);
}

static struct audit_saw_item *find(struct audit_saw *s, const struct audit_entry *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct audit_saw_item *item = &s->items[i];
		if (strcmp(item->partner, e->partner) == 0 && strcmp(item->person, e->person) == 0 &&
		    strcmp(item->what, e->subject) == 0 && strcmp(item->property, e->property) == 0 &&
		    strcmp(item->rule, e->rule) == 0)
			return item;
	}
	return NULL;
}

int audit_saw_add(struct audit_saw *s, const struct audit_entry *e)
{
	struct audit_saw_item *item;

	if (!concerns(s, e))
		return 0;
	item = find(s, e);
	if (!item) {
		item = arena_push(s->arena, &s->items, &s->n, sizeof *item);
		if (!item)
			return FAIL(-ENOMEM);
		*item = (struct audit_saw_item){.partner = arena_copy(s->arena, e->partner),
						.person = arena_copy(s->arena, e->person),
						.what = arena_copy(s->arena, e->subject),
						.property = arena_copy(s->arena, e->property),
						.rule = arena_copy(s->arena, e->rule),
						.first_ns = e->time_ns};
		if (!item->partner || !item->person || !item->what || !item->property || !item->rule)
			return FAIL(-ENOMEM);
	}
	item->n += e->count;
	item->last_ns = e->time_ns;
	return 0;
}

static const char *what_text(const struct audit_saw_item *item)
{
	return item->what[0] ? item->what : "maybe: not named";
}

static void print_json(const struct audit_saw *s)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_text(&j, "twin", s->twin);
	json_text(&j, "property", s->property);
	json_open(&j, "seen", '[');
	for (size_t i = 0; i < s->n; i++) {
		const struct audit_saw_item *item = &s->items[i];
		json_open(&j, NULL, '{');
		json_text(&j, "partner", item->partner);
		json_text(&j, "person", item->person);
		json_text(&j, "what", item->what);
		json_text(&j, "property", item->property);
		json_text(&j, "rule", item->rule);
		json_count(&j, "count", item->n);
		json_time(&j, "first", item->first_ns);
		json_time(&j, "last", item->last_ns);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
}

void audit_saw_print(struct audit_saw *s)
{
	struct table t = {.arena = s->arena, .n_columns = 8};

	if (s->ctx->json) {
		print_json(s);
		return;
	}
	if (s->n == 0) {
		puts("no partner did");
		return;
	}
	table_row(&t, (const char *[]){"PARTNER", "PERSON", "WHAT", "PROPERTY", "RULE", "COUNT", "FIRST",
				       "LAST"});
	for (size_t i = 0; i < s->n; i++) {
		const struct audit_saw_item *item = &s->items[i];
		char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
		table_row(&t,
			  (const char *[]){item->partner, item->person[0] ? item->person : "-",
					   what_text(item), item->property[0] ? item->property : "-",
					   item->rule[0] ? item->rule : "-", human_count(s->arena, item->n),
					   arena_copy(s->arena, time_text(item->first_ns, first)),
					   arena_copy(s->arena, time_text(item->last_ns, last))});
	}
	table_print(&t, stdout);
}
