/* SPDX-License-Identifier: MIT */
#include "tun/present.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tun/netlink.h"
#include "tun/prefix_list.h"
#include "tun/tun.h"

static bool list_add(struct wt_prefix_list *list, int family, const void *bytes, size_t len,
		     unsigned length)
{
	struct wt_prefix prefix = { .family = (uint8_t)family, .length = (uint8_t)length };

	if (!wt_prefix_list_reserve(list))
		return false;
	if (len > sizeof prefix.bytes)
		len = sizeof prefix.bytes;
	if (len)
		memcpy(prefix.bytes, bytes, len);
	wt_prefix_list_push(list, &prefix);
	return true;
}

/* ---- addresses ---- */

enum wt_status wt_present_addresses(struct wt_netlink *nl, const struct wt_tun *tun,
				    struct wt_prefix_list *list, struct wt_error *err)
{
	struct nl_cache *cache = NULL;
	enum wt_status status = WT_OK;
	int code = rtnl_addr_alloc_cache(nl->sock, &cache);

	if (code < 0)
		return wt_netlink_fail(nl, code, err, "list the addresses of %s", tun->name);
	for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
		struct rtnl_addr *address = (struct rtnl_addr *)o;
		struct nl_addr *local = rtnl_addr_get_local(address);

		if (rtnl_addr_get_ifindex(address) != (int)tun->ifindex || !local)
			continue;
		if (!list_add(list, rtnl_addr_get_family(address), nl_addr_get_binary_addr(local),
			      nl_addr_get_len(local), (unsigned)rtnl_addr_get_prefixlen(address))) {
			status = wt_fail(err, WT_ERR_NOMEM,
					 "list the addresses of %s: out of memory", tun->name);
			break;
		}
	}
	nl_cache_free(cache);
	return status;
}

/* ---- routes ---- */

struct route_dump {
	unsigned ifindex;
	struct wt_prefix_list *list;
	bool no_memory;
};

static int keep_route(struct nl_msg *msg, void *arg)
{
	struct route_dump *dump = arg;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct nlattr *attrs[RTA_MAX + 1], *dst;
	const struct rtmsg *route;
	size_t len;

	if (header->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(header, sizeof *route, attrs, RTA_MAX, NULL) < 0)
		return NL_SKIP;
	route = nlmsg_data(header);
	if (route->rtm_table != RT_TABLE_MAIN || route->rtm_flags & RTM_F_CLONED ||
	    !attrs[RTA_OIF] || nla_get_u32(attrs[RTA_OIF]) != dump->ifindex)
		return NL_SKIP;
	dst = attrs[RTA_DST];
	len = dst ? (size_t)nla_len(dst) : 0;
	if (!list_add(dump->list, route->rtm_family, dst ? nla_data(dst) : NULL, len,
		      route->rtm_dst_len))
		dump->no_memory = true;
	return NL_OK;
}

/* Has the kernel heed what a dump asks for. libnl's own dump requests are too
 * short to pass this check, and the refusal looks like an empty table, so it is
 * on for our request only. A kernel that lacks it sends everything. */
static void set_strict(struct wt_netlink *nl, int on)
{
	(void)setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
			 sizeof on);
}

/* The whole table may be the Internet's: ask for the routes by our link only. */
static int dump_routes(struct wt_netlink *nl, uint8_t family, struct route_dump *dump)
{
	struct rtmsg route = { .rtm_family = family, .rtm_table = RT_TABLE_MAIN };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_DUMP);
	struct nl_cb *usual = nl_socket_get_cb(nl->sock), *cb = nl_cb_clone(usual);
	int code = -NLE_NOMEM;

	nl_cb_put(usual);
	if (!msg || !cb || nlmsg_append(msg, &route, sizeof route, NLMSG_ALIGNTO) < 0 ||
	    nla_put_u32(msg, RTA_OIF, dump->ifindex) < 0)
		goto out;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, keep_route, dump);
	set_strict(nl, 1);
	code = nl_send_auto(nl->sock, msg);
	if (code >= 0)
		code = nl_recvmsgs(nl->sock, cb);
	set_strict(nl, 0);
	if (code >= 0 && dump->no_memory)
		code = -NLE_NOMEM;
out:
	if (cb)
		nl_cb_put(cb);
	nlmsg_free(msg);
	return code;
}

enum wt_status wt_present_routes(struct wt_netlink *nl, const struct wt_tun *tun,
				 struct wt_prefix_list *list, struct wt_error *err)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct route_dump dump = { .ifindex = tun->ifindex, .list = list };

	for (size_t i = 0; i < sizeof families; i++) {
		int code = dump_routes(nl, families[i], &dump);

		if (code == -NLE_DUMP_INTR) {
			/* The table changed meanwhile. What was missed is found
			 * out when it is added. */
			continue;
		}
		if (code < 0)
			return wt_netlink_fail(nl, code, err, "list the routes by %s", tun->name);
	}
	if (list->count)
		qsort(list->at, list->count, sizeof *list->at, wt_prefix_order);
	return WT_OK;
}
