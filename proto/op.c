/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/op.h"

#include "proto/words.h"

static const char *const refusal_sentences[N_SAMPLE_REFUSALS] = {
	[SAMPLE_NO_SERIES] = "there is no such twin or property",
	[SAMPLE_WRONG_VALUE] = "the value does not fit the property's type, range or words",
	[SAMPLE_AHEAD] = "the time is more than 5 minutes ahead of the node's clock",
	[SAMPLE_EXPIRED] = "the time is older than the retention of the property",
	[SAMPLE_NOT_OWN] = "the twin belongs to another node",
	[SAMPLE_NODES_OWN] = "only the node itself writes this property",
	[SAMPLE_NO_STEP] = "the word is no step from the one before it, or the sample comes too late",
};

const char *sample_refusal_text(enum sample_refusal reason)
{
	return word_at(refusal_sentences, N_SAMPLE_REFUSALS, reason);
}
