needs a node

Types extend others, wherever they stand in the file; what can be left out is that of the one they extend.

  $ cat > types.json <<END
  > {"types": [
  >    {"name": "press", "extends": "machine", "properties": [
  >      {"name": "power", "type": "double", "unit": "kW", "max": 50, "kpi": true},
  >      {"name": "mode", "type": "enum", "options": ["run", "idle"], "settable": true}]},
  >    {"name": "machine", "kind": "asset", "retention": {"raw": "90d", "minute": "2y", "hour": "10y"}, "properties": [
  >      {"name": "power", "type": "double", "unit": "kW", "min": 0, "settable": true},
  >      {"name": "serial", "type": "text", "retention": {"raw": "forever"}}]}]}
  > END
  $ cat > twins.json <<END
  > {"twins": [
  >    {"id": "acme/p1", "type": "press", "name": "Press 1", "tags": ["hot", "west"], "aliases": ["urn:p:1", "shared"]},
  >    {"id": "acme/m1", "type": "machine", "aliases": ["shared"]},
  >    {"id": "acme/hall", "kind": "environment"}],
  >  "relations": [{"type": "located-in", "from": "acme/p1", "to": "acme/hall", "valid_from": "2024-01-01", "valid_to": "2024-06-30"}],
  >  "memberships": [{"parent": "bolt/site", "child": "acme/p1"}],
  >  "samples": [
  >    {"twin": "acme/p1", "property": "power", "t": "2024-03-04T10:00:00Z", "value": 3},
  >    {"twin": "acme/p1", "property": "desired/power", "t": "2024-03-04T09:00:00Z", "value": 4},
  >    {"twin": "acme/p1", "property": "desired/mode", "t": "2024-03-04T09:00:00Z", "value": "idle"}]}
  > END
  $ holon diff types.json twins.json
  + type machine
      version: 1
      kind: asset
      retention: raw 90d, minute 2y, hour 10y
      property power: double kW, min 0.0, settable
      property serial: text, raw forever
  + type press
      version: 1
      kind: asset
      extends: machine
      property power: double kW, max 50.0, kpi
      property mode: enum, settable: run, idle
  + twin acme/p1
      type: press
      kind: asset
      name: Press 1
      tags: hot, west
      aliases: urn:p:1, shared
      life: operating
  + twin acme/m1
      type: machine
      kind: asset
      aliases: shared
      life: operating
  + twin acme/hall
      kind: environment
      life: operating
  + relation acme/p1 --located-in--> acme/hall
      valid_from: 2024-01-01T00:00:00Z
      valid_to: 2024-06-30T00:00:00Z
  + membership acme/p1 of bolt/site in contains
      state: confirmed
      since: <*>
  + sample acme/p1 power at 2024-03-04T10:00:00Z
      value: 3
      quality: good
  + sample acme/p1 desired/power at 2024-03-04T09:00:00Z
      value: 4
      quality: good
  + sample acme/p1 desired/mode at 2024-03-04T09:00:00Z
      value: idle
      quality: good
  10 to create, 0 to change, 0 unchanged, 0 refused
  [1]
  $ holon apply types.json twins.json --dry-run
  10 would change, 0 unchanged
  $ holon apply types.json twins.json
  10 changed, 0 unchanged
  $ holon diff types.json twins.json
  0 to create, 0 to change, 10 unchanged, 0 refused
  $ holon apply types.json twins.json
  0 changed, 10 unchanged
  $ holon type get press
  press version 1, asset, extends machine
  PROPERTY       TYPE    UNIT  KPI  RANGE     KEPT                        FROM
  power          double  kW    kpi  <= 50     90d, minutes 2y, hours 10y
  serial         text                                                     inherited
  mode           enum               run idle  90d, minutes 2y, hours 10y
  desired/power  double  kW         <= 50     90d, minutes 2y, hours 10y  desired
  desired/mode   enum               run idle  90d, minutes 2y, hours 10y  desired
  settle/power   text                         90d, minutes 2y, hours 10y  settle
  settle/mode    text                         90d, minutes 2y, hours 10y  settle
  $ holon type get machine
  machine version 1, asset
  PROPERTY       TYPE    UNIT  KPI  RANGE  KEPT                        FROM
  power          double  kW         >= 0   90d, minutes 2y, hours 10y
  serial         text
  desired/power  double  kW         >= 0   90d, minutes 2y, hours 10y  desired
  settle/power   text                      90d, minutes 2y, hours 10y  settle
  $ holon type get press --json
  {"name": "press", "version": 1, "kind": "asset", "extends": "machine", "properties": [{"name": "power", "type": "double", "unit": "kW", "min": null, "max": 50.0, "kpi": true}, {"name": "mode", "type": "enum", "unit": "", "min": null, "max": null, "kpi": false, "options": ["run", "idle"], "settable": true}], "effective": {"retention": {"raw": "90d", "minute": "2y", "hour": "10y"}, "properties": [{"name": "power", "type": "double", "unit": "kW", "min": null, "max": 50.0, "kpi": true, "settable": true}, {"name": "serial", "type": "text", "unit": "", "min": null, "max": null, "kpi": false, "retention": {"raw": "forever"}}, {"name": "mode", "type": "enum", "unit": "", "min": null, "max": null, "kpi": false, "options": ["run", "idle"], "settable": true}, {"name": "desired/power", "type": "double", "unit": "kW", "min": null, "max": 50.0, "kpi": false}, {"name": "desired/mode", "type": "enum", "unit": "", "min": null, "max": null, "kpi": false, "options": ["run", "idle"]}, {"name": "settle/power", "type": "text", "unit": "", "min": null, "max": null, "kpi": false}, {"name": "settle/mode", "type": "text", "unit": "", "min": null, "max": null, "kpi": false}]}}
  $ holon type list
  TYPE     VERSION  KIND   PROPERTIES
  machine  1        asset  4
  press    1        asset  7

