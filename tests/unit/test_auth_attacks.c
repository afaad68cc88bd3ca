/* SPDX-License-Identifier: MIT
 *
 * What somebody between or beside the two ends of a handshake can try, for
 * each method. The expected end of each: dropped for the named reason, nothing changed, and the
 * true message afterwards still completes.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/auth_pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ANY_REASON WT_REASON_NONE

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

/* Up to the named message being on its way. */
static void until_m2(void)
{
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
}

static void until_m3(void)
{
	until_m2();
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
}

/* Every bit flipped but those of the last `tail` bytes, every length. Nothing
 * of it may even look at the curve, but for `looks` bytes at the end. */
static void batter(const struct wt_auth_said *carrier, wt_auth_pair_drops_fn *deliver,
		   uint32_t tail, uint32_t looks)
{
	uint8_t message[WT_AUTH_MESSAGE_MAX + 1] = { 0 };
	const size_t len = carrier->reply_len;
	const unsigned dh = pair.i.dh + pair.r.dh;

	memcpy(message, carrier->reply, len);
	for (size_t bit = 0; bit < 8 * (len - tail); bit++) {
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		deliver(&pair, message, len, ANY_REASON);
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t other = 0; other <= WT_AUTH_MESSAGE_MAX + 1; other++)
		if (other != len)
			deliver(&pair, message, other, WT_REASON_LENGTH);
	assert_int_equal(pair.i.dh + pair.r.dh, dh + 8 * looks * pair.method->dh_m2);
}

static void m1_survives_no_change(void **state)
{
	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	batter(&pair.m1, wt_auth_pair_r_drops_first, pair.method->m1_tail, 0);
	wt_auth_pair_finish(&pair);
}

static void an_answer_survives_no_change(void **state)
{
	(void)state;
	wt_auth_pair_until_answer(&pair);
	batter(&pair.m2, wt_auth_pair_i_drops, 0, 0);
	wt_auth_pair_take_answer(&pair);
	wt_auth_pair_finish(&pair);
}

static void m1_after_an_answer_survives_no_change(void **state)
{
	(void)state;
	wt_auth_pair_until_answer(&pair);
	wt_auth_pair_take_answer(&pair);
	batter(&pair.m1, wt_auth_pair_r_drops_first, pair.method->m1_tail, 0);
	wt_auth_pair_finish(&pair);
}

