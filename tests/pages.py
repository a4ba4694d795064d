#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pages of docs/ that list what the sources say: both must say the same.

  npu-scheme.md       nodes, parameters, commands, fields of each struct, errors
  original-design.md  every item has its row; files, functions and tests that are named exist

usage: pages.py                 exit 1 and one line per difference
       pages.py --errors        rows for npu-scheme.md
       pages.py --tests BUILD   tests that any page tells to run: there are such
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
SERVICE = "check control ctx dma handle mmio node page path pump queue stream".split()


def source(name):
    return (ROOT / name).read_text()


def differ(what, page, code):
    """Each of two sets has what the other has."""
    if not code:
        yield f"{what}: nothing found in the sources; does this script still read them?"
    yield from (f"{what}: the page has no {x!r}" for x in sorted(code - page))
    yield from (f"{what}: the sources have no {x!r}" for x in sorted(page - code))


def table(text, heading, level="###"):
    """Rows of the first table under a heading: lists of cells, without `."""
    part = re.split(rf"^#{{1,{len(level)}}} ", text.split(f"\n{level} {heading}", 1)[1], maxsplit=1, flags=re.M)[0]
    rows = []
    for line in part.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            break
    return rows[2:]


#
# npu-scheme.md
#


def node_names():
    text = source("src/service/node.c")
    names = set(re.findall(r"STRUCT_NODE\((\w+), [A-Z]", text)) | set(re.findall(r'\.name = "(\w+)", \.print', text))
    special = text.split("static int open_special", 1)[1].split("\n}\n")[0]
    names |= {n.rstrip("?") for n in re.findall(r'"([\w?]+)"', special)}
    return {"", *("N/" + n for n in names), "N/ctx"}


def public_names():
    text = source("src/service/node.c").split("static bool is_public", 1)[1].split("\n}\n")[0]
    return {"", "N/ctx", *("N/" + n for n in re.findall(r'"(\w+)"', text))}


def struct_fields(file, name):
    body = source(file).split(f"struct {name} {{", 1)[1].split("\n};")[0]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    fields = []
    for line in body.split(";"):
        m = re.match(r"\s*\w+ (.+)", line.strip(), re.S)
        if m:
            fields += [re.sub(r"\[.*", "", f).strip() for f in m.group(1).split(",")]
    return [f for f in fields if f != "svc_call head" and f != "head"]


def printed_fields(name):
    return re.findall(rf"F\(svc_call_{name}, (\w+), ", source("src/service/node.c"))


def check_structs(page):
    for name in ("info", "status", "metrics"):
        rows = [row[0] for row in table(page, f"N/{name}, kind")]
        if rows != printed_fields(name) or not rows:
            yield f"N/{name}: fields are {printed_fields(name)}, the page has {rows}"
        yield from differ(f"struct svc_call_{name}", set(rows),
                          set(struct_fields("src/service/calls.h", f"svc_call_{name}")) - {"reserved"})
    for heading, name in (("Context", "ctx"), ("Buffer", "bo"), ("Queue", "queue")):
        rows = [row[0] for row in table(page, f"{heading}, kind")]
        if rows != struct_fields("src/service/calls.h", f"svc_call_{name}"):
            yield f"struct svc_call_{name}: not the fields of the page: {rows}"
    kinds = dict(re.findall(r"SVC_CALL_([A-Z]+) = (\d+)", source("src/service/calls.h")))
    shown = dict(re.findall(r"^### (?:N/)?(\w+), kind (\d+)", page, re.M))
    names = {"Context": "CTX", "Buffer": "BO"}
    yield from differ("kinds of call", {(names.get(k, k.upper()), v) for k, v in shown.items()}, set(kinds.items()))
    jobs = page.split("\n## Jobs", 1)[1].split("\n## ")[0]
    for name in ("job", "completion"):
        rows = [m for m in re.findall(r"^\| `(\w+)` \| \d+ \|", jobs.split(f"`struct abi_{name}`", 1)[1].split("\n\n`")[0],
                                      re.M)]
        if rows != struct_fields("src/abi/job.h", f"abi_{name}"):
            yield f"struct abi_{name}: not the fields of the page: {rows}"


