needs a node

A new node owns nothing.

  $ holon status
  acme/n1: serving
  roles               owner
  version             0.1.0
  up                  <*>
  credential until    <*>
  self test           <*>
  twins               0
  types               0
  relations           0
  series              0
  remote rows         0
  peers               0
  seq                 0
  policy epoch        0
  malformed frames    0
  refused handshakes  0
  held handshakes     0
  kicks               0
  refused frames      0
  open files          <*>
  most files          <*>
  samples taken       0
  samples refused     0
  backlog samples     0
  commits             <*>
  history runs        0
  history chunks      0
  chunks checked      0
  chunks damaged      0
  store bytes         <*>iB
  log bytes           <*>
  resident bytes      <*>iB
  commit p99          <*>
  mesh rows           0 pulls, 0 resets, 0 mismatches, 0 repairs, 0 outside their origin
  mesh frames         0 gaps, 0 of old sessions, 0 refused, 0 not believed, 0 over their share
  mesh alarms         0 so far, 0 forks
  $ holon status --json
  {"org": "acme", "node": "n1", "roles": "owner", "version": "0.1.0", "state": "serving", "incarnation": "<*>", "twins": 0, "types": 0, "relations": 0, "series": 0, "remote_rows": 0, "peers": 0, "seq": 0, "policy_epoch": 0, "malformed_frames": 0, "refused_handshakes": 0, "held_handshakes": 0, "kicks": 0, "refused_frames": 0, "open_files": <*>, "most_files": <*>, "samples_taken": 0, "samples_refused": 0, "backlog_samples": 0, "commits": <*>, "history_runs": 0, "history_chunks": 0, "chunks_checked": 0, "chunks_damaged": 0, "store_bytes": <*>, "log_bytes": <*>, "resident_bytes": <*>, "commit_p99_s": <*>, "uptime_s": <*>, "credential_until": "<*>", "border": "none", "fresh_until": null, "clock_back_s": 0.0, "self_test": "<*>", "mesh": {"sessions_open": 0, "gaps": 0, "old_session": 0, "refused": 0, "unbelieved": 0, "pulls": 0, "repairs": 0, "resets": 0, "mismatches": 0, "alarms": 0, "forks": 0, "over_share": 0, "rows_outside": 0}, "counts": {"commands_taken": 0, "commands_that_came_again": 0, "commands_refused": 0, "commands_and_permits_not_signed_by_who_they_say": 0, "commands_after_their_deadline": 0, "commands_that_timed_out": 0, "words_on_no_command": 0, "permits_refused": 0, "desired_values_not_reported_yet": 0, "desired_values_overdue": 0, "times_all_alarms_were_judged_anew": 0}, "alarms": [], "alarms_left_out": 0}
  $ holon twin list
  TWIN  KIND  TYPE  LIFE  TAGS  NAME
  $ holon --json twin list
  {"twins": []}
  $ holon type list --json
  {"types": []}

