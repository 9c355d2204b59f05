needs a node

A node that is alone sees nobody, and says so.

  $ holon mesh
  acme: 1 of 1 nodes answered
  NODE  ROLES  SEES    PARTNERS  ORIGINS  BEHIND  OLDEST  IN       OUT      NOTES
  n1    owner  0 of 0  0         1        0       0s      0 bytes  0 bytes  -
  
  Who sees whom: how long ago the node of the row last heard the one of the column; - no session, ? silent
  SEES  n1
  n1    .
  
  Who holds what: how long ago the origin vouched for it, or how far it is behind
  HOLDS  acme/n1
  n1     own, 0
  $ holon mesh --json
  {"org": "acme", "nodes": [{"node": "n1", "answered": true, "why": "", "known_s": 0.0, "roles": "owner", "version": "0.1.0", "uptime_s": <*>, "resident_bytes": <*>, "mesh": {<*>}, "peers": [], "origins": [{"origin": "acme/n1", "state": "own", "rows": 0, "seq": 0, "offered": 0, "age_s": 0.0}], "alarms": []}]}
  $ holon mesh --dot
  digraph mesh {
    node [shape=box];
    subgraph "cluster_acme" {
      label="acme";
      "acme/n1" [label="n1\nowner"];
    }
  }
  $ holon peer list
  PEER  STATE  ROLES  HEARD  LAG  AGE  IN  OUT  TROUBLE  KICKS  ENDPOINT
  $ holon peer list --json
  {"peers": []}
  $ holon mesh --wait soon
  2> holon: --wait: 'soon' is not a duration: write it like 250ms, 5s, 2min, 1h30min or 30d
  [2]
  $ holon mesh --wait 2h
  2> holon: nodes are waited for up to 60 s
  [1]
  $ holon mesh --colour
  2> holon: unknown flag --colour; see holon mesh --help
  [2]

What the mesh counted, and what stands, is in the status.

  $ holon status | grep -E '^mesh|^alarm|to do'
  mesh rows           0 pulls, 0 resets, 0 mismatches, 0 repairs, 0 outside their origin
  mesh frames         0 gaps, 0 of old sessions, 0 refused, 0 not believed, 0 over their share
  mesh alarms         0 so far, 0 forks
  $ holon status --json | sed 's/.*"mesh"/"mesh"/'
  "mesh": {"sessions_open": 0, <*>}, "alarms": [], "alarms_left_out": 0}

Nodes that are not there are silent; the exit code says that some are.

  $ holon node init n2 --org acme --dir n2 --role owner > /dev/null
  > holon org show --dir acme --bundle acme.bundle > /dev/null
  > holon org trust acme.bundle --fingerprint "$(holon org show --dir acme --json | sed 's/.*"fingerprint": "\([^"]*\)".*/\1/')" > /dev/null
  $ holon mesh
  acme: 1 of 2 nodes answered
  NODE  ROLES   SEES         PARTNERS  ORIGINS  BEHIND  OLDEST  IN       OUT      NOTES
  n1    owner   0 of 1       0         1        0       0s      0 bytes  0 bytes  -
  n2    silent  never heard  -         -        -       -       -        -        not connected to the node that was asked
  
  Who sees whom: how long ago the node of the row last heard the one of the column; - no session, ? silent
  SEES  n1  n2
  n1    .   -
  n2    ?   .
  
  Who holds what: how long ago the origin vouched for it, or how far it is behind
  HOLDS  acme/n1
  n1     own, 0
  n2     ?
  [4]
  $ holon peer list
  PEER     STATE          ROLES  HEARD  LAG  AGE      IN       OUT      TROUBLE  KICKS  ENDPOINT
  acme/n2  not connected  owner  never  -    unknown  0 bytes  0 bytes  -        0
