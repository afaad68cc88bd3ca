/* SPDX-License-Identifier: MIT
 *
 * What becomes of a packet from the TUN by its offload header and by what the
 * peer takes. The rules of the records themselves: test_offload_rules.c.
 */
#include <linux/virtio_net.h>
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
#include "record/plan.h"
#include "support/run.h"
#include "tun/tun.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TCP4 .family = AF_INET, .protocol = IPPROTO_TCP
#define TCP6 .family = AF_INET6, .protocol = IPPROTO_TCP
#define UDP4 .family = AF_INET, .protocol = IPPROTO_UDP
#define UDP6 .family = AF_INET6, .protocol = IPPROTO_UDP
#define ACK 0x10u

#define ALL (WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS)
#define RECORD (WT_RECORD_HEADER + WT_TAG_SIZE) /* around the text */

/* In room for the header before it, as in a slot. */
static uint8_t slot[64 + WT_RUN_MAX], expected[WT_RUN_MAX];
#define PACKET (slot + 64)

static struct wt_plan plan(const struct wt_vnet *vnet, size_t len,
			   const struct wt_inner_limits *peer)
{
	struct wt_packet ip;
	struct wt_plan got;

	assert_int_equal(wt_packet_parse(PACKET, len, &ip), WT_DROP_NONE);
	memset(&got, 0xee, sizeof got);
	wt_plan_make(vnet, PACKET, len, &ip, peer, &got);
	return got;
}

static void expect(const char *what, const struct wt_plan *got, enum wt_plan_way way,
		   enum wt_drop drop)
{
	if (got->way != way || got->drop != drop)
		fail_msg("%s: way %d, %s", what, got->way, wt_drop_name(got->drop));
}

/* ---- the offload header -------------------------------------------------- */

#define KEEP (-1)

