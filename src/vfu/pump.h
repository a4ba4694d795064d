/* SPDX-License-Identifier: MIT */
/*
 * Both directions over one socket: the client's commands, and the device's reads and writes of
 * memory that came without a descriptor, whose answers arrive among them.
 *
 * Whoever waits for something reads the socket, one at a time, and hands on what is not his: the
 * connection's thread may be inside a command that made the device ask for memory, and the device
 * may ask from its own threads while that thread waits for the next command.
 */
#ifndef VFU_PUMP_H
#define VFU_PUMP_H

#include <pthread.h>

#include "vfu/wire.h"

/*
 * Bytes of commands kept for a client that goes on while the device asks.  One of its commands can
 * make the device ask thousands of times, as booting does: some 30000 posted writes fit.  Their
 * descriptors are the process's, which other devices need, too.
 */
#define VFU_MAX_QUEUED	   (4u << 20)
#define VFU_MAX_QUEUED_FDS 64u

struct vfu_queued;

struct vfu_pump {
	struct vfu_wire wire; /* whoever reads */
	pthread_mutex_t lock; /* protects: everything below but tx_lock, request */
	pthread_cond_t cond;  /* one of them changed */
	bool reading;
	u32 nr_waiting;
	int error;			  /* the connection is over, and why */
	struct vfu_hdr offence;		  /* -EPROTO: at this header; all 0: none came */
	struct vfu_queued *first, **last; /* commands that came while somebody else waited */
	u32 queued_bytes, queued_fds;
	struct { /* what the device asked; one at a time, the model's lock sees to that */
		bool active, done;
		u16 id, cmd;
		u8 *buf;
		u32 len;
		int result;
	} asked;
	bool unanswered; /* the connection ended while the device waited */
	u16 next_id;
	pthread_mutex_t tx_lock;			      /* messages go out whole */
	u8 request[VFU_MAX_MSG] __attribute__((aligned(16))); /* payload of the current command */
};

int vfu_pump_init(struct vfu_pump *pump) BASE_WARN_UNUSED;
void vfu_pump_fini(struct vfu_pump *pump);

/** vfu_pump_open() - a new connection; vfu_pump_break() - nobody waits any more; then _close() */
void vfu_pump_open(struct vfu_pump *pump, int fd);
void vfu_pump_break(struct vfu_pump *pump, int error);
void vfu_pump_close(struct vfu_pump *pump);

/** vfu_pump_recv() - the next command, as vfu_wire_recv(); valid until the next call
 * -EAGAIN: the socket does not block, and no whole message has come.
 * -ENOBUFS: too many came while the device waited for its memory. */
int vfu_pump_recv(struct vfu_pump *pump, struct vfu_msg *msg) BASE_WARN_UNUSED;
int vfu_pump_send(struct vfu_pump *pump, const struct vfu_hdr *hdr) BASE_WARN_UNUSED;
/** vfu_pump_unanswered() - did the connection end while the device waited for the client? */
bool vfu_pump_unanswered(struct vfu_pump *pump);
/** vfu_pump_refuse() - after -EPROTO: the client is told that its message was an error */
int vfu_pump_refuse(struct vfu_pump *pump);
/** vfu_pump_dma() - ask the client to read (VFU_DMA_READ) or write its memory; at most a page.
 * 0, -EIO (it refused, or answered nonsense), -ENOTCONN. */
int vfu_pump_dma(struct vfu_pump *pump, enum vfu_cmd cmd, u64 addr, void *buf,
		 u32 len) BASE_WARN_UNUSED;

#endif
