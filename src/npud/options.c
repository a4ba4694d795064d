// SPDX-License-Identifier: MIT
#include "npud/options.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "service/path.h"

#define FILE_MAX 65536u /* of settings; what is longer is no such file */

bool npud_number(const char *text, u32 max, u32 *out)
{
	u64 val = 0;

	if (!svc_parse_u64(text, strlen(text), &val) || !val || val > max)
		return false;
	*out = (u32)val;
	return true;
}

static int set_number(const char *val, u32 max, u32 *out)
{
	return npud_number(val, max, out) ? 0 : -EINVAL;
}

static int set_firmware(struct npud_options *opts, const char *val)
{
	opts->cfg.firmware = val;
	return 0;
}

static int set_contexts(struct npud_options *opts, const char *val)
{
	return set_number(val, 1u << 16, &opts->cfg.limits.contexts);
}

static int set_queues(struct npud_options *opts, const char *val)
{
	return set_number(val, 1u << 16, &opts->cfg.limits.queues);
}

static int set_depth(struct npud_options *opts, const char *val)
{
	return set_number(val, DRV_QUEUE_DEPTH, &opts->cfg.limits.queue_depth);
}

static int set_memory(struct npud_options *opts, const char *val)
{
	u32 mib = 0;
	int ret = set_number(val, UINT32_MAX, &mib);

	opts->cfg.limits.memory_bytes = (u64)mib << 20;
	return ret;
}

static int set_config(struct npud_options *opts, const char *val)
{
	opts->config = val;
	return 0;
}

static int set_mmio(struct npud_options *opts, const char *val)
{
	static const char *const modes[] = {
		[SVC_MMIO_OFF] = "off", [SVC_MMIO_RO] = "ro", [SVC_MMIO_RW] = "rw"
	};

	for (u32 i = 0; i < BASE_ARRAY_SIZE(modes); i++) {
		if (strcmp(val, modes[i]) != 0)
			continue;
		opts->cfg.mmio = (enum svc_mmio)i;
		return 0;
	}
	return -EINVAL;
}

static int set_dma(struct npud_options *opts, const char *val)
{
	opts->cfg.dma = strcmp(val, "on") == 0;
	return opts->cfg.dma || strcmp(val, "off") == 0 ? 0 : -EINVAL;
}

static int set_verbose(struct npud_options *opts, const char *val)
{
	u32 level = 0;
	int ret = set_number(val, BASE_LOG_DBG - BASE_LOG_WARN, &level);

	if (!ret)
		opts->cfg.log_level = BASE_LOG_WARN + level;
	return ret;
}

static const struct npud_option common[] = {
	{ "config", set_config, "a file" },
	{ "firmware", set_firmware, "a file" },
	{ "contexts", set_contexts, "a number, 1 to 65536" },
	{ "queues", set_queues, "a number, 1 to 65536" },
	{ "depth", set_depth, "a number of jobs, 1 to 62" },
	{ "memory", set_memory, "a number of MiB" },
	{ "mmio", set_mmio, "off, ro or rw" },
	{ "dma", set_dma, "off or on" },
	{ "verbose", set_verbose, "1 or 2" },
};

static_assert(DRV_QUEUE_DEPTH == 62, "what --depth says it wants");

/* One reading of all there is to read; a line of the file that was on the command line is passed. */
struct parser {
	const struct npud_platform *platform;
	struct npud_options *opts;
	u32 given, given_before; /* bit per option */
};

static const struct npud_option *find(const struct parser *p, const char *name, size_t len,
				      u32 *bit)
{
	const u32 nr = (u32)BASE_ARRAY_SIZE(common);

	for (u32 i = 0; i < nr + p->platform->nr_options; i++) {
		const struct npud_option *opt = i < nr ? &common[i] : &p->platform->options[i - nr];

		if (strlen(opt->name) != len || memcmp(opt->name, name, len) != 0)
			continue;
		*bit = BASE_BIT(i);
		return opt;
	}
	return NULL;
}

