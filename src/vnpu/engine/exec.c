// SPDX-License-Identifier: MIT
/*
 * Execution of invocations.
 *
 * What is prepared is found by (SSID, inference id, program address, program size), and used only
 * if the program's header in the client's memory, content hash included, is still the one that was
 * prepared: an id chosen by a client never reaches another client's weights, and a program written
 * anew at the same place is prepared anew.  Preparing works on a private copy, because the client
 * may write to its memory while it is being checked.
 */
#include "vnpu/engine/exec.h"

#include <errno.h>
#include <string.h>

#include "kernels/kern.h"
#include "vnpu/engine/alone.h"
#include "vnpu/engine/apart.h"
#include "vnpu/engine/engine.h"

struct view {
	void *ptr;
	void *token;
	u64 size; /* of the tensor or arena: known when the program is */
	bool is_written, is_held;
};

#define MAX_THREADS 1024u
/* Runs that nobody waits for any more; whoever has them takes the processor from the others. */
#define MAX_LEFT 2u

struct prepared {
	struct prepared *next; /* in order of last use */
	u32 ssid;
	u64 inference_id;
	struct abi_range program;
	void *memory; /* image lies in it, aligned */
	u8 *image;
	struct abi_prog prog;
	struct vnpu_net *net;
	u64 bytes;
	bool is_apart; /* runs on copies, in a thread of its own */
	struct vnpu_alone alone;
	void *copies;
	/* of one run: bindings, then the arena */
	struct view *views;
	void **ptrs;
};

struct vnpu_exec {
	const struct vnpu_engine *engine; /* NULL: decided at the first inference */
	void *library;
	struct vnpu_engine_opts opts;
	struct prepared *first;
	struct prepared *left[MAX_LEFT]; /* left behind: still run, and belong to nothing else */
	u32 nr_prepared;
	u64 bytes;
	u64 nr_prepares;
};

/* --- what is prepared ----------------------------------------------------------------------- */

static void prepared_destroy(const struct vnpu_exec *exec, struct prepared *p)
{
	if (p->net)
		exec->engine->drop(p->net);
	base_free(p->copies);
	base_free(p->views);
	base_free(p->ptrs);
	base_free(p->memory);
	base_free(p);
}

static struct prepared *unlink_at(struct vnpu_exec *exec, struct prepared **at)
{
	struct prepared *p = *at;

	*at = p->next;
	exec->nr_prepared--;
	exec->bytes -= p->bytes;
	return p;
}

static void drop_at(struct vnpu_exec *exec, struct prepared **at)
{
	prepared_destroy(exec, unlink_at(exec, at));
}

/* What was left behind and has ended. */
static void bury(struct vnpu_exec *exec, bool wait)
{
	for (u32 i = 0; i < MAX_LEFT; i++) {
		if (!exec->left[i] || !vnpu_alone_ended(&exec->left[i]->alone, wait))
			continue;
		prepared_destroy(exec, exec->left[i]);
		exec->left[i] = NULL;
	}
}

/* Takes the first of what is prepared, which runs; where there are too many, waits for its end. */
static bool leave(struct vnpu_exec *exec)
{
	struct prepared *p = exec->first;

	bury(exec, false);
	for (u32 i = 0; i < MAX_LEFT; i++) {
		if (exec->left[i])
			continue;
		exec->left[i] = unlink_at(exec, &exec->first);
		return true;
	}
	return !vnpu_alone_ended(&p->alone, true);
}

static void keep_first(struct vnpu_exec *exec, struct prepared *p)
{
	p->next = exec->first;
	exec->first = p;
	exec->nr_prepared++;
	exec->bytes += p->bytes;
}

/* All but the first may have to go. */
static void evict(struct vnpu_exec *exec)
{
	while (exec->nr_prepared > 1 &&
	       (exec->nr_prepared > VNPU_EXEC_MAX_PREPARED || exec->bytes > VNPU_EXEC_MAX_BYTES)) {
		struct prepared **at = &exec->first->next;

		while ((*at)->next)
			at = &(*at)->next;
		drop_at(exec, at);
	}
}

static bool is_for(const struct prepared *p, const struct vnpu_exec_job *job)
{
	return p->ssid == job->ssid && p->inference_id == job->inference_id &&
	       p->program.addr == job->inv->program.addr &&
	       p->program.size == job->inv->program.size;
}

static struct prepared **find(struct vnpu_exec *exec, const struct vnpu_exec_job *job)
{
	struct prepared **at = &exec->first;

