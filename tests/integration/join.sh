#!/usr/bin/env bash
# An admin node that holds the organisation's directory, but not its root: it takes machines in that bring a token, and
# what is done in the directory is in force at once. Whoever comes with a token that is not good is told so, and nothing
# has changed.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 6)
adm_own=${addresses[0]} adm_enrol=${addresses[1]} press_own=${addresses[2]} other_own=${addresses[3]}
other_enrol=${addresses[4]} gate_border=${addresses[5]}

found_admin() { # $1: organisation, $2: own address
	quietly org_init "$1"
	quietly holon node init adm --org "$1/org" --dir "$1/adm" --role owner,admin --listen "tcp://$2"
	rm "$1/org/root.key" "$1/org/next-root.key" # offline from now on
}
start_admin() { # $1: organisation, $2: address of enrolment
	node_start "$1/adm" --set "admin.organisation=$1/org" --set "listen.enrol=tcp://$2"
}
found_admin acme "$adm_own"
found_admin bolt "$other_own"
start_admin acme "$adm_enrol"
start_admin bolt "$other_enrol"

adm() {
	holon --node acme/adm "$@"
}
invite() { # the token in $1.token; $1: name, rest: flags
	adm node invite "$@" >"$1.token" 2>invite.err
}
begin_join() { # in the background, as on the other machine; $1: name, $2: directory
	holond join - --dir "$2" <"$1.token" >"$2.join" 2>&1 &
	join_pid=$!
}
state_of() {
	adm --json node invites | json "[i['state'] for i in d['invitations'] if i['node'] == '$1']"
}
words_of() {
	adm --json node invites | json "[i['words'] for i in d['invitations'] if i['node'] == '$1']"
}
nodes() {
	holon --json node list --org acme/org | json "sorted(n['node'] for n in d['nodes'])" | tr '\n' ' '
}
joins() { # a machine that is refused; $1: name, $2: directory
	timeout $((60 * SLOW)) holond join - --dir "$2" <"$1.token" >"$2.join"
}
refuses_join() { # $1: what, $2: expression, $3: name, $4: directory
	check "$1" refused_join "$2" "$3" "$4"
}
refused_join() {
	local code=0
	joins "$2" "$3" 2>refused.err || code=$?
	cat refused.err
	[ $code -eq 1 ] && [ "$(wc -l <refused.err)" -eq 1 ] && grep -qE "$1" refused.err && [ ! -e "$3/bundle" ]
}

# ---- a machine is invited, compared and let in, whoever is started anew meanwhile
check 'an admin invites a machine' invite press --role owner --prefix acme/line1 --listen "tcp://$press_own"
begin_join press acme/press
check 'the machine asks' soon 10 eval 'equal "$(state_of press)" asks'
check 'both show the same six words' eval \
	'[ "$(words_of press | wc -w)" -eq 6 ] && grep -qx "words  *$(words_of press)" acme/press.join'
check 'it waits for the admin' soon 5 grep -q 'waiting: an admin has to approve it' acme/press.join
kill -KILL $join_pid
wait $join_pid 2>wait.err || true
node_kill acme/adm
start_admin acme "$adm_enrol"
check 'who asks is remembered' equal "$(state_of press)" asks
check 'nobody is a node before it is approved' equal "$(nodes)" 'adm '
begin_join press acme/press
check 'without a terminal words are not compared' eval \
	'! adm node approve press </dev/null 2>approve.err && grep -q "give --yes" approve.err && equal "$(state_of press)" asks'
check 'the admin approves' quietly adm node approve press --yes
check 'the machine has become a node' soon 10 grep -q 'start it with: holond --dir acme/press' acme/press.join
check 'of the name it was invited as' equal "$(nodes)" 'adm press '
check 'with keys that nobody else may read' equal "$(stat -c %a acme/press/keys acme/press/keys/* | tr '\n' ' ')" '700 600 600 '
refuses 'the directory is a node now' 1 "acme/press is a node's already" holond join "$(cat press.token)" --dir acme/press
node_start acme/press

peers() {
	holon --json --node "$1" peer list | json "sorted(p['node'] for p in d['peers'] if p['state'] == 'connected')" |
		tr '\n' ' '
}
check 'the others connect to it' soon 15 eval 'equal "$(peers acme/adm)" "press "'
cat >press.json <<-'JSON'
	{"types": [{"name": "press", "kind": "asset"}], "twins": [{"id": "acme/line1/press1", "type": "press"}]}
JSON
check 'it owns twins' quietly holon --node acme/press apply press.json
refuses 'but only those it was invited for' 1 'acme/line2/press1: this node may only own twins within acme/line1' \
	holon --node acme/press twin create acme/line2/press1 --type press
