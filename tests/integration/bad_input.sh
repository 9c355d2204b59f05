#!/usr/bin/env bash
# Bad input: one clear line, exit code 1 or 2, nothing half-applied. And importing twice changes nothing.
. "$(dirname "$0")/lib.sh"

found_and_start acme
at=(--node acme/site)
apply_acme acme/site

state() { # everything a half-applied input could have changed
	holon --json "${at[@]}" twin list
	holon --json "${at[@]}" rel list
	holon --json "${at[@]}" type list
	holon --json "${at[@]}" history acme/plant/press1 power/use
	status_of acme/site seq
}
before=$(state)

# ---- The command line
refuses 'an unknown flag' 2 'flag --loud' holon "${at[@]}" status --loud
refuses 'an unknown command' 2 'unknown command' holon "${at[@]}" twin paint
refuses 'a missing argument' 2 'usage: holon view' holon "${at[@]}" view
refuses 'a duration that is none' 2 'deadline' holon "${at[@]}" view acme/plant --deadline soon
refuses 'a time that is none' 2 'as-of' holon "${at[@]}" view acme/plant --as-of 2024-02-31
refuses 'a roll-up that is none' 2 'rollup' holon "${at[@]}" view acme/plant --rollup total:power/use
refuses 'no node there' 3 'no node at' holon --endpoint ipc:///nonexistent/control status
refuses 'an unknown flag of holond' 2 'flag --loud' holond --dir acme/site --loud
refuses 'a flag of holond without its value' 2 'lacks its value' holond --dir
refuses 'a directory that is no node' 1 'nonexistent' holond --dir nonexistent
refuses 'a node that runs already' 1 'acme/site|lock|runs' holond --dir acme/site

# ---- Ids and values
refuses 'an id with a blank' 2 'acme/plant/press 3' holon "${at[@]}" twin create 'acme/plant/press 3' --kind asset
refuses 'an id with an empty segment' 2 'acme//x' holon "${at[@]}" twin create acme//x --kind asset
refuses 'an id of dots' 2 '\.\.' holon "${at[@]}" twin create acme/../x --kind asset
refuses "another organisation's id" 1 'volt' holon "${at[@]}" twin create volt/x --kind asset
refuses 'an unknown kind' '[12]' 'spaceship' holon "${at[@]}" twin create acme/x --kind spaceship
refuses 'a property of the wrong type' 1 'power/use' holon "${at[@]}" twin set acme/plant/press1 power/use much
refuses 'a property that the type does not have' 1 'power/abuse' \
	holon "${at[@]}" twin set acme/plant/press1 power/abuse 1
refuses 'a relation from a twin that is not there' 1 'acme/shed' \
	holon "${at[@]}" rel add contains acme/shed acme/plant
refuses 'a twin that is not there' 1 'acme/shed' holon "${at[@]}" twin get acme/shed

# ---- Files
refuses 'a missing file' '[12]' 'missing.json' holon "${at[@]}" apply missing.json
echo '{"types": [}' >broken.json
refuses 'a file that is not JSON' '[12]' 'broken.json' holon "${at[@]}" apply broken.json
cat >unit.json <<'JSON'
{"types": [{"name": "kiln", "kind": "asset", "properties": [
  {"name": "state/heat", "type": "double", "unit": "warmths"}]}],
 "twins": [{"id": "acme/kiln", "type": "kiln"}]}
JSON
refuses 'a unit that is none' '[12]' 'warmths' holon "${at[@]}" apply unit.json
sed 's/warmths/degC/; s|acme/kiln|acme/ki ln|' unit.json >id.json
refuses 'an illegal id in a file' '[12]' 'acme/ki ln' holon "${at[@]}" apply id.json

(reading acme/plant/press1 power/use 2024-03-04T11:00:00Z '"lots"') >wrong.jsonl
refuses 'a reading of the wrong type' 1 'wrong.jsonl:1' holon "${at[@]}" ingest wrong.jsonl
echo '{"twin": ' >cut.jsonl
refuses 'a reading that is not JSON' 1 'cut.jsonl:1' holon "${at[@]}" ingest cut.jsonl

