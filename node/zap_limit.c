/* SPDX-License-Identifier: Apache-2.0 */
#include "node/zap_limit.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdlib.h>

enum {
	TOKEN = 60000, /* units: what a rate of one a minute brings in a minute of milliseconds */
	ROWS = 4096,   /* of a table; a power of two */
	WAYS = 16,     /* rows in which an id may stand */
	KICK_TOKENS = 5,
	KICKS_DEEPEST = 4, /* kicks, below an empty bucket */
};

/* A row that is zero, or as good as that, is free. */
struct row {
	uint64_t id;
	int64_t units; /* in the bucket, when last looked at */
	int64_t at_ms;
	uint64_t org; /* of a key: its organisation's id, 0 for the own one */
	uint32_t speaking;
	uint32_t silent[2]; /* let in, not heard yet: in this period of silent_ms and in the one before */
	int64_t period;
};

struct bucket {
	int64_t rate, burst; /* a minute; tokens. 0: no limit */
};

struct table {
	struct bucket bucket;
	struct row rows[ROWS], crowd; /* crowd: all who found no room */
};

struct zap_limiter {
	struct zap_limits limits;
	uint8_t secret[crypto_shorthash_KEYBYTES]; /* nobody can choose ids that meet */
	struct bucket total_bucket;
	struct row total;
	struct table keys, addresses, orgs;
};

const char *zap_verdict_text(enum zap_verdict v)
{
	static const char *const texts[] = {
		[ZAP_WELCOME] = "welcome",
		[ZAP_OVER_KEY] = "too often with one key",
		[ZAP_OVER_ADDRESS] = "too often from one address",
		[ZAP_OVER_ORG] = "too often from one organisation",
		[ZAP_OVER_TOTAL] = "too many at once",
		[ZAP_OVER_KEY_CONNECTIONS] = "too many connections of one key",
		[ZAP_OVER_ORG_CONNECTIONS] = "too many connections of one organisation",
	};

	return v < N_ZAP_VERDICTS ? texts[v] : "";
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

static uint64_t id_of(const struct zap_limiter *z, struct bytes b)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t id;

	crypto_shorthash(h, b.data, b.len, z->secret);
	memcpy(&id, h, sizeof id);
	return id ? id : 1;
}

static void refill(const struct bucket *b, struct row *r, int64_t now_ms)
{
	const int64_t full = b->burst * TOKEN, gone_ms = now_ms - r->at_ms;

	if (b->rate == 0 || gone_ms <= 0)
		return;
	r->units = gone_ms > (full - r->units) / b->rate ? full : r->units + gone_ms * b->rate;
	r->at_ms = now_ms;
}

static void forget_silent(const struct zap_limiter *z, struct row *r, int64_t now_ms)
{
	const int64_t period = now_ms / (z->limits.silent_ms > 0 ? z->limits.silent_ms : 1);

	if (period == r->period)
		return;
	r->silent[1] = period == r->period + 1 ? r->silent[0] : 0;
	r->silent[0] = 0;
	r->period = period;
}

static uint32_t living(const struct row *r)
{
	return r->speaking + r->silent[0] + r->silent[1];
}

static void look(const struct zap_limiter *z, const struct table *t, struct row *r, int64_t now_ms)
{
	refill(&t->bucket, r, now_ms);
	forget_silent(z, r, now_ms);
}

static struct row *find(struct table *t, uint64_t id)
{
	for (uint64_t i = 0; i < WAYS; i++) {
		struct row *r = &t->rows[(id + i) & (ROWS - 1)];
		if (r->id == id)
			return r;
	}
	return NULL;
}

/* A row that says no more than its absence would. */
static struct row *find_free(const struct zap_limiter *z, struct table *t, uint64_t id, int64_t now_ms)
{
	for (uint64_t i = 0; i < WAYS; i++) {
		struct row *r = &t->rows[(id + i) & (ROWS - 1)];
		look(z, t, r, now_ms);
		if (r->id == 0 || (living(r) == 0 && r->units >= t->bucket.burst * TOKEN))
			return r;
	}
	return NULL;
}

/* The row of an id, up to date: a full one if there was none. */
static struct row *row_of(const struct zap_limiter *z, struct table *t, uint64_t id, int64_t now_ms)
{
	struct row *r = find(t, id);

