/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "security/org_admin.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/verb.h"

static const struct flag init_flags[] = {
	{"org", "DIR", "directory of the organisation, whose issuer key signs the credential", false},
	{"dir", "DIR", "the node's directory, to be made", false},
	{"role", "ROLES", "of owner, border, reader, admin; joined by commas (default: owner)", false},
	{"prefix", "PREFIX", "twins it may own (default: all of the organisation)", true},
	{"listen", "ENDPOINT", "where nodes of the own organisation reach it, tcp://HOST:PORT", false},
	{"border", "ENDPOINT", "where partners reach it, tcp://HOST:PORT", false},
	{0},
};

static const struct flag list_flags[] = {
	{"org", "DIR", "as the organisation's directory knows them, without asking a node", false},
	{0},
};

static const struct flag revoke_flags[] = {
	{"org", "DIR", "directory of the organisation", false},
	{"reason", "TEXT", "why, for those who read the list of revocations", false},
	{0},
};

static const struct flag extend_flags[] = {
	{"org", "DIR", "directory of the organisation", false},
	{"break-glass", "DURATION", "for how long, 7d at most: it counts inside the organisation only",
	 false},
	{0},
};

static int write_config(const struct node_options *o, struct err_note *note)
{
	SCOPED(buf_fini) struct buf path = {0};
	SCOPED(buf_fini) struct buf text = {0};

	buf_print(&path, "%s/holon.conf", o->node_dir);
	buf_put_u8(&path, 0);
	buf_print(&text,
		  "# Settings of node %s; those not given have their defaults: holond --dump-config, "
		  "holon.conf(5).\n"
		  "# Addresses come from its credential; listen elsewhere, or not at all (none), with\n"
		  "#[listen]\n#own = %s\n#border = %s\n",
		  o->name, *o->endpoint ? o->endpoint : "none",
		  *o->border_endpoint ? o->border_endpoint : "none");
	TRY(buf_check(&path));
	TRY(buf_check(&text));
	return write_file((const char *)path.data, buf_bytes(&text), 0644, note);
}

static void node_json(struct json *j, const char *node, const char *roles, const char *listen,
		      const char *border)
{
	json_open(j, NULL, '{');
	json_text(j, "node", node);
	json_text(j, "roles", roles);
	json_text(j, "listen", listen);
	json_text(j, "border", border);
	json_close(j);
}

static int node_from_flags(const struct context *ctx, const char *name, struct node_options *ret,
			   struct err_note *note)
{
	const char *role = flag_text(ctx, "role"), *listen = flag_text(ctx, "listen"),
		   *border = flag_text(ctx, "border");
	struct node_options o = {
		.org_dir = flag_text(ctx, "org"),
		.node_dir = flag_text(ctx, "dir"),
		.name = name,
		.roles = ROLE_OWNER,
		.endpoint = listen ? listen : "",
		.border_endpoint = border ? border : "",
		.now_ns = ctx->now_ns,
	};

	if (!o.org_dir || !o.node_dir)
		return FAIL_SAY(note, ERR_REFUSED,
				"give --org DIR (the organisation) and --dir DIR (the new node)");
	if (role && !roles_parse(role, &o.roles))
		return FAIL_SAY(note, ERR_REFUSED, "--role: %.60s: roles are owner, border, reader, admin",
				role);
	if (!(o.roles & ROLE_BORDER) != !border)
		return FAIL_SAY(note, ERR_REFUSED, "%s",
				border ? "--border needs the role border"
				       : "the role border needs --border ENDPOINT");
	o.prefixes = flag_all(ctx, "prefix", &o.n_prefixes);
	if (!o.prefixes)
		return FAIL(-ENOMEM);
	if (o.n_prefixes == 0)
		o.prefixes = NULL;
	*ret = o;
	return 0;
}

static enum status init_run(struct context *ctx, int argc, char *const argv[])
{
	struct json j = {.out = stdout};
	struct err_note note = {0};
	struct node_options options = {0};
	int r;

	(void)argc;
	if (node_from_flags(ctx, argv[0], &options, &note) < 0)
		return say_usage(&note);
	r = org_dir_add_node(&options, &note);
	if (r == 0)
		r = write_config(&options, &note);
	if (r < 0)
		return say_failed(r, &note);
	if (ctx->json)
		node_json(&j, argv[0], roles_text(ctx->arena, options.roles), options.endpoint,
			  options.border_endpoint);
	else
		printf("node %s is ready; start it with: holond --dir %s\n", argv[0], options.node_dir);
	return STATUS_OK;
}

static enum status list_dir(struct context *ctx, const char *dir)
{
	struct table table = {.arena = ctx->arena, .n_columns = 5};
	struct json j = {.out = stdout};
	struct err_note note = {0};
	struct org org;
	const int r = org_dir_load(ctx->arena, dir, ctx->now_ns, &org, &note);

