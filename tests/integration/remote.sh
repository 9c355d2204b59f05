#!/usr/bin/env bash
# Orders over the network: who has a configured key is served, and nobody else - no stranger, no node of the own
# organisation, nobody without encryption.
. "$(dirname "$0")/lib.sh"

found_and_start acme
quietly holon node init other --org acme/org --dir acme/other --role owner
quietly holon node init admin --org acme/org --dir acme/admin --role owner
apply_acme acme/site
node_stop acme/site

ask() {
	timeout 20 remote ask "$address" acme/site "$1"
}
port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
address=tcp://127.0.0.1:$port

node_start acme/site
check 'by default nothing listens' equal "$(ask acme/admin)" refused
node_stop acme/site

printf '[listen]\ncontrol = %s\n' "$address" >>acme/site/holon.conf
node_start acme/site
check 'without keys nobody is served' equal "$(ask acme/admin)" refused
node_stop acme/site

printf '[control]\nkey = %s\n' "$(remote key acme/admin)" >>acme/site/holon.conf
node_start acme/site
check 'a configured key is served' equal "$(ask acme/admin)" site
check 'a key made a moment ago is not' equal "$(ask fresh)" refused
check 'a node of the own organisation is not' equal "$(ask acme/other)" refused
check 'the node itself is not' equal "$(ask acme/site)" refused
check 'without encryption nobody is' equal "$(ask none)" refused
check 'strangers are counted' [ "$(status_of acme/site refused_handshakes)" -ge 3 ]
check 'the socket in the directory serves as before' equal "$(status_of acme/site node)" site
