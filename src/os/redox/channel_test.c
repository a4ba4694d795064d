// SPDX-License-Identifier: MIT
/* The bytes that go to pcid and those that may come back. */
#include "channel.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FD 7u

static struct {
	u8 sent[64];
	size_t nr_sent;
	u32 nr_writes;
	u8 reply[1024];
	size_t len, pos;
	size_t piece; /* most bytes of a read; 0: all */
	int write_error;
	u32 interrupted; /* so many reads end with -EINTR */
} pcid;

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	assert_int_equal(fd, FD);
	if (pcid.write_error)
		return (redox_raw)(s64)pcid.write_error;
	assert_true(len <= sizeof(pcid.sent));
	memcpy(pcid.sent, src, len);
	pcid.nr_sent = len;
	pcid.nr_writes++;
	return len;
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	size_t n = base_min(len, pcid.len - pcid.pos);

	assert_int_equal(fd, FD);
	if (pcid.interrupted) {
		pcid.interrupted--;
		return (redox_raw)(s64)-EINTR;
	}
	if (pcid.piece)
		n = base_min(n, pcid.piece);
	memcpy(dst, pcid.reply + pcid.pos, n);
	pcid.pos += n;
	return n;
}

/* Digits and spaces into bytes. */
static size_t bytes_of(const char *hex, u8 *out)
{
	size_t nr = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		out[nr++] = (u8)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
		hex++;
	}
	return nr;
}

/* What pcid will say next, behind its length. */
static void says(const char *hex)
{
	memset(&pcid, 0, sizeof(pcid));
	pcid.len = 8 + bytes_of(hex, pcid.reply + 8);
	memcpy(pcid.reply, &(u64){ pcid.len - 8 }, 8);
}

/* It was asked this, in one write, and its answer was read to the end. */
static void was_asked(const char *hex)
{
	u8 want[64];
	size_t len = bytes_of(hex, want);

	assert_int_equal(pcid.nr_writes, 1);
	assert_int_equal(pcid.nr_sent, len);
	assert_memory_equal(pcid.sent, want, len);
	assert_int_equal(pcid.pos, pcid.len);
}

/* SRC: R 5: 00:0b.0 8086:643e rev 4 class 12, BAR0 64-bit 0x5010000000+128M, BAR2 32-bit, BAR3 port. */
#define CONFIG                                                                         \
	"01000000 0000 00 0b 00 02000000 0000001050000000 0000000800000000 00000000 "  \
	"01000000 000000fe 00100000 03000000 00e0 00000000 00000000 00 01 0b 00 8680 " \
	"3e64 12 00 00 04"

static void the_function(void **state)
{
	struct channel_function fn;
	struct base_err err;

	(void)state;
	says(CONFIG);
	assert_int_equal(pcid.len, 8 + 71);
	pcid.piece = 5; /* both may be read in pieces, and be interrupted */
	pcid.interrupted = 3;
	assert_int_equal(channel_function(FD, &fn, &err), 0);
	was_asked("01000000");
	assert_int_equal(fn.segment | fn.bus | fn.function, 0);
	assert_int_equal(fn.device, 11);
	assert_int_equal(fn.vendor_id, 0x8086);
	assert_int_equal(fn.device_id, 0x643e);
	assert_int_equal(fn.class_code, 0x12);
	assert_int_equal(fn.revision, 4);
	assert_int_equal(fn.bar[0].addr, 0x5010000000);
	assert_int_equal(fn.bar[0].size, 0x8000000);
	assert_true(fn.bar[0].is_64bit);
	assert_int_equal(fn.bar[1].size, 0);
	assert_int_equal(fn.bar[2].addr, 0xfe000000);
	assert_int_equal(fn.bar[2].size, 0x1000);
	assert_false(fn.bar[2].is_64bit);
	assert_int_equal(fn.bar[3].size | fn.bar[4].size | fn.bar[5].size, 0);
}

/* With all that may be there: a ROM, a line with what the device tree says of it. */
static void a_longer_record(void **state)
{
	struct channel_function fn;
	struct base_err err;

	(void)state;
	says("01000000 0100 02 03 04 00000000 00000000 00000000 00000000 00000000 00000000 "
	     "01 000000f0 00000100 01 01 05 01 01000000 02000000 03000000 04000000 "
	     "0900000000000000 8680 1d7d 12 01 02 03");
	assert_int_equal(channel_function(FD, &fn, &err), 0);
	assert_int_equal(fn.segment, 1);
	assert_int_equal(fn.bus, 2);
	assert_int_equal(fn.function, 4);
	assert_int_equal(fn.device_id, 0x7d1d);
	assert_int_equal(fn.interface, 2);
	assert_int_equal(fn.revision, 3);
}

