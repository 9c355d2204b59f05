/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/id.h"
#include "proto/words.h"

static int position_to_pb(struct arena *a, const struct position *p, PB(Position) * pb)
{
	(void)a;
	pb->lat_deg = p->lat_deg;
	pb->lon_deg = p->lon_deg;
	if (!isnan(p->alt_m)) {
		pb->alt_case = HOLON__V1__POSITION__ALT_ALT_M;
		pb->alt_m = p->alt_m;
	}
	return 0;
}

static int position_from_pb(const PB(Position) * pb, struct position *ret)
{
	*ret = (struct position){pb->lat_deg, pb->lon_deg, pb->alt_case ? pb->alt_m : NAN};
	return malformed_unless(position_is_valid(ret));
}

static int value_to_pb(struct arena *a, const struct value *v, PB(Sample) * pb)
{
	switch (v->type) {
	case VALUE_NONE: break;
	case VALUE_BOOL:
		pb->value_case = HOLON__V1__SAMPLE__VALUE_BOOLEAN;
		pb->boolean = v->boolean;
		break;
	case VALUE_INT64:
		pb->value_case = HOLON__V1__SAMPLE__VALUE_INTEGER;
		pb->integer = v->integer;
		break;
	case VALUE_DOUBLE:
		pb->value_case = HOLON__V1__SAMPLE__VALUE_REAL;
		pb->real = v->real;
		break;
	case VALUE_TEXT:
		pb->value_case = HOLON__V1__SAMPLE__VALUE_TEXT;
		pb->text = text_to_pb(v->text);
		break;
	case VALUE_ENUM:
		pb->value_case = HOLON__V1__SAMPLE__VALUE_WORD;
		pb->word = text_to_pb(v->text);
		break;
	case VALUE_POSITION:
		pb->value_case = HOLON__V1__SAMPLE__VALUE_POSITION;
		return ONE_TO_PB(a, position, &v->position, position_to_pb, &pb->position);
	}
	return 0;
}

static int value_from_pb(const PB(Sample) * pb, struct value *ret)
{
	switch ((int)pb->value_case) {
	case HOLON__V1__SAMPLE__VALUE_BOOLEAN:
		ret->type = VALUE_BOOL;
		ret->boolean = pb->boolean;
		return 0;
	case HOLON__V1__SAMPLE__VALUE_INTEGER:
		ret->type = VALUE_INT64;
		ret->integer = pb->integer;
		return 0;
	case HOLON__V1__SAMPLE__VALUE_REAL:
		ret->type = VALUE_DOUBLE;
		ret->real = pb->real;
		return 0;
	case HOLON__V1__SAMPLE__VALUE_TEXT:
		ret->type = VALUE_TEXT;
		return text_from_pb(pb->text, TEXT_VALUE_MAX, &ret->text);
	case HOLON__V1__SAMPLE__VALUE_WORD:
		ret->type = VALUE_ENUM;
		return text_from_pb(pb->word, PROPERTY_MAX, &ret->text);
	case HOLON__V1__SAMPLE__VALUE_POSITION:
		ret->type = VALUE_POSITION;
		return position_from_pb(pb->position, &ret->position);
	default: ret->type = VALUE_NONE; return 0;
	}
}

int sample_to_pb(struct arena *a, const struct sample *s, PB(Sample) * pb)
{
	pb->t_ns = s->t_ns;
	pb->quality = (PB(Quality))s->quality;
	pb->source = text_to_pb(s->source);
	if (!isnan(s->sigma)) {
		pb->uncertainty_case = HOLON__V1__SAMPLE__UNCERTAINTY_SIGMA;
		pb->sigma = s->sigma;
	}
	return value_to_pb(a, &s->value, pb);
}

int sample_from_pb(struct arena *a, const PB(Sample) * pb, struct sample *ret)
{
	(void)a;
	ret->t_ns = pb->t_ns;
	TRY(value_from_pb(pb, &ret->value));
	TRY(ENUM_FROM_PB(pb->quality, QUALITY_BAD + 1, &ret->quality));
	ret->sigma = pb->uncertainty_case ? pb->sigma : NAN;
	TRY(malformed_unless(isnan(ret->sigma) || (ret->sigma >= 0 && isfinite(ret->sigma))));
	TRY(text_from_pb(pb->source, SOURCE_MAX, &ret->source));
	if (*ret->source == '\0')
		ret->source = NULL;
	return 0;
}

int kpi_to_pb(struct arena *a, const struct kpi *k, PB(Kpi) * pb)
{
	struct sample public = k->sample;

	pb->property = text_to_pb(k->property);
	pb->unit = text_to_pb(k->unit);
	if (k->sample.value.type == VALUE_NONE)
		return 0;
	public.source = NULL;
	return ONE_TO_PB(a, sample, &public, sample_to_pb, &pb->sample);
}

int kpi_from_pb(struct arena *a, const PB(Kpi) * pb, struct kpi *ret)
{
	TRY(word_from_pb(pb->property, id_is_name, &ret->property));
	TRY(text_from_pb(pb->unit, UNIT_MAX, &ret->unit));
	ret->sample.sigma = NAN;
	if (pb->sample)
		TRY(sample_from_pb(a, pb->sample, &ret->sample));
	ret->sample.source = NULL;
	return 0;
}
