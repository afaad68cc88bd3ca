/* SPDX-License-Identifier: MIT
 *
 * packet.h: what the tunnel must know of an IP packet, and no more.
 *
 * The same check for packets from the TUN and from a peer. Checksums are the
 * kernel's business. Pure; any thread.
 */
#ifndef WT_RECORD_PACKET_H
#define WT_RECORD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/drop.h"

/* An IPv4 total length is at most this; longer IPv6 packets are refused. */
#define WT_PACKET_MAX 65535u

struct wt_packet {
	uint8_t family;		    /* AF_INET or AF_INET6 */
	const uint8_t *source;	    /* 4 or 16 bytes, inside the packet */
	const uint8_t *destination; /* the same */
};

/* Is `data[0..len)` exactly one IP packet? Checked: version, header length
 * (20 or more for IPv4, all inside), total length equal to len, len at most
 * WT_PACKET_MAX. WT_DROP_NONE fills *out; otherwise WT_DROP_IP_VERSION,
 * WT_DROP_IP_HEADER or WT_DROP_IP_LENGTH, and *out is not set. */
enum wt_drop wt_packet_parse(const uint8_t *data, size_t len, struct wt_packet *out) WT_MUST_CHECK;

/* Of a sound IPv6 packet: the first header behind hop-by-hop options, routing
 * headers and destination options: where it starts (at most len) and its
 * protocol, which may be the fragment header's, or one we do not know. False:
 * an extension header is not inside. */
bool wt_packet_skip_extensions(const uint8_t *data, size_t len, size_t *start,
			       uint8_t *protocol) WT_MUST_CHECK;

#endif
