#!/usr/bin/env bash
# Trust that ends: said at one node with the role admin, it holds at all; connections are cut, nothing of the partner is
# left, also after a crash, and what was agreed before does not come back by itself.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 4)
mkdir -p acme
quietly org_init acme
quietly holon node init hq --org acme/org --dir acme/hq --role admin,owner
quietly holon node init site --org acme/org --dir acme/site --role owner,border \
	--listen "tcp://${addresses[0]}" --border "tcp://${addresses[1]}"
quietly holon org show --dir acme/org --bundle acme/acme.bundle
for node in hq site; do
	cp acme/acme.bundle acme/$node/bundle
	node_start acme/$node
done
found_partner() {
	quietly org_found "$1" site "$2"
	node_start "$1/site"
	quietly holon --node acme/hq org trust "$1/$1.bundle" --fingerprint "$(org_fingerprint "$1")"
	quietly holon --node "$1/site" org trust acme/acme.bundle --fingerprint "$(org_fingerprint acme)"
}
found_partner harbor "${addresses[2]}"
found_partner volt "${addresses[3]}"

agreed() {
	equal "$(holon --json --node "acme/$1" org show | json "[o['trusted_by'] for o in d['orgs'] if o['org'] == '$2']")" "${3-}"
}
connected() {
	holon --json --node "$1" peer list |
		json "[p['org'] for p in d['peers'] if p['state'] == 'connected' and p['org'] == '$2']" | grep -q .
}
rows() {
	equal "$(holon --json --node acme/site status | json 'd["remote_rows"]')" "$1"
}
share_with_acme() {
	printf 'policy %s\n org acme = @ORG:acme@\n share "all"\n to org acme\n twins **\n allow discover, summary\n until @UNTIL@\n' "$1" |
		publish "$1"
}

check 'what an admin trusts is an agreement of all' agreed hq harbor organisation
check 'the other nodes trust it too' soon 15 eval 'agreed site harbor organisation && agreed site volt organisation'
apply_acme acme/site
apply_harbor harbor/site
quietly holon --node volt/site twin create volt/station --kind system
{
	acme_policy
	printf '  org volt = @ORG:volt@\n  share "volt"\n    to org volt\n    twins plant\n    allow discover\n    until @UNTIL@\n'
} | publish acme hq
share_with_acme harbor
share_with_acme volt
check 'partners read and are read' soon 15 eval \
	'rows 2 && quietly holon --node harbor/site history acme/plant/press1 power/use && connected volt/site acme'

refuses 'at a node without the role admin an agreement does not end' 1 'end it at a node with the role admin' \
	holon --node acme/site org end harbor --yes
check 'it ends at one that has it' quietly holon --node acme/hq org end harbor --yes
began=$(now_ms)
check 'the partner is cut off at the other node' soon 10 eval '! connected acme/site harbor && ! connected harbor/site acme'
echo "after $(($(now_ms) - began)) ms"
check 'and not trusted there any more' agreed site harbor
check 'its rows are gone' soon 10 rows 1
refuses 'it cannot be looked at' 4 'no node that could answer' holon --node acme/site twin get harbor/city
check 'it does not come in again' soon 15 eval '[ "$(status_of acme/site refused_handshakes)" -gt 0 ]'
check 'and reads nothing' eval '! holon --node harbor/site history acme/plant/press1 power/use'
check 'the other partner stays connected' connected volt/site acme
check 'for it the policy goes on' quietly holon --node volt/site twin get acme/plant
check 'the audit says who ended it' eval 'holon --node acme/hq audit list | grep "trust.*end.*harbor"'
check 'and the other node that it did' eval 'holon --node acme/site audit list | grep "trust.*ended.*harbor"'

node_kill acme/site
node_start acme/site
check 'after a crash nothing of it is there' rows 1
check 'nor trusted' agreed site harbor
refuses 'nor does its bundle come back at the site' 1 'ended its trust in harbor' \
	holon --node acme/site org trust harbor/harbor.bundle --fingerprint "$(org_fingerprint harbor)"

# a node that slept through the end hears of it when it comes back
node_stop acme/site
quietly holon --node acme/hq org end volt --yes
node_start acme/site
check 'who was away when it ended learns of it' soon 15 eval 'agreed site volt && rows 0'

check 'trust begins anew where it ended' quietly holon --node acme/hq org trust harbor/harbor.bundle \
	--fingerprint "$(org_fingerprint harbor)"
check 'and everywhere with it' soon 20 eval 'agreed site harbor organisation && rows 1 && connected acme/site harbor'
check 'the one that was not named stays out' agreed site volt
