/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "record/inner.h"
#include "record/limits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- IP packets ---------------------------------------------------------- */

#define KEEP 0xffffffffu /* the length field says the true length */

static const struct {
	const char *what;
	uint8_t first;	 /* version and header length */
	size_t len;	 /* true length */
	uint32_t stated; /* IPv4 total length or IPv6 payload length */
	enum wt_drop drop;
} packets[] = {
	{ "empty", 0x45, 0, KEEP, WT_DROP_IP_HEADER },
	{ "IPv4, one byte", 0x45, 1, KEEP, WT_DROP_IP_HEADER },
	{ "IPv4, one byte short of a header", 0x45, 19, KEEP, WT_DROP_IP_HEADER },
	{ "IPv4, header alone", 0x45, 20, KEEP, WT_DROP_NONE },
	{ "IPv4, with payload", 0x45, 84, KEEP, WT_DROP_NONE },
	{ "IPv4, the largest", 0x45, 65535, KEEP, WT_DROP_NONE },
	{ "IPv4, total length 0", 0x45, 84, 0, WT_DROP_IP_LENGTH },
	{ "IPv4, total length below the header", 0x45, 84, 19, WT_DROP_IP_LENGTH },
	{ "IPv4, one trailing byte", 0x45, 84, 83, WT_DROP_IP_LENGTH },
	{ "IPv4, one byte missing", 0x45, 84, 85, WT_DROP_IP_LENGTH },
	{ "IPv4, says 65535", 0x45, 84, 65535, WT_DROP_IP_LENGTH },
	{ "IPv4, header length 0", 0x40, 84, KEEP, WT_DROP_IP_HEADER },
	{ "IPv4, header length 16", 0x44, 84, KEEP, WT_DROP_IP_HEADER },
	{ "IPv4, longest options", 0x4f, 60, KEEP, WT_DROP_NONE },
	{ "IPv4, options cut off", 0x4f, 59, KEEP, WT_DROP_IP_HEADER },
	{ "IPv4, options cut at the fixed header", 0x46, 20, KEEP, WT_DROP_IP_HEADER },
	{ "IPv6, one byte", 0x60, 1, KEEP, WT_DROP_IP_HEADER },
	{ "IPv6, one byte short of a header", 0x60, 39, KEEP, WT_DROP_IP_HEADER },
	{ "IPv6, header alone", 0x60, 40, KEEP, WT_DROP_NONE },
	{ "IPv6, traffic class bits", 0x6f, 40, KEEP, WT_DROP_NONE },
	{ "IPv6, with payload", 0x60, 104, KEEP, WT_DROP_NONE },
	{ "IPv6, the largest", 0x60, 65535, KEEP, WT_DROP_NONE },
	{ "IPv6, one above the largest", 0x60, 65536, KEEP, WT_DROP_IP_LENGTH },
	{ "IPv6, payload length 0 (a jumbogram)", 0x60, 104, 0, WT_DROP_IP_LENGTH },
	{ "IPv6, one trailing byte", 0x60, 104, 63, WT_DROP_IP_LENGTH },
	{ "IPv6, one byte missing", 0x60, 104, 65, WT_DROP_IP_LENGTH },
	{ "IPv6, says 65535", 0x60, 104, 65535, WT_DROP_IP_LENGTH },
};

/* The exact length on the heap: a read past the end is the sanitizer's. */
static uint8_t *exact(size_t len)
{
	uint8_t *p = calloc(1, len ? len : 1);

	assert_non_null(p);
	return p;
}

static void set_length(uint8_t *packet, size_t len, uint32_t stated)
{
	if ((packet[0] >> 4) == 4 && len >= 4)
		wt_store_be16(packet + 2, (uint16_t)(stated == KEEP ? len : stated));
	if ((packet[0] >> 4) == 6 && len >= 6)
		wt_store_be16(packet + 4, (uint16_t)(stated == KEEP ? len - 40 : stated));
}

static void packets_are_checked_against_their_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(packets); i++) {
		uint8_t *data = exact(packets[i].len);
		struct wt_packet packet;

		if (packets[i].len > 0) {
			data[0] = packets[i].first;
			set_length(data, packets[i].len, packets[i].stated);
		}
		enum wt_drop drop = wt_packet_parse(data, packets[i].len, &packet);

		if (drop != packets[i].drop)
			fail_msg("%s: %s", packets[i].what, wt_drop_name(drop));
		free(data);
	}
}

