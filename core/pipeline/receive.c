/* SPDX-License-Identifier: MIT */
#include "pipeline/receive.h"

#include "base/bytes.h"
#include "base/log.h"
#include "pipeline/delivery.h"
#include "plugin/call.h"
#include "record/header.h"
#include "session/handshake.h"
#include "session/index_table.h"
#include "session/life.h"
#include "session/node.h"
#include "session/output.h"
#include "session/peer.h"
#include "session/stranger.h"

/* Of one connection in one turn. */
#define TURN_BYTES (256u * 1024u)
#define TURN_RECORDS 64u
#define RECV_RECORDS 32u

/* What a control record asks for: of each kind the last, and no more. */
struct asked {
	const uint8_t *close, *ping, *probe, *challenge;
};

static void answer(struct wt_conn *conn, const struct asked *asked)
{
	uint8_t text[WT_CONTROL_MAX];

	if (asked->ping && wt_output_ready(conn))
		(void)wt_output_text(conn, conn->keys.current, text,
				     wt_control_pong(text, asked->ping));
	/* Streams have no path to ask about. */
	if (!conn->link->datagram)
		return;
	if (asked->probe && wt_output_ready(conn))
		(void)wt_output_text(conn, conn->keys.current, text,
				     wt_control_probe_ack(text, wt_load_be16(asked->probe)));
	if (asked->challenge && wt_output_ready(conn))
		(void)wt_output_text(conn, conn->keys.current, text,
				     wt_control_path_response(text, asked->challenge));
}

static void control(struct wt_conn *conn, const struct wt_origin *from,
		    const struct wt_keypair *pair, const struct wt_inner *inner)
{
	struct asked asked = { .close = NULL };
	struct wt_control field;
	size_t at = 0;

	while (wt_control_next(inner, &at, &field)) {
		switch (field.type) {
		case WT_CONTROL_CLOSE:
			asked.close = field.value;
			break;
		case WT_CONTROL_PING:
			asked.ping = field.value;
			break;
		case WT_CONTROL_REKEY:
			wt_life_rekey_asked(conn);
			break;
		case WT_CONTROL_PATH_CHALLENGE:
			asked.challenge = field.value;
			break;
		case WT_CONTROL_PATH_RESPONSE:
			wt_track_response(conn, from, field.value);
			break;
		case WT_CONTROL_PROBE:
			asked.probe = field.value;
			break;
		case WT_CONTROL_PROBE_ACK:
			wt_track_acked(conn, wt_load_be16(field.value));
			break;
		default:
			break;
		}
	}
	if (asked.close)
		wt_peer_conn_said_close(conn->peer, conn, pair, asked.close[0]);
	else if (conn->state == WT_CONN_UP)
		answer(conn, &asked);
}

/* On a stream what does not open is an attack or a fault, and the sequence is
 * broken either way. A datagram may be anybody's, and ends nothing. */
static void refused(struct wt_conn *conn, const struct wt_keypair *pair, enum wt_drop drop)
{
	wt_drop_count(conn->worker, conn->peer, drop);
	if (conn->link->datagram) {
		if (drop == WT_DROP_KEY_LIMIT)
			wt_life_key_refused(conn, pair);
		return;
	}
	wt_log_limited(WT_LOG_WARN, "record", "%s: a record was refused (%s), connection closed",
		       conn->source.text, wt_drop_name(drop));
	wt_conn_close(conn, true, "a record was refused");
}

/* Is it of the newest keys, with the largest counter yet? */
static bool is_newest(const struct wt_conn *conn, const struct wt_keypair *pair, uint64_t counter)
{
	return pair == conn->keys.current && pair->window.top == counter;
}

static void data(struct wt_conn *conn, struct wt_delivery *delivery, const struct wt_origin *from,
		 const struct wt_message *message, uint8_t *record, size_t len)
{
	struct wt_worker *worker = conn->worker;
	struct wt_keypair *pair = wt_keyring_find(&conn->keys, message->receiver_index);
	struct wt_inner inner;
	enum wt_drop drop = WT_DROP_INDEX;
	bool confirms = pair && pair == conn->keys.next;

	if (pair)
		drop = wt_keypair_open(pair, worker, worker->loop.now_ms, record, len);
	/* What follows may end the connection, whose memory holds packets. */
	if (drop != WT_DROP_NONE || confirms)
		wt_delivery_flush(delivery);
	if (drop != WT_DROP_NONE) {
		refused(conn, pair, drop);
		return;
	}
	if (confirms)
		wt_handshake_confirmed(conn);
	if (conn->closed)
		return;
	/* On a stream, behind a record that is the dialler's proof come those that it
	 * seals under the old keys until it hears of us under the new ones. */
	if (pair == conn->keys.current && (!confirms || conn->dialled || conn->link->datagram))
		wt_life_previous_ends(conn);
	wt_track_received(conn, from, len, is_newest(conn, pair, message->counter));
	drop = wt_inner_parse(record + WT_RECORD_HEADER, len - WT_RECORD_HEADER - WT_TAG_SIZE,
			      &worker->node->limits, &inner);
	if (drop != WT_DROP_NONE) {
		wt_drop_count(worker, conn->peer, drop);
		return;
	}
	wt_life_received(conn, wt_inner_has_packet(&inner));
	if (wt_inner_has_packet(&inner)) {
		wt_delivery_packet(delivery, conn->peer, &inner);
	} else if (inner.kind == WT_INNER_CONTROL) {
		wt_delivery_flush(delivery);
		control(conn, from, pair, &inner);
	}
}

