/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <errno.h>
/* Not <netinet/tcp.h>, whose struct tcp_info ends before what is needed here. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

static int now_has(int fd)
{
	int size = 0;
	socklen_t len = sizeof size;

	return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0 ? size : 0;
}

/* The kernel doubles what it is given, for its own bookkeeping; beyond
 * net.core.wmem_max only who has CAP_NET_ADMIN is heard. */
static bool set(int fd, uint32_t size)
{
	int half = (int)(size / 2);

	return setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &half, sizeof half) == 0 ||
	       setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &half, sizeof half) == 0;
}

void wt_tcp_buffer_init(const struct wt_tcp *tcp, int fd)
{
	uint32_t size = tcp->send_buffer ? tcp->send_buffer : WT_TCP_SEND_BUFFER_FIRST;

	if (!set(fd, size))
		tcp->host->log_limited(tcp->host, WT_LOG_WARN, "tcp-buffer",
				       "the kernel refuses a send buffer of %u bytes; the tunnel "
				       "goes on with its own",
				       size);
}

uint32_t wt_tcp_buffer_wanted(uint64_t bytes_per_s, uint32_t min_rtt_us)
{
	uint64_t most = WT_TCP_SEND_BUFFER_MOST;
	uint64_t wanted;

	/* Nothing is that fast or that far; no product overflows below. */
	if (bytes_per_s > UINT32_MAX * UINT64_C(64) || min_rtt_us > 60u * 1000u * 1000u)
		return WT_TCP_SEND_BUFFER_FIRST;
	wanted = 2 * bytes_per_s * min_rtt_us / 1000000u;
	if (wanted < WT_TCP_SEND_BUFFER_FIRST)
		return WT_TCP_SEND_BUFFER_FIRST;
	return (uint32_t)(wanted < most ? wanted : most);
}

void wt_tcp_buffer_full(struct wt_tcp_conn *conn)
{
	const struct wt_host *host = conn->tcp->host;
	struct wt_tcp_sending *out = &conn->out;
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;
	uint64_t now = host->mono_ns(host);

	if (conn->tcp->send_buffer || out->buffer_limit ||
	    now - out->looked_ns < WT_TCP_SEND_BUFFER_LOOK_MS * UINT64_C(1000000))
		return;
	out->looked_ns = now;
	/* An old kernel knows neither rate nor shortest round trip. */
	if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    len < offsetof(struct tcp_info, tcpi_delivery_rate) + sizeof info.tcpi_delivery_rate)
		return;

	uint32_t wanted = wt_tcp_buffer_wanted(info.tcpi_delivery_rate, info.tcpi_min_rtt);
	int has = now_has(conn->fd);

	/* In steps worth a call. */
	if (has <= 0 || wanted < (uint32_t)has + (uint32_t)has / 4)
		return;
	if (set(conn->fd, wanted) && now_has(conn->fd) > has)
		host->log(host, WT_LOG_DEBUG, "send buffer %d bytes: %.1f Mbit/s at %.1f ms",
			  now_has(conn->fd), (double)info.tcpi_delivery_rate * 8e-6,
			  info.tcpi_min_rtt * 1e-3);
	else
		out->buffer_limit = true;
}
