/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "security/audit_check.h"
#include "tools/audit_evidence.h"
#include "tools/audit_file.h"
#include "tools/audit_show.h"
#include "tools/audit_walk.h"
#include "tools/json.h"
#include "tools/print.h"

/* ---- list ------------------------------------------------------------------------------------------------
 */

static const struct flag list_flags[] = {
	{"since", "TIME", "only what was written from then on", false},
	{"kind", "KIND", "only entries of this kind", false},
	{"limit", "N", "at most so many", false},
	{0},
};

struct listing {
	struct context *ctx;
	int64_t since_ns;
	uint32_t left;
	bool has_kind;
	enum audit_kind kind;
};

static int list_record(void *user, uint64_t n, const struct audit_record *r, struct err_note *note)
{
	struct listing *l = user;
	struct audit_entry e;

	if (r->kind != AUDIT_RECORD_ENTRY)
		return 0;
	const int code = audit_entry_decode(l->ctx->arena, r->body, &e);
	if (code < 0)
		return FAIL_SAY(note, code, "entry %llu cannot be read: %s", (unsigned long long)n,
				err_text(code));
	if (e.time_ns < l->since_ns || (l->has_kind && e.kind != l->kind))
		return 0;
	audit_show_entry(n, &e, l->ctx->json);
	return --l->left == 0 ? AUDIT_WALK_ENOUGH : 0;
}

static int list_flags_read(struct context *ctx, struct listing *l, struct err_note *note)
{
	const char *kind = flag_text(ctx, "kind");

	TRY(flag_time(ctx, "since", 0, &l->since_ns, note));
	TRY(flag_count(ctx, "limit", UINT32_MAX, &l->left, note));
	l->has_kind = kind != NULL;
	if (kind && !audit_kind_parse(kind, &l->kind))
		return FAIL_SAY(note, ERR_REFUSED, "--kind: %.40s is none of %s", kind, AUDIT_SHOW_KINDS);
	return l->left > 0 ? 0 : FAIL_SAY(note, ERR_REFUSED, "--limit: at least 1");
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct listing l = {.ctx = ctx};
	struct err_note note = {0};

	(void)argc, (void)argv;
	if (list_flags_read(ctx, &l, &note) < 0)
		return say_usage(&note);
	return audit_walk(&(struct audit_walk){
		.ctx = ctx, .since_ns = l.since_ns, .on_record = list_record, .user = &l});
}

/* ---- verify, prove ---------------------------------------------------------------------------------------
 */

static const struct flag verify_flags[] = {
	{"key", "KEY", "the key that must have signed, as `audit verify` printed it earlier", false},
	{"file", "FILE", "an audit that was exported, instead of the node's", false},
	{0},
};

struct checking {
	struct audit_check check;
	const char *key_wanted;
	bool proves, compares;
	uint64_t wanted;         /* entry */
	uint64_t old;            /* entries under an earlier checkpoint ... */
	struct merkle_hash root; /* ... and the root it states */
	struct buf entry, checkpoint;
};

static void checking_fini(struct checking *c)
{
	audit_check_fini(&c->check);
	buf_fini(&c->entry);
	buf_fini(&c->checkpoint);
}

