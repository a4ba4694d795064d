// SPDX-License-Identifier: MIT
/* Reading models: the rules of the format, each by a model that keeps or breaks it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "graph/test_model.h"

static const s64 dims2[] = { 2, 3 };

static int open_pb(const struct pb *file, const struct graph_external *external,
		   struct graph_model **model, struct graph_error *err)
{
	return graph_model_open(file->data, file->size, external, model, err);
}

/* Opens, expects @code and @word in the error text. */
static void expect_refused(struct tm_model *tm, int code, const char *word)
{
	struct graph_model *model = NULL;
	struct graph_error err = { 0 };

	assert_int_equal(open_pb(tm_finish(tm), NULL, &model, &err), code);
	assert_int_equal(err.code, code);
	if (!strstr(err.text, word))
		fail_msg("'%s' does not name '%s'", err.text, word);
	tm_fini(tm);
}

static struct graph_model *expect_open(struct tm_model *tm)
{
	struct graph_model *model = NULL;
	struct graph_error err = { 0 };

	if (open_pb(tm_finish(tm), NULL, &model, &err))
		fail_msg("%s", err.text);
	return model;
}

static void names_and_shapes(void **state)
{
	const s64 dims[] = { -1, 3 };
	struct graph_value_info info;
	struct graph_node_info node;
	struct graph_model *model;
	struct tm_model tm;
	char text[80];

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims);
	tm_node(&tm, "Relu", "x", "y", NULL);
	tm_output(&tm, "y");
	model = expect_open(&tm);
	assert_int_equal(graph_model_nr_inputs(model), 1);
	assert_int_equal(graph_model_nr_outputs(model), 1);
	assert_int_equal(graph_model_input(model, 0, &info), 0);
	assert_string_equal(info.name, "x");
	assert_true(info.is_rank_known);
	assert_int_equal(info.rank, 2);
	assert_int_equal(info.dims[0], -1);
	assert_int_equal(info.dims[1], 3);
	assert_string_equal(info.dim_names[0], "N");
	assert_null(info.dim_names[1]);
	assert_int_equal(graph_model_input(model, 1, &info), -EINVAL);
	assert_int_equal(graph_model_output(model, 0, &info), 0);
	assert_false(info.is_rank_known);
	assert_int_equal(graph_model_node(model, 0, &node), 0);
	assert_string_equal(node.op_type, "Relu");
	assert_true(node.is_supported);
	assert_int_equal(node.opset, 13);
	graph_model_summary(model, text, sizeof(text));
	assert_string_equal(text, "IR 8, opset 13, producer unknown");
	graph_model_close(model);
	tm_fini(&tm);
}

/* Old files list initializers as inputs too; they are none. */
static void initializers_are_no_inputs(void **state)
{
	for (s64 ir = 3; ir <= 4; ir++) {
		struct graph_model *model;
		struct tm_model tm;

		(void)state;
		tm_init(&tm, 8);
		tm.ir_version = ir;
		tm_input(&tm, "w", 1, 2, dims2);
		tm_input(&tm, "x", 1, 2, dims2);
		tm_init_f32(&tm, "w", 2, dims2, 1);
		tm_node(&tm, "Add", "x,w", "y", NULL);
		tm_output(&tm, "y");
		model = expect_open(&tm);
		assert_int_equal(graph_model_nr_inputs(model), 1);
		graph_model_close(model);
		tm_fini(&tm);
	}
}

static void broken_graphs_are_named(void **state)
{
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_node(&tm, "Relu", "z", "y", NULL); /* z comes later */
	tm_node(&tm, "Relu", "x", "z", NULL);
	tm_output(&tm, "y");
	expect_refused(&tm, -EINVAL, "topological order");

	tm_init(&tm, 13);
	tm_node(&tm, "Relu", "y", "y", NULL); /* a cycle */
	expect_refused(&tm, -EINVAL, "node 0 'y' (Relu)");

	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_node(&tm, "Relu", "x", "y", NULL);
	tm_node(&tm, "Neg", "x", "y", NULL);
	expect_refused(&tm, -EINVAL, "written twice");

	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_input(&tm, "x", 1, 2, dims2);
	expect_refused(&tm, -EINVAL, "'x' is there twice");

	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_output(&tm, "nowhere");
	expect_refused(&tm, -EINVAL, "nowhere");

	tm_init(&tm, 13);
	tm_init_raw(&tm, "w", 1, 2, dims2, "1234", 4);
	expect_refused(&tm, -EINVAL, "tensor 'w': has 4 bytes of data, its shape needs 24");
}

