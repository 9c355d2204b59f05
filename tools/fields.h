/* SPDX-License-Identifier: Apache-2.0 */
/* Fields - an object as a list of names and texts, so that two of them can be set side by side. */
#pragma once

#include "proto/op.h"

struct field {
	const char *name, *text;
};

struct fields {
	struct arena *arena; /* set by the caller; the rest begins zeroed */
	struct field *items;
	size_t n;
	bool failed; /* no memory */
};

void fields_of_type(struct fields *f, const struct type_def *t);
void fields_of_twin(struct fields *f, const struct twin_def *t);
void fields_of_relation(struct fields *f, const struct relation *r);
void fields_of_membership(struct fields *f, const struct membership *m);
void fields_of_sample(struct fields *f, const struct sample *s);

/* The text of a field; NULL: it has none of this name. */
const char *field_text(const struct fields *f, const char *name);

/* What a type says its twins do by themselves: "high-alarm 90, hysteresis 2", "idle > running", "tolerance 2,
 * settle 30s", "alarm when power > 5 MW", "(grace_s double s), within 1min", "k-of-n, k 2". Empty: nothing.
 * NULL without memory. */
const char *limits_words(struct arena *a, const struct limits *l); /* NULL is fine */
const char *steps_words(struct arena *a, const struct property_def *p);
const char *settle_words(struct arena *a, const struct property_def *p);
const char *alarm_words(struct arena *a, const struct alarm_def *d);
const char *operation_words(struct arena *a, const struct operation_def *o);
const char *health_rule_words(struct arena *a, const struct health_def *h);