A directory is all its JSON files.

  $ mkdir plant && mv types.json twins.json plant && touch plant/notes.txt
  $ holon diff plant
  0 to create, 0 to change, 10 unchanged, 0 refused
  $ mkdir empty && holon diff empty
  2> holon: empty: no *.json file in it
  [2]

What a type does to its twins is said before and after; nothing is lost without a word.

  $ cat > next.json <<END
  > {"types": [
  >    {"name": "machine", "version": 2, "kind": "asset", "retention": {"raw": "90d"}, "properties": [
  >      {"name": "power", "type": "double", "unit": "kW", "min": 0},
  >      {"name": "hours", "type": "int64", "unit": "h"}]}],
  >  "twins": [{"id": "acme/p1", "type": "press", "name": "Press One", "tags": ["hot"], "aliases": ["urn:p:1", "shared"]}]}
  > END
  $ holon diff next.json
  ~ type machine
      version: 1 -> 2
      retention: raw 90d, minute 2y, hour 10y -> raw 90d
      property power: double kW, min 0.0, settable -> double kW, min 0.0
      property hours: - -> int64 h
      property serial: text, raw forever -> -
  ~ twin acme/p1
      name: Press 1 -> Press One
      tags: hot, west -> hot
  type machine has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power)
  type press has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power), whose 2 present values can no longer be reached
  0 to create, 2 to change, 0 unchanged, 0 refused
  [1]
  $ holon diff next.json --json
  {"objects": [{"kind": "type", "name": "machine", "fate": "change", "fields": [{"field": "version", "old": "1", "new": "2"}, {"field": "retention", "old": "raw 90d, minute 2y, hour 10y", "new": "raw 90d"}, {"field": "property power", "old": "double kW, min 0.0, settable", "new": "double kW, min 0.0"}, {"field": "property hours", "old": null, "new": "int64 h"}, {"field": "property serial", "old": "text, raw forever", "new": null}]}, {"kind": "twin", "name": "acme/p1", "fate": "change", "fields": [{"field": "name", "old": "Press 1", "new": "Press One"}, {"field": "tags", "old": "hot, west", "new": "hot"}]}], "notes": [{"change": 0, "text": "type machine has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power)", "loses": false}, {"change": 0, "text": "type press has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power), whose 2 present values can no longer be reached", "loses": true}], "unchanged": 0, "create": 0, "change": 2, "refused": 0}
  [1]
  $ holon apply next.json --dry-run
  type machine has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power)
  type press has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power), whose 2 present values can no longer be reached
  2 would change, 0 unchanged
  $ holon apply next.json
  2> holon: type press has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power), whose 2 present values can no longer be reached
  2> holon: nothing was changed: give --yes to do it all the same
  [1]
  $ holon type get machine --json
  {"name": "machine", "version": 1, "kind": "asset", "retention": {"raw": "90d", "minute": "2y", "hour": "10y"}, "properties": [{"name": "power", "type": "double", "unit": "kW", "min": 0.0, "max": null, "kpi": false, "settable": true}, {"name": "serial", "type": "text", "unit": "", "min": null, "max": null, "kpi": false, "retention": {"raw": "forever"}}], "effective": {"retention": {"raw": "90d", "minute": "2y", "hour": "10y"}, "properties": [{"name": "power", "type": "double", "unit": "kW", "min": 0.0, "max": null, "kpi": false, "settable": true}, {"name": "serial", "type": "text", "unit": "", "min": null, "max": null, "kpi": false, "retention": {"raw": "forever"}}, {"name": "desired/power", "type": "double", "unit": "kW", "min": 0.0, "max": null, "kpi": false}, {"name": "settle/power", "type": "text", "unit": "", "min": null, "max": null, "kpi": false}]}}
  $ holon apply next.json --yes
  type machine has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power)
  type press has 1 twin; 1 property added (hours); 3 properties taken away (serial, desired/power, settle/power), whose 2 present values can no longer be reached
  2 changed, 0 unchanged
  $ holon twin get acme/p1
  acme/p1
  name      Press One
  kind      asset
  type      press
  life      operating
  health    good
  tags      hot
  alias     urn:p:1
  alias     shared
  PROPERTY  VALUE  MEASURED              DESIRED  SETTLED
  power     3 kW   2024-03-04T10:00:00Z
  hours     -      never
  mode      -      never                 idle     pending
  acme/p1 --located-in--> acme/hall
  member of bolt/site in contains: confirmed
  $ holon apply next.json
  0 changed, 2 unchanged

