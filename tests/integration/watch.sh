#!/usr/bin/env bash
# `holon watch`: what it tells adds up to the view, whatever happens meanwhile: values change at their owner, the owner is
# killed, the watcher's own node is killed, a policy takes the members away and gives them back.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
trust_all acme harbor
apply_acme acme/site
apply_harbor harbor/site
acme_policy | publish acme
quietly holon --node acme/site rel confirm harbor/city acme/plant
question=(harbor/city --rollup sum:power/use --rollup worst-health --depth 9)
check 'the city is whole' soon 10 city_is_whole 150.0

holon --json --node harbor/site watch "${question[@]}" >events 2>said &
watcher=$!

# What was told is the view as it is now. $1: an expression that holds, see watch.py
adds_up() {
	holon --json --node harbor/site view "${question[@]}" >now.json || [ $? -eq 4 ] || [ $? -eq 1 ] || return 1
	python3 "$root/tests/integration/watch.py" events now.json "${1-True}"
}
put() {
	reading "acme/plant/$1" power/use "$(now)" "$2" | quietly holon --node acme/site ingest -
}

check 'the first event has all of it' soon 10 adds_up 'seen == [150.0]'
put press1 101
check 'a change at its owner is told' soon 10 adds_up 'seen[-1] == 151.0'
for value in $(seq 102 160); do put press1 "$value"; done
check 'many changes add up, and never go back' soon 10 adds_up 'seen[-1] == 210.0 and seen == sorted(seen)'

cat >more.json <<'JSON'
{"twins": [{"id": "harbor/mill", "type": "city", "name": "The mill"}],
 "relations": [{"type": "contains", "from": "harbor/city", "to": "harbor/mill"}]}
JSON
quietly holon --node harbor/site apply more.json
check 'a member that comes is told' soon 10 adds_up '"harbor/mill" in [m["id"] for m in events[-1]["members"]]'
quietly holon --node harbor/site rel rm contains harbor/city harbor/mill
check 'and one that goes' soon 10 adds_up 'events[-1]["gone"] == ["harbor/mill"]'

node_kill acme/site
check 'an owner that is killed is told of: last summaries' soon 20 adds_up \
	'events[-1]["certificate"]["cached"] == 3 and seen[-1] == 210.0'
node_start acme/site
put press2 60
check 'when it is back, its members are live' soon 20 adds_up \
	'events[-1]["certificate"]["cached"] == 0 and seen[-1] == 220.0'

acme_policy | sed 's|twins plant/\*\*|twins plant/press9|' | publish acme
check 'what is not shared any more goes' soon 20 adds_up \
	'not any(s["org"] == "acme" and s["state"] == "live" for s in events[-1]["certificate"]["sources"])'
acme_policy | publish acme
check 'and comes when it is shared again' soon 20 adds_up 'seen[-1] == 220.0'

node_kill harbor/site
check 'the watch says that its node is gone' soon 20 grep -q 'trying again' said
put press1 200
node_start harbor/site
check 'and goes on with the difference when it is back' soon 20 adds_up \
	'seen[-1] == 260.0 and "resumed" in [e["event"] for e in events] and events[-1]["certificate"]["cached"] == 0'
node_stop harbor/site
node_start harbor/site
put press1 201
check 'also after an orderly end' soon 20 adds_up 'seen[-1] == 261.0'

kill $watcher
wait $watcher || true

refuses 'a root that is not there' 1 'harbor/nothing: not shared with you or not there' \
	holon --node harbor/site watch harbor/nothing
refuses 'a filter that makes no sense' 2 'where' holon --node harbor/site watch harbor/city --where 'power/use >'
check 'so many events and no more' eval '[ "$(holon --json --node harbor/site watch harbor/city --events 1 | wc -l)" -eq 1 ]'
