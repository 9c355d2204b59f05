/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include "proto/codec.h"
#include "proto/id.h"

enum { BODY_BASE = 10 }; /* field number of a body, less its message_kind */

_Static_assert((int)HOLON__V1__ENVELOPE__BODY_HELLO == BODY_BASE + MESSAGE_HELLO, "message kinds agree");
_Static_assert((int)HOLON__V1__ENVELOPE__BODY_ANSWER == BODY_BASE + MESSAGE_ANSWER, "message kinds agree");
_Static_assert((int)HOLON__V1__ENVELOPE__BODY_BYE == BODY_BASE + MESSAGE_BYE, "message kinds agree");
_Static_assert((int)HOLON__V1__ENVELOPE__BODY_SUMS == BODY_BASE + MESSAGE_SUMS, "message kinds agree");
_Static_assert((int)HOLON__V1__RESET_REASON__RESET_LATER == N_RESET_REASONS - 1, "reset reasons agree");
_Static_assert((int)HOLON__V1__QUESTION_KIND__QUESTION_COMMAND == N_QUESTION_KINDS - 1,
	       "question kinds agree");

/* ---- heads */

static int incarnation_to_pb(struct arena *a, const struct incarnation *i, PB(Incarnation) * pb)
{
	(void)a;
	pb->id = i->id;
	pb->start_seq = i->start_seq;
	return 0;
}

static int incarnation_from_pb(struct arena *a, const PB(Incarnation) * pb, struct incarnation *ret)
{
	(void)a;
	*ret = (struct incarnation){pb->id, pb->start_seq};
	return 0;
}

static int head_to_pb(struct arena *a, const struct head *h, PB(Head) * pb)
{
	pb->origin = text_to_pb(h->origin);
	pb->seq = h->seq;
	pb->sum = bytes_to_pb((struct bytes){h->fingerprint.sum.b, sizeof h->fingerprint.sum.b});
	pb->count = h->fingerprint.count;
	pb->epoch = h->epoch;
	pb->stamp_ns = h->stamp_ns;
	return LIST_TO_PB(a, incarnation, h->lineage, h->n_lineage, incarnation_to_pb, &pb->lineage,
			  &pb->n_lineage);
}

static int head_from_pb(struct arena *a, const PB(Head) * pb, struct head *ret)
{
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	TRY(malformed_unless(pb->n_lineage >= 1 && pb->n_lineage <= LINEAGE_MAX));
	TRY(LIST_FROM_PB(a, pb->lineage, pb->n_lineage, incarnation_from_pb, &ret->lineage, &ret->n_lineage));
	ret->seq = pb->seq;
	ret->fingerprint.count = pb->count;
	ret->epoch = pb->epoch;
	ret->stamp_ns = pb->stamp_ns;
	return fixed_from_pb(pb->sum, ret->fingerprint.sum.b, sizeof ret->fingerprint.sum.b);
}

DEFINE_CODEC(head, Head, head)

static int notice_to_pb(struct arena *a, const struct head_notice *n, PB(HeadNotice) * pb)
{
	pb->age_ns = n->age_ns;
	return ONE_TO_PB(a, signed_blob, &n->head, signed_blob_to_pb, &pb->head);
}

static int notice_from_pb(struct arena *a, const PB(HeadNotice) * pb, struct head_notice *ret)
{
	TRY(malformed_unless(pb->head && pb->head->payload.len <= HEAD_MAX && pb->age_ns >= 0));
	ret->age_ns = pb->age_ns;
	return signed_blob_from_pb(a, pb->head, &ret->head);
}

static int heads_to_pb(struct arena *a, const struct heads *h, PB(Heads) * pb)
{
	pb->all = h->all;
	return LIST_TO_PB(a, head_notice, h->heads, h->n, notice_to_pb, &pb->heads, &pb->n_heads);
}

static int heads_from_pb(struct arena *a, const PB(Heads) * pb, struct heads *ret)
{
	TRY(malformed_unless(pb->n_heads <= ORIGINS_MAX));
	ret->all = pb->all;
	return LIST_FROM_PB(a, pb->heads, pb->n_heads, notice_from_pb, &ret->heads, &ret->n);
}

