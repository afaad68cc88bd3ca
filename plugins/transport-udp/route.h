/* SPDX-License-Identifier: MIT
 *
 * route.h: what the kernel knows about the way to an address. A handful of
 * system calls each: not for the packet path.
 */
#ifndef WT_UDP_ROUTE_H
#define WT_UDP_ROUTE_H

#include <whispertunnel/transport.h>

/* The largest record that goes from `local` (NULL: the kernel chooses) to `remote`
 * in one piece, as far as the first link and this host's own knowledge of the
 * path go. */
uint32_t wt_udp_route_record(const struct sockaddr_storage *remote,
			     const struct sockaddr_storage *local);

/* The local address on that way, with the port of `fd`. */
enum wt_status wt_udp_route_local(const struct sockaddr_storage *remote, int fd,
				  struct sockaddr_storage *out) WT_MUST_CHECK;

#endif
