/* SPDX-License-Identifier: MIT */
/*
 * Memory that another process can be given: zeroed whole pages, behind a descriptor that is sealed,
 * so that whoever gets it cannot take pages away under our feet (SIGBUS).
 */
#ifndef OS_SHMEM_H
#define OS_SHMEM_H

#include "base/base.h"

struct os_shmem {
	void *cpu; /* mapped here, readable and writable */
	u64 size;  /* bytes, multiple of the page size */
	int fd;	   /* for others to map from 0; -1 where pages are lent without one */
};

/** os_shmem_create() - @size a multiple of the page size, not 0.  Return: 0 or -ENOMEM. */
int os_shmem_create(u64 size, struct os_shmem *out) BASE_WARN_UNUSED;
/** os_shmem_close_fd() - nobody else is to have it; the memory stays. */
void os_shmem_close_fd(struct os_shmem *mem);
void os_shmem_destroy(struct os_shmem *mem);

#endif
