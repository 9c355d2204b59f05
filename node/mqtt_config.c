/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/log.h"
#include "node/mqtt_adapter.h"
#include "proto/clock.h"
#include "security/keys.h"

static const char *const versions[] = {"5", "3.1.1", NULL};
static const char *const matches[] = {"first", "all", NULL};

#define KEY(field) SETTING_IN(struct mqtt_keys, field)
static const struct setting keys[] = {
	{.name = "broker", .type = SETTING_TEXT, KEY(broker), .required = true, .min = 1, .max = 300},
	{.name = "client-id", .type = SETTING_TEXT, KEY(client_id), .min = 1, .max = 200},
	{.name = "user", .type = SETTING_TEXT, KEY(user), .max = 1000},
	{.name = "password-file", .type = SETTING_TEXT, KEY(password_file), .min = 1, .max = 1000},
	{.name = "ca-file", .type = SETTING_TEXT, KEY(ca_file), .min = 1, .max = 1000},
	{.name = "cert-file", .type = SETTING_TEXT, KEY(cert_file), .min = 1, .max = 1000},
	{.name = "key-file", .type = SETTING_TEXT, KEY(key_file), .min = 1, .max = 1000},
	{.name = "version", .type = SETTING_WORD, KEY(version), .words = versions},
	{.name = "match", .type = SETTING_WORD, KEY(match), .words = matches},
	{.name = "keep-alive", .type = SETTING_DURATION, KEY(keep_alive_ns), .min = 1e9, .max = 3.6e12},
	{.name = "session", .type = SETTING_DURATION, KEY(session_ns), .min = 60e9, .max = 3.2e17},
	{.name = "payload-max", .type = SETTING_INT, KEY(payload_max), .min = 64, .max = 16777216},
	{.name = "maps", .type = SETTING_LIST, KEY(maps), .max = MQTT_MAPS_MAX},
	{.name = "commands", .type = SETTING_LIST, KEY(commands), .max = MQTT_TARGETS_MAX},
	{.name = "desired", .type = SETTING_LIST, KEY(desired), .max = MQTT_TARGETS_MAX},
	{.name = "publish", .type = SETTING_LIST, KEY(publish), .max = MQTT_OUTLETS_MAX},
	{0},
};
#undef KEY

/* ---- The broker ------------------------------------------------------------------------------------------
 */

/* mqtt://HOST[:PORT], mqtts://HOST[:PORT], HOST perhaps [v6]. */
static int read_broker(const struct setting_at *top, struct mqtt_adapter *m, struct err_note *note)
{
	const struct setting_at at = setting_key(top, "broker");
	const char *url = m->keys.broker;
	unsigned long port;
	char *end = NULL;

	m->options.tls = strncmp(url, "mqtts://", 8) == 0;
	if (!m->options.tls && strncmp(url, "mqtt://", 7) != 0)
		return setting_fail(&at, note, "it must begin with mqtt:// or mqtts://");
	url += m->options.tls ? 8 : 7;
	const bool v6 = url[0] == '[';
	const size_t len = v6 ? strcspn(url, "]") : strcspn(url, ":/");
	const char *rest = url + len + (v6 && url[len] == ']');
	port = m->options.tls ? 8883 : 1883;
	if (*rest == ':')
		port = strtoul(rest + 1, &end, 10);
	if (len <= (size_t)v6 || (end ? *end : *rest) || port < 1 || port > 65535)
		return setting_fail(&at, note, "it must be mqtt://HOST[:PORT] or mqtts://HOST[:PORT]");
	m->options.host = arena_text(m->arena, (struct bytes){(const uint8_t *)url + v6, len - v6});
	m->options.port = (uint16_t)port;
	return m->options.host ? 0 : FAIL(-ENOMEM);
}

static int read_file(const struct setting_at *top, struct mqtt_adapter *m, const char *key, const char *name,
		     const char **ret, struct err_note *note)
{
	const struct setting_at at = setting_key(top, key);

	if (!name)
		return 0;
	*ret = adapter_path(m->adapter, m->arena, name);
	if (!*ret)
		return FAIL(-ENOMEM);
	if (access(*ret, R_OK) != 0)
		return setting_fail(&at, note, "%.150s cannot be read: %s", *ret, err_text(-errno));
	if (!m->options.tls)
		return setting_fail(&at, note, "it needs a broker mqtts://");
	return 0;
}

