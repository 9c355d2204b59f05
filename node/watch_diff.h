/* SPDX-License-Identifier: Apache-2.0 */
/* Watch diff - what of a view a client was shown, and what differs now.
 *
 * Of a member its content is remembered as a hash, of all that is not a member another one: an age and the
 * stamp of a newest row are no difference.
 *
 * Owner: embeds the struct, zeroed is empty. Threads: one.
 */
#pragma once

#include "proto/map.h"
#include "proto/view.h"

struct watch_shown {
	struct map members; /* id -> what was shown of it */
	uint64_t rest;
	uint32_t round;
};

void watch_shown_fini(struct watch_shown *s);

/* From here on `view` is what was shown. *ret is it with the members only that are new or differ, and with
 * those that are gone (arrays in the arena, texts borrowed from `view` or copied); *ret_differs: there is
 * anything to tell. After -ENOMEM it is not known any more what was shown. */
MUST_CHECK int watch_differ(struct watch_shown *s, const struct view_question *q,
			    const struct view_part *view, struct arena *a, struct view_part *ret,
			    bool *ret_differs);