static void odd_files_are_named(void **state)
{
	struct graph_model *model = NULL;
	struct graph_error err;
	struct tm_model tm;
	struct pb sparse = { 0 };

	(void)state;
	assert_int_equal(graph_model_open("", 0, NULL, &model, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no graph"));
	assert_int_equal(graph_model_open("<html>", 6, NULL, &model, &err), -EINVAL);
	tm_init(&tm, 13);
	pb_msg(&tm.graph, 15, &sparse);
	expect_refused(&tm, -EOPNOTSUPP, "sparse");
	tm_init(&tm, 13);
	pb_bytes(&tm.graph, 2, "a\0b", 3);
	expect_refused(&tm, -EINVAL, "zero byte");
	tm_init(&tm, 13);
	pb_str(&tm.graph, 77, "a field nobody knows"); /* skipped */
	tm_input(&tm, "x\x1b[31m", 1, 2, dims2);
	tm_output(&tm, "y\x1b[31m");
	expect_refused(&tm, -EINVAL, "y?[31m"); /* no control characters in errors */
}

static void unsupported_nodes_are_listed(void **state)
{
	struct graph_node_info node;
	struct graph_model *model;
	struct graph_error err;
	struct tm_model tm;
	void *program = NULL;
	size_t size;

	(void)state;
	tm_init(&tm, 11);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_node(&tm, "TopK", "x", "y", NULL);
	tm_node(&tm, "Relu", "y", "z", NULL);
	tm_output(&tm, "z");
	model = expect_open(&tm);
	assert_int_equal(graph_model_node(model, 0, &node), 0);
	assert_false(node.is_supported);
	assert_string_equal(node.reason, "operator not supported");
	assert_int_equal(graph_compile(model, NULL, 0, NULL, &program, &size, NULL, &err),
			 -EOPNOTSUPP);
	assert_string_equal(err.text, "node 0 'y' (TopK, opset 11): operator not supported");
	assert_null(program);
	graph_model_close(model);
	tm_fini(&tm);

	tm_init(&tm, 26);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_node(&tm, "Relu", "x", "y", NULL);
	tm_output(&tm, "y");
	model = expect_open(&tm);
	assert_int_equal(graph_model_node(model, 0, &node), 0);
	assert_false(node.is_supported);
	assert_non_null(strstr(node.reason, "newer"));
	graph_model_close(model);
	tm_fini(&tm);
}

/* What a value that decides a shape is computed from decides it too; Shape only looks at shapes. */
static void shape_inputs_are_found(void **state)
{
	const s64 one[] = { 1 };
	struct graph_model *model;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_input(&tm, "a", 7, 1, one);
	tm_input(&tm, "b", 7, 1, one);
	tm_input(&tm, "other", 1, 2, dims2);
	tm_node(&tm, "Add", "a,b", "c", NULL);
	tm_node(&tm, "Shape", "other", "s", NULL);
	tm_node(&tm, "Mul", "c,s", "d", NULL);
	tm_node(&tm, "Reshape", "x,d", "y", NULL);
	tm_output(&tm, "y");
	model = expect_open(&tm);
	assert_false(graph_model_input_is_shape(model, 0));
	assert_true(graph_model_input_is_shape(model, 1));
	assert_true(graph_model_input_is_shape(model, 2));
	assert_false(graph_model_input_is_shape(model, 3));
	assert_false(graph_model_input_is_shape(model, 4));
	graph_model_close(model);
	tm_fini(&tm);
}

static void add_function(struct tm_model *tm, const char *name, struct pb *nodes)
{
	struct pb fn = { 0 };

	pb_str(&fn, 1, name);
	pb_str(&fn, 10, "mine");
	pb_str(&fn, 4, "in");
	pb_str(&fn, 5, "out");
	opset_pb(&fn, 9, "", 13);
	opset_pb(&fn, 9, "mine", 1);
	pb_raw(&fn, nodes->data, nodes->size);
	pb_free(nodes);
	pb_msg(&tm->functions, 25, &fn);
}

static void call_function(struct tm_model *tm, const char *name, const char *in, const char *out)
{
	struct pb node = node_pb(name, in, out, NULL);

	pb_str(&node, 7, "mine");
	pb_msg(&tm->graph, 1, &node);
}

static void functions_are_inlined(void **state)
{
	struct pb body = { 0 }, node, attr = { 0 }, leaky = { 0 };
	struct graph_node_info info;
	struct graph_model *model;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	pb_str(&attr, 1, "alpha"); /* stands for the caller's "slope" */
	pb_str(&attr, 21, "slope");
	pb_msg(&leaky, 5, &attr);
	node = node_pb("LeakyRelu", "in", "t", &leaky);
	pb_msg(&body, 7, &node);
	node = node_pb("Neg", "t", "out", NULL);
	pb_msg(&body, 7, &node);
	add_function(&tm, "F", &body);
	call_function(&tm, "F", "x", "t"); /* the inner t is another one */
	call_function(&tm, "F", "t", "y");
	tm_output(&tm, "y");
	model = expect_open(&tm);
	assert_int_equal(graph_model_nr_nodes(model), 4);
	assert_int_equal(graph_model_node(model, 2, &info), 0);
	assert_string_equal(info.op_type, "LeakyRelu");
	assert_string_equal(info.name, "y/t");
	graph_model_close(model);
	tm_fini(&tm);
}

static void endless_functions_end(void **state)
{
	struct pb body = { 0 }, node;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	node = node_pb("F", "in", "out", NULL); /* itself */
	pb_str(&node, 7, "mine");
	pb_msg(&body, 7, &node);
	add_function(&tm, "F", &body);
	call_function(&tm, "F", "x", "y");
	expect_refused(&tm, -EINVAL, "deep");

	tm_init(&tm, 13); /* 2^31 calls and no node at all */
	tm_input(&tm, "x", 1, 2, dims2);
	for (char c = 'A'; c < 'A' + 31; c++) {
		const char name[] = { c, 0 }, inner[] = { (char)(c + 1), 0 };

		for (int i = 0; c < 'A' + 30 && i < 2; i++) {
			node = node_pb(inner, "in", i ? "out" : "t", NULL);
			pb_str(&node, 7, "mine");
			pb_msg(&body, 7, &node);
		}
		if (c == 'A' + 30) {
			node = node_pb("Neg", "in", "out", NULL);
			pb_msg(&body, 7, &node);
		}
		add_function(&tm, name, &body);
	}
	call_function(&tm, "A", "x", "y");
	expect_refused(&tm, -E2BIG, "more than");
}

/* A large constant in a function that is called often: its copies are counted. */
static void inlined_constants_are_bounded(void **state)
{
	const struct graph_options options = { .max_fold_bytes = 1 << 20 };
	struct pb body = { 0 }, node, attrs = { 0 }, t = { 0 }, floats = { 0 };
	struct graph_model *model;
	struct graph_error err;
	struct tm_model tm;
	void *program = NULL;
	char in[16], out[16];
	size_t size;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "v0", 1, 1, (const s64[]){ 1024 });
	for (u32 i = 0; i < 1024; i++)
		pb_raw(&floats, "\0\0\x80\x3f", 4);
	pb_int(&t, 1, 1024);
	pb_int(&t, 2, 1);
	pb_bytes(&t, 4, floats.data, floats.size);
	pb_free(&floats);
	attr_tensor(&attrs, "value", &t);
	node = node_pb("Constant", "", "k", &attrs);
	pb_msg(&body, 7, &node);
	node = node_pb("Add", "in,k", "out", NULL);
	pb_msg(&body, 7, &node);
	add_function(&tm, "F", &body);
	for (u32 i = 0; i < 2000; i++) {
		snprintf(in, sizeof(in), "v%u", i);
		snprintf(out, sizeof(out), "v%u", i + 1);
		call_function(&tm, "F", in, out);
	}
	tm_output(&tm, "v2000");
	model = expect_open(&tm);
	assert_int_equal(graph_compile(model, NULL, 0, &options, &program, &size, NULL, &err),
			 -E2BIG);
	graph_model_close(model);
	tm_fini(&tm);
}

struct store {
	char location[64];
	float data[6];
	u64 size;
	int ret;
};

static int load(void *opaque, const char *location, uint64_t offset, uint64_t length,
		const void **data, uint64_t *size)
{
	struct store *store = opaque;

	snprintf(store->location, sizeof(store->location), "%s@%llu+%llu", location,
		 (unsigned long long)offset, (unsigned long long)length);
	*data = store->data;
	*size = store->size;
	return store->ret;
}

static void entry(struct pb *tensor, const char *key, const char *value)
{
	struct pb e = { 0 };

	pb_str(&e, 1, key);
	pb_str(&e, 2, value);
	pb_msg(tensor, 13, &e);
}

static int open_external(const char *location, const char *length, struct store *store,
			 struct graph_error *err)
{
	const struct graph_external external = { load, store };
	struct graph_model *model = NULL;
	struct pb t = { 0 };
	struct tm_model tm;
	int ret;

	tm_init(&tm, 13);
	pb_int(&t, 1, 2);
	pb_int(&t, 1, 3);
	pb_int(&t, 2, 1);
	pb_str(&t, 8, "w");
	entry(&t, "location", location);
	entry(&t, "offset", "64");
	entry(&t, "length", length);
	pb_int(&t, 14, 1);
	pb_msg(&tm.graph, 5, &t);
	ret = open_pb(tm_finish(&tm), store ? &external : NULL, &model, err);
	graph_model_close(model);
	tm_fini(&tm);
	return ret;
}

static void external_data_has_rules(void **state)
{
	struct store store = { .size = 24 };
	struct graph_error err;

	(void)state;
	assert_int_equal(open_external("w.bin", "24", &store, &err), 0);
	assert_string_equal(store.location, "w.bin@64+24");
	assert_int_equal(open_external("sub/w..bin", "24", &store, &err), 0);
	assert_int_equal(open_external("w.bin", "24", NULL, &err), -EOPNOTSUPP);
	assert_int_equal(open_external("/etc/passwd", "24", &store, &err), -EINVAL);
	assert_int_equal(open_external("../w.bin", "24", &store, &err), -EINVAL);
	assert_int_equal(open_external("a/../../w.bin", "24", &store, &err), -EINVAL);
	assert_int_equal(open_external("a/..", "24", &store, &err), -EINVAL);
	assert_int_equal(open_external("a\\..\\w", "24", &store, &err), -EINVAL);
	assert_int_equal(open_external("", "24", &store, &err), -EINVAL);
	assert_int_equal(open_external("w.bin", "25", &store, &err), -EINVAL);
	assert_int_equal(open_external("w.bin", "-1", &store, &err), -EINVAL);
	assert_int_equal(open_external("w.bin", "99999999999999999999", &store, &err), -EINVAL);
	store.size = 23;
	assert_int_equal(open_external("w.bin", "24", &store, &err), -EINVAL);
	store.ret = -ENOENT;
	assert_int_equal(open_external("w.bin", "24", &store, &err), -ENOENT);
	assert_non_null(strstr(err.text, "w.bin"));
}

/* Sub-messages that come in pieces merge, scalars are the last ones. */
static void pieces_merge(void **state)
{
	struct pb half = { 0 }, node;
	struct graph_model *model = NULL;
	struct graph_error err;
	struct tm_model tm;
	char text[80];

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_node(&tm, "Relu", "x", "y", NULL);
	pb_int(&tm.file, 1, 3);
	tm_finish(&tm);
	node = node_pb("Neg", "y", "z", NULL);
	pb_msg(&half, 1, &node);
	pb_msg(&tm.file, 7, &half); /* the other half of the graph */
	if (open_pb(&tm.file, NULL, &model, &err))
		fail_msg("%s", err.text);
	assert_int_equal(graph_model_nr_nodes(model), 2);
	graph_model_summary(model, text, sizeof(text));
	assert_string_equal(text, "IR 8, opset 13, producer unknown");
	graph_model_close(model);
	tm_fini(&tm);
}

static void tensors_read_back(void **state)
{
	float data[6] = { 1, -2, 3.5f, 0, 1e30f, -0.0f };
	const struct graph_tensor t = { .name = (char *)(uintptr_t) "w",
					.dtype = 1,
					.rank = 2,
					.dims = { 2, 3 },
					.data = data,
					.size = sizeof(data) };
	struct graph_tensor back = { 0 };
	struct graph_error err;
	size_t size;
	void *bytes;

	(void)state;
	assert_int_equal(graph_tensor_write(&t, &bytes, &size), 0);
	assert_int_equal(graph_tensor_read(bytes, size, &back, &err), 0);
	assert_string_equal(back.name, "w");
	assert_int_equal(back.dtype, 1);
	assert_int_equal(back.rank, 2);
	assert_int_equal(back.dims[1], 3);
	assert_int_equal(back.size, sizeof(data));
	assert_memory_equal(back.data, data, sizeof(data));
	graph_tensor_fini(&back);
	for (size_t cut = 1; cut < size; cut++) {
		if (!graph_tensor_read(bytes, cut, &back, &err))
			graph_tensor_fini(&back); /* only where a whole field is missing */
		else
			assert_true(err.code < 0);
	}
	graph_free(bytes);
}

/* int32_data holds the small types' values, and the bits of halves. */
static void typed_fields_are_read(void **state)
{
	static const struct {
		u32 dtype;
		s64 in;
		u8 size;
		u64 out;
	} cases[] = { { 2, 200, 1, 200 },	 { 3, -5, 1, 0xFB },	   { 9, 1, 1, 1 },
		      { 10, 0x3C00, 2, 0x3C00 }, { 6, -1, 4, 0xFFFFFFFF }, { 4, 65535, 2, 65535 },
		      { 5, -2, 2, 0xFFFE } };

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		struct graph_tensor t = { 0 };
		struct graph_error err;
		struct pb pb = { 0 };
		u64 got = 0;

		pb_int(&pb, 1, 1);
		pb_int(&pb, 2, cases[i].dtype);
		pb_int(&pb, 5, cases[i].in);
		assert_int_equal(graph_tensor_read(pb.data, pb.size, &t, &err), 0);
		assert_int_equal(t.size, cases[i].size);
		memcpy(&got, t.data, t.size);
		assert_int_equal(got, cases[i].out);
		graph_tensor_fini(&t);
		pb_int(&pb, 5, 0); /* one element too many */
		assert_int_equal(graph_tensor_read(pb.data, pb.size, &t, &err), -EINVAL);
		pb_free(&pb);
	}
}

