/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/control.h"

#include "proto/codec.h"
#include "proto/id.h"

/* ---- the request */

static int name_to_pb(struct arena *a, const struct series_name *n, PB(SeriesName) * pb)
{
	(void)a;
	pb->twin = text_to_pb(n->twin);
	pb->property = text_to_pb(n->property);
	return 0;
}

static int name_from_pb(struct arena *a, const PB(SeriesName) * pb, struct series_name *ret)
{
	(void)a;
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	return word_from_pb(pb->property, id_is_name, &ret->property);
}

static int series_to_pb(struct arena *a, const struct control_request *r, PB(ControlRequest) * pb)
{
	pb->handles = r->handles; /* borrowed: it is only read */
	pb->n_handles = r->n_handles;
	return LIST_TO_PB(a, series_name, r->names, r->n_names, name_to_pb, &pb->names, &pb->n_names);
}

static int series_from_pb(struct arena *a, const PB(ControlRequest) * pb, struct control_request *ret)
{
	TRY(malformed_unless(pb->n_names <= SERIES_NAMES_MAX && pb->n_handles <= SERIES_NAMES_MAX));
	ret->handles = pb->handles;
	ret->n_handles = pb->n_handles;
	return LIST_FROM_PB(a, pb->names, pb->n_names, name_from_pb, &ret->names, &ret->n_names);
}

static bool has_question(enum control_op op)
{
	return op == CONTROL_VIEW || op == CONTROL_FIND || op == CONTROL_WATCH;
}

static int control_request_to_pb(struct arena *a, const struct control_request *r, PB(ControlRequest) * pb)
{
	pb->id = r->id;
	pb->op = (uint32_t)r->op;
	pb->twin = text_to_pb(r->twin);
	pb->property = text_to_pb(r->property);
	pb->name = text_to_pb(r->name);
	pb->prefix = text_to_pb(r->prefix);
	pb->tag = text_to_pb(r->tag);
	pb->alias = text_to_pb(r->alias);
	pb->after = text_to_pb(r->after);
	pb->org = text_to_pb(r->org);
	pb->right = text_to_pb(r->right);
	pb->text = text_to_pb(r->text);
	pb->kind = r->has_kind ? 1 + (uint32_t)r->kind : 0;
	pb->from_ns = r->from_ns;
	pb->to_ns = r->to_ns;
	pb->limit = r->limit;
	pb->blob = bytes_to_pb(r->blob);
	pb->person = bytes_to_pb(r->person);
	pb->errand = bytes_to_pb(r->errand);
	pb->atomic = r->atomic;
	pb->dry_run = r->dry_run;
	pb->step_ns = r->step_ns;
	if (r->has_as_of) {
		pb->past_case = HOLON__V1__CONTROL_REQUEST__PAST_AS_OF_NS;
		pb->as_of_ns = r->as_of_ns;
	}
	TRY(series_to_pb(a, r, pb));
	TRY(LIST_TO_PB(a, command_word, r->words, r->n_words, command_word_to_pb, &pb->words, &pb->n_words));
	if (has_question(r->op))
		TRY(ONE_TO_PB(a, view_question, &r->question, view_question_to_pb, &pb->question));
	return LIST_TO_PB(a, op, r->ops, r->n_ops, op_to_pb, &pb->ops, &pb->n_ops);
}

