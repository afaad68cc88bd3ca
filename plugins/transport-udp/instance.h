/* SPDX-License-Identifier: MIT
 *
 * instance.h: one [transport NAME] section at work.
 *
 * Written by create() and listen(), before any worker runs; read-only for
 * everyone else, so that links of several workers may share it.
 */
#ifndef WT_UDP_INSTANCE_H
#define WT_UDP_INSTANCE_H

#include <stdbool.h>
#include <whispertunnel/transport.h>

struct wt_udp_counters {
	uint32_t rx_calls, tx_calls; /* receive and send system calls */
	uint32_t gro_receives;	     /* runs that came in */
	uint32_t gro_segments;	     /* datagrams in them */
	uint32_t gso_sends;	     /* runs that went out */
	uint32_t gso_segments;	     /* datagrams in them */
	uint32_t fallbacks;	     /* sockets that no longer send runs */
	uint32_t buffer_full;	     /* sends put off because the kernel took no more */
	uint32_t slot_waits;	     /* reads put off because the pool was empty */
	uint32_t hints;		     /* errors of the network, of which nothing follows */

	/* Datagrams that were lost here, each under one of these. */
	uint32_t too_large;    /* larger than the link takes */
	uint32_t unreachable;  /* the kernel had no way for it */
	uint32_t too_short;    /* received, shorter than a message */
	uint32_t truncated;    /* received, larger than its buffer */
	uint32_t foreign;      /* received at a dialled socket, from somebody else */
	uint32_t answers_full; /* to strangers, for whom too much waits already */
};

struct wt_udp {
	const struct wt_host *host;
	const struct wt_config *cfg;
	bool runs;		      /* send and receive them */
	int send_buffer, recv_buffer; /* bytes; 0: the system's */
	uint32_t workers;
	struct wt_udp_counters counters;

	uint32_t listening; /* how many workers */
	/* Where the first one's sockets are: the others share these places. */
	struct wt_udp_place {
		struct sockaddr_storage address;
		int answers; /* what strangers are answered by, for all workers; -1: none */
	} * places;
	size_t place_count;
};

#endif
