// SPDX-License-Identifier: MIT
/* npu fw: firmware files without a device. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "abi/fw_image.h"
#include "abi/ref.h"
#include "cli/cli.h"
#include "client/firmware.h"

static const char help[] =
	"usage: npu fw info [--json] FILE...\n"
	"       npu fw make [--hws] GENERATION FILE\n"
	"\n"
	"info shows what is in the header and on the version page of a firmware image: sizes, addresses,\n"
	"API versions, and which generations' drivers take it (fits), with the reason where not.  The\n"
	"header of later generations is the same: `made_for` is what the maker's text says.\n"
	"\n"
	"make writes the project's own small image, the one that is built in.  A virtual NPU plays the\n"
	"firmware itself and reads only the header, so there is no code in it; under one of the names\n"
	"Linux searches (/lib/firmware/intel/vpu/vpu_37xx_v1.bin) it boots Linux's intel_vpu on a\n"
	"virtual NPU without Intel's firmware.  --hws: with the version from which on Linux schedules\n"
	"in hardware.  A real NPU does not run it.\n"
	"\n"
	"exit codes: 0 some generation takes each file   2 command line   3 bad file\n";

enum { OPT_JSON = 256, OPT_HWS };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "hws", no_argument, NULL, OPT_HWS },
	{ NULL, 0, NULL, 0 },
};

struct args {
	bool json, hws;
	char **rest;
	int nr_rest;
};

static int parse(int argc, char **argv, struct args *args)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == OPT_JSON)
			args->json = true;
		else if (opt == OPT_HWS)
			args->hws = true;
		else
			return cli_usage(&cli_cmd_fw, "%s: no such option", argv[optind - 1]);
	}
	args->rest = argv + optind;
	args->nr_rest = argc - optind;
	return 0;
}

/*
 * One fact a line, or one member of a JSON object.
 */

static void put_key(bool json, const char *key)
{
	printf(json ? "  \"%s\": " : "%s: ", key);
}

static void put_text(bool json, const char *key, const char *text)
{
	put_key(json, key);
	if (json)
		cli_json_string(text);
	else
		fputs(text, stdout);
	puts(json ? "," : "");
}

static void put_size(bool json, const char *key, u64 val)
{
	put_key(json, key);
	printf("%" PRIu64 "%s\n", val, json ? "," : "");
}

static void put_addr(bool json, const char *key, u64 val)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, val);
	put_text(json, key, text);
}

/* Only what is there; names of those that are published, P 4.5. */
static void put_apis(bool json, const struct abi_fw_header *h)
{
	static const char *const names[ABI_FW_NR_API] = {
		[ABI_FW_API_BOOT] = "boot",
		[ABI_FW_API_JOB_CMD] = "job_commands",
		[ABI_FW_API_JSM] = "messages",
		[ABI_FW_API_NNRT] = "runtime",
	};

	for (u32 i = 0; i < ABI_FW_NR_API; i++) {
		char key[32], ver[24];

		if (!h->api_version[i])
			continue;
		if (names[i])
			snprintf(key, sizeof(key), "api_%s", names[i]);
		else
			snprintf(key, sizeof(key), "api_%u", i);
		snprintf(ver, sizeof(ver), "%u.%u", ABI_API_MAJOR(h->api_version[i]),
			 ABI_API_MINOR(h->api_version[i]));
		put_text(json, key, ver);
	}
}

/* Bytes of the header page that no field is known for: all 0 in Intel's images, P 4.7. */
static u32 unknown_bytes(const struct cli_file *file)
{
	const u8 *page = file->data;
	u32 nr = 0;

	for (size_t i = sizeof(struct abi_fw_header); i < ABI_FW_HEADER_PAGE; i++)
		nr += page[i] != 0;
	return nr;
}

