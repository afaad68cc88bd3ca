/* SPDX-License-Identifier: MIT
 *
 * flow.h: which flows have much to send.
 *
 * A TUN device has no queue discipline of ours: what a bulk transfer has put
 * into it, up to megabytes, delays every packet behind. With two queues the
 * kernel keeps each flow on the queue that its other direction was written to.
 * Writing the flows that send much to one queue and all others, the sparse ones
 * (RFC 8290 section 1.3.2), to the other, and reading the latter first, a ping, a
 * key press and a SYN no longer wait behind a download.
 *
 * A flow is known by a bucket: addresses, protocol and ports of both directions
 * alike. Two flows in one bucket are treated alike, which costs one of them a
 * delay and nothing else. Fixed memory, no allocation. One thread.
 */
#ifndef WT_TUN_FLOW_H
#define WT_TUN_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/packet.h"

#define WT_FLOW_BUCKETS 1024u
/* More than this in one window is much: 0.75 Mbit/s. On a slow link that is
 * what a transfer gets, and calls, games and terminals need less. */
#define WT_FLOW_BULK_BYTES (12u * 1024u)
#define WT_FLOW_WINDOW_MS 128u
/* For so long a flow that is not seen any more counts as bulk. The kernel forgets
 * after 3 s which queue it used (TUN_FLOW_EXPIRE); sooner, packets on their way
 * through one queue could be overtaken by later ones in the other. */
#define WT_FLOW_IDLE_MS 4000u

struct wt_flow {
	uint64_t bulk_until_ms;
	uint32_t window; /* the number of the window that `bytes` are of */
	uint32_t bytes;
	bool moved; /* what is written for it goes to the bulk queue */
};

struct wt_flows {
	struct wt_flow bucket[WT_FLOW_BUCKETS];
};

/* The bucket of the packet data[0..len), which wt_packet_parse described in *ip,
 * the same for what is sent back. */
struct wt_flow *wt_flow_of(struct wt_flows *flows, const uint8_t *data, size_t len,
			   const struct wt_packet *ip);

/* `len` bytes of it were read from the device. */
void wt_flow_count(struct wt_flow *flow, size_t len, uint64_t now_ms);

/* Has it much to send, or had it a moment ago? A packet of it was seen. */
bool wt_flow_is_bulk(struct wt_flow *flow, uint64_t now_ms) WT_MUST_CHECK;

#endif
