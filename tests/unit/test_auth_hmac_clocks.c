/* SPDX-License-Identifier: MIT
 *
 * auth-hmac and clocks that differ: what is judged new, what a RETRY sets right,
 * and that no clock, once wrong, shuts a peer out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/auth_pair.h"

#define M1_TOKEN 116
#define M1_MAC 160

static struct wt_auth_pair pair;

static int open_stream(void **state)
{
	(void)state;
	wt_auth_pair_open(&pair, &wt_auth_hmac, WT_CHANNEL_STREAM);
	return 0;
}

static int open_datagram(void **state)
{
	(void)state;
	wt_auth_pair_open(&pair, &wt_auth_hmac, WT_CHANNEL_DATAGRAM);
	return 0;
}

static int close_pair(void **state)
{
	(void)state;
	wt_auth_pair_close(&pair);
	return 0;
}

/* A clock that is ten minutes slow costs one round trip, once. */
static void a_retry_sets_the_clock_right(void **state)
{
	uint8_t before[192];

	(void)state;
	pair.r.clock.unix_ms += 600000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	memcpy(before, pair.m1.reply, sizeof before);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(pair.m2.reason, WT_REASON_CLOCK);
	assert_int_equal(pair.m2.clock_off_ms, -600000);
	assert_int_equal(pair.m2.flags, WT_AUTH_OUT_PEER);
	assert_int_equal(pair.m2.peer_id, WT_AUTH_PAIR_ID_I);
	assert_int_equal(pair.m2.reply_len, 80);
	assert_int_equal(pair.r.dh, 0);

	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_MORE);
	assert_int_equal(pair.m3.reply_len, 192);
	assert_int_equal(pair.m3.flags, WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_PEER);
	assert_int_equal(pair.m3.local_index, pair.m1.local_index);
	/* One key and nonce never seal two texts: sealed1 stays. */
	assert_memory_equal(pair.m3.reply, before, M1_TOKEN);
	assert_memory_equal(pair.m3.reply + M1_TOKEN, pair.m2.reply + 8, 32);
	assert_memory_not_equal(pair.m3.reply + M1_MAC, before + M1_MAC, 32);
	pair.m1 = pair.m3;
	wt_auth_pair_finish(&pair);
	/* The next one needs none. */
	wt_auth_pair_advance(&pair, 1000);
	wt_auth_pair_run(&pair);
	/* And when the clock is set right, one more. */
	pair.i.clock.unix_ms += 600000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(pair.m2.clock_off_ms, 600000);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_MORE);
	pair.m1 = pair.m3;
	wt_auth_pair_finish(&pair);
	wt_auth_pair_advance(&pair, 1000);
	wt_auth_pair_run(&pair);
	/* Tokens have a rate only under load. */
	assert_int_equal(pair.r.rate_calls, 0);
}

/* The time of an M1 less the responder's, and what it leads to. */
static void times_are_judged(void **state)
{
	static const struct {
		uint64_t time_i, time_r;
		enum wt_auth_verdict verdict;
		enum wt_auth_reason reason;
	} cases[] = {
		{ 1000000, 1000000, WT_AUTH_MORE, WT_REASON_NONE },
		{ 1060000, 1000000, WT_AUTH_MORE, WT_REASON_NONE },
		{ 1060001, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK },
		{ 940000, 1000000, WT_AUTH_MORE, WT_REASON_NONE },
		{ 939999, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK },
		{ 0, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK },
		{ 1000000, 0, WT_AUTH_ANSWER, WT_REASON_CLOCK },
		{ 0, 0, WT_AUTH_ANSWER, WT_REASON_REPLAY }, /* not later than none */
		{ 1, 0, WT_AUTH_MORE, WT_REASON_NONE },
		{ UINT64_C(1) << 63, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK },
		{ UINT64_MAX, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK },
		{ 1000000, UINT64_MAX, WT_AUTH_ANSWER, WT_REASON_CLOCK },
		{ UINT64_MAX, UINT64_MAX - 60000, WT_AUTH_MORE, WT_REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_auth_pair p;

		wt_auth_pair_open(&p, &wt_auth_hmac, WT_CHANNEL_STREAM);
		p.i.clock.unix_ms = cases[i].time_i;
		p.r.clock.unix_ms = cases[i].time_r;
		/* The static tag, as hours may be far apart. */
		assert_int_equal(wt_auth_pair_start(&p, 3), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&p), cases[i].verdict);
		assert_int_equal(p.m2.reason, cases[i].reason);
		if (cases[i].verdict == WT_AUTH_ANSWER) {
			/* Whatever the times are, the token gets through. */
			assert_int_equal(wt_auth_pair_m2(&p), WT_AUTH_MORE);
			p.m1 = p.m3;
			wt_auth_pair_finish(&p);
		}
		wt_auth_pair_close(&p);
	}
}

