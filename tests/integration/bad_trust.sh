#!/usr/bin/env bash
# Bad input, of trust and policy: every object is refused with one clear line, an entry of the audit, and no change.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
apply_acme acme/site
trust_all acme harbor
acme_policy | publish acme
bad_trust bundles harbor/org passphrase "$PWD"
bad_trust policies acme/org harbor/org "$PWD"
fingerprint=$(org_fingerprint harbor)
quietly holon --node acme/site org trust newer.bundle --fingerprint "$fingerprint"
acme_policy | publish acme # epoch 2
node_stop harbor/site

state() { # what an object that was refused could have changed
	holon --json --node acme/site org show
	holon --node acme/site policy show
	holon --json --node acme/site twin list
	holon --json --node acme/site status | json '(d["policy_epoch"], d["seq"])'
}

# The entries from number $1 on that somebody caused: kind, subject and text; reads and handshakes are counted meanwhile.
entries() {
	holon --json --node acme/site audit list --limit 1000000 | python3 -c '
import json, sys
for line in sys.stdin:
	e = json.loads(line)
	if e["entry"] >= int(sys.argv[1]) and e["kind"] not in ("read", "denied", "limit", "node"):
		print("%(kind)s %(subject)s: %(text)s" % e)' "$1"
}
n_entries() {
	holon --json --node acme/site audit list --limit 1000000 | wc -l
}

# $1: what it is, $2: exit code, $3: the line, exact but for times and paths (an expression of bash), $4: the entry
# before the line; rest: the command
row() {
	local what=$1 code=$2 line=$3 entry=$4 after is=0
	shift 4
	"$@" >row.out 2>row.err </dev/null || is=$?
	after=$(state)
	check "$what: exit code" equal "$is" "$code"
	check "$what: one line" equal "$(wc -l <row.err)" 1
	check "$what: $line" matches "$(cat row.err)" "$line"
	check "$what: nothing changed" equal "$after" "$before"
	check "$what: one entry, $entry" matches "$(entries "$first")" "$entry $line_of_node"
	first=$(n_entries)
}
line_of_node='*' # what the entry says behind its beginning

matches() {
	# shellcheck disable=SC2053 # the right side is an expression
	[[ $1 == $2 ]] || { printf 'is:        %s\nshould be: %s\n' "$1" "$2" && return 1; }
}

by_trust() { # $1: bundle, $2: what it is, $3: the sentence
	line_of_node="refused: $3"
	row "$2" 1 "holon: $3" 'trust accept:' holon --node acme/site org trust "$1.bundle" --fingerprint "$fingerprint"
}
by_publish() {
	line_of_node="refused: $3"
	row "$2" 1 "$3" 'policy publish:' bad_trust publish "ipc://$PWD/acme/site/control" "$1.signed"
}
by_text() { # $1: what it is, $2: the sentence; the policy is on standard input
	policy_write /dev/stdin text.policy
	line_of_node="refused: $2"
	row "$1" 1 "holon: $2" 'policy publish:' holon --node acme/site policy publish text.policy --org acme/org
}

before=$(state)
first=$(n_entries)

# ---- Objects of a partner
by_trust expired 'an expired bundle' 'manifest of harbor expired on ????-??-??T*Z: ask its admin for a new bundle'
by_trust early 'a bundle of the future' 'manifest of harbor is not yet valid (from ????-??-??T*Z): is this clock right?'
by_trust signed 'a bundle with a wrong signature' 'the manifest in this bundle has a wrong signature'
by_trust cut 'a truncated bundle' 'the bundle cannot be read: message is malformed'
by_trust far 'a bundle far ahead' 'manifest of harbor jumps from version 2 to 5001, more than 1000 at once'
by_trust foreign 'a bundle with a foreign name' 'credential 1 in the bundle of harbor is of organisation acme, not of harbor'
cp harbor/harbor.bundle old.bundle
by_trust old 'a bundle of before' 'manifest of harbor has version 1, older than the version 2 held here'

