/* SPDX-License-Identifier: Apache-2.0 */
/* The adapters of a node: their kinds, their files, their beginning and end, and who takes which order. */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/adapter_private.h"
#include "node/log.h"
#include "node/setting.h"
#include "proto/id.h"
#include "security/keys.h"

enum { CHANGED_MS = 50, PATH_BYTES = 1024 };
#define DEAD_FILE_MAX (UINT64_C(16) << 20)

static const struct adapter_kind *const kinds[] = {&adapter_mqtt, &adapter_modbus, &adapter_tail, NULL};

static const struct adapter_kind *find_kind(const char *name)
{
	for (size_t i = 0; name && kinds[i]; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

/* ---- Configurations --------------------------------------------------------------------------------------
 */

static void setup_fini(struct setup *s)
{
	json_decref(s->config);
	free(s->text);
	*s = (struct setup){0};
}

static int wrong_kind(const struct setting_at *at, struct err_note *note)
{
	char words[100] = "";
	size_t n = 0;

	for (size_t i = 0; kinds[i]; i++)
		n += (size_t)snprintf(words + n, sizeof words - n, "%s%s", i > 0 ? ", " : "", kinds[i]->name);
	return setting_fail(at, note, "it must be one of: %s", words);
}

/* The text is kept whatever it says; `ret` is to be given back also after a failure. */
static int setup_parse(const char *name, const char *text, struct setup *ret, struct err_note *note)
{
	const struct setting_at document = {.key = name};

	ret->text = strdup(text);
	if (!ret->text)
		return FAIL(-ENOMEM);
	if (strlen(text) > ADAPTER_MAX)
		return setting_fail(&document, note, "it is longer than %d bytes", ADAPTER_MAX);
	TRY(setting_parse(name, text, strlen(text), &ret->config, note));
	const struct setting_at top = {.key = name, .json = ret->config};
	const struct setting_at kind = setting_key(&top, "kind");
	ret->kind = find_kind(json_string_value(kind.json));
	if (!ret->kind)
		return wrong_kind(&kind, note);
	json_object_del(ret->config, "kind");
	return 0;
}

static bool setup_equal(const struct setup *a, const struct setup *b)
{
	return a->kind == b->kind && json_equal(a->config, b->config);
}

/* ---- One adapter -----------------------------------------------------------------------------------------
 */

static void adapter_free(struct adapter *a)
{
	if (!a)
		return;
	setup_fini(&a->setup);
	setup_fini(&a->coming);
	letters_free(a->letters);
	free(a);
}

DEFINE_SCOPED(adapter, adapter_free)

static int adapter_new(struct adapters *as, const char *name, struct adapter **ret, struct err_note *note)
{
	struct adapter *a;

	if (!id_is_segment(bytes_of_text(name), ADAPTER_NAME_MAX))
		return FAIL_SAY(
			note, ERR_REFUSED,
			"'%.80s' cannot be the name of an adapter: letters, digits, '.', '_' and '-', at "
			"most %d",
			name, ADAPTER_NAME_MAX);
	a = calloc(1, sizeof *a);
	if (!a)
		return FAIL(-ENOMEM);
	a->all = as;
	a->state = ADAPTER_STOPPED;
	a->since_ns = engine_wall_ns();
	snprintf(a->name, sizeof a->name, "%s", name);
	*ret = a;
	return 0;
}

static int open_letters(struct adapter *a)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s.dead", a->all->dir, a->name);
	return letters_new(&a->letters, path, DEAD_FILE_MAX);
}

static void link_in(struct adapters *as, struct adapter *a)
{
	struct adapter **at = &as->first;

	while (*at && strcmp((*at)->name, a->name) < 0)
		at = &(*at)->next;
	a->next = *at;
	*at = a;
	*(a->attached ? &as->n_attached : &as->n_configured) += 1;
}

static void forget(struct adapter *a)
{
	struct adapters *const as = a->all;
	struct adapter **at = &as->first;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	*(a->attached ? &as->n_attached : &as->n_configured) -= 1;
	adapter_free(a);
}

struct adapter *adapters_find(const struct adapters *as, const char *name)
{
	for (struct adapter *a = as->first; a; a = a->next)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

/* What cannot be opened stays, and says why. */
static void open_adapter(struct adapter *a)
{
	struct err_note note = {0};

	a->kind = a->setup.kind;
	adapter_is(a, ADAPTER_CONNECTING, NULL);
	const int r = a->kind->open(a, a->setup.config, false, &a->self, &note);
	if (r < 0)
		adapter_is(a, ADAPTER_STOPPED, note.text[0] ? note.text : err_text(r));
}

static void begin_close(struct adapter *a)
{
	if (!a->self || a->closing)
		return;
	a->closing = true;
	a->kind->close(a->self);
}

static void end_if_stopped(struct adapters *as)
{
	for (const struct adapter *a = as->first; a; a = a->next)
		if (a->self)
			return;
	if (!as->stopping || as->timer_open || !as->on_stopped)
		return;
	void (*const done)(struct engine * e) = as->on_stopped;
	as->on_stopped = NULL;
	done(as->engine);
}

void adapter_closed(struct adapter *a)
{
	struct adapters *const as = a->all;

	a->self = NULL;
	a->closing = false;
	if (a->trial) {
		adapter_free(a);
		return;
	}
	if (a->attached || a->dropped) {
		forget(a);
	} else if (a->coming.text && !as->stopping) {
		setup_fini(&a->setup);
		a->setup = a->coming;
		a->coming = (struct setup){0};
		open_adapter(a);
	} else {
		adapter_is(a, ADAPTER_STOPPED, NULL);
	}
	end_if_stopped(as);
}

int adapter_trial(struct adapters *as, const char *name, const char *text, struct adapter **ret,
		  struct err_note *note)
{
	SCOPED(scope_adapter) struct adapter *a = NULL;

	TRY(adapter_new(as, name, &a, note));
	a->trial = true;
	TRY(setup_parse(name, text, &a->setup, note));
	a->kind = a->setup.kind;
	TRY(a->kind->open(a, a->setup.config, true, &a->self, note));
	*ret = MOVE(a);
	return 0;
}

void adapter_trial_end(struct adapter *a)
{
	a->kind->close(a->self);
}

/* ---- All of them -----------------------------------------------------------------------------------------
 */

static void file_of(const struct adapters *as, const char *name, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%s.json", as->dir, name);
}

static int put_anew(struct adapter *a, struct setup *setup)
{
	setup_fini(&a->coming);
	a->coming = *setup;
	*setup = (struct setup){0};
	if (a->self)
		begin_close(a);
	else
		adapter_closed(a);
	return 0;
}

static int put_first(struct adapters *as, const char *name, struct setup *setup, struct err_note *note)
{
	SCOPED(scope_adapter) struct adapter *a = NULL;

	TRY(adapter_new(as, name, &a, note));
	TRY(open_letters(a));
	a->setup = *setup;
	*setup = (struct setup){0};
	link_in(as, a);
	if (a->setup.kind)
		open_adapter(a);
	a = NULL;
	return 0;
}

int adapters_put(struct adapters *as, const char *name, const char *text, bool dry, bool *ret_changed,
		 struct err_note *note)
{
	SCOPED(setup_fini) struct setup setup = {0};
	struct adapter *const there = adapters_find(as, name), *trial;
	char path[PATH_BYTES];

	if (there && there->attached)
		return FAIL_SAY(note, ERR_REFUSED, "a program is attached that has the name %s", name);
	if (!there && as->n_configured == ADAPTERS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "a node has at most %d adapters", ADAPTERS_MAX);
	if (there && there->dropped)
		return FAIL_SAY(note, -EAGAIN, "%s is just being removed: try again", name);
	TRY(adapter_trial(as, name, text, &trial, note));
	adapter_trial_end(trial);
	TRY(setup_parse(name, text, &setup, note));
	const struct setup *old = there && there->coming.text ? &there->coming : there ? &there->setup : NULL;
	*ret_changed = !old || !setup_equal(old, &setup);
	if (dry)
		return 0;
	file_of(as, name, path);
	TRY(file_write(path, bytes_of_text(text), true, note));
	return there ? put_anew(there, &setup) : put_first(as, name, &setup, note);
}

int adapters_drop(struct adapters *as, const char *name, struct err_note *note)
{
	struct adapter *a = adapters_find(as, name);
	char path[PATH_BYTES];

	if (!a || a->dropped)
		return FAIL_SAY(note, ERR_ABSENT, "there is no adapter %.80s: see holon adapter list", name);
	if (a->attached)
		return FAIL_SAY(note, ERR_REFUSED, "%s is a program that attached itself: end that", name);
	file_of(as, name, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return FAIL_SAY(note, -errno, "%s cannot be removed: %s", path, err_text(-errno));
	a->dropped = true;
	if (a->self)
		begin_close(a);
	else
		adapter_closed(a);
	return 0;
}

int adapters_attach(struct adapters *as, const char *name, const struct adapter_kind *kind, void *self,
		    struct adapter **ret, struct err_note *note)
{
	struct adapter *a;

	if (adapters_find(as, name))
		return FAIL_SAY(note, ERR_REFUSED, "there is an adapter %.80s already", name);
	if (as->n_attached == ATTACHED_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%d programs are attached already", ATTACHED_MAX);
	TRY(adapter_new(as, name, &a, note));
	const int r = open_letters(a);
	if (r < 0) {
		adapter_free(a);
		return r;
	}
	a->kind = kind;
	a->self = self;
	a->attached = true;
	link_in(as, a);
	*ret = a;
	return 0;
}

void *adapters_attached(struct adapters *as, const char *name)
{
	const struct adapter *a = adapters_find(as, name);

	return a && a->attached ? a->self : NULL;
}

/* ---- Beginning and end -----------------------------------------------------------------------------------
 */

static int load_one(struct adapters *as, const char *name)
{
	SCOPED(scope_arena) struct arena *arena = NULL;
	SCOPED(setup_fini) struct setup setup = {0};
	struct err_note note = {0};
	char path[PATH_BYTES];
	struct bytes text;

	TRY(arena_new(&arena, ADAPTER_MAX + PATH_BYTES));
	file_of(as, name, path);
	TRY(file_read(arena, path, ADAPTER_MAX, &text, &note));
	const int r = setup_parse(name, (const char *)text.data, &setup, &note);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		setup.kind = NULL;
	TRY(put_first(as, name, &setup, NULL));
	if (r < 0)
		adapter_is(adapters_find(as, name), ADAPTER_STOPPED, note.text);
	return 0;
}

static int is_configuration(const struct dirent *d)
{
	const size_t n = strlen(d->d_name);

	return n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

static int load_all(struct adapters *as)
{
	struct dirent **files;
	const int n = scandir(as->dir, &files, is_configuration, alphasort);

	if (n < 0)
		return FAIL(-errno);
	for (int i = 0; i < n; i++) {
		files[i]->d_name[strlen(files[i]->d_name) - 5] = '\0';
		const int r = load_one(as, files[i]->d_name);
		if (r < 0)
			engine_log_failure("adapter", files[i]->d_name, r, NULL);
		free(files[i]);
	}
	free(files);
	return 0;
}

static void on_changed(uv_timer_t *t)
{
	struct adapters *as = t->data;

	for (struct adapter *a = as->first; a; a = a->next)
		if (a->self && !a->closing && a->kind->changed)
			a->kind->changed(a->self);
}

int adapters_start(struct adapters **ret, struct engine *e)
{
	struct adapters *as = calloc(1, sizeof *as);

	if (!as)
		return FAIL(-ENOMEM);
	as->engine = e;
	snprintf(as->dir, sizeof as->dir, "%s/adapters", e->config->dir);
	uv_timer_init(&e->loop, &as->changed);
	as->changed.data = as;
	as->timer_open = true;
	*ret = as;
	if (mkdir(as->dir, 0700) < 0 && errno != EEXIST)
		return FAIL(-errno);
	return load_all(as);
}

static void on_timer_closed(uv_handle_t *h)
{
	struct adapters *as = h->data;

	as->timer_open = false;
	end_if_stopped(as);
}

void adapters_stop(struct adapters *as, void (*done)(struct engine *e))
{
	as->stopping = true;
	as->on_stopped = done;
	for (struct adapter *a = as->first, *next; a; a = next) {
		next = a->next;
		begin_close(a);
	}
	uv_close((uv_handle_t *)&as->changed, on_timer_closed);
}

void adapters_free(struct adapters *as)
{
	if (!as)
		return;
	for (struct adapter *a = as->first, *next; a; a = next) {
		next = a->next;
		adapter_free(a);
	}
	log_shares_fini(&as->shares);
	free(as);
}

/* ---- What passes through ---------------------------------------------------------------------------------
 */

void adapters_changed(struct adapters *as)
{
	if (as && !as->stopping && !uv_is_active((uv_handle_t *)&as->changed))
		uv_timer_start(&as->changed, on_changed, CHANGED_MS, 0);
}

/* One that cannot now leaves it to others that have the twin, too; it may end by that. */
int adapters_order(struct adapters *as, const struct order *order, struct err_note *note)
{
	bool away = false;

	for (struct adapter *a = as->first, *next; a; a = next) {
		next = a->next;
		if (!a->self || a->closing || !a->kind->order)
			continue;
		const int r = a->kind->order(a->self, order, note);
		if (r == 0)
			adapter_count(a, COUNT_ORDERS, 1);
		if (r != ERR_ABSENT && r != ERR_UNREACHABLE)
			return r;
		away |= r == ERR_UNREACHABLE;
	}
	if (away)
		return ERR_UNREACHABLE; /* the note is its */
	return FAIL_SAY(note, ERR_ABSENT,
			"no adapter of this node takes orders for %.100s: see holon adapter list",
			order->twin);
}
