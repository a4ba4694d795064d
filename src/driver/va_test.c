// SPDX-License-Identifier: MIT
#include "va.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct drv_va va;

static int teardown(void **state)
{
	(void)state;
	drv_va_fini(&va);
	return 0;
}

static u64 take(u64 size, u64 align)
{
	u64 at = 0;

	assert_int_equal(drv_va_alloc(&va, 0x10000, 0x40000, size, align, NULL, &at), 0);
	return at;
}

static void test_best_fit(void **state)
{
	u64 a, b, c, d;

	(void)state;
	a = take(0x8000, 0x1000);
	b = take(0x1000, 0x1000);
	c = take(0x4000, 0x1000);
	d = take(0x1000, 0x1000);
	assert_int_equal(a, 0x10000);
	assert_int_equal(d, 0x1d000);
	(void)b;
	drv_va_free(&va, a); /* a gap of 0x8000 */
	drv_va_free(&va, c); /* and one of 0x4000 */
	assert_int_equal(take(0x4000, 0x1000), c);
	assert_int_equal(take(0x2000, 0x1000), a);
}

static void test_alignment(void **state)
{
	(void)state;
	take(0x1000, 0x1000);
	assert_int_equal(take(0x1000, 0x10000), 0x20000);
	assert_int_equal(take(0xf000, 0x1000), 0x11000);
}

static void test_exhaustion(void **state)
{
	u64 at;

	(void)state;
	assert_int_equal(drv_va_alloc(&va, 0x10000, 0x40000, 0x30001, 1, NULL, &at), -ENOSPC);
	assert_int_equal(take(0x30000, 0x1000), 0x10000);
	assert_int_equal(drv_va_alloc(&va, 0x10000, 0x40000, 0x1000, 0x1000, NULL, &at), -ENOSPC);
	drv_va_free(&va, 0x10000);
	assert_int_equal(drv_va_alloc(&va, 0x10000, 0x40000, 0, 1, NULL, &at), -EINVAL);
	assert_int_equal(drv_va_alloc(&va, 0x10000, 0x40000, 1, 3, NULL, &at), -EINVAL);
	assert_int_equal(drv_va_alloc(&va, UINT64_MAX - 8, UINT64_MAX, 4, 16, NULL, &at), -ENOSPC);
}

static void test_fixed(void **state)
{
	(void)state;
	assert_int_equal(drv_va_alloc_at(&va, 0x20000, 0x2000, NULL), 0);
	assert_int_equal(drv_va_alloc_at(&va, 0x21000, 0x1000, NULL), -EEXIST);
	assert_int_equal(drv_va_alloc_at(&va, 0x1f000, 0x2000, NULL), -EEXIST);
	assert_int_equal(drv_va_alloc_at(&va, 0x22000, 0x1000, NULL), 0);
	assert_int_equal(drv_va_alloc_at(&va, UINT64_MAX, 2, NULL), -EINVAL);
}

static void test_covered(void **state)
{
	(void)state;
	assert_false(drv_va_covered(&va, 0, 1));
	assert_int_equal(drv_va_alloc_at(&va, 0x1000, 0x1000, NULL), 0);
	assert_int_equal(drv_va_alloc_at(&va, 0x2000, 0x1000, NULL), 0);
	assert_int_equal(drv_va_alloc_at(&va, 0x4000, 0x1000, NULL), 0);
	assert_true(drv_va_covered(&va, 0x1000, 0x2000)); /* across two that adjoin */
	assert_true(drv_va_covered(&va, 0x2fff, 1));
	assert_false(drv_va_covered(&va, 0x2fff, 2));
	assert_false(drv_va_covered(&va, 0x1000, 0x4000)); /* a hole */
	assert_false(drv_va_covered(&va, 0xfff, 2));
	assert_false(drv_va_covered(&va, 0x3000, 0));
	assert_true(drv_va_covered(&va, 0x4000, 0x1000));
	assert_false(drv_va_covered(&va, 0x4000, UINT64_MAX));
	assert_int_equal(drv_va_find(&va, 0x2800)->start, 0x2000);
	assert_null(drv_va_find(&va, 0x3000));
}

/* Against a byte map: no overlap, nothing outside, nothing lost. */
static void test_random(void **state)
{
	static u8 used[64];
	u64 at[64];
	u32 size[64], nr = 0;

	(void)state;
	srand(7);
	for (u32 i = 0; i < 20000; i++) {
		if (rand() % 2 && nr < 64) {
			u32 len = 1 + (u32)rand() % 8;
			u64 align = UINT64_C(1) << (rand() % 3);
			int ret = drv_va_alloc(&va, 0, 64, len, align, NULL, &at[nr]);

			assert_true(!ret || ret == -ENOSPC);
			if (ret)
				continue;
			assert_int_equal(at[nr] % align, 0);
			size[nr] = len;
			for (u64 b = at[nr]; b < at[nr] + len; b++) {
				assert_false(used[b]);
				used[b] = 1;
			}
			nr++;
		} else if (nr) {
			u32 k = (u32)rand() % nr;

			memset(&used[at[k]], 0, size[k]);
			drv_va_free(&va, at[k]);
			at[k] = at[--nr];
			size[k] = size[nr];
		}
		assert_int_equal(va.nr, nr);
	}
}

static void test_no_memory(void **state)
{
	u64 at;

	(void)state;
	base_alloc_fail_nth(1);
	assert_int_equal(drv_va_alloc(&va, 0, 100, 1, 1, NULL, &at), -ENOMEM);
	base_alloc_fail_nth(1);
	assert_int_equal(drv_va_alloc_at(&va, 0, 1, NULL), -ENOMEM);
	assert_int_equal(drv_va_alloc(&va, 0, 100, 1, 1, NULL, &at), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_best_fit, teardown),
		cmocka_unit_test_teardown(test_alignment, teardown),
		cmocka_unit_test_teardown(test_exhaustion, teardown),
		cmocka_unit_test_teardown(test_fixed, teardown),
		cmocka_unit_test_teardown(test_covered, teardown),
		cmocka_unit_test_teardown(test_random, teardown),
		cmocka_unit_test_teardown(test_no_memory, teardown),
	};

	return cmocka_run_group_tests_name("va", tests, NULL, NULL);
}
