/* SPDX-License-Identifier: MIT */
#include "session/handshake.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/half_open.h"
#include "session/index_table.h"
#include "session/initiation.h"
#include "session/lanes.h"
#include "session/life.h"
#include "session/output.h"
#include "session/peer.h"
#include "session/refusal.h"
#include "session/repeat.h"
#include "session/verdict.h"

uint32_t wt_handshake_index(const struct wt_conn *conn)
{
	uint32_t index = 0;

	if (conn->keys.indices)
		return wt_index_table_draw(conn->keys.indices);
	while (wt_random(&index, sizeof index) != WT_OK || index == 0 ||
	       wt_keyring_find(&conn->keys, index) ||
	       (conn->own.auth && conn->own.local_index == index) ||
	       (conn->pending.auth && conn->pending.local_index == index))
		;
	return index;
}

/* A handshake is over: what the plugin may still say in it is about nothing. */
static void ask_no_more(struct wt_conn *conn, enum wt_handshake_role role)
{
	if (conn->question.ticket != 0 && conn->question.role == role)
		conn->question = (struct wt_question){ .ticket = 0 };
}

void wt_handshake_abandon(struct wt_conn *conn, struct wt_handshake *handshake)
{
	if (handshake->auth)
		wt_auth_abandon(handshake->auth, conn->worker, handshake->handle,
				handshake->local_index);
	*handshake = (struct wt_handshake){ .auth = NULL };
	ask_no_more(conn, handshake == &conn->own ? WT_HANDSHAKE_OWN : WT_HANDSHAKE_PENDING);
}

/* A message led to nothing. On a stream nothing good can follow: close. A
 * datagram may be anybody's. */
static void refuse(struct wt_conn *conn, const struct wt_origin *from,
		   const struct wt_auth_out *out)
{
	struct wt_source source = wt_origin_source(from);
	bool datagram = conn->link->datagram;
	const char *why = wt_refusal_report(conn->worker, source.text, conn->peer, out,
					    datagram ? "dropped" : "refused");

	if (!datagram)
		wt_conn_close(conn, true, why);
}

/* This end cannot go on with a handshake, whoever began it. Without keys in use
 * there is no association; a stream's other end waits for what does not come. */
static void fail(struct wt_conn *conn, const char *why)
{
	if (!conn->link->datagram || conn->state != WT_CONN_UP) {
		wt_conn_close(conn, true, why);
		return;
	}
	if (conn->pending.auth)
		wt_handshake_drop_pending(conn);
	if (conn->own.auth) {
		wt_initiation_stop(conn);
		conn->rekey_ms = conn->worker->loop.now_ms + WT_DEAD_PEER_MS;
		wt_conn_schedule(conn);
	}
}

/* Put the negotiated keys in `next`, and remember what the peer can take. */
static bool take_keys(struct wt_conn *conn, const struct wt_auth_out *out)
{
	struct wt_node *node = conn->worker->node;
	struct wt_keypair_options options = {
		.local_index = out->local_index,
		.remote_index = out->remote_index,
		.channel = conn->link->datagram ? WT_CHANNEL_DATAGRAM : WT_CHANNEL_STREAM,
		.window = node->settings->tunnel.replay_window,
		.born_ms = conn->worker->loop.now_ms,
	};
	struct wt_keypair_keys keys;
	enum wt_status status;

	status = wt_params_decode(out->peer_params, &node->params, &conn->theirs_next, NULL);
	if (status == WT_OK && !conn->dialled && conn->theirs_next.lane != conn->peer->lane)
		status = WT_ERR_INVALID;
	memcpy(keys.send_key, out->send_key, WT_KEY_SIZE);
	memcpy(keys.recv_key, out->recv_key, WT_KEY_SIZE);
	memcpy(keys.send_iv, out->send_iv, WT_NONCE_SIZE);
	memcpy(keys.recv_iv, out->recv_iv, WT_NONCE_SIZE);
	if (status == WT_OK)
		status = wt_keyring_install(&conn->keys, node->crypto, conn->worker, &options,
					    &keys);
	wt_wipe(&keys, sizeof keys);
	if (status != WT_OK) {
		wt_log_limited(WT_LOG_ERROR, "key set-up", "%s: cannot set up keys: %s",
			       conn->source.text, wt_status_text(status));
		wt_drop_count(conn->worker, conn->peer, WT_DROP_CRYPTO);
		return false;
	}
	return true;
}

