/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bands.h"

#include <stdlib.h>

void bands_fini(struct bands *b)
{
	for (size_t i = 0; i < b->n_blocks; i++)
		free(b->blocks[i]);
	free(b->blocks);
	free(b->notes);
	*b = (struct bands){0};
}

static struct bands_block *make_block(struct bands *b, uint32_t series)
{
	const size_t at = series / VALUES_BLOCK;

	if (at >= b->n_blocks) {
		const size_t n = at + 1 > b->n_blocks * 2 ? at + 1 : b->n_blocks * 2;
		struct bands_block **blocks = realloc(b->blocks, n * sizeof *blocks);
		if (!blocks)
			return NULL;
		for (size_t i = b->n_blocks; i < n; i++)
			blocks[i] = NULL;
		b->blocks = blocks;
		b->n_blocks = n;
	}
	if (!b->blocks[at])
		b->blocks[at] = calloc(1, sizeof *b->blocks[at]);
	return b->blocks[at];
}

void bands_set(struct bands *b, uint32_t series, const struct band *band)
{
	struct bands_block *block = make_block(b, series);
	const uint32_t i = series % VALUES_BLOCK;

	b->each |= !block;
	if (!block)
		return;
	block->own[i / 64] |= UINT64_C(1) << i % 64;
	block->band[i] = *band;
}

static bool is_unused(const struct bands_block *block)
{
	uint64_t any = 0;

	for (size_t i = 0; i < VALUES_PIECES; i++)
		any |= block->own[i];
	return any == 0;
}

void bands_reset(struct bands *b, uint32_t series)
{
	const uint32_t i = series % VALUES_BLOCK;

	if (!bands_own(b, series))
		return;
	struct bands_block **block = &b->blocks[series / VALUES_BLOCK];
	(*block)->own[i / 64] &= ~(UINT64_C(1) << i % 64);
	if (!is_unused(*block))
		return;
	free(*block);
	*block = NULL;
}

void bands_note(struct bands *b, const struct band_note *note)
{
	if (b->n_notes == b->size) {
		const size_t size = b->size ? b->size * 2 : 256;
		struct band_note *notes =
			size <= BAND_NOTES_MAX ? realloc(b->notes, size * sizeof *notes) : NULL;
		b->lost |= !notes;
		if (!notes)
			return;
		b->notes = notes;
		b->size = size;
	}
	b->notes[b->n_notes++] = *note;
}

void bands_leave(struct bands *b, struct band_note *note)
{
	static const struct band nothing = {HUGE_VAL, -HUGE_VAL};
	const struct band *own = bands_own(b, note->series);

	note->has_own = own != NULL;
	if (own)
		note->own = *own;
	bands_set(b, note->series, &nothing);
}
