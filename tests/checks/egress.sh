#!/bin/sh
# Nothing leaves the node that no test has looked at: each kind of message and of question that some code sends has a test
# in tests/unit/node/test_egress_messages*.c, and frames leave through the few places that those tests stand at.
#
# Of MESSAGE_X there must be `Test(leaves, x_...)` with expect_clean(MESSAGE_X) (a partner gets of it what it may) or
# expect_inside_only(MESSAGE_X) (no partner gets it), of QUESTION_Y `question_y_...` and `answer_y_...`.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046 # a list of words
tests=$(cat $(files 'tests/unit/node/test_egress_messages*.c'))

# The values of an enum of proto/message.h
values() {
	tr '\n' ' ' <proto/message.h | sed -n "s/.*enum $1 {\([^}]*\)}.*/\1/p" | tr ',' '\n' |
		sed -n 's/^[[:space:]]*\([A-Z_]*\).*/\1/p' | grep -v '^N_'
}

# $1: the beginning of the test's name
has_test() {
	printf '%s\n' "$tests" | grep -q "^Test(leaves, $1_"
}

messages=$(values message_kind)
questions=$(values question_kind)
[ "$(printf '%s\n' "$messages" "$questions" | wc -l)" -ge 13 ] || {
	echo 'proto/message.h was not understood'
	exit 1
}

# shellcheck disable=SC2046
for kind in $messages; do
	grep -qE "kind = $kind\b" $(files 'node/*.c' 'federation/*.c') || continue # nobody sends it
	name=$(printf '%s' "${kind#MESSAGE_}" | tr '[:upper:]' '[:lower:]')
	[ "$kind" = MESSAGE_ANSWER ] || [ "$kind" = MESSAGE_QUESTION ] || has_test "$name" ||
		printf '%s: no Test(leaves, %s_...)\n' "$kind" "$name"
	printf '%s\n' "$tests" | grep -qE "expect_(clean|inside_only)\($kind[,)]" ||
		printf '%s: no expect_clean(%s) and no expect_inside_only(%s)\n' "$kind" "$kind" "$kind"
done | none 'messages that no egress test looks at'

for kind in $questions; do
	grep -qE "kind = $kind\b" $(files 'node/*.c') || continue # nobody sends it
	name=$(printf '%s' "${kind#QUESTION_}" | tr '[:upper:]' '[:lower:]')
	for way in question answer; do
		has_test "${way}_$name" || printf '%s: no Test(leaves, %s_%s_...)\n' "$kind" "$way" "$name"
	done
done | none 'questions that no egress test looks at'

# $1: what is called, $2: where it may be called from, $3: what is wrong elsewhere
only_in() {
	# shellcheck disable=SC2046
	code $(files 'node/*.c' | grep -vE "^node/($2)\.c\$") | grep -E "[^A-Za-z0-9_]($1) *\(" | none "$3"
}
only_in 'transport_send|tap_sent' 'gossip|transport|tap_o(n|ff)' 'frames to peers that do not pass node/gossip.c, where the tests listen'
only_in 'transport_answer' 'enrol|transport' 'answers to strangers from elsewhere than enrolment'
only_in 'zmq_(msg_)?send(msg|_const)?|zmq_sendiov' 'transport_socket|transport_selftest|control|zap|join_wire' \
	'frames that do not leave through the transport, the control socket, the ZAP handler or a request to join'
only_in 'sendto|sendmsg|uv_write2?|uv_try_write2?|uv_udp_(try_)?send|uv_(tcp|udp|pipe)_(bind|connect)' 'stream' \
	'bytes to elsewhere than peers and the brokers that an admin configured (node/stream.c)'
