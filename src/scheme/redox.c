// SPDX-License-Identifier: MIT
/* scheme.h on Redox: see redox.h. */
#include "scheme/redox.h"

#include <errno.h>
#include <string.h>

#define ROUNDS 8u /* batches before the devices get a turn */

static size_t socket_of(const struct scheme *scheme)
{
	return (size_t)scheme->source.fd;
}

/*
 * Answers
 */

/* One that nobody waits for any more, because he was killed, is refused: the others go on. */
static void refused(struct scheme *scheme, u32 idx)
{
	struct entry *entry = scheme->opened[idx] ? rs_entry_of(scheme, scheme->opened[idx]) : NULL;

	if (entry) /* nobody knows it, nobody will close it */
		rs_entry_del(scheme, entry);
}

static void flush(struct scheme *scheme)
{
	u32 done = 0;

	while (done < scheme->nr_out) {
		s64 n = redox_result(
			redox_write_v1(socket_of(scheme), (const u8 *)&scheme->out[done],
				       (scheme->nr_out - done) * sizeof(scheme->out[0])));

		if (n >= (s64)sizeof(scheme->out[0]))
			done += (u32)((u64)n / sizeof(scheme->out[0]));
		else
			refused(scheme, done++);
	}
	scheme->nr_out = 0;
}

static void push(struct scheme *scheme, const struct redox_cqe *cqe, u32 opened)
{
	if (scheme->nr_out == BASE_ARRAY_SIZE(scheme->out))
		flush(scheme);
	scheme->opened[scheme->nr_out] = opened;
	scheme->out[scheme->nr_out++] = *cqe;
}

void rs_answer(struct scheme *scheme, u32 tag, s64 result)
{
	const struct redox_cqe cqe = { .flags = REDOX_CQE_REPLY,
				       .tag = tag,
				       .result = (u64)result };

	push(scheme, &cqe, 0);
}

void rs_answer_open(struct scheme *scheme, u32 tag, u32 id)
{
	const struct entry *entry = rs_entry_of(scheme, id);
	const struct redox_cqe cqe = { .flags = REDOX_CQE_REPLY,
				       .extra[0] = entry && entry->positioned ? REDOX_CQE_POSITIONED
									      : 0,
				       .tag = tag,
				       .result = id };

	push(scheme, &cqe, id);
}

void rs_post_event(struct scheme *scheme, const struct entry *entry)
{
	const struct redox_cqe cqe = { .flags = REDOX_CQE_EVENT,
				       .tag = REDOX_EVENT_READ,
				       .result = entry->id };

	push(scheme, &cqe, 0);
}

static s64 do_allow(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe)
{
	(void)scheme;
	(void)entry;
	(void)sqe;
	return 0;
}

/*
 * Requests
 */

/* For an entry; a value, a negative errno, -EINPROGRESS = answered later. */
static rs_op *const ops[REDOX_NR_OPS] = {
	[REDOX_OP_DUP] = rs_dup,	[REDOX_OP_READ] = rs_read,    [REDOX_OP_WRITE] = rs_write,
	[REDOX_OP_FSIZE] = rs_fsize,	[REDOX_OP_FCNTL] = do_allow,  [REDOX_OP_FEVENT] = rs_fevent,
	[REDOX_OP_FPATH] = rs_fpath,	[REDOX_OP_FSTAT] = rs_fstat,  [REDOX_OP_FSYNC] = do_allow,
	[REDOX_OP_MMAP_PREP] = rs_mmap, [REDOX_OP_MUNMAP] = do_allow, [REDOX_OP_CALL] = rs_call,
	[REDOX_OP_STDFS] = rs_stdfs,
};

static void cancel(struct scheme *scheme, u32 tag)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &scheme->parked) {
		struct parked *p = svc_list_entry(node, struct parked, link);

		if (p->tag != tag)
			continue;
		rs_answer(scheme, tag, -REDOX_ECANCELED);
		rs_unpark(p);
	}
}

/* These are told, not asked; their tag 0 may be another request's. */
static bool serve_oneway(struct scheme *scheme, const struct redox_sqe *sqe)
{
	struct entry *entry;

	switch (sqe->opcode) {
	case REDOX_OP_CANCEL:
		cancel(scheme, sqe->tag);
		return true;
	case REDOX_OP_CLOSE:
	case REDOX_OP_DETACH:
		entry = rs_entry_of(scheme, sqe->args[0]);
		if (entry)
			rs_entry_del(scheme, entry);
		return true;
	default:
		return sqe->flags & REDOX_SQE_ONEWAY;
	}
}

