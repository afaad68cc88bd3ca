/* SPDX-License-Identifier: MIT */
#include "session/peer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/handshake.h"
#include "session/initiation.h"
#include "session/lanes.h"
#include "session/life.h"

static void on_note(struct wt_note *note, struct wt_worker *worker);

/* The first worker's is made first and lends its memory to the others. */
static enum wt_status add_to_auth(struct wt_peer *peer, struct wt_error *err)
{
	const struct wt_auth_ops *ops = wt_auth_ops(peer->auth);
	enum wt_status status;

	if (peer->worker->index > 0 || peer->lane > 0) {
		peer->auth_memory = peer->node->workers[0].peers[peer->id].auth_memory;
		return WT_OK;
	}
	peer->auth_memory = wt_secret_alloc(ops->peer_size, ops->peer_align);
	if (!peer->auth_memory)
		return wt_fail(err, WT_ERR_NOMEM, "peer %s: out of memory", wt_peer_name(peer));
	status = wt_auth_peer_add(peer->auth, peer->settings->config, peer->id,
				  wt_peer_dials(peer) ? WT_PEER_DIALS : WT_PEER_ACCEPTS,
				  peer->auth_memory, err);
	if (status != WT_OK) {
		wt_secret_free(peer->auth_memory);
		peer->auth_memory = NULL;
	}
	return status;
}

/* As in "peer NAME up". */
static const char *name_of(const struct wt_lanes *lanes, unsigned lane, const char *name)
{
	char *text = NULL;

	if (lanes->count == 1)
		return name;
	return asprintf(&text, "%s, connection %u", name, lane + 1) > 0 ? text : NULL;
}

static void free_name(struct wt_peer *peer)
{
	if (peer->lanes->count > 1)
		free((void *)(uintptr_t)peer->name);
}

/* All that a peer has but what its auth plugin keeps. */
static enum wt_status begin(struct wt_peer *peer)
{
	enum wt_status status = WT_ERR_NOMEM;

	peer->name = name_of(peer->lanes, peer->lane, peer->settings->name);
	if (!peer->name)
		return status;
	status = wt_notices_init(peer);
	if (status != WT_OK)
		goto no_notices;
	status = wt_dial_init(peer);
	if (status != WT_OK)
		goto no_dial;
	return WT_OK;

no_dial:
	wt_notices_fini(peer);
no_notices:
	free_name(peer);
	return status;
}

static void end(struct wt_peer *peer)
{
	wt_dial_fini(peer);
	wt_notices_fini(peer);
	free_name(peer);
}

enum wt_status wt_peer_init(struct wt_peer *peer, struct wt_node *node, struct wt_worker *worker,
			    uint32_t at, struct wt_error *err)
{
	unsigned lane;
	struct wt_lanes *lanes = wt_lanes_of(node, at, &lane);
	const struct wt_peer_settings *settings = &node->settings->peers[lanes->id];
	enum wt_status status;

	*peer = (struct wt_peer){
		.id = lanes->id,
		.at = at,
		.lane = lane,
		.lanes = lanes,
		.node = node,
		.worker = worker,
		.settings = settings,
		.auth = node->auths[settings->auth],
		.seat = node->seats ? &node->seats[at] : NULL,
		.note.read = on_note,
	};
	status = begin(peer);
	if (status != WT_OK)
		return wt_fail(err, status, "peer %s: out of memory", settings->name);
	status = add_to_auth(peer, err);
	if (status != WT_OK)
		end(peer);
	return status;
}

void wt_peer_fini(struct wt_peer *peer)
{
	wt_peer_queue_clear(peer, WT_DROP_NO_SESSION);
	if (peer->worker->index == 0 && peer->lane == 0) {
		wt_auth_peer_remove(peer->auth, peer->auth_memory);
		wt_secret_free(peer->auth_memory);
	}
	peer->auth_memory = NULL;
	end(peer);
}

/* ---- who has the seat --------------------------------------------------------------- */

