// SPDX-License-Identifier: MIT
/* The socket in the file system, and the life of the thread behind it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfu/client.h"
#include "vfu/vfu.h"

static char dir[] = "/tmp/vfu-test-XXXXXX";
static char path[64];
static struct vfu_server *srv;
static struct base_err err;

static int listen_at(const char *where)
{
	const struct vfu_config cfg = { .name = "test", .device_id = 0x643e, .engine = "plain" };

	assert_int_equal(vfu_server_create(&cfg, &srv, &err), 0);
	return vfu_server_listen(srv, where, &err);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/vfu-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/npu.sock", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vfu_server_destroy(srv);
	srv = NULL;
	unlink(path);
	rmdir(dir);
	return 0;
}

static void test_for_its_owner_alone(void **state)
{
	struct vfu_client *cl;
	struct stat st;
	u64 size = 0;
	u32 id = 0;

	(void)state;
	assert_int_equal(listen_at(path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(vfu_client_open(path, &cl, &err), 0);
	assert_int_equal(vfu_client_region_size(cl, 0, &size), 0);
	assert_int_equal(size, 128 << 20);
	assert_int_equal(vfu_client_read(cl, VFU_REGION_CONFIG, 0, &id, 4), 0);
	assert_int_equal(id, 0x643e8086);
	vfu_server_destroy(srv); /* with the client there */
	srv = NULL;
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(vfu_client_read(cl, VFU_REGION_CONFIG, 0, &id, 4), -ENODEV);
	assert_int_equal(vfu_client_reset(cl), -ENODEV);
	vfu_client_close(cl);
	assert_int_equal(vfu_client_open(path, &cl, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
}

static void test_live_socket_stays(void **state)
{
	struct vfu_server *first;
	struct vfu_client *cl;

	(void)state;
	assert_int_equal(listen_at(path), 0);
	first = srv;
	assert_int_equal(listen_at(path), -EADDRINUSE);
	assert_non_null(strstr(err.text, "already"));
	vfu_server_destroy(srv);
	srv = first;
	assert_int_equal(vfu_client_open(path, &cl, &err), 0);
	vfu_client_close(cl);
}

static void test_dead_socket_goes(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct vfu_client *cl;

	(void)state;
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	assert_int_equal(listen_at(path), 0);
	assert_int_equal(vfu_client_open(path, &cl, &err), 0);
	vfu_client_close(cl);
}

static void test_file_stays(void **state)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(listen_at(path), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
}

static void test_directory_of_others(void **state)
{
	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(listen_at(path), -EACCES);
	assert_non_null(strstr(err.text, "0700"));
	vfu_server_destroy(srv);
	assert_int_equal(chmod(dir, 01777), 0); /* as /tmp */
	assert_int_equal(listen_at(path), 0);
}

static void test_directory_is_made(void **state)
{
	char sub[80], sock[96];
	struct stat st;

	(void)state;
	snprintf(sub, sizeof(sub), "%s/new", dir);
	snprintf(sock, sizeof(sock), "%s/s", sub);
	assert_int_equal(listen_at(sock), 0);
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	vfu_server_destroy(srv);
	srv = NULL;
	rmdir(sub);
}

static void test_paths(void **state)
{
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(listen_at(""), -EINVAL);
	vfu_server_destroy(srv);
	assert_int_equal(listen_at(longest), -EINVAL);
	vfu_server_destroy(srv);
	assert_int_equal(listen_at("/nowhere/at/all"), -ENOENT);
}

/* Another's file in the place of ours is not removed. */
static void test_only_our_own_is_removed(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(listen_at(path), 0);
	assert_int_equal(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	vfu_server_destroy(srv);
	srv = NULL;
	assert_int_equal(access(path, F_OK), 0);
}

static void test_bad_devices(void **state)
{
	struct vfu_config cfg = { .name = "test", .device_id = 0x1234 };

	(void)state;
	assert_int_equal(vfu_server_create(&cfg, &srv, &err), -EINVAL);
	assert_non_null(strstr(err.text, "8086:1234"));
	cfg.device_id = 0x7d1d;
	cfg.engine = "steam";
	assert_int_equal(vfu_server_create(&cfg, &srv, &err), -EINVAL);
	assert_null(srv);
}

/* Each allocation of each of them fails once; nothing stays behind (sanitizers look). */
static void test_no_memory(void **state)
{
	const struct vfu_config cfg = { .name = "test", .device_id = 0x7d1d, .engine = "plain" };
	struct vfu_server *one = NULL;
	int ret = -ENOMEM;

	(void)state;
	for (u64 n = 1; ret == -ENOMEM; n++) {
		assert_true(n < 100);
		base_alloc_fail_nth(n);
		ret = vfu_server_create(&cfg, &one, &err);
	}
	base_alloc_fail_nth(0);
	assert_int_equal(ret, 0);
	vfu_server_destroy(one);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_for_its_owner_alone),
		T(test_live_socket_stays),
		T(test_dead_socket_goes),
		T(test_file_stays),
		T(test_directory_of_others),
		T(test_directory_is_made),
		T(test_paths),
		T(test_only_our_own_is_removed),
		T(test_bad_devices),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
