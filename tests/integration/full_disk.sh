#!/usr/bin/env bash
# A node whose disk is full: writes are refused and say why, reading and the mesh go on, and it works again
# without a restart once there is room. Nothing acknowledged is lost. Needs root, for a small tmpfs.
. "$(dirname "$0")/lib.sh"

mkdir -p probe
if ! mount -t tmpfs -o size=64k none probe 2>/dev/null; then
	echo 'skipped: a small disk needs root'
	trap - EXIT
	cd / && rm -rf "$place"
	exit 77
fi
umount probe

unmount_and_conclude() {
	local code=$?
	set +e
	mesh_stop "$place" || code=1
	umount -l "$place/acme/site/store" || code=1
	(exit $code)
	conclude
}
trap unmount_and_conclude EXIT

mapfile -t addresses < <(free_addresses 2)
quietly org_found acme site "${addresses[0]}"
mkdir -p acme/site/store
mount -t tmpfs -o size=24m none acme/site/store
node_start acme/site
quietly org_found harbor site "${addresses[1]}"
node_start harbor/site
trust_all acme harbor
apply_acme acme/site
apply_harbor harbor/site
acme_policy | publish acme
quietly holon --node acme/site rel confirm harbor/city acme/plant
check 'the view is whole before' soon 10 city_is_whole 150.0

# One reading of press 2 at this second; written down when it was acknowledged. A refusal must come long before the
# thirty seconds.
write_one() {
	reading acme/plant/press2 power/use "$(date -u -d "2024-03-05 + $1 seconds" +%Y-%m-%dT%H:%M:%SZ)" 50 |
		timeout $((30 * SLOW)) holon --node acme/site --timeout $((2 * SLOW))s ingest - && echo "$1" >>acknowledged
}

kept_all() {
	holon --json --node acme/site history acme/plant/press2 power/use --from 2024-03-05T00:00:00Z |
		python3 -c '
import json, sys
have = {json.loads(line)["t"][:19] for line in sys.stdin}
import datetime
begin = datetime.datetime(2024, 3, 5)
lost = [n for n in map(int, open("acknowledged")) if (begin + datetime.timedelta(seconds=n)).isoformat() not in have]
sys.exit("lost: %s" % lost if lost else 0)'
}

fill() {
	cat /dev/zero >acme/site/store/filler 2>/dev/null || true
}

# Readings until one is refused: what is allocated already may take some.
until_refused() {
	local n code
	for n in $(seq "$1" $(($1 + 3000))); do
		code=0
		write_one "$n" >one.out 2>one.err || code=$?
		[ $code -eq 0 ] || break
	done
	equal $code 1
}

check 'a reading is taken' write_one 1
fill
check 'it is refused when the disk is full' until_refused 2
check 'with one line that says so' grep -qiE 'no space|full' one.err
cat one.err
backup_is_refused() {
	local code=0
	timeout $((30 * SLOW)) holon --node acme/site backup create "$place/backup" 2>backup.err || code=$?
	[ $code -eq 1 ] && grep -qi 'no space' backup.err && [ ! -e "$place/backup" ]
}
check 'a backup is refused, too, and not begun later' backup_is_refused
cat backup.err
check 'what was acknowledged is read on' kept_all
check 'the status is read on' quietly holon --node acme/site status
check 'the mesh goes on: the view is whole' soon 10 city_is_whole 150.0
node_kill acme/site
node_start acme/site
check 'it starts on the full disk' kept_all
check 'and is seen by others again' soon 15 city_is_whole 150.0
rm acme/site/store/filler
check 'with room it is written to again, without a restart' soon 15 write_one 9000
check 'and again' write_one 9001
check 'and a backup is taken' quietly holon --node acme/site backup create "$place/backup"
node_kill acme/site
node_start acme/site
check 'everything acknowledged is there after a fall' kept_all
