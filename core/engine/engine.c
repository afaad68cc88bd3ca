/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "control/counters.h"
#include "control/report.h"
#include "engine/crew.h"
#include "engine/host.h"
#include "engine/lookout.h"
#include "engine/nudge.h"
#include "plugin/call.h"
#include "plugin/vigil.h"
#include "privileged/resolver.h"
#include "session/dial.h"
#include "session/index_table.h"
#include "session/lanes.h"
#include "session/martians.h"
#include "session/peer.h"

struct wt_engine {
	struct wt_node node;
	struct wt_resolver *resolver;
	struct wt_crew *crew;
	bool wants_lookout;
	struct wt_lookout *lookout;
	struct wt_vigil *vigil; /* while there is no lookout */
	struct wt_nudge *nudge;
	struct wt_host_instance *hosts; /* crypto, then transports, then auths */
	size_t host_count;
};

struct wt_node *wt_engine_node(struct wt_engine *engine)
{
	return &engine->node;
}

struct wt_worker *wt_engine_worker(struct wt_engine *engine)
{
	return &engine->node.workers[0];
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

static enum wt_status new_seats(struct wt_node *node, struct wt_error *err)
{
	size_t count = node->lane_count;

	if (node->worker_count == 1)
		return WT_OK;
	node->seats = calloc(count + 1, sizeof(*node->seats));
	if (!node->seats)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		atomic_init(&node->seats[i].owner, WT_SEAT_FREE);
		atomic_init(&node->seats[i].pending, WT_SEAT_FREE);
	}
	return WT_OK;
}

/* The peers as `worker` sees them. */
static enum wt_status new_peers(struct wt_worker *worker, struct wt_error *err)
{
	struct wt_node *node = worker->node;
	enum wt_status status = WT_OK;

	worker->peers = calloc(node->lane_count + 1, sizeof(*worker->peers));
	worker->indices = wt_index_table_new(node->peer_count, node->worker_count, worker->index);
	if (!worker->peers || !worker->indices)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	for (uint32_t at = 0; status == WT_OK && at < node->lane_count; at++) {
		status = wt_peer_init(&worker->peers[at], node, worker, at, err);
		if (status == WT_OK)
			worker->peer_count++;
	}
	return status;
}

static enum wt_status new_allowed_ips(struct wt_node *node, struct wt_error *err)
{
	const struct wt_settings *settings = node->settings;
	enum wt_status status;

