/* SPDX-License-Identifier: MIT */
#include "tun/flow.h"

#include "record/flow_hash.h"

struct wt_flow *wt_flow_of(struct wt_flows *flows, const uint8_t *data, size_t len,
			   const struct wt_packet *ip)
{
	return &flows->bucket[wt_flow_hash(data, len, ip) % WT_FLOW_BUCKETS];
}

void wt_flow_count(struct wt_flow *flow, size_t len, uint64_t now_ms)
{
	uint32_t window = (uint32_t)(now_ms / WT_FLOW_WINDOW_MS);

	if (flow->window != window) {
		flow->window = window;
		flow->bytes = 0;
	}
	if (flow->bytes <= WT_FLOW_BULK_BYTES)
		flow->bytes += (uint32_t)len;
	if (flow->bytes > WT_FLOW_BULK_BYTES)
		flow->bulk_until_ms = now_ms + WT_FLOW_IDLE_MS;
}

bool wt_flow_is_bulk(struct wt_flow *flow, uint64_t now_ms)
{
	if (now_ms >= flow->bulk_until_ms) {
		flow->moved = false;
		return false;
	}
	flow->bulk_until_ms = now_ms + WT_FLOW_IDLE_MS;
	return true;
}
