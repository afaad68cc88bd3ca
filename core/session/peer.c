/* SPDX-License-Identifier: MIT */
#include "session/peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "session/dial.h"
#include "session/life.h"
#include "session/output.h"

enum wt_status wt_peer_init(struct wt_peer *peer, struct wt_node *node, struct wt_worker *worker,
			    uint32_t id, struct wt_error *err)
{
	const struct wt_peer_settings *settings = &node->settings->peers[id];
	struct wt_instance *auth = node->auths[settings->auth];
	const struct wt_auth_ops *ops = wt_auth_ops(auth);
	enum wt_status status;

	*peer = (struct wt_peer){
		.id = id, .node = node, .worker = worker, .settings = settings, .auth = auth
	};
	peer->auth_memory = wt_secret_alloc(ops->peer_size, ops->peer_align);
	if (!peer->auth_memory)
		return wt_fail(err, WT_ERR_NOMEM, "peer %s: out of memory", settings->name);
	status = wt_dial_init(peer);
	if (status != WT_OK) {
		wt_fail(err, status, "peer %s: out of memory", settings->name);
		goto no_dial;
	}
	status = wt_auth_peer_add(auth, settings->config, id,
				  wt_peer_dials(peer) ? WT_PEER_DIALS : WT_PEER_ACCEPTS,
				  peer->auth_memory, err);
	if (status != WT_OK)
		goto no_auth;
	return WT_OK;

no_auth:
	wt_dial_fini(peer);
no_dial:
	wt_secret_free(peer->auth_memory);
	peer->auth_memory = NULL;
	return status;
}

void wt_peer_fini(struct wt_peer *peer)
{
	wt_peer_queue_clear(peer, WT_DROP_NO_SESSION);
	wt_dial_fini(peer);
	wt_auth_peer_remove(peer->auth, peer->auth_memory);
	wt_secret_free(peer->auth_memory);
	peer->auth_memory = NULL;
}

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
		(void)wt_slot_put(&peer->worker->slots, &buffer->slot);
	}
}

void wt_peer_conn_up(struct wt_peer *peer, struct wt_conn *conn)
{
	struct wt_conn *before = peer->active;
	const struct wt_node *node = peer->node;

	conn->state = WT_CONN_UP;
	conn->up_ms = conn->worker->loop.now_ms;
	peer->active = conn;
	if (peer->attempt == conn)
		peer->attempt = NULL;
	if (before) {
		uint64_t now = conn->worker->loop.now_ms;

		if (peer->draining)
			wt_conn_close(peer->draining, false, "replaced");
		peer->draining = before;
		before->state = WT_CONN_DRAINING;
		before->drain_ms = now + WT_PREVIOUS_MS;
		wt_life_stop_traffic(before);
		wt_conn_schedule(before);
		/* They waited for that link, and nothing would send them now. */
		wt_peer_queue_clear(peer, WT_DROP_QUEUE_FULL);
	}
	wt_dial_succeeded(peer);
	wt_log(WT_LOG_INFO, "peer %s up: endpoint %s over %s, crypto %s, mtu %u, rtt %.2f ms%s",
	       wt_peer_name(peer), conn->source.text, wt_node_transport_name(node, conn->transport),
	       node->settings->crypto.plugin->name,
	       conn->limits.inner_mtu < node->limits.inner_mtu ? conn->limits.inner_mtu
							       : node->limits.inner_mtu,
	       (double)conn->rtt_ns / 1e6,
	       before ? " (takes the place of an older connection)" : "");
}

void wt_peer_conn_closed(struct wt_peer *peer, struct wt_conn *conn, const char *why)
{
	if (peer->draining == conn)
		peer->draining = NULL;
	if (peer->pending == conn)
		peer->pending = NULL;
	if (peer->active == conn) {
		peer->active = NULL;
		wt_peer_queue_clear(peer, WT_DROP_NO_SESSION);
		wt_log(WT_LOG_INFO, "peer %s down: %s", wt_peer_name(peer), why);
		wt_dial_again(peer, conn->worker->loop.now_ms - conn->up_ms);
	}
	if (peer->attempt == conn) {
		peer->attempt = NULL;
		if (conn->asked)
			peer->dial.unanswered++;
		wt_dial_failed(peer, why);
	}
}

void wt_peer_conn_said_close(struct wt_peer *peer, struct wt_conn *conn, uint8_t reason)
{
	bool replaced = reason == WT_CLOSE_REPLACED && conn->dialled && peer->active == conn;
	char why[64];

	snprintf(why, sizeof why, "the other end closed it: %s", wt_close_text(reason));
	if (replaced)
		wt_log(WT_LOG_WARN,
		       "peer %s: another dialler with the same key took our place there; is this "
		       "machine or its key file a copy? Dialling again in %u s",
		       wt_peer_name(peer), WT_REPLACED_WAIT_MS / 1000);
	wt_conn_close(conn, false, why);
	if (replaced)
		wt_timer_arm(&peer->dial.timer, WT_REPLACED_WAIT_MS);
}
