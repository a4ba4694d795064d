/* SPDX-License-Identifier: MIT */
/* Interrupts: the eventfds a client gave for its vectors. */
#ifndef VFU_IRQ_H
#define VFU_IRQ_H

#include <pthread.h>

#include "vfu/wire.h"

#define VFU_NR_VECTORS 1u /* of each message-signalled kind */

struct vfu_irq {
	pthread_mutex_t lock;	/* protects: everything below; taken last */
	u32 count[VFU_NR_IRQS]; /* vectors of each type; fixed */
	int fd[VFU_NR_IRQS];	/* -1: none */
	u64 sent, dropped;
};

int vfu_irq_init(struct vfu_irq *irq, bool msi, bool msix) BASE_WARN_UNUSED;
void vfu_irq_fini(struct vfu_irq *irq);

/**
 * vfu_irq_set() - a SET_IRQS request
 * @flags_len: bytes behind the request's head
 * Descriptors that are kept are taken from @msg.  Return: 0 or -EINVAL.
 */
int vfu_irq_set(struct vfu_irq *irq, const struct vfu_irq_set *req, const u8 *flags, u32 flags_len,
		struct vfu_msg *msg) BASE_WARN_UNUSED;
/** vfu_irq_fire() - the device interrupts; from any thread, never blocks */
void vfu_irq_fire(struct vfu_irq *irq);
/** vfu_irq_clear() - the client is gone */
void vfu_irq_clear(struct vfu_irq *irq);

#endif
