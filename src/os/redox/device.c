// SPDX-License-Identifier: MIT
#include "os/redox/device.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "os/msi.h"
#include "os/redox/channel.h"
#include "os/redox/dma.h"
#include "os/redox/header.h"
#include "os/redox/irq.h"
#include "os/redox/mmio.h"
#include "os/redox/sys.h"
#include "regs/gen.h"

/* SRC: base 9e128703 drivers/pcid/src/scheme.rs: BAR and cache type in the offset. */
#define BAR_SHIFT  61u
#define TYPE_SHIFT 59u
#define TYPE_UC	   1u

#define D3HOT_TO_D0_MS 10u /* SRC: PCI power management 1.2, 5.6.1 */

/* SRC: PCI local bus 3.0, 6.8.2: an entry of the table of MSI-X. */
enum { MSIX_ADDR = 0, MSIX_ADDR_HIGH = 4, MSIX_DATA = 8, MSIX_CTRL = 12, MSIX_ENTRY = 16 };
enum { MSIX_MASKED = 1 };

struct redox {
	struct os_device os;
	size_t channel;
	struct channel_function fn;
	u8 *bar[CHANNEL_NR_BARS]; /* mapped; stays so: pcid maps it again each time, and never less */
	struct rx_header header;
	struct rx_memory memory;
	struct rx_irq irq;
	u32 features; /* bit per enum channel_feature */
	struct os_msi msi;
	struct channel_msix msix;
	bool woken;
};

static struct redox *to_redox(struct os_device *os)
{
	return (struct redox *)(void *)os;
}

/*
 * Configuration space: the channel knows dwords
 */

static int cfg_rd(struct os_device *os, u32 off, u32 size, u32 *val)
{
	u32 dword = 0;
	int ret = channel_cfg_rd(to_redox(os)->channel, off & ~3u, &dword, NULL);

	if (ret)
		return ret;
	dword >>= 8 * (off & 3);
	*val = size >= 4 ? dword : dword & (BASE_BIT(8 * size) - 1);
	return 0;
}

static int put_part(struct redox *rx, u32 off, u32 size, u32 val)
{
	u32 shift = 8 * (off & 3), mask = (BASE_BIT(8 * size) - 1) << shift, dword = 0;
	int ret = channel_cfg_rd(rx->channel, off & ~3u, &dword, NULL);

	if (ret)
		return ret;
	if ((off & ~3u) == PCI_COMMAND)
		dword &= 0xffff; /* a 1 written to the status clears what it tells */
	return channel_cfg_wr(rx->channel, off & ~3u, (dword & ~mask) | (val << shift & mask),
			      NULL);
}

static void delay_ns(struct os_device *os, u64 ns)
{
	u64 end = base_clock_ns() + ns;

	(void)os;
	while (base_clock_ns() < end)
		;
}

/* From D3hot to D0 a function may forget its header, and is not to be touched for a while. */
static int wake_function(struct redox *rx, u32 val)
{
	u32 old = 0, off = rx->header.pm_cap + PCI_PM_CTRL;
	int ret = cfg_rd(&rx->os, off, 2, &old);

	if (!ret)
		ret = put_part(rx, off, 2, val);
	if (ret || !(old & PCI_PM_STATE_MASK) || (val & PCI_PM_STATE_MASK))
		return ret;
	delay_ns(&rx->os, D3HOT_TO_D0_MS * BASE_NS_PER_MS);
	return rx_header_restore(&rx->header, &rx->os);
}

static int cfg_wr(struct os_device *os, u32 off, u32 size, u32 val)
{
	struct redox *rx = to_redox(os);

	if (rx->header.pm_cap && off == rx->header.pm_cap + PCI_PM_CTRL && size == 2)
		return wake_function(rx, val);
	return size >= 4 ? channel_cfg_wr(rx->channel, off, val, NULL)
			 : put_part(rx, off, size, val);
}

/*
 * BARs and registers
 */

static int bar_info(struct os_device *os, u32 bar, struct os_bar *out)
{
	const struct redox *rx = to_redox(os);

	if (bar >= CHANNEL_NR_BARS)
		return -EINVAL;
	/* prefetchable or not, pcid does not tell: registers are mapped uncached anyway */
	*out = (struct os_bar){ .size = rx->fn.bar[bar].size,
				.addr = rx->fn.bar[bar].addr,
				.is_64bit = rx->fn.bar[bar].is_64bit };
	return 0;
}

