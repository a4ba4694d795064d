// SPDX-License-Identifier: MIT
/* The box itself: what the reference says of schemes (R 2), and that a wrong server is told so. */
#include "box_world.h"

static s64 answer(const struct world *w, u32 tag, s64 result)
{
	const struct redox_cqe cqe = { .tag = tag, .result = (u64)result };

	return rx_wr((s64)w->socket, &cqe, sizeof(cqe));
}

static int make_scheme(struct world *w)
{
	const struct redox_new_fd root = { .number = 1 };
	s64 cap = rx_path("/scheme/namespace/scheme-creation-cap", 0), fd, root_fd;

	STEP(cap >= 0);
	fd = redox_result(redox_dup_v1((size_t)cap, (const u8 *)"create-scheme", 13));
	STEP(fd >= 0);
	root_fd = redox_result(redox_dup_v1((size_t)fd, (const u8 *)&root, sizeof(root)));
	STEP(root_fd >= 0);
	STEP(!redox_register_scheme_to_ns_v0(redox_get_ns_v0(), (const u8 *)"t", 1,
					     (size_t)root_fd));
	STEP(redox_result(redox_register_scheme_to_ns_v0(redox_get_ns_v0(), (const u8 *)"t", 1,
							 (size_t)root_fd)) == -EEXIST);
	w->socket = (size_t)fd;
	return 0;
}

static int serve_all(void *arg)
{
	struct world *w = arg;
	struct redox_sqe sqe[8];
	int ret = make_scheme(w);
	s64 n;

	if (ret)
		return ret;
	atomic_store(&w->up, 1);
	while ((n = rx_rd((s64)w->socket, sqe, sizeof(sqe))) > 0) {
		for (u32 i = 0; i < (u64)n / sizeof(sqe[0]); i++) {
			const u32 at = atomic_load(&w->nr_seen);

			STEP(at < BASE_ARRAY_SIZE(w->seen));
			w->seen[at] = sqe[i];
			atomic_fetch_add(&w->nr_seen, 1);
			if (w->serve(w, &sqe[i]) < 0)
				return 0;
		}
	}
	return n == -EINTR ? 0 : __LINE__;
}

static void server_start(struct world *w, serve_fn *serve)
{
	const struct box_proc_config cfg = {
		.name = "server", .in_init_ns = true, .run = serve_all, .arg = w
	};

	world_open(w);
	w->serve = serve;
	assert_int_equal(box_spawn(w->box, &cfg, &w->server), 0);
	await(&w->up, 1);
}

static void server_stop(struct world *w, const char *complaint)
{
	box_signal(w->server);
	finish(w->server);
	world_close(w, complaint);
}

#define TEST_SCHEME(name, client, serve, complaint) \
	static void test_##name(void **state)       \
	{                                           \
		struct world w;                     \
                                                    \
		(void)state;                        \
		server_start(&w, serve);            \
		as_user(&w, client);                \
		server_stop(&w, complaint);         \
	}

/* Opens anything, answers the length. */
static int polite(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	answer(w, sqe->tag, sqe->opcode == REDOX_OP_OPENAT ? 7 : (s64)sqe->args[2]);
	return 0;
}

