/* SPDX-License-Identifier: MIT
 *
 * The rules for records of kind 0x02 and 0x03, one line each, at both ends: what
 * the receiver refuses the sender does not send so, but finishes or cuts.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "conform/guarded.h"
#include "record/params.h"
#include "record/plan.h"
#include "support/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TCP4 .family = AF_INET, .protocol = IPPROTO_TCP
#define TCP6 .family = AF_INET6, .protocol = IPPROTO_TCP
#define UDP4 .family = AF_INET, .protocol = IPPROTO_UDP
#define UDP6 .family = AF_INET6, .protocol = IPPROTO_UDP
#define ACK 0x10u
#define ECE 0x40u

#define MTU 1500u
#define ALL (WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS)

#define SEND .receiver = WT_DROP_NONE, .way = WT_PLAN_SEND
#define FINISH(refusal) .receiver = refusal, .way = WT_PLAN_FINISH
#define CUT(refusal) .receiver = refusal, .way = WT_PLAN_CUT
#define DROP(refusal, sender) .receiver = refusal, .way = WT_PLAN_DROP, .drop = sender

static const struct {
	const char *what;
	struct wt_run run;     /* size 0: kind 0x02 */
	enum wt_drop receiver; /* what the receiver says of the record */
	enum wt_plan_way way;  /* what the sender does, with everything accepted */
	enum wt_drop drop;
	struct {
		uint16_t at; /* 0: no more */
		uint8_t value;
	} patch[2];
} rules[] = {
	/* 0x02 */
	{ "TCPv4", { TCP4, .payload = 1000 }, SEND },
	{ "TCPv6", { TCP6, .payload = 1000 }, SEND },
	{ "UDPv4", { UDP4, .payload = 1000 }, SEND },
	{ "UDPv6", { UDP6, .payload = 1000 }, SEND },
	{ "nothing behind TCP", { TCP4, .payload = 0 }, SEND },
	{ "nothing behind UDP", { UDP6, .payload = 0 }, SEND },
	{ "IPv4 options", { TCP4, .payload = 100, .extra = 40 }, SEND },
	{ "TCP options", { TCP6, .payload = 100, .tcp_extra = 40 }, SEND },
	{ "SYN", { TCP4, .tcp_extra = 20, .tcp_flags = WT_TCP_SYN }, SEND },
	{ "all flags", { TCP4, .payload = 9, .tcp_flags = 0xff }, SEND },
	{ "reserved bit of the fragment field",
	  { TCP4, .payload = 9 },
	  SEND,
	  .patch = { { 6, 0x80 } } },
	{ "more fragments",
	  { TCP4, .payload = 9 },
	  FINISH(WT_DROP_FRAGMENT),
	  .patch = { { 6, 0x20 } } },
	{ "offset, high",
	  { UDP4, .payload = 9 },
	  FINISH(WT_DROP_FRAGMENT),
	  .patch = { { 6, 0x10 } } },
	{ "offset, low",
	  { UDP4, .payload = 9 },
	  FINISH(WT_DROP_FRAGMENT),
	  .patch = { { 7, 0x01 } } },
	{ "an IPv6 fragment",
	  { UDP6, .payload = 9 },
	  FINISH(WT_DROP_PROTOCOL),
	  .patch = { { 6, 44 } } },
	{ "an IPv6 extension header",
	  { TCP6, .payload = 9, .extra = 8 },
	  FINISH(WT_DROP_PROTOCOL) },
	{ "ICMP",
	  { UDP4, .payload = 9 },
	  FINISH(WT_DROP_PROTOCOL),
	  .patch = { { 9, IPPROTO_ICMP } } },
	{ "IPv4 in IPv4", { UDP4, .payload = 9 }, FINISH(WT_DROP_PROTOCOL), .patch = { { 9, 4 } } },
	{ "UDP-Lite", { UDP6, .payload = 9 }, FINISH(WT_DROP_PROTOCOL), .patch = { { 6, 136 } } },
	{ "SCTP", { TCP6, .payload = 9 }, FINISH(WT_DROP_PROTOCOL), .patch = { { 6, 132 } } },
	{ "TCP header of 16",
	  { TCP4, .payload = 9 },
	  FINISH(WT_DROP_LAYER4),
	  .patch = { { 32, 0x40 } } },
	{ "TCP header of 0",
	  { TCP6, .payload = 9 },
	  FINISH(WT_DROP_LAYER4),
	  .patch = { { 52, 0x00 } } },
	{ "TCP header of 24 in 20", { TCP4 }, FINISH(WT_DROP_LAYER4), .patch = { { 32, 0x60 } } },
	{ "TCP header of 60 in 59",
	  { TCP4, .payload = 3, .tcp_extra = 36 },
	  FINISH(WT_DROP_LAYER4),
	  .patch = { { 32, 0xf0 } } },
	{ "TCP in 17 bytes",
	  { UDP4, .payload = 9 },
	  FINISH(WT_DROP_LAYER4),
	  .patch = { { 9, 6 } } },
	{ "UDP length one less",
	  { UDP4, .payload = 9 },
	  FINISH(WT_DROP_LAYER4),
	  .patch = { { 25, 16 } } },
	{ "UDP length one more",
	  { UDP6, .payload = 9 },
	  FINISH(WT_DROP_LAYER4),
	  .patch = { { 45, 18 } } },
	{ "UDP length 0", { UDP6, .payload = 9 }, FINISH(WT_DROP_LAYER4), .patch = { { 45, 0 } } },
	/* 0x03 */
	{ "TCPv4 run", { TCP4, .payload = 3000, .size = 1448 }, SEND },
	{ "TCPv6 run", { TCP6, .payload = 3000, .size = 1428 }, SEND },
	{ "UDPv4 run", { UDP4, .payload = 3000, .size = 1472 }, SEND },
	{ "UDPv6 run", { UDP6, .payload = 3000, .size = 1452 }, SEND },
	{ "largest TCPv4 run", { TCP4, .payload = 65535 - 40, .size = 1448 }, SEND },
	{ "largest UDPv6 run", { UDP6, .payload = 65535 - 48, .size = 1452 }, SEND },
	{ "IPv4 options in a run", { TCP4, .payload = 3000, .size = 1000, .extra = 40 }, SEND },
	{ "TCP header of 60 in a run",
	  { TCP4, .payload = 3000, .size = 1000, .tcp_extra = 40 },
	  SEND },
	{ "flags of data",
	  { TCP4, .payload = 3000, .size = 1000, .tcp_flags = ACK | ECE | WT_TCP_PSH | WT_TCP_FIN },
	  SEND },
	{ "SYN in a run",
	  { TCP4, .payload = 3000, .size = 1000, .tcp_flags = WT_TCP_SYN },
	  CUT(WT_DROP_TCP_FLAGS) },
	{ "RST in a run",
	  { TCP6, .payload = 3000, .size = 1000, .tcp_flags = WT_TCP_RST },
	  CUT(WT_DROP_TCP_FLAGS) },
	{ "URG in a run",
	  { TCP4, .payload = 3000, .size = 1000, .tcp_flags = WT_TCP_URG },
	  CUT(WT_DROP_TCP_FLAGS) },
	{ "CWR in a run",
	  { TCP6, .payload = 3000, .size = 1000, .tcp_flags = WT_TCP_CWR },
	  CUT(WT_DROP_TCP_FLAGS) },
	{ "size 512", { TCP4, .payload = 3000, .size = 512 }, SEND },
	{ "size 511", { TCP4, .payload = 3000, .size = 511 }, CUT(WT_DROP_SEGMENTS) },
	{ "size 1", { UDP4, .payload = 500, .size = 1 }, CUT(WT_DROP_SEGMENTS) },
	{ "size 1 of 65,000",
	  { TCP4, .payload = 65000, .size = 1 },
	  DROP(WT_DROP_SEGMENTS, WT_DROP_SEGMENTS) },
	{ "segments as large as the MTU", { TCP4, .payload = 3000, .size = 1460 }, SEND },
	{ "segments one byte larger",
	  { TCP4, .payload = 3000, .size = 1461 },
	  DROP(WT_DROP_SEGMENTS, WT_DROP_TOO_LARGE) },
	{ "IPv6 as large as the MTU", { UDP6, .payload = 3000, .size = 1452 }, SEND },
	{ "IPv6 one byte larger",
	  { UDP6, .payload = 3000, .size = 1453 },
	  DROP(WT_DROP_SEGMENTS, WT_DROP_TOO_LARGE) },
	{ "options count",
	  { TCP4, .payload = 3000, .size = 1448, .tcp_extra = 16 },
	  DROP(WT_DROP_SEGMENTS, WT_DROP_TOO_LARGE) },
	{ "a size of 65535",
	  { TCP4, .payload = 3000, .size = 65535 },
	  DROP(WT_DROP_SEGMENTS, WT_DROP_TOO_LARGE) },
	{ "one segment, full", { TCP4, .payload = 1000, .size = 1000 }, CUT(WT_DROP_SEGMENTS) },
	{ "one segment, short", { UDP4, .payload = 9, .size = 1000 }, CUT(WT_DROP_SEGMENTS) },
	{ "one segment and one byte", { TCP4, .payload = 1001, .size = 1000 }, SEND },
	{ "no payload",
	  { TCP4, .payload = 0, .size = 1000 },
	  DROP(WT_DROP_SEGMENTS, WT_DROP_SEGMENTS) },
	{ "128 of TCP, as many as fit", { TCP4, .payload = 65535 - 40, .size = 512 }, SEND },
	{ "128 of TCPv6", { TCP6, .payload = 65535 - 60, .size = 512 }, SEND },
	{ "64 of UDP", { UDP4, .payload = 64 * 512, .size = 512 }, SEND },
	{ "65 of UDP", { UDP4, .payload = 64 * 512 + 1, .size = 512 }, CUT(WT_DROP_SEGMENTS) },
	{ "65 of UDPv6", { UDP6, .payload = 64 * 1000 + 1, .size = 1000 }, CUT(WT_DROP_SEGMENTS) },
	{ "a fragmented run",
	  { TCP4, .payload = 3000, .size = 1000 },
	  DROP(WT_DROP_FRAGMENT, WT_DROP_FRAGMENT),
	  .patch = { { 6, 0x20 } } },
	{ "an extension header in a run",
	  { TCP6, .payload = 3000, .size = 1000, .extra = 8 },
	  CUT(WT_DROP_PROTOCOL) },
	{ "a run of ICMP",
	  { UDP4, .payload = 3000, .size = 1000 },
	  DROP(WT_DROP_PROTOCOL, WT_DROP_PROTOCOL),
	  .patch = { { 9, IPPROTO_ICMP } } },
	{ "TCP header of 16 in a run",
	  { TCP4, .payload = 3000, .size = 1000 },
	  DROP(WT_DROP_LAYER4, WT_DROP_LAYER4),
	  .patch = { { 32, 0x40 } } },
	{ "UDP length of one segment",
	  { UDP4, .payload = 3000, .size = 1000 },
	  DROP(WT_DROP_LAYER4, WT_DROP_LAYER4),
	  .patch = { { 24, 3 }, { 25, 240 } } },
	/* What holds for every packet comes first. */
	{ "IP version 5",
	  { TCP4, .payload = 9 },
	  DROP(WT_DROP_IP_VERSION, WT_DROP_IP_VERSION),
	  .patch = { { 0xffff, 0x55 } } },
	{ "IPv4 length",
	  { TCP4, .payload = 9 },
	  DROP(WT_DROP_IP_LENGTH, WT_DROP_IP_LENGTH),
	  .patch = { { 3, 48 } } },
	{ "IPv6 length",
	  { UDP6, .payload = 3000, .size = 1000 },
	  DROP(WT_DROP_IP_LENGTH, WT_DROP_IP_LENGTH),
	  .patch = { { 5, 0 } } },
};

