/* SPDX-License-Identifier: MIT */
#include "session/verdict.h"

#include <string.h>

#include "base/log.h"
#include "plugin/call.h"
#include "session/peer.h"

void wt_answer_init(struct wt_answer *answer)
{
	memset(answer, 0, sizeof *answer);
	answer->out.struct_size = sizeof answer->out;
	answer->out.reply = answer->reply;
	answer->out.reply_capacity = sizeof answer->reply;
}

void wt_answer_copy(struct wt_answer *answer, const struct wt_auth_out *theirs)
{
	struct wt_auth_out *out = &answer->out;
	const size_t size = theirs->struct_size;

	memset(out, 0, sizeof *out);
	memcpy(out, theirs, size < sizeof *out ? size : sizeof *out);
	const uint8_t *reply = out->reply;

	out->struct_size = sizeof *out;
	out->reply_capacity = sizeof answer->reply;
	/* NULL beside a length is found wrong later. */
	out->reply = reply || out->reply_len == 0 ? answer->reply : NULL;
	if (reply && out->reply_len <= sizeof answer->reply)
		memcpy(answer->reply, reply, out->reply_len);
}

/* The caller's part of the output is as it was. */
static const char *flaw_of_output(const struct wt_answer *answer)
{
	const struct wt_auth_out *out = &answer->out;

	if (out->struct_size != sizeof *out)
		return "it changed struct_size of its output";
	if (out->reply != answer->reply || out->reply_capacity != sizeof answer->reply)
		return "its reply is not in the buffer that it was given";
	if (out->reply_len > out->reply_capacity)
		return "its reply is too long";
	return NULL;
}

static bool in_memory_of(const struct wt_peer *peer, const void *handshake)
{
	const uintptr_t at = (uintptr_t)handshake, memory = (uintptr_t)peer->auth_memory;

	return at >= memory && at - memory < wt_auth_ops(peer->auth)->peer_size;
}

/* The peer it names must be one that this plugin was told of, and the one that the
 * connection belongs to already; and the handshake one of that peer. Behind the peers
 * of a worker are their other lanes, which have no number. */
static const char *flaw_of_peer(const struct wt_worker *worker, const struct wt_conn *conn,
				const struct wt_question *question, const struct wt_auth_out *out)
{
	if (!(out->flags & WT_AUTH_OUT_PEER) || out->peer_id >= worker->node->peer_count)
		return "it names no peer";
	const struct wt_peer *peer = &worker->peers[out->peer_id];

	if (peer->auth != question->auth)
		return "it names a peer of another auth section";
	if (conn && conn->peer && conn->peer->id != peer->id)
		return "it names another peer than the connection's";
	if (!out->handshake)
		return "it has no handshake to go on with";
	if (!in_memory_of(peer, out->handshake))
		return "its handshake is not in the memory of the peer";
	return NULL;
}

static const char *flaw_of_begun(const struct wt_conn *conn, const struct wt_question *question,
				 const struct wt_auth_out *out)
{
	const char *flaw = flaw_of_peer(conn->worker, conn, question, out);

	if (flaw)
		return flaw;
	if (out->local_index != question->fresh_index)
		return "it has another index";
	return out->reply_len > 0 ? NULL : "it begins without a message";
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
	if (out->handshake != handshake->handle)
		return "it goes on with another handshake";
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
			    const struct wt_answer *answer)
{
	const struct wt_auth_out *out = &answer->out;
	const char *flaw = flaw_of_output(answer);
	bool accepting = question->role == WT_HANDSHAKE_ACCEPT;

	if (flaw)
		return flaw;
	switch (verdict) {
	case WT_AUTH_IGNORE:
		return NULL;
	case WT_AUTH_ANSWER:
		return accepting && out->reply_len > 0 ? NULL
						       : "an answer is only for first messages";
	case WT_AUTH_MORE:
	case WT_AUTH_DONE:
		break;
	default:
		return "there is no such verdict";
	}
	if (accepting)
		return verdict == WT_AUTH_MORE ? flaw_of_accepted(worker, conn, question, out)
					       : "a first message proves nobody";
	if (question->role == WT_HANDSHAKE_START)
		return verdict == WT_AUTH_MORE ? flaw_of_begun(conn, question, out)
					       : "a handshake that begins proves nobody";
	return flaw_of_later(conn, question,
			     question->role == WT_HANDSHAKE_OWN ? &conn->own : &conn->pending,
			     verdict, out);
}

/* A new handshake, which the core does not take up. One that is in no peer's memory
 * is none. */
static void forget(const struct wt_question *question, struct wt_worker *worker,
		   const struct wt_auth_out *out)
{
	for (uint32_t i = 0; i < worker->peer_count; i++) {
		const struct wt_peer *peer = &worker->peers[i];

		if (peer->auth != question->auth || !in_memory_of(peer, out->handshake))
			continue;
		wt_auth_abandon(question->auth, worker, out->handshake, out->local_index);
		return;
	}
}

void wt_verdict_disbelieved(struct wt_worker *worker, const char *source,
			    const struct wt_question *question, enum wt_auth_verdict verdict,
			    const struct wt_auth_out *out, const char *flaw)
{
	const bool first =
		question->role == WT_HANDSHAKE_ACCEPT || question->role == WT_HANDSHAKE_START;

	worker->refusals[WT_REASON_INTERNAL]++;
	wt_log_limited(WT_LOG_ERROR, "auth contract",
		       "%s: auth plugin \"%s\" gave a verdict that cannot be: %s; this is a fault "
		       "of the plugin",
		       source, question->auth->plugin->name, flaw);
	if (first && verdict == WT_AUTH_MORE)
		forget(question, worker, out);
}
