/* SPDX-License-Identifier: Apache-2.0 */
/* Where libpq is not installed. */
#include <math.h>

#include "tests/bench/peer.h"

double peer_postgres(const struct bench_options *opt, size_t n_twins, size_t fan_out, int runs)
{
	(void)opt, (void)n_twins, (void)fan_out, (void)runs;
	return NAN;
}
