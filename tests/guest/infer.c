// SPDX-License-Identifier: MIT
/*
 * Inference: a program of ours, in this context's memory, by INFERENCE_EXECUTE.
 */
#include "guest.h"

#include <math.h>
#include <string.h>

#include "../integration/image.h"
#include "abi/cmdbuf.h"

#define OFF_PROGRAM    0u
#define OFF_ARENA      8192u
#define OFF_INVOCATION 16384u
#define OFF_X	       20480u
#define OFF_Y	       24576u
#define MEMORY_SIZE    28672u

static struct guest g;
static struct guest_bo mem;

static int setup(void **state)
{
	static struct image im;

	(void)state;
	guest_must_open(&g);
	guest_must_bo(&g, MEMORY_SIZE, IVPU_BO_MAPPABLE | IVPU_BO_DMA, &mem);
	build_image(&im);
	memcpy(mem.cpu + OFF_PROGRAM, &im, sizeof(im));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_bo_destroy(&g, &mem);
	guest_close(&g);
	return 0;
}

static void write_invocation(uint64_t program)
{
	struct {
		struct abi_invocation head;
		struct abi_range bindings[2];
	} inv = { .head = { .magic = ABI_INVOCATION_MAGIC,
			    .version = ABI_INVOCATION_VERSION,
			    .nr_bindings = 2,
			    .program = { program, sizeof(struct image) },
			    .arena = { mem.addr + OFF_ARENA, 64 } },
		  .bindings = { { mem.addr + OFF_X, 24 }, { mem.addr + OFF_Y, 24 } } };

	memcpy(mem.cpu + OFF_INVOCATION, &inv, sizeof(inv));
}

static uint32_t infer(uint64_t id)
{
	const struct abi_cmd_inference cmd = {
		.hdr = { ABI_CMD_INFERENCE_EXECUTE, sizeof(cmd) },
		.inference_id = id,
		.host_mapped_inference_address = mem.addr + OFF_INVOCATION,
		.host_mapped_inference_size =
			sizeof(struct abi_invocation) + 2 * sizeof(struct abi_range),
	};
	struct guest_list list;
	uint32_t status = 0;

	guest_list_create(&g, &list);
	guest_list_add(&list, &cmd, sizeof(cmd));
	assert_int_equal(guest_submit(&g, &list, 0, &mem, NULL), 0);
	assert_int_equal(guest_wait(&g, list.bo.handle, GUEST_WAIT_MS, &status), 0);
	guest_list_destroy(&g, &list);
	return status;
}

static void check_result(int round)
{
	float x[6], y[6];

	for (int i = 0; i < 6; i++)
		x[i] = (float)(i - 3) * (float)(round + 1);
	memcpy(mem.cpu + OFF_X, x, sizeof(x));
	memset(mem.cpu + OFF_Y, 0xff, sizeof(y));
	assert_int_equal(infer(guest_must_param(&g, IVPU_PARAM_UNIQUE_INFERENCE_ID, 0)), 0);
	memcpy(y, mem.cpu + OFF_Y, sizeof(y));
	for (int i = 0; i < 6; i++)
		assert_true(y[i] == fmaxf(x[i] + 0.5f, 0));
}

static void right_answers(void **state)
{
	(void)state;
	write_invocation(mem.addr + OFF_PROGRAM);
	for (int round = 0; round < 20; round++)
		check_result(round);
}

/* What is no program ends the job with an error; the next one is served. */
static void broken_program(void **state)
{
	(void)state;
	write_invocation(mem.addr + OFF_PROGRAM);
	mem.cpu[OFF_PROGRAM + 200] ^= 1; /* the content hash no longer fits */
	assert_int_not_equal(infer(1), 0);
	mem.cpu[OFF_PROGRAM + 200] ^= 1;
	memset(mem.cpu + OFF_INVOCATION, 0x5a, sizeof(struct abi_invocation));
	assert_int_not_equal(infer(2), 0);
	write_invocation(mem.addr + OFF_PROGRAM);
	check_result(99);
}

int guest_group_infer(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_answers),
		cmocka_unit_test(broken_program),
	};

	return cmocka_run_group_tests_name("infer", tests, setup, teardown);
}
