/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <string.h>

#define IPV4_MIN 20u
#define IPV6_HEADER 40u
#define TCP_MIN 20u
#define UDP_HEADER 8u
#define ND_FIRST 133u /* RFC 4861: router solicitation .. redirect */
#define ND_LAST 137u
#define LINK_MULTICAST 0xff02u /* reports of listeners, sent when a kernel likes */

static uint32_t read16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void write16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void parse_layer4(struct frame *frame, uint8_t *l4, uint32_t len, uint8_t protocol)
{
	uint32_t header = 0;
	if (protocol == IPPROTO_TCP && len >= TCP_MIN) {
		header = (uint32_t)(l4[12] >> 4) * 4;
		frame->checksum = l4 + 16;
	} else if (protocol == IPPROTO_UDP && len >= UDP_HEADER) {
		header = UDP_HEADER;
		frame->checksum = l4 + 6;
	}
	if (header == 0 || header > len)
		return;
	frame->protocol = protocol;
	frame->ports = l4;
	frame->payload = l4 + header;
	frame->payload_len = len - header;
}

static void parse_ipv4(struct frame *frame, uint8_t *ip, uint32_t len)
{
	uint32_t header = (uint32_t)(ip[0] & 15) * 4;
	uint32_t total = read16(ip + 2);
	if (len < IPV4_MIN || ip[0] >> 4 != 4 || header < IPV4_MIN || header > total || total > len)
		return;
	frame->ip_len = total;
	frame->address_len = 4;
	frame->source = ip + 12;
	frame->destination = ip + 16;
	frame->ip_checksum = ip + 10;
	if ((read16(ip + 6) & 0x3fff) == 0)
		parse_layer4(frame, ip + header, total - header, ip[9]);
}

static void parse_ipv6(struct frame *frame, uint8_t *ip, uint32_t len)
{
	uint32_t body = read16(ip + 4);
	if (len < IPV6_HEADER || ip[0] >> 4 != 6 || body > len - IPV6_HEADER)
		return;
	frame->ip_len = IPV6_HEADER + body;
	frame->address_len = 16;
	frame->source = ip + 8;
	frame->destination = ip + 24;
	uint8_t *l4 = ip + IPV6_HEADER;
	frame->of_link =
		(ip[6] == IPPROTO_ICMPV6 && body > 0 && l4[0] >= ND_FIRST && l4[0] <= ND_LAST) ||
		read16(ip + 24) == LINK_MULTICAST;
	parse_layer4(frame, l4, body, ip[6]);
}

void frame_parse(struct frame *frame, uint8_t *data, uint32_t len)
{
	memset(frame, 0, sizeof(*frame));
	if (len < FRAME_HEADER + IPV4_MIN)
		return;
	uint32_t type = read16(data + 12);
	if (type == 0x0800)
		parse_ipv4(frame, data + FRAME_HEADER, len - FRAME_HEADER);
	else if (type == 0x86dd)
		parse_ipv6(frame, data + FRAME_HEADER, len - FRAME_HEADER);
}

/* RFC 1624, equation 3: the checksum after one 16-bit word below it has changed. */
static void repair(uint8_t *checksum, uint32_t old_word, uint32_t new_word)
{
	uint32_t sum = (~read16(checksum) & 0xffff) + (~old_word & 0xffff) + new_word;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	write16(checksum, ~sum & 0xffff);
}

/* The same for TCP or UDP, where UDP has two special cases: 0 is "no checksum". */
static void repair_layer4(struct frame *frame, uint32_t old_word, uint32_t new_word)
{
	bool udp = frame->protocol == IPPROTO_UDP;
	if (udp && read16(frame->checksum) == 0)
		return;
	repair(frame->checksum, old_word, new_word);
	if (udp && read16(frame->checksum) == 0)
		write16(frame->checksum, 0xffff);
}

bool frame_flip(struct frame *frame, uint64_t bit)
{
	if (frame->protocol == 0 || frame->payload_len == 0)
		return false;
	bit %= (uint64_t)frame->payload_len * 8;
	uint8_t *byte = frame->payload + bit / 8;
	uint32_t old = *byte;
	*byte ^= (uint8_t)(1u << bit % 8);
	/* Headers are of even length, so the payload's even bytes are the high ones of their words.
	 */
	uint32_t shift = bit / 8 % 2 == 0 ? 8 : 0;
	repair_layer4(frame, old << shift, (uint32_t)*byte << shift);
	return true;
}

struct end frame_end(const struct frame *frame, bool destination)
{
	struct end end = { .address_len = frame->address_len };
	memcpy(end.address, destination ? frame->destination : frame->source, frame->address_len);
	memcpy(end.port, frame->ports + (destination ? 2 : 0), 2);
	return end;
}

void frame_set_end(struct frame *frame, bool destination, const struct end *end)
{
	uint8_t *address = destination ? frame->destination : frame->source;
	uint8_t *port = frame->ports + (destination ? 2 : 0);
	for (uint32_t at = 0; at < frame->address_len; at += 2) {
		uint32_t old = read16(address + at);
		uint32_t new = read16(end->address + at);
		if (frame->ip_checksum)
			repair(frame->ip_checksum, old, new);
		repair_layer4(frame, old, new);
	}
	repair_layer4(frame, read16(port), read16(end->port));
	memcpy(address, end->address, frame->address_len);
	memcpy(port, end->port, 2);
}

bool end_equal(const struct end *a, const struct end *b)
{
	return a->address_len == b->address_len &&
	       memcmp(a->address, b->address, a->address_len) == 0 &&
	       memcmp(a->port, b->port, sizeof(a->port)) == 0;
}
