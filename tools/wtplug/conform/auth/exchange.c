/* SPDX-License-Identifier: MIT */
#include "conform/auth/exchange.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

#define ID_ACCEPTOR 2u /* the peer_id that the dialler knows the acceptor by */
#define ID_DIALLER 1u

bool wt_exchange_open(struct wt_exchange *p, const struct wt_exchange_setup *setup,
		      const struct wt_conformance_end *dialler,
		      const struct wt_conformance_end *acceptor, struct wt_finding *note)
{
	memset(p, 0, sizeof *p);
	p->setup = setup;
	return wt_auth_end_open(&p->ends[0], setup->loaded, dialler, WT_PEER_DIALS, ID_ACCEPTOR,
				setup->channel, setup->aead, note) &&
	       wt_auth_end_open(&p->ends[1], setup->loaded, acceptor, WT_PEER_ACCEPTS, ID_DIALLER,
				setup->channel, setup->aead, note);
}

bool wt_exchange_open_friends(struct wt_exchange *p, const struct wt_exchange_setup *setup,
			      struct wt_finding *note)
{
	return wt_exchange_open(p, setup, setup->table->dialler, setup->table->acceptor, note);
}

void wt_exchange_close(struct wt_exchange *p)
{
	wt_wipe(&p->dialler.keys, sizeof p->dialler.keys);
	wt_wipe(&p->acceptor.keys, sizeof p->acceptor.keys);
	wt_auth_end_close(&p->ends[0]);
	wt_auth_end_close(&p->ends[1]);
}

struct wt_exchange_side *wt_exchange_receiver(struct wt_exchange *p,
					      const struct wt_exchange_message *m)
{
	return m->to_acceptor ? &p->acceptor : &p->dialler;
}

enum wt_auth_verdict wt_exchange_deliver(struct wt_exchange *p, const struct wt_exchange_message *m,
					 struct wt_auth_out *out)
{
	struct wt_exchange_side *to = wt_exchange_receiver(p, m);

	if (to->handshake && wt_load_be32(m->bytes + 4) != 0)
		return wt_auth_end_receive(to->end, to->handshake, m->bytes, m->len, out);
	return wt_auth_end_accept(to->end, m->bytes, m->len, out);
}

bool wt_exchange_record(struct wt_exchange *p, const struct wt_auth_out *out, bool to_acceptor,
			struct wt_finding *note)
{
	if (p->count == WT_EXCHANGE_MAX)
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "no end after %u messages",
			       WT_EXCHANGE_MAX);
	if (out->reply_len < WT_MESSAGE_HEADER || out->reply_len > WT_AUTH_MESSAGE_MAX)
		return wt_find(note, WT_FAULT_FAILED, "a message of %u bytes, allowed is %u..%u",
			       out->reply_len, WT_MESSAGE_HEADER, WT_AUTH_MESSAGE_MAX);
	struct wt_exchange_message *m = &p->sent[p->count++];

	memcpy(m->bytes, out->reply, out->reply_len);
	m->len = out->reply_len;
	m->to_acceptor = to_acceptor;
	if (m->bytes[2] != p->ends[0].ops->method)
		return wt_find(note, WT_FAULT_FAILED,
			       "message %zu has method %u in its header, the plugin is method %u",
			       p->count, m->bytes[2], p->ends[0].ops->method);
	return true;
}

/* What a message in its place led to. */
static bool take(struct wt_exchange *p, struct wt_exchange_side *side, enum wt_auth_verdict verdict,
		 const struct wt_auth_out *out, struct wt_finding *note)
{
	if (verdict == WT_AUTH_PENDING)
		return wt_find(note, WT_FAULT_PENDING, "message %zu", p->count);
	if (verdict == WT_AUTH_IGNORE)
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "message %zu is dropped, reason %u",
			       p->count, out->reason);
	if (!wt_auth_end_kept(side->end, verdict, out, note))
		return false;
	if (verdict == WT_AUTH_ANSWER)
		return true;
	side->handshake = out->handshake;
	side->index = out->local_index;
	if (!(out->flags & WT_AUTH_OUT_PEER) || out->peer_id != side->end->peer_id)
		return wt_find(note, WT_FAULT_NO_AGREEMENT,
			       "message %zu is said to be of peer %u, which is %u", p->count,
			       out->peer_id, side->end->peer_id);
	if (out->flags & WT_AUTH_OUT_KEYS) {
		side->keys = wt_auth_end_keys(out);
		side->has_keys = true;
		memcpy(side->peer_params, out->peer_params, sizeof side->peer_params);
	}
	side->done = side->done || verdict == WT_AUTH_DONE;
	return true;
}

bool wt_exchange_start(struct wt_exchange *p, struct wt_finding *note)
{
	struct wt_auth_out out;

	p->dialler = (struct wt_exchange_side){ .end = &p->ends[0] };
	p->acceptor = (struct wt_exchange_side){ .end = &p->ends[1] };
	p->count = 0;
	if (wt_auth_end_start(&p->ends[0], &out) != WT_AUTH_MORE)
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "start() gives no first message");
	if (!wt_auth_end_kept(&p->ends[0], WT_AUTH_MORE, &out, note))
		return false;
	p->dialler.handshake = out.handshake;
	p->dialler.index = out.local_index;
	return wt_exchange_record(p, &out, true, note);
}

