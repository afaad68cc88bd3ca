/* SPDX-License-Identifier: MIT
 *
 * Putting packets under one header: what was one comes out as it was, and what a
 * hostile peer sends is merged only if nobody could tell.
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
#include <whispertunnel/wire.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "conform/guarded.h"
#include "record/carve.h"
#include "record/checksum.h"
#include "record/merge.h"
#include "record/params.h"
#include "support/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TCP4 .family = AF_INET, .protocol = IPPROTO_TCP
#define TCP6 .family = AF_INET6, .protocol = IPPROTO_TCP
#define UDP4 .family = AF_INET, .protocol = IPPROTO_UDP
#define UDP6 .family = AF_INET6, .protocol = IPPROTO_UDP
#define ACK 0x10u

#define ALL (WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS)
#define MTU 9000u

/* Records as they come: header and kind before each packet. */
#define PLACE 10000u
#define PLACES 140u
#define BEFORE 17u
static uint8_t memory[PLACES][PLACE];
static uint8_t whole[WT_RUN_MAX], gathered[WT_TUN_HEADER + WT_RUN_MAX];
static const struct wt_inner_limits everything = { ALL, WT_RECORD_MAX, MTU };

static struct wt_inner parsed(size_t place, size_t len, const struct wt_inner_limits *own)
{
	struct wt_inner inner;

	memory[place][BEFORE - 1] = WT_INNER_PARTIAL;
	assert_int_equal(wt_inner_parse(memory[place] + BEFORE - 1, 1 + len, own, &inner),
			 WT_DROP_NONE);
	return inner;
}

/* Packet `i` of the run, at `place`. */
static struct wt_inner packet_at(size_t place, const struct wt_run *run, size_t i)
{
	return parsed(place, wt_run_partial(run, i, memory[place] + BEFORE), &everything);
}

static bool take(struct wt_merge *merge, const struct wt_inner *inner)
{
	if (merge->count > 0)
		return wt_merge_take(merge, inner);
	assert_false(wt_merge_take(merge, inner));
	wt_merge_start(merge, inner);
	return true;
}

/* What the device would be given. */
static size_t gather(struct wt_merge *merge)
{
	int count = wt_merge_finish(merge);
	size_t len = 0;

	assert_in_range(count, 3, WT_MERGE_PARTS);
	for (int i = 0; i < count; i++) {
		memcpy(gathered + len, merge->parts[i].iov_base, merge->parts[i].iov_len);
		len += merge->parts[i].iov_len;
	}
	return len - WT_TUN_HEADER;
}

/* The packets of the run become the run, header and all. */
static void becomes(const char *what, struct wt_merge *merge, const struct wt_run *run)
{
	struct wt_vnet vnet = wt_run_vnet(run), got;
	size_t len = wt_run_whole(run, whole);
	struct virtio_net_hdr header;

	if (gather(merge) != len || memcmp(gathered + WT_TUN_HEADER, whole, len) != 0)
		fail_msg("%s: the run differs", what);
	got = wt_vnet_read(gathered);
	assert_memory_equal(&got, &vnet, sizeof vnet);
	memcpy(&header, gathered, sizeof header);
	assert_int_equal(header.hdr_len, wt_run_headers(run));
}

/* ---- what belongs together ----------------------------------------------- */

