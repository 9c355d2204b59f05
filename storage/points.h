/* SPDX-License-Identifier: Apache-2.0 */
/* Point - what is known of a series as of a time: the last value at or before it, and how surely. */
#pragma once

#include "proto/value.h"

enum known {
	KNOWN_NOTHING, /* no sample at or before the time */
	KNOWN_SAMPLE,  /* the last one, as it came */
	KNOWN_COARSE, /* single samples of that time are not kept any more: the last one of its minute or hour
			 where that has ended, else the mean over it (a double, at its begin); no uncertainty,
			 no source; uncertain where bad ones were among them */
	KNOWN_EXPIRED, /* nothing of that time is kept any more, nor whether there was anything */
};

/* The value is VALUE_NONE where nothing is known or all is expired. */
struct point {
	enum known known;
	struct sample sample;
};
