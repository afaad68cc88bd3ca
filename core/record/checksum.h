/* SPDX-License-Identifier: MIT
 *
 * checksum.h: the internet checksum (RFC 1071).
 *
 * A sum is a 64-bit number modulo 2^64 - 1 of the data as it lies in memory;
 * what wt_checksum_fold makes of it is stored with memcpy, on any machine.
 * Sums of pieces add up if each piece but the last has an even length. Pure;
 * any alignment; any thread.
 */
#ifndef WT_RECORD_CHECKSUM_H
#define WT_RECORD_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

/* `a` + `b`, with what carries over at the top added at the bottom. */
static inline uint64_t wt_checksum_plus(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum + (sum < b);
}

/* `sum` plus the data; an odd last byte counts as if a zero followed. */
uint64_t wt_checksum_add(uint64_t sum, const uint8_t *data, size_t len) WT_MUST_CHECK;

/* The 16 bits of a sum, not inverted: 0 for a sum of 0 alone. */
static inline uint16_t wt_checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffu) + ((sum >> 16) & 0xffffu) + (sum >> 32);
	sum = (sum & 0xffffu) + (sum >> 16);
	return (uint16_t)((sum & 0xffffu) + (sum >> 16));
}

/* The sum of a pseudo-header: `addresses` are source and destination, 8 bytes
 * (RFC 9293 section 3.1) or 32 (RFC 8200 section 8.1); `len` is what the
 * upper-layer header and its payload have together. */
uint64_t wt_checksum_pseudo(const uint8_t *addresses, size_t addresses_len, uint8_t protocol,
			    uint32_t len) WT_MUST_CHECK;

/* The checksum of the IPv4 header at `header`, whose length wt_packet_parse found
 * sound: write it; or is what stands there right? */
void wt_checksum_ipv4_write(uint8_t *header);
bool wt_checksum_ipv4_ok(const uint8_t *header) WT_MUST_CHECK;

/* Finish a partial checksum: the sum of packet[start..len), whose checksum field
 * at start + offset holds the pseudo-header's sum, is put there, inverted. A
 * result of 0 is written as 0xffff, which is the same number and not UDP's "no
 * checksum" (the kernel does so for every protocol). False, and nothing is
 * written: the field is not inside. */
bool wt_checksum_finish(uint8_t *packet, size_t len, size_t start, size_t offset);

#endif
