/* SPDX-License-Identifier: MIT
 *
 * wt_route_mtu of tun.h.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tun/netlink.h"
#include "tun/tun.h"

/* A destination as the kernel's tables know it: no v4-mapped addresses. */
struct destination {
	struct nl_addr *addr;
	unsigned scope_id; /* the link itself, for fe80::/10 */
	char text[NI_MAXHOST];
};

static enum wt_status read_destination(const struct sockaddr *address, struct destination *out,
				       struct wt_error *err)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
	int unreadable;

	*out = (struct destination){ 0 };
	switch (address->sa_family) {
	case AF_INET:
		out->addr = nl_addr_build(AF_INET, &v4->sin_addr, sizeof v4->sin_addr);
		unreadable = getnameinfo(address, sizeof *v4, out->text, sizeof out->text, NULL, 0,
					 NI_NUMERICHOST);
		break;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			out->addr = nl_addr_build(AF_INET, &v6->sin6_addr.s6_addr[12], 4);
		else
			out->addr = nl_addr_build(AF_INET6, &v6->sin6_addr, sizeof v6->sin6_addr);
		if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
			out->scope_id = v6->sin6_scope_id;
		unreadable = getnameinfo(address, sizeof *v6, out->text, sizeof out->text, NULL, 0,
					 NI_NUMERICHOST);
		break;
	default:
		return wt_fail(err, WT_ERR_INVALID, "route: not an IP address (family %d)",
			       address->sa_family);
	}
	if (!out->addr)
		return wt_fail(err, WT_ERR_NOMEM, "route: out of memory");
	if (unreadable)
		out->text[0] = '\0';
	return WT_OK;
}

/* The link and, if the way itself has one, the MTU; 0 if not. */
static enum wt_status look_up(struct wt_netlink *nl, const struct destination *to, int *ifindex,
			      uint32_t *mtu, struct wt_error *err)
{
	struct rtnl_route *route = NULL;
	enum wt_status status = WT_OK;
	int code;

	*mtu = 0;
	*ifindex = (int)to->scope_id;
	if (*ifindex)
		return WT_OK;
	code = rtnl_route_lookup(nl->sock, to->addr, &route);
	if (code < 0)
		return wt_netlink_fail(nl, code, err, "no route to %s", to->text);
	/* "unreachable", "blackhole", "prohibit" are answers too. */
	if ((rtnl_route_get_type(route) != RTN_UNICAST && rtnl_route_get_type(route) != RTN_LOCAL &&
	     rtnl_route_get_type(route) != RTN_BROADCAST &&
	     rtnl_route_get_type(route) != RTN_MULTICAST) ||
	    rtnl_route_get_nnexthops(route) < 1) {
		status = wt_fail(err, WT_ERR_IO, "no route to %s: the routing table forbids it",
				 to->text);
	} else {
		*ifindex = rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(route, 0));
		if (rtnl_route_get_metric(route, RTAX_MTU, mtu) < 0)
			*mtu = 0;
	}
	rtnl_route_put(route);
	return status;
}

enum wt_status wt_route_mtu(const struct sockaddr *address, uint32_t *mtu, char *link_name,
			    struct wt_error *err)
{
	struct wt_netlink nl = { 0 };
	struct rtnl_link *link = NULL;
	struct destination to;
	uint32_t way_mtu;
	int ifindex, code;
	enum wt_status status = read_destination(address, &to, err);

	if (status)
		return status;
	status = wt_netlink_open(&nl, err);
	if (!status)
		status = look_up(&nl, &to, &ifindex, &way_mtu, err);
	if (status)
		goto out;
	code = rtnl_link_get_kernel(nl.sock, ifindex, NULL, &link);
	if (code < 0) {
		status = wt_netlink_fail(&nl, code, err, "the link towards %s", to.text);
		goto out;
	}
	*mtu = way_mtu ? way_mtu : rtnl_link_get_mtu(link);
	if (link_name)
		snprintf(link_name, IFNAMSIZ, "%s", rtnl_link_get_name(link));
out:
	if (link)
		rtnl_link_put(link);
	wt_netlink_close(&nl);
	nl_addr_put(to.addr);
	return status;
}
