# Shared by the checks: each is called with the source root (and what else its row in meson.build names).
# shellcheck shell=sh
set -eu
root=${1:?usage: CHECK SOURCE-ROOT}
cd "$root"
LC_ALL=C
export LC_ALL

libraries='proto security storage federation'
folders="$libraries node tools tests"

# The project's files that match the patterns: what git knows or would take, or everything in a tree without git.
files() {
	if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -c safe.directory='*' ls-files -co --exclude-standard -- "$@"
	else
		for pattern; do
			find . -path './build*' -prune -o -path './.git' -prune -o -type f -path "./$pattern" -print
		done | sed 's|^\./||'
	fi | sort -u | while IFS= read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done
}

# Fail with what stands on standard input, if anything does; $1 says what is wrong with it.
none() {
	bad=$(cat)
	[ -z "$bad" ] || {
		printf '%s:\n%s\n' "$1" "$bad"
		exit 1
	}
}

skip() {
	printf 'skipped: %s\n' "$*"
	exit 77
}

# A C file without its comments, line for line as it was, each line behind FILE:LINE:.
code() {
	awk '
	FNR == 1 { inside = 0 }
	{
		rest = $0; out = ""
		while (rest != "") {
			if (inside) {
				if (!(at = index(rest, "*/"))) break
				rest = substr(rest, at + 2); inside = 0
				continue
			}
			if (!match(rest, /"([^"\\]|\\.)*"|\/\*|\/\//)) { out = out rest; break }
			found = substr(rest, RSTART, RLENGTH)
			out = out substr(rest, 1, RSTART - 1)
			rest = substr(rest, RSTART + RLENGTH)
			if (found == "/*") inside = 1
			else if (found == "//") break
			else out = out "\"\""
		}
		print FILENAME ":" FNR ":" out
	}' "$@"
}
