// SPDX-License-Identifier: MIT
/*
 * The memory scheme and mappings.  The box's RAM is one memfd, mapped once for the device; what a
 * process maps of it are the very same frames at another address.
 *
 * R 3: contiguous memory is a power of two of pages, at most 4 MiB, naturally aligned, private only,
 * root's only; what is not a power of two leaks its rest.
 */
#include "box_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_RAM (UINT64_C(256) << 20)
#define RAM_BASE    UINT64_C(0x140000000) /* above 4 GiB, as most of a machine's memory */

int box_ram_create(struct box *box)
{
	box->ram_len = box->cfg.ram_bytes ? box->cfg.ram_bytes : DEFAULT_RAM;
	box->ram_base = box->cfg.low_ram ? BOX_MAX_PIECE * 256 : RAM_BASE;
	box->ram_used = calloc(box->ram_len / BASE_PAGE_SIZE, 1);
	box->ram_fd = memfd_create("redox-ram", MFD_CLOEXEC);
	if (!box->ram_used || box->ram_fd < 0 || ftruncate(box->ram_fd, (off_t)box->ram_len))
		return -ENOMEM;
	box->ram = mmap(NULL, box->ram_len, PROT_READ | PROT_WRITE, MAP_SHARED, box->ram_fd, 0);
	return box->ram == MAP_FAILED ? -ENOMEM : 0;
}

void box_ram_destroy(struct box *box)
{
	if (box->ram && box->ram != MAP_FAILED)
		munmap(box->ram, box->ram_len);
	if (box->ram_fd > 0)
		close(box->ram_fd);
	free(box->ram_used);
}

static bool ram_free(const struct box *box, u64 page, u64 nr)
{
	for (u64 i = 0; i < nr; i++)
		if (box->ram_used[page + i])
			return false;
	return true;
}

/* Naturally aligned; full of what was there before, which is the caller's to clear. */
static struct box_block *ram_get(struct box *box, u64 len)
{
	u64 nr = len / BASE_PAGE_SIZE;
	struct box_block *block;

	for (u64 page = 0; page + nr <= box->ram_len / BASE_PAGE_SIZE; page += nr) {
		if (!ram_free(box, page, nr))
			continue;
		block = calloc(1, sizeof(*block));
		if (!block)
			abort();
		memset(box->ram_used + page, 1, nr);
		box->contiguous += len;
		*block = (struct box_block){
			.fd = box->ram_fd, .off = page * BASE_PAGE_SIZE, .len = len, .is_ram = true
		};
		memset(box->ram + block->off, 0, len);
		return block;
	}
	return NULL;
}

static void block_put(struct box *box, struct box_block *block)
{
	if (--block->refs)
		return;
	if (block->is_ram) {
		memset(box->ram_used + block->off / BASE_PAGE_SIZE, 0, block->len / BASE_PAGE_SIZE);
		/* whoever still looks finds out */
		memset(box->ram + block->off, 0xdb, block->len);
		box->contiguous -= block->len;
	} else {
		close(block->fd);
	}
	free(block);
}

/*
 * Mappings
 */

static struct box_map *map_new(struct box_proc *proc, enum box_map_kind kind, u8 *at, u64 len)
{
	struct box_map *map = calloc(1, sizeof(*map));

	if (!map)
		abort();
	*map = (struct box_map){ .kind = kind, .at = at, .len = len };
	svc_list_add(&proc->maps, &map->link);
	proc->box->nr_maps++;
	return map;
}

static void map_free(struct box_proc *proc, struct box_map *map)
{
	if (map->block)
		block_put(proc->box, map->block);
	svc_list_del(&map->link);
	proc->box->nr_maps--;
	free(map);
}

static struct box_map *map_at(const struct box_proc *proc, const u8 *at)
{
	struct svc_list *node;

	base_for_each (node, &proc->maps) {
		struct box_map *map = svc_list_entry(node, struct box_map, link);

		if (at >= map->at && at < map->at + map->len)
			return map;
	}
	return NULL;
}

/* The part of @map before @at stays, and what is behind @end; contiguous memory goes as a whole. */
static int trim(struct box_proc *proc, struct box_map *map, u8 *at, u8 *end)
{
	u8 *map_end = map->at + map->len;

	if (map->kind != MAP_RESERVED && (at > map->at || end < map_end)) {
		box_complain(proc->box, "%s unmaps a part of a mapping", proc->cfg.name);
		return -EINVAL;
	}
	if (end < map_end)
		map_new(proc, MAP_RESERVED, end, (u64)(map_end - end));
	if (at > map->at) {
		map->len = (u64)(at - map->at);
		return 0;
	}
	if (map->kind == MAP_BAR)
		box_mmio_del(map->at);
	map_free(proc, map);
	return 0;
}

