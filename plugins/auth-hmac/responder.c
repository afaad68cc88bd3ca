/* SPDX-License-Identifier: MIT
 *
 * A first message of a stranger, and what follows. The order of the checks is
 * the protocol's: each one is paid for by those before it, silence is the only
 * answer until mac1 verified, and nothing is remembered of a message that is
 * not answered with M2.
 */
#include <string.h>

#include "hmac.h"

/* One M1 on its way through the checks. */
struct attempt {
	struct wt_worker *worker;
	struct wt_hmac_peer *peer; /* locked */
	const struct wt_secrets *secrets;
	const struct wt_auth_in *in;
	struct wt_auth_out *out;
	uint64_t now;  /* ours, unix ms */
	uint64_t time; /* the initiator's, from sealed1 */
	uint32_t remote_index;
	uint8_t h1[HASH_SIZE];
	uint8_t params[WT_PARAMS_SIZE]; /* the initiator's */
	uint8_t ours[WT_PARAMS_SIZE];	/* what it is told */
};

/* Does mac1 verify under `key`? */
static bool mac1_valid(const struct wt_hmac *hmac, const struct wt_auth_in *in, const uint8_t *key,
		       enum wt_auth_reason *reason)
{
	const struct wt_host *host = hmac->host;
	uint8_t mac[HASH_SIZE];

	*reason = WT_REASON_INTERNAL;
	if (wt_schedule_mac(&hmac->primitives, key, hmac->h0[in->channel - 1], in->message, M1_MAC,
			    mac) != WT_OK)
		return false;
	*reason = WT_REASON_BAD_MAC;
	return host->equal(mac, in->message + M1_MAC, HASH_SIZE);
}

/* sealed1 and the transcript hash. WT_REASON_NONE when all is well. */
static enum wt_auth_reason open_m1(const struct wt_hmac *hmac, struct attempt *a)
{
	const struct wt_host *host = hmac->host;
	const uint8_t *m1 = a->in->message;
	uint8_t key[WT_KEY_SIZE];
	enum wt_auth_reason reason = WT_REASON_NONE;

	if (wt_schedule_m1_key(&hmac->primitives, a->secrets, m1, key) != WT_OK ||
	    wt_schedule_h1(&hmac->primitives, hmac->h0[a->in->channel - 1], m1, a->h1) != WT_OK)
		reason = WT_REASON_INTERNAL;
	else if (wt_sealed_read(host, a->worker, key, m1, M1_SEALED, &a->time, a->params) != WT_OK)
		reason = WT_REASON_BAD_SEAL;
	host->wipe(key, sizeof key);
	a->remote_index = get32(m1 + M1_SENDER);
	if (reason == WT_REASON_NONE && a->remote_index == 0)
		reason = WT_REASON_STEP;
	return reason;
}

static bool seen(const struct wt_hmac *hmac, const struct wt_hmac_peer *peer, const uint8_t *e_i)
{
	for (uint64_t i = 0; i < SEEN_MAX && i < peer->seen_count; i++)
		if (hmac->host->equal(peer->seen[i], e_i, POINT_SIZE))
			return true;
	return false;
}

/* A copy of an M1 that got its M2. The one whose M3 is still waited for gets
 * the same M2, for that may have been lost. */
static enum wt_auth_verdict repeat_m2(const struct wt_hmac *hmac, struct attempt *a)
{
	struct wt_hmac_handshake *handshake = &a->peer->handshakes[a->in->channel - 1];
	enum wt_auth_reason reason = WT_REASON_REPLAY;

	if (handshake->state == STATE_PENDING && hmac->host->equal(handshake->h1, a->h1, HASH_SIZE))
		reason = wt_answered_again(&handshake->u.responder.answered, a->in,
					   hmac->host->boot_ms(hmac->host));
	if (reason != WT_REASON_NONE)
		return wt_verdict_drop(a->out, reason);
	wt_hmac_identify(a->out, handshake);
	a->out->flags |= WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_REPEATED;
	a->out->remote_index = a->remote_index;
	wt_verdict_reply(a->out, handshake->u.responder.m2, M2_SIZE);
	return WT_AUTH_MORE;
}

/* Why is this M1 not fresh by its time? WT_REASON_NONE: it is. */
static enum wt_auth_reason stale(const struct attempt *a)
{
	if (!wt_clock_near(a->time, a->now))
		return WT_REASON_CLOCK;
	return a->time > a->peer->last_time ? WT_REASON_NONE : WT_REASON_REPLAY;
}

static enum wt_auth_verdict answer_retry(struct wt_hmac *hmac, struct attempt *a,
					 enum wt_auth_reason reason)
{
	uint8_t retry[RETRY_SIZE];

