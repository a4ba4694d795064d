// SPDX-License-Identifier: MIT
/*
 * What a warm resume asks of the firmware, by name: nothing.  It copies no image and registers
 * nothing anew.  A cold boot of the same device is the counter-proof.  P 5.3, 7.3, 11.1, 11.2.
 *
 * The reference NPU is not among these: it has no state to sleep in.
 */
#include "work.h"

#include "abi/abi_names.h"
#include "driver/metric.h"

#define NR_WORKS 3u
#define MAX_MSGS 40u
#define ROUNDS	 3u

static struct work works[NR_WORKS];

static int setup(void **state)
{
	(void)state;
	env_open(&env, 51, true);
	env_boot(&env);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

/*
 * Messages, in the order of the driver's trace
 */

struct msgs {
	u32 mark;	  /* in the trace */
	u32 next_id;	  /* of the first question */
	u64 accesses;	  /* to registers */
	u32 pushes, bell; /* writes to the message FIFO, to doorbells */
};

static struct msgs since;

static void watch(void *opaque, const struct os_faulty_access *a)
{
	const struct drv_layout *regs = &env.dev->regs;
	u64 bells = regs->doorbell.off;

	(void)opaque;
	if (!a->is_write || !a->bytes)
		return;
	since.pushes += a->bar == regs->fifo_push.bar && a->off == regs->fifo_push.off;
	since.bell += a->bar == regs->doorbell.bar && a->off >= bells &&
		      a->off < bells + DRV_NR_DBS * regs->doorbell_stride;
}

static u64 accesses(void)
{
	struct os_faulty_stats stats;

	os_faulty_get_stats(env.os, &stats);
	return stats.rd + stats.wr;
}

static void note(void)
{
	since = (struct msgs){ .mark = env.dev->trace.next,
			       .next_id = env.dev->jsm.next_id,
			       .accesses = accesses() };
	os_faulty_watch(env.os, watch, NULL);
}

/* "REGISTER_DB REGISTER_DB_DONE ...": since note() */
static const char *said(void)
{
	static char text[MAX_MSGS * 40];
	const struct drv_trace *t = &env.dev->trace;
	u32 asked = 0;
	size_t len = 0;

	assert_true(accesses() - since.accesses < DRV_TRACE_RECS / 2); /* it has all of them */
	text[0] = '\0';
	for (u32 i = since.mark; i != t->next; i = (i + 1) % DRV_TRACE_RECS) {
		const struct drv_trace_rec *rec = &t->rec[i];

		if (rec->kind != DRV_TRACE_TX && rec->kind != DRV_TRACE_RX)
			continue;
		asked += rec->kind == DRV_TRACE_TX;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? " " : "",
					abi_jsm_type_name(rec->off));
		assert_true(len < sizeof(text));
	}
	assert_int_equal(env.dev->jsm.next_id - since.next_id, asked);
	assert_int_equal(since.pushes, asked); /* the device saw no other */
	return text;
}

/* Until @state, within a second; no time goes by in it. */
static void run_to(enum drv_state state)
{
	u64 until_ns = drv_now_ns(env.dev) + BASE_NS_PER_S;

	for (;;) {
		u64 next_ns = drv_process(env.dev);
		int ret;

		if (drv_get_state(env.dev) == state)
			return;
		assert_true(drv_now_ns(env.dev) < until_ns);
		ret = drv_wait(env.dev, base_min(next_ns, until_ns));
		assert_true(!ret || ret == -ETIMEDOUT);
	}
}

static void sleep_now(void)
{
	assert_int_equal(drv_suspend(env.dev), 0);
	run_to(DRV_SUSPENDED);
}

/* Power goes before the firmware has answered: the next boot is a cold one. */
static void sleep_coldly(void)
{
	assert_int_equal(os_inproc_fault(env.npu, "lost-answer", 1), 0);
	sleep_now();
	assert_false(env.dev->pm.warm);
}

static void wake(void)
{
	assert_int_equal(drv_resume(env.dev), 0);
	run_to(DRV_READY);
}

static u64 boots(bool warm)
{
	struct drv_info info;

	drv_get_info(env.dev, &info);
	return warm ? info.warm_boots : info.cold_boots;
}

