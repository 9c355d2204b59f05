/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/report.h"

#include "proto/codec.h"

int peer_info_to_pb(struct arena *a, const struct peer_info *p, PB(PeerInfo) * pb)
{
	(void)a;
	pb->org = text_to_pb(p->org);
	pb->node = text_to_pb(p->node);
	pb->endpoint = text_to_pb(p->endpoint);
	pb->state = text_to_pb(p->state);
	pb->roles = text_to_pb(p->roles);
	pb->dialled = p->dialled;
	pb->frames_in = p->frames_in;
	pb->frames_out = p->frames_out;
	pb->bytes_in = p->bytes_in;
	pb->bytes_out = p->bytes_out;
	pb->resets = p->resets;
	pb->heard_ns = p->heard_ns;
	pb->protocol = p->protocol;
	pb->kicks = p->kicks;
	pb->kicked = text_to_pb(p->kicked);
	pb->sessions = p->sessions;
	pb->gaps = p->gaps;
	pb->repairs = p->repairs;
	pb->refused = p->refused;
	pb->origins = p->n_origins;
	pb->behind = p->n_behind;
	pb->lag = p->lag;
	pb->age_ns = p->age_ns;
	return 0;
}

int peer_info_from_pb(struct arena *a, const PB(PeerInfo) * pb, struct peer_info *ret)
{
	(void)a;
	*ret = (struct peer_info){
		.dialled = pb->dialled,
		.frames_in = pb->frames_in,
		.frames_out = pb->frames_out,
		.bytes_in = pb->bytes_in,
		.bytes_out = pb->bytes_out,
		.resets = pb->resets,
		.heard_ns = pb->heard_ns,
		.protocol = pb->protocol,
		.kicks = pb->kicks,
		.sessions = pb->sessions,
		.gaps = pb->gaps,
		.repairs = pb->repairs,
		.refused = pb->refused,
		.n_origins = pb->origins,
		.n_behind = pb->behind,
		.lag = pb->lag,
		.age_ns = pb->age_ns,
	};
	TRY(sentence_from_pb(pb->org, SENTENCE_MAX, &ret->org));
	TRY(sentence_from_pb(pb->node, SENTENCE_MAX, &ret->node));
	TRY(sentence_from_pb(pb->endpoint, SENTENCE_MAX, &ret->endpoint));
	TRY(sentence_from_pb(pb->state, SENTENCE_MAX, &ret->state));
	TRY(sentence_from_pb(pb->roles, SENTENCE_MAX, &ret->roles));
	return sentence_from_pb(pb->kicked, SENTENCE_MAX, &ret->kicked);
}

static int origin_info_to_pb(struct arena *a, const struct origin_info *o, PB(OriginInfo) * pb)
{
	(void)a;
	pb->origin = text_to_pb(o->origin);
	pb->state = text_to_pb(o->state);
	pb->rows = o->n_rows;
	pb->seq = o->seq;
	pb->offered = o->offered;
	pb->age_ns = o->age_ns;
	return 0;
}

static int origin_info_from_pb(struct arena *a, const PB(OriginInfo) * pb, struct origin_info *ret)
{
	(void)a;
	*ret = (struct origin_info){
		.n_rows = pb->rows, .seq = pb->seq, .offered = pb->offered, .age_ns = pb->age_ns};
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	return sentence_from_pb(pb->state, SENTENCE_MAX, &ret->state);
}

int alarm_info_to_pb(struct arena *a, const struct alarm_info *w, PB(AlarmInfo) * pb)
{
	(void)a;
	pb->kind = text_to_pb(w->kind);
	pb->about = text_to_pb(w->about);
	pb->text = text_to_pb(w->text);
	pb->todo = text_to_pb(w->todo);
	pb->severe = w->severe;
	pb->since_ns = w->since_ns;
	pb->last_ns = w->last_ns;
	pb->count = w->count;
	return 0;
}

int alarm_info_from_pb(struct arena *a, const PB(AlarmInfo) * pb, struct alarm_info *ret)
{
	(void)a;
	*ret = (struct alarm_info){
		.severe = pb->severe, .since_ns = pb->since_ns, .last_ns = pb->last_ns, .count = pb->count};
	TRY(sentence_from_pb(pb->kind, SENTENCE_MAX, &ret->kind));
	TRY(sentence_from_pb(pb->about, SENTENCE_MAX, &ret->about));
	TRY(sentence_from_pb(pb->text, SENTENCE_MAX, &ret->text));
	return sentence_from_pb(pb->todo, SENTENCE_MAX, &ret->todo);
}

