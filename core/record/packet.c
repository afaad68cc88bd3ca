/* SPDX-License-Identifier: MIT */
#include "record/packet.h"

#include <sys/socket.h>

#include "base/bytes.h"

/* RFC 791 section 3.1 and RFC 8200 section 3. */
#define IPV4_HEADER_MIN 20u
#define IPV4_SOURCE 12u
#define IPV4_DESTINATION 16u
#define IPV6_HEADER 40u
#define IPV6_SOURCE 8u
#define IPV6_DESTINATION 24u

static enum wt_drop parse_ipv4(const uint8_t *data, size_t len, struct wt_packet *out)
{
	size_t header_len = (size_t)(data[0] & 0x0fu) * 4u;

	if (header_len < IPV4_HEADER_MIN || header_len > len)
		return WT_DROP_IP_HEADER;
	if (wt_load_be16(data + 2) != len)
		return WT_DROP_IP_LENGTH;
	*out = (struct wt_packet){ .family = AF_INET,
				   .source = data + IPV4_SOURCE,
				   .destination = data + IPV4_DESTINATION };
	return WT_DROP_NONE;
}

static enum wt_drop parse_ipv6(const uint8_t *data, size_t len, struct wt_packet *out)
{
	if (len < IPV6_HEADER)
		return WT_DROP_IP_HEADER;
	/* A jumbogram says 0 here and is refused with the rest. */
	if (IPV6_HEADER + (size_t)wt_load_be16(data + 4) != len)
		return WT_DROP_IP_LENGTH;
	*out = (struct wt_packet){ .family = AF_INET6,
				   .source = data + IPV6_SOURCE,
				   .destination = data + IPV6_DESTINATION };
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
