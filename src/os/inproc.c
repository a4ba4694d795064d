// SPDX-License-Identifier: MIT
/*
 * The in-process virtual NPU as a seam (inproc.h).
 *
 * Memory: anonymous mappings, mapped into the model (pool.h).
 *
 * Interrupts: the model's callback sets a flag; only when somebody sleeps in wait() does it wake
 * him, so that a device that is polled makes no system call.  The same holds for a loop that sleeps
 * on the event descriptor: it says so (listen).
 */
#include "os/inproc.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "os/msi.h"
#include "os/pool.h"
#include "vnpu/vnpu.h"

#define SPIN_NS (20 * BASE_NS_PER_US) /* before wait() sleeps */

#define EVENT_IRQ  1u
#define EVENT_WAKE 2u

struct inproc {
	struct os_device os;
	struct vnpu *vnpu;
	bool stepped;
	struct os_msi msi;
	_Atomic u32 events; /* EVENT_IRQ, EVENT_WAKE: not taken yet */
	atomic_uint sleepers;
	pthread_mutex_t lock; /* protects: all up to pool; taken last */
	pthread_cond_t cond;
	int event_fd; /* -1 until somebody asks for it */
	bool listening, raised;
	struct os_pool pool;
	void (*finding)(void *opaque, enum os_inproc_class cls, const char *where,
			const char *text);
	void *opaque;
	FILE *trace;
};

static struct inproc *to_inproc(struct os_device *os)
{
	return (struct inproc *)(void *)os;
}

static void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * Configuration space and registers
 */

static int cfg_rd(struct os_device *os, u32 off, u32 size, u32 *val)
{
	return vnpu_cfg_read(to_inproc(os)->vnpu, off, size, val);
}

static int cfg_wr(struct os_device *os, u32 off, u32 size, u32 val)
{
	return vnpu_cfg_write(to_inproc(os)->vnpu, off, size, val);
}

static int bar_info(struct os_device *os, u32 bar, struct os_bar *out)
{
	*out = (struct os_bar){ .size = vnpu_bar_size(to_inproc(os)->vnpu, bar) };
	out->is_64bit = out->size != 0;
	return 0;
}

static int bar_map(struct os_device *os, u32 bar)
{
	return vnpu_bar_size(to_inproc(os)->vnpu, bar) ? 0 : -EINVAL;
}

static void bar_unmap(struct os_device *os, u32 bar)
{
	(void)os;
	(void)bar;
}

static u32 rd32(struct os_device *os, u32 bar, u32 off)
{
	return vnpu_bar_read32(to_inproc(os)->vnpu, bar, off);
}

static void wr32(struct os_device *os, u32 bar, u32 off, u32 val)
{
	vnpu_bar_write32(to_inproc(os)->vnpu, bar, off, val);
}

/* An access the model refuses is one a bus would not complete: all-ones. */
static u64 bar_rd(struct os_device *os, u32 bar, u32 off, u32 size)
{
	u64 val;

	return vnpu_bar_read(to_inproc(os)->vnpu, bar, off, size, &val) ? UINT64_MAX : val;
}

static void bar_wr(struct os_device *os, u32 bar, u32 off, u32 size, u64 val)
{
	(void)vnpu_bar_write(to_inproc(os)->vnpu, bar, off, size, val);
}

static u64 rd64(struct os_device *os, u32 bar, u32 off)
{
	return bar_rd(os, bar, off, 8);
}

static void wr64(struct os_device *os, u32 bar, u32 off, u64 val)
{
	bar_wr(os, bar, off, 8, val);
}

/*
 * DMA memory
 */

static int map(void *opaque, u64 addr, u64 len, void *cpu, int fd, u64 off)
{
	struct inproc *ip = opaque;

	(void)fd, (void)off;
	return vnpu_dma_map(ip->vnpu, addr, len, cpu, true);
}

static void unmap(void *opaque, u64 addr, u64 len)
{
	struct inproc *ip = opaque;

	(void)vnpu_dma_unmap(ip->vnpu, addr, len);
}

static int dma_alloc(struct os_device *os, u64 size, u64 align, enum os_cache cache, u32 addr_bits,
		     u32 how, struct os_dma *out)
{
	(void)cache; /* the model is part of this process: everything is coherent */
	return os_pool_alloc(&to_inproc(os)->pool, size, align, addr_bits, how, out);
}

static int dma_import(struct os_device *os, int fd, u64 size, u64 align, u32 addr_bits,
		      struct os_dma *out)
{
	return os_pool_import(&to_inproc(os)->pool, fd, size, align, addr_bits, out);
}

