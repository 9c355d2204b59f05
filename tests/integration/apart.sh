#!/usr/bin/env bash
# Border and owner apart in one organisation: a partner's question goes asker -> border -> owner, the summaries are
# relayed, and nobody from outside reaches the owner.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 4)
mkdir -p acme
quietly org_init acme
quietly holon node init gate --org acme/org --dir acme/gate --role border \
	--listen "tcp://${addresses[0]}" --border "tcp://${addresses[1]}"
quietly holon node init plant --org acme/org --dir acme/plant --role owner --listen "tcp://${addresses[2]}"
quietly holon org show --dir acme/org --bundle acme/acme.bundle
quietly org_found harbor site "${addresses[3]}"
for node in acme/gate acme/plant harbor/site; do
	node_start $node
done

# the gate was made before the plant was enrolled: it learns of it from the organisation's present bundle
quietly holon --node acme/gate org trust acme/acme.bundle --fingerprint "$(org_fingerprint acme)"
quietly holon --node acme/gate org trust harbor/harbor.bundle --fingerprint "$(org_fingerprint harbor)"
quietly holon --node acme/plant org trust harbor/harbor.bundle --fingerprint "$(org_fingerprint harbor)"
quietly holon --node harbor/site org trust acme/acme.bundle --fingerprint "$(org_fingerprint acme)"

apply_acme acme/plant
apply_harbor harbor/site
acme_policy | publish acme gate
quietly holon --node acme/plant rel confirm harbor/city acme/plant

check 'the live view reaches the owner through the border' soon 15 city_is_whole 150.0
check 'and names the owner as its source' equal \
	"$(view_field 'sorted({s["node"] for s in d["certificate"]["sources"] if s["org"] == "acme"})' \
		harbor/site harbor/city --rollup sum:power/use)" plant
check 'the summaries are relayed' soon 10 eval \
	'equal "$(view_total harbor/site harbor/city --rollup sum:power/use --offline)" 150.0'
check 'history is answered by the owner' soon 5 eval \
	'equal "$(samples "len(d)" harbor/site acme/plant/press1 power/use)" 1'
check 'what is not shared is refused' eval \
	'! holon --node harbor/site history acme/plant/press1 recipe/force >/dev/null 2>refused.err &&
		grep -q "not shared with you or not there" refused.err'

peers() {
	holon --json --node "$1" peer list | json "sorted(p['org'] + '/' + p['node'] for p in d['peers']
		if p['state'] == 'connected')" | tr '\n' ' '
}
check 'the owner speaks to its own border only' equal "$(peers acme/plant)" 'acme/gate '
check 'the city speaks to the border only' equal "$(peers harbor/site)" 'acme/gate '

reading acme/plant/press1 power/use "$(now)" 125 | quietly holon --node acme/plant ingest -
check 'a new reading passes the border' soon 3 city_is_whole 175.0

# the owner falls: the border still has its summaries, and says that it has no more
node_kill acme/plant
check 'without the owner the total stands' soon 10 eval \
	'equal "$(view_field "(float(d[\"rollups\"][0][\"value\"]), d[\"certificate\"][\"cached\"] > 0)" \
		harbor/site harbor/city --rollup sum:power/use)" "(175.0, True)"'
node_start acme/plant
check 'with the owner back the view is whole' soon 15 city_is_whole 175.0

# the border falls: the city has what it holds itself
node_kill acme/gate
check 'without the border the total stands' soon 10 eval \
	'equal "$(view_total harbor/site harbor/city --rollup sum:power/use)" 175.0'
node_start acme/gate
check 'with the border back the view is whole' soon 15 city_is_whole 175.0
