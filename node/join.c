/* SPDX-License-Identifier: Apache-2.0 */
#include "node/join.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "node/engine.h"
#include "node/join_wire.h"
#include "proto/clock.h"
#include "security/join.h"
#include "security/org_files.h"

enum {
	EXIT_USAGE = 2,
	ARENA_BYTES = 64 << 20,
	STRANGE_MAX = 5, /* handshakes in a row with somebody who has not the token's key */
	PAUSE_FIRST_MS = 1000,
	PAUSE_MAX_MS = 10000,
};

struct arguments {
	const char *token, *dir, *config_file;
};

struct join {
	struct arena *arena;
	const struct arguments *args;
	struct join_token token;
	struct join_ends ends;
	struct sign_key *sign;
	struct curve_pair *curve;
	struct buf request;
	char said[SENTENCE_MAX + 1]; /* last, of what it waits for */
};

static void join_fini(struct join *j)
{
	buf_fini(&j->request);
	sign_key_free(j->sign);
	curve_pair_free(j->curve);
	arena_free(j->arena);
}

/* ---- what was asked for ---- */

static void usage(void)
{
	fputs("Usage: holond join TOKEN --dir DIR [--config FILE]\n\n"
	      "Make this machine the node that the token invites (holon node invite). Its keys are made in "
	      "DIR.\n"
	      "Called again with the same DIR it goes on where it was.\n\n"
	      "  TOKEN          as the admin gave it; - reads it from standard input\n"
	      "  --dir DIR      the directory of the node to be\n"
	      "  --config FILE  settings it is going to be started with: checked before anything is asked\n"
	      "  --help\n",
	      stdout);
}

static int parse(int argc, char *argv[], struct arguments *ret, struct err_note *note)
{
	static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
						{"config", required_argument, NULL, 'c'},
						{"help", no_argument, NULL, 'h'},
						{0}};

	opterr = 0;
	*ret = (struct arguments){0};
	for (int opt; (opt = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
		switch (opt) {
		case 'd': ret->dir = optarg; break;
		case 'c': ret->config_file = optarg; break;
		case 'h': usage(); exit(EXIT_SUCCESS);
		case ':': return FAIL_SAY(note, ERR_REFUSED, "%s lacks its value", argv[optind - 1]);
		default: return FAIL_SAY(note, ERR_REFUSED, "unknown flag %s", argv[optind - 1]);
		}
	}
	if (optind + 1 != argc || !ret->dir)
		return FAIL_SAY(note, ERR_REFUSED, "give one TOKEN and --dir DIR");
	ret->token = argv[optind];
	return 0;
}

static int read_token(struct join *j, struct err_note *note)
{
	char line[JOIN_TEXT_MAX * 2];
	const char *text = j->args->token;

	if (strcmp(text, "-") == 0) {
		const size_t n = fread(line, 1, sizeof line - 1, stdin);
		line[n] = '\0';
		text = line;
	}
	return join_token_parse(j->arena, text, &j->token, note);
}

