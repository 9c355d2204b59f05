#!/usr/bin/env bash
# The Modbus adapter against a real Modbus TCP server: every table and form, scaling and units, writing, a device that
# refuses, dies and comes back.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 1)
quietly org_found acme site "${addresses[0]}"
mkfifo orders answers
modbus_server 0 <orders >answers 2>device.err &
device=$!
exec 7>orders 8<answers
read -r port <&8
tell() {
	echo "$*" >&7
	read -r -t 10 answer <&8 && [ -n "$answer" ]
}
tell holding 0 235             # temperature, tenths of a degree
tell holding 1 65535           # int32 -2, the low word first
tell holding 2 65535
tell holding 1 65534
tell input 10 16320            # float32 1.5
tell input 11 0
tell input 12 2                # a state
tell discrete 3 1
mkdir -p acme/site/adapters
adapter() { # $1: more registers
	cat <<-JSON
	{"kind": "modbus", "host": "127.0.0.1", "port": $port, "every": "50ms", "timeout": "500ms", "registers": [
	  {"twin": "acme/m1", "property": "state/temperature", "address": 0, "type": "int16", "scale": 0.1, "unit": "degC"},
	  {"twin": "acme/m1", "property": "state/position", "address": 1, "type": "int32", "words": "low-first"},
	  {"twin": "acme/m1", "property": "state/flow", "table": "input", "address": 10, "type": "float32", "unit": "m3/h"},
	  {"twin": "acme/m1", "property": "state/mode", "table": "input", "address": 12, "states": ["off", "idle", "run"]},
	  {"twin": "acme/m1", "property": "state/open", "table": "discrete", "address": 3},
	  {"twin": "acme/m1", "property": "setpoint/speed", "address": 20, "write": true},
	  {"twin": "acme/m1", "property": "state/nothing", "address": 30}${1-}],
	 "commands": [{"twin": "acme/m1", "operation": "start", "table": "coil", "address": 7, "value": 1},
	  {"twin": "acme/m1", "operation": "start", "address": 21, "argument": "speed"}]}
	JSON
}
adapter >acme/site/adapters/line.json
adapter ', {"twin": "acme/m1", "property": "a", "address": 1, "colour": 1}' >acme/site/adapters/wrong.json
cat >machine.json <<'JSON'
{"types": [{"name": "machine", "kind": "asset", "properties": [
   {"name": "state/temperature", "type": "double", "unit": "K"}, {"name": "state/position", "type": "int64"},
   {"name": "state/flow", "type": "double", "unit": "l/s"}, {"name": "state/open", "type": "bool"},
   {"name": "state/mode", "type": "enum", "options": ["off", "idle", "run"]},
   {"name": "setpoint/speed", "type": "double", "settable": true}],
   "operations": [{"name": "start", "parameters": [{"name": "speed", "type": "double"}]}]}],
 "twins": [{"id": "acme/m1", "type": "machine"}]}
JSON
node_start acme/site
quietly holon --node acme/site apply machine.json

value() { holon --json --node acme/site twin get acme/m1 "$1" | json 'd["value"]'; }
is() { equal "$(value "$1")" "$2"; }
check 'a register is scaled and converted into the unit of the property' soon 10 is state/temperature 296.65
check 'two words make a number' is state/position -2
check 'a float of another unit' equal "$(value state/flow | cut -c 1-8)" 0.416666
check 'a number is a word' is state/mode run
check 'an input is a bool' is state/open True
tell holding 0 240
check 'what changes is read' soon 10 is state/temperature 297.15
check 'what no property takes is told of' soon 10 grep -q 'state/nothing' acme/site/adapters/line.dead
check 'a configuration that is wrong does not keep the node from starting, and says why' \
	grep -q 'wrong is stopped: .*colour' acme/site.log

holds() { # TABLE ADDRESS VALUE: in the device itself
	tell print "$1" "$2" && equal "$answer" "$3"
}
check 'a command is done when the device has what it writes' \
	quietly holon --node acme/site command send acme/m1 start speed=40 --within 60s --wait 50s
check 'its constant is in the coil' holds coil 7 1
check 'its argument is in the register' holds holding 21 40
tell coil 7 0
check 'one that no register can take fails, and says why' eval \
	'! holon --node acme/site command send acme/m1 start speed=70000 --within 60s --wait 50s >failed.out 2>&1 && grep -q 70000 failed.out'
check 'and writes nothing of it' eval 'holds coil 7 0 && holds holding 21 40'
quietly holon --node acme/site twin set acme/m1 desired/setpoint/speed 12
check 'a desired value is written to its register' soon 20 holds holding 20 12
check 'and is what is reported then' soon 10 is setpoint/speed 12.0

kill -KILL $device
wait $device 2>/dev/null || true
check 'a device that is gone is said' soon 10 grep -q 'line is waiting: .*port' acme/site.log
exec 7>&- 8<&-
modbus_server "$port" <orders >answers 2>>device.err &
device=$!
exec 7>orders 8<answers
read -r _ <&8
tell holding 0 250
check 'when it is back it is read again' soon 40 is state/temperature 298.15
node_stop acme/site
check 'the node stops with an adapter that is connected' test ! -e acme/site.pid
node_start acme/site
tell holding 0 260
check 'after a restart it goes on' soon 20 is state/temperature 299.15
kill $device
wait $device 2>/dev/null || true