static unsigned home_of(const struct wt_peer *peer)
{
	return (peer->id + peer->lane) % peer->node->worker_count;
}

bool wt_peer_is_home(const struct wt_peer *peer)
{
	return home_of(peer) == peer->worker->index;
}

bool wt_peer_is_up(const struct wt_peer *peer)
{
	return peer->active ||
	       (peer->seat &&
		atomic_load_explicit(&peer->seat->owner, memory_order_relaxed) != WT_SEAT_FREE);
}

static void tell(const struct wt_peer *peer, unsigned worker)
{
	struct wt_worker *other = &peer->node->workers[worker];

	wt_note_post(&other->peers[peer->at].note, other);
}

/* From now on all workers bring the peer's packets here. Returns who had the
 * seat before, if it was another. */
static uint32_t take_seat(struct wt_peer *peer)
{
	uint32_t self = peer->worker->index, before;

	if (!peer->seat)
		return WT_SEAT_FREE;
	before = atomic_exchange_explicit(&peer->seat->owner, self, memory_order_acq_rel);
	if (before == self || before == WT_SEAT_FREE)
		return WT_SEAT_FREE;
	tell(peer, before);
	return before;
}

/* False: another has it already, and this worker's note is on its way. */
static bool leave_seat(struct wt_peer *peer)
{
	uint32_t self = peer->worker->index;

	return !peer->seat ||
	       atomic_compare_exchange_strong_explicit(&peer->seat->owner, &self, WT_SEAT_FREE,
						       memory_order_acq_rel, memory_order_relaxed);
}

/* A peer has one handshake that waits for proof: the newest. */
static void forget_pending(struct wt_peer *peer)
{
	struct wt_conn *conn = peer->pending;

	if (!conn)
		return;
	wt_handshake_drop_pending(conn);
	if (conn->state != WT_CONN_UP && conn->state != WT_CONN_DRAINING)
		wt_conn_close(conn, true, "its peer began again elsewhere");
}

void wt_peer_pending_set(struct wt_peer *peer, struct wt_conn *conn)
{
	uint32_t self = peer->worker->index;

	if (peer->pending != conn)
		forget_pending(peer);
	peer->pending = conn;
	if (!peer->seat)
		return;
	uint32_t before =
		atomic_exchange_explicit(&peer->seat->pending, self, memory_order_acq_rel);

	if (before != self && before != WT_SEAT_FREE)
		tell(peer, before);
}

/* Another carries the traffic: receive for a while what is on its way. */
static void drain(struct wt_peer *peer, struct wt_conn *conn)
{
	if (peer->draining)
		wt_conn_close(peer->draining, false, "replaced");
	peer->draining = conn;
	conn->state = WT_CONN_DRAINING;
	conn->drain_ms = conn->worker->loop.now_ms + WT_PREVIOUS_MS;
	wt_life_stop_traffic(conn);
	wt_initiation_stop(conn);
	wt_conn_schedule(conn);
	/* They waited for that link, and nothing would send them now. */
	wt_peer_queue_clear(peer, WT_DROP_QUEUE_FULL);
}

/* The seat is read now and not when the note was posted: if this worker has it
 * back meanwhile, nothing is to be done. */
static void on_note(struct wt_note *note, struct wt_worker *worker)
{
	struct wt_peer *peer =
		(struct wt_peer *)(void *)((char *)note - offsetof(struct wt_peer, note));
	struct wt_conn *conn = peer->active;
	uint32_t self = worker->index;

	if (atomic_load_explicit(&peer->seat->pending, memory_order_acquire) != self)
		forget_pending(peer);
	if (conn && atomic_load_explicit(&peer->seat->owner, memory_order_acquire) != self) {
		peer->active = NULL;
		drain(peer, conn);
	}
	/* Its first lane may be up, and this one to be dialled. */
	wt_dial_schedule(peer, 0);
}

/* ---- packets that do not arrive ------------------------------------------------------- */

void wt_drop_count(struct wt_worker *worker, struct wt_peer *peer, enum wt_drop drop)
{
	worker->drops[drop]++;
	if (peer)
		peer->counters.drops[drop]++;
}

