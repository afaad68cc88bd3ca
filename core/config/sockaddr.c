/* SPDX-License-Identifier: MIT */
#include "config/sockaddr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

/* An address, '%', an interface name, brackets, ':' and five digits. */
#define TEXT_MAX (INET6_ADDRSTRLEN + IFNAMSIZ + 8)

bool wt_sockaddr_parse_port(const char *text, uint16_t *port)
{
	unsigned value = 0;
	size_t len = strlen(text);

	if (len == 0 || len > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
	}
	if (value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

enum wt_status wt_sockaddr_parse_host(const char *host, struct sockaddr_storage *out)
{
	struct sockaddr_storage address = { .ss_family = AF_INET };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
	char text[TEXT_MAX];
	char *zone;

	if (strlen(host) >= sizeof text)
		return WT_ERR_INVALID;
	memcpy(text, host, strlen(host) + 1);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		*out = address;
		return WT_OK;
	}
	address = (struct sockaddr_storage){ .ss_family = AF_INET6 };
	zone = strchr(text, '%');
	if (zone) {
		*zone++ = '\0';
		v6->sin6_scope_id = if_nametoindex(zone);
		if (v6->sin6_scope_id == 0)
			return WT_ERR_INVALID;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return WT_ERR_INVALID;
	*out = address;
	return WT_OK;
}

enum wt_status wt_sockaddr_parse(const char *text, size_t len, struct sockaddr_storage *out)
{
	struct sockaddr_storage address;
	char copy[TEXT_MAX];
	char *host = copy, *colon;
	sa_family_t family = AF_INET;
	uint16_t port;

	if (len >= sizeof copy)
		return WT_ERR_INVALID;
	memcpy(copy, text, len);
	copy[len] = '\0';
	colon = strrchr(copy, ':');
	if (!colon || !wt_sockaddr_parse_port(colon + 1, &port))
		return WT_ERR_INVALID;
	*colon = '\0';
	if (*host == '[') {
		if (colon[-1] != ']')
			return WT_ERR_INVALID;
		colon[-1] = '\0';
		host++;
		family = AF_INET6;
	}
	if (wt_sockaddr_parse_host(host, &address) != WT_OK || address.ss_family != family)
		return WT_ERR_INVALID;
	if (family == AF_INET)
		((struct sockaddr_in *)&address)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)&address)->sin6_port = htons(port);
	*out = address;
	return WT_OK;
}
