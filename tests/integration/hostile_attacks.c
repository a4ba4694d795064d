// SPDX-License-Identifier: MIT
/*
 * What a hostile client tries (hostile.h).  A job that faults takes its context with it, so each
 * gets a context of its own.
 */
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "abi/cmdbuf.h"
#include "image.h"
#include "vnpu/engine/prog_builder.h"

#define PAGE 4096u

/* Small and the same everywhere: what a seed gives is to be found again.  SRC: xorshift64* */
static u64 chance(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static u64 seeded(const struct hostile_plan *plan)
{
	return plan->seed * 2 + 1; /* never 0 */
}

/*
 * The victim
 */

static void fill_secret(void *data, u64 size)
{
	float *f = data;

	for (u64 i = 0; i < size / sizeof(*f); i++)
		f[i] = HOSTILE_SECRET;
}

bool hostile_has_secret(const void *data, u64 size)
{
	const float *f = data;

	for (u64 i = 0; i < size / sizeof(*f); i++)
		if (f[i] == HOSTILE_SECRET || f[i] == HOSTILE_SECRET + 0.5f ||
		    f[i] == HOSTILE_SECRET * 2)
			return true;
	return false;
}

void hostile_victim_leave(struct hostile_victim *v)
{
	for (u32 i = 0; i < HOSTILE_NR_BOXES; i++)
		hostile_bo_close(v->h.c, &v->box[i]);
	hostile_leave(&v->h);
}

/* Its jobs have a secret in, out, and among the weights. */
static int work_on_secret(struct hostile_victim *v, struct base_err *err)
{
	s32 status = 0;
	int ret = 0;

	v->h.constant = HOSTILE_SECRET;
	v->h.inference_id = 7;
	fill_secret(v->h.io.cpu, v->h.io.size);
	for (u32 i = 0; !ret && !status && i < 3; i++)
		ret = hostile_try(&v->h, HOSTILE_INPUT, hostile_good(&v->h, HOSTILE_INPUT), &status,
				  err);
	if (!ret && status)
		ret = base_err_set(err, -EIO, "the victim's job has status %d", status);
	return ret;
}

int hostile_victim_enter(struct hostile_victim *v, struct hostile_conn *c,
			 const struct reg_gen *gen, struct base_err *err)
{
	int ret;

	*v = (struct hostile_victim){ 0 };
	ret = hostile_enter(&v->h, c, gen, err);
	if (ret)
		return ret;
	/* first, so that what the driver adds to a context is where it is in the attacker's */
	ret = work_on_secret(v, err);
	for (u32 i = 0; !ret && i < HOSTILE_NR_BOXES; i++) {
		ret = hostile_bo(c, v->h.ctx, HOSTILE_BO_SIZE, i % 2 ? "?flags=dma" : "",
				 &v->box[i], err);
		if (!ret)
			fill_secret(v->box[i].cpu, HOSTILE_BO_SIZE);
	}
	if (ret)
		hostile_victim_leave(v);
	return ret;
}

static int victim_unharmed(const struct hostile_victim *v, struct base_err *err)
{
	for (u32 i = 0; i < HOSTILE_NR_BOXES; i++) {
		const float *f = (const void *)v->box[i].cpu;

		for (u32 k = 0; k < HOSTILE_BO_SIZE / sizeof(*f); k++)
			if (f[k] != HOSTILE_SECRET)
				return base_err_set(err, -EIO, "the victim's buffer %u was written",
						    i);
	}
	return 0;
}

/*
 * Addresses
 */

#define NR_RANGES 5u

/* Ends of what is mapped somewhere. */
static bool range_edge(u32 i, const struct reg_gen *gen, u64 *addr)
{
	const struct reg_range *const ranges[NR_RANGES] = { &gen->va.runtime, &gen->va.global,
							    &gen->va.user, &gen->va.shave,
							    &gen->va.dma };
	const struct reg_range *r = ranges[i / 4];
	const u64 edges[] = { r->start - PAGE, r->start, r->end - PAGE, r->end };

	*addr = edges[i % 4];
	return r->end > r->start;
}

/* Next to one's own, and one's own with other bits beside. */
static u64 near_own(u32 i, const struct hostile *own)
{
	const u64 list[] = {
		0,
		64,
		own->io.addr + own->io.size - 64,
		own->cmd.addr - PAGE,
		own->io.addr + (UINT64_C(1) << 32),
		own->io.addr + (UINT64_C(1) << 38),
		own->io.addr | UINT64_C(1) << 48,
		own->io.addr | UINT64_C(1) << 63,
		UINT64_C(1) << 47,
		UINT64_MAX - PAGE + 1,
		UINT64_MAX - 63,
	};

	return list[i];
}

#define NR_NEAR	   11u
#define NR_EDGES   (NR_RANGES * 4u)
#define NR_VICTIMS 4u

/* The @i-th address that is not for a client; false: there is none of that number. */
static bool wild(u32 i, const struct hostile *own, const struct hostile_victim *v, u64 *state,
		 u64 *addr)
{
	const u32 boxes[NR_VICTIMS] = { 0, 7, 16, HOSTILE_NR_BOXES - 1 };
	const struct reg_range *r = chance(state) & 1 ? &own->gen->va.user : &own->gen->va.dma;

	if (i < NR_VICTIMS) {
		*addr = v->box[boxes[i]].addr + i * PAGE;
		return true;
	}
	i -= NR_VICTIMS;
	if (i < NR_NEAR) {
		*addr = near_own(i, own);
		return true;
	}
	i -= NR_NEAR;
	if (i < NR_EDGES)
		return range_edge(i, own->gen, addr);
	*addr = r->end > r->start ? r->start + chance(state) % (r->end - r->start) : chance(state);
	*addr &= ~UINT64_C(63);
	return true;
}

/* Bytes the device wants there. */
static u64 reach(const struct hostile *h, enum hostile_kind kind)
{
	switch ((u32)kind) {
	case HOSTILE_JOB_CMD:
		return h->gen->flat ? HOSTILE_BO_SIZE - 0x2000 : sizeof(struct abi_cmdbuf_header);
	case HOSTILE_COPY_SRC:
	case HOSTILE_COPY_DST:
	case HOSTILE_FILL:
	case HOSTILE_ARENA:
		return PAGE;
	case HOSTILE_COPY_DESC:
		return h->gen->copy.size_bytes + h->gen->copy.tail_bytes;
	case HOSTILE_PROGRAM:
		return sizeof(struct image);
	case HOSTILE_JOB_INPUT:
	case HOSTILE_JOB_OUTPUT:
	case HOSTILE_INPUT:
	case HOSTILE_OUTPUT:
		return 24;
	default:
		return 8;
	}
}

/* Some of it is one's own: what happens there is nobody else's affair. */
static bool is_own(const struct hostile *h, u64 addr, u64 len)
{
	for (u64 at = addr; at - addr < len; at += 8)
		if (at - h->cmd.addr >= h->cmd.size && at - h->io.addr >= h->io.size)
			return false;
	return true;
}

/* With hardware scheduling the driver adds memory to a context, for preemption, where its ranges
 * begin: what a job does there is nobody else's affair, either.  (Victims have theirs in the same
 * place, and their boxes elsewhere.) */
static bool is_added(const struct hostile_plan *plan, const struct hostile_victim *v, u64 addr)
{
	const u64 most = UINT64_C(64) << 20;

	for (u32 i = 0; i < HOSTILE_NR_BOXES; i++)
		if (addr - v->box[i].addr < HOSTILE_BO_SIZE)
			return false;
	return plan->hws &&
	       (addr - plan->gen->va.user.start < most || addr - plan->gen->va.dma.start < most);
}

static int one_address(const struct hostile_plan *plan, struct hostile_conn *mine,
		       const struct hostile_victim *v, u32 i, enum hostile_kind kind, u64 state,
		       struct base_err *err)
{
	struct hostile h;
	s32 status = 0;
	u64 addr = 0;
	int ret = hostile_enter(&h, mine, plan->gen, err);

	if (ret)
		return ret;
	if (!wild(i, &h, v, &state, &addr) || is_own(&h, addr, reach(&h, kind)) ||
	    is_added(plan, v, addr))
		goto out;
	ret = hostile_try(&h, kind, addr, &status, err);
	/* no engine looks at the save area of a job that is not preempted */
	if (!ret && !status && kind != HOSTILE_SAVE_AREA)
		ret = base_err_set(err, -EIO, "%s: 0x%llx was reached", hostile_kind_name(kind),
				   (unsigned long long)addr);
out:
	hostile_leave(&h);
	return ret;
}

int hostile_addresses(const struct hostile_plan *plan, struct hostile_conn *mine,
		      struct hostile_conn *theirs, struct base_err *err)
{
	const u32 nr = NR_VICTIMS + NR_NEAR + NR_EDGES + plan->count;
	u64 state = seeded(plan);
	struct hostile_victim v;
	int ret = hostile_victim_enter(&v, theirs, plan->gen, err);

	if (ret)
		return ret;
	for (u32 i = 0; !ret && i < nr; i++) {
		for (u32 kind = 0; !ret && kind < hostile_nr_kinds(plan->gen); kind++)
			ret = one_address(plan, mine, &v, i, (enum hostile_kind)kind, state, err);
		(void)chance(&state);
	}
	if (!ret)
		ret = victim_unharmed(&v, err);
	hostile_victim_leave(&v);
	return ret;
}

/*
 * Isolation
 */

/* 1: by this way the secret at @addr came into one's own memory. */
static int steal_by(struct hostile *h, enum hostile_kind kind, u64 addr, struct base_err *err)
{
	s32 status;
	int ret;

	memset(h->io.cpu, 0, h->io.size);
	ret = hostile_try(h, kind, addr, &status, err);
	return ret ? ret
		   : hostile_has_secret(h->io.cpu, h->io.size) ||
			       hostile_has_secret(h->cmd.cpu + 0x8000, 0x8000);
}

static int steal(const struct hostile_plan *plan, struct hostile_conn *mine, enum hostile_kind kind,
		 u64 addr, struct base_err *err)
{
	struct hostile h;
	int ret = hostile_enter(&h, mine, plan->gen, err);

	if (ret)
		return ret;
	ret = is_own(&h, addr, PAGE) ? 0 : steal_by(&h, kind, addr, err);
	hostile_leave(&h);
	return ret;
}

/* The same search, of a secret that is one's own: it is found. */
static int can_be_found(const struct hostile_plan *plan, struct hostile_conn *mine,
			struct base_err *err)
{
	const bool flat = plan->gen->flat;
	struct hostile_bo box;
	struct hostile h;
	int ret = hostile_enter(&h, mine, plan->gen, err);

	if (ret)
		return ret;
	ret = hostile_bo(mine, h.ctx, PAGE, "", &box, err);
	if (ret)
		goto out;
	fill_secret(box.cpu, PAGE);
	/* without MMU a job reaches what it names, and this is in its cmd */
	if (flat)
		fill_secret(h.cmd.cpu + 0x5000, 64);
	ret = steal_by(&h, HOSTILE_INPUT, flat ? h.cmd.addr + 0x5000 : box.addr, err);
	if (ret == 1 && !flat)
		ret = steal_by(&h, HOSTILE_COPY_SRC, box.addr, err);
	ret = ret == 1 ? 0 : ret ? ret : base_err_set(err, -EIO, "one's own secret is not found");
	hostile_bo_close(mine, &box);
out:
	hostile_leave(&h);
	return ret;
}

static int search(const struct hostile_plan *plan, struct hostile_conn *mine, u64 addr,
		  struct base_err *err)
{
	static const enum hostile_kind ways[] = { HOSTILE_INPUT, HOSTILE_COPY_SRC, HOSTILE_PROGRAM,
						  HOSTILE_INVOCATION, HOSTILE_COPY_DESC };
	const size_t nr = plan->gen->flat ? 1 : BASE_ARRAY_SIZE(ways);

	for (size_t i = 0; i < nr; i++) {
		int ret = steal(plan, mine, ways[i], addr, err);

		if (ret)
			return ret < 0 ? ret
				       : base_err_set(err, -EIO, "%s: the secret at 0x%llx is read",
						      hostile_kind_name(ways[i]),
						      (unsigned long long)addr);
	}
	return 0;
}

int hostile_isolation(const struct hostile_plan *plan, struct hostile_conn *mine,
		      struct hostile_conn *theirs, struct base_err *err)
{
	const u32 nr = HOSTILE_NR_BOXES * (HOSTILE_BO_SIZE / PAGE);
	const u32 step = plan->count >= 100 ? 1 : 11;
	u64 state = seeded(plan);
	struct hostile_victim v;
	int ret = can_be_found(plan, mine, err);

	if (ret)
		return ret;
	ret = hostile_victim_enter(&v, theirs, plan->gen, err);
	if (ret)
		return ret;
	for (u32 i = 0; !ret && i < nr; i += step)
		ret = search(plan, mine, v.box[i / 16].addr + i % 16 * PAGE, err);
	/* the victim's own places: most are those of the attacker's own, too */
	for (u32 i = 0; !ret && i < 16; i++)
		ret = search(plan, mine, (i % 2 ? v.h.io.addr : v.h.cmd.addr) + i * PAGE, err);
	for (u32 i = 0; !ret && i < plan->count + NR_EDGES; i++) {
		u64 addr = 0;

		if (wild(NR_VICTIMS + NR_NEAR + i, &v.h, &v, &state, &addr))
			ret = search(plan, mine, addr & ~(u64)(PAGE - 1), err);
	}
	hostile_victim_leave(&v);
	return ret;
}

/*
 * Keys of inferences: prepared once, found again by address space, number, address, header
 */

/* The victim's header over a program that is not the victim's: the image must be looked at. */
static int borrow(struct hostile *h, struct base_err *err)
{
	struct image *im = (void *)(h->cmd.cpu + 0x3000);
	struct abi_completion done = { 0 };
	const float *y = (const void *)(h->io.cpu + 0x1000);
	struct abi_job job;
	u64 hash;
	s64 ret;

	h->inference_id = 7;
	h->constant = HOSTILE_SECRET;
	memset(h->io.cpu, 0, h->io.size);
	job = hostile_put(h, HOSTILE_INPUT, hostile_good(h, HOSTILE_INPUT));
	hash = im->hdr.content_hash;
	h->constant = 1;
	job = hostile_put(h, HOSTILE_INPUT, hostile_good(h, HOSTILE_INPUT));
	im->hdr.content_hash = hash;
	ret = hostile_write(h->c, h->queue, &job, sizeof(job));
	if (ret > 0)
		ret = hostile_wait(h->c, h->queue, HOSTILE_PATIENCE_MS, &done);
	if (ret != 1)
		return base_err_set(err, -EIO, "no completion: %lld", (long long)ret);
	if (!done.status || y[0] == HOSTILE_SECRET)
		return base_err_set(err, -EIO, "another's inference was run: status %d, %f",
				    done.status, (double)y[0]);
	return 0;
}

static int borrow_once(const struct hostile_plan *plan, struct hostile_conn *mine,
		       struct base_err *err)
{
	struct hostile h;
	int ret = hostile_enter(&h, mine, plan->gen, err);

	if (ret)
		return ret;
	ret = borrow(&h, err);
	hostile_leave(&h);
	return ret;
}

int hostile_keys(const struct hostile_plan *plan, struct hostile_conn *mine,
		 struct hostile_conn *theirs, struct base_err *err)
{
	struct hostile_victim v;
	int ret = hostile_victim_enter(&v, theirs, plan->gen, err);

	if (ret)
		return ret;
	ret = borrow_once(plan, mine, err);
	hostile_victim_leave(&v);
	/* numbers of address spaces come again: one of these was the victim's */
	for (u32 i = 0; !ret && i < 8; i++)
		ret = borrow_once(plan, mine, err);
	return ret;
}

/*
 * Memory that was another's
 */

static int is_zero(const u8 *data, u64 size, const char *what, struct base_err *err)
{
	for (u64 i = 0; i < size; i++)
		if (data[i])
			return base_err_set(err, -EIO, "%s: byte %llu of new memory is 0x%02x",
					    what, (unsigned long long)i, data[i]);
	return 0;
}

/* The device looks before the processor does. */
static int device_sees_zero(struct hostile *h, const struct hostile_bo *bo, struct base_err *err)
{
	s32 status = 0;
	int ret;

	memset(h->io.cpu + 0x3000, 0xff, PAGE);
	ret = hostile_try(h, HOSTILE_COPY_SRC, bo->addr + bo->size - PAGE, &status, err);
	if (!ret && status)
		ret = base_err_set(err, -EIO, "a copy of new memory has status %d", status);
	return ret ? ret : is_zero(h->io.cpu + 0x3000, PAGE, "by the device", err);
}

static int fresh(struct hostile *h, u64 size, const char *params, struct base_err *err)
{
	struct hostile_bo bo;
	int ret = hostile_bo(h->c, h->ctx, size, params, &bo, err);

	if (ret)
		return ret;
	if (!h->gen->flat)
		ret = device_sees_zero(h, &bo, err);
	if (!ret)
		ret = is_zero(bo.cpu, size, "mapped", err);
	memset(bo.cpu, 0xa5, size); /* for whoever has it next */
	hostile_bo_close(h->c, &bo);
	return ret;
}

int hostile_reuse(const struct hostile_plan *plan, struct hostile_conn *mine, struct base_err *err)
{
	static const char *const params[] = { "", "?flags=wc", "?flags=dma", "?align=65536" };
	u64 state = seeded(plan);
	struct hostile h;
	int ret = hostile_enter(&h, mine, plan->gen, err);

	if (ret)
		return ret;
	ret = is_zero(h.io.cpu, h.io.size, "a new context's", err);
	for (u32 i = 0; !ret && i < plan->count + 16; i++) {
		u64 pages = 1 + chance(&state) % (i % 8 == 0 ? 600 : 32);

		ret = fresh(&h, pages * PAGE, params[i % BASE_ARRAY_SIZE(params)], err);
	}
	hostile_leave(&h);
	return ret;
}

/*
 * Descriptors, paths, calls
 */

static int expect_refusal(struct hostile *h, const char *what, struct abi_job job,
			  struct base_err *err)
{
	char why[300] = "";
	s64 ret = hostile_write(h->c, h->queue, &job, sizeof(job));

	hostile_why(h->c, why, sizeof(why));
	if (ret != -EINVAL)
		return base_err_set(err, -EIO, "%s: %lld, expected EINVAL", what, (long long)ret);
	if (strncmp(why, "job 0: ", 7))
		return base_err_set(err, -EIO, "%s: says \"%.100s\"", what, why);
	return 0;
}

static int forged_jobs(struct hostile *h, struct base_err *err)
{
	const struct abi_job good = hostile_put(h, HOSTILE_INPUT, hostile_good(h, HOSTILE_INPUT));
	const u64 end = h->io.addr + h->io.size;
	struct abi_job job;
	int ret = 0;

#define FORGE(field, value)                                                     \
	do {                                                                    \
		job = good;                                                     \
		job.field = (value);                                            \
		if (!ret)                                                       \
			ret = expect_refusal(h, #field " = " #value, job, err); \
	} while (0)
	FORGE(cmd_addr, good.cmd_addr + 4);
	FORGE(cmd_addr, 0);
	FORGE(cmd_addr, UINT64_MAX - 63);
	FORGE(cmd_size, 0);
	FORGE(cmd_size, 47);
	FORGE(cmd_size, UINT32_MAX);
	FORGE(flags, 0x4);
	FORGE(flags, UINT32_MAX);
	FORGE(pad0, 1);
	FORGE(pad1, 0x80000000);
	FORGE(reserved, 1);
	FORGE(status, 1);
	FORGE(input_size, 0);
	FORGE(input_size, UINT32_MAX);
	FORGE(input_addr, 0);
	FORGE(input_addr, UINT64_MAX);
	FORGE(input_addr, end - 8);
	FORGE(output_addr, 0);
	FORGE(output_addr, end);
	FORGE(output_addr, UINT64_MAX - 8);
	FORGE(output_size, UINT32_MAX);
#undef FORGE
	return ret;
}

/* A path or a size that must end in an error, whose words say where. */
static int refused_dup(struct hostile *h, const char *path, struct base_err *err)
{
	char why[300] = "";
	s64 ret = hostile_dup(h->c, h->ctx, path);

	hostile_why(h->c, why, sizeof(why));
	if (ret >= 0)
		return base_err_set(err, -EIO, "dup %.60s was let through", path);
	if (strlen(why) < 10)
		return base_err_set(err, -EIO, "dup %.60s: %lld without words: \"%s\"", path,
				    (long long)ret, why);
	return 0;
}

static int forged_paths(struct hostile *h, struct base_err *err)
{
	static const char *const paths[] = {
		"bo/0",
		"bo/-1",
		"bo/18446744073709551615",
		"bo/18446744073709547521",
		"bo/18446744073709551616",
		"bo/0x8000000000000000",
		"bo/0xffffffffffff",
		"bo/4096?align=3",
		"bo/4096?align=0",
		"bo/4096?flags=root",
		"bo/4096?flags=wb,wc",
		"bo/4096?flags=",
		"bo/010",
		"bo/4096/../..",
		"bo",
		"queue?prio=realtime1",
		"queue?prio=",
		"queue?prio=normal&prio=focus",
		"queue?page=1",
		"../1/ctx",
		"ctx",
		"import?fd=3x",
		"\x01\x7f\xff\"\\",
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < BASE_ARRAY_SIZE(paths); i++)
		ret = refused_dup(h, paths[i], err);
	return ret;
}

static int forged_calls(struct hostile *h, struct base_err *err)
{
	u8 buf[2048];

	for (u32 kind = 0; kind < 12; kind++)
		for (u32 size = 0; size <= sizeof(buf); size = size * 2 + 8) {
			const struct svc_call head = { .kind = (u16)kind,
						       .version = SVC_CALL_VERSION,
						       .size = size };
			s64 ret;

			memset(buf, 0xee, sizeof(buf));
			memcpy(buf, &head, sizeof(head));
			ret = hostile_call(h->c, h->queue, buf, size);
			if (ret >= 0 && kind != SVC_CALL_QUEUE)
				return base_err_set(err, -EIO, "call %u of %u bytes: %lld", kind,
						    size, (long long)ret);
			if (ret < 0 && size >= 8 && buf[8 + (size > 8)] != 0xee)
				return base_err_set(err, -EIO, "call %u wrote what it refused",
						    kind);
		}
	return 0;
}

/* More of everything than a client may have; then all of it is given back. */
static int too_many(struct hostile *h, struct base_err *err)
{
	static s64 handle[8192];
	static const char *const paths[] = { "bo/4096", "queue", "bo/0x4000000" };
	int ret = 0;

	for (size_t i = 0; !ret && i < BASE_ARRAY_SIZE(paths); i++) {
		u32 nr = 0;

		while (nr < BASE_ARRAY_SIZE(handle)) {
			handle[nr] = hostile_dup(h->c, h->ctx, paths[i]);
			if (handle[nr] < 0)
				break;
			nr++;
		}
		if (nr == BASE_ARRAY_SIZE(handle))
			ret = base_err_set(err, -EIO, "%s: no limit", paths[i]);
		while (nr)
			(void)hostile_close(h->c, handle[--nr]);
	}
	return ret;
}

int hostile_descriptors(const struct hostile_plan *plan, struct hostile_conn *mine,
			struct base_err *err)
{
	struct hostile h;
	int ret = hostile_enter(&h, mine, plan->gen, err);

	if (ret)
		return ret;
	ret = forged_jobs(&h, err);
	if (!ret)
		ret = forged_paths(&h, err);
	if (!ret)
		ret = forged_calls(&h, err);
	if (!ret)
		ret = too_many(&h, err);
	hostile_leave(&h);
	return ret;
}

/*
 * Chance
 */

static void spoil(struct hostile *h, struct abi_job *job, u64 *state)
{
	static const u32 parts[] = { 0x0, 0x1000, 0x2000, 0x3000 };
	u32 nr = 1 + chance(state) % 4;

	for (u32 i = 0; i < nr; i++) {
		u32 at = parts[chance(state) % BASE_ARRAY_SIZE(parts)] + chance(state) % 256;

		h->cmd.cpu[at] ^= (u8)(1u << chance(state) % 8);
	}
	if (chance(state) % 8 == 0)
		((u8 *)job)[chance(state) % sizeof(*job)] ^= (u8)(1u << chance(state) % 8);
}

static int random_jobs(struct hostile *h, u64 *state, struct base_err *err)
{
	for (u32 i = 0; i < 8; i++) {
		enum hostile_kind kind =
			(enum hostile_kind)(chance(state) % hostile_nr_kinds(h->gen));
		struct abi_job job = hostile_put(h, kind, hostile_good(h, kind));
		struct abi_completion done;
		s64 ret;

		spoil(h, &job, state);
		ret = hostile_write(h->c, h->queue, &job, sizeof(job));
		if (ret > 0)
			ret = hostile_wait(h->c, h->queue, 20, &done);
		if (ret < 0 && ret != -EINVAL && ret != -ECANCELED && ret != -EAGAIN)
			return base_err_set(err, -EIO, "a spoilt %s: %lld", hostile_kind_name(kind),
					    (long long)ret);
	}
	return 0;
}

int hostile_random(const struct hostile_plan *plan, struct hostile_conn *mine, struct base_err *err)
{
	u64 state = seeded(plan);
	int ret = 0;

	for (u32 i = 0; !ret && i < plan->count; i++) {
		struct hostile h;

		ret = hostile_enter_patiently(&h, mine, plan->gen, err);
		if (ret)
			return ret;
		ret = random_jobs(&h, &state, err);
		hostile_leave(&h);
	}
	return ret;
}

/*
 * Jobs that never end, in contexts that do
 */

static int wait_for_nothing(struct hostile *h, struct base_err *err)
{
	struct abi_job job = hostile_put(h, HOSTILE_FENCE, hostile_good(h, HOSTILE_FENCE));
	s64 ret;

	memset(h->cmd.cpu + 0x9000, 0, 8);
	for (u32 i = 0; i < 8; i++) {
		ret = hostile_write(h->c, h->queue, &job, sizeof(job));
		if (ret != sizeof(job))
			return base_err_set(err, -EIO, "a job that waits for ever: %lld",
					    (long long)ret);
	}
	return 0;
}

int hostile_unfinished(const struct hostile_plan *plan, struct hostile_conn *mine,
		       struct base_err *err)
{
	if (plan->gen->flat)
		return 0; /* none of its jobs waits */
	for (u32 i = 0; i < 16; i++) {
		struct hostile h;
		int ret = hostile_enter(&h, mine, plan->gen, err);

		if (ret)
			return ret;
		ret = wait_for_nothing(&h, err);
		hostile_leave(&h);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * An inference of hours
 */

#define BIG	(UINT64_C(80) << 20)
#define BIG_INV 0x1000u
#define BIG_IMG 0x2000u
#define BIG_X	(UINT64_C(1) << 20)
#define BIG_W	(UINT64_C(18) << 20)
#define BIG_Y	((UINT64_C(36) << 20) + 4) /* where a copy stands in for it while it is computed */
#define BIG_A	(UINT64_C(54) << 20)

/* A convolution: of a picture with another one, 10^13 products that can be left at any time; or one
 * that is computed as fast as can be, 3 * 10^11 products in one go. */
struct shape {
	u32 channels, side, kernel;
};

static const struct shape endless = { 1, 2047, 2047 }, giant = { 60, 266, 35 };

static u64 input_bytes(const struct shape *s)
{
	return (u64)s->channels * s->side * s->side * sizeof(float);
}

static u64 weight_bytes(const struct shape *s)
{
	return (u64)s->channels * s->channels * s->kernel * s->kernel * sizeof(float);
}

/* Return: bytes of the program. */
static u64 put_convolution(u8 *at, const struct shape *s)
{
	const struct abi_attr_conv attr = { .win = pb_window(2, s->kernel, 1, 1, s->kernel / 2),
					    .group = 1 };
	struct pb *pb = malloc(sizeof(*pb));
	void *image;
	u64 size;
	u32 x, w;

	pb_require(pb, "no memory");
	pb_init(pb, 1);
	x = pb_input(pb, ABI_F32, PB_DIMS(1, s->channels, s->side, s->side));
	w = pb_input(pb, ABI_F32, PB_DIMS(s->channels, s->channels, s->kernel, s->kernel));
	pb_output(pb, pb_op(pb, ABI_OP_CONV, &attr, sizeof(attr), PB_IN(x, w)));
	image = pb_image(pb, &size);
	memcpy(at, image, size);
	free(image);
	pb_fini(pb);
	free(pb);
	return size;
}

static struct abi_job put_long(const struct hostile_bo *bo, const struct shape *shape)
{
	const struct abi_cmd_inference cmd = { .hdr = { ABI_CMD_INFERENCE_EXECUTE, sizeof(cmd) },
					       .inference_id = 3,
					       .host_mapped_inference_address = bo->addr + BIG_INV,
					       .host_mapped_inference_size = 0x1000 };
	struct abi_cmdbuf_header *list = (void *)bo->cpu;
	struct abi_invocation *inv = (void *)(bo->cpu + BIG_INV);
	struct abi_range *bind = (void *)(inv + 1);

	*inv = (struct abi_invocation){
		.magic = ABI_INVOCATION_MAGIC,
		.version = ABI_INVOCATION_VERSION,
		.nr_bindings = 3,
		.program = { bo->addr + BIG_IMG, put_convolution(bo->cpu + BIG_IMG, shape) },
		.arena = { bo->addr + BIG_A, BIG - BIG_A },
	};
	bind[0] = (struct abi_range){ bo->addr + BIG_X, input_bytes(shape) };
	bind[1] = (struct abi_range){ bo->addr + BIG_W, weight_bytes(shape) };
	bind[2] = (struct abi_range){ bo->addr + BIG_Y, input_bytes(shape) };
	*list = (struct abi_cmdbuf_header){ .cmd_buffer_size = sizeof(*list) + sizeof(cmd),
					    .cmd_offset = sizeof(*list),
					    .api_version = ABI_CMDBUF_API };
	memcpy(list + 1, &cmd, sizeof(cmd));
	return (struct abi_job){ .cmd_addr = bo->addr, .cmd_size = list->cmd_buffer_size };
}

static int leave_running(const struct hostile_plan *plan, struct hostile_conn *mine,
			 const struct shape *shape, struct base_err *err)
{
	struct abi_completion done;
	struct hostile_bo bo;
	struct abi_job job;
	struct hostile h;
	s64 ret;

	if (plan->gen->flat)
		return 0; /* its jobs end by the device's limit */
	ret = hostile_enter(&h, mine, plan->gen, err);
	if (ret)
		return (int)ret;
	ret = hostile_bo(mine, h.ctx, BIG, "", &bo, err);
	if (!ret) {
		job = put_long(&bo, shape);
		ret = hostile_write(mine, h.queue, &job, sizeof(job));
		if (ret == sizeof(job))
			ret = hostile_wait(mine, h.queue, 200, &done);
		if (ret)
			base_err_set(err, -EIO, "it ended: %lld", (long long)ret);
		hostile_bo_close(mine, &bo);
	}
	hostile_leave(&h);
	return ret ? -EIO : 0;
}

int hostile_endless(const struct hostile_plan *plan, struct hostile_conn *mine,
		    struct base_err *err)
{
	return leave_running(plan, mine, &endless, err);
}

int hostile_giant(const struct hostile_plan *plan, struct hostile_conn *mine, struct base_err *err)
{
	return leave_running(plan, mine, &giant, err);
}
