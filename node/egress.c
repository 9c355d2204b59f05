/* SPDX-License-Identifier: Apache-2.0 */
#include "node/egress.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>

#include "node/summary.h"
#include "node/tap.h"
#include "proto/id.h"

bool egress_is_own(const struct egress *e, const struct audience *to)
{
	return !to->nobody && (to->org[0] == '\0' || strcmp(to->org, e->trust->own.org.manifest.org) == 0);
}

/* ---- Deciding --------------------------------------------------------------------------------------------
 */

struct asked {
	struct policy_twin twin;
	struct policy_query query;
};

static void ask(struct asked *ret, const struct egress *e, const struct audience *to, enum right right,
		const struct row *full, const char *property)
{
	ret->twin = (struct policy_twin){.id = full->id,
					 .type = full->type,
					 .tags = (const char *const *)full->tags,
					 .n_tags = full->n_tags};
	ret->query = (struct policy_query){.org = to->org,
					   .right = right,
					   .twin = &ret->twin,
					   .property = property,
					   .now_ns = trust_now(e->trust)};
}

/* Without a role first, then as each of the roles. False: that was the last. */
static bool next_role(const struct audience *to, size_t *at, struct policy_query *q)
{
	if (*at > to->n_roles)
		return false;
	q->role = *at == 0 ? NULL : to->roles[*at - 1];
	(*at)++;
	return true;
}

static bool sees_all(const struct egress *e, const struct audience *to)
{
	return egress_is_own(e, to) || tap_egress_off();
}

static enum policy_form form_of(const struct egress *e, const struct audience *to, enum right right,
				const struct row *full, const char *property)
{
	enum policy_form best = FORM_NOTHING;
	struct asked asked;
	size_t at = 0;

	if (sees_all(e, to))
		return FORM_PLAIN;
	if (to->nobody || !e->trust->policy)
		return FORM_NOTHING;
	ask(&asked, e, to, right, full, property);
	while (best != FORM_PLAIN && next_role(to, &at, &asked.query)) {
		const enum policy_form form = policy_form(e->trust->policy, &asked.query);
		best = form > best ? form : best;
	}
	return best;
}

bool egress_discovers(const struct egress *e, const struct audience *to, const struct row *full)
{
	return form_of(e, to, RIGHT_DISCOVER, full, NULL) == FORM_PLAIN;
}

static bool has_summary(const struct egress *e, const struct audience *to, const struct row *full)
{
	return form_of(e, to, RIGHT_SUMMARY, full, NULL) == FORM_PLAIN;
}

/* `summary`: it is a KPI, and they have the summary. */
static enum policy_form value_form(const struct egress *e, const struct audience *to, const struct row *full,
				   const char *property, bool summary)
{
	const enum policy_form form = summary ? form_of(e, to, RIGHT_SUMMARY, full, property) : FORM_NOTHING;

	if (form == FORM_PLAIN)
		return form;
	const enum policy_form read = form_of(e, to, RIGHT_READ, full, property);
	return read > form ? read : form;
}

enum policy_form egress_value(const struct egress *e, const struct audience *to, const struct row *full,
			      const char *property, bool kpi)
{
	return value_form(e, to, full, property, kpi && has_summary(e, to, full));
}

static bool is_wider(int64_t last_ns, int64_t step_ns, int64_t than_last_ns, int64_t than_step_ns)
{
	if (last_ns != than_last_ns)
		return last_ns == 0 || (than_last_ns != 0 && last_ns > than_last_ns);
	return step_ns < than_step_ns;
}

bool egress_history(const struct egress *e, const struct audience *to, const struct row *full,
		    const char *property, int64_t *ret_last_ns, int64_t *ret_step_ns)
{
	int64_t last_ns, step_ns;
	struct asked asked;
	bool found = false;
	size_t at = 0;

	*ret_last_ns = *ret_step_ns = 0;
	if (sees_all(e, to))
		return true;
	if (to->nobody || !e->trust->policy)
		return false;
	ask(&asked, e, to, RIGHT_HISTORY, full, property);
	while (next_role(to, &at, &asked.query)) {
		if (!policy_history_window(e->trust->policy, &asked.query, &last_ns, &step_ns) ||
		    (found && !is_wider(last_ns, step_ns, *ret_last_ns, *ret_step_ns)))
			continue;
		found = true;
		*ret_last_ns = last_ns;
		*ret_step_ns = step_ns;
	}
	return found;
}

/* Is a better than b? As policy_bounds() has it. */
static bool is_better(const struct policy_bounds *a, const struct policy_bounds *b)
{
	if (!a->confirm_role != !b->confirm_role)
		return !a->confirm_role;
	if (!a->rate_per_ns != !b->rate_per_ns)
		return !a->rate_per_ns;
	return (double)a->rate * (double)b->rate_per_ns > (double)b->rate * (double)a->rate_per_ns;
}

