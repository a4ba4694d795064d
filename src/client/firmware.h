/* SPDX-License-Identifier: MIT */
/* Firmware files without a device: which generation takes one, and the project's own. */
#ifndef CLIENT_FIRMWARE_H
#define CLIENT_FIRMWARE_H

#include "driver/driver.h"

#define CLIENT_FW_MAX_GENS 8u

/* What one generation's driver says of a file. */
struct client_fw_fit {
	const char *gen, *product;
	bool fits;
	bool alien;	      /* its images are of another format than the file */
	bool named;	      /* its maker's text says that it is this generation's */
	char why[DRV_FW_WHY]; /* it does not fit, or a warning */
};

/** client_fw_fit() - the @idx-th generation's verdict; false behind the last one */
bool client_fw_fit(u32 idx, const void *file, size_t size, struct client_fw_fit *out);

/**
 * client_fw_make() - the image that is built in, for generation @gen
 * @hws: with the version from which on Linux schedules in hardware
 * @out: free with base_free()
 *
 * Return: 0, -EINVAL (no such generation; @err lists them), -ENOMEM.
 */
int client_fw_make(const char *gen, bool hws, void **out, size_t *size,
		   struct base_err *err) BASE_WARN_UNUSED;

#endif
