/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proto/type_objects.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *words[] = {"off", "on"};

static const struct limits limits = {.at = {-2, -1, 10.5, 12},
				     .rate_warning = 1.5,
				     .rate_alarm = 3,
				     .hysteresis = 0.25,
				     .dead_band = 0.125,
				     .delay_ns = 5000000000,
				     .stale_ns = 6000000000};
static struct transition transitions[] = {{0, 1}, {1, 0}};

struct property_def type_properties[N_TYPE_PROPERTIES] = {
	{.name = "load/power",
	 .type = VALUE_DOUBLE,
	 .unit = "MW",
	 .min = -1.5,
	 .max = 2e6,
	 .kpi = true,
	 .limits = &limits},
	{.name = "mode",
	 .type = VALUE_ENUM,
	 .unit = "",
	 .min = NAN,
	 .max = NAN,
	 .options = words,
	 .n_options = 2,
	 .transitions = transitions,
	 .n_transitions = 2},
	{.name = "count",
	 .type = VALUE_INT64,
	 .unit = "1",
	 .min = 0,
	 .max = NAN,
	 .settable = true,
	 .tolerance = 2,
	 .settle_ns = 30000000000,
	 .retention = {1, 0, 3}},
};

struct alarm_def type_alarms[N_TYPE_ALARMS] = {
	{.name = "overload",
	 .when = "load/power > 10 MW and context/temperature > 30 degC",
	 .severity = HEALTH_ALARM,
	 .text = "too much for so warm a day",
	 .delay_ns = 7000000000},
	{.name = "idle", .when = "count = 0", .severity = HEALTH_WARNING, .text = ""},
};

static struct property_def parameters[] = {
	{.name = "grace_s", .type = VALUE_DOUBLE, .unit = "s", .min = 0, .max = NAN},
	{.name = "how",
	 .type = VALUE_ENUM,
	 .unit = "",
	 .min = NAN,
	 .max = NAN,
	 .options = words,
	 .n_options = 2},
};

struct operation_def type_operations[N_TYPE_OPERATIONS] = {
	{.name = "safe-stop",
	 .text = "stops where it is",
	 .parameters = parameters,
	 .n_parameters = COUNT(parameters),
	 .within_ns = 9000000000},
	{.name = "home", .text = ""},
};
