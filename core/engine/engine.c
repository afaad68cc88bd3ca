/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/secret.h"
#include "control/counters.h"
#include "engine/host.h"
#include "pipeline/receive.h"
#include "pipeline/transmit.h"
#include "plugin/call.h"
#include "privileged/resolver.h"
#include "session/dial.h"
#include "session/martians.h"
#include "session/output.h"
#include "session/peer.h"

/* Enough for one turn in each direction, and beyond it what a peer's connections
 * may hold while their links stand: of the active one a record that is partly
 * written, one that is sealed, one partly received and two handshake messages,
 * of a replaced one four, of one that waits for proof two, and a packet in the
 * queue. Address space only: what is never used is never touched. */
#define SLOTS_BASE 128u
#define SLOTS_PER_PEER 12u
/* Of the base, what nobody may take to seal or queue ahead. */
#define SLOTS_SPARE 32u

struct wt_engine {
	struct wt_node node;
	struct wt_worker worker;
	struct wt_resolver *resolver;
	struct wt_watch resolver_watch;
	struct wt_host_instance *hosts; /* crypto, then transports, then auths */
	size_t host_count;
	bool started, busy;
};

struct wt_node *wt_engine_node(struct wt_engine *engine)
{
	return &engine->node;
}

struct wt_worker *wt_engine_worker(struct wt_engine *engine)
{
	return &engine->worker;
}

static struct wt_host_instance *next_host(struct wt_engine *engine, const struct wt_plugin *plugin,
					  enum wt_status *status, struct wt_error *err)
{
	struct wt_host_instance *host = &engine->hosts[engine->host_count];

	*status = wt_host_base_init(host, plugin->kind, plugin->name, engine->node.clock,
				    engine->node.counters, err);
	if (*status != WT_OK)
		return NULL;
	wt_host_engine_init(host, &engine->node);
	engine->host_count++;
	return host;
}

static enum wt_status new_instances(struct wt_engine *engine, struct wt_error *err)
{
	struct wt_node *node = &engine->node;
	const struct wt_settings *settings = node->settings;
	size_t transports = settings->transport_count, auths = settings->auth_count;
	struct wt_host_instance *host;
	enum wt_status status;

	engine->hosts = calloc(1 + transports + auths, sizeof(*engine->hosts));
	node->transports = calloc(transports + 1, sizeof(struct wt_instance *));
	node->auths = calloc(auths + 1, sizeof(struct wt_instance *));
	if (!engine->hosts || !node->transports || !node->auths)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");

	host = next_host(engine, settings->crypto.plugin, &status, err);
	if (host)
		status = wt_crypto_new(settings->crypto.plugin, host, settings->crypto.config,
				       &node->crypto, err);
	for (size_t i = 0; i < transports && status == WT_OK; i++) {
		host = next_host(engine, settings->transports[i].plugin, &status, err);
		if (host)
			status = wt_instance_new(settings->transports[i].plugin, host,
						 settings->transports[i].config,
						 &node->transports[i], err);
	}
	for (size_t i = 0; i < auths && status == WT_OK; i++) {
		host = next_host(engine, settings->auths[i].plugin, &status, err);
		if (host)
			status = wt_instance_new(settings->auths[i].plugin, host,
						 settings->auths[i].config, &node->auths[i], err);
	}
	return status;
}

static enum wt_status new_peers(struct wt_engine *engine, struct wt_error *err)
{
	struct wt_node *node = &engine->node;
	const struct wt_settings *settings = node->settings;
	enum wt_status status = WT_OK;

	node->allowed_ips = wt_allowed_ips_new();
	node->peers = calloc(settings->peer_count + 1, sizeof(*node->peers));
	if (!node->allowed_ips || !node->peers)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	for (uint32_t id = 0; id < settings->peer_count; id++) {
		const struct wt_peer_settings *peer = &settings->peers[id];

		status = wt_peer_init(&node->peers[id], node, &engine->worker, id, err);
		if (status != WT_OK)
			return status;
		node->peer_count++;
		for (size_t i = 0; i < peer->allowed_ip_count; i++) {
			status = wt_allowed_ips_insert(node->allowed_ips, &peer->allowed_ips[i], id,
						       NULL);
			if (status != WT_OK)
				return wt_fail(err, status,
					       "peer %s: cannot use its allowed_ips: %s",
					       peer->name, wt_status_text(status));
		}
	}
	status = wt_martians_reserve(node->allowed_ips, settings->tunnel.addresses,
				     settings->tunnel.address_count);
	return status == WT_OK ? WT_OK : wt_fail(err, status, "out of memory");
}

static enum wt_status new_node(struct wt_engine *engine, const struct wt_engine_options *options,
			       struct wt_error *err)
{
	struct wt_node *node = &engine->node;
	uint8_t key[16];

	node->settings = options->settings;
	node->clock = options->clock ? options->clock : &wt_clock_system;
	node->params = (struct wt_params){
		.features = options->features,
		.record_max = WT_RECORD_MAX,
		.inner_mtu = (uint16_t)options->mtu,
		.algorithm = wt_params_algorithm(options->settings->crypto.plugin->algorithm),
	};
	if (wt_random(node->params.instance, sizeof node->params.instance) != WT_OK ||
	    wt_random(key, sizeof key) != WT_OK)
		return wt_fail(err, WT_ERR_UNAVAILABLE, "the kernel has no random numbers");
	wt_params_encode(&node->params, node->params_bytes);
	node->limits = (struct wt_inner_limits){
		.features = options->features,
		.inner_mtu = options->mtu,
		.record_max = WT_RECORD_MAX,
	};
	wt_rate_init(&node->rate, key);
	wt_wipe(key, sizeof key);
	node->counters = wt_counters_new(1);
	if (!node->counters)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	return WT_OK;
}