static const struct {
	const char *what;
	struct wt_run run;
	int flags, type, start, offset; /* KEEP: as the kernel would say */
	enum wt_plan_way way;
	uint8_t kind;
	enum wt_drop drop;
} headers[] = {
	{ "complete", { TCP4, .payload = 100 }, 0, KEEP, KEEP, KEEP, WT_PLAN_SEND, 1, 0 },
	{ "complete, places left over",
	  { TCP4, .payload = 100 },
	  0,
	  KEEP,
	  9999,
	  9999,
	  WT_PLAN_SEND,
	  1,
	  0 },
	{ "verified", { UDP6, .payload = 100 }, 2, KEEP, KEEP, KEEP, WT_PLAN_SEND, 1, 0 },
	{ "partial", { UDP6, .payload = 100 }, 1, KEEP, KEEP, KEEP, WT_PLAN_SEND, 2, 0 },
	{ "partial and verified", { TCP4, .payload = 9 }, 3, KEEP, KEEP, KEEP, WT_PLAN_SEND, 2, 0 },
	{ "all flags", { TCP4, .payload = 9 }, 0xff, KEEP, KEEP, KEEP, WT_PLAN_SEND, 2, 0 },
	{ "an inner checksum", { TCP4, .payload = 100 }, 1, KEEP, 48, KEEP, WT_PLAN_FINISH, 1, 0 },
	{ "one before", { TCP4, .payload = 100 }, 1, KEEP, 19, KEEP, WT_PLAN_FINISH, 1, 0 },
	{ "another field", { TCP4, .payload = 100 }, 1, KEEP, KEEP, 6, WT_PLAN_FINISH, 1, 0 },
	{ "TCP's field in UDP", { UDP4, .payload = 100 }, 1, KEEP, KEEP, 16, WT_PLAN_FINISH, 1, 0 },
	{ "the last two bytes", { UDP4, .payload = 100 }, 1, KEEP, 100, 26, WT_PLAN_FINISH, 1, 0 },
	{ "one byte outside",
	  { UDP4, .payload = 100 },
	  1,
	  KEEP,
	  100,
	  27,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "far outside",
	  { UDP4, .payload = 100 },
	  1,
	  KEEP,
	  65535,
	  65535,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "a run",
	  { TCP6, .payload = 3000, .size = 1000 },
	  1,
	  KEEP,
	  KEEP,
	  KEEP,
	  WT_PLAN_SEND,
	  3,
	  0 },
	{ "a run, verified too",
	  { TCP6, .payload = 3000, .size = 1000 },
	  3,
	  KEEP,
	  KEEP,
	  KEEP,
	  WT_PLAN_SEND,
	  3,
	  0 },
	{ "a run, complete",
	  { TCP6, .payload = 3000, .size = 1000 },
	  0,
	  KEEP,
	  KEEP,
	  KEEP,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "a run, inner checksum",
	  { TCP4, .payload = 3000, .size = 1000 },
	  1,
	  KEEP,
	  48,
	  KEEP,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "a run, another field",
	  { UDP4, .payload = 3000, .size = 1000 },
	  1,
	  KEEP,
	  KEEP,
	  16,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "a run, ECN",
	  { TCP4, .payload = 3000, .size = 1000 },
	  1,
	  0x81,
	  KEEP,
	  KEEP,
	  WT_PLAN_CUT,
	  2,
	  0 },
	{ "TCPv6's type for TCPv4",
	  { TCP4, .payload = 3000, .size = 1000 },
	  1,
	  4,
	  KEEP,
	  KEEP,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "TCPv4's type for TCPv6",
	  { TCP6, .payload = 3000, .size = 1000 },
	  1,
	  1,
	  KEEP,
	  KEEP,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "TCP's type for UDP",
	  { UDP4, .payload = 3000, .size = 1000 },
	  1,
	  1,
	  KEEP,
	  KEEP,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "UDP's type for TCP",
	  { TCP4, .payload = 3000, .size = 1000 },
	  1,
	  5,
	  KEEP,
	  KEEP,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "UFO",
	  { UDP4, .payload = 3000, .size = 1000 },
	  1,
	  3,
	  KEEP,
	  KEEP,
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_OFFLOAD },
	{ "no type, but a size",
	  { TCP4, .payload = 1000, .size = 600 },
	  1,
	  0,
	  KEEP,
	  KEEP,
	  WT_PLAN_SEND,
	  2,
	  0 },
};

static void the_header_decides(void **state)
{
	static const struct wt_inner_limits peer = { ALL, WT_RECORD_MAX, 1500 };

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		struct wt_vnet vnet = wt_run_vnet(&headers[i].run);
		size_t len = wt_run_whole(&headers[i].run, PACKET);
		struct wt_plan got;

		if (headers[i].flags != KEEP)
			vnet.flags = (uint8_t)headers[i].flags;
		if (headers[i].type != KEEP)
			vnet.type = (uint8_t)headers[i].type;
		if (headers[i].start != KEEP)
			vnet.checksum_start = (uint16_t)headers[i].start;
		if (headers[i].offset != KEEP)
			vnet.checksum_offset = (uint16_t)headers[i].offset;
		got = plan(&vnet, len, &peer);
		expect(headers[i].what, &got, headers[i].way, headers[i].drop);
		if (got.way == WT_PLAN_DROP)
			continue;
		assert_int_equal(got.prefix[0], headers[i].kind);
		assert_int_equal(got.prefix_len, headers[i].kind == 3 ? 3 : 1);
		if (headers[i].kind == 3)
			assert_int_equal(wt_load_be16(got.prefix + 1), headers[i].run.size);
	}
}

/* ---- the checksum field -------------------------------------------------- */

