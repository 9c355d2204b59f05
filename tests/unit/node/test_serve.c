/* SPDX-License-Identifier: Apache-2.0 */
#include "node/serve.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/quota.h"
#include "node/trust.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

#define SHARE_TIES \
	"share \"ties\"\n to org volt\n twins tag tie-volt\n allow discover, summary\n until 2100-01-01\n"
#define POLICY \
	SHARE_TIES \
	"never \"length\"\n to everyone-else\n twins **\n deny read of length\n"

static struct arena *a;
static struct mesh_port port;

static void set_up(void)
{
	struct property_def p[] = {
		{.name = "length", .type = VALUE_DOUBLE, .unit = "km", .min = NAN, .max = NAN, .kpi = true},
		{.name = "rating", .type = VALUE_DOUBLE, .unit = "MVA", .min = NAN, .max = NAN, .kpi = true}};
	const struct op line = {.kind = OP_TYPE,
				.type = {.name = "line", .version = 1, .properties = p, .n_properties = 2}};

	world_set_up();
	cr_assert(eq(int, arena_new(&a, 8 << 20), 0));
	cr_assert(eq(int, sign_key_new(&world.trust->sign), 0));
	port = serve_port(&world);
	world_put(&line, 1);
	world_policy(POLICY);
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
}

static void tear_down(void)
{
	sign_key_free(world.trust->sign);
	arena_free(a);
	world_tear_down();
}

TestSuite(serve, .init = set_up, .fini = tear_down, .timeout = 60);

static void follow(void)
{
	cr_assert(eq(int, visibility_follow(world.visibility), 0));
}

static struct rows pull(const char *org, const char *origin, struct bytes cursor)
{
	const struct pull p = {.id = 1, .origin = origin, .cursor = cursor, .credit = 1};
	struct rows rows = {0};

	cr_assert(eq(int, port.rows(port.ctx, org, &p, a, &rows), 0));
	return rows;
}

static struct row row_at(const struct rows *rows, size_t i)
{
	struct row row;

	cr_assert(i < rows->n);
	cr_assert(eq(int, row_decode(a, rows->rows[i], &row), 0));
	return row;
}

static struct bytes head_for(const char *org)
{
	struct head_notice notice;

	cr_assert(eq(int, port.head(port.ctx, org, "acme/n1", a, &notice), 0));
	return notice.head.payload;
}

Test(serve, a_hidden_change_sends_a_partner_neither_row_nor_head)
{
	world_twin("acme/l1", "line", "tie-volt");
	world_value("acme/l1", "rating", 5, 1);
	follow();
	struct rows rows = pull("volt", "acme/n1", (struct bytes){0});
	const struct row first = row_at(&rows, 0);
	const struct bytes head = head_for("volt");
	world_value("acme/l1", "length", 6, 2);
	follow();
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 0));
	cr_expect(bytes_equal(head_for("volt"), head));

	rows = pull("volt", "acme/n1", (struct bytes){0});
	const struct row again = row_at(&rows, 0);
	cr_expect(eq(i64, again.version.stamp_ns, first.version.stamp_ns), "nor does who asks anew learn it");
	cr_expect(eq(u32, again.mask, first.mask));
	world_value("acme/l1", "rating", 7, 2);
	follow();
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 1), "what is shown is sent");
	cr_expect(not(bytes_equal(head_for("volt"), head)));
}

Test(serve, a_twin_is_retracted_once_and_as_of_when_it_was_seen)
{
	world_twin("acme/l1", "line", "tie-volt");
	follow();
	struct rows rows = pull("volt", "acme/n1", (struct bytes){0});
	const struct row seen = row_at(&rows, 0);
	world_twin("acme/l1", "line", NULL);
	follow();
	rows = pull("volt", "acme/n1", rows.cursor);
	const struct row gone = row_at(&rows, 0);
	cr_expect(gone.deleted);
	cr_expect(eq(i64, gone.version.stamp_ns, seen.version.stamp_ns));
	world_value("acme/l1", "rating", 5, 1);
	follow();
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 0));
}