	if (!r) {
		r = find_free(z, t, id, now_ms);
		if (r)
			*r = (struct row){.id = id, .units = t->bucket.burst * TOKEN, .at_ms = now_ms};
		else
			r = &t->crowd;
	}
	look(z, t, r, now_ms);
	return r;
}

static bool has(const struct bucket *b, const struct row *r, int64_t kept)
{
	return b->rate == 0 || r->units >= kept + TOKEN;
}

static void take(const struct bucket *b, struct row *r)
{
	if (b->rate > 0)
		r->units -= TOKEN;
}

/* ---- Who asks --------------------------------------------------------------------------------------------
 */

/* An IPv6 address stands for its network: whoever has one has them all. False: it is none of ours to read. */
static bool address_bytes(struct bytes address, uint8_t ret[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN] = "";

	if (address.len == 0 || address.len >= sizeof text)
		return false;
	memcpy(text, address.data, address.len);
	memcpy(ret, mapped, sizeof mapped);
	if (inet_pton(AF_INET, text, ret + 12) == 1)
		return true;
	if (inet_pton(AF_INET6, text, ret) != 1)
		return false;
	if (memcmp(ret, mapped, sizeof mapped) != 0)
		memset(ret + 8, 0, 8);
	return true;
}

/* `org` is "" for strangers: each of those behind an address has a row of its own. */
static uint64_t address_id(const struct zap_limiter *z, struct bytes address, const char *org)
{
	uint8_t key[16 + ORG_NAME_MAX] = {0};
	const size_t n = strlen(org);

	if (!address_bytes(address, key))
		memset(key, 0, 16); /* all of the unreadable ones together */
	memcpy(key + 16, org, n);
	return id_of(z, (struct bytes){key, 16 + n});
}

static enum zap_verdict ask_stranger(struct zap_limiter *z, const struct zap_caller *who, int64_t now_ms)
{
	if (!has(&z->total_bucket, &z->total, z->total_bucket.burst * TOKEN / 2))
		return ZAP_OVER_TOTAL;
	struct row *address = row_of(z, &z->addresses, address_id(z, who->address, ""), now_ms);
	if (!has(&z->addresses.bucket, address, 0))
		return ZAP_OVER_ADDRESS;
	take(&z->addresses.bucket, address);
	take(&z->total_bucket, &z->total);
	return ZAP_WELCOME;
}

struct partner_rows {
	struct row *org, *address;
};

static enum zap_verdict ask_partner(struct zap_limiter *z, const struct zap_caller *who, int64_t now_ms,
				    struct partner_rows *ret)
{
	if (!has(&z->total_bucket, &z->total, z->total_bucket.burst * TOKEN / 4))
		return ZAP_OVER_TOTAL;
	ret->org = row_of(z, &z->orgs, id_of(z, bytes_of_text(who->entry->org)), now_ms);
	if (!has(&z->orgs.bucket, ret->org, 0))
		return ZAP_OVER_ORG;
	if (z->limits.org_connections > 0 && living(ret->org) >= z->limits.org_connections)
		return ZAP_OVER_ORG_CONNECTIONS;
	ret->address = row_of(z, &z->addresses, address_id(z, who->address, who->entry->org), now_ms);
	return has(&z->addresses.bucket, ret->address, 0) ? ZAP_WELCOME : ZAP_OVER_ADDRESS;
}

static enum zap_verdict ask_known(struct zap_limiter *z, const struct zap_caller *who, int64_t now_ms)
{
	const struct roster_entry *e = who->entry;
	struct partner_rows partner = {NULL, NULL};
	const enum zap_verdict v = e->own ? ZAP_WELCOME : ask_partner(z, who, now_ms, &partner);

