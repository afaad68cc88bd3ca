/* SPDX-License-Identifier: MIT
 *
 * A handshake of ours: M1, perhaps COOKIE and M1 again, M2. A message that is
 * dropped changes nothing: the attempt goes on until the core gives it up.
 */
#include <string.h>

#include "noise.h"

/* The time of a new M1: ours, but later than that of the last one, which may
 * have been made in this millisecond, or before our clock was set back a
 * little. A clock that was far ahead is not followed: that would last. */
static struct wt_stamp next_stamp(const struct wt_noise_peer *peer, uint64_t now_ms)
{
	const struct wt_stamp now = wt_stamp_of(now_ms);

	if (wt_stamp_after(now, peer->last_sent) ||
	    !wt_clock_near(wt_stamp_ms(peer->last_sent), now_ms))
		return now;
	return wt_stamp_next(peer->last_sent);
}

static enum wt_status build_m1(const struct wt_noise *noise, struct wt_worker *worker,
			       struct wt_noise_handshake *handshake,
			       const struct wt_auth_start *start)
{
	const struct wt_host *host = noise->host;
	const struct wt_noise_tools tools = wt_noise_tools(noise, worker);
	struct wt_noise_peer *peer = handshake->peer;
	struct wt_ik *ik = &handshake->u.initiator.ik;
	uint8_t *m1 = handshake->u.initiator.m1;
	uint8_t prologue[PROLOGUE_MAX], payload[M1_PLAIN];
	enum wt_status status;

	put_header(m1, STEP_M1, 0);
	put32(m1 + SENDER, start->local_index);
	peer->last_sent = next_stamp(peer, host->unix_ms(host));
	wt_stamp_put(payload, peer->last_sent);
	memcpy(payload + STAMP_SIZE, start->params, WT_PARAMS_SIZE);
	host->random(host, ik->e, POINT_SIZE);
	status = wt_ik_begin(&tools, ik, prologue,
			     wt_noise_prologue(noise, start->channel, m1, prologue),
			     peer->public_key);
	if (status == WT_OK)
		status = wt_ik_write_first(&tools, ik, &noise->us, peer->public_key, peer->ss,
					   payload, sizeof payload, m1 + POINT);
	if (status == WT_OK)
		status = wt_mac_write(&noise->primitives, peer->macs.mac1, HASH_SIZE, m1, M1_MAC1,
				      m1 + M1_MAC1);
	return status;
}

enum wt_auth_verdict wt_noise_start(struct wt_noise *noise, struct wt_worker *worker,
				    struct wt_noise_peer *peer, const struct wt_auth_start *start,
				    struct wt_auth_out *out)
{
	struct wt_noise_handshake *handshake = &peer->handshakes[start->channel - 1];

	if (peer->roles != WT_PEER_DIALS)
		return wt_verdict_drop(out, WT_REASON_STEP);
	wt_noise_forget(noise, handshake);
	if (build_m1(noise, worker, handshake, start) != WT_OK) {
		wt_noise_forget(noise, handshake);
		return wt_verdict_drop(out, WT_REASON_INTERNAL);
	}
	handshake->state = STATE_SENT;
	handshake->local_index = start->local_index;
	wt_noise_identify(out, handshake);
	wt_verdict_reply(out, handshake->u.initiator.m1, M1_SIZE);
	return WT_AUTH_MORE;
}

static enum wt_auth_verdict receive_cookie(struct wt_noise *noise, struct wt_worker *worker,
					   struct wt_noise_handshake *handshake,
					   const struct wt_auth_in *in, struct wt_auth_out *out)
{
	const struct wt_noise_tools tools = wt_noise_tools(noise, worker);
	uint8_t *m1 = handshake->u.initiator.m1, *last = handshake->u.initiator.cookie;
	uint8_t cookie[COOKIE_SIZE], mac2[MAC_SIZE];
	enum wt_auth_reason reason = WT_REASON_NONE;
	enum wt_status status =
		wt_cookie_read(&tools, &handshake->peer->macs, m1, in->message, cookie);

	if (status != WT_OK)
		return wt_verdict_drop(out, status == WT_ERR_AUTH ? WT_REASON_BAD_SEAL
								  : WT_REASON_INTERNAL);
	/* Copies must not make us send, nor must many that were made up. */
	if (handshake->u.initiator.cookies > 0 && noise->host->equal(cookie, last, COOKIE_SIZE))
		reason = WT_REASON_REPLAY;
	else if (handshake->u.initiator.cookies >= COOKIES_MAX)
		reason = WT_REASON_RATE;
	else if (wt_mac_write(&noise->primitives, cookie, COOKIE_SIZE, m1, M1_MAC2, mac2) != WT_OK)
		reason = WT_REASON_INTERNAL;
	if (reason == WT_REASON_NONE) {
		memcpy(last, cookie, COOKIE_SIZE);
		handshake->u.initiator.cookies++;
		memcpy(m1 + M1_MAC2, mac2, MAC_SIZE);
		wt_noise_identify(out, handshake);
		wt_verdict_reply(out, m1, M1_SIZE);
	}
	noise->host->wipe(cookie, sizeof cookie);
	return reason == WT_REASON_NONE ? WT_AUTH_MORE : wt_verdict_drop(out, reason);
}

