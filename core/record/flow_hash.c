/* SPDX-License-Identifier: MIT
 *
 * Both ends are summed, not chained, so that an answer has the number of what it
 * answers: one look-up serves both directions, and who spreads flows brings both to
 * one place.
 */
#include "record/flow_hash.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "record/ip.h"

#define PORTS 4u

/* Multiplying by an odd number near 2^64 / golden ratio spreads neighbours; what
 * it moved up is brought down for the next time. */
static uint64_t mix(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 32;
}

static uint64_t end_of(const uint8_t *address, size_t size, uint16_t port)
{
	uint64_t x = port;

	for (size_t i = 0; i < size; i += 4)
		x = mix(x << 32 ^ x ^ wt_load_be32(address + i));
	return x;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

uint32_t wt_flow_hash(const uint8_t *data, size_t len, const struct wt_packet *packet)
{
	size_t size = packet->family == AF_INET ? WT_IPV4_ADDRESS : WT_IPV6_ADDRESS;
	uint16_t from = 0, to = 0;
	size_t header = WT_IPV6_HEADER;
	uint8_t protocol;
	bool whole = true;

	if (packet->family == AF_INET) {
		header = (size_t)(data[0] & 0x0fu) * 4u;
		protocol = data[WT_IPV4_PROTOCOL];
		whole = !(wt_load_be16(data + WT_IPV4_FRAGMENT) & WT_IPV4_MORE_OR_OFFSET);
	} else {
		protocol = data[WT_IPV6_NEXT_HEADER];
	}
	if (whole && has_ports(protocol) && len - header >= PORTS) {
		from = wt_load_be16(data + header);
		to = wt_load_be16(data + header + 2);
	}
	return (uint32_t)mix(end_of(packet->source, size, from) +
			     end_of(packet->destination, size, to) + protocol);
}
