// SPDX-License-Identifier: MIT
/*
 * The NPU's MMU: stream table, context descriptors, command and event queue.  SRC: P 8.
 *
 * Invalidation: changes are collected (which SSIDs, whether descriptors) and go out as one batch
 * that ends in a SYNC.  One batch is in flight at most; what changes meanwhile goes with the next.
 *
 *   idle -> batch written -> CMDQ_CONS caught up -> idle, or the next batch
 *                 \-> 200 us without: the timer looks again, 100 ms without: the device fails
 *
 * While a batch is in flight no doorbell is rung (queue.c), and buffers that were unmapped keep
 * their memory (zombies).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "driver/mmio.h"

#define M(name) DRV_REG(MMU, name)

/* Offsets in the one allocation.  SRC: P 8.2 */
#define CD_OFF	   0u
#define CD_SIZE	   (ABI_MMU_CD_ENTRIES * ABI_MMU_CD_SIZE)
#define STRTAB_OFF CD_SIZE
#define CMDQ_OFF   (STRTAB_OFF + 1024u)
#define EVTQ_OFF   (CMDQ_OFF + 1024u)
#define ALL_SIZE   (CD_SIZE + 4096u)

#define Q_BASE_RWA BASE_BIT64(62) /* SRC: P 8.1 */

/* TLBI commands of one batch: CFGI_ALL, SYNC and one free slot have room beside them. */
#define BATCH_MAX (ABI_MMU_Q_ENTRIES - 3)

int drv_mmu_init(struct drv_dev *dev)
{
	struct drv_mmu *mmu = &dev->mmu;
	u8 *base;
	int ret;

	drv_list_init(&mmu->zombies);
	/* 64 KiB aligned: the CD table must be aligned to its size */
	ret = dev->ops->dma_alloc(dev->os, ALL_SIZE, 0x10000, OS_CACHE_WC, dev->gen->dma_bits,
				  OS_DMA_CONTIGUOUS, &mmu->dma);
	if (ret)
		return ret;
	base = mmu->dma.cpu;
	mmu->cds = (void *)(base + CD_OFF);
	mmu->strtab = (void *)(base + STRTAB_OFF);
	mmu->cmdq = (void *)(base + CMDQ_OFF);
	mmu->evtq = (void *)(base + EVTQ_OFF);
	for (u32 i = 0; i < ABI_MMU_STRTAB_ENTRIES; i++) {
		if (i != ABI_MMU_STREAM_ID0 && i != ABI_MMU_STREAM_ID3)
			continue;
		mmu->strtab[i].w[0] = ABI_MMU_STE0 | (mmu->dma.segs[0].addr + CD_OFF);
		mmu->strtab[i].w[1] = ABI_MMU_STE1;
	}
	return 0;
}

static bool in_flight(const struct drv_dev *dev)
{
	return dev->hold & DRV_HOLD_MMU;
}

static bool wanted(const struct drv_mmu *mmu)
{
	bool any = mmu->cfgi;

	for (u32 i = 0; i < BASE_ARRAY_SIZE(mmu->dirty); i++)
		any |= mmu->dirty[i] != 0;
	return any;
}

void drv_mmu_reap(struct drv_dev *dev)
{
	struct drv_mmu *mmu = &dev->mmu;

	if (dev->dma_live && (!mmu->on || in_flight(dev) || wanted(mmu)))
		return;
	while (!drv_list_empty(&mmu->zombies)) {
		struct drv_bo *bo = base_container_of(mmu->zombies.next, struct drv_bo, link);

		drv_list_del(&bo->link);
		drv_bo_release(dev, bo);
	}
	while (mmu->zombie_roots) {
		struct drv_pt *root = mmu->zombie_roots;

		mmu->zombie_roots = root->zombie;
		drv_pt_destroy(dev, root);
	}
}

void drv_mmu_drop_bo(struct drv_dev *dev, u32 ssid, struct drv_bo *bo)
{
	bo->ctx = NULL;
	drv_list_add(&dev->mmu.zombies, &bo->link);
	drv_mmu_invalidate(dev, ssid);
	drv_mmu_reap(dev);
}

void drv_mmu_drop_tables(struct drv_dev *dev, u32 ssid, struct drv_pt *root)
{
	root->zombie = dev->mmu.zombie_roots;
	dev->mmu.zombie_roots = root;
	drv_mmu_invalidate(dev, ssid);
	drv_mmu_reap(dev);
}

