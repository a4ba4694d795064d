// SPDX-License-Identifier: MIT
/* Walk, permissions, faults and their events, invalidation, command queue.  P 8. */
#include "vnpu/test_host.h"

static struct host h;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

/* A job that stores to @va: its status. */
static u32 store_to(u64 va)
{
	struct cmdbuf c;

	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, va, 0x55);
	return host_run(&h, 1, HOST_USER, 0x100);
}

/* A job that reads @va: the copy's source. */
static u32 load_from(u64 va)
{
	const struct abi_cmd_copy copy = { .hdr = { ABI_CMD_COPY, sizeof(copy) },
					   .desc_start_offset = HOST_USER + 0x1000,
					   .desc_count = 1 };
	struct cmdbuf c;

	host_copy_desc(&h, 2, HOST_USER + 0x1000, 0, va, HOST_USER + 0x2000, 8);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &copy, sizeof(copy));
	return host_run(&h, 1, HOST_USER, 0x101);
}

/* Release and register again: the context may run after a fault. */
static void recover(void)
{
	union abi_jsm_payload p = { .db = { .db_idx = 1 } };
	struct abi_jsm_msg msg = { .type = ABI_JSM_SSID_RELEASE, .request_id = ++h.request_id };
	struct abi_ipc_hdr hdr;
	bool answered = false;

	assert_int_equal(host_ask(&h, ABI_JSM_UNREGISTER_DB, &p), 0);
	msg.payload.ssid.host_ssid = 2;
	(void)host_post(&h, 0, &msg);
	while (!answered) {
		assert_true(host_pop_wait(&h, &hdr, &msg, 2000));
		answered = msg.type == ABI_JSM_SSID_RELEASE_DONE;
	}
	while (host_pop(&h, &hdr, &msg))
		;
	assert_int_equal(host_register(&h, 1, 2), 0);
}

/* The event of the last fault; the queue is emptied. */
static void expect_event(u32 type, u64 va, bool write)
{
	u32 prod = rd(&h, M(EVTQ_PROD_SEC)), cons = rd(&h, M(EVTQ_CONS_SEC));
	struct abi_mmu_event *ev = host_ptr(&h, h.evtq + ABI_MMU_Q_SLOT(cons) * 32);

	assert_int_equal(prod, ABI_MMU_Q_NEXT(cons));
	assert_int_equal(ev->id, ABI_MMU_EVT_ID(type, 2));
	assert_int_equal(ev->stream_id, 0);
	assert_int_equal(ev->input_lo | (u64)ev->input_hi << 32, va);
	assert_int_equal(ev->specific[1] & 8, write ? 0 : 8);
	assert_true(rd(&h, V(HOST_SS_ICB_STATUS_0)) & 0x20);
	wr(&h, V(HOST_SS_ICB_CLEAR), 0x20);
	wr(&h, M(EVTQ_CONS_SEC), prod);
}

static void test_walk(void **state)
{
	const u64 far = UINT64_C(0x7f1234567000), near = UINT64_C(0x2134567000);

	(void)state;
	host_new(&h, 2, far, 1);
	host_flush(&h, 2);
	assert_int_equal(store_to(far + 0x40), 0);
	assert_int_equal(*(u64 *)host_at(&h, 2, far + 0x40), 0x55);
	host_map(&h, 2, near, *host_pte(&h, 2, far) & ABI_MMU_PTE_ADDR_MASK, 1, ABI_MMU_PTE_WC);
	host_flush(&h, 2);
	assert_int_equal(load_from(near + 0x40), 0); /* copies reach 38 bits */
	assert_int_equal(*(u64 *)host_at(&h, 2, HOST_USER + 0x2000), 0x55);
	expect_clean(&h);
}

static void test_same_address_other_context(void **state)
{
	(void)state;
	host_context(&h, 3);
	assert_int_equal(host_register(&h, 2, 3), 0);
	assert_int_equal(store_to(HOST_USER + 0x3000), 0);
	assert_int_equal(*(u64 *)host_at(&h, 2, HOST_USER + 0x3000), 0x55);
	assert_int_equal(*(u64 *)host_at(&h, 3, HOST_USER + 0x3000), 0);
}

