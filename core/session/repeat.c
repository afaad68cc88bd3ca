/* SPDX-License-Identifier: MIT */
#include "session/repeat.h"

#include <stdlib.h>
#include <string.h>

#include "session/dial.h"
#include "session/initiation.h"
#include "session/lanes.h"
#include "session/output.h"
#include "session/peer.h"

struct wt_repeat {
	unsigned sent;	/* times that `message` left */
	unsigned waits; /* first messages of this handshake so far, whichever */
	bool last;
	bool record; /* there is no message: a record under the new keys is the proof */
	size_t len;
	uint8_t message[WT_AUTH_MESSAGE_MAX];
};

enum wt_status wt_repeat_init(struct wt_conn *conn)
{
	conn->repeat = calloc(1, sizeof(*conn->repeat));
	return conn->repeat ? WT_OK : WT_ERR_NOMEM;
}

void wt_repeat_stop(struct wt_conn *conn)
{
	free(conn->repeat);
	conn->repeat = NULL;
	conn->again_ms = 0;
}

void wt_repeat_begin(struct wt_conn *conn)
{
	if (conn->repeat)
		conn->repeat->waits = 0;
}

static void wait_for_answer(struct wt_conn *conn)
{
	struct wt_repeat *repeat = conn->repeat;
	uint64_t wait = repeat->last ? WT_REPEAT_MS : wt_dial_wait(repeat->waits++);

	conn->again_ms = conn->worker->loop.now_ms + wait;
	wt_conn_schedule_at(conn, conn->again_ms);
}

void wt_repeat_said(struct wt_conn *conn, const uint8_t *message, size_t len, bool last)
{
	struct wt_repeat *repeat = conn->repeat;

	if (!repeat)
		return;
	memcpy(repeat->message, message, len);
	repeat->len = len;
	repeat->last = last;
	repeat->record = last && len == 0;
	repeat->sent = 1;
	wait_for_answer(conn);
}

void wt_repeat_hurry(struct wt_conn *conn)
{
	if (!conn->repeat || conn->again_ms == 0)
		return;
	conn->repeat->waits = 0;
	conn->again_ms = conn->worker->loop.now_ms;
	wt_conn_schedule_at(conn, conn->again_ms);
}

void wt_repeat_answered(struct wt_conn *conn)
{
	conn->again_ms = 0;
	if (conn->repeat) {
		conn->repeat->len = 0;
		conn->repeat->record = false;
	}
}

/* Say it once more. Without room now there may be at the next time. */
static void say(struct wt_conn *conn)
{
	static const uint8_t payload[WT_PING_SIZE] = { 0 };
	const struct wt_origin to = { .link = conn->link, .path = conn->path };
	const struct wt_repeat *repeat = conn->repeat;
	uint8_t text[WT_CONTROL_MAX];

	/* What got lost may be the first record or its answer, and padding is
	 * answered but once: a PING always is. */
	if (repeat->record
		    ? wt_output_text(conn, conn->keys.next, text, wt_control_ping(text, payload))
		    : wt_output_handshake(&to, repeat->message, repeat->len))
		wt_output_flush(conn->link);
}

/* May what was said leave once more? */
static bool worth_repeating(const struct wt_conn *conn)
{
	const struct wt_repeat *repeat = conn->repeat;

	if (repeat->last)
		return repeat->sent <= WT_M3_REPEATS;
	return repeat->sent < WT_M1_SENDS && conn->peer->dial.unanswered < WT_M1_SILENT;
}

void wt_repeat_run(struct wt_conn *conn)
{
	struct wt_repeat *repeat = conn->repeat;

	conn->again_ms = 0;
	if (!repeat || (repeat->len == 0 && !repeat->record))
		return;
	/* It was answered: the plugin is thinking about it. */
	if (conn->question.ticket != 0) {
		conn->again_ms = conn->worker->loop.now_ms + WT_REPEAT_MS;
		wt_conn_schedule_at(conn, conn->again_ms);
		return;
	}
	if (worth_repeating(conn)) {
		say(conn);
		repeat->sent++;
		if (!conn->closed)
			wait_for_answer(conn);
		return;
	}
	if (!wt_lanes_begin(conn->peer->lanes, conn->peer->lane, conn->worker->loop.now_ms)) {
		conn->again_ms = conn->worker->loop.now_ms + WT_LANE_WAIT_MS;
		wt_conn_schedule_at(conn, conn->again_ms);
		return;
	}
	if (!repeat->last) {
		wt_dial_silent(conn);
		wt_initiation_again(conn);
	} else if (conn->state == WT_CONN_UP) {
		wt_initiation_start(conn);
	} else {
		wt_conn_close(conn, true, "the new keys were not confirmed");
	}
}