void drv_mmu_fini(struct drv_dev *dev)
{
	if (!dev->mmu.dma.cpu)
		return;
	drv_mmu_reap(dev);
	dev->ops->dma_free(dev->os, &dev->mmu.dma);
	dev->mmu.dma.cpu = NULL;
}

void drv_mmu_off(struct drv_dev *dev)
{
	struct drv_mmu *mmu = &dev->mmu;

	mmu->on = false;
	dev->hold &= ~(u32)DRV_HOLD_MMU;
	drv_timer_set(dev, DRV_TIMER_MMU, DRV_NO_TIME);
	mmu->cfgi = false;
	memset(mmu->dirty, 0, sizeof(mmu->dirty));
}

static void put_cmd(struct drv_mmu *mmu, u64 w0, u64 w1)
{
	struct abi_mmu_cmd *cmd = &mmu->cmdq[ABI_MMU_Q_SLOT(mmu->prod)];

	cmd->w[0] = w0;
	cmd->w[1] = w1;
	mmu->prod = ABI_MMU_Q_NEXT(mmu->prod);
}

/* The queue is empty: write what is wanted, as far as it fits, and a SYNC. */
static void send_batch(struct drv_dev *dev)
{
	struct drv_mmu *mmu = &dev->mmu;
	u32 nr = 0;

	if (mmu->cfgi)
		put_cmd(mmu, ABI_MMU_OP_CFGI_ALL, ABI_MMU_CFGI_ALL_RANGE);
	mmu->cfgi = false;
	for (u32 ssid = 0; ssid < DRV_NR_SSIDS && nr < BATCH_MAX; ssid++) {
		if (!(mmu->dirty[ssid / 64] & BASE_BIT64(ssid % 64)))
			continue;
		mmu->dirty[ssid / 64] &= ~BASE_BIT64(ssid % 64);
		put_cmd(mmu, ABI_MMU_OP_TLBI_NH_ASID | (u64)ssid << ABI_MMU_TLBI_ASID_SHIFT, 0);
		nr++;
	}
	put_cmd(mmu, ABI_MMU_OP_SYNC, 0);
	dev->ops->wmb(dev->os); /* tables and commands before the index that makes them valid */
	drv_wr32(dev, M(CMDQ_PROD), mmu->prod);
	dev->hold |= DRV_HOLD_MMU;
	mmu->deadline_ns = drv_clock(dev) + dev->gen->timeouts.mmu_cmdq_us * BASE_NS_PER_US;
	mmu->pause_ns = 50 * BASE_NS_PER_US;
}

/* Has the unit caught up?  0, -EAGAIN, or the device failed. */
static int look(struct drv_dev *dev)
{
	struct drv_mmu *mmu = &dev->mmu;
	u32 cons = drv_rd32(dev, M(CMDQ_CONS));

	if (cons == DRV_ALL_ONES) {
		drv_fail(dev, -ENODEV, "CMDQ_CONS reads all-ones: the device is gone");
		return -ENODEV;
	}
	if (reg_fld_get(cons, REG_MMU_CMDQ_CONS__ERR)) {
		drv_fail(dev, -EIO, "the MMU refused a command: CMDQ_CONS 0x%08x, error %u", cons,
			 reg_fld_get(cons, REG_MMU_CMDQ_CONS__ERR));
		return -EIO;
	}
	if (reg_fld_get(cons, REG_MMU_CMDQ_CONS__VAL) == mmu->prod)
		return 0;
	if (dev->now_ns < mmu->deadline_ns)
		return -EAGAIN;
	drv_fail(
		dev, -ETIMEDOUT,
		"the MMU did not finish its commands: CMDQ_CONS 0x%08x, expected 0x%x within %u us",
		cons, mmu->prod, dev->gen->timeouts.mmu_cmdq_us);
	return -ETIMEDOUT;
}

static void batch_done(struct drv_dev *dev)
{
	dev->hold &= ~(u32)DRV_HOLD_MMU;
	drv_timer_set(dev, DRV_TIMER_MMU, DRV_NO_TIME);
	drv_mmu_reap(dev);
}

/* Spin a little, then leave it to the timer. */
static int spin(struct drv_dev *dev)
{
	u64 end = dev->now_ns + DRV_POLL_SPIN_NS;

	for (;;) {
		int ret = look(dev);

		if (ret != -EAGAIN)
			return ret;
		if (dev->now_ns >= end)
			break;
		dev->ops->delay_ns(dev->os, DRV_POLL_STEP_NS);
		drv_clock(dev);
	}
	drv_timer_set(dev, DRV_TIMER_MMU, dev->now_ns + dev->mmu.pause_ns);
	dev->mmu.pause_ns = base_min(dev->mmu.pause_ns * 2, DRV_POLL_MAX_NS);
	return -EAGAIN;
}

