/* SPDX-License-Identifier: MIT
 *
 * Cutting a run, against packets made one by one from its description.
 * test_segment_kernel.c compares with what the kernel makes of it.
 */
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "conform/guarded.h"
#include "record/segment.h"
#include "support/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TCP4 .family = AF_INET, .protocol = IPPROTO_TCP
#define TCP6 .family = AF_INET6, .protocol = IPPROTO_TCP
#define UDP4 .family = AF_INET, .protocol = IPPROTO_UDP
#define UDP6 .family = AF_INET6, .protocol = IPPROTO_UDP
#define ACK 0x10u

static uint8_t whole[WT_RUN_MAX], expected[WT_RUN_MAX];
static struct wt_guarded room;

static int setup(void **state)
{
	(void)state;
	return wt_guarded_init(&room, NULL, WT_RUN_MAX) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_guarded_free(&room);
	return 0;
}

static enum wt_drop start(struct wt_segments *segments, size_t len, const struct wt_vnet *vnet)
{
	struct wt_packet ip;

	assert_int_equal(wt_packet_parse(whole, len, &ip), WT_DROP_NONE);
	return wt_segments_start(segments, whole, len, &ip, vnet);
}

static void cut_and_compare(const char *what, const struct wt_run *run)
{
	struct wt_vnet vnet = wt_run_vnet(run);
	size_t len = wt_run_whole(run, whole), n, i, largest;
	struct wt_segments segments;
	uint8_t *out;

	assert_int_equal(start(&segments, len, &vnet), WT_DROP_NONE);
	largest = wt_segments_largest(&segments);
	out = wt_guarded_place(&room, largest, WT_GUARDED_END);
	for (i = 0; (n = wt_segments_next(&segments, out)) > 0; i++) {
		if (i >= wt_run_count(run))
			fail_msg("%s: more than %zu packets", what, i);
		if (n > largest || n != wt_run_packet(run, i, expected))
			fail_msg("%s: packet %zu has %zu bytes", what, i, n);
		if (memcmp(out, expected, n) != 0)
			fail_msg("%s: packet %zu differs", what, i);
		assert_true(wt_guarded_kept(&room, out, largest));
	}
	if (i != wt_run_count(run))
		fail_msg("%s: %zu packets of %zu", what, i, wt_run_count(run));
	assert_int_equal(wt_segments_next(&segments, out), 0);
}