static int words_from_pb(const PB(ControlRequest) * pb, struct control_request *ret)
{
	TRY(word_or_none_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(word_or_none_from_pb(pb->property, id_is_name, &ret->property));
	TRY(word_or_none_from_pb(pb->name, id_is_name, &ret->name));
	TRY(text_from_pb(pb->prefix, TWIN_ID_MAX, &ret->prefix));
	TRY(word_or_none_from_pb(pb->tag, word_is_tag, &ret->tag));
	TRY(text_from_pb(pb->alias, ALIAS_MAX, &ret->alias));
	TRY(text_from_pb(pb->after, SENTENCE_MAX, &ret->after));
	TRY(word_or_none_from_pb(pb->org, word_is_org, &ret->org));
	TRY(text_from_pb(pb->right, PROPERTY_MAX, &ret->right));
	return raw_from_pb(pb->text, POLICY_TEXT_MAX, &ret->text);
}

static int control_request_from_pb(struct arena *a, const PB(ControlRequest) * pb,
				   struct control_request *ret)
{
	TRY(malformed_unless(pb->op >= CONTROL_STATUS && pb->op < N_CONTROL_OPS && pb->kind <= N_KINDS &&
			     pb->n_ops <= OPS_MAX && pb->step_ns >= 0 && pb->n_words <= COMMAND_WORDS_MAX));
	TRY(words_from_pb(pb, ret));
	ret->id = pb->id;
	ret->op = (enum control_op)pb->op;
	ret->has_kind = pb->kind > 0;
	ret->kind = ret->has_kind ? (enum kind)(pb->kind - 1) : KIND_COMPONENT;
	ret->from_ns = pb->from_ns;
	ret->to_ns = pb->to_ns;
	ret->limit = pb->limit;
	TRY(blob_from_pb(pb->blob, FRAME_CONTROL_MAX, &ret->blob));
	TRY(blob_from_pb(pb->person, CREDENTIAL_MAX, &ret->person));
	TRY(blob_from_pb(pb->errand, ERRAND_MAX, &ret->errand));
	ret->atomic = pb->atomic;
	ret->dry_run = pb->dry_run;
	ret->step_ns = pb->step_ns;
	ret->has_as_of = pb->past_case == HOLON__V1__CONTROL_REQUEST__PAST_AS_OF_NS;
	ret->as_of_ns = ret->has_as_of ? pb->as_of_ns : 0;
	TRY(series_from_pb(a, pb, ret));
	TRY(LIST_FROM_PB(a, pb->words, pb->n_words, command_word_from_pb, &ret->words, &ret->n_words));
	TRY(LIST_FROM_PB(a, pb->ops, pb->n_ops, op_from_pb, &ret->ops, &ret->n_ops));
	if (!has_question(ret->op))
		return 0;
	TRY(malformed_unless(pb->question && (ret->op == CONTROL_FIND) == (pb->question->n_roots == 0)));
	return view_question_from_pb(a, pb->question, &ret->question);
}

DEFINE_CODEC(control_request, ControlRequest, control_request)

uint64_t control_request_id(struct arena *a, struct bytes in)
{
	PB(ControlRequest) * pb;

	return pb_unpack(a, &PB_DESCRIPTOR(control_request), in, &pb) == 0 ? pb->id : 0;
}

/* ---- parts of the answer */

static int refusal_to_pb(struct arena *a, const struct refusal *r, PB(Refusal) * pb)
{
	(void)a;
	pb->index = r->index;
	pb->sample = r->sample + 1; /* UINT32_MAX, the op as a whole, becomes 0 */
	pb->reason = text_to_pb(r->reason);
	return 0;
}

static int refusal_from_pb(struct arena *a, const PB(Refusal) * pb, struct refusal *ret)
{
	(void)a;
	ret->index = pb->index;
	ret->sample = pb->sample - 1;
	return sentence_from_pb(pb->reason, SENTENCE_MAX, &ret->reason);
}

static int note_to_pb(struct arena *a, const struct change_note *n, PB(ChangeNote) * pb)
{
	(void)a;
	pb->index = n->index;
	pb->text = text_to_pb(n->text);
	pb->loses = n->loses;
	return 0;
}

static int note_from_pb(struct arena *a, const PB(ChangeNote) * pb, struct change_note *ret)
{
	(void)a;
	ret->index = pb->index;
	ret->loses = pb->loses;
	return sentence_from_pb(pb->text, NOTE_MAX, &ret->text);
}

static int org_to_pb(struct arena *a, const struct org_info *o, PB(OrgInfo) * pb)
{
	pb->name = text_to_pb(o->name);
	pb->fingerprint = text_to_pb(o->fingerprint);
	pb->words = text_to_pb(o->words);
	pb->own = o->own;
	pb->manifest_version = o->manifest_version;
	pb->policy_epoch = o->policy_epoch;
	pb->valid_until_ns = o->valid_until_ns;
	pb->trusted_by = text_to_pb(o->trusted_by);
	return texts_to_pb(a, o->nodes, o->n_nodes, &pb->nodes, &pb->n_nodes);
}

static int org_from_pb(struct arena *a, const PB(OrgInfo) * pb, struct org_info *ret)
{
	TRY(word_from_pb(pb->name, word_is_org, &ret->name));
	TRY(sentence_from_pb(pb->fingerprint, SENTENCE_MAX, &ret->fingerprint));
	TRY(sentence_from_pb(pb->words, SENTENCE_MAX, &ret->words));
	ret->own = pb->own;
	ret->manifest_version = pb->manifest_version;
	ret->policy_epoch = pb->policy_epoch;
	ret->valid_until_ns = pb->valid_until_ns;
	TRY(sentence_from_pb(pb->trusted_by, SENTENCE_MAX, &ret->trusted_by));
	ret->n_nodes = pb->n_nodes;
	return sentences_from_pb(a, pb->nodes, pb->n_nodes, SENTENCE_MAX, &ret->nodes);
}

static int named_count_to_pb(struct arena *a, const struct named_count *c, PB(NamedCount) * pb)
{
	(void)a;
	pb->name = text_to_pb(c->name);
	pb->n = c->n;
	return 0;
}

static int named_count_from_pb(struct arena *a, const PB(NamedCount) * pb, struct named_count *ret)
{
	(void)a;
	ret->n = pb->n;
	return sentence_from_pb(pb->name, SENTENCE_MAX, &ret->name);
}

static int status_to_pb(struct arena *a, const struct node_status *s, PB(NodeStatus) * pb)
{
	pb->org = text_to_pb(s->org);
	pb->node = text_to_pb(s->node);
	pb->roles = text_to_pb(s->roles);
	pb->version = text_to_pb(s->version);
	pb->state = text_to_pb(s->state);
	pb->incarnation = s->incarnation;
	pb->seq = s->seq;
	pb->epoch = s->epoch;
	pb->n_twins = s->n_twins;
	pb->n_types = s->n_types;
	pb->n_relations = s->n_relations;
	pb->n_series = s->n_series;
	pb->n_remote_rows = s->n_remote_rows;
	pb->n_peers = s->n_peers;
	pb->malformed_frames = s->malformed_frames;
	pb->refused_handshakes = s->refused_handshakes;
	pb->refused_frames = s->refused_frames;
	pb->uptime_ns = s->uptime_ns;
	pb->credential_until_ns = s->credential_until_ns;
	pb->store_bytes = s->store_bytes;
	pb->resident_bytes = s->resident_bytes;
	pb->log_bytes = s->log_bytes;
	pb->backlog_samples = s->backlog_samples;
	pb->samples_taken = s->samples_taken;
	pb->samples_refused = s->samples_refused;
	pb->commits = s->commits;
	pb->commit_p99_ns = s->commit_p99_ns;
	pb->n_runs = s->n_runs;
	pb->n_chunks = s->n_chunks;
	pb->rotten_chunks = s->rotten_chunks;
	pb->scrubbed_chunks = s->scrubbed_chunks;
	pb->border = text_to_pb(s->border);
	pb->fresh_until_ns = s->fresh_until_ns;
	pb->clock_back_ns = s->clock_back_ns;
	pb->held_handshakes = s->held_handshakes;
	pb->kicks = s->kicks;
	pb->open_files = s->open_files;
	pb->most_files = s->most_files;
	pb->self_test = text_to_pb(s->self_test);
	pb->alarms_left_out = s->alarms_left_out;
	TRY(LIST_TO_PB(a, named_count, s->counts, s->n_counts, named_count_to_pb, &pb->counts,
		       &pb->n_counts));
	return ONE_TO_PB(a, mesh_counts, &s->mesh, mesh_counts_to_pb, &pb->mesh);
}

static int status_from_pb(struct arena *a, const PB(NodeStatus) * pb, struct node_status *ret)
{
	*ret = (struct node_status){
		.incarnation = pb->incarnation,
		.seq = pb->seq,
		.epoch = pb->epoch,
		.n_twins = pb->n_twins,
		.n_types = pb->n_types,
		.n_relations = pb->n_relations,
		.n_series = pb->n_series,
		.n_remote_rows = pb->n_remote_rows,
		.n_peers = pb->n_peers,
		.malformed_frames = pb->malformed_frames,
		.refused_handshakes = pb->refused_handshakes,
		.refused_frames = pb->refused_frames,
		.uptime_ns = pb->uptime_ns,
		.credential_until_ns = pb->credential_until_ns,
		.store_bytes = pb->store_bytes,
		.resident_bytes = pb->resident_bytes,
		.log_bytes = pb->log_bytes,
		.backlog_samples = pb->backlog_samples,
		.samples_taken = pb->samples_taken,
		.samples_refused = pb->samples_refused,
		.commits = pb->commits,
		.commit_p99_ns = pb->commit_p99_ns,
		.n_runs = pb->n_runs,
		.n_chunks = pb->n_chunks,
		.rotten_chunks = pb->rotten_chunks,
		.scrubbed_chunks = pb->scrubbed_chunks,
		.fresh_until_ns = pb->fresh_until_ns,
		.clock_back_ns = pb->clock_back_ns,
		.held_handshakes = pb->held_handshakes,
		.kicks = pb->kicks,
		.open_files = pb->open_files,
		.most_files = pb->most_files,
		.alarms_left_out = pb->alarms_left_out,
	};
	if (pb->mesh)
		TRY(mesh_counts_from_pb(a, pb->mesh, &ret->mesh));
	TRY(LIST_FROM_PB(a, pb->counts, pb->n_counts, named_count_from_pb, &ret->counts, &ret->n_counts));
	TRY(sentence_from_pb(pb->org, SENTENCE_MAX, &ret->org));
	TRY(sentence_from_pb(pb->node, SENTENCE_MAX, &ret->node));
	TRY(sentence_from_pb(pb->roles, SENTENCE_MAX, &ret->roles));
	TRY(sentence_from_pb(pb->version, SENTENCE_MAX, &ret->version));
	TRY(sentence_from_pb(pb->self_test, SENTENCE_MAX, &ret->self_test));
	TRY(sentence_from_pb(pb->border, SENTENCE_MAX, &ret->border));
	return sentence_from_pb(pb->state, SENTENCE_MAX, &ret->state);
}

static int fork_to_pb(struct arena *a, const struct fork_info *f, PB(ForkInfo) * pb)
{
	(void)a;
	pb->origin = text_to_pb(f->origin);
	pb->state = text_to_pb(f->state);
	pb->incarnation = f->incarnation;
	pb->seq = f->seq;
	pb->stamp_ns = f->stamp_ns;
	pb->noted_ns = f->noted_ns;
	return 0;
}

static int fork_from_pb(struct arena *a, const PB(ForkInfo) * pb, struct fork_info *ret)
{
	(void)a;
	ret->incarnation = pb->incarnation;
	ret->seq = pb->seq;
	ret->stamp_ns = pb->stamp_ns;
	ret->noted_ns = pb->noted_ns;
	TRY(sentence_from_pb(pb->origin, SENTENCE_MAX, &ret->origin));
	return sentence_from_pb(pb->state, SENTENCE_MAX, &ret->state);
}

static int grant_to_pb(struct arena *a, const struct policy_grant *g, PB(PolicyGrant) * pb)
{
	(void)a;
	pb->who = text_to_pb(g->who);
	pb->right = text_to_pb(g->right);
	pb->property = text_to_pb(g->property);
	pb->token = g->token;
	pb->line = g->line;
	pb->rule = text_to_pb(g->rule);
	pb->until_ns = g->until_ns;
	return 0;
}

static int grant_from_pb(struct arena *a, const PB(PolicyGrant) * pb, struct policy_grant *ret)
{
	(void)a;
	ret->token = pb->token;
	ret->line = pb->line;
	ret->until_ns = pb->until_ns;
	TRY(sentence_from_pb(pb->who, SENTENCE_MAX, &ret->who));
	TRY(sentence_from_pb(pb->right, SENTENCE_MAX, &ret->right));
	TRY(sentence_from_pb(pb->property, SENTENCE_MAX, &ret->property));
	return sentence_from_pb(pb->rule, SENTENCE_MAX, &ret->rule);
}

static int effect_to_pb(struct arena *a, const struct policy_effect *e, PB(PolicyEffect) * pb)
{
	pb->who = text_to_pb(e->who);
	pb->right = text_to_pb(e->right);
	pb->gains = e->n_gained;
	pb->losses = e->n_lost;
	TRY(texts_to_pb(a, e->gained, e->n_gained_shown, &pb->gained, &pb->n_gained));
	return texts_to_pb(a, e->lost, e->n_lost_shown, &pb->lost, &pb->n_lost);
}

static int effect_from_pb(struct arena *a, const PB(PolicyEffect) * pb, struct policy_effect *ret)
{
	ret->n_gained = pb->gains;
	ret->n_lost = pb->losses;
	ret->n_gained_shown = pb->n_gained;
	ret->n_lost_shown = pb->n_lost;
	TRY(sentence_from_pb(pb->who, SENTENCE_MAX, &ret->who));
	TRY(sentence_from_pb(pb->right, SENTENCE_MAX, &ret->right));
	TRY(sentences_from_pb(a, pb->gained, pb->n_gained, SENTENCE_MAX, &ret->gained));
	return sentences_from_pb(a, pb->lost, pb->n_lost, SENTENCE_MAX, &ret->lost);
}

static int done_to_pb(struct arena *a, const struct work_done *d, PB(WorkDone) * pb)
{
	(void)a;
	pb->done = d->done;
	pb->total = d->total;
	pb->what = text_to_pb(d->what);
	return 0;
}

static int done_from_pb(const PB(WorkDone) * pb, struct work_done *ret)
{
	ret->done = pb->done;
	ret->total = pb->total;
	return sentence_from_pb(pb->what, SENTENCE_MAX, &ret->what);
}

/* ---- the answer */

static int handles_to_pb(struct arena *a, const struct control_answer *r, PB(ControlAnswer) * pb)
{
	uint8_t *types = arena_take(a, r->n_handles);

	if (!types)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < r->n_handles; i++)
		types[i] = (uint8_t)(r->handle_types ? r->handle_types[i] : VALUE_NONE);
	pb->handles = r->handles; /* borrowed: it is only read */
	pb->n_handles = r->n_handles;
	pb->handle_types = bytes_to_pb((struct bytes){types, r->n_handles});
	return 0;
}

