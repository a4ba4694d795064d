// SPDX-License-Identifier: MIT
#include "os/redox/channel.h"

#include <errno.h>
#include <string.h>

#include "os/redox/redox.h"

enum request {
	REQ_ENABLE_DEVICE,
	REQ_CONFIG,
	REQ_FEATURES,
	REQ_VENDOR_CAPABILITIES,
	REQ_ENABLE_FEATURE,
	REQ_FEATURE_INFO,
	REQ_SET_FEATURE_INFO,
	REQ_READ_CONFIG,
	REQ_WRITE_CONFIG,
};

enum answer {
	ANS_ENABLED_DEVICE,
	ANS_CONFIG,
	ANS_FEATURES,
	ANS_VENDOR_CAPABILITIES,
	ANS_FEATURE_ENABLED,
	ANS_FEATURE_STATUS,
	ANS_ERROR,
	ANS_FEATURE_INFO,
	ANS_SET_FEATURE_INFO,
	ANS_READ_CONFIG,
	ANS_WRITE_CONFIG,
};

enum bar_kind { BAR_NONE, BAR_MEMORY32, BAR_MEMORY64, BAR_PORT };

#define MAX_ANSWER 512u /* the longest of those asked for, the function's record, is below 200 */

/* A request in the making; the longest has 24 bytes. */
struct out {
	u8 data[32];
	size_t len;
};

static void put(struct out *out, u64 val, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out->data[out->len++] = (u8)(val >> (8 * i));
}

static struct out request(enum request kind)
{
	struct out out = { .len = 0 };

	put(&out, kind, 4);
	return out;
}

/* An answer as it is taken apart; one that ends too early yields zeros and is bad. */
struct in {
	u8 data[MAX_ANSWER];
	size_t len, pos;
	bool bad;
};