static void every_other_ip_version_is_refused(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		uint8_t data[60] = { (uint8_t)first };
		struct wt_packet packet;

		set_length(data, sizeof data, KEEP);
		enum wt_drop drop = wt_packet_parse(data, sizeof data, &packet);

		if (first >> 4 == 6)
			assert_int_equal(drop, WT_DROP_NONE);
		else if (first >> 4 == 4)
			assert_int_equal(drop, first < 0x45 ? WT_DROP_IP_HEADER : WT_DROP_NONE);
		else
			assert_int_equal(drop, WT_DROP_IP_VERSION);
	}
}

static void addresses_come_from_their_places(void **state)
{
	uint8_t ipv4[20], ipv6[40];
	struct wt_packet packet;

	(void)state;
	for (size_t i = 0; i < sizeof ipv4; i++)
		ipv4[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof ipv6; i++)
		ipv6[i] = (uint8_t)i;
	ipv4[0] = 0x45;
	ipv6[0] = 0x60;
	set_length(ipv4, sizeof ipv4, KEEP);
	set_length(ipv6, sizeof ipv6, KEEP);
	assert_int_equal(wt_packet_parse(ipv4, sizeof ipv4, &packet), WT_DROP_NONE);
	assert_int_equal(packet.family, AF_INET);
	assert_ptr_equal(packet.source, ipv4 + 12);
	assert_ptr_equal(packet.destination, ipv4 + 16);
	assert_int_equal(wt_packet_parse(ipv6, sizeof ipv6, &packet), WT_DROP_NONE);
	assert_int_equal(packet.family, AF_INET6);
	assert_ptr_equal(packet.source, ipv6 + 8);
	assert_ptr_equal(packet.destination, ipv6 + 24);
}

/* An end that takes nothing but kind 0x01. */
static const struct wt_inner_limits plain = { .inner_mtu = 65535 };

/* ---- kinds --------------------------------------------------------------- */

static void only_three_kinds_exist(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		uint8_t text[1 + 20] = { (uint8_t)kind, 0x45, 0, 0, 20 };
		struct wt_inner inner;
		enum wt_drop drop = wt_inner_parse(text, sizeof text, &plain, &inner);

		switch (kind) {
		case WT_INNER_PADDING:
		case WT_INNER_PACKET:
			assert_int_equal(drop, WT_DROP_NONE);
			assert_int_equal(inner.kind, kind);
			assert_ptr_equal(inner.body, text + 1);
			assert_int_equal(inner.len, 20);
			break;
		case WT_INNER_CONTROL: /* 45 00 00 is an unknown TLV, 14 .. runs out */
			assert_int_equal(drop, WT_DROP_CONTROL);
			break;
		default: /* 0x02 and 0x03 among them: never offered */
			assert_int_equal(drop, WT_DROP_KIND);
		}
	}
}

static void padding_may_be_anything(void **state)
{
	uint8_t text[64];
	struct wt_inner inner;

	(void)state;
	memset(text, 0xee, sizeof text);
	text[0] = WT_INNER_PADDING;
	for (size_t len = 1; len <= sizeof text; len++)
		assert_int_equal(wt_inner_parse(text, len, &plain, &inner), WT_DROP_NONE);
	assert_int_equal(wt_inner_parse(text, 0, &plain, &inner), WT_DROP_LENGTH);
}

static void a_packet_with_a_trailing_byte_drops(void **state)
{
	uint8_t text[1 + 20 + 1] = { WT_INNER_PACKET, 0x45, 0, 0, 20 };
	struct wt_inner inner;

	(void)state;
	assert_int_equal(wt_inner_parse(text, 1 + 20, &plain, &inner), WT_DROP_NONE);
	assert_int_equal(inner.packet.family, AF_INET);
	assert_int_equal(wt_inner_parse(text, 1 + 21, &plain, &inner), WT_DROP_IP_LENGTH);
	assert_int_equal(wt_inner_parse(text, 1, &plain, &inner), WT_DROP_IP_HEADER);
}

/* ---- control ------------------------------------------------------------- */

