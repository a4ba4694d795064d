/* SPDX-License-Identifier: MIT */
/*
 * The in-process virtual NPU as a seam.
 *
 * Stepped: no thread of its own; time is the model's virtual clock and moves in wait() and
 * delay_ns() only, in the caller's thread.  Threaded: real time, the device runs beside the caller.
 */
#ifndef OS_INPROC_H
#define OS_INPROC_H

#include "driver/os.h"

struct vnpu;

enum os_inproc_class { /* of protocol findings; the same order as enum vnpu_class */
		       OS_INPROC_GUEST_ERROR,
		       OS_INPROC_UNSPECIFIED,
		       OS_INPROC_UNIMPLEMENTED,
		       OS_INPROC_MODEL_BUG,
		       OS_INPROC_NR_CLASSES,
};

struct os_inproc_config {
	const char *gen;    /* "npu37" */
	u16 device_id;	    /* 0: the generation's first */
	u8 revision;	    /* 0: the usual one */
	bool stepped;	    /* false: threaded */
	u64 seed;	    /* of response delays */
	const char *engine; /* "plain", "onednn"; NULL: the best that can be loaded */
	u32 engine_threads; /* 0: 1 */
	bool engine_strict; /* a primitive with only a reference implementation fails its job */
	bool scatter;	    /* give buffers in several pieces for the device */
	const char *trace;  /* file for the trace of docs/trace.md; NULL: none */
	/* Called with the model's lock held, maybe from its thread: note it and return. May be NULL. */
	void (*finding)(void *opaque, enum os_inproc_class cls, const char *where,
			const char *text);
	void *opaque;
};

/**
 * os_inproc_create() - a powered-off virtual NPU behind the seam
 * Return: 0, -EINVAL (unknown generation, id, engine), -ENOENT (engine library), -ENOMEM; @err
 * says why.
 */
int os_inproc_create(const struct os_inproc_config *cfg, struct os_device **out,
		     struct base_err *err) BASE_WARN_UNUSED;
/** os_inproc_destroy() - the driver must be gone.  NULL is allowed. */
void os_inproc_destroy(struct os_device *os);

/** os_inproc_vnpu() - the model, for tests and benchmarks (include/vnpu/vnpu.h). */
struct vnpu *os_inproc_vnpu(struct os_device *os);
bool os_inproc_is_stepped(const struct os_device *os);

/* What the model saw. */
u64 os_inproc_nr_findings(struct os_device *os, enum os_inproc_class cls);
/** os_inproc_finding() - "class: where: text" of the @i-th kept finding; false past the last. */
bool os_inproc_finding(struct os_device *os, u32 i, char *buf, size_t size);
u64 os_inproc_trace_hash(struct os_device *os);
/** os_inproc_fault() - next @count occasions of fault @name go wrong; -EINVAL: no such fault. */
int os_inproc_fault(struct os_device *os, const char *name, u32 count) BASE_WARN_UNUSED;
/** os_inproc_fault_at() - only the @nth occasion from now does; os_inproc_fault_left(): 0 once it did */
int os_inproc_fault_at(struct os_device *os, const char *name, u32 nth) BASE_WARN_UNUSED;
u32 os_inproc_fault_left(struct os_device *os, const char *name);
/** os_inproc_mark() - a record "mark @name" in the trace, if one is written */
void os_inproc_mark(struct os_device *os, const char *name);
/** os_inproc_fault_name() - the @i-th fault's name, NULL past the last. */
const char *os_inproc_fault_name(u32 i);

/** os_inproc_live_dma() - DMA allocations not freed; 0 after drv_destroy(). */
u64 os_inproc_live_dma(const struct os_device *os);

#endif
