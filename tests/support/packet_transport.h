/* SPDX-License-Identifier: MIT
 *
 * packet_transport.h: a datagram transport without sockets, for tests that own
 * the network: each datagram is lost, doubled, delayed, changed, moved to
 * another source or let through, as the test says.
 *
 * It follows the contract of transport.h: a socket that listens is shared by
 * all who send there, a dialled one hears its remote alone, every report is made
 * from the loop, none that it is readable before recv has said WT_AGAIN, and no
 * datagram ends anything. There is one network in the process; addresses are
 * ports (host byte order), and a path is the remote's port and then ours. The
 * name of the plugin is "packets".
 */
#ifndef WT_TEST_SUPPORT_PACKET_TRANSPORT_H
#define WT_TEST_SUPPORT_PACKET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/registry.h"

extern const struct wt_plugin wt_packet_plugin;

#define WT_PACKET_MAX_DATAGRAM 65507u

struct wt_datagram {
	struct wt_datagram *next;
	uint16_t from, to;
	uint32_t len;
	uint8_t bytes[];
};

/* By its header: which message of auth-hmac it is, or what else. */
enum wt_packet_kind {
	WT_PACKET_M1,
	WT_PACKET_M2,
	WT_PACKET_M3,
	WT_PACKET_RETRY,
	WT_PACKET_DATA,
	WT_PACKET_OTHER
};
#define WT_PACKET_KINDS 6u
enum wt_packet_kind wt_packet_kind(const struct wt_datagram *datagram);

/* What becomes of a datagram. */
enum wt_fate {
	WT_FATE_ARRIVES,
	WT_FATE_LOST,
	WT_FATE_TWICE,
	WT_FATE_LATER /* waits for wt_packets_release */
};

struct wt_packet_net {
	/* Asked for each datagram that is sent; may change its bytes and ports. NULL: all
	 * arrive. */
	enum wt_fate (*fate)(void *arg, struct wt_datagram *datagram);
	void *arg;
	uint32_t link_max; /* a larger record is not sent */
	bool no_route;	   /* nothing is sent, and no size is known */
	uint32_t path_max; /* a larger one vanishes on the way */
	bool full;	   /* sockets take nothing */
	uint16_t full_at;  /* the one with this port takes nothing */
	bool apart;	   /* strangers are answered by a way of their own... */
	bool apart_full;   /* ... which takes nothing */
	uint64_t answered; /* what left by it */
	bool coalesce;	   /* recv gives runs */
	uint64_t sent_kind[WT_PACKET_KINDS];
	uint64_t sent, arrived, nowhere, too_large, bytes_sent;
	uint64_t reports;	   /* link_readable, for any socket */
	struct wt_datagram *later; /* those that wait, the oldest first */
	size_t later_count, socket_count;
};
extern struct wt_packet_net wt_packet_net;

/* Back to the start: everything arrives, 1472 bytes fit. Every engine is gone. */
void wt_packets_reset(void);

/* Put a datagram into the network, whoever `from` belongs to. It arrives. */
void wt_packets_inject(uint16_t from, uint16_t to, const void *bytes, size_t len);
/* Let the oldest that waits arrive, or lose it. */
void wt_packets_release(bool arrives);
/* All of them; `reversed`: the newest first. */
void wt_packets_release_all(bool reversed);

/* Who sent from `port` seems to send from `seen` from now on, and what is sent
 * there comes back to it, as behind a NAT. 0: as it is. */
void wt_packets_rebind(uint16_t port, uint16_t seen);

/* The port of the newest dialled socket. */
uint16_t wt_packets_last_port(void);
/* The sockets can send again. */
void wt_packets_drain(void);

#endif
