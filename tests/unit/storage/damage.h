/* SPDX-License-Identifier: Apache-2.0 */
/* Bit rot, made to order. */
#pragma once

#include <stdbool.h>

/* Flip one bit in every place of DIR/data.mdb where these characters stand; false: they stand nowhere. */
bool damage_file(const char *dir, const char *content);
/* Overwrite all of DIR/data.mdb. */
bool damage_whole_file(const char *dir);
