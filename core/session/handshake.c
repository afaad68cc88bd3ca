/* SPDX-License-Identifier: MIT */
#include "session/handshake.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/half_open.h"
#include "session/life.h"
#include "session/output.h"
#include "session/peer.h"
#include "session/verdict.h"

/* What an operator reads; silence to the sender makes all mistakes look alike
 * there, so they are told apart here. */
static const char *const reason_text[WT_REASON_COUNT] = {
	[WT_REASON_NONE] = "dropped",
	[WT_REASON_LENGTH] = "wrong length",
	[WT_REASON_STEP] = "not expected now",
	[WT_REASON_UNKNOWN_PEER] =
		"it names no peer here: an unknown key, another realm, or a clock hours "
		"off",
	[WT_REASON_BAD_MAC] =
		"its MAC is wrong: altered on the way, or not made with this end's or this "
		"peer's key",
	[WT_REASON_BAD_SEAL] = "a sealed field does not open: altered on the way, or not made with "
			       "this peer's key and realm",
	[WT_REASON_REPLAY] = "seen before: a replay",
	[WT_REASON_CLOCK] = "its clock is off",
	[WT_REASON_TOKEN] = "its token is not valid now",
	[WT_REASON_RATE] = "too many handshakes of this peer from this source",
	[WT_REASON_PARAMS] = "its parameters were refused",
	[WT_REASON_BOTH_DIAL] =
		"both ends dial, or our own message came back: remove `endpoint` on "
		"one side",
	[WT_REASON_WEAK_POINT] = "its public key is weak",
	[WT_REASON_LOAD] = "many handshakes now",
	[WT_REASON_INTERNAL] = "the auth plugin failed",
};

/* The topics of the log's limit are string constants, one a reason. */
static const char *const reason_topic[WT_REASON_COUNT] = {
	"handshake dropped",	  "handshake length",	  "handshake step",
	"handshake unknown peer", "handshake bad MAC",	  "handshake bad seal",
	"handshake replay",	  "handshake clock",	  "handshake token",
	"handshake rate",	  "handshake parameters", "handshake both dial",
	"handshake weak key",	  "handshake load",	  "handshake internal",
};

uint32_t wt_handshake_index(const struct wt_conn *conn)
{
	uint32_t index = 0;

	while (wt_random(&index, sizeof index) != WT_OK || index == 0 ||
	       wt_keyring_find(&conn->keys, index) ||
	       (conn->own.auth && conn->own.local_index == index) ||
	       (conn->pending.auth && conn->pending.local_index == index))
		;
	return index;
}

void wt_handshake_abandon(struct wt_handshake *handshake)
{
	if (handshake->auth)
		wt_auth_abandon(handshake->auth, handshake->handle, handshake->local_index);
	*handshake = (struct wt_handshake){ .auth = NULL };
}

static struct wt_peer *peer_of(const struct wt_conn *conn, const struct wt_auth_out *out)
{
	if (!(out->flags & WT_AUTH_OUT_PEER) || out->peer_id >= conn->worker->peer_count)
		return conn->peer;
	return &conn->worker->peers[out->peer_id];
}

/* Count and log why a message was not simply accepted; `done` says what became
 * of it. Returns the reason's text. */
static const char *report(struct wt_conn *conn, const struct wt_auth_out *out, const char *done)
{
	uint32_t reason = out->reason < WT_REASON_COUNT ? out->reason : WT_REASON_INTERNAL;
	const struct wt_peer *peer = peer_of(conn, out);
	const char *name = peer ? wt_peer_name(peer) : "unknown peer";
	uint64_t off_ms = out->clock_off_ms < 0 ? 0 - (uint64_t)out->clock_off_ms
						: (uint64_t)out->clock_off_ms;

	conn->worker->refusals[reason]++;
	if (reason == WT_REASON_CLOCK)
		wt_log_limited(WT_LOG_WARN, reason_topic[reason],
			       "%s: handshake of %s %s: its clock is %" PRIu64 " s %s ours",
			       conn->source.text, name, done, off_ms / 1000,
			       out->clock_off_ms < 0 ? "behind" : "ahead of");
	else
		wt_log_limited(WT_LOG_WARN, reason_topic[reason], "%s: handshake of %s %s: %s",
			       conn->source.text, name, done, reason_text[reason]);
	return reason_text[reason];
}

