/* SPDX-License-Identifier: Apache-2.0 */
#include "security/policy_index.h"

#include <assert.h>
#include <string.h>

#include "proto/clock.h"
#include "security/policy_rules.h"

enum { HASH_START = 5381, HASH_STEP = 33, ALL_RIGHTS = 0xff };
static_assert(N_RIGHTS <= 8, "a cell has no room for more rights");

static uint32_t place_of(uint32_t parent, uint32_t hash)
{
	const uint32_t mixed = (hash ^ parent * UINT32_C(0x9e3779b1)) * UINT32_C(0x85ebca6b);

	return mixed ^ mixed >> 15;
}

/* ---- Looking up ---- */

static void add_cells(const struct policy_index *ix, uint32_t first, unsigned rights, struct rule_set *set)
{
	const struct index_cell *c = &ix->cells[first];

	if (first == 0)
		return;
	do
		if (c->rights & rights)
			set->words[c->word] |= c->bits;
	while (!c++->last);
}

static uint32_t find_edge(const struct policy_index *ix, uint32_t parent, const char *text, size_t length,
			  uint32_t hash)
{
	for (uint32_t at = place_of(parent, hash) & ix->mask; ix->table[at]; at = (at + 1) & ix->mask) {
		const struct index_node *n = &ix->nodes[ix->table[at]];
		if (n->hash == hash && n->parent == parent && n->length == length &&
		    memcmp(n->text, text, length) == 0)
			return ix->table[at];
	}
	return 0;
}

/* `path` is what is left of it; NULL: it has ended. No deeper than the patterns are. */
static void walk(const struct policy_index *ix, uint32_t node, const char *path, unsigned rights,
		 struct rule_set *set)
{
	const struct index_node *n = &ix->nodes[node];
	uint32_t hash = HASH_START;
	const char *end = path;

	add_cells(ix, n->below, rights, set);
	if (!path) {
		add_cells(ix, n->here, rights, set);
		return;
	}
	for (; *end != '\0' && *end != '/'; end++)
		hash = hash * HASH_STEP + (uint8_t)*end;
	const size_t length = (size_t)(end - path);
	const uint32_t next = find_edge(ix, node, path, length, hash);
	const char *rest = *end == '/' ? end + 1 : NULL;
	if (next)
		walk(ix, next, rest, rights, set);
	if (n->any && length > 0)
		walk(ix, n->any, rest, rights, set);
}

void index_add_path(const struct policy_index *ix, enum index_root root, const char *path, unsigned rights,
		    struct rule_set *set)
{
	walk(ix, root, path, rights, set);
}

void index_add_root(const struct policy_index *ix, enum index_root root, struct rule_set *set)
{
	add_cells(ix, ix->nodes[root].here, ALL_RIGHTS, set);
}

uint32_t index_add_name(const struct policy_index *ix, uint32_t node, const char *name, struct rule_set *set)
{
	uint32_t hash = HASH_START;
	const char *end = name;

	for (; *end != '\0'; end++)
		hash = hash * HASH_STEP + (uint8_t)*end;
	const uint32_t found = find_edge(ix, node, name, (size_t)(end - name), hash);
	if (found)
		add_cells(ix, ix->nodes[found].here, ALL_RIGHTS, set);
	return found;
}

/* ---- Building: sets are chains here, since rules come one after the other ---- */

struct link {
	struct index_cell cell;
	uint32_t next;
};

struct build {
	struct index_node *nodes; /* whose sets are the newest link of each chain */
	struct link *links;       /* the first is none */
	uint32_t *table;
	uint32_t n_nodes, nodes_room, n_links, links_room, mask;
	bool failed;
};

static void build_fini(struct build *b)
{
	free(b->nodes);
	free(b->links);
	free(b->table);
}

static bool make_room(void *items, uint32_t n, uint32_t *room, size_t size)
{
	void **place = items;
	const uint32_t wanted = *room ? *room * 2 : 64;

	if (n < *room)
		return true;
	void *more = realloc(*place, wanted * size);
	if (!more)
		return false;
	*place = more;
	*room = wanted;
	return true;
}

static void enter(uint32_t *table, uint32_t mask, const struct index_node *nodes, uint32_t node)
{
	uint32_t at = place_of(nodes[node].parent, nodes[node].hash) & mask;

	while (table[at])
		at = (at + 1) & mask;
	table[at] = node;
}

/* Keeps the table at most half full. */
static bool grow_table(struct build *b)
{
	const uint32_t mask = b->mask ? b->mask * 2 + 1 : 127;

	if (b->n_nodes < (b->mask + 1) / 2)
		return true;
	uint32_t *table = calloc(mask + 1, sizeof *table);
	if (!table)
		return false;
	for (uint32_t i = N_INDEX_ROOTS; i < b->n_nodes; i++)
		if (b->nodes[i].text)
			enter(table, mask, b->nodes, i);
	free(b->table);
	b->table = table;
	b->mask = mask;
	return true;
}