/* From M2, whose mac1 verified, to what it carries and the keys. WT_REASON_NONE
 * when the responder is proven; the outputs are to be wiped in any case. */
static enum wt_auth_reason open_m2(const struct wt_noise *noise, struct wt_worker *worker,
				   const struct wt_noise_handshake *handshake, const uint8_t *m2,
				   uint8_t *params, struct wt_ik_finish *finish)
{
	const struct wt_noise_tools tools = wt_noise_tools(noise, worker);
	/* A copy: an M2 that fails leaves the attempt as it was. */
	struct wt_ik ik = handshake->u.initiator.ik;
	enum wt_auth_reason reason = WT_REASON_NONE;
	enum wt_status status = wt_ik_read_second(&tools, &ik, &noise->us, handshake->peer->psk,
						  m2 + POINT, WT_PARAMS_SIZE, params);

	if (status == WT_OK)
		status = wt_ik_finish(&tools, &ik, handshake->u.initiator.m1, m2, finish);
	if (status != WT_OK)
		reason = wt_noise_reason(&ik, status);
	/* The head of M2 is in the keys, but not in the Noise message. */
	else if (wt_mac_check(&tools, finish->m2_mac, HASH_SIZE, m2, M2_MAC2) != WT_OK)
		reason = WT_REASON_BAD_MAC;
	noise->host->wipe(&ik, sizeof ik);
	return reason;
}

static enum wt_auth_verdict receive_m2(struct wt_noise *noise, struct wt_worker *worker,
				       struct wt_noise_handshake *handshake,
				       const struct wt_auth_in *in, struct wt_auth_out *out)
{
	const struct wt_host *host = noise->host;
	const struct wt_noise_tools tools = wt_noise_tools(noise, worker);
	struct wt_noise_peer *peer = handshake->peer;
	const uint32_t index_r = get32(in->message + SENDER);
	uint8_t params[WT_PARAMS_SIZE];
	struct wt_ik_finish finish;
	enum wt_status status =
		wt_mac_check(&tools, noise->macs.mac1, HASH_SIZE, in->message, M2_MAC1);

	if (status != WT_OK)
		return wt_verdict_drop(out, status == WT_ERR_AUTH ? WT_REASON_BAD_MAC
								  : WT_REASON_INTERNAL);
	if (index_r == 0)
		return wt_verdict_drop(out, WT_REASON_STEP);
	/* Who saw our M1 and knows our public key can forge all up to here, and
	 * each costs two Diffie-Hellman. */
	if (wt_flood_note(&noise->flood, &noise->flood.answers, host))
		return wt_verdict_drop(out, WT_REASON_RATE);
	enum wt_auth_reason reason =
		open_m2(noise, worker, handshake, in->message, params, &finish);

	if (reason == WT_REASON_NONE &&
	    host->auth_params(host, worker, peer->id, params, NULL) != WT_OK)
		reason = WT_REASON_PARAMS;
	if (reason == WT_REASON_NONE) {
		wt_noise_identify(out, handshake);
		out->flags |= WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS;
		out->remote_index = index_r;
		memcpy(out->peer_params, params, WT_PARAMS_SIZE);
		memcpy(out->send_key, finish.i2r_key, WT_KEY_SIZE);
		memcpy(out->recv_key, finish.r2i_key, WT_KEY_SIZE);
		memcpy(out->send_iv, finish.i2r_iv, WT_NONCE_SIZE);
		memcpy(out->recv_iv, finish.r2i_iv, WT_NONCE_SIZE);
		wt_noise_forget(noise, handshake);
	}
	host->wipe(&finish, sizeof finish);
	return reason == WT_REASON_NONE ? WT_AUTH_DONE : wt_verdict_drop(out, reason);
}

enum wt_auth_verdict wt_noise_answered(struct wt_noise *noise, struct wt_worker *worker,
				       struct wt_noise_handshake *handshake,
				       const struct wt_auth_in *in, struct wt_auth_out *out)
{
	switch (in->message[HEADER_STEP]) {
	case STEP_COOKIE:
		if (in->message_len != COOKIE_MESSAGE_SIZE)
			return wt_verdict_drop(out, WT_REASON_LENGTH);
		return receive_cookie(noise, worker, handshake, in, out);
	case STEP_M2:
		if (in->message_len != M2_SIZE)
			return wt_verdict_drop(out, WT_REASON_LENGTH);
		return receive_m2(noise, worker, handshake, in, out);
	default:
		return wt_verdict_drop(out, WT_REASON_STEP);
	}
}
