/* SPDX-License-Identifier: Apache-2.0 */
/* Show - the one JSON form of each thing (the same that `apply` reads), and a few texts for people. */
#pragma once

#include "proto/control.h"
#include "tools/json.h"

/* The members of a type's object, without the braces; of its properties alone. */
void show_type_members(struct json *j, const struct type_def *t);
void show_properties(struct json *j, const struct type_def *t);
void show_behaviour(struct json *j, const struct type_def *t); /* alarms, operations, health */
void show_words(struct json *j, const char *key, const char *const words[], size_t n);
void show_retention(struct json *j, const char *key, const struct retention *r); /* nothing if none is said */
/* The members of a twin's object, without the braces. */
void show_twin_members(struct json *j, const struct twin_def *t);
/* The members of a summary's object that say what the twin is, without the braces; the member `parents`. */
void show_row_members(struct json *j, const struct row *r);
void show_row_parents(struct json *j, const struct row *r);
/* The member `alarms`; the members of one. */
void show_row_alarms(struct json *j, const struct row *r);
void show_alarm_members(struct json *j, const struct row_alarm *alarm);
void show_relation(struct json *j, const char *key, const struct relation *r);
void show_membership(struct json *j, const char *key, const struct membership *m);
/* The members `relations` and `memberships` of an answer, both lists. */
void show_relations(struct json *j, const struct control_answer *answer);
/* t, value, quality, sigma?, source? without the braces. */
void show_sample_members(struct json *j, const struct sample *s);
void show_notes(struct json *j, const char *key, const struct control_answer *answer);
void show_refusals(struct json *j, const char *key, const struct control_answer *answer);

/* `380 kV`, with its quality if it is not good. In the arena; "" without memory. */
const char *sample_words(struct arena *a, const struct sample *s, const char *unit);
/* Words joined by blanks. */
const char *words_joined(struct arena *a, const char *const words[], size_t n);
