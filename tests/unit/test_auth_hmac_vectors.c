/* SPDX-License-Identifier: MIT
 *
 * auth-hmac against the frozen vectors of the independent reference, byte for
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

#define N_VECTORS (sizeof wt_handshake_vectors / sizeof wt_handshake_vectors[0])
#define MINUTE_MS UINT64_C(60000)

struct end {
	struct wt_auth_rig rig;
	struct wt_auth_settings section, settings;
	char realm[256];
	void *peer;
};

static void end_open(struct end *end, const struct wt_handshake_vector *v, uint64_t unix_ms,
		     uint32_t roles)
{
	struct wt_error err = { .struct_size = sizeof err };
	/* create() draws the decoy, then the token secrets, newest first. */
	uint8_t queue[96] = { 0 };

	memcpy(queue + 32, v->token_secret, 32);
	memset(end, 0, sizeof *end);
	memcpy(end->realm, v->realm, v->realm_len);
	end->section = (struct wt_auth_settings){ .name = "hmac", .realm = end->realm };
	end->settings = (struct wt_auth_settings){ .name = "peer", .psk = v->psk };
	wt_auth_rig_open(&end->rig, "hmac", &end->section, v->boot_minute * MINUTE_MS, unix_ms,
			 queue, sizeof queue);
	assert_int_equal(v->source_len, sizeof end->rig.source);
	memcpy(end->rig.source, v->source, v->source_len);
	end->peer = wt_auth_rig_add(&end->rig, &end->settings, v->peer_id, roles, &err);
	assert_non_null(end->peer);
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

static void initiator_follows(const struct wt_handshake_vector *v)
{
	struct end end;
	struct wt_auth_said out;

	end_open(&end, v, v->unix_ms_i, WT_PEER_DIALS);
	wt_auth_rig_queue(&end.rig, v->e_i_private, 32);
	assert_int_equal(wt_auth_rig_start(&end.rig, end.peer, v->channel, v->index_i,
					   v->static_tag ? 3 : 0, v->params_i, &out),
			 WT_AUTH_MORE);
	assert_reply(&out, v->m1, v->m1_len);
	assert_int_equal(out.local_index, v->index_i);
	void *handshake = out.handshake;

	if (v->retry_len > 0) {
		assert_int_equal(wt_auth_rig_receive(&end.rig, handshake, v->channel, v->retry,
						     v->retry_len, &out),
				 WT_AUTH_MORE);
		assert_reply(&out, v->m1_again, v->m1_again_len);
	}
	assert_int_equal(
		wt_auth_rig_receive(&end.rig, handshake, v->channel, v->m2, v->m2_len, &out),
		WT_AUTH_DONE);
	assert_reply(&out, v->m3, v->m3_len);
	assert_int_equal(out.remote_index, v->index_r);
	assert_memory_equal(out.peer_params, v->params_r, WT_PARAMS_SIZE);
	assert_memory_equal(out.keys.send_key, v->i2r_key, WT_KEY_SIZE);
	assert_memory_equal(out.keys.send_iv, v->i2r_iv, WT_NONCE_SIZE);
	assert_memory_equal(out.keys.recv_key, v->r2i_key, WT_KEY_SIZE);
	assert_memory_equal(out.keys.recv_iv, v->r2i_iv, WT_NONCE_SIZE);
	end_close(&end);
}

static void responder_follows(const struct wt_handshake_vector *v)
{
	const uint8_t *m1 = v->retry_len > 0 ? v->m1_again : v->m1;
	struct end end;
	struct wt_auth_said out;

	end_open(&end, v, v->unix_ms_r, WT_PEER_ACCEPTS);
	if (v->retry_len > 0) {
		assert_int_equal(wt_auth_rig_accept(&end.rig, v->channel, 1, v->params_r, v->m1,
						    v->m1_len, &out),
				 WT_AUTH_ANSWER);
		assert_reply(&out, v->retry, v->retry_len);
		assert_int_equal(out.clock_off_ms, -v->clock_offset_ms);
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
	assert_int_equal(
		wt_auth_rig_receive(&end.rig, out.handshake, v->channel, v->m3, v->m3_len, &out),
		WT_AUTH_DONE);
	end_close(&end);
}

static void the_initiator_writes_the_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++)
		initiator_follows(&wt_handshake_vectors[i]);
}

static void the_responder_writes_the_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++)
		responder_follows(&wt_handshake_vectors[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_initiator_writes_the_vectors),
		cmocka_unit_test(the_responder_writes_the_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
