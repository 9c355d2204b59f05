/* SPDX-License-Identifier: Apache-2.0 */
/* Type objects - a type in which every field has a value, for tests and fuzzing. */
#pragma once

#include "proto/twin.h"

enum { N_TYPE_PROPERTIES = 3, N_TYPE_ALARMS = 2, N_TYPE_OPERATIONS = 2 };
extern struct property_def type_properties[N_TYPE_PROPERTIES];
extern struct alarm_def type_alarms[N_TYPE_ALARMS];
extern struct operation_def type_operations[N_TYPE_OPERATIONS];

#define FULL_TYPE \
	{ \
		.name = "acme/press", .parent = "acme/machine", .version = 3, .kind = KIND_ENVIRONMENT, \
		.retention = {4, 5, 6}, .properties = type_properties, .n_properties = N_TYPE_PROPERTIES, \
		.alarms = type_alarms, .n_alarms = N_TYPE_ALARMS, .operations = type_operations, \
		.n_operations = N_TYPE_OPERATIONS, \
		.health = {.rule = HEALTH_WEIGHTED, \
			   .hierarchy = "contains", \
			   .weight = "load/power", \
			   .k = 2, \
			   .warning = 0.125, \
			   .alarm = 0.5}, \
	}
