// SPDX-License-Identifier: MIT
/* Opening and duplicating. */
#include "scheme/redox.h"

#include <errno.h>
#include <string.h>

#include "service/path.h"

/* A program's text, copied: it has no end of its own, and its pages are the program's. */
static const char *copy_text(struct scheme *scheme, u64 at, u64 len)
{
	char *text = (char *)scheme->bounce;

	if (len > RS_MAX_PATH)
		return NULL;
	if (len)
		memcpy(text, (const void *)(uintptr_t)at, len);
	text[len] = '\0';
	return strlen(text) == len ? text : NULL;
}

/* A device's number and nothing behind it. */
static bool device_path(const char *path, u32 *device)
{
	u64 val = 0;

	if (!svc_parse_u64(path, strlen(path), &val) || val > UINT32_MAX)
		return false;
	*device = (u32)val;
	return true;
}

/* There is such a device if it tells about itself. */
int rs_open_device(struct client *client, struct entry *entry)
{
	char path[32];
	u32 handle;
	int ret;

	snprintf(path, sizeof(path), "%u/info", entry->device);
	ret = svc_open(client->svc, path, &handle, NULL);
	if (!ret)
		(void)!svc_close(client->svc, handle, NULL);
	return ret;
}

/* A copy: opening and reading it is no error of its own. */
static int open_error(struct entry *entry)
{
	const struct scheme *scheme = entry->client->scheme;
	const char *text = "";

	for (u32 i = 0; i < RS_NR_ERRORS; i++)
		if (scheme->errors[i].pid == entry->client->pid)
			text = scheme->errors[i].text;
	entry->kind = ENTRY_ERROR;
	entry->text = base_strdup(text);
	return entry->text ? 0 : -ENOMEM;
}

/* Of a scheme beside the tree of devices. */
static int open_raw(struct entry *entry, const char *path)
{
	struct client *client = entry->client;
	char full[RS_MAX_PATH + 16];
	int ret;

	snprintf(full, sizeof(full), "%s%s", client->scheme->tree, path);
	entry->kind = ENTRY_NODE;
	ret = svc_open(client->svc, full, &entry->handle, &client->scheme->err);
	if (!ret) /* what cannot seek says so, whatever is asked */
		entry->positioned =
			svc_seek(client->svc, entry->handle, 0, SVC_SEEK_SET, NULL) != -EOPNOTSUPP;
	return ret;
}

static int open_entry(struct entry *entry, const char *path)
{
	struct client *client = entry->client;

	if (!*path) {
		entry->kind = ENTRY_ROOT;
		return 0;
	}
	if (!strcmp(path, "error"))
		return open_error(entry);
	if (*client->scheme->tree)
		return open_raw(entry, path);
	if (device_path(path, &entry->device)) {
		entry->kind = ENTRY_DEVICE;
		return rs_open_device(client, entry);
	}
	entry->kind = ENTRY_NODE;
	return svc_open(client->svc, path, &entry->handle, &client->scheme->err);
}

/* Made, or nothing of it is left. */
static s64 finish_entry(struct scheme *scheme, struct entry *entry, int ret)
{
	if (!ret)
		return entry->id;
	entry->kind = ENTRY_GONE; /* it has no handle that could be closed */
	rs_entry_del(scheme, entry);
	return ret;
}

/* Without slashes at its ends; relative to a directory of ours where there is one. */
static int full_path(const struct entry *dir, const char *path, char out[RS_MAX_PATH + 1])
{
	size_t len;
	int n;

	path += strspn(path, "/");
	n = snprintf(out, RS_MAX_PATH + 1, "%s%s%s", dir ? dir->path : "",
		     dir && *dir->path && *path ? "/" : "", path);
	if (n < 0 || n > (int)RS_MAX_PATH)
		return -ENAMETOOLONG;
	for (len = (size_t)n; len && out[len - 1] == '/'; len--)
		out[len - 1] = '\0';
	return 0;
}

static s64 dup_entry(struct scheme *scheme, const struct entry *parent, const char *path)
{
	char full[RS_MAX_PATH + 1];
	struct entry *entry;
	int ret = full_path(parent, path, full);

	if (!ret)
		ret = rs_entry_add(scheme, parent->client, full, &entry);
	if (ret)
		return ret;
	entry->kind = ENTRY_NODE;
	entry->parent = parent->id;
	ret = svc_dup(parent->client->svc, parent->handle, path, &entry->handle, &scheme->err);
	return finish_entry(scheme, entry, ret);
}

s64 rs_openat(struct scheme *scheme, const struct redox_sqe *sqe)
{
	const struct entry *dir =
		sqe->args[0] == RS_ROOT_ID ? NULL : rs_entry_of(scheme, sqe->args[0]);
	const char *path = copy_text(scheme, sqe->args[1], sqe->args[2]);
	char full[RS_MAX_PATH + 1];
	struct client *client;
	struct entry *entry;
	int ret;

	if (!dir && sqe->args[0] != RS_ROOT_ID)
		return -EBADF;
	if (!path)
		return sqe->args[2] > RS_MAX_PATH ? -ENAMETOOLONG : -EINVAL;
	if (dir && dir->kind == ENTRY_GONE)
		return -EBADF;
	if (dir && dir->kind == ENTRY_NODE)
		return dup_entry(scheme, dir, path);
	ret = full_path(dir, path, full);
	if (!ret)
		ret = rs_client_get(scheme, sqe->caller, (u32)sqe->args[5], &client);
	if (ret)
		return ret;
	ret = rs_entry_add(scheme, client, full, &entry);
	if (ret) {
		rs_client_put(client);
		return ret;
	}
	return finish_entry(scheme, entry, open_entry(entry, full));
}

s64 rs_dup(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	const char *path = copy_text(scheme, sqe->args[1], sqe->args[2]);

	if (!path)
		return -EINVAL;
	return entry->kind == ENTRY_NODE ? dup_entry(scheme, entry, path) : -EINVAL;
}
