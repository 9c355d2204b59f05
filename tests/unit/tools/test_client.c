/* SPDX-License-Identifier: Apache-2.0 */
/* The ingest side of the client, against a fake node. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/tools/fake_node.h"
#include "tools/client.h"

static struct fake_node *node;
static struct client *client;
static struct err_note note;
static bool running;

static struct {
	uint64_t index;
	char reason[160];
} refusals[1000];
static size_t n_refusals;

static void on_refused(void *ctx, uint64_t index, const char *reason)
{
	(void)ctx;
	must(n_refusals < 1000);
	refusals[n_refusals].index = index;
	snprintf(refusals[n_refusals++].reason, sizeof refusals[0].reason, "%s", reason);
}

static void start(void)
{
	fake_node_start(node);
	running = true;
}

static void stop(void)
{
	fake_node_stop(node);
	running = false;
}

static void set_up(void)
{
	node = calloc(1, sizeof *node);
	must(node);
	node->incarnation = 1000;
	node->credit = 8;
	node->refused_below = NAN;
	snprintf(node->endpoint, sizeof node->endpoint, "ipc://%s/node", tmpdir_make());
	start();
}

static void tear_down(void)
{
	client_close(client);
	client = NULL;
	if (running)
		stop();
	fake_node_fini(node);
	free(node);
	node = NULL;
	tmpdir_remove();
}

TestSuite(client, .init = set_up, .fini = tear_down, .timeout = 120);

static void begin(uint32_t frame_samples, int64_t retry_ns)
{
	const struct client_ingest_options opt = {
		.refused = on_refused, .frame_samples = frame_samples, .retry_ns = retry_ns};

	cr_assert(eq(int, client_open(&client, node->endpoint, 5 * NS_PER_S, &note), 0), "%s", note.text);
	cr_assert(eq(int, client_ingest_begin(client, &opt, &note), 0));
}

/* The fake node looks through all its names for each: that takes long under sanitizers. */
static void begin_with_many_names(void)
{
	begin(0, 0);
	client_set_timeout(client, 100 * NS_PER_S);
}

static struct sample number(int64_t t_ns, double v)
{
	return (struct sample){.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = v}, .sigma = NAN};
}

static int put(size_t twin, const char *property, double v)
{
	const struct sample s = number(INT64_C(1000000) + (int64_t)twin, v);
	char name[32];

	snprintf(name, sizeof name, "acme/t%zu", twin);
	return client_put(client, name, property, &s, &note);
}

static void put_all(size_t n, size_t n_twins)
{
	for (size_t i = 0; i < n; i++)
		cr_assert(eq(int, put(i % n_twins, "d", (double)i), 0), "%s", note.text);
}

static void flush(void)
{
	cr_assert(eq(int, client_flush(client, &note), 0), "%s", note.text);
}

/* Every number from 0 to n - 1 came once, under the twin it was put for. */
static void expect_all(size_t n, size_t n_twins)
{
	SCOPED(scope_free) bool *seen = calloc(n, sizeof *seen);

	cr_assert(eq(sz, node->n_samples, n));
	for (size_t i = 0; i < n; i++) {
		const struct fake_sample *s = &node->samples[i];
		const size_t at = (size_t)s->number;
		char name[32];
		cr_assert(at < n && !seen[at], "%zu", at);
		seen[at] = true;
		snprintf(name, sizeof name, "acme/t%zu d", at % n_twins);
		cr_assert(strcmp(node->names[s->series], name) == 0, "%s is not %s", node->names[s->series],
			  name);
	}
}

Test(client, samples_arrive_and_are_counted)
{
	begin(0, 0);
	put_all(25000, 100);
	flush();
	expect_all(25000, 100);
	const struct client_tally tally = client_tally(client);
	cr_expect(tally.n_put == 25000 && tally.n_stored == 25000 && tally.n_refused == 0);
	cr_expect(eq(u32, node->n_frames, 25));
	cr_expect(eq(sz, node->n_sessions, 1));
	cr_expect(node->sessions[0] != 0);
}

Test(client, the_source_and_every_type_go_along)
{
	struct sample s = {
		.t_ns = 1, .value = {.type = VALUE_TEXT, .text = "four"}, .sigma = NAN, .source = "plc"};

	begin(0, 0);
	cr_assert(eq(int, client_put(client, "acme/t0", "t", &s, &note), 0));
	flush();
	cr_expect(strcmp(node->source, "plc") == 0);
	s = (struct sample){.t_ns = 2, .value = {.type = VALUE_BOOL, .boolean = true}, .sigma = NAN};
	cr_assert(eq(int, client_put(client, "acme/t1", "b", &s, &note), 0));
	s.value = (struct value){.type = VALUE_INT64, .integer = -3};
	cr_assert(eq(int, client_put(client, "acme/t2", "i", &s, &note), 0));
	cr_assert(eq(int, client_put(client, "acme/t3", "d", &s, &note), 0)); /* an integer for a double */
	flush();
	cr_expect(strcmp(node->source, "") == 0);
	cr_assert(eq(sz, node->n_samples, 4));
	static const double want[] = {4, 1, -3, -3};
	for (size_t i = 0; i < 4; i++)
		cr_expect(node->samples[i].number == want[i], "%zu: %g", i, node->samples[i].number);
}

