/* SPDX-License-Identifier: Apache-2.0 */
/* Audit - what a node writes down for good: who did what, and how often which partner read what (DESIGN 6).
 *
 * An entry has one form as bytes, so its hash is fixed; anything else is refused:
 *
 *     format (1)  kind (1)  time (8, big-endian, nanoseconds since the epoch)  salt (16)  count (varint)
 *     then, of the texts that are not empty, in the order of AUDIT_TEXTS:  place (1)  length (varint)  UTF-8
 *
 * The salt is random: a proof of one entry shows the hashes of others, and nobody shall find out what they
 * say by trying. Format 1 has none; it is read, and not written any more.
 *
 * Varints: seven bits a byte, the lowest first, no longer than needed.
 *
 * Records are how entries, and the checkpoints between them, stand in files and in answers of a node:
 *
 *     kind (1)  length (4, big-endian)  body
 */
#pragma once

#include "proto/arena.h"
#include "proto/buf.h"

#define AUDIT_KINDS(X) \
	X(AUDIT_NODE, "node")             /* began and ended, what it could not write meanwhile */ \
	X(AUDIT_TRUST, "trust")           /* in organisations: accepted, refused, ended */ \
	X(AUDIT_MANIFEST, "manifest")     /* of the own organisation */ \
	X(AUDIT_CREDENTIAL, "credential") /* of nodes and persons: issued, renewed, expired */ \
	X(AUDIT_REVOCATION, "revocation") \
	X(AUDIT_POLICY, "policy")   /* published, refused, not in force */ \
	X(AUDIT_ADMIN, "admin")     /* other changes by an administrator */ \
	X(AUDIT_COMMAND, "command") /* to a twin: requested, confirmed, done */ \
	X(AUDIT_KICK, "kick")       /* connections that were cut */ \
	X(AUDIT_LIMIT, "limit")     /* what a limit kept out; count: how often */ \
	X(AUDIT_READ, "read")       /* count: answers with this that left for the partner in that minute */ \
	X(AUDIT_DENIED, "denied")   /* count: questions of the partner that were refused in that minute */

enum audit_kind {
#define X(name, text) name,
	AUDIT_KINDS(X)
#undef X
		N_AUDIT_KINDS
};

const char *audit_kind_text(enum audit_kind kind);
/* False: no such word. */
bool audit_kind_parse(const char *text, enum audit_kind *ret);

/* The texts of an entry and the most bytes of each. */
#define AUDIT_TEXTS(X) \
	X(person, 127)  /* who did it */ \
	X(node, 63)     /* with or through which node */ \
	X(org, 63)      /* of which organisation */ \
	X(subject, 255) /* what was done */ \
	X(partner, 63)  /* to or for which other organisation */ \
	X(rule, 255)    /* title of the rule that allowed it */ \
	X(twin, 255)    /* "": several, see text */ \
	X(property, 255) \
	X(text, 1024) /* more, for people */

enum { AUDIT_FORMAT_PLAIN = 1, AUDIT_FORMAT = 2, AUDIT_ENTRY_MAX = 2560, AUDIT_SALT_BYTES = 16 };

struct audit_entry {
	enum audit_kind kind;
	bool is_plain; /* of format 1: without a salt */
	uint8_t salt[AUDIT_SALT_BYTES];
	int64_t time_ns;
	uint64_t count;
#define X(name, max) const char *name; /* NULL stands for "" */
	AUDIT_TEXTS(X)
#undef X
};

/* Append an entry. Texts that are too long are cut and what is not UTF-8 becomes '?': what happened is
 * written down, whatever names were used. Check the buf's failure. */
void audit_entry_encode(const struct audit_entry *e, struct buf *out);
/* Texts are copied to the arena, none is NULL. ERR_MALFORMED, ERR_VERSION, -ENOMEM. */
MUST_CHECK int audit_entry_decode(struct arena *a, struct bytes in, struct audit_entry *ret);

enum audit_record_kind {
	AUDIT_RECORD_ENTRY = 'e',
	AUDIT_RECORD_CHECKPOINT = 'c', /* over all entries before it (security/checkpoint.h) */
	AUDIT_RECORD_PEAKS = 'p',      /* of the hash tree at the checkpoint before it: in files only */
};

struct audit_record {
	enum audit_record_kind kind;
	struct bytes body;
};
enum { AUDIT_RECORD_OVERHEAD = 5, AUDIT_RECORD_MAX = 4096 };

void audit_record_put(enum audit_record_kind kind, struct bytes body, struct buf *out);
/* Take one off the front of *rest: 1; 0: nothing is left; ERR_MALFORMED. */
MUST_CHECK int audit_record_next(struct bytes *rest, struct audit_record *ret);

/* A stretch of the journal, as a node answers with it. */
struct audit_page {
	uint64_t first, total; /* number of the first entry in it; how many entries there are */
	const char *key;       /* of the checkpoints, as security/checkpoint.h writes it */
	struct bytes records;
};
void audit_page_encode(const struct audit_page *p, struct buf *out);
/* The key is copied to the arena, the records are borrowed. ERR_MALFORMED, -ENOMEM. */
MUST_CHECK int audit_page_decode(struct arena *a, struct bytes in, struct audit_page *ret);
