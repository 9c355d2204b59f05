/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/id.h"
#include "proto/row_wire.h"

static int parent_to_pb(struct arena *a, const struct row_parent *p, PB(RowParent) * pb)
{
	(void)a;
	pb->hierarchy = text_to_pb(p->hierarchy);
	pb->parent = text_to_pb(p->parent);
	pb->state = (PB(Confirmation))p->state;
	return 0;
}

static int parent_from_pb(struct arena *a, const PB(RowParent) * pb, struct row_parent *ret)
{
	(void)a;
	TRY(word_from_pb(pb->hierarchy, id_is_name, &ret->hierarchy));
	TRY(word_from_pb(pb->parent, id_is_twin, &ret->parent));
	return ENUM_FROM_PB(pb->state, N_CONFIRMATIONS, &ret->state);
}

int row_alarm_to_pb(struct arena *a, const struct row_alarm *alarm, PB(RowAlarm) * pb)
{
	(void)a;
	pb->name = text_to_pb(alarm->name);
	pb->severity = (PB(Health))alarm->severity;
	pb->state = (PB(AlarmState))alarm->state;
	pb->what = text_to_pb(alarm->what);
	pb->since_ns = alarm->since_ns;
	return 0;
}

int row_alarm_from_pb(struct arena *a, const PB(RowAlarm) * pb, struct row_alarm *ret)
{
	(void)a;
	TRY(word_from_pb(pb->name, id_is_name, &ret->name));
	TRY(ENUM_FROM_PB(pb->severity, N_HEALTHS, &ret->severity));
	TRY(ENUM_FROM_PB(pb->state, N_ALARM_STATES, &ret->state));
	TRY(malformed_unless(ret->severity >= HEALTH_WARNING && ret->state != ALARM_STATE_NONE));
	TRY(word_from_pb(pb->what, word_is_tag, &ret->what));
	ret->since_ns = pb->since_ns;
	return 0;
}

int row_to_pb(struct arena *a, const struct row *r, PB(Row) * pb)
{
	pb->id = text_to_pb(r->id);
	pb->lineage = r->version.lineage;
	pb->stamp_ns = r->version.stamp_ns;
	pb->seq = r->seq;
	pb->deleted = r->deleted;
	if (r->deleted)
		return 0;
	pb->mask = r->mask;
	pb->kind = (PB(Kind))r->kind;
	pb->type = text_to_pb(r->type);
	pb->name = text_to_pb(r->name);
	pb->life = (PB(LifeCycle))r->life;
	pb->health = (PB(Health))r->health;
	TRY(LIST_TO_PB(a, kpi, r->kpis, r->n_kpis, kpi_to_pb, &pb->kpis, &pb->n_kpis));
	TRY(LIST_TO_PB(a, row_parent, r->parents, r->n_parents, parent_to_pb, &pb->parents, &pb->n_parents));
	TRY(LIST_TO_PB(a, row_alarm, r->alarms, r->n_alarms, row_alarm_to_pb, &pb->alarms, &pb->n_alarms));
	return texts_to_pb(a, r->tags, r->n_tags, &pb->tags, &pb->n_tags);
}

static int tags_from_pb(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	TRY(malformed_unless(pb->n_tags <= TAGS_MAX));
	ret->tags = arena_take_array(a, pb->n_tags, sizeof *ret->tags);
	if (!ret->tags)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < pb->n_tags; i++)
		TRY(word_from_pb(pb->tags[i], word_is_tag, &ret->tags[i]));
	ret->n_tags = pb->n_tags;
	return 0;
}

/* Of those that are over a row does not speak, and of none twice. */
static int alarms_from_pb(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	TRY(malformed_unless(pb->n_alarms <= ROW_ALARMS_MAX));
	TRY(LIST_FROM_PB(a, pb->alarms, pb->n_alarms, row_alarm_from_pb, &ret->alarms, &ret->n_alarms));
	for (size_t i = 0; i < ret->n_alarms; i++)
		TRY(malformed_unless(ret->alarms[i].state != ALARM_CLEARED &&
				     row_alarm(ret, ret->alarms[i].name) == &ret->alarms[i]));
	return 0;
}

/* A property, or a parent in one hierarchy, stands in a row once. */
static int no_twice(const struct row *r)
{
	for (size_t i = 0; i < r->n_kpis; i++)
		TRY(malformed_unless(row_kpi(r, r->kpis[i].property) == &r->kpis[i]));
	for (size_t i = 0; i < r->n_parents; i++)
		for (size_t k = 0; k < i; k++)
			TRY(malformed_unless(strcmp(r->parents[i].parent, r->parents[k].parent) != 0 ||
					     strcmp(r->parents[i].hierarchy, r->parents[k].hierarchy) != 0));
	return 0;
}

static int face_from_pb(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	ret->mask = pb->mask;
	TRY(ENUM_FROM_PB(pb->kind, N_KINDS, &ret->kind));
	TRY(word_or_none_from_pb(pb->type, id_is_name, &ret->type));
	TRY(text_from_pb(pb->name, NAME_MAX_BYTES, &ret->name));
	TRY(ENUM_FROM_PB(pb->life, N_LIFE_CYCLES, &ret->life));
	TRY(ENUM_FROM_PB(pb->health, N_HEALTHS, &ret->health));
	TRY(malformed_unless(pb->n_kpis <= KPIS_MAX && pb->n_parents <= PARENTS_MAX));
	TRY(LIST_FROM_PB(a, pb->kpis, pb->n_kpis, kpi_from_pb, &ret->kpis, &ret->n_kpis));
	TRY(LIST_FROM_PB(a, pb->parents, pb->n_parents, parent_from_pb, &ret->parents, &ret->n_parents));
	TRY(tags_from_pb(a, pb, ret));
	TRY(alarms_from_pb(a, pb, ret));
	return no_twice(ret);
}

