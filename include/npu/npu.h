/* SPDX-License-Identifier: MIT */
/*
 * libnpu: programs that use an NPU.
 *
 *   npu_device_open("sim:npu37") -> npu_context_create -> npu_buffer_create, npu_queue_create
 *     -> npu_queue_submit -> npu_queue_wait
 * or, for compiled models:
 *   npu_program_load -> npu_program_run
 *
 * Threads: any function may be called from any thread at any time, except that an object must not
 * be destroyed while another thread uses it, that npu_program_run() on one program must not run
 * in two threads at once, and that completions of one queue are taken by one thread at a time.
 * Errors: 0 or a negative errno; npu_last_error() has the sentence.
 */
#ifndef NPU_NPU_H
#define NPU_NPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npu_device;
struct npu_context;
struct npu_buffer;
struct npu_queue;
struct npu_program;

/** npu_last_error() - what went wrong in this thread's last failed call; never NULL. */
const char *npu_last_error(void);

/**
 * npu_device_open() - open and boot a device
 * @device: "sim:GEN[,pci=ID][,engine=plain|onednn][,threads=N][,stepped][,seed=N][,strict]
 *          [,trace=FILE]": a virtual NPU in this process, GEN npu37, npu40, npu50, npu60 or ref;
 *          "vfio-user:PATH": one behind the socket of a vnpu; "npud:PATH[/N]": the Nth, from 0, that
 *          the npud at this socket serves, on Redox "/scheme/npu[/N]"; later also vfio:BDF.
 *          NULL: $NPU_DEVICE, else a running npud (/run/npud/socket), else "sim:npu37".
 *
 * Return: 0, -EINVAL (bad string), -ENOENT (no such device or firmware), -ENODEV, -EIO,
 * -ETIMEDOUT, -ENOMEM.
 */
int npu_device_open(const char *device, struct npu_device **out);

struct npu_boot_step {
	const char *sequence, *step, *source;
	uint64_t duration_ns;
	int result;
};
struct npu_open_options {
	const char *firmware; /* path of an image; NULL = search */
	void (*on_boot_step)(void *opaque, const struct npu_boot_step *step); /* may be NULL */
	/* On a failed boot: each register, decoded.  May be NULL. */
	void (*on_register)(void *opaque, const char *line);
	void *opaque;
	/*
	 * Where the driver puts a dump of everything when it has to recover: a file each, readable
	 * by the owner, at most 16 of a device.  NULL = nowhere.
	 */
	const char *dump_dir;
	bool stay_awake; /* not to be suspended when it is idle */
	/*
	 * What went wrong, and the dump's file (NULL: there is none, and @why says so if it was
	 * wanted).  Until npu_device_close(), in whichever thread uses the device; no function of
	 * this library may be called from it.  May be NULL.
	 */
	void (*on_dump)(void *opaque, const char *why, const char *path);
};
int npu_device_open_with(const char *device, const struct npu_open_options *options,
			 struct npu_device **out);

/** npu_device_close() - orderly shutdown.  Contexts must be destroyed before.  NULL is allowed. */
void npu_device_close(struct npu_device *dev);

struct npu_device_info {
	char gen[16], product[48], location[64];
	char fw_path[256], fw_version[256];
	uint16_t vendor_id, device_id;
	uint8_t revision;
	bool is_virtual;
	bool flat; /* no MMU: a job's cmd is an invocation, and it reaches its three ranges only */
	uint32_t fw_api[16];
	uint32_t freq_max_mhz;
	uint64_t va_start, va_end;
	uint64_t boot_ns, device_create_ns;
	uint32_t max_contexts, max_queue_depth, max_context_jobs;
	uint64_t max_context_memory; /* quota, bytes */
	uint64_t jobs_done, jobs_failed, irqs, mmu_faults;
	uint64_t time_ns, busy_ns; /* the device's clock; time with a job under way */
	uint32_t freq_mhz;	   /* now; 0 = no power, or not known */
	uint64_t findings;	   /* protocol findings of a virtual NPU */
};
int npu_device_query(struct npu_device *dev, struct npu_device_info *out);

/**
 * npu_device_read_text() - a text node of the handle tree, NUL-terminated into @buf, cut to @size
 * @node: "info", "status", "metrics", "clients": one "key: value" a line; for the privileged "log"
 *        (the firmware's), "log?errors", "trace" (the driver's last steps), "dump" (everything)
 *
 * Return: length, or -ENOENT, -EACCES.
 */
int npu_device_read_text(struct npu_device *dev, const char *node, char *buf, size_t size);

/*
 * An open text node: one that goes on ("log", "stream?period_us=N&samples=N&groups=MASK": samples of
 * the firmware's counters), that has to ask the firmware ("counters"), or that takes commands
 * ("control").
 */
