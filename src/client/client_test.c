// SPDX-License-Identifier: MIT
/* libnpu on a service whose driver core is made up: what this folder does itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "service/fake_drv.h"

#include <cmocka.h>

#include "abi/cmdbuf.h"
#include "abi/program.h"
#include "client/internal.h"
#include "service/svc.h"

/*
 * A backend row of its own, in place of the virtual NPU's.
 */
static struct drv_dev fake;

struct test_backend {
	struct backend base;
	struct svc *svc;
	struct svc_client *client;
	u32 idx;
};

static struct svc_client *client_of(struct backend *be)
{
	return base_container_of(be, struct test_backend, base)->client;
}

static int test_connect(const char *device, const struct npu_open_options *options,
			struct backend **out, struct base_err *err)
{
	static const struct svc_cred cred = { .privileged = true };
	struct test_backend *be = base_zalloc(sizeof(*be));

	(void)device;
	(void)options;
	if (!be)
		return base_err_set(err, -ENOMEM, "no memory");
	be->base.ops = &backend_sim;
	fake = (struct drv_dev){ .state = DRV_READY, .auto_complete = true };
	if (svc_create(NULL, &be->svc))
		goto err_free;
	if (svc_add_device(be->svc, &fake, 0, &be->idx))
		goto err_destroy;
	if (svc_client_create(be->svc, &cred, &be->client))
		goto err_remove;
	*out = &be->base;
	return 0;

err_remove:
	svc_remove_device(be->svc, be->idx, NULL);
err_destroy:
	svc_destroy(be->svc);
err_free:
	base_free(be);
	return base_err_set(err, -ENOMEM, "no memory");
}

static void test_disconnect(struct backend *be)
{
	struct test_backend *t = base_container_of(be, struct test_backend, base);

	svc_client_close(t->client);
	svc_remove_device(t->svc, t->idx, NULL);
	svc_destroy(t->svc);
	base_free(t);
}

static int test_open(struct backend *be, const char *path, u32 *handle, struct base_err *err)
{
	char full[64];

	snprintf(full, sizeof(full), "0/%s", path);
	return svc_open(client_of(be), full, handle, err);
}

static int test_dup(struct backend *be, u32 handle, const char *path, int fd, u32 *out,
		    struct base_err *err)
{
	return svc_import(client_of(be), handle, path, fd, out, err);
}

static s64 test_read(struct backend *be, u32 handle, void *buf, u64 size, struct base_err *err)
{
	return svc_read(client_of(be), handle, buf, size, err);
}

static s64 test_write(struct backend *be, u32 handle, const void *buf, u64 size,
		      struct base_err *err)
{
	return svc_write(client_of(be), handle, buf, size, err);
}

static int test_call(struct backend *be, u32 handle, void *arg, u64 size, struct base_err *err)
{
	return svc_call(client_of(be), handle, arg, size, err);
}

static int test_map(struct backend *be, u32 handle, void **cpu, struct base_err *err)
{
	struct svc_mapping mapping = { 0 };
	int ret = svc_map(client_of(be), handle, &mapping, err);

	*cpu = mapping.cpu;
	return ret;
}

static int test_wait(struct backend *be, u32 handle, u64 timeout_ns, struct base_err *err)
{
	return svc_wait(client_of(be), handle, timeout_ns, err);
}

static int test_close(struct backend *be, u32 handle, struct base_err *err)
{
	return svc_close(client_of(be), handle, err);
}

static void test_list(void (*item)(void *opaque, const char *device, const char *description),
		      void *opaque)
{
	item(opaque, "sim:fake", "made up");
}

const struct backend_ops backend_sim = {
	.prefix = "sim:",
	.form = "sim:fake",
	.connect = test_connect,
	.disconnect = test_disconnect,
	.open = test_open,
	.dup = test_dup,
	.read = test_read,
	.write = test_write,
	.call = test_call,
	.map = test_map,
	.wait = test_wait,
	.close = test_close,
	.list = test_list,
};

static int no_connect(const char *device, const struct npu_open_options *options,
		      struct backend **out, struct base_err *err)
{
	(void)options, (void)out;
	return base_err_set(err, -ECONNREFUSED, "device \"%s\": nobody there", device);
}