static void put_header(bool json, const struct cli_file *file, const struct abi_fw_header *h)
{
	char text[ABI_FW_VERSION_TEXT + 1];
	u64 used = (u64)ABI_FW_IMAGE_OFF + h->image_size;

	put_text(json, "file", file->path);
	put_size(json, "file_bytes", file->size);
	abi_fw_image_version(file->data, text, sizeof(text));
	put_text(json, "version", text);
	put_size(json, "version_bytes", h->firmware_version_size);
	put_size(json, "header_version", h->header_version);
	put_size(json, "image_format", h->image_format);
	put_size(json, "compression_type", h->compression_type);
	put_apis(json, h);
	put_addr(json, "boot_parameters_address", h->boot_params_load_address);
	put_addr(json, "version_page_address", h->firmware_version_load_address);
	put_addr(json, "image_address", h->image_load_address);
	put_size(json, "image_bytes", h->image_size);
	put_addr(json, "entry_point", h->entry_point);
	put_size(json, "runtime_bytes", h->runtime_size);
	put_size(json, "shave_bytes", h->shave_nn_fw_size);
	put_addr(json, "read_only_address", h->ro_section_start_address);
	put_size(json, "read_only_bytes", h->ro_section_size);
	put_size(json, "preemption_1_bytes", h->preemption_buffer_1_size);
	put_size(json, "preemption_1_max_bytes", h->preemption_buffer_1_max_size);
	put_size(json, "preemption_2_bytes", h->preemption_buffer_2_size);
	put_size(json, "preemption_2_max_bytes", h->preemption_buffer_2_max_size);
	put_size(json, "unknown_header_bytes", unknown_bytes(file));
	put_size(json, "bytes_behind_image", file->size > used ? file->size - used : 0);
}

/* Of the reference NPU: design section 8. */
static void put_ref_header(bool json, const struct cli_file *file)
{
	char text[ABI_REF_VERSION_TEXT + 1];
	struct abi_ref_header h;

	memcpy(&h, file->data, sizeof(h));
	abi_ref_image_version(file->data, text, sizeof(text));
	put_text(json, "file", file->path);
	put_size(json, "file_bytes", file->size);
	put_text(json, "version", text);
	put_size(json, "image_bytes", h.image_size);
	put_size(json, "entry_point", h.entry);
}

/* What each generation's driver says of a file. */
struct verdict {
	struct client_fw_fit fit[CLIENT_FW_MAX_GENS];
	u32 nr, nr_fits;
	const struct client_fw_fit *named; /* by its maker; NULL = not said */
};

static void judge(const struct cli_file *file, struct verdict *out)
{
	*out = (struct verdict){ 0 };
	for (u32 i = 0; out->nr < CLIENT_FW_MAX_GENS; i++) {
		struct client_fw_fit *fit = &out->fit[out->nr];

		if (!client_fw_fit(i, file->data, file->size, fit))
			break;
		if (fit->alien)
			continue;
		out->nr++;
		out->nr_fits += fit->fits;
		if (fit->named)
			out->named = fit;
	}
}

/* The generation whose reason helps most. */
static const struct client_fw_fit *nearest(const struct verdict *v)
{
	return v->named ? v->named : &v->fit[v->nr - 1];
}

static void put_fits_text(const struct verdict *v)
{
	printf("fits:");
	for (u32 i = 0; i < v->nr; i++)
		if (v->fit[i].fits)
			printf(" %s", v->fit[i].gen);
	printf("%s\n", v->nr_fits ? "" : " none");
	for (u32 i = 0; i < v->nr; i++)
		if (v->fit[i].why[0])
			printf("%s: %s\n", v->fit[i].gen, v->fit[i].why);
	printf("made_for: %s\n", v->named ? v->named->gen : "not said");
}

