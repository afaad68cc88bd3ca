/* SPDX-License-Identifier: MIT */
#include "session/conn.h"

#include <stdlib.h>

#include "plugin/call.h"
#include "session/half_open.h"
#include "session/handshake.h"
#include "session/life.h"
#include "session/peer.h"
#include "session/repeat.h"

/* Above this bit of a connection's number is its worker's index. */
#define NUMBER_WORKER_SHIFT 56

static void on_timer(void *arg, struct wt_worker *worker)
{
	(void)worker;
	wt_life_run(arg);
}

static void join_link(struct wt_conn *conn)
{
	conn->prev = NULL;
	conn->next = conn->link->conns;
	if (conn->next)
		conn->next->prev = conn;
	conn->link->conns = conn;
}

static void leave_link(struct wt_conn *conn)
{
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		conn->link->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	conn->prev = conn->next = NULL;
}

struct wt_conn *wt_conn_new(struct wt_link *link)
{
	struct wt_worker *worker = link->worker;
	struct wt_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	if (wt_timer_init(&worker->loop, &conn->timer, on_timer, conn) != WT_OK) {
		free(conn);
		return NULL;
	}
	conn->worker = worker;
	conn->link = link;
	conn->dialled = link->dialled;
	/* No two workers have the same: plugins see all of them. */
	conn->number = (uint64_t)worker->index << NUMBER_WORKER_SHIFT | ++worker->last_number;
	conn->state = conn->dialled ? WT_CONN_DIALLING : WT_CONN_OPEN;
	conn->opened_ms = worker->loop.now_ms;
	conn->source.struct_size = sizeof(conn->source);
	conn->path_record_max = link->datagram ? WT_PATH_RECORD_BASE : WT_RECORD_MAX;
	if (wt_link_shared(link)) {
		conn->keys.indices = worker->indices;
		conn->keys.owner = conn;
	}
	join_link(conn);
	return conn;
}

void wt_conn_move(struct wt_conn *conn, const struct wt_origin *to)
{
	if (conn->closed || to->link->closed)
		return;
	leave_link(conn);
	conn->link = to->link;
	conn->path = to->path;
	conn->source = wt_origin_source(to);
	join_link(conn);
}

void wt_conn_path_takes(struct wt_conn *conn, uint32_t max)
{
	uint32_t most = max < conn->theirs.record_max ? max : conn->theirs.record_max, inner;

	conn->path_record_max = max;
	inner = most > WT_PACKET_OVERHEAD ? most - WT_PACKET_OVERHEAD : 0;
	conn->limits = (struct wt_inner_limits){
		.features = conn->theirs.features,
		.inner_mtu = conn->theirs.inner_mtu < inner ? conn->theirs.inner_mtu : inner,
		.record_max = most,
	};
}

uint32_t wt_conn_inner_mtu(const struct wt_conn *conn)
{
	uint32_t own = conn->worker->node->limits.inner_mtu, theirs = conn->limits.inner_mtu;

	return own < theirs ? own : theirs;
}

void wt_conn_close(struct wt_conn *conn, bool abort, const char *why)
{
	struct wt_worker *worker = conn->worker;
	struct wt_link *link = conn->link;
	struct wt_peer *peer = conn->peer;

	if (conn->closed)
		return;
	conn->closed = true;
	wt_half_open_remove(conn);
	wt_handshake_abandon(conn, &conn->own);
	wt_handshake_forget_theirs(conn);
	wt_repeat_stop(conn);
	wt_keyring_wipe(&conn->keys);
	wt_timer_fini(&conn->timer);

	leave_link(conn);
	conn->next = worker->dead;
	worker->dead = conn;
	if (!wt_link_shared(link))
		wt_link_close(link, abort);
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
	for (struct wt_link *link = worker->links; link; link = link->next)
		for (struct wt_conn *conn = link->conns; conn; conn = conn->next)
			if (ticket != 0 && conn->question.ticket == ticket)
				return conn;
	return NULL;
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
		conn->give_up_ms,   conn->own.deadline_ms, conn->pending.deadline_ms,
		conn->rekey_ms,	    conn->ask_ms,	   conn->wipe_ms,
		conn->keepalive_ms, conn->ping_ms,	   conn->dead_ms,
		conn->drain_ms,	    conn->again_ms,	   conn->previous_ms,
		wt_track_due(conn),
	};
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		if (times[i] && times[i] < soonest)
			soonest = times[i];
	if (soonest != UINT64_MAX)
		wt_conn_schedule_at(conn, soonest);
}
