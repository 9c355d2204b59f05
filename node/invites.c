/* SPDX-License-Identifier: Apache-2.0 */
#include "node/invites.h"

#include <sodium.h>
#include <stdio.h>

#include "node/engine.h"
#include "node/log.h"
#include "node/record.h"
#include "node/signer.h"
#include "node/trust.h"
#include "proto/clock.h"
#include "security/join.h"

#define RECORD "invitations"

enum { LIST_BYTES = 8 << 20, REQUEST_BYTES = JOIN_MAX * DECODE_BUDGET_FACTOR };

/* A machine whose credential is being issued, or could not be at once. */
struct approval {
	struct approval *next;
	struct invites *invites;
	char name[NODE_NAME_MAX + 1];
	uint8_t key[JOIN_MAC_BYTES]; /* of the invitation: another may have the name when it is done */
	bool failed;                 /* it is left to the admin */
	invites_fn *done;
	void *ctx;
};

struct invites {
	struct engine *e;
	struct arena *arena; /* of the list */
	struct invitations list;
	struct approval *approvals;
};

/* ---- the list ---- */

static int decode_list(struct bytes encoded, struct arena **ret_arena, struct invitations *ret)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, LIST_BYTES));
	TRY(invitations_decode(a, encoded, ret));
	*ret_arena = MOVE(a);
	return 0;
}

/* Put another list in the place of the one there is; it is durable first. */
static int replace(struct invites *i, const struct invitations *with)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf encoded = {0};
	struct invitations list;

	invitations_encode(with, &encoded);
	TRY(buf_check(&encoded));
	TRY(decode_list(buf_bytes(&encoded), &a, &list));
	TRY(trust_store_put(i->e->trust->store, RECORD, buf_bytes(&encoded)));
	arena_free(i->arena);
	i->arena = MOVE(a);
	i->list = list;
	return 0;
}

/* The same list with one of it changed. */
static int change(struct invites *i, size_t at, const struct invitation *to)
{
	struct invitation items[INVITATIONS_MAX];

	for (size_t k = 0; k < i->list.n; k++)
		items[k] = k == at ? *to : i->list.items[k];
	return replace(i, &(struct invitations){items, i->list.n});
}

static size_t find(const struct invites *i, const char *name)
{
	size_t at = 0;

	while (at < i->list.n && strcmp(i->list.items[at].name, name) != 0)
		at++;
	return at;
}

static bool is_over(const struct invitation *x, int64_t now_ns)
{
	return x->state >= INVITATION_APPROVED || x->until_ns <= now_ns;
}

int invites_open(struct invites **ret, struct engine *e, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct invites *i = calloc(1, sizeof *i);
	struct bytes stored;

	if (!i)
		return FAIL(-ENOMEM);
	*ret = i;
	i->e = e;
	TRY(arena_new(&a, LIST_BYTES));
	const int r = trust_store_get(e->trust->store, a, RECORD, &stored);
	TRY(r);
	if (r == TRUST_STORE_ABSENT)
		return 0;
	if (decode_list(stored, &i->arena, &i->list) < 0)
		return FAIL_SAY(note, ERR_CORRUPT, "the invitations in the store cannot be read");
	return 0;
}

void invites_free(struct invites *i)
{
	if (!i)
		return;
	while (i->approvals) {
		struct approval *x = i->approvals;
		i->approvals = x->next;
		free(x);
	}
	arena_free(i->arena);
	free(i);
}

/* ---- approvals ---- */

static struct approval *find_approval(const struct invites *i, const char *name)
{
	struct approval *x = i->approvals;

	while (x && strcmp(x->name, name) != 0)
		x = x->next;
	return x;
}

static void drop_approval(struct invites *i, struct approval *x)
{
	struct approval **p = &i->approvals;

	while (*p != x)
		p = &(*p)->next;
	*p = x->next;
	free(x);
}

/* ---- inviting ---- */