/* ---- session and streams */

static int hello_to_pb(struct arena *a, const struct hello *h, PB(Hello) * pb)
{
	(void)a;
	pb->protocol_min = h->protocol_min;
	pb->protocol_max = h->protocol_max;
	pb->features = h->features;
	pb->org = text_to_pb(h->org);
	pb->node = text_to_pb(h->node);
	pb->credential = bytes_to_pb(h->credential);
	pb->policy_epoch = h->policy_epoch;
	return 0;
}

static int hello_from_pb(const PB(Hello) * pb, struct hello *ret)
{
	TRY(malformed_unless(pb->protocol_min >= 1 && pb->protocol_min <= pb->protocol_max));
	ret->protocol_min = pb->protocol_min;
	ret->protocol_max = pb->protocol_max;
	ret->features = pb->features;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->node, word_is_node, &ret->node));
	ret->policy_epoch = pb->policy_epoch;
	return blob_from_pb(pb->credential, CREDENTIAL_MAX, &ret->credential);
}

static int pull_to_pb(struct arena *a, const struct pull *p, PB(Pull) * pb)
{
	(void)a;
	pb->id = p->id;
	pb->origin = text_to_pb(p->origin);
	pb->cursor = bytes_to_pb(p->cursor);
	pb->full = p->full;
	pb->credit = p->credit;
	return 0;
}

static int pull_from_pb(const PB(Pull) * pb, struct pull *ret)
{
	TRY(malformed_unless(pb->id != 0));
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	ret->id = pb->id;
	ret->full = pb->full;
	ret->credit = pb->credit;
	return blob_from_pb(pb->cursor, CURSOR_MAX, &ret->cursor);
}

static int rows_to_pb(struct arena *a, const struct rows *r, PB(Rows) * pb)
{
	pb->pull = r->pull;
	pb->index = r->index;
	pb->origin = text_to_pb(r->origin);
	pb->cursor = bytes_to_pb(r->cursor);
	pb->epoch = r->epoch;
	pb->full = r->full;
	pb->repair = r->repair;
	pb->gone = r->gone;
	pb->n_gone = r->n_gone;
	pb->leaves = r->leaves;
	if (r->at_head)
		TRY(ONE_TO_PB(a, head_notice, &r->head, notice_to_pb, &pb->head));
	return blobs_to_pb(a, r->rows, r->n, &pb->rows, &pb->n_rows);
}

static int rows_from_pb(struct arena *a, const PB(Rows) * pb, struct rows *ret)
{
	TRY(malformed_unless(pb->pull != 0));
	ret->pull = pb->pull;
	ret->index = pb->index;
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	TRY(blobs_from_pb(a, pb->rows, pb->n_rows, FRAME_OWN_MAX, &ret->rows));
	ret->n = pb->n_rows;
	TRY(blob_from_pb(pb->cursor, CURSOR_MAX, &ret->cursor));
	ret->epoch = pb->epoch;
	ret->full = pb->full;
	ret->at_head = pb->head;
	ret->repair = pb->repair;
	TRY(malformed_unless(pb->n_gone <= REPAIR_ENTRIES_MAX && pb->leaves <= REPAIR_PREFIXES_MAX));
	ret->gone = pb->gone;
	ret->n_gone = pb->n_gone;
	ret->leaves = pb->leaves;
	return pb->head ? notice_from_pb(a, pb->head, &ret->head) : 0;
}

static int reset_to_pb(struct arena *a, const struct reset *r, PB(Reset) * pb)
{
	(void)a;
	pb->pull = r->pull;
	pb->origin = text_to_pb(r->origin);
	pb->reason = (PB(ResetReason))r->reason;
	return 0;
}

static int reset_from_pb(const PB(Reset) * pb, struct reset *ret)
{
	TRY(malformed_unless(pb->pull != 0 && pb->reason != HOLON__V1__RESET_REASON__RESET_NONE));
	ret->pull = pb->pull;
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	return ENUM_FROM_PB(pb->reason, N_RESET_REASONS, &ret->reason);
}

/* ---- repair */

enum { PREFIX_BYTES = 2, ENTRY_BYTES = 12 };

