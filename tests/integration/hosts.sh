#!/usr/bin/env bash
# Twelve nodes of three organisations, each on a host of its own as far as the kernel can tell: network namespaces with
# their own addresses behind virtual switches, one for each organisation and one, the world, between their borders. While
# twins are written, measured and deleted everywhere, links go down, packet filters swallow what passes (in one direction
# too), nodes are killed, stopped, started, set back to old backups, and one border sits behind a bad line. Then
# everything heals, and every node must hold exactly what it may, and every acknowledged change must be there.
#
#	hosts.sh SOURCE-ROOT BUILD-ROOT [--seed N] [--rounds N] [--twins N]
#
# Needs root, network namespaces and nftables; skipped, aloud, without.
cannot() {
	echo "skipped: $*"
	exit 77
}
[ "$(id -u)" -eq 0 ] || cannot 'network namespaces need root'
for tool in ip nft; do
	command -v "$tool" >/dev/null || cannot "there is no $tool: deploy/install.sh brings it"
done
net=hl$$ # names of the namespaces begin with it
ip netns add "$net-0" 2>/dev/null || cannot 'the kernel gives no network namespaces'
{
	ip -n "$net-0" link add sw0 type bridge && ip -n "$net-0" link add v0 type veth peer name v1 &&
		ip netns exec "$net-0" nft -f - <<-'END'
			table inet probe {
				chain in { type filter hook input priority 0; ip saddr 192.0.2.1 drop; }
			}
			table ip relay {
				chain in { type nat hook prerouting priority -100; tcp dport 7000 redirect to :7001; }
			}
		END
} 2>/dev/null || {
	ip netns del "$net-0"
	cannot 'the kernel has no bridges, virtual links or packet filter'
}
ip netns del "$net-0"

. "$(dirname "$0")/lib.sh"
shift 2
seed=${HOLON_SEED:-$((RANDOM * 32768 + RANDOM))} rounds=${HOLON_ROUNDS:-1} twins=40
while [ $# -gt 0 ]; do
	case $1 in
	--seed) seed=$2 ;;
	--rounds) rounds=$2 ;;
	--twins) twins=$2 ;;
	*) die "hosts.sh does not know $1" ;;
	esac
	shift 2
done
echo "seed $seed; again with: tests/integration/hosts.sh SOURCE-ROOT BUILD-ROOT --seed $seed --rounds $rounds"
RANDOM=$((seed % 32768))

orgs=(acme harbor volt)
owners=(gate2 plant1 plant2)
nodes=() gates=()
for org in "${orgs[@]}"; do
	nodes+=("$org/gate1" "$org/gate2" "$org/plant1" "$org/plant2")
	gates+=("$org/gate1" "$org/gate2")
done
bad=harbor/gate1 # behind the bad line
heals=()         # commands that take faults back
hosts() {
	python3 "$root/tests/integration/hosts.py" "$@"
}

# ---- The net: 10.1.N.0/24 is the N-th organisation's, 10.9.0.0/24 the world, 10.8.0.0/30 what lies behind the bad line

host() {
	echo "$net-${1/\//-}"
}
within() {
	ip netns exec "$(host "$1")" "${@:2}"
}
cleanup_net() {
	local name
	for name in $(ip netns list | sed -n "s/^\($net-[^ ]*\).*/\1/p"); do
		ip netns pids "$name" | xargs -r kill -KILL 2>/dev/null
		ip netns del "$name"
	done
}
trap 'code=$?; trap - EXIT; set +e; [ -z "${loader-}" ] || kill "$loader" 2>/dev/null; thaw; conclude_with_net $code' EXIT
thaw() { # who is frozen could not end
	local order
	for order in "${heals[@]}"; do
		case $order in 'kill -CONT'*) eval "$order" ;; esac
	done
}
conclude_with_net() {
	local code=0
	(
		(exit "$1")
		conclude
	) || code=$?
	cleanup_net
	exit $code
}

