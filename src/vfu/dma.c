// SPDX-License-Identifier: MIT
/* Client memory (dma.h). */
#include "vfu/dma.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * protects: the list of all, each one's table, nr_shared.  Taken last; nobody touches client memory with it,
 * so that the handler, which runs where client memory was touched, can take it.
 */
static atomic_flag table_lock = ATOMIC_FLAG_INIT;
static struct vfu_dma *all;
static u32 nr_shared; /* files mapped beyond each device's own */
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER; /* protects: before, while set */
static struct sigaction before;

static void lock(void)
{
	while (atomic_flag_test_and_set_explicit(&table_lock, memory_order_acquire))
		;
}

static void unlock(void)
{
	atomic_flag_clear_explicit(&table_lock, memory_order_release);
}

/*
 * Losing memory
 */

static struct vfu_dma_entry *entry_of(const struct vfu_dma *dma, uintptr_t host)
{
	for (u32 i = 0; i < dma->nr; i++) {
		struct vfu_dma_entry *e = &dma->entries[i];

		if (e->host && host - (uintptr_t)e->host < e->len)
			return e;
	}
	return NULL;
}

/* The whole mapping at once: one page at a time, a large one would use up all mappings. */
static bool replace(uintptr_t host)
{
	bool done = false;

	lock();
	for (struct vfu_dma *dma = all; dma && !done; dma = dma->next) {
		struct vfu_dma_entry *e = entry_of(dma, host);

		if (!e)
			continue;
		done = mmap(e->host, e->len, PROT_READ | PROT_WRITE,
			    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			    0) != MAP_FAILED;
		atomic_store(&dma->lost, true);
	}
	unlock();
	return done;
}

/* Not ours: as if this handler had never been. */
static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	bool done = info->si_code > 0 && replace((uintptr_t)info->si_addr);

	errno = saved;
	if (done)
		return;
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(sig, info, context);
	else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(sig);
	else
		(void)sigaction(SIGBUS, &before, NULL); /* the access is repeated, and kills */
}

/* With each device: whoever is part of the process may have put his own in the place. */
static int install(void)
{
	const struct sigaction act = { .sa_sigaction = on_sigbus,
				       .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sigaction now;
	int ret = 0;

	pthread_mutex_lock(&install_lock);
	if (sigaction(SIGBUS, NULL, &now)) {
		ret = -errno;
	} else if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != on_sigbus) {
		before = now;
		ret = sigaction(SIGBUS, &act, NULL) ? -errno : 0;
	}
	pthread_mutex_unlock(&install_lock);
	return ret;
}

int vfu_dma_init(struct vfu_dma *dma, struct vnpu *vnpu, const struct vnpu_remote *remote)
{
	int ret = install();

	if (ret)
		return ret;
	dma->vnpu = vnpu;
	dma->remote = *remote;
	dma->entries = NULL;
	dma->nr = 0;
	dma->cap = 0;
	dma->nr_files = 0;
	dma->file_bytes = 0;
	atomic_init(&dma->lost, false);
	lock();
	dma->next = all;
	all = dma;
	unlock();
	return 0;
}

void vfu_dma_fini(struct vfu_dma *dma)
{
	struct vfu_dma **at = &all;

	vfu_dma_unmap_all(dma);
	lock();
	while (*at != dma)
		at = &(*at)->next;
	*at = dma->next;
	unlock();
	base_free(dma->entries);
}

/*
 * The table
 */

