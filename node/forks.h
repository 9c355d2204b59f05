/* SPDX-License-Identifier: Apache-2.0 */
/* Forks - origins of the own organisation of which two incarnations lived with one key (DESIGN 7), and what
 * an admin decided.
 *
 *     two live (MESH_FORK) --> OPEN: nothing of the origin counts --choose--> the chosen one and later ones
 * do
 *        ^----------------- it forks again ---------------------------------------------'
 *
 * An origin that is open is neither taken nor served nor asked, and what is held of it is as old as can be.
 * It is this node's finding and this node's decision: nodes that see both lives find it themselves, and the
 * others get nothing from those. Durable in the trust environment, `fork/ORG/NODE`:
 *
 *     format (1)  noted (8)  then of each life: incarnation (8)  seq (8)  stamp (8)  state (1)
 *
 * Owner:   the engine. Threads: the loop's. Views: until the next forks_ call that changes something.
 */
#pragma once

#include "proto/control.h"
#include "storage/trust_store.h"

enum fork_state { FORK_OPEN, FORK_CHOSEN, FORK_REFUSED, N_FORK_STATES };
const char *fork_state_text(enum fork_state s); /* "undecided", "chosen", "refused" */

enum { FORK_LIVES_MAX = 8 }; /* of one origin; of more the ones refused first are forgotten */

struct fork_mark {
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];
	int64_t noted_ns; /* wall */
	size_t n;
	struct fork_life {
		uint64_t incarnation, seq; /* of its newest head that is known */
		int64_t stamp_ns;
		enum fork_state state;
	} lives[FORK_LIVES_MAX];
};

struct forks;

MUST_CHECK int forks_open(struct forks **ret, struct trust_store *store);
void forks_close(struct forks *f); /* NULL is fine */

/* May what this incarnation says be taken and handed on? NULL for forks: yes. */
bool forks_counts(const struct forks *f, const char *origin, uint64_t incarnation);
bool forks_is_open(const struct forks *f, const char *origin);
const struct fork_mark *forks_next(const struct forks *f, size_t *at); /* *at begins at 0; NULL: the end */
const struct fork_mark *forks_first_open(const struct forks *f);       /* NULL: none */

/* Two encoded signed heads of it, verified, that cannot both be true. FORKS_SAME: not of two incarnations, or
 * of one that was refused already: nothing is to be decided. Durable when it returns. */
enum { FORKS_SAME = 1 };
MUST_CHECK int forks_note(struct forks *f, const char *origin, const struct bytes heads[2], int64_t now_ns);
/* From now on this incarnation counts, and the others that are known do not. ERR_ABSENT with a note. Durable
 * when it returns. */
MUST_CHECK int forks_choose(struct forks *f, const char *origin, uint64_t incarnation, struct err_note *note);

DEFINE_SCOPED(forks, forks_close)
