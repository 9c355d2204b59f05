/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "node/config.h"
#include "tests/lib/tmpdir.h"

static char path[128];
static struct config config;
static struct err_note note;

static void set_up(void)
{
	snprintf(path, sizeof path, "%s/holon.conf", tmpdir_make());
	config_defaults(&config);
}

TestSuite(config, .init = set_up, .fini = tmpdir_remove);

static int read_text(const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f != NULL);
	fputs(text, f);
	fclose(f);
	note.text[0] = '\0';
	return config_read(&config, path, true, &note);
}

/* The note behind the path of the file, so that what is compared does not depend on the scratch directory. */
static char *refused(const char *text)
{
	struct config before = config;

	cr_expect(eq(int, read_text(text), ERR_REFUSED));
	cr_expect(eq(int, memcmp(&before, &config, sizeof config), 0), "half of a bad file was taken: %s",
		  text);
	if (strncmp(note.text, path, strlen(path)) == 0)
		memmove(note.text, note.text + strlen(path), strlen(note.text) - strlen(path) + 1);
	return note.text;
}

Test(config, the_defaults_are_those_of_the_design)
{
	cr_expect_str_eq(config.dir, "/var/lib/holon");
	cr_expect_str_eq(config.own, "");
	cr_expect(eq(i64, config.frame_border_bytes, 65536));
	cr_expect(eq(i64, config.frame_own_bytes, 1048576));
	cr_expect(eq(i64, config.handshake_ms, 3000));
	cr_expect(eq(i64, config.commit_interval_ms, 0));
	cr_expect(eq(int, config.log_level, LOG_LEVEL_INFO));
}

Test(config, a_file_sets_what_it_names_and_leaves_the_rest)
{
	cr_assert(eq(int,
		     read_text("# a comment\n[node]\ndir = /srv/a b ; with a "
			       "remark\n\n[listen]\nown=tcp://10.0.0.1:7001\n"
			       "border = none\n[limits]\nframe-own = 2MiB\nreceive-mark=17\n[mesh]\nsilence "
			       "= 1min30s\n"
			       "[store]\ncommit-interval = 250ms\n[log]\nlevel = debug"),
		     0));
	cr_expect_str_eq(config.dir, "/srv/a b");
	cr_expect_str_eq(config.own, "tcp://10.0.0.1:7001");
	cr_expect_str_eq(config.border, "none");
	cr_expect(eq(i64, config.frame_own_bytes, 2097152));
	cr_expect(eq(i64, config.frame_border_bytes, 65536));
	cr_expect(eq(i64, config.receive_mark, 17));
	cr_expect(eq(i64, config.silence_ms, 90000));
	cr_expect(eq(i64, config.commit_interval_ms, 250));
	cr_expect(eq(int, config.log_level, LOG_LEVEL_DEBUG));
}

Test(config, a_missing_file_is_an_error_only_if_it_must_be_there)
{
	cr_expect(eq(int, config_read(&config, path, false, &note), 0));
	cr_expect(eq(int, config_read(&config, path, true, &note), ERR_REFUSED));
	cr_expect_str_eq(note.text + strlen(path), ": No such file or directory");
}

Test(config, errors_say_file_line_and_key)
{
	cr_expect_str_eq(refused("\n[log]\nlevle = info\n"), ":3: levle: there is no such setting in [log]");
	cr_expect_str_eq(refused("[logs]\nlevel = info\n"), ":2: there is no section [logs]");
	cr_expect_str_eq(refused("level = info\n"), ":1: level: stands before the first [section]");
	cr_expect_str_eq(refused("[log]\nlevel = info\nlevel = debug\n"), ":3: level: is set twice");
	cr_expect_str_eq(refused("[log]\nlevel = loud\n"),
			 ":2: level: \"loud\" is not one of error, warning, info and debug");
	cr_expect_str_eq(refused("[log]\nlevel\n"), ":2: neither [section] nor key = value");
	cr_expect_str_eq(refused("[log\nlevel = info\n"), ":1: neither [section] nor key = value");
	cr_expect_str_eq(refused("[node]\ndir =\n"), ":2: dir: must not be empty");
}

Test(config, the_first_error_is_the_one_reported)
{
	cr_expect_str_eq(refused("[log]\nlevel = loud\nnonsense\n[logs]\n"),
			 ":2: level: \"loud\" is not one of error, warning, info and debug");
	cr_expect_str_eq(refused("[log]\nnonsense\nlevel = loud\n"), ":2: neither [section] nor key = value");
}

