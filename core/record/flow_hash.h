/* SPDX-License-Identifier: MIT
 *
 * flow_hash.h: which packets must stay in order among themselves.
 */
#ifndef WT_RECORD_FLOW_HASH_H
#define WT_RECORD_FLOW_HASH_H

#include "record/packet.h"

/* A number for the flow of the packet data[0..len), which wt_packet_parse found
 * sound: the same for all packets with the same two addresses and protocol, of
 * TCP and UDP also the same two ports, and the same for both directions. Where
 * the ports are not at hand (fragments, extension headers) they do not count.
 * Nothing secret: who chooses the addresses chooses the number. Pure. */
uint32_t wt_flow_hash(const uint8_t *data, size_t len, const struct wt_packet *packet);

#endif