	while (*at && !is_for(*at, job))
		at = &(*at)->next;
	return *at ? at : NULL;
}

/* --- the client's memory -------------------------------------------------------------------- */

static int view_range(const struct vnpu_exec_job *job, const struct abi_range *range, u64 size,
		      bool is_written, struct view *v, struct base_err *err)
{
	const struct vnpu_exec_mem *mem = job->mem;
	int ret;

	ret = mem->view(mem->opaque, range->addr, size, is_written, &v->ptr, &v->token);
	if (ret)
		return base_err_set(err, ret, "no %s memory of %llu bytes at 0x%llx in context %u",
				    is_written ? "writable" : "readable", (unsigned long long)size,
				    (unsigned long long)range->addr, job->ssid);
	v->size = size;
	v->is_written = is_written;
	return 0;
}

static void release(const struct vnpu_exec_job *job, const struct view *v, bool did_run)
{
	job->mem->release(job->mem->opaque, v->token, v->is_written && did_run);
}

static int copy_in(const struct vnpu_exec_job *job, const struct abi_range *range, u64 size,
		   void *dst, struct base_err *err)
{
	struct view v;
	int ret = view_range(job, range, size, false, &v, err);

	if (ret)
		return ret;
	memcpy(dst, v.ptr, size);
	release(job, &v, false);
	return 0;
}

/* --- checks of an invocation ---------------------------------------------------------------- */

static int check_invocation(const struct vnpu_exec_job *job, struct base_err *err)
{
	const struct abi_invocation *inv = job->inv;

	if (inv->magic != ABI_INVOCATION_MAGIC || inv->version != ABI_INVOCATION_VERSION)
		return base_err_set(err, -EINVAL,
				    "magic 0x%08x version %u, 0x%08x version %u wanted: only "
				    "programs of this project's compiler run here",
				    inv->magic, inv->version, ABI_INVOCATION_MAGIC,
				    ABI_INVOCATION_VERSION);
	if (inv->flags)
		return base_err_set(err, -EINVAL, "flags 0x%x, 0 wanted", inv->flags);
	if (inv->error.size != sizeof(struct abi_run_error) && (inv->error.size || inv->error.addr))
		return base_err_set(err, -EINVAL,
				    "error record at 0x%llx size %llu, %zu bytes or 0 at 0 wanted",
				    (unsigned long long)inv->error.addr,
				    (unsigned long long)inv->error.size,
				    sizeof(struct abi_run_error));
	if (inv->nr_bindings > ABI_MAX_BINDINGS)
		return base_err_set(err, -EINVAL, "%u bindings, at most %u", inv->nr_bindings,
				    ABI_MAX_BINDINGS);
	if (inv->program.addr % ABI_PROG_ALIGN ||
	    inv->program.size < sizeof(struct abi_prog_header))
		return base_err_set(err, -EINVAL,
				    "program at 0x%llx size %llu, a multiple of %u and at least "
				    "%zu bytes wanted",
				    (unsigned long long)inv->program.addr,
				    (unsigned long long)inv->program.size, ABI_PROG_ALIGN,
				    sizeof(struct abi_prog_header));
	return 0;
}

static int check_arena(const struct prepared *p, const struct abi_range *arena,
		       struct base_err *err)
{
	u64 want = p->prog.hdr->arena_size;

	if (arena->addr % ABI_PROG_ALIGN == 0 && arena->size >= want)
		return 0;
	return base_err_set(err, -EINVAL,
			    "arena at 0x%llx size %llu, a multiple of %u and at least %llu bytes "
			    "wanted",
			    (unsigned long long)arena->addr, (unsigned long long)arena->size,
			    ABI_PROG_ALIGN, (unsigned long long)want);
}

static const struct abi_prog_tensor *binding_tensor(const struct abi_prog *prog, u32 i)
{
	return i < prog->hdr->nr_inputs ? abi_prog_input(prog, i)
					: abi_prog_output(prog, i - prog->hdr->nr_inputs);
}

static int check_bindings(const struct prepared *p, const struct vnpu_exec_job *job,
			  struct base_err *err)
{
	const struct abi_prog_header *h = p->prog.hdr;

