// SPDX-License-Identifier: MIT
/*
 * Text nodes: a snapshot taken at open, one "key: value" per line, and the same facts as structs
 * for programs.  The field tables below are the only place that knows both.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "service/internal.h"

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
	F(svc_call_status, memory_bytes, U64),
};

static const struct field metrics_fields[] = {
	F(svc_call_metrics, jobs_submitted, U64), F(svc_call_metrics, jobs_done, U64),
	F(svc_call_metrics, jobs_failed, U64),	  F(svc_call_metrics, jobs_refused, U64),
	F(svc_call_metrics, irqs, U64),		  F(svc_call_metrics, mmu_faults, U64),
};

union any_call {
	struct svc_call head;
	struct svc_call_info info;
	struct svc_call_status status;
	struct svc_call_metrics metrics;
};

struct text { /* grows; failed sticks */
	char *buf;
	size_t len;
	size_t cap;
	bool failed;
};

struct node {
	const char *name;
	enum svc_call_kind kind; /* 0: text only */
	size_t size;
	void (*fill)(struct svc_device *dev, union any_call *out);
	const struct field *fields;
	u32 nr_fields;
	void (*print)(struct svc_client *client, struct svc_device *dev, struct text *text);
};

struct svc_text { /* an open text node */
	struct svc_handle handle;
	const struct node *node;
	char *buf;
	u64 len;
	u64 pos;
};

static bool text_reserve(struct text *text, size_t more)
{
	size_t cap = base_max(text->cap * 2, text->len + more + 1);
	char *buf;

	if (text->failed || text->len + more < text->cap)
		return !text->failed;
	buf = base_realloc_array(text->buf, cap, 1);
	if (!buf) {
		text->failed = true;
		return false;
	}
	text->buf = buf;
	text->cap = cap;
	return true;
}

static void BASE_PRINTF(2, 3) text_add(struct text *text, const char *fmt, ...)
{
	char line[640];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len < 0 || !text_reserve(text, (size_t)len))
		return;
	len = base_min(len, (int)sizeof(line) - 1);
	memcpy(text->buf + text->len, line, (size_t)len);
	text->len += (size_t)len;
}

static void print_api(struct text *text, const u8 *p)
{
	u32 api[16];

	memcpy(api, p, sizeof(api));
	for (u32 i = 0; i < BASE_ARRAY_SIZE(api); i++)
		text_add(text, "%s%u.%u", i ? " " : "", api[i] >> 16, api[i] & 0xffff);
}

static u64 load_field(const u8 *p, bool is_64bit)
{
	u64 val = 0;

	memcpy(&val, p, is_64bit ? sizeof(u64) : sizeof(u32)); /* little-endian hosts only */
	return val;
}

static void print_field(struct text *text, const struct field *field, const u8 *base)
{
	const u8 *p = base + field->off;
	u64 val = 0;

	text_add(text, "%s: ", field->key);
	if (field->kind != FIELD_TEXT && field->kind != FIELD_API)
		val = load_field(p, field->kind == FIELD_U64 || field->kind == FIELD_HEX64);
	switch (field->kind) {
	case FIELD_TEXT:
		text_add(text, "%s", (const char *)p);
		break;
	case FIELD_API:
		print_api(text, p);
		break;
	case FIELD_HEX32:
	case FIELD_HEX64:
		text_add(text, "0x%llx", (unsigned long long)val);
		break;
	case FIELD_BOOL:
		text_add(text, "%s", val ? "yes" : "no");
		break;
	case FIELD_U32:
	case FIELD_U64:
		text_add(text, "%llu", (unsigned long long)val);
		break;
	}
	text_add(text, "\n");
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
	out->freq_max_mhz = info.freq_max_mhz;
	out->max_contexts = base_min(limits->contexts, info.nr_contexts_max);
	out->max_queues = limits->queues;
	out->max_queue_depth = limits->queue_depth;
	out->max_context_jobs = limits->context_jobs;
	out->max_memory_bytes = limits->memory_bytes;
	out->boot_ns = info.boot_ns;
}

