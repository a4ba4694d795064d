// SPDX-License-Identifier: MIT
/*
 * Execution of invocations.
 *
 * A program is copied to private memory, checked completely there and prepared by the engine; what
 * results is kept under (SSID, inference id, program address, size).  A later invocation compares
 * only the program's header, which holds a hash of all the rest: a client that changes its program
 * without changing the header runs what was checked.
 *
 * Limits: at most MAX_ENTRIES programs and MAX_BYTES of images are kept; the least recently used
 * one goes first.  The newest is kept whatever its size.
 *
 * No allocation on the path of a program that is prepared.
 */
#include "vnpu/engine/exec.h"

#include <errno.h>
#include <string.h>

#include "kernels/kern.h"
#include "vnpu/engine/load.h"

#define MAX_ENTRIES   64u
#define MAX_BYTES     (UINT64_C(8) << 30)
#define MAX_THREADS   1024u
#define MAX_PROG_SIZE (UINT64_C(1) << 40)

struct key {
	u32 ssid;
	u64 inference_id;
	struct abi_range program;
};

struct entry {
	bool is_used;
	struct key key;
	u64 stamp; /* of the last use */
	void *image_mem;
	void *image; /* in image_mem, aligned */
	struct abi_prog prog;
	const struct vnpu_engine *engine;
	struct vnpu_net *net;
	u64 *binding_size;
	void **binding; /* nr_bindings: while it runs */
	void **token;	/* nr_bindings + 1: the last is the arena's */
	u32 nr_bindings;
};

struct vnpu_exec {
	const struct vnpu_engine *engine; /* NULL: not decided yet */
	struct vnpu_engine_opts opts;
	u64 clock;
	struct entry entry[MAX_ENTRIES];
};

/* --- entries -------------------------------------------------------------------------------- */

static bool is_same_key(const struct key *a, const struct key *b)
{
	return a->ssid == b->ssid && a->inference_id == b->inference_id &&
	       a->program.addr == b->program.addr && a->program.size == b->program.size;
}

static void entry_fini(struct entry *e)
{
	if (e->net)
		e->engine->drop(e->net);
	base_free(e->token);
	base_free(e->binding);
	base_free(e->binding_size);
	base_free(e->image_mem);
	*e = (struct entry){ .is_used = false };
}

static struct entry *find_entry(struct vnpu_exec *x, const struct key *key)
{
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (x->entry[i].is_used && is_same_key(&x->entry[i].key, key))
			return &x->entry[i];
	return NULL;
}

static struct entry *oldest_entry(struct vnpu_exec *x)
{
	struct entry *oldest = NULL;

	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (x->entry[i].is_used && (!oldest || x->entry[i].stamp < oldest->stamp))
			oldest = &x->entry[i];
	return oldest;
}

static u64 bytes_held(const struct vnpu_exec *x)
{
	u64 sum = 0;

	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (x->entry[i].is_used)
			sum += x->entry[i].key.program.size;
	return sum;
}

static struct entry *free_entry(struct vnpu_exec *x)
{
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (!x->entry[i].is_used)
			return &x->entry[i];
	return NULL;
}

/* A free entry, with room for an image of @size bytes beside those kept. */
static struct entry *make_room(struct vnpu_exec *x, u64 size)
{
	struct entry *e;

	while ((e = oldest_entry(x)) && (!free_entry(x) || bytes_held(x) + size > MAX_BYTES))
		entry_fini(e);
	return free_entry(x);
}

/* --- preparation ---------------------------------------------------------------------------- */

/* Copy @len bytes of the client's memory; what it does to them later is its own affair. */
static int copy_in(const struct vnpu_exec_mem *mem, u64 addr, u64 len, void *dst,
		   struct base_err *err)
{
	void *ptr, *token;
	int ret = mem->view(mem->opaque, addr, len, false, &ptr, &token);

	if (ret)
		return base_err_set(err, ret, "program at 0x%llx: %llu bytes cannot be read",
				    (unsigned long long)addr, (unsigned long long)len);
	memcpy(dst, ptr, len);
	mem->release(mem->opaque, token, false);
	return 0;
}

/* Memory is spent on a program only once its header makes sense. */
static int check_header(const struct abi_prog_header *hdr, const struct abi_invocation *inv,
			struct base_err *err)
{
	if (hdr->magic != ABI_PROG_MAGIC)
		return base_err_set(err, -EINVAL,
				    "program at 0x%llx: magic 0x%08x, 0x%08x wanted: not a program",
				    (unsigned long long)inv->program.addr, hdr->magic,
				    ABI_PROG_MAGIC);
	if (hdr->size != inv->program.size)
		return base_err_set(err, -EINVAL,
				    "program at 0x%llx: its header says %llu bytes, the invocation "
				    "%llu",
				    (unsigned long long)inv->program.addr,
				    (unsigned long long)hdr->size,
				    (unsigned long long)inv->program.size);
	return 0;
}

