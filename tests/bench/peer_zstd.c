/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <zstd.h>

#include "tests/bench/peer.h"

double peer_zstd_bytes(const void *data, size_t len)
{
	enum { LEVEL = 19 };
	const size_t most = ZSTD_compressBound(len);
	void *p = malloc(most);
	const size_t n = p ? ZSTD_compress(p, most, data, len, LEVEL) : 0;

	free(p);
	return p && !ZSTD_isError(n) ? (double)n : (double)NAN;
}
