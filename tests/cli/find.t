needs a node

Find: which twins an expression selects.

  $ cat > plant.json <<END
  > {"types": [
  >    {"name": "press", "kind": "asset", "properties": [
  >      {"name": "power", "type": "double", "unit": "kW", "kpi": true},
  >      {"name": "mode", "type": "enum", "options": ["run", "idle"]},
  >      {"name": "serial", "type": "text"},
  >      {"name": "place", "type": "position", "kpi": true}]},
  >    {"name": "line", "kind": "system"}],
  >  "twins": [
  >    {"id": "acme/line1", "type": "line", "name": "Line 1"},
  >    {"id": "acme/line1/press1", "type": "press", "tags": ["hot"], "name": "the old one"},
  >    {"id": "acme/line1/press2", "type": "press"},
  >    {"id": "acme/line1/press3", "type": "press", "life": [{"state": "retired"}]}],
  >  "samples": [
  >    {"twin": "acme/line1/press1", "property": "power", "t": "2024-03-04T10:00:00Z", "value": 3},
  >    {"twin": "acme/line1/press1", "property": "mode", "t": "2024-03-04T10:00:00Z", "value": "run"},
  >    {"twin": "acme/line1/press1", "property": "serial", "t": "2024-03-04T10:00:00Z", "value": "SN 1, b"},
  >    {"twin": "acme/line1/press1", "property": "place", "t": "2024-03-04T10:00:00Z", "value": {"lat": 52.52, "lon": 13.4}},
  >    {"twin": "acme/line1/press2", "property": "power", "t": "2024-03-04T10:00:00Z", "value": 4500, "quality": "uncertain"},
  >    {"twin": "acme/line1/press2", "property": "mode", "t": "2024-03-04T10:00:00Z", "value": "run"}]}
  > END
  $ holon apply plant.json
  12 changed, 0 unchanged
  $ holon find "power > 1 kW" --show power --show mode
  TWIN               KIND   TYPE   HEALTH                 power  mode  STATE  NAME
  acme/line1/press1  asset  press  good                    3 kW   run  live   the old one
  acme/line1/press2  asset  press  warning  4,500 kW, uncertain   run  live
  2 found: 2 live
  $ holon find "power > 1 MW"
  TWIN               KIND   TYPE   HEALTH   STATE  NAME
  acme/line1/press2  asset  press  warning  live
  1 found: 1 live
  $ holon find "mode = 'run' and tag = hot" --json --show serial
  {"where": "mode = 'run' and tag = hot", "twins": [{"id": "acme/line1/press1", "name": "the old one", "kind": "asset", "type": "press", "state": "live", "life_cycle": "operating", "health": "good", "values": [{"property": "serial", "unit": "", "t": "2024-03-04T10:00:00Z", "value": "SN 1, b", "quality": "good"}], "rollups": []}], "more": false, "found": 1, "certificate": {"clean": true, "members": 1, "live": 1, "cached": 0, "withheld": 0, "unreachable": 0, "unconfirmed": 0, "coarse": 0, "expired": 0, "filtered": 0, "cut": false, "sources": [{"org": "acme", "node": "n1", "revision": <*>, "age_s": <*>, "epoch": 0, "state": "live"}]}, "problems": []}
  $ holon find "serial = 'SN 1, b'" --csv --show serial --show power
  id,name,kind,type,state,life_cycle,health,serial,serial unit,serial t,power,power unit,power t
  acme/line1/press1,the old one,asset,press,live,operating,good,"SN 1, b",,2024-03-04T10:00:00Z,3,kW,2024-03-04T10:00:00Z
  2> holon: 1 found: 1 live
  $ holon find "mode = 'idle'"
  nothing found
  $ holon find "type = press and not life = retired" --count
  2
  $ holon find "type = press" --count --json
  {"where": "type = press", "found": 3, "certificate": {"clean": true, "members": 3, "live": 3, "cached": 0, "withheld": 0, "unreachable": 0, "unconfirmed": 0, "coarse": 0, "expired": 0, "filtered": 0, "cut": false, "sources": [{"org": "acme", "node": "n1", "revision": <*>, "age_s": <*>, "epoch": 0, "state": "live"}]}, "problems": []}
  $ holon find "type = robot" --count
  0
  $ holon find "id = acme/line1/press2"
  TWIN               KIND   TYPE   HEALTH   STATE  NAME
  acme/line1/press2  asset  press  warning  live
  1 found: 1 live
  $ holon find "health = warning" --limit 5
  TWIN               KIND   TYPE   HEALTH   STATE  NAME
  acme/line1/press2  asset  press  warning  live
  1 found: 1 live
  $ holon find "name like '*old*'" --csv
  id,name,kind,type,state,life_cycle,health
  acme/line1/press1,the old one,asset,press,live,operating,good
  2> holon: 1 found: 1 live
  $ holon find "distance(52.5, 13.4) < 5 km"
  TWIN               KIND   TYPE   HEALTH  STATE  NAME
  acme/line1/press1  asset  press  good    live   the old one
  1 found: 1 live
  $ holon find "kind in (asset, system)" --limit 2
  TWIN               KIND    TYPE   HEALTH   STATE  NAME
  acme/line1         system  line   unknown  live   Line 1
  acme/line1/press1  asset   press  good     live   the old one
  4 found: 4 live
  2> holon: the first 2 are shown: --limit N for more
  $ holon find "kind in (asset, system)" --limit 0 --csv --offline
  id,name,kind,type,state,life_cycle,health
  acme/line1,Line 1,system,line,live,operating,unknown
  acme/line1/press1,the old one,asset,press,live,operating,good
  acme/line1/press2,,asset,press,live,operating,warning
  acme/line1/press3,,asset,press,live,retired,unknown
  2> holon: 4 found: 4 live
  $ holon find "not known(power)"
  TWIN               KIND    TYPE   HEALTH   STATE  NAME
  acme/line1         system  line   unknown  live   Line 1
  acme/line1/press3  asset   press  unknown  live
  2 found: 2 live

What makes no sense is said with its column.

  $ holon find "power >"
  2> holon: column 8: the expression ends too early
  [2]
  $ holon find "power > 3 kg"
  2> holon: column 7: power is measured in 'kW' and the other in 'kg'
  [1]
  $ holon find "power = 'much'"
  2> holon: column 7: power is a number and much is a text
  [1]
  $ holon find "power > 1 kW" --show "no such"
  2> holon: --show: 'no such' is no property
  [2]
  $ holon find "power > 1 kW" --csv --json
  2> holon: give one of --json, --csv
  [2]
  $ holon find "power > 1 kW" --csv --count
  2> holon: --count is one number: without --csv
  [2]
  $ holon find
  2> holon: usage: holon find EXPR [--show PROPERTY]... [--limit N] [--count] [--offline] [--csv]
  [2]
