// SPDX-License-Identifier: MIT
/*
 * ref: the reference register map, and the firmware behind it.  SRC of all of it: design section 8.
 *
 *   OFF -> (CPR_RST_CLR) WAKING -> ON -> (HOST_2_DEVICE_DRBL) BOOTING -> RUNNING
 *                                   ^ boot error: ON again, FW_STATUS E000xxxx    any -> DEAD
 *
 * Nothing but D3hot or a function-level reset leads out of DEAD.  Rings and jobs: ref_ring.c.
 */
#include "abi/ref.h"
#include "vnpu/model.h"

#define R(name)	    REG_REF_##name
#define F(reg, fld) REG_REF_##reg##__##fld

/* Codes the faults on demand end with. */
#define CODE_BOOT_ERROR 0x42
#define CODE_BOOT_FATAL 0xbeef
#define CODE_DIED	0x0001
#define STATUS_UNKNOWN	0x12345678u

static void guest_error(struct vnpu *v, u32 off, const char *what)
{
	vnpu_report_reg(v, VNPU_GUEST_ERROR, REG_BAR_REF, off, "%s", what);
}

void vnpu_ref_raise(struct vnpu *v, u32 bits)
{
	v->irq.btrs_stat |= bits;
	vnpu_irq_update(v);
}

void vnpu_ref_status(struct vnpu *v, u32 status)
{
	v->ref.fw_status = status;
	v->ref.raised = status & REG_MASK(F(FW_STATUS, CODE));
	vnpu_ref_raise(v, REG_MASK(F(INTERRUPT_STAT, FW_STATUS)));
}

void vnpu_ref_die(struct vnpu *v, u32 code)
{
	v->ref.state = VNPU_REF_DEAD;
	vnpu_ref_status(v, ABI_REF_STATUS(ABI_REF_FATAL, code));
}

static void reset(struct vnpu *v)
{
	v->ref = (struct vnpu_ref){ 0 };
	v->irq.local_mask = ~REG_MASK(F(INTERRUPT_MASK, RING_0)) &
			    ~REG_MASK(F(INTERRUPT_MASK, RING_1)) &
			    ~REG_MASK(F(INTERRUPT_MASK, FW_STATUS));
	vnpu_timer_clear(v, VNPU_T_REF_BOOT);
	vnpu_timer_clear(v, VNPU_T_REF_RINGS);
}

/*
 * Boot
 */

static u32 read_image(struct vnpu *v)
{
	struct vnpu_ref *ref = &v->ref;
	struct abi_ref_header h;
	char why[200];

	if (vnpu_mem_read(v, 0, ref->image, &h, sizeof(h)))
		return ABI_REF_BAD_MEMORY;
	/* as if the rest were there: it is looked at when it is read */
	if (!abi_ref_image_check(&h, ABI_REF_IMAGE_MAX, why, sizeof(why))) {
		ref->params = ref->image + abi_ref_params_off(h.image_size);
		return 0;
	}
	vnpu_report(v, VNPU_GUEST_ERROR, "firmware image", "%s", why);
	return h.image_size > ABI_REF_IMAGE_MAX ? ABI_REF_BAD_SIZE : ABI_REF_BAD_MAGIC;
}

static u32 bad_param(struct vnpu *v, const char *field, u64 val, const char *want)
{
	vnpu_report(v, VNPU_GUEST_ERROR, "boot parameters", "%s is 0x%llx: expected %s", field,
		    (unsigned long long)val, want);
	return ABI_REF_BAD_RING;
}

static u32 read_params(struct vnpu *v)
{
	struct vnpu_ref *ref = &v->ref;
	struct abi_ref_boot p;

	if (vnpu_mem_read(v, 0, ref->params, &p, sizeof(p)))
		return ABI_REF_BAD_MEMORY;
	if (p.entries < ABI_REF_RING_MIN || p.entries > ABI_REF_RING_ENTRIES)
		return bad_param(v, "entries", p.entries, "2 to 256");
	for (u32 i = 0; i < ABI_REF_NR_RINGS; i++) {
		struct abi_ref_slot slot;
		u64 last = (u64)(p.entries - 1) * sizeof(slot);

		if (!p.ring[i] || p.ring[i] % ABI_PAGE_SIZE)
			return bad_param(v, "ring", p.ring[i], "a multiple of 4096, not 0");
		if (vnpu_mem_read(v, 0, p.ring[i], &slot, sizeof(slot)) ||
		    vnpu_mem_read(v, 0, p.ring[i] + last, &slot, sizeof(slot)))
			return ABI_REF_BAD_MEMORY;
		ref->ring[i] = (struct vnpu_ref_ring){ .base = p.ring[i] };
	}
	ref->entries = p.entries;
	return 0;
}

