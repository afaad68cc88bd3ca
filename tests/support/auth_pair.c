/* SPDX-License-Identifier: MIT */
#include "support/auth_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

const struct wt_auth_method wt_auth_hmac = {
	.name = "hmac",
	.number = WT_METHOD_HMAC,
	.m1 = 192,
	.answer = 80,
	.m2 = 164,
	.m3 = 40,
	.dh_i = 1,
	.dh_r = 1,
	.dh_m2 = 1,
	.reflected = WT_REASON_BOTH_DIAL,
	.other_channel = WT_REASON_BAD_MAC,
	.other_realm = WT_REASON_UNKNOWN_PEER,
	.other_answer = WT_REASON_BAD_MAC,
	.other_m2 = WT_REASON_BAD_MAC,
};

const struct wt_auth_method wt_auth_noise = {
	.name = "noise",
	.number = WT_METHOD_NOISE,
	.m1 = 184,
	.answer = 72,
	.m2 = 124,
	.m1_tail = 16,
	.m2_tail = 16,
	.dh_i = 3, /* es; ee, se. ss is computed when a peer is added */
	.dh_r = 3,
	.dh_m2 = 2,
	.dh_look = 1,
	.reflected = WT_REASON_BAD_MAC,
	.other_channel = WT_REASON_BAD_SEAL,
	.other_realm = WT_REASON_BAD_SEAL,
	.other_answer = WT_REASON_BAD_SEAL,
	.other_m2 = WT_REASON_BAD_SEAL,
};

const uint8_t wt_auth_pair_psk[32] = "thirty-two bytes that are known.";
const uint8_t wt_auth_pair_private_i[32] = "the private key of the dialler..";
const uint8_t wt_auth_pair_private_r[32] = "the private key of who waits ...";

static void add_peers(struct wt_auth_pair *pair)
{
	struct wt_error err = { .struct_size = sizeof err };

	if (!pair->peer_i)
		pair->peer_i = wt_auth_rig_add(&pair->i, &pair->office, WT_AUTH_PAIR_ID_R,
					       WT_PEER_DIALS, &err);
	if (!pair->peer_r)
		pair->peer_r = wt_auth_rig_add(&pair->r, &pair->alice, WT_AUTH_PAIR_ID_I,
					       WT_PEER_ACCEPTS, &err);
	if (!pair->peer_i || !pair->peer_r)
		fail_msg("%s", err.text);
}

static void open_pair(struct wt_auth_pair *pair, const struct wt_auth_method *method,
		      uint32_t channel, bool psk)
{
	struct wt_error err = { .struct_size = sizeof err };

	memset(pair, 0, sizeof *pair);
	pair->method = method;
	pair->channel = channel;
	pair->next_index = 1000;
	memset(pair->params_i, 0x11, sizeof pair->params_i);
	memset(pair->params_r, 0x22, sizeof pair->params_r);
	pair->section_i = pair->section_r = (struct wt_auth_settings){ .name = method->name };
	pair->section_i.private_key = wt_auth_pair_private_i;
	pair->section_r.private_key = wt_auth_pair_private_r;
	pair->office = (struct wt_auth_settings){ .name = "office", .public_key = pair->public_r };
	pair->alice = (struct wt_auth_settings){ .name = "alice", .public_key = pair->public_i };
	if (psk || method == &wt_auth_hmac)
		pair->office.psk = pair->alice.psk = wt_auth_pair_psk;
	wt_auth_rig_open(&pair->i, method->name, &pair->section_i, WT_AUTH_PAIR_BOOT_MS,
			 WT_AUTH_PAIR_UNIX_MS, NULL, 0);
	wt_auth_rig_open(&pair->r, method->name, &pair->section_r, WT_AUTH_PAIR_BOOT_MS,
			 WT_AUTH_PAIR_UNIX_MS, NULL, 0);
	if (pair->i.ops->pubkey) {
		assert_int_equal(pair->i.ops->pubkey(&pair->i.plain.host, wt_auth_pair_private_i,
						     pair->public_i, &err),
				 WT_OK);
		assert_int_equal(pair->r.ops->pubkey(&pair->r.plain.host, wt_auth_pair_private_r,
						     pair->public_r, &err),
				 WT_OK);
	}
	add_peers(pair);
}

void wt_auth_pair_open(struct wt_auth_pair *pair, const struct wt_auth_method *method,
		       uint32_t channel)
{
	open_pair(pair, method, channel, false);
}

void wt_auth_pair_open_psk(struct wt_auth_pair *pair, const struct wt_auth_method *method,
			   uint32_t channel)
{
	open_pair(pair, method, channel, true);
}

static void stop(struct wt_auth_rig *rig, void **peer)
{
	wt_auth_rig_remove(rig, *peer);
	*peer = NULL;
	rig->ops->destroy(rig->self);
	rig->self = NULL;
}

static void create(struct wt_auth_rig *rig, const struct wt_auth_settings *section)
{
	struct wt_error err = { .struct_size = sizeof err };

	assert_int_equal(rig->ops->create(&rig->plain.host, (const struct wt_config *)section,
					  &rig->self, &err),
			 WT_OK);
}

void wt_auth_pair_stop(struct wt_auth_pair *pair)
{
	stop(&pair->i, &pair->peer_i);
	stop(&pair->r, &pair->peer_r);
}

void wt_auth_pair_begin(struct wt_auth_pair *pair)
{
	create(&pair->i, &pair->section_i);
	create(&pair->r, &pair->section_r);
	add_peers(pair);
}

