/* SPDX-License-Identifier: MIT */
#include "tun/surroundings.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What one call takes in: the rest keeps the descriptor readable. */
#define READ_MESSAGES 256

static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
			      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };

enum wt_status wt_surroundings_open(int *fd, struct wt_error *err)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	*fd = -1;
	if (s < 0)
		return wt_fail(err, WT_ERR_IO, "netlink socket: %s", strerror(errno));
	if (bind(s, (const struct sockaddr *)&address, sizeof address) != 0)
		goto failed;
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		if (setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof groups[i]) != 0)
			goto failed;
	*fd = s;
	return WT_OK;

failed:
	wt_fail(err, WT_ERR_IO, "netlink socket: %s", strerror(errno));
	close(s);
	return WT_ERR_IO;
}

bool wt_surroundings_read(int fd)
{
	char beginning[NLMSG_HDRLEN]; /* that something came is all that is asked */
	bool changed = false;

	for (int i = 0; i < READ_MESSAGES; i++) {
		ssize_t n = recv(fd, beginning, sizeof beginning, MSG_DONTWAIT);

		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			break;
		changed = changed || n > 0 || errno == ENOBUFS;
	}
	return changed;
}

bool wt_surroundings_have(const struct sockaddr *address)
{
	struct sockaddr_in6 any_port; /* the larger of the two */
	socklen_t len;
	bool have;
	int fd;

	if (address->sa_family == AF_INET)
		len = sizeof(struct sockaddr_in);
	else if (address->sa_family == AF_INET6)
		len = sizeof(struct sockaddr_in6);
	else
		return true;
	/* The port is at the same place in both. */
	memcpy(&any_port, address, len);
	any_port.sin6_port = 0;
	fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	have = bind(fd, (const struct sockaddr *)&any_port, len) == 0 || errno != EADDRNOTAVAIL;
	close(fd);
	return have;
}
