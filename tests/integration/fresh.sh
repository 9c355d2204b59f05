#!/usr/bin/env bash
# Who may have missed a newer policy or revocation does not serve other organisations: statements of the nodes with the
# role admin, of which one is enough; their time to live; inside everything goes on.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 3)
short=(--set trust.freshness-every=1s --set trust.freshness-ttl=$((4 * SLOW))s)
mkdir -p acme
quietly org_init acme
for hq in hq hq2; do # they only dial out: who does not listen to them has not got them
	quietly holon node init $hq --org acme/org --dir acme/$hq --role admin
done
quietly holon node init site --org acme/org --dir acme/site --role owner,border \
	--listen "tcp://${addresses[0]}" --border "tcp://${addresses[1]}"
quietly holon org show --dir acme/org --bundle acme/acme.bundle
for node in hq hq2 site; do
	cp acme/acme.bundle acme/$node/bundle
done
quietly org_found harbor site "${addresses[2]}"
for node in acme/hq acme/hq2 acme/site; do
	node_start $node "${short[@]}"
done
node_start harbor/site
quietly holon --node acme/hq org trust harbor/harbor.bundle --fingerprint "$(org_fingerprint harbor)"
quietly holon --node acme/site org trust harbor/harbor.bundle --fingerprint "$(org_fingerprint harbor)"
quietly holon --node harbor/site org trust acme/acme.bundle --fingerprint "$(org_fingerprint acme)"
apply_acme acme/site
apply_harbor harbor/site
acme_policy | publish acme hq

border_is() {
	[[ $(holon --json --node acme/site status | json 'd["border"]') == $1* ]]
}
harbor_reads() {
	quietly holon --node harbor/site history acme/plant/press1 power/use
}
says_why() {
	holon --node acme/site status | grep -q "other organisations are not served.*$1"
}
doctor_says() {
	{ holon doctor --node acme/site || true; } | grep "$1"
}
log_lines() {
	grep -c "$1" acme/site.log || true
}

check 'with statements of its admins the border is open' soon 15 border_is open
check 'and a partner reads' soon 15 harbor_reads
check 'doctor says for how long' doctor_says 'fine *freshness: for'

node_kill acme/hq2
sleep $((5 * SLOW))
check 'without one of two admin nodes nothing closes' border_is open
check 'and a partner reads on' harbor_reads

kill -STOP "$(node_pid acme/hq)"
check 'without both it closes when the last statement has run out' soon 12 border_is 'closed: no node with the role admin'
check 'a partner is not served then' eval '! harbor_reads && grep -q "answers no others now" quiet.out'
check 'the node says why' says_why 'what is newest'
check 'doctor calls it a problem' doctor_says 'problem *freshness'
check 'inside it goes on' eval 'reading acme/plant/press1 power/use "$(now)" 125 | quietly holon --node acme/site ingest -'
sleep 3 # it is looked at each second
check 'the log says it once' equal "$(log_lines 'border: closed')" 1

# a policy is published where the site cannot hear of it
node_stop acme/site
node_start acme/site "${short[@]}" --set listen.own=none
kill -CONT "$(node_pid acme/hq)"
acme_policy | sed 's/allow read power\/use/allow read power\/none/; s/allow history power\/use/allow history power\/none/' |
	publish acme hq
check 'a border that was started anew waits for a statement' border_is 'closed: no node with the role admin'
sleep 2
check 'what it does not know to be still granted is not read' eval '! harbor_reads'
check 'it still has the policy before' equal "$(status_of acme/site policy_epoch)" 1

node_stop acme/site
node_start acme/site "${short[@]}"
check 'when it hears of its admins again it opens' soon 20 border_is open
check 'with the policy that it had missed' soon 10 eval 'equal "$(status_of acme/site policy_epoch)" 2'
check 'under which the partner does not read any more' eval '! harbor_reads && grep -q "not shared with you" quiet.out'
check 'the audit knows when the border was closed' eval 'holon --node acme/site audit list | grep "border closed"'
