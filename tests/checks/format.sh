#!/bin/sh
# Formatting is a check, never a review topic: every C file is what clang-format 14 would make of it.
. "$(dirname "$0")/lib.sh"

formatter=$(command -v clang-format-14 || command -v clang-format) || skip "no clang-format"
case $("$formatter" --version) in
*' 14.'*) ;;
*) skip "$formatter is not version 14, whose output is the style" ;;
esac
files '*.c' '*.h' | xargs "$formatter" --dry-run -Werror 2>&1 | sed -n 's/^\([^ :]*\):\([0-9]*\):.*error:.*/\1 \2/p' |
	awk '$1 != file { file = $1; print file ":" $2 } ' |
	none 'files that clang-format would change, with the first line (clang-format -i FILE)'
