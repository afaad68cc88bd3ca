/* SPDX-License-Identifier: MIT */
#include "record/checksum.h"

#include <arpa/inet.h>
#include <string.h>

#include "record/ip.h"

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Both halves of a word go into sums of 64 bits, which 2^32 of them cannot
 * overflow: no carry to look after, and four sums that do not wait for each
 * other. */
uint64_t wt_checksum_add(uint64_t sum, const uint8_t *data, size_t len)
{
	uint64_t low[2] = { 0 }, high[2] = { 0 }, rest = 0;

	for (; len >= 16; data += 16, len -= 16) {
		uint64_t a = load64(data), b = load64(data + 8);

		low[0] += a & 0xffffffffu;
		high[0] += a >> 32;
		low[1] += b & 0xffffffffu;
		high[1] += b >> 32;
	}
	if (len >= 8) {
		rest = load64(data);
		low[0] += rest & 0xffffffffu;
		high[0] += rest >> 32;
		data += 8;
		len -= 8;
	}
	rest = 0;
	memcpy(&rest, data, len);
	sum = wt_checksum_plus(sum, rest);
	return wt_checksum_plus(sum, low[0] + low[1] + high[0] + high[1]);
}

uint64_t wt_checksum_pseudo(const uint8_t *addresses, size_t addresses_len, uint8_t protocol,
			    uint32_t len)
{
	/* Both families add the same words, IPv4 with fewer zeros. */
	uint64_t sum = (uint64_t)htonl(len) + htons(protocol);

	return wt_checksum_add(sum, addresses, addresses_len);
}

static uint16_t ipv4_sum(const uint8_t *header)
{
	return wt_checksum_fold(wt_checksum_add(0, header, (size_t)(header[0] & 0x0fu) * 4u));
}

void wt_checksum_ipv4_write(uint8_t *header)
{
	uint16_t sum;

	memset(header + WT_IPV4_CHECKSUM, 0, sizeof sum);
	sum = (uint16_t)~ipv4_sum(header);
	memcpy(header + WT_IPV4_CHECKSUM, &sum, sizeof sum);
}

bool wt_checksum_ipv4_ok(const uint8_t *header)
{
	return ipv4_sum(header) == 0xffffu;
}

bool wt_checksum_finish(uint8_t *packet, size_t len, size_t start, size_t offset)
{
	uint16_t sum;

	if (start > len || offset > len - start || len - start - offset < sizeof sum)
		return false;
	sum = (uint16_t)~wt_checksum_fold(wt_checksum_add(0, packet + start, len - start));
	if (sum == 0)
		sum = 0xffffu;
	memcpy(packet + start + offset, &sum, sizeof sum);
	return true;
}