static int check_settings(const struct arguments *args, struct err_note *note)
{
	SCOPED(scope_free) struct config *c = malloc(sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	config_defaults(c);
	return args->config_file ? config_read(c, args->config_file, true, note) : 0;
}

/* ---- the directory ---- */

static int need_path(struct join *j, const char *name, const char **ret)
{
	*ret = path_join(j->arena, j->args->dir, name);
	return *ret ? 0 : FAIL(-ENOMEM);
}

static int make_sign_key(struct join *j, struct err_note *note)
{
	const char *path;

	TRY(need_path(j, "keys/sign.key", &path));
	const int r = sign_key_load(&j->sign, path, note);
	if (r != -ENOENT)
		return r;
	TRY(sign_key_new(&j->sign));
	return sign_key_save(j->sign, path, note);
}

static int make_curve_key(struct join *j, struct err_note *note)
{
	const char *path;

	TRY(need_path(j, "keys/curve.key", &path));
	const int r = curve_pair_load(&j->curve, path, note);
	if (r != -ENOENT)
		return r;
	TRY(curve_pair_new(&j->curve));
	return curve_pair_save(j->curve, path, note);
}

/* Keys that an earlier run made are used again: they are what the admin may have approved. */
static int make_keys(struct join *j, struct err_note *note)
{
	struct made made = {.arena = j->arena}; /* nothing is taken away again */
	const char *bundle, *keys;

	TRY(need_path(j, "bundle", &bundle));
	TRY(need_path(j, "keys", &keys));
	if (access(bundle, F_OK) == 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s is a node's already; start it with: holond --dir %s",
				j->args->dir, j->args->dir);
	TRY(made_dir(&made, j->args->dir, note));
	TRY(made_dir(&made, keys, note));
	TRY(make_sign_key(j, note));
	return make_curve_key(j, note);
}

static int save(struct join *j, struct joined *joined, struct err_note *note)
{
	const char *bundle, *cursor;

	TRY(need_path(j, "bundle", &bundle));
	TRY(need_path(j, "keys/cursor.key", &cursor));
	if (joined->cursor_key)
		TRY(secret32_save(joined->cursor_key, cursor, note));
	return file_write(bundle, joined->org.encoded, false, note);
}

/* ---- asking ---- */

static void say_once(struct join *j, const char *text)
{
	if (strcmp(j->said, text) == 0)
		return;
	snprintf(j->said, sizeof j->said, "%s", text);
	printf("waiting: %s\n", text);
	fflush(stdout);
}

static void on_wait(void *ctx, const char *text)
{
	say_once(ctx, text);
}

static void say_who(struct join *j)
{
	char fingerprint[FINGERPRINT_SIZE], words[WORDS_SIZE];
	const struct join_request r = {.curve = curve_pair_public(j->curve),
				       .sign = sign_key_public(j->sign)};

	org_fingerprint(j->token.org, &j->token.root, fingerprint);
	join_words(&j->ends, &r, words);
	printf("node         %s of %s\nfingerprint  %s\nwords        %s\n", j->token.name, j->token.org,
	       fingerprint, words);
	fflush(stdout);
}

static int check_still_worth(struct join *j, struct err_note *note)
{
	char until[TIME_TEXT_SIZE];

	if (engine_wall_ns() <= j->token.until_ns)
		return 0;
	return FAIL_SAY(note, ERR_UNREACHABLE, "nobody answers at %s, and the invitation ended at %s",
			j->token.endpoint, time_text(j->token.until_ns, until));
}

/* Ask until there is an answer: over as many connections as that takes. */
static int ask(struct join *j, struct buf *ret_answer, struct err_note *note)
{
	const struct join_wire_options opt = {.endpoint = j->token.endpoint,
					      .server = &j->token.server,
					      .keys = j->curve,
					      .request = buf_bytes(&j->request),
					      .on_wait = on_wait,
					      .ctx = j};
	int strange = 0, r;

	for (unsigned pause_ms = PAUSE_FIRST_MS; (r = join_wire_ask(&opt, ret_answer, note)) > 0;) {
		strange = r == JOIN_WIRE_STRANGER ? strange + 1 : 0;
		if (strange == STRANGE_MAX)
			return FAIL_SAY(
				note, ERR_UNTRUSTED,
				"whoever answers at %s has not the key in the token: something stands "
				"between, or the key there is a new one",
				j->token.endpoint);
		if (r == JOIN_WIRE_LOST)
			pause_ms = PAUSE_FIRST_MS;
		else
			TRY(check_still_worth(j, note));
		if (r == JOIN_WIRE_ABSENT)
			say_once(j, "nobody answers there yet; it is tried again");
		nanosleep(&(struct timespec){pause_ms / 1000, (long)(pause_ms % 1000) * NS_PER_MS}, NULL);
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
	return r;
}

static int finish(struct join *j, struct bytes answer, struct err_note *note)
{
	const struct join_keys keys = {j->sign, j->curve};
	struct joined joined;

	TRY(join_answer_verify(j->arena, &j->token, &keys, buf_bytes(&j->request), answer, engine_wall_ns(),
			       &joined, note));
	const int r = save(j, &joined, note);
	secret32_free(joined.cursor_key);
	TRY(r);
	printf("node %s is ready; start it with: holond --dir %s%s%s\n", j->token.name, j->args->dir,
	       j->args->config_file ? " --config " : "", j->args->config_file ? j->args->config_file : "");
	return 0;
}

static int run(struct join *j, struct err_note *note)
{
	SCOPED(buf_fini) struct buf answer = {0};

	TRY(arena_new(&j->arena, ARENA_BYTES));
	TRY(read_token(j, note));
	TRY(check_settings(j->args, note));
	TRY(org_check_clock(engine_wall_ns(), built_ns(), note));
	TRY(make_keys(j, note));
	const struct curve_key curve = curve_pair_public(j->curve);
	join_ends_of_token(&j->token, &j->ends);
	TRY(join_request_make(&j->ends, &curve, j->sign, &j->request));
	say_who(j);
	TRY(ask(j, &answer, note));
	return finish(j, buf_bytes(&answer), note);
}

int join_main(int argc, char *argv[])
{
	SCOPED(join_fini) struct join j = {0};
	struct err_note note = {0};
	struct arguments args;

	if (parse(argc, argv, &args, &note) < 0) {
		fprintf(stderr, "holond: %s; see holond join --help\n", note.text);
		return EXIT_USAGE;
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* keys are in memory */
	j.args = &args;
	int r = keys_init();
	if (r == 0)
		r = run(&j, &note);
	if (r < 0)
		fprintf(stderr, "holond: %s\n", note.text[0] ? note.text : err_text(r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