static int handles_from_pb(struct arena *a, const PB(ControlAnswer) * pb, struct control_answer *ret)
{
	TRY(malformed_unless(pb->n_handles <= SERIES_NAMES_MAX && pb->handle_types.len == pb->n_handles));
	ret->handle_types = arena_take_array(a, pb->n_handles, sizeof *ret->handle_types);
	if (!ret->handle_types)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < pb->n_handles; i++)
		TRY(ENUM_FROM_PB(pb->handle_types.data[i], VALUE_POSITION + 1, &ret->handle_types[i]));
	ret->handles = pb->handles;
	ret->n_handles = pb->n_handles;
	return 0;
}

/* What belongs to series and their samples. */
static int series_answer_to_pb(struct arena *a, const struct control_answer *r, PB(ControlAnswer) * pb)
{
	pb->incarnation = r->incarnation;
	pb->credit = r->credit;
	pb->blob = bytes_to_pb(r->blob);
	if (r->has_coarse_until) {
		pb->coarse_case = HOLON__V1__CONTROL_ANSWER__COARSE_COARSE_UNTIL_NS;
		pb->coarse_until_ns = r->coarse_until_ns;
	}
	TRY(handles_to_pb(a, r, pb));
	TRY(LIST_TO_PB(a, sample, r->samples, r->n_samples, sample_to_pb, &pb->samples, &pb->n_samples));
	return LIST_TO_PB(a, history_bucket, r->buckets, r->n_buckets, history_bucket_to_pb, &pb->buckets,
			  &pb->n_buckets);
}

