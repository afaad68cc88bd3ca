/* SPDX-License-Identifier: MIT */
#include "session/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "record/limits.h"
#include "session/node.h"
#include "session/peer.h"

/* `turn`: the time above, lane + 1 below. */
#define TURN_LANE_BITS 8
#define TURN_LANE_MASK 0xffu

size_t wt_lanes_count_all(const struct wt_settings *settings)
{
	size_t count = 0;

	for (size_t i = 0; i < settings->peer_count; i++)
		count += settings->peers[i].connections;
	return count;
}

enum wt_status wt_lanes_init(struct wt_node *node, struct wt_error *err)
{
	const struct wt_settings *settings = node->settings;
	uint32_t next = (uint32_t)settings->peer_count;

	node->lane_count = wt_lanes_count_all(settings);
	node->lanes = calloc(settings->peer_count + 1, sizeof(*node->lanes));
	if (!node->lanes)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	for (uint32_t id = 0; id < settings->peer_count; id++) {
		struct wt_lanes *lanes = &node->lanes[id];

		lanes->id = id;
		lanes->first = next;
		lanes->count = settings->peers[id].connections;
		atomic_init(&lanes->agreed, 1);
		atomic_init(&lanes->turn, 0);
		next += lanes->count - 1;
	}
	return WT_OK;
}

void wt_lanes_fini(struct wt_node *node)
{
	free((void *)node->lanes);
	node->lanes = NULL;
}

struct wt_lanes *wt_lanes_of(const struct wt_node *node, uint32_t at, unsigned *lane)
{
	struct wt_lanes *lanes = node->lanes;

	*lane = 0;
	if (at < node->peer_count)
		return &lanes[at];
	while (at >= lanes->first + lanes->count - 1)
		lanes++;
	*lane = at - lanes->first + 1;
	return lanes;
}

struct wt_peer *wt_lanes_named(struct wt_worker *worker, uint32_t id,
			       const struct wt_params *params)
{
	const struct wt_lanes *lanes = &worker->node->lanes[id];
	unsigned lane = params ? params->lane : 0;

	return lane < lanes->count ? &worker->peers[wt_lanes_at(lanes, lane)] : NULL;
}

void wt_lanes_tell(const struct wt_node *node, unsigned lane, unsigned lanes,
		   uint8_t params[WT_PARAMS_SIZE])
{
	memcpy(params, node->params_bytes, WT_PARAMS_SIZE);
	wt_params_tell(params, lane, lanes);
}

void wt_lanes_agree(struct wt_lanes *lanes, unsigned theirs)
{
	unsigned smaller = theirs < lanes->count ? theirs : lanes->count;

	atomic_store_explicit(&lanes->agreed, smaller ? smaller : 1, memory_order_relaxed);
}

bool wt_lanes_begin(struct wt_lanes *lanes, unsigned lane, uint64_t now_ms)
{
	uint64_t mine = now_ms << TURN_LANE_BITS | (lane + 1), before;

	if (lanes->count == 1)
		return true;
	before = atomic_load_explicit(&lanes->turn, memory_order_relaxed);
	do {
		uint64_t since_ms = before >> TURN_LANE_BITS;

		if ((before & TURN_LANE_MASK) == lane + 1)
			return true;
		/* Two workers' clocks may differ by a turn of one. */
		if (before != 0 && now_ms < since_ms + WT_HANDSHAKE_MS)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&lanes->turn, &before, mine, memory_order_relaxed, memory_order_relaxed));
	return true;
}

void wt_lanes_done(struct wt_lanes *lanes, unsigned lane)
{
	uint64_t before = atomic_load_explicit(&lanes->turn, memory_order_relaxed);

	while ((before & TURN_LANE_MASK) == lane + 1 &&
	       !atomic_compare_exchange_weak_explicit(&lanes->turn, &before, 0,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

/* Those that are not up give their flows to all that are. */
static struct wt_peer *pick_other(struct wt_worker *worker, const struct wt_lanes *lanes,
				  unsigned agreed, uint32_t hash)
{
	unsigned up[WT_CONNECTIONS_MAX], count = 0;

	for (unsigned i = 0; i < agreed; i++)
		if (wt_peer_is_up(&worker->peers[wt_lanes_at(lanes, i)]))
			up[count++] = i;
	return &worker->peers[wt_lanes_at(lanes, count ? up[hash / agreed % count] : 0)];
}

struct wt_peer *wt_lanes_pick(struct wt_worker *worker, const struct wt_lanes *lanes, uint32_t hash)
{
	unsigned agreed = wt_lanes_agreed(lanes);
	struct wt_peer *peer = &worker->peers[wt_lanes_at(lanes, hash % agreed)];

	return wt_peer_is_up(peer) ? peer : pick_other(worker, lanes, agreed, hash);
}
