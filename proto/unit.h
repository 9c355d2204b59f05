/* SPDX-License-Identifier: Apache-2.0 */
/* Unit - UDUNITS-2 syntax, checked and converted by libudunits2 and by nothing else.
 *
 * Threads: one (libudunits2 keeps global state). The unit data base is read at the first use and kept.
 * An empty or NULL unit is dimensionless ("1").
 */
#pragma once

#include "proto/err.h"

/* ERR_UNIT with a note when the text is not a unit. */
MUST_CHECK int unit_check(const char *unit, struct err_note *note);

/* y[from] = scale * x[to] + offset, so that `x * ret_scale + ret_offset` turns a value in `from` into `to`.
 * Equal texts are answered without the library. ERR_UNIT with a note when they measure different things. */
MUST_CHECK int unit_convert(const char *from, const char *to, double *ret_scale, double *ret_offset,
			    struct err_note *note);

/* Give the data base back (tests and end of process). */
void unit_fini(void);
