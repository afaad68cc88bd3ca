/* SPDX-License-Identifier: MIT */
#include "conform/auth_check.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "conform/heap.h"

/* With a cookie or a token on the way, and then some. */
#define STEPS_MAX 8u
#define ID_ACCEPTOR 2u /* the peer_id that the dialler knows the acceptor by */
#define ID_DIALLER 1u

#define TRUSTED (WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS)

struct message {
	uint8_t bytes[WT_AUTH_MESSAGE_MAX];
	size_t len;
	bool to_acceptor;
};

struct side {
	struct wt_auth_end *end;
	void *handshake; /* NULL: none yet */
	uint32_t index;	 /* of that handshake */
	struct wt_auth_keys keys;
	uint8_t peer_params[WT_PARAMS_SIZE];
	bool has_keys, done;
};

/* A dialler, an acceptor, and the handshake between them. */
struct pair {
	struct wt_auth_end ends[2];
	struct side dialler, acceptor;
	struct message sent[STEPS_MAX];
	size_t count;
};

/* Is told each message before it is delivered. False: the note says what is wrong. */
typedef bool each_fn(struct pair *pair, const struct message *m, struct wt_finding *note);

static bool pair_open(struct pair *p, const struct wt_auth_pair_setup *setup,
		      const struct wt_conformance_end *dialler,
		      const struct wt_conformance_end *acceptor, struct wt_finding *note)
{
	memset(p, 0, sizeof *p);
	return wt_auth_end_open(&p->ends[0], setup->loaded, dialler, WT_PEER_DIALS, ID_ACCEPTOR,
				setup->channel, setup->aead, note) &&
	       wt_auth_end_open(&p->ends[1], setup->loaded, acceptor, WT_PEER_ACCEPTS, ID_DIALLER,
				setup->channel, setup->aead, note);
}

static void pair_close(struct pair *p)
{
	wt_wipe(&p->dialler.keys, sizeof p->dialler.keys);
	wt_wipe(&p->acceptor.keys, sizeof p->acceptor.keys);
	wt_auth_end_close(&p->ends[0]);
	wt_auth_end_close(&p->ends[1]);
}

static struct side *receiver(struct pair *p, const struct message *m)
{
	return m->to_acceptor ? &p->acceptor : &p->dialler;
}

/* As the core does it: by the receiver index of the header. */
static enum wt_auth_verdict deliver(struct pair *p, const struct message *m,
				    struct wt_auth_out *out)
{
	struct side *to = receiver(p, m);

	if (to->handshake && wt_load_be32(m->bytes + 4) != 0)
		return wt_auth_end_receive(to->end, to->handshake, m->bytes, m->len, out);
	return wt_auth_end_accept(to->end, m->bytes, m->len, out);
}

static bool record(struct pair *p, const struct wt_auth_out *out, bool to_acceptor,
		   struct wt_finding *note)
{
	if (p->count == STEPS_MAX)
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "no end after %u messages", STEPS_MAX);
	if (out->reply_len < WT_MESSAGE_HEADER || out->reply_len > WT_AUTH_MESSAGE_MAX)
		return wt_find(note, WT_FAULT_FAILED, "a message of %u bytes, allowed is %u..%u",
			       out->reply_len, WT_MESSAGE_HEADER, WT_AUTH_MESSAGE_MAX);
	struct message *m = &p->sent[p->count++];

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
static bool take(struct pair *p, struct side *side, enum wt_auth_verdict verdict,
		 const struct wt_auth_out *out, struct wt_finding *note)
{
	if (verdict == WT_AUTH_IGNORE)
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "message %zu is dropped, reason %u",
			       p->count, out->reason);
	if (verdict == WT_AUTH_ANSWER)
		return true;
	side->handshake = out->handshake;
	side->index = out->local_index;
	if (!(out->flags & WT_AUTH_OUT_PEER) || out->peer_id != side->end->peer_id)
		return wt_find(note, WT_FAULT_NO_AGREEMENT,
			       "message %zu is said to be of peer %u, which is %u", p->count,
			       out->peer_id, side->end->peer_id);
	if (out->flags & WT_AUTH_OUT_KEYS) {
		side->keys = out->keys;
		side->has_keys = true;
		memcpy(side->peer_params, out->peer_params, sizeof side->peer_params);
	}
	side->done = side->done || verdict == WT_AUTH_DONE;
	return true;
}

