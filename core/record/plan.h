/* SPDX-License-Identifier: MIT
 *
 * plan.h: what becomes of a packet read from the TUN: a record of kind 0x01,
 * 0x02 or 0x03; or packets that are finished here first.
 *
 *	struct wt_vnet vnet = wt_vnet_read(packet - WT_TUN_HEADER);
 *	wt_plan_make(&vnet, packet, len, &ip, &peer, &plan);
 *
 * docs/protocol.md "Inner header". Pure; any thread.
 */
#ifndef WT_RECORD_PLAN_H
#define WT_RECORD_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/drop.h"
#include "record/inner.h"
#include "record/packet.h"
#include "record/segment.h"
#include "record/vnet.h"

enum wt_plan_way {
	WT_PLAN_DROP,	/* plan.drop says why */
	WT_PLAN_SEND,	/* put plan.prefix in front of the packet and seal both */
	WT_PLAN_FINISH, /* the same after wt_vnet_finish */
	WT_PLAN_CUT	/* the same with each packet that is made of plan.segments
			 * (record/segment.h, record/carve.h) */
};

struct wt_plan {
	enum wt_plan_way way;
	enum wt_drop drop;
	uint8_t prefix[WT_INNER_PREFIX_MAX]; /* kind, and of 0x03 the segment size */
	uint8_t prefix_len;
	struct wt_segments segments; /* CUT: begun (record/segment.h) */
};

/* How the packet data[0..len), which wt_packet_parse described in *ip and *vnet
 * came with, goes to a peer that takes `peer`. What the peer would refuse is
 * finished here. DROP:
 *	WT_DROP_TOO_LARGE  the packet, or a segment of it, is larger than the
 *			   peer's inner MTU or record (record/too_big.h)
 *	others		   the header contradicts the packet: no kernel does that
 *			   (WT_DROP_OFFLOAD, and those of wt_segments_start) */
void wt_plan_make(const struct wt_vnet *vnet, const uint8_t *data, size_t len,
		  const struct wt_packet *ip, const struct wt_inner_limits *peer,
		  struct wt_plan *plan);

#endif
