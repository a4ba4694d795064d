/* SPDX-License-Identifier: MIT */
/*
 * What the guest's test programs share: the device, buffers, command buffers, submission, and a
 * line to the host.  Functions return 0 or a negative errno; guest_must_*() fail the test instead.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ivpu_uapi.h"
#include "regs/gen.h"

#define GUEST_PAGE    4096u
#define GUEST_WAIT_MS 20000 /* far more than any job here needs, even emulated */

struct guest { /* one open file: one context of the device */
	int fd;
	const struct reg_gen *gen;
	uint16_t device_id;
};

struct guest_bo {
	uint32_t handle;
	uint64_t addr;
	uint64_t size;
	uint8_t *cpu;
};

/* A command buffer in one BO: save area at 0, header at 64, descriptors from the BO's end down. */
struct guest_list {
	struct guest_bo bo;
	uint32_t size;	   /* header and commands so far */
	uint32_t desc_off; /* lowest descriptor so far */
};

#define GUEST_LIST_OFF	64u
#define GUEST_LIST_SIZE 8192u

/** guest_ioctl() - 0 or a negative errno; restarts what a signal interrupted */
int guest_ioctl(int fd, unsigned long nr, void *arg);
int guest_open(struct guest *g);
void guest_must_open(struct guest *g);
void guest_close(struct guest *g);
int guest_param(struct guest *g, uint32_t param, uint32_t index, uint64_t *value);
uint64_t guest_must_param(struct guest *g, uint32_t param, uint32_t index);
/** guest_has_cmdq() - explicit command queues: a 7.x kernel in hardware scheduling */
bool guest_has_cmdq(struct guest *g);
/** guest_is_7x() - the newer of the two API levels; told by a parameter only it has */
bool guest_is_7x(struct guest *g);

int guest_bo_create(struct guest *g, uint64_t size, uint32_t flags, struct guest_bo *bo);
void guest_must_bo(struct guest *g, uint64_t size, uint32_t flags, struct guest_bo *bo);
void guest_bo_destroy(struct guest *g, struct guest_bo *bo);

void guest_list_create(struct guest *g, struct guest_list *list);
void guest_list_destroy(struct guest *g, struct guest_list *list);
void guest_list_restart(struct guest_list *list);
void guest_list_add(struct guest_list *list, const void *cmd, uint32_t size);
void guest_list_nop(struct guest_list *list);
void guest_list_barrier(struct guest_list *list);
void guest_list_fence(struct guest_list *list, uint16_t type, uint64_t addr, uint64_t value);
void guest_list_timestamp(struct guest *g, struct guest_list *list, uint64_t addr);
void guest_list_fill(struct guest_list *list, uint64_t addr, uint64_t size, uint32_t pattern);
void guest_list_copy(struct guest *g, struct guest_list *list, uint64_t dst, uint64_t src,
		     uint32_t size);

/** guest_submit() - the list and up to 7 more buffers, ended by NULL, by the legacy ioctl */
int guest_submit(struct guest *g, struct guest_list *list, uint32_t priority, ...);
/** guest_queue_submit() - the list and one more buffer (or NULL) to an explicit queue */
int guest_queue_submit(struct guest *g, uint32_t queue, struct guest_list *list,
		       const struct guest_bo *bo);
int guest_wait(struct guest *g, uint32_t handle, int64_t ms, uint32_t *status);
/** guest_must_finish() - the list's job ends with @status in time */
void guest_must_finish(struct guest *g, struct guest_list *list, uint32_t status);
/** guest_must_work() - a copy and a fence, submitted, waited for and checked */
void guest_must_work(struct guest *g);

int64_t guest_now_ms(void);
void guest_sleep_ms(int ms);
/** guest_host() - ask the runner on the host something, see tests/guest/host.py; 0 or -EIO */
int guest_host(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** guest_counter() - a number from the device's debugfs or sysfs file @name, or a negative errno */
int64_t guest_counter(const char *name);

/* The groups; each returns the number of failed tests. */
int guest_group_params(void);
int guest_group_buffers(void);
int guest_group_jobs(void);
int guest_group_queues(void);
int guest_group_metrics(void);
int guest_group_hostile(void);
int guest_group_infer(void);
int guest_group_load(void);
int guest_group_recovery(void);
int guest_group_reset(void);
int guest_group_mmu(void);
int guest_group_dead(void);
int guest_group_irq(void);
int guest_group_session(void);

#endif