bool wt_handshake_reply(struct wt_conn *conn, const struct wt_origin *to,
			const struct wt_auth_out *out)
{
	if (out->reply_len == 0)
		return true;
	if (!wt_output_handshake(to, out->reply, out->reply_len)) {
		/* It may be asked for again; on a stream it is not. */
		if (!conn->link->datagram)
			wt_conn_close(conn, true, "no room for a handshake message");
		return conn->link->datagram;
	}
	/* At once: strangers' answers hold no buffer until the turn is over. */
	wt_output_flush(to->link);
	return !conn->closed;
}

/* Theirs is known under its index until its keys are; then these are. */
static void unlist_pending(struct wt_conn *conn)
{
	if (conn->keys.indices && conn->pending.auth &&
	    !wt_keyring_find(&conn->keys, conn->pending.local_index))
		wt_index_table_remove(conn->keys.indices, conn->pending.local_index);
}

void wt_handshake_forget_theirs(struct wt_conn *conn)
{
	unlist_pending(conn);
	wt_handshake_abandon(conn, &conn->pending);
}

void wt_handshake_drop_pending(struct wt_conn *conn)
{
	if (conn->peer && conn->peer->pending == conn)
		conn->peer->pending = NULL;
	wt_handshake_forget_theirs(conn);
	wt_keyring_wipe_next(&conn->keys);
}

/* NULL: a lane that the peer may not have, or another than the connection's. */
static struct wt_peer *lane_of(const struct wt_conn *conn, const struct wt_auth_out *out)
{
	struct wt_worker *worker = conn->worker;
	struct wt_params params;
	/* What does not decode gets no further than take_keys. */
	bool told =
		out->flags & WT_AUTH_OUT_KEYS &&
		wt_params_decode(out->peer_params, &worker->node->params, &params, NULL) == WT_OK;
	struct wt_peer *peer;

	if (!told && conn->peer)
		return conn->peer;
	peer = wt_lanes_named(worker, out->peer_id, told ? &params : NULL);
	return conn->peer && conn->peer != peer ? NULL : peer;
}

void wt_handshake_accepted(struct wt_conn *conn, const struct wt_question *question,
			   const struct wt_auth_out *out)
{
	static const struct wt_auth_out no_such_lane = { .reason = WT_REASON_PARAMS };
	struct wt_worker *worker = conn->worker;
	uint64_t deadline_ms = worker->loop.now_ms + WT_PENDING_MS;
	struct wt_peer *peer = lane_of(conn, out);

	if (!peer) {
		wt_auth_abandon(question->auth, worker, out->handshake, out->local_index);
		refuse(conn, &question->from, &no_such_lane);
		return;
	}
	/* Said again, it does not get more time. */
	if (out->flags & WT_AUTH_OUT_REPEATED)
		deadline_ms = conn->pending.deadline_ms;
	wt_peer_pending_set(peer, conn);
	conn->peer = peer;
	if (conn->pending.local_index != out->local_index) {
		/* The plugin has given it up already. */
		unlist_pending(conn);
		ask_no_more(conn, WT_HANDSHAKE_PENDING);
		wt_keyring_wipe_next(&conn->keys);
	}
	conn->pending = (struct wt_handshake){
		.auth = question->auth,
		.handle = out->handshake,
		.local_index = out->local_index,
		.from = question->from,
		.deadline_ms = deadline_ms,
		.sent_ns = worker->node->clock->mono_ns(worker->node->clock),
	};
	conn->ask_ms = 0;
	conn->answered = false;
	if ((out->flags & WT_AUTH_OUT_KEYS && !take_keys(conn, out)) ||
	    (conn->keys.indices &&
	     !wt_index_table_put(conn->keys.indices, out->local_index, conn))) {
		fail(conn, "cannot set up keys");
		return;
	}
	if (conn->state == WT_CONN_OPEN)
		conn->state = WT_CONN_PROVEN;
	wt_conn_schedule(conn);
	(void)wt_handshake_reply(conn, &question->from, out);
}

