// SPDX-License-Identifier: MIT
/*
 * Jobs by the legacy ioctl: every command, waiting, time-outs, errors of a command buffer.
 * SRC: P 10.8, 12.5
 */
#include "guest.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "abi/cmdbuf.h"

static struct guest g;
static struct guest_list list;
static struct guest_bo data; /* 64 pages */

#define DATA_SIZE (64 * GUEST_PAGE)

static int setup(void **state)
{
	(void)state;
	guest_must_open(&g);
	guest_list_create(&g, &list);
	guest_must_bo(&g, DATA_SIZE, IVPU_BO_MAPPABLE, &data);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_bo_destroy(&g, &data);
	guest_list_destroy(&g, &list);
	guest_close(&g);
	return 0;
}

static void run(uint32_t status)
{
	assert_int_equal(guest_submit(&g, &list, 0, &data, NULL), 0);
	guest_must_finish(&g, &list, status);
	guest_list_restart(&list);
}

static uint64_t load64(uint32_t off)
{
	uint64_t value;

	atomic_thread_fence(memory_order_acquire);
	memcpy(&value, data.cpu + off, sizeof(value));
	return value;
}

static void nop(void **state)
{
	(void)state;
	guest_list_nop(&list);
	run(0);
}

/* Any alignment, any length, across pages: the bytes around stay. */
static void copies(void **state)
{
	static const uint32_t lens[] = { 1, 3, 64, 4095, 4096, 4097, 20000 };
	static const uint32_t offs[] = { 0, 1, 63, 4000 };
	const uint32_t to = DATA_SIZE / 2;

	(void)state;
	for (unsigned int i = 0; i < 28; i++) {
		uint32_t len = lens[i % 7], off = offs[i / 7];

		memset(data.cpu + to, 0xee, DATA_SIZE / 2);
		for (uint32_t k = 0; k < len; k++)
			data.cpu[off + k] = (uint8_t)(k * 13 + i);
		guest_list_copy(&g, &list, data.addr + to + off + 1, data.addr + off, len);
		run(0);
		assert_memory_equal(data.cpu + to + off + 1, data.cpu + off, len);
		assert_int_equal(data.cpu[to + off], 0xee);
		assert_int_equal(data.cpu[to + off + 1 + len], 0xee);
	}
}

static void fills(void **state)
{
	static const uint32_t lens[] = { 4, 64, 4096, 100000 };
	const uint32_t pattern = 0xc0ffee42;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		memset(data.cpu, 0, DATA_SIZE);
		guest_list_fill(&list, data.addr + 64, lens[i], pattern);
		run(0);
		for (uint32_t at = 64; at < 64 + lens[i]; at += 4)
			assert_memory_equal(data.cpu + at, &pattern, 4);
		assert_int_equal(data.cpu[63], 0);
		assert_int_equal(data.cpu[64 + lens[i]], 0);
	}
}

/* fill, barrier, copy of what was filled, barrier, fence: in that order */
static void chain(void **state)
{
	(void)state;
	memset(data.cpu, 0, DATA_SIZE);
	for (unsigned int i = 0; i < 8; i++) {
		guest_list_fill(&list, data.addr, 256, i + 1);
		guest_list_barrier(&list);
		guest_list_copy(&g, &list, data.addr + (i + 1) * GUEST_PAGE, data.addr, 256);
		guest_list_barrier(&list);
	}
	guest_list_fence(&list, ABI_CMD_FENCE_SIGNAL, data.addr + 32 * GUEST_PAGE, 1234567890123);
	run(0);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(load64((i + 1) * GUEST_PAGE), (uint64_t)(i + 1) << 32 | (i + 1));
	assert_int_equal(load64(32 * GUEST_PAGE), 1234567890123);
}

