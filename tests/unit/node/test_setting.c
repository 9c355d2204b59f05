/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "node/setting.h"
#include "proto/clock.h"
#include "proto/scope.h"
#include "tests/unit/proto/text.h"

TestSuite(setting, .timeout = 60);

struct mine {
	const char *host;
	int64_t port, every_ns;
	double scale;
	bool tls;
	int order;
	const json_t *maps, *more, *any;
};

static const char *const orders[] = {"big", "little", NULL};
static const struct setting keys[] = {
	{.name = "host",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct mine, host),
	 .required = true,
	 .min = 1,
	 .max = 10},
	{.name = "port", .type = SETTING_INT, SETTING_IN(struct mine, port), .min = 1, .max = 65535},
	{.name = "every",
	 .type = SETTING_DURATION,
	 SETTING_IN(struct mine, every_ns),
	 .min = 1e7,
	 .max = 3.6e12},
	{.name = "scale", .type = SETTING_NUMBER, SETTING_IN(struct mine, scale)},
	{.name = "tls", .type = SETTING_BOOL, SETTING_IN(struct mine, tls)},
	{.name = "order", .type = SETTING_WORD, SETTING_IN(struct mine, order), .words = orders},
	{.name = "maps", .type = SETTING_LIST, SETTING_IN(struct mine, maps), .max = 2},
	{.name = "more", .type = SETTING_OBJECT, SETTING_IN(struct mine, more)},
	{.name = "any", .type = SETTING_ANY, SETTING_IN(struct mine, any)},
	{0},
};

static int read_text(const char *text, struct mine *ret, char *ret_note)
{
	SCOPED(scope_json_ref) json_t *j = NULL;
	struct err_note note = {0};
	int r = setting_parse("a.json", text, strlen(text), &j, &note);

	if (r == 0)
		r = setting_read(&(struct setting_at){.key = "a.json", .json = j}, keys, ret, &note);
	snprintf(ret_note, sizeof note.text, "%s", note.text);
	return r;
}

Test(setting, what_is_given_is_read_and_the_rest_stays)
{
	struct mine m = {.port = 502, .order = 1};
	char note[256];

	cr_assert(eq(int,
		     read_text("{\"host\": \"h\", \"every\": \"2s\", \"scale\": 0.5, \"tls\": true,"
			       " \"maps\": [1], \"more\": {}, \"any\": null, \"note\": \"hall 3\"}",
			       &m, note),
		     0),
		  "%s", note);
	cr_expect(eq(i64, m.port, 502));
	cr_expect(eq(i64, m.every_ns, 2 * NS_PER_S));
	cr_expect(eq(dbl, m.scale, 0.5));
	cr_expect(m.tls && m.order == 1 && m.maps && m.more && m.any);
}

Test(setting, every_failure_names_the_key_and_what_is_allowed)
{
	static const char *const cases[][2] = {
		{"{", "a.json:1: string or '}' expected near end of file"},
		{"[]", "a.json: it must be one JSON object { ... }"},
		{"{\"host\": \"h\", \"host\": \"i\"}", "a.json:1: duplicate object key near '\"host\"'"},
		{"{}", "a.json: the key 'host' is missing"},
		{"{\"host\": 1}", "a.json: host: it must be a text in quotes"},
		{"{\"host\": \"\"}", "a.json: host: it must have 1 to 10 bytes"},
		{"{\"host\": \"h\", \"port\": 0}", "a.json: port: it must be a whole number from 1 to 65535"},
		{"{\"host\": \"h\", \"port\": 1.5}",
		 "a.json: port: it must be a whole number from 1 to 65535"},
		{"{\"host\": \"h\", \"every\": 5}",
		 "a.json: every: it must be a duration in quotes, such as \"500ms\" or \"1h\""},
		{"{\"host\": \"h\", \"every\": \"1ms\"}", "a.json: every: it must be from 10ms to 1h"},
		{"{\"host\": \"h\", \"scale\": \"1\"}", "a.json: scale: it must be a number"},
		{"{\"host\": \"h\", \"tls\": 1}", "a.json: tls: it must be true or false"},
		{"{\"host\": \"h\", \"order\": \"odd\"}", "a.json: order: it must be one of: big, little"},
		{"{\"host\": \"h\", \"maps\": {}}", "a.json: maps: it must be a list [ ... ]"},
		{"{\"host\": \"h\", \"maps\": [1,2,3]}", "a.json: maps: it must have 0 to 2 items"},
		{"{\"host\": \"h\", \"more\": []}", "a.json: more: it must be an object { ... }"},
		{"{\"host\": \"h\", \"prot\": 1}",
		 "a.json: there is no key 'prot', only: host, port, every, scale, tls, order, maps, more, "
		 "any"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mine m = {0};
		char note[256];
		cr_expect(eq(int, read_text(cases[i][0], &m, note), ERR_REFUSED));
		EXPECT_TEXT(note, cases[i][1]);
	}
}

Test(setting, the_way_to_an_inner_place_is_said)
{
	struct setting_at document = {.key = "a.json", .json = json_pack("{s:[{s:i}]}", "maps", "x", 1)};
	const struct setting_at list = setting_key(&document, "maps"), item = setting_item(&list, 0),
				x = setting_key(&item, "x");
	struct err_note note;

	cr_expect(eq(int, setting_fail(&x, &note, "no"), ERR_REFUSED));
	EXPECT_TEXT(note.text, "a.json: maps[0].x: no");
	cr_expect(eq(int, setting_blame(&item, ERR_REFUSED, &(struct err_note){"why"}, &note), ERR_REFUSED));
	EXPECT_TEXT(note.text, "a.json: maps[0]: why");
	json_decref((json_t *)(uintptr_t)document.json);
}
