needs a node

A type says what its twins do by themselves: limits, steps, alarms, operations, health.

  $ cat > types.json <<END
  > {"types": [
  >    {"name": "press", "kind": "asset", "properties": [
  >      {"name": "force", "type": "double", "unit": "kN", "kpi": true,
  >       "limits": {"high-warning": 70, "high-alarm": 90, "hysteresis": 2, "delay": "5s", "stale": "1min"}},
  >      {"name": "speed", "type": "double", "unit": "m/s", "settable": true, "tolerance": 0.5, "settle": "30s"}],
  >     "alarms": [{"name": "stuck", "when": "force > 5 kN and speed = 0 m/s", "text": "does not move"}],
  >     "operations": [{"name": "safe-stop", "text": "stops where it is", "within": "10s",
  >                     "parameters": [{"name": "grace", "type": "double", "unit": "s", "min": 0}]}]},
  >    {"name": "batch", "kind": "process", "properties": [
  >      {"name": "state", "type": "enum", "options": ["idle", "run", "stop"], "kpi": true,
  >       "transitions": {"run": ["stop", "idle"], "idle": ["run"], "stop": ["idle"]}}]},
  >    {"name": "line", "kind": "system", "health": {"rule": "k-of-n", "k": 2}}]}
  > END
  $ holon diff types.json
  + type press
      version: 1
      kind: asset
      property force: double kN, kpi, high-warning 70.0, high-alarm 90.0, hysteresis 2.0, delay 5s, stale 1min
      property speed: double m/s, settable, tolerance 0.5, settle 30s
      alarm stuck: alarm when force > 5 kN and speed = 0 m/s: does not move
      operation safe-stop: (grace double s, min 0.0), within 10s: stops where it is
  + type batch
      version: 1
      kind: process
      property state: enum, kpi: idle, run, stop; idle > run, run > idle, run > stop, stop > idle
  + type line
      version: 1
      kind: system
      health: k-of-n, k 2
  3 to create, 0 to change, 0 unchanged, 0 refused
  [1]
  $ holon apply types.json
  3 changed, 0 unchanged
  $ holon diff types.json
  0 to create, 0 to change, 3 unchanged, 0 refused
  $ holon type get press
  press version 1, asset
  PROPERTY       TYPE    UNIT  KPI  RANGE  KEPT  FROM
  force          double  kN    kpi
  speed          double  m/s
  desired/speed  double  m/s                     desired
  settle/speed   text                            settle
  alarm/force    text                            alarm
  alarm/stuck    text                            alarm
  limits     force      high-warning 70.0, high-alarm 90.0, hysteresis 2.0, delay 5s, stale 1min
  settles    speed      tolerance 0.5, settle 30s
  alarm      stuck      alarm when force > 5 kN and speed = 0 m/s: does not move
  operation  safe-stop  (grace double s, min 0.0), within 10s: stops where it is
  $ holon type get batch
  batch version 1, process
  PROPERTY  TYPE  UNIT  KPI  RANGE          KEPT  FROM
  state     enum        kpi  idle run stop
  steps  state  idle > run, run > idle, run > stop, stop > idle
  $ holon type get line
  line version 1, system
  PROPERTY        TYPE  UNIT  KPI  RANGE                       KEPT  FROM
  health/members  enum             unknown good warning alarm        health
  health  of members  k-of-n, k 2
  $ holon --json type get batch > batch.json
  $ python3 -c 'import json; t = json.load(open("batch.json")); del t["effective"]; print(json.dumps({"types": [t]}))' > again.json
  $ holon apply again.json
  unchanged
  $ holon --json type get press
  {"name": "press", "version": 1, "kind": "asset", "properties": [{"name": "force", "type": "double", "unit": "kN", "min": null, "max": null, "kpi": true, "limits": {"high-warning": 70.0, "high-alarm": 90.0, "hysteresis": 2.0, "delay": "5s", "stale": "1min"}}, {"name": "speed", "type": "double", "unit": "m/s", "min": null, "max": null, "kpi": false, "settable": true, "tolerance": 0.5, "settle": "30s"}], "alarms": [{"name": "stuck", "when": "force > 5 kN and speed = 0 m/s", "severity": "alarm", "text": "does not move"}], "operations": [{"name": "safe-stop", "text": "stops where it is", "parameters": [{"name": "grace", "type": "double", "unit": "s", "min": 0.0, "max": null}], "within": "10s"}], "effective": {"properties": [{"name": "force", "type": "double", "unit": "kN", "min": null, "max": null, "kpi": true, "limits": {"high-warning": 70.0, "high-alarm": 90.0, "hysteresis": 2.0, "delay": "5s", "stale": "1min"}}, {"name": "speed", "type": "double", "unit": "m/s", "min": null, "max": null, "kpi": false, "settable": true, "tolerance": 0.5, "settle": "30s"}, {"name": "desired/speed", "type": "double", "unit": "m/s", "min": null, "max": null, "kpi": false}, {"name": "settle/speed", "type": "text", "unit": "", "min": null, "max": null, "kpi": false}, {"name": "alarm/force", "type": "text", "unit": "", "min": null, "max": null, "kpi": false}, {"name": "alarm/stuck", "type": "text", "unit": "", "min": null, "max": null, "kpi": false}], "alarms": [{"name": "stuck", "when": "force > 5 kN and speed = 0 m/s", "severity": "alarm", "text": "does not move"}], "operations": [{"name": "safe-stop", "text": "stops where it is", "parameters": [{"name": "grace", "type": "double", "unit": "s", "min": 0.0, "max": null}], "within": "10s"}]}}

