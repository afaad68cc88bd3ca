/* SPDX-License-Identifier: MIT
 *
 * auth-noise against the frozen vectors of the independent reference, byte for
 * byte: each end alone, with the randomness and the clock of the vector.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reference/vectors.h"
#include "support/auth_rig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct end {
	struct wt_auth_rig rig;
	struct wt_auth_settings section, settings;
	char realm[256];
	void *peer;
};

static void end_open(struct end *end, const struct wt_noise_vector *v, bool initiator)
{
	struct wt_error err = { .struct_size = sizeof err };
	/* create() draws 8 bytes for the buckets, the decoy, then the secrets of
	 * cookies, newest first. */
	uint8_t queue[8 + 32 + 32 + 32] = { 0 };

	memcpy(queue + 8 + 32, v->cookie_secret, 32);
	memset(end, 0, sizeof *end);
	memcpy(end->realm, v->realm, v->realm_len);
	end->section = (struct wt_auth_settings){
		.name = "noise",
		.realm = end->realm,
		.private_key = initiator ? v->i_private : v->r_private,
	};
	end->settings = (struct wt_auth_settings){
		.name = "peer",
		.public_key = initiator ? v->r_public : v->i_public,
		.psk = v->has_psk ? v->psk : NULL,
	};
	wt_auth_rig_open(&end->rig, "noise", &end->section, 1000000,
			 initiator ? v->unix_ms_i : v->unix_ms_r, queue, sizeof queue);
	assert_int_equal(v->source_len, sizeof end->rig.source);
	memcpy(end->rig.source, v->source, v->source_len);
	end->peer = wt_auth_rig_add(&end->rig, &end->settings, 1,
				    initiator ? WT_PEER_DIALS : WT_PEER_ACCEPTS, &err);
	if (!end->peer)
		fail_msg("%s", err.text);
}

static void end_close(struct end *end)
{
	wt_auth_rig_remove(&end->rig, end->peer);
	wt_auth_rig_close(&end->rig);
}

static void assert_reply(const struct wt_auth_said *out, const uint8_t *want, uint32_t len)
{
	assert_int_equal(out->reply_len, len);
	assert_memory_equal(out->reply, want, len);
}

static void initiator_follows(const struct wt_noise_vector *v)
{
	struct end end;
	struct wt_auth_said out;

	end_open(&end, v, true);
	wt_auth_rig_queue(&end.rig, v->e_i_private, 32);
	assert_int_equal(
		wt_auth_rig_start(&end.rig, end.peer, v->channel, v->index_i, 0, v->params_i, &out),
		WT_AUTH_MORE);
	assert_reply(&out, v->m1, v->m1_len);
	void *handshake = out.handshake;

	if (v->cookie_len > 0) {
		assert_int_equal(wt_auth_rig_receive(&end.rig, handshake, v->channel, v->cookie,
						     v->cookie_len, &out),
				 WT_AUTH_MORE);
		assert_reply(&out, v->m1_again, v->m1_again_len);
	}
	assert_int_equal(
		wt_auth_rig_receive(&end.rig, handshake, v->channel, v->m2, v->m2_len, &out),
		WT_AUTH_DONE);
	assert_int_equal(out.reply_len, 0);
	assert_int_equal(out.remote_index, v->index_r);
	assert_memory_equal(out.peer_params, v->params_r, WT_PARAMS_SIZE);
	assert_memory_equal(out.keys.send_key, v->i2r_key, WT_KEY_SIZE);
	assert_memory_equal(out.keys.send_iv, v->i2r_iv, WT_NONCE_SIZE);
	assert_memory_equal(out.keys.recv_key, v->r2i_key, WT_KEY_SIZE);
	assert_memory_equal(out.keys.recv_iv, v->r2i_iv, WT_NONCE_SIZE);
	end_close(&end);
}

