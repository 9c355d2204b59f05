#!/usr/bin/env bash
# Two nodes live with one key, a restored copy and the one it was copied from: neither is served until an admin chooses,
# whatever is restarted meanwhile. A copy restored while the old one is silent is taken as it is.
. "$(dirname "$0")/lib.sh"
export HOLON_MESH_TWO_LIVES=2s

mapfile -t addresses < <(free_addresses 2)
mkdir -p acme
quietly org_init acme
quietly holon node init plant --org acme/org --dir acme/plant --role owner
quietly holon node init gate --org acme/org --dir acme/gate --role border \
	--listen "tcp://${addresses[0]}" --border "tcp://${addresses[1]}"
cp acme/org/bundle acme/plant/bundle
node_start acme/plant
node_start acme/gate

number() { # of the twin, $1: said by which node, $2: its value
	quietly holon --node "$1" twin set acme/plant/press1 power/use "$2"
}
gate_has() { # as the last summary at the gate says it
	equal "$(holon --json --node acme/gate view acme/plant --offline --rollup sum:power/use |
		json 'float(d["rollups"][0]["value"])')" "$1"
}
live_at_gate() { # members of a view that somebody answered for
	holon --json --node acme/gate view acme/plant | json 'd["certificate"]["live"]'
}
incarnation() {
	status_of "$1" incarnation
}
states() { # of the incarnations, as the gate lists them
	holon --json --node acme/gate peer forks | json '" ".join(sorted(f["state"] for f in d["forks"]))'
}
undecided() {
	equal "$(states)" 'undecided undecided'
}
state() {
	status_of acme/gate state
}

apply_acme acme/plant
number acme/plant 1
check 'the gate follows the plant' soon 20 gate_has 51.0
quietly holon --node acme/plant backup create "$PWD/acme/copy"
first=$(incarnation acme/plant)

# ---- An honest restore
node_stop acme/plant
quietly holon backup restore acme/copy --dir acme/plant --replace
node_start acme/plant
number acme/plant 2
check 'a restored plant is followed' soon 20 gate_has 52.0
second=$(incarnation acme/plant)
check 'as another incarnation' [ "$first" != "$second" ]
sleep 4 # longer than the margin
check 'and nobody complains' equal "$(states)" ''

# ---- The same copy once more, while the plant lives
cp -a acme/plant/keys acme/keys
mkdir -p acme/twice
cp -a acme/plant/bundle acme/keys acme/twice/
quietly holon backup restore acme/copy --dir acme/twice
node_start acme/twice
number acme/twice 30
check 'two that live with one key are found' soon 40 undecided
check 'the gate says so in its status' eval 'state | grep -q "degraded: two nodes live with the key of acme/plant"'
check 'and in its audit' eval 'holon --node acme/gate audit list | grep -q "two nodes live with one key"'
before=$(holon --json --node acme/gate view acme/plant --offline --rollup sum:power/use | json 'd["rollups"]')
number acme/plant 3
number acme/twice 31
sleep 3
check 'nothing of either is taken' equal "$before" \
	"$(holon --json --node acme/gate view acme/plant --offline --rollup sum:power/use | json 'd["rollups"]')"
check 'nor is either asked' equal "$(live_at_gate)" 0
node_kill acme/gate
node_start acme/gate
check 'a restart does not make it good' equal "$(states)" 'undecided undecided'
check 'and nothing is asked' equal "$(live_at_gate)" 0

# ---- The choice
refuses 'no incarnation that nobody saw' 1 'has no incarnation' \
	holon --node acme/gate peer choose acme/plant 0123456789abcdef
check 'an admin chooses' quietly holon --node acme/gate peer choose acme/plant "$second"
check 'that is listed' equal "$(states)" 'chosen refused'
check 'the chosen one is followed' soon 30 gate_has 53.0
number acme/twice 32
number acme/plant 4
check 'and goes on' soon 30 gate_has 54.0
check 'the status is good again' eval 'equal "$(state)" serving'
check 'the choice is in the audit' eval 'holon --node acme/gate audit list | grep -q "only incarnation $second counts"'
node_stop acme/twice
sleep 1
check 'what the other one said is nowhere' gate_has 54.0
check 'the chosen one is asked live' soon 20 eval '[ "$(live_at_gate)" -gt 0 ]'
