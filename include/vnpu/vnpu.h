/* SPDX-License-Identifier: MIT */
/*
 * vnpu: a virtual Intel NPU to embed.
 *
 * The model is a PCI function: configuration space, BAR0 (IP registers), BAR4 (buttress), one MSI
 * vector, and DMA into the memory the embedder maps.  It answers as the device and as the firmware
 * that runs on it.
 *
 * Threads: every function may be called from any thread; the model has one internal lock.  In
 * stepped mode nothing happens by itself: time is virtual and moves in vnpu_run_until(), in the
 * caller's thread, and the same calls with the same seed give the same register trace.  In
 * threaded mode the device runs on its own threads in real time.
 */
#ifndef VNPU_VNPU_H
#define VNPU_VNPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vnpu;

enum vnpu_mode { VNPU_STEPPED, VNPU_THREADED };

enum vnpu_class {		    /* of findings: what the model noticed beside doing its work */
		  VNPU_GUEST_ERROR, /* the driver did something the protocol forbids */
		  VNPU_UNSPECIFIED, /* outside what public sources specify */
		  VNPU_UNIMPLEMENTED, /* specified, but not modelled */
		  VNPU_MODEL_BUG,     /* the model broke its own rule */
		  VNPU_NR_CLASSES,
};

struct vnpu_finding {
	enum vnpu_class cls;
	const char *where; /* "BAR0+0x20200", "JSM REGISTER_DB", "MMU" */
	const char *text;  /* one sentence */
	uint64_t time_ns;
};

struct vnpu_config {
	const char *gen;    /* "npu37" */
	uint16_t device_id; /* 0: the generation's first */
	uint8_t revision;   /* 0: the usual one */
	enum vnpu_mode mode;
	uint64_t seed;		 /* of everything that may vary: response delays */
	const char *engine;	 /* "plain", "onednn", or NULL: onednn where it can be loaded */
	unsigned engine_threads; /* 0: 1 */
	bool engine_strict; /* a primitive with only a reference implementation fails the job */

	void *opaque; /* first argument of the callbacks */
	/* The MSI fired.  Called with the model's lock held: note it and return. */
	void (*msi)(void *opaque, unsigned vector);
	/* A finding was made; same rule.  May be NULL: findings are still counted and kept. */
	void (*finding)(void *opaque, const struct vnpu_finding *finding);
	/* Every register access, message and interrupt, as one line of text (docs/trace.md); same
	 * rule.  NULL: no trace, which is several times faster. */
	void (*trace)(void *opaque, uint64_t time_ns, const char *line);
};

/**
 * vnpu_create() - a powered-off device, PCI registers at reset values
 * @why: text of an error, may be NULL
 * Return: 0, -EINVAL (unknown generation, id or engine; @why names it), -ENOENT (engine library
 * not loadable), -ENOMEM.
 */
int vnpu_create(const struct vnpu_config *cfg, struct vnpu **out, char *why, size_t why_size);
/** vnpu_destroy() - stop all threads, free everything.  NULL is allowed. */
void vnpu_destroy(struct vnpu *vnpu);

/* PCI.  @size 1, 2 or 4 (configuration space), 1, 2, 4 or 8 (BARs), @off naturally aligned.
 * 0 or -EINVAL. */
int vnpu_cfg_read(struct vnpu *vnpu, uint32_t off, uint32_t size, uint32_t *val);
int vnpu_cfg_write(struct vnpu *vnpu, uint32_t off, uint32_t size, uint32_t val);
/** vnpu_bar_size() - bytes; 0 for a BAR that is not there. */
uint64_t vnpu_bar_size(const struct vnpu *vnpu, unsigned bar);
int vnpu_bar_read(struct vnpu *vnpu, unsigned bar, uint64_t off, uint32_t size, uint64_t *val);
int vnpu_bar_write(struct vnpu *vnpu, unsigned bar, uint64_t off, uint32_t size, uint64_t val);
/** vnpu_bar_read32(), vnpu_bar_write32() - the same, shorter: 4 bytes; what cannot be is all-ones,
 * or ignored. */
uint32_t vnpu_bar_read32(struct vnpu *vnpu, unsigned bar, uint64_t off);
void vnpu_bar_write32(struct vnpu *vnpu, unsigned bar, uint64_t off, uint32_t val);
/** vnpu_reset() - function-level reset; DMA mappings stay. */
void vnpu_reset(struct vnpu *vnpu);

