#!/bin/sh
# Every header compiles alone, and twice: it includes what it needs and guards itself.
#
#	headers.sh SOURCE-ROOT BUILD-ROOT
. "$(dirname "$0")/lib.sh"
build=${2:?usage: headers.sh SOURCE-ROOT BUILD-ROOT}
packages='libsodium libprotobuf-c libzmq libuv lmdb jansson inih criterion'

flags="-std=c17 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I. -I$build"
# shellcheck disable=SC2086 # lists of words
flags="$flags $(pkg-config --cflags $packages)"
files '*.h' | FLAGS=$flags xargs -P 2 -I HEADER sh -c '
	printf "#include \"%s\"\n#include \"%s\"\n" HEADER HEADER |
		gcc $FLAGS -fsyntax-only -x c - 2>&1 || printf "does not compile alone: %s\n" HEADER' |
	none 'headers that need something before them'
