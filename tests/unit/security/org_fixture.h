/* SPDX-License-Identifier: Apache-2.0 */
/* Org fixture - the organisation `acme` with three nodes, from fixed keys: each test changes one thing in it.
 */
#pragma once

#include "proto/clock.h"
#include "security/org.h"

#define NOW (INT64_C(1790000000) * NS_PER_S) /* 2026-09-21 */
#define DAY (86400 * NS_PER_S)
#define YEAR (365 * DAY)

enum { N_NODES = 3 };

extern struct arena *arena;
extern struct sign_key *root, *next_root, *issuer, *policy_key, *stranger;
extern struct err_note note;

/* What is encoded and signed when a bundle is made. */
extern struct issuer_key issuers[2];
extern struct public_key policy_keys[1];
extern struct manifest manifest;
extern struct credential nodes[BORDERS_MAX + 1];
extern const char *prefixes[1];        /* of the second node */
extern struct revocations revocations; /* seq 0: none goes into a bundle */
extern const struct sign_key *revoker; /* who signs them; NULL: the issuer */

void org_fixture_begin(void);
void org_fixture_end(void);
void begin_nodes(void); /* the nodes as they were */

struct bytes keep(struct buf *b); /* moved into the arena */
struct signed_blob sign(const struct sign_key *k, const char *context, struct buf *payload);
struct signed_blob signed_manifest(const struct sign_key *k, const char *context);
struct signed_blob signed_credential(const struct sign_key *k, const char *context,
				     const struct credential *c);
struct signed_blob signed_revocations(const struct sign_key *k);
struct bytes bundle_of(const struct signed_blob *m, struct signed_blob *credentials, size_t n);
struct bytes make(size_t n); /* the bundle of the first n nodes as they are now */

int verify_at(struct bytes encoded, int64_t now_ns, struct org *ret);
int verify(struct bytes encoded); /* at NOW */
struct org good_org(size_t n);    /* the first n nodes, verified */

bool says(const char *words); /* the note */

#define expect_untrusted(r, words) \
	do { \
		cr_expect(eq(int, (r), ERR_UNTRUSTED)); \
		cr_expect(says(words), "the note is: %s", note.text); \
	} while (0)
