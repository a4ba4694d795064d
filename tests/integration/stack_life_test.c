// SPDX-License-Identifier: MIT
/* Devices: opened, refused, reopened, and a whole life with each allocation failing once. */
#include "image.h"
#include "stack.h"

static void unknown_devices(void **state)
{
	static const char *const names[] = { "", "sim", "vfio:0000:00:0b.0", "sim:npu37,fast",
					     "sim:npu99" };
	struct npu_device *dev = NULL;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(names); i++) {
		assert_int_equal(npu_device_open(names[i], &dev), -EINVAL);
		assert_non_null(strstr(npu_last_error(), "expected"));
	}
	assert_null(dev);
}

static void no_such_firmware(void **state)
{
	const struct npu_open_options options = { .firmware = "/nonexistent/npu.bin" };
	struct npu_device *dev = NULL;

	(void)state;
	assert_int_equal(npu_device_open_with(STEPPED, &options, &dev), -ENOENT);
	assert_non_null(strstr(npu_last_error(), "/nonexistent/npu.bin"));
	assert_null(dev);
}

static void reopen(const char *device)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct stack s;
		struct cmdlist list;

		open_stack(&s, device);
		cmdlist_init(&list, s.cmds, 0);
		cmdlist_nop(&list);
		submit_one(s.queue, &list, i);
		assert_int_equal(wait_one(s.queue).cookie, i);
		close_stack(&s);
	}
}

static void reopen_stepped(void **state)
{
	(void)state;
	reopen(STEPPED);
}

static void reopen_threaded(void **state)
{
	const char *elsewhere = getenv("NPU_TEST_DEVICE");

	(void)state;
	reopen(elsewhere ? elsewhere : THREADED);
}

static void two_devices(void **state)
{
	struct stack a, b;
	struct cmdlist list;

	(void)state;
	open_stack(&a, STEPPED ",seed=7");
	open_stack(&b, THREADED ",pci=ad1d");
	cmdlist_init(&list, a.cmds, 0);
	cmdlist_nop(&list);
	submit_one(a.queue, &list, 1);
	cmdlist_init(&list, b.cmds, 0);
	cmdlist_nop(&list);
	submit_one(b.queue, &list, 2);
	assert_int_equal(wait_one(a.queue).cookie, 1);
	assert_int_equal(wait_one(b.queue).cookie, 2);
	close_stack(&a);
	close_stack(&b);
}

struct steps {
	uint32_t nr, failed;
};

static void count_step(void *opaque, const struct npu_boot_step *step)
{
	struct steps *steps = opaque;

	steps->nr++;
	steps->failed += step->result != 0;
	assert_non_null(step->sequence);
	assert_non_null(step->step);
	assert_non_null(step->source);
}

static void boot_steps_are_told(void **state)
{
	struct steps steps = { 0 };
	const struct npu_open_options options = { .on_boot_step = count_step, .opaque = &steps };
	struct npu_device *dev;

	(void)state;
	MUST(npu_device_open_with(STEPPED, &options, &dev));
	assert_true(steps.nr > 20);
	assert_int_equal(steps.failed, 0);
	npu_device_close(dev);
}

static void count_device(void *opaque, const char *device, const char *description)
{
	struct npu_device *dev;

	assert_true(description[0] != '\0');
	MUST(npu_device_open(device, &dev));
	npu_device_close(dev);
	++*(uint32_t *)opaque;
}

static void listed_devices_open(void **state)
{
	uint32_t nr = 0;

	(void)state;
	npu_list(count_device, &nr);
	assert_true(nr >= 1);
}

/* From open to close, one program run among it; 0 or the first error. */
static int whole_life(void)
{
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	struct npu_program *prog;
	struct image im;
	int ret = npu_device_open(STEPPED, &dev);

	if (ret)
		return ret;
	ret = npu_context_create(dev, &ctx);
	if (ret)
		goto out_close;
	build_image(&im);
	ret = npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue);
	if (!ret)
		ret = npu_program_load(ctx, &im, sizeof(im), &prog);
	if (!ret)
		ret = npu_program_run(prog, queue, UINT64_MAX, NULL);
	npu_context_destroy(ctx);
out_close:
	npu_device_close(dev);
	return ret;
}

/* Each allocation fails once: -ENOMEM (or the job fails), nothing leaks, the next life is fine. */
static void allocations_fail(void **state)
{
	uint32_t failures = 0;
	uint64_t before = base_alloc_count();
	uint64_t nr, step;

	(void)state;
	assert_int_equal(whole_life(), 0);
	nr = base_alloc_count() - before;
	step = 1 + nr / 2000; /* a test must end some day */
	for (uint64_t n = 1; n <= nr; n += step) {
		int ret;

		base_alloc_fail_nth(n);
		ret = whole_life();
		base_alloc_fail_nth(0);
		if (ret && ret != -ENOMEM && ret != -EIO)
			fail_msg("allocation %llu of %llu: %d: %s", (unsigned long long)n,
				 (unsigned long long)nr, ret, npu_last_error());
		failures += ret != 0;
	}
	print_message("%llu allocations, every %llu. failed, %u lives ended early\n",
		      (unsigned long long)nr, (unsigned long long)step, failures);
	assert_true(failures > 20);
	assert_int_equal(whole_life(), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_devices),     cmocka_unit_test(no_such_firmware),
		cmocka_unit_test(reopen_stepped),      cmocka_unit_test(reopen_threaded),
		cmocka_unit_test(two_devices),	       cmocka_unit_test(boot_steps_are_told),
		cmocka_unit_test(listed_devices_open), cmocka_unit_test(allocations_fail),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
