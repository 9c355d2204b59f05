/* SPDX-License-Identifier: Apache-2.0 */
/* An organisation's directory over the years: renewing, extending, revoking, rotating. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/clock.h"
#include "security/join.h"
#include "security/org_admin.h"
#include "security/org_merge.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

#define NOW (INT64_C(1790000000) * NS_PER_S)
#define HOUR (3600 * NS_PER_S)
#define DAY (24 * HOUR)
#define PASS BYTES("open sesame")

static const char *tmp;
static char dir[128];
static struct arena *arena;
static struct err_note note;

static void add_node(const char *name, int64_t now)
{
	char node_dir[128];
	const struct node_options o = {.org_dir = dir,
				       .node_dir = node_dir,
				       .name = name,
				       .roles = ROLE_OWNER,
				       .endpoint = "",
				       .border_endpoint = "",
				       .now_ns = now};

	snprintf(node_dir, sizeof node_dir, "%s/%s-%lld", tmp, name, (long long)(now / NS_PER_S));
	cr_assert(eq(int, org_dir_add_node(&o, &note), 0), "%s", note.text);
}

static int invite(const char *name, int64_t now)
{
	static const char *roles[] = {"shift-lead", "operator"};
	char person_dir[160];
	const struct person_options o = {.org_dir = dir,
					 .person_dir = person_dir,
					 .name = name,
					 .roles = roles,
					 .n_roles = 2,
					 .now_ns = now};

	snprintf(person_dir, sizeof person_dir, "%s/person-%s-%lld", tmp, name, (long long)(now / NS_PER_S));
	note.text[0] = '\0';
	return org_dir_add_person(&o, &note);
}

static void begin(void)
{
	must(keys_init() == 0);
	must(arena_new(&arena, 256 << 20) == 0);
	tmp = tmpdir_make();
	must(tmp);
	snprintf(dir, sizeof dir, "%s/acme", tmp);
	const struct org_dir_options o = {.dir = dir, .name = "acme", .passphrase = PASS, .now_ns = NOW};
	must(org_dir_init(&o, &note) == 0);
	add_node("press", NOW);
}

static void end(void)
{
	arena_free(arena);
	arena = NULL;
	tmpdir_remove();
}

TestSuite(org_admin, .init = begin, .fini = end, .timeout = 600);

static struct org load(int64_t now)
{
	struct org org = {0};

	cr_assert(eq(int, org_dir_load(arena, dir, now, &org, &note), 0), "%s", note.text);
	return org;
}

static struct renewed renew(int64_t now)
{
	struct renewed r = {0};

	cr_assert(eq(int, org_dir_renew(dir, now, &r, &note), 0), "%s", note.text);
	return r;
}

static bool says(const char *words)
{
	return strstr(note.text, words) != NULL;
}

#define expect_refused(r, words) \
	do { \
		const int refused = (r); \
		cr_expect(refused < 0); \
		cr_expect(says(words), "the note is: %s", note.text); \
	} while (0)

static struct bytes blob_bytes(const struct signed_blob *blob)
{
	struct buf b = {0};

	signed_blob_encode(blob, &b);
	must(buf_check(&b) == 0);
	const struct bytes kept = {(const uint8_t *)arena_text(arena, buf_bytes(&b)), b.len};
	buf_fini(&b);
	must(kept.data);
	return kept;
}

static int show(const struct org *to, struct bytes credential, int64_t now)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct credential c;

	must(arena_new(&a, 1 << 20) == 0);
	note.text[0] = '\0';
	return org_verify_credential(a, to, credential, now, &c, &note);
}

/* ---- renewing ---- */

