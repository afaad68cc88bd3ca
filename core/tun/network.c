/* SPDX-License-Identifier: MIT */
#include "tun/network.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tun/link.h"
#include "tun/netlink.h"
#include "tun/prefix_list.h"
#include "tun/present.h"
#include "tun/tun.h"

#define IPV6_LEAST_MTU 1280u

/* On a persistent device: what was set here and was not so before. */
struct wt_tun_changes {
	struct wt_prefix_list addresses;
	struct wt_prefix_list routes;
	uint32_t old_mtu; /* 0: not changed */
	uint32_t old_txqueuelen;
	bool txqueuelen_changed;
	bool brought_up;
};

/* One run of wt_tun_configure. */
struct setup {
	struct wt_tun *tun;
	const struct wt_tun_network *network;
	struct wt_netlink nl;
	struct wt_error *err;
	struct rtnl_link *link;		 /* as it is */
	struct wt_prefix_list addresses; /* already on the device */
	struct wt_prefix_list routes;	 /* already through the device */
};

/* ---- link ---- */

static enum wt_status configure_link(struct setup *s)
{
	const struct wt_tun_network *want = s->network;
	struct wt_tun_changes *changes = s->tun->changes;
	uint32_t mtu = rtnl_link_get_mtu(s->link), queue = rtnl_link_get_txqlen(s->link);
	int code;

	if (mtu != want->mtu) {
		code = wt_link_set_mtu(&s->nl, s->tun->ifindex, want->mtu);
		if (code < 0)
			return wt_netlink_fail(&s->nl, code, s->err, "cannot set mtu %u on %s",
					       want->mtu, s->tun->name);
		if (changes && !changes->old_mtu)
			changes->old_mtu = mtu;
	}
	if (want->txqueuelen && queue != want->txqueuelen) {
		code = wt_link_set_txqueuelen(&s->nl, s->tun->ifindex, want->txqueuelen);
		if (code < 0)
			return wt_netlink_fail(&s->nl, code, s->err,
					       "cannot set txqueuelen %u on %s", want->txqueuelen,
					       s->tun->name);
		if (changes && !changes->txqueuelen_changed) {
			changes->old_txqueuelen = queue;
			changes->txqueuelen_changed = true;
		}
	}
	if (!s->tun->persistent)
		wt_link_stop_autoconf(&s->nl, s->tun->ifindex);
	return WT_OK;
}

static enum wt_status bring_up(struct setup *s)
{
	int code;

	if (rtnl_link_get_flags(s->link) & IFF_UP)
		return WT_OK;
	code = wt_link_set_up(&s->nl, s->tun->ifindex, true);
	if (code < 0)
		return wt_netlink_fail(&s->nl, code, s->err, "cannot set %s up", s->tun->name);
	if (s->tun->changes)
		s->tun->changes->brought_up = true;
	return WT_OK;
}

/* ---- addresses ---- */

static struct nl_addr *to_nl(const struct wt_prefix *prefix)
{
	struct nl_addr *addr =
		nl_addr_build(prefix->family, prefix->bytes, prefix->family == AF_INET ? 4 : 16);

	if (addr)
		nl_addr_set_prefixlen(addr, prefix->length);
	return addr;
}

static struct rtnl_addr *new_address(unsigned ifindex, const struct wt_prefix *prefix)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	struct nl_addr *local = to_nl(prefix);

	if (address && local) {
		rtnl_addr_set_ifindex(address, (int)ifindex);
		if (rtnl_addr_set_local(address, local) == 0) {
			/* Nobody else can have it: usable at once. */
			if (prefix->family == AF_INET6)
				rtnl_addr_set_flags(address, IFA_F_NODAD);
			nl_addr_put(local);
			return address;
		}
	}
	if (address)
		rtnl_addr_put(address);
	if (local)
		nl_addr_put(local);
	return NULL;
}

/* What the kernel says for IPv6 that is off differs by where it is off. */
static enum wt_status fail_address(struct setup *s, const struct wt_prefix *prefix, int code)
{
	char text[WT_PREFIX_TEXT];
	const char *name = s->tun->name;

