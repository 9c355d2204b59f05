/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_message to begin with: every example of the codec tests, one file each. */
#include <stdio.h>

#include "tests/fuzz/seed.h"
#include "tests/unit/proto/codecs.h"

int seed_all(const char *directory)
{
	for (size_t i = 0; i < n_examples; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		char name[128];
		snprintf(name, sizeof name, "%02zu-%s", i, examples[i].codec->name);
		examples[i].codec->encode(examples[i].object, &b);
		TRY(seed_save(directory, name, &b));
	}
	return 0;
}