static int take_key(void *user, const char *key, struct err_note *note)
{
	struct checking *c = user;

	if (c->key_wanted && strcmp(key, c->key_wanted) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the node signs with another key: %.180s", key);
	if (checkpoint_key_parse(key, &c->check.key) < 0)
		return FAIL_SAY(note, ERR_MALFORMED, "the node's key cannot be read: %.180s", key);
	return 0;
}

static int check_old(const struct checking *c, struct err_note *note)
{
	const struct merkle_hash now = merkle_root(&c->check.tree);

	if (merkle_same(&now, &c->root))
		return 0;
	return FAIL_SAY(
		note, ERR_UNTRUSTED,
		"the first %llu entries are not those of the old checkpoint: the audit was written anew",
		(unsigned long long)c->old);
}

static int check_record(void *user, uint64_t n, const struct audit_record *r, struct err_note *note)
{
	struct checking *c = user;

	TRY(audit_check_record(&c->check, r, note));
	if (c->compares && r->kind == AUDIT_RECORD_ENTRY && n + 1 == c->old)
		TRY(check_old(c, note));
	if (!c->proves)
		return 0;
	if (r->kind == AUDIT_RECORD_ENTRY && n == c->wanted)
		buf_put(&c->entry, r->body);
	if (r->kind == AUDIT_RECORD_CHECKPOINT && c->check.covered > c->wanted) {
		buf_put(&c->checkpoint, r->body);
		TRY(buf_check(&c->checkpoint));
		return AUDIT_WALK_ENOUGH;
	}
	return 0;
}

static void print_verified(const struct context *ctx, const struct checking *c)
{
	const struct audit_check *k = &c->check;
	const unsigned long long n = k->tree.n, open = k->tree.n - k->covered;
	struct json j = {.out = stdout};
	char key[CHECKPOINT_KEY_SIZE];

	checkpoint_key_text(&k->key, key);
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_bool(&j, "good", true);
		json_count(&j, "entries", n);
		json_count(&j, "covered", k->covered);
		json_count(&j, "checkpoints", k->n_checkpoints);
		json_text(&j, "key", key);
		json_close(&j);
		return;
	}
	printf("%llu entries under %llu checkpoints are as they were signed\n",
	       (unsigned long long)k->covered, (unsigned long long)k->n_checkpoints);
	if (open > 0)
		printf("%llu newer ones are not signed yet\n", open);
	printf("signed by %s%s\n", key,
	       c->key_wanted ? "" : " (says the audit: compare it, and give it as --key)");
}

static enum status verify_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(checking_fini) struct checking c = {.key_wanted = flag_text(ctx, "key")};

	(void)argc, (void)argv;
	const enum status status = audit_walk(&(struct audit_walk){.ctx = ctx,
								   .file = flag_text(ctx, "file"),
								   .on_record = check_record,
								   .on_key = take_key,
								   .user = &c});
	if (status == STATUS_OK)
		print_verified(ctx, &c);
	return status;
}

static void base64_line(const char *before, struct bytes b, struct buf *out)
{
	const size_t size = sodium_base64_ENCODED_LEN(b.len, sodium_base64_VARIANT_ORIGINAL);
	SCOPED(buf_fini) struct buf text = {0};
	char *to = (char *)buf_extend(&text, size);

	out->failed |= !to;
	if (to)
		buf_print(out, "%s%s\n", before,
			  sodium_bin2base64(to, size, b.data, b.len, sodium_base64_VARIANT_ORIGINAL));
}

/* C2SP tlog-proof: the entry as extra data, its place, the hashes beside its path, the checkpoint. */
static void make_proof(const struct checking *c, struct buf *out)
{
	struct merkle_proof p;

	merkle_prove(c->check.leaves, c->check.covered, c->wanted, &p);
	buf_print(out, "c2sp.org/tlog-proof@v1\n");
	base64_line("extra ", buf_bytes(&c->entry), out);
	buf_print(out, "index %llu\n", (unsigned long long)c->wanted);
	for (size_t i = 0; i < p.n; i++)
		base64_line("", (struct bytes){p.hashes[i].b, MERKLE_BYTES}, out);
	buf_put_text(out, "\n");
	buf_put(out, buf_bytes(&c->checkpoint));
}

static enum status print_proof(const struct context *ctx, const struct checking *c)
{
	SCOPED(buf_fini) struct buf text = {0};
	struct json j = {.out = stdout};

	if (c->checkpoint.len == 0) {
		say(c->wanted < c->check.tree.n
			    ? "entry %llu is not under a checkpoint yet: try again in ten seconds"
			    : "there is no entry %llu",
		    (unsigned long long)c->wanted);
		return STATUS_FAILED;
	}
	make_proof(c, &text);
	buf_put_u8(&text, '\0');
	if (buf_check(&text) < 0)
		return say_failed(-ENOMEM, NULL);
	if (!ctx->json) {
		fputs((const char *)text.data, stdout);
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "entry", c->wanted);
	json_text(&j, "proof", (const char *)text.data);
	json_close(&j);
	return STATUS_OK;
}

static enum status prove_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(checking_fini)
	struct checking c = {.check.keep_leaves = true, .proves = true, .key_wanted = flag_text(ctx, "key")};
	char *end;

	(void)argc;
	errno = 0;
	c.wanted = strtoull(argv[0], &end, 10);
	if (*end || errno || argv[0][0] < '0' || argv[0][0] > '9') {
		say("%s is not the number of an entry: see `holon audit list`", argv[0]);
		return STATUS_USAGE;
	}
	const enum status status = audit_walk(&(struct audit_walk){.ctx = ctx,
								   .file = flag_text(ctx, "file"),
								   .on_record = check_record,
								   .on_key = take_key,
								   .user = &c});
	return status == STATUS_OK ? print_proof(ctx, &c) : status;
}

