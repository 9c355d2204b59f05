/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/trust.h"

#include "proto/words.h"

static const char *const role_words[] = {"owner", "border", "reader", "admin"}; /* by bit */

bool roles_parse(const char *text, uint32_t *ret)
{
	uint32_t roles = 0;

	for (const char *p = text_or_empty(text);; p++) {
		const size_t n = strcspn(p, ",");
		size_t i = 0;
		while (i < N_WORDS(role_words) &&
		       !bytes_equal((struct bytes){(const uint8_t *)p, n}, bytes_of_text(role_words[i])))
			i++;
		if (i == N_WORDS(role_words))
			return false;
		roles |= 1u << i;
		p += n;
		if (*p == '\0')
			break;
	}
	*ret = roles;
	return true;
}

const char *roles_text(struct arena *a, uint32_t roles)
{
	const char *text = "";

	for (size_t i = 0; text && i < N_WORDS(role_words); i++)
		if (roles & 1u << i)
			text = *text ? arena_print(a, "%s,%s", text, role_words[i]) : role_words[i];
	return text;
}
