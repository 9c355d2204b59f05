#!/usr/bin/env bash
# The door of a running node: it proves that it is locked, counts and writes down whom it keeps out or cuts, and does
# not run out of descriptors.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
trust_all acme harbor

connected() {
	holon --json --node "$1" peer list | json "[p['state'] for p in d['peers'] if p['org'] == '$2']"
}
kicks_of() {
	holon --json --node acme/site peer list | json "sum(p['kicks'] for p in d['peers'] if p['org'] == '$1')"
}
both_connected() {
	equal "$(connected acme/site harbor)" connected && equal "$(connected harbor/site acme)" connected
}
check 'the self-test passes after the start' soon 10 eval 'equal "$(status_of acme/site self_test)" passed'
check 'partners are connected' soon 10 both_connected
check 'nobody who behaves is cut' equal "$(status_of acme/site kicks) $(status_of harbor/site kicks)" '0 0'
check 'nor held back' equal "$(status_of acme/site held_handshakes) $(status_of harbor/site held_handshakes)" '0 0'

node_stop harbor/site
check 'a peer that sends frames of several parts is cut' eval \
	'rogue many-parts harbor/site harbor/harbor.bundle acme/acme.bundle | grep "^admitted"'
check 'that is counted for this peer' soon 5 eval '[ "$(kicks_of harbor)" -ge 1 ]'
check 'and in the status' eval '[ "$(status_of acme/site kicks)" -ge 1 ]'
check 'and written down with its name' soon 5 eval \
	'holon --json --node acme/site audit list --kind kick | grep -q "\"org\": \"harbor\""'

node_stop acme/site
node_start acme/site --set limits.handshakes-key=1 --set limits.handshakes-key-burst=2
knock() {
	for _ in 1 2 3 4; do
		rogue silent harbor/site harbor/harbor.bundle acme/acme.bundle
	done >knocks
	cat knocks
	equal "$(grep -c ^admitted knocks)" 2
}
check 'a key over its limit is kept out' knock
check 'that is counted' eval '[ "$(status_of acme/site held_handshakes)" -ge 1 ]'
node_stop acme/site
node_start acme/site
check 'and written down with its organisation' soon 5 eval \
	'holon --json --node acme/site audit list --kind limit | grep -q "\"org\": \"harbor\""'

# A crowd that connects again and again, and says nothing, while descriptors are few.
crowd() {
	python3 - "$1" <<-'PYTHON'
		import socket, sys, time
		host, port = sys.argv[1].removeprefix("tcp://").split(":")
		crowd, end = [], time.time() + 8
		while time.time() < end:
		    try:
		        s = socket.create_connection((host, int(port)), timeout=1)
		        s.setblocking(False)
		        crowd = crowd[-300:] + [s]
		    except OSError:
		        time.sleep(0.05)
	PYTHON
}
node_stop acme/site
(ulimit -n 128 && node_start acme/site --set limits.handshake=1min)
node_start harbor/site
check 'partners are connected with 128 descriptors' soon 20 both_connected
apply_acme acme/site
crowd "$(grep -o "border=tcp://[^ ]*" acme/site.log | tail -n 1 | cut -d= -f2)" &
sleep 3
check 'the node answers in the crowd' soon 10 eval 'status_of acme/site open_files'
wait $!
check 'it comes back to few descriptors' soon 20 eval '[ "$(status_of acme/site open_files)" -lt 100 ]'
check 'and serves as before' soon 20 both_connected
check 'the crowd was cut, and counted' eval '[ "$(status_of acme/site kicks)" -gt 100 ]'
