#!/usr/bin/env bash
# A partner's person reads exactly what the person's role grants, at the border's own twins and at those of an owner
# behind it; the audit names the person, and a revocation takes the role away.
. "$(dirname "$0")/lib.sh"

mapfile -t addresses < <(free_addresses 3)
quietly org_found acme site "${addresses[0]}"
quietly holon node init works --org acme/org --dir acme/works --role owner --listen "tcp://${addresses[1]}"
quietly holon org show --dir acme/org --bundle acme/acme.bundle
quietly org_found harbor site "${addresses[2]}"
for node in acme/site acme/works harbor/site; do node_start $node; done
quietly holon --node acme/site org trust acme/acme.bundle --fingerprint "$(org_fingerprint acme)"
trust_all acme harbor
quietly org_trust acme works harbor
apply_acme acme/site
cat >works.json <<'JSON'
{"types": [{"name": "oven", "kind": "asset", "properties": [
   {"name": "recipe/heat", "type": "double", "unit": "kW"}, {"name": "meta/serial", "type": "text"}]}],
 "twins": [{"id": "acme/hall/oven", "type": "oven"}]}
JSON
quietly holon --node acme/works apply works.json
{
	reading acme/hall/oven recipe/heat 2024-03-04T10:00:00Z 42.5
	reading acme/hall/oven meta/serial 2024-03-04T10:00:00Z '"serial-plain-4711"'
} | quietly holon --node acme/works ingest -

quietly holon person invite ida --org harbor/org --dir ida --role inspector
quietly holon person invite carl --org harbor/org --dir carl --role clerk
quietly holon person invite mole --org acme/org --dir mole --role inspector

quietly holon --node acme/site view save heat acme/hall/oven --rollup max:recipe/heat
publish acme <<'POLICY'
policy acme
  org harbor = @ORG:harbor@

  share "for inspectors"
    to org harbor role inspector
    twins plant/press1, hall/oven
    allow history recipe/force last 36500d
    allow read recipe/heat, meta/serial
    redact meta/serial as token
    until @UNTIL@

  share "views for inspectors"
    to org harbor role inspector
    twins views/**
    allow discover, summary
    allow read question
    until @UNTIL@
POLICY

# What the rest of the arguments, if any, makes `twin get` print of the twin's values: [('PROPERTY', VALUE), ...]
values_of() {
	local twin=$1
	shift
	holon --json --node harbor/site twin get "$twin" "$@" | json "str([(v['property'], v['value']) for v in d['properties']])"
}
reads() {
	local twin=$1 what=$2
	shift 2
	equal "$(values_of "$twin" "$@")" "$what"
}

check 'a person with the role reads the one property' soon 20 \
	reads acme/plant/press1 "[('recipe/force', 8000.0)]" --person ida
check 'and its history' equal \
	"$(samples 'len(d)' harbor/site acme/plant/press1 recipe/force --person ida)" 1
refuses 'but no other history' 1 'not shared with you or not there; ask acme' \
	holon --node harbor/site --person ida history acme/plant/press1 power/use
refuses 'nor another twin' 1 'not shared with you or not there; ask acme' \
	holon --node harbor/site --person ida twin get acme/plant/press2

# answered in the same words, whether it is there or not, whoever asks in vain
asked() {
	local twin=$1
	shift
	holon --node harbor/site twin get "$twin" "$@" 2>&1 | sed "s|$twin|TWIN|g"
	echo "${PIPESTATUS[0]}"
}
refuses 'a colleague without the role is refused' 1 'not shared with you or not there; ask acme' \
	holon --node harbor/site --person carl twin get acme/plant/press1
denied=$(asked acme/plant/press1 --person carl)
check 'as of a twin that is not there' equal "$(asked acme/plant/press9 --person carl)" "$denied"
check 'as is the node itself' equal "$(asked acme/plant/press1)" "$denied"
check 'as is, of a twin that is not there, a person with the role' equal \
	"$(asked acme/plant/press9 --person ida)" "$denied"
refuses 'a person of another organisation is refused by the own node' 1 \
	'mole is a person of acme, and site a node of harbor' \
	holon --node harbor/site --person mole twin get acme/plant/press1
check 'what is shared with a role is in no summary' equal \
	"$(holon --node harbor/site view acme/plant/press1 --offline 2>&1 | grep -c "press1.*asset" || true)" 0

check 'an owner behind the border is reached' soon 20 eval \
	'values_of acme/hall/oven --person ida | grep -q "(.recipe/heat., 42.5)"'
check 'a redacted value comes as a token' eval \
	'values_of acme/hall/oven --person ida | grep -qE "\(.meta/serial., .[a-z2-7]{26}.\)"'
check 'the same every time' equal "$(values_of acme/hall/oven --person ida)" "$(values_of acme/hall/oven --person ida)"
check 'and nowhere as it is' eval \
	'! grep -rqa serial-plain harbor/ && ! holon --node harbor/site --person ida --json twin get acme/hall/oven | grep -q serial-plain'
refuses 'of tokens there is no history' 1 'not shared with you or not there; ask acme' \
	holon --node harbor/site --person ida history acme/hall/oven meta/serial
check 'the colleague is refused there too' equal "$(asked acme/hall/oven --person carl)" "$denied"

check 'a view saved for the role is called by its id' equal \
	"$(view_field 'str([r["value"] for r in d["rollups"]])' harbor/site acme/views/heat --person ida)" '[42.5]'
refuses 'by nobody else' 1 'not shared with you or not there; ask acme' \
	holon --node harbor/site --person carl view acme/views/heat

# what the owner is told beforehand is what happens
why() {
	holon --node acme/site --json policy why --as "$1" --do read --twin acme/plant/press1 --prop recipe/force |
		json 'd["allowed"]'
}
check 'policy why says yes to the role' equal "$(why harbor/inspector)" True
check 'and no to another' equal "$(why harbor/clerk)" False

check 'the revoked person is refused' eval '
	quietly holon person revoke ida --org harbor/org --reason left &&
	quietly holon org show --dir harbor/org --bundle harbor/harbor.bundle &&
	quietly holon --node acme/site org trust harbor/harbor.bundle --fingerprint "$(org_fingerprint harbor)" &&
	equal "$(asked acme/plant/press1 --person ida)" "$denied"'

node_stop acme/site
node_start acme/site
seen() {
	holon --node acme/site --json audit who-saw "$@" | json \
		'str(sorted({(s["partner"], s["person"], s["what"], s["property"], s["rule"]) for s in d["seen"]}))'
}
check 'who-saw names the person, what was read and the rule' equal "$(seen acme/plant/press1 recipe/force)" \
	"[('harbor', 'harbor/ida', 'history', 'recipe/force', 'for inspectors'), ('harbor', 'harbor/ida', 'read', 'recipe/force', 'for inspectors'), ('harbor', 'harbor/ida', 'summary', '', 'for inspectors')]"
check 'those behind the border too' eval \
	'seen acme/hall/oven recipe/heat | grep -q "harbor/ida., .read., .recipe/heat., .for inspectors"'
check 'refusals are counted' eval 'holon --node acme/site audit list --kind denied | grep -q "partner=harbor.*count="'
