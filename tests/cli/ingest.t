needs a node

  $ cat > plant.json <<END
  > {"types": [{"name": "press", "kind": "asset", "properties": [
  >    {"name": "power", "type": "double", "unit": "kW", "min": 0, "kpi": true},
  >    {"name": "strokes", "type": "int64"}, {"name": "mode", "type": "enum", "options": ["run", "idle"]},
  >    {"name": "mark", "type": "int64"}, {"name": "position", "type": "position"}]},
  >   {"name": "drill", "kind": "asset", "properties": [{"name": "mark", "type": "double"}]}],
  >  "twins": [{"id": "acme/press", "type": "press"}, {"id": "acme/drill", "type": "drill"}]}
  > END
  $ holon apply plant.json
  4 changed, 0 unchanged

Lines are stored; those that make no sense are refused with their number, and the rest is kept.

  $ cat > lines <<END
  > {"twin": "acme/press", "property": "power", "t": "2024-03-04T10:00:00Z", "value": 3}
  > 
  > {"twin": "acme/press", "property": "power", "t": 1709546460, "value": 3.5, "quality": "uncertain", "source": "plc"}
  > {"twin": "acme/press", "property": "strokes", "t": "2024-03-04T10:00:00Z", "value": 4.0}
  > {"twin": "acme/press", "property": "mode", "t": "2024-03-04T10:00:00Z", "value": "run"}
  > {"twin": "acme/press", "property": "position", "t": "2024-03-04T10:00:00Z", "value": {"lat": 52, "lon": 13}}
  > {"twin": "acme/press", "property": "mark", "t": "2024-03-04T10:00:00Z", "value": 1}
  > {"twin": "acme/drill", "property": "mark", "t": "2024-03-04T10:00:00Z", "value": 1}
  > {"twin": "acme/press", "property": "power", "value": "much"}
  > {"twin": "acme/press", "property": "power", "value": -1}
  > {"twin": "acme/press", "property": "strokes", "value": 1.5}
  > {"twin": "acme/press", "property": "mode", "value": "walk"}
  > {"twin": "acme/press", "property": "colour", "value": 1}
  > {"twin": "acme/lathe", "property": "power", "value": 1}
  > {"twin": "bolt/press", "property": "power", "value": 1}
  > {"twin": "acme/press", "property": "power"}
  > {"twin": "acme/press", "property": "power", "value": 1, "at": "2024-03-04"}
  > {"twin": "acme/press", "property": "power", "value": 1, "t": "noon"}
  > {"twin": "acme/press", "property": "power", "value": 1, "t": "2199-01-01"}
  > power 3
  > END
  $ holon ingest lines
  19 lines: 7 stored, 0 there already, 12 refused
  2> holon: lines:16: value: a value is expected here: true, false, a number, a text or {lat, lon}
  2> holon: lines:17: at: unknown key, expected one of twin, property, t, value, quality, sigma, source
  2> holon: lines:18: t: 'noon' is not a time between 1678 and 2261: write it like 2011-01-01T00:00:00Z
  2> holon: lines:20: '[' or '{' expected near 'power'
  2> holon: lines:9: property 'power' is of type double, the value is text
  2> holon: lines:10: property 'power': -1 is below the minimum 0
  2> holon: lines:11: property 'strokes' is of type int64, the value is double
  2> holon: lines:12: property 'mode': 'walk' is none of its options
  2> holon: lines:13: acme/press has no property colour (its type is 'press')
  2> holon: lines:14: there is no twin acme/lathe
  2> holon: lines:15: bolt/press is not owned by acme: only its own organisation changes it
  2> holon: lines:19: power of acme/press at 2199-01-01T00:00:00Z is more than 5 minutes ahead of the clock
  [1]
