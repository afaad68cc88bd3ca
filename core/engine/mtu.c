/* SPDX-License-Identifier: MIT */
#include "engine/mtu.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/registry.h"
#include "record/limits.h"
#include "tun/tun.h"

#define ETHERNET_MTU 1500u

uint32_t wt_mtu_auto(const struct wt_mtu_way *ways, size_t n, char *sum, size_t sum_size)
{
	uint32_t least = UINT32_MAX;

	snprintf(sum, sum_size, "every way is a stream, which cuts records by itself");
	for (size_t i = 0; i < n; i++) {
		uint32_t cost = ways[i].transport + WT_PACKET_OVERHEAD;
		uint32_t mtu = ways[i].outer > cost + WT_INNER_MTU_MIN ? ways[i].outer - cost
								       : WT_INNER_MTU_MIN;

		if (ways[i].stream || mtu >= least)
			continue;
		least = mtu;
		snprintf(sum, sum_size, "outer %u - transport %u - record %u", ways[i].outer,
			 ways[i].transport, WT_PACKET_OVERHEAD);
	}
	return least == UINT32_MAX ? ETHERNET_MTU : least;
}

/* A numeric endpoint's own way; a name's is only known once it is resolved, and
 * path MTU discovery has the last word there. */
static struct wt_mtu_way way_to(const struct wt_endpoint *endpoint,
				const struct wt_transport_ops *transport)
{
	struct wt_mtu_way way = {
		.stream = transport->mode == WT_CHANNEL_STREAM,
		.outer = ETHERNET_MTU,
		.transport = transport->overhead_ipv6,
	};
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(endpoint->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(endpoint->port) };
	const struct sockaddr *address = NULL;
	uint32_t outer;

	if (inet_pton(AF_INET, endpoint->host, &in.sin_addr) == 1) {
		address = (const struct sockaddr *)&in;
		way.transport = transport->overhead_ipv4;
	} else if (inet_pton(AF_INET6, endpoint->host, &in6.sin6_addr) == 1) {
		address = (const struct sockaddr *)&in6;
	}
	if (!way.stream && address && wt_route_mtu(address, &outer, NULL, NULL) == WT_OK)
		way.outer = outer;
	return way;
}

uint32_t wt_mtu_of(const struct wt_settings *settings, char *sum, size_t sum_size)
{
	size_t most = settings->transport_count, n = 0;
	uint32_t mtu;

	for (size_t i = 0; i < settings->peer_count; i++)
		most += settings->peers[i].endpoint_count;
	struct wt_mtu_way *ways = calloc(most + 1, sizeof(*ways));

	if (!ways)
		return wt_mtu_auto(NULL, 0, sum, sum_size);
	/* A listener may be reached by either family: the dearer one counts. */
	for (size_t i = 0; i < settings->transport_count; i++) {
		const struct wt_transport_ops *ops = &settings->transports[i].plugin->ops.transport;

		ways[n++] = (struct wt_mtu_way){ ops->mode == WT_CHANNEL_STREAM, ETHERNET_MTU,
						 ops->overhead_ipv6 };
	}
	for (size_t i = 0; i < settings->peer_count; i++)
		for (size_t e = 0; e < settings->peers[i].endpoint_count; e++) {
			const struct wt_endpoint *endpoint = &settings->peers[i].endpoints[e];

			ways[n++] = way_to(
				endpoint,
				&settings->transports[endpoint->transport].plugin->ops.transport);
		}
	mtu = wt_mtu_auto(ways, n, sum, sum_size);
	free(ways);
	return mtu;
}
