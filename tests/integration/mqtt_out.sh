#!/usr/bin/env bash
# KPIs and alarms of own twins on their way out to a real Mosquitto: what changed, and of each value the newest when the
# broker was away. The node speaks TLS and has a password.
. "$(dirname "$0")/lib.sh"
. "$root/tests/integration/mqtt_lib.sh"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout broker.key \
	-out broker.pem -addext subjectAltName=DNS:localhost 2>/dev/null
mosquitto_passwd -c -b passwords node secret 2>/dev/null
chmod 644 passwords
broker_start broker "certfile $place/broker.pem" "keyfile $place/broker.key" 'allow_anonymous false' \
	"password_file $place/passwords"

found_and_start acme
export HOLON_NODE=$place/acme/site
cat >site.json <<'END'
{"types": [{"name": "press", "kind": "asset", "properties": [
   {"name": "power", "type": "double", "unit": "kW", "kpi": true, "limits": {"high-alarm": 90}},
   {"name": "torque", "type": "double"}]}],
 "twins": [{"id": "acme/hall/p1", "type": "press"}, {"id": "acme/hall/p2", "type": "press"},
   {"id": "acme/lab", "type": "press"}]}
END
quietly holon apply site.json
reading acme/hall/p1 power 2024-03-05T00:00:00Z 10 >first
reading acme/hall/p1 torque 2024-03-05T00:00:00Z 5 >>first
reading acme/lab power 2024-03-05T00:00:00Z 5 >>first
quietly holon ingest first

# --- a configuration
config() { # $1: password, $2: outlets
	(umask 077 && echo "$1" >acme/site/adapters/password)
	cp broker.pem acme/site/adapters/
	cat >out.json <<-END
		{"kind": "mqtt", "broker": "mqtts://localhost:$broker_port", "ca-file": "broker.pem", "user": "node",
		 "password-file": "password", "note": "$1", "publish": $2}
	END
}
mkdir -p acme/site/adapters
refuses_outlet() { # $1: what, $2: the failure, $3: the outlets
	config secret "$3"
	refuses "$1" 1 "$2" holon adapter add out out.json
}
refuses_outlet 'a variable from nowhere' 'publish\[0\].topic: \{what\} does not occur' \
	'[{"twins": "acme/{h}/{p}", "topic": "out/{what}"}]'
refuses_outlet 'a wildcard to publish to' 'publish\[0\].topic: ' '[{"twins": "acme/{h}/{p}", "topic": "out/+"}]'
refuses_outlet 'no topic' "publish\\[0\\].*topic" '[{"twins": "acme/{h}/{p}"}]'
refuses_outlet 'no name' 'publish\[0\].properties\[0\]: it must be the name' \
	'[{"twins": "acme/{h}", "topic": "out", "properties": [7]}]'
refuses_outlet 'an unknown key' "publish\\[0\\].*qos" '[{"twins": "acme/{h}", "topic": "out", "qos": 2}]'

outlets='[{"twins": "acme/{hall}/{press}", "topic": "out/{hall}/{press}/{property}", "retain": true}]'
config wrong "$outlets"
quietly holon adapter add out out.json
adapter() { holon --json adapter show out | json "$1"; }
adapter_is() { [[ $(adapter 'd["state"] + ": " + d["why"]') == $1 ]]; }
check 'a wrong password is said' soon 10 adapter_is 'waiting: *the broker refuses the connection: *'
config secret "$outlets"
quietly holon adapter add out out.json
check 'the right one is let in' soon 15 adapter_is 'connected*'

# --- what goes out
heard() {
	timeout 60 mosquitto_sub --cafile broker.pem -h localhost -p "$broker_port" -u node -P secret -q 1 -t 'out/#' \
		-F '%t %p' >>heard.out 2>heard.err &
	hearer=$!
}
hears() { grep -q "$1" heard.out || { cat heard.out && return 1; }; }
hears_times() { equal "$(grep -c "$1" heard.out)" "$2"; }
heard
check 'what is there is told' soon 10 hears \
	'^out/hall/p1/power {"twin":"acme/hall/p1","property":"power","t":"2024-03-05T00:00:00Z","value":10.0,"unit":"kW"}$'
send() { # TWIN PROPERTY VALUE...: a second apart
	local twin=$1 property=$2 value
	shift 2
	for value; do
		reading "$twin" "$property" "$(date -u -d "2024-03-05 + $((tick += 1)) seconds" +%Y-%m-%dT%H:%M:%SZ)" "$value" >one
		quietly holon ingest one
	done
}
tick=0
send acme/hall/p2 power 95
check 'what changes is told' soon 10 hears '^out/hall/p2/power .*"value":95.0'
check 'so is an alarm' soon 10 hears '^out/hall/p2/alarm/power .*"value":"active high-alarm'
send acme/hall/p2 torque 7
send acme/hall/p2 power 20
check 'and that it is over' soon 10 hears '^out/hall/p2/alarm/power .*"value":"cleared high-alarm'
check 'no other property is' hears_times torque 0
check 'nor any other twin' hears_times lab 0
check 'an alarm that rose is told once' hears_times 'active high-alarm' 1

# --- the broker is away: the newest wins
broker_kill broker
check 'a broker that dies is noticed' soon 10 eval '! adapter_is "connected*"'
send acme/hall/p1 power 31 32 33 34 35
check 'what newer values replace is counted' soon 10 eval '[ "$(adapter "d[\"counters\"][\"skipped\"]")" -ge 1 ]'
broker_again broker
kill "$hearer" 2>/dev/null || true
heard
check 'it comes back' soon 40 adapter_is 'connected*'
check 'the newest is told' soon 20 hears '^out/hall/p1/power .*"value":35.0'
check 'an older one is not' hears_times '"value":3[123]' 0
check 'nothing is a dead letter' equal "$(adapter 'd["counters"]["dead-letters"]')" 0
quietly holon adapter rm out
broker_kill broker
kill "$hearer" 2>/dev/null || true
