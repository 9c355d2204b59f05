Wrong usage is one line on stderr and exit code 2; help is on stdout and exit code 0.

  $ holon
  2> holon: which command? see holon --help
  [2]
  $ holon frobnicate
  2> holon: unknown command frobnicate; see holon --help
  [2]
  $ holon twin
  2> holon: twin what? see holon twin --help
  [2]
  $ holon twin frobnicate
  2> holon: unknown command twin frobnicate; see holon twin --help
  [2]
  $ holon twin create
  2> holon: usage: holon twin create TWIN (--type TYPE | --kind KIND) [--name NAME] [--tag TAG]... [--alias ALIAS]...
  [2]
  $ holon twin create acme/a acme/b
  2> holon: usage: holon twin create TWIN (--type TYPE | --kind KIND) [--name NAME] [--tag TAG]... [--alias ALIAS]...
  [2]
  $ holon twin create acme/a --colour red
  2> holon: unknown flag --colour; see holon twin create --help
  [2]
  $ holon -x status
  2> holon: unknown flag -x; see holon --help
  [2]
  $ holon status --json=yes
  2> holon: flag --json takes no value
  [2]
  $ holon status --timeout
  2> holon: flag --timeout needs a value: --timeout DURATION
  [2]
  $ holon status --timeout soon
  2> holon: --timeout: 'soon' is not a duration: write it like 250ms, 5s, 2min, 1h30min or 30d
  [2]
  $ holon view acme/a --depth 1 --depth 2
  2> holon: flag --depth is given twice
  [2]
  $ holon --version
  holon 0.1.0
  $ holon twin tag --help
  usage: holon twin tag TWIN (+TAG | -TAG)...
  
  add and take away tags
  
  flags of every command:
    --endpoint ENDPOINT        where the node takes orders (ipc:///path, a path, tcp://host:port; HOLON_ENDPOINT)
    --node DIR                 directory of the node, whose control socket is used (HOLON_NODE)
    --server-key KEY           public key of the node, for tcp:// (HOLON_SERVER_KEY)
    --client-key FILE          own key, see holon key new, for tcp:// (HOLON_CLIENT_KEY)
    --person DIR               ask in the name of a person, see holon person invite (HOLON_PERSON)
    --json                     answer with JSON
    --timeout DURATION         how long to wait for the node (default 10s)
    --help                     show this help
    --version                  show the version
    --list-commands            show the names of all commands, one a line
  $ holon rel --help
  usage: holon [FLAG...] COMMAND [ARGUMENT...] [FLAG...]
  
  commands:
    rel list        list relations, and the words given on memberships others claim
    rel add         relate a twin to another, which may be another organisation's
    rel rm          take a relation away
    rel confirm     agree that an own twin belongs to another organisation's
    rel refuse      disagree with it
  
  flags of every command:
    --endpoint ENDPOINT        where the node takes orders (ipc:///path, a path, tcp://host:port; HOLON_ENDPOINT)
    --node DIR                 directory of the node, whose control socket is used (HOLON_NODE)
    --server-key KEY           public key of the node, for tcp:// (HOLON_SERVER_KEY)
    --client-key FILE          own key, see holon key new, for tcp:// (HOLON_CLIENT_KEY)
    --person DIR               ask in the name of a person, see holon person invite (HOLON_PERSON)
    --json                     answer with JSON
    --timeout DURATION         how long to wait for the node (default 10s)
    --help                     show this help
    --version                  show the version
    --list-commands            show the names of all commands, one a line
  $ holon --list-commands
  status
  doctor
  org init
  org show
  org trust
  org end
  org renew
  org rotate-root
  issuer rotate
  node init
  node list
  node revoke
  node extend
  node invite
  node invites
  node approve
  node refuse
  person invite
  person list
  person revoke
  twin create
  twin list
  twin get
  twin find
  twin summaries
  twin set
  twin tag
  twin retire
  twin delete
  rel list
  rel add
  rel rm
  rel confirm
  rel refuse
  type list
  type get
  import csv
  ingest
  apply
  diff
  view
  view save
  view list
  view show
  view rm
  find
  watch
  policy check
  policy diff
  policy publish
  policy rollback
  policy show
  policy who-sees
  policy why
  peer list
  peer forks
  peer choose
  mesh
  history
  backup create
  backup verify
  backup restore
  key new
  key show
  audit list
  audit verify
  audit prove
  audit export
  audit checkpoint
  audit consistency
  audit evidence
  audit who-saw
  adapter add
  adapter list
  adapter show
  adapter rm
  adapter dead
  adapter try
  adapter run
  alarm list
  alarm ack
  alarm shelve
  command send
  command confirm
  command refuse
  command permit
  command list
  command show
  replay
  complete

A node must be named, and be there.

  $ holon status
  2> holon: which node? give --node DIR or --endpoint ENDPOINT, or set HOLON_NODE or HOLON_ENDPOINT
  [2]
  $ holon status --node /nowhere
  2> holon: no node at ipc:///nowhere/control: is holond running?
  [3]
  $ holon --json --endpoint ipc:///nowhere/control status
  2> holon: no node at ipc:///nowhere/control: is holond running?
  [3]
  $ HOLON_NODE=/elsewhere holon status
  2> holon: no node at ipc:///elsewhere/control: is holond running?
  [3]
  $ HOLON_ENDPOINT=/elsewhere/control holon status
  2> holon: no node at ipc:///elsewhere/control: is holond running?
  [3]
  $ holon status --endpoint tcp://127.0.0.1:1
  2> holon: tcp://127.0.0.1:1: over a network both keys are needed: --server-key KEY and --client-key FILE
  [2]
  $ holon status --node a --endpoint b
  2> holon: give --endpoint or --node, not both
  [2]
  $ holon status --node /a/directory/with/a/very/long/name/below/which/no/socket/can/be/made/because/its/path/is/longer/than/what/fits
  2> holon: the control socket /a/directory/with/a/very/long/name/below/which/no/socket/can/be/made/because/its/path/is/longer/than/what/fits/control has a path of more than 107 bytes
  [2]

Flags are checked before a node is asked.

  $ holon view acme/a --depth -1
  2> holon: --depth: -1 is not a number from 0 to 4294967295
  [2]
  $ holon view acme/a --rollup average:power
  2> holon: --rollup: 'average:power' is not a roll-up: write FN:PROPERTY with count, sum, mean, min, max, stddev, quantile(0.95), latest or first as FN, or count or worst-health alone
  [2]
  $ holon view acme/a --as-of yesterday
  2> holon: --as-of: 'yesterday' is not a time between 1678 and 2261: write it like 2011-01-01T00:00:00Z
  [2]
  $ holon view acme/a --fresh 5
  2> holon: --fresh: '5' is not a duration: write it like 250ms, 5s, 2min, 1h30min or 30d
  [2]
  $ holon twin create acme/a
  2> holon: give --type TYPE, or --kind KIND for a twin without type
  [2]
  $ holon twin create 'acme/a b' --kind asset
  2> holon: twin id 'acme/a b': character 7 (byte 0x20) is not allowed; use letters, digits, '.', '_' and '-'
  [2]
  $ holon twin create acme/a --kind thing
  2> holon: --kind: thing is none of component, asset, system, process, system-of-systems, environment
  [2]
  $ holon twin create acme/a --kind asset --tag 'a b'
  2> holon: tag 'a b': character 2 (byte 0x20) is not allowed; use letters, digits, '.', '_' and '-'
  [2]
  $ holon twin set acme/a power 3 --quality perfect
  2> holon: --quality: perfect is none of good, uncertain, bad
  [2]
  $ holon twin set acme/a power 3 --at 2011-13-01
  2> holon: --at: '2011-13-01' is not a time between 1678 and 2261: write it like 2011-01-01T00:00:00Z
  [2]
  $ holon twin set acme/a power 3 --sigma much
  2> holon: --sigma: 'much' is not a number
  [2]
  $ holon twin tag acme/a spare
  2> holon: spare: write +TAG to add a tag, -TAG to take it away
  [2]
  $ holon twin tag acme/a +a/b
  2> holon: tag 'a/b' must not contain '/'
  [2]
  $ holon twin delete acme/a
  2> holon: deleting a twin takes its relations and values with it: add --yes (or use holon twin retire)
  [2]
  $ holon twin find
  2> holon: which alias? holon twin find --alias ALIAS
  [2]
  $ holon twin list --kind thing
  2> holon: --kind: thing is none of component, asset, system, process, system-of-systems, environment
  [2]
  $ holon rel add contains acme/a acme/b --from 2012-01-01 --to 2011-01-01
  2> holon: relation contains from 'acme/a' to 'acme/b' ends before it begins
  [2]
  $ holon rel add contains acme/a 'acme b'
  2> holon: twin id 'acme b': character 5 (byte 0x20) is not allowed; use letters, digits, '.', '_' and '-'
  [2]
  $ holon policy why bolt
  2> holon: usage: holon policy why ORG[/ROLE] RIGHT TWIN [PROPERTY]
  [2]
  $ holon policy why bolt look acme/a
  2> holon: --do: look is none of discover, summary, read, history, watch, command
  [2]
  $ holon policy publish policy
  2> holon: which organisation signs? give --org DIR
  [2]
  $ holon policy check missing
  2> holon: missing: No such file or directory
  [2]
  $ holon history acme/a power --limit many
  2> holon: --limit: many is not a number from 0 to 4294967295
  [2]
  $ holon history acme/a power --fn mean
  2> holon: --fn: of what? Give --step too
  [2]
  $ holon history acme/a power --step 1h --fn median
  2> holon: --fn: median is none of count, bad, mean, sd, min, max, sum, last
  [2]
  $ holon history acme/a power --step 0s
  2> holon: --step: a step takes some time
  [2]
  $ holon history acme/a power --csv --json
  2> holon: give --csv or --json, not both
  [2]
  $ holon ingest missing
  2> holon: missing: No such file or directory
  [2]
  $ holon apply missing.json
  2> holon: missing.json: No such file or directory
  [2]
  $ holon org trust bundle
  2> holon: ask the other admin for the fingerprint and repeat it: --fingerprint FINGERPRINT
  [2]
  $ holon org trust missing --fingerprint X
  2> holon: missing: No such file or directory
  [1]
  $ holon org show --bundle b
  2> holon: --bundle needs --dir DIR: the bundle is in the organisation's directory
  [2]

Orders over a network need the keys of both sides.

  $ holon key new admin.key > public; wc -c < public
  41
  $ holon key show admin.key | cmp - public
  $ holon key show admin.key --json
  {"public_key": "<*>"}
  $ holon key new admin.key
  2> holon: admin.key is there already: a key is never overwritten
  [1]
  $ holon key show public
  2> holon: <*>
  [1]
  $ holon status --endpoint tcp://127.0.0.1:1 --server-key short --client-key admin.key
  2> holon: 'short' is not a public key: it has 40 characters of Z85
  [2]
  $ holon status --endpoint tcp://127.0.0.1:1 --server-key "$(cat public)" --client-key missing.key
  2> holon: <*>missing.key<*>
  [2]
  $ holon status --endpoint tcp://127.0.0.1:1 --server-key "$(cat public)" --client-key admin.key
  2> holon: no node at tcp://127.0.0.1:1: is holond running?
  [3]
