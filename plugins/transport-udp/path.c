/* SPDX-License-Identifier: MIT */
#include "path.h"

#include <netinet/in.h>
#include <string.h>

_Static_assert(sizeof(struct wt_udp_path) == WT_PATH_SIZE, "a path is all of a struct wt_path");
_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) <= WT_UDP_PATH_CONTROL &&
		       CMSG_SPACE(sizeof(struct in_pktinfo)) <= WT_UDP_PATH_CONTROL,
	       "there is room for either control message");

static const uint8_t unspecified[16];

void wt_udp_path_make(const struct sockaddr_storage *remote, const void *local, struct wt_path *out)
{
	struct wt_udp_path path = { .family = 4 };

	if (remote->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)remote;

		path.port = in->sin_port;
		memcpy(path.remote, &in->sin_addr, sizeof in->sin_addr);
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)remote;

		path.family = 6;
		path.port = in6->sin6_port;
		path.scope = in6->sin6_scope_id;
		memcpy(path.remote, &in6->sin6_addr, sizeof in6->sin6_addr);
	}
	if (local)
		memcpy(path.local, local, path.family == 4 ? 4 : 16);
	memcpy(out->bytes, &path, sizeof path);
}

bool wt_udp_path_read(const struct wt_path *path, struct wt_udp_path *out)
{
	memcpy(out, path->bytes, sizeof *out);
	return out->family == 4 || out->family == 6;
}

static void address(const struct wt_udp_path *path, const uint8_t *bytes, uint16_t port,
		    struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (path->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = port;
		memcpy(&in->sin_addr, bytes, sizeof in->sin_addr);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		in6->sin6_scope_id = path->scope;
		memcpy(&in6->sin6_addr, bytes, sizeof in6->sin6_addr);
	}
}

void wt_udp_path_remote(const struct wt_udp_path *path, struct sockaddr_storage *out)
{
	address(path, path->remote, path->port, out);
}

void wt_udp_path_local(const struct wt_udp_path *path, uint16_t port, struct sockaddr_storage *out)
{
	address(path, path->local, port, out);
}

size_t wt_udp_path_control(const struct wt_udp_path *path, void *room)
{
	struct cmsghdr *header = room;

	if (memcmp(path->local, unspecified, sizeof unspecified) == 0)
		return 0;
	if (path->family == 4) {
		struct in_pktinfo info = { .ipi_ifindex = 0 };

		memcpy(&info.ipi_spec_dst, path->local, sizeof info.ipi_spec_dst);
		header->cmsg_level = IPPROTO_IP;
		header->cmsg_type = IP_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(header), &info, sizeof info);
		return CMSG_SPACE(sizeof info);
	}

	/* The interface only where the address needs it: routes may change. */
	struct in6_pktinfo info = { .ipi6_ifindex = path->scope };

	memcpy(&info.ipi6_addr, path->local, sizeof info.ipi6_addr);
	header->cmsg_level = IPPROTO_IPV6;
	header->cmsg_type = IPV6_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(header), &info, sizeof info);
	return CMSG_SPACE(sizeof info);
}