/* A message led to nothing. On a stream nothing good can follow: close. */
static void refuse(struct wt_conn *conn, const struct wt_auth_out *out)
{
	wt_conn_close(conn, true, report(conn, out, "refused"));
}

/* Put the negotiated keys in `next`, and remember what the peer can take. */
static bool take_keys(struct wt_conn *conn, const struct wt_auth_out *out)
{
	struct wt_node *node = conn->worker->node;
	struct wt_keypair_options options = {
		.local_index = out->local_index,
		.remote_index = out->remote_index,
		.channel = WT_CHANNEL_STREAM,
		.born_ms = conn->worker->loop.now_ms,
	};
	struct wt_params params;
	enum wt_status status;

	status = wt_params_decode(out->peer_params, &node->params, &params, NULL);
	if (status == WT_OK)
		status = wt_keyring_install(&conn->keys, node->crypto, conn->worker, &options,
					    &out->keys);
	if (status != WT_OK) {
		wt_log_limited(WT_LOG_ERROR, "key set-up", "%s: cannot set up keys: %s",
			       conn->source.text, wt_status_text(status));
		wt_drop_count(conn->worker, conn->peer, WT_DROP_CRYPTO);
		return false;
	}
	uint32_t largest = wt_transport_max_record(conn->link->transport, conn->link->tconn, NULL);

	conn->limits = (struct wt_inner_limits){
		.features = params.features,
		.inner_mtu = params.inner_mtu,
		.record_max = params.record_max < largest ? params.record_max : largest,
	};
	return true;
}

static bool reply(struct wt_conn *conn, const struct wt_auth_out *out)
{
	if (out->reply_len == 0)
		return true;
	if (!wt_output_handshake(conn->link, out->reply, out->reply_len)) {
		wt_conn_close(conn, true, "no room for a handshake message");
		return false;
	}
	/* At once: strangers' answers hold no buffer until the turn is over. */
	wt_output_flush(conn->link);
	return !conn->closed;
}

void wt_handshake_drop_pending(struct wt_conn *conn)
{
	if (conn->peer && conn->peer->pending == conn)
		conn->peer->pending = NULL;
	wt_handshake_abandon(&conn->pending);
	wt_keyring_wipe_next(&conn->keys);
	if (conn->question.role == WT_HANDSHAKE_PENDING)
		conn->question = (struct wt_question){ .ticket = 0 };
}

/* A first message was accepted: the peer is known, its keys wait for proof. */
static void accepted(struct wt_conn *conn, struct wt_instance *auth, const struct wt_auth_out *out)
{
	struct wt_worker *worker = conn->worker;
	uint64_t deadline_ms = worker->loop.now_ms + WT_PENDING_MS;

	/* Said again, it does not get more time. */
	if (out->flags & WT_AUTH_OUT_REPEATED)
		deadline_ms = conn->pending.deadline_ms;
	wt_peer_pending_set(&worker->peers[out->peer_id], conn);
	conn->peer = &worker->peers[out->peer_id];
	conn->pending = (struct wt_handshake){
		.auth = auth,
		.handle = out->handshake,
		.local_index = out->local_index,
		.deadline_ms = deadline_ms,
		.sent_ns = worker->node->clock->mono_ns(worker->node->clock),
	};
	conn->ask_ms = 0;
	conn->answered = false;
	if (out->flags & WT_AUTH_OUT_KEYS && !take_keys(conn, out)) {
		wt_conn_close(conn, true, "cannot set up keys");
		return;
	}
	if (conn->state == WT_CONN_OPEN)
		conn->state = WT_CONN_PROVEN;
	wt_conn_schedule(conn);
	(void)reply(conn, out);
}