Versions rise, and what does not hold together is refused with the reason.

  $ echo '{"types": [{"name": "machine", "version": 2, "kind": "asset"}]}' | holon apply -
  2> holon: stdin: types[0]: type machine is held at version 2 with other content: give what has changed a higher version
  [1]
  $ echo '{"types": [{"name": "machine", "kind": "asset"}]}' | holon diff -
  ! type machine: type machine is at version 2 already: version 1 comes too late
  0 to create, 0 to change, 0 unchanged, 1 refused
  [1]
  $ echo '{"types": [{"name": "machine", "version": 3, "extends": "press", "kind": "asset"}]}' | holon apply -
  2> holon: stdin: types[0]: type machine cannot extend press, which extends it already
  [1]
  $ echo '{"types": [{"name": "drill", "extends": "tool"}]}' | holon apply -
  2> holon: no type tool: see `holon type list`
  [1]
  $ echo '{"types": [{"name": "drill", "kind": "asset", "extends": "tool"}]}' | holon apply -
  2> holon: stdin: types[0]: type drill extends tool, which does not exist
  [1]
  $ echo '{"types": [{"name": "drill", "extends": "machine", "properties": [{"name": "power", "type": "int64"}]}]}' | holon apply -
  2> holon: stdin: types[0]: type 'drill': its property 'power' is double in 'kW' by the type it extends, not int64 in '': give it another name
  [1]
  $ echo '{"types": [{"name": "drill", "kind": "asset", "retention": {"raw": "soon"}}]}' | holon apply -
  2> holon: stdin: types[0].retention.raw: 'soon' is not a duration: write it like 250ms, 5s, 2min, 1h30min or 30d
  [2]
  $ echo '{"types": [{"name": "drill", "kind": "asset", "retention": {"hour": "1y"}}]}' | holon apply -
  2> holon: stdin: types[0]: 'drill' keeps raw samples for ever: minutes and hours never come after that
  [2]

