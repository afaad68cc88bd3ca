/* SPDX-License-Identifier: MIT
 *
 * Before authentication a connection reads into its own few bytes; afterwards
 * into a slot, which it holds only while there is something in it. At most one
 * receive call per recv: the core shares its turn among connections.
 */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

/* Where the first length of a slot goes, so that the packet of the record behind
 * it lies at WT_SLOT_PACKET: length | record header | kind | packet. */
#define SLOT_FRONT (WT_SLOT_PACKET - 1u - WT_RECORD_HEADER - WT_TCP_PREFIX)

_Static_assert(SLOT_FRONT + 2 * (WT_TCP_PREFIX + WT_RECORD_MAX + WT_TCP_PREFIX) <= WT_SLOT_CAPACITY,
	       "a slot holds the longest record twice, each with its length and the next");

void wt_tcp_receiving_init(struct wt_tcp_conn *conn)
{
	struct wt_tcp_receiving *in = &conn->in;

	wt_deframer_init(&in->deframer, WT_UNAUTHENTICATED_MAX);
	wt_deframer_attach(&in->deframer, in->bytes, 0, sizeof in->bytes);
}

void wt_tcp_receiving_drop(struct wt_tcp_conn *conn)
{
	const struct wt_host *host = conn->tcp->host;

	if (conn->in.slot)
		host->slot_done(host, conn->worker, conn->in.slot);
	conn->in.slot = NULL;
	wt_deframer_clear(&conn->in.deframer);
	wt_deframer_attach(&conn->in.deframer, conn->in.bytes, 0, sizeof conn->in.bytes);
}

/* Nothing now. Records given out earlier are no longer used by the core, so an
 * empty slot goes back; one with a part of a record is kept for a while. */
static enum wt_status say_again(struct wt_tcp_conn *conn)
{
	struct wt_tcp_receiving *in = &conn->in;
	const struct wt_host *host = conn->tcp->host;

	if (in->slot && wt_deframer_pending(&in->deframer) == 0)
		wt_tcp_receiving_drop(conn);
	if (in->slot)
		host->timer_set(host, conn->timer, WT_TCP_STALL_MS);
	else
		host->timer_stop(host, conn->timer);
	in->lent = false;
	return WT_AGAIN;
}

static enum wt_status say_refused(struct wt_tcp_conn *conn)
{
	struct wt_tcp_receiving *in = &conn->in;
	const struct wt_host *host = conn->tcp->host;
	char who[WT_ADDRESS_TEXT];

	if (in->refused)
		return WT_ERR_LIMIT;
	in->refused = true;
	wt_address_text(&conn->remote, who);
	wt_tcp_conn_count(conn, conn->tcp->counters.bad_length, 1);
	host->log_limited(host, WT_LOG_DEBUG, "tcp-length",
			  "%s sent a record length outside %u..%u: not one of ours, or damaged",
			  who, WT_TCP_RECORD_MIN, in->deframer.max);
	wt_tcp_conn_watch(conn);
	return WT_ERR_LIMIT;
}

static enum wt_status say_ended(struct wt_tcp_conn *conn, int error)
{
	char reason[WT_TCP_REASON_TEXT] = "closed by the other end";
	char text[WT_TCP_REASON_TEXT];
	bool partial = wt_deframer_pending(&conn->in.deframer) > 0;

	/* Sending may have met the cause first; the kernel tells it once. */
	if (conn->out.error != 0)
		error = conn->out.error;
	if (error != 0)
		wt_tcp_socket_reason(error, reason);
	snprintf(text, sizeof text, "%.90s%s", reason, partial ? " in the middle of a record" : "");
	wt_tcp_receiving_drop(conn);
	wt_tcp_conn_end(conn, error != 0 ? wt_tcp_socket_status(error) : WT_ERR_CLOSED, text);
	return conn->end_status;
}

