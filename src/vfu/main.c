// SPDX-License-Identifier: MIT
/* vnpu: virtual Intel NPUs for QEMU and any other vfio-user client. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regs/gen.h"
#include "vfu/control.h"
#include "vfu/vfu.h"
#include "vnpu/vnpu.h"

#define MAX_DEVICES 64u
#define MAX_FAULTS  16u

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct fault {
	char name[32];
	u32 count;
};

struct device {
	const char *path, *code;
	const char *engine;
	const char *trace_path;
	bool msix;
	FILE *trace;
	struct fault faults[MAX_FAULTS];
	u32 nr_faults;
	struct vfu_server *srv;
};

struct options {
	struct device base; /* what options before the first --socket say: for all */
	struct device dev[MAX_DEVICES];
	u32 nr;
	enum base_log_level level;
	bool control;
};

static const char usage_head[] =
	"vnpu: a virtual Intel NPU behind a vfio-user socket\n"
	"\n"
	"usage: vnpu --socket PATH --device NAME [OPTIONS] [--socket PATH --device NAME ...]\n"
	"\n"
	"Each --socket begins a device; what follows it is for that device, what comes before the\n"
	"first is for all.  One client at a time per device; when it goes, the next one may come and\n"
	"finds the device as after power-on.  SIGTERM or SIGINT ends the program;\n"
	"a second one does not wait for an operation that still computes.\n"
	"\n"
	"  --socket PATH         where to listen; made for this user alone (mode 0600)\n"
	"  --device NAME         which NPU:\n";

static const char usage_tail[] =
	"  --engine plain|onednn what computes networks (the best that can be loaded)\n"
	"  --fault NAME[:COUNT]  make the next COUNT (1) occasions go wrong; --fault help lists names\n"
	"  --control             faults while it runs: a line `fault DEVICE NAME COUNT` on the standard\n"
	"                        input, DEVICE from 0, is answered by `ok` or `error: why`;\n"
	"                        `mark DEVICE NAME` puts a record into the trace\n"
	"  --trace FILE          write every register access, message and interrupt to FILE; given for\n"
	"                        several devices: to FILE.0, FILE.1, ... in the order of their sockets\n"
	"  --msix                an MSI-X capability beside MSI; real ones may not have it\n"
	"  -v                    say when clients come and go; -vv: more\n"
	"  --version, --help\n"
	"\n"
	"Try it:\n"
	"  vnpu --socket /run/user/1000/npu.sock --device mtl &\n"
	"  qemu-system-x86_64 -machine q35,memory-backend=mem -m 2G \\\n"
	"    -object memory-backend-memfd,id=mem,size=2G,share=on \\\n"
	"    -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"/run/user/1000/npu.sock\"}}' ...\n"
	"  npu run data/digits.onnx --device vfio-user:/run/user/1000/npu.sock --input data/digits/7.png\n"
	"\n"
	"exit codes: 0 ended by a signal    1 a device could not be made    2 wrong command line\n";

static void print_usage(void)
{
	fputs(usage_head, stdout);
	for (u32 i = 0; reg_gen_by_idx(i); i++)
		for (const struct reg_pci_id *id = reg_gen_by_idx(i)->ids; id->product; id++)
			printf("                          %s  %s (8086:%04x, %s)\n", id->code,
			       id->product, id->device, reg_gen_by_idx(i)->name);
	fputs(usage_tail, stdout);
}

static int usage_error(const char *fmt, ...) BASE_PRINTF(1, 2);

static int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("vnpu: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; `vnpu --help` shows how\n", stderr);
	return -EINVAL;
}

/*
 * Command line
 */

static void list_faults(void)
{
	for (unsigned i = 0; vnpu_fault_name(i); i++)
		puts(vnpu_fault_name(i));
}

static bool is_fault(const char *name)
{
	for (unsigned i = 0; vnpu_fault_name(i); i++)
		if (strcmp(vnpu_fault_name(i), name) == 0)
			return true;
	return false;
}

static int add_fault(struct device *dev, const char *text)
{
	struct fault *f = &dev->faults[dev->nr_faults];
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	unsigned long count = 1;
	char *end = NULL;

	if (dev->nr_faults == MAX_FAULTS)
		return usage_error("more than %u --fault for one device", MAX_FAULTS);
	if (len >= sizeof(f->name))
		return usage_error("--fault %s: no such fault, `--fault help` lists them", text);
	snprintf(f->name, sizeof(f->name), "%.*s", (int)len, text);
	if (!is_fault(f->name))
		return usage_error("--fault %s: no such fault, `--fault help` lists them", text);
	if (colon) {
		errno = 0;
		count = strtoul(colon + 1, &end, 10);
		if (errno || end == colon + 1 || *end || !count || count > 1000000)
			return usage_error("--fault %s: expected a count of 1 to 1000000", text);
	}
	f->count = (u32)count;
	dev->nr_faults++;
	return 0;
}