int row_from_pb(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	TRY(word_from_pb(pb->id, id_is_twin, &ret->id));
	TRY(malformed_unless(pb->lineage < LINEAGE_MAX));
	ret->version = (struct row_version){pb->lineage, pb->stamp_ns};
	ret->seq = pb->seq;
	ret->deleted = pb->deleted;
	ret->type = ret->name = "";
	return ret->deleted ? 0 : face_from_pb(a, pb, ret);
}

DEFINE_ENCODER(row, Row, row)

int row_decode(struct arena *a, struct bytes in, struct row *ret)
{
	struct row_space space;
	PB(Row) *pb = &space.row;
	struct row row = {0};
	const int r = row_unpack(a, in, &space);

	TRY(r);
	if (r == ROW_ODD)
		TRY(pb_unpack(a, &PB_DESCRIPTOR(row), in, &pb));
	TRY(row_from_pb(a, pb, &row));
	*ret = row;
	return 0;
}

/* ---- Only what is wanted ----------------------------------------------------------------------------------
 */

/* A text of a row that was glanced at, ended by a zero. */
static int end_text(struct arena *a, pb_data *text)
{
	const char *copy = text->len > 0 ? arena_text(a, (struct bytes){text->data, text->len}) : "";

	if (!copy)
		return FAIL(-ENOMEM);
	*text = bytes_to_pb((struct bytes){(const uint8_t *)copy, text->len});
	return 0;
}

static int read_word(struct arena *a, pb_data text, const char **ret)
{
	TRY(end_text(a, &text));
	*ret = (const char *)text.data;
	return 0;
}

/* The value is one word at most. */
static int end_sample(struct arena *a, PB(Sample) * s)
{
	if (s->value_case == HOLON__V1__SAMPLE__VALUE_TEXT)
		TRY(end_text(a, &s->text));
	else if (s->value_case == HOLON__V1__SAMPLE__VALUE_WORD)
		TRY(end_text(a, &s->word));
	s->source = bytes_to_pb((struct bytes){0}); /* stays at home */
	return 0;
}

static int read_kpi(struct arena *a, PB(Kpi) * pb, const char *property, struct kpi *ret)
{
	*ret = (struct kpi){.property = property, .sample.sigma = NAN};
	TRY(read_word(a, pb->unit, &ret->unit));
	if (!pb->sample)
		return 0;
	TRY(end_sample(a, pb->sample));
	TRY(sample_from_pb(a, pb->sample, &ret->sample));
	ret->sample.source = NULL;
	return 0;
}

static const char *wanted(const struct row_wish *wish, pb_data property)
{
	const struct bytes name = {property.data, property.len};

	for (size_t i = 0; i < wish->n_kpis; i++)
		if (bytes_equal(name, bytes_of_text(wish->kpis[i])))
			return wish->kpis[i];
	return NULL;
}

static int read_kpis(struct arena *a, const PB(Row) * pb, const struct row_wish *wish, struct row *ret)
{
	if (wish->n_kpis == 0 || pb->n_kpis == 0)
		return 0;
	ret->kpis = arena_take_array(a, pb->n_kpis, sizeof *ret->kpis);
	if (!ret->kpis)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < pb->n_kpis; i++) {
		const char *property = wanted(wish, pb->kpis[i]->property);
		if (property)
			TRY(read_kpi(a, pb->kpis[i], property, &ret->kpis[ret->n_kpis++]));
	}
	return 0;
}

/* They were checked before. */
static int read_alarms(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	ret->alarms = arena_take_array(a, pb->n_alarms, sizeof *ret->alarms);
	if (!ret->alarms)
		return FAIL(-ENOMEM);
	for (; ret->n_alarms < pb->n_alarms; ret->n_alarms++) {
		const PB(RowAlarm) *from = pb->alarms[ret->n_alarms];
		struct row_alarm *alarm = &ret->alarms[ret->n_alarms];
		*alarm = (struct row_alarm){.severity = (enum health)from->severity,
					    .state = (enum alarm_state)from->state,
					    .since_ns = from->since_ns};
		TRY(read_word(a, from->name, &alarm->name));
		TRY(read_word(a, from->what, &alarm->what));
	}
	return 0;
}

static int read_face(struct arena *a, const PB(Row) * pb, struct row *ret)
{
	TRY(read_word(a, pb->type, &ret->type));
	TRY(read_word(a, pb->name, &ret->name));
	ret->tags = arena_take_array(a, pb->n_tags, sizeof *ret->tags);
	if (!ret->tags)
		return FAIL(-ENOMEM);
	for (; ret->n_tags < pb->n_tags; ret->n_tags++)
		TRY(read_word(a, pb->tags[ret->n_tags], &ret->tags[ret->n_tags]));
	return 0;
}

int row_read(struct arena *a, const char *id, struct bytes in, const struct row_wish *wish, struct row *ret)
{
	struct row_space space;
	const PB(Row) *pb = &space.row;

	if (row_glance(in, &space) == ROW_ODD)
		return row_decode(a, in, ret);
	*ret = (struct row){.id = id,
			    .version = {pb->lineage, pb->stamp_ns},
			    .seq = pb->seq,
			    .deleted = pb->deleted,
			    .type = "",
			    .name = ""};
	if (ret->deleted)
		return 0;
	ret->mask = pb->mask;
	ret->kind = (enum kind)pb->kind;
	ret->life = (enum life_cycle)pb->life;
	ret->health = (enum health)pb->health;
	if (wish->face)
		TRY(read_face(a, pb, ret));
	if (wish->alarms)
		TRY(read_alarms(a, pb, ret));
	return read_kpis(a, pb, wish, ret);
}