A second time the present values are there already; an older one is merged with what is stored.

  $ holon ingest lines --json 2>/dev/null
  {"file": "lines", "line": 16, "reason": "value: a value is expected here: true, false, a number, a text or {lat, lon}"}
  {"file": "lines", "line": 17, "reason": "at: unknown key, expected one of twin, property, t, value, quality, sigma, source"}
  {"file": "lines", "line": 18, "reason": "t: 'noon' is not a time between 1678 and 2261: write it like 2011-01-01T00:00:00Z"}
  {"file": "lines", "line": 20, "reason": "'[' or '{' expected near 'power'"}
  {"file": "lines", "line": 9, "reason": "property 'power' is of type double, the value is text"}
  {"file": "lines", "line": 10, "reason": "property 'power': -1 is below the minimum 0"}
  {"file": "lines", "line": 11, "reason": "property 'strokes' is of type int64, the value is double"}
  {"file": "lines", "line": 12, "reason": "property 'mode': 'walk' is none of its options"}
  {"file": "lines", "line": 13, "reason": "acme/press has no property colour (its type is 'press')"}
  {"file": "lines", "line": 14, "reason": "there is no twin acme/lathe"}
  {"file": "lines", "line": 15, "reason": "bolt/press is not owned by acme: only its own organisation changes it"}
  {"file": "lines", "line": 19, "reason": "power of acme/press at 2199-01-01T00:00:00Z is more than 5 minutes ahead of the clock"}
  {"lines": 19, "stored": 1, "unchanged": 6, "refused": 12}
  [1]
  $ holon twin get acme/press
  acme/press
  kind      asset
  type      press
  life      operating
  health    warning
  PROPERTY  VALUE              MEASURED
  power     3.5 kW, uncertain  2024-03-04T10:01:00Z
  strokes   4                  2024-03-04T10:00:00Z
  mode      run                2024-03-04T10:00:00Z
  mark      1                  2024-03-04T10:00:00Z
  position  52,13              2024-03-04T10:00:00Z
  $ holon history acme/press power --json
  {"t": "2024-03-04T10:00:00Z", "value": 3.0, "quality": "good", "unit": "kW"}
  {"t": "2024-03-04T10:01:00Z", "value": 3.5, "quality": "uncertain", "source": "plc", "unit": "kW"}
  $ holon twin get acme/drill mark --json
  {"twin": "acme/drill", "property": "mark", "unit": "", "t": "2024-03-04T10:00:00Z", "value": 1.0, "quality": "good"}

The last line needs no line end, long lines are refused, and an empty file is no failure.

  $ printf '{"twin": "acme/press", "property": "power", "t": "2024-03-04T11:00:00Z", "value": 5}' | holon ingest -
  1 lines: 1 stored, 0 there already, 0 refused
  $ (head -c 200000 /dev/zero | tr '\0' x; echo; echo '{"twin": "acme/press", "property": "power", "t": "2024-03-04T12:00:00Z", "value": 6}') | holon ingest -
  2 lines: 1 stored, 0 there already, 1 refused
  2> holon: stdin:1: the line is longer than 64 KiB
  [1]
  $ holon ingest /dev/null
  0 lines: 0 stored, 0 there already, 0 refused

A pipe is live: what it says is stored while it stays open.

  $ (echo '{"twin": "acme/press", "property": "power", "t": "2024-03-04T13:00:00Z", "value": 42}'; sleep 2) | holon ingest - > out &
  > for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ "$(holon twin get acme/press power)" = '42 kW' ] && break; sleep 0.1; done
  > holon twin get acme/press power; cat out; wait; cat out
  42 kW
  1 lines: 1 stored, 0 there already, 0 refused

What JSON has no number for is kept as bad; what can be seen to be wrong at once is said in one line.

  $ cat > odd <<END
  > {"twin": "acme/press", "property": "power", "t": "2024-03-05T10:00:00Z", "value": "NaN"}
  > {"twin": "acme/press", "property": "power", "t": "2024-03-05T10:00:01Z", "value": "-Infinity"}
  > {"twin": "acme/press", "property": "strokes", "t": "2024-03-05T10:00:00Z", "value": "NaN"}
  > {"twin": "acme/press", "property": "power", "value": NaN}
  > {"twin": "acme/press", "property": "power", "value": 1, "sigma": -1}
  > {"twin": "acme/press", "property": "position", "value": {"lat": 95, "lon": 1}}
  > END
  $ printf '{"twin": "acme/press", "property": "power", "value": 1, "source": "%0128d"}\n' 0 >> odd
  $ printf '{"twin": "acme/press", "property": "mode", "value": "%04097d"}\n' 0 >> odd
  $ holon ingest odd
  8 lines: 2 stored, 0 there already, 6 refused
  2> holon: odd:4: invalid token near 'NaN'
  2> holon: odd:5: sigma: an uncertainty is not negative
  2> holon: odd:6: value: the position is outside -90..90, -180..180 degrees
  2> holon: odd:7: source: a text of 128 bytes is longer than 127
  2> holon: odd:8: value: a text of 4097 bytes is longer than 4096
  2> holon: odd:3: property 'strokes' is of type int64, the value is text
  [1]
  $ holon history acme/press power --from 2024-03-05 --to 2024-03-06
  2024-03-05T10:00:00Z  nan kW, bad
  2024-03-05T10:00:01Z  -inf kW, bad
  $ holon history acme/press power --from 2024-03-05 --to 2024-03-06 --json
  {"t": "2024-03-05T10:00:00Z", "value": null, "quality": "bad", "unit": "kW"}
  {"t": "2024-03-05T10:00:01Z", "value": null, "quality": "bad", "unit": "kW"}
  $ holon history acme/press colour
  2> holon: acme/press has no property colour: its type is press
  [1]
  $ holon history acme/press power --from 2024-03-06 --to 2024-03-05
  2> holon: --from is after --to
  [2]