/* Of those that are over the ones whose time to be fetched is past go, and one of the name that comes. */
static size_t still_kept(const struct invites *i, const char *name, int64_t now_ns, struct invitation *ret)
{
	size_t n = 0;

	for (size_t k = 0; k < i->list.n; k++) {
		const struct invitation *x = &i->list.items[k];
		if (x->until_ns + INVITE_KEPT_S * NS_PER_S > now_ns && strcmp(x->name, name) != 0)
			ret[n++] = *x;
	}
	for (size_t k = 0; n == INVITATIONS_MAX && k < n; k++)
		if (is_over(&ret[k], now_ns))
			ret[k] = ret[--n];
	return n;
}

/* Where a machine elsewhere could connect? */
static bool is_reachable(const char *endpoint)
{
	return strncmp(endpoint, "tcp://", 6) == 0 && strncmp(endpoint + 6, "0.0.0.0:", 8) != 0 &&
	       endpoint[6] != '*' && strncmp(endpoint + 6, "[::]:", 5) != 0 &&
	       strlen(endpoint) <= ENDPOINT_MAX;
}

static int check_asked(const struct invites *i, const struct invitation *asked, const char *enrol,
		       int64_t now_ns, struct err_note *note)
{
	const struct org *org = &i->e->trust->own.org;
	const struct node_options opt = {.name = asked->name,
					 .roles = asked->roles,
					 .prefixes = asked->prefixes,
					 .n_prefixes = asked->n_prefixes,
					 .endpoint = asked->endpoint,
					 .border_endpoint = asked->border_endpoint,
					 .now_ns = now_ns};
	const size_t at = find(i, asked->name);

	if (!enrol[0])
		return FAIL_SAY(note, ERR_REFUSED,
				"this node takes nobody in: set listen.enrol in its holon.conf");
	if (!is_reachable(enrol))
		return FAIL_SAY(note, ERR_REFUSED,
				"%.100s is no address that another machine can reach: give --enrol", enrol);
	if (asked->until_ns <= now_ns || asked->until_ns > now_ns + INVITE_LIFE_MAX_S * NS_PER_S)
		return FAIL_SAY(note, ERR_REFUSED, "an invitation is for 24h at most");
	const struct approval *pending = find_approval(i, asked->name);
	if ((pending && !pending->failed) || (at < i->list.n && !is_over(&i->list.items[at], now_ns)))
		return FAIL_SAY(note, ERR_REFUSED,
				"%s is invited already: take that back first (holon node refuse %s)",
				asked->name, asked->name);
	return org_check_new_node(org, &opt, note);
}

static void print_token(const struct invites *i, const struct invitation *x, const char *enrol,
			const uint8_t secret[JOIN_SECRET_BYTES], struct buf *out)
{
	const struct trust *t = i->e->trust;
	struct join_token token = {.org = t->self->org,
				   .name = x->name,
				   .root = t->own.org.manifest.root,
				   .endpoint = enrol,
				   .server = curve_pair_public(t->curve),
				   .until_ns = x->until_ns};

	memcpy(token.secret, secret, JOIN_SECRET_BYTES);
	join_token_print(&token, out);
	sodium_memzero(&token, sizeof token);
}

int invites_add(struct invites *i, const struct invitation *asked, const char *enrol, struct buf *ret_token,
		struct err_note *note)
{
	const int64_t now_ns = trust_now(i->e->trust);
	struct invitation items[INVITATIONS_MAX + 1];
	uint8_t secret[JOIN_SECRET_BYTES];

	if (!enrol[0] && i->e->enrol)
		enrol = transport_enrol_endpoint(i->e->transport);
	TRY(check_asked(i, asked, enrol, now_ns, note));
	struct approval *failed = find_approval(i, asked->name); /* of an earlier one, or it is over */
	if (failed)
		drop_approval(i, failed);
	size_t n = still_kept(i, asked->name, now_ns, items);
	if (n == INVITATIONS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%d are invited already: wait, or take one back",
				INVITATIONS_MAX);
	struct invitation *x = &items[n++];
	*x = *asked;
	x->state = INVITATION_OPEN;
	x->request = x->cursor_key = (struct bytes){0};
	x->words = "";
	randombytes_buf(secret, sizeof secret);
	join_key(secret, x->key);
	print_token(i, x, enrol, secret, ret_token);
	sodium_memzero(secret, sizeof secret);
	TRY(buf_check(ret_token));
	return replace(i, &(struct invitations){items, n});
}

