// SPDX-License-Identifier: MIT
/* Reading, writing, waiting, mapping. */
#include "scheme/redox.h"

#include <errno.h>
#include <string.h>

#define MAX_PARKED 256u /* of one program: each is a thread of it that waits */

/* At @off, if the kernel keeps a position for it. */
static s64 read_at(const struct entry *entry, void *buf, u64 size, u64 off, struct base_err *err)
{
	struct svc_client *svc = entry->client->svc;
	s64 ret = entry->positioned ? svc_seek(svc, entry->handle, (s64)off, SVC_SEEK_SET, err) : 0;

	return ret < 0 ? ret : svc_read(svc, entry->handle, buf, size, err);
}

static bool is_queue(const struct entry *entry)
{
	struct svc_stat stat;

	return entry->kind == ENTRY_NODE &&
	       !svc_stat(entry->client->svc, entry->handle, &stat, NULL) &&
	       !strcmp(stat.kind, "queue");
}

/* Is there something to read now?  If not, it is told as soon as there is. */
static bool poll_entry(const struct entry *entry)
{
	int ret = svc_wait(entry->client->svc, entry->handle, 0, NULL);

	if (ret == -ETIMEDOUT)
		(void)!svc_arm(entry->client->svc, entry->handle, NULL);
	return !ret;
}

static void look_again(struct scheme *scheme, const struct entry *entry)
{
	if (entry->subscribed && poll_entry(entry))
		rs_post_event(scheme, entry);
}

static int park(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	struct parked *p;

	if (entry->client->nr_parked == MAX_PARKED)
		return -REDOX_EAGAIN;
	p = base_zalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct parked){
		.entry = entry,
		.is_write = sqe->opcode == REDOX_OP_WRITE,
		.tag = sqe->tag,
		.buf = sqe->args[1],
		.len = sqe->args[2],
		.off = sqe->args[3],
	};
	svc_list_add(&scheme->parked, &p->link);
	entry->client->nr_parked++;
	return 0;
}

/* Once; then there is nothing more. */
static s64 read_error(struct entry *entry, void *buf, u64 size)
{
	u64 n = base_min(size, (u64)strlen(entry->text));

	memcpy(buf, entry->text, n);
	memmove(entry->text, entry->text + n, strlen(entry->text + n) + 1);
	return (s64)n;
}

/* What there is; 0 and @later: there will be more.  It may come between the look for it and the
 * question whether it will: then it is looked for again. */
static s64 read_now(const struct entry *entry, void *buf, u64 size, u64 off, bool *later,
		    struct base_err *err)
{
	s64 n;
	int ret;

	*later = false;
	do {
		n = read_at(entry, buf, size, off, err);
		if (n != -EAGAIN && (n || !is_queue(entry)))
			return n;
		ret = svc_wait(entry->client->svc, entry->handle, 0, NULL);
	} while (!ret);
	*later = ret == -ETIMEDOUT;
	return 0;
}

/* -EINPROGRESS: not answered yet. */
s64 rs_read(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	void *buf = (void *)(uintptr_t)sqe->args[1];
	bool later;
	s64 n;

	if (!sqe->args[2])
		return 0;
	if (entry->kind == ENTRY_ERROR)
		return read_error(entry, buf, sqe->args[2]);
	if (entry->kind != ENTRY_NODE)
		return entry->kind == ENTRY_GONE ? -EBADF : -EISDIR;
	n = read_now(entry, buf, sqe->args[2], sqe->args[3], &later, &scheme->err);
	/* a queue without anything pending has an end, as a pipe nobody writes to */
	if (n || !later) {
		if (n > 0)
			look_again(scheme, entry);
		return n;
	}
	if (sqe->args[4] & REDOX_O_NONBLOCK) {
		(void)poll_entry(entry);
		return -REDOX_EAGAIN;
	}
	n = park(scheme, entry, sqe);
	if (n)
		return n;
	(void)poll_entry(entry);
	return -EINPROGRESS;
}

/* At @off, if the kernel keeps a position for it. */
static s64 write_at(struct scheme *scheme, const struct entry *entry, const void *buf, u64 size,
		    u64 off, struct base_err *err)
{
	struct svc_client *svc = entry->client->svc;
	s64 ret = 0;

	size = base_min(size, (u64)RS_MAX_WRITE);
	if (size)
		memcpy(scheme->bounce, buf, size);
	if (entry->positioned)
		ret = svc_seek(svc, entry->handle, (s64)off, SVC_SEEK_SET, err);
	return ret < 0 ? ret : svc_write(svc, entry->handle, scheme->bounce, size, err);
}

