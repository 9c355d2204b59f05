#!/usr/bin/env bash
# Who may not come in: a key that nobody enrolled, an organisation that is not trusted, a client without CURVE.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor volt
trust_all acme harbor
# volt knows acme, but acme does not know volt
quietly org_trust volt site acme

refused_before=$(status_of acme/site refused_handshakes)
check "a stranger's key is refused" eval 'rogue stranger harbor/site harbor/harbor.bundle acme/acme.bundle |
	grep "^refused, 0 frames"'
check 'and counted' soon 5 eval '[ "$(status_of acme/site refused_handshakes)" -gt "$refused_before" ]'
check 'a client without CURVE is refused' eval 'rogue plain harbor/site harbor/harbor.bundle acme/acme.bundle |
	grep "^refused, 0 frames"'
check 'the key of an organisation that is not trusted is refused' eval \
	'rogue silent volt/site volt/volt.bundle acme/acme.bundle | grep "^refused, 0 frames"'
check 'the key of a trusted one is admitted (or none of this proves anything)' eval \
	'rogue silent harbor/site harbor/harbor.bundle acme/acme.bundle | grep "^admitted"'

connected() {
	holon --json --node "$1" peer list | json "[p['state'] for p in d['peers'] if p['org'] == '$2']"
}
check 'trusted organisations are connected' soon 10 eval 'equal "$(connected acme/site harbor)" connected'
check 'one-sided trust connects nobody' eval '! connected volt/site acme | grep -qx connected'
check 'and shows nothing at the other side' equal "$(connected acme/site volt)" ''

wrong=$(org_fingerprint harbor)
refuses 'a wrong fingerprint is refused' 1 'fingerprint|another organisation' \
	holon --node acme/site org trust volt/volt.bundle --fingerprint "$wrong"
head -c 200 volt/volt.bundle >cut.bundle
refuses 'a cut bundle is refused' 1 'bundle' \
	holon --node acme/site org trust cut.bundle --fingerprint "$(org_fingerprint volt)"
quietly org_trust acme site volt
check 'once trust is mutual they connect' soon 15 eval 'equal "$(connected volt/site acme)" connected'
