/* SPDX-License-Identifier: Apache-2.0 */
/* Adding a node: its directory is written first, the organisation's bundle last. Until that last rename
 * nothing has happened, and a failure before it takes the node's directory away again. */
#include <sodium.h>

#include "proto/id.h"
#include "security/join.h"
#include "security/org_admin.h"
#include "security/org_edit.h"

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

int org_check_new_node(const struct org *org, const struct node_options *opt, struct err_note *note)
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

static void describe(const struct node_options *opt, const struct org *org, const struct node_public *keys,
		     struct credential *ret)
{
	*ret = (struct credential){
		.org = org->manifest.org,
		.node = opt->name,
		.curve = keys->curve,
		.sign = keys->sign,
		.roles = opt->roles,
		.prefixes = opt->prefixes,
		.n_prefixes = opt->n_prefixes,
		.endpoint = opt->endpoint,
		.border_endpoint = opt->border_endpoint,
		.not_before_ns = opt->now_ns,
		.not_after_ns = opt->now_ns + CREDENTIAL_LIFE_DAYS * DAY_NS,
	};
	randombytes_buf(ret->serial.b, sizeof ret->serial.b);
}

/* The organisation's bundle with one more credential. What comes out is verified as everybody else will: an
 * issuer key that is not in the manifest, a node too many and the like are refused here. */
static int issue(struct org_edit *e, const struct node_options *opt, const struct node_public *keys,
		 struct buf *out, struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *issuer = NULL;
	struct credential c;
	struct org extended;

	TRY(org_check_new_node(&e->org, opt, note));
	TRY(org_today_issuer(e->arena, e->dir, &e->org, e->now_ns, &issuer, note));
	describe(opt, &e->org, keys, &c);
	TRY(org_edit_add_node(e, issuer, &c));
	bundle_encode(&e->bundle, out);
	TRY(buf_check(out));
	TRY(org_verify(e->arena, buf_bytes(out), e->now_ns, &extended, note));
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
	SCOPED(org_edit_end) struct org_edit e = {.dir = opt->org_dir, .now_ns = opt->now_ns, .lock = -1};
	SCOPED(node_keys_fini) struct node_keys keys = {0};
	SCOPED(buf_fini) struct buf bundle = {0};
	const char *path;

	TRY(org_edit_begin(&e, note));
	SCOPED(made_undo) struct made made = {.arena = e.arena};
	TRY(make_keys(e.arena, opt, &keys, note));
	const struct node_public public = {curve_pair_public(keys.curve), sign_key_public(keys.sign)};
	TRY(issue(&e, opt, &public, &bundle, note));

	TRY(made_dir(&made, opt->node_dir, note));
	TRY(made_path(&made, opt->node_dir, "bundle", &path, note));
	TRY(save_keys(&keys, opt->node_dir, opt->roles & ROLE_BORDER, &made, note));
	TRY(file_write(path, buf_bytes(&bundle), false, note));
	TRY(org_edit_save(&e, note));
	made_keep(&made);
	return 0;
}

static bool is_admitted(const struct org *org, const char *name, const struct node_public *keys)
{
	const struct credential *c = org_node(org, name);

	return c && memcmp(c->curve.b, keys->curve.b, KEY_BYTES) == 0 &&
	       memcmp(c->sign.b, keys->sign.b, KEY_BYTES) == 0;
}

static int seal_cursor_key(struct org_edit *e, const struct curve_key *to, struct buf *out,
			   struct err_note *note)
{
	SCOPED(scope_secret32) struct secret32 *key = NULL;
	const char *path = path_join(e->arena, e->dir, "cursor.key");

	if (!path)
		return FAIL(-ENOMEM);
	TRY(secret32_load(&key, path, note));
	return join_seal(to, key, out);
}

int org_dir_admit_node(const struct node_options *opt, const struct node_public *keys,
		       struct buf *sealed_cursor_key, struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = opt->org_dir, .now_ns = opt->now_ns, .lock = -1};
	SCOPED(buf_fini) struct buf bundle = {0};

	TRY(org_edit_begin(&e, note));
	if (opt->roles & ROLE_BORDER)
		TRY(seal_cursor_key(&e, &keys->curve, sealed_cursor_key, note));
	if (is_admitted(&e.org, opt->name, keys))
		return 0;
	TRY(issue(&e, opt, keys, &bundle, note));
	return org_edit_save(&e, note);
}
