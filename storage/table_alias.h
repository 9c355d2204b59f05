/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of the alias index: one per alias of every living twin, in the twin's own block. */
#pragma once

#include "storage/table.h"

struct alias_ref {
	const char *alias;
	struct own_twin *twin;
};

struct alias_key {
	const char *alias, *id;
};
