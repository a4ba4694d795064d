/* SPDX-License-Identifier: MIT */
/*
 * Command buffer: a header and a list of commands in the submitter's SSID.
 * SRC: P 10.8, Intel's public MIT header vpu_jsm_job_cmd_api.h.
 */
#ifndef ABI_CMDBUF_H
#define ABI_CMDBUF_H

#include "abi/wire.h"

#define ABI_CMDBUF_ALIGN     64
#define ABI_CMDBUF_API	     ABI_API_VER(4, 15) /* what Intel's user-mode driver writes */
#define ABI_CMDBUF_SAVE_SIZE 64			/* context save area, 64-byte aligned */
#define ABI_COPY_COUNT_MAX   4096
#define ABI_COPY_LEN_MAX     0x1000000
#define ABI_COPY_DESC_ALIGN  64

/** struct abi_cmdbuf_header - SRC: P 10.8 */
struct abi_cmdbuf_header {
	u32 cmd_buffer_size; /* from the header's start to the end of the last command */
	u32 cmd_offset;	     /* first command, from the header's start */
	u32 api_version;
	u32 reserved_00c;
	u64 descriptor_heap_base_address;
	u64 submission_timestamp;
	u64 fence_heap_base_address;
	u64 context_save_area_address;
};

ABI_SIZE(abi_cmdbuf_header, 48);
ABI_OFF(abi_cmdbuf_header, cmd_buffer_size, 0x00);
ABI_OFF(abi_cmdbuf_header, cmd_offset, 0x04);
ABI_OFF(abi_cmdbuf_header, api_version, 0x08);
ABI_OFF(abi_cmdbuf_header, reserved_00c, 0x0c);
ABI_OFF(abi_cmdbuf_header, descriptor_heap_base_address, 0x10);
ABI_OFF(abi_cmdbuf_header, submission_timestamp, 0x18);
ABI_OFF(abi_cmdbuf_header, fence_heap_base_address, 0x20);
ABI_OFF(abi_cmdbuf_header, context_save_area_address, 0x28);

/** enum abi_cmd_type - SRC: P 10.8; deprecated ones end the job with PARSING_ERR */
enum abi_cmd_type {
	ABI_CMD_NOP = 0x0001,
	ABI_CMD_TIMESTAMP = 0x0100,
	ABI_CMD_FENCE_WAIT = 0x0101,
	ABI_CMD_FENCE_SIGNAL = 0x0102,
	ABI_CMD_BARRIER = 0x0103,
	ABI_CMD_METRIC_QUERY_BEGIN = 0x0104,
	ABI_CMD_METRIC_QUERY_END = 0x0105,
	ABI_CMD_DEPRECATED_200 = 0x0200,
	ABI_CMD_DEPRECATED_201 = 0x0201,
	ABI_CMD_MEMORY_FILL = 0x0202,
	ABI_CMD_DEPRECATED_203 = 0x0203,
	ABI_CMD_DEPRECATED_300 = 0x0300,
	ABI_CMD_DEPRECATED_301 = 0x0301,
	ABI_CMD_COPY = 0x0302,
	ABI_CMD_DEPRECATED_303 = 0x0303,
	ABI_CMD_DEPRECATED_304 = 0x0304,
	ABI_CMD_DEPRECATED_305 = 0x0305,
	ABI_CMD_INFERENCE_EXECUTE = 0x0306,
	ABI_CMD_DEPRECATED_307 = 0x0307,
};

/** struct abi_cmd - start of every command; the next one is at +size */
struct abi_cmd {
	u16 type;
	u16 size;
};

ABI_SIZE(abi_cmd, 4);
ABI_OFF(abi_cmd, type, 0);
ABI_OFF(abi_cmd, size, 2);

#define ABI_CMD_NOP_MIN	 4  /* NOP may have any size from here */
#define ABI_CMD_NOP_SIZE 24 /* what Intel's user-mode driver uses */

enum abi_ts_type {
	ABI_TS_RAW = 0,
	ABI_TS_SYSTEM = 1,
	ABI_TS_DELTA = 2,
};

/** struct abi_cmd_timestamp - writes 8 bytes */
struct abi_cmd_timestamp {
	struct abi_cmd hdr;
	u32 timestamp_type;
	u64 address;
};

ABI_SIZE(abi_cmd_timestamp, 16);
ABI_OFF(abi_cmd_timestamp, timestamp_type, 0x04);
ABI_OFF(abi_cmd_timestamp, address, 0x08);