static struct wt_guarded room;

static int setup(void **state)
{
	(void)state;
	return wt_guarded_init(&room, NULL, WT_RECORD_MAX) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_guarded_free(&room);
	return 0;
}

/* The record's text, flush against a page that cannot be read; *packet is in it. */
static uint8_t *make_text(const struct wt_run *run, size_t *len, uint8_t **packet)
{
	static uint8_t whole[WT_RUN_MAX];
	size_t prefix = run->size ? 3 : 1, packet_len = wt_run_whole(run, whole);
	uint8_t *text = wt_guarded_place(&room, prefix + packet_len, WT_GUARDED_END);

	text[0] = run->size ? WT_INNER_SEGMENTS : WT_INNER_PARTIAL;
	if (run->size)
		wt_store_be16(text + 1, run->size);
	*packet = text + prefix;
	*len = prefix + packet_len;
	memcpy(*packet, whole, packet_len);
	return text;
}

static void plan(const struct wt_run *run, const uint8_t *packet, size_t len,
		 const struct wt_inner_limits *peer, struct wt_plan *out)
{
	struct wt_vnet vnet = wt_run_vnet(run);
	struct wt_packet ip;
	enum wt_drop drop = wt_packet_parse(packet, len, &ip);

	if (drop == WT_DROP_NONE)
		wt_plan_make(&vnet, packet, len, &ip, peer, out);
	else
		*out = (struct wt_plan){ .way = WT_PLAN_DROP, .drop = drop };
}

