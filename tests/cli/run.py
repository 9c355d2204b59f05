#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden tests of the command line: command in, expected stdout, stderr and exit code.

    run.py [--update] HOLON HOLOND TEST.t

A test is text; what is indented by two blanks is run and compared:

    What one sees without a node.
      $ holon --node /nowhere status
      2> holon: no node at ipc:///nowhere/control: is holond running?
      [3]

Lines behind a command (a shell's) are its stdout, `2>` marks stderr, `[N]` the exit code unless it is 0; `> ` goes on
with the command. `<*>` stands for any text within a line. All commands of a test share one empty directory, shown as
$HERE; $DATA is the folder `data` beside the test. A test whose first line is `needs a node` gets an organisation `acme` in ./acme and
its node `n1` in ./n1, which serves as HOLON_NODE; with `needs a node that signs` it is an admin node that holds
./acme and takes machines in. --update writes what was found into the test.
"""
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

SECONDS = 60


def start_node(holon, holond, place, env, signs):
    def run(*words):
        subprocess.run([holon, *words], cwd=place, env=env, check=True, capture_output=True, timeout=SECONDS)

    with open(place + "/passphrase", "w") as f:
        f.write("correct horse battery staple\n")
    run("org", "init", "acme", "--dir", "acme", "--passphrase-file", "passphrase")
    run("node", "init", "n1", "--org", "acme", "--dir", "n1", "--role", "owner,admin" if signs else "owner")
    settings = ["listen.own=none"] + (["admin.organisation=acme", "listen.enrol=tcp://127.0.0.1:*"] if signs else [])
    read_end, write_end = os.pipe()
    log = open(place + "/n1.log", "w")
    node = subprocess.Popen([holond, "--dir", "n1", "--ready-fd", str(write_end)] + ["--set=" + s for s in settings],
                            cwd=place, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write_end])
    os.close(write_end)
    ready, _, _ = select.select([read_end], [], [], SECONDS)
    if not ready or not os.read(read_end, 1):
        node.kill()
        sys.exit("the node did not come up:\n" + open(place + "/n1.log").read())
    env["HOLON_NODE"] = place + "/n1"
    return node


def stop_node(node):
    node.send_signal(signal.SIGTERM)
    try:
        return node.wait(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        node.kill()
        return "killed"


def parse(text):
    """Pieces: (prose line, None) or (command lines, expected lines)."""
    pieces = []
    for line in text.splitlines():
        if line.startswith("  $ "):
            pieces.append(([line], []))
        elif line.startswith("  > ") and pieces and pieces[-1][1] == []:
            pieces[-1][0].append(line)
        elif line.startswith("  ") and pieces and pieces[-1][1] is not None:
            pieces[-1][1].append(line)
        else:
            pieces.append((line, None))
    return pieces


def execute(lines, place, env):
    command = "\n".join(line[4:] for line in lines)
    done = subprocess.run(["sh", "-c", command], cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=SECONDS)

    def shown(text):
        return text.replace(env["DATA"], "$DATA").replace(place, "$HERE").splitlines()

    found = ["  " + line for line in shown(done.stdout)]
    found += ["  2> " + line for line in shown(done.stderr)]
    if done.returncode:
        found.append("  [%d]" % done.returncode)
    return found


def matches(expected, found):
    def one(e, f):
        return e == f or ("<*>" in e and re.fullmatch(".*".join(map(re.escape, e.split("<*>"))), f))

    return len(expected) == len(found) and all(map(one, expected, found))


def run_test(path, place, env):
    text, new, failures = open(path).read(), [], 0
    for lines, expected in parse(text):
        if expected is None:
            new.append(lines)
            continue
        found = execute(lines, place, env)
        new += lines
        if matches(expected, found):
            new += expected
            continue
        new += found
        failures += 1
        print("\n".join([path, *lines, "expected", *expected, "found", *found, ""]))
    return "\n".join(new) + "\n", failures


def main():
    words = sys.argv[1:]
    update = words[:1] == ["--update"]
    holon, holond, path = map(os.path.abspath, words[update:])
    place = tempfile.mkdtemp(prefix="holon-cli.")
    env = {"PATH": ":".join([os.path.dirname(holon), os.path.dirname(holond), os.environ["PATH"]]), "HOME": place, "LC_ALL": "C.UTF-8", "TZ": "UTC",
           "DATA": os.path.dirname(path) + "/data"}
    env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k in ("LD_PRELOAD", "FAKETIME")})
    node = None
    try:
        need = open(path).readline().strip()
        if need.startswith("needs a node"):
            node = start_node(holon, holond, place, env, need.endswith("that signs"))
        text, failures = run_test(path, place, env)
        if node:
            code, node = stop_node(node), None
            if code != 0:
                print("the node ended with %s:\n%s" % (code, open(place + "/n1.log").read()))
                failures += 1
    finally:
        if node:
            stop_node(node)
        shutil.rmtree(place)
    if update:
        with open(path, "w") as f:
            f.write(text)
    sys.exit(failures > 0 and not update)


main()