	if (r < 0)
		return say_failed(r, &note);
	table_row(&table, (const char *[]){"NODE", "ROLES", "LISTEN", "BORDER", "UNTIL"});
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_open(&j, "nodes", '[');
	}
	for (size_t i = 0; i < org.n_nodes; i++) {
		const struct credential *c = &org.nodes[i];
		const char *roles = roles_text(ctx->arena, c->roles);
		char until[TIME_TEXT_SIZE];
		if (ctx->json)
			node_json(&j, c->node, roles, c->endpoint, c->border_endpoint);
		else
			table_row(&table,
				  (const char *[]){
					  c->node, roles, c->endpoint, c->border_endpoint,
					  arena_copy(ctx->arena,
						     time_text(c->not_after_ns - c->not_after_ns % NS_PER_S,
							       until))});
	}
	while (j.depth > 0)
		json_close(&j);
	if (!ctx->json)
		table_print(&table, stdout);
	return STATUS_OK;
}

/* "NODE ROLES ENDPOINT", as the node words it. */
static void listed_node(struct json *j, bool as_json, char *words)
{
	char *roles = strchr(words, ' '), *endpoint;

	if (!as_json) {
		print_clean(stdout, words);
		putchar('\n');
		return;
	}
	if (roles)
		*roles++ = '\0';
	endpoint = roles ? strchr(roles, ' ') : NULL;
	if (endpoint)
		*endpoint++ = '\0';
	json_open(j, NULL, '{');
	json_text(j, "node", words);
	json_text(j, "roles", roles ? roles : "");
	json_text(j, "endpoint", endpoint ? endpoint : "");
	json_close(j);
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ORG_SHOW);
	const char *dir = flag_text(ctx, "org");
	struct json j = {.out = stdout};
	struct control_answer answer;
	enum status status;

	(void)argc, (void)argv;
	if (dir)
		return list_dir(ctx, dir);
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_open(&j, "nodes", '[');
	}
	for (size_t o = 0; o < answer.n_orgs; o++)
		for (size_t i = 0; answer.orgs[o].own && i < answer.orgs[o].n_nodes; i++) {
			char *words = arena_copy(ctx->arena, answer.orgs[o].nodes[i]);
			if (words)
				listed_node(&j, ctx->json, words);
		}
	while (j.depth > 0)
		json_close(&j);
	return STATUS_OK;
}

static enum status revoke_run(struct context *ctx, int argc, char *const argv[])
{
	const char *dir = flag_text(ctx, "org"), *reason = flag_text(ctx, "reason");
	struct err_note note = {0};

	(void)argc;
	if (!dir) {
		say("give --org DIR (the organisation)");
		return STATUS_USAGE;
	}
	const int r = org_dir_revoke_node(dir, argv[0], reason ? reason : "", ctx->now_ns, &note);
	return r < 0 ? say_failed(r, &note) : print_revoked(ctx, argv[0], dir);
}

static enum status extend_run(struct context *ctx, int argc, char *const argv[])
{
	const char *dir = flag_text(ctx, "org");
	struct json j = {.out = stdout};
	struct err_note note = {0};
	char left[DURATION_TEXT_SIZE];
	int64_t for_ns;

	(void)argc;
	if (!dir || !flag_given(ctx, "break-glass")) {
		say("give --org DIR (the organisation) and --break-glass DURATION");
		return STATUS_USAGE;
	}
	if (flag_duration(ctx, "break-glass", 0, &for_ns, &note) < 0)
		return say_usage(&note);
	const int r = org_dir_extend_node(dir, argv[0], for_ns, ctx->now_ns, &note);
	if (r < 0)
		return say_failed(r, &note);
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "node", argv[0]);
		json_time(&j, "until", ctx->now_ns + for_ns);
		json_close(&j);
	} else {
		printf("%s goes on for %s, inside the organisation only; an admin node with this "
		       "admin.organisation hands it on at once, else give %s/bundle to a node (holon org "
		       "trust)\n",
		       argv[0], duration_text(for_ns, left), dir);
	}
	return STATUS_OK;
}

const struct verb cmd_node[] = {
	{.name = "node init",
	 .args = "NAME --org DIR --dir DIR [--role ROLES] [--prefix PREFIX]... [--listen ENDPOINT] [--border "
		 "ENDPOINT]",
	 .summary = "make a node of an organisation: its keys, its credential, its settings",
	 .flags = init_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = init_run},
	{.name = "node list",
	 .args = "[--org DIR]",
	 .summary = "list the nodes of the own organisation",
	 .flags = list_flags,
	 .run = list_run},
	{.name = "node revoke",
	 .args = "NAME --org DIR [--reason TEXT]",
	 .summary = "take a node's credential and keys back",
	 .flags = revoke_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = revoke_run},
	{.name = "node extend",
	 .args = "NAME --org DIR --break-glass DURATION",
	 .summary = "let a node with an expired credential go on inside the organisation",
	 .flags = extend_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = extend_run},
	{0},
};
