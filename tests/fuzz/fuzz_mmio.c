// SPDX-License-Identifier: MIT
/*
 * A guest that does anything to the virtual NPU: registers, configuration space, memory contents,
 * time.  The first byte says whether it starts from a booted device with contexts and queues (bit 0),
 * which generation it is (bits 2:1), and whether it schedules in hardware (bit 3).
 *
 * Each operation is 16 bytes: u8 kind, u8 bar/size, u16 pad, u32 where, u64 value.
 */
#define HOST_MEM UINT64_C(0x80000) /* little, to be quick */
#include "vnpu/test_host.h"

#define OPS_MAX 2000u

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The test host asserts with cmocka, which is not linked: what it calls aborts here. */
static _Noreturn void failed(void)
{
	abort();
}

void _assert_true(const LargestIntegralType result, const char *const expression,
		  const char *const file, const int line)
{
	(void)expression, (void)file, (void)line;
	if (!result)
		failed();
}

void _assert_int_equal(const LargestIntegralType a, const LargestIntegralType b,
		       const char *const file, const int line)
{
	(void)file, (void)line;
	if (a != b)
		failed();
}

void _assert_in_range(const LargestIntegralType value, const LargestIntegralType minimum,
		      const LargestIntegralType maximum, const char *const file, const int line)
{
	(void)file, (void)line;
	if (value < minimum || value > maximum)
		failed();
}

void _fail(const char *const file, const int line)
{
	(void)file, (void)line;
	failed();
}

void print_error(const char *const format, ...)
{
	(void)format;
}

struct op {
	u8 kind, how;
	u16 pad;
	u32 where;
	u64 val;
};

/* Offsets near registers: a random one of 2^27 would rarely hit. */
static u64 pick_off(u32 where, u32 *bar)
{
	const struct reg_block *const *blocks = host_info->blocks;
	const struct reg_block *b;
	const struct reg_desc *d;
	u32 nr = 0;

	while (blocks[nr])
		nr++;
	b = blocks[(where & 3) % nr];
	d = &b->descs[(where >> 2 & 0xff) % b->nr];
	*bar = b->bar;
	return d->off + (d->stride ? d->stride * ((where >> 10) % d->count) : 0) +
	       (where >> 30 == 3 ? 4 : 0);
}

static void apply(struct host *h, const struct op *op)
{
	const u32 bytes = 1u << (op->how & 3);
	u32 bar, val32;
	u64 off = pick_off(op->where, &bar), val;

	switch (op->kind % 8) {
	case 0:
	case 1:
		(void)vnpu_bar_write(h->v, bar, off, bytes < 4 ? 4 : bytes, op->val);
		break;
	case 2:
		(void)vnpu_bar_read(h->v, bar, off, bytes < 4 ? 4 : bytes, &val);
		break;
	case 3:
		(void)vnpu_bar_write(h->v, op->how >> 4, op->where, bytes, op->val);
		(void)vnpu_bar_read(h->v, op->how >> 4, op->where, bytes, &val);
		break;
	case 4:
		(void)vnpu_cfg_write(h->v, op->where & 0xfff, bytes, (u32)op->val);
		(void)vnpu_cfg_read(h->v, op->where & 0xfff, bytes, &val32);
		break;
	case 5: /* what the device reads: tables, queues, messages, command buffers */
	case 6:
		memcpy(h->mem + op->where % (h->used + 4096 - 8), &op->val, sizeof(op->val));
		break;
	default:
		vnpu_run_until(h->v, vnpu_now_ns(h->v) + op->where % 1000000);
		break;
	}
}

/* A command queue in a band of its own. */
static void add_queue(struct host *h, u32 db, u32 ssid)
{
	const u64 base = host_jobq_va(db);
	union abi_jsm_payload p = { .create_cmdq = { .process_id = ssid,
						     .host_ssid = ssid,
						     .cmdq_id = 1,
						     .cmdq_base = base,
						     .cmdq_size = 4096 } };

	host_new(h, 0, base, 1);
	host_flush(h, 0);
	if (host_ask(h, ABI_JSM_CREATE_CMD_QUEUE, &p))
		failed();
	p = (union abi_jsm_payload){
		.sched_properties = { .host_ssid = ssid, .cmdq_id = 1, .priority_band = ssid % 4 }
	};
	if (host_ask(h, ABI_JSM_SET_CONTEXT_SCHED_PROPERTIES, &p))
		failed();
	p = (union abi_jsm_payload){ .hws_register_db = { db, ssid, 1, base, 4096 } };
	if (host_ask(h, ABI_JSM_HWS_REGISTER_DB, &p))
		failed();
}

static void prepare(struct host *h)
{
	union abi_jsm_payload p = { .band_setup = { .normal_band_percentage = 10 } };

	if (host_boot(h))
		failed();
	if (h->hws && host_ask(h, ABI_JSM_SET_PRIORITY_BAND_SETUP, &p))
		failed();
	for (u32 ssid = 2; ssid < 4; ssid++) {
		host_context(h, ssid);
		if (h->hws)
			add_queue(h, ssid - 1, ssid);
		else if (host_register(h, ssid - 1, ssid))
			failed();
	}
	for (u32 ssid = 2; ssid < 4; ssid++)
		host_submit(h, ssid - 1, HOST_USER, ssid);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct host h;

	if (!size)
		return 0;
	host_use(reg_gen_by_idx(data[0] >> 1 & 3));
	host_open(&h, 1);
	h.hws = data[0] >> 3 & 1;
	if (data[0] & 1)
		prepare(&h);
	else
		host_pci_on(&h);
	for (size_t i = 0, at = 1; i < OPS_MAX && size - at >= sizeof(struct op);
	     i++, at += sizeof(struct op)) {
		struct op op;

		memcpy(&op, data + at, sizeof(op));
		apply(&h, &op);
	}
	vnpu_run_until(h.v, vnpu_now_ns(h.v) + 1000000);
	if (vnpu_nr_findings(h.v, VNPU_MODEL_BUG))
		failed();
	host_close(&h);
	return 0;
}
