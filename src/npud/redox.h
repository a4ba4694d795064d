/* SPDX-License-Identifier: MIT */
#ifndef NPUD_REDOX_H
#define NPUD_REDOX_H

#include <stdatomic.h>

/** npud_redox_main() - the daemon on Redox; ends when *@stop is not 0.  Return: an exit code. */
int npud_redox_main(int argc, char **argv, const atomic_int *stop);

#endif
