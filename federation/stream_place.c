/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/mesh_state.h"

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* The one that goes on where the other ends is newer. Where they fork, an origin was restored from a copy:
 * which branch is alive only a server can tell, by the cursor (cursor_judge); so neither counts as older. */
static int lineage_compare(const struct place *a, const struct place *b)
{
	size_t same = 0;

	while (same < a->n_lineage && same < b->n_lineage && a->lineage[same].id == b->lineage[same].id)
		same++;
	return same < a->n_lineage ? 1 : same < b->n_lineage ? -1 : 0;
}

/* Under an older policy or on a lineage that has gone on meanwhile a head is older whatever else it says.
 * Heads of partners have no sequence number (0): among equals of them the server's look at the cursor must
 * tell. */
int place_compare(const struct place *a, const struct place *b)
{
	int lineage = lineage_compare(a, b), epoch = compare(a->epoch, b->epoch);

	if (lineage < 0 || epoch < 0)
		return -1;
	return lineage > 0 || epoch > 0 ? 1 : compare(a->seq, b->seq);
}

int place_set(struct place *p, const struct head *head, struct bytes payload)
{
	struct incarnation *lineage = calloc(head->n_lineage + 1, sizeof *lineage);

	if (!lineage)
		return FAIL(-ENOMEM);
	if (head->n_lineage > 0)
		memcpy(lineage, head->lineage, head->n_lineage * sizeof *lineage);
	place_fini(p);
	*p = (struct place){
		.lineage = lineage,
		.n_lineage = head->n_lineage,
		.seq = head->seq,
		.epoch = head->epoch,
		.fingerprint = head->fingerprint,
		.digest = hash64("head", payload, (struct bytes){0}),
	};
	return 0;
}

void place_fini(struct place *p)
{
	free(p->lineage);
	p->lineage = NULL;
}

static int held_place(struct mesh *m, struct bytes encoded, struct place *ret)
{
	struct signed_blob blob;
	struct head head;

	arena_reset(m->scratch);
	TRY(signed_blob_decode(m->scratch, encoded, &blob));
	TRY(head_decode(m->scratch, blob.payload, &head));
	*ret = (struct place){
		.lineage = head.lineage,
		.n_lineage = head.n_lineage,
		.seq = head.seq,
		.epoch = head.epoch,
		.fingerprint = head.fingerprint,
		.digest = hash64("head", blob.payload, (struct bytes){0}),
	};
	return 0;
}

/* The same head is asked for all the time: of a stream it is read once. */
static int stored_place(struct mesh *m, const char *origin, struct bytes encoded, struct place *ret)
{
	struct stream *st = stream_find(m, origin);

	if (st && bytes_equal(encoded, buf_bytes(&st->stored))) {
		*ret = st->stored_place;
		return 0;
	}
	TRY(held_place(m, encoded, ret));
	if (!st)
		return 0;
	const size_t bytes = (ret->n_lineage + 1) * sizeof *ret->lineage;
	struct incarnation *lineage = malloc(bytes);
	if (!lineage || mesh_keep(encoded, &st->stored) < 0) {
		free(lineage);
		return FAIL(-ENOMEM);
	}
	if (ret->n_lineage > 0)
		memcpy(lineage, ret->lineage, ret->n_lineage * sizeof *lineage);
	place_fini(&st->stored_place);
	st->stored_place = *ret;
	st->stored_place.lineage = ret->lineage = lineage;
	return 0;
}

/* A stored head that cannot be read is as good as none: everything offered is then newer. */
int held_read(struct mesh *m, const char *origin, struct held *ret)
{
	const struct mesh_port *port = &m->opt.port;
	struct bytes head = {0};

	*ret = (struct held){0};
	int r = port->held(port->ctx, origin, &ret->cursor, &ret->fingerprint, &head);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		*ret = (struct held){0};
		return 0;
	}
	ret->known = true;
	ret->whole = ret->cursor.len > 0;
	if (head.len == 0)
		return 0;
	r = stored_place(m, origin, head, &ret->place);
	if (r == -ENOMEM)
		return r;
	ret->at_head = r == 0 && ret->whole && fingerprint_equal(&ret->fingerprint, &ret->place.fingerprint);
	return 0;
}

static size_t partner_find(const struct mesh *m, const char *org)
{
	size_t at = 0;

	while (at < m->n_partners && strcmp(m->partners[at].org, org) != 0)
		at++;
	return at;
}

bool partner_is_past(const struct mesh *m, const char *org, uint64_t epoch)
{
	const size_t at = partner_find(m, org);

	return at < m->n_partners && epoch < m->partners[at].epoch;
}

void partner_forget(struct mesh *m, const char *org)
{
	const size_t at = partner_find(m, org);

	if (at == m->n_partners)
		return;
	free(m->partners[at].org);
	m->partners[at] = m->partners[--m->n_partners];
}

bool partner_epoch(struct mesh *m, const char *org, uint64_t epoch)
{
	const size_t at = partner_find(m, org);
	struct partner *p = at < m->n_partners ? &m->partners[at] : NULL;

	if (!p && m->n_partners < PARTNERS_MAX) {
		char *copy = strdup(org);
		if (copy) {
			p = &m->partners[m->n_partners++];
			*p = (struct partner){copy, 0};
		}
	}
	if (!p)
		return true; /* no memory of it: as if it were the first time */
	if (epoch < p->epoch)
		return false;
	p->epoch = epoch;
	return true;
}
