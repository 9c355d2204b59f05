/* SPDX-License-Identifier: Apache-2.0 */
#include "node/ending.h"

#include <stdio.h>

#include "node/agreement.h"
#include "node/gossip.h"
#include "node/log.h"
#include "node/record.h"
#include "node/trust_private.h"
#include "node/writer.h"
#include "proto/clock.h"

enum { TRY_AGAIN_S = 10, SCRATCH_BYTES = 1 << 20 };

struct endings {
	bool rows_left;   /* of some partner */
	int64_t tried_ns; /* monotonic */
	size_t n_on_their_way;
	char lacking[ORG_NAME_MAX + 1];
};

/* Rows of one partner on their way out. */
struct forgetting {
	struct engine *e;
	char partner[ORG_NAME_MAX + 1];
	struct op op;
	ending_fn *done;
	void *ctx;
};

int endings_start(struct engine *e)
{
	e->endings = calloc(1, sizeof *e->endings);
	return e->endings ? 0 : FAIL(-ENOMEM);
}

void endings_free(struct endings *s)
{
	free(s);
}

/* ---- The rows -------------------------------------------------------------------------------------------
 */

/* Rows are gone. The note stays as long as trust is ended: it says whom a policy means. */
static int note_gone(struct engine *e, const char *partner)
{
	struct public_key root;
	bool rows_left;

	if (!agreement_end(e->trust, partner, &root, &rows_left))
		return 0;
	return agreement_note_end(e->trust, partner, trust_org(e->trust, partner) ? NULL : &root, false);
}

static void on_forgotten(void *ctx, const struct write_result *result)
{
	struct forgetting *f = ctx;
	int code = result->code < 0 ? result->code : result->n_refused > 0 ? ERR_REFUSED : 0;

	f->e->endings->n_on_their_way--;
	if (code == 0)
		code = note_gone(f->e, f->partner);
	if (code < 0) {
		f->e->endings->rows_left = true;
		engine_log_failure("trust", "the rows of an organisation are not forgotten yet", code,
				   &result->note);
	} else {
		log_info("trust", "forgot organisation=%s", f->partner);
	}
	if (f->done)
		f->done(f->ctx, code);
	free(f);
}

static int forget_rows(struct engine *e, const char *partner, ending_fn *done, void *ctx)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_free) struct forgetting *f = calloc(1, sizeof *f);

	if (!f)
		return FAIL(-ENOMEM);
	*f = (struct forgetting){.e = e, .done = done, .ctx = ctx};
	snprintf(f->partner, sizeof f->partner, "%s", partner);
	f->op = (struct op){.kind = OP_ORG_DROP, .id = f->partner};
	TRY(arena_new(&a, SCRATCH_BYTES));
	const struct write_request request = {
		.arena = MOVE(a), .ops = &f->op, .n_ops = 1, .done = on_forgotten, .ctx = f};
	TRY(writer_submit(e->writer, &request));
	e->endings->n_on_their_way++;
	(void)MOVE(f);
	return 0;
}

void endings_tick(struct engine *e)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct endings *s = e->endings;
	const char *partner = "";
	struct public_key root;
	bool rows_left;

	if (!s->rows_left || s->n_on_their_way > 0 ||
	    (s->tried_ns != 0 && engine_mono_ns() - s->tried_ns < TRY_AGAIN_S * NS_PER_S) ||
	    arena_new(&a, SCRATCH_BYTES) < 0)
		return;
	s->tried_ns = engine_mono_ns();
	s->rows_left = false;
	while ((partner = agreement_next_end(e->trust, a, partner)))
		if (agreement_end(e->trust, partner, &root, &rows_left) && rows_left &&
		    forget_rows(e, partner, NULL, NULL) < 0)
			s->rows_left = true;
}

/* ---- The trust ------------------------------------------------------------------------------------------
 */

