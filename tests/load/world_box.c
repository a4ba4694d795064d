// SPDX-License-Identifier: MIT
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../redox/box_internal.h"
#include "../redox/daemon.h"

#define RAM_BYTES (UINT64_C(2) << 30)

const char world_heap_unit[] = "blocks";
const u64 world_heap_of_client = 100;
const u64 world_heap_kept = 1; /* its pools */
const char world_args[] = "GENERATION os|hw";

struct world {
	const struct reg_gen *gen;
	bool hws;
	struct box *box;
	struct daemon daemon;
};

struct world_proc {
	struct box_proc *proc;
	int (*run)(void *arg);
	void *arg;
};

/* A process that is killed gives its heap back; a thread that plays one cannot. */
#if BASE_ASAN
void __lsan_disable(void);
#define forget_heap() __lsan_disable()
#else
#define forget_heap() ((void)0)
#endif

static void forget_daemon(void)
{
	forget_heap();
}

static int run_client(void *arg)
{
	const struct world_proc *proc = arg;

	forget_heap();
	return proc->run(proc->arg);
}

int world_open(int argc, char **argv, int *nr_used, struct world **out)
{
	const struct box_config cfg = { .gen = argc < 3 ? NULL : argv[1],
					.seed = 11,
					.ram_bytes = RAM_BYTES };
	struct world *w;
	int ret;

	if (argc < 3 || !reg_gen_by_name(argv[1])) {
		fprintf(stderr, "arguments: %s\n", world_args);
		return -EINVAL;
	}
	w = base_zalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->gen = reg_gen_by_name(argv[1]);
	w->hws = !strcmp(argv[2], "hw");
	ret = box_create(&cfg, &w->box);
	if (!ret) {
		/* no complaint of who is stuck for a good reason: that is asked for */
		w->box->patience_ns = 3600 * BASE_NS_PER_S;
		ret = daemon_init(&w->daemon, w->box, w->gen->name, w->hws);
	}
	if (!ret) {
		w->daemon.begins = forget_daemon; /* it may be killed, too */
		daemon_arg(&w->daemon, "--contexts=200");
		daemon_arg(&w->daemon, "--queues=300");
		daemon_arg(&w->daemon, "--memory=16384");
		ret = daemon_start(&w->daemon);
	}
	if (ret) {
		fprintf(stderr, "npud does not start: %s\n", base_err_name(ret));
		return ret;
	}
	*nr_used = 2;
	*out = w;
	return 0;
}

static int judge(struct box *box)
{
	const struct box_live live = box_live(box);
	char text[300];

	if (box_complaints(box, text, sizeof(text))) {
		fprintf(stderr, "the box complains: %s\n", text);
		return -EIO;
	}
	if (!live.contiguous_bytes && !live.descriptors && !live.mappings && box_quiet(box))
		return 0;
	fprintf(stderr, "left behind: %llu bytes, %llu descriptors, %llu mappings%s\n",
		(unsigned long long)live.contiguous_bytes, (unsigned long long)live.descriptors,
		(unsigned long long)live.mappings, box_quiet(box) ? "" : ", a device that is on");
	return -EIO;
}

int world_close(struct world *w)
{
	int ret = daemon_stop(&w->daemon), left = judge(w->box);

	daemon_fini(&w->daemon);
	box_destroy(w->box);
	base_free(w);
	return ret ? ret : left;
}

const char *world_device(const struct world *w)
{
	(void)w;
	return "/scheme/npu";
}

const struct reg_gen *world_gen(const struct world *w)
{
	return w->gen;
}

bool world_hws(const struct world *w)
{
	return w->hws;
}

void *world_shared(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		abort();
	return mem;
}

struct world_proc *world_spawn(struct world *w, int (*run)(void *arg), void *arg)
{
	struct world_proc *proc = base_zalloc(sizeof(*proc));
	const struct box_proc_config cfg = { .name = "client", .run = run_client, .arg = proc };

	if (!proc)
		abort();
	proc->run = run;
	proc->arg = arg;
	if (box_spawn(w->box, &cfg, &proc->proc))
		abort();
	return proc;
}

bool world_has_ended(struct world_proc *proc)
{
	return box_ended(proc->proc);
}

bool world_is_stuck(struct world_proc *proc)
{
	return box_is_stuck(proc->proc);
}

void world_kill(struct world_proc *proc)
{
	box_kill(proc->proc);
}

int world_wait(struct world_proc *proc, u64 timeout_ns)
{
	const u64 until = base_clock_ns() + timeout_ns;
	bool late = false;
	int ret;

	while (!box_ended(proc->proc) && !late) {
		world_nap(BASE_NS_PER_MS / 5);
		late = base_clock_ns() >= until;
	}
	if (late)
		box_kill(proc->proc);
	ret = box_wait(proc->proc);
	base_free(proc);
	return late ? -ETIMEDOUT : ret;
}

struct world_live world_measure(struct world *w)
{
	const struct box_live live = box_proc_live(w->daemon.proc);

	return (struct world_live){ .heap = live.heap,
				    .descriptors = live.descriptors,
				    .dma_bytes = box_live(w->box).contiguous_bytes,
				    .mappings = live.mappings };
}

void world_crash(struct world *w)
{
	box_kill(w->daemon.proc);
	(void)box_wait(w->daemon.proc);
}

int world_restart(struct world *w)
{
	return daemon_start(&w->daemon);
}