static int copy_image(struct entry *e, const struct vnpu_exec_job *job, struct base_err *err)
{
	u64 size = job->inv->program.size;
	int ret;

	e->image_mem = base_zalloc(size + ABI_PROG_ALIGN);
	if (!e->image_mem)
		return base_err_set(err, -ENOMEM, "no memory for a program of %llu bytes",
				    (unsigned long long)size);
	e->image = (void *)(uintptr_t)base_align_up((uintptr_t)e->image_mem, ABI_PROG_ALIGN);
	ret = copy_in(job->mem, job->inv->program.addr, size, e->image, err);
	if (!ret)
		ret = abi_prog_open(e->image, size, &e->prog, err);
	if (!ret)
		ret = kern_prog_check(&e->prog, err);
	return ret;
}

static int note_bindings(struct entry *e, struct base_err *err)
{
	const struct abi_prog_header *h = e->prog.hdr;

	e->nr_bindings = h->nr_inputs + h->nr_outputs;
	e->binding_size = base_alloc_array(e->nr_bindings + 1, sizeof(*e->binding_size));
	e->binding = base_alloc_array(e->nr_bindings + 1, sizeof(*e->binding));
	e->token = base_alloc_array(e->nr_bindings + 1, sizeof(*e->token));
	if (!e->binding_size || !e->binding || !e->token)
		return base_err_set(err, -ENOMEM, "no memory for %u bindings", e->nr_bindings);
	for (u32 i = 0; i < e->prog.nr_tensors; i++) {
		const struct abi_prog_tensor *t = &e->prog.tensors[i];

		if (t->kind == ABI_TENSOR_INPUT)
			e->binding_size[t->off] = t->size;
		else if (t->kind == ABI_TENSOR_OUTPUT)
			e->binding_size[h->nr_inputs + t->off] = t->size;
	}
	return 0;
}

static int check_arena(const struct entry *e, const struct abi_invocation *inv,
		       struct base_err *err)
{
	if (inv->arena.size < e->prog.hdr->arena_size)
		return base_err_set(err, -EINVAL,
				    "invocation: arena of %llu bytes, the program wants %llu",
				    (unsigned long long)inv->arena.size,
				    (unsigned long long)e->prog.hdr->arena_size);
	return 0;
}

/*
 * The arena bounds what an engine may spend on a program, so it must really be there; an engine
 * with memory of its own would not notice otherwise.
 */
static int probe_arena(const struct entry *e, const struct vnpu_exec_job *job, struct base_err *err)
{
	u64 size = e->prog.hdr->arena_size;
	void *ptr, *token;
	int ret;

	ret = check_arena(e, job->inv, err);
	if (ret || !size || e->engine->uses_arena)
		return ret;
	ret = job->mem->view(job->mem->opaque, job->inv->arena.addr, size, false, &ptr, &token);
	if (ret)
		return base_err_set(err, ret, "arena at 0x%llx: %llu bytes cannot be reached",
				    (unsigned long long)job->inv->arena.addr,
				    (unsigned long long)size);
	job->mem->release(job->mem->opaque, token, false);
	return 0;
}

static const struct vnpu_engine *engine_of(struct vnpu_exec *x)
{
	if (!x->engine && vnpu_engine_load(&x->engine, NULL))
		x->engine = &vnpu_engine_plain;
	return x->engine;
}

static int prepare(struct vnpu_exec *x, const struct key *key, const struct vnpu_exec_job *job,
		   struct entry **out, struct base_err *err)
{
	struct entry *e = make_room(x, key->program.size);
	int ret;

	e->is_used = true;
	e->key = *key;
	e->engine = engine_of(x);
	ret = copy_image(e, job, err);
	if (!ret)
		ret = note_bindings(e, err);
	if (!ret)
		ret = probe_arena(e, job, err);
	if (!ret)
		ret = e->engine->prepare(&e->prog, &x->opts, &e->net, err);
	if (ret) {
		entry_fini(e);
		return ret;
	}
	*out = e;
	return 0;
}

/* The prepared program, or a new one where there is none or the client's has changed. */
static int get_entry(struct vnpu_exec *x, const struct vnpu_exec_job *job, struct entry **out,
		     struct base_err *err)
{
	struct key key = { job->ssid, job->inference_id, job->inv->program };
	struct entry *e = find_entry(x, &key);
	struct abi_prog_header hdr;
	int ret;

