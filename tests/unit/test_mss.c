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
#include "conform/guarded.h"
#include "record/mss.h"
#include "support/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SYN 0x02u
#define ACK 0x10u
#define NONE SIZE_MAX /* no value is changed */

static struct wt_guarded room;

static int setup(void **state)
{
	(void)state;
	return wt_guarded_init(&room, NULL, 4096) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_guarded_free(&room);
	return 0;
}

static const struct {
	const char *what;
	uint8_t len, options[40];
	size_t at; /* the value that becomes the MTU's; NONE: left alone */
} options[] = {
	{ "no options", 0, { 0 }, NONE },
	{ "MSS alone", 4, { 2, 4, 0xff, 0xff }, 2 },
	{ "what Linux sends",
	  20,
	  { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 },
	  2 },
	{ "at an odd place", 8, { 1, 2, 4, 0x23, 0x28, 1, 1, 1 }, 3 },
	{ "at another odd place", 8, { 3, 3, 7, 2, 4, 0x05, 0xb4, 0 }, 5 },
	{ "at the very end", 8, { 1, 1, 1, 1, 2, 4, 0x05, 0xb4 }, 6 },
	{ "in a full header",
	  40,
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,	1,
	    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 0xff, 0xff },
	  38 },
	{ "behind an unknown option", 8, { 254, 3, 1, 2, 4, 0x05, 0xb4, 1 }, 5 },
	{ "rubbish behind the end", 8, { 2, 4, 0x05, 0xb4, 0, 2, 99, 99 }, 2 },
	{ "behind the end", 8, { 0, 1, 1, 1, 2, 4, 0x05, 0xb4 }, NONE },
	{ "small already", 4, { 2, 4, 0x02, 0x18 }, NONE },
	{ "zero", 4, { 2, 4, 0, 0 }, NONE },
	/* Malformed (CVE-2017-7508): nothing of it is touched. */
	{ "MSS of length 0", 4, { 2, 0, 0xff, 0xff }, NONE },
	{ "MSS of length 1", 4, { 2, 1, 0xff, 0xff }, NONE },
	{ "MSS of length 2", 4, { 2, 2, 0xff, 0xff }, NONE },
	{ "MSS of length 3", 4, { 2, 3, 0xff, 0xff }, NONE },
	{ "MSS of length 5", 8, { 2, 5, 0xff, 0xff, 1, 1, 1, 1 }, NONE },
	{ "MSS of length 255", 4, { 2, 255, 0xff, 0xff }, NONE },
	{ "MSS without its length", 4, { 1, 1, 1, 2 }, NONE },
	{ "MSS without its value", 4, { 1, 1, 2, 4 }, NONE },
	{ "MSS with half its value", 4, { 1, 2, 4, 0xff }, NONE },
	{ "an option of length 0 before", 8, { 8, 0, 1, 1, 2, 4, 0xff, 0xff }, NONE },
	{ "an option of length 1 before", 8, { 8, 1, 1, 1, 2, 4, 0xff, 0xff }, NONE },
	{ "an option that runs out behind", 8, { 2, 4, 0xff, 0xff, 8, 10, 0, 0 }, NONE },
	{ "an option without its length behind", 8, { 2, 4, 0xff, 0xff, 1, 1, 1, 8 }, NONE },
	{ "two of them", 8, { 2, 4, 0xff, 0xff, 2, 4, 0xff, 0xff }, NONE },
};

/* A SYN with these options, flush against a page that cannot be read. */
static uint8_t *make_syn(int family, const uint8_t *bytes, size_t n, bool partial, size_t *len)
{
	struct wt_run run = { .family = family,
			      .protocol = IPPROTO_TCP,
			      .payload = 0,
			      .tcp_extra = n,
			      .tcp_flags = SYN,
			      .port = 80,
			      .seed = n };
	static uint8_t packet[256];
	struct wt_vnet vnet = wt_run_vnet(&run);
	uint8_t *out;

	*len = wt_run_whole(&run, packet);
	memcpy(packet + vnet.checksum_start + 20, bytes, n);
	if (!partial)
		wt_vnet_finish(&vnet, packet, *len);
	out = wt_guarded_place(&room, *len, WT_GUARDED_END);
	memcpy(out, packet, *len);
	return out;
}