static void m2_survives_no_change(void **state)
{
	(void)state;
	until_m2();
	batter(&pair.m2, wt_auth_pair_i_drops, 0, pair.method->m2_tail);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

static void m3_survives_no_change(void **state)
{
	(void)state;
	until_m3();
	batter(&pair.m3, wt_auth_pair_r_drops, 0, 0);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	/* Nor does the one that is sent again. */
	batter(&pair.m3, wt_auth_pair_r_drops, 0, 0);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

/* Type, version, method and step, every value but the true one. */
static void every_other_header_is_refused(void **state)
{
	const struct {
		const struct wt_auth_said *carrier;
		wt_auth_pair_drops_fn *deliver;
	} cases[] = { { &pair.m1, wt_auth_pair_r_drops_first },
		      { &pair.m2, wt_auth_pair_i_drops },
		      { &pair.m3, wt_auth_pair_r_drops } };

	(void)state;
	for (size_t c = 0; c < (pair.method->m3 > 0 ? COUNT(cases) : 2); c++) {
		uint8_t message[WT_AUTH_MESSAGE_MAX];
		const struct wt_auth_said *carrier = cases[c].carrier;

		wt_auth_pair_advance(&pair, 1);
		if (carrier == &pair.m1)
			assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
		else if (carrier == &pair.m2)
			until_m2();
		else
			until_m3();
		memcpy(message, carrier->reply, carrier->reply_len);
		for (size_t at = 0; at < 4; at++) {
			const uint8_t right = message[at];

			for (unsigned value = 0; value < 256; value++) {
				message[at] = (uint8_t)value;
				if (value != right)
					cases[c].deliver(&pair, message, carrier->reply_len,
							 ANY_REASON);
			}
			message[at] = right;
		}
	}
	if (pair.method->m3 == 0)
		assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

/* ---- reflection ------------------------------------------------------------ */

static void a_message_that_comes_back_is_refused(void **state)
{
	const struct wt_auth_method *method = pair.method;
	struct wt_auth_said out;

	(void)state;
	until_m3();
	wt_auth_assert_dropped(wt_auth_rig_accept(&pair.i, pair.channel, 77, pair.params_i,
						  pair.m1.reply, method->m1, &out),
			       &out, method->reflected);
	if (method->reflected == WT_REASON_BOTH_DIAL) {
		assert_int_equal(out.flags, WT_AUTH_OUT_PEER);
		assert_int_equal(out.peer_id, WT_AUTH_PAIR_ID_R);
	}
	assert_int_equal(pair.i.dh, method->dh_i);
	wt_auth_pair_r_drops(&pair, pair.m2.reply, method->m2, WT_REASON_STEP);
	wt_auth_pair_i_drops(&pair, pair.m1.reply, method->m1, WT_REASON_STEP);
	wt_auth_pair_r_drops_first(&pair, pair.m2.reply, method->m2, WT_REASON_STEP);
	if (method->m3 > 0) {
		wt_auth_pair_i_drops(&pair, pair.m3.reply, method->m3, WT_REASON_STEP);
		wt_auth_pair_r_drops_first(&pair, pair.m3.reply, method->m3, WT_REASON_STEP);
	}
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

/* Both ends dial, or one that dials also listens: neither accepts. */
static void an_end_that_dials_does_not_accept(void **state)
{
	static const struct {
		uint32_t roles;
		enum wt_auth_verdict start, accept;
	} cases[] = {
		{ WT_PEER_DIALS, WT_AUTH_MORE, WT_AUTH_IGNORE },
		{ 0, WT_AUTH_IGNORE, WT_AUTH_IGNORE },
		{ WT_PEER_ACCEPTS, WT_AUTH_IGNORE, WT_AUTH_MORE },
	};
	struct wt_error err = { .struct_size = sizeof err };

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_auth_rig other;
		struct wt_auth_said out;

		wt_auth_rig_open(&other, pair.method->name, &pair.section_r, WT_AUTH_PAIR_BOOT_MS,
				 WT_AUTH_PAIR_UNIX_MS, NULL, 0);
		void *p = wt_auth_rig_add(&other, &pair.alice, 1, cases[i].roles, &err);

		assert_non_null(p);
		assert_int_equal(
			wt_auth_rig_start(&other, p, pair.channel, 5, 0, pair.params_i, &out),
			cases[i].start);
		assert_int_equal(wt_auth_rig_accept(&other, pair.channel, 6, pair.params_i,
						    pair.m1.reply, pair.m1.reply_len, &out),
				 cases[i].accept);
		if (cases[i].accept == WT_AUTH_IGNORE)
			assert_int_equal(out.reason, WT_REASON_BOTH_DIAL);
		wt_auth_rig_remove(&other, p);
		wt_auth_rig_close(&other);
	}
}

/* ---- replay and splicing --------------------------------------------------- */

static void an_old_m1_leads_nowhere(void **state)
{
	const struct wt_auth_method *method = pair.method;
	struct wt_auth_said old;

	(void)state;
	until_m3();
	old = pair.m1;
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	for (int later = 0; later < 2; later++) {
		wt_auth_pair_r_drops_first(&pair, old.reply, method->m1, WT_REASON_REPLAY);
		pair.r.source[3] ^= 1; /* from elsewhere */
		pair.r.association++;
		wt_auth_pair_r_drops_first(&pair, old.reply, method->m1, WT_REASON_REPLAY);
		wt_auth_pair_advance(&pair, 30000);
	}
	assert_int_equal(pair.r.dh, method->dh_r);
	/* When its e_i is forgotten, its time has long passed. */
	for (int i = 0; i < 8; i++) {
		wt_auth_pair_advance(&pair, 10);
		wt_auth_pair_run(&pair);
	}
	const unsigned dh = pair.r.dh;

	pair.m1 = old;
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(pair.m2.flags, WT_AUTH_OUT_PEER);
	assert_int_equal(pair.r.dh, dh + method->dh_look);
}

/* One that shows an answer: its source may send it again as often as it likes. */
static void an_old_m1_with_an_answer_costs_one_exchange(void **state)
{
	(void)state;
	wt_auth_pair_until_answer(&pair);
	wt_auth_pair_take_answer(&pair);
	wt_auth_pair_finish(&pair);
	assert_int_equal(pair.r.dh, pair.method->dh_r + pair.method->dh_look);
	for (int i = 0; i < 100; i++) {
		wt_auth_pair_r_drops_first(&pair, pair.m1.reply, pair.m1.reply_len,
					   WT_REASON_REPLAY);
		wt_auth_pair_advance(&pair, 500);
	}
	assert_int_equal(pair.r.dh, pair.method->dh_r + pair.method->dh_look);
}

static void after_a_restart_an_old_m1_costs_one_exchange(void **state)
{
	struct wt_auth_pair fresh;
	struct wt_auth_said out;

	(void)state;
	until_m3();
	wt_auth_pair_open(&fresh, pair.method, WT_CHANNEL_STREAM);
	fresh.m1 = pair.m1;
	assert_int_equal(wt_auth_pair_accept(&fresh), WT_AUTH_MORE);
	/* What proved the other life does not confirm it. */
	assert_int_equal(fresh.m2.local_index, 1000);
	fresh.m3 = pair.m3;
	memcpy(fresh.m3.reply + 4, fresh.m2.reply + 8, 4);
	assert_int_equal(wt_auth_pair_m3(&fresh), WT_AUTH_IGNORE);
	for (int i = 0; i < 50; i++) {
		fresh.r.association++;
		wt_auth_pair_advance(&fresh, 1000);
		wt_auth_assert_dropped(wt_auth_rig_accept(&fresh.r, WT_CHANNEL_STREAM, 9,
							  fresh.params_r, fresh.m1.reply,
							  fresh.m1.reply_len, &out),
				       &out, WT_REASON_REPLAY);
	}
	assert_int_equal(fresh.r.dh, pair.method->dh_r);
	wt_auth_pair_run(&fresh);
	wt_auth_pair_close(&fresh);
}

/* A holder of the key who uses an e_i twice gets no M2 that was for another. */
static void one_ephemeral_makes_one_handshake(void **state)
{
	const uint8_t e_i[32] = { 1, 2, 3 };

	(void)state;
	wt_auth_rig_queue(&pair.i, e_i, sizeof e_i);
	until_m2();
	wt_auth_pair_advance(&pair, 1000);
	wt_auth_rig_queue(&pair.i, e_i, sizeof e_i);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	wt_auth_pair_r_drops_first(&pair, pair.m1.reply, pair.m1.reply_len, WT_REASON_REPLAY);
	assert_int_equal(pair.r.dh, pair.method->dh_r);
}

/* Somebody who saw an M1 does not keep its author from hearing M2 again. */
static void a_copy_from_elsewhere_is_no_asking(void **state)
{
	struct wt_auth_said first;

	(void)state;
	until_m2();
	first = pair.m2;
	for (int i = 0; i < 3; i++) {
		wt_auth_pair_advance(&pair, 1000);
		pair.r.source[5] ^= 1;
		wt_auth_pair_r_drops_first(&pair, pair.m1.reply, pair.m1.reply_len,
					   WT_REASON_REPLAY);
		pair.r.source[5] ^= 1;
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
		assert_true(pair.m2.flags & WT_AUTH_OUT_REPEATED);
	}
	pair.m2 = first; /* with the keys, which are given once */
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

struct racer {
	pthread_t thread;
	uint32_t number;
	enum wt_auth_verdict verdict;
	struct wt_auth_said out;
};

static void *race(void *arg)
{
	struct racer *racer = arg;

	racer->verdict =
		wt_auth_rig_accept(&pair.r, pair.channel, 500 + racer->number, pair.params_r,
				   pair.m1.reply, pair.m1.reply_len, &racer->out);
	return NULL;
}

/* The same M1 through many sockets at once. */
static void one_m1_makes_one_handshake(void **state)
{
	struct racer racers[8];

	(void)state;
	for (int round = 0; round < 20; round++) {
		unsigned with_keys = 0;

		wt_auth_pair_advance(&pair, 1);
		assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
		for (uint32_t i = 0; i < COUNT(racers); i++) {
			racers[i].number = i;
			assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]),
					 0);
		}
		for (size_t i = 0; i < COUNT(racers); i++) {
			pthread_join(racers[i].thread, NULL);
			if (racers[i].verdict == WT_AUTH_MORE) {
				with_keys++;
				pair.m2 = racers[i].out;
			} else {
				wt_auth_assert_dropped(racers[i].verdict, &racers[i].out,
						       WT_REASON_RATE);
			}
		}
		assert_int_equal(with_keys, 1);
		/* Each may find out who it is before the first is answered. */
		if (pair.method->dh_look == 0)
			assert_int_equal(pair.r.dh, round + 1);
		assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
		assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	}
}

/* Messages of one run in another, which has the same indices. */
static void runs_do_not_mix(void **state)
{
	const struct wt_auth_method *method = pair.method;
	struct wt_auth_pair old;

	(void)state;
	wt_auth_pair_open(&old, method, pair.channel);
	wt_auth_pair_until_answer(&old);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_memory_equal(old.m1.reply, pair.m1.reply, 12);
	wt_auth_pair_i_drops(&pair, old.m2.reply, method->answer, method->other_answer);
	wt_auth_pair_close(&old);

	wt_auth_pair_open(&old, method, pair.channel);
	wt_auth_pair_run(&old);
	wt_auth_pair_i_drops(&pair, old.m2.reply, method->m2, method->other_m2);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_pair_i_drops(&pair, old.m2.reply, method->m2, method->other_m2);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_int_equal(old.m2.local_index, pair.m2.local_index);
	if (method->m3 > 0)
		wt_auth_pair_r_drops(&pair, old.m3.reply, method->m3, WT_REASON_BAD_MAC);
	assert_memory_not_equal(old.m3.keys.send_key, pair.m3.keys.send_key, WT_KEY_SIZE);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	wt_auth_pair_close(&old);
}

/* An M1 of one kind of channel means nothing on the other. */
static void channels_do_not_mix(void **state)
{
	const uint32_t other = WT_CHANNEL_STREAM + WT_CHANNEL_DATAGRAM - pair.channel;
	struct wt_auth_said out;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	wt_auth_assert_dropped(wt_auth_rig_accept(&pair.r, other, 5, pair.params_r, pair.m1.reply,
						  pair.m1.reply_len, &out),
			       &out, pair.method->other_channel);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	wt_auth_assert_dropped(wt_auth_rig_receive(&pair.i, pair.m1.handshake, other, pair.m2.reply,
						   pair.m2.reply_len, &out),
			       &out, WT_REASON_STEP);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	if (pair.method->m3 > 0)
		wt_auth_assert_dropped(wt_auth_rig_receive(&pair.r, pair.m2.handshake, other,
							   pair.m3.reply, pair.m3.reply_len, &out),
				       &out, WT_REASON_STEP);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
}

/* The same keys under another realm, and another key. */
static void strangers_are_unknown(void **state)
{
	static const uint8_t key[32] = "another thirty-two bytes of key.";
	struct wt_auth_settings sections[] = { pair.section_i, pair.section_i };
	struct wt_auth_settings peers[] = { pair.office, pair.office };
	const enum wt_auth_reason reasons[] = { pair.method->other_realm, WT_REASON_UNKNOWN_PEER };
	struct wt_error err = { .struct_size = sizeof err };

	(void)state;
	sections[0].realm = "other";
	sections[1].private_key = key;
	peers[1].psk = key;
	for (size_t i = 0; i < COUNT(peers); i++) {
		struct wt_auth_rig other;

		wt_auth_rig_open(&other, pair.method->name, &sections[i], WT_AUTH_PAIR_BOOT_MS,
				 WT_AUTH_PAIR_UNIX_MS, NULL, 0);
		void *p = wt_auth_rig_add(&other, &peers[i], 1, WT_PEER_DIALS, &err);

		assert_non_null(p);
		for (uint32_t try = 0; try < 8; try++) {
			assert_int_equal(wt_auth_rig_start(&other, p, pair.channel, 5, try,
							   pair.params_i, &pair.m1),
					 WT_AUTH_MORE);
			wt_auth_pair_r_drops_first(&pair, pair.m1.reply, pair.m1.reply_len,
						   reasons[i]);
		}
		wt_auth_rig_remove(&other, p);
		wt_auth_rig_close(&other);
	}
}

/* ---- out of state ---------------------------------------------------------- */

/* Each message at each end in each state: only the marked ones do anything. */
static void the_matrix_of_messages_and_states(void **state)
{
	const struct wt_auth_method *method = pair.method;
	struct wt_auth_said answer, m1_again, m2, m3;

	(void)state;
	/* I waits. */
	wt_auth_pair_until_answer(&pair);
	answer = pair.m2;
	wt_auth_pair_i_drops(&pair, pair.m1.reply, method->m1, WT_REASON_STEP);
	wt_auth_pair_take_answer(&pair);
	m1_again = pair.m1;
	/* I waits after the answer. */
	wt_auth_pair_i_drops(&pair, answer.reply, method->answer, WT_REASON_REPLAY);
	wt_auth_pair_i_drops(&pair, m1_again.reply, method->m1, WT_REASON_STEP);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	m2 = pair.m2;
	/* R waits. */
	wt_auth_pair_r_drops(&pair, m1_again.reply, method->m1, WT_REASON_STEP);
	wt_auth_pair_r_drops(&pair, answer.reply, method->answer, WT_REASON_STEP);
	wt_auth_pair_r_drops(&pair, m2.reply, method->m2, WT_REASON_STEP);
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	m3 = pair.m3;
	/* I is done. */
	wt_auth_pair_i_drops(&pair, answer.reply, method->answer, WT_REASON_STEP);
	wt_auth_pair_i_drops(&pair, m2.reply, method->m2, WT_REASON_STEP);
	wt_auth_pair_i_drops(&pair, m3.reply, method->m3, ANY_REASON);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	/* R is done. */
	wt_auth_pair_r_drops(&pair, m1_again.reply, method->m1, WT_REASON_STEP);
	wt_auth_pair_r_drops(&pair, answer.reply, method->answer, WT_REASON_STEP);
	wt_auth_pair_r_drops(&pair, m2.reply, method->m2, WT_REASON_STEP);
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	/* R has given up. */
	pair.r.ops->abandon(pair.r.self, NULL, m2.handshake, m2.local_index);
	wt_auth_pair_r_drops(&pair, m3.reply, method->m3, ANY_REASON);
	/* Nobody began. */
	wt_auth_pair_r_drops_first(&pair, answer.reply, method->answer, WT_REASON_STEP);
	wt_auth_pair_r_drops_first(&pair, m2.reply, method->m2, WT_REASON_STEP);
	wt_auth_pair_r_drops_first(&pair, m3.reply, method->m3, ANY_REASON);
	/* No message of anything else, at its own length. */
	for (unsigned step = 5; step < 256; step++) {
		uint8_t message[WT_AUTH_MESSAGE_MAX] = { 1, 1, method->number, (uint8_t)step };

		wt_auth_pair_r_drops_first(&pair, message, method->m1, WT_REASON_STEP);
	}
	/* auth-hmac has adopted R's clock; auth-noise leaves that to others. */
	if (method == &wt_auth_noise)
		pair.i.clock.unix_ms = pair.r.clock.unix_ms;
	wt_auth_pair_advance(&pair, 10);
	wt_auth_pair_run(&pair);
}

/* Index 0 is nobody's, also while a slot is idle and has none. */
static void an_idle_slot_answers_nobody(void **state)
{
	const uint32_t sizes[] = { pair.method->m1, pair.method->m2, pair.method->m3,
				   pair.method->answer };

	(void)state;
	until_m3();
	assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
	pair.r.ops->abandon(pair.r.self, NULL, pair.m2.handshake, pair.m2.local_index);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const uint8_t message[WT_AUTH_MESSAGE_MAX] = { 1, 1, pair.method->number,
							       (uint8_t)(i + 1) };

		if (sizes[i] == 0)
			continue;
		wt_auth_pair_r_drops(&pair, message, sizes[i], WT_REASON_STEP);
		wt_auth_pair_i_drops(&pair, message, sizes[i], WT_REASON_STEP);
	}
}