static const struct {
	const char *what;
	struct wt_run run;
} runs[] = {
	{ "TCPv4, two equal", { TCP4, .payload = 2000, .size = 1000 } },
	{ "TCPv4, a short last one", { TCP4, .payload = 2001, .size = 1000 } },
	{ "TCPv4, one byte each", { TCP4, .payload = 20, .size = 1 } },
	{ "TCPv4, odd sizes", { TCP4, .payload = 1999, .size = 333 } },
	{ "TCPv4, one alone, full", { TCP4, .payload = 1000, .size = 1000 } },
	{ "TCPv4, one alone, short", { TCP4, .payload = 999, .size = 1000 } },
	{ "TCPv4, the largest", { TCP4, .payload = 65535 - 40, .size = 1448 } },
	{ "TCPv4, options", { TCP4, .payload = 5000, .size = 1448, .tcp_extra = 12 } },
	{ "TCPv4, most options", { TCP4, .payload = 5000, .size = 1448, .tcp_extra = 40 } },
	{ "TCPv4, IP options", { TCP4, .payload = 5000, .size = 1448, .extra = 40 } },
	{ "TCPv4, FIN", { TCP4, .payload = 5000, .size = 1448, .tcp_flags = ACK | WT_TCP_FIN } },
	{ "TCPv4, PSH", { TCP4, .payload = 5000, .size = 1448, .tcp_flags = ACK | WT_TCP_PSH } },
	{ "TCPv4, CWR", { TCP4, .payload = 5000, .size = 1448, .tcp_flags = ACK | WT_TCP_CWR } },
	{ "TCPv4, all flags", { TCP4, .payload = 5000, .size = 1448, .tcp_flags = 0xff } },
	{ "TCPv4, congestion experienced", { TCP4, .payload = 5000, .size = 1448, .tos = 0xbb } },
	{ "TCPv4, id wraps", { TCP4, .payload = 5000, .size = 1000, .id = 0xfffe } },
	{ "TCPv4, sequence wraps",
	  { TCP4, .payload = 5000, .size = 1000, .sequence = 0xfffffc00 } },
	{ "TCPv4, most packets", { TCP4, .payload = 1366 * 47, .size = 47 } },
	{ "TCPv6, two equal", { TCP6, .payload = 2000, .size = 1000 } },
	{ "TCPv6, a short last one", { TCP6, .payload = 2001, .size = 1000 } },
	{ "TCPv6, the largest", { TCP6, .payload = 65535 - 60, .size = 1428 } },
	{ "TCPv6, options", { TCP6, .payload = 5000, .size = 1428, .tcp_extra = 12 } },
	{ "TCPv6, an extension header", { TCP6, .payload = 5000, .size = 1428, .extra = 8 } },
	{ "TCPv6, a long one", { TCP6, .payload = 5000, .size = 1428, .extra = 2048 } },
	{ "TCPv6, all flags", { TCP6, .payload = 5000, .size = 1428, .tcp_flags = 0xff } },
	{ "TCPv6, congestion experienced", { TCP6, .payload = 5000, .size = 1428, .tos = 0xbb } },
	{ "UDPv4, two equal", { UDP4, .payload = 2000, .size = 1000 } },
	{ "UDPv4, a short last one", { UDP4, .payload = 2001, .size = 1000 } },
	{ "UDPv4, the largest", { UDP4, .payload = 65535 - 28, .size = 1472 } },
	{ "UDPv4, one byte each", { UDP4, .payload = 64, .size = 1 } },
	{ "UDPv4, IP options", { UDP4, .payload = 5000, .size = 1400, .extra = 4 } },
	{ "UDPv4, congestion experienced", { UDP4, .payload = 5000, .size = 1400, .tos = 3 } },
	{ "UDPv6, two equal", { UDP6, .payload = 2000, .size = 1000 } },
	{ "UDPv6, a short last one", { UDP6, .payload = 2001, .size = 1000 } },
	{ "UDPv6, the largest", { UDP6, .payload = 65535 - 48, .size = 1452 } },
	{ "UDPv6, an extension header", { UDP6, .payload = 5000, .size = 1400, .extra = 16 } },
};

static void packets_are_what_they_would_be_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_run run = runs[i].run;

		run.seed = i;
		run.port = 443;
		cut_and_compare(runs[i].what, &run);
	}
}

static void a_checksum_of_zero_is_the_protocol_s(void **state)
{
	static const struct {
		struct wt_run run;
		uint16_t written;
	} cases[] = {
		{ { TCP4, .payload = 2000, .size = 1000 }, 0 },
		{ { TCP6, .payload = 2000, .size = 1000 }, 0 },
		{ { UDP4, .payload = 2000, .size = 1000 }, 0xffff },
		{ { UDP6, .payload = 2000, .size = 1000 }, 0xffff },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_run run = cases[i].run;
		struct wt_vnet vnet;

		wt_run_zero_checksum(&run);
		vnet = wt_run_vnet(&run);
		cut_and_compare("zero", &run);
		(void)wt_run_packet(&run, 0, expected);
		assert_int_equal(
			wt_load_be16(expected + vnet.checksum_start + vnet.checksum_offset),
			cases[i].written);
	}
}

static void random_runs_are_cut_well(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct wt_run run = wt_run_random(&random, WT_SEGMENTS_MAX_CUT);

		cut_and_compare("random", &run);
	}
}

/* ---- what is not cut ----------------------------------------------------- */