static void the_distance_of_clocks_is_held_in_its_type(void **state)
{
	static const struct {
		uint64_t time_i, time_r;
		int64_t off;
	} cases[] = {
		{ 1100000, 1000000, 100000 },	     { 900000, 1000000, -100000 },
		{ UINT64_MAX, 0, INT64_MAX },	     { 0, UINT64_MAX, -INT64_MAX },
		{ UINT64_C(1) << 63, 0, INT64_MAX }, { 0, UINT64_C(1) << 63, -INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		pair.i.clock.unix_ms = cases[i].time_i;
		pair.r.clock.unix_ms = cases[i].time_r;
		assert_int_equal(wt_auth_pair_start(&pair, 3), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
		assert_true(pair.m2.clock_off_ms == cases[i].off);
	}
}

static void times_must_grow_and_cannot_be_poisoned(void **state)
{
	const uint64_t now = pair.i.clock.unix_ms;

	(void)state;
	pair.i.clock.unix_ms = now + 30000;
	wt_auth_pair_run(&pair);
	/* Equal and earlier, though inside the window: a token is asked for. */
	for (uint64_t back = 0; back < 2; back++) {
		pair.i.clock.unix_ms = now + 30000 - back;
		assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
		assert_int_equal(pair.m2.reason, WT_REASON_REPLAY);
	}
	/* Nor does an earlier one, let in by its token, become the mark. */
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_MORE);
	pair.m1 = pair.m3;
	wt_auth_pair_finish(&pair);
	wt_auth_pair_restart(&pair, false); /* without the offset it adopted */
	pair.i.clock.unix_ms = now + 30000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	pair.i.clock.unix_ms = now + 30001;
	wt_auth_pair_run(&pair);
	/* A year ahead, let in by its token, does not become the mark. */
	pair.i.clock.unix_ms = now + UINT64_C(365) * 86400000;
	assert_int_equal(wt_auth_pair_start(&pair, 3), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_MORE);
	pair.m1 = pair.m3;
	wt_auth_pair_finish(&pair);
	/* The offset it adopted is now wrong again; it finds back by itself. */
	pair.i.clock.unix_ms = now + 40000;
	assert_int_equal(wt_auth_pair_start(&pair, 3), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(pair.m2.reason, WT_REASON_CLOCK);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_MORE);
	wt_auth_pair_advance(&pair, 60000);
	wt_auth_pair_run(&pair);
}

/* Either clock at 1970: the static tag after three tries, then a RETRY. */
static void a_clock_at_1970_comes_up_in_four_tries(void **state)
{
	(void)state;
	for (int who = 0; who < 2; who++) {
		struct wt_auth_pair p;

		wt_auth_pair_open(&p, &wt_auth_hmac, WT_CHANNEL_STREAM);
		(who == 0 ? &p.i : &p.r)->clock.unix_ms = 5000;
		for (uint32_t try = 0; try < 3; try++) {
			assert_int_equal(wt_auth_pair_start(&p, try), WT_AUTH_MORE);
			wt_auth_assert_dropped(wt_auth_pair_accept(&p), &p.m2,
					       WT_REASON_UNKNOWN_PEER);
		}
		assert_int_equal(wt_auth_pair_start(&p, 3), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&p), WT_AUTH_ANSWER);
		assert_int_equal(wt_auth_pair_m2(&p), WT_AUTH_MORE);
		p.m1 = p.m3;
		wt_auth_pair_finish(&p);
		wt_auth_pair_advance(&p, 1000);
		wt_auth_pair_run(&p);
		wt_auth_pair_close(&p);
	}
}

#define ON_STREAM(test) cmocka_unit_test_setup_teardown(test, open_stream, close_pair)
#define ON_DATAGRAM(test) cmocka_unit_test_setup_teardown(test, open_datagram, close_pair)
#define ON_BOTH(test) ON_STREAM(test), ON_DATAGRAM(test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_retry_sets_the_clock_right),
		cmocka_unit_test(times_are_judged),
		ON_STREAM(the_distance_of_clocks_is_held_in_its_type),
		ON_STREAM(times_must_grow_and_cannot_be_poisoned),
		cmocka_unit_test(a_clock_at_1970_comes_up_in_four_tries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