const struct backend_ops backend_npud = {
	.prefix = "npud:", .form = "npud:PATH", .connect = no_connect
};

const struct backend_ops backend_vfio_user = {
	.prefix = "vfio-user:", .form = "vfio-user:PATH", .connect = no_connect
};

struct fixture {
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	struct npu_buffer *buf;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(npu_device_open("sim:fake", &f->dev), 0);
	assert_int_equal(npu_context_create(f->dev, &f->ctx), 0);
	assert_int_equal(npu_queue_create(f->ctx, NPU_PRIO_NORMAL, &f->queue), 0);
	assert_int_equal(npu_buffer_create(f->ctx, 4096, 0, 0, &f->buf), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	npu_context_destroy(f->ctx);
	npu_device_close(f->dev);
	assert_int_equal(fake.nr_ctxs + fake.nr_bos + fake.nr_queues, 0);
	free(f);
	return 0;
}

static int submit(struct fixture *f, u64 cookie, unsigned nr)
{
	struct npu_job jobs[62] = { 0 };

	for (unsigned i = 0; i < nr; i++)
		jobs[i] = (struct npu_job){ .cmd_addr = npu_buffer_address(f->buf),
					    .cmd_size = 64,
					    .cookie = cookie + i };
	return npu_queue_submit(f->queue, jobs, nr);
}

/* y = x + x, one float. */
struct image {
	struct abi_prog_header hdr;
	struct abi_prog_tensor tensors[2];
	struct abi_prog_op op;
	u8 gap[32];
	u32 operands[16];
	struct abi_attr_binary attr;
	u8 gap1[40];
	char names[64];
};

static_assert(offsetof(struct image, names) % 64 == 0, "names");

#define SECTION(id, member, len)                         \
	im->hdr.sec[ABI_SEC_##id] = (struct abi_section) \
	{                                                \
		offsetof(struct image, member), len      \
	}

static void build_image(struct image *im)
{
	memset(im, 0, sizeof(*im));
	im->hdr = (struct abi_prog_header){ .magic = ABI_PROG_MAGIC,
					    .version_major = ABI_PROG_VERSION_MAJOR,
					    .version_minor = ABI_PROG_VERSION_MINOR,
					    .size = sizeof(*im),
					    .nr_inputs = 1,
					    .nr_outputs = 1,
					    .arena_size = 128 };
	SECTION(TENSORS, tensors, sizeof(im->tensors));
	SECTION(OPS, op, sizeof(im->op));
	SECTION(OPERANDS, operands, 3 * sizeof(u32));
	SECTION(ATTRS, attr, sizeof(im->attr));
	SECTION(NAMES, names, sizeof(im->names));
	im->hdr.sec[ABI_SEC_WEIGHTS].off = sizeof(im->hdr);
	for (u32 i = 0; i < 2; i++)
		im->tensors[i] = (struct abi_prog_tensor){
			.kind = i ? ABI_TENSOR_OUTPUT : ABI_TENSOR_INPUT,
			.dtype = ABI_F32,
			.size = 4,
		};
	im->operands[2] = 1;
	im->op = (struct abi_prog_op){
		.code = ABI_OP_BINARY, .nr_in = 2, .nr_out = 1, .attr_size = sizeof(im->attr)
	};
	im->attr.kind = ABI_BINARY_ADD;
	im->hdr.content_hash = base_hash64(im->tensors, sizeof(*im) - sizeof(im->hdr), 0);
}

static struct npu_program *load(struct fixture *f)
{
	struct npu_program *prog = NULL;
	struct image im;

	build_image(&im);
	if (npu_program_load(f->ctx, &im, sizeof(im), &prog))
		fail_msg("load: %s", npu_last_error());
	return prog;
}

/* What the NPU would see. */
static const void *npu_view(u64 addr)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(fake.queues); i++) {
		if (!fake.queues[i])
			continue;
		for (struct drv_bo *bo = fake.queues[i]->ctx->bos; bo; bo = bo->next)
			if (addr >= bo->addr && addr - bo->addr < bo->size)
				return (const u8 *)bo->cpu + (addr - bo->addr);
	}
	return NULL;
}

