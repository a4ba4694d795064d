// SPDX-License-Identifier: MIT
/* One socket, several who wait (pump.h). */
#include "vfu/pump.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct vfu_queued {
	struct vfu_queued *next;
	struct vfu_msg msg;
	u8 data[];
};

int vfu_pump_init(struct vfu_pump *pump)
{
	int err = pthread_mutex_init(&pump->lock, NULL);

	if (err)
		return -err;
	err = pthread_mutex_init(&pump->tx_lock, NULL);
	if (err)
		goto err_lock;
	err = pthread_cond_init(&pump->cond, NULL);
	if (err)
		goto err_tx;
	pump->last = &pump->first;
	pump->error = -ENOTCONN;
	return 0;

err_tx:
	pthread_mutex_destroy(&pump->tx_lock);
err_lock:
	pthread_mutex_destroy(&pump->lock);
	return -err;
}

void vfu_pump_fini(struct vfu_pump *pump)
{
	pthread_cond_destroy(&pump->cond);
	pthread_mutex_destroy(&pump->tx_lock);
	pthread_mutex_destroy(&pump->lock);
}

void vfu_pump_open(struct vfu_pump *pump, int fd)
{
	pthread_mutex_lock(&pump->lock);
	vfu_wire_init(&pump->wire, fd);
	pump->error = 0;
	pump->offence = (struct vfu_hdr){ 0 };
	pump->asked.active = false;
	pump->unanswered = false;
	pthread_mutex_unlock(&pump->lock);
}

void vfu_pump_break(struct vfu_pump *pump, int error)
{
	pthread_mutex_lock(&pump->lock);
	if (!pump->error)
		pump->error = error;
	shutdown(pump->wire.fd, SHUT_RDWR); /* whoever reads or writes stops */
	pthread_cond_broadcast(&pump->cond);
	pthread_mutex_unlock(&pump->lock);
}

static struct vfu_queued *unqueue(struct vfu_pump *pump)
{
	struct vfu_queued *q = pump->first;

	pump->first = q->next;
	if (!pump->first)
		pump->last = &pump->first;
	pump->queued_bytes -= (u32)sizeof(*q) + q->msg.len;
	pump->queued_fds -= q->msg.nr_fds;
	return q;
}

/* The device no longer asks: it was reset, and its memory is unmapped. */
void vfu_pump_close(struct vfu_pump *pump)
{
	while (pump->first) {
		struct vfu_queued *q = unqueue(pump);

		vfu_msg_close(&q->msg);
		base_free(q);
	}
	vfu_wire_fini(&pump->wire);
}

static bool is_command(const struct vfu_msg *msg)
{
	return (msg->hdr.flags & VFU_F_TYPE) == VFU_F_COMMAND;
}

/* An answer, for the device.  To nothing: we do not agree on where messages begin. */
static int deliver(struct vfu_pump *pump, const struct vfu_msg *msg)
{
	struct vfu_dma_io io;

	if (!pump->asked.active || pump->asked.done || msg->hdr.id != pump->asked.id ||
	    msg->hdr.cmd != pump->asked.cmd) {
		pump->offence = msg->hdr;
		return -EPROTO;
	}
	pump->asked.done = true;
	pump->asked.result = -EIO;
	if (msg->hdr.flags & VFU_F_ERROR)
		return 0;
	if (pump->asked.cmd == VFU_DMA_WRITE) {
		pump->asked.result = 0;
		return 0;
	}
	if (msg->len < sizeof(io) + pump->asked.len)
		return 0;
	memcpy(&io, msg->data, sizeof(io));
	if (io.count != pump->asked.len)
		return 0;
	memcpy(pump->asked.buf, msg->data + sizeof(io), pump->asked.len);
	pump->asked.result = 0;
	return 0;
}

static int enqueue(struct vfu_pump *pump, const struct vfu_msg *msg)
{
	struct vfu_queued *q;

	if (pump->queued_bytes + sizeof(*q) + msg->len > VFU_MAX_QUEUED ||
	    pump->queued_fds + msg->nr_fds > VFU_MAX_QUEUED_FDS)
		return -ENOBUFS;
	q = base_zalloc(sizeof(*q) + msg->len);
	if (!q)
		return -ENOMEM;
	q->msg = *msg;
	memcpy(q->data, msg->data, msg->len);
	*pump->last = q;
	pump->last = &q->next;
	pump->queued_bytes += (u32)sizeof(*q) + msg->len;
	pump->queued_fds += msg->nr_fds;
	return 0;
}

/*
 * One message, by whoever holds the lock and finds nobody reading; the lock is dropped meanwhile.
 * @mine: commands are the caller's, with their payload in a safe place; else they are queued.
 * Return: 0 a command for the caller, 1 something for others, or the end of the connection.
 */
