#!/usr/bin/env bash
# Who floods a node with what is refused fills neither its log nor its audit, and is counted to the last one.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
trust_all acme harbor
apply_acme acme/site
acme_policy | publish acme
check 'the partner reads' soon 20 quietly holon --node harbor/site history acme/plant/press1 power/use

counted() { # $1: kind, $2: subject; their sum and how many entries it took
	holon --json --node acme/site audit list --kind "$1" | python3 -c '
import json, sys
n = [e["count"] for e in map(json.loads, sys.stdin) if e["subject"] == sys.argv[1]]
print(sum(n), len(n) <= int(sys.argv[2]))' "$2" "$3"
}

# ---- Questions that are denied
for _ in $(seq 20); do
	holon --node harbor/site history acme/plant/press1 recipe/force >/dev/null 2>&1 || true
done

# ---- Frames that are none, and keys that nobody knows
node_stop harbor/site
log_before=$(wc -c <acme/site.log)
for _ in $(seq 12); do
	quietly rogue garbage-after-hello harbor/site harbor/harbor.bundle acme/acme.bundle
	quietly rogue stranger harbor/site harbor/harbor.bundle acme/acme.bundle
done
frames=$(status_of acme/site malformed_frames)
handshakes=$(status_of acme/site refused_handshakes)
check 'frames and handshakes were refused' [ "$frames" -ge 2 ] && check 'both of them' [ "$handshakes" -ge 2 ]
log_grown=$(($(wc -c <acme/site.log) - log_before))
check "the log has some lines of it at most ($log_grown bytes)" [ "$log_grown" -lt 16384 ]

check 'each denied question is counted' equal "$(counted denied '' 3)" '20 True'
check 'each refused frame is counted' equal "$(counted limit 'refused frame' 6)" "$frames True"
check 'each refused handshake is counted' equal "$(counted limit 'refused handshakes' 3)" "$handshakes True"
check 'all of it took few entries' [ "$(holon --json --node acme/site audit list | wc -l)" -lt 80 ]
