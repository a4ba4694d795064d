/* SPDX-License-Identifier: MIT */
/* The reference NPU: what its two files share.  ref.c is the device, ref_jobs.c how the core uses it. */
#ifndef DRIVER_GEN_REF_H
#define DRIVER_GEN_REF_H

#include "abi/ref.h"
#include "driver/mmio.h"

struct ref_ring {
	struct abi_ref_slot *slots;
	u32 entries;
	u32 head, tail;		       /* next slot to fill, oldest slot that did not end */
	u32 doorbell;		       /* register */
	u32 tail_lo;		       /* where its tail is in STATUS */
	u64 since_ns;		       /* since when the slot at tail is the oldest */
	u32 job[ABI_REF_RING_ENTRIES]; /* id of each slot's job */
	struct drv_list queues;	       /* that use it; the next one to serve first */
};

struct ref {
	struct os_dma dma; /* image, boot parameters, rings */
	struct ref_ring ring[ABI_REF_NR_RINGS];
	u32 next_ring; /* of the next queue */
	u32 last_status;
	u32 boot_errors, power_cycles; /* of this boot */
	bool fatal;		       /* the power cycle is due */
	u64 look_ns;		       /* when jobs are looked at without an interrupt */
};

static inline struct ref *to_ref(const struct drv_dev *dev)
{
	return dev->gen_priv;
}

/** ref_ring_init() - empty, as the device has it after a boot. */
void ref_ring_init(struct ref_ring *ring, u32 n, void *slots, u32 entries);
/** ref_submit() - the slot that @job went to, or -EAGAIN: the ring is full. */
int ref_submit(struct drv_dev *dev, struct ref_ring *ring, const struct abi_job *job);
/** ref_poll_completion() - the oldest slot, if it ended; -EAGAIN: it did not; -EPROTO: STATUS has a
 * tail that cannot be; -ENODEV. */
int ref_poll_completion(struct drv_dev *dev, struct ref_ring *ring);
/** ref_look_at_firmware() - the device fails if FW_STATUS is not READY any more. */
void ref_look_at_firmware(struct drv_dev *dev);

/* ref_jobs.c: drv_gen_ops */
int ref_irq(struct drv_dev *dev, u32 stat);
void ref_watchdog(struct drv_dev *dev);
int ref_ctx_open(struct drv_ctx *ctx);
void ref_ctx_close(struct drv_ctx *ctx);
int ref_bo_open(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo *bo);
void ref_bo_close(struct drv_bo *bo);
int ref_queue_open(struct drv_queue *queue);
void ref_queue_close(struct drv_queue *queue);
void ref_queue_publish(struct drv_queue *queue);

#endif
