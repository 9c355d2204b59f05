/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_mqtt to begin with: what a broker sends, of both versions. */
#include "tests/fuzz/seed.h"

static const struct {
	const char *name, *bytes;
	size_t len;
} seeds[] = {
#define SEED(name, text) \
	{ \
		name, text, sizeof(text) - 1 \
	}
	SEED("five",
	     "\xfe\x07\x20\x03\x00\x00\x00\x90\x04\xff\xff\x00\x01\x32\x12\x00\x03"
	     "a/b\x01\x02\x05\x02\x00\x00\x00\x3chello\x40\x02\x00\x09\xd0\x00"),
	SEED("three",
	     "\xff\x03\x20\x02\x01\x00\x90\x03\xff\xff\x01\x32\x09\x00\x03"
	     "a/b\x00\x01hi\xb0\x02\x00\x01\xd0\x00"),
	SEED("limits",
	     "\xfe\x01\x20\x19\x01\x00\x16\x21\x00\x14\x22\x00\x0a\x24\x01\x25\x01\x27\x00\x00\x10\x00"
	     "\x12\x00\x01x\x13\x00\x05"),
	SEED("refused", "\xfe\x04\x20\x0a\x00\x87\x07\x1f\x00\x04nope\xe0\x02\x8e\x00"),
	SEED("long",
	     "\x04\x02\x30\x0d\x00\x03"
	     "a/b\x00long...\x30\x08\x00\x03"
	     "a/b\x00hi"),
	SEED("properties",
	     "\xfe\x02\x3b\x16\x00\x03"
	     "a/b\x00\x07\x0c\x0b\x05\x26\x00\x01k\x00\x01v\x01\x01x\x79"),
	SEED("reasons",
	     "\xfe\x09\x40\x0a\x00\x09\x97\x06\x1f\x00\x03"
	     "bad\xb0\x04\x00\x01\x00\x11\xe0\x00"),
};

int seed_all(const char *directory)
{
	for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		buf_put(&b, (struct bytes){(const uint8_t *)seeds[i].bytes, seeds[i].len});
		TRY(seed_save(directory, seeds[i].name, &b));
	}
	return 0;
}