void wt_auth_pair_restart(struct wt_auth_pair *pair, bool responder)
{
	stop(responder ? &pair->r : &pair->i, responder ? &pair->peer_r : &pair->peer_i);
	create(responder ? &pair->r : &pair->i, responder ? &pair->section_r : &pair->section_i);
	add_peers(pair);
}

void wt_auth_pair_close(struct wt_auth_pair *pair)
{
	wt_auth_rig_remove(&pair->i, pair->peer_i);
	wt_auth_rig_remove(&pair->r, pair->peer_r);
	wt_auth_rig_close(&pair->i);
	wt_auth_rig_close(&pair->r);
}

void wt_auth_pair_advance(struct wt_auth_pair *pair, uint64_t ms)
{
	wt_auth_rig_advance(&pair->i, ms);
	wt_auth_rig_advance(&pair->r, ms);
}

enum wt_auth_verdict wt_auth_pair_start(struct wt_auth_pair *pair, uint32_t unanswered)
{
	return wt_auth_rig_start(&pair->i, pair->peer_i, pair->channel, pair->next_index++,
				 unanswered, pair->params_i, &pair->m1);
}

enum wt_auth_verdict wt_auth_pair_accept(struct wt_auth_pair *pair)
{
	return wt_auth_rig_accept(&pair->r, pair->channel, pair->next_index++, pair->params_r,
				  pair->m1.reply, pair->m1.reply_len, &pair->m2);
}

enum wt_auth_verdict wt_auth_pair_m2(struct wt_auth_pair *pair)
{
	return wt_auth_rig_receive(&pair->i, pair->m1.handshake, pair->channel, pair->m2.reply,
				   pair->m2.reply_len, &pair->m3);
}

static bool keys_are_equal(const struct wt_auth_pair *pair)
{
	const struct wt_keypair_keys *i = &pair->m3.keys, *r = &pair->m2.keys;

	return memcmp(i->send_key, r->recv_key, sizeof i->send_key) == 0 &&
	       memcmp(i->recv_key, r->send_key, sizeof i->recv_key) == 0 &&
	       memcmp(i->send_iv, r->recv_iv, sizeof i->send_iv) == 0 &&
	       memcmp(i->recv_iv, r->send_iv, sizeof i->recv_iv) == 0;
}

enum wt_auth_verdict wt_auth_pair_m3(struct wt_auth_pair *pair)
{
	if (pair->method->m3 == 0) {
		if (!keys_are_equal(pair))
			return WT_AUTH_IGNORE;
		pair->r.ops->abandon(pair->r.self, NULL, pair->m2.handshake, pair->m2.local_index);
		return WT_AUTH_DONE;
	}
	return wt_auth_rig_receive(&pair->r, pair->m2.handshake, pair->channel, pair->m3.reply,
				   pair->m3.reply_len, &pair->done);
}

void wt_auth_pair_finish(struct wt_auth_pair *pair)
{
	assert_int_equal(wt_auth_pair_accept(pair), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_m2(pair), WT_AUTH_DONE);
	assert_int_equal(wt_auth_pair_m3(pair), WT_AUTH_DONE);
	assert_true(keys_are_equal(pair));
}

void wt_auth_pair_run(struct wt_auth_pair *pair)
{
	assert_int_equal(wt_auth_pair_start(pair, 0), WT_AUTH_MORE);
	wt_auth_pair_finish(pair);
}

void wt_auth_pair_until_answer(struct wt_auth_pair *pair)
{
	pair->r.clock.unix_ms += 100000;
	assert_int_equal(wt_auth_pair_start(pair, 0), WT_AUTH_MORE);
	assert_int_equal(wt_auth_pair_accept(pair), WT_AUTH_ANSWER);
	assert_int_equal(pair->m2.reply_len, pair->method->answer);
}

void wt_auth_pair_take_answer(struct wt_auth_pair *pair)
{
	assert_int_equal(wt_auth_pair_m2(pair), WT_AUTH_MORE);
	assert_int_equal(pair->m3.reply_len, pair->method->m1);
	pair->m1 = pair->m3;
}

/* ---- what must not work --------------------------------------------------- */

void wt_auth_assert_dropped(enum wt_auth_verdict verdict, const struct wt_auth_said *out,
			    enum wt_auth_reason reason)
{
	assert_int_equal(verdict, WT_AUTH_IGNORE);
	if (reason != WT_REASON_NONE)
		assert_int_equal(out->reason, reason);
	assert_int_not_equal(out->reason, WT_REASON_NONE);
	assert_int_not_equal(out->reason, WT_REASON_INTERNAL);
	assert_int_equal(out->reply_len, 0);
	assert_int_equal(out->flags & ~WT_AUTH_OUT_PEER, 0);
}

void wt_auth_pair_r_drops_first(struct wt_auth_pair *pair, const uint8_t *message, size_t len,
				enum wt_auth_reason reason)
{
	struct wt_auth_said out;

	wt_auth_assert_dropped(
		wt_auth_rig_accept(&pair->r, pair->channel, 77, pair->params_r, message, len, &out),
		&out, reason);
}

void wt_auth_pair_i_drops(struct wt_auth_pair *pair, const uint8_t *message, size_t len,
			  enum wt_auth_reason reason)
{
	struct wt_auth_said out;

	wt_auth_assert_dropped(wt_auth_rig_receive(&pair->i, pair->m1.handshake, pair->channel,
						   message, len, &out),
			       &out, reason);
}

void wt_auth_pair_r_drops(struct wt_auth_pair *pair, const uint8_t *message, size_t len,
			  enum wt_auth_reason reason)
{
	struct wt_auth_said out;

	wt_auth_assert_dropped(wt_auth_rig_receive(&pair->r, pair->m2.handshake, pair->channel,
						   message, len, &out),
			       &out, reason);
}