static const struct {
	const char *what;
	struct wt_run run;
} runs[] = {
	{ "TCPv4, two equal", { TCP4, .payload = 2000, .size = 1000, .tcp_flags = ACK } },
	{ "TCPv4, a last byte", { TCP4, .payload = 1001, .size = 1000, .tcp_flags = ACK } },
	{ "TCPv4, the smallest segments", { TCP4, .payload = 1025, .size = 512 } },
	{ "TCPv4, the largest", { TCP4, .payload = 65535 - 40, .size = 1448 } },
	{ "TCPv4, options", { TCP4, .payload = 9000, .size = 1448, .extra = 40, .tcp_extra = 40 } },
	{ "TCPv4, PSH", { TCP4, .payload = 9000, .size = 1448, .tcp_flags = ACK | WT_TCP_PSH } },
	{ "TCPv4, FIN", { TCP4, .payload = 9000, .size = 1448, .tcp_flags = ACK | WT_TCP_FIN } },
	{ "TCPv4, congestion experienced", { TCP4, .payload = 9000, .size = 1448, .tos = 0xbb } },
	{ "TCPv4, id and sequence wrap",
	  { TCP4, .payload = 5000, .size = 1000, .id = 0xfffe, .sequence = 0xfffffc00 } },
	{ "TCPv6, the largest", { TCP6, .payload = 65535 - 60, .size = 1428 } },
	{ "TCPv6, options and PSH",
	  { TCP6, .payload = 9000, .size = 1428, .tcp_extra = 12, .tcp_flags = ACK | WT_TCP_PSH } },
	{ "UDPv4, two equal", { UDP4, .payload = 2000, .size = 1000 } },
	{ "UDPv4, most packets", { UDP4, .payload = 64 * 1000, .size = 1000 } },
	{ "UDPv4, IP options", { UDP4, .payload = 9000, .size = 1000, .extra = 8 } },
	{ "UDPv6, a short last one", { UDP6, .payload = 2001, .size = 1000 } },
	{ "UDPv6, the largest", { UDP6, .payload = 65535 - 48, .size = 1452 } },
	{ "UDPv6, as large as the MTU", { UDP6, .payload = 9000, .size = MTU - 48 } },
};

static void merge_all(const char *what, const struct wt_run *run)
{
	struct wt_merge merge;

	wt_merge_init(&merge, &everything);
	for (size_t i = 0; i < wt_run_count(run); i++) {
		struct wt_inner inner = packet_at(i, run, i);

		if (!take(&merge, &inner))
			fail_msg("%s: packet %zu does not go on", what, i);
		assert_int_equal(merge.count, i + 1);
	}
	becomes(what, &merge, run);
}

static void packets_of_a_run_become_it_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_run run = runs[i].run;

		run.seed = i;
		run.port = 443;
		merge_all(runs[i].what, &run);
	}
}

/* A random run that travels as such, carved and merged. */
static void what_is_carved_is_merged_again(void **state)
{
	uint64_t random = 5;
	int merged = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct wt_run run = wt_run_random(&random, 60);
		struct wt_vnet vnet = wt_run_vnet(&run);
		size_t len, n, place = 0;
		struct wt_segments segments;
		struct wt_merge merge;
		struct wt_carve carve;
		const uint8_t *text;
		struct wt_packet ip;

		run.extra = run.family == AF_INET ? run.extra : 0;
		run.tcp_flags &= WT_TCP_PSH | WT_TCP_FIN | ACK | 0x40u;
		run.size = (uint16_t)(run.size + WT_SEGMENT_SIZE_MIN);
		vnet = wt_run_vnet(&run);
		if (wt_run_count(&run) < 2 || wt_run_headers(&run) + run.payload > WT_RUN_MAX)
			continue;
		len = wt_run_whole(&run, whole);
		assert_int_equal(wt_packet_parse(whole, len, &ip), WT_DROP_NONE);
		assert_int_equal(wt_segments_start(&segments, whole, len, &ip, &vnet),
				 WT_DROP_NONE);
		segments.partial = true;
		memcpy(gathered + 1, whole, len);
		assert_true(wt_carve_start(&carve, &segments, gathered + 1, WT_INNER_PARTIAL));
		wt_merge_init(&merge, &everything);
		while ((n = wt_carve_next(&carve, &text)) > 0) {
			struct wt_inner inner;

			memcpy(memory[place] + BEFORE - 1, text, n);
			inner = parsed(place++, n - 1, &everything);
			assert_true(take(&merge, &inner));
		}
		becomes("random", &merge, &run);
		merged++;
	}
	assert_in_range(merged, 200, 400);
}

/* What the packets say in their checksum fields does not matter: the receiver's
 * sum is written, as for any partial packet. */
static void the_sum_is_the_receiver_s_own(void **state)
{
	static const struct wt_run run = { TCP4, .payload = 3000, .size = 1000 };
	struct wt_merge merge;

	(void)state;
	wt_merge_init(&merge, &everything);
	for (size_t i = 0; i < 3; i++) {
		struct wt_inner inner = packet_at(i, &run, i);

		memset(inner.body + 36, 0xa5 + (int)i, 2);
		assert_true(take(&merge, &inner));
	}
	becomes("other sums", &merge, &run);
}

/* ---- what does not ------------------------------------------------------- */

