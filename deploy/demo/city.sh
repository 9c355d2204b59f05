# The default demo: acme (a factory), volt (the grid operator that feeds it) and harbor (the city, whose
# system of systems has members of both). Sourced by demo.sh; the working directory is the mesh's.

day=2024-03-04
here=$top/deploy/demo
organisations='acme volt harbor'
city_view=(harbor/city --depth 1 --rollup sum:power/use)

# What the city as a whole used at a time, in the unit of a view's total: from the formula, not from Holon.
# $1: time of day, $2: unit of the total
expected_use() {
	local org
	for org in $organisations; do
		"$here/readings.sh" $day "$here/$org/readings.csv"
	done | grep "power/use\".*\"${day}T$1:00Z\"" | awk -v unit="$2" '
		{ value = $NF; sub(/}/, "", value); sum += value * (/transformer/ ? 0.001 : 1) }
		END { printf "%.9f\n", unit == "W" ? sum * 1000 : sum }'
}

check_use() {
	local at=$1 total unit
	shift
	read -r total unit < <(view_json harbor/site "${city_view[@]}" "$@" |
		json '"%r %s" % (d["rollups"][0]["value"], d["rollups"][0]["unit"])')
	agree "the city's power at $at" "$total" "$(expected_use "$at" "$unit")"
	echo "That is what the formula of the readings gives for $at."
}

