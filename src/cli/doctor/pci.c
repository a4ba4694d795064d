// SPDX-License-Identifier: MIT
/* The PCI function: is it there, what is it, can it be reached?  SRC: P 1 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"

#define DEVICES "/sys/bus/pci/devices"

enum {
	CFG_BYTES = 64, /* what everybody may read */
	CFG_COMMAND = 4,
	CFG_COMMAND_MEMORY = 1u << 1,
	CFG_COMMAND_MASTER = 1u << 2,
};

/* --- finding it ---------------------------------------------------------------------------- */

static bool is_bdf(const char *name)
{
	size_t len = strlen(name);

	return len >= 12 && len < sizeof(((struct doctor_npu *)0)->bdf) &&
	       name[strspn(name, "0123456789abcdef:.")] == '\0';
}

static bool get(const struct doctor *d, const char *dir, const char *file, u32 *out)
{
	char path[DOCTOR_PATH];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return doctor_hex(d, path, out);
}

static bool on_function(void *opaque, const char *name)
{
	struct doctor *d = opaque;
	struct doctor_npu npu = { 0 };
	u32 vendor, device, val = 0;
	char path[DOCTOR_PATH];

	if (!is_bdf(name))
		return true;
	snprintf(npu.bdf, sizeof(npu.bdf), "%s", name);
	snprintf(npu.dir, sizeof(npu.dir), DEVICES "/%s", npu.bdf);
	if (!get(d, npu.dir, "vendor", &vendor) || vendor != REG_PCI_VENDOR_INTEL ||
	    !get(d, npu.dir, "device", &device))
		return true;
	npu.vendor = (u16)vendor;
	npu.device = (u16)device;
	get(d, npu.dir, "class", &npu.class_code);
	npu.gen = client_hw_by_pci(npu.vendor, npu.device, &npu.id);
	if (!npu.gen && npu.class_code != REG_PCI_CLASS_NPU)
		return true;
	get(d, npu.dir, "subsystem_vendor", &val);
	npu.sub_vendor = (u16)val;
	val = 0;
	get(d, npu.dir, "subsystem_device", &val);
	npu.sub_device = (u16)val;
	snprintf(path, sizeof(path), "%s/driver", npu.dir);
	doctor_link(d, path, npu.driver, sizeof(npu.driver));
	d->npus[d->nr_npus++] = npu;
	return d->nr_npus < DOCTOR_MAX_NPUS;
}

/*
 * Processors with an NPU, by family 6 model.
 * SRC: linux arch/x86/include/asm/intel-family.h METEORLAKE, _L, ARROWLAKE, _H, _U, LUNARLAKE_M,
 * PANTHERLAKE_L
 */
static const struct {
	u32 model;
	const char *name;
} processors[] = {
	{ 0xac, "Meteor Lake" },  { 0xaa, "Meteor Lake" }, { 0xc6, "Arrow Lake" },
	{ 0xc5, "Arrow Lake" },	  { 0xb5, "Arrow Lake" },  { 0xbd, "Lunar Lake" },
	{ 0xcc, "Panther Lake" },
};

struct cpu {
	bool intel;
	u32 family, model;
};

static bool on_cpu_line(void *opaque, const char *line)
{
	struct cpu *cpu = opaque;
	char key[32] = "";
	u32 val;

	if (strstr(line, "GenuineIntel"))
		cpu->intel = true;
	if (sscanf(line, "%31[a-z ?\t]: %u", key, &val) == 2) {
		/* the tab before the colon was made printable */
		if (!strncmp(key, "cpu family", 10))
			cpu->family = val;
		else if (!strncmp(key, "model", 5) && strncmp(key, "model name", 10) != 0)
			cpu->model = val;
	}
	return !(cpu->intel && cpu->family && cpu->model);
}