/* Whose is it? A link that is not shared knows; else the index tells, or nothing. */
static struct wt_conn *addressee(const struct wt_link *link, uint32_t receiver_index)
{
	if (!wt_link_shared(link))
		return wt_link_only(link);
	return wt_index_table_find(link->worker->indices, receiver_index);
}

static void not_a_message(struct wt_link *link, enum wt_drop drop)
{
	struct wt_conn *conn = wt_link_shared(link) ? NULL : wt_link_only(link);

	wt_drop_count(link->worker, conn ? conn->peer : NULL, drop);
	if (link->datagram)
		return;
	wt_log_limited(WT_LOG_INFO, "message",
		       "%s: not a message of this protocol (%s), connection closed",
		       conn->source.text, wt_drop_name(drop));
	wt_link_end(link, true, "not a message of this protocol");
}

static void message_in(const struct wt_origin *from, struct wt_delivery *delivery, uint8_t *bytes,
		       size_t len)
{
	struct wt_link *link = from->link;
	struct wt_message message;
	struct wt_conn *conn;

	if (wt_message_parse(bytes, len, &message) != WT_MESSAGE_DATA)
		wt_delivery_flush(delivery);
	if (message.kind == WT_MESSAGE_INVALID) {
		not_a_message(link, message.drop);
		return;
	}
	if (message.kind == WT_MESSAGE_HANDSHAKE && message.receiver_index == 0 &&
	    wt_link_shared(link)) {
		wt_stranger_receive(from, &message, bytes, len);
		return;
	}
	conn = addressee(link, message.receiver_index);
	if (!conn)
		wt_drop_count(link->worker, NULL, WT_DROP_INDEX);
	else if (message.kind == WT_MESSAGE_HANDSHAKE)
		wt_handshake_receive(conn, from, &message, bytes, len);
	else
		data(conn, delivery, from, &message, bytes, len);
}

/* A run is so many messages of one size, and perhaps a shorter one. */
static void record_in(struct wt_link *link, struct wt_delivery *delivery,
		      const struct wt_record *record)
{
	const struct wt_origin from = {
		.link = link,
		.path = wt_link_shared(link) ? record->path : (struct wt_path){ .bytes = { 0 } },
	};
	uint32_t step = link->datagram && record->segment ? record->segment : record->len;

	if (record->len == 0)
		message_in(&from, delivery, record->data, 0);
	for (uint32_t at = 0; at < record->len && !link->closed; at += step)
		message_in(&from, delivery, record->data + at,
			   record->len - at < step ? record->len - at : step);
}

/* True: there is more, but the budget is spent. */
static bool receive_from(struct wt_link *link)
{
	struct wt_record records[RECV_RECORDS];
	size_t bytes = 0, count = 0, got;
	struct wt_delivery delivery;

	wt_delivery_init(&delivery, link->worker);
	for (size_t i = 0; i < RECV_RECORDS; i++)
		records[i] = (struct wt_record){ .struct_size = sizeof records[i] };
	while (bytes < TURN_BYTES && count < TURN_RECORDS) {
		enum wt_status status = wt_transport_recv(link->transport, link->worker,
							  link->tconn, records, RECV_RECORDS, &got);

		if (status == WT_AGAIN)
			return false;
		if (status == WT_ERR_LIMIT && !link->datagram) {
			wt_drop_count(link->worker, wt_link_only(link)->peer, WT_DROP_LENGTH);
			wt_link_end(link, true, "a message had an impossible length");
		}
		/* Of any other end link_ended brings the words. */
		if (status != WT_OK)
			return false;
		for (size_t i = 0; i < got; i++) {
			bytes += records[i].len;
			record_in(link, &delivery, &records[i]);
			if (link->closed)
				return false;
		}
		wt_delivery_flush(&delivery);
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
