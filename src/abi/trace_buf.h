/* SPDX-License-Identifier: MIT */
/*
 * Header of a firmware log buffer.  A log area is a chain of buffers: the next header follows
 * @size bytes after this one.  SRC: P 5.5, linux vpu_boot_api.h struct vpu_tracing_buffer_header.
 */
#ifndef ABI_TRACE_BUF_H
#define ABI_TRACE_BUF_H

#include "abi/wire.h"

#define ABI_TRACE_CANARY	0xcafecafe
#define ABI_TRACE_HEADER_MIN	128
#define ABI_TRACE_HEADER_MAX	1024
#define ABI_TRACE_FORMAT_STRING 0

/** struct abi_trace_header - first 128 bytes of a log buffer */
struct abi_trace_header {
	/* written by the host */
	u32 host_canary_start;
	u32 read_index;
	u32 read_wrap_count;
	u32 reserved_00c[13];
	/* written by the firmware */
	u32 vpu_canary_start;
	u32 write_index; /* from the start of the data */
	u32 wrap_count;
	u32 reserved_04c;
	u32 size; /* with header */
	u16 header_version;
	u16 header_size;
	u32 format;
	u32 alignment;
	char name[16]; /* not terminated when 16 long */
	u32 reserved_070[4];
};

ABI_SIZE(abi_trace_header, 128); /* SRC: P 5.5 */
ABI_OFF(abi_trace_header, host_canary_start, 0x00);
ABI_OFF(abi_trace_header, read_index, 0x04);
ABI_OFF(abi_trace_header, read_wrap_count, 0x08);
ABI_OFF(abi_trace_header, vpu_canary_start, 0x40);
ABI_OFF(abi_trace_header, write_index, 0x44);
ABI_OFF(abi_trace_header, wrap_count, 0x48);
ABI_OFF(abi_trace_header, size, 0x50);
ABI_OFF(abi_trace_header, header_version, 0x54);
ABI_OFF(abi_trace_header, header_size, 0x56);
ABI_OFF(abi_trace_header, format, 0x58);
ABI_OFF(abi_trace_header, alignment, 0x5c);
ABI_OFF(abi_trace_header, name, 0x60);

#endif
