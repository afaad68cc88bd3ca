/* SPDX-License-Identifier: MIT */
#include "record/too_big.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "record/checksum.h"
#include "record/ip.h"
#include "record/packet.h"

#define HOPS 64u

#define ICMP_HEADER 8u
#define ICMP_CHECKSUM 2u
#define ICMP_UNREACHABLE 3u
#define ICMP_FRAGMENTATION_NEEDED 4u
#define ICMP_NEXT_HOP_MTU 6u /* u16 */
#define ICMPV6_PACKET_TOO_BIG 2u
#define ICMPV6_MTU 4u /* u32 */
#define ICMPV6_INFORMATIONAL 0x80u

#define IPV4_MTU_MIN 68u /* RFC 791: the longest header and 8 bytes */
#define IPV6_MTU_MIN 1280u
/* RFC 1812 section 4.3.2.3: as much of the packet as fits into 576 bytes. */
#define IPV4_ANSWER_MAX 576u
/* Precedence "internetwork control", RFC 1812 section 4.3.2.5. */
#define IPV4_TOS_CONTROL 0xc0u

_Static_assert(WT_TOO_BIG_MAX == IPV6_MTU_MIN, "RFC 4443: no more than every link takes");

static void store_checksum(uint8_t *field, uint64_t sum)
{
	uint16_t folded = (uint16_t)~wt_checksum_fold(sum);

	memcpy(field, &folded, sizeof folded);
}

/* ---- IPv4 ---------------------------------------------------------------- */

/* Questions and answers alone: every other type is an error or unknown. */
static bool icmp_is_query(uint8_t type)
{
	switch (type) {
	case 0: /* echo reply, echo */
	case 8:
	case 13: /* timestamp, and its reply */
	case 14:
	case 42: /* extended echo, and its reply (RFC 8335) */
	case 43:
		return true;
	default:
		return false;
	}
}

static bool ipv4_may_answer(const uint8_t *data)
{
	uint8_t from = data[WT_IPV4_SOURCE], to = data[WT_IPV4_DESTINATION];

	if ((wt_load_be16(data + WT_IPV4_FRAGMENT) & WT_IPV4_MORE_OR_OFFSET) != 0)
		return false;
	/* 224/4 is multicast, 240/4 reserved, its last address broadcast. */
	if (from == 0 || from == 127 || from >= 224 || to == 0 || to >= 224)
		return false;
	/* Longer than IPV4_MTU_MIN, so the type is inside. */
	return data[WT_IPV4_PROTOCOL] != IPPROTO_ICMP ||
	       icmp_is_query(data[(size_t)(data[0] & 0x0fu) * 4u]);
}

static size_t ipv4_build(uint8_t *out, const uint8_t *data, size_t len, uint32_t mtu)
{
	const size_t headers = WT_IPV4_HEADER + ICMP_HEADER;
	uint8_t *icmp = out + WT_IPV4_HEADER;
	size_t total;

	if (mtu < IPV4_MTU_MIN || !ipv4_may_answer(data))
		return 0;
	total = headers + (len < IPV4_ANSWER_MAX - headers ? len : IPV4_ANSWER_MAX - headers);
	memset(out, 0, headers);
	out[0] = 0x45;
	out[WT_IPV4_TOS] = IPV4_TOS_CONTROL;
	wt_store_be16(out + WT_IPV4_LENGTH, (uint16_t)total);
	wt_store_be16(out + WT_IPV4_FRAGMENT, WT_IPV4_DONT_FRAGMENT);
	out[WT_IPV4_TTL] = HOPS;
	out[WT_IPV4_PROTOCOL] = IPPROTO_ICMP;
	memcpy(out + WT_IPV4_SOURCE, data + WT_IPV4_DESTINATION, WT_IPV4_ADDRESS);
	memcpy(out + WT_IPV4_DESTINATION, data + WT_IPV4_SOURCE, WT_IPV4_ADDRESS);
	wt_checksum_ipv4_write(out);
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_FRAGMENTATION_NEEDED;
	wt_store_be16(icmp + ICMP_NEXT_HOP_MTU, (uint16_t)mtu);
	memcpy(icmp + ICMP_HEADER, data, total - headers);
	store_checksum(icmp + ICMP_CHECKSUM, wt_checksum_add(0, icmp, total - WT_IPV4_HEADER));
	return total;
}