/* ---- export, checkpoint, consistency ---------------------------------------------------------------------
 */

static enum status export_run(struct context *ctx, int argc, char *const argv[])
{
	struct json j = {.out = stdout};
	uint64_t n = 0;

	(void)argc;
	const enum status status = audit_file_export(ctx, argv[0], &n);
	if (status != STATUS_OK)
		return status;
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_count(&j, "entries", n);
		json_close(&j);
	} else {
		printf("%llu entries written\n", (unsigned long long)n);
	}
	return STATUS_OK;
}

static int keep_checkpoint(void *user, uint64_t n, const struct audit_record *r, struct err_note *note)
{
	struct checking *c = user;

	TRY(check_record(user, n, r, note));
	if (r->kind != AUDIT_RECORD_CHECKPOINT)
		return 0;
	buf_clear(&c->checkpoint);
	buf_put(&c->checkpoint, r->body);
	return buf_check(&c->checkpoint);
}

static enum status checkpoint_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(checking_fini) struct checking c = {.key_wanted = flag_text(ctx, "key")};
	struct json j = {.out = stdout};

	(void)argc, (void)argv;
	const enum status status = audit_walk(&(struct audit_walk){.ctx = ctx,
								   .file = flag_text(ctx, "file"),
								   .on_record = keep_checkpoint,
								   .on_key = take_key,
								   .user = &c});
	if (status != STATUS_OK)
		return status;
	if (c.checkpoint.len == 0) {
		say("nothing is under a checkpoint yet: try again in ten seconds");
		return STATUS_FAILED;
	}
	buf_put_u8(&c.checkpoint, '\0');
	if (buf_check(&c.checkpoint) < 0)
		return say_failed(-ENOMEM, NULL);
	if (!ctx->json) {
		fputs((const char *)c.checkpoint.data, stdout);
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "entries", c.check.covered);
	json_text(&j, "checkpoint", (const char *)c.checkpoint.data);
	json_close(&j);
	return STATUS_OK;
}

/* The key is known from here on: was the old checkpoint signed with it? */
static int take_key_and_old(void *user, const char *key, struct err_note *note)
{
	struct checking *c = user;

	TRY(take_key(user, key, note));
	const int r = checkpoint_open(&c->check.key, buf_bytes(&c->checkpoint), &c->old, &c->root);
	return r < 0 ? FAIL_SAY(note, r, "the old checkpoint is not one that %s signed", c->check.key.origin)
		     : 0;
}

/* RFC 6962 2.1.2: from the old root and the new one anybody can check it without the entries. */
static void growth_json(struct json *j, const struct checking *c)
{
	char text[sodium_base64_ENCODED_LEN(MERKLE_BYTES, sodium_base64_VARIANT_ORIGINAL)];
	struct merkle_proof p = {0};

	if (c->old > 0 && c->old < c->check.covered)
		merkle_prove_growth(c->check.leaves, c->check.covered, c->old, &p);
	json_open(j, "proof", '[');
	for (size_t i = 0; i < p.n; i++)
		json_text(j, NULL,
			  sodium_bin2base64(text, sizeof text, p.hashes[i].b, MERKLE_BYTES,
					    sodium_base64_VARIANT_ORIGINAL));
	json_close(j);
}

static enum status print_consistent(const struct context *ctx, const struct checking *c)
{
	const unsigned long long old = c->old, now = c->check.covered;
	struct json j = {.out = stdout};

	if (c->old > c->check.tree.n) {
		say("there are %llu entries, and there were %llu when the old checkpoint was made: the audit "
		    "was "
		    "cut",
		    (unsigned long long)c->check.tree.n, old);
		return STATUS_FAILED;
	}
	if (!ctx->json) {
		printf("the %llu entries of the old checkpoint are the first of %llu: the audit only grew\n",
		       old, now);
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	json_bool(&j, "good", true);
	json_count(&j, "old", c->old);
	json_count(&j, "entries", c->check.covered);
	growth_json(&j, c);
	json_close(&j);
	return STATUS_OK;
}

static enum status consistency_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(checking_fini)
	struct checking c = {
		.check.keep_leaves = ctx->json, .compares = true, .key_wanted = flag_text(ctx, "key")};
	struct err_note note = {0};
	struct bytes text;

