/* SPDX-License-Identifier: Apache-2.0 */
/* What will trouble an admin soon: looked for in the directories, without a node. */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/clock.h"
#include "security/org_admin.h"
#include "tools/client.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/verb.h"

enum verdict { FINE, WARNING, PROBLEM };

enum { BUNDLE_MAX = 1 << 20, DISK_WARN_PERCENT = 15, DISK_BAD_PERCENT = 5 };

static const struct flag doctor_flags[] = {
	{"org", "DIR", "look at the organisation in this directory", false},
	{0},
};

struct doctor {
	struct context *ctx;
	struct json j;
	enum verdict worst;
};

static void find(struct doctor *d, enum verdict v, const char *what, const char *text)
{
	static const char *const words[] = {"fine", "warning", "problem"};
	static const enum paint paints[] = {PAINT_GOOD, PAINT_WARNING, PAINT_ALARM};

	if (v > d->worst)
		d->worst = v;
	if (d->ctx->json) {
		json_open(&d->j, NULL, '{');
		json_text(&d->j, "check", what);
		json_text(&d->j, "verdict", words[v]);
		json_text(&d->j, "text", text);
		json_close(&d->j);
		return;
	}
	paint(stdout, paints[v], words[v]);
	printf("%*s%s: ", (int)(9 - strlen(words[v])), "", what);
	print_clean(stdout, text);
	putchar('\n');
}

/* As the note has it; the text of the code if it has none. */
static void find_failed(struct doctor *d, const char *what, int code, const struct err_note *note)
{
	find(d, PROBLEM, what, note->text[0] ? note->text : err_text(code));
}

/* Half of it is when it is renewed by itself: less than a quarter means that nobody does. */
static enum verdict judge_left(int64_t from_ns, int64_t until_ns, int64_t now_ns, int *ret_percent)
{
	const int64_t left = until_ns - now_ns, whole = until_ns - from_ns;

	*ret_percent = left <= 0 || whole <= 0 ? 0 : (int)((double)left / (double)whole * 100);
	if (*ret_percent < 10 || left < 86400 * NS_PER_S)
		return PROBLEM;
	return *ret_percent < 50 ? WARNING : FINE;
}

static void check_expiry(struct doctor *d, const char *what, int64_t from_ns, int64_t until_ns)
{
	char until[TIME_TEXT_SIZE], left[DURATION_TEXT_SIZE], text[160];
	const int64_t now_ns = d->ctx->now_ns;
	int percent;
	const enum verdict v = judge_left(from_ns, until_ns, now_ns, &percent);

	time_text(until_ns - until_ns % NS_PER_S, until);
	if (until_ns <= now_ns)
		snprintf(text, sizeof text, "expired on %s", until);
	else
		snprintf(text, sizeof text, "valid for %s more, until %s%s",
			 duration_text(until_ns - now_ns, left), until,
			 v == FINE      ? ""
			 : percent < 10 ? "; less than 10 % is left"
			 : v == PROBLEM ? "; less than 24 h is left"
			 : percent < 25 ? "; less than 25 % is left"
					: "; less than half is left: renew it");
	find(d, v, what, text);
}

static void check_disk(struct doctor *d, const char *dir)
{
	struct statvfs fs;
	char text[80];

	if (statvfs(dir, &fs) < 0 || fs.f_blocks == 0) {
		find(d, PROBLEM, "disk", "the file system cannot be looked at");
		return;
	}
	const unsigned percent = (unsigned)((double)fs.f_bavail / (double)fs.f_blocks * 100);
	snprintf(text, sizeof text, "%u %% are free", percent);
	find(d,
	     percent < DISK_BAD_PERCENT    ? PROBLEM
	     : percent < DISK_WARN_PERCENT ? WARNING
					   : FINE,
	     "disk", text);
}

/* Loading is the check: owner, mode, kind, length, checksum. */
static void check_sign_key(struct doctor *d, const char *dir, const char *file)
{
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	const char *path = arena_print(d->ctx->arena, "%s/%s", dir, file);
	struct err_note note = {0};
	const int r = path ? sign_key_load(&key, path, &note) : -ENOMEM;

	if (r < 0)
		find_failed(d, "key", r, &note);
	else
		find(d, FINE, "key", path);
}

