/* SPDX-License-Identifier: Apache-2.0 */
/* A scratch directory in memory where there is one, for tests that make very many files. */
#pragma once

enum { PLACE_BYTES = 128 };

void place_make(void);
void place_remove(void);
/* The path of something in it. */
const char *place_path(char ret[PLACE_BYTES], const char *name);
/* Remove something in it with all that it holds; what is not there is fine. */
void place_empty(const char *name);