/* The first line of the file. */
static int read_password(const struct setting_at *top, struct mqtt_adapter *m, struct err_note *note)
{
	const struct setting_at at = setting_key(top, "password-file");
	struct err_note why = {0};
	struct bytes text;

	if (!m->keys.password_file)
		return 0;
	const char *path = adapter_path(m->adapter, m->arena, m->keys.password_file);
	if (!path)
		return FAIL(-ENOMEM);
	const int r = file_read(m->arena, path, MQTT_SECRET_MAX, &text, &why);
	if (r < 0)
		return setting_fail(&at, note, "%s", why.text[0] ? why.text : err_text(r));
	const size_t len = strcspn((const char *)text.data, "\r\n");
	m->options.password = arena_text(m->arena, (struct bytes){text.data, len});
	return m->options.password ? 0 : FAIL(-ENOMEM);
}

static int read_client(const struct setting_at *top, struct mqtt_adapter *m, struct err_note *note)
{
	struct mqtt_options *o = &m->options;
	const struct mqtt_keys *k = &m->keys;

	TRY(read_broker(top, m, note));
	TRY(read_password(top, m, note));
	TRY(read_file(top, m, "ca-file", k->ca_file, &o->ca_file, note));
	TRY(read_file(top, m, "cert-file", k->cert_file, &o->cert_file, note));
	TRY(read_file(top, m, "key-file", k->key_file, &o->key_file, note));
	if (!k->cert_file != !k->key_file)
		return setting_fail(top, note, "'cert-file' and 'key-file' go together");
	o->client_id = k->client_id;
	if (!o->client_id)
		o->client_id =
			arena_print(m->arena, "holon-%s-%s", m->engine->origin, adapter_name(m->adapter));
	if (!o->client_id)
		return FAIL(-ENOMEM);
	o->user = k->user;
	o->payload_max = (uint32_t)k->payload_max;
	o->keep_alive_s = (uint16_t)(k->keep_alive_ns / NS_PER_S);
	o->session_s = (uint32_t)(k->session_ns / NS_PER_S);
	o->version_3 = k->version == 1;
	return 0;
}

/* ---- Mappings and targets --------------------------------------------------------------------------------
 */

static int read_maps(const struct setting_at *top, struct mqtt_adapter *m, struct err_note *note)
{
	const struct setting_at list = setting_key(top, "maps");

	m->n_maps = json_array_size(list.json);
	m->maps = arena_take_array(m->arena, m->n_maps, sizeof *m->maps);
	if (!m->maps)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->n_maps; i++) {
		const struct setting_at item = setting_item(&list, i);
		TRY(payload_map_read(&item, m->arena, &m->maps[i], note));
	}
	return 0;
}

static const struct setting target_keys[] = {
	{.name = "twins", .type = SETTING_TEXT, SETTING_IN(struct mqtt_target, twins), .required = true},
	{.name = "topic", .type = SETTING_TEXT, SETTING_IN(struct mqtt_target, topic), .required = true},
	{.name = "ack", .type = SETTING_TEXT, SETTING_IN(struct mqtt_target, ack)},
	{0},
};

static int check_pattern(const struct setting_at *at, const char *key, const char *pattern,
			 const char *source, struct err_note *note)
{
	const struct setting_at inner = setting_key(at, key);
	struct err_note why = {0};
	int r = pattern ? topic_check(pattern, &why) : 0;

	if (r == 0 && source)
		r = topic_covers(source, pattern, &why);
	return r < 0 ? setting_blame(&inner, r, &why, note) : 0;
}

static int read_targets(const struct setting_at *top, const char *key, struct mqtt_adapter *m,
			struct mqtt_targets *ret, struct err_note *note)
{
	const struct setting_at list = setting_key(top, key);

	ret->n = json_array_size(list.json);
	ret->of = arena_take_array(m->arena, ret->n, sizeof *ret->of);
	if (!ret->of)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < ret->n; i++) {
		const struct setting_at item = setting_item(&list, i);
		struct mqtt_target *t = &ret->of[i];
		TRY(setting_read(&item, target_keys, t, note));
		TRY(check_pattern(&item, "twins", t->twins, NULL, note));
		TRY(check_pattern(&item, "topic", t->topic, t->twins, note));
		TRY(check_pattern(&item, "ack", t->ack, NULL, note));
		if (t->ack && ret != &m->commands)
			return setting_fail(&item, note, "only commands are acknowledged");
	}
	return 0;
}