static void program_is_laid_out(void **state)
{
	struct fixture *f = *state;
	struct npu_program *prog = load(f);
	struct abi_cmdbuf_header hdr;
	struct abi_cmd_inference cmd;
	struct abi_invocation inv;
	struct abi_range io[2];
	u64 addr = 0;

	assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, NULL), 0);
	addr = fake.queues[0]->last_cmd;
	assert_int_equal(addr % 64, 0);
	memcpy(&hdr, npu_view(addr), sizeof(hdr));
	assert_int_equal(hdr.cmd_buffer_size, 80);
	assert_int_equal(hdr.cmd_offset, 48);
	assert_int_equal(hdr.context_save_area_address % 64, 0);
	assert_non_null(npu_view(hdr.context_save_area_address));
	memcpy(&cmd, npu_view(addr + hdr.cmd_offset), sizeof(cmd));
	assert_int_equal(cmd.hdr.type, ABI_CMD_INFERENCE_EXECUTE);
	assert_int_equal(cmd.hdr.size, 32);
	assert_int_not_equal(cmd.inference_id, 0);
	assert_int_equal(cmd.host_mapped_inference_size, sizeof(inv) + sizeof(io));
	memcpy(&inv, npu_view(cmd.host_mapped_inference_address), sizeof(inv));
	assert_int_equal(inv.magic, ABI_INVOCATION_MAGIC);
	assert_int_equal(inv.nr_bindings, 2);
	assert_int_equal(inv.program.size, sizeof(struct image));
	assert_int_equal(inv.arena.size, 128);
	assert_int_equal(inv.arena.addr % 64, 0);
	memcpy(io, npu_view(cmd.host_mapped_inference_address + sizeof(inv)), sizeof(io));
	assert_ptr_equal(npu_view(io[0].addr), npu_program_input_data(prog, 0));
	assert_ptr_equal(npu_view(io[1].addr), npu_program_output_data(prog, 0));
	assert_int_equal(io[0].size, 4);
	assert_int_equal(io[1].size, 4);
}

static void inference_ids_differ(void **state)
{
	struct fixture *f = *state;
	u64 ids[2];

	for (u32 i = 0; i < 2; i++) {
		struct npu_program *prog = load(f);
		struct abi_cmd_inference cmd;

		assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, NULL), 0);
		memcpy(&cmd, npu_view(fake.queues[0]->last_cmd + 48), sizeof(cmd));
		ids[i] = cmd.inference_id;
		npu_program_destroy(prog);
	}
	assert_int_not_equal(ids[0], ids[1]);
}

/* A full queue: the run waits for room, and keeps what it reads meanwhile. */
static void run_in_a_full_queue(void **state)
{
	struct fixture *f = *state;
	struct npu_program *prog = load(f);
	struct npu_completion done[70];

	for (u64 cookie = 100; cookie < 200; cookie += 62) {
		assert_int_equal(submit(f, cookie, 62), 62);
		assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, NULL), 0);
	}
	assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, NULL), -EAGAIN);
	assert_non_null(strstr(npu_last_error(), "npu_queue_poll"));
	assert_int_equal(npu_queue_poll(f->queue, done, 70), 70);
	assert_int_equal(done[0].cookie, 100);
	assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, NULL), 0);
	assert_int_equal(npu_queue_wait(f->queue, done, 70, 0), 54);
	assert_int_equal(done[53].cookie, 223);
	assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, NULL), 0);
	assert_int_equal(npu_queue_wait(f->queue, done, 70, UINT64_MAX), -ENODATA);
}

static void late_runs_are_not_reported(void **state)
{
	struct fixture *f = *state;
	struct npu_program *prog = load(f);
	struct npu_completion done[8];

	fake.auto_complete = false;
	assert_int_equal(npu_program_run(prog, f->queue, 1000, NULL), -ETIMEDOUT);
	assert_int_equal(submit(f, 5, 1), 1);
	assert_int_equal(npu_queue_poll(f->queue, done, 8), 0);
	fake_complete(fake.queues[0], 1);
	assert_int_equal(npu_queue_poll(f->queue, done, 8), 0);
	fake_complete(fake.queues[0], 1);
	assert_int_equal(npu_queue_wait(f->queue, done, 8, 0), 1);
	assert_int_equal(done[0].cookie, 5);
	fake.auto_complete = true;
}