static int series_answer_from_pb(struct arena *a, const PB(ControlAnswer) * pb, struct control_answer *ret)
{
	ret->incarnation = pb->incarnation;
	ret->credit = pb->credit;
	ret->has_coarse_until = pb->coarse_case == HOLON__V1__CONTROL_ANSWER__COARSE_COARSE_UNTIL_NS;
	ret->coarse_until_ns = ret->has_coarse_until ? pb->coarse_until_ns : 0;
	TRY(blob_from_pb(pb->blob, FRAME_CONTROL_MAX, &ret->blob));
	TRY(handles_from_pb(a, pb, ret));
	TRY(LIST_FROM_PB(a, pb->samples, pb->n_samples, sample_from_pb, &ret->samples, &ret->n_samples));
	return LIST_FROM_PB(a, pb->buckets, pb->n_buckets, history_bucket_from_pb, &ret->buckets,
			    &ret->n_buckets);
}

static int summary_to_pb(struct arena *a, const struct twin_summary *s, PB(TwinSummary) * pb)
{
	pb->origin = text_to_pb(s->origin);
	return ONE_TO_PB(a, row, &s->row, row_to_pb, &pb->row);
}

static int summary_from_pb(struct arena *a, const PB(TwinSummary) * pb, struct twin_summary *ret)
{
	TRY(malformed_unless(pb->row));
	TRY(sentence_from_pb(pb->origin, SENTENCE_MAX, &ret->origin));
	return row_from_pb(a, pb->row, &ret->row);
}