/* ---- Filters ---------------------------------------------------------------------------------------------
 */

static bool has_text(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

/* NULL: -ENOMEM. */
static int push_filter(struct mqtt_adapter *m, const char *filter)
{
	if (!filter)
		return FAIL(-ENOMEM);
	if (has_text(m->filters, m->n_filters, filter))
		return 0;
	const char **at = arena_push(m->arena, &m->filters, &m->n_filters, sizeof *at);
	if (!at)
		return FAIL(-ENOMEM);
	*at = filter;
	return 0;
}

static int push_map_filters(struct mqtt_adapter *m, const struct payload_map *map)
{
	if (map->format != PAYLOAD_SPARKPLUG)
		return push_filter(m, topic_filter(m->arena, map->topic));
	TRY(push_filter(m, mqtt_spark_filter(m->arena, map->topic, false)));
	return push_filter(m, mqtt_spark_filter(m->arena, map->topic, true));
}

static int collect_filters(struct mqtt_adapter *m)
{
	for (size_t i = 0; i < m->n_maps; i++)
		TRY(push_map_filters(m, &m->maps[i]));
	for (size_t i = 0; i < m->commands.n; i++)
		if (m->commands.of[i].ack)
			TRY(push_filter(m, topic_filter(m->arena, m->commands.of[i].ack)));
	return 0;
}

int mqtt_config_read(struct mqtt_adapter *m, const json_t *config, struct err_note *note)
{
	const struct setting_at top = {.key = adapter_name(m->adapter), .json = config};

	m->keys.payload_max = MQTT_PAYLOAD_MAX;
	TRY(setting_read(&top, keys, &m->keys, note));
	TRY(read_client(&top, m, note));
	TRY(read_maps(&top, m, note));
	TRY(read_targets(&top, "commands", m, &m->commands, note));
	TRY(read_targets(&top, "desired", m, &m->desired, note));
	TRY(mqtt_publish_read(&top, m, note));
	TRY(collect_filters(m));
	m->options.filters = m->filters;
	m->options.n_filters = m->n_filters;
	return 0;
}

/* ---- Filters of earlier configurations -------------------------------------------------------------------
 */

static const char *topics_path(struct mqtt_adapter *m)
{
	const char *name = arena_print(m->arena, "%s.topics", adapter_name(m->adapter));

	return name ? adapter_path(m->adapter, m->arena, name) : NULL;
}

static int write_topics(struct mqtt_adapter *m, bool with_old, struct err_note *note)
{
	SCOPED(buf_fini) struct buf out = {0};
	const char *path = topics_path(m);

	for (size_t i = 0; i < m->n_filters; i++)
		buf_print(&out, "%s\n", m->filters[i]);
	for (size_t i = 0; with_old && i < m->n_old_filters; i++)
		buf_print(&out, "%s\n", m->old_filters[i]);
	TRY(buf_check(&out));
	return path ? file_write(path, buf_bytes(&out), true, note) : FAIL(-ENOMEM);
}

int mqtt_filters_load(struct mqtt_adapter *m, struct err_note *note)
{
	const char *path = topics_path(m);
	struct bytes text;

	if (!path)
		return FAIL(-ENOMEM);
	int r = file_read(m->arena, path, ADAPTER_MAX, &text, note);
	if (r < 0 && r != -ENOENT)
		return r;
	char *rest = r < 0 ? NULL : (char *)(uintptr_t)text.data, *line;
	while (rest && (line = strtok_r(rest, "\n", &rest))) {
		if (!mqtt_is_filter(line) || has_text(m->filters, m->n_filters, line))
			continue;
		const char **at = arena_push(m->arena, &m->old_filters, &m->n_old_filters, sizeof *at);
		if (!at)
			return FAIL(-ENOMEM);
		*at = line;
	}
	m->options.old_filters = m->old_filters;
	m->options.n_old_filters = m->n_old_filters;
	return write_topics(m, true, note);
}

void mqtt_filters_keep(struct mqtt_adapter *m)
{
	struct err_note note = {0};
	const int r = m->n_old_filters > 0 ? write_topics(m, false, &note) : 0;

	if (r < 0)
		engine_log_failure("adapter", "topics are taken back once more at the next start", r, &note);
}