	wt_prefix_format(prefix, text);
	if (prefix->family == AF_INET6 && s->nl.error == EACCES)
		return wt_fail(s->err, WT_ERR_CONFIG,
			       "cannot add address %s to %s: IPv6 is disabled here: sysctl -w "
			       "net.ipv6.conf.all.disable_ipv6=0 "
			       "net.ipv6.conf.default.disable_ipv6=0, or remove the address",
			       text, name);
	if (prefix->family == AF_INET6 &&
	    (s->nl.error == EOPNOTSUPP || s->nl.error == EAFNOSUPPORT))
		return wt_fail(s->err, WT_ERR_CONFIG,
			       "cannot add address %s to %s: this kernel runs without IPv6 "
			       "(ipv6.disable=1 or not built in): enable it, or remove the address",
			       text, name);
	if (s->nl.error == EPERM)
		return wt_fail(s->err, WT_ERR_PERMISSION,
			       "cannot add address %s to %s: permission denied. Run as root or "
			       "with CAP_NET_ADMIN, or let root add it once: ip addr add %s dev %s",
			       text, name, text, name);
	if (s->nl.error == EEXIST)
		return wt_fail(s->err, WT_ERR_CONFIG,
			       "cannot add address %s to %s: it is there with another prefix "
			       "length (see: ip addr show dev %s)",
			       text, name, name);
	return wt_netlink_fail(&s->nl, code, s->err, "cannot add address %s to %s", text, name);
}

static enum wt_status add_address(struct setup *s, const struct wt_prefix *prefix)
{
	struct wt_tun_changes *changes = s->tun->changes;
	struct rtnl_addr *address;
	int code;

	if (wt_prefix_list_has(&s->addresses, prefix))
		return WT_OK;
	if (prefix->family == AF_INET6 && s->network->mtu < IPV6_LEAST_MTU) {
		char text[WT_PREFIX_TEXT];

		return wt_fail(s->err, WT_ERR_CONFIG,
			       "cannot add address %s to %s: IPv6 needs an mtu of at least %u, "
			       "this one is %u",
			       wt_prefix_format(prefix, text), s->tun->name, IPV6_LEAST_MTU,
			       s->network->mtu);
	}
	/* Room to remember it comes first: a thing done is never forgotten. */
	if (!wt_prefix_list_reserve(&s->addresses) ||
	    (changes && !wt_prefix_list_reserve(&changes->addresses)))
		return wt_fail(s->err, WT_ERR_NOMEM, "addresses of %s: out of memory",
			       s->tun->name);
	address = new_address(s->tun->ifindex, prefix);
	if (!address)
		return wt_fail(s->err, WT_ERR_NOMEM, "addresses of %s: out of memory",
			       s->tun->name);
	code = rtnl_addr_add(s->nl.sock, address, NLM_F_EXCL);
	rtnl_addr_put(address);
	if (code < 0)
		return fail_address(s, prefix, code);
	wt_prefix_list_push(&s->addresses, prefix);
	if (changes)
		wt_prefix_list_push(&changes->addresses, prefix);
	return WT_OK;
}

/* ---- routes ---- */

static struct rtnl_route *new_route(unsigned ifindex, const struct wt_prefix *prefix)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *network = to_nl(prefix);

	if (!route || !hop || !network || rtnl_route_set_dst(route, network) < 0) {
		if (route)
			rtnl_route_put(route);
		if (hop)
			rtnl_route_nh_free(hop);
		if (network)
			nl_addr_put(network);
		return NULL;
	}
	nl_addr_put(network);
	rtnl_route_set_family(route, prefix->family);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_protocol(route, RTPROT_STATIC);
	rtnl_route_set_scope(route, RT_SCOPE_LINK);
	rtnl_route_set_type(route, RTN_UNICAST);
	rtnl_route_nh_set_ifindex(hop, (int)ifindex);
	rtnl_route_add_nexthop(route, hop);
	return route;
}

static enum wt_status fail_route(struct setup *s, const struct wt_prefix *prefix, int code)
{
	char text[WT_PREFIX_TEXT];
	const char *name = s->tun->name;
	const char *v6 = prefix->family == AF_INET6 ? "-6 " : "";

