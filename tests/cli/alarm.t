needs a node

Alarms that stand, and the health that follows.

  $ cat > plant.json <<END
  > {"types": [
  >    {"name": "press", "kind": "asset", "properties": [
  >      {"name": "heat", "type": "double", "unit": "degC", "kpi": true, "limits": {"high-warning": 70, "high-alarm": 90}}]},
  >    {"name": "line", "kind": "system", "health": {"rule": "worst"}}],
  >  "twins": [{"id": "acme/line1", "type": "line"}, {"id": "acme/line1/press1", "type": "press"}],
  >  "relations": [{"type": "contains", "from": "acme/line1", "to": "acme/line1/press1"}]}
  > END
  $ holon apply plant.json
  5 changed, 0 unchanged
  $ holon alarm list
  no alarm stands
  $ holon alarm list acme/line1 --open
  no alarm waits for anybody
  $ holon --json alarm list
  {"alarms": []}
  $ holon twin set acme/line1/press1 alarm/heat "active high-alarm"
  2> holon: alarm/heat of acme/line1/press1: only the node itself writes this property
  [1]

What stands is offered by completion.

  $ holon complete -- alarm ack acme/line1/press1 ''
