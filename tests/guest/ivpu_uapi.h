/* SPDX-License-Identifier: MIT */
/*
 * The user API of Linux's intel_vpu, as far as the guest tests use it: written from its description
 * in P section 12, offsets and numbers asserted.  The kernel's own header is not needed to build.
 */
#ifndef TESTS_GUEST_IVPU_UAPI_H
#define TESTS_GUEST_IVPU_UAPI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define UAPI_SIZE(name, size) static_assert(sizeof(struct name) == (size), #name)
#define UAPI_OFF(name, member, off) \
	static_assert(offsetof(struct name, member) == (off), #name "." #member)

/* GET_PARAM; SRC: P 12.3 */
enum ivpu_param_id {
	IVPU_PARAM_DEVICE_ID,
	IVPU_PARAM_DEVICE_REVISION,
	IVPU_PARAM_PLATFORM_TYPE,
	IVPU_PARAM_CORE_CLOCK_RATE,
	IVPU_PARAM_NUM_CONTEXTS,
	IVPU_PARAM_CONTEXT_BASE_ADDRESS,
	IVPU_PARAM_CONTEXT_PRIORITY,
	IVPU_PARAM_CONTEXT_ID,
	IVPU_PARAM_FW_API_VERSION,
	IVPU_PARAM_ENGINE_HEARTBEAT,
	IVPU_PARAM_UNIQUE_INFERENCE_ID,
	IVPU_PARAM_TILE_CONFIG,
	IVPU_PARAM_SKU,
	IVPU_PARAM_CAPABILITIES,
	IVPU_PARAM_PREEMPT_BUFFER_SIZE,
};

enum ivpu_capability {
	IVPU_CAP_METRIC_STREAMER = 1,
	IVPU_CAP_DMA_MEMORY_RANGE,
	IVPU_CAP_MANAGE_CMDQ,
	IVPU_CAP_BO_FROM_USERPTR,
};

struct ivpu_param {
	uint32_t param;
	uint32_t index;
	uint64_t value;
};

UAPI_SIZE(ivpu_param, 16);
UAPI_OFF(ivpu_param, value, 8);

/* flags of a buffer; SRC: P 12.4 */
#define IVPU_BO_CACHED	  0x0u
#define IVPU_BO_SHAVE	  0x1u
#define IVPU_BO_MAPPABLE  0x2u
#define IVPU_BO_DMA	  0x4u
#define IVPU_BO_READ_ONLY 0x8u /* 7.x */
#define IVPU_BO_UNCACHED  0x10000u
#define IVPU_BO_WC	  0x20000u

struct ivpu_bo_create {
	uint64_t size;
	uint32_t flags;
	uint32_t handle;
	uint64_t vpu_addr;
};

UAPI_SIZE(ivpu_bo_create, 24);
UAPI_OFF(ivpu_bo_create, flags, 8);
UAPI_OFF(ivpu_bo_create, handle, 12);
UAPI_OFF(ivpu_bo_create, vpu_addr, 16);

struct ivpu_bo_info {
	uint32_t handle;
	uint32_t flags;
	uint64_t vpu_addr;
	uint64_t mmap_offset;
	uint64_t size;
};

UAPI_SIZE(ivpu_bo_info, 32);
UAPI_OFF(ivpu_bo_info, vpu_addr, 8);
UAPI_OFF(ivpu_bo_info, mmap_offset, 16);
UAPI_OFF(ivpu_bo_info, size, 24);

#define IVPU_JOB_ABORTED    256u /* job_status of a job the kernel cancelled */
#define IVPU_PRIORITY_MAX   4u	 /* 0 default, 1 idle, 2 normal, 3 focus, 4 realtime */
#define IVPU_QUEUE_DEPTH    62u
#define IVPU_BO_MAX_HANDLES 65535u

struct ivpu_submit {
	uint64_t buffers_ptr;
	uint32_t buffer_count;
	uint32_t engine;
	uint32_t flags;
	uint32_t commands_offset;
	uint32_t priority;
	uint32_t pad;
};

UAPI_SIZE(ivpu_submit, 32);
UAPI_OFF(ivpu_submit, buffer_count, 8);
UAPI_OFF(ivpu_submit, engine, 12);
UAPI_OFF(ivpu_submit, commands_offset, 20);
UAPI_OFF(ivpu_submit, priority, 24);

struct ivpu_bo_wait {
	uint32_t handle;
	uint32_t flags;
	int64_t timeout_ns; /* absolute, CLOCK_MONOTONIC */
	uint32_t job_status;
	uint32_t pad;
};

UAPI_SIZE(ivpu_bo_wait, 24);
UAPI_OFF(ivpu_bo_wait, timeout_ns, 8);
UAPI_OFF(ivpu_bo_wait, job_status, 16);

struct ivpu_ms_start {
	uint64_t mask;
	uint64_t sampling_period_ns;
	uint32_t read_period_samples;
	uint32_t sample_size;
	uint32_t max_data_size;
	uint32_t pad;
};

UAPI_SIZE(ivpu_ms_start, 32);
UAPI_OFF(ivpu_ms_start, read_period_samples, 16);
UAPI_OFF(ivpu_ms_start, sample_size, 20);
UAPI_OFF(ivpu_ms_start, max_data_size, 24);

struct ivpu_ms_data { /* GET_DATA and GET_INFO */
	uint64_t mask;
	uint64_t buffer_ptr;
	uint64_t buffer_size; /* 0 asks for the size */
	uint64_t data_size;
};

UAPI_SIZE(ivpu_ms_data, 32);
UAPI_OFF(ivpu_ms_data, data_size, 24);

struct ivpu_ms_stop {
	uint64_t mask;
};

#define IVPU_CMDQ_TURBO 0x1u

struct ivpu_cmdq_create {
	uint32_t cmdq_id;
	uint32_t priority;
	uint32_t flags;
};

UAPI_SIZE(ivpu_cmdq_create, 12);

struct ivpu_cmdq_destroy {
	uint32_t cmdq_id;
};

struct ivpu_cmdq_submit {
	uint64_t buffers_ptr;
	uint32_t buffer_count;
	uint32_t cmdq_id;
	uint32_t flags;
	uint32_t commands_offset;
	uint32_t preempt_buffer_index;
	uint32_t reserved;
};

UAPI_SIZE(ivpu_cmdq_submit, 32);
UAPI_OFF(ivpu_cmdq_submit, cmdq_id, 12);
UAPI_OFF(ivpu_cmdq_submit, commands_offset, 20);
UAPI_OFF(ivpu_cmdq_submit, preempt_buffer_index, 24);

struct ivpu_bo_userptr {
	uint64_t user_ptr;
	uint64_t size;
	uint32_t flags;
	uint32_t handle;
	uint64_t vpu_addr;
};

UAPI_SIZE(ivpu_bo_userptr, 32);
UAPI_OFF(ivpu_bo_userptr, flags, 16);
UAPI_OFF(ivpu_bo_userptr, handle, 20);
UAPI_OFF(ivpu_bo_userptr, vpu_addr, 24);

/* what every DRM driver has */
struct drm_version {
	int version_major, version_minor, version_patchlevel;
	size_t name_len;
	char *name;
	size_t date_len;
	char *date;
	size_t desc_len;
	char *desc;
};

struct drm_gem_close {
	uint32_t handle;
	uint32_t pad;
};

struct drm_prime {
	uint32_t handle;
	uint32_t flags;
	int32_t fd;
};

UAPI_SIZE(drm_version, 64);
UAPI_SIZE(drm_prime, 12);

/* SRC: P 12.1; each number is asserted, so that a wrong struct cannot go unnoticed */
#define DRM_VERSION	     _IOWR('d', 0x00, struct drm_version)
#define DRM_GEM_CLOSE	     _IOW('d', 0x09, struct drm_gem_close)
#define DRM_HANDLE_TO_FD     _IOWR('d', 0x2d, struct drm_prime)
#define DRM_FD_TO_HANDLE     _IOWR('d', 0x2e, struct drm_prime)
#define IVPU_GET_PARAM	     _IOWR('d', 0x40, struct ivpu_param)
#define IVPU_SET_PARAM	     _IOW('d', 0x41, struct ivpu_param)
#define IVPU_BO_CREATE	     _IOWR('d', 0x42, struct ivpu_bo_create)
#define IVPU_BO_INFO	     _IOWR('d', 0x43, struct ivpu_bo_info)
#define IVPU_UNUSED_44	     _IOWR('d', 0x44, struct ivpu_bo_info)
#define IVPU_SUBMIT	     _IOW('d', 0x45, struct ivpu_submit)
#define IVPU_BO_WAIT	     _IOWR('d', 0x46, struct ivpu_bo_wait)
#define IVPU_MS_START	     _IOWR('d', 0x47, struct ivpu_ms_start)
#define IVPU_MS_STOP	     _IOW('d', 0x48, struct ivpu_ms_stop)
#define IVPU_MS_GET_DATA     _IOWR('d', 0x49, struct ivpu_ms_data)
#define IVPU_MS_GET_INFO     _IOWR('d', 0x4a, struct ivpu_ms_data)
#define IVPU_CMDQ_CREATE     _IOWR('d', 0x4b, struct ivpu_cmdq_create)
#define IVPU_CMDQ_DESTROY    _IOW('d', 0x4c, struct ivpu_cmdq_destroy)
#define IVPU_CMDQ_SUBMIT     _IOW('d', 0x4d, struct ivpu_cmdq_submit)
#define IVPU_BO_FROM_USERPTR _IOWR('d', 0x4e, struct ivpu_bo_userptr)

static_assert(DRM_VERSION == 0xC0406400, "VERSION");
static_assert(DRM_GEM_CLOSE == 0x40086409, "GEM_CLOSE");
static_assert(DRM_HANDLE_TO_FD == 0xC00C642D, "PRIME_HANDLE_TO_FD");
static_assert(DRM_FD_TO_HANDLE == 0xC00C642E, "PRIME_FD_TO_HANDLE");
static_assert(IVPU_GET_PARAM == 0xC0106440, "GET_PARAM");
static_assert(IVPU_SET_PARAM == 0x40106441, "SET_PARAM");
static_assert(IVPU_BO_CREATE == 0xC0186442, "BO_CREATE");
static_assert(IVPU_BO_INFO == 0xC0206443, "BO_INFO");
static_assert(IVPU_SUBMIT == 0x40206445, "SUBMIT");
static_assert(IVPU_BO_WAIT == 0xC0186446, "BO_WAIT");
static_assert(IVPU_MS_START == 0xC0206447, "METRIC_STREAMER_START");
static_assert(IVPU_MS_STOP == 0x40086448, "METRIC_STREAMER_STOP");
static_assert(IVPU_MS_GET_DATA == 0xC0206449, "METRIC_STREAMER_GET_DATA");
static_assert(IVPU_MS_GET_INFO == 0xC020644A, "METRIC_STREAMER_GET_INFO");
static_assert(IVPU_CMDQ_CREATE == 0xC00C644B, "CMDQ_CREATE");
static_assert(IVPU_CMDQ_DESTROY == 0x4004644C, "CMDQ_DESTROY");
static_assert(IVPU_CMDQ_SUBMIT == 0x4020644D, "CMDQ_SUBMIT");
static_assert(IVPU_BO_FROM_USERPTR == 0xC020644E, "BO_CREATE_FROM_USERPTR");

#endif
