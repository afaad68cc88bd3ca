/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "record/params.h"
#include "record/vnet.h"
#include "support/run.h"
#include "tun/tun.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ROOM 33u /* before the packet, and nothing is aligned */

static const struct wt_inner_limits limits = { WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS,
					       WT_RECORD_MAX, 65535 };

/* The header as numbers: flags, type, then host-order hdr_len, gso_size,
 * csum_start, csum_offset. */
static const struct {
	const char *what;
	enum wt_inner_kind kind;
	struct wt_run run;
	uint8_t flags, type;
	uint16_t numbers[4];
} headers[] = {
	{ "complete TCPv4", 1, { AF_INET, IPPROTO_TCP, .payload = 100 }, 0, 0, { 0, 0, 0, 0 } },
	{ "complete UDPv6", 1, { AF_INET6, IPPROTO_UDP, .payload = 100 }, 0, 0, { 0, 0, 0, 0 } },
	{ "TCPv4", 2, { AF_INET, IPPROTO_TCP, .payload = 100 }, 1, 0, { 0, 0, 20, 16 } },
	{ "TCPv6", 2, { AF_INET6, IPPROTO_TCP, .payload = 100 }, 1, 0, { 0, 0, 40, 16 } },
	{ "UDPv4", 2, { AF_INET, IPPROTO_UDP, .payload = 100 }, 1, 0, { 0, 0, 20, 6 } },
	{ "UDPv6", 2, { AF_INET6, IPPROTO_UDP, .payload = 100 }, 1, 0, { 0, 0, 40, 6 } },
	{ "IPv4 options",
	  2,
	  { AF_INET, IPPROTO_UDP, .payload = 100, .extra = 40 },
	  1,
	  0,
	  { 0, 0, 60, 6 } },
	{ "TCPv4 run",
	  3,
	  { AF_INET, IPPROTO_TCP, .payload = 3000, .size = 1000 },
	  1,
	  1,
	  { 40, 1000, 20, 16 } },
	{ "TCPv4 run, all options",
	  3,
	  { AF_INET, IPPROTO_TCP, .payload = 3000, .size = 1000, .extra = 40, .tcp_extra = 40 },
	  1,
	  1,
	  { 120, 1000, 60, 16 } },
	{ "TCPv6 run",
	  3,
	  { AF_INET6, IPPROTO_TCP, .payload = 3000, .size = 1000 },
	  1,
	  4,
	  { 60, 1000, 40, 16 } },
	{ "UDPv4 run",
	  3,
	  { AF_INET, IPPROTO_UDP, .payload = 3000, .size = 1000 },
	  1,
	  5,
	  { 28, 1000, 20, 6 } },
	{ "UDPv6 run",
	  3,
	  { AF_INET6, IPPROTO_UDP, .payload = 3000, .size = 1000 },
	  1,
	  5,
	  { 48, 1000, 40, 6 } },
};

static void the_header_is_built_from_the_packet(void **state)
{
	static uint8_t slot[ROOM + 4096 + 16], before[sizeof slot];

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		const struct wt_run *run = &headers[i].run;
		uint8_t *packet = slot + ROOM, *text = packet - (headers[i].kind == 3 ? 3 : 1);
		struct wt_vnet places = wt_run_vnet(run);
		uint8_t *field = packet + places.checksum_start + places.checksum_offset;
		uint8_t bytes[WT_TUN_HEADER] = { headers[i].flags, headers[i].type };
		struct wt_inner inner;
		size_t len;

		memset(slot, 0xaa, sizeof slot);
		len = wt_run_whole(run, packet);
		wt_store_be16(field, 0xdead);
		text[0] = (uint8_t)headers[i].kind;
		if (headers[i].kind == 3)
			wt_store_be16(text + 1, run->size);
		assert_int_equal(
			wt_inner_parse(text, len + (size_t)(packet - text), &limits, &inner),
			WT_DROP_NONE);
		memcpy(before, slot, sizeof slot);
		wt_vnet_write(&inner);
		memcpy(bytes + 2, headers[i].numbers, sizeof headers[i].numbers);
		if (memcmp(packet - WT_TUN_HEADER, bytes, WT_TUN_HEADER) != 0)
			fail_msg("%s: another header", headers[i].what);
		/* The field: what the peer sent for a complete one, else our own sum. */
		if (headers[i].kind == 1)
			assert_int_equal(wt_load_be16(field), 0xdead);
		else
			assert_int_equal(
				wt_load_be16(field),
				wt_plain_pseudo(packet, len, places.checksum_start, run->protocol));
		/* Nothing else is touched. */
		memcpy(before + (packet - slot) - WT_TUN_HEADER, bytes, WT_TUN_HEADER);
		memcpy(before + (field - slot), field, 2);
		assert_memory_equal(slot, before, sizeof slot);
	}
}

static void a_header_is_read_at_any_alignment(void **state)
{
	uint8_t slot[32];
	const uint16_t numbers[] = { 0x1111, 0x2233, 0x4455, 0x6677 };

	(void)state;
	for (size_t at = 0; at < 8; at++) {
		slot[at] = 0x88;
		slot[at + 1] = 0x99;
		memcpy(slot + at + 2, numbers, sizeof numbers);
		struct wt_vnet vnet = wt_vnet_read(slot + at);

		assert_int_equal(vnet.flags, 0x88);
		assert_int_equal(vnet.type, 0x99);
		assert_int_equal(vnet.segment_size, 0x2233);
		assert_int_equal(vnet.checksum_start, 0x4455);
		assert_int_equal(vnet.checksum_offset, 0x6677);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_is_built_from_the_packet),
		cmocka_unit_test(a_header_is_read_at_any_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
