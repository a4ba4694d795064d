// SPDX-License-Identifier: MIT
/*
 * Wire structures against the worked bytes of the protocol reference (P 13.6), the firmware image
 * checks one by one, the answer table.
 */
#include "abi/abi_names.c"
#include "abi/fw_image.c"

#include "abi/boot_params.h"
#include "abi/jobq.h"
#include "abi/trace_buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RT_START 0x84800000ull
#define RT_END	 0x88800000ull
#define FW_SIZE	 (8192 + 8192)

static const struct abi_fw_limits limits = {
	.runtime_start = RT_START,
	.runtime_end = RT_END,
	.shave_max = ABI_FW_SHAVE_MAX,
	.boot_major = ABI_FW_BOOT_MAJOR,
	.jsm_major = ABI_FW_JSM_MAJOR,
};

/* "54 4F .." -> bytes at @out; the rest of @size is zero */
static void hex(u8 *out, size_t size, size_t off, const char *text)
{
	while (*text) {
		char *end;
		unsigned long v = strtoul(text, &end, 16);

		if (end == text)
			break;
		assert_true(off < size && v < 256);
		out[off++] = (u8)v;
		text = end;
	}
}

static void test_ipc_vectors(void **state)
{
	struct abi_ipc_hdr h;
	u8 want[64];

	(void)state;
	/* ready message */
	memset(&h, 0, sizeof(h));
	memset(want, 0, sizeof(want));
	h.data_addr = ABI_IPC_BOOT_DATA;
	h.channel = ABI_IPC_CHAN_BOOT;
	h.status = ABI_IPC_ALLOCATED;
	hex(want, sizeof(want), 0, "54 4F 4F 42 00 00 00 00 FF 03 00 00 01");
	assert_memory_equal(&h, want, sizeof(want));
	/* header of the REGISTER_DB answer */
	memset(&h, 0, sizeof(h));
	memset(want, 0, sizeof(want));
	h.data_addr = 0x90006000;
	h.data_size = ABI_JSM_MSG_SIZE;
	h.channel = ABI_IPC_CHAN_ASYNC;
	h.status = ABI_IPC_ALLOCATED;
	hex(want, sizeof(want), 0, "00 60 00 90 80 00 00 00 00 00 00 00 01");
	assert_memory_equal(&h, want, sizeof(want));
	/* header of JOB_DONE */
	h.data_addr = 0x90006080;
	h.channel = ABI_IPC_CHAN_JOB_RET;
	memset(want, 0, sizeof(want));
	hex(want, sizeof(want), 0, "80 60 00 90 80 00 00 00 0B 00 00 00 01");
	assert_memory_equal(&h, want, sizeof(want));
}

static void test_jsm_vectors(void **state)
{
	struct abi_jsm_msg m;
	u8 want[128];

	(void)state;
	memset(&m, 0, sizeof(m));
	memset(want, 0, sizeof(want));
	m.type = abi_jsm_answer_of(ABI_JSM_REGISTER_DB);
	m.status = ABI_IPC_ALLOCATED;
	m.request_id = 0x11223344;
	m.payload.db.db_idx = 1;
	hex(want, sizeof(want), 0x08, "02 22 00 00 01 00 00 00 44 33 22 11 00 00 00 00");
	hex(want, sizeof(want), 0x20, "01 00 00 00");
	assert_memory_equal(&m, want, sizeof(want));

	memset(&m, 0, sizeof(m));
	memset(want, 0, sizeof(want));
	m.type = ABI_JSM_JOB_DONE;
	m.status = ABI_IPC_ALLOCATED;
	m.payload.job_done.db_idx = 1;
	m.payload.job_done.job_id = ABI_JOBQ_JOB_ID(2, 0);
	m.payload.job_done.host_ssid = 2;
	hex(want, sizeof(want), 0x08, "00 21 00 00 01 00 00 00 00 00 00 00 00 00 00 00");
	hex(want, sizeof(want), 0x20,
	    "00 00 00 00 01 00 00 00 00 01 00 00 00 00 00 00 02 00 00 00 00 00 00 00");
	assert_memory_equal(&m, want, sizeof(want));
}

