/* SPDX-License-Identifier: MIT
 *
 * Our own sockets are not connected, and only a connected one has a route to ask
 * about. Connecting sends nothing.
 */
#include "route.h"

#include <netinet/in.h>
#include <unistd.h>

#include "limits.h"
#include "transport-common/address.h"

static int connected(const struct sockaddr_storage *remote, const struct sockaddr_storage *local)
{
	socklen_t len = wt_address_len(remote);
	int fd = socket(remote->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);

	if (fd < 0)
		return -1;
	/* An address that is gone by now is no reason to know nothing. */
	if (local)
		(void)bind(fd, (const struct sockaddr *)local, len);
	if (connect(fd, (const struct sockaddr *)remote, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

uint32_t wt_udp_route_record(const struct sockaddr_storage *remote,
			     const struct sockaddr_storage *local)
{
	bool ipv4 = remote->ss_family == AF_INET;
	uint32_t overhead = ipv4 ? WT_UDP_OVERHEAD_IPV4 : WT_UDP_OVERHEAD_IPV6;
	uint32_t record = WT_UDP_RECORD_NO_ROUTE;
	int fd = connected(remote, local), mtu = 0;
	socklen_t len = sizeof mtu;

	if (fd < 0)
		return record;
	if (getsockopt(fd, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, ipv4 ? IP_MTU : IPV6_MTU, &mtu,
		       &len) == 0 &&
	    mtu > 0 && (uint32_t)mtu > overhead)
		record = (uint32_t)mtu - overhead;
	close(fd);
	return record < WT_UDP_RECORD_MAX ? record : WT_UDP_RECORD_MAX;
}

enum wt_status wt_udp_route_local(const struct sockaddr_storage *remote, int fd,
				  struct sockaddr_storage *out)
{
	struct sockaddr_storage bound = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof bound, out_len = sizeof *out;
	int other = connected(remote, NULL);
	enum wt_status status = WT_ERR_IO;

	if (other < 0)
		return status;
	if (getsockname(fd, (struct sockaddr *)&bound, &len) == 0 &&
	    getsockname(other, (struct sockaddr *)out, &out_len) == 0) {
		/* The port is at the same place in both families. */
		((struct sockaddr_in *)out)->sin_port = ((struct sockaddr_in *)&bound)->sin_port;
		status = WT_OK;
	}
	close(other);
	return status;
}
