#!/bin/sh
# Words that the house style keeps out of the code (comments and strings are not looked at).
. "$(dirname "$0")/lib.sh"

all=$(files '*.c' '*.h')
# shellcheck disable=SC2086 # a list of words
library=$(files $(printf '%s/* ' $libraries) | grep '\.[ch]$')
federation=$(files 'federation/*' | grep '\.[ch]$')

# $1: files, $2: extended expression, $3: what is wrong
forbid() {
	# shellcheck disable=SC2086
	code $1 | grep -E ":[0-9]+:.*($2)" | none "$3"
}

call='(^|[^A-Za-z0-9_.>])'
forbid "$all" "$call(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|rand|srand|alloca) *\(" \
	'calls that have a safe sibling'
forbid "$all" '(^|[^A-Za-z0-9_])goto([^A-Za-z0-9_]|$)' 'goto (release with SCOPED instead)'
forbid "$library" "return -E[A-Z0-9]+ *;" 'a failure that does not say where it began (use FAIL)'
forbid "$library" "$call(printf|fprintf|vfprintf|puts|fputs|putchar|perror|log_(write|error|warn|info|debug)) *\(" \
	'libraries do not log or print'
forbid "$federation" "$call(time|clock_gettime|gettimeofday|clock|uv_now|uv_hrtime|randombytes_buf|open|fopen) *\(" \
	'federation reads no clock, no chance and no file'
