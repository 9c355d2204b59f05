# The demo on real data: the German transmission grid as four companies, and an observer who sees the whole of it.
# Sourced by demo.sh; the working directory is the mesh's, $data the folder of SciGRID-DE.

here=$top/deploy/demo
companies='50Hertz Amprion TenneT TransnetBW'
members='50hertz amprion tennet transnetbw'
organisations="$members observer"
germany=(observer/germany --depth 1 --rollup sum:load/power)

found() {
	local org addresses
	heading 'Four grid companies and an observer found their organisations'
	explain 'Each has its own root key and one node, owner and border in one.'
	mapfile -t addresses < <(free_addresses 5)
	[ ${#addresses[@]} -eq 5 ]
	for org in $organisations; do
		org_found "$org" site "${addresses[0]}"
		addresses=("${addresses[@]:1}")
	done
}

start_all() {
	local org
	heading 'Each starts its node'
	for org in $organisations; do
		start "$org/site"
	done
}

trust_each_other() {
	local one other
	heading 'They exchange their bundles and compare fingerprints, every two of them both ways'
	for one in $organisations; do
		for other in $organisations; do
			[ "$one" = "$other" ] || org_trust "$one" site "$other"
		done
	done
}

fill() {
	local company org began took
	heading 'Each company imports its part of the grid, with a day of load and availability'
	for company in $companies; do
		org=${company,,}
		began=$(now_ms)
		run holon --node "$org/site" import csv --map "$here/scigrid.map.json" --set "company=$company" "$data"
		took=$(($(now_ms) - began))
		printf '(%s: %d ms)\n' "$company" $took
		printf 'import %s %d.%03d\n' "$org" $((took / 1000)) $((took % 1000)) >>"$build/demo/figures"
	done
	run holon --node observer/site apply "$here/observer.json"
}

publish() {
	local org others
	heading 'Each says what the others may see'
	for org in $members; do
		read -ra others <<<"${members/$org/}"
		policy_write "$here/grid.policy.in" "$org/policy" "OWN=$org" \
			"A=${others[0]}" "B=${others[1]}" "C=${others[2]}"
	done
	policy_write "$here/observer.policy.in" observer/policy
	cat tennet/policy
	printf '\n'
	for org in $organisations; do
		run holon --node "$org/site" policy publish "$org/policy" --org "$org/org"
	done
}

confirm() {
	local org
	heading 'The observer names the four grids as members of its twin observer/germany; their owners confirm'
	for org in $members; do
		run holon --node "$org/site" rel confirm observer/germany "$org/grid" --since 2011-01-01
	done
}

# Every load with a series (485) is in the total, and every company answers.
is_whole() {
	view_json observer/site "${germany[@]}" | json '
		sys.exit(not (d["certificate"]["cached"] == d["certificate"]["unreachable"] == 0
			and d["certificate"]["unconfirmed"] == 0 and d["rollups"][0]["n"] == 485))'
}

# The load of an hour, straight from the tables: of one company, or of all. $1: 0..23, $2: company or nothing
expected_load() {
	python3 - "$data" "$1" "${2-}" <<-'PYTHON'
		import csv, math, sys
		data, hour, company = sys.argv[1], int(sys.argv[2]), sys.argv[3]
		owner = {r["bus"]: r["company"] for r in csv.DictReader(open(data + "/derived_bus_company.csv"))}
		bus = {r["name"]: r["bus"] for r in csv.DictReader(open(data + "/loads.csv"))}
		row = list(csv.DictReader(open(data + "/loads-p_set.csv")))[hour]
		print(repr(math.fsum(float(v) for k, v in row.items() if k and company in ("", owner[bus[k]]))))
	PYTHON
}

look() {
	local company
	heading 'The view of the observer: load per company and in total, as it is now'
	await 30 is_whole || die 'the view of the observer did not become whole'
	view_show observer/site "${germany[@]}"
	agree 'the load at the last hour' "$(view_total observer/site "${germany[@]}")" "$(expected_load 23)"
	for company in $companies; do
		agree "the load of $company" "$(view_json observer/site "${germany[@]}" | company_load "${company,,}/grid")" \
			"$(expected_load 23 "$company")"
	done
	echo 'Total and parts are the sums of the tables.'
}

# The first roll-up of a member, out of the JSON of a view.
company_load() {
	json "next(v for v in (lambda f: f(f, d['members']))(lambda f, ms: [x for m in ms for x in [m] +
		f(f, m.get('members', []))]) if v['id'] == '$1')['rollups'][0]['value']"
}

# What is wrong with a series by company, as a JSON document on standard input; nothing if it equals the tables. $1: the
# companies that are in it, $2: the first hour
series_wrong() {
	python3 -c '
import csv, json, math, sys
data, companies, first = sys.argv[1], sys.argv[2].split(), int(sys.argv[3])
owner = {r["bus"]: r["company"].lower() for r in csv.DictReader(open(data + "/derived_bus_company.csv"))}
bus = {r["name"]: r["bus"] for r in csv.DictReader(open(data + "/loads.csv"))}
expected = {}
for hour, row in enumerate(csv.DictReader(open(data + "/loads-p_set.csv"))):
    for company in companies:
        if hour >= first:
            expected["2011-01-01T%02d:00:00Z" % hour, company] = math.fsum(
                float(v) for k, v in row.items() if k and owner[bus[k]] == company)
d = json.load(sys.stdin)
found = {(c["t"], c["group"]): c["rollups"][0]["value"] for c in d["cells"] if c["group"] in companies}
for key in sorted(set(found) | set(expected)):
    a, b = found.get(key), expected.get(key)
    if a is None or b is None or abs(a - b) > 1e-9 * abs(b):
        print(*key, "is", a, "should be", b)
units = {c["rollups"][0]["unit"] for c in d["cells"] if c["group"] in companies}
if units != {"MW"}:
    print("units:", units)
if len(found) != len(expected) or not expected:
    print(len(found), "cells, not", len(expected))
print(*["not clean: %s %s" % (d["certificate"], d["problems"])] * (not d["certificate"]["clean"]), sep="\n", end="")
' "$data" "$1" "$2"
}

