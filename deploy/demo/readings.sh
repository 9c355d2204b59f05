#!/bin/sh
# A day of readings as JSON lines for `holon ingest -`, every quarter of an hour, from a table
# twin,property,base,swing. At h hours past midnight the k-th row of the table reads
#
#	base + swing * (sin(2 pi (h - 9) / 24) + sin(2 pi h / 3 + k) / 5)
#
# rounded to three decimals: a slow wave with its peak in the afternoon, and a fast small one.
#
#	readings.sh DAY TABLE
set -eu
[ $# -eq 2 ] || { echo 'usage: readings.sh DAY TABLE' >&2; exit 2; }
LC_ALL=C awk -F, -v day="$1" '
BEGIN { pi = atan2(0, -1) }
FNR > 1 {
	for (quarter = 0; quarter < 96; quarter++) {
		h = quarter / 4
		value = $3 + $4 * (sin(2 * pi * (h - 9) / 24) + sin(2 * pi * h / 3 + FNR - 1) / 5)
		printf "{\"twin\": \"%s\", \"property\": \"%s\", \"t\": \"%sT%02d:%02d:00Z\", \"value\": %.3f}\n", \
			$1, $2, day, int(h), quarter % 4 * 15, value
	}
}' "$2"
