/* SPDX-License-Identifier: MIT */
#ifndef NPUD_READY_H
#define NPUD_READY_H

/** ready_tell() - to whoever started the daemon and waits: systemd's protocol (NOTIFY_SOCKET). */
void ready_tell(void);

#endif
