/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_command to begin with: every example of its tests, one file each. */
#include <stdio.h>

#include "tests/fuzz/seed.h"
#include "tests/lib/must.h"
#include "tests/unit/proto/command_objects.h"

int seed_all(const char *directory)
{
	struct command_example examples[N_COMMAND_EXAMPLES];
	SCOPED(scope_arena) struct arena *a = NULL;

	must(arena_new(&a, SIZE_MAX) == 0);
	command_examples(a, examples);
	for (size_t i = 0; i < N_COMMAND_EXAMPLES; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		char name[128];
		snprintf(name, sizeof name, "%02zu-%s", i, examples[i].codec->name);
		examples[i].codec->encode(&examples[i].object, &b);
		TRY(seed_save(directory, name, &b));
	}
	return 0;
}