static const struct {
	const char *what;
	uint8_t body[32];
	size_t len;
	int items; /* -1: the record drops */
} controls[] = {
	{ "nothing", { 0 }, 0, 0 },
	{ "a type alone", { 2 }, 1, -1 },
	{ "half a length", { 4, 0 }, 2, -1 },
	{ "REKEY", { 4, 0, 0 }, 3, 1 },
	{ "REKEY with a byte", { 4, 0, 1, 0 }, 4, -1 },
	{ "REKEY, one byte left over", { 4, 0, 0, 0 }, 4, -1 },
	{ "CLOSE", { 1, 0, 1, 2 }, 4, 1 },
	{ "CLOSE, reason unknown", { 1, 0, 1, 200 }, 4, 1 },
	{ "CLOSE without a reason", { 1, 0, 0 }, 3, -1 },
	{ "CLOSE, two reasons", { 1, 0, 2, 1, 1 }, 5, -1 },
	{ "CLOSE, reason cut off", { 1, 0, 1 }, 3, -1 },
	{ "PING", { 2, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 }, 11, 1 },
	{ "PING of 7", { 2, 0, 7, 1, 2, 3, 4, 5, 6, 7 }, 10, -1 },
	{ "PING of 9", { 2, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 12, -1 },
	{ "PING, one byte missing", { 2, 0, 8, 1, 2, 3, 4, 5, 6, 7 }, 10, -1 },
	{ "PONG", { 3, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 }, 11, 1 },
	{ "PONG of 0", { 3, 0, 0 }, 3, -1 },
	{ "PATH_CHALLENGE", { 5, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 }, 11, 1 },
	{ "PATH_CHALLENGE of 4", { 5, 0, 4, 1, 2, 3, 4 }, 7, -1 },
	{ "PATH_RESPONSE", { 6, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 }, 11, 1 },
	{ "PATH_RESPONSE of 1", { 6, 0, 1, 1 }, 4, -1 },
	{ "PROBE", { 7, 0, 2, 1, 2 }, 5, 1 },
	{ "PROBE of 1", { 7, 0, 1, 1 }, 4, -1 },
	{ "PROBE_ACK", { 8, 0, 2, 1, 2 }, 5, 1 },
	{ "PROBE_ACK of 3", { 8, 0, 3, 1, 2, 3 }, 6, -1 },
	{ "PAD of 0", { 9, 0, 0 }, 3, 1 },
	{ "PAD of 5", { 9, 0, 5, 1, 2, 3, 4, 5 }, 8, 1 },
	{ "PAD cut off", { 9, 0, 6, 1, 2, 3, 4, 5 }, 8, -1 },
	{ "PAD of 65535", { 9, 0xff, 0xff, 1, 2, 3, 4, 5 }, 8, -1 },
	{ "unknown 0", { 0, 0, 1, 7 }, 4, 1 },
	{ "unknown 10", { 10, 0, 3, 1, 2, 3 }, 6, 1 },
	{ "unknown 255, cut off", { 255, 1, 0, 1 }, 4, -1 },
	{ "unknown, then REKEY", { 77, 0, 2, 4, 0, 4, 0, 0 }, 8, 2 },
	{ "PING, PAD, CLOSE", { 2, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1, 0, 1, 1 }, 18, 3 },
	{ "CLOSE, then a bad PING", { 1, 0, 1, 1, 2, 0, 1, 1 }, 8, -1 },
	{ "CLOSE, then half a TLV", { 1, 0, 1, 1, 9, 0 }, 6, -1 },
};

static void a_control_record_is_sound_as_a_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(controls); i++) {
		uint8_t *text = exact(1 + controls[i].len);
		struct wt_inner inner;
		struct wt_control item;
		int items = 0;

		text[0] = WT_INNER_CONTROL;
		memcpy(text + 1, controls[i].body, controls[i].len);
		enum wt_drop drop = wt_inner_parse(text, 1 + controls[i].len, &plain, &inner);

		if (drop != (controls[i].items < 0 ? WT_DROP_CONTROL : WT_DROP_NONE))
			fail_msg("%s: %s", controls[i].what, wt_drop_name(drop));
		if (drop == WT_DROP_NONE) {
			size_t at = 0;

			while (wt_control_next(&inner, &at, &item))
				items++;
			if (items != controls[i].items || at != controls[i].len)
				fail_msg("%s: %d items, %zu bytes", controls[i].what, items, at);
		}
		free(text);
	}
}

