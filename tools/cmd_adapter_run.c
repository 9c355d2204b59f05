/* SPDX-License-Identifier: Apache-2.0 */
/* `holon adapter run`: a program as an adapter.
 *
 *     node  <--frames--  readings  <--lines--  program's standard output
 *     node  --orders-->  link      --lines-->  program's standard input
 *     node  <--words---  link      <--lines--  program's standard output
 *
 * Nothing waits for anything else: the program's output is not read while there is no room for what it may
 * say, and what it does not read waits in a bounded list.
 */
#define _GNU_SOURCE /* asprintf */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "tools/adapter_link.h"
#include "tools/adapter_program.h"
#include "tools/client_private.h"
#include "tools/document.h"
#include "tools/json.h"
#include "tools/lines.h"
#include "tools/order_json.h"
#include "tools/readings.h"
#include "tools/verb.h"

enum {
	GATHER_MS = 20, /* what was said goes out after */
	TICK_MS = 1000,
	PART_LINES = LINES_READ_BYTES / 32, /* more samples do not come of one read */
	END_S = 10,                         /* how long the program has to end */
	DRAIN_S = 1,                        /* how long its output may stay open once it has exited */
	LASTING_S = 60,
	RESTART_MS = 500,
	RESTART_MAX_MS = 30000,
	SAY_EVERY_S = 60,
};

struct run {
	struct context *ctx;
	const char *name;
	char *const *argv;
	struct readings readings;
	struct refusals refusals;
	struct lines lines;
	struct adapter_link *link;
	struct adapter_program program;
	int signals;
	bool once, stopping, input_ended;
	unsigned durable; /* line that the program was told of */
	uint64_t n_lines, n_refused, n_orders, n_words, n_starts, n_ends, n_expired;
	uint64_t wait_ms;              /* before the next start */
	int64_t began_ns, start_at_ns; /* monotonic */
	int64_t exited_ns, stop_by_ns; /* 0: not */
	int64_t pushed_ns, trouble_ns; /* trouble: when it was last said that the node takes nothing */
	int last_exit;
};

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- What the program says -------------------------------------------------------------------------------
 */

/* Also told to the program. */
static void refuse(struct run *run, unsigned line, const char *reason)
{
	char *text = NULL;
	size_t len = 0;
	struct json j = {.out = open_memstream(&text, &len)};

	run->n_refused++;
	refusals_say(&run->refusals, line, reason);
	if (!j.out)
		return;
	json_open(&j, NULL, '{');
	json_count(&j, "refused", line);
	json_text(&j, "reason", reason);
	json_close(&j);
	if (fclose(j.out) == 0)
		program_tell(&run->program, text, len, 0);
	else
		free(text);
}

static void refused_reading(void *ctx, const struct mark *mark, const char *reason)
{
	refuse(ctx, mark->line, reason);
}

static void too_long(void *ctx, unsigned line)
{
	struct run *run = ctx;

	run->n_lines++;
	refuse(run, line, "the line is longer than 64 KiB");
}

/* Is it trouble that passes? Then it is said, once a minute. */
static bool passes(struct run *run, int code, const struct err_note *note)
{
	const int64_t now_ns = client_now_ns();

	if (code == -ENOMEM || code == ERR_REFUSED || code == ERR_MALFORMED || code == ERR_VERSION)
		return false;
	if (run->trouble_ns == 0 || now_ns - run->trouble_ns > SAY_EVERY_S * NS_PER_S) {
		say("%s; trying again", *note->text ? note->text : err_text(code));
		run->trouble_ns = now_ns;
	}
	return true;
}

static void take_signals(struct run *run);

static bool is_late(const struct run *run)
{
	return run->stop_by_ns > 0 && client_now_ns() >= run->stop_by_ns;
}

/* While the node takes nothing the program waits, too. */
static int put(struct run *run, const struct reading *reading, unsigned number, struct err_note *note)
{
	const struct mark mark = {run->name, number, ""};
	int r;

	while ((r = readings_put(&run->readings, reading, mark, note)) < 0) {
		take_signals(run);
		if (!passes(run, r, note) || is_late(run))
			return FAIL(r);
	}
	return 0;
}

/* ERR_REFUSED in *ret_why's words: the line is wrong. */
static int take_json(struct run *run, json_t *json, unsigned number, struct err_note *ret_why,
		     struct err_note *note)
{
	const struct spot s = {.file = "line", .json = json};
	struct command_word word;
	struct reading reading;
	int r;

	if (word_is_json(json)) {
		r = word_of_json(&s, &word, ret_why);
		run->n_words += r == 0;
		return r < 0 ? r : adapter_link_word(run->link, &word);
	}
	r = document_reading(&s, wall_ns(), &reading, ret_why);
	if (r < 0)
		return r;
	if (!reading.sample.source)
		reading.sample.source = run->name;
	return put(run, &reading, number, note);
}

