/* SPDX-License-Identifier: Apache-2.0 */
/* Persons of an organisation: works on its directory, asks no node. */
#include "proto/clock.h"
#include "security/org_admin.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/verb.h"

static const struct flag invite_flags[] = {
	{"org", "DIR", "directory of the organisation, whose issuer key signs the credential", false},
	{"dir", "DIR", "directory for the person, to be made: key, credential, bundle", false},
	{"role", "ROLE", "a role that the organisation defines", true},
	{0},
};

static const struct flag list_flags[] = {
	{"org", "DIR", "directory of the organisation", false},
	{0},
};

static const struct flag revoke_flags[] = {
	{"org", "DIR", "directory of the organisation", false},
	{"reason", "TEXT", "why, for those who read the list of revocations", false},
	{0},
};

static const char *need_org(const struct context *ctx)
{
	const char *dir = flag_text(ctx, "org");

	if (!dir)
		say("give --org DIR (the organisation)");
	return dir;
}

static enum status invite_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct json j = {.out = stdout};
	struct person_options o = {.org_dir = need_org(ctx),
				   .person_dir = flag_text(ctx, "dir"),
				   .name = argv[0],
				   .now_ns = ctx->now_ns};

	(void)argc;
	if (!o.org_dir)
		return STATUS_USAGE;
	if (!o.person_dir) {
		say("give --dir DIR (for the person)");
		return STATUS_USAGE;
	}
	o.roles = flag_all(ctx, "role", &o.n_roles);
	const int r = o.roles ? org_dir_add_person(&o, &note) : -ENOMEM;
	if (r < 0)
		return say_failed(r, &note);
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "person", o.name);
		json_text(&j, "dir", o.person_dir);
		json_close(&j);
	} else {
		printf("%s is a person of the organisation; give %s to them and keep no copy\n", o.name,
		       o.person_dir);
	}
	return STATUS_OK;
}

static const char *roles_of(struct arena *a, const struct person *p)
{
	const char *text = "";

	for (size_t i = 0; text && i < p->n_roles; i++)
		text = *text ? arena_print(a, "%s,%s", text, p->roles[i]) : p->roles[i];
	return text ? text : "";
}

static const char *state_of(const struct listed_person *p, int64_t now_ns)
{
	if (p->revoked)
		return "revoked";
	return p->person.not_after_ns <= now_ns ? "expired" : "valid";
}

static void list_json(struct context *ctx, const struct listed_person *list, size_t n)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_open(&j, "persons", '[');
	for (size_t i = 0; i < n; i++) {
		const struct person *p = &list[i].person;
		json_open(&j, NULL, '{');
		json_text(&j, "person", p->name);
		json_open(&j, "roles", '[');
		for (size_t k = 0; k < p->n_roles; k++)
			json_text(&j, NULL, p->roles[k]);
		json_close(&j);
		json_text(&j, "state", state_of(&list[i], ctx->now_ns));
		json_time(&j, "until", p->not_after_ns);
		json_close(&j);
	}
	while (j.depth > 0)
		json_close(&j);
}

static void list_text(struct context *ctx, const struct listed_person *list, size_t n)
{
	struct table table = {.arena = ctx->arena, .n_columns = 4};

	table_row(&table, (const char *[]){"PERSON", "ROLES", "STATE", "UNTIL"});
	for (size_t i = 0; i < n; i++) {
		const struct person *p = &list[i].person;
		char until[TIME_TEXT_SIZE];
		time_text(p->not_after_ns - p->not_after_ns % NS_PER_S, until);
		table_row(&table,
			  (const char *[]){p->name, roles_of(ctx->arena, p), state_of(&list[i], ctx->now_ns),
					   arena_copy(ctx->arena, until)});
	}
	table_print(&table, stdout);
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	const char *dir = need_org(ctx);
	struct listed_person *list;
	struct err_note note = {0};
	struct org org;
	size_t n;
	int r;

	(void)argc, (void)argv;
	if (!dir)
		return STATUS_USAGE;
	r = org_dir_load(ctx->arena, dir, ctx->now_ns, &org, &note);
	if (r == 0)
		r = org_dir_persons(ctx->arena, dir, &org, &list, &n, &note);
	if (r < 0)
		return say_failed(r, &note);
	if (ctx->json)
		list_json(ctx, list, n);
	else
		list_text(ctx, list, n);
	return STATUS_OK;
}

enum status print_revoked(const struct context *ctx, const char *name, const char *org_dir)
{
	struct json j = {.out = stdout};

	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "revoked", name);
		json_close(&j);
	} else {
		printf("%s is revoked; an admin node with this admin.organisation hands it on at once, "
		       "else give %s/bundle to a node (holon org trust)\n",
		       name, org_dir);
	}
	return STATUS_OK;
}

static enum status revoke_run(struct context *ctx, int argc, char *const argv[])
{
	const char *dir = need_org(ctx), *reason = flag_text(ctx, "reason");
	struct err_note note = {0};

	(void)argc;
	if (!dir)
		return STATUS_USAGE;
	const int r = org_dir_revoke_person(dir, argv[0], reason ? reason : "", ctx->now_ns, &note);
	return r < 0 ? say_failed(r, &note) : print_revoked(ctx, argv[0], dir);
}

const struct verb cmd_person[] = {
	{.name = "person invite",
	 .args = "NAME --org DIR --dir DIR [--role ROLE]...",
	 .summary = "make a person of the organisation: a key and a credential with roles",
	 .flags = invite_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = invite_run},
	{.name = "person list",
	 .args = "--org DIR",
	 .summary = "list the persons of the organisation",
	 .flags = list_flags,
	 .run = list_run},
	{.name = "person revoke",
	 .args = "NAME --org DIR [--reason TEXT]",
	 .summary = "take a person's credential and key back",
	 .flags = revoke_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = revoke_run},
	{0},
};
