/* SPDX-License-Identifier: MIT
 *
 * crew.h: the workers of an engine and their threads. The first worker runs on
 * the thread that turns the engine, each other on one of its own, with all
 * signals blocked. With one worker there is no thread, no desk, no ring.
 *
 * All calls are made on the engine's thread.
 */
#ifndef WT_ENGINE_CREW_H
#define WT_ENGINE_CREW_H

#include <stdbool.h>

#include "base/error.h"
#include "session/node.h"

struct wt_resolver;
struct wt_lookout;
struct wt_crew;

/* `count` (1..WT_WORKERS_MAX) workers of `node`, which learns of them, each with
 * a loop, packet buffers and a client of `resolver`. None runs yet, none has
 * peers. NULL: err says why. */
struct wt_crew *wt_crew_new(struct wt_node *node, unsigned count, struct wt_resolver *resolver,
			    struct wt_error *err) WT_MUST_CHECK;
/* Stopped before; peers and whatever else uses loops is gone. NULL is allowed. */
void wt_crew_free(struct wt_crew *crew);

/* Let each worker read packets from the next `queues` (1 or 2) of tun_fds
 * (borrowed; pipeline/tun_input). Watches only: nothing happens before
 * wt_crew_start and wt_crew_turn. */
enum wt_status wt_crew_watch(struct wt_crew *crew, const int *tun_fds, unsigned queues,
			     struct wt_error *err) WT_MUST_CHECK;
void wt_crew_unwatch(struct wt_crew *crew);

/* Start the threads; `lookout` (NULL: none) meets each worker, and parts from all
 * but the first in wt_crew_stop. On failure those that run already go on until
 * then. */
enum wt_status wt_crew_start(struct wt_crew *crew, struct wt_lookout *lookout,
			     struct wt_error *err) WT_MUST_CHECK;

/* One turn of the first worker, which waits up to `max_wait_ms`. */
void wt_crew_turn(struct wt_crew *crew, uint64_t max_wait_ms);

/* Every worker says CLOSE to its peers and ends its connections, side by
 * side; threads are joined, and every packet buffer is back in its pool.
 * Idempotent. */
void wt_crew_stop(struct wt_crew *crew);

#endif