static bool is_depth(uint32_t depth)
{
	return depth == 0 || depth == 8 || depth == 12 || depth == 16;
}

static int repair_to_pb(struct arena *a, const struct repair *r, PB(Repair) * pb)
{
	uint8_t *prefixes = arena_take(a, r->n * PREFIX_BYTES + 1);
	uint8_t *entries = arena_take(a, r->n_entries * ENTRY_BYTES + 1), *to = entries;

	if (!prefixes || !entries)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < r->n; i++) {
		prefixes[PREFIX_BYTES * i] = (uint8_t)(r->prefixes[i] >> 8);
		prefixes[PREFIX_BYTES * i + 1] = (uint8_t)r->prefixes[i];
	}
	for (size_t i = 0; i < r->n_entries; i++) {
		for (int shift = 56; shift >= 0; shift -= 8)
			*to++ = (uint8_t)(r->entries[i].key >> shift);
		for (int shift = 24; shift >= 0; shift -= 8)
			*to++ = (uint8_t)(r->entries[i].hash >> shift);
	}
	pb->id = r->id;
	pb->origin = text_to_pb(r->origin);
	pb->cursor = bytes_to_pb(r->cursor);
	pb->depth = r->depth;
	pb->prefixes = bytes_to_pb((struct bytes){prefixes, r->n * PREFIX_BYTES});
	pb->entries = bytes_to_pb((struct bytes){entries, r->n_entries * ENTRY_BYTES});
	return 0;
}

/* Rising, and none longer than it may be: two askers of the same say the same. */
static int prefixes_of_repair(struct arena *a, pb_data in, struct repair *ret)
{
	ret->n = in.len / PREFIX_BYTES;
	TRY(malformed_unless(in.len % PREFIX_BYTES == 0 && ret->n >= 1 && ret->n <= REPAIR_PREFIXES_MAX));
	ret->prefixes = arena_take_array(a, ret->n, sizeof *ret->prefixes);
	if (!ret->prefixes)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < ret->n; i++) {
		ret->prefixes[i] = (uint16_t)(in.data[PREFIX_BYTES * i] << 8 | in.data[PREFIX_BYTES * i + 1]);
		TRY(malformed_unless(ret->prefixes[i] >> ret->depth == 0 &&
				     (i == 0 || ret->prefixes[i] > ret->prefixes[i - 1])));
	}
	return 0;
}