Test(serve, the_head_of_an_origin_without_a_visible_twin_says_nothing)
{
	struct head head;

	world_twin("acme/l1", "line", "tie-volt");
	follow();
	const struct bytes before = head_for("harbor");
	world_value("acme/l1", "rating", 5, 1);
	follow();
	cr_expect(bytes_equal(head_for("harbor"), before));
	cr_assert(eq(int, head_decode(a, before, &head), 0));
	cr_expect(eq(sz, head.n_lineage, 1));
	cr_expect(eq(u64, head.lineage[0].id, 0));
	cr_expect(eq(i64, head.stamp_ns, 0));
	cr_assert(eq(int, head_decode(a, head_for("volt"), &head), 0));
	cr_expect(ne(u64, head.lineage[0].id, 0));
}

/* What it is told that pulls from there: rows, or an enum reset_reason. */
static int told(struct bytes cursor)
{
	const struct pull p = {.id = 1, .origin = "acme/n1", .cursor = cursor, .credit = 1};
	struct rows rows = {0};

	return port.rows(port.ctx, "", &p, a, &rows);
}

Test(serve, who_comes_from_below_what_was_collected_is_not_served)
{
	const struct op gone = {.kind = OP_TWIN_DELETE, .id = "acme/l1"};
	struct store_position at;

	world_twin("acme/l1", "line", NULL);
	const struct bytes before = pull("", "acme/n1", (struct bytes){0}).cursor;
	world_put(&gone, 1);
	const struct rows rows = pull("", "acme/n1", before);
	cr_expect(row_at(&rows, 0).deleted);
	store_position(world.store, &at);
	const struct op collection = {.kind = OP_COLLECTION, .collection = {"acme/n1", at.seq}};
	world_put(&collection, 1);
	cr_expect(eq(int, told(before), RESET_COLLECTED));
	cr_expect(eq(int, told(rows.cursor), 0), "who knew of it already");
	cr_expect(eq(int, told((struct bytes){0}), 0), "who begins with nothing");
	cr_expect(eq(sz, pull("", "acme/n1", rows.cursor).n, 0));
}

Test(serve, a_twin_that_is_hidden_is_like_one_that_is_not_there)
{
	world_twin("acme/l1", "line", "tie-volt");
	follow();
	struct rows before = pull("volt", "acme/n1", (struct bytes){0});
	const struct bytes head = head_for("volt");
	world_twin("acme/l2", "line", NULL);
	follow();
	const struct rows after = pull("volt", "acme/n1", before.cursor);
	const struct rows anew = pull("volt", "acme/n1", (struct bytes){0});
	cr_expect(bytes_equal(head_for("volt"), head));
	cr_expect(eq(sz, after.n, 0));
	cr_expect(eq(sz, after.cursor.len, before.cursor.len));
	cr_assert(eq(sz, anew.n, before.n));
	cr_expect(bytes_equal(anew.rows[0], before.rows[0]));
}

Test(serve, only_a_node_that_owns_twins_speaks_of_its_own)
{
	struct credential n2 = {
		.org = "acme", .node = "n2", .sign = sign_key_public(world.trust->sign), .roles = ROLE_OWNER};
	struct incarnation life = {.id = 1};
	const struct head said = {.origin = "acme/n2", .lineage = &life, .n_lineage = 1, .seq = 1};
	SCOPED(buf_fini) struct buf encoded = {0};
	struct head_notice notice = {0};
	struct head h;

	world.trust->own.org.nodes = &n2;
	world.trust->own.org.n_nodes = 1;
	head_encode(&said, &encoded);
	sign_blob(world.trust->sign, SIGN_HEAD, buf_bytes(&encoded), &notice.head);
	cr_expect(eq(int, port.verify_head(port.ctx, "acme", "n2", &notice, a, &h), 0));
	n2.roles = ROLE_READER | ROLE_ADMIN;
	cr_expect(eq(int, port.verify_head(port.ctx, "acme", "n2", &notice, a, &h), ERR_UNTRUSTED));
}

