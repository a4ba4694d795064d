// SPDX-License-Identifier: MIT
/*
 * N/counters and N/stream: what the firmware counts, and samples of it as text.
 *
 * Both have to ask the firmware: a read that returns 0 has nothing yet, a wait ends when there is.
 *   counters                                    a line for each group and each counter, once
 *   stream[?groups=MASK&period_us=N&samples=N]  a line for each sample, "sample: GROUP.NAME=VALUE ..."
 * groups: bit per group id, default all; period_us: of a sample, default 10000, at least 1000;
 * samples: are read at once, default 10.  What a slow reader leaves is dropped, and counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "driver/metric.h"
#include "service/internal.h"
#include "service/text.h"

#define TEXT_MAX (1u << 20) /* samples that are not read */

/* SRC: Level Zero ZET_VALUE_TYPE_FLOAT32, _FLOAT64 */
#define VALUE_F32 2u
#define VALUE_F64 3u

struct stream {
	struct svc_handle handle;
	bool samples; /* else the counters themselves */
	struct drv_metric_cfg cfg;
	struct drv_metric *metric;
	const struct drv_counters *counters; /* NULL: not known yet */
	int error;			     /* it ended */
	u64 dropped;			     /* not told of yet */
	struct svc_text text;
	u64 pos;
};

static struct stream *to_stream(struct svc_handle *h)
{
	return base_container_of(h, struct stream, handle);
}

static void put_counters(struct svc_text *text, const struct drv_counters *c)
{
	for (u32 i = 0; i < c->nr_groups; i++)
		svc_text_add(text, "group: id=%u size=%u name=\"%s\"\n", c->groups[i].id,
			     c->groups[i].size, c->groups[i].name);
	for (u32 i = 0; i < c->nr_counters; i++) {
		const struct drv_counter *at = &c->counters[i];

		svc_text_add(text,
			     "counter: group=%u offset=%u size=%u type=%u value_type=%u "
			     "name=\"%s\" units=\"%s\" description=\"%s\"\n",
			     c->groups[at->group].id, at->off, at->size, at->type, at->value_type,
			     at->name, at->units, at->description);
	}
}

/* Where a group's part of a sample of @mask begins. */
static u64 base_of(const struct drv_counters *c, u32 group, u64 mask)
{
	u64 base = 0;

	for (u32 i = 0; i < group; i++)
		if (mask & BASE_BIT64(c->groups[i].id))
			base += c->groups[i].size;
	return base;
}

static void put_value(struct svc_text *text, const struct drv_counter *c, const u8 *at)
{
	u64 val = 0;
	double f64;
	float f32;

	memcpy(&val, at, c->size); /* little-endian hosts only */
	if (c->value_type == VALUE_F32 && c->size == sizeof(f32)) {
		memcpy(&f32, &val, sizeof(f32));
		svc_text_add(text, "%.9g", (double)f32);
	} else if (c->value_type == VALUE_F64 && c->size == sizeof(f64)) {
		memcpy(&f64, &val, sizeof(f64));
		svc_text_add(text, "%.17g", f64);
	} else {
		svc_text_add(text, "%" PRIu64, val);
	}
}

static void put_sample(struct stream *s, const u8 *data, u32 size)
{
	const struct drv_counters *c = s->counters;

	svc_text_add(&s->text, "sample:");
	for (u32 i = 0; i < c->nr_counters; i++) {
		const struct drv_counter *at = &c->counters[i];
		const struct drv_counter_group *group = &c->groups[at->group];
		u64 off = base_of(c, at->group, s->cfg.groups) + at->off;

		if (!(s->cfg.groups & BASE_BIT64(group->id)) || !base_range_ok(off, at->size, size))
			continue;
		svc_text_add(&s->text, " %s.%s=", group->name, at->name);
		put_value(&s->text, at, data + off);
	}
	svc_text_add(&s->text, "\n");
}

static void on_samples(void *opaque, const void *data, u32 sample_size, u32 nr, u32 dropped)
{
	struct stream *s = opaque;

	s->dropped += dropped;
	for (u32 i = 0; i < nr; i++) {
		if (s->text.len >= TEXT_MAX || s->text.failed) {
			s->dropped++;
			continue;
		}
		if (s->dropped)
			svc_text_add(&s->text, "dropped: %" PRIu64 "\n", s->dropped);
		s->dropped = 0;
		put_sample(s, (const u8 *)data + (size_t)i * sample_size, sample_size);
	}
}

static void on_end(void *opaque, int ret)
{
	struct stream *s = opaque;

	s->error = ret;
}

