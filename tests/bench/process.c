/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* setgroups() */
#include "tests/bench/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 30, READY_FD = 3, STOP_TENTHS = 100 };

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool become(const char *name)
{
	const struct passwd *user = name && geteuid() == 0 ? getpwnam(name) : NULL;

	if (!name || geteuid() != 0)
		return true;
	return user && setgroups(0, NULL) == 0 && setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0;
}

static void redirect(const char *log, int ready_fd)
{
	const int out = open(log ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0644);
	const int in = open("/dev/null", O_RDONLY);

	if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	if (ready_fd >= 0 && dup2(ready_fd, READY_FD) < 0)
		_exit(126);
	for (int fd = ready_fd >= 0 ? READY_FD + 1 : READY_FD; fd < 256; fd++)
		close(fd);
}

_Noreturn static void become_program(const char *const argv[], const struct process_options *opt,
				     int ready_fd)
{
	const struct rlimit limit = {.rlim_cur = opt->memory_bytes, .rlim_max = opt->memory_bytes};
	char *arguments[ARGUMENTS_MAX + 3];
	size_t n = 0;

	redirect(opt->log, ready_fd);
	if (!become(opt->user) || (opt->memory_bytes > 0 && setrlimit(RLIMIT_DATA, &limit) < 0))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* after setuid(), which would clear it */
	for (; argv[n] && n < ARGUMENTS_MAX; n++)
		arguments[n] = strdup(argv[n]);
	if (opt->ready_flag) {
		arguments[n++] = strdup(opt->ready_flag);
		arguments[n++] = strdup("3");
	}
	arguments[n] = NULL;
	execvp(arguments[0], arguments);
	_exit(127);
}

static bool wait_ready(int fd, int64_t within_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&p, 1, (int)within_ms) == 1 && read(fd, &byte, 1) == 1;
}

int process_start(const char *const argv[], const struct process_options *opt, pid_t *ret)
{
	int ends[2] = {-1, -1};

	if (opt->ready_flag && pipe(ends) < 0)
		return -1;
	const pid_t child = fork();
	if (child == 0)
		become_program(argv, opt, ends[1]);
	if (!opt->ready_flag) {
		*ret = child;
		return child < 0 ? -1 : 0;
	}
	close(ends[1]);
	const bool ready = child > 0 && wait_ready(ends[0], opt->ready_within_ms);
	close(ends[0]);
	if (!ready && child > 0)
		process_kill(child);
	*ret = child;
	return ready ? 0 : -1;
}

int process_run(const char *const argv[], const struct process_options *opt)
{
	pid_t pid = -1;
	int status = -1;

	if (process_start(argv, opt, &pid) < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int process_stop(pid_t pid)
{
	int status = 0;

	if (pid <= 0)
		return 0;
	kill(pid, SIGTERM);
	for (int i = 0; i < STOP_TENTHS; i++) {
		const pid_t gone = waitpid(pid, &status, WNOHANG);
		if (gone != 0)
			return gone == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
		pause_ms(100);
	}
	process_kill(pid);
	return -1;
}

void process_kill(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

bool process_runs(pid_t *pid)
{
	if (*pid > 0 && waitpid(*pid, NULL, WNOHANG) == 0)
		return true;
	*pid = 0;
	return false;
}

bool process_finds(const char *program)
{
	char file[512];

	for (const char *dir = getenv("PATH"); dir && *dir;) {
		const size_t len = strcspn(dir, ":");
		snprintf(file, sizeof file, "%.*s/%s", (int)len, dir, program);
		if (access(file, X_OK) == 0)
			return true;
		dir += len + (dir[len] == ':');
	}
	return false;
}

int64_t process_figure(pid_t pid, const char *file, const char *field)
{
	char path[64], line[256], unit[8] = "";
	int64_t value, found = -1;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	FILE *f = fopen(path, "re");
	if (!f)
		return -1;
	while (found < 0 && fgets(line, sizeof line, f))
		if (strncmp(line, field, strlen(field)) == 0 &&
		    sscanf(line + strlen(field), "%" SCNd64 " %7s", &value, unit) >= 1)
			found = strcmp(unit, "kB") == 0 ? value * 1024 : value;
	fclose(f);
	return found;
}

double process_cpu_s(pid_t pid)
{
	char path[64], line[1024] = "";
	long user, system;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return -1;
	const bool read = fgets(line, sizeof line, f) != NULL;
	fclose(f);
	const char *rest = read ? strrchr(line, ')') : NULL; /* a name may hold anything */
	if (!rest ||
	    sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system) != 2)
		return -1;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

int64_t disk_sectors_written(const char *path)
{
	char name[96];
	struct stat st;
	int64_t sectors = -1;

	if (stat(path, &st) < 0)
		return -1;
	snprintf(name, sizeof name, "/sys/dev/block/%u:%u/stat", major(st.st_dev), minor(st.st_dev));
	FILE *f = fopen(name, "re");
	if (!f)
		return -1;
	/* reads, merged, sectors, ms, writes, merged, sectors: Documentation/block/stat.rst */
	if (fscanf(f, "%*d %*d %*d %*d %*d %*d %" SCNd64, &sectors) != 1)
		sectors = -1;
	fclose(f);
	return sectors;
}

uint16_t free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port = 0;

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		port = ntohs(at.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}
