/* SPDX-License-Identifier: MIT
 *
 * auth-noise through its vtable: what a handshake is, on each way it can go.
 * What a stranger can try with any method is in test_auth_attacks.c, cookies and
 * clocks are in test_auth_noise_cookies.c, keys and peers in
 * test_auth_noise_peers.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ikpsk2.h"
#include "macs.h"
#include "support/auth_pair.h"

#define PROVEN (WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_PEER | WT_AUTH_OUT_KEYS)

static struct wt_auth_pair pair;

static int open_pair(void **state)
{
	const struct wt_auth_case *how = *state;

	wt_auth_pair_open(&pair, how->method, how->channel);
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
	assert_int_equal(pair.m1.reply_len, 184);
	assert_int_equal(pair.m1.flags, WT_AUTH_OUT_PEER);
	assert_int_equal(pair.m1.peer_id, WT_AUTH_PAIR_ID_R);
	assert_int_equal(pair.m1.local_index, 1000);
	assert_non_null(pair.m1.handshake);

	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(pair.m2.reply_len, 124);
	assert_int_equal(pair.m2.flags, PROVEN);
	assert_int_equal(pair.m2.reason, WT_REASON_NONE);
	assert_int_equal(pair.m2.peer_id, WT_AUTH_PAIR_ID_I);
	assert_int_equal(pair.m2.local_index, 1001);
	assert_int_equal(pair.m2.remote_index, 1000);
	assert_memory_equal(pair.m2.peer_params, pair.params_i, WT_PARAMS_SIZE);

	/* No third message: the first record is the proof. */
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(pair.m3.reply_len, 0);
	assert_int_equal(pair.m3.flags, PROVEN);
	assert_int_equal(pair.m3.peer_id, WT_AUTH_PAIR_ID_R);
	assert_int_equal(pair.m3.local_index, 1000);
	assert_int_equal(pair.m3.remote_index, 1001);
	assert_memory_equal(pair.m3.peer_params, pair.params_r, WT_PARAMS_SIZE);

	assert_memory_equal(pair.m3.keys.send_key, pair.m2.keys.recv_key, WT_KEY_SIZE);
	assert_memory_equal(pair.m3.keys.recv_key, pair.m2.keys.send_key, WT_KEY_SIZE);
	assert_memory_equal(pair.m3.keys.send_iv, pair.m2.keys.recv_iv, WT_NONCE_SIZE);
	assert_memory_equal(pair.m3.keys.recv_iv, pair.m2.keys.send_iv, WT_NONCE_SIZE);
	assert_memory_not_equal(pair.m3.keys.send_key, pair.m3.keys.recv_key, WT_KEY_SIZE);
	assert_memory_not_equal(pair.m3.keys.send_iv, pair.m3.keys.recv_iv, WT_NONCE_SIZE);
	assert_int_equal(pair.i.dh, 3);
	assert_int_equal(pair.r.dh, 3);
}

static void every_handshake_has_keys_of_its_own(void **state)
{
	struct wt_keypair_keys before;

	(void)state;
	wt_auth_pair_run(&pair);
	before = pair.m3.keys;
	/* In the same millisecond too: times only ever grow. */
	wt_auth_pair_run(&pair);
	assert_memory_not_equal(before.send_key, pair.m3.keys.send_key, WT_KEY_SIZE);
	assert_memory_not_equal(before.recv_key, pair.m3.keys.recv_key, WT_KEY_SIZE);
	assert_memory_not_equal(before.send_iv, pair.m3.keys.send_iv, WT_NONCE_SIZE);
}

/* The same M1 again: the same M2, at most once a second, for 20 s, no DH. */
static void a_pending_m2_is_repeated(void **state)
{
	uint8_t m2[124];
	uint32_t index;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	memcpy(m2, pair.m2.reply, sizeof m2);
	index = pair.m2.local_index;
	struct wt_auth_said first = pair.m2;

	for (int second = 1; second < 20; second++) {
		wt_auth_pair_advance(&pair, 999);
		wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_RATE);
		wt_auth_pair_advance(&pair, 1);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
		assert_int_equal(pair.m2.flags,
				 WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_PEER | WT_AUTH_OUT_REPEATED);
		assert_int_equal(pair.m2.local_index, index);
		assert_int_equal(pair.m2.remote_index, 1000);
		assert_int_equal(pair.m2.reply_len, sizeof m2);
		assert_memory_equal(pair.m2.reply, m2, sizeof m2);
	}
	assert_int_equal(pair.r.dh, 3);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	pair.m2 = first;
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	/* Confirmed: nothing waits any more. */
	wt_auth_pair_advance(&pair, 999);
	wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_REPLAY);
}

