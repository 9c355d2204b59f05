needs a node

What a policy would change is said in effects before it is published.

  $ holon org init bolt --dir bolt --passphrase-file passphrase > /dev/null
  > holon org show --dir bolt --bundle bolt.bundle > /dev/null
  > fingerprint=$(holon org show --dir bolt --json | sed 's/.*"fingerprint": "\([^"]*\)".*/\1/')
  > holon org trust bolt.bundle --fingerprint "$fingerprint" > /dev/null
  > cat > types.json <<END
  > {"types": [{"name": "press", "kind": "component", "properties": [
  >    {"name": "power", "type": "double", "unit": "kW", "kpi": true}, {"name": "meta/serial", "type": "text"}]}],
  >  "twins": [{"id": "acme/plant1/a", "type": "press"}, {"id": "acme/plant1/b", "type": "press"},
  >    {"id": "acme/plant2/c", "type": "press"}]}
  > END
  > holon apply types.json > /dev/null
  > cat > one <<END
  > policy acme
  >   org bolt = $fingerprint
  >   share "presses"
  >     to org bolt
  >     twins plant1/**
  >     allow discover, summary
  >     allow read power, meta/serial
  >     redact meta/serial as token
  >     until $(date -u -d '+1 year' +%Y-%m-%d)
  > END
  > cat > two <<END
  > policy acme
  >   org bolt = $fingerprint
  >   never "serials"
  >     to everyone-else
  >     twins **
  >     deny read of meta/**
  >   share "presses"
  >     to org bolt
  >     twins **
  >     allow discover
  >     allow history power last 30d
  >     until $(date -u -d '+1 year' +%Y-%m-%d)
  >   share "stop"
  >     to org bolt role operator
  >     twins plant2/c
  >     allow command stop confirm role lead rate 1/min
  >     until $(date -u -d '+1 year' +%Y-%m-%d)
  > END
  $ holon policy diff one
  bolt gains discover of 2: acme/plant1/a, acme/plant1/b
  bolt gains summary of 2: acme/plant1/a, acme/plant1/b
  bolt gains read of 4: acme/plant1/a power, acme/plant1/a meta/serial, acme/plant1/b power, acme/plant1/b meta/serial
  3 own twins looked at
  $ holon policy publish one --org acme
  policy published as epoch 1
  $ holon policy diff one
  nothing changes for anybody: 3 own twins looked at
  $ holon policy diff two
  bolt gains discover of 1: acme/plant2/c
  bolt loses summary of 2: acme/plant1/a, acme/plant1/b
  bolt gains read of 1: acme/plant2/c power
  bolt loses read of 2: acme/plant1/a meta/serial, acme/plant1/b meta/serial
  bolt gains history of 3: acme/plant1/a power, acme/plant1/b power, acme/plant2/c power
  bolt/operator gains command of 1: acme/plant2/c stop
  3 own twins looked at
  $ holon policy diff two --json
  {"twins": 3, "effects": [{"who": "bolt", "right": "discover", "gained": 1, "gained_samples": ["acme/plant2/c"], "lost": 0, "lost_samples": []}, {"who": "bolt", "right": "summary", "gained": 0, "gained_samples": [], "lost": 2, "lost_samples": ["acme/plant1/a", "acme/plant1/b"]}, {"who": "bolt", "right": "read", "gained": 1, "gained_samples": ["acme/plant2/c power"], "lost": 2, "lost_samples": ["acme/plant1/a meta/serial", "acme/plant1/b meta/serial"]}, {"who": "bolt", "right": "history", "gained": 3, "gained_samples": ["acme/plant1/a power", "acme/plant1/b power", "acme/plant2/c power"], "lost": 0, "lost_samples": []}, {"who": "bolt/operator", "right": "command", "gained": 1, "gained_samples": ["acme/plant2/c stop"], "lost": 0, "lost_samples": []}]}
  $ holon policy diff two one
  bolt loses discover of 1: acme/plant2/c
  bolt gains summary of 2: acme/plant1/a, acme/plant1/b
  bolt gains read of 2: acme/plant1/a meta/serial, acme/plant1/b meta/serial
  bolt loses read of 1: acme/plant2/c power
  bolt loses history of 3: acme/plant1/a power, acme/plant1/b power, acme/plant2/c power
  bolt/operator loses command of 1: acme/plant2/c stop
  3 own twins looked at
  $ sed 's/discover/dance/' one > bad; holon policy diff bad
  2> holon: line 6: column 11: 'dance' is not expected here, write discover, summary, read, history, watch or command
  [1]
  $ holon policy diff bad two
  2> holon: the policy to compare with: line 6: column 11: 'dance' is not expected here, write discover, summary, read, history, watch or command
  [1]

Who sees a twin, and why.

  $ holon policy who-sees acme/plant1/a
  WHO   RIGHT          PROPERTY     UNTIL                 RULE
  bolt  discover       -            <*>  "presses" (line 3)
  bolt  summary        -            <*>  "presses" (line 3)
  bolt  read           power        <*>  "presses" (line 3)
  bolt  summary        power        <*>  "presses" (line 3)
  bolt  read as token  meta/serial  <*>  "presses" (line 3)
  $ holon policy who-sees acme/plant1/a meta/serial --json
  {"grants": [{"who": "bolt", "right": "read", "property": "meta/serial", "token": true, "rule": "presses", "line": 3, "until": "<*>"}]}
  $ holon policy who-sees acme/plant2/c
  nobody outside the organisation
  $ holon policy who-sees acme/plant2/c --json
  {"grants": []}
  $ holon policy who-sees acme/plant9
  2> holon: acme/plant9: no such twin in this organisation
  [1]
  $ holon policy why --as bolt --do read --twin acme/plant1/a --prop meta/serial
  denied: discover is granted by line 3, read is not: no share grants read of meta/serial of acme/plant1/a to bolt; share "presses" (line 3) grants a token in its place
  $ holon policy why --as bolt --do read --twin acme/plant2/c --prop power
  denied: no share grants read of power of acme/plant2/c to bolt; share "presses" (line 3) speaks to bolt, but not of this twin
  $ holon policy publish two --org acme
  policy published as epoch 2
  $ holon policy who-sees acme/plant2/c
  WHO            RIGHT     PROPERTY  UNTIL                 RULE
  bolt           discover  -         <*>  "presses" (line 7)
  bolt           read      power     <*>  "presses" (line 7)
  bolt           history   power     <*>  "presses" (line 7)
  bolt/operator  command   stop      <*>  "stop" (line 13)
  $ holon policy why bolt/operator command acme/plant2/c stop
  allowed: command stop of acme/plant2/c is granted to bolt as operator by share "stop" (line 13) until <*>, confirmed by the role lead, at most 1 in 1min
  $ holon policy why bolt command acme/plant2/c stop --json
  {"as": "bolt", "right": "command", "twin": "acme/plant2/c", "property": "stop", "allowed": false, "why": "no share grants command stop of acme/plant2/c to bolt; share \"stop\" (line 13) grants it to the role operator only"}
  $ holon policy why bolt/operator command acme/plant2/c
  2> holon: command is about one command: name it with --prop
  [1]

An earlier text is published again as a new epoch.

  $ holon policy rollback 1
  2> holon: which organisation signs? give --org DIR
  [2]
  $ holon policy rollback 1 --org acme
  policy published as epoch 3
  $ holon policy show --json | sed 's/, "text".*//'
  {"epoch": 3
  $ holon policy show | cmp - one
  $ holon policy show --epoch 2 | cmp - two
  $ holon policy rollback 9 --org acme
  2> holon: no policy of epoch 9 is kept here, only the last 16 are
  [1]
  $ holon policy rollback last --org acme
  2> holon: last is no epoch: a number from 1 on
  [2]
