#!/usr/bin/env bash
# A command goes from a node behind one border to an owner behind the other, and is done once: whoever is killed
# meanwhile, and however often it is sent. What one may not, what is late and what makes no sense is refused.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 4)
quietly org_found acme site "${addresses[0]}"
quietly holon node init works --org acme/org --dir acme/works --role owner --listen "tcp://${addresses[1]}"
quietly holon org show --dir acme/org --bundle acme/acme.bundle
quietly org_found harbor site "${addresses[2]}"
quietly holon node init desk --org harbor/org --dir harbor/desk --role owner --listen "tcp://${addresses[3]}"
quietly holon org show --dir harbor/org --bundle harbor/harbor.bundle
for node in acme/site acme/works harbor/site harbor/desk; do node_start $node; done
quietly holon --node acme/site org trust acme/acme.bundle --fingerprint "$(org_fingerprint acme)"
quietly holon --node harbor/site org trust harbor/harbor.bundle --fingerprint "$(org_fingerprint harbor)"
trust_all acme harbor
quietly org_trust acme works harbor
quietly org_trust harbor desk acme

cat >works.json <<'JSON'
{"types": [{"name": "oven", "kind": "asset", "properties": [{"name": "heat", "type": "double", "unit": "kW"}],
   "operations": [{"name": "stop", "parameters": [{"name": "grace", "type": "double", "unit": "s", "min": 0, "max": 60}]},
     {"name": "start", "parameters": []}]}],
 "twins": [{"id": "acme/hall/oven", "type": "oven"}]}
JSON
quietly holon --node acme/works apply works.json
quietly holon person invite kim --org harbor/org --dir kim --role operator
quietly holon person invite carl --org harbor/org --dir carl --role clerk
quietly holon person invite lea --org acme/org --dir lea --role shift-lead
quietly holon person invite max --org acme/org --dir max --role cook
publish acme <<'POLICY'
policy acme
  org harbor = @ORG:harbor@

  share "stop the oven"
    to org harbor role operator
    twins hall/oven
    allow command stop confirm role shift-lead rate 4/h
    until @UNTIL@

  share "the oven"
    to org harbor
    twins hall/oven
    allow discover
    until @UNTIL@
POLICY
check 'harbor hears of the oven' soon 20 eval 'holon --node harbor/site twin get acme/hall/oven >/dev/null'

# The oven: writes down what it is told, accepts it, and is done when a file says so.
cat >oven.py <<'PY'
import json, os, sys, time
for line in sys.stdin:
    o = json.loads(line)
    if "command" not in o:
        continue
    with open("told.txt", "a") as f:
        f.write(o["command"] + "\n")
    print(json.dumps({"command": o["command"], "state": "accepted"}), flush=True)
    while not os.path.exists("may-end"):
        time.sleep(0.05)
    print(json.dumps({"command": o["command"], "state": "done", "text": "cold"}), flush=True)
PY
oven_start() {
	holon --node acme/works adapter run oven --twins acme/hall/oven -- python3 oven.py >>oven.log 2>&1 &
	oven=$!
}
send() {
	holon --node harbor/desk --person kim command send acme/hall/oven "$@"
}
# How the latest command at a node stands, and its id.
ends_as() {
	equal "$(holon --json --node "$1" command list --limit 1 | json 'd["commands"][0]["state"]' 2>/dev/null)" "$2"
}
latest() {
	holon --json --node "$1" command list --limit 1 | json 'd["commands"][0]["id"]'
}
send stop grace=30 --within 120s --wait 0s >/dev/null 2>&1 || true
check 'it waits at the owner for somebody to confirm it' soon 20 ends_as acme/works pending
id=$(latest acme/works)
check 'who sent it has the same' soon 20 eval 'equal "$(latest harbor/desk)" "$id"'
refuses 'who has not the role cannot confirm it' 1 'role shift-lead' \
	holon --node acme/works --person max command confirm "$id"
node_kill acme/works
node_start acme/works
check 'after a kill of the owner it waits still' soon 20 ends_as acme/works pending
check 'a person with the role confirms it, through another node' soon 30 eval \
	'holon --node acme/site --person lea command confirm "$id" --twin acme/hall/oven >/dev/null 2>&1'
check 'it is confirmed' soon 10 ends_as acme/works confirmed
check 'nothing has it done: the oven is away' eval '[ ! -e told.txt ]'
node_kill harbor/desk
node_start harbor/desk
oven_start
check 'the oven gets it when it comes' soon 30 ends_as acme/works accepted
check 'and who sent it hears so, after a kill' soon 40 ends_as harbor/desk accepted
touch may-end
check 'it is done' soon 20 ends_as acme/works done
check 'and who sent it has the last word' soon 40 ends_as harbor/desk done
check 'the oven was told of one command' equal "$(sort -u told.txt)" "$id"
check 'every step of the owner has a receipt that holds' eval \
	'holon --node harbor/desk command show "$id" >shown.txt 2>&1; cat shown.txt; ! grep -qi "wrong" shown.txt'

# ---- what is refused
# $1: what is said, besides that it is refused; the rest fails
is_refused() {
	local said=$1
	shift
	"$@" >refused.txt 2>&1 && return 1
	grep -q refused refused.txt && grep -q "$said" refused.txt || {
		cat refused.txt
		return 1
	}
}
check 'who has not the role to send it is told nothing' is_refused 'not shared with you or not there; ask acme' \
	holon --node harbor/desk --person carl command send acme/hall/oven stop grace=5 --within 10s
check 'so of an operation that is not shared' is_refused 'not shared with you or not there; ask acme' \
	send start --within 10s
check 'a wrong argument is refused by the owner' is_refused grace send stop grace=61 --within 10s
send stop grace=5 --within 3s >late.txt 2>&1 || true
check 'what nobody confirms times out' soon 20 ends_as acme/works 'timed out'
check 'at who sent it too' soon 30 ends_as harbor/desk 'timed out'

# ---- confirmed beforehand
quietly holon --node acme/works --person lea command permit acme/hall/oven stop --org harbor --times 1
check 'with a permit given beforehand nobody has to confirm it' eval 'send stop grace=2 --within 30s >quick.txt 2>&1'
check 'the second waits again' eval 'send stop grace=3 --within 20s --wait 0s >/dev/null 2>&1 || true
	soon 10 ends_as acme/works pending'
check 'more than the policy allows in a time is refused' is_refused 'is allowed 4 times' \
	send stop grace=4 --within 10s
check 'the oven was told of two' equal "$(sort -u told.txt | wc -l)" 2
check 'the audit of both names the persons' eval '
	holon --node acme/works audit list --limit 1000 >owner.txt && holon --node harbor/desk audit list --limit 1000 >sender.txt
	grep -q "harbor/kim" owner.txt && grep -q "acme/lea" owner.txt && grep -q "acme/hall/oven" sender.txt'
# $1: what, of the counts of the owner, or of its words
counted() {
	holon --json --node acme/works status | json "d['counts']['$1'] > 0" | grep -x True >/dev/null || return 1
	holon --node acme/works status >status.txt && grep -q "^[0-9,]* *$(tr _ ' ' <<<"$1")\$" status.txt
}
check 'what became of them is counted' counted commands_taken
check 'also what timed out' counted commands_that_timed_out
kill "$oven"
