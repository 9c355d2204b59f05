needs a node

A plant of two lines, in two forms of a tree.

  $ cat >plant.json <<END
  > {"types": [{"name": "plant", "kind": "system", "properties": []},
  >   {"name": "press", "kind": "asset", "properties": [{"name": "power", "type": "double", "unit": "kW", "kpi": true}]}],
  >  "twins": [{"id": "acme/plant", "type": "plant", "name": "Plant"},
  >   {"id": "acme/plant/a", "type": "press", "name": "Press A", "tags": ["old"]},
  >   {"id": "acme/plant/b", "type": "press", "name": "Press B"}],
  >  "relations": [{"type": "contains", "from": "acme/plant", "to": "acme/plant/a"},
  >   {"type": "contains", "from": "acme/plant", "to": "acme/plant/b"}]}
  > END
  $ holon apply plant.json
  7 changed, 0 unchanged
  $ holon twin set acme/plant/a power 30 --at 2024-03-04T10:00Z
  changed
  $ holon twin set acme/plant/b power 10 --at 2024-03-04T11:00Z
  changed
  $ holon view acme/plant --rollup sum:power --rollup count
  TWIN              NAME     HEALTH   sum:power  count  SHARE
  acme/plant        Plant    unknown  40 kW (2)      3  ████████████ 100 %
  ├── acme/plant/a  Press A  good     30 kW (1)      1  █████████     75 %
  └── acme/plant/b  Press B  good     10 kW (1)      1  ███           25 %
  3 members: 3 live
  $ holon view acme/plant --rollup sum:power --csv
  id,parent,depth,name,kind,type,state,life_cycle,health,sum:power,sum:power unit
  acme/plant,,0,Plant,system,plant,live,operating,unknown,40.0,kW
  acme/plant/a,acme/plant,1,Press A,asset,press,live,operating,good,30.0,kW
  acme/plant/b,acme/plant,1,Press B,asset,press,live,operating,good,10.0,kW
  2> holon: 3 members: 3 live
  $ holon view acme/plant --rollup sum:power --dot
  digraph view {
    rankdir=LR;
    node [shape=box];
    label="3 members: 3 live";
    "acme/plant" [label="acme/plant\nPlant\nsum:power 40 kW (2)", color=gray];
    "acme/plant/a" [label="acme/plant/a\nPress A\nsum:power 30 kW (1)", color=darkgreen];
    "acme/plant" -> "acme/plant/a";
    "acme/plant/b" [label="acme/plant/b\nPress B\nsum:power 10 kW (1)", color=darkgreen];
    "acme/plant" -> "acme/plant/b";
  }
  $ holon view acme/plant --csv --dot
  2> holon: give one of --json, --csv, --dot
  [2]
  $ holon view acme/plant --by type --dot
  2> holon: --dot draws members, not the lines of --by or --step
  [2]

What is selected, in groups, with values, and as a series.

  $ holon view acme/plant --rollup sum:power --rollup worst-health --where 'tag = old or type = plant' --show power --as-of 2024-03-04T11:30Z
  TWIN              NAME     HEALTH                 power  sum:power  worst-health  SHARE
  acme/plant        Plant    unknown                    -  30 kW (1)          good  ████████████ 100 %
  └── acme/plant/a  Press A  good     30 kW, 1h 30min ago  30 kW (1)          good  ████████████ 100 %
  3 members: 3 live, 1 not selected
  $ holon view acme/plant --rollup sum:power --rollup count --by type
  type   MEMBERS  sum:power  count  SHARE
  plant        1          -      1
  press        2  40 kW (2)      2  ████████████ 100 %
  total: sum:power 40 kW (2), count 3
  3 members: 3 live
  $ holon view acme/plant --rollup sum:power --by type --csv
  group,members,sum:power,sum:power unit
  plant,1,0.0,
  press,2,40.0,kW
  2> holon: 3 members: 3 live
  $ holon view acme/plant --rollup sum:power --by '"kind"'
  kind  MEMBERS  sum:power  SHARE
  -           3  40 kW (2)  ████████████ 100 %
  total: sum:power 40 kW (2)
  3 members: 3 live
  $ holon view acme/plant --rollup sum:power --by type --where 'power > 20 kW' --json
  {"root": "acme/plant", "name": "Plant", "kind": "system", "type": "plant", "state": "live", "life_cycle": "operating", "health": "unknown", "hierarchy": "contains", "where": "power > 20 kW", "by": "type", "rollups": [{"fn": "sum", "property": "power", "unit": "kW", "value": 30.0, "quality": "good", "n": 1}], "cells": [{"group": "press", "members": 1, "rollups": [{"fn": "sum", "property": "power", "unit": "kW", "value": 30.0, "quality": "good", "n": 1}]}], "certificate": {"clean": true, "members": 3, "live": 3, "cached": 0, "withheld": 0, "unreachable": 0, "unconfirmed": 0, "coarse": 0, "expired": 0, "filtered": 2, "cut": false, "sources": [{"org": "acme", "node": "n1", "revision": <*>, "age_s": <*>, "epoch": 0, "state": "live"}]}, "problems": []}
  $ holon view acme/plant --show power --csv
  id,parent,depth,name,kind,type,state,life_cycle,health,power,power unit,power t
  acme/plant,,0,Plant,system,plant,live,operating,unknown,,,
  acme/plant/a,acme/plant,1,Press A,asset,press,live,operating,good,30,kW,2024-03-04T10:00:00Z
  acme/plant/b,acme/plant,1,Press B,asset,press,live,operating,good,10,kW,2024-03-04T11:00:00Z
  2> holon: 3 members: 3 live
  $ holon view acme/plant --rollup sum:power --from 2024-03-04T09:00Z --to 2024-03-04T11:00Z --step 1h
  TIME                  MEMBERS  sum:power
  2024-03-04T09:00:00Z        3          -
  2024-03-04T10:00:00Z        3  30 kW (1)
  2024-03-04T11:00:00Z        3  40 kW (2)
  3 members: 3 live
  $ holon view acme/plant --rollup sum:power --by type --from 2024-03-04T10:00Z --to 2024-03-04T11:00Z --step 1h
  sum:power in kW by type
  TIME                  plant  press
  2024-03-04T10:00:00Z      -     30
  2024-03-04T11:00:00Z      -     40
  3 members: 3 live
  $ holon view acme/plant --rollup sum:power --by type --from 2024-03-04T10:00Z --to 2024-03-04T11:00Z --step 1h --csv
  t,group,members,sum:power,sum:power unit
  2024-03-04T10:00:00Z,plant,1,0.0,
  2024-03-04T10:00:00Z,press,2,30.0,kW
  2024-03-04T11:00:00Z,plant,1,0.0,
  2024-03-04T11:00:00Z,press,2,40.0,kW
  2> holon: 3 members: 3 live
  $ holon view acme/plant --rollup sum:power --members-max 2
  TWIN              NAME     HEALTH   sum:power  SHARE
  acme/plant        Plant    unknown  30 kW (1)  ████████████ 100 %
  └── acme/plant/a  Press A  good     30 kW (1)  ████████████ 100 %
  2 members: 2 live; cut short
  problem: the view was cut after 2 members: ask for a part of it, or with a higher --members-max
  [4]
  $ holon view acme/plant --where 'power > 3 degC'
  2> holon: column 7: power is measured in 'kW' and the other in 'degC'
  [1]