# ---- Signed policies
by_publish signed 'a policy with a wrong signature' 'the policy of acme has a wrong signature'
by_publish cut 'a truncated policy' 'this is not a signed policy'
by_publish foreign "another organisation's policy" 'the policy was not signed by a policy key of acme'
by_publish old 'a policy of before' 'epoch 2 is in force already: sign the policy with a higher one'
by_publish far 'a policy far ahead' 'the policy of acme jumps from epoch 2 to 5000, more than 1000 at once'
by_publish early 'a policy of the future' 'the policy of acme is not yet valid (from ????-??-??T*Z): is this clock right?'

# ---- Policies as text
share() { # $1: the line about the organisation, $2: twins, $3: right, $4: until
	printf 'policy acme\n%s\n  share "x"\n    to org harbor\n    twins %s\n    allow %s\n%s\n' "$@"
}
many_rules() {
	printf 'policy acme\n%s\n' "$harbor"
	for i in $(seq 1025); do
		printf '  never "n%d"\n    to org harbor\n    twins x/%d\n    deny read of *\n' "$i" "$i"
	done
}
harbor="  org harbor = @ORG:harbor@" until='    until @UNTIL@'
by_text 'a policy with an unknown organisation' \
	"line 2: organisation 'volt' is not trusted, trust it first or remove it" \
	< <(share '  org volt = VOLT-AAAAAAA' '**' discover "$until")
by_text 'a policy with an unknown right' \
	"line 6: column 11: 'dance' is not expected here, write discover, summary, read, history, watch or command" \
	< <(share "$harbor" '**' dance "$until")
by_text 'a policy with an illegal pattern' \
	"line 5: column 11: pattern 'plant/[*][*]/press' is not possible: '[*][*]' stands only at the end, use '[*]' for one segment" \
	< <(share "$harbor" 'plant/**/press' discover "$until")
by_text 'a policy with dots' \
	"line 5: column 11: pattern 'plant/../lab' is not possible: there are no '.' and '..' in ids, write the whole path" \
	< <(share "$harbor" 'plant/../lab' discover "$until")
by_text 'a policy with a look-alike letter' \
	'line 5: column 13: U+0430 is possible in titles and comments only, type an ASCII character' \
	< <(share "$harbor" "pl$(printf '\u0430')nt/**" discover "$until")
by_text 'a share without an end' "line 3: the share does not end, add 'until TIME'" \
	< <(share "$harbor" '**' discover '')
by_text 'a policy of 1,025 rules' 'line 4099: at most 1024 rules are possible, join some' < <(many_rules)

# ---- Frames of a peer that is let in: counted, the first of a minute with what was wrong
quietly rogue garbage-after-hello harbor/site harbor/harbor.bundle acme/acme.bundle
limits() {
	holon --json --node acme/site audit list --kind limit | python3 -c '
import json, sys
print([(e["org"], e["node"], e["subject"], e["text"]) for e in map(json.loads, sys.stdin) if e["subject"] == "refused frame"][:1])'
}
check 'frames that are none: an entry that names the peer' soon 5 eval \
	'equal "$(limits)" "[('"'harbor', 'site', 'refused frame', 'message is malformed'"')]"'
check 'frames that are none: nothing changed' equal "$(state)" "$before"

# ---- At the start: the node does not run, so there is no entry
node_stop acme/site
for key in curve sign cursor; do
	chmod 0644 acme/site/keys/$key.key
	refuses "a $key key that others may read" 1 "keys/$key.key is open to others \(mode 0644\)" holond --dir acme/site
	chmod 0600 acme/site/keys/$key.key
done
if grep -q __asan_init "$build/node/holond"; then
	echo 'left out: a clock that is not set (faketime and the sanitizers wait for each other)'
else
	refuses 'a clock before the build date' 1 'the clock of this machine is not set' \
		timeout 30 faketime 2020-01-01 holond --dir acme/site
fi
node_start acme/site
check 'with the keys closed and the clock right it starts, and nothing changed' equal "$(state)" "$before"
