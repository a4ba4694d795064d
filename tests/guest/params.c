// SPDX-License-Identifier: MIT
/*
 * Parameters and contexts.  SRC: P 12.3, 10.1
 */
#include "guest.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static void version(void **state)
{
	char name[32] = "";
	struct drm_version v = { .name_len = sizeof(name) - 1, .name = name };
	struct guest g;

	(void)state;
	guest_must_open(&g);
	assert_int_equal(guest_ioctl(g.fd, DRM_VERSION, &v), 0);
	assert_string_equal(name, "intel_vpu");
	assert_int_equal(v.version_major, 1);
	guest_close(&g);
}

/* What the device says of itself: fuses and identity, as the model was told. */
static void identity(void **state)
{
	struct guest g;
	uint64_t hz;

	(void)state;
	guest_must_open(&g);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_DEVICE_ID, 0), g.device_id);
	assert_in_range(guest_must_param(&g, IVPU_PARAM_DEVICE_REVISION, 0), 1, 255);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_PLATFORM_TYPE, 0), 0);
	hz = guest_must_param(&g, IVPU_PARAM_CORE_CLOCK_RATE, 0);
	assert_in_range(hz, 100000000, 4000000000);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_TILE_CONFIG, 0), g.gen->tile_fuse);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_SKU, 0), g.gen->sku);
	guest_close(&g);
}

static void firmware_api(void **state)
{
	struct guest g;
	uint64_t value;

	(void)state;
	guest_must_open(&g);
	/* BOOT, JOB_CMD, JSM of every image known: 3.x, 4.x, 3.x; SRC: P 4.7 */
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_FW_API_VERSION, 0) >> 16, 3);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_FW_API_VERSION, 3) >> 16, 4);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_FW_API_VERSION, 4) >> 16, 3);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_FW_API_VERSION, 7) >> 16,
			 g.gen->nnrt_api >> 16);
	guest_must_param(&g, IVPU_PARAM_FW_API_VERSION, 15);
	assert_int_equal(guest_param(&g, IVPU_PARAM_FW_API_VERSION, 16, &value), -EINVAL);
	guest_close(&g);
}

static void capabilities(void **state)
{
	struct guest g;
	uint64_t value;
	bool is_7x;

	(void)state;
	guest_must_open(&g);
	is_7x = guest_is_7x(&g);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_CAPABILITIES, IVPU_CAP_METRIC_STREAMER),
			 1);
	assert_int_equal(guest_must_param(&g, IVPU_PARAM_CAPABILITIES, IVPU_CAP_DMA_MEMORY_RANGE),
			 1);
	if (is_7x) {
		assert_int_equal(
			guest_must_param(&g, IVPU_PARAM_CAPABILITIES, IVPU_CAP_BO_FROM_USERPTR), 1);
		assert_int_equal(guest_must_param(&g, IVPU_PARAM_CAPABILITIES, 77), 0);
	} else {
		assert_int_equal(guest_param(&g, IVPU_PARAM_CAPABILITIES, 77, &value), -EINVAL);
	}
	guest_close(&g);
}

static void heartbeat(void **state)
{
	struct guest g;
	uint64_t value;

	(void)state;
	guest_must_open(&g);
	guest_must_param(&g, IVPU_PARAM_ENGINE_HEARTBEAT, 0); /* the firmware answers */
	assert_int_equal(guest_param(&g, IVPU_PARAM_ENGINE_HEARTBEAT, 1, &value), -EINVAL);
	guest_close(&g);
}

static void unique_ids(void **state)
{
	struct guest a, b;
	uint64_t first, second;

	(void)state;
	guest_must_open(&a);
	guest_must_open(&b);
	first = guest_must_param(&a, IVPU_PARAM_UNIQUE_INFERENCE_ID, 0);
	second = guest_must_param(&b, IVPU_PARAM_UNIQUE_INFERENCE_ID, 0);
	assert_true(second > first);
	assert_int_not_equal(guest_must_param(&a, IVPU_PARAM_CONTEXT_ID, 0),
			     guest_must_param(&b, IVPU_PARAM_CONTEXT_ID, 0));
	guest_close(&b);
	guest_close(&a);
}

static void refused(void **state)
{
	struct ivpu_param p = { .param = IVPU_PARAM_CONTEXT_PRIORITY };
	struct guest g;
	uint64_t value;

	(void)state;
	guest_must_open(&g);
	assert_int_equal(guest_param(&g, IVPU_PARAM_CONTEXT_PRIORITY, 0, &value), -EINVAL);
	assert_int_equal(guest_param(&g, 4711, 0, &value), -EINVAL);
	for (p.param = 0; p.param < 16; p.param++)
		assert_int_equal(guest_ioctl(g.fd, IVPU_SET_PARAM, &p), -EINVAL);
	guest_close(&g);
}

/* As many contexts as the kernel promises, no more; the device serves the first and the last. */
static void all_contexts(void **state)
{
	static struct guest ctx[256];
	struct rlimit files = { 1024, 1024 };
	uint32_t limit, nr = 0;
	int ret = 0;

	(void)state;
	setrlimit(RLIMIT_NOFILE, &files);
	guest_must_open(&ctx[nr++]);
	limit = (uint32_t)guest_must_param(&ctx[0], IVPU_PARAM_NUM_CONTEXTS, 0);
	assert_in_range(limit, 64, 200);
	while (nr < limit + 2 && !(ret = guest_open(&ctx[nr])))
		nr++;
	assert_int_equal(nr, limit);
	assert_true(ret == -EMFILE || ret == -EBUSY);
	guest_must_work(&ctx[0]);
	guest_must_work(&ctx[nr - 1]);
	for (uint32_t i = 0; i < nr; i += 16)
		guest_must_work(&ctx[i]);
	while (nr)
		guest_close(&ctx[--nr]);
	guest_must_open(&ctx[0]);
	guest_must_work(&ctx[0]);
	guest_close(&ctx[0]);
}

int guest_group_params(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version),	cmocka_unit_test(identity),
		cmocka_unit_test(firmware_api), cmocka_unit_test(capabilities),
		cmocka_unit_test(heartbeat),	cmocka_unit_test(unique_ids),
		cmocka_unit_test(refused),	cmocka_unit_test(all_contexts),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
