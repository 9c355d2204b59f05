/* SPDX-License-Identifier: Apache-2.0 */
/* Client person - in whose name a client asks: with every request go the person's credential and an errand
 * to the node it talks to (security/errand.h).
 *
 * Owner: the client.
 */
#pragma once

#include "tools/client.h"

struct client_person;

void client_person_free(struct client_person *p); /* NULL is fine */
/* Put both into a request; good until the next call. -ENOMEM. */
MUST_CHECK int client_person_sign(struct client_person *p, struct control_request *request);
