/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/sparkplug.h"

#include <string.h>

#include "proto/clock.h"
#include "proto/codec.h"
#include "proto/sparkplug.pb-c.h"

enum { QUALITY_CODE_BAD = 0, QUALITY_CODE_GOOD = 192, TEXT_MAX = 1 << 20 };

#define METRIC(name) HOLON__V1__SPARKPLUG_METRIC__##name

/* ---- To the generated form -------------------------------------------------------------------------------
 */

static void value_to_pb(const struct sparkplug_metric *m, PB(SparkplugMetric) * pb)
{
	const bool is_short = m->bits <= UINT32_MAX && m->datatype != SPARKPLUG_INT64 &&
			      m->datatype != SPARKPLUG_UINT64 && m->datatype != SPARKPLUG_DATE_TIME;

	if (m->field == SPARKPLUG_BITS && is_short) {
		pb->value_case = METRIC(VALUE_INT_VALUE);
		pb->int_value = (uint32_t)m->bits;
	} else if (m->field == SPARKPLUG_BITS) {
		pb->value_case = METRIC(VALUE_LONG_VALUE);
		pb->long_value = m->bits;
	} else if (m->field == SPARKPLUG_REAL && m->datatype == SPARKPLUG_FLOAT) {
		pb->value_case = METRIC(VALUE_FLOAT_VALUE);
		pb->float_value = (float)m->real;
	} else if (m->field == SPARKPLUG_REAL) {
		pb->value_case = METRIC(VALUE_DOUBLE_VALUE);
		pb->double_value = m->real;
	} else if (m->field == SPARKPLUG_TRUTH) {
		pb->value_case = METRIC(VALUE_BOOLEAN_VALUE);
		pb->boolean_value = m->truth;
	} else if (m->field == SPARKPLUG_WORDS) {
		pb->value_case = METRIC(VALUE_STRING_VALUE);
		pb->string_value = text_to_pb(m->words);
	}
}

static int sparkplug_metric_to_pb(struct arena *a, const struct sparkplug_metric *m, PB(SparkplugMetric) * pb)
{
	(void)a;
	pb->name = text_to_pb(m->name);
	pb->datatype = m->datatype;
	pb->is_historical = m->is_historical;
	pb->is_null = m->is_null;
	if (m->has_alias) {
		pb->short_name_case = METRIC(SHORT_NAME_ALIAS);
		pb->alias = m->alias;
	}
	if (m->has_time) {
		pb->time_case = METRIC(TIME_TIMESTAMP);
		pb->timestamp = (uint64_t)(m->t_ns / NS_PER_MS);
	}
	if (!m->is_null)
		value_to_pb(m, pb);
	return 0;
}

static int sparkplug_payload_to_pb(struct arena *a, const struct sparkplug_payload *p,
				   PB(SparkplugPayload) * pb)
{
	if (p->has_time) {
		pb->time_case = HOLON__V1__SPARKPLUG_PAYLOAD__TIME_TIMESTAMP;
		pb->timestamp = (uint64_t)(p->t_ns / NS_PER_MS);
	}
	if (p->has_seq) {
		pb->number_case = HOLON__V1__SPARKPLUG_PAYLOAD__NUMBER_SEQ;
		pb->seq = p->seq;
	}
	return LIST_TO_PB(a, sparkplug_metric, p->metrics, p->n_metrics, sparkplug_metric_to_pb, &pb->metrics,
			  &pb->n_metrics);
}

/* ---- From the generated form -----------------------------------------------------------------------------
 */

static int time_from_ms(uint64_t ms, int64_t *ret_ns)
{
	TRY(malformed_unless(ms <= (uint64_t)(INT64_MAX / NS_PER_MS)));
	*ret_ns = (int64_t)ms * NS_PER_MS;
	return 0;
}

static void quality_from_pb(const PB(SparkplugProperties) * pb, enum quality *ret)
{
	*ret = QUALITY_GOOD;
	for (size_t i = 0; pb && i < pb->n_keys && i < pb->n_values; i++) {
		const PB(SparkplugProperty) *v = pb->values[i];
		if (!bytes_equal((struct bytes){pb->keys[i].data, pb->keys[i].len}, BYTES("Quality")))
			continue;
		const uint64_t code = v->value_case == HOLON__V1__SPARKPLUG_PROPERTY__VALUE_LONG_VALUE
					      ? v->long_value
					      : v->int_value;
		*ret = code == QUALITY_CODE_GOOD  ? QUALITY_GOOD
		       : code == QUALITY_CODE_BAD ? QUALITY_BAD
						  : QUALITY_UNCERTAIN;
	}
}

static int value_from_pb(const PB(SparkplugMetric) * pb, struct sparkplug_metric *ret)
{
	switch (pb->value_case) {
	case METRIC(VALUE_INT_VALUE):
		ret->field = SPARKPLUG_BITS;
		ret->bits = pb->int_value;
		return 0;
	case METRIC(VALUE_LONG_VALUE):
		ret->field = SPARKPLUG_BITS;
		ret->bits = pb->long_value;
		return 0;
	case METRIC(VALUE_FLOAT_VALUE):
		ret->field = SPARKPLUG_REAL;
		ret->real = (double)pb->float_value;
		return 0;
	case METRIC(VALUE_DOUBLE_VALUE):
		ret->field = SPARKPLUG_REAL;
		ret->real = pb->double_value;
		return 0;
	case METRIC(VALUE_BOOLEAN_VALUE):
		ret->field = SPARKPLUG_TRUTH;
		ret->truth = pb->boolean_value;
		return 0;
	case METRIC(VALUE_STRING_VALUE):
		ret->field = SPARKPLUG_WORDS;
		return text_from_pb(pb->string_value, TEXT_MAX, &ret->words);
	case METRIC(VALUE_BYTES_VALUE):
	case METRIC(VALUE__NOT_SET):
	case _HOLON__V1__SPARKPLUG_METRIC__VALUE__CASE_IS_INT_SIZE: break;
	}
	return 0;
}

