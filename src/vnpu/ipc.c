// SPDX-License-Identifier: MIT
/*
 * IPC transport, the firmware's end.  SRC: P 6.
 *
 * Requests wait in the FIFO's ring until the firmware looks; it answers one at a time.  Answers
 * need a free header slot and a free message slot in the guest's RX buffer; without one they wait,
 * and the firmware looks again after a pop and after a while, because the guest frees slots by
 * plain stores.
 */
#include <errno.h>
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/compute.h"
#include "vnpu/model.h"

#define FIFO_MAX     255u /* the fill level has 8 bits; P 6.3 */
#define RX_RETRY_MIN 1000u
#define RX_RETRY_MAX 1000000u
#define SLOW_ANSWER  (600 * BASE_NS_PER_MS) /* beyond the driver's 500 ms; P 2.7 */
#define WRONG_TYPE   ABI_JSM_UNKNOWN
#define UNKNOWN_REQ  0x7fffffffu
#define OUTSIDE_RX   0x00001000u

/*
 * Host -> NPU
 */

void vnpu_ipc_push_tx(struct vnpu *v, u32 addr)
{
	struct vnpu_fw *fw = &v->fw;

	v->stats.ipc_tx++;
	vnpu_order_finish(v);
	if (vnpu_fault_hit(v, VNPU_F_FW_DEAD))
		vnpu_fw_die(v);
	if (fw->state == VNPU_FW_DEAD)
		return;
	if (fw->state != VNPU_FW_RUNNING) {
		vnpu_report(v, VNPU_GUEST_ERROR, "IPC", "message 0x%x to firmware that %s", addr,
			    fw->state == VNPU_FW_SAVED ? "was told to power down" : "is not ready");
		return;
	}
	if (fw->tx_head - fw->tx_tail >= VNPU_NR_FIFO) {
		vnpu_report(v, VNPU_GUEST_ERROR, "IPC", "FIFO overflow: message 0x%x lost", addr);
		return;
	}
	fw->tx[fw->tx_head++ % VNPU_NR_FIFO] = addr;
	if (vnpu_fault_hit(v, VNPU_F_SLOW_FIRMWARE))
		vnpu_timer_set(v, VNPU_T_IPC, SLOW_ANSWER);
	else if (v->stepped || fw->tx_head - fw->tx_tail > 1)
		vnpu_timer_in(v, VNPU_T_IPC, 2000, 50000);
	else /* the driver gives 5 ms for some answers, a thread may wake later; P 6.3, trap 19 */
		vnpu_ipc_receive(v);
}

static bool bad_tx(struct vnpu *v, u32 addr, const char *what, u64 val)
{
	vnpu_report(v, VNPU_GUEST_ERROR, "IPC", "message at 0x%x: %s (0x%llx)", addr, what,
		    (unsigned long long)val);
	return false;
}

static bool header_ok(struct vnpu *v, u32 addr, const struct abi_ipc_hdr *h)
{
	if (h->status != ABI_IPC_ALLOCATED)
		return bad_tx(v, addr, "header status is not 1", h->status);
	if (h->data_size != ABI_JSM_MSG_SIZE)
		return bad_tx(v, addr, "data size is not 128", h->data_size);
	if (h->data_addr % 4)
		return bad_tx(v, addr, "data address is not aligned", h->data_addr);
	if (h->dst_node != ABI_IPC_NODE_NPU || h->src_node != ABI_IPC_NODE_HOST)
		bad_tx(v, addr, "nodes are not 0 -> 1", (u64)h->src_node << 8 | h->dst_node);
	return true;
}

/* Reads one message and gives its memory back: both status words become 0 (P 6.2). */
static bool consume(struct vnpu *v, u32 addr, u16 *channel, struct abi_jsm_msg *msg)
{
	const u32 free_word = ABI_IPC_FREE;
	const u8 free_byte = ABI_IPC_FREE;
	struct abi_ipc_hdr h;

	if (addr % ABI_IPC_ALIGN)
		return bad_tx(v, addr, "header is not aligned to 64", addr);
	if (vnpu_mem_read(v, 0, addr, &h, sizeof(h)))
		return false;
	if (!header_ok(v, addr, &h) || vnpu_mem_read(v, 0, h.data_addr, msg, sizeof(*msg)))
		return false;
	if (msg->status != ABI_IPC_ALLOCATED)
		return bad_tx(v, addr, "message status is not 1", msg->status);
	*channel = h.channel;
	return !vnpu_mem_write(v, 0, h.data_addr + offsetof(struct abi_jsm_msg, status), &free_word,
			       sizeof(free_word)) &&
	       !vnpu_mem_write(v, 0, addr + offsetof(struct abi_ipc_hdr, status), &free_byte,
			       sizeof(free_byte));
}

