/* SPDX-License-Identifier: Apache-2.0 */
/* The fingerprint is 150 bits of a hash over name and root, in groups of six characters and a check
 * character.
 *
 * A group is a word over GF(32): read as digits d1..d6 and check c, with x a generator of the field and g the
 * group's number from 1, d1*x^6 + ... + d6*x + c = g. So one wrong character, or any two exchanged, shows in
 * its group, and so does a group in the wrong place.
 */
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>

#include "security/org_hash.h"

enum { GROUPS = 5, GROUPS_TYPED_MIN = 4, GROUP_LEN = 7, SYMBOLS = GROUPS * GROUP_LEN, BITS_PER_SYMBOL = 5 };

_Static_assert(ORG_NAME_MAX + GROUPS * (GROUP_LEN + 1) + 1 <= FINGERPRINT_SIZE, "room for the longest name");

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void org_hash(const char *org, const struct public_key *root, struct org_hash *ret)
{
	static const char domain[] = "holon/org/v1";
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof ret->b);
	crypto_generichash_update(&state, (const uint8_t *)domain,
				  sizeof domain); /* each text with its NUL */
	crypto_generichash_update(&state, (const uint8_t *)org, strlen(org) + 1);
	crypto_generichash_update(&state, root->b, sizeof root->b);
	crypto_generichash_final(&state, ret->b, sizeof ret->b);
}

/* Multiply by x in GF(32) = GF(2)[x] / (x^5 + x^2 + 1). */
static unsigned times_x(unsigned v)
{
	return v & 16 ? (v << 1 ^ 0x25) & 31 : v << 1;
}

static uint8_t check_symbol(const uint8_t digits[GROUP_LEN - 1], unsigned group)
{
	unsigned sum = 0;

	for (int i = 0; i < GROUP_LEN - 1; i++)
		sum = times_x(sum) ^ digits[i];
	return (uint8_t)(times_x(sum) ^ (group + 1));
}

static bool group_is_whole(const uint8_t *symbols, unsigned group)
{
	return check_symbol(symbols, group) == symbols[GROUP_LEN - 1];
}

static uint8_t five_bits(const uint8_t *hash, size_t at)
{
	const unsigned two = (unsigned)hash[at / 8] << 8 | hash[at / 8 + 1];

	return two >> (16 - BITS_PER_SYMBOL - at % 8) & 31;
}

static void compute_symbols(const char *org, const struct public_key *root, uint8_t ret[SYMBOLS])
{
	struct org_hash hash;
	size_t bit = 0;

	org_hash(org, root, &hash);
	for (unsigned g = 0; g < GROUPS; g++, ret += GROUP_LEN) {
		for (int i = 0; i < GROUP_LEN - 1; i++, bit += BITS_PER_SYMBOL)
			ret[i] = five_bits(hash.b, bit);
		ret[GROUP_LEN - 1] = check_symbol(ret, g);
	}
}

void org_fingerprint(const char *org, const struct public_key *root, char ret[FINGERPRINT_SIZE])
{
	uint8_t symbols[SYMBOLS];
	char *out = ret;

	compute_symbols(org, root, symbols);
	for (size_t i = 0; org[i] != '\0' && i < ORG_NAME_MAX; i++)
		*out++ = (char)toupper((unsigned char)org[i]);
	for (int i = 0; i < SYMBOLS; i++) {
		if (i % GROUP_LEN == 0)
			*out++ = '-';
		*out++ = alphabet[symbols[i]];
	}
	*out = '\0';
}

/* ---- what a person typed ---- */

static bool is_separator(char c)
{
	return c == '-' || c == ' ' || c == '\t';
}

/* Behind the name of the organisation, when the text begins with it; else the text itself. */
static const char *skip_name(const char *typed, const char *org)
{
	const char *rest;

	while (is_separator(*typed))
		typed++;
	rest = typed;
	for (; *org != '\0'; org++, rest++)
		if (toupper((unsigned char)*rest) != toupper((unsigned char)*org))
			return typed;
	return is_separator(*rest) ? rest : typed;
}

/* The value of a typed character; 0, 1 and 8 are not in the alphabet and can only mean the letters they
 * resemble. Negative: no character of a fingerprint. */
static int symbol_of(char c)
{
	const char up = (char)toupper((unsigned char)c);
	const char *at = strchr(alphabet, up == '0' ? 'O' : up == '1' ? 'I' : up == '8' ? 'B' : up);

	return at && *at != '\0' ? (int)(at - alphabet) : -1;
}

static int mistyped(struct err_note *note, size_t group, const char *org)
{
	if (group == 0)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"group 1 of the fingerprint is mistyped (or the name before it is not %s)",
				org);
	return FAIL_SAY(note, ERR_UNTRUSTED, "group %zu of the fingerprint is mistyped", group + 1);
}

/* The symbols of what was typed, each group checked as soon as it is full. */
static int read_typed(const char *typed, const char *org, uint8_t ret[SYMBOLS], size_t *ret_n,
		      struct err_note *note)
{
	size_t n = 0;

	for (typed = skip_name(typed, org); *typed != '\0'; typed++) {
		if (is_separator(*typed))
			continue;
		const size_t group = n / GROUP_LEN;
		const int symbol = symbol_of(*typed);
		if (symbol < 0)
			return FAIL_SAY(note, ERR_UNTRUSTED,
					"group %zu of the fingerprint has a character that none has: '%c'",
					group + 1, isprint((unsigned char)*typed) ? *typed : '?');
		if (n == SYMBOLS)
			return FAIL_SAY(note, ERR_UNTRUSTED,
					"the fingerprint is too long: it has %d groups of %d characters",
					GROUPS, GROUP_LEN);
		ret[n++] = (uint8_t)symbol;
		if (n % GROUP_LEN == 0 && !group_is_whole(ret + n - GROUP_LEN, (unsigned)group))
			return mistyped(note, group, org);
	}
	*ret_n = n;
	return 0;
}

int org_fingerprint_check(const char *typed, const char *org, const struct public_key *root,
			  struct err_note *note)
{
	uint8_t given[SYMBOLS], want[SYMBOLS];
	size_t n = 0;

	TRY(read_typed(typed, org, given, &n, note));
	if (n % GROUP_LEN != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"group %zu of the fingerprint is too short: a group has %d characters",
				n / GROUP_LEN + 1, GROUP_LEN);
	if (n < GROUPS_TYPED_MIN * GROUP_LEN)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the fingerprint has %zu of %d groups: at least %d are needed", n / GROUP_LEN,
				GROUPS, GROUPS_TYPED_MIN);
	compute_symbols(org, root, want);
	if (memcmp(given, want, n) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"this fingerprint is well typed but not that of this %s: do not trust it",
				org);
	return 0;
}
