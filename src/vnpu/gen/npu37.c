// SPDX-License-Identifier: MIT
/* npu37: Meteor Lake, Arrow Lake.  37xx IP behind the MTL buttress. */
#include "vnpu/model.h"

static const struct vnpu_hook *const hooks[] = {
	vnpu_btrs_mtl_hooks,
	vnpu_ip_37xx_hooks,
	vnpu_mmu_hooks,
	NULL,
};

/* What lies behind TOP_NOC is not told anywhere; the MMU and the CPU subsystem must be (P 3.4). */
static enum vnpu_domain domain(const struct reg_block *block, u32 off)
{
	if (block == &reg_block_btrs_mtl)
		return VNPU_DOM_ALWAYS;
	if (block == &reg_block_mmu || off >= REG_IP_37XX_HOST_IF_TCU_PTW_OVERRIDES)
		return VNPU_DOM_NOC;
	return VNPU_DOM_HOST;
}

const struct vnpu_gen vnpu_gen_npu37 = {
	.info = &reg_gen_npu37,
	.revisions = { 0x04, 0x05 }, /* SRC: P 1.1, public boot logs */
	.hooks = hooks,
	.domain = domain,
	.ip_reset = vnpu_ip_37xx_reset,
};
