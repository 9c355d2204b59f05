/* SPDX-License-Identifier: Apache-2.0 */
/* Org edit - one change of an organisation's directory: read, changed in memory, verified as everybody else
 * will verify it, then written whole. Until org_edit_save() nothing has happened.
 *
 *     SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now, .lock = -1};
 *     TRY(org_edit_begin(&e, note));
 *     ... change e.bundle ...
 *     return org_edit_save(&e, note);
 */
#pragma once

#include "security/org_files.h"
#include "security/org_private.h"

enum { ORG_ARENA_BYTES = 64 * 1024 * 1024 };

struct org_edit {
	const char *dir;
	int64_t now_ns;
	int lock; /* -1 at first */
	struct arena *arena;
	struct org org;       /* as it was */
	struct bundle bundle; /* as it will be; its credentials are those of org.nodes, place for place */
};

/* A manifest that has expired can be worked on, too: org_edit_save() wants a new one then. */
MUST_CHECK int org_edit_begin(struct org_edit *e, struct err_note *note);
MUST_CHECK int org_edit_save(struct org_edit *e, struct err_note *note);
void org_edit_end(struct org_edit *e);

/* The issuer key that signs now: the newest in the directory that the manifest lists and whose time has come.
 */
MUST_CHECK int org_today_issuer(struct arena *a, const char *dir, const struct org *org, int64_t now_ns,
				struct sign_key **ret, struct err_note *note);

/* Takes the payload into the edit's memory. */
MUST_CHECK int org_edit_sign(struct org_edit *e, const struct sign_key *k, const char *context,
			     struct buf *payload, struct signed_blob *ret);
MUST_CHECK int org_edit_set_manifest(struct org_edit *e, const struct manifest *m,
				     const struct sign_key *root);
/* Add a credential of a node that is not there yet. */
MUST_CHECK int org_edit_add_node(struct org_edit *e, const struct sign_key *issuer,
				 const struct credential *c);
/* Put a credential in place of the one at `at`. */
MUST_CHECK int org_edit_set_node(struct org_edit *e, const struct sign_key *issuer, size_t at,
				 const struct credential *c);
/* Take the credentials out for which `leave` says so. */
typedef bool (*leave_fn)(const struct credential *c, const struct signed_blob *blob, const void *ctx);
void org_edit_drop_nodes(struct org_edit *e, leave_fn leave, const void *ctx);
/* A new list: the old entries that still count and these. */
MUST_CHECK int org_edit_revoke(struct org_edit *e, const struct revoked *entries, size_t n,
			       struct err_note *note);

/* The root that signs now, out of root.key (or next-root.key, if a rotation was cut off half-way). */
MUST_CHECK int org_edit_root(struct org_edit *e, struct bytes passphrase, struct sign_key **ret,
			     struct err_note *note);
/* Rename DIR/from to DIR/to. */
MUST_CHECK int org_edit_rename(struct org_edit *e, const char *from, const char *to, struct err_note *note);
bool org_edit_has(struct org_edit *e, const char *file);