void wt_tcp_receiving_stalled(struct wt_tcp_conn *conn)
{
	uint8_t byte;

	/* If it was this process that slept, the bytes are there by now. */
	if (!conn->in.slot || conn->in.lent ||
	    recv(conn->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0)
		return;
	wt_tcp_receiving_drop(conn);
	wt_tcp_conn_end(conn, WT_ERR_IO, "stalled in the middle of a record");
}

/* Whole records that are already here, up to n. */
static enum wt_status give_out(struct wt_tcp_conn *conn, struct wt_record *records, size_t n,
			       size_t *got)
{
	size_t stride = records->struct_size;
	enum wt_status status = WT_OK;

	for (size_t i = 0; i < n; i++) {
		struct wt_record *record = (struct wt_record *)((uint8_t *)records + i * stride);

		status = wt_deframer_next(&conn->in.deframer, &record->data, &record->len);
		if (status != WT_OK)
			break;
		record->slot = NULL;
		(*got)++;
	}
	if (*got == 0)
		return status;
	conn->in.lent = true;
	return WT_OK;
}

/* A buffer for what the core allows now. */
static bool have_room(struct wt_tcp_conn *conn)
{
	struct wt_tcp_receiving *in = &conn->in;
	const struct wt_host *host = conn->tcp->host;

	if (in->slot || in->deframer.max <= WT_UNAUTHENTICATED_MAX)
		return true;
	in->slot = host->slot_get(host, conn->worker);
	if (!in->slot) {
		/* The bytes stay in the kernel; a pause, since a
		 * level-triggered watch would not let the loop sleep. */
		wt_tcp_conn_count(conn, conn->tcp->counters.slot_waits, 1);
		in->waits_for_slot = true;
		wt_tcp_conn_watch(conn);
		return false;
	}
	wt_tcp_conn_count(
		conn, conn->tcp->counters.copied_bytes,
		wt_deframer_attach(&in->deframer, in->slot->base, SLOT_FRONT, in->slot->capacity));
	if (in->waits_for_slot) {
		in->waits_for_slot = false;
		wt_tcp_conn_watch(conn);
	}
	return true;
}

static ssize_t receive_into(int fd, struct wt_deframer_plan *plan)
{
	struct msghdr msg = { .msg_iov = plan->region, .msg_iovlen = plan->regions };

	return recvmsg(fd, &msg, MSG_DONTWAIT);
}

/* One receive call. WT_OK: some bytes came. */
static enum wt_status receive(struct wt_tcp_conn *conn)
{
	struct wt_tcp_receiving *in = &conn->in;
	struct wt_deframer_plan plan = wt_deframer_plan(&in->deframer);
	ssize_t n = receive_into(conn->fd, &plan);
	int error = errno;

	wt_tcp_conn_count(conn, conn->tcp->counters.rx_calls, 1);
	if (plan.moved > 0)
		wt_tcp_conn_count(conn, conn->tcp->counters.copied_bytes, plan.moved);
	if (n < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR))
		return say_again(conn);
	if (n <= 0)
		return say_ended(conn, n < 0 ? error : 0);
	wt_deframer_filled(&in->deframer, (uint32_t)n);
	/* Short: the kernel has no more, and the next recv need not ask. */
	in->drained = (uint32_t)n < plan.len;
	return WT_OK;
}

enum wt_status wt_tcp_conn_recv(struct wt_tcp_conn *conn, struct wt_record *records, size_t n,
				size_t *got)
{
	struct wt_tcp_receiving *in = &conn->in;
	enum wt_status status;

	*got = 0;
	if (n == 0)
		return WT_ERR_INVALID;
	if (conn->phase != WT_TCP_OPEN)
		return conn->phase == WT_TCP_ENDED ? conn->end_status : WT_AGAIN;
	status = give_out(conn, records, n, got);
	if (status == WT_OK)
		return WT_OK;
	if (status == WT_ERR_LIMIT)
		return say_refused(conn);
	if (in->drained) {
		in->drained = false;
		return say_again(conn);
	}
	if (!have_room(conn)) {
		(void)say_again(conn);
		conn->tcp->host->timer_set(conn->tcp->host, conn->timer, WT_TCP_SLOT_PAUSE_MS);
		return WT_AGAIN;
	}
	status = receive(conn);
	if (status != WT_OK)
		return status;
	status = give_out(conn, records, n, got);
	if (status == WT_OK)
		return WT_OK;
	return status == WT_ERR_LIMIT ? say_refused(conn) : say_again(conn);
}
