#!/usr/bin/env bash
# Install what is missing, build with gcc, clang and the sanitizers, and run every test and the demos.
#
#	tests/run.sh [--long]
#
# --long adds what takes its time: fresh fuzzing, many simulation seeds, power cuts, bits and kills, both demos five
# years from now.
# HOLON_DATA (or ../shared/data/scigrid_de) is the folder with the German grid; what needs it is skipped, aloud,
# without. Builds and logs lie in build-test/. The last line says `N passed, N failed, N skipped`.
set -euo pipefail
cd "$(dirname "$0")/.."

long=false
case ${1-} in
'') ;;
--long) long=true ;;
*)
	echo "usage: tests/run.sh [--long]" >&2
	exit 2
	;;
esac

work=$PWD/build-test
logs=$work/logs
passed=0 failed=0 skipped=0
notes=()

heading() {
	printf '\n== %s\n' "$*"
}

failure() {
	failed=$((failed + 1))
	notes+=("failed: $*")
}

skip() {
	skipped=$((skipped + 1))
	notes+=("skipped: $*")
	printf '\n== %s\n' "SKIPPED: $*"
}

# One step of our own: quiet unless it fails; with exit code 77 it was not possible here, and its output says why.
# $1: its name, rest: the command
step() {
	local name=$1 began=$SECONDS log code=0
	shift
	log=$logs/${name//[^A-Za-z0-9]/-}.log
	heading "$name"
	"$@" >"$log" 2>&1 </dev/null || code=$?
	if [ $code -eq 0 ]; then
		passed=$((passed + 1))
		echo "passed in $((SECONDS - began)) s"
	elif [ $code -eq 77 ]; then
		skip "$name: $(sed -n 's/^skipped: //p' "$log" | tail -n 1)"
	else
		failure "$name (see ${log#"$PWD"/})"
		tail -n 40 "$log"
		echo "FAILED in $((SECONDS - began)) s: ${log#"$PWD"/}"
		return 1
	fi
}

# $1: folder, $2: compiler, rest: arguments of meson setup
build() {
	local dir=$work/$1 compiler=$2
	shift 2
	if [ -f "$dir/build.ninja" ]; then
		meson configure "$dir" "$@"
	else
		CC=$compiler meson setup "$dir" "$@"
	fi
	ninja -C "$dir"
}

# The tests of one build. $1: folder, rest: arguments of meson test. Its log is what counts.
suites() {
	local dir=$work/$1 began=$SECONDS json counts
	json=$dir/meson-logs/suites.json
	shift
	heading "tests in ${dir#"$PWD"/}: ${*:-all}"
	rm -f "$json"
	meson test -C "$dir" --no-rebuild --print-errorlogs --logbase suites "$@" </dev/null || true
	if ! counts=$(python3 - "$json" 2>&1 <<-'PYTHON'
		import json, sys
		passed, failed, skipped = 0, [], []
		for line in open(sys.argv[1]):
		    test = json.loads(line)
		    if test["result"] in ("OK", "EXPECTEDFAIL"):
		        passed += 1
		    elif test["result"] == "SKIP":
		        why = [l for l in (test.get("stdout") or "").splitlines() if l.startswith("skipped: ")]
		        skipped.append(test["name"] + (why[-1][len("skipped"):] if why else ""))
		    else:
		        failed.append(test["name"])
		if not passed + len(failed) + len(skipped):
		    sys.exit("no test ran")
		print(passed)
		for name in failed:
		    print("failed", name)
		for name in skipped:
		    print("skipped", name)
	PYTHON
	); then
		failure "tests in ${dir#"$PWD"/}: no result (${counts##*$'\n'})"
		return
	fi
	local line
	while IFS= read -r line; do
		case $line in
		failed\ *) failure "${dir##*/}: ${line#* }" ;;
		skipped\ *) skipped=$((skipped + 1)) && notes+=("skipped: ${dir##*/}: ${line#* }") ;;
		*) passed=$((passed + line)) ;;
		esac
	done <<<"$counts"
	echo "took $((SECONDS - began)) s"
}

find_data() {
	local dir
	for dir in "${HOLON_DATA-}" "${HOLON_DATA:+$HOLON_DATA/scigrid_de}" ../shared/data/scigrid_de; do
		if [ -n "$dir" ] && [ -f "$dir/loads-p_set.csv" ]; then
			(cd "$dir" && pwd)
			return
		fi
	done
}

