# Shared by the tests with a real Mosquitto: brokers on ports of the system's choice, and mqtt_probe.
# shellcheck shell=bash
broker_port=0
declare -A broker_ports=() probe_in=()

free_tcp_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# $1: its folder, rest: lines of its configuration. Another process may have taken the port: it is tried again.
broker_start() {
	local dir=$1 user try
	shift
	mkdir -p "$dir"
	user=$(id -un)
	for try in 1 2 3; do
		broker_port=$(free_tcp_port)
		printf '%s\n' "listener $broker_port 127.0.0.1" "user $user" 'log_type all' "log_dest file $place/$dir/broker.log" \
			'max_queued_messages 0' 'persistence true' "persistence_location $place/$dir/" "$@" >"$dir/broker.conf"
		broker_ports[$dir]=$broker_port
		broker_again "$dir" && return 0
	done
	return 1
}

# The same one, on its port.
broker_again() {
	mosquitto -c "$1/broker.conf" >>"$1/broker.out" 2>&1 &
	echo $! >"$1/broker.pid"
	await $((10 * SLOW)) listens "${broker_ports[$1]}" "$1"
}

listens() {
	kill -0 "$(cat "$2/broker.pid")" && python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" 2>/dev/null
}

broker_kill() {
	kill -9 "$(cat "$1/broker.pid")" 2>/dev/null || true
	wait "$(cat "$1/broker.pid")" 2>/dev/null || true
	rm -f "$1/broker.pid"
}

pub() {
	timeout 20 mosquitto_pub -h 127.0.0.1 -p "$broker_port" -q 1 "$@"
}

# $1: its name, under which NAME.out is what it says; rest: arguments. One of that name before has been closed.
probe_start() {
	local name=$1 fd
	shift
	rm -f "$name.in" "$name.out"
	mkfifo "$name.in"
	mqtt_probe "$@" <"$name.in" >"$name.out" 2>"$name.err" &
	echo $! >"$name.probe"
	exec {fd}>"$name.in"
	probe_in[$name]=$fd
}

order() {
	echo "$2" >&"${probe_in[$1]}"
	[ "$2" != close ] || eval "exec ${probe_in[$1]}>&-"
}

says() {
	grep -Eq "$2" "$1.out" || { tail -n 5 "$1.out" && return 1; }
}

# $1: how often, $2: who, $3: what
at_least() {
	[ "$(grep -Ec "$3" "$2.out")" -ge "$1" ]
}

connects() {
	equal "$(grep -c '^state connected' "$1.out")" "$2"
}

logged() {
	equal "$(grep -c "$1" plain/broker.log)" "$2"
}

# Every one of the messages of four publishers, at least once.
floods() {
	equal "$(grep ' a/flood ' "$1.out" | awk '{ print $NF }' | sort -u | wc -l)" "$2"
}

brokers_stop() {
	local pid
	for pid in "$place"/*/broker.pid "$place"/*.probe; do
		[ ! -f "$pid" ] || kill -9 "$(cat "$pid")" 2>/dev/null || true
	done
}
trap 'brokers_stop; conclude' EXIT