static int requests(void *arg)
{
	struct world *w = arg;
	const u64 ids = 1000 | (u64)box_self->cfg.gid << 32;
	s64 fd = rx_path("/scheme/t/some/path", REDOX_O_RDONLY), other;
	u8 buf[10] = { 1 };

	STEP(fd >= 0 && w->seen[0].opcode == REDOX_OP_OPENAT && w->seen[0].tag == 0);
	STEP(w->seen[0].args[0] == 1 && w->seen[0].args[2] == 9);
	STEP(w->seen[0].args[5] == ids && w->seen[0].caller == box_self->pid);
	STEP(rx_wr(fd, buf, sizeof(buf)) == sizeof(buf));
	STEP(w->seen[1].args[0] == 7 && w->seen[1].args[3] == UINT64_MAX);
	STEP(w->seen[1].tag == 0); /* again: it is free */
	STEP(rx_wr(fd, buf, 0) == 0 && w->seen[2].args[1] == REDOX_NO_BUFFER);
	STEP(!redox_fcntl_v0((size_t)fd, REDOX_F_SETFL, REDOX_O_NONBLOCK));
	STEP(rx_rd(fd, buf, sizeof(buf)) == sizeof(buf) && buf[0] == 0xa5);
	STEP(w->seen[3].args[4] == REDOX_O_NONBLOCK);
	STEP(!redox_sys_call_v0((size_t)fd, buf, sizeof(buf), 0, NULL, 0)); /* no payload */
	STEP(w->seen[4].opcode == REDOX_OP_CALL && !w->seen[4].args[2] && !w->seen[4].args[5]);
	/* a plain dup is another name for the same: the handle is closed with the last */
	other = redox_result(redox_dup_v1((size_t)fd, NULL, 0));
	STEP(other >= 0 && !redox_close_v1((size_t)fd));
	STEP(rx_wr(other, buf, 1) == 1 && w->seen[5].opcode == REDOX_OP_WRITE);
	STEP(!redox_close_v1((size_t)other));
	await(&w->nr_seen, 7);
	STEP(w->seen[6].opcode == REDOX_OP_CLOSE && w->seen[6].tag == 0 && w->seen[6].args[0] == 7);
	return 0;
}

/* What the kernel takes for an error, and what it makes of -EINTR that nobody asked for. */
static int odd_answers(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7);
	else
		answer(w, sqe->tag, sqe->args[2] == 1 ? -EINTR : 0x00000005ffffffea);
	return 0;
}

static int errors(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[2];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, 1) == -EIO && rx_rd(fd, buf, 2) == -EINVAL);
	return 0;
}

static int answer_twice(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	answer(w, sqe->tag, 7);
	return answer(w, sqe->tag, 7) == -EINVAL ? 0 : -1;
}

static int answer_a_close(struct world *w, const struct redox_sqe *sqe)
{
	answer(w, sqe->tag, 7);
	return 0;
}

static int answer_oddly(struct world *w, const struct redox_sqe *sqe)
{
	const struct redox_cqe cqe = { .flags = 3, .tag = sqe->tag };

	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	rx_wr((s64)w->socket, &cqe, sizeof(cqe));
	answer(w, sqe->tag, 7);
	return 0;
}

static int open_and_close(void *arg)
{
	struct world *w = arg;
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);

	STEP(fd >= 0 && !redox_close_v1((size_t)fd));
	await(&w->nr_seen, 2);
	return 0;
}

/* Lends w->memory, whatever that is. */
static int lender(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	if (sqe->opcode == REDOX_OP_MMAP_PREP)
		answer(w, sqe->tag, (s64)(uintptr_t)w->memory);
	else
		answer(w, sqe->tag, sqe->opcode == REDOX_OP_OPENAT ? 7 : 0);
	return 0;
}

static int lend_new_page(struct world *w, const struct redox_sqe *sqe)
{
	if (!w->memory)
		w->memory = (u8 *)(uintptr_t)rx_mmap(4096, REDOX_MAP_PRIVATE, -1, 0);
	return lender(w, sqe);
}

static int lend_page(struct world *w, const struct redox_sqe *sqe)
{
	if (!w->memory) {
		w->memory = (u8 *)(uintptr_t)rx_mmap(4096, REDOX_MAP_PRIVATE, -1, 0);
		w->memory[5] = 0x55;
	}
	return lender(w, sqe);
}

static int lend_middle(struct world *w, const struct redox_sqe *sqe)
{
	w->memory = (u8 *)(uintptr_t)0x12345010;
	return lender(w, sqe);
}

static int lend_nothing(struct world *w, const struct redox_sqe *sqe)
{
	w->memory = (u8 *)(uintptr_t)0x12345000;
	return lender(w, sqe);
}

static int map_lent(void *arg)
{
	struct world *w = arg;
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY), at;

	STEP(fd >= 0);
	at = rx_mmap(4096, REDOX_MAP_SHARED, fd, 0);
	STEP(at > 0 && (u8 *)(uintptr_t)at != w->memory);
	STEP(((u8 *)(uintptr_t)at)[5] == w->memory[5]);
	((u8 *)(uintptr_t)at)[6] = 0x66; /* the very same page */
	STEP(w->memory[6] == 0x66);
	/* a mapping keeps it open */
	STEP(!redox_close_v1((size_t)fd));
	STEP(atomic_load(&w->nr_seen) == 2 && !rx_munmap(at, 4096));
	await(&w->nr_seen, 4);
	STEP(w->seen[2].opcode == REDOX_OP_MUNMAP && w->seen[3].opcode == REDOX_OP_CLOSE);
	return 0;
}

