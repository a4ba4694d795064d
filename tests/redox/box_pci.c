// SPDX-License-Identifier: MIT
/* Interrupt vectors (R 4) and pcid's channel (R 5). */
#include "box_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MSI_CAP	  0x05u
#define NR_BARS	  6u
#define BAR_BASE  UINT64_C(0x5010000000)
#define MAX_REPLY 256u
#define MAX_PIECE 24u /* of an answer, at once */

/*
 * Vectors
 */

struct vector {
	struct svc_list link;
	struct box_file *file;
	u32 irq;
	u64 acked;
};

/* Never blocks; the counter, if it is another than the last that was acknowledged. */
static s64 irq_read(struct box_proc *proc, struct box_file *file, u8 *dst, size_t len)
{
	const struct vector *v = file->priv;
	u64 count = proc->box->irq_count[v->irq];

	if (len < sizeof(count))
		return -EINVAL;
	if (count == v->acked)
		return 0;
	memcpy(dst, &count, sizeof(count));
	return sizeof(count);
}

static s64 irq_write(struct box_proc *proc, struct box_file *file, const u8 *src, size_t len)
{
	struct vector *v = file->priv;
	u64 count;

	if (len < sizeof(count))
		return -EINVAL;
	memcpy(&count, src, sizeof(count));
	if (count != proc->box->irq_count[v->irq])
		return 0; /* it fired again meanwhile */
	v->acked = count;
	return sizeof(count);
}

static s64 irq_fevent(struct box_proc *proc, struct box_file *file, size_t mask)
{
	const struct vector *v = file->priv;

	return proc->box->irq_count[v->irq] != v->acked ? (s64)(mask & REDOX_EVENT_READ) : 0;
}

/* The reservation stays: nobody can have the vector until the next boot. */
static void irq_close(struct box *box, struct box_file *file)
{
	struct vector *v = file->priv;

	(void)box;
	svc_list_del(&v->link);
	free(v);
}

static const struct box_file_ops irq_ops = { .name = "vector",
					     .read = irq_read,
					     .write = irq_write,
					     .fevent = irq_fevent,
					     .close = irq_close };

static s64 bsp_read(struct box_proc *proc, struct box_file *file, u8 *dst, size_t len)
{
	(void)proc, (void)file;
	if (len < 8)
		return -EINVAL;
	memset(dst, 0, 8);
	return 8;
}

static const struct box_file_ops bsp_ops = { .name = "bsp", .read = bsp_read };

s64 box_irq_open(struct box_proc *proc, const u8 *path, size_t len, u32 flags)
{
	static const char cpu[] = "cpu-00/";
	char text[16] = "";
	struct vector *v;
	u32 irq;

	if (proc->cfg.uid)
		return -EACCES;
	if (box_path_is(path, len, "bsp"))
		return box_fd_add(proc, box_file_new(&bsp_ops, NULL));
	if (len <= strlen(cpu) || len >= strlen(cpu) + sizeof(text) ||
	    memcmp(path, cpu, strlen(cpu)) != 0)
		return -ENOENT;
	memcpy(text, path + strlen(cpu), len - strlen(cpu));
	irq = (u32)strtoul(text, NULL, 10);
	if (irq < BOX_FIRST_IRQ || irq >= BOX_NR_IRQS || !(flags & REDOX_O_CREAT))
		return -ENOENT;
	if (proc->box->irq_reserved[irq])
		return -EEXIST;
	v = calloc(1, sizeof(*v));
	if (!v)
		abort();
	proc->box->irq_reserved[irq] = true;
	v->irq = irq;
	v->acked = proc->box->irq_count[irq];
	v->file = box_file_new(&irq_ops, v);
	svc_list_add(&proc->box->irq_files, &v->link);
	return box_fd_add(proc, v->file);
}

/* From the device, with its lock held. */
void box_msi(void *opaque, unsigned vector)
{
	struct box *box = opaque;
	struct svc_list *node;

	(void)vector;
	pthread_mutex_lock(&box->lock);
	if (!box->msi_irq)
		box_complain(box, "a message-signalled interrupt goes nowhere");
	box->irq_count[box->msi_irq]++;
	base_for_each (node, &box->irq_files) {
		struct vector *v = svc_list_entry(node, struct vector, link);

		if (v->irq == box->msi_irq)
			box_trigger(box, v->file, REDOX_EVENT_READ);
	}
	pthread_mutex_unlock(&box->lock);
}

/*
 * pcid
 */

struct channel {
	u8 reply[MAX_REPLY];
	size_t len, pos;
};

static void put(struct channel *c, u64 val, size_t size)
{
	for (size_t i = 0; i < size; i++)
		c->reply[c->len++] = (u8)(val >> (8 * i));
}

struct request {
	const u8 *data;
	size_t len, pos;
	bool bad;
};