/* A job in each context that copies bytes. */
static void use_all(void)
{
	for (u32 i = 0; i < NR_WORKS; i++) {
		struct work *w = &works[i];
		struct cmdlist list;

		memset(w->cpu + 0x1000, (int)(i + boots(true) + 1), 0x100);
		memset(w->cpu + 0x2000, 0, 0x100);
		list_at(&list, w, 0);
		list_copy(&list, 0x800, w->addr + 0x2000, w->addr + 0x1000, 0x100);
		assert_int_equal(run_one(w, &list), 0);
		assert_memory_equal(w->cpu + 0x2000, w->cpu + 0x1000, 0x100);
	}
	env_run(&env, BASE_NS_PER_MS);
}

static void open_all(void)
{
	for (u32 i = 0; i < NR_WORKS; i++)
		work_open(&works[i]);
	use_all();
}

static void close_all(void)
{
	for (u32 i = 0; i < NR_WORKS; i++)
		work_close(&works[i]);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
}

#define REG_OS "REGISTER_DB REGISTER_DB_DONE"
#define REG_HW                                                           \
	"CREATE_CMD_QUEUE CREATE_CMD_QUEUE_RSP "                         \
	"SET_CONTEXT_SCHED_PROPERTIES SET_CONTEXT_SCHED_PROPERTIES_RSP " \
	"HWS_REGISTER_DB REGISTER_DB_DONE"
#define BANDS "SET_PRIORITY_BAND_SETUP SET_PRIORITY_BAND_SETUP_RSP"

/* Asleep it has one question, awake again none; every queue goes on behind its doorbell. */
static void test_messages(void **state)
{
	u32 db[NR_WORKS];

	(void)state;
	open_all();
	for (u32 i = 0; i < NR_WORKS; i++)
		db[i] = works[i].queue->db;
	for (u32 round = 1; round <= ROUNDS; round++) {
		note();
		sleep_now();
		assert_string_equal(said(), "PWR_D0I3_ENTER PWR_D0I3_ENTER_DONE");
		note();
		wake();
		assert_string_equal(said(), "");
		assert_int_equal(since.bell, 0); /* nothing to tell */
		use_all();
		assert_string_equal(said(), "");
		assert_int_equal(since.bell, NR_WORKS);
		assert_int_equal(boots(true), round);
		assert_int_equal(boots(false), 1);
	}
	for (u32 i = 0; i < NR_WORKS; i++)
		assert_int_equal(works[i].queue->db, db[i]);
	close_all();
	env_expect_clean(&env);
}

/* The counter-proof: a firmware that forgot is told everything anew. */
static void test_messages_cold(void **state)
{
	static const char *const os = REG_OS " " REG_OS " " REG_OS;
	static const char *const hw = BANDS " " REG_HW " " REG_HW " " REG_HW;

	(void)state;
	open_all();
	sleep_coldly();
	note();
	wake();
	assert_string_equal(said(), env_hws() ? BANDS : "");
	use_all();
	assert_string_equal(said(), env_hws() ? hw : os);
	assert_int_equal(boots(true), 0);
	assert_int_equal(boots(false), 2);
	close_all();
	env_expect_clean(&env);
}

/* What was changed while it slept is told, and only that. */
static void test_messages_of_changes(void **state)
{
	(void)state;
	open_all();
	sleep_now();
	assert_int_equal(drv_set_fw_log_level(env.dev, 2), 0);
	note();
	wake();
	assert_string_equal(said(), "TRACE_SET_CONFIG TRACE_SET_CONFIG_RSP");
	sleep_now();
	note();
	wake();
	assert_string_equal(said(), "");
	assert_int_equal(boots(true), 2);
	close_all();
	env_expect_clean(&env);
}

static void on_samples(void *opaque, const void *data, u32 sample_size, u32 nr, u32 dropped)
{
	(void)data, (void)sample_size, (void)dropped;
	*(u32 *)opaque += nr;
}

static void on_end(void *opaque, int ret)
{
	(void)opaque;
	fail_msg("the stream ended: %d", ret);
}