static int take_line(void *ctx, char *line, size_t len, unsigned number, struct err_note *note)
{
	struct run *run = ctx;
	struct err_note why = {0};
	json_error_t e;

	if (strspn(line, " \t\r") == len)
		return 0;
	run->n_lines++;
	SCOPED(scope_json) json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	if (!json) {
		refuse(run, number, e.text);
		return 0;
	}
	const int r = take_json(run, json, number, &why, note);
	if (r == 0 || !*why.text)
		return r;
	refuse(run, number, strncmp(why.text, "line: ", 6) == 0 ? why.text + 6 : why.text);
	return 0;
}

static bool may_read(const struct run *run)
{
	return run->program.out >= 0 && adapter_link_has_room(run->link) &&
	       client_has_room(run->ctx->client, PART_LINES);
}

static int read_program(struct run *run, struct err_note *note)
{
	bool end = false;
	size_t n;

	TRY(lines_read(&run->lines, run->program.out, &end, &n, note));
	run->input_ended |= end;
	return 0;
}

/* ---- What the program is told ----------------------------------------------------------------------------
 */

static void tell_durable(struct run *run)
{
	const unsigned durable = readings_durable(&run->readings, run->lines.n);
	char *text;

	if (durable == run->durable || run->program.in < 0 || program_has_lines(&run->program))
		return;
	const int len = asprintf(&text, "{\"durable\": %u}\n", durable);
	if (len > 0 && program_tell(&run->program, text, (size_t)len, 0))
		run->durable = durable;
}

static void refuse_order(struct run *run, const struct order *order, const char *why)
{
	struct command_word word = {.state = COMMAND_FAILED, .text = why};

	memcpy(word.id, order->id, sizeof word.id);
	if (!order->is_command || adapter_link_word(run->link, &word) < 0)
		say("%s: what %s is to do was not told to the program: %s", run->name, order->twin, why);
}

static void on_order(void *ctx, const struct order *order)
{
	struct run *run = ctx;
	size_t len = 0;
	char *text;

	run->n_orders++;
	if (order->deadline_ns > 0 && order->deadline_ns <= wall_ns())
		run->n_expired++;
	else if (run->program.pid == 0 || run->input_ended)
		refuse_order(run, order, "the program does not run at the moment");
	else if (program_is_deaf(&run->program))
		refuse_order(run, order, "the program does not read its standard input");
	else if (order_to_json(order, &text, &len) == 0)
		program_tell(&run->program, text, len, order->deadline_ns);
}

/* ---- The life of the program -----------------------------------------------------------------------------
 */

static bool is_running(const struct run *run)
{
	return run->program.pid > 0;
}

static int start(struct run *run, struct err_note *note)
{
	run->input_ended = false;
	run->durable = 0;
	run->exited_ns = 0;
	lines_reset(&run->lines);
	TRY(program_start(&run->program, run->argv, note));
	run->began_ns = client_now_ns();
	run->n_starts++;
	return 0;
}

static void plan_restart(struct run *run)
{
	const int64_t now_ns = client_now_ns();
	char wait[DURATION_TEXT_SIZE];

	if (now_ns - run->began_ns > LASTING_S * NS_PER_S || run->wait_ms == 0)
		run->wait_ms = RESTART_MS;
	run->start_at_ns = now_ns + (int64_t)run->wait_ms * NS_PER_MS;
	say("%s: the program ended with exit code %d; it is started again in %s", run->name, run->last_exit,
	    duration_text((int64_t)run->wait_ms * NS_PER_MS, wait));
	run->wait_ms = run->wait_ms * 2 < RESTART_MAX_MS ? run->wait_ms * 2 : RESTART_MAX_MS;
}

/* Everything it said is read, and it has exited: what is still on its way to the node keeps its line numbers
 * until it is there. */
static void end_program(struct run *run)
{
	run->last_exit = run->program.exit_code;
	run->n_expired += run->program.n_expired;
	run->n_ends++;
	program_fini(&run->program);
	run->program.n_expired = 0;
	if (!run->stopping && !run->once)
		plan_restart(run);
}