/* 2,000 messages of each kind whose MAC somebody made up. */
static void forgeries_cost_no_exchange(void **state)
{
	const struct wt_auth_method *method = pair.method;
	uint8_t m1[WT_AUTH_MESSAGE_MAX], m2[WT_AUTH_MESSAGE_MAX], answer[WT_AUTH_MESSAGE_MAX];
	unsigned dh;

	(void)state;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	dh = pair.i.dh;
	memcpy(m1, pair.m1.reply, method->m1);
	memset(m2, 0xee, sizeof m2);
	memset(answer, 0xee, sizeof answer);
	memcpy(m2, (uint8_t[]){ 1, 1, method->number, 2 }, 4);
	memcpy(answer, (uint8_t[]){ 1, 1, method->number, 4 }, 4);
	memcpy(m2 + 4, pair.m1.reply + 8, 4);
	memcpy(answer + 4, pair.m1.reply + 8, 4);
	for (unsigned i = 1; i <= 2000; i++) {
		memcpy(m1 + method->m1 - 32, &i, sizeof i);
		memcpy(m2 + method->m2 - 32, &i, sizeof i);
		memcpy(answer + method->answer - 32, &i, sizeof i);
		wt_auth_pair_r_drops_first(&pair, m1, method->m1, WT_REASON_BAD_MAC);
		wt_auth_pair_i_drops(&pair, m2, method->m2, WT_REASON_BAD_MAC);
		wt_auth_pair_i_drops(&pair, answer, method->answer, method->other_answer);
	}
	assert_int_equal(pair.i.dh + pair.r.dh, dh);
	assert_int_equal(pair.r.rate_calls, 0);
	/* They were no load either: what a stranger makes up does not count. */
	wt_auth_pair_finish(&pair);
}

