/* SPDX-License-Identifier: MIT */
#include "session/initiation.h"

#include "base/secret.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/handshake.h"
#include "session/lanes.h"
#include "session/peer.h"
#include "session/repeat.h"
#include "session/verdict.h"

/* It is under way: its first message goes out. */
static void begun(struct wt_conn *conn, uint32_t local_index, uint64_t deadline_ms,
		  const struct wt_auth_out *out)
{
	const struct wt_origin to = { .link = conn->link, .path = conn->path };
	const struct wt_clock *clock = conn->worker->node->clock;

	conn->own = (struct wt_handshake){
		.auth = conn->peer->auth,
		.handle = out->handshake,
		.local_index = local_index,
		.deadline_ms = deadline_ms,
		.sent_ns = clock->mono_ns(clock),
	};
	conn->rekey_ms = conn->dead_ms = 0;
	conn->asked = conn->state != WT_CONN_UP;
	wt_conn_schedule(conn);
	wt_repeat_said(conn, out->reply, out->reply_len, false);
	(void)wt_handshake_reply(conn, &to, out);
}

/* The deadline and the waits are of the whole attempt, not of each message. */
static void begin(struct wt_conn *conn, uint64_t deadline_ms)
{
	struct wt_worker *worker = conn->worker;
	struct wt_peer *peer = conn->peer;
	bool rekey = conn->state == WT_CONN_UP;
	uint8_t params[WT_PARAMS_SIZE];
	const struct wt_question question = { .auth = peer->auth,
					      .role = WT_HANDSHAKE_START,
					      .fresh_index = wt_handshake_index(conn) };
	const struct wt_auth_start start = {
		.struct_size = sizeof start,
		.channel = conn->link->datagram ? WT_CHANNEL_DATAGRAM : WT_CHANNEL_STREAM,
		.local_index = question.fresh_index,
		.unanswered = rekey && !conn->link->datagram ? 0 : peer->dial.unanswered,
		.params = params,
	};
	struct wt_answer said;

	wt_lanes_tell(worker->node, peer->lane, peer->lanes->count, params);
	wt_handshake_abandon(conn, &conn->own);
	wt_answer_init(&said);
	enum wt_auth_verdict verdict =
		wt_auth_begin(peer->auth, worker, peer->auth_memory, &start, &said.out);
	const char *flaw = wt_verdict_flaw(worker, conn, &question, verdict, &said);

	if (flaw)
		wt_verdict_disbelieved(worker, conn->source.text, &question, verdict, &said.out,
				       flaw);
	if (flaw || verdict != WT_AUTH_MORE)
		wt_conn_close(conn, true, "the auth plugin cannot begin a handshake");
	else
		begun(conn, start.local_index, deadline_ms, &said.out);
	wt_wipe(&said, sizeof said);
}

/* Not while another lane of the peer is at it: a rekey can wait. */
static bool my_turn(struct wt_conn *conn)
{
	const struct wt_peer *peer = conn->peer;
	uint64_t now = conn->worker->loop.now_ms;

	if (wt_lanes_begin(peer->lanes, peer->lane, now))
		return true;
	if (conn->state != WT_CONN_UP) {
		wt_conn_close(conn, true, "another connection to this peer is being made");
		return false;
	}
	conn->rekey_ms = now + WT_LANE_WAIT_MS;
	wt_conn_schedule_at(conn, conn->rekey_ms);
	return false;
}

void wt_initiation_start(struct wt_conn *conn)
{
	bool rekey = conn->state == WT_CONN_UP;

	if (!my_turn(conn))
		return;
	wt_repeat_begin(conn);
	begin(conn,
	      conn->worker->loop.now_ms + (rekey ? WT_REKEY_HANDSHAKE_MS : wt_dial_patience(conn)));
}

void wt_initiation_again(struct wt_conn *conn)
{
	begin(conn, conn->own.deadline_ms);
}

void wt_initiation_stop(struct wt_conn *conn)
{
	if (!conn->link->datagram)
		return;
	wt_handshake_abandon(conn, &conn->own);
	wt_lanes_done(conn->peer->lanes, conn->peer->lane);
	wt_repeat_answered(conn);
}
