/* SPDX-License-Identifier: MIT */
#include "compare/traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "compare/figures.h"

/* What a stream repeats; a prime number, so that no packet or record begins where
 * another one began. */
#define TEXT_SIZE 262139u
#define ECHO_SIZE 64u
#define ECHO_MAX 1000u
/* Nothing at all for so long is the end of a connection. */
#define STALL_S 10

static uint64_t now_ns(void)
{
	return wt_clock_system.mono_ns(&wt_clock_system);
}

static int new_socket(void)
{
	const struct timeval limit = { .tv_sec = STALL_S };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		/* Kept by what accept() returns. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	return fd;
}

static enum wt_status join(struct wt_traffic *t, const struct wt_netpair *net,
			   const struct sockaddr_in *to, struct wt_error *err)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = to->sin_port };
	int listener = wt_netpair_enter(net, 1) ? new_socket() : -1;
	bool good = listener >= 0 &&
		    bind(listener, (const struct sockaddr *)&any, sizeof any) == 0 &&
		    listen(listener, 1) == 0;

	if (wt_netpair_enter(net, 0) && good)
		t->fds[0] = new_socket();
	if (t->fds[0] >= 0 && connect(t->fds[0], (const struct sockaddr *)to, sizeof *to) == 0)
		t->fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	enum wt_status status = t->fds[1] >= 0 ? WT_OK
					       : wt_fail(err, WT_ERR_IO,
							 "no connection through the tunnel: %s; "
							 "try again while nothing else runs",
							 strerror(errno));

	if (listener >= 0)
		close(listener);
	return status;
}

enum wt_status wt_traffic_open(struct wt_traffic *t, const struct wt_netpair *net,
			       const char *address, uint16_t port, struct wt_error *err)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	uint32_t random = 1;

	*t = (struct wt_traffic){ .fds = { -1, -1 },
				  .text = malloc(TEXT_SIZE),
				  .room = malloc(TEXT_SIZE) };
	if (!t->text || !t->room || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < TEXT_SIZE; i++) {
		random = random * 1664525u + 1013904223u;
		t->text[i] = (uint8_t)(random >> 24);
	}
	return join(t, net, &to, err);
}

void wt_traffic_close(struct wt_traffic *t)
{
	/* Its write ends with an error. */
	if (t->sending && t->fds[0] >= 0) {
		shutdown(t->fds[0], SHUT_RDWR);
		pthread_join(t->sender, NULL);
	}
	for (int i = 0; i < 2; i++) {
		/* Not what is under way still: the next one has the way for itself. */
		const struct linger now = { .l_onoff = 1 };

		if (t->fds[i] >= 0) {
			setsockopt(t->fds[i], SOL_SOCKET, SO_LINGER, &now, sizeof now);
			close(t->fds[i]);
		}
	}
	free(t->text);
	free(t->room);
	*t = (struct wt_traffic){ .fds = { -1, -1 } };
}

/* ---- to and fro ---------------------------------------------------------- */

static bool pass_on(int from, int to, const uint8_t *text, uint8_t *room)
{
	return send(from, text, ECHO_SIZE, MSG_NOSIGNAL) == (ssize_t)ECHO_SIZE &&
	       recv(to, room, ECHO_SIZE, MSG_WAITALL) == (ssize_t)ECHO_SIZE &&
	       memcmp(text, room, ECHO_SIZE) == 0;
}

enum wt_status wt_traffic_echo(struct wt_traffic *t, unsigned count, double *median_us,
			       struct wt_error *err)
{
	double took[ECHO_MAX];

	count = count > ECHO_MAX ? ECHO_MAX : count;
	for (unsigned i = 0; i < count; i++) {
		const uint64_t start = now_ns();
		const uint8_t *text = t->text + i;

		errno = 0;
		if (!pass_on(t->fds[0], t->fds[1], text, t->room) ||
		    !pass_on(t->fds[1], t->fds[0], text, t->room))
			return wt_fail(err, WT_ERR_IO,
				       "a message did not come back: %s; run wtplug conform on "
				       "both plugins",
				       errno ? strerror(errno) : "other bytes arrived");
		took[i] = (double)(now_ns() - start) / 1000.0;
	}
	*median_us = wt_figures_median(took, count);
	return WT_OK;
}

/* ---- a stream ------------------------------------------------------------ */

static void *send_on(void *arg)
{
	const struct wt_traffic *t = arg;
	size_t at = 0;
	ssize_t n;

	while ((n = send(t->fds[0], t->text + at, TEXT_SIZE - at, MSG_NOSIGNAL)) > 0)
		at = (at + (size_t)n) % TEXT_SIZE;
	return NULL;
}

enum wt_status wt_traffic_stream(struct wt_traffic *t, unsigned ms, uint64_t *bytes, uint64_t *ns,
				 struct wt_error *err)
{
	const uint64_t start = now_ns(), before = t->received;

	if (!t->sending) {
		if (pthread_create(&t->sender, NULL, send_on, t) != 0)
			return wt_fail(
				err, WT_ERR_NOMEM,
				"no thread; end other programs, or raise the limit (ulimit -u)");
		t->sending = true;
	}
	do {
		const size_t at = (size_t)(t->received % TEXT_SIZE);
		const ssize_t n = recv(t->fds[1], t->room, TEXT_SIZE - at, 0);

		if (n <= 0)
			return wt_fail(err, WT_ERR_IO,
				       "the stream ended: %s; run wtplug conform on both plugins",
				       n < 0 ? strerror(errno) : "closed");
		if (memcmp(t->room, t->text + at, (size_t)n) != 0)
			return wt_fail(err, WT_ERR_IO,
				       "other bytes arrived than were sent; run wtplug conform on "
				       "both plugins");
		t->received += (uint64_t)n;
		*ns = now_ns() - start;
	} while (*ns < (uint64_t)ms * 1000000u);
	*bytes = t->received - before;
	return WT_OK;
}