/* The counter's rate is the one user space is told.  In one job: asleep, the device may forget. */
static void timestamps(void **state)
{
	const uint64_t four = 4;
	int64_t ms;
	uint64_t ticks;

	(void)state;
	memset(data.cpu, 0, GUEST_PAGE);
	guest_list_timestamp(&g, &list, data.addr);
	guest_list_barrier(&list);
	guest_list_fence(&list, ABI_CMD_FENCE_WAIT, data.addr + 256, 3);
	guest_list_timestamp(&g, &list, data.addr + 64);
	ms = guest_now_ms();
	assert_int_equal(guest_submit(&g, &list, 0, &data, NULL), 0);
	while (!load64(0) && guest_now_ms() < ms + GUEST_WAIT_MS)
		guest_sleep_ms(1);
	guest_sleep_ms(200);
	memcpy(data.cpu + 256, &four, sizeof(four));
	guest_must_finish(&g, &list, 0);
	guest_list_restart(&list);
	ms = guest_now_ms() - ms;
	assert_true(load64(0) > 0);
	ticks = load64(64) - load64(0);
	/* the guest's clock and the device's are not the same one: a tenth is allowed */
	assert_in_range(ticks, g.gen->timer_hz / 1000 * 180,
			g.gen->timer_hz / 1000 * (uint64_t)(ms + ms / 10 + 10));
}

/* Waits for the host, which lets another queue pass; no answer before, one after. */
static void fence_from_host(void **state)
{
	struct guest_list other;
	uint32_t status;
	uint64_t four = 4;

	(void)state;
	memset(data.cpu, 0, GUEST_PAGE);
	guest_list_create(&g, &other);
	guest_list_fence(&list, ABI_CMD_FENCE_WAIT, data.addr, 3);
	guest_list_fence(&list, ABI_CMD_FENCE_SIGNAL, data.addr + 64, 9);
	assert_int_equal(guest_submit(&g, &list, 2, &data, NULL), 0);
	assert_int_equal(guest_wait(&g, list.bo.handle, 100, &status), -ETIMEDOUT);
	assert_int_equal(guest_submit(&g, &list, 2, &data, NULL), -EBUSY);
	guest_list_nop(&other);
	assert_int_equal(guest_submit(&g, &other, 3, NULL), 0);
	guest_must_finish(&g, &other, 0);
	assert_int_equal(load64(64), 0);
	memcpy(data.cpu, &four, sizeof(four));
	guest_must_finish(&g, &list, 0);
	assert_int_equal(load64(64), 9);
	guest_list_restart(&list);
	guest_list_destroy(&g, &other);
}

/* One queue's job signals what another queue's job waits for. */
static void fence_between_queues(void **state)
{
	struct guest_list other;

	(void)state;
	memset(data.cpu, 0, GUEST_PAGE);
	guest_list_create(&g, &other);
	guest_list_fence(&list, ABI_CMD_FENCE_WAIT, data.addr, 3);
	guest_list_copy(&g, &list, data.addr + 128, data.addr, 8);
	assert_int_equal(guest_submit(&g, &list, 1, &data, NULL), 0);
	guest_list_fence(&other, ABI_CMD_FENCE_SIGNAL, data.addr, 4);
	assert_int_equal(guest_submit(&g, &other, 4, &data, NULL), 0);
	guest_must_finish(&g, &other, 0);
	guest_must_finish(&g, &list, 0);
	assert_int_equal(load64(128), 4);
	guest_list_restart(&list);
	guest_list_destroy(&g, &other);
}

static void priorities(void **state)
{
	(void)state;
	for (uint32_t prio = 0; prio <= IVPU_PRIORITY_MAX; prio++) {
		guest_list_fence(&list, ABI_CMD_FENCE_SIGNAL, data.addr, 100 + prio);
		assert_int_equal(guest_submit(&g, &list, prio, &data, NULL), 0);
		guest_must_finish(&g, &list, 0);
		assert_int_equal(load64(0), 100 + prio);
		guest_list_restart(&list);
	}
}

