#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the real results of a meson test run: cmocka's own lines where a program prints them, else
the program itself.

usage: count_tests.py BUILD_DIR      prints "PASSED FAILED SKIPPED", then each failure's last lines
"""
import json
import pathlib
import re
import sys

LINE = re.compile(r"^\[\s*(PASSED|FAILED|SKIPPED)\s*\] (\d+) test\(s\)", re.M)


def count(entry):
    text = entry.get("stdout", "") + entry.get("stderr", "")
    found = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for kind, nr in LINE.findall(text):
        found[kind] += int(nr)
    ok = entry["result"] in ("OK", "EXPECTEDFAIL")
    if entry["result"] == "SKIP":
        return [0, 0, 1]
    if not sum(found.values()):
        return [1, 0, 0] if ok else [0, 1, 0]
    if not ok and not found["FAILED"]:  # crashed, timed out, leaked after its tests
        found["FAILED"] = 1
    return [found["PASSED"], found["FAILED"], found["SKIPPED"]]


def main():
    # a wrapper's name becomes part of the log's
    logs = (pathlib.Path(sys.argv[1]) / "meson-logs").glob("testlog*.json")
    log = max(logs, key=lambda path: path.stat().st_mtime)
    total = [0, 0, 0]
    notes = []
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        result = count(entry)
        total = [a + b for a, b in zip(total, result)]
        if result[1]:
            tail = (entry.get("stdout", "") + entry.get("stderr", "")).splitlines()[-25:]
            notes.append(f"--- {entry['name']}: {entry['result']}\n" + "\n".join(tail))
    print(*total)
    print("\n".join(notes))


main()
