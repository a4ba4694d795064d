// SPDX-License-Identifier: MIT
/* What a descriptor is: fstat, names, path, size. */
#include "scheme/redox.h"

#include <errno.h>
#include <string.h>

static s64 copy_out(u64 at, u64 room, const void *data, u64 size)
{
	u64 n = base_min(room, size);

	if (n)
		memcpy((void *)(uintptr_t)at, data, n);
	return (s64)n;
}

static s64 put_stat(const struct entry *entry, u64 at, u64 room)
{
	const bool is_dir = entry->kind == ENTRY_ROOT || entry->kind == ENTRY_DEVICE;
	struct svc_stat stat = { 0 };
	struct redox_stat out;

	if (room < sizeof(out))
		return -EINVAL;
	if (entry->kind == ENTRY_NODE)
		(void)!svc_stat(entry->client->svc, entry->handle, &stat, NULL);
	out = (struct redox_stat){
		.ino = entry->id,
		.mode = is_dir ? REDOX_S_IFDIR | 0555 : REDOX_S_IFCHR | 0666,
		.nlink = 1,
		.uid = entry->client->euid,
		.size = stat.size_bytes,
		.blksize = (u32)BASE_PAGE_SIZE,
	};
	return copy_out(at, room, &out, sizeof(out)) == sizeof(out) ? 0 : -EINVAL;
}

/* The k-th name in a directory; false behind the last. */
static bool name_of(const struct entry *dir, u64 k, char *name, size_t size)
{
	static const char *const nodes[] = { "info",	 "status", "metrics", "clients",
					     "log",	 "trace",  "dump",    "regions",
					     "counters", "stream", "control", "ctx" };
	struct entry probe = { .client = dir->client, .device = (u32)k };

	if (dir->kind == ENTRY_DEVICE) {
		snprintf(name, size, "%s", k < BASE_ARRAY_SIZE(nodes) ? nodes[k] : "");
		return k < BASE_ARRAY_SIZE(nodes);
	}
	snprintf(name, size, "%llu", (unsigned long long)k);
	return !*dir->client->scheme->tree && k <= UINT32_MAX &&
	       !rs_open_device(dir->client, &probe);
}

static s64 put_names(const struct entry *dir, u64 at, u64 room, u64 first)
{
	u64 used = 0;
	char name[32];

	if (dir->kind != ENTRY_ROOT && dir->kind != ENTRY_DEVICE)
		return -ENOTDIR;
	for (u64 k = first; name_of(dir, k, name, sizeof(name)); k++) {
		const u64 len = sizeof(struct redox_dirent) + strlen(name) + 1;
		const struct redox_dirent head = {
			.inode = k + 1,
			.next = k + 1,
			.record_len = (u16)len,
			.kind = dir->kind == ENTRY_ROOT ? REDOX_DT_DIR : REDOX_DT_CHR,
		};

		if (len > room - used)
			return used ? (s64)used : -EINVAL;
		memcpy((void *)(uintptr_t)(at + used), &head, sizeof(head));
		memcpy((void *)(uintptr_t)(at + used + sizeof(head)), name, strlen(name) + 1);
		used += len;
	}
	return (s64)used;
}

s64 rs_stdfs(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	(void)scheme;
	switch (sqe->args[3] & 0xff) {
	case REDOX_STDFS_FSTAT:
		return put_stat(entry, sqe->args[1], sqe->args[2]);
	case REDOX_STDFS_GETDENTS:
		return put_names(entry, sqe->args[1], sqe->args[2], sqe->args[4]);
	case REDOX_STDFS_FSYNC:
		return 0;
	default:
		return -REDOX_EOPNOTSUPP;
	}
}

s64 rs_fstat(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	(void)scheme;
	return put_stat(entry, sqe->args[1], sqe->args[2]);
}

s64 rs_fpath(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	int n = snprintf((char *)scheme->bounce, sizeof(scheme->bounce), "/scheme/%s/%s",
			 scheme->name, entry->path);

	return copy_out(sqe->args[1], sqe->args[2], scheme->bounce, (u64)n);
}

s64 rs_fsize(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	struct svc_stat stat;
	int ret = entry->kind == ENTRY_NODE
			  ? svc_stat(entry->client->svc, entry->handle, &stat, NULL)
			  : -EISDIR;

	(void)scheme;
	(void)sqe;
	return ret ? ret : (s64)stat.size_bytes;
}