# ---- Mappings and tables
mkdir tables
printf 'id,power\nmill,5\nkiln,8\n' >tables/things.csv
cat >map.json <<'JSON'
{"org": "acme", "at": "2024-03-04T00:00:00Z",
 "types": [{"name": "tool", "kind": "asset", "properties": [
   {"name": "power/use", "type": "double", "unit": "kW", "kpi": true}]}],
 "twins": [{"table": "things.csv", "id": "{$org}/{id}", "type": "tool",
            "properties": {"power/use": {"value": "{power}", "unit": "W"}}}]}
JSON
sed 's/"table"/"tabel"/' map.json >key.json
refuses 'an unknown key in a mapping' 2 'key.json.*tabel' holon "${at[@]}" import csv --map key.json tables
sed 's/things.csv/nothing.csv/' map.json >table.json
refuses 'a table that is not there' '[12]' 'nothing.csv' holon "${at[@]}" import csv --map table.json tables
sed 's/{power}/{watts}/' map.json >column.json
refuses 'a column that is not there' '[12]' 'watts' holon "${at[@]}" import csv --map column.json tables
sed 's/"unit": "W"/"unit": "m"/' map.json >units.json
refuses 'a unit that measures something else' '[12]' "m" holon "${at[@]}" import csv --map units.json tables
refuses 'a folder that is not there' '[12]' 'nowhere' holon "${at[@]}" import csv --map map.json nowhere

# ---- Policies
printf 'policy acme\n  org volt = VOLT-AAAAAAA\n' >unknown.policy
refuses 'a policy that names an organisation nobody trusts' '[12]' 'line 2.*volt' \
	holon "${at[@]}" policy publish unknown.policy --org acme/org
printf 'policy harbor\n' >foreign.policy
refuses "another organisation's policy" '[12]' 'harbor' \
	holon "${at[@]}" policy publish foreign.policy --org acme/org
printf 'policy acme\n  share "x"\n    to everyone-else\n    twins **\n    allow discover\n' >endless.policy
refuses 'a share without an end' '[12]' 'until' holon "${at[@]}" policy publish endless.policy --org acme/org

check 'nothing of all this was applied' equal "$(state)" "$before"

# ---- Twice
import() {
	holon --json "${at[@]}" import csv --map map.json tables
}
check 'an import makes the twins' equal "$(import | json 'd["totals"]["twins"]["changed"]')" 2
check 'and converts units' equal \
	"$(samples 'd[0]["value"]' acme/site acme/kiln power/use)" 0.008
after=$(state)
check 'importing again changes nothing' equal \
	"$(import | json '[d["totals"][k]["changed"] for k in ("twins", "relations", "values", "samples")]' | tr '\n' ' ')" '0 0 0 0 '
check 'not even the sequence number' equal "$(state)" "$after"
printf 'oven,9\nsaw,7,too many\nla the,1\n' >>tables/things.csv
check 'bad rows are reported with file and line' equal \
	"$(import | json '["%s:%d" % (s["file"], s["line"]) for s in d["skipped"]]' | tr '\n' ' ')" \
	'things.csv:5 things.csv:6 '
check 'and good ones are taken' quietly holon "${at[@]}" twin get acme/oven

# ---- A store of a newer format, and damaged keys
node_stop acme/site
chmod 0644 acme/site/keys/curve.key
refuses 'a key that others may read' 1 'curve.key' holond --dir acme/site
chmod 0600 acme/site/keys/curve.key

# the first byte of every value is the format; this is the record that is read first
python3 - acme/site/store/state <<'PYTHON'
import glob, re, sys
changed = 0
for path in glob.glob(sys.argv[1] + "/**/*", recursive=True):
    try:
        data = open(path, "rb").read()
    except IsADirectoryError:
        continue
    data, n = re.subn(rb"(\x00\x00\x01\x00M).", lambda m: m[1] + b"\x63", data, flags=re.S)
    changed += n
    open(path, "wb").write(data)
sys.exit(not changed)
PYTHON
refuses 'a store of a newer format' 1 'store.*newer version' holond --dir acme/site
