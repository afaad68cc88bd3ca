/* SPDX-License-Identifier: MIT
 *
 * node.h: this end of all its tunnels: the plugin instances, where the peers
 * are, and which inner address is whose. Built by the engine at start, from
 * checked settings; everything that lives as long as the process. Workers only
 * read it, but for what is said to be shared.
 */
#ifndef WT_SESSION_NODE_H
#define WT_SESSION_NODE_H

#include <pthread.h>

#include "base/clock.h"
#include "config/settings.h"
#include "record/inner.h"
#include "record/params.h"
#include "session/allowed_ips.h"
#include "session/rate.h"
#include "worker/worker.h"

struct wt_crypto;
struct wt_instance;
struct wt_counters;
struct wt_report;
struct wt_seat;
struct wt_lanes;

struct wt_node {
	const struct wt_settings *settings;
	const struct wt_clock *clock;
	struct wt_counters *counters; /* of the plugins */
	struct wt_crypto *crypto;
	struct wt_instance **transports; /* as settings->transports */
	struct wt_instance **auths;	 /* as settings->auths */
	struct wt_allowed_ips *allowed_ips;
	size_t peer_count;	/* as configured */
	size_t lane_count;	/* of all peers together; each worker has as many (worker->peers) */
	struct wt_lanes *lanes; /* shared; a peer each */
	struct wt_worker *workers;
	unsigned worker_count;
	struct wt_seat *seats;	       /* shared; a lane each. NULL: one worker, who has them all */
	struct wt_report *report;      /* on its way through the workers; NULL until asked for */
	struct wt_params params;       /* ours */
	struct wt_inner_limits limits; /* the same, as the receiver checks it */
	uint8_t params_bytes[WT_PARAMS_SIZE];
	struct wt_rate rate;	   /* shared: for wt_node_rate_allow */
	pthread_mutex_t rate_lock; /* taken with several workers only */
};

/* NAME of the [transport NAME] section it was made from. */
const char *wt_node_transport_name(const struct wt_node *node, const struct wt_instance *transport);

/* wt_rate_allow on the buckets that all workers share: a source gains nothing by
 * spreading its attempts. For handshakes and other rare things. */
bool wt_node_rate_allow(struct wt_node *node, uint64_t now_ms, uint32_t peer_id, const void *source,
			size_t source_len, uint32_t per_second, uint32_t burst);

/* The auth instance whose messages have this method byte, or NULL. */
struct wt_instance *wt_node_auth(const struct wt_node *node, uint8_t method);

#endif