What goes is told, what cannot be is refused.

  $ sed -e 's/"name": "press", /&"version": 2, /' -e 's/"high-alarm": 90/"high-alarm": 60/' types.json > worse.json
  $ holon apply worse.json
  2> holon: worse.json: types[0]: property 'force': the limit high-alarm, 60, is not above the one before it, 70
  [2]
  $ sed -e 's/"name": "press", /&"version": 2, /' -e 's/and speed = 0/and pace = 0/' types.json > worse.json
  $ holon apply worse.json
  2> holon: worse.json: types[0]: type 'press', alarm 'stuck': it has no property 'pace'
  [1]
  $ sed -e 's/"name": "press", /&"version": 2, /' -e 's/"high-alarm": 90/"high-alarm": 95/' types.json > better.json
  $ holon diff better.json
  ~ type press
      version: 1 -> 2
      property force: double kN, kpi, high-warning 70.0, high-alarm 90.0, hysteresis 2.0, delay 5s, stale 1min -> double kN, kpi, high-warning 70.0, high-alarm 95.0, hysteresis 2.0, delay 5s, stale 1min
  0 to create, 1 to change, 2 unchanged, 0 refused
  [1]
  $ holon apply better.json
  1 changed, 2 unchanged

A process takes the steps it may, in the order of time.

  $ cat > twins.json <<END
  > {"twins": [{"id": "acme/b1", "type": "batch"}, {"id": "acme/p1", "type": "press"}]}
  > END
  $ holon apply twins.json
  2 changed, 0 unchanged
  $ holon twin set acme/b1 state stop --at 2024-03-04T10:00:00Z
  2> holon: state of acme/b1: stop does not follow idle
  [1]
  $ holon twin set acme/b1 state run --at 2024-03-04T10:00:00Z
  changed
  $ holon twin set acme/b1 state stop --at 2024-03-04T11:00:00Z
  changed
  $ holon twin set acme/b1 state run --at 2024-03-04T12:00:00Z
  2> holon: state of acme/b1: run does not follow stop
  [1]
  $ holon twin set acme/b1 state idle --at 2024-03-04T10:30:00Z
  2> holon: state of acme/b1: idle comes too late: it is stop since 2024-03-04T11:00:00Z, and steps are taken in the order of time
  [1]
  $ cat > readings.jsonl <<END
  > {"twin": "acme/b1", "property": "state", "t": "2024-03-04T13:00:00Z", "value": "idle"}
  > {"twin": "acme/b1", "property": "state", "t": "2024-03-04T13:00:01Z", "value": "run"}
  > {"twin": "acme/b1", "property": "state", "t": "2024-03-04T13:00:02Z", "value": "run"}
  > {"twin": "acme/b1", "property": "state", "t": "2024-03-04T13:00:03Z", "value": "broken"}
  > {"twin": "acme/b1", "property": "state", "t": "2024-03-04T13:00:04Z", "value": "stop"}
  > {"twin": "acme/b1", "property": "state", "t": "2024-03-04T13:00:05Z", "value": "run"}
  > END
  $ holon ingest readings.jsonl
  6 lines: 4 stored, 0 there already, 2 refused
  2> holon: readings.jsonl:4: property 'state': 'broken' is none of its options
  2> holon: readings.jsonl:6: state of acme/b1: run does not follow stop
  [1]
  $ holon history acme/b1 state
  2024-03-04T10:00:00Z  run
  2024-03-04T11:00:00Z  stop
  2024-03-04T13:00:00Z  idle
  2024-03-04T13:00:01Z  run
  2024-03-04T13:00:02Z  run
  2024-03-04T13:00:04Z  stop

What it may become next is shown with it.

  $ holon twin get acme/b1 | tail -n 1
  state is stop, may become idle
  $ holon twin set acme/b1 state idle --at 2024-03-04T14:00:00Z
  changed
  $ holon twin get acme/b1 | tail -n 1
  state is idle, may become run
  $ holon twin get acme/b1 --json
  {"id": "acme/b1", "type": "batch", "kind": "process", "name": "", "tags": [], "aliases": [], "life": [{"state": "operating", "since": null}], "own": true, "life_cycle": "operating", "health": "good", "alarms": [], "parents": [], "properties": [{"property": "state", "unit": "", "t": "2024-03-04T14:00:00Z", "value": "idle", "quality": "good"}], "steps": {"state": ["run"]}, "relations": [], "memberships": []}

