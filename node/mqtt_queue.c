/* SPDX-License-Identifier: Apache-2.0 */
#include "node/mqtt_queue.h"

#include "node/mqtt_client.h"

static bool is_taken(const struct mqtt_queue *q, uint16_t packet_id)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->items[i]->packet_id == packet_id)
			return true;
	return false;
}

/* Never 0, nor the two highest: they are of the subscription. There are more than may wait. */
static uint16_t free_packet_id(struct mqtt_queue *q)
{
	do {
		q->last_packet = (uint16_t)(q->last_packet % (MQTT_ID_MAX - 2) + 1);
	} while (is_taken(q, q->last_packet));
	return q->last_packet;
}

int mqtt_queue_add(struct mqtt_queue *q, const char *topic, struct bytes payload, struct mqtt_item **ret)
{
	const size_t topic_size = strlen(topic) + 1;

	/* one is always taken, however long */
	if (q->n >= MQTT_QUEUE_MAX ||
	    (q->n > 0 && q->bytes + topic_size + payload.len > MQTT_QUEUE_BYTES_MAX))
		return MQTT_QUEUE_FULL;
	if (!q->items)
		q->items = malloc(MQTT_QUEUE_MAX * sizeof *q->items);
	struct mqtt_item *item = q->items ? malloc(sizeof *item + topic_size + payload.len) : NULL;
	if (!item)
		return FAIL(-ENOMEM);
	*item = (struct mqtt_item){.id = ++q->last_id, .packet_id = free_packet_id(q)};
	memcpy(item->topic, topic, topic_size);
	if (payload.len > 0)
		memcpy(item->topic + topic_size, payload.data, payload.len);
	item->payload = (struct bytes){(const uint8_t *)item->topic + topic_size, payload.len};
	q->items[q->n++] = item;
	q->bytes += topic_size + payload.len;
	*ret = item;
	return 0;
}

/* What is sent lies before what is not. */
struct mqtt_item *mqtt_queue_next(struct mqtt_queue *q)
{
	return q->n_sent < q->n ? q->items[q->n_sent] : NULL;
}

void mqtt_queue_sent(struct mqtt_queue *q, struct mqtt_item *item)
{
	item->sent = true;
	q->n_sent++;
}

static struct mqtt_item *take_at(struct mqtt_queue *q, size_t i)
{
	struct mqtt_item *item = q->items[i];

	q->n--;
	memmove(q->items + i, q->items + i + 1, (q->n - i) * sizeof *q->items);
	q->bytes -= strlen(item->topic) + 1 + item->payload.len;
	q->n_sent -= item->sent;
	return item;
}

struct mqtt_item *mqtt_queue_acked(struct mqtt_queue *q, uint16_t packet_id)
{
	for (size_t i = 0; i < q->n_sent; i++)
		if (q->items[i]->packet_id == packet_id)
			return take_at(q, i);
	return NULL;
}

struct mqtt_item *mqtt_queue_expired(struct mqtt_queue *q, int64_t now_ms)
{
	for (size_t i = q->n_sent; i < q->n; i++)
		if (q->items[i]->deadline_ms != 0 && q->items[i]->deadline_ms <= now_ms)
			return take_at(q, i);
	return NULL;
}

void mqtt_queue_take(struct mqtt_queue *q, struct mqtt_item *item)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->items[i] == item) {
			take_at(q, i);
			return;
		}
}

void mqtt_queue_again(struct mqtt_queue *q, bool session_present)
{
	for (size_t i = 0; i < q->n; i++) {
		struct mqtt_item *item = q->items[i];
		item->dup = session_present && (item->sent || item->dup);
		item->sent = false;
	}
	q->n_sent = 0;
}

void mqtt_queue_fini(struct mqtt_queue *q)
{
	for (size_t i = 0; i < q->n; i++)
		free(q->items[i]);
	free(q->items);
	*q = (struct mqtt_queue){0};
}

static int grow(struct mqtt_debts *d)
{
	const size_t size = d->size > 0 ? d->size * 2 : 64;
	struct mqtt_debt *ring = calloc(size, sizeof *ring);

	if (!ring)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < d->n; i++)
		ring[i] = d->ring[(d->first + i) % d->size];
	free(d->ring);
	*d = (struct mqtt_debts){.ring = ring, .n = d->n, .size = size};
	return 0;
}

int mqtt_debts_add(struct mqtt_debts *d, uint64_t token, uint16_t packet_id)
{
	if (d->n >= MQTT_ID_MAX)
		return FAIL(ERR_MALFORMED);
	if (d->n == d->size)
		TRY(grow(d));
	d->ring[(d->first + d->n++) % d->size] = (struct mqtt_debt){token, packet_id};
	return 0;
}

bool mqtt_debts_pay(struct mqtt_debts *d, uint64_t upto, uint16_t *ret_packet_id)
{
	if (d->n == 0 || d->ring[d->first].token > upto)
		return false;
	*ret_packet_id = d->ring[d->first].packet_id;
	d->first = (d->first + 1) % d->size;
	d->n--;
	return true;
}

void mqtt_debts_clear(struct mqtt_debts *d)
{
	d->first = d->n = 0;
}

void mqtt_debts_fini(struct mqtt_debts *d)
{
	free(d->ring);
	*d = (struct mqtt_debts){0};
}
