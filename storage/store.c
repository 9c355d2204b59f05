/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "proto/backup.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "storage/env.h"
#include "storage/store_private.h"

#define LIMIT_DEFAULT (UINT64_C(64) << 30)
#define CHECKPOINT_BYTES_DEFAULT ((size_t)32 << 20)
#define MEMORY_BYTES_DEFAULT ((size_t)256 << 20)
#define CHECKPOINT_EVERY_DEFAULT (60 * NS_PER_S)

void store_path(const struct store *s, const char *name, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%s", s->dir, name);
}

/* ---- Opening and closing ----------------------------------------------------------------------------------
 */

static int set_options(struct store *s, const struct store_options *opt)
{
	const size_t org_size = strlen(opt->org) + 1, node_size = strlen(opt->node) + 1;

	if (org_size > sizeof s->org || node_size > sizeof s->node || strlen(opt->dir) + 32 > PATH_BYTES)
		return FAIL(-ENAMETOOLONG);
	memcpy(s->org, opt->org, org_size);
	memcpy(s->node, opt->node, node_size);
	s->limit_bytes = opt->limit_bytes ? opt->limit_bytes : LIMIT_DEFAULT;
	s->checkpoint_bytes = opt->checkpoint_bytes ? opt->checkpoint_bytes : CHECKPOINT_BYTES_DEFAULT;
	s->memory_bytes = opt->memory_bytes ? opt->memory_bytes : MEMORY_BYTES_DEFAULT;
	s->checkpoint_every_ns =
		opt->checkpoint_every_ns ? opt->checkpoint_every_ns : CHECKPOINT_EVERY_DEFAULT;
	s->squeeze_log = opt->squeeze_log;
	s->floor_ns = opt->now_ns;
	s->backlog_ns = s->applied_ns = opt->now_ns;
	s->dir = strdup(opt->dir);
	return s->dir ? 0 : FAIL(-ENOMEM);
}

/* LMDB would let a second process in. */
static int lock_dir(const char *dir, int *ret_fd, struct err_note *note)
{
	char path[PATH_BYTES];

	if (snprintf(path, sizeof path, "%s/lock", dir) >= (int)sizeof path)
		return FAIL_SAY(note, -ENAMETOOLONG, "the directory name %.80s... is too long", dir);
	*ret_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return FAIL_SAY(note, -errno, "cannot open %s: %s", path, err_text(-errno));
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return FAIL_SAY(note, ERR_REFUSED, "store %s is in use by another process", dir);
	return FAIL_SAY(note, -errno, "cannot lock %s: %s", path, err_text(-errno));
}

int store_check_idle(const char *dir, struct err_note *note)
{
	int fd = -1;
	const int r = lock_dir(dir, &fd, note);

	if (fd >= 0)
		close(fd);
	return r;
}

/* The environments must be of one store: remote/ not behind state/, and what it is ahead of it still in the
 * log. */
static int check_positions(const struct store *s, struct err_note *note)
{
	if (s->remote_position < s->state_position)
		return FAIL_SAY(note, ERR_CORRUPT,
				"store %s: state/ is newer than remote/, files of different times were "
				"mixed: restore all of it from a backup",
				s->dir);
	if (s->remote_position > s->state_position && log_last(s->log) < s->remote_position)
		return FAIL_SAY(note, ERR_CORRUPT,
				"store %s: log/ ends before remote/, files of different times were mixed: "
				"restore all of it from a backup",
				s->dir);
	return 0;
}

static int replay(void *ctx, uint64_t number, struct bytes batch)
{
	return store_apply_sealed(ctx, number, batch);
}

static int open_parts(struct store *s, const struct store_options *opt, struct err_note *note)
{
	char path[PATH_BYTES];

	store_path(s, "log", path);
	TRY(log_open(&s->log, path, s->limit_bytes, note));
	TRY(store_load(s, opt, note));
	TRY(check_positions(s, note));
	TRY(log_replay(s->log, s->state_position, replay, s, note));
	history_tidy(s->history);
	return 0;
}

/* A backup that was made the store (tools/restore.c) carries a mark until it has its own incarnation. */
static int end_restore(struct store *s, const struct store_options *opt, struct err_note *note)
{
	char path[PATH_BYTES];

	store_path(s, BACKUP_RESTORED_NAME, path);
	if (access(path, F_OK) < 0)
		return errno == ENOENT
			       ? 0
			       : FAIL_SAY(note, -errno, "cannot look for %s: %s", path, err_text(-errno));
	if (log_last(s->log) > 0)
		return FAIL_SAY(note, ERR_CORRUPT,
				"store %s is a restored backup, which has no log/: restore it anew", s->dir);
	TRY(store_begin_incarnation(s, opt->fresh_id, note));
	if (unlink(path) < 0)
		return FAIL_SAY(note, -errno, "cannot remove %s: %s", path, err_text(-errno));
	return env_sync_parent(path);
}