static void huge_tensors_are_refused(void **state)
{
	struct graph_tensor t = { 0 };
	struct graph_error err;
	struct pb pb = { 0 };

	(void)state;
	for (int i = 0; i < 8; i++)
		pb_int(&pb, 1, INT64_C(1) << 31);
	pb_int(&pb, 2, 1);
	assert_int_equal(graph_tensor_read(pb.data, pb.size, &t, &err), -EINVAL);
	pb_int(&pb, 1, 1); /* a ninth dimension */
	assert_int_equal(graph_tensor_read(pb.data, pb.size, &t, &err), -EOPNOTSUPP);
	pb_free(&pb);
	pb_int(&pb, 1, -1);
	pb_int(&pb, 2, 1);
	assert_int_equal(graph_tensor_read(pb.data, pb.size, &t, &err), -EINVAL);
	pb_free(&pb);
	pb_int(&pb, 2, 8); /* string */
	assert_int_equal(graph_tensor_read(pb.data, pb.size, &t, &err), -EOPNOTSUPP);
	pb_free(&pb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_shapes),
		cmocka_unit_test(initializers_are_no_inputs),
		cmocka_unit_test(broken_graphs_are_named),
		cmocka_unit_test(odd_files_are_named),
		cmocka_unit_test(unsupported_nodes_are_listed),
		cmocka_unit_test(shape_inputs_are_found),
		cmocka_unit_test(functions_are_inlined),
		cmocka_unit_test(endless_functions_end),
		cmocka_unit_test(inlined_constants_are_bounded),
		cmocka_unit_test(external_data_has_rules),
		cmocka_unit_test(pieces_merge),
		cmocka_unit_test(tensors_read_back),
		cmocka_unit_test(typed_fields_are_read),
		cmocka_unit_test(huge_tensors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
