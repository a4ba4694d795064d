/* SPDX-License-Identifier: MIT */
/*
 * IPC transport: the header whose address goes through a FIFO.  SRC: P 6, linux ivpu_ipc.h.
 */
#ifndef ABI_IPC_H
#define ABI_IPC_H

#include "abi/wire.h"

/* SRC: P 6.1, 6.2 */
#define ABI_IPC_HDR_SIZE    64
#define ABI_IPC_TX_SIZE	    192 /* header at 0, message at 64 */
#define ABI_IPC_TX_MSG_OFF  64
#define ABI_IPC_BUF_SIZE    0x4000 /* TX pool; RX buffer */
#define ABI_IPC_RX_HDR_SIZE 0x2000 /* headers, then as much for messages */
#define ABI_IPC_ALIGN	    64
#define ABI_IPC_NODE_HOST   0
#define ABI_IPC_NODE_NPU    1
#define ABI_IPC_BOOT_DATA   0x424f4f54 /* data_addr of the ready message; SRC: P 6.5 */
#define ABI_IPC_RX_MAX	    128	       /* undelivered messages Linux keeps; SRC: P 6.6 */

/** enum abi_ipc_chan - channels; SRC: P 6.4 */
enum abi_ipc_chan {
	ABI_IPC_CHAN_ASYNC = 0,
	ABI_IPC_CHAN_GEN = 10,
	ABI_IPC_CHAN_JOB_RET = 11,
	ABI_IPC_CHAN_BOOT = 0x3ff,
};

/** enum abi_ipc_status - of a header and of a message; SRC: P 6.1, 7.1 */
enum abi_ipc_status {
	ABI_IPC_FREE = 0,
	ABI_IPC_ALLOCATED = 1,
};

/** struct abi_ipc_hdr - 64 bytes; SRC: P 6.1 */
struct abi_ipc_hdr {
	u32 data_addr;
	u32 data_size;
	u16 channel;
	u8 src_node;
	u8 dst_node;
	u8 status;
	u8 padding[51];
};

ABI_SIZE(abi_ipc_hdr, ABI_IPC_HDR_SIZE);
ABI_OFF(abi_ipc_hdr, data_addr, 0x00);
ABI_OFF(abi_ipc_hdr, data_size, 0x04);
ABI_OFF(abi_ipc_hdr, channel, 0x08);
ABI_OFF(abi_ipc_hdr, src_node, 0x0a);
ABI_OFF(abi_ipc_hdr, dst_node, 0x0b);
ABI_OFF(abi_ipc_hdr, status, 0x0c);
ABI_OFF(abi_ipc_hdr, padding, 0x0d);

#endif
