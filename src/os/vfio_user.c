// SPDX-License-Identifier: MIT
/*
 * The seam over a vfio-user socket (vfio_user.h).
 *
 * Registers: reads wait for their answer; writes to BARs are posted, as on a bus, and keep their
 * order with the reads behind them.
 *
 * Memory: the pool's files, which the server maps too.
 *
 * Interrupts: an eventfd the server adds to.  A loop that watches it tells of each addition: then it
 * is not read at all, and counts up for ever.
 */
#include "os/vfio_user.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "os/msi.h"
#include "os/pool.h"
#include "regs/pci.h"
#include "vfu/client.h"

enum { BAR_TYPE = 6, BAR_64BIT = 4, BAR_PREFETCH = 8, NR_BARS = 6 };

/* Memory the server asks for by message. */
struct piece {
	u64 addr, len;
	u8 *cpu;
	struct piece *next;
};

/* Has irq_fd counted? */
enum irq {
	IRQ_ASK, /* read it */
	IRQ_NONE,
	IRQ_TOLD,
};

struct vfio_user {
	struct os_device os;
	struct vfu_client *client;
	struct os_msi msi;
	int irq_fd, wake_fd;  /* eventfds */
	_Atomic enum irq irq; /* one thread waits, another looks */
	struct os_pool pool;
	struct os_vfio_user_peer peer; /* turn NULL: somewhere else */
	struct os_ops peer_ops;	       /* ops, with its clock */
	bool by_message;
	struct piece *pieces; /* what was mapped so */
};

static struct vfio_user *to_vu(struct os_device *os)
{
	return (struct vfio_user *)(void *)os;
}

/*
 * Configuration space and registers
 */

static int cfg_rd(struct os_device *os, u32 off, u32 size, u32 *val)
{
	u32 got = 0;
	int ret = vfu_client_read(to_vu(os)->client, VFU_REGION_CONFIG, off, &got,
				  base_min(size, 4u));

	if (!ret)
		*val = got;
	return ret;
}

static int cfg_wr(struct os_device *os, u32 off, u32 size, u32 val)
{
	return vfu_client_write(to_vu(os)->client, VFU_REGION_CONFIG, off, &val, base_min(size, 4u),
				false);
}

static int bar_info(struct os_device *os, u32 bar, struct os_bar *out)
{
	u32 low = 0;
	int ret;

	*out = (struct os_bar){ 0 };
	if (bar >= NR_BARS)
		return -EINVAL;
	ret = vfu_client_region_size(to_vu(os)->client, VFU_REGION_BAR0 + bar, &out->size);
	if (ret || !out->size)
		return ret;
	ret = cfg_rd(os, PCI_BAR0 + 4 * bar, 4, &low);
	out->is_64bit = (low & BAR_TYPE) == BAR_64BIT;
	out->prefetchable = (low & BAR_PREFETCH) != 0;
	return ret;
}

static int bar_map(struct os_device *os, u32 bar)
{
	struct os_bar info;
	int ret = bar_info(os, bar, &info);

	return ret ? ret : info.size ? 0 : -EINVAL;
}

static void bar_unmap(struct os_device *os, u32 bar)
{
	(void)os;
	(void)bar;
}

/* An access the server refuses, or cannot answer any more, is one a bus would not complete. */
static u32 rd32(struct os_device *os, u32 bar, u32 off)
{
	u32 val;

	return vfu_client_read(to_vu(os)->client, bar, off, &val, sizeof(val)) ? UINT32_MAX : val;
}

static u64 rd64(struct os_device *os, u32 bar, u32 off)
{
	u64 val;

	return vfu_client_read(to_vu(os)->client, bar, off, &val, sizeof(val)) ? UINT64_MAX : val;
}

static void wr32(struct os_device *os, u32 bar, u32 off, u32 val)
{
	int ret = vfu_client_write(to_vu(os)->client, bar, off, &val, sizeof(val), true);

	(void)ret; /* the next read tells */
}