/* Our handshake came to its end: the responder is proven. */
static void proven(struct wt_conn *conn, const struct wt_auth_out *out)
{
	static const uint8_t padding[] = { WT_INNER_PADDING };
	struct wt_worker *worker = conn->worker;
	uint64_t wait = conn->state == WT_CONN_UP ? WT_REKEY_HANDSHAKE_MS : WT_HANDSHAKE_MS;

	if (!take_keys(conn, out)) {
		wt_conn_close(conn, true, "cannot set up keys");
		return;
	}
	if (conn->rtt_ns == 0)
		conn->rtt_ns =
			worker->node->clock->mono_ns(worker->node->clock) - conn->own.sent_ns;
	if (conn->state == WT_CONN_OPEN)
		conn->state = WT_CONN_PROVEN;
	/* Until a record under the new keys shows that they arrived. */
	conn->own.deadline_ms = worker->loop.now_ms + wait;
	wt_transport_set_max_record(conn->link->transport, worker, conn->link->tconn,
				    WT_RECORD_MAX);
	wt_conn_schedule(conn);
	if (!reply(conn, out))
		return;
	/* A method of two messages: our first record is the proof. */
	if (out->reply_len == 0 && !wt_output_text(conn, conn->keys.next, padding, sizeof padding))
		wt_conn_close(conn, true, "no room for the proof of new keys");
}

void wt_handshake_confirmed(struct wt_conn *conn)
{
	static const uint8_t padding[] = { WT_INNER_PADDING };
	struct wt_worker *worker = conn->worker;
	struct wt_peer *peer = conn->peer;
	bool theirs = conn->pending.auth && conn->keys.next &&
		      conn->pending.local_index == conn->keys.next->local_index;

	if (theirs && conn->rtt_ns == 0)
		conn->rtt_ns =
			worker->node->clock->mono_ns(worker->node->clock) - conn->pending.sent_ns;
	wt_keyring_confirm(&conn->keys);
	/* `next` is empty now: only the handshake itself is left to drop. */
	if (theirs)
		wt_handshake_drop_pending(conn);
	else
		wt_handshake_abandon(&conn->own);
	peer->counters.handshakes++;
	conn->give_up_ms = 0;
	wt_half_open_remove(conn);
	wt_life_keys_fresh(conn);
	if (theirs) {
		wt_transport_set_max_record(conn->link->transport, worker, conn->link->tconn,
					    WT_RECORD_MAX);
		/* Tells the dialler that its proof arrived; any record does. */
		if (!wt_output_text(conn, conn->keys.current, padding, sizeof padding))
			wt_life_keepalive_in(conn, WT_REPEAT_MS);
	}
	if (conn->state != WT_CONN_UP && conn->state != WT_CONN_DRAINING)
		wt_peer_conn_up(peer, conn);
}

/* Somebody gets a RETRY. Once: who shows its token is accepted, and a second
 * answer would only be work, and a buffer, for whoever holds an old message. */
static void answer(struct wt_conn *conn, const struct wt_auth_out *out)
{
	if (conn->answered) {
		refuse(conn, out);
		return;
	}
	conn->answered = true;
	(void)report(conn, out, "answered with a token");
	(void)reply(conn, out);
}

/* The dialler is proven. Its keys may have come with its first message, or come
 * only now. */
static void finished(struct wt_conn *conn, const struct wt_auth_out *out)
{
	if (out->flags & WT_AUTH_OUT_KEYS && !take_keys(conn, out))
		wt_conn_close(conn, true, "cannot set up keys");
	else if (reply(conn, out))
		wt_handshake_confirmed(conn);
}