The past: values, relations, life-cycle and desired values as they were.

  $ holon twin set acme/p1 desired/mode run --at 2024-03-05
  changed
  $ holon twin retire acme/p1 --at 2024-07-01
  changed
  $ holon twin get acme/p1 --as-of 2024-03-04T09:30
  acme/p1
  name      Press One
  kind      asset
  type      press
  life      operating
  tags      hot
  alias     urn:p:1
  alias     shared
  PROPERTY  VALUE  MEASURED  DESIRED  SETTLED
  power     -      never
  hours     -      never
  mode      -      never     idle     pending
  acme/p1 --located-in--> acme/hall
  $ holon twin get acme/p1 --as-of 2024-07-01
  acme/p1
  name      Press One
  kind      asset
  type      press
  life      retired
  tags      hot
  alias     urn:p:1
  alias     shared
  PROPERTY  VALUE  MEASURED              DESIRED  SETTLED
  power     3 kW   2024-03-04T10:00:00Z
  hours     -      never
  mode      -      never                 run      pending
  $ holon twin get acme/p1 desired/mode --as-of 2024-03-04T12:00 --json
  {"twin": "acme/p1", "property": "desired/mode", "unit": "", "t": "2024-03-04T09:00:00Z", "value": "idle", "quality": "good"}
  $ holon twin get acme/p1 --as-of 2023-01-01 --json
  {"id": "acme/p1", "type": "press", "kind": "asset", "name": "Press One", "tags": ["hot"], "aliases": ["urn:p:1", "shared"], "life": [{"state": "operating", "since": null}], "own": true, "as_of": "2023-01-01T00:00:00Z", "life_cycle": "operating", "properties": [{"property": "power", "unit": "kW", "t": null, "value": null, "quality": "good"}, {"property": "hours", "unit": "h", "t": null, "value": null, "quality": "good"}, {"property": "mode", "unit": "", "t": null, "value": null, "quality": "good"}, {"property": "desired/mode", "unit": "", "t": null, "value": null, "quality": "good"}, {"property": "settle/mode", "unit": "", "t": null, "value": null, "quality": "good"}], "relations": [], "memberships": []}
  $ holon twin get acme/p1 --as-of soon
  2> holon: --as-of: 'soon' is not a time between 1678 and 2261: write it like 2011-01-01T00:00:00Z
  [2]
  $ holon twin get bolt/x --as-of 2024-01-01
  2> holon: bolt/x is no twin of this node: of the past its owner tells history and views
  [1]
  $ holon rel list --as-of 2024-06-30
  RELATION    FROM     TO         VALID FROM            UNTIL
  located-in  acme/p1  acme/hall  2024-01-01T00:00:00Z  2024-06-30T00:00:00Z
  $ holon rel list --as-of 2024-06-30T00:00:00.000000001Z
  RELATION  FROM  TO  VALID FROM  UNTIL
  $ holon view acme/p1 --as-of 2024-03-04T12:00 --json | grep -o '"life_cycle": "[a-z]*", "health": "[a-z]*"'
  "life_cycle": "operating", "health": "good"

Applying the file again does not bring it back to life, nor give a word anew.

  $ holon diff plant/twins.json
  ~ twin acme/p1
      name: Press One -> Press 1
      tags: hot -> hot, west
  ! sample acme/p1 desired/power at 2024-03-04T09:00:00Z: acme/p1 has no property desired/power (its type is 'press')
  0 to create, 1 to change, 6 unchanged, 1 refused
  [1]

Aliases both ways, and tags.

  $ holon twin find --alias shared
  TWIN     KIND   TYPE     LIFE       TAGS  NAME
  acme/m1  asset  machine  operating
  acme/p1  asset  press    retired    hot   Press One
  $ holon twin list --tag hot
  TWIN     KIND   TYPE   LIFE     TAGS  NAME
  acme/p1  asset  press  retired  hot   Press One
  $ holon twin list --tag west
  TWIN  KIND  TYPE  LIFE  TAGS  NAME