void wt_peer_queue_clear(struct wt_peer *peer, enum wt_drop drop)
{
	struct wt_buffer *buffer;

	while ((buffer = wt_queue_pop(&peer->queue)) != NULL) {
		wt_drop_count(peer->worker, peer, drop);
		(void)wt_worker_slot_put(peer->worker, &buffer->slot);
	}
}

uint32_t wt_peer_mtu(const struct wt_peer *peer)
{
	return wt_conn_inner_mtu(peer->active);
}

/* One lane is up, so the number of the others is known. */
static void dial_lanes(struct wt_peer *peer)
{
	const struct wt_lanes *lanes = peer->lanes;

	for (unsigned i = 0; i < wt_lanes_agreed(lanes); i++) {
		struct wt_peer *other = &peer->worker->peers[wt_lanes_at(lanes, i)];

		if (other == peer)
			continue;
		if (wt_peer_is_home(other))
			wt_dial_schedule(other, 0);
		else
			tell(other, home_of(other));
	}
}

void wt_peer_conn_up(struct wt_peer *peer, struct wt_conn *conn)
{
	struct wt_conn *before = peer->active;
	const struct wt_node *node = peer->node;
	bool moved = take_seat(peer) != WT_SEAT_FREE;

	conn->state = WT_CONN_UP;
	conn->up_ms = conn->worker->loop.now_ms;
	peer->active = conn;
	if (peer->attempt == conn)
		peer->attempt = NULL;
	if (before)
		drain(peer, before);
	wt_dial_succeeded(peer, before);
	if (conn->dialled)
		dial_lanes(peer);
	wt_notice(peer, WT_LOG_INFO, " up: endpoint %s over %s, crypto %s, mtu %u, rtt %.2f ms%s",
		  conn->source.text, wt_node_transport_name(node, conn->link->transport),
		  node->settings->crypto.plugin->name, wt_peer_mtu(peer),
		  (double)conn->rtt_ns / 1e6,
		  before || moved ? " (takes the place of an older connection)" : "");
}

void wt_peer_conn_closed(struct wt_peer *peer, struct wt_conn *conn, const char *why)
{
	/* An attempt beside it goes on. */
	if (conn->dialled && (!peer->attempt || peer->attempt == conn))
		wt_lanes_done(peer->lanes, peer->lane);
	if (peer->draining == conn)
		peer->draining = NULL;
	if (peer->pending == conn)
		peer->pending = NULL;
	if (peer->active == conn) {
		peer->active = NULL;
		wt_peer_queue_clear(peer, WT_DROP_NO_SESSION);
		if (leave_seat(peer)) {
			wt_notice(peer, WT_LOG_INFO, " down: %s", why);
			wt_dial_again(peer, conn);
		}
	}
	if (peer->attempt == conn) {
		peer->attempt = NULL;
		if (conn->asked)
			wt_dial_silent(conn);
		wt_dial_failed(peer, why);
	}
}

void wt_peer_conn_said_close(struct wt_peer *peer, struct wt_conn *conn,
			     const struct wt_keypair *under, uint8_t reason)
{
	bool replaced = reason == WT_CLOSE_REPLACED && conn->dialled && peer->active == conn;
	char why[64];

	/* It took the keys that followed elsewhere, on another worker. */
	if (reason == WT_CLOSE_REPLACED && under == conn->keys.previous) {
		wt_keyring_wipe_previous(&conn->keys);
		return;
	}
	snprintf(why, sizeof why, "the other end closed it: %s", wt_close_text(reason));
	if (replaced)
		wt_notice(peer, WT_LOG_WARN,
			  ": another dialler with the same key took our place there; is this "
			  "machine or its key file a copy? Dialling again in %u s",
			  WT_REPLACED_WAIT_MS / 1000);
	wt_conn_close(conn, false, why);
	if (replaced)
		wt_dial_hold(peer, WT_REPLACED_WAIT_MS);
}
