/* SPDX-License-Identifier: Apache-2.0 */
/* `publish` of an MQTT adapter's configuration, and its values on their way out: mqtt_adapter.h. */
#include "node/mqtt_adapter.h"

/* Half of what may wait for the broker: orders always find room. */
enum { VALUES_WAITING_MAX = MQTT_QUEUE_MAX / 2, PROPERTIES_LISTED_MAX = 256 };

/* ---- Configuration ---------------------------------------------------------------------------------------
 */

struct raw_outlet {
	struct mqtt_outlet outlet;
	const json_t *properties;
};

static const struct setting outlet_keys[] = {
	{.name = "twins",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct raw_outlet, outlet.twins),
	 .required = true},
	{.name = "topic",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct raw_outlet, outlet.topic),
	 .required = true},
	{.name = "properties",
	 .type = SETTING_LIST,
	 SETTING_IN(struct raw_outlet, properties),
	 .min = 1,
	 .max = PROPERTIES_LISTED_MAX},
	{.name = "retain", .type = SETTING_BOOL, SETTING_IN(struct raw_outlet, outlet.retain)},
	{0},
};

static int check_topic(const struct setting_at *at, struct arena *a, const struct mqtt_outlet *o,
		       struct err_note *note)
{
	const struct setting_at twins = setting_key(at, "twins"), topic = setting_key(at, "topic");
	struct err_note why = {0};
	const char *known = arena_print(a, "%s/{property}", o->twins);

	if (!known)
		return FAIL(-ENOMEM);
	int r = topic_check(o->twins, &why);
	if (r < 0)
		return setting_blame(&twins, r, &why, note);
	r = topic_check(o->topic, &why);
	if (r == 0)
		r = topic_covers(known, o->topic, &why);
	return r < 0 ? setting_blame(&topic, r, &why, note) : 0;
}

static int read_properties(const struct setting_at *at, struct arena *a, struct raw_outlet *raw,
			   struct err_note *note)
{
	const struct setting_at list = setting_key(at, "properties");
	const size_t n = json_array_size(raw->properties);
	const char **names = arena_take_array(a, n, sizeof *names);

	if (!names)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		const struct setting_at item = setting_item(&list, i);
		names[i] = json_string_value(item.json);
		if (!names[i] || !names[i][0])
			return setting_fail(&item, note,
					    "it must be the name of a KPI or of an alarm: alarm/NAME");
	}
	raw->outlet.properties = names;
	raw->outlet.n_properties = n;
	return 0;
}

int mqtt_publish_read(const struct setting_at *top, struct mqtt_adapter *m, struct err_note *note)
{
	const struct setting_at list = setting_key(top, "publish");
	const size_t n = json_array_size(list.json);

	m->outlets = arena_take_array(m->arena, n, sizeof *m->outlets);
	if (!m->outlets)
		return FAIL(-ENOMEM);
	for (; m->n_outlets < n; m->n_outlets++) {
		const struct setting_at item = setting_item(&list, m->n_outlets);
		struct raw_outlet raw = {0};
		TRY(setting_read(&item, outlet_keys, &raw, note));
		TRY(check_topic(&item, m->arena, &raw.outlet, note));
		TRY(read_properties(&item, m->arena, &raw, note));
		m->outlets[m->n_outlets] = raw.outlet;
	}
	return 0;
}

/* ---- Values out ------------------------------------------------------------------------------------------
 */

static int on_send(void *ctx, const char *topic, struct bytes payload, bool retain)
{
	struct mqtt_adapter *m = ctx;
	uint64_t id;

	if (!mqtt_client_is_up(m->client) || mqtt_client_waiting(m->client) >= VALUES_WAITING_MAX)
		return MQTT_BUSY;
	const int r = mqtt_client_publish(
		m->client, &(struct mqtt_publish){.topic = topic, .payload = payload, .retain = retain}, &id);
	if (r == 0)
		adapter_count(m->adapter, COUNT_PUBLISHED, 1);
	else if (r < 0)
		adapter_dead(m->adapter, topic, payload, "it cannot be published under this topic");
	return r;
}

static void on_skipped(void *ctx)
{
	const struct mqtt_adapter *m = ctx;

	adapter_count(m->adapter, COUNT_SKIPPED, 1);
}

static void on_left_out(void *ctx, const char *twin, const char *property)
{
	const struct mqtt_adapter *m = ctx;

	(void)property;
	adapter_count(m->adapter, COUNT_SKIPPED, 1);
	adapter_dead(m->adapter, twin, (struct bytes){0},
		     "not published: more values match than an adapter publishes, or its topic is too long");
}

int mqtt_publish_open(struct mqtt_adapter *m)
{
	if (m->n_outlets == 0)
		return 0;
	return mqtt_out_new(&m->out, &(struct mqtt_out_options){.engine = m->engine,
								.outlets = m->outlets,
								.n_outlets = m->n_outlets,
								.send = on_send,
								.skipped = on_skipped,
								.left_out = on_left_out,
								.ctx = m});
}
