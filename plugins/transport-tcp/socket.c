/* SPDX-License-Identifier: MIT
 *
 * Linux hands most options of a listening socket on to accepted ones. They are
 * set on each connection all the same: one list, one place, no reliance on which
 * ones are inherited. Only the congestion control comes from the listener, since
 * a process that dropped its rights may no longer be allowed to choose it.
 */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "limits.h"
#include "transport-common/failure.h"

#define PROC_AVAILABLE "/proc/sys/net/ipv4/tcp_available_congestion_control"
#define PROC_ALLOWED "/proc/sys/net/ipv4/tcp_allowed_congestion_control"

/* ---- congestion control */

/* One line of /proc; "(unreadable)" when it cannot be had. */
static void read_list(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		snprintf(out, size, "(%s is not readable)", path);
		return;
	}
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static enum wt_status set_congestion(const struct wt_tcp *tcp, int fd, struct wt_error *err)
{
	const char *name = tcp->congestion;
	char list[160];
	char text[64];

	if (!name ||
	    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0 ||
	    tcp->congestion_optional)
		return WT_OK;
	switch (errno) {
	case ENOENT:
	case EINVAL:
		read_list(PROC_AVAILABLE, list, sizeof list);
		return wt_socket_fail(
			err, WT_ERR_CONFIG,
			"congestion = %s: this kernel has %s; choose one of these, load "
			"the module tcp_%s, or leave the key out",
			name, list, name);
	case EPERM:
	case EACCES:
		read_list(PROC_ALLOWED, list, sizeof list);
		return wt_socket_fail(
			err, WT_ERR_PERMISSION,
			"congestion = %s: processes without CAP_NET_ADMIN may use %s; "
			"choose one of these or add it to the sysctl "
			"net.ipv4.tcp_allowed_congestion_control",
			name, list);
	default:
		return wt_socket_fail(err, WT_ERR_IO, "congestion = %s: %s", name,
				      wt_socket_error_text(errno, text, sizeof text));
	}
}

static int open_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

/* Can a socket be set to tcp->congestion? */
static enum wt_status try_congestion(const struct wt_tcp *tcp, struct wt_error *err)
{
	int fd = open_socket(AF_INET);

	if (fd < 0 && errno == EAFNOSUPPORT)
		fd = open_socket(AF_INET6);
	if (fd < 0)
		return wt_socket_not_opened("TCP", errno, err);

	enum wt_status status = set_congestion(tcp, fd, err);

	close(fd);
	return status;
}

enum wt_status wt_tcp_socket_choose(struct wt_tcp *tcp, const char *wanted, struct wt_error *err)
{
	if (!wanted || strcmp(wanted, "system") == 0)
		return WT_OK;
	tcp->congestion_optional = strcmp(wanted, "auto") == 0;
	tcp->congestion = tcp->congestion_optional ? WT_TCP_CONGESTION : wanted;
	return try_congestion(tcp, err);
}

/* ---- options */

struct option {
	int level, name, value;
	const char *text;
};

static void set_option(const struct wt_tcp *tcp, int fd, const struct option *option)
{
	char text[64];

	if (setsockopt(fd, option->level, option->name, &option->value, sizeof option->value) == 0)
		return;
	tcp->host->log_limited(tcp->host, WT_LOG_WARN, "tcp-option",
			       "the kernel refuses %s = %d: %s; the tunnel goes on without",
			       option->text, option->value,
			       wt_socket_error_text(errno, text, sizeof text));
}

void wt_tcp_socket_tune(const struct wt_tcp *tcp, int fd)
{
	static const struct option options[] = {
		/* Records are whole when they are sent: nothing to wait for. */
		{ IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY" },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, WT_TCP_USER_TIMEOUT_MS, "TCP_USER_TIMEOUT" },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, WT_TCP_NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT" },
		{ IPPROTO_TCP, TCP_KEEPIDLE, WT_TCP_KEEPALIVE_IDLE_S, "TCP_KEEPIDLE" },
		{ IPPROTO_TCP, TCP_KEEPINTVL, WT_TCP_KEEPALIVE_INTERVAL_S, "TCP_KEEPINTVL" },
		{ SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE" },
	};

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		set_option(tcp, fd, &options[i]);
	wt_tcp_buffer_init(tcp, fd);
}

/* ---- listening */

enum wt_status wt_tcp_socket_listen(const struct wt_tcp *tcp,
				    const struct sockaddr_storage *address, bool first, int *fd,
				    struct wt_error *err)
{
	const int on = 1, joins = tcp->shared_ports && !first, shared = tcp->shared_ports;
	const int defer = WT_TCP_DEFER_ACCEPT_S;
	int s = open_socket(address->ss_family);
	enum wt_status status;

	*fd = -1;
	if (s < 0)
		return wt_socket_not_opened("TCP", errno, err);
	status = set_congestion(tcp, s, err);
	if (status != WT_OK)
		goto close_socket;
	/* REUSEADDR: a restart need not wait for TIME_WAIT. REUSEPORT only with
	 * several workers, of which the first binds alone, so that a second daemon
	 * on this address is told that it is taken, and lets the others in then. V6ONLY: [::] and
	 * 0.0.0.0 may stand side by side, and no source is v4-mapped. */
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &joins, sizeof joins) < 0 ||
	    setsockopt(s, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof defer) < 0 ||
	    (address->ss_family == AF_INET6 &&
	     setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
	    bind(s, (const struct sockaddr *)address, wt_address_len(address)) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof shared) < 0 ||
	    listen(s, WT_TCP_BACKLOG) < 0) {
		status = wt_socket_not_bound("TCP", address, errno, err);
		goto close_socket;
	}
	*fd = s;
	return WT_OK;

close_socket:
	close(s);
	return status;
}

/* ---- dialling */

enum wt_status wt_tcp_socket_dial(const struct wt_tcp *tcp, const struct sockaddr_storage *remote,
				  int *fd, struct wt_error *err)
{
	int s = open_socket(remote->ss_family);

	*fd = -1;
	if (s < 0)
		return wt_socket_not_opened("TCP", errno, err);

	enum wt_status status = set_congestion(tcp, s, err);

	if (status != WT_OK) {
		close(s);
		return status;
	}
	wt_tcp_socket_tune(tcp, s);
	*fd = s;
	return WT_OK;
}

/* ---- errors */

void wt_tcp_socket_reason(int error, char out[WT_TCP_REASON_TEXT])
{
	static const struct {
		int error;
		const char *text;
	} reasons[] = {
		{ ECONNREFUSED, "connection refused" },
		{ ECONNRESET, "connection reset by the other end" },
		{ EPIPE, "connection closed by the other end" },
		{ ETIMEDOUT, "timed out: the other end no longer answers" },
		{ ENETUNREACH, "network unreachable" },
		{ EHOSTUNREACH, "host unreachable" },
		{ EADDRNOTAVAIL, "no local address or port left for that destination" },
		{ EACCES, "not permitted (a firewall rule of this host?)" },
		{ EPERM, "not permitted (a firewall rule of this host?)" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (reasons[i].error == error) {
			snprintf(out, WT_TCP_REASON_TEXT, "%s", reasons[i].text);
			return;
		}
	}
	snprintf(out, WT_TCP_REASON_TEXT, "%s", wt_socket_error_text(error, text, sizeof text));
}

enum wt_status wt_tcp_socket_status(int error)
{
	return error == ECONNRESET || error == EPIPE ? WT_ERR_CLOSED : WT_ERR_IO;
}
