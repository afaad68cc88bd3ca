/* SPDX-License-Identifier: MIT */
#include "plugin/source.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The first byte of token and prefix, so that no IPv4 source equals an IPv6
 * one. */
#define FAMILY_IPV4 4u
#define FAMILY_IPV6 6u
#define PREFIX_IPV6_BYTES 8u /* a /64 is what one customer gets */

/* host and port in numbers, with the zone that a link-local address has. */
static void write_text(const struct sockaddr *address, socklen_t len, char *out, size_t size)
{
	char host[NI_MAXHOST], port[8];
	const bool v6 = address->sa_family == AF_INET6;

	if (getnameinfo(address, len, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(out, size, "?");
	else
		snprintf(out, size, v6 ? "[%.80s]:%s" : "%.80s:%s", host, port);
}

static void write_bytes(uint8_t family, const void *ip, uint16_t ip_len, uint16_t prefix_len,
			const in_port_t *port, struct wt_source *out)
{
	out->token[0] = family;
	memcpy(out->token + 1, ip, ip_len);
	memcpy(out->token + 1 + ip_len, port, sizeof *port);
	out->token_len = (uint16_t)(1 + ip_len + sizeof *port);
	memcpy(out->prefix, out->token, 1u + prefix_len);
	out->prefix_len = (uint16_t)(1 + prefix_len);
}

/* A socket for both families shows IPv4 addresses so, and all of them are in one /64:
 * every stranger would share the limits of every other. */
static bool is_ipv4_within(const struct sockaddr *address, struct sockaddr_in *out)
{
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return false;
	*out = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = v6->sin6_port };
	memcpy(&out->sin_addr, v6->sin6_addr.s6_addr + 12, sizeof out->sin_addr);
	return true;
}

void wt_source_of_address(const struct wt_host *host, const struct sockaddr *address,
			  struct wt_source *out)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	struct sockaddr_in within;

	(void)host;
	if (is_ipv4_within(address, &within)) {
		address = (const struct sockaddr *)&within;
		v4 = &within;
	}
	if (address->sa_family == AF_INET) {
		write_bytes(FAMILY_IPV4, &v4->sin_addr, sizeof v4->sin_addr, sizeof v4->sin_addr,
			    &v4->sin_port, out);
		write_text(address, sizeof *v4, out->text, sizeof out->text);
	} else if (address->sa_family == AF_INET6) {
		write_bytes(FAMILY_IPV6, &v6->sin6_addr, sizeof v6->sin6_addr, PREFIX_IPV6_BYTES,
			    &v6->sin6_port, out);
		write_text(address, sizeof *v6, out->text, sizeof out->text);
	}
}