Test(org_admin, a_credential_is_renewed_from_half_of_its_life)
{
	const struct bytes old = blob_bytes(&load(NOW).signed_nodes[0]);
	struct org org;

	cr_expect(eq(sz, renew(NOW + 15 * DAY - 1).nodes, 0));
	cr_expect(eq(sz, renew(NOW + 15 * DAY).nodes, 1));
	org = load(NOW + 15 * DAY);
	cr_expect(eq(i64, org.nodes[0].not_after_ns, NOW + 45 * DAY));
	cr_expect(eq(sz, renew(NOW + 15 * DAY).nodes, 0), "once is enough");
	cr_expect(eq(int, show(&org, old, NOW + 29 * DAY), 0), "old and new together: %s", note.text);
	cr_expect(eq(int, show(&org, blob_bytes(&org.signed_nodes[0]), NOW + 29 * DAY), 0));
	expect_refused(show(&org, old, NOW + 30 * DAY), "expired on");
}

Test(org_admin, the_keys_stay_and_the_serial_does_not)
{
	const struct credential old = load(NOW).nodes[0];

	renew(NOW + 20 * DAY);
	const struct credential next = load(NOW + 20 * DAY).nodes[0];
	cr_expect(memcmp(old.curve.b, next.curve.b, KEY_BYTES) == 0);
	cr_expect(memcmp(old.sign.b, next.sign.b, KEY_BYTES) == 0);
	cr_expect(memcmp(old.serial.b, next.serial.b, SERIAL_BYTES) != 0);
}

Test(org_admin, what_has_expired_is_not_renewed_but_extended_inside)
{
	const int64_t late = NOW + 31 * DAY;

	cr_expect(eq(sz, renew(late).nodes, 0));
	expect_refused(org_dir_extend_node(dir, "press", 8 * DAY, late, &note), "7 days at most");
	expect_refused(org_dir_extend_node(dir, "gate", DAY, late, &note), "acme has no node gate");
	expect_refused(org_dir_extend_node(dir, "press", DAY, NOW + DAY, &note), "has not expired");
	cr_assert(eq(int, org_dir_extend_node(dir, "press", DAY, late, &note), 0), "%s", note.text);
	struct org org = load(late);
	cr_expect(org.nodes[0].own_only);
	cr_expect(eq(i64, org.nodes[0].not_after_ns, late + DAY));
	cr_expect(eq(int, show(&org, blob_bytes(&org.signed_nodes[0]), late), 0), "%s", note.text);
	cr_expect(eq(sz, renew(late + DAY / 2).nodes, 1));
	org = load(late + DAY / 2);
	cr_expect(not(org.nodes[0].own_only));
}

/* ---- revoking ---- */

Test(org_admin, a_revoked_node_is_gone_with_its_keys)
{
	const struct bytes old = blob_bytes(&load(NOW).signed_nodes[0]);

	cr_assert(eq(int, org_dir_revoke_node(dir, "press", "stolen", NOW + DAY, &note), 0), "%s", note.text);
	const struct org org = load(NOW + DAY);
	cr_expect(eq(sz, org.n_nodes, 0));
	cr_expect(eq(u64, org.revocations.seq, 1));
	cr_expect(eq(sz, org.revocations.n_entries, 3));
	cr_expect_str_eq(org.revocations.entries[0].reason, "stolen");
	expect_refused(show(&org, old, NOW + DAY), "credential of acme/press was revoked");
	expect_refused(org_dir_revoke_node(dir, "press", "", NOW + DAY, &note), "acme has no node press");
	add_node("press", NOW + DAY + NS_PER_S);
	cr_expect(eq(sz, load(NOW + 2 * DAY).n_nodes, 1));
}

Test(org_admin, the_list_is_kept_fresh_and_forgets_in_time)
{
	struct org org;

	cr_assert(eq(int, org_dir_revoke_node(dir, "press", "", NOW, &note), 0), "%s", note.text);
	cr_expect(not(renew(NOW + 11 * HOUR).revocations));
	cr_expect(renew(NOW + 12 * HOUR).revocations);
	org = load(NOW + 12 * HOUR);
	cr_expect(eq(u64, org.revocations.seq, 2));
	cr_expect(eq(sz, org.revocations.n_entries, 3));
	renew(NOW + 30 * DAY + 300 * NS_PER_S);
	cr_expect(eq(sz, load(NOW + 31 * DAY).revocations.n_entries, 3), "not before its time");
	renew(NOW + 32 * DAY);
	org = load(NOW + 32 * DAY);
	cr_expect(eq(sz, org.revocations.n_entries, 2), "the keys stay for ever");
	cr_expect(eq(int, (int)org.revocations.entries[0].kind, REVOKED_KEY));
}