int store_open(struct store **ret, const struct store_options *opt, struct err_note *note)
{
	SCOPED(scope_store) struct store *s = calloc(1, sizeof *s);

	if (!s)
		return FAIL(-ENOMEM);
	s->lock_fd = -1;
	table_init(&s->table);
	remote_init(&s->remote);
	TRY(set_options(s, opt));
	TRY(env_make_dir(s->dir, note));
	TRY(lock_dir(s->dir, &s->lock_fd, note));
	TRY(open_parts(s, opt, note));
	TRY(end_restore(s, opt, note));
	*ret = MOVE(s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	table_fini(&s->table);
	remote_fini(&s->remote);
	producers_fini(&s->producers);
	kept_commands_fini(&s->commands);
	history_close(s->history);
	log_close(s->log);
	changeset_fini(&s->state_left);
	changeset_fini(&s->remote_left);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->dir);
	free(s);
}

/* ---- Own twins --------------------------------------------------------------------------------------------
 */

const struct twin *store_twin(const struct store *s, const char *id)
{
	const struct own_twin *w = table_twin(&s->table, id);

	return w && !w->pub.deleted ? &w->pub : NULL;
}

struct twin_def store_twin_def(const struct twin *t)
{
	return twin_def_of(own_twin(t));
}

static bool has_place(const struct twin *t, size_t property)
{
	return t->type && property < t->type->def.n_properties;
}

struct sample store_value(const struct store *s, const struct twin *t, size_t property)
{
	return has_place(t, property) ? twin_value(&s->table, own_twin(t), property) : (struct sample){0};
}

uint32_t store_series(const struct store *s, const struct twin *t, size_t property)
{
	(void)s;
	return has_place(t, property) ? twin_series(own_twin(t), property) : 0;
}

const struct twin *store_series_owner(const struct store *s, uint32_t series, size_t *ret_property)
{
	struct series_place at;

	if (!table_series(&s->table, series, &at))
		return NULL;
	*ret_property = at.property;
	return &at.twin->pub;
}

const struct type *store_type(const struct store *s, const char *name)
{
	const struct own_type *type = table_type(&s->table, name);

	return type ? &type->pub : NULL;
}

const struct twin *store_twin_by_alias(const struct store *s, const char *alias, const struct twin *after)
{
	return table_alias_next(&s->table, alias, after ? after->id : "");
}

const struct twin *store_twin_next(const struct store *s, const char *prefix, const char *after)
{
	const struct ordered *by_id = &s->table.by_id;
	const struct own_twin *w =
		strcmp(after, prefix) < 0 ? ordered_from(by_id, prefix) : ordered_after(by_id, after);

	while (w && w->pub.deleted)
		w = ordered_after(by_id, w->id);
	return w && strncmp(w->id, prefix, strlen(prefix)) == 0 ? &w->pub : NULL;
}

size_t store_twins(const struct store *s, const char *after, const struct twin **ret, size_t room)
{
	size_t n = 0, n_run;

	for (void *const *run; n < room && (run = ordered_run(&s->table.by_id, after, &n_run));) {
		for (size_t i = 0; i < n_run && n < room; i++) {
			const struct own_twin *w = run[i];
			after = w->id;
			if (!w->pub.deleted)
				ret[n++] = &w->pub;
		}
	}
	return n;
}

size_t store_twins_stored(const struct store *s, uint32_t *at, const struct twin **ret, size_t room)
{
	const struct twin_index *twins = &s->table.twins;
	size_t n = 0;

	for (; n < room && *at < twins->n; ++*at) {
		const struct own_twin *w = twin_index_at(twins, *at);
		if (w && !w->pub.deleted)
			ret[n++] = &w->pub;
	}
	return n;
}

uint32_t store_series_with_text(const struct store *s, const char *text, uint32_t from)
{
	const char *word = intern_find(&s->table.words, text);

	return word ? values_with_text(&s->table.values, word, from) : 0;
}

const struct type *store_type_next(const struct store *s, const char *after)
{
	const struct own_type *type = ordered_after(&s->table.types, after);

	return type ? &type->pub : NULL;
}

const struct edge *store_edges_to(const struct store *s, const char *to)
{
	return table_edges_to(&s->table, to);
}

int store_membership(const struct store *s, const char *hierarchy, const char *parent, const char *child,
		     struct membership *ret)
{
	const struct membership key = {.hierarchy = hierarchy, .parent = parent, .child = child};
	const struct own_member *m = table_member(&s->table, &key);

	if (!m)
		return STORE_ABSENT;
	*ret = m->pub;
	return 0;
}

const struct membership *store_membership_next(const struct store *s, const char *child,
					       const struct membership *after)
{
	const struct own_member *m = table_member_next(&s->table, child, after);

	return m ? &m->pub : NULL;
}