static int bar_map(struct os_device *os, u32 bar)
{
	struct redox *rx = to_redox(os);
	u64 off = (u64)bar << BAR_SHIFT | (u64)TYPE_UC << TYPE_SHIFT;
	void *at;
	int ret;

	if (bar >= CHANNEL_NR_BARS || !rx->fn.bar[bar].size)
		return -EINVAL;
	if (rx->bar[bar])
		return 0;
	ret = rx_map(NULL, base_align_up(rx->fn.bar[bar].size, BASE_PAGE_SIZE),
		     REDOX_PROT_READ | REDOX_PROT_WRITE, REDOX_MAP_SHARED, rx->channel, off, &at);
	if (!ret)
		rx->bar[bar] = at;
	return ret;
}

static void bar_unmap(struct os_device *os, u32 bar)
{
	(void)os;
	(void)bar;
}

static u32 rd32(struct os_device *os, u32 bar, u32 off)
{
	return mmio_rd32(to_redox(os)->bar[bar] + off);
}

static void wr32(struct os_device *os, u32 bar, u32 off, u32 val)
{
	mmio_wr32(to_redox(os)->bar[bar] + off, val);
}

static u64 rd64(struct os_device *os, u32 bar, u32 off)
{
	return mmio_rd64(to_redox(os)->bar[bar] + off);
}

static void wr64(struct os_device *os, u32 bar, u32 off, u64 val)
{
	mmio_wr64(to_redox(os)->bar[bar] + off, val);
}

static u64 bar_rd(struct os_device *os, u32 bar, u32 off, u32 size)
{
	const u8 *at = to_redox(os)->bar[bar] + off;

	switch (size) {
	case 1:
		return mmio_rd8(at);
	case 2:
		return mmio_rd16(at);
	case 4:
		return mmio_rd32(at);
	default:
		return mmio_rd64(at);
	}
}

static void bar_wr(struct os_device *os, u32 bar, u32 off, u32 size, u64 val)
{
	u8 *at = to_redox(os)->bar[bar] + off;

	switch (size) {
	case 1:
		mmio_wr8(at, (u8)val);
		break;
	case 2:
		mmio_wr16(at, (u16)val);
		break;
	case 4:
		mmio_wr32(at, (u32)val);
		break;
	default:
		mmio_wr64(at, val);
	}
}

/*
 * Memory
 */

static int dma_alloc(struct os_device *os, u64 size, u64 align, enum os_cache cache, u32 addr_bits,
		     u32 how, struct os_dma *out)
{
	return rx_dma_alloc(&to_redox(os)->memory, size, align, cache, addr_bits, how, out);
}

static void dma_free(struct os_device *os, struct os_dma *dma)
{
	(void)os;
	rx_dma_free(dma);
}