static void an_old_pending_slot_is_dead(void **state)
{
	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_pair_advance(&pair, 20000);
	wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_REPLAY);
	assert_int_equal(pair.r.dh, 3);
	wt_auth_pair_run(&pair);
}

/* e of a pending M1 in a message that somebody else made of it. */
static void a_repeat_is_of_the_whole_m1(void **state)
{
	struct wt_primitives p;
	struct wt_mac_keys macs;
	struct wt_error err = { .struct_size = sizeof err };
	const struct wt_auth_said *m1 = &pair.m1;

	(void)state;
	assert_int_equal(wt_primitives_init(&p, &err), WT_OK);
	assert_int_equal(wt_mac_keys(&p, pair.public_r, &macs), WT_OK);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_pair_advance(&pair, 2000);
	for (size_t at = 8; at < 152; at++) {
		uint8_t altered[M1_SIZE];

		/* With another e it is another message, and opens nothing. */
		if (at >= POINT && at < M1_STATIC)
			continue;
		memcpy(altered, m1->reply, sizeof altered);
		altered[at] ^= 1;
		assert_int_equal(
			wt_mac_write(&p, macs.mac1, HASH_SIZE, altered, M1_MAC1, altered + M1_MAC1),
			WT_OK);
		wt_auth_pair_r_drops_first(&pair, altered, sizeof altered, WT_REASON_REPLAY);
	}
	assert_int_equal(pair.r.dh, 3);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_primitives_free(&p);
}

static void on_a_stream_a_pending_handshake_stays_with_its_connection(void **state)
{
	struct wt_auth_said copy;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_pair_advance(&pair, 5000);
	pair.r.association = 2;
	wt_auth_assert_dropped(wt_auth_rig_accept(&pair.r, pair.channel, 5, pair.params_r,
						  pair.m1.reply, 184, &copy),
			       &copy, WT_REASON_REPLAY);
	pair.r.association = 1;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
}

/* A later M1 takes the slot; the pointer is the same, the index tells. */
static void a_slot_that_was_taken_over_is_left_alone(void **state)
{
	struct wt_auth_said first_m2;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	first_m2 = pair.m2;
	wt_auth_pair_advance(&pair, 10);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_ptr_equal(first_m2.handshake, pair.m2.handshake);
	pair.r.ops->abandon(pair.r.self, NULL, first_m2.handshake, first_m2.local_index);
	wt_auth_pair_advance(&pair, 1000);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE); /* still there */
	assert_true(pair.m2.flags & WT_AUTH_OUT_REPEATED);
	pair.r.ops->abandon(pair.r.self, NULL, pair.m2.handshake, pair.m2.local_index);
	wt_auth_pair_advance(&pair, 1000);
	wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_REPLAY);
	/* Twice is once. */
	pair.r.ops->abandon(pair.r.self, NULL, first_m2.handshake, first_m2.local_index);
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
						   first_m2.reply, 124, &pair.m3),
			       &pair.m3, WT_REASON_STEP);
	pair.i.ops->abandon(pair.i.self, NULL, first.handshake, first.local_index);
	wt_auth_pair_finish(&pair);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	pair.i.ops->abandon(pair.i.self, NULL, pair.m1.handshake, pair.m1.local_index);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_assert_dropped(wt_auth_pair_m2(&pair), &pair.m3, WT_REASON_STEP);
}

