#!/usr/bin/env bash
# Nothing that is not shared reaches a foreign node. Canaries, marks that occur nowhere else, are planted in all that a
# policy can keep back: names, tags, types, property names, parents, hierarchies, texts and numbers of now and before,
# values that are shared as tokens or with a role only. Everything the owner sends is recorded before encryption (a
# build with -Dtap=true); that record, the foreign node's directory (store, log, audit, and every answer and error its
# command line got), and the owner's log are searched.
#
# First the control: with the egress check switched off every single canary must be found in the record and at the foreign
# node, so that no blind spot of the search looks like a secret kept.
#
# With HOLON_DATA the canaries sit among the real twins of one company, else in a small grid of the same shape.
. "$(dirname "$0")/lib.sh"

if [ -n "${HOLON_DATA-}" ]; then
	company=TransnetBW own=transnetbw
	bus=$(python3 - "$HOLON_DATA" $company <<-'PYTHON' # the first with a load
		import csv, sys
		data, company = sys.argv[1:]
		own = {r["bus"] for r in csv.DictReader(open(data + "/derived_bus_company.csv")) if r["company"] == company}
		print(next(r["bus"] for r in csv.DictReader(open(data + "/loads.csv")) if r["bus"] in own))
	PYTHON
	)
	cp -r "$HOLON_DATA" tables
	chmod -R u+w tables
else
	company=Acme own=acme bus=1
	mkdir tables
	cd tables
	printf 'name,v_nom,x,y,osm_name\n1,380,9.1,52.3,West\n2,380,9.6,52.1,East\n' >buses.csv
	printf 'bus,company\n1,Acme\n2,Acme\n' >derived_bus_company.csv
	printf 'name,bus0,bus1,c0,c1\n' >derived_tie_lines.csv
	printf 'name,bus0,bus1,s_nom,length,osm_name\n1,1,2,1700,35,West-East\n' >lines.csv
	printf 'name,bus0,bus1,s_nom\n' >transformers.csv
	printf 'name,bus,p_nom,carrier,marginal_cost\n1 Gas,1,120,Gas,50\n' >generators.csv
	printf ',1 Gas\n0,1.0\n1,0.5\n' >generators-p_max_pu.csv
	printf 'name,bus,p_nom,carrier,marginal_cost\n' >storage_units.csv
	printf 'name,bus\n1,1\n2,2\n' >loads.csv
	printf ',1,2\n0,231.716205807,40.6136182527\n1,221.822547124,38.879526002\n' >loads-p_set.csv
	printf ',snapshot\n0,2011-01-01 00:00:00\n1,2011-01-01 01:00:00\n' >snapshots.csv
	cd ..
fi

# in the tables: a generator that nobody shares
python3 - tables "$bus" <<'PYTHON'
import csv, sys
folder, bus = sys.argv[1:]
def rewrite(name, change):
    path = folder + "/" + name
    rows = list(csv.reader(open(path)))
    change(rows)
    csv.writer(open(path, "w"), lineterminator="\n").writerows(rows)
def generator(rows):
    row = dict(name="zqunit", bus=bus, p_nom="73645.19283746551", carrier="zqcarrier", marginal_cost="8264.519283746551")
    rows.append([row.get(column, "") for column in rows[0]])
def availability(rows):
    rows[0].append("zqunit")
    for n, row in enumerate(rows[1:]):
        row.append("0.82645192837465%02d" % n)
rewrite("generators.csv", generator)
rewrite("generators-p_max_pu.csv", availability)
PYTHON

# beside them: twins of which one is shown, one is only known to be there, and the others are not
secrets() {
	cat <<-JSON
		{"types": [
		   {"name": "shown", "kind": "asset", "properties": $(properties)},
		   {"name": "zqtype", "kind": "asset", "properties": $(properties)}],
		 "twins": [
		   {"id": "$own/shown", "type": "shown", "name": "a pump"},
		   {"id": "$own/bare", "type": "shown", "name": "zqbarename", "tags": ["zqbaretag"]},
		   {"id": "$own/guessed", "type": "zqtype"},
		   {"id": "$own/zqtwin", "type": "zqtype", "name": "zqname", "tags": ["zqtag"], "aliases": ["urn:zqalias"]},
		   {"id": "$own/zqparent", "type": "shown"}],
		 "relations": [
		   {"type": "contains", "from": "$own/grid", "to": "$own/shown"},
		   {"type": "zqfeeds", "from": "$own/zqparent", "to": "$own/shown"}]}
	JSON
}
properties() {
	cat <<-'JSON'
		[{"name": "open/level", "type": "double", "unit": "m", "kpi": true},
		 {"name": "open/token", "type": "text", "kpi": true},
		 {"name": "role/word", "type": "text"},
		 {"name": "secret/word", "type": "text", "kpi": true},
		 {"name": "secret/note", "type": "text"},
		 {"name": "secret/level", "type": "double", "unit": "m", "kpi": true},
		 {"name": "secret/zqproperty", "type": "double"}]
	JSON
}
readings() {
	reading "$own/shown" open/level 2024-03-04T10:00:00Z 1234.567890123
	reading "$own/shown" open/token 2024-03-04T10:00:00Z '"zqtoken"'
	reading "$own/shown" role/word 2024-03-04T10:00:00Z '"zqrole"'
	reading "$own/shown" secret/word 2024-03-04T09:00:00Z '"zqbefore"'
	reading "$own/shown" secret/word 2024-03-04T10:00:00Z '"zqword"'
	reading "$own/shown" secret/note 2024-03-04T10:00:00Z '"zqnote"'
	reading "$own/shown" secret/level 2024-03-04T09:00:00Z 5519.283746551982
	reading "$own/shown" secret/level 2024-03-04T10:00:00Z 6451.928374655123
	reading "$own/guessed" open/level 2024-03-04T10:00:00Z 4519.283746551234
	reading "$own/guessed" secret/note 2024-03-04T10:00:00Z '"zqguessed"'
	reading "$own/bare" open/level 2024-03-04T10:00:00Z 9283.746551234519
}

