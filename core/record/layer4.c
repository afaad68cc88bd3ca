/* SPDX-License-Identifier: MIT */
#include "record/layer4.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "record/checksum.h"
#include "record/ip.h"
#include "record/params.h"

static enum wt_drop parse_tcp(const uint8_t *data, size_t len, struct wt_layer4 *l4)
{
	size_t room = len - l4->start, size;

	if (room < WT_TCP_HEADER_MIN)
		return WT_DROP_LAYER4;
	/* Four bits of words: 60 at most. */
	size = (size_t)(data[l4->start + WT_TCP_OFFSET] >> 4) * 4u;
	if (size < WT_TCP_HEADER_MIN || size > room)
		return WT_DROP_LAYER4;
	l4->payload = (uint16_t)(l4->start + size);
	l4->checksum_offset = WT_TCP_CHECKSUM;
	l4->tcp_flags = data[l4->start + WT_TCP_FLAGS];
	return WT_DROP_NONE;
}

static enum wt_drop parse_udp(const uint8_t *data, size_t len, struct wt_layer4 *l4)
{
	size_t room = len - l4->start;

	if (room < WT_UDP_HEADER || wt_load_be16(data + l4->start + WT_UDP_LENGTH) != room)
		return WT_DROP_LAYER4;
	l4->payload = (uint16_t)(l4->start + WT_UDP_HEADER);
	l4->checksum_offset = WT_UDP_CHECKSUM;
	l4->tcp_flags = 0;
	return WT_DROP_NONE;
}

enum wt_drop wt_layer4_parse_at(const uint8_t *data, size_t len, const struct wt_packet *ip,
				size_t start, uint8_t protocol, struct wt_layer4 *out)
{
	struct wt_layer4 l4 = { .start = (uint16_t)start, .protocol = protocol };
	bool ipv4 = ip->family == AF_INET;
	enum wt_drop drop;

	switch (protocol) {
	case IPPROTO_TCP:
		l4.run_feature = ipv4 ? WT_FEATURE_SEGMENTS_TCP4 : WT_FEATURE_SEGMENTS_TCP6;
		drop = parse_tcp(data, len, &l4);
		break;
	case IPPROTO_UDP:
		l4.run_feature = ipv4 ? WT_FEATURE_SEGMENTS_UDP4 : WT_FEATURE_SEGMENTS_UDP6;
		drop = parse_udp(data, len, &l4);
		break;
	default:
		drop = WT_DROP_PROTOCOL;
	}
	if (drop == WT_DROP_NONE)
		*out = l4;
	return drop;
}

enum wt_drop wt_layer4_parse(const uint8_t *data, size_t len, const struct wt_packet *ip,
			     struct wt_layer4 *out)
{
	/* An extension header is just another protocol here. */
	if (ip->family == AF_INET6)
		return wt_layer4_parse_at(data, len, ip, WT_IPV6_HEADER, data[WT_IPV6_NEXT_HEADER],
					  out);
	if ((wt_load_be16(data + WT_IPV4_FRAGMENT) & WT_IPV4_MORE_OR_OFFSET) != 0)
		return WT_DROP_FRAGMENT;
	return wt_layer4_parse_at(data, len, ip, (size_t)(data[0] & 0x0fu) * 4u,
				  data[WT_IPV4_PROTOCOL], out);
}

enum wt_drop wt_layer4_check_run(const struct wt_layer4 *l4, size_t len, uint16_t size,
				 uint32_t mtu)
{
	size_t payload = len - l4->payload;
	size_t most = l4->protocol == IPPROTO_TCP ? WT_SEGMENTS_MAX_TCP : WT_SEGMENTS_MAX_UDP;

	if (l4->tcp_flags & (WT_TCP_SYN | WT_TCP_RST | WT_TCP_URG | WT_TCP_CWR))
		return WT_DROP_TCP_FLAGS;
	if (size < WT_SEGMENT_SIZE_MIN || (size_t)l4->payload + size > mtu)
		return WT_DROP_SEGMENTS;
	if (payload <= size || payload > most * size)
		return WT_DROP_SEGMENTS;
	return WT_DROP_NONE;
}

uint16_t wt_layer4_pseudo(const struct wt_layer4 *l4, size_t len, const struct wt_packet *ip)
{
	size_t addresses = ip->family == AF_INET ? 8 : 32;

	return wt_checksum_fold(wt_checksum_pseudo(ip->source, addresses, l4->protocol,
						   (uint32_t)(len - l4->start)));
}
