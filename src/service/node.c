// SPDX-License-Identifier: MIT
/*
 * Text nodes: a snapshot taken at open, one "key: value" per line, and the same facts as structs
 * for programs.  The field tables below are the only place that knows both.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "service/internal.h"
#include "service/text.h"

enum field_kind {
	FIELD_TEXT,
	FIELD_U32,
	FIELD_U64,
	FIELD_HEX32,
	FIELD_HEX64,
	FIELD_BOOL,
	FIELD_API
};

struct field {
	const char *key;
	u32 off;
	enum field_kind kind;
};

#define F(type, member, kind)                                        \
	{                                                            \
#member, offsetof(struct type, member), FIELD_##kind \
	}

static const struct field info_fields[] = {
	F(svc_call_info, gen, TEXT),
	F(svc_call_info, product, TEXT),
	F(svc_call_info, location, TEXT),
	F(svc_call_info, vendor_id, HEX32),
	F(svc_call_info, device_id, HEX32),
	F(svc_call_info, revision, U32),
	F(svc_call_info, is_virtual, BOOL),
	F(svc_call_info, fw_path, TEXT),
	F(svc_call_info, fw_version, TEXT),
	F(svc_call_info, fw_api, API),
	F(svc_call_info, va_start, HEX64),
	F(svc_call_info, va_end, HEX64),
	F(svc_call_info, flat, BOOL),
	F(svc_call_info, freq_max_mhz, U32),
	F(svc_call_info, max_contexts, U32),
	F(svc_call_info, max_queues, U32),
	F(svc_call_info, max_queue_depth, U32),
	F(svc_call_info, max_context_jobs, U32),
	F(svc_call_info, max_memory_bytes, U64),
	F(svc_call_info, boot_ns, U64),
};

static const struct field status_fields[] = {
	F(svc_call_status, state, TEXT),	   F(svc_call_status, error, TEXT),
	F(svc_call_status, clients, U32),	   F(svc_call_status, contexts, U32),
	F(svc_call_status, contexts_closing, U32), F(svc_call_status, buffers, U32),
	F(svc_call_status, queues, U32),	   F(svc_call_status, jobs_pending, U32),
	F(svc_call_status, memory_bytes, U64),	   F(svc_call_status, freq_mhz, U32),
};

static const struct field metrics_fields[] = {
	F(svc_call_metrics, jobs_submitted, U64), F(svc_call_metrics, jobs_done, U64),
	F(svc_call_metrics, jobs_failed, U64),	  F(svc_call_metrics, jobs_refused, U64),
	F(svc_call_metrics, irqs, U64),		  F(svc_call_metrics, mmu_faults, U64),
	F(svc_call_metrics, time_ns, U64),	  F(svc_call_metrics, busy_ns, U64),
	F(svc_call_metrics, engine_resets, U64),  F(svc_call_metrics, recoveries, U64),
	F(svc_call_metrics, suspends, U64),	  F(svc_call_metrics, warm_boots, U64),
	F(svc_call_metrics, cold_boots, U64),
};

union any_call {
	struct svc_call head;
	struct svc_call_info info;
	struct svc_call_status status;
	struct svc_call_metrics metrics;
};

struct node {
	const char *name;
	enum svc_call_kind kind; /* 0: text only */
	size_t size;
	void (*fill)(struct svc_device *dev, union any_call *out);
	const struct field *fields;
	u32 nr_fields;
	void (*print)(struct svc_client *client, struct svc_device *dev, struct svc_text *text);
};

struct snapshot { /* an open text node */
	struct svc_handle handle;
	const struct node *node;
	struct svc_text text;
	u64 pos;
};

static void print_api(struct svc_text *text, const u8 *p)
{
	u32 api[16];

	memcpy(api, p, sizeof(api));
	for (u32 i = 0; i < BASE_ARRAY_SIZE(api); i++)
		svc_text_add(text, "%s%u.%u", i ? " " : "", api[i] >> 16, api[i] & 0xffff);
}

static u64 load_field(const u8 *p, bool is_64bit)
{
	u64 val = 0;

	memcpy(&val, p, is_64bit ? sizeof(u64) : sizeof(u32)); /* little-endian hosts only */
	return val;
}

