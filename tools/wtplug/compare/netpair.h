/* SPDX-License-Identifier: MIT
 *
 * netpair.h: two network namespaces joined by a link, which nobody else sees.
 *
 * They have no names: the kernel takes them away, with all devices in them, when
 * the last process and descriptor in them is gone, whatever ended it.
 */
#ifndef WT_COMPARE_NETPAIR_H
#define WT_COMPARE_NETPAIR_H

#include <stdbool.h>
#include <whispertunnel/status.h>

/* Of end 0 and 1 on the link between them. */
#define WT_NETPAIR_ADDRESS(end) ((end) ? "10.0.0.2" : "10.0.0.1")

struct wt_netpair {
	int ns[2]; /* descriptors of the namespaces; -1: none */
};

/* Leaves this process in namespace 0. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN. Close
 * it in either case. */
enum wt_status wt_netpair_open(struct wt_netpair *pair, struct wt_error *err) WT_MUST_CHECK;
void wt_netpair_close(struct wt_netpair *pair);

/* Moves the calling thread; sockets stay where they were made. */
bool wt_netpair_enter(const struct wt_netpair *pair, unsigned end) WT_MUST_CHECK;

#endif