static int check_offered(const char *origin)
{
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	struct credential gate = {.org = "volt", .node = "gate", .roles = ROLE_OWNER | ROLE_BORDER};
	struct partner *volt = world.trust->partners[0];
	struct incarnation lineage = {.id = 5};
	const struct head head = {.origin = origin, .lineage = &lineage, .n_lineage = 1, .epoch = 1};
	SCOPED(buf_fini) struct buf payload = {0};
	struct head_notice notice = {0};
	struct head ret;

	must(sign_key_new(&key) == 0);
	gate.sign = sign_key_public(key);
	volt->org.nodes = &gate;
	volt->org.n_nodes = 1;
	head_encode(&head, &payload);
	sign_blob(key, SIGN_HEAD, buf_bytes(&payload), &notice.head);
	const int r = port.verify_head(port.ctx, "volt", "gate", &notice, a, &ret);
	volt->org.n_nodes = 0;
	return r;
}

Test(serve, a_partner_has_so_many_origins_and_no_more)
{
	enum { MANY = 4 * ORIGINS_MAX };
	char names[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(names, sizeof names, "volt/o%d", i);
		const struct op op = {.kind = OP_ROWS, .rows = {.origin = names, .cursor = BYTES("c")}};
		if (i == MANY - 1)
			cr_expect(eq(int, check_offered("volt/new"), 0));
		world_put(&op, 1);
	}
	cr_expect(eq(int, check_offered("volt/new"), ERR_UNTRUSTED));
	cr_expect(eq(int, check_offered("volt/o7"), 0), "what is held goes on");
}

Test(serve, rows_of_another_organisation_are_handed_on_to_nobody)
{
	struct row row = {.id = "volt/v1", .mask = ROW_MASK_DISCOVER, .type = "", .name = ""};
	SCOPED(buf_fini) struct buf b = {0};
	struct head_notice notice;
	struct rows rows;

	row_encode(&row, &b);
	struct bytes encoded = buf_bytes(&b);
	const struct op op = {.kind = OP_ROWS,
			      .rows = {.origin = "volt/n1",
				       .rows = &encoded,
				       .n = 1,
				       .cursor = bytes_of_text("c"),
				       .head = bytes_of_text("h")}};
	world_put(&op, 1);
	follow();
	for (int i = 0; i < 3; i++) {
		const char *to = i == 0 ? "harbor" : i == 1 ? "volt" : "";
		const struct pull p = {.id = 1, .origin = "volt/n1", .credit = 1};
		for (const char *o = NULL; (o = port.origin_next(port.ctx, to, o));)
			cr_expect(strcmp(o, "volt/n1") != 0, "offered to '%s'", to);
		cr_expect(eq(int, port.head(port.ctx, to, "volt/n1", a, &notice), ERR_ABSENT));
		cr_expect(eq(int, port.rows(port.ctx, to, &p, a, &rows), RESET_UNKNOWN));
	}
}

/* ---- Full frames -----------------------------------------------------------------------------------------
 */

static const char *word(const char *begin, int number, size_t length)
{
	char *text = arena_take(a, length + 1);
	const int n = snprintf(text, length + 1, "%s%d", begin, number);

	memset(text + n, 'x', length - (size_t)n);
	text[length] = '\0';
	return text;
}

/* As large as a row with so many KPIs can be. */
static struct row large(int number, size_t n_kpis)
{
	struct row r = {.id = word("acme/", number, TWIN_ID_MAX),
			.version = {LINEAGE_MAX - 1, INT64_MAX - 9 + number},
			.seq = (uint64_t)number,
			.mask = ROW_MASK_ALL,
			.kind = KIND_ENVIRONMENT,
			.type = word("t", 0, PROPERTY_MAX),
			.name = word("n", 0, NAME_MAX_BYTES),
			.life = LIFE_RETIRED,
			.health = HEALTH_ALARM,
			.n_kpis = n_kpis,
			.n_parents = PARENTS_MAX,
			.n_tags = TAGS_MAX};