bool egress_command(const struct egress *e, const struct audience *to, const struct row *full,
		    const char *operation, struct policy_bounds *ret)
{
	struct policy_bounds bounds;
	struct asked asked;
	bool found = false;
	size_t at = 0;

	*ret = (struct policy_bounds){0};
	if (egress_is_own(e, to))
		return true;
	if (to->nobody || !e->trust->policy)
		return false;
	ask(&asked, e, to, RIGHT_COMMAND, full, operation);
	while (next_role(to, &at, &asked.query)) {
		if (!policy_bounds(e->trust->policy, &asked.query, &bounds) ||
		    (found && !is_better(&bounds, ret)))
			continue;
		found = true;
		*ret = bounds;
	}
	return found;
}

const char *egress_rule(const struct egress *e, const struct audience *to, enum right right,
			const struct row *full, const char *property)
{
	struct policy_ruling best = {0}, ruling;
	enum policy_form best_form = FORM_NOTHING;
	struct asked asked;
	size_t at = 0;

	ask(&asked, e, to, right, full, property);
	while (e->trust->policy && next_role(to, &at, &asked.query)) {
		const enum policy_form form = policy_ruling(e->trust->policy, &asked.query, &ruling);
		if (form > best_form) {
			best_form = form;
			best = ruling;
		}
	}
	return best.title ? best.title : "";
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

/* An edge is shown only if both its ends may be discovered; what another organisation owns, only that one
 * knows. */
static bool shows_parent(const struct egress *e, const struct audience *to, const char *parent)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct row row;

	if (id_is_of_org(parent, to->org))
		return true;
	if (!id_is_of_org(parent, e->trust->own.org.manifest.org))
		return false;
	if (arena_new(&a, 1 << 20) < 0 || egress_full_row(e, parent, a, &row) < 0)
		return false;
	return egress_discovers(e, to, &row);
}

/* Of an alarm they have what they would have of two KPIs: what it is about, and how it stands. */
static bool shows_alarm(const struct egress *e, const struct audience *to, const struct row *full,
			const char *name, bool summary)
{
	char standing[PROPERTY_MAX + sizeof ALARM_PREFIX];

	snprintf(standing, sizeof standing, ALARM_PREFIX "%s", name);
	return value_form(e, to, full, name, summary) == FORM_PLAIN &&
	       value_form(e, to, full, standing, summary) == FORM_PLAIN;
}

uint64_t egress_mask(const struct egress *e, const struct audience *to, const struct row *full)
{
	static const uint64_t mask_of[] = {
		[FORM_NOTHING] = 0, [FORM_TOKEN] = ROW_MASK_KPI | EGRESS_TOKEN, [FORM_PLAIN] = ROW_MASK_KPI};
	uint64_t mask = ROW_MASK_DISCOVER;

	if (egress_is_own(e, to))
		return ROW_MASK_ALL;
	if (full->deleted || !egress_discovers(e, to, full))
		return 0;
	const bool summary = has_summary(e, to, full);
	if (summary)
		mask |= ROW_MASK_SUMMARY;
	for (size_t i = 0; i < full->n_kpis; i++)
		mask |= mask_of[value_form(e, to, full, full->kpis[i].property, summary)] << i;
	for (size_t i = 0; i < full->n_parents; i++)
		if (shows_parent(e, to, full->parents[i].parent))
			mask |= (uint64_t)ROW_MASK_PARENT << i;
	for (size_t i = 0; i < full->n_alarms; i++)
		if (shows_alarm(e, to, full, full->alarms[i].name, summary))
			mask |= EGRESS_ALARM << i;
	return mask;
}

static int take_kpis(const struct egress *e, const struct audience *to, const struct row *full, uint64_t mask,
		     struct arena *a, struct row *r)
{
	r->n_kpis = 0;
	r->kpis = arena_take_array(a, full->n_kpis, sizeof *r->kpis);
	if (!r->kpis)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < full->n_kpis; i++) {
		if (!(mask & (uint64_t)ROW_MASK_KPI << i))
			continue;
		struct kpi *kpi = &r->kpis[r->n_kpis++];
		*kpi = full->kpis[i];
		if (mask & EGRESS_TOKEN << i && !to->relayed)
			TRY(egress_redact(e, to, a, kpi));
	}
	return 0;
}

static int take_alarms(const struct row *full, uint64_t mask, struct arena *a, struct row *r)
{
	r->n_alarms = 0;
	r->alarms = arena_take_array(a, full->n_alarms, sizeof *r->alarms);
	if (!r->alarms)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < full->n_alarms; i++)
		if (mask & EGRESS_ALARM << i)
			r->alarms[r->n_alarms++] = full->alarms[i];
	return 0;
}

