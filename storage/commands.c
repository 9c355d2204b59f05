/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/commands.h"

#include <stdlib.h>

#include "proto/command.h"
#include "storage/record.h"

enum { KEY_BYTES_MAX = 1 + COMMAND_ID_BYTES, NUMBER_BYTES = 8 };
#define RECORD_COMMAND 'c'

static void command_free(struct kept_command *c)
{
	free((void *)(uintptr_t)c->pub.record.data);
	free(c);
}

void kept_commands_fini(struct kept_commands *k)
{
	while (k->newest) {
		struct kept_command *c = k->newest;
		k->newest = c->older;
		command_free(c);
	}
	map_fini(&k->by_id);
	changeset_fini(&k->changes);
}

const struct kept_command *kept_commands_find(const struct kept_commands *k,
					      const uint8_t id[COMMAND_ID_BYTES])
{
	char key[COMMAND_ID_TEXT_SIZE];

	command_id_text(id, key);
	return map_get(&k->by_id, key);
}

/* ---- Memory -----------------------------------------------------------------------------------------------
 */

static void link_newest(struct kept_commands *k, struct kept_command *c)
{
	c->older = k->newest;
	*(k->newest ? &k->newest->newer : &k->oldest) = c;
	k->newest = c;
}

static void unlink_command(struct kept_commands *k, const struct kept_command *c)
{
	*(c->newer ? &c->newer->older : &k->newest) = c->older;
	*(c->older ? &c->older->newer : &k->oldest) = c->newer;
}

static int add(struct kept_commands *k, const uint8_t id[COMMAND_ID_BYTES], uint64_t number,
	       struct kept_command **ret)
{
	struct kept_command *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	memcpy(c->pub.id, id, COMMAND_ID_BYTES);
	command_id_text(id, c->key);
	const int r = map_put(&k->by_id, c->key, c);
	if (r < 0) {
		command_free(c);
		return r;
	}
	c->number = number;
	link_newest(k, c);
	if (number > k->last)
		k->last = number;
	*ret = c;
	return 0;
}

static int set_record(struct kept_commands *k, struct kept_command *c, struct bytes record)
{
	uint8_t *copy = malloc(record.len);

	if (!copy)
		return FAIL(-ENOMEM);
	memcpy(copy, record.data, record.len);
	free((void *)(uintptr_t)c->pub.record.data);
	k->bytes += record.len - c->pub.record.len;
	c->pub.record = (struct bytes){copy, record.len};
	return 0;
}

static void drop(struct kept_commands *k, struct kept_command *c)
{
	map_remove(&k->by_id, c->key);
	unlink_command(k, c);
	k->bytes -= c->pub.record.len;
	command_free(c);
}

/* ---- Changes ----------------------------------------------------------------------------------------------
 */

struct command_key {
	uint8_t b[KEY_BYTES_MAX];
};

static struct command_key key_of(const uint8_t id[COMMAND_ID_BYTES])
{
	struct command_key key = {{RECORD_COMMAND}};

	memcpy(key.b + 1, id, COMMAND_ID_BYTES);
	return key;
}

static int note_put(struct kept_commands *k, const struct kept_command *c)
{
	SCOPED(buf_fini) struct buf value = {0};
	const struct command_key key = key_of(c->pub.id);

	buf_put_u64(&value, c->number);
	buf_put(&value, c->pub.record);
	TRY(buf_check(&value));
	changeset_put(&k->changes, (struct bytes){key.b, sizeof key.b}, buf_bytes(&value));
	changeset_thin(&k->changes); /* a command changes a few times before it ends */
	return changeset_check(&k->changes);
}

static int let_go(struct kept_commands *k, const uint8_t id[COMMAND_ID_BYTES])
{
	struct kept_command *c = (struct kept_command *)(uintptr_t)kept_commands_find(k, id);
	const struct command_key key = key_of(id);

	if (!c)
		return 0;
	drop(k, c);
	changeset_delete(&k->changes, (struct bytes){key.b, sizeof key.b});
	return changeset_check(&k->changes);
}

int kept_commands_put(struct kept_commands *k, const struct op_command *op)
{
	struct kept_command *c = (struct kept_command *)(uintptr_t)kept_commands_find(k, op->id);

	if (op->record.len == 0)
		return let_go(k, op->id);
	if (!c)
		TRY(add(k, op->id, k->last + 1, &c));
	TRY(set_record(k, c, op->record));
	return note_put(k, c);
}

/* ---- Stored form ------------------------------------------------------------------------------------------
 */

int kept_commands_take(struct kept_commands *k, struct changeset *to)
{
	return changeset_append(to, &k->changes);
}

static int by_number(const void *a, const void *b)
{
	const struct kept_command *x = *(struct kept_command *const *)a,
				  *y = *(struct kept_command *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

/* They come in the order of ids. */
static int sort(struct kept_commands *k)
{
	struct kept_command **items = calloc(k->by_id.n + 1, sizeof(struct kept_command *));
	size_t n = 0;

	if (!items)
		return FAIL(-ENOMEM);
	for (struct kept_command *c = k->newest; c; c = c->older)
		items[n++] = c;
	qsort(items, n, sizeof(struct kept_command *), by_number);
	k->newest = k->oldest = NULL;
	for (size_t i = 0; i < n; i++) {
		items[i]->newer = NULL;
		link_newest(k, items[i]);
	}
	free(items);
	return 0;
}

int kept_commands_load(struct kept_commands *k, struct env_txn *txn)
{
	const uint8_t kind = RECORD_COMMAND;
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(txn, (struct bytes){&kind, 1});
	struct kept_command *c;
	int r;

	while ((r = env_walk_next(&w)) > 0) {
		if (w.key.len != KEY_BYTES_MAX || w.value.len <= NUMBER_BYTES)
			return FAIL(ERR_CORRUPT);
		TRY(add(k, w.key.data + 1, get_u64(w.value.data), &c));
		TRY(set_record(k, c,
			       (struct bytes){w.value.data + NUMBER_BYTES, w.value.len - NUMBER_BYTES}));
	}
	TRY(r);
	return sort(k);
}
