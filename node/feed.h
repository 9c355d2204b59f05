/* SPDX-License-Identifier: Apache-2.0 */
/* Feed - the samples of one adapter on their way to being durable.
 *
 *     put(series, sample, token) ... --frames, one log commit for all that wait--> done(upto)
 *
 * A token stands for what the samples came in (an MQTT message, a line): tokens rise by one, each is named by
 * some feed_put() or by feed_mark(), and what belongs to one is put before the loop goes on. When `done` says
 * a token, everything put under it and all tokens before is on this node's disk, or was refused for good and
 * told of by `refused`: only then may the source be acknowledged. While the store takes nothing (disk full,
 * overload) nothing is refused: it is tried again, and the feed fills up. Samples go in frames of series
 * numbers (proto/packed.h), as those of client programs do.
 *
 * Owner:   the adapter. Threads: the loop's; callbacks come later, never from within feed_*().
 */
#pragma once

#include "node/engine.h"
#include "proto/value.h"

struct feed;

struct feed_options {
	const char *source; /* of samples that have none: the adapter's name */
	void (*done)(void *ctx, uint64_t upto, uint64_t n_samples); /* so many are durable since last time */
	void (*refused)(void *ctx, uint64_t token, const char *twin, const char *property,
			const char *reason);
	void (*room)(void *ctx); /* it was full and is not any more */
	void *ctx;
};

MUST_CHECK int feed_new(struct feed **ret, struct engine *e, const struct feed_options *opt);
/* What waits is forgotten, no callback comes any more. NULL is fine. */
void feed_free(struct feed *f);

/* A number for a series, good as long as the feed, whatever happens to the twin: what is not there (yet) is
 * found out when a sample is put. -ENOMEM; ERR_REFUSED with a note when these cannot be names, or there are
 * FEED_SERIES_MAX: where names come from outside, look first whether there is such a twin. */
enum { FEED_SERIES_MAX = 4000000 };
MUST_CHECK int feed_series(struct feed *f, const char *twin, const char *property, uint32_t *ret,
			   struct err_note *note);
/* Type and unit wanted there, as far as is known now; VALUE_NONE: no such series. */
struct property_def;
const struct property_def *feed_wants(struct feed *f, uint32_t series);
/* Copied; fitted to the type (value_fit()). -ENOMEM. */
MUST_CHECK int feed_put(struct feed *f, uint32_t series, const struct sample *s, uint64_t token);
/* Nothing (more) comes under this token. */
void feed_mark(struct feed *f, uint64_t token);
/* The same, and something else came of it that was handed to the writer (a word on a command): it is done
 * when that is durable, too. */
void feed_mark_behind(struct feed *f, uint64_t token);
/* More waits than FEED_WAITING_MAX samples or FEED_BYTES_MAX bytes: stop reading the source until `room`. */
enum { FEED_WAITING_MAX = 65536, FEED_BYTES_MAX = 16 * 1024 * 1024 };
bool feed_is_full(const struct feed *f);

DEFINE_SCOPED(feed, feed_free)
