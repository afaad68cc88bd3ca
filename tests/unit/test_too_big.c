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
#include "record/packet.h"
#include "record/too_big.h"
#include "support/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct wt_guarded room;

static int setup(void **state)
{
	(void)state;
	return wt_guarded_init(&room, NULL, 70000) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_guarded_free(&room);
	return 0;
}

static uint8_t *make(int family, size_t len)
{
	struct wt_run run = { .family = family, .protocol = IPPROTO_UDP, .port = 53, .seed = len };
	static uint8_t packet[WT_RUN_MAX];
	uint8_t *out;

	run.payload = len - wt_run_headers(&run);
	assert_int_equal(wt_run_packet(&run, 0, packet), len);
	out = wt_guarded_place(&room, len, WT_GUARDED_END);
	memcpy(out, packet, len);
	return out;
}

/* ---- what is answered, and how ------------------------------------------- */

static const struct {
	size_t len, mtu, answer;
} lengths[] = {
	{ 1500, 1400, 576 }, { 600, 576, 576 },	    { 549, 548, 576 },
	{ 548, 547, 576 },   { 547, 500, 575 },	    { 100, 99, 128 },
	{ 69, 68, 97 },	     { 65535, 65534, 576 }, { 65535, 68, 576 },
};

static void ipv4_senders_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		uint8_t out[WT_TOO_BIG_MAX], *packet = make(AF_INET, lengths[i].len);
		size_t len =
			wt_too_big_build(out, packet, lengths[i].len, (uint32_t)lengths[i].mtu);
		struct wt_packet ip;

		assert_int_equal(len, lengths[i].answer);
		assert_int_equal(wt_packet_parse(out, len, &ip), WT_DROP_NONE);
		assert_int_equal(out[0], 0x45);
		assert_int_equal(out[1], 0xc0);
		assert_int_equal(wt_load_be16(out + 4), 0);
		assert_int_equal(wt_load_be16(out + 6), 0x4000);
		assert_int_equal(out[8], 64);
		assert_int_equal(out[9], IPPROTO_ICMP);
		assert_int_equal(wt_plain_sum(out, 20, 0), 0xffff);
		assert_memory_equal(out + 12, packet + 16, 4);
		assert_memory_equal(out + 16, packet + 12, 4);
		assert_int_equal(out[20], 3);
		assert_int_equal(out[21], 4);
		assert_int_equal(wt_load_be16(out + 24), 0);
		assert_int_equal(wt_load_be16(out + 26), lengths[i].mtu);
		assert_int_equal(wt_plain_sum(out + 20, len - 20, 0), 0xffff);
		assert_memory_equal(out + 28, packet, len - 28);
	}
}

static const struct {
	size_t len, mtu, answer;
} lengths6[] = {
	{ 1500, 1400, 1280 },
	{ 1281, 1280, 1280 },
	{ 65535, 1280, 1280 },
	{ 65535, 65534, 1280 },
};

static void ipv6_senders_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lengths6); i++) {
		uint8_t out[WT_TOO_BIG_MAX], *packet = make(AF_INET6, lengths6[i].len);
		size_t len =
			wt_too_big_build(out, packet, lengths6[i].len, (uint32_t)lengths6[i].mtu);
		struct wt_packet ip;

		assert_int_equal(len, lengths6[i].answer);
		assert_int_equal(wt_packet_parse(out, len, &ip), WT_DROP_NONE);
		assert_int_equal(wt_load_be32(out), 0x60000000);
		assert_int_equal(out[6], IPPROTO_ICMPV6);
		assert_int_equal(out[7], 64);
		assert_memory_equal(out + 8, packet + 24, 16);
		assert_memory_equal(out + 24, packet + 8, 16);
		assert_int_equal(out[40], 2);
		assert_int_equal(out[41], 0);
		assert_int_equal(wt_load_be32(out + 44), lengths6[i].mtu);
		assert_int_equal(wt_plain_sum(out + 40, len - 40,
					      wt_plain_pseudo(out, len, 40, IPPROTO_ICMPV6)),
				 0xffff);
		assert_memory_equal(out + 48, packet, len - 48);
	}
}

/* ---- what is not --------------------------------------------------------- */