static int things_to_pb(struct arena *a, const struct control_answer *r, PB(ControlAnswer) * pb)
{
	TRY(LIST_TO_PB(a, twin_def, r->twins, r->n_twins, twin_def_to_pb, &pb->twins, &pb->n_twins));
	TRY(LIST_TO_PB(a, kpi, r->values, r->n_values, kpi_to_pb, &pb->values, &pb->n_values));
	TRY(LIST_TO_PB(a, twin_summary, r->summaries, r->n_summaries, summary_to_pb, &pb->summaries,
		       &pb->n_summaries));
	TRY(LIST_TO_PB(a, type_def, r->types, r->n_types, type_def_to_pb, &pb->types, &pb->n_types));
	TRY(LIST_TO_PB(a, relation, r->relations, r->n_relations, relation_to_pb, &pb->relations,
		       &pb->n_relations));
	return LIST_TO_PB(a, membership, r->memberships, r->n_memberships, membership_to_pb, &pb->memberships,
			  &pb->n_memberships);
}

/* What belongs to live assets. */
static int live_to_pb(struct arena *a, const struct control_answer *r, PB(ControlAnswer) * pb)
{
	TRY(blobs_to_pb(a, r->commands, r->n_commands, &pb->commands, &pb->n_commands));
	TRY(LIST_TO_PB(a, adapter_info, r->adapters, r->n_adapters, adapter_info_to_pb, &pb->adapters,
		       &pb->n_adapters));
	TRY(LIST_TO_PB(a, dead_letter, r->letters, r->n_letters, dead_letter_to_pb, &pb->letters,
		       &pb->n_letters));
	TRY(LIST_TO_PB(a, twin_alarm, r->twin_alarms, r->n_twin_alarms, twin_alarm_to_pb, &pb->twin_alarms,
		       &pb->n_twin_alarms));
	return LIST_TO_PB(a, order, r->orders, r->n_orders, order_to_pb, &pb->orders, &pb->n_orders);
}

