/* SPDX-License-Identifier: Apache-2.0 */
/* Row - a twin's summary as it travels: the small public face of a twin (DESIGN 2, summary; DESIGN 7, rows).
 *
 * Inside an organisation a row is handed on as the bytes its origin encoded. Across a border it is what the
 * policy leaves of it, encoded anew by the border: `mask` then holds a digest of what was left in, so that
 * both sides compute the same fingerprint, `version` is the one under which that content was first shown, and
 * `seq` is 0: none of them may tell how much else changes.
 */
#pragma once

#include "proto/buf.h"
#include "proto/hash.h"
#include "proto/twin.h"

/* Which state of a twin is newer. `lineage` is the place of the incarnation in the origin's lineage,
 * `stamp_ns` the origin's hybrid clock: wall time, but always larger than the last one it gave. */
struct row_version {
	uint32_t lineage;
	int64_t stamp_ns;
};

struct kpi {
	const char *property;
	const char *unit;
	struct sample sample; /* its source stays at home: always NULL */
};

/* One parent in one hierarchy, with the word of this twin's owner on it. */
struct row_parent {
	const char *hierarchy, *parent;
	enum confirmation state;
};

/* Before the name of an alarm: the property that says how it stands (standing.h). */
#define ALARM_PREFIX "alarm/"

/* An alarm that stands, or is not acknowledged yet (ISA-18.2, 5.4). */
enum alarm_state {
	ALARM_STATE_NONE, /* there is none */
	ALARM_ACTIVE,
	ALARM_ACKNOWLEDGED, /* active, and somebody has seen it */
	ALARM_SHELVED,      /* somebody does not want to hear of it for a while */
	ALARM_CLEARED,      /* over: never in a row */
	N_ALARM_STATES,
};

struct row_alarm {
	const char *name;     /* of the property whose limit was crossed, or of the alarm_def */
	enum health severity; /* HEALTH_WARNING or HEALTH_ALARM */
	enum alarm_state state;
	const char *what; /* a word: `high-alarm`, `rate-warning`, `stale`, `expression` */
	int64_t since_ns; /* it is active: time of measurement */
};

/* What of the owner's full row is in (macros, for bit 31 fits no enum). While a border decides: bits 0..15
 * the owner's KPI of that place, bits 16..23 the parent of that place. In a row that crossed a border these
 * would tell how many hidden ones stand before the shown ones: there bits 0..28 are a digest of the content;
 * bit 29 stays clear, so that it is never taken for a full row. */
#define ROW_MASK_KPI (1u << 0)
#define ROW_MASK_PARENT (1u << 16)
#define ROW_MASK_DIGEST ((1u << 29) - 1)
#define ROW_MASK_DISCOVER (1u << 30) /* in every row that crossed a border: 0 means "not visible" */
#define ROW_MASK_SUMMARY (1u << 31)  /* name, life-cycle, health and tags */
#define ROW_MASK_ALL UINT32_MAX      /* the owner's full row */

struct row {
	const char *id;
	struct row_version version;
	uint64_t seq; /* in the origin's stream; 0 in rows that crossed a border */
	uint32_t mask;
	bool deleted; /* tombstone or retraction: only id, version and seq mean anything */
	enum kind kind;
	const char *type; /* "" for none */
	const char *name; /* "" for none */
	enum life_cycle life;
	enum health health;
	struct kpi *kpis; /* a position is a KPI of type position */
	size_t n_kpis;
	struct row_parent *parents;
	size_t n_parents;
	const char **tags;
	size_t n_tags;
	struct row_alarm
		*alarms; /* the worst first, then the latest; at most ROW_ALARMS_MAX. A partner gets those
			    whose `alarm/NAME` and NAME it would get as KPIs: summary, and no never */
	size_t n_alarms;
};

/* <0, 0, >0 */
int row_version_compare(struct row_version a, struct row_version b);

/* What a row adds to its set's fingerprint: BLAKE2b-128 of id, version and mask. Of a row that crossed a
 * border the mask speaks for the content, and the version is left out: another border of the organisation may
 * have shown the same content first under another one. */
struct hash128 row_hash(const char *id, struct row_version version, uint32_t mask);

/* Where a row stands in the tree that finds differences (federation/tree.h): SipHash-2-4 of its id under a
 * key that everybody knows, so that all compute the same. */
uint64_t row_key(const char *id);

void row_encode(const struct row *r, struct buf *out);
/* Checks all of it; ERR_MALFORMED. Points into `a` and not into `in`. */
MUST_CHECK int row_decode(struct arena *a, struct bytes in, struct row *ret);

/* What is wanted of a row besides kind, life-cycle, health, mask, version and whether it is deleted. */
struct row_wish {
	bool face;               /* type, name and tags */
	bool alarms;             /* all of them */
	const char *const *kpis; /* of these properties */
	size_t n_kpis;
};

/* That much of a row that row_decode() has taken before: a row is checked when it comes in and when it is
 * loaded, so its words are not checked again. What is not wanted may be missing, parents always. `id` is who
 * it is of. Points into `a`, `in` or the wish. -ENOMEM; of what never was a row ERR_MALFORMED or anything. */
MUST_CHECK int row_read(struct arena *a, const char *id, struct bytes in, const struct row_wish *wish,
			struct row *ret);

/* KPI by property name, NULL when the row has none. */
const struct kpi *row_kpi(const struct row *r, const char *property);
/* The same of an alarm. */
const struct row_alarm *row_alarm(const struct row *r, const char *name);

const char *alarm_state_text(enum alarm_state state); /* "active": the first word of its standing */
bool alarm_state_parse(const char *text, enum alarm_state *ret);
