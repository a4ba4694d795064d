/* SPDX-License-Identifier: MIT */
#ifndef NPUD_REDOX_H
#define NPUD_REDOX_H

#include <signal.h>

/** npud_redox_main() - the daemon on Redox; ends when *@stop is not 0.  Return: an exit code. */
int npud_redox_main(int argc, char **argv, const volatile sig_atomic_t *stop);

#endif
