#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares our driver's session with Linux's, phase by phase, on every generation, for each scheduler.

tests/traces/linux-PRODUCT-SCHEDULER.trace was recorded by tests/guest/record; ours is made here.
Each difference must be allowed by tests/traces/rules, each rule must be needed, and the table of
docs/trace.md must say what was found (--write puts it there).
Ends with "N passed, N failed".
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent
TRACES = ROOT / "tests/traces"
DOC = ROOT / "docs/trace.md"
PRODUCTS = {"npu37": "mtl", "npu40": "lnl", "npu50": "ptl", "npu60": "nvl"}
PHASES = ["boot", "submit", "suspend", "resume", "hang", "close", "fault", "stop"]
DIFFERENCE = re.compile(r"([-+]) (rd|wr|msg[<>]|msi|ready|reset)\S* .*\(line \d+(, moved)?\)")
BEGIN, END = "<!-- tests/traces_test.py --write -->\n", "<!-- end -->\n"


def session(gen, sched, trace):
    subprocess.run([ROOT / "build/tests/traces/session", gen, sched, trace], check=True,
                   capture_output=True, text=True)


def compare(gen, sched, phase, ours):
    """The tool's verdict, its text, and how many records are what."""
    done = subprocess.run([ROOT / "build/bin/npu", "trace", "diff",
                           TRACES / f"linux-{PRODUCTS[gen]}-{sched}.trace", ours, "--phase", phase,
                           "--allow", TRACES / "rules"], capture_output=True, text=True)
    if done.returncode not in (0, 5):
        return False, done.stdout + done.stderr, None
    nr = dict.fromkeys(["read", "written", "ours", "moved"], 0)
    for side, what, moved in DIFFERENCE.findall(done.stdout):
        if moved:
            nr["moved"] += side == "-"
        elif side == "+":
            nr["ours"] += 1
        else:
            nr["read" if what == "rd" else "written"] += 1
    nr["equal"] = int(done.stdout.splitlines()[-1].split()[0])
    return done.returncode == 0, done.stdout, nr


def unused(text):
    return set(re.findall(r"^note: no difference is allowed by '(.*)' any more$", text, re.M))


def rules():
    """(rule, its phases)"""
    phases, found = PHASES, []
    for line in (TRACES / "rules").read_text().splitlines():
        if line.startswith("["):
            phases = line.strip("[]").split()
        elif line and line[0] in "-+*~":
            found.append((line.split(" #")[0].strip(), phases))
    return found


def table(found):
    rows = ["| generation | scheduler | " + " | ".join(PHASES) + " |", "|---|---|" + "---|" * len(PHASES)]
    for gen in PRODUCTS:
        for sched in ("os", "hw"):
            cells = (found.get((gen, sched, phase)) for phase in PHASES)
            rows.append(f"| {gen} | {sched} | " + " | ".join(
                f"{n['equal']} / {n['read']} {n['written']} / {n['ours']} / {n['moved']}" if n else "-"
                for n in cells) + " |")
    return "\n".join(rows) + "\n"


def check_doc(new):
    text = DOC.read_text()
    start, stop = text.index(BEGIN) + len(BEGIN), text.index(END)
    if "--write" in sys.argv:
        DOC.write_text(text[:start] + new + text[stop:])
    elif text[start:stop] != new:
        print(f"docs/trace.md: the table is not what was found; --write mends it.  Found:\n{new}")
        return False
    return True


def same_boot(product):
    """Who schedules is of no concern to Linux before the firmware is ready."""
    done = subprocess.run([ROOT / "build/bin/npu", "trace", "diff", TRACES / f"linux-{product}-os.trace",
                           TRACES / f"linux-{product}-hw.trace", "--phase", "boot", "--until", "ready"],
                          capture_output=True, text=True)
    if done.returncode:
        print(f"--- Linux's boot of {product} depends on who schedules", done.stdout, sep="\n")
    return done.returncode == 0


def main():
    found, idle, nr = {}, {}, [0, 0]

    def count(good):
        nr[0 if good else 1] += 1

    with tempfile.TemporaryDirectory() as tmp:
        for gen in PRODUCTS:
            for sched in ("os", "hw"):
                ours = pathlib.Path(tmp) / "ours.trace"
                session(gen, sched, ours)
                for phase in PHASES:
                    good, text, found[gen, sched, phase] = compare(gen, sched, phase, ours)
                    # a rule may be wrong: no message may be missing, whatever it says
                    omitted = re.search(r"^- msg> .*\(line \d+\)", text, re.M)
                    good = good and not omitted and found[gen, sched, phase]["equal"] > 0
                    idle[phase] = idle.get(phase, unused(text)) & unused(text)
                    count(good)
                    if not good:
                        bad = [l for l in text.splitlines() if l[:1] in "-+" and "allowed: " not in l]
                        print(f"--- {gen} {sched} {phase}", *(bad or [text]), sep="\n")
    for rule, phases in rules():
        needed = any(rule not in idle[phase] for phase in phases)
        count(needed)
        if not needed:
            print(f"no difference needs the rule '{rule}' of {' '.join(phases)}")
    for product in PRODUCTS.values():
        count(same_boot(product))
    count(check_doc(table(found)))
    print(f"{nr[0]} passed, {nr[1]} failed")
    return 1 if nr[1] or not nr[0] else 0


sys.exit(main())