found() {
	local org addresses
	heading 'Three companies found their organisations'
	explain 'Each makes its own root key (sealed with a passphrase) and one node. There is no authority above them.' \
		'Here the one node of each is also its admin node: it watches over the directory of the organisation, which' \
		'elsewhere lies on a machine of its own, the root keys off line.'
	mapfile -t addresses < <(free_addresses 3)
	[ ${#addresses[@]} -eq 3 ]
	for org in $organisations; do
		org_found "$org" site "${addresses[0]}" owner,border,admin
		printf '[admin]\norganisation = %s\n' "$PWD/$org/org" | run tee -a "$org/site/holon.conf"
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
	heading 'They exchange their bundles and compare fingerprints'
	explain 'Two admins exchange a file and read each other the fingerprint. Trust is mutual or it is not there.'
	for one in $organisations; do
		for other in $organisations; do
			[ "$one" = "$other" ] || org_trust "$one" site "$other"
		done
	done
}

fill() {
	local org
	heading 'Each brings in its twins, and a day of readings'
	for org in $organisations; do
		run holon --node "$org/site" import csv --map "$here/$org/map.json" "$here/$org"
		printf '$ readings.sh %s %s/readings.csv | holon --node %s/site ingest -\n' $day "$org" "$org"
		"$here/readings.sh" $day "$here/$org/readings.csv" | holon --node "$org/site" ingest -
	done
}

publish() {
	local org
	heading 'Each says what the others may see'
	for org in $organisations; do
		policy_write "$here/$org.policy.in" "$org/policy"
	done
	cat acme/policy
	printf '\n'
	for org in $organisations; do
		run holon --node "$org/site" policy publish "$org/policy" --org "$org/org"
	done
}

confirm() {
	heading 'The city names the plant and the substation as its members; their owners confirm'
	run holon --node acme/site rel confirm harbor/city acme/plant1 --since $day
	run holon --node volt/site rel confirm harbor/city volt/substation --since $day
}

# All of the city answers, and has the readings.
is_whole() {
	view_json harbor/site "${city_view[@]}" | json '
		sys.exit(not (d["certificate"]["cached"] == d["certificate"]["unreachable"] == 0
			and d["certificate"]["unconfirmed"] == 0 and d["rollups"][0]["n"] == 18))'
}

look() {
	heading "The city's view: what all of it uses, by company and in total"
	await 10 is_whole || die 'the view of the city did not become whole'
	view_show harbor/site "${city_view[@]}"
	check_use 23:45
	heading 'The same at ten in the morning'
	view_show harbor/site "${city_view[@]}" --as-of ${day}T10:00:00Z
	check_use 10:00 --as-of ${day}T10:00:00Z
}

refuse() {
	local secret=acme/plant1/line1/press1
	heading 'One property that the city may not see'
	explain "The city asks for the recipe of a press, and for that of a press that does not exist. It is told the same."
	! run holon --node harbor/site history $secret recipe/force || die 'the recipe was shown'
	! run holon --node harbor/site history acme/plant1/line1/press9 recipe/force || die 'a press was invented'
	printf '\nAcme can ask its own node why:\n'
	run holon --node acme/site policy why --as harbor --do read --twin $secret --prop recipe/force
}

# $1: what the drive is asked for, rest: how
ask_drive() {
	local property=$1
	shift
	run holon --node harbor/site "$@" twin get acme/plant1/line1/press1/drive "$property"
}

is_refused() {
	! holon --node harbor/site --person harbor/inspector-7 twin get acme/plant1/line1/press1/drive state/vibration
}

inspect() {
	local drive=acme/plant1/line1/press1/drive property=state/vibration
	heading 'A person of the city reads exactly one property, and acme can say so afterwards'
	explain 'Acme shares the vibration of one drive with inspectors of the city, not with the city as such. Harbor' \
		'makes a person with that role; her key lets its node ask in her name for five minutes at a time.'
	run holon person invite inspector-7 --org harbor/org --dir harbor/inspector-7 --role inspector
	ask_drive $property --person harbor/inspector-7 || die 'the inspector does not get what is shared with her'
	! ask_drive $property || die 'the city got what is shared with its inspectors'
	run holon --node acme/site policy why --as harbor --do read --twin $drive --prop $property
	! ask_drive recipe/force --person harbor/inspector-7 || die 'the inspector got more than is shared with her'
	run holon --node acme/site policy why --as harbor/inspector --do read --twin $drive --prop recipe/force
	printf '\nShe leaves. Her credential is revoked where the organisation is; nobody carries the bundle anywhere.\n'
	run holon person revoke inspector-7 --org harbor/org --reason 'left the city'
	await 10 is_refused || die 'the revoked inspector is still served'
	! ask_drive $property --person harbor/inspector-7
	run holon --node acme/site audit who-saw $drive $property
}

set_one() {
	local before began now drive=acme/plant1/line1/press1/drive
	heading 'One number set at acme changes the total of the city'
	before=$(view_total harbor/site "${city_view[@]}")
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	began=$(now_ms)
	printf '$ echo %s | holon --node acme/site ingest -\n' \
		"'{\"twin\": \"$drive\", \"property\": \"power/use\", \"t\": \"$now\", \"value\": 333}'"
	printf '{"twin": "%s", "property": "power/use", "t": "%s", "value": 333}\n' $drive "$now" |
		holon --node acme/site ingest -
	await 10 total_differs "$before" || die 'the total did not change'
	printf 'The total was %s and is %s; seen at the city after %d ms.\n' "$before" "$changed_total" \
		$(($(now_ms) - began))
}

# Sets changed_total, so it does not run in a subshell.
total_differs() {
	changed_total=$(view_total harbor/site "${city_view[@]}") && [ "$changed_total" != "$1" ]
}

lose_one() {
	local before
	before=$(view_total harbor/site "${city_view[@]}")
	heading "Volt's node stops: the city's view answers at once, and says what it rests on"
	stop volt/site
	view_show harbor/site "${city_view[@]}"
	[ $view_code -eq 4 ] || die 'the view does not say that a part did not answer'
	agree 'the total without volt' "$(view_total harbor/site "${city_view[@]}")" "$before"

	heading 'It comes back: the view is whole again'
	start volt/site
	await 15 is_whole || die "volt's part did not come back"
	view_show harbor/site "${city_view[@]}"
}

demo() {
	found
	start_all
	trust_each_other
	fill
	publish
	confirm
	look
	refuse
	inspect
	set_one
	lose_one
}
