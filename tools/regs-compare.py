#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare the register tables src/regs/*.def with the headers of Linux's ivpu driver.

usage: regs-compare.py [-v] [LINUX]

LINUX is a kernel source tarball (.tar, .tar.xz, .tar.gz), a source tree, or a drivers/accel/ivpu
directory; default: the newest /usr/src/linux-source-*.tar.* that exists.  A tarball is read in
place.  Only numbers and names are taken from it.

Every register, field and MMU identification value that Linux names must have a row that agrees in
offset, bits and value; else exit status 1.  Rows that Linux does not name are listed.  2: usage or
unreadable input.
"""
import glob
import os
import re
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEFS = os.path.join(HERE, "..", "src", "regs")

# (.def file, Linux file, prefix of register names, prefixes of field names)
BLOCKS = [
    ("btrs_mtl.def", "ivpu_hw_btrs_mtl_reg.h", "VPU_HW_BTRS_MTL_", ["VPU_HW_BTRS_MTL_"]),
    ("ip_37xx.def", "ivpu_hw_37xx_reg.h", "VPU_37XX_", ["VPU_37XX_"]),
    ("btrs_lnl.def", "ivpu_hw_btrs_lnl_reg.h", "VPU_HW_BTRS_LNL_", ["VPU_HW_BTRS_LNL_"]),
    ("ip_40xx.def", "ivpu_hw_40xx_reg.h", "VPU_40XX_", ["VPU_40XX_"]),
    ("ip_50xx.def", "ivpu_hw_40xx_reg.h", "VPU_50XX_", ["VPU_50XX_"]),
    ("mmu.def", "ivpu_mmu.c", "IVPU_MMU_REG_", ["IVPU_MMU_REG_", "IVPU_MMU_"]),
]

ROW = re.compile(r"^(REG|REG64|REGA|HALF|FLD)\(([^()]*)\)", re.M)
DEFINE = re.compile(r"^#define[ \t]+(\w+)[ \t]+(\S[^\n]*)$", re.M)
FIELD = re.compile(r"^(?:BIT|BIT_MASK|BIT_ULL)\((\d+)\)$|^(?:GENMASK|GENMASK_ULL)\((\d+),\s*(\d+)\)$")
NUMBER = re.compile(r"^\(?\s*(0x[0-9a-fA-F]+)[uUlL]*(?:\s*\+\s*(SZ_64K))?\s*\)?$")


def die(text):
    print("regs-compare: " + text, file=sys.stderr)
    sys.exit(2)


def version_key(path):
    return [int(n) for n in re.findall(r"\d+", os.path.basename(path))]


def read_linux(path):
    """-> {file name: text} of the files in BLOCKS, and the kernel's version or None"""
    wanted = {b[1] for b in BLOCKS}
    got, version = {}, None
    if os.path.isdir(path):
        for base in (path, os.path.join(path, "drivers", "accel", "ivpu")):
            for name in wanted:
                full = os.path.join(base, name)
                if os.path.exists(full):
                    with open(full, encoding="utf-8") as f:
                        got[name] = f.read()
        return got, version
    with tarfile.open(path, "r|*") as tar:
        for member in tar:
            parts = member.name.split("/")
            if parts[-1] == "Makefile" and len(parts) == 2 + (parts[0] == "."):
                text = tar.extractfile(member).read().decode()
                version = ".".join(re.findall(r"^(?:VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)", text, re.M))
            if parts[-4:-1] == ["drivers", "accel", "ivpu"] and parts[-1] in wanted:
                got[parts[-1]] = tar.extractfile(member).read().decode()
                if len(got) == len(wanted):
                    break
    return got, version


def parse_linux(text, reg_prefix, fld_prefixes):
    """-> registers {name: offset}, fields {(reg, field): (hi, lo)}, references {name: value}"""
    regs, flds, refs = {}, {}, {}
    defines = [(m.group(1), re.sub(r"/\*.*?\*/", "", m.group(2)).strip()) for m in DEFINE.finditer(text)]
    for name, val in defines:
        m = NUMBER.match(val)
        if not m:
            continue
        num = int(m.group(1), 16) + (0x10000 if m.group(2) else 0)
        ref = re.match(r"^IVPU_MMU_(IDR\d)_REF$", name)
        if name.startswith(reg_prefix):
            regs[name[len(reg_prefix):]] = num
        elif ref:
            refs[ref.group(1)] = num
    for name, val in defines:
        m = FIELD.match(val)
        if not m:
            continue
        bits = (int(m.group(1)),) * 2 if m.group(1) else (int(m.group(2)), int(m.group(3)))
        for prefix in fld_prefixes:
            if not name.startswith(prefix):
                continue
            rest = re.sub(r"_MASK$", "", name[len(prefix):])
            owner = max((r for r in regs if rest.startswith(r + "_")), key=len, default=None)
            if owner:
                flds[owner, rest[len(owner) + 1:]] = bits
                break
    return regs, flds, refs


