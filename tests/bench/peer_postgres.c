/* SPDX-License-Identifier: Apache-2.0 */
/* Integer keys, an index on the parent, everything vacuumed and in its buffers: what suits it best. */
#define _DEFAULT_SOURCE /* chown() */
#include <glob.h>
#include <libpq-fe.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/peer.h"
#include "tests/bench/process.h"

#define RUN_AS "postgres" /* it refuses to be root */

enum { START_TENTHS = 300 };

struct postgres {
	char dir[96], data[112], log[112], bin[128];
	pid_t pid;
	PGconn *c;
};

static bool find_programs(struct postgres *p)
{
	glob_t found;
	bool ok = false;

	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
		snprintf(p->bin, sizeof p->bin, "%s", found.gl_pathv[found.gl_pathc - 1]);
		globfree(&found);
		ok = true;
	}
	return ok;
}

static int make_data(const struct postgres *p)
{
	const struct passwd *user = getpwnam(RUN_AS);
	char initdb[144];

	if (geteuid() == 0 && (!user || chown(p->dir, user->pw_uid, user->pw_gid) < 0))
		return -1;
	snprintf(initdb, sizeof initdb, "%s/initdb", p->bin);
	const char *const argv[] = {initdb, "-D", p->data, "-A", "trust", "-U", "bench", "--no-sync", NULL};
	return process_run(argv, &(struct process_options){.log = p->log, .user = RUN_AS}) == 0 ? 0 : -1;
}

static int connect_to(struct postgres *p)
{
	char how[192];

	snprintf(how, sizeof how, "host=%s user=bench dbname=postgres", p->dir);
	for (int i = 0; i < START_TENTHS && process_runs(&p->pid); i++) {
		p->c = PQconnectdb(how);
		if (PQstatus(p->c) == CONNECTION_OK)
			return 0;
		PQfinish(p->c);
		p->c = NULL;
		bench_pause_ms(100);
	}
	return -1;
}

static int start(struct postgres *p, const struct bench_options *opt)
{
	char program[144];

	if (bench_place(opt, p->dir, sizeof p->dir) < 0)
		return -1;
	snprintf(p->data, sizeof p->data, "%s/data", p->dir);
	snprintf(p->log, sizeof p->log, "%s/log", p->dir);
	if (make_data(p) < 0)
		return -1;
	snprintf(program, sizeof program, "%s/postgres", p->bin);
	const char *const argv[] = {program, "-D", p->data,         "-k", p->dir, "-h",
				    "",      "-c", "work_mem=64MB", NULL};
	if (process_start(argv, &(struct process_options){.log = p->log, .user = RUN_AS}, &p->pid) < 0)
		return -1;
	return connect_to(p);
}

static int say(struct postgres *p, const char *sql)
{
	PGresult *r = PQexec(p->c, sql);
	const ExecStatusType status = PQresultStatus(r);

	PQclear(r);
	if (status == PGRES_COMMAND_OK)
		return 0;
	return bench_say("walk", "postgresql: %s", PQerrorMessage(p->c));
}

static int fill(struct postgres *p, size_t n_twins, size_t fan_out)
{
	char twins[128], relations[192];

	snprintf(twins, sizeof twins, "insert into twin select i, i from generate_series(0, %zu) i",
		 n_twins - 1);
	snprintf(relations, sizeof relations,
		 "insert into relation select (i - 1) / %zu, i from generate_series(1, %zu) i", fan_out,
		 n_twins - 1);
	if (say(p, "create table twin (id int primary key, value float8)") < 0 ||
	    say(p, "create table relation (parent int, child int)") < 0 || say(p, twins) < 0 ||
	    say(p, relations) < 0 || say(p, "create index on relation (parent)") < 0)
		return -1;
	return say(p, "vacuum analyze");
}

/* One roll-up in milliseconds; negative when it is wrong. */
static double ask(struct postgres *p, size_t n_twins)
{
	const double want = (double)n_twins * (double)(n_twins - 1) / 2, began_s = bench_now_s();
	PGresult *r = PQexec(p->c,
			     "with recursive below as (select 0 as id union all "
			     "select r.child from relation r join below b on r.parent = b.id) "
			     "select count(*), sum(value) from below join twin using (id)");
	const double ms = (bench_now_s() - began_s) * 1e3;
	const bool right = PQresultStatus(r) == PGRES_TUPLES_OK &&
			   strtoull(PQgetvalue(r, 0, 0), NULL, 10) == n_twins &&
			   strtod(PQgetvalue(r, 0, 1), NULL) == want;

	if (!right)
		bench_say("walk", "postgresql: wrong answer: %s", PQerrorMessage(p->c));
	PQclear(r);
	return right ? ms : -1;
}

static double measure(struct postgres *p, size_t n_twins, int runs)
{
	double *times = calloc((size_t)runs, sizeof *times), result = NAN;
	bool right = times != NULL;

	ask(p, n_twins); /* once to warm up */
	for (int i = 0; i < runs && right; i++) {
		times[i] = ask(p, n_twins);
		right = times[i] >= 0;
	}
	if (right)
		result = bench_quantile(times, (size_t)runs, 0.5);
	free(times);
	return result;
}

double peer_postgres(const struct bench_options *opt, size_t n_twins, size_t fan_out, int runs)
{
	struct postgres p = {.dir = ""};
	double ms = NAN;

	if (!find_programs(&p))
		return NAN;
	if (start(&p, opt) == 0 && fill(&p, n_twins, fan_out) == 0)
		ms = measure(&p, n_twins, runs);
	if (isnan(ms))
		bench_say(POSTGRES_PEER, "it is installed, but did not do its work");
	if (p.c)
		PQfinish(p.c);
	process_stop(p.pid); /* not killed: it has children */
	bench_remove(p.dir);
	return ms;
}
