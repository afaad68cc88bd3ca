/* SPDX-License-Identifier: MIT
 *
 * link.h: the settings of one link. Used inside this room only.
 *
 * Each call asks the kernel for one change, so that a refusal can name it, and
 * returns 0 or a negative libnl code for wt_netlink_fail.
 */
#ifndef WT_TUN_LINK_H
#define WT_TUN_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct wt_netlink;

int wt_link_set_mtu(struct wt_netlink *nl, unsigned ifindex, uint32_t mtu);
int wt_link_set_txqueuelen(struct wt_netlink *nl, unsigned ifindex, uint32_t packets);
int wt_link_set_up(struct wt_netlink *nl, unsigned ifindex, bool up);

/* The kernel would give the device a link-local address of its own making and
 * send router solicitations from it into the tunnel, where every peer drops
 * them for their source. Without IPv6 there is nothing to stop, so a refusal is
 * no failure. To be called before the link is up. */
void wt_link_stop_autoconf(struct wt_netlink *nl, unsigned ifindex);

/* How many queues of the TUN device `name` are open, in this process and others;
 * 0 if the kernel does not say. */
int wt_link_tun_queues(struct wt_netlink *nl, const char *name, uint32_t *queues);

#endif
