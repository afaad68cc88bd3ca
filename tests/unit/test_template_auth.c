/* SPDX-License-Identifier: MIT
 *
 * The handshake that `wtplug new --kind auth` writes, linked in: what it makes, by
 * another hand than its own, and each check, with messages that all others let
 * pass.
 */
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "handshake.h"
#include "support/auth_pair.h"

extern const struct wt_plugin_descriptor wt_plugin_descriptor;

static const struct wt_auth_method method = {
	.name = "tried", .number = WT_METHOD_PRIVATE, .m1 = M1_SIZE, .m2 = M2_SIZE
};
static struct wt_auth_pair pair;

static int open_pair(void **state)
{
	wt_auth_rig_linked = &wt_plugin_descriptor;
	wt_auth_pair_open_psk(&pair, &method, (uint32_t)(uintptr_t)*state);
	return 0;
}

static int close_pair(void **state)
{
	(void)state;
	wt_auth_pair_close(&pair);
	return 0;
}

/* ---- another implementation ------------------------------------------------------ */

enum use { TAG = 1, MAC_I, MAC_R, SEAL_1, SEAL_2, I2R_KEY, I2R_IV, R2I_KEY, R2I_IV };

static void derive(enum use use, uint32_t channel, const uint8_t *text, size_t len, uint8_t out[32])
{
	uint8_t input[512] = "auth-tried 1";
	size_t n = strlen((const char *)input);

	input[n++] = (uint8_t)use;
	input[n++] = (uint8_t)channel;
	memcpy(input + n, text, len);
	assert_non_null(
		HMAC(EVP_sha256(), wt_auth_pair_psk, 32, input, n + len, out, &(unsigned){ 32 }));
}

static void seal_again(enum use use, uint8_t *text, size_t at, size_t len, const uint8_t *plain)
{
	static const uint8_t nonce[WT_NONCE_SIZE] = { 0 };
	const struct wt_host *host = &pair.i.plain.host;
	uint8_t key[32];

	derive(use, pair.channel, text, at, key);
	assert_int_equal(host->aead_seal(host, NULL, key, nonce, text, at, plain, len, text + at),
			 WT_OK);
}

/* The last M1 and M2, one behind the other. */
static void join(uint8_t text[M1_SIZE + M2_SIZE])
{
	memcpy(text, pair.m1.reply, M1_SIZE);
	memcpy(text + M1_SIZE, pair.m2.reply, M2_SIZE);
}

static void sign_m1(void)
{
	derive(MAC_I, pair.channel, pair.m1.reply, M1_MAC, pair.m1.reply + M1_MAC);
}

static void sign_m2(void)
{
	uint8_t text[M1_SIZE + M2_SIZE];

	join(text);
	derive(MAC_R, pair.channel, text, M1_SIZE + M2_MAC, pair.m2.reply + M2_MAC);
}

static void store(uint8_t *p, size_t size, uint64_t v)
{
	for (; size > 0; v >>= 8)
		p[--size] = (uint8_t)v;
}

/* M1 with another time, otherwise as it is. */
static void set_time(uint64_t unix_ms)
{
	uint8_t plain[TIME_SIZE + WT_PARAMS_SIZE];

	store(plain, TIME_SIZE, unix_ms);
	memcpy(plain + TIME_SIZE, pair.params_i, WT_PARAMS_SIZE);
	seal_again(SEAL_1, pair.m1.reply, M1_SEALED, sizeof plain, plain);
	sign_m1();
}

static void until_m1(void)
{
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
}

static void until_m2(void)
{
	until_m1();
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
}

static void r_drops_m1(enum wt_auth_reason reason)
{
	wt_auth_pair_r_drops_first(&pair, pair.m1.reply, M1_SIZE, reason);
}

static void i_drops_m2(enum wt_auth_reason reason)
{
	wt_auth_pair_i_drops(&pair, pair.m2.reply, M2_SIZE, reason);
}

/* ---- what it makes ------------------------------------------------------------------ */

