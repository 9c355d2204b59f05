#!/usr/bin/env bash
# MQTT over TLS with a real Mosquitto: the broker's certificate must be for its name and from the authority that was named;
# the client may have one, too.
. "$(dirname "$0")/lib.sh"
. "$root/tests/integration/mqtt_lib.sh"

# $1: name, $2: who signs (NAME, or itself), rest: options of `openssl req`
certificate() {
	local name=$1 signer=$2
	shift 2
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" -keyout "$name.key" \
		-out "$name.pem" ${signer:+-CA "$signer.pem" -CAkey "$signer.key"} "$@" 2>/dev/null
}

certificate ca '' -addext basicConstraints=critical,CA:TRUE
certificate other-ca '' -addext basicConstraints=critical,CA:TRUE
leaf=(-addext basicConstraints=critical,CA:FALSE)
certificate broker ca "${leaf[@]}" -addext subjectAltName=DNS:localhost
certificate by-address ca "${leaf[@]}" -addext subjectAltName=IP:127.0.0.1
certificate client ca "${leaf[@]}"
certificate stranger other-ca "${leaf[@]}"
chmod 600 ./*.key

broker_start named "certfile $place/broker.pem" "keyfile $place/broker.key" 'allow_anonymous true'
probe_start one localhost "$broker_port" one 'a/+' ca=ca.pem ack=auto
check 'a broker with the right name is trusted' soon 10 connects one 1
quietly pub --cafile ca.pem -h localhost -t a/1 -m v
check 'messages come' soon 5 says one '^message 1 a/1 new 1 v$'
head -c 200000 /dev/zero | tr '\0' x >long
quietly pub --cafile ca.pem -h localhost -t a/2 -f long
check 'long ones, too' soon 5 says one '^message 2 a/2 new 200000 xxx'
order one 'publish o/1 v'
check 'and go out' soon 5 says one '^published 1 0 $'
seq 3000 >many
quietly pub --cafile ca.pem -h localhost -t a/flood -l <many
check 'many come' soon 20 floods one 3000
broker_kill named
check 'a broker that dies is noticed' soon 5 says one '^state waiting '
broker_again named
check 'and found again' soon 10 connects one 2
order one close
check 'it ends' soon 5 says one '^closed$'

# $1: what, $2: why it is refused, rest: arguments of the probe
distrusts() {
	local what=$1 why=$2
	shift 2
	probe_start liar "$@" one-more 'a/+'
	check "$what" soon 10 says liar "^state waiting .*$why"
	check "$what: never connected" equal "$(grep -c '^state connected' liar.out)" 0
	order liar close
}
port=${broker_ports[named]}
distrusts 'another name' '127.0.0.1 is not accepted: IP address mismatch' 127.0.0.1 "$port" x ca=ca.pem
distrusts 'another authority' 'localhost is not accepted: ' localhost "$port" x ca=other-ca.pem
distrusts 'a file that is not there' 'nowhere.pem: ' localhost "$port" x ca=nowhere.pem
distrusts 'a file that is no certificate' 'many: ' localhost "$port" x ca=many
distrusts 'a key of another' 'broker.key: ' localhost "$port" x ca=ca.pem cert=client.pem key=broker.key
probe_start plain localhost "$port" plain 'a/+'
check 'a client without TLS gets nowhere' soon 15 says plain '^state waiting '
order plain close
broker_kill named

broker_start closed "certfile $place/by-address.pem" "keyfile $place/by-address.key" "cafile $place/ca.pem" \
	'require_certificate true' 'use_identity_as_username true'
port=${broker_ports[closed]}
probe_start two 127.0.0.1 "$port" two 'a/+' ca=ca.pem cert=client.pem key=client.key
check 'a certificate for an address, and one of our own' soon 10 connects two 1
check 'which says who it is' soon 5 grep -q "as two (p5.*u'client'" closed/broker.log
order two close
distrusts 'no certificate' '' 127.0.0.1 "$port" x ca=ca.pem
distrusts 'one of another authority' '' 127.0.0.1 "$port" x ca=ca.pem cert=stranger.pem key=stranger.key
broker_kill closed
