/* SPDX-License-Identifier: MIT
 *
 * Two sockets can have one address and port if both allow it (SO_REUSEADDR), and the
 * kernel gives a datagram to the one whose address fits best. This one is connected
 * to itself: what fits that, nobody sends. Connected sockets send to other addresses
 * too. SO_REUSEPORT would make it a member of the group that the workers' sockets
 * are, and get it its share of what comes in.
 */
#include "answer.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "transport-common/address.h"

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* Whatever comes, nothing is kept. */
static bool deafen(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { .len = 1, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

/* `address`, or this host's own where that means any. */
static void own_address(const struct sockaddr_storage *address, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	*out = *address;
	if (out->ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (out->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
}

static bool prepare(int fd, int family)
{
	bool ipv4 = family == AF_INET;

	(void)set(fd, SOL_SOCKET, SO_SNDBUF, WT_UDP_ANSWER_BUFFER / 2);
	return deafen(fd) && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	       (ipv4 ? set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
		     : set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) &&
				set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
}

int wt_udp_answer_socket(int listener)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC }, self;
	socklen_t len = sizeof address;
	int fd, error;

	if (getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		return -1;
	own_address(&address, &self);
	len = wt_address_len(&address);
	fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return -1;
	/* For no longer than this: anybody else could take part. */
	if (prepare(fd, address.ss_family) && set(listener, SOL_SOCKET, SO_REUSEADDR, 1) &&
	    bind(fd, (const struct sockaddr *)&address, len) == 0 &&
	    connect(fd, (const struct sockaddr *)&self, len) == 0 &&
	    set(listener, SOL_SOCKET, SO_REUSEADDR, 0))
		return fd;
	error = errno;
	(void)set(listener, SOL_SOCKET, SO_REUSEADDR, 0);
	close(fd);
	errno = error;
	return -1;
}

/* What waits for neighbours that do not exist is of few networks, and who is elsewhere
 * must not have to share with them. */
static bool has_few_answers(const struct wt_udp_link *link, const struct wt_udp_path *path)
{
	const struct wt_host *host = link->udp->host;
	uint8_t network[2 + WT_UDP_NETWORK_IPV6] = { 'a', path->family };
	size_t bytes = path->family == 4 ? WT_UDP_NETWORK_IPV4 : WT_UDP_NETWORK_IPV6;

	memcpy(network + 2, path->remote, bytes);
	return host->rate_allow(host, link->worker, UINT32_MAX, network, 2 + bytes,
				WT_UDP_ANSWER_RATE, WT_UDP_ANSWER_BURST);
}

/* Of what the kernel gave, which net.core.wmem_max can make less than was asked for. */
static bool is_half_full(int fd)
{
	int waits = 0, buffer = 0;
	socklen_t len = sizeof buffer;

	return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, &len) == 0 &&
	       ioctl(fd, SIOCOUTQ, &waits) == 0 && waits > buffer / 2;
}

enum wt_status wt_udp_answer(struct wt_udp_link *link, const struct wt_path *path,
			     const uint8_t *message, size_t len)
{
	const struct wt_udp_counters *counters = &link->udp->counters;
	struct sockaddr_storage remote;
	struct wt_udp_path named;
	_Alignas(struct cmsghdr) uint8_t control[WT_UDP_PATH_CONTROL] = { 0 };
	struct iovec piece = { .iov_base = (void *)(uintptr_t)message, .iov_len = len };
	struct msghdr msg = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control };

	if (link->answers < 0)
		return WT_ERR_UNSUPPORTED;
	if (!wt_udp_path_read(path, &named) ||
	    (named.family == 4) != (link->peer.ss_family == AF_INET))
		return WT_ERR_INVALID;
	/* Its own address is not one to send from. */
	msg.msg_controllen = wt_udp_path_control(&named, control);
	if (msg.msg_controllen == 0)
		return WT_ERR_UNSUPPORTED;
	wt_udp_path_remote(&named, &remote);
	msg.msg_name = &remote;
	msg.msg_namelen = wt_address_len(&remote);
	if (!has_few_answers(link, &named) && is_half_full(link->answers)) {
		wt_udp_link_count(link, counters->answers_full, 1);
		return WT_AGAIN;
	}
	wt_udp_link_count(link, counters->tx_calls, 1);
	if (sendmsg(link->answers, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return WT_OK;
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
		wt_udp_link_count(link, counters->answers_full, 1);
		return WT_AGAIN;
	}
	wt_udp_link_count(link, counters->unreachable, 1);
	return WT_ERR_IO;
}
