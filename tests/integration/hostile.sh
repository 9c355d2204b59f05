#!/usr/bin/env bash
# A partner with a valid key that does what it must not: counted, refused, in the end cut; nobody else waits for it.
. "$(dirname "$0")/lib.sh"
export HOLON_LIMITS_PARTNER_PULLS=50 HOLON_LIMITS_PARTNER_PULLS_BURST=200
export HOLON_LIMITS_PARTNER_REPAIRS=5 HOLON_LIMITS_PARTNER_REPAIRS_BURST=50
export HOLON_LIMITS_PARTNER_HEADS=20 HOLON_LIMITS_PARTNER_HEADS_BURST=100
export HOLON_LIMITS_HANDSHAKES_KEY=1000 HOLON_LIMITS_HANDSHAKES_KEY_BURST=1000 # of it flood.sh and door.sh speak

found_and_start acme harbor volt
trust_all acme harbor volt
apply_acme acme/site
acme_policy | sed '/^  never/,$d' >acme.in
cat >>acme.in <<'POLICY'
  org volt = @ORG:volt@

  share "the plant"
    to org harbor
    twins plant/**
    allow discover, summary
    until @UNTIL@

  share "the plant, also"
    to org volt
    twins plant/**
    allow discover, summary
    until @UNTIL@
POLICY
publish acme <acme.in

has() { # $1: node, $2: total of the plant, as its last summaries say it
	equal "$(holon --json --node "$1" view acme/plant --offline --rollup sum:power/use |
		json 'float(d["rollups"][0]["value"])')" "$2"
}
value=0
follows() { # volt hears of a change made just now
	value=$((value + 1))
	quietly holon --node acme/site twin set acme/plant/press1 power/use $value
	soon 10 has volt/site "$((50 + value)).0"
}
check 'both partners follow' soon 20 has harbor/site 150.0
check 'the one that will behave, too' soon 20 has volt/site 150.0
node_stop harbor/site

attack() { # $1: mode; how the rogue fared is left in rogue.out
	rogue "$1" harbor/site harbor/harbor.bundle acme/acme.bundle >rogue.out 2>&1
	cat rogue.out
}
came() { # how many frames of a kind; $1: kind
	sed -n "s/.* $1=\([0-9]*\).*/\1/p" rogue.out | grep . || echo 0
}
rounds() { # an attack, and what must be so behind it: $1: mode
	check "$1: the rogue is let in, and then" quietly attack "$1"
	check "$1: it was a partner's" grep -q '^admitted' rogue.out
	check "$1: the other partner goes on" follows
	check "$1: the node is well" node_pid acme/site
}

rounds forged-cursors
check 'each forged cursor is refused' [ "$(came reset)" -ge 20 ]
check 'and shows nothing' [ "$(came rows)" -eq 0 ]
rounds old-frames
check 'frames of another session and repeated ones are not answered' [ "$(came rows)$(came reset)" = 00 ]
rounds answers
rounds unsigned-heads
check 'what is held of the partner is what it said itself' \
	eval '! holon --node acme/site twin get harbor/site 2>/dev/null'
rounds pulls
check 'some were answered' [ "$(came rows)" -gt 100 ]
check 'the others were told to ask later' [ "$(came reset)" -gt 500 ]
check 'and then it was cut' [ "$(came reset)" -lt 3000 ]
rounds repairs
check 'of questions about trees few were answered' [ "$(came rows)" -le 200 ]
check 'and then it was cut, too' [ "$(came reset)" -lt 3000 ]
rounds tells
check 'told again was little' [ "$(came heads)" -le 400 ]
check 'the status says whom it cut and why' soon 5 eval 'holon --node acme/site status | grep harbor/site | grep -q "more than its share"'
rounds garbage-after-hello
check 'and of what it sent last' soon 5 eval 'holon --node acme/site status | grep -q harbor/site'

check 'cutting is in the audit' eval 'holon --node acme/site audit list --kind kick | grep -q "more than its share"'
check 'the log has some lines of it' [ "$(wc -c <acme/site.log)" -lt 65536 ]
size=$(status_of acme/site resident_bytes)
for _ in 1 2 3; do attack pulls >/dev/null && attack repairs >/dev/null && attack tells >/dev/null; done
check 'it does not grow' [ "$(status_of acme/site resident_bytes)" -lt $((size + (32 << 20))) ]
check 'when it behaves again it is served again' eval 'node_start harbor/site && follows &&
	soon 20 has harbor/site "$((50 + value)).0"'
