/* SPDX-License-Identifier: MIT
 *
 * auth-hmac through its vtable: what a handshake is, on each way it can go.
 * What a stranger can try is in test_auth_attacks.c and test_auth_hmac_floods.c, keys and
 * tags are in _peers.c, clocks in _clocks.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/auth_pair.h"

#define RESPONDER_FLAGS (WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_PEER)

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

static void a_handshake_says_what_auth_h_says(void **state)
{
	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(pair.m1.reply_len, 192);
	assert_int_equal(pair.m1.flags, WT_AUTH_OUT_PEER);
	assert_int_equal(pair.m1.peer_id, WT_AUTH_PAIR_ID_R);
	assert_int_equal(pair.m1.local_index, 1000);
	assert_non_null(pair.m1.handshake);

	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(pair.m2.reply_len, 164);
	assert_int_equal(pair.m2.flags, RESPONDER_FLAGS | WT_AUTH_OUT_KEYS);
	assert_int_equal(pair.m2.reason, WT_REASON_NONE);
	assert_int_equal(pair.m2.peer_id, WT_AUTH_PAIR_ID_I);
	assert_int_equal(pair.m2.local_index, 1001);
	assert_int_equal(pair.m2.remote_index, 1000);
	assert_memory_equal(pair.m2.peer_params, pair.params_i, WT_PARAMS_SIZE);

	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(pair.m3.reply_len, 40);
	assert_int_equal(pair.m3.flags, RESPONDER_FLAGS | WT_AUTH_OUT_KEYS);
	assert_int_equal(pair.m3.peer_id, WT_AUTH_PAIR_ID_R);
	assert_int_equal(pair.m3.local_index, 1000);
	assert_int_equal(pair.m3.remote_index, 1001);
	assert_memory_equal(pair.m3.peer_params, pair.params_r, WT_PARAMS_SIZE);

	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	assert_int_equal(pair.done.reply_len, 0);
	assert_int_equal(pair.done.flags, RESPONDER_FLAGS);
	assert_int_equal(pair.done.peer_id, WT_AUTH_PAIR_ID_I);
	assert_int_equal(pair.done.local_index, 1001);
	assert_int_equal(pair.done.remote_index, 1000);

	assert_memory_equal(pair.m3.keys.send_key, pair.m2.keys.recv_key, WT_KEY_SIZE);
	assert_memory_equal(pair.m3.keys.recv_key, pair.m2.keys.send_key, WT_KEY_SIZE);
	assert_memory_not_equal(pair.m3.keys.send_key, pair.m3.keys.recv_key, WT_KEY_SIZE);
	assert_memory_not_equal(pair.m3.keys.send_iv, pair.m3.keys.recv_iv, WT_NONCE_SIZE);
	assert_int_equal(pair.i.dh, 1);
	assert_int_equal(pair.r.dh, 1);
}

static void every_handshake_has_keys_of_its_own(void **state)
{
	struct wt_keypair_keys before;

	(void)state;
	wt_auth_pair_run(&pair);
	before = pair.m3.keys;
	wt_auth_pair_advance(&pair, 1);
	wt_auth_pair_run(&pair);
	assert_memory_not_equal(before.send_key, pair.m3.keys.send_key, WT_KEY_SIZE);
	assert_memory_not_equal(before.recv_key, pair.m3.keys.recv_key, WT_KEY_SIZE);
	assert_memory_not_equal(before.send_iv, pair.m3.keys.send_iv, WT_NONCE_SIZE);
}

/* The same M1 again: the same M2, at most once a second, for 20 s, no DH. */
static void a_pending_m2_is_repeated(void **state)
{
	uint8_t m2[164];
	uint32_t index;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	memcpy(m2, pair.m2.reply, sizeof m2);
	index = pair.m2.local_index;
	for (int second = 1; second < 20; second++) {
		wt_auth_pair_advance(&pair, 999);
		wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_RATE);
		wt_auth_pair_advance(&pair, 1);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
		assert_int_equal(pair.m2.flags, RESPONDER_FLAGS | WT_AUTH_OUT_REPEATED);
		assert_int_equal(pair.m2.local_index, index);
		assert_int_equal(pair.m2.reply_len, sizeof m2);
		assert_memory_equal(pair.m2.reply, m2, sizeof m2);
	}
	assert_int_equal(pair.r.dh, 1);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	/* 20 s after the first, M3 is too late. */
	wt_auth_pair_advance(&pair, 999);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