static void messages_and_keys_are_as_the_header_says(void **state)
{
	uint8_t text[M1_SIZE + M2_SIZE], want[32], nonce_i[32], nonce_r[32];
	const uint8_t plain[TIME_SIZE + WT_PARAMS_SIZE] = { 0 };
	const struct wt_keypair_keys *keys = &pair.m3.keys;

	(void)state;
	memset(nonce_i, 0x5a, sizeof nonce_i);
	memset(nonce_r, 0xc3, sizeof nonce_r);
	wt_auth_rig_queue(&pair.i, nonce_i, sizeof nonce_i);
	wt_auth_rig_queue(&pair.r, nonce_r, sizeof nonce_r);
	wt_auth_pair_run(&pair);
	join(text);
	assert_memory_equal(text, ((uint8_t[]){ 1, 1, 128, 1, 0, 0, 0, 0, 0, 0, 3, 0xe8 }), 12);
	derive(TAG, 0, plain, 0, want);
	assert_memory_equal(text + M1_TAG, want, TAG_SIZE);
	assert_memory_equal(text + M1_RANDOM, nonce_i, 32);
	derive(MAC_I, pair.channel, text, M1_MAC, want);
	assert_memory_equal(text + M1_MAC, want, 32);
	assert_memory_equal(text + M1_SIZE,
			    ((uint8_t[]){ 1, 1, 128, 2, 0, 0, 3, 0xe8, 0, 0, 3, 0xe9 }), 12);
	assert_memory_equal(text + M1_SIZE + M2_RANDOM, nonce_r, 32);
	derive(MAC_R, pair.channel, text, M1_SIZE + M2_MAC, want);
	assert_memory_equal(text + M1_SIZE + M2_MAC, want, 32);
	derive(I2R_KEY, pair.channel, text, sizeof text, want);
	assert_memory_equal(keys->send_key, want, WT_KEY_SIZE);
	derive(I2R_IV, pair.channel, text, sizeof text, want);
	assert_memory_equal(keys->send_iv, want, WT_NONCE_SIZE);
	derive(R2I_KEY, pair.channel, text, sizeof text, want);
	assert_memory_equal(keys->recv_key, want, WT_KEY_SIZE);
	derive(R2I_IV, pair.channel, text, sizeof text, want);
	assert_memory_equal(keys->recv_iv, want, WT_NONCE_SIZE);
}

static void each_end_is_told_of_the_other(void **state)
{
	(void)state;
	wt_auth_pair_run(&pair);
	assert_int_equal(pair.m2.flags, WT_AUTH_OUT_PEER | WT_AUTH_OUT_KEYS);
	assert_int_equal(pair.m3.flags,
			 WT_AUTH_OUT_PEER | WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS);
	assert_int_equal(pair.m2.peer_id, WT_AUTH_PAIR_ID_I);
	assert_int_equal(pair.m3.peer_id, WT_AUTH_PAIR_ID_R);
	assert_int_equal(pair.m2.remote_index, pair.m3.local_index);
	assert_int_equal(pair.m3.remote_index, pair.m2.local_index);
	assert_memory_equal(pair.m2.peer_params, pair.params_i, WT_PARAMS_SIZE);
	assert_memory_equal(pair.m3.peer_params, pair.params_r, WT_PARAMS_SIZE);
	assert_int_equal(pair.m3.reply_len, 0);
}

static void nothing_is_left_of_a_handshake_that_is_over(void **state)
{
	static const uint8_t zero[M1_SIZE + M2_SIZE] = { 0 };
	const struct peer *i = pair.peer_i, *r = pair.peer_r;

	(void)state;
	wt_auth_pair_run(&pair);
	assert_memory_equal(i->handshakes[pair.channel - 1].text, zero, sizeof zero);
	assert_memory_equal(r->handshakes[pair.channel - 1].text, zero, sizeof zero);
}

static void only_a_dialler_begins(void **state)
{
	struct wt_auth_said out;

	(void)state;
	wt_auth_assert_dropped(
		wt_auth_rig_start(&pair.r, pair.peer_r, pair.channel, 5, 0, pair.params_r, &out),
		&out, WT_REASON_STEP);
	wt_auth_assert_dropped(
		wt_auth_rig_start(&pair.i, pair.peer_i, 3, 5, 0, pair.params_i, &out), &out,
		WT_REASON_STEP);
}

/* ---- the first message ----------------------------------------------------------------- */

static void every_other_header_is_refused(void **state)
{
	(void)state;
	until_m2();
	for (size_t at = 0; at < WT_MESSAGE_HEADER; at++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			pair.m1.reply[at] ^= (uint8_t)flip;
			sign_m1();
			r_drops_m1(WT_REASON_STEP);
			pair.m1.reply[at] ^= (uint8_t)flip;
			sign_m1();
			pair.m2.reply[at] ^= (uint8_t)flip;
			sign_m2();
			i_drops_m2(WT_REASON_STEP);
			pair.m2.reply[at] ^= (uint8_t)flip;
		}
	}
	sign_m2();
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