/* P 13.6's command buffer at A = 0xA0000000, npu37's user range */
static void test_cmdbuf_vector(void **state)
{
	const u64 a = 0xa0000000;
	struct {
		u8 save[ABI_CMDBUF_SAVE_SIZE];
		struct abi_cmdbuf_header hdr;
		struct abi_cmd_timestamp ts;
		struct abi_cmd_fence fence;
		struct abi_cmd_copy copy;
	} bo;
	u8 want[sizeof(bo)];

	(void)state;
	memset(&bo, 0, sizeof(bo));
	memset(want, 0, sizeof(want));
	bo.hdr.cmd_buffer_size = sizeof(bo.hdr) + sizeof(bo.ts) + sizeof(bo.fence);
	bo.hdr.cmd_offset = sizeof(bo.hdr);
	bo.hdr.api_version = ABI_CMDBUF_API;
	bo.hdr.context_save_area_address = a;
	bo.ts.hdr.type = ABI_CMD_TIMESTAMP;
	bo.ts.hdr.size = sizeof(bo.ts);
	bo.ts.timestamp_type = ABI_TS_SYSTEM;
	bo.ts.address = a + 0x400;
	bo.fence.hdr.type = ABI_CMD_FENCE_SIGNAL;
	bo.fence.hdr.size = sizeof(bo.fence);
	bo.fence.offset = a + 0x440;
	bo.fence.value = 0x1234;
	bo.copy.hdr.type = ABI_CMD_COPY;
	bo.copy.hdr.size = sizeof(bo.copy);
	bo.copy.desc_start_offset = a + 0x800;
	bo.copy.desc_count = 1;
	hex(want, sizeof(want), 0x40, "58 00 00 00 30 00 00 00 0F 00 04 00");
	hex(want, sizeof(want), 0x68, "00 00 00 A0 00 00 00 00");
	hex(want, sizeof(want), 0x70, "00 01 10 00 01 00 00 00 00 04 00 A0 00 00 00 00");
	hex(want, sizeof(want), 0x80,
	    "02 01 18 00 00 00 00 00 40 04 00 A0 00 00 00 00 34 12 00 00 00 00 00 00");
	hex(want, sizeof(want), 0x98,
	    "02 03 18 00 00 00 00 00 00 08 00 A0 00 00 00 00 01 00 00 00 00 00 00 00");
	assert_memory_equal(&bo, want, sizeof(want));
}