#define V4_SUM 1 /* write the IPv4 header's checksum anew */

/* The second packet of a run, with one thing changed. */
static const struct {
	const char *what;
	struct wt_run run;
	struct {
		uint16_t at;
		uint8_t flip;
	} patch[2];
	int sum;
} strangers[] = {
	{ "IPv4 DSCP", { TCP4 }, { { 1, 0x04 } }, V4_SUM },
	{ "IPv4 ECN", { TCP4 }, { { 1, 0x03 } }, V4_SUM },
	{ "IPv4 id, the same again", { TCP4, .id = 6 }, { { 5, 0x01 } }, V4_SUM },
	{ "IPv4 id, high byte", { TCP4 }, { { 4, 0x80 } }, V4_SUM },
	{ "IPv4 DF", { TCP4 }, { { 6, 0x40 } }, V4_SUM },
	{ "IPv4 reserved bit", { TCP4 }, { { 6, 0x80 } }, V4_SUM },
	{ "IPv4 TTL", { TCP4 }, { { 8, 0x01 } }, V4_SUM },
	{ "IPv4 source", { TCP4 }, { { 15, 0x01 } }, V4_SUM },
	{ "IPv4 destination", { UDP4 }, { { 19, 0x01 } }, V4_SUM },
	{ "IPv4 option", { UDP4, .extra = 4 }, { { 20, 0x01 } }, V4_SUM },
	{ "IPv4 last option", { TCP4, .extra = 40 }, { { 59, 0x01 } }, V4_SUM },
	{ "IPv4 checksum", { TCP4 }, { { 11, 0x01 } }, 0 },
	{ "IPv6 class, DSCP", { TCP6 }, { { 0, 0x01 } }, 0 },
	{ "IPv6 class, ECN", { TCP6 }, { { 1, 0x10 } }, 0 },
	{ "IPv6 flow label", { UDP6 }, { { 3, 0x01 } }, 0 },
	{ "IPv6 hop limit", { UDP6 }, { { 7, 0x01 } }, 0 },
	{ "IPv6 source", { TCP6 }, { { 8, 0x01 } }, 0 },
	{ "IPv6 destination", { TCP6 }, { { 39, 0x01 } }, 0 },
	{ "TCP source port", { TCP4 }, { { 20, 0x01 } }, 0 },
	{ "TCP destination port", { TCP4 }, { { 23, 0x01 } }, 0 },
	{ "TCP sequence, one more", { TCP4 }, { { 27, 0x01 } }, 0 },
	{ "TCP sequence, a run ahead", { TCP6 }, { { 44, 0x01 } }, 0 },
	{ "TCP acknowledgement", { TCP4 }, { { 31, 0x01 } }, 0 },
	{ "TCP first acknowledgement byte", { TCP6 }, { { 48, 0x01 } }, 0 },
	{ "TCP AE flag", { TCP4 }, { { 32, 0x01 } }, 0 },
	{ "TCP SYN", { TCP4 }, { { 33, WT_TCP_SYN } }, 0 },
	{ "TCP RST", { TCP4 }, { { 33, WT_TCP_RST } }, 0 },
	{ "TCP URG", { TCP6 }, { { 53, WT_TCP_URG } }, 0 },
	{ "TCP CWR", { TCP4 }, { { 33, WT_TCP_CWR } }, 0 },
	{ "TCP ECE", { TCP4 }, { { 33, 0x40 } }, 0 },
	{ "TCP ACK", { TCP4 }, { { 33, ACK } }, 0 },
	{ "TCP window", { TCP4 }, { { 34, 0x01 } }, 0 },
	{ "TCP urgent pointer", { TCP4 }, { { 39, 0x01 } }, 0 },
	{ "TCP first option", { TCP4, .tcp_extra = 12 }, { { 40, 0x02 } }, 0 },
	{ "TCP last option", { TCP6, .tcp_extra = 40 }, { { 99, 0x02 } }, 0 },
	{ "TCP header's length", { TCP4, .tcp_extra = 12 }, { { 32, 0x10 } }, 0 },
	{ "UDP source port", { UDP4 }, { { 20, 0x01 } }, 0 },
	{ "UDP destination port", { UDP6 }, { { 43, 0x01 } }, 0 },
};