/* A sealed key is not opened: its mode is looked at. */
static void check_sealed_key(struct doctor *d, const char *dir, const char *file)
{
	const char *path = arena_print(d->ctx->arena, "%s/%s", dir, file);
	struct stat st;

	if (!path || lstat(path, &st) < 0)
		find(d, WARNING, "key",
		     arena_print(d->ctx->arena, "%s/%s is not here: is it kept elsewhere?", dir, file));
	else if (st.st_mode & 077)
		find(d, PROBLEM, "key",
		     arena_print(d->ctx->arena, "%s is open to others (mode %04o): chmod 600 it", path,
				 (unsigned)st.st_mode & 07777));
	else
		find(d, FINE, "key", path);
}

/* Only nodes with the role admin can tell a border that nothing newer is kept from it. */
static void check_admins(struct doctor *d, const struct org *org)
{
	size_t n_admins = 0, n_borders = 0;

	for (size_t i = 0; i < org->n_nodes; i++) {
		n_admins += (org->nodes[i].roles & ROLE_ADMIN) != 0;
		n_borders += (org->nodes[i].roles & ROLE_BORDER) != 0;
	}
	if (n_borders > 0 && n_admins == 0)
		find(d, WARNING, "freshness",
		     "no node has the role admin: a border that is cut off goes on with an old policy; make "
		     "one "
		     "with holon node init --role admin, better two");
}

/* ---- an organisation's directory ---- */

static void check_persons(struct doctor *d, const char *dir, const struct org *org)
{
	struct listed_person *list;
	struct err_note note = {0};
	size_t n;
	const int r = org_dir_persons(d->ctx->arena, dir, org, &list, &n, &note);

	if (r < 0)
		find_failed(d, "persons", r, &note);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!list[i].revoked)
			check_expiry(d, arena_print(d->ctx->arena, "person %s", list[i].person.name),
				     list[i].person.not_before_ns, list[i].person.not_after_ns);
}

static void check_issuer(struct doctor *d, const char *dir)
{
	struct issuer_status s;
	struct err_note note = {0};
	const int r = issuer_status(dir, d->ctx->now_ns, &s, &note);

	if (r < 0)
		find_failed(d, "issuer", r, &note);
	else if (s.phase == ISSUER_DRAINED)
		find(d, WARNING, "issuer", "the old key has drained: issuer rotate drops it");
	else
		find(d, FINE, "issuer", s.phase == ISSUER_STEADY ? "one key" : "a rotation is going on");
}

static void check_org(struct doctor *d, const char *dir)
{
	struct err_note note = {0};
	struct org org;
	const int r = org_dir_load(d->ctx->arena, dir, d->ctx->now_ns, &org, &note);

	check_sealed_key(d, dir, "root.key");
	check_sealed_key(d, dir, "next-root.key");
	check_sign_key(d, dir, "issuer.key");
	check_sign_key(d, dir, "policy.key");
	check_disk(d, dir);
	if (r < 0) {
		find_failed(d, "organisation", r, &note);
		return;
	}
	check_expiry(d, "manifest", org.manifest.issued_ns, org.manifest.valid_until_ns);
	check_issuer(d, dir);
	for (size_t i = 0; i < org.n_nodes; i++)
		check_expiry(d, arena_print(d->ctx->arena, "node %s", org.nodes[i].node),
			     org.nodes[i].not_before_ns, org.nodes[i].not_after_ns);
	check_admins(d, &org);
	check_persons(d, dir, &org);
	if (revocations_are_late(&org.revocations, d->ctx->now_ns))
		find(d, WARNING, "revocations", "the list is overdue: org renew signs it again");
}

/* ---- a node's directory ---- */

static void check_self(struct doctor *d, const struct org *org, const struct curve_pair *pair)
{
	const struct curve_key public = curve_pair_public(pair);
	const struct credential *self = org_node_by_curve(org, &public);

	if (!self)
		find(d, PROBLEM, "credential", "the bundle has none for this node's key");
	else
		check_expiry(d, "credential", self->not_before_ns, self->not_after_ns);
}

/* What only the running node knows. */
static void check_status(struct doctor *d, const struct node_status *s)
{
	struct arena *a = d->ctx->arena;
	char text[DURATION_TEXT_SIZE];
	const int64_t left_ns = s->fresh_until_ns - d->ctx->now_ns;

	if (strcmp(s->border, "none") != 0)
		find(d, strcmp(s->border, "open") == 0 ? FINE : PROBLEM, "border", s->border);
	find(d,
	     strcmp(s->self_test, "passed") == 0    ? FINE
	     : strcmp(s->self_test, "not yet") == 0 ? WARNING
						    : PROBLEM,
	     "doors", s->self_test);
	if (s->fresh_until_ns == TIME_MAX)
		return;
	if (left_ns <= 0)
		find(d, PROBLEM, "freshness", "no node with the role admin is heard of");
	else
		find(d, FINE, "freshness",
		     arena_print(a, "for %s more, should no node with the role admin be heard of again",
				 duration_text(left_ns, text)));
}

