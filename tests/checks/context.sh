#!/bin/sh
# One libzmq context in a process: ending one shuts down the random numbers of all others that use CURVE, and they
# crash. holond makes its own in engine.c; `holond join` has its one before there is a node; holon has one.
. "$(dirname "$0")/lib.sh"

expected='node/engine.c
node/join_wire.c
tools/client.c'
sources() {
	files '*.c' '*.h' | grep -v '^tests/'
}
made=$(sources | xargs grep -Eo '\bzmq_(ctx_new|init) *\(' | cut -d: -f1)
[ "$made" = "$expected" ] || {
	printf 'contexts are made in\n%s\nand should be, once each, in\n%s\n' "$made" "$expected"
	exit 1
}
sources | xargs grep -nE '#include [<"](czmq|zsock|zsys|zactor)|\bzctx_new|\bzsys_' |
	none 'CZMQ makes a context of its own'
