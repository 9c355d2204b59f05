/* SPDX-License-Identifier: Apache-2.0 */
/* What sparkplug.c (messages) and sparkplug_birth.c (what births said) share. */
#pragma once

#include "node/sparkplug.h"
#include "proto/map.h"

struct spark_metric {
	char *name;
	bool has_alias;
	uint64_t alias;
	uint32_t datatype;
	enum quality quality;
	struct value last; /* VALUE_NONE: none so far */
	char *text;        /* of `last` */
};

/* A device, or the node itself under the name "". */
struct spark_device {
	struct spark_device *next;
	char *name;
	bool is_alive;
	struct spark_metric *metrics; /* by alias, those without behind */
	size_t n_metrics, n_with_alias;
	struct map by_name;
};

struct spark_node {
	char *group, *name, *key; /* key: GROUP/NODE */
	bool is_born;             /* and no gap since */
	uint8_t next_seq;
	bool has_bd_seq, was_asked;
	uint64_t bd_seq, asked_ms;
	struct map devices; /* by name */
	struct spark_device *first;
};

struct spark_host {
	struct map nodes;
	size_t n_nodes, n_devices, n_metrics, n_bytes;
};

/* In place of what this device was born with before; the device is made when it is not there. ERR_REFUSED
 * with a note: what it says contradicts itself, or is more than there is room for. */
MUST_CHECK int spark_birth(struct spark_host *h, struct spark_node *n, const char *device,
			   const struct sparkplug_payload *p, struct err_note *note);
/* NULL: there is none. */
struct spark_device *spark_device_of(const struct spark_node *n, const char *name);
struct spark_metric *spark_metric_of(const struct spark_device *d, const struct sparkplug_metric *m,
				     bool alias_counts);
/* What it says now; a text for which there is no room is forgotten. */
void spark_remember(struct spark_host *h, struct spark_metric *m, const struct value *v,
		    enum quality quality);
/* With all its devices. */
void spark_node_free(struct spark_host *h, struct spark_node *n);
