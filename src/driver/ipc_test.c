// SPDX-License-Identifier: MIT
#include "ipc.c"
#include "jsm.c"

#include <setjmp.h>

#include <cmocka.h>

#include "driver/test_os.h"

#define RX_VA 0x90004000u
#define TX_VA 0x90000000u

static struct test_os os;
static struct drv_dev dev;
static u8 tx[ABI_IPC_BUF_SIZE] __attribute__((aligned(64)));
static u8 rx[ABI_IPC_BUF_SIZE] __attribute__((aligned(64)));
static u32 fifo[256], fifo_nr;
static u32 jobs_done, irqs, fails, last_job, last_status;
static int last_fail;

/* neighbours */
int drv_bo_new(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo **out)
{
	(void)ctx, (void)spec, (void)out;
	return -ENOMEM;
}
void drv_bo_destroy(struct drv_bo *bo)
{
	(void)bo;
}
void *drv_bo_cpu(const struct drv_bo *bo)
{
	(void)bo;
	return NULL;
}
u64 drv_bo_addr(const struct drv_bo *bo)
{
	(void)bo;
	return 0;
}
void drv_job_done(struct drv_dev *d, u32 id, u32 status)
{
	(void)d;
	jobs_done++;
	last_job = id;
	last_status = status;
}
void drv_irq_handle(struct drv_dev *d)
{
	(void)d;
	irqs++;
}
void drv_timer_set(struct drv_dev *d, enum drv_timer timer, u64 time_ns)
{
	d->timers[timer] = time_ns;
}
void drv_fail(struct drv_dev *d, int code, const char *fmt, ...)
{
	(void)fmt;
	d->state = DRV_FAILED;
	fails++;
	last_fail = code;
}
void drv_pm_idle(struct drv_dev *d)
{
	(void)d;
}
/* as with OS scheduling */
void drv_engine_hang(struct drv_dev *d, const char *fmt, ...)
{
	drv_fail(d, -ETIMEDOUT, "%s", fmt);
}

static void on_rd(struct test_os *t, u32 bar, u32 off)
{
	if (off == dev.regs.fifo_stat.off)
		*test_os_reg(t, bar, off) = fifo_nr << 16;
	if (off == dev.regs.fifo_pop.off) {
		*test_os_reg(t, bar, off) = fifo[0];
		memmove(fifo, fifo + 1, sizeof(fifo) - sizeof(fifo[0]));
		fifo_nr--;
	}
}

static int setup(void **state)
{
	(void)state;
	test_os_init(&os);
	os.on_rd = on_rd;
	memset(&dev, 0, sizeof(dev));
	memset(tx, 0, sizeof(tx));
	memset(rx, 0, sizeof(rx));
	dev.os = &os.os;
	dev.ops = os.os.ops;
	dev.gen = &reg_gen_npu37;
	dev.state = DRV_READY;
	dev.log.masked = UINT32_MAX;
	dev.regs.fifo_stat = DRV_IO(DRV_REG(IP_37XX, HOST_SS_TIM_IPC_FIFO_STAT));
	dev.regs.fifo_pop = DRV_IO(DRV_REG(IP_37XX, HOST_SS_TIM_IPC_FIFO_ATM));
	dev.regs.fifo_push = DRV_IO(DRV_REG(IP_37XX, CPU_SS_TIM_IPC_FIFO));
	dev.ipc.tx_cpu = tx;
	dev.ipc.rx_cpu = rx;
	dev.ipc.tx_va = TX_VA;
	dev.ipc.rx_va = RX_VA;
	dev.tdr_ns = DRV_NO_TIME;
	dev.tdr_period_ns = 2 * BASE_NS_PER_S;
	drv_jsm_init(&dev);
	fifo_nr = jobs_done = irqs = fails = 0;
	return 0;
}

static void push(u32 addr)
{
	fifo[fifo_nr++] = addr;
}

/* A message of the firmware in header slot @slot; P 6.1, 7.1. */
static struct abi_jsm_msg *message(u32 slot, u16 chan, u32 type, u32 id)
{
	struct abi_ipc_hdr *hdr = (void *)(rx + slot * ABI_IPC_HDR_SIZE);
	struct abi_jsm_msg *msg = (void *)(rx + ABI_IPC_RX_HDR_SIZE + slot * ABI_JSM_MSG_SIZE);

