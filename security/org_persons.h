/* SPDX-License-Identifier: Apache-2.0 */
/* Org persons - the credentials of persons in an organisation's directory: persons/NAME, one file each. */
#pragma once

#include "security/org_admin.h"
#include "security/org_edit.h"

/* Renew the credentials that are due, except revoked ones; each file is written on its own. */
MUST_CHECK int persons_renew(struct org_edit *e, size_t *ret, struct err_note *note);
/* Credentials of persons that this issuer key signed and that still count; when the last of them ends. */
MUST_CHECK int persons_count(struct org_edit *e, const struct public_key *issuer, size_t *ret,
			     int64_t *ret_last_ns, struct err_note *note);