	put_header(retry, STEP_RETRY, a->remote_index);
	put64(retry + RETRY_TIME, a->now);
	if (wt_token_make(&hmac->flood, &hmac->primitives, hmac->host, a->peer->id, a->in,
			  retry + RETRY_TOKEN) != WT_OK ||
	    wt_schedule_mac(&hmac->primitives, a->secrets->server, a->h1, retry, RETRY_MAC,
			    retry + RETRY_MAC) != WT_OK)
		return wt_verdict_drop(a->out, WT_REASON_INTERNAL);
	a->out->reason = reason;
	if (reason == WT_REASON_CLOCK)
		a->out->clock_off_ms = wt_clock_off(a->time, a->now);
	wt_verdict_reply(a->out, retry, sizeof retry);
	return WT_AUTH_ANSWER;
}

static enum wt_status build_m2(const struct wt_hmac *hmac, const struct attempt *a, uint8_t *m2,
			       struct wt_finish *finish)
{
	const struct wt_host *host = hmac->host;
	const struct wt_primitives *p = &hmac->primitives;
	uint8_t e[POINT_SIZE], ck[HASH_SIZE], key[WT_KEY_SIZE];

	host->random(host, e, sizeof e);
	put_header(m2, STEP_M2, a->remote_index);
	put32(m2 + M2_SENDER, a->in->local_index);
	enum wt_status status =
		wt_hmac_exchange(hmac, a->worker, a->secrets, e, a->in->message + M1_POINT, ck);

	if (status != WT_OK)
		goto out;
	status = WT_ERR_CRYPTO;
	if (wt_x25519_public(e, m2 + M2_POINT) != WT_OK ||
	    wt_schedule_m2_key(p, ck, a->h1, m2, key) != WT_OK ||
	    wt_sealed_write(host, a->worker, key, m2, M2_SEALED, a->now, a->ours) != WT_OK ||
	    wt_schedule_finish(p, ck, a->h1, m2, a->in->local_index, finish) != WT_OK)
		goto out;
	memcpy(m2 + M2_PROOF, finish->proof_r, HASH_SIZE);
	status = wt_schedule_mac(p, a->secrets->server, a->h1, m2, M2_MAC, m2 + M2_MAC);
out:
	host->wipe(e, sizeof e);
	host->wipe(ck, sizeof ck);
	host->wipe(key, sizeof key);
	return status;
}

/* The only place where an M1 changes what we know of a peer. */
static void remember(const struct wt_hmac *hmac, const struct attempt *a, const uint8_t *m2,
		     const struct wt_finish *finish)
{
	const struct wt_host *host = hmac->host;
	struct wt_hmac_peer *peer = a->peer;
	struct wt_hmac_handshake *handshake = &peer->handshakes[a->in->channel - 1];

	/* A time far ahead, let in by its token, must not shut out what comes
	 * after it. */
	if (a->time > peer->last_time &&
	    (a->time <= a->now || a->time - a->now <= CLOCK_TOLERANCE_MS))
		peer->last_time = a->time;
	memcpy(peer->seen[peer->seen_count % SEEN_MAX], a->in->message + M1_POINT, POINT_SIZE);
	peer->seen_count++;
	wt_hmac_forget(hmac, handshake);
	handshake->state = STATE_PENDING;
	handshake->local_index = a->in->local_index;
	memcpy(handshake->h1, a->h1, HASH_SIZE);
	wt_answered_begin(&handshake->u.responder.answered, a->in, host->boot_ms(host));
	memcpy(handshake->u.responder.proof_i, finish->proof_i, HASH_SIZE);
	memcpy(handshake->u.responder.m2, m2, M2_SIZE);
}

static enum wt_auth_verdict answer_m2(struct wt_hmac *hmac, struct attempt *a)
{
	struct wt_hmac_handshake *handshake = &a->peer->handshakes[a->in->channel - 1];
	struct wt_auth_out *out = a->out;
	struct wt_finish finish;
	uint8_t m2[M2_SIZE];
	enum wt_status status = build_m2(hmac, a, m2, &finish);

	if (status == WT_OK) {
		remember(hmac, a, m2, &finish);
		wt_hmac_identify(out, handshake);
		out->flags |= WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS;
		out->remote_index = a->remote_index;
		memcpy(out->peer_params, a->params, WT_PARAMS_SIZE);
		memcpy(out->send_key, finish.r2i_key, WT_KEY_SIZE);
		memcpy(out->recv_key, finish.i2r_key, WT_KEY_SIZE);
		memcpy(out->send_iv, finish.r2i_iv, WT_NONCE_SIZE);
		memcpy(out->recv_iv, finish.i2r_iv, WT_NONCE_SIZE);
		wt_verdict_reply(out, m2, sizeof m2);
	}
	hmac->host->wipe(&finish, sizeof finish);
	return status == WT_OK ? WT_AUTH_MORE : wt_verdict_drop(out, wt_hmac_reason(status));
}

