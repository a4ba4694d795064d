#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the commands of README.md's table "What works today": each must exit 0.

Rows whose command fetches packages or measures speed are only checked to exist, unless --all.
usage: readme_test.py [--all]      last line "N passed, N failed, N skipped"
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
SLOW = ("tools/regs-compare", "tests/firmware/run", "tests/models/run", "tests/guest/run", "bench/", "./check")


def rows():
    text = (ROOT / "README.md").read_text()
    table = text.split("## What works today")[1].split("\n## ")[0]
    return re.findall(r"^\| (.+?) \| `(.+?)` \|$", table, re.M)


def main():
    env = {**os.environ, "PATH": f"{ROOT}/build/bin:{os.environ['PATH']}"}
    passed = failed = skipped = 0
    for what, command in rows():
        program = command.split()[0]
        if "/" in program and not os.access(ROOT / program, os.X_OK):
            failed += 1
            print(f"FAILED {what}: {program} does not exist")
        elif command.startswith(SLOW) and "--all" not in sys.argv:
            skipped += 1
        else:
            done = subprocess.run(command, shell=True, cwd=ROOT, env=env, capture_output=True, text=True)
            passed += done.returncode == 0
            failed += done.returncode != 0
            if done.returncode:
                print(f"FAILED {what}: `{command}` exits {done.returncode}\n{done.stdout}{done.stderr}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
