#!/usr/bin/env bash
# The README's page from a founding to the audit, as it stands there: only fingerprints, ports and the wait for what
# spreads are filled in.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 2)

# The commands of the section, the indented lines before the list at its end.
commands() {
	sed -n '/^## Two companies, one property/,/^More of the same/s/^    //p' "$root/README.md"
}

refused() {
	while "$@" >/dev/null 2>&1; do sleep 0.2; done
	! "$@" 2>&1
}

# Again until it succeeds: bundles, heads and policies take a moment from node to node.
holds() {
	local code=0 tries=$((50 * SLOW))
	until "$@" >out 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || code=$?
		[ $code -eq 0 ] || break
		sleep 0.2
	done
	cat out
	return $code
}

page() {
	commands | sed -E \
		-e "s|tcp://127.0.0.1:5570|tcp://${addresses[0]}|; s|tcp://127.0.0.1:5571|tcp://${addresses[1]}|" \
		-e 's|^holond --dir ([^ ]*) &|node_start \1|' \
		-e 's|--fingerprint ([A-Z]*)-\.\.\.|--fingerprint "$(org_fingerprint $(echo \1 \| tr A-Z a-z))"|' \
		-e 's|= HARBOR-\.\.\.|= @harbor@|' \
		-e '/^holon .*policy check/i sed -i "s/@harbor@/$(org_fingerprint harbor)/" acme.policy' \
		-e 's|^(holon .*)# refused.*|refused \1|; s|^holon |holds holon |'
}

page >page.bash
check 'the page has commands' test "$(wc -l <page.bash)" -gt 40
set +e
(
	set -e
	. ./page.bash
) >page.out 2>&1
code=$?
set -e
check 'every command of the page does what stands there' equal $code 0
[ $code -eq 0 ] || cat page.out
check 'the person got the one property' grep -qx '61.5 degC' page.out
check 'and nobody the recipe' eval '! grep -q "8000 kN" page.out'
check 'the refusals say the same' equal "$(grep -c 'acme/press7: not shared with you or not there; ask acme' page.out)" 2
check 'the revoked person is refused by name' grep -q 'credential of inspector-7 at harbor was revoked' page.out
check 'why: it is shared with a role only' grep -q 'grants it to the role inspector only' page.out
check 'why: a never stands against it' grep -q 'by never "recipes stay at home"' page.out
check 'the audit names the person, the property and the rule' grep -qE \
	'^harbor +harbor/inspector-7 +read +state/temperature +temperature for inspectors +[0-9]+ ' page.out
