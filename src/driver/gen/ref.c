// SPDX-License-Identifier: MIT
/*
 * ref: the reference register map, the smallest NPU there can be.  SRC: design section 8.
 *
 *   power_up -> load_firmware -> set_firmware_address -> trigger_boot -> wait_for_ready
 *      ^                ^                                                     |
 *      |                \------------- boot error, at most 3 times ----------+
 *      \------------- fatal: power cycle (D3hot, D0), once ------------------/
 *
 *   then, for each job: submit -> the device moves its tail -> poll_completion
 *
 * docs/ref.md walks through this file.
 */
#include "driver/gen/ref.h"

#include <errno.h>
#include <string.h>

#include "driver/gen/rows.h"

#define R(name)	     DRV_REG(REF, name)
#define RF(reg, fld) REG_REF_##reg##__##fld

#define BOOT_RETRIES 3u /* SRC: design section 8: 2 to 3 times */
#define POWER_CYCLES 1u

/*
 * FW_STATUS: the upper half says what, the lower half which.
 */

struct status {
	const char *text;
	u16 code;
	enum abi_ref_class class;
	bool known;
};

static struct status status_of(u32 raw)
{
	static const struct {
		enum abi_ref_class class;
		const char *text;
	} classes[] = {
		{ ABI_REF_NOT_RESPONDING, "not responding" }, { ABI_REF_BOOTING, "booting" },
		{ ABI_REF_BOOT_STEP, "boot step" },	      { ABI_REF_READY, "ready" },
		{ ABI_REF_BOOT_ERROR, "boot error" },	      { ABI_REF_FATAL, "fatal" },
	};
	struct status s = { .text = "unknown", .code = (u16)raw };

	for (size_t i = 0; i < BASE_ARRAY_SIZE(classes); i++) {
		if (classes[i].class != (raw >> 16))
			continue;
		s.class = classes[i].class;
		s.text = classes[i].text;
		s.known = true;
	}
	return s;
}

static void status_text(u32 raw, char *buf, size_t size)
{
	struct status s = status_of(raw);

	snprintf(buf, size, "%s, code 0x%x", s.text, s.code);
}

/*
 * Power
 */

static bool is_fatal(const struct drv_dev *dev)
{
	return to_ref(dev)->fatal;
}

static bool is_polled(const struct drv_dev *dev)
{
	return dev->cfg.poll;
}

/* clang-format off */
#define POWER_UP(when_) \
	{ ROW(WRITE, FATAL, 0, "write CPR_RST_CLR = 1", "design section 8, power-up"), \
	  .reg = R(CPR_RST_CLR), .value = 1, .when = (when_) }, \
	{ ROW(POLL, FATAL, 0, "poll GEN_CTRL.POWER_ACK == 1", "design section 8, power-up"), \
	  .reg = R(GEN_CTRL), DRV_F(RF(GEN_CTRL, POWER_ACK), 1), DRV_LIMIT(rst_clr), \
	  .every_us = 1000, .when = (when_) }, \
	{ ROW(WRITE, FATAL, 0, "write GLOBAL_INT_MASK = 0", "design section 8, power-up"), \
	  .reg = R(GLOBAL_INT_MASK), .value = 0, .when = (when_) }

static const struct drv_step power_up_steps[] = { POWER_UP(NULL) };
/* clang-format on */

/* SRC: design section 8: what a fatal error asks for */
static int power_cycle(struct drv_dev *dev)
{
	drv_info(dev, PM, "power cycle after a fatal error of the firmware");
	return drv_pci_cycle(dev);
}

/*
 * Boot
 */

static u32 image_size(const struct drv_dev *dev)
{
	struct abi_ref_header h;

	memcpy(&h, dev->fw.image, sizeof(h));
	return h.image_size;
}

