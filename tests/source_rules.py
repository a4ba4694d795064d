#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""House rules of the source that a compiler does not hold.

  include graph       the one direction of dependency of docs/architecture.md
  generations         compared and named only under a gen/ folder (and in the generation tables)
  register offsets    numbers of registers only in src/regs
  sizes               no source file over 1,000 lines (tables excepted)
  failures            docs/failures.md has every fault of the model, no other, and tests that run

usage: source_rules.py [ROOT]        exit 1 and one line per breach
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)

# folder -> folders whose headers it may include (itself always)
MAY = {
    "base": set(),
    "regs": {"base"},
    "abi": {"base"},
    "kernels": {"base", "abi"},
    "driver": {"base", "regs", "abi"},
    "vnpu": {"base", "regs", "abi", "kernels"},
    "vfu": {"base", "regs", "abi", "driver", "vnpu"},
    "os": {"base", "regs", "abi", "driver", "vnpu", "vfu"},
    "service": {"base", "regs", "abi", "driver", "os"},
    "scheme": {"base", "abi", "driver", "vfu", "os", "service"},
    "npud": {"base", "regs", "abi", "driver", "os", "service", "scheme"},
    "client": {"base", "regs", "abi", "kernels", "driver", "os", "service"},
    "graph": {"base", "abi", "kernels"},
    "cli": {"base", "abi", "kernels", "client", "graph"},
}
# public headers: "npu/npu.h" -> who may include it
PUBLIC = {
    "npu/npu.h": {"client", "cli"},
    "npu/graph.h": {"graph", "cli"},
    "vnpu/vnpu.h": {"vnpu", "vfu", "os"},
}
# what Redox gets: headers of the C language, and what os/redox/redox.h declares
REDOX = re.compile(r"(^|/)(redox/|[a-z_]*redox[a-z_]*\.[ch]$)")
C_HEADERS = {"assert.h", "errno.h", "signal.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h",
             "stdlib.h", "string.h", "time.h"}
LIMIT_LINES = 1000

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
GENERATION = re.compile(
    r'(\b(ip_gen|btrs_gen)\b\s*[=!<>]=|[=!<>]=\s*\w*(->|\.)(ip_gen|btrs_gen)\b'
    r'|\bstrn?cmp\s*\([^;]*"(npu(37|40|50|60)|ref)")')


def sources(folder):
    yield from (p for p in sorted((ROOT / "src" / folder).rglob("*")) if p.suffix in (".c", ".h"))


def check_includes(folder, path, text):
    for name in INCLUDE.findall(text):
        if name in PUBLIC:
            if folder not in PUBLIC[name]:
                yield f"{path}: {folder} may not include {name}"
            continue
        target = name.split("/")[0]
        if target in MAY and target != folder and target not in MAY[folder]:
            yield f"{path}: {folder} may not include {name} (allowed: {sorted(MAY[folder])})"
        if target not in MAY and not (path.parent / name).exists():
            yield f"{path}: include \"{name}\" is not relative to src/"


def check_redox(path, text):
    if not REDOX.search(str(path)) or path.name.endswith("_test.c"):
        return
    for name in re.findall(r"^\s*#\s*include\s+<([^>]+)>", text, re.M):
        if name not in C_HEADERS:
            yield f"{path}: <{name}> is no header of the C language; Redox may not have it"


def check_generations(path, text):
    if "gen" in path.parts or path.name.endswith("_test.c") or path.stem == "gen":
        return
    for match in GENERATION.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: a generation is compared outside gen/: {match.group(0)[:60]}"


def check_failures():
    doc = ROOT / "docs" / "failures.md"
    rows = [l.split("|") for l in doc.read_text().splitlines() if l.startswith("| ") and l.count("|") == 5]
    injected = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row[2])}
    faults = set(re.findall(r'X\([A-Z0-9_]+, "([a-z0-9-]+)"\)', (ROOT / "src/vnpu/model.h").read_text()))
    yield from (f"docs/failures.md: the model's fault {name} is missing" for name in sorted(faults - injected))
    yield from (f"docs/failures.md: the model has no fault {name}" for name in sorted(injected - faults))
    if not faults:
        yield "docs/failures.md: no faults found in src/vnpu/model.h"
    for row in rows:
        tests = re.findall(r"`(\w+\.c):(\w+)`", row[4])
        if not tests and row[4].strip() != "test":
            yield f"docs/failures.md: no test for:{row[1]}"
        for file, name in tests:
            path = ROOT / "tests" / "integration" / file
            # defined, and in the list of those that run
            if not path.exists() or len(re.findall(rf"\b{name}\b", path.read_text())) < 2:
                yield f"docs/failures.md: {file} runs no {name}"


def breaches():
    yield from check_failures()
    unknown = {p.name for p in (ROOT / "src").iterdir() if p.is_dir()} - set(MAY)
    yield from (f"src/{name}: no rule for this folder in {__file__}" for name in sorted(unknown))
    for folder in MAY:
        for path in sources(folder):
            text = path.read_text()
            yield from check_includes(folder, path, text)
            yield from check_redox(path, text)
            yield from check_generations(path, text)
            lines = text.count("\n")
            if lines > LIMIT_LINES:
                yield f"{path}: {lines} lines; which two concerns are in it?"


def main():
    found = list(breaches())
    nr = sum(1 for folder in MAY for _ in sources(folder))
    for line in found:
        print(line)
    print(f"{nr} files, {len(found)} breaches")
    if not nr:
        sys.exit("no sources found: wrong ROOT?")
    sys.exit(1 if found else 0)


main()