static int map_what_is_not_lent(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);

	(void)arg;
	STEP(fd >= 0 && rx_mmap(4096, REDOX_MAP_SHARED, fd, 0) < 0);
	return 0;
}

static int subscribe_to_itself(struct world *w, const struct redox_sqe *sqe)
{
	const struct redox_new_fd mine = { .number = 5 };
	s64 queue = rx_path("/scheme/event", REDOX_O_RDWR);
	s64 fd = redox_result(redox_dup_v1(w->socket, (const u8 *)&mine, sizeof(mine)));

	if (!(sqe->flags & REDOX_SQE_ONEWAY))
		answer(w, sqe->tag,
		       put_event(queue, (size_t)fd, REDOX_EVENT_READ, 0) == -EDEADLK ? 7 : -EIO);
	redox_close_v1((size_t)queue);
	return 0;
}

static int open_only(void *arg)
{
	(void)arg;
	STEP(rx_path("/scheme/t/x", REDOX_O_RDONLY) >= 0);
	return 0;
}

static int map_what_maps(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);

	(void)arg;
	STEP(fd >= 0 && rx_mmap(4096, REDOX_MAP_SHARED, fd, 0) > 0);
	return 0;
}

/* Its descriptor, in a process that did not make the scheme. */
static int read_anothers(void *arg)
{
	struct world *w = arg;
	struct redox_sqe sqe;
	struct box_file *file;
	s64 fd;

	pthread_mutex_lock(&w->box->lock);
	file = box_fd(w->server, w->socket);
	file->refs++;
	fd = box_fd_add(box_self, file);
	pthread_mutex_unlock(&w->box->lock);
	STEP(rx_rd(fd, &sqe, sizeof(sqe)) == -EBADF);
	return 0;
}

TEST_SCHEME(requests, requests, polite, NULL)
TEST_SCHEME(errors, errors, odd_answers, NULL)
TEST_SCHEME(map_lent, map_lent, lend_page, NULL)
TEST_SCHEME(answers_twice, open_only, answer_twice, "an answer to tag 0, which nobody has")
TEST_SCHEME(answers_a_close, open_and_close, answer_a_close, "an answer to tag 0, which nobody has")
TEST_SCHEME(answers_oddly, open_only, answer_oddly, "an answer of kind 3")
TEST_SCHEME(lends_new_page, map_what_maps, lend_new_page, "lends a page that was never written")
TEST_SCHEME(lends_middle, map_what_is_not_lent, lend_middle, "lends from the middle of a page")
TEST_SCHEME(lends_nothing, map_what_is_not_lent, lend_nothing, "lends what it has not mapped")
TEST_SCHEME(waits_for_itself, open_only, subscribe_to_itself, "its server waits for itself")
TEST_SCHEME(read_anothers, read_anothers, polite, "read by another process than made it")

/*
 * Programs that wait, and go
 */

/* What a server does that wrote several answers at once: those behind one that is refused go on. */
static int answer_kept(struct world *w, u32 last)
{
	struct redox_cqe out[BASE_ARRAY_SIZE(w->kept) + 1];
	u32 nr = 0, done = 0, nr_refused = 0;

	for (; nr < w->nr_kept; nr++)
		out[nr] = (struct redox_cqe){ .tag = w->kept[nr].tag, .result = 3 };
	out[nr++] = (struct redox_cqe){ .tag = last, .result = 1 };
	while (done < nr) {
		const s64 n = rx_wr((s64)w->socket, &out[done], (nr - done) * sizeof(out[0]));

		nr_refused += n < 0;
		done += n < 0 ? 1 : (u32)((u64)n / sizeof(out[0]));
	}
	w->nr_kept = 0;
	return (int)nr_refused;
}