/* Image, boot parameters behind it, empty rings; what is between is zero. */
static int load_firmware(struct drv_dev *dev)
{
	struct ref *ref = to_ref(dev);
	u64 params = abi_ref_params_off(image_size(dev)), at = params + ABI_PAGE_SIZE;
	u8 *cpu = ref->dma.cpu;
	struct abi_ref_boot boot = { .entries = ABI_REF_RING_ENTRIES };

	memset(cpu, 0, ref->dma.size);
	memcpy(cpu, dev->fw.image, image_size(dev));
	for (u32 n = 0; n < ABI_REF_NR_RINGS; n++) {
		boot.ring[n] = ref->dma.segs[0].addr + at;
		ref_ring_init(&ref->ring[n], n, cpu + at, ABI_REF_RING_ENTRIES);
		at += ABI_REF_RING_ENTRIES * sizeof(struct abi_ref_slot);
	}
	memcpy(cpu + params, &boot, sizeof(boot));
	ref->fatal = false;
	ref->last_status = 0;
	dev->fw.boots++;
	dev->ops->wmb(dev->os); /* all of it before the doorbell that has it read */
	return 0;
}

static int set_firmware_address(struct drv_dev *dev)
{
	u64 addr = to_ref(dev)->dma.segs[0].addr;

	if (addr % ABI_PAGE_SIZE)
		return -EINVAL;
	drv_wr32(dev, R(LOADING_ADDR_LO), (u32)addr);
	drv_wr32(dev, R(LOADING_ADDR_HI), (u32)(addr >> 32));
	return 0;
}

static int trigger_boot(struct drv_dev *dev)
{
	drv_wr32(dev, R(HOST_2_DEVICE_DRBL), 1);
	return 0;
}

static void log_line(void *opaque, const char *text)
{
	drv_info((struct drv_dev *)opaque, FW, "%s", text);
}

/* Every register with its meaning: what a boot that failed leaves for the reader. */
static void dump_status(struct drv_dev *dev)
{
	drv_dump_registers(dev, log_line, dev);
}

static void log_change(struct drv_dev *dev, u32 raw)
{
	struct ref *ref = to_ref(dev);
	char text[48];

	if (raw == ref->last_status)
		return;
	ref->last_status = raw;
	status_text(raw, text, sizeof(text));
	drv_info(dev, FW, "FW_STATUS 0x%08x: %s", raw, text);
}

/* DRV_SEQ_AGAIN as long as another attempt is allowed. */
static int boot_failed(struct drv_dev *dev, const struct status *s)
{
	struct ref *ref = to_ref(dev);

	dump_status(dev);
	ref->fatal = s->class == ABI_REF_FATAL;
	if (ref->fatal)
		return ref->power_cycles++ < POWER_CYCLES ? DRV_SEQ_AGAIN : -EIO;
	return ref->boot_errors++ < BOOT_RETRIES ? DRV_SEQ_AGAIN : -EIO;
}

/* The interrupt of a change is cleared before the look: what comes after it is not lost. */
static int wait_for_ready(struct drv_dev *dev)
{
	struct status s;
	u32 raw;

	drv_wr32(dev, R(INTERRUPT_STAT), REG_MASK(RF(INTERRUPT_STAT, FW_STATUS)));
	raw = drv_rd32(dev, R(IPC_STATUS));
	if (raw == DRV_ALL_ONES)
		return -ENODEV;
	if (reg_fld_test(raw, RF(IPC_STATUS, BOOT_PENDING)))
		return -EAGAIN; /* FW_STATUS is the last attempt's */
	raw = drv_rd32(dev, R(FW_STATUS));
	if (raw == DRV_ALL_ONES)
		return -ENODEV;
	log_change(dev, raw);
	s = status_of(raw);
	if (s.known && s.class == ABI_REF_READY)
		return 0;
	if (s.known && (s.class == ABI_REF_BOOT_ERROR || s.class == ABI_REF_FATAL))
		return boot_failed(dev, &s);
	return -EAGAIN; /* unknown ones may pass, too */
}

static int begin_boot(struct drv_dev *dev)
{
	struct ref *ref = to_ref(dev);

	ref->boot_errors = ref->power_cycles = 0;
	ref->fatal = false;
	return 0;
}

/* clang-format off */
static const struct drv_step begin_steps[] = {
	CALL(begin_boot, "count the attempts anew", "design section 8"),
};

