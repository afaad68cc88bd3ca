/* SPDX-License-Identifier: MIT */
#include "session/life.h"

#include "base/log.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/handshake.h"
#include "session/initiation.h"
#include "session/output.h"
#include "session/peer.h"
#include "session/repeat.h"

/* `percent` of `value`, at random. */
static uint64_t random_part(uint64_t value, uint64_t percent)
{
	uint64_t most = value * percent / 100, r = 0;

	return wt_random(&r, sizeof r) == WT_OK && most ? r % (most + 1) : 0;
}

static uint64_t next_ping(const struct wt_conn *conn, uint64_t now)
{
	uint64_t every = (uint64_t)conn->peer->settings->keepalive_s * 1000;

	return every ? now + every : 0;
}

void wt_life_keys_fresh(struct wt_conn *conn)
{
	const struct wt_node *node = conn->worker->node;
	uint64_t now = conn->worker->loop.now_ms;
	uint64_t rekey = (uint64_t)node->settings->tunnel.rekey_after_s * 1000;
	uint64_t jitter = random_part(rekey, 100u * WT_REKEY_JITTER_MS / WT_REKEY_AFTER_MS);

	conn->rekey_ms = conn->dialled ? now + rekey - jitter : 0;
	conn->ask_ms = 0;
	conn->dead_ms = 0;
	conn->wipe_ms = now + WT_WIPE_AFTER_MS;
	conn->ping_ms = next_ping(conn, now);
	wt_conn_schedule(conn);
}

void wt_life_stop_traffic(struct wt_conn *conn)
{
	conn->rekey_ms = conn->ask_ms = 0;
	conn->keepalive_ms = conn->ping_ms = conn->dead_ms = 0;
	wt_track_stop(conn);
}

void wt_life_keepalive_in(struct wt_conn *conn, uint64_t ms)
{
	conn->keepalive_ms = conn->worker->loop.now_ms + ms;
	wt_conn_schedule_at(conn, conn->keepalive_ms);
}

void wt_life_received(struct wt_conn *conn, bool payload)
{
	conn->dead_ms = 0;
	if (payload && conn->keepalive_ms == 0)
		wt_life_keepalive_in(conn, WT_KEEPALIVE_PASSIVE_MS);
}

void wt_life_rekey_asked(struct wt_conn *conn)
{
	uint64_t earliest = conn->keys.current->born_ms + WT_REKEY_EARLIEST_MS;

	if (conn->state != WT_CONN_UP || !conn->dialled || conn->own.auth ||
	    conn->rekey_ms <= earliest)
		return;
	conn->rekey_ms = earliest;
	wt_conn_schedule_at(conn, earliest);
}

void wt_life_ask(struct wt_conn *conn)
{
	conn->ping_ms = conn->worker->loop.now_ms;
	wt_conn_schedule_at(conn, conn->ping_ms);
}

/* New keys are needed. */
static void want_keys(struct wt_conn *conn)
{
	uint64_t now = conn->worker->loop.now_ms;
	bool theirs = conn->pending.auth && !conn->pending.done;

	if (conn->dialled && !conn->own.auth && (conn->rekey_ms == 0 || conn->rekey_ms > now))
		conn->rekey_ms = now;
	else if (!conn->dialled && !theirs && conn->ask_ms == 0)
		conn->ask_ms = now;
	else
		return;
	wt_conn_schedule_at(conn, now);
}

void wt_life_sent(struct wt_conn *conn)
{
	uint64_t now = conn->worker->loop.now_ms;

	if (conn->dialled && conn->dead_ms == 0 && !conn->own.auth) {
		conn->dead_ms = now + WT_DEAD_PEER_MS;
		wt_conn_schedule_at(conn, conn->dead_ms);
	}
	if (wt_keypair_rekey_due(conn->keys.current))
		want_keys(conn);
}

void wt_life_previous_ends(struct wt_conn *conn)
{
	if (!conn->keys.previous || conn->previous_ms != 0)
		return;
	if (!conn->link->datagram) {
		wt_keyring_wipe_previous(&conn->keys);
		return;
	}
	conn->previous_ms = conn->worker->loop.now_ms + WT_PREVIOUS_MS;
	wt_conn_schedule_at(conn, conn->previous_ms);
}

void wt_life_key_refused(struct wt_conn *conn, const struct wt_keypair *pair)
{
	/* The record itself says nothing: anybody may have made it. */
	if (pair == conn->keys.current && conn->state == WT_CONN_UP &&
	    !wt_keypair_can_open(pair, conn->worker->loop.now_ms))
		want_keys(conn);
}

/* On a link that stands they would only pile up. */
static bool send_control(struct wt_conn *conn, const uint8_t *text, size_t len)
{
	return wt_output_ready(conn) && wt_output_text(conn, conn->keys.current, text, len);
}

