// SPDX-License-Identifier: MIT
/*
 * The firmware: start, boot parameters, ready message, IPC transport.  SRC: P 3.6, 5, 6.
 *
 * The image itself is never run: the model plays what it would do.
 */
#include <errno.h>
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/model.h"

#define WHERE	     "firmware"
#define READY_NS     (1 * BASE_NS_PER_MS)
#define READY_SLOW_NS (400 * BASE_NS_PER_MS)
#define IPC_NS	     5000

int vnpu_fw_init(struct vnpu *m)
{
	m->fw.pending = base_alloc_array(VNPU_OUT_SIZE, sizeof(*m->fw.pending));
	m->fw.queues = base_alloc_array(VNPU_NR_DOORBELLS, sizeof(*m->fw.queues));
	m->fw.first_rung = UINT32_MAX;
	return m->fw.pending && m->fw.queues ? 0 : -ENOMEM;
}

void vnpu_fw_fini(struct vnpu *m)
{
	for (u32 i = 0; m->fw.queues && i < VNPU_NR_DOORBELLS; i++)
		vnpu_cmd_free(&m->fw.queues[i].run);
	base_free(m->fw.queues);
	base_free(m->fw.pending);
}

void vnpu_fw_reset(struct vnpu *m)
{
	struct vnpu_fw *fw = &m->fw;
	struct vnpu_out *pending = fw->pending;
	struct vnpu_queue *queues = fw->queues;
	u64 ticket = fw->next_ticket, heartbeat = fw->heartbeat;

	for (u32 i = 0; queues && i < VNPU_NR_DOORBELLS; i++)
		if (queues[i].is_registered)
			vnpu_jobq_release(m, &queues[i]);
	*fw = (struct vnpu_fw){ .pending = pending,
				.queues = queues,
				.first_rung = UINT32_MAX,
				.next_ticket = ticket,
				.heartbeat = heartbeat };
	for (u32 ev = 0; ev < VNPU_NR_EVENTS; ev++)
		if (ev != VNPU_EV_STORM)
			m->time.due[ev] = VNPU_NEVER;
	vnpu_jobq_drop(m, VNPU_NR_SSIDS);
}

/* --- start --------------------------------------------------------------------------------- */

static bool check_area(struct vnpu *m, const char *name, u64 start, u32 size)
{
	if (reg_range_has(&m->gen->data->va.global, start, size) && size >= ABI_IPC_HDR_SIZE &&
	    !(start % ABI_IPC_ALIGN) && !((start + size) >> 32))
		return true;
	vnpu_report(m, VNPU_GUEST_ERROR, "boot parameters",
		    "%s 0x%llx + 0x%x is not in the global range, below 4 GiB and aligned to 64", name,
		    (unsigned long long)start, size);
	return false;
}

static bool check_params(struct vnpu *m)
{
	const struct abi_boot_params *p = &m->fw.params;

	if (p->magic != ABI_BOOT_MAGIC) {
		vnpu_report(m, VNPU_GUEST_ERROR, "boot parameters", "magic 0x%x, not 0x%x", p->magic,
			    ABI_BOOT_MAGIC);
		return false;
	}
	if (p->device_id != m->cfg.device_id)
		vnpu_report(m, VNPU_GUEST_ERROR, "boot parameters", "device id 0x%llx, not 0x%x",
			    (unsigned long long)p->device_id, m->cfg.device_id);
	return check_area(m, "ipc_header_area", p->ipc_header_area_start, p->ipc_header_area_size) &&
	       check_area(m, "ipc_payload_area", p->ipc_payload_area_start, p->ipc_payload_area_size);
}

void vnpu_fw_start(struct vnpu *m, u64 entry)
{
	const struct reg_range *runtime = &m->gen->data->va.runtime;
	u32 first_word;

	m->fw.entry = entry;
	if (!reg_range_has(runtime, entry, BASE_PAGE_SIZE) ||
	    vnpu_mem_read(m, 0, entry, &first_word, sizeof(first_word))) {
		vnpu_report(m, VNPU_GUEST_ERROR, WHERE,
			    "entry 0x%llx is not mapped in the runtime range 0x%llx..0x%llx",
			    (unsigned long long)entry, (unsigned long long)runtime->start,
			    (unsigned long long)runtime->end);
		return;
	}
	if (vnpu_mem_read(m, 0, runtime->start, &m->fw.params, sizeof(m->fw.params))) {
		vnpu_report(m, VNPU_GUEST_ERROR, WHERE, "no boot parameters at 0x%llx",
			    (unsigned long long)runtime->start);
		return;
	}
	if (!check_params(m) || vnpu_fault_take(m, VNPU_FAULT_FW_NEVER_READY))
		return;
	if (vnpu_fault_take(m, VNPU_FAULT_FW_SLOW))
		vnpu_schedule(m, VNPU_EV_READY, READY_SLOW_NS, true);
	else
		vnpu_schedule(m, VNPU_EV_READY, READY_NS, false);
}

