// SPDX-License-Identifier: MIT
/*
 * The trace: one line of text per register access, message and interrupt, for whoever asked for it
 * in struct vnpu_config.  While it is on, no access takes the short way and no message is written
 * in place (v->watched), so that nothing has to look for it elsewhere.
 *
 *   rd BAR4+0x40 PLL_STATUS 0x00000002        wr64 BAR0+0x... NAME 0x...
 *   cfg-wr 0x44/2 0x0103                      msg> general PWR_D0I3_ENTER id 7: 00000001
 *   msg< async REGISTER_DB_DONE id 3 SUCCESS: 00000001 00000000         ready        msi
 *   mark NAME (of the embedder)
 */
#include <stdarg.h>
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/model.h"

static void line(struct vnpu *v, const char *fmt, ...) BASE_PRINTF(2, 3);

static void line(struct vnpu *v, const char *fmt, ...)
{
	char text[VNPU_TRACE_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->cfg.trace(v->cfg.opaque, vnpu_time_ns(v), text);
}

void vnpu_trace_reg(struct vnpu *v, u8 bar, u32 off, u32 size, bool write, u64 val)
{
	const struct reg_block *block = NULL;
	char name[48] = "?", width[4] = "";

	if (!v->cfg.trace)
		return;
	if (reg_gen_find(v->info, bar, off, &block))
		reg_name(block, off, name, sizeof(name));
	if (size != 4)
		snprintf(width, sizeof(width), "%u", 8 * size);
	line(v, "%s%s BAR%u+0x%x %s 0x%0*llx", write ? "wr" : "rd", width, bar, off, name,
	     (int)(2 * size), (unsigned long long)val);
}

void vnpu_trace_cfg(struct vnpu *v, u32 off, u32 size, bool write, u32 val)
{
	if (v->cfg.trace)
		line(v, "cfg-%s 0x%x/%u 0x%0*x", write ? "wr" : "rd", off, size, (int)(2 * size),
		     val);
}

/* The payload as 32-bit words, as many as mean something. */
static void payload_text(const struct abi_jsm_msg *msg, char *buf, size_t size)
{
	const struct abi_jsm_info *info = abi_jsm_info(msg->type);
	u32 nr = info ? info->payload_size / 4 : (u32)(sizeof(msg->payload) / 4);
	size_t len = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < nr && len < size; i++) {
		u32 word;

		memcpy(&word, (const u8 *)&msg->payload + 4 * (size_t)i, sizeof(word));
		len += (size_t)snprintf(buf + len, size - len, "%s%08x", i ? " " : ": ", word);
	}
}

void vnpu_trace_msg(struct vnpu *v, bool to_host, u16 channel, const struct abi_jsm_msg *msg)
{
	char payload[300];

	if (!v->cfg.trace)
		return;
	payload_text(msg, payload, sizeof(payload));
	if (to_host)
		line(v, "msg< %s %s id %u %s%s", abi_ipc_chan_name(channel),
		     abi_jsm_type_name(msg->type), msg->request_id,
		     abi_jsm_status_name(msg->result), payload);
	else
		line(v, "msg> %s %s id %u%s", abi_ipc_chan_name(channel),
		     abi_jsm_type_name(msg->type), msg->request_id, payload);
}

void vnpu_trace_event(struct vnpu *v, const char *what)
{
	if (v->cfg.trace)
		line(v, "%s", what);
}

void vnpu_trace_mark(struct vnpu *v, const char *name)
{
	vnpu_lock(&v->lock);
	if (v->cfg.trace)
		line(v, "mark %s", name);
	vnpu_unlock(&v->lock);
}

void vnpu_trace_head(FILE *to, const struct vnpu *v)
{
	fprintf(to, "# npu trace 1: %s 0x%04x revision %u\n", v->info->name, v->device_id,
		v->revision);
}

void vnpu_trace_write(FILE *to, uint64_t time_ns, const char *text)
{
	fprintf(to, "%12llu.%03llu %s\n", (unsigned long long)(time_ns / 1000),
		(unsigned long long)(time_ns % 1000), text);
}