/* Either end dies after each message: the next attempt succeeds. */
static void a_restart_costs_one_attempt(void **state)
{
	(void)state;
	for (int after = 0; after < 10; after++) {
		const bool responder = after % 2;
		struct wt_auth_pair p;
		struct wt_auth_said late;

		wt_auth_pair_open(&p, pair.method, WT_CHANNEL_STREAM);
		if (after / 2 > 0)
			assert_int_equal(wt_auth_pair_start(&p, 0), WT_AUTH_MORE);
		if (after / 2 > 1)
			assert_int_equal(wt_auth_pair_accept(&p), WT_AUTH_MORE);
		if (after / 2 > 2)
			assert_int_equal(wt_auth_pair_m2(&p), WT_AUTH_DONE);
		if (after / 2 > 3)
			assert_int_equal(wt_auth_pair_m3(&p), WT_AUTH_DONE);
		late = p.m1;
		wt_auth_pair_restart(&p, responder);
		wt_auth_pair_advance(&p, 1);
		wt_auth_pair_run(&p);
		/* What was still on its way does no harm. */
		if (late.reply_len > 0 && !responder && after / 2 > 1)
			wt_auth_assert_dropped(wt_auth_rig_accept(&p.r, p.channel, 5, p.params_r,
								  late.reply, late.reply_len,
								  &late),
					       &late, WT_REASON_REPLAY);
		assert_int_equal(wt_auth_pair_m3(&p), WT_AUTH_DONE);
		wt_auth_pair_close(&p);
	}
}