static void failed_jobs_say_why(void **state)
{
	struct fixture *f = *state;
	struct npu_program *prog = load(f);
	struct npu_completion done;

	fake.status = 1;
	assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, &done), -EIO);
	assert_int_equal(done.status, 1);
	assert_non_null(strstr(npu_last_error(), "PARSING_ERR"));
	fake.status = -ECANCELED;
	assert_int_equal(npu_program_run(prog, f->queue, UINT64_MAX, NULL), -EIO);
	assert_non_null(strstr(npu_last_error(), "ECANCELED"));
}

static void cookies_of_runs_are_reserved(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(submit(f, UINT64_C(0x4E505551FFFFFFFF), 3), 1);
	assert_int_equal(submit(f, UINT64_C(0x4E50555200000000), 1), -EINVAL);
	assert_int_equal(submit(f, UINT64_C(0x4E50555300000000), 1), 1);
}

static void other_files_are_refused(void **state)
{
	struct fixture *f = *state;
	struct npu_program *prog = NULL;
	struct image im;
	char text[sizeof(struct abi_prog_header)];

	build_image(&im);
	assert_int_equal(npu_program_load(f->ctx, &im, 0, &prog), -EINVAL);
	memset(text, 'a', sizeof(text));
	assert_int_equal(npu_program_load(f->ctx, text, sizeof(text), &prog), -EINVAL);
	assert_non_null(strstr(npu_last_error(), "is it a compiled model?"));
	im.hdr.nr_inputs = 5000;
	assert_int_equal(npu_program_load(f->ctx, &im, sizeof(im), &prog), -EINVAL);
	assert_null(prog);
}

static int whole_life(void)
{
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	struct npu_program *prog;
	struct image im;
	int ret = npu_device_open("sim:fake", &dev);

	if (ret)
		return ret;
	ret = npu_context_create(dev, &ctx);
	if (!ret) {
		build_image(&im);
		ret = npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue);
		if (!ret)
			ret = npu_program_load(ctx, &im, sizeof(im), &prog);
		if (!ret)
			ret = npu_program_run(prog, queue, UINT64_MAX, NULL);
		npu_context_destroy(ctx);
	}
	npu_device_close(dev);
	return ret;
}

static void allocations_fail(void **state)
{
	u32 failures = 0;
	int ret;

	(void)state;
	do {
		base_alloc_fail_nth(++failures);
		ret = whole_life();
		base_alloc_fail_nth(0);
		assert_true(ret == 0 || ret == -ENOMEM);
		if (ret)
			assert_non_null(strstr(npu_last_error(), "memory"));
		assert_int_equal(fake.nr_ctxs + fake.nr_bos + fake.nr_queues, 0);
	} while (ret);
	assert_true(failures > 15);
}

static void take_name(void *opaque, const char *device, const char *description)
{
	assert_string_equal(description, "made up");
	*(const char **)opaque = device;
}

static void devices_are_listed_and_found(void **state)
{
	struct npu_device *dev = NULL;
	const char *name = NULL;

	(void)state;
	npu_list(take_name, &name);
	assert_string_equal(name, "sim:fake");
	assert_int_equal(npu_device_open("simulated", &dev), -EINVAL);
	assert_non_null(strstr(npu_last_error(), "expected sim:fake or vfio-user:PATH"));
	assert_int_equal(npu_device_open("vfio-user:/x", &dev), -ECONNREFUSED);
	assert_null(dev);
	npu_device_close(NULL);
	npu_context_destroy(NULL);
	npu_buffer_destroy(NULL);
	npu_queue_destroy(NULL);
	npu_program_destroy(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(program_is_laid_out),
		T(inference_ids_differ),
		T(run_in_a_full_queue),
		T(late_runs_are_not_reported),
		T(failed_jobs_say_why),
		T(cookies_of_runs_are_reserved),
		T(other_files_are_refused),
		cmocka_unit_test(allocations_fail),
		cmocka_unit_test(devices_are_listed_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