Types, twins and relations come from a file, all or nothing.

  $ cat > plant.json <<END
  > {"types": [
  >    {"name": "press", "kind": "asset", "properties": [
  >      {"name": "power", "type": "double", "unit": "kW", "min": 0, "kpi": true},
  >      {"name": "strokes", "type": "int64"},
  >      {"name": "mode", "type": "enum", "options": ["run", "idle"]},
  >      {"name": "safe", "type": "bool"},
  >      {"name": "position", "type": "position"}]},
  >    {"name": "line", "kind": "system"}],
  >  "twins": [
  >    {"id": "acme/line1", "type": "line", "name": "Line 1"},
  >    {"id": "acme/line1/press1", "type": "press", "tags": ["hot"], "aliases": ["urn:press:1"]},
  >    {"id": "acme/line1/press2", "type": "press"}],
  >  "relations": [
  >    {"type": "contains", "from": "acme/line1", "to": "acme/line1/press1"},
  >    {"type": "contains", "from": "acme/line1", "to": "acme/line1/press2"},
  >    {"type": "feeds", "from": "acme/line1/press1", "to": "bolt/hall/drill", "valid_from": "2024-01-01"}],
  >  "samples": [
  >    {"twin": "acme/line1/press1", "property": "power", "t": "2024-03-04T10:00:00Z", "value": 3},
  >    {"twin": "acme/line1/press1", "property": "mode", "t": "2024-03-04T10:00:00Z", "value": "run"},
  >    {"twin": "acme/line1/press2", "property": "power", "t": "2024-03-04T10:00:00Z", "value": 4.5, "sigma": 0.1}]}
  > END
  $ holon apply plant.json --dry-run
  11 would change, 0 unchanged
  $ holon twin list
  TWIN  KIND  TYPE  LIFE  TAGS  NAME
  $ holon apply plant.json
  11 changed, 0 unchanged
  $ holon apply plant.json --json
  {"dry_run": false, "changed": 0, "unchanged": 11, "refused": [], "notes": []}
  $ holon apply plant.json --dry-run
  0 would change, 11 unchanged
  $ echo '{"twins": [{"id": "acme/line2", "type": "line"}, {"id": "bolt/x", "type": "line"}]}' | holon apply -
  2> holon: stdin: twins[1]: bolt/x is not owned by acme: only its own organisation changes it
  [1]
  $ holon twin get acme/line2
  2> holon: acme/line2: no such twin or property
  [1]
  $ echo '{"twins": [{"id": "acme/line2", "type": "robot"}]}' | holon apply -
  2> holon: no type robot: see `holon type list`
  [1]
  $ echo '{"twins": [{"id": "acme/line2", "typ": "line"}]}' | holon apply -
  2> holon: stdin: twins[0].typ: unknown key, expected one of id, type, kind, name, tags, aliases, life
  [2]
  $ echo '{"twins": [' | holon apply -
  2> holon: stdin:2: ']' expected near end of file
  [2]
  $ echo '{"types": [{"name": "t", "kind": "asset", "properties": [{"name": "p", "type": "double", "unit": "kWW"}]}]}' | holon apply -
  2> holon: stdin: types[0]: type t, property p: 'kWW' is not a unit: write it as UDUNITS-2 does, for example MW, degC or ug/m3
  [1]
  $ echo '{"samples": [{"twin": "acme/line1/press1", "property": "power", "value": "much"}]}' | holon apply -
  2> holon: stdin: samples[0]: property 'power' is of type double, the value is text
  [1]

