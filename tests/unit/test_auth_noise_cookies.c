/* SPDX-License-Identifier: MIT
 *
 * auth-noise: times, cookies and load. What is judged new, what a cookie makes
 * up for, that no clock, once wrong, shuts a peer out, and what a flood costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "macs.h"
#include "stamp.h"
#include "support/auth_pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct wt_auth_pair pair;
static struct wt_primitives primitives;
static struct wt_noise_tools tools;
static struct wt_mac_keys to_r, to_i;

static int open_pair(void **state)
{
	const struct wt_auth_case *how = *state;
	struct wt_error err = { .struct_size = sizeof err };

	wt_auth_pair_open(&pair, how->method, how->channel);
	assert_int_equal(wt_primitives_init(&primitives, &err), WT_OK);
	tools = (struct wt_noise_tools){ .host = &pair.i.plain.host, .primitives = &primitives };
	assert_int_equal(wt_mac_keys(&primitives, pair.public_r, &to_r), WT_OK);
	assert_int_equal(wt_mac_keys(&primitives, pair.public_i, &to_i), WT_OK);
	return 0;
}

static int close_pair(void **state)
{
	(void)state;
	wt_primitives_free(&primitives);
	wt_auth_pair_close(&pair);
	return 0;
}

/* ---- times ------------------------------------------------------------------ */

static void stamps_are_tai64n(void **state)
{
	static const struct {
		uint64_t unix_ms;
		const uint8_t bytes[STAMP_SIZE];
	} cases[] = {
		{ 0, { 0x40, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0 } },
		{ 1500, { 0x40, 0, 0, 0, 0, 0, 0, 11, 0x1d, 0xcd, 0x65, 0 } },
		/* 0x2a2b2c2d s and the 10 that TAI was ahead at the start. */
		{ 707472429000, { 0x40, 0, 0, 0, 0x2a, 0x2b, 0x2c, 0x37, 0, 0, 0, 0 } },
	};
	uint8_t bytes[STAMP_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		wt_stamp_put(bytes, wt_stamp_of(cases[i].unix_ms));
		assert_memory_equal(bytes, cases[i].bytes, STAMP_SIZE);
		assert_true(wt_stamp_ms(wt_stamp_get(bytes)) == cases[i].unix_ms);
	}
	/* What no clock says. */
	assert_true(wt_stamp_ms((struct wt_stamp){ 0, 0 }) == 0);
	assert_true(wt_stamp_ms((struct wt_stamp){ WT_STAMP_EPOCH - 1, 999999999 }) == 0);
	assert_true(wt_stamp_ms((struct wt_stamp){ UINT64_MAX, UINT32_MAX }) == UINT64_MAX);
	/* The order is that of the bytes. */
	const struct wt_stamp a = { 5, 7 }, b = { 5, 8 }, c = { 6, 0 }, top = { 5, UINT32_MAX };

	assert_true(wt_stamp_after(b, a) && wt_stamp_after(c, b) && wt_stamp_after(c, top));
	assert_false(wt_stamp_after(a, a) || wt_stamp_after(a, b) || wt_stamp_after(b, c));
	assert_true(wt_stamp_after(wt_stamp_next(a), a) && !wt_stamp_after(wt_stamp_next(a), b));
	assert_true(wt_stamp_after(wt_stamp_next(top), top));
}