static const struct {
	const char *what;
	struct wt_run run;
	struct {
		uint16_t at;
		uint8_t value;
	} patch[3]; /* of the packet; at 0: none */
	enum wt_drop drop;
	int type, flags, size, start_add, offset; /* of the header; 0: as it should be */
} refused[] = {
	{ "UFO",
	  { UDP4, .payload = 3000, .size = 1000 },
	  .type = VIRTIO_NET_HDR_GSO_UDP,
	  .drop = WT_DROP_OFFLOAD },
	{ "an unknown type",
	  { TCP4, .payload = 3000, .size = 1000 },
	  .type = 6,
	  .drop = WT_DROP_OFFLOAD },
	{ "TCPv6 said of TCPv4",
	  { TCP4, .payload = 3000, .size = 1000 },
	  .type = VIRTIO_NET_HDR_GSO_TCPV6,
	  .drop = WT_DROP_OFFLOAD },
	{ "TCPv4 said of TCPv6",
	  { TCP6, .payload = 3000, .size = 1000 },
	  .type = VIRTIO_NET_HDR_GSO_TCPV4,
	  .drop = WT_DROP_OFFLOAD },
	{ "TCPv4 said of UDPv4",
	  { UDP4, .payload = 3000, .size = 1000 },
	  .type = VIRTIO_NET_HDR_GSO_TCPV4,
	  .drop = WT_DROP_OFFLOAD },
	{ "TCPv6 said of UDPv6",
	  { UDP6, .payload = 3000, .size = 1000 },
	  .type = VIRTIO_NET_HDR_GSO_TCPV6,
	  .drop = WT_DROP_OFFLOAD },
	{ "UDP said of TCPv4",
	  { TCP4, .payload = 3000, .size = 1000 },
	  .type = 5,
	  .drop = WT_DROP_OFFLOAD },
	{ "a complete checksum",
	  { TCP4, .payload = 3000, .size = 1000 },
	  .flags = VIRTIO_NET_HDR_F_DATA_VALID,
	  .drop = WT_DROP_OFFLOAD },
	{ "checksum of an inner packet",
	  { TCP4, .payload = 3000, .size = 1000 },
	  .start_add = 28,
	  .drop = WT_DROP_OFFLOAD },
	{ "checksum one byte off",
	  { TCP4, .payload = 3000, .size = 1000 },
	  .start_add = 1,
	  .drop = WT_DROP_OFFLOAD },
	{ "checksum in another field",
	  { TCP4, .payload = 3000, .size = 1000 },
	  .offset = 6,
	  .drop = WT_DROP_OFFLOAD },
	{ "segments of 0 bytes",
	  { UDP4, .payload = 3000, .size = 1000 },
	  .size = -1,
	  .drop = WT_DROP_SEGMENTS },
	{ "no payload", { TCP4, .payload = 0, .size = 1000 }, .drop = WT_DROP_SEGMENTS },
	{ "one packet too many",
	  { TCP4, .payload = 1366 * 47 + 1, .size = 47 },
	  .drop = WT_DROP_SEGMENTS },
	{ "65,000 packets", { UDP4, .payload = 65000, .size = 1 }, .drop = WT_DROP_SEGMENTS },
	{ "first fragment",
	  { TCP4, .payload = 3000, .size = 1000 },
	  { { 6, 0x20 } },
	  .drop = WT_DROP_FRAGMENT },
	{ "later fragment",
	  { UDP4, .payload = 3000, .size = 1000 },
	  { { 7, 1 } },
	  .drop = WT_DROP_FRAGMENT },
	{ "IPv6 fragment",
	  { UDP6, .payload = 3000, .size = 1000 },
	  { { 6, IPPROTO_FRAGMENT } },
	  .drop = WT_DROP_FRAGMENT },
	{ "IPv6 fragment behind options",
	  { UDP6, .payload = 3000, .size = 1000, .extra = 8 },
	  { { 40, IPPROTO_FRAGMENT } },
	  .drop = WT_DROP_FRAGMENT },
	{ "ICMP",
	  { TCP4, .payload = 3000, .size = 1000 },
	  { { 9, IPPROTO_ICMP } },
	  .drop = WT_DROP_PROTOCOL },
	{ "an encapsulated packet",
	  { TCP4, .payload = 3000, .size = 1000 },
	  { { 9, IPPROTO_IPIP } },
	  .drop = WT_DROP_PROTOCOL },
	{ "authentication header",
	  { TCP6, .payload = 3000, .size = 1000 },
	  { { 6, IPPROTO_AH } },
	  .drop = WT_DROP_PROTOCOL },
	{ "an extension header that runs out",
	  { TCP6, .payload = 100, .size = 50, .extra = 8 },
	  { { 41, 20 } },
	  .drop = WT_DROP_LAYER4 },
	{ "extension headers for ever",
	  { UDP6, .payload = 8, .size = 4, .extra = 8 },
	  { { 40, IPPROTO_DSTOPTS }, { 48, IPPROTO_DSTOPTS }, { 49, 0 } },
	  .drop = WT_DROP_LAYER4 },
	{ "TCP header of 16 bytes",
	  { TCP4, .payload = 3000, .size = 1000 },
	  { { 32, 0x40 } },
	  .drop = WT_DROP_LAYER4 },
	{ "TCP header longer than all",
	  { TCP4, .payload = 39, .size = 10 },
	  { { 32, 0xf0 } },
	  .drop = WT_DROP_LAYER4 },
	{ "UDP length too short",
	  { UDP4, .payload = 200, .size = 100 },
	  { { 25, 207 } },
	  .drop = WT_DROP_LAYER4 },
	{ "UDP length too long",
	  { UDP4, .payload = 200, .size = 100 },
	  { { 25, 209 } },
	  .drop = WT_DROP_LAYER4 },
	{ "UDP length of one segment",
	  { UDP6, .payload = 200, .size = 100 },
	  { { 45, 108 } },
	  .drop = WT_DROP_LAYER4 },
};

