// SPDX-License-Identifier: MIT
/* A seam that goes wrong on demand (faulty.h). */
#include "os/faulty.h"

#include <errno.h>
#include <stdarg.h>

struct faulty {
	struct os_device os;
	struct os_device *inner;
	u64 calls;
	u64 fail_at; /* number of the call that goes wrong; 0 = none */
	bool sticky;
	char fired[48];
	struct {
		u32 bar, off, skip;
		u64 mask, val;
	} force;
	struct os_faulty_stats stats;
	void (*watch)(void *opaque, const struct os_faulty_access *access);
	void *watch_opaque;
};

static struct faulty *to_faulty(struct os_device *os)
{
	return (struct faulty *)(void *)os;
}

/* Number this call; true when it is the one. */
static bool trips(struct faulty *f)
{
	u64 n = ++f->calls;

	return f->fail_at && (n == f->fail_at || (f->sticky && n > f->fail_at));
}

__attribute__((format(printf, 2, 3))) static bool fired(struct faulty *f, const char *fmt, ...)
{
	va_list ap;

	if (!f->fired[0]) {
		va_start(ap, fmt);
		vsnprintf(f->fired, sizeof(f->fired), fmt, ap);
		va_end(ap);
	}
	return true;
}

static int cfg_rd(struct os_device *os, u32 off, u32 size, u32 *val)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "cfg_rd 0x%x", off))
		return -EIO;
	return f->inner->ops->cfg_rd(f->inner, off, size, val);
}

static int cfg_wr(struct os_device *os, u32 off, u32 size, u32 val)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "cfg_wr 0x%x", off))
		return -EIO;
	return f->inner->ops->cfg_wr(f->inner, off, size, val);
}

static int bar_info(struct os_device *os, u32 bar, struct os_bar *out)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "bar_info %u", bar))
		return -EIO;
	return f->inner->ops->bar_info(f->inner, bar, out);
}

static int bar_map(struct os_device *os, u32 bar)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "bar_map %u", bar))
		return -ENOMEM;
	return f->inner->ops->bar_map(f->inner, bar);
}

static void bar_unmap(struct os_device *os, u32 bar)
{
	struct os_device *inner = to_faulty(os)->inner;

	inner->ops->bar_unmap(inner, bar);
}

static u64 forced(struct faulty *f, u32 bar, u32 off, u64 val)
{
	if (!f->force.mask || f->force.bar != bar || f->force.off != off)
		return val;
	if (f->force.skip) {
		f->force.skip--;
		return val;
	}
	return (val & ~f->force.mask) | (f->force.val & f->force.mask);
}

static void tell(struct faulty *f, bool is_write, u8 bytes, u32 bar, u32 off, u64 val)
{
	const struct os_faulty_access access = {
		.is_write = is_write, .bytes = bytes, .bar = bar, .off = off, .val = val
	};

	if (f->watch)
		f->watch(f->watch_opaque, &access);
}

static u32 rd32(struct os_device *os, u32 bar, u32 off)
{
	struct faulty *f = to_faulty(os);
	u32 val = UINT32_MAX;

	f->stats.rd++;
	if (!(trips(f) && fired(f, "rd32 BAR%u+0x%x", bar, off)))
		val = (u32)forced(f, bar, off, f->inner->ops->rd32(f->inner, bar, off));
	tell(f, false, 4, bar, off, val);
	return val;
}

static u64 rd64(struct os_device *os, u32 bar, u32 off)
{
	struct faulty *f = to_faulty(os);
	u64 val = UINT64_MAX;

	f->stats.rd++;
	if (!(trips(f) && fired(f, "rd64 BAR%u+0x%x", bar, off)))
		val = forced(f, bar, off, f->inner->ops->rd64(f->inner, bar, off));
	tell(f, false, 8, bar, off, val);
	return val;
}

static void wr32(struct os_device *os, u32 bar, u32 off, u32 val)
{
	struct faulty *f = to_faulty(os);

	f->stats.wr++;
	if (!(trips(f) && fired(f, "wr32 BAR%u+0x%x", bar, off)))
		f->inner->ops->wr32(f->inner, bar, off, val);
	tell(f, true, 4, bar, off, val);
}

static void wr64(struct os_device *os, u32 bar, u32 off, u64 val)
{
	struct faulty *f = to_faulty(os);

	f->stats.wr++;
	if (!(trips(f) && fired(f, "wr64 BAR%u+0x%x", bar, off)))
		f->inner->ops->wr64(f->inner, bar, off, val);
	tell(f, true, 8, bar, off, val);
}

/* Not the driver's, so never in the way of a fault. */
static u64 bar_rd(struct os_device *os, u32 bar, u32 off, u32 size)
{
	struct os_device *inner = to_faulty(os)->inner;

	return inner->ops->bar_rd(inner, bar, off, size);
}

