/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/backup.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "proto/id.h"

#define FIRST_LINE "holon-backup 1"

enum { HEX_SIZE = 2 * sizeof(struct hash256) + 1 };

static const char *hex(const struct hash256 *h, char ret[HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof h->b; i++) {
		ret[2 * i] = digits[h->b[i] >> 4];
		ret[2 * i + 1] = digits[h->b[i] & 15];
	}
	ret[HEX_SIZE - 1] = '\0';
	return ret;
}

static struct hash256 hash_of(struct bytes b)
{
	struct hash256_run run;

	hash256_begin(&run);
	hash256_add(&run, b);
	return hash256_end(&run);
}

void backup_list_print(const struct backup_list *l, struct buf *out)
{
	const size_t begin = out->len;
	char at[TIME_TEXT_SIZE], text[HEX_SIZE];

	buf_print(out, FIRST_LINE "\nnode %s\nincarnation %016" PRIx64 "\nseq %" PRIu64 "\ntaken %s\n",
		  l->node, l->incarnation, l->seq, time_text(l->taken_ns, at));
	for (size_t i = 0; i < l->n_files; i++)
		buf_print(out, "file %" PRIu64 " %s %s\n", l->files[i].bytes, hex(&l->files[i].hash, text),
			  l->files[i].path);
	if (out->failed)
		return;
	const struct hash256 sum = hash_of((struct bytes){out->data + begin, out->len - begin});
	buf_print(out, "end %s\n", hex(&sum, text));
}

/* ---- Reading ----------------------------------------------------------------------------------------------
 */

struct reader {
	char *at; /* the next line; NULL: the end */
	struct arena *arena;
	struct backup_list *list;
};

/* The next line if it begins with the word: what follows it. NULL: it does not. */
static char *line(struct reader *r, const char *word)
{
	const size_t len = strlen(word);
	char *begin = r->at, *end = begin ? strchr(begin, '\n') : NULL;

	if (!end || strncmp(begin, word, len) != 0 || begin[len] != ' ')
		return NULL;
	*end = '\0';
	r->at = end + 1;
	return begin + len + 1;
}

/* The word up to the next blank; *rest goes behind it. NULL: there is none. */
static char *word(char **rest)
{
	char *begin = *rest, *end = begin ? strchr(begin, ' ') : NULL;

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return begin;
}

static bool number(const char *text, int base, uint64_t *ret)
{
	char *end;

	if (!text || !*text || strspn(text, "0123456789abcdef") != strlen(text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, base);
	return errno == 0 && *end == '\0';
}

static bool parse_hash(const char *text, struct hash256 *ret)
{
	if (!text || strlen(text) != HEX_SIZE - 1 || strspn(text, "0123456789abcdef") != HEX_SIZE - 1)
		return false;
	for (size_t i = 0; i < sizeof ret->b; i++) {
		const char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
		ret->b[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

/* Whatever the list says, nothing outside the backup is read or written. */
static bool is_path(const char *path)
{
	return strlen(path) <= BACKUP_PATH_MAX && id_is_name(bytes_of_text(path)) &&
	       strcmp(path, BACKUP_LIST_NAME) != 0;
}

static int read_files(struct reader *r)
{
	struct backup_list *l = r->list;

	for (char *rest; (rest = line(r, "file"));) {
		struct backup_file f;
		const bool good = number(word(&rest), 10, &f.bytes) && parse_hash(word(&rest), &f.hash) &&
				  is_path(rest);
		if (!good)
			return FAIL(ERR_CORRUPT);
		f.path = rest;
		struct backup_file *place = arena_push(r->arena, &l->files, &l->n_files, sizeof *place);
		if (!place)
			return FAIL(-ENOMEM);
		*place = f;
	}
	return 0;
}

static int read_lines(struct reader *r)
{
	struct backup_list *l = r->list;

	l->node = line(r, "node");
	if (!l->node || !id_is_twin(bytes_of_text(l->node)) ||
	    !number(line(r, "incarnation"), 16, &l->incarnation) || !number(line(r, "seq"), 10, &l->seq))
		return FAIL(ERR_CORRUPT);
	const char *taken = line(r, "taken");
	if (!taken || time_parse(taken, &l->taken_ns, NULL) < 0)
		return FAIL(ERR_CORRUPT);
	return read_files(r);
}

/* The last line agrees with everything before it, and nothing follows. */
static bool is_whole(const char *text, size_t len)
{
	static const char last[] = "end ";
	const size_t tail = sizeof last - 1 + HEX_SIZE - 1 + 1;
	char sum[HEX_SIZE];

	if (len < tail || text[len - 1] != '\n' || memcmp(text + len - tail, last, sizeof last - 1) != 0)
		return false;
	const struct hash256 h = hash_of((struct bytes){(const uint8_t *)text, len - tail});
	return memcmp(hex(&h, sum), text + len - tail + sizeof last - 1, HEX_SIZE - 1) == 0;
}

int backup_list_parse(struct arena *a, struct bytes in, struct backup_list *ret, struct err_note *note)
{
	char *text = arena_take(a, in.len + 1);
	struct backup_list list = {0};

	if (!text)
		return FAIL(-ENOMEM);
	memcpy(text, in.data, in.len);
	text[in.len] = '\0';
	if (strncmp(text, "holon-backup ", strlen("holon-backup ")) != 0)
		return FAIL_SAY(note, ERR_CORRUPT, "this is not the list of a backup");
	if (strncmp(text, FIRST_LINE "\n", strlen(FIRST_LINE "\n")) != 0)
		return FAIL_SAY(note, ERR_VERSION, "the backup has a newer form than this version knows");
	if (!is_whole(text, in.len))
		return FAIL_SAY(note, ERR_CORRUPT, "the list of the backup is cut or changed");
	struct reader r = {.at = text + strlen(FIRST_LINE "\n"), .arena = a, .list = &list};
	const int result = read_lines(&r);
	if (result < 0)
		return FAIL_SAY(note, result, "the list of the backup makes no sense: %s", err_text(result));
	if (!line(&r, "end"))
		return FAIL_SAY(note, ERR_CORRUPT, "the list of the backup has lines that nobody wrote");
	*ret = list;
	return 0;
}
