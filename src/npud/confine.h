/* SPDX-License-Identifier: MIT */
#ifndef NPUD_CONFINE_H
#define NPUD_CONFINE_H

#include "base/base.h"

/**
 * confine() - give up what serving does not need
 * @user: to become, with its groups' list emptied; NULL: stay who we are
 * @filter: only the system calls of the event loop from here on; others fail with EPERM.  No thread
 *          may be there that needs more
 *
 * No program started from here gains privileges (there is none).
 * Return: 0, -EINVAL (no such user), -EPERM (not root), or what the system said.
 */
int confine(const char *user, bool filter, struct base_err *err) BASE_WARN_UNUSED;

#endif
