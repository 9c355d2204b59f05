/* SPDX-License-Identifier: Apache-2.0 */
/* Tree - hash-prefix tree over rows: made when two nodes must find what they hold otherwise, kept up by
 * nobody (DESIGN 7, check and repair; MESH 6.3).
 *
 *     depth 0      one sum of everything, above 256 children
 *     depth 8      256 prefixes, 16 children each
 *     depth 12     4096 prefixes, 16 children each
 *     depth 16     65536 leaves: the entries of their rows, by key
 *
 * A row's key is row_key() of its id; its prefix at a depth, the key's top bits. A sum is that of the low 64
 * bits of row_hash() over the living rows below the prefix. An entry is the key and the low 32 bits. So equal
 * sums say equal rows but for one case in 2^64, and one that slips through is found by the fingerprint.
 *
 * Owner:   whoever made it. Threads: one at a time.
 */
#pragma once

#include "proto/message.h"
#include "proto/scope.h"

enum { TREE_LEAF_DEPTH = 16 };

struct tree;

MUST_CHECK int tree_new(struct tree **ret);
void tree_free(struct tree *t); /* NULL is fine */

/* Rows in any order, each once; in the order of their ids the tree takes least memory. -ENOMEM. */
MUST_CHECK int tree_add(struct tree *t, const char *id, const struct hash128 *row_hash);
/* All rows are in: before it nothing below may be asked. For a moment it takes twice the entries. -ENOMEM. */
MUST_CHECK int tree_end(struct tree *t);

size_t tree_rows(const struct tree *t);
size_t tree_bytes(const struct tree *t); /* of memory, about */

/* How deep the children of prefixes of that depth are: 8, 12 or 16 for depths 0, 8 and 12. */
uint32_t tree_child_depth(uint32_t depth);
size_t tree_children(uint32_t depth); /* of one prefix: 256 or 16 */
/* The rows below a prefix of depth 8, 12 or 16. */
uint64_t tree_sum(const struct tree *t, uint32_t depth, uint32_t prefix);

/* The rows of a leaf: how many, and the place of the first; the others follow, by key. */
size_t tree_leaf(const struct tree *t, uint32_t prefix, size_t *ret_first);
struct tree_leaf tree_entry(const struct tree *t, size_t at);
/* The place of a key; tree_rows() when it is not there. */
size_t tree_find(const struct tree *t, uint64_t key);
/* The id of the row there. -ENOMEM. */
MUST_CHECK int tree_id(const struct tree *t, size_t at, struct arena *a, const char **ret);

/* The prefix of a key. */
uint32_t tree_prefix(uint64_t key, uint32_t depth);
/* What a row's entry holds of its hash. */
uint32_t tree_hash(const struct hash128 *row_hash);

DEFINE_SCOPED(tree, tree_free)
