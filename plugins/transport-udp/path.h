/* SPDX-License-Identifier: MIT
 *
 * path.h: what stands in a struct wt_path of this transport: the address and port
 * of the other end, and the address of this end. The port of this end is the
 * socket's.
 */
#ifndef WT_UDP_PATH_H
#define WT_UDP_PATH_H

#include <stdbool.h>
#include <whispertunnel/transport.h>

struct wt_udp_path {
	uint8_t family; /* 4 or 6; 0: no path */
	uint8_t zero;
	uint16_t port;	    /* the other end's, big-endian */
	uint32_t scope;	    /* IPv6: the interface of a link-local address, else 0 */
	uint8_t remote[16]; /* IPv4: the first four bytes */
	uint8_t local[16];  /* all zero: not known, the kernel chooses */
	uint8_t unused[8];
};

/* From the address that a datagram came from, which is IPv4 or IPv6, and the
 * 4 or 16 bytes of the address that it was sent to (NULL: not known). */
void wt_udp_path_make(const struct sockaddr_storage *remote, const void *local,
		      struct wt_path *out);

/* False, and all zero, for a path that names nobody. */
bool wt_udp_path_read(const struct wt_path *path, struct wt_udp_path *out);

/* The other end; `out` is zero where the address does not reach. */
void wt_udp_path_remote(const struct wt_udp_path *path, struct sockaddr_storage *out);
/* This end, with `port` (big-endian). */
void wt_udp_path_local(const struct wt_udp_path *path, uint16_t port, struct sockaddr_storage *out);

/* The control message that makes a datagram leave from path->local. `room` is
 * zeroed and at least WT_UDP_PATH_CONTROL long. Returns what it takes of it, 0
 * when the kernel chooses. */
#define WT_UDP_PATH_CONTROL 40u
size_t wt_udp_path_control(const struct wt_udp_path *path, void *room);

#endif
