/* SPDX-License-Identifier: MIT */
/*
 * Data of a hardware generation that driver and model share.  Behaviour is not here: the driver's
 * verbs are in src/driver/gen/, the model's in src/vnpu/gen/.  A new generation is one more
 * struct reg_gen in gen.c, plus .def rows where the register layout differs.
 *
 * P = the protocol reference.
 */
#ifndef REGS_GEN_H
#define REGS_GEN_H

#include "base/types.h"
#include "regs/regs.h"

#define REG_PCI_VENDOR_INTEL 0x8086
/** class, subclass, programming interface of every NPU; SRC: P 1.2 */
#define REG_PCI_CLASS_NPU 0x120000

#define REG_NR_BARS	6
#define REG_GEN_MAX_IDS 4
#define REG_GEN_MAX_FW	4
#define REG_GEN_MAX_BLK 6

/** struct reg_pci_id - one product; @code: its usual three letters */
struct reg_pci_id {
	u16 device;
	const char *product;
	const char *code;
};

/** struct reg_range - addresses start (inclusive) to end (exclusive) */
struct reg_range {
	u64 start;
	u64 end;
};

/** reg_range_has() - is [addr, addr + len) inside @r?  No overflow; len 0 is allowed. */
static inline bool reg_range_has(const struct reg_range *r, u64 addr, u64 len)
{
	return addr >= r->start && addr <= r->end && len <= r->end - addr;
}

/** struct reg_va - NPU address ranges; SRC: P 9.1, linux 7.2 ivpu_hw.c memory_ranges_init */
struct reg_va {
	struct reg_range runtime; /* SSID 0: firmware, boot parameters */
	struct reg_range global;  /* SSID 0: IPC, logs, job queues */
	struct reg_range user;	  /* user SSIDs */
	struct reg_range shave;	  /* both */
	struct reg_range dma;	  /* user SSIDs; may equal user */
};

/** struct reg_timeouts - silicon column of P 2.7, and the poll limits of P 3.10 */
struct reg_timeouts {
	u32 boot_ms;
	u32 jsm_ms;
	u32 tdr_ms;
	u32 inference_ms;
	u32 autosuspend_ms;
	u32 d0i3_entry_msg_ms;
	u32 state_dump_msg_ms;
	u32 wp_us;
	u32 d0i3_us;
	u32 ip_reset_us;
	u32 rst_clr_us;
	u32 pwr_island_us;
	u32 mmu_reg_us;
	u32 mmu_cmdq_us;
	u32 idle_us;
};

/** struct reg_copy_desc - layout of a COPY command's descriptor; SRC: P 10.8 */
struct reg_copy_desc {
	u16 size_bytes; /* of one descriptor */
	u16 len_off;	/* u32 */
	u16 src_off;	/* u64 */
	u16 dst_off;	/* u64 */
	u16 tail_bytes; /* that must be readable behind the last descriptor */
	u8 addr_bits;	/* source and destination below 2^addr_bits */
	u32 len_max;	/* of one descriptor */
	u32 count_max;	/* descriptors of one command */
};

/** struct reg_pwr_delay - power island delays; SRC: P 3.5 */
struct reg_pwr_delay {
	u8 post, post1, post2;
	u8 status;
};

/** enum reg_fence_cmp - when FENCE_WAIT continues; SRC: P 10.8 */
enum reg_fence_cmp {
	REG_FENCE_GE, /* memory >= value */
	REG_FENCE_GT, /* memory >  value */
};

/** enum reg_btrs_kind - buttress layout */
enum reg_btrs_kind {
	REG_BTRS_NONE,
	REG_BTRS_MTL,
	REG_BTRS_LNL,
};

/** enum reg_fw_format - of firmware images */
enum reg_fw_format {
	REG_FW_VPU, /* Intel's; P 4 */
	REG_FW_REF, /* design section 8 */
	REG_NR_FW_FORMATS,
};

