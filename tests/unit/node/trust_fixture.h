/* SPDX-License-Identifier: Apache-2.0 */
/* Trust fixture - the node acme/n1, which may come to know the organisations bolt and volt. Bundles are
 * signed here and not founded with org_dir_init(), whose sealing of roots takes seconds.
 */
#pragma once

#include "node/trust.h"
#include "proto/clock.h"

#define NOW (INT64_C(1790000000) * NS_PER_S)
#define DAY (86400 * NS_PER_S)
#define LATER (NOW + 30 * DAY) /* when what ends after DAYS_SHORT has ended */

enum { DAYS_LONG = 300, DAYS_SHORT = 20, BUNDLE_NODES_MAX = 3 };

struct member { /* of an organisation, with its keys */
	const char *name;
	struct sign_key *sign;
	struct curve_pair *curve;
	uint32_t roles;
	int64_t renewed_ns; /* after NOW */
	bool own_only;
};

struct founded {
	const char *name;
	struct sign_key *root, *next_root, *issuer, *policy;
	struct member members[BUNDLE_NODES_MAX];
	size_t n_members;
	struct signed_blob ancestor; /* once the root was rotated */
	bool rotated;
	uint32_t version;
	int64_t days;
	const struct member *revoked; /* by the first list */
};

extern struct founded acme, bolt, volt;
extern struct arena *arena;
extern struct err_note note;
extern struct trust *trust; /* of the node, opened */

struct bytes keep(const struct buf *b); /* in the arena */
struct signed_blob sign(const struct sign_key *k, const char *context, const struct buf *payload);
struct bytes bundle_of(const struct founded *f);
void add_member(struct founded *f, const char *name);
void found(struct founded *f, const char *name, const char *member);
void disband(struct founded *f);
/* Once: the announced root takes over. */
void rotate_root(struct founded *f);
const char *fingerprint(const struct founded *f);
const char *in_dir(const char *file);
void write_bundle(const struct founded *f);
void trust_fixture_begin(void);
void trust_fixture_end(void);
void open_at(int64_t now_ns);
int accept_at(const struct founded *f, int64_t now_ns);
void admit(const struct founded *f);
bool says(const char *words);