static bool overlaps(const struct box_map *map, const u8 *at, u64 len)
{
	return map->at < at + len && at < map->at + map->len;
}

/* Out of the records; the memory is the caller's to unmap, or to map over. */
static int forget(struct box_proc *proc, u8 *at, u64 len, struct box_file **lent, u64 *lent_off)
{
	struct svc_list *node, *tmp;
	int ret = 0;

	base_for_each_safe (node, tmp, &proc->maps) {
		struct box_map *map = svc_list_entry(node, struct box_map, link);
		struct box_file *file = map->file;

		if (!overlaps(map, at, len))
			continue;
		if (file && lent && !*lent) {
			*lent = file;
			*lent_off = map->lent_off;
			file->refs++;
		}
		if (!ret)
			ret = trim(proc, map, at, at + len);
		if (!ret && file)
			box_file_put(proc->box, file);
	}
	return ret;
}

s64 box_unmap(struct box_proc *proc, u8 *at, u64 len, struct box_file **lent, u64 *lent_off)
{
	int ret = forget(proc, at, len, lent, lent_off);

	if (!ret && munmap(at, len))
		ret = -errno;
	return ret;
}

void box_unmap_all(struct box_proc *proc)
{
	while (!svc_list_empty(&proc->maps)) {
		struct box_map *map = svc_list_entry(proc->maps.next, struct box_map, link);
		struct box_file *file = map->file;

		if (map->kind == MAP_BAR)
			box_mmio_del(map->at);
		munmap(map->at, map->len);
		map_free(proc, map);
		if (file)
			box_file_put(proc->box, file);
	}
}

static int host_prot(u32 prot)
{
	return (prot & REDOX_PROT_READ ? PROT_READ : 0) |
	       (prot & REDOX_PROT_WRITE ? PROT_WRITE : 0);
}

/* @block from @off on, somewhere or at @at; takes a reference. */
static s64 map_block(struct box_proc *proc, struct box_block *block, u64 off, void *at, u64 len,
		     u32 prot, bool fixed)
{
	struct box_map *map;
	u8 *cpu;

	if (fixed) {
		int ret = forget(proc, at, len, NULL, NULL);

		if (ret)
			return ret;
	}
	cpu = mmap(at, len, host_prot(prot), MAP_SHARED | (fixed ? MAP_FIXED : 0), block->fd,
		   (off_t)(block->off + off));
	if (cpu == MAP_FAILED)
		return -ENOMEM;
	map = map_new(proc, MAP_MEMORY, cpu, len);
	map->block = block;
	map->block_off = off;
	block->refs++;
	return (s64)(uintptr_t)cpu;
}

s64 box_map_anonymous(struct box_proc *proc, void *at, size_t len, u32 prot, u32 flags)
{
	struct box_block *block;
	void *cpu;
	s64 ret;

	if (!prot) { /* addresses, nothing behind them */
		cpu = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			   0);
		if (cpu == MAP_FAILED)
			return -ENOMEM;
		map_new(proc, MAP_RESERVED, cpu, len);
		return (s64)(uintptr_t)cpu;
	}
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->fd = memfd_create("redox-anonymous", MFD_CLOEXEC);
	block->len = len;
	if (block->fd < 0 || ftruncate(block->fd, (off_t)len))
		abort();
	ret = map_block(proc, block, 0, at, len, prot, flags & REDOX_MAP_FIXED);
	if (ret < 0 && ret > -4096) {
		block->refs = 1;
		block_put(proc->box, block);
	}
	return ret;
}

/* A page nobody wrote is the one page of zeros, and lent as that: R 3. */
static bool never_written(const struct box_map *map, u64 off, u64 len)
{
	off_t at = (off_t)(map->block_off + off);

	if (map->block->is_ram)
		return false;
	for (u64 done = 0; done < len; done += BASE_PAGE_SIZE)
		if (lseek(map->block->fd, at + (off_t)done, SEEK_DATA) != at + (off_t)done)
			return true;
	return false;
}

