/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/seed.h"

#include <stdio.h>

int seed_save(const char *directory, const char *name, const struct buf *content)
{
	char path[512];

	TRY(buf_check(content));
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *f = fopen(path, "wb");
	if (!f)
		return FAIL(-errno);
	const bool whole = fwrite(content->data, 1, content->len, f) == content->len;
	return fclose(f) == 0 && whole ? 0 : FAIL(-EIO);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argc > 0 ? argv[0] : "seed");
		return 2;
	}
	const int r = seed_all(argv[1]);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[1], err_text(r));
	return r < 0 ? 1 : 0;
}
