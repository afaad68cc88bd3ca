/* SPDX-License-Identifier: MIT
 *
 * A first message of a stranger. The order of the checks is the protocol's: each
 * one is paid for by those before it, silence is the only answer until we know
 * who it is (but under load, where a COOKIE is cheaper than finding out), and
 * nothing is remembered of a message that is not answered with M2.
 */
#include <string.h>

#include "noise.h"

/* The bucket of rates for who is not known yet. */
#define ANYBODY UINT32_MAX

/* One M1 on its way through the checks. */
struct attempt {
	struct wt_noise *noise;
	struct wt_noise_tools tools;
	struct wt_noise_peer *peer; /* locked, or NULL: not known yet */
	const struct wt_auth_in *in;
	struct wt_auth_out *out;
	struct wt_ik ik;
	bool shown; /* mac2 shows a valid cookie */
	uint64_t now;
	struct wt_stamp stamp; /* the initiator's */
	uint8_t m1_hash[HASH_SIZE];
	uint8_t params[WT_PARAMS_SIZE]; /* the initiator's */
	uint8_t ours[WT_PARAMS_SIZE];	/* what it is told */
};

static enum wt_auth_verdict drop(struct attempt *a, enum wt_auth_reason reason)
{
	return wt_verdict_drop(a->out, reason);
}

/* A copy of an M1 that got its M2. The one that is not confirmed yet gets the
 * same M2, for that may have been lost. */
static enum wt_auth_verdict repeat_m2(struct attempt *a)
{
	const struct wt_host *host = a->tools.host;
	struct wt_noise_handshake *handshake = &a->peer->handshakes[a->in->channel - 1];
	enum wt_auth_reason reason = WT_REASON_REPLAY;

	if (handshake->state == STATE_PENDING &&
	    host->equal(handshake->u.responder.m1_hash, a->m1_hash, HASH_SIZE))
		reason = wt_answered_again(&handshake->u.responder.answered, a->in,
					   host->boot_ms(host));
	if (reason != WT_REASON_NONE)
		return drop(a, reason);
	wt_noise_identify(a->out, handshake);
	a->out->flags |= WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_REPEATED;
	a->out->remote_index = get32(a->in->message + SENDER);
	wt_verdict_reply(a->out, handshake->u.responder.m2, M2_SIZE);
	return WT_AUTH_MORE;
}

/* Is e one that this peer got an M2 for? */
static bool seen_by(const struct wt_noise_peer *peer, const struct wt_host *host, const uint8_t *e)
{
	for (uint64_t i = 0; i < SEEN_MAX && i < peer->seen_count; i++)
		if (host->equal(peer->seen[i].e, e, POINT_SIZE))
			return true;
	return false;
}

static enum wt_auth_verdict answer_cookie(struct attempt *a, enum wt_auth_reason reason)
{
	uint8_t message[COOKIE_MESSAGE_SIZE];

	if (wt_cookie_write(&a->tools, &a->noise->flood, &a->noise->macs, a->in, message) != WT_OK)
		return drop(a, WT_REASON_INTERNAL);
	a->out->reason = reason;
	if (reason == WT_REASON_CLOCK)
		a->out->clock_off_ms = wt_clock_off(wt_stamp_ms(a->stamp), a->now);
	wt_verdict_reply(a->out, message, sizeof message);
	return WT_AUTH_ANSWER;
}

/* Who wrote it, and what: a->peer is locked afterwards unless NULL. */
static enum wt_auth_reason open_m1(struct attempt *a)
{
	const struct wt_noise *noise = a->noise;
	const uint8_t *m1 = a->in->message;
	uint8_t prologue[PROLOGUE_MAX], initiator[POINT_SIZE], payload[M1_PLAIN];
	enum wt_status status = wt_ik_begin(&a->tools, &a->ik, prologue,
					    wt_noise_prologue(noise, a->in->channel, m1, prologue),
					    noise->us.public_key);