/* ---- persons ---- */

Test(org_admin, persons_are_invited_listed_and_revoked)
{
	struct listed_person *list;
	struct person got;
	size_t n;

	cr_assert(eq(int, invite("kim", NOW), 0), "%s", note.text);
	cr_assert(eq(int, invite("alex", NOW), 0), "%s", note.text);
	expect_refused(invite("kim", NOW + 1), "acme has a person kim already");
	expect_refused(invite("a/b", NOW), "person");
	struct org org = load(NOW);
	cr_assert(eq(int, org_dir_persons(arena, dir, &org, &list, &n, &note), 0), "%s", note.text);
	cr_assert(eq(sz, n, 2));
	cr_expect_str_eq(list[0].person.name, "alex");
	cr_expect_str_eq(list[1].person.roles[0], "operator");
	const struct bytes kim = blob_bytes(&list[1].blob);
	cr_expect(eq(int, org_verify_person(arena, &org, kim, NOW, &got, &note), 0), "%s", note.text);
	cr_assert(eq(int, org_dir_revoke_person(dir, "kim", "left", NOW + DAY, &note), 0), "%s", note.text);
	expect_refused(org_dir_revoke_person(dir, "kim", "", NOW + DAY, &note), "was revoked already");
	expect_refused(org_dir_revoke_person(dir, "sam", "", NOW + DAY, &note), "acme has no person sam");
	org = load(NOW + DAY);
	expect_refused(org_verify_person(arena, &org, kim, NOW + DAY, &got, &note), "was revoked");
	cr_expect(eq(sz, renew(NOW + 20 * DAY).persons, 1), "the other one");
	cr_expect(eq(int, invite("kim", NOW + 20 * DAY), 0), "%s", note.text);
}

Test(org_admin, keys_of_a_person_are_private)
{
	struct stat st;
	char path[160];

	cr_assert(eq(int, invite("kim", NOW), 0), "%s", note.text);
	snprintf(path, sizeof path, "%s/person-kim-%lld/person.key", tmp, (long long)(NOW / NS_PER_S));
	cr_assert(eq(int, stat(path, &st), 0));
	cr_expect(eq(u32, st.st_mode & 0777, 0600));
	snprintf(path, sizeof path, "%s/issuer.key", dir);
	must(chmod(path, 0644) == 0);
	expect_refused(invite("alex", NOW), "is open to others (mode 0644): chmod 600 it");
	snprintf(path, sizeof path, "%s/persons/alex", dir);
	cr_expect(stat(path, &st) < 0, "nothing has changed");
}

/* ---- works of the root ---- */

Test(org_admin, an_expired_manifest_can_still_be_renewed)
{
	const int64_t late = NOW + 500 * DAY;
	struct org org;

	expect_refused(org_dir_load(arena, dir, late, &org, &note), "expired on");
	expect_refused(org_dir_renew_manifest(dir, BYTES("wrong"), late, &note), "passphrase");
	cr_assert(eq(int, org_dir_renew_manifest(dir, PASS, late, &note), 0), "%s", note.text);
	org = load(late);
	cr_expect(eq(u32, org.manifest.version, 2));
	cr_expect(eq(i64, org.manifest.issuers[0].not_after_ns, org.manifest.valid_until_ns));
}

