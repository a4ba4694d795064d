// SPDX-License-Identifier: MIT
#include "npud/redox.h"

static volatile sig_atomic_t stop;

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
