#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What hosts.sh writes, and what must come of it.

    hosts.py types                     the types every owner has, for holon apply
    hosts.py policy ORG VARIANT        a policy of ORG; its text holds @ORG:x@ and @UNTIL@
    hosts.py load SEED TWINS           write at all owners until the file load.stop is there; the ledger goes to ledger
    hosts.py judge ORG=VARIANT...      does every node hold exactly what it may, and every owner what it acknowledged?
    hosts.py who-sees SEED ORG=VARIANT...   does the node's own reading of the policy agree with the one here?

Runs in the folder of the mesh. An owner with a file ORG/NODE.hold is left alone; ORG/NODE.held says that nothing is on
its way there, and what is known of it then goes to ORG/NODE.known: what a backup taken meanwhile must hold, and is
therefore kept as ORG/NODE.backed. A file ORG/NODE.restored has the ledger go back to that.
"""
import json
import os
import random
import subprocess
import sys
import time

ORGS = ["acme", "harbor", "volt"]
OWNERS = ["gate2", "plant1", "plant2"]
BORDERS = ["gate1", "gate2"]
NODES = BORDERS + OWNERS[1:]
COLOURS = ["red", "green", "blue"]
TYPES = {"hall": [], "press": ["power/use", "recipe/force"], "meter": ["power/use", "flow/rate"]}


def holon(node, *words, stdin=None, timeout="3s"):
    return subprocess.run(["holon", "--node", node, "--timeout", timeout, *words], input=stdin, text=True,
                          capture_output=True)


# ---- policies: as data, from which the text is made, and by which rows are judged

def rules(org, variant):
    """A partner sees one plant whole but for recipes, what has a colour, and that the other sort of twin is there."""
    for at, partner in enumerate(o for o in ORGS if o != org):
        n = variant + at
        yield {"kind": "share", "to": partner, "twins": [OWNERS[n % 3] + "/**"], "rights": ["discover", "summary"]}
        yield {"kind": "share", "to": partner, "twins": ["tag " + COLOURS[n % 3]], "rights": ["discover", "summary"]}
        yield {"kind": "share", "to": partner, "twins": ["type " + ("meter", "press", "hall")[n % 3]],
               "rights": ["discover"]}
        yield {"kind": "never", "to": partner, "twins": ["**"], "tag": COLOURS[(n + 1) % 3], "rights": ["discover"]}
    yield {"kind": "never", "to": None, "twins": ["**"], "properties": "recipe", "rights": ["summary", "read", "history"]}
    yield {"kind": "never", "to": None, "twins": ["plant2/t7", "plant1/t11"], "rights": ["discover"]}


def policy(org, variant):
    lines = ["policy " + org + " # %d" % variant]
    lines += ["  org %s = @ORG:%s@" % (o, o) for o in ORGS if o != org]
    for n, rule in enumerate(rules(org, variant)):
        share = rule["kind"] == "share"
        lines.append('  %s "rule %d"' % (rule["kind"], n))
        lines.append("    to " + ("org " + rule["to"] if rule["to"] else "everyone-else"))
        lines.append("    twins " + ", ".join(rule["twins"]) + (" with tag " + rule["tag"] if "tag" in rule else ""))
        of = " of %s/**" % rule["properties"] if "properties" in rule else ""
        lines.append("    " + ("allow " if share else "deny ") + ", ".join(rule["rights"]) + of)
        if share:
            lines.append("    until @UNTIL@")
    return "\n".join(lines) + "\n"


def matches(rule, row, partner):
    local = row["id"].split("/", 1)[1]

    def one(pattern):
        if pattern.startswith("tag "):
            return pattern[4:] in row["tags"]
        if pattern.startswith("type "):
            return pattern[5:] == row["type"]
        if pattern.endswith("**"):
            return (local + "/").startswith(pattern[:-2])
        return local == pattern
    return (rule["to"] in (None, partner) and any(map(one, rule["twins"])) and
            ("tag" not in rule or rule["tag"] in row["tags"]))


def may(table, row, partner, right):
    """discover or summary of a twin as a whole."""
    about = [r for r in table if matches(r, row, partner) and "properties" not in r]
    return (any(r["kind"] == "share" and right in r["rights"] for r in about) and
            not any(r["kind"] == "never" and ("discover" in r["rights"] or right in r["rights"]) for r in about))


def shown(table, rows, row, partner):
    """What a partner holds of a row, or None."""
    if not may(table, row, partner, "discover"):
        return None
    out = dict(row, name="", tags=[], kpis=[], health="unknown", life_cycle="design")
    out["parents"] = [p for p in row["parents"]
                      if p["parent"] in rows and may(table, rows[p["parent"]], partner, "discover")]
    if may(table, row, partner, "summary"):
        hidden = {r["properties"] for r in table if r["kind"] == "never" and "properties" in r and
                  matches(r, row, partner)}
        out.update({k: row[k] for k in ("name", "tags", "health", "life_cycle")})
        out["kpis"] = [k for k in row["kpis"] if k["property"].split("/")[0] not in hidden]
    return out


# ---- the load, with a ledger: of each twin every state it may be in. A state is [tags, {property: [t, value]}], or None

def put(tags):
    return lambda state: [tags, state[1] if state else {}]


def delete(state):
    return None


def measure(prop, t, value):
    return lambda state: state and [state[0], dict(state[1], **{prop: [t, value]})]


def unique(states):
    out = []
    for s in states:
        if s not in out:
            out.append(s)
    return out


class Load:
    def __init__(self, seed, n_twins):
        self.draw = random.Random(seed)
        self.n_twins = n_twins
        self.t = 1709546400
        self.done = self.unsure = 0
        self.owners = [o + "/" + n for o in ORGS for n in OWNERS]
        self.known = {owner: {} for owner in self.owners}  # id -> possible states

    def note(self, owner, id, change, acknowledged):
        before = self.known[owner].get(id, [None])
        after = [change(s) for s in before]
        self.known[owner][id] = unique(after if acknowledged else before + after)
        self.done += acknowledged
        self.unsure += not acknowledged

    def write(self, owner, changes, *words, stdin=None):
        ok = holon(owner, *words, stdin=stdin).returncode == 0
        for id, change in changes:
            self.note(owner, id, change, ok)
        return ok

    def twin_id(self, owner):
        return "%s/t%d" % (owner, self.draw.randrange(self.n_twins))

    def document(self, ids_tags):
        """Every third twin stands in the hall."""
        twins = [{"id": i, "type": kind(i), "name": "twin " + i.rsplit("/", 1)[1], "tags": t} for i, t in ids_tags]
        relations = [{"type": "contains", "from": i.rsplit("/", 1)[0] + "/hall", "to": i} for i, _ in ids_tags
                     if in_hall(i)]
        return json.dumps({"twins": twins, "relations": relations})

    def begin(self, owner):
        twins = [(owner + "/hall", [])] + [("%s/t%d" % (owner, n), [self.draw.choice(COLOURS)])
                                          for n in range(self.n_twins)]
        changes = [(i, put(t)) for i, t in twins]
        if not self.write(owner, changes, "apply", "-", stdin=self.document(twins)):
            sys.exit("%s does not take its twins" % owner)

    def step(self, owner):
        what = self.draw.random()
        if what < 0.6:
            self.measure_some(owner)
        elif what < 0.85:
            i, tags = self.twin_id(owner), self.draw.sample(COLOURS, self.draw.randrange(3))
            self.write(owner, [(i, put(sorted(tags)))], "apply", "-", stdin=self.document([(i, sorted(tags))]))
        else:
            i = self.twin_id(owner)
            if self.known[owner].get(i, [None]) != [None]:
                self.write(owner, [(i, delete)], "twin", "delete", i, "--yes")

    def measure_some(self, owner):
        there = [i for i, states in self.known[owner].items() if None not in states and TYPES[kind(i)]]
        changes, lines = [], []
        self.t += 1
        for i in self.draw.sample(there, min(len(there), self.draw.randrange(1, 12))):
            prop, value = self.draw.choice(TYPES[kind(i)]), self.draw.randrange(10000) / 8
            changes.append((i, measure(prop, self.t, value)))
            lines.append(json.dumps({"twin": i, "property": prop, "t": self.t, "value": value}))
        if lines:
            self.write(owner, changes, "ingest", "-", stdin="\n".join(lines) + "\n")

    def attend(self, owner):
        """Is the owner to be left alone?"""
        if os.path.exists(owner + ".restored"):
            self.known[owner] = json.load(open(owner + ".backed"))
            os.remove(owner + ".restored")
        if not os.path.exists(owner + ".hold"):
            return False
        if not os.path.exists(owner + ".held"):
            json.dump(self.known[owner], open(owner + ".known", "w"))
            open(owner + ".held", "w").close()
        return True

    def run(self):
        for owner in self.owners:
            self.begin(owner)
        open("load.begun", "w").close()
        while not os.path.exists("load.stop"):
            ready = [owner for owner in self.owners if not self.attend(owner)]
            if ready:
                self.step(self.draw.choice(ready))
            time.sleep(0.01)
        json.dump(self.known, open("ledger", "w"))
        print("%d changes acknowledged, of %d nobody knows" % (self.done, self.unsure))


def number(id):
    return int(id.rsplit("/t", 1)[1]) if "/t" in id else 0


def kind(id):
    return "hall" if id.endswith("/hall") else "press" if number(id) % 2 else "meter"


def in_hall(id):
    return not id.endswith("/hall") and number(id) % 3 == 0


# ---- what there should be, and what there is

def summaries(node):
    answer = holon(node, "--json", "twin", "summaries", timeout="10s")
    if answer.returncode:
        sys.exit("%s: %s" % (node, answer.stderr.strip()))
    rows = {}
    for row in json.loads(answer.stdout)["summaries"]:
        row["tags"].sort()
        rows[row["id"]] = row
    return rows


def plain(row, crossed):
    """As it is compared: which change brought a row is known inside its organisation only."""
    return {k: v for k, v in row.items() if not crossed or k not in ("lineage", "changed")}


def state_of(row):
    if row is None:
        return None
    values = {k["property"]: [k["t"], k["value"]] for k in row["kpis"] if k.get("value") is not None}
    return [row["tags"], values]


def as_text(state):
    """Times as the node prints them."""
    def at(t):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
    return state and [state[0], {p: [at(t), v] for p, (t, v) in state[1].items()}]


def judge_ledger(ledger, held, wrong):
    for owner, twins in ledger.items():
        for i, states in twins.items():
            found = state_of(held[owner].get(i))
            if found not in [as_text(s) for s in states]:
                wrong.append("%s: acknowledged and lost: %s is %s, not %s" % (owner, i, found, states))
        for i, row in held[owner].items():
            if row["origin"] == owner and i not in twins:
                wrong.append("%s: %s was never written" % (owner, i))


def expected(node, owned, tables):
    org, name = node.split("/")
    rows = {i: plain(row, False) for owner in owned if owner.startswith(org + "/") for i, row in owned[owner].items()}
    if name not in BORDERS:
        return rows
    for partner in ORGS:
        if partner == org:
            continue
        theirs = {i: row for owner in owned if owner.startswith(partner + "/") for i, row in owned[owner].items()}
        for i, row in theirs.items():
            seen = shown(tables[partner], theirs, row, org)
            if seen:
                rows[i] = plain(seen, True)
    return rows


def judge_node(node, have, want, wrong):
    org = node.split("/")[0]
    for i in sorted(set(have) | set(want)):
        row = have.get(i) and plain(have[i], not i.startswith(org + "/"))
        if row == want.get(i):
            continue
        if row is None:
            wrong.append("%s: lacks %s" % (node, i))
        elif i not in want:
            wrong.append("%s: holds %s, which it may not" % (node, i))
        else:
            wrong.append("%s: holds %s, should hold %s" % (node, row, want[i]))


def judge(variants):
    tables = {org: list(rules(org, v)) for org, v in variants.items()}
    held = {"%s/%s" % (o, n): summaries("%s/%s" % (o, n)) for o in ORGS for n in NODES}
    owned = {node: {i: row for i, row in rows.items() if row["origin"] == node} for node, rows in held.items()}
    wrong = []
    judge_ledger(json.load(open("ledger")), held, wrong)
    for node, rows in held.items():
        judge_node(node, rows, expected(node, owned, tables), wrong)
    for line in wrong[:12]:
        print(line)
    print("%d nodes, %d rows held, %d differ" % (len(held), sum(map(len, held.values())), len(wrong)))
    return bool(wrong)


def who_sees(seed, variants):
    draw, wrong = random.Random(seed), []
    for org, variant in variants.items():
        table, gate = list(rules(org, variant)), org + "/gate1"
        rows = {i: row for i, row in summaries(gate).items() if i.startswith(org + "/")}
        for i in draw.sample(sorted(rows), 6):
            grants = json.loads(holon(gate, "--json", "policy", "who-sees", i).stdout)["grants"]
            for right in ("discover", "summary"):
                says = {g["who"] for g in grants if g["right"] == right}
                here = {o for o in ORGS if o != org and may(table, rows[i], o, right)}
                if says != here:
                    wrong.append("%s of %s: the node says %s, the oracle %s" % (right, i, says, here))
    print("\n".join(wrong))
    return bool(wrong)


def main(command, *words):
    if command == "types":
        print(json.dumps({"types": [
            {"name": t, "kind": "asset", "properties": [{"name": p, "type": "double", "unit": "1", "kpi": True} for p in ps]}
            for t, ps in TYPES.items()]}))
    elif command == "policy":
        print(policy(words[0], int(words[1])), end="")
    elif command == "load":
        Load(words[0], int(words[1])).run()
    elif command == "judge":
        return judge({o: int(v) for o, v in (w.split("=") for w in words)})
    elif command == "who-sees":
        return who_sees(words[0], {o: int(v) for o, v in (w.split("=") for w in words[1:])})
    return 0


sys.exit(main(*sys.argv[1:]))