static bool checksum_ok(const uint8_t *packet, size_t len)
{
	size_t start = packet[0] >> 4 == 4 ? 20 : 40;

	return wt_plain_sum(packet + start, len - start,
			    wt_plain_pseudo(packet, len, start, IPPROTO_TCP)) == 0xffff;
}

static void options_are_understood_to_the_end_or_left_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4 * COUNT(options); i++) {
		size_t row = i / 4, len, start = i & 1 ? 40 : 20;
		bool partial = i & 2;
		uint8_t before[256],
			*packet = make_syn(i & 1 ? AF_INET6 : AF_INET, options[row].options,
					   options[row].len, partial, &len);

		memcpy(before, packet, len);
		if (wt_mss_clamp(packet, len, 1000, partial) != (options[row].at != NONE))
			fail_msg("%s", options[row].what);
		if (!partial && !checksum_ok(packet, len))
			fail_msg("%s: checksum", options[row].what);
		if (options[row].at != NONE) {
			uint8_t *value = packet + start + 20 + options[row].at;

			assert_int_equal(wt_load_be16(value), 1000 - start - 20);
			memcpy(before + (value - packet), value, 2);
			if (!partial)
				memcpy(before + start + 16, packet + start + 16, 2);
		}
		if (memcmp(packet, before, len) != 0)
			fail_msg("%s: more was changed", options[row].what);
	}
}

static const struct {
	const char *what;
	int family;
	uint16_t offered;
	uint32_t mtu;
	uint16_t left;
} mtus[] = {
	{ "IPv4, one too large", AF_INET, 1461, 1500, 1460 },
	{ "IPv4, fits", AF_INET, 1460, 1500, 1460 },
	{ "IPv4, smallest MTU", AF_INET, 1460, 576, 536 },
	{ "IPv4, largest MTU", AF_INET, 65535, 65535, 65495 },
	{ "IPv4, an MTU larger than any packet", AF_INET, 65535, 1u << 20, 65535 },
	{ "IPv6, one too large", AF_INET6, 1441, 1500, 1440 },
	{ "IPv6, fits", AF_INET6, 1440, 1500, 1440 },
	{ "IPv6, 1280", AF_INET6, 8940, 1280, 1220 },
	{ "no room for a byte, IPv4", AF_INET, 1460, 40, 1460 },
	{ "room for a byte, IPv4", AF_INET, 1460, 41, 1 },
	{ "no room for a byte, IPv6", AF_INET6, 1440, 60, 1440 },
	{ "MTU 0", AF_INET, 1460, 0, 1460 },
};

static void the_offer_is_lowered_to_the_mtu(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mtus); i++) {
		uint8_t option[4] = { 2, 4, (uint8_t)(mtus[i].offered >> 8),
				      (uint8_t)mtus[i].offered };
		size_t len, start = mtus[i].family == AF_INET ? 20 : 40;
		uint8_t *packet = make_syn(mtus[i].family, option, 4, false, &len);
		bool changed = wt_mss_clamp(packet, len, mtus[i].mtu, false);

		if (wt_load_be16(packet + start + 22) != mtus[i].left ||
		    changed != (mtus[i].left != mtus[i].offered) || !checksum_ok(packet, len))
			fail_msg("%s: %u", mtus[i].what, wt_load_be16(packet + start + 22));
		/* Once is enough. */
		assert_false(wt_mss_clamp(packet, len, mtus[i].mtu, false));
	}
}