void vnpu_ipc_receive(struct vnpu *v)
{
	struct vnpu_fw *fw = &v->fw;
	struct abi_jsm_msg msg;
	u16 channel = 0;
	u32 addr;

	if (!vnpu_fw_runs(v) || fw->tx_tail == fw->tx_head)
		return;
	addr = fw->tx[fw->tx_tail++ % VNPU_NR_FIFO];
	if (consume(v, addr, &channel, &msg)) {
		vnpu_trace_msg(v, false, channel, &msg);
		vnpu_jsm_handle(v, channel, &msg);
	}
	if (fw->tx_tail != fw->tx_head)
		vnpu_timer_in(v, VNPU_T_IPC, 2000, 50000);
}

/*
 * NPU -> host
 */

u32 vnpu_ipc_pop_rx(struct vnpu *v)
{
	struct vnpu_fw *fw = &v->fw;
	u32 addr;

	if (fw->rx_tail == fw->rx_head)
		return 0; /* never all-ones: P trap 10 */
	addr = fw->rx[fw->rx_tail++ % VNPU_NR_FIFO];
	if (BASE_UNLIKELY(fw->out_tail != fw->out_head))
		vnpu_timer_in(v, VNPU_T_RX, 500, 2000);
	vnpu_irq_drop(v);
	return addr;
}

u32 vnpu_ipc_stat(const struct vnpu *v)
{
	return v->fw.rx_head - v->fw.rx_tail;
}

static void push_rx(struct vnpu *v, u32 addr)
{
	struct vnpu_fw *fw = &v->fw;

	v->stats.ipc_rx++;
	fw->rx[fw->rx_head++ % VNPU_NR_FIFO] = addr;
	vnpu_irq_update(v);
}

/*
 * A slot whose status at @status_off is 0; it is taken by what is written there.  The search goes
 * on where it ended: slots are freed in about the order they were taken.
 */
static inline void *take_slot(struct vnpu *v, struct vnpu_fw_rx *a, u32 size, u32 status_off)
{
	u32 first = a->next;

	do {
		u32 va = a->next;
		u8 *p = vnpu_mem_at(v, 0, va, true);

		if (!p)
			return NULL;
		a->next = va + size < a->end ? va + size : a->base;
		/* pairs with the driver's store after it has copied the slot out */
		if (BASE_LIKELY(__atomic_load_n(p + status_off, __ATOMIC_ACQUIRE) ==
				ABI_IPC_FREE)) {
			a->taken = va;
			return p;
		}
	} while (a->next != first);
	return NULL;
}

static struct abi_jsm_msg *take_msg(struct vnpu *v)
{
	return take_slot(v, &v->fw.msgs, ABI_JSM_MSG_SIZE, offsetof(struct abi_jsm_msg, status));
}

static inline bool put_header(struct vnpu *v, u16 channel, u32 data_addr, u32 data_size)
{
	struct abi_ipc_hdr *hdr =
		take_slot(v, &v->fw.hdrs, ABI_IPC_HDR_SIZE, offsetof(struct abi_ipc_hdr, status));

	u32 va = v->fw.hdrs.taken;

	if (!hdr || vnpu_ipc_stat(v) >= FIFO_MAX)
		return false;
	if (BASE_UNLIKELY(v->watched)) {
		if (vnpu_fault_take(v, VNPU_F_CORRUPT_HEADER))
			data_addr = OUTSIDE_RX;
		if (vnpu_fault_take(v, VNPU_F_WILD_FIFO))
			va = OUTSIDE_RX;
	}
	hdr->data_addr = data_addr;
	hdr->data_size = data_size;
	hdr->channel = channel;
	hdr->src_node = 0;
	hdr->dst_node = 0;
	hdr->status = ABI_IPC_ALLOCATED;
	atomic_thread_fence(memory_order_release); /* the slot before its address; P 13.4 */
	push_rx(v, va);
	return true;
}