/**
 * struct reg_gen - everything that is data about a generation
 * @name:             "npu37"; the name in device strings
 * @ip_name:          "37xx"; also the infix of firmware file names
 * @ip_gen:           37; may be printed anywhere, compared only under gen/
 * @btrs_kind:        layout of the buttress
 * @ids:              PCI device ids; ends at product NULL
 * @dma_bits:         device addresses are below 2^dma_bits
 * @bar_size:         sizes a model gives its BARs and a driver needs at least; 0 = no such BAR
 * @blocks:           register blocks, NULL terminated
 * @va:               address ranges
 * @fw_format:        enum reg_fw_format
 * @fw_names:         below the firmware directories, best first, NULL terminated
 * @fw_mark:          what the version text of Intel's images says, NULL = not known
 * @fmin_ratio:       fuse values of the model; invented but consistent, P 2.3
 * @pn_ratio:         as above
 * @fmax_ratio:       as above
 * @tile_fuse:        disabled tiles, boot parameter feature_exclusion
 * @tile_mask:        tiles the part has, P 12.8
 * @sku:              boot parameter sku
 * @wp_config_on:     WP_REQ_PAYLOAD2.CONFIG of a workpoint that is on; 0 when off
 * @wp_epp:           WP_REQ_PAYLOAD1.EPP
 * @wp_cdyn_on:       CDYN of a workpoint that is on; 0 where there is none
 * @freq_num:         frequency in MHz = ratio * freq_num / freq_den
 * @freq_den:         see @freq_num
 * @perf_hz:          rate of the free-running performance counter
 * @timer_hz:         rate of the timestamps user space gets
 * @perf_clk_hz:      boot parameter perf_clk_frequency
 * @ts_type:          TIMESTAMP type user space uses: 0 raw, 1 system
 * @entry_shift:      boot entry register = entry << entry_shift, negative = entry >> -entry_shift,
 *                    bits 2:0 are flags; SRC: P 3.6
 * @entry_align:      alignment of an entry point that survives that
 * @db_first:         first usable doorbell
 * @db_last:          last usable doorbell
 * @ssid_first:       first context id of user contexts
 * @ssid_last:        last one, of what the hardware tables and Linux 7.2 allow
 * @btrs_irq_mask:    buttress interrupt bits that are unmasked and handled
 * @icb_irq_mask:     ICB bits (STATUS_1 in the upper half) that are enabled
 * @soc_irq_mask:     FW_SOC_IRQ_EN when on
 * @clk_rst_mask:     bits for CPR_CLK_*, CPR_RST_*
 * @ssidv_mask:       HOST_IF_TBU_MMUSSIDV bits set before the CPU starts
 * @align_ts:         alignment of a TIMESTAMP target
 * @align_fence:      alignment of a fence
 * @align_fill:       alignment of a MEMORY_FILL target
 * @fill_max:         largest MEMORY_FILL, 0 = no limit known
 * @fence_cmp:        enum reg_fence_cmp
 * @copy:             COPY descriptor
 * @flat:             no MMU: NPU addresses are device addresses, and a job reaches nothing but the
 *                    three ranges of its descriptor
 * @pio_alias:        global_aliased_pio_* of the boot parameters is filled (7.2)
 * @cache_nn_cfg:     boot parameter cache_defaults[NN].cfg: shave start >> 31
 * @nnrt_api:         API index 7 of the firmware, major << 16 | minor
 * @timeouts:         silicon values
 * @pwr_delay:        power island delays, where the generation has the registers
 * @pwr_delay_fast:   the same with the high profiling clock
 */