static bool same_keys(const struct wt_exchange_side *a, const struct wt_exchange_side *b)
{
	return wt_equal(a->keys.send_key, b->keys.recv_key, WT_KEY_SIZE) &&
	       wt_equal(a->keys.recv_key, b->keys.send_key, WT_KEY_SIZE) &&
	       wt_equal(a->keys.send_iv, b->keys.recv_iv, WT_NONCE_SIZE) &&
	       wt_equal(a->keys.recv_iv, b->keys.send_iv, WT_NONCE_SIZE);
}

static bool agreed(const struct wt_exchange *p, struct wt_finding *note)
{
	const struct wt_exchange_side *d = &p->dialler, *a = &p->acceptor;

	if (!d->has_keys || !a->has_keys || !d->done)
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "after %zu messages %s has no keys",
			       p->count, d->has_keys && d->done ? "the acceptor" : "the dialler");
	if (!same_keys(d, a))
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "the ends have different keys");
	if (wt_equal(d->keys.send_key, d->keys.recv_key, WT_KEY_SIZE))
		return wt_find(note, WT_FAULT_KEYS_MIX, "both directions have one key");
	if (memcmp(d->peer_params, p->ends[1].params, WT_PARAMS_SIZE) != 0 ||
	    memcmp(a->peer_params, p->ends[0].params, WT_PARAMS_SIZE) != 0)
		return wt_find(note, WT_FAULT_NO_AGREEMENT,
			       "the parameters arrive as others than were sent");
	return true;
}

bool wt_exchange_step(struct wt_exchange *p, size_t i, struct wt_finding *note)
{
	const struct wt_exchange_message m = p->sent[i];
	struct wt_auth_out out;
	enum wt_auth_verdict verdict = wt_exchange_deliver(p, &m, &out);

	return take(p, wt_exchange_receiver(p, &m), verdict, &out, note) &&
	       (out.reply_len == 0 || wt_exchange_record(p, &out, !m.to_acceptor, note));
}

bool wt_exchange_go_on(struct wt_exchange *p, wt_exchange_each_fn *each, struct wt_finding *note)
{
	bool good = true;

	for (size_t i = 0; good && i < p->count; i++) {
		const struct wt_exchange_message m = p->sent[i];

		good = (!each || each(p, &m, note)) && wt_exchange_step(p, i, note);
	}
	return good && agreed(p, note);
}

bool wt_exchange_run(struct wt_exchange *p, wt_exchange_each_fn *each, struct wt_finding *note)
{
	return wt_exchange_start(p, note) && wt_exchange_go_on(p, each, note);
}

void wt_exchange_advance(struct wt_exchange *p, uint64_t ms)
{
	for (size_t i = 0; i < 2; i++)
		wt_clock_manual_advance(&p->ends[i].clock, ms);
}

void wt_exchange_forget(struct wt_exchange *p)
{
	for (size_t i = 0; i < 2; i++) {
		struct wt_exchange_side *side = i ? &p->acceptor : &p->dialler;

		if (side->handshake)
			wt_auth_abandon(p->ends[i].instance, NULL, side->handshake, side->index);
		side->handshake = NULL;
	}
	wt_exchange_advance(p, 1000);
}

/* ---- what nobody may believe --------------------------------------------- */

bool wt_exchange_is_trust(const struct wt_exchange_side *side, bool same,
			  enum wt_auth_verdict verdict, const struct wt_auth_out *out)
{
	if (verdict == WT_AUTH_IGNORE || (out->flags & WT_AUTH_OUT_REPEATED))
		return false;
	if (verdict == WT_AUTH_ANSWER)
		return out->flags & WT_EXCHANGE_TRUSTED;
	if (same && side->done && verdict == WT_AUTH_DONE && out->handshake == side->handshake)
		return (out->flags & WT_AUTH_OUT_KEYS) &&
		       !(wt_equal(out->send_key, side->keys.send_key, WT_KEY_SIZE) &&
			 wt_equal(out->recv_key, side->keys.recv_key, WT_KEY_SIZE));
	return true;
}

bool wt_exchange_refuses(struct wt_exchange *p, const struct wt_exchange_message *m, bool same,
			 enum wt_fault fault, const char *what, size_t where,
			 struct wt_finding *note)
{
	struct wt_auth_out out;
	enum wt_auth_verdict verdict = wt_exchange_deliver(p, m, &out);

	if (verdict == WT_AUTH_PENDING)
		return wt_find(note, WT_FAULT_PENDING, "message %zu, %s %zu", p->count, what,
			       where);
	if (wt_exchange_is_trust(wt_exchange_receiver(p, m), same, verdict, &out))
		return wt_find(note, fault, "message %zu, %s %zu: verdict %d", p->count, what,
			       where, (int)verdict);
	if (verdict != WT_AUTH_IGNORE && out.reply_len > m->len)
		return wt_find(note, WT_FAULT_AMPLIFIES,
			       "message %zu, %s %zu: %u bytes are the answer to %zu", p->count,
			       what, where, out.reply_len, m->len);
	return true;
}