static void flush(struct drv_dev *dev)
{
	struct drv_mmu *mmu = &dev->mmu;

	while (mmu->on && !in_flight(dev) && wanted(mmu)) {
		send_batch(dev);
		if (spin(dev))
			return;
		batch_done(dev);
	}
}

void drv_mmu_timer(struct drv_dev *dev)
{
	if (!in_flight(dev) || dev->now_ns < dev->timers[DRV_TIMER_MMU])
		return;
	if (spin(dev))
		return;
	batch_done(dev);
	flush(dev);
	if (!in_flight(dev))
		drv_queues_publish(dev);
}

void drv_mmu_invalidate(struct drv_dev *dev, u32 ssid)
{
	if (!dev->mmu.on)
		return;
	dev->mmu.dirty[ssid / 64] |= BASE_BIT64(ssid % 64);
	flush(dev);
}

static void cd_changed(struct drv_dev *dev)
{
	if (!dev->mmu.on)
		return;
	dev->mmu.cfgi = true;
	flush(dev);
}

void drv_mmu_set_cd(struct drv_dev *dev, u32 ssid, const struct drv_pt *root)
{
	struct abi_mmu_cd *cd = &dev->mmu.cds[ssid];
	u64 w0 = ssid < dev->gen->ssid_first ? ABI_MMU_CD0_SYSTEM : ABI_MMU_CD0_USER;

	w0 |= (u64)ssid << ABI_MMU_CD0_ASID_SHIFT;
	if (!root) {
		cd->w[0] = w0 & ~ABI_MMU_CD0_V; /* SRC: P 8.2: rewritten with V = 0, root 0 */
		cd->w[1] = 0;
	} else {
		cd->w[1] = root->dma.segs[0].addr & ABI_MMU_CD1_TTB0_MASK;
		cd->w[2] = 0;
		cd->w[3] = ABI_MMU_CD3_MAIR;
		dev->ops->wmb(dev->os); /* the other words before the one with V */
		cd->w[0] = w0;
	}
	cd_changed(dev);
}

void drv_mmu_silence(struct drv_dev *dev, u32 ssid)
{
	u64 *w0 = &dev->mmu.cds[ssid].w[0];

	/* in one store: the device may be looking */
	__atomic_store_n(w0, *w0 & ~ABI_MMU_CD0_R, __ATOMIC_RELAXED);
	cd_changed(dev);
}

