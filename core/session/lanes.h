/* SPDX-License-Identifier: MIT
 *
 * lanes.h: the several connections of one peer (`connections = N`), and what
 * workers have to agree on about all of them.
 *
 * Each lane is a struct wt_peer of its own, in every worker: with its session,
 * its queue, its dialling, its seat. Lane 0 of the configured peer `id` is
 * worker->peers[id]; the others lie behind all lanes 0. Any thread may call what
 * takes a struct wt_lanes. docs/protocol.md "Lanes".
 */
#ifndef WT_SESSION_LANES_H
#define WT_SESSION_LANES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/settings.h"
#include "record/params.h"

struct wt_node;
struct wt_peer;
struct wt_worker;

struct wt_lanes {
	uint32_t id;	/* of the configured peer */
	uint32_t first; /* where lane 1 is in worker->peers */
	unsigned count; /* configured here: 1 or more */
	/* What both ends take, as the newest session says; 1 before there was any. */
	_Atomic unsigned agreed;
	/* Whose handshake is under way: since when, and which lane; 0: nobody's. */
	_Atomic uint64_t turn;
};

/* One for each of the settings' peers; sets node->lanes, ->lane_count. */
enum wt_status wt_lanes_init(struct wt_node *node, struct wt_error *err) WT_MUST_CHECK;
void wt_lanes_fini(struct wt_node *node);

/* All lanes of all peers: for what has to be sized before there is a node. */
size_t wt_lanes_count_all(const struct wt_settings *settings);

/* The index of lane `lane` (< count) in worker->peers, and back: whose lane is
 * the one at `at` (< node->lane_count). */
static inline uint32_t wt_lanes_at(const struct wt_lanes *lanes, unsigned lane)
{
	return lane == 0 ? lanes->id : lanes->first + lane - 1;
}
struct wt_lanes *wt_lanes_of(const struct wt_node *node, uint32_t at, unsigned *lane);

/* The lane that a first message of peer `id` is for; `params` are its sender's, NULL
 * if it does not tell them yet. NULL: there is no such lane here. */
struct wt_peer *wt_lanes_named(struct wt_worker *worker, uint32_t id,
			       const struct wt_params *params);

/* Our parameters for one handshake: which of the connections it is for (0 from who
 * accepts), and how many we take of the peer. */
void wt_lanes_tell(const struct wt_node *node, unsigned lane, unsigned lanes,
		   uint8_t params[WT_PARAMS_SIZE]);

/* The other end takes `theirs` connections (0: it does not know of lanes, and takes
 * one); we take `count`. */
void wt_lanes_agree(struct wt_lanes *lanes, unsigned theirs);
static inline unsigned wt_lanes_agreed(const struct wt_lanes *lanes)
{
	return atomic_load_explicit(&lanes->agreed, memory_order_relaxed);
}

/* Handshakes that we begin follow one another, for auth plugins have one for
 * each peer. True: it is this lane's turn, until wt_lanes_done or, if another
 * wants it, WT_HANDSHAKE_MS after it was taken. */
bool wt_lanes_begin(struct wt_lanes *lanes, unsigned lane, uint64_t now_ms);
/* Nothing happens if it is not this lane's. */
void wt_lanes_done(struct wt_lanes *lanes, unsigned lane);

/* The lane of `worker` that packets of the flow `hash` take: always the same
 * while it is up, another that is up while it is not. One that is not up if none
 * is. */
struct wt_peer *wt_lanes_pick(struct wt_worker *worker, const struct wt_lanes *lanes,
			      uint32_t hash);

#endif