/* All that is decided once the tag named a peer, or the decoy; it is locked. */
static enum wt_auth_verdict consider(struct wt_hmac *hmac, struct attempt *a)
{
	const struct wt_host *host = hmac->host;
	const struct wt_auth_in *in = a->in;
	enum wt_auth_reason reason;

	const bool valid = mac1_valid(hmac, in, a->secrets->client, &reason);

	if (a->peer == &hmac->peers.decoy)
		return wt_verdict_drop(a->out, WT_REASON_UNKNOWN_PEER);
	if (!valid)
		return wt_verdict_drop(a->out, reason);
	a->out->flags |= WT_AUTH_OUT_PEER;
	a->out->peer_id = a->peer->id;
	/* An M1 of ours that somebody sent back, or of a peer that thinks it
	 * should dial too. */
	if (a->peer->roles != WT_PEER_ACCEPTS)
		return wt_verdict_drop(a->out, WT_REASON_BOTH_DIAL);
	const bool loaded = wt_flood_note(&hmac->flood, &hmac->flood.accepts, host);

	reason = open_m1(hmac, a);
	if (reason != WT_REASON_NONE)
		return wt_verdict_drop(a->out, reason);
	if (seen(hmac, a->peer, in->message + M1_POINT))
		return repeat_m2(hmac, a);
	if (!wt_token_valid(&hmac->flood, &hmac->primitives, host, a->peer->id, in)) {
		static const uint8_t no_token[TOKEN_SIZE] = { 0 };

		reason = stale(a);
		if (reason != WT_REASON_NONE &&
		    !host->equal(in->message + M1_TOKEN, no_token, TOKEN_SIZE))
			reason = WT_REASON_TOKEN;
		if (reason == WT_REASON_NONE && loaded)
			reason = WT_REASON_LOAD;
		if (reason != WT_REASON_NONE)
			return answer_retry(hmac, a, reason);
	} else if (loaded && !host->rate_allow(host, a->worker, a->peer->id, in->source_prefix,
					       in->source_prefix_len, LOAD_RATE, LOAD_BURST)) {
		return wt_verdict_drop(a->out, WT_REASON_RATE);
	}
	if (host->auth_params(host, a->worker, a->peer->id, a->params, a->ours) != WT_OK)
		return wt_verdict_drop(a->out, WT_REASON_PARAMS);
	return answer_m2(hmac, a);
}

enum wt_auth_verdict wt_responder_accept(struct wt_hmac *hmac, struct wt_worker *worker,
					 const struct wt_auth_in *in, struct wt_auth_out *out)
{
	const struct wt_host *host = hmac->host;
	struct attempt a = { .worker = worker, .in = in, .out = out };
	uint32_t key;

	if (in->message_len != M1_SIZE)
		return wt_verdict_drop(out, WT_REASON_LENGTH);
	a.now = host->unix_ms(host);
	a.peer = wt_peers_find(&hmac->peers, &hmac->primitives, host, in->message + M1_TAG, &key);
	a.secrets = &a.peer->keys[key];
	enum wt_auth_verdict verdict = consider(hmac, &a);

	pthread_mutex_unlock(&a.peer->lock);
	return verdict;
}

enum wt_auth_verdict wt_responder_receive(struct wt_hmac *hmac, struct wt_hmac_handshake *handshake,
					  const struct wt_auth_in *in, struct wt_auth_out *out)
{
	const struct wt_host *host = hmac->host;

	if (in->message[HEADER_STEP] != STEP_M3)
		return wt_verdict_drop(out, WT_REASON_STEP);
	if (in->message_len != M3_SIZE)
		return wt_verdict_drop(out, WT_REASON_LENGTH);
	if (in->association != handshake->u.responder.answered.association ||
	    (handshake->state == STATE_PENDING &&
	     host->boot_ms(host) - handshake->u.responder.answered.first_ms >= PENDING_MS))
		return wt_verdict_drop(out, WT_REASON_STEP);
	if (!host->equal(in->message + M3_PROOF, handshake->u.responder.proof_i, HASH_SIZE))
		return wt_verdict_drop(out, WT_REASON_BAD_MAC);
	handshake->state = STATE_DONE;
	wt_hmac_identify(out, handshake);
	out->flags |= WT_AUTH_OUT_AUTHENTIC;
	out->remote_index = get32(handshake->u.responder.m2 + HEADER_INDEX);
	return WT_AUTH_DONE;
}
