/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "record/flow_hash.h"

#define UDP 17
#define TCP 6
#define ICMP 1
#define ICMP6 58
#define FRAGMENT_HEADER 44

/* A packet as the cases below vary it: ends are numbers, not addresses. */
struct made {
	unsigned family; /* 4 or 6 */
	uint8_t protocol;
	uint32_t from, to;
	uint16_t from_port, to_port;
	uint16_t fragment; /* IPv4: flags and offset */
	uint8_t words;	   /* IPv4: of options */
	uint8_t payload;   /* the first byte behind the ports */
	bool bare;	   /* nothing behind the IP header */
};

static uint32_t hash_of(struct made m)
{
	uint8_t data[128] = { 0 };
	size_t header = m.family == 4 ? 20u + m.words * 4u : 40u;
	size_t len = m.bare ? header : header + 30;
	struct wt_packet packet;

	if (m.family == 4) {
		data[0] = (uint8_t)(0x45 + m.words);
		wt_store_be16(data + 2, (uint16_t)len);
		wt_store_be16(data + 6, m.fragment);
		data[9] = m.protocol;
		wt_store_be32(data + 12, 0x0a080000 | m.from);
		wt_store_be32(data + 16, 0x0a080000 | m.to);
	} else {
		data[0] = 0x60;
		wt_store_be16(data + 4, (uint16_t)(len - 40));
		data[6] = m.protocol;
		data[8] = data[24] = 0xfd;
		wt_store_be32(data + 20, m.from);
		wt_store_be32(data + 36, m.to);
	}
	memset(data + len, 0xff, 4); /* is not the packet's */
	if (!m.bare) {
		wt_store_be16(data + header, m.from_port);
		wt_store_be16(data + header + 2, m.to_port);
		data[header + 4] = m.payload;
	}
	assert_int_equal(wt_packet_parse(data, len, &packet), WT_DROP_NONE);
	return wt_flow_hash(data, len, &packet);
}

#define V4(proto, from_end, to_end, ...)                                                           \
	{                                                                                          \
		.family = 4, .protocol = (proto), .from = (from_end), .to = (to_end), __VA_ARGS__  \
	}
#define V6(proto, from_end, to_end, ...)                                                           \
	{                                                                                          \
		.family = 6, .protocol = (proto), .from = (from_end), .to = (to_end), __VA_ARGS__  \
	}
#define PORTS .from_port = 1000, .to_port = 53
#define PORTS_NONE .from_port = 0

static const struct {
	const char *what;
	struct made a, b;
	bool same;
} cases[] = {
	{ "payload", V4(UDP, 1, 2, PORTS), V4(UDP, 1, 2, PORTS, .payload = 1), true },
	{ "options", V4(TCP, 1, 2, PORTS), V4(TCP, 1, 2, PORTS, .words = 3), true },
	{ "don't fragment", V4(UDP, 1, 2, PORTS), V4(UDP, 1, 2, PORTS, .fragment = 0x4000), true },
	{ "the way back", V4(UDP, 1, 2, PORTS), V4(UDP, 2, 1, .from_port = 53, .to_port = 1000),
	  true },
	{ "the way back, IPv6", V6(TCP, 1, 2, PORTS),
	  V6(TCP, 2, 1, .from_port = 53, .to_port = 1000), true },
	{ "IPv6 payload", V6(TCP, 1, 2, PORTS), V6(TCP, 1, 2, PORTS, .payload = 9), true },
	{ "source port", V4(UDP, 1, 2, PORTS), V4(UDP, 1, 2, .from_port = 1001, .to_port = 53),
	  false },
	{ "ports the other way round", V4(UDP, 1, 2, PORTS),
	  V4(UDP, 1, 2, .from_port = 53, .to_port = 1000), false },
	{ "source", V4(UDP, 1, 2, PORTS), V4(UDP, 3, 2, PORTS), false },
	{ "destination", V6(UDP, 1, 2, PORTS), V6(UDP, 1, 3, PORTS), false },
	{ "protocol", V4(UDP, 1, 2, PORTS), V4(TCP, 1, 2, PORTS), false },
	{ "IPv6 destination port", V6(UDP, 1, 2, PORTS),
	  V6(UDP, 1, 2, .from_port = 1000, .to_port = 54), false },
	/* What has no ports, or does not show them in each piece. */
	{ "ICMP", V4(ICMP, 1, 2, PORTS), V4(ICMP, 1, 2, .from_port = 2), true },
	{ "ICMPv6", V6(ICMP6, 1, 2, PORTS), V6(ICMP6, 1, 2, .from_port = 2), true },
	{ "pieces", V4(UDP, 1, 2, PORTS, .fragment = 0x2000), V4(UDP, 1, 2, .fragment = 185),
	  true },
	{ "IPv6 pieces", V6(FRAGMENT_HEADER, 1, 2, PORTS),
	  V6(FRAGMENT_HEADER, 1, 2, .from_port = 2), true },
	{ "nothing there", V4(UDP, 1, 2, PORTS_NONE), V4(UDP, 1, 2, .bare = true), true },
	{ "nothing there, IPv6", V6(UDP, 1, 2, PORTS_NONE), V6(UDP, 1, 2, .bare = true), true },
};

static void what_makes_a_flow(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if ((hash_of(cases[i].a) == hash_of(cases[i].b)) != cases[i].same)
			fail_msg("%s", cases[i].what);
}

/* Neighbours in address or port come to different lanes about equally often. */
static void flows_spread(void **state)
{
	enum { FLOWS = 4096, LANES = 16 };

	(void)state;
	for (unsigned lanes = 2; lanes <= LANES; lanes++) {
		unsigned by_port[LANES] = { 0 }, by_source[LANES] = { 0 };

		for (uint16_t i = 0; i < FLOWS; i++) {
			by_port[hash_of((struct made)V4(TCP, 1, 2, .from_port = i, .to_port = 80)) %
				lanes]++;
			by_source[hash_of((struct made)V6(ICMP6, i, 2, .payload = 0)) % lanes]++;
		}
		for (unsigned k = 0; k < lanes; k++) {
			assert_in_range(by_port[k], FLOWS / lanes * 3 / 4, FLOWS / lanes * 5 / 4);
			assert_in_range(by_source[k], FLOWS / lanes * 3 / 4, FLOWS / lanes * 5 / 4);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_makes_a_flow),
		cmocka_unit_test(flows_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