What is there is shown, as text and as JSON.

  $ holon type list
  TYPE   VERSION  KIND    PROPERTIES
  line   1        system  0
  press  1        asset   5
  $ holon type get press
  press version 1, asset
  PROPERTY  TYPE      UNIT  KPI  RANGE     KEPT  FROM
  power     double    kW    kpi  >= 0
  strokes   int64
  mode      enum                 run idle
  safe      bool
  position  position
  $ holon type get press --json
  {"name": "press", "version": 1, "kind": "asset", "properties": [{"name": "power", "type": "double", "unit": "kW", "min": 0.0, "max": null, "kpi": true}, {"name": "strokes", "type": "int64", "unit": "", "min": null, "max": null, "kpi": false}, {"name": "mode", "type": "enum", "unit": "", "min": null, "max": null, "kpi": false, "options": ["run", "idle"]}, {"name": "safe", "type": "bool", "unit": "", "min": null, "max": null, "kpi": false}, {"name": "position", "type": "position", "unit": "", "min": null, "max": null, "kpi": false}], "effective": {"properties": [{"name": "power", "type": "double", "unit": "kW", "min": 0.0, "max": null, "kpi": true}, {"name": "strokes", "type": "int64", "unit": "", "min": null, "max": null, "kpi": false}, {"name": "mode", "type": "enum", "unit": "", "min": null, "max": null, "kpi": false, "options": ["run", "idle"]}, {"name": "safe", "type": "bool", "unit": "", "min": null, "max": null, "kpi": false}, {"name": "position", "type": "position", "unit": "", "min": null, "max": null, "kpi": false}]}}
  $ holon type get robot
  2> holon: no type robot: see `holon type list`
  [1]
  $ holon twin list
  TWIN               KIND    TYPE   LIFE       TAGS  NAME
  acme/line1         system  line   operating        Line 1
  acme/line1/press1  asset   press  operating  hot
  acme/line1/press2  asset   press  operating
  $ holon twin list acme/line1/ --tag hot
  TWIN               KIND   TYPE   LIFE       TAGS  NAME
  acme/line1/press1  asset  press  operating  hot
  $ holon twin summaries acme/line1/press1
  TWIN               OWNER    KIND   TYPE   LIFE       TAGS  CHANGED
  acme/line1/press1  acme/n1  asset  press  operating  hot   <*>
  $ holon twin summaries acme/line1/press2 --json
  {"summaries": [{"id": "acme/line1/press2", "type": "press", "kind": "asset", "name": "", "tags": [], "origin": "acme/n1", "life_cycle": "operating", "health": "good", "alarms": [], "parents": [{"hierarchy": "contains", "parent": "acme/line1", "state": "confirmed"}], "kpis": [{"property": "power", "unit": "kW", "t": "2024-03-04T10:00:00Z", "value": 4.5, "quality": "good", "sigma": 0.1}], "lineage": 0, "changed": "<*>"}]}
  $ holon twin list --kind system --json
  {"twins": [{"id": "acme/line1", "type": "line", "kind": "system", "name": "Line 1", "tags": [], "aliases": [], "life": [{"state": "operating", "since": null}]}]}
  $ holon twin get acme/line1/press1
  acme/line1/press1
  kind      asset
  type      press
  life      operating
  health    good
  tags      hot
  alias     urn:press:1
  PROPERTY  VALUE  MEASURED
  power     3 kW   2024-03-04T10:00:00Z
  strokes   -      never
  mode      run    2024-03-04T10:00:00Z
  safe      -      never
  position  -      never
  acme/line1/press1 --feeds--> bolt/hall/drill
  $ holon twin get acme/line1/press1 --json
  {"id": "acme/line1/press1", "type": "press", "kind": "asset", "name": "", "tags": ["hot"], "aliases": ["urn:press:1"], "life": [{"state": "operating", "since": null}], "own": true, "life_cycle": "operating", "health": "good", "alarms": [], "parents": [{"hierarchy": "contains", "parent": "acme/line1", "state": "confirmed"}], "properties": [{"property": "power", "unit": "kW", "t": "2024-03-04T10:00:00Z", "value": 3.0, "quality": "good"}, {"property": "strokes", "unit": "", "t": null, "value": null, "quality": "good"}, {"property": "mode", "unit": "", "t": "2024-03-04T10:00:00Z", "value": "run", "quality": "good"}, {"property": "safe", "unit": "", "t": null, "value": null, "quality": "good"}, {"property": "position", "unit": "", "t": null, "value": null, "quality": "good"}], "relations": [{"type": "feeds", "from": "acme/line1/press1", "to": "bolt/hall/drill", "valid_from": "2024-01-01T00:00:00Z", "valid_to": null}], "memberships": []}
  $ holon twin get acme/line1/press1 power
  3 kW
  $ holon twin get acme/line1/press1 power --json
  {"twin": "acme/line1/press1", "property": "power", "unit": "kW", "t": "2024-03-04T10:00:00Z", "value": 3.0, "quality": "good"}
  $ holon twin get acme/line1/press1 colour
  2> holon: acme/line1/press1 has no property colour: its type is press
  [1]
  $ holon twin get acme/nothing
  2> holon: acme/nothing: no such twin or property
  [1]
  $ holon twin get bolt/hall/drill
  2> holon: bolt/hall/drill: no node that could answer is connected; the last summary is in `view --offline`
  [4]
  $ holon twin find --alias urn:press:1
  TWIN               KIND   TYPE   LIFE       TAGS  NAME
  acme/line1/press1  asset  press  operating  hot
  $ holon twin find --alias urn:press:9 --json
  {"twins": []}
  $ holon rel list
  RELATION  FROM               TO                 VALID FROM            UNTIL
  contains  acme/line1         acme/line1/press2
  contains  acme/line1         acme/line1/press1
  feeds     acme/line1/press1  bolt/hall/drill    2024-01-01T00:00:00Z
  $ holon rel list acme/line1/press2 --json
  {"relations": [{"type": "contains", "from": "acme/line1", "to": "acme/line1/press2", "valid_from": null, "valid_to": null}], "memberships": []}

