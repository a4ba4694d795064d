// SPDX-License-Identifier: MIT
/* IPC rules and every JSM request: the right answer, or the right error.  P 6, 7, 13.6. */
#include "abi/abi_names.h"
#include "vnpu/test_host.h"

static struct host h;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

/* P 13.6: ready header at the first slot. */
static void test_ready_vector(void **state)
{
	static const u8 want[64] = { 0x54, 0x4f, 0x4f, 0x42, 0, 0, 0, 0, 0xff, 0x03 };
	struct host g;

	(void)state;
	host_open(&g, 2);
	g.skip = UINT64_C(1) << SK_READY;
	assert_int_equal(host_boot(&g), 0);
	host_sleep(&g, 10000000);
	assert_int_equal(rd(&g, V(HOST_SS_TIM_IPC_FIFO_STAT)) >> 16 & 0xff, 1);
	assert_int_equal(rd(&g, V(HOST_SS_TIM_IPC_FIFO_ATM)), HOST_RX_VA);
	((u8 *)host_at(&g, 0, HOST_RX_VA))[0x0c] ^= 1;
	assert_memory_equal(host_at(&g, 0, HOST_RX_VA), want, sizeof(want));
	assert_int_equal(rd(&g, V(HOST_SS_TIM_IPC_FIFO_ATM)), 0); /* empty: never all-ones */
	host_close(&g);
}

/* P 13.6: REGISTER_DB answer, bytes at the second header slot and the first message slot. */
static void test_register_vector(void **state)
{
	static const u8 hdr[64] = { 0x00, 0x60, 0x00, 0x90, 0x80, 0, 0, 0, 0, 0, 0, 0, 1 };
	u8 msg[128] = { [0x08] = 0x02, 0x22, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, [0x20] = 1 };
	struct abi_jsm_msg req = { .type = ABI_JSM_REGISTER_DB,
				   .request_id = 7,
				   .payload.register_db = { 1, 0, HOST_JOBQ + 0x1000, 4096, 2 } };

	(void)state;
	host_new(&h, 0, host_jobq_va(1), 1);
	host_flush(&h, 0);
	(void)host_post(&h, 0, &req);
	host_sleep(&h, 1000000);
	assert_int_equal(rd(&h, V(HOST_SS_TIM_IPC_FIFO_ATM)), HOST_RX_VA + 0x40);
	assert_memory_equal(host_at(&h, 0, HOST_RX_VA + 0x40), hdr, sizeof(hdr));
	assert_memory_equal(host_at(&h, 0, HOST_RX_VA + 0x2000), msg, sizeof(msg));
}

/* Payloads that make sense, where zero does not. */
static void fill(u32 type, union abi_jsm_payload *p)
{
	switch (type) {
	case ABI_JSM_REGISTER_DB:
		p->register_db = (struct abi_jsm_register_db){ 5, 0, host_jobq_va(5), 4096, 4 };
		break;
	case ABI_JSM_UNREGISTER_DB:
		p->db.db_idx = 1;
		break;
	case ABI_JSM_SSID_RELEASE:
		p->ssid.host_ssid = 9;
		break;
	case ABI_JSM_METRIC_STREAMER_START:
	case ABI_JSM_METRIC_STREAMER_INFO:
	case ABI_JSM_METRIC_STREAMER_UPDATE:
	case ABI_JSM_METRIC_STREAMER_STOP:
		p->metric_start.metric_group_mask = 1;
		break;
	case ABI_JSM_TRACE_GET_NAME:
		p->trace_get_name = (struct abi_jsm_trace_get_name){ 1, 0, 2 };
		break;
	case ABI_JSM_CREATE_CMD_QUEUE:
		p->create_cmdq = (struct abi_jsm_create_cmdq){ .host_ssid = 3,
							       .cmdq_id = 2,
							       .cmdq_base = host_jobq_va(6),
							       .cmdq_size = 4096 };
		break;
	case ABI_JSM_HWS_REGISTER_DB:
		p->hws_register_db =
			(struct abi_jsm_hws_register_db){ 6, 3, 1, host_jobq_va(7), 4096 };
		break;
	case ABI_JSM_DESTROY_CMD_QUEUE:
	case ABI_JSM_HWS_RESUME_CMDQ:
		p->cmdq = (struct abi_jsm_cmdq){ 3, 0, 1 };
		break;
	case ABI_JSM_HWS_SUSPEND_CMDQ:
		p->hws_suspend = (struct abi_jsm_hws_suspend){ 3, 0, 1, 0 };
		break;
	case ABI_JSM_SET_CONTEXT_SCHED_PROPERTIES:
		p->sched_properties = (struct abi_jsm_sched_properties){ .host_ssid = 3,
									 .cmdq_id = 1,
									 .priority_band = 3 };
		break;
	case ABI_JSM_PWR_D0I3_ENTER:
		p->d0i3_enter.send_response = 1;
		break;
	case ABI_JSM_DCT_ENABLE:
		p->dct_enable = (struct abi_jsm_dct_enable){ 10590, 24710 };
		break;
	case ABI_JSM_FREQ_CONFIG:
		p->freq_config =
			(struct abi_jsm_freq_config){ host_info->fmin_ratio, host_info->pn_ratio,
						      host_info->fmax_ratio };
		break;
	default:
		break;
	}
}

