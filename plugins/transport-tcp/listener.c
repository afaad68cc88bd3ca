/* SPDX-License-Identifier: MIT
 *
 * A socket that is readable and cannot be accepted from (no descriptors left)
 * would wake a level-triggered loop for ever. So the watch sleeps until a timer
 * wakes it; clients wait in the kernel's queue meanwhile.
 */
#include "listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "limits.h"
#include "socket.h"
#include "transport-common/address.h"
#include "transport-common/failure.h"
#include "transport-common/listen.h"

struct wt_tcp_listener {
	struct wt_tcp *tcp;
	int fd;
	struct wt_watch *watch;
	struct wt_timer *resume; /* ends a pause */
	char text[WT_ADDRESS_TEXT];
};

/* Those of one worker. */
struct wt_tcp_listeners {
	struct wt_tcp_listeners *next;
	struct wt_worker *worker;
	size_t count;
	struct wt_tcp_listener all[];
};

static void pause_accepting(struct wt_tcp_listener *listener, struct wt_worker *worker, int error)
{
	const struct wt_host *host = listener->tcp->host;
	char reason[WT_TCP_REASON_TEXT];

	wt_tcp_socket_reason(error, reason);
	host->count(host, worker, listener->tcp->counters.accept_pauses, 1);
	host->log_limited(host, WT_LOG_WARN, "tcp-accept",
			  "cannot accept on %s: %s; trying again in %u ms%s", listener->text,
			  reason, WT_TCP_ACCEPT_PAUSE_MS,
			  error == EMFILE || error == ENFILE
				  ? " (raise the limit of open files: ulimit -n, LimitNOFILE=)"
				  : "");
	if (host->watch_set(host, listener->watch, 0) == WT_OK)
		host->timer_set(host, listener->resume, WT_TCP_ACCEPT_PAUSE_MS);
}

static void on_resume(void *arg, struct wt_worker *worker)
{
	struct wt_tcp_listener *listener = arg;
	const struct wt_host *host = listener->tcp->host;

	(void)worker;
	if (host->watch_set(host, listener->watch, WT_EVENT_READ) != WT_OK)
		host->timer_set(host, listener->resume, WT_TCP_ACCEPT_PAUSE_MS);
}

/* Errors of the one connection that was about to be accepted: accept(2) lists
 * those of the network, EPERM comes from a firewall rule. */
static int is_about_one_connection(int error)
{
	switch (error) {
	case ECONNABORTED:
	case EINTR:
	case EPERM:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
		return 1;
	default:
		return 0;
	}
}

static void on_readable(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct wt_tcp_listener *listener = arg;

	(void)events;
	for (unsigned i = 0; i < WT_TCP_ACCEPT_BATCH; i++) {
		struct sockaddr_storage remote = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof remote;
		int s = accept4(fd, (struct sockaddr *)&remote, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (s >= 0) {
			wt_tcp_conn_accept(listener->tcp, worker, s, &remote);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		if (is_about_one_connection(errno))
			continue;
		pause_accepting(listener, worker, errno);
		return;
	}
}

static enum wt_status start(struct wt_tcp_listeners *set, struct wt_tcp *tcp,
			    const struct sockaddr_storage *address, struct wt_error *err)
{
	struct wt_tcp_listener *listener = &set->all[set->count];
	const struct wt_host *host = tcp->host;
	struct sockaddr_storage bound = *address;
	socklen_t len = sizeof bound;
	enum wt_status status =
		wt_tcp_socket_listen(tcp, address, tcp->listeners == NULL, &listener->fd, err);

	if (status != WT_OK)
		return status;
	/* From here on close_set() cleans up. */
	set->count++;
	listener->tcp = tcp;
	getsockname(listener->fd, (struct sockaddr *)&bound, &len);
	wt_address_text(&bound, listener->text);
	listener->resume = host->timer_new(host, set->worker, on_resume, listener);
	listener->watch = host->watch_new(host, set->worker, listener->fd, WT_EVENT_READ,
					  on_readable, listener);
	if (!listener->resume || !listener->watch)
		return wt_socket_fail(
			err, WT_ERR_NOMEM,
			"listen = %s: out of memory or descriptors for the event loop",
			listener->text);
	return WT_OK;
}

static void close_set(const struct wt_host *host, struct wt_tcp_listeners *set)
{
	while (set->count > 0) {
		struct wt_tcp_listener *listener = &set->all[--set->count];

		if (listener->watch)
			host->watch_free(host, listener->watch);
		if (listener->resume)
			host->timer_free(host, listener->resume);
		close(listener->fd);
	}
	free(set);
}

enum wt_status wt_tcp_listener_open(struct wt_tcp *tcp, struct wt_worker *worker,
				    struct wt_error *err)
{
	const struct wt_host *host = tcp->host;
	struct wt_tcp_listeners *set;
	enum wt_status status;
	size_t n;

	for (set = tcp->listeners; set; set = set->next)
		if (set->worker == worker)
			return wt_socket_fail(err, WT_ERR_INVALID,
					      "this transport listens already");
	status = wt_listen_count(host, tcp->cfg, &n, err);
	if (status != WT_OK || n == 0)
		return status;
	set = calloc(1, sizeof *set + n * sizeof set->all[0]);
	if (!set)
		return wt_socket_fail(err, WT_ERR_NOMEM, "listen: out of memory");
	set->worker = worker;
	for (size_t i = 0; status == WT_OK && i < n; i++) {
		struct sockaddr_storage address;

		status = host->config_sockaddr(host, tcp->cfg, "listen", i, &address);
		if (status == WT_OK)
			status = start(set, tcp, &address, err);
	}
	if (status != WT_OK) {
		close_set(host, set);
		return status;
	}
	/* The addresses are the same for every worker. */
	for (size_t i = 0; i < n && !tcp->listeners; i++)
		host->log(host, WT_LOG_INFO, "listening on tcp %s", set->all[i].text);
	set->next = tcp->listeners;
	tcp->listeners = set;
	return WT_OK;
}

void wt_tcp_listener_close(struct wt_tcp *tcp)
{
	while (tcp->listeners) {
		struct wt_tcp_listeners *set = tcp->listeners;

		tcp->listeners = set->next;
		close_set(tcp->host, set);
	}
}
