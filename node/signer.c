/* SPDX-License-Identifier: Apache-2.0 */
#include "node/signer.h"

#include <sodium.h>
#include <stdio.h>

#include "node/engine.h"
#include "node/log.h"
#include "node/record.h"
#include "node/trust.h"
#include "proto/hash.h"
#include "proto/join.h"

enum {
	RENEW_EVERY_MS = 3600 * 1000,
	RENEW_JITTER_MS = RENEW_EVERY_MS / 10, /* admin nodes do not all sign in the same minute */
	LOOK_EVERY_MS = 1000,                  /* where the kernel tells of no changes */
	BUNDLE_MAX = FRAME_OWN_MAX,
	ARENA_BYTES = 64 * 1024 * 1024,
	N_HANDLES = 3,
};

/* Something to do in the directory; at its end the bundle is read, whatever became of it. */
struct job {
	struct job *next;
	struct arena *arena;
	int64_t now_ns;
	bool renew;
	struct node_options opt; /* done NULL: nobody to admit */
	struct node_public keys;
	signer_fn *done;
	void *ctx;

	int code;
	struct err_note note;
	struct renewed renewed;
	struct buf sealed;
	struct bytes bundle; /* in the arena; no data: it could not be read */
};

struct signer {
	struct engine *e;
	const char *dir;
	char file[640]; /* the bundle in it */
	uv_work_t work;
	struct job *running, *first; /* `first` and its like wait */
	bool renew_due, look_due;
	struct hash128 seen; /* the bundle that was taken, or refused, last */
	uv_timer_t renewal;
	uv_fs_event_t events;
	uv_fs_poll_t look;
	int handles_open;
	bool stopping;
	void (*on_stopped)(struct engine *e);
};

static void job_free(struct job *j)
{
	buf_fini(&j->sealed);
	arena_free(j->arena);
	free(j);
}

static int job_new(struct job **ret)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return FAIL(-ENOMEM);
	const int r = arena_new(&j->arena, ARENA_BYTES);
	if (r < 0) {
		free(j);
		return r;
	}
	*ret = j;
	return 0;
}

/* ---- on the thread pool ---- */

static void work(uv_work_t *w)
{
	struct signer *s = w->data;
	struct job *j = s->running;

	if (j->renew)
		j->code = org_dir_renew(s->dir, j->now_ns, &j->renewed, &j->note);
	else if (j->done)
		j->code = org_dir_admit_node(&j->opt, &j->keys, &j->sealed, &j->note);
	if (file_read(j->arena, s->file, BUNDLE_MAX, &j->bundle, NULL) < 0)
		j->bundle = (struct bytes){0}; /* it is looked at again when it changes */
}

/* ---- on the loop ---- */

static void begin_next(struct signer *s);

/* A bundle that is refused is said once, until there is another one. */
static void take_bundle(struct signer *s, struct bytes bundle)
{
	const struct hash128 now = hash128("holon/signer", bundle, (struct bytes){NULL, 0});
	struct trust *t = s->e->trust;
	struct err_note note = {0};
	const struct org *org;

	if (!bundle.data || memcmp(now.b, s->seen.b, sizeof now.b) == 0)
		return;
	if (bytes_equal(bundle, t->own.org.encoded)) {
		s->seen = now;
		return;
	}
	const int r = trust_accept(t, bundle, NULL, trust_now(t), &org, &note);
	if (r == 0 || r == ERR_UNTRUSTED || r == ERR_MALFORMED)
		s->seen = now;
	if (r < 0) {
		record_refused(s->e->journal, AUDIT_TRUST, "bundle", r, &note);
		engine_log_failure("signer", "the bundle in the organisation's directory is not taken", r,
				   &note);
		return;
	}
	log_info("signer", "in force: the bundle of the organisation's directory nodes=%zu revocations=%llu",
		 org->n_nodes, (unsigned long long)org->revocations.seq);
	engine_trust_changed(s->e);
}