check 'and they are seen elsewhere' soon 15 eval '[ "$(status_of acme/adm remote_rows)" -ge 1 ]'

# ---- at once, with the key a border needs
check 'a machine is invited that nobody has to approve' invite gate --role border --border "tcp://$gate_border" --auto
check 'it joins by itself' joins gate acme/gate
check 'and has the key of the other borders' eval \
	'[ -f acme/gate/keys/cursor.key ] && cmp acme/gate/keys/cursor.key acme/org/cursor.key'
node_start acme/gate
check 'nodes that joined before hear of it' soon 20 eval 'equal "$(peers acme/press)" "adm gate "'

# ---- tokens that are not good
before=$(nodes)
refuses_join 'a token is good for one machine' 'used already, by another machine' gate acme/thief
refuses_join 'also before it is approved' 'used already, by another machine' press acme/thief2
check 'an invitation can be short' invite late --ttl 1s
sleep 2
refuses_join 'one that came too late is refused' 'the invitation of late ended at' late acme/late
check 'and is said to have ended' equal "$(state_of late)" ended
check 'an invitation is taken back' eval 'invite unwanted && quietly adm node refuse unwanted'
refuses_join 'and its token is good for nothing' 'an admin has refused unwanted' unwanted acme/unwanted
check 'the name is invited anew' invite unwanted
cp unwanted.token fresh.token
check 'and again' eval 'quietly adm node refuse unwanted && invite unwanted'
refuses_join 'the older token is not that of the invitation' 'no invitation fits this token' fresh acme/unwanted
check 'somebody between has another key' invite between --enrol "tcp://$other_enrol"
refuses_join 'who is told nothing' 'has not the key in the token' between acme/between
check 'and knows nothing' equal "$(holon --node bolt/adm --json node invites | json 'd["invitations"]')" ''
check 'an organisation takes in nobody who was invited by another' equal \
	"$(holon --json node list --org bolt/org | json "[n['node'] for n in d['nodes']]")" adm
check 'after all of that nobody else is a node' equal "$(nodes)" "$before"
check 'what was refused is in the audit' eval \
	'adm audit list | grep -q "question to join.*used already" && adm audit list | grep -q "machine asks to join.*press, words: "'
check 'who was admitted, too' eval 'adm audit list --kind credential | grep -q "admitted.* press: words: "'

# ---- what is done in the directory is in force at once
began=$(now_ms)
quietly holon node revoke press --org acme/org --reason stolen
check 'a node revoked in the directory is cut' soon 10 eval '! peers acme/adm | grep -q press'
echo "after $(($(now_ms) - began)) ms"
check 'and everywhere else, without anybody acting' soon 10 eval '! peers acme/gate | grep -q press'
check 'its revocation is in the audit' eval 'adm audit list --kind revocation | grep -q press'

# ---- settings that make no sense
node_stop acme/gate
refuses 'only an admin node may hold the directory' 1 'gate has not the role admin' \
	holond --dir acme/gate --set admin.organisation=acme/org
node_stop acme/adm
refuses 'nor another organisation'"'"'s' 1 'bolt/org is bolt, this node is of acme' \
	holond --dir acme/adm --set admin.organisation=bolt/org
refuses 'nor one that is not there' 1 'admin.organisation: ' holond --dir acme/adm --set admin.organisation=nowhere
refuses 'and without it nobody is taken in' 1 'listen.enrol is set, but admin.organisation is not' \
	holond --dir acme/adm --set "listen.enrol=tcp://$adm_enrol"

# ---- what is due is renewed without anybody acting
if grep -q __asan_init "$build/node/holond"; then
	echo 'left out: half a month later (faketime and the sanitizers wait for each other)'
	exit
fi
quietly holon person invite kim --org acme/org --dir kim --role operator
cp kim/credential kim.before
until_of() {
	holon --json --node acme/adm status | json 'd["credential_until"][:10]'
}
mkdir later
printf '#!/bin/sh\nexec faketime -f +16d "%s" "$@"\n' "$build/node/holond" >later/holond
chmod +x later/holond
PATH=$place/later:$PATH node_start acme/adm --set admin.organisation=acme/org
check 'half a month later the credential is a new one' soon 10 eval \
	'equal "$(until_of)" "$(date -u -d "+46 days" +%Y-%m-%d)"'
check 'and that is in the audit' eval 'holon --node acme/adm audit list --kind credential | grep -q "renewed.*acme/adm"'

# ---- and the person's comes to the person, whose key stays where it is
as_kim() {
	faketime -f +16d "$build/tools/holon" --node acme/adm --person kim "$@"
}
check 'a person who asks is given the renewed credential' quietly as_kim status
check 'and keeps it' eval '! cmp -s kim/credential kim.before'
check 'which is for the same key, and valid' quietly as_kim twin list