static const struct drv_step boot_steps[] = {
	{ ROW(CALL, FATAL, 0, "power cycle: D3hot, D0", "design section 8, fatal"),
	  .call = power_cycle, .when = is_fatal },
	POWER_UP(is_fatal),
	CALL(load_firmware, "copy the image, write the boot parameters", "design section 8, image"),
	CALL(set_firmware_address, "write LOADING_ADDR = the image", "design section 8, boot"),
	CALL(trigger_boot, "write HOST_2_DEVICE_DRBL = 1", "design section 8, boot"),
	{ ROW(CALL, FATAL, 0, "wait for FW_STATUS ready", "design section 8, boot"),
	  .call = wait_for_ready, DRV_LIMIT_MS(boot), .every_us = 10000 },
	{ ROW(WRITE, FATAL, 0, "write INTERRUPT_MASK: rings are polled", "design section 8"),
	  .reg = R(INTERRUPT_MASK), .when = is_polled,
	  .value = REG_MASK(RF(INTERRUPT_MASK, RING_0)) | REG_MASK(RF(INTERRUPT_MASK, RING_1)) },
};

/* What follows is D3hot, which ends everything. */
static const struct drv_step power_down_steps[] = {
	{ ROW(WRITE, WARN, 0, "write GLOBAL_INT_MASK = 1", "design section 8"),
	  .reg = R(GLOBAL_INT_MASK), .value = 1 },
};
/* clang-format on */

SEQ(power_up, power_up_steps);
SEQ(begin, begin_steps);
SEQ(boot, boot_steps);
SEQ(power_down, power_down_steps);
static const struct drv_seq nothing = { "nothing", NULL, 0 };
static const struct drv_seq configure = { "configure", NULL, 0 };

/*
 * Rings
 */

void ref_ring_init(struct ref_ring *ring, u32 n, void *slots, u32 entries)
{
	ring->slots = slots;
	ring->entries = entries;
	ring->head = ring->tail = 0;
	ring->doorbell = n ? R(DOORBELL_1) : R(DOORBELL_0);
	ring->tail_lo = REG_FLD_LO(n ? RF(STATUS, TAIL_1) : RF(STATUS, TAIL_0));
}

static u32 next(const struct ref_ring *ring, u32 slot)
{
	return (slot + 1) % ring->entries;
}

static u32 distance(const struct ref_ring *ring, u32 from, u32 to)
{
	return to >= from ? to - from : to + ring->entries - from;
}

/* The slot, then the doorbell: the device reads up to the head it was told. */
int ref_submit(struct drv_dev *dev, struct ref_ring *ring, const struct abi_job *job)
{
	u32 slot = ring->head;

	if (next(ring, slot) == ring->tail)
		return -EAGAIN; /* one slot stays empty */
	if (slot == ring->tail)
		ring->since_ns = dev->now_ns;
	ring->slots[slot].job = *job;
	ring->head = next(ring, slot);
	dev->ops->wmb(dev->os);
	drv_wr32(dev, ring->doorbell, ring->head);
	return (int)slot;
}

int ref_poll_completion(struct drv_dev *dev, struct ref_ring *ring)
{
	u32 status = drv_rd32(dev, R(STATUS)), slot = ring->tail;
	u32 tail = status >> ring->tail_lo & 0xffff;

	if (status == DRV_ALL_ONES)
		return -ENODEV;
	if (tail >= ring->entries || distance(ring, slot, tail) > distance(ring, slot, ring->head))
		return -EPROTO;
	if (tail == slot)
		return -EAGAIN;
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* the tail before the status it announces */
	ring->tail = next(ring, slot);
	ring->since_ns = dev->now_ns;
	return (int)slot;
}

void ref_look_at_firmware(struct drv_dev *dev)
{
	u32 raw = drv_rd32(dev, R(FW_STATUS));
	struct status s = status_of(raw);
	char text[48];

	if (raw == DRV_ALL_ONES) {
		drv_fail(dev, -ENODEV, "FW_STATUS reads all-ones: the device is gone");
		return;
	}
	log_change(dev, raw);
	if (s.known && s.class == ABI_REF_READY)
		return;
	status_text(raw, text, sizeof(text));
	dump_status(dev);
	drv_fail(dev, -EIO, "FW_STATUS is 0x%08x (%s), expected ready", raw, text);
}