static void both_ends_keep_the_rules(void **state)
{
	static const struct wt_inner_limits limits = { ALL, WT_RECORD_MAX, MTU };

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct wt_inner inner;
		struct wt_plan got;
		uint8_t *packet;
		size_t len;
		uint8_t *text = make_text(&rules[i].run, &len, &packet);

		for (size_t k = 0; k < COUNT(rules[i].patch) && rules[i].patch[k].at; k++)
			packet[rules[i].patch[k].at == 0xffff ? 0 : rules[i].patch[k].at] =
				rules[i].patch[k].value;
		enum wt_drop drop = wt_inner_parse(text, len, &limits, &inner);

		if (drop != rules[i].receiver)
			fail_msg("%s: the receiver says %s", rules[i].what, wt_drop_name(drop));
		plan(&rules[i].run, packet, len - (size_t)(packet - text), &limits, &got);
		if (got.way != rules[i].way || got.drop != rules[i].drop)
			fail_msg("%s: the sender goes way %d, %s", rules[i].what, got.way,
				 wt_drop_name(got.drop));
		if (drop != WT_DROP_NONE)
			continue;
		/* What is sent is what was received. */
		assert_int_equal(got.prefix_len, packet - text);
		assert_memory_equal(got.prefix, text, got.prefix_len);
		assert_int_equal(inner.kind, text[0]);
		assert_ptr_equal(inner.body, packet);
		assert_int_equal(inner.len, len - (size_t)(packet - text));
		assert_true(wt_inner_has_packet(&inner));
	}
}

