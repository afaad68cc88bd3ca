/* SPDX-License-Identifier: MIT
 *
 * listener.h: opening the sockets that the section's `listen` names.
 */
#ifndef WT_UDP_LISTENER_H
#define WT_UDP_LISTENER_H

#include "instance.h"

/* The contract of wt_transport_ops.listen. */
enum wt_status wt_udp_listener_open(struct wt_udp *udp, struct wt_worker *worker,
				    struct wt_error *err) WT_MUST_CHECK;

/* Frees what was noted about them; the sockets are links, closed by then. */
void wt_udp_listener_forget(struct wt_udp *udp);

#endif
