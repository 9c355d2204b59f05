/* SPDX-License-Identifier: Apache-2.0 */
/* LMDB 0.9 keeps, in the machine's own byte order:
 *
 *     page      number (8)  0 (2)  flags (2)  lower, upper (2 + 2) or pages of an overflow (4)
 *     meta      page  magic (4)  version (4)  0 (8)  map size (8)  free tree (48)  main tree (48)  last page
 * (8) transaction (8): page 0 or 1, in turn tree      page size or 0 (4)  flags (2)  depth (2)  branch, leaf,
 * overflow pages (8 each)  entries (8) root (8) leaf      page  offsets of nodes (2 each, up to lower) ...
 * nodes (from upper) node      size of value (4), or in a branch the child's page (6)  flags (2)  size of key
 * (2)  key  value
 *
 * The free tree holds, per transaction, how many and which pages it no longer needs.
 */
#include "storage/env_check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/buf.h"
#include "storage/env.h"
#include "storage/env_private.h"

enum {
	PATH_BYTES = 4096,
	PAGE_BYTES_MIN = 512,
	PAGE_BYTES_MAX = 32768,
	PAGE_HEAD = 16,
	NODE_HEAD = 8,
	META_BYTES = PAGE_HEAD + 24 + 2 * 48 + 16,
	DEPTH_MAX = 32,
	PAGES_AHEAD =
		1 << 20, /* the last page may lie behind the end of the file: its content was not needed */
};
enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META = 8, NODE_BIG = 1 };

#define MAGIC 0xbeefc0deU
#define VERSION 1
#define NO_ROOT UINT64_MAX

