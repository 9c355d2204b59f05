#!/usr/bin/env bash
# A ledger of what the broker has acknowledged to a publisher, against the history of the node: holond and the broker are
# killed -9 while it publishes, and no acknowledged sample is lost.
#
# Mosquitto acknowledges a message before its own copy is on the disk: what it took after it last saved, and had not handed on,
# dies with it. When the broker is killed, what counts is therefore what it had acknowledged before a save that it was asked
# for; of the rest it is only said how much it lost itself.
. "$(dirname "$0")/lib.sh"
. "$root/tests/integration/mqtt_lib.sh"

found_and_start acme
holon() { HOLON_NODE=$place/acme/site command holon "$@"; }
broker_start broker "allow_anonymous true" "autosave_interval 1000000"
cat >site.json <<'END'
{"types": [{"name": "press", "kind": "asset", "properties": [{"name": "count", "type": "int64"}]}],
 "twins": [{"id": "acme/p1", "type": "press"}]}
END
quietly holon apply site.json
cat >line.json <<END
{"kind": "mqtt", "broker": "mqtt://127.0.0.1:$broker_port",
 "maps": [{"topic": "plant/{machine}", "twin": "acme/{machine}", "time": "t", "time-unit": "ms",
           "values": [{"property": "count", "from": "n"}]}]}
END
quietly holon adapter add line line.json
is_connected() { holon --json adapter show line | json 'd["state"]' | grep -qx connected; }
check 'it connects' soon 10 is_connected

# Round $1: numbers from $1 * 100000 + 1 on, $2 of them, each with a time of its own; $3 seconds at most.
publish() {
	python3 -u -c '
import sys, time
base, n = int(sys.argv[1]) * 100000, int(sys.argv[2])
for i in range(base + 1, base + n + 1):
    print("{\"t\": %d, \"n\": %d}" % (1700000000000 + i, i))
    if i % 20 == 0: time.sleep(0.01)
' "$1" "$2" | timeout "$3" stdbuf -oL mosquitto_pub -d -l -q 1 -i "pub$1" -h 127.0.0.1 -p "$broker_port" -t plant/p1 >"pub.$1.log" 2>&1
}

# Its message numbers are the lines that it was given, counted from 1.
acknowledged() {
	sed -n 's/.*received PUBACK (Mid: \([0-9]*\).*/\1/p' "pub.$1.log" | while read -r n; do echo $(($1 * 100000 + n)); done
}

# Those of ledger $1 that are not in the history.
missing() {
	holon --json history acme/p1 count | sed -n 's/.*"value": *\([0-9]*\).*/\1/p' | sort >have
	sort "$1" | comm -23 - have
}
none_missing() { [ -z "$(missing "$1")" ] || { missing "$1" | head -n 5 && return 1; }; }
has_some() { [ "$(wc -l <"$1")" -ge "$2" ]; }

for round in 1 2 3; do
	publish $round 2000 60 &
	publisher=$!
	sleep "0.$((round * 2 + 1))"
	node_kill acme/site
	sleep 0.2
	node_start acme/site
	wait $publisher || true
	acknowledged $round >"ledger.$round"
	check "round $round: the broker acknowledged all" has_some "ledger.$round" 2000
	check "round $round: holond was killed, nothing is lost" soon 20 none_missing "ledger.$round"
done

saved() { [ broker/mosquitto.db -nt mark ]; }
for round in 4 5; do
	publish $round 4000 $((6 * SLOW)) &
	publisher=$!
	sleep 0.6
	acknowledged $round >"ledger.$round"
	touch -d '-1 second' mark
	rm -f broker/mosquitto.db
	kill -USR1 "$(cat broker/broker.pid)"
	check "round $round: the broker has saved" soon 5 saved
	[ $round -eq 4 ] || node_kill acme/site
	broker_kill broker
	wait $publisher || true
	acknowledged $round >"all.$round"
	broker_again broker
	[ $round -eq 4 ] || node_start acme/site
	check "round $round: some were acknowledged before" has_some "ledger.$round" 100
	check "round $round: it connects again" soon 40 is_connected
	check "round $round: the broker was killed, nothing of what it had saved is lost" soon 20 none_missing "ledger.$round"
	echo "round $round: of $(wc -l <"all.$round") acknowledged the broker itself lost $(missing "all.$round" | wc -l)"
done
again=$(holon --json adapter show line | json 'd["counters"]["again"]')
echo "since the last start $again messages came again, merged"
check 'nothing was dead' equal "$(holon --json adapter dead line | json 'len(d["letters"])')" 0