static void boot_failed(struct vnpu *v, u32 code)
{
	v->ref.state = VNPU_REF_ON;
	vnpu_ref_status(v, ABI_REF_STATUS(ABI_REF_BOOT_ERROR, code));
}

/* The firmware has begun: does it get to its end?  Else what becomes of it. */
static bool survives_boot(struct vnpu *v)
{
	if (vnpu_fault_hit(v, VNPU_F_FW_NEVER_READY))
		return false;
	if (vnpu_fault_hit(v, VNPU_F_UNKNOWN_STATUS)) {
		vnpu_ref_status(v, STATUS_UNKNOWN);
		return false;
	}
	if (vnpu_fault_hit(v, VNPU_F_BOOT_ERROR)) {
		boot_failed(v, CODE_BOOT_ERROR);
		return false;
	}
	if (vnpu_fault_hit(v, VNPU_F_BOOT_FATAL)) {
		vnpu_ref_die(v, CODE_BOOT_FATAL);
		return false;
	}
	return true;
}

static void ready(struct vnpu *v)
{
	v->ref.state = VNPU_REF_RUNNING;
	vnpu_ref_status(v, ABI_REF_STATUS(ABI_REF_READY, 0));
	vnpu_trace_event(v, "ready");
	if (vnpu_fault_hit(v, VNPU_F_DEAD_AFTER_BOOT))
		vnpu_timer_set(v, VNPU_T_REF_BOOT, 50 * BASE_NS_PER_MS);
}

/* Each step takes a while and is told; SRC: design section 8, B000 and CAFE */
static void boot_step(struct vnpu *v)
{
	struct vnpu_ref *ref = &v->ref;
	u32 step = ref->step++, err = 0;

	if (step == 0) {
		ref->boot_pending = false;
		vnpu_ref_status(v, ABI_REF_STATUS(ABI_REF_BOOTING, 0));
	} else if (step == 1) {
		if (!survives_boot(v))
			return;
		err = read_image(v);
	} else if (step == 2) {
		err = read_params(v);
	} else {
		ready(v);
		return;
	}
	if (err) {
		boot_failed(v, err);
		return;
	}
	if (step)
		vnpu_ref_status(v, ABI_REF_STATUS(ABI_REF_BOOT_STEP, step));
	if (step == 2 && vnpu_fault_hit(v, VNPU_F_SLOW_FIRMWARE))
		vnpu_timer_set(v, VNPU_T_REF_BOOT, 600 * BASE_NS_PER_MS);
	else
		vnpu_timer_in(v, VNPU_T_REF_BOOT, 100000, 3000000);
}

void vnpu_ref_boot(struct vnpu *v)
{
	switch (v->ref.state) {
	case VNPU_REF_WAKING:
		v->ref.state = VNPU_REF_ON;
		return;
	case VNPU_REF_BOOTING:
		boot_step(v);
		return;
	case VNPU_REF_RUNNING: /* dead-after-boot */
		vnpu_ref_die(v, CODE_DIED);
		return;
	case VNPU_REF_OFF:
	case VNPU_REF_ON:
	case VNPU_REF_DEAD:
		return;
	}
}

/*
 * Registers
 */

static u64 int_stat_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->irq.btrs_stat;
}

static void int_stat_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->irq.btrs_stat &= ~(u32)val;
	vnpu_irq_drop(v);
}

static void int_mask_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	v->irq.local_mask = ~(u32)r->wmask | (u32)val;
	vnpu_irq_update(v);
}

static void global_mask_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->irq.global_mask = (u32)val;
	vnpu_irq_update(v);
}

static u64 vpu_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(VPU_STATUS, READY), v->ref.state >= VNPU_REF_ON) |
	       REG_PREP(F(VPU_STATUS, IDLE), vnpu_ref_is_idle(v));
}

static u64 raised_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ref.raised;
}

static u64 ipc_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(IPC_STATUS, BOOT_PENDING), v->ref.boot_pending);
}

