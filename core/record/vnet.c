/* SPDX-License-Identifier: MIT */
#include "record/vnet.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>

#include "record/checksum.h"
#include "record/params.h"
#include "tun/tun.h"

_Static_assert(sizeof(struct virtio_net_hdr) == WT_TUN_HEADER, "the header that the TUN expects");

struct wt_vnet wt_vnet_read(const uint8_t *header)
{
	struct virtio_net_hdr h;

	memcpy(&h, header, sizeof h);
	return (struct wt_vnet){ .flags = h.flags,
				 .type = h.gso_type,
				 .segment_size = h.gso_size,
				 .checksum_start = h.csum_start,
				 .checksum_offset = h.csum_offset };
}

void wt_vnet_store(const struct wt_vnet *vnet, uint8_t *header)
{
	struct virtio_net_hdr h = { .flags = vnet->flags,
				    .gso_type = vnet->type,
				    .gso_size = vnet->segment_size,
				    .csum_start = vnet->checksum_start,
				    .csum_offset = vnet->checksum_offset };

	memcpy(header, &h, sizeof h);
}

void wt_vnet_finish(const struct wt_vnet *vnet, uint8_t *data, size_t len)
{
	/* The plan has seen that the field is inside. */
	(void)wt_checksum_finish(data, len, vnet->checksum_start, vnet->checksum_offset);
}

static uint8_t run_type(const struct wt_layer4 *l4)
{
	if (l4->protocol == IPPROTO_UDP)
		return WT_VNET_UDP_L4;
	return l4->run_feature == WT_FEATURE_SEGMENTS_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4
							   : VIRTIO_NET_HDR_GSO_TCPV6;
}

void wt_vnet_write(const struct wt_inner *inner)
{
	struct virtio_net_hdr header = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
	const struct wt_layer4 *l4 = &inner->layer4;

	if (inner->kind != WT_INNER_PACKET) {
		uint16_t sum = wt_layer4_pseudo(l4, inner->len, &inner->packet);

		memcpy(inner->body + l4->start + l4->checksum_offset, &sum, sizeof sum);
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header.csum_start = l4->start;
		header.csum_offset = l4->checksum_offset;
	}
	if (inner->kind == WT_INNER_SEGMENTS) {
		header.gso_type = run_type(l4);
		header.gso_size = inner->segment_size;
		header.hdr_len = l4->payload;
	}
	memcpy(inner->body - WT_TUN_HEADER, &header, sizeof header);
}
