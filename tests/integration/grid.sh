#!/usr/bin/env bash
# The German grid as four companies and an observer with two nodes: the load by company and hour as one series equals
# the tables, from every node that may see it. HOLON_DATA is the folder of SciGRID-DE; without it nothing is tested.
if [ -z "${HOLON_DATA-}" ]; then
	echo 'SKIPPED: the German grid needs its tables: set HOLON_DATA to the folder of SciGRID-DE'
	exit 77
fi
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # for grid.sh
top=$root data=$HOLON_DATA
. "$root/deploy/demo/grid.sh"
day=(--from 2011-01-01T00:00:00Z --to 2011-01-01T23:00:00Z --step 1h)

mapfile -t addresses < <(free_addresses 8)
for company in $companies; do
	quietly org_found "${company,,}" site "${addresses[0]}"
	addresses=("${addresses[@]:1}")
done
quietly org_init observer
quietly holon node init site --org observer/org --dir observer/site --role owner,border \
	--border "tcp://${addresses[0]}" --listen "tcp://${addresses[1]}"
quietly holon node init desk --org observer/org --dir observer/desk --role owner,border \
	--border "tcp://${addresses[2]}" --listen "tcp://${addresses[3]}"
quietly holon org show --dir observer/org --bundle observer/observer.bundle
cp observer/org/bundle observer/site/bundle
cp observer/org/bundle observer/desk/bundle
for node in {50hertz,amprion,tennet,transnetbw,observer}/site observer/desk; do node_start "$node"; done
for company in $members; do
	quietly org_trust "$company" site observer
	quietly org_trust observer site "$company"
	quietly org_trust observer desk "$company"
done
for company in $companies; do
	quietly holon --node "${company,,}/site" import csv --map "$here/scigrid.map.json" --set "company=$company" "$data"
done
quietly holon --node observer/site apply "$here/observer.json"
# nobody but the observer is shown anything here
for company in $members; do
	sed '/what we share with/,/until/d; /^  org @[ABC]@/d' "$here/grid.policy.in" >"$company/policy.in"
	policy_write "$company/policy.in" "$company/policy" "OWN=$company"
	quietly holon --node "$company/site" policy publish "$company/policy" --org "$company/org"
	quietly holon --node "$company/site" rel confirm observer/germany "$company/grid" --since 2011-01-01T03:30:00Z
done

# $1: ORG/NODE, $2: root, $3: companies, $4: first hour, rest: flags
series() {
	local node=$1 root=$2 companies=$3 first=$4
	shift 4
	view_json "$node" "$root" --depth 0 --by org --rollup sum:load/power "$@" >series.json
	equal "$(series_wrong "$companies" "$first" <series.json)" ''
}

later=(--from 2011-01-01T04:00:00Z --to 2011-01-01T23:00:00Z --step 1h)
for node in observer/site observer/desk; do
	check "$node sees the load by company and hour" soon 20 series $node observer/germany "$members" 4 "${later[@]}"
done
for company in $members; do
	check "$company sees its own" series "$company/site" "$company/grid" "$company" 0 "${day[@]}"
done
unconfirmed() {
	view_json observer/site observer/germany --by org --rollup sum:load/power "${day[@]}" >series.json
	equal "$(json 'd["certificate"]["unconfirmed"], d["certificate"]["clean"]' <series.json)" '(4, False)' &&
		equal "$(series_wrong "$members" 4 <series.json | grep -v '^not clean')" ''
}
check 'before the owners confirmed it is said, and left out' unconfirmed

# the same as one view for each hour
hour_by_hour() {
	local hour total
	view_json observer/site observer/germany --rollup sum:load/power "${later[@]}" >series.json
	for hour in 04 13 23; do
		total=$(view_total observer/site observer/germany --depth 0 --rollup sum:load/power \
			--as-of "2011-01-01T$hour:00:00Z")
		(agree "hour $hour" "$(json "[c['rollups'][0]['value'] for c in d['cells'] if 'T$hour:' in c['t']][0]" \
			<series.json)" "$total") || return 1
	done
}
check 'a view as of an hour says the same' hour_by_hour
check 'a filter goes over the values of each hour' equal "$(view_json observer/site observer/germany \
	--rollup count:load/power --where 'load/power > 1000 MW' "${later[@]}" | json '[c["members"] for c in d["cells"]][9]')" \
	"$(python3 -c '
import csv, sys
row = list(csv.DictReader(open(sys.argv[1] + "/loads-p_set.csv")))[13]
print(sum(float(v) > 1000 for k, v in row.items() if k))' "$data")"

# A member of another organisation by two ways, each for some hours, which meet at one.
quietly holon --node observer/site twin create observer/north --kind system-of-systems
quietly holon --node observer/site rel add contains observer/germany observer/north
quietly holon --node observer/site rel add contains observer/germany tennet/grid \
	--from 2011-01-01T08:00:00Z --to 2011-01-01T10:00:00Z
quietly holon --node observer/site rel add contains observer/north tennet/grid \
	--from 2011-01-01T10:00:00Z --to 2011-01-01T11:30:00Z
quietly holon --node tennet/site rel confirm observer/north tennet/grid --since 2011-01-01
for_some_hours() {
	view_json observer/site observer/germany --by org --rollup sum:load/power "${later[@]}" >series.json
	equal "$(json '[c["t"][11:13] for c in d["cells"] if c["group"] == "tennet"]' <series.json | xargs)" '08 09 10 11' &&
		equal "$(json '[c["members"] for c in d["cells"] if c["group"] == "tennet"]' <series.json | sort -u | wc -l)" 1 &&
		equal "$(json 'd["certificate"]["clean"]' <series.json)" True
}
check 'who is a member for some hours is in those, once' soon 10 for_some_hours