Test(client, names_are_asked_for_in_bulk)
{
	begin_with_many_names();
	put_all(25000, 25000);
	flush();
	expect_all(25000, 25000);
	cr_expect(eq(u32, node->n_series_requests, 3));
	put_all(25000, 25000);
	flush();
	cr_expect(eq(u32, node->n_series_requests, 3));
	cr_expect(eq(sz, node->n_samples, 50000));
}

Test(client, what_cannot_be_is_refused_by_its_index_and_the_rest_kept)
{
	char longest[300];
	const struct sample text = {.t_ns = 1, .value = {.type = VALUE_TEXT, .text = "x"}, .sigma = NAN};
	const struct sample s = number(1, 2);

	memset(longest, 'a', sizeof longest);
	longest[0] = 'b', longest[1] = '/', longest[sizeof longest - 1] = '\0';
	begin(0, 0);
	cr_assert(eq(int, put(0, "d", 1), 0));
	cr_assert(eq(int, client_put(client, longest, "d", &s, &note), 0));      /* 1 */
	cr_assert(eq(int, client_put(client, "acme/t0", "a b", &s, &note), 0));  /* 2 */
	cr_assert(eq(int, client_put(client, "acme/t0", "d", &text, &note), 0)); /* 3 */
	cr_assert(eq(int, put(1, "x", 1), 0));                                   /* 4 */
	cr_assert(eq(int, put(2, "i", 1.5), 0));                                 /* 5 */
	cr_assert(eq(int, put(2, "i", 15), 0));
	flush();
	static const uint64_t want[] = {1, 2, 3, 4, 5};
	cr_assert(eq(sz, n_refusals, 5));
	for (size_t i = 0; i < 5; i++)
		cr_expect(refusals[i].index == want[i], "%s", refusals[i].reason);
	cr_expect(strstr(refusals[2].reason, "is of type double, the value is text") != NULL);
	cr_expect(strcmp(refusals[3].reason, sample_refusal_text(SAMPLE_NO_SERIES)) == 0);
	cr_expect(eq(sz, node->n_samples, 2));
	cr_expect(client_tally(client).n_refused == 5 && client_tally(client).n_put == 7);
}

Test(client, what_the_node_refuses_is_told_by_its_index)
{
	node->refused_below = 100;
	begin(64, 0);
	put_all(1000, 3);
	flush();
	cr_assert(eq(sz, n_refusals, 100));
	for (size_t i = 0; i < 100; i++) {
		cr_expect(refusals[i].index == i);
		cr_expect(strcmp(refusals[i].reason, "too small") == 0);
	}
	cr_expect(client_tally(client).n_stored == 900 && client_tally(client).n_refused == 100);
}

Test(client, no_more_frames_are_on_their_way_than_there_is_credit)
{
	node->credit = 3;
	node->hold = true;
	begin(10, 0);
	put_all(500, 5);
	flush();
	expect_all(500, 5);
	cr_expect(eq(sz, node->most_pending, 3));
	/* and never more than the window, whatever the node says */
	pthread_mutex_lock(&node->lock);
	node->credit = 1000;
	node->most_pending = 0;
	pthread_mutex_unlock(&node->lock);
	put_all(2000, 5);
	flush();
	cr_expect(eq(sz, node->n_samples, 2500));
	cr_expect(le(sz, node->most_pending, CLIENT_WINDOW));
	cr_expect(gt(sz, node->most_pending, 3));
}

/* What is pushed goes out without waiting, and what is settled never runs ahead of what was answered. */
Test(client, what_is_settled_is_told_while_more_is_put)
{
	node->refused_below = 3;
	begin(10, 0);
	cr_expect(client_settled(client) == 0 && client_has_room(client, 100));
	put_all(25, 5); /* all wait for their series */
	cr_expect(client_settled(client) == 0);
	cr_assert(eq(int, client_push(client, &note), 0));
	while (client_settled(client) < 25) {
		const struct client_tally t = client_tally(client);
		cr_assert(le(u64, client_settled(client), t.n_stored + t.n_unchanged + t.n_refused));
		cr_assert(eq(int, client_poll(client, &note), 0));
	}
	cr_expect(eq(u64, client_tally(client).n_refused, 3));
	put_all(1, 5);
	cr_expect(client_settled(client) == 25);
	cr_expect(client_has_room(client, 10 * CLIENT_WINDOW) == false);
}