static int set_engine(struct device *dev, const char *text)
{
	if (strcmp(text, "plain") != 0 && strcmp(text, "onednn") != 0)
		return usage_error("--engine %s: expected plain or onednn", text);
	dev->engine = text;
	return 0;
}

static int set_device(struct options *opt, const char *text)
{
	u16 device;

	if (!opt->nr)
		return usage_error("--device %s: --socket PATH comes first", text);
	if (opt->dev[opt->nr - 1].code)
		return usage_error("--device %s: the device at %s has one already", text,
				   opt->dev[opt->nr - 1].path);
	if (!reg_gen_by_code(text, &device))
		return usage_error("--device %s: no such NPU", text);
	opt->dev[opt->nr - 1].code = text;
	return 0;
}

static int add_socket(struct options *opt, const char *path)
{
	if (opt->nr == MAX_DEVICES)
		return usage_error("more than %u devices", MAX_DEVICES);
	opt->dev[opt->nr] = opt->base;
	opt->dev[opt->nr++].path = path;
	return 0;
}

/* What options now are about. */
static struct device *current(struct options *opt)
{
	return opt->nr ? &opt->dev[opt->nr - 1] : &opt->base;
}

static int set_option(struct options *opt, const char *name, const char *value)
{
	struct device *dev = current(opt);

	if (strcmp(name, "--socket") == 0)
		return add_socket(opt, value);
	if (strcmp(name, "--device") == 0)
		return set_device(opt, value);
	if (strcmp(name, "--engine") == 0)
		return set_engine(dev, value);
	if (strcmp(name, "--fault") == 0)
		return add_fault(dev, value);
	if (strcmp(name, "--trace") == 0) {
		dev->trace_path = value;
		return 0;
	}
	return usage_error("%s: no such option", name);
}

static int check_devices(const struct options *opt)
{
	if (!opt->nr)
		return usage_error("no device: give --socket PATH --device NAME");
	for (u32 i = 0; i < opt->nr; i++)
		if (!opt->dev[i].code)
			return usage_error("no --device for the socket %s", opt->dev[i].path);
	return 0;
}

/* 1: done already, nothing to serve. */
static int parse(int argc, char **argv, struct options *opt)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		int ret;

		if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
			return print_usage(), 1;
		if (strcmp(arg, "--version") == 0)
			return puts("vnpu " NPU_VERSION), 1;
		if (strcmp(arg, "-v") == 0 || strcmp(arg, "-vv") == 0) {
			opt->level = arg[2] ? BASE_LOG_DBG : BASE_LOG_INFO;
			continue;
		}
		if (strcmp(arg, "--msix") == 0) {
			current(opt)->msix = true;
			continue;
		}
		if (strcmp(arg, "--control") == 0) {
			opt->control = true;
			continue;
		}
		if (strncmp(arg, "--", 2) != 0)
			return usage_error("%s: no such option", arg);
		if (i + 1 == argc)
			return usage_error("%s: no such option, or its value is missing", arg);
		if (strcmp(arg, "--fault") == 0 && strcmp(argv[i + 1], "help") == 0)
			return list_faults(), 1;
		ret = set_option(opt, arg, argv[++i]);
		if (ret)
			return ret;
	}
	return check_devices(opt);
}

/*
 * Devices
 */

static void print_log(void *opaque, enum base_log_level level, const char *text)
{
	(void)opaque, (void)level;
	fprintf(stderr, "vnpu: %s\n", text); /* one call: lines of several threads stay whole */
}

/* A trace is of one device: those that were told the same file get each one of their own. */
static bool shares_trace(const struct options *opt, const struct device *dev)
{
	for (u32 i = 0; i < opt->nr; i++)
		if (&opt->dev[i] != dev && opt->dev[i].trace_path &&
		    strcmp(opt->dev[i].trace_path, dev->trace_path) == 0)
			return true;
	return false;
}

static int open_trace(const struct options *opt, struct device *dev)
{
	char path[PATH_MAX];
	int len, ret = -ENAMETOOLONG;

	if (!dev->trace_path)
		return 0;
	if (shares_trace(opt, dev))
		len = snprintf(path, sizeof(path), "%s.%u", dev->trace_path, (u32)(dev - opt->dev));
	else
		len = snprintf(path, sizeof(path), "%s", dev->trace_path);
	if (len < (int)sizeof(path)) {
		dev->trace = fopen(path, "we");
		ret = dev->trace ? 0 : -errno;
	}
	if (ret)
		fprintf(stderr, "vnpu: --trace %s: %s\n", dev->trace_path, strerror(-ret));
	return ret;
}

