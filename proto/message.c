/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include "proto/words.h"

static const char *const kind_words[N_MESSAGE_KINDS] = {
	[MESSAGE_HELLO] = "hello",         [MESSAGE_HEADS] = "heads",
	[MESSAGE_PULL] = "pull",           [MESSAGE_ROWS] = "rows",
	[MESSAGE_RESET] = "reset",         [MESSAGE_QUESTION] = "question",
	[MESSAGE_ANSWER] = "answer",       [MESSAGE_PING] = "ping",
	[MESSAGE_POLICY] = "policy",       [MESSAGE_BYE] = "bye",
	[MESSAGE_STANDING] = "standing",   [MESSAGE_TRUST] = "trust",
	[MESSAGE_AGREEMENT] = "agreement", [MESSAGE_FRESHNESS] = "freshness",
	[MESSAGE_TELL] = "tell",           [MESSAGE_REPAIR] = "repair",
	[MESSAGE_SUMS] = "sums",           [MESSAGE_REACH] = "reach",
};
static const char *const reason_words[N_RESET_REASONS] = {
	[RESET_LINEAGE] = "lineage", [RESET_EPOCH] = "epoch",         [RESET_BEHIND] = "behind",
	[RESET_UNKNOWN] = "unknown", [RESET_COLLECTED] = "collected", [RESET_LATER] = "later",
};

const char *message_kind_text(enum message_kind kind)
{
	return word_at(kind_words, N_MESSAGE_KINDS, kind);
}

const char *reset_reason_text(enum reset_reason reason)
{
	return word_at(reason_words, N_RESET_REASONS, reason);
}