Test(client, frames_without_an_answer_go_again_to_a_node_that_was_started_anew)
{
	begin(10, 30 * NS_PER_S);
	put_all(5, 5);
	flush();
	pthread_mutex_lock(&node->lock);
	node->mute = 1000;
	pthread_mutex_unlock(&node->lock);
	for (size_t i = 5; i < 60; i++)
		cr_assert(eq(int, put(i % 5, "d", (double)i), 0));
	/* it takes some, answers none, and is gone */
	for (unsigned n = 0; n < 3;) {
		cr_assert(eq(int, client_poll(client, &note), 0));
		pthread_mutex_lock(&node->lock);
		n = node->n_frames;
		pthread_mutex_unlock(&node->lock);
	}
	stop();
	node->mute = 0;
	start();
	flush();
	expect_all(60, 5);
	cr_expect(gt(u32, node->n_frames_again, 0));
	cr_expect(eq(sz, node->n_sessions, 1));
	const struct client_tally tally = client_tally(client);
	cr_expect(tally.n_stored + tally.n_unchanged == 60 && tally.n_unchanged > 0 && tally.n_refused == 0);
}

Test(client, a_new_incarnation_has_new_handles)
{
	begin(10, 0);
	put_all(100, 5);
	flush();
	pthread_mutex_lock(&node->lock);
	node->incarnation = 5000000;
	pthread_mutex_unlock(&node->lock);
	for (size_t i = 100; i < 400; i++)
		cr_assert(eq(int, put(i % 5, "d", (double)i), 0));
	flush();
	expect_all(400, 5);
	cr_expect(gt(u32, node->n_stale, 0));
	cr_expect(eq(sz, n_refusals, 0));
}

Test(client, an_answer_about_one_series_tells_that_all_handles_are_stale)
{
	begin(0, 0);
	put_all(5, 5);
	flush();
	pthread_mutex_lock(&node->lock);
	node->incarnation = 5000000;
	pthread_mutex_unlock(&node->lock);
	cr_assert(eq(int, put(5, "b", 0), 0)); /* unknown, so it is asked for; a double is no bool */
	for (size_t i = 5; i < 10; i++)
		cr_assert(eq(int, put(i % 5, "d", (double)i), 0));
	flush();
	expect_all(10, 5);
	cr_expect(eq(u32, node->n_stale, 0));
	cr_expect(eq(sz, n_refusals, 1));
}

Test(client, values_are_not_read_as_the_type_a_property_has_got_since)
{
	begin(10, 0);
	put_all(10, 1);
	flush();
	cr_assert(eq(int, put(0, "d", 10), 0)); /* packed as a double, not sent */
	pthread_mutex_lock(&node->lock);
	node->incarnation = 2000;
	node->as_type = VALUE_INT64;
	pthread_mutex_unlock(&node->lock);
	flush();
	cr_assert(eq(sz, n_refusals, 1));
	cr_expect(refusals[0].index == 10);
	cr_assert(eq(int, put(0, "d", 11), 0));
	flush();
	cr_assert(eq(sz, node->n_samples, 11));
	cr_expect(node->samples[10].number == 11);
}

Test(client, a_node_without_room_is_asked_again)
{
	node->fail = 3;
	node->fail_code = -ENOSPC;
	begin(10, 30 * NS_PER_S);
	put_all(50, 5);
	flush();
	expect_all(50, 5);
	cr_expect(client_tally(client).n_stored == 50);
}

Test(client, a_node_that_stays_without_room_is_reported_and_nothing_is_lost)
{
	node->fail = 1000000;
	node->fail_code = ERR_FULL;
	begin(10, NS_PER_S / 2);
	put_all(5, 5);
	cr_expect(eq(int, client_flush(client, &note), ERR_FULL));
	cr_expect(strcmp(note.text, "the disk is full") == 0);
	pthread_mutex_lock(&node->lock);
	node->fail = 0;
	pthread_mutex_unlock(&node->lock);
	flush();
	expect_all(5, 5);
}

Test(client, without_a_node_it_gives_up_in_time_and_loses_nothing)
{
	begin(10, NS_PER_S / 2);
	put_all(5, 5);
	flush();
	stop();
	for (size_t i = 5; i < 9; i++)
		cr_assert(eq(int, put(i % 5, "d", (double)i), 0));
	cr_expect(eq(int, client_flush(client, &note), ERR_UNREACHABLE));
	cr_expect(strstr(note.text, "is holond running?") != NULL, "%s", note.text);
	start();
	flush();
	expect_all(9, 5);
}

