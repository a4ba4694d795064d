// SPDX-License-Identifier: MIT
/*
 * What the registers hold, decoded from the register tables; for failures.  Reads with side effects
 * (RC) and registers without a value (WO) are left out, so is the IP while it has no power.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "driver/mmio.h"

#define IP_BAR REG_BAR_IP_37XX

struct out {
	char text[400];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out->text + out->len, sizeof(out->text) - out->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		out->len = base_min(out->len + (size_t)n, sizeof(out->text) - 1);
}

static void one(struct drv_dev *dev, const struct reg_block *block, const struct reg_desc *desc,
		struct out *out)
{
	u64 val;

	/* not traced: a dump must not push out the records that led to it */
	if (desc->width_bytes == 8)
		val = dev->ops->rd64(dev->os, block->bar, desc->off);
	else
		val = dev->ops->rd32(dev->os, block->bar, desc->off);
	put(out, "%s %s BAR%u+0x%x = 0x%0*" PRIx64, block->name, desc->name, block->bar, desc->off,
	    desc->width_bytes * 2, val);
	for (u32 i = 0; i < desc->nr_flds; i++) {
		const struct reg_fld *fld = &desc->flds[i];

		put(out, " %s=0x%" PRIx64, fld->name,
		    val >> fld->lo & BASE_MASK64(fld->hi - fld->lo, 0));
	}
}

static bool has_value(const struct reg_desc *desc)
{
	return desc->kind != REG_KIND_WO && desc->kind != REG_KIND_RC && !desc->stride;
}

void drv_dump_registers(struct drv_dev *dev, void (*line)(void *opaque, const char *text),
			void *opaque)
{
	for (const struct reg_block *const *b = dev->gen->blocks; *b; b++) {
		if ((*b)->bar == IP_BAR && !dev->powered)
			continue;
		for (u32 i = 0; i < (*b)->nr; i++) {
			struct out out = { .len = 0 };

			if (!has_value(&(*b)->descs[i]))
				continue;
			one(dev, *b, &(*b)->descs[i], &out);
			line(opaque, out.text);
		}
	}
}
