/* SPDX-License-Identifier: MIT
 *
 * The MTU is that of the link the route leads to. What the kernel has learned
 * about the way behind it (IP_MTU of a connected socket) came from ICMP, which
 * anybody can forge; our sockets do not follow it either (IP_PMTUDISC_PROBE).
 */
#include "route.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "limits.h"
#include "transport-common/address.h"

/* ---- which link: a question by rtnetlink(7) */

struct question {
	struct nlmsghdr header;
	struct rtmsg route;
	uint8_t attributes[64];
};

static const void *bytes_of(const struct sockaddr_storage *address, size_t *size)
{
	if (address->ss_family == AF_INET) {
		*size = sizeof(struct in_addr);
		return &((const struct sockaddr_in *)address)->sin_addr;
	}
	*size = sizeof(struct in6_addr);
	return &((const struct sockaddr_in6 *)address)->sin6_addr;
}

static void add(struct question *question, unsigned short type, const void *data, size_t size)
{
	struct rtattr *attribute =
		(struct rtattr *)((uint8_t *)question + NLMSG_ALIGN(question->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	question->header.nlmsg_len =
		NLMSG_ALIGN(question->header.nlmsg_len) + (uint32_t)RTA_ALIGN(attribute->rta_len);
}

static void ask(struct question *question, const struct sockaddr_storage *remote,
		const struct sockaddr_storage *local)
{
	const uint32_t scope = remote->ss_family == AF_INET6
				       ? ((const struct sockaddr_in6 *)remote)->sin6_scope_id
				       : 0;
	size_t size;
	const void *bytes = bytes_of(remote, &size);

	*question = (struct question){
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof question->route),
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = (unsigned char)remote->ss_family,
			   .rtm_dst_len = (unsigned char)(8 * size) },
	};
	add(question, RTA_DST, bytes, size);
	if (scope != 0)
		add(question, RTA_OIF, &scope, sizeof scope);
	if (local) {
		question->route.rtm_src_len = (unsigned char)(8 * size);
		add(question, RTA_SRC, bytes_of(local, &size), size);
	}
}

/* The index of the link in an answer of `len` bytes; 0: there is none. */
static uint32_t read_answer(const uint8_t *answer, size_t len)
{
	struct nlmsghdr header;
	uint32_t index = 0;

	if (len < NLMSG_LENGTH(sizeof(struct rtmsg)))
		return 0;
	memcpy(&header, answer, sizeof header);
	if (header.nlmsg_type != RTM_NEWROUTE || header.nlmsg_len > len)
		return 0;
	for (size_t at = NLMSG_SPACE(sizeof(struct rtmsg)); at + RTA_LENGTH(0) <= len;) {
		struct rtattr attribute;

		memcpy(&attribute, answer + at, sizeof attribute);
		if (attribute.rta_len < RTA_LENGTH(0) || attribute.rta_len > len - at)
			break;
		if (attribute.rta_type == RTA_OIF && attribute.rta_len == RTA_LENGTH(sizeof index))
			memcpy(&index, answer + at + RTA_LENGTH(0), sizeof index);
		at += RTA_ALIGN(attribute.rta_len);
	}
	return index;
}

static uint32_t link_to(const struct sockaddr_storage *remote, const struct sockaddr_storage *local)
{
	uint8_t answer[4096];
	struct question question;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n = -1;

	if (fd < 0)
		return 0;
	ask(&question, remote, local);
	/* The kernel answers before send returns. */
	if (send(fd, &question, question.header.nlmsg_len, 0) >= 0)
		n = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
	close(fd);
	return n > 0 ? read_answer(answer, (size_t)n) : 0;
}

static uint32_t mtu_of(uint32_t index)
{
	struct ifreq request = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t mtu = 0;

	/* Where IPv4 is missing, any socket will do. */
	if (fd < 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (if_indextoname(index, request.ifr_name) && ioctl(fd, SIOCGIFMTU, &request) == 0 &&
	    request.ifr_mtu > 0)
		mtu = (uint32_t)request.ifr_mtu;
	close(fd);
	return mtu;
}

uint32_t wt_udp_route_record(const struct sockaddr_storage *remote,
			     const struct sockaddr_storage *local)
{
	uint32_t overhead =
		remote->ss_family == AF_INET ? WT_UDP_OVERHEAD_IPV4 : WT_UDP_OVERHEAD_IPV6;
	uint32_t index = link_to(remote, local), mtu, record;

	/* An address that is gone by now is no reason to know nothing. */
	if (index == 0 && local)
		index = link_to(remote, NULL);
	mtu = index != 0 ? mtu_of(index) : 0;
	record = mtu > overhead ? mtu - overhead : 0;
	return record < WT_UDP_RECORD_MAX ? record : WT_UDP_RECORD_MAX;
}

/* ---- from where */

/* Our own sockets are not connected, and only a connected one has an address for
 * one way. Connecting sends nothing. */
enum wt_status wt_udp_route_local(const struct sockaddr_storage *remote, int fd,
				  struct sockaddr_storage *out)
{
	struct sockaddr_storage bound = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof bound, out_len = sizeof *out;
	int other = socket(remote->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	enum wt_status status = WT_ERR_IO;

	if (other < 0)
		return status;
	if (connect(other, (const struct sockaddr *)remote, wt_address_len(remote)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&bound, &len) == 0 &&
	    getsockname(other, (struct sockaddr *)out, &out_len) == 0) {
		/* The port is at the same place in both families. */
		((struct sockaddr_in *)out)->sin_port = ((struct sockaddr_in *)&bound)->sin_port;
		status = WT_OK;
	}
	close(other);
	return status;
}
