// SPDX-License-Identifier: MIT
#include "firmware.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/test_os.h"

static struct test_os os;
static struct drv_dev dev;
static struct base_err err;
static char root[64];
static u8 image[ABI_FW_IMAGE_OFF + 0x2000];

static const char *const extra[] = { "intel/vpu/mtl_vpu.bin", "intel/vpu/intel_vpu.bin", NULL };
static const struct drv_gen_info info = { .fw_extra = extra };

static void run(const char *command, const char *path)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "%s %s%s", command, root, path);
	assert_int_equal(system(cmd), 0);
}

static int setup(void **state)
{
	struct abi_fw_spec spec;

	(void)state;
	test_os_init(&os);
	memset(&dev, 0, sizeof(dev));
	memset(&err, 0, sizeof(err));
	dev.os = &os.os;
	dev.ops = os.os.ops;
	dev.gen = &reg_gen_npu37;
	dev.info = &info;
	dev.log.masked = UINT32_MAX;
	unsetenv(ENV_FIRMWARE);
	snprintf(root, sizeof(root), "/tmp/drv-fw-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	abi_fw_spec_init(&spec, dev.gen->va.runtime.start, dev.gen->va.runtime.end,
			 dev.gen->nnrt_api);
	return abi_fw_image_write(&spec, image, sizeof(image));
}

static int teardown(void **state)
{
	(void)state;
	drv_fw_fini(&dev);
	run("rm -r", "");
	return 0;
}

