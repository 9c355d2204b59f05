/* SPDX-License-Identifier: Apache-2.0 */
/* What a watch makes of what a node says, and of its silence; the connection is made up (--wrap). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <string.h>

#include "proto/clock.h"
#include "tools/client_private.h"
#include "tools/client_watch.h"

/* ---- A node that says what is written here ---------------------------------------------------------------
 */

enum { LINES_MAX = 32, MEMBERS_MAX = 4 };

/* One part, or what happens instead. */
struct line {
	int code;         /* of waiting for it: 0, CLIENT_NOTHING, ERR_UNREACHABLE */
	uint64_t request; /* which one it answers: 1, 2, ... as they were sent */
	int32_t refused;  /* code of the answer */
	struct watch_event watch;
	const char *members; /* each letter is a member; its value is the one of the line */
	double value;
	const char *gone;
	uint64_t total; /* counts.members of the last part */
};

static const struct line *lines;
static size_t n_lines, at_line;
static unsigned n_sent, n_renewals, n_reconnects, n_refusals;
static uint32_t renewed[2];
static int64_t now_ns;
static struct client client = {.endpoint = (char[]){"ipc:///nowhere"}};

int __wrap_client_send(struct client *c, struct control_request *r, struct err_note *note);
int __wrap_client_await_part(struct client *c, int64_t until_ns, struct arena *a, struct control_answer *ret,
			     struct err_note *note);
int __wrap_client_reconnect(struct client *c, struct err_note *note);
int64_t __wrap_client_now_ns(void);

int __wrap_client_send(struct client *c, struct control_request *r, struct err_note *note)
{
	(void)note;
	r->id = ++c->last_id;
	n_sent++;
	n_renewals += r->n_handles == 2;
	memcpy(renewed, r->handles, sizeof renewed);
	return 0;
}

int __wrap_client_reconnect(struct client *c, struct err_note *note)
{
	(void)c, (void)note;
	n_reconnects++;
	return n_reconnects <= n_refusals ? ERR_DENIED : 0;
}

int64_t __wrap_client_now_ns(void)
{
	return now_ns;
}

static void say_members(const struct line *l, struct arena *a, struct view_part *view)
{
	for (const char *m = l->members; m && *m; m++) {
		struct view_member *member = arena_push(a, &view->members, &view->n_members, sizeof *member);
		*member = (struct view_member){.id = arena_print(a, "acme/%c", *m),
					       .parent = "",
					       .type = "",
					       .name = arena_print(a, "%g", l->value)};
	}
	for (const char *g = l->gone; g && *g; g++) {
		const char **gone = arena_push(a, &view->gone, &view->n_gone, sizeof *gone);
		*gone = arena_print(a, "acme/%c", *g);
	}
	view->counts.members = l->total;
}

int __wrap_client_await_part(struct client *c, int64_t until_ns, struct arena *a, struct control_answer *ret,
			     struct err_note *note)
{
	(void)c, (void)note;
	cr_assert(at_line < n_lines, "nothing more was to be waited for");
	const struct line *l = &lines[at_line++];

	if (l->code == CLIENT_NOTHING)
		now_ns = until_ns;
	if (l->code != 0)
		return l->code;
	*ret = (struct control_answer){.id = l->request,
				       .code = l->refused,
				       .text = "",
				       .watch = l->watch,
				       .has_view = l->watch.number == 0 || l->watch.event > 0};
	say_members(l, a, &ret->view);
	return 0;
}

/* ---- Tests -----------------------------------------------------------------------------------------------
 */

static struct view_root root = {.id = "acme/a", .parent = ""};
static const struct view_question question = {
	.roots = &root, .n_roots = 1, .hierarchy = "contains", .where = "", .by_property = ""};
static struct client_watch *watch;
static struct client_event event;

static void set_up(void)
{
	struct err_note note;

	now_ns = NS_PER_S;
	cr_assert(eq(int, client_watch_begin(&watch, &client, &question, &note), 0));
}

static void tear_down(void)
{
	client_watch_free(watch);
}

