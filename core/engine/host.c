/* SPDX-License-Identifier: MIT */
#include "engine/host.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "pipeline/transmit.h"
#include "plugin/call.h"
#include "privileged/resolver.h"
#include "session/half_open.h"
#include "session/handshake.h"
#include "session/initiation.h"
#include "session/lanes.h"
#include "session/peer.h"

static struct wt_host_instance *instance_of(const struct wt_host *host)
{
	return host->self;
}

static struct wt_node *node_of(const struct wt_host *host)
{
	return instance_of(host)->owner;
}

/* ---- the AEAD of handshakes: one key, one text -------------------------------- */

static enum wt_status aead_seal(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	struct wt_crypto *crypto = node_of(host)->crypto;
	void *ctx = wt_crypto_key_new(crypto, worker, key);
	enum wt_status status;

	if (!ctx)
		return WT_ERR_CRYPTO;
	status = wt_crypto_seal(crypto, worker, ctx, nonce, aad, aad_len, in, len, out);
	wt_crypto_key_free(crypto, ctx);
	return status;
}

static enum wt_status aead_open(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	struct wt_crypto *crypto = node_of(host)->crypto;
	void *ctx = wt_crypto_key_new(crypto, worker, key);
	enum wt_status status;

	if (!ctx) {
		if (len > WT_TAG_SIZE)
			wt_wipe(out, len - WT_TAG_SIZE);
		return WT_ERR_CRYPTO;
	}
	status = wt_crypto_open(crypto, worker, ctx, nonce, aad, aad_len, in, len, out);
	wt_crypto_key_free(crypto, ctx);
	return status;
}

/* ---- timers and watches ------------------------------------------------------- */

/* The loop calls us, and we the plugin, so that it is known where the thread is.
 * The callback may free what it was called for. */
struct plugin_timer {
	struct wt_timer timer; /* first: what the plugin has a pointer to */
	const struct wt_plugin *plugin;
	wt_timer_fn *fn;
	void *arg;
};

struct plugin_watch {
	struct wt_watch watch; /* likewise */
	const struct wt_plugin *plugin;
	wt_watch_fn *fn;
	void *arg;
};

static void on_timer(void *arg, struct wt_worker *worker)
{
	const struct plugin_timer *own = arg;
	const void *outer = wt_calling_enter(&own->plugin->callbacks.timer);

	own->fn(own->arg, worker);
	wt_calling_leave(outer);
}

static void on_watch(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	const struct plugin_watch *own = arg;
	const void *outer = wt_calling_enter(&own->plugin->callbacks.watch);

	own->fn(own->arg, worker, fd, events);
	wt_calling_leave(outer);
}

static struct wt_timer *timer_new(const struct wt_host *host, struct wt_worker *worker,
				  wt_timer_fn *fn, void *arg)
{
	struct plugin_timer *own = malloc(sizeof(*own));

	if (!own)
		return NULL;
	*own = (struct plugin_timer){ .plugin = instance_of(host)->plugin, .fn = fn, .arg = arg };
	if (wt_timer_init(&worker->loop, &own->timer, on_timer, own) == WT_OK)
		return &own->timer;
	free(own);
	return NULL;
}

static void timer_set(const struct wt_host *host, struct wt_timer *timer, uint64_t after_ms)
{
	(void)host;
	wt_timer_arm(timer, after_ms);
}

static void timer_stop(const struct wt_host *host, struct wt_timer *timer)
{
	(void)host;
	wt_timer_disarm(timer);
}

static void timer_free(const struct wt_host *host, struct wt_timer *timer)
{
	(void)host;
	if (timer)
		wt_timer_fini(timer);
	free(timer);
}

static struct wt_watch *watch_new(const struct wt_host *host, struct wt_worker *worker, int fd,
				  unsigned events, wt_watch_fn *fn, void *arg)
{
	struct plugin_watch *own = malloc(sizeof(*own));

	if (!own)
		return NULL;
	*own = (struct plugin_watch){ .plugin = instance_of(host)->plugin, .fn = fn, .arg = arg };
	if (wt_watch_start(&worker->loop, &own->watch, fd, events, on_watch, own) == WT_OK)
		return &own->watch;
	free(own);
	return NULL;
}

static enum wt_status watch_set(const struct wt_host *host, struct wt_watch *watch, unsigned events)
{
	(void)host;
	return wt_watch_change(watch, events);
}

static void watch_free(const struct wt_host *host, struct wt_watch *watch)
{
	(void)host;
	if (watch)
		wt_watch_stop(watch);
	free(watch);
}

/* ---- names, packet buffers ------------------------------------------------------ */

static struct wt_resolve *resolve(const struct wt_host *host, struct wt_worker *worker,
				  const char *name, uint16_t port, wt_resolve_fn *fn, void *arg)
{
	struct wt_resolve *request = wt_resolver_submit(worker->resolver, name, port, fn, arg);

	if (request)
		wt_resolver_mark(request, &instance_of(host)->plugin->callbacks.resolve);
	return request;
}

static void resolve_cancel(const struct wt_host *host, struct wt_resolve *request)
{
	(void)host;
	wt_resolver_cancel(request);
}

static struct wt_slot *slot_get(const struct wt_host *host, struct wt_worker *worker)
{
	struct wt_buffer *buffer = wt_slot_get(&worker->slots);

	(void)host;
	return buffer ? &buffer->slot : NULL;
}

static void slot_done(const struct wt_host *host, struct wt_worker *worker, struct wt_slot *slot)
{
	if (!wt_worker_slot_put(worker, slot))
		wt_log_limited(WT_LOG_ERROR, "slot_done",
			       "%s gave back a packet buffer that it did not have",
			       instance_of(host)->label);
}

/* ---- connections ---------------------------------------------------------------- */

