// SPDX-License-Identifier: MIT
/* Interrupts by eventfd (irq.h). */
#include "vfu/irq.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_SIGNALS 32 /* on their way at once; those that are done make room when it is needed */

/*
 * Signalling
 *
 * A write to an eventfd with a full counter blocks, and the flag that would forbid it belongs to
 * the client as much as to us: it may clear it again, or want to wait itself.  What never blocks is
 * the kernel's own signal at the end of an asynchronous operation, so we end one that does nothing.
 */
static struct {
	pthread_once_t once;
	aio_context_t context; /* 0: this kernel, or whoever confines us, has none */
	int null_fd;
} aio = { .once = PTHREAD_ONCE_INIT };

/* For good: ending a context waits for the kernel, longer than many a client stays. */
static void aio_open(void)
{
	aio.null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (aio.null_fd >= 0 && syscall(SYS_io_setup, NR_SIGNALS, &aio.context))
		aio.context = 0;
}

static bool aio_signal(int fd)
{
	struct io_event done[NR_SIGNALS];
	struct iocb op = { .aio_lio_opcode = IOCB_CMD_PWRITE,
			   .aio_fildes = (u32)aio.null_fd,
			   .aio_flags = IOCB_FLAG_RESFD,
			   .aio_resfd = (u32)fd };
	struct iocb *ops[] = { &op };

	if (syscall(SYS_io_submit, aio.context, 1, ops) == 1)
		return true;
	if (errno != EAGAIN)
		return false;
	(void)syscall(SYS_io_getevents, aio.context, 0, NR_SIGNALS, done, NULL);
	return syscall(SYS_io_submit, aio.context, 1, ops) == 1;
}

int vfu_irq_init(struct vfu_irq *irq, bool msi, bool msix)
{
	memset(irq, 0, sizeof(*irq));
	irq->count[VFU_IRQ_MSI] = msi ? VFU_NR_VECTORS : 0;
	irq->count[VFU_IRQ_MSIX] = msix ? VFU_NR_VECTORS : 0;
	irq->count[VFU_IRQ_ERR] = 1; /* QEMU warns of a device without; nothing ever happens */
	for (u32 i = 0; i < VFU_NR_IRQS; i++)
		irq->fd[i] = -1;
	return -pthread_mutex_init(&irq->lock, NULL);
}

static void replace(struct vfu_irq *irq, u32 index, int fd)
{
	int old;

	pthread_mutex_lock(&irq->lock);
	old = irq->fd[index];
	irq->fd[index] = fd;
	pthread_mutex_unlock(&irq->lock);
	if (old >= 0)
		close(old);
}

void vfu_irq_clear(struct vfu_irq *irq)
{
	for (u32 i = 0; i < VFU_NR_IRQS; i++)
		replace(irq, i, -1);
}

void vfu_irq_fini(struct vfu_irq *irq)
{
	vfu_irq_clear(irq);
	pthread_mutex_destroy(&irq->lock);
}

/* An eventfd cannot lose anything but a count that nobody reads. */
static void signal_fd(struct vfu_irq *irq, u32 index)
{
	const u64 one = 1;
	int fd = irq->fd[index];
	bool sent = false;

	if (fd >= 0)
		sent = aio.context ? aio_signal(fd)
				   : write(fd, &one, sizeof(one)) == (ssize_t)sizeof(one);
	irq->sent += sent;
	irq->dropped += !sent;
}

void vfu_irq_fire(struct vfu_irq *irq)
{
	pthread_mutex_lock(&irq->lock);
	signal_fd(irq, irq->fd[VFU_IRQ_MSIX] >= 0 ? VFU_IRQ_MSIX : VFU_IRQ_MSI);
	pthread_mutex_unlock(&irq->lock);
}

/* Anything but an eventfd could block, or be a way to have us write into a file. */
static int check_eventfd(int fd)
{
	char path[32], target[32];
	ssize_t len;
	int flags;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -EINVAL;
	target[len] = '\0';
	if (strcmp(target, "anon_inode:[eventfd]") != 0)
		return -EINVAL;
	pthread_once(&aio.once, aio_open);
	if (aio.context)
		return 0;
	flags = fcntl(fd, F_GETFL); /* the best there is then */
	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK)))
		return -EINVAL;
	return 0;
}

static int set_eventfd(struct vfu_irq *irq, const struct vfu_irq_set *req, struct vfu_msg *msg)
{
	if (msg->nr_fds > 1 || req->count > VFU_NR_VECTORS)
		return -EINVAL;
	if (!req->count)
		return msg->nr_fds ? -EINVAL : 0;
	if (!msg->nr_fds) {
		replace(irq, req->index, -1);
		return 0;
	}
	if (check_eventfd(msg->fds[0]))
		return -EINVAL;
	replace(irq, req->index, msg->fds[0]);
	msg->fds[0] = -1;
	return 0;
}

/* The client triggers: all of the range, or where the array says so. */
static int trigger(struct vfu_irq *irq, const struct vfu_irq_set *req, const u8 *flags,
		   u32 flags_len)
{
	bool by_array = req->flags & VFU_SET_DATA_BOOL;

	if (by_array && flags_len < req->count)
		return -EINVAL;
	if (!req->count) {
		replace(irq, req->index, -1); /* "disable all" */
		return 0;
	}
	if (by_array && !flags[0])
		return 0;
	pthread_mutex_lock(&irq->lock);
	signal_fd(irq, req->index);
	pthread_mutex_unlock(&irq->lock);
	return 0;
}

static bool one_bit(u32 val)
{
	return val && !(val & (val - 1));
}

int vfu_irq_set(struct vfu_irq *irq, const struct vfu_irq_set *req, const u8 *flags, u32 flags_len,
		struct vfu_msg *msg)
{
	if (!one_bit(req->flags & VFU_SET_DATA_MASK) ||
	    !one_bit(req->flags & VFU_SET_ACTION_MASK) ||
	    req->flags & ~(u32)(VFU_SET_DATA_MASK | VFU_SET_ACTION_MASK))
		return -EINVAL;
	if (req->index >= VFU_NR_IRQS ||
	    !base_range_ok(req->start, req->count, irq->count[req->index]))
		return -EINVAL;
	if (!(req->flags & VFU_SET_TRIGGER))
		return -EINVAL; /* nothing here can be masked, and says so in its information */
	if (req->flags & VFU_SET_DATA_EVENTFD)
		return set_eventfd(irq, req, msg);
	return msg->nr_fds ? -EINVAL : trigger(irq, req, flags, flags_len);
}
