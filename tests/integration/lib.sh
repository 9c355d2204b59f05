# Shared by the integration tests: real nodes on loopback addresses in a scratch directory, and assertions.
# Each test is called with the source root and the build root.
# shellcheck shell=bash
set -euo pipefail
root=${1:?usage: TEST SOURCE-ROOT BUILD-ROOT} build=${2:?usage: TEST SOURCE-ROOT BUILD-ROOT}
. "$root/deploy/demo/lib.sh"
export PATH=$build/tools:$build/node:$build/tests/integration:$PATH
unset HOLON_NODE HOLON_ENDPOINT HOLON_PERSON HOLON_TAP HOLON_EGRESS_OFF

# A python3 in PATH that first looks for the real one takes a tenth of a second each time: it is found once.
python=$(python3 -c 'import sys; print(sys.executable)')
python3() {
	"$python" "$@"
}

place=$(mktemp -d "${TMPDIR:-/tmp}/holon.XXXXXX")
n_checks=0 n_failed=0
SLOW=${HOLON_SLOW:-1} # how much longer than usual a build may take to answer
READY_SECONDS=$((20 * SLOW))
PASSPHRASE='correct horse battery staple'

conclude() {
	local code=$?
	trap - EXIT
	set +e
	local mesh
	for mesh in "$place" "$place"/*/; do # a test may keep several meshes in folders
		mesh_stop "$mesh" || code=1
	done
	if grep -rnE --include='*.log' 'Sanitizer|runtime error:|Assertion' "$place"; then
		echo 'FAILED: a node complained of itself'
		code=1
	fi
	[ $n_failed -eq 0 ] && [ $code -eq 0 ] || {
		tail -n 25 "$place"/*/*.log 2>/dev/null
		[ $code -ne 0 ] || code=1
	}
	if [ -n "${HOLON_KEEP-}" ]; then echo "kept: $place"; else rm -rf "$place"; fi
	[ $n_checks -gt 0 ] || { echo 'FAILED: nothing was checked' && code=1; }
	echo "$n_checks checks, $n_failed failed"
	exit $code
}
trap conclude EXIT
trap 'exit 143' TERM INT
cd "$place"

# $1: what should be so, rest: a command that succeeds if it is
check() {
	local what=$1
	shift
	n_checks=$((n_checks + 1))
	if "$@" >check.out 2>&1; then
		echo "ok: $what"
	else
		n_failed=$((n_failed + 1))
		printf 'FAILED: %s\n  %s\n' "$what" "$*"
		sed 's/^/  | /' check.out | head -n 20
	fi
}

# $1: what should be so, $2: exit code, $3: expression that the one line on standard error matches, rest: command
refuses() {
	local what=$1
	shift
	check "$what" one_line_and_code "$@"
}

one_line_and_code() {
	local want=$1 pattern=$2 code=0
	shift 2
	"$@" >refused.out 2>refused.err </dev/null || code=$?
	cat refused.err
	[[ $code =~ ^$want$ ]] || { echo "exit code $code, not $want" && return 1; }
	[ "$(wc -l <refused.err)" -eq 1 ] || { echo 'not one line on standard error' && return 1; }
	grep -qE "$pattern" refused.err || { echo "does not match: $pattern" && return 1; }
}

equal() {
	[ "$1" = "$2" ] || { printf 'is:        %s\nshould be: %s\n' "$1" "$2" && return 1; }
}

# Retry a check until it holds. $1: seconds that it may take on a machine with nothing else to do
soon() {
	await $(($1 * SLOW * 3)) "${@:2}"
}

quietly() {
	"$@" >quiet.out 2>&1 || { cat quiet.out && return 1; }
}

# To seal the keys of an organisation takes a second of a processor and a lot of memory: it is done once a day for each
# build, and copied. Not with another clock, nor with another passphrase.
org_init() {
	local kept new
	[ -f passphrase ] || (umask 077 && echo "$PASSPHRASE" >passphrase)
	mkdir -p "$1"
	if [ -n "${FAKETIME-}" ] || [ "$(cat passphrase)" != "$PASSPHRASE" ]; then
		holon org init "$1" --dir "$1/org" --passphrase-file passphrase
		return
	fi
	kept=$build/test-orgs/$(date +%F)-$(sha256sum <"$(command -v holon)" | cut -c 1-16)
	mkdir -p "$kept"
	if [ ! -d "$kept/$1" ]; then
		new=$(mktemp -d "$kept/new.XXXXXX")
		holon org init "$1" --dir "$new/org" --passphrase-file passphrase
		mv -T "$new/org" "$kept/$1" || [ -d "$kept/$1" ] # another test may have been quicker
		rm -rf "$new"
	fi
	cp -a "$kept/$1" "$1/org"
}

