// SPDX-License-Identifier: MIT
/*
 * A guest that does anything: random accesses, random bytes in every structure the device reads.
 * Nothing crashes, hangs or touches memory that is not mapped.  And determinism: the same seed
 * gives the same trace, other delays give the same results.
 */
#include "abi/program.h"
#include "vnpu/test_host.h"

static u64 rng;

static u64 rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* An offset near a register, mostly. */
static u64 some_off(unsigned bar)
{
	const struct reg_block *const blocks[] = { &reg_block_ip_37xx, &reg_block_mmu };
	const struct reg_block *b = bar == 4 ? &reg_block_btrs_mtl : blocks[rnd() % 2];
	const struct reg_desc *d = &b->descs[rnd() % b->nr];

	if (rnd() % 16 == 0)
		return rnd() % (bar == 4 ? 4096 : 128 << 20);
	return d->off + (d->stride ? d->stride * (rnd() % d->count) : 0);
}

static u64 some_val(void)
{
	switch (rnd() % 8) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return UINT64_C(1) << rnd() % 64;
	case 3:
		return HOST_BUS + (rnd() % HOST_MEM & ~UINT64_C(0x3f));
	case 4:
		return HOST_TX_VA + rnd() % 0x4000;
	case 5:
		return 1;
	default:
		return rnd();
	}
}

static void random_access(struct host *h)
{
	unsigned bar = rnd() % 4 ? 0 : 4;
	u32 size = 1u << rnd() % 4;
	u64 off = some_off(bar), val;

	off &= ~(u64)(rnd() % 8 ? 3 : size - 1);
	if (rnd() % 3)
		(void)vnpu_bar_write(h->v, bar, off, rnd() % 4 ? 4 : size, some_val());
	else
		(void)vnpu_bar_read(h->v, bar, off, rnd() % 4 ? 4 : size, &val);
}

static void random_config(struct host *h)
{
	u32 size = 1u << rnd() % 3, off = (u32)(rnd() % 0x100) & ~(size - 1), val;

	if (rnd() % 2)
		(void)vnpu_cfg_write(h->v, off, size, (u32)some_val());
	else
		(void)vnpu_cfg_read(h->v, off, size, &val);
}

static void test_random_registers(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 4; seed++) {
		struct host h;

		rng = seed * UINT64_C(0x123456789abcdef);
		host_open(&h, seed);
		if (seed % 2)
			assert_int_equal(host_boot(&h), 0);
		for (u32 i = 0; i < 30000; i++) {
			random_access(&h);
			if (rnd() % 64 == 0)
				random_config(&h);
			if (rnd() % 256 == 0)
				host_pci_on(&h);
			if (rnd() % 8 == 0)
				vnpu_run_until(h.v, vnpu_now_ns(h.v) + rnd() % 20000);
		}
		assert_int_equal(vnpu_nr_findings(h.v, VNPU_MODEL_BUG), 0);
		vnpu_reset(h.v); /* whatever it was: it comes back */
		h.used = h.strtab = 0;
		memset(h.root, 0, sizeof(h.root));
		assert_int_equal(host_boot(&h), 0);
		host_close(&h);
	}
}

/* Random bits in what the device reads, and the doorbell after each. */
static void mutate(u8 *p, u64 size)
{
	for (u32 n = (u32)(rnd() % 6); n; n--) {
		u64 at = rnd() % size & ~UINT64_C(3);
		u32 val = (u32)some_val();

		memcpy(p + at, &val, 4);
	}
}

static void random_ipc(struct host *h)
{
	struct abi_jsm_msg msg = { .type = (u32)(0x1100 + rnd() % 0x20), .request_id = (u32)rnd() };
	u32 va;

	if (rnd() % 4 == 0)
		msg.type = (u32)(rnd() % 2 ? 0x1200 + rnd() % 4 : rnd());
	if (msg.type == ABI_JSM_PWR_D0I3_ENTER && rnd() % 64)
		return;
	if (rnd() % 2)
		msg.payload.register_db = (struct abi_jsm_register_db){
			(u32)(rnd() % 8), 0, host_jobq_va((u32)(rnd() % 8)), 4096, (u32)(rnd() % 6)
		};
	else
		for (u32 i = 0; i < sizeof(msg.payload); i += 4)
			*(u32 *)(void *)(msg.payload.raw + i) = (u32)some_val();
	va = host_post(h, (u16)(rnd() % 16 ? 0 : rnd()), &msg);
	if (rnd() % 8 == 0) {
		mutate(host_at(h, 0, va), 192);
		wr(h, V(CPU_SS_TIM_IPC_FIFO), va);
	}
}

