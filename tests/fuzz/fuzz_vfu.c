// SPDX-License-Identifier: MIT
/*
 * A vfio-user peer that says anything, with any descriptors.
 *
 * First byte: bit 0 the fuzzer is the server and our client listens; bit 1 no VERSION is sent for
 * it.  Then chunks: u8 descriptors, u8 flags, u16 length, bytes.  Descriptors: low nibble their
 * kind, high nibble how many.  Flags: bit 0 the chunk is one message, its size field is made right.
 *
 * All is written before the other side reads, so there is one thread and no time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vfu/client.h"
#include "vfu/vfu.h"
#include "vnpu/vnpu.h"

#define MEM_BYTES 0x10000
#define CHUNK_MAX (3u * VFU_MAX_MSG)

enum { FROM_SERVER = 1, NO_VERSION = 2, FIX_SIZE = 1 };
enum { FD_NONE, FD_MEM, FD_EVENT, FD_PIPE, FD_SOCKET, FD_READ_ONLY, FD_DEVICE, NR_FDS };

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct vfu_server *srv;
static int kinds[NR_FDS];

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void no_log(void *opaque, enum base_log_level level, const char *text)
{
	(void)opaque, (void)level, (void)text;
}

static void open_kinds(void)
{
	int pipes[2], sockets[2];
	char path[32];

	must(!pipe2(pipes, O_CLOEXEC | O_NONBLOCK) &&
	     !socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets));
	kinds[FD_NONE] = -1;
	kinds[FD_MEM] = memfd_create("fuzz", MFD_CLOEXEC);
	must(!ftruncate(kinds[FD_MEM], MEM_BYTES));
	kinds[FD_EVENT] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	kinds[FD_PIPE] = pipes[1];
	kinds[FD_SOCKET] = sockets[0];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", kinds[FD_MEM]);
	kinds[FD_READ_ONLY] = open(path, O_RDONLY | O_CLOEXEC);
	kinds[FD_DEVICE] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	for (u32 i = 1; i < NR_FDS; i++)
		must(kinds[i] >= 0);
}

static void setup(void)
{
	static const struct vfu_config cfg = { .name = "fuzz",
					       .device_id = 0x7d1d,
					       .engine = "plain",
					       .stepped = true,
					       .log = { .level = BASE_LOG_DBG, .sink = no_log } };
	struct base_err err;

	if (srv)
		return;
	open_kinds();
	must(!vfu_server_create(&cfg, &srv, &err));
}

static void send_version(int fd)
{
	static const char caps[] = "{\"capabilities\":{\"write_multiple\":true}}";
	u8 msg[sizeof(struct vfu_hdr) + sizeof(struct vfu_version) + sizeof(caps)] = { 0 };
	const struct vfu_hdr hdr = { .cmd = VFU_VERSION, .size = sizeof(msg) };

	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr) + sizeof(struct vfu_version), caps, sizeof(caps));
	must(!vfu_wire_send(fd, msg, sizeof(msg), NULL, 0));
}

/* One chunk; false: the socket is full, which is as good as the end. */
static bool send_chunk(int fd, const u8 head[4], const u8 *data, u32 len)
{
	u32 kind = (head[0] & 15) % NR_FDS, nr = kind ? (u32)(head[0] >> 4) % 9 : 0;
	int fds[8];
	u8 msg[CHUNK_MAX];

	for (u32 i = 0; i < 8; i++)
		fds[i] = kinds[kind];
	memcpy(msg, data, len);
	if (head[1] & FIX_SIZE && len >= sizeof(struct vfu_hdr))
		memcpy(msg + offsetof(struct vfu_hdr, size), &len, sizeof(len));
	return !len || !vfu_wire_send(fd, msg, len, fds, nr);
}

static void send_all(int fd, const u8 *data, size_t size)
{
	while (size >= 4) {
		u32 len = data[2] | (u32)data[3] << 8;
		const u8 *head = data;

		data += 4;
		size -= 4;
		len = base_min(len, CHUNK_MAX);
		len = base_min(len, (u32)size);
		if (!send_chunk(fd, head, data, len))
			break;
		data += len;
		size -= len;
	}
}

/* Every call once, whatever the answers are. */
static void use_client(struct vfu_client *cl)
{
	u8 data[64];
	u64 size;
	u32 count;
	int rets[] = {
		vfu_client_region_size(cl, 0, &size),
		vfu_client_irq_count(cl, VFU_IRQ_MSI, &count),
		vfu_client_read(cl, VFU_REGION_CONFIG, 0, data, sizeof(data)),
		vfu_client_dma_map(cl, 0, MEM_BYTES, kinds[FD_MEM], 0),
		vfu_client_write(cl, 4, 0, data, 4, true),
		vfu_client_write(cl, 4, 0, data, 8, false),
		vfu_client_irq(cl, VFU_IRQ_MSI, kinds[FD_EVENT]),
		vfu_client_dma_unmap(cl, 0, MEM_BYTES),
		vfu_client_reset(cl),
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(rets); i++)
		must(rets[i] <= 0);
}

static void serve(int fd)
{
	u64 before = 0, after = 0;

	(void)vfu_server_serve(srv, fd);
	/* nothing of a client outlives it, and it cannot break the model */
	before = vfu_server_findings(srv, VFU_MODEL_BUG);
	must(vnpu_dma_unmap(vfu_server_vnpu(srv), 0, MEM_BYTES) == -ENOENT);
	after = vfu_server_findings(srv, VFU_MODEL_BUG);
	must(!before && !after);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const int room = 1 << 20;
	struct vfu_client *cl;
	struct base_err err;
	int fds[2];

	setup();
	if (!size)
		return 0;
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
	must(!setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)));
	if (!(data[0] & (FROM_SERVER | NO_VERSION)))
		send_version(fds[0]);
	send_all(fds[0], data + 1, size - 1);
	shutdown(fds[0], SHUT_WR);
	if (!(data[0] & FROM_SERVER)) {
		serve(fds[1]);
	} else if (!vfu_client_attach(fds[1], NULL, &cl, &err)) {
		use_client(cl);
		vfu_client_close(cl);
	}
	close(fds[0]);
	return 0;
}
