// SPDX-License-Identifier: MIT
/*
 * Messages between driver and firmware: TX slots, the FIFO registers, dispatch.  SRC: P 6.
 *
 * What arrives was written by the firmware: it is range-checked, copied, then looked at.  Malformed
 * messages are logged and counted (-EPROTO), never followed.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "driver/mmio.h"

/* Data the copy of a message must have at least: all of the envelope. */
#define MSG_MIN ABI_JSM_PAYLOAD_OFF

static int buffer(struct drv_dev *dev, struct drv_bo **out)
{
	const struct drv_bo_spec spec = {
		.size = ABI_IPC_BUF_SIZE,
		.align = BASE_PAGE_SIZE,
		.range = &dev->gen->va.global,
		.cache = OS_CACHE_WC,
	};

	return drv_bo_new(dev->sys, &spec, out);
}

int drv_ipc_init(struct drv_dev *dev)
{
	struct drv_ipc *ipc = &dev->ipc;
	int ret = buffer(dev, &ipc->tx);

	if (ret)
		return ret;
	ret = buffer(dev, &ipc->rx);
	if (ret)
		goto err_destroy_tx;
	ipc->tx_cpu = drv_bo_cpu(ipc->tx);
	ipc->rx_cpu = drv_bo_cpu(ipc->rx);
	ipc->tx_va = drv_bo_addr(ipc->tx);
	ipc->rx_va = drv_bo_addr(ipc->rx);
	return 0;

err_destroy_tx:
	drv_bo_destroy(ipc->tx);
	ipc->tx = NULL;
	return ret;
}

void drv_ipc_fini(struct drv_dev *dev)
{
	if (dev->ipc.rx)
		drv_bo_destroy(dev->ipc.rx);
	if (dev->ipc.tx)
		drv_bo_destroy(dev->ipc.tx);
	dev->ipc = (struct drv_ipc){ 0 };
}

/* Before a cold boot; P 5.3. */
void drv_ipc_reset(struct drv_dev *dev)
{
	memset(dev->ipc.tx_cpu, 0, ABI_IPC_BUF_SIZE);
	memset(dev->ipc.rx_cpu, 0, ABI_IPC_BUF_SIZE);
}

bool drv_ipc_is_released(const struct drv_dev *dev, u32 slot)
{
	const struct abi_ipc_hdr *hdr = (const void *)(dev->ipc.tx_cpu + slot * ABI_IPC_TX_SIZE);

	/* pairs with the firmware's store after it has copied the slot out */
	return __atomic_load_n(&hdr->status, __ATOMIC_ACQUIRE) == ABI_IPC_FREE;
}

void drv_ipc_send(struct drv_dev *dev, u32 slot, u16 chan, const struct abi_jsm_msg *msg)
{
	u8 *at = dev->ipc.tx_cpu + slot * ABI_IPC_TX_SIZE;
	u32 va = (u32)dev->ipc.tx_va + slot * ABI_IPC_TX_SIZE;
	const struct abi_ipc_hdr hdr = {
		.data_addr = va + ABI_IPC_TX_MSG_OFF,
		.data_size = sizeof(*msg),
		.channel = chan,
		.src_node = ABI_IPC_NODE_HOST,
		.dst_node = ABI_IPC_NODE_NPU,
		.status = ABI_IPC_ALLOCATED,
	};

	if (!drv_ipc_is_released(dev, slot))
		drv_dbg(dev, IPC, "message in TX slot %u was not released by the firmware", slot);
	memcpy(at, &hdr, sizeof(hdr));
	memcpy(at + ABI_IPC_TX_MSG_OFF, msg, sizeof(*msg));
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_TX, msg->type, msg->request_id);
	dev->ops->wmb(dev->os); /* the message before its address */
	drv_io_wr32(dev, dev->regs.fifo_push, va);
}

static __attribute__((cold, format(printf, 2, 3))) void malformed(struct drv_dev *dev,
								  const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dev->ipc_malformed++;
	if (dev->ipc_malformed <= 16) /* a firmware gone wild must not fill the log */
		drv_warn(dev, IPC, "%s: malformed message: %s", base_err_name(-EPROTO), text);
}

/* Is [addr, addr + len) inside the RX buffer?  *off where. */
static bool rx_range(const struct drv_ipc *ipc, u32 addr, u32 len, u64 *off)
{
	*off = (u64)addr - ipc->rx_va;	       /* wraps to something huge when below */
	return *off <= ABI_IPC_BUF_SIZE - len; /* len is a constant below it */
}

