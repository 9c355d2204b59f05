#!/usr/bin/env bash
# holon replay: real series through Mosquitto, in order, paced, whatever becomes of the broker; the ledger has what
# the broker acknowledged.
. "$(dirname "$0")/lib.sh"
. "$root/tests/integration/mqtt_lib.sh"

mkdir data
python3 - <<'END'
rows = 1500
with open("data/log.csv", "w") as f:
    f.write("time,press,lathe\n")
    for i in sorted(range(rows), key=lambda i: (i * 7) % rows):  # in no order of time
        f.write("2024-03-04T10:%02d:%02d.%03dZ,%d.5,%s\n" % (i // 60 % 60, i % 60, i // 3600, i, i if i % 3 else ""))
END
cat >data/map.json <<'END'
{"org": "acme",
 "types": [{"name": "machine", "kind": "asset", "properties": [{"name": "power/use", "type": "double", "unit": "kW"}]}],
 "twins": [
   {"rule": "press", "id": "acme/hall/press", "type": "machine",
    "series": [{"property": "power/use", "table": "log.csv", "column": "press", "time": "{time}"}]},
   {"rule": "lathe", "id": "acme/hall/lathe", "type": "machine",
    "series": [{"property": "power/use", "table": "log.csv", "column": "lathe", "time": "{time}"}]}]}
END
n=2500

listen() { # $1: its name
	mosquitto_sub -h 127.0.0.1 -p "$broker_port" -q 1 -t 'holon/#' -v >"$1.sub" &
	echo $! >"$1.probe"
	soon 10 subscribed "$1"
}

subscribed() {
	mosquitto_pub -h 127.0.0.1 -p "$broker_port" -t holon/hello -m hello && grep -q hello "$1.sub"
}

got() { # everything but the greetings
	[ "$(grep -vc '^holon/hello' "$1.sub")" -ge "$2" ]
}

replay() {
	timeout 60 holon replay data --map data/map.json --broker "mqtt://127.0.0.1:$broker_port" "$@"
}

# What is in the ledger is what was to be sent, each once, and all of it came; $2: how often at most.
accounted() {
	python3 - "$1.ledger" "$1.sub" "$n" <<'END'
import json, sys
ledger = [json.loads(line) for line in open(sys.argv[1])]
key = lambda m: (m["twin"], m["t"], m["value"])
heard = {key(json.loads(line.split(" ", 1)[1])) for line in open(sys.argv[2]) if not line.startswith("holon/hello")}
print(len(ledger), len(heard))
assert len(ledger) == len(set(map(key, ledger))) == int(sys.argv[3])
assert {key(m) for m in ledger} == heard
END
}

in_order() {
	python3 - "$1.sub" <<'END'
import json, sys
times = [json.loads(line.split(" ", 1)[1])["t"] for line in open(sys.argv[1]) if not line.startswith("holon/hello")]
assert times == sorted(times), "not in order"
END
}

broker_start plain 'allow_anonymous true' 'autosave_on_changes false' 'autosave_interval 1800'
listen max
replay --speed max --ledger max.ledger --json >max.json
check 'as fast as it goes, everything is acknowledged' grep -q "\"published\": $n, \"acknowledged\": $n, \"rounds\": 1, \"skipped\": 0" max.json
check 'and comes' soon 10 got max $n
check 'the ledger has each of them once' accounted max
check 'in the order of time, and with its times' in_order max
check 'from both tables of topics' grep -qE '^holon/hall/press/power/use .*"t": "2024-03-04T10:00:00Z", "value": 0.5' max.sub

# At a thousand times the speed 25 minutes take 1.5 s, and are now.
paced() {
	python3 - "$1" "$2" "$3.sub" <<'END'
import datetime, json, sys
begin, end = float(sys.argv[1]), float(sys.argv[2])
times = [json.loads(l.split(" ", 1)[1])["t"] for l in open(sys.argv[3]) if not l.startswith("holon/hello")]
stamp = lambda t: datetime.datetime.fromisoformat(t[:26].rstrip("Z") + "+00:00").timestamp()
print(begin, end, times[0], times[-1])
assert begin <= stamp(times[0]) and stamp(times[-1]) <= end + 0.1
assert abs(stamp(times[-1]) - stamp(times[0]) - 1.499) < 0.01
END
}
listen paced
began=$(date +%s.%N)
replay --speed 1000 >paced.out
ended=$(date +%s.%N)
check 'all of it came' soon 10 got paced $n
check 'paced, and as if measured now' paced "$began" "$ended" paced

listen some
replay --speed max --limit 100 --loop --plain --topic 'holon/x/{org}/{id}' >some.out
check 'no more than the limit' grep -q '^100 samples published, 100 acknowledged, 1 rounds' some.out
check 'plain values to topics of ones own' soon 10 grep -q '^holon/x/acme/acme/hall/press 0.5$' some.sub
replay --speed max --limit 6000 --loop --json >loop.out
check 'round after round' grep -q '"published": 6000, "acknowledged": 6000, "rounds": 3' loop.out

# The broker dies with the replay under way, and is started again.
replay --speed 400 --original-times --ledger dying.ledger --json >dying.json &
replaying=$!
sleep 1
broker_kill plain
sleep 1
broker_again plain
check 'a broker that dies is dialled again' wait $replaying
check 'and what it had not acknowledged is sent again' grep -q "\"published\": $n, \"acknowledged\": $n" dying.json
check 'the ledger is whole' equal "$(sort -u dying.ledger | wc -l)" $n

# Into a node: what the ledger has is in its history.
found_and_start acme
cat >twins.json <<'JSON'
	{"types": [{"name": "machine", "kind": "asset", "properties": [{"name": "power/use", "type": "double", "unit": "kW"}]}],
	 "twins": [{"id": "acme/hall/press", "type": "machine"}, {"id": "acme/hall/lathe", "type": "machine"}]}
JSON
cat >bridge.json <<JSON
	{"kind": "mqtt", "broker": "mqtt://127.0.0.1:$broker_port", "maps": [
	   {"topic": "holon/{hall}/{machine}/power/use", "twin": "acme/{hall}/{machine}", "time": "t",
	    "values": [{"property": "power/use", "from": "value"}]}]}
JSON
quietly holon --node acme/site apply twins.json
quietly holon --node acme/site adapter add bridge bridge.json
connected() {
	holon --node acme/site adapter list | grep -q 'bridge.*connected'
}
check 'the node connects to the broker' soon 10 connected
replay --speed max --ledger node.ledger >node.out
stored() {
	equal "$(for m in press lathe; do
		holon --node acme/site history "acme/hall/$m" power/use --limit 100000 | wc -l
	done | tr '\n' ' ')" '1500 1000 '
}
check 'all that the ledger has is stored' soon 20 stored

# What makes no sense is said in one line.
refuses 'a URL that is none' 1 'names no broker: write mqtt://HOST' holon replay data --map data/map.json --broker tcp://x
refuses 'a broker that is not there' 3 'refused' holon replay data --map data/map.json --broker "mqtt://127.0.0.1:$(free_tcp_port)"
refuses 'a speed of nothing' 2 'speed: 0 is not above 0' replay --speed 0
refuses 'a topic with a wildcard' 2 'is no topic to publish to' replay --topic 'a/+/b'
refuses 'a field that there is not' 2 "'{line}' is none of" replay --topic 'a/{line}'
refuses 'no broker named' 2 'usage: holon replay' holon replay data --map data/map.json
refuses 'certificates without TLS' 1 'certificates are for mqtts' replay --ca data/map.json

printf 'bridge:secret\n' >users && chmod 600 users && mosquitto_passwd -U users 2>/dev/null
broker_start closed 'allow_anonymous false' "password_file $place/users"
printf 'secret\n' >good.password
printf 'wrong\n' >bad.password
refuses 'a wrong password' 1 'refuses: .*not authori[sz]ed|refuses: .*bad user' replay --user bridge --password-file bad.password
check 'the right one' replay --speed max --user bridge --password-file good.password

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout tls.key -out tls.csr 2>/dev/null
openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out tls.pem \
	-extfile <(echo 'subjectAltName=IP:127.0.0.1') 2>/dev/null
broker_start tls 'allow_anonymous true' "certfile $place/tls.pem" "keyfile $place/tls.key"
check 'over TLS' holon replay data --map data/map.json --speed max --ca ca.pem --broker "mqtts://127.0.0.1:$broker_port"
refuses 'a broker that nobody vouches for' 3 'mqtts://' holon replay data --map data/map.json --speed max --broker "mqtts://127.0.0.1:$broker_port"