static struct wt_instance *transport_of(const struct wt_host *host)
{
	const struct wt_node *node = node_of(host);

	for (size_t i = 0; i < node->settings->transport_count; i++)
		if (node->transports[i]->host == instance_of(host))
			return node->transports[i];
	return NULL;
}

static enum wt_status link_accepted(const struct wt_host *host, struct wt_worker *worker,
				    void *tconn, struct wt_link **out)
{
	struct wt_instance *transport = transport_of(host);
	struct wt_conn *conn = NULL;
	struct wt_link *link;

	if (!transport || worker->stopping)
		return WT_ERR_CLOSED;
	link = wt_link_new(worker, transport, false);
	if (!link)
		return WT_ERR_NOMEM;
	/* Whoever comes to a socket for datagrams is nobody yet. */
	if (!wt_link_shared(link)) {
		conn = wt_conn_new(link);
		if (!conn) {
			wt_link_close(link, true);
			return WT_ERR_NOMEM;
		}
	}
	link->tconn = tconn;
	if (conn) {
		wt_transport_source(transport, worker, tconn, NULL, &conn->source);
		wt_half_open_add(conn);
	}
	*out = link;
	return WT_OK;
}

static void link_connected(const struct wt_host *host, struct wt_worker *worker,
			   struct wt_link *link)
{
	struct wt_conn *conn = wt_link_only(link);

	(void)host;
	(void)worker;
	if (!conn || conn->state != WT_CONN_DIALLING)
		return;
	conn->state = WT_CONN_OPEN;
	conn->give_up_ms = 0;
	conn->peer->dial.connected = !link->datagram;
	wt_transport_source(link->transport, worker, link->tconn, NULL, &conn->source);
	wt_initiation_start(conn);
}

static void link_readable(const struct wt_host *host, struct wt_worker *worker,
			  struct wt_link *link)
{
	(void)host;
	(void)worker;
	wt_link_readable(link);
}

static void link_writable(const struct wt_host *host, struct wt_worker *worker,
			  struct wt_link *link)
{
	(void)host;
	(void)worker;
	if (!link->closed)
		wt_transmit_writable(link);
}

static void link_ended(const struct wt_host *host, struct wt_worker *worker, struct wt_link *link,
		       enum wt_status why, const char *text)
{
	const struct wt_conn *conn = wt_link_only(link);
	char words[160];

	(void)host;
	(void)worker;
	snprintf(words, sizeof words, "%s%s", text ? text : wt_status_text(why),
		 conn && !link->datagram && conn->state == WT_CONN_UP ? ", without CLOSE (unclean)"
								      : "");
	wt_link_end(link, true, words);
}

/* ---- handshakes ------------------------------------------------------------------ */

static enum wt_status auth_params(const struct wt_host *host, struct wt_worker *worker,
				  uint32_t peer_id, const uint8_t *theirs, uint8_t *ours)
{
	struct wt_node *node = node_of(host);
	struct wt_error err = WT_ERROR_INIT;
	struct wt_params params;
	const struct wt_peer_settings *peer = NULL;
	unsigned lanes = 1;
	enum wt_status status = wt_params_decode(theirs, &node->params, &params, &err);

	(void)worker;
	if (peer_id < node->peer_count) {
		peer = &node->settings->peers[peer_id];
		lanes = peer->connections;
	}
	if (status == WT_OK && !peer)
		status = wt_fail(&err, WT_ERR_INVALID, "there is no peer %u", peer_id);
	/* Who dials numbers them. */
	if (status == WT_OK && params.lane >= lanes && peer->endpoint_count == 0)
		status = wt_fail(&err, WT_ERR_INVALID,
				 "it makes connection %u, and `connections` here allows %u",
				 params.lane + 1u, lanes);
	if (status != WT_OK)
		wt_log_limited(WT_LOG_WARN, "parameters", "peer %s: its parameters are refused: %s",
			       peer ? peer->name : "?", err.text);
	else if (ours)
		wt_lanes_tell(node, 0, lanes, ours);
	return status;
}

static void auth_complete(const struct wt_host *host, struct wt_worker *worker, uint64_t ticket,
			  uint32_t verdict, const struct wt_auth_out *out)
{
	(void)host;
	wt_handshake_complete(worker, ticket, (enum wt_auth_verdict)verdict, out);
}

static int rate_allow(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
		      const void *source, size_t source_len, uint32_t per_second, uint32_t burst)
{
	return wt_node_rate_allow(node_of(host), worker->loop.now_ms, peer_id, source, source_len,
				  per_second, burst);
}

static uint32_t worker_count(const struct wt_host *host)
{
	return node_of(host)->worker_count;
}

static uint32_t worker_index(const struct wt_host *host, const struct wt_worker *worker)
{
	(void)host;
	return worker->index;
}

void wt_host_engine_init(struct wt_host_instance *instance, struct wt_node *node)
{
	struct wt_host *host = &instance->host;

	instance->owner = node;
	host->aead_seal = aead_seal;
	host->aead_open = aead_open;
	host->timer_new = timer_new;
	host->timer_set = timer_set;
	host->timer_stop = timer_stop;
	host->timer_free = timer_free;
	host->watch_new = watch_new;
	host->watch_set = watch_set;
	host->watch_free = watch_free;
	host->resolve = resolve;
	host->resolve_cancel = resolve_cancel;
	host->slot_get = slot_get;
	host->slot_done = slot_done;
	host->link_accepted = link_accepted;
	host->link_connected = link_connected;
	host->link_readable = link_readable;
	host->link_writable = link_writable;
	host->link_ended = link_ended;
	host->auth_params = auth_params;
	host->auth_complete = auth_complete;
	host->rate_allow = rate_allow;
	host->worker_count = worker_count;
	host->worker_index = worker_index;
}