static const char *state_name(enum drv_state state)
{
	switch (state) {
	case DRV_CREATED:
		return "created";
	case DRV_BOOTING:
		return "booting";
	case DRV_READY:
		return "ready";
	case DRV_STOPPING:
		return "stopping";
	case DRV_STOPPED:
		return "stopped";
	case DRV_FAILED:
		return "failed";
	}
	return "?";
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
	COPY_TEXT(out->state, state_name(drv_get_state(dev->drv)));
	if (drv_last_error(dev->drv)->code)
		COPY_TEXT(out->error, drv_last_error(dev->drv)->text);
	out->clients = count(&dev->svc->clients);
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
}

static void print_client(struct text *text, const struct svc_client *client)
{
	char name[4 * SVC_NAME_SIZE];

	svc_escape(client->name, name, sizeof(name));
	text_add(text,
		 "client-%u: name=\"%s\" uid=%u pid=%u privileged=%s contexts=%u queues=%u "
		 "handles=%u memory_bytes=%llu\n",
		 client->id, name, client->cred.uid, client->cred.pid,
		 client->cred.privileged ? "yes" : "no", client->nr_ctxs, client->nr_queues,
		 client->nr_handles, (unsigned long long)client->memory_bytes);
}

/* Who is not privileged sees the others as totals only. */
static void print_clients(struct svc_client *self, struct svc_device *dev, struct text *text)
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
		text_add(text, "others: clients=%u contexts=%u queues=%u memory_bytes=%llu\n", nr,
			 ctxs, queues, (unsigned long long)memory_bytes);
}

static void print_devices(struct svc_client *client, struct svc_device *none, struct text *text)
{
	(void)none;
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++) {
		struct drv_info info;

		if (!client->svc->dev[i])
			continue;
		drv_get_info(client->svc->dev[i]->drv, &info);
		text_add(text, "%u: %s %s\n", i, info.gen, info.product);
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
		       struct text *text)
{
	union any_call call;

	text_reserve(text, 1);
	if (node->print) {
		node->print(client, dev, text);
		return;
	}
	fill_node(node, dev, &call);
	for (u32 i = 0; i < node->nr_fields; i++)
		print_field(text, &node->fields[i], (const u8 *)&call);
}

static struct svc_text *to_text(struct svc_handle *h)
{
	return base_container_of(h, struct svc_text, handle);
}

static s64 text_read(struct svc_handle *h, void *buf, u64 size, struct base_err *err)
{
	struct svc_text *text = to_text(h);
	u64 nr = base_min(size, text->len - text->pos);

	(void)err;
	memcpy(buf, text->buf + text->pos, nr);
	text->pos += nr;
	return (s64)nr;
}

static int text_call(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err)
{
	const struct node *node = to_text(h)->node;
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
	base_free(to_text(h)->buf);
	base_free(to_text(h));
}

static u64 text_size(const struct svc_handle *h)
{
	return base_container_of(h, const struct svc_text, handle)->len;
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
	struct svc_text *open = base_zalloc(sizeof(*open));
	struct text text = { 0 };
	int ret = -ENOMEM;

	if (!open)
		return base_err_set(err, ret, "%s: no memory for the handle", node->name);
	print_node(node, client, dev, &text);
	if (text.failed) {
		base_err_set(err, ret, "%s: no memory for the text", node->name);
		goto err_free;
	}
	open->handle.ops = &text_ops;
	open->handle.dev = dev;
	open->node = node;
	open->buf = text.buf;
	open->len = text.len;
	ret = svc_handle_add(client, &open->handle, out, err);
	if (ret)
		goto err_free;
	return 0;

err_free:
	base_free(text.buf);
	base_free(open);
	return ret;
}

int svc_node_open(struct svc_client *client, struct svc_device *dev, const char *name, u32 *out,
		  struct base_err *err)
{
	const struct node *node = dev ? find_node(name) : &device_list;
	char shown[80];

	if (!node) {
		svc_escape(name, shown, sizeof(shown));
		return base_err_set(err, -ENOENT,
				    "path: a device has no node \"%s\", expected info, status, "
				    "metrics, clients or ctx",
				    shown);
	}
	return open_text(client, dev, node, out, err);
}
