#!/usr/bin/env bash
# Tombstones are collected: a node that was away for longer finds by comparing that twins are gone.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 2)
quietly org_found acme gate "${addresses[0]}"
quietly holon node init line --org acme/org --dir acme/line --role owner --listen "tcp://${addresses[1]}"
cp acme/org/bundle acme/gate/bundle
cp acme/org/bundle acme/line/bundle
node_start acme/gate
node_start acme/line --set log.level=debug

held() { # $1: node that is asked, $2: what it holds of line
	equal "$(holon --json --node "$1" mesh | python3 -c '
import json, sys
d = json.load(sys.stdin)
print([o["rows"] for n in d["nodes"] if n["node"] == "gate" for o in n["origins"] if o["origin"] == "acme/line"])')" "[$2]"
}
told() { # repairs and resets of what gate took from line
	equal "$(holon --json --node acme/gate peer list |
		json 'str([(p["repairs"] > 0, p["resets"] > 0) for p in d["peers"] if p["node"] == "line"])')" "$1"
}

holon --node acme/line apply - >/dev/null <<'END'
{"types": [{"name": "press", "kind": "asset", "properties": [{"name": "load/power", "type": "double", "unit": "kW"}]}],
 "twins": [{"id": "acme/press1", "type": "press"}, {"id": "acme/press2", "type": "press"}, {"id": "acme/press3", "type": "press"}]}
END
check 'the other node holds what one owns' soon 20 held acme/gate 3
node_stop acme/gate
quietly holon --node acme/line twin delete acme/press2 --yes
node_stop acme/line
sleep 1
node_start acme/line --set log.level=debug --set store.tombstone-age=1s
check 'a tombstone is collected when it is old' soon 20 grep -q 'collecting tombstones origin=acme/line' acme/line.log
node_start acme/gate
check 'who was away when it was told learns of it all the same' soon 20 held acme/gate 2
check 'and was told that it has to compare, before it found out' told '[(True, True)]'
node_stop acme/line
node_start acme/line
quietly holon --node acme/line twin delete acme/press3 --yes
check 'what is deleted after a restart is told as ever' soon 20 held acme/gate 1
