/* SPDX-License-Identifier: Apache-2.0 */
/* Join ends - the token that fuzz_join takes requests for, the same one that its seeds were made from. */
#pragma once

#include "security/join.h"

static const struct join_token join_token = {
	.org = "acme",
	.name = "gateway",
	.root = {{1, 2, 3}},
	.endpoint = "tcp://192.0.2.1:7002",
	.server = {{4, 5, 6}},
	.secret = {7, 8, 9},
	.until_ns = 1790000000000000000,
};
static const struct curve_key join_curve = {{10, 11, 12}};
static const uint8_t join_seed[32] = {13, 14, 15};
