/* SPDX-License-Identifier: MIT */
#include "record/packet.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "record/ip.h"

#define EXTENSION_UNIT 8u

static enum wt_drop parse_ipv4(const uint8_t *data, size_t len, struct wt_packet *out)
{
	size_t header_len = (size_t)(data[0] & 0x0fu) * 4u;

	if (header_len < WT_IPV4_HEADER || header_len > len)
		return WT_DROP_IP_HEADER;
	if (wt_load_be16(data + WT_IPV4_LENGTH) != len)
		return WT_DROP_IP_LENGTH;
	*out = (struct wt_packet){ .family = AF_INET,
				   .source = data + WT_IPV4_SOURCE,
				   .destination = data + WT_IPV4_DESTINATION };
	return WT_DROP_NONE;
}

static enum wt_drop parse_ipv6(const uint8_t *data, size_t len, struct wt_packet *out)
{
	if (len < WT_IPV6_HEADER)
		return WT_DROP_IP_HEADER;
	/* A jumbogram says 0 here and is refused with the rest. */
	if (WT_IPV6_HEADER + (size_t)wt_load_be16(data + WT_IPV6_LENGTH) != len)
		return WT_DROP_IP_LENGTH;
	*out = (struct wt_packet){ .family = AF_INET6,
				   .source = data + WT_IPV6_SOURCE,
				   .destination = data + WT_IPV6_DESTINATION };
	return WT_DROP_NONE;
}

enum wt_drop wt_packet_parse(const uint8_t *data, size_t len, struct wt_packet *out)
{
	if (len == 0)
		return WT_DROP_IP_HEADER;
	if (len > WT_PACKET_MAX)
		return WT_DROP_IP_LENGTH;
	switch (data[0] >> 4) {
	case 4:
		return parse_ipv4(data, len, out);
	case 6:
		return parse_ipv6(data, len, out);
	default:
		return WT_DROP_IP_VERSION;
	}
}

bool wt_packet_skip_extensions(const uint8_t *data, size_t len, size_t *start, uint8_t *protocol)
{
	size_t at = WT_IPV6_HEADER;
	uint8_t next = data[WT_IPV6_NEXT_HEADER];

	while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
		if (len - at < EXTENSION_UNIT)
			return false;
		size_t size = ((size_t)data[at + 1] + 1u) * EXTENSION_UNIT;

		if (size > len - at)
			return false;
		next = data[at];
		at += size;
	}
	*start = at;
	*protocol = next;
	return true;
}