/* Our handshake came to its end: the responder is proven. */
static void proven(struct wt_conn *conn, const struct wt_question *question,
		   const struct wt_auth_out *out)
{
	static const uint8_t padding[] = { WT_INNER_PADDING };
	struct wt_worker *worker = conn->worker;
	uint64_t wait = conn->state == WT_CONN_UP ? WT_REKEY_HANDSHAKE_MS : WT_HANDSHAKE_MS;

	if (!take_keys(conn, out)) {
		fail(conn, "cannot set up keys");
		return;
	}
	if (conn->rtt_ns == 0)
		conn->rtt_ns =
			worker->node->clock->mono_ns(worker->node->clock) - conn->own.sent_ns;
	if (!wt_dial_is_better(conn->peer, conn)) {
		wt_conn_close(conn, true, "it does not answer faster");
		return;
	}
	if (conn->state == WT_CONN_OPEN)
		conn->state = WT_CONN_PROVEN;
	/* Until a record under the new keys shows that they arrived: on datagrams
	 * the repeats of the last message are counted. */
	conn->own.deadline_ms = conn->link->datagram ? 0 : worker->loop.now_ms + wait;
	wt_transport_set_max_record(conn->link->transport, worker, conn->link->tconn,
				    WT_RECORD_MAX);
	wt_conn_schedule(conn);
	wt_repeat_said(conn, out->reply, out->reply_len, true);
	if (!wt_handshake_reply(conn, &question->from, out))
		return;
	/* A method of two messages: our first record is the proof. */
	if (out->reply_len == 0 &&
	    !wt_output_text(conn, conn->keys.next, padding, sizeof padding) &&
	    !conn->link->datagram)
		wt_conn_close(conn, true, "no room for the proof of new keys");
}

/* Tells the dialler that its proof arrived, as any record does; again for each
 * time that it asks, but not more often than once a second. */
static void say_up(struct wt_conn *conn)
{
	static const uint8_t padding[] = { WT_INNER_PADDING };
	uint64_t now = conn->worker->loop.now_ms;

	if (conn->said_up_ms != 0 && now - conn->said_up_ms < WT_REPEAT_MS)
		return;
	conn->said_up_ms = now;
	if (!wt_output_text(conn, conn->keys.current, padding, sizeof padding))
		wt_life_keepalive_in(conn, WT_REPEAT_MS);
}

/* The dialler's handshake is through. Datagrams: its last message may come again,
 * and where it began is its address, for there our answer got to it. */
static void close_theirs(struct wt_conn *conn)
{
	if (!conn->link->datagram) {
		/* `next` is empty now: only the handshake itself is left to drop. */
		wt_handshake_drop_pending(conn);
		return;
	}
	conn->pending.done = true;
	if (conn->peer->pending == conn)
		conn->peer->pending = NULL;
	wt_conn_move(conn, &conn->pending.from);
}

