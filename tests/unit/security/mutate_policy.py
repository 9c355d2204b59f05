#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Would a fault in the evaluator of policies be noticed?

    mutate_policy.py [--all] [--list] ROOT CC LIBRARY...

Puts one small fault after the other into the sources that decide (the operators below, at each place they fit), builds
policy_exhaustive.c against each and demands that it finds a difference. Without --all a few of the faults, others on
every day. LIBRARY: what to link with besides security/.
"""
import datetime
import os
import re
import resource
import subprocess
import sys
import tempfile

# file, first and last line of what decides (as they begin)
REGIONS = [
    ("security/policy.c", "static bool has_tag(", "static bool subject_is("),
    ("security/policy.c", "/* Of a command nothing is a value", "void policy_find("),
    ("security/policy.c", "/* Do the rules found grant it?", "/* Does window a reach farther"),
    ("security/policy_index.c", "/* ---- Looking up", "/* ---- Chains to runs"),
    ("security/policy_index.c", "static bool is_careful(", "int policy_index("),
    ("security/policy_pattern.c", "bool pattern_matches(", "static size_t segment_length("),
]

OPERATORS = [
    (r"&&", "||"), (r"\|\|", "&&"), (r"==", "!="), (r"!=", "=="), (r" < ", " <= "), (r" >= ", " > "), (r" > ", " >= "),
    (r" <= ", " < "), (r"\|=", "&="), (r"(?<=\S) &= ", " |= "), (r"(?<=[( ])!(?=[a-zA-Z(*])", ""), (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"), (r" \+ 1\b", " + 0"), (r" - 1\b", " - 0"), (r"FORM_PLAIN\b", "FORM_TOKEN"),
    (r"FORM_TOKEN\b", "FORM_PLAIN"), (r" & ~", " & "), (r" & (?!~)", " | "),
]

# What changes no answer: (line, what is put in or bared of its `!`, why, in which function if such lines are several).
EQUAL = [
    ("return false;", "true", "behind a switch that has returned", "static bool condition_holds("),
    ("for (size_t i = 0; i < s->n_any && !any; i++)", "<=", "behind the last one lies no condition that could hold"),
    ("if (rule->redactions[i].form < form && pattern_matches(rule->redactions[i].pattern, property))", "<=",
     "the same form again"),
    ("return false;", "true", "an early end: what is found grants nothing", "static bool find("),
    ("until_ns = end_ns > until_ns ? end_ns : until_ns;", ">=", "the same end again"),
    ("if (b->n_nodes < (b->mask + 1) / 2)", "<=", "a fuller table"),
    ("return p && find(p, q, least, false, &found) && granted(p, &found, ret_until_ns);", "true",
     "an early end left out"),
    ("for (size_t i = 0; s->n_all == 0 && i < s->n_any; i++)", "<=", "behind the last one lies no condition"),
    ("for (uint32_t i = N_INDEX_ROOTS; i < b->n_nodes; i++)", "<=", "the next node is entered twice"),
    ("for (int i = 0; i < N_INDEX_ROOTS; i++)", "<=", "a root that nobody asks"),
    ("return false;", "true", "when memory runs out: test_policy_parse", "static bool make_room("),
    ("return false;", "true", "when memory runs out: test_policy_parse", "static bool grow_table("),
    ("if (b->n_nodes < (b->mask + 1) / 2)", "+ 0", "a place less full"),
    ("bool careful = rule->n_redactions > 0;", ">=", "looked at more closely than needed"),
    ("careful |= rule->selectors[i].n_all > 0;", ">=", "looked at more closely than needed"),
    ("if (any & right_bit(r))", "|", "a first cut that cuts less"),
    ("for (size_t i = 0; i < rule->n_selectors; i++)", "<=", "looked at more closely than needed"),
    ("for (enum right r = 0; r < N_RIGHTS; r++) {", "<=", "no rule has a right that there is not"),
    # the sentences of policy_why() ask thoroughly; they have their own tests
    ("if (!narrow(p, ret, &p->of_right[q->right]) && !thorough)", "thorough", "an early end left out"),
    ("if (!narrow(p, ret, &twins) && !thorough)", "thorough", "an early end left out"),
    ("if (!narrow(p, ret, &rights) && !thorough)", "thorough", "an early end left out"),
]

# What is done when memory runs out; test_policy_parse lets every allocation fail.
MEMORY = re.compile(r"failed|!more|!table|room")

RUN = ["--every", "151", "--large", "30"]
DEFAULT_FAULTS = 8
CPU_SECONDS = 20


def is_equal(text, at, line, other):
    put = other.strip() or re.match(r"!\W*(\w+)", text[at:]).group(1)  # a `!` left out is told by what it stood at
    for where, fault, _, *function in EQUAL:
        if line == where and put == fault:
            begin = text.rfind("\n" + function[0], 0, at) if function else 0
            if begin >= 0 and (not function or "\n}\n" not in text[begin:at]):
                return True
    return MEMORY.search(line) is not None


def faults(root):
    for name, first, last in REGIONS:
        text = open(os.path.join(root, name)).read()
        begin = text.index(first)
        end = text.index(last, begin)
        for pattern, other in OPERATORS:
            for m in re.finditer(pattern, text[begin:end]):
                at = begin + m.start()
                line = text[text.rindex("\n", 0, at) + 1:text.index("\n", at)].strip()
                if line.startswith(("/*", "*", "//", "static_assert")) or is_equal(text, at, line, other):
                    continue
                number = text.count("\n", 0, at) + 1
                yield name, number, line, m.group().strip(), other.strip(), text[:at] + other + text[begin + m.end():]


class Bench:
    def __init__(self, root, cc, libraries, place):
        self.root, self.cc, self.libraries, self.place = root, cc.split(), libraries, place
        self.flags = ["-std=c17", "-D_POSIX_C_SOURCE=200809L", "-O1", "-w", "-I", root,
                      "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        self.objects = {}
        tests = ["tests/unit/security/policy_%s.c" % t for t in ("naive", "phrases", "exhaustive")]
        security = sorted("security/" + f for f in os.listdir(root + "/security") if re.fullmatch(r"policy.*\.c", f))
        for name in security + tests:
            self.objects[name] = self.compile(name, os.path.join(root, name))
        subprocess.run(self.link(self.objects), check=True)
        subprocess.run([place + "/all", *RUN], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def compile(self, name, path):
        out = os.path.join(self.place, name.replace("/", "-") + ".o")
        subprocess.run([*self.cc, *self.flags, "-c", path, "-o", out], check=True, stderr=subprocess.DEVNULL)
        return out

    def link(self, objects):
        return [*self.cc, "-fsanitize=address,undefined", *objects.values(), *self.libraries, "-o", self.place + "/all"]

    def survives(self, name, text):
        """None: it does not build."""
        path = os.path.join(self.place, "fault.c")
        with open(path, "w") as f:
            f.write(text)
        try:
            objects = dict(self.objects, **{name: self.compile("fault", path)})
        except subprocess.CalledProcessError:
            return None
        subprocess.run(self.link(objects), check=True)
        limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        return subprocess.run([self.place + "/all", *RUN], preexec_fn=limit, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd=self.place).returncode == 0


def main():
    flags = [w for w in sys.argv[1:] if w.startswith("--")]
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    root, cc, libraries = words[0], words[1], words[2:]
    chosen = list(faults(root))
    if "--list" in flags:
        for name, number, line, old, new, _ in chosen:
            print("%s:%d: '%s' for '%s' in: %s" % (name, number, new, old, line))
        return
    if "--all" not in flags:
        step = max(1, len(chosen) // DEFAULT_FAULTS)
        chosen = chosen[datetime.date.today().toordinal() % step::step]
    survivors = built = 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="holon-mutate.") as place:
        bench = Bench(root, cc, libraries, place)
        for name, number, line, old, new, text in chosen:
            alive = bench.survives(name, text)
            built += alive is not None
            if alive:
                survivors += 1
                print("not noticed: %s:%d: '%s' for '%s' in: %s" % (name, number, new, old, line), flush=True)
    print("%d faults, %d do not build, %d noticed, %d not" %
          (len(chosen), len(chosen) - built, built - survivors, survivors))
    sys.exit(survivors > 0 or built == 0)


main()