	node->allowed_ips = wt_allowed_ips_new();
	if (!node->allowed_ips)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	for (uint32_t id = 0; id < node->peer_count; id++) {
		const struct wt_peer_settings *peer = &settings->peers[id];

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

static enum wt_status new_all_peers(struct wt_node *node, struct wt_error *err)
{
	enum wt_status status;

	node->peer_count = node->settings->peer_count;
	status = wt_lanes_init(node, err);
	if (status == WT_OK)
		status = new_seats(node, err);
	for (unsigned w = 0; status == WT_OK && w < node->worker_count; w++)
		status = new_peers(&node->workers[w], err);
	if (status == WT_OK)
		status = new_allowed_ips(node, err);
	return status;
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
	node->counters = wt_counters_new(options->settings->tunnel.workers);
	if (!node->counters)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	return WT_OK;
}

static enum wt_status new_crew(struct wt_engine *engine, struct wt_error *err)
{
	engine->resolver = wt_resolver_new(err);
	if (!engine->resolver)
		return WT_ERR_NOMEM;
	engine->crew = wt_crew_new(&engine->node, engine->node.settings->tunnel.workers,
				   engine->resolver, err);
	return engine->crew ? WT_OK : WT_ERR_NOMEM;
}

struct wt_engine *wt_engine_new(const struct wt_engine_options *options, enum wt_status *status,
				struct wt_error *err)
{
	struct wt_engine *engine = calloc(1, sizeof(*engine));

	if (!engine) {
		*status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
		return NULL;
	}
	engine->wants_lookout = options->lookout;
	if (pthread_mutex_init(&engine->node.rate_lock, NULL) != 0) {
		free(engine);
		*status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
		return NULL;
	}
	if (engine->wants_lookout)
		engine->vigil = wt_vigil_begin(WT_VIGIL_MS);
	*status = new_node(engine, options, err);
	if (*status == WT_OK)
		*status = new_crew(engine, err);
	if (*status == WT_OK)
		*status = new_instances(engine, err);
	if (*status == WT_OK)
		*status = new_all_peers(&engine->node, err);
	if (*status == WT_OK)
		return engine;
	wt_engine_free(engine);
	return NULL;
}

/* A tunnel works without it. */
static void new_lookout(struct wt_engine *engine)
{
	struct wt_error err = WT_ERROR_INIT;

	if (!engine->wants_lookout)
		return;
	engine->lookout = wt_lookout_new(&engine->node, &err);
	if (!engine->lookout)
		wt_log(WT_LOG_WARN, "should a worker stand still, the log will not say where: %s",
		       err.text);
}

enum wt_status wt_engine_start(struct wt_engine *engine, const int *tun_fds, unsigned queues,
			       struct wt_error *err)
{
	struct wt_node *node = &engine->node;
	enum wt_status status = wt_crew_watch(engine->crew, tun_fds, queues, err);

	for (unsigned w = 0; status == WT_OK && w < node->worker_count; w++)
		for (size_t i = 0; status == WT_OK && i < node->settings->transport_count; i++)
			status = wt_transport_listen(node->transports[i], &node->workers[w], err);
	if (status != WT_OK)
		return status;
	for (unsigned w = 0; w < node->worker_count; w++) {
		struct wt_worker *worker = &node->workers[w];

		wt_loop_update(&worker->loop);
		for (size_t i = 0; i < worker->peer_count; i++)
			wt_dial_schedule(&worker->peers[i], 0);
	}
	wt_vigil_end(engine->vigil);
	engine->vigil = NULL;
	new_lookout(engine);
	return wt_crew_start(engine->crew, engine->lookout, err);
}

enum wt_status wt_engine_watch_network(struct wt_engine *engine, int fd, struct wt_error *err)
{
	engine->nudge = wt_nudge_new(&engine->node, fd, err);
	return engine->nudge ? WT_OK : WT_ERR_NOMEM;
}

void wt_engine_turn(struct wt_engine *engine, uint64_t max_wait_ms)
{
	wt_crew_turn(engine->crew, max_wait_ms);
}

void wt_engine_stop(struct wt_engine *engine)
{
	if (engine->crew)
		wt_crew_stop(engine->crew);
	wt_lookout_free(engine->lookout);
	engine->lookout = NULL;
}

static void free_peers(struct wt_node *node)
{
	for (unsigned w = node->workers ? node->worker_count : 0; w-- > 0;) {
		struct wt_worker *worker = &node->workers[w];

		while (worker->peer_count > 0)
			wt_peer_fini(&worker->peers[--worker->peer_count]);
		free(worker->peers);
		wt_index_table_free(worker->indices);
	}
	free((void *)node->seats);
	wt_lanes_fini(node);
	wt_allowed_ips_free(node->allowed_ips);
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

	wt_engine_stop(engine);
	if (engine->wants_lookout && !engine->vigil)
		engine->vigil = wt_vigil_begin(WT_VIGIL_MS);
	wt_nudge_stop(engine->nudge);
	if (engine->crew)
		wt_crew_unwatch(engine->crew);
	free_peers(node);
	free_instances(engine);
	wt_vigil_end(engine->vigil);
	wt_crew_free(engine->crew);
	wt_nudge_free(engine->nudge);
	wt_resolver_free(engine->resolver);
	wt_report_free(node->report);
	wt_counters_free(node->counters);
	pthread_mutex_destroy(&node->rate_lock);
	wt_wipe(&node->rate, sizeof node->rate);
	free(engine);
}
