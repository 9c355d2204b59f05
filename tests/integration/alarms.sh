#!/usr/bin/env bash
# Limits: what crosses them is an alarm, with history; killed -9 in the middle of it, a node says of each twin what its
# value says.
. "$(dirname "$0")/lib.sh"

TWINS=8
found_and_start acme
export HOLON_NODE=acme/site
python3 - "$TWINS" <<'PYTHON' >types.json
import json, sys
print(json.dumps({"types": [{"name": "press", "kind": "asset",
    "properties": [{"name": "force", "type": "double", "unit": "kN",
                    "limits": {"high-warning": 70, "high-alarm": 90}},
                   {"name": "speed", "type": "double", "unit": "m/s"},
                   {"name": "heat", "type": "double", "unit": "K", "limits": {"high-alarm": 400, "stale": "2s"}}],
    "alarms": [{"name": "stuck", "when": "force > 5 kN and speed = 0 m/s"}]}],
    "twins": [{"id": "acme/press%d" % i, "type": "press"} for i in range(int(sys.argv[1]))]}))
PYTHON
quietly holon apply types.json

alarm() { # TWIN NAME: every word of it, oldest first
	holon --json history "$1" "alarm/$2" | python3 -c '
import json, sys
print("; ".join(json.loads(line)["value"] for line in sys.stdin))'
}
alarm_is() {
	equal "$(alarm "$1" "$2")" "$3"
}
send() { # TWIN PROPERTY VALUE...: one batch, a second apart
	local twin=$1 property=$2 n=0 value
	shift 2
	for value; do
		n=$((n + 1))
		reading "$twin" "$property" "$(date -u -d "2024-03-05 + $((tick += 1)) seconds" +%Y-%m-%dT%H:%M:%SZ)" "$value"
	done | quietly holon ingest -
	tick=$((tick + $#))
}
tick=0

send acme/press0 force 50 75 95 75 50
check 'an alarm rises, gets worse, better, and is over, in one batch' soon 5 alarm_is acme/press0 force \
	'active high-warning; active high-alarm; active high-warning; cleared high-warning'
send acme/press1 force 10
send acme/press1 speed 0
check 'an expression over two properties is an alarm' soon 5 alarm_is acme/press1 stuck 'active expression'
send acme/press1 speed 2
check 'and over' soon 5 alarm_is acme/press1 stuck 'active expression; cleared expression'
reading acme/press2 heat "$(now)" 300 | quietly holon ingest -
check 'who says nothing for too long is stale' soon 15 alarm_is acme/press2 heat 'active stale'
reading acme/press2 heat "$(now)" 300 | quietly holon ingest -
check 'until the next sample' soon 5 eval '[[ $(alarm acme/press2 heat) == "active stale; cleared stale"* ]]'
refuses 'nobody but the node says how an alarm stands' '[0-9]+' 'only the node|node' \
	eval "reading acme/press3 alarm/force 2024-03-05T00:00:00Z '\"cleared high-alarm\"' | holon ingest -"

# Numbers around the limits for all twins, until the node is gone.
flood() {
	python3 - "$TWINS" "$1" 2>/dev/null <<'PYTHON' | holon --timeout $((5 * SLOW))s ingest - >/dev/null 2>&1 || true
import random, sys
twins, round = int(sys.argv[1]), int(sys.argv[2])
random.seed(round)
for n in range(200000):
    second = n // twins
    print('{"twin": "acme/press%d", "property": "force", "t": "2024-03-%02dT%02d:%02d:%02dZ", "value": %d}' %
          (n % twins, 5 + round, 1 + second // 3600, second // 60 % 60, second % 60, random.randrange(40, 110)))
PYTHON
}

# The last word of a history, null if there is none.
last() {
	local line
	line=$(holon --json history "$@" | tail -n 1)
	echo "${line:-null}"
}

agrees() {
	local i
	for ((i = 0; i < TWINS; i++)); do
		last "acme/press$i" force --from 2024-03-06T00:00:00Z
		last "acme/press$i" alarm/force
	done | python3 -c '
import json, sys
lines = [(json.loads(line) or {"value": None})["value"] for line in sys.stdin]
wrong = 0
for value, alarm in zip(lines[::2], lines[1::2]):
    if value is None:
        continue
    want = "active high-alarm" if value >= 90 else "active high-warning" if value >= 70 else "cleared"
    if not (alarm or "cleared").startswith(want):
        print("%s, but the alarm is %s" % (value, alarm))
        wrong += 1
sys.exit(wrong > 0 or len(lines) != 2 * int(sys.argv[1]))' "$TWINS"
}

has_begun() { # round
	[ "$(last acme/press0 force --from "2024-03-0$((5 + $1))T00:00:00Z")" != null ]
}

for round in 1 2 3; do
	flood $round &
	flood=$!
	check "round $round: numbers come" soon 10 has_begun $round
	sleep "0.$round"
	node_kill acme/site
	wait $flood
	node_start acme/site
	check "round $round: each alarm stands as its value says" soon 10 agrees
done