static void responder_follows(const struct wt_noise_vector *v)
{
	const uint8_t *m1 = v->cookie_len > 0 ? v->m1_again : v->m1;
	struct end end;
	struct wt_auth_said out;

	end_open(&end, v, false);
	if (v->cookie_len > 0) {
		wt_auth_rig_queue(&end.rig, v->n, 32);
		assert_int_equal(wt_auth_rig_accept(&end.rig, v->channel, 1, v->params_r, v->m1,
						    v->m1_len, &out),
				 WT_AUTH_ANSWER);
		assert_reply(&out, v->cookie, v->cookie_len);
	}
	wt_auth_rig_queue(&end.rig, v->e_r_private, 32);
	assert_int_equal(wt_auth_rig_accept(&end.rig, v->channel, v->index_r, v->params_r, m1,
					    v->m1_len, &out),
			 WT_AUTH_MORE);
	assert_reply(&out, v->m2, v->m2_len);
	assert_int_equal(out.remote_index, v->index_i);
	assert_memory_equal(out.peer_params, v->params_i, WT_PARAMS_SIZE);
	assert_memory_equal(out.keys.send_key, v->r2i_key, WT_KEY_SIZE);
	assert_memory_equal(out.keys.send_iv, v->r2i_iv, WT_NONCE_SIZE);
	assert_memory_equal(out.keys.recv_key, v->i2r_key, WT_KEY_SIZE);
	assert_memory_equal(out.keys.recv_iv, v->i2r_iv, WT_NONCE_SIZE);
	end_close(&end);
}

static void the_initiator_writes_the_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wt_noise_vectors); i++)
		initiator_follows(&wt_noise_vectors[i]);
}

static void the_responder_writes_the_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wt_noise_vectors); i++)
		responder_follows(&wt_noise_vectors[i]);
}

/* What is right up to one flaw: the reason, and what it cost. */
static void each_flaw_has_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wt_noise_hostile_vectors); i++) {
		const struct wt_noise_hostile_vector *v = &wt_noise_hostile_vectors[i];
		const bool initiator = v->step == 2;
		const struct wt_auth_settings section = { .name = "noise",
							  .private_key = initiator ? v->i_private
										   : v->r_private },
					      peer = { .name = "p",
						       .public_key = initiator ? v->r_public
									       : v->i_public };
		struct wt_error err = { .struct_size = sizeof err };
		struct wt_auth_rig rig;
		struct wt_auth_said out;

		wt_auth_rig_open(&rig, "noise", &section, 1000000, v->unix_ms, NULL, 0);
		void *p = wt_auth_rig_add(&rig, &peer, 1,
					  initiator ? WT_PEER_DIALS : WT_PEER_ACCEPTS, &err);

		assert_non_null(p);
		if (initiator) {
			wt_auth_rig_queue(&rig, v->e_i_private, 32);
			assert_int_equal(wt_auth_rig_start(&rig, p, WT_CHANNEL_STREAM, v->index_i,
							   0, v->params_i, &out),
					 WT_AUTH_MORE);
			(void)wt_auth_rig_receive(&rig, out.handshake, WT_CHANNEL_STREAM,
						  v->message, v->message_len, &out);
		} else {
			(void)wt_auth_rig_accept(&rig, WT_CHANNEL_STREAM, 5, v->params_i,
						 v->message, v->message_len, &out);
		}
		if (out.reason != v->reason || rig.dh != v->dh)
			fail_msg("%s: reason %u, %u exchanges", v->name, out.reason, rig.dh);
		if (v->reason != WT_REASON_NONE) {
			assert_int_equal(out.reply_len, 0);
			assert_int_equal(out.flags & ~WT_AUTH_OUT_PEER, 0);
		}
		wt_auth_rig_remove(&rig, p);
		wt_auth_rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_initiator_writes_the_vectors),
		cmocka_unit_test(the_responder_writes_the_vectors),
		cmocka_unit_test(each_flaw_has_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
