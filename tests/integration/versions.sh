#!/usr/bin/env bash
# Yesterday's nodes in today's mesh: the release that first spoke with other organisations is built from the history of
# this repository, and takes part: as a node among today's of one organisation, and as a partner that knows nothing newer.
# Rows go both ways, also after a change of policy, deletions, a time away and a renewed bundle.
#
# Skipped, aloud, where the history is not there. The build is kept in BUILD-ROOT/old.
commit=5024ebebe8932260d4f9b56f44f5219d355f4834 # the last one of that release
cannot() {
	echo "skipped: $*"
	exit 77
}
commit=$(git -C "$1" rev-parse --verify --quiet "$commit^{commit}") ||
	cannot 'the history does not reach back to the first release that speaks with other organisations'
. "$(dirname "$0")/lib.sh"
old=$build/old

build_old() {
	[ "$(cat "$old/built" 2>/dev/null)" != "$commit" ] || return 0
	rm -rf "$old"
	mkdir -p "$old/source"
	git -C "$root" archive "$commit" | tar -x -C "$old/source"
	meson setup "$old/b" "$old/source" -Doptimization=1
	ninja -C "$old/b" node/holond tools/holon
	echo "$commit" >"$old/built"
}
build_old >old-build.log 2>&1 || {
	tail -n 20 old-build.log
	die 'the old release does not build'
}
yesterday() { # a command with the old release's programs
	local PATH=$old/b/tools:$old/b/node:$PATH
	"$@"
}

# ---- acme: `today` and `old` side by side; harbor: old throughout; volt: today's
is_old() {
	[ "$1" = acme/old ] || [ "$1" = harbor/site ]
}
at() { # a command of the release that the node $1 is of
	local node=$1
	shift
	if is_old "$node"; then yesterday holon --node "$node" "$@"; else holon --node "$node" "$@"; fi
}
start() {
	if is_old "$1"; then yesterday node_start "$1"; else node_start "$1"; fi
}
mapfile -t addresses < <(free_addresses 5)
quietly org_found acme today "${addresses[0]}"
quietly holon node init old --org acme/org --dir acme/old --role owner,border --listen "tcp://${addresses[1]}" \
	--border "tcp://${addresses[2]}"
for node in today old; do cp acme/org/bundle acme/$node/bundle; done
quietly holon org show --dir acme/org --bundle acme/acme.bundle
quietly yesterday org_found harbor site "${addresses[3]}"
quietly org_found volt site "${addresses[4]}"
nodes=(acme/today acme/old harbor/site volt/site)
for node in "${nodes[@]}"; do
	start $node
done
trusts() {
	quietly at "$1" org trust "$2" --fingerprint "$(org_fingerprint "$3")"
}
for pair in acme/today:harbor acme/today:volt harbor/site:acme volt/site:acme acme/old:harbor acme/old:volt; do
	trusts "${pair%:*}" "${pair#*:}/${pair#*:}.bundle" "${pair#*:}"
done

# Twins ORG/NODE/t0.. of the node $1. $2: how many
own_some() {
	python3 - "$1" "$2" <<-'PYTHON' >own.json
		import json, sys
		owner, n = sys.argv[1], int(sys.argv[2])
		twins = [{"id": "%s/t%d" % (owner, i), "type": "press", "tags": ["odd"] if i % 2 else ["even"]} for i in range(n)]
		print(json.dumps({"types": [{"name": "press", "kind": "asset", "properties": [
		    {"name": "power/use", "type": "double", "unit": "kW", "kpi": True}]}], "twins": twins}))
	PYTHON
	quietly at "$1" apply own.json
	reading "$1/t0" power/use 2024-03-04T10:00:00Z "$2" | quietly at "$1" ingest -
}
drop_some() { # $1: node, $2: first, $3: last
	local n
	for n in $(seq "$2" "$3"); do quietly at "$1" twin delete "$1/t$n" --yes; done
}
# $1: organisation, $2..: PARTNER=TWINS
policy_of() {
	local org=$1 share n=0
	shift
	echo "policy $org"
	for share; do echo "  org ${share%%=*} = @ORG:${share%%=*}@"; done
	for share; do
		n=$((n + 1))
		printf '  share "%d"\n    to org %s\n    twins %s\n    allow discover, summary\n    until @UNTIL@\n' \
			$n "${share%%=*}" "${share#*=}"
	done
}
publish_at() { # $1: node, rest as above
	policy_of "${1%/*}" "${@:2}" >policy.in
	policy_write policy.in policy.out
	quietly at "$1" policy publish policy.out --org "${1%/*}/org"
}
holds() { # $1: node, $2: rows of others
	check "$1 holds $2 rows of others" soon 20 eval "equal \"\$(at $1 --json status | json 'd[\"remote_rows\"]')\" $2"
}
peers() {
	at "$1" --json peer list | json "sorted(p['org'] + '/' + p['node'] for p in d['peers']
		if p['state'] == 'connected')" | xargs
}
everybody_is_connected() {
	check 'the node of today speaks with all' soon 20 eval 'equal "$(peers acme/today)" "acme/old harbor/site volt/site"'
	check 'the old node speaks with all' soon 20 eval 'equal "$(peers acme/old)" "acme/today harbor/site volt/site"'
}
everybody_is_connected