const struct twin *store_change_next(const struct store *s, uint64_t after_seq)
{
	return table_change_next(&s->table, after_seq);
}

uint64_t store_disk_bytes(const struct store *s)
{
	static const char *const parts[] = {"state", "remote", "trust"};
	char path[PATH_BYTES];
	struct history_health history;
	uint64_t sum = log_bytes(s->log);

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		store_path(s, parts[i], path);
		sum += env_dir_bytes(path);
	}
	history_health(s->history, &history);
	return sum + history.bytes;
}

void store_position(const struct store *s, struct store_position *ret)
{
	*ret = (struct store_position){
		.n_lineage = s->n_lineage,
		.seq = s->table.seq,
		/* an incarnation begins above everything an earlier one of this node can have given */
		.stamp_ns = s->table.stamp_ns > 0 ? s->table.stamp_ns : s->floor_ns,
		.floor = s->table.floor,
		.n_twins = s->table.n_twins,
		.n_types = s->table.types.n,
		.n_relations = s->table.edges.n,
		.n_series = s->table.n_series,
	};
	memcpy(ret->lineage, s->lineage, s->n_lineage * sizeof s->lineage[0]);
}

struct fingerprint store_fingerprint(struct store *s)
{
	return table_fingerprint(&s->table);
}

uint64_t store_incarnation(const struct store *s)
{
	return s->lineage[s->n_lineage - 1].id;
}

/* ---- Rows of other origins --------------------------------------------------------------------------------
 */

bool store_is_own_origin(const struct store *s, const char *origin)
{
	return id_is_of_org(origin, s->org) && strcmp(strchr(origin, '/') + 1, s->node) == 0;
}

uint64_t store_graves_over(const struct store *s, const char *origin, const struct graves_kept *kept)
{
	return store_is_own_origin(s, origin) ? table_graves_over(&s->table, kept)
					      : remote_graves_over(&s->remote, origin, kept);
}

const struct origin *store_origin(const struct store *s, const char *name)
{
	return remote_origin(&s->remote, name);
}

const struct origin *store_origin_next(const struct store *s, const char *after)
{
	return remote_origin_next(&s->remote, after);
}

const struct remote_row *store_row(const struct store *s, const char *id)
{
	return remote_row(&s->remote, id);
}

const struct remote_row *store_row_change_next(const struct store *s, const char *origin, uint64_t after_seq)
{
	return remote_change_next(&s->remote, origin, after_seq);
}

const struct remote_row *store_row_next(const struct store *s, const char *prefix, const char *after)
{
	return remote_next(&s->remote, prefix, after);
}

size_t store_rows(const struct store *s, const char *after, const struct remote_row **ret, size_t room)
{
	return remote_rows(&s->remote, after, ret, room);
}

const struct remote_row *store_row_child_next(const struct store *s, const char *hierarchy,
					      const char *parent, const struct remote_row *after)
{
	return remote_child_next(&s->remote, hierarchy, parent, after);
}

/* ---- What is to be judged ---------------------------------------------------------------------------------
 */

void store_watch(struct store *s)
{
	s->table.bands.is_on = true;
}

const struct band_note *store_notes(const struct store *s, size_t *ret_n)
{
	*ret_n = s->table.bands.n_notes;
	return s->table.bands.notes;
}

bool store_notes_lost(const struct store *s)
{
	return s->table.bands.lost;
}

void store_forget_notes(struct store *s)
{
	s->table.bands.n_notes = 0;
	s->table.bands.lost = false;
}

void store_set_band(struct store *s, uint32_t series, const struct band *band)
{
	if (band)
		bands_set(&s->table.bands, series, band);
	else
		bands_reset(&s->table.bands, series);
}

const struct band *store_band(const struct store *s, uint32_t series)
{
	return bands_own(&s->table.bands, series);
}

uint64_t store_types_changed(const struct store *s)
{
	return s->table.bands.n_types;
}

/* ---- Records of commands ----------------------------------------------------------------------------------
 */

static const struct store_command *shown(const struct kept_command *c)
{
	return c ? &c->pub : NULL;
}

const struct store_command *store_command(const struct store *s, const uint8_t id[COMMAND_ID_BYTES])
{
	return shown(kept_commands_find(&s->commands, id));
}

const struct store_command *store_command_next(const struct store *s, const struct store_command *after)
{
	return shown(after ? ((const struct kept_command *)after)->older : s->commands.newest);
}

const struct store_command *store_command_oldest(const struct store *s)
{
	return shown(s->commands.oldest);
}

const struct store_command *store_command_newer(const struct store_command *c)
{
	return shown(((const struct kept_command *)c)->newer);
}

size_t store_commands(const struct store *s, size_t *ret_bytes)
{
	*ret_bytes = s->commands.bytes;
	return s->commands.by_id.n;
}