/* A checksum that was wrong must not be mended on the way: off by the same. */
static void a_wrong_checksum_stays_wrong(void **state)
{
	static const uint8_t option[] = { 1, 2, 4, 0xff, 0xff, 1, 1, 1 };
	uint64_t random = 5;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t len;
		uint8_t *packet = make_syn(i & 1 ? AF_INET6 : AF_INET, option, 8, false, &len);
		size_t start = i & 1 ? 40 : 20;
		uint16_t wrong = (uint16_t)(1 + wt_random_next(&random) % 65534), sum;

		/* Off by `wrong`, which is not 0 modulo 65535. */
		sum = wt_plain_sum(NULL, 0, (uint32_t)wt_load_be16(packet + start + 16) + wrong);
		wt_store_be16(packet + start + 16, sum);
		assert_false(checksum_ok(packet, len));
		assert_true(wt_mss_clamp(packet, len, (uint32_t)(600 + i), false));
		assert_int_equal(wt_plain_sum(packet + start, len - start,
					      wt_plain_pseudo(packet, len, start, IPPROTO_TCP)) %
					 65535,
				 wrong % 65535);
	}
}

static const struct {
	const char *what;
	int family;
	uint8_t flags;
	struct {
		uint8_t at, value;
	} patch;
	bool syn, changed;
} packets[] = {
	{ "SYN", AF_INET, SYN, { 0 }, true, true },
	{ "SYN ACK", AF_INET6, SYN | ACK, { 0 }, true, true },
	{ "SYN with all flags", AF_INET, 0xff, { 0 }, true, true },
	{ "no SYN", AF_INET, ACK, { 0 }, false, false },
	{ "all flags but SYN", AF_INET6, 0xfd, { 0 }, false, false },
	{ "UDP", AF_INET, SYN, { 9, IPPROTO_UDP }, false, false },
	{ "ICMPv6", AF_INET6, SYN, { 6, IPPROTO_ICMPV6 }, false, false },
	{ "first fragment", AF_INET, SYN, { 6, 0x20 }, false, false },
	{ "later fragment", AF_INET, SYN, { 7, 1 }, false, false },
	{ "an extension header", AF_INET6, SYN, { 6, 60 }, false, false },
	{ "header of 16", AF_INET, SYN, { 32, 0x40 }, false, false },
	{ "header of 28 in 24", AF_INET, SYN, { 32, 0x70 }, false, false },
	{ "header of 20: no options", AF_INET, SYN, { 32, 0x50 }, true, false },
	{ "length", AF_INET, SYN, { 3, 43 }, false, false },
};

static void only_syns_are_changed(void **state)
{
	static const uint8_t option[] = { 2, 4, 0xff, 0xff };

	(void)state;
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct wt_packet ip;
		size_t len;
		uint8_t *packet = make_syn(packets[i].family, option, 4, false, &len);

		packet[(packets[i].family == AF_INET ? 20 : 40) + 13] = packets[i].flags;
		if (packets[i].patch.at)
			packet[packets[i].patch.at] = packets[i].patch.value;
		if (wt_packet_parse(packet, len, &ip) == WT_DROP_NONE &&
		    wt_mss_is_syn(packet, len, &ip) != packets[i].syn)
			fail_msg("%s: is a SYN, or not", packets[i].what);
		if (wt_mss_clamp(packet, len, 1500, false) != packets[i].changed)
			fail_msg("%s", packets[i].what);
	}
}

/* Any bytes as options: the length of the packet and a valid checksum stay. */
static void random_options_never_break_a_packet(void **state)
{
	uint64_t random = 6;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[40];
		size_t len, n = wt_random_next(&random) % 11 * 4;
		uint8_t *packet;

		for (size_t k = 0; k < n; k++) {
			uint64_t r = wt_random_next(&random);

			bytes[k] = r & 1 ? (uint8_t)(r >> 8) : (uint8_t)((r >> 8) % 6);
		}
		packet = make_syn(i & 1 ? AF_INET6 : AF_INET, bytes, n, false, &len);
		(void)wt_mss_clamp(packet, len, 100, false);
		assert_true(checksum_ok(packet, len));
		assert_true(wt_guarded_kept(&room, packet, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_understood_to_the_end_or_left_alone),
		cmocka_unit_test(the_offer_is_lowered_to_the_mtu),
		cmocka_unit_test(a_wrong_checksum_stays_wrong),
		cmocka_unit_test(only_syns_are_changed),
		cmocka_unit_test(random_options_never_break_a_packet),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