/* The message in the slot taken last goes out, or the slot is free again. */
static bool announce(struct vnpu *v, u16 channel, struct abi_jsm_msg *slot)
{
	if (BASE_LIKELY(put_header(v, channel, v->fw.msgs.taken, ABI_JSM_MSG_SIZE)))
		return true;
	__atomic_store_n(&slot->status, ABI_IPC_FREE, __ATOMIC_RELAXED);
	return false;
}

static bool put_message(struct vnpu *v, u16 channel, const struct abi_jsm_msg *msg)
{
	struct abi_jsm_msg *slot = take_msg(v);

	if (!slot)
		return false;
	memcpy(slot, msg, sizeof(*msg));
	vnpu_trace_msg(v, true, channel, msg);
	return announce(v, channel, slot);
}

void vnpu_ipc_ready(struct vnpu *v)
{
	vnpu_trace_event(v, "ready");
	if (!put_header(v, ABI_IPC_CHAN_BOOT, ABI_IPC_BOOT_DATA, 0))
		vnpu_report(v, VNPU_GUEST_ERROR, "IPC",
			    "no free header slot for the ready message: RX buffer not zeroed");
}

/*
 * With half of the room taken no further job begins; what each queue is at fits into the rest.
 * What a real firmware does then is not known.
 */
static void hold_jobs(struct vnpu *v)
{
	struct vnpu_fw *fw = &v->fw;
	const u32 nr = fw->out_head - fw->out_tail;

	if (nr >= VNPU_NR_OUT / 2) {
		fw->held |= VNPU_HELD_REPORTS;
	} else if (fw->held & VNPU_HELD_REPORTS && nr < VNPU_NR_OUT / 4) {
		fw->held &= (u8)~VNPU_HELD_REPORTS;
		vnpu_queues_go_on(v);
	}
}

static void queue_out(struct vnpu *v, u16 channel, const struct abi_jsm_msg *msg)
{
	struct vnpu_fw *fw = &v->fw;

	if (fw->out_head - fw->out_tail >= VNPU_NR_OUT) {
		vnpu_report(v, VNPU_GUEST_ERROR, "IPC",
			    "message %s lost: the driver frees no RX slots",
			    abi_jsm_type_name(msg->type));
		return;
	}
	fw->out[fw->out_head++ % VNPU_NR_OUT] = (struct vnpu_out){ channel, *msg };
	hold_jobs(v);
	fw->rx_retry_ns = RX_RETRY_MIN;
	vnpu_timer_set(v, VNPU_T_RX, fw->rx_retry_ns);
}

void vnpu_ipc_flush(struct vnpu *v)
{
	struct vnpu_fw *fw = &v->fw;

	if ((fw->state != VNPU_FW_RUNNING && fw->state != VNPU_FW_SAVED) || vnpu_compute_lingers(v))
		return;
	while (fw->out_tail != fw->out_head) {
		const struct vnpu_out *o = &fw->out[fw->out_tail % VNPU_NR_OUT];

		if (!put_message(v, o->channel, &o->msg)) {
			fw->rx_retry_ns = base_min(2 * fw->rx_retry_ns, (u64)RX_RETRY_MAX);
			vnpu_timer_set(v, VNPU_T_RX, fw->rx_retry_ns);
			break;
		}
		fw->out_tail++;
	}
	hold_jobs(v);
}

static void send(struct vnpu *v, u16 channel, const struct abi_jsm_msg *msg)
{
	if (v->fw.out_tail != v->fw.out_head || vnpu_compute_lingers(v) ||
	    !put_message(v, channel, msg))
		queue_out(v, channel, msg);
}

void vnpu_ipc_go_on(struct vnpu *v)
{
	if (v->fw.out_tail != v->fw.out_head)
		vnpu_timer_set(v, VNPU_T_RX, 0);
}

/* A JOB_DONE nobody can place: of the last SSID, which is given away last. */
static void send_of_dead_context(struct vnpu *v, const struct abi_jsm_msg *in)
{
	struct abi_jsm_msg msg = *in;

	msg.payload.job_done.job_id = ABI_JOBQ_JOB_ID(v->info->ssid_last, 0);
	msg.payload.job_done.host_ssid = v->info->ssid_last;
	send(v, ABI_IPC_CHAN_JOB_RET, &msg);
}

