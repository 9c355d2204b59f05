/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/control.h"

#include "proto/words.h"

static const char *const op_words[N_CONTROL_OPS] = {
	[CONTROL_STATUS] = "status",
	[CONTROL_CHANGE] = "change",
	[CONTROL_TWIN_GET] = "twin get",
	[CONTROL_TWIN_LIST] = "twin list",
	[CONTROL_TWIN_FIND] = "twin find",
	[CONTROL_TYPE_LIST] = "type list",
	[CONTROL_TYPE_GET] = "type get",
	[CONTROL_REL_LIST] = "rel list",
	[CONTROL_VIEW] = "view",
	[CONTROL_HISTORY] = "history",
	[CONTROL_POLICY_PUBLISH] = "policy publish",
	[CONTROL_POLICY_CHECK] = "policy check",
	[CONTROL_POLICY_SHOW] = "policy show",
	[CONTROL_POLICY_WHY] = "policy why",
	[CONTROL_PEERS] = "peer list",
	[CONTROL_ORG_SHOW] = "org show",
	[CONTROL_ORG_TRUST] = "org trust",
};

const char *control_op_text(enum control_op op)
{
	return word_at(op_words, N_CONTROL_OPS, op);
}
