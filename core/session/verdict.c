/* SPDX-License-Identifier: MIT */
#include "session/verdict.h"

#include "base/log.h"
#include "plugin/call.h"
#include "session/peer.h"

/* The peer it names must be one that this plugin was told of, that waits here
 * to be dialled, and the one that the connection belongs to already. */
static const char *flaw_of_peer(const struct wt_worker *worker, const struct wt_conn *conn,
				const struct wt_question *question, const struct wt_auth_out *out)
{
	if (!(out->flags & WT_AUTH_OUT_PEER) || out->peer_id >= worker->peer_count)
		return "it names no peer";
	const struct wt_peer *peer = &worker->peers[out->peer_id];

	if (peer->auth != question->auth)
		return "it names a peer of another auth section";
	if (conn && conn->peer && conn->peer->id != peer->id)
		return "it names another peer than the connection's";
	return NULL;
}

static const char *flaw_of_accepted(const struct wt_worker *worker, const struct wt_conn *conn,
				    const struct wt_question *question,
				    const struct wt_auth_out *out)
{
	const char *flaw = flaw_of_peer(worker, conn, question, out);

	if (flaw)
		return flaw;
	if (wt_peer_dials(&worker->peers[out->peer_id]))
		return "it accepts a peer that is dialled from here";
	if (!out->handshake)
		return "it has no handshake to go on with";
	/* The first copy of a datagram may have come to another worker. */
	if (out->flags & WT_AUTH_OUT_REPEATED && !conn)
		return NULL;
	if (out->flags & WT_AUTH_OUT_REPEATED)
		return conn->pending.auth == question->auth &&
				       conn->pending.local_index == out->local_index
			       ? NULL
			       : "it repeats what was never said";
	return out->local_index == question->fresh_index ? NULL : "it has another index";
}

/* Of a handshake that is known here. */
static const char *flaw_of_later(const struct wt_conn *conn, const struct wt_question *question,
				 const struct wt_handshake *handshake, enum wt_auth_verdict verdict,
				 const struct wt_auth_out *out)
{
	const char *flaw = flaw_of_peer(conn->worker, conn, question, out);

	if (flaw)
		return flaw;
	if (handshake->auth != question->auth || out->local_index != handshake->local_index)
		return "it has another index";
	if (verdict == WT_AUTH_DONE && question->role == WT_HANDSHAKE_OWN &&
	    !(out->flags & WT_AUTH_OUT_KEYS))
		return "it is done without keys";
	if (verdict == WT_AUTH_DONE && question->role == WT_HANDSHAKE_PENDING && !handshake->done &&
	    !(out->flags & WT_AUTH_OUT_KEYS) &&
	    (!conn->keys.next || conn->keys.next->local_index != out->local_index))
		return "it is done without keys";
	return NULL;
}

const char *wt_verdict_flaw(const struct wt_worker *worker, const struct wt_conn *conn,
			    const struct wt_question *question, enum wt_auth_verdict verdict,
			    const struct wt_auth_out *out)
{
	bool first = question->role == WT_HANDSHAKE_ACCEPT;

	if (out->reply_len > WT_AUTH_MESSAGE_MAX)
		return "its reply is too long";
	switch (verdict) {
	case WT_AUTH_IGNORE:
		return NULL;
	case WT_AUTH_ANSWER:
		return first && out->reply_len > 0 ? NULL : "an answer is only for first messages";
	case WT_AUTH_MORE:
	case WT_AUTH_DONE:
		break;
	default:
		return "there is no such verdict";
	}
	if (first)
		return verdict == WT_AUTH_MORE ? flaw_of_accepted(worker, conn, question, out)
					       : "a first message proves nobody";
	return flaw_of_later(conn, question,
			     question->role == WT_HANDSHAKE_OWN ? &conn->own : &conn->pending,
			     verdict, out);
}

void wt_verdict_disbelieved(struct wt_worker *worker, const char *source,
			    const struct wt_question *question, enum wt_auth_verdict verdict,
			    const struct wt_auth_out *out, const char *flaw)
{
	worker->refusals[WT_REASON_INTERNAL]++;
	wt_log_limited(WT_LOG_ERROR, "auth contract",
		       "%s: auth plugin \"%s\" gave a verdict that cannot be: %s; this is a fault "
		       "of the plugin",
		       source, question->auth->plugin->name, flaw);
	if (question->role == WT_HANDSHAKE_ACCEPT && verdict == WT_AUTH_MORE && out->handshake)
		wt_auth_abandon(question->auth, out->handshake, out->local_index);
}
