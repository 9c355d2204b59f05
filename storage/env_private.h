/* SPDX-License-Identifier: Apache-2.0 */
/* Env from inside: what env.c and env_check.c share. */
#pragma once

#include "proto/bytes.h"
#include "proto/err.h"

/* The value in what is stored under a key. ERR_CORRUPT, ERR_VERSION. */
MUST_CHECK int env_unwrap(struct bytes key, struct bytes stored, struct bytes *ret);
