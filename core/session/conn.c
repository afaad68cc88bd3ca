/* SPDX-License-Identifier: MIT */
#include "session/conn.h"

#include <stdlib.h>

#include "plugin/call.h"
#include "session/half_open.h"
#include "session/handshake.h"
#include "session/life.h"
#include "session/peer.h"

/* Above this bit of a connection's number is its worker's index. */
#define NUMBER_WORKER_SHIFT 56

static void on_timer(void *arg, struct wt_worker *worker)
{
	(void)worker;
	wt_life_run(arg);
}

struct wt_conn *wt_conn_new(struct wt_worker *worker, struct wt_instance *transport, bool dialled)
{
	struct wt_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	if (wt_timer_init(&worker->loop, &conn->timer, on_timer, conn) != WT_OK) {
		free(conn);
		return NULL;
	}
	conn->worker = worker;
	conn->transport = transport;
	conn->dialled = dialled;
	/* No two workers have the same: plugins see all of them. */
	conn->number = (uint64_t)worker->index << NUMBER_WORKER_SHIFT | ++worker->last_number;
	conn->state = dialled ? WT_CONN_DIALLING : WT_CONN_OPEN;
	conn->opened_ms = worker->loop.now_ms;
	conn->source.struct_size = sizeof(conn->source);
	conn->next = worker->conns;
	if (conn->next)
		conn->next->prev = conn;
	worker->conns = conn;
	return conn;
}

static void unlink_readable(struct wt_conn *conn)
{
	struct wt_worker *worker = conn->worker;
	struct wt_conn *before = NULL;

	if (!conn->in_readable)
		return;
	for (struct wt_conn *c = worker->readable; c != conn; c = c->next_readable)
		before = c;
	if (before)
		before->next_readable = conn->next_readable;
	else
		worker->readable = conn->next_readable;
	if (worker->readable_last == conn)
		worker->readable_last = before;
	conn->in_readable = false;
}

static void unlink_unsent(struct wt_conn *conn)
{
	struct wt_conn **at = &conn->worker->unsent;

	if (!conn->in_unsent)
		return;
	while (*at != conn)
		at = &(*at)->next_unsent;
	*at = conn->next_unsent;
	conn->in_unsent = false;
}

void wt_conn_close(struct wt_conn *conn, bool abort, const char *why)
{
	struct wt_worker *worker = conn->worker;
	struct wt_peer *peer = conn->peer;

	if (conn->closed)
		return;
	conn->closed = true;
	unlink_readable(conn);
	unlink_unsent(conn);
	wt_half_open_remove(conn);
	wt_handshake_abandon(&conn->own);
	wt_handshake_abandon(&conn->pending);
	for (size_t i = 0; i < conn->out_count; i++)
		(void)wt_worker_slot_put(worker, conn->out[i].slot);
	conn->out_count = conn->out_urgent = conn->out_bytes = 0;
	if (conn->tconn)
		wt_transport_close(conn->transport, worker, conn->tconn, abort);
	conn->tconn = NULL;
	wt_keyring_wipe(&conn->keys);
	wt_timer_fini(&conn->timer);

	if (conn->prev)
		conn->prev->next = conn->next;
	else
		worker->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	conn->prev = NULL;
	conn->next = worker->dead;
	worker->dead = conn;
	if (peer)
		wt_peer_conn_closed(peer, conn, why);
}

void wt_conn_reap(struct wt_worker *worker)
{
	while (worker->dead) {
		struct wt_conn *conn = worker->dead;

		worker->dead = conn->next;
		free(conn);
	}
}

struct wt_conn *wt_conn_by_ticket(struct wt_worker *worker, uint64_t ticket)
{
	for (struct wt_conn *conn = worker->conns; conn; conn = conn->next)
		if (ticket != 0 && conn->question.ticket == ticket)
			return conn;
	return NULL;
}

void wt_conn_readable(struct wt_conn *conn)
{
	struct wt_worker *worker = conn->worker;

	if (conn->closed || conn->in_readable)
		return;
	conn->in_readable = true;
	conn->next_readable = NULL;
	if (worker->readable)
		worker->readable_last->next_readable = conn;
	else
		worker->readable = conn;
	worker->readable_last = conn;
}

struct wt_conn *wt_conn_next_readable(struct wt_worker *worker)
{
	struct wt_conn *conn = worker->readable;

	if (conn)
		unlink_readable(conn);
	return conn;
}

void wt_conn_schedule_at(struct wt_conn *conn, uint64_t due_ms)
{
	uint64_t now = conn->worker->loop.now_ms;

	if (conn->closed || (wt_timer_armed(&conn->timer) && conn->timer.due_ms <= due_ms))
		return;
	wt_timer_arm(&conn->timer, due_ms > now ? due_ms - now : 0);
}

void wt_conn_schedule(struct wt_conn *conn)
{
	const uint64_t times[] = {
		conn->give_up_ms, conn->own.deadline_ms, conn->pending.deadline_ms, conn->rekey_ms,
		conn->ask_ms,	  conn->wipe_ms,	 conn->keepalive_ms,	    conn->ping_ms,
		conn->dead_ms,	  conn->drain_ms,
	};
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		if (times[i] && times[i] < soonest)
			soonest = times[i];
	if (soonest != UINT64_MAX)
		wt_conn_schedule_at(conn, soonest);
}
