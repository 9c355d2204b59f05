/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "tests/lib/image.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/must.h"

enum { PAGE = 4096, SECTOR = 512, NAME = 64, PATH = 512 };

/* What one call made of a page, or of the size of a file. */
struct version {
	uint64_t order;
	uint8_t *page;
	uint64_t size;
};

struct versions {
	struct version *at; /* [0] is the durable one, if any */
	size_t n;
};

/* One change of a directory: `gone` leaves it and `node` appears as `come` (each may be ""). */
struct change {
	uint64_t order;
	char gone[NAME], come[NAME];
	struct node *node;
};

struct node {
	struct node *next; /* of all, newest first */
	uint64_t inode;
	bool dir;
	struct versions size, *pages; /* of a file */
	size_t n_pages;
	struct change *changes; /* of a directory; the durable ones first */
	size_t n_changes, n_durable;
};

struct image {
	struct node *nodes, *root;
	uint64_t order; /* of the last call */
};

static void *grown(void *p, size_t n, size_t size)
{
	void *q = realloc(p, n * size);

	must(q);
	return q;
}

static struct node *add_node(struct image *im, uint64_t inode, bool dir)
{
	struct node *n = calloc(1, sizeof *n);

	must(n);
	*n = (struct node){.next = im->nodes, .inode = inode, .dir = dir};
	im->nodes = n;
	return n;
}

struct image *image_new(void)
{
	struct image *im = calloc(1, sizeof *im);

	must(im);
	im->root = add_node(im, 0, true);
	return im;
}

static void versions_free(struct versions *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->at[i].page);
	free(v->at);
}

void image_free(struct image *im)
{
	for (struct node *n = im ? im->nodes : NULL, *next; n; n = next) {
		next = n->next;
		for (size_t i = 0; i < n->n_pages; i++)
			versions_free(&n->pages[i]);
		versions_free(&n->size);
		free(n->pages);
		free(n->changes);
		free(n);
	}
	free(im);
}

/* ---- Taking note ------------------------------------------------------------------------------------------
 */

static void add_version(struct versions *v, struct version new)
{
	v->at = grown(v->at, v->n + 1, sizeof *v->at);
	v->at[v->n++] = new;
}

/* Only the last one is left, and durable. */
static void settle(struct versions *v)
{
	if (v->n == 0)
		return;
	for (size_t i = 0; i + 1 < v->n; i++)
		free(v->at[i].page);
	v->at[0] = v->at[v->n - 1];
	v->at[0].order = 0;
	v->n = 1;
}

static uint64_t file_size(const struct node *n)
{
	return n->size.n ? n->size.at[n->size.n - 1].size : 0;
}

static void write_page(struct image *im, struct node *n, size_t page, size_t at, const uint8_t *data,
		       size_t len)
{
	uint8_t *content = calloc(1, PAGE);

	must(content);
	if (page >= n->n_pages) {
		n->pages = grown(n->pages, page + 1, sizeof *n->pages);
		memset(n->pages + n->n_pages, 0, (page + 1 - n->n_pages) * sizeof *n->pages);
		n->n_pages = page + 1;
	}
	struct versions *v = &n->pages[page];
	if (v->n > 0)
		memcpy(content, v->at[v->n - 1].page, PAGE);
	memcpy(content + at, data, len);
	add_version(v, (struct version){.order = im->order, .page = content});
}

static void write_file(struct image *im, struct node *n, const struct disk_event *e)
{
	const uint8_t *data = e->data;

	for (size_t done = 0; done < e->len;) {
		const uint64_t offset = e->offset + done;
		const size_t at = offset % PAGE, len = e->len - done < PAGE - at ? e->len - done : PAGE - at;
		write_page(im, n, offset / PAGE, at, data + done, len);
		done += len;
	}
	if (e->offset + e->len > file_size(n))
		add_version(&n->size, (struct version){.order = im->order, .size = e->offset + e->len});
}

static void sync_node(struct node *n, const struct disk_event *e)
{
	const size_t first = e->direct ? e->offset / PAGE : 0;
	const size_t last = e->direct ? (e->offset + e->len - 1) / PAGE + 1 : n->n_pages;

	for (size_t i = first; i < last && i < n->n_pages; i++)
		settle(&n->pages[i]);
	settle(&n->size);
	n->n_durable = n->n_changes;
}

