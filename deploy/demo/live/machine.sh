#!/usr/bin/env bash
# A simulated press that speaks MQTT: says its temperature five times a second, gets hot when the file `hot` is there, cools
# down when it was told to stop, and says what became of a command.
#
#	machine.sh HOST PORT
set -eu
host=$1 port=$2
broker=(-h "$host" -p "$port" -q 1)

# Commands in, words out. Each id is done once.
mosquitto_sub "${broker[@]}" -t plant/press1/command | while IFS= read -r order; do
	id=$(printf '%s' "$order" | python3 -c 'import json, sys; print(json.load(sys.stdin)["command"])')
	[ -e "done.$id" ] || { : >"done.$id" && rm -f hot && : >stopped; }
	for state in accepted done; do
		mosquitto_pub "${broker[@]}" -t plant/press1/ack -m "{\"command\": \"$id\", \"state\": \"$state\", \"text\": \"the press stands\"}"
	done
done &
listener=$!
trap 'kill $listener; exit' TERM INT

heat=40
while :; do
	if [ -e hot ]; then heat=$((heat < 95 ? heat + 11 : 95)); else heat=$((heat > 40 ? heat - 11 : 40)); fi
	printf '{"heat": %d, "mode": "%s"}\n' "$heat" "$([ -e stopped ] && echo stopped || echo running)"
	sleep 0.2
done | mosquitto_pub "${broker[@]}" -t plant/press1/data -l
