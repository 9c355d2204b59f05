#!/usr/bin/env bash
# A peer with a valid key that says what makes no sense: counted, dropped, its session reset; the node lives on.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
# a key that is kicked is held back; so that nobody waits for minutes the door forgives soon
node_stop acme/site
node_start acme/site --set limits.handshakes-key=600
trust_all acme harbor
apply_acme acme/site
apply_harbor harbor/site
acme_policy | publish acme
quietly holon --node acme/site rel confirm harbor/city acme/plant
check 'the view is whole before' soon 10 city_is_whole 150.0
node_stop harbor/site

lives_after() {
	local pid
	pid=$(node_pid acme/site)
	rogue "$1" harbor/site harbor/harbor.bundle acme/acme.bundle && status_of acme/site state &&
		equal "$(node_pid acme/site)" "$pid"
}

bad_frames() {
	echo $(($(status_of acme/site malformed_frames) + $(status_of acme/site refused_frames)))
}

for mode in garbage cut-hello garbage-after-hello many-parts; do
	before=$(bad_frames)
	check "the node outlives $mode" lives_after $mode
	check "and counts it" soon 5 eval '[ "$(bad_frames)" -gt "$before" ]'
done
# libzmq itself hangs up on a frame above the limit, before anybody can count it
check 'the node outlives too-much' lives_after too-much

check 'and an alarm says who it was' eval 'holon --node acme/site status | grep -q "^alarm peer harbor/site since "'
check 'the doctor has it too' eval '(holon doctor --node acme/site || true) | grep -q "^warning *peer: .*(harbor/site)"'

node_start harbor/site
check 'the real node of that key is served as before' soon 15 city_is_whole 150.0
