// SPDX-License-Identifier: MIT
#include "kernels/kern_testing.h"

static void every_half_survives_the_round_trip(void **state)
{
	(void)state;
	for (u32 h = 0; h < 65536; h++) {
		float f = kern_f16_to_f32((u16)h);

		assert_int_equal(kern_f32_to_f16(f), h);
		assert_int_equal(isnan(f) != 0, (h & 0x7C00) == 0x7C00 && (h & 0x3FF) != 0);
	}
}

static void known_halves(void **state)
{
	(void)state;
	assert_true(kern_f16_to_f32(0x3C00) == 1.0f);
	assert_true(kern_f16_to_f32(0xC000) == -2.0f);
	assert_true(kern_f16_to_f32(0x7BFF) == 65504.0f);
	assert_true(kern_f16_to_f32(0x0001) == 0x1p-24f);
	assert_true(kern_f16_to_f32(0x0400) == 0x1p-14f);
	assert_true(kern_f16_to_f32(0x7C00) == INFINITY);
	assert_true(kern_f16_to_f32(0x3555) == 0.333251953125f);
}

/* Between any two neighbours: the middle goes to the even one, a hair beside it to the nearer. */
static void halves_round_to_nearest_even(void **state)
{
	(void)state;
	for (u16 h = 0; h < 0x7BFF; h++) {
		float low = kern_f16_to_f32(h), high = kern_f16_to_f32((u16)(h + 1));
		float middle = low + (high - low) / 2; /* exact: f32 has 13 bits more */

		assert_int_equal(kern_f32_to_f16(middle), h + (h & 1));
		assert_int_equal(kern_f32_to_f16(nextafterf(middle, 0)), h);
		assert_int_equal(kern_f32_to_f16(nextafterf(middle, INFINITY)), h + 1);
	}
	assert_int_equal(kern_f32_to_f16(65519.996f), 0x7BFF);
	assert_int_equal(kern_f32_to_f16(65520.0f), 0x7C00);
	assert_int_equal(kern_f32_to_f16(-1e30f), 0xFC00);
	assert_int_equal(kern_f32_to_f16(0x1p-25f), 0);
	assert_int_equal(kern_f32_to_f16(-0x1.000002p-25f), 0x8001);
}

static void storing_doubles_saturates(void **state)
{
	const double v[6] = { 1e300, -1e300, NAN, 2.9, -2.9, 127.5 };
	s8 s[6];
	u16 u[6];
	s64 l[6];
	u8 b[6];

	(void)state;
	kern_store_f64(ABI_S8, s, 0, 6, v);
	assert_memory_equal(s, VALUES(s8, 127, -128, 0, 2, -2, 127), sizeof(s));
	kern_store_f64(ABI_U16, u, 0, 6, v);
	assert_memory_equal(u, VALUES(u16, 65535, 0, 0, 2, 0, 127), sizeof(u));
	kern_store_f64(ABI_S64, l, 0, 6, v);
	assert_memory_equal(l, VALUES(s64, INT64_MAX, INT64_MIN, 0, 2, -2, 127), sizeof(l));
	kern_store_f64(ABI_BOOL, b, 0, 6, v);
	assert_memory_equal(b, VALUES(u8, 1, 1, 1, 1, 1, 1), sizeof(b));
}

static void a_true_byte_is_loaded_as_one(void **state)
{
	union kern_strip v;

	(void)state;
	kern_load(ABI_BOOL, VALUES(u8, 0, 1, 255, 2), 0, 1, 4, &v);
	assert_memory_equal(v.u, VALUES(u64, 0, 1, 1, 1), 4 * sizeof(u64));
}

static void walks_merge_and_count_every_index_once(void **state)
{
	struct kern_tensor x = { .dtype = ABI_F32, .rank = 3, .dims = { 2, 1, 300 } };
	const u32 dims[4] = { 3, 2, 5, 300 };
	u64 seen = 0, strips = 0;
	struct kern_walk w;

	(void)state;
	kern_walk_init(&w, 4, dims);
	kern_walk_add_broadcast(&w, &x);
	kern_walk_start(&w);
	while (kern_walk_next(&w)) {
		assert_in_range(w.n, 1, KERN_STRIP);
		assert_in_range(w.off[0] + (w.n - 1) * w.step[0], 0, 599);
		seen += w.n;
		strips++;
	}
	assert_int_equal(seen, 3 * 2 * 5 * 300);
	assert_int_equal(strips, 3 * 2 * 5 * 2);
	kern_walk_init(&w, 2, VALUES(u32, 5, 0));
	kern_walk_start(&w);
	assert_false(kern_walk_next(&w));
	kern_walk_init(&w, 0, NULL);
	kern_walk_start(&w);
	assert_true(kern_walk_next(&w));
	assert_int_equal(w.n, 1);
	assert_false(kern_walk_next(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_half_survives_the_round_trip),
		cmocka_unit_test(known_halves),
		cmocka_unit_test(halves_round_to_nearest_even),
		cmocka_unit_test(storing_doubles_saturates),
		cmocka_unit_test(a_true_byte_is_loaded_as_one),
		cmocka_unit_test(walks_merge_and_count_every_index_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