/* --- NPU -> host --------------------------------------------------------------------------- */

u32 vnpu_fw_fifo_fill(const struct vnpu *m)
{
	return (m->fw.out_tail - m->fw.out_head) & (VNPU_FIFO_SIZE - 1);
}

u32 vnpu_fw_fifo_pop(struct vnpu *m)
{
	struct vnpu_fw *fw = &m->fw;
	u32 addr;

	if (!vnpu_fw_fifo_fill(m)) {
		vnpu_report(m, VNPU_GUEST_ERROR, "IPC", "the FIFO was read while it is empty");
		return 0;
	}
	addr = fw->fifo_out[fw->out_head];
	fw->out_head = (fw->out_head + 1) & (VNPU_FIFO_SIZE - 1);
	if (fw->pend_head != fw->pend_tail)
		vnpu_schedule(m, VNPU_EV_IPC, IPC_NS, false);
	return addr;
}

/* The next free slot of an area, by its status byte; 0 if all are in use. */
static u64 find_slot(struct vnpu *m, u64 area, u32 nr, u32 slot_size, u32 status_off, u32 *next)
{
	for (u32 i = 0; i < nr; i++) {
		u64 at = area + (u64)((*next + i) % nr) * slot_size;
		const u8 *slot = vnpu_mem_ptr(m, 0, at, slot_size, true);

		if (!slot)
			return 0;
		if (slot[status_off] != ABI_IPC_FREE)
			continue;
		*next = (*next + i + 1) % nr;
		return at;
	}
	return 0;
}

static bool push(struct vnpu *m, const struct abi_ipc_hdr *hdr)
{
	struct vnpu_fw *fw = &m->fw;
	u32 nr = base_min((u32)(fw->params.ipc_header_area_size / ABI_IPC_HDR_SIZE), VNPU_RX_SLOTS);
	u64 at;

	if (vnpu_fw_fifo_fill(m) == VNPU_FIFO_SIZE - 1)
		return false;
	at = find_slot(m, fw->params.ipc_header_area_start, nr, ABI_IPC_HDR_SIZE,
		       offsetof(struct abi_ipc_hdr, status), &fw->rx_hdr);
	if (!at || vnpu_mem_write(m, 0, at, hdr, sizeof(*hdr)))
		return false;
	if (vnpu_fault_take(m, VNPU_FAULT_HEADER_CORRUPT))
		at ^= UINT64_C(0x40000000);
	fw->fifo_out[fw->out_tail] = (u32)at;
	fw->out_tail = (fw->out_tail + 1) & (VNPU_FIFO_SIZE - 1);
	m->stats.ipc_tx++;
	vnpu_irq_update(m);
	return true;
}

static bool send_now(struct vnpu *m, u16 channel, const struct abi_jsm_msg *msg)
{
	struct vnpu_fw *fw = &m->fw;
	struct abi_ipc_hdr hdr = { .data_size = ABI_JSM_MSG_SIZE,
				   .channel = channel,
				   .status = ABI_IPC_ALLOCATED };
	u32 nr = base_min((u32)(fw->params.ipc_payload_area_size / ABI_JSM_MSG_SIZE), VNPU_RX_MSGS);
	u32 slot = fw->rx_msg;
	u64 at = find_slot(m, fw->params.ipc_payload_area_start, nr, ABI_JSM_MSG_SIZE,
			   offsetof(struct abi_jsm_msg, status), &slot);

	if (!at)
		return false;
	hdr.data_addr = (u32)at;
	if (vnpu_fw_fifo_fill(m) == VNPU_FIFO_SIZE - 1 || vnpu_mem_write(m, 0, at, msg, sizeof(*msg)))
		return false;
	if (push(m, &hdr)) {
		fw->rx_msg = slot;
		return true;
	}
	/* no header slot: give the message slot back */
	memset(vnpu_mem_ptr(m, 0, at, ABI_JSM_MSG_SIZE, true), 0, ABI_JSM_MSG_SIZE);
	return false;
}

void vnpu_fw_flush(struct vnpu *m)
{
	struct vnpu_fw *fw = &m->fw;

	while (fw->pend_head != fw->pend_tail) {
		const struct vnpu_out *out = &fw->pending[fw->pend_head];

		if (!send_now(m, out->channel, &out->msg))
			return;
		fw->pend_head = (fw->pend_head + 1) % VNPU_OUT_SIZE;
	}
}