/* @where: what comes before the name in messages, "--" or "FILE:LINE: " */
static int take(struct parser *p, const char *where, const char *name, size_t len, const char *val)
{
	u32 bit = 0;
	const struct npud_option *opt = find(p, name, len, &bit);

	if (!opt) {
		fprintf(stderr, "npud: %s%.*s: no such option; npud --help lists what there is\n",
			where, (int)len, name);
		return NPUD_EXIT_USAGE;
	}
	if (p->given_before & bit)
		return -1;
	if (!val || !*val || opt->set(p->opts, val)) {
		fprintf(stderr, "npud: %s%s \"%s\": expected %s\n", where, opt->name,
			val ? val : "", opt->want);
		return NPUD_EXIT_USAGE;
	}
	p->given |= bit;
	return -1;
}

/*
 * Command line
 */

/* -1: go on */
static int take_word(struct parser *p, char **argv, int argc, int *at)
{
	const char *arg = argv[*at];
	const char *name = arg + 2, *eq;

	if (!strcmp(arg, "--help")) {
		fputs(p->platform->usage, stdout);
		return NPUD_EXIT_OK;
	}
	if (!strcmp(arg, "--version")) {
		puts("npud " NPU_VERSION);
		return NPUD_EXIT_OK;
	}
	if (!strcmp(arg, "-v"))
		return take(p, "-", "verbose", strlen("verbose"), "1");
	if (!strcmp(arg, "-vv"))
		return take(p, "-", "verbose", strlen("verbose"), "2");
	if (strncmp(arg, "--", 2) != 0) {
		fprintf(stderr, "npud: what is \"%s\"; npud --help lists what there is\n", arg);
		return NPUD_EXIT_USAGE;
	}
	eq = strchr(name, '=');
	if (eq)
		return take(p, "--", name, (size_t)(eq - name), eq + 1);
	return take(p, "--", name, strlen(name), ++*at < argc ? argv[*at] : NULL);
}

static int take_words(struct parser *p, int argc, char **argv)
{
	int ret = -1;

	for (int i = 1; i < argc && ret < 0; i++)
		ret = take_word(p, argv, argc, &i);
	return ret;
}

/*
 * File
 */

/* 0, -ENOENT, or what the system said; @out ends with a NUL. */
static int read_file(const char *path, char **out)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t n;
	int ret;

	if (!f)
		return -errno;
	text = base_zalloc(FILE_MAX + 1);
	if (!text) {
		fclose(f);
		return -ENOMEM;
	}
	n = fread(text, 1, FILE_MAX + 1, f);
	ret = ferror(f) ? -EIO : n > FILE_MAX ? -EFBIG : memchr(text, 0, n) ? -EINVAL : 0;
	fclose(f);
	if (ret) {
		base_free(text);
		return ret;
	}
	*out = text;
	return 0;
}

/* One line, its end taken off: name, spaces, value.  -1: go on. */
static int take_line(struct parser *p, const char *path, u32 nr, char *line)
{
	char *hash = strchr(line, '#'), *val;
	char where[300];
	size_t len;

	if (hash)
		*hash = '\0';
	for (len = strlen(line); len && strchr(" \t\r", line[len - 1]); len--)
		line[len - 1] = '\0';
	line += strspn(line, " \t");
	if (!*line)
		return -1;
	len = strcspn(line, " \t");
	val = line + len + strspn(line + len, " \t");
	snprintf(where, sizeof(where), "%s:%u: ", path, nr);
	return take(p, where, line, len, val);
}

static int take_file(struct parser *p)
{
	const char *path = p->opts->config ? p->opts->config : p->platform->config;
	int ret = read_file(path, &p->opts->text);
	char *line, *end;

	if (ret == -ENOENT && !p->opts->config)
		return -1;
	if (ret) {
		fprintf(stderr, "npud: %s: cannot be read: %s\n", path, base_err_name(ret));
		return NPUD_EXIT_USAGE;
	}
	p->given_before = p->given;
	ret = -1;
	line = p->opts->text;
	for (u32 nr = 1; line && ret < 0; nr++, line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		ret = take_line(p, path, nr, line);
	}
	return ret;
}

int npud_options_parse(const struct npud_platform *platform, int argc, char **argv,
		       struct npud_options *opts)
{
	struct parser p = { .platform = platform, .opts = opts };
	int ret = take_words(&p, argc, argv);

	if (ret < 0)
		ret = take_file(&p);
	opts->cfg.devices = opts->devices;
	return ret;
}

void npud_options_free(struct npud_options *opts)
{
	base_free(opts->text);
	opts->text = NULL;
}