	wt_prefix_format(prefix, text);
	if (s->nl.error == EEXIST)
		return wt_fail(s->err, WT_ERR_CONFIG,
			       "cannot add route %s by %s: there is another route to it (see: ip "
			       "%sroute show %s): remove that, or set routes = off",
			       text, name, v6, text);
	if (s->nl.error == EPERM)
		return wt_fail(s->err, WT_ERR_PERMISSION,
			       "cannot add route %s by %s: permission denied. Run as root or with "
			       "CAP_NET_ADMIN, or let root add it (ip %sroute add %s dev %s), or "
			       "set routes = off",
			       text, name, v6, text, name);
	if (prefix->family == AF_INET6 &&
	    (s->nl.error == EACCES || s->nl.error == ENODEV || s->nl.error == EOPNOTSUPP))
		return wt_fail(s->err, WT_ERR_CONFIG,
			       "cannot add route %s by %s: IPv6 is disabled here or the mtu is "
			       "under %u: change that, remove it from allowed_ips, or set routes = "
			       "off",
			       text, name, IPV6_LEAST_MTU);
	return wt_netlink_fail(&s->nl, code, s->err, "cannot add route %s by %s", text, name);
}

static bool inside_own_network(const struct setup *s, const struct wt_prefix *route)
{
	for (size_t i = 0; i < s->network->address_count; i++) {
		const struct wt_prefix *own = &s->network->addresses[i];

		if (own->length <= route->length &&
		    wt_prefix_contains(own, route->family, route->bytes))
			return true;
	}
	return false;
}

static enum wt_status add_route(struct setup *s, const struct wt_prefix *prefix)
{
	struct wt_tun_changes *changes = s->tun->changes;
	struct rtnl_route *route;
	int code;

	if (inside_own_network(s, prefix) || wt_prefix_list_find(&s->routes, prefix))
		return WT_OK;
	if (changes && !wt_prefix_list_reserve(&changes->routes))
		return wt_fail(s->err, WT_ERR_NOMEM, "routes of %s: out of memory", s->tun->name);
	route = new_route(s->tun->ifindex, prefix);
	if (!route)
		return wt_fail(s->err, WT_ERR_NOMEM, "routes of %s: out of memory", s->tun->name);
	code = rtnl_route_add(s->nl.sock, route, NLM_F_EXCL);
	rtnl_route_put(route);
	if (code < 0)
		return fail_route(s, prefix, code);
	if (changes)
		wt_prefix_list_push(&changes->routes, prefix);
	return WT_OK;
}

/* A default route of ours would win over the one that the outer packets need.
 * Two half routes win over both without replacing either, but only the operator
 * knows the gateway by which the endpoints must stay reachable. */
static void explain_default(const struct setup *s, const struct wt_prefix *prefix)
{
	bool v6 = prefix->family == AF_INET6;
	const char *name = s->tun->name;

	wt_log(WT_LOG_WARN,
	       "%s: route %s is left to you, it would carry the tunnel's own packets too. To send "
	       "all %s traffic into the tunnel, first pin each endpoint that is reached over %s: "
	       "ip "
	       "%sroute add ENDPOINT via GATEWAY; then: ip %sroute add %s dev %s; ip %sroute add "
	       "%s dev %s",
	       name, v6 ? "::/0" : "0.0.0.0/0", v6 ? "IPv6" : "IPv4", v6 ? "IPv6" : "IPv4",
	       v6 ? "-6 " : "", v6 ? "-6 " : "", v6 ? "::/1" : "0.0.0.0/1", name, v6 ? "-6 " : "",
	       v6 ? "8000::/1" : "128.0.0.0/1", name);
}

static enum wt_status add_routes(struct setup *s)
{
	size_t count = s->network->route_count;
	struct wt_prefix *sorted;
	enum wt_status status = WT_OK;

