// SPDX-License-Identifier: MIT
/*
 * Metric streams.  SRC: P 7.4, 7.5, 12.6.
 *
 *   WANT_INFO -> ASKING_INFO (how long is a sample?) -> WANT_STOP_OLD -> STOPPING_OLD
 *     -> WANT_START -> STARTING -> RUNNING -> (each @samples periods) WANT_UPDATE -> UPDATING
 *     -> RUNNING ...   destroyed: WANT_STOP -> STOPPING -> freed
 *   a firmware that was booted anew, or a question that was cancelled: back to WANT_STOP_OLD
 *   an error: ENDED
 *
 * What may be left of a stream of before is stopped first, whatever the answer: after a suspend it
 * goes on, after a recovery it is gone, and a cancelled question may have been heard.
 *
 * Two halves of one buffer take turns: UPDATE hands the firmware the other one and says how much is
 * in the first.  Each has room for twice the samples that are to be read at once.
 */
#include "driver/metric.h"

#include <errno.h>

#include "driver/dev.h"

#define MAX_STREAMS	8u
#define MAX_SAMPLE_SIZE 0x10000u

enum state {
	WANT_INFO,
	ASKING_INFO,
	WANT_STOP_OLD,
	STOPPING_OLD,
	WANT_START,
	STARTING,
	RUNNING,
	WANT_UPDATE,
	UPDATING,
	WANT_STOP,
	STOPPING,
	ENDED,
};

struct drv_metric {
	struct drv_dev *dev;
	struct drv_list link; /* dev->metrics */
	struct drv_metric_cfg cfg;
	enum state state;
	bool dying;
	u32 boots; /* of the firmware that runs it */
	u32 sample_size, half_size;
	u32 half; /* which one the firmware fills */
	u64 next_ns;
	struct drv_bo *bo;
};

static void update_timer(struct drv_dev *dev)
{
	u64 first_ns = DRV_NO_TIME;

	for (struct drv_list *l = dev->metrics.next; l != &dev->metrics; l = l->next) {
		const struct drv_metric *m = base_container_of(l, struct drv_metric, link);

		if (m->state == RUNNING)
			first_ns = base_min(first_ns, m->next_ns);
	}
	drv_timer_set(dev, DRV_TIMER_METRIC, first_ns);
}

static u64 half_addr(const struct drv_metric *m, u32 half)
{
	return drv_bo_addr(m->bo) + (u64)half * m->half_size;
}

static void run(struct drv_metric *m)
{
	m->state = RUNNING;
	m->next_ns = m->dev->now_ns + m->cfg.samples * m->cfg.period_ns;
	update_timer(m->dev);
}

/* May the firmware write to its memory? */
static bool is_known(const struct drv_metric *m)
{
	return m->boots && m->boots == m->dev->fw.boots;
}

static void end(struct drv_metric *m, int ret)
{
	m->state = is_known(m) ? WANT_STOP : ENDED;
	if (!m->dying && m->cfg.on_end)
		m->cfg.on_end(m->cfg.opaque, ret);
}

static int make_buffer(struct drv_metric *m, u32 sample_size)
{
	struct drv_bo_spec spec = {
		.align = BASE_PAGE_SIZE,
		.range = &m->dev->gen->va.global,
		.cache = OS_CACHE_WB,
		.map = DRV_MAP_SNOOP,
	};
	u64 half;

	if (!sample_size || sample_size > MAX_SAMPLE_SIZE)
		return -EPROTO; /* SRC: P trap 33: never 0 */
	if (!base_mul_u64(2 * (u64)sample_size, m->cfg.samples, &half) ||
	    half > DRV_METRIC_MEMORY_MAX / 2)
		return -ENOMEM;
	m->sample_size = sample_size;
	m->half_size = (u32)base_align_up(half, BASE_PAGE_SIZE);
	spec.size = 2 * (u64)m->half_size;
	return drv_bo_new(m->dev->sys, &spec, &m->bo);
}

static void informed(struct drv_metric *m, const struct abi_jsm_metric_done *done)
{
	int ret = make_buffer(m, done->sample_size);

	if (ret)
		end(m, ret);
	else
		m->state = WANT_STOP_OLD;
}