static void what_no_kernel_gives_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct wt_vnet vnet = wt_run_vnet(&refused[i].run);
		size_t len = wt_run_whole(&refused[i].run, whole);
		struct wt_segments segments;
		enum wt_drop drop;

		for (size_t k = 0; k < COUNT(refused[i].patch) && refused[i].patch[k].at; k++)
			whole[refused[i].patch[k].at] = refused[i].patch[k].value;
		if (refused[i].type)
			vnet.type = (uint8_t)refused[i].type;
		if (refused[i].flags)
			vnet.flags = (uint8_t)refused[i].flags;
		if (refused[i].size)
			vnet.segment_size = 0;
		if (refused[i].offset)
			vnet.checksum_offset = (uint16_t)refused[i].offset;
		vnet.checksum_start = (uint16_t)(vnet.checksum_start + refused[i].start_add);
		drop = start(&segments, len, &vnet);
		if (drop != refused[i].drop)
			fail_msg("%s: %s", refused[i].what, wt_drop_name(drop));
	}
}

/* Headers cut off anywhere: nothing behind the end is read. */
static void headers_that_are_cut_off_are_refused(void **state)
{
	static const struct wt_run cases[] = {
		{ TCP4, .payload = 10, .size = 5 },
		{ UDP4, .payload = 10, .size = 5 },
		{ TCP6, .payload = 10, .size = 5, .extra = 16 },
		{ UDP6, .payload = 10, .size = 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_vnet vnet = wt_run_vnet(&cases[i]);
		bool ipv4 = cases[i].family == AF_INET;

		(void)wt_run_whole(&cases[i], whole);
		for (size_t len = ipv4 ? 20 : 40; len < wt_run_headers(&cases[i]); len++) {
			uint8_t *data = wt_guarded_place(&room, len, WT_GUARDED_END);
			struct wt_segments segments;
			struct wt_packet ip;

			memcpy(data, whole, len);
			wt_store_be16(data + (ipv4 ? 2 : 4), (uint16_t)(ipv4 ? len : len - 40));
			assert_int_equal(wt_packet_parse(data, len, &ip), WT_DROP_NONE);
			assert_int_equal(wt_segments_start(&segments, data, len, &ip, &vnet),
					 WT_DROP_LAYER4);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_what_they_would_be_one_by_one),
		cmocka_unit_test(a_checksum_of_zero_is_the_protocol_s),
		cmocka_unit_test(random_runs_are_cut_well),
		cmocka_unit_test(what_no_kernel_gives_is_refused),
		cmocka_unit_test(headers_that_are_cut_off_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
