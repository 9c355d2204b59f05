/* SPDX-License-Identifier: Apache-2.0 */
/* Serve, inside - what serve.c (the own organisation, and what is held) and serve_partner.c (other
 * organisations) share. */
#pragma once

#include "node/engine.h"
#include "proto/message.h"

/* What stands in an origin's head, as this node knows it: lineage, sequence number. ERR_ABSENT. */
MUST_CHECK int serve_origin_head(const struct engine *e, const char *origin, struct arena *a,
				 struct head *ret);
MUST_CHECK int serve_sign(const struct engine *e, const struct head *h, struct arena *a,
			  struct head_notice *ret);
MUST_CHECK int serve_keep(struct arena *a, const struct buf *b, struct bytes *ret);
MUST_CHECK int serve_push(struct rows *rows, const struct row *row, struct arena *a);

/* ---- serve_partner.c */

/* The age is filled in already. */
MUST_CHECK int partner_head(struct engine *e, const char *org, const char *origin, struct arena *a,
			    struct head_notice *ret);
/* Rows behind a partner's cursor, its retractions first. >0: an enum reset_reason. */
MUST_CHECK int partner_rows(struct engine *e, const char *org, const struct pull *pull, struct arena *a,
			    struct rows *ret);