	r.kpis = arena_take_array(a, r.n_kpis, sizeof *r.kpis);
	r.parents = arena_take_array(a, r.n_parents, sizeof *r.parents);
	r.tags = arena_take_array(a, r.n_tags, sizeof *r.tags);
	for (int i = 0; i < (int)r.n_kpis; i++)
		r.kpis[i] = (struct kpi){word("p", i, PROPERTY_MAX),
					 word("u", i, UNIT_MAX),
					 {.t_ns = INT64_MAX - 1,
					  .value = {.type = VALUE_TEXT, .text = word("v", i, KPI_TEXT_MAX)},
					  .quality = QUALITY_BAD,
					  .sigma = 1}};
	for (int i = 0; i < PARENTS_MAX; i++)
		r.parents[i] = (struct row_parent){word("h", i, PROPERTY_MAX), word("volt/", i, TWIN_ID_MAX),
						   CONFIRM_REFUSED};
	for (int i = 1; i < TAGS_MAX; i++)
		r.tags[i] = word("g", i, TAG_MAX);
	r.tags[0] = "tie-volt";
	return r;
}

/* Rows of another node of acme, and its head, as they would be relayed. */
static void relay(struct row *rows, size_t n)
{
	struct incarnation lineage = {7, 1};
	const struct head head = {
		.origin = "acme/a", .lineage = &lineage, .n_lineage = 1, .seq = n, .stamp_ns = INT64_MAX};
	SCOPED(buf_fini) struct buf payload = {0}, blob = {0};
	struct signed_blob signed_head;
	struct bytes encoded[8];

	must(n <= 8);
	for (size_t i = 0; i < n; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		row_encode(&rows[i], &b);
		must(buf_check(&b) == 0);
		encoded[i] = (struct bytes){(const uint8_t *)arena_take(a, b.len), b.len};
		memcpy((uint8_t *)(uintptr_t)encoded[i].data, b.data, b.len);
	}
	head_encode(&head, &payload);
	sign_blob(world.trust->sign, SIGN_HEAD, buf_bytes(&payload), &signed_head);
	signed_blob_encode(&signed_head, &blob);
	const struct op op = {.kind = OP_ROWS,
			      .rows = {.origin = "acme/a",
				       .rows = encoded,
				       .n = n,
				       .cursor = bytes_of_text("c"),
				       .head = buf_bytes(&blob)}};
	world_put(&op, 1);
}

static size_t frame_size(const struct rows *rows)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct message m = {
		.kind = MESSAGE_ROWS, .nonce = UINT64_MAX, .frame = UINT64_MAX, .rows = *rows};

	message_encode(&m, &b);
	must(buf_check(&b) == 0);
	return b.len;
}

Test(serve, the_largest_rows_fit_into_frames)
{
	struct row rows[] = {large(1, 2), large(2, KPIS_MAX), large(3, KPIS_MAX), large(4, KPIS_MAX)};
	struct bytes cursor = {0};
	size_t n = 0;

	relay(rows, 4);
	follow();
	while (n < 3) {
		const struct rows some = pull("volt", "acme/a", cursor);
		cr_assert(gt(sz, some.n, 0), "each frame brings it forward");
		cr_expect(lt(sz, frame_size(&some) + HEAD_MAX, FRAME_BORDER_MAX));
		cr_expect(strcmp(row_at(&some, 0).id, rows[n].id) == 0, "in order");
		cr_expect(eq(sz, row_at(&some, some.n - 1).n_tags, TAGS_MAX), "and whole");
		cursor = some.cursor;
		n += some.n;
	}
	cr_expect(eq(sz, n, 3));
}

/* Between two frames another partner's change moves a row on, whose change then stands before the cursor. */
Test(serve, a_row_that_moves_while_it_is_waited_for_is_not_lost)
{
	char id[64];

	world_policy(SHARE_TIES
		     "share \"all\"\n to org harbor\n twins **\n allow discover, summary\n"
		     " until 2100-01-01\nnever \"length\"\n to org volt\n twins **\n"
		     " deny read of length\n");
	cr_assert(eq(int, visibility_edit(world.visibility), 0));
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "acme/%d", i);
		world_twin(id, "line", "tie-volt");
		if (i == 900)
			world_value(id, "rating", 5, 1);
	}
	follow();
	struct rows rows = pull("volt", "acme/n1", (struct bytes){0});
	size_t n = rows.n;
	cr_assert(lt(sz, n, 900), "it is not in the first frame");
	world_value("acme/900", "length", 5, 1);
	follow();
	while (!rows.at_head) {
		rows = pull("volt", "acme/n1", rows.cursor);
		n += rows.n;
	}
	cr_expect(eq(sz, n, 1000));
	cr_expect(strcmp(row_at(&rows, rows.n - 1).id, "acme/900") == 0);
}