Test(client, a_node_that_takes_frames_and_never_answers_is_given_up)
{
	begin(10, 0);
	client_set_timeout(client, NS_PER_S / 2);
	node->mute = 1000000;
	put_all(5, 5);
	cr_expect(eq(int, client_flush(client, &note), ERR_UNREACHABLE));
	cr_expect(strstr(note.text, "no answer") != NULL, "%s", note.text);
	pthread_mutex_lock(&node->lock);
	node->mute = 0;
	pthread_mutex_unlock(&node->lock);
	flush();
	cr_expect(client_tally(client).n_stored + client_tally(client).n_unchanged == 5);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

Test(client, trouble_that_is_over_does_not_count)
{
	begin(10, NS_PER_S / 2);
	put_all(5, 5);
	flush();
	stop();
	start();
	for (int i = 0; i < 30; i++) { /* it sees that the node hung up, and connects anew */
		cr_assert(eq(int, client_poll(client, &note), 0), "%s", note.text);
		pause_ms(30);
	}
	stop();
	start();
	pause_ms(200);
	for (size_t i = 5; i < 9; i++)
		cr_assert(eq(int, put(i % 5, "d", (double)i), 0));
	flush();
	expect_all(9, 5);
}

Test(client, a_frame_that_no_try_can_mend_is_reported)
{
	node->fail = 1;
	node->fail_code = ERR_MALFORMED;
	begin(10, 30 * NS_PER_S);
	put_all(5, 5);
	cr_expect(eq(int, client_flush(client, &note), ERR_MALFORMED));
	/* a refusal that new handles do not mend */
	pthread_mutex_lock(&node->lock);
	node->fail = 2;
	node->fail_code = ERR_REFUSED;
	pthread_mutex_unlock(&node->lock);
	cr_expect(eq(int, client_flush(client, &note), ERR_REFUSED));
	cr_expect(strcmp(note.text, "the disk is full") == 0);
}

Test(client, present_values_are_read_by_the_thousand)
{
	enum { N = 25000 };
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_free) uint32_t *series = calloc(N, sizeof *series);
	SCOPED(scope_free) struct sample *values = calloc(N, sizeof *values);
	char name[32];

	cr_assert(eq(int, arena_new(&a, SIZE_MAX), 0));
	begin_with_many_names();
	for (size_t i = 0; i < N; i++) {
		snprintf(name, sizeof name, "acme/t%zu", i);
		cr_assert(eq(int,
			     client_series(client, name,
					   i % 10 == 9   ? "x"
					   : i % 10 == 8 ? "t"
							 : "d",
					   &series[i], &note),
			     0));
	}
	cr_assert(eq(int, client_read_values(client, series, N, a, values, &note), 0), "%s", note.text);
	pthread_mutex_lock(&node->lock);
	node->incarnation = 9000000;
	pthread_mutex_unlock(&node->lock);
	cr_assert(eq(int, client_read_values(client, series, N, a, values, &note), 0), "%s", note.text);
	for (size_t i = 0; i < N; i++) {
		snprintf(name, sizeof name, "acme/t%zu", i);
		if (i % 10 == 9)
			cr_assert(values[i].value.type == VALUE_NONE);
		else if (i % 10 == 8)
			cr_assert(strncmp(values[i].value.text, name, strlen(name)) == 0);
		else
			cr_assert(strncmp(node->names[(size_t)values[i].value.real], name, strlen(name)) ==
				  0);
	}
}

Test(client, over_tcp_both_sides_prove_their_keys)
{
	SCOPED(scope_curve_pair) struct curve_pair *server = NULL;
	SCOPED(scope_curve_pair) struct curve_pair *own = NULL;
	struct client_keys keys;

	cr_assert(keys_init() == 0 && curve_pair_new(&server) == 0 && curve_pair_new(&own) == 0);
	stop();
	node->secret = curve_pair_secret(server);
	snprintf(node->endpoint, sizeof node->endpoint, "tcp://127.0.0.1:*");
	start();
	keys = (struct client_keys){curve_pair_public(server), own};
	cr_assert(eq(int, client_open_encrypted(&client, node->endpoint, &keys, 10 * NS_PER_S, &note), 0));
	cr_assert(
		eq(int,
		   client_ingest_begin(client, &(struct client_ingest_options){.refused = on_refused}, &note),
		   0));
	put_all(100, 5);
	flush();
	expect_all(100, 5);
	client_close(client);
	client = NULL;
	keys.server = curve_pair_public(own);
	const int r = client_open_encrypted(&client, node->endpoint, &keys, NS_PER_S, &note);
	cr_expect(r == ERR_DENIED || r == ERR_UNREACHABLE);
}