/* A new node; the one behind `*` has no text and stands in no table. 0: memory ran out. */
static uint32_t add_node(struct build *b, const struct index_node *node)
{
	if (!make_room(&b->nodes, b->n_nodes, &b->nodes_room, sizeof *b->nodes) || !grow_table(b)) {
		b->failed = true;
		return 0;
	}
	b->nodes[b->n_nodes] = *node;
	if (node->text)
		enter(b->table, b->mask, b->nodes, b->n_nodes);
	return b->n_nodes++;
}

static uint32_t name_below(struct build *b, uint32_t parent, const char *text, size_t length)
{
	const struct policy_index ix = {.nodes = b->nodes, .table = b->table, .mask = b->mask};
	uint32_t hash = HASH_START;

	for (size_t i = 0; i < length; i++)
		hash = hash * HASH_STEP + (uint8_t)text[i];
	const uint32_t found = find_edge(&ix, parent, text, length, hash);
	return found ? found
		     : add_node(b, &(struct index_node){.text = text,
							.parent = parent,
							.hash = hash,
							.length = (uint16_t)length});
}

static uint32_t any_below(struct build *b, uint32_t parent)
{
	if (!b->nodes[parent].any) {
		const uint32_t node = add_node(b, &(struct index_node){.parent = parent});
		b->nodes[parent].any = node;
	}
	return b->nodes[parent].any;
}

/* Rules come in order: one that is in the set already, or beside its like, is in the newest links. */
static void add_rule(struct build *b, uint32_t *set, size_t rule, unsigned rights)
{
	const uint16_t word = (uint16_t)(rule / 64);
	const uint64_t bit = UINT64_C(1) << rule % 64;

	for (uint32_t at = *set; at && b->links[at].cell.word == word; at = b->links[at].next)
		if (b->links[at].cell.rights == rights) {
			b->links[at].cell.bits |= bit;
			return;
		}
	if (!make_room(&b->links, b->n_links, &b->links_room, sizeof *b->links)) {
		b->failed = true;
		return;
	}
	b->links[b->n_links] =
		(struct link){.cell = {.bits = bit, .word = word, .rights = (uint8_t)rights}, .next = *set};
	*set = b->n_links++;
}

static void add_name(struct build *b, uint32_t parent, const char *name, size_t rule)
{
	const uint32_t node = name_below(b, parent, name, strlen(name));

	if (!b->failed)
		add_rule(b, &b->nodes[node].here, rule, ALL_RIGHTS);
}

static void add_pattern(struct build *b, enum index_root root, const char *pattern, size_t rule,
			unsigned rights)
{
	uint32_t node = root;

	while (!b->failed) {
		const size_t length = strcspn(pattern, "/");
		if (strcmp(pattern, "**") == 0) {
			add_rule(b, &b->nodes[node].below, rule, rights);
			return;
		}
		node = length == 1 && *pattern == '*' ? any_below(b, node)
						      : name_below(b, node, pattern, length);
		if (pattern[length] == '\0')
			break;
		pattern += length + 1;
	}
	if (!b->failed)
		add_rule(b, &b->nodes[node].here, rule, rights);
}

/* ---- What of a rule goes where ---- */

static void add_subject(struct build *b, const struct policy *p, const struct subject *s, size_t rule)
{
	const struct policy_group *group = s->kind == TO_GROUP ? policy_group(p, s->name) : NULL;
	uint32_t org;

	switch (s->kind) {
	case TO_EVERYONE_ELSE: add_rule(b, &b->nodes[INDEX_SUBJECTS].here, rule, ALL_RIGHTS); break;
	case TO_GROUP:
		for (size_t i = 0; group && i < group->n_orgs; i++)
			add_name(b, INDEX_SUBJECTS, group->orgs[i], rule);
		break;
	case TO_ORG:
		org = name_below(b, INDEX_SUBJECTS, s->name, strlen(s->name));
		if (!s->role && !b->failed)
			add_rule(b, &b->nodes[org].here, rule, ALL_RIGHTS);
		else if (s->role && !b->failed)
			add_name(b, org, s->role, rule);
		break;
	}
}

static void add_condition(struct build *b, const struct condition *c, size_t rule)
{
	switch (c->by) {
	case BY_PATH: add_pattern(b, INDEX_TWINS, c->text, rule, ALL_RIGHTS); break;
	case BY_TAG: add_name(b, INDEX_TAGS, c->text, rule); break;
	case BY_TYPE: add_name(b, INDEX_TYPES, c->text, rule); break;
	}
}