static struct node *by_inode(const struct image *im, uint64_t inode)
{
	struct node *n = im->nodes;

	while (n && n->inode != inode)
		n = n->next;
	return n;
}

static struct node *child(const struct node *dir, const char *name, size_t len)
{
	for (size_t i = dir->n_changes; i-- > 0;) {
		const struct change *c = &dir->changes[i];
		if (strncmp(c->come, name, len) == 0 && c->come[len] == '\0')
			return c->node;
		if (strncmp(c->gone, name, len) == 0 && c->gone[len] == '\0')
			return NULL;
	}
	return NULL;
}

/* The directory in which a path ends now, and its last name. */
static struct node *parent_of(const struct image *im, const char *path, const char **ret_name)
{
	struct node *dir = im->root;

	for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
		dir = child(dir, path, (size_t)(slash - path));
		must(dir);
	}
	*ret_name = path;
	return dir;
}

static void add_change(struct image *im, const char *gone, const char *come, struct node *node)
{
	const char *name = "";
	struct node *dir = parent_of(im, *come ? come : gone, &name);
	struct change c = {.order = im->order, .node = node};

	must(strlen(name) < NAME);
	if (*come)
		strncpy(c.come, name, NAME - 1);
	if (*gone) {
		must(parent_of(im, gone, &name) == dir);
		strncpy(c.gone, name, NAME - 1);
	}
	dir->changes = grown(dir->changes, dir->n_changes + 1, sizeof *dir->changes);
	dir->changes[dir->n_changes++] = c;
}

static struct node *find(const struct image *im, const char *path)
{
	const char *name;
	const struct node *dir = parent_of(im, path, &name);

	return child(dir, name, strlen(name));
}

static void sync_event(struct image *im, const struct disk_event *e)
{
	struct node *n = e->path[0] ? by_inode(im, e->inode) : im->root;

	must(n);
	sync_node(n, e);
}

void image_feed(struct image *im, const struct disk_event *e, bool lost)
{
	im->order++;
	switch (e->call) {
	case DISK_MKDIR:
	case DISK_CREATE: add_change(im, "", e->path, add_node(im, e->inode, e->call == DISK_MKDIR)); return;
	case DISK_UNLINK:
	case DISK_RMDIR: add_change(im, e->path, "", NULL); return;
	case DISK_RENAME: add_change(im, e->path, e->to, find(im, e->path)); return;
	case DISK_WRITE: write_file(im, by_inode(im, e->inode), e); return;
	case DISK_RESIZE:
		add_version(&by_inode(im, e->inode)->size,
			    (struct version){.order = im->order, .size = e->offset});
		return;
	case DISK_SYNC:
		if (!lost)
			sync_event(im, e);
		return;
	case DISK_OPEN:
	case DISK_READ:
	case DISK_MAP:
	case DISK_LOCK:
	case N_DISK_CALLS: return;
	}
}

/* ---- Loading ----------------------------------------------------------------------------------------------
 */

static void load_file(struct image *im, struct node *n, const char *path)
{
	uint8_t page[PAGE];
	uint64_t size = 0;
	const int fd = open(path, O_RDONLY);

	must(fd >= 0);
	for (ssize_t len; (len = read(fd, page, PAGE)) > 0; size += (uint64_t)len)
		write_page(im, n, size / PAGE, 0, page, (size_t)len);
	close(fd);
	add_version(&n->size, (struct version){.size = size});
}

static void load_dir(struct image *im, struct node *dir, const char *path)
{
	DIR *d = opendir(path);
	char name[PATH];
	struct stat st;

	must(d);
	for (struct dirent *e; (e = readdir(d));) {
		struct change c = {0};
		if (e->d_name[0] == '.')
			continue;
		must(snprintf(name, sizeof name, "%s/%s", path, e->d_name) < PATH && stat(name, &st) == 0);
		snprintf(c.come, sizeof c.come, "%.*s", NAME - 1, e->d_name);
		c.node = add_node(im, (uint64_t)st.st_ino, S_ISDIR(st.st_mode));
		dir->changes = grown(dir->changes, dir->n_changes + 1, sizeof *dir->changes);
		dir->changes[dir->n_changes++] = c;
		if (c.node->dir)
			load_dir(im, c.node, name);
		else
			load_file(im, c.node, name);
	}
	closedir(d);
	dir->n_durable = dir->n_changes;
}