Test(org_admin, an_issuer_is_published_waits_drains_and_drops)
{
	struct issuer_status s;

	cr_assert(eq(int, invite("kim", NOW), 0), "%s", note.text);
	cr_assert(eq(int, issuer_status(dir, NOW, &s, &note), 0), "%s", note.text);
	cr_expect(eq(int, (int)s.phase, ISSUER_STEADY));
	cr_assert(eq(int, issuer_rotate(dir, PASS, NOW, &s, &note), 0), "%s", note.text);
	cr_expect(eq(int, (int)s.phase, ISSUER_WAITING));
	cr_expect(eq(i64, s.signs_from_ns, NOW + DAY));
	expect_refused(issuer_rotate(dir, PASS, NOW + DAY - 1, &s, &note), "the new issuer key signs from");
	const struct public_key first = load(NOW).manifest.issuers[0].key;
	add_node("early", NOW + DAY - 1);
	add_node("late", NOW + DAY);
	struct org org = load(NOW + DAY);
	cr_expect(memcmp(org.signed_nodes[1].key.b, first.b, KEY_BYTES) == 0, "the old key until then");
	cr_expect(memcmp(org.signed_nodes[2].key.b, first.b, KEY_BYTES) != 0, "the new one from then on");
	expect_refused(issuer_rotate(dir, PASS, NOW + DAY, &s, &note),
		       "what the old issuer key signed still counts, until");
	renew(NOW + 20 * DAY);
	cr_assert(eq(int, issuer_status(dir, NOW + 31 * DAY - 1, &s, &note), 0), "%s", note.text);
	cr_expect(eq(int, (int)s.phase, ISSUER_DRAINING));
	cr_expect(eq(sz, s.n_old, 0));
	cr_assert(eq(int, issuer_rotate(dir, PASS, NOW + 31 * DAY, &s, &note), 0), "%s", note.text);
	cr_expect(eq(int, (int)s.phase, ISSUER_STEADY));
	org = load(NOW + 31 * DAY);
	cr_expect(eq(sz, org.manifest.n_issuers, 1));
	cr_expect(memcmp(org.manifest.issuers[0].key.b, first.b, KEY_BYTES) != 0);
	cr_expect(eq(sz, org.n_nodes, 3));
	add_node("after", NOW + 32 * DAY);
}

static const char *in_dir(const char *file)
{
	return arena_print(arena, "%s/%s", dir, file);
}

Test(org_admin, a_root_gives_way_to_the_one_it_announced)
{
	const struct org old = load(NOW);

	cr_assert(eq(int, org_dir_rotate_root(dir, PASS, NOW + DAY, &note), 0), "%s", note.text);
	const struct org org = load(NOW + DAY);
	cr_expect(memcmp(org.manifest.root.b, old.manifest.root.b, KEY_BYTES) != 0);
	cr_assert(eq(sz, org.n_roots, 2));
	cr_expect(memcmp(org.roots[0].b, old.manifest.root.b, KEY_BYTES) == 0);
	cr_expect(eq(int, org_may_replace(&old, &org, &note), 0), "%s", note.text);
	cr_expect(org_may_replace(&org, &old, &note) < 0);
	cr_expect(eq(int, org_dir_renew_manifest(dir, PASS, NOW + 2 * DAY, &note), 0), "%s", note.text);
}

Test(org_admin, a_rotation_of_the_root_cut_off_is_finished_later)
{
	struct bytes first;

	must(file_read(arena, in_dir("root.key"), 4096, &first, &note) == 0);
	cr_assert(eq(int, org_dir_rotate_root(dir, PASS, NOW + DAY, &note), 0), "%s", note.text);
	must(rename(in_dir("next-root.key"), in_dir("new-next-root.key")) == 0);
	must(rename(in_dir("root.key"), in_dir("next-root.key")) == 0);
	must(file_write(in_dir("root.key"), first, true, &note) == 0);
	cr_expect(eq(int, org_dir_renew_manifest(dir, PASS, NOW + 2 * DAY, &note), 0), "%s", note.text);
	cr_expect(access(in_dir("new-next-root.key"), F_OK) < 0);
	cr_expect(eq(int, org_dir_rotate_root(dir, PASS, NOW + 3 * DAY, &note), 0), "%s", note.text);
}

/* ---- three years ---- */

/* A node that holds the organisation's bundle. */
struct holder {
	struct org held;
	struct arena *arena; /* NULL: holds none yet */
};