static int live_from_pb(struct arena *a, const PB(ControlAnswer) * pb, struct control_answer *ret)
{
	ret->n_commands = pb->n_commands;
	TRY(blobs_from_pb(a, pb->commands, pb->n_commands, COMMAND_RECORD_MAX, &ret->commands));
	TRY(LIST_FROM_PB(a, pb->adapters, pb->n_adapters, adapter_info_from_pb, &ret->adapters,
			 &ret->n_adapters));
	TRY(LIST_FROM_PB(a, pb->letters, pb->n_letters, dead_letter_from_pb, &ret->letters, &ret->n_letters));
	TRY(LIST_FROM_PB(a, pb->twin_alarms, pb->n_twin_alarms, twin_alarm_from_pb, &ret->twin_alarms,
			 &ret->n_twin_alarms));
	return LIST_FROM_PB(a, pb->orders, pb->n_orders, order_from_pb, &ret->orders, &ret->n_orders);
}

static int watch_to_pb(struct arena *a, const struct watch_event *w, PB(WatchEvent) * pb)
{
	(void)a;
	pb->number = w->number;
	pb->whole = w->whole;
	pb->event = w->event;
	pb->t_ns = w->t_ns;
	return 0;
}

static int watch_from_pb(const PB(WatchEvent) * pb, struct watch_event *ret)
{
	*ret = (struct watch_event){pb->number, pb->whole, pb->event, pb->t_ns};
	return malformed_unless(ret->number > 0);
}

