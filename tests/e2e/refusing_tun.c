/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a daemon by the end-to-end tests: a kernel that takes runs of
 * segments while it is tried at the start, and refuses them afterwards (EINVAL,
 * as 6.1.103, 6.6.44 and 6.10.3 did). WT_REFUSING_TUN says what: "runs", or
 * "partial" for whatever is not complete. The daemon tries in a child process,
 * which is left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pid_t daemon_pid;
static bool refuses_partial;

__attribute__((constructor)) static void read_wish(void)
{
	const char *wish = getenv("WT_REFUSING_TUN");

	if (!wish)
		return;
	daemon_pid = getpid();
	refuses_partial = strcmp(wish, "partial") == 0;
}

static bool is_tun(int fd)
{
	struct ifreq request;

	return ioctl(fd, TUNGETIFF, &request) == 0;
}

static bool refuses(int fd, const void *data, size_t size)
{
	struct virtio_net_hdr header;
	int before = errno;
	bool refused;

	if (size <= sizeof header || getpid() != daemon_pid)
		return false;
	memcpy(&header, data, sizeof header);
	refused = (header.gso_type != VIRTIO_NET_HDR_GSO_NONE ||
		   (refuses_partial && header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) &&
		  is_tun(fd);
	errno = before;
	return refused;
}

ssize_t write(int fd, const void *data, size_t size)
{
	if (refuses(fd, data, size)) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_write, fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	if (count > 0 && refuses(fd, parts[0].iov_base, parts[0].iov_len)) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_writev, fd, parts, count);
}