	if (status == WT_OK)
		status = wt_ik_read_static(&a->tools, &a->ik, &noise->us, m1 + POINT, initiator);
	if (status != WT_OK)
		return wt_noise_reason(&a->ik, status);
	a->peer = wt_noise_peers_find(&a->noise->peers, initiator);
	status = wt_ik_read_first(&a->tools, &a->ik, a->peer->ss, m1 + POINT, M1_PLAIN, payload);
	/* No sooner: the time must not tell which keys are known here. */
	if (a->peer == &noise->peers.decoy)
		return WT_REASON_UNKNOWN_PEER;
	if (status != WT_OK)
		return wt_noise_reason(&a->ik, status);
	a->stamp = wt_stamp_get(payload);
	memcpy(a->params, payload + STAMP_SIZE, WT_PARAMS_SIZE);
	return WT_REASON_NONE;
}

/* Why must this M1 show a cookie first? WT_REASON_NONE: it need not. */
static enum wt_auth_reason stale(const struct attempt *a)
{
	static const uint8_t no_mac2[MAC_SIZE] = { 0 };

	if (!wt_clock_near(wt_stamp_ms(a->stamp), a->now))
		return WT_REASON_CLOCK;
	if (!wt_stamp_after(a->stamp, a->peer->last_seen))
		return WT_REASON_REPLAY;
	/* It shows one that is no longer valid, or somebody altered it. */
	if (!a->tools.host->equal(a->in->message + M1_MAC2, no_mac2, MAC_SIZE))
		return WT_REASON_TOKEN;
	return WT_REASON_NONE;
}

static enum wt_status build_m2(struct attempt *a, uint8_t *m2, struct wt_ik_finish *finish)
{
	const struct wt_noise *noise = a->noise;
	const uint8_t *m1 = a->in->message;

	put_header(m2, STEP_M2, get32(m1 + SENDER));
	put32(m2 + SENDER, a->in->local_index);
	a->tools.host->random(a->tools.host, a->ik.e, POINT_SIZE);
	enum wt_status status =
		wt_ik_write_second(&a->tools, &a->ik, a->peer->public_key, a->peer->psk, a->ours,
				   WT_PARAMS_SIZE, m2 + POINT);

	if (status == WT_OK)
		status = wt_ik_finish(&a->tools, &a->ik, m1, m2, finish);
	if (status == WT_OK)
		status = wt_mac_write(&noise->primitives, a->peer->macs.mac1, HASH_SIZE, m2,
				      M2_MAC1, m2 + M2_MAC1);
	if (status == WT_OK)
		status = wt_mac_write(&noise->primitives, finish->m2_mac, HASH_SIZE, m2, M2_MAC2,
				      m2 + M2_MAC2);
	return status;
}

/* The only place where an M1 changes what we know of a peer. */
static void remember(struct attempt *a, const uint8_t *m2)
{
	struct wt_noise_peer *peer = a->peer;
	struct wt_noise_handshake *handshake = &peer->handshakes[a->in->channel - 1];
	const uint64_t time = wt_stamp_ms(a->stamp);

	/* A time far ahead, let in by its cookie, must not shut out what comes
	 * after it. */
	if (wt_stamp_after(a->stamp, peer->last_seen) &&
	    (time <= a->now || time - a->now <= CLOCK_TOLERANCE_MS))
		peer->last_seen = a->stamp;
	wt_noise_peers_remember(&a->noise->peers, peer, a->in->message + POINT);
	wt_noise_forget(a->noise, handshake);
	handshake->state = STATE_PENDING;
	handshake->local_index = a->in->local_index;
	wt_answered_begin(&handshake->u.responder.answered, a->in,
			  a->tools.host->boot_ms(a->tools.host));
	memcpy(handshake->u.responder.m1_hash, a->m1_hash, HASH_SIZE);
	memcpy(handshake->u.responder.m2, m2, M2_SIZE);
}

static enum wt_auth_verdict answer_m2(struct attempt *a)
{
	struct wt_auth_out *out = a->out;
	struct wt_ik_finish finish;
	uint8_t m2[M2_SIZE];
	enum wt_status status = build_m2(a, m2, &finish);