static int forget_partner(struct trust *t, const char *partner)
{
	char key[ORG_NAME_MAX + 8];

	snprintf(key, sizeof key, "bundle/%s", partner);
	TRY(trust_store_remove(t->store, key));
	for (size_t i = 0; i < t->n_partners; i++) {
		struct partner *p = t->partners[i];
		if (strcmp(p->org.manifest.org, partner) != 0)
			continue;
		p->epoch_dirty |= p->epoch_seen > 0;
		ignore(trust_save_epoch(t, p)); /* should it come back: below that it may not begin */
		t->partners[i] = t->partners[--t->n_partners];
		trust_free_partner(p);
		break;
	}
	trust_recompile(t, trust_now(t));
	return 0;
}

static bool find_root(const struct trust *t, const char *partner, struct public_key *ret)
{
	const struct partner *p = trust_org(t, partner);

	if (!p)
		return agreement_known_root(t, partner, ret);
	*ret = p->org.manifest.root;
	return true;
}

int endings_begin(struct engine *e, const char *partner, ending_fn *done, void *ctx)
{
	char name[ORG_NAME_MAX + 1]; /* what names it goes with it */
	struct public_key root;

	snprintf(name, sizeof name, "%s", partner);
	if (!find_root(e->trust, name, &root))
		return FAIL(ERR_ABSENT);
	TRY(agreement_note_end(e->trust, name, &root, true));
	TRY(forget_partner(e->trust, name));
	gossip_ended(e->gossip, name);
	record_trust(e->journal, "ended", name, "");
	log_info("trust", "ended organisation=%s", name);
	engine_trust_changed(e);
	const int r = forget_rows(e, name, done, ctx);
	if (r < 0) {
		e->endings->rows_left = true;
		if (done)
			done(ctx, r);
	}
	return 0;
}

int endings_undo(struct engine *e, const char *partner)
{
	struct public_key root;
	bool rows_left;

	if (!agreement_end(e->trust, partner, &root, &rows_left) || rows_left)
		return 0; /* with the last row the note goes, too */
	return agreement_note_end(e->trust, partner, NULL, false);
}

bool endings_lacks(const struct engine *e, const char *partner)
{
	struct public_key root;

	return e->endings && !trust_org(e->trust, partner) && agreement_root(e->trust, partner, &root);
}

const char *endings_next_lacking(const struct engine *e, const char *after)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct signed_blob blob;

	if (!e->endings || arena_new(&a, SCRATCH_BYTES) < 0)
		return NULL;
	while (agreement_next(e->trust, a, after, &after, &blob) == 0)
		if (endings_lacks(e, after)) {
			snprintf(e->endings->lacking, sizeof e->endings->lacking, "%s", after);
			return e->endings->lacking;
		}
	return NULL;
}

/* ---- At the start ---------------------------------------------------------------------------------------
 */

/* Words of an end that a crash came behind, and trust anew that it came before. */
static int resume_words(struct engine *e, struct arena *a)
{
	struct public_key root;
	struct signed_blob blob;
	struct agreement x;
	const char *partner = "";
	int r;
	bool rows_left;

	while ((r = agreement_next(e->trust, a, partner, &partner, &blob)) == 0)
		if (agreement_about(e->trust, a, partner, &x) && x.ended &&
		    (!agreement_end(e->trust, partner, &root, &rows_left) || trust_org(e->trust, partner)))
			TRY(agreement_note_end(e->trust, partner, &x.root, true));
	return r < 0 ? r : 0;
}

int endings_resume(struct engine *e)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const char *partner = "";
	struct public_key root;
	bool rows_left;

	TRY(arena_new(&a, 4 * SCRATCH_BYTES));
	TRY(resume_words(e, a));
	while ((partner = agreement_next_end(e->trust, a, partner)))
		if (agreement_end(e->trust, partner, &root, &rows_left) && rows_left) {
			TRY(forget_partner(e->trust, partner));
			e->endings->rows_left = true;
		}
	return 0;
}