static int sparkplug_metric_from_pb(struct arena *a, const PB(SparkplugMetric) * pb,
				    struct sparkplug_metric *ret)
{
	(void)a;
	TRY(text_from_pb(pb->name, SPARKPLUG_NAME_MAX, &ret->name));
	ret->has_alias = pb->short_name_case == METRIC(SHORT_NAME_ALIAS);
	ret->alias = ret->has_alias ? pb->alias : 0;
	ret->has_time = pb->time_case == METRIC(TIME_TIMESTAMP);
	if (ret->has_time)
		TRY(time_from_ms(pb->timestamp, &ret->t_ns));
	ret->datatype = pb->datatype;
	ret->is_historical = pb->is_historical;
	ret->is_null = pb->is_null;
	quality_from_pb(pb->properties, &ret->quality);
	return value_from_pb(pb, ret);
}

static int sparkplug_payload_from_pb(struct arena *a, const PB(SparkplugPayload) * pb,
				     struct sparkplug_payload *ret)
{
	TRY(malformed_unless(pb->n_metrics <= SPARKPLUG_METRICS_MAX));
	ret->has_time = pb->time_case == HOLON__V1__SPARKPLUG_PAYLOAD__TIME_TIMESTAMP;
	if (ret->has_time)
		TRY(time_from_ms(pb->timestamp, &ret->t_ns));
	ret->has_seq = pb->number_case == HOLON__V1__SPARKPLUG_PAYLOAD__NUMBER_SEQ;
	ret->seq = ret->has_seq ? pb->seq : 0;
	TRY(malformed_unless(ret->seq < SPARKPLUG_SEQ_END));
	return LIST_FROM_PB(a, pb->metrics, pb->n_metrics, sparkplug_metric_from_pb, &ret->metrics,
			    &ret->n_metrics);
}

/* ---- The pair --------------------------------------------------------------------------------------------
 */

void sparkplug_encode(const struct sparkplug_payload *p, struct buf *out)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	PB(SparkplugPayload) pb;

	protobuf_c_message_init(&PB_DESCRIPTOR(sparkplug_payload), &pb.base);
	if (arena_new(&a, SIZE_MAX) < 0 || sparkplug_payload_to_pb(a, p, &pb) < 0)
		out->failed = true;
	else
		pb_pack(&pb.base, out);
}

int sparkplug_decode(struct arena *a, struct bytes in, struct sparkplug_payload *ret)
{
	PB(SparkplugPayload) * pb;
	struct sparkplug_payload p = {0};

	TRY(pb_unpack(a, &PB_DESCRIPTOR(sparkplug_payload), in, &pb));
	TRY(sparkplug_payload_from_pb(a, pb, &p));
	*ret = p;
	return 0;
}

/* ---- Values ----------------------------------------------------------------------------------------------
 */

/* Some senders extend the sign into the whole field, some do not: only the bits of the type count. */
static int64_t signed_bits(uint64_t bits, unsigned int n)
{
	const uint64_t sign = UINT64_C(1) << (n - 1);
	const uint64_t low = n == 64 ? bits : bits & ((UINT64_C(1) << n) - 1);

	return (int64_t)((low ^ sign) - sign);
}

static void integer_value(uint64_t bits, uint32_t type, struct value *ret)
{
	static const uint8_t widths[] = {
		[SPARKPLUG_INT8] = 8, [SPARKPLUG_INT16] = 16, [SPARKPLUG_INT32] = 32, [SPARKPLUG_INT64] = 64};

	ret->type = VALUE_INT64;
	if (type >= SPARKPLUG_INT8 && type <= SPARKPLUG_INT64) {
		ret->integer = signed_bits(bits, widths[type]);
	} else if (bits <= INT64_MAX) {
		ret->integer = (int64_t)bits;
	} else {
		ret->type = VALUE_DOUBLE;
		ret->real = (double)bits;
	}
}

bool sparkplug_value(const struct sparkplug_metric *m, uint32_t datatype, struct value *ret)
{
	*ret = (struct value){.type = VALUE_NONE};
	if (m->is_null || datatype > SPARKPLUG_UUID)
		return false;
	switch (m->field) {
	case SPARKPLUG_BITS: integer_value(m->bits, datatype, ret); return true;
	case SPARKPLUG_REAL: *ret = (struct value){.type = VALUE_DOUBLE, .real = m->real}; return true;
	case SPARKPLUG_TRUTH: *ret = (struct value){.type = VALUE_BOOL, .boolean = m->truth}; return true;
	case SPARKPLUG_WORDS: *ret = (struct value){.type = VALUE_TEXT, .text = m->words}; return true;
	case SPARKPLUG_NONE: break;
	}
	return false;
}