static void dma_free(struct os_device *os, struct os_dma *dma)
{
	os_pool_free(&to_inproc(os)->pool, dma);
}

/*
 * Interrupt
 */

/* Under the lock: the descriptor counts, once is enough. */
static void raise_event(struct inproc *ip)
{
	if (ip->listening && !ip->raised)
		ip->raised = eventfd_write(ip->event_fd, 1) == 0;
}

static void wake_sleepers(struct inproc *ip)
{
	pthread_mutex_lock(&ip->lock);
	pthread_cond_broadcast(&ip->cond);
	raise_event(ip);
	pthread_mutex_unlock(&ip->lock);
}

/* In whatever thread of the model, under its lock. */
static void on_msi(void *opaque, unsigned vector)
{
	struct inproc *ip = opaque;

	(void)vector;
	/* pairs with the load of events after the store of sleepers in sleep_until() */
	atomic_fetch_or(&ip->events, EVENT_IRQ);
	if (atomic_load(&ip->sleepers))
		wake_sleepers(ip);
}

static void on_finding(void *opaque, const struct vnpu_finding *finding)
{
	struct inproc *ip = opaque;

	if (ip->finding)
		ip->finding(ip->opaque, (enum os_inproc_class)finding->cls, finding->where,
			    finding->text);
}

static void on_trace(void *opaque, uint64_t time_ns, const char *line)
{
	struct inproc *ip = opaque;

	vnpu_trace_write(ip->trace, time_ns, line);
}

static int irq_setup(struct os_device *os)
{
	struct inproc *ip = to_inproc(os);
	int ret = os_msi_find(os, &ip->msi);

	if (!ret)
		ret = os_msi_enable(os, &ip->msi);
	atomic_fetch_and(&ip->events, ~EVENT_IRQ);
	return ret;
}

static void irq_teardown(struct os_device *os)
{
	struct inproc *ip = to_inproc(os);
	int ret = os_msi_disable(os, &ip->msi);

	(void)ret; /* an unplugged device interrupts no more */
	atomic_fetch_and(&ip->events, ~EVENT_IRQ);
}

static bool irq_ack(struct os_device *os)
{
	struct inproc *ip = to_inproc(os);

	/* the plain load first: the other is a bus transaction, and most calls find nothing */
	return atomic_load_explicit(&ip->events, memory_order_relaxed) & EVENT_IRQ &&
	       atomic_fetch_and(&ip->events, ~EVENT_IRQ) & EVENT_IRQ;
}

static void wmb(struct os_device *os)
{
	(void)os;
	atomic_thread_fence(memory_order_release);
}

static int reset(struct os_device *os)
{
	vnpu_reset(to_inproc(os)->vnpu);
	return 0;
}

/*
 * Time
 */

static u64 now_ns(struct os_device *os)
{
	return vnpu_now_ns(to_inproc(os)->vnpu);
}

static void delay_ns(struct os_device *os, u64 ns)
{
	struct inproc *ip = to_inproc(os);
	u64 end = vnpu_now_ns(ip->vnpu) + ns;

	if (ip->stepped) {
		vnpu_run_until(ip->vnpu, end);
		return;
	}
	while (vnpu_now_ns(ip->vnpu) < end)
		cpu_relax();
}

/* 0 or -EINTR when there is a reason to stop waiting. */
static int pending(struct inproc *ip)
{
	u32 events = atomic_load(&ip->events);

	if (!events)
		return -EAGAIN;
	if (events & EVENT_IRQ)
		return 0;
	return atomic_fetch_and(&ip->events, ~EVENT_WAKE) & EVENT_WAKE ? -EINTR : -EAGAIN;
}