struct npu_node;
int npu_node_open(struct npu_device *dev, const char *node, struct npu_node **out);
/** npu_node_read() - bytes, 0 when nothing new came within @timeout_ns; not terminated. */
int npu_node_read(struct npu_node *node, char *buf, size_t size, uint64_t timeout_ns);
/** npu_node_write() - one command: "reset", "suspend", "resume" begin that, "status" tells how it
 * goes; "loglevel 0..3" of the driver's messages on standard error, "fwlevel 0..5" of the firmware's
 * log.  0 or an error. */
int npu_node_write(struct npu_node *node, const char *command);
void npu_node_close(struct npu_node *node);

/** npu_list() - device strings that can be opened here, one call each, with a description. */
void npu_list(void (*item)(void *opaque, const char *device, const char *description),
	      void *opaque);

/* A context is one address space.  -EBUSY: none left. */
int npu_context_create(struct npu_device *dev, struct npu_context **out);
/** npu_context_destroy() - waits for its jobs, then frees all it owns, buffers, queues and programs
 * included (their pointers die with it).  NULL is allowed. */
void npu_context_destroy(struct npu_context *ctx);

enum npu_buffer_flags {
	NPU_BUFFER_WB = 0,
	NPU_BUFFER_WC = 1 << 0,
	NPU_BUFFER_RO = 1 << 1,	   /* read-only for the NPU */
	NPU_BUFFER_SHAVE = 1 << 2, /* upper address range */
	NPU_BUFFER_DMA = 1 << 3,   /* dma address range: for large buffers */
};

/**
 * npu_buffer_create() - zeroed memory shared by CPU and NPU
 * @size: bytes, rounded up to 4096; @align: of the NPU address, power of two, 0 = 4096
 * Return: 0, -EINVAL, -ENOMEM (memory or quota), -ENOSPC (address range).
 */
int npu_buffer_create(struct npu_context *ctx, uint64_t size, uint64_t align, uint32_t flags,
		      struct npu_buffer **out);
/**
 * npu_buffer_import() - a buffer of memory there is, with what is in it
 * @fd: a memfd of whole pages, sealed against shrinking (F_SEAL_SHRINK); stays the caller's, who may
 *      close it; all of it becomes the buffer.  @align, @flags: as for npu_buffer_create()
 * Return: as npu_buffer_create(), -EBADF, -EACCES (not such a descriptor), -EOPNOTSUPP (Redox).
 */
int npu_buffer_import(struct npu_context *ctx, int fd, uint64_t align, uint32_t flags,
		      struct npu_buffer **out);
/** npu_buffer_destroy() - no job may use it any more.  NULL is allowed. */
void npu_buffer_destroy(struct npu_buffer *buf);
void *npu_buffer_map(struct npu_buffer *buf);		   /* CPU address, valid until destroy */
uint64_t npu_buffer_address(const struct npu_buffer *buf); /* NPU address in the context */
uint64_t npu_buffer_size(const struct npu_buffer *buf);

enum npu_priority { NPU_PRIO_IDLE, NPU_PRIO_NORMAL, NPU_PRIO_FOCUS, NPU_PRIO_REALTIME };

/* 64 bytes, as the service takes it (src/abi/job.h). */
struct npu_job {
	uint64_t cmd_addr; /* command buffer: NPU address, multiple of 64 */
	uint32_t cmd_size;
	uint32_t flags; /* NPU_JOB_* */
	uint64_t input_addr;
	uint32_t input_size, pad0;
	uint64_t output_addr;
	uint32_t output_size, pad1;
	uint64_t cookie;
	uint32_t reserved, status;
};
#define NPU_JOB_INFERENCE 0x1u
#define NPU_JOB_SYNC	  0x2u

struct npu_completion {
	uint64_t cookie;
	int32_t status; /* 0, negative errno, or the firmware's positive job status */
	uint32_t reserved;
	uint64_t start_ns, end_ns;
};

int npu_queue_create(struct npu_context *ctx, enum npu_priority prio, struct npu_queue **out);
/** npu_queue_destroy() - waits for pending jobs.  NULL is allowed. */
void npu_queue_destroy(struct npu_queue *queue);
/** npu_queue_submit() - returns jobs taken (may be fewer than @nr), -EAGAIN when full, -EINVAL for
 * the first bad descriptor (none after it is taken), -ENODEV, -ECANCELED.  A queue is full when 62
 * jobs were submitted and their completions not taken, or 256 of its context are pending.
 * Cookies from 0x4E50555200000000 to 0x4E505552FFFFFFFF are npu_program_run()'s: -EINVAL. */
