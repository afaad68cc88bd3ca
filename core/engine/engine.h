/* SPDX-License-Identifier: MIT
 *
 * engine.h: plugin instances, peers and workers, put together from checked
 * settings. Knows nothing of signals, rights or how the TUN device came to be,
 * so that a test can run two of them in one process.
 */
#ifndef WT_ENGINE_ENGINE_H
#define WT_ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/clock.h"
#include "config/settings.h"

struct wt_engine;

struct wt_engine_options {
	const struct wt_settings *settings; /* outlives the engine */
	const struct wt_clock *clock;	    /* NULL: the machine's */
	uint32_t mtu;			    /* of the inner device */
	uint32_t features;		    /* WT_FEATURE_*: what the device takes */
	bool lookout; /* log where workers, the start or the stop stand still */
};

/* Make all instances and peers; opens no socket and dials nothing. NULL: err
 * says why, and *status is WT_ERR_CONFIG where the settings are at fault. */
struct wt_engine *wt_engine_new(const struct wt_engine_options *options, enum wt_status *status,
				struct wt_error *err) WT_MUST_CHECK;

/* Read packets from `tun_fds` (`queues` of them, 1 or 2, for each of the settings'
 * workers; borrowed), listen, begin to dial. All workers but the first run from
 * here on. */
enum wt_status wt_engine_start(struct wt_engine *engine, const int *tun_fds, unsigned queues,
			       struct wt_error *err) WT_MUST_CHECK;

/* Try again at once when links, addresses or routes change: `fd` of
 * wt_surroundings_open is read from here on, and stays the caller's to close
 * after wt_engine_free. */
enum wt_status wt_engine_watch_network(struct wt_engine *engine, int fd,
				       struct wt_error *err) WT_MUST_CHECK;

/* One turn of the first worker's loop: waits up to `max_wait_ms` for something
 * to do. */
void wt_engine_turn(struct wt_engine *engine, uint64_t max_wait_ms);

/* Say CLOSE to every peer, end all connections and threads. Idempotent. */
void wt_engine_stop(struct wt_engine *engine);

/* The exact reverse of new and start. NULL is allowed. */
void wt_engine_free(struct wt_engine *engine);

struct wt_node *wt_engine_node(struct wt_engine *engine);
/* The first one. */
struct wt_worker *wt_engine_worker(struct wt_engine *engine);

#endif
