#!/bin/sh
# No function over 60 lines, no file over 700, no line of more than 110 columns; says how the tree stands.
. "$(dirname "$0")/lib.sh"

command -v ctags >/dev/null || skip "no ctags"
sources=$(files '*.c' '*.h')
functions=$(printf '%s\n' "$sources" | ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne \
	--_xformat='%{end} %n %F %N' -x -L - | awk '$1 ~ /^[0-9]+$/ { print $1 - $2 + 1, $3, $4 }' | sort -n)
printf '%s\n' "$functions" | awk '{ n[NR] = $1 } END {
	printf "%d functions, median %d lines, 95 %% at most %d\n", NR, n[int((NR + 1) / 2)], n[int(NR * 0.95)] }'

printf '%s\n' "$functions" | awk '$1 > 60 { printf "%s: %s() has %d lines\n", $2, $3, $1 }' |
	none 'functions over 60 lines'
printf '%s\n' "$sources" | xargs wc -l | awk '$2 != "total" && $1 > 700 { print $2 ": " $1 " lines" }' |
	none 'files over 700 lines'