/* Reads wait until somebody writes, or they are given up. */
static int keeper(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7 + atomic_load(&w->nr_seen));
	if (sqe->opcode == REDOX_OP_READ)
		w->kept[w->nr_kept++] = *sqe;
	if (sqe->opcode == REDOX_OP_WRITE)
		return answer_kept(w, sqe->tag) == 1 ? 0 : -1; /* of the one that was killed */
	if (sqe->opcode == REDOX_OP_CANCEL)
		answer(w, sqe->tag, -REDOX_ECANCELED);
	return 0;
}

static int read_until_signal(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[4];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, sizeof(buf)) == -EINTR);
	return 0;
}

static void test_cancel(void **state)
{
	struct box_proc *reader;
	struct world w;

	(void)state;
	server_start(&w, keeper);
	reader = spawn(&w, 1000, read_until_signal);
	await(&w.nr_seen, 2);
	box_signal(reader);
	finish(reader);
	assert_int_equal(w.seen[2].opcode, REDOX_OP_CANCEL);
	assert_int_equal(w.seen[2].tag, w.seen[1].tag);
	server_stop(&w, NULL);
}

static int read_three(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[4];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, sizeof(buf)) == 3);
	return 0;
}

static int write_one(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDWR);

	(void)arg;
	STEP(fd >= 0 && rx_wr(fd, "x", 1) == 1);
	return 0;
}

/* One of three is killed: its answer is refused, alone, wherever it is among the others. */
static void test_killed(void **state)
{
	for (u32 victim = 0; victim < 3; victim++) {
		struct box_proc *readers[3];
		struct world w;

		(void)state;
		server_start(&w, keeper);
		for (u32 i = 0; i < 3; i++) {
			readers[i] = spawn(&w, 1000, read_three);
			await(&w.nr_seen, 2 * i + 2);
		}
		box_kill(readers[victim]);
		assert_int_equal(box_wait(readers[victim]), -EINTR);
		as_user(&w, write_one);
		for (u32 i = 0; i < 3; i++)
			if (i != victim)
				finish(readers[i]);
		server_stop(&w, NULL);
	}
}

static int give_up(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7);
	return sqe->opcode == REDOX_OP_READ ? -1 : 0;
}

static int read_for_ever(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[4];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, sizeof(buf)) == -EDEADLK);
	STEP(rx_wr(fd, buf, 1) == -ENODEV);
	STEP(rx_path("/scheme/t/x", REDOX_O_RDONLY) == -ENODEV);
	return 0;
}

static int stay(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7);
	return 0;
}

/* A server that was killed is no rule broken; but whoever waited, waits. */
static void test_server_killed(void **state)
{
	struct box_proc *reader;
	struct world w;

	(void)state;
	server_start(&w, stay);
	reader = spawn(&w, 1000, read_for_ever);
	await(&w.nr_seen, 2);
	box_kill(w.server);
	assert_int_equal(box_wait(w.server), -EINTR);
	no_patience(&w);
	finish(reader);
	world_close(&w, "client is blocked for ever");
}

/* One that ends and leaves somebody without an answer is. */
static void test_server_leaves(void **state)
{
	struct box_proc *reader;
	struct world w;

	(void)state;
	server_start(&w, give_up);
	reader = spawn(&w, 1000, read_for_ever);
	finish(w.server);
	no_patience(&w);
	finish(reader);
	world_close(&w, "closed, and client waits for an answer");
}

static int only_memory(void *arg)
{
	(void)arg;
	STEP(redox_result(redox_setrens_v1(1, 0)) == -EINVAL && !redox_setrens_v1(0, 0));
	STEP(rx_path("/scheme/event", REDOX_O_RDWR) == -ENODEV);
	STEP(rx_path("/scheme/t/x", REDOX_O_RDWR) == -ENODEV);
	STEP(rx_path("/scheme/memory/translation", REDOX_O_RDWR) >= 0);
	return 0;
}

TEST(only_memory, as_root, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(requests),	    T(errors),		 T(map_lent),	    T(answers_twice),
		T(answers_a_close), T(answers_oddly),	 T(lends_new_page), T(lends_middle),
		T(lends_nothing),   T(waits_for_itself), T(read_anothers),  T(cancel),
		T(killed),	    T(server_killed),	 T(server_leaves),  T(only_memory),
	};

	return cmocka_run_group_tests_name("box", tests, NULL, NULL);
}