static void random_job(struct host *h)
{
	static const u16 types[] = { 1,	    0x100, 0x101, 0x102, 0x103,
				     0x104, 0x105, 0x202, 0x302, 0x306 };
	static const u16 sizes[] = { 8, 16, 24, 24, 8, 16, 16, 32, 24, 32 };
	u32 ssid = (u32)(2 + rnd() % 3), db = (u32)(1 + rnd() % 7);
	u64 va = HOST_USER + (rnd() % 8) * 0x400;
	struct abi_jobq *q = host_at(h, 0, host_jobq_va(db));
	struct cmdbuf c;

	cmdbuf_begin(&c, h, ssid, va);
	for (u32 n = (u32)(rnd() % 6); n; n--) {
		u64 cmd[4] = { 0, HOST_USER + (rnd() % 16 << 12), rnd() % 3, some_val() };
		u32 k = (u32)(rnd() % BASE_ARRAY_SIZE(types));

		cmd[0] = types[k] | (u32)sizes[k] << 16;
		if (rnd() % 4 == 0)
			cmd[1 + rnd() % 3] = some_val();
		cmdbuf_add(&c, cmd, sizes[k]);
	}
	if (rnd() % 8 == 0)
		mutate(host_at(h, ssid, va), 0x200);
	q->hdr.tail %= ABI_JOBQ_SLOTS;
	host_submit(h, db, rnd() % 16 ? va : some_val(), (u32)rnd());
	if (rnd() % 32 == 0)
		mutate((u8 *)q, 64);
}

static void drain(struct host *h)
{
	u64 stat, addr;

	for (u32 i = 0; i < 8; i++) {
		(void)vnpu_bar_read(h->v, V(HOST_SS_TIM_IPC_FIFO_STAT), 4, &stat);
		if (!(stat >> 16 & 0xff))
			return;
		(void)vnpu_bar_read(h->v, V(HOST_SS_TIM_IPC_FIFO_ATM), 4, &addr);
	}
}

/* The tables must stay ours, or the test would write to wild addresses itself. */
static void random_tables(struct host *h)
{
	u64 va = UINT64_C(0xa1000000) + (rnd() % 8 << 12);

	*host_pte(h, (u32)(2 + rnd() % 3), va) =
		rnd() % 2 ? some_val() : (HOST_BUS + HOST_MEM - 4096) | ABI_MMU_PTE_CACHED;
	host_mmu_cmd(h, ABI_MMU_OP_TLBI_NH_ASID | (2 + rnd() % 3) << 48, 0);
	(void)host_mmu_sync(h);
}

static void test_random_messages(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 4; seed++) {
		struct host h;

		rng = seed * UINT64_C(0xfedcba987654321);
		host_open(&h, seed);
		assert_int_equal(host_boot(&h), 0);
		for (u32 ssid = 2; ssid < 5; ssid++)
			host_context(&h, ssid);
		for (u32 db = 0; db < 8; db++)
			host_new(&h, 0, host_jobq_va(db), 1);
		for (u32 i = 0; i < 25000; i++) {
			if (rnd() % 3 == 0)
				random_ipc(&h);
			else if (rnd() % 50 == 0)
				random_tables(&h);
			else
				random_job(&h);
			vnpu_run_until(h.v, vnpu_now_ns(h.v) + rnd() % 50000);
			drain(&h);
			if (rnd() % 16 == 0) /* a driver that reads its messages */
				memset(host_at(&h, 0, HOST_RX_VA), 0, 0x4000);
		}
		assert_int_equal(vnpu_nr_findings(h.v, VNPU_MODEL_BUG), 0);
		host_close(&h);
	}
}

/* The same work; what depends on delays and what does not. */
static u64 work(u64 seed, u64 *results)
{
	struct abi_jsm_job_done done;
	struct host h;
	u64 hash;

	host_open(&h, seed);
	assert_int_equal(host_boot(&h), 0);
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	for (u32 i = 0; i < 50; i++) {
		const struct abi_cmd_memory_fill f = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
						       .start_address = HOST_USER + 0x4000 + i * 64,
						       .size = 0x1000,
						       .fill_pattern = i };
		struct cmdbuf c;

		cmdbuf_begin(&c, &h, 2, HOST_USER);
		cmdbuf_add(&c, &f, sizeof(f));
		cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, HOST_USER + 0x2000 + i * 64, i);
		host_submit(&h, 1, HOST_USER, 0x100 + i);
		assert_true(host_done(&h, &done, 1000));
		assert_int_equal(done.job_id, 0x100 + i);
	}
	*results = base_hash64(host_at(&h, 2, HOST_USER), HOST_USER_PAGES * 4096, 0);
	expect_clean(&h);
	hash = vnpu_trace_hash(h.v);
	host_close(&h);
	return hash;
}

static void test_deterministic(void **state)
{
	u64 r1, r2, r3;

	(void)state;
	assert_int_equal(work(7, &r1), work(7, &r2));
	assert_int_equal(r1, r2);
	assert_int_not_equal(work(7, &r1), work(8, &r3)); /* other delays, other polls */
	assert_int_equal(r1, r3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_registers),
		cmocka_unit_test(test_random_messages),
		cmocka_unit_test(test_deterministic),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