TestSuite(client_watch, .init = set_up, .fini = tear_down, .timeout = 60);

#define HEAR(LINES) (lines = (LINES), n_lines = sizeof(LINES) / sizeof *(LINES), at_line = 0)

/* The letters of the members of the next event, a dash, those that are gone; "lost". */
static const char *next(void)
{
	static char text[32];
	struct err_note note = {0};
	size_t n = 0;

	const int r = client_watch_next(watch, &event, &note);
	if (r == CLIENT_WATCH_LOST)
		return "lost";
	cr_assert(eq(int, r, 0), "%s", note.text);
	for (size_t i = 0; i < event.view->n_members; i++)
		text[n++] = event.view->members[i].id[5];
	text[n++] = '-';
	for (size_t i = 0; i < event.view->n_gone; i++)
		text[n++] = event.view->gone[i][5];
	text[n] = '\0';
	return text;
}

static void expect_next(const char *wanted, int line)
{
	const char *told = next();

	cr_expect(strcmp(told, wanted) == 0, "line %d: found %s instead of %s", line, told, wanted);
}

#define EXPECT_NEXT(wanted) expect_next((wanted), __LINE__)

#define EVENT(n) \
	{ \
		.number = 9, .event = (n), .whole = (n) == 1 \
	}

Test(client_watch, parts_make_an_event_and_events_follow)
{
	static const struct line said[] = {
		{.request = 1, .watch = {.number = 9}},
		{.request = 1, .members = "a"},
		{.request = 1, .members = "bc", .watch = EVENT(1), .total = 3},
		{.request = 1, .members = "b", .value = 2, .watch = EVENT(2), .total = 3},
		{.request = 1, .gone = "c", .watch = EVENT(3), .total = 2}};

	HEAR(said);
	EXPECT_NEXT("abc-");
	cr_expect(event.first);
	EXPECT_NEXT("b-");
	cr_expect(not(event.first));
	cr_expect(not(event.certificate));
	EXPECT_NEXT("-c");
	cr_expect(event.certificate);
	cr_expect(eq(uint, n_sent, 1));
}

Test(client_watch, after_a_break_comes_the_difference)
{
	static const struct line said[] = {
		{.request = 1, .members = "abc", .watch = EVENT(1), .total = 3},
		{.request = 1, .members = "b", .value = 7},
		{.code = ERR_UNREACHABLE},
		{.request = 2, .members = "ab", .watch = EVENT(1), .total = 2},
		{.request = 2, .members = "a", .value = 1, .watch = EVENT(2), .total = 2}};

	HEAR(said);
	EXPECT_NEXT("abc-");
	EXPECT_NEXT("lost");
	EXPECT_NEXT("-c");
	cr_expect(event.resumed);
	cr_expect(eq(uint, n_reconnects, 1));
	EXPECT_NEXT("a-");
	cr_expect(not(event.resumed));
}

Test(client_watch, what_is_as_before_the_break_is_not_told)
{
	static const struct line said[] = {
		{.request = 1, .members = "ab", .watch = EVENT(1), .total = 2},
		{.code = ERR_UNREACHABLE},
		{.request = 2, .members = "ab", .watch = EVENT(1), .total = 2},
		{.request = 2, .members = "b", .value = 1, .watch = EVENT(2), .total = 2}};

	HEAR(said);
	EXPECT_NEXT("ab-");
	EXPECT_NEXT("lost");
	EXPECT_NEXT("b-");
	cr_expect(event.resumed);
}

/* It ends in the middle of a handshake. */
Test(client_watch, a_node_that_goes_while_we_connect_is_tried_again)
{
	static const struct line said[] = {{.request = 1, .members = "a", .watch = EVENT(1), .total = 1},
					   {.code = ERR_UNREACHABLE},
					   {.request = 2, .members = "ab", .watch = EVENT(1), .total = 2}};

	n_refusals = 1;
	HEAR(said);
	EXPECT_NEXT("a-");
	EXPECT_NEXT("lost");
	EXPECT_NEXT("b-");
	cr_expect(eq(uint, n_reconnects, 2));
}

