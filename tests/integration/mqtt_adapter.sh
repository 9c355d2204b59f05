#!/usr/bin/env bash
# Machines that speak MQTT: readings by mappings, what cannot be mapped, orders out and words in.
. "$(dirname "$0")/lib.sh"

found_and_start acme
holon() { HOLON_NODE=$place/acme/site command holon "$@"; }

address=$(free_addresses 1)
port=${address##*:}
cat >mosquitto.conf <<-END
	listener $port ${address%:*}
	allow_anonymous true
END
mosquitto -c mosquitto.conf >mosquitto.out 2>&1 &
broker=$!
trap 'kill $broker 2>/dev/null; conclude' EXIT
say() { mosquitto_pub -h "${address%:*}" -p "$port" -q 1 -t "$1" -m "$2"; }

cat >site.json <<'END'
{
"types": [{"name": "press", "kind": "asset", "properties": [
   {"name": "power", "type": "double", "unit": "kW", "kpi": true, "settable": true},
   {"name": "temperature", "type": "double", "unit": "degC"},
   {"name": "count", "type": "int64"}, {"name": "mode", "type": "enum", "options": ["off", "run"]},
   {"name": "on", "type": "bool"}, {"name": "place", "type": "position"}],
   "operations": [{"name": "stop", "parameters": [{"name": "grace", "type": "double", "unit": "s"}]}]}],
 "twins": [{"id": "acme/hall/p1", "type": "press"}, {"id": "acme/hall/p2", "type": "press"}]}
END
quietly holon apply site.json
cat >line.json <<END
{"kind": "mqtt", "broker": "mqtt://$address", "match": "all",
 "commands": [{"twins": "acme/{hall}/{machine}", "topic": "plant/{hall}/{machine}/command", "ack": "plant/{hall}/{machine}/ack"}],
 "desired": [{"twins": "acme/{hall}/{machine}", "topic": "plant/{hall}/{machine}/set"}],
 "maps": [
  {"topic": "plant/{hall}/{machine}/data", "twin": "acme/{hall}/{machine}", "time": "t", "time-unit": "ms",
   "quality": "ok", "time-offset-max": "1h",
   "values": [{"property": "power", "from": "p.w[0]", "unit": "W", "sigma": "p.s"},
              {"property": "mode", "from": "m", "words": {"0": "off", "1": "run"}, "optional": true}]},
  {"topic": "plant/{hall}/{machine}/list", "twin": "acme/{hall}/{machine}", "items": "r", "time": "t", "time-unit": "iso",
   "values": [{"property": "count", "from": "n"}, {"property": "place", "from": "at", "optional": true}]},
  {"topic": "plant/{hall}/{machine}/v/{what+}", "twin": "acme/{hall}/{machine}", "format": "value",
   "values": [{"property": "{what}"}]},
  {"topic": "plant/{hall}/{machine}/csv", "twin": "acme/{hall}/{machine}", "format": "csv", "separator": ";",
   "columns": ["when", "kw", "mode"], "time": "when", "time-unit": "s",
   "values": [{"property": "power", "from": "kw"}, {"property": "mode", "from": "mode", "optional": true}]},
  {"topic": "plant/{hall}/{machine}/free", "twin": "acme/{hall}/{machine}"}]}
END
quietly holon adapter add line line.json
is_connected() { holon --json adapter show line | json 'd["state"]' | grep -qx connected; }
check 'it connects' soon 10 is_connected

count() { holon --json adapter show line | json "d['counters']['$1']"; }
counts() { equal "$(count "$1")" "$2"; }
last() { holon --json history "$1" "$2" | tail -n 1 | json "d['$3']"; }
lasts() { equal "$(last "$1" "$2" "$3")" "$4"; }

now=$(date +%s)
say plant/hall/p1/data "{\"t\": ${now}123, \"ok\": true, \"p\": {\"w\": [1500], \"s\": 100}, \"m\": 1}"
check 'a value by its path, in its unit' soon 10 lasts acme/hall/p1 power value 1.5
check 'its uncertainty too' lasts acme/hall/p1 power sigma 0.1
check 'a word stands for a number' lasts acme/hall/p1 mode value run
say plant/hall/p2/list '{"r": [{"t": "2026-01-01T00:00:00Z", "n": 1}, {"t": "2026-01-01T00:00:01Z", "n": 2, "at": [52, 13]}]}'
check 'a list of records' soon 10 lasts acme/hall/p2 count value 2
check 'and a position' lasts acme/hall/p2 place value "{'lat': 52.0, 'lon': 13.0}"
say plant/hall/p1/v/temperature ' 71.5 '
check 'a plain number' soon 10 lasts acme/hall/p1 temperature value 71.5
say plant/hall/p1/v/on true
check 'a plain truth' soon 10 lasts acme/hall/p1 on value True
say plant/hall/p2/csv "$(printf '%s\n' "$((now - 2));1.25;run" "$((now - 1));2.5;")"
check 'lines of columns' soon 10 lasts acme/hall/p2 power value 2.5
say plant/hall/p2/free '{"power": 3, "unheard-of": 1}'
check 'members that are properties' soon 10 lasts acme/hall/p2 power value 3.0
check 'nothing was dead' counts dead-letters 0

# Each line: topic, payload, the reason that is kept
while IFS='|' read -r topic payload reason; do
	say "plant/$topic" "$payload"
	has_reason() { holon --json adapter dead line | json '[l["reason"] for l in d["letters"]]' | grep -qF -- "$reason"; }
	check "dead: $reason" soon 10 has_reason
done <<-END
	hall/p1/data|{"t": 1|it is no JSON: line 1
	hall/p1/data|{"ok": true, "p": {"w": [1]}}|there is no time at 't'
	hall/p1/data|{"t": "noon", "p": {"w": [1]}}|what is at 't' is no time in ms
	hall/p1/data|{"t": ${now}000}|there is nothing at 'p.w[0]'
	hall/p1/data|{"t": ${now}000, "p": {"w": ["much"]}}|power: it is no number
	hall/p1/data|{"t": ${now}000, "p": {"w": [1]}, "m": 7}|'words' of mode have nothing for '7'
	hall/p9/data|{}|there is no twin acme/hall/p9 here
	hall/p1/v/colour|red|the twin has no property colour
	hall/p1/v/count|many|count: 'many' is no int64
	hall/p1/v/mode|idle|the value does not fit
	hall/p1/csv|1;2|line 1: it has not 3 columns
	hall/p1/list|{"r": 5}|there is no list at 'r'
	hall/p1/free|{"x": 1}|nothing in it has the name of a property
END
before=$(count samples)
say plant/hall/p1/data "{\"t\": 1000, \"ok\": true, \"p\": {\"w\": [1700]}}"
check 'a clock that is far off is not believed' soon 10 counts wrong-clocks 1
check 'the value is kept with the time of arrival' soon 10 lasts acme/hall/p1 power quality uncertain
head -c 300000 /dev/zero | tr '\0' x | mosquitto_pub -h "${address%:*}" -p "$port" -q 1 -t plant/hall/p1/data -s
has_long() { holon --json adapter dead line | grep -q 'its payload is too long'; }
check 'a huge payload is a dead letter' soon 10 has_long
say plant/hall/p1/v/power 42
check 'and what follows is taken' soon 10 lasts acme/hall/p1 power value 42.0
check 'dead letters are in a file too' test -s acme/site/adapters/line.dead

# A machine that does what it is told.
machine() {
	mosquitto_sub -h "${address%:*}" -p "$port" -q 1 -t plant/hall/p1/command -t plant/hall/p1/set >machine.heard &
	asset=$!
	trap 'kill $broker $asset 2>/dev/null; conclude' EXIT
}
machine
hears() { grep -q "$1" machine.heard; }
holon command send acme/hall/p1 stop grace=5 --within 60s --wait 40s >sent.out 2>&1 &
sender=$!
check 'a command reaches the machine' soon 10 hears '"operation":"stop","arguments":{"grace":5.0}'
id=$(json 'd["command"]' <machine.heard)
say plant/hall/p1/ack "{\"command\": \"$id\", \"state\": \"accepted\"}"
say plant/hall/p1/ack "{\"command\": \"$id\", \"state\": \"done\", \"text\": \"stands\"}"
check 'its sender learns that it is done' wait $sender
say plant/hall/p1/ack "{\"command\": \"0123456789abcdef0123456789abcdef\", \"state\": \"done\"}"
check 'a word on a command that is not there is counted' soon 10 counts strange-words 1
say plant/hall/p1/ack '{"command": "x"}'
has_no_id() { holon --json adapter dead line | grep -q "there is no id at 'command'"; }
check 'a word that does not read is a dead letter' soon 10 has_no_id
quietly holon twin set acme/hall/p1 desired/power 7
check 'a desired value reaches the machine' soon 10 hears '"desired":"power","value":7.0'

echo '{"t": 1800000000000, "p": {"w": [1]}}' >payload
check 'a payload can be tried' test -n "$(holon adapter try line plant/hall/p1/data payload 2>&1)"
refuses 'a configuration that makes no sense' 1 'x: maps\[0\].twin: \{b\} does not occur' \
	holon adapter add x <(echo '{"kind": "mqtt", "broker": "mqtt://h", "maps": [{"topic": "{a}", "twin": "acme/{b}"}]}')
kill -9 $broker
not_connected() { ! is_connected; }
check 'a broker that dies is noticed' soon 10 not_connected
mosquitto -c mosquitto.conf >mosquitto.out 2>&1 &
broker=$!
check 'and found again' soon 30 is_connected
say plant/hall/p1/v/power 43
check 'and heard again' soon 10 lasts acme/hall/p1 power value 43.0
quietly holon adapter rm line
refuses 'one that is removed is gone' 1 'there is no adapter line' holon adapter show line