look_back() {
	local day=(--by org --rollup sum:load/power --from 2011-01-01T00:00:00Z --to 2011-01-01T23:00:00Z --step 1h)
	local hour at=2011-01-01T13:00:00Z
	heading 'The load of 2011-01-01 by company and hour: one view, computed where the twins are'
	view_show observer/site observer/germany "${day[@]}"
	[ -z "$(view_json observer/site observer/germany "${day[@]}" | series_wrong "$members" 0)" ] ||
		die "the series is not what the tables say: $(view_json observer/site observer/germany "${day[@]}" |
			series_wrong "$members" 0 | head -n 3)"
	hour=$(view_total observer/site "${germany[@]}" --as-of $at)
	agree "the load at $at" "$hour" "$(expected_load 13)"
	printf 'All 96 are the sums of loads-p_set.csv, to 1e-9; as of %s alone the total is %.2f MW.\n' $at "$hour"
}

# How many twins of others a company may know of: the tie lines it shares, the buses at their far ends, and
# observer/germany. $1: company
expected_rows() {
	python3 - "$data" "$1" <<-'PYTHON'
		import csv, sys
		data, own = sys.argv[1:]
		ties = [t for t in csv.DictReader(open(data + "/derived_tie_lines.csv")) if own in (t["c0"], t["c1"])]
		lines = {t["name"] for t in ties if t["c1"] == own}
		buses = {t["bus0"] if t["c1"] == own else t["bus1"] for t in ties}
		print(len(lines) + len(buses) + 1)
	PYTHON
}

rows_are() {
	[ "$(holon --json --node "$1/site" status | json 'd["remote_rows"]')" = "$2" ]
}

look_across() {
	local company rows
	heading 'What the companies see of each other: the tie lines they share, and the buses at their ends'
	for company in $companies; do
		rows=$(expected_rows "$company")
		await 10 rows_are "${company,,}" "$rows" ||
			die "$company knows of $(holon --json --node "${company,,}/site" status |
				json 'd["remote_rows"]') twins of others and should know of $rows"
		printf '%-10s knows of %3d twins of others\n' "$company" "$rows"
	done
	run holon --node amprion/site twin get transnetbw/bus-311
	echo 'As many as the table of the tie lines says, and observer/germany.'
}

refuse() {
	local secret=tennet/gen-1-Gas
	heading 'One property that the observer may not see'
	explain 'The observer asks for the capacity of a power station, and for that of one that does not exist.' \
		'It is told the same.'
	! run holon --node observer/site history $secret gen/capacity || die 'the capacity was shown'
	! run holon --node observer/site history tennet/gen-1-Perpetual gen/capacity || die 'a station was invented'
	printf '\nTenneT can ask its own node why:\n'
	run holon --node tennet/site policy why --as observer --do read --twin $secret --prop gen/capacity
}

set_one() {
	local before began seen now load
	heading 'One number set at Amprion changes the total of the observer'
	load=$(holon --json --node amprion/site twin list amprion/load- | json '[t["id"] for t in d["twins"]][0]')
	before=$(view_total observer/site "${germany[@]}")
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	began=$(now_ms)
	printf '$ echo %s | holon --node amprion/site ingest -\n' \
		"'{\"twin\": \"$load\", \"property\": \"load/power\", \"t\": \"$now\", \"value\": 1000}'"
	printf '{"twin": "%s", "property": "load/power", "t": "%s", "value": 1000}\n' "$load" "$now" |
		holon --node amprion/site ingest -
	await 10 total_differs "$before" || die 'the total did not change'
	seen=$(($(now_ms) - began))
	printf 'The total was %s MW and is %s MW; seen at the observer after %d ms.\n' "$before" "$changed_total" $seen
	[ $seen -le 1000 ] || die 'that took more than a second'
}

# Sets changed_total, so it does not run in a subshell.
total_differs() {
	changed_total=$(view_total observer/site "${germany[@]}") && [ "$changed_total" != "$1" ]
}

lose_one() {
	local before
	before=$(view_total observer/site "${germany[@]}")
	heading "TenneT's node stops: the view answers at once, and says what it rests on"
	stop tennet/site
	view_show observer/site "${germany[@]}"
	[ $view_code -eq 4 ] || die 'the view does not say that a part did not answer'
	agree 'the total without TenneT' "$(view_total observer/site "${germany[@]}")" "$before"

	heading 'It comes back: the view is whole again'
	start tennet/site
	await 30 is_whole || die "TenneT's part did not come back"
	view_show observer/site "${germany[@]}"
}

demo() {
	found
	start_all
	trust_each_other
	fill
	publish
	confirm
	look
	look_back
	look_across
	refuse
	set_one
	lose_one
}