static void add_selector(struct build *b, const struct selector *s, size_t rule)
{
	if (s->n_all > 0)
		add_condition(b, &s->all[0], rule);
	for (size_t i = 0; s->n_all == 0 && i < s->n_any; i++)
		add_condition(b, &s->any[i], rule);
}

static void add_clause(struct build *b, const struct clause *c, size_t rule)
{
	for (size_t i = 0; c->of && i < c->n_properties; i++)
		add_pattern(b, INDEX_PROPERTIES, c->properties[i], rule, c->of);
}

static void add_roots(struct build *b)
{
	for (int i = 0; i < N_INDEX_ROOTS; i++)
		add_node(b, &(struct index_node){0});
	b->failed |= !make_room(&b->links, 0, &b->links_room, sizeof *b->links);
	b->n_links = 1;
}

static void add_policy(struct build *b, const struct policy *p)
{
	add_roots(b);
	for (size_t i = 0; i < p->n_rules && !b->failed; i++) {
		const struct rule *rule = &p->rules[i];
		for (size_t j = 0; j < rule->n_subjects && !b->failed; j++)
			add_subject(b, p, &rule->subjects[j], i);
		for (size_t j = 0; j < rule->n_selectors && !b->failed; j++)
			add_selector(b, &rule->selectors[j], i);
		for (size_t j = 0; j < rule->n_clauses && !b->failed; j++)
			add_clause(b, &rule->clauses[j], i);
	}
}

/* ---- Chains to runs ---- */

static uint32_t lay_out(const struct build *b, uint32_t chain, struct index_cell *cells, uint32_t *n)
{
	const uint32_t first = *n;

	for (uint32_t at = chain; at; at = b->links[at].next)
		cells[(*n)++] = b->links[at].cell;
	if (chain == 0)
		return 0;
	cells[*n - 1].last = true;
	return first;
}

static int keep(const struct build *b, struct arena *a, struct policy_index *ret)
{
	struct index_node *nodes = arena_take_array(a, b->n_nodes, sizeof *nodes);
	struct index_cell *cells = arena_take_array(a, b->n_links, sizeof *cells);
	uint32_t *table = arena_take_array(a, b->mask + 1, sizeof *table);
	uint32_t n = 1;

	if (!nodes || !cells || !table)
		return FAIL(-ENOMEM);
	memcpy(table, b->table, (b->mask + 1) * sizeof *table);
	for (uint32_t i = 0; i < b->n_nodes; i++) {
		nodes[i] = b->nodes[i];
		nodes[i].here = lay_out(b, b->nodes[i].here, cells, &n);
		nodes[i].below = lay_out(b, b->nodes[i].below, cells, &n);
	}
	*ret = (struct policy_index){.nodes = nodes, .cells = cells, .table = table, .mask = b->mask};
	return 0;
}

/* ---- The sets besides the tree ---- */

static bool is_careful(const struct rule *rule)
{
	bool careful = rule->n_redactions > 0;

	for (size_t i = 0; i < rule->n_selectors; i++)
		careful |= rule->selectors[i].n_all > 0;
	return careful;
}

static void add_to_sets(struct policy *p, size_t at)
{
	const struct rule *rule = &p->rules[at];
	unsigned whole = 0, any = 0;

	if (rule->never)
		rule_set_add(&p->nevers, at);
	if (is_careful(rule))
		rule_set_add(&p->careful, at);
	for (size_t i = 0; i < rule->n_clauses; i++) {
		whole |= rule->clauses[i].whole;
		any |= rule->clauses[i].whole | rule->clauses[i].of;
	}
	for (enum right r = 0; r < N_RIGHTS; r++) {
		if (any & right_bit(r))
			rule_set_add(&p->of_right[r], at);
		if (whole & right_bit(r))
			rule_set_add(&p->whole[r], at);
	}
	p->ends[at] = rule->never ? TIME_MAX : rule->until_ns;
}

int policy_index(struct policy *p)
{
	SCOPED(build_fini) struct build b = {0};

	p->own_org_bytes = strlen(p->own_org);
	p->ends = arena_take_array(p->arena, p->n_rules, sizeof *p->ends);
	if (!p->ends)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < p->n_rules; i++)
		add_to_sets(p, i);
	add_policy(&b, p);
	return b.failed ? FAIL(-ENOMEM) : keep(&b, p->arena, &p->index);
}

int index_conditions(const struct condition *list, size_t n, struct arena *a, struct policy_index *ret)
{
	SCOPED(build_fini) struct build b = {0};

	add_roots(&b);
	for (size_t i = 0; i < n && !b.failed; i++)
		add_condition(&b, &list[i], i);
	return b.failed ? FAIL(-ENOMEM) : keep(&b, a, ret);
}
