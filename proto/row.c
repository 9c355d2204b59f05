/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/row.h"

#include <sodium.h>

#include "proto/words.h"

int row_version_compare(struct row_version a, struct row_version b)
{
	if (a.lineage != b.lineage)
		return a.lineage < b.lineage ? -1 : 1;
	return (a.stamp_ns > b.stamp_ns) - (a.stamp_ns < b.stamp_ns);
}

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
	for (; n > 0; v >>= 8)
		p[--n] = (uint8_t)v;
}

struct hash128 row_hash(const char *id, struct row_version version, uint32_t mask)
{
	const bool crossed = (mask & ROW_MASK_DISCOVER) && mask != ROW_MASK_ALL;
	uint8_t tail[16];

	if (crossed)
		version = (struct row_version){0};
	put_be(tail, version.lineage, 4);
	put_be(tail + 4, (uint64_t)version.stamp_ns, 8);
	put_be(tail + 12, mask, 4);
	return hash128("row", bytes_of_text(id), (struct bytes){tail, sizeof tail});
}

uint64_t row_key(const char *id)
{
	static const uint8_t known[crypto_shorthash_KEYBYTES] = "holon row key";
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, (const uint8_t *)id, strlen(id), known);
	return get_u64(h);
}

const struct kpi *row_kpi(const struct row *r, const char *property)
{
	for (size_t i = 0; i < r->n_kpis; i++)
		if (strcmp(r->kpis[i].property, property) == 0)
			return &r->kpis[i];
	return NULL;
}

const struct row_alarm *row_alarm(const struct row *r, const char *name)
{
	for (size_t i = 0; i < r->n_alarms; i++)
		if (strcmp(r->alarms[i].name, name) == 0)
			return &r->alarms[i];
	return NULL;
}

static const char *const alarm_states[] = {
	[ALARM_STATE_NONE] = "none", [ALARM_ACTIVE] = "active",   [ALARM_ACKNOWLEDGED] = "acknowledged",
	[ALARM_SHELVED] = "shelved", [ALARM_CLEARED] = "cleared",
};

const char *alarm_state_text(enum alarm_state state)
{
	return word_at(alarm_states, N_ALARM_STATES, state);
}

bool alarm_state_parse(const char *text, enum alarm_state *ret)
{
	const size_t i = word_find(alarm_states, N_ALARM_STATES, text);

	if (i == N_ALARM_STATES)
		return false;
	*ret = (enum alarm_state)i;
	return true;
}