def parse_def(path):
    """-> rows {name: {off, reset, stride, count, fields: {name: (hi, lo)}}}"""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    rows = {}
    for m in ROW.finditer(text):
        kind, a = m.group(1), [x.strip() for x in m.group(2).split(",")]
        if kind == "FLD":
            if a[1] in rows[a[0]]["fields"]:
                die(f"{path}: {a[0]}.{a[1]} twice")
            rows[a[0]]["fields"][a[1]] = (int(a[2]), int(a[3]))
            continue
        if a[0] in rows:
            die(f"{path}: {a[0]} twice")
        row = {"kind": kind, "fields": {}, "stride": 0, "count": 1, "reset": None}
        if kind == "HALF":
            row["off"] = rows[a[1]]["off"] + 4 * int(a[2])
            row["of"] = (a[1], int(a[2]))
        else:
            row["off"], row["reset"] = int(a[1], 16), int(a[3], 16)
            if kind == "REGA":
                row["stride"], row["count"] = int(a[5], 16), int(a[6])
        rows[a[0]] = row
    for row in rows.values():
        if "of" in row:
            row["fields"] = half_fields(rows[row["of"][0]]["fields"], 32 * row["of"][1])
    return rows


def half_fields(fields, low):
    """fields of a 64-bit register that begin in the half from bit @low on, cut at its end"""
    return {n: (min(hi, low + 31) - low, lo - low) for n, (hi, lo) in fields.items()
            if low <= lo < low + 32}


def find_row(rows, name):
    """row of a Linux register name and its offset; NAME_3 is element 3 of the array row NAME"""
    if name in rows:
        return name, rows[name]["off"]
    m = re.match(r"^(.*)_(\d+)$", name)
    if m and m.group(1) in rows and int(m.group(2)) < rows[m.group(1)]["count"]:
        row = rows[m.group(1)]
        if row["stride"]:
            return m.group(1), row["off"] + int(m.group(2)) * row["stride"]
    return None, None


def compare(rows, regs, flds, refs, say):
    """-> (registers agreeing, fields agreeing, references agreeing, mismatches), set of used rows"""
    ok = [0, 0, 0, 0]
    used = set()

    def bad(text):
        ok[3] += 1
        say("MISMATCH " + text)

    for name, off in sorted(regs.items(), key=lambda r: r[1]):
        row, have = find_row(rows, name)
        if row is None:
            alias = [n for n, r in rows.items() if r["off"] == off]
            if alias:
                say(f"alias    {name} 0x{off:x} is row {alias[0]}")
            else:
                bad(f"{name} 0x{off:x}: no row")
            continue
        used.add(row)
        if have == off:
            ok[0] += 1
        else:
            bad(f"{name}: row says 0x{have:x}, Linux 0x{off:x}")
    for (reg, fld), bits in sorted(flds.items()):
        row, _ = find_row(rows, reg)
        if row is None:
            continue
        have = rows[row]["fields"].get(fld)
        used.add((row, fld))
        if "of" in rows[row]:
            used.add((rows[row]["of"][0], fld))
            used.add(rows[row]["of"][0])
        if have == bits:
            ok[1] += 1
        elif have is None:
            bad(f"{reg}.{fld} [{bits[0]}:{bits[1]}]: no field")
        else:
            bad(f"{reg}.{fld}: row says [{have[0]}:{have[1]}], Linux [{bits[0]}:{bits[1]}]")
    for name, val in sorted(refs.items()):
        if name not in rows:
            continue
        if rows[name]["reset"] == val:
            ok[2] += 1
        else:
            bad(f"{name}: row resets to 0x{rows[name]['reset']:x}, Linux expects 0x{val:x}")
    return ok, used


def main(argv):
    verbose = "-v" in argv
    args = [a for a in argv if a != "-v"]
    if len(args) > 1 or any(a.startswith("-") for a in args):
        die(__doc__.strip())
    if args:
        path = args[0]
    else:
        found = sorted(glob.glob("/usr/src/linux-source-*.tar.*"), key=version_key)
        if not found:
            die("no /usr/src/linux-source-*.tar.*: name a tarball or run tools/regs-compare")
        path = found[-1]
    try:
        files, version = read_linux(path)
    except (OSError, tarfile.TarError) as e:
        die(f"{path}: {e}")
    print(f"Linux: {os.path.basename(os.path.normpath(path))}" + (f" ({version})" if version else ""))
    total = [0, 0, 0, 0]
    for def_name, linux_name, reg_prefix, fld_prefixes in BLOCKS:
        if linux_name not in files:
            die(f"{path} has no drivers/accel/ivpu/{linux_name}; Linux 6.12 or later is needed")
        rows = parse_def(os.path.join(DEFS, def_name))
        regs, flds, refs = parse_linux(files[linux_name], reg_prefix, fld_prefixes)
        if not regs:
            die(f"{linux_name}: no register found, the header's form has changed")
        notes = []
        ok, used = compare(rows, regs, flds, refs, notes.append)
        for n in notes:
            if verbose or n.startswith("MISMATCH"):
                print(f"{def_name}: {n}")
        extra = [n for n in rows if n not in used]
        extra += [f"{n}.{f}" for n, r in rows.items() for f in r["fields"] if (n, f) not in used]
        if extra:
            print(f"{def_name}: not in Linux: " + " ".join(extra))
        extra = [n for n in extra if "of" not in rows[n.split(".")[0]] or "." not in n]
        nr_flds = sum(len(r["fields"]) for r in rows.values() if "of" not in r)
        print(f"{def_name}: {len(rows)} rows, {nr_flds} fields; Linux names {len(regs)} registers, "
              f"{len(flds)} fields, {len(refs)} values; agree: {ok[0]} + {ok[1]} + {ok[2]}; "
              f"mismatches: {ok[3]}")
        total = [a + b for a, b in zip(total, ok)]
    print(f"total: {total[0]} registers, {total[1]} fields and {total[2]} values agree, "
          f"{total[3]} mismatches")
    return 1 if total[3] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