/* Each feature bit, and what it is for. */
static const struct {
	const char *what;
	struct wt_run run;
	uint32_t feature;
} features[] = {
	{ "TCPv4", { TCP4, .payload = 1000 }, 1 },
	{ "TCPv6", { TCP6, .payload = 1000 }, 1 },
	{ "UDPv4", { UDP4, .payload = 1000 }, 1 },
	{ "UDPv6", { UDP6, .payload = 1000 }, 1 },
	{ "TCPv4 run", { TCP4, .payload = 3000, .size = 1000 }, 2 },
	{ "TCPv6 run", { TCP6, .payload = 3000, .size = 1000 }, 4 },
	{ "UDPv4 run", { UDP4, .payload = 3000, .size = 1000 }, 8 },
	{ "UDPv6 run", { UDP6, .payload = 3000, .size = 1000 }, 16 },
};

static void only_what_was_offered_is_taken_and_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(features); i++) {
		for (uint32_t set = 0; set < 64; set++) {
			const struct wt_inner_limits limits = { set, WT_RECORD_MAX, MTU };
			bool offered = set & features[i].feature;
			struct wt_inner inner;
			struct wt_plan got;
			uint8_t *packet;
			size_t len;
			uint8_t *text = make_text(&features[i].run, &len, &packet);
			enum wt_drop drop = wt_inner_parse(text, len, &limits, &inner);
			enum wt_plan_way way = features[i].run.size ? WT_PLAN_CUT : WT_PLAN_FINISH;

			if (drop != (offered ? WT_DROP_NONE : WT_DROP_KIND))
				fail_msg("%s, features %u: %s", features[i].what, set,
					 wt_drop_name(drop));
			plan(&features[i].run, packet, len - (size_t)(packet - text), &limits,
			     &got);
			if (got.way != (offered ? WT_PLAN_SEND : way))
				fail_msg("%s, features %u: way %d", features[i].what, set, got.way);
		}
	}
}