struct reg_gen {
	const char *name;
	const char *ip_name;
	u16 ip_gen;
	u8 btrs_kind;
	struct reg_pci_id ids[REG_GEN_MAX_IDS + 1];
	u8 dma_bits;
	u64 bar_size[REG_NR_BARS];
	const struct reg_block *blocks[REG_GEN_MAX_BLK + 1];
	struct reg_va va;
	u8 fw_format;
	const char *fw_names[REG_GEN_MAX_FW + 1];
	const char *fw_mark;
	u16 fmin_ratio;
	u16 pn_ratio;
	u16 fmax_ratio;
	u32 tile_fuse;
	u32 tile_mask;
	u64 sku;
	u16 wp_config_on;
	u16 wp_epp;
	u16 wp_cdyn_on;
	u32 freq_num;
	u32 freq_den;
	u32 perf_hz;
	u32 timer_hz;
	u32 perf_clk_hz;
	u8 ts_type;
	s8 entry_shift;
	u32 entry_align;
	u16 db_first;
	u16 db_last;
	u16 ssid_first;
	u16 ssid_last;
	u32 btrs_irq_mask;
	u64 icb_irq_mask;
	u32 soc_irq_mask;
	u32 clk_rst_mask;
	u32 ssidv_mask;
	u16 align_ts;
	u16 align_fence;
	u16 align_fill;
	u32 fill_max;
	u8 fence_cmp;
	struct reg_copy_desc copy;
	bool flat;
	bool pio_alias;
	u8 cache_nn_cfg;
	u32 nnrt_api;
	struct reg_timeouts timeouts;
	struct reg_pwr_delay pwr_delay;
	struct reg_pwr_delay pwr_delay_fast;
};

/** reg_gen_by_idx() - the @idx-th generation, NULL behind the last; for "for each generation" */
const struct reg_gen *reg_gen_by_idx(unsigned int idx);

/** reg_gen_by_name() - generation called @name, or NULL */
const struct reg_gen *reg_gen_by_name(const char *name);

/** reg_gen_by_pci() - first generation of an Intel PCI device id, or NULL; *product if not NULL */
const struct reg_gen *reg_gen_by_pci(u16 vendor, u16 device, const char **product);

/**
 * reg_gen_by_function() - generation of a function with these ids and BARs, or NULL
 * @bars: bit per BAR that is there; it tells generations with the same id apart
 */
const struct reg_gen *reg_gen_by_function(u16 vendor, u16 device, u32 bars, const char **product);

/** reg_gen_has_id() - is @device an id of @gen? */
bool reg_gen_has_id(const struct reg_gen *gen, u16 device);

/** reg_gen_by_code() - generation of the product called @code ("mtl"), or NULL; *device */
const struct reg_gen *reg_gen_by_code(const char *code, u16 *device);

/**
 * reg_gen_find() - row that covers offset @off of BAR @bar, or NULL
 *
 * *block, if not NULL, is the block it belongs to.
 */
const struct reg_desc *reg_gen_find(const struct reg_gen *gen, u8 bar, u32 off,
				    const struct reg_block **block);

/** reg_gen_freq_mhz() - frequency of a PLL ratio; SRC: P 2.3 */
static inline u32 reg_gen_freq_mhz(const struct reg_gen *gen, u32 ratio)
{
	return (u32)((u64)ratio * gen->freq_num / gen->freq_den);
}

/** reg_gen_entry_encode() - entry point as the boot register takes it, flag bits 0 */
static inline u64 reg_gen_entry_encode(const struct reg_gen *gen, u64 entry)
{
	return gen->entry_shift < 0 ? entry >> -gen->entry_shift : entry << gen->entry_shift;
}

/** reg_gen_entry_decode() - entry point from the boot register's value, flag bits ignored */
static inline u64 reg_gen_entry_decode(const struct reg_gen *gen, u64 val)
{
	val &= ~(u64)7;
	return gen->entry_shift < 0 ? val << -gen->entry_shift : val >> gen->entry_shift;
}

/** reg_gen_fence_done() - may a FENCE_WAIT for @want continue when memory holds @mem? */
static inline bool reg_gen_fence_done(const struct reg_gen *gen, u64 mem, u64 want)
{
	return gen->fence_cmp == REG_FENCE_GE ? mem >= want : mem > want;
}

extern const struct reg_gen reg_gen_npu37;
extern const struct reg_gen reg_gen_npu40;
extern const struct reg_gen reg_gen_npu50;
extern const struct reg_gen reg_gen_npu60;
extern const struct reg_gen reg_gen_ref;

#endif
