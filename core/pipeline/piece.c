/* SPDX-License-Identifier: MIT */
#include "pipeline/piece.h"

#include <linux/virtio_net.h>

#include "record/vnet.h"
#include "tun/tun.h"

size_t wt_piece_next(struct wt_worker *worker, struct wt_segments *segments, uint8_t *packet)
{
	size_t len = wt_segments_next(segments, packet);
	struct wt_vnet vnet = { .type = VIRTIO_NET_HDR_GSO_NONE };

	if (segments->partial) {
		vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet.checksum_start = segments->layer4.start;
		vnet.checksum_offset = segments->layer4.checksum_offset;
	}
	wt_vnet_store(&vnet, packet - WT_TUN_HEADER);
	worker->offloads.copied_bytes += len;
	return len;
}