	if (status == WT_OK) {
		remember(a, m2);
		wt_noise_identify(out, &a->peer->handshakes[a->in->channel - 1]);
		out->flags |= WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS;
		out->remote_index = get32(a->in->message + SENDER);
		memcpy(out->peer_params, a->params, WT_PARAMS_SIZE);
		memcpy(out->send_key, finish.r2i_key, WT_KEY_SIZE);
		memcpy(out->recv_key, finish.i2r_key, WT_KEY_SIZE);
		memcpy(out->send_iv, finish.r2i_iv, WT_NONCE_SIZE);
		memcpy(out->recv_iv, finish.i2r_iv, WT_NONCE_SIZE);
		wt_verdict_reply(out, m2, sizeof m2);
	}
	a->tools.host->wipe(&finish, sizeof finish);
	return status == WT_OK ? WT_AUTH_MORE : drop(a, wt_noise_reason(&a->ik, status));
}

/* All that is decided once the initiator is known; it is locked. */
static enum wt_auth_verdict consider(struct attempt *a)
{
	const struct wt_host *host = a->tools.host;
	struct wt_auth_out *out = a->out;
	enum wt_auth_reason reason;

	out->flags |= WT_AUTH_OUT_PEER;
	out->peer_id = a->peer->id;
	/* Of a peer that thinks it should dial too. */
	if (a->peer->roles != WT_PEER_ACCEPTS)
		return drop(a, WT_REASON_BOTH_DIAL);
	if (get32(a->in->message + SENDER) == 0)
		return drop(a, WT_REASON_STEP);
	/* A copy that came by another way while we were computing. */
	if (seen_by(a->peer, host, a->in->message + POINT))
		return repeat_m2(a);
	reason = a->shown ? WT_REASON_NONE : stale(a);
	if (reason != WT_REASON_NONE)
		return answer_cookie(a, reason);
	if (host->auth_params(host, a->tools.worker, a->peer->id, a->params, a->ours) != WT_OK)
		return drop(a, WT_REASON_PARAMS);
	return answer_m2(a);
}

/* May this M1 cost a Diffie-Hellman? If not, *verdict is what it gets. */
static bool affordable(struct attempt *a, enum wt_auth_verdict *verdict)
{
	const struct wt_host *host = a->tools.host;
	const struct wt_auth_in *in = a->in;
	struct wt_flood *flood = &a->noise->flood;

	a->shown = wt_cookie_shown(&a->tools, flood, in);
	if (!wt_flood_note(flood, &flood->accepts, host))
		return true;
	if (!a->shown)
		*verdict = answer_cookie(a, WT_REASON_LOAD);
	else if (!host->rate_allow(host, a->tools.worker, ANYBODY, in->source_prefix,
				   in->source_prefix_len, LOAD_RATE, LOAD_BURST))
		*verdict = drop(a, WT_REASON_RATE);
	else
		return true;
	return false;
}

enum wt_auth_verdict wt_noise_accept(struct wt_noise *noise, struct wt_worker *worker,
				     const struct wt_auth_in *in, struct wt_auth_out *out)
{
	const struct wt_part m1 = { in->message, M1_MAC1 };
	struct attempt a = { .noise = noise,
			     .tools = wt_noise_tools(noise, worker),
			     .in = in,
			     .out = out,
			     .now = noise->host->unix_ms(noise->host) };
	enum wt_auth_verdict verdict;
	uint8_t owner[POINT_SIZE];

	if (in->message_len != M1_SIZE)
		return wt_verdict_drop(out, WT_REASON_LENGTH);
	enum wt_status status =
		wt_mac_check(&a.tools, noise->macs.mac1, HASH_SIZE, in->message, M1_MAC1);

	if (status == WT_OK)
		status = wt_sha256(&noise->primitives, &m1, 1, a.m1_hash);
	if (status != WT_OK)
		return wt_verdict_drop(out, status == WT_ERR_AUTH ? WT_REASON_BAD_MAC
								  : WT_REASON_INTERNAL);
	if (wt_noise_peers_seen(&noise->peers, in->message + POINT, owner)) {
		a.peer = wt_noise_peers_find(&noise->peers, owner);
		verdict = repeat_m2(&a);
	} else if (affordable(&a, &verdict)) {
		const enum wt_auth_reason reason = open_m1(&a);

		verdict = reason == WT_REASON_NONE ? consider(&a) : wt_verdict_drop(out, reason);
	}
	if (a.peer)
		pthread_mutex_unlock(&a.peer->lock);
	noise->host->wipe(&a.ik, sizeof a.ik);
	return verdict;
}
