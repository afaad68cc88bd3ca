/* SPDX-License-Identifier: MIT
 *
 * link.h: one UDP socket, from listen or dial to close.
 *
 * link.c owns its life and its events; receive.c and send.c the two directions.
 * All calls come from the worker it belongs to. The core may close it inside any
 * report we make, so whoever reports holds it meanwhile and looks at `closed`
 * afterwards. Nothing that the network does ends a link.
 */
#ifndef WT_UDP_LINK_H
#define WT_UDP_LINK_H

#include <netinet/in.h>

#include "arrival.h"
#include "instance.h"
#include "limits.h"
#include "socket.h"
#include "train.h"

struct wt_udp_receiving {
	struct wt_slot *slots[WT_UDP_RECV_SLOTS];
	size_t slot_count;
	/* What the last call gave: messages next..count are not yet read, and of
	 * `arrival` the bytes from `at` on not yet given out. */
	struct mmsghdr messages[WT_UDP_RECV_BATCH];
	struct iovec regions[WT_UDP_RECV_BATCH];
	struct sockaddr_storage names[WT_UDP_RECV_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[WT_UDP_RECV_BATCH][WT_UDP_ARRIVAL_CONTROL];
	size_t count, next;
	struct wt_udp_arrival arrival;
	uint8_t *data; /* of arrival */
	uint32_t at;
	bool small;	     /* a call was filled by little: ask for more at once */
	bool drained;	     /* the last call got less than it asked for */
	bool waits_for_slot; /* reading is paused */
};

struct wt_udp_sending {
	bool runs;	       /* the kernel cuts them here, as far as we know */
	struct wt_record rest; /* of a run of which a part went out; slot NULL: none */
	uint32_t doubt;	       /* bytes that go one by one, to find out what... */
	int doubt_error;       /* ...this error of the run that they made was about */
	unsigned tries;	       /* of the datagram that is next */
	bool blocked;	       /* waiting for the kernel to take more... */
	bool paused;	       /* ...until a timer says so, not the socket */
	bool owes_writable;    /* a send was cut short: link_writable is due */
};

struct wt_udp_link {
	struct wt_udp *udp;
	struct wt_worker *worker;
	struct wt_link *core; /* the core's side */
	bool dialled;
	bool connecting; /* link_connected is due */
	bool closed;	 /* by the core while held; freed on release */
	unsigned holds;
	int fd;
	int answers; /* the socket for answers to strangers, the instance's; -1: none */
	struct wt_watch *watch;
	unsigned watched;	      /* its events */
	struct wt_timer *timer;	      /* reports the dial, ends a pause of reading */
	struct wt_timer *pause;	      /* ends a pause of sending */
	struct sockaddr_storage peer; /* dialled: the remote; else where it listens */
	struct wt_udp_receiving in;
	struct wt_udp_sending out;
};

/* ---- life (link.c) */

/* Takes `fd` over, on failure too: then NULL, for want of memory. */
struct wt_udp_link *wt_udp_link_new(struct wt_udp *udp, struct wt_worker *worker, int fd,
				    const struct sockaddr_storage *peer, bool dialled);
enum wt_status wt_udp_link_dial(struct wt_udp *udp, struct wt_worker *worker,
				const struct sockaddr_storage *remote, struct wt_link *core,
				struct wt_udp_link **out, struct wt_error *err) WT_MUST_CHECK;
void wt_udp_link_close(struct wt_udp_link *link, bool abort);

/* ---- within the plugin (link.c) */

/* Watch for the events that are waited for. */
void wt_udp_link_watch(struct wt_udp_link *link);
void wt_udp_link_count(struct wt_udp_link *link, uint32_t counter, uint64_t n);

/* ---- receiving (receive.c): the contract of wt_transport_ops.recv */

enum wt_status wt_udp_link_recv(struct wt_udp_link *link, struct wt_record *records, size_t n,
				size_t *got) WT_MUST_CHECK;
/* Gives the slots back; what was in them is lost. */
void wt_udp_receiving_drop(struct wt_udp_link *link);
/* The kernel's notes about datagrams that did not get through. */
void wt_udp_receiving_errors(struct wt_udp_link *link);

/* ---- sending (send.c): the contract of wt_transport_ops.send */

enum wt_status wt_udp_link_send(struct wt_udp_link *link, const struct wt_record *records, size_t n,
				size_t *taken) WT_MUST_CHECK;
/* The kernel may take more: send the rest, and report link_writable if it is due.
 * Only while held. */
void wt_udp_link_writable(struct wt_udp_link *link);
/* The last call before close(2): what the kernel takes at once goes out. */
void wt_udp_sending_finish(struct wt_udp_link *link);
/* Gives the slot back; the rest of the run is never sent. */
void wt_udp_sending_drop(struct wt_udp_link *link);

#endif