static void wr64(struct os_device *os, u32 bar, u32 off, u64 val)
{
	int ret = vfu_client_write(to_vu(os)->client, bar, off, &val, sizeof(val), true);

	(void)ret; /* the next read tells */
}

static u64 bar_rd(struct os_device *os, u32 bar, u32 off, u32 size)
{
	u64 val = 0;

	return vfu_client_read(to_vu(os)->client, bar, off, &val, size) ? UINT64_MAX : val;
}

static void bar_wr(struct os_device *os, u32 bar, u32 off, u32 size, u64 val)
{
	int ret = vfu_client_write(to_vu(os)->client, bar, off, &val, size, true);

	(void)ret; /* the next read tells */
}

/*
 * DMA memory
 */

static void *piece_at(void *opaque, u64 addr, u64 len)
{
	const struct vfio_user *vu = opaque;

	for (const struct piece *p = vu->pieces; p; p = p->next)
		if (addr >= p->addr && base_range_ok(addr - p->addr, len, p->len))
			return p->cpu + (addr - p->addr);
	return NULL;
}

static int map_by_message(struct vfio_user *vu, u64 addr, u64 len, void *cpu)
{
	struct piece *p = base_zalloc(sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	*p = (struct piece){ .addr = addr, .len = len, .cpu = cpu, .next = vu->pieces };
	vu->pieces = p;
	ret = vfu_client_dma_map(vu->client, addr, len, -1, 0);
	if (!ret)
		return 0;
	vu->pieces = p->next;
	base_free(p);
	return ret;
}

static void forget_piece(struct vfio_user *vu, u64 addr)
{
	struct piece **at = &vu->pieces, *p;

	while (*at && (*at)->addr != addr)
		at = &(*at)->next;
	p = *at;
	if (p)
		*at = p->next;
	base_free(p);
}

static int map(void *opaque, u64 addr, u64 len, void *cpu, int fd, u64 off)
{
	struct vfio_user *vu = opaque;

	if (vu->by_message)
		return map_by_message(vu, addr, len, cpu);
	return vfu_client_dma_map(vu->client, addr, len, fd, off);
}

/* The pool unmaps our side next; a server that has gone has unmapped its own. */
static void unmap(void *opaque, u64 addr, u64 len)
{
	struct vfio_user *vu = opaque;
	int ret = vfu_client_dma_unmap(vu->client, addr, len);

	(void)ret;
	forget_piece(vu, addr);
}

static int dma_alloc(struct os_device *os, u64 size, u64 align, enum os_cache cache, u32 addr_bits,
		     u32 how, struct os_dma *out)
{
	(void)cache; /* both sides are processes: everything is coherent */
	return os_pool_alloc(&to_vu(os)->pool, size, align, addr_bits, how, out);
}

static int dma_import(struct os_device *os, int fd, u64 size, u64 align, u32 addr_bits,
		      struct os_dma *out)
{
	return os_pool_import(&to_vu(os)->pool, fd, size, align, addr_bits, out);
}

static void dma_free(struct os_device *os, struct os_dma *dma)
{
	os_pool_free(&to_vu(os)->pool, dma);
}

/*
 * Interrupt
 */

/* Takes what the eventfd counted: did it count anything? */
static bool drain(int fd)
{
	u64 count;

	return read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

/* Was an interrupt told of?  It is taken. */
static bool told(struct vfio_user *vu)
{
	enum irq was = IRQ_TOLD;

	return atomic_compare_exchange_strong(&vu->irq, &was, IRQ_NONE);
}

/* The message itself goes to the eventfd; what the device has in its registers is for show. */
static int irq_setup(struct os_device *os)
{
	struct vfio_user *vu = to_vu(os);
	int ret = os_msi_find(os, &vu->msi);

	if (ret)
		return ret;
	(void)drain(vu->irq_fd);
	(void)told(vu);
	ret = vfu_client_irq(vu->client, VFU_IRQ_MSI, vu->irq_fd);
	return ret ? ret : os_msi_enable(os, &vu->msi);
}

static void irq_teardown(struct os_device *os)
{
	struct vfio_user *vu = to_vu(os);
	int ret = os_msi_disable(os, &vu->msi);

	if (!ret)
		ret = vfu_client_irq(vu->client, VFU_IRQ_MSI, -1);
	(void)ret; /* a server that has gone interrupts no more */
	(void)drain(vu->irq_fd);
}

static bool interrupted(struct vfio_user *vu)
{
	return vu->irq == IRQ_ASK ? drain(vu->irq_fd) : told(vu);
}

/* A driver that polls and never waits must still let the device at its memory. */
static bool irq_ack(struct os_device *os)
{
	struct vfio_user *vu = to_vu(os);
	int ret = vu->by_message ? vfu_client_poll(vu->client) : 0;

	(void)ret; /* a server that has gone shows in the next register */
	return interrupted(vu);
}

static void wmb(struct os_device *os)
{
	(void)os;
	atomic_thread_fence(memory_order_release);
}

static int reset(struct os_device *os)
{
	return vfu_client_reset(to_vu(os)->client);
}

/*
 * Time
 */

static u64 now_ns(struct os_device *os)
{
	(void)os;
	return base_clock_ns();
}

static void delay_ns(struct os_device *os, u64 ns)
{
	u64 end = base_clock_ns() + ns;

	(void)os;
	while (base_clock_ns() < end)
		;
}

/* How long to sleep; NULL: for ever. */
static const struct timespec *remaining(u64 until_ns, struct timespec *ts)
{
	u64 now = base_clock_ns(), ns = until_ns > now ? until_ns - now : 0;

	if (ns / BASE_NS_PER_S > INT32_MAX)
		return NULL;
	ts->tv_sec = (time_t)(ns / BASE_NS_PER_S);
	ts->tv_nsec = (long)(ns % BASE_NS_PER_S);
	return ts;
}

static void add(int fd)
{
	const u64 one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n; /* a full counter is readable as well */
}

/* The server asked for something; was it that, and is it still there? */
static bool serve_memory(struct vfio_user *vu)
{
	return !vfu_client_poll(vu->client);
}

/* A server that hangs up interrupts for the last time: the driver looks, and sees all-ones. */
static int wait_irq(struct os_device *os, u64 until_ns)
{
	struct vfio_user *vu = to_vu(os);
	struct pollfd fds[] = { { .fd = vu->irq_fd, .events = POLLIN },
				{ .fd = vu->wake_fd, .events = POLLIN },
				{ .fd = vfu_client_fd(vu->client),
				  .events = vu->by_message ? POLLIN | POLLRDHUP : POLLRDHUP } };
	struct timespec ts;
	int n;

	vu->irq = IRQ_ASK;
	do
		n = ppoll(fds, BASE_ARRAY_SIZE(fds), remaining(until_ns, &ts), NULL);
	while ((n < 0 && errno == EINTR) || (n > 0 && !fds[0].revents && !fds[1].revents &&
					     fds[2].revents == POLLIN && serve_memory(vu)));
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	if (fds[0].revents)
		return 0;
	if (fds[1].revents) {
		(void)drain(vu->wake_fd);
		return -EINTR;
	}
	add(vu->irq_fd);
	return 0;
}

/*
 * Time that the server in this thread has: it goes on while we wait
 */

static u64 peer_now_ns(struct os_device *os)
{
	const struct os_vfio_user_peer *peer = &to_vu(os)->peer;

	return peer->now_ns(peer->opaque);
}

static void peer_delay_ns(struct os_device *os, u64 ns)
{
	const struct os_vfio_user_peer *peer = &to_vu(os)->peer;
	u64 end = peer->now_ns(peer->opaque) + ns;

	while (peer->step(peer->opaque, end))
		;
}

static int peer_wait_irq(struct os_device *os, u64 until_ns)
{
	const struct os_vfio_user_peer *peer = &to_vu(os)->peer;
	int ret;

	do
		ret = wait_irq(os, 0);
	while (ret == -ETIMEDOUT && peer->step(peer->opaque, until_ns));
	return ret;
}

static void wake(struct os_device *os)
{
	add(to_vu(os)->wake_fd);
}

static int event_source(struct os_device *os)
{
	return to_vu(os)->irq_fd;
}

static void listen_events(struct os_device *os, bool on)
{
	enum irq ask = IRQ_ASK;

	if (on)
		atomic_compare_exchange_strong(&to_vu(os)->irq, &ask, IRQ_NONE);
}

static void event(struct os_device *os)
{
	to_vu(os)->irq = IRQ_TOLD;
}

static int no_event_source(struct os_device *os)
{
	(void)os;
	return -EOPNOTSUPP;
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

/*
 * Creation
 */

static int open_events(struct vfio_user *vu)
{
	int ret;

	vu->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vu->irq_fd < 0)
		return -errno;
	vu->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vu->wake_fd >= 0)
		return 0;
	ret = -errno;
	close(vu->irq_fd);
	return ret;
}

/* All but the connection. */
static int create(const char *where, struct vfio_user **out, struct base_err *err)
{
	struct vfio_user *vu = base_zalloc(sizeof(*vu));
	int ret;

	if (!vu)
		return base_err_set(err, -ENOMEM, "vfio-user: no memory");
	vu->os.ops = &ops;
	vu->os.is_virtual = true; /* a program answers: it may have our own firmware image */
	snprintf(vu->os.location, sizeof(vu->os.location), "vfio-user:%s", where);
	vu->pool = (struct os_pool){ .map = map, .unmap = unmap, .opaque = vu, .by_fd = true };
	ret = open_events(vu);
	if (ret) {
		base_free(vu);
		return base_err_set(err, ret, "vfio-user: no eventfd: %s", strerror(-ret));
	}
	*out = vu;
	return 0;
}

static int finish(struct vfio_user *vu, int ret, struct os_device **out, struct base_err *err)
{
	if (!ret) {
		*out = &vu->os;
		return 0;
	}
	base_err_prefix(err, "vfio-user");
	close(vu->wake_fd);
	close(vu->irq_fd);
	base_free(vu);
	return ret;
}

int os_vfio_user_create(const char *path, struct os_device **out, struct base_err *err)
{
	struct vfio_user *vu = NULL;
	int ret = create(path, &vu, err);

	if (ret)
		return ret;
	return finish(vu, vfu_client_open(path, &vu->client, err), out, err);
}

int os_vfio_user_attach(int fd, const struct os_vfio_user_peer *peer, struct os_device **out,
			struct base_err *err)
{
	const struct vfu_client_peer turn = { .turn = peer->turn, .opaque = peer->opaque };
	struct vfio_user *vu = NULL;
	int ret = create("(this thread)", &vu, err);

	if (ret) {
		close(fd);
		return ret;
	}
	vu->peer = *peer;
	vu->peer_ops = ops;
	vu->peer_ops.now_ns = peer_now_ns;
	vu->peer_ops.delay_ns = peer_delay_ns;
	vu->peer_ops.wait = peer_wait_irq;
	vu->peer_ops.event_source = no_event_source; /* nothing happens while nobody waits */
	vu->os.ops = &vu->peer_ops;
	vu->pool.scatter = peer->scatter;
	return finish(vu, vfu_client_attach(fd, &turn, &vu->client, err), out, err);
}

void os_vfio_user_destroy(struct os_device *os)
{
	struct vfio_user *vu = to_vu(os);

	if (!os)
		return;
	os_pool_fini(&vu->pool);
	vfu_client_close(vu->client);
	close(vu->wake_fd);
	close(vu->irq_fd);
	base_free(vu);
}

void os_vfio_user_by_message(struct os_device *os)
{
	struct vfio_user *vu = to_vu(os);

	vu->by_message = true;
	vu->pool.by_fd = false;
	vfu_client_serve_memory(vu->client, piece_at, vu);
}

u64 os_vfio_user_live_dma(const struct os_device *os)
{
	return ((const struct vfio_user *)(const void *)os)->pool.live;
}
