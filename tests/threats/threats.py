#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does each defence have a test that fails without it? The table is table.ini beside this file; its head explains it.

    threats.py --lint ROOT BUILD
    threats.py --random N [--seed S] ROOT
    threats.py --rows 3,21,'24 withheld' ROOT
    threats.py --all ROOT

--lint: every row is there, every text that is to be replaced occurs once, every test exists in the build folder BUILD.
The others copy the sources into a scratch folder, build there what the tests of the rows need, demand that each test
passes, take one defence after the other out and demand that its test then fails. --place DIR keeps the scratch folder
for the next time; --jobs N is for ninja.
"""
import argparse
import configparser
import fnmatch
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

NUMBERS = [*range(1, 38), 39, 40, 45, 46, 48, 49]
KEYS = r"attack|defence|test|(file|old|new)[2-9]?"
FOLDERS = ["proto", "security", "storage", "federation", "node", "tools", "tests", "deploy"]
SKIPPED = 77
SECONDS = 300  # a test that takes longer without its defence has noticed


class Row:
    def __init__(self, name, section):
        self.name, self.section = name, section
        self.number = int(name.split()[0])
        self.test, _, self.filter = (part.strip() for part in section.get("test", "").partition(" : "))
        self.edits = [(section.get("file" + n, ""), section.get("old" + n, ""), section.get("new" + n))
                      for n in ["", *"23456789"] if "file" + n in section]

    def wrong(self, root, tests, criterion):
        for key in self.section:
            if not re.fullmatch(KEYS, key):
                yield "unknown key " + key
        for key in ("attack", "defence", "test", "file"):
            if not self.section.get(key):
                yield "no " + key
        if self.test not in tests:
            yield "there is no test " + self.test
        if self.filter and not fnmatch.filter(criterion, self.filter):
            yield "no Criterion test is called " + self.filter
        for file, old, new in self.edits:
            if not old or new is None:
                yield "old and new belong to " + file
            elif not os.path.isfile(os.path.join(root, file)):
                yield "there is no file " + file
            else:
                n = len(pattern(old).findall(read(root, file)))
                if n != 1:
                    yield "occurs %d times in %s: %s" % (n, file, " ".join(old.split()))

    def mutated(self, root):
        """{file: text} without the defence"""
        texts = {}
        for file, old, new in self.edits:
            text = texts.get(file) or read(root, file)
            texts[file] = pattern(old).sub(lambda _: new, text)
        return texts


def pattern(old):
    return re.compile(r"\s+".join(re.escape(word) for word in old.split()))


def read(root, file):
    with open(os.path.join(root, file)) as f:
        return f.read()


def table(root):
    parser = configparser.ConfigParser(delimiters="=", comment_prefixes="#", interpolation=None, strict=True,
                                       empty_lines_in_values=False, default_section="")
    parser.optionxform = str
    parser.read_string(read(root, "tests/threats/table.ini"))
    missing = dict(parser["missing"]) if "missing" in parser else {}
    return [Row(name, parser[name]) for name in parser.sections() if name != "missing"], missing


def introspect(build, what):
    return json.loads(subprocess.run(["meson", "introspect", "--" + what, build], check=True, capture_output=True).stdout)


def tests_of(build):
    """{SUITE/NAME: test}"""
    return {suite.split(":")[-1] + "/" + test["name"]: test for test in introspect(build, "tests")
            for suite in test["suite"]}


def criterion_tests(root):
    found = []
    for folder, _, names in os.walk(os.path.join(root, "tests/unit")):
        for name in names:
            if name.endswith(".c"):
                found += re.findall(r"^(?:Parameterized)?Test\((\w+),\s*(\w+)", read(folder, name), re.M)
    return [suite + "/" + test for suite, test in found]


def lint(root, build):
    rows, missing = table(root)
    tests = set(tests_of(build))
    tests |= {"integration/" + f[:-3] for f in os.listdir(root + "/tests/integration")}  # some need options
    criterion = criterion_tests(root)
    bad = ["[%s] %s" % (row.name, what) for row in rows for what in row.wrong(root, tests, criterion)]
    have = {row.number for row in rows}
    bad += ["%d: no section, and no reason in [missing]" % n for n in NUMBERS if n not in have and str(n) not in missing]
    bad += ["%s: stands in [missing] and has a section" % n for n in missing if int(n) in have]
    bad += ["%d: no row of this table" % n for n in sorted(have | set(map(int, missing))) if n not in NUMBERS]
    print("%d sections for %d of %d rows" % (len(rows), len(have), len(NUMBERS)), *bad, sep="\n", end="\n")
    return not bad


class Copy:
    """The sources again, in a folder where they can be broken."""

    def __init__(self, root, place, jobs):
        self.tree, self.build, self.jobs = place + "/tree", place + "/build", jobs
        self.sync(root)
        if not os.path.exists(self.build + "/build.ninja"):
            # what a tapped build can do, and quick to build
            subprocess.run(["meson", "setup", self.build, self.tree, "-Dtap=true", "-Ddebug=false", "-Doptimization=1"],
                           check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", self.build, "build.ninja"], check=True, stdout=subprocess.DEVNULL)
        self.tests = tests_of(self.build)
        self.files = {t["id"]: os.path.relpath(t["filename"][0], self.build) for t in introspect(self.build, "targets")}

    def sync(self, root):
        wanted = set()
        for top in [*FOLDERS, "meson.build", "meson_options.txt", ".clang-format", "README.md"]:
            for folder, _, names in os.walk(os.path.join(root, top)):
                wanted |= {os.path.relpath(os.path.join(folder, name), root) for name in names}
            if os.path.isfile(os.path.join(root, top)):
                wanted.add(top)
        have = {os.path.relpath(os.path.join(folder, name), self.tree) for folder, _, names in os.walk(self.tree)
                for name in names}
        for file in have - wanted:
            os.unlink(os.path.join(self.tree, file))
        for file in sorted(wanted):
            source, target = os.path.join(root, file), os.path.join(self.tree, file)
            if os.path.islink(source) or not os.path.isfile(source):
                continue
            with open(source, "rb") as f:
                data = f.read()
            if file not in have or open(target, "rb").read() != data:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(source, target)

    def write(self, file, text):
        with open(os.path.join(self.tree, file), "w") as f:
            f.write(text)

    def ninja(self, names):
        targets = sorted({self.files[d] for name in names for d in self.tests[name]["depends"]})
        if not targets:
            return None
        done = subprocess.run(["ninja", "-C", self.build, *self.jobs, *targets], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return None if done.returncode == 0 else done.stdout

    def run(self, row):
        """(passed, what it printed)"""
        test = self.tests[row.test]
        command = [*test["cmd"], *(["--filter", row.filter] if row.filter else [])]
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                       env=dict(os.environ, **test["env"]), cwd=test["workdir"] or self.build,
                                       start_new_session=True)
            try:
                code = process.wait(min(test["timeout"] or SECONDS, SECONDS))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                code = None
            log.seek(0)
            text = log.read().decode(errors="replace")
        if row.filter and re.search(r"Tested: 0\b", text):
            code = SKIPPED  # of no test it cannot be said that it passes
        return code == 0, ("no end\n" if code is None else "exit code %d\n" % code) + text[-3000:]


def try_row(copy, row):
    """What is wrong with it, or None"""
    mutated = row.mutated(copy.tree)
    whole = {file: read(copy.tree, file) for file in mutated}
    try:
        for file, text in mutated.items():
            copy.write(file, text)
        broken = copy.ninja([row.test])
        if broken:
            return "does not build without its defence\n" + broken[-3000:]
        return "its test passes without its defence" if copy.run(row)[0] else None
    finally:
        for file, text in whole.items():
            copy.write(file, text)


def key(row):
    return row.test, row.filter


def run_whole(copy, rows):
    """{key: what is wrong} of the tests that fail with every defence in place"""
    distinct = {key(row): row for row in rows}
    together = [k for k in distinct if copy.tests[k[0]]["is_parallel"]]
    apart = [k for k in distinct if k not in together]
    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(together, pool.map(lambda k: copy.run(distinct[k]), together)))
    results.update((k, copy.run(distinct[k])) for k in apart)
    return {k: "its test fails with its defence in place: " + text for k, (passed, text) in results.items() if not passed}


def work(root, place, rows, jobs):
    began = time.monotonic()
    copy = Copy(root, place, jobs)
    rows.sort(key=lambda row: [file for file, _, _ in row.edits])  # neighbours share what is rebuilt
    criterion = criterion_tests(copy.tree)
    for row in rows:
        for wrong in row.wrong(copy.tree, copy.tests, criterion):
            sys.exit("[%s] %s" % (row.name, wrong))
    broken = copy.ninja({row.test for row in rows})
    if broken:
        sys.exit("the copy does not build\n" + broken[-3000:])
    print("built in %d s" % (time.monotonic() - began), flush=True)
    failing = run_whole(copy, rows)
    print("%d of their tests pass, %d s" % (len({key(row) for row in rows}) - len(failing), time.monotonic() - began),
          flush=True)
    bad = 0
    for row in rows:
        since = time.monotonic()
        wrong = failing.get(key(row)) or try_row(copy, row)
        bad += wrong is not None
        print("%s [%s] %s: %s (%d s)" % ("FAILED:" if wrong else "ok:", row.name, row.section["attack"].replace("\n", " "),
                                         wrong or "noticed", time.monotonic() - since), flush=True)
    print("%d defences taken out, %d noticed, %d s" % (len(rows), len(rows) - bad, time.monotonic() - began))
    return not bad


def chosen(arguments, rows):
    if arguments.all:
        return rows
    if arguments.rows:
        names = [name.strip() for name in arguments.rows.split(",")]
        found = [row for row in rows if row.name in names or str(row.number) in names]
        return found or sys.exit("no such row")
    seed = arguments.seed if arguments.seed is not None else random.randrange(10**6)
    print("--random %d --seed %d" % (arguments.random, seed), flush=True)
    return random.Random(seed).sample(rows, min(arguments.random, len(rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--lint", action="store_true")
    what.add_argument("--random", type=int, metavar="N")
    what.add_argument("--rows", metavar="NUMBER,...")
    what.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--place", metavar="DIR")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("root")
    parser.add_argument("build", nargs="?")
    a = parser.parse_args()
    root = os.path.abspath(a.root)
    if a.lint:
        sys.exit(not lint(root, a.build))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    jobs = ["-j%d" % a.jobs] if a.jobs else []
    if a.place:
        sys.exit(not work(root, os.path.abspath(a.place), chosen(a, table(root)[0]), jobs))
    with tempfile.TemporaryDirectory(prefix="holon-threats.") as place:
        sys.exit(not work(root, place, chosen(a, table(root)[0]), jobs))


main()
