#!/usr/bin/env bash
# The MQTT client against a real Mosquitto: what is not acknowledged comes again, however the broker ends; passwords,
# certificates, a session that another takes over, a flood, payloads that are too long, a broker that stands still.
. "$(dirname "$0")/lib.sh"
. "$root/tests/integration/mqtt_lib.sh"

broker_start plain "allow_anonymous true"

# --- acknowledged late, in order, and again after every kind of loss
probe_start one 127.0.0.1 "$broker_port" one 'a/+'
check 'it connects with MQTT 5' soon 5 says one '^state connected $'
check 'as a session that stays' soon 5 grep -q 'as one (p5, c0' plain/broker.log
for i in 1 2 3 4 5; do quietly pub -t "a/$i" -m "v$i"; done
check 'five messages came' soon 5 says one '^message 5 a/5 new 2 v5$'
order one 'done 2'
check 'two are acknowledged' soon 5 logged 'Received PUBACK from one' 2
sleep 0.3
check 'and not one more' logged 'Received PUBACK from one' 2
order one close
check 'it ends' soon 5 says one '^closed$'
pub -t a/6 -m v6
probe_start one 127.0.0.1 "$broker_port" one 'a/+' ack=auto
check 'the three come again' soon 5 says one '^message 3 a/5 again 2 v5$'
check 'and what was sent meanwhile' soon 5 says one '^message 4 a/6 new 2 v6$'
check 'and no other' equal "$(grep -c ^message one.out)" 4

# --- the broker is killed, and comes back on the same port
order one 'publish o/1 before'
check 'published' soon 5 says one '^published 1 0 $'
broker_kill plain
check 'a broker that dies is noticed' soon 5 says one '^state waiting '
order one 'publish o/2 meanwhile'
sleep 0.3
check 'what is to be sent waits' equal "$(grep -c '^published 2' one.out)" 0
broker_again plain
check 'it comes back' soon 10 connects one 2
check 'and it is sent' soon 5 says one '^published 2 0 $'
quietly pub -t a/7 -m v7
check 'messages come again' soon 5 says one ' a/7 new 2 v7$'
order one 'late o/3 nobody'
check 'nothing goes out after its deadline' soon 5 says one '^published 3 -[0-9]* its deadline was over'
order one 'flood o/4 5000'
check 'what waits is bounded' soon 5 says one '^taken 1000$'
check 'and all of it arrives' soon 10 says one '^published 1003 0 '

# --- another client with the same name
probe_start two 127.0.0.1 "$broker_port" one 'a/+' session=60
# (2.0.11 does not say why it closes; a broker that does is in the unit test)
check 'somebody takes the session' soon 10 at_least 1 two '^state connected'
check 'that is noticed' soon 5 at_least 2 one '^state waiting .*(taken over|closed the connection)$'
order two close
check 'it ends' soon 5 says two '^closed$'
check 'and it is taken back' soon 10 at_least 3 one '^state connected'
sleep 0.5
connected=$(grep -c '^state connected' one.out)

# --- payloads
head -c 300000 /dev/zero | tr '\0' x >long
quietly pub -t a/8 -f long
check 'a long payload is told of by its beginning' soon 5 says one ' a/8 new 300000 xxxx'
quietly pub -t a/9 -m after
check 'and does not stop what comes after' soon 5 says one ' a/9 new 5 after$'
check 'it was not a loss' connects one "$connected"

# --- a flood while nothing is read: the broker keeps it, all of it comes
order one pause
pids=()
for i in 1 2 3 4; do
	seq 2000 | sed "s/^/$i-/" >"flood$i"
	pub -t a/flood -l <"flood$i" &
	pids+=($!)
done
wait "${pids[@]}"
order one resume
check 'nothing of a flood is lost' soon 20 floods one 8000

# --- a broker that stands still
probe_start three 127.0.0.1 "$broker_port" three 'b/+' keep-alive=1
check 'connected' soon 5 connects three 1
kill -STOP "$(cat plain/broker.pid)"
check 'a broker that stands still is given up' soon 10 says three '^state waiting nothing is heard of the broker$'
kill -CONT "$(cat plain/broker.pid)"
check 'and found again' soon 15 connects three 2
order three close
order one close

# --- 3.1.1, and what a filter that is not wanted any more is
probe_start four 127.0.0.1 "$broker_port" four 'c/+' version=3 ack=auto
check '3.1.1 is spoken' soon 5 grep -q 'as four (p2, c0' plain/broker.log
check 'connected with 3.1.1' soon 5 connects four 1
quietly pub -t c/1 -m v
check 'and messages come' soon 5 says four '^message 1 c/1 new 1 v$'
order four close
check 'it ends, too' soon 5 says four '^closed$'
probe_start four 127.0.0.1 "$broker_port" four 'd/+' old='c/+' ack=auto
check 'an earlier filter is taken back' soon 5 connects four 1
quietly pub -t c/1 -m old
quietly pub -t d/1 -m new
check 'so only the new one counts' soon 5 says four ' d/1 new 3 new$'
check 'indeed' equal "$(grep -c c/1 four.out)" 0
order four close
broker_kill plain

# --- a broker that refuses
mosquitto_passwd -c -b passwords good secret 2>/dev/null
chmod 644 passwords
printf 'user good\ntopic readwrite a/#\n' >acl
broker_start locked "allow_anonymous false" "password_file $place/passwords" "acl_file $place/acl"
probe_start five 127.0.0.1 "$broker_port" five 'a/+' user=good password=wrong
check 'a wrong password is said' soon 5 says five '^state waiting the broker refuses the connection: (not authorized|bad user name or password)'
check 'and tried again' soon 5 at_least 3 five '^state waiting'
order five close
probe_start six 127.0.0.1 "$broker_port" six 'a/+' user=good password=secret
check 'the right one is let in' soon 5 connects six 1
order six 'publish z/1 x'
check 'a message that is not allowed is told of' soon 5 says six '^published 1 -[0-9]+ not authorized'
order six close
broker_kill locked
