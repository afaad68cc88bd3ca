/* SPDX-License-Identifier: MIT */
#include "conform/transport/tcp_relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "conform/transport/netspace.h"

/* Steps without a byte after which what was gathered goes. */
#define QUIET_STEPS 5u

static int quick_socket(int family)
{
	const int on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

bool wt_tcp_relay_open(struct wt_tcp_relay *relay, const struct sockaddr_storage *target)
{
	socklen_t len = wt_netspace_len(target);

	memset(relay, 0, sizeof *relay);
	relay->near = relay->far = -1;
	relay->target = relay->at = *target;
	*wt_netspace_port_of(&relay->at) = 0;
	relay->listener = quick_socket(target->ss_family);
	if (relay->listener < 0)
		return false;
	if (bind(relay->listener, (struct sockaddr *)&relay->at, len) == 0 &&
	    listen(relay->listener, 8) == 0 &&
	    getsockname(relay->listener, (struct sockaddr *)&relay->at, &len) == 0)
		return true;
	close(relay->listener);
	relay->listener = -1;
	return false;
}

static void end(int *fd, bool reset)
{
	if (*fd < 0)
		return;
	if (reset)
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
	close(*fd);
	*fd = -1;
}

void wt_tcp_relay_drop(struct wt_tcp_relay *relay, bool reset)
{
	end(&relay->near, reset);
	end(&relay->far, reset);
	memset(&relay->forth, 0, sizeof relay->forth);
	memset(&relay->back, 0, sizeof relay->back);
}

void wt_tcp_relay_close(struct wt_tcp_relay *relay)
{
	/* Descriptor 0 is never one of these. */
	if (relay->listener <= 0)
		return;
	wt_tcp_relay_drop(relay, false);
	end(&relay->listener, false);
}

void wt_tcp_relay_half_close(struct wt_tcp_relay *relay)
{
	shutdown(relay->far, SHUT_WR);
	relay->forth.ended = relay->forth.shut = true;
}

/* A new connection, once the one before is over. */
static bool take(struct wt_tcp_relay *relay)
{
	const int on = 1;
	int fd;

	if (relay->near >= 0)
		return false;
	fd = accept4(relay->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return false;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	relay->near = fd;
	relay->accepted++;
	relay->far = quick_socket(relay->target.ss_family);
	if (relay->far < 0 || (connect(relay->far, (struct sockaddr *)&relay->target,
				       wt_netspace_len(&relay->target)) < 0 &&
			       errno != EINPROGRESS))
		wt_tcp_relay_drop(relay, true);
	return true;
}

static bool fill(struct wt_tcp_relay *relay, struct wt_tcp_pipe *pipe, int from)
{
	ssize_t n;

	if (relay->held || pipe->ended || pipe->len == sizeof pipe->bytes)
		return false;
	memmove(pipe->bytes, pipe->bytes + pipe->at, pipe->len);
	pipe->at = 0;
	n = recv(from, pipe->bytes + pipe->len, sizeof pipe->bytes - pipe->len, MSG_DONTWAIT);
	if (n < 0) {
		pipe->ended = errno != EAGAIN && errno != ENOTCONN;
		pipe->quiet++;
		return false;
	}
	pipe->ended = n == 0;
	pipe->len += (size_t)n;
	pipe->quiet = 0;
	return true;
}

static bool flush(struct wt_tcp_relay *relay, struct wt_tcp_pipe *pipe, int to, bool forth)
{
	size_t wanted = pipe->len;
	ssize_t n;

	if (pipe->len == 0) {
		if (!pipe->ended || pipe->shut)
			return false;
		pipe->shut = true;
		shutdown(to, SHUT_WR);
		return true;
	}
	if (pipe->len < relay->gather && pipe->len < sizeof pipe->bytes / 2 &&
	    pipe->quiet < QUIET_STEPS && !pipe->ended)
		return false;
	if (relay->chunk > 0 && wanted > relay->chunk)
		wanted = relay->chunk;
	if (forth && relay->stop_after > 0 && wanted > relay->stop_after - pipe->carried)
		wanted = (size_t)(relay->stop_after - pipe->carried);
	if (wanted == 0)
		return false;
	n = send(to, pipe->bytes + pipe->at, wanted, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n <= 0)
		return false;
	pipe->at += (size_t)n;
	pipe->len -= (size_t)n;
	pipe->carried += (uint64_t)n;
	return true;
}

bool wt_tcp_relay_step(void *arg)
{
	struct wt_tcp_relay *relay = arg;
	bool moved = take(relay);

	if (relay->near < 0)
		return moved;
	moved |= fill(relay, &relay->forth, relay->near);
	moved |= fill(relay, &relay->back, relay->far);
	moved |= flush(relay, &relay->forth, relay->far, true);
	moved |= flush(relay, &relay->back, relay->near, false);
	return moved;
}