/* The receiver puts its own sum there: only if ours is the same is nothing lost. */
static void a_field_that_the_receiver_would_change_is_finished_here(void **state)
{
	static const struct wt_inner_limits peer = { ALL, WT_RECORD_MAX, 1500 };
	static const struct wt_run runs[] = { { TCP4, .payload = 3000, .size = 1000 },
					      { TCP6, .payload = 3000, .size = 1000 },
					      { UDP4, .payload = 3000, .size = 1000 },
					      { UDP6, .payload = 3000, .size = 1000 },
					      { TCP4, .payload = 1000 },
					      { UDP6, .payload = 1000 } };

	(void)state;
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_vnet vnet = wt_run_vnet(&runs[i]);
		size_t len = wt_run_whole(&runs[i], PACKET);
		enum wt_plan_way way = runs[i].size ? WT_PLAN_CUT : WT_PLAN_FINISH;
		uint8_t *field = PACKET + vnet.checksum_start + vnet.checksum_offset;
		struct wt_plan got = plan(&vnet, len, &peer);

		expect("as it is", &got, WT_PLAN_SEND, WT_DROP_NONE);
		for (unsigned bit = 0; bit < 16; bit++) {
			field[bit / 8] ^= (uint8_t)(1u << bit % 8);
			got = plan(&vnet, len, &peer);
			expect("a bit flipped", &got, way, WT_DROP_NONE);
			assert_int_equal(got.prefix[0], WT_INNER_PACKET);
			assert_true(way != WT_PLAN_CUT || !got.segments.partial);
			field[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* Kernels write either; the number is the same. */
static void zero_and_ffff_are_one_sum(void **state)
{
	static const struct wt_inner_limits peer = { ALL, WT_RECORD_MAX, 1500 };
	struct wt_run run = { TCP4, .payload = 100 };
	struct wt_vnet vnet = wt_run_vnet(&run);
	size_t len = wt_run_whole(&run, PACKET);
	uint8_t *field = PACKET + 20 + 16;
	struct wt_plan got;

	(void)state;
	/* The address takes up what the sum lacks to 0xffff. */
	wt_store_be16(PACKET + 12,
		      (uint16_t)(wt_load_be16(PACKET + 12) + (uint16_t)~wt_load_be16(field)));
	assert_int_equal(wt_plain_pseudo(PACKET, len, 20, IPPROTO_TCP), 0xffff);
	wt_store_be16(field, 0xffff);
	got = plan(&vnet, len, &peer);
	expect("ffff", &got, WT_PLAN_SEND, WT_DROP_NONE);
	wt_store_be16(field, 0);
	got = plan(&vnet, len, &peer);
	expect("0", &got, WT_PLAN_SEND, WT_DROP_NONE);
	wt_store_be16(field, 1);
	got = plan(&vnet, len, &peer);
	expect("1", &got, WT_PLAN_FINISH, WT_DROP_NONE);
	/* But 0 is not any other sum. */
	(void)wt_run_whole(&run, PACKET);
	wt_store_be16(field, 0);
	got = plan(&vnet, len, &peer);
	expect("0 for another", &got, WT_PLAN_FINISH, WT_DROP_NONE);
}

static void what_is_finished_is_complete(void **state)
{
	static const struct wt_inner_limits peer = { 0, WT_RECORD_MAX, 1500 };
	static const struct wt_run runs[] = { { TCP4, .payload = 999 },
					      { TCP6, .payload = 1000, .extra = 16 },
					      { UDP4, .payload = 0 },
					      { UDP6, .payload = 1001 } };

	(void)state;
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_vnet vnet = wt_run_vnet(&runs[i]);
		size_t len = wt_run_whole(&runs[i], PACKET);
		struct wt_plan got = plan(&vnet, len, &peer);

		expect("finish", &got, WT_PLAN_FINISH, WT_DROP_NONE);
		wt_vnet_finish(&vnet, PACKET, len);
		assert_int_equal(wt_run_packet(&runs[i], 0, expected), len);
		assert_memory_equal(PACKET, expected, len);
	}
}

static void what_is_cut_is_ready_to_be_cut(void **state)
{
	static const uint32_t features[] = { 0, WT_FEATURE_SEGMENTS_TCP4, WT_FEATURE_PARTIAL };
	struct wt_run run = { UDP6, .payload = 3000, .size = 1400 };
	struct wt_vnet vnet = wt_run_vnet(&run);
	size_t len = wt_run_whole(&run, PACKET), n;
	static uint8_t out[1500];

	(void)state;
	for (size_t k = 0; k < COUNT(features); k++) {
		const struct wt_inner_limits peer = { features[k], WT_RECORD_MAX, 1500 };
		bool partial = features[k] & WT_FEATURE_PARTIAL;
		struct wt_plan got = plan(&vnet, len, &peer);

		expect("cut", &got, WT_PLAN_CUT, WT_DROP_NONE);
		assert_int_equal(got.prefix[0], partial ? WT_INNER_PARTIAL : WT_INNER_PACKET);
		for (size_t i = 0; i < 3; i++) {
			n = wt_segments_next(&got.segments, out);
			assert_int_equal(n, partial ? wt_run_partial(&run, i, expected)
						    : wt_run_packet(&run, i, expected));
			assert_memory_equal(out, expected, n);
		}
		assert_int_equal(wt_segments_next(&got.segments, out), 0);
	}
}

/* Extension headers have no place in kind 0x02. */
static void behind_extension_headers_nothing_stays_partial(void **state)
{
	static const struct wt_inner_limits peer = { ALL, WT_RECORD_MAX, 1500 };
	struct wt_run run = { TCP6, .payload = 3000, .size = 1400, .extra = 8 };
	struct wt_vnet vnet = wt_run_vnet(&run);
	struct wt_plan got = plan(&vnet, wt_run_whole(&run, PACKET), &peer);

	(void)state;
	expect("extension", &got, WT_PLAN_CUT, WT_DROP_NONE);
	assert_int_equal(got.prefix[0], WT_INNER_PACKET);
	assert_false(got.segments.partial);
}

/* ---- what the peer takes ------------------------------------------------- */

static const struct {
	const char *what;
	struct wt_run run;
	struct wt_inner_limits peer;
	enum wt_plan_way way;
	uint8_t kind;
	enum wt_drop drop;
} sizes[] = {
	{ "as large as the MTU",
	  { TCP4, .payload = 960 },
	  { ALL, 65570, 1000 },
	  WT_PLAN_SEND,
	  2,
	  0 },
	{ "one byte larger",
	  { TCP4, .payload = 961 },
	  { ALL, 65570, 1000 },
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_TOO_LARGE },
	{ "as large as the MTU, finished",
	  { TCP4, .payload = 960 },
	  { 0, 65570, 1000 },
	  WT_PLAN_FINISH,
	  1,
	  0 },
	{ "one byte larger, finished",
	  { TCP4, .payload = 961 },
	  { 0, 65570, 1000 },
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_TOO_LARGE },
	{ "as large as the record",
	  { UDP6, .payload = 952 },
	  { ALL, RECORD + 1001, 1500 },
	  WT_PLAN_SEND,
	  2,
	  0 },
	{ "one byte larger than it",
	  { UDP6, .payload = 953 },
	  { ALL, RECORD + 1001, 1500 },
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_TOO_LARGE },
	{ "a run as large as the record",
	  { TCP4, .payload = 9960, .size = 1000 },
	  { ALL, RECORD + 10003, 1500 },
	  WT_PLAN_SEND,
	  3,
	  0 },
	{ "a run one byte larger than it",
	  { TCP4, .payload = 9961, .size = 1000 },
	  { ALL, RECORD + 10003, 1500 },
	  WT_PLAN_CUT,
	  2,
	  0 },
	{ "a run for a small record",
	  { TCP4, .payload = 9960, .size = 1000 },
	  { ALL, RECORD + 1041, 1500 },
	  WT_PLAN_CUT,
	  2,
	  0 },
	{ "segments larger than the record",
	  { TCP4, .payload = 9960, .size = 1000 },
	  { ALL, RECORD + 1040, 1500 },
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_TOO_LARGE },
	{ "cut segments as large as the MTU",
	  { UDP6, .payload = 9000, .size = 952 },
	  { 0, 65570, 1000 },
	  WT_PLAN_CUT,
	  1,
	  0 },
	{ "one byte larger, cut",
	  { UDP6, .payload = 9000, .size = 953 },
	  { 0, 65570, 1000 },
	  WT_PLAN_DROP,
	  0,
	  WT_DROP_TOO_LARGE },
	{ "a run of one small segment",
	  { UDP4, .payload = 100, .size = 1472 },
	  { ALL, 65570, 1000 },
	  WT_PLAN_CUT,
	  2,
	  0 },
	{ "the largest run",
	  { TCP4, .payload = 65495, .size = 1448 },
	  { ALL, 65570, 1500 },
	  WT_PLAN_SEND,
	  3,
	  0 },
	{ "the largest run, a byte less of record",
	  { TCP4, .payload = 65495, .size = 1448 },
	  { ALL, 65569, 1500 },
	  WT_PLAN_CUT,
	  2,
	  0 },
};

static void the_peer_s_sizes_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct wt_vnet vnet = wt_run_vnet(&sizes[i].run);
		size_t len = wt_run_whole(&sizes[i].run, PACKET);
		struct wt_plan got = plan(&vnet, len, &sizes[i].peer);

		expect(sizes[i].what, &got, sizes[i].way, sizes[i].drop);
		if (got.way != WT_PLAN_DROP)
			assert_int_equal(got.prefix[0], sizes[i].kind);
	}
}