/* Index of the first entry that ends behind @addr. */
static u32 lower_bound(const struct vfu_dma *dma, u64 addr)
{
	u32 lo = 0, hi = dma->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (dma->entries[mid].addr + (dma->entries[mid].len - 1) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int grow(struct vfu_dma *dma)
{
	u32 cap = dma->cap ? 2 * dma->cap : 32;
	struct vfu_dma_entry *entries, *old = dma->entries;

	if (dma->nr < dma->cap)
		return 0;
	entries = base_alloc_array(cap, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	if (dma->nr)
		memcpy(entries, old, dma->nr * sizeof(*entries));
	lock();
	dma->entries = entries;
	unlock();
	dma->cap = cap;
	base_free(old);
	return 0;
}

static void insert(struct vfu_dma *dma, u32 at, const struct vfu_dma_entry *entry)
{
	lock();
	memmove(&dma->entries[at + 1], &dma->entries[at], (dma->nr - at) * sizeof(*entry));
	dma->entries[at] = *entry;
	dma->nr++;
	unlock();
}

/* A file more, of @len bytes: is there room? */
static int reserve(struct vfu_dma *dma, u64 len)
{
	bool own = dma->nr_files < VFU_FILES_OWN;
	int ret = -ENOSPC;

	lock();
	if (len <= VFU_FILE_BYTES - dma->file_bytes && (own || nr_shared < VFU_FILES_SHARED)) {
		nr_shared += !own;
		dma->nr_files++;
		dma->file_bytes += len;
		ret = 0;
	}
	unlock();
	return ret;
}

static void release(struct vfu_dma *dma, u64 len)
{
	lock();
	dma->nr_files--;
	dma->file_bytes -= len;
	nr_shared -= dma->nr_files >= VFU_FILES_OWN;
	unlock();
}

static void drop(struct vfu_dma *dma, u32 at)
{
	struct vfu_dma_entry entry = dma->entries[at];

	(void)vnpu_dma_unmap(dma->vnpu, entry.addr, entry.len);
	lock();
	dma->nr--;
	memmove(&dma->entries[at], &dma->entries[at + 1], (dma->nr - at) * sizeof(entry));
	unlock();
	if (entry.host) {
		munmap(entry.host, entry.len);
		release(dma, entry.len);
	}
}

/*
 * Mapping
 */

static int check(const struct vfu_dma *dma, const struct vfu_dma_map *req, u32 *at)
{
	u64 last;

	if (!req->size || (req->addr | req->size) % BASE_PAGE_SIZE ||
	    !base_add_u64(req->addr, req->size - 1, &last))
		return -EINVAL;
	/* what may be written, may be read: as with many an IOMMU */
	if (!req->flags || req->flags & ~(u32)(VFU_DMA_READABLE | VFU_DMA_WRITEABLE))
		return -EINVAL;
	*at = lower_bound(dma, req->addr);
	if (*at < dma->nr && dma->entries[*at].addr <= last)
		return -EEXIST;
	return dma->nr < VFU_MAX_MAPS ? 0 : -ENOSPC;
}

/* Only a file: mapping a device could do anything. */
static int map_file(struct vfu_dma *dma, const struct vfu_dma_map *req, int fd, u8 **out)
{
	int prot = PROT_READ | (req->flags & VFU_DMA_WRITEABLE ? PROT_WRITE : 0);
	struct stat st;
	void *host;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || req->offset % BASE_PAGE_SIZE ||
	    !base_range_ok(req->offset, req->size, (u64)st.st_size))
		return -EINVAL;
	ret = reserve(dma, req->size);
	if (ret)
		return ret;
	host = mmap(NULL, req->size, prot, MAP_SHARED | MAP_NORESERVE, fd, (off_t)req->offset);
	if (host == MAP_FAILED) {
		ret = -errno;
		release(dma, req->size);
		return ret;
	}
	*out = host;
	return 0;
}

int vfu_dma_map(struct vfu_dma *dma, const struct vfu_dma_map *req, int fd)
{
	struct vfu_dma_entry entry = { .addr = req->addr, .len = req->size };
	bool writable = req->flags & VFU_DMA_WRITEABLE;
	u32 at;
	int ret = check(dma, req, &at);

	if (!ret)
		ret = grow(dma);
	if (!ret && fd >= 0)
		ret = map_file(dma, req, fd, &entry.host);
	if (ret)
		return ret;
	insert(dma, at, &entry); /* first: the device may touch it at once */
	if (entry.host)
		ret = vnpu_dma_map(dma->vnpu, req->addr, req->size, entry.host, writable);
	else
		ret = vnpu_dma_map_remote(dma->vnpu, req->addr, req->size, &dma->remote, writable);
	if (ret)
		drop(dma, at);
	return ret;
}

int vfu_dma_unmap(struct vfu_dma *dma, u64 addr, u64 len)
{
	u32 at = lower_bound(dma, addr);

	if (at == dma->nr || dma->entries[at].addr != addr || dma->entries[at].len != len)
		return -ENOENT;
	drop(dma, at);
	return 0;
}

void vfu_dma_unmap_all(struct vfu_dma *dma)
{
	while (dma->nr)
		drop(dma, dma->nr - 1);
}
