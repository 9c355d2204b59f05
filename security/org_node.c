/* SPDX-License-Identifier: Apache-2.0 */
/* Adding a node: its directory is written first, the organisation's bundle last. Until that last rename
 * nothing has happened, and a failure before it takes the node's directory away again. */
#include <sodium.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "security/org_edit.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

struct node_keys {
	struct sign_key *sign;
	struct curve_pair *curve;
	struct secret32 *cursor;
};

static void node_keys_fini(struct node_keys *k)
{
	sign_key_free(k->sign);
	curve_pair_free(k->curve);
	secret32_free(k->cursor);
}

/* ---- what was asked for ---- */

static bool endpoint_is_taken(const char *endpoint, const struct credential *c)
{
	return endpoint[0] != '\0' &&
	       (strcmp(endpoint, c->endpoint) == 0 || strcmp(endpoint, c->border_endpoint) == 0);
}

static int check_free(const struct node_options *opt, const struct org *org, struct err_note *note)
{
	if (org_node(org, opt->name))
		return FAIL_SAY(note, ERR_REFUSED, "%s has a node %s already: choose another name",
				org->manifest.org, opt->name);
	if (opt->endpoint[0] != '\0' && strcmp(opt->endpoint, opt->border_endpoint) == 0)
		return FAIL_SAY(note, ERR_REFUSED,
				"%s is given for both endpoints: own nodes and partners need different ones",
				opt->endpoint);
	for (size_t i = 0; i < org->n_nodes; i++) {
		const bool own = endpoint_is_taken(opt->endpoint, &org->nodes[i]);

		if (own || endpoint_is_taken(opt->border_endpoint, &org->nodes[i]))
			return FAIL_SAY(note, ERR_REFUSED, "endpoint %s is taken by node %s: choose another",
					own ? opt->endpoint : opt->border_endpoint, org->nodes[i].node);
	}
	return 0;
}

static int check_counts(const struct node_options *opt, const struct org *org, struct err_note *note)
{
	if (org->n_nodes >= NODES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%s has %d nodes already, more cannot be",
				org->manifest.org, NODES_MAX);
	if (opt->n_prefixes > PREFIXES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "a node can have %d prefixes at most", PREFIXES_MAX);
	if (strlen(opt->endpoint) > ENDPOINT_MAX || strlen(opt->border_endpoint) > ENDPOINT_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "an endpoint can have %d characters at most",
				ENDPOINT_MAX);
	return 0;
}

static int check_asked(const struct node_options *opt, const struct org *org, struct err_note *note)
{
	const bool border = opt->roles & ROLE_BORDER;

	TRY(id_check_segment(opt->name, "node", NODE_NAME_MAX, note));
	TRY(check_counts(opt, org, note));
	if (border && opt->border_endpoint[0] == '\0')
		return FAIL_SAY(note, ERR_REFUSED,
				"a node with the role border needs a border endpoint, which partners reach");
	if (!border && opt->border_endpoint[0] != '\0')
		return FAIL_SAY(note, ERR_REFUSED, "a border endpoint needs the role border");
	for (size_t i = 0; i < opt->n_prefixes; i++) {
		TRY(id_check_name(opt->prefixes[i], "prefix", note));
		if (!id_is_within(opt->prefixes[i], org->manifest.org))
			return FAIL_SAY(note, ERR_REFUSED, "prefix %s is not within %s", opt->prefixes[i],
					org->manifest.org);
	}
	return check_free(opt, org, note);
}

/* ---- its credential ---- */

static void describe(const struct node_options *opt, const struct org *org, const struct node_keys *keys,
		     struct credential *ret)
{
	*ret = (struct credential){
		.org = org->manifest.org,
		.node = opt->name,
		.curve = curve_pair_public(keys->curve),
		.sign = sign_key_public(keys->sign),
		.roles = opt->roles,
		.prefixes = opt->prefixes,
		.n_prefixes = opt->n_prefixes,
		.endpoint = opt->endpoint,
		.border_endpoint = opt->border_endpoint,
		.not_before_ns = opt->now_ns,
		.not_after_ns = opt->now_ns + CREDENTIAL_LIFE_DAYS * 86400 * NS_PER_S,
	};
	randombytes_buf(ret->serial.b, sizeof ret->serial.b);
}