/*
 * The generation
 */

/* One piece: the device reads image, boot parameters and rings at device addresses. */
static int init(struct drv_dev *dev, struct base_err *err)
{
	struct ref *ref = base_zalloc(sizeof(*ref));
	u64 size = abi_ref_params_off(image_size(dev)) + ABI_PAGE_SIZE +
		   ABI_REF_NR_RINGS * ABI_REF_RING_ENTRIES * sizeof(struct abi_ref_slot);
	int ret = ref ? dev->ops->dma_alloc(dev->os, size, ABI_PAGE_SIZE, OS_CACHE_WC,
					    dev->gen->dma_bits, OS_DMA_CONTIGUOUS, &ref->dma)
		      : -ENOMEM;

	if (ret) {
		base_free(ref);
		return base_err_set(err, ret, "%s: no memory for the firmware and the rings: %s",
				    dev->os->location, base_err_name(ret));
	}
	for (u32 n = 0; n < ABI_REF_NR_RINGS; n++)
		drv_list_init(&ref->ring[n].queues);
	dev->gen_priv = ref;
	return 0;
}

static void fini(struct drv_dev *dev)
{
	struct ref *ref = to_ref(dev);

	dev->ops->dma_free(dev->os, &ref->dma);
	base_free(ref);
	dev->gen_priv = NULL;
}

/* No fuses. */
static int probe(struct drv_dev *dev)
{
	return drv_rd32(dev, R(VPU_STATUS)) == DRV_ALL_ONES ? -ENODEV : 0;
}

static void meaning(const struct reg_desc *desc, u64 val, char *buf, size_t size)
{
	bool on = val & 1;

	switch (desc->off) {
	case REG_REF_FW_STATUS:
		status_text((u32)val, buf, size);
		return;
	case REG_REF_GEN_CTRL:
		snprintf(buf, size, on ? "powered up" : "no power-up acknowledge");
		return;
	case REG_REF_GLOBAL_INT_MASK:
		snprintf(buf, size, on ? "no interrupts" : "interrupts pass");
		return;
	case REG_REF_IPC_STATUS:
		snprintf(buf, size, on ? "the boot doorbell was not heard yet" : "nothing pending");
		return;
	case REG_REF_STATUS:
		snprintf(buf, size, "ring 0 done up to slot %u, ring 1 up to slot %u",
			 (u32)val & 0xffff, (u32)val >> 16);
		return;
	default:
		return;
	}
}

static const struct drv_gen_ops ops = {
	.probe = probe,
	.btrs_irq = ref_irq,
	.init = init,
	.fini = fini,
	.watchdog = ref_watchdog,
	.ctx_open = ref_ctx_open,
	.ctx_close = ref_ctx_close,
	.bo_open = ref_bo_open,
	.bo_close = ref_bo_close,
	.queue_open = ref_queue_open,
	.queue_close = ref_queue_close,
	.queue_publish = ref_queue_publish,
	.meaning = meaning,
};

/* There is one level of interrupts: what common code takes for the second is the first, read 0. */
static const struct drv_layout regs = {
	.int_stat = IO(R(INTERRUPT_STAT)),
	.int_global_mask = IO(R(GLOBAL_INT_MASK)),
	.icb_status = IO(R(INTERRUPT_STAT)),
	.icb_clear = IO(R(INTERRUPT_STAT)),
	.vpu_status = R(VPU_STATUS),
};

const struct drv_gen_info drv_gen_ref = {
	.gen = &reg_gen_ref,
	.regs = &regs,
	.seqs = {
		[DRV_SEQ_POWER_UP] = &power_up,
		[DRV_SEQ_MMU] = &begin,
		[DRV_SEQ_BOOT] = &boot,
		[DRV_SEQ_CONFIGURE] = &configure,
		[DRV_SEQ_POWER_DOWN] = &power_down,
		[DRV_SEQ_WDOG_OFF] = &nothing,
		[DRV_SEQ_SUSPEND] = &nothing, /* all is lost: the next boot is a cold one */
	},
	.ops = &ops,
};