/* Many buffers in one submission, the last of them used. */
static void many_buffers(void **state)
{
	static struct guest_bo many[200];
	static uint32_t handles[201];
	struct ivpu_submit s = { .buffers_ptr = (uintptr_t)handles,
				 .buffer_count = 201,
				 .commands_offset = GUEST_LIST_OFF };

	(void)state;
	handles[0] = list.bo.handle;
	for (unsigned int i = 0; i < 200; i++) {
		guest_must_bo(&g, GUEST_PAGE, IVPU_BO_MAPPABLE, &many[i]);
		handles[i + 1] = many[i].handle;
	}
	guest_list_fill(&list, many[199].addr, 64, 0x5a5a5a5a);
	assert_int_equal(guest_ioctl(g.fd, IVPU_SUBMIT, &s), 0);
	guest_must_finish(&g, &list, 0);
	guest_list_restart(&list);
	assert_int_equal(many[199].cpu[63], 0x5a);
	for (unsigned int i = 0; i < 200; i++)
		guest_bo_destroy(&g, &many[i]);
}

/* A buffer that was mapped before stays mapped, listed or not. */
static void unlisted(void **state)
{
	(void)state;
	guest_list_fill(&list, data.addr, 64, 1);
	run(0);
	guest_list_fill(&list, data.addr, 64, 2);
	assert_int_equal(guest_submit(&g, &list, 0, NULL), 0);
	guest_must_finish(&g, &list, 0);
	guest_list_restart(&list);
	assert_int_equal(data.cpu[0], 2);
}

#define PARSING_ERR 1

/* The device refuses what it cannot parse; the context goes on. */
static void bad_commands(void **state)
{
	static const struct abi_cmd bad[] = {
		{ 0x0ddd, 8 },			/* unknown */
		{ ABI_CMD_DEPRECATED_300, 24 }, /* no longer served */
		{ ABI_CMD_FENCE_SIGNAL, 8 },	/* too small for what it is */
		{ ABI_CMD_COPY, 0 },		/* would never end */
		{ ABI_CMD_NOP, 60000 },		/* ends behind the command buffer */
	};
	uint8_t room[32];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(room, 0, sizeof(room));
		memcpy(room, &bad[i], sizeof(bad[i]));
		guest_list_add(&list, room, sizeof(room));
		run(PARSING_ERR);
	}
	guest_must_work(&g);
}

static void bad_headers(void **state)
{
	struct abi_cmdbuf_header *hdr = (void *)(list.bo.cpu + GUEST_LIST_OFF);

	(void)state;
	guest_list_nop(&list);
	hdr->cmd_offset = 16;
	run(PARSING_ERR);
	guest_list_nop(&list);
	hdr->cmd_offset = 0xfffffff0;
	run(PARSING_ERR);
	guest_list_nop(&list);
	hdr->cmd_buffer_size = 8;
	run(PARSING_ERR);
	guest_must_work(&g);
}

/* Closing does not cut off what is under way, and does not wait for ever. */
static void close_with_jobs(void **state)
{
	struct guest other;
	struct guest_list many[16];

	(void)state;
	for (unsigned int round = 0; round < 10; round++) {
		guest_must_open(&other);
		for (unsigned int i = 0; i < 16; i++) {
			guest_list_create(&other, &many[i]);
			guest_list_nop(&many[i]);
			assert_int_equal(guest_submit(&other, &many[i], i % 5, NULL), 0);
		}
		guest_close(&other);
	}
	guest_must_work(&g);
}

int guest_group_jobs(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nop),
		cmocka_unit_test(copies),
		cmocka_unit_test(fills),
		cmocka_unit_test(chain),
		cmocka_unit_test(timestamps),
		cmocka_unit_test(fence_from_host),
		cmocka_unit_test(fence_between_queues),
		cmocka_unit_test(priorities),
		cmocka_unit_test(many_buffers),
		cmocka_unit_test(unlisted),
		cmocka_unit_test(bad_commands),
		cmocka_unit_test(bad_headers),
		cmocka_unit_test(close_with_jobs),
	};

	return cmocka_run_group_tests_name("jobs", tests, setup, teardown);
}