	(void)argc;
	if (read_file(ctx->arena, argv[0], CHECKPOINT_MAX, &text, &note) < 0)
		return say_usage(&note);
	buf_put(&c.checkpoint, text);
	if (buf_check(&c.checkpoint) < 0)
		return say_failed(-ENOMEM, NULL);
	const enum status status = audit_walk(&(struct audit_walk){.ctx = ctx,
								   .file = flag_text(ctx, "file"),
								   .on_record = check_record,
								   .on_key = take_key_and_old,
								   .user = &c});
	return status == STATUS_OK ? print_consistent(ctx, &c) : status;
}

/* ---- who-saw ---------------------------------------------------------------------------------------------
 */

static const struct flag saw_flags[] = {
	{"since", "TIME", "only what left from then on", false},
	{0},
};

static int saw_record(void *user, uint64_t n, const struct audit_record *r, struct err_note *note)
{
	struct audit_saw *s = user;
	struct audit_entry e;

	if (r->kind != AUDIT_RECORD_ENTRY)
		return 0;
	const int code = audit_entry_decode(s->ctx->arena, r->body, &e);
	if (code < 0)
		return FAIL_SAY(note, code, "entry %llu cannot be read: %s", (unsigned long long)n,
				err_text(code));
	return audit_saw_add(s, &e);
}

static enum status saw_run(struct context *ctx, int argc, char *const argv[])
{
	struct audit_saw s = {
		.ctx = ctx, .arena = ctx->arena, .twin = argv[0], .property = argc > 1 ? argv[1] : NULL};
	struct err_note note = {0};

	if (id_check_twin(s.twin, &note) < 0 ||
	    (s.property && id_check_name(s.property, "property", &note) < 0) ||
	    flag_time(ctx, "since", 0, &s.since_ns, &note) < 0)
		return say_usage(&note);
	const enum status status = audit_walk(&(struct audit_walk){
		.ctx = ctx, .since_ns = s.since_ns, .on_record = saw_record, .user = &s});
	if (status == STATUS_OK)
		audit_saw_print(&s);
	return status;
}

/* ---- evidence --------------------------------------------------------------------------------------------
 */

static int evidence_record(void *user, uint64_t n, const struct audit_record *r, struct err_note *note)
{
	struct audit_evidence *v = user;
	struct audit_entry e;

	if (r->kind != AUDIT_RECORD_ENTRY)
		return 0;
	const int code = audit_entry_decode(v->ctx->arena, r->body, &e);
	if (code < 0)
		return FAIL_SAY(note, code, "entry %llu cannot be read: %s", (unsigned long long)n,
				err_text(code));
	return audit_evidence_add(v, n, &e);
}

static enum status evidence_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(audit_evidence_fini) struct audit_evidence v = {.ctx = ctx};

	(void)argc, (void)argv;
	const enum status status =
		audit_walk(&(struct audit_walk){.ctx = ctx, .on_record = evidence_record, .user = &v});
	if (status != STATUS_OK)
		return status;
	if (audit_evidence_end(&v) < 0)
		return say_failed(-ENOMEM, NULL);
	if (v.n_forks == 0 && !ctx->json)
		puts("nobody was seen to sign what cannot all be true");
	return STATUS_OK;
}

const struct verb cmd_audit[] = {
	{"audit list", "", "print what the node wrote down", list_flags, 0, 0, false, list_run},
	{"audit verify", "", "make sure that nothing in the audit was changed", verify_flags, 0, 0, false,
	 verify_run},
	{"audit prove", "N", "print a proof that entry N is in the audit", verify_flags, 1, 1, false,
	 prove_run},
	{"audit export", "FILE", "write the whole audit to a file, to be verified without the node", NULL, 1,
	 1, false, export_run},
	{"audit checkpoint", "", "print the newest signed checkpoint, to be kept", verify_flags, 0, 0, false,
	 checkpoint_run},
	{"audit consistency", "OLD", "make sure that the audit only grew since a checkpoint", verify_flags, 1,
	 1, false, consistency_run},
	{"audit evidence", "", "what origins signed and what cannot all be true", NULL, 0, 0, false,
	 evidence_run},
	{"audit who-saw", "TWIN [PROPERTY]", "which partners got a twin, how often", saw_flags, 1, 2, false,
	 saw_run},
	{0},
};
