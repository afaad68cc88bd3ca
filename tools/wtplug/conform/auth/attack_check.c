/* SPDX-License-Identifier: MIT
 *
 * Messages that somebody changed, sent back, sent again, or sent in another place.
 */
#include <string.h>

#include "conform/auth/check.h"

/* Nobody may believe this message. */
static bool is_dropped(struct wt_exchange *p, const struct wt_exchange_message *m, const char *what,
		       size_t where, struct wt_finding *note)
{
	return wt_exchange_refuses(p, m, false, WT_FAULT_FORGERY, what, where, note);
}

static bool flip_each(struct wt_exchange *p, const struct wt_exchange_message *m,
		      struct wt_finding *note)
{
	struct wt_exchange_message forged = *m;
	bool good = true;

	for (size_t bit = 0; good && bit < 8 * m->len; bit++) {
		forged.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		good = is_dropped(p, &forged, "flipped bit", bit, note);
		forged.bytes[bit / 8] = m->bytes[bit / 8];
	}
	if (p->setup->level < 3)
		return good;
	for (size_t at = 0; good && at < m->len; at++) {
		for (unsigned other = 1; good && other < 256; other++) {
			forged.bytes[at] = (uint8_t)(m->bytes[at] ^ other);
			good = is_dropped(p, &forged, "another byte at", at, note);
		}
		forged.bytes[at] = m->bytes[at];
	}
	/* They were a flood. */
	wt_exchange_advance(p, 3000);
	return good;
}

static bool cut_each(struct wt_exchange *p, const struct wt_exchange_message *m,
		     struct wt_finding *note)
{
	struct wt_exchange_message cut = *m;

	memset(cut.bytes + m->len, 0, sizeof cut.bytes - m->len);
	for (size_t len = WT_MESSAGE_HEADER; len <= WT_AUTH_MESSAGE_MAX; len++) {
		cut.len = len;
		if (len != m->len && !is_dropped(p, &cut, "length", len, note))
			return false;
	}
	return true;
}

/* Back to whoever made it. */
static bool reflect_each(struct wt_exchange *p, const struct wt_exchange_message *m,
			 struct wt_finding *note)
{
	struct wt_exchange_message back = *m;

	back.to_acceptor = !m->to_acceptor;
	return is_dropped(p, &back, "reflected, length", m->len, note);
}

/* The attack, and then the true message: the handshake still comes to its end. */
static bool attack(const struct wt_exchange_setup *setup, wt_exchange_each_fn *each,
		   struct wt_finding *note)
{
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note) && wt_exchange_run(&p, each, note);

	wt_exchange_close(&p);
	return good;
}

bool wt_check_auth_flips(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	return attack(setup, flip_each, note);
}

bool wt_check_auth_lengths(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	return attack(setup, cut_each, note);
}

bool wt_check_auth_reflection(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	return attack(setup, reflect_each, note);
}

/* ---- again, and elsewhere ------------------------------------------------ */

/* Every message of `old` to the two ends as they are now, at its own place and at
 * the other's. */
static bool none_believed(struct wt_exchange *p, const struct wt_exchange *old, bool same,
			  struct wt_finding *note)
{
	for (size_t i = 0; i < old->count; i++) {
		struct wt_exchange_message m = old->sent[i];

		for (int turned = 0; turned < 2; turned++) {
			m.to_acceptor = old->sent[i].to_acceptor != (turned == 1);
			if (!wt_exchange_refuses(p, &m, same, WT_FAULT_REPLAY, "replayed message",
						 i + 1, note))
				return false;
		}
	}
	return true;
}

/* Longer than clocks may differ: what is older is old for who remembers nothing, too. */
#define RESTART_MS 600000u

/* The acceptor is started anew, and knows nothing of what it took: it may answer what
 * is old, as with a challenge, but gives no keys for it. */
static bool none_believed_anew(struct wt_exchange *p, struct wt_finding *note)
{
	const struct wt_exchange last = *p;

	wt_exchange_forget(p);
	wt_exchange_advance(p, RESTART_MS);
	if (!wt_auth_end_restart(&p->ends[1], WT_PEER_ACCEPTS, note))
		return false;
	for (size_t i = 0; i < last.count; i++) {
		struct wt_auth_out out;

		if (!last.sent[i].to_acceptor)
			continue;
		enum wt_auth_verdict verdict = wt_exchange_deliver(p, &last.sent[i], &out);

		if (verdict == WT_AUTH_PENDING)
			return wt_find(note, WT_FAULT_PENDING, "message %zu, after a restart",
				       i + 1);
		if (verdict != WT_AUTH_IGNORE && (out.flags & WT_EXCHANGE_TRUSTED))
			return wt_find(note, WT_FAULT_REPLAY,
				       "after a restart, replayed message %zu: verdict %d", i + 1,
				       (int)verdict);
	}
	return wt_exchange_run(p, NULL, note);
}

/* Messages of a handshake that is over: at once, while the next one is under way,
 * after it, and after a restart of who took them. */
bool wt_check_auth_replays(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p, old;
	bool good = wt_exchange_open_friends(&p, setup, note) && wt_exchange_run(&p, NULL, note);

	if (good) {
		old = p;
		good = none_believed(&p, &old, true, note);
		wt_exchange_forget(&p);
		/* Another connection. */
		p.ends[1].association += setup->channel == WT_CHANNEL_STREAM ? 100u : 0u;
	}
	good = good && wt_exchange_start(&p, note) && none_believed(&p, &old, false, note);
	if (good) {
		wt_exchange_forget(&p);
		good = wt_exchange_run(&p, NULL, note) && none_believed(&p, &old, false, note) &&
		       none_believed_anew(&p, note);
	}
	wt_exchange_close(&p);
	return good;
}

/* ---- who ----------------------------------------------------------------- */

/* A dialler and an acceptor of which one is not who it should be. */
static bool not_believed(const struct wt_exchange_setup *setup,
			 const struct wt_conformance_end *dialler,
			 const struct wt_conformance_end *acceptor, struct wt_finding *note)
{
	struct wt_exchange p;
	bool good =
		wt_exchange_open(&p, setup, dialler, acceptor, note) && wt_exchange_start(&p, note);

	for (size_t i = 0; good && i < p.count && i + 1 < WT_EXCHANGE_MAX; i++) {
		const struct wt_exchange_message m = p.sent[i];
		struct wt_auth_out out;
		enum wt_auth_verdict verdict = wt_exchange_deliver(&p, &m, &out);

		if (verdict == WT_AUTH_IGNORE)
			break;
		if (verdict == WT_AUTH_PENDING)
			good = wt_find(note, WT_FAULT_PENDING, "message %zu", i + 1);
		else if (verdict == WT_AUTH_DONE || (out.flags & WT_EXCHANGE_TRUSTED))
			good = wt_find(note, WT_FAULT_STRANGER, "by the %s, with message %zu",
				       m.to_acceptor ? "acceptor" : "dialler", i + 1);
		else if (verdict == WT_AUTH_MORE)
			wt_exchange_receiver(&p, &m)->handshake = out.handshake;
		if (good && out.reply_len > 0)
			good = wt_exchange_record(&p, &out, !m.to_acceptor, note);
	}
	wt_exchange_close(&p);
	return good;
}

bool wt_check_auth_strangers(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	const struct wt_conformance *t = setup->table;

	return not_believed(setup, t->stranger, t->acceptor, note) &&
	       not_believed(setup, t->dialler, t->stranger, note);
}
