/* SPDX-License-Identifier: MIT */
#include "engine/nudge.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/life.h"
#include "session/link.h"
#include "session/peer.h"
#include "session/repeat.h"
#include "tun/surroundings.h"

#define EVERY_MS 1000u

struct wt_nudge {
	struct wt_node *node;
	struct wt_watch watch;
	struct wt_timer timer; /* of the nudge that is due */
	uint64_t last_ms;      /* when one was given */
	struct wt_note *notes; /* for each worker */
};

/* Nothing that is sent from there gets an answer, and TCP takes its time to
 * notice. A datagram link has no address of its own. */
static bool address_is_gone(const struct wt_conn *conn)
{
	const struct wt_instance *transport = conn->link->transport;
	struct sockaddr_storage local;

	return wt_transport_ops(transport)->mode == WT_CHANNEL_STREAM && conn->link->tconn &&
	       wt_transport_local_address(transport, conn->worker, conn->link->tconn, NULL,
					  &local) == WT_OK &&
	       !wt_surroundings_have((const struct sockaddr *)&local);
}

static void nudge_conn(struct wt_conn *conn)
{
	if (!conn || !conn->link->dialled)
		return;
	if (address_is_gone(conn)) {
		wt_conn_close(conn, true, "the address that it was made from is gone");
		return;
	}
	wt_repeat_hurry(conn);
	wt_track_link_changed(conn);
	if (conn->state == WT_CONN_UP)
		wt_life_ask(conn);
}

static void nudge_worker(struct wt_note *note, struct wt_worker *worker)
{
	(void)note;
	if (worker->stopping)
		return;
	for (size_t i = 0; i < worker->peer_count; i++) {
		struct wt_peer *peer = &worker->peers[i];

		nudge_conn(peer->active);
		nudge_conn(peer->attempt);
		wt_dial_nudge(peer);
	}
}

static void nudge_all(struct wt_nudge *nudge)
{
	struct wt_node *node = nudge->node;

	wt_log(WT_LOG_DEBUG, "links, addresses or routes of this machine changed");
	nudge->last_ms = node->workers[0].loop.now_ms;
	wt_timer_disarm(&nudge->timer);
	for (unsigned i = 1; i < node->worker_count; i++)
		wt_note_post(&nudge->notes[i], &node->workers[i]);
	nudge_worker(&nudge->notes[0], &node->workers[0]);
}

static void on_timer(void *arg, struct wt_worker *worker)
{
	(void)worker;
	nudge_all(arg);
}

static void on_news(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct wt_nudge *nudge = arg;
	uint64_t since = worker->loop.now_ms - nudge->last_ms;

	(void)events;
	if (!wt_surroundings_read(fd))
		return;
	if (since >= EVERY_MS)
		nudge_all(nudge);
	else
		wt_timer_arm(&nudge->timer, EVERY_MS - since);
}

struct wt_nudge *wt_nudge_new(struct wt_node *node, int fd, struct wt_error *err)
{
	struct wt_nudge *nudge = calloc(1, sizeof(*nudge));
	struct wt_loop *loop = &node->workers[0].loop;
	enum wt_status status = WT_ERR_NOMEM;

	if (nudge)
		nudge->notes = calloc(node->worker_count, sizeof(*nudge->notes));
	if (!nudge || !nudge->notes)
		goto failed;
	nudge->node = node;
	for (unsigned i = 0; i < node->worker_count; i++)
		nudge->notes[i].read = nudge_worker;
	status = wt_timer_init(loop, &nudge->timer, on_timer, nudge);
	if (status != WT_OK)
		goto failed;
	status = wt_watch_start(loop, &nudge->watch, fd, WT_EVENT_READ, on_news, nudge);
	if (status == WT_OK)
		return nudge;
	wt_timer_fini(&nudge->timer);

failed:
	wt_fail(err, status, "cannot watch for changes of the network: %s", wt_status_text(status));
	wt_nudge_free(nudge);
	return NULL;
}

void wt_nudge_stop(struct wt_nudge *nudge)
{
	if (!nudge)
		return;
	wt_watch_stop(&nudge->watch);
	wt_timer_fini(&nudge->timer);
}

void wt_nudge_free(struct wt_nudge *nudge)
{
	if (!nudge)
		return;
	free(nudge->notes);
	free(nudge);
}
