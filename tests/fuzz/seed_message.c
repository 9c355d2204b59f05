/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_message to begin with: every example of the codec tests, one file each. */
#include <stdio.h>

#include "tests/unit/proto/codecs.h"

static int write_example(const char *directory, size_t i)
{
	SCOPED(buf_fini) struct buf b = {0};
	char path[512];

	snprintf(path, sizeof path, "%s/%02zu-%s", directory, i, examples[i].codec->name);
	examples[i].codec->encode(examples[i].object, &b);
	TRY(buf_check(&b));
	FILE *f = fopen(path, "wb");
	if (!f)
		return FAIL(-errno);
	const bool whole = fwrite(b.data, 1, b.len, f) == b.len;
	return fclose(f) == 0 && whole ? 0 : FAIL(-EIO);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seed_message DIRECTORY\n");
		return 2;
	}
	for (size_t i = 0; i < n_examples; i++) {
		const int r = write_example(argv[1], i);
		if (r < 0) {
			fprintf(stderr, "%s: %s\n", argv[1], err_text(r));
			return 1;
		}
	}
	return 0;
}