static void an_old_pending_slot_is_dead(void **state)
{
	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	wt_auth_pair_advance(&pair, 20000);
	wt_auth_assert_dropped(wt_auth_pair_m3(&pair), &pair.done, WT_REASON_STEP);
	wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_REPLAY);
	assert_int_equal(pair.r.dh, 1);
	wt_auth_pair_run(&pair);
}

static void on_a_stream_a_pending_handshake_stays_with_its_connection(void **state)
{
	struct wt_auth_said copy;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	wt_auth_pair_advance(&pair, 5000);
	pair.r.association = 2;
	wt_auth_assert_dropped(wt_auth_rig_accept(&pair.r, pair.channel, 5, pair.params_r,
						  pair.m1.reply, 192, &copy),
			       &copy, WT_REASON_REPLAY);
	wt_auth_assert_dropped(wt_auth_pair_m3(&pair), &pair.done, WT_REASON_STEP);
	pair.r.association = 1;
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

static void a_repeated_m3_is_done_again(void **state)
{
	(void)state;
	wt_auth_pair_run(&pair);
	for (int i = 0; i < 3; i++) {
		wt_auth_pair_advance(&pair, 15000);
		assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
		assert_int_equal(pair.done.flags, RESPONDER_FLAGS);
		assert_int_equal(pair.done.local_index, pair.m2.local_index);
	}
	/* M1 after M3 finds nothing that is pending. */
	wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_REPLAY);
}

/* A later M1 takes the slot; the pointer is the same, the index tells. */
static void a_slot_that_was_taken_over_is_left_alone(void **state)
{
	struct wt_auth_said first_m2, first_m3;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	first_m2 = pair.m2;
	first_m3 = pair.m3;
	wt_auth_pair_advance(&pair, 10);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_ptr_equal(first_m2.handshake, pair.m2.handshake);
	assert_int_not_equal(first_m2.local_index, pair.m2.local_index);

	wt_auth_assert_dropped(wt_auth_rig_receive(&pair.r, first_m2.handshake, pair.channel,
						   first_m3.reply, first_m3.reply_len, &pair.done),
			       &pair.done, WT_REASON_STEP);
	pair.r.ops->abandon(pair.r.self, NULL, first_m2.handshake, first_m2.local_index);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	pair.r.ops->abandon(pair.r.self, NULL, pair.m2.handshake, pair.m2.local_index);
	wt_auth_assert_dropped(wt_auth_pair_m3(&pair), &pair.done, WT_REASON_STEP);
	/* Twice is once. */
	pair.r.ops->abandon(pair.r.self, NULL, pair.m2.handshake, pair.m2.local_index);
	wt_auth_pair_advance(&pair, 10);
	wt_auth_pair_run(&pair);
}

static void starting_again_abandons_the_attempt(void **state)
{
	struct wt_auth_said first, first_m2;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	first = pair.m1;
	first_m2 = pair.m2;
	wt_auth_pair_advance(&pair, 10);
	assert_int_equal(wt_auth_pair_start(&pair, 1), WT_AUTH_MORE);
	wt_auth_assert_dropped(wt_auth_rig_receive(&pair.i, first.handshake, pair.channel,
						   first_m2.reply, 164, &pair.m3),
			       &pair.m3, WT_REASON_STEP);
	pair.i.ops->abandon(pair.i.self, NULL, first.handshake, first.local_index);
	wt_auth_pair_finish(&pair);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	pair.i.ops->abandon(pair.i.self, NULL, pair.m1.handshake, pair.m1.local_index);
	wt_auth_pair_advance(&pair, 10);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER); /* equal time */
	wt_auth_assert_dropped(wt_auth_pair_m2(&pair), &pair.m3, WT_REASON_STEP);
}