/* A metric stream and duty cycling go on, too. */
static void test_messages_of_streams(void **state)
{
	u32 samples = 0;
	const struct drv_metric_cfg cfg = { .groups = 1,
					    .period_ns = 20 * BASE_NS_PER_MS,
					    .samples = 50,
					    .on_samples = on_samples,
					    .on_end = on_end,
					    .opaque = &samples };
	struct drv_metric *m;
	bool has_dct;

	(void)state;
	assert_int_equal(os_inproc_fault(env.npu, "dct-on", 1), 0);
	open_all();
	has_dct = env.dev->dct.percent != 0; /* npu37 has none */
	assert_int_equal(has_dct, env_reg_gen()->btrs_kind == REG_BTRS_LNL);
	assert_int_equal(os_inproc_fault(env.npu, "dct-on", 0), 0);
	assert_int_equal(drv_metric_create(env.dev, &cfg, &m), 0);
	env_run(&env, 100 * BASE_NS_PER_MS);
	for (u32 round = 0; round < 2; round++) {
		sleep_now();
		env_run(&env, round * 2 * BASE_NS_PER_S);
		note();
		wake();
		use_all();
		/* after the long sleep samples are due: they are read */
		assert_string_equal(said(), round ? "METRIC_STREAMER_UPDATE "
						    "METRIC_STREAMER_UPDATE_DONE"
						  : "");
	}
	assert_int_equal(boots(true), 2);
	samples = 0;
	env_run(&env, 10 * BASE_NS_PER_S);
	assert_true(samples > 0);
	drv_metric_destroy(m);
	close_all();
	env_expect_clean(&env);
}

/*
 * Memory
 */

/* The image's place in the firmware's memory is not touched: what stands there stays. */
static void test_no_image(void **state)
{
	u32 size = env.dev->fw.hdr.image_size;
	u8 *cpu = drv_bo_cpu(env.dev->fw.runtime);
	const u8 *image = env.dev->fw.image + ABI_FW_IMAGE_OFF;

	(void)state;
	open_all();
	assert_true(size > 0);
	assert_memory_equal(cpu, image, size);
	sleep_now();
	for (u32 i = 0; i < size; i++)
		cpu[i] = image[i] ^ 0xff;
	wake();
	use_all();
	assert_int_equal(boots(true), 1);
	for (u32 i = 0; i < size; i++)
		if ((cpu[i] ^ image[i]) != 0xff)
			fail_msg("byte 0x%x of the image was written", i);
	sleep_coldly();
	wake();
	use_all();
	assert_int_equal(boots(false), 2);
	assert_memory_equal(cpu, image, size); /* a cold boot brings it back */
	close_all();
}

/* Of the boot parameters those that P 5.3 names, and what the firmware writes there. */
static void expect_same_params(const struct abi_boot_params *before)
{
	const struct abi_boot_params *now = drv_bo_cpu(env.dev->fw.params);
	struct abi_boot_params want = *before;

	assert_int_equal(now->boot_type, ABI_BOOT_TYPE_WARM);
	assert_true(now->d0i3_residency_time_us > 0);
	want.boot_type = now->boot_type;
	want.d0i3_residency_time_us = now->d0i3_residency_time_us;
	want.d0i3_entry_vpu_ts = now->d0i3_entry_vpu_ts;
	want.system_time_us = now->system_time_us;
	want.save_restore_ret_address = 0;
	want.device_time_delta_ticks = now->device_time_delta_ticks;
	want.standby_state_achieved = now->standby_state_achieved;
	assert_memory_equal(now, &want, sizeof(want));
}

/* No memory is taken, for the device or the driver, and what the firmware has of it stays. */
static void test_memory_stays(void **state)
{
	u32 last = ABI_IPC_BUF_SIZE - ABI_IPC_TX_SIZE; /* of the message slots: never used here */
	struct abi_boot_params before;
	u64 allocs, live;
	u8 *tx;

	(void)state;
	open_all();
	tx = env.dev->ipc.tx_cpu + last + ABI_IPC_TX_MSG_OFF;
	*tx = 0x5a;
	sleep_now();
	env_run(&env, 10 * BASE_NS_PER_MS);
	memcpy(&before, drv_bo_cpu(env.dev->fw.params), sizeof(before));
	live = env_live_dma(&env);
	allocs = base_alloc_count();
	wake();
	if (!env_socket) /* its other end is in this process, too */
		assert_int_equal(base_alloc_count(), allocs);
	assert_int_equal(env_live_dma(&env), live);
	assert_int_equal(*tx, 0x5a);
	expect_same_params(&before);
	use_all();
	assert_int_equal(boots(true), 1);
	close_all();
	env_expect_clean(&env);
}

int main(int argc, char **argv)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_messages),
		T(test_messages_cold),
		T(test_messages_of_changes),
		T(test_messages_of_streams),
		T(test_no_image),
		T(test_memory_stays),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("warm", tests, NULL, NULL);
}