/* The organisation's bundle with one more credential. */
static int extend_bundle(struct arena *a, const struct org *org, const struct signed_blob *credential,
			 struct buf *out)
{
	struct bundle b;

	TRY(bundle_decode(a, org->encoded, &b));
	struct signed_blob *all = arena_take_array(a, b.n_credentials + 1, sizeof *all);
	if (!all)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < b.n_credentials; i++)
		all[i] = b.credentials[i];
	all[b.n_credentials++] = *credential;
	b.credentials = all;
	bundle_encode(&b, out);
	return buf_check(out);
}

/* What comes out is verified as everybody else will: an issuer key that is not in the manifest, a node too
 * many and the like are refused here. */
static int issue(struct arena *a, const struct node_options *opt, const struct org *org,
		 const struct node_keys *keys, struct buf *out, struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *issuer = NULL;
	SCOPED(buf_fini) struct buf payload = {0};
	struct credential c;
	struct signed_blob blob;
	struct org extended;

	TRY(org_today_issuer(a, opt->org_dir, org, opt->now_ns, &issuer, note));
	describe(opt, org, keys, &c);
	credential_encode(&c, &payload);
	TRY(buf_check(&payload));
	sign_blob(issuer, SIGN_CREDENTIAL, buf_bytes(&payload), &blob);
	TRY(extend_bundle(a, org, &blob, out));
	TRY(org_verify(a, buf_bytes(out), opt->now_ns, &extended, note));
	if (!org_node(&extended, opt->name))
		return FAIL_SAY(note, ERR_REFUSED, "a node %s was revoked just now, or this clock went back",
				opt->name);
	return 0;
}

/* ---- its directory ---- */

static int save_keys(const struct node_keys *k, const char *dir, bool border, struct made *made,
		     struct err_note *note)
{
	const char *keys, *path;

	keys = path_join(made->arena, dir, "keys");
	if (!keys)
		return FAIL(-ENOMEM);
	TRY(made_dir(made, keys, note));
	TRY(made_path(made, keys, "curve.key", &path, note));
	TRY(curve_pair_save(k->curve, path, note));
	TRY(made_path(made, keys, "sign.key", &path, note));
	TRY(sign_key_save(k->sign, path, note));
	if (!border)
		return 0;
	TRY(made_path(made, keys, "cursor.key", &path, note));
	return secret32_save(k->cursor, path, note);
}

/* Partners may come back at another border node with the cursor the first one gave: all share one key. */
static int make_keys(struct arena *a, const struct node_options *opt, struct node_keys *k,
		     struct err_note *note)
{
	const char *cursor = path_join(a, opt->org_dir, "cursor.key");

	if (!cursor)
		return FAIL(-ENOMEM);
	if (opt->roles & ROLE_BORDER)
		TRY(secret32_load(&k->cursor, cursor, note));
	TRY(sign_key_new(&k->sign));
	return curve_pair_new(&k->curve);
}

int org_dir_add_node(const struct node_options *opt, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(node_keys_fini) struct node_keys keys = {0};
	SCOPED(buf_fini) struct buf bundle = {0};
	SCOPED(dir_unlock) int lock = -1;
	const char *node_bundle, *org_bundle;
	struct org org;

	TRY(arena_new(&a, ARENA_BYTES));
	SCOPED(made_undo) struct made made = {.arena = a};
	TRY(dir_lock(opt->org_dir, &lock, note));
	TRY(org_dir_load(a, opt->org_dir, opt->now_ns, &org, note));
	TRY(check_asked(opt, &org, note));
	TRY(make_keys(a, opt, &keys, note));
	TRY(issue(a, opt, &org, &keys, &bundle, note));
	org_bundle = path_join(a, opt->org_dir, "bundle");
	if (!org_bundle)
		return FAIL(-ENOMEM);

	TRY(made_dir(&made, opt->node_dir, note));
	TRY(made_path(&made, opt->node_dir, "bundle", &node_bundle, note));
	TRY(save_keys(&keys, opt->node_dir, opt->roles & ROLE_BORDER, &made, note));
	TRY(file_write(node_bundle, buf_bytes(&bundle), false, note));
	TRY(file_write(org_bundle, buf_bytes(&bundle), false, note));
	made_keep(&made);
	return 0;
}
