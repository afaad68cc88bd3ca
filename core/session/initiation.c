/* SPDX-License-Identifier: MIT */
#include "session/initiation.h"

#include "base/secret.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/handshake.h"
#include "session/lanes.h"
#include "session/peer.h"
#include "session/repeat.h"

/* The deadline and the waits are of the whole attempt, not of each message. */
static void begin(struct wt_conn *conn, uint64_t deadline_ms)
{
	struct wt_worker *worker = conn->worker;
	struct wt_peer *peer = conn->peer;
	const struct wt_origin to = { .link = conn->link, .path = conn->path };
	struct wt_auth_out out = { .struct_size = sizeof out };
	bool rekey = conn->state == WT_CONN_UP;
	uint8_t params[WT_PARAMS_SIZE];
	struct wt_auth_start start = {
		.struct_size = sizeof start,
		.channel = conn->link->datagram ? WT_CHANNEL_DATAGRAM : WT_CHANNEL_STREAM,
		.local_index = wt_handshake_index(conn),
		.unanswered = rekey && !conn->link->datagram ? 0 : peer->dial.unanswered,
		.params = params,
	};

	wt_lanes_tell(worker, peer, peer->lane, params);
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
		.deadline_ms = deadline_ms,
		.sent_ns = worker->node->clock->mono_ns(worker->node->clock),
	};
	conn->rekey_ms = conn->dead_ms = 0;
	conn->asked = !rekey;
	wt_conn_schedule(conn);
	wt_repeat_said(conn, out.reply, out.reply_len, false);
	(void)wt_handshake_reply(conn, &to, &out);
	wt_wipe(&out, sizeof out);
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
	wt_handshake_abandon(&conn->own);
	wt_lanes_done(conn->peer->lanes, conn->peer->lane);
	wt_repeat_answered(conn);
}
