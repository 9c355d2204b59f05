/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/audit_evidence.h"

#include <sodium.h>

#include "proto/clock.h"
#include "proto/message.h"
#include "security/sign.h"
#include "tools/json.h"
#include "tools/print.h"

enum { EVIDENCE_MAX = 1 << 16, KEY_TEXT_SIZE = 2 * KEY_BYTES + 1 };

void audit_evidence_fini(struct audit_evidence *v)
{
	for (size_t i = 0; i < EVIDENCE_HEADS; i++)
		buf_fini(&v->heads[i]);
}

/* ---- One head ---- */

struct opened {
	bool is_head, is_signed;
	struct signed_blob blob;
	struct head head;
	char key[KEY_TEXT_SIZE];
};

static struct opened open_head(struct arena *a, struct bytes encoded)
{
	struct opened o = {0};

	if (signed_blob_decode(a, encoded, &o.blob) < 0 || head_decode(a, o.blob.payload, &o.head) < 0)
		return o;
	o.is_head = true;
	o.is_signed = sign_verify(SIGN_HEAD, &o.blob);
	sodium_bin2hex(o.key, sizeof o.key, o.blob.key.b, KEY_BYTES);
	return o;
}

static uint64_t life_of(const struct head *h)
{
	return h->n_lineage > 0 ? h->lineage[h->n_lineage - 1].id : 0;
}

static void print_head(size_t i, const struct opened *o)
{
	const struct head *h = &o->head;

	if (!o->is_head) {
		printf("  head %zu cannot be read\n", i + 1);
		return;
	}
	char sum[2 * sizeof h->fingerprint.sum.b + 1];
	sodium_bin2hex(sum, sizeof sum, h->fingerprint.sum.b, sizeof h->fingerprint.sum.b);
	printf("  head %zu: incarnation %016llx, number %llu, %llu twins %s\n", i + 1,
	       (unsigned long long)life_of(h), (unsigned long long)h->seq,
	       (unsigned long long)h->fingerprint.count, sum);
	printf("    %s by %s\n", o->is_signed ? "signed" : "NOT SIGNED", o->key);
}

static int head_json(struct json *j, const struct opened *o, struct bytes encoded)
{
	const size_t size = sodium_base64_ENCODED_LEN(encoded.len, sodium_base64_VARIANT_ORIGINAL);
	SCOPED(buf_fini) struct buf text = {0};
	char *to = (char *)buf_extend(&text, size);

	if (!to)
		return FAIL(-ENOMEM);
	sodium_bin2base64(to, size, encoded.data, encoded.len, sodium_base64_VARIANT_ORIGINAL);
	json_open(j, NULL, '{');
	json_bool(j, "readable", o->is_head);
	json_bool(j, "signed", o->is_signed);
	json_text(j, "key", o->key);
	json_count(j, "incarnation", life_of(&o->head));
	json_count(j, "seq", o->head.seq);
	json_count(j, "twins", o->head.fingerprint.count);
	json_text(j, "head", to);
	json_close(j);
	return 0;
}

/* ---- A fork ---- */

static int print_json(const struct audit_evidence *v, const struct opened o[EVIDENCE_HEADS])
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_count(&j, "entry", v->entry);
	json_time(&j, "t", v->fork.time_ns);
	json_text(&j, "origin", v->origin);
	json_text(&j, "why", v->why);
	json_open(&j, "heads", '[');
	for (size_t i = 0; i < EVIDENCE_HEADS; i++)
		TRY(head_json(&j, &o[i], buf_bytes(&v->heads[i])));
	json_close(&j);
	json_close(&j);
	return 0;
}

int audit_evidence_end(struct audit_evidence *v)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct opened o[EVIDENCE_HEADS];
	char time[TIME_TEXT_SIZE];

	if (!v->open)
		return 0;
	v->open = false;
	v->n_forks++;
	TRY(arena_new(&a, EVIDENCE_MAX * 16));
	for (size_t i = 0; i < EVIDENCE_HEADS; i++) {
		TRY(buf_check(&v->heads[i]));
		o[i] = open_head(a, buf_bytes(&v->heads[i]));
	}
	if (v->ctx->json)
		return print_json(v, o);
	printf("%llu %s ", (unsigned long long)v->entry, time_text(v->fork.time_ns, time));
	print_clean(stdout, v->origin);
	fputs(": ", stdout);
	print_clean(stdout, v->why);
	putchar('\n');
	for (size_t i = 0; i < EVIDENCE_HEADS; i++)
		print_head(i, &o[i]);
	return 0;
}

/* More of one head; what is no base64 ends it, and then it cannot be read. */
static void take_part(struct audit_evidence *v, const struct audit_entry *e)
{
	struct buf *head = &v->heads[strcmp(e->property, "head2") == 0];
	const size_t len = strlen(e->text);
	size_t n = 0;

	if (head->len + len > EVIDENCE_MAX)
		return;
	uint8_t *to = buf_extend(head, len);
	if (!to)
		return;
	ignore(sodium_base642bin(to, len, e->text, len, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL));
	head->len -= len - n;
}

int audit_evidence_add(struct audit_evidence *v, uint64_t n, const struct audit_entry *e)
{
	if (e->kind != AUDIT_TRUST)
		return 0;
	if (v->open && strcmp(e->subject, "fork evidence") == 0 && strcmp(e->twin, v->origin) == 0)
		take_part(v, e);
	if (strcmp(e->subject, "fork") != 0)
		return 0;
	TRY(audit_evidence_end(v));
	v->open = true;
	v->entry = n;
	v->fork.time_ns = e->time_ns;
	snprintf(v->origin, sizeof v->origin, "%s", e->twin);
	snprintf(v->why, sizeof v->why, "%s", e->text);
	for (size_t i = 0; i < EVIDENCE_HEADS; i++)
		buf_clear(&v->heads[i]);
	return 0;
}
