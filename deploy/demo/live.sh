# shellcheck shell=bash
# The live demo: acme's press speaks MQTT, the city of harbor sees it, and an operator of the city has it stopped. Sourced by
# demo.sh; the working directory is the mesh's.

here=$top/deploy/demo
organisations='acme harbor'
press=acme/plant/press1

found_both() {
	local org addresses
	heading 'Two companies found their organisations, start their nodes and trust each other'
	mapfile -t addresses < <(free_addresses 3)
	broker=${addresses[2]}
	for org in $organisations; do
		org_found "$org" site "${addresses[0]}" owner,border,admin
		printf '[admin]\norganisation = %s\n' "$PWD/$org/org" >>"$org/site/holon.conf"
		addresses=("${addresses[@]:1}")
	done
	for org in $organisations; do start "$org/site"; done
	org_trust acme site harbor
	org_trust harbor site acme
	run holon person invite kim --org harbor/org --dir harbor/kim --role operator
	run holon person invite lea --org acme/org --dir acme/lea --role shift-lead
}

connect() {
	heading "Acme's press speaks MQTT with a broker; ten lines connect it"
	printf 'listener %s %s\nallow_anonymous true\n' "${broker##*:}" "${broker%:*}" >mosquitto.conf
	setsid mosquitto -c mosquitto.conf >mosquitto.log 2>&1 9>&- &
	live_pids=$!
	run holon --node acme/site apply "$here/live/acme.json"
	cat >press-line.json <<-JSON
		{"kind": "mqtt", "broker": "mqtt://$broker",
		 "maps": [
		    {"topic": "plant/{machine}/data", "twin": "acme/plant/{machine}"},
		    {"topic": "replay/plant/{machine}/{property}", "twin": "acme/plant/{machine}", "time": "t",
		     "values": [{"property": "{property}", "from": "value"}]}],
		 "commands": [{"twins": "acme/plant/{machine}", "topic": "plant/{machine}/command", "ack": "plant/{machine}/ack"}]}
	JSON
	run cat press-line.json
	run holon --node acme/site adapter add line press-line.json
	setsid "$here/live/machine.sh" "${broker%:*}" "${broker##*:}" >machine.log 2>&1 9>&- &
	live_pids="$live_pids $!"
	await 20 measured || die 'no reading came'
	run holon --node acme/site adapter list
	run holon --node acme/site twin get $press heat
}

measured() {
	holon --node acme/site twin get $press heat >/dev/null 2>&1 && holon --json --node acme/site history $press heat | grep -q value
}

# Two real days of a transformer, each hour a tenth of a second, by the same broker as if they were now.
transform() {
	if [ -z "$data" ]; then
		printf '\nskipped: a real transformer replayed (--live --data DIR: the folder with ETTh1.csv)\n'
		return
	fi
	heading "Two days of acme's transformer, an hour in a tenth of a second"
	run holon replay "$data" --map "$here/live/transformer.map.json" --broker "mqtt://$broker" --topic 'replay/{twin}/{property}' \
		--speed 36000 --limit 96 --ledger ledger.jsonl
	await 20 replayed || die 'what was replayed did not come'
	run holon --node acme/site twin get acme/plant/transformer1
	run holon --node acme/site view acme/plant --rollup mean:oil --rollup max:load
}

# Everything that the broker has acknowledged is history at acme.
replayed() {
	local property
	for property in oil load; do
		holon --json --node acme/site history acme/plant/transformer1 $property || return
	done >history.json
	[ "$(grep -c '"t"' history.json)" -eq "$(grep -c '"t"' ledger.jsonl)" ]
}

share() {
	heading 'Acme says what the city may see, and what its operators may do'
	policy_write "$here/live/acme.policy.in" acme/policy
	cat acme/policy
	run holon --node acme/site policy publish acme/policy --org acme/org
	await 20 harbor_knows || die 'the city does not hear of the press'
}

harbor_knows() {
	holon --node harbor/site twin get $press heat >/dev/null 2>&1
}

# $1: ORG/NODE, $2: a state that the alarm has there
alarm_is() {
	holon --json --node "$1" alarm list | json "sys.exit('$2' not in [a['state'] for a in d['alarms']])"
}

rise() {
	heading 'The press gets hot: an alarm rises, and the city sees it'
	: >hot
	await 30 alarm_is acme/site active || die 'no alarm rose'
	run holon --node acme/site alarm list
	await 20 alarm_is harbor/site active || die 'the city does not see the alarm'
	run holon --node harbor/site alarm list
}

# The newest command at acme is pending.
is_pending() {
	command_id=$(holon --json --node acme/site command list | json '[c["id"] for c in d["commands"] if c["state"] == "pending"][0]' 2>/dev/null)
}

command_it() {
	heading 'An operator of the city has it stopped; the shift lead of acme has to agree'
	printf '$ holon --node harbor/site --person harbor/kim command send %s safe-stop --within 60s &\n' $press
	holon --node harbor/site --person harbor/kim command send $press safe-stop --within 60s >sent.txt 2>&1 9>&- &
	local sending=$!
	await 20 is_pending || die 'the command did not arrive at acme'
	run holon --node acme/site --person acme/lea command confirm "$command_id"
	wait $sending || die "the command was not done: $(cat sent.txt)"
	printf '\nWhat kim saw meanwhile:\n'
	cat sent.txt
	run holon --node harbor/site command show "$command_id"
}

refuse_one() {
	heading 'What policy does not allow is refused, and acme can say why'
	! run holon --node harbor/site --person harbor/kim command send $press start --within 30s || die 'the press was started'
	run holon --node acme/site policy why --as harbor/operator --do command --twin $press --prop start || true
}

answer_alarm() {
	heading 'Somebody at acme answers for it, and the city sees that, too'
	run holon --node acme/site alarm ack $press heat --comment 'looking into it'
	await 20 alarm_is harbor/site acknowledged || die 'the city does not see that the alarm is acknowledged'
	run holon --node harbor/site alarm list
}

is_over() {
	holon --json --node acme/site alarm list | json 'sys.exit(len([a for a in d["alarms"] if a["state"] != "cleared"]))'
}

look_back() {
	heading 'The press stands and cools down; what was is kept'
	await 30 is_over || die 'the alarm is not over'
	run holon --node acme/site twin get $press mode
	run holon --node acme/site history $press alarm/heat
}

demo() {
	live_pids=
	found_both
	connect
	transform
	share
	rise
	answer_alarm
	command_it
	refuse_one
	look_back
}