cat >search.py <<'PYTHON'
# search.py every|none|shown PATH...: are all the canaries in the files, or none of them, or what is shared? Names what is
# not as it should be. Of a record (*.tap) only frames to harbor count.
import os, struct, sys
texts = {"name of a unit": "zqunit", "carrier": "zqcarrier", "id of a twin": "zqtwin", "name of a twin": "zqname",
         "tag of a twin": "zqtag", "type": "zqtype", "name of a property": "zqproperty", "parent": "zqparent",
         "hierarchy": "zqfeeds", "name of a twin that is only there": "zqbarename", "tag of it": "zqbaretag",
         "text shared as a token": "zqtoken", "text shared with a role": "zqrole", "text of a KPI": "zqword",
         "text of before": "zqbefore", "text beside the summary": "zqnote", "text of a twin that was guessed": "zqguessed"}
numbers = {"capacity": 73645.19283746551, "cost": 8264.519283746551, "number of a KPI": 6451.928374655123,
           "number of before": 5519.283746551982, "number of a twin that was guessed": 4519.283746551234,
           "number of a twin that is only there": 9283.746551234519}
numbers.update({"availability in hour %d" % n: float("0.82645192837465%02d" % n) for n in range(int(os.environ["HOURS"]))})
shared = {"level": 1234.567890123, "load": float(os.environ["A_LOAD"])}
def forms(mark):
    if isinstance(mark, str):
        return [mark.encode()]
    return [struct.pack("<d", mark), struct.pack(">d", mark), repr(mark).encode(), b"%.10g" % mark]
def frames(data):
    out, at = b"", 0
    while at < len(data):
        n = int.from_bytes(data[at:at + 4], "big")
        record = data[at + 4:at + 4 + n]
        if record.split(b"\0")[0].startswith(b"harbor/"):
            out += record + b"\n"
        at += 4 + n
    return out
def data_of(path):
    data = open(path, "rb").read()
    return frames(data) if path.endswith(".tap") else data
what, tops = sys.argv[1], sys.argv[2:]
marks = shared if what == "shown" else {**texts, **numbers}
paths = [os.path.join(d, f) for top in tops for d, _, fs in os.walk(top) for f in fs] + tops
files = [(path, data_of(path)) for path in paths if os.path.isfile(path)]
where = {name: [path for path, data in files if any(form in data for form in forms(mark))] for name, mark in marks.items()}
bad = [name for name in marks if bool(where[name]) == (what == "none")]
for name in bad:
    print("found" if where[name] else "not found", name, *where[name][:2], sep=": ")
print("%d of %d found in %d files, %d bytes" % (sum(map(bool, where.values())), len(marks), len(files),
                                                sum(len(data) for _, data in files)))
sys.exit(bool(bad) or not files)
PYTHON
search() {
	python3 search.py "$@"
}

export HOURS A_LOAD
HOURS=$(($(wc -l <tables/snapshots.csv) - 1))
A_LOAD=$(python3 - tables "$bus" <<'PYTHON'
import csv, sys
folder, bus = sys.argv[1:]
name = next(r["name"] for r in csv.DictReader(open(folder + "/loads.csv")) if r["bus"] == bus)
print(list(csv.DictReader(open(folder + "/loads-p_set.csv")))[-1][name])
PYTHON
)