	hdr->data_addr = RX_VA + ABI_IPC_RX_HDR_SIZE + slot * ABI_JSM_MSG_SIZE;
	hdr->data_size = ABI_JSM_MSG_SIZE;
	hdr->channel = chan;
	hdr->status = ABI_IPC_ALLOCATED;
	*msg = (struct abi_jsm_msg){ .type = type, .status = ABI_IPC_ALLOCATED, .request_id = id };
	push(RX_VA + slot * ABI_IPC_HDR_SIZE);
	return msg;
}

static int drain(void)
{
	return drv_ipc_drain(&dev);
}

/* The bytes of P 13.6, at their addresses. */
static void test_vectors(void **state)
{
	static const u8 ready_hdr[] = { 0x54, 0x4f, 0x4f, 0x42, 0, 0, 0, 0, 0xff, 3, 0, 0, 1 };
	static const u8 done_hdr[] = { 0x80, 0x60, 0, 0x90, 0x80, 0, 0, 0, 0x0b, 0, 0, 0, 1 };
	static const u8 done_msg[] = { 0, 0x21, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const u8 done_payload[] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2 };

	(void)state;
	memcpy(rx, ready_hdr, sizeof(ready_hdr));
	push(0x90004000);
	assert_int_equal(drain(), DRV_IPC_READY);
	assert_int_equal(rx[0x0c], 0); /* freed */

	memcpy(rx + 0x80, done_hdr, sizeof(done_hdr));
	memcpy(rx + 0x2080 + 8, done_msg, sizeof(done_msg));
	memcpy(rx + 0x2080 + 0x20, done_payload, sizeof(done_payload));
	push(0x90004080);
	assert_int_equal(drain(), 0);
	assert_int_equal(jobs_done, 1);
	assert_int_equal(last_job, 0x100);
	assert_int_equal(last_status, 0);
	assert_int_equal(rx[0x80 + 0x0c], 0);
	assert_int_equal(rx[0x2080 + 0x0c], 0);
	assert_int_equal(dev.ipc_malformed, 0);
}

static u32 answers;
static int answer_ret;
static u64 answer_hb;

static void on_answer(struct drv_dev *d, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	(void)d, (void)arg;
	answers++;
	answer_ret = ret;
	answer_hb = answer ? answer->payload.engine_hb_done.heartbeat : 0;
}

static int ask(bool hb)
{
	const struct abi_jsm_engine payload = { 0 };

	return drv_jsm_ask(&dev, ABI_JSM_QUERY_ENGINE_HB, ABI_JSM_QUERY_ENGINE_HB_DONE, &payload,
			   sizeof(payload), hb, on_answer, NULL);
}

static void test_ask_and_answer(void **state)
{
	struct abi_ipc_hdr *hdr = (void *)tx;
	struct abi_jsm_msg *sent = (void *)(tx + ABI_IPC_TX_MSG_OFF);
	struct abi_jsm_msg *msg;

	(void)state;
	answers = 0;
	assert_int_equal(ask(false), 0);
	assert_int_equal(os.last_wr_off, dev.regs.fifo_push.off);
	assert_int_equal(os.last_wr_val, TX_VA);
	assert_int_equal(hdr->data_addr, TX_VA + 64);
	assert_int_equal(hdr->data_size, 128);
	assert_int_equal(hdr->status, 1);
	assert_int_equal(hdr->dst_node, 1);
	assert_int_equal(sent->type, 0x1104);
	assert_int_equal(sent->status, 1);
	assert_int_equal(sent->request_id, 1);
	assert_int_equal(sent->result, 0);

	msg = message(3, ABI_IPC_CHAN_ASYNC, ABI_JSM_QUERY_ENGINE_HB_DONE, 1);
	msg->payload.engine_hb_done.heartbeat = 77;
	assert_int_equal(drain(), 0);
	assert_int_equal(answers, 1);
	assert_int_equal(answer_ret, 0);
	assert_int_equal(answer_hb, 77);
	assert_int_equal(dev.timers[DRV_TIMER_JSM], DRV_NO_TIME);

	message(3, ABI_IPC_CHAN_ASYNC, ABI_JSM_QUERY_ENGINE_HB_DONE, 1);
	assert_int_equal(drain(), 0); /* a duplicate finds nobody */
	assert_int_equal(answers, 1);
}