/* The plugin broke its contract: nothing of what it said counts. */
static void disbelieve(struct wt_conn *conn, const struct wt_question *question,
		       enum wt_auth_verdict verdict, const struct wt_auth_out *out,
		       const char *flaw)
{
	conn->worker->refusals[WT_REASON_INTERNAL]++;
	wt_log_limited(WT_LOG_ERROR, "auth contract",
		       "%s: auth plugin \"%s\" gave a verdict that cannot be: %s; this is a fault "
		       "of the plugin",
		       conn->source.text, question->auth->plugin->name, flaw);
	if (question->role == WT_HANDSHAKE_ACCEPT && verdict == WT_AUTH_MORE && out->handshake)
		wt_auth_abandon(question->auth, out->handshake, out->local_index);
	wt_conn_close(conn, true, "the auth plugin gave a verdict that cannot be");
}

static void apply(struct wt_conn *conn, const struct wt_question *question,
		  enum wt_auth_verdict verdict, const struct wt_auth_out *out)
{
	const char *flaw = wt_verdict_flaw(conn, question, verdict, out);

	if (flaw) {
		disbelieve(conn, question, verdict, out, flaw);
		return;
	}
	if (verdict == WT_AUTH_IGNORE) {
		refuse(conn, out);
		return;
	}
	if (verdict == WT_AUTH_ANSWER) {
		answer(conn, out);
		return;
	}
	if (out->flags & WT_AUTH_OUT_AUTHENTIC && conn->in_half_open) {
		wt_half_open_remove(conn);
		conn->give_up_ms = conn->worker->loop.now_ms + WT_PENDING_MS;
		wt_conn_schedule(conn);
	}
	if (question->role == WT_HANDSHAKE_OWN) {
		conn->asked = false;
		wt_dial_answered(conn->peer);
	}
	if (question->role == WT_HANDSHAKE_ACCEPT)
		accepted(conn, question->auth, out);
	else if (verdict == WT_AUTH_MORE)
		(void)reply(conn, out);
	else if (question->role == WT_HANDSHAKE_OWN)
		proven(conn, out);
	else
		finished(conn, out);
}

/* Hand one message to the plugin and do what it says. */
static void ask(struct wt_conn *conn, enum wt_handshake_role role, struct wt_instance *auth,
		void *handle, const uint8_t *data, size_t len)
{
	struct wt_worker *worker = conn->worker;
	const struct wt_question question = {
		.ticket = ++worker->last_ticket,
		.auth = auth,
		.role = role,
		.fresh_index = role == WT_HANDSHAKE_ACCEPT ? wt_handshake_index(conn) : 0,
	};
	struct wt_auth_out out = { .struct_size = sizeof out };
	const struct wt_auth_in in = {
		.struct_size = sizeof in,
		.channel = WT_CHANNEL_STREAM,
		.message = data,
		.message_len = (uint32_t)len,
		.local_index = question.fresh_index,
		.association = conn->number,
		.ticket = question.ticket,
		.source = conn->source.token,
		.source_len = conn->source.token_len,
		.source_prefix_len = conn->source.prefix_len,
		.source_prefix = conn->source.prefix,
		.params = worker->node->params_bytes,
	};
	enum wt_auth_verdict verdict;

	out.keys.struct_size = sizeof out.keys;
	verdict = role == WT_HANDSHAKE_ACCEPT ? wt_auth_accept(auth, worker, &in, &out)
					      : wt_auth_receive(auth, worker, handle, &in, &out);
	if (verdict == WT_AUTH_PENDING)
		conn->question = question;
	else
		apply(conn, &question, verdict, &out);
	wt_wipe(&out, sizeof out);
}

void wt_handshake_complete(struct wt_worker *worker, uint64_t ticket, enum wt_auth_verdict verdict,
			   const struct wt_auth_out *plugins)
{
	struct wt_conn *conn = wt_conn_by_ticket(worker, ticket);
	struct wt_auth_out out = { .reason = WT_REASON_INTERNAL };

	if (!conn)
		return;
	const struct wt_question question = conn->question;

	conn->question = (struct wt_question){ .ticket = 0 };
	/* The plugin made this structure, perhaps with fewer fields than ours. */
	if (!plugins)
		verdict = WT_AUTH_IGNORE;
	else
		memcpy(&out, plugins,
		       plugins->struct_size < sizeof out ? plugins->struct_size : sizeof out);
	apply(conn, &question, verdict, &out);
	wt_wipe(&out, sizeof out);
}