static bool is_below(const struct repair *r, uint64_t key)
{
	size_t low = 0, high = r->n;
	const uint16_t prefix = (uint16_t)(key >> 48);

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (r->prefixes[mid] == prefix)
			return true;
		if (r->prefixes[mid] < prefix)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static int entries_of_repair(struct arena *a, pb_data in, struct repair *ret)
{
	ret->n_entries = in.len / ENTRY_BYTES;
	TRY(malformed_unless(in.len % ENTRY_BYTES == 0 && ret->n_entries <= REPAIR_ENTRIES_MAX &&
			     (ret->n_entries == 0 || ret->depth == 16)));
	ret->entries = arena_take_array(a, ret->n_entries, sizeof *ret->entries);
	if (!ret->entries)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < ret->n_entries; i++) {
		const uint8_t *p = in.data + ENTRY_BYTES * i;
		const uint32_t hash =
			(uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
		ret->entries[i] = (struct tree_leaf){get_u64(p), hash};
		TRY(malformed_unless((i == 0 || ret->entries[i].key > ret->entries[i - 1].key) &&
				     is_below(ret, ret->entries[i].key)));
	}
	return 0;
}

static int repair_from_pb(struct arena *a, const PB(Repair) * pb, struct repair *ret)
{
	TRY(malformed_unless(pb->id != 0 && is_depth(pb->depth)));
	ret->id = pb->id;
	ret->depth = pb->depth;
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	TRY(blob_from_pb(pb->cursor, CURSOR_MAX, &ret->cursor));
	TRY(prefixes_of_repair(a, pb->prefixes, ret));
	return entries_of_repair(a, pb->entries, ret);
}

static int sums_to_pb(struct arena *a, const struct sums *s, PB(Sums) * pb)
{
	(void)a;
	pb->id = s->id;
	pb->origin = text_to_pb(s->origin);
	pb->cursor = bytes_to_pb(s->cursor);
	pb->epoch = s->epoch;
	pb->sums = s->sums;
	pb->n_sums = s->n;
	return 0;
}

static int sums_from_pb(const PB(Sums) * pb, struct sums *ret)
{
	TRY(malformed_unless(pb->id != 0 && pb->n_sums <= (size_t)REPAIR_PREFIXES_MAX * 16));
	ret->id = pb->id;
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	TRY(blob_from_pb(pb->cursor, CURSOR_MAX, &ret->cursor));
	ret->epoch = pb->epoch;
	ret->sums = pb->sums;
	ret->n = pb->n_sums;
	return 0;
}

static int ping_to_pb(struct arena *a, const struct ping *p, PB(Ping) * pb)
{
	(void)a;
	pb->age_ms = (uint64_t)(p->age_ns / NS_PER_MS + (p->age_ns % NS_PER_MS > 0));
	return 0;
}

static int ping_from_pb(const PB(Ping) * pb, struct ping *ret)
{
	TRY(malformed_unless(pb->age_ms <= INT64_MAX / NS_PER_MS));
	ret->age_ns = (int64_t)pb->age_ms * NS_PER_MS;
	return 0;
}

/* ---- questions and answers */

int history_bucket_to_pb(struct arena *a, const struct history_bucket *b, PB(HistoryBucket) * pb)
{
	(void)a;
	pb->t_ns = b->t_ns;
	pb->last_ns = b->last_ns;
	pb->n = b->n;
	pb->n_bad = b->n_bad;
	pb->mean = b->mean;
	pb->sd = b->sd;
	pb->min = b->min;
	pb->max = b->max;
	pb->last = b->last;
	pb->coarse = b->coarse;
	return 0;
}

int history_bucket_from_pb(struct arena *a, const PB(HistoryBucket) * pb, struct history_bucket *ret)
{
	(void)a;
	*ret = (struct history_bucket){.t_ns = pb->t_ns,
				       .last_ns = pb->last_ns,
				       .n = pb->n,
				       .n_bad = pb->n_bad,
				       .mean = pb->mean,
				       .sd = pb->sd,
				       .min = pb->min,
				       .max = pb->max,
				       .last = pb->last,
				       .coarse = pb->coarse};
	return 0;
}

static bool is_of_view(enum question_kind kind)
{
	return kind == QUESTION_VIEW || kind == QUESTION_FIND;
}

static int question_to_pb(struct arena *a, const struct question *q, PB(Question) * pb)
{
	pb->id = q->id;
	pb->timeout_ns = q->timeout_ns;
	pb->asker = text_to_pb(q->asker);
	pb->person = bytes_to_pb(q->person);
	pb->errand = bytes_to_pb(q->errand);
	pb->kind = (PB(QuestionKind))q->kind;
	pb->index = q->index;
	pb->unfinished = q->unfinished;
	if (is_of_view(q->kind))
		return ONE_TO_PB(a, view_question, &q->view, view_question_to_pb, &pb->view);
	if (q->kind == QUESTION_MESH)
		return 0;
	pb->twin = text_to_pb(q->twin);
	if (q->kind == QUESTION_COMMAND) {
		pb->command = bytes_to_pb(q->command);
		pb->permit = q->permit;
		pb->seen = q->seen;
		return 0;
	}
	pb->property = text_to_pb(q->property);
	pb->from_ns = q->from_ns;
	pb->to_ns = q->to_ns;
	pb->limit = q->limit;
	pb->step_ns = q->step_ns;
	return 0;
}

static int question_about_twin(const PB(Question) * pb, struct question *ret)
{
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(word_or_none_from_pb(pb->property, id_is_name, &ret->property));
	TRY(malformed_unless((*ret->property != '\0' || ret->kind == QUESTION_READ) && pb->step_ns >= 0));
	ret->from_ns = pb->from_ns;
	ret->to_ns = pb->to_ns;
	ret->limit = pb->limit;
	ret->step_ns = pb->step_ns;
	return 0;
}

/* Who sends it is inside; the twin says where it goes. */
static int question_with_command(const PB(Question) * pb, struct question *ret)
{
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(blob_from_pb(pb->command, COMMAND_MAX, &ret->command));
	ret->permit = pb->permit;
	ret->seen = pb->seen;
	return malformed_unless(ret->command.len > 0);
}

static int question_from_pb(struct arena *a, const PB(Question) * pb, struct question *ret)
{
	TRY(malformed_unless(pb->kind != HOLON__V1__QUESTION_KIND__QUESTION_NONE && pb->timeout_ns >= 0));
	TRY(ENUM_FROM_PB(pb->kind, N_QUESTION_KINDS, &ret->kind));
	TRY(word_or_none_from_pb(pb->asker, word_is_org, &ret->asker));
	TRY(blob_from_pb(pb->person, CREDENTIAL_MAX, &ret->person));
	TRY(blob_from_pb(pb->errand, ERRAND_MAX, &ret->errand));
	ret->id = pb->id;
	ret->timeout_ns = pb->timeout_ns;
	ret->twin = ret->property = "";
	if (ret->kind == QUESTION_MESH)
		return 0;
	if (ret->kind == QUESTION_COMMAND)
		return question_with_command(pb, ret);
	if (!is_of_view(ret->kind))
		return question_about_twin(pb, ret);
	TRY(malformed_unless(pb->view && pb->index < ROOTS_MAX));
	ret->index = pb->index;
	ret->unfinished = pb->unfinished;
	TRY(malformed_unless((ret->kind == QUESTION_FIND) == (pb->view->n_roots == 0)));
	return view_question_from_pb(a, pb->view, &ret->view);
}

static int past_to_pb(struct arena *a, const struct answer *w, PB(Answer) * pb)
{
	if (w->has_coarse_until) {
		pb->coarse_case = HOLON__V1__ANSWER__COARSE_COARSE_UNTIL_NS;
		pb->coarse_until_ns = w->coarse_until_ns;
	}
	TRY(LIST_TO_PB(a, sample, w->samples, w->n_samples, sample_to_pb, &pb->samples, &pb->n_samples));
	return LIST_TO_PB(a, history_bucket, w->buckets, w->n_buckets, history_bucket_to_pb, &pb->buckets,
			  &pb->n_buckets);
}

static int past_from_pb(struct arena *a, const PB(Answer) * pb, struct answer *ret)
{
	ret->has_coarse_until = pb->coarse_case == HOLON__V1__ANSWER__COARSE_COARSE_UNTIL_NS;
	ret->coarse_until_ns = ret->has_coarse_until ? pb->coarse_until_ns : 0;
	TRY(LIST_FROM_PB(a, pb->samples, pb->n_samples, sample_from_pb, &ret->samples, &ret->n_samples));
	return LIST_FROM_PB(a, pb->buckets, pb->n_buckets, history_bucket_from_pb, &ret->buckets,
			    &ret->n_buckets);
}

static int answer_to_pb(struct arena *a, const struct answer *w, PB(Answer) * pb)
{
	pb->id = w->id;
	pb->index = w->index;
	pb->last = w->last;
	pb->code = w->code;
	pb->text = text_to_pb(w->text);
	pb->kind = (PB(QuestionKind))w->kind;
	pb->unit = text_to_pb(w->unit);
	pb->more = w->more;
	pb->command = bytes_to_pb(w->command);
	if (is_of_view(w->kind))
		TRY(ONE_TO_PB(a, view_part, &w->view, view_part_to_pb, &pb->view));
	if (w->kind == QUESTION_MESH && w->report.node)
		TRY(ONE_TO_PB(a, node_report, &w->report, node_report_to_pb, &pb->report));
	if (w->row.id)
		TRY(ONE_TO_PB(a, row, &w->row, row_to_pb, &pb->row));
	TRY(LIST_TO_PB(a, kpi, w->values, w->n_values, kpi_to_pb, &pb->values, &pb->n_values));
	return past_to_pb(a, w, pb);
}

static int answer_from_pb(struct arena *a, const PB(Answer) * pb, struct answer *ret)
{
	TRY(malformed_unless(pb->kind != HOLON__V1__QUESTION_KIND__QUESTION_NONE && pb->code <= 0 &&
			     pb->n_values <= PROPERTIES_MAX));
	TRY(ENUM_FROM_PB(pb->kind, N_QUESTION_KINDS, &ret->kind));
	ret->id = pb->id;
	ret->index = pb->index;
	ret->last = pb->last;
	ret->code = pb->code;
	TRY(sentence_from_pb(pb->text, SENTENCE_MAX, &ret->text));
	TRY(text_from_pb(pb->unit, UNIT_MAX, &ret->unit));
	ret->more = pb->more;
	TRY(blob_from_pb(pb->command, COMMAND_RECORD_MAX, &ret->command));
	if (is_of_view(ret->kind) && pb->view)
		TRY(view_part_from_pb(a, pb->view, &ret->view));
	if (ret->kind == QUESTION_MESH && pb->report)
		TRY(node_report_from_pb(a, pb->report, &ret->report));
	if (pb->row)
		TRY(row_from_pb(a, pb->row, &ret->row));
	TRY(LIST_FROM_PB(a, pb->values, pb->n_values, kpi_from_pb, &ret->values, &ret->n_values));
	return past_from_pb(a, pb, ret);
}

/* ---- trust */

static int standing_to_pb(struct arena *a, const struct trust_standing *s, PB(Standing) * pb)
{
	(void)a;
	pb->org = text_to_pb(s->org);
	pb->digest = s->digest;
	return 0;
}

static int standing_from_pb(const PB(Standing) * pb, struct trust_standing *ret)
{
	ret->digest = pb->digest;
	return word_from_pb(pb->org, word_is_org, &ret->org);
}

static int trust_piece_to_pb(struct arena *a, const struct trust_piece *p, PB(TrustPiece) * pb)
{
	(void)a;
	pb->org = text_to_pb(p->org);
	pb->digest = p->digest;
	pb->total = p->total;
	pb->offset = p->offset;
	pb->piece = bytes_to_pb(p->piece);
	return 0;
}

static int trust_piece_from_pb(const PB(TrustPiece) * pb, struct trust_piece *ret)
{
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(malformed_unless(pb->total > 0 && pb->total <= FRAME_OWN_MAX && pb->offset < pb->total &&
			     pb->piece.len > 0 && pb->piece.len <= pb->total - pb->offset));
	ret->digest = pb->digest;
	ret->total = pb->total;
	ret->offset = pb->offset;
	return blob_from_pb(pb->piece, FRAME_FILL, &ret->piece);
}

static int reach_to_pb(struct arena *a, const struct reach *r, PB(Reach) * pb)
{
	return texts_to_pb(a, r->orgs, r->n, &pb->orgs, &pb->n_orgs);
}

static int reach_from_pb(struct arena *a, const PB(Reach) * pb, struct reach *ret)
{
	TRY(malformed_unless(pb->n_orgs <= REACH_MAX));
	ret->orgs = arena_take(a, pb->n_orgs * sizeof *ret->orgs);
	if (!ret->orgs)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < pb->n_orgs; i++)
		TRY(word_from_pb(pb->orgs[i], word_is_org, &ret->orgs[i]));
	ret->n = pb->n_orgs;
	return 0;
}