static void bar_wr(struct os_device *os, u32 bar, u32 off, u32 size, u64 val)
{
	struct os_device *inner = to_faulty(os)->inner;

	inner->ops->bar_wr(inner, bar, off, size, val);
}

static int dma_alloc(struct os_device *os, u64 size, u64 align, enum os_cache cache, u32 addr_bits,
		     u32 how, struct os_dma *out)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "dma_alloc %llu", (unsigned long long)size))
		return -ENOMEM;
	return f->inner->ops->dma_alloc(f->inner, size, align, cache, addr_bits, how, out);
}

static int dma_import(struct os_device *os, int fd, u64 size, u64 align, u32 addr_bits,
		      struct os_dma *out)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "dma_import %llu", (unsigned long long)size))
		return -ENOMEM;
	return f->inner->ops->dma_import(f->inner, fd, size, align, addr_bits, out);
}

static void dma_free(struct os_device *os, struct os_dma *dma)
{
	struct os_device *inner = to_faulty(os)->inner;

	inner->ops->dma_free(inner, dma);
}

static int irq_setup(struct os_device *os)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "irq_setup"))
		return -EIO;
	return f->inner->ops->irq_setup(f->inner);
}

static void irq_teardown(struct os_device *os)
{
	struct os_device *inner = to_faulty(os)->inner;

	inner->ops->irq_teardown(inner);
}

/* A lost interrupt is one that was there: a call that finds none is not numbered. */
static bool irq_ack(struct os_device *os)
{
	struct faulty *f = to_faulty(os);

	if (!f->inner->ops->irq_ack(f->inner))
		return false;
	return !(trips(f) && fired(f, "irq_ack"));
}

static void wmb(struct os_device *os)
{
	struct os_device *inner = to_faulty(os)->inner;

	inner->ops->wmb(inner);
}

static int reset(struct os_device *os)
{
	struct faulty *f = to_faulty(os);

	if (trips(f) && fired(f, "reset"))
		return -EIO;
	return f->inner->ops->reset(f->inner);
}

static u64 now_ns(struct os_device *os)
{
	struct os_device *inner = to_faulty(os)->inner;

	return inner->ops->now_ns(inner);
}

static void delay_ns(struct os_device *os, u64 ns)
{
	struct faulty *f = to_faulty(os);

	f->inner->ops->delay_ns(f->inner, ns);
	tell(f, true, 0, 0, 0, ns);
}

static int wait_irq(struct os_device *os, u64 until_ns)
{
	struct faulty *f = to_faulty(os);

	/* once only, even when sticky: a wait that never waits stops a virtual clock */
	if (trips(f) && f->calls == f->fail_at && fired(f, "wait"))
		return -EINTR;
	return f->inner->ops->wait(f->inner, until_ns);
}

static void wake(struct os_device *os)
{
	struct os_device *inner = to_faulty(os)->inner;

	inner->ops->wake(inner);
}

static int event_source(struct os_device *os)
{
	struct os_device *inner = to_faulty(os)->inner;

	return inner->ops->event_source(inner);
}

static void listen_events(struct os_device *os, bool on)
{
	struct os_device *inner = to_faulty(os)->inner;

	if (inner->ops->listen)
		inner->ops->listen(inner, on);
}

static void event(struct os_device *os)
{
	struct os_device *inner = to_faulty(os)->inner;

	if (inner->ops->event)
		inner->ops->event(inner);
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
	.event = event,
};

int os_faulty_create(struct os_device *inner, struct os_device **out)
{
	struct faulty *f = base_zalloc(sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->os = *inner;
	f->os.ops = &ops;
	f->inner = inner;
	*out = &f->os;
	return 0;
}

void os_faulty_destroy(struct os_device *os)
{
	base_free(os);
}

void os_faulty_arm(struct os_device *os, u64 nth, bool sticky)
{
	struct faulty *f = to_faulty(os);

	f->fail_at = nth ? f->calls + nth : 0;
	f->sticky = sticky;
	f->fired[0] = '\0';
}

u64 os_faulty_calls(const struct os_device *os)
{
	return ((const struct faulty *)(const void *)os)->calls;
}

const char *os_faulty_fired(const struct os_device *os)
{
	const struct faulty *f = (const void *)os;

	return f->fired[0] ? f->fired : NULL;
}

void os_faulty_force(struct os_device *os, u32 bar, u32 off, u64 mask, u64 val, u32 skip)
{
	struct faulty *f = to_faulty(os);

	f->force.bar = bar;
	f->force.off = off;
	f->force.mask = mask;
	f->force.val = val;
	f->force.skip = skip;
}

void os_faulty_watch(struct os_device *os,
		     void (*fn)(void *opaque, const struct os_faulty_access *access), void *opaque)
{
	struct faulty *f = to_faulty(os);

	f->watch = fn;
	f->watch_opaque = opaque;
}

void os_faulty_get_stats(const struct os_device *os, struct os_faulty_stats *out)
{
	*out = ((const struct faulty *)(const void *)os)->stats;
}