def check_names(page):
    paths = table(page, "Paths", "##")
    yield from differ("paths", {row[0] for row in paths}, node_names())
    yield from differ("paths for all", {row[0] for row in paths if row[2] == "all"}, public_names())
    path = source("src/service/path.c")
    keys = {(kind, key) for kind in ("bo", "queue")
            for key in re.findall(r'\{ "(\w+)", set_', path.split(f"{kind}_params[] = ", 1)[1].split(";")[0])}
    stream = source("src/service/stream.c").split("keys[] = {", 1)[1].split("}")[0]
    keys |= {("stream", key) for key in re.findall(r'"(\w+)"', stream)}
    params = {(m[0], m[1]): m[2] for m in re.findall(r"^\| `(bo|queue|stream)` \| `(\w+)` \| (.*) \|$", page, re.M)}
    yield from differ("parameters", set(params), keys)
    flags = re.findall(r'\{ "(\w+)", DRV_BO_', path)
    prios = re.findall(r'"(\w+)"', path.split("prio_names[] = {", 1)[1].split("}")[0])
    yield from differ("flags", set(re.findall(r"`(\w+)`", params.get(("bo", "flags"), ""))), set(flags))
    yield from differ("priorities", set(re.findall(r"`(\w+)`", params.get(("queue", "prio"), ""))), set(prios))
    control = source("src/service/control.c").split("commands[] = {", 1)[1].split("};")[0]
    shown = page.split("**control** takes", 1)[1].split("\n*")[0]
    yield from differ("commands", {c.split()[0] for c in re.findall(r"`([a-z]+(?: N)?)`", shown)},
                      set(re.findall(r'\{ "(\w+)", (?:true|false)', control)))
    ops = source("src/abi/npud.h").split("enum abi_npud_op", 1)[1].split("}")[0]
    shown = {m for row in table(page, "Operations", "##") for m in re.findall(r"\b[A-Z]{3,}\b", row[1])} | {"HELLO"}
    yield from differ("requests of the socket", shown, set(re.findall(r"ABI_NPUD_([A-Z]+)\b", ops)))


def sentences(file):
    """(errno or what the code calls it, sentence with … for what differs)"""
    call = re.compile(r'(?:base_err_set\(\s*&?err,\s*([^,]+?),|BAD\()\s*((?:"(?:[^"\\]|\\.)*"\s*(?:[A-Z]+\b\s*)?)+)')
    for code, text in call.findall(re.sub(r'#define BAD\(.*', "", source(file))):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace('\\"', '"')
        text = re.sub(r"%[-#.0-9*]*(?:ll|l|z)?[a-zA-Z]", "…", text)
        yield code or "-EINVAL", text.strip() if code else "job …: " + text


def errors(files):
    """sentence -> set of errnos; empty: several, or not told by the text"""
    found = {}
    for file in files:
        for code, text in sentences(file):
            found.setdefault(text, set()).update(re.findall(r"^-(E[A-Z]+)$", code))
    return found


def check_errors(what, rows, found):
    shown = {row[1]: set(row[0].split(", ")) for row in rows}
    yield from differ(what, set(shown), set(found))
    for text, codes in found.items():
        if text in shown and codes and codes != shown[text]:
            yield f"{what}: {text!r}: {sorted(codes)} in the sources, {sorted(shown[text])} in the page"
        if text in shown and not all(re.match(r"E[A-Z]+$", e) for e in shown[text]):
            yield f"{what}: {text!r}: which errno?"


SERVICE_FILES = [f"src/service/{name}.c" for name in SERVICE]
SOCKET_FILES = ["src/scheme/socket.c"]
# of the daemon's start, not of a request
NOT_A_REQUEST = re.compile(r"socket …: ")


def socket_errors():
    return {k: v for k, v in errors(SOCKET_FILES).items() if not NOT_A_REQUEST.match(k)}


