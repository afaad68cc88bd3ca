/* SPDX-License-Identifier: MIT
 *
 * merge.h: packets that came one by one, put under one header again, so that
 * the device takes a run in one write. Nothing is copied but headers: the run
 * is a list of pieces for writev, and the packets stay as they are.
 *
 * Only packets of kind 0x02 are merged: of one with a complete checksum nobody
 * has said that it is right, and a run's is partial. The run is what a peer could
 * have sent as kind 0x03, by the same rules (record/layer4.h), and the kernel
 * cuts it to exactly the packets that went in.
 *
 * A packet goes on with the run when all its headers are the run's, but for
 *	IPv4	length; identification, one more than before; checksum, right
 *	IPv6	length
 *	TCP	sequence number, where the one before ends; checksum; PSH and FIN, on
 *		the last alone
 *	UDP	length, checksum
 * and its payload has the size of the others; less in the last. Pure; any thread.
 */
#ifndef WT_RECORD_MERGE_H
#define WT_RECORD_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <whispertunnel/status.h>

#include "record/inner.h"
#include "tun/tun.h"

/* Kinds 0x02 and 0x03 have no IPv6 extension headers. */
#define WT_MERGE_HEADERS_MAX 120u
#define WT_MERGE_PARTS (1u + WT_SEGMENTS_MAX_TCP)

/* The packets held. The fields are for reading; parts[1 + i] is the payload of
 * packet i, whose headers lie before it. */
struct wt_merge {
	const struct wt_inner_limits *own;
	uint32_t count;			    /* packets; 0: none */
	bool open;			    /* another may follow */
	uint64_t ipv4_sum;		    /* of the IPv4 header without what differs */
	uint8_t same[WT_MERGE_HEADERS_MAX]; /* the bits of the headers that all have */
	size_t len;			    /* of the merged packet */
	struct wt_inner first;		    /* the first of them */
	uint8_t last_flags;		    /* TCP: of the last of them */
	uint8_t header[WT_TUN_HEADER + WT_MERGE_HEADERS_MAX];
	struct iovec parts[WT_MERGE_PARTS];
};

/* Hold nothing yet. `own`: what this end takes, which its kernel takes too. */
void wt_merge_init(struct wt_merge *merge, const struct wt_inner_limits *own);

/* With nothing held: hold this packet, of any kind (wt_inner_parse accepted it). It
 * stays where it is until it is let go. */
void wt_merge_start(struct wt_merge *merge, const struct wt_inner *inner);

/* Hold this one behind those held. False: it does not go on with them, or there
 * are none. */
bool wt_merge_take(struct wt_merge *merge, const struct wt_inner *inner) WT_MUST_CHECK;

/* The run of two packets or more that is held: offload header and headers in
 * parts[0], then the payloads. The number of parts. */
int wt_merge_finish(struct wt_merge *merge) WT_MUST_CHECK;

/* Packet `i` of those held as it came, for who could not use the run. */
void wt_merge_packet(const struct wt_merge *merge, uint32_t i, struct wt_inner *out);

/* Let go of what is held. */
void wt_merge_clear(struct wt_merge *merge);

#endif