/* Once the firmware told what there is. */
static int begin(struct stream *s)
{
	u64 all = 0;

	if (!s->samples) {
		put_counters(&s->text, s->counters);
		return 0;
	}
	for (u32 i = 0; i < s->counters->nr_groups; i++)
		all |= BASE_BIT64(s->counters->groups[i].id);
	if (!s->cfg.groups)
		s->cfg.groups = all;
	if (s->cfg.groups & ~all)
		return -ENOENT;
	return drv_metric_create(s->handle.dev->drv, &s->cfg, &s->metric);
}

/* 0: there is something to read, or there will be no more. */
static int stream_ready(struct svc_handle *h)
{
	struct stream *s = to_stream(h);

	if (!s->counters && !s->error) {
		int ret = drv_counters(h->dev->drv, &s->counters);

		if (ret == -EAGAIN)
			return ret;
		s->error = ret ? ret : begin(s);
	}
	if (s->pos < s->text.len || s->error || (s->counters && !s->samples))
		return 0;
	s->pos = s->text.len = 0;
	return -EAGAIN;
}

static s64 stream_read(struct svc_handle *h, void *buf, u64 size, struct base_err *err)
{
	struct stream *s = to_stream(h);

	if (stream_ready(h)) {
		svc_dev_process(h->dev);
		svc_dev_pass_time(h->dev);
	}
	if (stream_ready(h))
		return 0;
	if (s->pos < s->text.len)
		return (s64)svc_text_take(&s->text, &s->pos, buf, size);
	if (s->error)
		return base_err_set(err, s->error, "%s: %s", h->ops->name,
				    s->error == -ENOENT ? "no such group of counters"
				    : s->error == -EOPNOTSUPP
					    ? "this device's firmware counts nothing"
					    : base_err_name(s->error));
	return s->text.failed ? base_err_set(err, -ENOMEM, "%s: no memory", h->ops->name) : 0;
}

static void stream_close(struct svc_handle *h)
{
	struct stream *s = to_stream(h);

	if (s->metric)
		drv_metric_destroy(s->metric);
	base_free(s->text.buf);
	base_free(s);
}

static const struct svc_handle_ops counters_ops = {
	.name = "counters",
	.read = stream_read,
	.ready = stream_ready,
	.close = stream_close,
};

static const struct svc_handle_ops stream_ops = {
	.name = "stream",
	.read = stream_read,
	.ready = stream_ready,
	.close = stream_close,
};

static int set_param(struct stream *s, const char *key, size_t key_len, u64 val)
{
	static const char *const keys[] = { "groups", "period_us", "samples" };
	u32 i = 0;

	while (i < 3 && (strlen(keys[i]) != key_len || memcmp(keys[i], key, key_len)))
		i++;
	if (i == 0 && val)
		s->cfg.groups = val;
	else if (i == 1 && val >= 1000 && val <= UINT32_MAX)
		s->cfg.period_ns = val * BASE_NS_PER_US;
	else if (i == 2 && val && val <= 10000)
		s->cfg.samples = (u32)val;
	else
		return -EINVAL;
	return 0;
}

/* "key=value&key=value"; numbers only. */
static int parse(struct stream *s, const char *params, struct base_err *err)
{
	for (const char *p = params; *p; p += *p == '&') {
		size_t len = strcspn(p, "&"), key_len = strcspn(p, "=&");
		u64 val;

		if (key_len >= len || !svc_parse_u64(p + key_len + 1, len - key_len - 1, &val) ||
		    set_param(s, p, key_len, val))
			return base_err_set(err, -EINVAL,
					    "stream: parameters are groups=MASK, period_us=1000 or "
					    "more, samples=1 to 10000");
		p += len;
	}
	return 0;
}

int svc_stream_open(struct svc_client *client, struct svc_device *dev, const char *params, u32 *out,
		    struct base_err *err)
{
	struct stream *s = base_zalloc(sizeof(*s));
	int ret;

	if (!s)
		return base_err_set(err, -ENOMEM, "stream: no memory for the handle");
	s->handle.ops = params ? &stream_ops : &counters_ops;
	s->handle.dev = dev;
	s->samples = params != NULL;
	s->cfg = (struct drv_metric_cfg){ .period_ns = 10 * BASE_NS_PER_MS,
					  .samples = 10,
					  .on_samples = on_samples,
					  .on_end = on_end,
					  .opaque = s };
	ret = params ? parse(s, params, err) : 0;
	if (!ret)
		ret = svc_handle_add(client, &s->handle, out, err);
	if (ret)
		base_free(s);
	else
		(void)stream_ready(&s->handle); /* the firmware is asked at once */
	return ret;
}
