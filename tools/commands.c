/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "tools/verb.h"

const struct verb *const command_groups[] = {
	cmd_status,      cmd_doctor,  cmd_org,     cmd_issuer, cmd_node,     cmd_invite,
	cmd_person,      cmd_twin,    cmd_rel,     cmd_type,   cmd_import,   cmd_ingest,
	cmd_apply,       cmd_view,    cmd_find,    cmd_watch,  cmd_policy,   cmd_peer,
	cmd_mesh,        cmd_history, cmd_backup,  cmd_key,    cmd_audit,    cmd_adapter,
	cmd_adapter_run, cmd_alarm,   cmd_command, cmd_replay, cmd_complete, NULL,
};