/* A JOB_DONE: four words of the message matter, and only these are read. */
static void job_message(struct drv_dev *dev, const u8 *from, u32 size)
{
	const struct abi_jsm_msg *msg = (const void *)from;
	u32 type = __atomic_load_n(&msg->type, __ATOMIC_RELAXED);
	u32 request_id = __atomic_load_n(&msg->request_id, __ATOMIC_RELAXED);

	if (BASE_UNLIKELY(type != ABI_JSM_JOB_DONE || request_id ||
			  size < MSG_MIN + sizeof(struct abi_jsm_job_done))) {
		malformed(dev, "type 0x%x, request id %u, %u bytes on the job channel", type,
			  request_id, size);
		return;
	}
	drv_job_done(dev, __atomic_load_n(&msg->payload.job_done.job_id, __ATOMIC_RELAXED),
		     __atomic_load_n(&msg->payload.job_done.job_status, __ATOMIC_RELAXED));
}

/* Not in line: its copy of the message would cost each JOB_DONE. */
static __attribute__((noinline)) void answer_message(struct drv_dev *dev, u16 chan, const u8 *from,
						     u32 size)
{
	struct abi_jsm_msg msg;

	if (size < MSG_MIN) {
		malformed(dev, "%u bytes on channel %u, expected at least %u", size, chan, MSG_MIN);
		return;
	}
	memcpy(&msg, from, sizeof(msg));
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_RX, msg.type, msg.request_id);
	drv_jsm_answer(dev, &msg, base_min(size, (u32)sizeof(msg)));
}

static void free_message(u8 *msg)
{
	/* pairs with the firmware's search for a free slot: the content is taken */
	__atomic_store_n((u32 *)(void *)(msg + offsetof(struct abi_jsm_msg, status)), ABI_IPC_FREE,
			 __ATOMIC_RELEASE);
}

/* True when it was the ready message. */
static bool dispatch_data(struct drv_dev *dev, const struct abi_ipc_hdr *hdr, u16 chan,
			  u32 data_addr)
{
	struct drv_ipc *ipc = &dev->ipc;
	u32 size = __atomic_load_n(&hdr->data_size, __ATOMIC_RELAXED);
	u64 off;
	u8 *msg;

	if (BASE_UNLIKELY(chan == ABI_IPC_CHAN_BOOT && data_addr == ABI_IPC_BOOT_DATA))
		return true;
	if (BASE_UNLIKELY(!rx_range(ipc, data_addr, ABI_JSM_MSG_SIZE, &off) || off % sizeof(u64))) {
		malformed(dev, "data at 0x%08x on channel %u, RX buffer is at 0x%llx", data_addr,
			  chan, (unsigned long long)ipc->rx_va);
		return false;
	}
	msg = ipc->rx_cpu + off;
	if (BASE_LIKELY(chan == ABI_IPC_CHAN_JOB_RET))
		job_message(dev, msg, size);
	else
		answer_message(dev, chan, msg, size);
	free_message(msg);
	return false;
}

static bool dispatch(struct drv_dev *dev, u32 addr)
{
	struct drv_ipc *ipc = &dev->ipc;
	struct abi_ipc_hdr *hdr;
	bool ready;
	u64 off;
	u16 chan;

	if (BASE_UNLIKELY(!rx_range(ipc, addr, ABI_IPC_HDR_SIZE, &off) || off % ABI_IPC_ALIGN)) {
		malformed(dev, "header at 0x%08x, RX buffer is at 0x%llx", addr,
			  (unsigned long long)ipc->rx_va);
		return false;
	}
	hdr = (struct abi_ipc_hdr *)(void *)(ipc->rx_cpu + off);
	chan = __atomic_load_n(&hdr->channel, __ATOMIC_RELAXED);
	ready = dispatch_data(dev, hdr, chan, __atomic_load_n(&hdr->data_addr, __ATOMIC_RELAXED));
	/* likewise */
	__atomic_store_n(&hdr->status, ABI_IPC_FREE, __ATOMIC_RELEASE);
	return ready;
}

/*
 * FIFO_STAT is read once: ICB b4 was cleared before, so what is pushed meanwhile raises it again
 * (P 3.7).
 */
int drv_ipc_drain(struct drv_dev *dev)
{
	u32 stat = drv_io_rd32(dev, dev->regs.fifo_stat);
	int ret = 0;
	u32 fill;

	if (stat == DRV_ALL_ONES)
		return -ENODEV;
	fill = reg_fld_get(stat, REG_IP_37XX_HOST_SS_TIM_IPC_FIFO_STAT__FILL_LEVEL);
	while (fill--) {
		u32 addr = drv_io_rd32(dev, dev->regs.fifo_pop);

		if (addr == DRV_ALL_ONES)
			return -ENODEV;
		if (BASE_UNLIKELY(dispatch(dev, addr)))
			ret = DRV_IPC_READY;
	}
	return ret;
}