/* The time of an M1 less the responder's, and what it leads to. */
static void times_are_judged(void **state)
{
	static const struct {
		uint64_t time_i, time_r;
		enum wt_auth_verdict verdict;
		enum wt_auth_reason reason;
		int64_t off;
	} cases[] = {
		{ 1000000, 1000000, WT_AUTH_MORE, WT_REASON_NONE, 0 },
		{ 1060000, 1000000, WT_AUTH_MORE, WT_REASON_NONE, 0 },
		{ 1060001, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK, 60001 },
		{ 940000, 1000000, WT_AUTH_MORE, WT_REASON_NONE, 0 },
		{ 939999, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK, -60001 },
		{ 0, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK, -1000000 },
		{ 1000000, 0, WT_AUTH_ANSWER, WT_REASON_CLOCK, 1000000 },
		{ 0, 0, WT_AUTH_MORE, WT_REASON_NONE, 0 },
		{ UINT64_C(1) << 62, 1000000, WT_AUTH_ANSWER, WT_REASON_CLOCK,
		  (INT64_C(1) << 62) - 1000000 },
		{ 1000000, UINT64_MAX, WT_AUTH_ANSWER, WT_REASON_CLOCK, -INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_auth_pair p;

		wt_auth_pair_open(&p, &wt_auth_noise, WT_CHANNEL_STREAM);
		p.i.clock.unix_ms = cases[i].time_i;
		p.r.clock.unix_ms = cases[i].time_r;
		assert_int_equal(wt_auth_pair_start(&p, 0), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&p), cases[i].verdict);
		assert_int_equal(p.m2.reason, cases[i].reason);
		assert_true(p.m2.clock_off_ms == cases[i].off);
		if (cases[i].verdict == WT_AUTH_ANSWER) {
			assert_int_equal(p.m2.flags, WT_AUTH_OUT_PEER);
			assert_int_equal(p.m2.peer_id, WT_AUTH_PAIR_ID_I);
			/* Whatever the times are, the cookie gets through. */
			wt_auth_pair_take_answer(&p);
			wt_auth_pair_finish(&p);
		}
		wt_auth_pair_close(&p);
	}
}

static void times_must_grow_and_cannot_be_poisoned(void **state)
{
	const uint64_t now = pair.i.clock.unix_ms;

	(void)state;
	pair.i.clock.unix_ms = now + 30000;
	wt_auth_pair_run(&pair);
	/* Equal and earlier, though inside the window, of an end that has lost
	 * its memory: a cookie is asked for. */
	for (uint64_t back = 0; back < 2; back++) {
		wt_auth_pair_restart(&pair, false);
		pair.i.clock.unix_ms = now + 30000 - back;
		assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
		assert_int_equal(pair.m2.reason, WT_REASON_REPLAY);
	}
	/* Nor does an earlier one, let in by its cookie, become the mark. */
	wt_auth_pair_take_answer(&pair);
	wt_auth_pair_finish(&pair);
	wt_auth_pair_restart(&pair, false);
	pair.i.clock.unix_ms = now + 30000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	pair.i.clock.unix_ms = now + 30001;
	wt_auth_pair_run(&pair);
	/* A year ahead, let in by its cookie, does not become the mark. */
	pair.i.clock.unix_ms = now + UINT64_C(365) * 86400000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(pair.m2.reason, WT_REASON_CLOCK);
	wt_auth_pair_take_answer(&pair);
	wt_auth_pair_finish(&pair);
	/* Set right again, it needs none, and the dialler has not clung to it. */
	pair.i.clock.unix_ms = now + 40000;
	wt_auth_pair_run(&pair);
	/* 60 s ahead of R is stored. */
	pair.i.clock.unix_ms = now + 60000;
	wt_auth_pair_run(&pair);
	pair.i.clock.unix_ms = now + 50000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE); /* it kept count itself */
	wt_auth_pair_restart(&pair, false);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
}

/* A dialler whose clock is set back by up to a minute goes on from where it was;
 * by more, a cookie makes up for it. */
static void a_clock_that_is_set_back_costs_little(void **state)
{
	(void)state;
	wt_auth_pair_run(&pair);
	pair.i.clock.unix_ms -= 30000;
	for (int i = 0; i < 3; i++)
		wt_auth_pair_run(&pair);
	pair.i.clock.unix_ms -= 600000;
	wt_auth_pair_until_answer(&pair);
	wt_auth_pair_take_answer(&pair);
	wt_auth_pair_finish(&pair);
}

/* ---- cookies ---------------------------------------------------------------- */

