/* SPDX-License-Identifier: MIT */
/*
 * An interrupt vector of the boot CPU, and waiting for it.
 *
 * SRC: kernel 663e6641 src/scheme/irq.rs, src/scheme/event.rs; base 9e128703
 * drivers/pcid/src/driver_interface/irq_helpers.rs.
 */
#ifndef OS_REDOX_IRQ_H
#define OS_REDOX_IRQ_H

#include "base/base.h"

struct rx_irq {
	size_t fd;     /* of the vector; readable when it fired */
	size_t events; /* a queue that only this waits on */
	u64 msg_addr;  /* what the device writes, and where */
	u32 msg_data;
	bool fired; /* taken from the kernel, not by the driver */
};

/** rx_irq_open() - reserves a vector.  The kernel never gets it back: once for each process. */
int rx_irq_open(struct rx_irq *irq, struct base_err *err) BASE_WARN_UNUSED;
void rx_irq_close(struct rx_irq *irq);

/** rx_irq_take() - did it fire since the last call? */
bool rx_irq_take(struct rx_irq *irq);
/** rx_irq_wait() - until it fired, which the next rx_irq_take() tells (0), or @until_ns of
 * base_clock_ns() (-ETIMEDOUT; ~0 = never); -EINTR: a signal. */
int rx_irq_wait(struct rx_irq *irq, u64 until_ns) BASE_WARN_UNUSED;

#endif
