/* SPDX-License-Identifier: MIT */
#include "session/stranger.h"

#include <string.h>

#include "base/secret.h"
#include "plugin/call.h"
#include "session/handshake.h"
#include "session/index_table.h"
#include "session/lanes.h"
#include "session/life.h"
#include "session/output.h"
#include "session/peer.h"
#include "session/refusal.h"
#include "session/verdict.h"

/* Is `conn` what the process that said this has with us, over this transport? */
static bool same_process(const struct wt_conn *conn, const struct wt_origin *from,
			 const struct wt_params *params)
{
	return conn && !conn->closed && wt_link_shared(conn->link) &&
	       conn->link->transport == from->link->transport &&
	       memcmp(conn->theirs.instance, params->instance, sizeof params->instance) == 0;
}

/* Another process with the same key took the place of the one that said this,
 * which does not know it yet: without being told it would take it back, and the
 * two would go on like that. */
static bool was_replaced(const struct wt_peer *peer, const struct wt_origin *from,
			 const struct wt_params *params)
{
	if (!same_process(peer->draining, from, params))
		return false;
	/* On another worker, who it is there is not known here: it asks again. */
	if (!peer->active)
		return wt_peer_is_up(peer);
	return memcmp(peer->active->theirs.instance, params->instance, sizeof params->instance) !=
	       0;
}

/* The association that an accepted message belongs to: a new one, unless it is a
 * rekey. A method that tells the parameters later has a new one each time. */
static struct wt_conn *association(struct wt_peer *peer, const struct wt_origin *from,
				   const struct wt_params *params)
{
	struct wt_conn *conn;

	if (params && same_process(peer->active, from, params))
		return peer->active;
	conn = wt_conn_new(from->link);
	if (!conn)
		return NULL;
	wt_conn_move(conn, from);
	return conn;
}

static void accepted(const struct wt_question *question, const struct wt_auth_out *out)
{
	static const struct wt_auth_out no_such_lane = { .reason = WT_REASON_PARAMS };
	const struct wt_origin *from = &question->from;
	struct wt_worker *worker = from->link->worker;
	struct wt_params params;
	bool known =
		out->flags & WT_AUTH_OUT_KEYS &&
		wt_params_decode(out->peer_params, &worker->node->params, &params, NULL) == WT_OK;
	struct wt_peer *peer = wt_lanes_named(worker, out->peer_id, known ? &params : NULL);
	struct wt_conn *conn = NULL;

	if (!peer) {
		(void)wt_refusal_report(worker, wt_origin_source(from).text, NULL, &no_such_lane,
					"dropped");
	} else if (known && was_replaced(peer, from, &params)) {
		peer->draining->drain_ms = worker->loop.now_ms;
		wt_life_run(peer->draining);
	} else {
		conn = association(peer, from, known ? &params : NULL);
	}
	if (conn)
		wt_handshake_accepted(conn, question, out);
	else
		wt_auth_abandon(question->auth, worker, out->handshake, out->local_index);
}

static void repeat(const struct wt_origin *to, const struct wt_auth_out *out)
{
	if (wt_output_handshake(to, out->reply, out->reply_len))
		wt_output_flush(to->link);
}

/* Was this handshake begun by a message from the same place? Who proves himself
 * in it is taken to be there, so its answer goes nowhere else: who got it
 * elsewhere could have all that follows sent to a place that never asked. */
static bool began_there(const struct wt_question *question, const struct wt_auth_out *out)
{
	const struct wt_origin *from = &question->from;
	const struct wt_conn *conn =
		wt_index_table_find(from->link->worker->indices, out->local_index);

	return conn && conn->pending.auth == question->auth &&
	       conn->pending.local_index == out->local_index &&
	       conn->pending.from.link == from->link &&
	       wt_path_equal(&conn->pending.from.path, &from->path);
}

static void say_again(const struct wt_question *question, const struct wt_auth_out *out,
		      const struct wt_source *source)
{
	const struct wt_auth_out replay = { .flags = out->flags & WT_AUTH_OUT_PEER,
					    .peer_id = out->peer_id,
					    .reason = WT_REASON_REPLAY };

	if (began_there(question, out))
		repeat(&question->from, out);
	else
		(void)wt_refusal_report(question->from.link->worker, source->text, NULL, &replay,
					"dropped");
}

static void apply(const struct wt_question *question, enum wt_auth_verdict verdict,
		  const struct wt_answer *said, const struct wt_source *source, size_t len)
{
	struct wt_worker *worker = question->from.link->worker;
	const struct wt_auth_out *out = &said->out;
	const char *flaw = wt_verdict_flaw(worker, NULL, question, verdict, said);

	if (!flaw && out->reply_len > len && verdict != WT_AUTH_IGNORE)
		flaw = "its answer to a stranger is longer than what it answers";
	if (flaw)
		wt_verdict_disbelieved(worker, source->text, question, verdict, out, flaw);
	else if (verdict == WT_AUTH_IGNORE)
		(void)wt_refusal_report(worker, source->text, NULL, out, "dropped");
	else if (verdict == WT_AUTH_ANSWER)
		(void)wt_refusal_report(worker, source->text, NULL, out, "answered with a token");

	if (!flaw && verdict == WT_AUTH_ANSWER)
		(void)wt_output_answer(&question->from, out->reply, out->reply_len);
	else if (!flaw && verdict == WT_AUTH_MORE && out->flags & WT_AUTH_OUT_REPEATED)
		say_again(question, out, source);
	else if (!flaw && verdict == WT_AUTH_MORE)
		accepted(question, out);
}

void wt_stranger_receive(const struct wt_origin *from, const struct wt_message *message,
			 const uint8_t *data, size_t len)
{
	static const struct wt_auth_out unexpected = { .reason = WT_REASON_STEP };
	struct wt_worker *worker = from->link->worker;
	struct wt_instance *auth = wt_node_auth(worker->node, message->method);
	struct wt_source source = wt_origin_source(from);

	if (!auth || worker->stopping) {
		(void)wt_refusal_report(worker, source.text, NULL, &unexpected, "dropped");
		return;
	}
	const struct wt_question question = {
		.auth = auth,
		.role = WT_HANDSHAKE_ACCEPT,
		.fresh_index = wt_index_table_draw(worker->indices),
		.from = *from,
	};
	struct wt_answer said;
	enum wt_auth_verdict verdict;
	const struct wt_auth_in in = {
		.struct_size = sizeof in,
		.channel = WT_CHANNEL_DATAGRAM,
		.message = data,
		.message_len = (uint32_t)len,
		.local_index = question.fresh_index,
		.source = source.token,
		.source_len = source.token_len,
		.source_prefix_len = source.prefix_len,
		.source_prefix = source.prefix,
	};

	wt_answer_init(&said);
	verdict = wt_auth_accept(auth, worker, &in, &said.out);
	apply(&question, verdict, &said, &source, len);
	wt_wipe(&said, sizeof said);
}
