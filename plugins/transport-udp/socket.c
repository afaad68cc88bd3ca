/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

#include "limits.h"
#include "transport-common/address.h"
#include "transport-common/failure.h"

/* ---- options */

struct option {
	int level, name, value;
	const char *text;
};

static bool set(int fd, const struct option *option)
{
	return setsockopt(fd, option->level, option->name, &option->value, sizeof option->value) ==
	       0;
}

/* `force` goes beyond the system's limit where we still may. The kernel doubles
 * what it is given, for its own bookkeeping. */
static void set_buffer(const struct wt_udp *udp, int fd, const char *key, int bytes, int name,
		       int force)
{
	const struct wt_host *host = udp->host;
	int half = bytes / 2, got = 0;
	socklen_t len = sizeof got;

	if (bytes == 0 || setsockopt(fd, SOL_SOCKET, force, &half, sizeof half) == 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, name, &half, sizeof half);
	if (getsockopt(fd, SOL_SOCKET, name, &got, &len) == 0 && got < bytes)
		host->log(host, WT_LOG_DEBUG,
			  "%s = %d: the kernel gave %d KiB; more takes CAP_NET_ADMIN at the start, "
			  "or a larger net.core.%cmem_max",
			  key, bytes / 1024, got / 1024, name == SO_RCVBUF ? 'r' : 'w');
}

/* Without these the transport would not keep its word: fragments of records, or
 * answers from another address than the one that was asked. */
static const struct option needed_ipv4[] = {
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER" },
	{ IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO" },
};
static const struct option needed_ipv6[] = {
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "IPV6_MTU_DISCOVER" },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO" },
	/* [::] and 0.0.0.0 may stand side by side, and no source is v4-mapped. */
	{ IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY" },
};

static enum wt_status open_socket(const struct wt_udp *udp, int family, int *fd,
				  struct wt_error *err)
{
	static const struct option gro = { IPPROTO_UDP, UDP_GRO, 1, "UDP_GRO" };
	bool ipv4 = family == AF_INET;
	const struct option *needed = ipv4 ? needed_ipv4 : needed_ipv6;
	size_t n = ipv4 ? sizeof needed_ipv4 / sizeof needed_ipv4[0]
			: sizeof needed_ipv6 / sizeof needed_ipv6[0];
	int s = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	char text[64];

	*fd = -1;
	if (s < 0)
		return wt_socket_not_opened("UDP", errno, err);
	for (size_t i = 0; i < n; i++) {
		if (set(s, &needed[i]))
			continue;

		enum wt_status status = wt_socket_fail(
			err, WT_ERR_UNAVAILABLE,
			"the kernel refuses %s for a UDP socket: %s; transport-udp "
			"needs it",
			needed[i].text, wt_socket_error_text(errno, text, sizeof text));

		close(s);
		return status;
	}
	/* Kernels before 5.0 give one datagram at a time. */
	if (udp->runs)
		(void)set(s, &gro);
	set_buffer(udp, s, "recv_buffer", udp->recv_buffer, SO_RCVBUF, SO_RCVBUFFORCE);
	set_buffer(udp, s, "send_buffer", udp->send_buffer, SO_SNDBUF, SO_SNDBUFFORCE);
	*fd = s;
	return WT_OK;
}

/* ---- listening */

/* Which of the sockets that share an address: the receiver index modulo their
 * number, which is the worker that drew it. A handshake has no receiver yet; a
 * number that is nobody's leaves the choice to the kernel, by the addresses. A
 * datagram that is too short for an index goes to the first. */
static bool attach_filter(int fd, uint32_t workers)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = sizeof code / sizeof code[0], .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

enum wt_status wt_udp_socket_listen(const struct wt_udp *udp,
				    const struct sockaddr_storage *address, uint32_t index, int *fd,
				    struct wt_error *err)
{
	static const struct option share = { SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT" };
	/* The socket for answers (answer.h) is there, too. The first does not allow it,
	 * so nobody else can make use of it. */
	static const struct option beside = { SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR" };
	bool shared = udp->workers > 1;
	enum wt_status status = open_socket(udp, address->ss_family, fd, err);

	if (status != WT_OK)
		return status;
	/* The first binds alone, so that a second daemon on this address is told
	 * that it is taken, and lets the others in only then. The filter is the
	 * group's, which begins with the second. */
	if ((shared && index > 0 && !(set(*fd, &share) && set(*fd, &beside))) ||
	    bind(*fd, (const struct sockaddr *)address, wt_address_len(address)) < 0 ||
	    (shared && index == 0 && !set(*fd, &share)) ||
	    (shared && index == 1 && !attach_filter(*fd, udp->workers))) {
		status = wt_socket_not_bound("UDP", address, errno, err);
		close(*fd);
		*fd = -1;
	}
	return status;
}

/* ---- dialling */

enum wt_status wt_udp_socket_dial(const struct wt_udp *udp, const struct sockaddr_storage *remote,
				  int *fd, struct wt_error *err)
{
	bool ipv4 = remote->ss_family == AF_INET;
	struct sockaddr_storage any = { .ss_family = remote->ss_family };
	/* Notes about what did not get through, for the log. Not where anyone may
	 * make others send such notes. */
	const struct option notes = { ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
				      ipv4 ? IP_RECVERR : IPV6_RECVERR, 1, "IP_RECVERR" };
	char text[64];
	enum wt_status status = open_socket(udp, remote->ss_family, fd, err);

	if (status != WT_OK)
		return status;
	(void)set(*fd, &notes);
	if (bind(*fd, (const struct sockaddr *)&any, wt_address_len(&any)) < 0) {
		status = wt_socket_fail(err, WT_ERR_IO, "no local port for a UDP socket: %s",
					wt_socket_error_text(errno, text, sizeof text));
		close(*fd);
		*fd = -1;
	}
	return status;
}