static int read_one(struct vfu_pump *pump, struct vfu_msg *msg, bool mine)
{
	int ret;

	pump->reading = true;
	pthread_mutex_unlock(&pump->lock);
	ret = vfu_wire_recv(&pump->wire, msg);
	if (ret == -EPROTO)
		(void)vfu_wire_header(&pump->wire, &pump->offence);
	if (!ret && mine && is_command(msg)) {
		memcpy(pump->request, msg->data, msg->len);
		msg->data = pump->request;
	}
	pthread_mutex_lock(&pump->lock);
	pump->reading = false;
	if (pump->nr_waiting)
		pthread_cond_broadcast(&pump->cond);
	if (!ret && is_command(msg) && mine)
		return 0;
	if (!ret) {
		ret = is_command(msg) ? enqueue(pump, msg) : deliver(pump, msg);
		if (ret || !is_command(msg))
			vfu_msg_close(msg);
	}
	if (ret && !pump->error && !(mine && ret == -EAGAIN))
		pump->error = ret;
	return ret ? ret : 1;
}

static void wait_for_others(struct vfu_pump *pump)
{
	pump->nr_waiting++;
	pthread_cond_wait(&pump->cond, &pump->lock);
	pump->nr_waiting--;
}

int vfu_pump_recv(struct vfu_pump *pump, struct vfu_msg *msg)
{
	int ret = 1;

	pthread_mutex_lock(&pump->lock);
	while (ret > 0) {
		if (pump->first) {
			struct vfu_queued *q = unqueue(pump);

			*msg = q->msg;
			memcpy(pump->request, q->data, msg->len);
			msg->data = pump->request;
			base_free(q);
			ret = 0;
		} else if (pump->error) {
			ret = pump->error;
		} else if (pump->reading) {
			wait_for_others(pump);
		} else {
			ret = read_one(pump, msg, true);
		}
	}
	pthread_mutex_unlock(&pump->lock);
	return ret;
}

int vfu_pump_send(struct vfu_pump *pump, const struct vfu_hdr *hdr)
{
	int ret;

	pthread_mutex_lock(&pump->tx_lock);
	ret = vfu_wire_send(pump->wire.fd, hdr, hdr->size, NULL, 0);
	pthread_mutex_unlock(&pump->tx_lock);
	return ret;
}

bool vfu_pump_unanswered(struct vfu_pump *pump)
{
	bool ret;

	pthread_mutex_lock(&pump->lock);
	ret = pump->unanswered || (pump->asked.active && !pump->asked.done);
	pthread_mutex_unlock(&pump->lock);
	return ret;
}

int vfu_pump_refuse(struct vfu_pump *pump)
{
	struct vfu_hdr hdr = pump->offence;
	bool known = hdr.id || hdr.cmd || hdr.size || hdr.flags;

	if (!known || hdr.flags & VFU_F_NO_REPLY)
		return 0;
	hdr.size = sizeof(hdr);
	hdr.flags = VFU_F_REPLY | VFU_F_ERROR;
	hdr.error = EINVAL;
	return vfu_pump_send(pump, &hdr);
}

static int ask(struct vfu_pump *pump, enum vfu_cmd cmd, u64 addr, const void *buf, u32 len, u16 id)
{
	struct {
		struct vfu_hdr hdr;
		struct vfu_dma_io io;
		u8 data[VFU_MAX_XFER];
	} msg;
	u32 data_len = cmd == VFU_DMA_WRITE ? len : 0;

	msg.hdr = (struct vfu_hdr){ .id = id,
				    .cmd = (u16)cmd,
				    .size = (u32)(sizeof(msg.hdr) + sizeof(msg.io)) + data_len };
	msg.io = (struct vfu_dma_io){ addr, len };
	memcpy(msg.data, buf, data_len);
	return vfu_pump_send(pump, &msg.hdr);
}

int vfu_pump_dma(struct vfu_pump *pump, enum vfu_cmd cmd, u64 addr, void *buf, u32 len)
{
	struct vfu_msg msg;
	int ret;

	if (len > VFU_MAX_XFER)
		return -EINVAL;
	pthread_mutex_lock(&pump->lock);
	ret = pump->error;
	if (ret)
		goto out;
	pump->asked.active = true;
	pump->asked.done = false;
	pump->asked.id = ++pump->next_id;
	pump->asked.cmd = (u16)cmd;
	pump->asked.buf = buf;
	pump->asked.len = len;
	pthread_mutex_unlock(&pump->lock);
	ret = ask(pump, cmd, addr, buf, len, pump->asked.id);
	pthread_mutex_lock(&pump->lock);
	while (!ret && !pump->asked.done) {
		if (pump->error)
			ret = pump->error;
		else if (pump->reading)
			wait_for_others(pump);
		else
			ret = base_min(read_one(pump, &msg, false), 0);
	}
	pump->asked.active = false;
	pump->unanswered |= ret == -ENOTCONN;
	if (!ret)
		ret = pump->asked.result;
out:
	pthread_mutex_unlock(&pump->lock);
	return ret;
}