# $1: what the comment says, so that the policy is another one
share() {
	publish "$own" <<-POLICY
		policy $own # $1
		  org harbor = @ORG:harbor@
		  never "generators"
		    to everyone-else
		    twins **
		    deny summary, read, history of gen/**, secret/**
		  share "grid and load"
		    to org harbor
		    twins grid, type bus, type load, shown
		    allow discover, summary
		    allow read load/power, open/*
		    allow history load/power, open/level
		    redact open/token as token
		    until @UNTIL@
		  share "that it is there"
		    to org harbor
		    twins bare
		    allow discover
		    until @UNTIL@
		  share "for operators"
		    to org harbor role operator
		    twins shown
		    allow read role/word
		    until @UNTIL@
	POLICY
}

# One whole life of two organisations. $1: where its nodes lie, $2: is the egress check off?
live() {
	local mesh=$1
	mkdir "$mesh"
	cd "$mesh"
	mapfile -t addresses < <(free_addresses 2)
	quietly org_found "$own" site "${addresses[0]}"
	quietly org_found harbor site "${addresses[1]}"
	(
		export HOLON_TAP=$PWD/owner.tap HOLON_EGRESS_OFF=$2
		node_start "$own/site"
	)
	node_start harbor/site
	trust_all "$own" harbor
	quietly holon --node "$own/site" import csv --map "$root/deploy/demo/scigrid.map.json" \
		--set "company=$company" ../tables
	secrets >secrets.json
	quietly holon --node "$own/site" apply secrets.json
	rm secrets.json
	readings | quietly holon --node "$own/site" ingest -
	cat >harbor.json <<-JSON
		{"types": [{"name": "city", "kind": "system-of-systems"}],
		 "twins": [{"id": "harbor/city", "type": "city"}],
		 "relations": [{"type": "contains", "from": "harbor/city", "to": "$own/grid"}]}
	JSON
	quietly holon --node harbor/site apply harbor.json
	share first
	quietly holon --node "$own/site" rel confirm harbor/city "$own/grid" --since 2011-01-01
	soon 15 has_load
	ask_around "$2"
	reading "$own/gen-zqunit" gen/availability "$(now)" 0.8264519283746500 | quietly holon --node "$own/site" ingest -
	share second # everything is compared, and repaired where it differs
	quietly node_stop harbor/site
	node_start harbor/site
	soon 15 has_load
	ask_around "$2"
	sleep 1 # for what gossip would still say
	cd ..
}

has_load() {
	[ "$(view_field 'd["rollups"][0]["n"]' harbor/site harbor/city --rollup sum:load/power --offline)" -ge 2 ]
}

# Everything a curious partner can ask, without knowing a name that it cannot guess ($1 is not 1: with all of them); the
# answers and the errors go to the log of the asker.
ask_around() {
	local twin property twins=("$own/gen-1-Gas" "$own/bus-$bus" "$own/shown" "$own/bare" "$own/guessed")
	local properties=(gen/availability open/level open/token role/word secret/word secret/note secret/level)
	[ "$1" != 1 ] || twins+=("$own/gen-zqunit" "$own/zqtwin" "$own/zqparent")
	{
		holon --node harbor/site view harbor/city --rollup sum:load/power
		holon --node harbor/site view harbor/city --rollup sum:gen/capacity --rollup max:gen/availability
		holon --node harbor/site view harbor/city --rollup max:gen/marginal-cost --as-of 2011-01-01T00:00:00Z
		holon --json --node harbor/site view harbor/city --rollup max:secret/level --rollup max:open/level
		holon --json --node harbor/site view harbor/city --rollup max:secret/level --as-of 2024-03-04T09:30:00Z
		for twin in "${twins[@]}"; do
			holon --json --node harbor/site twin get "$twin"
			holon --json --node harbor/site view "$twin" --rollup max:secret/level --rollup sum:gen/capacity
			for property in "${properties[@]}"; do
				holon --json --node harbor/site history "$twin" "$property"
				holon --json --node harbor/site history "$twin" "$property" --step 1h
			done
		done
		holon --node harbor/site twin list
		holon --json --node harbor/site view harbor/city --offline
		holon --json --node harbor/site peer list
		holon --json --node harbor/site status
		holon --node harbor/site doctor
	} >>harbor/site.log 2>&1 || true
}

live open 1
check 'control: with the egress check off every canary is in what is sent' search every open/owner.tap
check 'control: and at the foreign node' search every open/harbor
mesh_stop "$PWD/open"

live closed 0
check 'control: the search finds what is shared in what is sent' search shown closed/owner.tap
check 'control: and at the foreign node' search shown closed/harbor
check 'no canary is sent' search none closed/owner.tap
check 'no canary is at the foreign node: store, log, audit, answers and errors' search none closed/harbor
check "no canary is in the owner's log" search none "closed/$own/site.log"
check 'what is never anybody else'"'"'s business stays at home also with the check off' \
	eval '! grep -rq zqalias open/owner.tap open/harbor'
mesh_stop "$PWD/closed"
