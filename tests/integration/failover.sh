#!/usr/bin/env bash
# Three border nodes of one organisation, two of its partner: the two best speak, the next steps in when one is gone and
# steps back when it returns; summaries go on. Nodes that cannot be dialled dial out, whatever their keys.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 10)
quietly org_init acme
# all three can be dialled by the hidden node: any of them may be the last that is left
quietly holon node init b1 --org acme/org --dir acme/b1 --role border --border "tcp://${addresses[0]}" \
	--listen "tcp://${addresses[9]}"
for i in 2 3; do
	quietly holon node init b$i --org acme/org --dir acme/b$i --role border --border "tcp://${addresses[i - 1]}" \
		--listen "tcp://${addresses[i + 1]}"
done
# nobody gets through to walled, and hidden says so itself
quietly holon node init walled --org acme/org --dir acme/walled --role owner --listen "tcp://${addresses[5]}"
quietly holon node init hidden --org acme/org --dir acme/hidden --role owner
quietly org_found harbor s1 "${addresses[6]}"
quietly holon node init s2 --org harbor/org --dir harbor/s2 --role owner,border --border "tcp://${addresses[7]}" \
	--listen "tcp://${addresses[8]}"
for org in acme harbor; do
	quietly holon org show --dir $org/org --bundle $org/$org.bundle
	for node in "$org"/*/; do [ ! -f "$node/bundle" ] || [ "$node" = $org/org/ ] || cp $org/org/bundle "$node/bundle"; done
done
borders=(acme/b1 acme/b2 acme/b3 harbor/s1 harbor/s2)
for node in "${borders[@]}" acme/hidden; do node_start "$node"; done
node_start acme/walled --set listen.own=none
for node in "${borders[@]}"; do
	[ "${node%/*}" = acme ] && other=harbor || other=acme
	quietly org_trust "${node%/*}" "${node#*/}" $other
done

# With whom of the organisation $2 is ORG/NODE $1 connected?
with() {
	holon --json --node "$1" peer list | json "sorted(p['node'] for p in d['peers']
		if p['org'] == '$2' and p['state'] == 'connected')" | xargs
}
# How many borders of its partner each of the border nodes has; - does not run
links() {
	local node
	for node in "${borders[@]}"; do
		[ "${node%/*}" = acme ] && other=harbor || other=acme
		if [ -f "$node.pid" ]; then with "$node" $other | wc -w; else echo -; fi
	done | xargs
}
links_are() {
	links | grep -qxE "$1"
}

check 'who cannot be dialled is connected with all others' soon 15 eval 'equal "$(with acme/walled acme)" "b1 b2 b3"'
check 'and who has no endpoint with all that can be dialled' soon 15 eval 'equal "$(with acme/hidden acme)" "b1 b2 b3"'
check 'two borders of each side speak' soon 30 links_are '(2 2 0|2 0 2|0 2 2) 2 2'

apply_acme acme/hidden
acme_policy | publish acme b1
# What ORG/NODE $1 knows of the press
load() {
	holon --json --node "$1" twin summaries acme/plant/press1 |
		json '[k["value"] for t in d["summaries"] for k in t["kpis"] if k["property"] == "power/use"][0]'
}
set_load() {
	reading acme/plant/press1 power/use "$(now)" "$1" | quietly holon --node acme/hidden ingest -
}
both_know() {
	equal "$(load harbor/s1) $(load harbor/s2)" "$1 $1"
}
check 'the partner sees what the hidden node owns' soon 30 both_know 100.0

mapfile -t two < <(for node in "${borders[@]:0:3}"; do [ "$(with "$node" harbor)" = '' ] || echo "$node"; done)
node_kill "${two[0]}"
set_load 101
check 'one border is gone: summaries go on' soon 30 both_know 101.0
check 'and the next steps in' soon 20 links_are '(- 2 2|2 - 2|2 2 -) 2 2'
node_kill "${two[1]}"
set_load 102
check 'another is gone: summaries go on' soon 30 both_know 102.0
for node in "${two[@]}"; do node_start "$node"; done
check 'it steps back when they return' soon 40 links_are '(2 2 0|2 0 2|0 2 2) 2 2'
set_load 103
check 'and summaries go on' soon 30 both_know 103.0
