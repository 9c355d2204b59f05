#!/usr/bin/env bash
# kill -9 in the middle of writing, and a restart: nothing acknowledged is lost, and the mesh becomes whole again.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
trust_all acme harbor
apply_acme acme/site
apply_harbor harbor/site
acme_policy | publish acme
quietly holon --node acme/site rel confirm harbor/city acme/plant
check 'the view is whole before' soon 10 city_is_whole 150.0

# Readings one after the other; what was acknowledged is written down. The first second of March 4th onwards.
write_until_it_fails() {
	local n
	for n in $(seq 1 500); do
		reading acme/plant/press2 power/use "$(date -u -d "2024-03-05 + $n seconds" +%Y-%m-%dT%H:%M:%SZ)" "$n" |
			holon --node acme/site --timeout $((2 * SLOW))s ingest - >/dev/null 2>&1 || return 0
		echo "$n" >>acknowledged
	done
}

kept_all() {
	holon --json --node acme/site history acme/plant/press2 power/use --from 2024-03-05T00:00:00Z |
		python3 -c '
import json, sys
have = {json.loads(line)["value"] for line in sys.stdin}
lost = {float(n) for n in open("acknowledged")} - have
sys.exit("lost: %s" % sorted(lost) if lost else 0)'
}

: >acknowledged
for round in 1 2 3; do
	write_until_it_fails &
	writer=$!
	sleep "0.$((round * 3))"
	node_kill acme/site
	wait $writer
	node_start acme/site
	check "round $round: every acknowledged reading is there" kept_all
done
check 'readings were acknowledged at all' [ -s acknowledged ]
last=$(sort -n acknowledged | tail -n 1)

check 'the mesh becomes whole again by itself' soon 15 \
	eval 'equal "$(view_field "d[\"certificate\"][\"cached\"] + d[\"certificate\"][\"unreachable\"]" \
		harbor/site harbor/city)" 0'
check 'and its summaries too' soon 15 eval \
	'python3 -c "import sys; sys.exit(not float(sys.argv[1]) >= float(sys.argv[2]))" \
		"$(view_total harbor/site harbor/city --rollup sum:power/use --offline)" $((100 + last))'

# the city's node falls too; it knows the summaries from its own store
node_stop acme/site
node_kill harbor/site
node_start harbor/site
check 'after its own fall the city still has the summaries' eval \
	'python3 -c "import sys; sys.exit(not float(sys.argv[1]) >= float(sys.argv[2]))" \
		"$(view_total harbor/site harbor/city --rollup sum:power/use)" $((100 + last))'
check 'and says that it has no more than them' equal \
	"$(view_field 'd["certificate"]["cached"]' harbor/site harbor/city)" 3
began=$(now_ms)
view_total harbor/site harbor/city --rollup sum:power/use >/dev/null
echo "after $(($(now_ms) - began)) ms"
code=0
holon --node harbor/site view harbor/city >/dev/null || code=$?
check 'with exit code 4' equal $code 4
node_start acme/site
check 'and is whole when the owner is back' soon 15 eval \
	'equal "$(view_field "d[\"certificate\"][\"cached\"]" harbor/site harbor/city)" 0'
