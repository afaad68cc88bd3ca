/* SPDX-License-Identifier: MIT */
#include "pipeline/delivery.h"

#include "base/log.h"
#include "pipeline/tun_queue.h"
#include "session/allowed_ips.h"
#include "session/node.h"
#include "session/peer.h"

void wt_delivery_init(struct wt_delivery *delivery, struct wt_worker *worker)
{
	delivery->worker = worker;
	delivery->peer = NULL;
	wt_merge_init(&delivery->merge, &worker->node->limits);
}

static bool source_ok(struct wt_worker *worker, struct wt_peer *peer, const struct wt_inner *inner)
{
	if (wt_allowed_ips_source_ok(worker->node->allowed_ips, inner->packet.family,
				     inner->packet.source, peer->id))
		return true;
	wt_drop_count(worker, peer, WT_DROP_SOURCE);
	wt_log_limited(WT_LOG_WARN, "source",
		       "peer %s: packet with a source outside its allowed_ips dropped",
		       wt_peer_name(peer));
	return false;
}

static void count(struct wt_peer *peer, uint32_t packets, size_t bytes)
{
	peer->counters.rx_packets += packets;
	peer->counters.rx_bytes += bytes;
}

static void write_one(struct wt_delivery *delivery, struct wt_inner *inner)
{
	if (wt_tun_queue_write(delivery->worker, inner))
		count(delivery->peer, 1, inner->len);
	else
		wt_drop_count(delivery->worker, delivery->peer, WT_DROP_TUN_REFUSED);
}

void wt_delivery_flush(struct wt_delivery *delivery)
{
	struct wt_merge *merge = &delivery->merge;
	size_t headers = merge->first.layer4.payload;

	if (merge->count > 1 && wt_tun_queue_write_run(delivery->worker, merge)) {
		count(delivery->peer, merge->count, merge->len + (merge->count - 1) * headers);
	} else if (merge->count > 1) {
		for (uint32_t i = 0; i < merge->count; i++) {
			struct wt_inner inner;

			wt_merge_packet(merge, i, &inner);
			write_one(delivery, &inner);
		}
	} else if (merge->count == 1) {
		write_one(delivery, &merge->first);
	}
	wt_merge_clear(merge);
}

void wt_delivery_packet(struct wt_delivery *delivery, struct wt_peer *peer,
			const struct wt_inner *inner)
{
	struct wt_merge *merge = &delivery->merge;

	/* What goes on with packets that are held has their source, which is
	 * the peer's. */
	if (merge->count > 0 && delivery->peer == peer && wt_merge_take(merge, inner))
		return;
	wt_delivery_flush(delivery);
	delivery->peer = peer;
	if (source_ok(delivery->worker, peer, inner))
		wt_merge_start(merge, inner);
}
