#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The npu command as its users meet it: what it prints, what it refuses and how, exit codes.

usage: cli_test.py [NAME...]       last line "N passed, N failed"
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zlib

ROOT = pathlib.Path(__file__).parent.parent
NPU = str(ROOT / "build/bin/npu")
DIGITS = str(ROOT / "data/digits.onnx")
PICTURE = str(ROOT / "data/digits/7.png")
DATASET = str(ROOT / "data/digits/test_data_set_0")
NODE = pathlib.Path("/usr/share/libonnx-testdata/data/node")

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def npu(*args, env=None, timeout=120):
    return subprocess.run([NPU, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL)


def refused(code, *args, says=(), **kw):
    """Exit @code, nothing but one line (two for usage) on stderr, which contains each of @says."""
    done = npu(*args, **kw)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert 1 <= len(lines) <= (2 if code == 2 else 1), done.stderr
    assert lines[0].startswith("npu: "), lines
    for text in says:
        assert text in lines[0], (text, lines[0])
    return done


def png(path, width, height, rows):
    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
    raw = b"".join(b"\0" + bytes(r) for r in rows)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0,
                     0, 0, 0)) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def npy(path, descr, shape, data, order="False", version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    header = header.encode() + b" " * (63 - (10 + len(header)) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header + data)


@test
def help_teaches_and_exits_zero(tmp):
    for args in (["--help"], ["run", "--help"], ["compile", "--help"], ["model", "--help"],
                 ["boot", "--help"], ["info", "--help"], ["list", "--help"]):
        done = npu(*args)
        assert done.returncode == 0 and "usage: npu" in done.stdout and not done.stderr, args
    assert "exit codes" in npu("--help").stdout
    assert npu().returncode == 2


@test
def usage_errors_exit_two(tmp):
    refused(2, "frobnicate", says=["frobnicate"])
    refused(2, "run", says=["which model"])
    refused(2, "run", DIGITS, "--no-such", says=["--no-such"])
    refused(2, "run", DIGITS, "--threads", "0", says=["--threads 0"])
    refused(2, "run", DIGITS, "--engine", "magic", says=["magic"])
    refused(2, "run", DIGITS, "--random=x", says=["x"])
    refused(2, "compile", DIGITS, says=["-o"])


@test
def missing_and_odd_files_are_named(tmp):
    refused(3, "run", "/nowhere/x.onnx", says=["/nowhere/x.onnx", "No such file"])
    refused(3, "run", str(tmp), says=["not a regular file"])
    os.mkfifo(tmp / "fifo.onnx")
    refused(3, "run", tmp / "fifo.onnx", says=["not a regular file"], timeout=10)
    (tmp / "empty.onnx").touch()
    refused(3, "run", tmp / "empty.onnx", says=["empty"])
    (tmp / "text.onnx").write_text("hello, I am no model\n")
    refused(3, "run", tmp / "text.onnx", says=["text.onnx"])


@test
def wrong_inputs_say_what_to_do(tmp):
    refused(3, "run", DIGITS, says=["image", "--input image=FILE"])
    refused(3, "run", DIGITS, "--input", "picture=" + PICTURE, says=["picture", "'image'"])
    refused(3, "run", DIGITS, "--input", "/nowhere.png", says=["/nowhere.png"])
    npy(tmp / "shape.npy", "<f4", "(1, 1, 27, 28)", bytes(4 * 27 * 28))
    refused(3, "run", DIGITS, "--input", tmp / "shape.npy", says=["wrong shape", "[1,1,28,28]", "27"])
    npy(tmp / "type.npy", "<i4", "(1, 1, 28, 28)", bytes(4 * 28 * 28))
    refused(3, "run", DIGITS, "--input", tmp / "type.npy", says=["wrong type", "int32", "float32"])
    npy(tmp / "short.npy", "<f4", "(1, 1, 28, 28)", bytes(100))
    refused(3, "run", DIGITS, "--input", tmp / "short.npy", says=["cut short"])
    npy(tmp / "fortran.npy", "<f4", "(1, 1, 28, 28)", bytes(4 * 28 * 28), order="True")
    refused(3, "run", DIGITS, "--input", tmp / "fortran.npy", says=["Fortran"])
    (tmp / "bad.png").write_bytes(pathlib.Path(PICTURE).read_bytes()[:60])
    refused(3, "run", DIGITS, "--input", tmp / "bad.png", says=["PNG"])
    (tmp / "x.txt").write_text("x")
    refused(3, "run", DIGITS, "--input", tmp / "x.txt", says=[".png"])
    refused(2, "run", DIGITS, "--input", PICTURE, "--input", "image=" + PICTURE, says=["twice"])


@test
def failures_at_run_time_name_the_node(tmp):
    def field(nr, data):  # of a protobuf message
        return bytes([nr << 3 | 2, len(data)]) + data
    def value(name, elem, dim):
        shape = field(2, field(1, bytes([8, dim])))
        return field(1, name) + field(2, field(1, bytes([8, elem]) + shape))
    node = field(1, b"x") + field(1, b"i") + field(2, b"y") + field(3, b"pick") + field(4, b"Gather")
    graph = field(1, node) + field(2, b"g") + field(11, value(b"x", 1, 3)) + field(11, value(b"i", 7, 1))
    model = tmp / "m.onnx"
    model.write_bytes(b"\x08\x07" + field(8, b"\x10\x0d") +
                      field(7, graph + field(12, value(b"y", 1, 1))))
    npy(tmp / "x.npy", "<f4", "(3,)", struct.pack("<3f", 1, 2, 3))
    npy(tmp / "i.npy", "<i8", "(1,)", struct.pack("<q", -4))
    for engine in "plain", "onednn":
        refused(1, "run", model, "--input", f"x={tmp}/x.npy", "--input", f"i={tmp}/i.npy",
                "--engine", engine, says=["'pick'", "input 1", "index -4 at 0", "-3 to 2"])


@test
def inputs_of_foreign_types_are_named(tmp):
    def field(nr, data):  # of a protobuf message
        return bytes([nr << 3 | 2, len(data)]) + data
    def value(name, elem):
        shape = field(2, field(1, b"\x08\x02"))
        return field(1, name) + field(2, field(1, bytes([8, elem]) + shape))
    node = field(1, b"x") + field(2, b"y") + field(4, b"Relu")
    graph = field(1, node) + field(2, b"g") + field(11, value(b"x", 1)) + field(11, value(b"s", 8))
    model = tmp / "m.onnx"
    model.write_bytes(b"\x08\x07" + field(8, b"\x10\x0d") +
                      field(7, graph + field(12, value(b"y", 1))))
    refused(4, "run", model, "--random", says=["input 's'", "element type 8 (string)"])


@test
def bad_devices_and_firmware_are_named(tmp):
    refused(1, "run", DIGITS, "--input", PICTURE, "--device", "sim:npu99", says=["npu99"])
    refused(1, "boot", "--device", "banana", says=["banana"])
    refused(1, "boot", "--device", "sim:npu37,engine=magic", says=["magic"])
    refused(1, "boot", "--firmware", "/nowhere/fw.bin", says=["/nowhere/fw.bin"])
    (tmp / "fw.bin").write_bytes(b"\0" * 20000)
    refused(1, "boot", "--firmware", tmp / "fw.bin", says=["fw.bin"])
    refused(2, "run", DIGITS, "--input", PICTURE, "--device", "vfio:0", "--threads", "2")


@test
def pictures_become_answers(tmp):
    for digit in range(10):
        done = npu("run", DIGITS, "--input", ROOT / f"data/digits/{digit}.png", "--json")
        assert done.returncode == 0, done.stderr
        top = json.loads(done.stdout)["outputs"][0]["top"]
        assert top[0]["class"] == digit and top[0]["value"] > top[1]["value"], (digit, top)


@test
def png_pgm_npy_and_pb_give_the_same_answer(tmp):
    rows = [[(x * y * 7) % 256 for x in range(28)] for y in range(28)]
    png(tmp / "a.png", 28, 28, rows)
    (tmp / "a.pgm").write_bytes(b"P5\n# comment\n28 28\n255\n" + bytes(sum(rows, [])))
    (tmp / "t.pgm").write_text("P2 28 28 255\n" + " ".join(map(str, sum(rows, []))))
    npy(tmp / "a.npy", "<f4", "(1, 1, 28, 28)", struct.pack("<784f", *(v / 255 for v in sum(rows, []))))
    answers = []
    for name in ("a.png", "a.pgm", "t.pgm", "a.npy"):
        out = tmp / name.replace(".", "_")
        done = npu("run", DIGITS, "--input", tmp / name, "--output", out, "--quiet")
        assert done.returncode == 0, done.stderr
        answers.append((out / "output_0.pb").read_bytes())
    assert len(set(answers)) == 1 and len(answers[0]) > 40


@test
def reference_decides_the_exit_code(tmp):
    assert npu("run", DIGITS, "--reference", DATASET).returncode == 0
    for name in ("input_0.pb", "output_0.pb"):
        (tmp / name).write_bytes((pathlib.Path(DATASET) / name).read_bytes())
    wrong = bytearray((tmp / "output_0.pb").read_bytes())
    at = wrong.rindex(b"J\x28") + 2  # raw_data of ten floats
    wrong[at + 4 * 3:at + 4 * 4] = struct.pack("<f", 0.75)
    (tmp / "output_0.pb").write_bytes(wrong)
    done = npu("run", DIGITS, "--reference", tmp)
    assert done.returncode == 5 and "DIFFERS" in done.stdout and "[0,3]" in done.stdout, done.stdout
    (tmp / "output_0.pb").unlink()
    refused(3, "run", DIGITS, "--reference", tmp, says=["output_N.pb"])


@test
def compiled_programs_run_and_damaged_ones_are_refused(tmp):
    program = tmp / "digits.npu"
    done = npu("compile", DIGITS, "-o", program)
    assert done.returncode == 0 and program.stat().st_size > 1000, done.stderr
    assert npu("run", program, "--reference", DATASET).returncode == 0
    image = program.read_bytes()
    (tmp / "short.npu").write_bytes(image[:-100])
    refused(3, "run", tmp / "short.npu", "--reference", DATASET, says=["short.npu"])
    damaged = bytearray(image)
    damaged[300] ^= 0x40
    (tmp / "damaged.npu").write_bytes(damaged)
    refused(3, "run", tmp / "damaged.npu", "--reference", DATASET, says=["damaged.npu"])


@test
def boot_shows_every_step(tmp):
    done = npu("boot", "-v")
    assert done.returncode == 0, done.stderr
    for word in ("PLL_STATUS", "power", "boot", "P 3.4", "is ready"):
        assert word in done.stdout, (word, done.stdout)
    assert len(done.stdout.splitlines()) > 30


@test
def traces_are_shown_and_compared(tmp):
    a, b = tmp / "a.trace", tmp / "b.trace"
    for path, seed in ((a, 1), (b, 2)):
        assert npu("boot", "--device", f"sim:npu37,stepped,seed={seed},trace={path}").returncode == 0
    shown = npu("trace", "show", a).stdout.splitlines()
    assert shown[0] == "reset" and shown[1].startswith("rd BAR4+0x24 FMIN_FUSE 0x"), shown[:2]
    assert "ready" in shown and any(" more)" in line for line in shown), shown
    assert len(npu("trace", "show", a, "--raw").stdout.splitlines()) > len(shown)
    # the seed changes when things happen, not what the driver does
    same = npu("trace", "diff", a, b, "--writes")
    assert same.returncode == 0 and " 0 others" in same.stdout, same.stdout
    lines = a.read_text().splitlines()
    cut = next(i for i, line in enumerate(lines) if "CPR_CLK_SET" in line
               and " wr " in line)
    b.write_text("\n".join(lines[:cut] + lines[cut + 1:]) + "\n")
    differs = npu("trace", "diff", a, b, "--writes")
    assert differs.returncode == 5 and "- wr BAR0+0x84 HOST_SS_CPR_CLK_SET" in differs.stdout
    rules = tmp / "rules"
    rules.write_text("# comment\n- wr *CPR_CLK_SET*  # left out on purpose\n+ nothing  # unused\n")
    allowed = npu("trace", "diff", a, b, "--writes", "--allow", rules)
    assert allowed.returncode == 0 and "allowed: left out on purpose" in allowed.stdout
    assert "1 allowed differences" in allowed.stdout and "'+ nothing'" in allowed.stdout


@test
def a_phase_is_compared_by_its_rules(tmp):
    a, b, rules = tmp / "a.trace", tmp / "b.trace", tmp / "rules"
    head = "# npu trace 1: npu37\n"
    a.write_text(head + "1 rd BAR4+0x44 VPU_STATUS 0x0\n2 mark on\n3 wr BAR0+0x84 A 0x1\n4 wr BAR0+0x88 B 0x1\n"
                 "5 msg> async REGISTER_DB id 7: 00000001 00000000 90188000 00000000 00001000 00000002\n"
                 "6 wr BAR0+0x6301000 CPU_SS_DOORBELL[1] 0x1\n7 mark off\n8 wr BAR0+0x84 A 0x0\n")
    b.write_text(head + "2 mark on\n4 wr BAR0+0x88 B 0x1\n3 wr BAR0+0x84 A 0x1\n"
                 "5 msg> async REGISTER_DB id 9: 00000003 00000000 90200000 00000000 00001000 00000004\n"
                 "6 wr BAR0+0x6303000 CPU_SS_DOORBELL[3] 0x1\n7 mark off\n")
    shown = npu("trace", "show", a, "--phase", "off").stdout
    assert shown == "wr BAR0+0x84 A 0x0\n", shown
    done = npu("trace", "diff", a, b, "--phase", "on")  # ids and addresses are each driver's own
    assert done.returncode == 5 and "3 equal, 0 allowed differences, 2 others" in done.stdout, done.stdout
    assert done.stdout.count(", moved)") == 2, done.stdout
    rules.write_text("[off]\n- wr * # nothing\n[on other]\n- wr * # an omission\n+ wr * # one more\n")
    done = npu("trace", "diff", a, b, "--phase", "on", "--allow", rules)
    assert done.returncode == 5 and "2 others" in done.stdout, done.stdout  # moved is neither
    assert "by '- wr *' any more" in done.stdout, done.stdout
    rules.write_text("[off]\n- wr * # nothing\n[on other]\n~ wr BAR0+0x8? ? * # no order\n")
    assert npu("trace", "diff", a, b, "--phase", "on", "--allow", rules).returncode == 0
    done = npu("trace", "diff", a, b, "--phase", "off", "--allow", rules)
    assert done.returncode == 0 and "1 allowed" in done.stdout, done.stdout
    refused(3, "trace", "show", a, "--phase", "up", says=["a.trace", "mark up"])


@test
def every_generation_runs_a_model(tmp):
    for gen in ("npu37", "npu40", "npu50", "npu60"):
        done = npu("run", ROOT / "data/digits.onnx", "--input", ROOT / "data/digits/7.png",
                   "--device", f"sim:{gen},sched=hw")
        assert done.returncode == 0, (gen, done.stderr)
        assert "class 7" in done.stdout.splitlines()[1], (gen, done.stdout)
    done = npu("run", ROOT / "data/digits.onnx", "--input", ROOT / "data/digits/7.png",
               "--device", "sim:ref")
    assert "class 7" in done.stdout, (done.stdout, done.stderr)
    refused(1, "boot", "--device", "sim:npu38", says=["npu37, npu40, npu50, npu60"])


@test
def what_is_no_trace_is_refused(tmp):
    bad = tmp / "bad"
    refused(3, "trace", "show", tmp / "none", says=["No such file"])
    bad.write_text("hello\n")
    refused(3, "trace", "show", bad, says=["not a trace"])
    bad.write_text("# npu trace 1: npu37\n   1.000 sing BAR0+0x0\n")
    refused(3, "trace", "show", bad, says=["bad:2", "'sing"])
    bad.write_text("# npu trace 1: npu37\n1 msg>\n2 msg< x\n3 msg x id 3:\n4 msg x y id 3:00\n5 rd\n"
                   "6 wr CPU_SS_DOORBELL[\n7 msg x REGISTER_DB id 3: 1  2 3 4 5 6 7 8 9 \n8 wr CMDQ_PROD 0x\n")
    assert npu("trace", "diff", bad, bad).stdout == "8 equal, 0 allowed differences, 0 others\n"
    rules = tmp / "rules"
    rules.write_text("- pattern without a reason\n")
    bad.write_text("# npu trace 1: npu37\n")
    refused(3, "trace", "diff", bad, bad, "--allow", rules, says=["rules:1", "REASON"])
    refused(2, "trace", "sing", says=["expected show or diff"])
    refused(2, "trace", "diff", bad, says=["two files"])
    refused(1, "boot", "--device", f"sim:npu37,trace={tmp}/no/such", says=["no/such", "No such file"])


@test
def firmware_is_shown_and_made(tmp):
    image = tmp / "fw.bin"
    for gen, fits in (("npu37", "npu37"), ("npu40", "npu40 npu50 npu60")):
        assert npu("fw", "make", gen, image).returncode == 0
        shown = npu("fw", "info", image)
        facts = dict(line.split(": ", 1) for line in shown.stdout.splitlines())
        assert shown.returncode == 0 and facts["fits"] == fits, shown.stdout
        assert facts["api_messages"] == "3.23" and facts["made_for"] == "not said", facts
        assert facts["version"] == "npu built-in firmware image", facts
        assert npu("boot", "--device", f"sim:{gen}", "--firmware", image).returncode == 0
    assert npu("fw", "make", "ref", image).returncode == 0
    shown = npu("fw", "info", image).stdout
    assert "fits: ref\n" in shown and "version: npu built-in reference image\n" in shown, shown
    assert npu("boot", "--device", "sim:ref", "--firmware", image).returncode == 0
    image.write_bytes(image.read_bytes()[:100])
    refused(3, "fw", "info", image, says=["ref: image size 4096"])
    refused(1, "boot", "--device", "sim:ref", "--firmware", image, says=[str(image), "4096"])
    assert npu("fw", "make", "--hws", "npu40", image).returncode == 0
    listing = json.loads(npu("fw", "info", "--json", image).stdout)
    assert listing["fits"] == ["npu40", "npu50", "npu60"] and listing["made_for"] is None, listing
    assert listing["api_messages"] == "3.24" and "npu37" in listing["why"], listing
    assert listing["file_bytes"] == image.stat().st_size == 8192 + listing["image_bytes"], listing
    both = npu("fw", "info", image, image).stdout
    assert both.count("fits: ") == 2 and "\n\n" in both, both


@test
def firmware_that_is_none_is_refused(tmp):
    image = tmp / "fw.bin"
    assert npu("fw", "make", "npu50", image).returncode == 0
    good = image.read_bytes()
    image.write_bytes(good[:8192])
    refused(3, "fw", "info", image, says=["8192 bytes", "more than 8192"])
    image.write_bytes(good[:9000])
    refused(3, "fw", "info", image, says=["no generation takes it", "image_size", "808"])
    refused(1, "boot", "--device", "sim:npu50", "--firmware", image, says=[str(image), "image_size"])
    image.write_bytes(b"\x02" + good[1:])
    refused(3, "fw", "info", image, says=["not a firmware image", "header_version is 2"])
    refused(3, "fw", "info", tmp / "none", says=["No such file"])
    refused(2, "fw", says=["expected info or make"])
    refused(2, "fw", "info", says=["takes files"])
    refused(2, "fw", "info", "--json", image, image, says=["one file"])
    refused(2, "fw", "make", "npu50", says=["a generation, a file"])
    refused(2, "fw", "make", "npu41", image, says=["npu41", "npu37, npu40, npu50, npu60"])
    refused(3, "fw", "make", "npu50", tmp / "no" / "dir", says=["no/dir", "No such file"])
    other = tmp / "other.bin"
    assert npu("fw", "make", "npu37", other).returncode == 0
    refused(1, "boot", "--device", "sim:npu40", says=["other.bin", "not an image for npu40",
                                                      "runtime range"],
            env={"NPU_FIRMWARE": str(other)})


@test
def status_log_and_dump_show_a_device(tmp):
    for gen in ("npu37", "npu40", "npu50", "npu60"):
        device = ("--device", f"sim:{gen}")
        status = npu("status", *device)
        facts = dict(line.split(": ", 1) for line in status.stdout.splitlines())
        assert status.returncode == 0 and facts["state"] == "ready" and facts["gen"] == gen, facts
        assert 0 < int(facts["freq_mhz"]) <= int(facts["freq_max_mhz"]), facts
        assert "pid=" in facts["client-1"], facts
        listing = json.loads(npu("status", "--json", *device).stdout)
        assert listing["gen"] == gen and listing["jobs_done"] == 0, listing
        assert listing["client_list"][0]["name"] == "in process", listing
        log = npu("log", *device)
        assert log.returncode == 0 and log.stdout.startswith("NPU: ["), log.stdout
        assert npu("log", "--errors", *device).stdout == ""
        dump = npu("dump", *device).stdout
        assert dump.startswith("== device\n") and dump.endswith("== end\n"), dump[:300]
        for word in (gen, "== registers", "VPU_STATUS", "== firmware log", "write ", "state ready"):
            assert word in dump, (word, dump[:2000])


@test
def a_command_is_watched(tmp):
    run = ("run", DIGITS, "--input", PICTURE)
    for words, want in ((("status",), "jobs_done: 1\n"), (("dump",), "jobs done: 1\n"),
                        (("log",), "NPU: ["), (("log", "--follow", "--level", "2"), "trace level 2")):
        done = npu(*words, *run)
        assert done.returncode == 0 and "class 7" in done.stdout, (words, done)
        assert want in done.stderr, (words, done.stderr[:1000])
    done = npu("top", "--interval", "0.1", "--json", "run", DIGITS, "--random", "--repeat", "3000",
               "--quiet")
    samples = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 0 and len(samples) >= 2, done
    assert samples[-1]["jobs_done"] == 3000 and samples[-1]["jobs_failed"] == 0, samples[-1]
    assert any(s["busy"] > 0.3 and s["jobs_per_s"] > 10 for s in samples), samples
    assert samples[-1]["client_list"][0]["jobs_done"] == 3000, samples[-1]
    line = npu("top", "--count", "2", "--interval", "0.05").stdout.splitlines()
    assert len(line) == 2 and all(l.startswith("ready  busy   0.0 %") for l in line), line
    refused(1, "status", "--device", "sim:npu38", says=["npu38"])
    refused(3, "dump", "run", "/nonexistent", says=["/nonexistent"])


@test
def counters_are_listed_and_sampled(tmp):
    for gen in ("npu37", "npu60"):
        listing = npu("counters", "--device", f"sim:{gen}").stdout.splitlines()
        assert any(l.startswith("group: id=0") for l in listing), listing
        assert any('name="Jobs" units="jobs"' in l for l in listing), listing
        lines = npu("counters", "--count", "3", "--interval", "0.01", "--device", f"sim:{gen}")
        lines = lines.stdout.splitlines()
        assert len(lines) == 3 and all(" NPU.Jobs=0 " in l for l in lines), lines
    for jobs in (2000, 20000, 200000):  # a fast machine is through before the fourth sample
        done = npu("counters", "--json", "--interval", "0.02", "run", DIGITS, "--random",
                   "--repeat", jobs, "--quiet")
        samples = [json.loads(l) for l in done.stderr.splitlines() if l.startswith("{")]
        if done.returncode or len(samples) > 3:
            break
    assert done.returncode == 0 and len(samples) > 3, done
    times = [s["NPU.Timestamp"] for s in samples]
    assert times == sorted(set(times)) and 0 < samples[-1]["NPU.Jobs"] <= jobs, samples[-1]
    refused(2, "counters", "--errors", says=["no such option"])


@test
def watching_refuses_what_makes_no_sense(tmp):
    refused(2, "top", "boot", says=["only `run`"])
    refused(2, "top", "--device", "sim:npu37", "run", DIGITS, says=["option of the command"])
    refused(2, "top", "--interval", "0", says=["interval", "0.01"])
    refused(2, "top", "--count", "x", says=["count", "1 or more"])
    refused(2, "log", "--interval", "1", says=["interval", "no such option"])
    refused(2, "status", "--follow", says=["follow", "no such option"])
    refused(2, "dump", "--nothing", says=["--nothing"])
    refused(1, "log", "--level", "9", says=["--level 9", "5 fatal"])


@test
def a_recovery_leaves_a_dump(tmp):
    """The device is elsewhere, so that it can be told to fail."""
    for name, option, env in (("a", ("--dump-dir", tmp), {}), ("b", (), {"NPU_DUMP_DIR": str(tmp)})):
        socket = tmp / name
        vnpu = subprocess.Popen([ROOT / "build/bin/vnpu", "--engine", "plain", "--socket", socket,
                                 "--device", "lnl", "--fault", "mmu-fault"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                if socket.exists():
                    break
                time.sleep(0.05)
            done = npu("run", DIGITS, "--random", "--device", f"vfio-user:{socket}", *option, env=env)
        finally:
            vnpu.terminate()
            vnpu.wait()
        assert done.returncode == 1 and "dump in " in done.stderr, done.stderr
        path = pathlib.Path(done.stderr.split("dump in ")[1].splitlines()[0])
        assert path.parent == tmp and path.stat().st_mode & 0o777 == 0o600, path
        text = path.read_text()
        assert text.startswith("dump: ") and "npu40" in text and ", faulty" in text, text[:1000]
        path.unlink()


@test
def devices_do_not_share_a_trace(tmp):
    for nr, files in ((1, ["t"]), (2, ["t.0", "t.1"])):
        args = [a for i, name in enumerate(("mtl", "lnl")[:nr])
                for a in ("--socket", tmp / f"s{i}", "--device", name)]
        vnpu = subprocess.Popen([ROOT / "build/bin/vnpu", "--engine", "plain", "--trace", tmp / "t",
                                 *args], stdout=subprocess.PIPE, text=True)
        for _ in range(nr):
            assert " at " in vnpu.stdout.readline()
        vnpu.terminate()
        assert vnpu.wait() == 0
        assert sorted(p.name for p in tmp.glob("t*")) == files, list(tmp.iterdir())
        for name, gen in zip(files, ("npu37", "npu40")):
            text = (tmp / name).read_text()
            assert text.startswith(f"# npu trace 1: {gen} ") and text.count("# npu") == 1, text
            (tmp / name).unlink()


@test
def info_and_list_say_what_there_is(tmp):
    info = npu("info")
    assert info.returncode == 0 and all(": " in l for l in info.stdout.splitlines()), info.stdout
    for word in ("npu37", "7d1d", "Meteor Lake"):
        assert word in info.stdout, (word, info.stdout)
    assert "sim:npu37" in npu("list").stdout
    assert "ad1d" in npu("info", "--device", "sim:npu37,pci=ad1d").stdout


@test
def model_lists_operators_and_names_unsupported_nodes(tmp):
    done = npu("model", DIGITS)
    assert done.returncode == 0 and "Conv" in done.stdout and "image" in done.stdout
    bad = NODE / "test_lstm_defaults" / "model.onnx"
    done = npu("model", bad)
    assert done.returncode == 4 and "LSTM" in done.stdout and "opset" in done.stdout, done.stdout
    listing = json.loads(npu("model", bad, "--json").stdout)
    assert listing["unsupported"] == 1 and listing["nodes"][0]["op"] == "LSTM"
    refused(4, "run", bad, "--reference", bad.parent / "test_data_set_0", says=["LSTM", "opset", "node"])


@test
def json_is_json_and_times_every_layer(tmp):
    done = npu("run", DIGITS, "--random", "--json", "--repeat", "3")
    ms = json.loads(done.stdout)["ms"]
    for layer in ("load", "compile", "device", "boot", "upload", "run_first", "run_median"):
        assert ms[layer] > 0, ms
    assert json.loads(done.stdout)["findings"] == 0


@test
def both_engines_agree(tmp):
    assert npu("run", DIGITS, "--random=3", "--engine", "onednn", "--output", tmp / "o").returncode == 0
    done = npu("run", DIGITS, "--random=3", "--engine", "plain", "--output", tmp / "p")
    assert done.returncode == 0, done.stderr
    a, b = ((tmp / d / "output_0.pb").read_bytes()[-40:] for d in "op")
    for x, y in zip(struct.unpack("<10f", a), struct.unpack("<10f", b)):
        assert abs(x - y) <= 1e-5, (x, y)


@test
def output_that_cannot_be_written_is_an_error(tmp):
    (tmp / "file").touch()
    refused(3, "run", DIGITS, "--random", "--quiet", "--output", tmp / "file", says=["file"])
    done = subprocess.run(f"{NPU} list > /dev/full", shell=True, capture_output=True, text=True)
    assert done.returncode == 1, done


def main():
    nr = [0, 0]
    for function in TESTS:
        if sys.argv[1:] and function.__name__ not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as tmp:
            try:
                function(pathlib.Path(tmp))
                nr[0] += 1
            except Exception:  # noqa: each test reports by itself
                nr[1] += 1
                print(f"--- {function.__name__}")
                traceback.print_exc(limit=3, file=sys.stdout)
    print(f"{nr[0]} passed, {nr[1]} failed")
    sys.exit(1 if nr[1] or not nr[0] else 0)


main()
