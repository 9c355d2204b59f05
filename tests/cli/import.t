needs a node

What the node has afterwards is what the tables say; a second time changes nothing. (Of a series only the present
value is known to be there already; older samples are merged with what is stored.)

  $ holon import csv --map $DATA/shop.json --set site=hall1 $DATA/shop --strict > /dev/null
  [1]
  $ holon twin list
  TWIN  KIND  TYPE  LIFE  TAGS  NAME
  $ holon import csv --map $DATA/shop.json --set site=hall1 $DATA/shop
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
  $ holon import csv --map $DATA/shop.json --set site=hall1 $DATA/shop --json
  {"org": "acme", "dry_run": false, "types": {"changed": 0, "unchanged": 1}, "rules": [{"rule": "site", "table": null, "rows": 0, "chosen": 1, "skipped": 0, "twins": {"changed": 0, "unchanged": 1}, "values": {"changed": 0, "unchanged": 0}, "relations": {"changed": 0, "unchanged": 0}, "samples": {"changed": 0, "unchanged": 0}}, {"rule": "machine", "table": "things.csv", "rows": 6, "chosen": 3, "skipped": 3, "twins": {"changed": 0, "unchanged": 3}, "values": {"changed": 0, "unchanged": 5}, "relations": {"changed": 0, "unchanged": 3}, "samples": {"changed": 2, "unchanged": 2}}], "totals": {"rows": 6, "chosen": 4, "skipped": 3, "twins": {"changed": 0, "unchanged": 4}, "values": {"changed": 0, "unchanged": 5}, "relations": {"changed": 0, "unchanged": 3}, "samples": {"changed": 2, "unchanged": 2}}, "skipped": [{"file": "things.csv", "line": 8, "reason": "the row has 2 fields, the header 6"}, {"file": "power.csv", "line": 4, "reason": "hours.csv has no row with hour = 'x'"}, {"file": "things.csv", "line": 5, "reason": "power/rated: 'much' is not a number"}, {"file": "things.csv", "line": 5, "reason": "machine Saw has no series in power.csv"}, {"file": "things.csv", "line": 6, "reason": "makers.csv has no row with maker = ''"}, {"file": "things.csv", "line": 7, "reason": "twin acme/hall1/Drill-1 is made by an earlier row already"}, {"file": "power.csv", "line": 5, "reason": "Drill 1: 'n/a' is not a number"}]}
  $ holon twin get acme/hall1/Drill-1
  acme/hall1/Drill-1
  name      Drill 1
  kind      asset
  type      machine
  life      operating
  health    good
  tags      de
  alias     Drill 1
  alias     a "good" one
  PROPERTY     VALUE      MEASURED
  power/rated  0.75 kW    2024-03-04T00:00:00Z
  power/use    700 W      2024-03-04T00:00:00Z
  position     52.1,13.2  2024-03-04T00:00:00Z
  $ holon history acme/hall1/Lathe power/use
  2024-03-04T00:00:00Z  1,400 W
  2024-03-04T01:00:00Z  1,450 W
  2024-03-04T03:00:00Z  1,470 W
  $ holon view acme/hall1 --rollup sum:power/rated
  TWIN                    NAME          HEALTH   sum:power/rated  SHARE
  acme/hall1              Shop of ACME  unknown      2.25 kW (2)  ████████████ 100 %
  ├── acme/hall1/Drill-1  Drill 1       good         0.75 kW (1)  ████          33 %
  ├── acme/hall1/Lathe    Lathe         good          1.5 kW (1)  ████████      67 %
  └── acme/hall1/Saw      Saw           unknown                -
  4 members: 4 live

A type that the mapping does not define comes from the node.

  $ echo '{"org": "acme", "twins": [{"id": "acme/m9", "type": "machine"}]}' > more.json
  $ holon import csv --map more.json $DATA/shop
  RULE     ROWS  CHOSEN  SKIPPED  TWINS  RELATIONS  VALUES  SAMPLES
  acme/m9  0     1       0        1 new  -          -       -
  total    0     1       0        1 new  -          -       -
  $ sed s/machine/robot/ more.json > worse.json
  $ holon import csv --map worse.json $DATA/shop
  2> holon: no type robot: see `holon type list`
  2> holon: worse.json: twins[0].type: unknown type robot
  [1]

What the node refuses is reported, the rest is kept.

  $ echo '{"org": "acme", "twins": [{"id": "acme/m10", "type": "machine", "relations": [{"type": "contains", "from": "acme/nowhere"}]}, {"id": "acme/m11", "type": "machine"}]}' > more.json
  $ holon import csv --map more.json $DATA/shop
  RULE      ROWS  CHOSEN  SKIPPED  TWINS  RELATIONS  VALUES  SAMPLES
  acme/m10  0     1       0        1 new  -          -       -
  acme/m11  0     1       0        1 new  -          -       -
  total     0     2       0        2 new  -          -       -
  acme/m10: refused by the node: relation: there is no twin acme/nowhere
  [1]
  $ sed 's/acme/bolt/g' more.json > other.json
  $ holon import csv --map other.json $DATA/shop
  2> holon: the mapping makes twins of bolt, the node belongs to acme
  [1]