/**
 * vnpu_dma_map() - let the device reach [@addr, @addr + @len) of bus memory at @host
 * Page aligned.  Return: 0, -EINVAL (alignment, overflow), -EEXIST (overlaps), -ENOMEM.
 */
int vnpu_dma_map(struct vnpu *vnpu, uint64_t addr, uint64_t len, void *host, bool writable);
/* Memory the embedder cannot give an address of.  Called with the model's lock held, from any of
 * its threads, with at most 4096 bytes of one page; may block, must not call the model.  0 or a
 * negative errno. */
struct vnpu_remote {
	void *opaque;
	int (*read)(void *opaque, uint64_t addr, void *buf, uint32_t len);
	int (*write)(void *opaque, uint64_t addr, const void *buf, uint32_t len);
};

/** vnpu_dma_map_remote() - vnpu_dma_map() of memory that is reached through @remote, copied.
 * Correct, and slow: each look of the device is a call. */
int vnpu_dma_map_remote(struct vnpu *vnpu, uint64_t addr, uint64_t len,
			const struct vnpu_remote *remote, bool writable);
/** vnpu_dma_unmap() - exactly a mapped range; returns once the device no longer touches it.
 * Return: 0 or -ENOENT. */
int vnpu_dma_unmap(struct vnpu *vnpu, uint64_t addr, uint64_t len);

/* Time.  Stepped: the virtual clock; threaded: CLOCK_MONOTONIC. */
uint64_t vnpu_now_ns(struct vnpu *vnpu);
/** vnpu_next_event_ns() - when a stepped device has something to do; UINT64_MAX if never. */
uint64_t vnpu_next_event_ns(struct vnpu *vnpu);
/** vnpu_run_until() - stepped: do all that is due up to @time_ns, clock ends there. */
void vnpu_run_until(struct vnpu *vnpu, uint64_t time_ns);
/** vnpu_step() - stepped: the next thing that is due up to @time_ns, if any; else the clock goes
 * there (UINT64_MAX: stays).  Return: whether something was done. */
bool vnpu_step(struct vnpu *vnpu, uint64_t time_ns);

/* What happened. */
uint64_t vnpu_trace_hash(struct vnpu *vnpu); /* over all register accesses so far */
uint64_t vnpu_nr_findings(struct vnpu *vnpu, enum vnpu_class cls);
/** vnpu_finding_text() - the @i-th kept finding (the first 256 are kept); false past the last.
 * Strings live as long as the device. */
bool vnpu_finding_text(struct vnpu *vnpu, unsigned i, struct vnpu_finding *out);

struct vnpu_stats {
	uint64_t reg_reads, reg_writes, msis, ipc_rx, ipc_tx, doorbells, jobs, inferences;
};
void vnpu_get_stats(struct vnpu *vnpu, struct vnpu_stats *out);

/** vnpu_trace_head(), vnpu_trace_write() - first line and lines of a trace file (docs/trace.md).
 * Errors stay in ferror(). */
void vnpu_trace_head(FILE *to, const struct vnpu *vnpu);
void vnpu_trace_write(FILE *to, uint64_t time_ns, const char *line);
/** vnpu_trace_mark() - a record "mark @name" in the trace, if there is one: what follows is @name */
void vnpu_trace_mark(struct vnpu *vnpu, const char *name);

/**
 * vnpu_fault() - make the next @count occasions go wrong
 * @name: "pll-never-locks", "fw-never-ready", "irq-lost", "wrong-answer", "mmu-fault", ... ;
 *        vnpu_fault_name(i) lists them.
 * Return: 0 or -EINVAL (unknown name).
 */
int vnpu_fault(struct vnpu *vnpu, const char *name, unsigned count);
/** vnpu_fault_at() - only the @nth occasion from now (1 = the next) goes wrong; 0 or -EINVAL. */
int vnpu_fault_at(struct vnpu *vnpu, const char *name, unsigned nth);
/** vnpu_fault_left() - how many occasions will still go wrong: 0 once the fault has struck. */
unsigned vnpu_fault_left(struct vnpu *vnpu, const char *name);
/** vnpu_fault_name() - the @i-th fault's name, NULL past the last. */
const char *vnpu_fault_name(unsigned i);

#ifdef __cplusplus
}
#endif

#endif