static const char *processor_name(const struct doctor *d)
{
	struct cpu cpu = { 0 };

	doctor_each_line(d, "/proc/cpuinfo", on_cpu_line, &cpu);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(processors); i++)
		if (cpu.intel && cpu.family == 6 && cpu.model == processors[i].model)
			return processors[i].name;
	return NULL;
}

static int compare_npus(const void *a, const void *b)
{
	return strcmp(((const struct doctor_npu *)a)->bdf, ((const struct doctor_npu *)b)->bdf);
}

void doctor_scan(struct doctor *d)
{
	int nr = doctor_each_entry(d, DEVICES, on_function, d);
	const char *cpu;

	if (nr < 0) {
		doctor_find(d, DOCTOR_NO_PCI, DEVICES, "%s", strerror(-nr));
		return;
	}
	qsort(d->npus, d->nr_npus, sizeof(d->npus[0]), compare_npus);
	if (d->nr_npus)
		return;
	cpu = processor_name(d);
	if (cpu)
		doctor_find(d, DOCTOR_NPU_HIDDEN, DEVICES,
			    "none of %d PCI functions is an NPU, yet the processor is %s", nr, cpu);
	else
		doctor_find(d, DOCTOR_NO_NPU, DEVICES, "none of %d PCI functions is an NPU", nr);
}

/* --- what it is ---------------------------------------------------------------------------- */

/* What vnpu says of itself; a real one has its board maker's. */
bool doctor_is_virtual(const struct doctor_npu *npu)
{
	return npu->sub_vendor == npu->vendor && npu->sub_device == npu->device;
}

void doctor_check_identity(struct doctor *d)
{
	const struct doctor_npu *npu = d->npu;

	if (!npu->gen) {
		doctor_find(d, DOCTOR_UNKNOWN_NPU, npu->dir, "%s is %04x:%04x, class 0x%06x",
			    npu->bdf, npu->vendor, npu->device, npu->class_code);
		return;
	}
	doctor_ok(d, "pci", npu->dir, "%s is %04x:%04x, %s (%s)", npu->bdf, npu->vendor,
		  npu->device, npu->id->product, npu->gen->name);
	if (npu->class_code != REG_PCI_CLASS_NPU)
		doctor_find(d, DOCTOR_WRONG_CLASS, npu->dir, "class 0x%06x, expected 0x%06x",
			    npu->class_code, REG_PCI_CLASS_NPU);
	if (doctor_is_virtual(npu))
		doctor_info(d, "pci", npu->dir,
			    "subsystem %04x:%04x: this looks like a virtual NPU (vnpu)",
			    npu->sub_vendor, npu->sub_device);
}

static bool is_on(const struct doctor *d)
{
	char path[DOCTOR_PATH], state[16];

	snprintf(path, sizeof(path), "%s/power_state", d->npu->dir);
	return !doctor_line(d, path, state, sizeof(state)) && !strcmp(state, "D0");
}

void doctor_check_config(struct doctor *d)
{
	char path[DOCTOR_PATH];
	u8 cfg[CFG_BYTES];
	u32 command;
	int nr;

	snprintf(path, sizeof(path), "%s/config", d->npu->dir);
	nr = doctor_read(d, path, cfg, sizeof(cfg));
	if (nr < CFG_BYTES) {
		doctor_info(d, "config", path, "cannot be read: %s",
			    nr < 0 ? strerror(-nr) : "too short");
		return;
	}
	if (cfg[0] == 0xff && cfg[1] == 0xff && cfg[2] == 0xff && cfg[3] == 0xff) {
		d->npus[d->npu - d->npus].gone = true;
		doctor_find(d, DOCTOR_GONE, path, "reads ffffffff");
		return;
	}
	command = cfg[CFG_COMMAND] | (u32)cfg[CFG_COMMAND + 1] << 8;
	if (!doctor_is_bound(d) || !is_on(d))
		doctor_ok(d, "config", path, "answers, command register 0x%04x", command);
	else if (!(command & CFG_COMMAND_MEMORY))
		doctor_find(d, DOCTOR_MEMORY_OFF, path, "command register 0x%04x", command);
	else if (!(command & CFG_COMMAND_MASTER))
		doctor_find(d, DOCTOR_MASTER_OFF, path, "command register 0x%04x", command);
	else
		doctor_ok(d, "config", path, "memory and bus mastering are on");
}

