/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/words.h"

const char *word_at(const char *const words[], size_t n, size_t i)
{
	return i < n && words[i] ? words[i] : "?";
}

size_t word_find(const char *const words[], size_t n, const char *text)
{
	size_t i = 0;

	while (i < n && (!text || !words[i] || strcmp(words[i], text) != 0))
		i++;
	return i;
}

/* Length of the UTF-8 sequence that b begins with; 0 when it is none (RFC 3629, section 4). */
static size_t sequence_length(struct bytes b)
{
	static const struct {
		uint8_t first_min, first_max, second_min, second_max, len;
	} form[] = {
		{0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t f = 0;

	while (f < N_WORDS(form) && (b.data[0] < form[f].first_min || b.data[0] > form[f].first_max))
		f++;
	if (f == N_WORDS(form) || form[f].len > b.len)
		return 0;
	if (form[f].len > 1 && (b.data[1] < form[f].second_min || b.data[1] > form[f].second_max))
		return 0;
	for (size_t i = 2; i < form[f].len; i++)
		if ((b.data[i] & 0xc0) != 0x80)
			return 0;
	return form[f].len;
}

bool text_is_clean(struct bytes text)
{
	while (text.len > 0) {
		size_t n = sequence_length(text);
		if (n == 0)
			return false;
		text.data += n;
		text.len -= n;
	}
	return true;
}

void text_mend(char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		const size_t len = sequence_length((struct bytes){(uint8_t *)text + i, n - i});
		if (len == 0)
			text[i] = '?';
		i += len > 0 ? len : 1;
	}
}