static void put_fits_json(const struct verdict *v)
{
	const char *comma = "";

	printf("  \"fits\": [");
	for (u32 i = 0; i < v->nr; i++) {
		if (!v->fit[i].fits)
			continue;
		printf("%s\"%s\"", comma, v->fit[i].gen);
		comma = ", ";
	}
	printf("],\n  \"why\": {");
	comma = "";
	for (u32 i = 0; i < v->nr; i++) {
		if (!v->fit[i].why[0])
			continue;
		printf("%s\n    \"%s\": ", comma, v->fit[i].gen);
		cli_json_string(v->fit[i].why);
		comma = ",";
	}
	printf("\n  },\n  \"made_for\": ");
	if (v->named)
		cli_json_string(v->named->gen);
	else
		printf("null");
	putchar('\n');
}

/* Is it one at all?  0 or an exit code. */
static int check(const struct cli_file *file, struct abi_fw_header *h)
{
	if (file->size <= ABI_FW_IMAGE_OFF)
		return cli_fail(CLI_BAD_INPUT,
				"%s: %zu bytes, a firmware image has more than %d: header page, "
				"version page, image",
				file->path, file->size, ABI_FW_IMAGE_OFF);
	abi_fw_image_header(file->data, h);
	if (h->header_version != ABI_FW_HEADER_VERSION)
		return cli_fail(CLI_BAD_INPUT,
				"%s: not a firmware image: header_version is %u, expected %d",
				file->path, h->header_version, ABI_FW_HEADER_VERSION);
	return 0;
}

static int show_opened(const struct cli_file *file, bool json)
{
	bool is_ref = file->size >= sizeof(struct abi_ref_header) &&
		      abi_ref_image_is(file->data, file->size);
	struct abi_fw_header h;
	struct verdict v;
	int ret = is_ref ? 0 : check(file, &h);

	if (ret)
		return ret;
	judge(file, &v);
	if (json)
		puts("{");
	if (is_ref)
		put_ref_header(json, file);
	else
		put_header(json, file, &h);
	if (json)
		put_fits_json(&v);
	else
		put_fits_text(&v);
	if (json)
		puts("}");
	if (v.nr_fits)
		return 0;
	return cli_fail(CLI_BAD_INPUT, "%s: no generation takes it; %s: %s", file->path,
			nearest(&v)->gen, nearest(&v)->why);
}

static int show(const char *path, bool json)
{
	struct cli_file file;
	int ret = cli_file_open(path, &file);

	if (ret)
		return ret;
	ret = show_opened(&file, json);
	cli_file_close(&file);
	return ret;
}

static int info(const struct args *args)
{
	int ret = 0;

	if (!args->nr_rest || args->hws)
		return cli_usage(&cli_cmd_fw, "info takes files and --json");
	if (args->json && args->nr_rest > 1)
		return cli_usage(&cli_cmd_fw, "--json is for one file");
	for (int i = 0; i < args->nr_rest; i++) {
		int one;

		if (i)
			putchar('\n');
		one = show(args->rest[i], args->json);
		ret = ret ? ret : one;
	}
	return ret;
}

static int make(const struct args *args)
{
	struct base_err err = { 0 };
	size_t size;
	void *image;
	int ret;

	if (args->nr_rest != 2 || args->json)
		return cli_usage(&cli_cmd_fw, "make takes a generation, a file and --hws");
	ret = client_fw_make(args->rest[0], args->hws, &image, &size, &err);
	if (ret)
		return cli_fail(ret == -ENOMEM ? CLI_FAILED : CLI_USAGE, "%s", err.text);
	ret = cli_file_write(args->rest[1], image, size);
	base_free(image);
	return ret;
}

static int run(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct args args = { 0 };
	int ret;

	if (strcmp(what, "info") != 0 && strcmp(what, "make") != 0)
		return cli_usage(&cli_cmd_fw, "'%s': expected info or make", what);
	ret = parse(argc - 1, argv + 1, &args);
	if (ret)
		return ret;
	return strcmp(what, "make") ? info(&args) : make(&args);
}

const struct cli_command cli_cmd_fw = {
	.name = "fw",
	.summary = "show what is in a firmware image, or make a small one",
	.help = help,
	.run = run,
};
