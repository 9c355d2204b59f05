What an admin does with an organisation after it was founded, without any node.

  $ echo secret words for acme > pass; holon org init acme --dir org --passphrase-file pass > /dev/null
  $ holon node init n1 --org org --dir n1 --role owner,border --border tcp://127.0.0.1:9001 > /dev/null
  $ holon node init n2 --org org --dir n2 > /dev/null
  $ cp org/bundle before

Persons.

  $ holon person invite kim --org org --dir kim --role operator --role shift-lead
  kim is a person of the organisation; give kim to them and keep no copy
  $ ls -l kim | awk 'NR > 1 {print $1, $9}'
  -rw-r--r-- bundle
  -rw-r--r-- credential
  -rw------- person.key
  $ holon person invite kim --org org --dir other
  2> holon: acme has a person kim already: choose another name
  [1]
  $ holon person invite alex --org org --dir kim
  2> holon: kim/person.key exists already: choose another directory
  [1]
  $ holon person invite alex --org org --dir alex --role operator --role operator
  2> holon: role operator is given twice
  [1]
  $ holon person invite alex --org org
  2> holon: give --dir DIR (for the person)
  [2]
  $ ls alex
  2> ls: cannot access 'alex': No such file or directory
  [2]
  $ holon person invite alex --org org --dir alex --json
  {"person": "alex", "dir": "alex"}
  $ holon person list --org org
  PERSON  ROLES                STATE  UNTIL
  alex                         valid  <*>
  kim     operator,shift-lead  valid  <*>
  $ holon person revoke kim --org org --reason 'left the company'
  kim is revoked; an admin node with this admin.organisation hands it on at once, else give org/bundle to a node (holon org trust)
  $ holon person revoke kim --org org
  2> holon: kim was revoked already
  [1]
  $ holon person list --org org --json
  {"persons": [{"person": "alex", "roles": [], "state": "valid", "until": "<*>"}, {"person": "kim", "roles": ["operator", "shift-lead"], "state": "revoked", "until": "<*>"}]}

Nodes.

  $ holon node revoke n2 --org org --reason stolen --json
  {"revoked": "n2"}
  $ holon node revoke n2 --org org
  2> holon: acme has no node n2
  [1]
  $ holon node list --org org
  NODE  ROLES         LISTEN  BORDER                UNTIL
  n1    owner,border          tcp://127.0.0.1:9001  <*>
  $ holon node extend n1 --org org --break-glass 24h
  2> holon: the credential of n1 has not expired: it is renewed, not extended
  [1]
  $ holon node extend n1 --org org --break-glass 8d
  2> holon: a node can be extended by 7 days at most
  [1]
  $ holon node extend n1 --org org
  2> holon: give --org DIR (the organisation) and --break-glass DURATION
  [2]

Years.

  $ holon org renew --dir org
  renewed: 0 nodes, 0 persons
  $ holon org renew --dir org --passphrase-file pass --json
  {"nodes": 0, "persons": 0, "revocations": false, "manifest": true}
  $ echo wrong | holon org renew --dir org --passphrase-file -
  2> holon: this passphrase does not open org/root.key
  [1]
  $ holon issuer rotate --dir org --status
  one issuer key, until <*>
  $ holon issuer rotate --dir org
  2> holon: give --dir DIR (the organisation) and --passphrase-file FILE
  [2]
  $ holon issuer rotate --dir org --passphrase-file pass
  a new issuer key is published; it signs from <*> on
  $ holon issuer rotate --dir org --passphrase-file pass
  2> holon: the new issuer key signs from <*> on: wait
  [1]
  $ holon issuer rotate --dir org --status --json
  {"phase": "waiting", "signs_from": "<*>", "to_renew": 2, "until": "<*>"}
  $ holon org rotate-root --dir org --passphrase-file pass
  the announced root signs from now on
  fingerprint  ACME-<*>
  $ ls org
  bundle
  cursor.key
  issuer.key
  next-issuer.key
  next-root.key
  persons
  policy.key
  root.key

The doctor.

  $ holon doctor
  2> holon: look at what? give --org DIR (an organisation) or --node DIR (a node)
  [2]
  $ holon doctor --org org | grep -v disk
  fine     clock: set
  fine     key: org/root.key
  fine     key: org/next-root.key
  fine     key: org/issuer.key
  fine     key: org/policy.key
  fine     manifest: valid for <*> more, until <*>
  fine     issuer: a rotation is going on
  fine     node n1: valid for <*> more, until <*>
  warning  freshness: no node has the role admin: a border that is cut off goes on with an old policy; make one with holon node init --role admin, better two
  fine     person alex: valid for <*> more, until <*>
  $ chmod 644 org/policy.key; holon doctor --org org | grep policy.key
  problem  key: org/policy.key is open to others (mode 0644): chmod 600 it
  $ holon doctor --org org --json > /dev/null
  [2]
  $ chmod 600 org/policy.key n1/keys/sign.key; chmod 640 n1/keys/curve.key; holon doctor --node n1 | grep -v disk
  fine     clock: set
  problem  key: n1/keys/curve.key is open to others (mode 0640): chmod 600 it
  fine     key: n1/keys/sign.key
  warning  store: there is none: the node has never run
  warning  freshness: no node has the role admin: a border that is cut off goes on with an old policy; make one with holon node init --role admin, better two

Bad bundles leave everything as it was.

  $ cp org/bundle good; head -c 200 good > org/bundle; holon person list --org org
  2> holon: the bundle cannot be read: message is malformed
  [1]
  $ holon person revoke alex --org org
  2> holon: the bundle cannot be read: message is malformed
  [1]
  $ cp good org/bundle; chmod 644 org/issuer.key; holon node revoke n1 --org org
  2> holon: org/issuer.key is open to others (mode 0644): chmod 600 it
  [1]
  $ cmp good org/bundle
  $ chmod 600 org/issuer.key

Time goes by.

  $ faketime -f +20d holon org renew --dir org
  renewed: 1 nodes, 1 persons, the list of revocations
  $ faketime -f +60d holon doctor --org org --json | tr '}' '\n' | grep 'node n1'
  , {"check": "node n1", "verdict": "problem", "text": "expired on <*>"
  $ faketime -f +60d holon org renew --dir org
  renewed: 0 nodes, 0 persons, the list of revocations
  $ faketime -f +60d holon node extend n1 --org org --break-glass 24h
  n1 goes on for 1d, inside the organisation only; an admin node with this admin.organisation hands it on at once, else give org/bundle to a node (holon org trust)
  $ holon org show --dir org
  2> holon: the revocations of acme are from the future (<*>): is this clock right?
  [1]
  $ faketime '2020-01-01' holon person list --org org
  2> holon: the clock of this machine is not set: it shows 2020-01-01T00:00:00Z, before this program was built
  [1]
  $ faketime '2020-01-01' holon doctor --org org | head -1
  problem  clock: the clock of this machine is not set: it shows 2020-01-01T00:00:00Z, before this program was built
  $ faketime -f +500d holon org show --dir org
  2> holon: manifest of acme expired on <*>: ask its admin for a new bundle
  [1]
  $ faketime -f +500d holon org renew --dir org --passphrase-file pass
  renewed: 0 nodes, 0 persons, the list of revocations, the manifest
