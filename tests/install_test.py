#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an installation has, where, and that it runs from there.

usage: install_test.py linux BUILD      what docs/linux.md says
       install_test.py redox BUILD      a build for Redox (tests/redox/cross.ini): what docs/redox.md says

Exit 1 and one line per difference.
"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
DIGIT = [str(ROOT / "data/digits.onnx"), "--input", str(ROOT / "data/digits/7.png")]


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **kwargs)


def option(build, name):
    """Of a configured build folder."""
    text = run("meson", "introspect", "--buildoptions", build).stdout
    return next(o["value"] for o in json.loads(text) if o["name"] == name)


def install(build, dest):
    done = run("meson", "install", "-C", build, "--no-rebuild", "--destdir", dest)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return {str(p.relative_to(dest)) for p in pathlib.Path(dest).rglob("*") if not p.is_dir()}


def differ(found, want):
    yield from (f"{name} is not installed" for name in sorted(want - found))
    yield from (f"{name} is installed; which page says so?" for name in sorted(found - want))


#
# Linux
#


def check_unit(unit, bindir):
    text = unit.read_text()
    command = re.search(r"^ExecStart=(\S+)", text, re.M).group(1)
    if command != bindir + "/npud":
        yield f"npud.service: starts {command}, installed is {bindir}/npud"
    if not shutil.which("systemd-analyze"):
        return
    with tempfile.TemporaryDirectory() as tmp: # its program is not where it will be, and neither is its page
        copy = pathlib.Path(tmp) / "npud.service"
        copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M).replace(command, "/bin/true"))
        done = run("systemd-analyze", "verify", copy)
        if done.returncode or "npud.service" in done.stderr:
            yield f"npud.service: {done.stderr.strip()}"


def check_manual(program, page):
    options = {name: set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text.replace("\\-", "-"))) for name, text in
               (("help", run(program, "--help").stdout), ("page", page.read_text()))}
    # what is shown of another program is none of its options
    known = {o for o in options["help"] if f"  {o}" in run(program, "--help").stdout or o in options["page"]}
    yield from (f"{page.name}: no {o}, which --help has" for o in sorted(known - options["page"]))
    yield from (f"{page.name}: {o}, which --help has not" for o in sorted(options["page"] - options["help"]))
    if shutil.which("groff"):
        said = run("groff", "-man", "-Tutf8", "-ww", "-z", page).stderr.strip()
        if said:
            yield f"{page.name}: {said}"


def check_programs(dest, bindir):
    """From where they are: libraries are found beside them."""
    env = {k: v for k, v in os.environ.items() if k not in ("NPU_DEVICE", "VNPU_ENGINE_PATH", "LD_LIBRARY_PATH")}
    done = run(dest + bindir + "/npu", "run", *DIGIT, "--device", "sim:npu40", env=env)
    if done.returncode:
        yield f"npu run: {done.stderr.strip()}"


def linux(build):
    prefix, libdir, mandir, datadir = (option(build, o) for o in ("prefix", "libdir", "mandir", "datadir"))
    at = prefix.lstrip("/") + "/"
    want = {at + "bin/" + name for name in ("npu", "npud", "vnpu")}
    want |= {f"{at}{libdir}/{name}" for name in ("libnpu.so", "libnpu.so.0", "libnpu.so.0.1.0", "pkgconfig/npu.pc")}
    want |= {f"{at}{mandir}/man1/{name}.1" for name in ("npud", "vnpu")}
    want |= {at + "include/npu/npu.h", at + "lib/systemd/system/npud.service",
             f"{at}{datadir}/bash-completion/completions/npu"}
    with tempfile.TemporaryDirectory() as dest:
        found = install(build, dest)
        engine = f"{at}{libdir}/libvnpu_engine.so" # where oneDNN is
        yield from differ(found - {engine}, want)
        yield from check_unit(pathlib.Path(dest) / f"{at}lib/systemd/system/npud.service", prefix + "/bin")
        for name in ("npud", "vnpu"):
            yield from check_manual(f"{dest}{prefix}/bin/{name}", pathlib.Path(dest) / f"{at}{mandir}/man1/{name}.1")
        yield from check_programs(dest, prefix + "/bin")


#
# Redox
#


def is_stripped(path):
    """An ELF file for 64 bits without a table of symbols."""
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return False
    table, size, number = (struct.unpack_from(fmt, data, at)[0] for fmt, at in (("<Q", 0x28), ("<H", 0x3a), ("<H", 0x3c)))
    return 2 not in (struct.unpack_from("<I", data, table + i * size + 4)[0] for i in range(number))


def check_match(path):
    drivers = tomllib.loads(path.read_text())["drivers"]
    if len(drivers) != 1 or drivers[0]["command"] != ["npud"]:
        yield f"npud.toml: starts {[d['command'] for d in drivers]}"
    text = (ROOT / "src/regs/gen.c").read_text()
    known = {int(i, 16) for i in re.findall(r'\{ (0x[0-9a-f]{4}), "[^"]+", "\w+" \}', text)}
    ids = {int(v, 16): set(l) for v, l in drivers[0]["ids"].items()}
    if ids != {0x8086: known} or len(known) < 6:
        yield f"npud.toml: {ids}, src/regs/gen.c has {known}"
    kind = re.search(r"define REG_PCI_CLASS_NPU (0x[0-9a-f]+)", (ROOT / "src/regs/gen.h").read_text())
    here = drivers[0]["class"] << 16 | drivers[0]["subclass"] << 8
    if not kind or int(kind.group(1), 16) != here:
        yield f"npud.toml: class 0x{here:x}, src/regs/gen.h has {kind and kind.group(1)}"


def redox(build):
    recipe = tomllib.loads((ROOT / "redox/recipe.toml").read_text())["build"]
    if recipe["template"] != "meson":
        yield f"recipe.toml: {recipe}"
    done = run("meson", "setup", "--reconfigure", build, *recipe["mesonflags"], cwd=ROOT)
    if done.returncode:
        yield f"recipe.toml: {done.stderr.strip() or done.stdout.strip()}"
        return
    with tempfile.TemporaryDirectory() as dest:
        found = install(build, dest)
        yield from differ(found, {"usr/lib/drivers/npud", "usr/lib/pcid.d/npud.toml"})
        if not is_stripped(pathlib.Path(dest) / "usr/lib/drivers/npud"):
            yield "usr/lib/drivers/npud is not stripped"
        yield from check_match(pathlib.Path(dest) / "usr/lib/pcid.d/npud.toml")
    tomllib.loads((ROOT / "redox/login_schemes.toml").read_text())["user_schemes"]["user"]["schemes"].index("npu")


def main():
    kinds = {"linux": linux, "redox": redox}
    if len(sys.argv) != 3 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    found = list(kinds[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve()))
    for line in found:
        print(line)
    sys.exit(bool(found))


main()
