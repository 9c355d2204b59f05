#!/usr/bin/env bash
# A person of one organisation has a machine of another do something: policy, a confirmation by a person with the role,
# the machine's word, receipts at both ends; and desired values on their way to being so. All by the command line.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
trust_all acme harbor
cat >acme.json <<'JSON'
{"types": [
   {"name": "press", "kind": "asset", "properties": [
     {"name": "speed", "type": "double", "unit": "m/s", "kpi": true, "settable": true, "tolerance": 0.5, "settle": "1h"}],
    "operations": [
     {"name": "safe-stop", "parameters": [{"name": "grace", "type": "double", "unit": "s", "min": 0, "max": 600}]},
     {"name": "start", "parameters": []}]}],
 "twins": [{"id": "acme/press1", "type": "press"}]}
JSON
quietly holon --node acme/site apply acme.json
quietly holon person invite kim --org harbor/org --dir kim --role operator
quietly holon person invite carl --org harbor/org --dir carl --role clerk
quietly holon person invite lea --org acme/org --dir lea --role shift-lead
quietly holon person invite max --org acme/org --dir max --role cook
publish acme <<'POLICY'
policy acme
  org harbor = @ORG:harbor@

  share "safe stop"
    to org harbor role operator
    twins press1
    allow command safe-stop confirm role shift-lead
    until @UNTIL@

  share "the press"
    to org harbor
    twins press1
    allow discover, summary
    until @UNTIL@
POLICY
check 'harbor hears of the press' soon 20 eval 'holon --node harbor/site twin get acme/press1 >/dev/null'

# The machine: does what it is told, and reports the speed that it is told.
cat >machine.py <<'PY'
import json, sys
done = open("done.txt", "a")
for line in sys.stdin:
    o = json.loads(line)
    if "command" in o:
        print(json.dumps({"command": o["command"], "state": "accepted"}), flush=True)
        print(o["operation"], json.dumps(o["arguments"]), o["person"], file=done, flush=True)
        print(json.dumps({"command": o["command"], "state": "done", "text": "stands"}), flush=True)
    elif "desired" in o:
        print(json.dumps({"twin": o["twin"], "property": o["desired"], "value": o["value"] + 0.25}), flush=True)
PY
machine_start() {
	holon --node acme/site adapter run machine --twins acme/press1 -- python3 machine.py >machine.log 2>&1 &
	machine=$!
}
machine_stop() {
	kill "$machine"
	wait "$machine" || true
}
# shellcheck disable=SC2317
field() {
	holon --json --node "$1" command list | json "$2"
}

# ---- across the border, confirmed by a person with the role
machine_start
holon --node harbor/site --person kim command send acme/press1 safe-stop 'grace=120' --within 60s >sent.txt 2>&1 &
sending=$!
waits() {
	holon --json --node acme/site command list | json 'd["commands"][0]["state"]' | grep -qx pending
}
check 'it waits for the person who has to confirm it' soon 20 waits
id=$(field acme/site 'd["commands"][0]["id"]')
refuses 'who has not the role may not confirm' 1 shift-lead holon --node acme/site --person max command confirm "$id"
refuses 'nobody may without a name' 2 person holon --node acme/site command confirm "$id"
check 'lea may' quietly holon --node acme/site --person lea command confirm "$id"
wait $sending || true
check 'the machine has done it' grep -q 'done .*stands' sent.txt
check 'once, with its argument, and knows for whom' equal "$(cat done.txt)" 'safe-stop {"grace": 120.0} harbor/kim'
check 'every step was told as it came' eval 'grep -q "^pending" sent.txt && grep -q "^confirmed" sent.txt && grep -q "^accepted" sent.txt'

proofs() {
	holon --json --node "$1" command show "$id" --bundle acme/acme.bundle --bundle harbor/harbor.bundle |
		json '(d["state"], d["signature"]["worth"], sorted({s["receipt"]["worth"] for s in d["steps"]}))'
}
quietly holon org show --dir acme/org --bundle acme/acme.bundle
quietly holon org show --dir harbor/org --bundle harbor/harbor.bundle
check 'acme can prove what harbor signed' equal "$(proofs acme/site)" "('done', 'proven', ['proven'])"
check 'harbor can prove what acme signed' equal "$(proofs harbor/site)" "('done', 'proven', ['not signed', 'proven'])"