static void a_stranger_does_not_go_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(strangers); i++) {
		struct wt_run run = strangers[i].run;
		struct wt_inner inner;
		struct wt_merge merge;

		run.payload = 4000;
		run.size = 1000;
		run.sequence = 1000;
		run.tcp_flags = ACK;
		wt_merge_init(&merge, &everything);
		inner = packet_at(0, &run, 0);
		assert_true(take(&merge, &inner));
		inner = packet_at(1, &run, 1);
		for (size_t k = 0; k < COUNT(strangers[i].patch); k++)
			inner.body[strangers[i].patch[k].at] ^= strangers[i].patch[k].flip;
		if (strangers[i].sum)
			wt_checksum_ipv4_write(inner.body);
		inner = parsed(1, inner.len, &everything);
		if (take(&merge, &inner))
			fail_msg("%s: merged", strangers[i].what);
		assert_int_equal(merge.count, 1);
		/* What was refused changed nothing. */
		inner = packet_at(1, &run, 1);
		if (!take(&merge, &inner))
			fail_msg("%s: the true one does not go on", strangers[i].what);
	}
}

/* Every single bit of the headers that matters: flipped in the second packet it
 * is a stranger; the others are those that the list in merge.h names. */
static void each_bit_of_the_headers_counts(void **state)
{
	static const struct wt_run kinds[] = {
		{ TCP4, .payload = 4000, .size = 1000, .tcp_extra = 12, .extra = 4 },
		{ TCP6, .payload = 4000, .size = 1000, .tcp_extra = 12 },
		{ UDP4, .payload = 4000, .size = 1000 },
		{ UDP6, .payload = 4000, .size = 1000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		bool tcp = kinds[i].protocol == IPPROTO_TCP;
		struct wt_vnet vnet = wt_run_vnet(&kinds[i]);
		size_t sum = (size_t)vnet.checksum_start + vnet.checksum_offset;
		size_t flags = vnet.checksum_start + WT_TCP_FLAGS, wrong = 0;

		for (size_t bit = 0; bit < wt_run_headers(&kinds[i]) * 8; bit++) {
			struct wt_inner inner = packet_at(0, &kinds[i], 0), second;
			bool allowed = bit / 8 == sum || bit / 8 == sum + 1 ||
				       (tcp && bit / 8 == flags &&
					(1u << bit % 8) & (WT_TCP_PSH | WT_TCP_FIN));
			struct wt_merge merge;

			wt_merge_init(&merge, &everything);
			assert_true(take(&merge, &inner));
			second = packet_at(1, &kinds[i], 1);
			second.body[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (wt_inner_parse(second.body - 1, second.len + 1, &everything, &inner) !=
			    WT_DROP_NONE) {
				wrong++;
				continue;
			}
			if (take(&merge, &inner) != allowed)
				fail_msg("kind %zu, byte %zu, bit %zu", i, bit / 8, bit % 8);
		}
		assert_in_range(wrong, 8, 120);
	}
}

static void other_flows_and_kinds_do_not_go_on(void **state)
{
	static const struct wt_run tcp4 = { TCP4, .payload = 4000, .size = 1000 };
	static const struct wt_run others[] = {
		{ UDP4, .payload = 4000, .size = 1000 },
		{ TCP6, .payload = 4000, .size = 1000 },
		/* Its payload starts where the other's does, and as an IPv4 packet. */
		{ UDP4, .payload = 4000, .size = 1000, .extra = 12 },
	};
	struct wt_inner inner, first;
	struct wt_merge merge;

	(void)state;
	wt_merge_init(&merge, &everything);
	first = packet_at(0, &tcp4, 0);
	assert_true(take(&merge, &first));
	for (size_t i = 0; i < COUNT(others); i++) {
		inner = packet_at(1, &others[i], 1);
		assert_false(take(&merge, &inner));
	}
	/* Complete: nobody has said that its checksum is right. */
	inner = packet_at(1, &tcp4, 1);
	inner.kind = WT_INNER_PACKET;
	assert_false(take(&merge, &inner));
	/* A run has its own header. */
	inner.kind = WT_INNER_SEGMENTS;
	assert_false(take(&merge, &inner));
	inner.kind = WT_INNER_PARTIAL;
	assert_true(take(&merge, &inner));
}

/* A packet is looked at no further than it goes. */
static void headers_of_another_size_are_not_compared(void **state)
{
	const struct wt_run many = { TCP4, .payload = 2000, .size = 1000, .tcp_extra = 40 };
	const struct wt_run few = { TCP4, .payload = 1, .size = 0 };
	struct wt_guarded room = { 0 };
	struct wt_inner inner;
	struct wt_merge merge;
	uint8_t *text;
	size_t len;

	(void)state;
	assert_true(wt_guarded_init(&room, NULL, 4096));
	wt_merge_init(&merge, &everything);
	inner = packet_at(0, &many, 0);
	wt_merge_start(&merge, &inner);
	len = 1 + wt_run_partial(&few, 0, memory[1] + BEFORE);
	memory[1][BEFORE - 1] = WT_INNER_PARTIAL;
	text = wt_guarded_place(&room, len, WT_GUARDED_END);
	memcpy(text, memory[1] + BEFORE - 1, len);
	assert_int_equal(wt_inner_parse(text, len, &everything, &inner), WT_DROP_NONE);
	assert_false(wt_merge_take(&merge, &inner));
	wt_guarded_free(&room);
}

static void sizes_must_be_equal_but_the_last(void **state)
{
	static const struct wt_run run = { TCP4, .payload = 4000, .size = 1000 };
	struct wt_run other = run;
	struct wt_inner inner;
	struct wt_merge merge;

	(void)state;
	wt_merge_init(&merge, &everything);
	inner = packet_at(0, &run, 0);
	assert_true(take(&merge, &inner));
	/* One that is larger, at the right place. */
	other.size = 1001;
	other.sequence = (uint32_t)-1;
	inner = packet_at(1, &other, 1);
	assert_false(take(&merge, &inner));
	/* Nothing in it: an acknowledgement. */
	other = run;
	other.payload = 1000;
	inner = packet_at(1, &other, 1);
	assert_int_equal(inner.len, 40);
	assert_false(take(&merge, &inner));
	inner = packet_at(1, &run, 1);
	assert_true(take(&merge, &inner));
	other.payload = 2000;
	inner = packet_at(2, &other, 2);
	assert_int_equal(inner.len, 40);
	assert_false(take(&merge, &inner));
	/* A shorter one goes on, and is the last. */
	other.payload = 2999;
	inner = packet_at(2, &other, 2);
	assert_true(take(&merge, &inner));
	assert_false(merge.open);
	other = run;
	other.sequence = (uint32_t)-1;
	inner = packet_at(3, &other, 3);
	assert_false(take(&merge, &inner));
}

static void a_push_or_fin_is_the_last(void **state)
{
	static const uint8_t flags[] = { WT_TCP_PSH, WT_TCP_FIN };
	static const struct wt_run run = { TCP4, .payload = 4000, .size = 1000, .tcp_flags = ACK };

	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++) {
		struct wt_inner inner = packet_at(0, &run, 0);
		struct wt_merge merge;

		/* On the first: nothing follows. */
		inner.body[33] |= flags[i];
		inner = parsed(0, inner.len, &everything);
		wt_merge_init(&merge, &everything);
		assert_true(take(&merge, &inner));
		inner = packet_at(1, &run, 1);
		assert_false(take(&merge, &inner));
		/* On the second: it is the run's, and nothing follows either. */
		inner = packet_at(0, &run, 0);
		wt_merge_clear(&merge);
		assert_true(take(&merge, &inner));
		inner = packet_at(1, &run, 1);
		inner.body[33] |= flags[i];
		inner = parsed(1, inner.len, &everything);
		assert_true(take(&merge, &inner));
		inner = packet_at(2, &run, 2);
		assert_false(take(&merge, &inner));
		assert_true(gather(&merge) > 0);
		assert_int_equal(gathered[WT_TUN_HEADER + 33], ACK | flags[i]);
	}
}

/* The first of a pair that would be a run, if it may begin one. */
static const struct {
	const char *what;
	struct wt_run run;
	struct wt_inner_limits own;
	bool begins;
} firsts[] = {
	{ "TCPv4", { TCP4, .size = 1000 }, { 1 | 2, 0, 1500 }, true },
	{ "TCPv4, not taken", { TCP4, .size = 1000 }, { ALL & ~2u, 0, 1500 }, false },
	{ "TCPv6", { TCP6, .size = 1000 }, { 1 | 4, 0, 1500 }, true },
	{ "TCPv6, not taken", { TCP6, .size = 1000 }, { ALL & ~4u, 0, 1500 }, false },
	{ "UDPv4", { UDP4, .size = 1000 }, { 1 | 8, 0, 1500 }, true },
	{ "UDPv4, not taken", { UDP4, .size = 1000 }, { ALL & ~8u, 0, 1500 }, false },
	{ "UDPv6", { UDP6, .size = 1000 }, { 1 | 16, 0, 1500 }, true },
	{ "UDPv6, not taken", { UDP6, .size = 1000 }, { ALL & ~16u, 0, 1500 }, false },
	{ "512 bytes", { TCP4, .size = 512 }, { ALL, 0, 1500 }, true },
	{ "511 bytes", { TCP4, .size = 511 }, { ALL, 0, 1500 }, false },
	{ "1 byte", { UDP4, .size = 1 }, { ALL, 0, 1500 }, false },
	{ "as large as the MTU", { TCP4, .size = 1460 }, { ALL, 0, 1500 }, true },
	{ "larger than the MTU", { TCP4, .size = 1461 }, { ALL, 0, 1500 }, false },
	{ "SYN", { TCP4, .size = 1000, .tcp_flags = WT_TCP_SYN }, { ALL, 0, 1500 }, false },
	{ "RST", { TCP4, .size = 1000, .tcp_flags = WT_TCP_RST }, { ALL, 0, 1500 }, false },
	{ "URG", { TCP6, .size = 1000, .tcp_flags = WT_TCP_URG }, { ALL, 0, 1500 }, false },
	{ "CWR", { TCP6, .size = 1000, .tcp_flags = WT_TCP_CWR }, { ALL, 0, 1500 }, false },
	{ "ECE and ACK", { TCP6, .size = 1000, .tcp_flags = 0x50 }, { ALL, 0, 1500 }, true },
};

static void a_run_begins_by_the_rules_of_kind_3(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(firsts); i++) {
		struct wt_run run = firsts[i].run;
		struct wt_inner inner;
		struct wt_merge merge;
		uint8_t flags = run.tcp_flags;

		run.payload = 2u * run.size;
		run.tcp_flags = 0; /* CWR is on the first packet of a run alone */
		wt_merge_init(&merge, &firsts[i].own);
		for (size_t k = 0; k < 2; k++) {
			bool taken;

			inner = packet_at(k, &run, k);
			if (run.protocol == IPPROTO_TCP)
				inner.body[inner.layer4.start + WT_TCP_FLAGS] = flags;
			inner = parsed(k, inner.len, &firsts[i].own);
			taken = take(&merge, &inner);
			if (taken != (k == 0 || firsts[i].begins))
				fail_msg("%s: packet %zu", firsts[i].what, k);
		}
	}
}

