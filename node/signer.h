/* SPDX-License-Identifier: Apache-2.0 */
/* Signer - the organisation's directory inside an admin node (setting admin.organisation).
 *
 *     DIR/bundle changes (holon node revoke, extend, issuer rotate ...) --\
 *     every hour: what is due is renewed -----------------------------------> bundle taken, in force at once
 *     a machine is approved: a credential for it -------------------------/
 *
 * So nobody has to carry bundles on this machine, nor to think of renewing. The root may be offline: what is
 * read is issuer.key, cursor.key, bundle and persons/. All of it happens on the thread pool, one job at a
 * time; others that work on the directory are waited for (org_files.h).
 *
 * Owner:   the engine; NULL unless the setting is there. Threads: the loop's.
 */
#pragma once

#include "security/org_admin.h"

struct engine;
struct signer;
struct invitation;

/* *ret stays NULL without the setting. ERR_REFUSED and others with a note: the node has not the role admin,
 * the directory cannot be used or is another organisation's. */
MUST_CHECK int signer_start(struct signer **ret, struct engine *e, struct err_note *note);
/* Waits for the job that runs; the others fail (-ECANCELED). `done`, on the loop. */
void signer_stop(struct signer *s, void (*done)(struct engine *e));
void signer_free(struct signer *s); /* NULL is fine */

/* A credential for these keys as the invitation says. `done` is called on the loop, when the bundle with it
 * is in force; `sealed` is the cursor key for a border (join_seal). Copies what it is given. -ENOMEM. */
typedef void signer_fn(void *ctx, int code, struct bytes sealed, const struct err_note *note);
MUST_CHECK int signer_admit(struct signer *s, const struct invitation *i, const struct node_public *keys,
			    signer_fn *done, void *ctx);