static void tell_renewed(struct signer *s, const struct job *j)
{
	char text[64];

	if (j->code < 0) {
		engine_log_failure("signer", "nothing could be renewed, tried again in an hour", j->code,
				   &j->note);
		record_refused(s->e->journal, AUDIT_CREDENTIAL, "renewal", j->code, &j->note);
		return;
	}
	if (j->renewed.nodes > 0 || j->renewed.persons > 0 || j->renewed.revocations)
		log_info("signer", "renewed nodes=%zu persons=%zu revocations=%d", j->renewed.nodes,
			 j->renewed.persons, j->renewed.revocations);
	if (j->renewed.persons == 0)
		return; /* the others are told when the bundle is taken */
	snprintf(text, sizeof text, "of %zu persons", j->renewed.persons);
	record_credential(s->e->journal, "renewed", "persons", text);
}

static void end_job(struct signer *s, struct job *j)
{
	if (j->renew)
		tell_renewed(s, j);
	if (j->done)
		j->done(j->ctx, j->code, buf_bytes(&j->sealed), &j->note);
	job_free(j);
}

static void finish_stop(struct signer *s)
{
	if (s->stopping && !s->running && s->handles_open == 0 && s->on_stopped) {
		void (*done)(struct engine * e) = s->on_stopped;
		s->on_stopped = NULL;
		done(s->e);
	}
}

static void after_work(uv_work_t *w, int status)
{
	struct signer *s = w->data;
	struct job *j = s->running;

	s->running = NULL;
	if (status < 0)
		j->code = status;
	else if (!s->stopping)
		take_bundle(s, j->bundle);
	end_job(s, j);
	if (!s->stopping)
		begin_next(s);
	finish_stop(s);
}

static struct job *next_job(struct signer *s)
{
	struct job *j = s->first;

	if (j) {
		s->first = j->next;
		j->opt.now_ns = trust_now(s->e->trust);
		return j;
	}
	if ((!s->renew_due && !s->look_due) || job_new(&j) < 0)
		return NULL; /* without memory: with the next event */
	j->now_ns = trust_now(s->e->trust);
	j->renew = s->renew_due;
	s->renew_due = s->look_due = false;
	return j;
}

static void begin_next(struct signer *s)
{
	if (s->running || s->stopping)
		return;
	s->running = next_job(s);
	if (!s->running)
		return;
	s->look_due = false; /* every job looks */
	s->work.data = s;
	if (uv_queue_work(&s->e->loop, &s->work, work, after_work) < 0)
		abort(); /* only for arguments it does not like */
}

static void on_renewal(uv_timer_t *timer)
{
	struct signer *s = timer->data;

	s->renew_due = true;
	uv_timer_start(timer, on_renewal, RENEW_EVERY_MS - randombytes_uniform(RENEW_JITTER_MS), 0);
	begin_next(s);
}

static void look(struct signer *s)
{
	s->look_due = true;
	begin_next(s);
}

static void on_event(uv_fs_event_t *h, const char *file, int events, int status)
{
	(void)events;
	if (status == 0 && (!file || strcmp(file, "bundle") == 0))
		look(h->data);
}

static void on_look(uv_fs_poll_t *h, int status, const uv_stat_t *before, const uv_stat_t *now)
{
	(void)before, (void)now;
	if (status == 0)
		look(h->data);
}