static int control_answer_to_pb(struct arena *a, const struct control_answer *r, PB(ControlAnswer) * pb)
{
	pb->id = r->id;
	pb->last = r->last;
	pb->code = r->code;
	pb->text = text_to_pb(r->text);
	pb->n_changed = r->n_changed;
	pb->n_unchanged = r->n_unchanged;
	pb->unit = text_to_pb(r->unit);
	pb->more = r->more;
	pb->allowed = r->allowed;
	TRY(things_to_pb(a, r, pb));
	TRY(series_answer_to_pb(a, r, pb));
	TRY(live_to_pb(a, r, pb));
	TRY(LIST_TO_PB(a, refusal, r->refused, r->n_refused, refusal_to_pb, &pb->refused, &pb->n_refused));
	TRY(LIST_TO_PB(a, change_note, r->notes, r->n_notes, note_to_pb, &pb->notes, &pb->n_notes));
	TRY(LIST_TO_PB(a, peer_info, r->peers, r->n_peers, peer_info_to_pb, &pb->peers, &pb->n_peers));
	TRY(LIST_TO_PB(a, org_info, r->orgs, r->n_orgs, org_to_pb, &pb->orgs, &pb->n_orgs));
	TRY(LIST_TO_PB(a, fork_info, r->forks, r->n_forks, fork_to_pb, &pb->forks, &pb->n_forks));
	TRY(LIST_TO_PB(a, policy_grant, r->grants, r->n_grants, grant_to_pb, &pb->grants, &pb->n_grants));
	TRY(LIST_TO_PB(a, policy_effect, r->effects, r->n_effects, effect_to_pb, &pb->effects,
		       &pb->n_effects));
	TRY(LIST_TO_PB(a, alarm_info, r->alarms, r->n_alarms, alarm_info_to_pb, &pb->alarms, &pb->n_alarms));
	TRY(LIST_TO_PB(a, node_report, r->reports, r->n_reports, node_report_to_pb, &pb->reports,
		       &pb->n_reports));
	if (r->row.id)
		TRY(ONE_TO_PB(a, row, &r->row, row_to_pb, &pb->row));
	if (r->has_view)
		TRY(ONE_TO_PB(a, view_part, &r->view, view_part_to_pb, &pb->view));
	if (r->has_status)
		TRY(ONE_TO_PB(a, node_status, &r->status, status_to_pb, &pb->status));
	if (r->watch.number > 0)
		TRY(ONE_TO_PB(a, watch_event, &r->watch, watch_to_pb, &pb->watch));
	if (r->done.what)
		TRY(ONE_TO_PB(a, work_done, &r->done, done_to_pb, &pb->done));
	return 0;
}