	if (job->inv->nr_bindings != h->nr_inputs + h->nr_outputs)
		return base_err_set(err, -EINVAL,
				    "%u bindings, but the program has %u inputs and %u outputs",
				    job->inv->nr_bindings, h->nr_inputs, h->nr_outputs);
	for (u32 i = 0; i < job->inv->nr_bindings; i++) {
		u64 want = p->views[i].size;

		if (job->bindings[i].size != want)
			return base_err_set(err, -EINVAL,
					    "binding %u has %llu bytes, the program's %s %u has "
					    "%llu",
					    i, (unsigned long long)job->bindings[i].size,
					    i < h->nr_inputs ? "input" : "output",
					    i < h->nr_inputs ? i : i - h->nr_inputs,
					    (unsigned long long)want);
	}
	return check_arena(p, &job->inv->arena, err);
}

/* --- prepare -------------------------------------------------------------------------------- */

static void choose_engine(struct vnpu_exec *exec)
{
	struct base_err ignored;

	if (!exec->engine && vnpu_engine_load(&exec->engine, &exec->library, &ignored))
		exec->engine = &vnpu_engine_plain;
}

static int copy_program(struct prepared *p, const struct vnpu_exec_job *job, struct base_err *err)
{
	const struct abi_range *range = &job->inv->program;
	struct view v;
	int ret;

	/* First the view: a size nobody has memory for costs nothing. */
	ret = view_range(job, range, range->size, false, &v, err);
	if (ret)
		return ret;
	p->memory = base_zalloc(range->size + ABI_PROG_ALIGN);
	if (p->memory) {
		p->image = (u8 *)base_align_up((uintptr_t)p->memory, ABI_PROG_ALIGN);
		memcpy(p->image, v.ptr, range->size);
	}
	release(job, &v, false);
	if (!p->memory)
		return base_err_set(err, -ENOMEM, "no memory for a program of %llu bytes",
				    (unsigned long long)range->size);
	return 0;
}

static int check_program(struct prepared *p, struct base_err *err)
{
	int ret = abi_prog_open(p->image, p->program.size, &p->prog, err);

	return ret ? ret : kern_prog_check(&p->prog, err);
}

static int alloc_views(struct prepared *p, struct base_err *err)
{
	const struct abi_prog_header *h = p->prog.hdr;
	u32 nr = h->nr_inputs + h->nr_outputs;

	p->views = base_alloc_array(nr + 1, sizeof(*p->views));
	p->ptrs = base_alloc_array(nr + 1, sizeof(*p->ptrs));
	if (!p->views || !p->ptrs)
		return base_err_set(err, -ENOMEM, "no memory for %u bindings", nr);
	for (u32 i = 0; i < nr; i++)
		p->views[i].size = binding_tensor(&p->prog, i)->size;
	p->views[nr].size = h->arena_size;
	return 0;
}

/*
 * Arena and bindings bound what an engine may spend on a program: they must really be there, also
 * for an engine that has an arena of its own.
 */
static int probe(struct prepared *p, const struct vnpu_exec_job *job, struct base_err *err)
{
	struct view v;
	int ret = 0;

	for (u32 i = 0; !ret && i <= job->inv->nr_bindings; i++) {
		bool is_arena = i == job->inv->nr_bindings;

		if (!p->views[i].size)
			continue;
		ret = view_range(job, is_arena ? &job->inv->arena : &job->bindings[i],
				 p->views[i].size, false, &v, err);
		if (!ret)
			release(job, &v, false);
		else if (is_arena)
			base_err_prefix(err, "arena");
		else
			base_err_prefix(err, "binding %u", i);
	}
	return ret;
}

static void go_away(const struct vnpu_exec_job *job)
{
	if (job->mem->away)
		job->mem->away(job->mem->opaque);
}

static int come_back(const struct vnpu_exec_job *job, struct base_err *err)
{
	int ret = job->mem->back ? job->mem->back(job->mem->opaque) : 0;

	return ret ? base_err_set(err, ret, "the job is gone") : 0;
}

/* From the private copy of the program alone. */
static int prepare_net(const struct vnpu_exec *exec, const struct vnpu_exec_job *job,
		       struct prepared *p, struct base_err *err)
{
	struct vnpu_engine_opts opts = exec->opts;
	int ret, gone;

	p->is_apart = vnpu_apart_is_wanted(&p->prog);
	if (p->is_apart)
		opts.stop = &p->alone.stop;
	go_away(job);
	ret = exec->engine->prepare(&p->prog, &opts, &p->net, err);
	gone = come_back(job, ret ? &(struct base_err){ 0 } : err);
	return ret ? ret : gone;
}

