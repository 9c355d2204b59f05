needs a node

A node writes down that it began, and what administrators do; entries that no checkpoint covers yet are said to be so.

  $ holon audit list
  0 <*> node began: <*>
  $ holon org init bolt --dir bolt --passphrase-file passphrase > /dev/null
  $ holon org show --dir bolt --bundle bolt.bundle > /dev/null
  $ print() { holon org show --dir $1 --json | sed 's/.*"fingerprint": "\([^"]*\)".*/\1/'; }
  > holon org trust bolt.bundle --fingerprint "$(print bolt)" > /dev/null
  $ printf 'policy acme\n' > empty; holon policy publish empty --org acme > /dev/null
  $ holon audit list --kind manifest
  1 <*> manifest taken partner=bolt by="uid <*>": version 1, first seen, until <*>
  $ holon audit list --kind trust
  2 <*> trust accept partner=bolt by="uid <*>"
  $ holon audit list --kind policy --limit 1
  3 <*> policy publish by="uid <*>": epoch 1 is in force
  $ holon audit list --since 2100-01-01
  $ holon audit list --kind trust --json
  {"entry": 2, "t": "<*>", "kind": "trust", "count": 0, "person": "uid <*>", "node": "n1", "org": "acme", "subject": "accept", "partner": "bolt", "rule": "", "twin": "", "property": "", "text": ""}

Within ten seconds they are under a signed checkpoint. The key that signed is printed, to be given the next time.

  $ n=0; until holon audit verify --json | grep -q '"covered": 4' || [ $n -gt 40 ]; do sleep 1; n=$((n + 1)); done
  > holon audit verify
  4 entries under <*> checkpoints are as they were signed
  signed by acme/n1/audit+<*>+<*> (says the audit: compare it, and give it as --key)
  $ key=$(holon audit verify --json | sed 's/.*"key": "\([^"]*\)".*/\1/')
  > holon audit verify --key "$key" | tail -n 1 | sed "s|$key|KEY|"
  > holon audit verify --key acme/n1/audit+00000000+AAAA
  signed by KEY
  2> holon: the node signs with another key: acme/n1/audit+<*>
  [1]
  $ holon audit prove 1
  c2sp.org/tlog-proof@v1
  extra <*>
  index 1
  <*>
  <*>
  
  acme/n1/audit
  4
  <*>
  
  — acme/n1/audit <*>
  $ holon audit prove 1 --json | cut -c 1-50
  {"entry": 1, "proof": "c2sp.org/tlog-proof@v1\next
  $ holon audit prove 99
  2> holon: there is no entry 99
  [1]

Nobody has seen a twin yet.

  $ holon audit who-saw acme/press7
  no partner did
  $ holon audit who-saw acme/press7 state/temperature --json
  {"twin": "acme/press7", "property": "state/temperature", "seen": []}

The whole of it can be taken away, and verified where there is no node; who kept a checkpoint sees that it only grew.

  $ holon audit checkpoint > old; head -n 2 old
  acme/n1/audit
  4
  $ holon audit export kept
  4 entries written
  $ holon audit export kept
  2> holon: kept: File exists
  [2]
  $ holon --node nowhere audit verify --file kept | head -n 1
  4 entries under <*> checkpoints are as they were signed
  $ holon --node nowhere audit prove 1 --file kept | head -n 1
  c2sp.org/tlog-proof@v1
  $ holon audit consistency old
  the 4 entries of the old checkpoint are the first of 4: the audit only grew
  $ holon policy publish empty --org acme > /dev/null
  > n=0; until holon audit verify --json | grep -q '"covered": 5' || [ $n -gt 40 ]; do sleep 1; n=$((n + 1)); done
  > holon audit consistency old
  the 4 entries of the old checkpoint are the first of 5: the audit only grew
  $ holon audit consistency old --json
  {"good": true, "old": 4, "entries": 5, "proof": ["<*>"]}
  $ holon audit checkpoint > new
  > holon audit consistency new --file kept
  2> holon: there are 4 entries, and there were 5 when the old checkpoint was made: the audit was cut
  [1]
  $ sed s/^4/3/ old > forged
  > holon audit consistency forged
  2> holon: the old checkpoint is not one that acme/n1/audit signed
  [1]
  $ head -c 300 kept > cut
  > holon audit verify --file cut
  2> holon: cut: damaged behind entry <*>
  [1]
  $ sed 's/epoch 1/epoch 2/' kept > changed
  > holon audit verify --file changed
  2> holon: entries 0 to 3 are not those that were signed: one of them was changed
  [1]
  $ holon audit verify --file old
  2> holon: old: this is not an exported audit
  [1]

Nor was anybody seen to sign two states of one thing.

  $ holon audit evidence
  nobody was seen to sign what cannot all be true
  $ holon audit evidence --json

What makes no sense is said.

  $ holon audit list --kind gossip
  2> holon: --kind: gossip is none of node, trust, manifest, credential, revocation, policy, admin, command, kick, limit, read, denied
  [2]
  $ holon audit prove x
  2> holon: x is not the number of an entry: see `holon audit list`
  [2]
  $ holon audit who-saw press
  2> holon: <*>
  [2]