static bool holds(const uint8_t *memory, size_t size, const uint8_t *what, size_t len)
{
	return memmem(memory, size, what, len) != NULL;
}

/* What is of no more use is nowhere in the memory of the peer. */
static void secrets_do_not_outlive_their_use(void **state)
{
	const size_t size = pair.i.ops->peer_size;
	const uint8_t *i = pair.peer_i, *r = pair.peer_r;
	uint8_t e_i[32], e_r[32];

	(void)state;
	memset(e_i, 0x5a, sizeof e_i);
	memset(e_r, 0xa5, sizeof e_r);
	wt_auth_rig_queue(&pair.i, e_i, sizeof e_i);
	wt_auth_rig_queue(&pair.r, e_r, sizeof e_r);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_true(holds(i, size, e_i, sizeof e_i));
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
	assert_false(holds(r, size, e_r, sizeof e_r));
	assert_false(holds(r, size, pair.m2.keys.send_key, WT_KEY_SIZE));
	assert_false(holds(r, size, pair.m2.keys.recv_key, WT_KEY_SIZE));
	assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_DONE);
	assert_false(holds(i, size, e_i, sizeof e_i));
	assert_false(holds(i, size, pair.m3.keys.send_key, WT_KEY_SIZE));
	assert_false(holds(i, size, pair.m3.keys.recv_key, WT_KEY_SIZE));
	if (pair.method->m3 > 0) {
		assert_int_equal(wt_auth_pair_m3(&pair), WT_AUTH_DONE);
		assert_true(holds(r, size, pair.m3.reply + 8, 32));
		pair.r.ops->abandon(pair.r.self, NULL, pair.m2.handshake, pair.m2.local_index);
		assert_false(holds(r, size, pair.m3.reply + 8, 32));
	}
	/* An attempt that is given up. */
	wt_auth_rig_queue(&pair.i, e_i, sizeof e_i);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	pair.i.ops->abandon(pair.i.self, NULL, pair.m1.handshake, pair.m1.local_index);
	assert_false(holds(i, size, e_i, sizeof e_i));
}

