/* SPDX-License-Identifier: MIT
 *
 * A handshake of ours: M1, perhaps RETRY and M1 again, M2, M3. A message that
 * is dropped changes nothing: the attempt goes on until the core gives it up.
 */
#include <string.h>

#include "hmac.h"

/* Which key and which tag a first message uses. Silence may mean a dead link,
 * but also a clock that is off by hours or a key that the other end has already
 * replaced, so after three silent tries these take turns:
 *
 *	try	0 1 2	3	4	5	6	(7 as 3, and so on)
 *	tag	hour	static	hour	static	hour
 *	key	the one answered last	other	other	answered last
 */
static void choose(const struct wt_hmac_peer *peer, uint32_t unanswered, uint32_t *key,
		   bool *static_tag)
{
	*key = peer->preferred;
	*static_tag = false;
	if (unanswered < SILENT_TRIES)
		return;
	const uint32_t turn = (unanswered - SILENT_TRIES) % 4u;

	*static_tag = turn % 2u == 0;
	if (peer->key_count > 1 && (turn == 1 || turn == 2))
		*key = peer->preferred == KEY_CURRENT ? KEY_NEXT : KEY_CURRENT;
}

/* Token, zeros and mac1: all of M1 that a RETRY changes. */
static enum wt_status complete_m1(const struct wt_hmac *hmac,
				  const struct wt_hmac_handshake *handshake, const uint8_t *token,
				  uint8_t *m1)
{
	const struct wt_secrets *secrets = &handshake->peer->keys[handshake->key];

	if (token)
		memcpy(m1 + M1_TOKEN, token, TOKEN_SIZE);
	return wt_schedule_mac(&hmac->primitives, secrets->client, hmac->h0[handshake->channel - 1],
			       m1, M1_MAC, m1 + M1_MAC);
}

static enum wt_status build_m1(const struct wt_hmac *hmac, struct wt_worker *worker,
			       struct wt_hmac_handshake *handshake,
			       const struct wt_auth_start *start, bool static_tag)
{
	const struct wt_host *host = hmac->host;
	const struct wt_primitives *p = &hmac->primitives;
	const struct wt_secrets *secrets = &handshake->peer->keys[handshake->key];
	const uint64_t time = host->unix_ms(host) + handshake->peer->clock_offset;
	uint8_t *m1 = handshake->u.initiator.m1, key[WT_KEY_SIZE];
	enum wt_status status = WT_ERR_CRYPTO;

	host->random(host, handshake->u.initiator.e, POINT_SIZE);
	put_header(m1, STEP_M1, 0);
	put32(m1 + M1_SENDER, start->local_index);
	if (wt_schedule_tag(p, secrets, static_tag ? STATIC_TAG_TIME : time / HOUR_MS,
			    m1 + M1_TAG) == WT_OK &&
	    wt_x25519_public(handshake->u.initiator.e, m1 + M1_POINT) == WT_OK &&
	    wt_schedule_m1_key(p, secrets, m1, key) == WT_OK &&
	    wt_sealed_write(host, worker, key, m1, M1_SEALED, time, start->params) == WT_OK &&
	    wt_schedule_h1(p, hmac->h0[start->channel - 1], m1, handshake->h1) == WT_OK &&
	    complete_m1(hmac, handshake, NULL, m1) == WT_OK)
		status = WT_OK;
	host->wipe(key, sizeof key);
	return status;
}

enum wt_auth_verdict wt_initiator_start(struct wt_hmac *hmac, struct wt_worker *worker,
					struct wt_hmac_peer *peer,
					const struct wt_auth_start *start, struct wt_auth_out *out)
{
	struct wt_hmac_handshake *handshake = &peer->handshakes[start->channel - 1];
	bool static_tag;

	if (peer->roles != WT_PEER_DIALS)
		return wt_verdict_drop(out, WT_REASON_STEP);
	wt_hmac_forget(hmac, handshake);
	choose(peer, start->unanswered, &handshake->key, &static_tag);
	if (build_m1(hmac, worker, handshake, start, static_tag) != WT_OK) {
		wt_hmac_forget(hmac, handshake);
		return wt_verdict_drop(out, WT_REASON_INTERNAL);
	}
	handshake->state = STATE_SENT;
	handshake->local_index = start->local_index;
	wt_hmac_identify(out, handshake);
	wt_verdict_reply(out, handshake->u.initiator.m1, M1_SIZE);
	return WT_AUTH_MORE;
}

static enum wt_auth_verdict receive_retry(struct wt_hmac *hmac, struct wt_hmac_handshake *handshake,
					  const struct wt_auth_in *in, struct wt_auth_out *out)
{
	const struct wt_host *host = hmac->host;
	struct wt_hmac_peer *peer = handshake->peer;
	uint8_t mac[HASH_SIZE], m1[M1_SIZE];

	if (wt_schedule_mac(&hmac->primitives, peer->keys[handshake->key].server, handshake->h1,
			    in->message, RETRY_MAC, mac) != WT_OK)
		return wt_verdict_drop(out, WT_REASON_INTERNAL);
	if (!host->equal(mac, in->message + RETRY_MAC, HASH_SIZE))
		return wt_verdict_drop(out, WT_REASON_BAD_MAC);
	/* One for each e_i: copies of it must not make us send. */
	if (handshake->state == STATE_RETRIED)
		return wt_verdict_drop(out, WT_REASON_REPLAY);
	memcpy(m1, handshake->u.initiator.m1, sizeof m1);
	if (complete_m1(hmac, handshake, in->message + RETRY_TOKEN, m1) != WT_OK)
		return wt_verdict_drop(out, WT_REASON_INTERNAL);
	memcpy(handshake->u.initiator.m1, m1, sizeof m1);
	handshake->state = STATE_RETRIED;
	/* sealed1 stays as it is: one key and nonce never seal two texts. The
	 * token stands in for its time; the next M1 has the right one. */
	peer->clock_offset = get64(in->message + RETRY_TIME) - host->unix_ms(host);
	peer->preferred = handshake->key;
	out->flags |= WT_AUTH_OUT_AUTHENTIC;
	wt_hmac_identify(out, handshake);
	wt_verdict_reply(out, m1, M1_SIZE);
	return WT_AUTH_MORE;
}

