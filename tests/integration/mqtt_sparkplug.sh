#!/usr/bin/env bash
# Machines that speak Sparkplug B: births, aliases, gaps, history and deaths, through a real broker.
. "$(dirname "$0")/lib.sh"
. "$root/tests/integration/mqtt_lib.sh"

found_and_start acme
holon() { HOLON_NODE=$place/acme/site command holon "$@"; }
broker_start plain 'allow_anonymous true'

cat >site.json <<'ENDSITE'
{"types": [{"name": "press", "kind": "asset", "properties": [
   {"name": "power", "type": "double", "unit": "kW"}, {"name": "load", "type": "int64"},
   {"name": "mode", "type": "text"}, {"name": "on", "type": "bool"}]}],
 "twins": [{"id": "acme/edge", "type": "press"}, {"id": "acme/edge/p1", "type": "press"}]}
ENDSITE
quietly holon apply site.json
cat >line.json <<ENDLINE
{"kind": "mqtt", "broker": "mqtt://127.0.0.1:$broker_port", "maps": [
  {"topic": "spBv1.0/plant/{type}/{node}", "twin": "acme/{node}", "format": "sparkplug",
   "values": [{"property": "on", "from": "Running"}]},
  {"topic": "spBv1.0/plant/{type}/{node}/{device}", "twin": "acme/{node}/{device}", "format": "sparkplug",
   "values": [{"property": "power", "from": "Line/Power", "unit": "W"}, {"property": "load", "from": "Load"},
              {"property": "mode", "from": "Mode", "optional": true}]}]}
ENDLINE
quietly holon adapter add line line.json
is_connected() { holon --json adapter show line | json 'd["state"]' | grep -qx connected; }
check 'it connects' soon 10 is_connected
# $1: topic behind the group, rest: sequence number and metrics
tell() {
	local topic=$1
	shift
	sparkplug_payload "$@" >payload
	pub -t "spBv1.0/plant/$topic" -f payload
}
last() { holon --json history "$1" "$2" | tail -n 1 | json "d['$3']"; }
lasts() { equal "$(last "$1" "$2" "$3")" "$4"; }
counts() { equal "$(holon --json adapter show line | json "d['counters']['$1']")" "$2"; }
mosquitto_sub -h 127.0.0.1 -p "$broker_port" -q 1 -t 'spBv1.0/+/NCMD/+' -F '%t %p' >asked.out &
listener=$!
trap 'kill $listener 2>/dev/null; brokers_stop; conclude' EXIT
check 'somebody listens to what nodes are told' soon 10 grep -q 'spBv1.0/+/NCMD/+ (QoS 1)' plain/broker.log
# The payload has bytes that end lines.
asked() { equal "$(tr -d '\n' <asked.out | LC_ALL=C grep -aoE 'NCMD/edge .{1,20}Node Control/Rebirth' | wc -l)" "$1"; }

tell DDATA/edge/p1 5 ',2,3,1'
check 'a node that was not born is asked for it' soon 10 asked 1
has_letter() { holon --json adapter dead line | json '[l["reason"] for l in d["letters"]]' | grep -qF -- "$1"; }
check 'and what it said by alias is a dead letter' soon 10 has_letter 'the birth of its node or device is not known'
tell NBIRTH/edge 0 'bdSeq,,4,1' 'Running,1,11,true' 'Node Control/Rebirth,,11,false'
tell DBIRTH/edge/p1 1 'Line/Power,2,10,1500' 'Load,3,1,-5' 'Mode,4,12,run'
check 'the birth of a node has values' soon 10 lasts acme/edge on value True
check 'that of a device too, in the unit of the property' soon 10 lasts acme/edge/p1 power value 1.5
check 'a signed number in an unsigned field' soon 10 lasts acme/edge/p1 load value -5
tell DDATA/edge/p1 2 ',3,1,-128' ',2,10,2500'
check 'values by their aliases' soon 10 lasts acme/edge/p1 load value -128
check 'each to its property' soon 10 lasts acme/edge/p1 power value 2.5
now=$(($(date +%s) * 1000))
tell DDATA/edge/p1 3 ",2,10,900,$((now - 3600000))"
has_old() { holon --json history acme/edge/p1 power | grep -Eq "\"value\": ?0.9"; }
check 'a historical one keeps its own time' soon 10 has_old
check 'and is not the present one' lasts acme/edge/p1 power value 2.5
tell DDEATH/edge/p1 4
check 'a device that dies leaves its values uncertain' soon 10 lasts acme/edge/p1 power quality uncertain
check 'as they were' lasts acme/edge/p1 power value 2.5
tell DBIRTH/edge/p1 5 'Line/Power,2,10,3000' 'Load,3,1,1'
check 'born again they are good' soon 10 lasts acme/edge/p1 power value 3.0
check 'again' lasts acme/edge/p1 power quality good
tell NDEATH/edge - 'bdSeq,,4,0'
tell NDEATH/edge - 'bdSeq,,4,1'
check 'with a node its devices die' soon 10 lasts acme/edge/p1 power quality uncertain
check 'and itself' soon 10 lasts acme/edge on quality uncertain
check 'one message was dead so far' counts dead-letters 1

tell NBIRTH/edge 0 'bdSeq,,4,2' 'Running,1,11,true'
tell DBIRTH/edge/p1 1 'Line/Power,7,10,1000' 'Load,8,1,1'
check 'it may have other aliases' soon 10 lasts acme/edge/p1 power value 1.0
tell DDATA/edge/p1 3 ',7,10,4000'
check 'what comes after a gap is not taken' soon 10 counts dead-letters 2
check 'it is not' lasts acme/edge/p1 power value 1.0
printf 'nonsense' | pub -t spBv1.0/plant/NDATA/edge -s
check 'what is no payload is a dead letter' soon 10 has_letter 'it is no payload of Sparkplug B'
tell DBIRTH/edge/p9 1 'Load,8,1,1' 'Line/Power,7,10,1000'
check 'a device without a twin too' soon 10 has_letter 'there is no twin acme/edge/p9 here'

sparkplug_payload 0 'Running,1,11,false' >payload
check 'a payload can be tried' grep -q 'acme/edge.*on.*false' <(holon adapter try line spBv1.0/plant/NBIRTH/edge payload)
refuses 'a mapping of one type alone makes no sense' 1 'x: maps\[0\].topic: it must be spBv1.0/{group}/{type}/{node}' \
	holon adapter add x <(echo '{"kind": "mqtt", "broker": "mqtt://h", "maps": [{"topic": "spBv1.0/g/DDATA/{n}/{d}", "twin": "a/{d}", "format": "sparkplug"}]}')
