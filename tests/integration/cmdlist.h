/* SPDX-License-Identifier: MIT */
/* Command buffers by hand, for tests and benchmarks.  SRC: P 10.8. */
#ifndef TESTS_CMDLIST_H
#define TESTS_CMDLIST_H

#include <string.h>

#include "abi/cmdbuf.h"
#include "npu/npu.h"
#include "regs/gen.h"

struct cmdlist { /* 64-byte save area, then the command buffer */
	uint8_t *cpu;
	uint64_t addr;
	uint32_t size; /* of the command buffer so far */
};

#define CMDLIST_OFF 64u

static inline void cmdlist_sync(struct cmdlist *list)
{
	struct abi_cmdbuf_header hdr = { .cmd_buffer_size = list->size,
					 .cmd_offset = sizeof(hdr),
					 .api_version = ABI_CMDBUF_API,
					 .context_save_area_address = list->addr };

	memcpy(list->cpu + CMDLIST_OFF, &hdr, sizeof(hdr));
}

/* At @off of @buf, a multiple of 64. */
static inline void cmdlist_init(struct cmdlist *list, struct npu_buffer *buf, uint32_t off)
{
	list->cpu = (uint8_t *)npu_buffer_map(buf) + off;
	list->addr = npu_buffer_address(buf) + off;
	list->size = sizeof(struct abi_cmdbuf_header);
	cmdlist_sync(list);
}

static inline void cmdlist_add(struct cmdlist *list, const void *cmd, uint32_t size)
{
	memcpy(list->cpu + CMDLIST_OFF + list->size, cmd, size);
	list->size += size;
	cmdlist_sync(list);
}

static inline void cmdlist_nop(struct cmdlist *list)
{
	uint8_t nop[ABI_CMD_NOP_SIZE] = { 0 };
	const struct abi_cmd hdr = { ABI_CMD_NOP, sizeof(nop) };

	memcpy(nop, &hdr, sizeof(hdr));
	cmdlist_add(list, nop, sizeof(nop));
}

/* @addr a multiple of 64. */
static inline void cmdlist_fence(struct cmdlist *list, uint16_t type, uint64_t addr, uint64_t value)
{
	const struct abi_cmd_fence cmd = { .hdr = { type, sizeof(cmd) },
					   .offset = addr,
					   .value = value };

	cmdlist_add(list, &cmd, sizeof(cmd));
}

/* The descriptor, laid out as @copy says, goes to @desc_off of the list's memory, a multiple of 64. */
static inline void cmdlist_copy(struct cmdlist *list, const struct reg_copy_desc *copy,
				uint32_t desc_off, uint64_t dst, uint64_t src, uint32_t size)
{
	const struct abi_cmd_copy cmd = { .hdr = { ABI_CMD_COPY, sizeof(cmd) },
					  .desc_start_offset = list->addr + desc_off,
					  .desc_count = 1 };
	uint8_t *desc = list->cpu + desc_off;

	memset(desc, 0, copy->size_bytes);
	memcpy(desc + copy->len_off, &size, sizeof(size));
	memcpy(desc + copy->src_off, &src, sizeof(src));
	memcpy(desc + copy->dst_off, &dst, sizeof(dst));
	cmdlist_add(list, &cmd, sizeof(cmd));
}

static inline struct npu_job cmdlist_job(const struct cmdlist *list, uint64_t cookie)
{
	return (struct npu_job){ .cmd_addr = list->addr + CMDLIST_OFF,
				 .cmd_size = list->size,
				 .cookie = cookie };
}

#endif