static u64 gen_ctrl_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(GEN_CTRL, POWER_ACK), v->ref.state >= VNPU_REF_ON);
}

static u64 fw_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ref.fw_status;
}

static void rst_clr_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (!val)
		return;
	if (v->ref.state != VNPU_REF_OFF) {
		guest_error(v, r->off, "out of reset already");
		return;
	}
	v->ref.state = VNPU_REF_WAKING;
	if (!vnpu_fault_hit(v, VNPU_F_NO_POWER_ACK))
		vnpu_timer_in(v, VNPU_T_REF_BOOT, 50000, 2000000);
}

static void loading_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)val;
	if (v->ref.state != VNPU_REF_ON)
		guest_error(v, r->off,
			    v->ref.state < VNPU_REF_ON
				    ? "firmware address before the power-up acknowledge"
				    : "firmware address while the firmware runs");
}

static void boot_doorbell_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	struct vnpu_ref *ref = &v->ref;

	if (!val)
		return;
	if (ref->state != VNPU_REF_ON) {
		guest_error(v, r->off,
			    ref->state < VNPU_REF_ON ? "boot before the power-up acknowledge"
						     : "boot while the firmware runs");
		return;
	}
	ref->image = vnpu_reg_val(v, REG_BAR_REF, R(LOADING_ADDR_LO)) |
		     vnpu_reg_val(v, REG_BAR_REF, R(LOADING_ADDR_HI)) << 32;
	ref->state = VNPU_REF_BOOTING;
	ref->boot_pending = true;
	ref->step = 0;
	vnpu_timer_in(v, VNPU_T_REF_BOOT, 50000, 500000);
}

static u64 status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(STATUS, TAIL_0), v->ref.ring[0].shown) |
	       REG_PREP(F(STATUS, TAIL_1), v->ref.ring[1].shown);
}

static void doorbell_0_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	vnpu_ref_doorbell(v, 0, r->off, (u32)val);
}

static void doorbell_1_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	vnpu_ref_doorbell(v, 1, r->off, (u32)val);
}

/* clang-format off */
static const struct vnpu_hook ref_hooks[] = {
	{ REG_BAR_REF, R(INTERRUPT_STAT),     int_stat_rd,   int_stat_wr },
	{ REG_BAR_REF, R(INTERRUPT_MASK),     NULL,          int_mask_wr },
	{ REG_BAR_REF, R(GLOBAL_INT_MASK),    NULL,          global_mask_wr },
	{ REG_BAR_REF, R(VPU_STATUS),         vpu_status_rd, NULL },
	{ REG_BAR_REF, R(HOST_2_DEVICE_DRBL), NULL,          boot_doorbell_wr },
	{ REG_BAR_REF, R(DEVICE_2_HOST_DRBL), raised_rd,     NULL },
	{ REG_BAR_REF, R(IPC_STATUS),         ipc_status_rd, NULL },
	{ REG_BAR_REF, R(GEN_CTRL),           gen_ctrl_rd,   NULL },
	{ REG_BAR_REF, R(CPR_RST_CLR),        NULL,          rst_clr_wr },
	{ REG_BAR_REF, R(LOADING_ADDR_LO),    NULL,          loading_wr },
	{ REG_BAR_REF, R(LOADING_ADDR_HI),    NULL,          loading_wr },
	{ REG_BAR_REF, R(FW_STATUS),          fw_status_rd,  NULL },
	{ REG_BAR_REF, R(STATUS),             status_rd,     NULL },
	{ REG_BAR_REF, R(DOORBELL_0),         NULL,          doorbell_0_wr },
	{ REG_BAR_REF, R(DOORBELL_1),         NULL,          doorbell_1_wr },
	{ 0 },
};
/* clang-format on */

static const struct vnpu_hook *const hooks[] = { ref_hooks, NULL };

/* Which register needs what is not told by power here, but by each hook. */
static enum vnpu_domain domain(const struct reg_block *block, u32 off)
{
	(void)block, (void)off;
	return VNPU_DOM_ALWAYS;
}

const struct vnpu_gen vnpu_gen_ref = {
	.info = &reg_gen_ref,
	.revisions = { 0x01 },
	.hooks = hooks,
	.domain = domain,
	.reset = reset,
	.op_done = vnpu_ref_op_done,
	.view = vnpu_ref_view,
};