static void a_cookie_is_for_one_source_and_time(void **state)
{
	static const struct {
		size_t source_byte; /* changed; 99: none */
		uint64_t age_ms;
		enum wt_auth_verdict verdict;
	} cases[] = {
		{ 99, 0, WT_AUTH_MORE },
		/* The secret turned at 0 and turns every 120 s. */
		{ 99, 119999, WT_AUTH_MORE },
		{ 99, 239999, WT_AUTH_MORE },
		{ 99, 240000, WT_AUTH_ANSWER },
		{ 99, 3600000, WT_AUTH_ANSWER },
		{ 3, 0, WT_AUTH_ANSWER },
		{ 5, 0, WT_AUTH_ANSWER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_auth_pair p;

		wt_auth_pair_open(&p, &wt_auth_noise, WT_CHANNEL_DATAGRAM);
		p.i.clock.unix_ms -= 1800000; /* far off: the cookie must do it */
		assert_int_equal(wt_auth_pair_start(&p, 0), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&p), WT_AUTH_ANSWER);
		wt_auth_pair_take_answer(&p);
		if (cases[i].age_ms >= 240000) {
			/* In between somebody made it turn. */
			struct wt_auth_said out;

			wt_auth_rig_advance(&p.r, 120000);
			(void)wt_auth_rig_accept(&p.r, p.channel, 9, p.params_r, p.m1.reply, 183,
						 &out);
			wt_auth_rig_advance(&p.r, cases[i].age_ms - 120000);
		} else {
			wt_auth_rig_advance(&p.r, cases[i].age_ms);
		}
		if (cases[i].source_byte != 99)
			p.r.source[cases[i].source_byte] ^= 0x40;
		assert_int_equal(wt_auth_pair_accept(&p), cases[i].verdict);
		if (cases[i].verdict == WT_AUTH_ANSWER)
			assert_int_equal(p.m2.reason, WT_REASON_CLOCK);
		wt_auth_pair_close(&p);
	}
}

/* The cookie that one M1 brought, in another of the same end and source. */
static void a_cookie_is_for_one_ephemeral(void **state)
{
	uint8_t cookie[COOKIE_SIZE];

	(void)state;
	pair.r.clock.unix_ms += 1000000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(wt_cookie_read(&tools, &to_r, pair.m1.reply, pair.m2.reply, cookie),
			 WT_OK);
	for (int own = 0; own < 2; own++) {
		if (!own)
			assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
		assert_int_equal(wt_mac_write(&primitives, cookie, COOKIE_SIZE, pair.m1.reply,
					      M1_MAC2, pair.m1.reply + M1_MAC2),
				 WT_OK);
		assert_int_equal(wt_auth_pair_accept(&pair), own ? WT_AUTH_MORE : WT_AUTH_ANSWER);
		if (!own)
			assert_int_equal(
				wt_cookie_read(&tools, &to_r, pair.m1.reply, pair.m2.reply, cookie),
				WT_OK);
	}
}