def check_npu_scheme():
    page = source("docs/npu-scheme.md")
    yield from check_names(page)
    yield from check_structs(page)
    yield from check_errors("errors", table(page, "Errors", "##"), errors(SERVICE_FILES))
    yield from check_errors("errors of the socket", table(page, "Over the socket", "###"), socket_errors())


#
# original-design.md
#

ITEMS = {
    "Kernel": [f"K{i}" for i in range(1, 7)],
    "Driver": [f"D{i}" for i in range(1, 10)],
    "Jobs": [f"J{i}" for i in range(1, 7)],
    "Integration": [f"I{i}" for i in range(1, 6)],
    "Files": [f + ".rs" for f in "main pci mmio hw_mtl firmware boot status ringbuffer job scheme pci_test boot_test "
                                 "job_test".split()],
    "Test phases": ["1: status codes", "1: ring buffer", "1: job descriptor", "1: firmware header", "2: registers",
                    "2: boot", "2: DMA buffers", "2: scheme", "3: PCI detection", "3: BAR mapping",
                    "3: register access", "3: basic boot", "4: full boot", "4: firmware", "4: job", "4: inference"],
    "Test cases": ["test_status_parsing", "test_ring_buffer_wrap", "test_firmware_header",
                   "test_job_descriptor_alignment"],
    "Hardware script": ["[1] PCI device", "[2] kernel module", "[3] device node", "[4] firmware", "[5] driver test"],
    "Mitigations": ["DMA allocation fails", "Firmware incompatible", "Boot sequence hangs", "Register offsets wrong",
                    "IOMMU issues", "Redox kernel changes", "Hardware unavailable", "Firmware license issues",
                    "Community pushback", "Scope creep", "1. Test on Linux first", "2. Incremental development",
                    "3. Extensive logging", "4. Community engagement", "5. Documentation"],
}


def missing(name):
    """Why a file, or file:function, is not there."""
    file, _, function = name.partition(":")
    path = ROOT / file
    if not path.exists():
        return f"there is no {file}"
    # defined, and in the list of those that run or called
    if function and len(re.findall(rf"\b{function}\b", path.read_text())) < 2:
        return f"{file} has no {function}"
    return None


def check_original_design():
    page = source("docs/original-design.md")
    for heading, items in ITEMS.items():
        rows = table(page, heading, "##")
        if [row[0] for row in rows] != items:
            yield f"{heading}: expected the rows {items}"
        for item, _, code, test, status in rows:
            for name in re.split(r"[` ]+", f"{code} {test}"):
                why = missing(name) if name not in ("", "–") else None
                if why:
                    yield f"{item}: {why}"
            if not status or ("not done" not in status and "as said" not in status and test in ("", "–")):
                yield f"{item}: no status, or nothing that shows it"


#
# Tests that pages name
#


def check_tests(build):
    text = subprocess.run(["meson", "test", "-C", build, "--list"], capture_output=True, text=True).stdout
    known = [line.split(" / ")[-1] for line in text.splitlines() if " / " in line]
    if len(known) < 100:
        yield f"{build}: {len(known)} tests"
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    run = re.compile(r"(?:tests/named|meson test -C build)((?: +(?:--[\w-]+|'[\w*-]+'|[\w-]+))+)")
    for page in pages:
        for words in run.findall(page.read_text()):
            for name in words.split():
                if not name.startswith("--") and not fnmatch.filter(known, name.strip("'")):
                    yield f"{page.name}: there is no test {name}"


def main():
    if sys.argv[1:2] == ["--tests"]:
        found = list(check_tests(sys.argv[2]))
        for line in found:
            print(line)
        return 1 if found else 0
    if "--errors" in sys.argv:
        for found in (errors(SERVICE_FILES), socket_errors()):
            for text, codes in sorted(found.items(), key=lambda kv: (sorted(kv[1]), kv[0])):
                print(f"| {', '.join(sorted(codes)) or '?'} | `{text}` |")
            print()
        return 0
    found = [f"docs/npu-scheme.md: {line}" for line in check_npu_scheme()]
    found += [f"docs/original-design.md: {line}" for line in check_original_design()]
    for line in found:
        print(line)
    print(f"{len(found)} differences")
    return 1 if found else 0


sys.exit(main())