/* ---- asking ---- */

static void ends_of(const struct invites *i, const struct invitation *x, struct join_ends *ret)
{
	const struct trust *t = i->e->trust;

	*ret = (struct join_ends){.org = t->self->org,
				  .name = x->name,
				  .root = t->own.org.manifest.root,
				  .server = curve_pair_public(t->curve)};
	memcpy(ret->key, x->key, sizeof ret->key);
}

/* The request that an invitation was used with. */
static int request_of(const struct invitation *x, struct arena *a, struct join_request *ret)
{
	struct signed_blob blob;

	TRY(signed_blob_decode(a, x->request, &blob));
	return join_request_decode(a, blob.payload, ret);
}

/* "" while nobody has asked. */
static int words_of(const struct invites *i, const struct invitation *x, char ret[WORDS_SIZE])
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct join_request r;
	struct join_ends ends;

	ret[0] = '\0';
	if (x->request.len == 0)
		return 0;
	TRY(arena_new(&a, REQUEST_BYTES));
	TRY(request_of(x, a, &r));
	ends_of(i, x, &ends);
	join_words(&ends, &r, ret);
	return 0;
}

int invites_list(const struct invites *i, struct arena *a, struct invitations *ret)
{
	struct invitation *items = arena_take_array(a, i->list.n, sizeof *items);
	char words[WORDS_SIZE];

	if (!items)
		return FAIL(-ENOMEM);
	for (size_t k = 0; k < i->list.n; k++) {
		items[k] = i->list.items[k];
		TRY(words_of(i, &i->list.items[k], words));
		items[k].words = arena_copy(a, words);
		items[k].request = items[k].cursor_key = (struct bytes){0};
		memset(items[k].key, 0, sizeof items[k].key);
		if (!items[k].words)
			return FAIL(-ENOMEM);
	}
	*ret = (struct invitations){items, i->list.n};
	return 0;
}

static int say_no(struct arena *a, struct join_reply *ret, const struct err_note *note)
{
	ret->state = JOIN_NO;
	ret->text = arena_copy(a, note->text);
	return ret->text ? ERR_UNTRUSTED : FAIL(-ENOMEM);
}

/* Who does not show the token's secret is not told whether there is such an invitation. */
static int find_for(const struct invites *i, struct arena *a, const struct join_ask *ask,
		    const struct curve_key *shown, size_t *ret, struct err_note *note)
{
	struct join_request r;
	struct join_ends ends;
	int code = join_request_decode(a, ask->request.payload, &r);

	if (code == 0) {
		const size_t at = find(i, r.name);
		code = ERR_ABSENT;
		if (at < i->list.n) {
			ends_of(i, &i->list.items[at], &ends);
			code = join_request_verify(a, &ends, &ask->request, shown, &r, NULL);
			*ret = at;
		}
	}
	if (code == 0 || code == -ENOMEM)
		return code;
	return FAIL_SAY(note, ERR_UNTRUSTED,
			"no invitation fits this token: it was taken back, is over long since, or was "
			"altered; ask for a new one");
}

static int say_late(const struct invitation *x, int code, struct err_note *note)
{
	char until[TIME_TEXT_SIZE];

	return FAIL_SAY(note, code, "the invitation of %s ended at %s: ask for a new one", x->name,
			time_text(x->until_ns, until));
}

static void log_asked(const struct invites *i, const struct invitation *x)
{
	char text[WORDS_SIZE + NODE_NAME_MAX + 32], words[WORDS_SIZE];

	if (words_of(i, x, words) < 0)
		return;
	snprintf(text, sizeof text, "%s, words: %s", x->name, words);
	record_admin(i->e->journal, "a machine asks to join", text);
	log_info("enrol", "a machine asks to join node=%s words=\"%s\"", x->name, words);
}

