// SPDX-License-Identifier: MIT
/* What a reset takes away and who puts it back, on a configuration space that is made up. */
#include "header.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PM   0x40u
#define PCIE 0x70u

static struct {
	struct os_device os;
	u8 cfg[256];
	u8 after_reset[256];
	u32 nr_writes, nr_resets;
	u32 pending;	 /* reads of the device's status that say it is busy */
	u32 fail_access; /* this one from now fails */
	u64 time_ns, reset_ns;
} dev;

static bool fails(void)
{
	return dev.fail_access && !--dev.fail_access;
}

static int cfg_rd(struct os_device *os, u32 off, u32 size, u32 *val)
{
	(void)os;
	if (fails())
		return -EIO;
	*val = 0;
	memcpy(val, dev.cfg + off, size);
	if (off == PCIE + PCIE_DEVCTL && dev.pending) {
		dev.pending--;
		*val |= PCIE_DEVSTA_PENDING;
	}
	return 0;
}

static int cfg_wr(struct os_device *os, u32 off, u32 size, u32 val)
{
	(void)os;
	if (fails())
		return -EIO;
	dev.nr_writes++;
	if (off == PCIE + PCIE_DEVCTL && val & PCIE_DEVCTL_FLR) {
		assert_int_equal(size, 2); /* the status beside it is cleared by ones */
		dev.nr_resets++;
		dev.reset_ns = dev.time_ns;
		memcpy(dev.cfg, dev.after_reset, sizeof(dev.cfg));
		return 0;
	}
	memcpy(dev.cfg + off, &val, size);
	return 0;
}

static void delay_ns(struct os_device *os, u64 ns)
{
	(void)os;
	assert_true(ns <= 200 * BASE_NS_PER_US);
	dev.time_ns += ns;
}

static void put(u32 off, u32 val)
{
	memcpy(dev.cfg + off, &val, 4);
}

static void fresh(void)
{
	static const struct os_ops ops = { .cfg_rd = cfg_rd,
					   .cfg_wr = cfg_wr,
					   .delay_ns = delay_ns };

	memset(&dev, 0, sizeof(dev));
	dev.os.ops = &ops;
	put(PCI_ID, 0x7d1d8086);
	put(PCI_COMMAND, 0x00100006);
	put(PCI_LATENCY, 0x10);
	for (u32 i = 0; i < 6; i++)
		put(PCI_BAR0 + 4 * i, 0x50000004 + (i << 20));
	put(PCI_CAP_PTR, PM);
	put(PCI_LINE, 0x10b);
	put(PM, PCI_CAP_PM | PCIE << 8);
	put(PCIE, PCI_CAP_EXPRESS);
	put(PCIE + PCIE_DEVCAP, PCIE_DEVCAP_FLR);
	put(PCIE + PCIE_DEVCTL, 0x1234);
	memcpy(dev.after_reset, dev.cfg, sizeof(dev.cfg));
	memset(dev.after_reset + PCI_COMMAND, 0, 2);
	memset(dev.after_reset + PCI_BAR0, 0, 24);
	memset(dev.after_reset + PCI_LINE, 0, 4);
}

static struct rx_header hdr;

static void saved(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(rx_header_save(&hdr, &dev.os), 0);
	assert_memory_equal(hdr.dword, dev.cfg, PCI_HEADER_SIZE);
	assert_int_equal(hdr.pm_cap, PM);
	assert_int_equal(hdr.pcie_cap, PCIE);
	put(PCIE, PCI_CAP_EXPRESS | PM << 8); /* round in circles */
	put(PM, 0x09 | PCIE << 8);
	assert_int_equal(rx_header_save(&hdr, &dev.os), 0);
	assert_int_equal(hdr.pm_cap, 0);
	put(PCI_COMMAND, 6); /* there is no list */
	assert_int_equal(rx_header_save(&hdr, &dev.os), 0);
	assert_int_equal(hdr.pcie_cap, 0);
}

static void restored(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(rx_header_save(&hdr, &dev.os), 0);
	assert_int_equal(rx_header_restore(&hdr, &dev.os), 0);
	assert_int_equal(dev.nr_writes, 0); /* nothing was lost */
	memcpy(dev.cfg, dev.after_reset, sizeof(dev.cfg));
	assert_int_equal(rx_header_restore(&hdr, &dev.os), 0);
	assert_memory_equal(dev.cfg + PCI_BAR0, (u8 *)hdr.dword + PCI_BAR0, 24);
	assert_memory_equal(dev.cfg + PCI_LINE, (u8 *)hdr.dword + PCI_LINE, 4);
	assert_int_equal(dev.cfg[PCI_COMMAND], 0); /* that is the driver's */
}

static void reset(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(rx_header_save(&hdr, &dev.os), 0);
	dev.pending = 7;
	assert_int_equal(rx_function_reset(&hdr, &dev.os), 0);
	assert_int_equal(dev.nr_resets, 1);
	assert_in_range(dev.reset_ns, 7 * BASE_NS_PER_MS, 8 * BASE_NS_PER_MS);
	assert_true(dev.time_ns - dev.reset_ns >= 100 * BASE_NS_PER_MS);
	assert_memory_equal(dev.cfg + PCI_BAR0, (u8 *)hdr.dword + PCI_BAR0, 24);
	/* one that never gets quiet is reset all the same */
	fresh();
	dev.pending = UINT32_MAX;
	assert_int_equal(rx_function_reset(&hdr, &dev.os), 0);
	assert_in_range(dev.reset_ns, 100 * BASE_NS_PER_MS, 101 * BASE_NS_PER_MS);
}

static void cannot_be_reset(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(rx_header_save(&hdr, &dev.os), 0);
	put(PCIE + PCIE_DEVCAP, 0);
	assert_int_equal(rx_function_reset(&hdr, &dev.os), -EOPNOTSUPP);
	hdr.pcie_cap = 0;
	assert_int_equal(rx_function_reset(&hdr, &dev.os), -EOPNOTSUPP);
	assert_int_equal(dev.nr_writes, 0);
}

/* Whichever access fails: its error, and no further access. */
static void a_space_that_does_not_answer(void **state)
{
	u32 nth = 1;
	int ret;

	(void)state;
	do {
		fresh();
		dev.fail_access = nth;
		ret = rx_header_save(&hdr, &dev.os);
		assert_true(!ret || ret == -EIO);
	} while (ret && nth++ < 100);
	assert_in_range(nth, 20, 60);
	nth = 1;
	do {
		fresh();
		assert_int_equal(rx_header_save(&hdr, &dev.os), 0);
		dev.fail_access = nth;
		ret = rx_function_reset(&hdr, &dev.os);
		assert_true(!ret || ret == -EIO);
	} while (ret && nth++ < 100);
	assert_in_range(nth, 10, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved),
		cmocka_unit_test(restored),
		cmocka_unit_test(reset),
		cmocka_unit_test(cannot_be_reset),
		cmocka_unit_test(a_space_that_does_not_answer),
	};

	return cmocka_run_group_tests_name("redox header", tests, NULL, NULL);
}