/* From event to event of the model, until one of them interrupts. */
static inline int wait_stepped(struct inproc *ip, u64 until_ns)
{
	int ret;

	do
		ret = pending(ip);
	while (ret == -EAGAIN && vnpu_step(ip->vnpu, until_ns));
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

static int sleep_until(struct inproc *ip, u64 until_ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(until_ns / BASE_NS_PER_S),
				     .tv_nsec = (long)(until_ns % BASE_NS_PER_S) };
	bool forever = until_ns / BASE_NS_PER_S > INT32_MAX;
	int ret, err = 0;

	pthread_mutex_lock(&ip->lock);
	atomic_fetch_add(&ip->sleepers, 1);
	while ((ret = pending(ip)) == -EAGAIN && err != ETIMEDOUT) {
		if (forever)
			err = pthread_cond_wait(&ip->cond, &ip->lock);
		else
			err = pthread_cond_timedwait(&ip->cond, &ip->lock, &ts);
	}
	atomic_fetch_sub(&ip->sleepers, 1);
	pthread_mutex_unlock(&ip->lock);
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

static __attribute__((noinline)) int wait_threaded(struct inproc *ip, u64 until_ns)
{
	u64 start_ns = vnpu_now_ns(ip->vnpu);
	u64 spin_end = base_min(start_ns + SPIN_NS, until_ns);
	int ret;

	do {
		for (u32 i = 0; i < 16; i++) {
			ret = pending(ip);
			if (ret != -EAGAIN)
				return ret;
			cpu_relax();
		}
	} while (vnpu_now_ns(ip->vnpu) < spin_end);
	return sleep_until(ip, until_ns);
}

static int wait_irq(struct os_device *os, u64 until_ns)
{
	struct inproc *ip = to_inproc(os);

	return ip->stepped ? wait_stepped(ip, until_ns) : wait_threaded(ip, until_ns);
}

static void wake(struct os_device *os)
{
	struct inproc *ip = to_inproc(os);

	pthread_mutex_lock(&ip->lock);
	atomic_fetch_or(&ip->events, EVENT_WAKE);
	pthread_cond_broadcast(&ip->cond);
	raise_event(ip);
	pthread_mutex_unlock(&ip->lock);
}

static int event_source(struct os_device *os)
{
	struct inproc *ip = to_inproc(os);

	if (ip->stepped)
		return -EOPNOTSUPP; /* nothing happens while nobody waits */
	if (ip->event_fd < 0)
		ip->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return ip->event_fd < 0 ? -errno : ip->event_fd;
}

static void listen_events(struct os_device *os, bool on)
{
	struct inproc *ip = to_inproc(os);
	eventfd_t count;

	if (ip->event_fd < 0)
		return;
	pthread_mutex_lock(&ip->lock);
	ip->listening = on;
	if (on) {
		atomic_fetch_add(&ip->sleepers, 1);
		if (atomic_load(&ip->events))
			raise_event(ip);
	} else {
		atomic_fetch_sub(&ip->sleepers, 1);
		atomic_fetch_and(&ip->events, ~EVENT_WAKE);
		if (ip->raised)
			(void)!eventfd_read(ip->event_fd, &count);
		ip->raised = false;
	}
	pthread_mutex_unlock(&ip->lock);
}

static const struct os_ops ops = {
	.cfg_rd = cfg_rd,
	.cfg_wr = cfg_wr,
	.bar_info = bar_info,
	.bar_map = bar_map,
	.bar_unmap = bar_unmap,
	.rd32 = rd32,
	.wr32 = wr32,
	.rd64 = rd64,
	.wr64 = wr64,
	.bar_rd = bar_rd,
	.bar_wr = bar_wr,
	.dma_alloc = dma_alloc,
	.dma_import = dma_import,
	.dma_free = dma_free,
	.irq_setup = irq_setup,
	.irq_teardown = irq_teardown,
	.irq_ack = irq_ack,
	.wmb = wmb,
	.reset = reset,
	.now_ns = now_ns,
	.delay_ns = delay_ns,
	.wait = wait_irq,
	.wake = wake,
	.event_source = event_source,
	.listen = listen_events,
};

/*
 * Creation, and what tests ask
 */

static int init_sync(struct inproc *ip)
{
	pthread_condattr_t attr;
	int err = pthread_condattr_init(&attr);

	if (err)
		return -err;
	err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* the model's clock */
	if (!err)
		err = pthread_cond_init(&ip->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (err)
		return -err;
	err = pthread_mutex_init(&ip->lock, NULL);
	if (err)
		pthread_cond_destroy(&ip->cond);
	return -err;
}

static int create_vnpu(struct inproc *ip, const struct os_inproc_config *cfg, struct base_err *err)
{
	const struct vnpu_config vcfg = {
		.gen = cfg->gen,
		.device_id = cfg->device_id,
		.revision = cfg->revision,
		.mode = cfg->stepped ? VNPU_STEPPED : VNPU_THREADED,
		.seed = cfg->seed,
		.engine = cfg->engine,
		.engine_threads = cfg->engine_threads,
		.engine_strict = cfg->engine_strict,
		.opaque = ip,
		.msi = on_msi,
		.finding = on_finding,
		.trace = ip->trace ? on_trace : NULL,
	};
	char why[300] = "";
	int ret = vnpu_create(&vcfg, &ip->vnpu, why, sizeof(why));

	if (ret)
		return base_err_set(err, ret, "virtual NPU %s: %s", cfg->gen,
				    why[0] ? why : base_err_name(ret));
	if (ip->trace)
		vnpu_trace_head(ip->trace, ip->vnpu);
	return 0;
}

static int open_trace(struct inproc *ip, const char *path, struct base_err *err)
{
	if (!path)
		return 0;
	ip->trace = fopen(path, "we");
	if (!ip->trace)
		return base_err_set(err, -errno, "trace file %s: %s", path, strerror(errno));
	return 0;
}

static void close_trace(struct inproc *ip)
{
	if (ip->trace)
		fclose(ip->trace);
}

int os_inproc_create(const struct os_inproc_config *cfg, struct os_device **out,
		     struct base_err *err)
{
	struct inproc *ip = base_zalloc(sizeof(*ip));
	int ret;

	if (!ip)
		return base_err_set(err, -ENOMEM, "virtual NPU: no memory");
	ip->os.ops = &ops;
	ip->os.is_virtual = true;
	ip->event_fd = -1;
	snprintf(ip->os.location, sizeof(ip->os.location), "sim:%s", cfg->gen);
	ip->stepped = cfg->stepped;
	ip->pool = (struct os_pool){
		.map = map, .unmap = unmap, .opaque = ip, .scatter = cfg->scatter
	};
	ip->finding = cfg->finding;
	ip->opaque = cfg->opaque;
	ret = init_sync(ip);
	if (ret) {
		base_err_set(err, ret, "virtual NPU: no condition variable");
		goto err_free;
	}
	ret = open_trace(ip, cfg->trace, err);
	if (ret)
		goto err_fini_sync;
	ret = create_vnpu(ip, cfg, err);
	if (ret)
		goto err_close_trace;
	*out = &ip->os;
	return 0;

err_close_trace:
	close_trace(ip);
err_fini_sync:
	pthread_mutex_destroy(&ip->lock);
	pthread_cond_destroy(&ip->cond);
err_free:
	base_free(ip);
	return ret;
}

void os_inproc_destroy(struct os_device *os)
{
	struct inproc *ip = to_inproc(os);

	if (!os)
		return;
	os_pool_fini(&ip->pool);
	vnpu_destroy(ip->vnpu);
	close_trace(ip);
	if (ip->event_fd >= 0)
		close(ip->event_fd);
	pthread_mutex_destroy(&ip->lock);
	pthread_cond_destroy(&ip->cond);
	base_free(ip);
}

struct vnpu *os_inproc_vnpu(struct os_device *os)
{
	return to_inproc(os)->vnpu;
}

bool os_inproc_is_stepped(const struct os_device *os)
{
	return ((const struct inproc *)(const void *)os)->stepped;
}

u64 os_inproc_nr_findings(struct os_device *os, enum os_inproc_class cls)
{
	return vnpu_nr_findings(to_inproc(os)->vnpu, (enum vnpu_class)cls);
}

bool os_inproc_finding(struct os_device *os, u32 i, char *buf, size_t size)
{
	static const char *const names[] = { "guest error", "unspecified", "unimplemented",
					     "model bug" };
	struct vnpu_finding f;

	if (!vnpu_finding_text(to_inproc(os)->vnpu, i, &f))
		return false;
	snprintf(buf, size, "%s: %s: %s (at %" PRIu64 " ns)",
		 (size_t)f.cls < BASE_ARRAY_SIZE(names) ? names[f.cls] : "?", f.where, f.text,
		 f.time_ns);
	return true;
}

u64 os_inproc_trace_hash(struct os_device *os)
{
	return vnpu_trace_hash(to_inproc(os)->vnpu);
}

int os_inproc_fault(struct os_device *os, const char *name, u32 count)
{
	return vnpu_fault(to_inproc(os)->vnpu, name, count);
}

int os_inproc_fault_at(struct os_device *os, const char *name, u32 nth)
{
	return vnpu_fault_at(to_inproc(os)->vnpu, name, nth);
}

u32 os_inproc_fault_left(struct os_device *os, const char *name)
{
	return vnpu_fault_left(to_inproc(os)->vnpu, name);
}

void os_inproc_mark(struct os_device *os, const char *name)
{
	vnpu_trace_mark(to_inproc(os)->vnpu, name);
}

const char *os_inproc_fault_name(u32 i)
{
	return vnpu_fault_name(i);
}

u64 os_inproc_live_dma(const struct os_device *os)
{
	return ((const struct inproc *)(const void *)os)->pool.live;
}
