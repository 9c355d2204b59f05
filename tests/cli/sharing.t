needs a node

Another organisation is trusted by its bundle and its fingerprint, as its admin says it.

  $ holon org init bolt --dir bolt --passphrase-file passphrase > /dev/null
  $ holon org show --dir bolt --bundle bolt.bundle > /dev/null
  $ print() { holon org show --dir $1 --json | sed 's/.*"fingerprint": "\([^"]*\)".*/\1/'; }
  > holon org trust bolt.bundle --fingerprint "$(print acme)"
  > holon org trust bolt.bundle --fingerprint "$(print bolt | sed 's/-.......$/-AAAAAAA/')"
  > holon org trust passphrase --fingerprint "$(print bolt)"
  > holon org trust bolt.bundle --fingerprint "$(print bolt)"
  bolt
    fingerprint  BOLT-<*>
    words        <*>
    trusted by   this node alone: it has not the role admin
    policy epoch 0
    valid until  <*>
  2> holon: group 1 of the fingerprint is mistyped (or the name before it is not bolt)
  2> holon: group 5 of the fingerprint is mistyped
  2> holon: the bundle cannot be read: message is malformed
  $ holon org show --json
  {"orgs": [{"org": "acme", "own": true, "fingerprint": "ACME-<*>", "words": "", "trusted_by": "", "manifest_version": 1, "policy_epoch": 0, "valid_until": "<*>", "nodes": ["n1 owner -"]}, {"org": "bolt", "own": false, "fingerprint": "BOLT-<*>", "words": "<*>", "trusted_by": "node", "manifest_version": 1, "policy_epoch": 0, "valid_until": "<*>", "nodes": []}]}
  $ holon node list
  n1 owner -
  $ holon node list --json
  {"nodes": [{"node": "n1", "roles": "owner", "endpoint": "-"}]}
  $ holon peer list
  PEER  STATE  ROLES  HEARD  LAG  AGE  IN  OUT  TROUBLE  KICKS  ENDPOINT
  $ holon --json peer list
  {"peers": []}
  $ holon peer forks
  ORIGIN  INCARNATION  STATE  SEQ  CHANGED
  $ holon --json peer forks
  {"forks": []}
  $ holon peer choose acme/n1 12
  2> holon: "12" is no incarnation: write its 16 hexadecimal digits, as in `holon peer forks`
  [1]
  $ holon peer choose acme/n1 0123456789abcdef
  2> holon: of acme/n1 nothing is to be decided here: see `holon peer forks`
  [1]

A policy is checked against the organisations the node trusts, signed and published.

  $ holon policy show
  2> holon: no policy is in force: nothing is shared
  [1]
  $ holon twin create acme/plant1 --kind system
  changed
  $ holon policy why bolt discover acme/plant1
  denied: no policy is in force, nothing is shared
  $ fingerprint=$(holon org show --dir bolt --json | sed 's/.*"fingerprint": "\([^"]*\)".*/\1/')
  > cat > policy <<END
  > policy acme
  >   org bolt = $fingerprint
  >   share "plant 1"
  >     to org bolt
  >     twins plant1/**
  >     allow discover
  >     allow read power
  >     until $(date -u -d '+1 year' +%Y-%m-%d)
  > END
  $ holon policy check policy
  the policy is good
  $ sed 's/org bolt/org harbor/' policy > stranger
  $ holon policy check stranger
  line 2: error: organisation 'harbor' is not trusted, trust it first or remove it
  [1]
  $ holon policy publish stranger --org acme
  2> holon: line 2: organisation 'harbor' is not trusted, trust it first or remove it
  [1]
  $ holon policy publish policy --org bolt
  2> holon: the policy was not signed by a policy key of acme
  [1]
  $ holon policy publish policy --org acme
  policy published as epoch 1
  $ holon policy publish policy --org acme --json
  {"epoch": 2, "text": "epoch 2 is in force"}
  $ holon policy show | head -1
  policy acme
  $ holon policy why bolt discover acme/plant1
  allowed: discover of acme/plant1 is granted to bolt by share "plant 1" (line 3) until <*>
  $ holon policy why --as bolt --do read --twin acme/plant1 --prop power --json
  {"as": "bolt", "right": "read", "twin": "acme/plant1", "property": "power", "allowed": true, "why": "read of power of acme/plant1 is granted to bolt by share \"plant 1\" (line 3) until <*>"}
  $ holon policy why bolt history acme/plant1 power
  denied: read is granted by line 3, history is not: no share grants history of power of acme/plant1 to bolt; share "plant 1" (line 3) speaks of this twin, but does not grant that
  $ holon policy why bolt read acme/plant1
  2> holon: read is about one property: name it with --prop
  [1]
  $ holon policy why harbor read acme/plant1 power
  2> holon: harbor is not a trusted organisation: see `holon org show`
  [1]
  $ holon status --json | grep -o '"policy_epoch": [0-9]*'
  "policy_epoch": 2

Trust ends.

  $ holon org end bolt
  2> holon: ending the trust cuts all connections with bolt and removes what is held of it: add --yes
  [2]
  $ holon org end acme --yes
  2> holon: acme is the own organisation
  [1]
  $ holon org end harbor --yes
  2> holon: harbor is not trusted: see `holon org show`
  [1]
  $ holon org end bolt --yes
  trust has ended, and nothing is held of it
  $ holon org end bolt --yes
  2> holon: bolt is not trusted: see `holon org show`
  [1]
  $ holon org show --json | grep -c bolt
  0
  [1]

The policy goes on for the others, and trust can come back.

  $ holon policy check policy
  the policy is good
  $ holon org trust bolt.bundle --fingerprint $(holon org show --dir bolt --json | sed 's/.*"fingerprint": "\([^"]*\)".*/\1/') | head -1
  bolt
  $ holon org end bolt --yes --json
  {"org": "bolt", "text": "trust has ended, and nothing is held of it"}