/* ---- Edits -----------------------------------------------------------------------------------------------
 */

#define SHARE_OF(org, twins) \
	"share \"" org " " twins "\"\n to org " org "\n twins " twins \
	"\n allow discover, summary\n until 2100-01-01\n"

static void edit(const char *rules)
{
	world_policy(rules);
	cr_assert(eq(int, visibility_edit(world.visibility), 0));
}

static void twins_of_two_places(void)
{
	char id[64];

	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof id, "acme/%s/%d", i % 2 ? "east" : "west", i);
		world_twin(id, "line", NULL);
	}
	follow();
}

Test(serve, an_edit_sends_what_changed_and_takes_back_first)
{
	edit(SHARE_OF("volt", "west/**") SHARE_OF("harbor", "east/**"));
	twins_of_two_places();
	struct rows rows = pull("volt", "acme/n1", (struct bytes){0});
	cr_assert(eq(sz, rows.n, 30));
	edit(SHARE_OF("volt", "east/**") SHARE_OF("harbor", "east/**"));
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_assert(eq(sz, rows.n, 60));
	for (size_t i = 0; i < rows.n; i++) {
		const struct row row = row_at(&rows, i);
		cr_expect(eq(int, row.deleted, i < 30), "retractions first");
		cr_expect(strncmp(row.id, i < 30 ? "acme/west" : "acme/east", 9) == 0);
	}
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 0), "once");
}

Test(serve, an_edit_sends_nothing_to_whom_it_shows_nothing_new)
{
	edit(SHARE_OF("volt", "west/**") SHARE_OF("harbor", "east/**"));
	twins_of_two_places();
	struct rows rows = pull("harbor", "acme/n1", (struct bytes){0});
	struct fingerprint before, after;
	int64_t stamp_ns, then_ns;
	visibility_view(world.visibility, "harbor", "acme/n1", &before, &stamp_ns);
	edit(SHARE_OF("harbor", "east/**"));
	visibility_view(world.visibility, "harbor", "acme/n1", &after, &then_ns);
	cr_expect(fingerprint_equal(&before, &after));
	cr_expect(eq(i64, then_ns, stamp_ns));
	rows = pull("harbor", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 0));
	world_twin("acme/east/99", "line", NULL);
	follow();
	rows = pull("harbor", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 1), "nor is everything sent with the next change");
}

/* What one edit brings into sight and the next one takes out again, between two frames of a listing. */
Test(serve, a_listing_that_an_edit_meets_takes_back_what_it_listed)
{
	char id[64];
	size_t n = 0, retracted = 0;

	edit(SHARE_OF("volt", "**"));
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "acme/%s/%d", i < 20 ? "west" : "east", i);
		world_twin(id, "line", NULL);
	}
	follow();
	struct pull p = {.id = 1, .origin = "acme/n1", .credit = 1, .full = true};
	struct rows rows = {0};
	cr_assert(eq(int, port.rows(port.ctx, "volt", &p, a, &rows), 0));
	cr_assert(not(rows.at_head));
	n += rows.n;
	edit(SHARE_OF("volt", "east/**"));
	while (!rows.at_head) {
		p.cursor = rows.cursor;
		cr_assert(eq(int, port.rows(port.ctx, "volt", &p, a, &rows), 0));
		for (size_t i = 0; i < rows.n; i++)
			retracted += row_at(&rows, i).deleted;
		n += rows.n;
	}
	cr_expect(eq(sz, n, 1020));
	cr_expect(eq(sz, retracted, 20));
}