struct tree {
	unsigned depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct meta {
	uint32_t page_bytes;
	struct tree trees[2]; /* free, main */
	uint64_t last, txn;
};

struct checker {
	int fd;
	uint64_t bytes; /* of the file */
	struct meta meta;
	uint8_t *used; /* a bit per page */
	enum env_check_depth depth;
	bool free_tree; /* which is being looked at */
	struct tree found;
};

static uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static int read_all(int fd, uint8_t *to, size_t len, uint64_t at)
{
	for (size_t done = 0; done < len;) {
		const ssize_t n = pread(fd, to + done, len - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FAIL(-errno);
		if (n == 0)
			return FAIL(ERR_CORRUPT); /* the file ends too early */
		done += (size_t)n;
	}
	return 0;
}

/* ---- Meta pages -------------------------------------------------------------------------------------------
 */

static struct tree load_tree(const uint8_t *p)
{
	return (struct tree){.depth = load16(p + 6),
			     .branches = load64(p + 8),
			     .leaves = load64(p + 16),
			     .overflows = load64(p + 24),
			     .entries = load64(p + 32),
			     .root = load64(p + 40)};
}

static int read_meta(int fd, uint64_t at, struct meta *ret)
{
	uint8_t page[META_BYTES];
	const uint8_t *trees = page + PAGE_HEAD + 24;

	TRY(read_all(fd, page, sizeof page, at));
	if (!(load16(page + 10) & META) || load32(page + PAGE_HEAD) != MAGIC)
		return FAIL(ERR_CORRUPT);
	if (load32(page + PAGE_HEAD + 4) != VERSION)
		return FAIL(ERR_VERSION);
	*ret = (struct meta){.page_bytes = load32(trees),
			     .trees = {load_tree(trees), load_tree(trees + 48)},
			     .last = load64(trees + 96),
			     .txn = load64(trees + 104)};
	if (ret->page_bytes < PAGE_BYTES_MIN || ret->page_bytes > PAGE_BYTES_MAX ||
	    (ret->page_bytes & (ret->page_bytes - 1)) != 0)
		return FAIL(ERR_CORRUPT);
	return 0;
}

static bool is_fresh(const struct meta m[2])
{
	return m[0].txn == 0 && m[1].txn == 0;
}

/* Transactions take turns at the two pages, and a file never becomes shorter: what contradicts that is not
 * what LMDB wrote. */
static bool are_in_turn(const struct meta m[2])
{
	const struct meta *newer = m[1].txn > m[0].txn ? &m[1] : &m[0], *older = newer == m ? &m[1] : &m[0];

	if (m[0].page_bytes != m[1].page_bytes)
		return false;
	if (is_fresh(m))
		return true;
	return newer->txn - older->txn == 1 && newer->txn % 2 == (uint64_t)(newer - m) &&
	       older->last <= newer->last;
}

/* The newer of the two. */
static int read_metas(int fd, uint64_t bytes, struct meta *ret)
{
	struct meta m[2];

	TRY(read_meta(fd, 0, &m[0]));
	TRY(read_meta(fd, m[0].page_bytes, &m[1]));
	if (!are_in_turn(m))
		return FAIL(ERR_CORRUPT);
	*ret = m[1].txn > m[0].txn ? m[1] : m[0];
	if (ret->last < 1 || ret->last > bytes / ret->page_bytes + PAGES_AHEAD)
		return FAIL(ERR_CORRUPT);
	return 0;
}

/* The file of an environment, or -1 for one that is absent or empty. */
static int open_file(const char *dir, uint64_t *ret_bytes, int *ret_fd)
{
	char path[PATH_BYTES];
	struct stat st;

	*ret_fd = -1;
	if (snprintf(path, sizeof path, "%s/data.mdb", dir) >= (int)sizeof path)
		return FAIL(-ENAMETOOLONG);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : FAIL(-errno);
	if (fstat(fd, &st) < 0) {
		const int r = FAIL(-errno);
		close(fd);
		return r;
	}
	*ret_bytes = (uint64_t)st.st_size;
	if (st.st_size > 0)
		*ret_fd = fd;
	else
		close(fd);
	return 0;
}

int env_check_metas(const char *dir)
{
	struct meta meta;
	uint64_t bytes;
	int fd;

	TRY(open_file(dir, &bytes, &fd));
	if (fd < 0)
		return 0;
	const int r = read_metas(fd, bytes, &meta);
	close(fd);
	return r;
}

/* ---- Pages ------------------------------------------------------------------------------------------------
 */

/* Take a page as used: it must be one, and not used already. */
static int use_page(struct checker *c, uint64_t page)
{
	if (page < 2 || page > c->meta.last || (c->used[page / 8] & 1U << page % 8))
		return FAIL(ERR_CORRUPT);
	c->used[page / 8] |= (uint8_t)(1U << page % 8);
	return 0;
}

static int read_page(struct checker *c, uint64_t page, uint8_t *to)
{
	TRY(use_page(c, page));
	TRY(read_all(c->fd, to, c->meta.page_bytes, page * c->meta.page_bytes));
	return load64(to) == page ? 0 : FAIL(ERR_CORRUPT);
}

static int check_value(struct checker *c, struct bytes key, struct bytes value)
{
	struct bytes content;

	if (!c->free_tree)
		return c->depth == ENV_CHECK_VALUES ? env_unwrap(key, value, &content) : 0;
	const uint64_t n = value.len >= 8 ? load64(value.data) : UINT64_MAX;
	if (n > value.len / 8 - 1)
		return FAIL(ERR_CORRUPT);
	for (uint64_t i = 1; i <= n; i++)
		TRY(use_page(c, load64(value.data + 8 * i)));
	return 0;
}

/* A value on pages of its own. */
static int check_big_value(struct checker *c, struct bytes key, uint64_t page, size_t len)
{
	const uint64_t size = c->meta.page_bytes, n = (PAGE_HEAD + (uint64_t)len + size - 1) / size;
	const bool whole = c->free_tree || c->depth != ENV_CHECK_KEYS;

	for (uint64_t i = 0; i < n; i++)
		TRY(use_page(c, page + i));
	if ((page + n) * size > c->bytes)
		return FAIL(ERR_CORRUPT);
	SCOPED(scope_free) uint8_t *pages = malloc(n * size);
	if (!pages)
		return FAIL(-ENOMEM);
	TRY(read_all(c->fd, pages, whole ? n * size : PAGE_HEAD, page * size));
	if (load64(pages) != page || load16(pages + 10) != OVERFLOW || load32(pages + 12) != n)
		return FAIL(ERR_CORRUPT);
	c->found.overflows += n;
	return whole ? check_value(c, key, (struct bytes){pages + PAGE_HEAD, len}) : 0;
}

/* ---- Trees ------------------------------------------------------------------------------------------------
 */

static int compare(const struct checker *c, struct bytes a, struct bytes b)
{
	if (c->free_tree) {
		const uint64_t x = load64(a.data), y = load64(b.data);
		return (x > y) - (x < y);
	}
	const int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

struct node {
	const uint8_t *head;
	struct bytes key;
	size_t room; /* behind the key, to the end of the page */
};

static int find_node(const struct checker *c, const uint8_t *page, unsigned i, struct node *ret)
{
	const size_t at = load16(page + PAGE_HEAD + 2 * i), size = c->meta.page_bytes;

	if (at < load16(page + 14) || at + NODE_HEAD > size)
		return FAIL(ERR_CORRUPT);
	const size_t key_len = load16(page + at + 6);
	if (key_len > size - at - NODE_HEAD)
		return FAIL(ERR_CORRUPT);
	*ret = (struct node){.head = page + at,
			     .key = {page + at + NODE_HEAD, key_len},
			     .room = size - at - NODE_HEAD - key_len};
	return 0;
}

static int check_leaf_node(struct checker *c, const struct node *n)
{
	const size_t len = load32(n->head);
	const unsigned flags = load16(n->head + 4);
	const uint8_t *value = n->key.data + n->key.len;

	c->found.entries++;
	if (flags == NODE_BIG && n->room >= 8)
		return check_big_value(c, n->key, load64(value), len);
	if (flags != 0 || len > n->room)
		return FAIL(ERR_CORRUPT);
	return check_value(c, n->key, (struct bytes){value, len});
}

/* The keys below a page: not before `from`, and before `to`; NULL: open. */
struct range {
	const struct bytes *from, *to;
};

static int check_key(const struct checker *c, struct bytes key, const struct range *range)
{
	if (key.len == 0 || (c->free_tree && key.len != 8))
		return FAIL(ERR_CORRUPT);
	if (range->from && compare(c, key, *range->from) < 0)
		return FAIL(ERR_CORRUPT);
	return range->to && compare(c, key, *range->to) >= 0 ? FAIL(ERR_CORRUPT) : 0;
}

static int check_tree_page(struct checker *c, uint64_t number, unsigned depth, struct range range);

static int check_branch(struct checker *c, const uint8_t *page, unsigned n, unsigned depth,
			struct range range)
{
	struct bytes from = {0};

	c->found.branches++;
	for (unsigned i = 0; i < n; i++) {
		struct range below = {i > 0 ? &from : range.from, range.to};
		struct node node, next;
		TRY(find_node(c, page, i, &node));
		if (i + 1 < n) { /* the key of the first node says nothing */
			TRY(find_node(c, page, i + 1, &next));
			TRY(check_key(c, next.key, &below));
			below.to = &next.key;
		}
		const uint64_t child = load32(node.head) | (uint64_t)load16(node.head + 4) << 32;
		TRY(check_tree_page(c, child, depth + 1, below));
		if (i + 1 < n)
			from = next.key;
	}
	return 0;
}

static int check_leaf(struct checker *c, const uint8_t *page, unsigned n, unsigned depth, struct range range)
{
	struct bytes before = {0};

	c->found.leaves++;
	if (c->found.depth != 0 && c->found.depth != depth)
		return FAIL(ERR_CORRUPT);
	c->found.depth = depth;
	for (unsigned i = 0; i < n; i++) {
		struct node node;
		TRY(find_node(c, page, i, &node));
		TRY(check_key(c, node.key, &range));
		if (i > 0 && compare(c, before, node.key) >= 0)
			return FAIL(ERR_CORRUPT);
		TRY(check_leaf_node(c, &node));
		before = node.key;
	}
	return 0;
}

static int check_tree_page(struct checker *c, uint64_t number, unsigned depth, struct range range)
{
	SCOPED(scope_free) uint8_t *page = malloc(c->meta.page_bytes);

	if (!page)
		return FAIL(-ENOMEM);
	if (depth > DEPTH_MAX)
		return FAIL(ERR_CORRUPT);
	TRY(read_page(c, number, page));
	const unsigned flags = load16(page + 10), lower = load16(page + 12), upper = load16(page + 14);
	if (lower <= PAGE_HEAD || lower % 2 != 0 || lower > upper || upper > c->meta.page_bytes)
		return FAIL(ERR_CORRUPT);
	const unsigned n = (lower - PAGE_HEAD) / 2;
	if (flags == BRANCH)
		return check_branch(c, page, n, depth, range);
	return flags == LEAF ? check_leaf(c, page, n, depth, range) : FAIL(ERR_CORRUPT);
}

static int check_tree(struct checker *c, const struct tree *said, bool free_tree)
{
	c->found = (struct tree){.root = said->root};
	c->free_tree = free_tree;
	if (said->root != NO_ROOT)
		TRY(check_tree_page(c, said->root, 1, (struct range){0}));
	const struct tree *f = &c->found;
	if (f->depth != said->depth || f->branches != said->branches || f->leaves != said->leaves ||
	    f->overflows != said->overflows || f->entries != said->entries)
		return FAIL(ERR_CORRUPT);
	return 0;
}

static int check_file(int fd, uint64_t bytes, enum env_check_depth depth)
{
	struct checker c = {.fd = fd, .bytes = bytes, .depth = depth};

	TRY(read_metas(fd, bytes, &c.meta));
	SCOPED(scope_free) uint8_t *used = calloc(1, c.meta.last / 8 + 1);
	if (!used)
		return FAIL(-ENOMEM);
	c.used = used;
	TRY(check_tree(&c, &c.meta.trees[1], false));
	return check_tree(&c, &c.meta.trees[0], true);
}

int env_check(const char *dir, enum env_check_depth depth, struct err_note *note)
{
	uint64_t bytes;
	int fd, r = open_file(dir, &bytes, &fd);

	if (fd >= 0) {
		r = check_file(fd, bytes, depth);
		close(fd);
	}
	return r < 0 ? FAIL_SAY(note, r, "%s/data.mdb: %s%s", dir, err_text(r), env_advice(r)) : 0;
}
