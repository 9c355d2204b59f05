/* SPDX-License-Identifier: Apache-2.0 */
/* Keys file - what the files of keys*.c share: a small secret file on its way to or from the disk.
 *
 *     header line "holon KIND v1\n" | content | 8 bytes checksum
 *
 * The header names a wrong file before its bytes are taken for a key; the checksum tells damage from a wrong
 * passphrase. Neither protects against whoever may write the file: its mode and owner do.
 */
#pragma once

#include "security/keys.h"

struct secret32 {
	uint8_t b[32];
};

/* Seed, then public key, as libsodium signs with them; good as long as the key. */
const uint8_t *sign_key_secret(const struct sign_key *k);

enum { SECRET_FILE_MAX = 256 };

/* Lives on the stack; wiped when its scope ends. */
struct secret_file {
	uint8_t b[SECRET_FILE_MAX];
	size_t len;
};
void secret_file_wipe(struct secret_file *f);

struct key_kind {
	const char *header; /* the whole first line */
	const char *name;   /* for people: "PATH is not a NAME" */
	size_t len;         /* of the content */
};

/* Begin with the header, append content (whose size is our own: too much is a bug), end with the checksum. */
void secret_file_begin(struct secret_file *f, const struct key_kind *kind);
void secret_file_put(struct secret_file *f, const void *data, size_t len);
MUST_CHECK int secret_file_save(struct secret_file *f, const char *path, struct err_note *note);

/* Read and check owner, mode, header, length and checksum; *ret_content points into f. */
MUST_CHECK int secret_file_load(struct secret_file *f, const struct key_kind *kind, const char *path,
				const uint8_t **ret_content, struct err_note *note);