static void a_run_begins_with_a_right_header_checksum(void **state)
{
	static const struct wt_run run = { UDP4, .payload = 2000, .size = 1000 };
	struct wt_inner inner = packet_at(0, &run, 0);
	struct wt_merge merge;

	(void)state;
	wt_merge_init(&merge, &everything);
	inner.body[10] ^= 1;
	assert_true(take(&merge, &inner));
	inner = packet_at(1, &run, 1);
	assert_false(take(&merge, &inner));
}

static void kinds_without_a_partial_checksum_are_held_alone(void **state)
{
	static const struct wt_run run = { TCP4, .payload = 2000, .size = 1000 };
	static const uint8_t kinds[] = { WT_INNER_PACKET, WT_INNER_SEGMENTS };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct wt_inner inner = packet_at(0, &run, 0);
		struct wt_merge merge;

		wt_merge_init(&merge, &everything);
		inner.kind = kinds[i];
		assert_true(take(&merge, &inner));
		assert_int_equal(merge.first.kind, kinds[i]);
		inner = packet_at(1, &run, 1);
		assert_false(take(&merge, &inner));
	}
}

/* ---- limits -------------------------------------------------------------- */

static size_t taken_of(const struct wt_run *run)
{
	struct wt_merge merge;
	size_t i;

	wt_merge_init(&merge, &everything);
	for (i = 0; i < PLACES; i++) {
		struct wt_inner inner = packet_at(i, run, 0);

		/* An endless run, whose packets are all full. */
		if (run->family == AF_INET) {
			wt_store_be16(inner.body + 4, (uint16_t)(run->id + i));
			wt_checksum_ipv4_write(inner.body);
		}
		if (run->protocol == IPPROTO_TCP)
			wt_store_be32(inner.body + inner.layer4.start + WT_TCP_SEQUENCE,
				      run->sequence + (uint32_t)i * run->size);
		if (!take(&merge, &inner))
			break;
	}
	assert_int_equal(merge.count, i);
	assert_int_equal(gather(&merge), wt_run_headers(run) + i * run->size);
	/* What the device gets, a peer could have sent. */
	struct wt_inner back;

	memmove(gathered + 3, gathered + WT_TUN_HEADER, merge.len);
	gathered[0] = WT_INNER_SEGMENTS;
	wt_store_be16(gathered + 1, run->size);
	assert_int_equal(wt_inner_parse(gathered, 3 + merge.len, &everything, &back), WT_DROP_NONE);
	return i;
}