static void look_after_end(struct run *run)
{
	const int64_t now_ns = client_now_ns();

	if (program_reap(&run->program) && run->exited_ns == 0)
		run->exited_ns = now_ns;
	if (run->input_ended && run->program.in >= 0) {
		close(run->program.in);
		run->program.in = -1;
		run->stop_by_ns = run->stop_by_ns > 0 ? run->stop_by_ns : now_ns + END_S * NS_PER_S;
	}
	/* children of its own may hold its output open */
	run->input_ended |= run->exited_ns > 0 && now_ns - run->exited_ns > DRAIN_S * NS_PER_S;
	if (is_late(run) && !run->program.has_exited)
		program_signal(&run->program, SIGKILL);
	if (run->input_ended && run->program.has_exited && !readings_pending(&run->readings)) {
		end_program(run);
		run->stop_by_ns = run->stopping ? run->stop_by_ns : 0;
	}
}

static int look_after_program(struct run *run, struct err_note *note)
{
	if (is_running(run))
		look_after_end(run);
	else if (!run->stopping && !(run->once && run->n_starts > 0) && client_now_ns() >= run->start_at_ns)
		TRY(start(run, note));
	return 0;
}

static void take_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		program_signal(&run->program, run->stopping ? SIGKILL : SIGTERM);
		run->stopping = true;
		run->stop_by_ns = client_now_ns() + END_S * NS_PER_S;
	}
}

/* ---- The loop --------------------------------------------------------------------------------------------
 */

static void say_state(struct run *run)
{
	const struct client_tally tally = client_tally(run->ctx->client);
	char text[400];

	snprintf(text, sizeof text,
		 "%s messages=%" PRIu64 " samples=%" PRIu64 " refused=%" PRIu64 " dead-letters=%" PRIu64
		 " connects=%" PRIu64 " lost=%" PRIu64 " expired=%" PRIu64,
		 is_running(run) && !run->input_ended ? "running" : "waiting", run->n_lines,
		 tally.n_stored + tally.n_unchanged, tally.n_refused, run->n_refused, run->n_starts,
		 run->n_ends, run->n_expired + run->program.n_expired);
	adapter_link_say(run->link, text);
}

static int step_readings(struct run *run, struct err_note *note)
{
	const int64_t now_ns = client_now_ns();
	int r = 0;

	if (!readings_pending(&run->readings))
		return 0;
	if (now_ns - run->pushed_ns >= GATHER_MS * NS_PER_MS) {
		run->pushed_ns = now_ns;
		r = readings_push(&run->readings, note);
	}
	if (r == 0)
		r = readings_poll(&run->readings, note);
	if (r == 0)
		run->trouble_ns = 0;
	return r < 0 && !passes(run, r, note) ? r : 0;
}

static int step(struct run *run, struct err_note *note)
{
	TRY(look_after_program(run, note));
	TRY(step_readings(run, note));
	tell_durable(run);
	program_write(&run->program, wall_ns());
	say_state(run);
	return adapter_link_step(run->link, note);
}

static int wait_and_read(struct run *run, struct err_note *note)
{
	enum { SIGNALS, OUT, IN, NODE, MONITOR, LINK, N = LINK + LINK_SOCKETS };
	void *link[LINK_SOCKETS];
	adapter_link_sockets(run->link, link);
	/* an item without a socket has the signals: what is not going to be read must not end the wait */
	const int idle = run->signals;
	const bool pending = readings_pending(&run->readings);
	zmq_pollitem_t items[N] = {
		[SIGNALS] = {.fd = idle, .events = ZMQ_POLLIN},
		[OUT] = {.fd = may_read(run) && !run->input_ended ? run->program.out : run->signals,
			 .events = ZMQ_POLLIN},
		[IN] = {.fd = program_has_lines(&run->program) ? run->program.in : run->signals,
			.events = program_has_lines(&run->program) ? ZMQ_POLLOUT : ZMQ_POLLIN},
		[NODE] = {.socket = pending ? run->ctx->client->socket : NULL,
			  .fd = idle,
			  .events = ZMQ_POLLIN},
		[MONITOR] = {.socket = pending ? run->ctx->client->monitor : NULL,
			     .fd = idle,
			     .events = ZMQ_POLLIN},
		[LINK] = {.socket = link[0], .fd = idle, .events = ZMQ_POLLIN},
		[LINK + 1] = {.socket = link[1], .fd = idle, .events = ZMQ_POLLIN},
	};
	const bool busy = pending || run->input_ended;

	if (zmq_poll(items, N,
		     busy                                 ? GATHER_MS
		     : run->start_at_ns > client_now_ns() ? 100
							  : TICK_MS) < 0 &&
	    zmq_errno() != EINTR)
		return FAIL(-zmq_errno());
	take_signals(run);
	if (items[OUT].fd != run->signals && items[OUT].revents)
		return read_program(run, note);
	return 0;
}

/* The node is gone, and we are asked to end. */
static int give_up(const struct run *run, struct err_note *note)
{
	const struct client_tally t = client_tally(run->ctx->client);

	return FAIL_SAY(note, ERR_UNREACHABLE,
			"%s: %" PRIu64 " readings were not stored: the node takes nothing", run->name,
			t.n_put - t.n_stored - t.n_unchanged - t.n_refused);
}