static const char *event_name(u32 type)
{
	static const struct {
		u32 type;
		const char *name;
	} names[] = {
		{ ABI_MMU_EVT_C_BAD_STREAMID, "C_BAD_STREAMID" },
		{ ABI_MMU_EVT_C_BAD_STE, "C_BAD_STE" },
		{ ABI_MMU_EVT_C_BAD_SUBSTREAMID, "C_BAD_SUBSTREAMID" },
		{ ABI_MMU_EVT_C_BAD_CD, "C_BAD_CD" },
		{ ABI_MMU_EVT_F_WALK_EABT, "F_WALK_EABT" },
		{ ABI_MMU_EVT_F_TRANSLATION, "F_TRANSLATION" },
		{ ABI_MMU_EVT_F_ADDR_SIZE, "F_ADDR_SIZE" },
		{ ABI_MMU_EVT_F_ACCESS, "F_ACCESS" },
		{ ABI_MMU_EVT_F_PERMISSION, "F_PERMISSION" },
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return "other";
}

static void one_event(struct drv_dev *dev, const struct abi_mmu_event *ev)
{
	u32 ssid = ABI_MMU_EVT_SSID(ev->id);
	u32 type = ABI_MMU_EVT_TYPE(ev->id);
	u64 addr = (u64)ev->input_hi << 32 | ev->input_lo;

	dev->mmu_faults++;
	if (ssid < dev->gen->ssid_first) {
		drv_fail(
			dev, -EIO,
			"the firmware's address space (SSID %u) faulted: %s (0x%02x) at 0x%" PRIx64,
			ssid, event_name(type), type, addr);
		return;
	}
	drv_warn(dev, MMU, "SSID %u faulted: %s (0x%02x) at 0x%" PRIx64, ssid, event_name(type),
		 type, addr);
	if (ssid >= DRV_NR_SSIDS || !dev->ctxs[ssid]) {
		drv_warn(dev, MMU, "no context has SSID %u", ssid);
		return;
	}
	drv_ctx_abort(dev->ctxs[ssid]);
}

void drv_mmu_events(struct drv_dev *dev)
{
	struct drv_mmu *mmu = &dev->mmu;
	u32 prod = drv_rd32(dev, M(EVTQ_PROD_SEC));

	if (prod == DRV_ALL_ONES) {
		drv_fail(dev, -ENODEV, "EVTQ_PROD reads all-ones: the device is gone");
		return;
	}
	for (u32 i = 0; i < ABI_MMU_Q_ENTRIES && !ABI_MMU_Q_EMPTY(prod, mmu->evt_cons); i++) {
		/* copied: the device may be writing the next one */
		struct abi_mmu_event ev = mmu->evtq[ABI_MMU_Q_SLOT(mmu->evt_cons)];

		mmu->evt_cons = ABI_MMU_Q_NEXT(mmu->evt_cons);
		one_event(dev, &ev);
		if (!drv_is_up(dev))
			return;
	}
	drv_wr32(dev, M(EVTQ_CONS_SEC), mmu->evt_cons);
}

/* Logged and acknowledged, no recovery; SRC: P 8.9 */
void drv_mmu_gerror(struct drv_dev *dev)
{
	u32 err = drv_rd32(dev, M(GERROR));
	u32 ack = drv_rd32(dev, M(GERRORN));

	dev->gerrors++;
	drv_err(dev, MMU, "global error: GERROR 0x%08x GERRORN 0x%08x", err, ack);
	drv_wr32(dev, M(GERRORN), err);
}

/*
 * The enable handshake, P 8.3.
 */

/* Who is it?  Told, as Linux does; nothing depends on it.  SRC: P 8.1 */
static int compare_id(struct drv_dev *dev)
{
	static const struct {
		u32 reg, want;
	} ids[] = {
		{ M(IDR0), 0x080f3e0f },
		{ M(IDR1), 0x0e739d18 },
		{ M(IDR3), 0x0000003c },
		{ M(IDR5), 0x00040070 },
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(ids); i++) {
		u32 val = drv_rd32(dev, ids[i].reg);
		char name[96];

		if (val != ids[i].want)
			drv_dbg(dev, MMU, "%s reads 0x%08x, expected 0x%08x",
				drv_reg_name(dev, ids[i].reg, name, sizeof(name)), val,
				ids[i].want);
	}
	return 0;
}

static u64 strtab_base(const struct drv_dev *dev)
{
	return (dev->mmu.dma.segs[0].addr + STRTAB_OFF) | REG_MASK64(REG_MMU_STRTAB_BASE__RA);
}

static u64 cmdq_base(const struct drv_dev *dev)
{
	return (dev->mmu.dma.segs[0].addr + CMDQ_OFF) | Q_BASE_RWA | ABI_MMU_Q_LOG2;
}

static u64 evtq_base(const struct drv_dev *dev)
{
	return (dev->mmu.dma.segs[0].addr + EVTQ_OFF) | Q_BASE_RWA | ABI_MMU_Q_LOG2;
}

static u64 cmdq_prod(const struct drv_dev *dev)
{
	return dev->mmu.prod;
}

static int queues_reset(struct drv_dev *dev)
{
	drv_mmu_off(dev);
	dev->mmu.prod = 0;
	dev->mmu.evt_cons = 0;
	memset(dev->mmu.cmdq, 0, ABI_MMU_Q_ENTRIES * ABI_MMU_CMD_SIZE);
	memset(dev->mmu.evtq, 0, ABI_MMU_Q_ENTRIES * ABI_MMU_EVT_SIZE);
	dev->ops->wmb(dev->os);
	return 0;
}

static int put_invalidate_all(struct drv_dev *dev)
{
	put_cmd(&dev->mmu, ABI_MMU_OP_CFGI_ALL, ABI_MMU_CFGI_ALL_RANGE);
	put_cmd(&dev->mmu, ABI_MMU_OP_TLBI_NSNH_ALL, 0);
	put_cmd(&dev->mmu, ABI_MMU_OP_SYNC, 0);
	dev->ops->wmb(dev->os); /* commands before the index that makes them valid */
	return 0;
}

static int switched_on(struct drv_dev *dev)
{
	dev->mmu.on = true;
	return 0;
}

#define CR0_CMDQ   REG_MASK(REG_MMU_CR0__CMDQEN)
#define CR0_EVTQ   (CR0_CMDQ | REG_MASK(REG_MMU_CR0__EVTQEN))
#define CR0_ATSCHK (CR0_EVTQ | REG_MASK(REG_MMU_CR0__ATSCHK))
#define CR0_ON	   (CR0_ATSCHK | REG_MASK(REG_MMU_CR0__SMMUEN))
#define IRQS_ON	   (REG_MASK(REG_MMU_IRQ_CTRL__GERROR_EN) | REG_MASK(REG_MMU_IRQ_CTRL__EVTQ_EN))

/* clang-format off */
#define STEP(o, t, s) .op = DRV_STEP_##o, .text = (t), .source = (s)
#define WR(reg_, val, src) \
	{ STEP(WRITE, "write MMU " #reg_ " = " #val, src), .reg = M(reg_), .value = (val) }
#define ACK(reg_, val, src) \
	{ STEP(POLL, "poll MMU " #reg_ " == " #val, src), .reg = M(reg_), .mask = 0xffffffff, \
	  .value = (val), DRV_LIMIT(mmu_reg) }
#define BASE(reg_, fn, src) \
	{ STEP(WRITE64, "write MMU " #reg_, src), .reg = M(reg_), .dyn = (fn) }
#define MCALL(fn, what, src) { STEP(CALL, what, src), .call = (fn) }
#define SYNC(src) \
	MCALL(put_invalidate_all, "queue CFGI_ALL, TLBI_NSNH_ALL, SYNC", src), \
	{ STEP(WRITE, "write MMU CMDQ_PROD", src), .reg = M(CMDQ_PROD), .dyn = cmdq_prod }, \
	{ STEP(POLL, "poll MMU CMDQ_CONS == CMDQ_PROD", src), .reg = M(CMDQ_CONS), \
	  .mask = REG_MASK(REG_MMU_CMDQ_CONS__VAL) | REG_MASK(REG_MMU_CMDQ_CONS__ERR), \
	  .dyn = cmdq_prod, DRV_LIMIT(mmu_cmdq) }

static const struct drv_step steps[] = {
	MCALL(compare_id, "compare the identification", "P 8.1"),
	MCALL(queues_reset, "empty the MMU queues", "P 8.3"),
	WR(CR0, 0, "P 8.3 #1"),
	ACK(CR0ACK, 0, "P 8.3 #1"),
	WR(CR1, ABI_MMU_CR1, "P 8.3 #2"),
	BASE(STRTAB_BASE, strtab_base, "P 8.3 #3"),
	WR(STRTAB_BASE_CFG, ABI_MMU_STRTAB_LOG2, "P 8.3 #3"),
	BASE(CMDQ_BASE, cmdq_base, "P 8.3 #4"),
	WR(CMDQ_PROD, 0, "P 8.3 #4"),
	WR(CMDQ_CONS, 0, "P 8.3 #4"),
	WR(CR0, CR0_CMDQ, "P 8.3 #5"),
	ACK(CR0ACK, CR0_CMDQ, "P 8.3 #5"),
	SYNC("P 8.3 #6"),
	BASE(EVTQ_BASE, evtq_base, "P 8.3 #7"),
	WR(EVTQ_PROD_SEC, 0, "P 8.3 #7"),
	WR(EVTQ_CONS_SEC, 0, "P 8.3 #7"),
	WR(CR0, CR0_EVTQ, "P 8.3 #8"),
	ACK(CR0ACK, CR0_EVTQ, "P 8.3 #8"),
	WR(CR0, CR0_ATSCHK, "P 8.3 #9"),
	ACK(CR0ACK, CR0_ATSCHK, "P 8.3 #9"),
	WR(IRQ_CTRL, 0, "P 8.3 #10"),
	ACK(IRQ_CTRLACK, 0, "P 8.3 #10"),
	WR(IRQ_CTRL, IRQS_ON, "P 8.3 #11"),
	ACK(IRQ_CTRLACK, IRQS_ON, "P 8.3 #11"),
	WR(CR0, CR0_ON, "P 8.3 #12"),
	ACK(CR0ACK, CR0_ON, "P 8.3 #12"),
	SYNC("P 8.3 #13"),
	MCALL(switched_on, "translations are in force", "P 8.3"),
};
/* clang-format on */

const struct drv_seq drv_seq_mmu = { "mmu", steps, BASE_ARRAY_SIZE(steps) };
