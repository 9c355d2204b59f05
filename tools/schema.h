/* SPDX-License-Identifier: Apache-2.0 */
/* Schema - which type of value a property of a twin wants, learnt from the node as it is needed.
 *
 * Most property names mean the same in every type, so the list of types answers most questions; only where it
 * does not is the twin itself asked for, once.
 */
#pragma once

#include "proto/map.h"
#include "proto/twin.h"
#include "tools/verb.h"

struct schema {
	struct context *ctx;
	struct map types;      /* name -> struct type_def */
	struct map properties; /* name -> struct property_def; AMBIGUOUS inside */
	struct map twins;      /* id -> struct type_def, of twins that were asked for */
	bool loaded;
};

void schema_fini(struct schema *s);

/* Can schema_wanted() answer without asking the node? */
bool schema_knows(const struct schema *s, const char *twin, const char *property);

/* VALUE_NONE: nobody knows, let the node judge. Anything but STATUS_OK has been said on stderr. May ask the
 * node: no bulk request may be on its way. */
enum status schema_wanted(struct schema *s, const char *twin, const char *property, enum value_type *ret);
