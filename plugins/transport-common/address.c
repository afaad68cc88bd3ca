/* SPDX-License-Identifier: MIT */
#include "transport-common/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* The first byte of token and prefix, so that no IPv4 source equals an IPv6
 * one. */
#define FAMILY_IPV4 4u
#define FAMILY_IPV6 6u
#define PREFIX_IPV6_BYTES 8u /* a /64 is what one customer gets */

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

static uint16_t append(uint8_t *out, uint16_t at, const void *bytes, uint16_t len)
{
	memcpy(out + at, bytes, len);
	return (uint16_t)(at + len);
}

void wt_address_source(const struct sockaddr_storage *address, struct wt_source *out)
{
	uint16_t at = 0;

	out->token_len = 0;
	out->prefix_len = 0;
	memset(out->token, 0, sizeof out->token);
	memset(out->prefix, 0, sizeof out->prefix);
	wt_address_text(address, out->text);
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		out->token[at++] = FAMILY_IPV4;
		at = append(out->token, at, &in->sin_addr, sizeof in->sin_addr);
		out->prefix_len = at;
		memcpy(out->prefix, out->token, at);
		out->token_len = append(out->token, at, &in->sin_port, sizeof in->sin_port);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

		out->token[at++] = FAMILY_IPV6;
		at = append(out->token, at, &in6->sin6_addr, sizeof in6->sin6_addr);
		out->prefix_len = 1u + PREFIX_IPV6_BYTES;
		memcpy(out->prefix, out->token, out->prefix_len);
		out->token_len = append(out->token, at, &in6->sin6_port, sizeof in6->sin6_port);
	}
}
