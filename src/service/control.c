// SPDX-License-Identifier: MIT
/*
 * N/log and N/control: the firmware's log, which goes on, and commands to the driver.
 *
 * A log is read from its oldest line on; a read that returns 0 has come to its end for now.  The
 * firmware does not tell when it writes, so a wait looks when anything else happens and when its
 * time is over: give it a short one, again and again.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "service/internal.h"
#include "service/text.h"

struct log {
	struct svc_handle handle;
	struct drv_fw_log_reader reader;
	struct svc_text text; /* read from the driver, not yet by the client */
	u64 pos;
};

static struct log *to_log(struct svc_handle *h)
{
	return base_container_of(h, struct log, handle);
}

/* -EAGAIN while there is nothing to be read. */
static int log_ready(struct svc_handle *h)
{
	struct log *log = to_log(h);

	if (log->pos < log->text.len)
		return 0;
	log->pos = log->text.len = 0;
	drv_fw_log_read(h->dev->drv, &log->reader, svc_text_line, &log->text);
	return log->text.len ? 0 : -EAGAIN;
}

static s64 log_read(struct svc_handle *h, void *buf, u64 size, struct base_err *err)
{
	struct log *log = to_log(h);

	if (log_ready(h)) {
		svc_dev_process(h->dev);
		svc_dev_pass_time(h->dev);
	}
	if (log_ready(h))
		return 0;
	if (log->text.failed)
		return base_err_set(err, -ENOMEM, "log: no memory for the text");
	return (s64)svc_text_take(&log->text, &log->pos, buf, size);
}

static void log_close(struct svc_handle *h)
{
	base_free(to_log(h)->text.buf);
	base_free(to_log(h));
}

static const struct svc_handle_ops log_ops = {
	.name = "log",
	.read = log_read,
	.ready = log_ready,
	.close = log_close,
};

int svc_log_open(struct svc_client *client, struct svc_device *dev, bool errors, u32 *out,
		 struct base_err *err)
{
	struct log *log = base_zalloc(sizeof(*log));
	int ret;

	if (!log)
		return base_err_set(err, -ENOMEM, "log: no memory for the handle");
	log->handle.ops = &log_ops;
	log->handle.dev = dev;
	log->reader.log = errors ? DRV_FW_LOG_CRITICAL : DRV_FW_LOG_VERBOSE;
	ret = svc_handle_add(client, &log->handle, out, err);
	if (ret)
		base_free(log);
	return ret;
}

/*
 * Commands
 */

static int set_loglevel(struct svc_device *dev, u64 level, struct base_err *err)
{
	if (level > BASE_LOG_DBG)
		return base_err_set(err, -EINVAL, "control: loglevel is 0 errors to %d all",
				    BASE_LOG_DBG);
	drv_set_log_level(dev->drv, (u32)level);
	return 0;
}

static int set_fwlevel(struct svc_device *dev, u64 level, struct base_err *err)
{
	int ret = level > DRV_FW_LEVEL_MAX ? -EINVAL : drv_set_fw_log_level(dev->drv, (u32)level);

	if (ret == -EINVAL)
		return base_err_set(err, ret,
				    "control: fwlevel is 0 for the firmware's own choice, 1 debug "
				    "to %u fatal",
				    DRV_FW_LEVEL_MAX);
	if (ret)
		return base_err_set(err, ret, "control: the firmware cannot be asked now: %s",
				    base_err_name(ret));
	svc_dev_process(dev);
	return 0;
}

static int state_change(struct svc_device *dev, const char *what, int ret, struct base_err *err)
{
	if (ret)
		return base_err_set(err, ret,
				    "control: %s is not possible while the device is %s: %s", what,
				    drv_state_name(drv_get_state(dev->drv)), base_err_name(ret));
	svc_dev_process(dev);
	return 0;
}

static int reset(struct svc_device *dev, u64 value, struct base_err *err)
{
	(void)value;
	return state_change(dev, "reset", drv_reset(dev->drv), err);
}

static int suspend(struct svc_device *dev, u64 value, struct base_err *err)
{
	(void)value;
	return state_change(dev, "suspend", drv_suspend(dev->drv), err);
}

static int resume(struct svc_device *dev, u64 value, struct base_err *err)
{
	(void)value;
	return state_change(dev, "resume", drv_resume(dev->drv), err);
}

static const struct command {
	const char *name;
	bool has_value;
	int (*run)(struct svc_device *dev, u64 value, struct base_err *err);
} commands[] = {
	{ "loglevel", true, set_loglevel }, { "fwlevel", true, set_fwlevel },
	{ "reset", false, reset },	    { "suspend", false, suspend },
	{ "resume", false, resume },
};

#define COMMANDS "loglevel N, fwlevel N, reset, suspend, resume"
#define MAX_TEXT 64u

static int run_command(struct svc_device *dev, char *text, struct base_err *err)
{
	char *value = strchr(text, ' ');
	u64 val = 0;

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < BASE_ARRAY_SIZE(commands); i++) {
		const struct command *cmd = &commands[i];

		if (strcmp(text, cmd->name) != 0)
			continue;
		if (cmd->has_value != (value != NULL) ||
		    (value && !svc_parse_u64(value, strlen(value), &val)))
			return base_err_set(err, -EINVAL, "control: %s takes %s", cmd->name,
					    cmd->has_value ? "a number" : "nothing");
		return cmd->run(dev, val, err);
	}
	return base_err_set(err, -EINVAL, "control: no such command, expected one of " COMMANDS);
}

/* One command a write, with or without a newline. */
static s64 control_write(struct svc_handle *h, const void *buf, u64 size, struct base_err *err)
{
	char text[MAX_TEXT + 1];
	u64 len = size;
	int ret;

	if (!size || size > MAX_TEXT)
		return base_err_set(err, -EINVAL, "control: %llu bytes, a command has 1 to %u",
				    (unsigned long long)size, MAX_TEXT);
	memcpy(text, buf, size);
	if (text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	ret = run_command(h->dev, text, err);
	return ret ? ret : (s64)size;
}

static void control_close(struct svc_handle *h)
{
	base_free(h);
}

static const struct svc_handle_ops control_ops = {
	.name = "control",
	.write = control_write,
	.close = control_close,
};

int svc_control_open(struct svc_client *client, struct svc_device *dev, u32 *out,
		     struct base_err *err)
{
	struct svc_handle *h = base_zalloc(sizeof(*h));
	int ret;

	if (!h)
		return base_err_set(err, -ENOMEM, "control: no memory for the handle");
	h->ops = &control_ops;
	h->dev = dev;
	ret = svc_handle_add(client, h, out, err);
	if (ret)
		base_free(h);
	return ret;
}
