/* SPDX-License-Identifier: MIT */
#include "tun/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux 6.2; older headers lack them. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define PROBE_SEGMENT 1000
#define PROBE_SEGMENTS 3
#define PROBE_MAX (40 + 20 + PROBE_SEGMENT * PROBE_SEGMENTS)

uint32_t wt_offload_set(struct wt_tun *tun, uint32_t wanted)
{
	static const struct {
		unsigned flag;
		uint32_t offload;
	} flags[] = {
		{ TUN_F_CSUM, WT_OFFLOAD_CSUM },
		{ TUN_F_TSO4, WT_OFFLOAD_TSO4 },
		{ TUN_F_TSO6, WT_OFFLOAD_TSO6 },
		/* The kernel takes these two only together. */
		{ TUN_F_USO4 | TUN_F_USO6, WT_OFFLOAD_USO4 | WT_OFFLOAD_USO6 },
	};
	uint32_t got = 0;
	unsigned ask = 0;

	if (!(wanted & WT_OFFLOAD_CSUM))
		wanted = 0;
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if ((wanted & flags[i].offload) != flags[i].offload)
			continue;
		if (ioctl(tun->fd, TUNSETOFFLOAD, ask | flags[i].flag) == 0) {
			ask |= flags[i].flag;
			got |= flags[i].offload;
		}
	}
	/* The last answer may have been a refusal, or nothing was asked. */
	if (ioctl(tun->fd, TUNSETOFFLOAD, ask) != 0)
		return 0;
	return got;
}

const char *wt_offload_text(uint32_t set, char *out, size_t size)
{
	static const struct {
		uint32_t set;
		const char *text;
	} names[] = {
		{ WT_OFFLOAD_CSUM, "checksum" },
		{ WT_OFFLOAD_TSO4 | WT_OFFLOAD_TSO6, "TCP segments" },
		{ WT_OFFLOAD_USO4 | WT_OFFLOAD_USO6, "UDP segments" },
	};
	size_t at = 0;

	snprintf(out, size, "none");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (set & names[i].set && at < size)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "",
					       names[i].text);
	return out;
}

/* ---- the probe ------------------------------------------------------------------- */

struct probe_packet {
	uint32_t offload;
	bool ipv6, udp, segments;
};

/* A packet that is right in all but its checksums, which the kernel is to finish
 * and does not look at when it takes it. */
static size_t build(const struct probe_packet *probe, uint8_t *out)
{
	size_t ip = probe->ipv6 ? 40 : 20, l4 = probe->udp ? 8 : 20;
	size_t payload = probe->segments ? PROBE_SEGMENT * PROBE_SEGMENTS : 100;
	size_t len = ip + l4 + payload;
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = (uint16_t)ip,
		.csum_offset = probe->udp ? 6 : 16,
	};
	uint8_t *p = out + sizeof header;

	if (probe->segments) {
		header.gso_type = probe->udp	? VIRTIO_NET_HDR_GSO_UDP_L4
				  : probe->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6
						: VIRTIO_NET_HDR_GSO_TCPV4;
		header.gso_size = PROBE_SEGMENT;
		header.hdr_len = (uint16_t)(ip + l4);
	}
	memcpy(out, &header, sizeof header);
	memset(p, 0, len);
	if (probe->ipv6) {
		p[0] = 0x60;
		p[4] = (uint8_t)((len - 40) >> 8);
		p[5] = (uint8_t)(len - 40);
		p[6] = probe->udp ? IPPROTO_UDP : IPPROTO_TCP;
		p[7] = 64;
		p[8] = p[24] = 0xfd;
		p[23] = 1;
		p[39] = 2;
	} else {
		p[0] = 0x45;
		p[2] = (uint8_t)(len >> 8);
		p[3] = (uint8_t)len;
		p[8] = 64;
		p[9] = probe->udp ? IPPROTO_UDP : IPPROTO_TCP;
		p[12] = p[16] = 10;
		p[15] = 1;
		p[19] = 2;
	}
	p[ip + 3] = 9; /* the discard port */
	if (probe->udp) {
		p[ip + 4] = (uint8_t)((8 + payload) >> 8);
		p[ip + 5] = (uint8_t)(8 + payload);
	} else {
		p[ip + 12] = 5 << 4;
		p[ip + 13] = 0x10;
	}
	return sizeof header + len;
}

static bool link_up(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	ok = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return ok;
}

/* In the child: what the kernel takes, or 0 when it could not be tried. */
static uint32_t try_all(void)
{
	static const struct probe_packet probes[] = {
		{ WT_OFFLOAD_CSUM, false, false, false }, { WT_OFFLOAD_TSO4, false, false, true },
		{ WT_OFFLOAD_TSO6, true, false, true },	  { WT_OFFLOAD_USO4, false, true, true },
		{ WT_OFFLOAD_USO6, true, true, true },
	};
	uint8_t buffer[sizeof(struct virtio_net_hdr) + PROBE_MAX];
	struct wt_tun tun;
	uint32_t taken = 0;

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 0;
	if (wt_tun_open(&tun, "wtprobe", NULL) != WT_OK)
		return 0;
	if (link_up(tun.name))
		for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
			size_t len = build(&probes[i], buffer);

			if (write(tun.fd, buffer, len) == (ssize_t)len)
				taken |= probes[i].offload;
		}
	wt_tun_close(&tun);
	return taken;
}

/* What the child wrote within the time it has; 0 if nothing. */
static uint32_t await(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint32_t taken = 0;
	int n;

	do
		n = poll(&ready, 1, (int)WT_OFFLOAD_PROBE_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || read(fd, &taken, sizeof taken) != sizeof taken)
		return 0;
	return taken;
}

uint32_t wt_offload_probe(uint32_t wanted, struct wt_error *err)
{
	uint32_t taken = 0;
	int fds[2];
	pid_t child;

	if (wanted == 0)
		return 0;
	if (pipe(fds) != 0)
		goto untried;
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		taken = try_all();
		_exit(write(fds[1], &taken, sizeof taken) == sizeof taken ? 0 : 1);
	}
	close(fds[1]);
	if (child > 0) {
		taken = await(fds[0]);
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	if (taken)
		return taken & wanted;
untried:
	wt_fail(err, WT_ERR_UNAVAILABLE,
		"what this kernel takes could not be tried, because no namespace can be made; "
		"checksum and TCP segments are taken as given, UDP segments as missing");
	return wanted & ~(uint32_t)(WT_OFFLOAD_USO4 | WT_OFFLOAD_USO6);
}