/* The first good request is the one. */
static int take_request(struct invites *i, size_t at, struct bytes request)
{
	struct invitation x = i->list.items[at];

	x.state = INVITATION_ASKED;
	x.request = request;
	TRY(change(i, at, &x));
	log_asked(i, &i->list.items[at]);
	return 0;
}

static int answer(struct invites *i, size_t at, struct arena *a, uint32_t offset, struct join_reply *ret)
{
	const struct invitation *x = &i->list.items[at];
	SCOPED(buf_fini) struct buf encoded = {0};
	struct join_answer whole = {.bundle = i->e->trust->own.org.encoded, .cursor_key = x->cursor_key};

	join_hash(x->request, whole.request_hash);
	join_answer_encode(&whole, &encoded);
	TRY(buf_check(&encoded));
	const size_t from = offset < encoded.len ? offset : 0; /* it is a shorter one by now */
	const size_t left = encoded.len - from, n = left < JOIN_PIECE_MAX ? left : JOIN_PIECE_MAX;
	uint8_t *piece = arena_take(a, n);
	if (!piece)
		return FAIL(-ENOMEM);
	memcpy(piece, encoded.data + from, n);
	*ret = (struct join_reply){.state = JOIN_YES,
				   .text = "",
				   .total = (uint32_t)encoded.len,
				   .offset = (uint32_t)from,
				   .piece = {piece, n}};
	join_hash(buf_bytes(&encoded), ret->hash);
	return 0;
}

static int wait_for_admin(const struct invites *i, size_t at, struct arena *a, struct join_reply *ret)
{
	const struct invitation *x = &i->list.items[at];

	*ret = (struct join_reply){.state = JOIN_WAIT,
				   .text = x->at_once ? "it is being approved"
						      : arena_print(a,
								    "an admin has to approve it: holon node "
								    "approve %s",
								    x->name)};
	return ret->text ? 0 : FAIL(-ENOMEM);
}

static void approve_at_once(struct invites *i, size_t at);

/* Somebody with the token's secret. */
static int judge_known(struct invites *i, size_t at, struct arena *a, struct bytes request, uint32_t offset,
		       struct join_reply *ret, struct err_note *note)
{
	const struct invitation *x = &i->list.items[at];

	if (x->state == INVITATION_REFUSED)
		return FAIL_SAY(note, ERR_UNTRUSTED, "an admin has refused %s", x->name);
	if (x->state != INVITATION_OPEN && !bytes_equal(x->request, request))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the token of %s was used already, by another machine: tell the admin",
				x->name);
	if (x->state == INVITATION_APPROVED)
		return answer(i, at, a, offset, ret);
	if (x->until_ns <= trust_now(i->e->trust))
		return say_late(x, ERR_UNTRUSTED, note);
	if (x->state == INVITATION_OPEN)
		TRY(take_request(i, at, request));
	if (i->list.items[at].at_once)
		approve_at_once(i, at);
	return wait_for_admin(i, at, a, ret);
}

int invites_judge(struct invites *i, struct arena *a, const struct join_ask *ask,
		  const struct curve_key *shown, struct join_reply *ret, struct err_note *note)
{
	SCOPED(buf_fini) struct buf request = {0};
	size_t at = 0;

	int r = find_for(i, a, ask, shown, &at, note);
	signed_blob_encode(&ask->request, &request);
	TRY(buf_check(&request));
	if (r == 0)
		r = judge_known(i, at, a, buf_bytes(&request), ask->offset, ret, note);
	return r == ERR_UNTRUSTED ? say_no(a, ret, note) : r;
}

/* ---- approving ---- */

static int keep_approved(struct invites *i, const struct approval *x, struct bytes sealed)
{
	const size_t at = find(i, x->name);
	char text[WORDS_SIZE + 16], words[WORDS_SIZE] = "";

	if (at == i->list.n || memcmp(i->list.items[at].key, x->key, sizeof x->key) != 0)
		return 0; /* taken back meanwhile: the credential is there, `holon node revoke` takes it */
	struct invitation approved = i->list.items[at];
	approved.state = INVITATION_APPROVED;
	approved.cursor_key = sealed;
	TRY(words_of(i, &approved, words));
	TRY(change(i, at, &approved));
	snprintf(text, sizeof text, "words: %s", words);
	record_credential(i->e->journal, "admitted", x->name, text);
	log_info("enrol", "admitted node=%s", x->name);
	return 0;
}

