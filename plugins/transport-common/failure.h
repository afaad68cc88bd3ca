/* SPDX-License-Identifier: MIT
 *
 * failure.h: what the kernel refuses about sockets, as sentences for the
 * operator. `err` may be NULL.
 */
#ifndef WT_TRANSPORT_COMMON_FAILURE_H
#define WT_TRANSPORT_COMMON_FAILURE_H

#include <whispertunnel/transport.h>

/* Sets the sentence and returns `status`. */
enum wt_status wt_socket_fail(struct wt_error *err, enum wt_status status, const char *fmt, ...)
	WT_PRINTF(3, 4) WT_MUST_CHECK;

/* errno in words; `buf` may or may not be used. */
const char *wt_socket_error_text(int error, char *buf, size_t size);

/* socket(2) failed with `error`; `protocol` is "TCP" or "UDP". */
enum wt_status wt_socket_not_opened(const char *protocol, int error,
				    struct wt_error *err) WT_MUST_CHECK;

/* The socket for `address` of a `listen` key could not be bound, or not listen;
 * `protocol` as above. */
enum wt_status wt_socket_not_bound(const char *protocol, const struct sockaddr_storage *address,
				   int error, struct wt_error *err) WT_MUST_CHECK;

#endif
