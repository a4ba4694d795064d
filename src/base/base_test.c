// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/ids.h"

static void range_and_overflow(void **state)
{
	u64 out = 7;

	(void)state;
	assert_true(base_range_ok(0, 0, 0));
	assert_true(base_range_ok(4, 4, 8));
	assert_false(base_range_ok(4, 5, 8));
	assert_false(base_range_ok(9, 0, 8));
	assert_false(base_range_ok(UINT64_MAX, 2, UINT64_MAX));
	assert_false(base_add_u64(UINT64_MAX, 1, &out));
	assert_false(base_mul_u64(UINT64_C(1) << 33, UINT64_C(1) << 33, &out));
	assert_true(base_mul_u64(3, 5, &out));
	assert_int_equal(out, 15);
	assert_int_equal(BASE_MASK64(23, 16), 0xFF0000);
	assert_int_equal(BASE_MASK64(63, 0), UINT64_MAX);
}

static void ids_are_unique_cyclic_and_run_out(void **state)
{
	struct base_ids ids;
	u32 id, seen = 0;

	(void)state;
	base_ids_init(&ids, 2, 130);
	for (u32 i = 0; i < 129; i++) {
		assert_int_equal(base_ids_get(&ids, &id), 0);
		assert_int_equal(id, 2 + i);
	}
	assert_int_equal(base_ids_get(&ids, &seen), -EBUSY);
	assert_int_equal(seen, 0);
	base_ids_put(&ids, 77);
	assert_int_equal(base_ids_get(&ids, &id), 0);
	assert_int_equal(id, 77);
}

static void errors_carry_text_and_prefix(void **state)
{
	struct base_err err = { 0 };

	(void)state;
	assert_int_equal(base_err_set(&err, -EINVAL, "field %d", 3), -EINVAL);
	base_err_prefix(&err, "file %s", "x");
	assert_string_equal(err.text, "file x: field 3");
	assert_string_equal(base_err_name(-ETIMEDOUT), "ETIMEDOUT");
	assert_int_equal(base_err_set(NULL, -EIO, "ignored"), -EIO);
}

static void allocations_count_and_fail_on_demand(void **state)
{
	u64 before = base_alloc_count();
	void *p;

	(void)state;
	base_alloc_fail_nth(2);
	p = base_zalloc(8);
	assert_non_null(p);
	assert_null(base_zalloc(8));
	base_free(p);
	p = base_zalloc(0);
	assert_non_null(p);
	base_free(p);
	assert_null(base_alloc_array(SIZE_MAX, 2));
	assert_int_equal(base_alloc_count() - before, 3);
}

static void what_is_not_freed_is_counted(void **state)
{
	u64 before = base_alloc_live();
	void *p, *q, *r;

	(void)state;
	p = base_zalloc(8);
	q = base_realloc_array(NULL, 2, 8);
	r = base_realloc_array(q, 400, 8);
	assert_non_null(r);
	assert_int_equal(base_alloc_live() - before, 2);
	base_alloc_fail_nth(1);
	assert_null(base_realloc_array(r, 800, 8));
	assert_int_equal(base_alloc_live() - before, 2);
	base_free(r);
	base_free(p);
	base_free(NULL);
	assert_int_equal(base_alloc_live(), before);
}

static void hash_sees_every_byte_and_the_length(void **state)
{
	u8 buf[100] = { 0 };
	u64 h = base_hash64(buf, sizeof(buf), 0);

	(void)state;
	for (size_t i = 0; i < sizeof(buf); i++) {
		buf[i] = 1;
		assert_int_not_equal(base_hash64(buf, sizeof(buf), 0), h);
		buf[i] = 0;
	}
	assert_int_not_equal(base_hash64(buf, sizeof(buf) - 1, 0), h);
	assert_int_not_equal(base_hash64(buf, sizeof(buf), 1), h);
	assert_int_equal(base_hash64(buf, sizeof(buf), 0), h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_and_overflow),
		cmocka_unit_test(ids_are_unique_cyclic_and_run_out),
		cmocka_unit_test(errors_carry_text_and_prefix),
		cmocka_unit_test(allocations_count_and_fail_on_demand),
		cmocka_unit_test(what_is_not_freed_is_counted),
		cmocka_unit_test(hash_sees_every_byte_and_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
