/* SPDX-License-Identifier: MIT */
#include "tun/link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
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

/* IFLA_LINKINFO / IFLA_INFO_DATA / IFLA_TUN_NUM_QUEUES of the answer. */
static int keep_queues(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *tun[IFLA_TUN_MAX + 1];

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL) < 0 ||
	    !attrs[IFLA_LINKINFO] ||
	    nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) < 0 ||
	    !info[IFLA_INFO_DATA] ||
	    nla_parse_nested(tun, IFLA_TUN_MAX, info[IFLA_INFO_DATA], NULL) < 0 ||
	    !tun[IFLA_TUN_NUM_QUEUES])
		return NL_SKIP;
	*(uint32_t *)arg = nla_get_u32(tun[IFLA_TUN_NUM_QUEUES]);
	return NL_OK;
}

int wt_link_tun_queues(struct wt_netlink *nl, const char *name, uint32_t *queues)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);
	struct nl_cb *usual = nl_socket_get_cb(nl->sock), *cb = nl_cb_clone(usual);
	int code = -NLE_NOMEM;

	nl_cb_put(usual);
	*queues = 0;
	if (msg && cb && nlmsg_append(msg, &link, sizeof link, NLMSG_ALIGNTO) == 0 &&
	    nla_put_string(msg, IFLA_IFNAME, name) == 0) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, keep_queues, queues);
		code = nl_send_auto(nl->sock, msg);
		if (code >= 0)
			code = nl_recvmsgs(nl->sock, cb);
	}
	if (cb)
		nl_cb_put(cb);
	nlmsg_free(msg);
	return code;
}