own_some acme/today 1200
own_some acme/old 300
own_some harbor/site 500
own_some volt/site 200
policies() { # what harbor and volt see of acme, acme of harbor and of volt; at both borders of acme
	publish_at acme/today "harbor=$1" "volt=$2"
	publish_at harbor/site "acme=$3"
	publish_at volt/site "acme=$4"
}
policies '**' 'tag even' '**' '**'
holds acme/today $((300 + 500 + 200))
holds acme/old $((1200 + 500 + 200))
holds harbor/site 1500
holds volt/site 750
check 'the old border has the policy' soon 10 eval 'equal "$(at acme/old --json status | json "d[\"policy_epoch\"]")" 1'

# ---- what a row says, in the old node's view and in today's list
cat >city.json <<-'JSON'
	{"types": [{"name": "city", "kind": "system-of-systems"}],
	 "twins": [{"id": "harbor/city", "type": "city"}],
	 "relations": [{"type": "contains", "from": "harbor/city", "to": "acme/today/t0"},
	               {"type": "contains", "from": "harbor/city", "to": "acme/old/t0"}]}
JSON
quietly at harbor/site apply city.json
for node in today old; do
	quietly at acme/$node rel confirm harbor/city acme/$node/t0
done
city() {
	yesterday view_total harbor/site harbor/city --rollup sum:power/use "$@"
}
check 'an old partner has both summaries' soon 10 eval 'equal "$(city --offline)" 1500.0'
check 'and both answer its question' soon 10 eval 'equal "$(city)" 1500.0'
check 'a node of today has the old ones' equal "$(holon --json --node acme/today twin summaries acme/old/t0 |
	json '[k["value"] for s in d["summaries"] if s["id"] == "acme/old/t0" for k in s["kpis"]]')" 300.0
reading acme/old/t0 power/use 2024-03-04T11:00:00Z 1000 | quietly at acme/old ingest -
reading acme/today/t0 power/use 2024-03-04T11:00:00Z 2000 | quietly at acme/today ingest -
check 'changes reach an old partner' soon 10 eval 'equal "$(city --offline)" 3000.0'

# ---- deletions, both ways
drop_some acme/today 100 119
drop_some acme/old 100 119
drop_some harbor/site 100 109
holds harbor/site $((1500 - 40))
holds volt/site $((750 - 20))
holds acme/old $((1900 + 1 - 20 - 10))
holds acme/today $((1000 + 1 - 20 - 10))

# ---- other policies: the old partner sees less, then other twins; what an old partner shows gets less, too
policies 'tag even' '**' 'tag odd' 'tag even'
holds harbor/site 730
holds volt/site 1460
holds acme/today $((280 + 245 + 100))
holds acme/old $((1180 + 245 + 100))
policies 'tag odd' 'tag even' '**' '**'
holds harbor/site 730
holds volt/site 730
holds acme/old $((1180 + 491 + 200))

# ---- away: an old partner, an old node, a node of today
node_stop harbor/site
drop_some acme/old 120 129
start harbor/site
everybody_is_connected
holds harbor/site 725
node_stop acme/old
drop_some acme/today 120 129
start acme/old
everybody_is_connected
holds acme/old $((1170 + 491 + 200))
holds harbor/site 720
node_stop acme/today
drop_some harbor/site 110 119
start acme/today
everybody_is_connected
holds acme/today $((270 + 481 + 200))
holds volt/site 720

# ---- a node is revoked, in a form that the old release did not know
quietly holon node init third --org acme/org --dir acme/third --role owner
quietly holon node revoke third --org acme/org --reason lost
for node in acme/today acme/old harbor/site volt/site; do
	check "$node takes the bundle with the revocation" trusts $node acme/org/bundle acme
done
everybody_is_connected
own_some acme/today 10
holds harbor/site 720
for node in "${nodes[@]}"; do
	check "$node was told nothing that makes no sense" equal "$(at $node --json status | json 'd["malformed_frames"]')" 0
done