static void test_bad_answers(void **state)
{
	(void)state;
	answers = 0;
	assert_int_equal(ask(false), 0);
	message(0, ABI_IPC_CHAN_ASYNC, ABI_JSM_REGISTER_DB_DONE, 1);
	assert_int_equal(drain(), 0);
	assert_int_equal(answer_ret, -EPROTO);
	assert_int_equal(ask(false), 0);
	message(0, ABI_IPC_CHAN_ASYNC, ABI_JSM_QUERY_ENGINE_HB_DONE, 2)->result = 1;
	assert_int_equal(drain(), 0);
	assert_int_equal(answer_ret, -EIO);
	assert_int_equal(ask(false), 0);
	message(0, ABI_IPC_CHAN_ASYNC, ABI_JSM_QUERY_ENGINE_HB_DONE, 99);
	assert_int_equal(drain(), 0);
	assert_int_equal(answers, 2);
}

/* Only what was sent counts: the rest of the slot may be of an older message. */
static void test_short_answer(void **state)
{
	struct abi_jsm_msg *msg;

	(void)state;
	answers = 0;
	assert_int_equal(ask(false), 0);
	msg = message(0, ABI_IPC_CHAN_ASYNC, ABI_JSM_QUERY_ENGINE_HB_DONE, 1);
	msg->payload.engine_hb_done.heartbeat = 5;
	((struct abi_ipc_hdr *)(void *)rx)->data_size = 0x20;
	assert_int_equal(drain(), 0);
	assert_int_equal(answers, 1);
	assert_int_equal(answer_hb, 0);
}

static void test_time_out(void **state)
{
	(void)state;
	answers = 0;
	assert_int_equal(ask(true), 0);
	os.now_ns = 499 * BASE_NS_PER_MS;
	drv_clock(&dev);
	drv_jsm_timer(&dev);
	assert_int_equal(answers, 0);
	os.now_ns = 500 * BASE_NS_PER_MS;
	drv_clock(&dev);
	drv_jsm_timer(&dev);
	assert_int_equal(answers, 1);
	assert_int_equal(answer_ret, -ETIMEDOUT);
	assert_int_equal(irqs, 1);	 /* looked for a lost interrupt first */
	assert_true(dev.jsm.hb_pending); /* +HB */
	assert_int_equal(fails, 0);
	os.now_ns = 1000 * BASE_NS_PER_MS;
	drv_clock(&dev);
	drv_jsm_timer(&dev);
	assert_int_equal(fails, 1);
	assert_int_equal(last_fail, -ETIMEDOUT);
}

static void test_slots_run_out(void **state)
{
	(void)state;
	answers = 0;
	for (u32 i = 0; i < DRV_NR_REQS; i++)
		assert_int_equal(ask(false), 0);
	assert_int_equal(DRV_NR_REQS, 85); /* P 6.2 */
	assert_int_equal(ask(false), -EBUSY);
	message(0, ABI_IPC_CHAN_ASYNC, ABI_JSM_QUERY_ENGINE_HB_DONE, 40);
	assert_int_equal(drain(), 0);
	assert_int_equal(ask(false), 0);
	drv_jsm_cancel_all(&dev, -ECANCELED);
	assert_int_equal(answers, DRV_NR_REQS + 1);
	assert_int_equal(answer_ret, -ECANCELED);
}

/* A hang: jobs under way and a heartbeat that stands still.  P 10.7 */
static void tdr_round(u64 heartbeat)
{
	os.now_ns = dev.tdr_ns;
	drv_clock(&dev);
	drv_jsm_tdr(&dev);
	if (dev.state != DRV_READY)
		return;
	message(0, ABI_IPC_CHAN_ASYNC, ABI_JSM_QUERY_ENGINE_HB_DONE, dev.jsm.next_id - 1)
		->payload.engine_hb_done.heartbeat = heartbeat;
	assert_int_equal(drain(), 0);
}

static void test_tdr(void **state)
{
	(void)state;
	dev.nr_jobs = 1;
	dev.tdr_ns = 2 * BASE_NS_PER_S;
	tdr_round(5);
	assert_int_equal(dev.state, DRV_READY);
	tdr_round(6);
	assert_int_equal(dev.state, DRV_READY);
	tdr_round(6);
	assert_int_equal(dev.state, DRV_FAILED);
	assert_int_equal(last_fail, -ETIMEDOUT);
}

static void test_tdr_first_zero(void **state)
{
	(void)state;
	dev.nr_jobs = 1;
	dev.tdr_ns = 2 * BASE_NS_PER_S;
	tdr_round(0); /* P trap 24: 0 has not advanced */
	assert_int_equal(dev.state, DRV_FAILED);
}