static int things_from_pb(struct arena *a, const PB(ControlAnswer) * pb, struct control_answer *ret)
{
	TRY(LIST_FROM_PB(a, pb->twins, pb->n_twins, twin_def_from_pb, &ret->twins, &ret->n_twins));
	TRY(LIST_FROM_PB(a, pb->values, pb->n_values, kpi_from_pb, &ret->values, &ret->n_values));
	TRY(LIST_FROM_PB(a, pb->summaries, pb->n_summaries, summary_from_pb, &ret->summaries,
			 &ret->n_summaries));
	TRY(LIST_FROM_PB(a, pb->types, pb->n_types, type_def_from_pb, &ret->types, &ret->n_types));
	TRY(LIST_FROM_PB(a, pb->relations, pb->n_relations, relation_from_pb, &ret->relations,
			 &ret->n_relations));
	return LIST_FROM_PB(a, pb->memberships, pb->n_memberships, membership_from_pb, &ret->memberships,
			    &ret->n_memberships);
}

static int control_answer_from_pb(struct arena *a, const PB(ControlAnswer) * pb, struct control_answer *ret)
{
	TRY(malformed_unless(pb->code <= 0));
	ret->id = pb->id;
	ret->last = pb->last;
	ret->code = pb->code;
	TRY(sentence_from_pb(pb->text, POLICY_TEXT_MAX, &ret->text));
	ret->n_changed = pb->n_changed;
	ret->n_unchanged = pb->n_unchanged;
	TRY(text_from_pb(pb->unit, UNIT_MAX, &ret->unit));
	ret->more = pb->more;
	ret->allowed = pb->allowed;
	TRY(things_from_pb(a, pb, ret));
	TRY(series_answer_from_pb(a, pb, ret));
	TRY(live_from_pb(a, pb, ret));
	TRY(LIST_FROM_PB(a, pb->refused, pb->n_refused, refusal_from_pb, &ret->refused, &ret->n_refused));
	TRY(LIST_FROM_PB(a, pb->notes, pb->n_notes, note_from_pb, &ret->notes, &ret->n_notes));
	TRY(LIST_FROM_PB(a, pb->peers, pb->n_peers, peer_info_from_pb, &ret->peers, &ret->n_peers));
	TRY(LIST_FROM_PB(a, pb->orgs, pb->n_orgs, org_from_pb, &ret->orgs, &ret->n_orgs));
	TRY(LIST_FROM_PB(a, pb->forks, pb->n_forks, fork_from_pb, &ret->forks, &ret->n_forks));
	TRY(LIST_FROM_PB(a, pb->grants, pb->n_grants, grant_from_pb, &ret->grants, &ret->n_grants));
	TRY(LIST_FROM_PB(a, pb->effects, pb->n_effects, effect_from_pb, &ret->effects, &ret->n_effects));
	TRY(LIST_FROM_PB(a, pb->alarms, pb->n_alarms, alarm_info_from_pb, &ret->alarms, &ret->n_alarms));
	TRY(LIST_FROM_PB(a, pb->reports, pb->n_reports, node_report_from_pb, &ret->reports, &ret->n_reports));
	if (pb->row)
		TRY(row_from_pb(a, pb->row, &ret->row));
	ret->has_view = pb->view;
	if (pb->view)
		TRY(view_part_from_pb(a, pb->view, &ret->view));
	ret->has_status = pb->status;
	if (pb->status)
		TRY(status_from_pb(a, pb->status, &ret->status));
	if (pb->watch)
		TRY(watch_from_pb(pb->watch, &ret->watch));
	return pb->done ? done_from_pb(pb->done, &ret->done) : 0;
}

DEFINE_CODEC(control_answer, ControlAnswer, control_answer)
