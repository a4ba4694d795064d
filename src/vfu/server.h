/* SPDX-License-Identifier: MIT */
/* Insides of the server: what its files share. */
#ifndef VFU_SERVER_H
#define VFU_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "vfu/dma.h"
#include "vfu/irq.h"
#include "vfu/json.h"
#include "vfu/msix.h"
#include "vfu/pump.h"
#include "vfu/socket.h"
#include "vfu/vfu.h"
#include "vfu/wire.h"

struct vfu_server {
	struct vfu_config cfg;
	struct vnpu *vnpu;
	struct vfu_dma dma;
	struct vfu_irq irq;
	struct vfu_pump pump;
	struct vfu_msix msix;
	_Atomic u64 findings[VFU_NR_CLASSES];
	_Atomic u32 told[VFU_NR_CLASSES]; /* of them, since told_ns */
	u64 told_ns;			  /* the first client's time, or one's much later */

	struct vfu_socket socket;
	pthread_t thread;
	bool has_thread;
	bool attached;	      /* a client whom vfu_server_turn() serves */
	int stop_fd;	      /* eventfd: readable once the thread is to end */
	pthread_mutex_t lock; /* protects: client_fd, stopping */
	int client_fd;	      /* -1: none */
	bool stopping;

	/* of the connection; its thread's alone */
	struct vfu_caps caps;
	bool negotiated;
	bool told_slow;
	atomic_bool orphaned; /* the device asked for memory of a client that has gone */
	bool failed;	      /* memory went away: registers answer with an error until a reset */
	u32 nr_complaints;
	u8 tx[VFU_MAX_MSG] __attribute__((aligned(16)));
};

/** vfu_log() - "NAME: text" */
#define vfu_log(srv, level, fmt, ...) \
	base_log(&(srv)->cfg.log, level, BASE_LOG_SVC, "%s: " fmt, (srv)->cfg.name, ##__VA_ARGS__)
/** vfu_finding() - the server's own: counted and logged like the model's */
void vfu_finding(struct vfu_server *srv, enum vfu_class cls, const char *where, const char *text);

/** vfu_cmd_handle() - do what @msg asks and answer; a negative errno ends the connection */
int vfu_cmd_handle(struct vfu_server *srv, struct vfu_msg *msg) BASE_WARN_UNUSED;

#endif