/* ---- the envelope */

static int message_to_pb(struct arena *a, const struct message *m, PB(Envelope) * pb)
{
	pb->nonce = m->nonce;
	pb->frame = m->frame;
	pb->body_case = (PB(Envelope__BodyCase))(BODY_BASE + (int)m->kind);
	switch (m->kind) {
	case MESSAGE_HELLO: return ONE_TO_PB(a, hello, &m->hello, hello_to_pb, &pb->hello);
	case MESSAGE_HEADS: return ONE_TO_PB(a, heads, &m->heads, heads_to_pb, &pb->heads);
	case MESSAGE_PULL: return ONE_TO_PB(a, pull, &m->pull, pull_to_pb, &pb->pull);
	case MESSAGE_ROWS: return ONE_TO_PB(a, rows, &m->rows, rows_to_pb, &pb->rows);
	case MESSAGE_RESET: return ONE_TO_PB(a, reset, &m->reset, reset_to_pb, &pb->reset);
	case MESSAGE_QUESTION: return ONE_TO_PB(a, question, &m->question, question_to_pb, &pb->question);
	case MESSAGE_ANSWER: return ONE_TO_PB(a, answer, &m->answer, answer_to_pb, &pb->answer);
	case MESSAGE_POLICY: return ONE_TO_PB(a, signed_blob, &m->policy, signed_blob_to_pb, &pb->policy);
	case MESSAGE_STANDING: return ONE_TO_PB(a, standing, &m->standing, standing_to_pb, &pb->standing);
	case MESSAGE_TRUST: return ONE_TO_PB(a, trust_piece, &m->trust, trust_piece_to_pb, &pb->trust);
	case MESSAGE_AGREEMENT:
		return ONE_TO_PB(a, signed_blob, &m->agreement, signed_blob_to_pb, &pb->agreement);
	case MESSAGE_FRESHNESS:
		return ONE_TO_PB(a, signed_blob, &m->freshness, signed_blob_to_pb, &pb->freshness);
	case MESSAGE_PING: return ONE_TO_PB(a, ping, &m->ping, ping_to_pb, &pb->ping);
	case MESSAGE_REPAIR: return ONE_TO_PB(a, repair, &m->repair, repair_to_pb, &pb->repair);
	case MESSAGE_SUMS: return ONE_TO_PB(a, sums, &m->sums, sums_to_pb, &pb->sums);
	case MESSAGE_REACH: return ONE_TO_PB(a, reach, &m->reach, reach_to_pb, &pb->reach);
	case MESSAGE_TELL: pb->tell = pb_new(a, &PB_DESCRIPTOR(tell)); return pb->tell ? 0 : FAIL(-ENOMEM);
	case MESSAGE_BYE: pb->bye = pb_new(a, &PB_DESCRIPTOR(bye)); return pb->bye ? 0 : FAIL(-ENOMEM);
	case N_MESSAGE_KINDS: break;
	}
	return FAIL(-EINVAL);
}

