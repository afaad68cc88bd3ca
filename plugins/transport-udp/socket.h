/* SPDX-License-Identifier: MIT
 *
 * socket.h: UDP sockets as this transport wants them.
 */
#ifndef WT_UDP_SOCKET_H
#define WT_UDP_SOCKET_H

#include "instance.h"

/* A socket bound to `address`; *fd is -1 on failure, and err names the address
 * and what to do. With several workers, worker number `index` must come after
 * the ones before it: together they share the address, and what comes in is
 * theirs by its receiver index. */
enum wt_status wt_udp_socket_listen(const struct wt_udp *udp,
				    const struct sockaddr_storage *address, uint32_t index, int *fd,
				    struct wt_error *err) WT_MUST_CHECK;

/* A socket for one dial, bound to a free port of every local address. */
enum wt_status wt_udp_socket_dial(const struct wt_udp *udp, const struct sockaddr_storage *remote,
				  int *fd, struct wt_error *err) WT_MUST_CHECK;

#endif