Views are kept under a name, and asked for by it; flags take the place of what was kept.

  $ holon view save load acme/plant --rollup sum:power --where 'tag = old or type = plant' --name 'Load of the old'
  3 changed, 0 unchanged
  $ holon view show load
  acme/plant rollup sum:power where tag = old or type = plant
  $ holon view show acme/views/load --json
  {"id": "acme/views/load", "name": "Load of the old", "question": "acme/plant rollup sum:power where tag = old or type = plant"}
  $ holon view load --depth 0
  TWIN        NAME   sum:power  SHARE
  acme/plant  Plant  30 kW (1)  ████████████ 100 %
  3 members: 3 live, 1 not selected
  $ holon view acme/views/load --rollup count --csv
  id,parent,depth,name,kind,type,state,life_cycle,health,count,count unit
  acme/plant,,0,Plant,system,plant,live,operating,unknown,2,
  acme/plant/a,acme/plant,1,Press A,asset,press,live,operating,good,1,
  2> holon: 3 members: 3 live, 1 not selected
  $ holon view save load load --depth 1
  changed
  $ holon view show load
  acme/plant depth 1 rollup sum:power where tag = old or type = plant
  $ holon twin get acme/views/load question
  acme/plant depth 1 rollup sum:power where tag = old or type = plant
  $ holon view list
  VIEW             NAME             QUESTION
  acme/views/load  Load of the old  acme/plant depth 1 rollup sum:power where tag = old or type = plant
  $ holon view list --json
  {"views": [{"id": "acme/views/load", "name": "Load of the old", "question": "acme/plant depth 1 rollup sum:power where tag = old or type = plant"}]}
  $ holon view show lode
  2> holon: there is no saved view acme/views/lode; see holon view list
  [1]
  $ holon view lode
  2> holon: there is no saved view acme/views/lode; see holon view list
  [1]
  $ holon view show acme/plant
  2> holon: acme/plant is no saved view
  [1]
  $ holon view save acme/plant acme/plant
  2> holon: acme/plant is there already, and no saved view: take another name
  [1]
  $ holon view save list acme/plant
  2> holon: list: a view of this name could not be called: take another
  [2]
  $ holon view save 'a b' acme/plant
  2> holon: name of a view 'a b': character 2 (byte 0x20) is not allowed; use letters, digits, '.', '_' and '-'
  [2]
  $ holon view save load acme/plant --where 'kind = '
  2> holon: --where: column 8: the expression ends too early
  [2]
  $ holon view save hours acme/plant --rollup 'quantile(0.5):power' --from 2024-03-04T10:00Z --to 2024-03-04T12:00Z --step 1h
  2 changed, 0 unchanged
  $ holon view hours --to 2024-03-04T11:00Z
  TIME                  MEMBERS  quantile(0.5):power
  2024-03-04T10:00:00Z        3         29.91 kW (1)
  2024-03-04T11:00:00Z        3         9.955 kW (2)
  3 members: 3 live
  $ holon watch hours
  2> holon: hours is a view of other times than now: see holon view
  [2]
  $ holon view acme/plant --to 2024-03-04T11:00Z
  2> holon: a series needs --from TIME and --step DURATION
  [2]
  $ holon view rm acme/plant
  2> holon: acme/plant is no saved view
  [1]
  $ holon view rm load
  changed
  $ holon view load
  2> holon: there is no saved view acme/views/load; see holon view list
  [1]
  $ holon view list
  VIEW              NAME  QUESTION
  acme/views/hours        acme/plant rollup quantile(0.5):power from 2024-03-04T10:00:00Z to 2024-03-04T12:00:00Z step 1h