/** struct abi_cmd_fence - FENCE_WAIT and FENCE_SIGNAL */
struct abi_cmd_fence {
	struct abi_cmd hdr;
	u32 reserved_004;
	u64 offset; /* from the fence heap base */
	u64 value;
};

ABI_SIZE(abi_cmd_fence, 24);
ABI_OFF(abi_cmd_fence, offset, 0x08);
ABI_OFF(abi_cmd_fence, value, 0x10);

/** struct abi_cmd_barrier - waits for all earlier commands */
struct abi_cmd_barrier {
	struct abi_cmd hdr;
	u32 reserved_004;
};

ABI_SIZE(abi_cmd_barrier, 8);

/** struct abi_cmd_metric_query - METRIC_QUERY_BEGIN and _END */
struct abi_cmd_metric_query {
	struct abi_cmd hdr;
	u32 metric_group_mask;
	u64 metric_data_address; /* 64-byte aligned */
};

ABI_SIZE(abi_cmd_metric_query, 16);
ABI_OFF(abi_cmd_metric_query, metric_group_mask, 0x04);
ABI_OFF(abi_cmd_metric_query, metric_data_address, 0x08);

/** struct abi_cmd_memory_fill - 32-bit pattern */
struct abi_cmd_memory_fill {
	struct abi_cmd hdr;
	u32 reserved_004;
	u64 start_address;
	u64 size;
	u32 fill_pattern;
	u32 reserved_01c;
};

ABI_SIZE(abi_cmd_memory_fill, 32);
ABI_OFF(abi_cmd_memory_fill, start_address, 0x08);
ABI_OFF(abi_cmd_memory_fill, size, 0x10);
ABI_OFF(abi_cmd_memory_fill, fill_pattern, 0x18);
ABI_OFF(abi_cmd_memory_fill, reserved_01c, 0x1c);

/** struct abi_cmd_copy - descriptors in the layout of the generation, struct reg_copy_desc */
struct abi_cmd_copy {
	struct abi_cmd hdr;
	u32 reserved_004;
	u64 desc_start_offset; /* from the descriptor heap base; the sum is 64-byte aligned */
	u32 desc_count;
	u32 reserved_014;
};

ABI_SIZE(abi_cmd_copy, 24);
ABI_OFF(abi_cmd_copy, desc_start_offset, 0x08);
ABI_OFF(abi_cmd_copy, desc_count, 0x10);
ABI_OFF(abi_cmd_copy, reserved_014, 0x14);

/** struct abi_cmd_inference - INFERENCE_EXECUTE */
struct abi_cmd_inference {
	struct abi_cmd hdr;
	u32 reserved_004;
	u64 inference_id;
	u64 host_mapped_inference_address;
	u32 host_mapped_inference_size;
	u32 reserved_01c;
};

ABI_SIZE(abi_cmd_inference, 32);
ABI_OFF(abi_cmd_inference, inference_id, 0x08);
ABI_OFF(abi_cmd_inference, host_mapped_inference_address, 0x10);
ABI_OFF(abi_cmd_inference, host_mapped_inference_size, 0x18);
ABI_OFF(abi_cmd_inference, reserved_01c, 0x1c);

#define ABI_COPY_TAIL_37XX 16 /* bytes that must be readable behind the last descriptor */

/** struct abi_copy_desc_37xx - SRC: P 10.8 */
struct abi_copy_desc_37xx {
	u64 reserved_000[2];
	u64 src_address;
	u64 dst_address;
	u32 size;
	u32 reserved_024[7];
};

ABI_SIZE(abi_copy_desc_37xx, 64);
ABI_OFF(abi_copy_desc_37xx, src_address, 0x10);
ABI_OFF(abi_copy_desc_37xx, dst_address, 0x18);
ABI_OFF(abi_copy_desc_37xx, size, 0x20);

/** struct abi_copy_desc_40xx - 40xx and later; SRC: P 10.8 */
struct abi_copy_desc_40xx {
	u64 reserved_000[3];
	u32 size;
	u32 reserved_01c[3];
	u64 src_address;
	u64 dst_address;
	u64 reserved_038[17];
};

ABI_SIZE(abi_copy_desc_40xx, 192);
ABI_OFF(abi_copy_desc_40xx, size, 0x18);
ABI_OFF(abi_copy_desc_40xx, src_address, 0x28);
ABI_OFF(abi_copy_desc_40xx, dst_address, 0x30);

#endif