static bool due(uint64_t *when_ms, uint64_t now)
{
	if (*when_ms == 0 || *when_ms > now)
		return false;
	*when_ms = 0;
	return true;
}

static void pending_over(struct wt_conn *conn)
{
	if (conn->pending.done) {
		wt_handshake_forget_theirs(conn);
		return;
	}
	wt_handshake_drop_pending(conn);
	if (conn->state == WT_CONN_PROVEN)
		wt_conn_close(conn, true, "its handshake was not finished in time");
}

/* Another took its place. A datagram may be lost, so it is said more than once. */
static void say_replaced(struct wt_conn *conn, uint64_t now)
{
	uint8_t text[WT_CONTROL_MAX];

	(void)wt_output_text(conn, conn->keys.current, text,
			     wt_control_close(text, WT_CLOSE_REPLACED));
	wt_output_flush(conn->link);
	if (conn->link->datagram && ++conn->closes_said < WT_CLOSE_REPEATS)
		conn->drain_ms = now + WT_CLOSE_REPEAT_MS;
	else
		wt_conn_close(conn, false, "replaced by a newer connection");
}

/* What ends the connection. True: it is closed. */
static bool run_ends(struct wt_conn *conn, uint64_t now)
{
	if (due(&conn->drain_ms, now)) {
		say_replaced(conn, now);
	} else if (due(&conn->give_up_ms, now)) {
		wt_conn_close(conn, true,
			      conn->state == WT_CONN_DIALLING ? "the dial got no answer"
							      : "no handshake in time");
	} else if (due(&conn->own.deadline_ms, now)) {
		conn->silent = true;
		wt_conn_close(conn, true,
			      conn->state == WT_CONN_UP ? "a rekey got no answer"
							: "the handshake got no answer");
	} else if (due(&conn->wipe_ms, now)) {
		wt_conn_close(conn, true, "no new keys for too long");
	} else if (due(&conn->pending.deadline_ms, now)) {
		pending_over(conn);
	}
	return conn->closed;
}

static void run_traffic(struct wt_conn *conn, uint64_t now)
{
	static const uint8_t padding[] = { WT_INNER_PADDING };
	uint8_t text[WT_CONTROL_MAX], payload[WT_PING_SIZE];

	if (due(&conn->ask_ms, now)) {
		(void)send_control(conn, text, wt_control_rekey(text));
		conn->ask_ms = now + WT_REPEAT_MS;
	}
	/* Without room now it comes later: the other end may wait for it. */
	if (due(&conn->keepalive_ms, now) && !send_control(conn, padding, sizeof padding))
		wt_life_keepalive_in(conn, WT_REPEAT_MS);
	if (due(&conn->ping_ms, now)) {
		uint64_t ns = conn->worker->node->clock->mono_ns(conn->worker->node->clock);

		for (size_t i = 0; i < sizeof payload; i++)
			payload[i] = (uint8_t)(ns >> (8 * i));
		(void)send_control(conn, text, wt_control_ping(text, payload));
		conn->ping_ms = next_ping(conn, now);
		wt_life_sent(conn);
	}
	wt_track_run(conn);
	/* Only the dialler begins; the times of the other end stay 0. */
	bool dead = due(&conn->dead_ms, now);

	/* An auth plugin has one handshake for each peer: an attempt to reach it
	 * elsewhere goes first, and is short. */
	if (conn->rekey_ms != 0 && conn->rekey_ms <= now && conn->peer->attempt && !dead)
		conn->rekey_ms = now + WT_REPEAT_MS;
	if ((due(&conn->rekey_ms, now) || dead) && !conn->own.auth)
		wt_initiation_start(conn);
	if (dead && !conn->closed)
		wt_dial_elsewhere(conn->peer);
	/* Where the other end is by now, only names and endpoints tell. */
	if (dead && conn->link->datagram && !conn->closed && conn->own.deadline_ms != 0)
		conn->own.deadline_ms = now + WT_DEAD_HANDSHAKE_MS;
}

void wt_life_run(struct wt_conn *conn)
{
	uint64_t now = conn->worker->loop.now_ms;

	if (run_ends(conn, now))
		return;
	if (due(&conn->previous_ms, now))
		wt_keyring_wipe_previous(&conn->keys);
	if (due(&conn->again_ms, now))
		wt_repeat_run(conn);
	if (conn->closed)
		return;
	/* A time that nobody looks at would fire for ever. */
	if (conn->state == WT_CONN_UP)
		run_traffic(conn, now);
	else
		wt_life_stop_traffic(conn);
	if (conn->closed)
		return;
	wt_output_flush(conn->link);
	wt_conn_schedule(conn);
}
