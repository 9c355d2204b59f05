#!/usr/bin/env bash
# A node is revoked while it is connected: whoever gets the bundle cuts it at once and does not let it in again, and
# bundles that would take that back are refused without a change.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 3)
quietly org_found acme site "${addresses[0]}"
quietly holon node init second --org acme/org --dir acme/second --role border --border "tcp://${addresses[1]}"
quietly holon org show --dir acme/org --bundle acme/acme.bundle
quietly org_found harbor site "${addresses[2]}"
for node in acme/site acme/second harbor/site; do node_start $node; done
for node in site second; do
	quietly holon --node acme/$node org trust acme/acme.bundle --fingerprint "$(org_fingerprint acme)"
	quietly org_trust acme $node harbor
done
quietly org_trust harbor site acme

# The nodes that $1 is connected to.
peers() {
	holon --json --node "$1" peer list | json "sorted(p['org'] + '/' + p['node'] for p in d['peers']
		if p['state'] == 'connected')" | tr '\n' ' '
}
trust_acme() {
	holon --node harbor/site org trust "$1" --fingerprint "$(org_fingerprint acme)"
}
check 'both nodes are connected' soon 15 eval 'equal "$(peers harbor/site)" "acme/second acme/site "'

cp acme/acme.bundle before.bundle
quietly holon node revoke second --org acme/org --reason stolen
quietly holon org show --dir acme/org --bundle acme/acme.bundle
began=$(now_ms)
quietly trust_acme acme/acme.bundle
check 'the revoked node is cut' soon 10 eval 'equal "$(peers harbor/site)" "acme/site "'
echo "after $(($(now_ms) - began)) ms"
sleep 3 # as long as a node takes to dial again a few times
check 'and does not come back' equal "$(peers harbor/site)" 'acme/site '

refuses 'a bundle from before the revocation is refused' 1 'revocations of acme have number 0, older than the number 1' \
	trust_acme before.bundle
head -c 300 acme/acme.bundle >cut.bundle
refuses 'so is one cut short' 1 'cannot be read' trust_acme cut.bundle
check 'nothing has changed' equal "$(peers harbor/site)" 'acme/site '

node_stop harbor/site
node_start harbor/site
check 'the other node is back after a start' soon 15 eval 'equal "$(peers harbor/site)" "acme/site "'
refuses 'and the older bundle is still refused' 1 'revocations of acme have number 0' trust_acme before.bundle

node_stop harbor/site
if grep -q __asan_init "$build/node/holond"; then
	echo 'left out: a clock that is not set (faketime and the sanitizers wait for each other)'
else
	refuses 'a node does not start while the clock is not set' 1 'the clock of this machine is not set' \
		timeout 30 faketime 2020-01-01 holond --dir harbor/site
fi
chmod 644 harbor/site/keys/sign.key
refuses 'nor with a key that others may read' 1 'is open to others \(mode 0644\)' holond --dir harbor/site
