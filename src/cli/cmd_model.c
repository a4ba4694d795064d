// SPDX-License-Identifier: MIT
/* npu model: what is in a model, and what of it is supported. */
#include <string.h>

#include "abi/program.h"
#include "cli/cli.h"

static const char help[] =
	"usage: npu model MODEL.onnx [--nodes] [--json]\n"
	"\n"
	"Shows a model's inputs, outputs and operators, and names each node that this version cannot\n"
	"compile, with its operator, opset and the reason.\n"
	"\n"
	"  --nodes   list every node\n"
	"  --json    one JSON object\n"
	"\n"
	"exit codes: 0 all operators supported   3 bad model   4 some operator is not supported\n";

static const struct option long_options[] = {
	{ "nodes", no_argument, NULL, 'n' },
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

struct op_count {
	const char *op_type, *domain;
	int opset;
	u32 nr;
};

static u32 count_ops(const struct graph_model *graph, struct op_count *ops)
{
	u32 nr = 0;

	for (u32 i = 0; i < graph_model_nr_nodes(graph); i++) {
		struct graph_node_info node;
		u32 k = 0;

		if (graph_model_node(graph, i, &node))
			continue;
		while (k < nr &&
		       (strcmp(ops[k].op_type, node.op_type) || strcmp(ops[k].domain, node.domain)))
			k++;
		if (k == nr)
			ops[nr++] = (struct op_count){ node.op_type, node.domain, node.opset, 0 };
		ops[k].nr++;
	}
	return nr;
}

static void print_value(const char *what, const struct graph_value_info *info, const char *note)
{
	char shape[128];

	printf("%s %s  %s%s\n", what, info->name,
	       info->is_rank_known
		       ? cli_shape_text(info->dtype, info->rank, info->dims, shape, sizeof(shape))
		       : abi_dtype_name(info->dtype),
	       note);
}

static void print_values(const struct graph_model *graph)
{
	struct graph_value_info info;

	for (u32 i = 0; i < graph_model_nr_inputs(graph); i++)
		if (!graph_model_input(graph, i, &info))
			print_value("input ", &info,
				    graph_model_input_is_shape(graph, i) ? "  (decides a shape)"
									 : "");
	for (u32 i = 0; i < graph_model_nr_outputs(graph); i++)
		if (!graph_model_output(graph, i, &info))
			print_value("output", &info, "");
}

static int print_text(const struct cli_model *model, const struct op_count *ops, u32 nr_ops,
		      bool all_nodes)
{
	u32 nr_bad = 0;
	char summary[256];

	graph_model_summary(model->graph, summary, sizeof(summary));
	printf("%s: %s\n", model->file.path, summary);
	print_values(model->graph);
	for (u32 i = 0; i < nr_ops; i++)
		printf("%6u x %s%s%s\n", ops[i].nr, ops[i].domain, *ops[i].domain ? "." : "",
		       ops[i].op_type);
	for (u32 i = 0; i < graph_model_nr_nodes(model->graph); i++) {
		struct graph_node_info node;

		if (graph_model_node(model->graph, i, &node))
			continue;
		nr_bad += !node.is_supported;
		if (all_nodes || !node.is_supported)
			printf("%s %u '%s' (%s, opset %d)%s%s\n",
			       node.is_supported ? "node" : "unsupported: node", i, node.name,
			       node.op_type, node.opset, node.is_supported ? "" : ": ",
			       node.is_supported ? "" : node.reason);
	}
	printf("%u nodes, %u operators, %u unsupported nodes\n", graph_model_nr_nodes(model->graph),
	       nr_ops, nr_bad);
	return nr_bad ? CLI_UNSUPPORTED : CLI_OK;
}

static void json_value(const struct graph_value_info *info)
{
	printf("{\"name\":");
	cli_json_string(info->name);
	printf(",\"type\":\"%s\",\"shape\":", abi_dtype_name(info->dtype));
	if (!info->is_rank_known) {
		printf("null}");
		return;
	}
	printf("[");
	for (u32 i = 0; i < info->rank; i++)
		printf("%s%lld", i ? "," : "", (long long)info->dims[i]);
	printf("]}");
}

static void json_values(const struct graph_model *graph)
{
	struct graph_value_info info;

	printf(",\"inputs\":[");
	for (u32 i = 0; i < graph_model_nr_inputs(graph); i++) {
		if (i)
			putchar(',');
		if (!graph_model_input(graph, i, &info))
			json_value(&info);
	}
	printf("],\"outputs\":[");
	for (u32 i = 0; i < graph_model_nr_outputs(graph); i++) {
		if (i)
			putchar(',');
		if (!graph_model_output(graph, i, &info))
			json_value(&info);
	}
	printf("]");
}

static int print_json(const struct cli_model *model)
{
	u32 nr_bad = 0;

	printf("{\"model\":");
	cli_json_string(model->file.path);
	json_values(model->graph);
	printf(",\"nodes\":[");
	for (u32 i = 0; i < graph_model_nr_nodes(model->graph); i++) {
		struct graph_node_info node;

		if (graph_model_node(model->graph, i, &node))
			continue;
		printf("%s{\"op\":", i ? "," : "");
		cli_json_string(node.op_type);
		printf(",\"domain\":");
		cli_json_string(node.domain);
		printf(",\"name\":");
		cli_json_string(node.name);
		printf(",\"opset\":%d,\"supported\":%s", node.opset,
		       node.is_supported ? "true" : "false");
		if (!node.is_supported) {
			printf(",\"reason\":");
			cli_json_string(node.reason);
			nr_bad++;
		}
		printf("}");
	}
	printf("],\"unsupported\":%u}\n", nr_bad);
	return nr_bad ? CLI_UNSUPPORTED : CLI_OK;
}

static int show(const char *path, bool all_nodes, bool json)
{
	struct cli_model model;
	struct op_count *ops;
	int ret;

	ret = cli_model_open(path, &model);
	if (ret)
		return ret;
	ops = base_alloc_array(graph_model_nr_nodes(model.graph), sizeof(*ops));
	if (!ops)
		ret = cli_fail(CLI_FAILED, "out of memory");
	else if (json)
		ret = print_json(&model);
	else
		ret = print_text(&model, ops, count_ops(model.graph, ops), all_nodes);
	base_free(ops);
	cli_model_close(&model);
	return ret;
}

static int run(int argc, char **argv)
{
	bool all_nodes = false, json = false;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == 'n')
			all_nodes = true;
		else if (opt == 'j')
			json = true;
		else
			return cli_usage(&cli_cmd_model, "%s: no such option", argv[optind - 1]);
	}
	if (optind + 1 != argc)
		return cli_usage(&cli_cmd_model, "%s",
				 optind == argc ? "which model?" : "one model at a time");
	return show(argv[optind], all_nodes, json);
}

const struct cli_command cli_cmd_model = {
	.name = "model",
	.summary = "show a model's operators and what is unsupported",
	.help = help,
	.run = run,
};