static void print_field(struct svc_text *text, const struct field *field, const u8 *base)
{
	const u8 *p = base + field->off;
	u64 val = 0;

	svc_text_add(text, "%s: ", field->key);
	if (field->kind != FIELD_TEXT && field->kind != FIELD_API)
		val = load_field(p, field->kind == FIELD_U64 || field->kind == FIELD_HEX64);
	switch (field->kind) {
	case FIELD_TEXT:
		svc_text_add(text, "%s", (const char *)p);
		break;
	case FIELD_API:
		print_api(text, p);
		break;
	case FIELD_HEX32:
	case FIELD_HEX64:
		svc_text_add(text, "0x%llx", (unsigned long long)val);
		break;
	case FIELD_BOOL:
		svc_text_add(text, "%s", val ? "yes" : "no");
		break;
	case FIELD_U32:
	case FIELD_U64:
		svc_text_add(text, "%llu", (unsigned long long)val);
		break;
	}
	svc_text_add(text, "\n");
}

#define COPY_TEXT(dst, src) svc_escape((src) ? (src) : "", dst, sizeof(dst))

static void fill_info(struct svc_device *dev, union any_call *call)
{
	const struct svc_limits *limits = &dev->svc->limits;
	struct svc_call_info *out = &call->info;
	struct drv_info info;

	drv_get_info(dev->drv, &info);
	COPY_TEXT(out->gen, info.gen);
	COPY_TEXT(out->product, info.product);
	COPY_TEXT(out->location, info.location);
	COPY_TEXT(out->fw_path, info.fw_path);
	COPY_TEXT(out->fw_version, info.fw_version);
	out->vendor_id = info.vendor_id;
	out->device_id = info.device_id;
	out->revision = info.revision;
	out->is_virtual = info.is_virtual;
	memcpy(out->fw_api, info.fw_api, sizeof(out->fw_api));
	out->va_start = info.va_start;
	out->va_end = info.va_end;
	out->flat = info.flat;
	out->freq_max_mhz = info.freq_max_mhz;
	out->max_contexts = base_min(limits->contexts, info.nr_contexts_max);
	out->max_queues = limits->queues;
	out->max_queue_depth = limits->queue_depth;
	out->max_context_jobs = limits->context_jobs;
	out->max_memory_bytes = limits->memory_bytes;
	out->boot_ns = info.boot_ns;
}

static u32 count(const struct svc_list *head)
{
	const struct svc_list *node;
	u32 nr = 0;

	base_for_each (node, head)
		nr++;
	return nr;
}

static void add_context(struct svc_call_status *out, const struct svc_ctx *ctx)
{
	out->contexts += !ctx->closed;
	out->contexts_closing += ctx->closed;
	out->buffers += count(&ctx->bos) + count(&ctx->doomed[0]) + count(&ctx->doomed[1]);
	out->queues += count(&ctx->queues);
	out->jobs_pending += svc_ctx_pending(ctx);
	out->memory_bytes += ctx->memory_bytes;
}

static void fill_status(struct svc_device *dev, union any_call *call)
{
	struct svc_call_status *out = &call->status;
	const struct svc_list *node;

	svc_dev_process(dev);
	COPY_TEXT(out->state, drv_state_name(drv_get_state(dev->drv)));
	if (drv_last_error(dev->drv)->code)
		COPY_TEXT(out->error, drv_last_error(dev->drv)->text);
	out->clients = count(&dev->svc->clients);
	out->freq_mhz = drv_freq_mhz(dev->drv);
	base_for_each (node, &dev->ctxs)
		add_context(out, svc_list_entry(node, const struct svc_ctx, link));
}

static void fill_metrics(struct svc_device *dev, union any_call *call)
{
	struct svc_call_metrics *out = &call->metrics;
	struct drv_info info;

	svc_dev_process(dev);
	drv_get_info(dev->drv, &info);
	out->jobs_submitted = dev->jobs_submitted;
	out->jobs_done = info.jobs_done;
	out->jobs_failed = info.jobs_failed;
	out->jobs_refused = dev->jobs_refused;
	out->irqs = info.irqs;
	out->mmu_faults = info.mmu_faults;
	out->engine_resets = info.engine_resets;
	out->recoveries = info.recoveries;
	out->suspends = info.suspends;
	out->warm_boots = info.warm_boots;
	out->cold_boots = info.cold_boots;
	out->time_ns = drv_now_ns(dev->drv);
	out->busy_ns = base_min(info.busy_ns, out->time_ns);
}

