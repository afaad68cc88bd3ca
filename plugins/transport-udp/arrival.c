/* SPDX-License-Identifier: MIT */
#include "arrival.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "limits.h"
#include "path.h"

_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) <=
		       WT_UDP_ARRIVAL_CONTROL,
	       "there is room for both control messages");

/* What the kernel says beside the bytes. */
struct told {
	int segment; /* 0: nothing */
	const void *local;
};

static bool is(const struct cmsghdr *header, int level, int type, size_t size)
{
	return header->cmsg_level == level && header->cmsg_type == type &&
	       header->cmsg_len >= CMSG_LEN(size);
}

static struct told read_control(const struct msghdr *msg)
{
	struct told told = { .segment = 0 };

	for (struct cmsghdr *header = CMSG_FIRSTHDR(msg); header;
	     header = CMSG_NXTHDR((struct msghdr *)(uintptr_t)msg, header)) {
		const uint8_t *data = CMSG_DATA(header);

		/* Of IPv4 the address to answer from, not the one in the packet,
		 * which may be everybody's. */
		if (is(header, IPPROTO_UDP, UDP_GRO, sizeof told.segment))
			memcpy(&told.segment, data, sizeof told.segment);
		else if (is(header, IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo)))
			told.local = data + offsetof(struct in_pktinfo, ipi_spec_dst);
		else if (is(header, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo)))
			told.local = data + offsetof(struct in6_pktinfo, ipi6_addr);
	}
	return told;
}

enum wt_udp_arrival_fate wt_udp_arrival_read(const struct msghdr *msg, size_t len,
					     struct wt_udp_arrival *out)
{
	const struct told told = read_control(msg);
	uint32_t last;

	*out = (struct wt_udp_arrival){ .len = (uint32_t)len, .segment = (uint32_t)len };
	if (told.segment > 0 && (size_t)told.segment < len)
		out->segment = (uint32_t)told.segment;
	out->count = len > 0 ? (out->len + out->segment - 1) / out->segment : 1;
	/* Without all that is told, a run could pass for one record. */
	if (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return WT_UDP_TRUNCATED;
	if (out->segment < WT_UDP_RECORD_MIN) {
		out->shorter = out->count;
		return WT_UDP_SHORT;
	}
	last = out->len % out->segment;
	if (last > 0 && last < WT_UDP_RECORD_MIN) {
		out->len -= last;
		out->shorter = 1;
	}
	wt_udp_path_make(msg->msg_name, told.local, &out->path);
	return WT_UDP_ARRIVED;
}
