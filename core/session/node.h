/* SPDX-License-Identifier: MIT
 *
 * node.h: this end of all its tunnels: the plugin instances, the peers, and
 * which inner address is whose. Built by the engine at start, from checked
 * settings; everything that lives as long as the process.
 */
#ifndef WT_SESSION_NODE_H
#define WT_SESSION_NODE_H

#include "base/clock.h"
#include "config/settings.h"
#include "record/inner.h"
#include "record/params.h"
#include "session/allowed_ips.h"
#include "session/rate.h"
#include "worker/worker.h"

struct wt_peer;
struct wt_crypto;
struct wt_instance;
struct wt_counters;
struct wt_resolver_client;

struct wt_node {
	const struct wt_settings *settings;
	const struct wt_clock *clock;
	struct wt_counters *counters; /* of the plugins */
	struct wt_crypto *crypto;
	struct wt_instance **transports; /* as settings->transports */
	struct wt_instance **auths;	 /* as settings->auths */
	struct wt_allowed_ips *allowed_ips;
	struct wt_peer *peers;
	size_t peer_count;
	struct wt_params params;       /* ours */
	struct wt_inner_limits limits; /* the same, as the receiver checks it */
	uint8_t params_bytes[WT_PARAMS_SIZE];
	struct wt_rate rate;
	struct wt_resolver_client *resolver;
	bool stopping; /* nothing is dialled or accepted any more */
};

/* NAME of the [transport NAME] section it was made from. */
const char *wt_node_transport_name(const struct wt_node *node, const struct wt_instance *transport);

/* The auth instance whose messages have this method byte, or NULL. */
struct wt_instance *wt_node_auth(const struct wt_node *node, uint8_t method);

#endif