	if (!count)
		return WT_OK;
	sorted = malloc(count * sizeof *sorted);
	if (!sorted)
		return wt_fail(s->err, WT_ERR_NOMEM, "%zu routes: out of memory", count);
	memcpy(sorted, s->network->routes, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, wt_prefix_order);
	for (size_t i = 0; i < count && !status; i++) {
		if (i && wt_prefix_order(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		if (sorted[i].length == 0)
			explain_default(s, &sorted[i]);
		else
			status = add_route(s, &sorted[i]);
	}
	free(sorted);
	return status;
}

/* ---- all of it ---- */

static enum wt_status configure(struct setup *s)
{
	struct wt_tun *tun = s->tun;
	int code = rtnl_link_get_kernel(s->nl.sock, (int)tun->ifindex, NULL, &s->link);
	enum wt_status status;

	if (code < 0)
		return wt_netlink_fail(&s->nl, code, s->err, "look at %s", tun->name);
	status = wt_present_addresses(&s->nl, tun, &s->addresses, s->err);
	/* A device made a moment ago has no routes but those of its addresses. */
	if (!status && tun->persistent)
		status = wt_present_routes(&s->nl, tun, &s->routes, s->err);
	if (!status)
		status = configure_link(s);
	for (size_t i = 0; i < s->network->address_count && !status; i++)
		status = add_address(s, &s->network->addresses[i]);
	if (!status)
		status = bring_up(s);
	if (!status)
		status = add_routes(s);
	return status;
}

enum wt_status wt_tun_configure(struct wt_tun *tun, const struct wt_tun_network *network,
				struct wt_error *err)
{
	struct setup s = { .tun = tun, .network = network, .err = err };
	enum wt_status status;

	if (tun->persistent && !tun->changes) {
		tun->changes = calloc(1, sizeof *tun->changes);
		if (!tun->changes)
			return wt_fail(err, WT_ERR_NOMEM, "set up %s: out of memory", tun->name);
	}
	status = wt_netlink_open(&s.nl, err);
	if (status)
		return status;
	status = configure(&s);
	if (s.link)
		rtnl_link_put(s.link);
	wt_prefix_list_free(&s.addresses);
	wt_prefix_list_free(&s.routes);
	wt_netlink_close(&s.nl);
	return status;
}

/* ---- undoing ---- */

static int remove_route(struct nl_sock *sock, unsigned ifindex, const struct wt_prefix *prefix)
{
	struct rtnl_route *route = new_route(ifindex, prefix);
	int code = -NLE_NOMEM;

	if (route) {
		code = rtnl_route_delete(sock, route, 0);
		rtnl_route_put(route);
	}
	return code;
}

static int remove_address(struct nl_sock *sock, unsigned ifindex, const struct wt_prefix *prefix)
{
	struct rtnl_addr *address = new_address(ifindex, prefix);
	int code = -NLE_NOMEM;

	if (address) {
		code = rtnl_addr_delete(sock, address, 0);
		rtnl_addr_put(address);
	}
	return code;
}

/* What somebody else removed before us is as it should be. */
static unsigned failed(int code)
{
	return code < 0 && code != -NLE_OBJ_NOTFOUND && code != -NLE_NOADDR && code != -NLE_NODEV;
}

static unsigned restore(const struct wt_tun *tun, struct wt_netlink *nl)
{
	const struct wt_tun_changes *changes = tun->changes;
	unsigned left = 0;

	for (size_t i = changes->routes.count; i-- > 0;)
		left += failed(remove_route(nl->sock, tun->ifindex, &changes->routes.at[i]));
	for (size_t i = changes->addresses.count; i-- > 0;)
		left += failed(remove_address(nl->sock, tun->ifindex, &changes->addresses.at[i]));
	if (changes->brought_up)
		left += failed(wt_link_set_up(nl, tun->ifindex, false));
	if (changes->txqueuelen_changed)
		left += failed(wt_link_set_txqueuelen(nl, tun->ifindex, changes->old_txqueuelen));
	if (changes->old_mtu)
		left += failed(wt_link_set_mtu(nl, tun->ifindex, changes->old_mtu));
	return left;
}

void wt_network_restore(struct wt_tun *tun)
{
	struct wt_tun_changes *changes = tun->changes;
	struct wt_error err = WT_ERROR_INIT;
	struct wt_netlink nl;

	if (!changes)
		return;
	if (wt_netlink_open(&nl, &err) != WT_OK) {
		wt_log(WT_LOG_WARN, "%s is left as it is: %s", tun->name, err.text);
	} else {
		unsigned left = restore(tun, &nl);

		if (left)
			wt_log(WT_LOG_WARN,
			       "%s: %u of the settings made here stay on the device (%s); see: ip "
			       "addr show dev %s; ip route show dev %s",
			       tun->name, left, nl.error ? strerror(nl.error) : "out of memory",
			       tun->name, tun->name);
		wt_netlink_close(&nl);
	}
	wt_prefix_list_free(&changes->addresses);
	wt_prefix_list_free(&changes->routes);
	free(changes);
	tun->changes = NULL;
}
