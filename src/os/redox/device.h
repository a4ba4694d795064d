/* SPDX-License-Identifier: MIT */
/*
 * The driver's seam on Redox: the function behind a pcid channel.
 *
 * Thread: the one that made it.  wake() only ends the next wait(): there is no other thread.
 */
#ifndef OS_REDOX_DEVICE_H
#define OS_REDOX_DEVICE_H

#include "driver/os.h"

/**
 * os_redox_create() - everything is opened here: the namespace may be left afterwards
 * @channel: descriptor of the pcid channel (PCID_CLIENT_CHANNEL); taken over
 *
 * Return: 0, -ENOMEM, -ENODEV (no Intel function, no message-signalled interrupt), -EPROTO (pcid
 * speaks otherwise), -EACCES (not root), or what the system said.
 */
int os_redox_create(size_t channel, struct os_device **out, struct base_err *err) BASE_WARN_UNUSED;
/** os_redox_destroy() - the channel is closed, too.  NULL is allowed. */
void os_redox_destroy(struct os_device *os);
#endif