/* The COOKIE carries the same M1 again, but for mac2. */
static void a_cookie_changes_mac2_alone(void **state)
{
	uint8_t before[M1_SIZE];
	struct wt_auth_said first;

	(void)state;
	wt_auth_pair_until_answer(&pair);
	memcpy(before, pair.m1.reply, sizeof before);
	first = pair.m2;
	wt_auth_pair_take_answer(&pair);
	assert_int_equal(pair.m3.flags, WT_AUTH_OUT_PEER); /* a cookie proves nobody */
	assert_int_equal(pair.m3.local_index, 1000);
	assert_memory_equal(pair.m1.reply, before, M1_MAC2);
	assert_memory_not_equal(pair.m1.reply + M1_MAC2, before + M1_MAC2, MAC_SIZE);
	/* Its copy, and another that brings the same cookie: nothing is sent. */
	wt_auth_pair_i_drops(&pair, first.reply, 72, WT_REASON_REPLAY);
	memcpy(pair.m1.reply + M1_MAC2, (uint8_t[MAC_SIZE]){ 0 }, MAC_SIZE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_memory_not_equal(first.reply, pair.m2.reply, 72);
	wt_auth_pair_i_drops(&pair, pair.m2.reply, 72, WT_REASON_REPLAY);
}

/* What one attempt was told is not for the next. */
static void a_new_attempt_shows_no_cookie(void **state)
{
	(void)state;
	for (int attempt = 0; attempt < 6; attempt++) {
		wt_auth_pair_until_answer(&pair);
		assert_memory_equal(pair.m1.reply + M1_MAC2, (uint8_t[MAC_SIZE]){ 0 }, MAC_SIZE);
		wt_auth_pair_take_answer(&pair);
	}
	wt_auth_pair_finish(&pair);
}

/* Who saw M1 and knows R's public key can make COOKIEs up. Each makes I send,
 * four at most, and none ends the attempt. */
static void forged_cookies_do_not_end_the_attempt(void **state)
{
	struct wt_auth_said forged;
	struct wt_auth_in in = { .message = pair.m1.reply,
				 .message_len = 184,
				 .source = pair.r.source,
				 .source_len = sizeof pair.r.source,
				 .channel = pair.channel };
	uint8_t message[COOKIE_MESSAGE_SIZE];

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	for (int i = 0; i < 10; i++) {
		struct wt_flood flood;

		assert_int_equal(wt_flood_init(&flood, &pair.i.plain.host), WT_OK);
		assert_int_equal(wt_cookie_write(&tools, &flood, &to_r, &in, message), WT_OK);
		const enum wt_auth_verdict verdict = wt_auth_rig_receive(
			&pair.i, pair.m1.handshake, pair.channel, message, sizeof message, &forged);

		if (i < 4)
			assert_int_equal(verdict, WT_AUTH_MORE);
		else
			wt_auth_assert_dropped(verdict, &forged, WT_REASON_RATE);
		wt_flood_free(&flood);
	}
	/* R takes the first M1 as it is, whatever I sent since. */
	wt_auth_pair_finish(&pair);
}

/* A mac2 that shows nothing, neither zeros nor a cookie: answered, not more. */
static void a_changed_mac2_is_answered_with_a_cookie(void **state)
{
	struct wt_auth_said out;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	for (size_t bit = 0; bit < 8 * MAC_SIZE; bit++) {
		uint8_t altered[M1_SIZE];

		memcpy(altered, pair.m1.reply, sizeof altered);
		altered[M1_MAC2 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(wt_auth_rig_accept(&pair.r, pair.channel, 5, pair.params_r,
						    altered, sizeof altered, &out),
				 WT_AUTH_ANSWER);
		assert_int_equal(out.reason, WT_REASON_TOKEN);
		assert_int_equal(out.flags, WT_AUTH_OUT_PEER);
		assert_int_equal(out.reply_len, 72);
	}
	wt_auth_pair_finish(&pair);
}

/* ---- load ------------------------------------------------------------------- */

/* An M1 that opens for nobody, from somebody who knows R's public key. */
static enum wt_auth_verdict stranger(uint32_t number, struct wt_auth_said *out)
{
	uint8_t m1[M1_SIZE] = { 0 };

	put_header(m1, STEP_M1, 0);
	put32(m1 + SENDER, 99);
	memset(m1 + POINT, 0x33, POINT_SIZE);
	put32(m1 + POINT, number);
	assert_int_equal(wt_mac_write(&primitives, to_r.mac1, HASH_SIZE, m1, M1_MAC1, m1 + M1_MAC1),
			 WT_OK);
	return wt_auth_rig_accept(&pair.r, pair.channel, 7, pair.params_r, m1, sizeof m1, out);
}

static void under_load_a_cookie_is_needed(void **state)
{
	struct wt_auth_said out, old;
	uint32_t number = 0;

	(void)state;
	wt_auth_pair_run(&pair);
	old = pair.m1;
	wt_auth_pair_advance(&pair, 5000);
	const unsigned dh = pair.r.dh;

	/* Copies are no load: they are known before they cost anything. */
	for (int i = 0; i < 1000; i++)
		wt_auth_pair_r_drops_first(&pair, old.reply, 184, WT_REASON_REPLAY);
	for (; number < 255; number++)
		wt_auth_assert_dropped(stranger(number, &out), &out, WT_REASON_BAD_SEAL);
	assert_int_equal(pair.r.dh, dh + 255);
	assert_int_equal(pair.r.rate_calls, 0);
	wt_auth_pair_run(&pair); /* the 256th */
	const unsigned full = pair.r.dh;

	/* The rest of the second, and the next one: strangers cost nothing. */
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < 500; i++) {
			assert_int_equal(stranger(++number, &out), WT_AUTH_ANSWER);
			assert_int_equal(out.reason, WT_REASON_LOAD);
			assert_int_equal(out.flags, 0);
			assert_int_equal(out.reply_len, 72);
		}
		assert_int_equal(pair.r.dh, full + 3 * (unsigned)turn);
		/* A peer gets through by one more round trip. */
		assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
		assert_int_equal(pair.m2.reason, WT_REASON_LOAD);
		wt_auth_pair_take_answer(&pair);
		pair.r.rate_verdict = 0;
		wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_RATE);
		assert_int_equal(pair.r.rate_per_second, 20);
		assert_int_equal(pair.r.rate_burst, 5);
		assert_int_equal(pair.r.rate_source_len, 4);
		pair.r.rate_verdict = 1;
		wt_auth_pair_finish(&pair);
		wt_auth_pair_advance(&pair, 1000);
	}
	assert_int_equal(pair.r.rate_calls, 4);
	/* A flood, then silence: what comes later pays nothing for it. */
	wt_auth_pair_advance(&pair, 2000);
	wt_auth_pair_run(&pair);
	assert_int_equal(pair.r.rate_calls, 4);
}

