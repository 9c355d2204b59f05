/* SPDX-License-Identifier: Apache-2.0 */
/* What commands of this node end in: its adapters, and what it does itself. */
#include "node/adapter.h"
#include "node/commands_private.h"

static int order(struct engine *e, const struct order *order, struct err_note *note)
{
	if (!e->adapters)
		return FAIL_SAY(note, ERR_ABSENT, "no adapter has this twin");
	return adapters_order(e->adapters, order, note);
}

const struct commands_ports commands_ports_of_node = {.order = order};
