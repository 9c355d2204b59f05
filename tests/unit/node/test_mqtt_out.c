/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdio.h>

#include "node/mqtt_out.h"
#include "storage/store.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

enum { NOW_S = 1 };

static struct mqtt_out *out;
static int room, n_sent, n_skipped, n_left_out;
static char last_topic[200], last_payload[400];
static bool last_retain;

static int on_send(void *ctx, const char *topic, struct bytes payload, bool retain)
{
	(void)ctx;
	if (room == 0)
		return 1;
	room--;
	n_sent++;
	last_retain = retain;
	snprintf(last_topic, sizeof last_topic, "%s", topic);
	snprintf(last_payload, sizeof last_payload, "%.*s", (int)payload.len, (const char *)payload.data);
	return 0;
}

static void on_skipped(void *ctx)
{
	(void)ctx;
	n_skipped++;
}

static void on_left_out(void *ctx, const char *twin, const char *property)
{
	(void)ctx, (void)twin, (void)property;
	n_left_out++;
}

static void value(const char *twin, const char *property, int second, double v)
{
	world_value(twin, property, (int64_t)(NOW_S + second) * 1000000000, v);
}

static void set_up(void)
{
	world_set_up();
	world_type("press", "power/use", "torque", "kW");
	world_twin("acme/line1/p1", "press", NULL);
	world_twin("acme/line1/p2", "press", NULL);
	world_twin("acme/lab", "press", NULL);
	room = 1000;
}

static void begin(const struct mqtt_outlet *outlets, size_t n)
{
	cr_assert(eq(int,
		     mqtt_out_new(&out, &(struct mqtt_out_options){.engine = &world,
								   .outlets = outlets,
								   .n_outlets = n,
								   .send = on_send,
								   .skipped = on_skipped,
								   .left_out = on_left_out}),
		     0));
	for (int i = 0; i < 20; i++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
}

static void tear_down(void)
{
	mqtt_out_close(out);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	world_tear_down();
}

TestSuite(mqtt_out, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct mqtt_outlet line = {.twins = "acme/{line}/{press}",
					.topic = "out/{line}/{press}/{property}"};

Test(mqtt_out, tells_what_is_there_once)
{
	value("acme/line1/p1", "power/use", 0, 20.5);
	value("acme/line1/p1", "torque", 0, 7); /* no KPI */
	value("acme/lab", "power/use", 0, 3);   /* no such twin is asked for */
	begin(&line, 1);
	cr_assert(eq(int, n_sent, 1));
	cr_assert(strcmp(last_topic, "out/line1/p1/power/use") == 0, "%s", last_topic);
	cr_assert(strcmp(last_payload,
			 "{\"twin\":\"acme/line1/p1\",\"property\":\"power/use\","
			 "\"t\":\"1970-01-01T00:00:01Z\",\"value\":20.5,\"unit\":\"kW\"}") == 0,
		  "%s", last_payload);
	cr_assert(not(last_retain));
	mqtt_out_changed(out);
	cr_assert(eq(int, n_sent, 1));
}

Test(mqtt_out, tells_what_changes)
{
	begin(&line, 1);
	cr_assert(eq(int, n_sent, 0));
	value("acme/line1/p2", "power/use", 0, 1);
	mqtt_out_changed(out);
	cr_assert(eq(int, n_sent, 1));
	value("acme/line1/p2", "power/use", 0, 1); /* the same again */
	value("acme/line1/p2", "torque", 1, 1);
	mqtt_out_changed(out);
	cr_assert(eq(int, n_sent, 1));
	world_twin("acme/line1/p2", "press", "spare"); /* its row is another, its values are not */
	mqtt_out_changed(out);
	cr_assert(eq(int, n_sent, 1));
	value("acme/line1/p2", "power/use", 1, 1); /* the same value at another time is news */
	mqtt_out_changed(out);
	cr_assert(eq(int, n_sent, 2));
}

/* While there is no room each value waits once, and the newest is told. */
Test(mqtt_out, the_newest_wins)
{
	begin(&line, 1);
	room = 0;
	for (int i = 0; i < 10; i++) {
		value("acme/line1/p1", "power/use", i, i);
		value("acme/line1/p2", "power/use", i, 100 + i);
		mqtt_out_changed(out);
	}
	cr_assert(eq(sz, mqtt_out_waiting(out), 2));
	cr_assert(eq(int, n_skipped, 18));
	room = 1;
	mqtt_out_room(out);
	cr_assert(eq(int, n_sent, 1));
	cr_assert(ne(ptr, (void *)strstr(last_payload, "\"value\":9.0"), NULL), "%s", last_payload);
	room = 5;
	mqtt_out_room(out);
	cr_assert(eq(int, n_sent, 2));
	cr_assert(ne(ptr, (void *)strstr(last_payload, "\"value\":109.0"), NULL), "%s", last_payload);
	cr_assert(eq(sz, mqtt_out_waiting(out), 0));
	mqtt_out_room(out);
	cr_assert(eq(int, n_sent, 2));
}

Test(mqtt_out, the_first_outlet_that_has_it)
{
	static const char *const others[] = {"alarm/power/use"}, *const named[] = {"power/use"};
	const struct mqtt_outlet outlets[] = {
		{.twins = "acme/lab", .topic = "alarms", .properties = others, .n_properties = 1},
		{.twins = "acme/lab", .topic = "lab", .properties = named, .n_properties = 1, .retain = true},
		{.twins = "{all+}", .topic = "rest/{all+}"}};

	begin(outlets, 3);
	value("acme/lab", "power/use", 0, 3);
	mqtt_out_changed(out);
	cr_assert(strcmp(last_topic, "lab") == 0 && last_retain, "%s", last_topic);
	value("acme/line1/p1", "power/use", 0, 3);
	mqtt_out_changed(out);
	cr_assert(strcmp(last_topic, "rest/acme/line1/p1") == 0, "%s", last_topic);
	cr_assert(eq(int, n_sent, 2));
}

/* A twin that goes while its value waits is no matter. */
Test(mqtt_out, what_is_gone_is_not_told)
{
	const struct op drop = {.kind = OP_TWIN_DELETE, .id = "acme/line1/p1"};

	begin(&line, 1);
	room = 0;
	value("acme/line1/p1", "power/use", 0, 3);
	mqtt_out_changed(out);
	cr_assert(eq(sz, mqtt_out_waiting(out), 1));
	world_put(&drop, 1);
	mqtt_out_changed(out);
	room = 5;
	mqtt_out_room(out);
	cr_assert(eq(int, n_sent, 0));
	cr_assert(eq(sz, mqtt_out_waiting(out), 0));
}

/* More twins than are looked at in one go. */
Test(mqtt_out, all_of_many)
{
	enum { MANY = 5000 };
	static char ids[MANY][32];
	static struct op ops[MANY];

	room = MANY * 2;
	for (int i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof ids[i], "acme/line2/m%d", i);
		ops[i] = (struct op){.kind = OP_TWIN, .twin = {.id = ids[i], .type = "press", .name = ""}};
	}
	world_put(ops, MANY);
	for (int i = 0; i < MANY; i += 50)
		value(ids[i], "power/use", 0, i);
	begin(&line, 1);
	while (n_sent < MANY / 50)
		uv_run(&world.loop, UV_RUN_ONCE);
	cr_assert(eq(int, n_left_out, 0));
}