static void prepare(struct host *g, u32 type)
{
	union abi_jsm_payload p = { 0 };

	host_new(g, 0, host_jobq_va(5), 3);
	assert_int_equal(host_register(g, 1, 2), 0);
	if (type == ABI_JSM_METRIC_STREAMER_UPDATE || type == ABI_JSM_METRIC_STREAMER_STOP) {
		p.metric_start.metric_group_mask = 1;
		assert_int_equal(host_ask(g, ABI_JSM_METRIC_STREAMER_START, &p), 0);
	}
	p = (union abi_jsm_payload){ .band_setup = { .normal_band_percentage = 10 } };
	assert_int_equal(host_ask(g, ABI_JSM_SET_PRIORITY_BAND_SETUP, &p), 0);
	p = (union abi_jsm_payload){ 0 };
	p.create_cmdq = (struct abi_jsm_create_cmdq){
		.host_ssid = 3, .cmdq_id = 1, .cmdq_base = host_jobq_va(7), .cmdq_size = 4096
	};
	assert_int_equal(host_ask(g, ABI_JSM_CREATE_CMD_QUEUE, &p), 0);
	if (type == ABI_JSM_HWS_REGISTER_DB)
		return;
	p = (union abi_jsm_payload){ .hws_register_db = { 7, 3, 1, host_jobq_va(7), 4096 } };
	assert_int_equal(host_ask(g, ABI_JSM_HWS_REGISTER_DB, &p), 0);
	assert_int_equal(g->jsm_answer, ABI_JSM_REGISTER_DB_DONE); /* P trap 17 */
}

static bool is_deprecated(u32 type)
{
	return type == ABI_JSM_METRIC_STREAMER_OPEN || type == ABI_JSM_METRIC_STREAMER_CLOSE ||
	       type == ABI_JSM_BLOB_DEINIT;
}

static void test_every_request(void **state)
{
	u32 nr = 0;

	(void)state;
	for (u32 i = 0; abi_jsm_info_at(i) && abi_jsm_info_at(i)->answer; i++, nr++) {
		const struct abi_jsm_info *info = abi_jsm_info_at(i);
		union abi_jsm_payload p = { 0 };
		struct host g;
		u16 channel = info->type == ABI_JSM_PWR_D0I3_ENTER ? 10 : 0;
		u32 result;

		host_open(&g, 3);
		g.hws = true;
		assert_int_equal(host_boot(&g), 0);
		prepare(&g, info->type);
		fill(info->type, &p);
		result = host_ask_on(&g, channel, info->type, &p);
		assert_int_equal(g.jsm_answer, info->answer);
		assert_int_equal(result, is_deprecated(info->type)
						 ? ABI_JSM_STATUS_MVNCI_NOT_IMPLEMENTED
						 : 0);
		expect_clean(&g);
		host_close(&g);
	}
	assert_int_equal(nr, 35);
}

static void test_answers_carry_data(void **state)
{
	union abi_jsm_payload p = { 0 };
	u64 hb;

	(void)state;
	assert_int_equal(host_ask(&h, ABI_JSM_QUERY_ENGINE_HB, &p), 0);
	hb = p.engine_hb_done.heartbeat;
	assert_true(hb > 0);
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_QUERY_ENGINE_HB, &p), 0);
	assert_true(p.engine_hb_done.heartbeat > hb);
	p = (union abi_jsm_payload){ .power_level = { 2, 0 } };
	assert_int_equal(host_ask(&h, ABI_JSM_SET_POWER_LEVEL, &p), 0);
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_GET_POWER_LEVEL, &p), 0);
	assert_int_equal(p.power_level.power_level, 2);
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_GET_POWER_LEVEL_COUNT, &p), 0);
	assert_in_range(p.power_level_count.power_level_count, 1, 16);
	p = (union abi_jsm_payload){ .metric_start = { .metric_group_mask = 1 } };
	assert_int_equal(host_ask(&h, ABI_JSM_METRIC_STREAMER_INFO, &p), 0);
	assert_true(p.metric_done.sample_size != 0); /* P trap 33 */
	assert_true(p.metric_done.bytes_written != 0);
	expect_clean(&h);
}

