/* SPDX-License-Identifier: MIT */
/* Looking at a device while a command uses it: npu status, log, dump, top. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "cli/cli.h"

/* What the command in front of another wants to see of its device. */
struct cli_watch {
	int (*begin)(
		struct npu_device *dev);     /* once it is up; 0 or an exit code, after a message */
	void (*end)(struct npu_device *dev); /* before it is closed */
};

/* NULL: nobody watches. */
extern const struct cli_watch *cli_watch;

struct cli_watch_args {
	const char *device, *firmware;
	bool json, follow, errors;
	const char *level; /* of the firmware's log, NULL = as it is */
	double interval_s;
	u32 count; /* samples; 0 = until interrupted */
	FILE *out; /* standard error when a command writes to standard output */
};

extern struct cli_watch_args cli_args;

/**
 * cli_watch_run() - the options of @cmd, then the command behind them with @watch, or without one
 * @alone on a device of our own
 */
int cli_watch_run(const struct cli_command *cmd, const struct cli_watch *watch,
		  int (*alone)(struct npu_device *dev), int argc, char **argv);

/** cli_beside_start() - @work in a thread, until the command is through; 0 or an exit code */
int cli_beside_start(struct npu_device *dev, void (*work)(struct npu_device *dev));
/** cli_beside_pause() - in @work; false when the command is through */
bool cli_beside_pause(double seconds);
/** cli_beside_stop() - waits for @work */
void cli_beside_stop(void);

/** cli_print_node() - a text node as it is; 0 or an exit code */
int cli_print_node(struct npu_device *dev, const char *node);
/** cli_node_text() - the whole of a text node; base_free() it.  NULL after a message. */
char *cli_node_text(struct npu_device *dev, const char *node);

/** cli_interrupted() - did the user ask to stop? */
bool cli_interrupted(void);
/** cli_pause() - that long, or until interrupted */
void cli_pause(double seconds);

/* top.c */
/* One look at a device: its nodes. */
struct top_sample {
	char *status, *metrics, *clients, *info;
};

/** top_take() - 0 or an exit code, after a message; top_free() it in either case. */
int top_take(struct npu_device *dev, struct top_sample *out);
void top_free(struct top_sample *sample);
/** top_show() - what happened between two samples; @live: draw over what is there */
void top_show(const struct cli_watch_args *args, bool live, const struct top_sample *before,
	      const struct top_sample *now);
/** top_number() - of key @key in a text of "key: value" lines, 0 when it has none */
u64 top_number(const char *text, const char *key);

#endif