static s64 serve(struct scheme *scheme, const struct redox_sqe *sqe)
{
	struct entry *entry;

	if (sqe->opcode == REDOX_OP_OPENAT)
		return rs_openat(scheme, sqe);
	if (sqe->opcode >= REDOX_NR_OPS || !ops[sqe->opcode])
		return -REDOX_EOPNOTSUPP;
	entry = rs_entry_of(scheme, sqe->args[0]);
	return entry ? ops[sqe->opcode](scheme, entry, sqe) : -EBADF;
}

/* Over the one this process had, or the oldest. */
static void keep_error(struct scheme *scheme, u64 pid)
{
	u32 at = scheme->next_error;

	for (u32 i = 0; i < RS_NR_ERRORS; i++)
		if (scheme->errors[i].pid == pid)
			at = i;
	if (at == scheme->next_error)
		scheme->next_error = (at + 1) % RS_NR_ERRORS;
	scheme->errors[at].pid = pid;
	memcpy(scheme->errors[at].text, scheme->err.text, sizeof(scheme->err.text));
}

static void serve_batch(struct scheme *scheme, const struct redox_sqe *sqe, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		s64 result;

		if (serve_oneway(scheme, &sqe[i]))
			continue;
		scheme->err.text[0] = '\0';
		result = serve(scheme, &sqe[i]);
		if (result == -EINPROGRESS)
			continue;
		if (result < 0 && scheme->err.text[0])
			keep_error(scheme, sqe[i].caller);
		if (result > 0 &&
		    (sqe[i].opcode == REDOX_OP_OPENAT || sqe[i].opcode == REDOX_OP_DUP))
			rs_answer_open(scheme, sqe[i].tag, (u32)result);
		else
			rs_answer(scheme, sqe[i].tag, result);
	}
	flush(scheme);
}

static void socket_ready(struct loop_source *source)
{
	struct scheme *scheme = base_container_of(source, struct scheme, source);
	struct redox_sqe sqe[RS_BATCH];

	scheme->more = false;
	for (u32 round = 0; round < ROUNDS; round++) {
		s64 n = redox_result(redox_read_v1(socket_of(scheme), (u8 *)sqe, sizeof(sqe)));

		if (n < (s64)sizeof(sqe[0]))
			return; /* nothing more: the next edge tells */
		serve_batch(scheme, sqe, (u32)((u64)n / sizeof(sqe[0])));
	}
	scheme->more = true;
}

void scheme_ready(void *transport, u32 handle)
{
	const struct client *client = transport;
	struct svc_list *node;

	base_for_each (node, &client->entries) {
		struct entry *entry = svc_list_entry(node, struct entry, link);

		if (entry->kind == ENTRY_NODE && entry->handle == handle &&
		    svc_list_empty(&entry->fired))
			svc_list_add(&client->scheme->fired, &entry->fired);
	}
}

bool scheme_settle(struct scheme *scheme)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &scheme->fired) {
		struct entry *entry = svc_list_entry(node, struct entry, fired);

		svc_list_del(&entry->fired);
		rs_fired(scheme, entry);
	}
	flush(scheme);
	if (scheme->more)
		socket_ready(&scheme->source);
	return scheme->more || !svc_list_empty(&scheme->fired);
}

/*
 * Creation
 */

static int open_socket(size_t *out, struct base_err *err)
{
	static const char path[] = "/scheme/namespace/scheme-creation-cap";
	static const char verb[] = "create-scheme";
	s64 fd, cap = rx_open(path, 0);

	if (cap < 0)
		return base_err_set(err, (int)cap,
				    "%s: cannot be opened: %s; only what init or pcid-spawner "
				    "starts may make schemes",
				    path, base_err_name((int)cap));
	fd = redox_result(redox_dup_v1((size_t)cap, (const u8 *)verb, sizeof(verb) - 1));
	redox_close_v1((size_t)cap);
	if (fd < 0)
		return base_err_set(err, (int)fd,
				    "making a scheme failed: %s; npud has to run as root",
				    base_err_name((int)fd));
	*out = (size_t)fd;
	return 0;
}

