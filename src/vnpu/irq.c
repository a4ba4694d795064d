// SPDX-License-Identifier: MIT
/*
 * Interrupts.  SRC: P 2.6 (rising edge of the masked sum), P 3.7 (ICB).
 *
 * The FIFO's bit of the ICB is a level, fill != 0, so that nothing pushed during a drain is lost
 * (P traps 7, 12); the others are latched until cleared.
 */
#include "vnpu/model.h"

static __attribute__((noinline)) void raise_watched(struct vnpu *v)
{
	u32 nr = 1;

	if (vnpu_fault_take(v, VNPU_F_IRQ_LOST))
		return;
	if (vnpu_fault_take(v, VNPU_F_IRQ_STORM))
		nr = 64;
	vnpu_remote_sync(v); /* the host may look as soon as it hears */
	while (nr--) {
		vnpu_trace_event(v, "msi");
		vnpu_pci_msi(v);
	}
}

void vnpu_irq_raise(struct vnpu *v)
{
	if (BASE_UNLIKELY(v->watched))
		raise_watched(v);
	else
		vnpu_pci_msi(v);
}

void vnpu_irq_icb(struct vnpu *v, u64 bits)
{
	v->irq.icb_latched |= bits;
	vnpu_irq_update(v);
}

void vnpu_icb_clear(struct vnpu *v, u64 bits)
{
	v->irq.icb_latched &= ~bits;
	v->irq.icb_cleared = true;
	vnpu_irq_drop(v);
}

void vnpu_icb_enable(struct vnpu *v, u64 bits)
{
	if (bits && !v->irq.icb_cleared)
		vnpu_report(v, VNPU_GUEST_ERROR, "ICB_ENABLE",
			    "interrupts enabled before ICB_CLEAR (P 3.6 step 9)");
	if (!bits && v->irq.icb_enable && v->irq.local_mask != UINT32_MAX)
		vnpu_report(v, VNPU_GUEST_ERROR, "ICB_ENABLE",
			    "interrupts disabled before LOCAL_INT_MASK (P 11.1 step 5)");
	v->irq.icb_enable = bits;
	vnpu_irq_update(v);
}
