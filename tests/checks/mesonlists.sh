#!/bin/sh
# Nothing lies beside the build: every C file is compiled, every test script is a test, every script can run.
#
#	mesonlists.sh SOURCE-ROOT BUILD-ROOT
. "$(dirname "$0")/lib.sh"
build=${2:?usage: mesonlists.sh SOURCE-ROOT BUILD-ROOT}

files '*.c' | while IFS= read -r file; do
	grep -qF "/$file\"" "$build/compile_commands.json" ||
		grep -qsF "'$(basename "$file")'" "$(dirname "$file")/meson.build" || # of another configuration
		printf '%s\n' "$file"
done | none 'C files that no meson.build lists'

files 'tests/checks/*.sh' 'tests/integration/*.sh' 'tests/integration/*.py' 'tests/cli/*.sh' |
	grep -v '[/_]lib\.\(sh\|py\)$' | while IFS= read -r script; do
	name=$(basename "$script")
	grep -qE "'(${name%.*}|$name)'" "$(dirname "$script")/meson.build" || printf '%s\n' "$script"
done | none 'test scripts that no meson.build lists'

for folder in $folders; do
	head -n 1 "$folder/meson.build" | grep -qE "^# $folder( |\$)" || printf '%s/meson.build\n' "$folder"
done | none 'folders whose meson.build does not say in its first line what they are'

files '*.sh' '.ci/*' | while IFS= read -r script; do
	case $(head -c 2 "$script") in # without an interpreter it is there to be sourced
	'#!') [ -x "$script" ] || printf '%s is not executable\n' "$script" ;;
	*) [ ! -x "$script" ] || printf '%s is executable and names no interpreter\n' "$script" ;;
	esac
	if [ "$(head -n 1 "$script")" = '#!/bin/sh' ]; then shell=sh; else shell=bash; fi
	$shell -n "$script" 2>&1 || printf '%s does not parse\n' "$script"
done | none 'scripts that cannot run'

files '*.c' '*.h' '*.proto' | while IFS= read -r file; do
	head -n 1 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || printf '%s\n' "$file"
done | none 'files without a licence line'