static int register_scheme(struct scheme *scheme, struct base_err *err)
{
	const struct redox_new_fd root = { .number = RS_ROOT_ID };
	s64 ns, ret = redox_result(
			redox_dup_v1(socket_of(scheme), (const u8 *)&root, sizeof(root)));

	if (ret < 0)
		return base_err_set(err, (int)ret, "scheme %s: no descriptor of its root: %s",
				    scheme->name, base_err_name((int)ret));
	scheme->root = (size_t)ret;
	ns = redox_result(redox_get_ns_v0());
	ret = ns < 0 ? ns
		     : redox_result(
			       redox_register_scheme_to_ns_v0((size_t)ns, (const u8 *)scheme->name,
							      strlen(scheme->name), scheme->root));
	if (ret >= 0)
		return 0;
	redox_close_v1(scheme->root);
	return base_err_set(err, (int)ret, "scheme %s: registering it failed: %s%s", scheme->name,
			    base_err_name((int)ret),
			    ret == -EEXIST ? "; another npud serves it: give this one a --scheme"
					   : "");
}

static int start(struct scheme *scheme, struct base_err *err)
{
	size_t fd = 0;
	int ret = open_socket(&fd, err);
	s64 set;

	if (ret)
		return ret;
	scheme->source = (struct loop_source){ .fd = (int)fd, .ready = socket_ready };
	set = redox_result(redox_fcntl_v0(fd, REDOX_F_SETFL, REDOX_O_RDWR | REDOX_O_NONBLOCK));
	ret = set < 0 ? (int)set : loop_add(scheme->loop, &scheme->source, LOOP_READ);
	if (ret) {
		base_err_set(err, ret, "scheme %s: its requests cannot be waited for: %s",
			     scheme->name, base_err_name(ret));
		goto err_close;
	}
	ret = register_scheme(scheme, err);
	if (ret)
		goto err_del;
	return 0;

err_del:
	loop_del(scheme->loop, &scheme->source);
err_close:
	redox_close_v1(fd);
	return ret;
}

int scheme_create(struct loop *loop, struct svc *svc, const struct scheme_config *cfg,
		  struct scheme **out, struct base_err *err)
{
	struct scheme *scheme;
	int ret;

	if (strlen(cfg->name) >= sizeof(scheme->name) || strchr(cfg->name, '/') || !*cfg->name)
		return base_err_set(err, -EINVAL, "scheme \"%.60s\": no name of a scheme",
				    cfg->name);
	scheme = base_zalloc(sizeof(*scheme));
	if (!scheme)
		return base_err_set(err, -ENOMEM, "scheme %s: no memory", cfg->name);
	scheme->loop = loop;
	scheme->svc = svc;
	memcpy(scheme->name, cfg->name, strlen(cfg->name) + 1);
	scheme->tree = cfg->tree ? cfg->tree : "";
	svc_list_init(&scheme->clients);
	svc_list_init(&scheme->parked);
	svc_list_init(&scheme->fired);
	ret = start(scheme, err);
	if (ret) {
		base_free(scheme);
		return ret;
	}
	*out = scheme;
	return 0;
}

/* Whoever is not answered stays blocked in the kernel: all that came, until there is no more. */
static void refuse_all(struct scheme *scheme)
{
	struct redox_sqe sqe[RS_BATCH];
	s64 n;

	rs_unpark_all(scheme, NULL, -ENODEV);
	while ((n = redox_result(redox_read_v1(socket_of(scheme), (u8 *)sqe, sizeof(sqe)))) >=
	       (s64)sizeof(sqe[0])) {
		for (u32 i = 0; i < (u64)n / sizeof(sqe[0]); i++)
			if (!serve_oneway(scheme, &sqe[i]))
				rs_answer(scheme, sqe[i].tag, -ENODEV);
		flush(scheme);
	}
	flush(scheme);
}

void scheme_destroy(struct scheme *scheme)
{
	if (!scheme)
		return;
	refuse_all(scheme);
	for (u32 i = 0; i < scheme->max_entries; i++)
		if (scheme->entries[i])
			rs_entry_del(scheme, scheme->entries[i]);
	loop_del(scheme->loop, &scheme->source);
	redox_close_v1(scheme->root);
	redox_close_v1(socket_of(scheme));
	base_free(scheme->entries);
	base_free(scheme);
}
