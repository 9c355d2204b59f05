/* SPDX-License-Identifier: Apache-2.0 */
/* Id - the words that name things: twin ids, property names, tags, organisation and node names.
 *
 * A twin id is a path `org/segment/...`, ASCII [A-Za-z0-9._-], at most 255 bytes and 32 segments, no empty
 * and no dot segments, no case folding: one canonical form (DESIGN 2). Everything below works on
 * NUL-terminated text that some other place owns.
 */
#pragma once

#include "proto/bytes.h"
#include "proto/err.h"

/* One segment: 1..max characters of [A-Za-z0-9._-], not "." or "..". Organisation, node and tag names. */
bool id_is_segment(struct bytes text, size_t max);

/* A twin id: an organisation and at least one segment below it. */
bool id_is_twin(struct bytes text);

/* A property, relation or type name: 1..32 segments. */
bool id_is_name(struct bytes text);

/* Check a twin id a person typed: ERR_REFUSED with a note that names the first offending character. */
MUST_CHECK int id_check_twin(const char *id, struct err_note *note);
/* The same for a property, relation or type name; `what` is the word for it in the note. */
MUST_CHECK int id_check_name(const char *name, const char *what, struct err_note *note);
/* The same for one segment (`what`: "organisation", "node", "tag"). */
MUST_CHECK int id_check_segment(const char *word, const char *what, size_t max, struct err_note *note);

/* The organisation of a twin id: its first segment, pointing into `id`. */
struct bytes id_org(const char *id);
bool id_is_of_org(const char *id, const char *org);

/* The id without its organisation, as policies write it; points into `id`. */
const char *id_local(const char *id);

/* True when `id` is `prefix` or lies below it. */
bool id_is_within(const char *id, const char *prefix);

/* Make an id segment out of any foreign name, the one stated rule of the importer: bytes outside
 * [A-Za-z0-9._-] become '-', runs of '-' become one, leading and trailing '-' go, an empty rest is "_",
 * "." and ".." become "_". `ret` has room for `size` bytes with NUL; longer results are cut. */
void id_slug(const char *name, char *ret, size_t size);
