/* SPDX-License-Identifier: MIT */
/*
 * Memory that another process can be given, or was given by one: zeroed whole pages, behind a descriptor that is sealed,
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
/**
 * os_shmem_size() - of what somebody else gives: sealed against shrinking, whole pages
 * Return: 0, -EINVAL (not whole pages, or none), -EACCES (he could shrink it), -EOPNOTSUPP.
 */
int os_shmem_size(int fd, u64 *out) BASE_WARN_UNUSED;
/** os_shmem_import() - @size of it, mapped; @fd stays the caller's.  Return: 0, -EACCES (it cannot be
 * written), -ENOMEM, -EOPNOTSUPP. */
int os_shmem_import(int fd, u64 size, struct os_shmem *out) BASE_WARN_UNUSED;
/** os_shmem_close_fd() - nobody else is to have it; the memory stays. */
void os_shmem_close_fd(struct os_shmem *mem);
void os_shmem_destroy(struct os_shmem *mem);

#endif
