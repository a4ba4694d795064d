// SPDX-License-Identifier: MIT
/* Handle numbers, and the verbs of the handle tree. */
#include <errno.h>
#include <string.h>

#include "service/internal.h"

#define FIRST_SLOTS   16u
#define CALL_SIZE_MAX 1024u /* larger than any struct of calls.h */

static int grow(struct svc_client *client)
{
	u32 nr = client->nr_slots ? client->nr_slots * 2 : FIRST_SLOTS;
	struct svc_handle **handles;

	handles = base_realloc_array(client->handles, nr, sizeof(struct svc_handle *));
	if (!handles)
		return -ENOMEM;
	memset(handles + client->nr_slots, 0,
	       (nr - client->nr_slots) * sizeof(struct svc_handle *));
	client->handles = handles;
	client->nr_slots = nr;
	return 0;
}

static u32 free_slot(const struct svc_client *client)
{
	u32 i = 0;

	while (client->handles[i])
		i++;
	return i;
}

int svc_handle_add(struct svc_client *client, struct svc_handle *h, u32 *out, struct base_err *err)
{
	u32 slot;

	if (client->nr_handles >= client->svc->limits.handles)
		return base_err_set(err, -EMFILE, "%s: the client has %u handles, its quota",
				    h->ops->name, client->nr_handles);
	if (client->nr_handles == client->nr_slots && grow(client))
		return base_err_set(err, -ENOMEM, "%s: no memory for the handle", h->ops->name);
	slot = free_slot(client);
	client->handles[slot] = h;
	client->nr_handles++;
	h->client = client;
	h->number = slot + 1;
	svc_list_init(&h->armed);
	if (h->dev)
		h->dev->nr_handles++;
	*out = h->number;
	return 0;
}

void svc_handle_drop(struct svc_handle *h)
{
	struct svc_client *client = h->client;

	client->handles[h->number - 1] = NULL;
	client->nr_handles--;
	h->closing = true;
	svc_list_del(&h->armed);
	if (h->nr_waiting)
		svc_handle_kick(h);
	while (h->nr_waiting)
		pthread_cond_wait(&client->svc->left, &client->svc->lock);
	h->client = NULL;
	if (h->dev)
		h->dev->nr_handles--;
}

void svc_handle_destroy(struct svc_handle *h)
{
	svc_handle_drop(h);
	h->ops->close(h);
}

static struct svc_handle *find(const struct svc_client *client, u32 number, struct base_err *err)
{
	if (!number || number > client->nr_slots || !client->handles[number - 1]) {
		base_err_set(err, -EBADF, "handle %u is not open", number);
		return NULL;
	}
	return client->handles[number - 1];
}

static int no_verb(const struct svc_handle *h, const char *verb, struct base_err *err)
{
	return base_err_set(err, -EOPNOTSUPP, "a %s cannot %s", h->ops->name, verb);
}

static void lock(struct svc_client *client)
{
	pthread_mutex_lock(&client->svc->lock);
}

static void unlock(struct svc_client *client)
{
	pthread_mutex_unlock(&client->svc->lock);
}

/* Beside the tree of the devices: who opens these is trusted with all of them. */
static bool mmio_on(const struct svc *svc)
{
	return svc->mmio != SVC_MMIO_OFF;
}

static bool dma_on(const struct svc *svc)
{
	return svc->dma;
}

static const struct raw {
	const char *prefix;
	bool (*is_on)(const struct svc *svc);
	int (*open)(struct svc_client *client, const char *path, u32 *out, struct base_err *err);
} raws[] = { { "mmio:", mmio_on, svc_mmio_open }, { "dma:", dma_on, svc_dma_open } };

static const struct raw *raw_of(const char *path)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(raws); i++)
		if (strncmp(path, raws[i].prefix, strlen(raws[i].prefix)) == 0)
			return &raws[i];
	return NULL;
}

static int open_raw(struct svc_client *client, const struct raw *raw, const char *path, u32 *handle,
		    struct base_err *err)
{
	if (!raw->is_on(client->svc))
		return base_err_set(err, -ENOENT,
				    "%s is off; npud --mmio ro, --mmio rw and --dma on "
				    "turn these schemes on",
				    raw->prefix);
	if (!client->cred.privileged)
		return base_err_set(err, -EACCES, "%s is for root", raw->prefix);
	return raw->open(client, path + strlen(raw->prefix), handle, err);
}

static int open_locked(struct svc_client *client, const char *path, u32 *handle,
		       struct base_err *err)
{
	struct svc_device *dev;
	const char *name;
	u32 idx;
	int ret;

	if (raw_of(path))
		return open_raw(client, raw_of(path), path, handle, err);
	if (!*path)
		return svc_node_open(client, NULL, "", handle, err);
	ret = svc_parse_node(path, &idx, &name, err);
	if (ret)
		return ret;
	dev = idx < SVC_MAX_DEVICES ? client->svc->dev[idx] : NULL;
	if (!dev)
		return base_err_set(err, -ENOENT, "path: no device %u", idx);
	if (strcmp(name, "ctx") == 0)
		return svc_ctx_open(client, dev, handle, err);
	return svc_node_open(client, dev, name, handle, err);
}

int svc_open(struct svc_client *client, const char *path, u32 *handle, struct base_err *err)
{
	int ret;

	lock(client);
	ret = open_locked(client, path, handle, err);
	unlock(client);
	return ret;
}

