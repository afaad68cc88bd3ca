/* SPDX-License-Identifier: MIT */
#include "compare/netpair.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define LINK_NAME "outer"
/* Some containers and kernels have none. */
#define REMEDY "run it where that is allowed, or with --no-tunnel"

bool wt_netpair_enter(const struct wt_netpair *pair, unsigned end)
{
	return setns(pair->ns[end], CLONE_NEWNET) == 0;
}

/* One end here, the other in namespace 0. */
static int add_link(struct nl_sock *sock, const struct wt_netpair *pair)
{
	struct rtnl_link *here = rtnl_link_veth_alloc();
	struct rtnl_link *there = here ? rtnl_link_veth_get_peer(here) : NULL;
	int code = -NLE_NOMEM;

	if (there) {
		rtnl_link_set_name(here, LINK_NAME);
		rtnl_link_set_name(there, LINK_NAME);
		rtnl_link_set_ns_fd(there, pair->ns[0]);
		code = rtnl_link_add(sock, here, NLM_F_CREATE | NLM_F_EXCL);
		rtnl_link_put(there);
	}
	if (here)
		rtnl_link_put(here);
	return code;
}

static int set_up(struct nl_sock *sock, int ifindex)
{
	struct rtnl_link *now = rtnl_link_alloc(), *wanted = rtnl_link_alloc();
	int code = -NLE_NOMEM;

	if (now && wanted) {
		rtnl_link_set_ifindex(now, ifindex);
		rtnl_link_set_flags(wanted, IFF_UP);
		code = rtnl_link_change(sock, now, wanted, 0);
	}
	rtnl_link_put(now);
	rtnl_link_put(wanted);
	return code;
}

static int give_address(struct nl_sock *sock, int ifindex, unsigned end)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	struct nl_addr *local = NULL;
	char text[32];
	int code;

	snprintf(text, sizeof text, "%s/24", WT_NETPAIR_ADDRESS(end));
	code = nl_addr_parse(text, AF_INET, &local);
	if (code == 0 && address) {
		rtnl_addr_set_ifindex(address, ifindex);
		rtnl_addr_set_local(address, local);
		code = rtnl_addr_add(sock, address, 0);
	}
	nl_addr_put(local);
	rtnl_addr_put(address);
	return address ? code : -NLE_NOMEM;
}

static enum wt_status furnish(const struct wt_netpair *pair, unsigned end, struct wt_error *err)
{
	struct nl_sock *sock;
	int code = -NLE_NOMEM;

	if (!wt_netpair_enter(pair, end))
		return wt_fail(err, WT_ERR_PERMISSION, "network namespace: %s; " REMEDY,
			       strerror(errno));
	sock = nl_socket_alloc();
	if (sock)
		code = nl_connect(sock, NETLINK_ROUTE);
	/* End 1 makes the link. */
	if (code == 0 && end == 1)
		code = add_link(sock, pair);
	const int ifindex = (int)if_nametoindex(LINK_NAME);

	if (code == 0)
		code = give_address(sock, ifindex, end);
	if (code == 0)
		code = set_up(sock, ifindex);
	nl_socket_free(sock);
	return code == 0
		       ? WT_OK
		       : wt_fail(err, WT_ERR_IO, "a veth link between two namespaces: %s; " REMEDY,
				 nl_geterror(code));
}

enum wt_status wt_netpair_open(struct wt_netpair *pair, struct wt_error *err)
{
	enum wt_status status = WT_OK;

	*pair = (struct wt_netpair){ { -1, -1 } };
	for (unsigned end = 0; end < 2; end++) {
		if (unshare(CLONE_NEWNET) != 0)
			return wt_fail(err, WT_ERR_PERMISSION, "no network namespace: %s; " REMEDY,
				       strerror(errno));
		pair->ns[end] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		if (pair->ns[end] < 0)
			return wt_fail(err, WT_ERR_IO, "/proc/thread-self/ns/net: %s; " REMEDY,
				       strerror(errno));
	}
	for (unsigned end = 2; status == WT_OK && end-- > 0;)
		status = furnish(pair, end, err);
	return status;
}

void wt_netpair_close(struct wt_netpair *pair)
{
	for (unsigned end = 0; end < 2; end++)
		if (pair->ns[end] >= 0)
			close(pair->ns[end]);
	*pair = (struct wt_netpair){ { -1, -1 } };
}
