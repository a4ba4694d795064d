/* SPDX-License-Identifier: MIT */
/*
 * The daemon's settings: a command line, and a file with a line for each option, without the
 * dashes: "memory 512"; # begins a remark.  What the command line says, the file does not change.
 */
#ifndef NPUD_OPTIONS_H
#define NPUD_OPTIONS_H

#include "npud/npud.h"

enum { NPUD_EXIT_OK, NPUD_EXIT_FAILED, NPUD_EXIT_USAGE };

#define NPUD_MAX_OPTIONS 16u /* of common and platform's together */

struct npud_options {
	struct npud_config cfg;
	const char *devices[NPUD_MAX_DEVICES];
	const char *config; /* the file; NULL: the platform's, if it is there */
	const char *user;   /* to become once devices and socket are open; NULL: stay */
	char *text;	    /* of the file; strings point into it */
};

struct npud_option {
	const char *name;
	/* 0, or -EINVAL when @val is none; it stays as long as the options */
	int (*set)(struct npud_options *opts, const char *val);
	const char *want; /* "a number of MiB" */
};

/* Of the usage: what is common. */
#define NPUD_USAGE                                                                                    \
	"  --firmware FILE   the image to load; else it is searched\n"                                \
	"  --contexts N, --queues N, --memory MIB\n"                                                  \
	"                    what a client may have, over all devices: 16, 64, 1024\n"                \
	"  --depth N         jobs a queue takes before they are read back: 62\n"                      \
	"  --mmio ro|rw      serve mmio:, windows of device registers, to root; ro: writes only\n"    \
	"                    while no driver runs the device\n"                                       \
	"  --dma on          serve dma:, memory with a device address, to root\n"                     \
	"  --config FILE     settings, a line each: \"memory 512\"; /etc/npud.conf if it is there.\n" \
	"                    What is on the command line, the file does not change\n"                 \
	"  -v, -vv           say more (--verbose 1, 2)\n"                                             \
	"  --version, --help\n"

/* What differs between the systems the daemon runs on. */
struct npud_platform {
	const char *usage;
	const char *config; /* the settings file that is looked for */
	const struct npud_option *options;
	u32 nr_options;
};

/**
 * npud_options_parse() - into @opts, which holds what is preset
 *
 * Return: -1: go on; else the exit code: help was asked for, or a sentence said what is wrong, and
 * where.  npud_options_free() in any case.
 */
int npud_options_parse(const struct npud_platform *platform, int argc, char **argv,
		       struct npud_options *opts) BASE_WARN_UNUSED;
void npud_options_free(struct npud_options *opts);

/** npud_number() - decimal or 0x hex, 1 to @max; false when it is not. */
bool npud_number(const char *text, u32 max, u32 *out);

#endif
