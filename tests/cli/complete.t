needs a node

Words of commands, flags and arguments need no node.

  $ export HERE_NODE=$HOLON_NODE HOLON_NODE=/nowhere
  $ holon complete -- vi
  view
  $ holon complete -- person ''
  invite
  list
  revoke
  $ holon complete -- view s 2>/dev/null
  save
  show
  $ holon complete -- twin create acme/a --kind s
  system
  system-of-systems
  $ holon complete -- view acme/a --csv --c
  --client-key
  $ holon complete -- view acme/a --rollup q
  quantile(0.5):
  quantile(0.95):
  $ holon complete -- rel add c
  contains
  connects
  $ holon complete -- import csv --map ''
  :files
  $ holon complete -- import csv --map x ''
  :dirs
  $ holon complete -- --node ''
  :dirs
  $ holon complete -- frobnicate ''
  $ holon complete -- | head -2
  status
  doctor
  $ holon complete -- view acme/ 2>/dev/null

Ids, properties, types, views and organisations are asked of the node.

  $ export HOLON_NODE=$HERE_NODE
  $ cat >plant.json <<END
  > {"types": [{"name": "press", "kind": "asset", "properties": [{"name": "power/use", "type": "double", "kpi": true},
  >   {"name": "power/limit", "type": "double", "kpi": true}]},
  >   {"name": "pump", "kind": "asset", "properties": [{"name": "flow", "type": "double", "kpi": true}]}],
  >  "twins": [{"id": "acme/plant", "kind": "system"}, {"id": "acme/plant/a", "type": "press"},
  >   {"id": "acme/plant-2", "kind": "system"}, {"id": "acme/plant/a/x", "type": "pump"},
  >   {"id": "acme/plant/b", "type": "pump"}]}
  > END
  $ holon apply plant.json
  7 changed, 0 unchanged
  $ holon view save flows acme/plant --rollup sum:flow
  3 changed, 0 unchanged
  $ holon complete -- view ''
  save
  list
  show
  rm
  flows
  acme/
  $ holon complete -- view acme/p
  acme/plant
  acme/plant-2
  acme/plant/
  $ holon complete -- view acme/plant/
  acme/plant/a
  acme/plant/a/
  acme/plant/b
  $ holon complete -- view show f
  flows
  $ holon complete -- twin get acme/plant/a ''
  power/use
  power/limit
  $ holon complete -- twin get acme/plant/b ''
  flow
  $ holon complete -- view acme/plant --show p
  power/use
  power/limit
  $ holon complete -- view acme/plant --rollup sum:power/
  sum:power/use
  sum:power/limit
  $ holon complete -- view acme/plant --by t
  type
  tag
  $ holon complete -- twin create acme/x --type p
  press
  pump
  $ holon complete -- org end ''
  acme
  $ holon complete -- --node /nowhere view acme/ 2>/dev/null

In bash, names with colons are put together again.

  $ cat >try.bash <<END
  > . "\$1"
  > shift
  > compopt() { echo "(\$*)"; }
  > COMP_WORDS=("\$@") COMP_CWORD=\$((\$# - 1))
  > _holon
  > [ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "\${COMPREPLY[@]}"
  > END
  $ bash try.bash $DATA/../../../tools/completion/holon.bash holon view acme/plant --rollup sum : power/
  power/use
  power/limit
  $ bash try.bash $DATA/../../../tools/completion/holon.bash holon view acme/plant --rollup su
  (-o nospace)
  sum:
  $ bash try.bash $DATA/../../../tools/completion/holon.bash holon view --where 'kind = asset' acme/plant/
  acme/plant/a
  acme/plant/a/
  acme/plant/b
  $ bash try.bash $DATA/../../../tools/completion/holon.bash holon --node /nowhere view acme/