static enum wt_status new_worker(struct wt_engine *engine, struct wt_error *err)
{
	struct wt_worker *worker = &engine->worker;
	size_t slots = SLOTS_BASE + SLOTS_PER_PEER * engine->node.settings->peer_count;
	enum wt_status status;

	worker->node = &engine->node;
	status = wt_loop_init(&worker->loop, engine->node.clock, worker);
	worker->spare_slots = slots - SLOTS_BASE + SLOTS_SPARE;
	if (status == WT_OK)
		status = wt_slot_pool_init(&worker->slots, slots);
	if (status != WT_OK)
		return wt_fail(err, status, "cannot start a worker: out of memory or descriptors");
	engine->resolver = wt_resolver_new(err);
	if (!engine->resolver)
		return WT_ERR_NOMEM;
	engine->node.resolver = wt_resolver_client_new(engine->resolver, worker, err);
	return engine->node.resolver ? WT_OK : WT_ERR_NOMEM;
}

struct wt_engine *wt_engine_new(const struct wt_engine_options *options, enum wt_status *status,
				struct wt_error *err)
{
	struct wt_engine *engine = calloc(1, sizeof(*engine));

	if (!engine) {
		*status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
		return NULL;
	}
	engine->worker.loop.epoll_fd = -1;
	engine->resolver_watch.fd = -1;
	*status = new_node(engine, options, err);
	if (*status == WT_OK)
		*status = new_worker(engine, err);
	if (*status == WT_OK)
		*status = new_instances(engine, err);
	if (*status == WT_OK)
		*status = new_peers(engine, err);
	if (*status == WT_OK)
		return engine;
	wt_engine_free(engine);
	return NULL;
}

static void on_resolved(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	(void)arg;
	(void)fd;
	(void)events;
	wt_resolver_client_dispatch(worker->node->resolver);
}

enum wt_status wt_engine_start(struct wt_engine *engine, int tun_fd, struct wt_error *err)
{
	struct wt_node *node = &engine->node;
	struct wt_worker *worker = &engine->worker;
	enum wt_status status;

	status = wt_watch_start(&worker->loop, &engine->resolver_watch,
				wt_resolver_client_fd(node->resolver), WT_EVENT_READ, on_resolved,
				NULL);
	if (status == WT_OK)
		status = wt_transmit_start(worker, tun_fd);
	if (status != WT_OK)
		return wt_fail(err, status, "cannot watch the TUN device: %s",
			       wt_status_text(status));
	engine->started = true;
	for (size_t i = 0; i < node->settings->transport_count; i++) {
		status = wt_transport_listen(node->transports[i], worker, err);
		if (status != WT_OK)
			return status;
	}
	wt_loop_update(&worker->loop);
	for (size_t i = 0; i < node->peer_count; i++)
		wt_dial_schedule(&node->peers[i], 0);
	return WT_OK;
}

void wt_engine_turn(struct wt_engine *engine, uint64_t max_wait_ms)
{
	struct wt_worker *worker = &engine->worker;

	wt_loop_turn(&worker->loop, engine->busy ? 0 : max_wait_ms);
	engine->busy = wt_receive_turn(worker);
	if (wt_transmit_turn(worker))
		engine->busy = true;
	wt_conn_reap(worker);
}

void wt_engine_stop(struct wt_engine *engine)
{
	struct wt_worker *worker = &engine->worker;
	uint8_t text[WT_CONTROL_MAX];

	engine->node.stopping = true;
	while (worker->conns) {
		struct wt_conn *conn = worker->conns;

		if (conn->state == WT_CONN_UP &&
		    wt_output_text(conn, conn->keys.current, text,
				   wt_control_close(text, WT_CLOSE_SHUTDOWN)))
			wt_output_flush(conn);
		wt_conn_close(conn, false, "this end stops");
	}
	wt_conn_reap(worker);
}

static void free_instances(struct wt_engine *engine)
{
	struct wt_node *node = &engine->node;

	if (node->auths)
		for (size_t i = node->settings->auth_count; i-- > 0;)
			wt_instance_free(node->auths[i]);
	if (node->transports)
		for (size_t i = node->settings->transport_count; i-- > 0;)
			wt_instance_free(node->transports[i]);
	wt_crypto_free(node->crypto);
	free(node->auths);
	free(node->transports);
	free(engine->hosts);
}

void wt_engine_free(struct wt_engine *engine)
{
	if (!engine)
		return;
	struct wt_node *node = &engine->node;
	struct wt_worker *worker = &engine->worker;

	wt_engine_stop(engine);
	if (engine->started)
		wt_transmit_stop(worker);
	wt_watch_stop(&engine->resolver_watch);
	while (node->peer_count > 0)
		wt_peer_fini(&node->peers[--node->peer_count]);
	free(node->peers);
	wt_allowed_ips_free(node->allowed_ips);
	free_instances(engine);
	wt_resolver_client_free(node->resolver);
	wt_resolver_free(engine->resolver);
	wt_slot_pool_fini(&worker->slots);
	wt_loop_fini(&worker->loop);
	wt_counters_free(node->counters);
	wt_wipe(&node->rate, sizeof node->rate);
	free(engine);
}
