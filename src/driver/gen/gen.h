/* SPDX-License-Identifier: MIT */
/*
 * What differs between generations: data first, verbs where data does not do.  A generation is one
 * file here that ends in one struct drv_gen_info, and one line in gen.c.
 */
#ifndef DRIVER_GEN_GEN_H
#define DRIVER_GEN_GEN_H

#include "driver/seq.h"

struct abi_boot_params;
struct base_err;
struct drv_bo;
struct drv_bo_spec;
struct drv_ctx;
struct drv_queue;
struct reg_desc;

/* A register of the submit and interrupt paths, taken apart beforehand. */
struct drv_io {
	u32 bar, off;
};

/* Registers common code touches, by what they are for. */
struct drv_layout {
	struct drv_io int_stat, int_global_mask;
	struct drv_io icb_status, icb_clear;
	struct drv_io fifo_stat, fifo_pop, fifo_push;
	struct drv_io doorbell; /* of index 0 */
	u32 doorbell_stride;
	u32 vpu_status;	  /* DRV_REG() */
	u32 pll_ratio;	  /* DRV_REG(), the ratio in bits 15:0; 0 = there is none */
	u32 perf_counter; /* DRV_REG(), 64 bits */
};

enum drv_seq_id {
	DRV_SEQ_POWER_UP,   /* P 3.4 */
	DRV_SEQ_MMU,	    /* P 8.3 */
	DRV_SEQ_BOOT,	    /* P 3.6 */
	DRV_SEQ_CONFIGURE,  /* P 7.3: what the firmware is told before jobs */
	DRV_SEQ_POWER_DOWN, /* P 3.9 */
	DRV_SEQ_WDOG_OFF,   /* P 3.8 */
	DRV_SEQ_SUSPEND,    /* P 11.1, before the power-down */
	DRV_SEQ_RECOVER,    /* P 11.4, likewise; NULL: nothing to ask or to read */
	DRV_NR_SEQS,
};

#define DRV_IRQ_DONE 1

struct drv_gen_ops {
	/* Fuses and the like, once: dev->freq, tile_fuse, perf_clk_hz. */
	int (*probe)(struct drv_dev *dev);
	/* INTERRUPT_STAT, where it is read first, is @stat: log, clear, act.  0; DRV_IRQ_DONE when
	 * there is no second level to look at; -EIO when the device cannot go on. */
	int (*btrs_irq)(struct drv_dev *dev, u32 stat);
	/* Boot parameters that only this generation has; the page is filled with the common ones. */
	void (*boot_params)(struct drv_dev *dev, struct abi_boot_params *bp);

	/* DRV_VPU_OPS: what all generations with Intel's firmware protocol do alike. */

	/* Memory the device has for its life; init() that fails leaves none. */
	int (*init)(struct drv_dev *dev, struct base_err *err);
	void (*fini)(struct drv_dev *dev);
	/* dev->tdr_ns may be over; not before jobs are under way. */
	void (*watchdog)(struct drv_dev *dev);
	/* Address space of a context; close() may free later. */
	int (*ctx_open)(struct drv_ctx *ctx);
	void (*ctx_close)(struct drv_ctx *ctx);
	/* Memory and address of a buffer: fills in @bo; close() frees @bo, maybe later. */
	int (*bo_open)(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo *bo);
	void (*bo_close)(struct drv_bo *bo);
	/* What a queue has beside its completions: its ring, how the device is told. */
	int (*queue_open)(struct drv_queue *queue);
	void (*queue_close)(struct drv_queue *queue);
	/* Jobs of queues in state DRV_QUEUE_SHARED; NULL: no queue is ever in it. */
	void (*queue_publish)(struct drv_queue *queue);
	/* What @val of a register means, in words, "" when its fields say it all; may be NULL. */
	void (*meaning)(const struct reg_desc *desc, u64 val, char *buf, size_t size);
};

#define DRV_VPU_OPS                                                                               \
	.init = drv_vpu_init, .fini = drv_vpu_fini, .watchdog = drv_jsm_tdr,                      \
	.ctx_open = drv_mmu_ctx_open, .ctx_close = drv_mmu_ctx_close, .bo_open = drv_mmu_bo_open, \
	.bo_close = drv_mmu_bo_close, .queue_open = drv_jobq_open, .queue_close = drv_jobq_close

struct drv_gen_info {
	const struct reg_gen *gen;
	const struct drv_layout *regs;
	const char *const
		*fw_extra; /* more names below the firmware directories, NULL at the end */
	const struct drv_seq *seqs[DRV_NR_SEQS];
	const struct drv_gen_ops *ops;
	bool warm_at_cold_entry; /* a warm boot starts at the image's entry; SRC: P 5.3 */
	bool hw_sched_only;	 /* asking for OS scheduling is overridden; SRC: P 4.5 */
	u8 keep_clock_below_rev; /* PCI revisions below it must not relinquish the clock; P 1.1 */
};

/** drv_gen_find() - the driver's half of @gen; NULL when there is none. */
const struct drv_gen_info *drv_gen_find(const struct reg_gen *gen);

/** drv_gen_set_ratios() - PLL ratios, clamped so that 0 <= min <= Pn <= max, as Linux does; P 2.3 */
void drv_gen_set_ratios(struct drv_dev *dev, u32 min, u32 pn, u32 max);
/** drv_gen_check_platform() - say so when the device is no silicon, or nonsense; P 2.3 */
void drv_gen_check_platform(struct drv_dev *dev, u32 platform);

/* sequences all generations share */
extern const struct drv_seq drv_seq_mmu, drv_seq_configure;

extern const struct drv_gen_info drv_gen_npu37;
extern const struct drv_gen_info drv_gen_npu40;
extern const struct drv_gen_info drv_gen_npu50;
extern const struct drv_gen_info drv_gen_npu60;
extern const struct drv_gen_info drv_gen_ref;

#endif
