/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport-common/failure.h"

void wt_tcp_conn_count(struct wt_tcp_conn *conn, uint32_t counter, uint64_t n)
{
	const struct wt_host *host = conn->tcp->host;

	host->count(host, conn->worker, counter, n);
}

/* ---- holding */

void wt_tcp_conn_hold(struct wt_tcp_conn *conn)
{
	conn->holds++;
}

void wt_tcp_conn_release(struct wt_tcp_conn *conn)
{
	if (--conn->holds == 0 && conn->phase == WT_TCP_GONE)
		free(conn);
}

/* ---- the end */

void wt_tcp_conn_end(struct wt_tcp_conn *conn, enum wt_status why, const char *text)
{
	const struct wt_host *host = conn->tcp->host;

	conn->phase = WT_TCP_ENDED;
	conn->end_status = why;
	snprintf(conn->end_text, sizeof conn->end_text, "%s", text);
	/* A hang-up would wake a level-triggered loop for ever. */
	host->watch_free(host, conn->watch);
	conn->watch = NULL;
	host->timer_set(host, conn->timer, 0);
}

static void report_end(struct wt_tcp_conn *conn)
{
	const struct wt_host *host = conn->tcp->host;

	if (conn->end_reported)
		return;
	conn->end_reported = true;
	host->link_ended(host, conn->worker, conn->core, conn->end_status, conn->end_text);
}

/* ---- events */

void wt_tcp_conn_watch(struct wt_tcp_conn *conn)
{
	const struct wt_host *host = conn->tcp->host;
	unsigned events = 0;

	if (!conn->in.waits_for_slot && !conn->in.refused)
		events |= WT_EVENT_READ;
	if (conn->out.blocked)
		events |= WT_EVENT_WRITE;
	if (events == conn->watched)
		return;
	conn->watched = events;
	if (host->watch_set(host, conn->watch, events) != WT_OK)
		wt_tcp_conn_end(conn, WT_ERR_NOMEM, "out of memory in the event loop");
}

static void dial_ended(struct wt_tcp_conn *conn, int error)
{
	char text[WT_TCP_REASON_TEXT];

	wt_tcp_socket_reason(error, text);
	wt_tcp_conn_end(conn, wt_tcp_socket_status(error), text);
}

static void on_dialled(struct wt_tcp_conn *conn)
{
	const struct wt_host *host = conn->tcp->host;
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0) {
		dial_ended(conn, error);
		return;
	}
	host->timer_stop(host, conn->timer);
	conn->phase = WT_TCP_OPEN;
	wt_tcp_conn_watch(conn);
	if (conn->phase == WT_TCP_OPEN)
		host->link_connected(host, conn->worker, conn->core);
}

static void on_event(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct wt_tcp_conn *conn = arg;
	const struct wt_host *host = conn->tcp->host;

	(void)worker;
	(void)fd;
	wt_tcp_conn_hold(conn);
	if (conn->phase == WT_TCP_CONNECTING) {
		on_dialled(conn);
		goto release;
	}
	if ((events & WT_EVENT_WRITE) && conn->out.blocked)
		wt_tcp_conn_writable(conn);
	if (conn->phase == WT_TCP_OPEN && (events & WT_EVENT_READ) && !conn->in.waits_for_slot) {
		conn->in.drained = false;
		host->link_readable(host, conn->worker, conn->core);
	}
release:
	wt_tcp_conn_release(conn);
}

static void on_timer(void *arg, struct wt_worker *worker)
{
	struct wt_tcp_conn *conn = arg;
	char text[WT_TCP_REASON_TEXT];

	(void)worker;
	wt_tcp_conn_hold(conn);
	if (conn->phase == WT_TCP_CONNECTING) {
		snprintf(text, sizeof text, "timed out after %u s", WT_TCP_DIAL_MS / 1000u);
		wt_tcp_conn_end(conn, WT_ERR_IO, text);
	}
	if (conn->phase == WT_TCP_ENDED) {
		report_end(conn);
	} else if (conn->in.waits_for_slot) {
		conn->in.waits_for_slot = false;
		wt_tcp_conn_watch(conn);
	} else {
		wt_tcp_receiving_stalled(conn);
	}
	wt_tcp_conn_release(conn);
}