/* What the node says stands; what stands above already is left out. */
static void check_alarms(struct doctor *d, const struct control_answer *answer)
{
	struct arena *a = d->ctx->arena;

	for (size_t i = 0; i < answer->n_alarms; i++) {
		const struct alarm_info *w = &answer->alarms[i];
		const char *about = w->about[0] ? arena_print(a, " (%s)", w->about) : "";
		if (strcmp(w->kind, "border") != 0 && strcmp(w->kind, "door") != 0)
			find(d, w->severe ? PROBLEM : WARNING, w->kind,
			     arena_print(a, "%s%s; %s", w->text, about ? about : "", w->todo));
	}
}

/* One that does not run is not asked, and that is no trouble. */
static void ask_node(struct doctor *d, const char *dir)
{
	SCOPED(scope_client) struct client *client = NULL;
	struct control_request request = ask_for(CONTROL_STATUS);
	struct control_answer answer = {0};
	struct err_note note = {0};
	const char *url, *socket = arena_print(d->ctx->arena, "%s/control", dir);

	if (!socket || access(socket, F_OK) != 0 ||
	    client_endpoint(d->ctx->arena, NULL, dir, &url, &note) < 0 ||
	    client_open(&client, url, d->ctx->timeout_ns, &note) < 0)
		return;
	if (client_ask(client, &request, d->ctx->arena, &answer, &note) < 0)
		find(d, WARNING, "node", "it does not answer");
	else if (answer.has_status) {
		check_status(d, &answer.status);
		check_alarms(d, &answer);
	}
}

static void check_node(struct doctor *d, const char *dir)
{
	SCOPED(scope_curve_pair) struct curve_pair *pair = NULL;
	struct arena *a = d->ctx->arena;
	const char *key = arena_print(a, "%s/keys/curve.key", dir), *store = arena_print(a, "%s/store", dir);
	struct err_note note = {0};
	struct stat st;
	struct org org;
	int r = key ? curve_pair_load(&pair, key, &note) : -ENOMEM;

	if (r < 0)
		find_failed(d, "key", r, &note);
	else
		find(d, FINE, "key", key);
	check_sign_key(d, dir, "keys/sign.key");
	check_disk(d, dir);
	if (!store || stat(store, &st) < 0 || !S_ISDIR(st.st_mode))
		find(d, WARNING, "store", "there is none: the node has never run");
	else
		find(d, st.st_mode & 022 ? PROBLEM : FINE, "store",
		     st.st_mode & 022 ? "others may write in it" : store);
	note.text[0] = '\0';
	r = org_dir_load(a, dir, d->ctx->now_ns, &org, &note); /* a node's bundle has the same name */
	if (r < 0)
		find_failed(d, "bundle", r, &note);
	else if (pair)
		check_self(d, &org, pair);
	if (r == 0)
		check_admins(d, &org);
	ask_node(d, dir);
}

static enum status doctor_run(struct context *ctx, int argc, char *const argv[])
{
	const char *org = flag_text(ctx, "org"), *node = flag_text(ctx, "node");
	struct doctor d = {.ctx = ctx, .j = {.out = stdout}};
	struct err_note note = {0};

	(void)argc, (void)argv;
	if (!org && !node) {
		say("look at what? give --org DIR (an organisation) or --node DIR (a node)");
		return STATUS_USAGE;
	}
	if (ctx->json) {
		json_open(&d.j, NULL, '{');
		json_open(&d.j, "checks", '[');
	}
	const int r = org_check_clock(ctx->now_ns, built_ns(), &note);
	if (r < 0)
		find_failed(&d, "clock", r, &note);
	else
		find(&d, FINE, "clock", "set");
	if (org)
		check_org(&d, org);
	if (node)
		check_node(&d, node);
	while (d.j.depth > 0)
		json_close(&d.j);
	return d.worst == FINE ? STATUS_OK : d.worst == WARNING ? STATUS_FAILED : STATUS_USAGE;
}

const struct verb cmd_doctor[] = {
	{.name = "doctor",
	 .args = "[--org DIR] [--node DIR]",
	 .summary = "look for what will be trouble soon; exit code 0, 1 (warnings) or 2 (problems)",
	 .flags = doctor_flags,
	 .run = doctor_run},
	{0},
};
