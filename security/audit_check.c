/* SPDX-License-Identifier: Apache-2.0 */
#include "security/audit_check.h"

void audit_check_fini(struct audit_check *c)
{
	free(c->leaves);
	c->leaves = NULL;
}

static int keep_leaf(struct audit_check *c, const struct merkle_hash *leaf)
{
	if (c->tree.n == c->room) {
		const size_t room = c->room > 0 ? 2 * c->room : 1024;
		struct merkle_hash *grown = realloc(c->leaves, room * sizeof *grown);
		if (!grown)
			return FAIL(-ENOMEM);
		c->leaves = grown;
		c->room = room;
	}
	c->leaves[c->tree.n] = *leaf;
	return 0;
}

static int check_entry(struct audit_check *c, struct bytes entry)
{
	const struct merkle_hash leaf = merkle_leaf(entry);

	if (c->keep_leaves)
		TRY(keep_leaf(c, &leaf));
	merkle_append(&c->tree, &leaf);
	return 0;
}

static int check_checkpoint(struct audit_check *c, struct bytes text, struct err_note *note)
{
	const struct merkle_hash root = merkle_root(&c->tree);
	const unsigned long long have = c->tree.n;
	struct merkle_hash stated;
	uint64_t n;

	const int r = checkpoint_open(&c->key, text, &n, &stated);
	if (r < 0)
		return FAIL_SAY(note, r, "the checkpoint after entry %llu is not signed by %s", have,
				c->key.origin);
	if (n != c->tree.n)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the checkpoint after entry %llu was made after %llu: entries are %s", have,
				(unsigned long long)n, n > c->tree.n ? "missing" : "new among them");
	if (!merkle_same(&root, &stated))
		return FAIL_SAY(
			note, ERR_UNTRUSTED,
			"entries %llu to %llu are not those that were signed: one of them was changed",
			(unsigned long long)c->covered, have > 0 ? have - 1 : 0);
	c->n_checkpoints++;
	c->covered = n;
	c->root = stated;
	return 0;
}

static int check_peaks(const struct audit_check *c, struct bytes peaks, struct err_note *note)
{
	if (peaks.len == merkle_n_peaks(c->tree.n) * (size_t)MERKLE_BYTES &&
	    (peaks.len == 0 || memcmp(peaks.data, c->tree.peaks, peaks.len) == 0))
		return 0;
	return FAIL_SAY(note, ERR_UNTRUSTED,
			"the state of the tree after entry %llu is not that of its entries",
			(unsigned long long)c->tree.n);
}

int audit_check_record(struct audit_check *c, const struct audit_record *r, struct err_note *note)
{
	switch (r->kind) {
	case AUDIT_RECORD_ENTRY: return check_entry(c, r->body);
	case AUDIT_RECORD_CHECKPOINT: return check_checkpoint(c, r->body, note);
	case AUDIT_RECORD_PEAKS: return check_peaks(c, r->body, note);
	}
	return FAIL(ERR_MALFORMED);
}
