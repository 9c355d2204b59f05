/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "node/letters.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/adapter.h"
#include "proto/clock.h"
#include "proto/map.h"

enum { LETTER_KEY_BYTES = LETTER_SOURCE_MAX + LETTER_REASON_MAX + 2, PATH_BYTES = 1024 };

struct letter {
	struct letter *older, *newer;
	int64_t t_ns;
	uint64_t count;
	size_t payload_len;
	const char *reason; /* in key */
	char source[LETTER_SOURCE_MAX + 1];
	char key[LETTER_KEY_BYTES]; /* SOURCE, a line's end, REASON */
	uint8_t payload[LETTER_PAYLOAD_MAX];
};

struct letters {
	struct map by_key;
	struct letter *newest, *oldest;
	int64_t last_ns;
	char path[PATH_BYTES];
	uint64_t file_max, left_out;
	int64_t window_ns; /* when the minute began in which ... */
	uint32_t n_lines;  /* ... so many lines were written */
};

int letters_new(struct letters **ret, const char *path, uint64_t file_max)
{
	struct letters *l = calloc(1, sizeof *l);

	if (!l)
		return FAIL(-ENOMEM);
	snprintf(l->path, sizeof l->path, "%s", path);
	l->file_max = file_max;
	l->last_ns = l->window_ns = TIME_MIN;
	*ret = l;
	return 0;
}

void letters_free(struct letters *l)
{
	if (!l)
		return;
	for (struct letter *x = l->newest, *older; x; x = older) {
		older = x->older;
		free(x);
	}
	map_fini(&l->by_key);
	free(l);
}

/* ---- The list --------------------------------------------------------------------------------------------
 */

static void take_out(struct letters *l, struct letter *x)
{
	*(x->newer ? &x->newer->older : &l->newest) = x->older;
	*(x->older ? &x->older->newer : &l->oldest) = x->newer;
}

static void put_in_front(struct letters *l, struct letter *x)
{
	x->newer = NULL;
	x->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = x;
	l->newest = x;
}

/* The one that stands for this source and reason, out of the list; NULL without memory. */
static struct letter *find_or_make(struct letters *l, const char *key)
{
	struct letter *x = map_get(&l->by_key, key);

	if (x) {
		take_out(l, x);
		return x;
	}
	if (l->by_key.n >= LETTERS_MAX) {
		x = l->oldest;
		take_out(l, x);
		map_remove(&l->by_key, x->key);
	} else {
		x = malloc(sizeof *x);
	}
	if (!x)
		return NULL;
	*x = (struct letter){.count = 0};
	snprintf(x->key, sizeof x->key, "%s", key);
	if (map_put(&l->by_key, x->key, x) == 0)
		return x;
	free(x);
	return NULL;
}

size_t letters_count(const struct letters *l)
{
	return l->by_key.n;
}

bool letters_next(const struct letters *l, int64_t before_ns, struct dead_letter *ret)
{
	const struct letter *x = l->newest;

	while (x && x->t_ns >= before_ns)
		x = x->older;
	if (!x)
		return false;
	ret->t_ns = x->t_ns;
	ret->source = x->source;
	ret->reason = x->reason;
	ret->payload = (struct bytes){x->payload, x->payload_len};
	ret->count = x->count;
	return true;
}

/* ---- The file --------------------------------------------------------------------------------------------
 */

static int open_file(const struct letters *l)
{
	char aside[PATH_BYTES + 2];
	struct stat st;

	if (stat(l->path, &st) == 0 && (uint64_t)st.st_size >= l->file_max) {
		snprintf(aside, sizeof aside, "%s.1", l->path);
		if (rename(l->path, aside) < 0)
			return -1; /* rather none than a file without bound */
	}
	return open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static json_t *payload_json(const struct letter *x, const char **ret_key)
{
	char hex[2 * LETTER_PAYLOAD_MAX + 1];
	json_t *text = json_stringn((const char *)x->payload, x->payload_len);

	*ret_key = "payload";
	if (text)
		return text;
	for (size_t i = 0; i < x->payload_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", x->payload[i]);
	*ret_key = "payload_hex";
	return json_string(hex);
}

static void append(struct letters *l, const struct letter *x)
{
	char at[TIME_TEXT_SIZE];
	const char *key;
	json_t *payload = payload_json(x, &key);
	json_t *line = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "t", time_text(x->t_ns, at), "source",
				 x->source, "reason", x->reason, "count", (json_int_t)x->count, "left_out",
				 (json_int_t)l->left_out, key, payload);
	const int fd = line ? open_file(l) : -1;

	if (fd >= 0 && json_dumpfd(line, fd, JSON_COMPACT) == 0 && write(fd, "\n", 1) == 1)
		l->left_out = 0;
	else
		l->left_out++; /* of what cannot be written the counts remain */
	if (fd >= 0)
		close(fd);
	json_decref(line);
}

static bool may_append(struct letters *l, int64_t now_ns)
{
	const int64_t minute_ns = 60 * NS_PER_S;

	if (l->window_ns == TIME_MIN || now_ns < l->window_ns || now_ns - l->window_ns >= minute_ns) {
		l->window_ns = now_ns;
		l->n_lines = 0;
	}
	return l->n_lines++ < 60 * LETTER_LINES_S;
}

/* ---- Putting ---------------------------------------------------------------------------------------------
 */

/* Cut to size, and at no half character; what is no UTF-8 becomes a '?'. */
static void put_clean(char *ret, size_t size, const char *text)
{
	size_t n = 0;

	for (; text[n] && n + 1 < size; n++)
		ret[n] = (unsigned char)text[n] < ' ' ? ' ' : text[n];
	ret[n] = '\0';
	json_t *check = json_string(ret);
	for (size_t i = n; !check && i > 0 && n - i < 4; i--) {
		ret[i - 1] = '\0';
		check = json_string(ret);
	}
	for (size_t i = 0; !check && i < n; i++)
		if ((unsigned char)ret[i] >= 0x80)
			ret[i] = '?';
	json_decref(check);
}

void letters_put(struct letters *l, const struct letter_in *in)
{
	char source[LETTER_SOURCE_MAX + 1], reason[LETTER_REASON_MAX + 1], key[LETTER_KEY_BYTES];

	put_clean(source, sizeof source, in->source);
	put_clean(reason, sizeof reason, in->reason);
	snprintf(key, sizeof key, "%s\n%s", source, reason);
	struct letter *x = find_or_make(l, key);
	if (!x)
		return;
	memcpy(x->source, source, sizeof source);
	x->reason = x->key + strlen(source) + 1;
	x->t_ns = l->last_ns = in->t_ns > l->last_ns ? in->t_ns : l->last_ns + 1;
	x->count++;
	x->payload_len = in->payload.len < LETTER_PAYLOAD_MAX ? in->payload.len : LETTER_PAYLOAD_MAX;
	if (x->payload_len > 0)
		memcpy(x->payload, in->payload.data, x->payload_len);
	put_in_front(l, x);
	if (!l->path[0])
		return;
	if (may_append(l, in->t_ns))
		append(l, x);
	else
		l->left_out++;
}