/* A stream and a datagram handshake of one peer do not touch each other. */
static void channels_have_slots_of_their_own(void **state)
{
	struct wt_auth_said m1, m2, m3;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(wt_auth_rig_start(&pair.i, pair.peer_i, WT_CHANNEL_DATAGRAM, 7, 0,
					   pair.params_i, &m1),
			 WT_AUTH_MORE);
	assert_int_equal(wt_auth_rig_accept(&pair.r, WT_CHANNEL_DATAGRAM, 8, pair.params_r,
					    m1.reply, 184, &m2),
			 WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(
		wt_auth_rig_receive(&pair.i, m1.handshake, WT_CHANNEL_DATAGRAM, m2.reply, 124, &m3),
		WT_AUTH_DONE);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	assert_memory_equal(m3.keys.send_key, m2.keys.recv_key, WT_KEY_SIZE);
}

static void refused_parameters_leave_no_trace(void **state)
{
	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	pair.r.params_verdict = WT_ERR_INVALID;
	wt_auth_assert_dropped(wt_auth_pair_accept(&pair), &pair.m2, WT_REASON_PARAMS);
	assert_int_equal(pair.r.params_calls, 1);
	assert_int_equal(pair.r.dh, 1);
	pair.r.params_verdict = WT_OK;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	pair.i.params_verdict = WT_ERR_INVALID;
	wt_auth_assert_dropped(wt_auth_pair_m2(&pair), &pair.m3, WT_REASON_PARAMS);
	assert_int_equal(pair.i.params_calls, 1);
	pair.i.params_verdict = WT_OK;
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

/* The pre-shared key is the same at both ends, or there is none. */
static void a_psk_must_be_equal(void **state)
{
	static const uint8_t other[32] = "another thirty-two bytes of key.";
	static const uint8_t *const psks[] = { NULL, wt_auth_pair_psk, other };

	(void)state;
	for (size_t a = 0; a < 3; a++) {
		for (size_t b = 0; b < 3; b++) {
			struct wt_auth_pair p;

			wt_auth_pair_open(&p, &wt_auth_noise, WT_CHANNEL_STREAM);
			p.office.psk = psks[a];
			p.alice.psk = psks[b];
			wt_auth_pair_restart(&p, false);
			wt_auth_pair_restart(&p, true);
			if (a == b) {
				wt_auth_pair_run(&p);
			} else {
				assert_int_equal(wt_auth_pair_start(&p, 0), WT_AUTH_MORE);
				assert_int_equal(wt_auth_pair_accept(&p), WT_AUTH_MORE);
				wt_auth_assert_dropped(wt_auth_pair_m2(&p), &p.m3,
						       WT_REASON_BAD_SEAL);
			}
			wt_auth_pair_close(&p);
		}
	}
}

/* Dialled with the key of another server: this one cannot tell what it is. */
static void an_m1_for_another_responder_is_dropped(void **state)
{
	uint8_t other[32];

	(void)state;
	memcpy(other, pair.public_r, sizeof other);
	other[0] ^= 0x40;
	pair.office.public_key = other;
	wt_auth_pair_restart(&pair, false);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	wt_auth_pair_r_drops_first(&pair, pair.m1.reply, 184, WT_REASON_BAD_MAC);
	assert_int_equal(pair.r.dh, 0);
}

/* ---- who holds all static keys ------------------------------------------------- */

struct spy {
	struct wt_primitives primitives;
	struct wt_noise_tools tools;
	struct wt_symmetric after_m1;
	uint8_t payload[M1_PLAIN]; /* of M1 */
};

static void spy_open(struct spy *spy)
{
	struct wt_error err = { .struct_size = sizeof err };

	assert_int_equal(wt_primitives_init(&spy->primitives, &err), WT_OK);
	spy->tools = (struct wt_noise_tools){ .host = &pair.i.plain.host,
					      .primitives = &spy->primitives };
}

static size_t prologue(uint8_t out[64])
{
	size_t len = 0;

	memcpy(out, "WhisperTunnel 1\0\15whispertunnel", 30);
	len += 30;
	out[len++] = (uint8_t)pair.channel;
	memcpy(out + len, pair.m1.reply, HEAD_SIZE);
	return len + HEAD_SIZE;
}

/* M1 opens to who has R's private key: that much is not forward secret. */
static void spy_reads_m1(struct spy *spy)
{
	struct wt_ik_pair r;
	struct wt_ik ik;
	uint8_t start[64], found[32], ss[32];

	memcpy(r.private_key, wt_auth_pair_private_r, 32);
	memcpy(r.public_key, pair.public_r, 32);
	assert_int_equal(wt_x25519(wt_auth_pair_private_i, pair.public_r, ss), WT_OK);
	assert_int_equal(wt_ik_begin(&spy->tools, &ik, start, prologue(start), r.public_key),
			 WT_OK);
	assert_int_equal(wt_ik_read_static(&spy->tools, &ik, &r, pair.m1.reply + POINT, found),
			 WT_OK);
	assert_memory_equal(found, pair.public_i, 32);
	assert_int_equal(wt_ik_read_first(&spy->tools, &ik, ss, pair.m1.reply + POINT, M1_PLAIN,
					  spy->payload),
			 WT_OK);
	assert_memory_equal(spy->payload + STAMP_SIZE, pair.params_i, WT_PARAMS_SIZE);
	spy->after_m1 = ik.sym;
}

/* With `ee` for the exchange of both ephemeral keys: does M2 open, and does the
 * record? */
static bool spy_opens(const struct spy *spy, const uint8_t ee[32], const uint8_t *record,
		      size_t record_len)
{
	const struct wt_noise_tools *tools = &spy->tools;
	const uint8_t *m2 = pair.m2.reply;
	struct wt_ik ik = { .sym = spy->after_m1 };
	struct wt_ik_finish finish;
	uint8_t params[WT_PARAMS_SIZE], text[64];

	assert_int_equal(wt_symmetric_mix_hash(tools, &ik.sym, m2 + POINT, 32), WT_OK);
	assert_int_equal(wt_symmetric_mix_key(tools, &ik.sym, m2 + POINT), WT_OK);
	assert_int_equal(wt_symmetric_mix_key(tools, &ik.sym, ee), WT_OK);
	assert_int_equal(wt_symmetric_mix_dh(tools, &ik.sym, wt_auth_pair_private_i, m2 + POINT),
			 WT_OK);
	assert_int_equal(wt_symmetric_mix_key_and_hash(tools, &ik.sym, wt_auth_pair_psk), WT_OK);
	const bool m2_opens = wt_symmetric_open(tools, &ik.sym, m2 + M2_PAYLOAD,
						WT_PARAMS_SIZE + WT_TAG_SIZE, params) == WT_OK;

	assert_int_equal(wt_ik_finish(tools, &ik, pair.m1.reply, m2, &finish), WT_OK);
	const bool record_opens =
		tools->host->aead_open(tools->host, NULL, finish.i2r_key, finish.i2r_iv, NULL, 0,
				       record, record_len, text) == WT_OK;

	assert_int_equal(m2_opens, record_opens);
	return record_opens;
}

static void all_static_keys_and_a_capture_open_nothing(void **state)
{
	static const uint8_t e_i[32] = "the dialler's ephemeral key ....", zero[32];
	struct spy spy;
	uint8_t record[16 + WT_TAG_SIZE], guess[32], e_i_public[32];

	(void)state;
	wt_auth_pair_close(&pair);
	wt_auth_pair_open_psk(&pair, &wt_auth_noise, WT_CHANNEL_STREAM);
	wt_auth_rig_queue(&pair.i, e_i, sizeof e_i);
	wt_auth_pair_run(&pair);
	const struct wt_host *host = &pair.i.plain.host;

	assert_int_equal(host->aead_seal(host, NULL, pair.m3.keys.send_key, pair.m3.keys.send_iv,
					 NULL, 0, (const uint8_t *)"sixteen bytes...", 16, record),
			 WT_OK);
	spy_open(&spy);
	spy_reads_m1(&spy);
	/* All that can be made of two static private keys, the pre-shared key
	 * and both public ephemeral ones. */
	const uint8_t *const privates[] = { wt_auth_pair_private_i, wt_auth_pair_private_r,
					    wt_auth_pair_psk };
	const uint8_t *const points[] = { pair.m1.reply + POINT, pair.m2.reply + POINT,
					  pair.public_i, pair.public_r };

	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 4; k++) {
			assert_int_equal(wt_x25519(privates[i], points[k], guess), WT_OK);
			assert_false(spy_opens(&spy, guess, record, sizeof record));
		}
	}
	assert_false(spy_opens(&spy, zero, record, sizeof record));
	assert_false(spy_opens(&spy, wt_auth_pair_psk, record, sizeof record));
	/* One ephemeral private key more, and it opens: the test can fail. */
	assert_int_equal(wt_x25519_public(e_i, e_i_public), WT_OK);
	assert_memory_equal(e_i_public, pair.m1.reply + POINT, 32);
	assert_int_equal(wt_x25519(e_i, pair.m2.reply + POINT, guess), WT_OK);
	assert_true(spy_opens(&spy, guess, record, sizeof record));
	wt_primitives_free(&spy.primitives);
}

