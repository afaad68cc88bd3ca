/* SPDX-License-Identifier: MIT */
#include "transport-common/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void ipv6_text(const struct sockaddr_in6 *in6, char out[WT_ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";
	char zone[IF_NAMESIZE] = "";
	unsigned port = ntohs(in6->sin6_port);

	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
	if (in6->sin6_scope_id == 0)
		snprintf(out, WT_ADDRESS_TEXT, "[%s]:%u", host, port);
	else if (if_indextoname(in6->sin6_scope_id, zone))
		snprintf(out, WT_ADDRESS_TEXT, "[%s%%%s]:%u", host, zone, port);
	else
		snprintf(out, WT_ADDRESS_TEXT, "[%s%%%u]:%u", host, in6->sin6_scope_id, port);
}

void wt_address_text(const struct sockaddr_storage *address, char out[WT_ADDRESS_TEXT])
{
	char host[INET_ADDRSTRLEN] = "?";

	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		snprintf(out, WT_ADDRESS_TEXT, "%s:%u", host, (unsigned)ntohs(in->sin_port));
	} else if (address->ss_family == AF_INET6) {
		ipv6_text((const struct sockaddr_in6 *)address, out);
	} else {
		snprintf(out, WT_ADDRESS_TEXT, "?");
	}
}

socklen_t wt_address_len(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return sizeof(struct sockaddr_in);
	if (address->ss_family == AF_INET6)
		return sizeof(struct sockaddr_in6);
	return 0;
}

bool wt_address_take(const struct sockaddr *address, socklen_t len, struct sockaddr_storage *out)
{
	*out = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
	if (len <= sizeof *out)
		memcpy(out, address, len);
	return wt_address_len(out) > 0 && len >= wt_address_len(out);
}
