/* SPDX-License-Identifier: MIT */
#include "pipeline/receive.h"

#include "base/log.h"
#include "pipeline/tun_queue.h"
#include "plugin/call.h"
#include "record/header.h"
#include "session/handshake.h"
#include "session/life.h"
#include "session/node.h"
#include "session/output.h"
#include "session/peer.h"

/* Of one connection in one turn. */
#define TURN_BYTES (256u * 1024u)
#define TURN_RECORDS 64u
#define RECV_RECORDS 32u

static void deliver(struct wt_conn *conn, struct wt_inner *inner)
{
	struct wt_worker *worker = conn->worker;
	struct wt_peer *peer = conn->peer;

	if (!wt_allowed_ips_source_ok(worker->node->allowed_ips, inner->packet.family,
				      inner->packet.source, peer->id)) {
		wt_drop_count(worker, peer, WT_DROP_SOURCE);
		wt_log_limited(WT_LOG_WARN, "source",
			       "peer %s: packet with a source outside its allowed_ips dropped",
			       wt_peer_name(peer));
		return;
	}
	if (!wt_tun_queue_write(worker, inner)) {
		wt_drop_count(worker, peer, WT_DROP_TUN_REFUSED);
		return;
	}
	peer->counters.rx_packets++;
	peer->counters.rx_bytes += inner->len;
}

static void control(struct wt_conn *conn, const struct wt_inner *inner)
{
	uint8_t text[WT_CONTROL_MAX];
	const uint8_t *ping = NULL;
	struct wt_control field;
	size_t at = 0;
	int close_reason = -1;

	while (wt_control_next(inner, &at, &field)) {
		if (field.type == WT_CONTROL_CLOSE)
			close_reason = field.value[0];
		else if (field.type == WT_CONTROL_PING)
			ping = field.value;
		else if (field.type == WT_CONTROL_REKEY)
			wt_life_rekey_asked(conn);
	}
	if (close_reason >= 0)
		wt_peer_conn_said_close(conn->peer, conn, (uint8_t)close_reason);
	else if (ping && conn->state == WT_CONN_UP && wt_output_ready(conn))
		(void)wt_output_text(conn, conn->keys.current, text, wt_control_pong(text, ping));
}

static void data(struct wt_conn *conn, const struct wt_message *message, uint8_t *record,
		 size_t len)
{
	struct wt_worker *worker = conn->worker;
	struct wt_keypair *pair = wt_keyring_find(&conn->keys, message->receiver_index);
	struct wt_inner inner;
	enum wt_drop drop = WT_DROP_INDEX;

	if (pair)
		drop = wt_keypair_open(pair, worker, worker->loop.now_ms, record, len);
	if (drop != WT_DROP_NONE) {
		/* On a stream what does not open is an attack or a fault; the
		 * sequence is broken either way. */
		wt_drop_count(worker, conn->peer, drop);
		wt_log_limited(WT_LOG_WARN, "record",
			       "%s: a record was refused (%s), connection closed",
			       conn->source.text, wt_drop_name(drop));
		wt_conn_close(conn, true, "a record was refused");
		return;
	}
	if (pair == conn->keys.next)
		wt_handshake_confirmed(conn);
	if (conn->closed)
		return;
	/* In order: what the other end seals under new keys is the end of the old. */
	if (pair == conn->keys.current)
		wt_keyring_wipe_previous(&conn->keys);
	drop = wt_inner_parse(record + WT_RECORD_HEADER, len - WT_RECORD_HEADER - WT_TAG_SIZE,
			      &worker->node->limits, &inner);
	if (drop != WT_DROP_NONE) {
		wt_drop_count(worker, conn->peer, drop);
		return;
	}
	wt_life_received(conn, wt_inner_has_packet(&inner));
	if (wt_inner_has_packet(&inner))
		deliver(conn, &inner);
	else if (inner.kind == WT_INNER_CONTROL)
		control(conn, &inner);
}

static void message_in(struct wt_conn *conn, uint8_t *bytes, size_t len)
{
	struct wt_message message;

	switch (wt_message_parse(bytes, len, &message)) {
	case WT_MESSAGE_HANDSHAKE:
		wt_handshake_receive(conn, &message, bytes, len);
		break;
	case WT_MESSAGE_DATA:
		data(conn, &message, bytes, len);
		break;
	case WT_MESSAGE_INVALID:
		wt_drop_count(conn->worker, conn->peer, message.drop);
		wt_log_limited(WT_LOG_INFO, "message",
			       "%s: not a message of this protocol (%s), connection closed",
			       conn->source.text, wt_drop_name(message.drop));
		wt_conn_close(conn, true, "not a message of this protocol");
		break;
	}
}

/* True: there is more, but the budget is spent. */
static bool receive_from(struct wt_link *link)
{
	struct wt_record records[RECV_RECORDS];
	size_t bytes = 0, count = 0, got;

	for (size_t i = 0; i < RECV_RECORDS; i++)
		records[i].struct_size = sizeof records[i];
	while (bytes < TURN_BYTES && count < TURN_RECORDS) {
		enum wt_status status = wt_transport_recv(link->transport, link->worker,
							  link->tconn, records, RECV_RECORDS, &got);

		if (status == WT_AGAIN)
			return false;
		if (status == WT_ERR_LIMIT) {
			wt_drop_count(link->worker, wt_link_only(link)->peer, WT_DROP_LENGTH);
			wt_link_end(link, true, "a message had an impossible length");
		}
		/* Of any other end conn_ended brings the words. */
		if (status != WT_OK)
			return false;
		for (size_t i = 0; i < got; i++) {
			bytes += records[i].len;
			message_in(wt_link_only(link), records[i].data, records[i].len);
			if (link->closed)
				return false;
		}
		count += got;
	}
	return true;
}

bool wt_receive_turn(struct wt_worker *worker)
{
	size_t waiting = 0;

	/* Those that have more go to the end of the list, for the next turn. */
	for (const struct wt_link *l = worker->readable; l; l = l->next_readable)
		waiting++;
	while (waiting-- > 0) {
		struct wt_link *link = wt_link_next_readable(worker);

		if (!link)
			break;
		if (receive_from(link))
			wt_link_readable(link);
	}
	wt_output_flush_all(worker);
	return worker->readable != NULL;
}
