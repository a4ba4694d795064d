# SPDX-License-Identifier: MIT
"""One guest: an initial file system, a virtual NPU, QEMU, and what came of it.

The guest's second serial line is its line to this program: one request, one answer.

    fault NAME COUNT    passed to vnpu --control
    mark NAME           likewise, a record in the trace
    rss LABEL           the memory of vnpu is noted under LABEL
"""
import lzma
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent


def cpio(files):
    """An initial file system (newc) of {path: (mode, data)}; folders come by themselves."""
    folders = {str(p) for path in files for p in pathlib.PurePath(path).parents if str(p) != "."}
    entries = [(d, 0o040755, b"") for d in sorted(folders)]
    entries += [(path, mode, data) for path, (mode, data) in files.items()]
    out = bytearray()
    for ino, (name, mode, data) in enumerate(entries + [("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def modules(kernel, name):
    """intel_vpu's modules in the order they are loaded; what is built in has no file."""
    found = {p.name.split(".ko")[0].replace("-", "_"): p
             for p in (kernel / "lib/modules").rglob("*.ko*")}
    order = {}

    def visit(module):
        if module in order or module not in found:
            return
        path = found[module]
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in depends.group(1).decode().split(",") if depends else []:
            visit(other.replace("-", "_"))
        order[module] = data

    visit(name)
    if name not in order:
        raise SystemExit(f"guest: {kernel} has no module {name}")
    return order


def libraries(program):
    """What the dynamic loader wants for a program of this machine, itself included."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [pathlib.Path(p) for p in re.findall(r"(/\S+) \(0x", text)]


def root_files(cache, kernel, program):
    """The part of the initial file system that all scenarios share; @kernel is its folder."""
    files = {"bin/busybox": (0o100755, (cache / "bin/busybox").read_bytes()),
             "bin/guest-test": (0o100755, program.read_bytes()),
             "init": (0o100755, (HERE / "init").read_bytes()),
             "lib.sh": (0o100644, (HERE / "lib.sh").read_bytes())}
    for lib in libraries(program):
        files[str(lib).lstrip("/")] = (0o100755, lib.read_bytes())
    for i, (name, data) in enumerate(modules(kernel, "intel_vpu").items()):
        files[f"lib/modules/{i:02}-{name}.ko"] = (0o100644, data)
    return files


def hurried(command, *how):
    """The kernel gives the device 5 ms for some answers, on a host that may be busy otherwise."""
    probe = subprocess.run([*how, "true"], capture_output=True)
    # only root may; on an idle host it does not matter
    return [*how, *command] if probe.returncode == 0 and not probe.stderr else command


class Vnpu:
    """A virtual NPU in a process of its own."""

    def __init__(self, program, device, folder, log, options=()):
        self.path = folder / "npu.sock"
        self.log = log.open("w")
        self.process = subprocess.Popen(
            hurried([program, "--socket", self.path, "--device", device, "--control", *options],
                    "chrt", "-r", "1"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1)
        self.hello = self.process.stdout.readline()
        if not self.hello:
            raise RuntimeError(f"vnpu did not start, see {log}")

    def control(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], 5)
        return self.process.stdout.readline().strip() if ready else "error: vnpu does not answer"

    def rss_kib(self):
        """Its own memory: not the guest's, which it maps and touches ever more of."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", text).group(1))

    def stop(self):
        """The summary, and whether it ended as it should."""
        early = self.process.poll()
        if early is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            rest = self.process.communicate(timeout=20)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            rest = self.process.communicate()[0] or ""
            early = "hangs at SIGTERM"
        self.log.close()
        if early is None and self.process.returncode == 0:
            return rest.strip(), None
        return rest.strip(), f"vnpu ended with {self.process.returncode} ({early})"


class HostLine(threading.Thread):
    """Serves the guest's requests."""

    def __init__(self, path, vnpu):
        super().__init__(daemon=True)
        self.vnpu, self.rss = vnpu, {}
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen(1)
        self.start()

    def run(self):
        try:
            with self.server.accept()[0] as line, line.makefile("rw", newline="\n") as text:
                for request in text:
                    text.write(self.answer(request.split()) + "\n")
                    text.flush()
        except OSError:
            pass  # the guest has gone

    def answer(self, words):
        if len(words) == 3 and words[0] == "fault":
            return self.vnpu.control(f"fault 0 {words[1]} {words[2]}")
        if len(words) == 2 and words[0] == "mark":
            return self.vnpu.control(f"mark 0 {words[1]}")
        if len(words) >= 2 and words[0] == "rss":
            self.rss.setdefault(words[-1], []).append(self.vnpu.rss_kib())
            return "ok"
        return "error: what?"


class Result:
    """What a guest left: console text, vnpu's messages, memory, time."""

    def __init__(self):
        self.console = self.findings = self.summary = ""
        self.problems, self.rss, self.seconds = [], {}, 0.0


def run_guest(cache, kernel, files, vnpu_program, device, logs, timeout, vnpu_options=(),
              append=""):
    """Boots it, waits for its end, collects."""
    result, started = Result(), time.monotonic()
    work = pathlib.Path(tempfile.mkdtemp(prefix="guest-"))
    console, vnpu_log = logs.with_suffix(".console"), logs.with_suffix(".vnpu")
    vnpu = qemu = None
    try:
        (work / "initrd").write_bytes(cpio(files))
        vnpu = Vnpu(vnpu_program, device, work, vnpu_log, vnpu_options)
        line = HostLine(work / "host.sock", vnpu)
        with console.open("wb") as out:
            qemu = subprocess.Popen(
                hurried([cache / "qemu/run",
                         *qemu_options(kernel, work, vnpu.path, append)],
                        "nice", "-n", "-10"),
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            try:
                qemu.wait(timeout)
            except subprocess.TimeoutExpired:
                result.problems.append(f"the guest did not end in {timeout} s")
        result.rss = line.rss
    except (OSError, RuntimeError) as error:
        result.problems.append(str(error))
    finally:
        if qemu and qemu.poll() is None:
            qemu.kill()
            qemu.wait()
        if vnpu:
            result.summary, problem = vnpu.stop()
            result.problems += [problem] if problem else []
        shutil.rmtree(work)
    result.console = console.read_text(errors="replace").replace("\r", "") if console.exists() else ""
    result.findings = vnpu_log.read_text(errors="replace") if vnpu_log.exists() else ""
    result.seconds = time.monotonic() - started
    return result


def qemu_options(kernel, work, npu, append):
    size = os.environ.get("GUEST_MEM", "3072") + "M"
    accel = os.environ.get("GUEST_ACCEL", "tcg")
    return ["-accel", accel, "-smp", "1", "-cpu", "max", "-m", size,
            # the device maps the guest's memory: it must be a file both can have
            "-machine", "q35,memory-backend=mem",
            "-object", f"memory-backend-memfd,id=mem,size={size},share=on",
            "-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio",
            "-chardev", f"socket,id=host,path={work}/host.sock", "-serial", "chardev:host",
            "-kernel", str(kernel / "vmlinuz"), "-initrd", str(work / "initrd"),
            # programs' output and the kernel's would mix: its log comes at the end, in one piece
            "-append", f"console=ttyS0 panic=-1 loglevel=2 log_buf_len=4M {append}",
            "-device", '{"driver":"vfio-user-pci","socket":{"type":"unix","path":"%s"}}' % npu]
