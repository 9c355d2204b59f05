/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/adapter_program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Our end neither waits nor is inherited. */
static int open_pipe(int ret[2], int ours)
{
	if (pipe(ret) < 0)
		return FAIL(-errno);
	fcntl(ret[0], F_SETFD, FD_CLOEXEC);
	fcntl(ret[1], F_SETFD, FD_CLOEXEC);
	fcntl(ret[ours], F_SETFL, O_NONBLOCK);
	return 0;
}

/* It begins with no signal blocked or ignored, whatever we do with ours. */
static void set_up(posix_spawnattr_t *attr, posix_spawn_file_actions_t *actions, int in, int out)
{
	sigset_t none, plain;

	sigemptyset(&none);
	sigfillset(&plain);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &plain);
	posix_spawnattr_setpgroup(attr, 0);
	posix_spawnattr_setflags(attr,
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(actions);
	posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
}

static int spawn(struct adapter_program *p, char *const argv[], int in, int out, struct err_note *note)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;

	set_up(&attr, &actions, in, out);
	const int r = posix_spawnp(&p->pid, argv[0], &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (r == 0)
		return 0;
	p->pid = 0;
	return FAIL_SAY(note, ERR_REFUSED, "%.120s: %s", argv[0], err_text(-r));
}

int program_start(struct adapter_program *p, char *const argv[], struct err_note *note)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	*p = (struct adapter_program){.in = -1, .out = -1};
	int r = open_pipe(in, 1);
	if (r == 0)
		r = open_pipe(out, 0);
	if (r == 0)
		r = spawn(p, argv, in[0], out[1], note);
	close_fd(&in[0]);
	close_fd(&out[1]);
	p->in = in[1];
	p->out = out[0];
	if (r < 0)
		program_fini(p);
	return r;
}

bool program_is_deaf(const struct adapter_program *p)
{
	return p->in < 0 || p->n_lines == PROGRAM_LINES_MAX;
}

bool program_tell(struct adapter_program *p, char *text_take, size_t len, int64_t deadline_ns)
{
	if (program_is_deaf(p)) {
		free(text_take);
		return false;
	}
	p->lines[(p->first + p->n_lines++) % PROGRAM_LINES_MAX] =
		(struct program_line){text_take, len, deadline_ns};
	return true;
}

bool program_has_lines(const struct adapter_program *p)
{
	return p->in >= 0 && p->n_lines > 0;
}

static void drop_first(struct adapter_program *p)
{
	free(p->lines[p->first].text);
	p->first = (p->first + 1) % PROGRAM_LINES_MAX;
	p->n_lines--;
	p->written = 0;
}

/* False: it takes no more now. A line that was begun is finished. */
static bool write_first(struct adapter_program *p, int64_t wall_ns)
{
	const struct program_line *line = &p->lines[p->first];

	if (p->written == 0 && line->deadline_ns > 0 && line->deadline_ns <= wall_ns) {
		p->n_expired++;
		drop_first(p);
		return true;
	}
	const ssize_t n = write(p->in, line->text + p->written, line->len - p->written);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0) {
		close_fd(&p->in);
		return false;
	}
	p->written += (size_t)n;
	if (p->written == line->len)
		drop_first(p);
	return true;
}

void program_write(struct adapter_program *p, int64_t wall_ns)
{
	while (program_has_lines(p) && write_first(p, wall_ns))
		;
}

void program_signal(const struct adapter_program *p, int signal)
{
	if (p->pid > 0)
		kill(-p->pid, signal);
}

bool program_reap(struct adapter_program *p)
{
	int how;

	if (p->pid <= 0 || p->has_exited)
		return p->has_exited;
	if (waitpid(p->pid, &how, WNOHANG) != p->pid)
		return false;
	p->exit_code = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
	p->has_exited = true;
	return true;
}

void program_fini(struct adapter_program *p)
{
	while (p->n_lines > 0)
		drop_first(p);
	close_fd(&p->in);
	close_fd(&p->out);
	p->pid = 0;
}