static void no_other_length_is_read(void **state)
{
	uint8_t longer[WT_AUTH_MESSAGE_MAX] = { 0 };

	(void)state;
	until_m2();
	for (size_t len = 0; len <= sizeof longer; len++) {
		memcpy(longer, pair.m1.reply, M1_SIZE);
		if (len != M1_SIZE)
			wt_auth_pair_r_drops_first(&pair, longer, len, WT_REASON_LENGTH);
		memcpy(longer, pair.m2.reply, M2_SIZE);
		if (len != M2_SIZE)
			wt_auth_pair_i_drops(&pair, longer, len, WT_REASON_LENGTH);
	}
}

static void a_message_of_the_other_channel_is_refused(void **state)
{
	const uint32_t here = pair.channel;

	(void)state;
	until_m1();
	pair.channel = 3 - here;
	r_drops_m1(WT_REASON_BAD_MAC);
	pair.channel = 3;
	r_drops_m1(WT_REASON_STEP);
	pair.channel = here;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	pair.channel = 3 - here;
	i_drops_m2(WT_REASON_STEP);
	pair.channel = here;
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

static void a_peer_that_is_dialled_is_not_accepted(void **state)
{
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_auth_said out;

	(void)state;
	/* Its own message, and somebody's with a later time. */
	until_m1();
	for (uint64_t later = 0; later < 2; later++) {
		set_time(pair.i.clock.unix_ms + later);
		wt_auth_assert_dropped(wt_auth_rig_accept(&pair.i, pair.channel, 9, pair.params_i,
							  pair.m1.reply, M1_SIZE, &out),
				       &out, WT_REASON_BOTH_DIAL);
	}
	wt_auth_rig_remove(&pair.r, pair.peer_r);
	pair.peer_r = wt_auth_rig_add(&pair.r, &pair.alice, WT_AUTH_PAIR_ID_I, WT_PEER_DIALS, &err);
	assert_non_null(pair.peer_r);
	r_drops_m1(WT_REASON_BOTH_DIAL);
}

static void a_clock_may_be_off_by_a_minute(void **state)
{
	(void)state;
	wt_auth_pair_advance(&pair, 2 * CLOCK_TOLERANCE_MS);
	const uint64_t now = pair.r.clock.unix_ms;

	until_m1();
	for (int ahead = 0; ahead < 2; ahead++) {
		const int64_t far = (int64_t)CLOCK_TOLERANCE_MS + 1, off = ahead ? far : -far;
		struct wt_auth_said out;

		set_time(now + (uint64_t)off);
		wt_auth_assert_dropped(wt_auth_rig_accept(&pair.r, pair.channel, 9, pair.params_r,
							  pair.m1.reply, M1_SIZE, &out),
				       &out, WT_REASON_CLOCK);
		assert_true(out.clock_off_ms == off);
	}
	set_time(now - CLOCK_TOLERANCE_MS);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	set_time(now + CLOCK_TOLERANCE_MS);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
}

static void a_time_is_taken_once_and_in_order(void **state)
{
	(void)state;
	until_m2();
	const uint64_t taken = pair.i.clock.unix_ms;

	memset(pair.m1.reply + M1_RANDOM, 1, RANDOM_SIZE);
	set_time(taken);
	r_drops_m1(WT_REASON_REPLAY);
	set_time(taken + 1);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
}

static void a_message_from_before_the_peer_was_added_is_refused(void **state)
{
	(void)state;
	until_m1();
	set_time(pair.r.clock.unix_ms - 1);
	r_drops_m1(WT_REASON_CLOCK);
	set_time(pair.r.clock.unix_ms);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_pair_advance(&pair, 1);
	wt_auth_pair_restart(&pair, true);
	r_drops_m1(WT_REASON_CLOCK);
	wt_auth_pair_run(&pair);
}

/* One that was ahead of the clock may be an old one for a minute. */
static void what_may_be_a_copy_is_not_called_authentic(void **state)
{
	(void)state;
	const uint64_t since = pair.r.clock.unix_ms;

	until_m1();
	wt_auth_pair_advance(&pair, 1);
	set_time(since + CLOCK_TOLERANCE_MS);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(pair.m2.flags, WT_AUTH_OUT_PEER | WT_AUTH_OUT_KEYS);
	set_time(since + CLOCK_TOLERANCE_MS + 1);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(pair.m2.flags,
			 WT_AUTH_OUT_PEER | WT_AUTH_OUT_KEYS | WT_AUTH_OUT_AUTHENTIC);
}

static void the_dialler_never_says_a_time_twice(void **state)
{
	(void)state;
	/* The clock stands still, and then goes back as far as it may. */
	for (int i = 0; i < 3; i++)
		wt_auth_pair_run(&pair);
	pair.i.clock.unix_ms -= CLOCK_TOLERANCE_MS - 10;
	wt_auth_pair_run(&pair);
}

static void no_index_is_zero(void **state)
{
	(void)state;
	until_m1();
	const struct wt_auth_said good = pair.m1;

	store(pair.m1.reply + M1_SENDER, 4, 0);
	set_time(pair.i.clock.unix_ms);
	r_drops_m1(WT_REASON_STEP);
	pair.m1 = good;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	uint8_t text[M1_SIZE + M2_SIZE];
	const struct wt_auth_said answer = pair.m2;

	store(pair.m2.reply + M2_SENDER, 4, 0);
	join(text);
	seal_again(SEAL_2, text, M1_SIZE + M2_SEALED, WT_PARAMS_SIZE, pair.params_r);
	memcpy(pair.m2.reply, text + M1_SIZE, M2_SIZE);
	sign_m2();
	i_drops_m2(WT_REASON_STEP);
	pair.m2 = answer;
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

static void a_seal_counts_behind_a_mac(void **state)
{
	(void)state;
	until_m1();
	pair.m1.reply[M1_SEALED] ^= 1;
	sign_m1();
	r_drops_m1(WT_REASON_BAD_SEAL);
	pair.m1.reply[M1_SEALED] ^= 1;
	sign_m1();
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	pair.m2.reply[M2_SEALED] ^= 1;
	sign_m2();
	i_drops_m2(WT_REASON_BAD_SEAL);
	pair.m2.reply[M2_SEALED] ^= 1;
	i_drops_m2(WT_REASON_BAD_MAC);
}

static void parameters_that_the_host_refuses_change_nothing(void **state)
{
	(void)state;
	until_m1();
	pair.r.params_verdict = WT_ERR_INVALID;
	r_drops_m1(WT_REASON_PARAMS);
	pair.r.params_verdict = WT_OK;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	pair.i.params_verdict = WT_ERR_INVALID;
	i_drops_m2(WT_REASON_PARAMS);
	pair.i.params_verdict = WT_OK;
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

/* ---- again ------------------------------------------------------------------------------ */

static void the_same_message_gets_the_same_answer_once_a_second(void **state)
{
	(void)state;
	until_m2();
	const struct wt_auth_said first = pair.m2;

	wt_auth_pair_advance(&pair, REPEAT_MS - 1);
	r_drops_m1(WT_REASON_RATE);
	wt_auth_pair_advance(&pair, 1);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(pair.m2.flags, WT_AUTH_OUT_PEER | WT_AUTH_OUT_REPEATED);
	assert_int_equal(pair.m2.local_index, first.local_index);
	assert_int_equal(pair.m2.remote_index, first.remote_index);
	assert_memory_equal(pair.m2.reply, first.reply, M2_SIZE);
	r_drops_m1(WT_REASON_RATE);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

static void a_copy_is_not_repeated_for_longer_than_it_is_waited_for(void **state)
{
	(void)state;
	until_m2();
	wt_auth_pair_advance(&pair, PENDING_MS - 1);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_pair_advance(&pair, REPEAT_MS);
	r_drops_m1(WT_REASON_REPLAY);
}

static void a_copy_on_another_connection_is_a_replay(void **state)
{
	(void)state;
	until_m2();
	wt_auth_pair_advance(&pair, REPEAT_MS);
	pair.r.association++;
	if (pair.channel == WT_CHANNEL_STREAM)
		r_drops_m1(WT_REASON_REPLAY);
	pair.r.association--;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
}

/* Somebody who saw an M1 does not keep its author from hearing M2 again. */
static void a_copy_from_elsewhere_is_no_asking(void **state)
{
	(void)state;
	until_m2();
	const struct wt_auth_said first = pair.m2;

	for (size_t at = 0; at < sizeof pair.r.source; at++) {
		wt_auth_pair_advance(&pair, REPEAT_MS);
		pair.r.source[at] ^= 1;
		r_drops_m1(WT_REASON_REPLAY);
		pair.r.source[at] ^= 1;
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
		assert_int_equal(pair.m2.flags, WT_AUTH_OUT_PEER | WT_AUTH_OUT_REPEATED);
	}
	pair.m2 = first;
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

/* Of sources of another length, and of longer ones than there are, nothing is the same. */
static void a_source_is_compared_whole(void **state)
{
	static const uint32_t lens[] = { 0, 5, SOURCE_MAX, SOURCE_MAX + 1, UINT32_MAX };
	uint8_t source[SOURCE_MAX + 1] = { 0 }, reply[WT_AUTH_MESSAGE_MAX];
	struct wt_auth_in in = {
		.struct_size = sizeof in,
		.channel = pair.channel,
		.message = pair.m1.reply,
		.message_len = M1_SIZE,
		.local_index = 77,
		.association = pair.channel == WT_CHANNEL_STREAM ? pair.r.association : 0,
		.source = source,
		.source_prefix = source,
	};

	(void)state;
	memcpy(source, pair.r.source, sizeof pair.r.source);
	until_m2();
	wt_auth_pair_advance(&pair, REPEAT_MS);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		struct wt_auth_out out = { .struct_size = sizeof out,
					   .reply = reply,
					   .reply_capacity = sizeof reply };

		in.source_len = lens[i];
		assert_int_equal(pair.r.ops->accept(pair.r.self, NULL, &in, &out), WT_AUTH_IGNORE);
		assert_int_equal(out.reason, WT_REASON_REPLAY);
	}
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
}

static void no_message_follows_the_second(void **state)
{
	(void)state;
	until_m2();
	const struct wt_auth_said answer = pair.m2;

	/* Addressed to R's handshake: what R said, and a first message. */
	store(pair.m2.reply + AT_INDEX, 4, pair.m2.local_index);
	wt_auth_pair_r_drops(&pair, pair.m2.reply, M2_SIZE, WT_REASON_STEP);
	store(pair.m1.reply + AT_INDEX, 4, pair.m2.local_index);
	wt_auth_pair_r_drops(&pair, pair.m1.reply, M1_SIZE, WT_REASON_STEP);
	pair.m2 = answer;
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	/* Nor a second M2. */
	i_drops_m2(WT_REASON_STEP);
}

static void an_old_index_gives_up_nothing(void **state)
{
	(void)state;
	until_m2();
	pair.i.ops->abandon(pair.i.self, NULL, pair.m1.handshake, pair.m1.local_index + 1);
	pair.r.ops->abandon(pair.r.self, NULL, pair.m2.handshake, pair.m2.local_index + 1);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	until_m2();
	pair.i.ops->abandon(pair.i.self, NULL, pair.m1.handshake, pair.m1.local_index);
	i_drops_m2(WT_REASON_STEP);
}

static void an_unknown_tag_is_nobodys(void **state)
{
	(void)state;
	until_m1();
	pair.m1.reply[M1_TAG] ^= 1;
	sign_m1();
	r_drops_m1(WT_REASON_UNKNOWN_PEER);
}

#define BOTH(test)                                                                                 \
	{ #test ": stream", test, open_pair, close_pair, (void *)WT_CHANNEL_STREAM },              \
	{                                                                                          \
#test ": datagram", test, open_pair, close_pair, (void *)WT_CHANNEL_DATAGRAM       \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(messages_and_keys_are_as_the_header_says),
		BOTH(each_end_is_told_of_the_other),
		BOTH(nothing_is_left_of_a_handshake_that_is_over),
		BOTH(only_a_dialler_begins),
		BOTH(every_other_header_is_refused),
		BOTH(no_other_length_is_read),
		BOTH(a_message_of_the_other_channel_is_refused),
		BOTH(a_peer_that_is_dialled_is_not_accepted),
		BOTH(a_clock_may_be_off_by_a_minute),
		BOTH(a_time_is_taken_once_and_in_order),
		BOTH(a_message_from_before_the_peer_was_added_is_refused),
		BOTH(what_may_be_a_copy_is_not_called_authentic),
		BOTH(the_dialler_never_says_a_time_twice),
		BOTH(no_index_is_zero),
		BOTH(a_seal_counts_behind_a_mac),
		BOTH(parameters_that_the_host_refuses_change_nothing),
		BOTH(the_same_message_gets_the_same_answer_once_a_second),
		BOTH(a_copy_is_not_repeated_for_longer_than_it_is_waited_for),
		BOTH(a_copy_on_another_connection_is_a_replay),
		BOTH(a_copy_from_elsewhere_is_no_asking),
		BOTH(a_source_is_compared_whole),
		BOTH(no_message_follows_the_second),
		BOTH(an_old_index_gives_up_nothing),
		BOTH(an_unknown_tag_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