void wt_handshake_confirmed(struct wt_conn *conn)
{
	struct wt_worker *worker = conn->worker;
	struct wt_peer *peer = conn->peer;
	bool theirs = conn->pending.auth && conn->keys.next &&
		      conn->pending.local_index == conn->keys.next->local_index;

	if (theirs && conn->rtt_ns == 0)
		conn->rtt_ns =
			worker->node->clock->mono_ns(worker->node->clock) - conn->pending.sent_ns;
	wt_keyring_confirm(&conn->keys);
	conn->previous_ms = 0;
	if (theirs)
		close_theirs(conn);
	else
		wt_handshake_abandon(conn, &conn->own);
	wt_repeat_answered(conn);
	conn->theirs = conn->theirs_next;
	wt_track_confirmed(conn);
	if (conn->dialled)
		wt_lanes_done(peer->lanes, peer->lane);
	wt_lanes_agree(peer->lanes, conn->theirs.lanes);
	peer->counters.handshakes++;
	conn->give_up_ms = 0;
	wt_half_open_remove(conn);
	wt_life_keys_fresh(conn);
	if (theirs) {
		wt_transport_set_max_record(conn->link->transport, worker, conn->link->tconn,
					    WT_RECORD_MAX);
		conn->said_up_ms = 0;
		say_up(conn);
	}
	if (conn->state != WT_CONN_UP && conn->state != WT_CONN_DRAINING)
		wt_peer_conn_up(peer, conn);
}

/* Somebody gets a RETRY. Once: who shows its token is accepted, and a second
 * answer would only be work, and a buffer, for whoever holds an old message. */
static void answer(struct wt_conn *conn, const struct wt_question *question,
		   const struct wt_auth_out *out)
{
	if (conn->answered) {
		refuse(conn, &question->from, out);
		return;
	}
	conn->answered = true;
	(void)wt_refusal_report(conn->worker, conn->source.text, conn->peer, out,
				"answered with a token");
	(void)wt_handshake_reply(conn, &question->from, out);
}

/* The dialler is proven. Its keys may have come with its first message, or come
 * only now. */
static void finished(struct wt_conn *conn, const struct wt_question *question,
		     const struct wt_auth_out *out)
{
	if (conn->pending.done) {
		if (wt_handshake_reply(conn, &question->from, out))
			say_up(conn);
		return;
	}
	if (out->flags & WT_AUTH_OUT_KEYS && !take_keys(conn, out))
		fail(conn, "cannot set up keys");
	else if (wt_handshake_reply(conn, &question->from, out))
		wt_handshake_confirmed(conn);
}

/* Ours goes on: what it says next was the answer to a RETRY, or is the method's. */
static void go_on(struct wt_conn *conn, const struct wt_question *question,
		  const struct wt_auth_out *out)
{
	if (question->role == WT_HANDSHAKE_OWN && out->reply_len > 0)
		wt_repeat_said(conn, out->reply, out->reply_len, false);
	(void)wt_handshake_reply(conn, &question->from, out);
}

/* The plugin broke its contract: nothing of what it said counts. */
static void disbelieve(struct wt_conn *conn, const struct wt_question *question,
		       enum wt_auth_verdict verdict, const struct wt_auth_out *out,
		       const char *flaw)
{
	wt_verdict_disbelieved(conn->worker, conn->source.text, question, verdict, out, flaw);
	fail(conn, "the auth plugin gave a verdict that cannot be");
}

static void apply(struct wt_conn *conn, const struct wt_question *question,
		  enum wt_auth_verdict verdict, const struct wt_answer *said)
{
	const struct wt_auth_out *out = &said->out;
	const char *flaw = wt_verdict_flaw(conn->worker, conn, question, verdict, said);

