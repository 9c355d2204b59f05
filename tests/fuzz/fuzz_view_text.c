/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as the question of a view: what parses has a canonical text, and that is its own. */
#include <stdint.h>

#include "proto/view_text.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lexer of libudunits2 2.2.28 keeps a word of some texts that are no unit. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:utlex\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view_question q, again;
	struct err_note note = {0};
	const char *canonical, *twice;
	struct arena *a;
	char *text;

	must(arena_new(&a, 4 << 20) == 0);
	text = arena_text(a, (struct bytes){data, size});
	must(text);
	if (view_text_parse(a, text, &q, &note) == 0) {
		must(view_text_print(a, &q, &canonical) == 0);
		must(view_text_parse(a, canonical, &again, &note) == 0);
		must(view_text_print(a, &again, &twice) == 0);
		must(strcmp(canonical, twice) == 0);
		must(q.n_rollups == again.n_rollups && q.n_show == again.n_show && q.depth == again.depth);
		must(q.step_ns == again.step_ns && q.from_ns == again.from_ns && q.to_ns == again.to_ns);
		must(q.fresh_ns == again.fresh_ns && q.deadline_ns == again.deadline_ns);
		must(q.has_as_of == again.has_as_of && q.as_of_ns == again.as_of_ns);
	} else {
		must(note.text[0] != '\0');
	}
	arena_free(a);
	return 0;
}
