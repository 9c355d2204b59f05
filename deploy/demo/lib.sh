# Meshes of real nodes on this machine, for the demos and the integration tests (sourced by bash, with set -eu).
#
# A mesh lives in one directory; its commands run there, so that what is printed can be typed again:
#
#	ORG/org/        the admin's directory (root, issuer and policy keys)
#	ORG/NODE/       a node: keys, bundle, store, control socket
#	ORG/NODE.log    what it says; ORG/NODE.pid: its process while it runs
#	passphrase      of all the roots
#
# holond and holon are found in PATH. Nodes are stopped by the process id in their .pid file, and only if that
# process is a holond of that directory.

# Longest path of a Unix socket, less the terminating NUL; the longest name below the mesh is chosen with room.
SOCKET_PATH_MAX=107
ROOM_FOR_NODE=40

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

heading() {
	printf '\n== %s\n\n' "$*"
}

explain() {
	printf '%s\n' "$@" | fold -s -w 110
}

# Print a command as it would be typed, then run it.
run() {
	local word line='$'
	for word; do
		case $word in
		'' | *[!A-Za-z0-9_./:=,+@%^-]*) line="$line '${word//\'/\'\\\'\'}'" ;;
		*) line="$line $word" ;;
		esac
	done
	printf '%s\n' "$line"
	"$@"
}

now_ms() {
	local now=${EPOCHREALTIME/[.,]/}
	echo $((now / 1000))
}

# A field of a JSON document on standard input, as a Python expression of `d`; a whole list prints one item a line.
json() {
	python3 -c '
import json, sys
d = json.load(sys.stdin)
r = eval(sys.argv[1].strip())
print("\n".join(map(str, r)) if isinstance(r, list) else repr(r) if isinstance(r, float) else r)' "$1"
}

# ---- Places -----------------------------------------------------------------------------------------------------

