/* SPDX-License-Identifier: Apache-2.0 */
/* Seed - writes a corpus for a fuzzer to begin with: main() is in seed.c, what is written in seed_TARGET.c.
 */
#pragma once

#include "proto/buf.h"

/* The target's own: everything, one file each. */
MUST_CHECK int seed_all(const char *directory);

/* DIRECTORY/name; the failure of the buf is its own. */
MUST_CHECK int seed_save(const char *directory, const char *name, const struct buf *content);
