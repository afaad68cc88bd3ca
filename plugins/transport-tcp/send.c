/* SPDX-License-Identifier: MIT
 *
 * Each record lies behind its length in its own slot, so a batch is one vector
 * and one system call. While the kernel takes no more, at most one record is
 * ours: the partly written one.
 */
#include "buffer.h"
#include "connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "transport-common/record.h"

static void write_length(uint8_t *p, uint32_t len)
{
	p[0] = (uint8_t)(len >> 24);
	p[1] = (uint8_t)(len >> 16);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
}

/* One send call: bytes written, or -1 with *error set (EAGAIN: not now). */
static ssize_t write_some(struct wt_tcp_conn *conn, struct iovec *iov, size_t count, int *error)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
	ssize_t n;

	do {
		wt_tcp_conn_count(conn, conn->tcp->counters.tx_calls, 1);
		n = sendmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	*error = n < 0 && errno == EWOULDBLOCK ? EAGAIN : errno;
	return n;
}

void wt_tcp_sending_drop(struct wt_tcp_conn *conn)
{
	const struct wt_host *host = conn->tcp->host;

	if (conn->out.slot)
		host->slot_done(host, conn->worker, conn->out.slot);
	conn->out.slot = NULL;
	conn->out.left = 0;
}

/* Sending is over. The shutdown makes recv find the end behind the last record
 * that came, whatever the error was. */
static enum wt_status give_up(struct wt_tcp_conn *conn, int error)
{
	struct wt_tcp_sending *out = &conn->out;

	out->error = error;
	out->blocked = false;
	out->owes_writable = false;
	wt_tcp_sending_drop(conn);
	shutdown(conn->fd, SHUT_RDWR);
	wt_tcp_conn_watch(conn);
	return wt_tcp_socket_status(error);
}

/* Of `count` records from `first` on, `bytes` were written: give back the whole
 * ones and keep a part. Returns how many are taken. */
static size_t settle(struct wt_tcp_conn *conn, const struct wt_record *first, size_t count,
		     size_t bytes)
{
	const struct wt_host *host = conn->tcp->host;
	size_t i;

	for (i = 0; i < count && bytes > 0; i++) {
		const struct wt_record *record = wt_record_at(first, i);
		size_t size = WT_TCP_PREFIX + record->len;

		if (bytes < size) {
			conn->out.slot = record->slot;
			conn->out.at = record->data - WT_TCP_PREFIX + bytes;
			conn->out.left = (uint32_t)(size - bytes);
			return i + 1;
		}
		bytes -= size;
		host->slot_done(host, conn->worker, record->slot);
	}
	return i;
}

/* Write up to a batch of records. WT_AGAIN: the kernel wants no more now. */
static enum wt_status send_batch(struct wt_tcp_conn *conn, const struct wt_record *records,
				 size_t n, size_t *taken)
{
	struct iovec iov[WT_TCP_SEND_BATCH];
	size_t count = n < WT_TCP_SEND_BATCH ? n : WT_TCP_SEND_BATCH;
	size_t total = 0;
	int error;

	*taken = 0;
	for (size_t i = 0; i < count; i++) {
		const struct wt_record *record = wt_record_at(records, i);

		if (record->len < WT_TCP_RECORD_MIN || record->len > WT_RECORD_MAX)
			return WT_ERR_INVALID;
		iov[i].iov_base = record->data - WT_TCP_PREFIX;
		iov[i].iov_len = WT_TCP_PREFIX + record->len;
		write_length(iov[i].iov_base, record->len);
		total += iov[i].iov_len;
	}

	ssize_t written = write_some(conn, iov, count, &error);

	if (written < 0)
		return error == EAGAIN ? WT_AGAIN : give_up(conn, error);
	*taken = settle(conn, records, count, (size_t)written);
	return (size_t)written < total ? WT_AGAIN : WT_OK;
}

enum wt_status wt_tcp_conn_send(struct wt_tcp_conn *conn, const struct wt_record *records, size_t n,
				size_t *taken)
{
	struct wt_tcp_sending *out = &conn->out;
	enum wt_status status = WT_OK;

	*taken = 0;
	if (conn->phase == WT_TCP_CONNECTING)
		return WT_ERR_INVALID;
	if (conn->phase != WT_TCP_OPEN)
		return conn->end_status;
	if (out->error != 0)
		return wt_tcp_socket_status(out->error);
	while (status == WT_OK && !out->blocked && *taken < n) {
		size_t more;

		status = send_batch(conn, wt_record_at(records, *taken), n - *taken, &more);
		*taken += more;
		if (status == WT_AGAIN) {
			out->blocked = true;
			wt_tcp_conn_watch(conn);
			wt_tcp_buffer_full(conn);
			status = WT_OK;
		}
	}
	if (status == WT_OK && *taken < n)
		out->owes_writable = true;
	return status;
}

/* The rest of the partly written record. 0: done; EAGAIN: not now. */
static int write_rest(struct wt_tcp_conn *conn)
{
	struct wt_tcp_sending *out = &conn->out;

	while (out->left > 0) {
		struct iovec iov = { .iov_base = (void *)(uintptr_t)out->at, .iov_len = out->left };
		int error;
		ssize_t n = write_some(conn, &iov, 1, &error);

		if (n < 0)
			return error;
		out->at += n;
		out->left -= (uint32_t)n;
	}
	wt_tcp_sending_drop(conn);
	return 0;
}

void wt_tcp_conn_writable(struct wt_tcp_conn *conn)
{
	const struct wt_host *host = conn->tcp->host;
	struct wt_tcp_sending *out = &conn->out;
	int error = write_rest(conn);

	if (error == EAGAIN)
		return;
	if (error != 0) {
		give_up(conn, error);
		return;
	}
	out->blocked = false;
	if (out->owes_writable) {
		out->owes_writable = false;
		host->link_writable(host, conn->worker, conn->core);
	}
	/* Often blocked again by now: then the watch stays as it is. */
	if (conn->phase == WT_TCP_OPEN)
		wt_tcp_conn_watch(conn);
}

void wt_tcp_sending_finish(struct wt_tcp_conn *conn)
{
	/* close(2) with unread bytes resets the connection, and with it goes
	 * what we sent last: throw them away first, within reason. */
	(void)write_rest(conn);
	for (unsigned i = 0; i < WT_TCP_DISCARD_CALLS; i++)
		if (recv(conn->fd, NULL, WT_TCP_DISCARD_CALL, MSG_DONTWAIT | MSG_TRUNC) <= 0)
			return;
}
