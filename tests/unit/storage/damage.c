/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/storage/damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/must.h"

struct content {
	char path[512];
	unsigned char *data;
	size_t len;
};

static struct content load(const char *dir)
{
	struct content c;

	snprintf(c.path, sizeof c.path, "%s/data.mdb", dir);
	FILE *f = fopen(c.path, "rb");
	must(f && fseek(f, 0, SEEK_END) == 0);
	c.len = (size_t)ftell(f);
	c.data = malloc(c.len + 1);
	rewind(f);
	must(c.data && fread(c.data, 1, c.len, f) == c.len);
	fclose(f);
	return c;
}

static void save(struct content *c)
{
	FILE *f = fopen(c->path, "r+b");

	must(f && fwrite(c->data, 1, c->len, f) == c->len && fclose(f) == 0);
	free(c->data);
}

bool damage_file(const char *dir, const char *content)
{
	struct content c = load(dir);
	const size_t n = strlen(content);
	bool found = false;

	for (size_t i = 0; i + n <= c.len; i++) {
		if (memcmp(c.data + i, content, n) != 0)
			continue;
		c.data[i + n / 2] ^= 1;
		found = true;
	}
	save(&c);
	return found;
}

bool damage_whole_file(const char *dir)
{
	struct content c = load(dir);

	memset(c.data, 'x', c.len);
	save(&c);
	return true;
}