static void runs_end_at_the_limits(void **state)
{
	static const struct {
		struct wt_run run;
		size_t packets;
	} ends[] = {
		/* 64 of UDP, 65,535 bytes of everything. */
		{ { UDP4, .size = 512 }, 64 },	     { { UDP6, .size = 1000 }, 64 },
		{ { UDP4, .size = 1472 }, 44 },	     { { TCP4, .size = 512 }, 127 },
		{ { TCP4, .size = 13099 / 2 }, 10 }, /* 65,530 */
		{ { TCP4, .size = 5 * 1310 }, 9 },   /* 65,540 would be ten */
		{ { TCP6, .size = 1428 }, 45 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct wt_run run = ends[i].run;

		run.payload = run.size;
		assert_int_equal(taken_of(&run), ends[i].packets);
	}
}

/* ---- one by one after all ------------------------------------------------ */

static void each_packet_can_be_had_back(void **state)
{
	static const struct wt_run run = { TCP6, .payload = 3500, .size = 1000, .tcp_extra = 12 };
	static uint8_t expected[WT_RUN_MAX];
	struct wt_merge merge;

	(void)state;
	wt_merge_init(&merge, &everything);
	for (size_t i = 0; i < 4; i++) {
		struct wt_inner inner = packet_at(i, &run, i);

		assert_true(take(&merge, &inner));
	}
	(void)gather(&merge);
	for (uint32_t i = 0; i < 4; i++) {
		struct wt_inner inner;

		wt_merge_packet(&merge, i, &inner);
		assert_ptr_equal(inner.body, memory[i] + BEFORE);
		assert_int_equal(inner.kind, WT_INNER_PARTIAL);
		assert_int_equal(inner.len, wt_run_partial(&run, i, expected));
		assert_memory_equal(inner.body, expected, inner.len);
		assert_ptr_equal(inner.packet.source, inner.body + 8);
		assert_ptr_equal(inner.packet.destination, inner.body + 24);
		wt_vnet_write(&inner);
		assert_memory_equal(inner.body, expected, inner.len);
	}
	wt_merge_clear(&merge);
	assert_int_equal(merge.count, 0);
	struct wt_inner inner = packet_at(0, &run, 2);

	assert_true(take(&merge, &inner));
	assert_int_equal(merge.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_a_run_become_it_again),
		cmocka_unit_test(what_is_carved_is_merged_again),
		cmocka_unit_test(the_sum_is_the_receiver_s_own),
		cmocka_unit_test(a_stranger_does_not_go_on),
		cmocka_unit_test(each_bit_of_the_headers_counts),
		cmocka_unit_test(other_flows_and_kinds_do_not_go_on),
		cmocka_unit_test(headers_of_another_size_are_not_compared),
		cmocka_unit_test(sizes_must_be_equal_but_the_last),
		cmocka_unit_test(a_push_or_fin_is_the_last),
		cmocka_unit_test(a_run_begins_by_the_rules_of_kind_3),
		cmocka_unit_test(a_run_begins_with_a_right_header_checksum),
		cmocka_unit_test(kinds_without_a_partial_checksum_are_held_alone),
		cmocka_unit_test(runs_end_at_the_limits),
		cmocka_unit_test(each_packet_can_be_had_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
