#!/usr/bin/env bash
# A node whose disk was set back without a restore signs numbers a second time: it is told, its peers keep both heads.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 3)
mkdir -p acme
quietly org_init acme
quietly holon node init plant --org acme/org --dir acme/plant --role owner --listen "tcp://${addresses[2]}"
quietly holon node init gate --org acme/org --dir acme/gate --role border \
	--listen "tcp://${addresses[0]}" --border "tcp://${addresses[1]}"
cp acme/org/bundle acme/plant/bundle
node_start acme/plant
node_start acme/gate

number() { # of the twin set last: $1 its value
	quietly holon --node acme/plant twin set acme/plant/press1 power/use "$1"
}
gate_has() {
	holon --node acme/gate twin get acme/plant/press1 power/use | grep -q "^$1 "
}
forks() { # $1: node, $2: a Python expression over the list
	holon --json --node "$1" audit evidence | python3 -c '
import json, sys
d = [json.loads(line) for line in sys.stdin]
print(eval(sys.argv[1]))' "$2"
}

apply_acme acme/plant
number 1
check 'the gate follows the plant' soon 20 gate_has 1
node_stop acme/plant
cp -a acme/plant/store acme/store.before
node_start acme/plant
number 2
check 'also after a start' soon 20 gate_has 2
check 'nobody complains of an honest mesh' equal "$(forks acme/gate 'd')$(forks acme/plant 'd')" '[][]'

node_stop acme/plant
rm -r acme/plant/store
mv acme/store.before acme/plant/store
node_start acme/plant
check 'the plant hears that others have more of it than it has' soon 20 eval \
	'equal "$(forks acme/plant "[(f[\"origin\"], f[\"heads\"][0][\"seq\"] < f[\"heads\"][1][\"seq\"]) for f in d]")" \
		"[('"'acme/plant', True"')]"'
number 3
check 'the gate has both heads of one number, signed by one key' soon 20 eval \
	'equal "$(forks acme/gate "[(f[\"origin\"], len({h[\"seq\"] for h in f[\"heads\"]}), len({h[\"key\"] for h in f[\"heads\"]}),
		len({h[\"head\"] for h in f[\"heads\"]}), all(h[\"signed\"] for h in f[\"heads\"])) for f in d]")" \
		"[('"'acme/plant', 1, 1, 2, True"')]"'
check 'both say so in their status' eval \
	'holon --node acme/gate status | grep -q "see .holon audit evidence" &&
	holon --node acme/plant status | grep -q "see .holon audit evidence"'
check 'and in their audit, which is whole' quietly holon --node acme/gate audit verify
