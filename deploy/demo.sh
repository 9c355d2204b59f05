#!/usr/bin/env bash
# Install what is missing, build into build/, and run a mesh of real nodes on this machine.
#
#	deploy/demo.sh [--data DIR] [--live] [--keep]
#	deploy/demo.sh stop
#
# Without --data: a factory, its grid operator and their city. With --data DIR (the folder scigrid_de): the German
# transmission grid as four companies and an observer. With --live: a press that speaks MQTT, an alarm that a partner sees, and
# a command across the border that a person confirms; with --live --data DIR (the folder ett) a real transformer is
# replayed besides. Everything of the mesh lies in build/demo, made afresh each time. --keep leaves the mesh running and says how to reach it; stop ends it.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build
. "$top/deploy/demo/lib.sh"

usage() {
	echo 'usage: deploy/demo.sh [--data DIR] [--live] [--keep] | stop' >&2
	exit 2
}

data='' live=false keep=false verb=run
while [ $# -gt 0 ]; do
	case $1 in
	--data)
		[ $# -ge 2 ] || usage
		data=$2
		shift
		;;
	--data=*) data=${1#*=} ;;
	--live) live=true ;;
	--keep) keep=true ;;
	--help)
		sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
		exit
		;;
	stop) verb=stop ;;
	*) usage ;;
	esac
	shift
done

if [ -n "$data" ]; then
	needed=$(if $live; then echo ETTh1.csv; else echo loads-p_set.csv; fi)
	[ -f "$data/$needed" ] || die "$data is not the folder that is meant: no $needed in it"
	data=$(cd "$data" && pwd)
fi

mkdir -p "$build"
exec 9>"$build/demo.lock"
flock -n 9 || die 'another demo is running in this tree'

if [ $verb = stop ]; then
	mesh_clear "$build/demo"
	exit
fi

build_all() {
	local log=$build/demo-build.log bench=tests/bench/holon-bench
	heading 'Build into build/'
	{
		[ -f "$build/build.ninja" ] || meson setup "$build" "$top"
		# no target where the tests are switched off
		ninja -C "$build" -t query $bench >/dev/null || bench=
		ninja -C "$build" node/holond tools/holon $bench
	} >"$log" 2>&1 </dev/null || {
		tail -n 30 "$log"
		die "the build failed; all of it is in $log"
	}
	tail -n 1 "$log"
}

start() {
	printf '$ holond --dir %s &\n' "$1"
	node_start "$1"
}

stop() {
	printf '$ kill %s   # holond --dir %s\n' "$(node_pid "$1")" "$1"
	node_stop "$1"
}

conclude() {
	local code=$?
	trap - EXIT
	set +e
	local pid
	for pid in ${live_pids-}; do kill -- "-$pid" 2>/dev/null; done
	[ $code -eq 0 ] || mesh_complain "$place"
	if [ $code -ne 0 ] || ! $keep; then
		mesh_stop "$place" || code=1
		rm -f "$build/demo/endpoints"
		[ "$place" = "$build/demo" ] || rm -rf "$place"
	fi
	exit $code
}

"$top/deploy/install.sh"
build_all
export PATH=$build/tools:$build/node:$PATH
unset HOLON_NODE HOLON_ENDPOINT

mesh_clear "$build/demo"
place=$(mesh_place "$build/demo")
cd "$place"
trap conclude EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
echo "The commands below run in $place."

if $live; then
	. "$top/deploy/demo/live.sh"
elif [ -n "$data" ]; then
	. "$top/deploy/demo/grid.sh"
else
	. "$top/deploy/demo/city.sh"
fi
demo

if $keep; then
	heading endpoints
	mesh_endpoints | tee "$build/demo/endpoints"
	printf '\nTry: %s/tools/holon --node %s/%s view %s\n' "$build" "$place" "${organisations##* }/site" \
		"$(if $live; then echo acme/plant; elif [ -n "$data" ]; then echo observer/germany; else echo harbor/city; fi)"
	echo 'End it with: deploy/demo.sh stop'
fi
