// SPDX-License-Identifier: MIT
/*
 * "mmio:ADDR/SIZE": a window of device registers.  A read or write of 1, 2, 4 or 8 bytes is a single
 * access of the device, at the window's position, which it moves on; a call is one at an offset.
 *
 * ADDR is the address on the bus where the seam knows it, else one made up, as N/regions tells them.
 */
#include <string.h>

#include "regs/gen.h"
#include "service/internal.h"
#include "service/text.h"

struct window {
	struct svc_handle handle;
	u32 bar;
	u32 off; /* of the window in the BAR */
	u64 size;
	u64 pos;
};

static struct window *to_window(struct svc_handle *h)
{
	return base_container_of(h, struct window, handle);
}

/* Where a seam knows no address: a space of its own for each device, and in it for each BAR. */
static u64 bar_addr(u32 idx, u32 bar, const struct os_bar *info)
{
	return info->addr ? info->addr : (u64)(idx + 1) << 40 | (u64)bar << 36;
}

struct region {
	struct svc_device *dev;
	u32 bar;
	u64 addr, size;
};

/* The @k-th BAR that a driver of ours has mapped. */
static bool region_at(const struct svc *svc, u32 k, struct region *out)
{
	struct svc_device *dev = svc->dev[k / REG_NR_BARS];
	u32 bar = k % REG_NR_BARS;
	struct os_bar info;

	if (!dev || drv_window(dev->drv, bar, &info))
		return false;
	*out = (struct region){ .dev = dev,
				.bar = bar,
				.addr = bar_addr(k / REG_NR_BARS, bar, &info),
				.size = info.size };
	return true;
}

static bool find_region(const struct svc *svc, u64 addr, u64 size, struct region *out)
{
	for (u32 k = 0; k < SVC_MAX_DEVICES * REG_NR_BARS; k++)
		if (region_at(svc, k, out) && addr >= out->addr &&
		    base_range_ok(addr - out->addr, size, out->size))
			return true;
	return false;
}

void svc_print_regions(struct svc_client *client, struct svc_device *dev, struct svc_text *text)
{
	struct region region;

	for (u32 k = 0; k < SVC_MAX_DEVICES * REG_NR_BARS; k++)
		if (region_at(client->svc, k, &region) && region.dev == dev)
			svc_text_add(text, "bar%u: 0x%llx/0x%llx\n", region.bar,
				     (unsigned long long)region.addr,
				     (unsigned long long)region.size);
}

/*
 * Access
 */

static int check_access(const struct window *w, u64 pos, u64 size, struct base_err *err)
{
	if (!base_is_pow2(size) || size > 8)
		return base_err_set(err, -EINVAL,
				    "mmio: an access of %llu bytes, expected 1, 2, 4 or 8",
				    (unsigned long long)size);
	if (!base_range_ok(pos, size, w->size))
		return base_err_set(err, -EINVAL,
				    "mmio: %llu bytes at 0x%llx are past the window's 0x%llx",
				    (unsigned long long)size, (unsigned long long)pos,
				    (unsigned long long)w->size);
	if ((w->off + pos) % size)
		return base_err_set(
			err, -EINVAL, "mmio: %llu bytes at 0x%llx of BAR%u are not aligned",
			(unsigned long long)size, (unsigned long long)(w->off + pos), w->bar);
	return 0;
}

static int check_ready(struct svc_device *dev, struct base_err *err)
{
	int ret = drv_window_ready(dev->drv);

	if (ret == -EAGAIN)
		return base_err_set(err, ret, "mmio: the device sleeps and is waking up: wait");
	if (ret == -EBUSY)
		return base_err_set(err, ret,
				    "mmio: the device was suspended: write resume to its control");
	if (ret)
		return base_err_set(err, ret, "mmio: the device is %s and has no power",
				    drv_state_name(drv_get_state(dev->drv)));
	return 0;
}

static int check_write(struct svc_device *dev, struct base_err *err)
{
	if (dev->svc->mmio == SVC_MMIO_RW || drv_window_writable(dev->drv))
		return 0;
	return base_err_set(err, -EACCES,
			    "mmio: the driver runs the device, and windows are read-only; "
			    "npud --mmio rw allows it");
}

/* The one access there is: of a read, a write, a call. */
static int access_window(struct window *w, u64 pos, u64 size, bool is_write, u64 *val,
			 struct base_err *err)
{
	struct svc_device *dev = w->handle.dev;
	int ret = check_access(w, pos, size, err);