Twins are made and changed one by one.

  $ holon twin create acme/line1/press3 --type press --name 'Press 3' --tag hot --tag new --alias p3
  changed
  $ holon twin create acme/line1/press3 --type press --name 'Press 3' --tag hot --tag new --alias p3
  unchanged
  $ holon twin create acme/line1/press3 --type press
  2> holon: twin acme/line1/press3 exists already and is different; see holon twin get, or use holon apply to replace it
  [1]
  $ holon twin create acme/hall --kind environment
  changed
  $ holon twin create acme/x --type robot
  2> holon: no type robot: see `holon type list`
  [1]
  $ holon twin create bolt/x --kind asset
  2> holon: bolt/x is not owned by acme: only its own organisation changes it
  [1]
  $ holon twin tag acme/line1/press3 -new +spare +hot
  changed
  $ holon twin tag acme/line1/press3 +spare
  unchanged
  $ holon twin get acme/line1/press3
  acme/line1/press3
  name      Press 3
  kind      asset
  type      press
  life      operating
  health    unknown
  tags      hot spare
  alias     p3
  PROPERTY  VALUE  MEASURED
  power     -      never
  strokes   -      never
  mode      -      never
  safe      -      never
  position  -      never
  $ holon twin tag acme/nothing +x
  2> holon: acme/nothing: no such twin or property
  [1]
  $ holon twin set acme/line1/press3 power 7.5 --at 2024-03-04T10:00 --sigma 0.5
  changed
  $ holon twin set acme/line1/press3 power 7.5 --at 2024-03-04T10:00 --sigma 0.5
  unchanged
  $ holon twin set acme/line1/press3 power -1
  2> holon: property 'power': -1 is below the minimum 0
  [1]
  $ holon twin set acme/line1/press3 power 1 --sigma -1
  2> holon: --sigma: an uncertainty is finite and not negative
  [2]
  $ holon twin set acme/line1/press3 power much
  2> holon: power: 'much' is not a number
  [1]
  $ holon twin set acme/line1/press3 mode walk
  2> holon: property 'mode': 'walk' is none of its options
  [1]
  $ holon twin set acme/line1/press3 colour red
  2> holon: acme/line1/press3 has no property colour: see holon type get press
  [1]
  $ holon twin set acme/line1/press3 safe true --at 2024-03-04 --quality uncertain
  changed
  $ holon twin set acme/line1/press3 position 52.5,13.4 --at 2024-03-04
  changed
  $ holon twin get acme/line1/press3 position --json
  {"twin": "acme/line1/press3", "property": "position", "unit": "", "t": "2024-03-04T00:00:00Z", "value": {"lat": 52.5, "lon": 13.4}, "quality": "good"}
  $ holon twin retire acme/line1/press3
  changed
  $ holon twin list acme/line1/press3
  TWIN               KIND   TYPE   LIFE     TAGS       NAME
  acme/line1/press3  asset  press  retired  hot spare  Press 3
  $ holon twin delete acme/line1/press3 --yes
  changed
  $ holon twin delete acme/line1/press3 --yes
  unchanged
  $ holon twin get acme/line1/press3
  2> holon: acme/line1/press3: no such twin or property
  [1]

