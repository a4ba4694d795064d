// SPDX-License-Identifier: MIT
#include "cap.c"
#include "pci.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/test_os.h"

static u8 space[256];
static u32 nr_mapped, nr_resets;
static int reset_result;
static u64 bar4_size;
static struct os_ops ops;
static struct test_os os;
static struct drv_dev dev;
static struct base_err err;

/* neighbour: every generation has a driver */
const struct drv_gen_info *drv_gen_find(const struct reg_gen *gen)
{
	static const struct drv_gen_info info;

	(void)gen;
	return &info;
}

static int cfg_rd(struct os_device *o, u32 off, u32 size, u32 *val)
{
	(void)o;
	*val = 0;
	memcpy(val, space + off, size);
	return 0;
}

static int cfg_wr(struct os_device *o, u32 off, u32 size, u32 val)
{
	(void)o;
	memcpy(space + off, &val, size);
	return 0;
}

static int bar_info(struct os_device *o, u32 bar, struct os_bar *out)
{
	(void)o;
	*out = (struct os_bar){ .size = bar == 4 ? bar4_size
					: bar	 ? 0
						 : 128 << 20,
				.is_64bit = true };
	return 0;
}

static int bar_map(struct os_device *o, u32 bar)
{
	(void)o;
	(void)bar;
	nr_mapped++;
	return 0;
}

static void bar_unmap(struct os_device *o, u32 bar)
{
	(void)o;
	(void)bar;
	nr_mapped--;
}

static int reset_function(struct os_device *o)
{
	(void)o;
	nr_resets++;
	return reset_result;
}

static int probe(u16 vendor, u16 device, u32 class_code, bool force)
{
	const u32 id = (u32)device << 16 | vendor, class_rev = class_code << 8 | 4;

	memset(space, 0, sizeof(space));
	memcpy(space, &id, sizeof(id));
	memcpy(space + 8, &class_rev, sizeof(class_rev));
	test_os_init(&os);
	ops = test_os_ops;
	ops.cfg_rd = cfg_rd;
	ops.cfg_wr = cfg_wr;
	ops.bar_info = bar_info;
	ops.bar_map = bar_map;
	ops.bar_unmap = bar_unmap;
	ops.reset = reset_function;
	os.os.ops = &ops;
	nr_mapped = nr_resets = 0;
	dev = (struct drv_dev){ .os = &os.os, .ops = &ops, .cfg = { .force_id = force } };
	err = (struct base_err){ 0 };
	return drv_pci_probe(&dev, &err);
}

static int setup(void **state)
{
	(void)state;
	reset_result = 0;
	bar4_size = 4096;
	return 0;
}

/* P 1.1, typed from there. */
static void every_id_binds(void **state)
{
	static const struct {
		u16 device;
		const char *gen;
	} ids[] = {
		{ 0x7d1d, "npu37" }, { 0xad1d, "npu37" }, { 0x643e, "npu40" },
		{ 0xb03e, "npu50" }, { 0xfd3e, "npu50" }, { 0xd71d, "npu60" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(ids); i++) {
		assert_int_equal(probe(0x8086, ids[i].device, 0x120000, false), 0);
		assert_string_equal(dev.gen->name, ids[i].gen);
		assert_non_null(dev.product);
		assert_int_equal(dev.revision, 4);
		assert_int_equal(nr_mapped, 2);
		assert_int_equal(nr_resets, 1);
		assert_int_equal(space[4] & 7, 2); /* memory decode, not yet bus master */
		drv_pci_release(&dev);
		assert_int_equal(nr_mapped, 0);
	}
}

static void others_are_refused(void **state)
{
	(void)state;
	assert_int_equal(probe(0x8087, 0x7d1d, 0x120000, true), -ENODEV);
	assert_int_equal(probe(0x8086, 0x7d1e, 0x120000, true), -ENODEV);
	assert_non_null(strstr(err.text, "8086:7d1e is not an NPU"));
	assert_int_equal(probe(0xffff, 0xffff, 0x120000, true), -ENODEV);
	assert_non_null(strstr(err.text, "no device there"));
	assert_int_equal(nr_mapped + nr_resets, 0);
}

static void class_counts(void **state)
{
	(void)state;
	assert_int_equal(probe(0x8086, 0x7d1d, 0x030000, false), -ENODEV);
	assert_non_null(strstr(err.text, "class 0x030000, expected 0x120000"));
	assert_int_equal(probe(0x8086, 0x7d1d, 0x030000, true), 0);
}

static void id_6447_must_be_forced(void **state)
{
	(void)state;
	assert_int_equal(probe(0x8086, 0x6447, 0x120000, false), -ENODEV);
	assert_non_null(strstr(err.text, "8086:6447 is not known to be an NPU"));
	assert_non_null(strstr(err.text, "8086:643e"));
	assert_int_equal(probe(0x8086, 0x6447, 0x120000, true), 0);
	assert_string_equal(dev.gen->name, "npu40");
}

static void buttress_is_needed(void **state)
{
	(void)state;
	bar4_size = 0;
	assert_int_equal(probe(0x8086, 0xd71d, 0x120000, false), -ENODEV);
	assert_non_null(strstr(err.text, "BAR4 has 0 bytes"));
	assert_int_equal(nr_mapped, 0);
}

static void reset_may_be_missing_but_not_fail(void **state)
{
	(void)state;
	reset_result = -EOPNOTSUPP;
	assert_int_equal(probe(0x8086, 0xb03e, 0x120000, false), 0);
	reset_result = -EIO;
	assert_int_equal(probe(0x8086, 0xb03e, 0x120000, false), -EIO);
	assert_non_null(strstr(err.text, "resetting the function failed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_id_binds, setup),
		cmocka_unit_test_setup(others_are_refused, setup),
		cmocka_unit_test_setup(class_counts, setup),
		cmocka_unit_test_setup(id_6447_must_be_forced, setup),
		cmocka_unit_test_setup(buttress_is_needed, setup),
		cmocka_unit_test_setup(reset_may_be_missing_but_not_fail, setup),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