/* From M2, whose mac2 verified, to what it carries and the keys. WT_REASON_NONE
 * when the responder is proven; the outputs are to be wiped in any case. */
static enum wt_auth_reason open_m2(const struct wt_hmac *hmac, struct wt_worker *worker,
				   const struct wt_hmac_handshake *handshake, const uint8_t *m2,
				   uint8_t *params, struct wt_finish *finish)
{
	const struct wt_host *host = hmac->host;
	const struct wt_primitives *p = &hmac->primitives;
	const struct wt_secrets *secrets = &handshake->peer->keys[handshake->key];
	enum wt_auth_reason reason = WT_REASON_INTERNAL;
	uint8_t ck[HASH_SIZE], key[WT_KEY_SIZE];
	uint64_t time; /* R's, not used */
	enum wt_status status = wt_hmac_exchange(hmac, worker, secrets, handshake->u.initiator.e,
						 m2 + M2_POINT, ck);

	if (status != WT_OK) {
		reason = wt_hmac_reason(status);
		goto out;
	}
	if (wt_schedule_m2_key(p, ck, handshake->h1, m2, key) != WT_OK)
		goto out;
	if (wt_sealed_read(host, worker, key, m2, M2_SEALED, &time, params) != WT_OK) {
		reason = WT_REASON_BAD_SEAL;
		goto out;
	}
	if (wt_schedule_finish(p, ck, handshake->h1, m2, get32(m2 + M2_SENDER), finish) != WT_OK)
		goto out;
	reason = host->equal(finish->proof_r, m2 + M2_PROOF, HASH_SIZE) ? WT_REASON_NONE
									: WT_REASON_BAD_MAC;
out:
	host->wipe(ck, sizeof ck);
	host->wipe(key, sizeof key);
	return reason;
}

static void write_m3(struct wt_auth_out *out, uint32_t index_r, const struct wt_finish *finish)
{
	uint8_t m3[M3_SIZE];

	put_header(m3, STEP_M3, index_r);
	memcpy(m3 + M3_PROOF, finish->proof_i, HASH_SIZE);
	wt_verdict_reply(out, m3, sizeof m3);
}

static enum wt_auth_verdict receive_m2(struct wt_hmac *hmac, struct wt_worker *worker,
				       struct wt_hmac_handshake *handshake,
				       const struct wt_auth_in *in, struct wt_auth_out *out)
{
	const struct wt_host *host = hmac->host;
	struct wt_hmac_peer *peer = handshake->peer;
	const uint32_t index_r = get32(in->message + M2_SENDER);
	uint8_t mac[HASH_SIZE], params[WT_PARAMS_SIZE];
	struct wt_finish finish;
	enum wt_auth_reason reason = WT_REASON_INTERNAL;

	/* First, so that a forged M2 costs no Diffie-Hellman. */
	if (wt_schedule_mac(&hmac->primitives, peer->keys[handshake->key].server, handshake->h1,
			    in->message, M2_MAC, mac) != WT_OK)
		return wt_verdict_drop(out, WT_REASON_INTERNAL);
	if (!host->equal(mac, in->message + M2_MAC, HASH_SIZE))
		return wt_verdict_drop(out, WT_REASON_BAD_MAC);
	if (index_r == 0)
		return wt_verdict_drop(out, WT_REASON_STEP);
	reason = open_m2(hmac, worker, handshake, in->message, params, &finish);
	if (reason == WT_REASON_NONE &&
	    host->auth_params(host, worker, peer->id, params, NULL) != WT_OK)
		reason = WT_REASON_PARAMS;
	if (reason == WT_REASON_NONE) {
		peer->preferred = handshake->key;
		wt_hmac_identify(out, handshake);
		out->flags |= WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS;
		out->remote_index = index_r;
		memcpy(out->peer_params, params, WT_PARAMS_SIZE);
		memcpy(out->send_key, finish.i2r_key, WT_KEY_SIZE);
		memcpy(out->recv_key, finish.r2i_key, WT_KEY_SIZE);
		memcpy(out->send_iv, finish.i2r_iv, WT_NONCE_SIZE);
		memcpy(out->recv_iv, finish.r2i_iv, WT_NONCE_SIZE);
		write_m3(out, index_r, &finish);
		/* The core repeats M3; a second M2 finds nothing here. */
		wt_hmac_forget(hmac, handshake);
	}
	host->wipe(&finish, sizeof finish);
	return reason == WT_REASON_NONE ? WT_AUTH_DONE : wt_verdict_drop(out, reason);
}

enum wt_auth_verdict wt_initiator_receive(struct wt_hmac *hmac, struct wt_worker *worker,
					  struct wt_hmac_handshake *handshake,
					  const struct wt_auth_in *in, struct wt_auth_out *out)
{
	switch (in->message[HEADER_STEP]) {
	case STEP_RETRY:
		if (in->message_len != RETRY_SIZE)
			return wt_verdict_drop(out, WT_REASON_LENGTH);
		return receive_retry(hmac, handshake, in, out);
	case STEP_M2:
		if (in->message_len != M2_SIZE)
			return wt_verdict_drop(out, WT_REASON_LENGTH);
		return receive_m2(hmac, worker, handshake, in, out);
	default:
		return wt_verdict_drop(out, WT_REASON_STEP);
	}
}
