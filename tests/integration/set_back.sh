#!/usr/bin/env bash
# A clock that is set back by more than a year gives nobody back what has ended; one that stood far ahead can be
# forgotten.
. "$(dirname "$0")/lib.sh"

[ "$SLOW" -eq 1 ] || { # faketime and the sanitizers wait for each other
	check 'left out with sanitizers' true
	exit
}
preload=$(faketime -f +1d env | sed -n 's/^LD_PRELOAD=//p')
# From here on it is so many days from now; node_start and holon inherit it.
days_ahead() {
	export LD_PRELOAD=$preload FAKETIME="+$1d" DONT_FAKE_MONOTONIC=1
}
real_time() {
	unset LD_PRELOAD FAKETIME
}
status() {
	holon --node acme/site "$@"
}
decides() {
	holon --node acme/site policy why --as harbor --do discover --twin acme/plant | grep "^$1"
}

mapfile -t addresses < <(free_addresses 2)
days_ahead 400
quietly org_found acme site "${addresses[0]}"
quietly org_found harbor site "${addresses[1]}"
node_start acme/site
quietly org_trust acme site harbor
quietly holon --node acme/site twin create acme/plant --kind system
printf 'policy acme\n org harbor = @ORG:harbor@\n share "a day"\n to org harbor\n twins **\n allow discover\n until %s\n' \
	"$(date -u -d +2days +%Y-%m-%d)" | publish acme
check 'as long as the share lasts it is granted' decides allowed
node_stop acme/site

days_ahead 410
node_start acme/site
check 'when it has ended it is not' decides denied
node_stop acme/site

real_time
node_start acme/site
check 'nor when the clock is set back by more than a year' decides denied
check 'status says that the border is closed' eval 'status status | grep -q "closed: the clock of this machine was set back by 4[01][0-9]d"'
check 'and that the clock was set back' eval 'status status | grep -q "clock was set back"'
check 'doctor calls it a problem' eval '{ status doctor || true; } | grep "problem *clock"'
check 'inside it goes on' quietly holon --node acme/site twin create acme/plant2 --kind system
refuses 'a running node does not forget' 1 'in use by another process' holond --dir acme/site --forget-clock
node_kill acme/site
node_start acme/site
check 'it is the same after a crash' decides denied
node_stop acme/site

# the other way round: of a clock that stood far ahead little is kept
days_ahead 411
node_start acme/site
node_stop acme/site
days_ahead 700
node_start acme/site
node_stop acme/site
days_ahead 412
node_start acme/site
check 'of 300 days less than 31 are kept' equal \
	"$(holon --json --node acme/site status | json '0 < d["clock_back_s"] <= 31 * 86400')" True
node_stop acme/site
check 'an operator has it forgotten' holond --dir acme/site --forget-clock
node_start acme/site
check 'then the clock counts again' equal "$(holon --json --node acme/site status | json 'd["clock_back_s"]')" 0.0
check 'the border is open' equal "$(holon --json --node acme/site status | json 'd["border"]')" open
check 'and the audit says so' eval 'holon --node acme/site audit list | grep "clock forgotten"'
check 'what has ended stays ended all the same' decides denied
real_time