static void an_unknown_channel_is_refused(void **state)
{
	struct wt_auth_said out;

	(void)state;
	wt_auth_pair_start(&pair, 0);
	for (uint32_t channel = 0; channel < 5; channel += channel == 0 ? 3 : 1) {
		wt_auth_assert_dropped(
			wt_auth_rig_start(&pair.i, pair.peer_i, channel, 1, 0, pair.params_i, &out),
			&out, WT_REASON_STEP);
		wt_auth_assert_dropped(wt_auth_rig_accept(&pair.r, channel, 1, pair.params_r,
							  pair.m1.reply, pair.m1.reply_len, &out),
				       &out, WT_REASON_STEP);
	}
	wt_auth_pair_finish(&pair);
}

#define ON_STREAM(test) WT_AUTH_TEST(test, hmac, STREAM), WT_AUTH_TEST(test, noise, STREAM)
#define ON_DATAGRAM(test) WT_AUTH_TEST(test, hmac, DATAGRAM), WT_AUTH_TEST(test, noise, DATAGRAM)
#define ON_BOTH(test) ON_STREAM(test), ON_DATAGRAM(test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STREAM(m1_survives_no_change),
		ON_STREAM(an_answer_survives_no_change),
		ON_STREAM(m1_after_an_answer_survives_no_change),
		ON_STREAM(m2_survives_no_change),
		WT_AUTH_TEST(m3_survives_no_change, hmac, STREAM),
		ON_STREAM(every_other_header_is_refused),
		ON_BOTH(a_message_that_comes_back_is_refused),
		ON_STREAM(an_end_that_dials_does_not_accept),
		ON_STREAM(an_old_m1_leads_nowhere),
		ON_DATAGRAM(an_old_m1_with_an_answer_costs_one_exchange),
		ON_STREAM(after_a_restart_an_old_m1_costs_one_exchange),
		ON_BOTH(one_ephemeral_makes_one_handshake),
		ON_BOTH(a_copy_from_elsewhere_is_no_asking),
		ON_DATAGRAM(one_m1_makes_one_handshake),
		ON_BOTH(runs_do_not_mix),
		ON_BOTH(channels_do_not_mix),
		ON_STREAM(strangers_are_unknown),
		ON_BOTH(the_matrix_of_messages_and_states),
		ON_BOTH(an_idle_slot_answers_nobody),
		ON_BOTH(forgeries_cost_no_exchange),
		ON_STREAM(a_restart_costs_one_attempt),
		ON_BOTH(secrets_do_not_outlive_their_use),
		ON_STREAM(an_unknown_channel_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