	if (flaw) {
		disbelieve(conn, question, verdict, out, flaw);
		return;
	}
	if (verdict == WT_AUTH_IGNORE) {
		refuse(conn, &question->from, out);
		return;
	}
	if (verdict == WT_AUTH_ANSWER) {
		answer(conn, question, out);
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
		wt_handshake_accepted(conn, question, out);
	else if (verdict == WT_AUTH_MORE)
		go_on(conn, question, out);
	else if (question->role == WT_HANDSHAKE_OWN)
		proven(conn, question, out);
	else
		finished(conn, question, out);
}

/* Hand one message to the plugin and do what it says. */
static void ask(struct wt_conn *conn, const struct wt_origin *from, enum wt_handshake_role role,
		struct wt_instance *auth, const uint8_t *data, size_t len)
{
	struct wt_worker *worker = conn->worker;
	const struct wt_question question = {
		.ticket = ++worker->last_ticket,
		.auth = auth,
		.role = role,
		.fresh_index = role == WT_HANDSHAKE_ACCEPT ? wt_handshake_index(conn) : 0,
		.from = *from,
	};
	struct wt_answer said;
	const struct wt_auth_in in = {
		.struct_size = sizeof in,
		.channel = conn->link->datagram ? WT_CHANNEL_DATAGRAM : WT_CHANNEL_STREAM,
		.message = data,
		.message_len = (uint32_t)len,
		.local_index = question.fresh_index,
		.association = conn->link->datagram ? 0 : conn->number,
		.ticket = question.ticket,
		.source = conn->source.token,
		.source_len = conn->source.token_len,
		.source_prefix_len = conn->source.prefix_len,
		.source_prefix = conn->source.prefix,
	};
	enum wt_auth_verdict verdict;

	wt_answer_init(&said);
	if (role == WT_HANDSHAKE_ACCEPT)
		verdict = wt_auth_accept(auth, worker, &in, &said.out);
	else
		verdict = wt_auth_receive(auth, worker,
					  role == WT_HANDSHAKE_OWN ? conn->own.handle
								   : conn->pending.handle,
					  &in, &said.out);
	if (verdict == WT_AUTH_PENDING)
		conn->question = question;
	else
		apply(conn, &question, verdict, &said);
	wt_wipe(&said, sizeof said);
}

void wt_handshake_complete(struct wt_worker *worker, uint64_t ticket, enum wt_auth_verdict verdict,
			   const struct wt_auth_out *plugins)
{
	struct wt_conn *conn = wt_conn_by_ticket(worker, ticket);
	struct wt_answer said;

	if (!conn)
		return;
	const struct wt_question question = conn->question;

	conn->question = (struct wt_question){ .ticket = 0 };
	wt_answer_init(&said);
	if (plugins) {
		wt_answer_copy(&said, plugins);
	} else {
		said.out.reason = WT_REASON_INTERNAL;
		verdict = WT_AUTH_IGNORE;
	}
	apply(conn, &question, verdict, &said);
	wt_wipe(&said, sizeof said);
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

void wt_handshake_receive(struct wt_conn *conn, const struct wt_origin *from,
			  const struct wt_message *message, const uint8_t *data, size_t len)
{
	static const struct wt_auth_out unexpected = { .reason = WT_REASON_STEP };
	static const struct wt_auth_out both_dial = { .reason = WT_REASON_BOTH_DIAL };
	static const struct wt_auth_out too_many = { .reason = WT_REASON_RATE };
	struct wt_instance *auth = wt_node_auth(conn->worker->node, message->method);
	uint32_t index = message->receiver_index;

	if (conn->state == WT_CONN_DRAINING && !conn->link->datagram) {
		/* The other end does not know yet that another took its place;
		 * without the reason it would dial and take it back. */
		conn->drain_ms = conn->worker->loop.now_ms;
		wt_life_run(conn);
		return;
	}
	/* While a plugin thinks about one message no second one is due. */
	if (!auth || conn->question.ticket != 0)
		refuse(conn, from, &unexpected);
	else if (index == 0 && conn->dialled)
		refuse(conn, from, &both_dial);
	else if (index == 0 && !may_begin(conn))
		refuse(conn, from, &too_many);
	else if (index == 0)
		ask(conn, from, WT_HANDSHAKE_ACCEPT, auth, data, len);
	else if (conn->own.auth == auth && conn->own.local_index == index)
		ask(conn, from, WT_HANDSHAKE_OWN, auth, data, len);
	else if (conn->pending.auth == auth && conn->pending.local_index == index)
		ask(conn, from, WT_HANDSHAKE_PENDING, auth, data, len);
	else
		refuse(conn, from, &unexpected);
}