Relations come and go, and an owner confirms what others claim.

  $ holon rel add located-in acme/line1 acme/hall --from 2020-01-01
  changed
  $ holon rel add located-in acme/line1 acme/hall --from 2020-01-01
  unchanged
  $ holon rel list acme/hall
  RELATION    FROM        TO         VALID FROM            UNTIL
  located-in  acme/line1  acme/hall  2020-01-01T00:00:00Z
  $ holon rel rm located-in acme/line1 acme/hall
  changed
  $ holon rel rm located-in acme/line1 acme/hall
  unchanged
  $ holon rel add contains bolt/hall acme/line1
  2> holon: bolt/hall is not owned by acme: only its own organisation changes it
  [1]
  $ holon rel confirm bolt/hall acme/line1
  changed
  $ holon rel list acme/line1 --json
  {"relations": [{"type": "contains", "from": "acme/line1", "to": "acme/line1/press2", "valid_from": null, "valid_to": null}, {"type": "contains", "from": "acme/line1", "to": "acme/line1/press1", "valid_from": null, "valid_to": null}], "memberships": [{"hierarchy": "contains", "parent": "bolt/hall", "child": "acme/line1", "state": "confirmed", "since": "<*>"}]}
  $ holon rel refuse bolt/hall acme/line1
  changed
  $ holon rel confirm bolt/hall acme/line1 --since 2024-01-01
  changed
  $ holon rel list acme/line1 --json | grep -o '"state": .*'
  "state": "confirmed", "since": "2024-01-01T00:00:00Z"}]}
  $ holon rel confirm bolt/hall acme/line1 --since then
  2> holon: --since: 'then' is not a time between 1678 and 2261: write it like 2011-01-01T00:00:00Z
  [2]
  $ holon rel confirm bolt/hall bolt/drill
  2> holon: bolt/drill is not owned by acme: only its own organisation changes it
  [1]

Views and history.

  $ holon view acme/line1 --rollup sum:power --rollup count:power --rollup mean:power
  TWIN                   NAME    HEALTH          sum:power  count:power        mean:power  SHARE
  acme/line1             Line 1  unknown        7.5 kW (2)            2       3.75 kW (2)  ████████████ 100 %
  ├── acme/line1/press1          good             3 kW (1)            1          3 kW (1)  ████▊         40 %
  └── acme/line1/press2          good     4.5 ± 0.1 kW (1)            1  4.5 ± 0.1 kW (1)  ███████▎      60 %
  3 members: 3 live
  $ holon view acme/line1 --rollup sum:power --json
  {"root": "acme/line1", "name": "Line 1", "kind": "system", "type": "line", "state": "live", "life_cycle": "operating", "health": "unknown", "hierarchy": "contains", "rollups": [{"fn": "sum", "property": "power", "unit": "kW", "value": 7.5, "quality": "good", "n": 2}], "members": [{"id": "acme/line1/press1", "name": "", "kind": "asset", "type": "press", "state": "live", "life_cycle": "operating", "health": "good", "rollups": [{"fn": "sum", "property": "power", "unit": "kW", "value": 3.0, "quality": "good", "n": 1}], "members": []}, {"id": "acme/line1/press2", "name": "", "kind": "asset", "type": "press", "state": "live", "life_cycle": "operating", "health": "good", "rollups": [{"fn": "sum", "property": "power", "unit": "kW", "value": 4.5, "sigma": 0.1, "quality": "good", "n": 1}], "members": []}], "certificate": {"clean": true, "members": 3, "live": 3, "cached": 0, "withheld": 0, "unreachable": 0, "unconfirmed": 0, "coarse": 0, "expired": 0, "filtered": 0, "cut": false, "sources": [{"org": "acme", "node": "n1", "revision": <*>, "age_s": <*>, "epoch": 0, "state": "live"}]}, "problems": []}
  $ holon view acme/line1 --rollup max:power --as-of 2024-03-04T09:00 --depth 0
  TWIN        NAME    max:power
  acme/line1  Line 1          -
  3 members: 3 live
  $ holon view acme/nothing
  2> holon: acme/nothing: not shared with you or not there; ask acme
  [1]
  $ holon history acme/line1/press1 power
  2024-03-04T10:00:00Z  3 kW
  $ holon history acme/line1/press1 power --json --from 2025-01-01
  $ holon history acme/line1/press1 colour
  2> holon: acme/line1/press1 has no property colour: its type is press
  [1]
