/* SPDX-License-Identifier: MIT
 *
 * vnet.h: the header in front of each packet read from or written to the TUN:
 * struct virtio_net_hdr, WT_TUN_HEADER bytes, what is left to be done about
 * checksum and segmentation.
 *
 * It never travels: a packet read with one becomes a record by record/plan.h,
 * and the receiver builds one from the packet it has checked. Pure functions on
 * the caller's memory; any thread.
 */
#ifndef WT_RECORD_VNET_H
#define WT_RECORD_VNET_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/inner.h"

/* VIRTIO_NET_HDR_GSO_UDP_L4, which older system headers lack. */
#define WT_VNET_UDP_L4 5u

/* What a read header says, in numbers. hdr_len is left out: the kernel may put
 * the length of the whole packet there. */
struct wt_vnet {
	uint8_t flags; /* VIRTIO_NET_HDR_F_* */
	uint8_t type;  /* VIRTIO_NET_HDR_GSO_* */
	uint16_t segment_size;
	uint16_t checksum_start;
	uint16_t checksum_offset; /* from checksum_start */
};

/* Read the WT_TUN_HEADER bytes at `header`, of any alignment, before something
 * else is written over them. */
struct wt_vnet wt_vnet_read(const uint8_t *header) WT_MUST_CHECK;

/* The same the other way: write WT_TUN_HEADER bytes at `header`. */
void wt_vnet_store(const struct wt_vnet *vnet, uint8_t *header);

/* Finish the checksum of a packet whose plan is FINISH. */
void wt_vnet_finish(const struct wt_vnet *vnet, uint8_t *data, size_t len);

/* Make the packet of an accepted record (kind 0x01, 0x02 or 0x03) ready for the
 * TUN: its header is written into the WT_TUN_HEADER bytes before inner->body,
 * which are the record's own header and kind, used up by then; and of 0x02 and
 * 0x03 the checksum field is overwritten with the pseudo-header's sum. */
void wt_vnet_write(const struct wt_inner *inner);

#endif
