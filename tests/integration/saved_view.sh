#!/usr/bin/env bash
# A saved view is a twin: shared by policy, called by its id in another organisation, and what it gives there is what
# the caller may see from his own node; taken back, it is as if it had never been.
. "$(dirname "$0")/lib.sh"

found_and_start acme harbor
apply_acme acme/site
apply_harbor harbor/site
trust_all acme harbor
acme_policy | publish acme

check 'a view is saved' quietly holon --node acme/site view save load acme/plant --rollup sum:power/use \
	--rollup max:recipe/force --where 'type = press' --name 'Load of the plant'
check 'and called by its short name' equal \
	"$(view_field 'str([(r["n"], r["value"]) for r in d["rollups"]])' acme/site load)" '[(2, 150.0), (1, 8000.0)]'

# whoever it is not shared with gets the answer that he gets of any twin
asked() {
	holon --node harbor/site view "$1" 2>&1 | sed "s|$1|TWIN|g"
	echo "${PIPESTATUS[0]}"
}
check 'it is not shared with others unasked' equal "$(asked acme/views/load)" "$(asked acme/views/none)"
{
	acme_policy
	cat <<-'POLICY'

		  share "views of the plant"
		    to org harbor
		    twins views/**
		    allow discover, summary
		    until @UNTIL@
	POLICY
} >shared
publish acme <shared
question='acme/plant rollup sum:power/use rollup max:recipe/force where type = press'
check 'shared, it is known there' soon 10 eval \
	'equal "$(holon --node harbor/site view show acme/views/load 2>&1)" "$question"'
check 'it is asked with the eyes of who calls it' soon 10 eval \
	'equal "$(view_field "str([r[\"n\"] for r in d[\"rollups\"]])" harbor/site acme/views/load)" "[2, 0]"'
check 'what is withheld from him is said' equal \
	"$(view_field 'd["certificate"]["withheld"] > 0' harbor/site acme/views/load)" True
check 'flags take the place of what was saved' equal \
	"$(view_field 'str([(r["fn"], r["n"]) for r in d["rollups"]])' harbor/site acme/views/load --rollup min:power/use)" \
	"[('min', 2)]"
check 'he can keep it as a view of his own' quietly holon --node harbor/site view save theirs acme/views/load --rollup count
check 'which is another' equal "$(holon --node harbor/site view show theirs)" 'acme/plant rollup count where type = press'

check 'both are listed' equal "$(holon --node harbor/site --json view list | json 'str([v["id"] for v in d["views"]])')" \
	"['acme/views/load', 'harbor/views/theirs']"

# it is kept anew by its owner, and the others follow
quietly holon --node acme/site view save load acme/plant --rollup count
check 'a question that changes there changes here' soon 10 eval \
	'equal "$(holon --node harbor/site view show acme/views/load 2>&1)" "acme/plant rollup count"'
check 'what it was before is in its history' equal \
	"$(holon --node acme/site --json history acme/views/load question | python3 -c '
import json, sys
print([json.loads(line)["value"] for line in sys.stdin])')" "['$question', 'acme/plant rollup count']"

acme_policy | publish acme
check 'taken back it is known no more' soon 10 eval \
	'grep -q "there is no saved view" <<<"$(holon --node harbor/site view show acme/views/load 2>&1)"'
check 'nor is it when it is asked for' equal "$(asked acme/views/load)" "$(asked acme/views/none)"
refuses 'what is not ours is not ours to delete' 1 'there is no saved view' holon --node harbor/site view rm acme/views/load
check 'its owner removes it' quietly holon --node acme/site view rm load
refuses 'and it is gone' 1 'there is no saved view' holon --node acme/site view load
