#!/usr/bin/env bash
# Find across two organisations and two nodes of one: each finds what it may see, by what it may see; who is gone is
# looked up in what is held, and said so.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 3)
quietly org_found acme site "${addresses[0]}"
quietly org_found harbor site "${addresses[1]}"
quietly holon node init hall --org acme/org --dir acme/hall --role owner --listen "tcp://${addresses[2]}"
quietly holon org show --dir acme/org --bundle acme/acme.bundle
cp acme/org/bundle acme/site/bundle
cp acme/org/bundle acme/hall/bundle
for node in acme/site acme/hall harbor/site; do node_start $node; done
trust_all acme harbor
apply_acme acme/site
apply_harbor harbor/site
quietly holon --node acme/hall apply - <<-'JSON'
	{"types": [{"name": "drill", "kind": "asset", "properties": [
	   {"name": "power/use", "type": "double", "unit": "W", "kpi": true}, {"name": "serial", "type": "text"}]}],
	 "twins": [{"id": "acme/hall/drill1", "type": "drill"}, {"id": "acme/hall/drill2", "type": "drill"}],
	 "samples": [{"twin": "acme/hall/drill1", "property": "power/use", "t": "2024-03-04T10:00:00Z", "value": 70000},
	   {"twin": "acme/hall/drill2", "property": "power/use", "t": "2024-03-04T10:00:00Z", "value": 10},
	   {"twin": "acme/hall/drill2", "property": "serial", "t": "2024-03-04T10:00:00Z", "value": "SN 7"}]}
JSON
acme_policy | publish acme

# What ORG/NODE $1 finds: ids, those that are cached marked so
ids() {
	holon --node "$1" --json find "${@:2}" | json '" ".join(t["id"] + ("*" if t["state"] == "cached" else "") for t in d["twins"])'
}
certificate() {
	holon --node "$1" --json find "${@:3}" | json "d['certificate']['$2']"
}

check 'twins of every own node are found, in one order' soon 15 eval \
	'equal "$(ids acme/site "power/use > 60 kW")" "acme/hall/drill1 acme/plant/press1"'
check 'from either' soon 15 eval 'equal "$(ids acme/hall "power/use > 60 kW")" "acme/hall/drill1 acme/plant/press1"'
check 'and by what no summary has' soon 15 eval 'equal "$(ids acme/site "serial = '"'SN 7'"'")" "acme/hall/drill2"'
check 'all of it at first hand' equal "$(certificate acme/site cached 'power/use > 60 kW')" 0
check 'the partner finds what is shared, live' soon 15 eval \
	'equal "$(ids harbor/site "power/use > 1 kW and org = acme")" "acme/plant/press1 acme/plant/press2"'
check 'and nothing by what is not' equal "$(ids harbor/site 'recipe/force > 0 N')" ''
check 'though it is there' equal "$(ids acme/site 'recipe/force > 0 N')" 'acme/plant/press1'
check 'of each twin that is known it is said that something is withheld' equal "$(certificate harbor/site withheld 'recipe/force > 0 N')" 3
refuses 'what makes no sense is said with its column' 2 'column 12' holon --node acme/site find 'power/use >'

node_kill acme/hall
check 'who is gone is looked up in summaries' soon 15 eval \
	'equal "$(ids acme/site "power/use > 60 kW")" "acme/hall/drill1* acme/plant/press1"'
degraded() {
	local code=0
	holon --node acme/site find "serial = 'SN 7'" >found 2>&1 || code=$?
	cat found
	[ $code -eq 4 ] && grep -q 'acme/hall did not answer' found
}
check 'and it is said that there may be more' degraded
check 'asked not to ask, that is no failure' quietly holon --node acme/site find 'power/use > 60 kW' --offline
