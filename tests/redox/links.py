#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What npud on Redox calls is what docs/redox.md says it calls: no more, no less.

Of a build for Redox (tests/redox/cross.ini) the program is linked once more, without the C library, and
what it then lacks is compared with the paragraph of docs/redox.md that begins "From relibc" and, for
redox_*, with what src/os/redox/redox.h declares.

usage: links.py BUILD      exit 1 and one line per difference
"""
import fnmatch
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# what the compiler puts there by itself, on any system
COMPILER = {"_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "__tls_get_addr"}
# what a header of the host's C library turns a name into
HOST = {"__errno_location": "errno", "__assert_fail": "assert", "fopen64": "fopen", "open64": "open", "stat64": "stat",
        "fstat64": "fstat"}


def name_of(symbol):
    """The documented name of a symbol of the host's C library."""
    checked = re.fullmatch(r"__(\w+)_chk", symbol)
    return checked.group(1) if checked else HOST.get(symbol, symbol)


def lacking(build):
    """Symbols that the program's own objects do not define."""
    libs = [build / "src" / d / f"lib{n}.a" for d, n in (("npud", "npud_redox"), ("driver", "driver"), ("abi", "abi"),
                                                         ("regs", "regs"), ("base", "base"))]
    entry = sorted((build / "src/npud/npud.p").glob("*.o"))
    with tempfile.TemporaryDirectory() as tmp:
        out = f"{tmp}/npud.o"
        subprocess.run(["gcc", "-r", "-nostdlib", "-flto=auto", "-flinker-output=nolto-rel", "-o", out, *entry,
                        "-Wl,--start-group", *libs, "-Wl,--end-group"], check=True)
        table = subprocess.run(["nm", "-u", out], check=True, capture_output=True, text=True).stdout
    return {name_of(line.split()[1]) for line in table.splitlines()} - COMPILER


def documented():
    """Names and patterns of the C library."""
    text = (ROOT / "docs/redox.md").read_text()
    part = re.search(r"^From relibc .*?\n\n", text, re.S | re.M).group(0)
    words = {w for quoted in re.findall(r"`([^`]+)`", part) for w in quoted.split()}
    return {w for w in words if re.fullmatch(r"[a-z_*]+", w) and w != "redox_*"}


def declared():
    return set(re.findall(r"\b(redox_\w+_v\d)\(", (ROOT / "src/os/redox/redox.h").read_text()))


def differences(build):
    lack, doc, decl = lacking(build), documented(), declared()
    if "malloc" not in doc or not decl or "redox_open_v1" not in lack:
        yield "links.py: docs/redox.md, redox.h or the build is not what this script knows"
        return
    redox = {s for s in lack if s.startswith("redox_")}
    for name in sorted(redox - decl):
        yield f"src/os/redox/redox.h: {name} is called and not declared"
    for name in sorted(decl - redox):
        yield f"src/os/redox/redox.h: {name} is declared and npud does not call it"
    for name in sorted(lack - redox):
        if not any(fnmatch.fnmatchcase(name, p) for p in doc):
            yield f"docs/redox.md: npud calls {name}, which is not on the list"
    for pattern in sorted(doc):
        if not fnmatch.filter(lack, pattern):
            yield f"docs/redox.md: {pattern} is on the list and npud does not call it"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(differences(pathlib.Path(sys.argv[1])))
    for line in found:
        print(line)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
