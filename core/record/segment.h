/* SPDX-License-Identifier: MIT
 *
 * segment.h: a run of segments under one header, cut into the packets that the
 * kernel would have sent, byte for byte: for peers that do not take kind 0x03,
 * and for runs that must not travel as one record.
 *
 * Per packet: IP length, IPv4 identification (counting up) and checksum; TCP
 * sequence number, FIN and PSH on the last alone, CWR on the first alone; UDP
 * length; complete TCP or UDP checksum, or a partial one for who takes kind
 * 0x02. All else, ECN and DSCP among it, is the run's. Pure; any thread.
 *
 * wt_segments_next copies each packet to another place; record/carve.h makes
 * them where the run lies.
 */
#ifndef WT_RECORD_SEGMENT_H
#define WT_RECORD_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/drop.h"
#include "record/layer4.h"
#include "record/packet.h"

/* One run from our own kernel becomes at most this many packets: TCP's smallest
 * segment is 48 bytes there. A guest's kernel may ask for more; it gets none. */
#define WT_SEGMENTS_MAX_CUT 1366u

struct wt_vnet;

/* A cut under way. The fields are the functions'. */
struct wt_segments {
	const uint8_t *data; /* the run; the caller's, unchanged until the end */
	size_t len;
	size_t at;	 /* the payload from here is still to come */
	uint64_t pseudo; /* sum of the pseudo-header, but for the length */
	uint64_t ipv4;	 /* ... of the IPv4 header, but for length and identification */
	uint16_t id;	 /* IPv4: of the first packet */
	uint32_t index;	 /* of the next packet */
	uint16_t size;	 /* payload of each packet but the last */
	uint8_t family;	 /* AF_INET or AF_INET6 */
	bool partial;	 /* leave the pseudo-header's sum in the checksum field; set it
			  * between start and the first packet */
	struct wt_layer4 layer4;
};

/* Begin with data[0..len), which wt_packet_parse described in *ip and *vnet
 * came with. IPv6 extension headers may stand before the TCP or UDP header.
 * WT_DROP_NONE: *out is ready, and the packets follow. Otherwise:
 *	WT_DROP_OFFLOAD	  type or place of the checksum contradict the packet
 *	WT_DROP_FRAGMENT, WT_DROP_PROTOCOL, WT_DROP_LAYER4: as wt_layer4_parse
 *	WT_DROP_SEGMENTS  size 0, no payload, or more than WT_SEGMENTS_MAX_CUT */
enum wt_drop wt_segments_start(struct wt_segments *out, const uint8_t *data, size_t len,
			       const struct wt_packet *ip,
			       const struct wt_vnet *vnet) WT_MUST_CHECK;

/* The length of the first packet, which none exceeds. */
size_t wt_segments_largest(const struct wt_segments *segments) WT_MUST_CHECK;

/* Write the next packet to `out`, which has room for wt_segments_largest() bytes
 * and does not overlap the run; its length, or 0 after the last. */
size_t wt_segments_next(struct wt_segments *segments, uint8_t *out) WT_MUST_CHECK;

/* How much payload the next packet has; 0 after the last. */
size_t wt_segments_payload(const struct wt_segments *segments) WT_MUST_CHECK;

/* The same for who has put a copy of the run's headers (layer4.payload bytes) at
 * `packet` and the next wt_segments_payload() bytes of payload behind it: make
 * the headers this packet's. Its length; not to be called after the last. */
size_t wt_segments_finish(struct wt_segments *segments, uint8_t *packet) WT_MUST_CHECK;

#endif
