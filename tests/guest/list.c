// SPDX-License-Identifier: MIT
/*
 * Command buffers: built, submitted, waited for.  SRC: P 10.8, 12.5.
 */
#include "guest.h"

#include <string.h>
#include <time.h>

#include "abi/cmdbuf.h"

static void sync_header(struct guest_list *list)
{
	struct abi_cmdbuf_header hdr = { .cmd_buffer_size = list->size,
					 .cmd_offset = sizeof(hdr),
					 .api_version = ABI_CMDBUF_API,
					 .context_save_area_address = list->bo.addr };

	memcpy(list->bo.cpu + GUEST_LIST_OFF, &hdr, sizeof(hdr));
}

void guest_list_restart(struct guest_list *list)
{
	list->size = sizeof(struct abi_cmdbuf_header);
	/* what the hardware reads behind the last descriptor is in the buffer too */
	list->desc_off = GUEST_LIST_SIZE - 64;
	sync_header(list);
}

void guest_list_create(struct guest *g, struct guest_list *list)
{
	guest_must_bo(g, GUEST_LIST_SIZE, IVPU_BO_MAPPABLE, &list->bo);
	guest_list_restart(list);
}

void guest_list_destroy(struct guest *g, struct guest_list *list)
{
	guest_bo_destroy(g, &list->bo);
}

void guest_list_add(struct guest_list *list, const void *cmd, uint32_t size)
{
	assert_true(GUEST_LIST_OFF + list->size + size <= list->desc_off);
	memcpy(list->bo.cpu + GUEST_LIST_OFF + list->size, cmd, size);
	list->size += size;
	sync_header(list);
}

void guest_list_nop(struct guest_list *list)
{
	uint8_t nop[ABI_CMD_NOP_SIZE] = { 0 };
	const struct abi_cmd hdr = { ABI_CMD_NOP, sizeof(nop) };

	memcpy(nop, &hdr, sizeof(hdr));
	guest_list_add(list, nop, sizeof(nop));
}

void guest_list_barrier(struct guest_list *list)
{
	const struct abi_cmd_barrier cmd = { .hdr = { ABI_CMD_BARRIER, sizeof(cmd) } };

	guest_list_add(list, &cmd, sizeof(cmd));
}

void guest_list_fence(struct guest_list *list, uint16_t type, uint64_t addr, uint64_t value)
{
	const struct abi_cmd_fence cmd = { .hdr = { type, sizeof(cmd) },
					   .offset = addr,
					   .value = value };

	guest_list_add(list, &cmd, sizeof(cmd));
}

void guest_list_timestamp(struct guest *g, struct guest_list *list, uint64_t addr)
{
	const struct abi_cmd_timestamp cmd = { .hdr = { ABI_CMD_TIMESTAMP, sizeof(cmd) },
					       .timestamp_type = g->gen->ts_type,
					       .address = addr };

	guest_list_add(list, &cmd, sizeof(cmd));
}

void guest_list_fill(struct guest_list *list, uint64_t addr, uint64_t size, uint32_t pattern)
{
	const struct abi_cmd_memory_fill cmd = { .hdr = { ABI_CMD_MEMORY_FILL, sizeof(cmd) },
						 .start_address = addr,
						 .size = size,
						 .fill_pattern = pattern };

	guest_list_add(list, &cmd, sizeof(cmd));
}

void guest_list_copy(struct guest *g, struct guest_list *list, uint64_t dst, uint64_t src,
		     uint32_t size)
{
	const struct reg_copy_desc *layout = &g->gen->copy;
	struct abi_cmd_copy cmd = { .hdr = { ABI_CMD_COPY, sizeof(cmd) }, .desc_count = 1 };
	uint8_t *desc;

	assert_true(list->desc_off >= GUEST_LIST_OFF + list->size + layout->size_bytes);
	list->desc_off -= layout->size_bytes;
	desc = list->bo.cpu + list->desc_off;
	memset(desc, 0, layout->size_bytes);
	memcpy(desc + layout->len_off, &size, sizeof(size));
	memcpy(desc + layout->src_off, &src, sizeof(src));
	memcpy(desc + layout->dst_off, &dst, sizeof(dst));
	cmd.desc_start_offset = list->bo.addr + list->desc_off;
	guest_list_add(list, &cmd, sizeof(cmd));
}

int guest_submit(struct guest *g, struct guest_list *list, uint32_t priority, ...)
{
	uint32_t handles[8] = { list->bo.handle };
	struct ivpu_submit s = { .buffers_ptr = (uintptr_t)handles,
				 .buffer_count = 1,
				 .commands_offset = GUEST_LIST_OFF,
				 .priority = priority };
	const struct guest_bo *bo;
	va_list args;

	va_start(args, priority);
	while (s.buffer_count < 8 && (bo = va_arg(args, const struct guest_bo *)))
		handles[s.buffer_count++] = bo->handle;
	va_end(args);
	return guest_ioctl(g->fd, IVPU_SUBMIT, &s);
}

int guest_queue_submit(struct guest *g, uint32_t queue, struct guest_list *list,
		       const struct guest_bo *bo)
{
	uint32_t handles[2] = { list->bo.handle, bo ? bo->handle : 0 };
	struct ivpu_cmdq_submit s = { .buffers_ptr = (uintptr_t)handles,
				      .buffer_count = bo ? 2 : 1,
				      .cmdq_id = queue,
				      .commands_offset = GUEST_LIST_OFF };

	return guest_ioctl(g->fd, IVPU_CMDQ_SUBMIT, &s);
}

int guest_wait(struct guest *g, uint32_t handle, int64_t ms, uint32_t *status)
{
	struct ivpu_bo_wait wait = { .handle = handle };
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.timeout_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec + ms * 1000000;
	ret = guest_ioctl(g->fd, IVPU_BO_WAIT, &wait);
	if (!ret)
		*status = wait.job_status;
	return ret;
}

void guest_must_finish(struct guest *g, struct guest_list *list, uint32_t status)
{
	uint32_t got = UINT32_MAX;

	assert_int_equal(guest_wait(g, list->bo.handle, GUEST_WAIT_MS, &got), 0);
	assert_int_equal(got, status);
}

void guest_must_work(struct guest *g)
{
	static const char text[] = "what the device copied";
	struct guest_list list;
	struct guest_bo bo;

	guest_list_create(g, &list);
	guest_must_bo(g, 2 * GUEST_PAGE, IVPU_BO_MAPPABLE, &bo);
	memcpy(bo.cpu, text, sizeof(text));
	guest_list_copy(g, &list, bo.addr + GUEST_PAGE, bo.addr, 64);
	guest_list_fence(&list, ABI_CMD_FENCE_SIGNAL, bo.addr + GUEST_PAGE + 128, 7);
	assert_int_equal(guest_submit(g, &list, 0, &bo, NULL), 0);
	guest_must_finish(g, &list, 0);
	assert_memory_equal(bo.cpu + GUEST_PAGE, text, sizeof(text));
	assert_int_equal(bo.cpu[GUEST_PAGE + 128], 7);
	guest_bo_destroy(g, &bo);
	guest_list_destroy(g, &list);
}
