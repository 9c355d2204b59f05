/* SPDX-License-Identifier: Apache-2.0 */
#include "node/watch.h"

int control_watch(struct call *c, struct err_note *note)
{
	TRY(control_view_check(c, note));

	return watches_take(c->e->watches, c, note);
}