struct image *image_load(const char *dir)
{
	struct image *im = image_new();

	load_dir(im, im->root, dir);
	return im;
}

/* ---- What a crash leaves ----------------------------------------------------------------------------------
 */

enum choice { NOTHING, EVERYTHING, PREFIX, SUBSET, TORN };

/* One way to choose, and what comes of it. */
struct cut {
	struct image *im;
	uint64_t random, hash;
	enum choice names, content;
	uint64_t names_until, content_until; /* of a prefix: the last call that is there */
	bool make;
};

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static size_t below_n(struct cut *c, size_t n)
{
	return (size_t)(next_random(&c->random) % n);
}

static void mix(struct cut *c, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t word;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, p + i, 8);
		c->hash = (c->hash ^ word) * UINT64_C(0x9ddfea08eb382d69);
		c->hash ^= c->hash >> 29;
	}
	for (size_t i = len / 8 * 8; i < len; i++)
		c->hash = (c->hash ^ p[i]) * UINT64_C(0x100000001b3);
}

/* The oldest call that is not durable. */
static uint64_t oldest_pending(const struct image *im)
{
	uint64_t oldest = im->order;

	for (const struct node *n = im->nodes; n; n = n->next) {
		if (n->n_durable < n->n_changes && n->changes[n->n_durable].order < oldest)
			oldest = n->changes[n->n_durable].order;
		for (size_t i = 0; i < n->n_pages; i++)
			for (size_t k = 0; k < n->pages[i].n; k++)
				if (n->pages[i].at[k].order > 0 && n->pages[i].at[k].order < oldest)
					oldest = n->pages[i].at[k].order;
	}
	return oldest;
}

static struct cut cut_begin(struct image *im, uint64_t seed, bool make)
{
	static const enum choice firsts[][2] = {
		{NOTHING, NOTHING}, {EVERYTHING, EVERYTHING}, {EVERYTHING, NOTHING}, {NOTHING, EVERYTHING}};
	struct cut c = {.im = im, .random = seed, .hash = 1, .make = make};
	const uint64_t oldest = oldest_pending(im), span = im->order - oldest + 1;

	if (seed < sizeof firsts / sizeof firsts[0]) {
		c.names = firsts[seed][0];
		c.content = firsts[seed][1];
		return c;
	}
	c.names = (enum choice)below_n(&c, SUBSET + 1);
	c.content = (enum choice)(PREFIX + below_n(&c, 3));
	c.names_until = c.content_until = oldest + below_n(&c, span);
	if (below_n(&c, 2))
		c.names_until = oldest + below_n(&c, span);
	return c;
}

static bool chosen(struct cut *c, uint64_t order)
{
	switch (c->names) {
	case NOTHING: return false;
	case EVERYTHING: return true;
	case PREFIX: return order <= c->names_until;
	case SUBSET:
	case TORN: break;
	}
	return below_n(c, 2);
}

/* How many versions of n are gone through; 0: not even the first is there. */
static size_t versions_there(struct cut *c, const struct versions *v)
{
	const size_t durable = v->n > 0 && v->at[0].order == 0;
	size_t n = durable;

	switch (c->content) {
	case NOTHING: return durable;
	case EVERYTHING: return v->n;
	case PREFIX:
	case TORN:
		while (n < v->n && v->at[n].order <= c->content_until)
			n++;
		return n;
	case SUBSET: break;
	}
	return durable + below_n(c, v->n - durable + 1);
}