void vnpu_fw_send(struct vnpu *m, u16 channel, const struct abi_jsm_msg *msg)
{
	struct vnpu_fw *fw = &m->fw;
	u32 next = (fw->pend_tail + 1) % VNPU_OUT_SIZE;

	if (fw->pend_head == fw->pend_tail && send_now(m, channel, msg))
		return;
	if (next == fw->pend_head) {
		vnpu_report(m, VNPU_GUEST_ERROR, "IPC",
			    "the driver does not take its messages: %s is dropped",
			    abi_jsm_type_name(msg->type));
		return;
	}
	fw->pending[fw->pend_tail] = (struct vnpu_out){ .channel = channel, .msg = *msg };
	fw->pend_tail = next;
	vnpu_schedule(m, VNPU_EV_IPC, 100 * IPC_NS, true); /* look again for free slots */
}

void vnpu_fw_ready(struct vnpu *m)
{
	struct abi_ipc_hdr hdr = { .data_addr = ABI_IPC_BOOT_DATA,
				   .channel = ABI_IPC_CHAN_BOOT,
				   .status = ABI_IPC_ALLOCATED };

	m->fw.is_running = true;
	if (!push(m, &hdr))
		vnpu_report(m, VNPU_GUEST_ERROR, "IPC", "no free RX header for the ready message");
	if (vnpu_fault_take(m, VNPU_FAULT_FW_DEAD))
		m->fw.is_dead = true;
}

/* --- host -> NPU --------------------------------------------------------------------------- */

void vnpu_fw_host_message(struct vnpu *m, u32 addr)
{
	struct vnpu_fw *fw = &m->fw;
	u32 next = (fw->in_tail + 1) & (VNPU_FIFO_SIZE - 1);

	if (!fw->is_running) {
		vnpu_report(m, VNPU_GUEST_ERROR, "IPC", "message 0x%x before the firmware is ready",
			    addr);
		return;
	}
	if (next == fw->in_head) {
		vnpu_report(m, VNPU_GUEST_ERROR, "IPC", "more than %u messages wait: 0x%x is lost",
			    VNPU_FIFO_SIZE - 1, addr);
		return;
	}
	fw->fifo_in[fw->in_tail] = addr;
	fw->in_tail = next;
	m->stats.ipc_rx++;
	vnpu_schedule(m, VNPU_EV_IPC, IPC_NS, false);
}

static const char *bad_header(const struct abi_ipc_hdr *hdr, u32 addr)
{
	if (hdr->status != ABI_IPC_ALLOCATED)
		return "its header is not marked allocated";
	if (hdr->data_size != ABI_JSM_MSG_SIZE)
		return "its data size is not 128";
	if (hdr->data_addr % 4 || hdr->data_addr == addr)
		return "its data address is wrong";
	return NULL;
}

/* Both status fields go to zero once the message is consumed; SRC: P 6.2. */
static void consume(struct vnpu *m, u32 addr, u32 data_addr)
{
	u8 *hdr = vnpu_mem_ptr(m, 0, addr, sizeof(struct abi_ipc_hdr), true);
	u8 *msg = vnpu_mem_ptr(m, 0, data_addr, sizeof(struct abi_jsm_msg), true);

	if (hdr)
		hdr[offsetof(struct abi_ipc_hdr, status)] = ABI_IPC_FREE;
	if (msg)
		memset(msg + offsetof(struct abi_jsm_msg, status), 0, sizeof(u32));
}

static void receive_one(struct vnpu *m, u32 addr)
{
	struct abi_ipc_hdr hdr;
	struct abi_jsm_msg msg;
	const char *why;

	if (addr % ABI_IPC_ALIGN || vnpu_mem_read(m, 0, addr, &hdr, sizeof(hdr))) {
		vnpu_report(m, VNPU_GUEST_ERROR, "IPC", "no message header at 0x%x", addr);
		return;
	}
	why = bad_header(&hdr, addr);
	if (!why && vnpu_mem_read(m, 0, hdr.data_addr, &msg, sizeof(msg)))
		why = "its message is not mapped";
	if (!why && msg.status != ABI_IPC_ALLOCATED)
		why = "its message is not marked allocated";
	if (why) {
		vnpu_report(m, VNPU_GUEST_ERROR, "IPC", "message at 0x%x: %s", addr, why);
		return;
	}
	consume(m, addr, hdr.data_addr);
	vnpu_jsm_handle(m, hdr.channel, &msg);
}

void vnpu_fw_receive(struct vnpu *m)
{
	struct vnpu_fw *fw = &m->fw;

	vnpu_fw_flush(m);
	while (fw->in_head != fw->in_tail && !fw->is_dead) {
		u32 addr = fw->fifo_in[fw->in_head];

		fw->in_head = (fw->in_head + 1) & (VNPU_FIFO_SIZE - 1);
		receive_one(m, addr);
	}
}