Test(config, numbers_need_their_unit_and_their_range)
{
	cr_expect_str_eq(refused("[limits]\nframe-own = 1MB\n"),
			 ":2: frame-own: \"1MB\" is not a size, write for example 65536, 64KiB or 1GiB");
	cr_expect_str_eq(refused("[limits]\nframe-own = -1\n"),
			 ":2: frame-own: \"-1\" is not a size, write for example 65536, 64KiB or 1GiB");
	cr_expect_str_eq(
		refused("[limits]\nframe-own = 99999999999999999999\n"),
		":2: frame-own: \"99999999999999999999\" is not a size, write for example 65536, 64KiB "
		"or 1GiB");
	cr_expect_str_eq(
		refused("[limits]\nframe-own = 9999999TiB\n"),
		":2: frame-own: \"9999999TiB\" is not a size, write for example 65536, 64KiB or 1GiB");
	cr_expect_str_eq(refused("[limits]\nframe-own = 276\n"), ":2: frame-own: 276 is outside 4KiB..64MiB");
	cr_expect_str_eq(refused("[limits]\nhandshake = 2min\n"),
			 ":2: handshake: 2min is outside 100ms..1min");
	cr_expect_str_eq(refused("[limits]\nsend-mark = many\n"),
			 ":2: send-mark: \"many\" is not a number, write for example 64");
	cr_expect_str_eq(refused("[limits]\nsend-mark = 0\n"), ":2: send-mark: 0 is outside 1..100000");
	cr_expect(eq(int, strncmp(refused("[mesh]\nsilence = 5\n"), ":2: silence: ", 13), 0));
}

Test(config, an_endpoint_is_tcp_and_nothing_else)
{
	static const char *const bad[] = {"ipc:///tmp/x",           "tcp://",   "tcp://host", "tcp://h:1;h:2",
					  "inproc://zeromq.zap.01", "tcp://:1", "TCP://h:1"};
	char text[128];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {

		snprintf(text, sizeof text, "listen.own=%s", bad[i]);
		cr_expect(eq(int, config_set(&config, text, &note), ERR_REFUSED), "%s", bad[i]);
	}
	cr_expect(eq(int, config_set(&config, "listen.own=tcp://[::1]:7001", &note), 0));
	cr_expect(eq(int, config_set(&config, "listen.own=tcp://127.0.0.1:*", &note), 0));
	cr_expect(eq(int, config_set(&config, "listen.own=", &note), 0));
}

Test(config, a_line_too_long_is_not_read_as_two)
{
	char text[600] = "[node]\ndir = /";

	memset(text + strlen(text), 'x', 300);
	strncat(text, "\n", 2);
	cr_expect(eq(int, strncmp(refused(text), ":2: longer than ", 16), 0));
}

Test(config, a_continued_line_is_a_key_set_twice)
{
	cr_expect_str_eq(refused("[node]\ndir = /a\n  /b\n"), ":3: dir: is set twice");
}

static int environment(const char *const variables[])
{
	char text[4][64], *list[5] = {NULL};

	for (int i = 0; variables[i]; i++) {
		snprintf(text[i], sizeof text[i], "%s", variables[i]);
		list[i] = text[i];
	}
	return config_environment(&config, list, &note);
}

Test(config, the_environment_overrides_and_is_checked)
{
	const char *const good[] = {"PATH=/bin", "HOLON_STORE_COMMIT_INTERVAL=1s", "HOLON_TAP=x",
				    "HOLON_NODE=y", NULL};
	const char *const unknown[] = {"HOLON_LOG_LEVEL=debug", "HOLON_LOG_LEVLE=debug", NULL};
	const char *const wrong[] = {"HOLON_LOG_LEVEL=debug", "HOLON_MESH_SILENCE=1s",
				     "HOLON_LIMITS_STORE_SIZE=1", NULL};

	cr_expect(eq(int, environment(good), 0));
	cr_expect(eq(i64, config.commit_interval_ms, 1000));
	cr_expect(eq(int, environment(unknown), ERR_REFUSED));
	cr_expect_str_eq(note.text, "HOLON_LOG_LEVLE: there is no such setting");
	cr_expect(eq(int, environment(wrong), ERR_REFUSED));
	cr_expect_str_eq(note.text, "HOLON_LIMITS_STORE_SIZE: 1 is outside 16MiB..16TiB");
	cr_expect(eq(int, config.log_level, LOG_LEVEL_INFO));
	cr_expect(eq(i64, config.silence_ms, 15000));
}

