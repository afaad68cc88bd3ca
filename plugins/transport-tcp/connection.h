/* SPDX-License-Identifier: MIT
 *
 * connection.h: one TCP connection, from dial or accept to close.
 *
 * connection.c owns its life, its events and its end; receive.c and send.c the
 * two directions. All calls come from the worker it belongs to. The core may
 * close it inside any report we make, so whoever reports holds it meanwhile and
 * looks at `phase` afterwards.
 *
 * How it ends: whoever finds the end (recv, a failed dial) says so once with
 * wt_tcp_conn_end(), which stops the events and lets the timer report
 * link_ended from the loop, never inside a call of the core. A failed send only
 * shuts the socket down: what was received before is still delivered, and recv
 * then finds the end.
 */
#ifndef WT_TCP_CONNECTION_H
#define WT_TCP_CONNECTION_H

#include <stdbool.h>

#include "deframer.h"
#include "instance.h"
#include "limits.h"
#include "socket.h"
#include "transport-common/address.h"

enum wt_tcp_phase {
	WT_TCP_CONNECTING,
	WT_TCP_OPEN,
	WT_TCP_ENDED, /* nothing comes or goes any more; link_ended is due or done */
	WT_TCP_GONE   /* closed by the core while held; freed on release */
};

struct wt_tcp_receiving {
	struct wt_deframer deframer;
	struct wt_slot *slot; /* NULL: the deframer works in `bytes` */
	bool drained;	      /* the last read got less than it asked for */
	bool lent;	      /* the core may use records, until recv says WT_AGAIN */
	bool waits_for_slot;  /* reading is paused */
	bool refused;	      /* a length out of range: never read again */
	uint8_t bytes[WT_TCP_INLINE];
};

struct wt_tcp_sending {
	struct wt_slot *slot; /* of the partly written record; NULL: none */
	const uint8_t *at;    /* its unwritten rest... */
	uint32_t left;	      /* ...and how long that is */
	bool blocked;	      /* waiting for the kernel to take more */
	bool owes_writable;   /* a send was cut short: link_writable is due */
	int error;	      /* errno that ended sending; 0: none */
	uint64_t looked_ns;   /* at the size of the send buffer; buffer.h */
	bool buffer_limit;    /* the kernel gives no larger one */
};

struct wt_tcp_conn {
	struct wt_tcp *tcp;
	struct wt_worker *worker;
	struct wt_link *core; /* the core's side */
	enum wt_tcp_phase phase;
	unsigned holds;
	int fd;
	struct wt_watch *watch; /* NULL once ended */
	unsigned watched;	/* its events */
	/* One timer for the dial time-out, a report from the loop, the end of a
	 * pause and a stalled record: at most one of them is due at a time. */
	struct wt_timer *timer;
	struct sockaddr_storage remote;
	struct wt_tcp_receiving in;
	struct wt_tcp_sending out;
	enum wt_status end_status;
	bool end_reported;
	char end_text[WT_TCP_REASON_TEXT];
};

/* ---- life (connection.c) */

/* Takes `fd` over in every case, and offers it to the core. */
void wt_tcp_conn_accept(struct wt_tcp *tcp, struct wt_worker *worker, int fd,
			const struct sockaddr_storage *remote);
enum wt_status wt_tcp_conn_dial(struct wt_tcp *tcp, struct wt_worker *worker,
				const struct sockaddr_storage *remote, struct wt_link *core,
				struct wt_tcp_conn **out, struct wt_error *err) WT_MUST_CHECK;
void wt_tcp_conn_close(struct wt_tcp_conn *conn, bool abort);

/* ---- within the plugin (connection.c) */

void wt_tcp_conn_hold(struct wt_tcp_conn *conn);
/* Frees it if the core closed it meanwhile: touch it no more. */
void wt_tcp_conn_release(struct wt_tcp_conn *conn);
/* Watch for the events that are waited for. */
void wt_tcp_conn_watch(struct wt_tcp_conn *conn);
/* The end, said by us or found: report it from the loop. */
void wt_tcp_conn_end(struct wt_tcp_conn *conn, enum wt_status why, const char *text);
void wt_tcp_conn_count(struct wt_tcp_conn *conn, uint32_t counter, uint64_t n);

/* ---- receiving (receive.c): the contract of wt_transport_ops.recv */

void wt_tcp_receiving_init(struct wt_tcp_conn *conn);
enum wt_status wt_tcp_conn_recv(struct wt_tcp_conn *conn, struct wt_record *records, size_t n,
				size_t *got) WT_MUST_CHECK;
/* No byte came for WT_TCP_STALL_MS in the middle of a record. */
void wt_tcp_receiving_stalled(struct wt_tcp_conn *conn);
/* Gives the slot back; what was in it is lost. */
void wt_tcp_receiving_drop(struct wt_tcp_conn *conn);

/* ---- sending (send.c): the contract of wt_transport_ops.send */

enum wt_status wt_tcp_conn_send(struct wt_tcp_conn *conn, const struct wt_record *records, size_t n,
				size_t *taken) WT_MUST_CHECK;
/* The kernel takes bytes again: write the rest, and report link_writable if it
 * is due. Only while held. */
void wt_tcp_conn_writable(struct wt_tcp_conn *conn);
/* The last calls before close(2): what can still be written is. */
void wt_tcp_sending_finish(struct wt_tcp_conn *conn);
/* Gives the slot back; the rest of the record is never written. */
void wt_tcp_sending_drop(struct wt_tcp_conn *conn);

#endif
