/* SPDX-License-Identifier: Apache-2.0 */
/* Run a fuzz target over every file of the directories given: the corpus as an ordinary test. */
#include <dirent.h>
#include <stdio.h>

#include "proto/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scope_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static void scope_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int run_file(const char *path)
{
	SCOPED(scope_file) FILE *f = fopen(path, "rb");
	SCOPED(buf_fini) struct buf b = {0};
	uint8_t chunk[4096];
	size_t n;

	if (!f)
		return FAIL(-errno);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_put(&b, (struct bytes){chunk, n});
	if (ferror(f))
		return FAIL(-EIO);
	TRY(buf_check(&b));
	fprintf(stderr, "%s\n", path); /* the last one told is the one that failed */
	LLVMFuzzerTestOneInput(b.data, b.len);
	return 0;
}

static int run_directory(const char *path, size_t *n)
{
	SCOPED(scope_dir) DIR *d = opendir(path);
	SCOPED(buf_fini) struct buf name = {0};

	if (!d)
		return FAIL(-errno);
	for (const struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		buf_clear(&name);
		buf_print(&name, "%s/%s", path, e->d_name);
		buf_put_u8(&name, '\0');
		TRY(buf_check(&name));
		TRY(run_file((const char *)name.data));
		(*n)++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		const int r = run_directory(argv[i], &n);
		if (r < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], err_text(r));
			return 1;
		}
	}
	printf("%zu inputs\n", n);
	return n > 0 ? 0 : 1;
}