static u64 get(struct request *r, size_t size)
{
	u64 val = 0;

	if (r->len - r->pos < size) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		val |= (u64)r->data[r->pos++] << (8 * i);
	return val;
}

/* The device is called without our lock: it calls us with its own. */
static u32 cfg_rd(struct box *box, u32 off)
{
	u32 val = 0;

	pthread_mutex_unlock(&box->lock);
	if (vnpu_cfg_read(box->vnpu, off, 4, &val))
		val = UINT32_MAX;
	pthread_mutex_lock(&box->lock);
	return val;
}

static void cfg_wr(struct box *box, u32 off, u32 val)
{
	pthread_mutex_unlock(&box->lock);
	(void)!vnpu_cfg_write(box->vnpu, off, 4, val);
	pthread_mutex_lock(&box->lock);
}

static u32 msi_cap(struct box *box)
{
	u32 at = cfg_rd(box, 0x34) & 0xfc;

	for (u32 i = 0; i < 48 && at; i++) {
		u32 cap = cfg_rd(box, at);

		if ((cap & 0xff) == MSI_CAP)
			return at;
		at = (cap >> 8) & 0xfc;
	}
	return 0;
}

static void put_function(struct box *box, struct channel *c)
{
	u64 at = BAR_BASE;
	u32 id = cfg_rd(box, 0), class_rev = cfg_rd(box, 8);

	put(c, 1, 4); /* Config */
	put(c, 0, 2); /* 0000:00:0b.0 */
	put(c, 0, 1);
	put(c, 11, 1);
	put(c, 0, 1);
	for (u32 bar = 0; bar < NR_BARS; bar++) {
		u64 size = vnpu_bar_size(box->vnpu, bar);

		put(c, size ? 2 : 0, 4);
		if (!size)
			continue;
		put(c, at, 8);
		put(c, size, 8);
		at += size;
	}
	put(c, 0, 1); /* no ROM */
	put(c, 1, 1); /* a line */
	put(c, 11, 1);
	put(c, 0, 1);
	put(c, id & 0xffff, 2);
	put(c, id >> 16, 2);
	put(c, class_rev >> 24, 1);
	put(c, class_rev >> 16 & 0xff, 1);
	put(c, class_rev >> 8 & 0xff, 1);
	put(c, class_rev & 0xff, 1);
}

static void enable_device(struct box *box)
{
	cfg_wr(box, 4, (cfg_rd(box, 4) & 0xffff) | 7);
}

static void set_msi_enable(struct box *box, bool on)
{
	u32 cap = msi_cap(box), ctrl = cfg_rd(box, cap);

	cfg_wr(box, cap, on ? ctrl | 1u << 16 : ctrl & ~(1u << 16));
}

/* {log2 of vectors, {address, data}, mask bits}, each there or not. */
static void set_msi(struct box *box, struct request *r)
{
	u32 cap = msi_cap(box);
	bool is_64 = cfg_rd(box, cap) & 1u << 23;
	u64 addr, irq;
	u32 data;

	if (get(r, 1))
		(void)get(r, 1);
	if (!get(r, 1)) {
		r->bad = true; /* nothing to set: nobody here asks for that */
		return;
	}
	addr = get(r, 8);
	data = (u32)get(r, 4);
	if (get(r, 1))
		(void)get(r, 4);
	irq = data - BOX_VECTOR_BASE;
	if (r->bad || addr != 0xfee00000 || irq >= BOX_NR_IRQS || !box->irq_reserved[irq]) {
		box_complain(box, "MSI to 0x%llx, data 0x%x: no vector that was reserved",
			     (unsigned long long)addr, data);
		return;
	}
	box->msi_irq = (u32)irq;
	cfg_wr(box, cap + 4, (u32)addr);
	cfg_wr(box, cap + 8, is_64 ? 0 : data);
	if (is_64)
		cfg_wr(box, cap + 12, data);
}

static void answer(struct box *box, struct channel *c, struct request *r)
{
	u64 kind = get(r, 4), feature, off;

	switch (kind) {
	case 0:
		enable_device(box);
		put(c, 0, 4);
		break;
	case 1:
		put_function(box, c);
		break;
	case 2: /* features: MSI */
		put(c, 2, 4);
		put(c, 1, 8);
		put(c, 0, 4);
		break;
	case 4:
		feature = get(r, 4);
		if (feature) {
			put(c, 6, 4); /* Error, no such feature */
			put(c, 0, 4);
			put(c, feature, 4);
			break;
		}
		set_msi_enable(box, true);
		put(c, 4, 4);
		put(c, feature, 4);
		break;
	case 6:
		feature = get(r, 4);
		r->bad |= feature != 0;
		if (!r->bad)
			set_msi(box, r);
		put(c, 8, 4);
		put(c, feature, 4);
		break;
	case 7:
		off = get(r, 2);
		put(c, 9, 4);
		put(c, cfg_rd(box, (u32)off), 4);
		r->bad |= off % 4 != 0;
		break;
	case 8:
		off = get(r, 2);
		r->bad |= off % 4 != 0 || r->len - r->pos < 4;
		if (!r->bad)
			cfg_wr(box, (u32)off, (u32)get(r, 4));
		put(c, 10, 4);
		break;
	default:
		r->bad = true;
	}
}