static int start(const struct options *opt, struct device *dev)
{
	struct vfu_config cfg = { .name = dev->code,
				  .engine = dev->engine,
				  .log = { .level = opt->level, .sink = print_log } };
	struct base_err err = { 0 };
	int ret = open_trace(opt, dev);

	if (ret)
		return ret;
	cfg.gen = reg_gen_by_code(dev->code, &cfg.device_id)->name; /* checked before */
	cfg.trace = dev->trace;
	cfg.msix = dev->msix;
	ret = vfu_server_create(&cfg, &dev->srv, &err);
	for (u32 i = 0; !ret && i < dev->nr_faults; i++)
		ret = vfu_server_fault(dev->srv, dev->faults[i].name, dev->faults[i].count);
	if (!ret)
		ret = vfu_server_listen(dev->srv, dev->path, &err);
	if (ret) {
		fprintf(stderr, "vnpu: %s\n", err.text);
		vfu_server_destroy(dev->srv); /* nothing to sum up of it */
		dev->srv = NULL;
		return ret;
	}
	printf("vnpu: %s (8086:%04x) at %s\n", dev->code, cfg.device_id, dev->path);
	return 0;
}

static void sum_up(struct device *dev)
{
	struct vnpu_stats st;
	u64 n[VFU_NR_CLASSES], unheard;

	vfu_server_stop(dev->srv); /* first: a client may keep the device waiting for its memory */
	vnpu_get_stats(vfu_server_vnpu(dev->srv), &st);
	for (u32 i = 0; i < VFU_NR_CLASSES; i++)
		n[i] = vfu_server_findings(dev->srv, (enum vfu_class)i);
	unheard = vfu_server_unheard(dev->srv);
	vfu_server_destroy(dev->srv);
	printf("vnpu: %s: %" PRIu64 " guest errors, %" PRIu64 " unspecified, %" PRIu64
	       " unimplemented, %" PRIu64 " model bugs; %" PRIu64 " register reads, %" PRIu64
	       " writes, %" PRIu64 " interrupts, %" PRIu64 " jobs\n",
	       dev->code, n[VFU_GUEST_ERROR], n[VFU_UNSPECIFIED], n[VFU_UNIMPLEMENTED],
	       n[VFU_MODEL_BUG], st.reg_reads, st.reg_writes, st.msis, st.jobs);
	if (unheard)
		printf("vnpu: %s: %" PRIu64 " interrupts reached nobody: no eventfd was set\n",
		       dev->code, unheard);
}

static void end(struct device *dev)
{
	if (dev->srv)
		sum_up(dev);
	if (dev->trace && fclose(dev->trace))
		fprintf(stderr, "vnpu: --trace %s: %s\n", dev->trace_path, strerror(errno));
}

/* Until a signal ends it. */
static int serve(struct options *opt, const sigset_t *set)
{
	struct vfu_server *srv[MAX_DEVICES];
	struct vfu_control control;
	int ret = 0, sig;

	for (u32 i = 0; i < opt->nr; i++)
		srv[i] = opt->dev[i].srv;
	if (opt->control)
		ret = vfu_control_start(&control, STDIN_FILENO, STDOUT_FILENO, srv, opt->nr);
	if (ret) {
		fprintf(stderr, "vnpu: --control: %s\n", strerror(-ret));
		return ret;
	}
	ret = -sigwait(set, &sig);
	if (opt->control)
		vfu_control_stop(&control);
	return ret;
}

/* Signals that end the program go to sigwait() alone: blocked before there is any thread. */
static int run(struct options *opt)
{
	int ret = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (u32 i = 0; !ret && i < opt->nr; i++)
		ret = start(opt, &opt->dev[i]);
	fflush(stdout);
	if (!ret)
		ret = serve(opt, &set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* an end may take long: a second signal kills */
	for (u32 i = opt->nr; i--;)
		end(&opt->dev[i]);
	return ret ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct options *opt = base_zalloc(sizeof(*opt));
	int ret;

	if (!opt)
		return EXIT_FAILED;
	opt->level = BASE_LOG_WARN;
	ret = parse(argc, argv, opt);
	if (!ret)
		ret = run(opt);
	else
		ret = ret > 0 ? EXIT_OK : EXIT_USAGE;
	base_free(opt);
	return ret;
}