static void print_client(struct svc_text *text, const struct svc_client *client)
{
	char name[4 * SVC_NAME_SIZE];

	svc_escape(client->name, name, sizeof(name));
	svc_text_add(
		text,
		"client-%u: name=\"%s\" uid=%u pid=%u privileged=%s contexts=%u queues=%u "
		"handles=%u memory_bytes=%llu jobs_submitted=%llu jobs_done=%llu jobs_failed=%llu "
		"busy_ns=%llu\n",
		client->id, name, client->cred.uid, client->cred.pid,
		client->cred.privileged ? "yes" : "no", client->nr_ctxs, client->nr_queues,
		client->nr_handles, (unsigned long long)client->memory_bytes,
		(unsigned long long)client->jobs_submitted, (unsigned long long)client->jobs_done,
		(unsigned long long)client->jobs_failed, (unsigned long long)client->busy_ns);
}

/* Who is not privileged sees the others as totals only. */
static void print_clients(struct svc_client *self, struct svc_device *dev, struct svc_text *text)
{
	const struct svc_list *node;
	u32 nr = 0, ctxs = 0, queues = 0;
	u64 memory_bytes = 0;

	base_for_each (node, &dev->svc->clients) {
		const struct svc_client *c = svc_list_entry(node, const struct svc_client, link);

		if (c == self || self->cred.privileged) {
			print_client(text, c);
			continue;
		}
		nr++;
		ctxs += c->nr_ctxs;
		queues += c->nr_queues;
		memory_bytes += c->memory_bytes;
	}
	if (!self->cred.privileged)
		svc_text_add(text, "others: clients=%u contexts=%u queues=%u memory_bytes=%llu\n",
			     nr, ctxs, queues, (unsigned long long)memory_bytes);
}

static void print_trace(struct svc_client *client, struct svc_device *dev, struct svc_text *text)
{
	(void)client;
	drv_trace_dump(dev->drv, UINT32_MAX, svc_text_line, text);
}

static void print_dump(struct svc_client *client, struct svc_device *dev, struct svc_text *text)
{
	(void)client;
	svc_dev_process(dev);
	drv_dump(dev->drv, svc_text_line, text);
}

static void print_devices(struct svc_client *client, struct svc_device *none, struct svc_text *text)
{
	(void)none;
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++) {
		struct drv_info info;

		if (!client->svc->dev[i])
			continue;
		drv_get_info(client->svc->dev[i]->drv, &info);
		svc_text_add(text, "%u: %s %s\n", i, info.gen, info.product);
	}
}

#define STRUCT_NODE(type, upper)                                                                 \
	{                                                                                        \
		.name = #type, .kind = SVC_CALL_##upper, .size = sizeof(struct svc_call_##type), \
		.fill = fill_##type, .fields = type##_fields,                                    \
		.nr_fields = BASE_ARRAY_SIZE(type##_fields)                                      \
	}

static const struct node nodes[] = {
	STRUCT_NODE(info, INFO),
	STRUCT_NODE(status, STATUS),
	STRUCT_NODE(metrics, METRICS),
	{ .name = "clients", .print = print_clients },
	{ .name = "trace", .print = print_trace },
	{ .name = "dump", .print = print_dump },
	{ .name = "regions", .print = svc_print_regions },
};

static const struct node device_list = { .name = "", .print = print_devices };

static void fill_node(const struct node *node, struct svc_device *dev, union any_call *out)
{
	memset(out, 0, sizeof(*out));
	node->fill(dev, out);
	out->head = (struct svc_call){ .kind = (u16)node->kind,
				       .version = SVC_CALL_VERSION,
				       .size = (u32)node->size };
}

static void print_node(const struct node *node, struct svc_client *client, struct svc_device *dev,
		       struct svc_text *text)
{
	union any_call call;

	svc_text_reserve(text, 1);
	if (node->print) {
		node->print(client, dev, text);
		return;
	}
	fill_node(node, dev, &call);
	for (u32 i = 0; i < node->nr_fields; i++)
		print_field(text, &node->fields[i], (const u8 *)&call);
}

static struct snapshot *to_snapshot(struct svc_handle *h)
{
	return base_container_of(h, struct snapshot, handle);
}

static s64 text_read(struct svc_handle *h, void *buf, u64 size, struct base_err *err)
{
	struct snapshot *snap = to_snapshot(h);

	(void)err;
	return (s64)svc_text_take(&snap->text, &snap->pos, buf, size);
}

static int text_call(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err)
{
	const struct node *node = to_snapshot(h)->node;
	union any_call call;
	int ret;

	if (!node->fill)
		return base_err_set(err, -EOPNOTSUPP, "call: %s is text only", node->name);
	ret = svc_call_check(arg, size, node->kind, node->size, err);
	if (ret)
		return ret;
	fill_node(node, h->dev, &call);
	memcpy(arg, &call, node->size);
	return 0;
}

static void text_close(struct svc_handle *h)
{
	base_free(to_snapshot(h)->text.buf);
	base_free(to_snapshot(h));
}

static u64 text_size(const struct svc_handle *h)
{
	return base_container_of(h, const struct snapshot, handle)->text.len;
}

static const struct svc_handle_ops text_ops = {
	.name = "text node",
	.size = text_size,
	.read = text_read,
	.call = text_call,
	.close = text_close,
};

static const struct node *find_node(const char *name)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(nodes); i++)
		if (strcmp(nodes[i].name, name) == 0)
			return &nodes[i];
	return NULL;
}

