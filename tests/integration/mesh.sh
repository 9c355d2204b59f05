#!/usr/bin/env bash
# `holon mesh` and `peer list`: who sees whom, how far each holds what, who is silent, and that partners learn nothing.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 5)
quietly org_found acme gate "${addresses[0]}"
for i in 1 2; do
	quietly holon node init "line$i" --org acme/org --dir "acme/line$i" --role owner --listen "tcp://${addresses[$i]}"
done
quietly org_found harbor site "${addresses[3]}"
cp acme/org/bundle acme/gate/bundle
cp acme/org/bundle acme/line1/bundle
for node in acme/gate acme/line1 acme/line2 harbor/site; do
	node_start "$node"
done

# What a Python expression makes of the mesh as `d`, its nodes by name `n`. $1: node that is asked, $2: expression
mesh_of() {
	(holon --json --node "$1" mesh || [ $? -eq 4 ]) | python3 -c '
import json, sys
d = json.load(sys.stdin)
n = {x["node"]: x for x in d["nodes"]}
print(eval(sys.argv[1]))' "$2"
}
mesh_says() { # $1: node, $2: expression, $3: its value
	equal "$(mesh_of "$1" "$2")" "$3"
}

check 'every node sees every other' soon 20 mesh_says acme/line1 \
	'[sum(p["state"] == "connected" for p in n[x]["peers"]) for x in sorted(n)]' '[2, 2, 2]'
check 'each speaks for itself' mesh_says acme/line2 '[(x, n[x]["answered"], n[x]["roles"]) for x in sorted(n)]' \
	"[('gate', True, 'owner,border'), ('line1', True, 'owner'), ('line2', True, 'owner')]"
check 'and the exit code says that all did' quietly holon --node acme/line1 mesh

holon --node acme/line1 apply - >/dev/null <<'END'
{"types": [{"name": "press", "kind": "asset", "properties": [{"name": "load/power", "type": "double", "unit": "kW"}]}],
 "twins": [{"id": "acme/press1", "type": "press"}, {"id": "acme/press2", "type": "press"}]}
END
check 'all hold what one of them owns, and lack nothing' soon 20 mesh_says acme/gate \
	'[[(o["state"], o["rows"], o["offered"] - o["seq"]) for o in n[x]["origins"] if o["origin"] == "acme/line1"] for x in sorted(n)]' \
	"[[('held', 2, 0)], [('own', 2, 0)], [('held', 2, 0)]]"
check 'and its owner vouched for it a moment ago' mesh_says acme/gate \
	'[o["age_s"] < 15 for o in n["line2"]["origins"] if o["origin"] == "acme/line1"]' '[True]'
check 'peer list tells the same of one node' equal "$(holon --json --node acme/gate peer list |
	json 'str([(p["node"], p["lag_changes"], p["behind"], p["sessions"] > 0, p["bytes_in"] > 0) for p in sorted(d["peers"],
		key=lambda p: p["node"]) if p["node"] == "line1"])')" "[('line1', 0, 0, True, True)]"

quietly org_trust acme gate harbor
quietly org_trust harbor site acme
check 'the border of a partner is seen by ours' soon 20 mesh_says acme/line1 \
	'[p["node"] for p in n["gate"]["peers"] if p["org"] == "harbor" and p["state"] == "connected"]' "['site']"
check 'the partner sees its own nodes and our border only' mesh_says harbor/site \
	'(sorted(n), sorted({p["org"] + "/" + p["node"] for p in n["site"]["peers"]}))' "(['site'], ['acme/gate'])"

check 'the drawing has every node and link once' eval 'holon --node acme/line1 mesh --dot >mesh.dot &&
	[ "$(grep -c "acme/[a-z0-9]*\" -> \"acme/" mesh.dot)" -eq 6 ] && grep -q "acme/gate\" -> \"harbor/site\"" mesh.dot'
holon --node acme/line1 mesh >mesh.txt
check 'people get tables' eval 'grep -q "^acme: 3 of 3 nodes answered" mesh.txt && grep -qE "^line2 +owner +2 of 2" mesh.txt'

pid=$(node_pid acme/line2)
kill -STOP "$pid"
check 'a node that stands still is silent, with the time since it was heard' eval '
	mesh_says acme/gate "(n[\"line2\"][\"answered\"], n[\"line2\"][\"known_s\"] >= 0, n[\"line1\"][\"answered\"])" "(False, True, True)"'
check 'and the exit code says so' eval 'code=0; holon --node acme/gate mesh >silent.txt || code=$?
	[ $code -eq 4 ] && grep -qE "^line2 +silent" silent.txt'
kill -CONT "$pid"
check 'it comes again' soon 20 quietly holon --node acme/gate mesh
node_kill acme/line2
check 'a node that is gone is not seen, and what it owns is still held' soon 20 mesh_says acme/gate \
	'([p["state"] == "connected" for p in n["line1"]["peers"] if p["node"] == "line2"], n["line2"]["answered"])' \
	'([False], False)'
