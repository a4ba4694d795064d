// SPDX-License-Identifier: MIT
/*
 * What the firmware counts: asked for once, in two questions, and taken apart.  SRC: P 7.5.
 *
 *   NONE -> SIZE asked -> TEXT asked -> KNOWN
 *   an answer that is an error or nonsense: BAD; a question that was cancelled: NONE
 *
 * The descriptors are the firmware's: each offset and size is checked against a private copy.
 */
#include <errno.h>
#include <string.h>

#include "driver/dev.h"
#include "driver/metric.h"

#define ALL_GROUPS UINT64_MAX /* SRC: linux-npu-driver, how it asks for all there are */
#define TEXT_MAX   0x10000u   /* SRC: P 12.6 */

enum { NONE, ASKED_SIZE, ASKED_TEXT, KNOWN, BAD };

struct drv_counters_state {
	int state;
	int error;
	u32 text_size;
	struct drv_bo *bo;
	struct drv_counters known;
};

/* A piece of the firmware's text. */
struct text {
	const u8 *at;
	u32 size;
};

static bool copy_struct(const struct text *t, u32 off, void *out, u32 size)
{
	if (!base_range_ok(off, size, t->size))
		return false;
	memcpy(out, t->at + off, size);
	return true;
}

/* @size bytes at *@off, which moves behind them; not necessarily terminated. */
static bool copy_string(const struct text *t, u32 *off, u32 size, char *out, u32 out_size)
{
	u32 n = 0;

	if (!base_range_ok(*off, size, t->size))
		return false;
	for (; n < size && n < out_size - 1 && t->at[*off + n]; n++) {
		u8 c = t->at[*off + n];

		out[n] = c >= ' ' && c <= '~' && c != '"' && c != '\\' ? (char)c : '?';
	}
	out[n] = '\0';
	*off += size;
	return true;
}

static bool read_counter(const struct text *t, u32 off, struct drv_counters *out,
			 struct abi_jsm_metric_counter *d)
{
	const struct drv_counter_group *group = &out->groups[out->nr_groups];
	struct drv_counter *c = &out->counters[out->nr_counters];
	char component[8];

	if (!copy_struct(t, off, d, sizeof(*d)) || d->data_size > sizeof(u64) ||
	    !base_range_ok(d->data_offset, d->data_size, group->size))
		return false;
	*c = (struct drv_counter){ .group = out->nr_groups,
				   .off = d->data_offset,
				   .size = d->data_size,
				   .type = d->metric_type,
				   .value_type = d->value_type };
	off += (u32)sizeof(*d);
	if (!copy_string(t, &off, d->name_size, c->name, sizeof(c->name)) ||
	    !copy_string(t, &off, d->description_size, c->description, sizeof(c->description)) ||
	    !copy_string(t, &off, d->component_size, component, sizeof(component)) ||
	    !copy_string(t, &off, d->units_size, c->units, sizeof(c->units)))
		return false;
	out->nr_counters++;
	return true;
}

/* The next one lies @step bytes on; false when that is not forward. */
static bool step_on(u32 *off, u32 step, u32 least)
{
	return step >= least && !__builtin_add_overflow(*off, step, off);
}

static bool read_counters(const struct text *t, u32 off, u32 nr, struct drv_counters *out)
{
	struct abi_jsm_metric_counter d;

	for (u32 i = 0; i < nr; i++) {
		if (out->nr_counters == DRV_MAX_COUNTERS)
			return true; /* the rest is not shown */
		if (!read_counter(t, off, out, &d))
			return false;
		if (i + 1 < nr && !step_on(&off, d.next_counter_offset, sizeof(d)))
			return false;
	}
	return true;
}

static bool read_group(const struct text *t, u32 off, struct drv_counters *out,
		       struct abi_jsm_metric_group *d)
{
	struct drv_counter_group *g = &out->groups[out->nr_groups];
	u32 first = off, text = off + (u32)sizeof(*d);

	if (!copy_struct(t, off, d, sizeof(*d)) || d->group_id >= 64 || d->data_size > TEXT_MAX ||
	    (out->nr_groups && d->group_id <= g[-1].id))
		return false;
	*g = (struct drv_counter_group){ .id = d->group_id, .size = d->data_size };
	if (!copy_string(t, &text, d->name_size, g->name, sizeof(g->name)) ||
	    !step_on(&first, d->first_counter_offset, sizeof(*d)) ||
	    !read_counters(t, first, d->num_counters, out))
		return false;
	out->nr_groups++;
	return true;
}