static s64 channel_write(struct box_proc *proc, struct box_file *file, const u8 *src, size_t len)
{
	struct channel *c = file->priv;
	struct request r = { .data = src, .len = len };
	u64 size;

	if (c->pos < c->len) {
		box_complain(proc->box, "pcid: a request before the answer was read");
		return -EINVAL;
	}
	c->pos = 0;
	c->len = 8;
	answer(proc->box, c, &r);
	if (r.bad || r.pos != r.len) {
		box_complain(proc->box, "pcid: a request of %zu bytes that is none", len);
		c->len = 0;
		return -EINVAL;
	}
	size = c->len - 8;
	memcpy(c->reply, &size, 8);
	return (s64)len;
}

/* In pieces, as a pipe would: who wants all of it asks again. */
static s64 channel_read(struct box_proc *proc, struct box_file *file, u8 *dst, size_t len)
{
	struct channel *c = file->priv;
	size_t n = base_min(len, c->len - c->pos);

	(void)proc;
	n = base_min(n, (size_t)MAX_PIECE);
	memcpy(dst, c->reply + c->pos, n);
	c->pos += n;
	return (s64)n;
}

/* BAR and cache type in the offset; the rest of it is ignored, so it has to be 0. */
static s64 channel_mmap(struct box_proc *proc, struct box_file *file, void *at, size_t len,
			u32 prot, u32 flags, u64 off)
{
	u32 bar = (u32)(off >> 61), type = (u32)(off >> 59 & 3);
	u64 size = bar < NR_BARS ? vnpu_bar_size(proc->box->vnpu, bar) : 0;

	(void)file, (void)at, (void)prot;
	if (type != 1 || off << 5 || !(flags & REDOX_MAP_SHARED))
		box_complain(proc->box, "pcid: registers mapped with offset 0x%llx, flags 0x%x",
			     (unsigned long long)off, flags);
	if (!size || len != base_align_up(size, BASE_PAGE_SIZE))
		return -EINVAL;
	return box_map_bar(proc, bar, len);
}

/* Bus mastering, MSI: all stays as it is. */
static void channel_close(struct box *box, struct box_file *file)
{
	box->channel_open = false;
	free(file->priv);
}

static const struct box_file_ops channel_ops = { .name = "pcid channel",
						 .read = channel_read,
						 .write = channel_write,
						 .mmap = channel_mmap,
						 .close = channel_close };

s64 box_channel_open(struct box_proc *proc)
{
	struct channel *c;

	if (proc->box->channel_open)
		return -ENOLCK;
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	proc->box->channel_open = proc->box->unclaimed = true;
	enable_device(proc->box);
	set_msi_enable(proc->box, false);
	return box_fd_add(proc, box_file_new(&channel_ops, c));
}

/* pcid hands the function over with bus mastering on, and maybe in the midst of what it did for who
 * was killed: memory that it is given before it was stopped is not safe from it. */
void box_check_claim(struct box *box)
{
	if (!box->unclaimed)
		return;
	box->unclaimed = false;
	if (cfg_rd(box, 4) & 4)
		box_complain(box, "memory is allocated for a function that was not stopped");
}

bool box_quiet(struct box *box)
{
	bool quiet;

	pthread_mutex_lock(&box->lock);
	quiet = !(cfg_rd(box, 4) & 4) && !(cfg_rd(box, msi_cap(box)) & 1u << 16);
	pthread_mutex_unlock(&box->lock);
	return quiet;
}

/* What the machine's firmware did: addresses in the BARs. */
static void assign_bars(struct box *box)
{
	u64 at = BAR_BASE;

	for (u32 bar = 0; bar < NR_BARS; bar++) {
		u64 size = vnpu_bar_size(box->vnpu, bar);

		if (!size)
			continue;
		(void)!vnpu_cfg_write(box->vnpu, 0x10 + 4 * bar, 4, (u32)at);
		(void)!vnpu_cfg_write(box->vnpu, 0x14 + 4 * bar, 4, (u32)(at >> 32));
		at += size;
	}
}

int box_pci_create(struct box *box)
{
	const struct vnpu_config cfg = { .gen = box->cfg.gen,
					 .device_id = box->cfg.device_id,
					 .mode = VNPU_THREADED,
					 .seed = box->cfg.seed,
					 .engine = "plain",
					 .opaque = box,
					 .msi = box_msi };
	int ret = vnpu_create(&cfg, &box->vnpu, NULL, 0);

	if (ret)
		return ret;
	assign_bars(box);
	return vnpu_dma_map(box->vnpu, box->ram_base, box->ram_len, box->ram, true);
}