static int run_all(struct run *run, struct err_note *note)
{
	for (;;) {
		TRY(step(run, note));
		const bool over = run->stopping || (run->once && run->n_ends > 0);
		if (over && !is_running(run))
			return adapter_link_step(run->link, note); /* its last words */
		if (run->stopping && is_late(run) && run->program.has_exited)
			return give_up(run, note);
		TRY(wait_and_read(run, note));
	}
}

static void report(const struct run *run)
{
	const struct client_tally tally = client_tally(run->ctx->client);
	struct json j = {.out = stdout};

	if (!run->ctx->json) {
		printf("%" PRIu64 " lines: %" PRIu64 " stored, %" PRIu64 " there already, %" PRIu64
		       " refused; %" PRIu64 " orders, %" PRIu64 " words\n",
		       run->n_lines, tally.n_stored, tally.n_unchanged, run->n_refused, run->n_orders,
		       run->n_words);
		return;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "lines", run->n_lines);
	json_count(&j, "stored", tally.n_stored);
	json_count(&j, "unchanged", tally.n_unchanged);
	json_count(&j, "refused", run->n_refused);
	json_count(&j, "orders", run->n_orders);
	json_count(&j, "words", run->n_words);
	json_count(&j, "starts", run->n_starts);
	json_close(&j);
}

/* ---- The command -----------------------------------------------------------------------------------------
 */

static int block_signals(int *ret)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return FAIL(-errno);
	*ret = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return *ret < 0 ? FAIL(-errno) : 0;
}

static int open_all(struct run *run, struct err_note *note)
{
	const char *prefix = flag_text(run->ctx, "twins");

	TRY(id_check_segment(run->name, "adapter", NODE_NAME_MAX, note));
	if (prefix && !id_is_segment(bytes_of_text(prefix), ORG_NAME_MAX))
		TRY(id_check_twin(prefix, note));
	TRY(block_signals(&run->signals));
	TRY(readings_init_live(&run->readings, run->ctx->client, NS_PER_S, refused_reading, run, note));
	return adapter_link_new(
		&run->link, run->ctx->client,
		&(struct adapter_link_options){
			.name = run->name, .prefix = prefix ? prefix : "", .order = on_order, .ctx = run},
		note);
}

static void run_free(struct run *run)
{
	if (run->program.pid > 0 && !run->program.has_exited)
		program_signal(&run->program, SIGTERM);
	program_fini(&run->program);
	adapter_link_free(run->link);
	readings_fini(&run->readings);
	if (run->signals >= 0)
		close(run->signals);
	free(run);
}

DEFINE_SCOPED(run, run_free)

static enum status adapter_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(scope_run) struct run *run = calloc(1, sizeof *run);
	struct err_note note = {0};
	const enum status status = ask_open(ctx);

	char **program =
		arena_take_array(ctx->arena, (size_t)argc, sizeof *program); /* its last one is NULL */

	if (status != STATUS_OK)
		return status;
	if (!run || !program)
		return say_failed(-ENOMEM, NULL);
	memcpy(program, argv + 1, (size_t)(argc - 1) * sizeof *program);
	*run = (struct run){.ctx = ctx, .name = argv[0], .argv = program, .signals = -1};
	run->program.in = run->program.out = -1;
	run->once = flag_given(ctx, "once");
	run->refusals = (struct refusals){.file = argv[0], .json = ctx->json};
	run->lines.file = argv[0];
	run->lines.take = take_line;
	run->lines.too_long = too_long;
	run->lines.ctx = run;
	int r = open_all(run, &note);
	if (r == 0)
		r = run_all(run, &note);
	refusals_say_rest(&run->refusals);
	if (run->n_starts > 0)
		report(run);
	if (r < 0)
		return say_failed(r, &note);
	return run->once && (run->last_exit != 0 || run->n_refused > 0) ? STATUS_FAILED : STATUS_OK;
}

static const struct flag run_flags[] = {
	{"twins", "PREFIX", "hand over commands and desired values of this twin and those below it", false},
	{"once", NULL, "end when the program ends, instead of starting it again", false},
	{0},
};

const struct verb cmd_adapter_run[] = {
	{.name = "adapter run",
	 .args = "NAME [--twins PREFIX] [--once] -- COMMAND [ARGUMENT...]",
	 .summary = "run a program that stands for machines: its lines are readings, orders are lines for it",
	 .flags = run_flags,
	 .min_args = 2,
	 .max_args = 1000,
	 .run = adapter_run},
	{0},
};
