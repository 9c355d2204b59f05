/* SPDX-License-Identifier: Apache-2.0 */
#include "node/tap.h"

#include <stdio.h>

#include "proto/buf.h"

/* Opened for each frame: a test may take the file away between two looks. A frame that cannot be recorded
 * ends the process, for a search through half a record would find nothing and prove nothing. */
static void append(const char *path, const struct buf *record)
{
	FILE *f = fopen(path, "ab");

	if (!f || fwrite(record->data, 1, record->len, f) != record->len || fclose(f) != 0) {
		perror(path);
		abort();
	}
}

void tap_sent(const char *to_org, const char *to_node, struct bytes plaintext)
{
	SCOPED(buf_fini) struct buf record = {0};
	const char *path = getenv("HOLON_TAP");
	size_t length;

	if (!path || !*path)
		return;
	length = strlen(to_org) + 1 + strlen(to_node) + 1 + plaintext.len;
	buf_put_u32(&record, (uint32_t)length);
	buf_print(&record, "%s/%s", to_org, to_node);
	buf_put_u8(&record, 0);
	buf_put(&record, plaintext);
	if (buf_check(&record) < 0)
		abort();
	append(path, &record);
}

bool tap_egress_off(void)
{
	const char *v = getenv("HOLON_EGRESS_OFF");

	return v && strcmp(v, "1") == 0;
}