static void wmb(struct os_device *os)
{
	(void)os;
#ifdef __x86_64__
	__asm__ volatile("sfence" ::
				 : "memory"); /* write-combined memory keeps no order of its own */
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

/*
 * Interrupt
 */

static u8 *msix_entry(struct redox *rx)
{
	u8 *bar = rx->msix.table_bar < CHANNEL_NR_BARS ? rx->bar[rx->msix.table_bar] : NULL;

	return bar ? bar + rx->msix.table_off : NULL;
}

static int setup_msix(struct redox *rx)
{
	u8 *entry;
	int ret = bar_map(&rx->os, rx->msix.table_bar);

	if (ret)
		return ret;
	entry = msix_entry(rx);
	for (u32 i = 0; i < rx->msix.nr_entries; i++)
		mmio_wr32(entry + i * MSIX_ENTRY + MSIX_CTRL, MSIX_MASKED);
	mmio_wr32(entry + MSIX_ADDR, (u32)rx->irq.msg_addr);
	mmio_wr32(entry + MSIX_ADDR_HIGH, (u32)(rx->irq.msg_addr >> 32));
	mmio_wr32(entry + MSIX_DATA, rx->irq.msg_data);
	ret = channel_enable_feature(rx->channel, CHANNEL_MSIX, NULL);
	if (!ret)
		mmio_wr32(entry + MSIX_CTRL, 0);
	return ret;
}

static int irq_setup(struct os_device *os)
{
	struct redox *rx = to_redox(os);
	int ret;

	(void)rx_irq_take(&rx->irq);
	if (!(rx->features & BASE_BIT(CHANNEL_MSI)))
		return setup_msix(rx);
	ret = channel_set_msi(rx->channel, rx->irq.msg_addr, rx->irq.msg_data, NULL);
	return ret ? ret : channel_enable_feature(rx->channel, CHANNEL_MSI, NULL);
}

/* pcid has no request for it: by hand. */
static void irq_teardown(struct os_device *os)
{
	struct redox *rx = to_redox(os);

	if (!(rx->features & BASE_BIT(CHANNEL_MSI))) {
		if (msix_entry(rx))
			mmio_wr32(msix_entry(rx) + MSIX_CTRL, MSIX_MASKED);
	} else {
		(void)!os_msi_disable(os, &rx->msi);
	}
	(void)rx_irq_take(&rx->irq);
}

static bool irq_ack(struct os_device *os)
{
	return rx_irq_take(&to_redox(os)->irq);
}

static int reset(struct os_device *os)
{
	return rx_function_reset(&to_redox(os)->header, os);
}

/*
 * Time
 */

static u64 now_ns(struct os_device *os)
{
	(void)os;
	return base_clock_ns();
}

static int wait_irq(struct os_device *os, u64 until_ns)
{
	struct redox *rx = to_redox(os);

	if (rx->woken) {
		rx->woken = false;
		return -EINTR;
	}
	return rx_irq_wait(&rx->irq, until_ns);
}

static void wake(struct os_device *os)
{
	to_redox(os)->woken = true;
}

static int event_source(struct os_device *os)
{
	return (int)to_redox(os)->irq.fd;
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
};

/*
 * Creation
 */

/* Its numbers follow the order of pcid's source: a look at what cannot be otherwise. */
static int check_function(const struct channel_function *fn, struct base_err *err)
{
	if (fn->vendor_id != REG_PCI_VENDOR_INTEL)
		return base_err_set(
			err, -ENODEV,
			"pcid: the function is %04x:%04x, not one of Intel's; its match "
			"file is wrong, or this pcid is of another version",
			fn->vendor_id, fn->device_id);
	if (!fn->bar[0].size)
		return base_err_set(err, -ENODEV, "pcid: %04x:%04x has no BAR0", fn->vendor_id,
				    fn->device_id);
	return 0;
}

static int find_function(struct redox *rx, struct base_err *err)
{
	int ret = channel_enable(rx->channel, err);

	if (!ret)
		ret = channel_function(rx->channel, &rx->fn, err);
	if (!ret)
		ret = check_function(&rx->fn, err);
	if (ret)
		return ret;
	snprintf(rx->os.location, sizeof(rx->os.location), "%04x:%02x:%02x.%x", rx->fn.segment,
		 rx->fn.bus, rx->fn.device, rx->fn.function);
	ret = rx_header_save(&rx->header, &rx->os);
	if (ret)
		return base_err_set(err, ret, "%s: its configuration space cannot be read: %s",
				    rx->os.location, base_err_name(ret));
	return 0;
}

static int find_interrupt(struct redox *rx, struct base_err *err)
{
	int ret = channel_features(rx->channel, &rx->features, err);

	if (ret)
		return ret;
	if (!rx->features)
		return base_err_set(err, -ENODEV, "%s: has neither MSI nor MSI-X", rx->os.location);
	if (!(rx->features & BASE_BIT(CHANNEL_MSI)))
		ret = channel_msix_info(rx->channel, &rx->msix, err);
	else if (os_msi_find(&rx->os, &rx->msi))
		ret = base_err_set(err, -ENODEV, "%s: pcid tells of MSI, its list does not",
				   rx->os.location);
	return ret ? ret : rx_irq_open(&rx->irq, err);
}

int os_redox_create(size_t channel, struct os_device **out, struct base_err *err)
{
	struct redox *rx = base_zalloc(sizeof(*rx));
	int ret;

	if (!rx)
		return base_err_set(err, -ENOMEM, "no memory for a device");
	rx->os.ops = &ops;
	rx->channel = channel;
	ret = find_function(rx, err);
	if (ret)
		goto err_free;
	ret = rx_memory_open(&rx->memory, err);
	if (ret)
		goto err_free;
	ret = find_interrupt(rx, err);
	if (ret)
		goto err_memory;
	*out = &rx->os;
	return 0;

err_memory:
	rx_memory_close(&rx->memory);
err_free:
	base_free(rx);
	return ret;
}

void os_redox_destroy(struct os_device *os)
{
	struct redox *rx = to_redox(os);

	if (!os)
		return;
	for (u32 bar = 0; bar < CHANNEL_NR_BARS; bar++)
		if (rx->bar[bar])
			redox_munmap_v1(rx->bar[bar],
					base_align_up(rx->fn.bar[bar].size, BASE_PAGE_SIZE));
	rx_irq_close(&rx->irq);
	rx_memory_close(&rx->memory);
	redox_close_v1(rx->channel);
	base_free(rx);
}
