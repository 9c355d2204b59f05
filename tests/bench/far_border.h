/* SPDX-License-Identifier: Apache-2.0 */
/* Far border - the border of a partner organisation, in process: the real mesh core, and a real store that
 * makes every row durable before it counts.
 *
 * Frames go through the codec both ways, as over a socket; there is no CURVE and no TCP between. What the
 * reader says waits in `out` until the bench hands it on.
 */
#pragma once

#include "federation/mesh.h"
#include "storage/store.h"

struct far_frame {
	struct far_frame *next;
	size_t len;
	uint8_t data[];
};

struct far_border {
	char org[16], dir[256];
	struct mesh *mesh;
	struct store *store;
	struct public_key server; /* who signs the heads */
	struct far_frame *out, **out_end;
	uint64_t bytes[N_MESSAGE_KINDS]; /* that came */
};

/* `place`: where its store goes. */
int far_border_open(struct far_border *r, int number, const char *place, const struct public_key *server);
void far_border_close(struct far_border *r);
int far_border_connect(struct far_border *r, const char *org, const char *node);
int far_border_take(struct far_border *r, const uint8_t *frame, size_t len);
int far_border_tick(struct far_border *r);
/* What it holds of an origin. */
struct fingerprint far_border_held(const struct far_border *r, const char *origin);