/* The content of a page: false: zeros. */
static bool pick_page(struct cut *c, const struct versions *v, uint8_t page[PAGE])
{
	const size_t n = versions_there(c, v);

	memset(page, 0, PAGE);
	if (n > 0)
		memcpy(page, v->at[n - 1].page, PAGE);
	if (c->content == TORN && n < v->n) {
		const size_t at = below_n(c, PAGE / SECTOR + 1) * SECTOR;
		if (below_n(c, 2))
			memcpy(page, v->at[n].page, at);
		else
			memcpy(page + at, v->at[n].page + at, PAGE - at);
	}
	mix(c, page, PAGE);
	return n > 0 || c->content == TORN;
}

static uint64_t pick_size(struct cut *c, const struct versions *v)
{
	const size_t n = versions_there(c, v);
	uint64_t size = n > 0 ? v->at[n - 1].size : 0;

	if (c->content == TORN && n < v->n && v->at[n].size > size)
		size += below_n(c, (v->at[n].size - size) / SECTOR + 1) * SECTOR;
	mix(c, &size, sizeof size);
	return size;
}

/* LMDB's lock file has what was in the map: anything. */
static void fill_lock(const struct cut *c, int fd, uint64_t size)
{
	uint64_t random = c->random; /* a copy: the choices do not depend on whether they are made */
	uint8_t junk[1024];

	for (size_t i = 0; i < sizeof junk; i++)
		junk[i] = (uint8_t)next_random(&random);
	for (uint64_t at = 0; at < size; at += sizeof junk)
		must(pwrite(fd, junk, sizeof junk, (off_t)at) == sizeof junk);
}

static void cut_file(struct cut *c, const struct node *n, const char *path)
{
	const uint64_t size = pick_size(c, &n->size);
	const int fd = c->make ? open(path, O_WRONLY | O_CREAT | O_EXCL, 0600) : -1;
	const size_t len = strlen(path);
	uint8_t page[PAGE];

	must(!c->make || (fd >= 0 && ftruncate(fd, (off_t)size) == 0));
	for (size_t i = 0; i < n->n_pages; i++) {
		const uint64_t at = (uint64_t)i * PAGE;
		const bool some = pick_page(c, &n->pages[i], page);
		const size_t there = at >= size ? 0 : size - at < PAGE ? (size_t)(size - at) : PAGE;
		if (c->make && some && there > 0)
			must(pwrite(fd, page, there, (off_t)at) == (ssize_t)there);
	}
	if (c->make && len > 8 && strcmp(path + len - 8, "lock.mdb") == 0 && c->content != NOTHING)
		fill_lock(c, fd, size);
	if (fd >= 0)
		close(fd);
}

struct entry {
	const char *name;
	const struct node *node;
};

/* The names in a directory. */
static size_t cut_names(struct cut *c, const struct node *dir, struct entry *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < dir->n_changes; i++) {
		const struct change *change = &dir->changes[i];
		if (i >= dir->n_durable && !chosen(c, change->order))
			continue;
		for (size_t k = 0; k < n; k++) {
			if (strcmp(ret[k].name, change->gone) == 0 || strcmp(ret[k].name, change->come) == 0)
				ret[k--] = ret[--n];
		}
		if (change->come[0] && change->node)
			ret[n++] = (struct entry){change->come, change->node};
	}
	return n;
}

static void cut_dir(struct cut *c, const struct node *dir, const char *path)
{
	struct entry *entries = calloc(dir->n_changes + 1, sizeof *entries);
	char below[PATH];

	must(entries && (!c->make || mkdir(path, 0700) == 0));
	const size_t n = cut_names(c, dir, entries);
	for (size_t i = 0; i < n; i++) {
		must(snprintf(below, sizeof below, "%s/%s", path, entries[i].name) < PATH);
		mix(c, entries[i].name, strlen(entries[i].name));
		if (entries[i].node->dir)
			cut_dir(c, entries[i].node, below);
		else
			cut_file(c, entries[i].node, below);
	}
	free(entries);
}

uint64_t image_hash(struct image *im, uint64_t seed)
{
	struct cut c = cut_begin(im, seed, false);

	cut_dir(&c, im->root, "");
	return c.hash;
}

void image_make(struct image *im, uint64_t seed, const char *dir)
{
	struct cut c = cut_begin(im, seed, true);

	cut_dir(&c, im->root, dir);
}