Many lines go in many requests.

  $ seq 0 4999 | awk '{printf "{\"twin\": \"acme/press\", \"property\": \"strokes\", \"t\": %d, \"value\": %d}\n", 1600000000 + $1, $1}' | holon ingest -
  5000 lines: 5000 stored, 0 there already, 0 refused
  $ holon history acme/press strokes --limit 5001 | wc -l
  5001

A source that is wrong in every line is not told so in every line, but for a program that asks.

  $ seq 0 999 | awk '{printf "{\"twin\": \"acme/lathe\", \"property\": \"strokes\", \"t\": %d, \"value\": 1}\n", $1}' > wrong
  > holon ingest wrong 2>&1 | grep -c 'wrong:[0-9]*: '
  > holon ingest wrong
  20
  1000 lines: 0 stored, 0 there already, 1000 refused
  2> holon: wrong:1: <*>
  2> holon: wrong:2: <*>
  2> holon: wrong:3: <*>
  2> holon: wrong:4: <*>
  2> holon: wrong:5: <*>
  2> holon: wrong:6: <*>
  2> holon: wrong:7: <*>
  2> holon: wrong:8: <*>
  2> holon: wrong:9: <*>
  2> holon: wrong:10: <*>
  2> holon: wrong:11: <*>
  2> holon: wrong:12: <*>
  2> holon: wrong:13: <*>
  2> holon: wrong:14: <*>
  2> holon: wrong:15: <*>
  2> holon: wrong:16: <*>
  2> holon: wrong:17: <*>
  2> holon: wrong:18: <*>
  2> holon: wrong:19: <*>
  2> holon: wrong:20: <*>
  2> holon: wrong: 980 more were refused, up to line 1000
  [1]
  $ holon ingest wrong --json 2> /dev/null | grep -c reason
  1000

A program of one's own, as tools/example_put.c.

  $ example_put ipc://$HOLON_NODE/control acme/press power 7 8 -9 10
  3 stored
  2> sample 2: the value does not fit the property's type, range or words
  $ holon twin get acme/press power
  10 kW
  $ example_put ipc://$HOLON_NODE/control acme/lathe power 7
  0 stored
  2> sample 0: there is no such twin or property
  $ example_put ipc:///nowhere acme/press power 7
  2> example_put: no node at ipc:///nowhere: is holond running?
  [1]

History as it comes, as a table, and no more of it than asked for.

  $ holon history acme/press power --to 2024-03-04T11:00:00Z --csv
  t,value,quality,sigma,source
  2024-03-04T10:00:00Z,3,good,,
  2024-03-04T10:01:00Z,3.5,uncertain,,plc
  2024-03-04T11:00:00Z,5,good,,
  $ holon history acme/press strokes --limit 2
  2020-09-13T12:26:40Z  0
  2020-09-13T12:26:41Z  1
  $ holon history acme/press strokes --limit 0
  $ holon history acme/press power --to 2024-03-04T11:00:00Z --step 1h
  2024-03-04T10:00:00Z  mean 3.25 kW  min 3 kW  max 3.5 kW  count 2
  2024-03-04T11:00:00Z  mean 5 kW  min 5 kW  max 5 kW  count 1
  $ holon history acme/press strokes --to 2020-09-13T13:00:00Z --step 10min --fn count --fn sum --fn last --csv
  t,count,sum,last
  2020-09-13T12:20:00Z,200,19900.0,199.0
  2020-09-13T12:30:00Z,600,299700.0,799.0
  2020-09-13T12:40:00Z,600,659700.0,1399.0
  2020-09-13T12:50:00Z,600,1019700.0,1999.0
  2020-09-13T13:00:00Z,1,2000.0,2000.0
  $ holon history acme/press strokes --step 1min --to 2020-09-13T13:49:00Z --fn count | wc -l
  84
