/* SPDX-License-Identifier: MIT */
/*
 * The channel to pcid, which owns the PCI function: requests and answers in bincode 1 (little-endian,
 * fixed width, nothing between fields; an enum is its number as u32).
 *
 * Thread: the daemon's.  Errors: 0 or a negative errno; @err gets the sentence; -EPROTO when pcid
 * answers something else than what was asked.
 *
 * SRC: base 9e128703 drivers/pcid/src/driver_interface/mod.rs; bytes checked with bincode 1.3.3.
 */
#ifndef OS_REDOX_CHANNEL_H
#define OS_REDOX_CHANNEL_H

#include "base/base.h"

#define CHANNEL_NR_BARS 6u

enum channel_feature { CHANNEL_MSI = 0, CHANNEL_MSIX = 1 };

struct channel_bar {
	u64 addr;
	u64 size; /* bytes; 0 = none, or I/O ports */
	bool is_64bit;
};

struct channel_function {
	u16 segment;
	u8 bus, device, function;
	u16 vendor_id, device_id;
	u8 class_code, subclass, interface, revision;
	struct channel_bar bar[CHANNEL_NR_BARS];
};

struct channel_msix {
	u8 table_bar;
	u32 table_off;
	u16 nr_entries;
};

/** channel_enable() - memory and I/O decoding, bus mastering. */
int channel_enable(size_t fd, struct base_err *err) BASE_WARN_UNUSED;
int channel_function(size_t fd, struct channel_function *out,
		     struct base_err *err) BASE_WARN_UNUSED;
/** channel_features() - @out: bit per enum channel_feature. */
int channel_features(size_t fd, u32 *out, struct base_err *err) BASE_WARN_UNUSED;
int channel_msix_info(size_t fd, struct channel_msix *out, struct base_err *err) BASE_WARN_UNUSED;
/** channel_set_msi() - one vector. */
int channel_set_msi(size_t fd, u64 addr, u32 data, struct base_err *err) BASE_WARN_UNUSED;
/** channel_enable_feature() - the other one is switched off. */
int channel_enable_feature(size_t fd, enum channel_feature feature,
			   struct base_err *err) BASE_WARN_UNUSED;
/** channel_cfg_rd(), channel_cfg_wr() - a dword of configuration space, @off a multiple of 4. */
int channel_cfg_rd(size_t fd, u32 off, u32 *out, struct base_err *err) BASE_WARN_UNUSED;
int channel_cfg_wr(size_t fd, u32 off, u32 val, struct base_err *err) BASE_WARN_UNUSED;

#endif
