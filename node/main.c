/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "node/engine.h"
#include "node/files.h"
#include "node/join.h"
#include "node/log.h"

extern char **environ;

enum { EXIT_USAGE = 2, BIG_BLOCK = 128 * 1024 };

struct arguments {
	const char *dir, *config_file;
	const char *settings[64];
	size_t n_settings;
	int ready_fd;
	bool check, dump, forget_clock;
};

static const struct option options[] = {
	{"dir", required_argument, NULL, 'd'},    {"config", required_argument, NULL, 'c'},
	{"set", required_argument, NULL, 's'},    {"ready-fd", required_argument, NULL, 'r'},
	{"check-config", no_argument, NULL, 'C'}, {"dump-config", no_argument, NULL, 'D'},
	{"forget-clock", no_argument, NULL, 'F'}, {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},         {0},
};

static void usage(void)
{
	fputs("Usage: holond --dir DIR [OPTION...]\n"
	      "       holond join TOKEN --dir DIR [--config FILE]\n\n"
	      "Run the node whose keys, store and control socket are in DIR (made by `holon node init`).\n\n"
	      "  --dir DIR          the node's directory\n"
	      "  --config FILE      settings; default DIR/holon.conf if it is there (holon.conf(5))\n"
	      "  --set SECTION.KEY=VALUE  one setting, before those of the file and the environment\n"
	      "  --ready-fd N       write a newline to this descriptor when serving\n"
	      "  --check-config     read the settings, say what is wrong with them, and end\n"
	      "  --dump-config      print the settings as a commented file, and end\n"
	      "  --forget-clock     this clock is right and an earlier time was wrong: forget that, and end\n"
	      "  --version, --help\n",
	      stdout);
}

static int parse(int argc, char *argv[], struct arguments *ret, struct err_note *note)
{
	opterr = 0;
	*ret = (struct arguments){.ready_fd = -1};
	for (int opt; (opt = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
		switch (opt) {
		case 'd': ret->dir = optarg; break;
		case 'c': ret->config_file = optarg; break;
		case 's':
			if (ret->n_settings == 64)
				return FAIL_SAY(note, ERR_REFUSED,
						"too many --set: write a file and give --config");
			ret->settings[ret->n_settings++] = optarg;
			break;
		case 'r': ret->ready_fd = (int)strtol(optarg, NULL, 10); break;
		case 'C': ret->check = true; break;
		case 'D': ret->dump = true; break;
		case 'F': ret->forget_clock = true; break;
		case 'V': puts("holond " HOLON_VERSION); exit(EXIT_SUCCESS);
		case 'h': usage(); exit(EXIT_SUCCESS);
		case ':': return FAIL_SAY(note, ERR_REFUSED, "%s lacks its value", argv[optind - 1]);
		default: return FAIL_SAY(note, ERR_REFUSED, "unknown flag %s", argv[optind - 1]);
		}
	}
	return optind == argc ? 0 : FAIL_SAY(note, ERR_REFUSED, "unknown argument %s", argv[optind]);
}

/* Built-in < file < environment < flags. */
static int configure(const struct arguments *args, struct config *c, struct err_note *note)
{
	char file[600];

	config_defaults(c);
	if (args->dir)
		snprintf(c->dir, sizeof c->dir, "%s", args->dir);
	snprintf(file, sizeof file, "%s/holon.conf", c->dir);
	TRY(config_read(c, args->config_file ? args->config_file : file, args->config_file != NULL, note));
	TRY(config_environment(c, environ, note));
	for (size_t i = 0; i < args->n_settings; i++)
		TRY(config_set(c, args->settings[i], note));
	if (args->dir)
		snprintf(c->dir, sizeof c->dir, "%s", args->dir);
	return c->dir[0] ? 0 : FAIL_SAY(note, ERR_REFUSED, "which node? give --dir DIR");
}

static int drop_highest_time(const struct config *c, struct err_note *note)
{
	SCOPED(scope_trust_store) struct trust_store *store = NULL;
	char dir[sizeof c->dir + 8];

	snprintf(dir, sizeof dir, "%s/store", c->dir);
	TRY(store_check_idle(dir, note));
	TRY(trust_store_open(&store, dir, note));
	return clock_forget(store);
}

/* The next start begins with what the clock shows then, and says so in the audit. */
static int forget_clock(const struct config *c)
{
	struct err_note note = {0};
	const int r = drop_highest_time(c, &note);

	if (r < 0)
		engine_log_failure("node", "the time is not forgotten", r, &note);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int serve(const struct config *c, int ready_fd)
{
	struct err_note note = {0};
	struct engine *e = NULL;

	int r = org_check_clock(engine_wall_ns(), built_ns(), &note); /* or everything seems not yet valid */
	if (r == 0)
		r = engine_open(&e, c, &note);
	if (r < 0) {
		engine_log_failure("node", "cannot start", r, &note);
		return EXIT_FAILURE;
	}
	r = engine_run(e, ready_fd);
	engine_close(e);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	static struct config config;
	struct err_note note = {0};
	struct arguments args;

	if (argc > 1 && strcmp(argv[1], "join") == 0)
		return join_main(argc - 1, argv + 1);
	if (parse(argc, argv, &args, &note) < 0) {
		fprintf(stderr, "holond: %s; see holond --help\n", note.text);
		return EXIT_USAGE;
	}
	if (configure(&args, &config, &note) < 0) {
		fprintf(stderr, "holond: %s\n", note.text);
		return EXIT_USAGE;
	}
	if (args.dump)
		config_dump(&config, stdout);
	if (args.dump || args.check)
		return EXIT_SUCCESS;
	log_set_level(config.log_level);
	mallopt(M_MMAP_THRESHOLD, BIG_BLOCK); /* what LMDB takes at each opening goes back to the system */
	files_raise_limit();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* keys are in memory: no core, no ptrace by others */
	if (keys_init() < 0) {
		fputs("holond: the cryptographic library does not start\n", stderr);
		return EXIT_FAILURE;
	}
	if (args.forget_clock)
		return forget_clock(&config);
	return serve(&config, args.ready_fd);
}