# A minute of fresh inputs for each decoder, beginning with its corpus.
fuzz_afresh() {
	local target name found
	build fuzz clang -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_args=-fsanitize=fuzzer-no-link
	for target in "$work"/fuzz/tests/fuzz/fuzz_*_libfuzzer; do
		name=${target##*/fuzz_}
		name=${name%_libfuzzer}
		found=$work/fuzz/found/$name
		mkdir -p "$found"
		"$target" -max_total_time=60 -rss_limit_mb=1024 -artifact_prefix="$found/" "$found" \
			"tests/fuzz/corpus/$name"
	done
}

# The store against its model, from other seeds.
fresh_models() {
	local n seed
	for n in {1..100}; do
		seed=$RANDOM
		echo "seed $seed"
		HOLON_SEED=$seed "$work/gcc/tests/unit/storage/test_model" --filter 'model/agrees_with_the_given_seed'
	done
}

# Histories of the mesh, and views over it, that nobody has seen. $1: how many of each; each core takes its part
fresh_seeds() {
	local cores=$(nproc) first=$((RANDOM * 32768 + RANDOM)) part core failed=0 jobs=()
	part=$((($1 + cores - 1) / cores))
	for ((core = 0; core < cores; core++)); do
		"$work/gcc/tests/sim/sim" --first $((first + core * part)) --seeds $part &
		jobs+=($!)
		"$work/gcc/tests/sim/sim_views" --first $((first + core * part)) --seeds $part &
		jobs+=($!)
	done
	for core in "${jobs[@]}"; do
		wait "$core" || failed=1
	done
	return $failed
}

conclude() {
	local code=$?
	trap - EXIT
	# a step ended this script: that is a failure of its own
	[ $code -eq 0 ] || [ $failed -gt 0 ] || failure "the run itself"
	printf '\n'
	[ ${#notes[@]} -eq 0 ] || printf '%s\n' "${notes[@]}"
	printf 'took %d s\n%d passed, %d failed, %d skipped\n' $SECONDS $passed $failed $skipped
	if [ $failed -gt 0 ]; then exit 1; else exit 0; fi
}

mkdir -p "$logs"
trap conclude EXIT

heading install
deploy/install.sh
data=$(find_data)
[ -z "$data" ] || export HOLON_DATA=$data

if step 'build with gcc' build gcc gcc -Dwerror=true; then
	suites gcc
fi
step 'build with clang' build clang clang -Dwerror=true || true
if step 'build with the sanitizers and the tap' build asan clang -Dwerror=true -Dtap=true \
	-Db_sanitize=address,undefined -Db_lundef=false; then
	suites asan --suite unit --suite crash --suite sim --suite fuzz --suite integration --timeout-multiplier 3
fi

if $long; then
	step 'every defence taken out' tests/threats/threats.py --all "$PWD" || true
else
	step 'ten defences taken out' tests/threats/threats.py --random 10 "$PWD" || true
fi

step 'a thousand fresh seeds' fresh_seeds 1000 || true

step 'demo' deploy/demo.sh || true
live_data=()
[ ! -f "$data/../ett/ETTh1.csv" ] || live_data=(--data "$data/../ett")
step 'live demo' deploy/demo.sh --live "${live_data[@]}" || true
if [ -n "$data" ]; then
	step 'demo of the German grid' deploy/demo.sh --data "$data" || true
else
	skip 'demo of the German grid needs a data folder: set HOLON_DATA'
fi

if $long; then
	step 'demo in five years' faketime -f '+5y' deploy/demo.sh || true
	[ -z "$data" ] || step 'demo of the German grid in five years' faketime -f '+5y' deploy/demo.sh --data "$data" || true
	step 'fresh fuzzing' fuzz_afresh || true
	step 'every fault in the evaluator of policies' tests/unit/security/mutate_policy.py --all "$PWD" gcc \
		"$work/gcc/proto/libproto.a" -lsodium -lprotobuf-c -lm || true
	step 'fresh power cuts' "$work/gcc/tests/crash/crash" --seed $RANDOM --images 100000 || true
	step 'fresh rot' "$work/gcc/tests/crash/rot" --seed $RANDOM --times 30000 || true
	step 'fresh models' fresh_models || true
	step 'many kills' env HOLON_ROUNDS=100 tests/integration/kill_loop.sh "$PWD" "$work/gcc" || true
	step 'hosts, lines and faults for long' tests/integration/hosts.sh "$PWD" "$work/gcc" --rounds 10 || true
	step 'hosts with the sanitizers' env HOLON_SLOW=5 tests/integration/hosts.sh "$PWD" "$work/asan" || true
	step 'a hundred thousand fresh seeds' fresh_seeds 100000 || true
fi
