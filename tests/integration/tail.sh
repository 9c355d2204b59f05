#!/usr/bin/env bash
# The tail adapter: a CSV file that grows while the node is killed -9 again and again and the file is rotated: every line
# is stored once.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 1)
quietly org_found acme site "${addresses[0]}"
mkdir -p acme/site/adapters
cat >acme/site/adapters/log.json <<JSON
{"kind": "tail", "file": "$PWD/log.csv", "every": "20ms", "time": {"column": "when", "format": "s"},
 "columns": [{"column": "n", "twin": "acme/{machine}", "property": "state/count"},
  {"column": "heat", "twin": "acme/{machine}", "property": "state/temperature", "unit": "degC"}]}
JSON
cat >acme/site/adapters/untimed.json <<JSON
{"kind": "tail", "file": "$PWD/untimed.csv", "every": "20ms", "header": false, "separator": ";",
 "columns": [{"column": 1, "twin": "acme/m2", "property": "state/count"}]}
JSON
cat >machine.json <<'JSON'
{"types": [{"name": "machine", "kind": "asset", "properties": [
   {"name": "state/count", "type": "int64"}, {"name": "state/temperature", "type": "double", "unit": "K"}]}],
 "twins": [{"id": "acme/m1", "type": "machine"}, {"id": "acme/m2", "type": "machine"}]}
JSON
echo 'when,machine,n,heat' >log.csv
: >untimed.csv
node_start acme/site
quietly holon --node acme/site apply machine.json

n=0
write() { # $1: how many lines
	local i
	for ((i = 0; i < $1; i++, n++)); do
		echo "$((1700000000 + n)),m1,$n,20.5" >&5
		echo "$n" >&6
	done 5>>log.csv 6>>untimed.csv
}
all() { samples "[s['value'] for s in d] == list(range($n))" acme/site "$1" state/count --limit 1000000; }
are_all() { equal "$(all "$1")" True; }
write 100
check 'lines are stored' soon 10 are_all acme/m1
check 'without a time of their own, too' soon 10 are_all acme/m2
check 'a cell in another unit is converted' equal \
	"$(samples 'd[0]["value"]' acme/site acme/m1 state/temperature --limit 1)" 293.65
printf '%s' "$((1700000000 + n)),m1," >>log.csv
sleep 0.3
printf '%s\n' "$n,20.5" >>log.csv
echo "$n" >>untimed.csv
n=$((n + 1))
check 'a line that is written in two pieces is one' soon 10 are_all acme/m1
for round in 1 2 3 4 5; do
	write 400
	node_kill acme/site
	write 10
	if [ $round -eq 2 ] || [ $round -eq 4 ]; then
		rm -f log.csv.1
		mv log.csv log.csv.1
		echo 'heat,n,machine,when' >log.csv
		for ((i = 0; i < 5; i++, n++)); do
			echo "20.5,$n,m1,$((1700000000 + n))" >>log.csv
			echo $n >>untimed.csv
		done
		mv log.csv log.next
		{ echo 'when,machine,n,heat' && awk -F, 'NR > 1 { print $4 "," $3 "," $2 "," $1 }' log.next; } >log.csv
	fi
	node_start acme/site
	# a file that is rotated away before it was ever looked at is nobody's
	check "round $round: every line is there, once" soon 20 are_all acme/m1
done
check 'killed five times and rotated twice: every line is there, once' soon 20 are_all acme/m1
check 'and every one without a time, once' soon 20 are_all acme/m2
{
	echo 'no time,m1,1,2'
	echo "1700000000,m9,1,2"
	echo "1700000000,m1,many,2"
	echo '"1700000000,m1,1,2'
} >>log.csv
write 10
check 'lines that make no sense do not keep back the others' soon 10 are_all acme/m1
check 'and are told of' soon 10 eval '[ $(wc -l <acme/site/adapters/log.dead) -ge 4 ]'
check 'of a twin that is not there no series is kept' \
	soon 10 grep -q 'there is no twin acme/m9 here' acme/site/adapters/log.dead
mv log.csv log.csv.2
printf 'a,b\n1,2\n' >log.csv
check 'a header without the columns is said' soon 20 grep -q "log is waiting: .*has no column 'when'" acme/site.log