static int prepare(struct vnpu_exec *exec, const struct vnpu_exec_job *job, struct base_err *err)
{
	struct prepared *p = base_zalloc(sizeof(*p));
	int ret;

	if (!p)
		return base_err_set(err, -ENOMEM, "no memory to prepare a program");
	p->ssid = job->ssid;
	p->inference_id = job->inference_id;
	p->program = job->inv->program;
	ret = copy_program(p, job, err);
	if (!ret)
		ret = check_program(p, err);
	if (!ret)
		ret = alloc_views(p, err);
	if (!ret)
		ret = check_bindings(p, job, err);
	if (!ret)
		ret = probe(p, job, err);
	if (!ret)
		ret = prepare_net(exec, job, p, err);
	if (ret) {
		prepared_destroy(exec, p);
		return ret;
	}
	p->bytes = p->program.size + exec->engine->bytes(p->net);
	exec->nr_prepares++;
	keep_first(exec, p);
	evict(exec);
	return 0;
}

/* Memory is spent on a program only once its header makes sense. */
static int read_header(const struct vnpu_exec_job *job, struct abi_prog_header *out,
		       struct base_err *err)
{
	const struct abi_range *range = &job->inv->program;
	int ret = copy_in(job, range, sizeof(*out), out, err);

	if (ret)
		return ret;
	if (out->magic != ABI_PROG_MAGIC)
		return base_err_set(err, -EINVAL,
				    "program at 0x%llx: magic 0x%08x, 0x%08x wanted: not a program",
				    (unsigned long long)range->addr, out->magic, ABI_PROG_MAGIC);
	if (out->size != range->size)
		return base_err_set(err, -EINVAL,
				    "program at 0x%llx: its header says %llu bytes, the invocation "
				    "%llu",
				    (unsigned long long)range->addr, (unsigned long long)out->size,
				    (unsigned long long)range->size);
	return 0;
}

static int is_unchanged(const struct prepared *p, const struct vnpu_exec_job *job, bool *same,
			struct base_err *err)
{
	struct view v;
	int ret = view_range(job, &job->inv->program, p->program.size, false, &v, err);

	if (ret)
		return ret;
	*same = !memcmp(v.ptr, p->image, p->program.size);
	release(job, &v, false);
	return 0;
}

/* Is what was prepared still what the client has there?  Else it is dropped. */
static int find_current(struct vnpu_exec *exec, const struct vnpu_exec_job *job,
			struct prepared **out, struct base_err *err)
{
	struct prepared **at = find(exec, job), *p;
	struct abi_prog_header now;
	bool same;
	int ret;

	*out = NULL;
	ret = read_header(job, &now, err);
	if (ret || !at)
		return ret;
	p = *at;
	same = !memcmp(&now, p->prog.hdr, sizeof(now));
	if (same && job->verify)
		ret = is_unchanged(p, job, &same, err);
	if (ret)
		return ret;
	if (!same) {
		drop_at(exec, at);
		return 0;
	}
	*at = p->next;
	p->next = exec->first;
	exec->first = p;
	*out = p;
	return 0;
}

/* --- run ------------------------------------------------------------------------------------ */

static void release_views(const struct vnpu_exec_job *job, struct prepared *p, bool did_run)
{
	u32 nr = job->inv->nr_bindings;

	/* What the arena holds means nothing afterwards: no need to write it back. */
	for (u32 i = 0; i <= nr; i++) {
		if (p->views[i].is_held)
			release(job, &p->views[i], did_run && i < nr);
		p->views[i].is_held = false;
	}
}

/* An empty tensor has no memory: any address will do. */
static int hold_view(const struct vnpu_exec_job *job, struct prepared *p, u32 i,
		     const struct abi_range *range, bool is_written, struct base_err *err)
{
	struct view *v = &p->views[i];
	int ret;

	p->ptrs[i] = p->image;
	if (!v->size)
		return 0;
	ret = view_range(job, range, v->size, is_written, v, err);
	if (ret)
		return ret;
	v->is_held = true;
	p->ptrs[i] = v->ptr;
	return 0;
}

static int hold_all(const struct vnpu_exec *exec, const struct vnpu_exec_job *job,
		    struct prepared *p, struct base_err *err)
{
	u32 nr = job->inv->nr_bindings, nr_inputs = p->prog.hdr->nr_inputs;
	int ret;