static void on_admitted(void *ctx, int code, struct bytes sealed, const struct err_note *note)
{
	struct approval *x = ctx;
	struct invites *i = x->invites;
	struct err_note why = *note;

	if (code == 0)
		code = keep_approved(i, x, sealed);
	if (code < 0 && !x->done) {
		engine_log_failure("enrol", "a machine could not be admitted at once", code, &why);
		record_refused(i->e->journal, AUDIT_CREDENTIAL, "machine to admit", code, &why);
		x->failed = true; /* holon node approve tries again */
		return;
	}
	if (x->done)
		x->done(x->ctx, code, &why);
	drop_approval(i, x);
}

static int begin_approval(struct invites *i, size_t at, invites_fn *done, void *ctx)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct invitation *x = &i->list.items[at];
	struct join_request r;

	TRY(arena_new(&a, REQUEST_BYTES));
	TRY(request_of(x, a, &r));
	struct approval *fresh = calloc(1, sizeof *fresh);
	if (!fresh)
		return FAIL(-ENOMEM);
	*fresh = (struct approval){.next = i->approvals, .invites = i, .done = done, .ctx = ctx};
	snprintf(fresh->name, sizeof fresh->name, "%s", x->name);
	memcpy(fresh->key, x->key, sizeof fresh->key);
	i->approvals = fresh;
	const struct node_public keys = {r.curve, r.sign};
	const int code = signer_admit(i->e->signer, x, &keys, on_admitted, fresh);
	if (code < 0)
		drop_approval(i, fresh);
	return code;
}

static void approve_at_once(struct invites *i, size_t at)
{
	if (!find_approval(i, i->list.items[at].name))
		ignore(begin_approval(i, at, NULL, NULL)); /* tried again when it asks again */
}

static int check_asking(const struct invites *i, const char *name, size_t *ret, struct err_note *note)
{
	const size_t at = find(i, name);

	if (at == i->list.n)
		return FAIL_SAY(note, ERR_ABSENT, "%s is not invited", name);
	if (i->list.items[at].state == INVITATION_APPROVED)
		return FAIL_SAY(note, ERR_REFUSED, "%s is approved already: holon node revoke %s ends it",
				name, name);
	*ret = at;
	return 0;
}

/* What failed before may be tried again. */
static int check_not_pending(struct invites *i, const char *name, struct err_note *note)
{
	struct approval *pending = find_approval(i, name);

	if (pending && !pending->failed)
		return FAIL_SAY(note, ERR_REFUSED, "%s is being approved", name);
	if (pending)
		drop_approval(i, pending);
	return 0;
}

int invites_approve(struct invites *i, const char *name, const char *words, invites_fn *done, void *ctx,
		    struct err_note *note)
{
	char own[WORDS_SIZE];
	size_t at;

	TRY(check_asking(i, name, &at, note));
	const struct invitation *x = &i->list.items[at];
	if (x->state == INVITATION_REFUSED)
		return FAIL_SAY(note, ERR_REFUSED, "%s was refused: invite it again", name);
	if (x->until_ns <= trust_now(i->e->trust))
		return say_late(x, ERR_REFUSED, note);
	if (x->state == INVITATION_OPEN)
		return FAIL_SAY(note, ERR_REFUSED, "no machine has asked with the token of %s yet", name);
	TRY(words_of(i, x, own));
	if (strcmp(own, words) != 0)
		return FAIL_SAY(note, ERR_REFUSED, "the words of the machine that asks for %s are others: %s",
				name, own);
	TRY(check_not_pending(i, name, note));
	return begin_approval(i, at, done, ctx);
}

int invites_refuse(struct invites *i, const char *name, struct err_note *note)
{
	size_t at;

	TRY(check_asking(i, name, &at, note));
	TRY(check_not_pending(i, name, note));
	struct invitation x = i->list.items[at];
	x.state = INVITATION_REFUSED;
	return change(i, at, &x);
}