static void fault_case(u64 va, u64 pte, bool write, u32 type)
{
	*host_pte(&h, 2, va & ~UINT64_C(0xfff)) = pte;
	host_flush(&h, 2);
	assert_int_equal(write ? store_to(va) : load_from(va),
			 ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	expect_event(type, va, write);
	recover();
}

static void test_leaf_faults(void **state)
{
	const u64 page = host_pages(&h, 1), va = UINT64_C(0xa1000040);

	(void)state;
	fault_case(va, 0, true, ABI_MMU_EVT_F_TRANSLATION);
	fault_case(va, 0, false, ABI_MMU_EVT_F_TRANSLATION);
	fault_case(va, ABI_MMU_PTE_DUMMY, false, ABI_MMU_EVT_F_TRANSLATION);
	fault_case(va, page | ABI_MMU_PTE_WC | ABI_MMU_PTE_READ_ONLY, true,
		   ABI_MMU_EVT_F_PERMISSION);
	fault_case(va, page | (ABI_MMU_PTE_WC & ~ABI_MMU_PTE_USER), false,
		   ABI_MMU_EVT_F_PERMISSION);
	fault_case(va, page | (ABI_MMU_PTE_WC & ~ABI_MMU_PTE_AF), false, ABI_MMU_EVT_F_ACCESS);
	if (host_info->dma_bits <= 40) /* a page entry's address has 48 bits */
		fault_case(va, UINT64_C(1) << 40 | ABI_MMU_PTE_WC, false, ABI_MMU_EVT_F_ADDR_SIZE);
	*host_pte(&h, 2, va & ~UINT64_C(0xfff)) = page | ABI_MMU_PTE_WC | ABI_MMU_PTE_READ_ONLY;
	host_flush(&h, 2);
	assert_int_equal(load_from(va), 0); /* reading is allowed */
	assert_int_equal(guest_errors(&h), 0);
}

static void test_table_faults(void **state)
{
	const u64 va = UINT64_C(0xa1000040);
	u64 *root;

	(void)state;
	assert_int_equal(store_to(UINT64_C(1) << 50), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	expect_event(ABI_MMU_EVT_F_TRANSLATION, UINT64_C(1) << 50, true);
	recover();
	root = host_ptr(&h, h.root[2]);
	root[5] = 0x1000 | ABI_MMU_PTE_TABLE; /* no memory there */
	host_flush(&h, 2);
	assert_int_equal(store_to(UINT64_C(5) << 39), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	expect_event(ABI_MMU_EVT_F_WALK_EABT, UINT64_C(5) << 39, true);
	recover();
	/* a page that leads nowhere is no fault of the MMU: no event */
	*host_pte(&h, 2, va & ~UINT64_C(0xfff)) = 0x1000 | ABI_MMU_PTE_WC;
	host_flush(&h, 2);
	assert_int_equal(load_from(va), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	assert_int_equal(rd(&h, M(EVTQ_PROD_SEC)), rd(&h, M(EVTQ_CONS_SEC)));
	assert_true(has_finding(&h, "where no memory is"));
}

/* A table that is its own next level, down to the page: the walk ends where any other does. */
static void test_looping_tables(void **state)
{
	const u64 va = UINT64_C(6) << 39 | UINT64_C(6) << 30 | UINT64_C(6) << 21 | 6 << 12;
	u64 *root = host_ptr(&h, h.root[2]);

	(void)state;
	root[6] = h.root[2] | ABI_MMU_PTE_TABLE; /* as a page: never accessed */
	host_flush(&h, 2);
	assert_int_equal(store_to(va), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	expect_event(ABI_MMU_EVT_F_ACCESS, va, true);
	recover();
	root[6] = h.root[2] | ABI_MMU_PTE_WC; /* as a page: the table itself */
	host_flush(&h, 2);
	assert_int_equal(store_to(va + 0x40), 0);
	assert_int_equal(root[8], 0x55);
}

static void test_context_descriptor(void **state)
{
	u64 *cd = host_ptr(&h, h.cdtab + 2 * ABI_MMU_CD_SIZE);
	u64 was = cd[0];

	(void)state;
	cd[0] &= ~ABI_MMU_CD0_V;
	host_flush(&h, 2);
	assert_int_equal(store_to(HOST_USER + 0x3000), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	expect_event(ABI_MMU_EVT_C_BAD_CD, HOST_USER, false); /* the header's fetch */
	cd[0] = was & ~ABI_MMU_CD0_R;			      /* events silenced, P 8.2 */
	host_flush(&h, 2);
	recover();
	assert_int_equal(store_to(0x1000), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	assert_int_equal(rd(&h, M(EVTQ_PROD_SEC)), rd(&h, M(EVTQ_CONS_SEC)));
	cd[0] = was;
}

/* P traps 37, 38: a cached translation lives until TLBI, and not longer. */
static void test_invalidation(void **state)
{
	const u64 va = HOST_USER + 0x3000;
	u64 other = host_pages(&h, 1), first = *host_pte(&h, 2, va) & ABI_MMU_PTE_ADDR_MASK;

	(void)state;
	assert_int_equal(store_to(va), 0);
	*host_pte(&h, 2, va) = other | ABI_MMU_PTE_CACHED;
	host_mmu_cmd(&h, ABI_MMU_OP_TLBI_NH_ASID | UINT64_C(3) << 48, 0);
	assert_true(host_mmu_sync(&h)); /* another context's */
	*(u64 *)host_ptr(&h, first) = 0;
	assert_int_equal(store_to(va), 0);
	assert_int_equal(*(u64 *)host_ptr(&h, first), 0x55);
	assert_int_equal(*(u64 *)host_ptr(&h, other), 0);
	host_mmu_cmd(&h, ABI_MMU_OP_TLBI_NH_ASID | UINT64_C(2) << 48, 0);
	assert_true(host_mmu_sync(&h));
	assert_int_equal(store_to(va), 0);
	assert_int_equal(*(u64 *)host_ptr(&h, other), 0x55);
	expect_clean(&h);
}

/* Cached translations are host pointers: none may outlive its memory. */
static void test_unmapped_memory_is_not_touched(void **state)
{
	u8 *extra = aligned_alloc(4096, 4096);
	const u64 bus = HOST_BUS + HOST_MEM + 0x10000, va = UINT64_C(0xa1000000);

	(void)state;
	assert_int_equal(vnpu_dma_map(h.v, bus, 4096, extra, true), 0);
	host_map(&h, 2, va, bus, 1, ABI_MMU_PTE_CACHED);
	host_flush(&h, 2);
	assert_int_equal(store_to(va), 0);
	assert_int_equal(vnpu_dma_unmap(h.v, bus, 4096), 0);
	memset(extra, 0xee, 4096);
	assert_int_equal(store_to(va), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	assert_int_equal(extra[0], 0xee);
	free(extra);
}

static void test_read_only_memory(void **state)
{
	u8 *rom = aligned_alloc(4096, 4096);
	const u64 bus = HOST_BUS + HOST_MEM + 0x10000, va = UINT64_C(0xa1000000);

	(void)state;
	memset(rom, 7, 4096);
	assert_int_equal(vnpu_dma_map(h.v, bus, 4096, rom, false), 0);
	host_map(&h, 2, va, bus, 1, ABI_MMU_PTE_CACHED);
	host_flush(&h, 2);
	assert_int_equal(load_from(va), 0);
	assert_int_equal(store_to(va), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	assert_int_equal(rom[0], 7);
	assert_int_equal(vnpu_dma_unmap(h.v, bus, 4096), 0);
	free(rom);
}

static void test_event_queue_fills(void **state)
{
	(void)state;
	for (u32 i = 0; i < 20; i++) {
		assert_int_equal(store_to(0x1000), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
		recover();
	}
	assert_true(ABI_MMU_Q_FULL(rd(&h, M(EVTQ_PROD_SEC)), rd(&h, M(EVTQ_CONS_SEC))));
	wr(&h, M(EVTQ_CONS_SEC), rd(&h, M(EVTQ_PROD_SEC)));
	assert_int_equal(store_to(0x1000), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	expect_event(ABI_MMU_EVT_F_TRANSLATION, 0x1000, true);
}

static void test_command_errors(void **state)
{
	(void)state;
	host_mmu_cmd(&h, 0xff, 0);
	host_mmu_cmd(&h, ABI_MMU_OP_SYNC, 0);
	wr(&h, M(CMDQ_PROD), h.cmdq_prod);
	assert_int_equal(rd(&h, M(CMDQ_CONS)) >> 24, ABI_MMU_CERROR_ILL);
	assert_int_equal(rd(&h, M(GERROR)) ^ rd(&h, M(GERRORN)), 1);
	assert_true(rd(&h, V(HOST_SS_ICB_STATUS_0)) & 0x80);
	assert_int_equal(guest_errors(&h), 1);
	*(u64 *)host_ptr(&h, h.cmdq + ABI_MMU_Q_SLOT(h.cmdq_prod - 2) * 16) = ABI_MMU_OP_SYNC;
	wr(&h, M(GERRORN), rd(&h, M(GERROR)));
	wr(&h, M(CMDQ_PROD), h.cmdq_prod);
	assert_int_equal(rd(&h, M(CMDQ_CONS)), h.cmdq_prod);
}

static void test_wrap(void **state)
{
	(void)state;
	for (u32 i = 0; i < 40; i++)
		host_flush(&h, 2);
	expect_clean(&h);
	wr(&h, M(CMDQ_PROD), (h.cmdq_prod + 20) & 0x1f);
	assert_true(has_finding(&h, "more than a queue ahead"));
}

static void test_rules_of_use(void **state)
{
	(void)state;
	wr64(&h, M(STRTAB_BASE), 0);
	wr64(&h, M(CMDQ_BASE), 4);
	wr64(&h, M(EVTQ_BASE), 4);
	wr(&h, M(CMDQ_CONS), 0);
	assert_int_equal(guest_errors(&h), 4);
	host_flush(&h, 2); /* and had no effect */
	assert_int_equal(store_to(HOST_USER + 0x3000), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_walk),
		T(test_same_address_other_context),
		T(test_leaf_faults),
		T(test_table_faults),
		T(test_looping_tables),
		T(test_context_descriptor),
		T(test_invalidation),
		T(test_unmapped_memory_is_not_touched),
		T(test_read_only_memory),
		T(test_event_queue_fills),
		T(test_command_errors),
		T(test_wrap),
		T(test_rules_of_use),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