static void put(const char *path, const void *data, size_t size)
{
	char full[256], dir[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	run("mkdir -p", dir);
	f = fopen(full, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static void expect_path(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	assert_string_equal(dev.fw.path, full);
	assert_int_equal(dev.fw.hdr.entry_point % 4096, 0);
	drv_fw_fini(&dev);
}

/* Each name is found, and one earlier in the list wins. */
static void test_order(void **state)
{
	static const char *const list[] = {
		"/firmware/intel_npu.bin",
		"/lib/firmware/intel/vpu/intel_vpu.bin",
		"/lib/firmware/intel/vpu/mtl_vpu.bin",
		"/lib/firmware/updates/intel/vpu/intel_vpu.bin",
		"/lib/firmware/updates/intel/vpu/mtl_vpu.bin",
		"/lib/firmware/intel/vpu/vpu_37xx_v0.0.bin",
		"/lib/firmware/intel/vpu/vpu_37xx_v1.bin",
		"/lib/firmware/updates/intel/vpu/vpu_37xx_v0.0.bin",
		"/lib/firmware/updates/intel/vpu/vpu_37xx_v1.bin",
	};

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(list); i++) {
		put(list[i], image, sizeof(image));
		expect_path(list[i]);
	}
}

static void test_none_names_all(void **state)
{
	(void)state;
	root[strlen(root)] = '\0';
	assert_int_equal(drv_fw_find(&dev, "", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/lib/firmware/updates/intel/vpu/vpu_37xx_v1.bin"));
	assert_non_null(strstr(err.text, "/lib/firmware/intel/vpu/vpu_37xx_v0.0.bin"));
	assert_non_null(strstr(err.text, "/lib/firmware/intel/vpu/mtl_vpu.bin"));
	assert_non_null(strstr(err.text, "/firmware/intel_npu.bin"));
	assert_non_null(strstr(err.text, "$NPU_FIRMWARE"));
	assert_null(dev.fw.image);
}

static void test_built_in_for_virtual_only(void **state)
{
	(void)state;
	os.os.is_virtual = true;
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	assert_string_equal(dev.fw.path, "(built in)");
	assert_non_null(strstr(dev.fw.version, "built-in"));
	assert_true(dev.fw.hdr.api_version[ABI_FW_API_JSM] < ABI_FW_JSM_HWS);
}

/* Found but bad is an error that names the file; nothing behind it is tried. */
static void test_invalid_is_not_skipped(void **state)
{
	(void)state;
	os.os.is_virtual = true;
	put("/lib/firmware/intel/vpu/vpu_37xx_v0.0.bin", image, sizeof(image));
	image[0] = 9;
	put("/lib/firmware/intel/vpu/vpu_37xx_v1.bin", image, sizeof(image));
	assert_int_equal(drv_fw_find(&dev, root, &err), -EINVAL);
	assert_non_null(strstr(err.text, "vpu_37xx_v1.bin"));
	assert_non_null(strstr(err.text, "header_version"));
	assert_null(dev.fw.image);
}

/* The last name may be anything: no image of ours is no error there. */
static void test_last_resort_must_fit(void **state)
{
	(void)state;
	put("/firmware/intel_npu.bin", "NPUREF", 6);
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOENT);
	assert_non_null(strstr(err.text, "not an image for npu37"));
	os.os.is_virtual = true;
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	assert_string_equal(dev.fw.path, "(built in)");
}

static void test_compressed_is_reported(void **state)
{
	(void)state;
	put("/lib/firmware/intel/vpu/vpu_37xx_v1.bin.zst", "x", 1);
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOENT);
	assert_non_null(strstr(err.text, "vpu_37xx_v1.bin.zst is there but compressed"));
}

static void test_environment(void **state)
{
	char path[256];

	(void)state;
	put("/mine.bin", image, sizeof(image));
	put("/lib/firmware/intel/vpu/vpu_37xx_v1.bin", image, sizeof(image));
	snprintf(path, sizeof(path), "%s/mine.bin", root);
	setenv(ENV_FIRMWARE, path, 1);
	expect_path("/mine.bin");
	dev.cfg.ignore_env = true;
	expect_path("/lib/firmware/intel/vpu/vpu_37xx_v1.bin");
	dev.cfg.ignore_env = false;
	setenv(ENV_FIRMWARE, "/nonexistent/x.bin", 1);
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/x.bin"));
	assert_non_null(strstr(err.text, "$NPU_FIRMWARE"));
	dev.cfg.firmware = path;
	expect_path("/mine.bin");
}

static void test_not_a_file(void **state)
{
	(void)state;
	run("mkdir -p", "/lib/firmware/intel/vpu/vpu_37xx_v1.bin");
	assert_int_equal(drv_fw_find(&dev, root, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	run("rmdir", "/lib/firmware/intel/vpu/vpu_37xx_v1.bin");
	run("mkfifo", "/lib/firmware/intel/vpu/vpu_37xx_v1.bin");
	assert_int_equal(drv_fw_find(&dev, root, &err), -EINVAL);
}

/* What Linux takes but this driver cannot map. */
static void test_alignment(void **state)
{
	struct abi_fw_header *h = (struct abi_fw_header *)image;

	(void)state;
	h->entry_point += 4;
	h->entry_point -= 4096;
	put("/lib/firmware/intel/vpu/vpu_37xx_v1.bin", image, sizeof(image));
	assert_int_equal(drv_fw_find(&dev, root, &err), -EINVAL);
	assert_non_null(strstr(err.text, "entry_point"));
	assert_non_null(strstr(err.text, "multiple of 4096"));
}

/* Any bytes: accepted or a clear error, nothing leaked. */
static void test_hostile(void **state)
{
	(void)state;
	srand(3);
	for (u32 i = 0; i < 3000; i++) {
		u8 bad[sizeof(image)];
		size_t size = i % 3 ? sizeof(bad) : (size_t)rand() % sizeof(bad);
		int ret;

		memcpy(bad, image, sizeof(bad));
		for (u32 k = 0; k < 1 + i % 4; k++)
			bad[(u32)rand() % 0xd0] = (u8)rand();
		dev.fw.image = base_zalloc(size);
		dev.fw.size = size;
		memcpy(dev.fw.image, bad, size);
		ret = accept(&dev, "x", &err);
		assert_true(!ret || (ret == -EINVAL && err.text[0]));
		drv_fw_fini(&dev);
	}
}

static void test_no_memory(void **state)
{
	(void)state;
	os.os.is_virtual = true;
	base_alloc_fail_nth(1);
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOMEM);
	put("/lib/firmware/intel/vpu/vpu_37xx_v1.bin", image, sizeof(image));
	base_alloc_fail_nth(1);
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOMEM);
	base_alloc_fail_nth(0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_order),
		T(test_none_names_all),
		T(test_built_in_for_virtual_only),
		T(test_invalid_is_not_skipped),
		T(test_last_resort_must_fit),
		T(test_compressed_is_reported),
		T(test_environment),
		T(test_not_a_file),
		T(test_alignment),
		T(test_hostile),
		T(test_no_memory),
	};

	return cmocka_run_group_tests_name("firmware", tests, NULL, NULL);
}
