/* SPDX-License-Identifier: Apache-2.0 */
/* Org admin - what an admin does with an organisation after it was founded: renew, extend, revoke, rotate,
 * name persons. All of it in the organisation's directory; afterwards its bundle goes to the nodes and the
 * partners. Every function leaves the directory as it was when it fails.
 */
#pragma once

#include "security/org.h"

enum {
	PERSON_LIFE_DAYS = 30,
	EXTEND_MAX_DAYS = 7,
	ISSUER_WAIT_S = 86400, /* a new issuer key is known everywhere before it signs anything */
};

/* ---- credentials ---- */

/* Has half of the validity passed, so that it is to be renewed? Not when all of it has. */
bool is_due(int64_t not_before_ns, int64_t not_after_ns, int64_t now_ns);

/* A credential for keys that were made elsewhere: the same node as org_dir_add_node() makes, but for its
 * directory. Of a border the organisation's cursor key is sealed to the node (join_seal) and appended.
 * Nothing is done when it has been issued already: who was cut off may do it again. */
struct node_public {
	struct curve_key curve;
	struct public_key sign;
};
MUST_CHECK int org_dir_admit_node(const struct node_options *opt, const struct node_public *keys,
				  struct buf *sealed_cursor_key, struct err_note *note);
/* Could a node be made like this now? (org_dir and node_dir are not looked at.) */
MUST_CHECK int org_check_new_node(const struct org *org, const struct node_options *opt,
				  struct err_note *note);

struct renewed {
	size_t nodes, persons;
	bool revocations; /* the list was signed again */
};
/* Renew what is due, with the keys it has; the old credentials go on until they end. A list of revocations of
 * which half has passed is signed again. Wants to be called at least once a day; doing nothing is cheap. */
MUST_CHECK int org_dir_renew(const char *dir, int64_t now_ns, struct renewed *ret, struct err_note *note);

/* A node whose credential has expired goes on inside the organisation, and only there, for `for_ns`. */
MUST_CHECK int org_dir_extend_node(const char *dir, const char *node, int64_t for_ns, int64_t now_ns,
				   struct err_note *note);

/* Every credential of the node up to now, and both its keys for ever. A new node may have the name. */
MUST_CHECK int org_dir_revoke_node(const char *dir, const char *node, const char *reason, int64_t now_ns,
				   struct err_note *note);

/* ---- persons ---- */

struct person_options {
	const char *org_dir;
	const char *person_dir; /* made; for the person: person.key, credential, bundle */
	const char *name;
	const char **roles; /* any order */
	size_t n_roles;
	int64_t now_ns;
};
MUST_CHECK int org_dir_add_person(const struct person_options *opt, struct err_note *note);
MUST_CHECK int org_dir_revoke_person(const char *dir, const char *name, const char *reason, int64_t now_ns,
				     struct err_note *note);

struct listed_person {
	struct person person;
	struct signed_blob blob;
	bool revoked;
};
/* By name; the newest credential of each. */
MUST_CHECK int org_dir_persons(struct arena *a, const char *dir, const struct org *org,
			       struct listed_person **ret, size_t *ret_n, struct err_note *note);

/* ---- works of the root ---- */

/* A new version of the manifest, valid for MANIFEST_LIFE_DAYS from now, its issuers too. */
MUST_CHECK int org_dir_renew_manifest(const char *dir, struct bytes passphrase, int64_t now_ns,
				      struct err_note *note);
/* The announced next root becomes the root, a new next one is made and announced. The fingerprint changes
 * with it. */
MUST_CHECK int org_dir_rotate_root(const char *dir, struct bytes passphrase, int64_t now_ns,
				   struct err_note *note);

/*  STEADY --publish--> WAITING --24 h--> DRAINING --nothing left of the old--> DRAINED --drop--> STEADY
 *
 * Publishing and dropping are signed by the root; in between time passes and credentials are renewed. */
enum issuer_phase { ISSUER_STEADY, ISSUER_WAITING, ISSUER_DRAINING, ISSUER_DRAINED };
struct issuer_status {
	enum issuer_phase phase;
	int64_t signs_from_ns; /* the new key; WAITING */
	int64_t drained_ns;    /* when all that the old key signed has ended; DRAINING */
	size_t n_old;          /* credentials in the directory that wait to be renewed with the new key */
	int64_t until_ns;      /* the key that signs now */
};
MUST_CHECK int issuer_status(const char *dir, int64_t now_ns, struct issuer_status *ret,
			     struct err_note *note);
/* Take the step that is due: publish when STEADY, drop when DRAINED. ERR_REFUSED in between, saying how long.
 */
MUST_CHECK int issuer_rotate(const char *dir, struct bytes passphrase, int64_t now_ns,
			     struct issuer_status *ret, struct err_note *note);