static int message_from_pb(struct arena *a, const PB(Envelope) * pb, struct message *ret)
{
	TRY(malformed_unless(pb->frame != 0 && pb->body_case != HOLON__V1__ENVELOPE__BODY__NOT_SET));
	ret->nonce = pb->nonce;
	ret->frame = pb->frame;
	ret->kind = (enum message_kind)((int)pb->body_case - BODY_BASE);
	switch (ret->kind) {
	case MESSAGE_HELLO: return hello_from_pb(pb->hello, &ret->hello);
	case MESSAGE_HEADS: return heads_from_pb(a, pb->heads, &ret->heads);
	case MESSAGE_PULL: return pull_from_pb(pb->pull, &ret->pull);
	case MESSAGE_ROWS: return rows_from_pb(a, pb->rows, &ret->rows);
	case MESSAGE_RESET: return reset_from_pb(pb->reset, &ret->reset);
	case MESSAGE_QUESTION: return question_from_pb(a, pb->question, &ret->question);
	case MESSAGE_ANSWER: return answer_from_pb(a, pb->answer, &ret->answer);
	case MESSAGE_POLICY: return signed_blob_from_pb(a, pb->policy, &ret->policy);
	case MESSAGE_STANDING: return standing_from_pb(pb->standing, &ret->standing);
	case MESSAGE_TRUST: return trust_piece_from_pb(pb->trust, &ret->trust);
	case MESSAGE_AGREEMENT: return signed_blob_from_pb(a, pb->agreement, &ret->agreement);
	case MESSAGE_FRESHNESS: return signed_blob_from_pb(a, pb->freshness, &ret->freshness);
	case MESSAGE_PING: return ping_from_pb(pb->ping, &ret->ping);
	case MESSAGE_REPAIR: return repair_from_pb(a, pb->repair, &ret->repair);
	case MESSAGE_SUMS: return sums_from_pb(pb->sums, &ret->sums);
	case MESSAGE_REACH: return reach_from_pb(a, pb->reach, &ret->reach);
	case MESSAGE_TELL:
	case MESSAGE_BYE: return 0;
	case N_MESSAGE_KINDS: break;
	}
	return FAIL(ERR_MALFORMED);
}

DEFINE_CODEC(message, Envelope, envelope)