static bool start(struct pair *p, struct wt_finding *note)
{
	struct wt_auth_out out;

	p->dialler = (struct side){ .end = &p->ends[0] };
	p->acceptor = (struct side){ .end = &p->ends[1] };
	p->count = 0;
	if (wt_auth_end_start(&p->ends[0], &out) != WT_AUTH_MORE)
		return wt_find(note, WT_FAULT_NO_AGREEMENT, "start() gives no first message");
	p->dialler.handshake = out.handshake;
	p->dialler.index = out.local_index;
	return record(p, &out, true, note);
}

static bool same_keys(const struct side *a, const struct side *b)
{
	return wt_equal(a->keys.send_key, b->keys.recv_key, WT_KEY_SIZE) &&
	       wt_equal(a->keys.recv_key, b->keys.send_key, WT_KEY_SIZE) &&
	       wt_equal(a->keys.send_iv, b->keys.recv_iv, WT_NONCE_SIZE) &&
	       wt_equal(a->keys.recv_iv, b->keys.send_iv, WT_NONCE_SIZE);
}

static bool agreed(const struct pair *p, struct wt_finding *note)
{
	const struct side *d = &p->dialler, *a = &p->acceptor;

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

/* One handshake from its start to its keys. */
static bool run(struct pair *p, each_fn *each, struct wt_finding *note)
{
	bool good = start(p, note);

	for (size_t i = 0; good && i < p->count; i++) {
		const struct message m = p->sent[i];
		struct wt_auth_out out;

		good = !each || each(p, &m, note);
		if (!good)
			break;
		enum wt_auth_verdict verdict = deliver(p, &m, &out);

		good = take(p, receiver(p, &m), verdict, &out, note) &&
		       (out.reply_len == 0 || record(p, &out, !m.to_acceptor, note));
	}
	return good && agreed(p, note);
}

/* The core gives both up, and a second passes: a first message names its time. */
static void forget(struct pair *p)
{
	for (size_t i = 0; i < 2; i++) {
		const struct side *side = i ? &p->acceptor : &p->dialler;

		if (side->handshake)
			wt_auth_abandon(p->ends[i].instance, side->handshake, side->index);
		wt_clock_manual_advance(&p->ends[i].clock, 1000);
	}
}

/* ---- checks -------------------------------------------------------------- */

static bool check_agreement(const struct wt_auth_pair_setup *setup, struct wt_finding *note)
{
	struct pair p;
	struct wt_auth_keys before = { .struct_size = 0 };
	bool good = pair_open(&p, setup, setup->table->dialler, setup->table->acceptor, note);

	for (int i = 0; good && i < 20; i++) {
		good = run(&p, NULL, note);
		if (good && i > 0 &&
		    wt_equal(before.send_key, p.dialler.keys.send_key, WT_KEY_SIZE))
			good = wt_find(note, WT_FAULT_KEYS_MIX, "two handshakes give one key");
		before = p.dialler.keys;
		forget(&p);
	}
	wt_wipe(&before, sizeof before);
	pair_close(&p);
	return good;
}

/* Is that new trust? An end that is done may say so again of a message of the very
 * same handshake (`same`), with the keys that it gave. */
static bool is_trust(const struct side *side, bool same, enum wt_auth_verdict verdict,
		     const struct wt_auth_out *out)
{
	if (verdict == WT_AUTH_IGNORE || (out->flags & WT_AUTH_OUT_REPEATED))
		return false;
	if (verdict == WT_AUTH_ANSWER)
		return out->flags & TRUSTED;
	if (same && side->done && verdict == WT_AUTH_DONE && out->handshake == side->handshake)
		return (out->flags & WT_AUTH_OUT_KEYS) &&
		       !(wt_equal(out->keys.send_key, side->keys.send_key, WT_KEY_SIZE) &&
			 wt_equal(out->keys.recv_key, side->keys.recv_key, WT_KEY_SIZE));
	return true;
}

static bool is_refused(struct pair *p, const struct message *m, bool same, enum wt_fault fault,
		       const char *what, size_t where, struct wt_finding *note)
{
	struct wt_auth_out out;
	enum wt_auth_verdict verdict = deliver(p, m, &out);

	if (is_trust(receiver(p, m), same, verdict, &out))
		return wt_find(note, fault, "message %zu, %s %zu: verdict %d", p->count, what,
			       where, (int)verdict);
	if (verdict == WT_AUTH_ANSWER && out.reply_len > m->len)
		return wt_find(note, WT_FAULT_AMPLIFIES,
			       "message %zu, %s %zu: %u bytes are the answer to %zu", p->count,
			       what, where, out.reply_len, m->len);
	return true;
}

/* Nobody may believe this message, or answer more than it is long. */
static bool is_dropped(struct pair *p, const struct message *m, enum wt_fault fault,
		       const char *what, size_t where, struct wt_finding *note)
{
	return is_refused(p, m, false, fault, what, where, note);
}

static bool flip_each(struct pair *p, const struct message *m, struct wt_finding *note)
{
	struct message forged = *m;
	bool good = true;

	for (size_t bit = 0; good && bit < 8 * m->len; bit++) {
		forged.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		good = is_dropped(p, &forged, WT_FAULT_FORGERY, "flipped bit", bit, note);
		forged.bytes[bit / 8] = m->bytes[bit / 8];
	}
	return good;
}

static bool cut_each(struct pair *p, const struct message *m, struct wt_finding *note)
{
	struct message cut = *m;

	memset(cut.bytes + m->len, 0, sizeof cut.bytes - m->len);
	for (size_t len = WT_MESSAGE_HEADER; len <= WT_AUTH_MESSAGE_MAX; len++) {
		cut.len = len;
		if (len != m->len && !is_dropped(p, &cut, WT_FAULT_FORGERY, "length", len, note))
			return false;
	}
	return true;
}

/* Back to whoever made it. */
static bool reflect_each(struct pair *p, const struct message *m, struct wt_finding *note)
{
	struct message back = *m;

	back.to_acceptor = !m->to_acceptor;
	return is_dropped(p, &back, WT_FAULT_FORGERY, "reflected, length", m->len, note);
}

/* The attack, and then the true message: the handshake still comes to its end. */
static bool attack(const struct wt_auth_pair_setup *setup, each_fn *each, struct wt_finding *note)
{
	struct pair p;
	bool good = pair_open(&p, setup, setup->table->dialler, setup->table->acceptor, note) &&
		    run(&p, each, note);

	pair_close(&p);
	return good;
}

static bool check_flips(const struct wt_auth_pair_setup *setup, struct wt_finding *note)
{
	return attack(setup, flip_each, note);
}

static bool check_lengths(const struct wt_auth_pair_setup *setup, struct wt_finding *note)
{
	return attack(setup, cut_each, note);
}

static bool check_reflection(const struct wt_auth_pair_setup *setup, struct wt_finding *note)
{
	return attack(setup, reflect_each, note);
}

/* Every message of `old` to the two ends as they are now, at its own place and at
 * the other's. */
static bool none_believed(struct pair *p, const struct message *old, size_t count, bool same,
			  struct wt_finding *note)
{
	for (size_t i = 0; i < count; i++) {
		struct message m = old[i];

		for (int turned = 0; turned < 2; turned++) {
			m.to_acceptor = old[i].to_acceptor != (turned == 1);
			if (!is_refused(p, &m, same, WT_FAULT_REPLAY, "replayed message", i + 1,
					note))
				return false;
		}
	}
	return true;
}

/* Messages of a handshake that is over: at once, while the next one is under way,
 * and after it. */
static bool check_replays(const struct wt_auth_pair_setup *setup, struct wt_finding *note)
{
	struct message old[STEPS_MAX];
	struct pair p;
	size_t count = 0;
	bool good = pair_open(&p, setup, setup->table->dialler, setup->table->acceptor, note) &&
		    run(&p, NULL, note);

	if (good) {
		count = p.count;
		memcpy(old, p.sent, sizeof old);
		good = none_believed(&p, old, count, true, note);
		forget(&p);
		/* Another connection. */
		p.ends[1].association += setup->channel == WT_CHANNEL_STREAM ? 100u : 0u;
	}
	good = good && start(&p, note) && none_believed(&p, old, count, false, note);
	if (good) {
		forget(&p);
		good = run(&p, NULL, note) && none_believed(&p, old, count, false, note);
	}
	pair_close(&p);
	return good;
}

/* A dialler and an acceptor of which one is not who it should be. */
static bool not_believed(const struct wt_auth_pair_setup *setup,
			 const struct wt_conformance_end *dialler,
			 const struct wt_conformance_end *acceptor, struct wt_finding *note)
{
	struct pair p;
	bool good = pair_open(&p, setup, dialler, acceptor, note) && start(&p, note);

	for (size_t i = 0; good && i < p.count && i + 1 < STEPS_MAX; i++) {
		const struct message m = p.sent[i];
		struct wt_auth_out out;
		enum wt_auth_verdict verdict = deliver(&p, &m, &out);

		if (verdict == WT_AUTH_IGNORE)
			break;
		if (verdict == WT_AUTH_DONE || (out.flags & TRUSTED))
			good = wt_find(note, WT_FAULT_STRANGER, "by the %s, with message %zu",
				       m.to_acceptor ? "acceptor" : "dialler", i + 1);
		else if (verdict == WT_AUTH_MORE)
			receiver(&p, &m)->handshake = out.handshake;
		if (good && out.reply_len > 0)
			good = record(&p, &out, !m.to_acceptor, note);
	}
	pair_close(&p);
	return good;
}

static bool check_strangers(const struct wt_auth_pair_setup *setup, struct wt_finding *note)
{
	const struct wt_conformance *t = setup->table;

	return not_believed(setup, t->stranger, t->acceptor, note) &&
	       not_believed(setup, t->dialler, t->stranger, note);
}

/* Nothing is allocated for a message, and nothing stays of a handshake. */
static bool check_memory(const struct wt_auth_pair_setup *setup, struct wt_finding *note)
{
	const size_t rounds = 100, warm_up = 4;
	struct wt_usage before = wt_usage_now();
	struct pair p;
	bool good = pair_open(&p, setup, setup->table->dialler, setup->table->acceptor, note);

	for (size_t i = 0; good && i < warm_up + rounds; i++) {
		if (i == warm_up)
			before = wt_usage_now();
		good = run(&p, i & 1 ? reflect_each : NULL, note);
		forget(&p);
	}
	good = good && wt_usage_kept(&before, rounds, "handshakes", note);
	pair_close(&p);
	return good;
}

const struct wt_auth_check wt_auth_checks[] = {
	{ "agreement", "two ends that know each other get equal, fresh keys", 1, check_agreement },
	{ "flips", "no message with a flipped bit is believed", 2, check_flips },
	{ "lengths", "no message of another length is believed", 2, check_lengths },
	{ "reflection", "no message is believed by who made it", 2, check_reflection },
	{ "replays", "no message is believed twice or in another place", 2, check_replays },
	{ "strangers", "nobody with other credentials is believed", 1, check_strangers },
	{ "memory", "nothing is kept of a handshake that is over", 2, check_memory },
};
const size_t wt_auth_check_count = sizeof wt_auth_checks / sizeof wt_auth_checks[0];

const struct wt_auth_check *wt_auth_check_named(const char *name)
{
	for (size_t i = 0; i < wt_auth_check_count; i++)
		if (strcmp(wt_auth_checks[i].name, name) == 0)
			return &wt_auth_checks[i];
	return NULL;
}

enum wt_verdict wt_auth_check_run(const struct wt_auth_check *check, const char *path,
				  const char *aead, struct wt_finding *note)
{
	struct wt_auth_pair_setup setup = { .loaded = NULL };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_loaded *loaded;
	enum wt_status status;
	bool good = true;

	if (wt_loaded_here(path, &loaded, &err) != WT_OK) {
		wt_find(note, WT_FAULT_NOT_LOADED, "%s", err.text);
		return WT_FOUND;
	}
	setup.loaded = loaded;
	setup.table = wt_conformance_of(loaded, note);
	if (!setup.table || !setup.table->stranger)
		return WT_NOT_RUN;
	setup.aead = wt_backend_open_file(aead, &status, &err);
	if (!setup.aead) {
		wt_find(note, WT_FAULT_NONE, "no crypto plugin for the host: %s", err.text);
		return WT_NOT_RUN;
	}
	for (uint32_t channel = WT_CHANNEL_STREAM; good && channel <= WT_CHANNEL_DATAGRAM;
	     channel++) {
		struct wt_finding why = { .fault = WT_FAULT_NONE };

		setup.channel = channel;
		good = check->run(&setup, &why);
		if (!good)
			wt_find(note, why.fault, "%s: %s",
				channel == WT_CHANNEL_STREAM ? "stream" : "datagrams", why.text);
	}
	return good ? WT_SOUND : WT_FOUND;
}
