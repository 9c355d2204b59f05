/* SPDX-License-Identifier: Apache-2.0 */
/* Value as JSON, as `holon ingest` takes it: numbers, words, {"lat", "lon", "alt"?}; "NaN",
 * "Infinity". NULL: -ENOMEM or a text that is no UTF-8. */
#pragma once

#include <jansson.h>

#include "proto/value.h"

json_t *value_to_json(const struct value *v);