How something stands is the node's own word.

  $ holon twin set acme/p1 settle/speed converged --at 2024-03-04T10:00:00Z
  2> holon: settle/speed of acme/p1: only the node itself writes this property
  [1]
  $ cat > forged.jsonl <<END
  > {"twin": "acme/p1", "property": "alarm/force", "t": "2024-03-04T13:00:00Z", "value": "cleared high-alarm"}
  > END
  $ holon ingest forged.jsonl
  1 lines: 0 stored, 0 there already, 1 refused
  2> holon: forged.jsonl:1: alarm/force of acme/p1: only the node itself writes this property
  [1]

What an environment measures is known to what is located in it: the nearest one that has it gives it.

  $ cat > around.json <<END
  > {"types": [
  >    {"name": "hall", "kind": "environment", "properties": [
  >      {"name": "temperature", "type": "double", "unit": "degC"}]},
  >    {"name": "weather", "kind": "environment", "properties": [
  >      {"name": "temperature", "type": "double", "unit": "degC", "kpi": true},
  >      {"name": "wind", "type": "double", "unit": "m/s", "kpi": true}]}],
  >  "twins": [{"id": "acme/hall", "type": "hall"}, {"id": "acme/site", "type": "weather"},
  >            {"id": "acme/cell", "kind": "system"}, {"id": "acme/line1", "kind": "system"}],
  >  "relations": [
  >    {"type": "located-in", "from": "acme/p1", "to": "acme/cell"},
  >    {"type": "located-in", "from": "acme/cell", "to": "acme/hall"},
  >    {"type": "located-in", "from": "acme/b1", "to": "acme/site", "valid_to": "2024-01-01"},
  >    {"type": "located-in", "from": "acme/hall", "to": "acme/site"},
  >    {"type": "located-in", "from": "acme/site", "to": "acme/p1"},
  >    {"type": "contains", "from": "acme/line1", "to": "acme/p1"},
  >    {"type": "contains", "from": "acme/line1", "to": "acme/b1"}],
  >  "samples": [
  >    {"twin": "acme/site", "property": "temperature", "t": "2024-03-04T10:00:00Z", "value": 12},
  >    {"twin": "acme/site", "property": "wind", "t": "2024-03-04T10:00:00Z", "value": 7}]}
  > END
  $ holon apply around.json
  15 changed, 0 unchanged
  $ holon twin get acme/p1 context/temperature
  12 degC
  $ holon twin set acme/hall temperature 31 --at 2024-03-04T11:00:00Z
  changed
  $ holon twin get acme/p1 | grep context/
  context/temperature  31 degC  2024-03-04T11:00:00Z
  context/wind         7 m/s    2024-03-04T10:00:00Z
  $ holon twin get acme/p1 context/temperature --json
  {"twin": "acme/p1", "property": "context/temperature", "unit": "degC", "t": "2024-03-04T11:00:00Z", "value": 31.0, "quality": "good"}
  $ holon twin get acme/b1 context/temperature
  2> holon: acme/b1 has no property context/temperature: its type is batch
  [1]
  $ holon twin get acme/p1 context/pressure
  2> holon: acme/p1 has no property context/pressure: its type is press
  [1]
  $ holon find 'context/temperature > 30 degC'
  TWIN       KIND         TYPE     HEALTH   STATE  NAME
  acme/cell  system                unknown  live
  acme/p1    asset        press    unknown  live
  acme/site  environment  weather  good     live
  3 found: 3 live
  $ holon find 'context/temperature > 30 degC and context/wind > 10 km/h' --json
  {"where": "context/temperature > 30 degC and context/wind > 10 km/h", "twins": [{"id": "acme/cell", "name": "", "kind": "system", "type": "", "state": "live", "life_cycle": "operating", "health": "unknown", "rollups": []}, {"id": "acme/p1", "name": "", "kind": "asset", "type": "press", "state": "live", "life_cycle": "operating", "health": "unknown", "rollups": []}], "more": false, "found": 2, "certificate": {"clean": true, "members": 2, "live": 2, "cached": 0, "withheld": 0, "unreachable": 0, "unconfirmed": 0, "coarse": 0, "expired": 0, "filtered": 0, "cut": false, "sources": [{"org": "acme", "node": "n1", "revision": <*>, "age_s": <*>, "epoch": 0, "state": "live"}]}, "problems": []}
  $ holon view acme/line1 --show context/wind --where 'context/wind > 5 m/s'
  TWIN                context/wind
  acme/line1                     -
  └── acme/p1  7 m/s, <*> ago
  3 members: 3 live, 2 not selected
