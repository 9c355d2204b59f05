needs a node that signs

A machine is invited, asks, is compared and let in.

  $ holon node invites
  NODE  ROLES  STATE  UNTIL  WORDS
  $ holon node invite gateway --role reader > token
  2> holon: a secret for one use; on the new machine: holond join TOKEN --dir DIR
  $ cut -c 1-13 token; wc -l < token
  holon-join-1-
  1
  $ holon node invites
  NODE     ROLES   STATE    UNTIL                 WORDS
  gateway  reader  invited  <*>
  $ holon node approve gateway
  2> holon: no machine has asked with the token of gateway yet
  [1]
  $ holon node invite gateway
  2> holon: gateway is invited already: take that back first (holon node refuse gateway)
  [1]
  $ holon node refuse gateway
  gateway is refused
  $ holon node invites --json
  {"invitations": [{"node": "gateway", "roles": "reader", "state": "refused", "words": "", "until": "<*>"}]}
  $ holon node approve gateway --yes
  2> holon: gateway was refused: invite it again
  [1]
  $ holon node approve nobody --yes
  2> holon: nobody is not invited
  [1]

What cannot become a node is not invited.

  $ holon node invite n1
  2> holon: acme has a node n1 already: choose another name
  [1]
  $ holon node invite gateway --role king
  2> holon: --role: king: roles are owner, border, reader, admin
  [2]
  $ holon node invite gateway --role border
  2> holon: a node with the role border needs a border endpoint, which partners reach
  [1]
  $ holon node invite gateway --prefix bolt/line
  2> holon: prefix bolt/line is not within acme
  [1]
  $ holon node invite gateway --ttl 25h
  2> holon: --ttl: a token is good for 24h at most
  [2]
  $ holon node invite gateway --enrol tcp://0.0.0.0:7002
  2> holon: tcp://0.0.0.0:7002 is no address that another machine can reach: give --enrol
  [1]

The token is in no audit, but that somebody was invited is.

  $ holon audit list --kind admin | cut -d ' ' -f 3- | head -n 3
  admin invite by="uid <*>": gateway as reader until <*>
  admin invite by="uid <*>": refused: gateway is invited already: take that back first (holon node refuse gateway)
  admin refuse by="uid <*>": gateway
  $ holon audit list | grep -c -F "$(cut -c 14- token)"
  0
  [1]

A token that was mistyped or cut is said to be so; nothing is made.

  $ holond join "$(tr q w < token)x" --dir new
  2> holond: the token is mistyped or cut: copy it again, whole
  [1]
  $ holond join no-token --dir new
  2> holond: this is not a token: one begins with holon-join-1-
  [1]
  $ holond join "$(cat token)"
  2> holond: give one TOKEN and --dir DIR; see holond join --help
  [2]
  $ ls new
  2> ls: <*>
  [2]
  $ holond join - --dir new < token
  node         gateway of acme
  fingerprint  ACME-<*>
  words        <*>
  2> holond: an admin has refused gateway
  [1]
  $ ls new/keys
  curve.key
  sign.key
