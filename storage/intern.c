/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/intern.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct word {
	size_t uses;
	uint64_t places;
	char text[];
};

void intern_fini(struct intern *in)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&in->words, &at));)
		free(e->value);
	map_fini(&in->words);
}

static int add(struct intern *in, const char *text, struct word **ret)
{
	const size_t size = strlen(text) + 1;
	SCOPED(scope_free) struct word *w = malloc(sizeof *w + size);

	if (!w)
		return FAIL(-ENOMEM);
	w->uses = 0;
	w->places = 0;
	memcpy(w->text, text, size);
	TRY(map_put(&in->words, w->text, w));
	*ret = MOVE(w);
	return 0;
}

int intern_take(struct intern *in, const char *text, const char **ret)
{
	if (!text) {
		*ret = NULL;
		return 0;
	}
	struct word *w = map_get(&in->words, text);
	if (!w)
		TRY(add(in, text, &w));
	w->uses++;
	*ret = w->text;
	return 0;
}

const char *intern_find(const struct intern *in, const char *text)
{
	const struct word *w = map_get(&in->words, text);

	return w ? w->text : NULL;
}

void intern_drop(struct intern *in, const char *text)
{
	if (!text)
		return;
	struct word *w = map_get(&in->words, text);
	assert(w && w->text == text && w->uses > 0);
	if (--w->uses > 0)
		return;
	map_remove(&in->words, text);
	free(w);
}

static struct word *word_of(const char *text)
{
	return (struct word *)((uintptr_t)text - offsetof(struct word, text));
}

void intern_mark(const char *text, uint64_t places)
{
	word_of(text)->places |= places;
}

uint64_t intern_places(const char *text)
{
	return word_of(text)->places;
}