int egress_row(const struct egress *e, const struct audience *to, const struct row *full, uint64_t mask,
	       struct arena *a, struct row *ret)
{
	struct row r = *full;

	if (mask == ROW_MASK_ALL) {
		*ret = r;
		return 0;
	}
	r.mask = (uint32_t)mask & (ROW_MASK_DISCOVER | ROW_MASK_SUMMARY);
	r.version = (struct row_version){0};
	r.seq = 0;
	TRY(take_kpis(e, to, full, mask, a, &r));
	TRY(take_alarms(full, mask, a, &r));
	r.n_parents = 0;
	r.parents = arena_take_array(a, full->n_parents, sizeof *r.parents);
	if (!r.parents)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < full->n_parents; i++)
		if (mask & (uint64_t)ROW_MASK_PARENT << i)
			r.parents[r.n_parents++] = full->parents[i];
	if (!(mask & ROW_MASK_SUMMARY)) {
		r.name = "";
		r.life = LIFE_DESIGN;
		r.health = HEALTH_UNKNOWN;
		r.n_tags = 0;
	}
	*ret = r;
	return 0;
}

/* Two that are equal have the same bytes. */
static void put_real(double v, struct buf *out)
{
	uint64_t bits = 0;

	if (isnan(v))
		v = NAN;
	if (v != 0)
		memcpy(&bits, &v, sizeof bits);
	buf_put_u64(out, bits);
}

/* A value as bytes: its type, then what it holds. */
static void put_value(const struct value *v, struct buf *out)
{
	buf_put_u8(out, (uint8_t)v->type);
	switch (v->type) {
	case VALUE_NONE: break;
	case VALUE_BOOL: buf_put_u8(out, v->boolean); break;
	case VALUE_INT64: buf_put_u64(out, (uint64_t)v->integer); break;
	case VALUE_DOUBLE: put_real(v->real, out); break;
	case VALUE_TEXT:
	case VALUE_ENUM: buf_put_text(out, v->text); break;
	case VALUE_POSITION:
		put_real(v->position.lat_deg, out);
		put_real(v->position.lon_deg, out);
		put_real(v->position.alt_m, out);
		break;
	}
}

int egress_redact(const struct egress *e, const struct audience *to, struct arena *a, struct kpi *value)
{
	SCOPED(buf_fini) struct buf plain = {0};
	struct value token = {.type = VALUE_NONE};
	uint8_t key[POLICY_TOKEN_KEY];
	char text[TOKEN_SIZE];

	if (e->trust->cursor_key && value->sample.value.type != VALUE_NONE) {
		put_value(&value->sample.value, &plain);
		TRY(buf_check(&plain));
		policy_token_key(secret32_bytes(e->trust->cursor_key), key);
		policy_token(key, to->org, value->property, buf_bytes(&plain), text);
		sodium_memzero(key, sizeof key);
		sodium_memzero(plain.data, plain.len);
		token = (struct value){.type = VALUE_TEXT, .text = arena_copy(a, text)};
		if (!token.text)
			return FAIL(-ENOMEM);
	}
	value->unit = "";
	value->sample.value = token;
	value->sample.sigma = NAN;
	value->sample.source = NULL;
	return 0;
}

int egress_digest(struct row *shown, uint64_t *ret)
{
	SCOPED(buf_fini) struct buf encoded = {0};

	row_encode(shown, &encoded);
	TRY(buf_check(&encoded));
	*ret = hash64("shown", buf_bytes(&encoded), (struct bytes){0});
	shown->mask |= (uint32_t)*ret & ROW_MASK_DIGEST;
	return 0;
}

int egress_full_row(const struct egress *e, const char *id, struct arena *a, struct row *ret)
{
	const struct twin *t = store_twin(e->store, id);
	const struct remote_row *remote = t ? NULL : store_row(e->store, id);

	if (t)
		return summary_row(e->store, t, a, ret);
	if (!remote || remote->mask != ROW_MASK_ALL)
		return FAIL(ERR_ABSENT);
	TRY(row_decode(a, remote->encoded, ret));
	return ret->deleted ? FAIL(ERR_ABSENT) : 0;
}

int egress_refuse(const struct egress *e, const struct audience *to, const char *id, struct err_note *note)
{
	const char *own = e->trust->own.org.manifest.org;

	if (egress_is_own(e, to))
		return FAIL_SAY(note, ERR_ABSENT, "%s: no such twin or property", id);
	return FAIL_SAY(note, ERR_DENIED, "%s: not shared with you or not there; ask %s", id, own);
}