/* As read_now(); @later: of registers, when their device is awake.  A full queue has room only
 * after a read. */
static s64 write_now(struct scheme *scheme, const struct entry *entry, const void *buf, u64 size,
		     u64 off, bool *later, struct base_err *err)
{
	s64 n;
	int ret;

	*later = false;
	do {
		n = write_at(scheme, entry, buf, size, off, err);
		if (n != -EAGAIN || is_queue(entry))
			return n;
		ret = svc_wait(entry->client->svc, entry->handle, 0, NULL);
	} while (!ret);
	*later = ret == -ETIMEDOUT;
	return n;
}

/* -EINPROGRESS: not answered yet. */
s64 rs_write(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	const void *buf = (const void *)(uintptr_t)sqe->args[1];
	bool later;
	s64 n;

	if (entry->kind != ENTRY_NODE)
		return entry->kind == ENTRY_GONE ? -EBADF : -EISDIR;
	n = write_now(scheme, entry, buf, sqe->args[2], sqe->args[3], &later, &scheme->err);
	if (n > 0)
		look_again(scheme, entry);
	if (!later)
		return n;
	if (!(sqe->args[4] & REDOX_O_NONBLOCK)) {
		n = park(scheme, entry, sqe);
		n = n ? n : -EINPROGRESS;
	}
	(void)poll_entry(entry);
	return n;
}

s64 rs_call(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	u64 size = sqe->args[2];
	int ret;

	if (entry->kind != ENTRY_NODE)
		return -EBADF;
	if (size > RS_MAX_WRITE)
		return -EINVAL;
	if (size)
		memcpy(scheme->bounce, (const void *)(uintptr_t)sqe->args[1], size);
	ret = svc_call(entry->client->svc, entry->handle, scheme->bounce, size, &scheme->err);
	if (!ret && size)
		memcpy((void *)(uintptr_t)sqe->args[1], scheme->bounce, size);
	return ret;
}

s64 rs_fevent(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	(void)scheme;
	if (entry->kind != ENTRY_NODE)
		return entry->kind == ENTRY_GONE ? -EBADF : (s64)(sqe->args[1] & REDOX_EVENT_READ);
	entry->subscribed = (sqe->args[1] & REDOX_EVENT_READ) != 0;
	return entry->subscribed && poll_entry(entry) ? REDOX_EVENT_READ : 0;
}

/* The pages themselves are lent: what the device writes, the program sees. */
s64 rs_mmap(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	const u64 size = sqe->args[1], flags = sqe->args[2], off = sqe->args[3];
	struct svc_mapping map;
	int ret;

	(void)scheme;
	if (entry->kind != ENTRY_NODE)
		return -EBADF;
	if (!(flags & REDOX_MAP_SHARED) || off % BASE_PAGE_SIZE)
		return -EINVAL; /* a private copy is none the device could use */
	if (flags & REDOX_MAP_PROT_EXEC)
		return -EACCES;
	ret = svc_map(entry->client->svc, entry->handle, &map, &scheme->err);
	if (ret)
		return ret;
	if (!base_range_ok(off, size, map.size_bytes))
		return -EINVAL;
	return (s64)((uintptr_t)map.cpu + off);
}

static s64 again(struct scheme *scheme, const struct parked *p, bool *later)
{
	void *buf = (void *)(uintptr_t)p->buf;

	return p->is_write ? write_now(scheme, p->entry, buf, p->len, p->off, later, NULL)
			   : read_now(p->entry, buf, p->len, p->off, later, NULL);
}

/* The oldest read or write of @entry that waits gets what there is; false when there is neither. */
static bool answer_parked(struct scheme *scheme, struct entry *entry)
{
	struct svc_list *node;

	base_for_each (node, &scheme->parked) {
		struct parked *p = svc_list_entry(node, struct parked, link);
		bool later;
		s64 n;

		if (p->entry != entry)
			continue;
		n = again(scheme, p, &later);
		if (later)
			return false; /* another one took it */
		rs_answer(scheme, p->tag, n);
		rs_unpark(p);
		return true;
	}
	return false;
}

static bool is_parked(const struct scheme *scheme, const struct entry *entry)
{
	struct svc_list *node;

	base_for_each (node, &scheme->parked)
		if (svc_list_entry(node, struct parked, link)->entry == entry)
			return true;
	return false;
}

void rs_fired(struct scheme *scheme, struct entry *entry)
{
	while (answer_parked(scheme, entry))
		continue;
	if (is_parked(scheme, entry))
		(void)poll_entry(entry);
	else if (entry->subscribed)
		rs_post_event(scheme, entry);
}