/* Forged M2 whose mac1 is right: who saw our M1 and knows our public key. */
static void forged_m2_have_a_limit(void **state)
{
	uint8_t forged[M2_SIZE];
	struct wt_auth_said out;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	for (uint32_t i = 0; i < 1000; i++) {
		memcpy(forged, pair.m2.reply, sizeof forged);
		put32(forged + M2_PAYLOAD, i);
		assert_int_equal(wt_mac_write(&primitives, to_i.mac1, HASH_SIZE, forged, M2_MAC1,
					      forged + M2_MAC1),
				 WT_OK);
		wt_auth_assert_dropped(wt_auth_rig_receive(&pair.i, pair.m1.handshake, pair.channel,
							   forged, sizeof forged, &out),
				       &out, i < 256 ? WT_REASON_BAD_SEAL : WT_REASON_RATE);
	}
	assert_int_equal(pair.i.dh, 1 + 2 * 256);
	/* The true one comes in a second without a flood. */
	wt_auth_pair_advance(&pair, 2000);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

#define ON_STREAM(test) WT_AUTH_TEST(test, noise, STREAM)
#define ON_DATAGRAM(test) WT_AUTH_TEST(test, noise, DATAGRAM)
#define ON_BOTH(test) ON_STREAM(test), ON_DATAGRAM(test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_are_tai64n),
		cmocka_unit_test(times_are_judged),
		ON_BOTH(times_must_grow_and_cannot_be_poisoned),
		ON_STREAM(a_clock_that_is_set_back_costs_little),
		cmocka_unit_test(a_cookie_is_for_one_source_and_time),
		ON_DATAGRAM(a_cookie_is_for_one_ephemeral),
		ON_BOTH(a_cookie_changes_mac2_alone),
		ON_BOTH(a_new_attempt_shows_no_cookie),
		ON_BOTH(forged_cookies_do_not_end_the_attempt),
		ON_BOTH(a_changed_mac2_is_answered_with_a_cookie),
		ON_BOTH(under_load_a_cookie_is_needed),
		ON_DATAGRAM(forged_m2_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
