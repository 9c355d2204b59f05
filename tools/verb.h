/* SPDX-License-Identifier: Apache-2.0 */
/* Command - one subcommand of holon is one row; help, parsing, completion and the man page check are made
 * from it.
 *
 * A run function puts its answer on stdout and everything else on stderr, and returns the exit code.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/arena.h"
#include "proto/control.h"

/* Exit codes; part of the interface, documented in holon(1). */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,      /* the node, or a check of ours, says no */
	STATUS_USAGE = 2,       /* the command line, or a file it names, makes no sense */
	STATUS_UNREACHABLE = 3, /* no node at the control socket, or it hung up */
	STATUS_DEGRADED = 4,    /* answered, but part of the mesh did not */
};

struct flag {
	const char *name; /* without the dashes */
	const char *arg;  /* what follows it, for the usage line; NULL: a switch */
	const char *help;
	bool repeats;
};

struct context;

struct verb {
	const char *name;         /* "peer list" is two words, as typed; NULL ends a group */
	const char *args;         /* for the usage line */
	const char *summary;      /* one line */
	const struct flag *flags; /* ended by a NULL name; NULL: none */
	int min_args, max_args;
	bool dash_args; /* -word is an argument: `twin tag ID -old` */
	enum status (*run)(struct context *ctx, int argc, char *const argv[]);
};

extern const struct verb cmd_alarm[], cmd_adapter[], cmd_adapter_run[];
extern const struct verb cmd_status[], cmd_org[], cmd_node[], cmd_twin[], cmd_rel[], cmd_type[], cmd_import[],
	cmd_ingest[], cmd_apply[], cmd_view[], cmd_find[], cmd_watch[], cmd_policy[], cmd_peer[],
	cmd_history[], cmd_backup[], cmd_key[], cmd_audit[], cmd_person[], cmd_issuer[], cmd_doctor[],
	cmd_invite[], cmd_mesh[], cmd_command[], cmd_replay[], cmd_complete[];

/* All groups, NULL at the end. */
extern const struct verb *const command_groups[];

/* The flags that every command takes. */
extern const struct flag global_flags[];

struct given {
	const char *flag, *value; /* value "" for a switch */
};

/* What a command works in: its command line, the node it talks to, memory that lives until it ends. */
struct context {
	const struct verb *command; /* NULL: none was named */
	const char *noun;           /* its first word, when it has two */
	struct given *given;
	size_t n_given;
	char **args;
	size_t n_args;

	struct arena *arena;
	struct client *client;   /* opened by the first question */
	struct curve_pair *key;  /* own, over a network */
	struct sign_key *person; /* of --person */
	int64_t timeout_ns;
	int64_t now_ns; /* wall clock when the command began */
	bool json;
};

/* The last value given to a flag of the command, NULL when it was not given. Asking for a flag that is not in
 * the table is a bug. */
const char *flag_text(const struct context *ctx, const char *name);
bool flag_given(const struct context *ctx, const char *name);
/* Is it in the command's table? */
bool flag_is_known(const struct context *ctx, const char *name);
/* All values of a flag that repeats; in the context's arena, NULL without memory. */
const char **flag_all(const struct context *ctx, const char *name, size_t *ret_n);
/* Values of a certain form; the fallback if the flag was not given. ERR_REFUSED + note that names the flag.
 */
MUST_CHECK int flag_time(const struct context *ctx, const char *name, int64_t fallback_ns, int64_t *ret_ns,
			 struct err_note *note);
MUST_CHECK int flag_duration(const struct context *ctx, const char *name, int64_t fallback_ns,
			     int64_t *ret_ns, struct err_note *note);
MUST_CHECK int flag_count(const struct context *ctx, const char *name, uint32_t fallback, uint32_t *ret,
			  struct err_note *note);
MUST_CHECK int flag_number(const struct context *ctx, const char *name, double fallback, double *ret,
			   struct err_note *note);

/* Print `holon: NOTE` (or the text of the code) on stderr; the exit code that belongs to the failure. */
enum status say_failed(int code, const struct err_note *note);
/* The same for a command line that makes no sense. */
enum status say_usage(const struct err_note *note);
/* One line on stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Connect to the node, if not yet done. On failure it has been said why. */
enum status ask_open(struct context *ctx);
/* Ask the node; all parts of the answer merged into one in the context's arena. Anything but STATUS_OK has
 * been said on stderr. */
enum status ask(struct context *ctx, struct control_request *request, struct control_answer *ret);
/* The same, but a refusal (answer->code) is left to the caller. */
enum status ask_frankly(struct context *ctx, struct control_request *request, struct control_answer *ret);
/* What was revoked, and how that gets round. */
enum status print_revoked(const struct context *ctx, const char *name, const char *org_dir);
/* A request with every text "" and nothing else. */
struct control_request ask_for(enum control_op op);

/* Whole file, "-" for stdin, at most max bytes; in the arena with a NUL behind it. */
MUST_CHECK int read_file(struct arena *a, const char *path, size_t max, struct bytes *ret,
			 struct err_note *note);
/* Replace a file as a whole: temporary file beside it, sync, rename. */
MUST_CHECK int write_file(const char *path, struct bytes content, unsigned mode, struct err_note *note);