/* What is said of the half that was in use.  The next one is in use already. */
static void updated(struct drv_metric *m, const struct abi_jsm_metric_done *done)
{
	u32 half = m->half;
	u64 bytes = done->bytes_written;

	if (done->buffer_addr != half_addr(m, half) || bytes > m->half_size ||
	    bytes % m->sample_size) {
		drv_warn(m->dev, JSM,
			 "metric stream: %llu bytes at 0x%llx, expected at most %u at 0x%llx in "
			 "samples of %u",
			 (unsigned long long)bytes, (unsigned long long)done->buffer_addr,
			 m->half_size, (unsigned long long)half_addr(m, half), m->sample_size);
		end(m, -EPROTO);
		return;
	}
	m->half = !half;
	run(m);
	if (!m->dying && (bytes || done->samples_dropped))
		m->cfg.on_samples(m->cfg.opaque, (u8 *)drv_bo_cpu(m->bo) + half * m->half_size,
				  m->sample_size, (u32)bytes / m->sample_size,
				  done->samples_dropped);
}

static void good_answer(struct drv_metric *m, const struct abi_jsm_metric_done *done)
{
	switch (m->state) {
	case ASKING_INFO:
		informed(m, done);
		return;
	case STARTING:
		m->half = 0;
		run(m);
		return;
	case UPDATING:
		updated(m, done);
		return;
	case WANT_INFO:
	case WANT_STOP_OLD:
	case STOPPING_OLD:
	case WANT_START:
	case RUNNING:
	case WANT_UPDATE:
	case WANT_STOP:
	case STOPPING:
	case ENDED:
		return;
	}
}

static void answered(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	struct drv_metric *m = arg;

	dev->work = true;
	if (m->state == STOPPING_OLD && ret != -ECANCELED) {
		m->state = WANT_START; /* mostly there is none */
		return;
	}
	if (m->state == STOPPING) {
		m->state = ret == -ECANCELED ? WANT_STOP : ENDED;
		if (ret != -ECANCELED)
			m->boots = 0;
		return;
	}
	if (ret && ret != -ECANCELED && m->state == STARTING)
		m->boots = 0; /* refused */
	if (ret == -ECANCELED)
		m->state = m->state == ASKING_INFO ? WANT_INFO : WANT_STOP_OLD;
	else if (ret)
		end(m, ret);
	else
		good_answer(m, &answer->payload.metric_done);
}

static u32 put_start(const struct drv_metric *m, union abi_jsm_payload *p)
{
	p->metric_start = (struct abi_jsm_metric_start){
		.metric_group_mask = m->cfg.groups,
		.sampling_rate_ns = m->cfg.period_ns,
		.buffer_addr = half_addr(m, 0),
		.buffer_size = m->half_size,
	};
	return sizeof(p->metric_start);
}

static u32 put_info(const struct drv_metric *m, union abi_jsm_payload *p)
{
	p->metric_start = (struct abi_jsm_metric_start){ .metric_group_mask = m->cfg.groups };
	return sizeof(p->metric_start);
}

static u32 put_update(const struct drv_metric *m, union abi_jsm_payload *p)
{
	p->metric_update = (struct abi_jsm_metric_update){
		.metric_group_mask = m->cfg.groups,
		.buffer_addr = half_addr(m, !m->half),
		.buffer_size = m->half_size,
	};
	return sizeof(p->metric_update);
}

static u32 put_stop(const struct drv_metric *m, union abi_jsm_payload *p)
{
	p->metric_stop = (struct abi_jsm_metric_stop){ .metric_group_mask = m->cfg.groups };
	return sizeof(p->metric_stop);
}

static const struct question {
	enum state from, asked;
	u32 type, answer;
	u32 (*put)(const struct drv_metric *m, union abi_jsm_payload *p);
} questions[] = {
	{ WANT_INFO, ASKING_INFO, ABI_JSM_METRIC_STREAMER_INFO, ABI_JSM_METRIC_STREAMER_INFO_DONE,
	  put_info },
	{ WANT_STOP_OLD, STOPPING_OLD, ABI_JSM_METRIC_STREAMER_STOP,
	  ABI_JSM_METRIC_STREAMER_STOP_DONE, put_stop },
	{ WANT_START, STARTING, ABI_JSM_METRIC_STREAMER_START, ABI_JSM_METRIC_STREAMER_START_DONE,
	  put_start },
	{ WANT_UPDATE, UPDATING, ABI_JSM_METRIC_STREAMER_UPDATE,
	  ABI_JSM_METRIC_STREAMER_UPDATE_DONE, put_update },
	{ WANT_STOP, STOPPING, ABI_JSM_METRIC_STREAMER_STOP, ABI_JSM_METRIC_STREAMER_STOP_DONE,
	  put_stop },
};