static void built_controls_are_read_back(void **state)
{
	static const uint8_t payload[WT_PING_SIZE] = { 8, 7, 6, 5, 4, 3, 2, 1 };
	static const uint8_t close[] = { 0x10, 1, 0, 1, 2 };
	static const uint8_t ping[] = { 0x10, 2, 0, 8, 8, 7, 6, 5, 4, 3, 2, 1 };
	static const uint8_t pong[] = { 0x10, 3, 0, 8, 8, 7, 6, 5, 4, 3, 2, 1 };
	static const uint8_t rekey[] = { 0x10, 4, 0, 0 };
	static const uint8_t challenge[] = { 0x10, 5, 0, 8, 8, 7, 6, 5, 4, 3, 2, 1 };
	static const uint8_t response[] = { 0x10, 6, 0, 8, 8, 7, 6, 5, 4, 3, 2, 1 };
	static const uint8_t ack[] = { 0x10, 8, 0, 2, 0x12, 0x34 };
	uint8_t out[WT_CONTROL_MAX];
	struct wt_inner inner;
	struct wt_control item;
	size_t at = 0;

	(void)state;
	assert_int_equal(wt_control_close(out, WT_CLOSE_REPLACED), sizeof close);
	assert_memory_equal(out, close, sizeof close);
	assert_int_equal(wt_inner_parse(out, sizeof close, &plain, &inner), WT_DROP_NONE);
	assert_true(wt_control_next(&inner, &at, &item));
	assert_int_equal(item.type, WT_CONTROL_CLOSE);
	assert_int_equal(item.len, 1);
	assert_int_equal(item.value[0], WT_CLOSE_REPLACED);
	assert_false(wt_control_next(&inner, &at, &item));

	assert_int_equal(wt_control_ping(out, payload), sizeof ping);
	assert_memory_equal(out, ping, sizeof ping);
	assert_int_equal(wt_control_pong(out, payload), sizeof pong);
	assert_memory_equal(out, pong, sizeof pong);
	assert_int_equal(wt_control_rekey(out), sizeof rekey);
	assert_memory_equal(out, rekey, sizeof rekey);
	assert_int_equal(wt_control_path_challenge(out, payload), sizeof challenge);
	assert_memory_equal(out, challenge, sizeof challenge);
	assert_int_equal(wt_control_path_response(out, payload), sizeof response);
	assert_memory_equal(out, response, sizeof response);
	assert_int_equal(wt_control_probe_ack(out, 0x1234), sizeof ack);
	assert_memory_equal(out, ack, sizeof ack);
}

static void probes_have_exactly_the_size_asked_for(void **state)
{
	static const uint8_t bare[] = { 0x10, 7, 0, 2, 0xab, 0xcd };
	const size_t most = WT_RECORD_MAX - WT_RECORD_HEADER - WT_TAG_SIZE;
	static const size_t impossible[] = { 0, 1, 5, 7, 8 };
	const size_t sizes[] = { WT_PROBE_TEXT_MIN, WT_PROBE_TEXT_PADDED, 10, 1168, 1281, most };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint8_t *text = exact(sizes[i]);
		struct wt_inner inner;
		struct wt_control item;
		size_t at = 0;

		memset(text, 0xee, sizes[i]);
		assert_int_equal(wt_control_probe(text, sizes[i], 0xabcd), sizes[i]);
		assert_memory_equal(text, bare, sizeof bare);
		assert_int_equal(wt_inner_parse(text, sizes[i], &plain, &inner), WT_DROP_NONE);
		assert_true(wt_control_next(&inner, &at, &item));
		assert_int_equal(item.type, WT_CONTROL_PROBE);
		if (sizes[i] > sizeof bare) {
			assert_true(wt_control_next(&inner, &at, &item));
			assert_int_equal(item.type, WT_CONTROL_PAD);
			for (size_t k = 0; k < item.len; k++)
				assert_int_equal(item.value[k], 0);
		}
		assert_int_equal(at, sizes[i] - 1);
		free(text);
	}
	for (size_t i = 0; i < COUNT(impossible); i++)
		assert_int_equal(wt_control_probe(NULL, impossible[i], 1), 0);
	assert_int_equal(wt_control_probe(NULL, most + 1, 1), 0);
}

static void close_reasons_have_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		bool known = i >= WT_CLOSE_SHUTDOWN && i <= WT_CLOSE_PROTOCOL;

		assert_int_equal(strcmp(wt_close_text((uint8_t)i), "unknown reason") != 0, known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_checked_against_their_length),
		cmocka_unit_test(every_other_ip_version_is_refused),
		cmocka_unit_test(addresses_come_from_their_places),
		cmocka_unit_test(only_three_kinds_exist),
		cmocka_unit_test(padding_may_be_anything),
		cmocka_unit_test(a_packet_with_a_trailing_byte_drops),
		cmocka_unit_test(a_control_record_is_sound_as_a_whole),
		cmocka_unit_test(built_controls_are_read_back),
		cmocka_unit_test(probes_have_exactly_the_size_asked_for),
		cmocka_unit_test(close_reasons_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