/* No packet of IP is long enough for a 129th of 512 bytes: the rule stands behind
 * the other two. */
static void the_number_of_tcp_segments_is_bounded(void **state)
{
	const struct wt_layer4 l4 = { .start = 20, .payload = 40, .protocol = IPPROTO_TCP };

	(void)state;
	assert_int_equal(wt_layer4_check_run(&l4, 40 + 128 * 512, 512, MTU), WT_DROP_NONE);
	assert_int_equal(wt_layer4_check_run(&l4, 40 + 128 * 512 + 1, 512, MTU), WT_DROP_SEGMENTS);
}

/* A record that ends anywhere: nothing behind its end is read. */
static void a_text_that_is_cut_off_is_refused(void **state)
{
	static const struct wt_inner_limits limits = { ALL, WT_RECORD_MAX, MTU };
	static const struct wt_run cases[] = {
		{ TCP4, .payload = 600, .tcp_extra = 12 },
		{ UDP6, .payload = 600 },
		{ TCP4, .payload = 600, .size = 512 },
		{ UDP6, .payload = 600, .size = 512 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t *packet, *text, *cut;
		uint8_t copy[1024];
		struct wt_inner inner;
		size_t len, whole;

		text = make_text(&cases[i], &whole, &packet);
		memcpy(copy, text, whole);
		for (len = 0; len < whole; len++) {
			size_t prefix = cases[i].size ? 3 : 1;
			enum wt_drop drop;

			cut = wt_guarded_place(&room, len, WT_GUARDED_END);
			memcpy(cut, copy, len);
			drop = wt_inner_parse(cut, len, &limits, &inner);
			if (drop == WT_DROP_NONE)
				fail_msg("case %zu, %zu bytes: accepted", i, len);
			if (len < prefix)
				assert_int_equal(drop, WT_DROP_LENGTH);
			else if (len == prefix)
				assert_int_equal(drop, WT_DROP_IP_HEADER);
			/* The same with an IP length that agrees. */
			if (len < prefix + (cases[i].family == AF_INET ? 20 : 40))
				continue;
			if (cases[i].family == AF_INET)
				wt_store_be16(cut + prefix + 2, (uint16_t)(len - prefix));
			else
				wt_store_be16(cut + prefix + 4, (uint16_t)(len - prefix - 40));
			drop = wt_inner_parse(cut, len, &limits, &inner);
			if (len < prefix + wt_run_headers(&cases[i]))
				assert_int_equal(drop, WT_DROP_LAYER4);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_keep_the_rules),
		cmocka_unit_test(only_what_was_offered_is_taken_and_sent),
		cmocka_unit_test(the_number_of_tcp_segments_is_bounded),
		cmocka_unit_test(a_text_that_is_cut_off_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