/* ---- making and closing */

/* Takes `fd` over, on failure too. */
static struct wt_tcp_conn *conn_new(struct wt_tcp *tcp, struct wt_worker *worker, int fd,
				    const struct sockaddr_storage *remote, unsigned events)
{
	const struct wt_host *host = tcp->host;
	struct wt_tcp_conn *conn = calloc(1, sizeof *conn);

	if (!conn)
		goto close_fd;
	conn->tcp = tcp;
	conn->worker = worker;
	conn->fd = fd;
	conn->remote = *remote;
	wt_tcp_receiving_init(conn);
	conn->timer = host->timer_new(host, worker, on_timer, conn);
	if (!conn->timer)
		goto free_conn;
	conn->watch = host->watch_new(host, worker, fd, events, on_event, conn);
	if (!conn->watch)
		goto free_timer;
	conn->watched = events;
	return conn;

free_timer:
	host->timer_free(host, conn->timer);
free_conn:
	free(conn);
close_fd:
	close(fd);
	return NULL;
}

void wt_tcp_conn_accept(struct wt_tcp *tcp, struct wt_worker *worker, int fd,
			const struct sockaddr_storage *remote)
{
	const struct wt_host *host = tcp->host;
	struct wt_tcp_conn *conn = conn_new(tcp, worker, fd, remote, WT_EVENT_READ);
	struct wt_link *core = NULL;

	if (!conn) {
		host->count(host, worker, tcp->counters.accept_refused, 1);
		host->log_limited(host, WT_LOG_WARN, "tcp-accept",
				  "out of memory for a new connection: closed");
		return;
	}
	wt_tcp_socket_tune(tcp, fd);
	conn->phase = WT_TCP_OPEN;
	if (host->link_accepted(host, worker, conn, &core) != WT_OK) {
		wt_tcp_conn_count(conn, tcp->counters.accept_refused, 1);
		wt_tcp_conn_close(conn, true);
		return;
	}
	conn->core = core;
}

enum wt_status wt_tcp_conn_dial(struct wt_tcp *tcp, struct wt_worker *worker,
				const struct sockaddr_storage *remote, struct wt_link *core,
				struct wt_tcp_conn **out, struct wt_error *err)
{
	const struct wt_host *host = tcp->host;
	int fd;
	enum wt_status status = wt_tcp_socket_dial(tcp, remote, &fd, err);

	if (status != WT_OK)
		return status;

	int error = 0;

	if (connect(fd, (const struct sockaddr *)remote, wt_address_len(remote)) < 0 &&
	    errno != EINPROGRESS && errno != EINTR)
		error = errno;

	struct wt_tcp_conn *conn = conn_new(tcp, worker, fd, remote, WT_EVENT_WRITE);

	if (!conn)
		return wt_socket_fail(err, WT_ERR_NOMEM, "out of memory for a new connection");
	conn->core = core;
	conn->phase = WT_TCP_CONNECTING;
	/* A kernel that refuses at once is reported like a peer that refuses:
	 * later, by link_ended. */
	if (error != 0)
		dial_ended(conn, error);
	else
		host->timer_set(host, conn->timer, WT_TCP_DIAL_MS);
	*out = conn;
	return WT_OK;
}

void wt_tcp_conn_close(struct wt_tcp_conn *conn, bool abort)
{
	const struct wt_host *host = conn->tcp->host;

	if (conn->watch)
		host->watch_free(host, conn->watch);
	host->timer_free(host, conn->timer);
	if (abort)
		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
	else if (conn->phase == WT_TCP_OPEN)
		wt_tcp_sending_finish(conn);
	wt_tcp_sending_drop(conn);
	wt_tcp_receiving_drop(conn);
	close(conn->fd);
	conn->phase = WT_TCP_GONE;
	if (conn->holds == 0)
		free(conn);
}