static void ask(struct drv_metric *m)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(questions); i++) {
		const struct question *q = &questions[i];
		union abi_jsm_payload payload;

		if (q->from != m->state)
			continue;
		/* all slots taken: again when one is free */
		if (drv_jsm_ask(m->dev, q->type, q->answer, &payload, q->put(m, &payload), true,
				answered, m))
			return;
		m->state = q->asked;
		if (q->asked == STARTING)
			m->boots = m->dev->fw.boots;
		return;
	}
}

static bool is_asking(const struct drv_metric *m)
{
	return m->state == ASKING_INFO || m->state == STOPPING_OLD || m->state == STARTING ||
	       m->state == UPDATING || m->state == STOPPING;
}

static void metric_free(struct drv_metric *m)
{
	struct drv_dev *dev = m->dev;

	drv_list_del(&m->link);
	if (m->bo)
		drv_bo_destroy(m->bo);
	base_free(m);
	dev->nr_metrics--;
	update_timer(dev);
}

/* Nothing runs that could write to memory, and nothing will but by a cold boot. */
static bool is_off(const struct drv_dev *dev)
{
	return dev->state == DRV_CREATED || dev->state == DRV_STOPPED || dev->state == DRV_FAILED;
}

static void progress(struct drv_metric *m)
{
	struct drv_dev *dev = m->dev;

	if (m->dying && !is_asking(m)) {
		if (!is_known(m) || is_off(dev)) {
			metric_free(m);
			return;
		}
		m->state = WANT_STOP;
	}
	if (!drv_is_up(dev)) {
		if (m->state != RUNNING && m->state != ENDED && !is_asking(m) &&
		    drv_takes_jobs(dev))
			drv_pm_get(dev);
		return;
	}
	if (m->state == RUNNING && !is_known(m))
		m->state = WANT_STOP_OLD;
	else if (m->state == WANT_STOP && !is_known(m))
		m->state = ENDED;
	ask(m);
}

void drv_metric_progress(struct drv_dev *dev)
{
	for (struct drv_list *l = dev->metrics.next, *next; l != &dev->metrics; l = next) {
		next = l->next;
		progress(base_container_of(l, struct drv_metric, link));
	}
}

void drv_metric_timer(struct drv_dev *dev)
{
	if (dev->now_ns < dev->timers[DRV_TIMER_METRIC])
		return;
	for (struct drv_list *l = dev->metrics.next; l != &dev->metrics; l = l->next) {
		struct drv_metric *m = base_container_of(l, struct drv_metric, link);

		if (m->state == RUNNING && dev->now_ns >= m->next_ns)
			m->state = WANT_UPDATE;
	}
	update_timer(dev);
	dev->work = true;
}

int drv_metric_create(struct drv_dev *dev, const struct drv_metric_cfg *cfg,
		      struct drv_metric **out)
{
	struct drv_metric *m;
	u64 span_ns;

	if (!cfg->groups || !cfg->samples || cfg->period_ns < DRV_METRIC_PERIOD_MIN_NS ||
	    !base_mul_u64(cfg->samples, cfg->period_ns, &span_ns) || span_ns > INT64_MAX / 2)
		return -EINVAL;
	if (!dev->sys)
		return -EOPNOTSUPP;
	if (dev->nr_metrics == MAX_STREAMS)
		return -EBUSY;
	m = base_zalloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->dev = dev;
	m->cfg = *cfg;
	drv_list_add(&dev->metrics, &m->link);
	dev->nr_metrics++;
	dev->work = true;
	*out = m;
	return 0;
}

void drv_metric_destroy(struct drv_metric *m)
{
	m->dying = true;
	m->dev->work = true;
}

void drv_metric_fini(struct drv_dev *dev)
{
	while (!drv_list_empty(&dev->metrics))
		metric_free(base_container_of(dev->metrics.next, struct drv_metric, link));
}