static void expect_refused(u32 type, union abi_jsm_payload p)
{
	u64 before = guest_errors(&h);

	if (!host_ask(&h, type, &p))
		fail_msg("%s accepted", abi_jsm_type_name(type));
	assert_int_equal(h.jsm_answer, abi_jsm_answer_of(type));
	assert_true(guest_errors(&h) > before);
}

static void test_wrong_requests(void **state)
{
	const u64 q = host_jobq_va(2);

	(void)state;
	assert_int_equal(host_register(&h, 1, 2), 0);
	host_new(&h, 0, q, 1);
	host_flush(&h, 0);
#define REFUSE_DB(...)                      \
	expect_refused(ABI_JSM_REGISTER_DB, \
		       (union abi_jsm_payload){ .register_db = { __VA_ARGS__ } })
	REFUSE_DB(0, 0, q, 4096, 2);
	REFUSE_DB(256, 0, q, 4096, 2);
	REFUSE_DB(1, 0, q, 4096, 2); /* registered already */
	REFUSE_DB(2, 0, q, 4096, 0);
	REFUSE_DB(2, 0, q, 4096, 1);
	REFUSE_DB(2, 0, q, 4096, 256);
	REFUSE_DB(2, 0, q, 8192, 2);
	REFUSE_DB(2, 0, q + 64, 4096, 2);
	REFUSE_DB(2, 0, 0x9f000000, 4096, 2); /* not mapped */
	((struct abi_jobq *)host_at(&h, 0, q))->hdr.head = 63;
	REFUSE_DB(2, 0, q, 4096, 2);
#define REFUSE(type, ...) expect_refused(ABI_JSM_##type, (union abi_jsm_payload){ __VA_ARGS__ })
	REFUSE(UNREGISTER_DB, .db = { 2, 0 });
	REFUSE(UNREGISTER_DB, .db = { UINT32_MAX, 0 });
	REFUSE(SSID_RELEASE, .ssid = { 0, 0 });
	REFUSE(SSID_RELEASE, .ssid = { UINT32_MAX, 0 });
	REFUSE(QUERY_ENGINE_HB, .engine = { 1, 0 });
	REFUSE(ENGINE_RESET, .engine = { 1, 0 });
	REFUSE(SET_POWER_LEVEL, .power_level = { 99, 0 });
	REFUSE(FREQ_CONFIG, .freq_config = { 9, 5, 12 });
	REFUSE(HWS_REGISTER_DB, .hws_register_db = { 3, 2, 77, q, 4096 });
	REFUSE(DESTROY_CMD_QUEUE, .cmdq = { 2, 0, 77 });
}

static void test_envelope(void **state)
{
	struct abi_jsm_msg msg = { .type = 0x1999, .request_id = 1 };
	union abi_jsm_payload p = { 0 };
	struct abi_ipc_hdr hdr;

	(void)state;
	(void)host_post(&h, 0, &msg); /* no such request: no answer */
	assert_false(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_true(has_finding(&h, "0x1999"));
	(void)host_ask_on(&h, 10, ABI_JSM_QUERY_ENGINE_HB, &p);
	assert_true(has_finding(&h, "wrong channel"));
	msg = (struct abi_jsm_msg){ .type = ABI_JSM_QUERY_ENGINE_HB };
	(void)host_post(&h, 0, &msg);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_true(has_finding(&h, "request id"));
}

static void test_headers(void **state)
{
	struct abi_ipc_hdr *hdr = host_at(&h, 0, HOST_TX_VA);
	struct abi_jsm_msg *msg = host_at(&h, 0, HOST_TX_VA + 64);
	const struct abi_ipc_hdr good = {
		.data_addr = (u32)HOST_TX_VA + 64, .data_size = 128, .dst_node = 1, .status = 1
	};
	struct abi_ipc_hdr answer;
	u64 errors = 0;

	(void)state;
	for (u32 i = 0; i < 6; i++) {
		*hdr = good;
		*msg = (struct abi_jsm_msg){ .type = ABI_JSM_QUERY_ENGINE_HB,
					     .request_id = 1,
					     .status = 1 };
		if (i == 0)
			hdr->status = 0;
		if (i == 1)
			hdr->data_size = 64;
		if (i == 2)
			hdr->data_addr = 0xfff00000;
		if (i == 3)
			msg->status = 0;
		if (i == 4)
			hdr->data_addr |= 2;
		wr(&h, V(CPU_SS_TIM_IPC_FIFO), (u32)HOST_TX_VA + (i == 5 ? 32 : 0));
		assert_false(host_pop_wait(&h, &answer, NULL, 500));
		assert_true(guest_errors(&h) > errors);
		errors = guest_errors(&h);
	}
}

/* More answers than slots: they wait for the driver, in order, and nothing is lost. */
static void test_full_rx(void **state)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_QUERY_ENGINE_HB };
	struct abi_ipc_hdr hdr;
	u64 hb = 0;

	(void)state;
	for (u32 i = 0; i < 150; i++) {
		msg.request_id = i + 1;
		(void)host_post(&h, 0, &msg);
		host_sleep(&h, 100000);
	}
	assert_int_equal(rd(&h, V(HOST_SS_TIM_IPC_FIFO_STAT)) >> 16 & 0xff, 64);
	for (u32 i = 0; i < 150; i++) {
		assert_true(host_pop_wait(&h, &hdr, &msg, 5000));
		assert_int_equal(msg.request_id, i + 1);
		assert_true(msg.payload.engine_hb_done.heartbeat > hb);
		hb = msg.payload.engine_hb_done.heartbeat;
	}
	assert_false(host_pop_wait(&h, &hdr, &msg, 5000));
	expect_clean(&h);
}