static void test_inference_limit(void **state)
{
	(void)state;
	dev.nr_jobs = 1;
	dev.tdr_ns = 2 * BASE_NS_PER_S;
	for (u32 i = 1; dev.state == DRV_READY && i < 100; i++)
		tdr_round(i);
	assert_int_equal(dev.state, DRV_FAILED);
	assert_in_range(os.now_ns, 60 * BASE_NS_PER_S, 62 * BASE_NS_PER_S);
}

static void expect_malformed(u32 nr)
{
	assert_int_equal(drain(), 0);
	assert_int_equal(dev.ipc_malformed, nr);
	assert_int_equal(jobs_done, 0);
}

static void test_malformed(void **state)
{
	struct abi_ipc_hdr *hdr = (void *)rx;

	(void)state;
	push(RX_VA - 64);
	expect_malformed(1);
	push(RX_VA + ABI_IPC_BUF_SIZE);
	expect_malformed(2);
	push(RX_VA + ABI_IPC_BUF_SIZE - 63);
	expect_malformed(3);
	push(0);
	expect_malformed(4);
	push(RX_VA + 4);
	expect_malformed(5);
	message(0, ABI_IPC_CHAN_JOB_RET, ABI_JSM_JOB_DONE, 0);
	hdr->data_addr = RX_VA + ABI_IPC_BUF_SIZE - 127;
	expect_malformed(6);
	assert_int_equal(hdr->status, 0);		       /* header freed, P 6.6 */
	message(0, ABI_IPC_CHAN_JOB_RET, ABI_JSM_JOB_DONE, 1); /* trap 16 */
	expect_malformed(7);
	message(0, ABI_IPC_CHAN_JOB_RET, ABI_JSM_REGISTER_DB_DONE, 0);
	expect_malformed(8);
	message(0, ABI_IPC_CHAN_JOB_RET, ABI_JSM_JOB_DONE, 0);
	hdr->data_size = 8;
	expect_malformed(9);
	message(0, ABI_IPC_CHAN_BOOT, 0, 0);
	hdr->data_addr = 0x12345678;
	expect_malformed(10);
}

static void test_gone(void **state)
{
	(void)state;
	push(DRV_ALL_ONES);
	assert_int_equal(drain(), -ENODEV);
}

/* Whatever the firmware writes: no crash, nothing outside its buffer touched (ASAN sees). */
static void test_hostile(void **state)
{
	(void)state;
	srand(11);
	for (u32 i = 0; i < 20000; i++) {
		fifo_nr = 0;
		if (!(i % 16))
			for (u32 k = 0; k < sizeof(rx); k++)
				rx[k] = (u8)rand();
		message((u32)rand() % 64, (u16)(rand() % 13), 0x2100 + (u32)rand() % 0x210,
			(u32)rand() % 3);
		for (u32 k = 0; k < 4; k++)
			rx[rand() % 0x2010] = (u8)rand();
		push(RX_VA + (u32)rand() % (ABI_IPC_BUF_SIZE + 64) - 32);
		push((RX_VA + (u32)rand() % ABI_IPC_BUF_SIZE) & ~63u);
		assert_int_equal(drain(), 0);
		if (i % 8 == 0)
			(void)!ask(true);
		if (i % 512 == 0) { /* and a good one still gets through */
			u32 before = jobs_done;

			message(5, ABI_IPC_CHAN_JOB_RET, ABI_JSM_JOB_DONE, 0);
			assert_int_equal(drain(), 0);
			assert_int_equal(jobs_done, before + 1);
		}
	}
	assert_true(dev.ipc_malformed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vectors, setup),
		cmocka_unit_test_setup(test_ask_and_answer, setup),
		cmocka_unit_test_setup(test_bad_answers, setup),
		cmocka_unit_test_setup(test_short_answer, setup),
		cmocka_unit_test_setup(test_time_out, setup),
		cmocka_unit_test_setup(test_slots_run_out, setup),
		cmocka_unit_test_setup(test_tdr, setup),
		cmocka_unit_test_setup(test_tdr_first_zero, setup),
		cmocka_unit_test_setup(test_inference_limit, setup),
		cmocka_unit_test_setup(test_malformed, setup),
		cmocka_unit_test_setup(test_gone, setup),
		cmocka_unit_test_setup(test_hostile, setup),
	};

	return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}