/* 0 or -EPROTO. */
int drv_counters_parse(const u8 *at, u32 size, struct drv_counters *out)
{
	const struct text t = { at, size };
	struct abi_jsm_metric_group d;
	u32 off = 0;

	memset(out, 0, sizeof(*out));
	do {
		if (out->nr_groups == DRV_MAX_GROUPS)
			return 0; /* the rest is not shown */
		if (!read_group(&t, off, out, &d))
			return -EPROTO;
	} while (d.next_group_offset && step_on(&off, d.next_group_offset, sizeof(d)));
	return 0;
}

static void fail(struct drv_dev *dev, int ret)
{
	struct drv_counters_state *s = dev->counters;

	s->state = ret == -ECANCELED ? NONE : BAD;
	s->error = ret;
	if (s->bo)
		drv_bo_destroy(s->bo);
	s->bo = NULL;
	if (ret != -ECANCELED)
		drv_warn(dev, JSM, "what the firmware counts is not known: %s", base_err_name(ret));
}

static void got_text(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	struct drv_counters_state *s = dev->counters;
	u8 *copy = NULL;

	(void)arg;
	if (!ret && answer->payload.metric_done.bytes_written > s->text_size)
		ret = -EPROTO;
	if (!ret) {
		copy = base_zalloc(s->text_size);
		ret = copy ? 0 : -ENOMEM;
	}
	if (!ret) {
		memcpy(copy, drv_bo_cpu(s->bo), s->text_size);
		ret = drv_counters_parse(copy, (u32)answer->payload.metric_done.bytes_written,
					 &s->known);
	}
	base_free(copy);
	if (ret) {
		fail(dev, ret);
		return;
	}
	s->state = KNOWN;
	drv_bo_destroy(s->bo);
	s->bo = NULL;
}

static int ask(struct drv_dev *dev, int state, drv_req_done_fn done)
{
	struct drv_counters_state *s = dev->counters;
	struct abi_jsm_metric_start payload = { .metric_group_mask = ALL_GROUPS };
	int ret;

	if (s->bo) {
		payload.buffer_addr = drv_bo_addr(s->bo);
		payload.buffer_size = s->text_size;
	}
	ret = drv_jsm_ask(dev, ABI_JSM_METRIC_STREAMER_INFO, ABI_JSM_METRIC_STREAMER_INFO_DONE,
			  &payload, sizeof(payload), true, done, NULL);
	if (!ret)
		s->state = state;
	return ret;
}

static void got_size(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	struct drv_counters_state *s = dev->counters;
	const struct drv_bo_spec spec = {
		.size = TEXT_MAX,
		.align = BASE_PAGE_SIZE,
		.range = &dev->gen->va.global,
		.cache = OS_CACHE_WB,
		.map = DRV_MAP_SNOOP,
	};

	(void)arg;
	if (!ret && (!answer->payload.metric_done.bytes_written ||
		     answer->payload.metric_done.bytes_written > TEXT_MAX))
		ret = -EPROTO;
	if (!ret) {
		s->text_size = (u32)answer->payload.metric_done.bytes_written;
		ret = drv_bo_new(dev->sys, &spec, &s->bo);
	}
	if (!ret)
		ret = ask(dev, ASKED_TEXT, got_text);
	if (ret)
		fail(dev, ret == -EBUSY ? -ECANCELED : ret);
}

int drv_counters(struct drv_dev *dev, const struct drv_counters **out)
{
	struct drv_counters_state *s = dev->counters;
	int ret;

	if (!dev->sys)
		return -EOPNOTSUPP;
	if (!s) {
		s = dev->counters = base_zalloc(sizeof(*s));
		if (!s)
			return -ENOMEM;
	}
	switch (s->state) {
	case KNOWN:
		*out = &s->known;
		return 0;
	case BAD:
		return s->error;
	case NONE:
		if (!drv_takes_jobs(dev))
			return -ENODEV;
		if (!drv_is_up(dev)) {
			drv_pm_get(dev);
			return -EAGAIN;
		}
		ret = ask(dev, ASKED_SIZE, got_size);
		return ret && ret != -EBUSY ? ret : -EAGAIN;
	default:
		return -EAGAIN;
	}
}

void drv_counters_fini(struct drv_dev *dev)
{
	if (dev->counters && dev->counters->bo)
		drv_bo_destroy(dev->counters->bo);
	base_free(dev->counters);
	dev->counters = NULL;
}
