#!/bin/sh
# The top level is fixed: a new folder there is a decision about the architecture, not about a file.
. "$(dirname "$0")/lib.sh"

expected='.ci
.clang-format
.clang-tidy
.gitignore
LICENSE
README.md
deploy
federation
meson.build
meson_options.txt
node
proto
security
storage
tests
tools'
actual=$(files '*' | cut -d/ -f1 | sort -u)
[ "$actual" = "$expected" ] || {
	echo 'the top level is not what it should be (- missing, + too much):'
	expected_file=$(mktemp) && printf '%s\n' "$expected" >"$expected_file"
	printf '%s\n' "$actual" | diff "$expected_file" - | sed -n 's/^</-/p; s/^>/+/p'
	rm -f "$expected_file"
	exit 1
}
