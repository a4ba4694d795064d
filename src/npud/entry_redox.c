// SPDX-License-Identifier: MIT
#include <signal.h>

#include "npud/redox.h"

static atomic_int stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	return npud_redox_main(argc, argv, &stop);
}
