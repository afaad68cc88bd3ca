/* SPDX-License-Identifier: MIT
 *
 * socket.h: TCP sockets as this transport wants them, and the kernel's errors
 * in words.
 */
#ifndef WT_TCP_SOCKET_H
#define WT_TCP_SOCKET_H

#include "instance.h"
#include "transport-common/address.h"

#define WT_TCP_REASON_TEXT 128u

/* Take `wanted` (NULL, "system", "auto" or a name) as the congestion control of
 * all connections. Does the kernel have it, and may we use it? Nothing stays
 * open. */
enum wt_status wt_tcp_socket_choose(struct wt_tcp *tcp, const char *wanted,
				    struct wt_error *err) WT_MUST_CHECK;

/* A socket bound to `address` and listening, for the `first` worker or to share
 * the port with it; *fd is -1 on failure, and err names the address and what to do. */
enum wt_status wt_tcp_socket_listen(const struct wt_tcp *tcp,
				    const struct sockaddr_storage *address, bool first, int *fd,
				    struct wt_error *err) WT_MUST_CHECK;

/* A socket for one dial, not yet connecting, with all options set. */
enum wt_status wt_tcp_socket_dial(const struct wt_tcp *tcp, const struct sockaddr_storage *remote,
				  int *fd, struct wt_error *err) WT_MUST_CHECK;

/* The options of every connection. What the kernel refuses is logged once in a
 * while: the tunnel works without, less well. */
void wt_tcp_socket_tune(const struct wt_tcp *tcp, int fd);

/* What a connection's errno means, for logs, and its status. */
void wt_tcp_socket_reason(int error, char out[WT_TCP_REASON_TEXT]);
enum wt_status wt_tcp_socket_status(int error);

#endif
