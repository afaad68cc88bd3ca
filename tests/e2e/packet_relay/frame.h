/* SPDX-License-Identifier: MIT
 *
 * frame: an Ethernet frame taken apart, and changed so that its checksums stay right. IPv4, and
 * IPv6 without extension headers.
 */
#ifndef WT_E2E_FRAME_H
#define WT_E2E_FRAME_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define FRAME_HEADER 14u

struct frame {
	uint32_t ip_len;      /* of the IP packet; 0: none */
	uint32_t address_len; /* 4 or 16 */
	uint8_t *source;      /* address_len bytes each */
	uint8_t *destination;
	bool of_link;	  /* IPv6 of the link itself: neighbours, and who listens to what */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, or 0: another, or a fragment */
	uint8_t *ports;	  /* source, destination: 2 bytes each; the fields below go with protocol */
	uint8_t *checksum;    /* of TCP or UDP */
	uint8_t *ip_checksum; /* NULL: IPv6 */
	uint8_t *payload;
	uint32_t payload_len;
};

/* An address and a port, as they stand in a packet. */
struct end {
	uint32_t address_len;
	uint8_t address[16];
	uint8_t port[2];
};

/* The fields point into data, which holds len bytes. What it cannot make sense of has ip_len 0. */
void frame_parse(struct frame *frame, uint8_t *data, uint32_t len);

/* Flips one bit of the payload of TCP or UDP and repairs the checksum, so that no kernel notices.
 * bit: any number. Returns false when there is no payload. */
bool frame_flip(struct frame *frame, uint64_t bit);

/* TCP or UDP: the source (or destination) of the frame, and the same set to another one of the
 * same family with the checksums repaired. */
struct end frame_end(const struct frame *frame, bool destination);
void frame_set_end(struct frame *frame, bool destination, const struct end *end);

bool end_equal(const struct end *a, const struct end *b);

#endif