static int open_text(struct svc_client *client, struct svc_device *dev, const struct node *node,
		     u32 *out, struct base_err *err)
{
	struct snapshot *snap = base_zalloc(sizeof(*snap));
	int ret = -ENOMEM;

	if (!snap)
		return base_err_set(err, ret, "%s: no memory for the handle", node->name);
	print_node(node, client, dev, &snap->text);
	if (snap->text.failed) {
		base_err_set(err, ret, "%s: no memory for the text", node->name);
		goto err_free;
	}
	snap->handle.ops = &text_ops;
	snap->handle.dev = dev;
	snap->node = node;
	ret = svc_handle_add(client, &snap->handle, out, err);
	if (ret)
		goto err_free;
	return 0;

err_free:
	base_free(snap->text.buf);
	base_free(snap);
	return ret;
}

/* Nodes that are more than a snapshot.  -ENOENT, without a word in @err, when it is none. */
static int open_special(struct svc_client *client, struct svc_device *dev, const char *name,
			u32 *out, struct base_err *err)
{
	if (strcmp(name, "log") == 0 || strcmp(name, "log?errors") == 0)
		return svc_log_open(client, dev, strchr(name, '?') != NULL, out, err);
	if (strcmp(name, "control") == 0)
		return svc_control_open(client, dev, out, err);
	if (strcmp(name, "counters") == 0)
		return svc_stream_open(client, dev, NULL, out, err);
	if (strcmp(name, "stream") == 0 || strncmp(name, "stream?", 7) == 0)
		return svc_stream_open(client, dev, name[6] ? name + 7 : "", out, err);
	return -ENOENT;
}

/* What tells of other clients' work, or changes it, is not for everybody. */
static bool is_public(const char *name)
{
	static const char *const names[] = { "info", "status", "metrics", "clients" };

	for (size_t i = 0; i < BASE_ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int open_of_device(struct svc_client *client, struct svc_device *dev, const char *name,
			  u32 *out, struct base_err *err)
{
	const struct node *node = find_node(name);
	char shown[80];
	int ret;

	svc_escape(name, shown, sizeof(shown));
	if (!client->cred.privileged && !is_public(name))
		return base_err_set(err, -EACCES,
				    "path: node \"%s\" is none, or needs privilege; for all are "
				    "info, status, metrics, clients and ctx",
				    shown);
	ret = node ? open_text(client, dev, node, out, err)
		   : open_special(client, dev, name, out, err);
	if (ret != -ENOENT)
		return ret;
	return base_err_set(
		err, ret,
		"path: a device has no node \"%s\", expected info, status, metrics, "
		"clients, log, log?errors, trace, dump, regions, counters, stream, control or "
		"ctx",
		shown);
}

int svc_node_open(struct svc_client *client, struct svc_device *dev, const char *name, u32 *out,
		  struct base_err *err)
{
	if (!dev)
		return open_text(client, NULL, &device_list, out, err);
	return open_of_device(client, dev, name, out, err);
}