# Found ORG with the node `site`, start it.
found_and_start() {
	local org
	mapfile -t addresses < <(free_addresses $#)
	for org; do
		quietly org_found "$org" site "${addresses[0]}"
		addresses=("${addresses[@]:1}")
		node_start "$org/site"
	done
}

# Every two of the organisations trust each other.
trust_all() {
	local one other
	for one; do
		for other; do
			[ "$one" = "$other" ] || quietly org_trust "$one" site "$other"
		done
	done
}

# Publish the policy on standard input for ORG; @ORG:x@ and @UNTIL@ are filled in.
publish() {
	cat >"$1/policy.in"
	policy_write "$1/policy.in" "$1/policy"
	quietly holon --node "$1/${2-site}" policy publish "$1/policy" --org "$1/org"
}

# A field of the status of ORG/NODE.
status_of() {
	holon --json --node "$1" status | json "d['$2']"
}

# What a Python expression makes of the list `d` of samples. $1: it, $2: ORG/NODE, rest: arguments of history
samples() {
	local field=$1 node=$2
	shift 2
	holon --json --node "$node" history "$@" | python3 -c '
import json, sys
d = [json.loads(line) for line in sys.stdin]
print(eval(sys.argv[1]))' "$field"
}

view_field() {
	local field=$1
	shift
	view_json "$@" | json "$field"
}

# The factory and the city that the tests share: a plant of two presses, one of which is nobody's business.
apply_acme() {
	cat >acme.json <<-'JSON'
		{"types": [
		   {"name": "plant", "kind": "system"},
		   {"name": "press", "kind": "asset", "properties": [
		     {"name": "power/use", "type": "double", "unit": "kW", "kpi": true},
		     {"name": "recipe/force", "type": "double", "unit": "kN", "kpi": true}]}],
		 "twins": [
		   {"id": "acme/plant", "type": "plant"},
		   {"id": "acme/plant/press1", "type": "press"},
		   {"id": "acme/plant/press2", "type": "press"},
		   {"id": "acme/lab", "type": "press"}],
		 "relations": [
		   {"type": "contains", "from": "acme/plant", "to": "acme/plant/press1"},
		   {"type": "contains", "from": "acme/plant", "to": "acme/plant/press2"}]}
	JSON
	quietly holon --node "$1" apply acme.json
	reading acme/plant/press1 power/use 2024-03-04T10:00:00Z 100 >acme.readings
	reading acme/plant/press2 power/use 2024-03-04T10:00:00Z 50 >>acme.readings
	reading acme/plant/press1 recipe/force 2024-03-04T10:00:00Z 8000 >>acme.readings
	reading acme/lab power/use 2024-03-04T10:00:00Z 7 >>acme.readings
	quietly holon --node "$1" ingest acme.readings
}

apply_harbor() {
	cat >harbor.json <<-'JSON'
		{"types": [{"name": "city", "kind": "system-of-systems"}],
		 "twins": [{"id": "harbor/city", "type": "city"}],
		 "relations": [{"type": "contains", "from": "harbor/city", "to": "acme/plant"}]}
	JSON
	quietly holon --node "$1" apply harbor.json
}

acme_policy() {
	cat <<-'POLICY'
		policy acme
		  org harbor = @ORG:harbor@

		  never "recipes"
		    to everyone-else
		    twins **
		    deny summary, read, history of recipe/**

		  share "the plant"
		    to org harbor
		    twins plant/**
		    allow discover, summary
		    allow read power/use
		    allow history power/use
		    until @UNTIL@
	POLICY
}

reading() {
	printf '{"twin": "%s", "property": "%s", "t": "%s", "value": %s}\n' "$@"
}

now() {
	date -u +%Y-%m-%dT%H:%M:%S.%NZ
}

# Harbor sees the plant whole: everything live, confirmed, with this total.
city_is_whole() {
	equal "$(view_field '(d["certificate"]["cached"], d["certificate"]["unreachable"],
		d["certificate"]["unconfirmed"], float(d["rollups"][0]["value"]))' harbor/site harbor/city --rollup sum:power/use)" \
		"(0, 0, 0, $1)"
}
