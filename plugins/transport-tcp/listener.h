/* SPDX-License-Identifier: MIT
 *
 * listener.h: the listening sockets of an instance, and accepting from them.
 */
#ifndef WT_TCP_LISTENER_H
#define WT_TCP_LISTENER_H

#include "instance.h"

/* Open what the section's `listen` names, all or nothing. Once for each worker. */
enum wt_status wt_tcp_listener_open(struct wt_tcp *tcp, struct wt_worker *worker,
				    struct wt_error *err) WT_MUST_CHECK;

/* Close those of all workers; none is fine. */
void wt_tcp_listener_close(struct wt_tcp *tcp);

#endif
