// SPDX-License-Identifier: MIT
#include "os/redox/irq.h"

#include <errno.h>
#include <string.h>

#include "os/redox/sys.h"

/* SRC: kernel src/arch/x86_shared/idt.rs: the vectors below are exceptions and legacy lines. */
#define FIRST_IRQ   16u
#define LAST_IRQ    222u
#define VECTOR_BASE 32u

/* SRC: Intel SDM volume 3, 11.11: message address and data of the local APIC. */
#define MSI_ADDR       0xfee00000u
#define MSI_APIC_SHIFT 12u

/* A blocking call ends no sooner than a tick of the kernel's timer; what is shorter is not slept. */
#define SLEEP_MIN_NS (2 * BASE_NS_PER_MS)

static int boot_cpu(u64 *out, struct base_err *err)
{
	u8 id[8];
	u64 val = 0;
	s64 fd = rx_open("/scheme/irq/bsp", REDOX_O_RDONLY), n;

	if (fd < 0)
		return base_err_set(err, (int)fd, "/scheme/irq/bsp: cannot be opened: %s",
				    base_err_name((int)fd));
	n = redox_result(redox_read_v1((size_t)fd, id, sizeof(id)));
	redox_close_v1((size_t)fd);
	if (n != sizeof(id))
		return base_err_set(err, n < 0 ? (int)n : -EPROTO,
				    "/scheme/irq/bsp: %lld of 8 bytes read", (long long)n);
	for (size_t i = 0; i < sizeof(id); i++)
		val |= (u64)id[i] << (8 * i);
	*out = val;
	return 0;
}

/* The first vector nobody has.  One of a daemon that is gone stays taken. */
static int reserve(struct rx_irq *irq, u64 cpu, struct base_err *err)
{
	for (u32 n = FIRST_IRQ; n <= LAST_IRQ; n++) {
		char path[64];
		s64 fd;

		snprintf(path, sizeof(path), "/scheme/irq/cpu-%02llx/%u", (unsigned long long)cpu,
			 n);
		fd = rx_open(path, REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_NONBLOCK);
		if (fd == -EEXIST)
			continue;
		if (fd < 0)
			return base_err_set(err, (int)fd, "%s: cannot be reserved: %s", path,
					    base_err_name((int)fd));
		irq->fd = (size_t)fd;
		irq->msg_addr = MSI_ADDR | cpu << MSI_APIC_SHIFT;
		irq->msg_data = n + VECTOR_BASE;
		return 0;
	}
	return base_err_set(err, -ENOSPC,
			    "/scheme/irq/cpu-%02llx: no vector is left; they come back only with a "
			    "restart of the machine",
			    (unsigned long long)cpu);
}

int rx_irq_open(struct rx_irq *irq, struct base_err *err)
{
	u64 cpu = 0;
	int ret = boot_cpu(&cpu, err);

	*irq = (struct rx_irq){ .fired = false };
	if (ret)
		return ret;
	ret = rx_events_open(&irq->events);
	if (ret)
		return base_err_set(err, ret, "/scheme/event: cannot be opened: %s",
				    base_err_name(ret));
	ret = reserve(irq, cpu, err);
	if (ret)
		goto err_queue;
	ret = rx_events_set(irq->events, irq->fd, REDOX_EVENT_READ, 0);
	if (ret) {
		base_err_set(err, ret, "/scheme/event: interrupts cannot be waited for: %s",
			     base_err_name(ret));
		goto err_irq;
	}
	return 0;

err_irq:
	redox_close_v1(irq->fd);
err_queue:
	redox_close_v1(irq->events);
	return ret;
}

void rx_irq_close(struct rx_irq *irq)
{
	redox_close_v1(irq->fd);
	redox_close_v1(irq->events);
}

/* A read never blocks; what it gives is written back, so that the next one tells of later ones. */
static bool fetch(struct rx_irq *irq)
{
	u8 count[8];

	if (redox_result(redox_read_v1(irq->fd, count, sizeof(count))) != sizeof(count))
		return false;
	redox_write_v1(irq->fd, count, sizeof(count));
	return true;
}

bool rx_irq_take(struct rx_irq *irq)
{
	bool fired = fetch(irq) || irq->fired;

	irq->fired = false;
	return fired;
}

int rx_irq_wait(struct rx_irq *irq, u64 until_ns)
{
	for (;;) {
		u64 now = base_clock_ns();
		struct redox_event event; /* what it is shows elsewhere */
		int ret;

		irq->fired |= fetch(irq);
		if (irq->fired)
			return 0;
		if (now >= until_ns)
			return -ETIMEDOUT;
		if (until_ns - now < SLEEP_MIN_NS)
			continue;
		ret = rx_events_wait(irq->events,
				     until_ns == RX_FOREVER ? RX_FOREVER : until_ns - now, &event,
				     1);
		if (ret < 0)
			return ret;
	}
}