static void hold(struct holder *h, struct bytes bundle, int64_t now)
{
	struct arena *a;
	struct org org;

	must(arena_new(&a, 16 << 20) == 0);
	cr_assert(eq(int, org_verify(a, bundle, now, &org, &note), 0), "%s", note.text);
	arena_free(h->arena);
	*h = (struct holder){org, a};
}

/* What a neighbour holds is joined to what is held, as the node does; true: that was something new. */
static bool hear(struct holder *h, struct bytes bundle, int64_t now)
{
	SCOPED(buf_fini) struct buf joined = {0};
	struct holder told = {0};

	hold(&told, bundle, now);
	const struct org *before = h->arena ? &h->held : &told.held;
	cr_assert(eq(int, org_merge(told.arena, before, &told.held, &joined, &note), 0), "%s", note.text);
	const bool is_new = !h->arena || org_digest(buf_bytes(&joined)) != org_digest(h->held.encoded);
	if (is_new)
		hold(h, buf_bytes(&joined), now);
	arena_free(told.arena);
	return is_new;
}

/* Once a year each: the manifest, the issuer, and in the second year the root, twice while one is away. */
static void works_of_the_root(int day, int64_t now)
{
	struct issuer_status s;

	if (day % 350 == 300)
		cr_assert(eq(int, org_dir_renew_manifest(dir, PASS, now, &note), 0), "%s", note.text);
	if (day == 500 || day == 520)
		cr_assert(eq(int, org_dir_rotate_root(dir, PASS, now, &note), 0), "%s", note.text);
	cr_assert(eq(int, issuer_status(dir, now, &s, &note), 0), "%s", note.text);
	if (s.phase == ISSUER_DRAINED || (s.phase == ISSUER_STEADY && day % 300 == 200))
		cr_assert(eq(int, issuer_rotate(dir, PASS, now, &s, &note), 0), "%s", note.text);
}

/* Every day each tells its neighbours what it held the day before, and only the first is told by the admin:
 *
 *     admin -- press -- gate --border-- near
 *                           \--border-- far, which nobody reaches for 40 days
 */
enum { PRESS, GATE, NEAR, FAR, N_HOLDERS };
enum { YEARS_DAYS = 3 * 365, CUT_FROM = 495, CUT_DAYS = 40, QUIET_DAYS = N_HOLDERS };

static size_t tell_neighbours(struct holder *h, bool cut, int64_t now)
{
	size_t n = 0;

	if (!cut && h[GATE].arena) {
		n += hear(&h[FAR], h[GATE].held.encoded, now);
		n += hear(&h[GATE], h[FAR].held.encoded, now); /* which is behind, and takes nothing back */
	}
	if (h[GATE].arena)
		n += hear(&h[NEAR], h[GATE].held.encoded, now);
	return h[PRESS].arena ? n + hear(&h[GATE], h[PRESS].held.encoded, now) : n;
}

/* The press shows what it holds, or still what it held some days ago: everybody it reaches takes it. */
static void expect_shown_to_all(const struct holder *h, bool cut, int day, int64_t now)
{
	static struct bytes shown[YEARS_DAYS + QUIET_DAYS];
	const int lag = 10, first = N_HOLDERS;

	shown[day] = blob_bytes(&h[PRESS].held.signed_nodes[0]);
	for (int who = GATE; who < N_HOLDERS && day > first; who++) {
		const struct org *to = &h[who].held;
		if (cut && who == FAR)
			continue;
		cr_assert(eq(int, show(to, shown[day], now), 0), "day %d, to %d: %s", day, who, note.text);
		cr_assert(eq(int, show(to, shown[day > lag ? day - lag : 0], now), 0), "day %d, to %d: %s",
			  day, who, note.text);
	}
}