int svc_import(struct svc_client *client, u32 handle, const char *path, int fd, u32 *out,
	       struct base_err *err)
{
	struct svc_handle *h;
	int ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h)
		ret = h->ops->dup ? h->ops->dup(h, path, fd, out, err) : no_verb(h, "dup", err);
	unlock(client);
	return ret;
}

int svc_dup(struct svc_client *client, u32 handle, const char *path, u32 *out, struct base_err *err)
{
	return svc_import(client, handle, path, -1, out, err);
}

s64 svc_read(struct svc_client *client, u32 handle, void *buf, u64 size, struct base_err *err)
{
	struct svc_handle *h;
	s64 ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h)
		ret = h->ops->read ? h->ops->read(h, buf, size, err) : no_verb(h, "read", err);
	unlock(client);
	return ret;
}

s64 svc_write(struct svc_client *client, u32 handle, const void *buf, u64 size,
	      struct base_err *err)
{
	struct svc_handle *h;
	s64 ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h)
		ret = h->ops->write ? h->ops->write(h, buf, size, err) : no_verb(h, "write", err);
	unlock(client);
	return ret;
}

static s64 seek_locked(struct svc_handle *h, s64 off, u32 whence, struct base_err *err)
{
	if (!h->ops->seek)
		return no_verb(h, "seek", err);
	if (whence > SVC_SEEK_END)
		return base_err_set(
			err, -EINVAL,
			"seek: from %u, expected 0 the start, 1 the position, 2 the end", whence);
	return h->ops->seek(h, off, (enum svc_whence)whence, err);
}

s64 svc_seek(struct svc_client *client, u32 handle, s64 off, u32 whence, struct base_err *err)
{
	struct svc_handle *h;
	s64 ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h)
		ret = seek_locked(h, off, whence, err);
	unlock(client);
	return ret;
}

int svc_arm(struct svc_client *client, u32 handle, struct base_err *err)
{
	struct svc_handle *h;
	int ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h) {
		ret = h->ops->ready && h->dev ? 0 : no_verb(h, "wait", err);
		if (!ret)
			svc_handle_arm(h);
	}
	unlock(client);
	return ret;
}

int svc_post(struct svc_client *client, u32 handle, const void *buf, u64 size, struct base_err *err)
{
	struct svc_handle *h;
	int ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h)
		ret = h->ops->post ? h->ops->post(h, buf, size, err) : no_verb(h, "post", err);
	unlock(client);
	return ret;
}

int svc_call_check(const struct svc_call *arg, u64 size, enum svc_call_kind kind, u64 want,
		   struct base_err *err)
{
	if (arg->kind != kind)
		return base_err_set(err, -EOPNOTSUPP, "call: kind is %u, this handle answers %u",
				    arg->kind, (u32)kind);
	if (arg->version != SVC_CALL_VERSION)
		return base_err_set(err, -EINVAL, "call: version is %u, known is %u", arg->version,
				    SVC_CALL_VERSION);
	if (arg->size != want || size != want)
		return base_err_set(err, -EINVAL, "call: size is %u (%llu given), expected %llu",
				    arg->size, (unsigned long long)size, (unsigned long long)want);
	return 0;
}

static int call_locked(struct svc_handle *h, void *arg, u64 size, struct base_err *err)
{
	union {
		struct svc_call head;
		u64 align;
		u8 bytes[CALL_SIZE_MAX];
	} copy;
	int ret;

	if (!h->ops->call)
		return no_verb(h, "call", err);
	if (size < sizeof(copy.head) || size > sizeof(copy))
		return base_err_set(err, -EINVAL, "call: %llu bytes hold no struct of a call",
				    (unsigned long long)size);
	memcpy(copy.bytes, arg, size);
	ret = h->ops->call(h, &copy.head, size, err);
	if (!ret)
		memcpy(arg, copy.bytes, size);
	return ret;
}

int svc_call(struct svc_client *client, u32 handle, void *arg, u64 size, struct base_err *err)
{
	struct svc_handle *h;
	int ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h)
		ret = call_locked(h, arg, size, err);
	unlock(client);
	return ret;
}

int svc_map(struct svc_client *client, u32 handle, struct svc_mapping *out, struct base_err *err)
{
	struct svc_handle *h;
	int ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h)
		ret = h->ops->map ? h->ops->map(h, out, err) : no_verb(h, "map", err);
	unlock(client);
	return ret;
}

int svc_stat(struct svc_client *client, u32 handle, struct svc_stat *out, struct base_err *err)
{
	struct svc_handle *h;
	int ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h) {
		ret = 0;
		out->kind = h->ops->name;
		out->size_bytes = h->ops->size ? h->ops->size(h) : 0;
	}
	unlock(client);
	return ret;
}

int svc_wait(struct svc_client *client, u32 handle, u64 timeout_ns, struct base_err *err)
{
	struct svc *svc = client->svc; /* the client may be gone when the wait ends */
	struct svc_handle *h;
	int ret = -EBADF;

	pthread_mutex_lock(&svc->lock);
	h = find(client, handle, err);
	if (h)
		ret = h->ops->ready ? svc_handle_wait(h, timeout_ns, err) : no_verb(h, "wait", err);
	pthread_mutex_unlock(&svc->lock);
	return ret;
}

int svc_close(struct svc_client *client, u32 handle, struct base_err *err)
{
	struct svc_handle *h;
	int ret = -EBADF;

	lock(client);
	h = find(client, handle, err);
	if (h) {
		svc_handle_destroy(h);
		ret = 0;
	}
	unlock(client);
	return ret;
}
