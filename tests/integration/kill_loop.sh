#!/usr/bin/env bash
# kill -9 of a node under ingest, again and again, with a ledger of what was acknowledged: all of it is there.
# HOLON_ROUNDS kills (20).
. "$(dirname "$0")/lib.sh"
rounds=${HOLON_ROUNDS:-20}

# Batches of 200 readings in files of their own; reading i of batch n has the value 200 n + i.
python3 - $((rounds * 40)) <<-'PYTHON'
	import datetime, os, sys
	begin = datetime.datetime(2024, 3, 5, tzinfo=datetime.timezone.utc)
	os.mkdir("batches")
	for n in range(int(sys.argv[1])):
	    with open("batches/%d" % n, "w") as out:
	        for value in range(200 * n, 200 * n + 200):
	            at = (begin + datetime.timedelta(seconds=value)).strftime("%Y-%m-%dT%H:%M:%SZ")
	            twin = "acme/plant/press%d" % (1 + value % 2)
	            out.write('{"twin": "%s", "property": "power/use", "t": "%s", "value": %d}\n' % (twin, at, value))
PYTHON

# From batch $1 on, until the node is gone.
write_until_it_fails() {
	local n=$1
	while holon --node acme/site --timeout $((1 * SLOW))s ingest "batches/$n" >/dev/null 2>>ingest.err; do
		echo "$n" >>acknowledged
		n=$((n + 1))
	done
}

kept_all() {
	local press
	for press in 1 2; do
		holon --json --node acme/site history "acme/plant/press$press" power/use --from 2024-03-05T00:00:00Z
	done >found
	python3 -c '
import datetime, json, sys
begin = datetime.datetime(2024, 3, 5, tzinfo=datetime.timezone.utc)
have = set()
for line in open("found"):
    d = json.loads(line)
    at = datetime.datetime.fromisoformat(d["t"].replace("Z", "+00:00"))
    if (at - begin).total_seconds() != d["value"]:
        sys.exit("wrong value: " + line)
    have.add(int(d["value"]))
lost = {200 * int(n) + i for n in open("acknowledged") for i in range(200)} - have
sys.exit("lost: %s" % sorted(lost)[:20] if lost else 0)'
}

found_and_start acme
apply_acme acme/site
: >acknowledged
for round in $(seq 1 "$rounds"); do
	next=$(($(tail -n 1 acknowledged || true) + 2)) # the one behind it may have been on its way
	write_until_it_fails $next &
	writer=$!
	sleep "0.$((10 + round * 37 % 85))"
	node_kill acme/site
	wait $writer
	node_start acme/site
	# what was acknowledged once is not written again: if it is lost, it stays lost
	[ $((round % 4)) -ne 0 ] && [ "$round" -ne "$rounds" ] ||
		check "round $round: every acknowledged reading is there" kept_all
done
check "batches were acknowledged: $(wc -l <acknowledged)" [ "$(wc -l <acknowledged)" -ge "$rounds" ]
