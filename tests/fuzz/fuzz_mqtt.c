/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a broker sends, of either version (the first byte says which, and what is too long):
 * packets and then perhaps nonsense; and cut into any pieces they are the same packets. */
#include "node/mqtt_packet.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mqtt_reader *r, const struct mqtt_packet *p)
{
	must(p->payload.len <= p->payload_bytes && p->payload.len <= r->payload_max);
	must(p->payload_bytes > r->payload_max || p->payload.len == p->payload_bytes);
	if (p->type == MQTT_PUBLISH)
		must(p->topic.len > 0 && p->qos <= 1 && (p->qos == 0) == (p->id == 0));
	if (p->type == MQTT_CONNACK)
		must(p->limits.receive_max > 0 && p->limits.packet_max > 0);
	must(mqtt_reason_text(p->reason) != NULL);
}

static uint64_t mix(uint64_t sum, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		sum = (sum ^ b.data[i]) * 1099511628211u;
	return sum * 31 + b.len;
}

/* A sum over all that is read, how it ended included; `step` bytes come at a time. */
static uint64_t read_all(uint8_t first, struct bytes all, size_t step)
{
	struct mqtt_reader r = {.version = first & 1 ? MQTT_3 : MQTT_5, .payload_max = first >> 1};
	struct mqtt_packet p;
	uint64_t sum = 1;
	int got = 0;

	while (all.len > 0 && got >= 0) {
		struct bytes in = {all.data, step < all.len ? step : all.len};
		all.data += in.len;
		all.len -= in.len;
		while ((got = mqtt_read(&r, &in, &p)) > 0) {
			check(&r, &p);
			sum = mix(sum, (struct bytes){(const uint8_t *)&p.id, sizeof p.id});
			sum = mix(mix(mix(mix(sum, p.text), p.reasons), p.topic), p.payload);
			sum = sum * 31 + p.reason + p.payload_bytes + (uint64_t)p.type;
		}
		must(got < 0 || in.len == 0);
	}
	must(got == 0 || got == ERR_MALFORMED);
	mqtt_reader_fini(&r);
	return got < 0 ? ~sum : sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const struct bytes all = {data + 2, size - 2};
	const uint64_t sum = read_all(data[0], all, SIZE_MAX);
	must(read_all(data[0], all, 1) == sum);
	must(read_all(data[0], all, (size_t)data[1] + 2) == sum);
	return 0;
}
