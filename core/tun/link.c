/* SPDX-License-Identifier: MIT */
#include "tun/link.h"

#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>

#include "tun/netlink.h"

/* Takes `change`, which may be NULL (out of memory). */
static int apply(struct wt_netlink *nl, unsigned ifindex, struct rtnl_link *change)
{
	struct rtnl_link *which = rtnl_link_alloc();
	int code = -NLE_NOMEM;

	if (which && change) {
		rtnl_link_set_ifindex(which, (int)ifindex);
		code = rtnl_link_change(nl->sock, which, change, 0);
	}
	if (which)
		rtnl_link_put(which);
	if (change)
		rtnl_link_put(change);
	return code;
}

int wt_link_set_mtu(struct wt_netlink *nl, unsigned ifindex, uint32_t mtu)
{
	struct rtnl_link *change = rtnl_link_alloc();

	if (change)
		rtnl_link_set_mtu(change, mtu);
	return apply(nl, ifindex, change);
}

int wt_link_set_txqueuelen(struct wt_netlink *nl, unsigned ifindex, uint32_t packets)
{
	struct rtnl_link *change = rtnl_link_alloc();

	if (change)
		rtnl_link_set_txqlen(change, packets);
	return apply(nl, ifindex, change);
}

int wt_link_set_up(struct wt_netlink *nl, unsigned ifindex, bool up)
{
	struct rtnl_link *change = rtnl_link_alloc();

	if (change && up)
		rtnl_link_set_flags(change, IFF_UP);
	else if (change)
		rtnl_link_unset_flags(change, IFF_UP);
	return apply(nl, ifindex, change);
}

void wt_link_stop_autoconf(struct wt_netlink *nl, unsigned ifindex)
{
	struct rtnl_link *change = rtnl_link_alloc();

	if (change)
		(void)rtnl_link_inet6_set_addr_gen_mode(change, IN6_ADDR_GEN_MODE_NONE);
	(void)apply(nl, ifindex, change);
	wt_netlink_forget(nl);
}