# A switch, and a host at it. $1: switch; $1: switch, $2: host, $3: link there, $4: address
switch() {
	ip -n "$net-switch" link add "$1" type bridge
	ip -n "$net-switch" link set "$1" up
}
plug() {
	local port=$2-$3
	port=${port//[\/]/-}
	ip -n "$net-switch" link add "${port:0:15}" type veth peer name "$3" netns "$(host "$2")"
	ip -n "$net-switch" link set "${port:0:15}" master "$1" up
	ip -n "$(host "$2")" addr add "$4" dev "$3"
	ip -n "$(host "$2")" link set "$3" up
}

declare -A own_address border_address
build_net() {
	local node org n=0 i
	ip netns add "$net-switch"
	switch world
	for org in "${orgs[@]}"; do
		n=$((n + 1)) i=0
		switch "$org"
		for node in gate1 gate2 plant1 plant2; do
			i=$((i + 1))
			ip netns add "$(host "$org/$node")"
			ip -n "$(host "$org/$node")" link set lo up
			own_address[$org/$node]=10.1.$n.$i
			plug "$org" "$org/$node" own "10.1.$n.$i/24"
			case $org/$node in
			"$bad") border_address[$bad]=10.8.0.2 ;;
			*/gate?)
				border_address[$org/$node]=10.9.0.$n$i
				plug world "$org/$node" wide "10.9.0.$n$i/24"
				ip -n "$(host "$org/$node")" route add 10.8.0.0/30 via 10.9.0.99
				;;
			esac
		done
	done
	ip netns add "$(host line)"
	plug world line wide 10.9.0.99/24
	ip -n "$(host line)" link add near type veth peer name wide netns "$(host $bad)"
	ip -n "$(host line)" addr add 10.8.0.1/30 dev near
	ip -n "$(host line)" link set near up
	ip -n "$(host $bad)" addr add 10.8.0.2/30 dev wide
	ip -n "$(host $bad)" link set wide up
	ip -n "$(host $bad)" route add 10.9.0.0/24 via 10.8.0.1
	within line nft -f - <<-'END'
		table ip relay {
			chain in { type nat hook prerouting priority -100; tcp dport 7000 redirect to :7001; }
		}
	END
	mkfifo line.orders
	within line relay 7001 <>line.orders >line.log 2>&1 &
	exec 7<>line.orders
}

line() {
	echo "$*" >&7
}

# ---- The organisations

declare -A variant
start() {
	NODE_WITHIN="ip netns exec $(host "$1")" node_start "$1"
}
found() {
	local org=$1 node
	quietly org_init "$org"
	for node in gate1 gate2 plant1 plant2; do
		local words=(--listen "tcp://${own_address[$org/$node]}:7000")
		case $node in
		gate1) words+=(--role border --border "tcp://${border_address[$org/$node]}:7000") ;;
		gate2) words+=(--role owner,border --border "tcp://${border_address[$org/$node]}:7000") ;;
		plant1) words+=(--role owner,admin) ;;
		plant2) words+=(--role owner) ;;
		esac
		# own and border port are one number on two addresses
		quietly holon node init "$node" --org "$org/org" --dir "$org/$node" "${words[@]}"
	done
	for node in gate1 gate2 plant1 plant2; do
		cp "$org/org/bundle" "$org/$node/bundle"
	done
	quietly holon org show --dir "$org/org" --bundle "$org/$org.bundle"
}
share() {
	variant[$1]=$3
	hosts policy "$1" "$3" | publish "$1" "$2"
}
variants() {
	local org
	for org in "${orgs[@]}"; do
		echo "$org=${variant[$org]}"
	done
}

# ---- Faults: each does something and adds what heals it to `heals`