/* One piece of what is lent; at @at, which is reserved for it. */
static s64 lend_piece(struct box_proc *proc, struct box_proc *server, u64 from, u8 *at, u64 left,
		      u32 prot, u64 *len)
{
	struct box_map *map = map_at(server, (u8 *)(uintptr_t)from);
	u64 off;

	if (!map || map->kind != MAP_MEMORY) {
		box_complain(proc->box, "%s lends what it has not mapped", server->cfg.name);
		return -EFAULT;
	}
	off = (u64)((u8 *)(uintptr_t)from - map->at);
	*len = base_min(left, map->len - off);
	if (never_written(map, off, *len))
		box_complain(proc->box, "%s lends a page that was never written", server->cfg.name);
	return map_block(proc, map->block, map->block_off + off, at, *len, prot, true);
}

s64 box_map_lent(struct box_proc *proc, struct box_proc *server, u64 from, size_t len, u32 prot,
		 struct box_file *file, u64 off)
{
	u8 *at = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 done = 0, piece = 0;

	if (at == MAP_FAILED)
		return -ENOMEM;
	map_new(proc, MAP_RESERVED, at, len);
	for (; done < len; done += piece) {
		s64 ret =
			lend_piece(proc, server, from + done, at + done, len - done, prot, &piece);
		struct box_map *map;

		if (ret < 0 && ret > -4096) {
			(void)box_unmap(proc, at, len, NULL, NULL);
			return ret;
		}
		map = map_at(proc, at + done);
		map->file = file;
		map->lent_off = off + done;
		file->refs++;
	}
	return (s64)(uintptr_t)at;
}

s64 box_map_bar(struct box_proc *proc, u32 bar, u64 len)
{
	u8 *at = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -ENOMEM;
	map_new(proc, MAP_BAR, at, len)->bar = bar;
	box_mmio_add(proc->box, bar, at, len);
	return (s64)(uintptr_t)at;
}

/*
 * The scheme
 */

static s64 contiguous_mmap(struct box_proc *proc, struct box_file *file, void *at, size_t len,
			   u32 prot, u32 flags, u64 off)
{
	struct box_block *block;
	s64 ret;

	(void)file, (void)off;
	if (flags & REDOX_MAP_SHARED)
		return -EOPNOTSUPP;
	if (len > BOX_MAX_PIECE)
		return -ENOMEM;
	box_check_claim(proc->box);
	if (!base_is_pow2(len))
		box_complain(
			proc->box,
			"%s: %zu bytes of contiguous memory, the rest up to a power of two leaks",
			proc->cfg.name, len);
	block = ram_get(proc->box,
			base_is_pow2(len) ? len : UINT64_C(1) << (64 - __builtin_clzll(len)));
	if (!block)
		return -ENOMEM;
	ret = map_block(proc, block, 0, at, len, prot, flags & REDOX_MAP_FIXED);
	if (ret < 0 && ret > -4096) {
		block->refs = 1;
		block_put(proc->box, block);
	}
	return ret;
}

static s64 translation_call(struct box_proc *proc, struct box_file *file, u8 *payload, size_t len,
			    const u64 meta[3])
{
	const struct box_map *map;
	u64 at;

	(void)file, (void)meta;
	if (len != sizeof(at) || !payload)
		return -EINVAL;
	memcpy(&at, payload, sizeof(at));
	map = map_at(proc, (const u8 *)(uintptr_t)at);
	if (!map || map->kind != MAP_MEMORY)
		return -ENOENT;
	if (!map->block->is_ram) {
		box_complain(proc->box, "%s asks where lazy memory is", proc->cfg.name);
		return -ENOENT;
	}
	at = proc->box->ram_base + map->block->off + map->block_off +
	     (u64)((const u8 *)(uintptr_t)at - map->at);
	memcpy(payload, &at, sizeof(at));
	return 0;
}

static const struct box_file_ops contiguous_ops = { .name = "contiguous memory",
						    .mmap = contiguous_mmap };
static const struct box_file_ops translation_ops = { .name = "translation",
						     .call = translation_call };

s64 box_mem_open(struct box_proc *proc, const u8 *path, size_t len)
{
	bool contiguous = box_path_is(path, len, "zeroed@wb?phys_contiguous") ||
			  box_path_is(path, len, "zeroed@wc?phys_contiguous") ||
			  box_path_is(path, len, "zeroed@uc?phys_contiguous");

	if (len > 64)
		return -ENOENT;
	if (!contiguous && !box_path_is(path, len, "translation"))
		return -ENOENT; /* without the @, too */
	if (proc->cfg.uid)
		return -EACCES;
	return box_fd_add(proc,
			  box_file_new(contiguous ? &contiguous_ops : &translation_ops, NULL));
}
