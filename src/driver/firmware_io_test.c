// SPDX-License-Identifier: MIT
/* The firmware search when files misbehave: interrupted, failing and short reads, refused opens. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What each call does once: 0 = the real one. */
static int fail_open, fail_fstat, fail_read;
static int short_read;

static int stub_open(const char *path, int flags)
{
	if (fail_open) {
		errno = fail_open;
		return -1;
	}
	return open(path, flags);
}

static int stub_fstat(int fd, struct stat *st)
{
	if (fail_fstat) {
		errno = fail_fstat;
		return -1;
	}
	return fstat(fd, st);
}

static ssize_t stub_read(int fd, void *buf, size_t size)
{
	int err = fail_read;

	if (short_read)
		return 0;
	if (err == EINTR)
		fail_read = 0;
	if (err) {
		errno = err;
		return -1;
	}
	return read(fd, buf, size);
}

#define open  stub_open
#define fstat stub_fstat
#define read  stub_read
#include "firmware.c"
#undef open
#undef fstat
#undef read

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/test_os.h"

static struct test_os os;
static struct drv_dev dev;
static struct drv_gen_info info;
static struct base_err err;
static char root[64];
static u8 image[ABI_FW_IMAGE_OFF + 0x2000];

static void put(const char *path, const void *data, size_t size)
{
	char cmd[512], full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	snprintf(cmd, sizeof(cmd), "mkdir -p $(dirname %s)", full);
	assert_int_equal(system(cmd), 0);
	f = fopen(full, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
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
	dev.info = &info;
	dev.gen = &reg_gen_npu37;
	dev.log.masked = UINT32_MAX;
	fail_open = fail_fstat = fail_read = short_read = 0;
	unsetenv(ENV_FIRMWARE);
	snprintf(root, sizeof(root), "/tmp/drv-fw-io-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	abi_fw_spec_init(&spec, dev.gen->va.runtime.start, dev.gen->va.runtime.end,
			 dev.gen->nnrt_api);
	return abi_fw_image_write(&spec, image, sizeof(image));
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	drv_fw_fini(&dev);
	snprintf(cmd, sizeof(cmd), "rm -r %s", root);
	return system(cmd);
}

#define FIRST "/lib/firmware/updates/intel/vpu/vpu_37xx_v1.bin"

static void expect_error(int ret, const char *says)
{
	assert_int_equal(drv_fw_find(&dev, root, &err), ret);
	if (!strstr(err.text, says) || !strstr(err.text, FIRST))
		fail_msg("not \"%s\" and the path, but: %s", says, err.text);
	assert_null(dev.fw.image);
}

static void test_interrupted_read_goes_on(void **state)
{
	(void)state;
	put(FIRST, image, sizeof(image));
	fail_read = EINTR;
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	assert_int_equal(dev.fw.size, sizeof(image));
	assert_memory_equal(dev.fw.image, image, sizeof(image));
}

static void test_failures_name_the_file(void **state)
{
	(void)state;
	put(FIRST, image, sizeof(image));
	fail_read = EIO;
	expect_error(-EIO, "reading failed");
	fail_read = 0;
	short_read = 1;
	expect_error(-EIO, "reading failed");
	short_read = 0;
	fail_fstat = EIO;
	expect_error(-EIO, "fstat failed");
	fail_fstat = 0;
	fail_open = EACCES;
	expect_error(-EACCES, "opening failed");
	fail_open = 0;
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
}

/* A file where a folder is expected is no firmware found, not a failure. */
static void test_not_a_folder(void **state)
{
	(void)state;
	fail_open = ENOTDIR;
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOENT);
	assert_non_null(strstr(err.text, FIRST));
}

static void test_first_of_two_compressed_is_named(void **state)
{
	(void)state;
	put(FIRST ".xz", "x", 1);
	put(FIRST ".zst", "x", 1);
	put("/firmware/intel_npu.bin", "x", 1);
	assert_int_equal(drv_fw_find(&dev, root, &err), -ENOENT);
	assert_non_null(strstr(err.text, "vpu_37xx_v1.bin.xz is compressed"));
	assert_null(strstr(err.text, ".zst is compressed"));
	assert_null(strstr(err.text, "is no image for"));
	/* whoever wants no sentence still gets the result */
	assert_int_equal(drv_fw_find(&dev, root, NULL), -ENOENT);
}

static void test_empty_variable_is_none(void **state)
{
	(void)state;
	put(FIRST, image, sizeof(image));
	setenv(ENV_FIRMWARE, "", 1);
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	assert_non_null(strstr(dev.fw.path, FIRST));
	unsetenv(ENV_FIRMWARE);
}

/* Another generation's text is a warning: the header cannot tell, and may be right. */
static void test_foreign_mark_is_taken(void **state)
{
	(void)state;
	snprintf((char *)image + ABI_FW_HEADER_PAGE, 64, "x*%s", reg_gen_npu40.fw_mark);
	put(FIRST, image, sizeof(image));
	assert_int_equal(drv_fw_find(&dev, root, &err), 0);
	assert_true(drv_fw_is_marked(&reg_gen_npu40, dev.fw.version));
	assert_false(drv_fw_is_marked(&reg_gen_npu37, dev.fw.version));
}

static void test_image_for_hardware_scheduling(void **state)
{
	struct abi_fw_header h;
	void *made;
	size_t size;

	(void)state;
	for (u32 hws = 0; hws < 2; hws++) {
		assert_int_equal(drv_fw_make(&reg_gen_npu40, hws, &made, &size), 0);
		abi_fw_image_header(made, &h);
		assert_int_equal(h.api_version[ABI_FW_API_JSM] >= ABI_FW_JSM_HWS, hws);
		base_free(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_interrupted_read_goes_on),
		TEST(test_failures_name_the_file),
		TEST(test_not_a_folder),
		TEST(test_first_of_two_compressed_is_named),
		TEST(test_empty_variable_is_none),
		TEST(test_foreign_mark_is_taken),
		TEST(test_image_for_hardware_scheduling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