/* P trap 17, written out by hand from P 7.2 */
static void test_answers(void **state)
{
	static const u32 want[][2] = {
		{ 0x1100, 0x2200 }, { 0x1101, 0x2201 }, { 0x1102, 0x2202 }, { 0x1103, 0x2203 },
		{ 0x1104, 0x2204 }, { 0x1105, 0x2205 }, { 0x1106, 0x2206 }, { 0x1107, 0x2207 },
		{ 0x1108, 0x2208 }, { 0x1109, 0x2209 }, { 0x110a, 0x220a }, { 0x110b, 0x220b },
		{ 0x110c, 0x220c }, { 0x110d, 0x220d }, { 0x110e, 0x220e }, { 0x110f, 0x220f },
		{ 0x1110, 0x2210 }, { 0x1111, 0x2211 }, { 0x1112, 0x2212 }, { 0x1113, 0x2214 },
		{ 0x1114, 0x2215 }, { 0x1115, 0x2216 }, { 0x1116, 0x2217 }, { 0x1117, 0x2202 },
		{ 0x1118, 0x2218 }, { 0x1119, 0x221a }, { 0x111a, 0x221b }, { 0x111b, 0x221c },
		{ 0x111c, 0x221d }, { 0x111d, 0x221e }, { 0x111f, 0x221f }, { 0x11ff, 0x22ff },
		{ 0x1200, 0x2300 }, { 0x1201, 0x2301 }, { 0x1202, 0x2302 },
	};
	u32 requests = 0;

	(void)state;
	for (size_t i = 0; i < NR(want); i++)
		assert_int_equal(abi_jsm_answer_of(want[i][0]), want[i][1]);
	for (u32 i = 0; abi_jsm_info_at(i); i++) {
		const struct abi_jsm_info *info = abi_jsm_info_at(i);

		assert_ptr_equal(abi_jsm_info(info->type), info);
		assert_true(info->payload_size <= ABI_JSM_PAYLOAD_SIZE);
		requests += info->answer != 0;
		if (info->answer) {
			assert_non_null(abi_jsm_info(info->answer));
			assert_int_equal(abi_jsm_info(info->answer)->answer, 0);
		}
	}
	assert_int_equal(requests, NR(want));
	assert_int_equal(abi_jsm_answer_of(0x111e), 0);
	assert_int_equal(abi_jsm_answer_of(ABI_JSM_JOB_DONE), 0);
	assert_int_equal(abi_jsm_answer_of(ABI_JSM_UNKNOWN), 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(abi_jsm_type_name(0x1117), "HWS_REGISTER_DB");
	assert_string_equal(abi_jsm_type_name(0x2213), "METRIC_STREAMER_NOTIFICATION");
	assert_string_equal(abi_jsm_type_name(0x111e), "unknown");
	assert_string_equal(abi_jsm_status_name(0), "SUCCESS");
	assert_string_equal(abi_jsm_status_name(0xe), "MVNCI_CONTEXT_VIOLATION_HW");
	assert_string_equal(abi_jsm_status_name(0x1f), "ENGINE_RESET_REQUIRED");
	assert_string_equal(abi_jsm_status_name(256), "DRV_ABORTED");
	assert_string_equal(abi_jsm_status_name(0x20), "unknown");
	assert_string_equal(abi_ipc_chan_name(0x3ff), "boot");
	assert_string_equal(abi_ipc_chan_name(1), "unknown");
	assert_string_equal(abi_cmd_type_name(0x0306), "INFERENCE_EXECUTE");
	assert_true(abi_cmd_is_deprecated(0x0305));
	assert_false(abi_cmd_is_deprecated(0x0302));
	assert_false(abi_cmd_is_deprecated(0x7777));
	assert_string_equal(abi_mmu_event_name(0x10), "F_TRANSLATION");
	assert_string_equal(abi_mmu_event_text(0x99), "unknown");
	assert_string_equal(abi_mmu_op_name(0x46), "SYNC");
	assert_string_equal(abi_mmu_cerror_name(1), "illegal command");
	assert_true(abi_jsm_status_needs_reset(2) && abi_jsm_status_needs_reset(0xe) &&
		    abi_jsm_status_needs_reset(0x1f));
	assert_false(abi_jsm_status_needs_reset(1) || abi_jsm_status_needs_reset(0xd) ||
		     abi_jsm_status_needs_reset(0x20) || abi_jsm_status_needs_reset(256));
}

/* words of P App. B and 8.2 rebuilt from fields; queue index arithmetic */
static void test_mmu(void **state)
{
	u32 p = 0, c = 0;

	(void)state;
	assert_true((0x4000000000ull | ABI_MMU_STE0) == 0x400000400000000bull);
	assert_true(ABI_MMU_CD0_SYSTEM == (ABI_MMU_CD0_USER | ABI_MMU_CD0_A));
	assert_true(ABI_MMU_CD0_USER ==
		    (16 | ABI_MMU_CD0_EPD1 | ABI_MMU_CD0_V | 5ull << ABI_MMU_CD0_IPS_SHIFT |
		     ABI_MMU_CD0_AA64 | ABI_MMU_CD0_R | ABI_MMU_CD0_ASET));
	assert_int_equal(ABI_MMU_PT_INDEX(0x0000ff8000000000ull, 0), 0x1ff);
	assert_int_equal(ABI_MMU_PT_INDEX(0xa0001000, 1), 2);
	assert_int_equal(ABI_MMU_PT_INDEX(0xa0001000, 2), 0x100);
	assert_int_equal(ABI_MMU_PT_INDEX(0xa0001000, 3), 1);
	assert_false(ABI_MMU_PTE_DUMMY & ABI_MMU_PTE_VALID);
	for (int n = 0; n < 100; n++) {
		assert_true(ABI_MMU_Q_EMPTY(p, c));
		for (int i = 0; i < ABI_MMU_Q_ENTRIES; i++) {
			assert_false(ABI_MMU_Q_FULL(p, c));
			p = ABI_MMU_Q_NEXT(p);
		}
		assert_true(ABI_MMU_Q_FULL(p, c));
		while (!ABI_MMU_Q_EMPTY(p, c))
			c = ABI_MMU_Q_NEXT(c);
		p = c = ABI_MMU_Q_NEXT(c);
	}
	assert_int_equal(ABI_MMU_EVT_SSID(ABI_MMU_EVT_ID(0x10, 2)), 2);
	assert_int_equal(ABI_MMU_EVT_TYPE(ABI_MMU_EVT_ID(0x10, 2)), 0x10);
}

/* own image: valid, deterministic, and says what P 4.4 and 13.2 want of it */
static void make_image(u8 *file)
{
	struct abi_fw_spec spec;

	abi_fw_spec_init(&spec, RT_START, RT_END, ABI_API_VER(7, 0));
	assert_int_equal(abi_fw_image_size(&spec), FW_SIZE);
	assert_int_equal(abi_fw_image_write(&spec, file, FW_SIZE), 0);
}

static void test_fw_write(void **state)
{
	static u8 a[FW_SIZE], b[FW_SIZE];
	struct abi_fw_spec spec;
	struct abi_fw_header h;
	char why[256], ver[32], small[4];

	(void)state;
	memset(b, 0xaa, sizeof(b));
	make_image(a);
	make_image(b);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(abi_fw_image_check(a, sizeof(a), &limits, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	abi_fw_image_header(a, &h);
	assert_true(h.image_load_address == 0x84802000);
	assert_true(h.entry_point == 0x84803000);
	assert_true(h.boot_params_load_address == 0x84800000);
	assert_true(h.firmware_version_load_address == 0x84801000);
	assert_int_equal(h.runtime_size, 0x4000000);
	assert_int_equal(h.api_version[0], 0x0003001d);
	assert_int_equal(h.api_version[3], 0x0004000f);
	assert_int_equal(h.api_version[4], 0x00030017);
	assert_true(h.api_version[4] < ABI_FW_JSM_HWS);
	assert_int_equal(h.api_version[7], 0x00070000);
	assert_int_equal(h.shave_nn_fw_size, 0);
	assert_int_equal(h.preemption_buffer_1_size, ABI_FW_PREEMPT_SIZE);
	assert_int_equal(h.preemption_buffer_2_size, ABI_FW_PREEMPT_SIZE);
	assert_true(h.ro_section_start_address == 0);
	abi_fw_image_version(a, ver, sizeof(ver));
	assert_string_equal(ver, "npu built-in firmware image");
	a[ABI_FW_HEADER_PAGE] = 0x1b;
	abi_fw_image_version(a, small, sizeof(small));
	assert_string_equal(small, "?pu");

	abi_fw_spec_init(&spec, RT_START, RT_END, 0);
	assert_int_equal(abi_fw_image_write(&spec, a, FW_SIZE - 1), -ENOSPC);
	spec.entry_off = ABI_PAGE_SIZE + 1;
	assert_int_equal(abi_fw_image_write(&spec, a, FW_SIZE), -EINVAL);
	spec.entry_off = 0;
	spec.image_size = 4097;
	assert_int_equal(abi_fw_image_write(&spec, a, FW_SIZE), -EINVAL);
}

/* one row per rejection: change one field of a good image, expect that field's message */
struct fw_case {
	size_t off;
	u8 bytes;
	u64 val;
	const char *want;
};

#define AT(f)  offsetof(struct abi_fw_header, f), sizeof(((struct abi_fw_header *)0)->f)
#define API(i) offsetof(struct abi_fw_header, api_version) + 4 * (i), 4

static const struct fw_case fw_bad[] = {
	{ AT(header_version), 2, "header_version 2: expected 1" },
	{ AT(header_version), 0, "header_version 0: expected 1" },
	{ AT(boot_params_load_address), RT_START - 1, "boot_params_load_address 0x847fffff: " },
	{ AT(boot_params_load_address), RT_END - 4095, "boot_params_load_address 0x887ff001: " },
	{ AT(boot_params_load_address), ~0ull, "boot_params_load_address 0xffffffffffffffff: " },
	{ AT(firmware_version_size), 0, "firmware_version_size 0: expected 1 to 4096" },
	{ AT(firmware_version_size), 4097, "firmware_version_size 4097: expected 1 to 4096" },
	{ AT(firmware_version_size), ~0u, "firmware_version_size 4294967295: " },
	{ AT(firmware_version_load_address), RT_END, "firmware_version_load_address 0x88800000: " },
	{ AT(runtime_size), 0, "runtime_size 0 bytes: expected at least 8192" },
	{ AT(runtime_size), 8191, "runtime_size 8191 bytes: expected at least 8192" },
	{ AT(runtime_size), 0x3fff001, "runtime_size 67104769 bytes: expected a multiple" },
	{ AT(image_load_address), 0x84802001,
	  "image_load_address 0x84802001: expected a multiple" },
	{ AT(image_load_address), 0x84803000, "runtime region 0x84803000 + 67100672 bytes: " },
	{ AT(image_load_address), 0x1000, "runtime region 0x1000 + " },
	{ AT(image_load_address), ~0xfffull, "runtime region 0xfffffffffffff000 + " },
	{ AT(runtime_size), 0x4001000, "runtime region 0x84802000 + 67104768 bytes: " },
	{ AT(runtime_size), 12288, "image_size 8192 bytes: expected at most 4096" },
	{ AT(image_size), 8193, "image_size 8193 bytes: the file has only 8192" },
	{ AT(image_size), ~0u, "image_size 4294967295 bytes: expected at most" },
	{ AT(image_size), 8191, "entry_point 0x84803000: " },
	{ AT(entry_point), 0x84803001, "entry_point 0x84803001: expected 4096 bytes" },
	{ AT(entry_point), 0x84801fff, "entry_point 0x84801fff: " },
	{ AT(entry_point), 0, "entry_point 0x0: " },
	{ AT(entry_point), ~0ull, "entry_point 0xffffffffffffffff: " },
	{ AT(shave_nn_fw_size), 0x200001,
	  "shave_nn_fw_size 2097153 bytes: expected at most 2097152" },
	{ AT(ro_section_start_address), 0x84801000, "ro_section_start_address 0x84801000 + 0 " },
	{ AT(ro_section_start_address), 0x84804001, "ro_section_start_address 0x84804001 + 0 " },
	{ API(0), 0x0002ffff, "api_version[0] (BOOT) 2.65535: expected 3.0 or later" },
	{ API(4), 0x00020030, "api_version[4] (JSM) 2.48: expected 3.0 or later" },
};

static const struct fw_case fw_good[] = {
	{ AT(firmware_version_size), 1, "" },
	{ AT(firmware_version_size), 4096, "" },
	{ AT(image_format), 77, "" },
	{ AT(compression_type), 1, "" },
	{ AT(runtime_size), 16384, "" },
	{ AT(shave_nn_fw_size), 0x200000, "" },
	{ AT(ro_section_start_address), 0x84803000, "" },
	{ AT(ro_section_size), ~0u, "" }, /* ignored while the start is 0 */
	{ API(0), 0x00040000, "warning: api_version[0] (BOOT) 4.0: known is major 3" },
	{ API(4), 0x0003ffff, "" },
	{ API(3), 0, "" },
};

static void fw_apply(u8 *file, const struct fw_case *c)
{
	make_image(file);
	memcpy(file + c->off, &c->val, c->bytes);
}

static void test_fw_checks(void **state)
{
	static u8 file[FW_SIZE];
	char why[256];

	(void)state;
	for (size_t i = 0; i < NR(fw_bad); i++) {
		fw_apply(file, &fw_bad[i]);
		assert_int_equal(abi_fw_image_check(file, FW_SIZE, &limits, why, sizeof(why)),
				 -EINVAL);
		why[strlen(fw_bad[i].want)] = '\0';
		assert_string_equal(why, fw_bad[i].want);
		assert_int_equal(abi_fw_image_check(file, FW_SIZE, &limits, NULL, 0), -EINVAL);
	}
	for (size_t i = 0; i < NR(fw_good); i++) {
		fw_apply(file, &fw_good[i]);
		assert_int_equal(abi_fw_image_check(file, FW_SIZE, &limits, why, sizeof(why)), 0);
		assert_string_equal(why, fw_good[i].want);
	}
	/* section with a start that fits and a size that does not */
	make_image(file);
	memcpy(file + offsetof(struct abi_fw_header, ro_section_start_address),
	       &(u64){ 0x84803000 }, 8);
	memcpy(file + offsetof(struct abi_fw_header, ro_section_size), &(u32){ 4097 }, 4);
	assert_int_equal(abi_fw_image_check(file, FW_SIZE, &limits, why, sizeof(why)), -EINVAL);
	/* a short @why is cut, not overrun */
	memset(why, 'x', sizeof(why));
	assert_int_equal(abi_fw_image_check(file, FW_SIZE, &limits, why, 8), -EINVAL);
	assert_string_equal(why, "ro_sect");
	assert_int_equal(why[8], 'x');
}

/* every length: nothing is read behind the end (ASAN), only the whole file passes */
static void test_fw_lengths(void **state)
{
	static u8 file[FW_SIZE];
	char why[256];

	(void)state;
	make_image(file);
	for (size_t n = 0; n <= FW_SIZE; n += n < 8200 ? 1 : 97) {
		u8 *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, file, n);
		assert_int_equal(abi_fw_image_check(copy, n, &limits, why, sizeof(why)), -EINVAL);
		assert_string_not_equal(why, "");
		free(copy);
	}
	assert_int_equal(abi_fw_image_check(file, FW_SIZE, &limits, why, sizeof(why)), 0);
}

/* each single bit of the header: accepted only if every rule, restated here, still holds */
static bool fw_oracle(const struct abi_fw_header *h)
{
	typedef unsigned __int128 wide;
	wide s = RT_START, e = RT_END, img = h->image_load_address;
	wide iend = img + h->image_size;
	bool ok = h->header_version == 1;

	ok = ok && h->boot_params_load_address >= s &&
	     (wide)h->boot_params_load_address + 4096 <= e;
	ok = ok && h->firmware_version_load_address >= s &&
	     (wide)h->firmware_version_load_address + 4096 <= e;
	ok = ok && (h->firmware_version_size + (wide)4095) / 4096 == 1;
	ok = ok && h->runtime_size >= 8192 && h->runtime_size % 4096 == 0 && img % 4096 == 0;
	ok = ok && img >= s && img + h->runtime_size - 8192 <= e;
	ok = ok && h->runtime_size - (wide)8192 >= h->image_size && h->image_size <= FW_SIZE - 8192;
	ok = ok && h->entry_point >= img && (wide)h->entry_point + 4096 <= iend;
	ok = ok && h->shave_nn_fw_size <= 0x200000;
	ok = ok && (!h->ro_section_start_address ||
		    (h->ro_section_start_address >= img &&
		     (wide)h->ro_section_start_address + h->ro_section_size <= iend));
	return ok && h->api_version[0] >> 16 >= 3 && h->api_version[4] >> 16 >= 3;
}

static void test_fw_bitflips(void **state)
{
	static u8 file[FW_SIZE];
	struct abi_fw_header h;
	char why[256];
	int rejected = 0;

	(void)state;
	make_image(file);
	for (size_t i = 0; i < sizeof(h) * 8; i++)
		for (size_t j = i; j < sizeof(h) * 8; j += j == i ? 1 : 61) {
			int ret;

			file[i / 8] ^= (u8)(1u << i % 8);
			if (j != i)
				file[j / 8] ^= (u8)(1u << j % 8);
			abi_fw_image_header(file, &h);
			ret = abi_fw_image_check(file, FW_SIZE, &limits, why, sizeof(why));
			assert_int_equal(ret == 0, fw_oracle(&h));
			assert_true(ret == 0 || (ret == -EINVAL && why[0]));
			rejected += ret != 0;
			file[i / 8] ^= (u8)(1u << i % 8);
			if (j != i)
				file[j / 8] ^= (u8)(1u << j % 8);
		}
	assert_true(rejected > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipc_vectors),   cmocka_unit_test(test_jsm_vectors),
		cmocka_unit_test(test_cmdbuf_vector), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_mmu),
		cmocka_unit_test(test_fw_write),      cmocka_unit_test(test_fw_checks),
		cmocka_unit_test(test_fw_lengths),    cmocka_unit_test(test_fw_bitflips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
