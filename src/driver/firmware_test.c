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

static const char *const extra37[] = { "intel/vpu/mtl_vpu.bin", "intel/vpu/intel_vpu.bin", NULL };
static const char *const extra40[] = { "intel/vpu/vpu_40xx.bin", "intel/vpu_40.bin", NULL };
static struct drv_gen_info info;

static void run(const char *command, const char *path)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "%s %s%s", command, root, path);
	assert_int_equal(system(cmd), 0);
}

static const struct reg_gen *const gens[] = { &reg_gen_npu37, &reg_gen_npu40, &reg_gen_npu50,
					      &reg_gen_npu60 };

static void make_image(const struct reg_gen *gen)
{
	struct abi_fw_spec spec;

	dev.gen = gen;
	info.fw_extra = gen == &reg_gen_npu37 ? extra37 : gen == &reg_gen_npu40 ? extra40 : NULL;
	abi_fw_spec_init(&spec, gen->va.runtime.start, gen->va.runtime.end, gen->nnrt_api);
	assert_int_equal(abi_fw_image_write(&spec, image, sizeof(image)), 0);
}

static int setup(void **state)
{
	(void)state;
	test_os_init(&os);
	memset(&dev, 0, sizeof(dev));
	memset(&err, 0, sizeof(err));
	dev.os = &os.os;
	dev.ops = os.os.ops;
	dev.info = &info;
	dev.log.masked = UINT32_MAX;
	unsetenv(ENV_FIRMWARE);
	snprintf(root, sizeof(root), "/tmp/drv-fw-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	make_image(&reg_gen_npu37);
	return 0;
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

static void expect_tried(const char *name)
{
	static const char *const before[] = { "/lib/firmware/updates/", "/lib/firmware/" };
	char full[256];

	for (size_t i = 0; i < BASE_ARRAY_SIZE(before); i++) {
		snprintf(full, sizeof(full), "%s%s", before[i], name);
		if (!strstr(err.text, full))
			fail_msg("%s not in: %s", full, err.text);
	}
}

/* Every path of every generation, whatever else is said. */
static void test_none_names_all(void **state)
{
	char found[] = "/lib/firmware/updates/intel/vpu/vpu_40xx_v0.0.bin.zst is compressed; ";

	(void)state;
	for (size_t g = 0; g < BASE_ARRAY_SIZE(gens); g++) {
		make_image(gens[g]);
		assert_int_equal(drv_fw_find(&dev, "", &err), -ENOENT);
		for (u32 i = 0; gens[g]->fw_names[i]; i++)
			expect_tried(gens[g]->fw_names[i]);
		for (u32 i = 0; info.fw_extra && info.fw_extra[i]; i++)
			expect_tried(info.fw_extra[i]);
		assert_non_null(strstr(err.text, gens[g]->name));
		assert_non_null(strstr(err.text, "$NPU_FIRMWARE"));
		assert_string_equal(err.text + strlen(err.text) - strlen(LAST_RESORT), LAST_RESORT);
		assert_true(strlen(err.text) + strlen(found) < sizeof(err.text));
		assert_null(dev.fw.image);
	}
}

/* One damage each, of an image that fits: its own sentence, naming the field.  P 4.4 */
#define H(field) offsetof(struct abi_fw_header, field), sizeof(((struct abi_fw_header *)0)->field)
enum base { ABS, START, END }; /* what a value counts from: 0, the runtime range */

static const struct damage {
	size_t off, bytes;
	enum base base;
	s64 val;
	const char *want;
} damages[] = {
	{ H(header_version), ABS, 2, "header_version 2: expected 1" },
	{ H(boot_params_load_address), START, -4096, "boot_params_load_address 0x" },
	{ H(boot_params_load_address), START, 0x800, "multiple of 4096" },
	{ H(firmware_version_load_address), END, -4095, "firmware_version_load_address 0x" },
	{ H(firmware_version_size), ABS, 4097, "firmware_version_size 4097: expected 1 to 4096" },
	{ H(firmware_version_load_address), START, 0, "overlap" },
	{ H(runtime_size), ABS, 4096, "runtime_size 4096 bytes: expected at least" },
	{ H(runtime_size), ABS, 0x10001, "runtime_size 65537 bytes: expected a multiple" },
	{ H(runtime_size), ABS, 0x4001000, "not inside the runtime range" },
	{ H(runtime_size), ABS, 0x3000, "expected at most 4096 (runtime_size less two pages)" },
	{ H(image_load_address), START, 0x2800, "image_load_address 0x" },
	{ H(image_size), ABS, 0x2001, "the file has only 8192 behind" },
	{ H(entry_point), START, 0x1000, "expected 4096 bytes from it inside the image" },
	{ H(shave_nn_fw_size), ABS, 0x200001, "shave_nn_fw_size 2097153 bytes: expected at most" },
	{ H(ro_section_start_address), START, 0x1000, "ro_section_start_address 0x" },
	{ H(api_version[ABI_FW_API_BOOT]), ABS, 2 << 16 | 99,
	  "(BOOT) 2.99: expected 3.0 or later" },
	{ H(api_version[ABI_FW_API_JSM]), ABS, 2 << 16, "(JSM) 2.0: expected 3.0 or later" },
};

static void expect_damage(const struct reg_gen *gen, const struct damage *d, char *why, size_t size)
{
	u64 val = (u64)d->val + (d->base == START ? gen->va.runtime.start
				 : d->base == END ? gen->va.runtime.end
						  : 0);

	make_image(gen);
	memcpy(image + d->off, &val, d->bytes);
	if (drv_fw_check(gen, image, sizeof(image), why, size) != -EINVAL)
		fail_msg("%s: taken, expected \"%s\"", gen->name, d->want);
	if (!strstr(why, d->want))
		fail_msg("%s: \"%s\", expected \"%s\"", gen->name, why, d->want);
}

static void test_header(void **state)
{
	char why[BASE_ARRAY_SIZE(damages)][DRV_FW_WHY];

	(void)state;
	for (size_t g = 0; g < BASE_ARRAY_SIZE(gens); g++) {
		make_image(gens[g]);
		assert_int_equal(drv_fw_check(gens[g], image, sizeof(image), why[0], DRV_FW_WHY),
				 0);
		assert_string_equal(why[0], "");
		for (size_t i = 0; i < BASE_ARRAY_SIZE(damages); i++) {
			expect_damage(gens[g], &damages[i], why[i], DRV_FW_WHY);
			assert_true(strlen(why[i]) < DRV_FW_WHY - 1);
			for (size_t k = 0; k < i; k++)
				assert_string_not_equal(why[i], why[k]);
		}
		make_image(gens[g]);
		assert_int_equal(drv_fw_check(gens[g], image, ABI_FW_IMAGE_OFF, why[0], DRV_FW_WHY),
				 -EINVAL);
		assert_non_null(strstr(why[0], "file size 8192 bytes: expected more"));
	}
}

/* The header of one generation is wrong for another, or what its maker says is noticed. */
static void test_of_another_generation(void **state)
{
	char why[DRV_FW_WHY];

	(void)state;
	make_image(&reg_gen_npu37);
	assert_int_equal(drv_fw_check(&reg_gen_npu40, image, sizeof(image), why, sizeof(why)),
			 -EINVAL);
	for (size_t g = 0; g < BASE_ARRAY_SIZE(gens); g++) {
		assert_int_equal(drv_fw_is_marked(gens[g], "Mar 5 2026*NPU50xx*x"),
				 gens[g] == &reg_gen_npu50);
		assert_int_equal(drv_fw_is_marked(gens[g], "20260305*MTL_CLIENT_SILICON*x"),
				 gens[g] == &reg_gen_npu37);
		assert_false(drv_fw_is_marked(gens[g], "npu built-in firmware image"));
	}
}

/* Nothing longer than the largest image is read. */
static void test_too_long(void **state)
{
	char full[256];

	(void)state;
	put("/lib/firmware/intel/vpu/vpu_37xx_v1.bin", image, sizeof(image));
	snprintf(full, sizeof(full), "%s/lib/firmware/intel/vpu/vpu_37xx_v1.bin", root);
	assert_int_equal(truncate(full, (off_t)max_size(dev.gen)), 0);
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	drv_fw_fini(&dev);
	assert_int_equal(truncate(full, (off_t)max_size(dev.gen) + 1), 0);
	assert_int_equal(drv_fw_find(&dev, root, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected at most"));
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
	assert_non_null(strstr(err.text, "no image for npu37"));
	os.os.is_virtual = true;
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	assert_string_equal(dev.fw.path, "(built in)");
}

static void test_compressed_is_reported(void **state)
{
	(void)state;
	put("/lib/firmware/intel/vpu/vpu_37xx_v1.bin.zst", "x", 1);
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOENT);
	assert_non_null(strstr(err.text, "vpu_37xx_v1.bin.zst is compressed"));
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
		T(test_header),
		T(test_of_another_generation),
		T(test_too_long),
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
