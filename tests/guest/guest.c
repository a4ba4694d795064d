// SPDX-License-Identifier: MIT
/*
 * The device, buffers and the line to the host.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NODE	  "/dev/accel/accel0"
#define HOST_LINE "/dev/ttyS1"

int guest_ioctl(int fd, unsigned long nr, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, nr, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

int guest_param(struct guest *g, uint32_t param, uint32_t index, uint64_t *value)
{
	struct ivpu_param p = { .param = param, .index = index };
	int ret = guest_ioctl(g->fd, IVPU_GET_PARAM, &p);

	if (!ret)
		*value = p.value;
	return ret;
}

uint64_t guest_must_param(struct guest *g, uint32_t param, uint32_t index)
{
	uint64_t value = 0;

	assert_int_equal(guest_param(g, param, index, &value), 0);
	return value;
}

int guest_open(struct guest *g)
{
	uint64_t id;
	int ret;

	g->fd = open(NODE, O_RDWR | O_CLOEXEC);
	if (g->fd < 0)
		return -errno;
	ret = guest_param(g, IVPU_PARAM_DEVICE_ID, 0, &id);
	if (ret)
		goto err_close;
	g->device_id = (uint16_t)id;
	g->gen = reg_gen_by_pci(REG_PCI_VENDOR_INTEL, g->device_id, NULL);
	if (!g->gen) {
		ret = -ENODEV;
		goto err_close;
	}
	return 0;

err_close:
	close(g->fd);
	g->fd = -1;
	return ret;
}

void guest_must_open(struct guest *g)
{
	assert_int_equal(guest_open(g), 0);
}

void guest_close(struct guest *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

bool guest_is_7x(struct guest *g)
{
	uint64_t value;

	return guest_param(g, IVPU_PARAM_PREEMPT_BUFFER_SIZE, 0, &value) == 0;
}

bool guest_has_cmdq(struct guest *g)
{
	uint64_t value;

	return guest_param(g, IVPU_PARAM_CAPABILITIES, IVPU_CAP_MANAGE_CMDQ, &value) == 0 && value;
}

int guest_bo_create(struct guest *g, uint64_t size, uint32_t flags, struct guest_bo *bo)
{
	struct ivpu_bo_create create = { .size = size, .flags = flags };
	struct ivpu_bo_info info = { 0 };
	int ret = guest_ioctl(g->fd, IVPU_BO_CREATE, &create);
	void *cpu;

	if (ret)
		return ret;
	info.handle = create.handle;
	ret = guest_ioctl(g->fd, IVPU_BO_INFO, &info);
	if (ret)
		goto err_gem_close;
	cpu = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd,
		   (off_t)info.mmap_offset);
	if (cpu == MAP_FAILED) {
		ret = -errno;
		goto err_gem_close;
	}
	*bo = (struct guest_bo){ create.handle, create.vpu_addr, info.size, cpu };
	return 0;

err_gem_close:
	guest_ioctl(g->fd, DRM_GEM_CLOSE, &(struct drm_gem_close){ .handle = create.handle });
	return ret;
}

void guest_must_bo(struct guest *g, uint64_t size, uint32_t flags, struct guest_bo *bo)
{
	assert_int_equal(guest_bo_create(g, size, flags, bo), 0);
}

void guest_bo_destroy(struct guest *g, struct guest_bo *bo)
{
	munmap(bo->cpu, bo->size);
	assert_int_equal(
		guest_ioctl(g->fd, DRM_GEM_CLOSE, &(struct drm_gem_close){ .handle = bo->handle }),
		0);
	memset(bo, 0, sizeof(*bo));
}

int64_t guest_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void guest_sleep_ms(int ms)
{
	struct timespec pause = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&pause, &pause) && errno == EINTR)
		;
}

/* One line there, one line back.  Opened once: a serial line forgets what nobody reads. */
static int host_line(void)
{
	static int fd = -1;
	struct termios t;

	if (fd >= 0)
		return fd;
	fd = open(HOST_LINE, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &t))
		return -errno;
	cfmakeraw(&t);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 100; /* an answer takes no 10 s */
	return tcsetattr(fd, TCSANOW, &t) ? -errno : fd;
}

int guest_host(const char *fmt, ...)
{
	char line[128], answer[128] = "";
	int fd = host_line();
	size_t len, got = 0;
	va_list args;

	if (fd < 0)
		return fd;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	len = strlen(line);
	line[len++] = '\n';
	if (write(fd, line, len) != (ssize_t)len)
		return -EIO;
	while (got < sizeof(answer) - 1 && read(fd, answer + got, 1) == 1) {
		if (answer[got++] == '\n')
			break;
	}
	if (!strncmp(answer, "ok", 2))
		return 0;
	fprintf(stderr, "host: %s\n", answer);
	return -EIO;
}

static int64_t read_number(const char *path)
{
	long long value;
	FILE *f = fopen(path, "r");
	int nr;

	if (!f)
		return -errno;
	nr = fscanf(f, "%lld", &value);
	fclose(f);
	return nr == 1 ? value : -EPROTO;
}

int64_t guest_counter(const char *name)
{
	static const char *const dirs[] = { "/sys/kernel/debug/accel/*",
					    "/sys/class/accel/accel0/device" };
	char pattern[128];
	int64_t value = -ENOENT;
	glob_t found;

	for (unsigned int i = 0; i < 2 && value == -ENOENT; i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s", dirs[i], name);
		if (glob(pattern, 0, NULL, &found))
			continue;
		value = read_number(found.gl_pathv[0]);
		globfree(&found);
	}
	return value;
}