	if (!ret && is_write)
		ret = check_write(dev, err);
	if (!ret)
		ret = check_ready(dev, err);
	if (ret)
		return ret;
	if (is_write)
		drv_window_write(dev->drv, w->bar, w->off + (u32)pos, (u32)size, *val);
	else
		*val = drv_window_read(dev->drv, w->bar, w->off + (u32)pos, (u32)size);
	return 0;
}

static s64 window_read(struct svc_handle *h, void *buf, u64 size, struct base_err *err)
{
	struct window *w = to_window(h);
	u64 val = 0;
	int ret = access_window(w, w->pos, size, false, &val, err);

	if (ret)
		return ret;
	memcpy(buf, &val, size);
	w->pos += size;
	return (s64)size;
}

static s64 window_write(struct svc_handle *h, const void *buf, u64 size, struct base_err *err)
{
	struct window *w = to_window(h);
	u64 val = 0;
	int ret;

	memcpy(&val, buf, base_min(size, (u64)sizeof(val)));
	ret = access_window(w, w->pos, size, true, &val, err);
	if (ret)
		return ret;
	w->pos += size;
	return (s64)size;
}

static s64 window_seek(struct svc_handle *h, s64 off, enum svc_whence whence, struct base_err *err)
{
	struct window *w = to_window(h);
	u64 from = whence == SVC_SEEK_SET ? 0 : whence == SVC_SEEK_CUR ? w->pos : w->size;
	u64 pos = from + (u64)off; /* a window is far smaller than what could wrap */

	if (pos > w->size)
		return base_err_set(err, -EINVAL,
				    "mmio: a position outside of the window's 0x%llx bytes",
				    (unsigned long long)w->size);
	w->pos = pos;
	return (s64)pos;
}

static int window_call(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err)
{
	struct svc_call_mmio *call = (struct svc_call_mmio *)(void *)arg;
	int ret = svc_call_check(arg, size, SVC_CALL_MMIO, sizeof(*call), err);

	if (ret)
		return ret;
	if (call->is_write > 1)
		return base_err_set(err, -EINVAL, "mmio: is_write is %u, expected 0 or 1",
				    call->is_write);
	return access_window(to_window(h), call->off, call->bytes, call->is_write, &call->val, err);
}

static int window_ready(struct svc_handle *h)
{
	return drv_window_ready(h->dev->drv);
}

static u64 window_size(const struct svc_handle *h)
{
	return base_container_of(h, const struct window, handle)->size;
}

static void window_close(struct svc_handle *h)
{
	base_free(to_window(h));
}

static const struct svc_handle_ops window_ops = {
	.name = "register window",
	.read = window_read,
	.write = window_write,
	.seek = window_seek,
	.call = window_call,
	.ready = window_ready,
	.size = window_size,
	.close = window_close,
};

static int parse(const char *path, u64 *addr, u64 *size, struct base_err *err)
{
	const char *slash = strchr(path, '/');
	char shown[80];
	u64 end;

	if (slash && svc_parse_u64(path, (size_t)(slash - path), addr) &&
	    svc_parse_u64(slash + 1, strlen(slash + 1), size) && *size &&
	    base_add_u64(*addr, *size, &end))
		return 0;
	svc_escape(path, shown, sizeof(shown));
	return base_err_set(err, -EINVAL,
			    "mmio: \"%s\", expected ADDR/SIZE, decimal or 0x hex, SIZE > 0", shown);
}

int svc_mmio_open(struct svc_client *client, const char *path, u32 *out, struct base_err *err)
{
	struct region region;
	struct window *w;
	u64 addr, size;
	int ret = parse(path, &addr, &size, err);

	if (ret)
		return ret;
	if (!find_region(client->svc, addr, size, &region))
		return base_err_set(err, -EACCES,
				    "mmio: 0x%llx/0x%llx is not in a BAR of a device served here; "
				    "N/regions lists them",
				    (unsigned long long)addr, (unsigned long long)size);
	w = base_zalloc(sizeof(*w));
	if (!w)
		return base_err_set(err, -ENOMEM, "mmio: no memory for the handle");
	w->handle.ops = &window_ops;
	w->handle.dev = region.dev;
	w->bar = region.bar;
	w->off = (u32)(addr - region.addr);
	w->size = size;
	ret = svc_handle_add(client, &w->handle, out, err);
	if (ret)
		base_free(w);
	return ret;
}
