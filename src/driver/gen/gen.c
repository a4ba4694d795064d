// SPDX-License-Identifier: MIT
#include "driver/gen/gen.h"

#include "driver/dev.h"
#include "driver/gen/rows.h"

static const struct drv_gen_info *const infos[] = {
	&drv_gen_npu37, &drv_gen_npu40, &drv_gen_npu50, &drv_gen_npu60, &drv_gen_ref,
};

const struct drv_gen_info *drv_gen_find(const struct reg_gen *gen)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(infos); i++)
		if (infos[i]->gen == gen)
			return infos[i];
	return NULL;
}

/* Only told, as Linux does: nothing but the time-outs would depend on it.  SRC: P 2.3, 3.10 */
void drv_gen_check_platform(struct drv_dev *dev, u32 platform)
{
	if (platform == 0)
		return;
	if (platform == 2 || platform == 3 || platform == 4)
		drv_info(dev, PM, "platform %u is no silicon: silicon's time-outs are used anyway",
			 platform);
	else
		drv_err(dev, PM, "platform %u is none, expected 0 (silicon), 2, 3 or 4", platform);
}

void drv_gen_set_ratios(struct drv_dev *dev, u32 min, u32 pn, u32 max)
{
	dev->freq.max = max;
	dev->freq.min = base_min(min, max);
	pn = base_max(pn, dev->freq.min);
	dev->freq.pn = base_min(pn, max);
}

u64 drv_gen_icb_all(const struct drv_dev *dev)
{
	return dev->gen->icb_irq_mask;
}

u64 drv_gen_soc_irqs(const struct drv_dev *dev)
{
	return dev->gen->soc_irq_mask;
}

u64 drv_gen_btrs_mask(const struct drv_dev *dev)
{
	return (u32)~dev->gen->btrs_irq_mask;
}

u64 drv_gen_entry(const struct drv_dev *dev)
{
	return reg_gen_entry_encode(dev->gen, drv_boot_entry(dev));
}
