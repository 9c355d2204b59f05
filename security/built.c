/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "security/org.h"

int64_t built_ns(void)
{
	return (int64_t)HOLON_BUILT_S * NS_PER_S;
}