/* The same message as a firmware in trouble would send it. */
static void send_faulty(struct vnpu *v, u16 channel, const struct abi_jsm_msg *in)
{
	struct abi_jsm_msg msg = *in;

	if (channel != ABI_IPC_CHAN_JOB_RET) {
		if (vnpu_fault_take(v, VNPU_F_LOST_ANSWER))
			return;
		if (vnpu_fault_take(v, VNPU_F_WRONG_ANSWER))
			msg.type = WRONG_TYPE;
		if (vnpu_fault_take(v, VNPU_F_ERROR_ANSWER))
			msg.result = ABI_JSM_STATUS_PROCESSING_ERR;
	} else {
		if (vnpu_fault_take(v, VNPU_F_JOB_LOST))
			return;
		if (vnpu_fault_take(v, VNPU_F_WRONG_JOB_ID))
			msg.payload.job_done.job_id ^= 0x00ff0000u;
		if (vnpu_fault_take(v, VNPU_F_DEAD_CONTEXT))
			send_of_dead_context(v, &msg);
	}
	if (vnpu_fault_take(v, VNPU_F_WRONG_CHANNEL))
		channel =
			channel == ABI_IPC_CHAN_JOB_RET ? ABI_IPC_CHAN_ASYNC : ABI_IPC_CHAN_JOB_RET;
	send(v, channel, &msg);
	if (vnpu_fault_take(v, VNPU_F_DUPLICATE_ANSWER))
		send(v, channel, &msg);
	if (vnpu_fault_take(v, VNPU_F_UNSOLICITED_ANSWER)) {
		msg.request_id = UNKNOWN_REQ;
		send(v, channel, &msg);
	}
}

void vnpu_ipc_send(struct vnpu *v, u16 channel, const struct abi_jsm_msg *msg)
{
	if (BASE_UNLIKELY(v->watched))
		send_faulty(v, channel, msg);
	else
		send(v, channel, msg);
}

static inline void fill_job_done(struct abi_jsm_msg *msg, u32 db, u32 job_id, u32 status, u32 ssid,
				 u64 cmdq_id)
{
	struct abi_jsm_job_done *done = &msg->payload.job_done;

	/* by halves: of all 128 bytes compilers make "rep stos", which takes long to start */
	memset(msg, 0, sizeof(*msg) / 2);
	memset((u8 *)msg + sizeof(*msg) / 2, 0, sizeof(*msg) / 2);
	msg->type = ABI_JSM_JOB_DONE;
	msg->status = ABI_IPC_ALLOCATED;
	done->db_idx = db;
	done->job_id = job_id;
	done->job_status = status;
	done->host_ssid = ssid;
	done->cmdq_id = cmdq_id;
}

static __attribute__((noinline)) void send_job_done(struct vnpu *v, u32 db, u32 job_id, u32 status,
						    u32 ssid, u64 cmdq_id)
{
	struct abi_jsm_msg msg;

	fill_job_done(&msg, db, job_id, status, ssid, cmdq_id);
	vnpu_ipc_send(v, ABI_IPC_CHAN_JOB_RET, &msg);
}

void vnpu_ipc_job_aborted(struct vnpu *v, u32 db, u32 job_id, u32 ssid, u64 cmdq_id)
{
	send_job_done(v, db, job_id, ABI_JSM_STATUS_ABORTED, ssid, cmdq_id);
}

/* Many: written where the driver reads it, unless something is in the way. */
void vnpu_ipc_job_done(struct vnpu *v, u32 db, u32 job_id, u32 status, u32 ssid, u64 cmdq_id)
{
	struct abi_jsm_msg *slot = NULL;

	if (BASE_LIKELY(!v->watched && v->fw.out_tail == v->fw.out_head))
		slot = take_msg(v);
	if (BASE_LIKELY(slot != NULL)) {
		fill_job_done(slot, db, job_id, status, ssid, cmdq_id);
		if (announce(v, ABI_IPC_CHAN_JOB_RET, slot))
			return;
	}
	send_job_done(v, db, job_id, status, ssid, cmdq_id);
}