static u64 get(struct in *in, size_t size)
{
	u64 val = 0;

	if (!base_range_ok(in->pos, size, in->len)) {
		in->bad = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		val |= (u64)in->data[in->pos++] << (8 * i);
	return val;
}

/* Whether an Option is there.  Anything but 0 and 1 is not an Option. */
static bool get_option(struct in *in)
{
	u64 val = get(in, 1);

	in->bad |= val > 1;
	return val == 1;
}

/*
 * Exchange
 */

static int read_all(size_t fd, u8 *to, size_t size)
{
	while (size) {
		s64 n = redox_result(redox_read_v1(fd, to, size));

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EPIPE;
		to += n;
		size -= (size_t)n;
	}
	return 0;
}

static int receive(size_t fd, struct in *in, struct base_err *err)
{
	u8 head[8];
	u64 len = 0;
	int ret = read_all(fd, head, sizeof(head));

	for (size_t i = 0; i < sizeof(head); i++)
		len |= (u64)head[i] << (8 * i);
	if (!ret && len > sizeof(in->data))
		return base_err_set(err, -EPROTO, "pcid: an answer of %llu bytes, at most %u are",
				    (unsigned long long)len, MAX_ANSWER);
	in->len = (size_t)len;
	if (!ret)
		ret = read_all(fd, in->data, in->len);
	if (ret)
		return base_err_set(err, ret, "pcid: reading its answer failed: %s",
				    base_err_name(ret));
	return 0;
}

/* One request, whole in one write, and the answer whose kind is @want. */
static int ask(size_t fd, const struct out *out, enum answer want, struct in *in,
	       struct base_err *err)
{
	s64 n = redox_result(redox_write_v1(fd, out->data, out->len));
	u64 got;
	int ret;

	*in = (struct in){ .len = 0 };
	if (n < 0)
		return base_err_set(err, (int)n, "pcid: request %u was not taken: %s", out->data[0],
				    base_err_name((int)n));
	ret = receive(fd, in, err);
	if (ret)
		return ret;
	got = get(in, 4);
	if (got == ANS_ERROR && want != ANS_ERROR)
		return base_err_set(err, -ENODEV, "pcid: request %u is refused: %s", out->data[0],
				    get(in, 4) ? "invalid bits"
					       : "the function has no such feature");
	if (in->bad || got != want)
		return base_err_set(err, -EPROTO,
				    "pcid: answer %llu to request %u, expected %u; this "
				    "pcid is of another version",
				    (unsigned long long)got, out->data[0], want);
	return 0;
}

/* The answer was read to its end, and there was neither more nor less. */
static int whole(const struct in *in, const char *what, struct base_err *err)
{
	if (!in->bad && in->pos == in->len)
		return 0;
	return base_err_set(
		err, -EPROTO,
		"pcid: its %s has %zu bytes, %zu were expected; this pcid is of another "
		"version",
		what, in->len, in->pos);
}

int channel_enable(size_t fd, struct base_err *err)
{
	const struct out out = request(REQ_ENABLE_DEVICE);
	struct in in;

	return ask(fd, &out, ANS_ENABLED_DEVICE, &in, err);
}

/*
 * The function's record
 */

static void get_bar(struct in *in, struct channel_bar *bar)
{
	switch (get(in, 4)) {
	case BAR_NONE:
		return;
	case BAR_MEMORY32:
		bar->addr = get(in, 4);
		bar->size = get(in, 4);
		return;
	case BAR_MEMORY64:
		bar->addr = get(in, 8);
		bar->size = get(in, 8);
		bar->is_64bit = true;
		return;
	case BAR_PORT:
		(void)get(in, 2);
		return;
	default:
		in->bad = true;
	}
}

static void skip_rom(struct in *in)
{
	if (!get_option(in))
		return;
	(void)get(in, 8); /* address, size */
	(void)get(in, 1);
}

static void skip_legacy_line(struct in *in)
{
	if (!get_option(in))
		return;
	(void)get(in, 1);
	if (!get_option(in))
		return;
	for (u32 i = 0; i < 4; i++)
		(void)get(in, 4);
	(void)get(in, 8);
}

int channel_function(size_t fd, struct channel_function *out, struct base_err *err)
{
	const struct out req = request(REQ_CONFIG);
	struct in in;
	int ret = ask(fd, &req, ANS_CONFIG, &in, err);

	if (ret)
		return ret;
	*out = (struct channel_function){ 0 };
	out->segment = (u16)get(&in, 2);
	out->bus = (u8)get(&in, 1);
	out->device = (u8)get(&in, 1);
	out->function = (u8)get(&in, 1);
	for (u32 i = 0; i < CHANNEL_NR_BARS; i++)
		get_bar(&in, &out->bar[i]);
	skip_rom(&in);
	skip_legacy_line(&in);
	out->vendor_id = (u16)get(&in, 2);
	out->device_id = (u16)get(&in, 2);
	out->class_code = (u8)get(&in, 1);
	out->subclass = (u8)get(&in, 1);
	out->interface = (u8)get(&in, 1);
	out->revision = (u8)get(&in, 1);
	return whole(&in, "record of the function", err);
}

/*
 * Interrupts
 */

int channel_features(size_t fd, u32 *out, struct base_err *err)
{
	const struct out req = request(REQ_FEATURES);
	struct in in;
	u64 nr;
	int ret = ask(fd, &req, ANS_FEATURES, &in, err);

	if (ret)
		return ret;
	*out = 0;
	nr = get(&in, 8);
	for (u64 i = 0; i < nr && !in.bad; i++) {
		u64 feature = get(&in, 4);

		if (feature <= CHANNEL_MSIX)
			*out |= BASE_BIT(feature);
	}
	return whole(&in, "list of features", err);
}

int channel_msix_info(size_t fd, struct channel_msix *out, struct base_err *err)
{
	struct out req = request(REQ_FEATURE_INFO);
	struct in in;
	int ret;

	put(&req, CHANNEL_MSIX, 4);
	ret = ask(fd, &req, ANS_FEATURE_INFO, &in, err);
	if (ret)
		return ret;
	in.bad |= get(&in, 4) != CHANNEL_MSIX || get(&in, 4) != CHANNEL_MSIX;
	out->table_bar = (u8)get(&in, 1);
	out->table_off = (u32)get(&in, 4);
	out->nr_entries = (u16)get(&in, 2);
	(void)get(&in, 1); /* pending bits: BAR, offset */
	(void)get(&in, 4);
	return whole(&in, "description of MSI-X", err);
}

int channel_set_msi(size_t fd, u64 addr, u32 data, struct base_err *err)
{
	struct out req = request(REQ_SET_FEATURE_INFO);
	struct in in;

	put(&req, CHANNEL_MSI, 4);
	put(&req, 1, 1); /* log2 of the vectors: one */
	put(&req, 0, 1);
	put(&req, 1, 1);
	put(&req, addr, 8);
	put(&req, data, 4);
	put(&req, 0, 1); /* mask bits: as they are */
	return ask(fd, &req, ANS_SET_FEATURE_INFO, &in, err);
}

int channel_enable_feature(size_t fd, enum channel_feature feature, struct base_err *err)
{
	struct out req = request(REQ_ENABLE_FEATURE);
	struct in in;

	put(&req, feature, 4);
	return ask(fd, &req, ANS_FEATURE_ENABLED, &in, err);
}

/*
 * Configuration space
 */

int channel_cfg_rd(size_t fd, u32 off, u32 *out, struct base_err *err)
{
	struct out req = request(REQ_READ_CONFIG);
	struct in in;
	int ret;

	put(&req, off, 2);
	ret = ask(fd, &req, ANS_READ_CONFIG, &in, err);
	if (ret)
		return ret;
	*out = (u32)get(&in, 4);
	return whole(&in, "configuration dword", err);
}

int channel_cfg_wr(size_t fd, u32 off, u32 val, struct base_err *err)
{
	struct out req = request(REQ_WRITE_CONFIG);
	struct in in;

	put(&req, off, 2);
	put(&req, val, 4);
	return ask(fd, &req, ANS_WRITE_CONFIG, &in, err);
}
