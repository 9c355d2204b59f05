/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "security/checkpoint.h"
#include "tools/print.h"

static const char magic[] = "holon audit export v1\n";

enum { MAGIC_BYTES = sizeof magic - 1 };

static void file_close(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* ---- Reading ---------------------------------------------------------------------------------------------
 */

static int read_head(FILE *f, const char *path, char key[CHECKPOINT_KEY_SIZE + 1], struct err_note *note)
{
	char begin[MAGIC_BYTES];

	if (fread(begin, 1, MAGIC_BYTES, f) != MAGIC_BYTES || memcmp(begin, magic, MAGIC_BYTES) != 0)
		return FAIL_SAY(note, ERR_MALFORMED, "%s: this is not an exported audit", path);
	if (!fgets(key, CHECKPOINT_KEY_SIZE + 1, f) || !strchr(key, '\n'))
		return FAIL_SAY(note, ERR_MALFORMED, "%s: the key in it cannot be read", path);
	*strchr(key, '\n') = '\0';
	return 0;
}

/* The next record as bytes: 1; 0: the end. */
static int read_record(FILE *f, uint8_t bytes[AUDIT_RECORD_OVERHEAD + AUDIT_RECORD_MAX], size_t *ret_len)
{
	const size_t head = fread(bytes, 1, AUDIT_RECORD_OVERHEAD, f);

	if (head == 0 && feof(f))
		return 0;
	if (head < AUDIT_RECORD_OVERHEAD)
		return ferror(f) ? FAIL(-EIO) : FAIL(ERR_MALFORMED);
	const size_t len = get_u32(bytes + 1);
	if (len > AUDIT_RECORD_MAX || fread(bytes + AUDIT_RECORD_OVERHEAD, 1, len, f) < len)
		return ferror(f) ? FAIL(-EIO) : FAIL(ERR_MALFORMED);
	*ret_len = AUDIT_RECORD_OVERHEAD + len;
	return 1;
}

static int walk_records(const struct audit_walk *w, FILE *f, const char *path, struct err_note *note)
{
	uint8_t bytes[AUDIT_RECORD_OVERHEAD + AUDIT_RECORD_MAX];
	struct audit_record record;
	uint64_t n = 0;
	size_t len = 0;
	int r;

	while ((r = read_record(f, bytes, &len)) > 0) {
		struct bytes rest = {bytes, len};
		r = audit_record_next(&rest, &record);
		if (r <= 0)
			break;
		r = w->on_record(w->user, n, &record, note);
		if (r != 0)
			return r < 0 ? r : 0;
		n += record.kind == AUDIT_RECORD_ENTRY;
	}
	return r < 0 ? FAIL_SAY(note, r, "%s: damaged behind entry %llu", path, (unsigned long long)n) : 0;
}

int audit_file_walk(const struct audit_walk *w, const char *path, struct err_note *note)
{
	SCOPED(file_close) FILE *f = fopen(path, "rbe");
	char key[CHECKPOINT_KEY_SIZE + 1];

	if (!f)
		return FAIL_SAY(note, -errno, "%s: %s", path, err_text(-errno));
	TRY(read_head(f, path, key, note));
	if (w->on_key)
		TRY(w->on_key(w->user, key, note));
	return walk_records(w, f, path, note);
}

/* ---- Writing ---------------------------------------------------------------------------------------------
 */

struct export
{
	FILE *file;
	const char *path;
	uint64_t n;
};

static int write_failed(const struct export *x, struct err_note *note)
{
	return FAIL_SAY(note, -errno, "%s: %s", x->path, err_text(-errno));
}

static int write_key(void *user, const char *key, struct err_note *note)
{
	const struct export *x = user;

	return fprintf(x->file, "%s%s\n", magic, key) > 0 ? 0 : write_failed(x, note);
}

static int write_record(void *user, uint64_t n, const struct audit_record *r, struct err_note *note)
{
	struct export *x = user;
	SCOPED(buf_fini) struct buf b = {0};

	(void)n;
	audit_record_put(r->kind, r->body, &b);
	TRY(buf_check(&b));
	if (fwrite(b.data, 1, b.len, x->file) < b.len)
		return write_failed(x, note);
	x->n += r->kind == AUDIT_RECORD_ENTRY;
	return 0;
}

static enum status finish(const struct export *x)
{
	struct err_note note = {0};

	if (fflush(x->file) == 0 && fsync(fileno(x->file)) == 0)
		return STATUS_OK;
	return say_failed(write_failed(x, &note), &note);
}

enum status audit_file_export(struct context *ctx, const char *path, uint64_t *ret_entries)
{
	struct export x = {.path = path, .file = fopen(path, "wxbe")};
	struct err_note note = {0};

	if (!x.file) {
		ignore(write_failed(&x, &note)); /* said in the next line */
		return say_usage(&note);
	}
	enum status status = audit_walk(
		&(struct audit_walk){.ctx = ctx, .on_record = write_record, .on_key = write_key, .user = &x});
	if (status == STATUS_OK)
		status = finish(&x);
	fclose(x.file);
	if (status != STATUS_OK)
		unlink(path);
	*ret_entries = x.n;
	return status;
}