int npu_queue_submit(struct npu_queue *queue, const struct npu_job *jobs, unsigned nr);
/** npu_queue_poll() - completions taken without blocking: 0 .. @max. */
int npu_queue_poll(struct npu_queue *queue, struct npu_completion *out, unsigned max);
/** npu_queue_wait() - blocks for at least one; count, -ETIMEDOUT, -ENODEV, or -ENODATA when
 * nothing is pending.  @timeout_ns relative; UINT64_MAX = for ever. */
int npu_queue_wait(struct npu_queue *queue, struct npu_completion *out, unsigned max,
		   uint64_t timeout_ns);

/* Compiled models (include/npu/graph.h writes them). */
struct npu_tensor_info {
	const char *name; /* lives as long as the program */
	uint32_t dtype;	  /* ONNX TensorProto.DataType */
	uint32_t rank;
	uint32_t dims[8];
	uint64_t size; /* bytes */
};

/**
 * npu_program_load() - copy a program to the NPU and allocate its arena, inputs and outputs
 * Return: 0, -EINVAL (not a valid program), -ENOMEM, -ENOSPC.
 */
int npu_program_load(struct npu_context *ctx, const void *image, size_t size,
		     struct npu_program **out);
void npu_program_destroy(struct npu_program *prog);
unsigned npu_program_nr_inputs(const struct npu_program *prog);
unsigned npu_program_nr_outputs(const struct npu_program *prog);
int npu_program_input(const struct npu_program *prog, unsigned i, struct npu_tensor_info *out);
int npu_program_output(const struct npu_program *prog, unsigned i, struct npu_tensor_info *out);
/** npu_program_input_data() - where input @i's bytes go / output @i's bytes are; NULL past the
 * last.  Shared with the NPU: fill before run, read after. */
void *npu_program_input_data(struct npu_program *prog, unsigned i);
const void *npu_program_output_data(struct npu_program *prog, unsigned i);
/** npu_program_run() - one inference on @queue, blocking.  0, -EIO (job status in the error text),
 * -ETIMEDOUT (it goes on, but its end is not reported), -EAGAIN (the queue is full of other jobs),
 * -ENODEV.  Completions of other jobs it meets stay for npu_queue_poll().  @done may be NULL. */
int npu_program_run(struct npu_program *prog, struct npu_queue *queue, uint64_t timeout_ns,
		    struct npu_completion *done);

/*
 * Raw access, for programs that are trusted with the whole device.  sim: and vfio-user: devices are
 * this process's own and always give it; npud gives it to root where it was started with --dma on,
 * --mmio ro or --mmio rw.  Objects must be gone before the device is closed.
 */
struct npu_dma;
struct npu_window;

/**
 * npu_dma_alloc() - zeroed memory in one piece for the device
 * @size: bytes, 1 to 512 MiB, rounded up to 4096; @align: of the device address, a power of two,
 *        0 and what is below 4096 count as 4096
 *
 * On Redox there is no piece above 4 MiB, and sizes use up the next power of two.
 * Return: 0, -EINVAL, -ENOMEM (memory, quota, no such piece), -EACCES, -ENOENT or -ENODEV (off).
 */
int npu_dma_alloc(struct npu_device *dev, uint64_t size, uint64_t align, struct npu_dma **out);
/** npu_dma_free() - the device must not use it any more.  NULL is allowed. */
void npu_dma_free(struct npu_dma *dma);
void *npu_dma_map(struct npu_dma *dma);		     /* CPU address, valid until it is freed */
uint64_t npu_dma_address(const struct npu_dma *dma); /* device address: physical, or on its bus */
uint64_t npu_dma_size(const struct npu_dma *dma);    /* bytes, rounded up */

/**
 * npu_window_open() - registers of a device that the driver runs
 * @addr, @size: on the bus, inside one BAR; the node N/regions lists the BARs
 * Return: 0, -EINVAL, -EACCES (not there, or not root), -ENOENT or -ENODEV (off), -ENOMEM.
 */
int npu_window_open(struct npu_device *dev, uint64_t addr, uint64_t size, struct npu_window **out);
void npu_window_close(struct npu_window *window); /* NULL is allowed */
/**
 * npu_window_read(), npu_window_write() - one access of @bytes 1, 2, 4 or 8 at a multiple of it; wakes
 * a device that sleeps, and waits for it
 * Return: 0, -EINVAL (past the window, not aligned), -EACCES (a write, and windows are read-only),
 * -EBUSY (the device was told to sleep), -ENODEV.
 */
int npu_window_read(struct npu_window *window, uint64_t off, uint32_t bytes, uint64_t *val);
int npu_window_write(struct npu_window *window, uint64_t off, uint32_t bytes, uint64_t val);

#ifdef __cplusplus
}
#endif

#endif
