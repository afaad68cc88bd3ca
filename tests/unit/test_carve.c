/* SPDX-License-Identifier: MIT
 *
 * A run cut where it lies gives the packets that a copy gives, byte for byte.
 */
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

#include "conform/guarded.h"
#include "record/carve.h"
#include "record/inner.h"
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
	return wt_guarded_init(&room, NULL, WT_CARVE_PREFIX + WT_RUN_MAX) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_guarded_free(&room);
	return 0;
}

static struct wt_segments begin(const struct wt_run *run, size_t *len)
{
	struct wt_vnet vnet = wt_run_vnet(run);
	struct wt_segments segments;
	struct wt_packet ip;

	*len = wt_run_whole(run, whole);
	assert_int_equal(wt_packet_parse(whole, *len, &ip), WT_DROP_NONE);
	assert_int_equal(wt_segments_start(&segments, whole, *len, &ip, &vnet), WT_DROP_NONE);
	return segments;
}

/* The run lies against the end of its memory, with room for the kind before it. */
static void carve_and_compare(const char *what, const struct wt_run *run, bool partial)
{
	uint8_t kind = partial ? WT_INNER_PARTIAL : WT_INNER_PACKET, *block;
	struct wt_segments segments;
	struct wt_carve carve;
	const uint8_t *text;
	size_t len, n, i;

	segments = begin(run, &len);
	segments.partial = partial;
	block = wt_guarded_place(&room, WT_CARVE_PREFIX + len, WT_GUARDED_END);
	memcpy(block + WT_CARVE_PREFIX, whole, len);
	if (!wt_carve_start(&carve, &segments, block + WT_CARVE_PREFIX, kind))
		fail_msg("%s: refused", what);
	for (i = 0; (n = wt_carve_next(&carve, &text)) > 0; i++) {
		size_t m;

		if (i >= wt_run_count(run))
			fail_msg("%s: more than %zu packets", what, i);
		if (partial)
			m = wt_run_partial(run, i, expected);
		else
			m = wt_segments_next(&segments, expected);
		assert_true(text >= block && text + n <= block + WT_CARVE_PREFIX + len);
		if (text[0] != kind || n != WT_CARVE_PREFIX + m ||
		    memcmp(text + WT_CARVE_PREFIX, expected, m) != 0)
			fail_msg("%s: packet %zu differs", what, i);
	}
	assert_int_equal(i, wt_run_count(run));
	assert_int_equal(wt_carve_next(&carve, &text), 0);
	assert_true(wt_guarded_kept(&room, block, WT_CARVE_PREFIX + len));
}

static const struct {
	const char *what;
	struct wt_run run;
} runs[] = {
	{ "TCPv4, two equal", { TCP4, .payload = 2000, .size = 1000 } },
	{ "TCPv4, a short last one", { TCP4, .payload = 2001, .size = 1000 } },
	{ "TCPv4, one alone", { TCP4, .payload = 999, .size = 1000 } },
	{ "TCPv4, the largest", { TCP4, .payload = 65535 - 40, .size = 1448 } },
	{ "TCPv4, segments shorter than headers", { TCP4, .payload = 64, .size = 1 } },
	{ "TCPv4, as long as headers", { TCP4, .payload = 400, .size = 40 } },
	{ "TCPv4, most options",
	  { TCP4, .payload = 5000, .size = 100, .extra = 40, .tcp_extra = 40 } },
	{ "TCPv4, FIN and PSH",
	  { TCP4, .payload = 5000, .size = 1448, .tcp_flags = ACK | WT_TCP_FIN | WT_TCP_PSH } },
	{ "TCPv4, CWR", { TCP4, .payload = 5000, .size = 1448, .tcp_flags = ACK | WT_TCP_CWR } },
	{ "TCPv4, id and sequence wrap",
	  { TCP4, .payload = 5000, .size = 1000, .id = 0xfffe, .sequence = 0xfffffc00 } },
	{ "TCPv4, congestion experienced", { TCP4, .payload = 5000, .size = 1448, .tos = 0xbb } },
	{ "TCPv6, a short last one", { TCP6, .payload = 2001, .size = 1000, .tcp_extra = 12 } },
	{ "TCPv6, the largest", { TCP6, .payload = 65535 - 60, .size = 1428 } },
	{ "UDPv4, a short last one", { UDP4, .payload = 2001, .size = 1000 } },
	{ "UDPv4, the largest", { UDP4, .payload = 65535 - 28, .size = 1472 } },
	{ "UDPv6, two equal", { UDP6, .payload = 2000, .size = 1000 } },
	{ "UDPv6, the largest", { UDP6, .payload = 65535 - 48, .size = 1452 } },
};

static void packets_are_those_of_a_copy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_run run = runs[i].run;

		run.seed = i;
		run.port = 443;
		carve_and_compare(runs[i].what, &run, false);
		carve_and_compare(runs[i].what, &run, true);
	}
}

static void random_runs_are_carved_well(void **state)
{
	uint64_t random = 11;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct wt_run run = wt_run_random(&random, WT_SEGMENTS_MAX_CUT);

		if (wt_run_headers(&run) <= WT_CARVE_HEADERS_MAX)
			carve_and_compare("random", &run, i % 2);
	}
}

/* What a peer's kernel gets for a partial one is what wt_inner_parse takes. */
static void a_partial_packet_is_a_record_of_its_kind(void **state)
{
	static const struct wt_inner_limits limits = { 1, WT_RECORD_MAX, 1500 };
	static const struct wt_run kinds[] = { { TCP4, .payload = 5000, .size = 1400 },
					       { UDP6, .payload = 5000, .size = 1400 } };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct wt_segments segments;
		struct wt_carve carve;
		struct wt_inner inner;
		const uint8_t *text;
		size_t len, n;

		segments = begin(&kinds[i], &len);
		segments.partial = true;
		memmove(expected + 1, whole, len);
		assert_true(wt_carve_start(&carve, &segments, expected + 1, WT_INNER_PARTIAL));
		while ((n = wt_carve_next(&carve, &text)) > 0) {
			static uint8_t copy[2000];

			memcpy(copy, text, n);
			assert_int_equal(wt_inner_parse(copy, n, &limits, &inner), WT_DROP_NONE);
			assert_int_equal(inner.kind, WT_INNER_PARTIAL);
		}
	}
}

static void headers_without_end_are_not_carved(void **state)
{
	struct wt_run fits = { TCP6, .payload = 3000, .size = 1000, .extra = 56 };
	struct wt_run none = { TCP6, .payload = 3000, .size = 1000, .extra = 64 };
	struct wt_segments segments;
	struct wt_carve carve;
	size_t len;

	(void)state;
	fits.tcp_extra = none.tcp_extra = 4;
	assert_int_equal(wt_run_headers(&fits), WT_CARVE_HEADERS_MAX);
	carve_and_compare("the most headers", &fits, false);
	segments = begin(&none, &len);
	memcpy(expected, whole, len);
	assert_false(wt_carve_start(&carve, &segments, whole, WT_INNER_PACKET));
	assert_memory_equal(expected, whole, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_those_of_a_copy),
		cmocka_unit_test(random_runs_are_carved_well),
		cmocka_unit_test(a_partial_packet_is_a_record_of_its_kind),
		cmocka_unit_test(headers_without_end_are_not_carved),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