/* Each first message may cost a Diffie-Hellman. A stranger's connection is
 * bounded by the table it is in; this one's peer is known. */
static bool may_begin(const struct wt_conn *conn)
{
	const struct wt_worker *worker = conn->worker;

	return !conn->peer ||
	       wt_node_rate_allow(worker->node, worker->loop.now_ms, conn->peer->id, &conn->number,
				  sizeof conn->number, WT_ACCEPT_PER_SECOND, WT_ACCEPT_BURST);
}

void wt_handshake_receive(struct wt_conn *conn, const struct wt_message *message,
			  const uint8_t *data, size_t len)
{
	static const struct wt_auth_out unexpected = { .reason = WT_REASON_STEP };
	static const struct wt_auth_out both_dial = { .reason = WT_REASON_BOTH_DIAL };
	static const struct wt_auth_out too_many = { .reason = WT_REASON_RATE };
	struct wt_instance *auth = wt_node_auth(conn->worker->node, message->method);
	uint32_t index = message->receiver_index;

	if (conn->state == WT_CONN_DRAINING) {
		/* The other end does not know yet that another took its place;
		 * without the reason it would dial and take it back. */
		conn->drain_ms = conn->worker->loop.now_ms;
		wt_life_run(conn);
		return;
	}
	/* While a plugin thinks about one message no second one is due. */
	if (!auth || conn->question.ticket != 0)
		refuse(conn, &unexpected);
	else if (index == 0 && conn->dialled)
		refuse(conn, &both_dial);
	else if (index == 0 && !may_begin(conn))
		refuse(conn, &too_many);
	else if (index == 0)
		ask(conn, WT_HANDSHAKE_ACCEPT, auth, NULL, data, len);
	else if (conn->own.auth == auth && conn->own.local_index == index)
		ask(conn, WT_HANDSHAKE_OWN, auth, conn->own.handle, data, len);
	else if (conn->pending.auth == auth && conn->pending.local_index == index)
		ask(conn, WT_HANDSHAKE_PENDING, auth, conn->pending.handle, data, len);
	else
		refuse(conn, &unexpected);
}

void wt_handshake_start(struct wt_conn *conn)
{
	struct wt_worker *worker = conn->worker;
	struct wt_peer *peer = conn->peer;
	struct wt_auth_out out = { .struct_size = sizeof out };
	bool rekey = conn->state == WT_CONN_UP;
	struct wt_auth_start start = {
		.struct_size = sizeof start,
		.channel = WT_CHANNEL_STREAM,
		.local_index = wt_handshake_index(conn),
		.unanswered = rekey ? 0 : peer->dial.unanswered,
		.params = worker->node->params_bytes,
	};

	wt_handshake_abandon(&conn->own);
	enum wt_auth_verdict verdict =
		wt_auth_begin(peer->auth, worker, peer->auth_memory, &start, &out);

	if (verdict != WT_AUTH_MORE || !out.handshake || out.reply_len == 0 ||
	    out.reply_len > WT_AUTH_MESSAGE_MAX) {
		wt_conn_close(conn, true, "the auth plugin cannot begin a handshake");
		return;
	}
	conn->own = (struct wt_handshake){
		.auth = peer->auth,
		.handle = out.handshake,
		.local_index = start.local_index,
		.deadline_ms =
			worker->loop.now_ms + (rekey ? WT_REKEY_HANDSHAKE_MS : WT_HANDSHAKE_MS),
		.sent_ns = worker->node->clock->mono_ns(worker->node->clock),
	};
	conn->rekey_ms = conn->dead_ms = 0;
	conn->asked = !rekey;
	wt_conn_schedule(conn);
	(void)reply(conn, &out);
	wt_wipe(&out, sizeof out);
}