static const struct {
	const char *what;
	int family;
	size_t len;
	uint32_t mtu;
	struct {
		uint8_t at, value;
	} patch[4];
	bool answered;
} cases[] = {
	{ "too large", AF_INET, 1500, 1400, { { 0 } }, true },
	{ "without DF", AF_INET, 1500, 1400, { { 6, 0 } }, true },
	{ "fits", AF_INET, 1400, 1400, { { 0 } }, false },
	{ "fits by far", AF_INET, 100, 1400, { { 0 } }, false },
	{ "an MTU that no IPv4 node has", AF_INET, 1500, 67, { { 0 } }, false },
	{ "the smallest", AF_INET, 1500, 68, { { 0 } }, true },
	{ "not a packet", AF_INET, 1500, 1400, { { 3, 0 } }, false },
	{ "first fragment", AF_INET, 1500, 1400, { { 6, 0x20 } }, false },
	{ "later fragment", AF_INET, 1500, 1400, { { 7, 1 } }, false },
	{ "from 0.0.0.2", AF_INET, 1500, 1400, { { 12, 0 } }, false },
	{ "from 127.1.0.2", AF_INET, 1500, 1400, { { 12, 127 } }, false },
	{ "from 126.1.0.2", AF_INET, 1500, 1400, { { 12, 126 } }, true },
	{ "from 223.1.0.2", AF_INET, 1500, 1400, { { 12, 223 } }, true },
	{ "from a multicast address", AF_INET, 1500, 1400, { { 12, 224 } }, false },
	{ "from the last multicast", AF_INET, 1500, 1400, { { 12, 239 } }, false },
	{ "from a reserved address", AF_INET, 1500, 1400, { { 12, 240 } }, false },
	{ "from 255.255.255.255",
	  AF_INET,
	  1500,
	  1400,
	  { { 12, 255 }, { 13, 255 }, { 14, 255 }, { 15, 255 } },
	  false },
	{ "to 0.2.0.2", AF_INET, 1500, 1400, { { 16, 0 } }, false },
	{ "to 223.2.0.2", AF_INET, 1500, 1400, { { 16, 223 } }, true },
	{ "to a multicast address", AF_INET, 1500, 1400, { { 16, 224 } }, false },
	{ "to 255.2.0.2", AF_INET, 1500, 1400, { { 16, 255 } }, false },
	{ "echo", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 8 } }, true },
	{ "echo reply", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 0 } }, true },
	{ "timestamp", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 13 } }, true },
	{ "timestamp reply", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 14 } }, true },
	{ "extended echo", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 42 } }, true },
	{ "extended echo reply", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 43 } }, true },
	{ "unreachable", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 3 } }, false },
	{ "source quench", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 4 } }, false },
	{ "redirect", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 5 } }, false },
	{ "time exceeded", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 11 } }, false },
	{ "parameter problem", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 12 } }, false },
	{ "an unknown type", AF_INET, 1500, 1400, { { 9, 1 }, { 20, 200 } }, false },

	{ "too large", AF_INET6, 1500, 1400, { { 0 } }, true },
	{ "fits", AF_INET6, 1400, 1400, { { 0 } }, false },
	{ "an MTU that no IPv6 node believes", AF_INET6, 1500, 1279, { { 0 } }, false },
	{ "the smallest", AF_INET6, 1500, 1280, { { 0 } }, true },
	{ "not a packet", AF_INET6, 1500, 1400, { { 5, 0 } }, false },
	{ "from a multicast address", AF_INET6, 1500, 1400, { { 8, 0xff } }, false },
	{ "from a link-local address", AF_INET6, 1500, 1400, { { 8, 0xfe }, { 9, 0x80 } }, true },
	{ "from ::", AF_INET6, 1500, 1400, { { 8, 0 }, { 9, 0 }, { 23, 0 } }, false },
	{ "from ::1", AF_INET6, 1500, 1400, { { 8, 0 }, { 9, 0 }, { 23, 1 } }, false },
	{ "from ::2", AF_INET6, 1500, 1400, { { 8, 0 }, { 9, 0 } }, true },
	{ "to a multicast address", AF_INET6, 1500, 1400, { { 24, 0xff } }, false },
	{ "a fragment", AF_INET6, 1500, 1400, { { 6, 44 } }, false },
	{ "a fragment behind options",
	  AF_INET6,
	  1500,
	  1400,
	  { { 6, 60 }, { 40, 44 }, { 41, 0 } },
	  false },
	{ "UDP behind options", AF_INET6, 1500, 1400, { { 6, 60 }, { 40, 17 }, { 41, 0 } }, true },
	{ "echo behind options",
	  AF_INET6,
	  1500,
	  1400,
	  { { 6, 0 }, { 40, 58 }, { 41, 0 }, { 48, 128 } },
	  true },
	{ "an error behind options",
	  AF_INET6,
	  1500,
	  1400,
	  { { 6, 0 }, { 40, 58 }, { 41, 0 }, { 48, 1 } },
	  false },
	{ "options that run out",
	  AF_INET6,
	  1500,
	  1400,
	  { { 6, 43 }, { 40, 43 }, { 41, 255 } },
	  false },
	{ "nothing behind options",
	  AF_INET6,
	  1504,
	  1400,
	  { { 6, 60 }, { 40, 58 }, { 41, 182 } },
	  false },
	{ "unreachable", AF_INET6, 1500, 1400, { { 6, 58 }, { 40, 1 } }, false },
	{ "packet too big", AF_INET6, 1500, 1400, { { 6, 58 }, { 40, 2 } }, false },
	{ "the last error", AF_INET6, 1500, 1400, { { 6, 58 }, { 40, 127 } }, false },
	{ "echo", AF_INET6, 1500, 1400, { { 6, 58 }, { 40, 128 } }, true },
	{ "echo reply", AF_INET6, 1500, 1400, { { 6, 58 }, { 40, 129 } }, true },
};

static void errors_fragments_and_crowds_get_no_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t out[WT_TOO_BIG_MAX], *packet = make(cases[i].family, cases[i].len);

		for (size_t k = 0; k < 4 && cases[i].patch[k].at; k++)
			packet[cases[i].patch[k].at] = cases[i].patch[k].value;
		if ((wt_too_big_build(out, packet, cases[i].len, cases[i].mtu) != 0) !=
		    cases[i].answered)
			fail_msg("%s (IPv%d)", cases[i].what, cases[i].family == AF_INET ? 4 : 6);
	}
}

/* That would be the start of a storm. (ICMPv6's is never longer than any link's
 * MTU.) */
static void an_answer_is_never_answered(void **state)
{
	uint8_t out[WT_TOO_BIG_MAX], again[WT_TOO_BIG_MAX];
	size_t len;

	(void)state;
	len = wt_too_big_build(out, make(AF_INET, 1500), 1500, 1400);
	assert_int_equal(wt_too_big_build(again, out, len, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_senders_are_told),
		cmocka_unit_test(ipv6_senders_are_told),
		cmocka_unit_test(errors_fragments_and_crowds_get_no_answer),
		cmocka_unit_test(an_answer_is_never_answered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
