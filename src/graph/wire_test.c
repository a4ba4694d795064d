// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire.c"

static int next(const char *bytes, size_t size, struct graph_wire_field *field)
{
	struct graph_wire_reader reader;
	struct base_err err;

	graph_wire_init(&reader, bytes, size);
	return graph_wire_next(&reader, field, &err);
}

static void reads_each_type(void **state)
{
	struct graph_wire_field f;

	(void)state;
	assert_int_equal(next("", 0, &f), 0);
	assert_int_equal(next("\x08\x96\x01", 3, &f), 1);
	assert_int_equal(f.number, 1);
	assert_int_equal(f.type, GRAPH_WIRE_VARINT);
	assert_int_equal(f.value, 150);
	assert_int_equal(next("\x12\x03xyz", 5, &f), 1);
	assert_int_equal(f.number, 2);
	assert_int_equal(f.size, 3);
	assert_memory_equal(f.bytes, "xyz", 3);
	assert_int_equal(next("\x1d\x00\x00\x80\x3f", 5, &f), 1);
	assert_float_equal(graph_wire_float(f.value), 1.0f, 0);
	assert_int_equal(next("\x21\x00\x00\x00\x00\x00\x00\xf0\x3f", 9, &f), 1);
	assert_true(graph_wire_double(f.value) >= 1.0 && graph_wire_double(f.value) <= 1.0);
	assert_int_equal(next("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, &f), 1);
	assert_int_equal((s64)f.value, -1);
}

static void refuses_bad_bytes(void **state)
{
	struct graph_wire_field f;

	(void)state;
	assert_int_equal(next("\x08", 1, &f), -EINVAL);	      /* value missing */
	assert_int_equal(next("\x08\x80", 2, &f), -EINVAL);   /* number cut */
	assert_int_equal(next("\x12\x03xy", 4, &f), -EINVAL); /* bytes cut */
	assert_int_equal(next("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z", 12, &f), -EINVAL);
	assert_int_equal(next("\x1d\x00\x00\x80", 4, &f), -EINVAL); /* fixed cut */
	assert_int_equal(next("\x0b", 1, &f), -EINVAL);		    /* group */
	assert_int_equal(next("\x0c", 1, &f), -EINVAL);		    /* end of group */
	assert_int_equal(next("\x0e\x00", 2, &f), -EINVAL);	    /* no such type */
	assert_int_equal(next("\x00\x00", 2, &f), -EINVAL);	    /* field 0 */
	assert_int_equal(next("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, &f), -EINVAL);
}

static u32 collect(const char *bytes, size_t size, enum graph_wire_type type, u64 *out, int *ret)
{
	struct graph_wire_field f;
	struct graph_wire_scalars it;
	u32 nr = 0;

	*ret = next(bytes, size, &f);
	if (*ret > 0)
		*ret = graph_wire_scalars_init(&it, &f, type, NULL);
	while (*ret >= 0 && (*ret = graph_wire_scalars_next(&it, &out[nr], NULL)) > 0)
		nr++;
	return nr;
}

static void scalars_packed_or_not(void **state)
{
	u64 v[8];
	int ret;

	(void)state;
	assert_int_equal(collect("\x08\x07", 2, GRAPH_WIRE_VARINT, v, &ret), 1);
	assert_int_equal(ret, 0);
	assert_int_equal(v[0], 7);
	assert_int_equal(collect("\x0a\x04\x01\x02\x96\x01", 6, GRAPH_WIRE_VARINT, v, &ret), 3);
	assert_int_equal(ret, 0);
	assert_int_equal(v[2], 150);
	assert_int_equal(collect("\x0a\x08\x00\x00\x80\x3f\x00\x00\x00\x40", 10, GRAPH_WIRE_FIXED32,
				 v, &ret),
			 2);
	assert_float_equal(graph_wire_float(v[1]), 2.0f, 0);
	assert_int_equal(collect("\x0a\x00", 2, GRAPH_WIRE_VARINT, v, &ret), 0);
	assert_int_equal(ret, 0);
	collect("\x0a\x03\x00\x00\x80", 5, GRAPH_WIRE_FIXED32, v, &ret); /* cut inside */
	assert_int_equal(ret, -EINVAL);
	collect("\x0a\x01\x80", 3, GRAPH_WIRE_VARINT, v, &ret);
	assert_int_equal(ret, -EINVAL);
	collect("\x0d\x00\x00\x80\x3f", 5, GRAPH_WIRE_VARINT, v, &ret); /* another type */
	assert_int_equal(ret, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_type),
		cmocka_unit_test(refuses_bad_bytes),
		cmocka_unit_test(scalars_packed_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
