/* SPDX-License-Identifier: MIT
 *
 * route.h: what the kernel knows about the way to an address. A handful of
 * system calls each: not for the packet path.
 */
#ifndef WT_UDP_ROUTE_H
#define WT_UDP_ROUTE_H

#include <whispertunnel/transport.h>

/* The largest record that the first link takes on the way from `local` (NULL: the
 * kernel chooses) to `remote`. Notes of the network about the way behind it
 * ("fragmentation needed") count for nothing: anybody can forge them. */
uint32_t wt_udp_route_record(const struct sockaddr_storage *remote,
			     const struct sockaddr_storage *local);

/* The local address on that way, with the port of `fd`. */
enum wt_status wt_udp_route_local(const struct sockaddr_storage *remote, int fd,
				  struct sockaddr_storage *out) WT_MUST_CHECK;

#endif