	ret = copy_in(job->mem, key.program.addr, sizeof(hdr), &hdr, err);
	if (!ret)
		ret = check_header(&hdr, job->inv, err);
	if (ret)
		return ret;
	if (e && memcmp(e->image, &hdr, sizeof(hdr)) != 0) {
		entry_fini(e);
		e = NULL;
	}
	if (!e) {
		ret = prepare(x, &key, job, &e, err);
		if (ret)
			return ret;
	}
	e->stamp = ++x->clock;
	*out = e;
	return 0;
}

/* --- one run -------------------------------------------------------------------------------- */

static int check_ranges(const struct abi_invocation *inv, struct base_err *err)
{
	if (inv->program.addr % ABI_PROG_ALIGN || inv->arena.addr % ABI_PROG_ALIGN)
		return base_err_set(err, -EINVAL,
				    "invocation: program at 0x%llx and arena at 0x%llx, multiples "
				    "of %u wanted",
				    (unsigned long long)inv->program.addr,
				    (unsigned long long)inv->arena.addr, ABI_PROG_ALIGN);
	if (inv->program.size < sizeof(struct abi_prog_header) || inv->program.size > MAX_PROG_SIZE)
		return base_err_set(
			err, -EINVAL, "invocation: program of %llu bytes, %zu to %llu wanted",
			(unsigned long long)inv->program.size, sizeof(struct abi_prog_header),
			(unsigned long long)MAX_PROG_SIZE);
	return 0;
}

static int check_invocation(const struct abi_invocation *inv, struct base_err *err)
{
	if (inv->magic != ABI_INVOCATION_MAGIC)
		return base_err_set(err, -EINVAL, "invocation: magic 0x%08x, 0x%08x wanted",
				    inv->magic, ABI_INVOCATION_MAGIC);
	if (inv->version != ABI_INVOCATION_VERSION)
		return base_err_set(err, -EINVAL, "invocation: version %u, %u wanted", inv->version,
				    ABI_INVOCATION_VERSION);
	if (inv->flags || inv->reserved[0] || inv->reserved[1])
		return base_err_set(err, -EINVAL,
				    "invocation: flags 0x%x reserved 0x%llx 0x%llx, 0 wanted",
				    inv->flags, (unsigned long long)inv->reserved[0],
				    (unsigned long long)inv->reserved[1]);
	if (inv->nr_bindings > ABI_MAX_BINDINGS)
		return base_err_set(err, -EINVAL, "invocation: %u bindings, at most %u",
				    inv->nr_bindings, ABI_MAX_BINDINGS);
	return check_ranges(inv, err);
}

/* "input 3" */
static const char *binding_text(const struct entry *e, u32 i, char *buf, size_t size)
{
	u32 nr_inputs = e->prog.hdr->nr_inputs;

	if (i < nr_inputs)
		snprintf(buf, size, "input %u", i);
	else
		snprintf(buf, size, "output %u", i - nr_inputs);
	return buf;
}

static int check_bindings(const struct entry *e, const struct vnpu_exec_job *job,
			  struct base_err *err)
{
	char what[32];

	if (job->inv->nr_bindings != e->nr_bindings)
		return base_err_set(err, -EINVAL,
				    "invocation: %u bindings, the program has %u inputs and %u "
				    "outputs",
				    job->inv->nr_bindings, e->prog.hdr->nr_inputs,
				    e->prog.hdr->nr_outputs);
	for (u32 i = 0; i < e->nr_bindings; i++)
		if (job->bindings[i].size != e->binding_size[i])
			return base_err_set(err, -EINVAL,
					    "invocation: %s has %llu bytes, the program wants %llu",
					    binding_text(e, i, what, sizeof(what)),
					    (unsigned long long)job->bindings[i].size,
					    (unsigned long long)e->binding_size[i]);
	return 0;
}

/* Nothing is behind an empty range, but the engine gets a pointer. */
static int view_range(const struct vnpu_exec_mem *mem, u64 addr, u64 size, bool write, void **ptr,
		      void **token)
{
	static u64 nothing;

	if (size)
		return mem->view(mem->opaque, addr, size, write, ptr, token);
	*ptr = &nothing;
	*token = NULL;
	return 0;
}

static void release_bindings(const struct entry *e, const struct vnpu_exec_mem *mem, u32 nr,
			     bool written)
{
	for (u32 i = 0; i < nr; i++)
		if (e->binding_size[i])
			mem->release(mem->opaque, e->token[i],
				     written && i >= e->prog.hdr->nr_inputs);
}

