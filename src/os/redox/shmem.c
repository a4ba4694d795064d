// SPDX-License-Identifier: MIT
/* os/shmem.h on Redox: there is no descriptor to give away, the pages themselves are lent. */
#include "os/shmem.h"

#include <errno.h>

#include "os/redox/sys.h"

int os_shmem_create(u64 size, struct os_shmem *out)
{
	volatile u8 *cpu;
	void *at;

	if (rx_map(NULL, size, REDOX_PROT_READ | REDOX_PROT_WRITE, REDOX_MAP_PRIVATE, REDOX_NO_FD,
		   0, &at))
		return -ENOMEM;
	cpu = at;
	/* a page that was never written is the one page of zeros: not to be lent */
	for (u64 off = 0; off < size; off += BASE_PAGE_SIZE)
		cpu[off] = 0;
	*out = (struct os_shmem){ .cpu = at, .size = size, .fd = -1 };
	return 0;
}

int os_shmem_size(int fd, u64 *out)
{
	(void)fd;
	(void)out;
	return -EOPNOTSUPP;
}

void os_shmem_close_fd(struct os_shmem *mem)
{
	(void)mem;
}

void os_shmem_destroy(struct os_shmem *mem)
{
	redox_munmap_v1(mem->cpu, mem->size);
	*mem = (struct os_shmem){ .fd = -1 };
}
