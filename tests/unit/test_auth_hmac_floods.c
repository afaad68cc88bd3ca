/* SPDX-License-Identifier: MIT
 *
 * auth-hmac: tokens, and holders of the key who misbehave. No Diffie-Hellman for those who have not
 * earned it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reference/vectors.h"
#include "schedule.h"
#include "support/auth_pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ANY_REASON WT_REASON_NONE

static struct wt_auth_pair pair;

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

static void a_token_is_for_one_source_and_time(void **state)
{
	static const struct {
		const char *what;
		size_t source_byte; /* changed; 99: none */
		uint64_t age_ms;
		enum wt_auth_verdict verdict;
	} cases[] = {
		{ "as it was given", 99, 0, WT_AUTH_MORE },
		{ "just before the end of the minute", 99, 39999, WT_AUTH_MORE },
		{ "in the minute after", 99, 99999, WT_AUTH_MORE },
		{ "two minutes on", 99, 100000, WT_AUTH_ANSWER },
		{ "an hour on", 99, 3600000, WT_AUTH_ANSWER },
		{ "from another address", 3, 0, WT_AUTH_ANSWER },
		{ "from another port", 5, 0, WT_AUTH_ANSWER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_auth_pair p;

		wt_auth_pair_open(&p, &wt_auth_hmac, WT_CHANNEL_DATAGRAM);
		/* 20 s into a minute of boot time. */
		assert_int_equal(p.r.clock.boot_ms % 60000, 20000);
		p.i.clock.unix_ms -= 1800000; /* far off: the token must do it */
		assert_int_equal(wt_auth_pair_start(&p, 3), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&p), WT_AUTH_ANSWER);
		assert_int_equal(wt_auth_pair_m2(&p), WT_AUTH_MORE);
		p.m1 = p.m3;
		wt_auth_rig_advance(&p.r, cases[i].age_ms);
		if (cases[i].source_byte != 99)
			p.r.source[cases[i].source_byte] ^= 0x40;
		assert_int_equal(wt_auth_pair_accept(&p), cases[i].verdict);
		if (cases[i].verdict == WT_AUTH_ANSWER)
			assert_int_equal(p.m2.reason, WT_REASON_TOKEN);
		wt_auth_pair_close(&p);
	}
}

/* The secret turns each 120 s; a token of the one before still counts. */
static void tokens_outlive_one_turn_of_the_secret(void **state)
{
	(void)state;
	pair.i.clock.unix_ms -= 1800000;
	for (int at = 0; at < 500; at += 7) {
		assert_int_equal(wt_auth_pair_start(&pair, 3), WT_AUTH_MORE);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
		assert_int_equal(wt_auth_pair_m2(&pair), WT_AUTH_MORE);
		pair.m1 = pair.m3;
		wt_auth_rig_advance(&pair.r, 59000);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_MORE);
		wt_auth_rig_advance(&pair.r, 7000);
		pair.i.clock.unix_ms -= 1800000;
	}
}

static void the_secret_of_tokens_turns(void **state)
{
	static const struct {
		uint64_t after_ms;
		size_t drawn;
	} cases[] = { { 119999, 0 }, { 1, 32 }, { 119999, 0 }, { 1, 32 }, { 240000, 64 } };
	const uint8_t bytes[64] = { 0 };

	(void)state;
	pair.i.clock.unix_ms -= 1800000;
	for (size_t i = 0; i < COUNT(cases); i++) {
		wt_auth_pair_advance(&pair, cases[i].after_ms);
		assert_int_equal(wt_auth_pair_start(&pair, 3), WT_AUTH_MORE);
		pair.r.queued = 0;
		wt_auth_rig_queue(&pair.r, bytes, sizeof bytes);
		assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
		assert_int_equal(sizeof bytes - pair.r.queued, cases[i].drawn);
	}
}

/* The token of one M1 in another of the same end and source, mac1 made right. */
static void a_token_is_for_one_ephemeral(void **state)
{
	struct wt_primitives p;
	struct wt_domain domain;
	struct wt_secrets secrets;
	struct wt_error err = { .struct_size = sizeof err };
	uint8_t h0[HASH_SIZE], first_token[TOKEN_SIZE], *m1 = pair.m1.reply;

	(void)state;
	pair.r.clock.unix_ms += 1000000;
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	memcpy(first_token, pair.m2.reply + RETRY_TOKEN, sizeof first_token);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);

	assert_int_equal(wt_primitives_init(&p, &err), WT_OK);
	wt_domain_set(&domain, "whispertunnel", 13);
	assert_int_equal(wt_schedule_secrets(&p, &domain, wt_auth_pair_psk, &secrets), WT_OK);
	assert_int_equal(wt_schedule_h0(&p, &domain, pair.channel, h0), WT_OK);
	for (int own = 0; own < 2; own++) {
		memcpy(m1 + M1_TOKEN, own ? pair.m2.reply + RETRY_TOKEN : first_token, TOKEN_SIZE);
		assert_int_equal(wt_schedule_mac(&p, secrets.client, h0, m1, M1_MAC, m1 + M1_MAC),
				 WT_OK);
		assert_int_equal(wt_auth_pair_accept(&pair), own ? WT_AUTH_MORE : WT_AUTH_ANSWER);
		if (!own)
			assert_int_equal(pair.m2.reason, WT_REASON_TOKEN);
	}
	wt_primitives_free(&p);
}

static void run_hostile(const struct wt_hostile_vector *v)
{
	const struct wt_auth_settings section = { .name = "hmac" },
				      peer = { .name = "p", .psk = v->psk };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_auth_rig rig;
	struct wt_auth_said out;
	enum wt_auth_verdict verdict;

	wt_auth_rig_open(&rig, "hmac", &section, WT_AUTH_PAIR_BOOT_MS, v->unix_ms, NULL, 0);
	void *p = wt_auth_rig_add(&rig, &peer, 1, v->step == 1 ? WT_PEER_ACCEPTS : WT_PEER_DIALS,
				  &err);

	assert_non_null(p);
	if (v->step == 1) {
		verdict = wt_auth_rig_accept(&rig, WT_CHANNEL_STREAM, 5, v->params_i, v->message,
					     v->message_len, &out);
	} else {
		wt_auth_rig_queue(&rig, v->e_i_private, 32);
		assert_int_equal(wt_auth_rig_start(&rig, p, WT_CHANNEL_STREAM, v->index_i, 0,
						   v->params_i, &out),
				 WT_AUTH_MORE);
		verdict = wt_auth_rig_receive(&rig, out.handshake, WT_CHANNEL_STREAM, v->message,
					      v->message_len, &out);
	}
	if (out.reason != v->reason || rig.dh != v->dh)
		fail_msg("%s: reason %u, %u exchanges", v->name, out.reason, rig.dh);
	if (v->reason != WT_REASON_NONE)
		wt_auth_assert_dropped(verdict, &out, v->reason);
	wt_auth_rig_remove(&rig, p);
	wt_auth_rig_close(&rig);
}

static void holders_of_the_key_are_checked_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wt_hostile_vectors); i++)
		run_hostile(&wt_hostile_vectors[i]);
}

#define ON_DATAGRAM(test) cmocka_unit_test_setup_teardown(test, open_datagram, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_for_one_source_and_time),
		ON_DATAGRAM(tokens_outlive_one_turn_of_the_secret),
		ON_DATAGRAM(the_secret_of_tokens_turns),
		ON_DATAGRAM(a_token_is_for_one_ephemeral),
		cmocka_unit_test(holders_of_the_key_are_checked_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