int mesh_counts_to_pb(struct arena *a, const struct mesh_counts *c, PB(MeshCounts) * pb)
{
	(void)a;
	pb->sessions_open = c->sessions_open;
	pb->gaps = c->gaps;
	pb->old_session = c->old_session;
	pb->refused = c->refused;
	pb->unbelieved = c->unbelieved;
	pb->pulls = c->pulls;
	pb->repairs = c->repairs;
	pb->resets = c->resets;
	pb->mismatches = c->mismatches;
	pb->alarms = c->alarms;
	pb->forks = c->forks;
	pb->over_share = c->over_share;
	pb->rows_outside = c->rows_outside;
	return 0;
}

int mesh_counts_from_pb(struct arena *a, const PB(MeshCounts) * pb, struct mesh_counts *ret)
{
	(void)a;
	*ret = (struct mesh_counts){
		.sessions_open = pb->sessions_open,
		.gaps = pb->gaps,
		.old_session = pb->old_session,
		.refused = pb->refused,
		.unbelieved = pb->unbelieved,
		.pulls = pb->pulls,
		.repairs = pb->repairs,
		.resets = pb->resets,
		.mismatches = pb->mismatches,
		.alarms = pb->alarms,
		.forks = pb->forks,
		.over_share = pb->over_share,
		.rows_outside = pb->rows_outside,
	};
	return 0;
}

int node_report_to_pb(struct arena *a, const struct node_report *r, PB(NodeReport) * pb)
{
	pb->node = text_to_pb(r->node);
	pb->answered = r->answered;
	pb->why = text_to_pb(r->why);
	pb->known_ns = r->known_ns;
	pb->roles = text_to_pb(r->roles);
	pb->version = text_to_pb(r->version);
	pb->uptime_ns = r->uptime_ns;
	pb->resident_bytes = r->resident_bytes;
	TRY(ONE_TO_PB(a, mesh_counts, &r->counts, mesh_counts_to_pb, &pb->counts));
	TRY(LIST_TO_PB(a, peer_info, r->peers, r->n_peers, peer_info_to_pb, &pb->peers, &pb->n_peers));
	TRY(LIST_TO_PB(a, origin_info, r->origins, r->n_origins, origin_info_to_pb, &pb->origins,
		       &pb->n_origins));
	return LIST_TO_PB(a, alarm_info, r->alarms, r->n_alarms, alarm_info_to_pb, &pb->alarms,
			  &pb->n_alarms);
}

int node_report_from_pb(struct arena *a, const PB(NodeReport) * pb, struct node_report *ret)
{
	TRY(malformed_unless(pb->n_peers <= REPORT_LIST_MAX && pb->n_origins <= REPORT_LIST_MAX &&
			     pb->n_alarms <= REPORT_LIST_MAX));
	*ret = (struct node_report){.answered = pb->answered,
				    .known_ns = pb->known_ns,
				    .uptime_ns = pb->uptime_ns,
				    .resident_bytes = pb->resident_bytes};
	TRY(word_from_pb(pb->node, word_is_node, &ret->node));
	TRY(sentence_from_pb(pb->why, SENTENCE_MAX, &ret->why));
	TRY(sentence_from_pb(pb->roles, SENTENCE_MAX, &ret->roles));
	TRY(sentence_from_pb(pb->version, SENTENCE_MAX, &ret->version));
	if (pb->counts)
		TRY(mesh_counts_from_pb(a, pb->counts, &ret->counts));
	TRY(LIST_FROM_PB(a, pb->peers, pb->n_peers, peer_info_from_pb, &ret->peers, &ret->n_peers));
	TRY(LIST_FROM_PB(a, pb->origins, pb->n_origins, origin_info_from_pb, &ret->origins, &ret->n_origins));
	return LIST_FROM_PB(a, pb->alarms, pb->n_alarms, alarm_info_from_pb, &ret->alarms, &ret->n_alarms);
}
