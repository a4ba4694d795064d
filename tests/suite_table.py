#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The driver's tests on every generation, for each scheduler, in process and over a vfio-user socket.

Prints a table, tests by generations: each cell has the result in process and over the socket.  Both
must be the same to the last register access (DRV_TEST_FACTS), and what a generation cannot do, must
say why.  --all: with the boots by the book and the fault sweep over the socket, minutes more.
--build DIR: not build/.  Ends with "N passed, N failed, N skipped".
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
NPUS = ["npu37 os", "npu37 hw", "npu40 os", "npu40 hw", "npu50 os", "npu50 hw", "npu60 hw"]
COLUMNS = ["ref"] + NPUS
WAYS = ["direct", "socket"]
LINE = re.compile(r"\[ +(RUN|OK|SKIPPED|FAILED|ERROR) +\] (\w+)$")
SHOWN = {"ok": "ok", "skipped": "-", "failed": "FAIL"}

# program, what it is about, where it runs; ref has a program for what is its own
PROGRAMS = [
    ("driver_suite_life", "the suite: life", COLUMNS),
    ("driver_suite_job", "the suite: jobs and memory", COLUMNS),
    ("driver_suite_trouble", "the suite: failures", COLUMNS),
    ("driver_ref_it", "what only ref has", ["ref"]),
    ("driver_job_it", "command lists, doorbells, MMU", NPUS),
    ("driver_power_it", "sleep", NPUS),
    ("driver_warm_it", "warm boots", NPUS),
    ("driver_recovery_it", "the ladder", NPUS),
    ("driver_recovery_time_it", "how long it takes", NPUS),
    ("driver_inside_it", "seeing inside", NPUS),
]
LONG = [
    ("driver_boot_it", "boots by the book", NPUS),
    ("driver_fault_it", "fault sweep", COLUMNS),
]


class Result:
    """Of one test in one run: what came of it, why not, and what the device saw."""

    def __init__(self):
        self.verdict, self.why, self.facts = "failed", "", []


def run(build, program, column, way):
    """Results by test name, in order; None for a program that broke off."""
    env = {**os.environ, "DRV_TEST_FACTS": "1", "CMOCKA_MESSAGE_OUTPUT": "STDOUT"}
    done = subprocess.run([build / "tests/integration" / program, *column.split(), way], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800,
                          errors="replace")
    results, now, ended = {}, Result(), False
    for line in done.stdout.splitlines():
        match = LINE.search(line)
        if match and match[1] == "RUN":
            now = results[match[2]] = Result()
        elif match and match[2] in results and not ended:
            now.verdict = {"OK": "ok", "SKIPPED": "skipped"}.get(match[1], "failed")
        elif line.startswith("facts: "):
            now.facts.append(line)
        elif line.startswith("not here: "):
            now.why = line[len("not here: "):]
        ended = ended or "test(s) run." in line
    good = done.returncode == 0 and ended and results
    bad = any(r.verdict == "failed" for r in results.values())
    return results, "" if good else done.stdout, good or bad


def judge(direct, socket):
    """The two verdicts of a cell, and what is wrong with it beside them."""
    verdicts, complaint = [r.verdict if r else "failed" for r in (direct, socket)], ""
    if not direct or not socket:
        complaint = "one of the two did not run"
    elif verdicts[0] != verdicts[1]:
        complaint = f"{verdicts[0]} in process, {verdicts[1]} over the socket"
    elif direct.facts != socket.facts:
        complaint = "the device saw something else:" + "".join(
            f"\n    {a}\n    {b}" for a, b in zip(direct.facts, socket.facts) if a != b)
        verdicts[1] = "failed"
    elif verdicts[0] == "skipped" and not direct.why:
        complaint, verdicts = "skipped without a reason", ["failed"] * 2
    return verdicts, complaint


class Table:
    def __init__(self):
        self.nr, self.whys, self.bad = collections.Counter(), {}, []

    def row(self, name, cells):
        text = f"  {name[:30]:30}"
        for column in COLUMNS:
            if column not in cells:
                text += f" {'.':>8}"
                continue
            direct, socket = cells[column]
            verdicts, complaint = judge(direct, socket)
            self.nr.update(verdicts)
            shown = [SHOWN[v] for v in verdicts]
            text += f" {'/'.join(shown):>8}"
            if complaint:
                self.bad.append(f"{name}, {column}: {complaint}")
            if verdicts[0] == "skipped":
                self.whys.setdefault((name, direct.why), []).append(column)
        print(text)


def names(runs):
    """Tests of all runs of a program, in their order."""
    return list(dict.fromkeys(name for results, _, _ in runs.values() for name in results))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    args = parser.parse_args()
    table, logs = Table(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        programs = PROGRAMS + (LONG if args.all else [])
        jobs = {(p, c, w): pool.submit(run, args.build, p, c, w)
                for p, _, columns in programs for c in columns for w in WAYS}
        print("each cell: in process/over the socket; -: not here; .: not of this generation")
        print(" " * 32 + "".join(f" {c:>8}" for c in COLUMNS))
        for program, about, columns in programs:
            runs = {(c, w): jobs[program, c, w].result() for c in columns for w in WAYS}
            print(about)
            for name in names(runs):
                table.row(name, {c: [runs[c, w][0].get(name) for w in WAYS] for c in columns})
            for (column, way), (_, log, told) in runs.items():
                table.nr["failed"] += not told  # broken off, and no test says so
                if log:
                    logs.append(f"--- {program} {column} {way}\n{log}")
    for (name, why), where in table.whys.items():
        print(f"not here: {name} ({', '.join(where)}): {why}")
    print(*logs, *table.bad, sep="\n", end="\n" if logs or table.bad else "")
    nr = table.nr
    print(f"{nr['ok']} passed, {nr['failed']} failed, {nr['skipped']} skipped")
    return 1 if nr["failed"] or not nr["ok"] else 0


sys.exit(main())