static int view_bindings(struct entry *e, const struct vnpu_exec_job *job, struct base_err *err)
{
	char what[32];
	int ret;

	for (u32 i = 0; i < e->nr_bindings; i++) {
		ret = view_range(job->mem, job->bindings[i].addr, e->binding_size[i],
				 i >= e->prog.hdr->nr_inputs, &e->binding[i], &e->token[i]);
		if (!ret)
			continue;
		release_bindings(e, job->mem, i, false);
		return base_err_set(err, ret, "%s at 0x%llx: %llu bytes cannot be reached",
				    binding_text(e, i, what, sizeof(what)),
				    (unsigned long long)job->bindings[i].addr,
				    (unsigned long long)e->binding_size[i]);
	}
	return 0;
}

static int run_with_arena(struct entry *e, const struct vnpu_exec_job *job, struct base_err *err)
{
	u64 size = e->engine->uses_arena ? e->prog.hdr->arena_size : 0;
	void *arena;
	int ret;

	ret = view_range(job->mem, job->inv->arena.addr, size, true, &arena,
			 &e->token[e->nr_bindings]);
	if (ret)
		return base_err_set(err, ret, "arena at 0x%llx: %llu bytes cannot be reached",
				    (unsigned long long)job->inv->arena.addr,
				    (unsigned long long)size);
	if (size && (uintptr_t)arena % ABI_PROG_ALIGN)
		ret = base_err_set(err, -EFAULT, "arena at 0x%llx is not aligned in host memory",
				   (unsigned long long)job->inv->arena.addr);
	else
		ret = e->engine->run(e->net, e->binding, size ? arena : NULL, err);
	if (size) /* its content means nothing afterwards: no need to write it back */
		job->mem->release(job->mem->opaque, e->token[e->nr_bindings], false);
	return ret;
}

int vnpu_exec_run(struct vnpu_exec *x, const struct vnpu_exec_job *job, struct base_err *err)
{
	struct entry *e;
	int ret;

	ret = check_invocation(job->inv, err);
	if (!ret)
		ret = get_entry(x, job, &e, err);
	if (!ret)
		ret = check_bindings(e, job, err);
	if (!ret)
		ret = check_arena(e, job->inv, err);
	if (!ret)
		ret = view_bindings(e, job, err);
	if (!ret) {
		ret = run_with_arena(e, job, err);
		release_bindings(e, job->mem, e->nr_bindings, !ret);
	}
	if (ret)
		base_err_prefix(err, "inference 0x%llx of ssid %u",
				(unsigned long long)job->inference_id, job->ssid);
	return ret;
}

/* --- life ----------------------------------------------------------------------------------- */

static int choose_engine(struct vnpu_exec *x, const char *name, struct base_err *err)
{
	if (!name)
		return 0;
	if (!strcmp(name, vnpu_engine_plain.name)) {
		x->engine = &vnpu_engine_plain;
		return 0;
	}
	if (!strcmp(name, "onednn"))
		return vnpu_engine_load(&x->engine, err);
	return base_err_set(err, -EINVAL, "engine '%s': plain or onednn wanted", name);
}

int vnpu_exec_create(const char *engine, u32 nr_threads, bool strict, struct vnpu_exec **out,
		     struct base_err *err)
{
	struct vnpu_exec *x;
	int ret;

	if (!nr_threads || nr_threads > MAX_THREADS)
		return base_err_set(err, -EINVAL, "engine: %u threads, 1 to %u wanted", nr_threads,
				    MAX_THREADS);
	x = base_zalloc(sizeof(*x));
	if (!x)
		return base_err_set(err, -ENOMEM, "no memory for the engine");
	x->opts = (struct vnpu_engine_opts){ .nr_threads = nr_threads, .strict = strict };
	ret = choose_engine(x, engine, err);
	if (ret) {
		base_free(x);
		return ret;
	}
	*out = x;
	return 0;
}

void vnpu_exec_destroy(struct vnpu_exec *x)
{
	if (!x)
		return;
	vnpu_exec_drop_all(x);
	base_free(x);
}

void vnpu_exec_drop_ssid(struct vnpu_exec *x, u32 ssid)
{
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (x->entry[i].is_used && x->entry[i].key.ssid == ssid)
			entry_fini(&x->entry[i]);
}

void vnpu_exec_drop_all(struct vnpu_exec *x)
{
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (x->entry[i].is_used)
			entry_fini(&x->entry[i]);
}

const char *vnpu_exec_engine_name(const struct vnpu_exec *x)
{
	return x->engine ? x->engine->name : NULL;
}

const char *vnpu_exec_impl(const struct vnpu_exec *x, u32 ssid, u64 inference_id, u32 op)
{
	const struct entry *last = NULL;

	for (u32 i = 0; i < MAX_ENTRIES; i++) {
		const struct entry *e = &x->entry[i];

		if (e->is_used && e->key.ssid == ssid && e->key.inference_id == inference_id &&
		    (!last || e->stamp > last->stamp))
			last = e;
	}
	return last ? last->engine->impl(last->net, op) : NULL;
}