Test(config, the_command_line_sets_one_at_a_time)
{
	cr_expect(eq(int, config_set(&config, "node.dir=/a=b", &note), 0));
	cr_expect_str_eq(config.dir, "/a=b");
	cr_expect(eq(int, config_set(&config, "node.dir", &note), ERR_REFUSED));
	cr_expect_str_eq(note.text, "\"node.dir\" is not section.key=value");
	cr_expect(eq(int, config_set(&config, "dir=/a", &note), ERR_REFUSED));
	cr_expect_str_eq(note.text, "\"dir=/a\" is not section.key=value");
	cr_expect(eq(int, config_set(&config, "node.dri=/a", &note), ERR_REFUSED));
	cr_expect_str_eq(note.text, "node.dri: there is no such setting");
	cr_expect(eq(int, config_set(&config, "log.level=x", &note), ERR_REFUSED));
	cr_expect_str_eq(note.text, "log.level: \"x\" is not one of error, warning, info and debug");
}

#define KEY_A "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_B "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

Test(config, keys_of_one_source_add_up_and_replace_those_of_a_weaker_one)
{
	struct config_keys *keys = &config.control_keys;
	struct curve_key first;

	cr_assert(eq(int, read_text("[control]\nkey = " KEY_A "\nkey = " KEY_B "\n"), 0), "%s", note.text);
	cr_assert(eq(sz, keys->n, 2));
	first = keys->keys[0];
	cr_expect(ne(int, memcmp(&first, &keys->keys[1], sizeof first), 0));
	cr_assert(eq(int, config_set(&config, "control.key=" KEY_B " " KEY_A, &note), 0));
	cr_assert(eq(sz, keys->n, 2));
	cr_expect(eq(int, memcmp(&first, &keys->keys[1], sizeof first), 0));
	cr_assert(eq(int, read_text("[control]\nkey = " KEY_A "\n"), 0));
	cr_expect(eq(sz, keys->n, 1));
	cr_assert(eq(int, config_set(&config, "control.key=", &note), 0));
	cr_expect(eq(sz, keys->n, 0));
}

Test(config, a_key_is_forty_characters_of_z85)
{
	cr_expect_str_eq(refused("[control]\nkey = abc\n"),
			 ":2: key: \"abc\" is not a public key: 40 characters of Z85");
	cr_expect(eq(int, strncmp(refused("[control]\nkey = " KEY_A "\nkey = " KEY_B "x\n"), ":3: key: ", 9),
		     0));
	cr_expect(eq(
		int,
		config_set(
			&config,
			"control.key=" KEY_A
			" \"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
			&note),
		ERR_REFUSED));
	cr_expect(eq(sz, config.control_keys.n, 0), "half a list was taken");
}

Test(config, only_so_many_keys)
{
	char text[CONTROL_KEYS_MAX * 50 + 200];
	size_t len = (size_t)snprintf(text, sizeof text, "[control]\n");

	for (int i = 0; i < CONTROL_KEYS_MAX + 1; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "key = %s\n", KEY_A);
	cr_expect_str_eq(refused(text), ":66: key: more than 64 keys");
}

Test(config, what_is_dumped_reads_back_the_same)
{
	struct config changed;

	config_defaults(&config);
	cr_assert(eq(int, config_set(&config, "mesh.silence=1min1s", &note), 0));
	cr_assert(eq(int, config_set(&config, "limits.store-size=17000000", &note), 0));
	cr_assert(eq(int, config_set(&config, "listen.own=tcp://127.0.0.1:7001", &note), 0));
	cr_assert(eq(int, config_set(&config, "log.level=warning", &note), 0));
	cr_assert(eq(int, config_set(&config, "control.key=" KEY_A " " KEY_B, &note), 0));
	FILE *f = fopen(path, "w");
	config_dump(&config, f);
	fclose(f);
	changed = config;
	config_defaults(&config);
	cr_expect(eq(int, config_read(&config, path, true, &note), 0), "%s", note.text);
	cr_expect(eq(int, memcmp(&config, &changed, sizeof config), 0));
}