/* ---- IPv6 ---------------------------------------------------------------- */

/* Is it ICMPv6 but for a message that is no error, or a fragment, or too short
 * to tell? */
static bool ipv6_error_or_fragment(const uint8_t *data, size_t len)
{
	uint8_t protocol;
	size_t at;

	if (!wt_packet_skip_extensions(data, len, &at, &protocol) || protocol == IPPROTO_FRAGMENT)
		return true;
	return protocol == IPPROTO_ICMPV6 && (at == len || !(data[at] & ICMPV6_INFORMATIONAL));
}

static bool ipv6_may_answer(const uint8_t *data, size_t len)
{
	static const uint8_t unspecified[WT_IPV6_ADDRESS], loopback[WT_IPV6_ADDRESS] = { [15] = 1 };
	const uint8_t *from = data + WT_IPV6_SOURCE, *to = data + WT_IPV6_DESTINATION;

	if (from[0] == 0xff || to[0] == 0xff || memcmp(from, unspecified, WT_IPV6_ADDRESS) == 0 ||
	    memcmp(from, loopback, WT_IPV6_ADDRESS) == 0)
		return false;
	return !ipv6_error_or_fragment(data, len);
}

static size_t ipv6_build(uint8_t *out, const uint8_t *data, size_t len, uint32_t mtu)
{
	const size_t headers = WT_IPV6_HEADER + ICMP_HEADER;
	uint8_t *icmp = out + WT_IPV6_HEADER;
	size_t total;
	uint64_t sum;

	if (mtu < IPV6_MTU_MIN || !ipv6_may_answer(data, len))
		return 0;
	total = headers + (len < WT_TOO_BIG_MAX - headers ? len : WT_TOO_BIG_MAX - headers);
	memset(out, 0, headers);
	out[0] = 0x60;
	wt_store_be16(out + WT_IPV6_LENGTH, (uint16_t)(total - WT_IPV6_HEADER));
	out[WT_IPV6_NEXT_HEADER] = IPPROTO_ICMPV6;
	out[WT_IPV6_HOP_LIMIT] = HOPS;
	memcpy(out + WT_IPV6_SOURCE, data + WT_IPV6_DESTINATION, WT_IPV6_ADDRESS);
	memcpy(out + WT_IPV6_DESTINATION, data + WT_IPV6_SOURCE, WT_IPV6_ADDRESS);
	icmp[0] = ICMPV6_PACKET_TOO_BIG;
	wt_store_be32(icmp + ICMPV6_MTU, mtu);
	memcpy(icmp + ICMP_HEADER, data, total - headers);
	sum = wt_checksum_pseudo(out + WT_IPV6_SOURCE, 2u * WT_IPV6_ADDRESS, IPPROTO_ICMPV6,
				 (uint32_t)(total - WT_IPV6_HEADER));
	store_checksum(icmp + ICMP_CHECKSUM, wt_checksum_add(sum, icmp, total - WT_IPV6_HEADER));
	return total;
}

size_t wt_too_big_build(uint8_t out[WT_TOO_BIG_MAX], const uint8_t *data, size_t len, uint32_t mtu)
{
	struct wt_packet ip;

	if (len <= mtu || wt_packet_parse(data, len, &ip) != WT_DROP_NONE)
		return 0;
	return ip.family == AF_INET ? ipv4_build(out, data, len, mtu)
				    : ipv6_build(out, data, len, mtu);
}
