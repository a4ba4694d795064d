// SPDX-License-Identifier: MIT
#include "counters.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void drv_bo_destroy(struct drv_bo *bo)
{
	(void)bo;
}
void *drv_bo_cpu(const struct drv_bo *bo)
{
	(void)bo;
	return NULL;
}
u64 drv_bo_addr(const struct drv_bo *bo)
{
	(void)bo;
	return 0;
}
int drv_bo_new(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo **out)
{
	(void)ctx, (void)spec, (void)out;
	return -ENOMEM;
}
bool drv_takes_jobs(const struct drv_dev *d)
{
	return d->state == DRV_READY;
}
void drv_pm_get(struct drv_dev *d)
{
	(void)d;
}
int drv_jsm_ask(struct drv_dev *d, u32 type, u32 answer, const void *payload, u32 len, bool hb,
		drv_req_done_fn done, void *arg)
{
	(void)d, (void)type, (void)answer, (void)payload, (void)len, (void)hb, (void)done,
		(void)arg;
	return -EBUSY;
}

/* Two groups of two counters; offsets of what a test damages. */
static u8 text[4096];
static u32 len, group_at[2], counter_at[2][2];

static u32 put_string(const char *s)
{
	u32 size = (u32)base_align_up(strlen(s) + 1, 8);

	memcpy(text + len, s, strlen(s));
	len += size;
	return size;
}

static void put_counter(u32 g, u32 c)
{
	struct abi_jsm_metric_counter d = { .data_offset = c * 8, .data_size = 8 };

	counter_at[g][c] = len;
	len += (u32)sizeof(d);
	d.name_size = put_string(c ? "Second" : "First");
	d.description_size = put_string("what it counts");
	d.component_size = put_string("a long name of a component");
	d.units_size = put_string("jobs");
	d.next_counter_offset = c ? 0 : len - counter_at[g][c];
	memcpy(text + counter_at[g][c], &d, sizeof(d));
}

static int setup(void **state)
{
	(void)state;
	memset(text, 0, sizeof(text));
	len = 0;
	for (u32 g = 0; g < 2; g++) {
		struct abi_jsm_metric_group d = { .group_id = 3 + g,
						  .num_counters = 2,
						  .data_size = 16 };

		group_at[g] = len;
		len += (u32)sizeof(d);
		d.name_size = put_string("Group");
		d.description_size = put_string("text");
		d.first_counter_offset = len - group_at[g];
		put_counter(g, 0);
		put_counter(g, 1);
		d.next_group_offset = g ? 0 : len - group_at[g];
		memcpy(text + group_at[g], &d, sizeof(d));
	}
	return 0;
}

static void test_good(void **state)
{
	struct drv_counters out;

	(void)state;
	assert_int_equal(drv_counters_parse(text, len, &out), 0);
	assert_int_equal(out.nr_groups, 2);
	assert_int_equal(out.nr_counters, 4);
	assert_int_equal(out.groups[1].id, 4);
	assert_int_equal(out.groups[1].size, 16);
	assert_string_equal(out.groups[1].name, "Group");
	assert_int_equal(out.counters[3].group, 1);
	assert_int_equal(out.counters[3].off, 8);
	assert_string_equal(out.counters[3].name, "Second");
	assert_string_equal(out.counters[3].units, "jobs");
	assert_string_equal(out.counters[3].description, "what it counts");
}

#define G(g, field)    (group_at[g] + offsetof(struct abi_jsm_metric_group, field))
#define C(g, c, field) (counter_at[g][c] + offsetof(struct abi_jsm_metric_counter, field))

static void expect_bad(size_t off, u32 val)
{
	struct drv_counters out;

	memcpy(text + off, &val, sizeof(val));
	if (drv_counters_parse(text, len, &out) != -EPROTO)
		fail_msg("0x%x at %zu is taken", val, off);
	setup(NULL);
}

static void test_damaged(void **state)
{
	(void)state;
	expect_bad(G(0, group_id), 64);
	expect_bad(G(0, group_id), 4); /* twice */
	expect_bad(G(1, group_id), 2); /* not rising */
	expect_bad(G(0, data_size), 8);
	expect_bad(G(0, data_size), TEXT_MAX + 1);
	expect_bad(G(0, name_size), len);
	expect_bad(G(0, name_size), UINT32_MAX);
	expect_bad(G(0, first_counter_offset), 0);
	expect_bad(G(0, first_counter_offset), len);
	expect_bad(G(0, first_counter_offset), UINT32_MAX);
	expect_bad(G(0, next_group_offset), len - 8);
	expect_bad(G(0, num_counters), 3);
	expect_bad(C(0, 0, next_counter_offset), 0);
	expect_bad(C(0, 0, next_counter_offset), 47);
	expect_bad(C(0, 0, next_counter_offset), UINT32_MAX);
	expect_bad(C(1, 1, data_offset), 9);
	expect_bad(C(1, 1, data_offset), UINT32_MAX);
	expect_bad(C(1, 1, data_size), 16);
	expect_bad(C(1, 1, name_size), len);
	expect_bad(C(1, 1, units_size), UINT32_MAX);
}

/* Cut anywhere: an error, or fewer groups, never a read behind the end (the sanitizer looks). */
static void test_truncated(void **state)
{
	struct drv_counters out;

	(void)state;
	for (u32 n = 0; n < len; n++) {
		u8 *copy = malloc(n ? n : 1);

		memcpy(copy, text, n);
		assert_int_equal(drv_counters_parse(copy, n, &out), -EPROTO);
		free(copy);
	}
}

static void test_hostile(void **state)
{
	(void)state;
	srand(11);
	for (u32 i = 0; i < 20000; i++) {
		struct drv_counters out;

		setup(NULL);
		for (u32 k = 0; k < 1 + i % 5; k++)
			text[(u32)rand() % len] = (u8)(rand() % 4 ? rand() % 64 : rand());
		if (drv_counters_parse(text, len, &out))
			continue;
		assert_true(out.nr_groups <= DRV_MAX_GROUPS && out.nr_counters <= DRV_MAX_COUNTERS);
		for (u32 c = 0; c < out.nr_counters; c++) {
			const struct drv_counter *at = &out.counters[c];

			assert_true(at->group < out.nr_groups);
			assert_true(base_range_ok(at->off, at->size, out.groups[at->group].size));
			assert_non_null(memchr(at->name, 0, sizeof(at->name)));
		}
	}
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_good), T(test_damaged), T(test_truncated),
					    T(test_hostile) };

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
