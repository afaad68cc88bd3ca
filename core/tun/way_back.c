/* SPDX-License-Identifier: MIT */
#include "tun/way_back.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Neither the discard port nor any other hears of it: connecting a datagram
 * socket only looks up the way. */
#define DISCARD_PORT 9

uint32_t wt_way_back_mtu(uint8_t family, const uint8_t *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(DISCARD_PORT) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(DISCARD_PORT) };
	const struct sockaddr *to = (const struct sockaddr *)&in;
	socklen_t to_len = sizeof in, len;
	int level = IPPROTO_IP, option = IP_MTU, mtu = 0, fd;

	if (family == AF_INET6) {
		memcpy(&in6.sin6_addr, address, sizeof in6.sin6_addr);
		to = (const struct sockaddr *)&in6;
		to_len = sizeof in6;
		level = IPPROTO_IPV6;
		option = IPV6_MTU;
	} else {
		memcpy(&in.sin_addr, address, sizeof in.sin_addr);
	}
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	len = sizeof mtu;
	if (connect(fd, to, to_len) != 0 || getsockopt(fd, level, option, &mtu, &len) != 0)
		mtu = 0;
	close(fd);
	return mtu > 0 ? (uint32_t)mtu : 0;
}
