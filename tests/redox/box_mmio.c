// SPDX-License-Identifier: MIT
/*
 * Registers: their pages cannot be touched; who does, with one of the instructions of
 * os/redox/mmio.h, gets what the device answers.  Anything else is a crash, as it should be.
 */
#include "box_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

#define MAX_WINDOWS 32u

static struct window {
	_Atomic(u8 *) at;
	u64 len;
	struct vnpu *vnpu;
	u32 bar;
} windows[MAX_WINDOWS];

static const struct window *window_at(const u8 *addr)
{
	for (u32 i = 0; i < MAX_WINDOWS; i++) {
		const u8 *at = atomic_load(&windows[i].at);

		if (at && addr >= at && addr < at + windows[i].len)
			return &windows[i];
	}
	return NULL;
}

/* Opcode bytes, address in rdx, value in rax. */
static const struct form {
	u8 code[3];
	u8 len;
	u8 size;
	bool writes;
} forms[] = {
	{ { 0x8a, 0x02 }, 2, 1, false }, { { 0x66, 0x8b, 0x02 }, 3, 2, false },
	{ { 0x88, 0x02 }, 2, 1, true },	 { { 0x66, 0x89, 0x02 }, 3, 2, true },
	{ { 0x8b, 0x02 }, 2, 4, false }, { { 0x48, 0x8b, 0x02 }, 3, 8, false },
	{ { 0x89, 0x02 }, 2, 4, true },	 { { 0x48, 0x89, 0x02 }, 3, 8, true },
};

static bool emulate(const struct window *w, greg_t *regs)
{
	const u8 *code = (const u8 *)(uintptr_t)regs[REG_RIP];
	u64 off = (u64)regs[REG_RDX] - (u64)(uintptr_t)atomic_load(&w->at), val = 0;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];

		const u64 mask = BASE_MASK64(8 * f->size - 1, 0);

		if (memcmp(code, f->code, f->len) != 0)
			continue;
		if (f->writes) {
			val = (u64)regs[REG_RAX] & mask;
			(void)!vnpu_bar_write(w->vnpu, w->bar, off, f->size, val);
		} else {
			if (vnpu_bar_read(w->vnpu, w->bar, off, f->size, &val))
				val = UINT64_MAX;
			val &= mask;
			/* bytes and words leave the rest of the register as it is; the others clear it */
			regs[REG_RAX] = f->size < 4 ? (regs[REG_RAX] & (greg_t)~mask) | (greg_t)val
						    : (greg_t)val;
		}
		regs[REG_RIP] += f->len;
		return true;
	}
	return false;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	const struct window *w = window_at(info->si_addr);

	if (w && emulate(w, uc->uc_mcontext.gregs))
		return;
	signal(sig, SIG_DFL); /* again, for good */
}

int box_mmio_install(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigemptyset(&sa.sa_mask);
	return sigaction(SIGSEGV, &sa, NULL) ? -errno : 0;
}

void box_mmio_add(struct box *box, u32 bar, u8 *at, u64 len)
{
	for (u32 i = 0; i < MAX_WINDOWS; i++) {
		if (atomic_load(&windows[i].at))
			continue;
		windows[i].len = len;
		windows[i].vnpu = box->vnpu;
		windows[i].bar = bar;
		atomic_store(&windows[i].at, at);
		return;
	}
}

void box_mmio_del(u8 *at)
{
	for (u32 i = 0; i < MAX_WINDOWS; i++)
		if (atomic_load(&windows[i].at) == at)
			atomic_store(&windows[i].at, NULL);
}