Test(serve, a_cursor_of_another_border_goes_on_by_the_origins_numbers)
{
	struct visibility *ours = world.visibility, *theirs = NULL;

	edit(SHARE_OF("volt", "west/**"));
	twins_of_two_places();
	cr_assert(eq(int, visibility_new(&theirs, &world.egress), 0));
	cr_assert(eq(int, visibility_sweep(theirs), 0));
	struct rows rows = pull("volt", "acme/n1", (struct bytes){0});
	world_twin("acme/west/98", "line", NULL);
	cr_assert(eq(int, visibility_follow(theirs), 0));
	cr_assert(eq(int, visibility_follow(ours), 0));
	world.visibility = theirs;
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 1));
	world_policy(SHARE_OF("volt", "east/**"));
	cr_assert(eq(int, visibility_edit(theirs), 0));
	cr_assert(eq(int, visibility_edit(ours), 0));
	world.visibility = ours;
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 61), "also what an edit changed that the other one had not come to");
	visibility_free(theirs);
}

static bool holds(struct bytes b, double number)
{
	for (size_t i = 0; i + sizeof number <= b.len; i++)
		if (memcmp(b.data + i, &number, sizeof number) == 0)
			return true;
	return false;
}

Test(serve, what_is_redacted_leaves_in_rows_as_a_token)
{
	world_policy(
		"share \"lines\"\n to org volt\n twins **\n allow discover, summary\n"
		" redact rating as token\n until 2100-01-01\n");
	world_twin("acme/l1", "line", NULL);
	world_value("acme/l1", "rating", 5, 1234.5);
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	struct rows rows = pull("volt", "acme/n1", (struct bytes){0});
	const struct row row = row_at(&rows, 0);
	const struct bytes head = head_for("volt");

	cr_assert(eq(sz, row.n_kpis, 2));
	cr_assert(eq(int, (int)row.kpis[1].sample.value.type, VALUE_TEXT));
	cr_expect(eq(sz, strlen(row.kpis[1].sample.value.text), TOKEN_SIZE - 1));
	cr_expect(not(holds(rows.rows[0], 1234.5)));
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	cr_expect(bytes_equal(head_for("volt"), head), "it is the same content every time");
	rows = pull("volt", "acme/n1", rows.cursor);
	cr_expect(eq(sz, rows.n, 0));
	world_value("acme/l1", "rating", 6, 1234.75);
	follow();
	cr_expect(not(bytes_equal(head_for("volt"), head)));
	rows = pull("", "acme/n1", (struct bytes){0});
	cr_expect(holds(rows.rows[0], 1234.75), "the search would find it");
}

Test(serve, what_is_shared_with_a_role_is_in_no_row_and_no_head)
{
	const struct bytes blank = head_for("volt");

	world_policy(
		"share \"lines\"\n to org volt role operator\n twins **\n allow discover, summary\n"
		" allow read rating\n until 2100-01-01\n");
	world_twin("acme/l1", "line", NULL);
	world_value("acme/l1", "rating", 5, 1234.5);
	cr_assert(eq(int, visibility_sweep(world.visibility), 0));
	const struct rows rows = pull("volt", "acme/n1", (struct bytes){0});
	cr_expect(eq(sz, rows.n, 0));
	cr_expect(eq(sz, head_for("volt").len, blank.len));
}

/* How many of these a partner may say at once. */
static int admitted(const struct message *m)
{
	int n = 0;

	while (n < 1000 && port.admit(port.ctx, "volt", m) == 0)
		n++;
	return n;
}

Test(serve, a_partner_shows_so_many_heads_however_they_are_wrapped)
{
	struct quota_limits limits;
	struct message few = {.kind = MESSAGE_HEADS, .heads = {.n = 10}}, many = few,
		       tell = {.kind = MESSAGE_TELL};

	many.heads.n = 200;
	for (size_t i = 0; i < N_QUOTA_KINDS; i++)
		limits.of[i] = (struct quota_limit){1, 1000};
	for (int i = 0; i < 3; i++) {
		SCOPED(scope_quotas) struct quotas *q = NULL;
		cr_assert(eq(int, quotas_new(&q, &limits), 0));
		world.quotas = q;
		const int n = admitted(i == 0 ? &few : i == 1 ? &many : &tell);
		world.quotas = NULL;
		const int expected = i == 0 ? 100 : i == 1 ? 5 : 1000 / QUOTA_TELL_HEADS;
		cr_expect(n >= expected && n <= expected + 2, "%d: %d", i, n); /* time passes meanwhile */
	}
}
