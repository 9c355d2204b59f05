/* SPDX-License-Identifier: Apache-2.0 */
#include "node/audit_count.h"

#include "proto/limits.h"
#include "proto/words.h"

enum {
	PARTS = 6,
	PERSON_MAX = 127,
	SEPARATOR = 0x1f,
	WHAT_MAX = 31,
	KEY_SIZE = 2 + ORG_NAME_MAX + PERSON_MAX + 255 + WHAT_MAX + TWIN_ID_MAX + PROPERTY_MAX + PARTS,
	ENTRY_BYTES = 64, /* of an entry beside its texts */
};

/* Kind, then the texts with a separator before each; too long ones are cut. */
static size_t make_key(enum audit_kind kind, const struct journal_read *r, char key[KEY_SIZE])
{
	const struct {
		const char *text;
		size_t max;
	} parts[PARTS] = {{r->partner, ORG_NAME_MAX}, {r->person, PERSON_MAX}, {r->rule, 255},
			  {r->what, WHAT_MAX},        {r->twin, TWIN_ID_MAX},  {r->property, PROPERTY_MAX}};
	size_t at = 0;

	key[at++] = (char)('A' + kind);
	for (size_t i = 0; i < PARTS; i++) {
		const char *text = text_or_empty(parts[i].text);
		const size_t n = strnlen(text, parts[i].max);
		key[at++] = SEPARATOR;
		memcpy(key + at, text, n);
		at += n;
	}
	key[at] = '\0';
	return at;
}

static struct audit_counter *make(enum audit_kind kind, const char *key, size_t len)
{
	struct audit_counter *c = malloc(sizeof *c + 2 * (len + 1));

	if (!c)
		return NULL;
	*c = (struct audit_counter){.kind = kind};
	memcpy(c->key, key, len + 1); /* for the map */
	char *at = memcpy(c->key + len + 1, key, len + 1);
	const char **const parts[PARTS] = {&c->partner, &c->person, &c->rule,
					   &c->what,    &c->twin,   &c->property};
	for (size_t i = 0; i < PARTS; i++) {
		at = strchr(at, SEPARATOR);
		*at++ = '\0';
		*parts[i] = at;
	}
	return c;
}

/* So many different ones, that entries of a minute stay below a megabyte; what limits keep out has a place of
 * its own. */
static bool is_full(const struct audit_counts *counts, bool is_read)
{
	return is_read ? counts->map.n >= AUDIT_COUNTERS_MAX || counts->bytes >= AUDIT_COUNT_BYTES_MAX
		       : counts->n_bounded >= AUDIT_BOUNDED_MAX;
}

struct audit_counter *audit_counts_add(struct audit_counts *counts, enum audit_kind kind,
				       const struct journal_read *r)
{
	char key[KEY_SIZE];
	size_t len = make_key(kind, r, key);
	struct audit_counter *c = map_get(&counts->map, key);
	const bool is_read = kind == AUDIT_READ || kind == AUDIT_DENIED;

	if (!c && is_full(counts, is_read) &&
	    kind != AUDIT_DENIED) { /* who does so much is counted as a whole */
		len = make_key(kind, &(struct journal_read){.partner = r->partner}, key);
		c = map_get(&counts->map, key);
	}
	if (!c) {
		c = make(kind, key, len);
		if (!c || map_put(&counts->map, c->key, c) < 0) {
			free(c);
			counts->lost++;
			return NULL;
		}
		counts->bytes += is_read ? len + ENTRY_BYTES : 0;
		counts->n_bounded += !is_read;
	}
	c->n++;
	return c;
}

struct journal_read audit_counts_place(const struct audit_entry *e, const char *why)
{
	return (struct journal_read){
		.partner = e->partner, .rule = e->subject, .what = why, .twin = e->org, .property = e->node};
}

const struct audit_counter *audit_counts_next(const struct audit_counts *counts, size_t *at)
{
	const struct map_entry *e = map_next(&counts->map, at);

	return e ? e->value : NULL;
}

void audit_counts_fini(struct audit_counts *counts)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&counts->map, &at));)
		free(e->value);
	map_fini(&counts->map);
	counts->bytes = counts->n_bounded = 0;
	counts->lost = 0;
}