/* An event that is left out, or comes twice. */
Test(client_watch, a_hole_is_a_break)
{
	static const struct line said[] = {
		{.request = 1, .members = "a", .watch = EVENT(1), .total = 1},
		{.request = 1, .members = "b", .watch = EVENT(3), .total = 2},
		{.request = 2, .members = "ab", .watch = EVENT(1), .total = 2},
		{.request = 2, .members = "a", .value = 3, .watch = EVENT(1), .total = 2},
		{.request = 3, .members = "ab", .value = 4, .watch = EVENT(1), .total = 2}};

	HEAR(said);
	EXPECT_NEXT("a-");
	EXPECT_NEXT("lost");
	EXPECT_NEXT("b-");
	EXPECT_NEXT("lost");
	EXPECT_NEXT("ab-");
}

Test(client_watch, a_silent_node_is_asked_and_then_given_up)
{
	static const struct line said[] = {{.request = 1, .members = "a", .watch = EVENT(1), .total = 1},
					   {.code = CLIENT_NOTHING},
					   {.code = CLIENT_NOTHING},
					   {.code = CLIENT_NOTHING},
					   {.code = CLIENT_NOTHING},
					   {.request = 5, .members = "a", .watch = EVENT(1), .total = 9}};

	HEAR(said);
	EXPECT_NEXT("a-");
	EXPECT_NEXT("lost");
	cr_expect(n_renewals >= 2);
	cr_expect(eq(u32, renewed[0], 9));
	cr_expect(eq(u32, renewed[1], 1));
}

/* The node had given it up: the renewal began another one, under its own id. */
Test(client_watch, a_renewal_that_came_too_late_goes_on_with_the_difference)
{
	static const struct line said[] = {
		{.request = 1, .members = "ab", .watch = EVENT(1), .total = 2},
		{.request = 1, .members = "a", .value = 5},
		{.code = CLIENT_NOTHING},
		{.request = 2, .watch = {.number = 10}},
		{.request = 2, .members = "a", .value = 6},
		{.request = 1, .members = "b", .value = 5, .watch = EVENT(2), .total = 2},
		{.request = 2,
		 .members = "b",
		 .watch = {.number = 10, .event = 1, .whole = true},
		 .total = 2}};

	HEAR(said);
	EXPECT_NEXT("ab-");
	EXPECT_NEXT("a-");
	cr_expect(event.resumed);
}

Test(client_watch, a_root_that_is_gone_is_an_empty_view_and_is_asked_for_again)
{
	static const struct line said[] = {{.request = 1, .members = "ab", .watch = EVENT(1), .total = 2},
					   {.request = 1, .refused = ERR_ABSENT},
					   {.request = 2, .refused = ERR_ABSENT},
					   {.request = 3, .members = "ab", .watch = EVENT(1), .total = 2}};
	const char *found;

	HEAR(said);
	EXPECT_NEXT("ab-");
	found = next();
	cr_expect(found[0] == '-' && strlen(found) == 3, "found %s", found);
	EXPECT_NEXT("ab-");
}

Test(client_watch, a_refusal_at_the_beginning_is_the_end)
{
	static const struct line said[] = {{.request = 1, .refused = ERR_ABSENT}};
	struct err_note note = {0};

	HEAR(said);
	cr_expect(eq(int, client_watch_next(watch, &event, &note), ERR_ABSENT));
	cr_expect(note.text[0] != '\0');
}

Test(client_watch, the_node_is_told_what_was_taken)
{
	enum { MANY = 40 };
	static struct line said[MANY];

	for (int i = 0; i < MANY; i++)
		said[i] = (struct line){.request = 1,
					.members = "a",
					.value = i,
					.watch = EVENT((uint64_t)i + 1),
					.total = 1};
	HEAR(said);
	for (int i = 0; i < MANY; i++) {
		EXPECT_NEXT("a-");
		const uint32_t behind = (uint32_t)i - renewed[1];
		cr_assert(behind < 8, "at event %d it was told of %u", i, renewed[1]);
	}
	cr_expect(n_renewals >= 5);
}