	if (v != ZAP_WELCOME)
		return v;
	if (!has(&z->total_bucket, &z->total, 0))
		return ZAP_OVER_TOTAL;
	struct row *key = row_of(z, &z->keys, id_of(z, (struct bytes){e->key.b, KEY_BYTES}), now_ms);
	if (!has(&z->keys.bucket, key, 0))
		return ZAP_OVER_KEY;
	if (z->limits.key_connections > 0 && living(key) >= z->limits.key_connections)
		return ZAP_OVER_KEY_CONNECTIONS;
	take(&z->total_bucket, &z->total);
	take(&z->keys.bucket, key);
	key->silent[0]++;
	key->org = partner.org ? partner.org->id : 0;
	if (partner.org) {
		take(&z->orgs.bucket, partner.org);
		partner.org->silent[0]++;
		take(&z->addresses.bucket, partner.address);
	}
	return ZAP_WELCOME;
}

static enum zap_verdict ask_admin(struct zap_limiter *z)
{
	if (!has(&z->total_bucket, &z->total, 0))
		return ZAP_OVER_TOTAL;
	take(&z->total_bucket, &z->total);
	return ZAP_WELCOME;
}

enum zap_verdict zap_limiter_ask(struct zap_limiter *z, const struct zap_caller *who, int64_t now_ms)
{
	refill(&z->total_bucket, &z->total, now_ms);
	if (who->admin)
		return ask_admin(z);
	return who->entry ? ask_known(z, who, now_ms) : ask_stranger(z, who, now_ms);
}

/* ---- What became of them ---------------------------------------------------------------------------------
 */

/* The row of a key that has one, and in *ret_org that of its organisation if that counts. */
static struct row *known(struct zap_limiter *z, const struct curve_key *key, int64_t now_ms,
			 struct row **ret_org)
{
	struct row *r = find(&z->keys, id_of(z, (struct bytes){key->b, KEY_BYTES}));

	if (!r)
		return NULL;
	look(z, &z->keys, r, now_ms);
	*ret_org = r->org ? find(&z->orgs, r->org) : NULL;
	if (*ret_org)
		look(z, &z->orgs, *ret_org, now_ms);
	return r;
}

/* Of those let in, one that was silent; the elder first. */
static void speak(struct row *r)
{
	uint32_t *silent = r->silent[1] > 0 ? &r->silent[1] : &r->silent[0];

	if (*silent > 0)
		(*silent)--;
	r->speaking++;
}

void zap_limiter_spoke(struct zap_limiter *z, const struct curve_key *key, int64_t now_ms)
{
	struct row *org = NULL, *r = known(z, key, now_ms, &org);

	if (r)
		speak(r);
	if (org)
		speak(org);
}

void zap_limiter_ended(struct zap_limiter *z, const struct curve_key *key, int64_t now_ms)
{
	struct row *org = NULL, *r = known(z, key, now_ms, &org);

	if (!r || r->speaking == 0)
		return;
	r->speaking--;
	if (org && org->speaking > 0)
		org->speaking--;
}

void zap_limiter_kicked(struct zap_limiter *z, const struct curve_key *key, int64_t now_ms)
{
	struct row *org = NULL, *r = known(z, key, now_ms, &org);
	const int64_t deepest = -(int64_t)KICKS_DEEPEST * KICK_TOKENS * TOKEN;

	if (!r || z->keys.bucket.rate == 0)
		return;
	r->units -= KICK_TOKENS * TOKEN;
	if (r->units < deepest)
		r->units = deepest;
}

/* ---- Beginning and end -----------------------------------------------------------------------------------
 */

static void open_table(struct table *t, int64_t rate, int64_t burst)
{
	t->bucket = (struct bucket){rate, burst};
	t->crowd = (struct row){.id = UINT64_MAX, .units = burst * TOKEN};
}

int zap_limiter_new(struct zap_limiter **ret, const struct zap_limits *l)
{
	struct zap_limiter *z = calloc(1, sizeof *z);

	if (!z)
		return FAIL(-ENOMEM);
	z->limits = *l;
	randombytes_buf(z->secret, sizeof z->secret);
	open_table(&z->keys, l->key_rate, l->key_burst);
	open_table(&z->addresses, l->address_rate, l->address_burst);
	open_table(&z->orgs, l->org_rate, l->org_burst);
	z->total_bucket = (struct bucket){l->total_rate * 60, l->total_rate};
	z->total.units = z->total_bucket.burst * TOKEN;
	*ret = z;
	return 0;
}

void zap_limiter_free(struct zap_limiter *z)
{
	free(z);
}
