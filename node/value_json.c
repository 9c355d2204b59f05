/* SPDX-License-Identifier: Apache-2.0 */
#include "node/value_json.h"

static json_t *real_to_json(double v)
{
	if (isfinite(v))
		return json_real(v);
	return json_string(isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
}

json_t *value_to_json(const struct value *v)
{
	const struct position *p = &v->position;

	switch (v->type) {
	case VALUE_NONE: return json_null();
	case VALUE_BOOL: return json_boolean(v->boolean);
	case VALUE_INT64: return json_integer(v->integer);
	case VALUE_DOUBLE: return real_to_json(v->real);
	case VALUE_TEXT:
	case VALUE_ENUM: return json_string(v->text);
	case VALUE_POSITION:
		return isnan(p->alt_m) ? json_pack("{s:f, s:f}", "lat", p->lat_deg, "lon", p->lon_deg)
				       : json_pack("{s:f, s:f, s:f}", "lat", p->lat_deg, "lon", p->lon_deg,
						   "alt", p->alt_m);
	}
	return NULL;
}