heal_all() {
	while [ ${#heals[@]} -gt 0 ]; do
		heal_one
	done
}
heal_one() {
	local order=${heals[0]}
	heals=("${heals[@]:1}")
	echo "heal: $order"
	eval "$order"
}
pick() {
	local -n from=$1
	picked=${from[RANDOM % ${#from[@]}]}
}
other_than() {
	while pick "$1" && [ "$picked" = "$2" ]; do :; done
}
nap() {
	sleep "$((RANDOM % 2)).$((RANDOM % 10))"
}

fault_link_down() { # a host's link to its own switch
	pick nodes
	echo "link down: $picked"
	ip -n "$(host "$picked")" link set own down
	heals+=("ip -n $(host "$picked") link set own up")
}
fault_world_down() { # an organisation is cut off
	pick orgs
	echo "cut off: $picked"
	local gate
	for gate in gate1 gate2; do
		ip -n "$(host "$picked/$gate")" link set wide down
		heals+=("link_up_again $picked/$gate")
	done
}
link_up_again() { # the routes went with the link
	ip -n "$(host "$1")" link set wide up
	if [ "$1" = $bad ]; then
		ip -n "$(host "$1")" route replace 10.9.0.0/24 via 10.8.0.1
	else
		ip -n "$(host "$1")" route replace 10.8.0.0/30 via 10.9.0.99
	fi
}
# What comes from $2 is swallowed at $1.
swallow() {
	within "$1" nft -f - <<-END
		table inet cut {
			chain in { type filter hook input priority 0; ip saddr { ${own_address[$2]}, ${border_address[$2]-10.99.0.1} } drop; }
		}
	END
	heals+=("within $1 nft flush table inet cut")
}
fault_one_way() {
	pick gates
	local to=$picked
	other_than gates "$to"
	echo "one way: $to hears nothing of $picked"
	swallow "$to" "$picked"
}
fault_both_ways() {
	pick nodes
	local to=$picked
	while other_than nodes "$to" && [ "${picked%/*}" != "${to%/*}" ]; do :; done
	echo "cut: $to and $picked"
	swallow "$to" "$picked"
	swallow "$picked" "$to"
}
fault_kill() {
	pick nodes
	echo "kill: $picked"
	node_kill "$picked"
	heals+=("start $picked")
}
fault_restart() {
	pick nodes
	echo "restart: $picked"
	node_stop "$picked"
	start "$picked"
}
fault_frozen() {
	pick nodes
	local pid
	pid=$(node_pid "$picked") || return 0
	echo "frozen: $picked"
	kill -STOP "$pid"
	heals+=("kill -CONT $pid")
}
fault_delay() { line delay 300 && heals+=('line pass'); }
fault_silent() { line silent && heals+=('line pass'); }
fault_reset() { line reset && heals+=('line pass'); }
fault_half() { line half && heals+=('line pass'); }
fault_line() { line auto "$RANDOM" && heals+=('line pass'); }
fault_policy() { # meets one border while the other is cut off
	pick orgs
	local org=$picked
	echo "policy: $org publishes at gate1, gate2 is cut off"
	node_pid "$org/gate1" >/dev/null || return 0
	ip -n "$(host "$org/gate2")" link set own down
	ip -n "$(host "$org/gate2")" link set wide down
	heals+=("link_up_again $org/gate2" "ip -n $(host "$org/gate2") link set own up")
	share "$org" gate1 $((variant[$org] + 1))
}
# The owner is left alone by the load; what is on its way there is known.
hold() {
	touch "$1.hold"
	await 30 [ -e "$1.held" ] || die "the load does not leave $1 alone"
}
unhold() {
	rm -f "$1.hold" "$1.held"
}
fault_restore_owner() {
	local node=$set_back
	echo "restore: $node from its old backup"
	hold "$node"
	restore "$node"
	touch "$node.restored"
	unhold "$node"
}
fault_restore_border() {
	echo "restore: acme/gate1 from its old backup"
	restore acme/gate1
}
restore() {
	node_stop "$1"
	quietly holon backup restore "$PWD/copy-${1/\//-}" --dir "$1" --replace
	rm -rf "$1/store.replaced"
	start "$1"
}

# ---- The play

build_net
for org in "${orgs[@]}"; do
	found "$org"
done
for node in "${nodes[@]}"; do
	start "$node"
done
for org in "${orgs[@]}"; do
	for partner in "${orgs[@]}"; do
		[ "$org" = "$partner" ] || for gate in gate1 gate2 plant1 plant2; do
			quietly org_trust "$org" $gate "$partner"
		done
	done
	share "$org" gate1 $((RANDOM % 3))
	hosts types >types.json
	for owner in "${owners[@]}"; do
		quietly holon --node "$org/$owner" apply types.json
	done
done

hosts load "$seed" "$twins" >load.log 2>&1 &
loader=$!
await $((60 * SLOW)) [ -e load.begun ] || die "the load did not begin: $(tail -n 3 load.log)"
n_peers() {
	holon --json --node "$1" peer list | json 'sum(p["state"] == "connected" for p in d["peers"])'
}
for gate in "${gates[@]}"; do
	check "$gate has its own and its partners" soon 30 eval "[ \"\$(n_peers $gate)\" -ge 5 ]"
done

set_back=${orgs[RANDOM % 3]}/plant2
hold "$set_back"
quietly holon --node "$set_back" backup create "$PWD/copy-${set_back/\//-}"
mv "$set_back.known" "$set_back.backed"
unhold "$set_back"
quietly holon --node acme/gate1 backup create "$PWD/copy-acme-gate1"

faults=(link_down world_down one_way both_ways kill restart frozen delay silent reset half policy line restore_owner
	restore_border)
began=$SECONDS
for ((round = 0; round < rounds; round++)); do
	mapfile -t order < <(printf '%s\n' "${faults[@]}" | shuf --random-source=<(yes "$seed $round"))
	for fault in "${order[@]}"; do
		case $fault in
		restore*) heal_all && [ "$round" -eq 0 ] || continue ;;
		esac
		"fault_$fault"
		nap
		[ ${#heals[@]} -lt 3 ] || heal_one
	done
	heal_all
done
line pass
echo "faults took $((SECONDS - began)) s"
touch load.stop
check 'the load ends' wait "$loader"
loader=
cat load.log
mapfile -t now_in_force < <(variants)
began=$(now_ms)
settled() {
	soon 60 hosts judge "${now_in_force[@]}" || hosts judge "${now_in_force[@]}"
}
check 'every node holds exactly what it may, and what was acknowledged is there' settled
echo "after $(($(now_ms) - began)) ms"
check 'who sees what is what the policies say' hosts who-sees "$seed" "${now_in_force[@]}"
for node in "${nodes[@]}"; do
	check "$node was told nothing that makes no sense" equal "$(status_of "$node" malformed_frames)" 0
done