/* SRC: R 5, the table of requests and its test vectors. */
static void requests(void **state)
{
	struct base_err err;
	u32 features, val;
	struct channel_msix msix;

	(void)state;
	says("00000000");
	assert_int_equal(channel_enable(FD, &err), 0);
	was_asked("00000000");
	says("02000000 0200000000000000 01000000 00000000");
	assert_int_equal(channel_features(FD, &features, &err), 0);
	was_asked("02000000");
	assert_int_equal(features, BASE_BIT(CHANNEL_MSI) | BASE_BIT(CHANNEL_MSIX));
	says("02000000 0000000000000000");
	assert_int_equal(channel_features(FD, &features, &err), 0);
	assert_int_equal(features, 0);
	says("04000000 00000000");
	assert_int_equal(channel_enable_feature(FD, CHANNEL_MSI, &err), 0);
	was_asked("04000000 00000000");
	says("04000000 01000000");
	assert_int_equal(channel_enable_feature(FD, CHANNEL_MSIX, &err), 0);
	was_asked("04000000 01000000");
	says("08000000 00000000");
	assert_int_equal(channel_set_msi(FD, 0xfee00000, 0x52, &err), 0);
	was_asked("06000000 00000000 01 00 01 0000e0fe00000000 52000000 00");
	says("07000000 01000000 01000000 02 00100000 2000 04 00200000");
	assert_int_equal(channel_msix_info(FD, &msix, &err), 0);
	was_asked("05000000 01000000");
	assert_int_equal(msix.table_bar, 2);
	assert_int_equal(msix.table_off, 0x1000);
	assert_int_equal(msix.nr_entries, 32);
	says("09000000 86803e64");
	assert_int_equal(channel_cfg_rd(FD, 0x40, &val, &err), 0);
	was_asked("07000000 4000");
	assert_int_equal(val, 0x643e8086);
	says("0a000000");
	assert_int_equal(channel_cfg_wr(FD, 0x104, 0x80, &err), 0);
	was_asked("08000000 0401 80000000");
}

static void refusals(void **state)
{
	struct base_err err;
	u32 val;

	(void)state;
	says("06000000 00000000 01000000");
	assert_int_equal(channel_enable_feature(FD, CHANNEL_MSIX, &err), -ENODEV);
	assert_non_null(strstr(err.text, "no such feature"));
	says("06000000 01000000");
	assert_int_equal(channel_set_msi(FD, 0, 0, &err), -ENODEV);
	assert_non_null(strstr(err.text, "invalid bits"));
	says("");
	pcid.write_error = -EINVAL;
	assert_int_equal(channel_cfg_rd(FD, 0, &val, &err), -EINVAL);
	assert_non_null(strstr(err.text, "request 7"));
	pcid.write_error = 0;
	pcid.len = 0; /* it is gone */
	assert_int_equal(channel_cfg_rd(FD, 0, &val, &err), -EPIPE);
}

/* An answer of any other length, kind or shape is told, and nothing behind it is read. */
static void no_answers(void **state)
{
	static const char *const wrong[] = {
		"",
		"01",
		"02000000",
		"0b000000",
		"ffffffff",
		"01000000",
		"01000000 0000 00 0b 00 04000000",
		"01000000 0000 00 0b 00 ffffffff 0000001050000000",
		CONFIG " 00",
		"07000000 00000000 00000000 00 01 00",
	};
	struct channel_function fn;
	struct base_err err;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(wrong); i++) {
		says(wrong[i]);
		err = (struct base_err){ 0 };
		assert_int_equal(channel_function(FD, &fn, &err), -EPROTO);
		assert_non_null(strstr(err.text, "pcid"));
	}
}

/* Cut anywhere, or with any byte another: never more than an error. */
static void hostile_records(void **state)
{
	struct channel_function fn;
	struct base_err err;

	(void)state;
	for (u64 len = 0; len < 71; len++) {
		says(CONFIG);
		memcpy(pcid.reply, &len, 8);
		pcid.len = 8 + len;
		assert_int_equal(channel_function(FD, &fn, &err), -EPROTO);
	}
	for (size_t at = 8; at < 8 + 71; at++) {
		for (u32 val = 0; val < 256; val++) {
			int ret;

			says(CONFIG);
			pcid.reply[at] = (u8)val;
			ret = channel_function(FD, &fn, &err);
			assert_true(!ret || ret == -EPROTO || ret == -ENODEV);
		}
	}
}

static void hostile_lengths(void **state)
{
	static const u64 lengths[] = { 513, 1u << 20, UINT64_C(1) << 32, UINT64_MAX };
	struct base_err err;
	u32 features;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(lengths); i++) {
		says(CONFIG);
		memcpy(pcid.reply, &lengths[i], 8);
		assert_int_equal(channel_enable(FD, &err), -EPROTO);
		assert_int_equal(pcid.pos, 8);
	}
	/* more items than there are bytes */
	says("02000000 ffffffffffffffff 00000000");
	assert_int_equal(channel_features(FD, &features, &err), -EPROTO);
	/* MSI where MSI-X was asked for */
	says("07000000 00000000 00000000 00 01 00");
	assert_int_equal(channel_msix_info(FD, &(struct channel_msix){ 0 }, &err), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_function),	   cmocka_unit_test(a_longer_record),
		cmocka_unit_test(requests),	   cmocka_unit_test(refusals),
		cmocka_unit_test(no_answers),	   cmocka_unit_test(hostile_records),
		cmocka_unit_test(hostile_lengths),
	};

	return cmocka_run_group_tests_name("redox channel", tests, NULL, NULL);
}