int signer_admit(struct signer *s, const struct invitation *i, const struct node_public *keys,
		 signer_fn *done, void *ctx)
{
	struct job *j, **end = &s->first;

	TRY(job_new(&j));
	j->keys = *keys;
	j->opt = (struct node_options){.org_dir = s->dir,
				       .name = arena_copy(j->arena, i->name),
				       .roles = i->roles,
				       .prefixes = arena_take_array(j->arena, i->n_prefixes, sizeof(char *)),
				       .n_prefixes = i->n_prefixes,
				       .endpoint = arena_copy(j->arena, i->endpoint),
				       .border_endpoint = arena_copy(j->arena, i->border_endpoint)};
	bool whole = j->opt.name && j->opt.prefixes && j->opt.endpoint && j->opt.border_endpoint;
	for (size_t k = 0; whole && k < i->n_prefixes; k++)
		whole = (j->opt.prefixes[k] = arena_copy(j->arena, i->prefixes[k])) != NULL;
	if (!whole) {
		job_free(j);
		return FAIL(-ENOMEM);
	}
	j->done = done;
	j->ctx = ctx;
	while (*end)
		end = &(*end)->next;
	*end = j;
	begin_next(s);
	return 0;
}

/* ---- opening and closing ---- */

static int check_directory(const struct engine *e, const char *dir, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct credential *self = e->trust->self;
	struct err_note why = {0};
	struct org org;

	if (!(self->roles & ROLE_ADMIN))
		return FAIL_SAY(note, ERR_REFUSED,
				"admin.organisation is set, but %s/%s has not the role admin: "
				"the keys of an organisation belong to an admin node only",
				self->org, self->node);
	TRY(arena_new(&a, ARENA_BYTES));
	const int r = org_dir_load(a, dir, trust_now(e->trust), &org, &why);
	if (r < 0)
		return FAIL_SAY(note, r, "admin.organisation: %.200s", why.text[0] ? why.text : err_text(r));
	if (strcmp(org.manifest.org, self->org) != 0)
		return FAIL_SAY(note, ERR_REFUSED, "admin.organisation: %.150s is %s, this node is of %s",
				dir, org.manifest.org, self->org);
	return 0;
}

static int watch(struct signer *s)
{
	uv_loop_t *loop = &s->e->loop;

	uv_timer_init(loop, &s->renewal);
	uv_fs_event_init(loop, &s->events);
	uv_fs_poll_init(loop, &s->look);
	s->renewal.data = s->events.data = s->look.data = s;
	s->handles_open = N_HANDLES;
	uv_timer_start(&s->renewal, on_renewal, 0, 0);
	/* The directory, for the file in it is another one each time. */
	if (uv_fs_event_start(&s->events, on_event, s->dir, 0) < 0)
		log_warn("signer", "changes are found by looking each second dir=%s", s->dir);
	const int r = uv_fs_poll_start(&s->look, on_look, s->file, LOOK_EVERY_MS);
	return r < 0 ? FAIL(r) : 0;
}

int signer_start(struct signer **ret, struct engine *e, struct err_note *note)
{
	const char *dir = e->config->organisation;

	if (strcmp(dir, "none") == 0)
		return 0;
	TRY(check_directory(e, dir, note));
	struct signer *s = calloc(1, sizeof *s);
	if (!s)
		return FAIL(-ENOMEM);
	*ret = s; /* half open too: signer_stop() closes what there is */
	s->e = e;
	s->dir = dir;
	snprintf(s->file, sizeof s->file, "%s/bundle", dir);
	return watch(s);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct signer *s = h->data;

	s->handles_open--;
	finish_stop(s);
}

void signer_stop(struct signer *s, void (*done)(struct engine *e))
{
	s->stopping = true;
	s->on_stopped = done;
	while (s->first) {
		struct job *j = s->first;
		s->first = j->next;
		j->code = -ECANCELED;
		end_job(s, j);
	}
	if (s->running)
		uv_cancel((uv_req_t *)&s->work); /* or it is waited for */
	if (s->handles_open == 0) {
		finish_stop(s);
		return;
	}
	uv_close((uv_handle_t *)&s->renewal, on_handle_closed);
	uv_close((uv_handle_t *)&s->events, on_handle_closed);
	uv_close((uv_handle_t *)&s->look, on_handle_closed);
}

void signer_free(struct signer *s)
{
	free(s);
}
