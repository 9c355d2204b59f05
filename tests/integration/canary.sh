#!/usr/bin/env bash
# No generator data reaches a foreign node. Canary values are planted in generator data; everything the owner sends
# is recorded before encryption (a build with -Dtap=true), and the record, the foreign node's store and its log are
# searched. First the controls: the search finds the canaries at the owner, and in the record and at the foreign
# node once the egress check is switched off.
#
# With HOLON_DATA the canaries sit among the real generators of one company, else in a small grid of the same shape.
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

# the canaries: a name, a tag, and one number for each property
python3 - tables "$bus" <<'PYTHON'
import csv, sys
folder, bus = sys.argv[1:]
def rewrite(name, change):
    path = folder + "/" + name
    rows = list(csv.reader(open(path)))
    change(rows)
    csv.writer(open(path, "w"), lineterminator="\n").writerows(rows)
def generator(rows):
    row = dict(name="zqcanary unit", bus=bus, p_nom="73645.19283746551", carrier="zqcarrier",
               marginal_cost="8264.519283746551")
    rows.append([row.get(column, "") for column in rows[0]])
def availability(rows):
    rows[0].append("zqcanary unit")
    for n, row in enumerate(rows[1:]):
        row.append("0.82645192837465%02d" % n)
rewrite("generators.csv", generator)
rewrite("generators-p_max_pu.csv", availability)
PYTHON

cat >search.py <<'PYTHON'
# search.py WHAT PATH...: how many of the marks occur in the files; of a tap (*.tap) only frames to harbor count
import os, struct, sys
marks = {
    "canaries": [b"zqcanary", b"zqcarrier", 73645.19283746551, 8264.519283746551] +
                [float("0.82645192837465%02d" % n) for n in range(24)],
    "loads": [float(sys.argv[1].split("=")[1])] if "=" in sys.argv[1] else [],
}[sys.argv[1].split("=")[0]]
def forms(mark):
    if isinstance(mark, bytes):
        return [mark]
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
found = set()
for top in sys.argv[2:]:
    paths = [top] if os.path.isfile(top) else [os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs]
    for path in paths:
        if not os.path.isfile(path):
            continue
        data = open(path, "rb").read()
        data = frames(data) if path.endswith(".tap") else data
        for mark in marks:
            if any(form in data for form in forms(mark)):
                found.add((mark, path))
for mark, path in sorted(found, key=str):
    print(mark, path, file=sys.stderr)
print(len(found))
PYTHON
search() {
	python3 search.py "$@"
}

a_load=$(python3 - tables "$bus" <<'PYTHON'
import csv, sys
folder, bus = sys.argv[1:]
name = next(r["name"] for r in csv.DictReader(open(folder + "/loads.csv")) if r["bus"] == bus)
print(list(csv.DictReader(open(folder + "/loads-p_set.csv")))[-1][name])
PYTHON
)

# One whole life of two organisations. $1: where its nodes lie, rest: environment of the owner's node
live() {
	local mesh=$1
	shift
	mkdir "$mesh"
	cd "$mesh"
	mapfile -t addresses < <(free_addresses 2)
	quietly org_found "$own" site "${addresses[0]}"
	quietly org_found harbor site "${addresses[1]}"
	(
		export HOLON_TAP=$PWD/owner.tap "$@"
		node_start "$own/site"
	)
	node_start harbor/site
	trust_all "$own" harbor
	quietly holon --node "$own/site" import csv --map "$root/deploy/demo/scigrid.map.json" \
		--set "company=$company" ../tables
	cat >harbor.json <<-JSON
		{"types": [{"name": "city", "kind": "system-of-systems"}],
		 "twins": [{"id": "harbor/city", "type": "city"}],
		 "relations": [{"type": "contains", "from": "harbor/city", "to": "$own/grid"}]}
	JSON
	quietly holon --node harbor/site apply harbor.json
	publish "$own" <<-POLICY
		policy $own
		  org harbor = @ORG:harbor@
		  never "generators"
		    to everyone-else
		    twins **
		    deny summary, read, history of gen/**
		  share "grid and load"
		    to org harbor
		    twins grid, type bus, type load
		    allow discover, summary
		    allow read load/power
		    allow history load/power
		    until @UNTIL@
	POLICY
	quietly holon --node "$own/site" rel confirm harbor/city "$own/grid"
	soon 15 has_load
	ask_around
	reading "$own/gen-zqcanary-unit" gen/availability "$(now)" 0.8264519283746500 |
		quietly holon --node "$own/site" ingest -
	ask_around
	sleep 1 # for what gossip would still say
	cd ..
}

has_load() {
	[ "$(view_field 'd["rollups"][0]["n"]' harbor/site harbor/city --rollup sum:load/power --offline)" -ge 2 ]
}

# Everything a curious partner can ask, without knowing a name; the answers go to the log of the asker.
ask_around() {
	local known=$own/gen-1-Gas
	{
		holon --node harbor/site view harbor/city --rollup sum:load/power
		holon --node harbor/site view harbor/city --rollup sum:gen/capacity --rollup max:gen/availability
		holon --node harbor/site view harbor/city --rollup max:gen/marginal-cost --as-of 2011-01-01T00:00:00Z
		holon --node harbor/site view "$known" --rollup sum:gen/capacity
		holon --node harbor/site twin get "$known"
		holon --node harbor/site twin get "$own/bus-$bus"
		holon --node harbor/site twin list
		holon --node harbor/site history "$known" gen/availability
		holon --json --node harbor/site view harbor/city --offline
		holon --json --node harbor/site peer list
	} >>harbor/site.log 2>&1 || true
}

live open HOLON_EGRESS_OFF=1
check 'control: the search finds the canaries in the store of the owner' [ "$(search canaries open/$own/site)" -gt 0 ]
check 'control: with the egress check off it finds them in what is sent' [ "$(search canaries open/owner.tap)" -gt 0 ]
check 'control: and at the foreign node' [ "$(search canaries open/harbor)" -gt 0 ]
mesh_stop "$PWD/open"

live closed HOLON_EGRESS_OFF=0
check 'control: the canaries are at the owner' [ "$(search canaries closed/$own/site)" -gt 0 ]
check 'control: the search finds what is shared in what is sent' [ "$(search "loads=$a_load" closed/owner.tap)" -gt 0 ]
check 'control: and at the foreign node' [ "$(search "loads=$a_load" closed/harbor)" -gt 0 ]
check 'no canary is sent' equal "$(search canaries closed/owner.tap)" 0
check 'no canary is at the foreign node: store, log and all' equal "$(search canaries closed/harbor)" 0
mesh_stop "$PWD/closed"
