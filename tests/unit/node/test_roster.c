/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/roster.h"

enum { MANY = 300 };

static struct roster_entry entry(unsigned i)
{
	struct roster_entry e = {.roles = ROLE_OWNER, .own = true, .not_after_ns = INT64_MAX};

	e.key.b[0] = (uint8_t)(i * 7);
	e.key.b[1] = (uint8_t)(i >> 8);
	e.key.b[2] = (uint8_t)i;
	snprintf(e.org, sizeof e.org, "acme");
	snprintf(e.node, sizeof e.node, "n%u", i);
	return e;
}

static struct roster *roster_of(unsigned n)
{
	struct roster_entry entries[MANY];
	struct roster *r = NULL;

	for (unsigned i = 0; i < n; i++)
		entries[i] = entry(i);
	cr_assert(eq(int, roster_new(&r, entries, n), 0));
	return r;
}

Test(roster, every_key_and_every_user_id_finds_its_own_entry)
{
	SCOPED(scope_roster) struct roster *r = roster_of(MANY);
	char user_id[USER_ID_SIZE];

	for (unsigned i = 0; i < MANY; i++) {
		const struct roster_entry want = entry(i);
		const struct roster_entry *e = roster_find(r, &want.key);
		cr_assert(e != NULL);
		cr_expect_str_eq(e->node, want.node);
		roster_user_id(e, user_id);
		cr_expect(roster_by_user_id(r, user_id) == e);
	}
}

Test(roster, a_stranger_is_not_found)
{
	SCOPED(scope_roster) struct roster *r = roster_of(MANY);
	const struct roster_entry stranger = entry(MANY);
	char user_id[USER_ID_SIZE];

	roster_user_id(&stranger, user_id);
	cr_expect(roster_find(r, &stranger.key) == NULL);
	cr_expect(roster_by_user_id(r, user_id) == NULL);
	cr_expect(roster_find(NULL, &stranger.key) == NULL);
	cr_expect(roster_by_user_id(NULL, user_id) == NULL);
}

Test(roster, an_empty_roster_knows_nobody)
{
	SCOPED(scope_roster) struct roster *r = roster_of(0);
	const struct roster_entry e = entry(1);

	cr_expect(roster_find(r, &e.key) == NULL);
}

Test(roster, a_user_id_counts_only_as_the_handler_gives_it)
{
	SCOPED(scope_roster) struct roster *r = roster_of(3);
	const struct roster_entry e = entry(1);
	char user_id[USER_ID_SIZE + 1] = "", good[USER_ID_SIZE];

	roster_user_id(&e, good);
	cr_expect(eq(int, strncmp(good, "v1:acme/n1:", 11), 0));
	cr_expect(eq(sz, strlen(good), 11 + 32));
	cr_expect(roster_by_user_id(r, "") == NULL);
	cr_expect(roster_by_user_id(r, "v1:acme/n1:") == NULL);
	snprintf(user_id, sizeof user_id, "%s ", good);
	cr_expect(roster_by_user_id(r, user_id) == NULL);
	snprintf(user_id, sizeof user_id, "V%s", good + 1);
	cr_expect(roster_by_user_id(r, user_id) == NULL);
	snprintf(user_id, sizeof user_id, "%s", good);
	memcpy(user_id + 3, "bolt", 4); /* the right key under another organisation's name */
	cr_expect(roster_by_user_id(r, user_id) == NULL);
}

Test(roster, the_longest_names_fit_a_user_id)
{
	struct roster_entry e = {0};
	char user_id[USER_ID_SIZE];

	memset(e.org, 'o', ORG_NAME_MAX);
	memset(e.node, 'n', NODE_NAME_MAX);
	roster_user_id(&e, user_id);
	cr_expect(eq(sz, strlen(user_id), 3 + ORG_NAME_MAX + 1 + NODE_NAME_MAX + 1 + 32));
}

Test(roster, of_several_entries_with_one_key_the_first_stays)
{
	struct roster_entry entries[MANY];
	struct roster *r = NULL;
	char user_id[USER_ID_SIZE];

	for (unsigned i = 0; i < MANY; i++) {
		entries[i] = entry(i);
		entries[i].key = entry(i % 3).key;
	}
	cr_assert(eq(int, roster_new(&r, entries, MANY), 0));
	for (unsigned i = 0; i < 3; i++)
		cr_expect_str_eq(roster_find(r, &entries[i].key)->node, entries[i].node);
	roster_user_id(&entries[4], user_id);
	cr_expect(roster_by_user_id(r, user_id) == NULL);
	roster_unref(r);
}

Test(roster, lives_until_the_last_reference_goes)
{
	struct roster *r = roster_of(2);
	struct roster *again = roster_ref(r);
	const struct roster_entry e = entry(1);

	roster_unref(r);
	cr_expect(roster_find(again, &e.key) != NULL);
	roster_unref(again);
	roster_unref(NULL);
	cr_expect(roster_ref(NULL) == NULL);
}