/* Who stole R's private key can begin as anybody (an M1 needs no more than ss),
 * but not end: the keys take I's private key. */
static void a_stolen_key_does_not_make_others(void **state)
{
	struct spy spy;
	struct wt_ik_pair alice, thief;
	struct wt_mac_keys macs;
	struct wt_ik ik;
	uint8_t start[64], ss[32], params[WT_PARAMS_SIZE];

	(void)state;
	spy_open(&spy);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE); /* for its head and time */
	assert_int_equal(wt_x25519(wt_auth_pair_private_r, pair.public_i, ss), WT_OK);
	spy_reads_m1(&spy);
	memcpy(alice.public_key, pair.public_i, 32);
	memset(ik.e, 0x77, sizeof ik.e);
	assert_int_equal(wt_ik_begin(&spy.tools, &ik, start, prologue(start), pair.public_r),
			 WT_OK);
	assert_int_equal(wt_ik_write_first(&spy.tools, &ik, &alice, pair.public_r, ss, spy.payload,
					   M1_PLAIN, pair.m1.reply + POINT),
			 WT_OK);
	assert_int_equal(wt_mac_keys(&spy.primitives, pair.public_r, &macs), WT_OK);
	assert_int_equal(wt_mac_write(&spy.primitives, macs.mac1, HASH_SIZE, pair.m1.reply, M1_MAC1,
				      pair.m1.reply + M1_MAC1),
			 WT_OK);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_int_equal(pair.m2.peer_id, WT_AUTH_PAIR_ID_I);
	/* R sends nothing before a record; to make one takes se. */
	memcpy(thief.private_key, wt_auth_pair_private_r, 32);
	struct wt_ik copy = ik;

	assert_int_equal(wt_ik_read_second(&spy.tools, &copy, &thief,
					   (const uint8_t[PSK_SIZE]){ 0 }, pair.m2.reply + POINT,
					   WT_PARAMS_SIZE, params),
			 WT_ERR_AUTH);
	memcpy(thief.private_key, wt_auth_pair_private_i, 32); /* the test can fail */
	assert_int_equal(wt_ik_read_second(&spy.tools, &ik, &thief, (const uint8_t[PSK_SIZE]){ 0 },
					   pair.m2.reply + POINT, WT_PARAMS_SIZE, params),
			 WT_OK);
	wt_primitives_free(&spy.primitives);
}

#define ON_STREAM(test) WT_AUTH_TEST(test, noise, STREAM)
#define ON_BOTH(test) ON_STREAM(test), WT_AUTH_TEST(test, noise, DATAGRAM)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_handshake_says_what_auth_h_says),
		ON_BOTH(every_handshake_has_keys_of_its_own),
		ON_BOTH(a_pending_m2_is_repeated),
		ON_BOTH(an_old_pending_slot_is_dead),
		ON_BOTH(a_repeat_is_of_the_whole_m1),
		ON_STREAM(on_a_stream_a_pending_handshake_stays_with_its_connection),
		ON_BOTH(a_slot_that_was_taken_over_is_left_alone),
		ON_BOTH(starting_again_abandons_the_attempt),
		ON_STREAM(channels_have_slots_of_their_own),
		ON_BOTH(refused_parameters_leave_no_trace),
		cmocka_unit_test(a_psk_must_be_equal),
		ON_STREAM(an_m1_for_another_responder_is_dropped),
		ON_STREAM(all_static_keys_and_a_capture_open_nothing),
		ON_STREAM(a_stolen_key_does_not_make_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