# ---- what may not be, and why
refused() {
	local code=0 out
	out=$(holon "${@:2}" 2>&1) || code=$?
	[ "$code" = 1 ] && grep -q "$1" <<<"$out" || {
		echo "$code: $out"
		return 1
	}
}
harbor='--node harbor/site --person'
# shellcheck disable=SC2086
{
	check 'another operation is refused' refused refused $harbor kim command send acme/press1 start
	check 'another role is refused' refused refused $harbor carl command send acme/press1 safe-stop grace=1
	check 'an argument beyond its range is refused' refused grace $harbor kim command send acme/press1 safe-stop grace=601
	check 'a missing one too' refused grace $harbor kim command send acme/press1 safe-stop
}
acme='holon --node acme/site'
# shellcheck disable=SC2086
{
	refuses 'at its own node a wrong argument is not even sent' 2 grace $acme command send acme/press1 safe-stop grace=fast
	refuses 'nor an unknown operation' 1 'safe-stop, start' $acme command send acme/press1 fly
	refuses 'a command that is not there' 1 'no command' $acme command show 00000000000000000000000000000000
}

# ---- confirmed beforehand, once
quietly holon --node acme/site --person lea command permit acme/press1 safe-stop --org harbor --times 1 --for 1h
check 'a permit given beforehand does' quietly holon --node harbor/site --person kim command send acme/press1 safe-stop grace=120
check 'a number in other units too' eval 'holon --node acme/site command send acme/press1 safe-stop grace="1 min" >/dev/null && tail -n 1 done.txt | grep -q 60.0'
code=0
holon --node harbor/site --person kim command send acme/press1 safe-stop grace=1 --within 1s >late.txt 2>&1 || code=$?
check 'and only once: nobody confirms the next' eval 'equal $code 1 && grep -q "timed out" late.txt'

# ---- desired values
check 'a value is wanted' equal "$(holon --node acme/site twin set acme/press1 speed 12 --within 60s)" wanted
converged() {
	holon --node acme/site twin get acme/press1 settle/speed | grep -qx converged
}
check 'and becomes so' soon 20 converged
check 'within the tolerance' equal "$(holon --node acme/site twin get acme/press1 speed)" '12.25 m/s'
check 'both are shown beside each other' eval 'holon --node acme/site twin get acme/press1 | grep -q "12.25 m/s .*12 m/s .*converged"'
machine_stop
quietly holon --node acme/site twin set acme/press1 speed 20 --within 1s
check 'without the machine it is overdue' soon 20 eval 'holon --node acme/site twin get acme/press1 settle/speed | grep -qx overdue'
check 'history says how it stood' equal "$(samples '[s["value"].split()[0] for s in d]' acme/site acme/press1 settle/speed)" \
	"['pending', 'converged', 'pending', 'overdue']"
refuses 'nobody else may say how it stands' 1 'node' holon --node acme/site twin set acme/press1 settle/speed converged

# ---- a machine that comes back gets no expired command, and one that is not
n=$(wc -l <done.txt)
code=0
holon --node acme/site command send acme/press1 start --within 1s >away.txt 2>&1 || code=$?
check 'without the machine it times out' eval 'equal $code 1 && grep -q "timed out" away.txt'
quietly holon --node acme/site twin set acme/press1 speed 30 --within 1h
holon --node acme/site command send acme/press1 start --within 60s >back.txt 2>&1 &
sending=$!
machine_start
wait $sending || true
check 'what has time gets to the machine that comes back' grep -q '^done' back.txt
check 'what has expired does not' equal "$(tail -n +$((n + 1)) done.txt)" 'start {} acme/site'
check 'nor does the value that is not overdue get lost' soon 20 converged
machine_stop
