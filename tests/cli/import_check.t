A dry run reads and checks everything without a node, and says what is wrong with file and line.

  $ holon import csv --map $DATA/shop.json --set site=hall1 $DATA/shop --dry-run
  RULE     ROWS  CHOSEN  SKIPPED  TWINS  RELATIONS  VALUES  SAMPLES
  site     0     1       0        1 new  -          -       -
  machine  6     3       3        3 new  3 new      5 new   4 new
  total    6     4       3        4 new  3 new      5 new   4 new
  things.csv:8: the row has 2 fields, the header 6
  power.csv:4: hours.csv has no row with hour = 'x'
  things.csv:5: power/rated: 'much' is not a number
  things.csv:5: machine Saw has no series in power.csv
  things.csv:6: makers.csv has no row with maker = ''
  things.csv:7: twin acme/hall1/Drill-1 is made by an earlier row already
  power.csv:5: Drill 1: 'n/a' is not a number
  $ holon import csv --map $DATA/shop.json --set site=hall1 $DATA/shop --dry-run --json
  {"org": "acme", "dry_run": true, "types": {"changed": 1, "unchanged": 0}, "rules": [{"rule": "site", "table": null, "rows": 0, "chosen": 1, "skipped": 0, "twins": {"changed": 1, "unchanged": 0}, "values": {"changed": 0, "unchanged": 0}, "relations": {"changed": 0, "unchanged": 0}, "samples": {"changed": 0, "unchanged": 0}}, {"rule": "machine", "table": "things.csv", "rows": 6, "chosen": 3, "skipped": 3, "twins": {"changed": 3, "unchanged": 0}, "values": {"changed": 5, "unchanged": 0}, "relations": {"changed": 3, "unchanged": 0}, "samples": {"changed": 4, "unchanged": 0}}], "totals": {"rows": 6, "chosen": 4, "skipped": 3, "twins": {"changed": 4, "unchanged": 0}, "values": {"changed": 5, "unchanged": 0}, "relations": {"changed": 3, "unchanged": 0}, "samples": {"changed": 4, "unchanged": 0}}, "skipped": [{"file": "things.csv", "line": 8, "reason": "the row has 2 fields, the header 6"}, {"file": "power.csv", "line": 4, "reason": "hours.csv has no row with hour = 'x'"}, {"file": "things.csv", "line": 5, "reason": "power/rated: 'much' is not a number"}, {"file": "things.csv", "line": 5, "reason": "machine Saw has no series in power.csv"}, {"file": "things.csv", "line": 6, "reason": "makers.csv has no row with maker = ''"}, {"file": "things.csv", "line": 7, "reason": "twin acme/hall1/Drill-1 is made by an earlier row already"}, {"file": "power.csv", "line": 5, "reason": "Drill 1: 'n/a' is not a number"}]}
  $ holon import csv --map $DATA/shop.json --set site=hall1 $DATA/shop --dry-run --strict > /dev/null
  [1]

A mapping that makes no sense is refused with file and key before anything is read.

  $ holon import csv $DATA/shop
  2> holon: usage: holon import csv --map FILE.json DIR
  [2]
  $ holon import csv --map missing.json $DATA/shop
  2> holon: missing.json: No such file or directory
  [2]
  $ holon import csv --map $DATA/shop.json $DATA/shop --dry-run
  2> holon: $DATA/shop.json: vars: site has no value: give --set site=VALUE
  [2]
  $ holon import csv --map $DATA/shop.json --set place=hall1 $DATA/shop --dry-run
  2> holon: --set place=hall1: $DATA/shop.json declares no variable place under "vars"
  [2]
  $ holon import csv --map $DATA/shop.json --set site $DATA/shop --dry-run
  2> holon: --set site: NAME=VALUE is expected
  [2]
  $ holon import csv --map $DATA/shop.json --set site=a --set 'company=!' missing --dry-run
  2> holon: $DATA/shop.json: twins[1].table: missing/things.csv: No such file or directory
  [2]
  $ change() { sed "$1" $DATA/shop.json > map.json; holon import csv --map map.json --set site=hall1 $DATA/shop --dry-run; }
  > change 's/"relations"/"relatives"/'
  > change 's/"power.csv"/"powder.csv"/'
  > change 's/{by.country}/{by.continent}/'
  > change 's/{power_w}/{power/'
  > change 's/{slug:name}/{slag:name}/'
  > change 's/{note}/{$note}/'
  > change 's/"unit": "W"}, "pos/"unit": "m"}, "pos/'
  > change 's/"unit": "kW"/"unit": "kWW"/'
  > change 's/"type": "machine", "name"/"type": "robot", "name"/'
  > change 's/"on": "maker"/"on": "#7"/'
  > change 's/"power\/use", "table"/"power\/lost", "table"/'
  > change 's/"is_not"/"is": "DE", "is_not"/'
  > change 's/"at": "2024-03-04",//'
  > change 's/"kind": "system"/"kind": "shop"/'
  > change 's/"vars"/"vars": {}, "vars"/'
  > change 's/things.csv/..\/shop.json/'
  2> holon: map.json: twins[1].relatives: unknown key, expected one of rule, table, joins, where, id, type, kind, name, life, tags, aliases, properties, relations, series
  2> holon: map.json: twins[1].series[0].table: $DATA/shop/powder.csv: No such file or directory
  2> holon: map.json: twins[1].tags[1].where[0].value: {by.continent}: makers.csv has no column continent
  2> holon: map.json: twins[1].properties.power/rated.value: a brace without partner in "{power"; a brace itself is {{ or }}
  2> holon: map.json: twins[1].id: {slag:name}: unknown filter, there are slug and lower
  2> holon: map.json: twins[1].aliases[1]: {$note}: no such variable
  2> holon: map.json: twins[1].properties.power/rated.unit: unit 'm' cannot be turned into 'kW'
  2> holon: map.json: twins[1].properties.power/rated.unit: 'kWW' is not a unit: write it as UDUNITS-2 does, for example MW, degC or ug/m3
  2> holon: which node? give --node DIR or --endpoint ENDPOINT, or set HOLON_NODE or HOLON_ENDPOINT
  2> holon: map.json: twins[1].type: unknown type robot
  2> holon: map.json: twins[1].joins[0].on: makers.csv has no column #7
  2> holon: map.json: twins[1].series[0].property: type machine has no property power/lost
  2> holon: map.json: twins[1].tags[1].where[0]: exactly one of "is" and "is_not" is needed
  2> holon: map.json: twins[1].properties: values need a time: give "at" at the top of the file
  2> holon: map.json: twins[0].kind: shop is no kind of twin
  2> holon: map.json:3: duplicate object key near '"vars"'
  2> holon: map.json: twins[1].table: ../shop.json is no file below the directory
  [2]