/* A stream and a datagram handshake of one peer do not touch each other. */
static void channels_have_slots_of_their_own(void **state)
{
	struct wt_auth_said m1, m2, m3;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_pair_advance(&pair, 1);
	assert_int_equal(wt_auth_rig_start(&pair.i, pair.peer_i, WT_CHANNEL_DATAGRAM, 7, 0,
					   pair.params_i, &m1),
			 WT_AUTH_MORE);
	assert_int_equal(wt_auth_rig_accept(&pair.r, WT_CHANNEL_DATAGRAM, 8, pair.params_r,
					    m1.reply, 192, &m2),
			 WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(
		wt_auth_rig_receive(&pair.i, m1.handshake, WT_CHANNEL_DATAGRAM, m2.reply, 164, &m3),
		WT_AUTH_DONE);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	assert_int_equal(wt_auth_rig_receive(&pair.r, m2.handshake, WT_CHANNEL_DATAGRAM, m3.reply,
					     40, &pair.done),
			 WT_AUTH_DONE);
}

static void refused_parameters_leave_no_trace(void **state)
{
	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	pair.r.params_verdict = WT_ERR_INVALID;
	wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_PARAMS);
	assert_int_equal(pair.r.params_calls, 1);
	assert_int_equal(pair.r.dh, 0);
	pair.r.params_verdict = WT_OK;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	pair.i.params_verdict = WT_ERR_INVALID;
	wt_auth_assert_dropped(wt_auth_pair_m2(&pair), &pair.m3, WT_REASON_PARAMS);
	assert_int_equal(pair.i.params_calls, 1);
	pair.i.params_verdict = WT_OK;
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

/* More than 256 valid mac1 in a second: then a token is needed, and each
 * source has a rate. */
static void under_load_a_token_is_needed(void **state)
{
	struct wt_auth_said old;

	(void)state;
	wt_auth_pair_run(&pair);
	old = pair.m1;
	wt_auth_pair_advance(&pair, 5000);
	/* Copies of an old M1 have a valid mac1, and are what a stranger has. */
	for (int i = 0; i < 255; i++)
		wt_auth_assert_dropped(wt_auth_rig_accept(&pair.r, pair.channel, 1, pair.params_r,
							  old.reply, 192, &pair.m2),
				       &pair.m2, WT_REASON_REPLAY);
	assert_int_equal(pair.r.rate_calls, 0);
	wt_auth_pair_run(&pair); /* the 256th */
	wt_auth_pair_advance(&pair, 10);

	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
		assert_int_equal(pair.m2.reason, WT_REASON_LOAD);
		assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_MORE);
		pair.m1 = pair.m3;
		pair.r.rate_verdict = 0;
		wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_RATE);
		assert_int_equal(pair.r.rate_per_second, 20);
		assert_int_equal(pair.r.rate_burst, 5);
		assert_int_equal(pair.r.rate_source_len, 4);
		pair.r.rate_verdict = 1;
		wt_auth_pair_finish(&pair);
		/* Still so in the second after, then no more. */
		wt_auth_pair_advance(&pair, 1000);
	}
	assert_int_equal(pair.r.rate_calls, 4);
	wt_auth_pair_run(&pair);
	assert_int_equal(pair.r.rate_calls, 4);
	/* A flood, then silence: what comes much later pays nothing for it. */
	for (int i = 0; i < 300; i++)
		(void)wt_auth_rig_accept(&pair.r, pair.channel, 1, pair.params_r, old.reply, 192,
					 &pair.m2);
	wt_auth_pair_advance(&pair, 5000);
	wt_auth_pair_run(&pair);
}

#define ON_STREAM(test) cmocka_unit_test_setup_teardown(test, open_stream, close_pair)
#define ON_DATAGRAM(test) cmocka_unit_test_setup_teardown(test, open_datagram, close_pair)
#define ON_BOTH(test) ON_STREAM(test), ON_DATAGRAM(test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_handshake_says_what_auth_h_says),
		ON_BOTH(every_handshake_has_keys_of_its_own),
		ON_BOTH(a_pending_m2_is_repeated),
		ON_BOTH(an_old_pending_slot_is_dead),
		ON_STREAM(on_a_stream_a_pending_handshake_stays_with_its_connection),
		ON_BOTH(a_repeated_m3_is_done_again),
		ON_BOTH(a_slot_that_was_taken_over_is_left_alone),
		ON_BOTH(starting_again_abandons_the_attempt),
		ON_STREAM(channels_have_slots_of_their_own),
		ON_BOTH(refused_parameters_leave_no_trace),
		ON_BOTH(under_load_a_token_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