# A directory for a mesh: $1 if sockets below it have names short enough, else a short one that $1/elsewhere names.
mesh_place() {
	local wanted=$1 short
	mkdir -p "$wanted"
	if [ $((${#wanted} + ROOM_FOR_NODE + 6)) -le $SOCKET_PATH_MAX ]; then
		printf '%s\n' "$wanted"
		return
	fi
	short=$(mktemp -d "${TMPDIR:-/tmp}/holon.XXXXXX")
	printf '%s\n' "$short" >"$wanted/elsewhere"
	printf '%s\n' "$short"
}

# Remove what an earlier mesh at $1 left, its nodes first. Only directories that a mesh made are touched.
mesh_clear() {
	local wanted=$1 place=$1
	[ ! -f "$wanted/elsewhere" ] || place=$(cat "$wanted/elsewhere")
	mesh_stop "$place"
	case $place in
	"$wanted" | */holon.??????) rm -rf "$place" ;;
	esac
	rm -rf "$wanted"
}

# $1: how many; prints `127.0.0.N:PORT` with N from 2 on and one port that is free on all of them.
free_addresses() {
	python3 - "$1" <<-'PYTHON'
		import random, socket, sys
		hosts = ["127.0.0.%d" % n for n in range(2, 2 + int(sys.argv[1]))]
		for attempt in range(200):
		    port, held = random.randrange(15000, 30000), []
		    try:
		        for host in hosts:
		            held.append(socket.socket())
		            held[-1].bind((host, port))
		    except OSError:
		        continue
		    finally:
		        for s in held:
		            s.close()
		    print("\n".join("%s:%d" % (host, port) for host in hosts))
		    sys.exit()
		sys.exit("no free port on the loopback addresses")
	PYTHON
}

# ---- Nodes ------------------------------------------------------------------------------------------------------

# Start ORG/NODE and wait until it serves. Rest: further arguments of holond. NODE_WITHIN: words of a command that runs
# it elsewhere and becomes it, such as `ip netns exec NAME`.
node_start() {
	local node=$1 fifo=$1.ready seconds=${READY_SECONDS:-30} pid
	shift
	rm -f "$fifo"
	mkfifo "$fifo"
	# descriptor 9 is the lock of demo.sh, which a node must not keep
	# shellcheck disable=SC2086 # a list of words
	setsid ${NODE_WITHIN-} holond --dir "$node" --ready-fd 3 "$@" 3>"$fifo" >>"$node.log" 2>&1 </dev/null 9>&- &
	pid=$!
	disown "$pid"
	printf '%s\n' "$pid" >"$node.pid"
	if read -r -t "$seconds" _ <"$fifo"; then
		rm -f "$fifo"
		return
	fi
	rm -f "$fifo"
	printf 'the node %s did not come up; its log (%s) ends with\n' "$node" "$node.log" >&2
	tail -n 20 "$node.log" >&2
	return 1
}

# The process id of ORG/NODE if it runs.
node_pid() {
	local pid
	pid=$(cat "$1.pid" 2>/dev/null) || return 1
	[ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "holond.* --dir $1 " || return 1
	printf '%s\n' "$pid"
}

# Wait until a process is gone. $1: its id, $2: seconds
wait_gone() {
	local pid=$1 tenths=$(($2 * 10))
	while [ $tenths -gt 0 ] && [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
		sleep 0.1
		tenths=$((tenths - 1))
	done
	[ $tenths -gt 0 ]
}

# Ask ORG/NODE to end; kill it, and fail, if it does not within ten seconds.
node_stop() {
	local node=$1 pid
	pid=$(node_pid "$node") || {
		rm -f "$node.pid"
		return 0
	}
	kill -TERM "$pid"
	if wait_gone "$pid" "${STOP_SECONDS:-10}"; then
		rm -f "$node.pid"
		return
	fi
	kill -KILL "$pid"
	rm -f "$node.pid"
	printf 'the node %s did not end within %s s and was killed\n' "$node" "${STOP_SECONDS:-10}" >&2
	return 1
}

# End ORG/NODE without a word, as a power cut would.
node_kill() {
	local pid
	pid=$(node_pid "$1") || return 0
	kill -KILL "$pid"
	wait_gone "$pid" 10
	rm -f "$1.pid"
}

# Stop every node of the mesh in $1.
mesh_stop() (
	[ -d "$1" ] || exit 0
	cd "$1"
	result=0
	for file in */*.pid; do
		[ ! -f "$file" ] || node_stop "${file%.pid}" || result=1
	done
	exit $result
)

# The end of the logs of the nodes that should run and do not, or of all nodes if all run.
mesh_complain() (
	cd "$1" || exit 0
	dead=
	for file in */*.pid; do
		[ -f "$file" ] || continue
		node_pid "${file%.pid}" >/dev/null || dead="$dead ${file%.pid}"
	done
	for log in */*.log; do
		node=${log%.log}
		[ -f "$log" ] && case $dead in '' | *" $node"*) ;; *) false ;; esac || continue
		printf '\n%s: %s ends with\n' "$node" "$PWD/$log"
		tail -n 12 "$log"
	done >&2
)

# `ORG ENDPOINT` for every node that runs.
mesh_endpoints() {
	local file node
	for file in */*.pid; do
		node=${file%.pid}
		printf '%s ipc://%s/%s/control\n' "${node%%/*}" "$PWD" "$node"
	done
}

# ---- Organisations -----------------------------------------------------------------------------------------------

# The keys and the bundle of the organisation $1, in $1/org.
org_init() {
	[ -f passphrase ] || (umask 077 && head -c 24 /dev/urandom | base64 >passphrase)
	mkdir -p "$1"
	run holon org init "$1" --dir "$1/org" --passphrase-file passphrase
}

# Found ORG with one node that is owner and border. $1: organisation, $2: node, $3: border address, $4: its roles if
# they are others
org_found() {
	org_init "$1"
	run holon node init "$2" --org "$1/org" --dir "$1/$2" --role "${4:-owner,border}" --border "tcp://$3"
	run holon org show --dir "$1/org" --bundle "$1/$1.bundle"
}

org_fingerprint() {
	holon --json org show --dir "$1/org" | json 'd["fingerprint"]'
}

# The running node $1/$2 accepts the organisation $3, whose bundle and fingerprint its admin was given.
org_trust() {
	run holon --node "$1/$2" org trust "$3/$3.bundle" --fingerprint "$(org_fingerprint "$3")"
}

# A policy from its template: @UNTIL@ is a year from now, @ORG:name@ the fingerprint of an organisation, @name@
# (from NAME=VALUE arguments) a value. $1: template, $2: the file to make
policy_write() {
	local from=$1 to=$2 name
	shift 2
	local text
	text=$(cat "$from")
	text=${text//@UNTIL@/$(date -u -d '+1 year' +%Y-%m-%d)}
	for name; do
		text=${text//@${name%%=*}@/${name#*=}}
	done
	while [[ $text =~ @ORG:([A-Za-z0-9._-]+)@ ]]; do
		name=${BASH_REMATCH[1]}
		text=${text//@ORG:$name@/$(org_fingerprint "$name")}
	done
	printf '%s\n' "$text" >"$to"
}

# ---- Views ------------------------------------------------------------------------------------------------------

# The JSON of a view; that part of the mesh did not answer (exit code 4) is an answer too. $1: ORG/NODE, rest: view
view_json() {
	local node=$1 code=0
	shift
	holon --json --node "$node" view "$@" || code=$?
	[ $code -eq 0 ] || [ $code -eq 4 ]
}

# The first roll-up of a view.
view_total() {
	view_json "$@" | json 'float(d["rollups"][0]["value"])'
}

# Show a view and say how long the answer took. Sets view_code to the exit code, 0 or 4 (part did not answer).
view_show() {
	local node=$1 began ended
	shift
	view_code=0
	began=$(now_ms)
	run holon --node "$node" view "$@" || view_code=$?
	ended=$(now_ms)
	[ $view_code -eq 0 ] || [ $view_code -eq 4 ] || return $view_code
	printf '(%d ms)\n' $((ended - began))
}

# Fail unless two numbers agree to 1e-9 of their size. $1: what is compared, $2: found, $3: expected
agree() {
	python3 - "$2" "$3" <<-'PYTHON' || die "$1 is $2 and should be $3"
		import sys
		found, expected = map(float, sys.argv[1:])
		sys.exit(abs(found - expected) > 1e-9 * max(abs(expected), 1e-300))
	PYTHON
}

# Repeat a command until it succeeds. $1: seconds at most, rest: the command. Its output is dropped.
await() {
	local until=$(($(now_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt $until ] || return 1
		sleep 0.05
	done
}