/* --- BARs ---------------------------------------------------------------------------------- */

struct bars {
	u32 nr;
	u64 size[REG_NR_BARS];
};

static bool on_resource(void *opaque, const char *line)
{
	struct bars *bars = opaque;
	u64 start, end, flags;

	if (bars->nr == REG_NR_BARS)
		return false;
	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) == 3 && start &&
	    end >= start)
		bars->size[bars->nr] = end - start + 1;
	bars->nr++;
	return true;
}

void doctor_check_bars(struct doctor *d)
{
	const struct reg_gen *gen = d->npu->gen;
	struct bars bars = { 0 };
	char path[DOCTOR_PATH];
	u32 bad = 0;
	int ret;

	snprintf(path, sizeof(path), "%s/resource", d->npu->dir);
	ret = doctor_each_line(d, path, on_resource, &bars);
	if (ret || !gen) {
		doctor_info(d, "bars", path, "not judged: %s",
			    ret ? strerror(-ret) : "the id is not known");
		return;
	}
	for (u32 i = 0; i < REG_NR_BARS; i++) {
		if (bars.size[i] >= gen->bar_size[i])
			continue;
		bad++;
		if (!bars.size[i])
			doctor_find(d, DOCTOR_BAR_MISSING, path, "BAR%u is not assigned", i);
		else
			doctor_find(d, DOCTOR_BAR_SMALL, path,
				    "BAR%u has %" PRIu64 " bytes, expected %" PRIu64, i,
				    bars.size[i], gen->bar_size[i]);
	}
	if (!bad)
		doctor_ok(d, "bars", path, "all register windows are assigned");
}

/* --- power, interrupt ---------------------------------------------------------------------- */

void doctor_check_power(struct doctor *d)
{
	char path[DOCTOR_PATH], status[24], state[24];

	if (d->npu->gone)
		return;
	snprintf(path, sizeof(path), "%s/power_state", d->npu->dir);
	doctor_line(d, path, state, sizeof(state));
	snprintf(path, sizeof(path), "%s/power/runtime_status", d->npu->dir);
	doctor_line(d, path, status, sizeof(status));
	if (!strcmp(status, "error"))
		doctor_find(d, DOCTOR_POWER_ERROR, path, "runtime power management: error");
	else if (!strcmp(state, "D3cold"))
		doctor_find(d, DOCTOR_D3COLD, path, "power state D3cold, runtime %s", status);
	else if (!state[0] && !status[0])
		doctor_info(d, "power", path, "the kernel does not tell");
	else
		doctor_ok(d, "power", path, "power state %s, runtime %s", state, status);
}

static bool on_any(void *opaque, const char *name)
{
	(void)name;
	*(bool *)opaque = true;
	return false;
}

static bool on_cmdline(void *opaque, const char *line)
{
	*(bool *)opaque = strstr(line, "pci=nomsi") != NULL;
	return false;
}

void doctor_check_irq(struct doctor *d)
{
	bool nomsi = false, have = false;
	char path[DOCTOR_PATH];

	doctor_each_line(d, "/proc/cmdline", on_cmdline, &nomsi);
	if (nomsi) {
		doctor_find(d, DOCTOR_MSI_OFF, "/proc/cmdline", "pci=nomsi is given");
		return;
	}
	if (!doctor_is_bound(d))
		return;
	snprintf(path, sizeof(path), "%s/msi_irqs", d->npu->dir);
	doctor_each_entry(d, path, on_any, &have);
	if (have)
		doctor_ok(d, "irq", path, "has its vector");
	else
		doctor_find(d, DOCTOR_MSI_OFF, path, "the driver has no vector");
}