static void test_d0i3(void **state)
{
	union abi_jsm_payload p = { .d0i3_enter = { 1, 0 } };

	(void)state;
	assert_int_equal(host_ask_on(&h, 10, ABI_JSM_PWR_D0I3_ENTER, &p), 0);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 3, 3);
	host_shutdown(&h);
	expect_clean(&h);
	memset(host_at(&h, 0, HOST_RX_VA), 0, 4096);
	assert_int_equal(host_boot(&h), 0);
	p.d0i3_enter.send_response = 1;
	assert_int_equal(host_ask_on(&h, 10, ABI_JSM_PWR_D0I3_ENTER, &p), 0);
	wr(&h, V(CPU_SS_DOORBELL) + 0x1000, 1);
	assert_true(has_finding(&h, "no firmware to hear it"));
}

static void test_faulty_answers(void **state)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_QUERY_ENGINE_HB, .request_id = 5 };
	struct abi_ipc_hdr hdr;

	(void)state;
	assert_int_equal(vnpu_fault(h.v, "wrong-answer", 1), 0);
	(void)host_post(&h, 0, &msg);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_not_equal(msg.type, ABI_JSM_QUERY_ENGINE_HB_DONE);
	msg.type = ABI_JSM_QUERY_ENGINE_HB;
	assert_int_equal(vnpu_fault(h.v, "duplicate-answer", 1), 0);
	(void)host_post(&h, 0, &msg);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_equal(msg.request_id, 5);
	msg.type = ABI_JSM_QUERY_ENGINE_HB;
	assert_int_equal(vnpu_fault(h.v, "unsolicited-answer", 1), 0);
	(void)host_post(&h, 0, &msg);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_not_equal(msg.request_id, 5);
	msg = (struct abi_jsm_msg){ .type = ABI_JSM_QUERY_ENGINE_HB, .request_id = 5 };
	assert_int_equal(vnpu_fault(h.v, "slow-firmware", 1), 0);
	(void)host_post(&h, 0, &msg);
	assert_false(host_pop_wait(&h, &hdr, &msg, 500000));
	assert_true(host_pop_wait(&h, &hdr, &msg, 200000));
	msg.type = ABI_JSM_QUERY_ENGINE_HB;
	assert_int_equal(vnpu_fault(h.v, "wrong-channel", 1), 0);
	(void)host_post(&h, 0, &msg);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_equal(hdr.channel, ABI_IPC_CHAN_JOB_RET);
	assert_int_equal(msg.type, ABI_JSM_QUERY_ENGINE_HB_DONE);
	msg.type = ABI_JSM_QUERY_ENGINE_HB;
	assert_int_equal(vnpu_fault(h.v, "lost-answer", 1), 0);
	(void)host_post(&h, 0, &msg);
	assert_false(host_pop_wait(&h, &hdr, &msg, 10000));
	assert_int_equal(vnpu_fault(h.v, "irq-lost", 1), 0);
	h.msis = 0;
	(void)host_post(&h, 0, &msg);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_equal(h.msis, 0);
	expect_clean(&h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_ready_vector),	T(test_register_vector),
		T(test_every_request),	T(test_answers_carry_data),
		T(test_wrong_requests), T(test_envelope),
		T(test_headers),	T(test_full_rx),
		T(test_d0i3),		T(test_faulty_answers),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