	for (u32 i = 0; i < nr; i++) {
		ret = hold_view(job, p, i, &job->bindings[i], i >= nr_inputs, err);
		if (ret) {
			base_err_prefix(err, "binding %u", i);
			return ret;
		}
	}
	p->ptrs[nr] = p->image;
	if (!exec->engine->needs_arena(p->net))
		return 0;
	ret = hold_view(job, p, nr, &job->inv->arena, true, err);
	if (!ret && (uintptr_t)p->ptrs[nr] % ABI_PROG_ALIGN)
		ret = base_err_set(err, -EFAULT, "not aligned in host memory");
	if (ret)
		base_err_prefix(err, "arena");
	return ret;
}

/* Kernels may assume that what is written shares no byte with anything else: not through one
 * address given twice, not through two addresses of the same memory. */
static int check_apart(const struct vnpu_exec_job *job, const struct prepared *p,
		       struct base_err *err)
{
	u32 nr = job->inv->nr_bindings;

	for (u32 w = p->prog.hdr->nr_inputs; w <= nr; w++) {
		uintptr_t from = (uintptr_t)p->views[w].ptr, to = from + p->views[w].size;

		for (u32 i = 0; p->views[w].is_held && i < nr; i++) {
			uintptr_t start = (uintptr_t)p->views[i].ptr;

			if (i == w || !p->views[i].is_held || start >= to ||
			    start + p->views[i].size <= from)
				continue;
			return base_err_set(err, -EINVAL,
					    "%s %u shares memory with binding %u: outputs and "
					    "the arena need memory of their own",
					    w < nr ? "binding" : "arena, place", w, i);
		}
	}
	return 0;
}

/* What an engine holds may grow while it runs. */
static void count_bytes(struct vnpu_exec *exec, struct prepared *p)
{
	u64 bytes = p->program.size + exec->engine->bytes(p->net);

	exec->bytes += bytes - p->bytes;
	p->bytes = bytes;
}

static int run_net(const struct vnpu_exec *exec, const struct vnpu_exec_job *job,
		   struct prepared *p, u32 *op, struct base_err *err)
{
	return exec->engine->run(p->net, p->ptrs, p->ptrs[job->inv->nr_bindings], op, err);
}

static int run_here(const struct vnpu_exec *exec, const struct vnpu_exec_job *job,
		    struct prepared *p, u32 *op, struct base_err *err)
{
	bool did_run = false;
	int ret = hold_all(exec, job, p, err);

	if (!ret)
		ret = check_apart(job, p, err);
	if (!ret) {
		did_run = true;
		ret = run_net(exec, job, p, op, err);
	}
	release_views(job, p, did_run);
	return ret;
}

/* In a thread that can be left behind, where somebody else could want that; false: it was. */
static bool run_alone(struct vnpu_exec *exec, const struct vnpu_exec_job *job, struct prepared *p)
{
	struct vnpu_alone *a = &p->alone;

	*a = (struct vnpu_alone){ .engine = exec->engine,
				  .net = p->net,
				  .bindings = p->ptrs,
				  .arena = p->ptrs[job->inv->nr_bindings],
				  .op = ABI_TENSOR_NONE };
	if (!exec->opts.stop)
		a->ret = run_net(exec, job, p, &a->op, &a->err);
	else if (!vnpu_alone_run(a, exec->opts.stop) && leave(exec))
		return false;
	return true;
}

/* *@p: NULL when it was left behind. */
static int run_apart(struct vnpu_exec *exec, const struct vnpu_exec_job *job, struct prepared **p,
		     u32 *op, struct base_err *err)
{
	struct prepared *at = *p;
	int ret = vnpu_apart_take(&at->prog, job, at->ptrs, &at->copies, err), gone;

	if (ret)
		goto out;
	go_away(job);
	if (!run_alone(exec, job, at))
		*p = NULL;
	gone = come_back(job, err);
	if (!*p)
		return gone ? gone : base_err_set(err, -ECANCELED, "the job is gone");
	ret = at->alone.ret;
	*op = at->alone.op;
	if (ret)
		*err = at->alone.err;
	else
		ret = gone ? gone : vnpu_apart_give(&at->prog, job, at->ptrs, err);
out:
	base_free(at->copies);
	at->copies = NULL;
	return ret;
}

static int run_prepared(struct vnpu_exec *exec, const struct vnpu_exec_job *job,
			struct prepared **p, u32 *op, struct base_err *err)
{
	int ret = check_bindings(*p, job, err);

	if (ret)
		return ret;
	ret = (*p)->is_apart ? run_apart(exec, job, p, op, err) : run_here(exec, job, *p, op, err);
	if (*p)
		count_bytes(exec, *p);
	evict(exec);
	return ret;
}