/* ---- and back ------------------------------------------------------------ */

/* What the kernel gave at one end is what the other end's kernel gets: the
 * packet to the byte, and of the header all but its length of headers. */
static void a_record_arrives_as_it_was_read(void **state)
{
	static const struct wt_inner_limits limits = { ALL, WT_RECORD_MAX, 9000 };
	static const struct wt_run runs[] = {
		{ TCP4, .payload = 100 },
		{ TCP6, .payload = 100 },
		{ UDP4, .payload = 100 },
		{ UDP6, .payload = 100 },
		{ TCP4, .payload = 30000, .size = 1448, .tcp_extra = 12, .extra = 4, .tos = 0xbb },
		{ TCP6, .payload = 65475, .size = 8000, .tcp_flags = 0x59, .tos = 1 },
		{ UDP4, .payload = 30000, .size = 1472 },
		{ UDP6, .payload = 30000, .size = 1452 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_vnet vnet = wt_run_vnet(&runs[i]), rebuilt;
		size_t len = wt_run_whole(&runs[i], PACKET);
		struct wt_plan got = plan(&vnet, len, &limits);
		struct virtio_net_hdr header;
		struct wt_inner inner;
		uint8_t *text = PACKET - got.prefix_len;

		expect("send", &got, WT_PLAN_SEND, WT_DROP_NONE);
		memcpy(text, got.prefix, got.prefix_len);
		assert_int_equal(wt_inner_parse(text, got.prefix_len + len, &limits, &inner),
				 WT_DROP_NONE);
		wt_vnet_write(&inner);
		(void)wt_run_whole(&runs[i], expected);
		assert_memory_equal(PACKET, expected, len);
		rebuilt = wt_vnet_read(PACKET - WT_TUN_HEADER);
		assert_memory_equal(&rebuilt, &vnet, sizeof vnet);
		memcpy(&header, PACKET - WT_TUN_HEADER, sizeof header);
		assert_int_equal(header.hdr_len, runs[i].size ? wt_run_headers(&runs[i]) : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_decides),
		cmocka_unit_test(a_field_that_the_receiver_would_change_is_finished_here),
		cmocka_unit_test(zero_and_ffff_are_one_sum),
		cmocka_unit_test(what_is_finished_is_complete),
		cmocka_unit_test(what_is_cut_is_ready_to_be_cut),
		cmocka_unit_test(behind_extension_headers_nothing_stays_partial),
		cmocka_unit_test(the_peer_s_sizes_are_kept),
		cmocka_unit_test(a_record_arrives_as_it_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