Test(org_admin, three_years_without_a_gap)
{
	struct holder h[N_HOLDERS] = {0};
	size_t n_renewed = 0, n_news = 0;

	cr_assert(eq(int, invite("kim", NOW), 0), "%s", note.text);
	for (int day = 0; day < YEARS_DAYS + QUIET_DAYS; day++) {
		const int64_t now = NOW + day * DAY;
		const bool cut = day >= CUT_FROM && day < CUT_FROM + CUT_DAYS;

		n_news = tell_neighbours(h, cut, now);
		if (day < YEARS_DAYS) {
			works_of_the_root(day, now);
			n_renewed += renew(now).nodes;
		}
		const struct org org = load(now);
		cr_assert(eq(sz, org.n_nodes, 1), "day %d", day);
		hear(&h[PRESS], org.encoded, now);
		expect_shown_to_all(h, cut, day, now);
	}
	cr_expect(n_renewed >= YEARS_DAYS / 16);
	cr_expect(eq(sz, n_news, 0), "and then there is nothing more to tell");
	for (int i = 0; i < N_HOLDERS; i++)
		cr_expect(bytes_equal(h[i].held.encoded, h[PRESS].held.encoded), "%d", i);
	for (int i = 0; i < N_HOLDERS; i++)
		arena_free(h[i].arena);
	const struct org org = load(NOW + (YEARS_DAYS + QUIET_DAYS) * DAY);
	cr_expect(org.manifest.version > 10, "the rotations have happened: %u", org.manifest.version);
}

/* ---- keys that were made elsewhere ---- */

static struct node_options gateway(int64_t now)
{
	return (struct node_options){.org_dir = dir,
				     .name = "gateway",
				     .roles = ROLE_OWNER | ROLE_BORDER,
				     .endpoint = "",
				     .border_endpoint = "tcp://192.0.2.7:7000",
				     .now_ns = now};
}

Test(org_admin, a_node_that_made_its_keys_itself_is_admitted_once)
{
	struct node_options o = gateway(NOW + DAY);
	const struct node_public keys = {{"curve"}, {"sign"}}, other = {{"other"}, {"sign"}};
	SCOPED(buf_fini) struct buf sealed = {0};
	struct org org;

	cr_assert(eq(int, org_dir_admit_node(&o, &keys, &sealed, &note), 0), "%s", note.text);
	cr_expect(gt(sz, sealed.len, 32), "the cursor key, which only the node can open");
	cr_assert(eq(int, org_dir_load(arena, dir, NOW + DAY, &org, &note), 0));
	cr_assert(eq(sz, org.n_nodes, 2));
	const struct credential first = *org_node(&org, "gateway");
	cr_expect(eq(int, memcmp(first.curve.b, keys.curve.b, KEY_BYTES), 0));

	cr_expect(eq(int, org_dir_admit_node(&o, &keys, &sealed, &note), 0), "again: %s", note.text);
	cr_assert(eq(int, org_dir_load(arena, dir, NOW + DAY, &org, &note), 0));
	cr_expect(eq(int, memcmp(&org_node(&org, "gateway")->serial, &first.serial, sizeof first.serial), 0),
		  "it is the same credential");
	cr_expect(eq(int, org_dir_admit_node(&o, &other, &sealed, &note), ERR_REFUSED), "other keys");
}

Test(org_admin, renewing_and_admitting_need_no_root)
{
	char path[160];
	struct node_options o = gateway(NOW + 20 * DAY);
	const struct node_public keys = {{"curve"}, {"sign"}};
	SCOPED(buf_fini) struct buf sealed = {0};
	struct renewed renewed;

	snprintf(path, sizeof path, "%s/root.key", dir);
	cr_assert(eq(int, unlink(path), 0));
	snprintf(path, sizeof path, "%s/next-root.key", dir);
	cr_assert(eq(int, unlink(path), 0));
	cr_assert(eq(int, org_dir_renew(dir, NOW + 20 * DAY, &renewed, &note), 0), "%s", note.text);
	cr_expect(eq(sz, renewed.nodes, 1));
	cr_expect(eq(int, org_dir_admit_node(&o, &keys, &sealed, &note), 0), "%s", note.text);
	cr_expect(eq(int, org_dir_revoke_node(dir, "gateway", "", NOW + 21 * DAY, &note), 0), "%s",
		  note.text);
	cr_assert(eq(int, org_dir_renew(dir, NOW + 22 * DAY, &renewed, &note), 0), "%s", note.text);
	cr_expect(renewed.revocations);
}
