#!/usr/bin/env bash
# `holon adapter run`: what a program prints is stored and acknowledged line by line, whatever ends meanwhile: the
# program, its node, or the bridge between them. A simulated machine counts: 1, 2, 3, ...
. "$(dirname "$0")/lib.sh"

found_and_start acme
cat >machines.json <<-'JSON'
	{"types": [{"name": "machine", "kind": "asset", "properties": [
	   {"name": "state/count", "type": "int64"}, {"name": "state/speed", "type": "double", "unit": "1/min", "min": 0}]}],
	 "twins": [{"id": "acme/m1", "type": "machine"}, {"id": "acme/m2", "type": "machine"}]}
JSON
quietly holon --node acme/site apply machines.json
run_adapter() {
	holon --node acme/site adapter run "$@"
}
exec_adapter() { # in the background: $! is the bridge itself
	exec holon --node acme/site adapter run "$@"
}
counts() {
	samples '[s["value"] for s in d]' acme/site acme/m1 state/count --limit 100000
}

cat >once.sh <<'SH'
for i in 1 2 3; do echo "{\"twin\": \"acme/m1\", \"property\": \"state/count\", \"t\": $((1700000000 + i)), \"value\": $i}"; done
echo 'this is no JSON'
echo '{"twin": "acme/m1", "property": "state/speed", "value": -1}'
echo '{"command": "00", "state": "done"}'
echo '{"twin": "acme/m1", "property": "state/count", "t": 1700000004, "value": 4}'
while read -r line; do
	echo "$line" >>told
	case $line in '{"durable": 7}') break ;; esac
done
echo 'on standard error' >&2
exit 3
SH
check 'the program ends, and with it the bridge: refused lines are exit code 1' \
	bash -c 'holon --node acme/site adapter run bridge --once -- sh once.sh >out 2>err; [ $? -eq 1 ]'
check 'what it printed is stored' equal "$(counts)" '[1, 2, 3, 4]'
check 'it is counted' grep -q '^7 lines: 4 stored, 0 there already, 3 refused' out
check 'refused lines are said with their number, once each' equal \
	"$(grep -c '^holon: bridge:[456]: ' err)" 3
check 'and to the program, before the lines are durable' equal "$(grep -v durable told | head -c 500)" \
	"$(printf '%s\n' "{\"refused\": 4, \"reason\": \"'[' or '{' expected near 'this'\"}" \
	"{\"refused\": 6, \"reason\": \"command: '00' is not the id of a command\"}" \
	'{"refused": 5, "reason": "property '"'state/speed'"': -1 is below the minimum 0"}' | head -c 500)"
check 'its standard error is passed on' grep -q '^on standard error$' err
check 'samples have the adapter as their source' equal \
	"$(samples 'd[0]["source"]' acme/site acme/m1 state/count --limit 1)" bridge

refuses 'a program that is not there' 1 'no-such-program: No such file' run_adapter bridge --once -- ./no-such-program
refuses 'a name that is none' 1 'adapter' run_adapter 'a b' --once -- true
refuses 'no program' 2 'usage: holon adapter run' run_adapter bridge

# A machine that goes on from what it was told to be durable, however it ends.
cat >machine.py <<'PYTHON'
import json, os, sys, threading, time
n = int(open("next").read()) if os.path.exists("next") else 1000
first = n
open("pids", "a").write("%d\n" % os.getpid())
def hear():
    for line in sys.stdin:
        d = json.loads(line)
        if "durable" in d:
            with open("next.new", "w") as f: f.write(str(first + d["durable"]))
            os.rename("next.new", "next")
    os._exit(0)
threading.Thread(target=hear, daemon=True).start()
while True:
    print(json.dumps({"twin": "acme/m2", "property": "state/count", "t": 1700000000 + n, "value": n}), flush=True)
    n += 1
    time.sleep(0.001)
PYTHON
whole() { # every number from 1000 up to what was told to be durable is there
	samples '[s["value"] for s in d]' acme/site acme/m2 state/count --limit 1000000 >is
	python3 - <<-'PYTHON'
		import ast
		have, told = ast.literal_eval(open("is").read()), int(open("next").read())
		assert told > 1000 and have[:told - 1000] == list(range(1000, told)), (told, have[:3], len(have))
	PYTHON
}
has_grown() {
	local before
	before=$(cat next)
	soon 20 eval "[ \$(cat next) -gt $((before + 200)) ]"
}
setsid holon --node acme/site adapter run machine --twins acme/m2 -- python3 machine.py >machine.out 2>machine.err &
bridge=$!
check 'a machine is bridged' soon 10 test -s next
check 'what it says becomes durable' has_grown
kill -KILL "$(tail -n 1 pids)"
check 'a program that is killed is started again' soon 20 eval '[ $(wc -l <pids) -ge 2 ]'
check 'and goes on' has_grown
check 'that is said' grep -q 'the program ended with exit code 137; it is started again in 500ms' machine.err
node_kill acme/site
check 'the bridge says that the node is gone' soon 20 grep -q 'trying again' machine.err
node_start acme/site
check 'when the node is back it goes on' has_grown
check 'and the program was not started anew for it' equal "$(wc -l <pids)" 2
kill -KILL "$bridge"
check 'when the bridge is killed the program ends with its standard input' wait_gone "$(tail -n 1 pids)" 20
setsid holon --node acme/site adapter run machine --twins acme/m2 -- python3 machine.py >machine.out 2>machine.err &
bridge=$!
check 'a new bridge goes on where the old one was' has_grown
kill -TERM "$bridge"
check 'it ends when it is asked to' wait_gone "$bridge" 15
check 'nothing that was told to be durable is missing' whole

# Two of one name, and one that stays deaf.
exec_adapter twice -- sleep 100 >twice.out 2>twice.err &
first=$!
check 'a program is attached' soon 10 grep -q 'adapter: twice is connected' acme/site.log
exec_adapter twice -- sleep 100 >/dev/null 2>&1 &
second=$!
check 'a second one of its name ends the first' wait_gone "$first" 20
check 'and says so' grep -q 'another program is attached by this name now' twice.err

# Without a node it looks for one now and then, and does not turn in circles.
busy_ticks() { awk '{ print $14 + $15 }' "/proc/$second/stat"; }
node_kill acme/site
sleep 1
before=$(busy_ticks)
sleep 3
check 'without a node it takes next to no time of the processor' test "$(busy_ticks)" -lt $((before + 60 * ${HOLON_SLOW:-1}))
node_start acme/site
kill -TERM "$second"
check 'the second one ends when asked' wait_gone "$second" 15

# Back-pressure: a program that prints without end, and a node that is stopped for a while.
exec_adapter flood -- sh -c 'exec yes "{\"twin\": \"acme/m1\", \"property\": \"state/count\", \"value\": 1}"' >flood.out 2>flood.err &
flood=$!
check 'a flood is stored' soon 20 eval '[ $(status_of acme/site samples_taken) -gt 20000 ]'
kill -STOP "$(node_pid acme/site)"
sleep 1
memory() { awk '/VmRSS/ { print $2 }' "/proc/$flood/status"; }
before=$(memory)
sleep 1
check 'while the node stands still the flood waits, in bounded memory' test "$(memory)" -lt $((before + 4096))
kill -CONT "$(node_pid acme/site)"
kill -TERM $flood
check 'it ends when asked' wait_gone $flood 20
