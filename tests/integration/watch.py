"""Plays the events of `holon --json watch` and compares what they add up to with a view.

    watch.py EVENTS VIEW [EXPRESSION]

EVENTS: what the watch printed so far. VIEW: the JSON of the same view asked now. Fails if an event tells again what
was told before, takes back what was not told, or the two are not the same. EXPRESSION: of `seen`, a list of the values
of the first roll-up in the order in which they were told, and `events`; it must be true.
"""
import json
import sys


def told(member):
    return {key: value for key, value in member.items() if key not in ("members", "parent")}


def play(events):
    members, whole = {}, {}
    for n, event in enumerate(events):
        assert (event["event"] == "first") == (n == 0), f"event {n} is {event['event']}"
        news = 0
        for member in event["members"]:
            known = members.get(member["id"])
            now = (member["parent"], told(member))
            assert known != now, f"event {n} tells again of {member['id']}"
            members[member["id"]] = now
            news += 1
        for gone in event["gone"]:
            assert gone in members, f"event {n} takes back {gone}, which was not told"
            del members[gone]
            news += 1
        now = summary(event)
        assert news > 0 or now != whole, f"event {n} tells nothing new"
        whole = now
    return members, whole


def summary(view):
    certificate = dict(view["certificate"])
    certificate["sources"] = [
        {key: source[key] for key in ("org", "node", "epoch", "state")} for source in certificate["sources"]
    ]
    return [view["rollups"], certificate, view["problems"]]


def flatten(view):
    members = {}

    def walk(member, parent):
        members[member["id"]] = (parent, told(member))
        for child in member["members"]:
            walk(child, member["id"])

    keys = ("name", "kind", "type", "state", "life_cycle", "health", "rollups", "members")
    walk({"id": view["root"], **{key: view[key] for key in keys}}, "")
    return members


def main():
    with open(sys.argv[1]) as file:
        events = [json.loads(line) for line in file if line.endswith("\n")]
    members, whole = play(events)
    if sys.argv[2] != "-":
        with open(sys.argv[2]) as file:
            text = file.read()
        view = json.loads(text) if text.strip() else None
        should = flatten(view) if view else {}
        for twin in sorted(members.keys() | should.keys()):
            if members.get(twin) != should.get(twin):
                sys.exit(f"{twin}\n  told:      {members.get(twin)}\n  should be: {should.get(twin)}")
        if view and whole != summary(view):
            sys.exit(f"the whole\n  told:      {whole}\n  should be: {summary(view)}")
    seen = [event["rollups"][0]["value"] for event in events if event["rollups"]]
    if len(sys.argv) > 3 and not eval(sys.argv[3]):
        sys.exit(f"not so: {sys.argv[3]}\n  seen: {seen}\n  events: {[event['event'] for event in events]}")


main()
