Organisations and nodes are founded without any node.

  $ echo secret words for acme | holon org init acme --dir org --passphrase-file -
  organisation acme
  fingerprint  ACME-<*>
  nodes        0
  valid until  <*>
  $ ls -l org/root.key | cut -c 1-10
  -rw-------
  $ holon org init acme --dir org --passphrase-file /dev/null
  2> holon: /dev/null: the first line is empty: it is to be the passphrase
  [2]
  $ holon org init 'ac me' --dir other --passphrase-file /dev/null
  2> holon: /dev/null: the first line is empty: it is to be the passphrase
  [2]
  $ holon org init acme --dir other --passphrase-file missing
  2> holon: missing: No such file or directory
  [2]
  $ holon org init acme --dir other
  2> holon: usage: holon org init NAME --dir DIR --passphrase-file FILE
  [2]
  $ holon org show --dir org --bundle acme.bundle --json
  {"org": "acme", "fingerprint": "ACME-<*>", "manifest_version": 1, "valid_until": "<*>"}
  $ cmp acme.bundle org/bundle
  $ holon org show --dir nowhere
  2> holon: nowhere holds no organisation: there is no file bundle in it
  [1]
  $ holon node init n1 --org org
  2> holon: give --org DIR (the organisation) and --dir DIR (the new node)
  [2]
  $ holon node init n1 --org org --dir n1 --role owner,king
  2> holon: --role: owner,king: roles are owner, border, reader, admin
  [2]
  $ holon node init n1 --org org --dir n1 --role owner,border
  2> holon: the role border needs --border ENDPOINT
  [2]
  $ holon node init n1 --org org --dir n1 --border tcp://127.0.0.1:9001
  2> holon: --border needs the role border
  [2]
  $ holon node init n1 --org org --dir n1 --role owner,border --prefix acme/plant1 --listen tcp://127.0.0.1:9000 --border tcp://127.0.0.1:9001
  node n1 is ready; start it with: holond --dir n1
  $ ls n1
  bundle
  holon.conf
  keys
  $ cat n1/holon.conf
  # Settings of node n1; those not given have their defaults: holond --dump-config, holon.conf(5).
  # Addresses come from its credential; listen elsewhere, or not at all (none), with
  #[listen]
  #own = tcp://127.0.0.1:9000
  #border = tcp://127.0.0.1:9001
  $ holon node init n1 --org org --dir n2
  2> holon: acme has a node n1 already: choose another name
  [1]
  $ holon node init n2 --org org --dir n1
  2> holon: n1/bundle exists already: choose another directory
  [1]
  $ holon node list --org org
  NODE  ROLES         LISTEN                BORDER                UNTIL
  n1    owner,border  tcp://127.0.0.1:9000  tcp://127.0.0.1:9001  <*>
  $ holon node list --org org --json
  {"nodes": [{"node": "n1", "roles": "owner,border", "listen": "tcp://127.0.0.1:9000", "border": "tcp://127.0.0.1:9001"}]}
