/* SPDX-License-Identifier: MIT */
#include "record/mss.h"

#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "record/checksum.h"
#include "record/ip.h"
#include "record/layer4.h"

#define OPTION_END 0u
#define OPTION_NOP 1u
#define OPTION_MSS 2u
#define OPTION_MSS_LEN 4u

/* Where the value of the one MSS option is in options[0..len); 0: there is none,
 * more than one, or the options are malformed. A length is believed only when
 * both its byte and all that it covers are inside. */
static size_t find_mss(const uint8_t *options, size_t len)
{
	size_t at = 0, found = 0;

	while (at < len && options[at] != OPTION_END) {
		size_t size;

		if (options[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (len - at < 2)
			return 0;
		size = options[at + 1];
		if (size < 2 || size > len - at)
			return 0;
		if (options[at] == OPTION_MSS) {
			if (size != OPTION_MSS_LEN || found != 0)
				return 0;
			found = at + 2;
		}
		at += size;
	}
	return found;
}

/* Change a value at header + at and let the checksum follow (RFC 1624, equation
 * 3). The value may lie across two words of the sum: both are taken. */
static void replace(uint8_t *header, size_t at, uint16_t value, bool partial)
{
	uint8_t *words = header + (at & ~(size_t)1);
	size_t size = at & 1 ? 4 : 2;
	uint8_t *field = header + WT_TCP_CHECKSUM;
	uint16_t before = wt_checksum_fold(wt_checksum_add(0, words, size)), sum;
	uint64_t after;

	wt_store_be16(header + at, value);
	if (partial)
		return;
	memcpy(&sum, field, sizeof sum);
	after = wt_checksum_add((uint16_t)~sum, words, size);
	sum = (uint16_t)~wt_checksum_fold(after + (uint16_t)~before);
	memcpy(field, &sum, sizeof sum);
}

static bool parse_syn(const uint8_t *data, size_t len, const struct wt_packet *ip,
		      struct wt_layer4 *l4)
{
	/* Of UDP there are no flags. */
	return wt_layer4_parse(data, len, ip, l4) == WT_DROP_NONE && (l4->tcp_flags & WT_TCP_SYN);
}

bool wt_mss_is_syn(const uint8_t *data, size_t len, const struct wt_packet *ip)
{
	struct wt_layer4 l4;

	return parse_syn(data, len, ip, &l4);
}

bool wt_mss_clamp(uint8_t *data, size_t len, uint32_t mtu, bool partial)
{
	struct wt_packet ip;
	struct wt_layer4 l4;
	uint32_t headers, most;
	size_t at;

	if (wt_packet_parse(data, len, &ip) != WT_DROP_NONE || !parse_syn(data, len, &ip, &l4))
		return false;
	headers = (ip.family == AF_INET ? WT_IPV4_HEADER : WT_IPV6_HEADER) + WT_TCP_HEADER_MIN;
	at = find_mss(data + l4.start + WT_TCP_HEADER_MIN,
		      (size_t)l4.payload - l4.start - WT_TCP_HEADER_MIN);
	if (at == 0 || mtu <= headers)
		return false;
	most = mtu - headers;
	if (wt_load_be16(data + l4.start + WT_TCP_HEADER_MIN + at) <= most)
		return false;
	replace(data + l4.start, WT_TCP_HEADER_MIN + at, (uint16_t)most, partial);
	return true;
}
