#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""npu doctor on made-up machines: directory trees with sysfs, procfs, /dev, /lib, /etc.

For every PCI id a machine in order, in which nothing is found; for every class of `npu doctor --list` a
machine in which that class, and no other, is found; and machines of nonsense, which it must survive.

usage: doctor_test.py NPU       last lines as cmocka's, which tools/count_tests.py counts
"""
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).parent.parent
NPU = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/bin/npu")
KERNEL = "7.2.13-test"
BDF = "0000:00:0b.0"
RENDER = 992 if os.geteuid() == 0 else os.getgid()

# id: name of the generation, name and mark of its firmware.  Typed here, not read: the judge of the tables.
IDS = {
    "7d1d": ("npu37", "vpu_37xx_v1.bin", "20260305*MTL_CLIENT_SILICON-NVR*test"),
    "ad1d": ("npu37", "vpu_37xx_v0.0.bin", "20260305*MTL_CLIENT_SILICON-NVR*test"),
    "643e": ("npu40", "vpu_40xx_v1.bin", "Mar  5 2026*NPU40xx*test"),
    "b03e": ("npu50", "vpu_50xx_v1.bin", "Mar  5 2026*NPU50xx*test"),
    "fd3e": ("npu50", "vpu_50xx_v0.0.bin", "Mar  5 2026*NPU50xx*test"),
    "d71d": ("npu60", "vpu_60xx_v1.bin", "Mar  5 2026*no mark is known*test"),
}
JSM_OFF = 0x54 + 4 * 4  # api_version[4] of the image header
VERSION_OFF = 4096

TESTS = []
CLASSES = {}


def test(function):
    TESTS.append(function)
    return function


def breaks(name, *args):
    """The decorated function breaks a machine in order so that exactly @name is found."""
    def register(function):
        assert name not in CLASSES, name
        CLASSES[name] = function

        def run(tmp):
            machine = Machine(tmp)
            function(machine)
            found = machine.doctor(*args)
            assert found.classes == [name], (found.classes, found.text)
            bad = [f for f in found.data["findings"] if f["class"]]
            assert bad[0]["fix"] and bad[0]["found"] and bad[0]["meaning"], bad
            assert found.code == (1 if bad[0]["state"] == "fail" else 0), found.code
        run.__name__ = "class_" + name.replace("-", "_")
        TESTS.append(run)
        return function
    return register


def firmware(gen, version, jsm=(3, 35)):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([NPU, "fw", "make", gen, out.name], check=True)
        image = bytearray(pathlib.Path(out.name).read_bytes())
    if version:
        image[VERSION_OFF:VERSION_OFF + 4096] = version.encode().ljust(4096, b"\0")
        image[0x48:0x4c] = (len(version) + 1).to_bytes(4, "little")
        image[JSM_OFF:JSM_OFF + 4] = (jsm[0] << 16 | jsm[1]).to_bytes(4, "little")
    return bytes(image)


class Found:
    def __init__(self, done):
        assert done.returncode in (0, 1), (done.returncode, done.stderr[-2000:])
        self.code, self.text = done.returncode, done.stdout
        self.data = json.loads(done.stdout)
        self.classes = [f["class"] for f in self.data["findings"] if f["class"]]


class Machine:
    """A laptop whose NPU works."""

    def __init__(self, root, device="7d1d"):
        self.root, self.device = pathlib.Path(root), device
        self.gen, fw_name, mark = IDS[device]
        self.pci = f"sys/bus/pci/devices/{BDF}"
        self.fw = f"lib/firmware/intel/vpu/{fw_name}"
        self.modules = f"lib/modules/{KERNEL}"
        self.make_pci()
        self.make_kernel()
        self.write(self.fw, firmware(self.gen, mark))
        self.write("dev/accel/accel0", "")
        self.own("dev/accel/accel0", 0o660)
        self.write("etc/passwd", "root:x:0:0::/root:/bin/sh\njoe:x:4242:4242::/home/joe:/bin/sh\n")
        self.write("etc/group", f"root:x:0:\nrender:x:{RENDER}:ann,joe\n")
        for lib in "libze_loader.so.1", "libze_intel_npu.so.1":
            self.write(f"usr/lib/x86_64-linux-gnu/{lib}", "")

    def make_pci(self):
        self.write("sys/bus/pci/devices/0000:00:00.0/vendor", "0x8086\n")
        self.write("sys/bus/pci/devices/0000:00:00.0/device", "0x7d14\n")
        self.write("sys/bus/pci/devices/0000:00:00.0/class", "0x060000\n")
        for name, text in {
                "vendor": "0x8086\n", "device": f"0x{self.device}\n", "class": "0x120000\n",
                "subsystem_vendor": "0x1043\n", "subsystem_device": "0x891e\n", "power_state": "D0\n",
                "power/runtime_status": "active\n", "msi_irqs/150": "msi\n", "accel/accel0/dev": "261:0\n",
        }.items():
            self.write(f"{self.pci}/{name}", text)
        self.config()
        self.bars([(0x5010000000, 0x8000000), None, None, None, (0x501c2e2000, 0x1000), None])
        self.bind("intel_vpu")
        self.link(f"{self.pci}/iommu_group", "../../../../kernel/iommu_groups/7")
        self.write(f"sys/kernel/iommu_groups/7/devices/{BDF}/x", "")
        self.write("sys/kernel/security/lockdown", "[none] integrity confidentiality\n")

    def make_kernel(self):
        self.write("sys/module/intel_vpu/refcnt", "0\n")
        self.write("sys/bus/pci/drivers/intel_vpu/bind", "")
        self.write("proc/sys/kernel/osrelease", KERNEL + "\n")
        self.write("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet\n")
        self.cpu(6, 170)
        self.limits("unlimited")
        self.write("dev/kmsg", f"6,1,100,-;pci {BDF}: [8086:{self.device}] type 00 class 0x120000\n"
                   f"6,2,200,-;[drm] Initialized intel_vpu 1.0.0 for {BDF} on minor 0\n")
        self.write(f"{self.modules}/modules.dep", "kernel/drivers/net/dummy.ko.xz:\n"
                   "kernel/drivers/accel/ivpu/intel_vpu.ko.xz: kernel/drivers/gpu/drm/drm.ko.xz\n")
        self.write(f"{self.modules}/modules.builtin", "kernel/fs/ext4/ext4.ko\n")
        self.write(f"{self.modules}/modules.alias", "# Aliases\nalias fs-xfs xfs\n" + "".join(
            f"alias pci:v00008086d0000{i.upper()}sv*sd*bc*sc*i* intel_vpu\n" for i in IDS))
        self.write(f"boot/config-{KERNEL}", "CONFIG_FW_LOADER=y\nCONFIG_FW_LOADER_COMPRESS_XZ=y\n"
                   "CONFIG_FW_LOADER_COMPRESS_ZSTD=y\n")

    def path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name, data):
        self.path(name).write_bytes(data.encode() if isinstance(data, str) else data)

    def link(self, name, target):
        path = self.path(name)
        if path.is_symlink():
            path.unlink()
        path.symlink_to(target)

    def remove(self, name):
        path = self.root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def own(self, name, mode, gid=RENDER):
        os.chown(self.path(name), os.geteuid(), gid)
        os.chmod(self.path(name), mode)

    def config(self, command=0x0406, gone=False):
        config = bytearray(64)
        config[0:4] = (0x8086 | int(self.device, 16) << 16).to_bytes(4, "little")
        config[4:6] = command.to_bytes(2, "little")
        config[9:12] = bytes((0, 0, 0x12))
        self.write(f"{self.pci}/config", b"\xff" * 64 if gone else bytes(config))

    def bars(self, bars):
        self.write(f"{self.pci}/resource", "".join(
            "0x%016x 0x%016x 0x%016x\n" % ((b[0], b[0] + b[1] - 1, 0x140204) if b else (0, 0, 0))
            for b in bars))

    def bind(self, driver):
        if (self.root / self.pci / "driver").is_symlink():
            self.remove(f"{self.pci}/driver")
        if driver:
            self.link(f"{self.pci}/driver", f"../../../../bus/pci/drivers/{driver}")

    def unload(self):
        self.bind(None)
        self.remove("sys/module/intel_vpu")

    def vfio(self):
        self.write("sys/bus/pci/drivers/vfio-pci/bind", "")
        self.bind("vfio-pci")
        self.write("dev/vfio/7", "")
        self.own("dev/vfio/7", 0o660)

    def cpu(self, family, model):
        self.write("proc/cpuinfo", f"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: {family}\n"
                   f"model\t\t: {model}\nmodel name\t: Intel(R) Core(TM) Ultra\n")

    def limits(self, locked):
        self.write("proc/self/limits", "Limit                     Soft Limit           Hard Limit\n"
                   f"Max locked memory         {locked:<20} {locked:<20} bytes\n")

    def log(self, *lines):
        self.write("dev/kmsg", "".join(f"4,{i},{i},-;{line}\n" for i, line in enumerate(lines)))

    def doctor(self, *args, npu=NPU, timeout=60, **kw):
        return Found(subprocess.run(
            [npu, "doctor", "--json", "--root", str(self.root), "--user", "joe", *args],
            capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **kw))


# --- machines in order ---------------------------------------------------------------------------

@test
def every_id_is_in_order(tmp):
    for device in IDS:
        machine = Machine(tmp / device, device)
        found = machine.doctor()
        assert found.code == 0 and not found.classes, found.text
        assert any(f"8086:{device}" in f["found"] and IDS[device][0] in f["found"]
                   for f in found.data["findings"]), found.text
        machine.vfio()
        found = machine.doctor("--vfio")
        assert found.code == 0 and not found.classes, found.text


@test
def every_id_of_the_tables_is_tried(tmp):
    known = set(re.findall(r'\{ 0x([0-9a-f]{4}), "', (ROOT / "src/regs/gen.c").read_text()))
    assert known == set(IDS), known ^ set(IDS)


@test
def a_guest_with_a_virtual_npu_and_our_image_is_in_order(tmp):
    machine = Machine(tmp)
    machine.write(f"{machine.pci}/subsystem_vendor", "0x8086\n")
    machine.write(f"{machine.pci}/subsystem_device", "0x7d1d\n")
    machine.write(machine.fw, firmware("npu37", None))
    found = machine.doctor()
    assert not found.classes and "vnpu" in found.text, found.text


@test
def a_sleeping_device_is_in_order(tmp):
    machine = Machine(tmp)
    machine.write(f"{machine.pci}/power_state", "D3hot\n")
    machine.write(f"{machine.pci}/power/runtime_status", "suspended\n")
    machine.config(command=0)
    assert not machine.doctor().classes


@test
def a_compressed_file_in_updates_wins_and_is_named(tmp):
    machine = Machine(tmp)
    machine.remove(machine.fw)
    machine.write("lib/firmware/updates/intel/vpu/vpu_37xx_v1.bin.zst", b"\x28\xb5\x2f\xfd")
    found = machine.doctor()
    assert not found.classes and "vpu_37xx_v1.bin.zst" in found.text, found.text


@test
def links_are_resolved_inside_the_root(tmp):
    machine = Machine(tmp)
    (tmp / "lib").rename(tmp / "usr/lib2")
    machine.link("lib", "/usr/lib2")
    assert not machine.doctor().classes
    machine.remove("etc/passwd")
    machine.link("etc/passwd", "/../../../../../../etc/passwd")  # ends at the root: itself
    done = subprocess.run([NPU, "doctor", "--root", str(tmp), "--user", "root"], capture_output=True, text=True)
    assert done.returncode == 2 and "no such user" in done.stderr, done


@test
def troubles_before_the_last_start_are_over(tmp):
    machine = Machine(tmp)
    machine.log("intel_vpu: ivpu_fw_request(): Failed to request firmware: -2",
                f"[drm] Initialized intel_vpu 1.0.0 for {BDF} on minor 0")
    assert not machine.doctor().classes


@test
def two_devices_are_both_examined(tmp):
    machine = Machine(tmp)
    shutil.copytree(tmp / machine.pci, tmp / "sys/bus/pci/devices/0000:80:0b.0", symlinks=True)
    machine.write("sys/bus/pci/devices/0000:80:0b.0/power/runtime_status", "error\n")
    found = machine.doctor()
    assert found.classes == ["power-error"] and "0000:80:0b.0" in found.text, found.text


@test
def remedies_name_what_was_found(tmp):
    machine = Machine(tmp)
    machine.bind(None)
    fix = [f["fix"] for f in machine.doctor().data["findings"] if f["class"]][0]
    assert BDF in fix and "<" not in fix, fix


@test
def names_from_the_tree_never_get_into_a_command(tmp):
    machine = Machine(tmp)
    machine.write("proc/sys/kernel/osrelease", "7.2;reboot\n")
    machine.log("intel_vpu x: Failed to request firmware: -2")
    found = machine.doctor()
    assert "log-no-firmware" in found.classes
    for finding in found.data["findings"]:
        assert ";reboot" not in (finding["fix"] or ""), finding


@test
def text_has_a_line_each_and_a_remedy_below(tmp):
    machine = Machine(tmp)
    machine.bind(None)
    done = subprocess.run([NPU, "doctor", "--root", str(tmp), "--user", "joe"], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "[no-driver]" in line)
    assert lines[at].startswith("fail  driver") and lines[at + 2].startswith("      fix: "), done.stdout
    assert lines[-1] == "1 failure, 0 warnings" and done.returncode == 1, done.stdout


@test
def command_line(tmp):
    for args, code in ((["--root", str(tmp / "nowhere")], 3), (["--root"], 2), (["x"], 2), (["--nope"], 2),
                       (["--root", str(tmp), "--user", "nobody-here"], 2), (["--help"], 0), (["--list"], 0)):
        done = subprocess.run([NPU, "doctor", *args], capture_output=True, text=True)
        assert done.returncode == code, (args, done)


@test
def this_machine_is_examined(tmp):
    done = subprocess.run([NPU, "doctor", "--json"], capture_output=True, text=True, timeout=60)
    Found(done)


# --- one class each ------------------------------------------------------------------------------

@breaks("no-pci")
def _(m):
    m.remove("sys/bus/pci/devices")


@breaks("no-npu")
def _(m):
    m.remove(m.pci)
    m.cpu(6, 151)


@breaks("npu-hidden")
def _(m):
    m.remove(m.pci)


@breaks("unknown-npu")
def _(m):
    m.write(f"{m.pci}/device", "0x9999\n")


@breaks("wrong-class")
def _(m):
    m.write(f"{m.pci}/class", "0x088000\n")


@breaks("gone")
def _(m):
    m.config(gone=True)


@breaks("bar-missing")
def _(m):
    m.bars([(0x5010000000, 0x8000000), None, None, None, None, None])


@breaks("bar-small")
def _(m):
    m.bars([(0x5010000000, 0x1000000), None, None, None, (0x501c2e2000, 0x1000), None])


@breaks("d3cold")
def _(m):
    m.write(f"{m.pci}/power_state", "D3cold\n")


@breaks("power-error")
def _(m):
    m.write(f"{m.pci}/power/runtime_status", "error\n")


@breaks("memory-off")
def _(m):
    m.config(command=0x0404)


@breaks("master-off")
def _(m):
    m.config(command=0x0402)


@breaks("msi-off")
def _(m):
    m.remove(f"{m.pci}/msi_irqs")


@breaks("kernel-too-old")
def _(m):
    m.write(f"{m.modules}/modules.alias", "alias pci:v00008086d0000643Esv*sd*bc*sc*i* intel_vpu\n")
    m.bind(None)


@test
def kernels_by_number_where_the_module_cannot_tell(tmp):
    for device, old, new in (("7d1d", "6.2.0", "6.3.0"), ("ad1d", "6.5.9", "6.6.1"), ("643e", "6.5.9", "6.6.1"),
                             ("b03e", "6.11.3", "6.12.40"), ("fd3e", "6.12.95", "7.2.0"),
                             ("d71d", "6.12.95", "7.2.0")):
        machine = Machine(tmp / device, device)
        machine.unload()
        shutil.rmtree(tmp / device / "lib/modules")
        for kernel, want in ((old, "kernel-too-old"), (new, "module-not-loaded")):
            machine.write("proc/sys/kernel/osrelease", kernel + "\n")
            found = machine.doctor()
            assert found.classes == [want], (device, kernel, found.classes)


@breaks("module-missing")
def _(m):
    m.unload()
    m.write(f"{m.modules}/modules.dep", "kernel/drivers/net/dummy.ko.xz:\n")
    m.write(f"{m.modules}/modules.alias", "alias fs-xfs xfs\n")


@breaks("module-blacklisted")
def _(m):
    m.unload()
    m.write("etc/modprobe.d/npu.conf", "# saves power\nblacklist intel_vpu\n")


@test
def every_way_of_blacklisting(tmp):
    for i, (name, text) in enumerate((("etc/modprobe.d/a.conf", "  blacklist intel-vpu\n"),
                                      ("usr/lib/modprobe.d/b.conf", "install intel_vpu /bin/false\n"),
                                      ("proc/cmdline", "quiet modprobe.blacklist=nouveau,intel_vpu x\n"),
                                      ("proc/cmdline", "module_blacklist=intel_vpu\n"))):
        machine = Machine(tmp / str(i))
        machine.unload()
        machine.write(name, text)
        assert machine.doctor().classes == ["module-blacklisted"], text
    machine = Machine(tmp / "other")
    machine.unload()
    machine.write("etc/modprobe.d/a.conf", "blacklist intel_vpu_extra\nblacklist nouveau\n#blacklist intel_vpu\n")
    assert machine.doctor().classes == ["module-not-loaded"]


@breaks("lockdown")
def _(m):
    m.unload()
    m.write(f"{m.modules}/modules.dep", "updates/dkms/intel_vpu.ko.zst: kernel/drivers/gpu/drm/drm.ko.xz\n")
    m.write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")


@breaks("module-not-loaded")
def _(m):
    m.unload()


@breaks("no-driver")
def _(m):
    m.bind(None)


@breaks("bound-vfio")
def _(m):
    m.vfio()


@breaks("bound-elsewhere")
def _(m):
    m.bind("pci-stub")


@breaks("fw-missing")
def _(m):
    m.remove(m.fw)


@test
def missing_firmware_names_every_name_and_directory(tmp):
    machine = Machine(tmp)
    machine.remove(machine.fw)
    machine.write("sys/module/firmware_class/parameters/path", "/opt/firmware\n")
    text = machine.doctor().text
    for name in ("intel/vpu/vpu_37xx_v1.bin", "intel/vpu/vpu_37xx_v0.0.bin", ".zst", ".xz", "/opt/firmware",
                 f"/lib/firmware/updates/{KERNEL}", f"/lib/firmware/{KERNEL}"):
        assert name in text, (name, text)


@breaks("fw-bad")
def _(m):
    image = bytearray(firmware("npu37", IDS["7d1d"][2]))
    image[0x10:0x14] = b"\xff\xff\xff\x7f"  # image_size
    m.write(m.fw, bytes(image))


@test
def every_kind_of_bad_firmware(tmp):
    machine = Machine(tmp)
    for data in (b"", b"\0" * 100, b"<html>404</html>" * 1000, firmware("npu37", None)[:8192], os.urandom(20000)):
        machine.write(machine.fw, data)
        assert machine.doctor().classes == ["fw-bad"], len(data)
    os.truncate(tmp / machine.fw, 1 << 40)
    assert machine.doctor().classes == ["fw-bad"]
    machine.remove(machine.fw)
    os.mkfifo(tmp / machine.fw)
    assert machine.doctor().classes == ["fw-bad"]


@breaks("fw-wrong-generation")
def _(m):
    m.write(m.fw, firmware("npu40", IDS["643e"][2]))


@breaks("fw-not-real")
def _(m):
    m.write(m.fw, firmware("npu37", None))


@test
def class_fw_unreadable(tmp):
    machine = Machine(tmp)
    os.chmod(tmp / machine.fw, 0)
    os.chmod(tmp, 0o755)
    if os.geteuid():
        found = machine.doctor()
    else:  # root reads everything
        npu = shutil.copy(NPU, tmp / "npu")
        os.chmod(npu, 0o755)
        found = machine.doctor(npu=npu, user=65534, group=65534, extra_groups=[], cwd="/")
    assert found.classes == ["fw-unreadable"] and found.code == 0, found.text


CLASSES["fw-unreadable"] = class_fw_unreadable


@breaks("fw-compressed")
def _(m):
    m.remove(m.fw)
    m.write(m.fw + ".zst", b"\x28\xb5\x2f\xfd")
    m.write(f"boot/config-{KERNEL}", "CONFIG_FW_LOADER=y\n# CONFIG_FW_LOADER_COMPRESS_ZSTD is not set\n")


@breaks("fw-old")
def _(m):
    m.write(m.fw, firmware("npu37", IDS["7d1d"][2], jsm=(3, 20)))


@breaks("no-node")
def _(m):
    m.remove("dev/accel/accel0")


@breaks("container-no-node")
def _(m):
    m.remove("dev/accel/accel0")
    m.write("run/.containerenv", "")


@breaks("node-group")
def _(m):
    m.own("dev/accel/accel0", 0o600)


@breaks("node-denied")
def _(m):
    m.write("etc/group", f"render:x:{RENDER}:ann,joey\n")


@breaks("log-gone")
def _(m):
    m.log(f"intel_vpu {BDF}: Unable to change power state from D3cold to D0, device inaccessible")


@breaks("log-no-firmware")
def _(m):
    m.log(f"intel_vpu {BDF}: [drm] *ERROR* ivpu_fw_request(): Failed to request firmware: -2",
          f"intel_vpu {BDF}: probe with driver intel_vpu failed with error -2")


@breaks("log-boot-failed")
def _(m):
    m.log(f"intel_vpu {BDF}: [drm] *ERROR* ivpu_boot(): Failed to boot the firmware: -110")


@breaks("log-probe-failed")
def _(m):
    m.log(f"intel_vpu {BDF}: probe with driver intel_vpu failed with error -19")


@breaks("log-recovery")
def _(m):
    m.log(f"[drm] Initialized intel_vpu 1.0.0 for {BDF} on minor 0",
          f"intel_vpu {BDF}: [drm] *ERROR* ivpu_job_timeout_work(): TDR detected, timeout 2000 ms")


@breaks("log-no-space")
def _(m):
    m.log(f"intel_vpu {BDF}: [drm] *ERROR* ivpu_bo_alloc_vpu_addr(): Failed to add BO to context 2: -28")


@breaks("ze-loader-missing")
def _(m):
    m.remove("usr/lib/x86_64-linux-gnu/libze_loader.so.1")


@breaks("ze-driver-missing")
def _(m):
    m.remove("usr/lib/x86_64-linux-gnu/libze_intel_npu.so.1")


@breaks("ze-driver-old")
def _(m):
    m.write("usr/lib64/libze_intel_vpu.so.1", "")


@breaks("ze-driver-twice")
def _(m):
    m.write("usr/local/lib/libze_intel_npu.so.1", "")


@breaks("iommu-off", "--vfio")
def _(m):
    m.vfio()
    m.remove(f"{m.pci}/iommu_group")


@breaks("iommu-group-shared", "--vfio")
def _(m):
    m.vfio()
    m.write("sys/bus/pci/devices/0000:00:0a.0/class", "0x118000\n")
    m.write("sys/kernel/iommu_groups/7/devices/0000:00:0a.0/x", "")


@breaks("vfio-module-missing", "--vfio")
def _(m):
    m.bind(None)


@breaks("vfio-not-bound", "--vfio")
def _(m):
    m.vfio()
    m.bind("intel_vpu")


@breaks("vfio-no-node", "--vfio")
def _(m):
    m.vfio()
    m.remove("dev/vfio/7")


@breaks("vfio-denied", "--vfio")
def _(m):
    m.vfio()
    m.own("dev/vfio/7", 0o600)


@breaks("memlock-low", "--vfio")
def _(m):
    m.vfio()
    m.limits("8388608")


@test
def every_class_has_its_test(tmp):
    done = subprocess.run([NPU, "doctor", "--list", "--json"], capture_output=True, text=True, check=True)
    listed = json.loads(done.stdout)
    names = [c["class"] for c in listed]
    assert len(names) == len(set(names)) and set(names) == set(CLASSES), set(names) ^ set(CLASSES)
    assert all(c["meaning"] and c["fix"] and c["state"] in ("warn", "fail") for c in listed)


# --- machines of nonsense ------------------------------------------------------------------------

def to_fifo(path):
    os.mkfifo(path)


def to_loop(path):
    path.symlink_to(path.name)


def to_escape(path):
    path.symlink_to("/../../../dev/zero")


def to_folder(path):
    path.mkdir()


def to_endless(path):
    path.touch()
    os.truncate(path, 1 << 40)


def to_empty(path):
    path.touch()


def to_garbage(path):
    path.write_bytes(random.randbytes(random.choice((1, 63, 64, 5000, 200000))))


def to_long_line(path):
    path.write_bytes(b"A" * 300000 + b"\n" + b"0x" + b"f" * 5000 + b"\n%s%n:::::,,,;;;<bdf>\n")


SPOILS = (to_fifo, to_loop, to_escape, to_folder, to_endless, to_empty, to_garbage, to_long_line)


def spoil(machine, name, how):
    machine.remove(name)
    how(machine.root / name)


def files_of(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_symlink() or p.is_file())


def survives(machine, what, ways=((), ("--vfio",))):
    """A refused --user is an answer, too: its files may be what was spoilt."""
    for way in ways:
        done = subprocess.run([NPU, "doctor", "--json", "--root", str(machine.root), "--user", "joe", *way],
                              capture_output=True, text=True, errors="strict", timeout=60)
        assert done.returncode in (0, 1, 2), (what, done.returncode, done.stderr[-2000:])
        if done.returncode < 2:
            json.loads(done.stdout)


@test
def any_one_file_may_be_nonsense(tmp):
    random.seed(4)
    Machine(tmp / "whole")
    for i, name in enumerate(files_of(tmp / "whole")):
        for how in SPOILS:
            machine = Machine.__new__(Machine)
            machine.root = tmp / "spoilt"
            shutil.copytree(tmp / "whole", machine.root, symlinks=True)
            spoil(machine, name, how)
            survives(machine, (name, how.__name__), ways=((),))
            shutil.rmtree(machine.root)


@test
def all_files_may_be_nonsense(tmp):
    for seed in range(40):
        random.seed(seed)
        machine = Machine(tmp / str(seed), random.choice(list(IDS)))
        machine.vfio()
        for name in files_of(machine.root):
            if random.random() < 0.4:
                spoil(machine, name, random.choice(SPOILS))
        survives(machine, seed)


@test
def folders_may_be_full(tmp):
    machine = Machine(tmp)
    for i in range(9000):
        os.mkdir(tmp / f"sys/bus/pci/devices/{i:04x}:99:00.0")
    for i in range(30):
        shutil.copytree(tmp / machine.pci, tmp / f"sys/bus/pci/devices/0001:00:{i:02x}.0", symlinks=True)
    survives(machine, "many functions")


def main():
    passed = failed = 0
    for function in TESTS:
        try:
            with tempfile.TemporaryDirectory(prefix="npu-doctor-") as tmp:
                function(pathlib.Path(tmp))
            passed += 1
        except Exception:  # a failed test, whatever went wrong in it
            failed += 1
            print(f"FAILED {function.__name__}\n{traceback.format_exc()}")
    print(f"[  PASSED  ] {passed} test(s)." + (f"\n[  FAILED  ] {failed} test(s)." if failed else ""))
    sys.exit(1 if failed or not passed else 0)


main()
