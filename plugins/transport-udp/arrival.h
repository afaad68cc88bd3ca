/* SPDX-License-Identifier: MIT
 *
 * arrival.h: what recvmmsg(2) gave, read and judged. No system calls.
 */
#ifndef WT_UDP_ARRIVAL_H
#define WT_UDP_ARRIVAL_H

#include <sys/socket.h>
#include <whispertunnel/transport.h>

/* Room for the control messages of one datagram: the address it was sent to, and
 * the size of its segments. */
#define WT_UDP_ARRIVAL_CONTROL 64u

enum wt_udp_arrival_fate {
	WT_UDP_ARRIVED,
	WT_UDP_TRUNCATED, /* part of it, or of what is told about it, is missing */
	WT_UDP_SHORT,	  /* nothing in it is as long as a message */
};

struct wt_udp_arrival {
	uint32_t len;	  /* of all records in it */
	uint32_t segment; /* of each but the last; `len` when there is one */
	uint32_t count;	  /* datagrams that came, those in `shorter` included */
	uint32_t shorter; /* of them: too short for a message, not in `len` */
	struct wt_path path;
};

/* `msg` as it is after the call, with msg_name set, and the `len` bytes that it
 * gave. `out->count` is set whatever the fate is. */
enum wt_udp_arrival_fate wt_udp_arrival_read(const struct msghdr *msg, size_t len,
					     struct wt_udp_arrival *out);

#endif
