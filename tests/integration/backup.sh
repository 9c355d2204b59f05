#!/usr/bin/env bash
# A backup taken while readings come in: everything acknowledged before is in it, damage is found, and restored it
# goes on as a new incarnation that the mesh accepts.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
trust_all acme harbor
apply_acme acme/site
apply_harbor harbor/site
acme_policy | publish acme
quietly holon --node acme/site rel confirm harbor/city acme/plant
check 'the view is whole before' soon 10 city_is_whole 150.0

# One a second on March 5th. $1: first, $2: last, $3: value
readings() {
	python3 -c 'import json, sys
first, last, value = map(int, sys.argv[1:])
for n in range(first, last + 1):
    t = "2024-03-05T%02d:%02d:%02dZ" % (n // 3600, n // 60 % 60, n % 60)
    print(json.dumps({"twin": "acme/plant/press2", "property": "power/use", "t": t, "value": value}))' "$@"
}

# How many of them have a value. $1: the value
count() {
	holon --json --node acme/site history acme/plant/press2 power/use --from 2024-03-05T00:00:00Z |
		python3 -c 'import json, sys; print(sum(json.loads(line)["value"] == float(sys.argv[1]) for line in sys.stdin))' "$1"
}

incarnation() {
	holon --json --node acme/site status | python3 -c 'import json, sys; print(json.load(sys.stdin)["incarnation"])'
}

copy=$PWD/copies
mkdir "$copy"
readings 1 500 7 | quietly holon --node acme/site ingest -
readings 1000 3000 8 >more
holon --node acme/site ingest more >/dev/null &
writer=$!
check 'a backup is taken while readings come in' holon --node acme/site backup create "$copy/one"
wait $writer
check 'it is whole' holon backup verify "$copy/one"
refuses 'a second one of the same name' 1 'is there already' holon --node acme/site backup create "$copy/one"
refuses 'one where the node may not write' 1 'no backup|cannot make' holon --node acme/site backup create /proc/nowhere/one
check 'a relative name means a place here' holon --node acme/site backup create copies/two
check 'nothing half made is left' eval '! ls -d copies/*.part'

cp -r copies/two copies/bad
file=$(find copies/bad/history -name data.mdb | head -n 1)
printf 'x' | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
refuses 'a damaged one is told from a whole one' 1 'is damaged' holon backup verify copies/bad
refuses 'and not restored' 1 'is there already' holon backup restore copies/bad --dir acme/site

before=$(incarnation)
refuses 'nothing is restored below a running node' 1 'a node runs on' \
	holon backup restore copies/one --dir acme/site --replace
readings 5000 5100 9 | quietly holon --node acme/site ingest -
check 'what came after the backup is there' equal "$(count 9)" 101

node_stop acme/site
refuses 'damage is found while it is copied' 1 'is damaged' \
	holon backup restore copies/bad --dir acme/site --replace
check 'then the store is as it was' [ -d acme/site/store ]
check 'the backup is restored' holon backup restore copies/one --dir acme/site --replace
check 'the old store was put aside' [ -d acme/site/store.replaced ]
node_start acme/site
check 'what was acknowledged before the backup is there' equal "$(count 7)" 500
check 'what came after it is not' equal "$(count 9)" 0
check 'it is a new incarnation' eval '[ "$(incarnation)" != "$before" ]'
readings 6000 6000 42 | quietly holon --node acme/site ingest -
check 'the partner follows the new incarnation' soon 15 eval \
	'equal "$(view_total harbor/site harbor/city --rollup sum:power/use --offline)" 142.0'
