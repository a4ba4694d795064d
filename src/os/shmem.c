// SPDX-License-Identifier: MIT
#include "os/shmem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_file(u64 size)
{
	int fd = memfd_create("npu", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (!ftruncate(fd, (off_t)size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	close(fd);
	return -1;
}

int os_shmem_create(u64 size, struct os_shmem *out)
{
	int fd = size <= INT64_MAX ? make_file(size) : -1;
	void *cpu;

	if (fd < 0)
		return -ENOMEM;
	cpu = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cpu == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	*out = (struct os_shmem){ .cpu = cpu, .size = size, .fd = fd };
	return 0;
}

int os_shmem_size(int fd, u64 *out)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st))
		return -EACCES; /* a file of another kind cannot be sealed at all */
	if (st.st_size <= 0 || (u64)st.st_size % BASE_PAGE_SIZE)
		return -EINVAL;
	*out = (u64)st.st_size;
	return 0;
}

int os_shmem_import(int fd, u64 size, struct os_shmem *out)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	void *cpu;
	int ret;

	if (own < 0)
		return -ENOMEM;
	cpu = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
	if (cpu == MAP_FAILED) {
		ret = errno == ENOMEM ? -ENOMEM : -EACCES;
		close(own);
		return ret;
	}
	*out = (struct os_shmem){ .cpu = cpu, .size = size, .fd = own };
	return 0;
}

void os_shmem_close_fd(struct os_shmem *mem)
{
	if (mem->fd >= 0)
		close(mem->fd);
	mem->fd = -1;
}

void os_shmem_destroy(struct os_shmem *mem)
{
	os_shmem_close_fd(mem);
	munmap(mem->cpu, mem->size);
	*mem = (struct os_shmem){ .fd = -1 };
}