/* For the client, who does not see the findings.  Without room for it there is only the status. */
static void write_error(const struct vnpu_exec_job *job, u32 op, int code,
			const struct base_err *err)
{
	struct abi_run_error record;
	struct base_err unused;
	struct view v;

	if (!job->inv->error.size ||
	    view_range(job, &job->inv->error, sizeof(record), true, &v, &unused))
		return;
	abi_run_error_fill(&record, code, op, err->text);
	memcpy(v.ptr, &record, sizeof(record));
	release(job, &v, true);
}

static void name_op(const struct prepared *p, u32 op, struct base_err *err)
{
	const struct abi_prog_op *o = &p->prog.ops[op];

	base_err_prefix(err, "op %u (%s) '%.80s'", op, abi_op_name(o->code),
			abi_prog_name(&p->prog, o->name));
}

int vnpu_exec_run(struct vnpu_exec *exec, const struct vnpu_exec_job *job, struct base_err *err)
{
	struct prepared *p = NULL;
	u32 op = ABI_TENSOR_NONE;
	int ret;

	bury(exec, false);
	ret = check_invocation(job, err);
	if (ret)
		goto out;
	ret = find_current(exec, job, &p, err);
	if (!ret && !p) {
		choose_engine(exec);
		ret = prepare(exec, job, err);
		p = exec->first;
	}
	if (!ret)
		ret = run_prepared(exec, job, &p, &op, err);
	if (ret)
		write_error(job, op, ret, err);
	if (ret && op != ABI_TENSOR_NONE)
		name_op(p, op, err);
out:
	if (ret)
		base_err_prefix(err, "inference 0x%llx", (unsigned long long)job->inference_id);
	return ret;
}

/* --- the executor --------------------------------------------------------------------------- */

int vnpu_exec_create(const char *engine, u32 nr_threads, bool strict, struct vnpu_exec **out,
		     struct base_err *err)
{
	struct vnpu_exec *exec;
	int ret = 0;

	if (engine && strcmp(engine, "plain") && strcmp(engine, "onednn"))
		return base_err_set(err, -EINVAL, "engine '%s': plain or onednn wanted", engine);
	if (!nr_threads || nr_threads > MAX_THREADS)
		return base_err_set(err, -EINVAL, "engine: %u threads, 1 to %u wanted", nr_threads,
				    MAX_THREADS);
	exec = base_zalloc(sizeof(*exec));
	if (!exec)
		return base_err_set(err, -ENOMEM, "no memory for an executor");
	exec->opts.nr_threads = nr_threads;
	exec->opts.strict = strict;
	if (engine && !strcmp(engine, "plain"))
		exec->engine = &vnpu_engine_plain;
	else if (engine)
		ret = vnpu_engine_load(&exec->engine, &exec->library, err);
	if (ret) {
		base_free(exec);
		return ret;
	}
	*out = exec;
	return 0;
}

void vnpu_exec_stop_by(struct vnpu_exec *exec, const u32 *stop)
{
	exec->opts.stop = stop;
}

void vnpu_exec_destroy(struct vnpu_exec *exec)
{
	if (!exec)
		return;
	vnpu_exec_drop_all(exec);
	bury(exec, true);
	vnpu_engine_unload(exec->library);
	base_free(exec);
}

void vnpu_exec_drop_ssid(struct vnpu_exec *exec, u32 ssid)
{
	struct prepared **at = &exec->first;

	bury(exec, false);
	while (*at) {
		if ((*at)->ssid == ssid)
			drop_at(exec, at);
		else
			at = &(*at)->next;
	}
}

void vnpu_exec_drop_all(struct vnpu_exec *exec)
{
	bury(exec, false);
	while (exec->first)
		drop_at(exec, &exec->first);
}

const char *vnpu_exec_engine_name(const struct vnpu_exec *exec)
{
	return exec->engine ? exec->engine->name : NULL;
}

const char *vnpu_exec_impl(const struct vnpu_exec *exec, u32 ssid, u64 inference_id, u32 op)
{
	for (const struct prepared *p = exec->first; p; p = p->next)
		if (p->ssid == ssid && p->inference_id == inference_id)
			return exec->engine->impl(p->net, op);
	return NULL;
}

u64 vnpu_exec_nr_prepares(const struct vnpu_exec *exec)
{
	return exec->nr_prepares;
}

u32 vnpu_exec_nr_prepared(const struct vnpu_exec *exec)
{
	return exec->nr_prepared;
}
