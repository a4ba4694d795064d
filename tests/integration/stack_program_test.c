// SPDX-License-Identifier: MIT
/* Programs through the whole stack. */
#include "image.h"
#include "stack.h"

static void check_tensor(const struct npu_tensor_info *info, const char *name)
{
	assert_string_equal(info->name, name);
	assert_int_equal(info->dtype, ABI_F32);
	assert_int_equal(info->rank, 2);
	assert_int_equal(info->dims[0], 2);
	assert_int_equal(info->dims[1], 3);
	assert_int_equal(info->size, 24);
}

static void program(void **state)
{
	struct stack *s = *state;
	struct npu_completion done = { .status = 99 };
	struct npu_tensor_info info;
	struct npu_program *prog, *second;
	struct image im;

	build_image(&im);
	MUST(npu_program_load(s->ctx, &im, sizeof(im), &prog));
	MUST(npu_program_load(s->ctx, &im, sizeof(im), &second));
	assert_int_equal(npu_program_nr_inputs(prog), 1);
	assert_int_equal(npu_program_nr_outputs(prog), 1);
	MUST(npu_program_input(prog, 0, &info));
	check_tensor(&info, "x");
	MUST(npu_program_output(prog, 0, &info));
	check_tensor(&info, "y");
	assert_int_equal(npu_program_input(prog, 1, &info), -EINVAL);
	assert_int_equal(npu_program_output(prog, 1, &info), -EINVAL);
	assert_null(npu_program_input_data(prog, 1));
	assert_null(npu_program_output_data(prog, 1));
	for (uint32_t run = 0; run < 20; run++) {
		struct npu_program *p = run % 3 ? prog : second;
		float *x = npu_program_input_data(p, 0);
		const float *y = npu_program_output_data(p, 0);

		for (uint32_t i = 0; i < 6; i++)
			x[i] = (float)i - (float)run / 4;
		MUST(npu_program_run(p, s->queue, 20000 * MS, &done));
		assert_int_equal(done.status, 0);
		for (uint32_t i = 0; i < 6; i++) {
			float want = (float)i - (float)run / 4 + 0.5f;

			assert_true(y[i] == (want > 0 ? want : 0));
		}
	}
	npu_program_destroy(second);
	MUST(npu_program_run(prog, s->queue, UINT64_MAX, NULL));
	/* prog goes with its context */
}

/* A job that keeps the engine for milliseconds: what comes behind it waits. */
static void add_long_list(struct stack *s, struct cmdlist *list)
{
	struct abi_cmd_memory_fill fill = { .hdr = { ABI_CMD_MEMORY_FILL, sizeof(fill) },
					    .size = 1 << 20 };
	struct npu_buffer *buf;

	MUST(npu_buffer_create(s->ctx, fill.size, 0, NPU_BUFFER_WB, &buf));
	fill.start_address = npu_buffer_address(buf);
	cmdlist_init(list, s->cmds, 0);
	for (int i = 0; i < 400; i++)
		cmdlist_add(list, &fill, sizeof(fill));
}

/* A run among other jobs of the same queue: theirs are kept, its own is not shown. */
static void program_among_jobs(void **state)
{
	struct stack *s = *state;
	struct npu_completion done[62];
	struct npu_program *prog;
	struct cmdlist list;
	struct npu_job jobs[62];
	struct image im;
	int nr = 0, ret;

	build_image(&im);
	MUST(npu_program_load(s->ctx, &im, sizeof(im), &prog));
	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	for (uint32_t i = 0; i < 62; i++)
		jobs[i] = cmdlist_job(&list, i);
	assert_int_equal(npu_queue_submit(s->queue, jobs, 61), 61);
	MUST(npu_program_run(prog, s->queue, 20000 * MS, NULL));
	while (nr < 61 && (ret = npu_queue_wait(s->queue, done, 7, 20000 * MS)) > 0)
		for (int i = 0; i < ret; i++)
			assert_int_equal(done[i].cookie, nr++);
	assert_int_equal(nr, 61);
	/* a run that times out is not heard of again */
	add_long_list(s, &list);
	submit_one(s->queue, &list, 7);
	assert_int_equal(npu_program_run(prog, s->queue, MS, NULL), -ETIMEDOUT);
	assert_int_equal(wait_one(s->queue).cookie, 7);
	assert_int_equal(npu_queue_wait(s->queue, done, 1, 20000 * MS), -ENODATA);
	MUST(npu_program_run(prog, s->queue, 20000 * MS, NULL));
}

/* The hash covers all but the header, where some other values are right as well: a larger arena,
 * another name for the producer, a longer section. */
static bool may_change(size_t at)
{
	return at < sizeof(struct abi_prog_header);
}

static void bad_programs(void **state)
{
	struct stack *s = *state;
	struct npu_program *prog = NULL;
	struct image im;
	char text[1024];

	for (size_t size = 0; size < sizeof(im); size += 61) {
		build_image(&im);
		assert_int_equal(npu_program_load(s->ctx, &im, size, &prog), -EINVAL);
	}
	for (size_t at = 0; at < sizeof(im); at++) {
		int ret;

		build_image(&im);
		((uint8_t *)&im)[at] ^= 0x10;
		ret = npu_program_load(s->ctx, &im, sizeof(im), &prog);
		if (!ret && may_change(at)) {
			npu_program_destroy(prog);
			prog = NULL;
		} else if (ret != -EINVAL && !(may_change(at) && ret == -ENOMEM)) {
			fail_msg("byte %zu: %d: %s", at, ret, npu_last_error());
		}
	}
	build_image(&im);
	im.tensors[2].dims[0] = 3; /* its structure is right, its meaning is not */
	im.tensors[2].size = 36;
	im.hdr.content_hash = base_hash64(im.tensors, sizeof(im) - sizeof(im.hdr), 0);
	assert_int_equal(npu_program_load(s->ctx, &im, sizeof(im), &prog), -EINVAL);
	assert_null(prog);
	MUST(npu_device_read_text(s->dev, "status", text, sizeof(text)));
	assert_non_null(strstr(text, "buffers: 1\n"));
}

static void wrong_queue(void **state)
{
	struct stack *s = *state;
	struct npu_context *ctx;
	struct npu_program *prog;
	struct image im;

	build_image(&im);
	MUST(npu_context_create(s->dev, &ctx));
	MUST(npu_program_load(ctx, &im, sizeof(im), &prog));
	assert_int_equal(npu_program_run(prog, s->queue, MS, NULL), -EINVAL);
	npu_context_destroy(ctx);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(program),
		BOTH(program_among_jobs),
		BOTH(bad_programs),
		BOTH(wrong_queue),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
